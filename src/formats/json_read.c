// Reading JSON text: a recursive descent over RFC 8259. It exists because jansson's parser, which
// makes the same values, loses characters in silence when an allocation fails, takes any number of
// values, and reports want of memory as a bad file.
#include "formats/json_build.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const char *begin, *at, *end;
    char *scratch; // a decoded string; as long as the whole text, so it is never too short
    int values, level;
} reader;

static cj_status read_value(reader *r, json_t **value);

static cj_status bad(const reader *r, const char *what)
{
    int line = 1;
    for (const char *c = r->begin; c < r->at; c++)
        line += *c == '\n';
    return cj__fail(CJ_BAD_FILE, "JSON line %d: %s", line, what);
}

static cj_status no_memory(void)
{
    return cj__fail(CJ_OUT_OF_MEMORY, "out of memory: a JSON value could not be made");
}

static void skip_spaces(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static bool take(reader *r, char wanted)
{
    skip_spaces(r);
    if (r->at == r->end || *r->at != wanted)
        return false;
    r->at++;
    return true;
}

// ---- Strings ----

static cj_status read_hex(reader *r, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        const char c = r->at < r->end ? *r->at : '\0';
        const int digit = c >= '0' && c <= '9' ? c - '0' :
                          c >= 'a' && c <= 'f' ? c - 'a' + 10 :
                          c >= 'A' && c <= 'F' ? c - 'A' + 10 :
                                                 -1;
        if (digit < 0)
            return bad(r, "\\u is not followed by four hexadecimal digits");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return CJ_OK;
}

// The character of \uXXXX, or of the two that make a surrogate pair.
static cj_status read_escaped_unit(reader *r, char **to)
{
    uint32_t code = 0, low = 0;
    CJ_TRY(read_hex(r, &code));
    if (code == 0)
        return bad(r, "\\u0000 in a text");
    if (code >= 0xD800 && code < 0xDC00 && r->end - r->at >= 2 && r->at[0] == '\\' &&
        r->at[1] == 'u') {
        r->at += 2;
        CJ_TRY(read_hex(r, &low));
        if (low < 0xDC00 || low > 0xDFFF)
            return bad(r, "half a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF)
        return bad(r, "half a surrogate pair");
    *to += cj__utf8_put(code, *to);
    return CJ_OK;
}

static cj_status read_escape(reader *r, char **to)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char letter = r->at < r->end ? *r->at++ : '\0';
    if (letter == 'u')
        return read_escaped_unit(r, to);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found)
        return bad(r, "an unknown escape in a text");
    *(*to)++ = meanings[found - letters];
    return CJ_OK;
}

// A string into r->scratch; r->at is at its opening quote.
static cj_status read_string(reader *r, size_t *length)
{
    char *to = r->scratch;
    r->at++;
    for (;;) {
        const char *run = r->at;
        while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= ' ')
            r->at++;
        memcpy(to, run, (size_t)(r->at - run));
        to += r->at - run;
        if (r->at == r->end)
            return bad(r, "the text ends within a string");
        if ((unsigned char)*r->at < ' ')
            return bad(r, "a control character in a string");
        if (*r->at++ == '"')
            break;
        CJ_TRY(read_escape(r, &to));
    }
    *to = '\0';
    *length = (size_t)(to - r->scratch);
    return cj__is_utf8(r->scratch, *length) ? CJ_OK : bad(r, "a string is not UTF-8");
}

// ---- Numbers ----

static bool skip_digits(reader *r)
{
    const char *first = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > first;
}

// Moves over a number; *whole says whether it has neither fraction nor exponent.
static bool scan_number(reader *r, bool *whole)
{
    r->at += *r->at == '-';
    const bool zero = r->at < r->end && *r->at == '0';
    const char *first = r->at;
    if (!skip_digits(r) || (zero && r->at - first > 1))
        return false;
    *whole = true;
    if (r->at < r->end && *r->at == '.') {
        *whole = false;
        r->at++;
        if (!skip_digits(r))
            return false;
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        *whole = false;
        r->at++;
        r->at += r->at < r->end && (*r->at == '+' || *r->at == '-');
        if (!skip_digits(r))
            return false;
    }
    return true;
}

