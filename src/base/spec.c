// Specs: "name", "name(value)", "name(key=value, key=value)". Values may contain parentheses of
// their own.
#include "base/field_text.h"

#include "base/error.h"
#include "base/memory.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const cj__choice *row(const cj__catalog *catalog, int index)
{
    return (const cj__choice *)((const char *)catalog->rows + (size_t)index * catalog->stride);
}

const cj__choice *cj__catalog_find(const cj__catalog *catalog, const char *name)
{
    for (int i = 0; i < catalog->count; i++) {
        const cj__choice *choice = row(catalog, i);
        if (strcmp(choice->name, name) == 0 ||
            (choice->class_name && strcmp(choice->class_name, name) == 0))
            return choice;
    }
    const cj__choice *choice = catalog->registered ? catalog->registered(name) : NULL;
    if (choice)
        return choice;
    if (catalog->how && !cj__nearest(name, catalog->rows, catalog->stride, catalog->count))
        cj__fail(CJ_INVALID_ARGUMENT,
                 "unknown %s \"%.200s\": one of your own is registered with %s", catalog->what,
                 name, catalog->how);
    else
        cj__fail_unknown(CJ_INVALID_ARGUMENT, catalog->what, name, catalog->rows, catalog->stride,
                         catalog->count);
    return NULL;
}

// The closing quote of a text that begins with a quote, or the end of the text if there is none.
static char *quote_end(char *text)
{
    const char quote = *text++;
    for (; *text != '\0' && *text != quote; text++)
        text += *text == '\\' && text[1] != '\0';
    return text;
}

// Removes the quotes around a text, and the backslashes of its escapes.
static char *unquote(char *text)
{
    char *end = quote_end(text), *to = text;
    if (*end == '\0' || end[1] != '\0')
        return text; // the quote is not closed at the end
    for (char *from = text + 1; from < end; from++) {
        from += *from == '\\';
        *to++ = *from;
    }
    *to = '\0';
    return text;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length != 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return *text == '"' || *text == '\'' ? unquote(text) : text;
}

// The end of an argument: the next comma or closing parenthesis outside quotes and inner
// parentheses, or the end of the text.
static char *argument_end(char *text)
{
    int depth = 0;
    for (; *text != '\0'; text++) {
        if (depth == 0 && (*text == ',' || *text == ')'))
            return text;
        if (*text == '"' || *text == '\'')
            text = quote_end(text);
        if (*text == '\0')
            return text;
        depth += *text == '(' || *text == '[';
        depth -= *text == ')' || *text == ']';
    }
    return text;
}

static const cj__field *find_field(const cj__choice *choice, const char *key)
{
    for (int i = 0; i < choice->field_count; i++) {
        if (strcmp(choice->fields[i].key, key) == 0)
            return &choice->fields[i];
    }
    char what[96];
    snprintf(what, sizeof what, "argument of %s", choice->name);
    cj__fail_unknown(CJ_INVALID_ARGUMENT, what, key, choice->fields, sizeof(cj__field),
                     choice->field_count);
    return NULL;
}

// What the arguments of one spec share: which fields were set, by a bit for each, and where lists of
// numbers go, NULL where none can be given.
typedef struct giving {
    uint64_t given;
    double *numbers;
} giving;

static cj_status set_value(const cj__field *field, void *args, const char *value, const char *who,
                           giving *state)
{
    const bool one = cj__number_parse(value, &(double){0});
    if (field->kind != CJ__FIELD_NUMBERS || !state->numbers || (one && field->single))
        return cj__field_set(field, args, value, who);
    const int count = cj__numbers_read(value, state->numbers, INT_MAX);
    if (count < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s: \"%.100s\" is no list of numbers", who,
                        field->key, value);
    *(cj_numbers *)(void *)((char *)args + field->offset) = (cj_numbers){state->numbers, count};
    state->numbers += count;
    return CJ_OK;
}

// One argument: "key=value", or a value for the field at `position`.
static cj_status set_argument(const cj__choice *choice, char *argument, int position, giving *state,
                              void *args)
{
    char *equals = argument + strcspn(argument, "=(");
    const cj__field *field = NULL;
    char *value = argument;
    if (*equals == '=') {
        *equals = '\0';
        value = equals + 1;
        field = find_field(choice, trim(argument));
        if (!field)
            return cj_error_status();
    } else if (position < choice->field_count) {
        field = &choice->fields[position];
    } else {
        return cj__fail(CJ_INVALID_ARGUMENT, "%s takes %d arguments at most", choice->name,
                        choice->field_count);
    }
    const uint64_t bit = UINT64_C(1) << ((field - choice->fields) & 63);
    if (state->given & bit)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is given twice", choice->name, field->key);
    state->given |= bit;
    return set_value(field, args, trim(value), choice->name, state);
}

