// Tables as data; see table.h.
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "csv:";
enum { HIDDEN = 64, CLASSES_OF_NUMBERS = 10 };

bool is_table_data(const char *name)
{
    return strncmp(name, prefix, sizeof prefix - 1) == 0;
}

bool is_table_model(const cj_model *model)
{
    return cj_model_note(model, "table");
}

// "csv:FILE:TARGET": the target is what follows the last colon.
static cj_status split_name(const char *name, char path[4096], const char **target)
{
    const char *begin = name + sizeof prefix - 1, *colon = strrchr(begin, ':');
    if (!colon || colon == begin || !colon[1] || colon - begin >= 4096)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "%s: it needs a file and the name of the column to predict, such as "
                       "csv:houses.csv:price",
                       name);
    memcpy(path, begin, (size_t)(colon - begin));
    path[colon - begin] = '\0';
    *target = colon + 1;
    return CJ_OK;
}

// ---- making a schema ----

static double mean_of(const double *numbers, int64_t rows)
{
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < rows; i++)
        if (isfinite(numbers[i])) {
            sum += numbers[i];
            count++;
        }
    return count > 0 ? sum / (double)count : 0;
}

static json_t *texts_of(const cj_table *table, int column)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < cj_table_text_count(table, column); i++)
        json_array_append_new(list, text_json(cj_table_text(table, column, i)));
    return list;
}

static void remark(const cj_table *table, int column)
{
    fputs("cajal: the column ", stderr);
    print_text(cj_table_name(table, column), stderr);
    fprintf(stderr, " has %lld different texts and is left out\n",
            (long long)cj_table_text_count(table, column));
}

// Whole numbers of which few are different are classes: their texts in order, or NULL.
static json_t *classes_of_numbers(const double *numbers, int64_t rows)
{
    double values[CLASSES_OF_NUMBERS];
    int64_t there = 0;
    int count = 0;
    for (int64_t i = 0; i < rows; i++) {
        int at = 0;
        if (!isfinite(numbers[i]))
            continue;
        there++;
        while (at < count && values[at] < numbers[i])
            at++;
        if (at < count && !(values[at] > numbers[i]))
            continue;
        if (count == CLASSES_OF_NUMBERS || fabs(numbers[i]) > 1e6 || fmod(numbers[i], 1) != 0)
            return NULL;
        memmove(values + at + 1, values + at, (size_t)(count - at) * sizeof *values);
        values[at] = numbers[i];
        count++;
    }
    if (count < 2 || there < 5 * count)
        return NULL;
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof text, "%.15g", values[i]);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *target_classes(const cj_table *table, int target)
{
    return cj_table_kind(table, target) != CJ_COLUMN_NUMBER ?
               texts_of(table, target) :
               classes_of_numbers(cj_table_numbers(table, target), cj_table_rows(table));
}

static json_t *make_schema(const cj_table *table, int target)
{
    json_t *schema = json_object(), *numbers = json_array(), *categories = json_array();
    json_object_set_new(schema, "target", text_json(cj_table_name(table, target)));
    json_t *classes = target_classes(table, target);
    if (classes)
        json_object_set_new(schema, "classes", classes);
    for (int i = 0; i < cj_table_columns(table); i++) {
        json_t *column = json_object();
        json_object_set_new(column, "name", text_json(cj_table_name(table, i)));
        const cj_column_kind kind = cj_table_kind(table, i);
        if (i != target && kind == CJ_COLUMN_NUMBER) {
            const double mean = mean_of(cj_table_numbers(table, i), cj_table_rows(table));
            json_object_set_new(column, "mean", json_real(mean));
            json_array_append(numbers, column);
        } else if (i != target && kind == CJ_COLUMN_CATEGORY) {
            json_object_set_new(column, "texts", texts_of(table, i));
            json_array_append(categories, column);
        } else if (i != target) {
            remark(table, i);
        }
        json_decref(column);
    }
    json_object_set_new(schema, "numbers", numbers);
    json_object_set_new(schema, "categories", categories);
    return schema;
}

