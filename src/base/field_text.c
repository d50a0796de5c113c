// Fields from text and back: "0.9", "true", "3,3", "relu". Each kind of field is a row of `kinds`.
#include "base/field_text.h"

#include "base/error.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 8 };

static cj_status bad_value(const cj__field *field, const char *who, const char *value,
                           const char *needed)
{
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s: \"%.100s\" is not %s", who, field->key, value,
                    needed);
}

// ---- Reading ----

static cj_status parse_int(const cj__field *field, const char *value, const char *who,
                           int64_t *number)
{
    char *end;
    errno = 0;
    const long long parsed = strtoll(value, &end, 10);
    if (end == value || *end)
        return bad_value(field, who, value, "a whole number");
    if (errno == ERANGE)
        return bad_value(field, who, value, "a number of 64 bits");
    *number = parsed;
    return CJ_OK;
}

static cj_status set_int(const cj__field *field, void *slot, const char *value, const char *who)
{
    return parse_int(field, value, who, slot);
}

static cj_status set_int32(const cj__field *field, void *slot, const char *value, const char *who)
{
    int64_t number = 0;
    CJ_TRY(set_int(field, &number, value, who));
    if (number < INT32_MIN || number > INT32_MAX)
        return bad_value(field, who, value, "a number of 32 bits");
    *(int *)slot = (int)number;
    return CJ_OK;
}

// "3", "3,3", "(3, 3)" or "[3, 3]".
static cj_status set_counted(const cj__field *field, int64_t *numbers, int most, const char *value,
                             const char *who, int *count)
{
    memset(numbers, 0, (size_t)most * sizeof *numbers); // the defaults may have more entries
    const char *at = value + strspn(value, " ");
    const char close = *at == '(' ? ')' : *at == '[' ? ']' : '\0';
    at += close != '\0';
    for (*count = 0;;) {
        char word[32];
        const size_t length = strcspn(at, ",)]");
        if (*count == most || length == 0 || length >= sizeof word)
            break;
        memcpy(word, at, length);
        word[length] = '\0';
        while (length && word[strlen(word) - 1] == ' ')
            word[strlen(word) - 1] = '\0';
        CJ_TRY(parse_int(field, word, who, &numbers[(*count)++]));
        at += length;
        if (*at == close && (close == '\0' || at[1 + strspn(at + 1, " ")] == '\0'))
            return CJ_OK;
        if (*at != ',')
            break;
        at++;
    }
    return bad_value(field, who, value,
                     most == 2 ? "one whole number or two" :
                     most == 3 ? "one to three whole numbers" :
                                 "a list of up to 8 whole numbers");
}

int cj__numbers_read(const char *text, double *numbers, int capacity)
{
    const char *at = text + strspn(text, " ");
    const char close = *at == '(' ? ')' : *at == '[' ? ']' : '\0';
    int count = 0;
    at += close != '\0';
    for (at += strspn(at, " "); *at != '\0' && *at != close; at += strspn(at, " ")) {
        char word[64];
        size_t length = strcspn(at, ",)] ");
        double number;
        if (length == 0 || length >= sizeof word)
            return -1;
        memcpy(word, at, length);
        word[length] = '\0';
        if (!cj__number_parse(word, &number))
            return -1;
        if (count < capacity)
            numbers[count] = number;
        count++;
        at += length;
        at += strspn(at, " ");
        if (*at == ',')
            at++;
        else if (*at != close)
            return -1;
    }
    if (close != '\0' && *at != close)
        return -1;
    at += close != '\0';
    return at[strspn(at, " ")] == '\0' ? count : -1;
}

static cj_status set_numbers(const cj__field *field, int64_t *numbers, int most, const char *value,
                             const char *who)
{
    int count = 0;
    return set_counted(field, numbers, most, value, who, &count);
}

static cj_status set_pair(const cj__field *field, void *slot, const char *value, const char *who)
{
    return set_numbers(field, slot, 2, value, who);
}

static cj_status set_triple(const cj__field *field, void *slot, const char *value, const char *who)
{
    return set_numbers(field, slot, 3, value, who);
}

static bool is_none(const char *value)
{
    return strcmp(value, "none") == 0 || strcmp(value, "None") == 0 || strcmp(value, "null") == 0;
}

