// Preprocessing layers: what is wrong with a setting is said, what was learnt is in the model file,
// and nothing runs before it is learnt.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

// What was made of a wrong setting: nothing, with this sentence.
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_normalization(.mean = CJ_NUMBERS(1)), "1 means and 0 variances");
    REFUSED(cj_normalization(.mean = CJ_NUMBERS(1), .variance = CJ_NUMBERS(-1)),
            "variance 0 is negative");
    REFUSED(cj_normalization(.mean = CJ_NUMBERS(NAN), .variance = CJ_NUMBERS(1)),
            "number 0 of mean must be finite");
    REFUSED(cj_normalization(.mean = {NULL, 2}), "mean: a list of 2 numbers");
    REFUSED(cj_category_encoding(), "num_tokens must be at least 1");
    REFUSED(cj_category_encoding(4, .output_mode = "onehot"), "did you mean \"one_hot\"?");
    REFUSED(cj_discretization(), "needs bin_boundaries, or num_bins");
    REFUSED(cj_discretization(.bin_boundaries = CJ_NUMBERS(1, 0)), "number 1 is 0 after 1");
    REFUSED(cj_discretization(.bin_boundaries = CJ_NUMBERS(1, 2, 3), .num_bins = 3),
            "3 boundaries do not fit 3 bins");
    REFUSED(cj_resizing(2), "width is required");
    REFUSED(cj_resizing(2, 2, .interpolation = "linear"), "unknown interpolation \"linear\"");
    REFUSED(cj_resizing(2, 2, .fill_mode = "reflect"), "fill_mode");
    REFUSED(cj_resizing(2, 2, .crop_to_aspect_ratio = true, .pad_to_aspect_ratio = true),
            "exclude each other");
    REFUSED(cj_rescaling(), "scale is required");
}

static void inputs_that_do_not_fit_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_sequential(cj_input(3), cj_normalization({2})), "axis 2");
    REFUSED(cj_sequential(cj_input(3),
                          cj_normalization(.mean = CJ_NUMBERS(1, 2), .variance = CJ_NUMBERS(1, 2))),
            "2 means do not fit its last kept axis, which has 3 entries");
    REFUSED(cj_sequential(cj_input(3), cj_rescaling(.scales = CJ_NUMBERS(1, 2))),
            "2 scales for a last axis of 3");
    REFUSED(cj_sequential(cj_input(3, 2), cj_category_encoding(4)), "needs 2 with the batch axis");
    REFUSED(cj_sequential(cj_input(3), cj_discretization(.num_bins = 4)), "no boundaries yet");
    REFUSED(cj_sequential(cj_input(3, 2), cj_resizing(2, 2)), "needs 4 with the batch axis");
}

static cj_tensor *rows(int64_t count, int64_t length)
{
    cj_tensor *data = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(count, length), &data), CJ_OK);
    assert_int_equal(cj_tensor_fill_normal(data, 3, 5, 2), CJ_OK);
    return data;
}

