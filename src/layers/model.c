// What sequential and functional models share as objects, and the functions of cajal/model.h.
// model_names.c settles names, model_trace.c traces.
#include "layers/model.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static cj_model *model_of(const cj_layer *layer)
{
    return (cj_model *)(uintptr_t)layer;
}

bool cj__layer_is_model(const cj_layer *layer)
{
    return layer->kind == &cj__layer_sequential || layer->kind == &cj__layer_functional;
}

cj_model *cj__model_new(const cj__layer_kind *kind, const char *name)
{
    cj_model *model =
        (cj_model *)cj__layer_new(kind, &(cj_merge_args){CJ_MERGE_DEFAULTS, .name = name});
    if (!model)
        return NULL;
    cj__mutex_init(&model->building);
    model->layer.depth = 1;
    return model;
}

static void free_ends(cj_model *model)
{
    cj__free(model->input_at);
    cj__free(model->output_at);
    cj__free(model->output_index);
    cj__free(model->input_types);
    cj__free(model->output_types);
    model->input_at = model->output_at = model->output_index = NULL;
    model->input_types = model->output_types = NULL;
}

cj_status cj__model_set_ends(cj_model *model, int input_count, int output_count)
{
    free_ends(model);
    model->input_at = cj__new((size_t)input_count, sizeof *model->input_at);
    model->output_at = cj__new((size_t)output_count, sizeof *model->output_at);
    model->output_index = cj__new((size_t)output_count, sizeof *model->output_index);
    model->input_types = cj__new((size_t)input_count, sizeof *model->input_types);
    model->output_types = cj__new((size_t)output_count, sizeof *model->output_types);
    if (!model->input_at || !model->output_at || !model->output_index || !model->input_types ||
        !model->output_types)
        return CJ_OUT_OF_MEMORY;
    model->input_count = input_count;
    model->output_count = output_count;
    return CJ_OK;
}

void cj__model_clear(cj_model *model)
{
    for (int i = 0; i < model->application_count; i++) {
        cj__application *a = &model->applications[i];
        for (int j = 0; a->symbols && j < a->output_count; j++)
            cj_release(a->symbols[j]);
        cj__free(a->symbols);
        cj_release(a->node);
        cj__free(a->input_app);
        cj__free(a->input_index);
        cj__free(a->output_types);
    }
    cj__free(model->applications);
    model->applications = NULL;
    free_ends(model);
    model->application_count = model->input_count = model->output_count = 0;
    model->application_capacity = 0;
    model->layer.built = false;
}

void cj__model_free(cj_layer *layer)
{
    cj_model *model = model_of(layer);
    cj_release(model->attached);
    cj__model_clear(model);
    for (int i = 0; i < model->layer_count; i++) {
        atomic_fetch_sub(&model->layers[i]->containers, 1);
        cj_release(model->layers[i]);
    }
    cj__free(model->layers);
    cj__model_free_notes(model);
    cj_release(model->input_layer);
    cj__mutex_destroy(&model->building);
}

cj_status cj__model_check_depth(const cj_model *model, const cj_layer *layer)
{
    return layer->depth < CJ__MODEL_DEPTH_MAX ?
               CJ_OK :
               cj__fail(
                   CJ_UNSUPPORTED,
                   "%s: with model \"%s\" in it models would be nested %d deep, at most %d are "
                   "possible",
                   model->layer.name, layer->name, layer->depth + 1, CJ__MODEL_DEPTH_MAX);
}

cj_status cj__model_add_layer(cj_model *model, cj_layer *layer)
{
    CJ_TRY(cj__model_check_depth(model, layer));
    if (!cj__reserve((void **)&model->layers, &model->layer_capacity,
                     (size_t)model->layer_count + 1, sizeof *model->layers))
        return CJ_OUT_OF_MEMORY;
    model->layers[model->layer_count++] = cj__own(layer);
    if (model->layer.depth <= layer->depth)
        model->layer.depth = layer->depth + 1;
    atomic_fetch_add(&layer->containers, 1);
    return CJ_OK;
}

cj__application *cj__model_add_application(cj_model *model, cj_layer *layer, cj__node *node,
                                           int input_count, int former)
{
    if (!cj__reserve((void **)&model->applications, &model->application_capacity,
                     (size_t)model->application_count + 1, sizeof *model->applications))
        return NULL;
    cj__application *all = model->applications, *application = &all[model->application_count];
    *application = (cj__application){.layer = layer, .input_count = input_count, .next = -1};
    application->input_app = cj__new((size_t)input_count, sizeof(int));
    application->input_index = cj__new((size_t)input_count, sizeof(int));
    if (!application->input_app || !application->input_index) {
        cj__free(application->input_app);
        cj__free(application->input_index);
        return NULL;
    }
    if (former >= 0) {
        application->which = all[former].which + 1;
        all[former].next = model->application_count;
    }
    application->node = cj__own(node);
    model->application_count++;
    return application;
}

