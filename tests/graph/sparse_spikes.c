// The pass sparse_spikes: convolutions that read the spikes of a loop leave out what is 0, with the bits
// of a plan without the pass; the gradient by the input behind a max pool adds in another order.
#define _POSIX_C_SOURCE 200809L
#include "fixture.h"

#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 6, SIZE = 12, STEPS = 3, ROUNDS = 3 };

// With a pool between the second convolution and its neurons, or not; neurons that rest or not.
static cj_model *network(bool pools, int64_t refractory)
{
    cj_layer *pool = pools ? cj_max_pooling2d() : cj_average_pooling2d();
    cj_model *model = cj_sequential(
        cj_input(SIZE, SIZE, 1), cj_conv2d(12, {3, 3}),
        cj_lif(0.5, .steps = STEPS, .threshold = 0.3, .refractory = refractory),
        cj_time_distributed(cj_conv2d(64, {5, 5}, .use_bias = refractory > 0)),
        cj_time_distributed(pool), cj_lif(0.5, .threshold = 0.2), cj_time_distributed(cj_flatten()),
        cj_dense(4), cj_lif(0.5, .output = "membrane"));
    assert_non_null(model);
    assert_int_equal(cj_model_set_seed(model, 5), CJ_OK);
    assert_int_equal(cj_model_reset_weights(model), CJ_OK);
    assert_int_equal(cj_compile(model, .optimizer = cj_sgd(0.1), .loss = "step_crossentropy"),
                     CJ_OK);
    return model;
}

static cj_dataset *batch(void)
{
    cj_tensor *x = fixture_tensor(CJ_SHAPE(BATCH, SIZE, SIZE, 1), NULL), *y;
    fixture_fill(x, 3);
    assert_int_equal(cj_tensor_new(CJ_I32, CJ_SHAPE(BATCH), &y), CJ_OK);
    for (int i = 0; i < BATCH; i++)
        ((int32_t *)cj_tensor_data(y))[i] = i % 4;
    cj_dataset *data = cj_dataset(.x = {x}, .y = {y});
    assert_non_null(data);
    return data;
}

// How often a plan of the training step has a word.
static int planned(cj_model *model, const char *word)
{
    char *text = NULL;
    size_t size;
    int count = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    assert_int_equal(cj_plan(model, .batch_size = BATCH, .training = true, .stream = stream),
                     CJ_OK);
    fclose(stream);
    for (const char *c = text; (c = strstr(c, word)) != NULL; c++)
        count++;
    free(text);
    return count;
}

typedef struct form {
    bool pools;
    int64_t refractory;
    int sparse; // calls that leave out what is 0
} form;

// The membranes of the last neurons after some steps of training.
static cj_tensor *trained(const form *f, const char *off, const char *threads)
{
    cj_tensor *y, *x = fixture_tensor(CJ_SHAPE(BATCH, SIZE, SIZE, 1), NULL);
    setenv("CAJAL_PLAN", off, 1);
    setenv("CAJAL_NUM_THREADS", threads, 1);
    cj_model *model = network(f->pools, f->refractory);
    cj_dataset *data = batch();
    assert_int_equal(planned(model, ", sparse"), off[0] == '\0' ? f->sparse : 0);
    for (int i = 0; i < ROUNDS; i++)
        assert_int_equal(cj_train_on_batch(model, data, NULL), CJ_OK);
    fixture_fill(x, 4);
    assert_int_equal(cj_predict(model, x, &y), CJ_OK);
    cj_release(x), cj_release(data), cj_release(model);
    unsetenv("CAJAL_PLAN");
    unsetenv("CAJAL_NUM_THREADS");
    return y;
}

static void bits_are_those_without_the_pass(void **state)
{
    (void)state;
    static const form forms[] = {{false, 0, 4}, {false, 1, 4}};
    for (int i = 0; i < 2; i++) {
        cj_tensor *dense = trained(&forms[i], "-sparse_spikes", "1");
        for (int threads = 1; threads <= 3; threads++) {
            char text[2] = {(char)('0' + threads), '\0'};
            cj_tensor *sparse = trained(&forms[i], "", text);
            fixture_expect_same(sparse, dense);
            cj_release(sparse);
        }
        cj_release(dense);
    }
}

static void behind_a_pool_gradients_are_near_and_the_same_for_any_threads(void **state)
{
    (void)state;
    const form f = {true, 0, 5};
    cj_tensor *dense = trained(&f, "-sparse_spikes", "1"), *one = trained(&f, "", "1");
    for (int64_t i = 0; i < cj_tensor_count(dense); i++)
        assert_true(fabs(fixture_get(one, i) - fixture_get(dense, i)) <= 1e-4);
    for (int threads = 2; threads <= 3; threads++) {
        char text[2] = {(char)('0' + threads), '\0'};
        cj_tensor *more = trained(&f, "", text);
        fixture_expect_same(more, one);
        cj_release(more);
    }
    cj_release(dense), cj_release(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_those_without_the_pass),
        cmocka_unit_test(behind_a_pool_gradients_are_near_and_the_same_for_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
