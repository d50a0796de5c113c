// What is written in arguments is what is meant: false, 0, lists of any length, names in full.
#include "support.h"
#include "problems.h"
#include <cajal.h>
#include <math.h>
#include <string.h>

static cj_model *linear(void)
{
    return cj_sequential(cj_input(4), cj_dense(3, .activation = "softmax"));
}

static void false_is_false(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(4), cj_dense(3, .use_bias = false),
                                    cj_batch_normalization(.center = false, .scale = false),
                                    cj_dense(2, .trainable = false));
    assert_int_equal(cj_layer_variable_count(cj_model_layer_at(model, 0)), 1);
    assert_int_equal(cj_layer_variable_count(cj_model_layer_at(model, 1)), 2);
    assert_false(cj_trainable(cj_model_layer_at(model, 2)));
    cj_release(model);
}

static double first_output(cj_layer *layer, double x)
{
    cj_model *model = cj_sequential(cj_input(1), layer);
    const float value = (float)x;
    cj_tensor *input = NULL, *output = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(1, 1), &value, 1, &input), CJ_OK);
    assert_int_equal(cj_predict(model, input, &output), CJ_OK);
    const double y = *(const float *)cj_tensor_data(output);
    cj_release(input), cj_release(output), cj_release(model);
    return y;
}

static void zero_is_zero(void **state)
{
    (void)state;
    assert_near(first_output(cj_leaky_relu(.negative_slope = 0), -2), 0, 0, 0);
    assert_near(first_output(cj_leaky_relu(), -2), -0.6, 1e-6, 0);
    assert_near(first_output(cj_relu(.max_value = 0), 2), 0, 0, 0);
    assert_near(first_output(cj_relu(), 2), 2, 0, 0);
    assert_near(first_output(cj_elu(0), -2), 0, 0, 0);
    assert_near(first_output(cj_batch_normalization(.epsilon = 0), 2), 2, 0, 0);
    assert_near(first_output(cj_activation("relu(max_value=0)"), 2), 0, 0, 0);
    assert_near(first_output(cj_activation("leaky_relu(negative_slope=0)"), -2), 0, 0, 0);
}

static void a_learning_rate_of_zero_changes_nothing(void **state)
{
    (void)state;
    cj_optimizer *optimizers[] = {cj_sgd(0), cj_optimizer_from_spec("adam(learning_rate=0)")};
    for (int i = 0; i < 2; i++) {
        cj_dataset *data = problem_classes(16);
        cj_model *model = linear();
        const float before = *(const float *)cj_tensor_data(
            cj_variable_value(cj_layer_variable(cj_model_layer(model), 0)));
        assert_int_equal(cj_compile(model, .optimizer = optimizers[i],
                                    .loss = "sparse_categorical_crossentropy"),
                         CJ_OK);
        assert_near(cj_learning_rate(model), 0, 0, 0);
        assert_int_equal(cj_fit(model, data), CJ_OK);
        const float after = *(const float *)cj_tensor_data(
            cj_variable_value(cj_layer_variable(cj_model_layer(model), 0)));
        assert_memory_equal(&before, &after, sizeof before);
        cj_release(model), cj_release(data);
    }
}

// Two models of one seed that see the samples in their own order end in the same weights.
static void without_shuffling_the_order_is_that_of_the_data(void **state)
{
    (void)state;
    float ends[3];
    for (int i = 0; i < 3; i++) {
        cj_dataset *data = problem_classes(16);
        cj_model *model = linear();
        assert_int_equal(cj_compile(model, .loss = "sparse_categorical_crossentropy"), CJ_OK);
        if (i == 0)
            for (int64_t b = 0; b < 16; b += 4) {
                cj_dataset *part = NULL;
                assert_int_equal(cj_dataset_slice(data, b, 4, &part), CJ_OK);
                assert_int_equal(cj_train_on_batch(model, part, NULL), CJ_OK);
                cj_release(part);
            }
        else
            assert_int_equal(cj_fit(model, data, .batch_size = 4, .shuffle = i == 2), CJ_OK);
        ends[i] = *(const float *)cj_tensor_data(
            cj_variable_value(cj_layer_variable(cj_model_layer(model), 0)));
        cj_release(model), cj_release(data);
    }
    assert_true(ends[0] >= ends[1] && ends[0] <= ends[1]);
    assert_false(ends[0] >= ends[2] && ends[0] <= ends[2]);
}

