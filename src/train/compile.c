// cj_compile(): takes the settings over, checks every spec at once, and starts the optimizer's
// variables. Functions are made when data first comes.
#include "base/error.h"
#include "base/memory.h"
#include "ops/variable.h"
#include "train/losses.h"
#include "train/state.h"
#include <math.h>
#include <string.h>

static cj_status check_spec(const cj__catalog *catalog, const char *spec)
{
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(catalog, spec, catalog->what, &chosen));
    if (!chosen.choice)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: an empty %s", catalog->what);
    cj__chosen_free(&chosen);
    return CJ_OK;
}

// Copies one spec after a look at it.
static cj_status take(const cj__catalog *catalog, const char *spec, const char **copy)
{
    if (!spec)
        return CJ_OK;
    CJ_TRY(check_spec(catalog, spec));
    *copy = cj__copy_text(spec);
    return *copy ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status take_list(const char *const *specs, const char **copies)
{
    for (int i = 0; i < CJ_MAX_METRICS && specs[i]; i++)
        CJ_TRY(take(&cj__metrics, specs[i], &copies[i]));
    return CJ_OK;
}

static cj_status take_specs(const cj_compile_args *args, cj_compile_args *settings)
{
    CJ_TRY(take(&cj__losses, args->loss, &settings->loss));
    for (int i = 0; i < CJ_MAX_IO; i++) {
        CJ_TRY(take(&cj__losses, args->losses[i], &settings->losses[i]));
        CJ_TRY(take_list(args->output_metrics[i], settings->output_metrics[i]));
        settings->loss_weights[i] = args->loss_weights[i];
        if (!isfinite(args->loss_weights[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: loss weight %d is not finite", i);
    }
    CJ_TRY(take_list(args->metrics, settings->metrics));
    return take_list(args->weighted_metrics, settings->weighted_metrics);
}

static int list_length(const char *const *specs)
{
    int count = 0;
    while (count < CJ_MAX_METRICS && specs[count])
        count++;
    return count;
}

// A log has room for a fixed number of values.
static cj_status check_room(const cj_model *model, const cj_compile_args *settings)
{
    const int outputs = cj_model_output_count(model);
    int values = 1;
    for (int i = 0; i < outputs; i++)
        values += 1 +
                  list_length(settings->output_metrics[i][0] ? settings->output_metrics[i] :
                                                               settings->metrics) +
                  list_length(settings->weighted_metrics);
    if (values > CJ__MAX_VALUES)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: %d losses and metrics, at most %d can be kept", values,
                        CJ__MAX_VALUES);
    for (int i = outputs; outputs > 0 && i < CJ_MAX_IO; i++)
        if (settings->losses[i] || settings->output_metrics[i][0])
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_compile: a loss or metric for output %d, but model \"%s\" has %d",
                            i, cj_layer_name(cj_model_layer(model)), outputs);
    return CJ_OK;
}

// Takes one holder of the optimizer over whatever happens.
static cj_status fill(cj_model *model, const cj_compile_args *args, cj__train_state *state)
{
    cj_compile_args *settings = &state->settings;
    const bool refused = cj__optimizer_refused();
    if (!args->optimizer && refused && cj_error_status() != CJ_OK)
        // the builder in the arguments failed: its NULL does not mean the default
        return cj_error_status();
    settings->optimizer = cj__own(args->optimizer ? args->optimizer : cj_rmsprop_new(NULL));
    if (!settings->optimizer)
        return cj_error_status();
    CJ_TRY(take_specs(args, settings));
    CJ_TRY(check_room(model, settings));
    settings->pool = cj__own(args->pool ? args->pool : cj_pool_new(0));
    state->iterations = cj__state_variable_new(NULL, "iterations", CJ_I64, 0);
    state->learning_rate = cj__state_variable_new(NULL, "learning_rate", CJ_F32,
                                                  cj__optimizer_rate(settings->optimizer));
    if (!settings->pool || !state->iterations || !state->learning_rate)
        return cj_error_status();
    CJ_TRY(cj__flags_take(&state->flags, cj_model_layer(model)));
    return cj__state_prepare(model, state);
}

cj_status cj_compile_model(cj_model *model, const cj_compile_args *args)
{
    const cj_compile_args none = {0};
    args = args ? args : &none;
    cj__train_state *state = model ? cj__state_new() : NULL;
    if (!state) {
        cj__drop_floating(args->optimizer);
        cj__drop_floating(args->pool);
        return cj_error_status() ? cj_error_status() :
                                   cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: the model is NULL");
    }
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

double cj_learning_rate(const cj_model *model)
{
    const cj__train_state *state = model ? cj__state_of(model) : NULL;
    const cj_tensor *rate =
        state && state->learning_rate ? cj__variable_read(state->learning_rate) : NULL;
    return rate ? cj__element_get(CJ_F32, rate->data, 0) : (double)NAN;
}

cj_status cj_set_learning_rate(cj_model *model, double learning_rate)
{
    cj__train_state *state;
    CJ_TRY(cj__state_compiled(model, "cj_set_learning_rate", &state));
    if (!isfinite(learning_rate) || learning_rate < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_set_learning_rate: %g is not a rate",
                        learning_rate);
    const float value = (float)learning_rate;
    return cj__variable_write(state->learning_rate, &value);
}
