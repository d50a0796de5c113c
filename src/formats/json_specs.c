// Specs of a catalog in configs: "relu", {"class_name": "L2", "config": {"l2": 0.01}}.
#include "formats/json_fields.h"
#include "formats/json_operations.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "layers/layer.h"
#include "layers/operation.h"

#include <stdio.h>
#include <string.h>

void cj__texts_free(cj__texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        cj__free(texts->items[i]);
    cj__free(texts->items);
    *texts = (cj__texts){0};
}

const char *cj__texts_keep(cj__texts *texts, char *text)
{
    if (!text ||
        !cj__reserve((void **)&texts->items, &texts->capacity, texts->count + 1, sizeof(char *))) {
        cj__free(text);
        return NULL;
    }
    return texts->items[texts->count++] = text;
}

void *cj__texts_room(cj__texts *texts, size_t count, size_t size)
{
    char *room = cj__new(count, size);
    if (!room ||
        !cj__reserve((void **)&texts->items, &texts->capacity, texts->count + 1, sizeof(char *))) {
        cj__free(room);
        return NULL;
    }
    return texts->items[texts->count++] = room;
}

static const cj__field *field_named(const cj__choice *choice, const char *key)
{
    for (int i = 0; i < choice->field_count; i++)
        if (strcmp(choice->fields[i].key, key) == 0)
            return &choice->fields[i];
    return NULL;
}

static size_t size_of_field(const cj__field *field)
{
    return field->kind == CJ__FIELD_BOOL                                     ? sizeof(bool) :
           field->kind == CJ__FIELD_INT32                                    ? sizeof(int) :
           field->kind == CJ__FIELD_NUMBER || field->kind == CJ__FIELD_LIMIT ? sizeof(double) :
                                                                               sizeof(int64_t);
}

// ---- Writing ----

static const cj__layer_kind *kind_named(const char *name)
{
    for (const cj__layer_kind *const *kind = cj__layer_kinds; *kind; kind++)
        if (strcmp((*kind)->choice.name, name) == 0)
            return *kind;
    return NULL;
}

// An activation with settings as the layer of its name, which Keras reads; NULL without a failure
// if there is no such layer.
static json_t *activation_as_layer(cj__json *b, const cj__chosen *chosen)
{
    _Alignas(16) unsigned char args[CJ__ARGS_MAX] = {0};
    const cj__layer_kind *kind = kind_named(chosen->choice->name);
    if (!kind || kind->choice.args_size > sizeof args)
        return NULL;
    memcpy(args, kind->choice.defaults, kind->choice.args_size);
    for (int i = 0; i < chosen->choice->field_count; i++) {
        const cj__field *from = &chosen->choice->fields[i];
        const cj__field *to = field_named(&kind->choice, from->key);
        if (!to || to->kind != from->kind)
            return NULL;
        memcpy(args + to->offset, chosen->args + from->offset, size_of_field(from));
    }
    json_t *config = cj__json_object(b), *object = cj__json_object(b);
    cj__fields_to_json(b, kind->choice.fields, kind->choice.field_count, args, config);
    cj__json_set(b, object, "module", cj__json_text(b, "keras.layers"));
    cj__json_set(b, object, "class_name", cj__json_text(b, kind->choice.class_name));
    cj__json_set(b, object, "config", config);
    cj__json_set(b, object, "registered_name", cj__json_null(b));
    return object;
}

// An activation with settings as Keras's operation, which Keras calls like any function; NULL without a
// failure if it has none.
static json_t *activation_as_operation(cj__json *b, const cj__chosen *chosen)
{
    const cj__word *word = cj__word_of_activation(chosen->choice->name);
    if (!word || chosen->choice->field_count == 0)
        return NULL;
    json_t *config = cj__json_object(b), *object = cj__json_object(b);
    cj__fields_to_json(b, chosen->choice->fields, chosen->choice->field_count, chosen->args,
                       config);
    cj__json_set(b, object, "module", cj__json_text(b, word->module));
    cj__json_set(b, object, "class_name", cj__json_text(b, word->choice.class_name));
    cj__json_set(b, object, "config", config);
    cj__json_set(b, object, "registered_name", cj__json_text(b, word->choice.class_name));
    return object;
}

// A name, a layer, an operation, or, for settings that none of these has, the spec.
static json_t *activation_to_json(cj__json *b, const cj__chosen *chosen)
{
    char *text = cj__spec_text(chosen->choice, chosen->args);
    json_t *value = NULL;
    if (!text)
        b->status = CJ_OUT_OF_MEMORY;
    else if (strcmp(text, chosen->choice->name) != 0)
        value = activation_as_layer(b, chosen);
    if (!value && strcmp(text ? text : "", chosen->choice->name) != 0)
        value = activation_as_operation(b, chosen);
    if (!value)
        value = cj__json_text(b, text);
    cj__free(text);
    return value;
}

static json_t *choice_to_json(cj__json *b, const cj__catalog *catalog, const cj__chosen *chosen)
{
    char module[64];
    json_t *config = cj__json_object(b), *object = cj__json_object(b);
    cj__fields_to_json(b, chosen->choice->fields, chosen->choice->field_count, chosen->args,
                       config);
    if (catalog->module)
        snprintf(module, sizeof module, "%.60s", catalog->module);
    else
        snprintf(module, sizeof module, "keras.%.40ss", catalog->what);
    cj__json_set(b, object, "module", cj__json_text(b, module));
    cj__json_set(b, object, "class_name", cj__json_text(b, chosen->choice->class_name));
    cj__json_set(b, object, "config", config);
    cj__json_set(b, object, "registered_name", cj__json_null(b));
    return object;
}

