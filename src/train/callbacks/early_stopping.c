// EarlyStopping, with Keras's rules: an epoch without improvement adds to `wait`; training stops
// when it reaches `patience` (never after the first epoch); with a baseline only an improvement
// that reaches it renews patience; the best weights come back at the end whether or not training
// was stopped.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include "train/callbacks.h"
#include "train/callbacks/monitor.h"
#include <cajal/layers.h>
#include <math.h>
#include <string.h>

typedef struct stopping {
    cj_early_stopping_args args;
    cj__monitor monitor;
    int wait, stopped_epoch, best_epoch;
    double best;     // NAN before the first
    double *weights; // of the best epoch, all variables in order; NULL if not kept
    int64_t weight_count;
} stopping;

static void stopping_reset(stopping *s)
{
    s->wait = s->stopped_epoch = s->best_epoch = 0;
    s->best = NAN;
    cj__free(s->weights);
    s->weights = NULL;
    s->weight_count = 0;
}

static cj_status stopping_begin(void *self, cj_model *model, cj_logs *logs)
{
    (void)model, (void)logs;
    stopping_reset(self);
    return CJ_OK;
}

static int64_t count_weights(const cj_layer *layer)
{
    int64_t count = 0;
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        count += cj_tensor_count(cj_variable_value(cj_layer_variable(layer, i)));
    return count;
}

static cj_status keep_weights(stopping *s, cj_model *model, int epoch)
{
    const cj_layer *layer = cj_model_layer(model);
    double *to = s->weights;
    s->best_epoch = epoch;
    if (!to) {
        s->weight_count = count_weights(layer);
        to = s->weights = cj__new((size_t)s->weight_count, sizeof *to);
        if (!to)
            return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        const cj_tensor *value = cj_variable_value(cj_layer_variable(layer, i));
        cj__convert(value->dtype, value->data, CJ_F64, to, cj_tensor_count(value));
        to += cj_tensor_count(value);
    }
    return CJ_OK;
}

static void restore_weights(const stopping *s, cj_model *model)
{
    const cj_layer *layer = cj_model_layer(model);
    const double *from = s->weights;
    if (count_weights(layer) != s->weight_count)
        return;
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        const cj_tensor *value = cj_variable_value(cj_layer_variable(layer, i));
        cj__convert(CJ_F64, from, value->dtype, value->data, cj_tensor_count(value));
        from += cj_tensor_count(value);
    }
}

static cj_status stopping_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    stopping *s = self;
    double value;
    bool found;
    CJ_TRY(cj__monitor_read(&s->monitor, logs, "EarlyStopping", &value, &found));
    if (!found || logs->epoch < s->args.start_from_epoch)
        return CJ_OK;
    if (s->args.restore_best_weights && !s->weights)
        CJ_TRY(keep_weights(s, model, logs->epoch));
    s->wait++;
    if (cj__monitor_better(&s->monitor, value, s->best)) {
        s->best = value;
        s->best_epoch = logs->epoch;
        if (isnan(s->args.baseline) || cj__monitor_better(&s->monitor, value, s->args.baseline))
            s->wait = 0;
        return s->args.restore_best_weights ? keep_weights(s, model, logs->epoch) : CJ_OK;
    }
    if (s->wait >= s->args.patience && logs->epoch > 0) {
        s->stopped_epoch = logs->epoch;
        logs->stop = true;
    }
    return CJ_OK;
}

static cj_status stopping_end(void *self, cj_model *model, cj_logs *logs)
{
    stopping *s = self;
    (void)logs;
    if (s->stopped_epoch > 0 && s->args.verbose > 0)
        printf("Epoch %d: early stopping\n", s->stopped_epoch + 1);
    if (!s->weights)
        return CJ_OK;
    if (s->args.verbose > 0)
        printf("Restoring model weights from the end of the best epoch: %d.\n", s->best_epoch + 1);
    restore_weights(s, model);
    return CJ_OK;
}

enum { NUMBERS = 4 };

static int stopping_state(void *self, double *values, int capacity)
{
    const stopping *s = self;
    const int count = NUMBERS + (int)(s->weights ? s->weight_count : 0);
    const double numbers[NUMBERS] = {s->wait, s->stopped_epoch, s->best_epoch, s->best};
    if (capacity < count)
        return count;
    memcpy(values, numbers, sizeof numbers);
    if (s->weights)
        memcpy(values + NUMBERS, s->weights, (size_t)s->weight_count * sizeof *values);
    return count;
}

static void stopping_set_state(void *self, const double *values, int count)
{
    stopping *s = self;
    if (count < NUMBERS)
        return;
    stopping_reset(s);
    s->wait = (int)values[0];
    s->stopped_epoch = (int)values[1];
    s->best_epoch = (int)values[2];
    s->best = values[3];
    if (count > NUMBERS &&
        (s->weights = cj__copy_bytes(values + NUMBERS, (size_t)(count - NUMBERS) * sizeof *values)))
        s->weight_count = count - NUMBERS;
}

static void stopping_free(void *self)
{
    stopping *s = self;
    cj__monitor_close(&s->monitor);
    cj__free(s->weights);
    cj__free(s);
}

static const cj_callback_methods stopping_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "EarlyStopping",
    .train_begin = stopping_begin,
    .epoch_end = stopping_epoch_end,
    .train_end = stopping_end,
    .state = stopping_state,
    .set_state = stopping_set_state,
    .free = stopping_free,
};

CJ__DEFAULTS(early_stopping, EARLY_STOPPING)

cj_callback *cj_early_stopping_new(const cj_early_stopping_args *args)
{
    stopping *s = cj__new(1, sizeof *s);
    if (!s)
        return cj__build_failed();
    s->best = NAN;
    cj_status status =
        cj__args_read("EarlyStopping", args, &early_stopping_defaults, sizeof s->args, &s->args);
    if (status == CJ_OK)
        status = cj__monitor_open(&s->monitor, s->args.monitor, s->args.mode, s->args.min_delta,
                                  "EarlyStopping");
    if (status != CJ_OK) {
        stopping_free(s);
        return cj__build_failed();
    }
    return cj__callback_make(&stopping_methods, s);
}
