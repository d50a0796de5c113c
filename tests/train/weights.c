// Sample weights of each output, and of each step. Logs and weights are those of Keras 3.15.1 (JAX):
// tests/parity/make_weights.py prints them.
#include "problems.h"
#include <cajal/streams.h>
#include <math.h>
#include <string.h>

static cj_tensor *numbers(cj_shape shape, int period, float shift)
{
    float values[128];
    for (int i = 0; i < (int)cj_shape_count(&shape); i++)
        values[i] = (float)(i * 7 % period) / (float)period - 0.5f + shift;
    return problem_tensor(shape, values);
}

static void assign(const cj_model *model, const char *layer, cj_shape shape, int period)
{
    cj_tensor *kernel = numbers(shape, period, 0);
    assert_ok(cj_variable_assign(cj_layer_variable(cj_model_find_layer(model, layer), 0), kernel));
    cj_release(kernel);
}

// (5, 4) -> h, tanh 3 -> a, 2 a step; b, 1 of the mean over steps; c, softmax 3 a step.
static cj_model *three_outputs(void)
{
    cj_symbol *x = cj_input_symbol(5, 4),
              *h = cj_apply(cj_dense(3, .activation = "tanh", .name = "h"), x);
    cj_symbol *a = cj_apply(cj_dense(2, .name = "a"), h),
              *b = cj_apply(cj_dense(1, .name = "b"), cj_apply(cj_global_average_pooling1d(), h)),
              *c = cj_apply(cj_dense(3, .activation = "softmax", .name = "c"), h);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {a, b, c});
    assert_non_null(model);
    assign(model, "h", CJ_SHAPE(4, 3), 11), assign(model, "a", CJ_SHAPE(3, 2), 13);
    assign(model, "b", CJ_SHAPE(3, 1), 17), assign(model, "c", CJ_SHAPE(3, 3), 19);
    static const cj_output_metrics metrics[3] = {
        {.metrics = {"mae"}}, {.metrics = {NULL}}, {.metrics = {"accuracy"}}};
    static const cj_output_metrics weighted[3] = {
        {.metrics = {"mse"}}, {.metrics = {"mse"}}, {.metrics = {"accuracy"}}};
    assert_ok(cj_compile(model, .optimizer = cj_sgd(0.1),
                         .losses = {"mse", "mae", "sparse_categorical_crossentropy"},
                         .loss_weights = {1, 0.5, 2}, .output_metrics = metrics,
                         .output_metrics_count = 3, .output_weighted_metrics = weighted,
                         .output_weighted_metrics_count = 3));
    return model;
}

static cj_dataset *three_targets(cj_tensor *a, cj_tensor *b, cj_tensor *c)
{
    int32_t labels[30];
    cj_tensor *y = NULL;
    for (int i = 0; i < 30; i++)
        labels[i] = i * 7 % 3;
    assert_ok(cj_tensor_from(CJ_I32, CJ_SHAPE(6, 5), labels, 30, &y));
    cj_dataset *data =
        cj_dataset(.x = {numbers(CJ_SHAPE(6, 5, 4), 23, 0)},
                   .y = {numbers(CJ_SHAPE(6, 5, 2), 9, 0), numbers(CJ_SHAPE(6, 1), 5, 0), y},
                   .sample_weights = {a, b, c});
    if (!data)
        fail_msg("%s", cj_error());
    return data;
}

static cj_dataset *each_weighted(void)
{
    return three_targets(numbers(CJ_SHAPE(6, 1), 11, 0.5f), numbers(CJ_SHAPE(6), 5, 0.5f),
                         numbers(CJ_SHAPE(6, 1), 4, 0.5f));
}

static cj_dataset *steps_weighted(void)
{
    return three_targets(numbers(CJ_SHAPE(6, 5), 11, 0.5f), numbers(CJ_SHAPE(6), 5, 0.5f),
                         numbers(CJ_SHAPE(6, 5), 13, 0.5f));
}

typedef struct expected {
    const char *name;
    double value;
} expected;
#include "weights_keras.h"
#define COUNT(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

static void assert_as_keras(cj_dataset *data, const expected *logs, int count, const double *kernel)
{
    cj_model *model = three_outputs();
    cj_results *results = NULL;
    assert_ok(cj_evaluate(model, data, &results, .batch_size = 4));
    assert_int_equal(cj_results_count(results), count);
    for (int i = 0; i < count; i++)
        assert_near(cj_results_value(results, logs[i].name), logs[i].value, 1e-6, 1e-5);
    assert_ok(cj_fit(model, data, .batch_size = 4, .epochs = 3, .shuffle = false));
    const cj_tensor *trained =
        cj_variable_value(cj_layer_variable(cj_model_find_layer(model, "h"), 0));
    for (int i = 0; i < 12; i++)
        assert_near((double)((const float *)cj_tensor_data(trained))[i], kernel[i], 1e-6, 1e-5);
    cj_release(results), cj_release(model);
}

