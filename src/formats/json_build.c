#include "formats/json_build.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Notes that a value could not be made.
static json_t *made(cj__json *b, json_t *value)
{
    if (!value && b->status == CJ_OK)
        b->status = cj__fail(CJ_OUT_OF_MEMORY, "out of memory: a JSON value could not be made");
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
        return json_null();
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

json_t *cj__json_bool(cj__json *b, bool truth)
{
    return b->status == CJ_OK ? json_boolean(truth) : NULL;
}

json_t *cj__json_null(cj__json *b)
{
    return b->status == CJ_OK ? json_null() : NULL;
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

char *cj__json_print(const json_t *value, size_t flags)
{
    char *text = json_dumps(value, flags | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    if (!text) {
        cj__fail(CJ_OUT_OF_MEMORY, "out of memory: JSON could not be written");
        return NULL;
    }
    char *copy = cj__copy_text(text); // so that cj_free() fits whatever allocator is hooked in
    free(text);
    return copy;
}
