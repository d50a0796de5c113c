// Texts and look-ups against Keras: what layers learn, and what they make of texts, whole numbers, and
// bytes that are no UTF-8; see generator/text.py.
#include "fixture.h"
#include "base/object.h"
#include "layers/layer.h"

#include <cajal.h>
#include <stdlib.h>
#include <string.h>

static const json_t *lists;

static cj_shape shape_of(const json_t *lengths, int64_t count)
{
    cj_shape shape = CJ_SHAPE(count);
    if (lengths)
        shape.rank = (int)json_array_size(lengths);
    for (int i = 0; lengths && i < shape.rank; i++)
        shape.dims[i] = json_integer_value(json_array_get(lengths, (size_t)i));
    return shape;
}

// The texts of a list, as a tensor of that shape, or (n) where there is none.
static cj_tensor *texts_of(const json_t *number, const json_t *lengths)
{
    const json_t *list = json_array_get(lists, (size_t)json_integer_value(number));
    const size_t count = json_array_size(list);
    char **values = calloc(count + 1, sizeof *values);
    int64_t *bytes = calloc(count + 1, sizeof *bytes);
    for (size_t i = 0; i < count; i++) {
        const char *hex = json_string_value(json_array_get(list, i));
        bytes[i] = (int64_t)strlen(hex) / 2;
        values[i] = malloc((size_t)bytes[i] + 1);
        for (int64_t j = 0; j < bytes[i]; j++) {
            const char pair[3] = {hex[2 * j], hex[2 * j + 1], '\0'};
            values[i][j] = (char)strtol(pair, NULL, 16);
        }
    }
    const cj_shape shape = shape_of(lengths, (int64_t)count);
    cj_tensor *tensor = NULL;
    const cj_texts texts = {(const char *const *)values, bytes, (int64_t)count};
    assert_int_equal(cj_tensor_from_texts(shape, texts, &tensor), CJ_OK);
    for (size_t i = 0; i < count; i++)
        free(values[i]);
    free(values);
    free(bytes);
    return cj__own(tensor);
}

// Numbers as int64, of that shape.
static cj_tensor *numbers_of(const json_t *list, const json_t *lengths)
{
    const size_t count = json_array_size(list);
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_I64, shape_of(lengths, (int64_t)count), &tensor), CJ_OK);
    for (size_t i = 0; i < count; i++)
        ((int64_t *)cj_tensor_data(tensor))[i] = json_integer_value(json_array_get(list, i));
    return cj__own(tensor);
}

static bool same_texts(const cj_tensor *a, const cj_tensor *b)
{
    bool same = cj_tensor_count(a) == cj_tensor_count(b);
    cj_tensor *x = NULL, *y = NULL;
    assert_int_equal(cj_tensor_reshape(a, CJ_SHAPE(-1), &x), CJ_OK);
    assert_int_equal(cj_tensor_reshape(b, CJ_SHAPE(-1), &y), CJ_OK);
    for (int64_t i = 0; same && i < cj_tensor_count(a); i++) {
        const cj_text p = cj_tensor_text(x, &i), q = cj_tensor_text(y, &i);
        same = p.length == q.length && memcmp(p.data, q.data, (size_t)p.length) == 0;
        if (!same)
            print_message("text %lld is \"%s\", Keras has \"%s\"\n", (long long)i, p.data, q.data);
    }
    cj_release(x);
    cj_release(y);
    return same;
}

