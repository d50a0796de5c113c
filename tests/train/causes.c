// The cause of a NULL: a builder that failed is never taken for something that was not given, and a
// failure is reported once.
#include "problems.h"
#include <string.h>

static cj_model *compiled(void)
{
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    return model;
}

// Forgets what tests before left, as a program does at its start.
static int forget(void **state)
{
    (void)state;
    cj_error_clear();
    return 0;
}

static void a_failed_output_at_the_end_of_the_braces_is_no_shorter_list(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(4), *y = cj_apply(cj_dense(2), x);
    cj_symbol *z = cj_apply(cj_dense(-2), x);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {y, z});
    assert_null(model);
    assert_error_contains("units must be at least 1, not -2");
}

static void a_failed_validation_set_is_not_left_out(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(8);
    assert_int_equal(cj_fit(model, data, .validation_data = cj_dataset()), CJ_INVALID_ARGUMENT);
    assert_error_contains("data set");
    assert_int_equal(cj_fit(model, data, .validation_data = NULL), CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_fit: the validation data is NULL");
    assert_ok(cj_fit(model, data));
    cj_release(model), cj_release(data);
}

static void a_failed_pool_is_not_the_default(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_symbol *x = cj_take(cj_symbol_input(CJ_F32, CJ_SHAPE(1), "x"));
    assert_int_equal(cj_compile(model, .loss = "mse", .pool = cj_pool_new(-3)),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("-3 threads");
    assert_null(cj_function(.inputs = &x, .input_count = 1, .outputs = &x, .output_count = 1,
                            .pool = cj_pool_new(-4)));
    assert_error_contains("-4 threads");
    cj_release(x), cj_release(model);
}

static void failed_updates_are_no_empty_list(void **state)
{
    (void)state;
    cj_symbol *x = cj_take(cj_symbol_input(CJ_F32, CJ_SHAPE(1), "x"));
    cj_updates *step = cj_optimizer_updates(cj_adam(.beta_1 = 7), NULL, NULL, 1);
    assert_null(cj_function(.inputs = &x, .input_count = 1, .outputs = &x, .output_count = 1,
                            .updates = cj_updates_list(step),
                            .update_count = cj_updates_count(step)));
    assert_error_contains("beta_1");
    cj_release(x);
}

static void failed_targets_are_not_left_out(void **state)
{
    (void)state;
    const float numbers[4] = {0};
    cj_dataset *none = cj_dataset();
    assert_null(
        cj_dataset(.x = {problem_tensor(CJ_SHAPE(4), numbers)}, .y = {cj_dataset_y(none, 0)}));
    assert_error_contains("it has no input");
}

static void a_failed_callback_is_not_left_out_but_reported_once(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(8);
    const cj_callback_methods methods = {.size = sizeof methods};
    cj_callback *stop = cj_early_stopping(.mode = "mni"); // before the call, and after others
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_callback_new(&methods, NULL), stop}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("mni");
    assert_ok(cj_fit(model, data, .callbacks = {cj_callback_new(&methods, NULL)}));
    cj_early_stopping(.mode = "mni");
    assert_ok(cj_fit(model, data)); // has no callbacks: it cannot be meant
    assert_int_equal(cj_fit(model, data, .callbacks = {NULL}), CJ_INVALID_ARGUMENT);
    assert_error_contains("mni");
    cj_release(model), cj_release(data);
}

static void a_reported_failure_is_no_later_ones_cause(void **state)
{
    (void)state;
    cj_model *model = problem_model();
    cj_dataset *data = problem_classes(8);
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(.beta_1 = 7), .loss = "mse"),
                     CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_compile(model, .optimizer = NULL, .loss = "mse"), CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_compile: the optimizer is NULL");
    assert_null(cj_load("/nowhere/at/all.safetensors"));
    assert_int_equal(cj_save(model, NULL), CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_save: the path is NULL");
    assert_int_equal(cj_evaluate(model, data, NULL), CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_evaluate: the place for the results is NULL");
    assert_int_equal(cj_load_idx(NULL, NULL), CJ_INVALID_ARGUMENT);
    assert_error_contains("the file's name is NULL");
    cj_release(model), cj_release(data);
}

static void what_fails_within_a_call_is_no_later_ones_cause(void **state)
{
    (void)state;
    const float numbers[8] = {0};
    cj_model *model = problem_model();
    cj_dataset *wrong = cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 4), numbers)},
                                   .y = {problem_tensor(CJ_SHAPE(2, 2), numbers)});
    assert_ok(cj_compile(model, .loss = "mse"));
    assert_int_not_equal(cj_fit(model, wrong), CJ_OK); // its status is all that is looked at
    cj_symbol *x = cj_input_symbol(4), *y = cj_apply(cj_dense(2), x);
    cj_model *other = cj_functional(.inputs = {x}, .outputs = {y});
    assert_non_null(other);
    cj_release(other), cj_release(model), cj_release(wrong);
}

static void of_two_failed_builders_in_a_list_the_first_is_reported(void **state)
{
    (void)state;
    cj_layer *first = cj_dense(-1), *second = cj_dense(-2);
    assert_null(cj_sequential(cj_input(4), first, cj_dense(3), second));
    assert_error_contains("not -1");
    cj_symbol *x = cj_input_symbol(4);
    cj_symbol *a = cj_apply(cj_dense(-3), x), *b = cj_apply(cj_dense(-4), x);
    assert_null(cj_functional(.inputs = {x}, .outputs = {a, b}));
    assert_error_contains("not -3");
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(8);
    cj_callback *stop = cj_early_stopping(.mode = "mni");
    cj_callback *plateau = cj_reduce_lr_on_plateau(.factor = 6);
    assert_int_equal(cj_fit(model, data, .callbacks = {stop, plateau}), CJ_INVALID_ARGUMENT);
    assert_error_contains("mni");
    cj_release(model), cj_release(data);
}

// A builder that a program tried in vain, and passed over.
static void a_failure_that_was_passed_over_is_not_the_cause_of_another(void **state)
{
    (void)state;
    cj_dense(-1);
    assert_null(cj_sequential(cj_input(4), cj_dense(-2)));
    assert_error_contains("not -2");
    cj_dense(-1);
    cj_conv2d(2, {3}, .padding = "sam");
    assert_error_contains("\"sam\"");
    assert_int_equal(cj_save(NULL, "x"), CJ_INVALID_ARGUMENT); // no model failed
    assert_error_contains("cj_save: the model is NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_failed_output_at_the_end_of_the_braces_is_no_shorter_list, forget),
        cmocka_unit_test_setup(a_failed_validation_set_is_not_left_out, forget),
        cmocka_unit_test_setup(a_failed_pool_is_not_the_default, forget),
        cmocka_unit_test_setup(failed_updates_are_no_empty_list, forget),
        cmocka_unit_test_setup(failed_targets_are_not_left_out, forget),
        cmocka_unit_test_setup(a_failed_callback_is_not_left_out_but_reported_once, forget),
        cmocka_unit_test_setup(a_reported_failure_is_no_later_ones_cause, forget),
        cmocka_unit_test_setup(what_fails_within_a_call_is_no_later_ones_cause, forget),
        cmocka_unit_test_setup(of_two_failed_builders_in_a_list_the_first_is_reported, forget),
        cmocka_unit_test_setup(a_failure_that_was_passed_over_is_not_the_cause_of_another, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
