#include "formats/json_references.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json_operations.h"

#include <stdlib.h>
#include <string.h>

static cj_status add_item(cj__references *refs, const json_t *item, const json_t *literal)
{
    const size_t needed = (size_t)refs->count + 1;
    if (!cj__reserve((void **)&refs->items, &refs->item_capacity, needed, sizeof *refs->items) ||
        !cj__reserve((void **)&refs->literals, &refs->literal_capacity, needed,
                     sizeof *refs->literals))
        return CJ_OUT_OF_MEMORY;
    refs->items[refs->count] = item;
    refs->literals[refs->count++] = literal;
    return CJ_OK;
}

static cj_status add_reference(cj__references *refs, const json_t *triple, const char *who)
{
    if (!json_is_array(triple) || json_array_size(triple) < 3 ||
        !json_is_string(json_array_get(triple, 0)) || !json_is_integer(json_array_get(triple, 1)) ||
        !json_is_integer(json_array_get(triple, 2)))
        return cj__fail(CJ_BAD_FILE,
                        "%s: an input does not name a layer, an application and an output", who);
    return add_item(refs, triple, NULL);
}

// Collects the tensors in one argument of a node: an object, or a list of them.
static cj_status collect(const json_t *argument, const char *who, cj__references *refs)
{
    if (json_is_array(argument)) {
        for (size_t i = 0; i < json_array_size(argument); i++) {
            const json_t *item = json_array_get(argument, i);
            if (json_is_array(item))
                return cj__fail(CJ_UNSUPPORTED, "%s: nested lists of inputs", who);
            CJ_TRY(collect(item, who, refs));
        }
        return CJ_OK;
    }
    const char *class_name = cj__json_text_at(argument, "class_name");
    if (!class_name || strcmp(class_name, "__keras_tensor__") != 0)
        return cj__fail(CJ_UNSUPPORTED, "%s: an argument of an application is not a tensor", who);
    return add_reference(
        refs, json_object_get(json_object_get(argument, "config"), "keras_history"), who);
}

// Collects the states of a recurrent layer: those of a chain of cells are a list of each cell's.
static cj_status collect_states(const json_t *states, const char *who, cj__references *refs)
{
    for (size_t i = 0; i < json_array_size(states); i++) {
        const json_t *one = json_array_get(states, i);
        if (!json_is_null(one))
            CJ_TRY(collect(one, who, refs));
    }
    return json_is_array(states) ? CJ_OK : collect(states, who, refs);
}

// Collects the tensors of a dictionary in the order of its keys.
static cj_status collect_keyed(const json_t *argument, const char *const *keys, const char *who,
                               cj__references *refs)
{
    size_t found = 0;
    for (; *keys && json_object_get(argument, *keys); keys++, found++)
        CJ_TRY(collect(json_object_get(argument, *keys), who, refs));
    if (found == json_object_size(argument))
        return CJ_OK;
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: an application gives it a dictionary with keys that it does not take",
                    who);
}

// The place of a name in a list that NULL ends; -1 if it is not there, or there is no list.
static int place_of(const char *const *names, const char *name, size_t length)
{
    for (int i = 0; names && names[i]; i++)
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
            return i;
    return -1;
}

// Whether a name is that of a mask, which layers pass on by themselves: "mask", or "query_mask" for
// the argument "query".
static bool names_mask(const cj__layer_kind *kind, const char *key)
{
    const size_t length = strlen(key), behind = strlen("_mask");
    if (strcmp(key, "mask") == 0)
        return true;
    return kind && length > behind && strcmp(key + length - behind, "_mask") == 0 &&
           place_of(kind->arguments, key, length - behind) >= 0;
}

// Named arguments of an application: masks are checked elsewhere, "training" may say what is done
// anyway, an "initial_state", or "states" of a cell, are further inputs, and some are settings or inputs of the kind, which
// may be NULL. Others would change the result.
static cj_status read_arguments(const json_t *arguments, const char *who,
                                const cj__layer_kind *kind, cj__references *refs)
{
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)arguments, key, value) {
        const bool setting = kind && place_of(kind->call_settings, key, strlen(key)) >= 0,
                   input = kind && place_of(kind->arguments, key, strlen(key)) >= 0;
        const bool usual = json_is_null(value) || names_mask(kind, key) || input ||
                           (setting && json_is_boolean(value)) ||
                           (strcmp(key, "training") == 0 &&
                            (json_is_false(value) || (kind && kind->any_training)));
        const char *more_inputs = kind && kind->more_inputs ? kind->more_inputs : "initial_state";
        const bool more = strcmp(key, more_inputs) == 0;
        if (!usual && refs && more)
            CJ_TRY(collect_states(value, who, refs));
        else if (!usual)
            return cj__fail(CJ_UNSUPPORTED,
                            "%s: an application gives it \"%.100s\", which is not supported", who,
                            key);
    }
    return CJ_OK;
}

