// Recurrent layers whose plans take parts of the batch through all steps: the same bits for any
// number of threads, and what the whole batch gives.
#define _POSIX_C_SOURCE 200809L
#include "problems.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 80, BATCH = 40, TIME = 6, WORDS = 9, UNITS = 128 };

// Sequences of words with padding (0) after the words; and what to learn.
static cj_dataset *sentences(cj_tensor **words)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_I32, CJ_SHAPE(SAMPLES, TIME), &x));
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y));
    for (int i = 0; i < SAMPLES; i++) {
        int32_t *row = (int32_t *)cj_tensor_data(x) + i * TIME;
        for (int t = 0; t < TIME; t++)
            row[t] = t > 2 + i % TIME ? 0 : 1 + (7 * i + 5 * t * t) % (WORDS - 1);
        ((float *)cj_tensor_data(y))[i] = (float)(row[1] % 3) - 1;
    }
    *words = cj_retain(x);
    return cj_dataset(.x = {x}, .y = {y});
}

#define CASE(maker, made)        \
    static cj_layer *maker(void) \
    {                            \
        return made;             \
    }
CASE(lstm, cj_lstm(UNITS))
CASE(lstm_dropout, cj_lstm(UNITS, .dropout = 0.3, .recurrent_dropout = 0.2, .go_backwards = true))
CASE(gru, cj_gru(UNITS))
CASE(gru_before, cj_gru(UNITS, .reset_after = false))
CASE(both_ways, cj_bidirectional(cj_lstm(UNITS)))

static const struct {
    const char *name;
    cj_layer *(*make)(void);
    int cut; // loops that the plan of training cuts
} cases[] = {

    {"LSTM", lstm, 2},
    {"LSTM with dropout", lstm_dropout, 2},
    {"GRU", gru, 2},
    {"GRU, reset before", gru_before, 2},
    {"Bidirectional", both_ways, 4},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static cj_model *model_of(int index, int threads)
{
    cj_model *model =
        cj_sequential(cj_input(TIME, .dtype = "int32"), cj_embedding(WORDS, 16, .mask_zero = true),
                      cases[index].make(), cj_dense(1));
    assert_ok(cj_model_set_seed(model, 5));
    assert_ok(cj_compile(model, .optimizer = cj_sgd(.learning_rate = 0.05), .loss = "mse",
                         .pool = cj_pool_new(threads)));
    return model;
}

// Trained for some steps; its predictions.
static cj_tensor *learned(cj_model *model)
{
    cj_tensor *x = NULL, *y = NULL;
    cj_dataset *data = sentences(&x);
    assert_ok(cj_fit(model, data, .epochs = 2, .batch_size = BATCH, .verbose = 0));
    assert_ok(cj_predict(model, x, &y, .batch_size = BATCH));
    cj_release(data);
    cj_release(x);
    return y;
}

static void threads_change_no_bits(void **state)
{
    (void)state;
    static const int threads[] = {2, 16};
    for (int i = 0; i < CASES; i++) {
        cj_model *one = model_of(i, 1);
        cj_tensor *y = learned(one);
        for (int k = 0; k < 2; k++) {
            cj_model *several = model_of(i, threads[k]);
            cj_tensor *same = learned(several);
            if (!problem_same_weights(one, several) ||
                memcmp(cj_tensor_data(y), cj_tensor_data(same), SAMPLES * sizeof(float)) != 0)
                fail_msg("%s: other bits with %d threads", cases[i].name, threads[k]);
            cj_release(same);
            cj_release(several);
        }
        cj_release(y);
        cj_release(one);
    }
}

// Products of fewer rows may add in another order.
static void parts_give_what_the_batch_gives(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        cj_model *parts = model_of(i, 2);
        cj_tensor *y = learned(parts);
        assert_int_equal(setenv("CAJAL_PLAN", "-split_loop", 1), 0);
        cj_model *whole = model_of(i, 2);
        cj_tensor *expected = learned(whole);
        unsetenv("CAJAL_PLAN");
        for (int j = 0; j < SAMPLES; j++) {
            const double got = (double)((float *)cj_tensor_data(y))[j],
                         wanted = (double)((float *)cj_tensor_data(expected))[j];
            if (!(fabs(got - wanted) <= 1e-5))
                fail_msg("%s: %g, and %g as a whole", cases[i].name, got, wanted);
        }
        cj_release(y), cj_release(expected);
        cj_release(parts), cj_release(whole);
    }
}

static int cut_loops(cj_model *model, bool training)
{
    const char *path = support_path("split_loops.txt");
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_ok(
        cj_plan(model, .batch_size = BATCH, .training = training, .rounds = 2, .stream = stream));
    fclose(stream);
    size_t size = 0;
    char *bytes = support_read(path, &size), *text = calloc(size + 1, 1);
    int count = 0;
    memcpy(text, bytes, size);
    for (const char *c = text; (c = strstr(c, " steps")) != NULL; c++)
        count += strncmp(c, " steps, by 20", 13) == 0 || strncmp(c, " steps back, by 20", 18) == 0;
    free(bytes);
    free(text);
    return count;
}

static void masks_and_dropout_are_no_hindrance(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        cj_model *model = model_of(i, 2);
        const int cut = cut_loops(model, true);
        if (cut != cases[i].cut)
            fail_msg("%s: %d loops of training in parts", cases[i].name, cut);
        assert_int_equal(cut_loops(model, false), cases[i].cut / 2);
        cj_release(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_bits),
        cmocka_unit_test(parts_give_what_the_batch_gives),
        cmocka_unit_test(masks_and_dropout_are_no_hindrance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
