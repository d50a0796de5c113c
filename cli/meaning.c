// See meaning.h. The architecture is read from the model's JSON, as any other program would.
#include "meaning.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : "";
}

static const json_t *layer_named(const json_t *layers, const char *name)
{
    size_t i;
    json_t *layer;
    json_array_foreach ((json_t *)(uintptr_t)layers, i, layer) {
        const json_t *config = json_object_get(layer, "config");
        if (strcmp(text_of(layer, "name"), name) == 0 || strcmp(text_of(config, "name"), name) == 0)
            return layer;
    }
    return NULL;
}

// Keras writes one output as ["name", 0, 0] or [["name", 0, 0]], several as a list of these.
static const char *output_name(const json_t *outputs, int index)
{
    const json_t *first = json_array_get(outputs, 0);
    if (json_is_array(first))
        first = json_array_get(json_array_get(outputs, (size_t)index), 0);
    return json_is_string(first) ? json_string_value(first) : "";
}

// The layer that makes output `index`, inside nested models too.
static const json_t *last_layer(const json_t *model, int index)
{
    const json_t *config = json_object_get(model, "config");
    const json_t *layers = json_object_get(config, "layers");
    const json_t *outputs = json_object_get(config, "output_layers");
    if (!layers)
        return model;
    const json_t *last = outputs ? layer_named(layers, output_name(outputs, index)) :
                                   json_array_get(layers, json_array_size(layers) - 1);
    return last ? last_layer(last, 0) : NULL;
}

static meaning by_activation(const json_t *layer)
{
    const json_t *config = json_object_get(layer, "config");
    const char *class_name = text_of(layer, "class_name");
    const char *activation = text_of(config, "activation");
    if (strcmp(class_name, "Softmax") == 0 || strcmp(activation, "softmax") == 0)
        return MEANING_CLASSES;
    if (strcmp(activation, "sigmoid") == 0)
        return MEANING_PROBABILITIES;
    return MEANING_VALUES;
}

meaning meaning_of_output(cj_model *model, int index)
{
    char *text = NULL;
    if (cj_model_to_json(model, &text) != CJ_OK)
        return MEANING_VALUES;
    json_t *json = json_loads(text, 0, NULL);
    cj_free(text);
    const meaning found = by_activation(last_layer(json, index));
    json_decref(json);
    const char *loss = cj_model_loss(model, index);
    if (found != MEANING_VALUES || !loss || !strstr(loss, "from_logits"))
        return found;
    return strstr(loss, "categorical") ? MEANING_LOGITS :
           strstr(loss, "binary")      ? MEANING_ONE_LOGIT :
                                         found;
}