// The numbers of all rows one after another, one for each row, or one for all; "none" where that is a
// value.
static cj_status set_amounts(const cj__field *field, void *slot, const char *value, const char *who)
{
    const int all = field->rows * field->columns;
    int64_t *numbers = slot;
    int count = 0;
    if (field->optional && is_none(value)) {
        numbers[0] = -1;
        return CJ_OK;
    }
    CJ_TRY(set_counted(field, numbers, all, value, who, &count));
    if (count != 1 && count != field->rows && count != all) {
        char needed[64];
        snprintf(needed, sizeof needed, "1, %d or %d whole numbers", field->rows, all);
        return bad_value(field, who, value, needed);
    }
    for (int i = all - 1; i >= 0; i--)
        numbers[i] = numbers[i * count / all];
    return CJ_OK;
}

static cj_status set_list(const cj__field *field, void *slot, const char *value, const char *who)
{
    return set_numbers(field, slot, LIST_MAX, value, who);
}

static cj_status set_axes(const cj__field *field, void *slot, const char *value, const char *who)
{
    int64_t *axes = slot;
    int count = 0;
    CJ_TRY(set_counted(field, axes + 1, LIST_MAX, value, who, &count));
    axes[0] = count;
    return CJ_OK;
}

static cj_status set_number(const cj__field *field, void *slot, const char *value, const char *who)
{
    double number;
    if (!cj__number_parse(value, &number))
        return bad_value(field, who, value, "a number");
    *(double *)slot = number;
    return CJ_OK;
}

// "0.1" or "[0.1, 0.01]".
static cj_status set_numbers_real(const cj__field *field, void *slot, const char *value,
                                  const char *who)
{
    double *numbers = slot;
    const char *at = value + strspn(value, " ([");
    memset(numbers, 0, (LIST_MAX + 1) * sizeof *numbers);
    for (int count = 1; count <= LIST_MAX; count++) {
        char word[48];
        size_t length = strcspn(at, ",)]");
        const char *next = at + length;
        while (length > 0 && at[length - 1] == ' ')
            length--;
        if (length == 0 || length >= sizeof word)
            break;
        memcpy(word, at, length);
        word[length] = '\0';
        if (!cj__number_parse(word, &numbers[count]))
            break;
        numbers[0] = count;
        if (*next != ',')
            return CJ_OK;
        at = next + 1 + strspn(next + 1, " ");
    }
    return bad_value(field, who, value, "a list of up to 8 numbers");
}

// A number, or else the spec of a schedule, whose words are checked where specs are.
static cj_status set_rate(const cj__field *field, void *slot, const char *value, const char *who)
{
    (void)who;
    if (!cj__number_parse(value, slot))
        *(const char **)(void *)((char *)slot - field->offset + field->other) = value;
    return CJ_OK;
}

// Specs have no lists of any length: nothing would own the numbers.
static cj_status set_list_of_numbers(const cj__field *field, void *slot, const char *value,
                                     const char *who)
{
    if (field->single && cj__number_parse(value, &(double){0})) // one number in place of a list
        return set_number(field, (char *)slot - field->offset + field->single, value, who);
    return bad_value(field, who, value, "a setting that can be given as text");
}

static cj_status set_limit(const cj__field *field, void *slot, const char *value, const char *who)
{
    *(double *)slot = INFINITY;
    return is_none(value) ? CJ_OK : set_number(field, slot, value, who);
}

static cj_status set_seed(const cj__field *field, void *slot, const char *value, const char *who)
{
    *(int64_t *)slot = -1;
    return is_none(value) ? CJ_OK : set_int(field, slot, value, who);
}

static cj_status set_bool(const cj__field *field, void *slot, const char *value, const char *who)
{
    static const char *const words[] = {"false", "true", "False", "True", "0",
                                        "1",     "no",   "yes",   "off",  "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            *(bool *)slot = i % 2 != 0;
            return CJ_OK;
        }
    }
    return bad_value(field, who, value, "true or false");
}

static cj_status set_text(const cj__field *field, void *slot, const char *value, const char *who)
{
    (void)field, (void)who;
    *(const char **)slot = value;
    return CJ_OK;
}

static cj_status set_spec(const cj__field *field, void *slot, const char *value, const char *who)
{
    return set_text(field, slot, is_none(value) ? NULL : value, who);
}

static cj_status set_number_list(const cj__field *field, void *slot, const char *value,
                                 const char *who)
{
    return set_text(field, slot, is_none(value) ? NULL : value, who);
}

// ---- Writing: each adds the value if it differs from that of `standard`, the default ----

static void add_key(const cj__field *field, cj__text *text)
{
    cj__text_add(text, "%s%s=", text->length ? ", " : "", field->key);
}

