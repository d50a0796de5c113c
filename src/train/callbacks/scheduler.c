// LearningRateScheduler: the user's function sets the learning rate before each epoch.
#include "base/error.h"
#include "base/memory.h"
#include "train/callbacks.h"

typedef struct scheduler {
    double (*schedule)(int epoch, double learning_rate, void *context);
    void *context;
} scheduler;

static cj_status scheduler_epoch_begin(void *self, cj_model *model, cj_logs *logs)
{
    const scheduler *s = self;
    return cj_set_learning_rate(model,
                                s->schedule(logs->epoch, cj_learning_rate(model), s->context));
}

static const cj_callback_methods scheduler_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "LearningRateScheduler",
    .epoch_begin = scheduler_epoch_begin,
    .free = cj__free,
    .sets_learning_rate = true,
};

cj_callback *cj_learning_rate_scheduler(double (*schedule)(int epoch, double learning_rate,
                                                           void *context),
                                        void *context)
{
    if (!schedule) {
        cj__fail_null("LearningRateScheduler: the schedule");
        return cj__build_failed();
    }
    scheduler *s = cj__new(1, sizeof *s);
    if (!s)
        return cj__build_failed();
    *s = (scheduler){schedule, context};
    return cj__callback_make(&scheduler_methods, s);
}
