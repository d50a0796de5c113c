// Fields to and from JSON: a function for each kind of field and direction; the table at the end
// says which.
#include "formats/json_fields.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { LIST_MAX = 8 };

// ---- Writing ----

static json_t *write_int(cj__json *b, const cj__field *field, const void *slot)
{
    (void)field;
    return cj__json_int(b, *(const int64_t *)slot);
}

static json_t *write_int32(cj__json *b, const cj__field *field, const void *slot)
{
    (void)field;
    return cj__json_int(b, *(const int *)slot);
}

static json_t *write_numbers(cj__json *b, const int64_t *numbers, int count)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < count; i++)
        cj__json_append(b, list, cj__json_int(b, numbers[i]));
    return list;
}

static json_t *write_pair(cj__json *b, const cj__field *field, const void *slot)
{
    (void)field;
    return write_numbers(b, slot, 2);
}

static json_t *write_triple(cj__json *b, const cj__field *field, const void *slot)
{
    (void)field;
    return write_numbers(b, slot, 3);
}

static json_t *write_amounts(cj__json *b, const cj__field *field, const void *slot)
{
    const int64_t *numbers = slot;
    if (field->optional && numbers[0] < 0)
        return cj__json_null(b);
    if (field->columns == 1)
        return write_numbers(b, numbers, field->rows);
    json_t *list = cj__json_list(b);
    for (int i = 0; i < field->rows; i++)
        cj__json_append(b, list, write_numbers(b, numbers + i * field->columns, field->columns));
    return list;
}

static json_t *write_list(cj__json *b, const cj__field *field, const void *slot)
{
    const int64_t *numbers = slot;
    if (numbers[0] == 0)
        return cj__json_null(b);
    int count = 0;
    while (count < LIST_MAX && numbers[count] != 0)
        count++;
    if (!field->optional)
        return write_numbers(b, numbers, count);
    json_t *list = cj__json_list(b);
    for (int i = 0; i < count; i++)
        cj__json_append(b, list, numbers[i] < 0 ? cj__json_null(b) : cj__json_int(b, numbers[i]));
    return list;
}

static json_t *write_axes(cj__json *b, const cj__field *field, const void *slot)
{
    const int64_t *axes = slot;
    (void)field;
    if (axes[0] == 0)
        return cj__json_null(b);
    return axes[0] == 1 ? cj__json_int(b, axes[1]) : write_numbers(b, axes + 1, (int)axes[0]);
}

static json_t *write_numbers_real(cj__json *b, const cj__field *field, const void *slot)
{
    const double *numbers = slot;
    json_t *list = cj__json_list(b);
    (void)field;
    for (int i = 1; i <= (int)numbers[0]; i++)
        cj__json_append(b, list, cj__json_real(b, numbers[i]));
    return list;
}

// The spec that a rate may have instead of a number.
static const char **spec_of_rate(const cj__field *field, const void *slot)
{
    return (const char **)(uintptr_t)((const char *)slot - field->offset + field->other);
}

static json_t *write_rate(cj__json *b, const cj__field *field, const void *slot)
{
    const char *spec = *spec_of_rate(field, slot);
    return spec ? cj__spec_to_json(b, field->catalog, spec) :
                  cj__json_real(b, *(const double *)slot);
}

static json_t *write_real(cj__json *b, const cj__field *field, const void *slot)
{
    (void)field;
    return cj__json_real(b, *(const double *)slot);
}

// A number as JSON has it: whole ones as such.
static json_t *write_number(cj__json *b, const cj__field *field, double number)
{
    return field->whole || field->columns ? cj__json_int(b, (int64_t)number) :
                                            cj__json_real(b, number);
}

static json_t *write_list_of_numbers(cj__json *b, const cj__field *field, const void *slot)
{
    const cj_numbers *numbers = slot;
    const double *one =
        (const double *)(const void *)((const char *)slot - field->offset + field->single);
    if (numbers->count == 0 && field->single && !isnan(*one))
        return write_number(b, field, *one);
    if (numbers->count == 0)
        return cj__json_null(b);
    if (numbers->count == 1 && field->scalar)
        return write_number(b, field, numbers->values[0]);
    const int64_t columns = field->columns ? field->columns :
                            field->rows    ? numbers->count / field->rows :
                                             0;
    json_t *list = cj__json_list(b), *row = list;
    for (int64_t i = 0; i < numbers->count; i++) {
        if (columns && i % columns == 0)
            cj__json_append(b, list, row = cj__json_list(b));
        cj__json_append(b, row, write_number(b, field, numbers->values[i]));
    }
    return list;
}

