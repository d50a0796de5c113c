// The native format: safetensors, with the model in the metadata. Tensors are the model's variables
// by path, and "optimizer/0", "optimizer/1", ... in Keras's order. Metadata: "format" is "cajal",
// "version" the layout's, "model" the architecture, "seed", and of a compiled model "compile" and
// "training". docs/formats/native.md is its description.
#include "base/error.h"
#include "base/memory.h"
#include "formats/format.h"
#include "formats/json_model.h"
#include "formats/native_state.h"
#include "formats/safetensors.h"
#include "formats/weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char layout_version[] = "1";

// ---- Saving ----

// Puts `object` into the metadata as text; takes it over.
static cj_status add_json(json_t *metadata, const char *key, json_t *object)
{
    if (!object)
        return cj_error_status() != CJ_OK ? cj_error_status() : cj__fail_memory(0, key);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(object);
    int failed = !text || json_object_set_new(metadata, key, json_string(text)) != 0;
    free(text);
    return failed ? cj__fail_memory(0, key) : CJ_OK;
}

static cj_status describe(cj_model *model, cj__train_state *state, json_t *metadata)
{
    char seed[24];
    snprintf(seed, sizeof(seed), "%" PRIu64, cj__model_seed(model));
    if (json_object_set_new(metadata, "format", json_string("cajal")) != 0 ||
        json_object_set_new(metadata, "version", json_string(layout_version)) != 0 ||
        json_object_set_new(metadata, "cajal_version", json_string(CJ_VERSION)) != 0 ||
        json_object_set_new(metadata, "seed", json_string(seed)) != 0)
        return cj__fail_memory(0, "metadata");
    CJ_TRY(add_json(metadata, "model", cj__layer_to_json(cj_model_layer(model))));
    if (!state)
        return CJ_OK;
    CJ_TRY(add_json(metadata, "compile", cj__settings_to_json(state)));
    return add_json(metadata, "training", cj__place_to_json(state));
}

typedef struct tensors {
    const char **names;
    cj_tensor **items;
    char (*numbers)[32]; // names of the optimizer's
    int count;
} tensors;

static void tensors_free(tensors *t)
{
    cj__free(t->names);
    cj__free(t->items);
    cj__free(t->numbers);
}

static cj_status list_tensors(const cj__weights *weights, const cj__train_state *state, tensors *t)
{
    int slots = state ? cj__state_variable_count(state) : 0;
    size_t most = (size_t)(weights->count + slots);
    t->names = cj__new(most, sizeof *t->names);
    t->items = cj__new(most, sizeof *t->items);
    t->numbers = cj__new((size_t)slots, sizeof *t->numbers);
    if (!t->names || !t->items || !t->numbers)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < weights->count; i++) {
        t->names[t->count] = weights->names[i];
        t->items[t->count++] = cj_variable_value(weights->variables[i]);
    }
    for (int i = 0; i < slots; i++) {
        snprintf(t->numbers[i], sizeof(t->numbers[i]), "optimizer/%d", i);
        t->names[t->count] = t->numbers[i];
        t->items[t->count++] = cj_variable_value(cj__state_variable(state, i));
    }
    return CJ_OK;
}

static cj__train_state *compiled_state(const cj_model *model)
{
    cj__train_state *state = cj__state_of(model);
    return state && state->settings.optimizer ? state : NULL;
}

static cj_status save(cj_model *model, const char *path)
{
    cj__train_state *state = compiled_state(model);
    cj__weights weights = {0};
    tensors list = {0};
    json_t *metadata = json_object();
    cj_error_clear();
    cj_status status = metadata ? describe(model, state, metadata) : cj__fail_memory(0, "metadata");
    if (status == CJ_OK)
        status = cj__weights_collect(&weights, cj_model_layer(model));
    if (status == CJ_OK && state && weights.count != 0)
        status = cj__state_prepare(model, state);
    if (status == CJ_OK)
        status = list_tensors(&weights, state, &list);
    if (status == CJ_OK)
        status = cj__container_write(path, list.names, list.items, list.count, metadata);
    tensors_free(&list);
    cj__weights_free(&weights);
    json_decref(metadata);
    return status;
}

// ---- Loading ----

// The entry of that name as a tensor of the variable's shape and dtype.
static cj_status read_tensor(const cj__container *container, const char *name,
                             const cj_variable *variable, cj_tensor **tensor)
{
    const cj__entry *entry = cj__container_find(container, name);
    if (!entry)
        return cj__fail(CJ_BAD_FILE, "weight \"%s\" is missing", name);
    const cj_tensor *own = cj_variable_value(variable);
    if (!cj_shape_equal(&entry->type.shape, cj_tensor_shape(own))) {
        char a[160], b[160];
        return cj__fail(CJ_SHAPE_MISMATCH, "weight \"%s\" is %s in the file and %s in the model",
                        name, cj_shape_text(&entry->type.shape, a, sizeof(a)),
                        cj_shape_text(cj_tensor_shape(own), b, sizeof(b)));
    }
    return cj_tensor_from(entry->type.dtype, entry->type.shape, entry->data,
                          (size_t)cj_shape_count(&entry->type.shape), tensor);
}

