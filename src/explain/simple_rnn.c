// SimpleRNN: h(t) = activation(x(t) W + h(t-1) U + b). The steps before the chosen one are computed
// without words. What float32 may lose in one step is carried into the next, so that the check
// stays fair over long sequences.
#include "explain/explain.h"
#include <math.h>
#include <string.h>

typedef struct recurrence {
    const cj_tensor *x, *kernel, *recurrent, *bias;
    int64_t time, features, units;
    bool backwards;
    cj__curve curve;
    double *row;            // x(t)
    double *before, *doubt; // h(t-1) and how far float32 may be from it
    double *z, *slack, *h;  // of step t
    double *column;         // of a kernel
} recurrence;

static void lay_out(recurrence *r, double *room)
{
    r->row = room;
    r->before = r->row + r->features;
    r->doubt = r->before + r->units;
    r->z = r->doubt + r->units;
    r->slack = r->z + r->units;
    r->h = r->slack + r->units;
    r->column = r->h + r->units;
}

static void read_step(recurrence *r, int64_t step)
{
    const int64_t t = r->backwards ? r->time - 1 - step : step;
    for (int64_t i = 0; i < r->features; i++)
        r->row[i] = cj__at(r->x, t * r->features + i);
}

static cj_status advance(recurrence *r, int64_t step)
{
    read_step(r, step);
    for (int64_t u = 0; u < r->units; u++) {
        double sum = r->bias ? cj__at(r->bias, u) : 0, magnitude = fabs(sum), carried = 0;
        for (int64_t i = 0; i < r->features; i++) {
            const double product = r->row[i] * cj__at(r->kernel, i * r->units + u);
            sum += product;
            magnitude += fabs(product);
        }
        for (int64_t i = 0; i < r->units; i++) {
            const double weight = cj__at(r->recurrent, i * r->units + u);
            sum += r->before[i] * weight;
            magnitude += fabs(r->before[i] * weight);
            carried += fabs(weight) * r->doubt[i];
        }
        r->z[u] = sum;
        r->slack[u] = cj__slack(magnitude) + carried;
    }
    return cj__curve_apply(&r->curve, r->z, r->h);
}

// The state of the next step is what the layer gives.
static cj_status keep(recurrence *r, const cj_layer *layer)
{
    for (int64_t u = 0; u < r->units; u++) {
        double low, high;
        CJ_TRY(cj__curve_range(&r->curve, r->z, r->slack, r->units, u, &low, &high));
        const double slack = cj__slack(fabs(r->h[u]));
        r->h[u] = cj__as_given(layer, r->h[u]);
        r->doubt[u] = fmax(cj__as_given(layer, high + slack) - r->h[u],
                           r->h[u] - cj__as_given(layer, low - slack));
    }
    memcpy(r->before, r->h, (size_t)r->units * sizeof *r->h);
    return CJ_OK;
}

static cj_status say_product(cj__telling *telling, recurrence *r, const char *name,
                             const cj_tensor *kernel, const double *values, int64_t count,
                             int64_t unit)
{
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < count; i++)
        r->column[i] = cj__at(kernel, i * r->units + unit);
    const cj__products products = {name, "weight", values, r->column, count};
    return cj__show_products(telling, &products, &sum, &magnitude);
}

static cj_status tell_step(cj__telling *telling, recurrence *r, const char *activation,
                           int64_t step, int64_t unit)
{
    char text[CJ__SHORT_TEXT], total[CJ__SHORT_TEXT];
    cj__say(telling, "unit %lld at step %lld of %lld", (long long)unit, (long long)step,
            (long long)r->time);
    cj__say(telling, "the input x(%lld) times the kernel:",
            (long long)(r->backwards ? r->time - 1 - step : step));
    CJ_TRY(say_product(telling, r, "input", r->kernel, r->row, r->features, unit));
    if (step > 0) {
        cj__say(telling, "the state of the step before times the recurrent kernel:");
        CJ_TRY(say_product(telling, r, "state", r->recurrent, r->before, r->units, unit));
    } else {
        cj__say(telling, "the state before the first step is 0");
    }
    if (r->bias)
        cj__say(telling, "+ bias %s", cj__short(cj__at(r->bias, unit), text));
    cj__say(telling, "together %s", cj__short(r->z[unit], total));
    return cj__tell_activation(telling, activation, r->z, r->slack, r->units, unit);
}

cj_status cj__tell_simple_rnn(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_simple_rnn_args *args = sight->layer->args;
    if (sight->masked || args->stateful) {
        cj__say(telling, "h(t) = %s(x(t) W + h(t-1) U + b); %s", args->activation,
                sight->masked ? "steps whose mask is false keep the state" :
                                "the state goes on from batch to batch");
        return CJ_OK;
    }
    const int64_t *x = cj_tensor_shape(sight->inputs[0])->dims;
    recurrence r = {.x = sight->inputs[0],
                    .kernel = cj__weight(sight, "kernel"),
                    .recurrent = cj__weight(sight, "recurrent_kernel"),
                    .bias = cj__weight(sight, "bias"),
                    .time = x[1],
                    .features = x[2],
                    .units = args->units,
                    .backwards = args->go_backwards};
    const int64_t last = args->return_sequences ? telling->index[1] : r.time - 1;
    const int64_t unit = telling->place % r.units,
                  longest = r.features > r.units ? r.features : r.units;
    double *room = cj__new((size_t)(r.features + 5 * r.units + longest), sizeof *room);
    cj_status status =
        room ? cj__curve_open(&r.curve, args->activation, cj_layer_name(sight->layer), r.units) :
               CJ_OUT_OF_MEMORY;
    if (room)
        lay_out(&r, room);
    for (int64_t step = 0; status == CJ_OK && step <= last; step++) {
        status = advance(&r, step);
        if (status == CJ_OK)
            status = step < last ? keep(&r, sight->layer) :
                                   tell_step(telling, &r, args->activation, step, unit);
    }
    cj__curve_close(&r.curve);
    cj__free(room);
    return status;
}