static json_t *write_limit(cj__json *b, const cj__field *field, const void *slot)
{
    const double limit = *(const double *)slot;
    return isinf(limit) ? cj__json_null(b) :
           field->whole ? cj__json_int(b, (int64_t)limit) :
                          cj__json_real(b, limit);
}

static json_t *write_seed(cj__json *b, const cj__field *field, const void *slot)
{
    const int64_t seed = *(const int64_t *)slot;
    (void)field;
    return seed < 0 ? cj__json_null(b) : cj__json_int(b, seed);
}

static json_t *write_bool(cj__json *b, const cj__field *field, const void *slot)
{
    (void)field;
    return cj__json_bool(b, *(const bool *)slot);
}

// The number that a text may have instead.
static double *number_of_text(const cj__field *field, const void *slot)
{
    return (double *)(uintptr_t)((const char *)slot - field->offset + field->single);
}

static json_t *write_text(cj__json *b, const cj__field *field, const void *slot)
{
    if (field->single && !*(const char *const *)slot && !isinf(*number_of_text(field, slot)))
        return cj__json_int(b, (int64_t)*number_of_text(field, slot));
    return cj__json_text(b, *(const char *const *)slot);
}

static json_t *write_texts(cj__json *b, const cj__field *field, const void *slot)
{
    const cj_texts *texts = slot;
    (void)field;
    if (texts->count == 0)
        return cj__json_null(b);
    json_t *list = cj__json_list(b);
    for (int64_t i = 0; i < texts->count; i++)
        cj__json_append(b, list, cj__json_text(b, texts->values[i]));
    return list;
}

static json_t *write_spec(cj__json *b, const cj__field *field, const void *slot)
{
    return cj__spec_to_json(b, field->catalog, *(const char *const *)slot);
}

// ---- Reading ----

static cj_status wrong(const cj__field *field, const char *who, const char *needed)
{
    return cj__fail(CJ_BAD_FILE, "%s: \"%s\" in the configuration is not %s", who, field->key,
                    needed);
}

static cj_status read_int(const cj__field *field, const json_t *value, void *slot, cj__texts *texts,
                          const char *who)
{
    (void)texts;
    const json_t *number =
        // an axis may be a list of one
        json_array_size(value) == 1 ? json_array_get(value, 0) : value;
    if (!json_is_integer(number))
        return wrong(field, who, "a whole number");
    *(int64_t *)slot = json_integer_value(number);
    return CJ_OK;
}

static cj_status read_int32(const cj__field *field, const json_t *value, void *slot,
                            cj__texts *texts, const char *who)
{
    int64_t number = 0;
    CJ_TRY(read_int(field, value, &number, texts, who));
    if (number < INT32_MIN || number > INT32_MAX)
        return wrong(field, who, "within 32 bits");
    *(int *)slot = (int)number;
    return CJ_OK;
}

static cj_status read_numbers(const cj__field *field, const json_t *value, int64_t *numbers,
                              size_t most, const char *who)
{
    memset(numbers, 0, most * sizeof *numbers); // null, or fewer than the defaults have
    if (json_is_null(value))
        return CJ_OK;
    if (json_is_integer(value)) {
        numbers[0] = json_integer_value(value);
        return CJ_OK;
    }
    if (!json_is_array(value) || json_array_size(value) > most)
        return wrong(field, who, "a short list of whole numbers");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *number = json_array_get(value, i);
        if (!json_is_integer(number) && !json_is_null(number))
            return wrong(field, who, "a list of whole numbers");
        numbers[i] = json_is_null(number) ? -1 : json_integer_value(number);
        if (numbers[i] == 0)
            return wrong(field, who, "free of zeros");
    }
    return CJ_OK;
}

static cj_status read_pair(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    (void)texts;
    return read_numbers(field, value, slot, 2, who);
}

