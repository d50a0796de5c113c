// Sequential models: chains of layers. A model is built at once if its first layer is an input layer
// or a built model, otherwise when it gets its first data.
#include "base/args.h"
#include "base/memory.h"
#include "layers/model.h"
#include <stdio.h>

static const cj_merge_args defaults = {CJ_MERGE_DEFAULTS};
static const cj__field fields[] = {CJ__LAYER_FIELDS(cj_merge_args)};

// Input layer -> layers[0] -> layers[1] -> ...; each takes output 0 of the one before.
static cj_status chain(cj_model *model)
{
    if (!cj__model_add_application(model, model->input_layer, NULL, 0, -1))
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < model->layer_count; i++) {
        cj__application *a = cj__model_add_application(model, model->layers[i], NULL, 1, -1);
        if (!a)
            return CJ_OUT_OF_MEMORY;
        a->input_app[0] = i;
    }
    CJ_TRY(cj__model_set_ends(model, 1, 1));
    model->output_at[0] = model->layer_count;
    return CJ_OK;
}

static cj_status build_chain(cj_model *model)
{
    if (model->application_count == 0)
        CJ_TRY(chain(model));
    CJ_TRY(cj__model_settle(model));
    for (int i = 0; i < model->application_count; i++)
        if (model->applications[i].output_count != 1)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: %s has %d outputs; a layer of a sequential model has one",
                            model->layer.name, model->applications[i].layer->name,
                            model->applications[i].output_count);
    return CJ_OK;
}

// Makes the input layer for an input of that type.
static cj_status set_input(cj_model *model, const cj__type *type)
{
    cj_layer *input = cj__input_of_type(type);
    if (!input)
        return cj_error_status();
    cj_release(model->input_layer);
    model->input_layer = cj__own(input);
    if (model->application_count > 0)
        model->applications[0].layer = input;
    return CJ_OK;
}

static cj_status build_sequential(cj_layer *layer, const cj__type *inputs)
{
    cj_model *model = (cj_model *)(void *)layer;
    CJ_TRY(set_input(model, &inputs[0]));
    model->implied = true;
    return build_chain(model);
}

const cj__layer_kind cj__layer_sequential = {
    .choice = CJ__CHOICE("sequential", "Sequential", fields, defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_sequential,
    .call = cj__model_call,
    .mask = CJ__MASK_OWN,
    .children = cj__model_children,
    .free = cj__model_free,
    .size = sizeof(cj_model),
    .any_dtype = true,
    .no_policy = true,
};

// Builds a model for an input without the batch axis. *built says whether it was built before.
static cj_status build_once(cj_model *model, cj_dtype dtype, cj_shape shape, bool *built)
{
    cj__type type = {dtype, {.rank = shape.rank + 1, .dims = {CJ_BATCH}}};
    if (shape.rank < 0 || shape.rank >= CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: an input of %d axes, needs 0 to %d",
                        model->layer.name, shape.rank, CJ_MAX_RANK - 1);
    for (int i = 0; i < shape.rank; i++)
        type.shape.dims[i + 1] = shape.dims[i];
    cj__mutex_lock(&model->building);
    *built = model->layer.built || !cj__model_is_sequential(model);
    cj_status status = *built ? CJ_OK : set_input(model, &type);
    if (status == CJ_OK && !*built)
        status = build_chain(model);
    cj__mutex_unlock(&model->building);
    return status;
}

cj_status cj_model_set_input(cj_model *model, cj_dtype dtype, cj_shape shape)
{
    bool built = false;
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_model_set_input: the model");
    const uint64_t begin = cj__causes_begin();
    CJ_TRY(cj__causes_end(begin, build_once(model, dtype, shape, &built)));
    return built ? cj__fail(CJ_INVALID_ARGUMENT, "%s: the model has its input already",
                            model->layer.name) :
                   CJ_OK;
}

cj_status cj__model_need_input(cj_model *model, cj_dtype dtype, cj_shape shape)
{
    bool built = false;
    return build_once(model, dtype, shape, &built);
}

static cj_status need_distinct(const cj_model *model)
{
    cj__index seen = {0};
    cj_status status = CJ_OK;
    for (int i = 0; status == CJ_OK && i < model->layer_count; i++) {
        cj_layer *layer = model->layers[i];
        if (cj__index_find(&seen, layer))
            status = cj__fail(CJ_INVALID_ARGUMENT,
                              "%s: layer %s is given twice; to share one, build a functional model",
                              model->layer.name, layer->name);
        else if (!cj__index_add(&seen, layer, i))
            status = CJ_OUT_OF_MEMORY;
    }
    cj__index_free(&seen);
    return status;
}

// Owns the layers; a layer given twice is a failure.
static cj_status take_layers(cj_model *model, cj_layer *const *layers, int count)
{
    int begin = 0;
    for (int i = 0; i < count; i++) // while all are the caller's
        CJ_TRY(cj__model_check_depth(model, layers[i]));
    if (count > 0 && layers[0]->kind == &cj__layer_input) {
        model->input_layer = cj__own(layers[0]);
        begin = 1;
    }
    if (!cj__reserve((void **)&model->layers, &model->layer_capacity, (size_t)count,
                     sizeof *model->layers))
        return CJ_OUT_OF_MEMORY;
    for (int i = begin; i < count; i++)
        CJ_TRY(cj__model_add_layer(model, layers[i]));
    if (model->layer_count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a model needs at least one layer beside its input", model->layer.name);
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i]->kind == &cj__layer_input)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: only the first layer can be an input layer, not %d",
                            model->layer.name, i + begin + 1);
    return need_distinct(model);
}

