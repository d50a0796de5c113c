// Dense and Embedding.
#include "explain/explain.h"
#include <math.h>

// z[u] = sum over i of x[i] W[i, u] + b[u] for every unit; bound[u] limits float32's error in it.
static void all_units(const double *x, const cj_tensor *kernel, const cj_tensor *bias,
                      int64_t inputs, int64_t units, double *z, double *bound)
{
    for (int64_t u = 0; u < units; u++) {
        double sum = bias ? cj__element_at(bias, u) : 0, magnitude = fabs(sum);
        for (int64_t i = 0; i < inputs; i++) {
            const double product = x[i] * cj__element_at(kernel, i * units + u);
            sum += product;
            magnitude += fabs(product);
        }
        z[u] = sum;
        bound[u] = cj__rounding_bound(magnitude);
    }
}

static cj_status explain_unit(cj__explanation *explanation, const double *x, double *w, double *z,
                              double *bound)
{
    const cj_layer *layer = explanation->record->layer;
    const cj_dense_args *args = layer->args;
    const cj_tensor *kernel = cj__weight(explanation->record, "kernel"),
                    *bias = cj__weight(explanation->record, "bias");
    const int64_t inputs = cj_tensor_shape(kernel)->dims[0], units = args->units,
                  unit = explanation->offset % units;
    double sum = 0, magnitude = 0;
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    for (int64_t i = 0; i < inputs; i++)
        w[i] = cj__element_at(kernel, i * units + unit);
    cj__print_line(explanation, "unit %lld: the input times column %lld of the kernel",
                   (long long)unit, (long long)unit);
    const cj__products products = {"input", "kernel", x, w, inputs};
    CJ_TRY(cj__show_products(explanation, &products, &sum, &magnitude));
    all_units(x, kernel, bias, inputs, units, z, bound);
    if (bias)
        cj__print_line(explanation, "+ bias %s = %s", cj__digits(cj__element_at(bias, unit), text),
                       cj__digits(z[unit], total));
    return cj__explain_activation(explanation, args->activation, z, bound, units, unit);
}

// y = activation(x W + b) over the last axis.
cj_status cj__explain_dense(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_tensor *kernel = cj__weight(record, "kernel");
    const int64_t inputs = cj_tensor_shape(kernel)->dims[0],
                  units = cj_tensor_shape(kernel)->dims[1];
    const int64_t row = explanation->offset / units;
    double *buffer = cj__new((size_t)inputs * 2 + (size_t)units * 2, sizeof *buffer);
    if (!buffer)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < inputs; i++)
        buffer[i] = cj__element_at(record->inputs[0], row * inputs + i);
    const cj_status status = explain_unit(explanation, buffer, buffer + inputs, buffer + 2 * inputs,
                                          buffer + 2 * inputs + units);
    cj__free(buffer);
    return status;
}

// y = table[x].
cj_status cj__explain_embedding(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_tensor *table = cj__weight(record, "embeddings");
    const int64_t width = cj_tensor_shape(table)->dims[1], column = explanation->offset % width;
    const int64_t row = (int64_t)cj__element_at(record->inputs[0], explanation->offset / width);
    char text[CJ__DIGITS_TEXT];
    const double value = cj__element_at(table, row * width + column);
    cj__print_line(explanation, "index %lld: entry %lld of row %lld of the table is %s",
                   (long long)row, (long long)column, (long long)row, cj__digits(value, text));
    return cj__conclude(explanation, value, value);
}
