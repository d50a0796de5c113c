// Models made again from their settings. Each layer is made again once, whatever number of places
// has it; the applications of a functional model are copied, since they name layers by their places.
//
// While the layers are made they are being *filled* (cj__filling), so that nothing is drawn in vain:
// the last walk draws or copies every variable once.
#include "layers/clone.h"

#include "base/error.h"
#include "base/memory.h"
#include "layers/model.h"
#include "layers/operation.h"
#include "ops/variable.h"

typedef struct cloning {
    const cj__cloning_wishes *wishes;
    cj__index places; // of layers in `made`
    cj_layer **made;  // held
    int count;
    size_t capacity;
    cj__filling filling;
    cj__index finished; // layers that the last walk has met
} cloning;

static cj_layer *clone_layer(void *context, const cj_layer *layer);

// Notes that `made` stands for `layer`, in place of what did so before.
static bool note(cloning *c, const cj_layer *layer, cj_layer *made)
{
    const int *place = cj__index_find(&c->places, layer);
    if (place) {
        cj_retain(made);
        cj_release(c->made[*place]);
        c->made[*place] = made;
        return true;
    }
    if (!cj__reserve((void **)&c->made, &c->capacity, (size_t)c->count + 1, sizeof *c->made) ||
        !cj__index_add(&c->places, layer, c->count))
        return false;
    c->made[c->count++] = cj__own(made);
    return true;
}

// ---- Models ----

// An input of one's own is a layer of its own; one that follows from what is around it is not made.
static cj_model *clone_sequential(cloning *c, const cj_model *model, const char *name)
{
    const bool has_input = model->input_layer && !model->implied;
    cj_layer **layers = cj__new((size_t)model->layer_count + 1, sizeof *layers);
    cj_model *made = NULL;
    int count = 0;
    bool complete = layers;
    if (complete && has_input)
        complete = (layers[count++] = clone_layer(c, model->input_layer));
    for (int i = 0; complete && i < model->layer_count; i++)
        complete = (layers[count++] = clone_layer(c, model->layers[i]));
    if (complete)
        made = cj_sequential_new(&(cj_sequential_args){CJ_SEQUENTIAL_DEFAULTS, .layers = layers,
                                                       .layer_count = count, .name = name});
    cj__free(layers);
    return made;
}

