// The native format: safetensors, with the model in the metadata. Tensors are the model's variables
// by path, and "optimizer/0", "optimizer/1", ... in Keras's order. Metadata: "format" is "cajal",
// "version" the layout's, "model" the architecture, "seed", and of a compiled model "compile" and
// "training"; "notes" if there are any. docs/formats/native.md is its description.
#include "base/error.h"
#include "base/memory.h"
#include "base/warning.h"
#include "formats/format.h"
#include "formats/json_build.h"
#include "formats/json_model.h"
#include "formats/native_state.h"
#include "formats/safetensors.h"
#include "formats/weights.h"
#include "ops/variable.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char layout_version[] = "1";

// ---- Saving ----

// Puts `object`, which it takes over, into the metadata as text.
static cj_status add_json(cj__json *b, json_t *metadata, const char *key, json_t *object)
{
    char *text = cj__json_print(object, JSON_COMPACT);
    json_decref(object);
    if (!text)
        return b->status = CJ_OUT_OF_MEMORY;
    cj__json_set(b, metadata, key, cj__json_text(b, text));
    cj__free(text);
    return b->status;
}

// "notes", where the model has any.
static cj_status add_notes(cj__json *b, const cj_model *model, json_t *metadata)
{
    const char *name, *text;
    if (!cj__model_note_at(model, 0, &name, &text))
        return CJ_OK;
    json_t *notes = cj__json_object(b);
    for (int i = 0; cj__model_note_at(model, i, &name, &text); i++)
        cj__json_set(b, notes, name, cj__json_text(b, text));
    notes = cj__json_end(b, notes);
    return notes ? add_json(b, metadata, "notes", notes) : b->status;
}

// What every file says of itself.
static void add_format(cj__json *b, json_t *metadata)
{
    cj__json_set(b, metadata, "format", cj__json_text(b, "cajal"));
    cj__json_set(b, metadata, "version", cj__json_text(b, layout_version));
    cj__json_set(b, metadata, "cajal_version", cj__json_text(b, CJ_VERSION));
}

static cj_status describe(cj_model *model, cj__train_state *state, json_t *metadata)
{
    cj__json b = {0};
    json_t *object = NULL;
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, cj__model_seed(model));
    add_format(&b, metadata);
    cj__json_set(&b, metadata, "seed", cj__json_text(&b, seed));
    CJ_TRY(b.status);
    CJ_TRY(cj__layer_to_json(cj_model_layer(model), &object));
    CJ_TRY(add_json(&b, metadata, "model", object));
    CJ_TRY(add_notes(&b, model, metadata));
    if (!state)
        return CJ_OK;
    CJ_TRY(cj__settings_to_json(state, &object));
    CJ_TRY(add_json(&b, metadata, "compile", object));
    CJ_TRY(cj__state_memories(state));
    CJ_TRY(cj__place_to_json(state, &object));
    return add_json(&b, metadata, "training", object);
}

enum { NUMBERED_NAME = 32 };

// "optimizer/0", "callbacks/3": a tensor that has no name of its own.
static const char *numbered(char name[NUMBERED_NAME], const char *folder, int index)
{
    snprintf(name, NUMBERED_NAME, "%s/%d", folder, index);
    return name;
}

typedef struct tensor_list {
    const char **names;
    const cj_tensor **items;
    char (*numbers)[NUMBERED_NAME]; // names of the optimizer's
    int count;
} tensor_list;

static void tensors_free(tensor_list *t)
{
    cj__free(t->names);
    cj__free(t->items);
    cj__free(t->numbers);
}

static int remembered_count(const cj__train_state *state)
{
    int count = 0;
    for (int i = 0; state && i < state->memory_count; i++)
        count += state->memories[i].tensor_count;
    return count;
}

static cj_status list_variable(tensor_list *t, const char *name, const cj_variable *variable)
{
    t->names[t->count] = name;
    t->items[t->count] = cj__variable_read(variable);
    return t->items[t->count++] ? CJ_OK : cj_error_status();
}