static void outputs_have_their_own_weights(void **state)
{
    (void)state;
    cj_dataset *data = each_weighted();
    assert_as_keras(data, each_logs, COUNT(each_logs), each_kernel);
    assert_int_equal(cj_tensor_shape(cj_dataset_sample_weights(data, 2))->rank, 1);
    assert_null(cj_dataset_sample_weights(data, 3));
    cj_release(data);
}

static void steps_have_their_own_weights(void **state)
{
    (void)state;
    cj_dataset *data = steps_weighted();
    assert_as_keras(data, steps_logs, COUNT(steps_logs), steps_kernel);
    cj_release(data);
}

static cj_status doubles(void *context, const cj_sample_map *sample)
{
    (void)context;
    memcpy(sample->to_x[0], sample->x[0], 20 * sizeof(float));
    memcpy(sample->to_y[0], sample->y[0], 10 * sizeof(float));
    memcpy(sample->to_y[1], sample->y[1], sizeof(float));
    memcpy(sample->to_y[2], sample->y[2], 5 * sizeof(int32_t));
    *(float *)sample->sample_weights[1] *= 2;
    return CJ_OK;
}

// Slices and chains keep the weights of each output.
static void chains_keep_them(void **state)
{
    (void)state;
    cj_dataset *data = steps_weighted(), *slice = NULL, *loaded = NULL;
    cj_retain(data);
    assert_ok(cj_dataset_slice(data, 1, 4, &slice));
    assert_int_equal(cj_tensor_count(cj_dataset_sample_weights(slice, 2)), 20);
    cj_dataset *chain = cj_dataset_prefetch(
        cj_dataset_map(cj_dataset_cache(cj_dataset_skip(data, 1), 1 << 20), .call = doubles));
    assert_non_null(chain);
    assert_ok(cj_dataset_load(chain, &loaded));
    assert_int_equal(cj_dataset_count(loaded), 5);
    for (int64_t i = 0; i < 5; i++) {
        assert_true(cj_tensor_get(cj_dataset_sample_weights(loaded, 1), &i) ==
                    2 * cj_tensor_get(cj_dataset_sample_weights(data, 1), (int64_t[]){i + 1}));
        for (int64_t k = 0; k < 5; k++)
            assert_true(cj_tensor_get(cj_dataset_sample_weights(loaded, 2), (int64_t[]){i, k}) ==
                        cj_tensor_get(cj_dataset_sample_weights(data, 2), (int64_t[]){i + 1, k}));
    }
    cj_model *model = three_outputs();
    cj_results *streamed = NULL, *read = NULL;
    assert_ok(cj_evaluate(model, chain, &streamed, .batch_size = 2));
    assert_ok(cj_evaluate(model, loaded, &read, .batch_size = 2));
    assert_true(cj_results_value(streamed, "loss") == cj_results_value(read, "loss"));
    assert_ok(cj_fit(model, chain, .epochs = 1));
    cj_release(streamed), cj_release(read), cj_release(model);
    cj_release(loaded), cj_release(chain), cj_release(slice), cj_release(data);
}

static void wrong_weights_have_their_sentence(void **state)
{
    (void)state;
    cj_tensor *x = numbers(CJ_SHAPE(6, 5, 4), 23, 0), *w = numbers(CJ_SHAPE(6), 5, 1);
    cj_retain(x), cj_retain(w);
    assert_null(cj_dataset(.x = {x}, .y = {x, x, x}, .sample_weights = {w, w}));
    assert_error_contains("2 tensors of sample weights for 3 targets");
    assert_null(cj_dataset(.x = {x}, .y = {x}, .sample_weight = w, .sample_weights = {w}));
    assert_error_contains("cannot be given together");
    assert_null(cj_dataset(.x = {x}, .y = {x}, .sample_weights = {numbers(CJ_SHAPE(5), 5, 1)}));
    assert_error_contains("sample_weight[0] has 5 samples");
    cj_dataset *data = three_targets(numbers(CJ_SHAPE(6, 4), 11, 1), numbers(CJ_SHAPE(6), 5, 1),
                                     numbers(CJ_SHAPE(6), 5, 1));
    cj_model *model = three_outputs();
    assert_int_equal(cj_fit(model, data), CJ_SHAPE_MISMATCH);
    assert_error_contains("sample weights (6, 4) do not fit output 0");
    cj_release(data), cj_release(model), cj_release(x), cj_release(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_have_their_own_weights),
        cmocka_unit_test(steps_have_their_own_weights),
        cmocka_unit_test(chains_keep_them),
        cmocka_unit_test(wrong_weights_have_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