static cj_status read_triple(const cj__field *field, const json_t *value, void *slot,
                             cj__texts *texts, const char *who)
{
    (void)texts;
    return read_numbers(field, value, slot, 3, who);
}

// A number for all columns, or one for each.
static cj_status read_row(const cj__field *field, const json_t *value, int64_t *row,
                          const char *who)
{
    for (int j = 0; j < field->columns; j++) {
        const json_t *number = json_is_array(value) ? json_array_get(value, (size_t)j) : value;
        if (!json_is_integer(number) || json_integer_value(number) < 0 ||
            (json_is_array(value) && json_array_size(value) != (size_t)field->columns))
            return wrong(field, who, "of whole numbers from 0 on");
        row[j] = json_integer_value(number);
    }
    return CJ_OK;
}

static cj_status read_amounts(const cj__field *field, const json_t *value, void *slot,
                              cj__texts *texts, const char *who)
{
    int64_t *numbers = slot;
    (void)texts;
    if (json_is_null(value)) {
        if (!field->optional)
            return wrong(field, who, "numbers");
        numbers[0] = -1;
        return CJ_OK;
    }
    if (json_is_array(value) && json_array_size(value) != (size_t)field->rows)
        return wrong(field, who, "a list of the right length");
    for (int i = 0; i < field->rows; i++)
        CJ_TRY(read_row(field, json_is_array(value) ? json_array_get(value, (size_t)i) : value,
                        numbers + i * field->columns, who));
    return CJ_OK;
}

static cj_status read_list(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    int64_t *numbers = slot;
    (void)texts;
    if (field->up_to && json_is_integer(value) && json_integer_value(value) >= 1 &&
        json_integer_value(value) <= LIST_MAX) {
        for (int i = 0; i < LIST_MAX; i++)
            numbers[i] = i < json_integer_value(value) ? i + 1 : 0;
        return CJ_OK;
    }
    return read_numbers(field, value, slot, LIST_MAX, who);
}

static cj_status read_axes(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    int64_t *axes = slot;
    const size_t count = json_is_array(value) ? json_array_size(value) : 1;
    (void)texts;
    if (json_is_null(value)) {
        if (field->optional)
            axes[0] = 0;
        return CJ_OK;
    }
    if (count < 1 || count > LIST_MAX)
        return wrong(field, who, "a number of an axis, or a list of 1 to 8");
    axes[0] = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        const json_t *axis = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_integer(axis))
            return wrong(field, who, "a number of an axis, or a list of such");
        axes[i + 1] = json_integer_value(axis);
    }
    return CJ_OK;
}

static cj_status read_real(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    (void)texts;
    double number = json_number_value(value);
    if (!json_is_number(value) || !isfinite(number))
        return wrong(field, who, "a number");
    *(double *)slot = number;
    return CJ_OK;
}

static cj_status read_numbers_real(const cj__field *field, const json_t *value, void *slot,
                                   cj__texts *texts, const char *who)
{
    double *numbers = slot;
    const size_t count = json_array_size(value);
    (void)texts;
    if (count < 1 || count > LIST_MAX)
        return wrong(field, who, "a list of 1 to 8 numbers");
    memset(numbers, 0, (LIST_MAX + 1) * sizeof *numbers);
    numbers[0] = (double)count;
    for (size_t i = 0; i < count; i++) {
        const json_t *number = json_array_get(value, i);
        if (!json_is_number(number))
            return wrong(field, who, "a list of numbers");
        numbers[i + 1] = json_number_value(number);
    }
    return CJ_OK;
}

static cj_status read_rate(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    if (json_is_object(value))
        return cj__spec_from_json(field->catalog, value, spec_of_rate(field, slot), texts, who);
    return read_real(field, value, slot, texts, who);
}

// The numbers of a list, and of lists within it, one after another: at `values` if that is given.
// Counts them into *count. False for what is no such list.
static bool flatten(const json_t *value, int depth, double *values, int64_t *count)
{
    if (json_is_number(value)) {
        if (values)
            values[*count] = json_number_value(value);
        ++*count;
        return isfinite(json_number_value(value));
    }
    if (!json_is_array(value) || depth == LIST_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!flatten(json_array_get(value, i), depth + 1, values, count))
            return false;
    return true;
}