static void write_number(const cj__field *field, const void *slot, const void *standard,
                         cj__text *text)
{
    const double number = *(const double *)slot, usual = *(const double *)standard;
    char digits[CJ__NUMBER_TEXT];
    if (number >= usual && number <= usual)
        return;
    add_key(field, text);
    cj__text_add(text, "%s", isinf(number) ? "none" : cj__number_text(number, digits));
}

static void write_list_of_numbers(const cj__field *field, const void *slot, const void *standard,
                                  cj__text *text)
{
    const cj_numbers *numbers = slot;
    char digits[CJ__NUMBER_TEXT];
    (void)standard;
    if (numbers->count == 0)
        return;
    add_key(field, text);
    for (int64_t i = 0; i < numbers->count; i++)
        cj__text_add(text, "%s%s", i ? ", " : "(", cj__number_text(numbers->values[i], digits));
    cj__text_add(text, ")");
}

static void write_int(const cj__field *field, const void *slot, const void *standard,
                      cj__text *text)
{
    const int64_t number = *(const int64_t *)slot;
    if (number == *(const int64_t *)standard)
        return;
    add_key(field, text);
    cj__text_add(text, "%" PRId64, number);
}

static void write_int32(const cj__field *field, const void *slot, const void *standard,
                        cj__text *text)
{
    const int64_t number = *(const int *)slot, usual = *(const int *)standard;
    write_int(field, &number, &usual, text);
}

static void write_numbers(const cj__field *field, const int64_t *numbers, int count, cj__text *text)
{
    add_key(field, text);
    for (int i = 0; i < count; i++)
        cj__text_add(text, "%s%" PRId64, i ? ", " : "(", numbers[i]);
    cj__text_add(text, ")");
}

// Entries of 0 of the defaults stand for the first.
static void write_tuple(const cj__field *field, const int64_t *numbers, const int64_t *usual,
                        int count, cj__text *text)
{
    bool differs = false;
    for (int i = 0; i < count; i++)
        differs = differs || numbers[i] != (usual[i] ? usual[i] : usual[0]);
    if (differs)
        write_numbers(field, numbers, count, text);
}

static void write_pair(const cj__field *field, const void *slot, const void *standard,
                       cj__text *text)
{
    write_tuple(field, slot, standard, 2, text);
}

static void write_triple(const cj__field *field, const void *slot, const void *standard,
                         cj__text *text)
{
    write_tuple(field, slot, standard, 3, text);
}

static void write_amounts(const cj__field *field, const void *slot, const void *standard,
                          cj__text *text)
{
    const int64_t *numbers = slot;
    const int count = field->rows * field->columns;
    if (memcmp(slot, standard, (size_t)count * sizeof *numbers) == 0)
        return;
    if (numbers[0] >= 0) {
        write_numbers(field, numbers, count, text);
        return;
    }
    add_key(field, text);
    cj__text_add(text, "none");
}

static void write_list(const cj__field *field, const void *slot, const void *standard,
                       cj__text *text)
{
    const int64_t *list = slot;
    if (memcmp(slot, standard, LIST_MAX * sizeof *list) == 0)
        return;
    int count = 0;
    while (count < LIST_MAX && list[count])
        count++;
    write_numbers(field, list, count, text);
}

static void write_axes(const cj__field *field, const void *slot, const void *standard,
                       cj__text *text)
{
    const int64_t *axes = slot;
    if (memcmp(slot, standard, ((size_t)axes[0] + 1) * sizeof *axes) == 0)
        return;
    if (axes[0] > 1) {
        write_numbers(field, axes + 1, (int)axes[0], text);
        return;
    }
    add_key(field, text);
    cj__text_add(text, "%" PRId64, axes[1]);
}

static void write_numbers_real(const cj__field *field, const void *slot, const void *standard,
                               cj__text *text)
{
    const double *numbers = slot;
    char digits[CJ__NUMBER_TEXT];
    if (memcmp(slot, standard, ((size_t)numbers[0] + 1) * sizeof *numbers) == 0)
        return;
    add_key(field, text);
    for (int i = 1; i <= (int)numbers[0]; i++)
        cj__text_add(text, "%s%s", i > 1 ? ", " : "[", cj__number_text(numbers[i], digits));
    cj__text_add(text, "]");
}

static void write_bool(const cj__field *field, const void *slot, const void *standard,
                       cj__text *text)
{
    const bool truth = *(const bool *)slot;
    if (truth == *(const bool *)standard)
        return;
    add_key(field, text);
    cj__text_add(text, truth ? "true" : "false");
}

