// Resolving and freeing the fields of an arguments struct. Each kind of field is a row of `kinds`;
// how a kind is written as text is in field_text.c.
#include "base/fields.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
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
    if (field->high >= 1e15 && value > field->high) // as good as no upper end, but one
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be at most %g, not %g", who, field->key,
                        field->high, value);
    if (field->high >= 1e15)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be at least %g, not %g", who, field->key,
                        field->low, value);
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be from %g to %g, not %g", who, field->key,
                    field->low, field->high, value);
}

static cj_status resolve_int(const cj__field *field, void *slot, const char *who)
{
    const int64_t number = *(const int64_t *)slot;
    if (number == 0 && field->required)
        return missing(field, who);
    return in_range(field, (double)number, who);
}

static cj_status resolve_int32(const cj__field *field, void *slot, const char *who)
{
    int64_t wide = *(const int *)slot;
    return resolve_int(field, &wide, who);
}

static cj_status resolve_seed(const cj__field *field, void *slot, const char *who)
{
    const int64_t seed = *(const int64_t *)slot;
    if (seed >= -1)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be at least 0, or -1 for none, not %lld", who,
                    field->key, (long long)seed);
}

static cj_status resolve_tuple(const cj__field *field, int64_t *numbers, int count, const char *who)
{
    bool any = false;
    for (int i = 0; i < count; i++)
        any = any || numbers[i] != 0;
    if (!any && field->required)
        return missing(field, who);
    if (!any && field->optional)
        return CJ_OK;
    for (int i = 0; i < count; i++) {
        if (numbers[i] == 0)
            numbers[i] = numbers[0];
        CJ_TRY(in_range(field, (double)numbers[i], who));
    }
    return CJ_OK;
}

static cj_status resolve_pair(const cj__field *field, void *slot, const char *who)
{
    return resolve_tuple(field, slot, 2, who);
}

static cj_status resolve_triple(const cj__field *field, void *slot, const char *who)
{
    return resolve_tuple(field, slot, 3, who);
}

static cj_status resolve_amounts(const cj__field *field, void *slot, const char *who)
{
    int64_t *numbers = slot;
    const int count = field->rows * field->columns;
    if (field->optional && numbers[0] == -1) {
        for (int i = 0; i < count; i++)
            numbers[i] = -1;
        return CJ_OK;
    }
    for (int i = 0; i < count; i++)
        if (numbers[i] < 0 || numbers[i] > INT32_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be at least 0%s, not %lld", who,
                            field->key, field->optional ? ", or -1 for none" : "",
                            (long long)numbers[i]);
    return CJ_OK;
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

static cj_status resolve_axes(const cj__field *field, void *slot, const char *who)
{
    const int64_t *axes = slot;
    if (axes[0] == 0 && field->optional)
        return CJ_OK;
    if (axes[0] < 1 || axes[0] > LIST_MAX)
        return missing(field, who);
    for (int i = 1; i <= axes[0]; i++)
        if (axes[i] < -LIST_MAX || axes[i] >= LIST_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s has %lld, which is the number of no axis",
                            who, field->key, (long long)axes[i]);
    return CJ_OK;
}

static cj_status is_whole(const cj__field *field, double number, const char *who)
{
    if (!field->whole || (number == floor(number) && fabs(number) <= 0x1p53))
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: %s must be a whole number of at most 2^53 either way, not %.17g", who,
                    field->key, number);
}

static cj_status resolve_number(const cj__field *field, void *slot, const char *who)
{
    const double number = *(const double *)slot;
    if (isnan(number) && field->required)
        return missing(field, who);
    if (isinf(number))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be finite", who, field->key);
    return in_range(field, number, who);
}