// Takes the input over from the first layer, if that is a model with one input.
static cj_status input_of_first(cj_model *model)
{
    const cj__type *types;
    cj_model *first =
        cj__layer_is_model(model->layers[0]) ? cj_layer_model(model->layers[0]) : NULL;
    if (!first || cj__model_inputs(first, &types) != 1)
        return CJ_OK;
    return set_input(model, &types[0]);
}

// Releases the layers that float. One may be given twice, so all are held meanwhile.
static void drop_layers(cj_layer *const *layers, int count)
{
    for (int i = 0; i < count; i++)
        cj_retain(layers[i]);
    for (int i = 0; i < count; i++)
        cj__drop_floating(layers[i]);
    for (int i = 0; i < count; i++)
        cj_release(layers[i]);
}

CJ__DEFAULTS(sequential, SEQUENTIAL)

static cj_status need_layers(const cj_sequential_args *args)
{
    char what[48];
    int missing = 0;
    for (int i = args->layer_count; i-- > 0;) {
        if (args->layers[i])
            continue;
        missing++;
        snprintf(what, sizeof what, "sequential: layer %d", i);
    }
    return missing ? cj__fail_missing_some(CJ__MADE_LAYER, missing, what) : CJ_OK;
}

static cj_model *sequential_of(const cj_sequential_args *args)
{
    cj_model *model = NULL;
    if (need_layers(args) != CJ_OK)
        goto fail;
    model = cj__model_new(&cj__layer_sequential, args->name);
    if (!model)
        goto fail;
    if (take_layers(model, args->layers, args->layer_count) != CJ_OK ||
        cj__model_join(model) != CJ_OK)
        goto fail;
    if (!model->input_layer && input_of_first(model) != CJ_OK)
        goto fail;
    if (model->input_layer && build_chain(model) != CJ_OK)
        goto fail;
    return model;

fail:
    if (!model || model->layer_count == 0)
        drop_layers(args->layers, args->layer_count);
    cj_release(model);
    return NULL;
}

// Builds the chain again after a change of the layers, and drops the training state.
static cj_status rebuild(cj_model *model)
{
    cj__model_attach(model, NULL);
    cj__model_clear(model);
    return model->input_layer ? build_chain(model) : CJ_OK;
}

static void remove_last(cj_model *model)
{
    cj_layer *layer = model->layers[--model->layer_count];
    atomic_fetch_sub(&layer->containers, 1);
    cj_release(layer);
}

static cj_status need_alone(cj_model *model, const char *what)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, what);
    if (!cj__model_is_sequential(model))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: only a sequential model can change its layers",
                        model->layer.name);
    if (model->layer.joined)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the model belongs to another one and cannot change its layers",
                        model->layer.name);
    if (atomic_load(&cj__model_use(model)->writer) != 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s is being trained or changed", what);
    return CJ_OK;
}

static cj_status add_last(cj_model *model, cj_layer *layer)
{
    if (layer->kind == &cj__layer_input)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: only the first layer can be an input layer",
                        model->layer.name);
    CJ_TRY(cj__model_add_layer(model, layer));
    cj_status status = need_distinct(model);
    if (status == CJ_OK)
        status = cj__model_join(model);
    if (status == CJ_OK)
        status = rebuild(model);
    return status;
}

cj_status cj_model_add(cj_model *model, cj_layer *layer)
{
    cj_status status = need_alone(model, "cj_model_add: the model");
    if (status == CJ_OK && !layer)
        status = cj__fail_missing(CJ__MADE_LAYER, "cj_model_add: the layer");
    if (status == CJ_OK && layer == &model->layer)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a model cannot be a layer of itself",
                        model->layer.name);
    if (status != CJ_OK) {
        cj__drop_floating(layer);
        return status;
    }
    const int count = model->layer_count;
    const uint64_t begin = cj__causes_begin();
    status = cj__causes_end(begin, add_last(model, layer));
    if (status == CJ_OK)
        return CJ_OK;
    if (model->layer_count > count)
        remove_last(model);
    else
        cj__drop_floating(layer);
    if (!model->layer.built)
        rebuild(model); // as it was before; a failure leaves it unbuilt
    return status;
}

cj_status cj_model_pop(cj_model *model)
{
    CJ_TRY(need_alone(model, "cj_model_pop: the model"));
    if (model->layer_count < 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a model needs at least one layer",
                        model->layer.name);
    remove_last(model);
    return rebuild(model);
}

cj_model *cj_sequential_new(const cj_sequential_args *args)
{
    cj_sequential_args given;
    cj_model *model = NULL;
    if (cj__args_read("sequential", args, &sequential_defaults, sizeof given, &given) == CJ_OK) {
        if (given.layer_count < 0)
            cj__fail(CJ_INVALID_ARGUMENT, "sequential: %d layers", given.layer_count);
        else if (!given.layers && given.layer_count > 0)
            cj__fail_null("sequential: the list of layers");
        else
            model = sequential_of(&given);
    }
    return model ? model : cj__build_failed(CJ__MADE_MODEL);
}