static void what_cannot_be_adapted_is_refused(void **state)
{
    (void)state;
    cj_tensor *data = rows(8, 3), *other = rows(8, 2);
    cj_layer *dense = cj_dense(2),
             *given = cj_normalization(.mean = CJ_NUMBERS(1), .variance = CJ_NUMBERS(1)),
             *layer = cj_normalization(),
             *bins = cj_discretization(.bin_boundaries = CJ_NUMBERS(1));
    assert_int_equal(cj_adapt(NULL, data), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_adapt(layer, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_adapt(dense, data), CJ_INVALID_ARGUMENT);
    assert_error_contains("dense: a Dense learns nothing from data before training");
    assert_int_equal(cj_adapt(given, data), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_adapt(bins, data), CJ_INVALID_ARGUMENT);
    assert_error_contains("give it num_bins");
    assert_int_equal(cj_adapt(layer, data), CJ_OK);
    assert_int_equal(cj_adapt(layer, other), CJ_SHAPE_MISMATCH);
    cj_release(dense);
    cj_release(given);
    cj_release(layer);
    cj_release(bins);
    cj_release(data);
    cj_release(other);
}

static void nothing_runs_before_it_is_adapted(void **state)
{
    (void)state;
    cj_tensor *data = rows(16, 3), *y = NULL;
    cj_layer *layer = cj_normalization();
    cj_model *model = cj_sequential(cj_input(3), layer, cj_dense(2));
    assert_non_null(model);
    assert_int_equal(cj_predict(model, data, &y), CJ_NOT_BUILT);
    assert_error_contains("normalization: it has no mean and variance yet: call cj_adapt()");
    assert_int_equal(cj_adapt(layer, data), CJ_OK);
    assert_int_equal(cj_predict(model, data, &y), CJ_OK);
    cj_release(y);
    cj_release(data);
    cj_release(model);
}

static cj_model *adapted(cj_tensor *data)
{
    cj_layer *layer = cj_normalization(), *bins = cj_discretization(.num_bins = 4);
    assert_int_equal(cj_adapt(layer, data), CJ_OK);
    assert_int_equal(cj_adapt(bins, data), CJ_OK);
    cj_symbol *x = cj_input_symbol(3);
    cj_symbol *classes =
        cj_apply(cj_category_encoding(4, .output_mode = "count"), cj_apply(bins, x));
    cj_symbol *scaled = cj_apply(cj_rescaling(.scales = CJ_NUMBERS(1, 2, 3)), cj_apply(layer, x));
    return cj_functional(.inputs = {x}, .outputs = {cj_merge(cj_concatenate(), scaled, classes)});
}

static void predicts_the_same(cj_model *model, cj_model *copy, cj_tensor *data)
{
    cj_tensor *first = NULL, *second = NULL;
    assert_int_equal(cj_predict(model, data, &first), CJ_OK);
    assert_int_equal(cj_predict(copy, data, &second), CJ_OK);
    assert_memory_equal(cj_tensor_data(first), cj_tensor_data(second),
                        (size_t)cj_tensor_count(first) * sizeof(float));
    cj_release(first);
    cj_release(second);
}

static void what_was_learnt_is_in_the_model_file(void **state)
{
    (void)state;
    cj_tensor *data = rows(50, 3);
    cj_model *model = adapted(data), *copy = NULL;
    assert_non_null(model);
    const char *path = "preprocessing.cajal";
    assert_int_equal(cj_save(model, path), CJ_OK);
    copy = cj_load(path);
    if (!copy)
        fail_msg("%s", cj_error());
    predicts_the_same(model, copy, data);
    remove(path);
    cj_release(copy);
    cj_release(model);
    cj_release(data);
}

static void images_are_the_same_after_json(void **state)
{
    (void)state;
    cj_tensor *data = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 7, 6, 3), &data), CJ_OK);
    assert_int_equal(cj_tensor_fill_uniform(data, 1, 0, 255), CJ_OK);
    cj_model *model = cj_sequential(
        cj_input(7, 6, 3), cj_resizing(5, 9, .interpolation = "lanczos5", .antialias = true),
        cj_center_crop(4, 4), cj_resizing(8, 6, .pad_to_aspect_ratio = true, .fill_value = 7),
        cj_resizing(3, 3, .crop_to_aspect_ratio = true, .interpolation = "nearest"),
        cj_normalization(.mean = CJ_NUMBERS(1, 2, 3), .variance = CJ_NUMBERS(4, 5, 6)));
    char *json = NULL;
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *copy = cj_model_from_json(json, strlen(json));
    if (!copy)
        fail_msg("%s", cj_error());
    predicts_the_same(model, copy, data);
    cj_free(json);
    cj_release(copy);
    cj_release(model);
    cj_release(data);
}

// A second layer of one name is named anew by the model, and its weights drawn anew; so are all by a
// seed. What was learnt from data is no weight.
static void what_was_learnt_survives_names_and_seeds(void **state)
{
    (void)state;
    const float numbers[4] = {1, 3, 5, 7};
    cj_tensor *data, *y;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(4, 1), &data), CJ_OK);
    memcpy(cj_tensor_data(data), numbers, sizeof numbers);
    cj_layer *forth = cj_normalization(), *back = cj_normalization(.invert = true);
    assert_int_equal(cj_adapt(forth, data), CJ_OK);
    assert_int_equal(cj_adapt(back, data), CJ_OK);
    cj_model *model = cj_sequential(cj_input(1), forth, back);
    assert_non_null(model);
    assert_int_equal(cj_model_set_seed(model, 7), CJ_OK);
    assert_int_equal(cj_predict(model, data, &y), CJ_OK);
    assert_all_near(cj_tensor_data(y), numbers, 4, 1e-5, 0);
    cj_release(y);
    cj_release(data);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_learnt_survives_names_and_seeds),
        cmocka_unit_test(wrong_settings_get_their_sentence),
        cmocka_unit_test(inputs_that_do_not_fit_get_their_sentence),
        cmocka_unit_test(what_cannot_be_adapted_is_refused),
        cmocka_unit_test(nothing_runs_before_it_is_adapted),
        cmocka_unit_test(what_was_learnt_is_in_the_model_file),
        cmocka_unit_test(images_are_the_same_after_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
