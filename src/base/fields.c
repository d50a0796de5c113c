// Resolving and freeing the fields of an arguments struct. Each kind of field is a row of `kinds`;
// what a kind is as text stands in field_text.c.
#include "base/fields.h"

#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

enum { LIST_MAX = 8 };

static void *at(void *args, const cj__field *field)
{
    return (char *)args + field->offset;
}

static cj_status missing(const cj__field *field, const char *who)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is required", who, field->key);
}

static cj_status in_range(const cj__field *field, double value, const char *who)
{
    if (isnan(value))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be a number, not NaN", who, field->key);
    if (field->low >= field->high || (value >= field->low && value <= field->high))
        return CJ_OK;
    if (field->high >= 1e15) // stands for "no upper end"
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be at least %g, not %g", who, field->key,
                        field->low, value);
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be from %g to %g, not %g", who, field->key,
                    field->low, field->high, value);
}

static cj_status resolve_int(const cj__field *field, void *slot, const char *who)
{
    int64_t *number = slot;
    if (*number == 0 && field->required)
        return missing(field, who);
    if (*number == 0)
        *number = (int64_t)field->fallback;
    return in_range(field, (double)*number, who);
}

static cj_status resolve_int32(const cj__field *field, void *slot, const char *who)
{
    int *number = slot;
    int64_t wide = *number;
    CJ_TRY(resolve_int(field, &wide, who));
    *number = (int)wide;
    return CJ_OK;
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
    // a default that depends on other settings (strides of a pool)
    if (pair[0] == 0 && pair[1] == 0)
        return CJ_OK;
    CJ_TRY(in_range(field, (double)pair[0], who));
    return in_range(field, (double)pair[1], who);
}

static cj_status resolve_list(const cj__field *field, void *slot, const char *who)
{
    const int64_t *list = slot;
    if (list[0] == 0 && field->required)
        return missing(field, who);
    for (int i = 0; i < LIST_MAX && list[i]; i++)
        CJ_TRY(in_range(field, (double)list[i], who));
    return CJ_OK;
}

// CJ_ZERO is the number zero, a plain zero is the default.
static cj_status resolve_number(const cj__field *field, void *slot, const char *who)
{
    double *number = slot;
    if (*number == 0 && !signbit(*number) && field->required)
        return missing(field, who);
    if (*number == 0)
        *number = signbit(*number) ? 0 : field->fallback;
    return in_range(field, *number, who);
}

static cj_status resolve_option(const cj__field *field, void *slot, const char *who)
{
    double *number = slot;
    if (*number != 0)
        return in_range(field, *number, who);
    *number = 0;
    return CJ_OK;
}

static cj_status resolve_bool(const cj__field *field, void *slot, const char *who)
{
    (void)field, (void)slot, (void)who;
    return CJ_OK;
}

static cj_status resolve_switch(const cj__field *field, void *slot, const char *who)
{
    cj_switch *value = slot;
    if (*value != CJ_DEFAULT && *value != CJ_ON && *value != CJ_OFF)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be CJ_ON or CJ_OFF, not %d", who,
                        field->key, (int)*value);
    if (*value == CJ_DEFAULT)
        *value = field->fallback != 0 ? CJ_ON : CJ_OFF;
    return CJ_OK;
}

// The slot points to the user's string; it becomes a copy. NULL stays NULL where there is no
// default.
static cj_status resolve_text(const cj__field *field, void *slot, const char *who)
{
    const char **text = slot;
    const char *meant = *text ? *text : field->text;
    *text = NULL; // until it is ours: the caller frees whatever it finds
    if (field->required && (!meant || !*meant))
        return missing(field, who);
    if (!meant)
        return CJ_OK;
    *text = cj__copy_text(meant);
    return *text ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status resolve_spec(const cj__field *field, void *slot, const char *who)
{
    CJ_TRY(resolve_text(field, slot, who));
    const char *spec = *(const char **)slot;
    if (!spec || !field->catalog)
        return CJ_OK;
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(field->catalog, spec, who, &chosen));
    cj__chosen_free(&chosen);
    return CJ_OK;
}

static const struct {
    cj_status (*resolve)(const cj__field *field, void *slot, const char *who);
    bool text; // the slot is a string of ours once resolved
} kinds[] = {
    [CJ__FIELD_INT] = {resolve_int, false},       [CJ__FIELD_INT32] = {resolve_int32, false},
    [CJ__FIELD_PAIR] = {resolve_pair, false},     [CJ__FIELD_LIST] = {resolve_list, false},
    [CJ__FIELD_NUMBER] = {resolve_number, false}, [CJ__FIELD_REAL] = {resolve_number, false},
    [CJ__FIELD_OPTION] = {resolve_option, false}, [CJ__FIELD_BOOL] = {resolve_bool, false},
    [CJ__FIELD_SWITCH] = {resolve_switch, false}, [CJ__FIELD_TEXT] = {resolve_text, true},
    [CJ__FIELD_SPEC] = {resolve_spec, true},
};

cj_status cj__fields_resolve(const cj__field *fields, int count, const void *args, void *resolved,
                             size_t size, const char *who)
{
    memcpy(resolved, args, size);
    for (int i = 0; i < count; i++) {
        const cj_status status =
            kinds[fields[i].kind].resolve(&fields[i], at(resolved, &fields[i]), who);
        if (status == CJ_OK)
            continue;
        for (int later = i + 1; later < count; later++) // these still point to the user's strings
            if (kinds[fields[later].kind].text)
                *(const char **)at(resolved, &fields[later]) = NULL;
        cj__fields_free(fields, count, resolved);
        return status;
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