static cj_status add_application(cloning *c, cj_model *made, const cj__application *a,
                                 cj__index *latest)
{
    cj_layer *layer = a->layer ? clone_layer(c, a->layer) : NULL;
    if (a->layer && !layer)
        return cj_error_status();
    int *former = layer ? cj__index_find(latest, layer) : NULL;
    const int place = made->application_count;
    cj__application *copy =
        cj__model_add_application(made, layer, a->node, a->input_count, former ? *former : -1);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    copy->settings = a->settings;
    for (int i = 0; i < a->input_count; i++) {
        copy->input_app[i] = a->input_app[i];
        copy->input_index[i] = a->input_index[i];
    }
    if (former)
        *former = place;
    if (former || !layer)
        return CJ_OK;
    CJ_TRY(cj__model_add_layer(made, layer));
    return cj__index_add(latest, layer, place) ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status fill_functional(cloning *c, const cj_model *model, cj_model *made)
{
    cj__index latest = {0};
    cj_status status = CJ_OK;
    for (int i = 0; status == CJ_OK && i < model->application_count; i++)
        status = add_application(c, made, &model->applications[i], &latest);
    cj__index_free(&latest);
    CJ_TRY(status);
    CJ_TRY(cj__model_set_ends(made, model->input_count, model->output_count));
    for (int i = 0; i < model->input_count; i++)
        made->input_at[i] = model->input_at[i];
    for (int i = 0; i < model->output_count; i++) {
        made->output_at[i] = model->output_at[i];
        made->output_index[i] = model->output_index[i];
    }
    CJ_TRY(cj__model_join(made));
    return cj__model_settle(made);
}

static cj_model *clone_functional(cloning *c, const cj_model *model, const char *name)
{
    cj_model *made = cj__model_new(&cj__layer_functional, name);
    if (!made || fill_functional(c, model, made) == CJ_OK)
        return made;
    cj_release(made);
    return NULL;
}

static cj_status copy_notes(const cj_model *model, cj_model *made)
{
    const char *name, *text;
    for (int i = 0; cj__model_note_at(model, i, &name, &text); i++)
        CJ_TRY(cj_model_set_note(made, name, text));
    return CJ_OK;
}

static cj_model *clone_model(cloning *c, const cj_model *model, const char *name)
{
    cj_model *made = cj__model_is_sequential(model) ? clone_sequential(c, model, name) :
                                                      clone_functional(c, model, name);
    if (!made || copy_notes(model, made) == CJ_OK)
        return made;
    cj_release(made);
    return NULL;
}

// ---- Layers ----

static cj_layer *make_layer(cloning *c, const cj_layer *layer)
{
    if (cj__layer_is_model(layer))
        return cj_model_layer(clone_model(c, (const cj_model *)(const void *)layer, layer->name));
    if (layer->kind == &cj__layer_operation)
        return cj__operation_new(cj__operation_word(layer), cj__operation_settings(layer),
                                 layer->name);
    return cj__layer_like(layer, layer->name, false, clone_layer, c);
}

// The layer that stands for `layer`, made when it is first met; held by the cloning.
static cj_layer *clone_layer(void *context, const cj_layer *layer)
{
    cloning *c = context;
    const int *place = cj__index_find(&c->places, layer);
    if (place)
        return c->made[*place];
    cj_layer *made = make_layer(c, layer);
    if (!made)
        return NULL;
    made->filling = &c->filling;
    for (int i = 0; i < made->sublayer_count; i++)
        made->sublayers[i]->filling = &c->filling;
    bool noted = note(c, layer, made);
    // A wrapper may have put another copy in the place of the one that it was given.
    for (int i = 0; noted && i < layer->sublayer_count && i < made->sublayer_count; i++)
        noted = note(c, layer->sublayers[i], made->sublayers[i]);
    if (noted)
        return made;
    cj__drop_floating(made);
    return NULL;
}

// ---- Values ----

static cj_status set_variables(const cloning *c, const cj_layer *layer, cj_layer *made)
{
    const bool copied = c->wishes->weights || layer->kind->adapt;
    for (int i = 0; i < made->variable_count; i++) {
        if (!copied || layer->states[i])
            continue;
        const cj_tensor *value = cj__variable_read(layer->variables[i]);
        if (!value)
            return cj_error_status();
        CJ_TRY(cj__variable_write(made->variables[i], value->data));
    }
    return copied ? CJ_OK : cj__layer_draw_own(made);
}

// Gives a layer, and all it contains, what its settings do not say.
static cj_status finish(cloning *c, const cj_layer *layer, cj_layer *made)
{
    cj_layer *const *children, *const *copies;
    if (cj__index_find(&c->finished, layer))
        return CJ_OK;
    if (!cj__index_add(&c->finished, layer, 0))
        return CJ_OUT_OF_MEMORY;
    if (layer->built && !made->built)
        CJ_TRY(cj__layer_build(made, layer->input_types, layer->input_count));
    const int count = cj__layer_children(layer, &children);
    if (cj__layer_children(made, &copies) != count || made->variable_count != layer->variable_count)
        return cj__fail(CJ_UNSUPPORTED, "%s: it cannot be made again from its settings",
                        layer->name);
    made->filling = NULL;
    made->named = layer->named;
    made->trainable = layer->trainable;
    made->mixed = layer->mixed;
    made->key = layer->key;
    if (cj__layer_is_model(layer))
        ((cj_model *)(void *)made)->seed = ((const cj_model *)(const void *)layer)->seed;
    if (layer->kind->copy_state)
        layer->kind->copy_state(made, layer);
    CJ_TRY(set_variables(c, layer, made));
    for (int i = 0; i < count; i++)
        CJ_TRY(finish(c, children[i], copies[i]));
    return CJ_OK;
}

static cj_status finish_model(cloning *c, const cj_model *model, cj_model *made)
{
    const cj__cloning_wishes *wishes = c->wishes;
    CJ_TRY(finish(c, &model->layer, &made->layer));
    made->layer.named = wishes->name || model->layer.named;
    if (wishes->seed < 0)
        return CJ_OK;
    made->seed = (uint64_t)wishes->seed;
    return wishes->weights ? CJ_OK : cj_model_reset_weights(made);
}

cj_model *cj__model_clone(const cj_model *model, const cj__cloning_wishes *wishes)
{
    cloning c = {.wishes = wishes, .filling = {INT64_MAX}};
    cj_model *made = clone_model(&c, model, wishes->name ? wishes->name : model->layer.name);
    if (made)
        made->layer.filling = &c.filling;
    if (made && finish_model(&c, model, made) != CJ_OK) {
        cj_release(made);
        made = NULL;
    }
    while (c.count > 0)
        cj_release(c.made[--c.count]);
    cj__free(c.made);
    cj__index_free(&c.places);
    cj__index_free(&c.finished);
    return made;
}
