// Masks in Keras's graphs. Keras 3 writes the mask of Embedding(mask_zero=True) twice: as the
// layer's setting, and as an operation NotEqual(words, 0) whose result later layers are given as
// their argument "mask"; that of Masking(value) as Any(NotEqual(x, value)). Here layers pass masks
// on by themselves, so the operations are left out, once it is clear that they say what the
// settings say.
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
    return class_name && (strcmp(class_name, "NotEqual") == 0 || strcmp(class_name, "Any") == 0);
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

static bool is_known(const cj__json_layers *layers, const json_t *history)
{
    const json_t *any = arguments_of_maker(layers, history, "Any");
    const json_t *compared =
        arguments_of_maker(layers, any ? history_of(json_array_get(any, 0)) : history, "NotEqual");
    const json_t *source = history_of(json_array_get(compared, 0));
    const json_t *value = json_array_get(compared, 1);
    if (!source || !json_is_number(value))
        return false;
    for (size_t i = 0; i < json_array_size(layers->maskers); i++)
        if (makes(json_array_get(layers->maskers, i), source, value, any))
            return true;
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
    return is_known(layers, history_of(mask)) ?
               CJ_OK :
               cj__fail(CJ_UNSUPPORTED,
                        "%s: its mask is not one that Masking or an embedding with mask_zero makes",
                        who);
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
