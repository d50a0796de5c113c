// Losses and metrics against values worked out here. The model under test is a linear layer with
// the identity for a kernel, so that its predictions are its inputs; a softmax or sigmoid after it
// shows the path through logits.
#include "problems.h"
#include <math.h>

// The loss or metric `name` of predictions p (2, 3) and targets.
static double value_of(const char *spec, bool metric, const char *activation, const float *p,
                       int64_t columns, cj_tensor *targets)
{
    cj_model *model = cj_sequential(cj_input(columns),
                                    cj_dense(columns, .use_bias = false, .activation = activation));
    float identity[9] = {0};
    for (int64_t i = 0; i < columns; i++)
        identity[i * columns + i] = 1;
    cj_tensor *kernel = problem_tensor(CJ_SHAPE(columns, columns), identity);
    assert_ok(cj_variable_assign(cj_layer_variable(cj_model_layer(model), 0), kernel));
    cj_dataset *data = cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, columns), p)}, .y = {targets});
    cj_results *results = NULL;
    assert_ok(cj_compile(model, .loss = metric ? "mse" : spec, .metrics = {metric ? spec : NULL}));
    assert_ok(cj_test_on_batch(model, data, &results));
    const double value = cj_results_value_at(results, metric ? 1 : 0);
    cj_release(results);
    cj_release(kernel), cj_release(data), cj_release(model);
    return value;
}

static cj_tensor *labels(uint8_t a, uint8_t b)
{
    cj_tensor *t = NULL;
    assert_ok(cj_tensor_from(CJ_U8, CJ_SHAPE(2), (uint8_t[]){a, b}, 2, &t));
    return t;
}

static cj_tensor *floats(int64_t columns, const float *values)
{
    return problem_tensor(CJ_SHAPE(2, columns), values);
}

static const float logits[] = {1, 2, 0.5f, -1, 0, 3};
static const float probabilities[] = {0.2f, 0.5f, 0.3f, 0.1f, 0.1f, 0.8f};
static const float one_hot[] = {0, 1, 0, 1, 0, 0};

// ln softmax of row r at column c of `logits`
static double log_softmax(int r, int c)
{
    double sum = 0;
    for (int j = 0; j < 3; j++)
        sum += exp((double)logits[3 * r + j]);
    return (double)logits[3 * r + c] - log(sum);
}

static void sparse_categorical(void **state)
{
    (void)state;
    const double expected = -(log_softmax(0, 1) + log_softmax(1, 0)) / 2;
    const char *plain = "sparse_categorical_crossentropy";
    assert_near(value_of(plain, false, "softmax", logits, 3, labels(1, 0)), expected, 1e-6, 1e-6);
    assert_near(value_of("sparse_categorical_crossentropy(from_logits=true)", false, NULL, logits,
                         3, labels(1, 0)),
                expected, 1e-6, 1e-6);
    assert_near(value_of(plain, false, NULL, probabilities, 3, labels(1, 0)),
                -(log(0.5) + log(0.1)) / 2, 1e-6, 1e-6);
    assert_near(
        value_of("SparseCategoricalCrossentropy", false, NULL, probabilities, 3, labels(1, 0)),
        -(log(0.5) + log(0.1)) / 2, 1e-6, 1e-6);
}

static void logits_save_saturated_outputs(void **state)
{
    (void)state;
    const float far[] = {100, 0, 0, 0, 100, 0};
    assert_near(value_of("sparse_categorical_crossentropy", false, "softmax", far, 3, labels(1, 0)),
                100, 1e-4, 0);
}

static void categorical(void **state)
{
    (void)state;
    const double expected = -(log_softmax(0, 1) + log_softmax(1, 0)) / 2;
    assert_near(
        value_of("categorical_crossentropy", false, "softmax", logits, 3, floats(3, one_hot)),
        expected, 1e-6, 1e-6);
    const float unscaled[] = {0.4f, 1, 0.6f, 0.2f, 0.2f, 1.6f}; // are divided by their sum
    assert_near(value_of("categorical_crossentropy", false, NULL, unscaled, 3, floats(3, one_hot)),
                -(log(0.5) + log(0.1)) / 2, 1e-6, 1e-6);
    double smooth = 0;
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 3; c++)
            smooth -= ((double)one_hot[3 * r + c] * 0.9 + 0.1 / 3) * log_softmax(r, c);
    assert_near(value_of("categorical_crossentropy(label_smoothing=0.1)", false, "softmax", logits,
                         3, floats(3, one_hot)),
                smooth / 2, 1e-6, 1e-6);
}

