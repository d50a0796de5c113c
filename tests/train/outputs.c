// Outputs by name and by order in cj_compile(). Values and names are those of Keras 3.15.1 (JAX) on
// the same weights: tests/parity/make_outputs.py prints them.
#include "problems.h"
#include <cajal/clone.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static float number(int i, int period)
{
    return (float)(i * 7 % period) / (float)period - 0.5f;
}

static cj_tensor *numbers(cj_shape shape, int period)
{
    float values[64];
    for (int i = 0; i < (int)cj_shape_count(&shape); i++)
        values[i] = number(i, period);
    return problem_tensor(shape, values);
}

static void assign(const cj_model *model, const char *layer, int64_t columns, int period)
{
    cj_layer *at = cj_model_find_layer(model, layer);
    const int64_t rows = strcmp(layer, "h") == 0 ? 4 : 5;
    cj_tensor *kernel = numbers(CJ_SHAPE(rows, columns), period);
    assert_ok(cj_variable_assign(cj_layer_variable(at, 0), kernel));
    cj_release(kernel);
}

// 4 -> h, tanh 5 -> c, softmax 3; b, 1; a, 2.
static cj_model *three_outputs(void)
{
    cj_symbol *x = cj_input_symbol(4),
              *h = cj_apply(cj_dense(5, .activation = "tanh", .name = "h"), x);
    cj_symbol *a = cj_apply(cj_dense(2, .name = "a"), h),
              *b = cj_apply(cj_dense(1, .name = "b"), h),
              *c = cj_apply(cj_dense(3, .activation = "softmax", .name = "c"), h);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {c, b, a});
    assert_non_null(model);
    assign(model, "h", 5, 11), assign(model, "a", 2, 13), assign(model, "b", 1, 17);
    assign(model, "c", 3, 19);
    return model;
}

static cj_dataset *three_targets(bool weighted)
{
    static const float weights[6] = {0.25f, 0.5f, 1, 2, 0, 1.25f};
    cj_tensor *labels = NULL;
    assert_ok(cj_tensor_from(CJ_I32, CJ_SHAPE(6), (const int32_t[]){0, 1, 2, 0, 1, 2}, 6, &labels));
    return cj_dataset(.x = {numbers(CJ_SHAPE(6, 4), 23)},
                      .y = {labels, numbers(CJ_SHAPE(6, 1), 5), numbers(CJ_SHAPE(6, 2), 9)},
                      .sample_weight = weighted ? problem_tensor(CJ_SHAPE(6), weights) : NULL);
}

typedef struct expected {
    const char *name;
    double value, weighted; // without and with sample weights
} expected;

static void assert_results(cj_model *model, const expected *rows, int count)
{
    for (int weighted = 0; weighted < 2; weighted++) {
        cj_dataset *data = three_targets(weighted);
        cj_results *results = NULL;
        assert_ok(cj_evaluate(model, data, &results, .batch_size = 4));
        if (!rows)
            for (int i = 0; i < cj_results_count(results); i++)
                print_message("%s %.9g\n", cj_results_name(results, i),
                              cj_results_value_at(results, i));
        else
            assert_int_equal(cj_results_count(results), count);
        for (int i = 0; i < count; i++)
            assert_near(cj_results_value(results, rows[i].name),
                        weighted ? rows[i].weighted : rows[i].value, 1e-6, 1e-5);
        cj_release(results), cj_release(data);
    }
}

#include "outputs_keras.h"
#define COUNT(rows) (int)(sizeof(rows) / sizeof((rows)[0]))

static void outputs_by_name_are_those_of_keras(void **state)
{
    (void)state;
    cj_model *model = three_outputs();
    assert_ok(
        cj_compile(model, .optimizer = cj_sgd(),
                   CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse", .loss_weight = 0.5,
                                        .metrics = {"mae", "mse"}, .weighted_metrics = {"mae"}),
                              CJ_OUTPUT("b", .loss = "mae", .weighted_metrics = {"mse"}),
                              CJ_OUTPUT("c", .loss = "sparse_categorical_crossentropy",
                                        .loss_weight = 2, .metrics = {"accuracy"}))));
    assert_results(model, by_name, COUNT(by_name));
    assert_string_equal(cj_model_loss(model, 0), "sparse_categorical_crossentropy");
    assert_string_equal(cj_model_loss(model, 2), "mse");
    cj_release(model);
}

