// A trained network with ReLU as a spiking one: spike for spike by hand, near the trained network with
// many steps, and what is refused.
#include "support.h"

#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Numbers between -1 and 1 that look drawn.
static void fill(cj_tensor *x, uint64_t seed)
{
    float *numbers = cj_tensor_data(x);
    for (int64_t i = 0; i < cj_tensor_count(x); i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = (float)((double)(seed >> 40) / (double)(1 << 23) - 1);
    }
}

static cj_tensor *drawn(cj_shape shape, uint64_t seed)
{
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &x), CJ_OK);
    fill(x, seed);
    return x;
}

static cj_tensor *predicted(cj_model *model, cj_tensor *x)
{
    cj_tensor *y = NULL;
    if (!model || cj_predict(model, x, &y) != CJ_OK)
        fail_msg("%s", cj_error());
    return y;
}

// The greatest difference, as a share of the greatest number.
static double distance(const cj_tensor *a, const cj_tensor *b)
{
    const float *x = cj_tensor_data((cj_tensor *)(uintptr_t)a),
                *y = cj_tensor_data((cj_tensor *)(uintptr_t)b);
    double most = 0, size = 0;
    assert_int_equal(cj_tensor_count(a), cj_tensor_count(b));
    for (int64_t i = 0; i < cj_tensor_count(a); i++) {
        most = fmax(most, fabs((double)x[i] - (double)y[i]));
        size = fmax(size, fabs((double)y[i]));
    }
    return most / size;
}

// Weights and moving averages that are not those of a new layer.
static void draw_weights(cj_layer *layer)
{
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        cj_variable *variable = cj_layer_variable(layer, i);
        cj_tensor *value = drawn(*cj_tensor_shape(cj_variable_value(variable)), (uint64_t)i + 5);
        float *numbers = cj_tensor_data(value);
        const bool variance = strstr(cj_variable_name(variable), "variance") != NULL;
        for (int64_t k = 0; k < cj_tensor_count(value); k++)
            numbers[k] = variance ? 1 + numbers[k] / 2 : numbers[k] / 2;
        assert_int_equal(cj_variable_assign(variable, value), CJ_OK);
        cj_release(value);
    }
}

// With many steps the converted network gives what the network gives, nearer than `most`, and less near
// with few; the running mean of "steps" ends there too.
static void near_with_many_steps(cj_model *model, cj_tensor *x, double most)
{
    if (!model)
        fail_msg("%s", cj_error());
    cj_tensor *wanted = predicted(model, x), *given[2];
    double found[2];
    for (int i = 0; i < 2; i++) {
        cj_model *spiking =
            cj_spiking_convert(model, x, .steps = i == 0 ? 8 : 1024, .percentile = 100);
        given[i] = predicted(spiking, x);
        found[i] = distance(given[i], wanted);
        cj_release(spiking);
    }
    print_message("off by %.4f in 8 steps, by %.4f in 1024\n", found[0], found[1]);
    assert_true(found[1] < most && found[1] < found[0]);
    cj_release(given[0]), cj_release(given[1]);
    cj_release(wanted), cj_release(x), cj_release(model);
}

// ---- By hand ----

enum { SAMPLES = 300, INPUTS = 6, HIDDEN = 7, OUTPUTS = 3, STEPS = 20 };

static void relu_layer(const double *x, const float *w, const float *b, int count, int units,
                       double *y)
{
    for (int k = 0; k < units; k++) {
        y[k] = b[k];
        for (int i = 0; i < count; i++)
            y[k] += x[i] * (double)w[i * units + k];
    }
}

// What the network of two dense layers gives by integrate-and-fire neurons whose threshold is the
// greatest activation that the samples have.
static void by_hand(const float *x, const float *const *weights, float *y)
{
    double hidden[SAMPLES][HIDDEN], threshold = 0;
    for (int s = 0; s < SAMPLES; s++) {
        double inputs[INPUTS];
        for (int i = 0; i < INPUTS; i++)
            inputs[i] = (double)x[s * INPUTS + i];
        relu_layer(inputs, weights[0], weights[1], INPUTS, HIDDEN, hidden[s]);
        for (int k = 0; k < HIDDEN; k++)
            threshold = fmax(threshold, hidden[s][k]);
    }
    for (int s = 0; s < SAMPLES; s++) {
        double v[HIDDEN], rates[HIDDEN] = {0}, out[OUTPUTS];
        for (int k = 0; k < HIDDEN; k++) {
            v[k] = threshold / 2;
            for (int t = 0; t < STEPS; t++) {
                v[k] += hidden[s][k];
                if (v[k] >= threshold)
                    v[k] -= threshold, rates[k] += threshold / STEPS;
            }
        }
        relu_layer(rates, weights[2], weights[3], HIDDEN, OUTPUTS, out);
        for (int k = 0; k < OUTPUTS; k++)
            y[s * OUTPUTS + k] = (float)out[k];
    }
}

