// Dtype policies: mixed_bfloat16 rounds what layers are given, read and give; float32 does not;
// names are checked.
#include "graph/graph.h"
#include "layers/layer.h"
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static cj_model *network(const char *policy)
{
    return cj_sequential(cj_input(40), cj_dense(64, .activation = "relu", .dtype = policy),
                         cj_dense(48, .activation = "tanh", .dtype = policy),
                         cj_dense(3, .dtype = policy));
}

// Predictions for `rows` rows of numbers that are no bfloat16 numbers.
static float *predict(cj_model *model, int64_t rows, int64_t *count)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(rows, 40), &x), CJ_OK);
    float *numbers = cj_tensor_data(x);
    for (int64_t i = 0; i < rows * 40; i++)
        numbers[i] = sinf((float)i * 0.37f) * 1.3f;
    if (cj_predict(model, x, &y) != CJ_OK)
        fail_msg("%s", cj_error());
    *count = cj_tensor_count(y);
    float *copy = malloc((size_t)*count * sizeof *copy);
    memcpy(copy, cj_tensor_data(y), (size_t)*count * sizeof *copy);
    cj_release(x), cj_release(y);
    return copy;
}

static bool is_bfloat16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits & 0xFFFFu) == 0;
}

static int64_t off_grid(const float *y, int64_t count)
{
    int64_t off = 0;
    for (int64_t i = 0; i < count; i++)
        off += !is_bfloat16(y[i]);
    return off;
}

static void outputs_are_bfloat16_and_near_those_in_float32(void **state)
{
    (void)state;
    cj_model *mixed = network("mixed_bfloat16"), *plain = network(NULL);
    int64_t count = 0;
    // one seed: the same weights
    float *y = predict(mixed, 33, &count), *z = predict(plain, 33, &count);
    assert_int_equal(off_grid(y, count), 0);
    assert_true(off_grid(z, count) > count / 2);
    for (int64_t i = 0; i < count; i++)
        assert_true(fabsf(y[i] - z[i]) < 0.05f);
    free(y), free(z);
    cj_release(mixed), cj_release(plain);
}

static void weights_stay_float32(void **state)
{
    (void)state;
    cj_model *model = network("mixed_bfloat16");
    const cj_tensor *kernel = cj_variable_value(cj_layer_variable(cj_model_layer(model), 0));
    assert_int_equal(cj_tensor_dtype(kernel), CJ_F32);
    assert_true(off_grid(cj_tensor_data((cj_tensor *)(uintptr_t)kernel), 40 * 64) > 1000);
    cj_release(model);
}

static void a_model_gives_its_layers_a_policy(void **state)
{
    (void)state;
    cj_model *model = network(NULL);
    assert_string_equal(cj_dtype_policy(cj_model_layer_at(model, 0)), "float32");
    assert_int_equal(cj_set_dtype_policy(cj_model_layer(model), "mixed_bfloat16"), CJ_OK);
    for (int i = 0; i < cj_model_layer_count(model); i++)
        assert_string_equal(cj_dtype_policy(cj_model_layer_at(model, i)), "mixed_bfloat16");
    int64_t count = 0;
    float *y = predict(model, 5, &count);
    assert_int_equal(off_grid(y, count), 0);
    free(y);
    cj_release(model);
}

static void json_keeps_the_policy_of_each_layer(void **state)
{
    (void)state;
    cj_model *model =
        cj_sequential(cj_input(4), cj_dense(3, .dtype = "mixed_bfloat16"), cj_dense(2));
    char *json = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    assert_non_null(strstr(json, "mixed_bfloat16"));
    cj_model *again = cj_model_from_json(json, strlen(json));
    assert_non_null(again);
    assert_string_equal(cj_dtype_policy(cj_model_find_layer(again, "dense")), "mixed_bfloat16");
    assert_string_equal(cj_dtype_policy(cj_model_find_layer(again, "dense_1")), "float32");
    cj_free(json);
    cj_release(model), cj_release(again);
}

static void saved_models_keep_the_policy_and_their_predictions(void **state)
{
    (void)state;
    cj_model *model = network("mixed_bfloat16");
    if (cj_save(model, support_path("mixed.safetensors")) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_model *again = cj_load(support_path("mixed.safetensors"));
    assert_non_null(again);
    assert_string_equal(cj_dtype_policy(cj_model_layer_at(again, 1)), "mixed_bfloat16");
    int64_t count = 0;
    float *y = predict(model, 9, &count), *z = predict(again, 9, &count);
    assert_memory_equal(y, z, (size_t)count * sizeof *y);
    free(y), free(z);
    cj_release(model), cj_release(again);
}

static void unknown_policies_are_refused(void **state)
{
    (void)state;
    assert_null(cj_dense(3, .dtype = "mixed_bfloat61"));
    assert_non_null(strstr(cj_error(), "mixed_bfloat16"));
    cj_model *model = network(NULL);
    assert_int_equal(cj_set_dtype_policy(cj_model_layer(model), "float16"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_set_dtype_policy(NULL, "float32"), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_set_dtype_policy(cj_model_layer(model), NULL), CJ_INVALID_ARGUMENT);
    cj_release(model);
    static const char json[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"layers\": [{\"class_name\": \"Dense\","
        " \"config\": {\"units\": 3, \"dtype\": \"mixed_float16\"}}]}}";
    assert_null(cj_model_from_json(json, strlen(json)));
}

// Layers of several kinds, each of which rounds something: made and traced.
static cj_status make_mixed(void *context)
{
    cj_model *model = NULL;
    switch (*(const int *)context) {
    case 0:
        model = cj_sequential(cj_input(6, 6, 2),
                              cj_conv2d(3, {3, 3}, .activation = "relu", .dtype = "mixed_bfloat16"),
                              cj_max_pooling2d({2, 2}, .dtype = "mixed_bfloat16"),
                              cj_flatten(.dtype = "mixed_bfloat16"),
                              cj_dense(2, .dtype = "mixed_bfloat16"));
        break;
    case 1:
        model = cj_sequential(cj_input(4, 3), cj_simple_rnn(2, .dtype = "mixed_bfloat16"),
                              cj_batch_normalization(.dtype = "mixed_bfloat16"),
                              cj_softmax(.dtype = "mixed_bfloat16"));
        break;
    default:
        model = cj_sequential(cj_input(5), cj_embedding(7, 3, .dtype = "mixed_bfloat16"),
                              cj_reshape({15}, .dtype = "mixed_bfloat16"),
                              cj_rescaling(0.5, .dtype = "mixed_bfloat16"));
    }
    const cj_status status = model ? CJ_OK : cj_error_status();
    cj_release(model);
    return status;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++)
        support_fail_each_allocation(make_mixed, &which);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_bfloat16_and_near_those_in_float32),
        cmocka_unit_test(weights_stay_float32),
        cmocka_unit_test(a_model_gives_its_layers_a_policy),
        cmocka_unit_test(json_keeps_the_policy_of_each_layer),
        cmocka_unit_test(saved_models_keep_the_policy_and_their_predictions),
        cmocka_unit_test(unknown_policies_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
