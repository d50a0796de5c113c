// Input that does not fit is answered with a sentence, and leaves the model as it was.
#include "problems.h"
#include <math.h>
#include <string.h>

static cj_model *compiled(void)
{
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    return model;
}

// fit() and train_on_batch() must refuse the data with these words and change nothing.
static void refused(cj_dataset *data, const char *words)
{
    cj_model *model = compiled(), *untouched = compiled();
    assert_non_null(data);
    assert_int_not_equal(cj_fit(model, data, .epochs = 2), CJ_OK);
    assert_error_contains(words);
    assert_int_not_equal(cj_train_on_batch(model, data, NULL), CJ_OK);
    assert_error_contains(words);
    assert_int_not_equal(cj_evaluate(model, data, NULL), CJ_OK);
    assert_true(problem_same_weights(model, untouched));
    cj_release(model), cj_release(untouched), cj_release(data);
}

static void label_out_of_range(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(100);
    ((uint8_t *)cj_tensor_data(cj_dataset_y(data, 0)))[77] = 3;
    refused(data, "label 3 of sample 77 is outside 0..2");
}

static void nan_in_inputs(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(100);
    ((float *)cj_tensor_data(cj_dataset_x(data, 0)))[4 * 50 + 1] = NAN;
    refused(data, "input 0 of sample 50 is NaN");
}

static void wrong_shapes(void **state)
{
    (void)state;
    const float x[12] = {0}, y[12] = {0};
    refused(
        cj_dataset(.x = {problem_tensor(CJ_SHAPE(4, 3), x)}, .y = {problem_tensor(CJ_SHAPE(4), y)}),
        "(4, 3)");
    refused(cj_dataset(.x = {problem_tensor(CJ_SHAPE(3, 4), x)},
                       .y = {problem_tensor(CJ_SHAPE(3, 4), y)}),
            "targets of shape (None, 4) do not fit predictions of shape (None, 3)");
    refused(cj_dataset(.x = {problem_tensor(CJ_SHAPE(3, 4), x)}), "0 targets");
}

static void not_compiled(void **state)
{
    (void)state;
    cj_model *model = problem_model();
    cj_dataset *data = problem_classes(4);
    assert_int_equal(cj_fit(model, data, .epochs = 1), CJ_NOT_BUILT);
    assert_error_contains("call cj_compile() first");
    assert_true(isnan(cj_learning_rate(model)));
    cj_release(model), cj_release(data);
}

static void unknown_names_when_compiling(void **state)
{
    (void)state;
    cj_model *model = problem_model();
    assert_int_equal(cj_compile(model, .loss = "sparse_categorical_crossentopy"),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("did you mean \"sparse_categorical_crossentropy\"");
    assert_int_equal(cj_compile(model, .loss = "mse", .metrics = {"accurracy"}),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("did you mean \"accuracy\"");
    cj_release(model);
}

static void a_model_without_a_loss(void **state)
{
    (void)state;
    cj_model *model = problem_model();
    cj_dataset *data = problem_classes(4);
    assert_ok(cj_compile(model, .metrics = {"accuracy"}));
    assert_int_equal(cj_fit(model, data, .epochs = 1), CJ_INVALID_ARGUMENT);
    assert_error_contains("without a loss");
    cj_release(model), cj_release(data);
}

static void settings_of_fit(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(4);
    assert_int_equal(cj_fit(model, data, .validation_split = 1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_fit(model, data, .batch_size = -1), CJ_INVALID_ARGUMENT);
    // floor(4 * 0.99) = 3 for training, as in Keras
    assert_ok(cj_fit(model, data, .validation_split = 0.01));
    cj_release(model), cj_release(data);
}

static void optimizer_that_could_not_be_made_is_not_the_default(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2), cj_dense(1));
    assert_int_equal(cj_compile(model, .optimizer = cj_adam(.beta_1 = 7), .loss = "mse"),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("beta_1");
    assert_int_equal(cj_compile(model, .loss = "mse"), CJ_OK); // no builder: the default
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizer_that_could_not_be_made_is_not_the_default),
        cmocka_unit_test(label_out_of_range),
        cmocka_unit_test(nan_in_inputs),
        cmocka_unit_test(wrong_shapes),
        cmocka_unit_test(not_compiled),
        cmocka_unit_test(unknown_names_when_compiling),
        cmocka_unit_test(a_model_without_a_loss),
        cmocka_unit_test(settings_of_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