static json_t *schema_of(const cj_model *model)
{
    json_error_t problem;
    const char *note = cj_model_note(model, "table");
    json_t *schema = note ? json_loads(note, 0, &problem) : NULL;
    if (!schema || !json_is_array(json_object_get(schema, "numbers")) ||
        !json_is_array(json_object_get(schema, "categories"))) {
        json_decref(schema);
        cj_fail(CJ_BAD_FILE, "the model does not say which columns of a table it takes");
        return NULL;
    }
    return schema;
}

void print_schema(const json_t *schema, FILE *stream)
{
    const json_t *classes = json_object_get(schema, "classes");
    fputs("predicting ", stream);
    print_text(json_string_value(json_object_get(schema, "target")), stream);
    if (classes)
        fprintf(stream, ": one of %zu classes", json_array_size(classes));
    else
        fputs(": a number", stream);
    fprintf(stream, ", from %zu columns of numbers and %zu of categories\n",
            json_array_size(json_object_get(schema, "numbers")),
            json_array_size(json_object_get(schema, "categories")));
}

// The names of the classes, one a line, for the note that all models have.
static cj_status note_table_classes(cj_model *model, const json_t *classes)
{
    char text[1 << 15] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const int more = snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? "\n" : "",
                                  json_string_value(json_array_get(classes, i)));
        if (more < 0 || (size_t)more >= sizeof text - used)
            return CJ_OK;
        used += (size_t)more;
    }
    return cj_model_set_note(model, "classes", text);
}

cj_status note_table(cj_model *model, const json_t *schema)
{
    CJ_TRY(note_table_classes(model, json_object_get(schema, "classes")));
    char *text = json_dumps(schema, JSON_COMPACT | JSON_REAL_PRECISION(17));
    const cj_status status = text ? cj_model_set_note(model, "table", text) : CJ_OUT_OF_MEMORY;
    free(text);
    return status;
}

bool is_regression(const json_t *schema)
{
    return !json_object_get(schema, "classes");
}

// ---- encoding rows ----

static cj_status find_column(const cj_table *table, const json_t *column, bool numbers, int *index)
{
    const char *name = json_string_value(json_object_get(column, "name"));
    *index = cj_table_find(table, name);
    if (*index < 0)
        return cj_fail(CJ_INVALID_ARGUMENT, "the table has no column \"%s\", which the model takes",
                       name ? name : "");
    const bool missing_all = cj_table_missing(table, *index) == cj_table_rows(table);
    if (numbers && !cj_table_numbers(table, *index) && !missing_all)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "the column \"%s\" has texts, and the model takes numbers there", name);
    return CJ_OK;
}

static cj_status encode_numbers(const json_t *columns, const cj_table *table, cj_tensor *x)
{
    const size_t count = json_array_size(columns);
    float *to = cj_tensor_data(x);
    for (size_t c = 0; c < count; c++) {
        const json_t *column = json_array_get(columns, c);
        const double mean = json_number_value(json_object_get(column, "mean"));
        int index;
        CJ_TRY(find_column(table, column, true, &index));
        const double *from = cj_table_numbers(table, index);
        for (int64_t i = 0; i < cj_table_rows(table); i++)
            to[(size_t)i * count + c] = (float)(from && isfinite(from[i]) ? from[i] : mean);
    }
    return CJ_OK;
}

// For each text of the table's column its number in the schema; the last number is for texts that the
// schema does not have.
static cj_status match_texts(const json_t *texts, const cj_table *table, int column,
                             int32_t **match)
{
    const int64_t count = cj_table_text_count(table, column);
    json_t *known = json_object();
    for (size_t i = 0; i < json_array_size(texts); i++)
        json_object_set_new(known, json_string_value(json_array_get(texts, i)),
                            json_integer((json_int_t)i));
    *match = malloc((size_t)(count + 1) * sizeof **match);
    for (int64_t i = 0; *match && i < count; i++) {
        json_t *text = text_json(cj_table_text(table, column, i));
        const json_t *found = json_object_get(known, json_string_value(text));
        (*match)[i] = (int32_t)(found ? (size_t)json_integer_value(found) : json_array_size(texts));
        json_decref(text);
    }
    json_decref(known);
    return *match ? CJ_OK : cj_fail(CJ_OUT_OF_MEMORY, "there is no memory for a column");
}

