// Operators between layers as real Keras writes them (fixtures/operations.json, made by
// make_operations.py): each model loads, and computes what Keras computed.
#include "fixture.h"

#include <cajal/files.h>
#include <cajal/train.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *recorded;

static cj_tensor *tensor_of(const char *key, cj_dtype dtype, cj_shape shape)
{
    const json_t *numbers = json_object_get(recorded, key);
    cj_tensor *tensor;
    assert_int_equal(cj_tensor_new(dtype, shape, &tensor), CJ_OK);
    assert_int_equal(cj_tensor_count(tensor), json_array_size(numbers));
    for (size_t i = 0; i < json_array_size(numbers); i++) {
        const double number = json_number_value(json_array_get(numbers, i));
        if (dtype == CJ_F32)
            ((float *)cj_tensor_data(tensor))[i] = (float)number;
        else
            ((int32_t *)cj_tensor_data(tensor))[i] = (int32_t)number;
    }
    return tensor;
}

// Two roundings of float32 in sums of up to 12 products: 1e-5 of the greatest part.
static void compare(const char *name, const cj_tensor *out, const json_t *shape, const json_t *y)
{
    const cj_shape *got = cj_tensor_shape(out);
    bool same = got->rank == (int)json_array_size(shape);
    for (int i = 0; same && i < got->rank; i++)
        same = got->dims[i] == json_integer_value(json_array_get(shape, (size_t)i));
    if (!same)
        fail_msg("%s: another shape", name);
    for (size_t i = 0; i < json_array_size(y); i++) {
        const double expected = json_number_value(json_array_get(y, i)),
                     actual = (double)((const float *)cj_tensor_data(out))[i];
        if (!support_near(actual, expected, 1e-5, 1e-5))
            fail_msg("%s: element %zu is %.8g, Keras has %.8g", name, i, actual, expected);
    }
}

enum { OUTPUTS_MAX = 16 };

// All outputs of a model; false with a sentence.
static bool agrees(cj_model *model, const json_t *row, cj_tensor *input)
{
    cj_tensor *outputs[OUTPUTS_MAX] = {NULL};
    const json_t *names = json_object_get(row, "names");
    if (!model || cj_predict_many(model, &input, outputs) != CJ_OK) {
        print_message("%s ...: %s\n", json_string_value(json_array_get(names, 0)), cj_error());
        return false;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        compare(json_string_value(json_array_get(names, i)), outputs[i],
                json_array_get(json_object_get(row, "shapes"), i),
                json_array_get(json_object_get(row, "y"), i));
        cj_release(outputs[i]);
    }
    return true;
}

static void every_model_computes_what_keras_does(void **state)
{
    (void)state;
    const json_t *rows = json_object_get(recorded, "cases");
    cj_tensor *x = tensor_of("x", CJ_F32, CJ_SHAPE(2, 3, 4)),
              *i = tensor_of("i", CJ_I32, CJ_SHAPE(2, 3));
    size_t wrong = 0, words = 0;
    for (size_t at = 0; at < json_array_size(rows); at++) {
        const json_t *row = json_array_get(rows, at);
        char *text = json_dumps(json_object_get(row, "model"), JSON_COMPACT), *again = NULL;
        cj_model *model = cj_model_from_json(text, strlen(text)), *second = NULL;
        cj_tensor *input = model && cj_model_input_shape(model, 0)->rank == 3 ? x : i;
        const bool good = agrees(model, row, input);
        wrong += !good;
        words += json_array_size(json_object_get(row, "names"));
        if (good) { // and what Cajal writes of it
            assert_int_equal(cj_model_to_json(model, &again), CJ_OK);
            second = cj_model_from_json(again, strlen(again));
            wrong += !agrees(second, row, input);
        }
        cj_release(model);
        cj_release(second);
        cj_free(again);
        free(text);
    }
    cj_release(x);
    cj_release(i);
    assert_int_equal(wrong, 0);
    assert_true(words > 190);
}

int main(void)
{
    size_t size = 0;
    char path[1024];
    snprintf(path, sizeof path, "%s/parity/fixtures/operations.json", CAJAL_TEST_SOURCES);
    void *text = support_read(path, &size);
    recorded = json_loadb(text, size, 0, NULL);
    free(text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_computes_what_keras_does),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(recorded);
    return failed;
}