// Adds a text as the parser of specs reads it back: in quotes where it could be taken for more than
// one value, or for spaces around one.
static void add_text(cj__text *text, const char *value)
{
    const size_t length = strlen(value);
    if (length > 0 && value[0] != ' ' && value[length - 1] != ' ' &&
        !strpbrk(value, ",()[]\"'=\\\t\n\v\f\r")) {
        cj__text_add(text, "%s", value);
        return;
    }
    cj__text_add(text, "\"");
    for (const char *c = value; *c; c++)
        cj__text_add(text, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    cj__text_add(text, "\"");
}

// A spec within a spec has parentheses of its own, which the parser counts.
static void write_spec(const cj__field *field, const void *slot, const void *standard,
                       cj__text *text)
{
    const char *value = *(const char *const *)slot, *usual = *(const char *const *)standard;
    if (value == usual || (value && usual && strcmp(value, usual) == 0))
        return;
    add_key(field, text);
    cj__text_add(text, "%s", value && *value ? value : "none");
}

static void write_text(const cj__field *field, const void *slot, const void *standard,
                       cj__text *text)
{
    const char *value = *(const char *const *)slot, *usual = *(const char *const *)standard;
    if (!value || (usual && strcmp(value, usual) == 0))
        return;
    add_key(field, text);
    add_text(text, value);
}

static void write_number_list(const cj__field *field, const void *slot, const void *standard,
                              cj__text *text)
{
    const char *value = *(const char *const *)slot, *usual = *(const char *const *)standard;
    if (value == usual || (value && usual && strcmp(value, usual) == 0))
        return;
    const char first = value ? value[strspn(value, " ")] : '\0';
    const bool bare = value && first != '(' && first != '[';
    add_key(field, text);
    cj__text_add(text, "%s%s%s", bare ? "(" : "", value ? value : "none", bare ? ")" : "");
}

// Lists of texts are settings of layers, which have no specs.
static cj_status set_texts(const cj__field *field, void *slot, const char *value, const char *who)
{
    (void)slot, (void)value;
    return cj__fail(CJ_UNSUPPORTED, "%s: %s cannot be given as one text", who, field->key);
}

static void write_texts(const cj__field *field, const void *slot, const void *standard,
                        cj__text *text)
{
    const cj_texts *texts = slot;
    (void)standard;
    if (texts->count == 0)
        return;
    add_key(field, text);
    cj__text_add(text, "(%lld texts)", (long long)texts->count);
}

static const struct {
    cj_status (*set)(const cj__field *field, void *slot, const char *value, const char *who);
    void (*write)(const cj__field *field, const void *slot, const void *standard, cj__text *text);
} kinds[] = {
    [CJ__FIELD_INT] = {set_int, write_int},
    [CJ__FIELD_INT32] = {set_int32, write_int32},
    [CJ__FIELD_SEED] = {set_seed, write_int},
    [CJ__FIELD_PAIR] = {set_pair, write_pair},
    [CJ__FIELD_TRIPLE] = {set_triple, write_triple},
    [CJ__FIELD_AMOUNTS] = {set_amounts, write_amounts},
    [CJ__FIELD_LIST] = {set_list, write_list},
    [CJ__FIELD_AXES] = {set_axes, write_axes},
    [CJ__FIELD_FEW_NUMBERS] = {set_numbers_real, write_numbers_real},
    [CJ__FIELD_RATE] = {set_rate, write_number},
    [CJ__FIELD_NUMBER] = {set_number, write_number},
    [CJ__FIELD_NUMBERS] = {set_list_of_numbers, write_list_of_numbers},
    [CJ__FIELD_LIMIT] = {set_limit, write_number},
    [CJ__FIELD_BOOL] = {set_bool, write_bool},
    [CJ__FIELD_TEXT] = {set_text, write_text},
    [CJ__FIELD_TEXTS] = {set_texts, write_texts},
    [CJ__FIELD_SPEC] = {set_spec, write_spec},
    [CJ__FIELD_NUMBER_TEXT] = {set_number_list, write_number_list},
};

cj_status cj__field_set(const cj__field *field, void *args, const char *value, const char *who)
{
    return kinds[field->kind].set(field, (char *)args + field->offset, value, who);
}

void cj__field_write(const cj__field *field, const void *args, const void *defaults, cj__text *text)
{
    kinds[field->kind].write(field, (const char *)args + field->offset,
                             (const char *)defaults + field->offset, text);
}