static void each_spike_is_as_by_hand(void **state)
{
    float wanted[SAMPLES * OUTPUTS];
    const float *weights[4];
    (void)state;
    cj_model *model =
        cj_sequential(cj_input(INPUTS), cj_dense(HIDDEN, .activation = "relu"), cj_dense(OUTPUTS));
    cj_tensor *x = drawn(CJ_SHAPE(SAMPLES, INPUTS), 1);
    draw_weights(cj_model_layer_at(model, 0)), draw_weights(cj_model_layer_at(model, 1));
    for (int i = 0; i < 4; i++)
        weights[i] = cj_tensor_data(
            cj_variable_value(cj_layer_variable(cj_model_layer_at(model, i / 2), i % 2)));
    by_hand(cj_tensor_data(x), weights, wanted);
    cj_model *spiking = cj_spiking_convert(model, x, .steps = STEPS, .percentile = 100);
    cj_tensor *y = predicted(spiking, x);
    assert_all_near(cj_tensor_data(y), wanted, SAMPLES * OUTPUTS, 1e-5, 1e-5);
    cj_release(y), cj_release(spiking), cj_release(x), cj_release(model);
}

// ---- Kinds of networks ----

static void convolutions_with_pools_and_normalization(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(
        cj_input(12, 12, 2), cj_conv2d(4, {3, 3}, .use_bias = false), cj_batch_normalization(),
        cj_relu(), cj_max_pooling2d(), cj_conv2d(6, {3, 3}, .padding = "same"),
        cj_batch_normalization(), cj_max_pooling2d(), cj_activation("relu"), cj_dropout(0.3),
        cj_depthwise_conv2d({2, 2}, .activation = "relu6"), cj_batch_normalization(),
        cj_average_pooling2d({1, 1}), cj_flatten(), cj_dense(5, .activation = "relu"),
        cj_dense(4, .activation = "tanh"));
    for (int i = 0; model && i < cj_model_layer_count(model); i++)
        draw_weights(cj_model_layer_at(model, i));
    near_with_many_steps(model, drawn(CJ_SHAPE(30, 12, 12, 2), 3), 0.05);
}

static cj_model *residual(void)
{
    cj_symbol *x = cj_input_symbol(8, 8, 3),
              *a = cj_apply(cj_conv2d(4, {3, 3}, .padding = "same", .activation = "relu"), x),
              *b = cj_apply(cj_batch_normalization(),
                            cj_apply(cj_conv2d(4, {3, 3}, .padding = "same"), a)),
              *c = cj_apply(cj_relu(), cj_merge(cj_add(), a, b)),
              *d = cj_apply(cj_conv2d(4, {1, 1}, .activation = "relu"), c),
              *e = cj_apply(cj_global_average_pooling2d(),
                            cj_merge(cj_concatenate(.axis = 3), c, d));
    return cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(3), e), e});
}

static void residual_sums_and_what_lies_side_by_side(void **state)
{
    (void)state;
    cj_model *model = residual();
    cj_tensor *x = drawn(CJ_SHAPE(20, 8, 8, 3), 3), *wanted[2], *given[2];
    for (int i = 0; i < cj_model_layer_count(model); i++)
        draw_weights(cj_model_layer_at(model, i));
    cj_model *spiking = cj_spiking_convert(model, x, .steps = 1024, .percentile = 100);
    if (!spiking)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_predict_many(model, &x, wanted), CJ_OK);
    assert_int_equal(cj_predict_many(spiking, &x, given), CJ_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(distance(given[i], wanted[i]) < 0.02);
        cj_release(given[i]), cj_release(wanted[i]);
    }
    cj_release(spiking), cj_release(model), cj_release(x);
}

