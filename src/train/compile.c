// cj_compile(): takes the settings over, checks every spec at once, and starts the optimizer's
// variables. Functions are made when data first comes.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "ops/variable.h"
#include "train/losses.h"
#include "train/outputs.h"
#include "train/schedule.h"
#include "train/state.h"
#include <math.h>
#include <string.h>

// A log has room for a fixed number of values.
static cj_status check_room(const cj_model *model, const cj__settings *settings)
{
    const int outputs = cj_model_output_count(model);
    const int64_t values = cj__settings_values(settings, outputs > 0 ? outputs : 1);
    if (values > CJ__MAX_VALUES)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: %lld losses and metrics, at most %d can be kept",
                        (long long)values, CJ__MAX_VALUES);
    int given = settings->losses.count;
    if (given < settings->output_metrics_count)
        given = settings->output_metrics_count;
    if (given < settings->output_weighted_metrics_count)
        given = settings->output_weighted_metrics_count;
    if (outputs > 0 && given > outputs)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: losses or metrics for %d outputs, but model \"%s\" has %d",
                        given, cj_layer_name(cj_model_layer(model)), outputs);
    return CJ_OK;
}

// Takes one holder of the optimizer over whatever happens.
static cj_status fill(cj_model *model, const cj_compile_args *args, cj__train_state *state)
{
    cj__settings *settings = &state->settings;
    settings->optimizer = cj__own(args->optimizer);
    CJ_TRY(cj__settings_take(settings, args));
    CJ_TRY(check_room(model, settings));
    settings->pool = cj__own(args->pool ? args->pool : cj_pool_new(0));
    state->iterations = cj__state_variable_new("iterations", CJ_I64, 0);
    state->learning_rate =
        cj__state_variable_new("learning_rate", CJ_F32, cj__optimizer_rate(settings->optimizer));
    if (!settings->pool || !state->iterations || !state->learning_rate)
        return cj_error_status();
    CJ_TRY(cj__flags_take(&state->flags, cj_model_layer(model)));
    return cj__state_prepare(model, state);
}

// A call that is refused drops the objects that were made for it.
static cj_status drop_given(const cj_compile_args *args, cj_status status)
{
    cj__drop_floating(args->optimizer);
    cj__drop_floating(args->pool);
    return status;
}

static cj_status compile(cj_model *model, const cj_compile_args *args)
{
    const cj__train_state *old = cj__state_of(model);
    if (old && old->callbacks)
        return drop_given(args, cj__fail(CJ_INVALID_ARGUMENT,
                                         "cj_compile: model \"%s\" is being trained by a "
                                         "cj_fit() that has not returned",
                                         cj_layer_name(cj_model_layer(model))));
    cj__train_state *state = cj__state_new();
    if (!state)
        return drop_given(args, CJ_OUT_OF_MEMORY);
    const cj_status status = fill(model, args, state);
    if (status == CJ_OK) {
        const cj__train_state *before = cj__state_of(model);
        state->device = before ? cj_retain(before->device) : NULL;
        cj__model_attach(model, state);
        return CJ_OK;
    }
    if (!state->settings.pool)
        cj__drop_floating(args->pool);
    cj_release(state);
    return status;
}

CJ__DEFAULTS(compile, COMPILE)

// Refuses what is NULL, and puts what the defaults stand for in their places.
static cj_status need_objects(const cj_model *model, cj_compile_args *args)
{
    const unsigned missing = (model ? 0U : CJ__MADE_MODEL) |
                             (args->optimizer ? 0U : CJ__MADE_OPTIMIZER) |
                             (args->pool ? 0U : CJ__MADE_POOL);
    const int count = !model + !args->optimizer + !args->pool;
    if (args->pool == &cj_default_pool)
        args->pool = NULL;
    if (args->optimizer == &cj_default_optimizer)
        args->optimizer = NULL;
    if (count > 0)
        return cj__fail_missing_some(missing, count,
                                     !model                       ? "cj_compile: the model" :
                                     missing & CJ__MADE_OPTIMIZER ? "cj_compile: the optimizer" :
                                                                    "cj_compile: the pool");
    if (!args->optimizer)
        args->optimizer = cj_rmsprop();
    return args->optimizer ? CJ_OK : cj_error_status();
}

cj_status cj_compile_with(cj_model *model, const cj_compile_args *args)
{
    cj_compile_args given;
    CJ_TRY(cj__args_read("cj_compile", args, &compile_defaults, sizeof given, &given));
    cj_status status = need_objects(model, &given);
    if (status == CJ_OK)
        status = cj__use_to_write(cj__model_use(model), "cj_compile");
    if (status != CJ_OK)
        return drop_given(&given, status);
    const uint64_t begin = cj__causes_begin();
    void *block = NULL;
    status = cj__outputs_by_order(model, &given, &block);
    status = status == CJ_OK ? compile(model, &given) : drop_given(&given, status);
    cj__free(block);
    cj__use_written(cj__model_use(model));
    return cj__causes_end(begin, status);
}

const char *cj_model_loss(const cj_model *model, int output)
{
    const cj__train_state *state = model ? cj__state_of(model) : NULL;
    const bool exists = output >= 0 && output < cj_model_output_count(model);
    return state && exists ? cj__settings_loss(&state->settings, output) : NULL;
}

bool cj_resume_point(const cj_model *model, int64_t *epoch, int64_t *batch_size, int64_t *samples)
{
    const cj__train_state *state = model ? cj__state_of(model) : NULL;
    if (!state || state->place.batch_size == 0)
        return false;
    if (epoch)
        *epoch = state->place.epoch;
    if (batch_size)
        *batch_size = state->place.batch_size;
    if (samples)
        *samples = state->place.data_count;
    return true;
}

// The rate of the next step.
static double scheduled_rate(const char *schedule, const cj_variable *iterations)
{
    const cj_tensor *steps = cj__variable_read(iterations);
    double rate = (double)NAN;
    if (steps)
        cj_schedule_rate(schedule, *(const int64_t *)steps->data, &rate);
    return rate;
}

double cj_learning_rate(const cj_model *model)
{
    const cj__train_state *state = model ? cj__state_of(model) : NULL;
    const char *schedule = state && state->settings.optimizer ?
                               cj__optimizer_schedule(state->settings.optimizer) :
                               NULL;
    if (schedule)
        return scheduled_rate(schedule, state->iterations);
    const cj_tensor *rate =
        state && state->learning_rate ? cj__variable_read(state->learning_rate) : NULL;
    return rate ? cj__element_get(CJ_F32, rate->data, 0) : (double)NAN;
}

cj_status cj_set_learning_rate(cj_model *model, double learning_rate)
{
    cj__train_state *state;
    CJ_TRY(cj__state_compiled(model, "cj_set_learning_rate", &state));
    if (cj__optimizer_schedule(state->settings.optimizer))
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_set_learning_rate: model \"%s\" takes its rate from the schedule %.100s; "
            "compile it with a number to set the rate",
            cj_layer_name(cj_model_layer(model)),
            cj__optimizer_schedule(state->settings.optimizer));
    if (!isfinite(learning_rate) || learning_rate < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_set_learning_rate: %g is not a rate",
                        learning_rate);
    const float value = (float)learning_rate;
    return cj__variable_write(state->learning_rate, &value);
}
