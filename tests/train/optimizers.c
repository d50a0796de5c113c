// Three steps of each optimizer on one weight, against the formulas worked out here in double. The
// loss (w - 0)^2 of a linear unit fed with 1 has the gradient 2 w.
#include "problems.h"
#include "train/state.h"
#include <math.h>
#include <string.h>

static cj_model *unit(cj_optimizer *optimizer)
{
    cj_model *model =
        cj_sequential(cj_input(1), cj_dense(1, .use_bias = false, .kernel_initializer = "ones"));
    assert_ok(cj_compile(model, .optimizer = optimizer, .loss = "mse"));
    return model;
}

static double weight(const cj_model *model)
{
    return cj_tensor_get(cj_variable_value(cj_layer_variable(cj_model_layer(model), 0)),
                         (int64_t[]){0, 0});
}

// The weight after three steps.
static double after_three(cj_optimizer *optimizer)
{
    const float one[] = {1}, zero[] = {0};
    cj_model *model = unit(optimizer);
    cj_dataset *data = cj_dataset(.x = {problem_tensor(CJ_SHAPE(1, 1), one)},
                                  .y = {problem_tensor(CJ_SHAPE(1, 1), zero)});
    for (int i = 0; i < 3; i++)
        assert_ok(cj_train_on_batch(model, data, NULL));
    const double w = weight(model);
    cj_release(data);
    cj_release(model);
    return w;
}

static void sgd(void **state)
{
    (void)state;
    double plain = 1, w = 1, m = 0, n = 1, v = 0;
    for (int i = 0; i < 3; i++) {
        plain -= 0.1 * 2 * plain;
        m = 0.9 * m - 0.1 * 2 * w;
        w += m;
        const double g = 2 * n;
        v = 0.9 * v - 0.1 * g;
        n += 0.9 * v - 0.1 * g;
    }
    assert_near(after_three(cj_sgd(.learning_rate = 0.1)), plain, 1e-6, 0);
    assert_near(after_three(cj_sgd(.learning_rate = 0.1, .momentum = 0.9)), w, 1e-6, 0);
    assert_near(after_three(cj_sgd(.learning_rate = 0.1, .momentum = 0.9, .nesterov = true)), n,
                1e-6, 0);
}

static void adagrad_and_adadelta(void **state)
{
    (void)state;
    double w = 1, a = 0.1, u = 1, s = 0, d = 0;
    for (int i = 0; i < 3; i++) {
        a += 4 * w * w;
        w -= 0.1 * 2 * w / sqrt(a + 1e-7);
        const double g = 2 * u;
        s = 0.95 * s + 0.05 * g * g;
        const double step = -sqrt(d + 1e-7) / sqrt(s + 1e-7) * g;
        d = 0.95 * d + 0.05 * step * step;
        u += 1.0 * step;
    }
    assert_near(after_three(cj_adagrad(.learning_rate = 0.1)), w, 1e-6, 0);
    assert_near(after_three(cj_adadelta(.learning_rate = 1)), u, 1e-6, 0);
}

static void rmsprop(void **state)
{
    (void)state;
    double w = 1, v = 0, c = 1, cv = 0, cm = 0, mean = 0;
    for (int i = 0; i < 3; i++) {
        v = 0.9 * v + 0.1 * 4 * w * w;
        w -= 0.1 * 2 * w / sqrt(v + 1e-7);
        const double g = 2 * c;
        cv = 0.9 * cv + 0.1 * g * g;
        mean = 0.9 * mean + 0.1 * g;
        cm = 0.5 * cm + 0.1 * g / sqrt(cv - mean * mean + 1e-7);
        c -= cm;
    }
    assert_near(after_three(cj_rmsprop(.learning_rate = 0.1)), w, 1e-6, 0);
    assert_near(after_three(cj_rmsprop(.learning_rate = 0.1, .momentum = 0.5, .centered = true)), c,
                1e-5, 0);
}

