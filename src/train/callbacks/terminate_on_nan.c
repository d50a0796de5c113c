// TerminateOnNaN: ends training when the loss is no longer finite, and says where it began.
//
// By then the step has written NaN into every weight, so the first layer would always be blamed.
// The callback therefore keeps the weights that each step starts with. On a bad loss it restores
// them, traces the model again with a watch callback, runs the batch again, and checks each layer
// in order: first its weights, then its output.
#include "base/error.h"
#include "base/memory.h"
#include "ops/variable.h"
#include "train/callbacks.h"
#include "train/callbacks/snapshot.h"
#include "train/step.h"
#include <math.h>
#include <string.h>

typedef struct guard {
    cj__snapshot weights; // as the step found them
} guard;

typedef struct seen {
    cj_layer *layer;
    cj_symbol *output;
} seen;

// What a tracing saw, and the memory for running it.
typedef struct inquiry {
    cj__step step;
    cj__step_functions functions;
    cj__row rows[CJ__MAX_VALUES];
    seen *seen;
    size_t seen_count, capacity;
    bool failed;
} inquiry;

static cj_status guard_begin(void *self, cj_model *model, cj_logs *logs)
{
    (void)logs;
    return cj__snapshot_take(&((guard *)self)->weights, model);
}

static void watch(void *context, cj_layer *layer, const cj__value *inputs, int input_count,
                  const cj__value *outputs, int output_count)
{
    inquiry *q = context;
    (void)inputs, (void)input_count;
    if (cj_layer_model(layer))
        return; // its layers have been seen
    for (int i = 0; i < output_count && !q->failed; i++) {
        q->failed =
            !cj__reserve((void **)&q->seen, &q->capacity, q->seen_count + 1, sizeof *q->seen);
        if (!q->failed && outputs[i].symbol)
            q->seen[q->seen_count++] = (seen){layer, outputs[i].symbol};
    }
}

static bool all_finite(cj_dtype dtype, const void *data, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(cj__element_get(dtype, data, i)))
            return false;
    return true;
}

static const char *bad_weight(const cj_layer *layer)
{
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        const cj_variable *variable = cj_layer_variable(layer, i);
        const cj_tensor *value = cj__variable_read(variable);
        if (!value || !all_finite(value->dtype, value->data, cj_tensor_count(value)))
            return cj_variable_name(variable);
    }
    return NULL;
}

// Runs what was traced; outputs[i] is the memory of what layer i of those seen puts out.
static cj_status run_again(inquiry *q, const cj__train_state *state, void **outputs)
{
    const cj__batch *batch = state->batch;
    cj_symbol **symbols = cj__new(q->seen_count, sizeof *symbols);
    if (!symbols)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < q->seen_count; i++)
        symbols[i] = q->seen[i].output;
    cj_function *function =
        cj_function(.inputs = q->step.inputs, .input_count = q->functions.x_count,
                    .outputs = symbols, .output_count = (int)q->seen_count);
    cj__free(symbols);
    if (!function)
        return cj_error_status();
    cj_status status = CJ_OK;
    for (size_t i = 0; i < q->seen_count && status == CJ_OK; i++) {
        cj__type type = *cj__function_output(function, (int)i);
        if (type.shape.rank && type.shape.dims[0] < 0)
            type.shape.dims[0] *= -batch->count;
        outputs[i] = cj__new((size_t)cj_shape_count(&type.shape), cj_dtype_size(type.dtype));
        status = outputs[i] ? CJ_OK : CJ_OUT_OF_MEMORY;
    }
    if (status == CJ_OK)
        status = cj__function_run(function, batch->count, batch->x, outputs);
    cj_release(function);
    return status;
}

