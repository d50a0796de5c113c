// Models that leave the lengths of their sequences free: they predict, train and are saved for
// sequences of any lengths, and give what models of fixed lengths give.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

static cj_model *checked(cj_model *model)
{
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

static cj_model *sequences(int64_t length)
{
    return checked(cj_sequential(
        cj_input(length, 3), cj_conv1d(4, 3, .padding = "causal", .activation = "tanh"),
        cj_max_pooling1d(2), cj_layer_normalization(),
        cj_bidirectional(cj_gru(3, .return_sequences = true)),
        cj_time_distributed(cj_model_layer(cj_sequential(cj_dense(4), cj_dense(2)))), cj_lstm(3),
        cj_dense(2, .activation = "softmax")));
}

static cj_model *words(int64_t length)
{
    cj_symbol *x = cj_input_symbol(length, .dtype = "int32");
    cj_symbol *h = cj_apply(cj_embedding(9, 4, .mask_zero = true), x);
    h = cj_apply(cj_bidirectional(cj_lstm(3, .return_sequences = true)), h);
    cj_symbol *all = cj_apply(cj_dense(2), h);
    return checked(cj_functional(.inputs = {x}, .outputs = {all}));
}

// Two lengths that have nothing to do with each other.
static cj_model *translator(int64_t from_length, int64_t to_length)
{
    cj_symbol *from = cj_input_symbol(from_length, 3), *to = cj_input_symbol(to_length, 2), *y;
    cj_symbol *coded[2] = {NULL, NULL};
    cj_apply_many(cj_gru(4, .return_state = true), &from, 1, coded, 2);
    cj_release(coded[0]);
    cj_apply_many(cj_gru(4, .return_sequences = true), (cj_symbol *[]){to, coded[1]}, 2, &y, 1);
    return checked(cj_functional(.inputs = {from, to}, .outputs = {cj_apply(cj_dense(2), y)}));
}

// Steps that look at each other.
static cj_model *attentive(int64_t length)
{
    cj_symbol *x = cj_input_symbol(length, 3), *seen = NULL;
    cj_symbol *h = cj_apply(cj_conv1d(8, 3, .padding = "same"), x);
    cj_apply_many(cj_multi_head_attention(2, 4), (cj_symbol *[]){h, h}, 2, &seen, 1);
    cj_symbol *sum = cj_apply(cj_layer_normalization(), cj_merge(cj_add(), h, seen));
    return checked(
        cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_global_average_pooling1d(), sum)}));
}

static void copy_weights(cj_model *from, cj_model *to)
{
    cj_layer *a = cj_model_layer(from), *b = cj_model_layer(to);
    assert_int_equal(cj_layer_variable_count(a), cj_layer_variable_count(b));
    for (int i = 0; i < cj_layer_variable_count(a); i++)
        assert_int_equal(
            cj_variable_assign(cj_layer_variable(b, i), cj_variable_value(cj_layer_variable(a, i))),
            CJ_OK);
}

static cj_tensor *numbers(cj_dtype dtype, cj_shape shape, int seed)
{
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(dtype, shape, &x), CJ_OK);
    for (int64_t k = 0; k < cj_tensor_count(x); k++) {
        if (dtype == CJ_I32)
            ((int32_t *)cj_tensor_data(x))[k] = (int32_t)((k * 5 + seed) % 9);
        else
            ((float *)cj_tensor_data(x))[k] = (float)((k * 7 + seed) % 13) / 6 - 1;
    }
    return x;
}

static void expect_equal(cj_model *a, cj_model *b, cj_tensor *const *x)
{
    cj_tensor *y[2] = {NULL, NULL};
    if (cj_predict_many(a, x, &y[0]) != CJ_OK || cj_predict_many(b, x, &y[1]) != CJ_OK)
        fail_msg("%s", cj_error());
    assert_true(cj_shape_equal(cj_tensor_shape(y[0]), cj_tensor_shape(y[1])));
    assert_memory_equal(cj_tensor_data(y[0]), cj_tensor_data(y[1]),
                        (size_t)cj_tensor_count(y[0]) * sizeof(float));
    cj_release(y[0]), cj_release(y[1]);
}

static void predictions_are_those_of_fixed_lengths(void **state)
{
    static const int64_t lengths[] = {5, 40, 8, 5, 2};
    (void)state;
    cj_model *any[] = {sequences(CJ_ANY), words(CJ_ANY), translator(CJ_ANY, CJ_ANY),
                       attentive(CJ_ANY)};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const int64_t t = lengths[i];
        cj_model *fixed[] = {sequences(t), words(t), translator(t, 7 - (int64_t)i), attentive(t)};
        cj_tensor *x[4][2] = {{numbers(CJ_F32, CJ_SHAPE(3, t, 3), 1), NULL},
                              {numbers(CJ_I32, CJ_SHAPE(3, t), 2), NULL},
                              {numbers(CJ_F32, CJ_SHAPE(3, t, 3), 3),
                               numbers(CJ_F32, CJ_SHAPE(3, 7 - (int64_t)i, 2), 4)},
                              {numbers(CJ_F32, CJ_SHAPE(3, t, 3), 5), NULL}};
        for (int m = 0; m < 4; m++) {
            copy_weights(any[m], fixed[m]);
            expect_equal(any[m], fixed[m], x[m]);
            cj_release(x[m][0]), cj_release(x[m][1]), cj_release(fixed[m]);
        }
    }
    for (int m = 0; m < 4; m++)
        cj_release(any[m]);
}