static cj_status list_tensors(const cj__weights *weights, const cj__train_state *state,
                              tensor_list *t)
{
    const int slots = state ? cj__state_variable_count(state) : 0;
    const size_t unnamed = (size_t)slots + (size_t)remembered_count(state),
                 all = (size_t)weights->count + unnamed;
    t->names = cj__new(all, sizeof *t->names);
    t->items = cj__new(all, sizeof *t->items);
    t->numbers = cj__new(unnamed, sizeof *t->numbers);
    if (!t->names || !t->items || !t->numbers)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < weights->count; i++)
        CJ_TRY(list_variable(t, weights->names[i], weights->variables[i]));
    for (int i = 0; i < slots; i++)
        CJ_TRY(list_variable(t, numbered(t->numbers[i], "optimizer", i),
                             cj__state_variable(state, i)));
    int number = 0;
    for (int i = 0; state && i < state->memory_count; i++)
        for (int j = 0; j < state->memories[i].tensor_count; j++) {
            t->names[t->count] = numbered(t->numbers[slots + number], "callbacks", number);
            t->items[t->count++] = state->memories[i].tensors[j];
            number++;
        }
    return CJ_OK;
}

static cj__train_state *compiled_state(const cj_model *model)
{
    cj__train_state *state = cj__state_of(model);
    return state && state->settings.optimizer ? state : NULL;
}

// The weights, and with `state` what training has beside them.
static cj_status write_tensors(cj_model *model, cj__train_state *state, json_t *metadata,
                               cj__sink *sink)
{
    cj__weights weights = {0};
    tensor_list list = {0};
    cj_status status = cj__weights_collect(&weights, cj_model_layer(model));
    if (status == CJ_OK && state && weights.count != 0)
        status = cj__state_prepare(model, state);
    if (status == CJ_OK)
        status = list_tensors(&weights, state, &list);
    if (status == CJ_OK)
        status = cj__container_write(&(cj__contents){list.names, list.items, list.count, metadata},
                                     sink);
    tensors_free(&list);
    cj__weights_free(&weights);
    return status;
}

static cj_status save(cj_model *model, cj__sink *sink)
{
    cj__train_state *state = compiled_state(model);
    cj__json b = {0};
    json_t *metadata = cj__json_object(&b);
    cj_status status = b.status;
    if (status == CJ_OK)
        status = describe(model, state, metadata);
    if (status == CJ_OK)
        status = write_tensors(model, state, metadata, sink);
    json_decref(metadata);
    return status;
}

static cj_status save_weights(cj_model *model, cj__sink *sink)
{
    cj__json b = {0};
    json_t *metadata = cj__json_object(&b);
    add_format(&b, metadata);
    const cj_status status =
        b.status == CJ_OK ? write_tensors(model, NULL, metadata, sink) : b.status;
    json_decref(metadata);
    return status;
}

// ---- Loading ----

// The entry of that name, which must have the shape of the variable.
static cj_status find_entry(const cj__container *container, const char *name,
                            const cj_variable *variable, const cj__entry **entry)
{
    const cj__type type = cj__variable_type(variable);
    const cj_shape *own = &type.shape;
    *entry = cj__container_find(container, name);
    if (!*entry)
        return cj__fail(CJ_BAD_FILE, "weight \"%s\" is missing", name);
    if (cj_shape_equal(&(*entry)->type.shape, own))
        return CJ_OK;
    char a[160], b[160];
    return cj__fail(CJ_SHAPE_MISMATCH, "weight \"%s\" is %s in the file and %s in the model", name,
                    cj_shape_text(&(*entry)->type.shape, a, sizeof a),
                    cj_shape_text(own, b, sizeof b));
}

// Into the variable's own memory where the dtype is its own; on failure its value is lost.
static cj_status assign(const cj__container *container, const char *name, cj_variable *variable)
{
    const cj__entry *entry = NULL;
    CJ_TRY(find_entry(container, name, variable, &entry));
    if (entry->type.dtype == cj__variable_type(variable).dtype) {
        cj_tensor *value = cj__variable_edit(variable);
        if (!value)
            return cj_error_status();
        CJ_TRY(cj__container_elements(container, entry, value->data));
        return cj__variable_commit(variable);
    }
    cj_tensor *tensor = NULL;
    CJ_TRY(cj__container_tensor(container, entry, &tensor));
    const cj_status status = cj_variable_assign(variable, tensor);
    cj_release(tensor);
    return status;
}

// Into a model that the caller throws away on failure.
static cj_status assign_all(const cj__container *container, const cj__weights *weights)
{
    for (int i = 0; i < weights->count; i++)
        CJ_TRY(assign(container, weights->names[i], weights->variables[i]));
    return CJ_OK;
}

