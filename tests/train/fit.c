// cj_fit(), cj_evaluate(), cj_predict(): what they compute, and the words of the history.
#include "problems.h"
#include "train/state.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static cj_model *compiled(void)
{
    cj_model *model = problem_model();
    if (cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.02),
                   .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}) != CJ_OK)
        fail_msg("%s", cj_error());
    return model;
}

static void loss_falls_and_accuracy_rises(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(300);
    cj_model *model = compiled();
    cj_history *history = NULL;
    assert_ok(cj_fit(model, data, .epochs = 8, .history = &history));
    assert_int_equal(cj_history_epochs(history), 8);
    assert_true(cj_history_value(history, "loss", 7) < 0.5 * cj_history_value(history, "loss", 0));
    assert_true(cj_history_value(history, "accuracy", 7) > 0.9);
    assert_true(isnan(cj_history_value(history, "loss", 8)));
    cj_release(history);
    cj_release(model);
    cj_release(data);
}

static void history_has_keras_names(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(50), *test = problem_classes(20);
    cj_model *model = compiled();
    cj_history *history = NULL;
    assert_ok(cj_fit(model, data, .validation_data = test, .history = &history));
    assert_int_equal(cj_history_names(history), 4);
    assert_string_equal(cj_history_name(history, 0), "loss");
    assert_string_equal(cj_history_name(history, 1), "accuracy");
    assert_string_equal(cj_history_name(history, 2), "val_loss");
    assert_string_equal(cj_history_name(history, 3), "val_accuracy");
    assert_null(cj_history_name(history, 4));
    cj_release(history);
    cj_release(model);
    cj_release(data);
    cj_release(test);
}

static void validation_split_takes_the_last_samples(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(100), *first = NULL, *last = NULL;
    assert_ok(cj_dataset_slice(data, 0, 80, &first));
    assert_ok(cj_dataset_slice(data, 80, 20, &last));
    cj_model *a = compiled(), *b = compiled();
    cj_history *ha = NULL, *hb = NULL;
    assert_ok(cj_fit(a, data, .epochs = 2, .validation_split = 0.2, .history = &ha));
    assert_ok(cj_fit(b, first, .epochs = 2, .validation_data = last, .history = &hb));
    assert_true(problem_same_weights(a, b));
    assert_near(cj_history_value(ha, "val_loss", 1), cj_history_value(hb, "val_loss", 1), 0, 0);
    cj_release(ha), cj_release(hb), cj_release(a), cj_release(b);
    cj_release(first), cj_release(last), cj_release(data);
}

static void smaller_last_batch_counts_by_its_samples(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(70);
    cj_model *model = compiled();
    cj_results *whole = NULL, *batches = NULL;
    assert_ok(cj_evaluate(model, data, &whole, .batch_size = 70));
    assert_ok(cj_evaluate(model, data, &batches));
    assert_int_equal(cj_results_count(whole), 2);
    assert_near(cj_results_value(batches, "loss"), cj_results_value(whole, "loss"), 1e-6, 1e-6);
    assert_near(cj_results_value(batches, "accuracy"), cj_results_value(whole, "accuracy"), 1e-9,
                0);
    assert_true(isnan(cj_results_value(whole, "mae")));
    cj_release(whole), cj_release(batches);
    cj_release(model);
    cj_release(data);
}

static void class_weight_zero_ignores_a_class(void **state)
{
    (void)state;
    const double weights[] = {1, 0, 0};
    cj_dataset *data = problem_classes(200);
    cj_model *model = compiled();
    cj_tensor *output = NULL;
    int64_t first = 0;
    assert_ok(cj_fit(model, data, .epochs = 15, .class_weight = weights, .class_count = 3));
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &output));
    for (int64_t i = 0; i < 200; i++) {
        const float *p = (const float *)cj_tensor_data(output) + 3 * i;
        first += p[0] > p[1] && p[0] > p[2];
    }
    assert_true(first > 195); // only class 0 was ever asked for
    cj_release(output);
    cj_release(model);
    cj_release(data);
}

