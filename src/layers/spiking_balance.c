// Balancing thresholds on data: the trained network runs on it twice. The first time the greatest
// activation of each ReLU is found, the second time the positive ones are counted by size, so that a
// percentile takes the same memory for any amount of data.
#include "base/memory.h"
#include "layers/spiking_convert.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

enum { BINS = 1 << 16, MOST_NUMBERS = 1 << 22, MOST_SAMPLES = 256 };

bool cj__rectifies(const cj_layer *layer, double *limit)
{
    *limit = INFINITY;
    if (strcmp(cj_layer_class(layer), "ReLU") == 0) {
        const cj_relu_args *a = layer->args;
        *limit = a->max_value;
        return !(a->negative_slope > 0) && !(a->threshold > 0) && a->max_value > 0;
    }
    const char *const *activation = cj__layer_setting(layer, "activation");
    if (!activation || !*activation)
        return false;
    if (strcmp(*activation, "relu6") == 0)
        *limit = 6;
    return strcmp(*activation, "relu") == 0 || strcmp(*activation, "relu6") == 0;
}

// ---- Finding the symbols ----

typedef struct watching {
    cj__balance *balance;
    bool failed;
} watching;

static void watch(void *context, cj_layer *layer, const cj__value *inputs, int input_count,
                  const cj__value *outputs, int output_count)
{
    watching *w = context;
    cj__balance *b = w->balance;
    double limit;
    int which = 0;
    (void)inputs, (void)input_count;
    if (output_count != 1 || !cj__rectifies(layer, &limit))
        return;
    for (size_t i = 0; i < b->count; i++)
        which += b->rows[i].layer == layer;
    if (!cj__reserve((void **)&b->rows, &b->capacity, b->count + 1, sizeof *b->rows)) {
        w->failed = true;
        return;
    }
    b->rows[b->count++] = (cj__rectified){
        .layer = layer, .which = which, .symbol = outputs[0].symbol, .threshold = 1};
}

// ---- Running ----

typedef struct running {
    cj__balance *balance;
    cj_function *function;
    cj_tensor **outputs; // of the function, for batches of `size`
    int64_t size;
    const cj_tensor *x;
} running;

static void drop_outputs(running *r)
{
    for (size_t i = 0; r->outputs && i < r->balance->count; i++)
        cj_release(r->outputs[i]);
    cj__free(r->outputs);
    r->outputs = NULL;
}

static cj_status make_outputs(running *r, int64_t size)
{
    drop_outputs(r);
    r->outputs = cj__new(r->balance->count, sizeof(cj_tensor *));
    if (!r->outputs)
        return CJ_OUT_OF_MEMORY;
    r->size = size;
    for (size_t i = 0; i < r->balance->count; i++) {
        cj_shape shape = *cj_symbol_shape(r->balance->rows[i].symbol);
        shape.dims[0] = size;
        CJ_TRY(cj_tensor_new(CJ_F32, shape, &r->outputs[i]));
    }
    return CJ_OK;
}

static cj_status note_greatest(cj__rectified *row, const cj_tensor *values)
{
    const float *v = (const void *)values->data;
    for (int64_t i = 0; i < cj_tensor_count(values); i++) {
        if (!isfinite(v[i]))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_spiking_convert: %s gives numbers that are not finite on this data",
                            row->layer->name);
        row->greatest = fmax(row->greatest, (double)v[i]);
    }
    return CJ_OK;
}

static cj_status count_sizes(cj__rectified *row, const cj_tensor *values)
{
    const float *v = (const void *)values->data;
    const double scale = row->greatest > 0 ? BINS / row->greatest : 0;
    for (int64_t i = 0; i < cj_tensor_count(values); i++) {
        const int64_t bin = (int64_t)((double)v[i] * scale);
        if (v[i] > 0)
            row->counts[bin < BINS ? bin : BINS - 1]++;
    }
    return CJ_OK;
}

// One pass over the data.
static cj_status pass(running *r, cj_status (*note)(cj__rectified *row, const cj_tensor *values),
                      int64_t batch)
{
    const int64_t samples = cj_tensor_shape(r->x)->dims[0];
    for (int64_t at = 0; at < samples; at += batch) {
        const int64_t size = samples - at < batch ? samples - at : batch;
        cj_tensor *part = NULL;
        if (size != r->size)
            CJ_TRY(make_outputs(r, size));
        CJ_TRY(cj_tensor_slice(r->x, 0, at, size, &part));
        cj_status status = cj_function_call(r->function, &part, r->outputs);
        cj_release(part);
        for (size_t i = 0; status == CJ_OK && i < r->balance->count; i++)
            status = note(&r->balance->rows[i], r->outputs[i]);
        CJ_TRY(status);
    }
    return CJ_OK;
}

