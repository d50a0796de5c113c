// Merging layers: what is wrong with a setting or an input is said, JSON is written and read back,
// and a model file brings predictions back.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

// What was made of something wrong: nothing, with this sentence.
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_dot(), "dot: axes is required");
    REFUSED(cj_dot({2, 9}), "dot: axes 9 is none of an input's");
    REFUSED(cj_dot({-9, 1}), "dot: axes -9 is none of an input's");
    REFUSED(cj_subtract(.dtype = "float8"), "dtype");
}

// A layer on two inputs of these shapes, as a model.
static cj_model *on(cj_layer *layer, cj_symbol *a, cj_symbol *b)
{
    return cj_functional(.inputs = {a, b}, .outputs = {cj_merge(layer, a, b)});
}

static void inputs_that_do_not_fit_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(on(cj_subtract(), cj_input_symbol(3, 4), cj_input_symbol(2, 4)),
            "inputs (None, 3, 4) and (None, 2, 4) cannot be subtracted");
    REFUSED(on(cj_multiply(), cj_input_symbol(3), cj_input_symbol(2, 4)),
            "inputs (None, 1, 3) and (None, 2, 4) cannot be multiplied");
    REFUSED(on(cj_average(), cj_input_symbol(3), cj_input_symbol(2)), "cannot be averaged");
    REFUSED(on(cj_maximum(), cj_input_symbol(3), cj_input_symbol(2)), "cannot be compared");
    REFUSED(on(cj_dot({1}), cj_input_symbol(3, 4), cj_input_symbol(2, 4)),
            "differ in the lengths of axes 1 and 1");
    REFUSED(on(cj_dot({2}), cj_input_symbol(3), cj_input_symbol(2, 3)), "axis 2");
    REFUSED(on(cj_dot({-2}), cj_input_symbol(3), cj_input_symbol(2, 3)), "batch axis");
    REFUSED(on(cj_dot({1}), cj_input_symbol(2, 2, 2, 2, 2), cj_input_symbol(2, 2, 2, 2, 2)),
            "more than 8 axes");
    cj_symbol *a = cj_input_symbol(3);
    REFUSED(cj_functional(.inputs = {a}, .outputs = {cj_merge(cj_subtract(), a, a, a)}),
            "3 inputs given");
}

// All merging layers over one input, so that a file of it can be predicted with.
static cj_model *everything(void)
{
    cj_symbol *a = cj_input_symbol(3, 4), *b = cj_apply(cj_dense(4, .activation = "tanh"), a);
    cj_symbol *row = cj_apply(cj_global_average_pooling1d(), a);
    cj_symbol *parts[] = {cj_merge(cj_add(), a, row, b),     cj_merge(cj_subtract(), a, b),
                          cj_merge(cj_multiply(), a, row),   cj_merge(cj_average(), a, b, row),
                          cj_merge(cj_maximum(), row, a, b), cj_merge(cj_minimum(), a, b),
                          cj_merge(cj_concatenate(), b)};
    cj_symbol *all =
        cj_apply_list(cj_concatenate(.axis = 1), parts, sizeof parts / sizeof parts[0]);
    return cj_functional(.inputs = {a},
                         .outputs = {cj_merge(cj_dot({-1, 1}, .normalize = true), all, row)});
}

static void json_is_written_and_read_back(void **state)
{
    cj_model *model = everything(), *again = NULL;
    char *first = NULL, *second = NULL;
    (void)state;
    if (!model || cj_model_to_json(model, &first) != CJ_OK)
        fail_msg("%s", cj_error());
    again = cj_model_from_json(first, strlen(first));
    if (!again || cj_model_to_json(again, &second) != CJ_OK)
        fail_msg("%s", cj_error());
    assert_string_equal(first, second);
    cj_free(first), cj_free(second);
    cj_release(model), cj_release(again);
}

static void a_model_file_brings_predictions_back(void **state)
{
    const char *path = "formats_merging.safetensors";
    cj_model *model = everything(), *loaded = NULL;
    cj_tensor *x = NULL, *before = NULL, *after = NULL;
    (void)state;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 3, 4), &x), CJ_OK);
    for (int i = 0; i < 24; i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i * 7 % 13) / 6 - 1;
    if (cj_save(model, path) != CJ_OK || !(loaded = cj_load(path)))
        fail_msg("%s", cj_error());
    assert_int_equal(cj_predict(model, x, &before), CJ_OK);
    assert_int_equal(cj_predict(loaded, x, &after), CJ_OK);
    assert_memory_equal(cj_tensor_data(before), cj_tensor_data(after),
                        (size_t)cj_tensor_count(before) * sizeof(float));
    cj_release(before), cj_release(after), cj_release(x);
    cj_release(model), cj_release(loaded);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_settings_get_their_sentence),
        cmocka_unit_test(inputs_that_do_not_fit_get_their_sentence),
        cmocka_unit_test(json_is_written_and_read_back),
        cmocka_unit_test(a_model_file_brings_predictions_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
