// More inputs, outputs and operands than fit into a small array: a model of 30 inputs and 25 outputs, a
// concatenation of 40, operators over 40 symbols; trained, saved, loaded, cloned, explained.
#include "problems.h"
#include <cajal/clone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 30, OUTPUTS = 25, BRANCHES = 40, SAMPLES = 12 };

static cj_tensor *numbers(int64_t columns, int period)
{
    float values[SAMPLES * 8];
    for (int i = 0; i < SAMPLES * (int)columns; i++)
        values[i] = (float)(i * 7 % period) / (float)period - 0.5f;
    return problem_tensor(CJ_SHAPE(SAMPLES, columns), values);
}

// 30 inputs of 2 -> concatenated -> dense 6 -> 25 outputs of 1 + i % 3.
static cj_model *wide_model(void)
{
    cj_symbol *x[INPUTS], *y[OUTPUTS];
    char name[16];
    for (int i = 0; i < INPUTS; i++) {
        snprintf(name, sizeof name, "in_%d", i);
        x[i] = cj_input_symbol(2, .name = name);
    }
    cj_symbol *h = cj_apply_list(cj_concatenate(), x, INPUTS);
    h = cj_apply(cj_dense(6, .activation = "tanh"), h);
    for (int i = 0; i < OUTPUTS; i++) {
        snprintf(name, sizeof name, "out_%d", i);
        y[i] = cj_apply(cj_dense(1 + i % 3, .name = name), h);
    }
    cj_model *model = cj_functional(.inputs_list = x, .inputs_count = INPUTS, .outputs_list = y,
                                    .outputs_count = OUTPUTS);
    if (!model)
        fail_msg("%s", cj_error());
    return model;
}

static cj_dataset *wide_data(void)
{
    cj_tensor *x[INPUTS], *y[OUTPUTS];
    for (int i = 0; i < INPUTS; i++)
        x[i] = numbers(2, 11 + i);
    for (int i = 0; i < OUTPUTS; i++)
        y[i] = numbers(1 + i % 3, 7 + i);
    cj_dataset *data = cj_dataset(.x_list = x, .x_count = INPUTS, .y_list = y, .y_count = OUTPUTS);
    if (!data)
        fail_msg("%s", cj_error());
    return data;
}

// Whether two models predict the same bits.
static void assert_same_predictions(cj_model *a, cj_model *b, cj_dataset *data)
{
    cj_tensor *of_a[OUTPUTS], *of_b[OUTPUTS];
    assert_ok(cj_predict_data(a, data, of_a));
    assert_ok(cj_predict_data(b, data, of_b));
    for (int i = 0; i < OUTPUTS; i++) {
        assert_int_equal(cj_tensor_count(of_a[i]), SAMPLES * (1 + i % 3));
        assert_memory_equal(cj_tensor_data(of_a[i]), cj_tensor_data(of_b[i]),
                            (size_t)cj_tensor_count(of_a[i]) * sizeof(float));
        cj_release(of_a[i]), cj_release(of_b[i]);
    }
}

static void write_for_keras(cj_model *model, const char *name)
{
    const char *folder = getenv("CAJAL_MANY_OUT");
    char path[512], *json = NULL;
    assert_ok(cj_model_to_json(model, &json));
    if (folder) {
        snprintf(path, sizeof path, "%s/%s.json", folder, name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(json, file);
        fclose(file);
    }
    cj_model *again = cj_model_from_json(json, strlen(json));
    if (!again)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_output_count(again), cj_model_output_count(model));
    cj_free(json);
    cj_release(again);
}

