#include "train/outputs.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "layers/layer.h"
#include <math.h>
#include <string.h>

int cj__outputs_count(const cj_model *model)
{
    const int count = cj_model_output_count(model);
    return count > 0 ? count : 1;
}

const char *cj__output_name(const cj_model *model, int index)
{
    const cj__application *applications = NULL;
    int application = -1, output = 0;
    const int count = cj__model_applications(model, &applications);
    if (cj_model_output_count(model) > 0)
        cj__model_output_at(model, index, &application, &output);
    else
        return cj_layer_name(cj_model_layer_at(model, cj_model_layer_count(model) - 1));
    return application >= 0 && application < count && applications[application].layer ?
               cj_layer_name(applications[application].layer) :
               "output";
}

// ---- By name ----

typedef struct lists {
    const char **losses;
    double *weights;
    cj_output_metrics *metrics, *weighted;
    bool *named;
} lists;

static cj_status fail_name(const cj_model *model, const char *name, int count)
{
    const char **names = cj__new((size_t)count, sizeof *names);
    if (!names)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count; i++)
        names[i] = cj__output_name(model, i);
    cj_status status =
        cj__fail_unknown(CJ_INVALID_ARGUMENT, "output", name, names, sizeof *names, count);
    status = cj__fail_in(status, "cj_compile: model \"%s\"", cj_layer_name(cj_model_layer(model)));
    cj__free(names);
    return status;
}

// The output of that name, which is to be the only one.
static cj_status find_output(const cj_model *model, const char *name, int *index)
{
    const int count = cj__outputs_count(model);
    int found = 0;
    for (int i = count; i-- > 0;)
        if (strcmp(cj__output_name(model, i), name) == 0) {
            *index = i;
            found++;
        }
    if (found == 0)
        return fail_name(model, name, count);
    return found == 1 ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: %d outputs of model \"%s\" are named \"%.100s\": give "
                        "losses, loss_weights and output_metrics by order",
                        found, cj_layer_name(cj_model_layer(model)), name);
}

static cj_status take_one(const cj_model *model, const cj_output_settings *given, int at,
                          const lists *to)
{
    int i = 0;
    if (!given->name)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: entry %d of outputs has no name", at);
    CJ_TRY(find_output(model, given->name, &i));
    if (to->named[i])
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: output \"%.100s\" is given twice",
                        given->name);
    if (!isfinite(given->loss_weight))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: the loss weight of output \"%.100s\" is not finite",
                        given->name);
    to->named[i] = true;
    to->losses[i] = given->loss;
    to->weights[i] = given->loss_weight;
    memcpy(to->metrics[i].metrics, given->metrics, sizeof given->metrics);
    to->metrics[i].metrics_list = given->metrics_list;
    to->metrics[i].metrics_count = given->metrics_count;
    memcpy(to->weighted[i].metrics, given->weighted_metrics, sizeof given->weighted_metrics);
    to->weighted[i].metrics_list = given->weighted_metrics_list;
    to->weighted[i].metrics_count = given->weighted_metrics_count;
    return CJ_OK;
}

// By name and by order cannot be said at once.
static cj_status check_alone(const cj_compile_args *args)
{
    const char *other = args->losses_list || args->losses_count ? "losses" :
                        args->loss_weights_list                 ? "loss_weights" :
                        !isnan(args->loss_weights[0])           ? "loss_weights" :
                        args->output_metrics                    ? "output_metrics" :
                        args->output_weighted_metrics           ? "output_weighted_metrics" :
                                                                  NULL;
    for (int i = 0; !other && i < CJ_IN_BRACES; i++)
        other = args->losses[i] ? "losses" : NULL;
    return other ?
               cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: outputs are given by name and %s by order: give one", other) :
               CJ_OK;
}

static cj_status check_given(const cj_compile_args *args)
{
    if (args->outputs_count < 0 || (args->outputs_count > 0) != (args->outputs != NULL))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: outputs is %s, and outputs_count is %d",
                        args->outputs ? "given" : "NULL", args->outputs_count);
    return args->outputs ? check_alone(args) : CJ_OK;
}

cj_status cj__outputs_by_order(const cj_model *model, cj_compile_args *args, void **block)
{
    *block = NULL;
    CJ_TRY(check_given(args));
    if (!args->outputs)
        return CJ_OK;
    const int count = cj__outputs_count(model);
    const size_t each = sizeof(char *) + sizeof(double) + 2 * sizeof(cj_output_metrics) + 1;
    char *bytes = *block = cj__new((size_t)count, each);
    if (!bytes)
        return CJ_OUT_OF_MEMORY;
    lists to = {.metrics = (cj_output_metrics *)(void *)bytes};
    to.weighted = to.metrics + count;
    to.weights = (double *)(void *)(to.weighted + count);
    to.losses = (const char **)(void *)(to.weights + count);
    to.named = (bool *)(void *)(to.losses + count);
    for (int i = 0; i < count; i++)
        to.weights[i] = 1;
    for (int i = 0; i < args->outputs_count; i++)
        CJ_TRY(take_one(model, &args->outputs[i], i, &to));
    args->losses_list = to.losses;
    args->loss_weights_list = to.weights;
    args->output_metrics = to.metrics;
    args->output_weighted_metrics = to.weighted;
    args->losses_count = args->loss_weights_count = args->output_metrics_count =
        args->output_weighted_metrics_count = count;
    args->outputs = NULL;
    args->outputs_count = 0;
    return CJ_OK;
}
