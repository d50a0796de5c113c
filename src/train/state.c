#include "train/state.h"
#include "base/error.h"
#include "base/memory.h"
#include "graph/arena.h"
#include "ops/variable.h"
#include "train/callbacks.h"
#include "train/step.h"
#include <cajal/streams.h>
#include <string.h>

// Guards the making of a model's state, when several threads predict with a model that has none:
// the only lock that threads of different models could share, taken for the moment of a look.
static cj__mutex making = CJ__MUTEX_INIT;

static void variables_free(cj_variable ***variables, int *count)
{
    for (int i = 0; i < *count; i++)
        cj_release((*variables)[i]);
    cj__free(*variables);
    *variables = NULL;
    *count = 0;
}

static void state_destroy(void *object)
{
    cj__train_state *state = object;
    cj__functions_free(state->functions);
    cj__state_forget(state);
    cj__free(state->metric_states);
    variables_free(&state->trained, &state->trained_count);
    variables_free(&state->slots, &state->slot_count);
    cj__free(state->kept);
    cj_release(state->iterations);
    cj_release(state->learning_rate);
    cj__flags_free(&state->flags);
    cj__settings_free(&state->settings);
    cj_release(state->arenas);
    cj_release(state->device);
    cj__mutex_destroy(&state->lock);
    cj__free(state);
}

static const cj__class state_class = {"train state", state_destroy};

cj__train_state *cj__state_new(void)
{
    cj__train_state *state = cj__object_new(&state_class, sizeof *state);
    if (!state)
        return NULL;
    cj__mutex_init(&state->lock);
    state->arenas = cj__own(cj__arenas_new(NULL));
    if (state->arenas)
        return state;
    cj_release(state);
    return NULL;
}

cj__train_state *cj__state_of(const cj_model *model)
{
    cj__mutex_lock(&making);
    cj__train_state *state = model ? cj__model_attached(model) : NULL;
    cj__mutex_unlock(&making);
    return state;
}