// Reads everything first and assigns afterwards, so that a failure changes nothing.
static cj_status assign_weights(const cj__container *container, cj_model *model)
{
    cj__weights weights = {0};
    cj_status status = cj__weights_collect(&weights, cj_model_layer(model));
    cj_tensor **read = status == CJ_OK ? cj__new((size_t)weights.count, sizeof *read) : NULL;
    if (status == CJ_OK && !read)
        status = CJ_OUT_OF_MEMORY;
    for (int i = 0; i < weights.count && status == CJ_OK; i++)
        status = read_tensor(container, weights.names[i], weights.variables[i], &read[i]);
    for (int i = 0; i < weights.count && status == CJ_OK; i++)
        status = cj_variable_assign(weights.variables[i], read[i]);
    for (int i = 0; read && i < weights.count; i++)
        cj_release(read[i]);
    cj__free(read);
    cj__weights_free(&weights);
    return status;
}

static cj_status parse(const cj__container *container, const char *key, json_t **object)
{
    const char *text = cj__container_text(container, key);
    json_error_t error;
    *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (text && !*object)
        return cj__fail(CJ_BAD_FILE, "the metadata's \"%s\" is not JSON: %s", key, error.text);
    return CJ_OK;
}

static cj_status assign_slots(const cj__container *container, cj__train_state *state)
{
    for (int i = 0; i < cj__state_variable_count(state); i++) {
        char name[32];
        cj_tensor *tensor = NULL;
        snprintf(name, sizeof(name), "optimizer/%d", i);
        CJ_TRY(read_tensor(container, name, cj__state_variable(state, i), &tensor));
        cj_status status = cj_variable_assign(cj__state_variable(state, i), tensor);
        cj_release(tensor);
        CJ_TRY(status);
    }
    return CJ_OK;
}

static cj_status compile(const cj__container *container, cj_model *model)
{
    json_t *settings = NULL, *place = NULL;
    cj_status status = parse(container, "compile", &settings);
    if (status == CJ_OK)
        status = parse(container, "training", &place);
    if (status == CJ_OK && settings)
        status = cj__settings_from_json(model, settings);
    cj__train_state *state = compiled_state(model);
    if (status == CJ_OK && settings && cj__container_find(container, "optimizer/0")) {
        status = cj__state_prepare(model, state);
        if (status == CJ_OK)
            status = assign_slots(container, state);
        if (status == CJ_OK && place)
            status = cj__place_from_json(state, place);
    }
    json_decref(settings);
    json_decref(place);
    return status;
}

static cj_status make_model(const cj__container *container, cj_model **model)
{
    const char *format = cj__container_text(container, "format"),
               *version = cj__container_text(container, "version");
    const char *json = cj__container_text(container, "model"),
               *seed = cj__container_text(container, "seed");
    if (!format || strcmp(format, "cajal") != 0 || !json)
        return cj__fail(
            CJ_UNSUPPORTED,
            "a safetensors file with weights only: load it into a model of its architecture");
    if (!version || strcmp(version, layout_version) != 0)
        return cj__fail(CJ_UNSUPPORTED, "layout version \"%.40s\" is not supported, only %s",
                        version ? version : "", layout_version);
    *model = cj_model_from_json(json, strlen(json));
    if (!*model)
        return cj_error_status();
    if (seed)
        CJ_TRY(cj_model_set_seed(*model, strtoull(seed, NULL, 10)));
    CJ_TRY(assign_weights(container, *model));
    return compile(container, *model);
}

static cj_status load(const char *path, cj_model **model)
{
    cj__container container;
    CJ_TRY(cj__container_read(path, &container));
    cj_status status = make_model(&container, model);
    if (status != CJ_OK) {
        cj_release(*model);
        *model = NULL;
    }
    cj__container_free(&container);
    return status;
}

static cj_status load_weights(cj_model *model, const char *path)
{
    cj__container container;
    CJ_TRY(cj__container_read(path, &container));
    cj_status status = assign_weights(&container, model);
    cj__container_free(&container);
    return status;
}

// Eight bytes of length, then the brace of the header.
static bool recognise(const unsigned char *bytes, size_t size, uint64_t file_size)
{
    uint64_t length = 0;
    for (int i = 7; i >= 0 && size >= 9; i--)
        length = length << 8 | bytes[i];
    return size >= 9 && bytes[8] == '{' && length <= file_size;
}

const cj__format cj__format_native = {
    .name = "safetensors",
    .extension = ".safetensors",
    .recognise = recognise,
    .save = save,
    .load = load,
    .load_weights = load_weights,
};
