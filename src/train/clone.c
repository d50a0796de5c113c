// cj_clone() and cj_copy_weights().
#include <cajal/clone.h>

#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "layers/clone.h"
#include "ops/variable.h"
#include "train/flags.h"
#include "train/state.h"

CJ__DEFAULTS(clone, CLONE)

// ---- Compiling alike ----

static const char *const *texts_of(const cj__specs *specs)
{
    return (const char *const *)specs->items;
}

static const cj_output_metrics *rows_of(const cj__specs *specs, int count, cj_output_metrics *rows)
{
    for (int i = 0; i < count; i++)
        rows[i] = (cj_output_metrics){.metrics_list = texts_of(&specs[i]),
                                      .metrics_count = specs[i].count};
    return count > 0 ? rows : NULL;
}

// The settings of a compile as the arguments of another one; `rows` has room for those of outputs.
static void settings_as_args(const cj__settings *s, cj_output_metrics *rows, cj_compile_args *args)
{
    const int count = s->output_metrics_count, weighted = s->output_weighted_metrics_count;
    *args = (cj_compile_args){CJ_COMPILE_DEFAULTS,
                              .optimizer = s->optimizer,
                              .loss = s->loss,
                              .losses_list = texts_of(&s->losses),
                              .losses_count = s->losses.count,
                              .loss_weights_list = s->loss_weights,
                              .loss_weights_count = s->loss_weight_count,
                              .metrics_list = texts_of(&s->metrics),
                              .metrics_count = s->metrics.count,
                              .output_metrics = rows_of(s->output_metrics, count, rows),
                              .output_metrics_count = count,
                              .weighted_metrics_list = texts_of(&s->weighted_metrics),
                              .weighted_metrics_count = s->weighted_metrics.count,
                              .output_weighted_metrics =
                                  rows_of(s->output_weighted_metrics, weighted, rows + count),
                              .output_weighted_metrics_count = weighted,
                              .pool = s->pool,
                              .mix = s->mix};
}

// What was trainable when the model was compiled may have been frozen since: the flags of then count,
// as where a file is loaded. Both models have their layers in one order.
static cj_status compile_with_flags(cj_model *made, const cj__flags *then,
                                    const cj_compile_args *args)
{
    cj__flags flags = {0};
    cj_status status = cj__flags_take(&flags, cj_model_layer(made));
    const bool usable = status == CJ_OK && flags.count == then->count;
    for (size_t i = 0; usable && i < flags.count; i++)
        flags.rows[i].trainable = then->rows[i].trainable;
    if (usable)
        cj__flags_swap(&flags);
    if (status == CJ_OK)
        status = cj_compile_with(made, args);
    if (usable)
        cj__flags_swap_back(&flags);
    cj__flags_free(&flags);
    return status;
}

static cj_status compile_alike(cj_model *made, const cj__train_state *state)
{
    const cj__settings *settings = &state->settings;
    cj_compile_args args;
    const int count = settings->output_metrics_count + settings->output_weighted_metrics_count;
    cj_output_metrics *rows = cj__new((size_t)count + 1, sizeof *rows);
    if (!rows)
        return CJ_OUT_OF_MEMORY;
    settings_as_args(settings, rows, &args);
    const cj_status status = compile_with_flags(made, &state->flags, &args);
    cj__free(rows);
    return status;
}

// ---- Cloning ----

static cj_model *clone(const cj_model *model, const cj_clone_args *args)
{
    cj__train_state *state = NULL;
    const cj__cloning_wishes wishes = {args->name, args->seed, args->weights};
    if (args->compile && cj__state_compiled(model, "cj_clone", &state) != CJ_OK)
        return NULL;
    cj_model *made = cj__model_clone(model, &wishes);
    if (!made || !state || compile_alike(made, state) == CJ_OK)
        return made;
    cj_release(made);
    return NULL;
}

static cj_status check_args(const cj_model *model, const cj_clone_args *args)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_clone: the model");
    if (args->seed < -1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_clone: seed is %lld, needed is 0 or more, or -1 for the model's own",
                        (long long)args->seed);
    return CJ_OK;
}