static void binary(void **state)
{
    (void)state;
    const float z[] = {0.5f, -2}, t[] = {1, 0}, p[] = {0.25f, 0};
    const double expected = (log(1 + exp(-0.5)) + log(1 + exp(-2))) / 2;
    assert_near(value_of("binary_crossentropy", false, "sigmoid", z, 1, floats(1, t)), expected,
                1e-6, 1e-6);
    assert_near(value_of("binary_crossentropy(from_logits=true)", false, NULL, z, 1, labels(1, 0)),
                expected, 1e-6, 1e-6);
    assert_near(value_of("binary_crossentropy", false, NULL, p, 1, floats(1, t)),
                (-log(0.25) - log(1 - 1e-7)) / 2, 1e-6, 1e-6);
    assert_near(
        value_of("binary_crossentropy(label_smoothing=0.2)", false, NULL, p, 1, floats(1, t)),
        (-0.9 * log(0.25) - 0.1 * log(0.75) - 0.1 * log(1e-7)) / 2, 1e-5, 1e-5);
}

static void distances_and_hinges(void **state)
{
    (void)state;
    const float p[] = {1, 2, 3, 0, -1, 4}, t[] = {0, 1, 0, 1, 0, 0},
                signs[] = {-1, 1, -1, 1, -1, -1};
    assert_near(value_of("mse", false, NULL, p, 3, floats(3, t)), (1 + 1 + 9 + 1 + 1 + 16) / 6.0,
                1e-6, 0);
    assert_near(value_of("MeanAbsoluteError", false, NULL, p, 3, floats(3, t)),
                (1 + 1 + 3 + 1 + 1 + 4) / 6.0, 1e-6, 0);
    const double hinge = (2 + 0 + 4 + 1 + 0 + 5) / 6.0;
    assert_near(value_of("hinge", false, NULL, p, 3, floats(3, signs)), hinge, 1e-6, 0);
    assert_near(value_of("hinge", false, NULL, p, 3, floats(3, t)), hinge, 1e-6, 0);
    assert_near(value_of("categorical_hinge", false, NULL, p, 3, floats(3, t)),
                ((3 - 2 + 1) + (4 - 0 + 1)) / 2.0, 1e-6, 0);
}

static void accuracy_is_what_the_shapes_say(void **state)
{
    (void)state;
    const float scores[] = {0.6f, 0.4f}, targets[] = {1, 1};
    assert_near(value_of("accuracy", true, NULL, probabilities, 3, floats(3, one_hot)), 0.5, 1e-7,
                0);
    assert_near(value_of("accuracy", true, NULL, scores, 1, labels(1, 1)), 0.5, 1e-7, 0);
    assert_near(
        value_of("binary_accuracy(threshold=0.3)", true, NULL, scores, 1, floats(1, targets)), 1,
        1e-7, 0);
    assert_near(value_of("categorical_accuracy", true, NULL, probabilities, 3, floats(3, one_hot)),
                0.5, 1e-7, 0);
    assert_near(value_of("top_k_categorical_accuracy(k=2)", true, NULL, probabilities, 3,
                         floats(3, one_hot)),
                1, 1e-7,
                0); // 0.1 is shared: no more than one score is greater
    assert_near(value_of("mae", true, NULL, probabilities, 3, floats(3, one_hot)),
                (0.2 + 0.5 + 0.3 + 0.9 + 0.1 + 0.8) / 6, 1e-6, 0);
}

// Labels for a softmax of three, whose loss takes them too.
static void sparse_metrics(void **state)
{
    (void)state;
    const char *names[] = {"accuracy", "sparse_categorical_accuracy",
                           "sparse_top_k_categorical_accuracy(k=2)"};
    const double expected[] = {0.5, 0.5, 0.5};
    const float scores[] = {1, 2, 3, 3, 2, 1};
    for (int i = 0; i < 3; i++) {
        cj_model *model = cj_sequential(cj_input(3), cj_activation("softmax"));
        cj_dataset *data =
            cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 3), scores)}, .y = {labels(0, 0)});
        cj_results *r = NULL;
        assert_ok(
            cj_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {names[i]}));
        assert_ok(cj_test_on_batch(model, data, &r));
        assert_near(cj_results_value_at(r, 1), expected[i], 1e-7, 0);
        cj_release(r);
        cj_release(model), cj_release(data);
    }
}