static void outputs_by_order_are_those_of_keras(void **state)
{
    (void)state;
    cj_model *model = three_outputs();
    const cj_output_metrics metrics[3] = {{.metrics = {"accuracy"}},
                                          {.metrics = {NULL}},
                                          {.metrics = {"mae", "mse"}}},
                            weighted[3] = {
                                {.metrics = {NULL}}, {.metrics = {"mse"}}, {.metrics = {"mae"}}};
    assert_ok(cj_compile(
        model, .optimizer = cj_sgd(), .losses = {"sparse_categorical_crossentropy", "mae", "mse"},
        .loss_weights = {2, 1, 0.5}, .output_metrics = metrics, .output_metrics_count = 3,
        .output_weighted_metrics = weighted, .output_weighted_metrics_count = 3));
    assert_results(model, by_name, COUNT(by_name));
    cj_release(model);
}

static void an_output_without_a_loss_is_left_out(void **state)
{
    (void)state;
    cj_model *model = three_outputs();
    assert_ok(cj_compile(model, .optimizer = cj_sgd(),
                         CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse"),
                                    CJ_OUTPUT("c", .loss = "sparse_categorical_crossentropy"))));
    assert_results(model, without_b, COUNT(without_b));
    assert_null(cj_model_loss(model, 1));
    cj_release(model);
}

static void what_all_outputs_have_stands_beside(void **state)
{
    (void)state;
    cj_model *model = three_outputs();
    cj_dataset *data = three_targets(false);
    cj_results *results = NULL;
    assert_ok(cj_compile(model, .loss = "mse", .metrics = {"mae"},
                         CJ_OUTPUTS(CJ_OUTPUT("c", .loss = "sparse_categorical_crossentropy",
                                              .metrics = {"accuracy"}))));
    assert_ok(cj_evaluate(model, data, &results));
    static const char *const names[] = {"loss",       "c_loss", "b_loss", "a_loss",
                                        "c_accuracy", "b_mae",  "a_mae"};
    assert_int_equal(cj_results_count(results), 7);
    for (int i = 0; i < 7; i++)
        assert_string_equal(cj_results_name(results, i), names[i]);
    cj_release(results), cj_release(data), cj_release(model);
}

static void settings_of_outputs_come_back(void **state)
{
    (void)state;
    void *bytes = NULL;
    size_t size = 0;
    cj_model *model = three_outputs();
    assert_ok(
        cj_compile(model, .optimizer = cj_sgd(),
                   CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse", .loss_weight = 0.5,
                                        .metrics = {"mae", "mse"}, .weighted_metrics = {"mae"}),
                              CJ_OUTPUT("b", .loss = "mae", .weighted_metrics = {"mse"}),
                              CJ_OUTPUT("c", .loss = "sparse_categorical_crossentropy",
                                        .loss_weight = 2, .metrics = {"accuracy"}))));
    assert_ok(cj_save_memory(model, &bytes, &size));
    cj_model *loaded = cj_load_memory(bytes, size),
             *cloned = cj_clone(model, .compile = true, .weights = true);
    cj_free(bytes);
    assert_non_null(loaded);
    assert_non_null(cloned);
    assert_results(loaded, by_name, COUNT(by_name));
    assert_results(cloned, by_name, COUNT(by_name));
    cj_release(model), cj_release(loaded), cj_release(cloned);
}

static void refused(cj_model *model, cj_status status, const char *part)
{
    (void)model;
    assert_int_equal(status, CJ_INVALID_ARGUMENT);
    assert_error_contains(part);
}