static cj_status blame(const inquiry *q, void *const *outputs, const cj__train_state *state,
                       const char *where)
{
    for (size_t i = 0; i < q->seen_count; i++) {
        const char *name = cj_layer_name(q->seen[i].layer), *weight = bad_weight(q->seen[i].layer);
        cj_shape shape = *cj_symbol_shape(q->seen[i].output);
        if (shape.rank && shape.dims[0] < 0)
            shape.dims[0] *= -state->batch->count;
        if (weight)
            return cj__fail(CJ_NOT_FINITE, "%s: layer \"%s\": weight %s is NaN or infinite", where,
                            name, weight);
        if (!all_finite(cj_symbol_dtype(q->seen[i].output), outputs[i], cj_shape_count(&shape)))
            return cj__fail(CJ_NOT_FINITE, "%s: the output of layer \"%s\" is NaN or infinite",
                            where, name);
    }
    return cj__fail(CJ_NOT_FINITE,
                    "%s: the loss is NaN or infinite, though every layer's output is finite",
                    where);
}

static cj_status inquire(cj_model *model, cj__train_state *state, const char *where)
{
    inquiry *q = cj__new(1, sizeof *q);
    if (!q)
        return CJ_OUT_OF_MEMORY;
    q->functions = *state->training; // but for its rows, which are filled again
    q->functions.rows = q->rows;
    q->functions.row_count = 0;
    q->step.trace.watch = watch;
    q->step.trace.watch_context = q;
    void **outputs = NULL;
    cj_status status = cj__step_trace(model, state, &q->functions, &q->step);
    if (status == CJ_OK && (q->failed || !(outputs = cj__new(q->seen_count, sizeof *outputs))))
        status = CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = run_again(q, state, outputs);
    if (status == CJ_OK)
        status = blame(q, outputs, state, where);
    for (size_t i = 0; outputs && i < q->seen_count; i++)
        cj__free(outputs[i]);
    cj__free(outputs);
    cj__free(q->seen);
    cj__rows_clear(&q->functions);
    cj__trace_end(&q->step.trace);
    cj__free(q);
    return status;
}

static cj_status add_to_steps(cj__train_state *state, int64_t more)
{
    cj_tensor *value = cj__variable_edit(state->iterations);
    if (!value)
        return cj_error_status();
    *(int64_t *)(void *)value->data += more;
    return cj__variable_commit(state->iterations);
}

// Weights and step count are as the bad step found them for the time of the inquiry.
static cj_status inquire_before(guard *g, cj_model *model, cj__train_state *state,
                                const char *where)
{
    cj__snapshot after = {0};
    CJ_TRY(cj__snapshot_take(&after, model));
    cj_status status = cj__snapshot_restore(&g->weights, model);
    if (status == CJ_OK)
        status = add_to_steps(state, -1);
    if (status == CJ_OK) {
        status = inquire(model, state, where);
        add_to_steps(state, 1);
    }
    const cj_status restored = cj__snapshot_restore(&after, model);
    cj__snapshot_free(&after);
    return status ? status : restored;
}

static cj_status guard_batch_end(void *self, cj_model *model, cj_logs *logs)
{
    guard *g = self;
    cj__train_state *state = cj__state_of(model);
    char where[128];
    if (isfinite(cj__logs_value(logs, "loss")))
        return cj__snapshot_refresh(&g->weights, model);
    snprintf(where, sizeof where, "TerminateOnNaN: epoch %d, batch %lld", logs->epoch + 1,
             (long long)logs->batch + 1);
    if (!state || !state->batch)
        return cj__fail(CJ_NOT_FINITE, "%s: the loss is NaN or infinite", where);
    return inquire_before(g, model, state, where);
}

static void guard_free(void *self)
{
    cj__snapshot_free(&((guard *)self)->weights);
    cj__free(self);
}

static const cj_callback_methods guard_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "TerminateOnNaN",
    .train_begin = guard_begin,
    .batch_end = guard_batch_end,
    .free = guard_free,
};

cj_callback *cj_terminate_on_nan(void)
{
    return cj__callback_make(&guard_methods, cj__new(1, sizeof(guard)));
}
