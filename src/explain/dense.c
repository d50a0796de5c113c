// Dense and Embedding.
#include "explain/explain.h"
#include <math.h>

// z[u] = sum over i of x[i] W[i, u] + b[u] for every unit; slack[u] is float32's share of it.
static void all_units(const double *x, const cj_tensor *kernel, const cj_tensor *bias,
                      int64_t inputs, int64_t units, double *z, double *slack)
{
    for (int64_t u = 0; u < units; u++) {
        double sum = bias ? cj__at(bias, u) : 0, magnitude = fabs(sum);
        for (int64_t i = 0; i < inputs; i++) {
            const double product = x[i] * cj__at(kernel, i * units + u);
            sum += product;
            magnitude += fabs(product);
        }
        z[u] = sum;
        slack[u] = cj__slack(magnitude);
    }
}

static cj_status tell_unit(cj__telling *telling, const double *x, double *w, double *z,
                           double *slack)
{
    const cj_layer *layer = telling->sight->layer;
    const cj_dense_args *args = layer->args;
    const cj_tensor *kernel = cj__weight(telling->sight, "kernel"),
                    *bias = cj__weight(telling->sight, "bias");
    const int64_t inputs = cj_tensor_shape(kernel)->dims[0], units = args->units,
                  unit = telling->place % units;
    double sum = 0, magnitude = 0;
    char text[CJ__SHORT_TEXT], total[CJ__SHORT_TEXT];
    for (int64_t i = 0; i < inputs; i++)
        w[i] = cj__at(kernel, i * units + unit);
    cj__say(telling, "unit %lld: the input times column %lld of the kernel", (long long)unit,
            (long long)unit);
    const cj__products products = {"input", "kernel", x, w, inputs};
    CJ_TRY(cj__show_products(telling, &products, &sum, &magnitude));
    all_units(x, kernel, bias, inputs, units, z, slack);
    if (bias)
        cj__say(telling, "+ bias %s = %s", cj__short(cj__at(bias, unit), text),
                cj__short(z[unit], total));
    return cj__tell_activation(telling, args->activation, z, slack, units, unit);
}

// y = activation(x W + b) over the last axis.
cj_status cj__tell_dense(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_tensor *kernel = cj__weight(sight, "kernel");
    const int64_t inputs = cj_tensor_shape(kernel)->dims[0],
                  units = cj_tensor_shape(kernel)->dims[1];
    const int64_t row = telling->place / units;
    double *room = cj__new((size_t)inputs * 2 + (size_t)units * 2, sizeof *room);
    if (!room)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < inputs; i++)
        room[i] = cj__at(sight->inputs[0], row * inputs + i);
    const cj_status status =
        tell_unit(telling, room, room + inputs, room + 2 * inputs, room + 2 * inputs + units);
    cj__free(room);
    return status;
}

// y = table[x].
cj_status cj__tell_embedding(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_tensor *table = cj__weight(sight, "embeddings");
    const int64_t width = cj_tensor_shape(table)->dims[1], column = telling->place % width;
    const int64_t row = (int64_t)cj__at(sight->inputs[0], telling->place / width);
    char text[CJ__SHORT_TEXT];
    const double value = cj__at(table, row * width + column);
    cj__say(telling, "index %lld: entry %lld of row %lld of the table is %s", (long long)row,
            (long long)column, (long long)row, cj__short(value, text));
    return cj__conclude(telling, value, value);
}