cj_model *cj_clone_new(const cj_model *model, const cj_clone_args *args)
{
    cj_clone_args given;
    cj_model *made = NULL;
    if (cj__args_read("cj_clone", args, &clone_defaults, sizeof given, &given) == CJ_OK &&
        check_args(model, &given) == CJ_OK) {
        cj_model *source = cj_layer_model(cj_model_layer(model));
        if (cj__use_to_read(cj__model_use(source), "cj_clone") == CJ_OK) {
            made = clone(model, &given);
            cj__use_read(cj__model_use(source));
        }
    }
    return made ? made : cj__build_failed(CJ__MADE_MODEL);
}

// ---- Copying weights ----

static cj_status check_weights(const cj_model *model, cj_variable *const *to, int count,
                               const cj_model *source, cj_variable *const *from, int source_count)
{
    const char *name = cj_layer_name(cj_model_layer(model)),
               *source_name = cj_layer_name(cj_model_layer(source));
    char given[CJ_MAX_RANK * 24], needed[CJ_MAX_RANK * 24];
    if (count != source_count)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "cj_copy_weights: model \"%s\" has %d weights, model \"%s\" has %d", name,
                        count, source_name, source_count);
    for (int i = 0; i < count; i++) {
        const cj__type a = cj__variable_type(to[i]), b = cj__variable_type(from[i]);
        if (!cj__type_equal(&a, &b))
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "cj_copy_weights: weight \"%s\" of model \"%s\" has shape %s, weight "
                            "\"%s\" of model \"%s\" has %s",
                            cj_variable_name(to[i]), name,
                            cj_shape_text(&a.shape, needed, sizeof needed),
                            cj_variable_name(from[i]), source_name,
                            cj_shape_text(&b.shape, given, sizeof given));
    }
    return CJ_OK;
}

static cj_status copy_weights(const cj_model *model, cj_variable **to, int count,
                              const cj_model *source, cj_variable **from, int source_count)
{
    cj__layer_variables(cj_model_layer(model), false, to, count);
    cj__layer_variables(cj_model_layer(source), false, from, source_count);
    CJ_TRY(check_weights(model, to, count, source, from, source_count));
    for (int i = 0; i < count; i++) {
        const cj_tensor *value = cj__variable_read(from[i]);
        if (!value)
            return cj_error_status();
        CJ_TRY(cj__variable_write(to[i], value->data));
    }
    return CJ_OK;
}

static cj_status need_built(const cj_model *model)
{
    return cj_model_input_count(model) > 0 ?
               CJ_OK :
               cj__fail(CJ_NOT_BUILT,
                        "cj_copy_weights: model \"%s\" has no weights yet: give it an input layer "
                        "or data",
                        cj_layer_name(cj_model_layer(model)));
}

static cj_status copy(const cj_model *model, const cj_model *source)
{
    CJ_TRY(need_built(model));
    CJ_TRY(need_built(source));
    const int count = cj__layer_variables(cj_model_layer(model), false, NULL, 0),
              source_count = cj__layer_variables(cj_model_layer(source), false, NULL, 0);
    cj_variable **variables =
        cj__new((size_t)count + (size_t)source_count + 1, sizeof(cj_variable *));
    if (!variables)
        return CJ_OUT_OF_MEMORY;
    const cj_status status =
        copy_weights(model, variables, count, source, variables + count, source_count);
    cj__free(variables);
    return status;
}

cj_status cj_copy_weights(cj_model *model, const cj_model *source)
{
    if (!model || !source)
        return cj__fail_missing_some(CJ__MADE_MODEL, !model + !source,
                                     model ? "cj_copy_weights: the source" :
                                             "cj_copy_weights: the model");
    cj_model *from = cj_layer_model(cj_model_layer(source));
    CJ_TRY(cj__use_to_write(cj__model_use(model), "cj_copy_weights"));
    cj_status status = cj__use_to_read(cj__model_use(from), "cj_copy_weights");
    if (status == CJ_OK) {
        status = copy(model, source);
        cj__use_read(cj__model_use(from));
    }
    cj__use_written(cj__model_use(model));
    return status;
}