static bool learns(cj_layer *layer, const json_t *one)
{
    const json_t *adapt = json_object_get(one, "adapt"),
                 *vocabulary = json_object_get(one, "vocabulary");
    if (!adapt)
        return true;
    const bool whole = json_is_array(adapt);
    cj_tensor *data = whole ? numbers_of(adapt, NULL) : texts_of(adapt, NULL);
    bool right = cj_adapt(layer, data) == CJ_OK;
    cj_release(data);
    if (whole) // the special ones are not in the setting
        return right && cj_vocabulary_size(layer) == (int64_t)json_array_size(vocabulary);
    cj_tensor *wanted = texts_of(vocabulary, NULL);
    right = right && cj_vocabulary_size(layer) == cj_tensor_count(wanted);
    for (int64_t i = 0; right && i < cj_tensor_count(wanted); i++) {
        right = strcmp(cj_vocabulary_token(layer, i), cj_tensor_text(wanted, &i).data) == 0;
        if (!right)
            print_message("token %lld is \"%s\", Keras has \"%s\"\n", (long long)i,
                          cj_vocabulary_token(layer, i), cj_tensor_text(wanted, &i).data);
    }
    cj_release(wanted);
    return right;
}

static cj_layer *layer_of(const json_t *one, cj_model **model)
{
    char *text = json_dumps(json_object_get(one, "config"), 0);
    *model = cj_model_from_json(text, strlen(text));
    free(text);
    return *model ? cj_model_layer_at(*model, 0) : NULL;
}

static bool applies(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_model *model = NULL;
    cj_tensor *x = NULL, *y = NULL;
    cj_layer *layer = layer_of(one, &model);
    bool right = layer && learns(layer, one);
    if (right)
        x = json_object_get(one, "texts") ?
                texts_of(json_object_get(one, "texts"), json_object_get(one, "shape")) :
                numbers_of(json_object_get(one, "numbers"), json_object_get(one, "shape"));
    right = right && cj_vectorize(layer, x, &y) == CJ_OK;
    if (right && json_object_get(one, "result")) {
        cj_tensor *wanted = texts_of(json_object_get(one, "result"), NULL);
        right = same_texts(y, wanted);
        cj_release(wanted);
    } else if (right)
        right = fixture_compare(file, name, "y0", y);
    cj_release(y);
    cj_release(x);
    cj_release(model);
    return right;
}

// HashedCrossing has several inputs, so it needs a model.
static bool crosses(const fixture *file, const json_t *one)
{
    const json_t *inputs = json_object_get(one, "inputs");
    const int count = (int)json_array_size(inputs);
    const bool column = fixture_flag(one, "column");
    cj_tensor *x[4] = {NULL}, *y = NULL;
    cj_symbol *symbols[4] = {NULL};
    for (int i = 0; i < count; i++) {
        const json_t *list = json_array_get(inputs, (size_t)i);
        cj_tensor *flat = json_is_array(list) ? numbers_of(list, NULL) : texts_of(list, NULL);
        cj_input_args args = {CJ_INPUT_DEFAULTS, .dtype = cj_dtype_name(cj_tensor_dtype(flat))};
        const cj_shape shape = {.rank = column ? 2 : 1, .dims = {cj_tensor_count(flat), 1}};
        args.shape[0] = column ? 1 : 0;
        assert_int_equal(cj_tensor_reshape(flat, shape, &x[i]), CJ_OK);
        symbols[i] = cj_input_symbol_new(&args);
        cj_release(flat);
    }
    cj_layer *layer = cj_hashed_crossing((int64_t)fixture_number(one, "bins"),
                                         .output_mode = fixture_text(one, "mode"));
    cj_symbol *crossed = cj_apply_list(layer, symbols, count);
    cj_model *model =
        cj_functional(.inputs_list = symbols, .inputs_count = count, .outputs = {crossed});
    bool right = model && cj_predict_many(model, x, &y) == CJ_OK &&
                 fixture_compare(file, fixture_case_name(one), "y0", y);
    cj_release(model);
    cj_release(y);
    for (int i = 0; i < count; i++)
        cj_release(x[i]);
    return right;
}

static bool is_as_in_keras(const fixture *file, const json_t *one)
{
    lists = json_object_get(fixture_find(file, "lists"), "lists");
    if (json_object_get(one, "lists"))
        return true;
    return json_object_get(one, "inputs") ? crosses(file, one) : applies(file, one);
}

static void texts_become_keras_numbers(void **state)
{
    (void)state;
    fixture_run("text", is_as_in_keras);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_become_keras_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
