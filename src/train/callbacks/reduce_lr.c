// ReduceLROnPlateau, with Keras's rules: in cooldown the counter falls first and `wait` stays 0;
// the rate never goes below min_lr, and is compared with it as the float32 that it is.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "train/callbacks.h"
#include "train/callbacks/monitor.h"
#include <math.h>
#include <string.h>

typedef struct plateau {
    cj_reduce_lr_on_plateau_args args;
    cj__monitor monitor;
    int wait, cooldown;
} plateau;

static cj_status plateau_begin(void *self, cj_model *model, cj_logs *logs)
{
    plateau *p = self;
    (void)model, (void)logs;
    p->wait = p->cooldown = 0;
    cj__monitor_reset(&p->monitor);
    return CJ_OK;
}

static cj_status reduce(plateau *p, cj_model *model, int epoch)
{
    const double rate = cj_learning_rate(model), min_lr = p->args.min_lr;
    if (!(rate > (double)(float)min_lr))
        return CJ_OK;
    const double reduced = fmax(rate * p->args.factor, min_lr);
    CJ_TRY(cj_set_learning_rate(model, reduced));
    if (p->args.verbose > 0)
        printf("\nEpoch %d: ReduceLROnPlateau reducing learning rate to %.9g.\n", epoch + 1,
               reduced);
    p->cooldown = p->args.cooldown;
    p->wait = 0;
    return CJ_OK;
}

static cj_status plateau_epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    plateau *p = self;
    double value;
    bool found;
    CJ_TRY(cj__monitor_read(&p->monitor, model, logs, "the learning rate will not be reduced by it",
                            &value, &found));
    if (!found)
        return CJ_OK;
    if (p->cooldown > 0) {
        p->cooldown--;
        p->wait = 0;
    }
    if (cj__monitor_improves(&p->monitor, value)) {
        p->wait = 0;
    } else if (p->cooldown <= 0 && ++p->wait >= p->args.patience) {
        return reduce(p, model, logs->epoch);
    }
    return CJ_OK;
}

enum { NUMBERS = 2 + CJ__MONITOR_NUMBERS };

static int plateau_state(void *self, double *values, int capacity)
{
    const plateau *p = self;
    if (capacity < NUMBERS)
        return NUMBERS;
    values[0] = p->wait;
    values[1] = p->cooldown;
    cj__monitor_save(&p->monitor, values + 2);
    return NUMBERS;
}

static void plateau_set_state(void *self, const double *values, int count)
{
    plateau *p = self;
    if (count != NUMBERS)
        return;
    p->wait = cj__count_of(values[0]);
    p->cooldown = cj__count_of(values[1]);
    cj__monitor_restore(&p->monitor, values + 2);
}

static void plateau_free(void *self)
{
    cj__monitor_close(&((plateau *)self)->monitor);
    cj__free(self);
}

static const cj_callback_methods plateau_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "ReduceLROnPlateau",
    .train_begin = plateau_begin,
    .epoch_end = plateau_epoch_end,
    .state = plateau_state,
    .set_state = plateau_set_state,
    .free = plateau_free,
    .sets_learning_rate = true,
};

CJ__DEFAULTS(reduce_lr_on_plateau, REDUCE_LR_ON_PLATEAU)

cj_callback *cj_reduce_lr_on_plateau_new(const cj_reduce_lr_on_plateau_args *args)
{
    plateau *p = cj__new(1, sizeof *p);
    if (!p)
        return cj__build_failed(CJ__MADE_CALLBACK);
    cj_status status = cj__args_read("ReduceLROnPlateau", args, &reduce_lr_on_plateau_defaults,
                                     sizeof p->args, &p->args);
    if (status == CJ_OK && !(p->args.factor >= 0 && p->args.factor < 1))
        status =
            cj__fail(CJ_INVALID_ARGUMENT,
                     "ReduceLROnPlateau: factor is %g, needed is 0 <= factor < 1", p->args.factor);
    if (status == CJ_OK)
        status = cj__monitor_open(&p->monitor, "ReduceLROnPlateau", p->args.monitor, p->args.mode,
                                  p->args.min_delta);
    if (status != CJ_OK) {
        plateau_free(p);
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    return cj__callback_make(&plateau_methods, p);
}