// `text` is our copy of what follows the name; `args` will point into it.
static cj_status set_arguments(const cj__choice *choice, char *text, const char *spec, void *args,
                               double *numbers)
{
    text += strspn(text, " \t\n");
    if (*text == '\0')
        return CJ_OK;
    text++; // the opening parenthesis
    giving state = {0, numbers};
    for (int position = 0;; position++) {
        char *end = argument_end(text);
        char stop = *end;
        if (stop == '\0')
            return cj__fail(CJ_INVALID_ARGUMENT, "\"%.200s\": a closing parenthesis is missing",
                            spec);
        *end = '\0';
        char *argument = trim(text);
        if (*argument == '\0' && (position != 0 || stop == ','))
            return cj__fail(CJ_INVALID_ARGUMENT, "\"%.200s\": an argument is empty", spec);
        if (*argument != '\0')
            CJ_TRY(set_argument(choice, argument, position, &state, args));
        text = end + 1;
        if (stop == ')')
            break;
    }
    if (*trim(text) != '\0')
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "\"%.200s\": \"%.100s\" follows the closing parenthesis", spec, trim(text));
    return CJ_OK;
}

cj_status cj__spec_args(const cj__choice *choice, const char *spec, void *args, void **copy)
{
    // Each number of a list takes two characters of the text at least.
    const size_t length = strlen(spec), most = length / 2 + 1;
    double *numbers = cj__new(1, most * sizeof *numbers + length + 1);
    *copy = numbers;
    if (!numbers)
        return CJ_OUT_OF_MEMORY;
    char *text = (char *)(numbers + most);
    memcpy(text, spec, length + 1);
    if (choice->defaults)
        memcpy(args, choice->defaults, choice->args_size);
    return set_arguments(choice, text + strcspn(text, "("), spec, args, numbers);
}

cj_status cj__spec_parse(const cj__catalog *catalog, const char *spec, const char *who,
                         cj__chosen *chosen)
{
    memset(chosen, 0, sizeof *chosen);
    if (!spec || spec[strspn(spec, " ")] == '\0')
        return CJ_OK;
    char *copy = cj__copy_text(spec);
    if (!copy)
        return CJ_OUT_OF_MEMORY;
    size_t name_length = strcspn(copy, "(");
    char name[96];
    snprintf(name, sizeof name, "%.*s", (int)(name_length < 90 ? name_length : 90), copy);
    const cj__choice *choice = cj__catalog_find(catalog, trim(name));
    cj_status status = choice ? CJ_OK : CJ_INVALID_ARGUMENT;
    if (status == CJ_OK && choice->defaults)
        memcpy(chosen->args, choice->defaults, choice->args_size);
    if (status == CJ_OK)
        status = set_arguments(choice, copy + name_length, spec, chosen->args, NULL);
    if (status == CJ_OK)
        status =
            cj__fields_resolve(choice->fields, choice->field_count, chosen->args, choice->name);
    if (status == CJ_OK)
        chosen->choice = choice;
    else if (status != CJ_OUT_OF_MEMORY && who)
        cj__fail_in(status, "%s", who);
    cj__free(copy);
    return status;
}

void cj__chosen_free(cj__chosen *chosen)
{
    if (chosen->choice)
        cj__fields_free(chosen->choice->fields, chosen->choice->field_count, chosen->args);
    chosen->choice = NULL;
}

char *cj__spec_text(const cj__choice *choice, const void *args)
{
    cj__text inner = {0}, whole = {0};
    for (int i = 0; i < choice->field_count; i++)
        cj__field_write(&choice->fields[i], args, choice->defaults, &inner);
    if (inner.length != 0)
        cj__text_add(&whole, "%s(%s)", choice->name, inner.data);
    else
        cj__text_add(&whole, "%s", choice->name);
    bool failed = inner.failed || whole.failed;
    cj__text_free(&inner);
    if (failed)
        cj__text_free(&whole);
    return whole.data;
}