json_t *cj__spec_to_json(cj__json *b, const cj__catalog *catalog, const char *spec)
{
    cj__chosen chosen;
    if (!spec || !catalog)
        return cj__json_text(b, spec);
    if (b->status == CJ_OK)
        b->status = cj__spec_parse(catalog, spec, NULL, &chosen);
    if (b->status != CJ_OK)
        return NULL;
    json_t *value = !chosen.choice              ? cj__json_null(b) :
                    catalog == &cj__activations ? activation_to_json(b, &chosen) :
                                                  choice_to_json(b, catalog, &chosen);
    cj__chosen_free(&chosen);
    return value;
}

// ---- Reading ----

// The spec of a choice with the settings of a config.
static cj_status spec_of_config(const cj__catalog *catalog, const cj__choice *choice,
                                const json_t *config, const char **spec, cj__texts *texts,
                                const char *who)
{
    _Alignas(16) unsigned char args[CJ__ARGS_MAX] = {0};
    const cj__config what = {choice->fields, choice->field_count, catalog->keys};
    if (choice->args_size != 0)
        memcpy(args, choice->defaults, choice->args_size);
    CJ_TRY(cj__config_read(&what, config, args, texts, who));
    *spec = cj__texts_keep(texts, cj__spec_text(choice, args));
    return *spec ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// The activation that does what a layer with these arguments does: the one of its name. Settings
// that the activation does not have must be the layer's defaults.
static cj_status spec_of_layer(const cj__layer_kind *kind, const unsigned char *layer_args,
                               const char **spec, cj__texts *texts, const char *who)
{
    _Alignas(16) unsigned char args[CJ__ARGS_MAX] = {0};
    const cj__choice *layer = &kind->choice,
                     *choice = cj__catalog_find(&cj__activations, layer->name);
    if (!choice)
        return cj__fail_in(CJ_UNSUPPORTED, "%s", who);
    if (choice->args_size != 0)
        memcpy(args, choice->defaults, choice->args_size);
    for (int i = 0; i < layer->field_count; i++) {
        const cj__field *from = &layer->fields[i], *to = field_named(choice, from->key);
        const size_t size = size_of_field(from);
        const unsigned char *value = layer_args + from->offset;
        if (to && to->kind == from->kind)
            memcpy(args + to->offset, value, size);
        else if (from->kind != CJ__FIELD_TEXT &&
                 memcmp(value, (const unsigned char *)layer->defaults + from->offset, size) != 0)
            return cj__fail(CJ_UNSUPPORTED,
                            "%s: its activation %s has a %s, which is not supported", who,
                            layer->class_name, from->key);
    }
    *spec = cj__texts_keep(texts, cj__spec_text(choice, args));
    return *spec ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// An activation that is a layer: {"class_name": "LeakyReLU", "config": {"negative_slope": 0.1}}.
static cj_status activation_from_layer(const char *class_name, const json_t *config,
                                       const char **spec, cj__texts *texts, const char *who)
{
    const cj__layer_kind *kind = cj__layer_kind_find(class_name);
    _Alignas(16) unsigned char args[CJ__ARGS_MAX] = {0};
    if (!kind || kind->choice.args_size > sizeof args)
        return cj__fail(CJ_UNSUPPORTED, "%s: its activation is a %.100s, which is not supported",
                        who, class_name);
    const cj__config what = {kind->choice.fields, kind->choice.field_count, kind->keys};
    memcpy(args, kind->choice.defaults, kind->choice.args_size);
    CJ_TRY(cj__config_read(&what, config, args, texts, who));
    if (kind != &cj__layer_activation)
        return spec_of_layer(kind, args, spec, texts, who);
    memcpy(spec, args + field_named(&kind->choice, "activation")->offset, sizeof *spec);
    return CJ_OK;
}

// An activation that is an operation: {"module": "keras.src.ops.nn", "class_name": "Gelu", ...}.
static cj_status activation_from_operation(const json_t *value, const char **spec, cj__texts *texts,
                                           const char *who)
{
    const cj__word *word = cj__word_find(json_string_value(json_object_get(value, "module")),
                                         json_string_value(json_object_get(value, "class_name")));
    if (!word || word->catalog != &cj__activations)
        return word ?
                   cj__fail(CJ_UNSUPPORTED, "%s: its activation is the operation %s, which is none",
                            who, word->choice.class_name) :
                   cj__fail_in(CJ_UNSUPPORTED, "%s", who);
    return spec_of_config(&cj__activations, cj__word_settings(word),
                          json_object_get(value, "config"), spec, texts, who);
}

cj_status cj__spec_from_json(const cj__catalog *catalog, const json_t *value, const char **spec,
                             cj__texts *texts, const char *who)
{
    *spec = json_string_value(value);
    if (*spec || json_is_null(value) || !value)
        return CJ_OK;
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    const json_t *config = json_object_get(value, "config");
    if (!class_name) { // a regularizer of Keras 1: {"name": "WeightRegularizer", "l1", "l2"}
        class_name = json_string_value(json_object_get(value, "name"));
        config = value;
    }
    if (!class_name || !catalog)
        return cj__fail(CJ_BAD_FILE, "%s: an entry of its configuration has no class_name", who);
    if (strcmp(class_name, "function") == 0 && json_is_string(config)) {
        *spec = json_string_value(config);
        return CJ_OK;
    }
    if (catalog == &cj__activations && cj__json_is_operation(value))
        return activation_from_operation(value, spec, texts, who);
    if (catalog == &cj__activations)
        return activation_from_layer(class_name, config, spec, texts, who);
    const cj__choice *choice = cj__catalog_find(catalog, class_name);
    if (!choice)
        return cj__fail_in(CJ_UNSUPPORTED, "%s", who);
    return spec_of_config(catalog, choice, config, spec, texts, who);
}
