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

// Trained for some steps; its predictions. `settings` has what varies; `unroll` is set here.
static cj_tensor *learned(const cj_simple_rnn_args *settings, bool unroll)
{
    cj_simple_rnn_args args = *settings;
    cj_tensor *x = NULL, *y = NULL;
    cj_dataset *data = sentences(&x);
    args.unroll = unroll;
    cj_layer *embedding = cj_embedding(WORDS, 5, .mask_zero = true, .name = "words",
                                       .embeddings_initializer = "random_normal(stddev=1)");
    cj_layer *rnn = cj_simple_rnn_new(&args);
    cj_model *model =
        args.return_sequences ?
            cj_sequential(
                cj_input(TIME, .batch_size = BATCH, .dtype = "int32"), embedding, rnn,
                cj_simple_rnn(4, .name = "second", .unroll = unroll, .go_backwards = true),
                cj_dense(1, .name = "out")) :
            cj_sequential(cj_input(TIME, .batch_size = BATCH, .dtype = "int32"), embedding, rnn,
                          cj_dense(1, .name = "out"));
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
    const cj_simple_rnn_args cases[] = {
        {CJ_SIMPLE_RNN_DEFAULTS, .units = UNITS, .name = "rnn"},
        {CJ_SIMPLE_RNN_DEFAULTS, .units = UNITS, .name = "rnn", .go_backwards = true},
        {CJ_SIMPLE_RNN_DEFAULTS, .units = UNITS, .name = "rnn", .return_sequences = true},
        {CJ_SIMPLE_RNN_DEFAULTS, .units = UNITS, .name = "rnn", .return_sequences = true,
         .go_backwards = true, .activation = "relu"},
        {CJ_SIMPLE_RNN_DEFAULTS, .units = UNITS, .name = "rnn", .dropout = 0.3,
         .recurrent_dropout = 0.2, .use_bias = false},
        {CJ_SIMPLE_RNN_DEFAULTS, .units = UNITS, .name = "rnn", .stateful = true,
         .recurrent_regularizer = "l2(0.01)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cj_tensor *steps = learned(&cases[i], true), *loop = learned(&cases[i], false);
        const float *a = cj_tensor_data(steps), *b = cj_tensor_data(loop);
        for (int k = 0; k < SAMPLES; k++)
            if (!support_near((double)b[k], (double)a[k], 2e-5, 2e-5))
                fail_msg("case %d: sample %d: %.8g as a loop, %.8g step by step", (int)i, k,
                         (double)b[k], (double)a[k]);
        cj_release(steps);
        cj_release(loop);
    }
}

static void a_loop_computes_the_bits_of_its_steps(void **state)
{
    (void)state;
    cj_tensor *x = NULL, *y[2] = {NULL, NULL};
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(3, TIME, 5), &x));
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i * 31 % 101) / 50 - 1;
    for (int unroll = 0; unroll < 2; unroll++) {
        cj_model *model = cj_sequential(
            cj_input(TIME, 5),
            cj_simple_rnn(UNITS, .name = "rnn", .return_sequences = true, .unroll = unroll != 0));
        assert_ok(cj_predict(model, x, &y[unroll]));
        cj_release(model);
    }
    assert_memory_equal(cj_tensor_data(y[0]), cj_tensor_data(y[1]),
                        (size_t)cj_tensor_count(y[0]) * sizeof(float));
    cj_release(x), cj_release(y[0]), cj_release(y[1]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_learns_what_its_steps_learn_one_by_one),
        cmocka_unit_test(a_loop_computes_the_bits_of_its_steps),
        cmocka_unit_test(a_very_long_sequence_is_built_and_run_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
