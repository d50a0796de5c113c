// The device that a model's functions run on.
//
// Layers make variables in the host's memory and know of no other. Variables move when a function is
// made: to the device that the model was put on, or else to the device where some of them are
// already (in a model that shares layers with another). So variables that are built, compiled or
// loaded later follow by themselves.
#include "base/error.h"
#include "base/memory.h"
#include "graph/arena.h"
#include "ops/variable.h"
#include "train/step.h"

// The weights and states of the model, then the optimizer's variables.
typedef struct variables {
    cj_variable **items;
    int count;
} variables;

static cj_status list_variables(const cj_model *model, const cj__train_state *state, variables *all)
{
    const cj_layer *layer = cj_model_layer(model);
    const int weights = cj__layer_variables(layer, false, NULL, 0),
              states = cj__layer_states(layer, NULL, 0), kept = cj__state_variable_count(state);
    all->items = cj__new((size_t)weights + (size_t)states + (size_t)kept, sizeof(cj_variable *));
    if (!all->items)
        return CJ_OUT_OF_MEMORY;
    cj__layer_variables(layer, false, all->items, weights);
    cj__layer_states(layer, all->items + weights, states);
    for (int i = 0; i < kept; i++)
        all->items[weights + states + i] = cj__state_variable(state, i);
    all->count = weights + states + kept;
    return CJ_OK;
}

// The arenas are of the device that functions run on; what was made for another device goes.
static cj_status change_arenas(cj__train_state *state, cj__device *device)
{
    cj__device *old = state->arenas->device;
    if (old == device || (cj__device_is_host(old) && cj__device_is_host(device)))
        return CJ_OK;
    cj__arenas *arenas = cj__own(cj__arenas_new(device));
    if (!arenas)
        return CJ_OUT_OF_MEMORY;
    cj__functions_free(state->functions);
    state->functions = NULL;
    cj_release(state->arenas);
    state->arenas = arenas;
    return CJ_OK;
}

cj_status cj__state_place(cj_model *model, cj__train_state *state)
{
    variables all = {0};
    cj__device *device = state->device;
    cj_status status = list_variables(model, state, &all);
    for (int i = 0; i < all.count && !device; i++)
        device = cj__variable_device(all.items[i]);
    if (status == CJ_OK)
        status = change_arenas(state, device);
    for (int i = 0; i < all.count && status == CJ_OK; i++)
        status = cj__variable_place(all.items[i], device);
    cj__free(all.items);
    return status;
}

cj_status cj__model_set_device(cj_model *model, cj__device *device)
{
    cj__train_state *state;
    if (!model || !device) {
        cj__drop_floating(device);
        return model ? cj__fail_null("cj__model_set_device: the device") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj__model_set_device: the model");
    }
    cj__device *held = cj__own(device);
    cj_status status = cj__state_need(model, &state);
    if (status == CJ_OK) {
        cj__mutex_lock(&state->lock);
        cj_release(state->device);
        state->device = held;
        cj__functions_free(state->functions); // their plans point to where the variables were
        state->functions = NULL;
        status = cj__state_place(model, state);
        cj__mutex_unlock(&state->lock);
    } else {
        cj_release(held);
    }
    return status;
}
