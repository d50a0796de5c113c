// Schedules as learning rates: in specs and settings, logged, saved and resumed; those that Keras does
// not have; and their sentences.
#include "problems.h"

#include <math.h>
#include <string.h>

static double rate_of(const char *spec, int64_t step)
{
    double rate = 0;
    assert_ok(cj_schedule_rate(spec, step, &rate));
    return rate;
}

static cj_model *compiled(cj_optimizer *optimizer)
{
    cj_model *model = problem_model();
    assert_non_null(optimizer);
    assert_ok(cj_compile(model, .optimizer = optimizer, .loss = "sparse_categorical_crossentropy"));
    return model;
}

static void the_rate_of_the_next_step_is_told(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(32);
    cj_model *model = compiled(cj_sgd(.learning_rate_schedule = "exponential_decay(0.5, 1, 0.5)"));
    for (int step = 0; step < 4; step++) {
        assert_near(cj_learning_rate(model), 0.5 * pow(0.5, step), 1e-7, 0);
        assert_ok(cj_train_on_batch(model, data, NULL));
    }
    assert_int_equal(cj_set_learning_rate(model, 0.1), CJ_INVALID_ARGUMENT);
    assert_error_contains("takes its rate from the schedule exponential_decay");
    cj_release(model);
    cj_release(data);
}

static void a_spec_may_have_a_schedule_as_its_rate(void **state)
{
    (void)state;
    static const char *const specs[] = {"adam(learning_rate=cosine_decay(0.1, 10), beta_1=0.8)",
                                        "adam(cosine_decay(0.1, decay_steps=10), beta_1=0.8)",
                                        "Adam(learning_rate=\"CosineDecay(0.1, 10)\", beta_1=0.8)"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        cj_model *model = compiled(cj_optimizer_from_spec(specs[i]));
        assert_near(cj_learning_rate(model), 0.1, 1e-7, 0);
        cj_release(model);
    }
}

static void saved_and_resumed_runs_go_on_with_the_same_rates(void **state)
{
    (void)state;
    cj_dataset *data = problem_classes(64);
    cj_model *whole = compiled(cj_adam(.learning_rate_schedule = "cosine_decay(0.05, 16)"));
    cj_model *half = compiled(cj_adam(.learning_rate_schedule = "cosine_decay(0.05, 16)"));
    void *bytes = NULL;
    size_t size = 0;
    assert_ok(cj_fit(whole, data, .epochs = 4, .batch_size = 16, .verbose = 0));
    assert_ok(cj_fit(half, data, .epochs = 2, .batch_size = 16, .verbose = 0));
    assert_ok(cj_save_memory(half, &bytes, &size));
    cj_model *again = cj_load_memory(bytes, size);
    assert_non_null(again);
    assert_near(cj_learning_rate(again), rate_of("cosine_decay(0.05, 16)", 8), 0, 0);
    assert_ok(cj_fit(again, data, .epochs = 4, .batch_size = 16, .verbose = 0, .resume = true));
    assert_true(problem_same_weights(whole, again));
    cj_free(bytes);
    cj_release(whole);
    cj_release(half);
    cj_release(again);
    cj_release(data);
}

static void a_warm_up_goes_before_any_schedule(void **state)
{
    (void)state;
    const char *spec = "exponential_decay(0.8, 2, 0.5, linear_warmup_steps=4)";
    const double expected[] = {0, 0.2, 0.4, 0.6, 0.8, 0.8 * sqrt(0.5), 0.4};
    for (int step = 0; step < 7; step++)
        assert_near(rate_of(spec, step), expected[step], 1e-7, 0);
    spec = "constant_rate(0.8, linear_warmup_steps=2, linear_warmup_start=0.4)";
    assert_near(rate_of(spec, 1), 0.6, 1e-7, 0);
    assert_near(rate_of(spec, 100), 0.8, 1e-7, 0);
}

// The rates of PyTorch's OneCycleLR(max_lr=0.4, total_steps=20, pct_start=0.3, div_factor=25,
// final_div_factor=100), written down from torch.
static void one_cycle_is_pytorchs(void **state)
{
    (void)state;
    static const double expected[20] = {
        0.016,       0.0526687371, 0.148668737, 0.267331263,  0.363331263,  0.4,     0.394987588,
        0.380201696, 0.35638375,   0.324728081, 0.286822037,  0.244566385,  0.20008, 0.155593615,
        0.113337963, 0.0754319188, 0.04377625,  0.0199583039, 0.0051724118, 0.00016};
    for (int step = 0; step < 20; step++)
        assert_near(rate_of("one_cycle(0.4, 20, final_div_factor=100)", step), expected[step], 1e-7,
                    1e-6);
    assert_near(rate_of("one_cycle(0.4, 20, final_div_factor=100)", 50), expected[19], 1e-7, 1e-6);
}

static void wrong_schedules_are_answered_with_a_sentence(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"cosine_deca(0.1, 10)", "did you mean \"cosine_decay\""},
        {"cosine_decay(0.1)", "decay_steps is required"},
        {"cosine_decay(0.1, 0)", "decay_steps"},
        {"polynomial_decay(0.1, 10, powr=2)", "did you mean \"power\""},
        {"piecewise_constant_decay([1, 2], [1, 2])", "one value more"},
        {"piecewise_constant_decay([1, 2], [1, 2, x])", "a list of up to 8 numbers"},
        {"exponential_decay(-0.1, 10, 0.5)", "initial_learning_rate"},
        {"", "empty"},
    };
    double rate = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(cj_schedule_rate(rows[i][0], 0, &rate), CJ_INVALID_ARGUMENT);
        assert_error_contains(rows[i][1]);
    }
    assert_null(cj_optimizer_from_spec("sgd(learning_rate=fast)"));
    assert_error_contains("unknown schedule \"fast\"");
    assert_null(cj_sgd(.learning_rate_schedule = "cosine_decay(0.1)"));
    assert_error_contains("decay_steps is required");
    assert_int_equal(cj_schedule_rate(NULL, 0, &rate), CJ_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_of_the_next_step_is_told),
        cmocka_unit_test(a_spec_may_have_a_schedule_as_its_rate),
        cmocka_unit_test(saved_and_resumed_runs_go_on_with_the_same_rates),
        cmocka_unit_test(a_warm_up_goes_before_any_schedule),
        cmocka_unit_test(one_cycle_is_pytorchs),
        cmocka_unit_test(wrong_schedules_are_answered_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