static cj_status add_old_reference(cj__references *refs, const json_t *triple, const char *who)
{
    CJ_TRY(read_arguments(json_array_get(triple, 3), who, NULL, NULL));
    return add_reference(refs, triple, who);
}

// A triple, or a list of triples and lists: layers with states in groups give them as a list each.
static cj_status collect_old(cj__references *refs, const json_t *object, const char *who)
{
    if (!json_is_array(json_array_get(object, 0)))
        return add_old_reference(refs, object, who);
    for (size_t i = 0; i < json_array_size(object); i++)
        CJ_TRY(collect_old(refs, json_array_get(object, i), who));
    return CJ_OK;
}

// Adds the inputs that are named arguments, in the kind's order. One that is left out before
// another is the one before it: a key is the value.
static cj_status add_named(cj__references *refs, const json_t *arguments, const char *const *names,
                           const char *who)
{
    for (int i = 0; names && names[i]; i++) {
        const json_t *value = json_object_get(arguments, names[i]);
        if (!value || json_is_null(value))
            continue;
        if (refs->count == 0 && i > 0)
            return cj__fail(CJ_BAD_FILE, "%s: an application gives it no \"%s\"", who, names[0]);
        while (refs->count < i)
            CJ_TRY(add_item(refs, refs->items[refs->count - 1], NULL));
        CJ_TRY(collect(value, who, refs));
    }
    return CJ_OK;
}

// The positional arguments of a call that are inputs: behind them a mask may follow.
static size_t inputs_end(const cj__layer_kind *kind)
{
    if (!kind || !kind->given_masks || kind->arguments)
        return SIZE_MAX;
    return kind->more_inputs ? 2 : 1;
}

cj_status cj__references_read_node(const json_t *object, const char *who,
                                   const cj__layer_kind *kind, cj__references *refs)
{
    refs->count = 0;
    if (json_is_object(object)) {
        const json_t *args = json_object_get(object, "args"),
                     *named = json_object_get(object, "kwargs");
        const size_t inputs = inputs_end(kind);
        for (size_t i = 0; i < json_array_size(args) && i < inputs; i++) {
            const json_t *one = json_array_get(args, i);
            if (kind && kind->input_keys && json_is_object(one) &&
                !json_object_get(one, "class_name"))
                CJ_TRY(collect_keyed(one, kind->input_keys, who, refs));
            else if (!json_is_null(one))
                CJ_TRY((i == 1 && kind && kind->more_inputs ? collect_states : collect)(one, who,
                                                                                        refs));
        }
        CJ_TRY(read_arguments(named, who, kind, refs));
        return add_named(refs, named, kind ? kind->arguments : NULL, who);
    }
    return json_array_size(object) > 0 || !json_is_array(object) ? collect_old(refs, object, who) :
                                                                   CJ_OK;
}

cj_status cj__references_add(cj__references *refs, const json_t *tensor, const char *who)
{
    return collect(tensor, who, refs);
}

cj_status cj__references_read_operands(cj_layer *layer, const json_t *call, cj__references *refs)
{
    const json_t **operands = NULL;
    int count = 0;
    refs->count = 0;
    cj_status status = cj__operation_read_node(layer, call, &operands, &count);
    for (int i = 0; i < count && status == CJ_OK; i++) {
        const char *class_name = cj__json_text_at(operands[i], "class_name");
        if (class_name && strcmp(class_name, "__keras_tensor__") == 0)
            status = collect(operands[i], cj_layer_name(layer), refs);
        else
            status = add_item(refs, NULL, operands[i]);
    }
    cj__free(operands);
    return status;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

cj_status cj__references_read_named(const json_t *ends, cj__references *refs)
{
    const char **keys = cj__new(json_object_size(ends), sizeof *keys), *key;
    json_t *triple;
    size_t count = 0;
    refs->count = 0;
    if (!keys)
        return CJ_OUT_OF_MEMORY;
    json_object_foreach ((json_t *)(uintptr_t)ends, key, triple)
        keys[count++] = key;
    qsort(keys, count, sizeof keys[0], compare_keys);
    cj_status status = CJ_OK;
    for (size_t i = 0; i < count && status == CJ_OK; i++)
        status = add_reference(refs, json_object_get(ends, keys[i]), "the model");
    cj__free(keys);
    return status;
}

void cj__references_free(cj__references *refs)
{
    cj__free(refs->items);
    cj__free(refs->literals);
}
