// Configs of Keras: their keys are fields of ours, older names of these, settings that Cajal has
// with one value only, or settings that change nothing here. Nothing else is ignored in silence.
#include "formats/json_fields.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/warning.h"

#include <string.h>

// Keys that any config may have. Those of models and inputs are read where they belong.
static const cj__config_key common_keys[] = {
    CJ__KEY_HARMLESS("batch_input_shape"),
    CJ__KEY_HARMLESS("batch_shape"),
    CJ__KEY_HARMLESS("input_shape"), // read where it counts, at a model's first layer
    CJ__KEY_HARMLESS("input_dtype"),
    CJ__KEY_HARMLESS("autocast"),
    CJ__KEY_ONLY("quantization_config", "null"),
    CJ__KEY_ONLY("activity_regularizer", "null"),
    CJ__KEY_ONLY("weights", "null"),
    CJ__KEY_HARMLESS("name"),
    CJ__KEY_HARMLESS("trainable"),
    CJ__KEY_HARMLESS("dtype"),
    {.key = NULL},
};

static const cj__field *find_field(const cj__config *what, const char *key)
{
    for (int i = 0; i < what->field_count; i++)
        if (strcmp(what->fields[i].key, key) == 0)
            return &what->fields[i];
    return NULL;
}

static const cj__config_key *find_key(const cj__config_key *keys, const char *key)
{
    for (; keys && keys->key; keys++)
        if (strcmp(keys->key, key) == 0)
            return keys;
    return NULL;
}

// Whether a value is what `only` says: "null", "false", "0", or a text.
static bool is_only(const json_t *value, const char *only)
{
    double number = 0;
    const char *text = json_string_value(value);
    if (json_is_boolean(value))
        return strcmp(only, json_is_true(value) ? "true" : "false") == 0;
    if (json_is_number(value))
        return cj__number_parse(only, &number) && !(json_number_value(value) < number) &&
               !(json_number_value(value) > number);
    return json_is_null(value) || (text && strcmp(text, only) == 0);
}

static cj_status refuse(const cj__config_key *key, const json_t *value, const char *who)
{
    char *given = cj__json_print(value, JSON_COMPACT);
    if (!given)
        return CJ_OUT_OF_MEMORY;
    const bool none = strcmp(key->only, "null") == 0;
    const cj_status status =
        cj__fail(CJ_UNSUPPORTED,
                 none ? "%s: this version has no \"%s\"; %.200s was given" :
                        "%s: this version has \"%s\" not as %.200s, only as %s",
                 who, key->key, given, key->only);
    cj__free(given);
    return status;
}

// A key that nothing is known of: refused if a field of nearly that name is meant, else warned of.
static cj_status unknown(const cj__config *what, const char *key, const json_t *value,
                         const char *who)
{
    const char *near = cj__nearest(key, what->fields, sizeof what->fields[0], what->field_count);
    if (near)
        return cj__fail(CJ_BAD_FILE, "%s: unknown setting \"%.100s\": did you mean \"%s\"?", who,
                        key, near);
    if (!json_is_null(value))
        cj__warn("%s: the setting \"%.100s\" is unknown and has no effect", who, key);
    return CJ_OK;
}

// The field that a key means, and which part of it; NULL for what has no effect.
static cj_status meaning(const cj__config *what, const json_t *config, const char *key,
                         const char *who, const cj__field **field, int *part)
{
    const json_t *value = json_object_get(config, key);
    *part = 0;
    *field = find_field(what, key);
    if (*field)
        return CJ_OK;
    const cj__config_key *known = find_key(what->keys, key);
    known = known ? known : find_key(common_keys, key);
    if (known && known->field) {
        *field = find_field(what, known->field);
        *part = known->part;
        if (*field && json_object_get(config, known->field))
            return cj__fail(CJ_BAD_FILE, "%s: \"%s\" is given twice, also by its older name \"%s\"",
                            who, known->field, key);
        if (*field)
            return CJ_OK;
    }
    if (known && !known->field)
        return !known->only || is_only(value, known->only) ? CJ_OK : refuse(known, value, who);
    return unknown(what, key, value, who);
}

cj_status cj__config_read(const cj__config *what, const json_t *config, void *args,
                          cj__texts *texts, const char *who)
{
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)config, key, value) {
        const cj__field *field = NULL;
        int part = 0;
        CJ_TRY(meaning(what, config, key, who, &field, &part));
        if (field && args && strcmp(field->key, "dtype") != 0) // the policy is read elsewhere
            CJ_TRY(cj__field_from_json(field, part, value, args, texts, who));
    }
    return CJ_OK;
}

cj_status cj__config_check(const cj__config *what, const json_t *config, const char *who)
{
    return cj__config_read(what, config, NULL, NULL, who);
}