// Labels that are ignored need be no classes; others that are none are refused as ever.
static void ignored_labels_are_no_classes(void **state)
{
    (void)state;
    const char *spec = "sparse_categorical_crossentropy(from_logits=true, ignore_class=255)";
    assert_near(value_of(spec, false, NULL, logits, 3, labels(1, 255)), -log_softmax(0, 1), 1e-6,
                1e-6);
    assert_near(value_of(spec, false, NULL, logits, 3, labels(255, 255)), 0, 0, 0);
    cj_model *model = cj_sequential(cj_input(3), cj_activation("linear"));
    cj_dataset *data =
        cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 3), logits)}, .y = {labels(1, 254)});
    assert_ok(cj_compile(model, .loss = spec));
    assert_int_equal(cj_test_on_batch(model, data, NULL), CJ_INVALID_ARGUMENT);
    assert_error_contains("label 254 of sample 1 is outside 0..2");
    cj_release(data), cj_release(model);
}

// Keras's ln 0 is -1e5: what cannot be said in so few steps costs that much for each label too many.
static void ctc_of_labels_that_do_not_fit(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(cj_input(2, 3), cj_activation("linear"));
    cj_tensor *rows = NULL;
    cj_results *r = NULL;
    assert_ok(cj_tensor_from(CJ_I32, CJ_SHAPE(1, 3), (int32_t[]){1, 2, 1}, 3, &rows));
    cj_dataset *data = cj_dataset(.x = {problem_tensor(CJ_SHAPE(1, 2, 3), logits)}, .y = {rows});
    assert_ok(cj_compile(model, .loss = "CTC"));
    assert_ok(cj_test_on_batch(model, data, &r));
    assert_near(cj_results_value_at(r, 0), 1e5, 10, 0);
    cj_release(r), cj_release(data), cj_release(model);
}

static void expect_refused(const char *spec, cj_status status, const char *words)
{
    cj_model *model = cj_sequential(cj_input(3), cj_dense(3));
    assert_int_equal(cj_compile(model, .loss = spec), status);
    assert_error_contains(words);
    cj_release(model);
}

static void settings_of_losses_are_checked(void **state)
{
    (void)state;
    expect_refused("mse(reduction=none)", CJ_UNSUPPORTED, "reduction \"none\"");
    expect_refused("mse(reduction=average)", CJ_INVALID_ARGUMENT, "reduction");
    expect_refused("sparse_categorical_crossentropy(ignore_class=0.5)", CJ_INVALID_ARGUMENT,
                   "ignore_class 0.5 is no class");
    expect_refused("categorical_generalized_cross_entropy(q=1)", CJ_INVALID_ARGUMENT, "q must be");
    expect_refused("hubber", CJ_INVALID_ARGUMENT, "did you mean \"huber\"?");
}

// A model whose predictions have no such axis, or whose axis is that of the samples.
static void an_axis_that_is_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *words;
    } cases[] = {{"categorical_crossentropy(axis=2)", "is not there"},
                 {"dice(axis=-2)", "is that of the samples"},
                 {"cosine_similarity(axis=-3)", "is not there"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj_model *model = cj_sequential(cj_input(3), cj_dense(3));
        cj_dataset *data =
            cj_dataset(.x = {problem_tensor(CJ_SHAPE(2, 3), logits)}, .y = {floats(3, one_hot)});
        assert_ok(cj_compile(model, .loss = cases[i].spec));
        assert_int_equal(cj_test_on_batch(model, data, NULL), CJ_INVALID_ARGUMENT);
        assert_error_contains(cases[i].words);
        cj_release(data), cj_release(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparse_categorical),
        cmocka_unit_test(logits_save_saturated_outputs),
        cmocka_unit_test(categorical),
        cmocka_unit_test(binary),
        cmocka_unit_test(distances_and_hinges),
        cmocka_unit_test(accuracy_is_what_the_shapes_say),
        cmocka_unit_test(sparse_metrics),
        cmocka_unit_test(ignored_labels_are_no_classes),
        cmocka_unit_test(ctc_of_labels_that_do_not_fit),
        cmocka_unit_test(settings_of_losses_are_checked),
        cmocka_unit_test(an_axis_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