// Reads everything first and assigns afterwards, so that a failure changes nothing.
static cj_status replace_all(const cj__container *container, const cj__weights *weights)
{
    cj_tensor **read = cj__new((size_t)weights->count, sizeof *read);
    cj_status status = read ? CJ_OK : CJ_OUT_OF_MEMORY;
    const cj__entry *entry = NULL;
    for (int i = 0; i < weights->count && status == CJ_OK; i++)
        status = find_entry(container, weights->names[i], weights->variables[i], &entry);
    for (int i = 0; i < weights->count && status == CJ_OK; i++)
        status = cj__container_tensor(container, cj__container_find(container, weights->names[i]),
                                      &read[i]);
    for (int i = 0; i < weights->count && status == CJ_OK; i++)
        status = cj_variable_assign(weights->variables[i], read[i]);
    for (int i = 0; read && i < weights->count; i++)
        cj_release(read[i]);
    cj__free(read);
    return status;
}

static cj_status parse(const cj__container *container, const char *key, json_t **object)
{
    const char *text = cj__container_text(container, key);
    *object = NULL;
    if (!text)
        return CJ_OK;
    const cj_status status = cj__json_parse(text, strlen(text), object);
    return status == CJ_OK ? CJ_OK : cj__fail_in(status, "metadata \"%s\"", key);
}

static cj_status assign_slots(const cj__container *container, const cj__train_state *state)
{
    char name[NUMBERED_NAME];
    for (int i = 0; i < cj__state_variable_count(state); i++)
        CJ_TRY(assign(container, numbered(name, "optimizer", i), cj__state_variable(state, i)));
    return CJ_OK;
}

static cj_status read_memory(const cj__container *container, int64_t count, int *number,
                             cj__memory *memory)
{
    char name[NUMBERED_NAME];
    cj_tensor **tensors = cj__resize(memory->tensors, (size_t)count, sizeof *tensors);
    if (!tensors)
        return CJ_OUT_OF_MEMORY;
    memory->tensors = tensors;
    while (memory->tensor_count < count) {
        const cj__entry *entry =
            cj__container_find(container, numbered(name, "callbacks", (*number)++));
        if (!entry)
            return cj__fail(CJ_BAD_FILE, "tensor \"%s\" of a callback is missing", name);
        CJ_TRY(cj__container_tensor(container, entry, &memory->tensors[memory->tensor_count]));
        memory->tensor_count++;
    }
    return CJ_OK;
}

// The tensors that callbacks remember: their number is with their numbers in the place.
static cj_status read_remembered(const cj__container *container, const json_t *place,
                                 cj__train_state *state)
{
    const json_t *memories = json_object_get(place, "callbacks");
    int number = 0;
    for (int i = 0; i < state->memory_count; i++) {
        const json_t *memory = json_array_get(memories, (size_t)i);
        const int64_t count = json_integer_value(json_object_get(memory, "tensors"));
        if (count < 0 || count > container->count)
            return cj__fail(CJ_BAD_FILE, "a callback's memory cannot have %lld tensors",
                            (long long)count);
        if (count > 0)
            CJ_TRY(read_memory(container, count, &number, &state->memories[i]));
    }
    return CJ_OK;
}

// Settings and place of a model that was compiled when it was saved.
static cj_status restore_training(const cj__container *container, cj_model *model)
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
        if (status == CJ_OK && place)
            status = read_remembered(container, place, state);
    }
    json_decref(settings);
    json_decref(place);
    return status;
}

static cj_status check_version(const cj__container *container)
{
    const char *format = cj__container_text(container, "format"),
               *version = cj__container_text(container, "version");
    if (!format || strcmp(format, "cajal") != 0 || !cj__container_text(container, "model"))
        return cj__fail(
            CJ_UNSUPPORTED,
            "a safetensors file with weights only: load it into a model of its architecture");
    if (!version || strcmp(version, layout_version) != 0)
        return cj__fail(CJ_UNSUPPORTED, "layout version \"%.40s\" is not supported, only %s",
                        version ? version : "", layout_version);
    return CJ_OK;
}

