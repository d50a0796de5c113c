// Input that does not fit is answered with a sentence, and leaves the model as it was.
#include "problems.h"
#include "train/state.h"
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
    cj_results *results = NULL;
    cj_model *model = compiled(), *untouched = compiled();
    assert_non_null(data);
    assert_int_not_equal(cj_fit(model, data, .epochs = 2), CJ_OK);
    assert_error_contains(words);
    assert_int_not_equal(cj_train_on_batch(model, data, NULL), CJ_OK);
    assert_error_contains(words);
    assert_int_not_equal(cj_evaluate(model, data, &results), CJ_OK);
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

static void labels_that_are_no_whole_numbers(void **state)
{
    (void)state;
    const float x[12] = {0}, y[3] = {0, 1.5F, 2};
    refused(
        cj_dataset(.x = {problem_tensor(CJ_SHAPE(3, 4), x)}, .y = {problem_tensor(CJ_SHAPE(3), y)}),
        "label 1.5 of sample 1 is not a whole number in 0..2");
}

static void targets_of_another_loss_name_it(void **state)
{
    (void)state;
    const float x[8] = {0}, one_hot[6] = {1, 0, 0, 0, 1, 0}, labels[2] = {0, 1};
    refused(cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 4), x)},
                       .y = {problem_tensor(CJ_SHAPE(2, 3), one_hot)}),
            "one-hot targets need categorical_crossentropy");
    cj_dataset *data = cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 4), x)},
                                  .y = {problem_tensor(CJ_SHAPE(2), labels)});
    cj_model *model = problem_model();
    assert_ok(cj_compile(model, .loss = "categorical_crossentropy"));
    assert_int_equal(cj_fit(model, data, .epochs = 1), CJ_SHAPE_MISMATCH);
    assert_error_contains("class numbers need sparse_categorical_crossentropy");
    cj_release(model), cj_release(data);
}

// Every call that runs batches must refuse one that a fixed batch size does not allow.
static void batches_other_than_the_fixed_one(void **state)
{
    (void)state;
    cj_model *model =
        cj_sequential(cj_input(4, .batch_size = 2), cj_dense(3, .activation = "softmax"));
    cj_dataset *three = problem_classes(3), *four = problem_classes(4);
    cj_tensor *output = NULL;
    cj_results *results = NULL;
    const char words[] = "fixed batch size of 2";
    assert_ok(cj_compile(model, .loss = "sparse_categorical_crossentropy"));
    assert_int_equal(cj_fit(model, three, .batch_size = 2), CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    assert_int_equal(cj_fit(model, four, .batch_size = 4), CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    assert_int_equal(cj_fit(model, four, .batch_size = 2, .validation_data = three),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains("validation data");
    assert_int_equal(cj_evaluate(model, three, &results, .batch_size = 2), CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    assert_int_equal(cj_predict(model, cj_dataset_x(three, 0), &output, .batch_size = 2),
                     CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    assert_null(output);
    assert_int_equal(cj_train_on_batch(model, three, NULL), CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    assert_int_equal(cj_test_on_batch(model, four, NULL), CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    assert_int_equal(cj_plan(model, .batch_size = 3, .training = true), CJ_SHAPE_MISMATCH);
    assert_error_contains(words);
    // the fixed size is also what no size means
    assert_ok(cj_fit(model, four, .epochs = 1));
    assert_ok(cj_evaluate(model, four, &results));
    assert_ok(cj_predict(model, cj_dataset_x(four, 0), &output));
    cj_release(output), cj_release(results);
    cj_release(model), cj_release(three), cj_release(four);
}

static void steps_beyond_counting(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(4);
    assert_int_equal(cj_fit(model, data, .epochs = 3, .steps_per_epoch = INT64_MAX / 3),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("steps_per_epoch");
    cj_release(model), cj_release(data);
}

// As a damaged file may have it.
static void a_place_that_contradicts_itself(void **state)
{
    (void)state;
    cj_model *model = compiled();
    cj_dataset *data = problem_classes(40);
    assert_ok(cj_fit(model, data, .epochs = 1));
    cj__place *place = &cj__state_of(model)->place, good = *place;
    place->event = CJ__EVENT_EPOCH_END;
    place->val_count = 30;
    assert_int_equal(cj_fit(model, data, .epochs = 3, .resume = true), CJ_BAD_FILE);
    *place = good;
    place->epoch = INT64_MAX;
    assert_int_equal(cj_fit(model, data, .epochs = 3, .resume = true), CJ_BAD_FILE);
    *place = good;
    place->batch = 7;
    assert_int_equal(cj_fit(model, data, .epochs = 3, .resume = true), CJ_BAD_FILE);
    *place = good;
    place->passes = INT64_MAX;
    assert_int_equal(cj_fit(model, data, .epochs = 3, .resume = true), CJ_BAD_FILE);
    assert_ok(cj_fit(model, data, .epochs = 3)); // a run of its own begins anew
    cj_release(model), cj_release(data);
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
        cmocka_unit_test(labels_that_are_no_whole_numbers),
        cmocka_unit_test(targets_of_another_loss_name_it),
        cmocka_unit_test(batches_other_than_the_fixed_one),
        cmocka_unit_test(steps_beyond_counting),
        cmocka_unit_test(a_place_that_contradicts_itself),
        cmocka_unit_test(not_compiled),
        cmocka_unit_test(unknown_names_when_compiling),
        cmocka_unit_test(a_model_without_a_loss),
        cmocka_unit_test(settings_of_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