// A number of a column that had texts when the model was trained is looked for as it is written
// shortest.
static int32_t match_number(const json_t *texts, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.15g", number);
    for (size_t i = 0; i < json_array_size(texts); i++)
        if (strcmp(text, json_string_value(json_array_get(texts, i))) == 0)
            return (int32_t)i;
    return (int32_t)json_array_size(texts);
}

static cj_status encode_category(const json_t *column, const cj_table *table, int32_t first,
                                 int32_t *to, size_t stride)
{
    const json_t *texts = json_object_get(column, "texts");
    const int32_t other = (int32_t)json_array_size(texts);
    int32_t *match = NULL;
    int index;
    CJ_TRY(find_column(table, column, false, &index));
    const int32_t *indices = cj_table_indices(table, index);
    const double *numbers = cj_table_numbers(table, index);
    if (indices)
        CJ_TRY(match_texts(texts, table, index, &match));
    for (int64_t i = 0; i < cj_table_rows(table); i++) {
        int32_t value = other;
        if (indices && indices[i] >= 0)
            value = match[indices[i]];
        else if (numbers && isfinite(numbers[i]))
            value = match_number(texts, numbers[i]);
        to[(size_t)i * stride] = first + value;
    }
    free(match);
    return CJ_OK;
}

static int64_t token_count(const json_t *columns)
{
    int64_t count = 0;
    for (size_t c = 0; c < json_array_size(columns); c++)
        count += (int64_t)json_array_size(json_object_get(json_array_get(columns, c), "texts")) + 1;
    return count;
}

static cj_status encode_categories(const json_t *columns, const cj_table *table, cj_tensor *x)
{
    const size_t count = json_array_size(columns);
    int32_t first = 0;
    for (size_t c = 0; c < count; c++) {
        const json_t *column = json_array_get(columns, c);
        CJ_TRY(encode_category(column, table, first, (int32_t *)cj_tensor_data(x) + c, count));
        first += (int32_t)json_array_size(json_object_get(column, "texts")) + 1;
    }
    return CJ_OK;
}

// The inputs of a model for the rows of a table: numbers, then categories, as far as there are any.
static cj_status encode(const json_t *schema, const cj_table *table, cj_tensor **inputs)
{
    const json_t *numbers = json_object_get(schema, "numbers"),
                 *categories = json_object_get(schema, "categories");
    const int64_t rows = cj_table_rows(table), n = (int64_t)json_array_size(numbers),
                  c = (int64_t)json_array_size(categories);
    cj_status status = CJ_OK;
    int at = 0;
    inputs[0] = inputs[1] = NULL;
    if (rows == 0 || n + c == 0)
        return cj_fail(CJ_INVALID_ARGUMENT, rows == 0 ? "the table has no rows" :
                                                        "the table has no columns to learn from");
    if (n > 0) {
        status = cj_tensor_new(CJ_F32, CJ_SHAPE(rows, n), &inputs[at]);
        if (status == CJ_OK)
            status = encode_numbers(numbers, table, inputs[at++]);
    }
    if (status == CJ_OK && c > 0) {
        status = cj_tensor_new(CJ_I32, CJ_SHAPE(rows, c), &inputs[at]);
        if (status == CJ_OK)
            status = encode_categories(categories, table, inputs[at]);
    }
    for (int i = 0; status != CJ_OK && i < 2; i++) {
        cj_release(inputs[i]);
        inputs[i] = NULL;
    }
    return status;
}

cj_status read_table_inputs(const cj_model *model, const char *path, cj_tensor **inputs)
{
    cj_table *table = NULL;
    inputs[0] = inputs[1] = NULL;
    json_t *schema = schema_of(model);
    cj_status status =
        schema ? load_rows(path, &(cj_load_csv_args){CJ_LOAD_CSV_DEFAULTS, .header = 1}, &table) :
                 CJ_BAD_FILE;
    if (status == CJ_OK)
        status = encode(schema, table, inputs);
    cj_release(table);
    json_decref(schema);
    return status;
}

