// Masks in Keras's graphs. Keras 3 writes the mask of Embedding(mask_zero=True) twice: as the
// layer's setting, and as an operation NotEqual(words, 0) whose result later layers are given as
// their argument "mask"; that of Masking(value) as Any(NotEqual(x, value)), and what merging layers
// make of masks from LogicalOr and others. Here layers pass masks on by themselves, so these
// operations are left out, once it is clear that they begin with what the settings say.
#include "base/error.h"
#include "formats/json_model.h"
#include "layers/operation.h"

#include <stdio.h>
#include <string.h>

const json_t *cj__json_layer_named(const cj__json_layers *layers, const char *name)
{
    const json_t *place = json_object_get(layers->index, name);
    return place ? json_array_get(layers->objects, (size_t)json_integer_value(place)) : NULL;
}

// What merging layers make masks of masks with.
static bool joins_masks(const json_t *object)
{
    static const char *const classes[] = {"LogicalOr", "Concatenate", "ExpandDims",     "Any",
                                          "ZerosLike", "OnesLike",    "ConvertToTensor"};
    const char *class_name = json_string_value(json_object_get(object, "class_name")),
               *module = json_string_value(json_object_get(object, "module"));
    if (!class_name || !module || strncmp(module, "keras.src.ops.", 14) != 0)
        return false;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(class_name, classes[i]) == 0)
            return true;
    return false;
}

bool cj__json_makes_mask(const json_t *object)
{
    const char *class_name = json_string_value(json_object_get(object, "class_name"));
    return class_name && (strcmp(class_name, "NotEqual") == 0 || joins_masks(object));
}

// ["layer", node, output] of a tensor; NULL if it is something else.
static const json_t *history_of(const json_t *tensor)
{
    return json_object_get(json_object_get(tensor, "config"), "keras_history");
}

static const json_t *arguments_of(const json_t *object, size_t node)
{
    return json_object_get(json_array_get(json_object_get(object, "inbound_nodes"), node), "args");
}

static bool is_class(const json_t *object, const char *name)
{
    const char *class_name = json_string_value(json_object_get(object, "class_name"));
    return class_name && strcmp(class_name, name) == 0;
}

// The arguments of the operation that makes a tensor, if it is of that class; else NULL.
static const json_t *arguments_of_maker(const cj__json_layers *layers, const json_t *history,
                                        const char *class_name)
{
    const char *name = json_string_value(json_array_get(history, 0));
    const json_t *object = name ? cj__json_layer_named(layers, name) : NULL;
    const json_int_t node = json_integer_value(json_array_get(history, 1));
    return object && is_class(object, class_name) && node >= 0 ?
               arguments_of(object, (size_t)node) :
               NULL;
}

// Whether an embedding with mask_zero, or a Masking layer of that value, reads what the mask was
// made of.
static bool makes(const json_t *object, const json_t *source, const json_t *value, bool any)
{
    const json_t *config = json_object_get(object, "config");
    const json_t *own = json_object_get(config, "mask_value");
    const bool masking = is_class(object, "Masking");
    const double needed = masking && own ? json_number_value(own) : 0;
    const size_t nodes = json_array_size(json_object_get(object, "inbound_nodes"));
    if (masking != any || json_number_value(value) < needed || json_number_value(value) > needed)
        return false;
    for (size_t node = 0; node < nodes; node++)
        if (json_equal(history_of(json_array_get(arguments_of(object, node), 0)), source))
            return true;
    return false;
}

// What a mask was made of, if an embedding or a Masking layer makes it.
static const json_t *source_of(const cj__json_layers *layers, const json_t *history)
{
    const json_t *any = arguments_of_maker(layers, history, "Any");
    const json_t *compared =
        arguments_of_maker(layers, any ? history_of(json_array_get(any, 0)) : history, "NotEqual");
    const json_t *source = history_of(json_array_get(compared, 0));
    const json_t *value = json_array_get(compared, 1);
    if (!source || !json_is_number(value))
        return NULL;
    for (size_t i = 0; i < json_array_size(layers->maskers); i++)
        if (makes(json_array_get(layers->maskers, i), source, value, any))
            return source;
    return NULL;
}

static bool is_known(const cj__json_layers *layers, const json_t *history)
{
    return source_of(layers, history) != NULL;
}

enum { OPERATIONS_MAX = 4096 }; // looked at for one mask

static bool are_masks(const cj__json_layers *layers, const json_t *arguments, int *left);

// Whether what has this history is a mask of an embedding, or is joined from such.
static bool is_mask(const cj__json_layers *layers, const json_t *history, int *left)
{
    const char *name = json_string_value(json_array_get(history, 0));
    const json_t *object = name ? cj__json_layer_named(layers, name) : NULL;
    const json_int_t node = json_integer_value(json_array_get(history, 1));
    if (!object || node < 0 || --*left < 0 || !cj__json_makes_mask(object))
        return false;
    const char *class_name = json_string_value(json_object_get(object, "class_name"));
    const json_t *arguments = arguments_of(object, (size_t)node);
    if (strcmp(class_name, "NotEqual") == 0 || is_known(layers, history))
        return is_known(layers, history);
    if (strcmp(class_name, "ZerosLike") == 0 || strcmp(class_name, "OnesLike") == 0)
        return true;
    return are_masks(layers, arguments, left);
}

// The same of each tensor in a list of arguments, which may be lists of tensors.
static bool are_masks(const cj__json_layers *layers, const json_t *arguments, int *left)
{
    for (size_t i = 0; i < json_array_size(arguments); i++) {
        const json_t *argument = json_array_get(arguments, i);
        if (--*left < 0 || (json_is_array(argument) ? !are_masks(layers, argument, left) :
                                                      !is_mask(layers, history_of(argument), left)))
            return false;
    }
    return json_array_size(arguments) != 0;
}

bool cj__json_is_mask(const cj__json_layers *layers, const json_t *tensor, const json_t **source)
{
    int left = OPERATIONS_MAX;
    const json_t *history = history_of(tensor);
    *source = source_of(layers, history);
    return is_mask(layers, history, &left);
}

static cj_status check_mask(const cj__json_layers *layers, const json_t *mask, const char *who)
{
    if (!mask || json_is_null(mask))
        return CJ_OK;
    if (json_is_array(mask)) { // one for each input
        for (size_t i = 0; i < json_array_size(mask); i++)
            CJ_TRY(json_is_array(json_array_get(mask, i)) ?
                       cj__fail(CJ_BAD_FILE, "%s: its masks are nested lists", who) :
                       check_mask(layers, json_array_get(mask, i), who));
        return CJ_OK;
    }
    int left = OPERATIONS_MAX;
    return is_mask(layers, history_of(mask), &left) ?
               CJ_OK :
               cj__fail(CJ_UNSUPPORTED,
                        "%s: its mask is not one that Masking or an embedding with mask_zero makes",
                        who);
}

cj_status cj__json_check_masks(const cj__json_layers *layers, const json_t *node,
                               const cj__layer_kind *kind, const char *who)
{
    const json_t *named = json_object_get(node, "kwargs");
    if (kind == &cj__layer_operation || kind->given_masks) // its operand; see json_given_masks.c
        return CJ_OK;
    CJ_TRY(check_mask(layers, json_object_get(named, "mask"), who));
    for (int i = 0; kind->arguments && kind->arguments[i]; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s_mask", kind->arguments[i]);
        CJ_TRY(check_mask(layers, json_object_get(named, key), who));
    }
    return CJ_OK;
}