int cj__model_children(const cj_layer *layer, cj_layer *const **children)
{
    *children = model_of(layer)->layers;
    return model_of(layer)->layer_count;
}

cj_layer *cj_model_layer(const cj_model *model)
{
    return model ? (cj_layer *)(uintptr_t)&model->layer : NULL;
}

cj_model *cj_layer_model(cj_layer *layer)
{
    if (layer && cj__layer_is_model(layer))
        return model_of(layer);
    if (layer)
        cj__fail(CJ_INVALID_ARGUMENT, "%s: a %s is not a model", layer->name,
                 layer->kind->choice.class_name);
    else
        cj__fail_missing(CJ__MADE_LAYER, "cj_layer_model: the layer");
    return cj__build_failed(CJ__MADE_MODEL);
}

int cj_model_layer_count(const cj_model *model)
{
    return model ? model->layer_count : 0;
}

cj_layer *cj_model_layer_at(const cj_model *model, int index)
{
    return model && index >= 0 && index < model->layer_count ? model->layers[index] : NULL;
}

static cj_layer *fail_find(const cj_model *model, const char *name)
{
    const char **names = cj__new((size_t)model->layer_count, sizeof *names);
    for (int i = 0; names && i < model->layer_count; i++)
        names[i] = model->layers[i]->name;
    if (names)
        cj__fail_unknown(CJ_NOT_FOUND, "layer", name, names, sizeof *names, model->layer_count);
    cj__free(names);
    return cj__build_failed(CJ__MADE_LAYER);
}

cj_layer *cj_model_find_layer(const cj_model *model, const char *name)
{
    if (!model || !name) {
        model ? cj__fail_null("cj_model_find_layer: the name") :
                cj__fail_missing(CJ__MADE_MODEL, "cj_model_find_layer: the model");
        return cj__build_failed(CJ__MADE_LAYER);
    }
    while (model) {
        const size_t length = strcspn(name, "/");
        cj_layer *found = NULL;
        for (int i = 0; !found && i < model->layer_count; i++)
            if (strlen(model->layers[i]->name) == length &&
                strncmp(model->layers[i]->name, name, length) == 0)
                found = model->layers[i];
        if (!found)
            return fail_find(model, name);
        if (name[length] == '\0')
            return found;
        model = cj_layer_model(found);
        name += length + 1;
    }
    return NULL;
}

int cj_model_input_count(const cj_model *model)
{
    return model && model->layer.built ? model->input_count : 0;
}

int cj_model_output_count(const cj_model *model)
{
    return model && model->layer.built ? model->output_count : 0;
}

int64_t cj_model_batch_size(const cj_model *model)
{
    int64_t size = 0;
    for (int i = 0; size == 0 && i < cj_model_input_count(model); i++)
        if (model->input_types[i].shape.dims[0] != CJ_BATCH)
            size = model->input_types[i].shape.dims[0];
    return size;
}

const cj_shape *cj_model_input_shape(const cj_model *model, int index)
{
    return index >= 0 && index < cj_model_input_count(model) ? &model->input_types[index].shape :
                                                               NULL;
}

const cj_shape *cj_model_output_shape(const cj_model *model, int index)
{
    return index >= 0 && index < cj_model_output_count(model) ? &model->output_types[index].shape :
                                                                NULL;
}

cj_status cj_model_reset_weights(cj_model *model)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_model_reset_weights: the model");
    return cj__layer_draw(&model->layer, cj__key(model->seed, model->layer.name));
}

cj_status cj_model_set_seed(cj_model *model, uint64_t seed)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_model_set_seed: the model");
    model->seed = seed;
    return cj_model_reset_weights(model);
}

int cj__model_inputs(const cj_model *model, const cj__type **types)
{
    *types = model->input_types;
    return cj_model_input_count(model);
}

void cj__model_attach(cj_model *model, void *object)
{
    cj_release(model->attached);
    model->attached = object;
}

void cj__model_note_optimizer(cj_model *model, int64_t params, int64_t bytes)
{
    model->optimizer_params = params;
    model->optimizer_bytes = bytes;
}

void *cj__model_attached(const cj_model *model)
{
    return model->attached;
}

cj__use *cj__model_use(cj_model *model)
{
    return &model->use;
}

uint64_t cj__model_seed(const cj_model *model)
{
    return model->seed;
}

int cj__model_applications(const cj_model *model, const cj__application **applications)
{
    *applications = model->applications;
    return model->application_count;
}

void cj__model_input_at(const cj_model *model, int index, int *application)
{
    *application = model->input_at[index];
}

void cj__model_output_at(const cj_model *model, int index, int *application, int *output)
{
    *application = model->output_at[index];
    *output = model->output_index[index];
}

bool cj__model_is_sequential(const cj_model *model)
{
    return model->layer.kind == &cj__layer_sequential;
}
