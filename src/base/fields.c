// Resolving, setting and freeing the fields of an arguments struct. Each kind of field is a row of `kinds`.
#include "base/fields.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 8 };

static void *at(void *args, const cj__field *field)
{
    return (char *)args + field->offset;
}

static cj_status bad_value(const cj__field *field, const char *who, const char *value, const char *needed)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s: \"%.100s\" is not %s", who, field->key, value, needed);
}

// ---- Setting from text: "0.9", "true", "3,3". ----

static cj_status parse_int(const cj__field *field, const char *value, const char *who, int64_t *number)
{
    char *end = NULL;
    long long parsed = strtoll(value, &end, 10);
    if (end == value || *end != '\0')
        return bad_value(field, who, value, "a whole number");
    *number = parsed;
    return CJ_OK;
}

// strtod in the "C" locale only: a comma for the decimal point is never meant in a spec.
static cj_status parse_real(const cj__field *field, const char *value, const char *who, double *number)
{
    char *end = NULL;
    if (strspn(value, "+-.0123456789eE") != strlen(value) || *value == '\0')
        return bad_value(field, who, value, "a number");
    *number = strtod(value, &end);
    if (*end != '\0' || !isfinite(*number))
        return bad_value(field, who, value, "a finite number");
    return CJ_OK;
}

static cj_status set_int(const cj__field *field, void *slot, const char *value, const char *who)
{
    return parse_int(field, value, who, slot);
}

static cj_status set_int32(const cj__field *field, void *slot, const char *value, const char *who)
{
    int64_t number = 0;
    CJ_TRY(parse_int(field, value, who, &number));
    if (number < INT32_MIN || number > INT32_MAX)
        return bad_value(field, who, value, "within 32 bits");
    *(int *)slot = (int)number;
    return CJ_OK;
}

static cj_status set_numbers(const cj__field *field, int64_t *numbers, int most, const char *value, const char *who)
{
    char word[32];
    int count = 0;
    for (const char *c = value + strspn(value, "([ "); *c != '\0'; count++) {
        size_t length = strcspn(c, ",)]");
        if (count == most || length == 0 || length >= sizeof(word))
            return bad_value(field, who, value, "a short list of whole numbers");
        memcpy(word, c, length);
        word[length] = '\0';
        CJ_TRY(parse_int(field, word, who, &numbers[count]));
        c += length + strspn(c + length, ",)] ");
    }
    return CJ_OK;
}

static cj_status set_pair(const cj__field *field, void *slot, const char *value, const char *who)
{
    return set_numbers(field, slot, 2, value, who);
}

static cj_status set_list(const cj__field *field, void *slot, const char *value, const char *who)
{
    return set_numbers(field, slot, LIST_MAX, value, who);
}

static cj_status set_real(const cj__field *field, void *slot, const char *value, const char *who)
{
    return parse_real(field, value, who, slot);
}

static cj_status set_number(const cj__field *field, void *slot, const char *value, const char *who)
{
    double number = 0;
    CJ_TRY(parse_real(field, value, who, &number));
    *(double *)slot = number == 0 ? CJ_ZERO : number; // written out, a zero is meant
    return CJ_OK;
}

static cj_status parse_bool(const cj__field *field, const char *value, const char *who, bool *truth)
{
    static const char *const words[] = {"false", "true", "False", "True", "0", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(value, words[i]) == 0) {
            *truth = i % 2 != 0;
            return CJ_OK;
        }
    }
    return bad_value(field, who, value, "true or false");
}

static cj_status set_bool(const cj__field *field, void *slot, const char *value, const char *who)
{
    return parse_bool(field, value, who, slot);
}

static cj_status set_switch(const cj__field *field, void *slot, const char *value, const char *who)
{
    bool truth = false;
    CJ_TRY(parse_bool(field, value, who, &truth));
    *(cj_switch *)slot = truth ? CJ_ON : CJ_OFF;
    return CJ_OK;
}

static cj_status set_text(const cj__field *field, void *slot, const char *value, const char *who)
{
    (void)field;
    (void)who;
    *(const char **)slot = value;
    return CJ_OK;
}

// ---- Resolving: defaults, completion, checks. ----

static cj_status missing(const cj__field *field, const char *who)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is required", who, field->key);
}

static cj_status in_range(const cj__field *field, double value, const char *who)
{
    if (isfinite(value) && (field->low >= field->high || (value >= field->low && value <= field->high)))
        return CJ_OK;
    if (isfinite(value) && field->high >= 1e15 && field->low > 0 && field->low <= 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be positive, not %g", who, field->key, value);
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be from %g to %g, not %g", who, field->key, field->low,
                    field->high, value);
}

static cj_status resolve_int(const cj__field *field, void *slot, const char *who)
{
    int64_t *number = slot;
    if (*number == 0 && !field->required)
        *number = (int64_t)field->fallback;
    return in_range(field, (double)*number, who);
}

static cj_status resolve_int32(const cj__field *field, void *slot, const char *who)
{
    int *number = slot;
    if (*number == 0)
        *number = (int)field->fallback;
    return in_range(field, *number, who);
}