static cj_status read_number(reader *r, json_t **value)
{
    const char *first = r->at;
    char digits[120];
    bool whole = false;
    double number = 0;
    if (!scan_number(r, &whole) || (size_t)(r->at - first) >= sizeof digits)
        return bad(r, "what begins like a number is none, or has more than 119 characters");
    memcpy(digits, first, (size_t)(r->at - first));
    digits[r->at - first] = '\0';
    if (whole) {
        errno = 0;
        const long long integer = strtoll(digits, NULL, 10);
        if (errno == ERANGE)
            return bad(r, "a whole number is beyond 64 bits");
        *value = json_integer(integer);
    } else {
        if (!cj__number_parse(digits, &number) || !isfinite(number))
            return bad(r, "a number is too large");
        *value = json_real(number);
    }
    return *value ? CJ_OK : no_memory();
}

// ---- Values ----

static cj_status read_list(reader *r, json_t *list)
{
    if (take(r, ']'))
        return CJ_OK;
    do {
        json_t *value = NULL;
        CJ_TRY(read_value(r, &value));
        if (json_array_append_new(list, value) != 0)
            return no_memory();
    } while (take(r, ','));
    return take(r, ']') ? CJ_OK : bad(r, "a list has no \"]\" where it or a \",\" is due");
}

// A key and its value. The key leaves the scratch before the value is read into it.
static cj_status read_member(reader *r, json_t *object)
{
    size_t length = 0;
    skip_spaces(r);
    if (r->at == r->end || *r->at != '"')
        return bad(r, "an object's key is not a string");
    CJ_TRY(read_string(r, &length));
    if (json_object_get(object, r->scratch))
        return bad(r, "an object has a key twice");
    char *key = cj__copy_text(r->scratch);
    if (!key)
        return CJ_OUT_OF_MEMORY;
    json_t *value = NULL;
    cj_status status = take(r, ':') ? read_value(r, &value) : bad(r, "a key has no \":\" after it");
    if (status == CJ_OK && json_object_set_new_nocheck(object, key, value) != 0)
        status = no_memory();
    cj__free(key);
    return status;
}

static cj_status read_object(reader *r, json_t *object)
{
    if (take(r, '}'))
        return CJ_OK;
    do
        CJ_TRY(read_member(r, object));
    while (take(r, ','));
    return take(r, '}') ? CJ_OK : bad(r, "an object has no \"}\" where it or a \",\" is due");
}

static cj_status read_word(reader *r, json_t **value)
{
    static const char *const words[] = {"true", "false", "null"};
    json_t *const values[] = {json_true(), json_false(), json_null()};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t length = strlen(words[i]);
        if ((size_t)(r->end - r->at) >= length && memcmp(r->at, words[i], length) == 0) {
            r->at += length;
            *value = values[i];
            return CJ_OK;
        }
    }
    return bad(r, "what stands here is no JSON value");
}

static cj_status read_nested(reader *r, json_t **value)
{
    const bool list = *r->at++ == '[';
    if (++r->level > CJ__JSON_LEVELS_MAX)
        return cj__fail(CJ_UNSUPPORTED, "JSON is nested more than %d deep", CJ__JSON_LEVELS_MAX);
    *value = list ? json_array() : json_object();
    if (!*value)
        return no_memory();
    const cj_status status = list ? read_list(r, *value) : read_object(r, *value);
    r->level--;
    if (status != CJ_OK) {
        json_decref(*value);
        *value = NULL;
    }
    return status;
}

static cj_status read_value(reader *r, json_t **value)
{
    size_t length = 0;
    skip_spaces(r);
    if (r->at == r->end)
        return bad(r, "the text ends where a value is due");
    if (++r->values > CJ__JSON_VALUES_MAX)
        return cj__fail(CJ_UNSUPPORTED, "JSON of more than %d values", CJ__JSON_VALUES_MAX);
    if (*r->at == '{' || *r->at == '[')
        return read_nested(r, value);
    if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))
        return read_number(r, value);
    if (*r->at != '"')
        return read_word(r, value);
    CJ_TRY(read_string(r, &length));
    *value = json_stringn_nocheck(r->scratch, length);
    return *value ? CJ_OK : no_memory();
}

cj_status cj__json_parse(const char *text, size_t length, json_t **value)
{
    reader r = {.begin = text, .at = text, .end = text + length};
    *value = NULL;
    r.scratch = cj__resize(NULL, length + 1, 1);
    if (!r.scratch)
        return CJ_OUT_OF_MEMORY;
    cj_status status = read_value(&r, value);
    skip_spaces(&r);
    if (status == CJ_OK && r.at != r.end)
        status = bad(&r, "something follows the value");
    cj__free(r.scratch);
    if (status != CJ_OK) {
        json_decref(*value);
        *value = NULL;
    }
    return status;
}