cj_status cj__state_need(cj_model *model, cj__train_state **state)
{
    cj__mutex_lock(&making);
    *state = cj__model_attached(model);
    if (!*state) {
        *state = cj__state_new();
        if (*state)
            cj__model_attach(model, *state);
    }
    cj__mutex_unlock(&making);
    return *state ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__state_compiled(const cj_model *model, const char *who, cj__train_state **state)
{
    if (!model)
        return cj__fail_missing_of(CJ__MADE_MODEL, who, "the model");
    *state = cj__state_of(model);
    if (!*state || !(*state)->settings.optimizer)
        return cj__fail(CJ_NOT_BUILT, "%s: model \"%s\" is not compiled: call cj_compile() first",
                        who, cj_layer_name(cj_model_layer(model)));
    return CJ_OK;
}

cj_variable *cj__state_variable_new(const char *name, cj_dtype dtype, double value)
{
    char text[256];
    cj_tensor *tensor = NULL;
    snprintf(text, sizeof text, "optimizer/%s", name);
    if (cj_tensor_new(dtype, (cj_shape){0}, &tensor) != CJ_OK)
        return NULL;
    cj_tensor_fill(tensor, value);
    return cj_variable_new(text, tensor);
}

static cj_status make_slots(cj__train_state *state)
{
    int count = 0;
    CJ_TRY(cj__optimizer_kept(state->settings.optimizer, state->trained, state->trained_count,
                              &state->kept, &count));
    state->slots = cj__new((size_t)count, sizeof(cj_variable *));
    if (!state->slots)
        return CJ_OUT_OF_MEMORY;
    state->slot_count = count;
    for (int i = 0; i < count; i++) {
        state->slots[i] = cj__optimizer_keep(&state->kept[i], state->trained);
        if (!state->slots[i])
            return cj_error_status();
    }
    return CJ_OK;
}

static cj_status find_trained(cj_layer *layer, cj__train_state *state)
{
    const cj__index *flags = &state->flags.index;
    const int count = cj__layer_trained(layer, flags, NULL, 0);
    state->trained = cj__new((size_t)count, sizeof(cj_variable *));
    if (state->trained)
        cj__layer_trained(layer, flags, state->trained, count);
    if (!state->trained)
        return CJ_OUT_OF_MEMORY;
    state->trained_count = count;
    for (int i = 0; i < count; i++)
        cj__own(state->trained[i]);
    return CJ_OK;
}

cj_status cj__state_prepare(cj_model *model, cj__train_state *state)
{
    if (state->trained || !state->settings.optimizer || cj_model_input_count(model) == 0)
        return CJ_OK;
    cj_status status = find_trained(cj_model_layer(model), state);
    if (status == CJ_OK)
        status = make_slots(state);
    if (status != CJ_OK) {
        variables_free(&state->slots, &state->slot_count);
        variables_free(&state->trained, &state->trained_count);
        cj__free(state->kept);
        state->kept = NULL;
    }
    return status;
}

cj_status cj__state_average(cj__train_state *state)
{
    for (int i = 0; i < state->slot_count; i++) {
        if (state->kept[i].which != CJ__KEPT_AVERAGE)
            continue;
        const cj_tensor *average = cj__variable_read(state->slots[i]);
        if (!average)
            return cj_error_status();
        CJ_TRY(cj__variable_write(state->trained[state->kept[i].variable], average->data));
    }
    return CJ_OK;
}

// A rate that a schedule computes is no variable, as in Keras.
static int first_slot(const cj__train_state *state)
{
    return cj__optimizer_schedule(state->settings.optimizer) ? 1 : 2;
}

int cj__state_variable_count(const cj__train_state *state)
{
    return state->settings.optimizer ? first_slot(state) + state->slot_count : 0;
}

cj_variable *cj__state_variable(const cj__train_state *state, int index)
{
    if (index < 0 || index >= cj__state_variable_count(state))
        return NULL;
    const int first = first_slot(state);
    return index == 0    ? state->iterations :
           index < first ? state->learning_rate :
                           state->slots[index - first];
}

// What callbacks remember
// ---------------------------------------------------------------------------------------------

static void memory_free(cj__memory *memory)
{
    cj__free(memory->name);
    cj__free(memory->values);
    for (int i = 0; i < memory->tensor_count; i++)
        cj_release(memory->tensors[i]);
    cj__free(memory->tensors);
}

cj_status cj__state_keep_metrics(cj__train_state *state, const double *states, int count)
{
    double *copy = cj__new((size_t)count + 1, sizeof *copy);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    if (states)
        memcpy(copy, states, (size_t)count * sizeof *copy);
    cj__free(state->metric_states);
    state->metric_states = copy;
    state->metric_state_count = count;
    return CJ_OK;
}

void cj__state_forget(cj__train_state *state)
{
    for (int i = 0; i < state->memory_count; i++)
        memory_free(&state->memories[i]);
    cj__free(state->memories);
    state->memories = NULL;
    state->memory_count = 0;
}

cj_status cj__state_remember(cj__train_state *state, const char *name, const double *values,
                             int count, cj_tensor *const *tensors, int tensor_count)
{
    const size_t all = (size_t)state->memory_count + 1;
    cj__memory *grown = cj__resize(state->memories, all, sizeof *grown);
    if (!grown)
        return CJ_OUT_OF_MEMORY;
    state->memories = grown;
    cj__memory memory = {.name = cj__copy_text(name),
                         .values = cj__new((size_t)count, sizeof(double)),
                         .count = count,
                         .tensors = cj__new((size_t)tensor_count, sizeof(cj_tensor *))};
    if (!memory.name || !memory.values || !memory.tensors) {
        memory_free(&memory);
        return CJ_OUT_OF_MEMORY;
    }
    if (count > 0)
        memcpy(memory.values, values, (size_t)count * sizeof(double));
    for (; memory.tensor_count < tensor_count; memory.tensor_count++)
        memory.tensors[memory.tensor_count] = cj_retain(tensors[memory.tensor_count]);
    grown[state->memory_count++] = memory;
    return CJ_OK;
}

static cj_status remember_callback(cj__train_state *state, cj_callback *callback)
{
    const cj_callback_methods *methods = &callback->methods;
    void *self = callback->self;
    const int count = methods->state ? methods->state(self, NULL, 0) : 0;
    const int tensor_count = methods->tensors ? methods->tensors(self, NULL, 0) : 0;
    if (!methods->state && !methods->tensors)
        return CJ_OK;
    double *values = cj__new((size_t)count, sizeof *values);
    cj_tensor **tensors = cj__new((size_t)tensor_count, sizeof *tensors);
    cj_status status = values && tensors ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && count > 0)
        methods->state(self, values, count);
    if (status == CJ_OK && tensor_count > 0)
        methods->tensors(self, tensors, tensor_count);
    if (status == CJ_OK)
        status = cj__state_remember(state, methods->name ? methods->name : "Callback", values,
                                    count, tensors, tensor_count);
    cj__free(values);
    cj__free(tensors);
    return status;
}

cj_status cj__state_memories(cj__train_state *state)
{
    cj_status status = CJ_OK;
    if (!state->callbacks)
        return CJ_OK;
    cj__state_forget(state);
    for (int i = 0; i < state->callback_count && status == CJ_OK; i++)
        status = remember_callback(state, state->callbacks[i]);
    return status;
}

double cj_data_wait(const cj_model *model)
{
    const cj__train_state *state = model ? cj__state_of(model) : NULL;
    return state ? state->waited : 0;
}