// The upper end of the first bin that, with those below it, has that share of the activations.
static double percentile_of(const cj__rectified *row, double percentile)
{
    int64_t all = 0, seen = 0;
    if (!(row->greatest > 0))
        return 1; // such neurons stay silent on this data
    for (int i = 0; i < BINS; i++)
        all += row->counts[i];
    for (int i = 0; i < BINS; i++) {
        seen += row->counts[i];
        if ((double)seen >= percentile / 100 * (double)all)
            return row->greatest * (i + 1) / BINS;
    }
    return row->greatest;
}

// As many samples at once as keep the activations small, all if the model takes no other number.
static int64_t batch_of(const cj__balance *b, cj_model *model)
{
    const int64_t fixed = cj_model_batch_size(model);
    int64_t numbers = 1;
    for (size_t i = 0; i < b->count; i++) {
        cj_shape shape = *cj_symbol_shape(b->rows[i].symbol);
        shape.dims[0] = 1;
        numbers += cj_shape_count(&shape);
    }
    const int64_t fits = MOST_NUMBERS / numbers;
    return fixed > 0 ? fixed : fits < 1 ? 1 : fits < MOST_SAMPLES ? fits : MOST_SAMPLES;
}

static cj_status run(running *r, cj_model *model, double percentile)
{
    cj__balance *b = r->balance;
    const int64_t batch = batch_of(b, model);
    CJ_TRY(pass(r, note_greatest, batch));
    for (size_t i = 0; i < b->count; i++)
        if (!(b->rows[i].counts = cj__new(BINS, sizeof(int64_t))))
            return CJ_OUT_OF_MEMORY;
    CJ_TRY(pass(r, count_sizes, batch));
    for (size_t i = 0; i < b->count; i++)
        b->rows[i].threshold = percentile_of(&b->rows[i], percentile);
    return CJ_OK;
}

static cj_function *function_of(const cj__balance *b, cj_symbol *input)
{
    cj_symbol **symbols = cj__new(b->count, sizeof *symbols);
    if (!symbols)
        return NULL;
    for (size_t i = 0; i < b->count; i++)
        symbols[i] = b->rows[i].symbol;
    cj_function *function = cj_function(.inputs = &input, .input_count = 1, .outputs = symbols,
                                        .output_count = (int)b->count);
    cj__free(symbols);
    return function;
}

static cj_status trace_and_run(cj__balance *b, cj__trace *trace, cj_model *model,
                               const cj_tensor *x, double percentile)
{
    cj__value *outputs = NULL;
    cj_shape shape = *cj_tensor_shape(x);
    running r = {.balance = b, .x = x};
    const int64_t fixed = cj_model_batch_size(model);
    shape.dims[0] = fixed > 0 ? fixed : CJ_BATCH;
    cj_symbol *input =
        cj__build_keep(&trace->build, cj_symbol_input(cj_tensor_dtype(x), shape, "x"));
    if (!input)
        return trace->build.status;
    CJ_TRY(cj__model_trace(model, trace, &input, &outputs));
    if (((watching *)trace->watch_context)->failed)
        return CJ_OUT_OF_MEMORY;
    if (b->count == 0)
        return cj__fail(CJ_UNSUPPORTED,
                        "cj_spiking_convert: %s has no ReLU that could become neurons",
                        cj_layer_name(cj_model_layer(model)));
    r.function = function_of(b, input);
    const cj_status status = r.function ? run(&r, model, percentile) : cj_error_status();
    drop_outputs(&r);
    cj_release(r.function);
    return status;
}

cj_status cj__balance_measure(cj__balance *balance, cj_model *model, const cj_tensor *x,
                              double percentile)
{
    watching w = {.balance = balance};
    cj__trace trace = {.watch = watch, .watch_context = &w};
    const cj_status status = trace_and_run(balance, &trace, model, x, percentile),
                    ended = cj__trace_end(&trace);
    return status != CJ_OK ? status : ended;
}

double cj__balance_threshold(const cj__balance *balance, const cj_layer *layer, int which)
{
    double limit;
    for (size_t i = 0; i < balance->count; i++)
        if (balance->rows[i].layer == layer && balance->rows[i].which == which &&
            cj__rectifies(layer, &limit))
            return fmin(balance->rows[i].threshold, limit);
    return 1; // not reached: all of them have been traced
}

void cj__balance_free(cj__balance *balance)
{
    for (size_t i = 0; i < balance->count; i++)
        cj__free(balance->rows[i].counts);
    cj__free(balance->rows);
    *balance = (cj__balance){0};
}
