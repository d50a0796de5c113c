// Recurrent layers: a long sequence is a loop in the plan, and gives what its steps give one by one.
#include "problems.h"

enum { SAMPLES = 12, BATCH = 4, TIME = 50, WORDS = 9, UNITS = 6 };

// Sequences of words with padding (0) after, and for some before, the words; and what to learn.
static cj_dataset *sentences(cj_tensor **words)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_I32, CJ_SHAPE(SAMPLES, TIME), &x));
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y));
    for (int i = 0; i < SAMPLES; i++) {
        int32_t *row = (int32_t *)cj_tensor_data(x) + i * TIME;
        for (int t = 0; t < TIME; t++)
            row[t] = t < i % 3 || t > TIME - 2 * i ? 0 : 1 + (7 * i + 5 * t * t) % (WORDS - 1);
        ((float *)cj_tensor_data(y))[i] = (float)(row[20] % 3) - 1;
    }
    *words = cj_retain(x);
    return cj_dataset(.x = {x}, .y = {y});
}

// ---- Layers to be compared, unrolled or not ----

#define CASE(maker, kind, ...)                                                         \
    static cj_layer *maker(bool unrolled)                                              \
    {                                                                                  \
        return cj_##kind(UNITS, .name = "recurrent", .unroll = unrolled, __VA_ARGS__); \
    }
CASE(rnn, simple_rnn, .use_bias = true)
CASE(rnn_backwards, simple_rnn, .go_backwards = true)
CASE(rnn_dropout, simple_rnn, .dropout = 0.3, .recurrent_dropout = 0.2, .use_bias = false)
CASE(rnn_stateful, simple_rnn, .stateful = true, .recurrent_regularizer = "l2(0.01)")
CASE(lstm, lstm, .use_bias = true)
CASE(lstm_backwards, lstm, .go_backwards = true)
CASE(lstm_dropout, lstm, .dropout = 0.3, .recurrent_dropout = 0.2)
CASE(lstm_inputs_dropped, lstm, .dropout = 0.3)
CASE(lstm_stateful, lstm, .stateful = true, .activation = "softsign")
CASE(gru, gru, .bias_initializer = "random_normal")
CASE(gru_before, gru, .reset_after = false, .go_backwards = true)
CASE(gru_dropout, gru, .dropout = 0.3, .recurrent_dropout = 0.2)
CASE(gru_before_dropout, gru, .recurrent_dropout = 0.2, .reset_after = false)
CASE(gru_stateful, gru, .stateful = true)

// Trained for some steps; its predictions.
static cj_tensor *learned(cj_layer *(*make)(bool unrolled), bool unrolled)
{
    cj_tensor *x = NULL, *y = NULL;
    cj_dataset *data = sentences(&x);
    cj_model *model =
        cj_sequential(cj_input(TIME, .batch_size = BATCH, .dtype = "int32"),
                      cj_embedding(WORDS, 5, .mask_zero = true, .name = "words",
                                   .embeddings_initializer = "random_normal(stddev=1)"),
                      make(unrolled), cj_dense(1, .name = "out"));
    assert_ok(cj_compile(model, .optimizer = cj_sgd(.learning_rate = 0.05), .loss = "mse"));
    assert_ok(
        cj_fit(model, data, .epochs = 3, .batch_size = BATCH, .verbose = 0, .shuffle = false));
    assert_ok(cj_predict(model, x, &y, .batch_size = BATCH));
    cj_release(data);
    cj_release(x);
    cj_release(model);
    return y;
}

static void a_loop_learns_what_its_steps_learn_one_by_one(void **state)
{
    (void)state;
    static cj_layer *(*const cases[])(bool unrolled) = {
        rnn,
        rnn_backwards,
        rnn_dropout,
        rnn_stateful,
        lstm,
        lstm_backwards,
        lstm_dropout,
        lstm_inputs_dropped,
        lstm_stateful,
        gru,
        gru_before,
        gru_dropout,
        gru_before_dropout,
        gru_stateful,
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj_tensor *steps = learned(cases[i], true), *loop = learned(cases[i], false);
        const float *a = cj_tensor_data(steps), *b = cj_tensor_data(loop);
        for (int k = 0; k < SAMPLES; k++)
            if (!support_near((double)b[k], (double)a[k], 2e-5, 2e-5))
                fail_msg("case %d: sample %d: %.8g as a loop, %.8g step by step", (int)i, k,
                         (double)b[k], (double)a[k]);
        cj_release(steps);
        cj_release(loop);
    }
}

// Three layers on one another, in both directions, with all their outputs.
static cj_tensor *stacked(cj_tensor *x, bool unrolled)
{
    cj_tensor *y = NULL;
    cj_model *model = cj_sequential(
        cj_input(TIME, 5),
        cj_simple_rnn(UNITS, .name = "a", .return_sequences = true, .unroll = unrolled),
        cj_lstm(UNITS, .name = "b", .return_sequences = true, .go_backwards = true,
                .unroll = unrolled),
        cj_gru(UNITS, .name = "c", .return_sequences = true, .unroll = unrolled));
    assert_ok(cj_predict(model, x, &y));
    cj_release(model);
    return y;
}

static void a_loop_computes_the_bits_of_its_steps(void **state)
{
    (void)state;
    cj_tensor *x = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(3, TIME, 5), &x));
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i * 31 % 101) / 50 - 1;
    cj_tensor *loop = stacked(x, false), *steps = stacked(x, true);
    assert_memory_equal(cj_tensor_data(loop), cj_tensor_data(steps),
                        (size_t)cj_tensor_count(loop) * sizeof(float));
    cj_release(x), cj_release(loop), cj_release(steps);
}

// A million steps: before there were loops, making the model took minutes.
static void a_very_long_sequence_is_built_and_run_at_once(void **state)
{
    (void)state;
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(1, 1 << 20, 1), &x));
    cj_model *model = cj_sequential(cj_input(1 << 20, 1), cj_simple_rnn(2));
    assert_ok(cj_predict(model, x, &y));
    assert_near((double)((const float *)cj_tensor_data(y))[0], 0, 0, 0);
    cj_release(x);
    cj_release(y);
    cj_release(model);
}

static void the_forget_gate_begins_open(void **state)
{
    (void)state;
    const float expected[2][8] = {{0, 0, 1, 1, 0, 0, 0, 0}, {0}};
    cj_model *model = cj_sequential(cj_input(3, 2), cj_lstm(2, .return_sequences = true),
                                    cj_lstm(2, .unit_forget_bias = false));
    assert_ok(cj_model_set_seed(model, 3)); // all weights are drawn anew
    for (int i = 0; i < 2; i++) {
        const cj_variable *bias = cj_layer_variable(cj_model_layer_at(model, i), 2);
        assert_memory_equal(cj_tensor_data(cj_variable_value(bias)), expected[i],
                            sizeof expected[i]);
    }
    cj_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_learns_what_its_steps_learn_one_by_one),
        cmocka_unit_test(a_loop_computes_the_bits_of_its_steps),
        cmocka_unit_test(a_very_long_sequence_is_built_and_run_at_once),
        cmocka_unit_test(the_forget_gate_begins_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