static cj_status resolve_few_numbers(const cj__field *field, void *slot, const char *who)
{
    const double *numbers = slot;
    if (!(numbers[0] >= 1 && numbers[0] <= LIST_MAX))
        return missing(field, who);
    for (int i = 1; i <= (int)numbers[0]; i++) {
        if (!isfinite(numbers[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be finite", who, field->key);
        CJ_TRY(in_range(field, numbers[i], who));
    }
    return CJ_OK;
}

// The slot has the user's numbers; they become a copy. A field with a single number has either.
static cj_status resolve_numbers(const cj__field *field, void *slot, const char *who)
{
    cj_numbers *numbers = slot;
    const cj_numbers given = *numbers;
    *numbers = (cj_numbers){0}; // until they are ours
    if (given.count < 0 || (given.count > 0 && !given.values))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s: a list of %lld numbers", who, field->key,
                        (long long)given.count);
    if (given.count == 0 && field->single) {
        const double *one = (double *)(void *)((char *)slot - field->offset + field->single);
        if (isnan(*one) && !field->required)
            return CJ_OK;
        CJ_TRY(resolve_number(field, (void *)(uintptr_t)one, who));
        return is_whole(field, *one, who);
    }
    if (given.count == 0)
        return field->required ? missing(field, who) : CJ_OK;
    double *copy = cj__new((size_t)given.count, sizeof *copy);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    *numbers = (cj_numbers){copy, given.count};
    for (int64_t i = 0; i < given.count; i++) {
        if (!isfinite(given.values[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: number %lld of %s must be finite", who,
                            (long long)i, field->key);
        copy[i] = given.values[i];
        CJ_TRY(is_whole(field, copy[i], who));
        CJ_TRY(in_range(field, copy[i], who));
    }
    return CJ_OK;
}

static cj_status resolve_limit(const cj__field *field, void *slot, const char *who)
{
    const double number = *(const double *)slot;
    if (isinf(number) && number > 0)
        return CJ_OK;
    CJ_TRY(is_whole(field, number, who));
    return resolve_number(field, slot, who);
}

static cj_status resolve_bool(const cj__field *field, void *slot, const char *who)
{
    (void)field, (void)slot, (void)who;
    return CJ_OK;
}

// A text is one of the words that the field takes.
static cj_status check_word(const cj__field *field, const char *text, const char *who)
{
    int count = 0;
    for (; field->words && field->words[count]; count++)
        if (strcmp(field->words[count], text) == 0)
            return CJ_OK;
    if (!field->words)
        return CJ_OK;
    const cj_status status = cj__fail_unknown(CJ_INVALID_ARGUMENT, field->key, text, field->words,
                                              sizeof field->words[0], count);
    return cj__fail_in(status, "%s", who);
}

// The slot points to the user's string; it becomes a copy. NULL stays NULL.
static cj_status resolve_text(const cj__field *field, void *slot, const char *who)
{
    const char **text = slot;
    const char *given = *text;
    *text = NULL; // until it is ours: the caller frees whatever it finds
    if (field->required && (!given || !*given))
        return missing(field, who);
    if (!given)
        return CJ_OK;
    if (!cj__is_utf8(given, strlen(given)))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is not text in UTF-8", who, field->key);
    CJ_TRY(check_word(field, given, who));
    *text = cj__copy_text(given);
    return *text ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// The slot has the user's texts; they become copies in one block, pointers first.
static cj_status resolve_texts(const cj__field *field, void *slot, const char *who)
{
    cj_texts *texts = slot;
    const cj_texts given = *texts;
    *texts = (cj_texts){0}; // until they are ours
    size_t bytes = 0;
    if (given.count < 0 || (given.count > 0 && !given.values))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s: a list of %lld texts", who, field->key,
                        (long long)given.count);
    if (given.count == 0)
        return field->required ? missing(field, who) : CJ_OK;
    for (int64_t i = 0; i < given.count; i++) {
        const char *text = given.values[i];
        const int64_t length = given.lengths ? given.lengths[i] : text ? (int64_t)strlen(text) : 0;
        if (!text || length < 0 || !cj__is_utf8(text, (size_t)length))
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: text %lld of %s is not text in UTF-8", who,
                            (long long)i, field->key);
        bytes += (size_t)length + 1;
    }
    const size_t head = (size_t)given.count * sizeof(char *);
    const char **copies = cj__new(head + bytes, 1);
    if (!copies)
        return CJ_OUT_OF_MEMORY;
    char *at = (char *)copies + head;
    for (int64_t i = 0; i < given.count; i++) {
        const size_t length = given.lengths ? (size_t)given.lengths[i] : strlen(given.values[i]);
        copies[i] = memcpy(at, given.values[i], length);
        at[length] = '\0';
        at += length + 1;
    }
    *texts = (cj_texts){.values = copies, .count = given.count};
    return CJ_OK;
}

// Each number is in the field's range, if it has one.
static cj_status resolve_number_text(const cj__field *field, void *slot, const char *who)
{
    CJ_TRY(resolve_text(field, slot, who));
    const char *text = *(const char **)slot;
    const int count = text ? cj__numbers_read(text, NULL, 0) : 0;
    if (count < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s: \"%.100s\" is not a list of numbers", who,
                        field->key, text);
    double *numbers = cj__new((size_t)count + 1, sizeof *numbers);
    if (!numbers)
        return CJ_OUT_OF_MEMORY;
    cj_status status = CJ_OK;
    if (text)
        cj__numbers_read(text, numbers, count);
    for (int i = 0; i < count && status == CJ_OK; i++)
        status = resolve_number(field, &numbers[i], who);
    cj__free(numbers);
    return status;
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
    bool owns; // the slot begins with a pointer that is ours once resolved
} kinds[] = {
    [CJ__FIELD_INT] = {resolve_int, false},
    [CJ__FIELD_INT32] = {resolve_int32, false},
    [CJ__FIELD_SEED] = {resolve_seed, false},
    [CJ__FIELD_PAIR] = {resolve_pair, false},
    [CJ__FIELD_TRIPLE] = {resolve_triple, false},
    [CJ__FIELD_AMOUNTS] = {resolve_amounts, false},
    [CJ__FIELD_FEW_NUMBERS] = {resolve_few_numbers, false},
    [CJ__FIELD_RATE] = {resolve_number, false},
    [CJ__FIELD_AXES] = {resolve_axes, false},
    [CJ__FIELD_LIST] = {resolve_list, false},
    [CJ__FIELD_NUMBER] = {resolve_number, false},
    [CJ__FIELD_LIMIT] = {resolve_limit, false},
    [CJ__FIELD_BOOL] = {resolve_bool, false},
    [CJ__FIELD_TEXT] = {resolve_text, true},
    [CJ__FIELD_TEXTS] = {resolve_texts, true},
    [CJ__FIELD_SPEC] = {resolve_spec, true},
    [CJ__FIELD_NUMBER_TEXT] = {resolve_number_text, true},
    [CJ__FIELD_NUMBERS] = {resolve_numbers, true},
};

// The pointer that a slot begins with, a string's or a list's; NULL takes its place.
static void *take_pointer(void *slot)
{
    void *pointer, *none = NULL;
    memcpy(&pointer, slot, sizeof pointer);
    memcpy(slot, &none, sizeof none);
    return pointer;
}

cj_status cj__fields_resolve(const cj__field *fields, int count, void *args, const char *who)
{
    for (int i = 0; i < count; i++) {
        const cj_status status =
            kinds[fields[i].kind].resolve(&fields[i], at(args, &fields[i]), who);
        if (status == CJ_OK)
            continue;
        for (int later = i + 1; later < count; later++) // these still point to what the user gave
            if (kinds[fields[later].kind].owns)
                take_pointer(at(args, &fields[later]));
        cj__fields_free(fields, count, args);
        return status;
    }
    return CJ_OK;
}

void cj__fields_free(const cj__field *fields, int count, void *resolved)
{
    for (int i = 0; i < count; i++) {
        if (kinds[fields[i].kind].owns)
            cj__free(take_pointer(at(resolved, &fields[i])));
    }
}