// The targets of one sample each, and what the loss of a class weight of 0 for class 1 is.
static char *lines_of(cj_model *model, cj_dataset *data, bool predict)
{
    const char *path = support_path("bar.txt");
    FILE *stream = fopen(path, "w");
    cj_results *results = NULL;
    cj_tensor *output = NULL;
    size_t size = 0;
    assert_non_null(stream);
    if (predict)
        assert_ok(cj_predict(model, cj_dataset_x(data, 0), &output, .batch_size = 8,
                             .verbose = CJ_LINES, .stream = stream));
    else
        assert_ok(cj_evaluate(model, data, &results, .batch_size = 8, .verbose = CJ_LINES,
                              .stream = stream));
    fclose(stream);
    cj_release(results), cj_release(output);
    char *bytes = support_read(path, &size);
    bytes[size ? size - 1 : 0] = '\0'; // the line's end
    return bytes;
}

// As in Keras with verbose = 2: "3/3 - 0s - 1ms/step - accuracy: 0.4500 - loss: 1.1".
static void evaluate_and_predict_print_a_line(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(20);
    cj_model *model = compiled();
    char *evaluated = lines_of(model, data, false), *predicted = lines_of(model, data, true);
    assert_memory_equal(evaluated, "3/3 - 0s - ", 11);
    assert_non_null(strstr(evaluated, "/step - accuracy: 0."));
    assert_non_null(strstr(evaluated, " - loss: "));
    assert_memory_equal(predicted, "3/3 - 0s - ", 11);
    assert_non_null(strstr(predicted, "/step"));
    assert_null(strstr(predicted, "loss"));
    free(evaluated), free(predicted);
    cj_release(model), cj_release(data);
}

static void validation_steps_are_its_first_batches(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(40), *first = NULL;
    cj_model *model = compiled();
    cj_history *history = NULL;
    cj_results *results = NULL;
    assert_ok(cj_dataset_slice(data, 0, 16, &first));
    assert_ok(cj_fit(model, data, .validation_data = data, .validation_batch_size = 8,
                     .validation_steps = 2, .history = &history));
    assert_ok(cj_evaluate(model, first, &results, .batch_size = 8));
    assert_near(cj_history_value(history, "val_loss", 0), cj_results_value(results, "loss"), 0, 0);
    cj_release(results), cj_release(history), cj_release(model);
    cj_release(first), cj_release(data);
}

static void class_weights_are_of_rounded_targets(void **state)
{
    (void)state;
    const float x[8] = {0}, y[2] = {0.1F, 0.9F};
    const double weights[] = {1, 0};
    cj_dataset *data =
        cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 4), x)}, .y = {problem_tensor(CJ_SHAPE(2), y)});
    cj_model *model = cj_sequential(cj_input(4), cj_dense(1, .activation = "sigmoid"));
    cj_history *history = NULL;
    assert_ok(cj_compile(model, .loss = "binary_crossentropy"));
    assert_ok(cj_fit(model, data, .class_weight = weights, .class_count = 2, .history = &history));
    // 0.9 is class 1: only the first sample counts, with -ln 0.5, over two samples
    assert_near(cj_history_value(history, "loss", 0), 0.5 * 0.6931472, 1e-6, 0);
    cj_release(history), cj_release(model), cj_release(data);
}