static void thirty_inputs_and_twenty_five_outputs(void **state)
{
    (void)state;
    cj_model *model = wide_model();
    cj_dataset *data = wide_data(), *slice = NULL;
    cj_results *before = NULL, *after = NULL;
    assert_ok(cj_compile(model, .optimizer = cj_adam(0.02), .loss = "mse", .metrics = {"mae"}));
    assert_ok(cj_evaluate(model, data, &before));
    assert_int_equal(cj_results_count(before), 1 + 2 * OUTPUTS);
    assert_ok(cj_fit(model, data, .epochs = 20, .batch_size = 4, .validation_data = data));
    assert_ok(cj_evaluate(model, data, &after));
    assert_true(cj_results_value(after, "loss") < 0.9 * cj_results_value(before, "loss"));
    assert_true(cj_results_value(after, "out_24_mae") > 0);
    assert_ok(cj_dataset_slice(data, 3, 5, &slice));
    assert_non_null(cj_dataset_x(slice, INPUTS - 1));
    assert_non_null(cj_dataset_y(slice, OUTPUTS - 1));
    assert_null(cj_dataset_y(slice, OUTPUTS));
    cj_release(before), cj_release(after), cj_release(data), cj_release(slice), cj_release(model);
}

static void they_are_saved_loaded_and_cloned(void **state)
{
    (void)state;
    static const char *const files[] = {"many.cajal", "many.safetensors"};
    cj_model *model = wide_model(), *clone = NULL;
    cj_dataset *data = wide_data();
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "mse"));
    assert_ok(cj_fit(model, data, .epochs = 1));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = support_path(files[i]);
        assert_ok(cj_save(model, path));
        cj_model *loaded = cj_load(path);
        if (!loaded)
            fail_msg("%s: %s", path, cj_error());
        assert_same_predictions(model, loaded, data);
        cj_release(loaded);
    }
    clone = cj_clone(model, .weights = true);
    assert_non_null(clone);
    assert_same_predictions(model, clone, data);
    write_for_keras(model, "wide");
    cj_release(clone), cj_release(data), cj_release(model);
}

static void they_are_explained_and_drawn(void **state)
{
    (void)state;
    cj_model *model = wide_model();
    cj_tensor *inputs[INPUTS];
    FILE *file = tmpfile();
    assert_non_null(file);
    for (int i = 0; i < INPUTS; i++)
        inputs[i] = problem_tensor(CJ_SHAPE(2), (const float[]){0.5f, (float)i});
    assert_ok(cj_explain(model, inputs, file, .layer = "concatenate"));
    assert_ok(cj_explain(model, inputs, file, .layer = "out_24"));
    const long explained = ftell(file);
    assert_true(explained > 1000);
    assert_ok(cj_model_plot(model, file));
    assert_ok(cj_model_summary(model, file));
    assert_true(ftell(file) > explained + 1000);
    fclose(file);
    for (int i = 0; i < INPUTS; i++)
        cj_release(inputs[i]);
    cj_release(model);
}

// A wide model as a layer of another one, and of TimeDistributed.
static void a_model_of_many_outputs_is_a_layer(void **state)
{
    (void)state;
    cj_model *inner = wide_model();
    cj_symbol *x[INPUTS], *y[OUTPUTS];
    for (int i = 0; i < INPUTS; i++)
        x[i] = cj_input_symbol(2);
    assert_ok(cj_apply_many(cj_model_layer(inner), x, INPUTS, y, OUTPUTS));
    cj_symbol *sum = cj_apply_list(cj_concatenate(), y, OUTPUTS);
    cj_model *model = cj_functional(.inputs_list = x, .inputs_count = INPUTS, .outputs = {sum});
    assert_non_null(model);
    assert_int_equal(cj_model_output_shape(model, 0)->dims[1], 49);
    write_for_keras(model, "nested");
    cj_release(model);
}

// As in DenseNet: each layer takes all layers before it.
static cj_model *dense_net(void)
{
    cj_symbol *all[BRANCHES] = {cj_input_symbol(3)};
    for (int i = 1; i < BRANCHES; i++) {
        cj_symbol *before = i == 1 ? all[0] : cj_apply_list(cj_concatenate(), all, i);
        all[i] = cj_apply(cj_dense(2, .activation = "relu"), before);
    }
    cj_symbol *y = cj_apply_list(cj_concatenate(), all, BRANCHES);
    return cj_functional(.inputs = {all[0]}, .outputs = {cj_apply(cj_dense(2), y)});
}

