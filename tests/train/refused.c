// Settings and values that mean nothing are refused with a sentence that names them.
#include "problems.h"
#include <math.h>
#include <string.h>

static cj_model *compiled(void)
{
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    return model;
}

static void class_weights_without_a_list_or_a_length(void **state)
{
    (void)state;
    const double weights[3] = {1, 2, 3};
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(8);
    assert_int_equal(cj_fit(model, data, .class_weight = NULL, .class_count = 3),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("class_weight is NULL");
    assert_int_equal(cj_fit(model, data, .class_weight = weights), CJ_INVALID_ARGUMENT);
    assert_error_contains("class_count is 0");
    assert_int_equal(cj_fit(model, data, .class_weight = weights, .class_count = -1),
                     CJ_INVALID_ARGUMENT);
    assert_ok(cj_fit(model, data, .class_weight = weights, .class_count = 3));
    cj_release(model), cj_release(data);
}

static cj_status return_io(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)model, (void)logs;
    return CJ_IO;
}

static cj_status return_77(void *self, cj_model *model, cj_logs *logs)
{
    (void)self, (void)model, (void)logs;
    return (cj_status)77;
}

static void a_status_that_does_not_exist(void **state)
{
    (void)state;
    const cj_callback_methods methods = {.size = sizeof methods, .epoch_end = return_77};
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(8);
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_callback_new(&methods, NULL)}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("a callback returned 77, which is no status");
    // a status without a sentence of its own does not bring out an older one
    const cj_callback_methods bare = {.size = sizeof bare, .epoch_end = return_io};
    cj_fail(CJ_NOT_FOUND, "an older sentence");
    assert_int_equal(cj_fit(model, data, .callbacks = {cj_callback_new(&bare, NULL)}), CJ_IO);
    assert_int_equal(cj_error_status(), CJ_IO);
    assert_error_contains("cj_fit: a callback failed: ");
    cj_release(model), cj_release(data);
}

static void a_way_of_printing_that_does_not_exist(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(8);
    cj_results *results = NULL;
    cj_tensor *output = NULL;
    const cj_verbose verbose = (cj_verbose)55;
    assert_int_equal(cj_fit(model, data, .verbose = verbose), CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_fit: verbose is 55");
    assert_int_equal(cj_evaluate(model, data, &results, .verbose = verbose), CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_evaluate: verbose is 55");
    assert_int_equal(cj_predict(model, cj_dataset_x(data, 0), &output, .verbose = verbose),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("cj_predict: verbose is 55");
    cj_release(model), cj_release(data);
}

static void numbers_above_their_bound_name_it(void **state)
{
    (void)state;
    assert_null(cj_dense((int64_t)1 << 62));
    assert_error_contains("units must be at most 1e+15, not 4.61169e+18");
    assert_null(cj_adam(.learning_rate = 1e300));
    assert_error_contains("learning_rate must be at most 1e+30, not 1e+300");
    assert_null(cj_dense(-3));
    assert_error_contains("units must be at least 1, not -3");
}

static void names_that_are_empty(void **state)
{
    (void)state;
    cj_symbol *x = cj_symbol_input(CJ_F32, CJ_SHAPE(2), "x");
    assert_null(cj_op_activation("", x));
    assert_error_contains("cj_op_activation: the name is empty");
    assert_null(cj_op_loss("", cj_symbol_input(CJ_F32, CJ_SHAPE(2, 1), "y"),
                           cj_symbol_input(CJ_F32, CJ_SHAPE(2, 1), "z")));
    assert_error_contains("cj_op_loss: the name is empty");
}

static void memory_at_an_odd_address(void **state)
{
    (void)state;
    _Alignas(8) char bytes[32] = {0};
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_borrow(CJ_F32, CJ_SHAPE(2), bytes + 2, NULL, NULL, &tensor),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("float32 need an address that is a multiple of 4");
    assert_null(tensor);
    assert_ok(cj_tensor_borrow(CJ_U8, CJ_SHAPE(2), bytes + 1, NULL, NULL, &tensor));
    cj_release(tensor);
}

static void nan_as_an_index(void **state)
{
    (void)state;
    const float numbers[4] = {0, 2, NAN, 1}, good[4] = {0, 2, 1, 1};
    cj_model *model = cj_sequential(cj_input(4), cj_embedding(3, 2));
    cj_tensor *x = problem_tensor(CJ_SHAPE(1, 4), numbers), *y = NULL;
    assert_int_equal(cj_predict(model, x, &y), CJ_INVALID_ARGUMENT);
    assert_error_contains("index -1 of element 2");
    cj_release(x);
    x = problem_tensor(CJ_SHAPE(1, 4), good);
    assert_ok(cj_predict(model, x, &y));
    cj_release(model), cj_release(x), cj_release(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_weights_without_a_list_or_a_length),
        cmocka_unit_test(a_status_that_does_not_exist),
        cmocka_unit_test(a_way_of_printing_that_does_not_exist),
        cmocka_unit_test(numbers_above_their_bound_name_it),
        cmocka_unit_test(names_that_are_empty),
        cmocka_unit_test(memory_at_an_odd_address),
        cmocka_unit_test(nan_as_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
