// EarlyStopping, with Keras's rules: an epoch without improvement adds to `wait`; training stops
// when it reaches `patience` (never after the first epoch); with a baseline only an improvement
// that reaches it renews patience; the best weights come back at the end whether or not training
// was stopped.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "train/callbacks.h"
#include "train/callbacks/monitor.h"
#include "train/callbacks/snapshot.h"
#include <math.h>

typedef struct stopping {
    cj_early_stopping_args args;
    cj__monitor monitor;
    int wait, stopped_epoch, best_epoch;
    cj__snapshot weights; // of the best epoch, with restore_best_weights
} stopping;

static void stopping_reset(stopping *s)
{
    s->wait = s->stopped_epoch = s->best_epoch = 0;
    cj__monitor_reset(&s->monitor);
    cj__snapshot_free(&s->weights);
}

static cj_status stopping_begin(void *self, cj_model *model, cj_logs *logs)
{
    (void)model, (void)logs;
    stopping_reset(self);
    return CJ_OK;
}

static cj_status keep_weights(stopping *s, cj_model *model, int epoch)
{
    s->best_epoch = epoch;
    return s->args.restore_best_weights ? cj__snapshot_take(&s->weights, model) : CJ_OK;
}

static cj_status stopping_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    stopping *s = self;
    double value;
    bool found;
    CJ_TRY(cj__monitor_read(&s->monitor, model, logs, "training will not be stopped by it", &value,
                            &found));
    if (!found || logs->epoch < s->args.start_from_epoch)
        return CJ_OK;
    if (!s->weights.tensors)
        CJ_TRY(keep_weights(s, model, logs->epoch));
    s->wait++;
    if (cj__monitor_improves(&s->monitor, value)) {
        if (isnan(s->args.baseline) || cj__monitor_better(&s->monitor, value, s->args.baseline))
            s->wait = 0;
        return keep_weights(s, model, logs->epoch);
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
    if (!s->weights.tensors || !cj__snapshot_fits(&s->weights, model))
        return CJ_OK;
    if (s->args.verbose > 0)
        printf("Restoring model weights from the end of the best epoch: %d.\n", s->best_epoch + 1);
    return cj__snapshot_restore(&s->weights, model);
}

enum { NUMBERS = 3 + CJ__MONITOR_NUMBERS };

static int stopping_state(void *self, double *values, int capacity)
{
    const stopping *s = self;
    if (capacity < NUMBERS)
        return NUMBERS;
    values[0] = s->wait;
    values[1] = s->stopped_epoch;
    values[2] = s->best_epoch;
    cj__monitor_save(&s->monitor, values + 3);
    return NUMBERS;
}

static void stopping_set_state(void *self, const double *values, int count)
{
    stopping *s = self;
    if (count != NUMBERS)
        return;
    s->wait = cj__count_of(values[0]);
    s->stopped_epoch = cj__count_of(values[1]);
    s->best_epoch = cj__count_of(values[2]);
    cj__monitor_restore(&s->monitor, values + 3);
}

static int stopping_tensors(void *self, cj_tensor **tensors, int capacity)
{
    const stopping *s = self;
    for (int i = 0; i < s->weights.count && i < capacity; i++)
        tensors[i] = s->weights.tensors[i];
    return s->weights.count;
}

static cj_status stopping_set_tensors(void *self, cj_tensor *const *tensors, int count)
{
    stopping *s = self;
    return count > 0 ? cj__snapshot_set(&s->weights, tensors, count) : CJ_OK;
}

static void stopping_free(void *self)
{
    stopping *s = self;
    cj__monitor_close(&s->monitor);
    cj__snapshot_free(&s->weights);
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
    .tensors = stopping_tensors,
    .set_tensors = stopping_set_tensors,
    .free = stopping_free,
};

CJ__DEFAULTS(early_stopping, EARLY_STOPPING)

cj_callback *cj_early_stopping_new(const cj_early_stopping_args *args)
{
    stopping *s = cj__new(1, sizeof *s);
    if (!s)
        return cj__build_failed(CJ__MADE_CALLBACK);
    cj_status status =
        cj__args_read("EarlyStopping", args, &early_stopping_defaults, sizeof s->args, &s->args);
    if (status == CJ_OK)
        status = cj__monitor_open(&s->monitor, "EarlyStopping", s->args.monitor, s->args.mode,
                                  s->args.min_delta);
    if (status != CJ_OK) {
        stopping_free(s);
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    return cj__callback_make(&stopping_methods, s);
}
