// Masks in Keras's graphs. Keras 3 writes the mask of Embedding(mask_zero=True) twice: as the
// layer's setting, and as an operation NotEqual(words, 0) whose result later layers are given as
// their argument "mask". Here layers pass masks on by themselves, so the operation is left out,
// once it is clear that it says what the setting says.
#include "base/error.h"
#include "formats/json_model.h"

#include <stdio.h>
#include <string.h>

const json_t *cj__json_layer_named(const cj__json_layers *layers, const char *name)
{
    const json_t *place = json_object_get(layers->index, name);
    return place ? json_array_get(layers->objects, (size_t)json_integer_value(place)) : NULL;
}

bool cj__json_makes_mask(const json_t *object)
{
    const char *class_name = json_string_value(json_object_get(object, "class_name"));
    return class_name && strcmp(class_name, "NotEqual") == 0;
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

// What a mask is made of: the history of `words` in NotEqual(words, 0); NULL if it is made in
// another way.
static const json_t *masked_words(const cj__json_layers *layers, const json_t *history)
{
    const char *name = json_string_value(json_array_get(history, 0));
    const json_t *object = name ? cj__json_layer_named(layers, name) : NULL;
    const json_int_t node = json_integer_value(json_array_get(history, 1));
    if (!object || !cj__json_makes_mask(object) || node < 0)
        return NULL;
    const json_t *arguments = arguments_of(object, (size_t)node);
    const json_t *zero = json_array_get(arguments, 1);
    return json_is_number(zero) && !(json_number_value(zero) < 0) &&
                   !(json_number_value(zero) > 0) ?
               history_of(json_array_get(arguments, 0)) :
               NULL;
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
    const json_t *words = masked_words(layers, history_of(mask));
    return words && is_embedded(layers, words) ?
               CJ_OK :
               cj__fail(CJ_UNSUPPORTED,
                        "%s: its mask is not one that an embedding with mask_zero makes", who);
}

cj_status cj__json_check_masks(const cj__json_layers *layers, const json_t *node,
                               const cj__layer_kind *kind, const char *who)
{
    const json_t *named = json_object_get(node, "kwargs");
    CJ_TRY(check_mask(layers, json_object_get(named, "mask"), who));
    for (int i = 0; kind->arguments && kind->arguments[i]; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s_mask", kind->arguments[i]);
        CJ_TRY(check_mask(layers, json_object_get(named, key), who));
    }
    return CJ_OK;
}