// An array of numpy: {"class_name": "__numpy__", "config": {"value": ..., "dtype": ...}}, or of a backend.
static const json_t *without_numpy(const json_t *value)
{
    const char *class_name = json_string_value(json_object_get(value, "class_name"));
    return class_name &&
                   (strcmp(class_name, "__numpy__") == 0 || strcmp(class_name, "__tensor__") == 0) ?
               json_object_get(json_object_get(value, "config"), "value") :
               value;
}

static cj_status read_list_of_numbers(const cj__field *field, const json_t *value, void *slot,
                                      cj__texts *texts, const char *who)
{
    cj_numbers *numbers = slot;
    int64_t count = 0;
    *numbers = (cj_numbers){0};
    if (json_is_null(value))
        return CJ_OK;
    value = without_numpy(value);
    if (field->single && json_is_number(value))
        return read_real(field, value, (char *)slot - field->offset + field->single, texts, who);
    if (!flatten(value, 0, NULL, &count))
        return wrong(field, who, "a list of numbers");
    double *values = (double *)(void *)cj__texts_room(texts, (size_t)count, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    *numbers = (cj_numbers){values, count};
    count = 0;
    flatten(value, 0, values, &count);
    return CJ_OK;
}

static cj_status read_limit(const cj__field *field, const json_t *value, void *slot,
                            cj__texts *texts, const char *who)
{
    *(double *)slot = INFINITY;
    return json_is_null(value) ? CJ_OK : read_real(field, value, slot, texts, who);
}

static cj_status read_seed(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    *(int64_t *)slot = -1;
    return json_is_null(value) ? CJ_OK : read_int(field, value, slot, texts, who);
}

static cj_status read_bool(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    (void)texts;
    if (!json_is_boolean(value))
        return wrong(field, who, "true or false");
    *(bool *)slot = json_is_true(value);
    return CJ_OK;
}

static cj_status read_text(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    (void)texts;
    if (field->single && json_is_integer(value)) {
        *number_of_text(field, slot) = (double)json_integer_value(value);
        return CJ_OK;
    }
    if (!json_is_string(value) && !json_is_null(value))
        return wrong(field, who, "a text");
    *(const char **)slot = json_string_value(value);
    return CJ_OK;
}

static cj_status read_texts(const cj__field *field, const json_t *value, void *slot,
                            cj__texts *texts, const char *who)
{
    cj_texts *list = slot;
    const size_t count = json_array_size(value);
    *list = (cj_texts){0};
    if (json_is_null(value))
        return CJ_OK;
    if (!json_is_array(value))
        return wrong(field, who, "a list of texts");
    const char **values = cj__texts_room(texts, count, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!(values[i] = json_string_value(json_array_get(value, i))))
            return wrong(field, who, "a list of texts");
    *list = (cj_texts){.values = values, .count = (int64_t)count};
    return CJ_OK;
}

// Numbers become a text, which `texts` keeps.
static cj_status read_number_list(const cj__field *field, const json_t *value, void *slot,
                                  cj__texts *texts, const char *who)
{
    cj__text text = {0};
    const bool is_list = json_is_array(value);
    const size_t count = is_list ? json_array_size(value) : 1;
    *(const char **)slot = NULL;
    if (json_is_null(value))
        return CJ_OK;
    cj__text_add(&text, "(");
    for (size_t i = 0; i < count; i++) {
        char digits[CJ__NUMBER_TEXT];
        const json_t *number = is_list ? json_array_get(value, i) : value;
        if (!json_is_number(number)) {
            cj__text_free(&text);
            return wrong(field, who, "a list of numbers");
        }
        cj__text_add(&text, "%s%s", i ? ", " : "",
                     cj__number_text(json_number_value(number), digits));
    }
    cj__text_add(&text, ")");
    if (cj__text_status(&text) != CJ_OK) {
        cj__text_free(&text);
        return CJ_OUT_OF_MEMORY;
    }
    *(const char **)slot = cj__texts_keep(texts, text.data);
    return *(const char **)slot ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static json_t *write_number_list(cj__json *b, const cj__field *field, const void *slot)
{
    const char *text = *(const char *const *)slot;
    const int count = text ? cj__numbers_read(text, NULL, 0) : 0;
    double *numbers = text ? cj__new((size_t)(count > 0 ? count : 1), sizeof *numbers) : NULL;
    (void)field;
    if (!numbers)
        return cj__json_null(b);
    cj__numbers_read(text, numbers, count);
    json_t *list = cj__json_list(b);
    for (int i = 0; i < count; i++) {
        const bool whole = fabs(numbers[i]) < 1e15 && numbers[i] == round(numbers[i]);
        cj__json_append(
            b, list, whole ? cj__json_int(b, (int64_t)numbers[i]) : cj__json_real(b, numbers[i]));
    }
    cj__free(numbers);
    return list;
}

static cj_status read_spec(const cj__field *field, const json_t *value, void *slot,
                           cj__texts *texts, const char *who)
{
    return cj__spec_from_json(field->catalog, value, slot, texts, who);
}

static const struct {
    json_t *(*write)(cj__json *, const cj__field *, const void *slot);
    cj_status (*read)(const cj__field *, const json_t *value, void *slot, cj__texts *,
                      const char *who);
} kinds[] = {
    [CJ__FIELD_INT] = {write_int, read_int},
    [CJ__FIELD_INT32] = {write_int32, read_int32},
    [CJ__FIELD_SEED] = {write_seed, read_seed},
    [CJ__FIELD_PAIR] = {write_pair, read_pair},
    [CJ__FIELD_TRIPLE] = {write_triple, read_triple},
    [CJ__FIELD_AMOUNTS] = {write_amounts, read_amounts},
    [CJ__FIELD_LIST] = {write_list, read_list},
    [CJ__FIELD_AXES] = {write_axes, read_axes},
    [CJ__FIELD_FEW_NUMBERS] = {write_numbers_real, read_numbers_real},
    [CJ__FIELD_RATE] = {write_rate, read_rate},
    [CJ__FIELD_NUMBER] = {write_real, read_real},
    [CJ__FIELD_NUMBERS] = {write_list_of_numbers, read_list_of_numbers},
    [CJ__FIELD_LIMIT] = {write_limit, read_limit},
    [CJ__FIELD_BOOL] = {write_bool, read_bool},
    [CJ__FIELD_TEXT] = {write_text, read_text},
    [CJ__FIELD_TEXTS] = {write_texts, read_texts},
    [CJ__FIELD_SPEC] = {write_spec, read_spec},
    [CJ__FIELD_NUMBER_TEXT] = {write_number_list, read_number_list},
};

// Kinds of which null is a value, and not left out.
static const bool null_is_a_value[] = {
    [CJ__FIELD_SEED] = true,    [CJ__FIELD_PAIR] = true,    [CJ__FIELD_LIST] = true,
    [CJ__FIELD_TRIPLE] = true,  [CJ__FIELD_AMOUNTS] = true, [CJ__FIELD_LIMIT] = true,
    [CJ__FIELD_TEXT] = true,    [CJ__FIELD_SPEC] = true,    [CJ__FIELD_NUMBER_TEXT] = true,
    [CJ__FIELD_NUMBERS] = true, [CJ__FIELD_AXES] = true,    [CJ__FIELD_TEXTS] = true,
};

// What every layer has is written by json_model.c.
static bool is_common(const cj__field *field)
{
    return strcmp(field->key, "name") == 0 || strcmp(field->key, "trainable") == 0 ||
           strcmp(field->key, "dtype") == 0;
}

void cj__fields_to_json(cj__json *b, const cj__field *fields, int count, const void *args,
                        json_t *config)
{
    for (int i = 0; i < count; i++) {
        const void *slot = (const char *)args + fields[i].offset;
        if (!fields[i].hidden && !is_common(&fields[i]))
            cj__json_set(b, config, fields[i].key,
                         kinds[fields[i].kind].write(b, &fields[i], slot));
    }
}

cj_status cj__field_from_json(const cj__field *field, int part, const json_t *value, void *args,
                              cj__texts *texts, const char *who)
{
    char *slot = (char *)args + field->offset;
    if (json_is_null(value) && !null_is_a_value[field->kind])
        return CJ_OK;
    if (part == 0)
        return kinds[field->kind].read(field, value, slot, texts, who);
    return read_int(field, value, (int64_t *)(void *)slot + part - 1, texts, who);
}