static double adam_by_hand(double decay)
{
    double w = 1, m = 0, v = 0;
    for (int t = 1; t <= 3; t++) {
        // In float, as Keras computes it: 1 - 0.999^t cancels, and alpha is some 1e-5 off the exact
        // rate.
        const double g = 2 * w;
        const double alpha =
            (double)(0.1f * sqrtf(1 - powf(0.999f, (float)t)) / (1 - powf(0.9f, (float)t)));
        w -= 0.1 * decay * w;
        m += (g - m) * (1 - 0.9);
        v += (g * g - v) * (1 - 0.999);
        w -= alpha * m / (sqrt(v) + 1e-7);
    }
    return w;
}

static void adam_with_weight_decay(void **state)
{
    (void)state;
    assert_near(after_three(cj_adam(.learning_rate = 0.1)), adam_by_hand(0), 1e-6, 0);
    assert_near(after_three(cj_adam(.learning_rate = 0.1, .weight_decay = 0.5)), adam_by_hand(0.5),
                1e-6, 0);
    assert_near(after_three(cj_optimizer_from_spec("adam(learning_rate=0.1)")), adam_by_hand(0),
                1e-6, 0);
}

static void clipping(void **state)
{
    (void)state;
    assert_near(after_three(cj_sgd(.learning_rate = 0.1, .clipvalue = 0.5)), 0.85, 1e-6, 0);
    assert_near(after_three(cj_sgd(.learning_rate = 0.1, .clipnorm = 0.5)), 0.85, 1e-6, 0);
    assert_near(after_three(cj_sgd(.learning_rate = 0.1, .global_clipnorm = 0.5)), 0.85, 1e-6, 0);
    assert_near(after_three(cj_sgd(.learning_rate = 0.1, .clipnorm = 50)), 0.512, 1e-6, 0);
    assert_null(cj_sgd(.clipnorm = 1, .clipvalue = 1));
    assert_error_contains("only one of");
}

static void slots_are_in_keras_order(void **state)
{
    (void)state;
    const char *adam[] = {"optimizer/iterations",
                          "optimizer/learning_rate",
                          "optimizer/dense/kernel/momentum",
                          "optimizer/dense/kernel/velocity",
                          "optimizer/dense/bias/momentum",
                          "optimizer/dense/bias/velocity",
                          "optimizer/dense/kernel/velocity_hat",
                          "optimizer/dense/bias/velocity_hat"};
    const char *rms[] = {"optimizer/iterations",
                         "optimizer/learning_rate",
                         "optimizer/dense/kernel/velocity",
                         "optimizer/dense/bias/velocity",
                         "optimizer/dense/kernel/momentum",
                         "optimizer/dense/bias/momentum"};
    for (int kind = 0; kind < 2; kind++) {
        cj_model *model = cj_sequential(cj_input(2), cj_dense(1));
        assert_ok(
            cj_compile(model, .loss = "mse",
                       .optimizer = kind ? cj_rmsprop(.momentum = 0.1) : cj_adam(.amsgrad = true)));
        const cj__train_state *s = cj__state_of(model);
        assert_int_equal(cj__state_variable_count(s), kind ? 6 : 8);
        for (int i = 0; i < cj__state_variable_count(s); i++)
            assert_string_equal(cj_variable_name(cj__state_variable(s, i)), (kind ? rms : adam)[i]);
        cj_release(model);
    }
}

static void wrong_specs_are_answered_with_what_was_meant(void **state)
{
    (void)state;
    assert_null(cj_optimizer_from_spec("adem"));
    assert_error_contains("did you mean \"adam\"");
    assert_null(cj_optimizer_from_spec("sgd(momentun=0.9)"));
    assert_error_contains("did you mean \"momentum\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd),
        cmocka_unit_test(adagrad_and_adadelta),
        cmocka_unit_test(rmsprop),
        cmocka_unit_test(adam_with_weight_decay),
        cmocka_unit_test(clipping),
        cmocka_unit_test(slots_are_in_keras_order),
        cmocka_unit_test(wrong_specs_are_answered_with_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