static void class_weights_need_classes(void **state)
{
    (void)state;
    const float x[12] = {0}, values[3] = {0.25F, 1, 2}, rows[6] = {1, 0, 0, 1, 0.5F, 0.5F};
    const double weights[] = {1, 2};
    cj_model *model = cj_sequential(cj_input(4), cj_dense(1)),
             *wide = cj_sequential(cj_input(4), cj_dense(2));
    cj_dataset *regression = cj_dataset(.x = {problem_tensor(CJ_SHAPE(3, 4), x)},
                                        .y = {problem_tensor(CJ_SHAPE(3), values)}),
               *several = cj_dataset(.x = {problem_tensor(CJ_SHAPE(3, 4), x)},
                                     .y = {problem_tensor(CJ_SHAPE(3, 2), rows)});
    assert_ok(cj_compile(model, .loss = "mse"));
    assert_int_equal(cj_fit(model, regression, .class_weight = weights, .class_count = 2),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("target 0.25 of sample 0");
    assert_ok(cj_compile(wide, .loss = "mse"));
    assert_int_equal(cj_fit(wide, several, .class_weight = weights, .class_count = 2),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("target 0.5 of sample 2");
    cj_release(model), cj_release(wide), cj_release(regression), cj_release(several);
}

static void class_weights_of_sequences_are_refused(void **state)
{
    (void)state;
    const float x[12] = {0}, y[6] = {0, 1, 0, 1, 0, 1};
    const double weights[] = {1, 2};
    cj_model *model = cj_sequential(cj_input(2, 2), cj_dense(2, .activation = "softmax"));
    cj_dataset *data = cj_dataset(.x = {problem_tensor(CJ_SHAPE(3, 2, 2), x)},
                                  .y = {problem_tensor(CJ_SHAPE(3, 2), y)});
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_int_equal(cj_fit(model, data, .class_weight = weights, .class_count = 2),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("one class for each sample");
    cj_release(model), cj_release(data);
}

static void sample_weights_scale_the_loss_but_not_its_divisor(void **state)
{
    (void)state;
    const float weights[] = {2, 0, 0, 0};
    cj_dataset *data = problem_classes(4), *one = NULL;
    cj_tensor *w = problem_tensor(CJ_SHAPE(4), weights);
    cj_dataset *weighted =
        cj_dataset(.x = {cj_dataset_x(data, 0)}, .y = {cj_dataset_y(data, 0)}, .sample_weight = w);
    cj_model *model = compiled();
    cj_results *all = NULL, *single = NULL;
    assert_ok(cj_dataset_slice(data, 0, 1, &one));
    assert_ok(cj_test_on_batch(model, weighted, &all));
    assert_ok(cj_test_on_batch(model, one, &single));
    assert_near(cj_results_value(all, "loss"), cj_results_value(single, "loss") * 2 / 4, 1e-6,
                1e-6);
    cj_release(all), cj_release(single);
    cj_release(one), cj_release(weighted), cj_release(data), cj_release(model);
}

static void steps_per_epoch_goes_on_through_the_data(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(64);
    cj_model *a = compiled(), *b = compiled();
    assert_ok(cj_fit(a, data, .epochs = 2, .batch_size = 16));
    assert_ok(cj_fit(b, data, .epochs = 4, .batch_size = 16, .steps_per_epoch = 2));
    assert_true(problem_same_weights(a, b));
    cj_release(a), cj_release(b), cj_release(data);
}

// Fits of one epoch each see the orders that one fit of several epochs sees, also when an epoch is
// a part of a pass.
static void the_order_goes_on_from_fit_to_fit(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(64);
    cj_model *a = compiled(), *b = compiled(), *c = compiled(), *same = compiled();
    assert_ok(cj_fit(a, data, .epochs = 3, .batch_size = 16));
    for (int i = 0; i < 3; i++)
        assert_ok(cj_fit(b, data, .batch_size = 16));
    assert_true(problem_same_weights(a, b));
    for (int i = 0; i < 3; i++)
        assert_ok(cj_fit(c, data, .epochs = i + 1, .initial_epoch = i, .batch_size = 16));
    assert_true(problem_same_weights(a, c));
    assert_ok(cj_fit(same, data, .epochs = 1, .batch_size = 16, .steps_per_epoch = 2));
    assert_int_equal(cj__state_of(same)->place.passes, 0);
    assert_ok(cj_fit(same, data, .epochs = 1, .batch_size = 16, .steps_per_epoch = 2));
    assert_int_equal(cj__state_of(same)->place.passes, 1); // another order, not the same half again
    cj_release(a), cj_release(b), cj_release(c), cj_release(same), cj_release(data);
}

static void predict_gives_each_sample_its_row_in_any_batch_size(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(37);
    cj_model *model = problem_model(); // not compiled
    cj_tensor *whole = NULL, *parts = NULL;
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &whole, .batch_size = 37));
    assert_ok(cj_predict(model, cj_dataset_x(data, 0), &parts, .batch_size = 5));
    assert_int_equal(cj_tensor_shape(whole)->dims[0], 37);
    assert_all_near(cj_tensor_data(parts), cj_tensor_data(whole), 37 * 3, 1e-6, 1e-6);
    cj_release(whole), cj_release(parts), cj_release(model), cj_release(data);
}

static void *predict_often(void *context)
{
    void **given = context;
    for (int i = 0; i < 50; i++) {
        cj_tensor *output = NULL;
        if (cj_predict(given[0], given[1], &output, .batch_size = 8) != CJ_OK)
            return given;
        cj_release(output);
    }
    return NULL;
}

static void several_threads_predict_with_one_model(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(40);
    cj_model *model = problem_model();
    void *given[] = {model, cj_dataset_x(data, 0)}, *failed = NULL;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, predict_often, given), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    cj_release(model), cj_release(data);
}