static void a_dense_net_concatenates_forty(void **state)
{
    (void)state;
    cj_model *model = dense_net();
    if (!model)
        fail_msg("%s", cj_error());
    cj_dataset *data = cj_dataset(.x = {numbers(3, 17)}, .y = {numbers(2, 5)});
    cj_history *history = NULL;
    assert_ok(cj_compile(model, .optimizer = cj_adam(0.01), .loss = "mse"));
    assert_ok(cj_fit(model, data, .epochs = 30, .history = &history));
    assert_true(cj_history_value(history, "loss", 29) < 0.8 * cj_history_value(history, "loss", 0));
    write_for_keras(model, "dense_net");
    cj_release(history), cj_release(data), cj_release(model);
}

// All that takes a list, between layers, so that it is written and read too.
static void operators_take_forty(void **state)
{
    (void)state;
    cj_symbol *x = cj_input_symbol(BRANCHES, 3), *parts[BRANCHES], *halves[BRANCHES],
              *conditions[BRANCHES], *merged[8];
    cj_layer *const layers[5] = {cj_add(), cj_multiply(), cj_average(), cj_maximum(), cj_minimum()};
    assert_ok(cj_op_unstack(x, 1, parts));
    for (int i = 0; i < 5; i++)
        merged[i] = cj_apply_list(layers[i], parts, BRANCHES);
    for (int i = 0; i < BRANCHES; i++)
        conditions[i] = cj_op_greater(parts[i], cj_op_multiply(parts[i], parts[0]));
    merged[5] = cj_op_select(conditions, parts, BRANCHES, 0.25);
    assert_ok(cj_op_split(x, BRANCHES, 1, halves));
    merged[6] = cj_op_reshape(cj_op_concatenate(halves, BRANCHES, 1), CJ_SHAPE(CJ_BATCH, 120));
    merged[7] = cj_op_reshape(cj_op_stack(parts, BRANCHES, 1), CJ_SHAPE(CJ_BATCH, 120));
    cj_model *model =
        cj_functional(.inputs = {x}, .outputs = {cj_apply_list(cj_concatenate(), merged, 8)});
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_output_shape(model, 0)->dims[1], 6 * 3 + 2 * 120);
    float values[BRANCHES * 3];
    for (int i = 0; i < BRANCHES * 3; i++)
        values[i] = 1 + (float)(i % 7) / 64;
    cj_tensor *given = problem_tensor(CJ_SHAPE(1, BRANCHES, 3), values), *made = NULL;
    assert_ok(cj_predict(model, given, &made));
    const float *y = cj_tensor_data(made);
    double sum = 0, least = 2;
    for (int i = 0; i < BRANCHES; i++) {
        sum += (double)values[3 * i];
        least = (double)values[3 * i] < least ? (double)values[3 * i] : least;
    }
    assert_near((double)y[0], sum, 1e-6, 1e-6);
    assert_near((double)y[6], sum / BRANCHES, 1e-6, 1e-6);
    assert_near((double)y[12], least, 0, 1e-7);
    assert_memory_equal(y + 18, values, sizeof values);
    assert_memory_equal(y + 138, values, sizeof values);
    write_for_keras(model, "operators");
    cj_release(made), cj_release(given), cj_release(model);
}

// What a wrong number is answered with.
static void wrong_numbers_have_their_sentence(void **state)
{
    (void)state;
    cj_model *model = wide_model();
    cj_tensor *x[INPUTS], *y[1] = {numbers(1, 5)};
    for (int i = 0; i < INPUTS - 1; i++)
        x[i] = numbers(2, 11);
    cj_dataset *data = cj_dataset(.x_list = x, .x_count = INPUTS - 1, .y_list = y, .y_count = 1);
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "mse"));
    assert_int_equal(cj_fit(model, data), CJ_SHAPE_MISMATCH);
    assert_error_contains("the data has 29 inputs");
    cj_release(data), cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_inputs_and_twenty_five_outputs),
        cmocka_unit_test(they_are_saved_loaded_and_cloned),
        cmocka_unit_test(they_are_explained_and_drawn),
        cmocka_unit_test(a_model_of_many_outputs_is_a_layer),
        cmocka_unit_test(a_dense_net_concatenates_forty),
        cmocka_unit_test(operators_take_forty),
        cmocka_unit_test(wrong_numbers_have_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