static void mistakes_get_their_sentences(void **state)
{
    (void)state;
    cj_model *m = three_outputs();
    refused(m, cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT("aa", .loss = "mse"))), "unknown output \"aa\"");
    refused(m, cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT(NULL, .loss = "mse"))), "entry 0 of outputs");
    refused(m, cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse"), CJ_OUTPUT("a"))), "twice");
    refused(m, cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "msee"))), "did you mean");
    refused(m, cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse", .metrics = {"maee"}))),
            "unknown metric");
    refused(m,
            cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse", .weighted_metrics = {"maee"}))),
            "unknown metric");
    refused(m, cj_compile(m, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse", .loss_weight = NAN))),
            "not finite");
    refused(m, cj_compile(m, .losses = {"mse"}, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse"))),
            "losses by order");
    refused(m, cj_compile(m, .loss_weights = {1}, CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse"))),
            "loss_weights by order");
    refused(m, cj_compile(m, .loss = "mse", .outputs_count = 1), "outputs_count is 1");
    refused(m, cj_compile(m, .loss = "mse", .output_weighted_metrics_count = 1),
            "output_weighted_metrics");
    const cj_output_metrics four[4] = {{.metrics = {"mae"}}};
    refused(m,
            cj_compile(m, .loss = "mse", .output_weighted_metrics = four,
                       .output_weighted_metrics_count = 4),
            "for 4 outputs");
    cj_release(m);
    // two outputs of one layer have one name
    cj_symbol *x = cj_input_symbol(4), *y = cj_input_symbol(4);
    cj_layer *shared = cj_dense(2, .name = "d");
    cj_model *twins =
        cj_functional(.inputs = {x, y}, .outputs = {cj_apply(shared, x), cj_apply(shared, y)});
    refused(twins, cj_compile(twins, CJ_OUTPUTS(CJ_OUTPUT("d", .loss = "mse"))), "by order");
    cj_release(twins);
}

static void a_model_that_is_not_built_has_one_output(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(16);
    cj_model *model =
        cj_sequential(cj_dense(4, .activation = "relu"), cj_dense(3, .name = "scores"));
    assert_ok(cj_compile(model, .optimizer = cj_sgd(),
                         CJ_OUTPUTS(CJ_OUTPUT("scores",
                                              .loss = "sparse_categorical_crossentropy("
                                                      "from_logits=true)",
                                              .metrics = {"accuracy"}))));
    cj_history *history = NULL;
    assert_ok(cj_fit(model, data, .history = &history));
    assert_int_equal(cj_history_names(history), 2);
    assert_string_equal(cj_history_name(history, 1), "accuracy");
    assert_int_equal(cj_compile(model, CJ_OUTPUTS(CJ_OUTPUT("score", .loss = "mse"))),
                     CJ_INVALID_ARGUMENT);
    assert_error_contains("did you mean \"scores\"");
    cj_release(history), cj_release(model), cj_release(data);
}

// Each of 1,022 metrics is a value of its own, in training, validation and evaluation, and in a file.
static void a_log_has_many_values(void **state)
{
    (void)state;
    enum { METRICS = 1022 };
    static char specs[METRICS + 1][40];
    static const char *list[METRICS + 1];
    for (int i = 0; i <= METRICS; i++) {
        snprintf(specs[i], sizeof specs[i], "top_k_categorical_accuracy(k=%d)", i % 3 + 1);
        list[i] = specs[i];
    }
    cj_symbol *x = cj_input_symbol(4);
    cj_model *model = cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(3), x)});
    cj_dataset *data =
        cj_dataset(.x = {numbers(CJ_SHAPE(6, 4), 23)}, .y = {numbers(CJ_SHAPE(6, 3), 5)});
    assert_int_equal(
        cj_compile(model, .loss = "mse", .metrics_list = list, .metrics_count = METRICS + 1),
        CJ_INVALID_ARGUMENT);
    assert_error_contains("1025 losses and metrics, at most 1024");
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "mse", .metrics_list = list,
                         .metrics_count = METRICS));
    cj_history *history = NULL;
    assert_ok(cj_fit(model, data, .validation_data = data, .history = &history, .epochs = 2));
    assert_int_equal(cj_history_names(history), 2 * (METRICS + 1));
    assert_near(cj_history_value(history, "top_k_categorical_accuracy_1020", 1),
                cj_history_value(history, "top_k_categorical_accuracy_3", 1), 0, 0);
    void *bytes = NULL;
    size_t size = 0;
    assert_ok(cj_save_memory(model, &bytes, &size));
    cj_model *loaded = cj_load_memory(bytes, size);
    assert_non_null(loaded);
    assert_ok(cj_fit(loaded, data, .epochs = 3, .batch_size = 32, .resume = true));
    cj_free(bytes), cj_release(history), cj_release(loaded), cj_release(model), cj_release(data);
}

static cj_status compile_once(void *context)
{
    (void)context;
    cj_symbol *x = cj_input_symbol(3);
    cj_model *model =
        cj_functional(.inputs = {x}, .outputs = {cj_apply(cj_dense(2, .name = "a"), x),
                                                 cj_apply(cj_dense(1, .name = "b"), x)});
    cj_status status =
        cj_compile(model, .optimizer = cj_sgd(),
                   CJ_OUTPUTS(CJ_OUTPUT("a", .loss = "mse", .metrics = {"mae"}),
                              CJ_OUTPUT("b", .loss = "mae", .weighted_metrics = {"mse"})));
    cj_release(model);
    return status;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    support_fail_each_allocation(compile_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_by_name_are_those_of_keras),
        cmocka_unit_test(outputs_by_order_are_those_of_keras),
        cmocka_unit_test(an_output_without_a_loss_is_left_out),
        cmocka_unit_test(what_all_outputs_have_stands_beside),
        cmocka_unit_test(settings_of_outputs_come_back),
        cmocka_unit_test(mistakes_get_their_sentences),
        cmocka_unit_test(a_model_that_is_not_built_has_one_output),
        cmocka_unit_test(a_log_has_many_values),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