static void a_loss_weight_of_zero_takes_no_part(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(4);
    cj_symbol *a = cj_apply(cj_dense(1, .name = "left"), x),
              *b = cj_apply(cj_dense(1, .name = "right"), x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {a, b}); // the founding spelling
    cj_dataset *one = problem_classes(6);
    cj_tensor *y = cj_dataset_y(one, 0);
    cj_dataset *data = cj_dataset(.x = {cj_dataset_x(one, 0)}, .y = {y, y});
    cj_results *results = NULL;
    assert_int_equal(cj_compile(model, .loss = "mse", .loss_weights = {0, 2}), CJ_OK);
    assert_int_equal(cj_evaluate(model, data, &results), CJ_OK);
    assert_near(cj_results_value(results, "loss"), 2 * cj_results_value(results, "right_loss"),
                1e-5, 1e-5);
    cj_release(results), cj_release(model), cj_release(data), cj_release(one);
}

static void lists_have_any_length(void **state)
{
    (void)state;
    enum { MANY = 12 };
    const char *metrics[MANY];
    cj_callback *callbacks[MANY];
    char names[MANY][64];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "sparse_top_k_categorical_accuracy(k=%d)", i + 1);
        metrics[i] = names[i];
        callbacks[i] = cj_terminate_on_nan();
    }
    cj_dataset *data = problem_classes(8);
    cj_model *model = linear();
    cj_results *results = NULL;
    assert_int_equal(cj_compile(model, .loss = "sparse_categorical_crossentropy",
                                .metrics_list = metrics, .metrics_count = 3),
                     CJ_OK);
    assert_int_equal(cj_fit(model, data, .callbacks_list = callbacks, .callbacks_count = MANY),
                     CJ_OK);
    assert_int_equal(cj_evaluate(model, data, &results), CJ_OK);
    assert_int_equal(cj_results_count(results), 4);
    assert_string_equal(cj_results_name(results, 0), "loss");
    assert_null(cj_results_name(results, 4));
    assert_true(isnan(cj_results_value_at(results, -1)));
    cj_release(results), cj_release(model), cj_release(data);
}

static void metrics_of_each_output(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(4);
    cj_symbol *a = cj_apply(cj_dense(1, .name = "left"), x),
              *b = cj_apply(cj_dense(1, .name = "right"), x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {a, b});
    cj_dataset *one = problem_classes(6);
    cj_tensor *y = cj_dataset_y(one, 0);
    cj_dataset *data = cj_dataset(.x = {cj_dataset_x(one, 0)}, .y = {y, y});
    cj_results *results = NULL;
    const cj_output_metrics metrics[3] = {{.metrics = {"mae"}}, {.metrics = {"mse"}}};
    assert_int_equal(
        cj_compile(model, .loss = "mse", .output_metrics = metrics, .output_metrics_count = 2),
        CJ_OK);
    assert_int_equal(cj_evaluate(model, data, &results), CJ_OK);
    assert_true(!isnan(cj_results_value(results, "left_mae")));
    assert_true(isnan(cj_results_value(results, "left_mse")));
    assert_true(!isnan(cj_results_value(results, "right_mse")));
    assert_int_equal(
        cj_compile(model, .loss = "mse", .output_metrics = metrics, .output_metrics_count = 3),
        CJ_INVALID_ARGUMENT);
    cj_release(results), cj_release(model), cj_release(data), cj_release(one);
}

// A callback that could not be made is no end of the list.
static void a_failed_callback_fails_the_fit(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(8);
    cj_model *model = linear();
    assert_int_equal(cj_compile(model, .loss = "sparse_categorical_crossentropy"), CJ_OK);
    assert_int_equal(
        cj_fit(model, data, .callbacks = {cj_early_stopping(.mode = "mni"), cj_terminate_on_nan()}),
        CJ_INVALID_ARGUMENT);
    assert_error_contains("EarlyStopping: unknown mode \"mni\"");
    cj_release(model), cj_release(data);
}

static int frees;

static void count_free(void *self)
{
    (void)self;
    frees++;
}

static void methods_of_a_callback_are_copied(void **state)
{
    (void)state;
    cj_callback_methods methods = {.size = sizeof methods, .name = "Mine", .free = count_free};
    frees = 0;
    cj_callback *callback = cj_callback_new(&methods, NULL);
    memset(&methods, 0x5a, sizeof methods);
    cj_release(callback);
    assert_int_equal(frees, 1);
    methods = (cj_callback_methods){.name = "of no size", .free = count_free};
    assert_null(cj_callback_new(&methods, NULL));
    assert_error_contains("size");
    assert_int_equal(frees, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(false_is_false),
        cmocka_unit_test(zero_is_zero),
        cmocka_unit_test(a_learning_rate_of_zero_changes_nothing),
        cmocka_unit_test(without_shuffling_the_order_is_that_of_the_data),
        cmocka_unit_test(a_loss_weight_of_zero_takes_no_part),
        cmocka_unit_test(lists_have_any_length),
        cmocka_unit_test(metrics_of_each_output),
        cmocka_unit_test(a_failed_callback_fails_the_fit),
        cmocka_unit_test(methods_of_a_callback_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
