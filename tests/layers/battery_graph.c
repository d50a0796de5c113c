// Every kind of layer goes through the same checks: shapes for free and fixed batches, a batch of
// one, a wrong rank, a wrong number of inputs, its settings read back, finite numbers, and
// gradients against differences where it is smooth.
#include "layers/samples.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

static void every_kind_has_a_sample(void **state)
{
    (void)state;
    int count = 0;
    for (; cj__layer_kinds[count]; count++) {
        assert_string_equal(cj__layer_kinds[count]->choice.class_name, samples[count].class_name);
        assert_ptr_equal(cj__layer_kind_find(samples[count].class_name), cj__layer_kinds[count]);
    }
    assert_int_equal(count, sample_count);
    assert_null(cj__layer_kind_find("Dence"));
    assert_error_contains("did you mean \"Dense\"");
}

static void shape_with_a_free_batch_is_the_expected_one(void **state)
{
    (void)state;
    for (size_t i = 1; i < sample_count; i++) {
        cj_layer *layer = sample_made(&samples[i]);
        cj_symbol *inputs[3], *output = NULL;
        const int count = sample_inputs(layer);
        for (int j = 0; j < count; j++)
            inputs[j] = sample_symbol(&samples[i]);
        if (cj_apply_many(layer, inputs, count, &output, 1) != CJ_OK)
            fail_msg("%s", cj_error());
        const cj_shape expected = sample_shape(samples[i].output, CJ_BATCH);
        assert_true(cj_shape_equal(cj_symbol_shape(output), &expected));
        assert_int_equal(cj_symbol_dtype(output), CJ_F32);
        cj_release(output);
    }
}

static void batches_of_one_and_three_run_and_are_finite(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer = sample_made(&samples[i]);
        for (int64_t batch = 1; batch <= 3; batch += 2) {
            const cj_shape expected = sample_shape(samples[i].output, batch);
            cj_tensor *x[3] = {sample_tensor(&samples[i], batch, i),
                               sample_tensor(&samples[i], batch, i + 50),
                               sample_tensor(&samples[i], batch, i + 100)};
            for (int training = 0; training < 2; training++) {
                cj_tensor *y = helper_run(layer, x, sample_inputs(layer), 0, training, 3);
                assert_true(cj_shape_equal(cj_tensor_shape(y), &expected));
                for (int64_t k = 0; k < cj_tensor_count(y); k++)
                    assert_true(isfinite(helper_floats(y)[k]));
                cj_release(y);
            }
            cj_release(x[0]);
            cj_release(x[1]);
            cj_release(x[2]);
        }
        cj_release(layer);
    }
}

static void samples_do_not_see_each_other_when_predicting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer = sample_made(&samples[i]);
        cj_tensor *three = sample_tensor(&samples[i], 3, i), *one;
        assert_int_equal(cj_tensor_slice(three, 0, 1, 1, &one), CJ_OK);
        cj_tensor *pair[3] = {three, three, three}, *single[3] = {one, one, one};
        cj_tensor *all = helper_run(layer, pair, sample_inputs(layer), 0, false, 0);
        cj_tensor *alone = helper_run(layer, single, sample_inputs(layer), 0, false, 0);
        const size_t size = (size_t)cj_tensor_count(alone);
        assert_all_near(helper_floats(all) + size, helper_floats(alone), size, 1e-6, 1e-5);
        cj_release(alone);
        cj_release(all);
        cj_release(one);
        cj_release(three);
        cj_release(layer);
    }
}

static void wrong_rank_gives_a_sentence_with_the_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].any_rank)
            continue;
        cj_layer *layer = sample_made(&samples[i]);
        char name[64];
        strcpy(name, cj_layer_name(layer));
        cj_error_clear();
        assert_null(cj_apply(layer, cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH), "x")));
        assert_int_equal(strncmp(cj_error(), name, strlen(name)), 0);
        assert_error_contains("axes");
    }
}

static void wrong_number_of_inputs_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer = sample_made(&samples[i]);
        enum { MOST = 32 }; // layers that take more take any number
        cj_symbol *inputs[MOST + 1], *output;
        const bool any = sample_inputs(layer) > 1 || layer->kind->max_inputs > MOST;
        const int count = any ? 1 : layer->kind->max_inputs + 1;
        const bool wrong = count < layer->kind->min_inputs || count > layer->kind->max_inputs;
        const int made_count = count > 3 ? count : 3;
        for (int j = 0; j < made_count; j++)
            inputs[j] = sample_symbol(&samples[i]);
        if (wrong) {
            assert_int_equal(cj_apply_many(layer, inputs, count, &output, 1), CJ_INVALID_ARGUMENT);
            assert_error_contains("inputs given");
        } else {
            cj_release(layer);
            cj_release(inputs[0]);
        }
        for (int j = count; j < made_count; j++)
            cj_release(inputs[j]);
    }
}

// Resolved settings, given again, are resolved to themselves.
static void settings_come_back_from_the_table_of_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        cj_layer *layer = sample_made(&samples[i]);
        const cj__choice *choice = &layer->kind->choice;
        _Alignas(16) char again[SAMPLE_ARGS_MAX];
        sample_args(layer, again);
        cj_layer *copy = cj__layer_new(layer->kind, again);
        if (!copy)
            fail_msg("%s: %s", samples[i].class_name, cj_error());
        for (int f = 0; f < choice->field_count; f++) {
            const cj__field *field = &choice->fields[f];
            const char *a = (const char *)layer->args + field->offset,
                       *b = (const char *)copy->args + field->offset;
            if (field->kind != CJ__FIELD_TEXT && field->kind != CJ__FIELD_SPEC)
                continue;
            const char *first = *(const char *const *)(const void *)a,
                       *second = *(const char *const *)(const void *)b;
            assert_int_equal(!first, !second);
            assert_true(!first || strcmp(first, second) == 0);
        }
        cj_release(copy);
        cj_release(layer);
    }
}

static void gradients_agree_with_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].tolerance == 0)
            continue;
        cj_layer *layer = sample_made(&samples[i]);
        cj_tensor *x = sample_tensor(&samples[i], 3, sample_seed(&samples[i]));
        cj_release(helper_predict(layer, x)); // builds the variables
        const double error = helper_gradient_error(layer, x, 1e-3);
        if (!(error < samples[i].tolerance))
            fail_msg("%s: gradients differ by %g", samples[i].class_name, error);
        cj_release(x);
        cj_release(layer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_sample),
        cmocka_unit_test(shape_with_a_free_batch_is_the_expected_one),
        cmocka_unit_test(batches_of_one_and_three_run_and_are_finite),
        cmocka_unit_test(samples_do_not_see_each_other_when_predicting),
        cmocka_unit_test(wrong_rank_gives_a_sentence_with_the_name),
        cmocka_unit_test(wrong_number_of_inputs_is_refused),
        cmocka_unit_test(settings_come_back_from_the_table_of_fields),
        cmocka_unit_test(gradients_agree_with_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