static void sequential_without_input_is_built_by_its_data(void **state)
{
    (void)state;
    cj_dataset *data = problem_images(64);
    cj_model *model =
        cj_sequential(cj_rescaling(1.0 / 255), cj_flatten(), cj_dense(4, .activation = "softmax"));
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_ok(cj_fit(model, data, .epochs = 1));
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 2);
    cj_release(model), cj_release(data);
}

static void several_outputs_have_losses_of_their_own(void **state)
{
    (void)state;
    const float xs[] = {1, 2, 3, 4}, ys[] = {1, 0}, zs[] = {2, 3};
    cj_symbol *x = cj_input_symbol(2);
    cj_symbol *a = cj_apply(cj_dense(1, .name = "left"), x),
              *b = cj_apply(cj_dense(1, .name = "right"), x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {a, b});
    cj_dataset *data =
        cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 2), xs)},
                   .y = {problem_tensor(CJ_SHAPE(2), ys), problem_tensor(CJ_SHAPE(2, 1), zs)});
    cj_results *r = NULL;
    assert_ok(
        cj_compile(model, .losses = {"mse", "mae"}, .loss_weights = {2, 0.5}, .metrics = {"mae"}));
    assert_ok(cj_test_on_batch(model, data, &r));
    assert_near(cj_results_value(r, "loss"),
                2 * cj_results_value(r, "left_loss") + 0.5 * cj_results_value(r, "right_loss"),
                1e-5, 1e-5);
    assert_near(cj_results_value(r, "right_loss"), cj_results_value(r, "right_mae"), 1e-6, 1e-6);
    assert_true(cj_results_value(r, "left_mae") > 0);
    cj_release(r);
    cj_release(model), cj_release(data);
}

static void regularizers_join_the_loss(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(8);
    cj_model *plain = cj_sequential(
        cj_input(4), cj_dense(3, .activation = "softmax", .kernel_initializer = "ones"));
    cj_model *with = cj_sequential(cj_input(4), cj_dense(3, .activation = "softmax",
                                                         .kernel_initializer = "ones",
                                                         .kernel_regularizer = "l2(0.1)"));
    cj_results *a = NULL, *b = NULL;
    assert_ok(cj_compile(plain, .loss = "sparse_categorical_crossentropy"));
    assert_ok(cj_compile(with, .loss = "sparse_categorical_crossentropy"));
    assert_ok(cj_test_on_batch(plain, data, &a));
    assert_ok(cj_test_on_batch(with, data, &b));
    assert_near(cj_results_value(b, "loss") - cj_results_value(a, "loss"), 0.1 * 12, 1e-5, 0);
    cj_release(a), cj_release(b);
    cj_release(plain), cj_release(with), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_falls_and_accuracy_rises),
        cmocka_unit_test(history_has_keras_names),
        cmocka_unit_test(validation_split_takes_the_last_samples),
        cmocka_unit_test(smaller_last_batch_counts_by_its_samples),
        cmocka_unit_test(class_weight_zero_ignores_a_class),
        cmocka_unit_test(evaluate_and_predict_print_a_line),
        cmocka_unit_test(validation_steps_are_its_first_batches),
        cmocka_unit_test(class_weights_are_of_rounded_targets),
        cmocka_unit_test(class_weights_need_classes),
        cmocka_unit_test(class_weights_of_sequences_are_refused),
        cmocka_unit_test(sample_weights_scale_the_loss_but_not_its_divisor),
        cmocka_unit_test(steps_per_epoch_goes_on_through_the_data),
        cmocka_unit_test(the_order_goes_on_from_fit_to_fit),
        cmocka_unit_test(predict_gives_each_sample_its_row_in_any_batch_size),
        cmocka_unit_test(several_threads_predict_with_one_model),
        cmocka_unit_test(sequential_without_input_is_built_by_its_data),
        cmocka_unit_test(several_outputs_have_losses_of_their_own),
        cmocka_unit_test(regularizers_join_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
