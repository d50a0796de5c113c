// SimpleRNN: h(t) = activation(x(t) W + h(t-1) U + b). The steps before the chosen one are computed
// without being printed. The bound for float32's error is carried from step to step, so that the
// check allows for it in long sequences.
#include "explain/explain.h"
#include <math.h>
#include <string.h>

typedef struct recurrence {
    const cj_tensor *x, *kernel, *recurrent, *bias;
    int64_t time, features, units;
    bool backwards;
    cj__curve curve;
    double *row;                   // x(t)
    double *before, *before_bound; // h(t-1), and the bound for float32's error in it
    double *z, *bound, *h;         // of step t
    double *column;                // of a kernel
} recurrence;

static void set_pointers(recurrence *r, double *buffer)
{
    r->row = buffer;
    r->before = r->row + r->features;
    r->before_bound = r->before + r->units;
    r->z = r->before_bound + r->units;
    r->bound = r->z + r->units;
    r->h = r->bound + r->units;
    r->column = r->h + r->units;
}

static void read_step(recurrence *r, int64_t step)
{
    const int64_t t = r->backwards ? r->time - 1 - step : step;
    for (int64_t i = 0; i < r->features; i++)
        r->row[i] = cj__element_at(r->x, t * r->features + i);
}

static cj_status advance(recurrence *r, int64_t step)
{
    read_step(r, step);
    for (int64_t u = 0; u < r->units; u++) {
        double sum = r->bias ? cj__element_at(r->bias, u) : 0, magnitude = fabs(sum), carried = 0;
        for (int64_t i = 0; i < r->features; i++) {
            const double product = r->row[i] * cj__element_at(r->kernel, i * r->units + u);
            sum += product;
            magnitude += fabs(product);
        }
        for (int64_t i = 0; i < r->units; i++) {
            const double weight = cj__element_at(r->recurrent, i * r->units + u);
            sum += r->before[i] * weight;
            magnitude += fabs(r->before[i] * weight);
            carried += fabs(weight) * r->before_bound[i];
        }
        r->z[u] = sum;
        r->bound[u] = cj__rounding_bound(magnitude) + carried;
    }
    return cj__curve_apply(&r->curve, r->z, r->h);
}

// h(t), rounded as the layer rounds its output, becomes the state of the next step.
static cj_status keep_state(recurrence *r, const cj_layer *layer)
{
    for (int64_t u = 0; u < r->units; u++) {
        double low, high;
        CJ_TRY(cj__curve_range(&r->curve, r->z, r->bound, r->units, u, &low, &high));
        const double bound = cj__rounding_bound(fabs(r->h[u]));
        r->h[u] = cj__as_output(layer, r->h[u]);
        r->before_bound[u] = fmax(cj__as_output(layer, high + bound) - r->h[u],
                                  r->h[u] - cj__as_output(layer, low - bound));
    }
    memcpy(r->before, r->h, (size_t)r->units * sizeof *r->h);
    return CJ_OK;
}

static cj_status print_product(cj__explanation *explanation, recurrence *r, const char *name,
                               const cj_tensor *kernel, const double *values, int64_t count,
                               int64_t unit)
{
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < count; i++)
        r->column[i] = cj__element_at(kernel, i * r->units + unit);
    const cj__products products = {name, "weight", values, r->column, count};
    return cj__show_products(explanation, &products, &sum, &magnitude);
}

static cj_status explain_step(cj__explanation *explanation, recurrence *r, const char *activation,
                              int64_t step, int64_t unit)
{
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "unit %lld at step %lld of %lld", (long long)unit, (long long)step,
                   (long long)r->time);
    cj__print_line(explanation, "the input x(%lld) times the kernel:",
                   (long long)(r->backwards ? r->time - 1 - step : step));
    CJ_TRY(print_product(explanation, r, "input", r->kernel, r->row, r->features, unit));
    if (step > 0) {
        cj__print_line(explanation, "the state of the step before times the recurrent kernel:");
        CJ_TRY(print_product(explanation, r, "state", r->recurrent, r->before, r->units, unit));
    } else {
        cj__print_line(explanation, "the state before the first step is 0");
    }
    if (r->bias)
        cj__print_line(explanation, "+ bias %s", cj__digits(cj__element_at(r->bias, unit), text));
    cj__print_line(explanation, "together %s", cj__digits(r->z[unit], total));
    return cj__explain_activation(explanation, activation, r->z, r->bound, r->units, unit);
}

cj_status cj__explain_simple_rnn(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_simple_rnn_args *args = record->layer->args;
    if (record->masked || args->stateful || record->input_count > 1) {
        cj__print_line(explanation, "h(t) = %s(x(t) W + h(t-1) U + b); %s", args->activation,
                       record->masked          ? "steps whose mask is false keep the state" :
                       record->input_count > 1 ? "the state begins with what is given" :
                                                 "the state goes on from batch to batch");
        return CJ_OK;
    }
    const int64_t *x = cj_tensor_shape(record->inputs[0])->dims;
    recurrence r = {.x = record->inputs[0],
                    .kernel = cj__weight(record, "kernel"),
                    .recurrent = cj__weight(record, "recurrent_kernel"),
                    .bias = cj__weight(record, "bias"),
                    .time = x[1],
                    .features = x[2],
                    .units = args->units,
                    .backwards = args->go_backwards};
    const int64_t last = args->return_sequences ? explanation->index[1] : r.time - 1;
    const int64_t unit = explanation->offset % r.units,
                  longest = r.features > r.units ? r.features : r.units;
    double *buffer = cj__new((size_t)(r.features + 5 * r.units + longest), sizeof *buffer);
    cj_status status =
        buffer ? cj__curve_open(&r.curve, args->activation, cj_layer_name(record->layer), r.units) :
                 CJ_OUT_OF_MEMORY;
    if (buffer)
        set_pointers(&r, buffer);
    for (int64_t step = 0; status == CJ_OK && step <= last; step++) {
        status = advance(&r, step);
        if (status == CJ_OK)
            status = step < last ? keep_state(&r, record->layer) :
                                   explain_step(explanation, &r, args->activation, step, unit);
    }
    cj__curve_close(&r.curve);
    cj__free(buffer);
    return status;
}