// ---- data sets ----

// The targets, and which rows have one.
static cj_status encode_target(const json_t *schema, const cj_table *table, cj_tensor **y,
                               bool *there)
{
    const json_t *classes = json_object_get(schema, "classes");
    const char *name = json_string_value(json_object_get(schema, "target"));
    const int column = cj_table_find(table, name);
    const int64_t rows = cj_table_rows(table);
    if (column < 0)
        return cj_fail(CJ_INVALID_ARGUMENT, "the table has no column \"%s\"", name ? name : "");
    const double *numbers = cj_table_numbers(table, column);
    const int32_t *indices = cj_table_indices(table, column);
    int32_t *match = NULL;
    if (!classes && !numbers)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "the column \"%s\" has texts, and the model predicts "
                       "numbers",
                       name);
    CJ_TRY(cj_tensor_new(classes ? CJ_I32 : CJ_F32, CJ_SHAPE(rows), y));
    if (classes && indices)
        CJ_TRY(match_texts(classes, table, column, &match));
    for (int64_t i = 0; i < rows; i++) {
        int32_t label = (int32_t)json_array_size(classes);
        if (!classes) {
            there[i] = isfinite(numbers[i]);
            ((float *)cj_tensor_data(*y))[i] = there[i] ? (float)numbers[i] : 0;
            continue;
        }
        if (indices && indices[i] >= 0)
            label = match[indices[i]];
        else if (numbers && isfinite(numbers[i]))
            label = match_number(classes, numbers[i]);
        there[i] = label < (int32_t)json_array_size(classes);
        ((int32_t *)cj_tensor_data(*y))[i] = there[i] ? label : 0;
    }
    free(match);
    return CJ_OK;
}

// Rows of a tensor of four-byte numbers.
static cj_status take_rows(const cj_tensor *from, const int64_t *rows, int64_t count,
                           cj_tensor **to)
{
    cj_shape shape = *cj_tensor_shape(from);
    const size_t bytes = (size_t)(cj_tensor_count(from) / shape.dims[0]) * 4;
    shape.dims[0] = count;
    CJ_TRY(cj_tensor_new(cj_tensor_dtype(from), shape, to));
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)cj_tensor_data(*to) + (size_t)i * bytes,
               (const char *)cj_tensor_data((cj_tensor *)from) + (size_t)rows[i] * bytes, bytes);
    return CJ_OK;
}

static cj_status make_set(cj_tensor *const *inputs, const cj_tensor *y, const int64_t *rows,
                          int64_t count, cj_dataset **data)
{
    cj_tensor *x[2] = {NULL, NULL}, *labels = NULL;
    cj_status status =
        count > 0 ? CJ_OK : cj_fail(CJ_INVALID_ARGUMENT, "the table has too few rows");
    for (int i = 0; status == CJ_OK && i < 2 && inputs[i]; i++)
        status = take_rows(inputs[i], rows, count, &x[i]);
    if (status == CJ_OK)
        status = take_rows(y, rows, count, &labels);
    if (status == CJ_OK) {
        *data = cj_dataset(.x = {x[0], x[1]}, .y = {labels});
        return *data ? CJ_OK : cj_error_status();
    }
    cj_release(x[0]);
    cj_release(x[1]);
    return status;
}

// A fixed order that looks like chance: multiplication by an odd number, modulo a power of two.
static int64_t mix(const bool *there, int64_t rows, int64_t *order)
{
    uint64_t size = 1, at = 0;
    int64_t count = 0;
    while (size < (uint64_t)rows)
        size *= 2;
    for (uint64_t i = 0; i < size; i++) {
        at = (at * 1664525 + 1013904223) & (size - 1);
        if (at < (uint64_t)rows && there[at])
            order[count++] = (int64_t)at;
    }
    return count;
}