static void shapes_say_what_is_free(void **state)
{
    (void)state;
    char text[64], *json = NULL;
    cj_model *model = words(CJ_ANY);
    assert_string_equal(cj_shape_text(cj_model_input_shape(model, 0), text, sizeof text),
                        "(None, None)");
    assert_string_equal(cj_shape_text(cj_model_output_shape(model, 0), text, sizeof text),
                        "(None, None, 2)");
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *again = checked(cj_model_from_json(json, strlen(json)));
    assert_string_equal(cj_shape_text(cj_model_output_shape(again, 0), text, sizeof text),
                        "(None, None, 2)");
    cj_free(json);
    cj_release(again), cj_release(model);
    model = sequences(CJ_ANY);
    assert_string_equal(cj_shape_text(cj_model_output_shape(model, 0), text, sizeof text),
                        "(None, 2)");
    char summary[4096] = "";
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(cj_model_summary(model, stream), CJ_OK);
    rewind(stream);
    summary[fread(summary, 1, sizeof summary - 1, stream)] = '\0';
    fclose(stream);
    assert_non_null(strstr(summary, "(None, None, 4)"));
    assert_null(strstr(summary, "256"));
    cj_release(model);
}

// Each batch of another length, padded to its longest sequence.
static void training_goes_from_length_to_length(void **state)
{
    const char *path = "train_lengths.safetensors";
    (void)state;
    cj_model *model = sequences(CJ_ANY);
    double first = 0, last = 0;
    assert_int_equal(
        cj_compile(model, .optimizer = cj_adam(0.02), .loss = "sparse_categorical_crossentropy"),
        CJ_OK);
    for (int i = 0; i < 60; i++) {
        const int64_t t = 4 + i % 3 * 5;
        cj_tensor *x = numbers(CJ_F32, CJ_SHAPE(8, t, 3), i % 3), *y = NULL;
        assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(8), &y), CJ_OK);
        for (int k = 0; k < 8; k++)
            ((int32_t *)cj_tensor_data(y))[k] =
                ((const float *)cj_tensor_data(x))[(k + 1) * t * 3 - 1] > 0;
        cj_dataset *batch = cj_dataset(.x = {x}, .y = {y});
        cj_results *results = NULL;
        if (cj_train_on_batch(model, batch, &results) != CJ_OK)
            fail_msg("%s", cj_error());
        last = cj_results_value(results, "loss");
        first = i ? first : last;
        cj_release(results), cj_release(batch);
    }
    assert_true(last < 0.7 * first);
    cj_tensor *x = numbers(CJ_F32, CJ_SHAPE(3, 17, 3), 1);
    assert_int_equal(cj_save(model, path), CJ_OK);
    cj_model *loaded = checked(cj_load(path));
    expect_equal(model, loaded, &x);
    cj_release(x), cj_release(loaded), cj_release(model);
    remove(path);
}

// fit, evaluate and predict each see data of their own length; targets of sequences too.
static void each_call_has_its_length(void **state)
{
    (void)state;
    cj_model *model = words(CJ_ANY);
    cj_results *results = NULL;
    assert_int_equal(cj_compile(model, .optimizer = cj_sgd(0.1), .loss = "mean_squared_error",
                                .metrics = {"mean_absolute_error"}),
                     CJ_OK);
    for (int64_t t = 6; t <= 60; t += 54) {
        cj_dataset *data = cj_dataset(.x = {numbers(CJ_I32, CJ_SHAPE(10, t), 1)},
                                      .y = {numbers(CJ_F32, CJ_SHAPE(10, t, 2), 2)});
        cj_dataset *other = cj_dataset(.x = {numbers(CJ_I32, CJ_SHAPE(4, t / 2), 3)},
                                       .y = {numbers(CJ_F32, CJ_SHAPE(4, t / 2, 2), 4)});
        if (cj_fit(model, data, .epochs = 2, .batch_size = 4, .validation_data = other,
                   .verbose = CJ_SILENT) != CJ_OK ||
            cj_evaluate(model, other, &results) != CJ_OK)
            fail_msg("%s", cj_error());
        cj_release(results), cj_release(data), cj_release(other);
    }
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(cj_plan(model, .batch_size = 2, .training = true, .stream = stream), CJ_OK);
    assert_int_equal(cj_plan(model, .batch_size = 2, .rounds = 1, .stream = stream), CJ_OK);
    fclose(stream);
    cj_release(model);
}

static void what_cannot_be_free_is_named(void **state)
{
    (void)state;
    cj_error_clear();
    assert_null(cj_sequential(cj_input(CJ_ANY, 3), cj_flatten(), cj_dense(2)));
    assert_error_contains("dense: the input's last axis has 1152 entries, the layer was built for "
                          "768");
    assert_error_contains("free");
    cj_error_clear();
    assert_null(cj_input(-2, 3));
    assert_error_contains("shape");
    cj_model *model = sequences(CJ_ANY);
    cj_tensor *x = numbers(CJ_F32, CJ_SHAPE(2, 5, 4), 1), *y = NULL;
    assert_int_equal(cj_predict(model, x, &y), CJ_SHAPE_MISMATCH);
    assert_error_contains(
        "input 0 has shape (2, 5, 4), model \"sequential\" needs (None, None, 3)");
    cj_release(x), cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_are_those_of_fixed_lengths),
        cmocka_unit_test(shapes_say_what_is_free),
        cmocka_unit_test(training_goes_from_length_to_length),
        cmocka_unit_test(each_call_has_its_length),
        cmocka_unit_test(what_cannot_be_free_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