static cj_status read_seed(const cj__container *container, cj_model *model)
{
    const char *text = cj__container_text(container, "seed");
    char *end = NULL;
    if (!text)
        return CJ_OK;
    const uint64_t seed = strtoull(text, &end, 10);
    if (end == text || *end != '\0')
        return cj__fail(CJ_BAD_FILE, "the seed \"%.40s\" is not a whole number", text);
    return cj_model_set_seed(model, seed);
}

static cj_status read_notes(const cj__container *container, cj_model *model)
{
    json_t *notes = NULL;
    CJ_TRY(parse(container, "notes", &notes));
    cj_status status = !notes || json_is_object(notes) ?
                           CJ_OK :
                           cj__fail(CJ_BAD_FILE, "metadata \"notes\" is not an object");
    const char *name;
    json_t *text;
    json_object_foreach (notes, name, text) {
        if (status == CJ_OK && (!json_is_string(text) || !*name))
            status = cj__fail(CJ_BAD_FILE, "note \"%.40s\" is not a text", name);
        if (status == CJ_OK)
            status = cj_model_set_note(model, name, json_string_value(text));
    }
    json_decref(notes);
    return status;
}

// The elements of all tensors in the file: a model that needs more cannot be this file's.
static int64_t count_elements(const cj__container *container)
{
    int64_t elements = 0;
    for (int i = 0; i < container->count; i++)
        elements += cj_shape_count(&container->entries[i].type.shape);
    return elements;
}

static cj_status make_model(const cj__container *container, cj_model **model)
{
    CJ_TRY(check_version(container));
    cj__filling filling = {.elements = count_elements(container)};
    cj__weights weights = {0};
    json_t *object = NULL;
    CJ_TRY(parse(container, "model", &object));
    *model = cj__model_from_json(object, &filling);
    json_decref(object);
    if (!*model)
        return cj__fail_missing(CJ__MADE_MODEL, "the model");
    cj_status status = read_seed(container, *model);
    if (status == CJ_OK)
        status = read_notes(container, *model);
    if (status == CJ_OK)
        status = cj__weights_collect(&weights, cj_model_layer(*model));
    if (status == CJ_OK)
        status = assign_all(container, &weights);
    cj__weights_free(&weights);
    cj__layer_end_filling(cj_model_layer(*model));
    return status == CJ_OK ? restore_training(container, *model) : status;
}

static cj_status load(const cj__input *input, cj_model **model)
{
    cj__container container;
    CJ_TRY(cj__container_read(input, &container));
    cj_status status = make_model(&container, model);
    if (status != CJ_OK) {
        cj_release(*model);
        *model = NULL;
    }
    cj__container_free(&container);
    return status;
}

static cj_status load_weights(cj_model *model, const cj__input *input)
{
    cj__container container;
    cj__weights weights = {0};
    CJ_TRY(cj__container_read(input, &container));
    cj_status status = cj__weights_collect(&weights, cj_model_layer(model));
    if (status == CJ_OK)
        status = replace_all(&container, &weights);
    cj__weights_free(&weights);
    cj__container_free(&container);
    return status;
}

// Leaves the weights that the file has in the model's shapes; of each of the others there is a warning.
static void keep_matching(const cj__container *container, cj__weights *weights)
{
    const cj__entry *entry = NULL;
    int kept = 0;
    for (int i = 0; i < weights->count; i++) {
        char *name = weights->names[i];
        cj_variable *variable = weights->variables[i];
        if (find_entry(container, name, variable, &entry) == CJ_OK) {
            weights->names[kept] = name;
            weights->variables[kept++] = variable;
            continue;
        }
        cj__warn("%s: it stays as it is", cj_error());
        cj__error_forget();
        cj__free(name);
    }
    weights->count = kept;
}

static cj_status load_matching(cj_model *model, const cj__input *input, int *loaded)
{
    cj__container container;
    cj__weights weights = {0};
    CJ_TRY(cj__container_read(input, &container));
    cj_status status = cj__weights_collect(&weights, cj_model_layer(model));
    if (status == CJ_OK) {
        keep_matching(&container, &weights);
        status = replace_all(&container, &weights);
    }
    *loaded = status == CJ_OK ? weights.count : 0;
    cj__weights_free(&weights);
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
    .name = "a safetensors file",
    .extensions = {".safetensors"},
    .recognise = recognise,
    .save = save,
    .save_weights = save_weights,
    .load = load,
    .load_weights = load_weights,
    .load_matching = load_matching,
};
