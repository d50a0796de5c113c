// Settings of one application of a layer, which in Keras are arguments of the call: bools by the names
// of the kind's call_settings.
#include "base/error.h"
#include "base/text.h"
#include "layers/layer.h"

#include <stdio.h>
#include <string.h>

static int count_of(const cj__layer_kind *kind)
{
    int count = 0;
    while (kind->call_settings && kind->call_settings[count])
        count++;
    return count;
}

static int place_of(const cj__layer_kind *kind, const char *name, size_t length)
{
    const int count = count_of(kind);
    for (int i = 0; i < count; i++)
        if (strlen(kind->call_settings[i]) == length &&
            strncmp(kind->call_settings[i], name, length) == 0)
            return i;
    return -1;
}

uint32_t cj__call_settings_on(const cj_layer *layer, cj__call_settings settings)
{
    const int count = count_of(layer->kind);
    uint32_t on = settings.on & settings.given;
    for (int i = 0; i < count; i++) {
        const bool *own = cj__layer_setting(layer, layer->kind->call_settings[i]);
        if (!(settings.given >> i & 1) && own && *own)
            on |= 1u << i;
    }
    return on;
}

uint32_t cj__call_setting_bit(const cj__layer_kind *kind, const char *name)
{
    const int place = place_of(kind, name, strlen(name));
    return place < 0 ? 0 : 1u << place;
}

bool cj__call_setting_in(const cj__layer_kind *kind, uint32_t on, const char *name)
{
    return (on & cj__call_setting_bit(kind, name)) != 0;
}

bool cj__called_with(const cj__layer_context *context, const char *name)
{
    return cj__call_setting_in(context->layer->kind, context->called, name);
}

static cj_status fail_unknown(const cj_layer *layer, const char *name, size_t length)
{
    char shown[64];
    const int count = count_of(layer->kind);
    snprintf(shown, sizeof shown, "%.*s", length < 40 ? (int)length : 40, name);
    if (count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s has no call setting \"%s\", nor any other",
                        layer->name, layer->kind->choice.class_name, shown);
    return cj__fail_in(cj__fail_unknown(CJ_INVALID_ARGUMENT, "call setting", shown,
                                        layer->kind->call_settings, sizeof(char *), count),
                       "%s", layer->name);
}

// Whether a value is what stands between "=" and the next ",".
static bool is_value(const char *value, const char *text, size_t length)
{
    return strlen(value) == length && strncmp(value, text, length) == 0;
}

static cj_status read_one(const cj_layer *layer, const char *at, size_t length,
                          cj__call_settings *settings)
{
    const char *equals = memchr(at, '=', length), *value = equals ? equals + 1 : "true";
    size_t name = equals ? (size_t)(equals - at) : length,
           rest = equals ? length - name - 1 : strlen(value);
    while (name > 0 && at[name - 1] == ' ')
        name--;
    for (; rest > 0 && *value == ' '; value++)
        rest--;
    const int place = place_of(layer->kind, at, name);
    if (place < 0)
        return fail_unknown(layer, at, name);
    if (!is_value("true", value, rest) && !is_value("false", value, rest))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: call setting %s is \"%.*s\", needs true or false",
                        layer->name, layer->kind->call_settings[place], rest < 40 ? (int)rest : 40,
                        value);
    if (settings->given >> place & 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: call setting %s is given twice", layer->name,
                        layer->kind->call_settings[place]);
    settings->given |= 1u << place;
    if (is_value("true", value, rest))
        settings->on |= 1u << place;
    return CJ_OK;
}

cj_status cj__call_settings_read(const cj_layer *layer, const char *text,
                                 cj__call_settings *settings)
{
    while (text && *text) {
        size_t length = strcspn(text, ",");
        const char *next = text[length] ? text + length + 1 : "";
        while (length > 0 && text[length - 1] == ' ')
            length--;
        for (; length > 0 && *text == ' '; text++)
            length--;
        CJ_TRY(read_one(layer, text, length, settings));
        text = next;
    }
    return CJ_OK;
}
