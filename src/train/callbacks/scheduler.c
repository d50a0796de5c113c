// Schedules of the learning rate: the user's function sets it before each epoch
// (LearningRateScheduler), or before each step, by the steps that were done since cj_compile().
#include "base/error.h"
#include "base/memory.h"
#include "ops/variable.h"
#include "train/callbacks.h"
#include "train/state.h"

typedef struct scheduler {
    double (*of_epoch)(int epoch, double learning_rate, void *context);
    double (*of_step)(int64_t step, double learning_rate, void *context);
    void *context;
} scheduler;

static cj_status scheduler_epoch_begin(void *self, cj_model *model, cj_logs *logs)
{
    const scheduler *s = self;
    return cj_set_learning_rate(model,
                                s->of_epoch(logs->epoch, cj_learning_rate(model), s->context));
}

static cj_status scheduler_batch_begin(void *self, cj_model *model, cj_logs *logs)
{
    const scheduler *s = self;
    cj__train_state *state;
    (void)logs;
    CJ_TRY(cj__state_compiled(model, "step scheduler", &state));
    const cj_tensor *steps = cj__variable_read(state->iterations);
    if (!steps)
        return cj_error_status();
    const int64_t step = *(const int64_t *)(const void *)steps->data;
    return cj_set_learning_rate(model, s->of_step(step, cj_learning_rate(model), s->context));
}

static const cj_callback_methods epoch_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "LearningRateScheduler",
    .epoch_begin = scheduler_epoch_begin,
    .free = cj__free,
    .sets_learning_rate = true,
};

static const cj_callback_methods step_methods = {
    .size = sizeof(cj_callback_methods),
    .name = "StepScheduler",
    .batch_begin = scheduler_batch_begin,
    .free = cj__free,
    .sets_learning_rate = true,
};

static cj_callback *make(const cj_callback_methods *methods, scheduler settings)
{
    scheduler *s = cj__new(1, sizeof *s);
    if (!s)
        return cj__build_failed(CJ__MADE_CALLBACK);
    *s = settings;
    return cj__callback_make(methods, s);
}

cj_callback *cj_learning_rate_scheduler(double (*schedule)(int epoch, double learning_rate,
                                                           void *context),
                                        void *context)
{
    if (schedule)
        return make(&epoch_methods, (scheduler){.of_epoch = schedule, .context = context});
    cj__fail_null("LearningRateScheduler: the schedule");
    return cj__build_failed(CJ__MADE_CALLBACK);
}

cj_callback *cj_step_scheduler(double (*schedule)(int64_t step, double learning_rate,
                                                  void *context),
                               void *context)
{
    if (schedule)
        return make(&step_methods, (scheduler){.of_step = schedule, .context = context});
    cj__fail_null("step scheduler: the schedule");
    return cj__build_failed(CJ__MADE_CALLBACK);
}
