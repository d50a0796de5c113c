// Stateful layers carry their states from batch to batch. Values are those of Keras 3.15.1 when the
// model is called on one batch after the other (tests/parity/generator does not cover it: with JAX,
// Keras's own predict() drops the states).
#include "problems.h"

static cj_model *make(void)
{
    cj_model *model = cj_sequential(cj_input(3, 2, .batch_size = 2),
                                    cj_simple_rnn(2, .stateful = true, .kernel_initializer = "ones",
                                                  .recurrent_initializer = "zeros"),
                                    cj_dense(1, .kernel_initializer = "ones"));
    cj_layer *rnn = cj_model_layer_at(model, 0);
    cj_tensor *identity = problem_tensor(CJ_SHAPE(2, 2), (float[]){1, 0, 0, 1});
    assert_ok(cj_variable_assign(cj_layer_variable(rnn, 1), identity));
    cj_release(identity);
    return model;
}

// 24 numbers from -0.3 to 0.3, evenly spaced.
static cj_tensor *sequences(void)
{
    float x[24];
    for (int i = 0; i < 24; i++)
        x[i] = 0.3f * (float)(2 * i - 23) / 23;
    return problem_tensor(CJ_SHAPE(4, 3, 2), x);
}

static void assert_predicts(cj_model *model, cj_tensor *x, const float *expected)
{
    cj_tensor *y = NULL;
    assert_ok(cj_predict(model, x, &y, .batch_size = 2));
    assert_all_near((const float *)cj_tensor_data(y), expected, 4, 0, 1e-5);
    cj_release(y);
}

static void states_go_on_and_are_reset(void **state)
{
    (void)state;
    static const float keras[4] = {-1.6162751f, -0.83065146f, -0.36991608f, 1.4977786f};
    cj_model *model = make();
    cj_tensor *x = sequences(), *y = NULL;
    assert_predicts(model, x, keras);
    assert_ok(cj_predict(model, x, &y, .batch_size = 2));
    assert_true(((const float *)cj_tensor_data(y))[0] < keras[0] - 0.001f);
    cj_release(y);
    assert_ok(cj_reset_states(cj_model_layer(model)));
    assert_predicts(model, x, keras);
    assert_int_equal(cj_reset_states(NULL), CJ_INVALID_ARGUMENT);
    cj_release(x);
    cj_release(model);
}

static void states_are_no_parameters(void **state)
{
    (void)state;
    cj_model *model = make();
    assert_int_equal(cj_layer_variable_count(cj_model_layer(model)), 5);
    assert_int_equal(cj_layer_variable_count(cj_model_layer_at(model, 0)), 3);
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_go_on_and_are_reset),
        cmocka_unit_test(states_are_no_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