static void models_within_a_model_and_layers_used_twice(void **state)
{
    (void)state;
    cj_layer *shared = cj_dense(6, .activation = "relu");
    cj_model *inner = cj_sequential(cj_input(6), cj_dense(6), cj_relu());
    cj_symbol *x = cj_input_symbol(6), *a = cj_apply(shared, x), *b = cj_apply(shared, a),
              *c = cj_apply(cj_model_layer(inner), b);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(2), c)});
    near_with_many_steps(model, drawn(CJ_SHAPE(40, 6), 2), 0.03);
}

static void the_running_mean_of_steps_ends_at_the_mean(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(6), cj_dense(8, .activation = "relu"),
                                    cj_dense(3, .activation = "linear"));
    cj_tensor *x = drawn(CJ_SHAPE(9, 6), 8);
    cj_model *means = cj_spiking_convert(model, x, .steps = 12),
             *steps = cj_spiking_convert(model, x, .steps = 12, .output = "steps");
    cj_tensor *mean = predicted(means, x), *all = predicted(steps, x);
    const float *m = cj_tensor_data(mean), *a = cj_tensor_data(all);
    assert_true(cj_shape_equal(cj_tensor_shape(all), &CJ_SHAPE(9, 12, 3)));
    for (int s = 0; s < 9; s++)
        for (int k = 0; k < 3; k++) {
            double sum = 0;
            for (int t = 0; t < 12; t++)
                sum += (double)a[(s * 12 + t) * 3 + k];
            assert_near((double)m[s * 3 + k], sum / 12, 1e-5, 1e-5);
        }
    cj_release(mean), cj_release(all), cj_release(means), cj_release(steps);
    cj_release(x), cj_release(model);
}

// ---- Accuracy ----

static double accuracy_of(cj_model *model, cj_dataset *data)
{
    cj_results *results = NULL;
    if (cj_evaluate(model, data, &results, .batch_size = 100) != CJ_OK)
        fail_msg("%s", cj_error());
    const double accuracy = cj_results_value(results, "accuracy");
    cj_release(results);
    return accuracy;
}

static double converted(cj_model *model, cj_tensor *x, int64_t steps, cj_dataset *test)
{
    cj_model *spiking = cj_spiking_convert(model, x, .steps = steps), *loaded = NULL;
    if (!spiking || cj_save(spiking, support_path("converted.safetensors")) != CJ_OK ||
        !(loaded = cj_load(support_path("converted.safetensors"))))
        fail_msg("%s", cj_error());
    assert_int_equal(
        cj_compile(loaded, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}),
        CJ_OK);
    const double accuracy = accuracy_of(loaded, test);
    cj_release(spiking), cj_release(loaded);
    return accuracy;
}

// The file of the converted network is as good as the network itself.
static void a_trained_network_predicts_as_well_with_many_steps(void **state)
{
    cj_dataset *train, *test;
    cj_tensor *x = NULL;
    (void)state;
    cj_model *model = cj_sequential(cj_input(28, 28, 1), cj_rescaling(1.0 / 255),
                                    cj_conv2d(6, {5, 5}, .strides = {2}, .activation = "relu"),
                                    cj_max_pooling2d(), cj_conv2d(12, {3, 3}),
                                    cj_batch_normalization(), cj_relu(), cj_flatten(),
                                    cj_dropout(0.1), cj_dense(10, .activation = "softmax"));
    assert_int_equal(cj_load_digits(&train, &test, .train_count = 2000, .test_count = 500), CJ_OK);
    if (!model ||
        cj_compile(model, .optimizer = cj_adam(3e-3), .loss = "sparse_categorical_crossentropy",
                   .metrics = {"accuracy"}) != CJ_OK)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_fit(model, train, .epochs = 4), CJ_OK);
    const double before = accuracy_of(model, test);
    assert_int_equal(cj_tensor_slice(cj_dataset_x(train, 0), 0, 0, 200, &x), CJ_OK);
    const double few = converted(model, x, 2, test), many = converted(model, x, 64, test);
    print_message("accuracy %.3f; spiking in 2 steps %.3f, in 64 steps %.3f\n", before, few, many);
    assert_true(before > 0.7);
    assert_true(few < many + 0.005);
    assert_true(many > before - 0.02);
    cj_release(x), cj_release(model), cj_release(train), cj_release(test);
}