static cj_status resolve_pair(const cj__field *field, void *slot, const char *who)
{
    int64_t *pair = slot;
    if (pair[0] == 0 && pair[1] == 0) {
        if (field->required)
            return missing(field, who);
        pair[0] = (int64_t)field->fallback;
    }
    if (pair[1] == 0)
        pair[1] = pair[0];
    if (pair[0] == 0 && pair[1] == 0) // a default that depends on other settings (strides of a pool)
        return CJ_OK;
    CJ_TRY(in_range(field, (double)pair[0], who));
    return in_range(field, (double)pair[1], who);
}

static cj_status resolve_list(const cj__field *field, void *slot, const char *who)
{
    const int64_t *list = slot;
    for (int i = 0; i < LIST_MAX && list[i] != 0; i++)
        CJ_TRY(in_range(field, (double)list[i], who));
    return CJ_OK;
}

static cj_status resolve_number(const cj__field *field, void *slot, const char *who)
{
    double *number = slot;
    if (*number == 0)
        *number = signbit(*number) ? 0 : field->fallback;
    return in_range(field, *number, who);
}

static cj_status resolve_real(const cj__field *field, void *slot, const char *who)
{
    double *number = slot;
    if (*number == 0)
        *number = field->fallback;
    return in_range(field, *number, who);
}

static cj_status resolve_option(const cj__field *field, void *slot, const char *who)
{
    double *number = slot;
    return *number != 0 ? in_range(field, *number, who) : CJ_OK;
}

static cj_status resolve_bool(const cj__field *field, void *slot, const char *who)
{
    (void)field;
    (void)slot;
    (void)who;
    return CJ_OK;
}

static cj_status resolve_switch(const cj__field *field, void *slot, const char *who)
{
    cj_switch *value = slot;
    if (*value != CJ_DEFAULT && *value != CJ_ON && *value != CJ_OFF)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be CJ_ON or CJ_OFF, not %d", who, field->key, (int)*value);
    if (*value == CJ_DEFAULT)
        *value = field->fallback != 0 ? CJ_ON : CJ_OFF;
    return CJ_OK;
}

// The slot points to the user's string; it becomes a copy. NULL stays NULL where there is no default.
static cj_status resolve_text(const cj__field *field, void *slot, const char *who)
{
    const char **text = slot;
    const char *meant = *text != NULL ? *text : field->text;
    *text = NULL; // until it is ours: the caller frees whatever it finds
    if (meant == NULL)
        return field->required ? missing(field, who) : CJ_OK;
    *text = cj__copy_text(meant);
    return *text != NULL ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status resolve_spec(const cj__field *field, void *slot, const char *who)
{
    CJ_TRY(resolve_text(field, slot, who));
    const char *spec = *(const char **)slot;
    if (spec == NULL || field->catalog == NULL)
        return CJ_OK;
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(field->catalog, spec, who, &chosen));
    cj__chosen_free(&chosen);
    return CJ_OK;
}

static const struct {
    cj_status (*set)(const cj__field *, void *slot, const char *value, const char *who);
    cj_status (*resolve)(const cj__field *, void *slot, const char *who);
    bool text; // the slot is a string of ours once resolved
} kinds[] = {
    [CJ__FIELD_INT] = {set_int, resolve_int, false},
    [CJ__FIELD_INT32] = {set_int32, resolve_int32, false},
    [CJ__FIELD_PAIR] = {set_pair, resolve_pair, false},
    [CJ__FIELD_LIST] = {set_list, resolve_list, false},
    [CJ__FIELD_NUMBER] = {set_number, resolve_number, false},
    [CJ__FIELD_REAL] = {set_real, resolve_real, false},
    [CJ__FIELD_OPTION] = {set_real, resolve_option, false},
    [CJ__FIELD_BOOL] = {set_bool, resolve_bool, false},
    [CJ__FIELD_SWITCH] = {set_switch, resolve_switch, false},
    [CJ__FIELD_TEXT] = {set_text, resolve_text, true},
    [CJ__FIELD_SPEC] = {set_text, resolve_spec, true},
};

cj_status cj__field_set(const cj__field *field, void *args, const char *value, const char *who)
{
    return kinds[field->kind].set(field, at(args, field), value, who);
}

cj_status cj__fields_resolve(const cj__field *fields, int count, const void *args, void *resolved, size_t size,
                             const char *who)
{
    memcpy(resolved, args, size);
    for (int i = 0; i < count; i++) {
        cj_status status = kinds[fields[i].kind].resolve(&fields[i], at(resolved, &fields[i]), who);
        if (status != CJ_OK) {
            for (int later = i + 1; later < count; later++) { // these still point to the user's strings
                if (kinds[fields[later].kind].text)
                    *(const char **)at(resolved, &fields[later]) = NULL;
            }
            cj__fields_free(fields, count, resolved);
            return status;
        }
    }
    return CJ_OK;
}

void cj__fields_free(const cj__field *fields, int count, void *resolved)
{
    for (int i = 0; i < count; i++) {
        if (kinds[fields[i].kind].text) {
            char **text = at(resolved, &fields[i]);
            cj__free(*text);
            *text = NULL;
        }
    }
}
