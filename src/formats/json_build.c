#include "formats/json_build.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

// Notes that a value could not be made.
static json_t *made(cj__json *b, json_t *value)
{
    if (!value && b->status == CJ_OK)
        b->status = cj__fail(CJ_OUT_OF_MEMORY, "out of memory: a JSON value could not be made");
    if (b->status == CJ_OK && ++b->values > CJ__JSON_VALUES_MAX)
        b->status = cj__fail(CJ_UNSUPPORTED, "JSON of more than %d values", CJ__JSON_VALUES_MAX);
    return value;
}

json_t *cj__json_object(cj__json *b)
{
    return b->status == CJ_OK ? made(b, json_object()) : NULL;
}

json_t *cj__json_list(cj__json *b)
{
    return b->status == CJ_OK ? made(b, json_array()) : NULL;
}

json_t *cj__json_text(cj__json *b, const char *text)
{
    if (b->status != CJ_OK)
        return NULL;
    if (!text)
        return made(b, json_null());
    if (cj__is_utf8(text, strlen(text)))
        return made(b, json_string_nocheck(text));
    b->status = cj__fail(CJ_INVALID_ARGUMENT, "\"%.100s\" is not text in UTF-8", text);
    return NULL;
}

json_t *cj__json_int(cj__json *b, int64_t number)
{
    return b->status == CJ_OK ? made(b, json_integer(number)) : NULL;
}

json_t *cj__json_real(cj__json *b, double number)
{
    if (!isfinite(number))
        return cj__json_null(b);
    return b->status == CJ_OK ? made(b, json_real(number)) : NULL;
}

json_t *cj__json_double(cj__json *b, double number)
{
    if (isfinite(number))
        return cj__json_real(b, number);
    return cj__json_text(b, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

double cj__json_double_value(const json_t *value)
{
    const char *text = json_string_value(value);
    if (text && strcmp(text, "Infinity") == 0)
        return INFINITY;
    if (text && strcmp(text, "-Infinity") == 0)
        return -INFINITY;
    return json_is_number(value) ? json_number_value(value) : NAN;
}

json_t *cj__json_bool(cj__json *b, bool truth)
{
    return b->status == CJ_OK ? made(b, json_boolean(truth)) : NULL;
}

json_t *cj__json_null(cj__json *b)
{
    return b->status == CJ_OK ? made(b, json_null()) : NULL;
}

void cj__json_set(cj__json *b, json_t *object, const char *key, json_t *value)
{
    if (!value || b->status != CJ_OK) {
        json_decref(value);
        made(b, NULL);
        return;
    }
    if (json_object_set_new_nocheck(object, key, value) != 0)
        made(b, NULL);
}

void cj__json_append(cj__json *b, json_t *list, json_t *value)
{
    if (!value || b->status != CJ_OK) {
        json_decref(value);
        made(b, NULL);
        return;
    }
    if (json_array_append_new(list, value) != 0)
        made(b, NULL);
}

json_t *cj__json_end(const cj__json *b, json_t *value)
{
    if (b->status == CJ_OK)
        return value;
    json_decref(value);
    return NULL;
}

static int add_bytes(const char *bytes, size_t size, void *text)
{
    cj__text_add_bytes(text, bytes, size);
    return ((const cj__text *)text)->failed ? -1 : 0;
}

// json_dumps() would leave out what it has no memory for; here the text remembers that it failed.
char *cj__json_print(const json_t *value, size_t flags)
{
    cj__text text = {0};
    const int result = json_dump_callback(value, add_bytes, &text,
                                          flags | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    if (result == 0 && !text.failed)
        return text.data;
    cj__text_free(&text);
    cj__fail(CJ_OUT_OF_MEMORY, "out of memory: JSON could not be written");
    return NULL;
}