// ---- Refused ----

static void refused(cj_model *model, cj_tensor *x, const char *why)
{
    if (!model)
        fail_msg("%s", cj_error());
    assert_null(cj_spiking_convert(model, x, .steps = 5));
    assert_error_contains(why);
    cj_release(model);
}

static void what_has_no_place_in_a_spiking_network_is_refused(void **state)
{
    (void)state;
    cj_tensor *x = drawn(CJ_SHAPE(3, 4), 1), *images = drawn(CJ_SHAPE(3, 6, 6, 1), 1),
              *series = drawn(CJ_SHAPE(3, 5, 4), 1);
    refused(cj_sequential(cj_input(4), cj_dense(3, .activation = "relu"),
                          cj_dense(3, .activation = "tanh"), cj_dense(2)),
            x, "has an activation within the network that is not ReLU");
    refused(
        cj_sequential(cj_input(4), cj_dense(3, .activation = "relu"), cj_leaky_relu(), cj_dense(2)),
        x, "(LeakyReLU) is an activation within the network that is not ReLU");
    refused(cj_sequential(cj_input(4), cj_dense(3)), x, "has no ReLU");
    refused(cj_sequential(cj_input(4), cj_dense(3, .activation = "relu"), cj_layer_normalization(),
                          cj_dense(2)),
            x, "(LayerNormalization) cannot become a part of a spiking network");
    refused(cj_sequential(cj_input(6, 6, 1), cj_conv2d(2, {2, 2}, .activation = "relu"),
                          cj_conv2d(2, {2, 2}), cj_max_pooling2d(), cj_flatten(), cj_dense(2)),
            images, "put it after a ReLU");
    refused(cj_sequential(cj_input(5, 4), cj_lstm(3, .activation = "relu"), cj_dense(2)), series,
            "(LSTM) has a ReLU of its own");
    cj_release(x), cj_release(images), cj_release(series);
}

static void settings_out_of_range_are_refused(void **state)
{
    (void)state;
    cj_tensor *x = drawn(CJ_SHAPE(3, 4), 1), *other = drawn(CJ_SHAPE(3, 5), 1);
    cj_model *model = cj_sequential(cj_input(4), cj_dense(3, .activation = "relu")),
             *unbuilt = cj_sequential(cj_dense(3, .activation = "relu"));
    assert_null(cj_spiking_convert(model, x, .steps = 0));
    assert_error_contains("0 steps, needed are 1 to 2147483647");
    assert_null(cj_spiking_convert(model, x, .percentile = 101));
    assert_error_contains("the percentile is 101");
    assert_null(cj_spiking_convert(model, x, .percentile = NAN));
    assert_null(cj_spiking_convert(model, x, .start = 1));
    assert_error_contains("a share from 0 to below 1");
    assert_null(cj_spiking_convert(model, x, .output = "rates"));
    assert_error_contains("needed is \"mean\" or \"steps\"");
    assert_null(cj_spiking_convert(model, other));
    assert_int_equal(cj_error_status(), CJ_SHAPE_MISMATCH);
    assert_null(cj_spiking_convert(unbuilt, x));
    assert_int_equal(cj_error_status(), CJ_NOT_BUILT);
    ((float *)cj_tensor_data(x))[2] = INFINITY;
    assert_null(cj_spiking_convert(model, x));
    assert_error_contains("not finite");
    assert_null(cj_spiking_convert(NULL, x));
    assert_null(cj_spiking_convert(model, NULL));
    cj_release(model), cj_release(unbuilt), cj_release(x), cj_release(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_spike_is_as_by_hand),
        cmocka_unit_test(convolutions_with_pools_and_normalization),
        cmocka_unit_test(residual_sums_and_what_lies_side_by_side),
        cmocka_unit_test(models_within_a_model_and_layers_used_twice),
        cmocka_unit_test(the_running_mean_of_steps_ends_at_the_mean),
        cmocka_unit_test(a_trained_network_predicts_as_well_with_many_steps),
        cmocka_unit_test(what_has_no_place_in_a_spiking_network_is_refused),
        cmocka_unit_test(settings_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
