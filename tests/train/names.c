// The names that losses and metrics are logged by: whole, and unique as in Keras.
#include "problems.h"
#include <string.h>

// Compares the names of what a test step gives with a list that NULL ends.
static void expect(cj_model *model, cj_dataset *data, const char *const *names)
{
    cj_results *results = NULL;
    int count = 0;
    assert_ok(cj_test_on_batch(model, data, &results));
    for (; names[count]; count++)
        assert_string_equal(cj_results_name(results, count), names[count]);
    assert_int_equal(cj_results_count(results), count);
    cj_release(results);
}

#define expect_names(...) expect(model, data, (const char *const[]){__VA_ARGS__, NULL})

static void names_are_those_that_the_user_wrote(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(8);
    cj_model *model = problem_model();
    assert_ok(cj_compile(
        model, .loss = "sparse_categorical_crossentropy",
        .metrics = {"acc", "SparseCategoricalAccuracy", "sparse_top_k_categorical_accuracy(k=2)"}));
    expect_names("loss", "acc", "SparseCategoricalAccuracy", "sparse_top_k_categorical_accuracy");
    cj_release(model), cj_release(data);
}

static void names_that_are_taken_get_numbers(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(8);
    cj_model *model = problem_model();
    assert_ok(
        cj_compile(model, .loss = "sparse_categorical_crossentropy",
                   .metrics = {"accuracy", "accuracy", "sparse_top_k_categorical_accuracy(k=1)",
                               "sparse_top_k_categorical_accuracy(k=3)"},
                   .weighted_metrics = {"accuracy", "accuracy", "acc"}));
    expect_names("loss", "accuracy", "accuracy_1", "sparse_top_k_categorical_accuracy",
                 "sparse_top_k_categorical_accuracy_1", "weighted_accuracy", "weighted_accuracy_1",
                 "acc");
    cj_results *results = NULL;
    assert_ok(cj_test_on_batch(model, data, &results));
    const double top_3 = cj_results_value(results, "sparse_top_k_categorical_accuracy_1");
    assert_near(top_3, 1, 0, 0);
    cj_release(results), cj_release(model), cj_release(data);
}

static cj_model *two_outputs(const char *left, const char *right)
{
    cj_symbol *x = cj_input_symbol(2);
    return cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(1, .name = left), x),
                                                    cj_apply(cj_dense(1, .name = right), x)});
}

static cj_dataset *two_targets(void)
{
    const float xs[] = {1, 2, 3, 4}, ys[] = {1, 0}, zs[] = {2, 3};
    return cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 2), xs)},
                      .y = {problem_tensor(CJ_SHAPE(2), ys), problem_tensor(CJ_SHAPE(2), zs)});
}

#define LONG "an_output_with_a_name_that_is_longer_than_twenty_two_characters"

static void long_names_of_outputs_are_whole(void **state)
{
    (void)state;
    cj_model *model = two_outputs(LONG "_a", LONG "_b");
    cj_dataset *data = two_targets();
    assert_ok(cj_compile(model, .loss = "mse", .metrics = {"mean_absolute_error"}));
    expect_names("loss", LONG "_a_loss", LONG "_b_loss", LONG "_a_mean_absolute_error",
                 LONG "_b_mean_absolute_error");
    cj_release(model), cj_release(data);
}

static void an_output_without_a_loss_has_no_row(void **state)
{
    (void)state;
    cj_model *model = two_outputs("left", "right");
    cj_dataset *data = two_targets();
    assert_ok(cj_compile(model, .losses = {"mse"}, .metrics = {"mae"}));
    expect_names("loss", "left_mae", "right_mae");
    cj_release(model), cj_release(data);
}

// Callbacks, history and file see the same names.
static void a_long_metric_can_be_monitored(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(30);
    cj_model *model = problem_model();
    cj_history *history = NULL;
    assert_ok(cj_compile(model, .optimizer = cj_sgd(.learning_rate = 0),
                         .loss = "sparse_categorical_crossentropy",
                         .metrics = {"sparse_categorical_accuracy"}));
    assert_ok(cj_fit(model, data, .epochs = 20, .validation_data = data, .history = &history,
                     .callbacks = {cj_early_stopping(.monitor = "val_sparse_categorical_accuracy",
                                                     .patience = 2)}));
    assert_int_equal(cj_history_epochs(history), 3);
    const double last = cj_history_value(history, "val_sparse_categorical_accuracy", 2);
    assert_true(last >= 0);
    cj_release(history), cj_release(model), cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_that_the_user_wrote),
        cmocka_unit_test(names_that_are_taken_get_numbers),
        cmocka_unit_test(long_names_of_outputs_are_whole),
        cmocka_unit_test(an_output_without_a_loss_has_no_row),
        cmocka_unit_test(a_long_metric_can_be_monitored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