static cj_status make_sets(const json_t *schema, const cj_table *table, cj_dataset **train,
                           cj_dataset **test)
{
    const int64_t rows = cj_table_rows(table);
    cj_tensor *inputs[2] = {NULL, NULL}, *y = NULL;
    bool *there = calloc((size_t)rows + 1, sizeof *there);
    int64_t *order = calloc((size_t)rows + 1, sizeof *order);
    cj_status status =
        there && order ? CJ_OK : cj_fail(CJ_OUT_OF_MEMORY, "there is no memory for the rows");
    if (status == CJ_OK)
        status = encode(schema, table, inputs);
    if (status == CJ_OK)
        status = encode_target(schema, table, &y, there);
    if (status == CJ_OK) {
        const int64_t count = mix(there, rows, order), held = count / 5;
        status = make_set(inputs, y, order, count - held, train);
        if (status == CJ_OK)
            status = make_set(inputs, y, order + count - held, held, test);
    }
    cj_release(inputs[0]);
    cj_release(inputs[1]);
    cj_release(y);
    free(there);
    free(order);
    return status;
}

cj_status load_table_data(const char *name, const cj_model *model, json_t **schema,
                          cj_dataset **train, cj_dataset **test)
{
    char path[4096];
    const char *target = NULL;
    cj_table *table = NULL;
    *schema = NULL;
    CJ_TRY(split_name(name, path, &target));
    cj_status status = cj_load_csv(path, &table, .header = 1);
    if (status == CJ_OK && cj_table_find(table, target) < 0)
        status = cj_fail(CJ_INVALID_ARGUMENT, "%s: there is no column \"%s\"", path, target);
    if (status == CJ_OK) {
        *schema = model ? schema_of(model) : make_schema(table, cj_table_find(table, target));
        status = *schema ? make_sets(*schema, table, train, test) : cj_error_status();
    }
    cj_release(table);
    if (status != CJ_OK) {
        json_decref(*schema);
        *schema = NULL;
        cj_release(*train);
        *train = NULL;
    }
    return status;
}

// ---- a first model ----

// A layer that has learnt mean and variance; NULL with a sentence.
static cj_layer *adapted(bool invert, const cj_tensor *data)
{
    cj_layer *layer = cj_normalization(.invert = invert);
    if (layer && cj_adapt(layer, data) != CJ_OK) {
        cj_release(layer);
        return NULL;
    }
    return layer;
}

// The last layers: classes by softmax, or a number in the target's own unit.
static cj_symbol *finish_model(const json_t *schema, const cj_dataset *train, cj_symbol *x)
{
    const json_t *classes = json_object_get(schema, "classes");
    if (classes)
        return cj_apply(cj_dense((int64_t)json_array_size(classes), .activation = "softmax"), x);
    cj_tensor *column = NULL, *y = cj_dataset_y(train, 0);
    if (cj_tensor_reshape(y, CJ_SHAPE(cj_dataset_count(train), 1), &column) != CJ_OK)
        return NULL;
    cj_layer *unit = adapted(true, column);
    cj_release(column);
    return cj_apply(unit, cj_apply(cj_dense(1), x));
}

cj_model *make_table_model(const json_t *schema, const cj_dataset *train)
{
    const json_t *categories = json_object_get(schema, "categories");
    const int64_t n = (int64_t)json_array_size(json_object_get(schema, "numbers")),
                  c = (int64_t)json_array_size(categories);
    cj_symbol *inputs[2], *parts[2], *x;
    int count = 0;
    if (n > 0) {
        inputs[count] = cj_input_symbol(n, .name = "numbers");
        parts[count] = cj_apply(adapted(false, cj_dataset_x(train, 0)), inputs[count]);
        count++;
    }
    if (c > 0) {
        inputs[count] = cj_input_symbol(c, .name = "categories", .dtype = "int32");
        parts[count] = cj_apply(cj_category_encoding(token_count(categories)), inputs[count]);
        count++;
    }
    x = count == 2 ? cj_merge(cj_concatenate(), parts[0], parts[1]) : parts[0];
    x = cj_apply(cj_dense(HIDDEN, .activation = "relu"), x);
    x = cj_apply(cj_dense(HIDDEN, .activation = "relu"), x);
    x = finish_model(schema, train, x);
    return cj_functional(.inputs_list = inputs, .inputs_count = count, .outputs = {x});
}
