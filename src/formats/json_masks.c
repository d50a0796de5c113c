// Masks in Keras's graphs. Keras 3 writes the mask of Embedding(mask_zero=True) twice: as the
// layer's setting, and as an operation NotEqual(words, 0) whose result later layers are given as
// their argument "mask"; so too what merging layers make of masks, from LogicalOr and others. Here
// layers pass masks on by themselves, so these operations are left out, once it is clear that they
// begin with what the settings say.
#include "base/error.h"
#include "formats/json_model.h"

#include <string.h>

const json_t *cj__json_layer_named(const cj__json_layers *layers, const char *name)
{
    const json_t *place = json_object_get(layers->index, name);
    return place ? json_array_get(layers->objects, (size_t)json_integer_value(place)) : NULL;
}

// What merging layers make masks of masks with.
static bool joins_masks(const json_t *object)
{
    static const char *const classes[] = {"LogicalOr", "Concatenate", "ExpandDims",
                                          "Any",       "ZerosLike",   "OnesLike"};
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

// Whether an embedding with mask_zero reads these words.
static bool is_embedded(const cj__json_layers *layers, const json_t *words)
{
    for (size_t i = 0; i < json_array_size(layers->embeddings); i++) {
        const json_t *object = json_array_get(layers->embeddings, i);
        const size_t nodes = json_array_size(json_object_get(object, "inbound_nodes"));
        for (size_t node = 0; node < nodes; node++)
            if (json_equal(history_of(json_array_get(arguments_of(object, node), 0)), words))
                return true;
    }
    return false;
}

// The words in NotEqual(words, 0), as a history; NULL if the arguments are others.
static const json_t *words_of(const json_t *arguments)
{
    const json_t *zero = json_array_get(arguments, 1);
    return json_is_number(zero) && !(json_number_value(zero) < 0) &&
                   !(json_number_value(zero) > 0) ?
               history_of(json_array_get(arguments, 0)) :
               NULL;
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
    if (strcmp(class_name, "NotEqual") == 0) {
        const json_t *words = words_of(arguments);
        return words && is_embedded(layers, words);
    }
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

cj_status cj__json_check_mask(const cj__json_layers *layers, const json_t *node, const char *who)
{
    const json_t *mask = json_object_get(json_object_get(node, "kwargs"), "mask");
    if (!mask || json_is_null(mask))
        return CJ_OK;
    int left = OPERATIONS_MAX;
    return is_mask(layers, history_of(mask), &left) ?
               CJ_OK :
               cj__fail(CJ_UNSUPPORTED,
                        "%s: its mask is not one that an embedding with mask_zero makes", who);
}
