// Batches that are each as long as their longest sample: they train, test and predict as batches
// that were cut by hand.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLES = 22, STEPS = 12, WORDS = 9, BATCH = 4 };

static int64_t length_of(int64_t sample)
{
    return 1 + sample * 7 % 11 % STEPS;
}

static int32_t word_of(int64_t sample, int64_t step)
{
    return step < length_of(sample) ? 1 + (int32_t)((sample * 5 + step * 3) % (WORDS - 1)) : 0;
}

static cj_status read_words(void *context, const cj_sample_read *s)
{
    const bool steps = context; // whether there is a target for each step
    for (int64_t t = 0; t < STEPS; t++) {
        ((int32_t *)s->x[0])[t] = word_of(s->index, t);
        if (steps)
            ((int32_t *)s->y[0])[t] = word_of(s->index, t) % 2;
    }
    if (!steps)
        *(int32_t *)s->y[0] = (int32_t)(s->index % 2);
    return CJ_OK;
}

static cj_dataset *words(bool steps)
{
    static char yes;
    cj_part target = {.dtype = CJ_I32};
    if (steps)
        target.shape = CJ_SHAPE(STEPS);
    cj_dataset *data =
        cj_dataset_from(.count = SAMPLES, .read = read_words, .context = steps ? &yes : NULL,
                        .x = {{CJ_I32, CJ_SHAPE(STEPS)}}, .y = {target});
    assert_non_null(data);
    return data;
}

static cj_model *made(int64_t length, bool steps)
{
    cj_model *model = cj_sequential(
        cj_input(length, .dtype = "int32"), cj_embedding(WORDS, 5, .mask_zero = !steps),
        cj_gru(6, .return_sequences = steps), cj_dense(2, .activation = "softmax"));
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(
        cj_compile(model, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}),
        CJ_OK);
    return model;
}

static void assert_same_weights(cj_model *a, cj_model *b)
{
    cj_layer *from = cj_model_layer(a), *to = cj_model_layer(b);
    for (int i = 0; i < cj_layer_variable_count(from); i++) {
        const cj_tensor *x = cj_variable_value(cj_layer_variable(from, i));
        const cj_tensor *y = cj_variable_value(cj_layer_variable(to, i));
        assert_memory_equal(cj_tensor_data(x), cj_tensor_data(y),
                            (size_t)cj_tensor_count(x) * cj_dtype_size(cj_tensor_dtype(x)));
    }
}

static int64_t steps_of(int64_t first, int64_t count, int64_t multiple)
{
    int64_t most = 1;
    for (int64_t i = first; i < first + count; i++)
        most = length_of(i) > most ? length_of(i) : most;
    most = (most + multiple - 1) / multiple * multiple;
    return most < STEPS ? most : STEPS;
}

// A batch cut by hand.
static cj_dataset *cut(int64_t first, int64_t count, int64_t length, bool steps)
{
    int32_t x[BATCH * STEPS], y[BATCH * STEPS];
    for (int64_t i = 0; i < count; i++)
        for (int64_t t = 0; t < length; t++) {
            x[i * length + t] = word_of(first + i, t);
            y[steps ? i * length + t : i] =
                (int32_t)(steps ? word_of(first + i, t) % 2 : (first + i) % 2);
        }
    cj_tensor *inputs, *targets;
    const cj_shape shape = CJ_SHAPE(count, length);
    assert_int_equal(cj_tensor_new(CJ_I32, shape, &inputs), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_I32, steps ? shape : CJ_SHAPE(count), &targets), CJ_OK);
    memcpy(cj_tensor_data(inputs), x, (size_t)(count * length) * sizeof *x);
    memcpy(cj_tensor_data(targets), y, (size_t)(steps ? count * length : count) * sizeof *y);
    cj_dataset *data = cj_dataset(.x = {inputs}, .y = {targets});
    assert_non_null(data);
    return data;
}

static void train_by_hand(cj_model *model, int64_t multiple, bool steps)
{
    for (int64_t first = 0; first < SAMPLES; first += BATCH) {
        const int64_t count = SAMPLES - first < BATCH ? SAMPLES - first : BATCH;
        cj_dataset *batch = cut(first, count, steps_of(first, count, multiple), steps);
        assert_int_equal(cj_train_on_batch(model, batch, NULL), CJ_OK);
        cj_release(batch);
    }
}

static void batches_train_at_their_own_lengths(void **state)
{
    (void)state;
    for (int steps = 0; steps < 2; steps++)
        for (int multiple = 1; multiple <= 5; multiple += 4) {
            cj_model *fitted = made(CJ_ANY, steps), *by_hand = made(CJ_ANY, steps);
            cj_dataset *data = cj_dataset_padded_batch(words(steps), BATCH, .y = {steps},
                                                       .pad_to_multiple = multiple);
            data = cj_take(cj_dataset_prefetch(data, .threads = 1 + 2 * steps));
            assert_non_null(data);
            for (int epoch = 0; epoch < 2; epoch++) {
                assert_int_equal(cj_fit(fitted, data, .epochs = epoch + 1, .initial_epoch = epoch,
                                        .verbose = CJ_SILENT),
                                 CJ_OK);
                train_by_hand(by_hand, multiple, steps);
            }
            assert_same_weights(fitted, by_hand);
            cj_release(fitted);
            cj_release(by_hand);
            cj_release(data);
        }
}

static void they_are_evaluated_and_predicted(void **state)
{
    (void)state;
    cj_model *model = made(CJ_ANY, false);
    cj_dataset *whole = cj_take(words(false));
    cj_dataset *data = cj_take(cj_dataset_padded_batch(whole, BATCH));
    cj_results *of_whole, *of_data;
    cj_tensor *from_whole, *from_data;
    assert_int_equal(
        cj_evaluate(model, whole, &of_whole, .batch_size = BATCH, .verbose = CJ_SILENT), CJ_OK);
    assert_int_equal(cj_evaluate(model, data, &of_data, .verbose = CJ_SILENT), CJ_OK);
    assert_near(cj_results_value(of_data, "loss"), cj_results_value(of_whole, "loss"), 1e-6, 0);
    assert_int_equal(cj_predict_data(model, whole, &from_whole, .batch_size = BATCH), CJ_OK);
    assert_int_equal(cj_predict_data(model, data, &from_data), CJ_OK);
    for (int i = 0; i < 2 * SAMPLES; i++) // masked steps change nothing
        assert_near(((float *)cj_tensor_data(from_data))[i],
                    ((float *)cj_tensor_data(from_whole))[i], 1e-6, 0);
    cj_release(of_whole);
    cj_release(of_data);
    cj_release(from_whole);
    cj_release(from_data);
    cj_release(model);
    cj_release(data);
    cj_release(whole);
}

static void assert_told(const char *what)
{
    if (!strstr(cj_error(), what))
        fail_msg("\"%s\" does not say \"%s\"", cj_error(), what);
    cj_error_clear();
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    cj_tensor *out;
    cj_dataset *whole = cj_take(words(true)), *plain = cj_take(words(false));
    cj_model *fixed = made(STEPS, false), *long_outputs = made(CJ_ANY, true);
    cj_dataset *data = cj_take(cj_dataset_padded_batch(plain, BATCH));
    assert_int_equal(cj_fit(fixed, data, .verbose = CJ_SILENT), CJ_SHAPE_MISMATCH);
    assert_told("cj_input(CJ_ANY");
    assert_int_equal(cj_predict_data(long_outputs, data, &out), CJ_SHAPE_MISMATCH);
    assert_told("as long as its batch");
    cj_release(data);
    assert_null(cj_dataset_padded_batch(whole, 0));
    assert_told("batches of 0");
    assert_null(cj_dataset_padded_batch(whole, 4, .pad_to_multiple = 0));
    assert_told("pad_to_multiple");
    assert_null(cj_dataset_padded_batch(plain, 4, .y = {true}));
    assert_told("target 0 is one number");
    assert_null(cj_dataset_padded_batch(plain, 4, .x = {true, true}));
    assert_told("input 1 does not exist");
    assert_null(cj_dataset_padded_batch(plain, 4, .x = {false}));
    assert_told("no input has steps");
    data = cj_take(cj_dataset_padded_batch(whole, BATCH, .y = {true}));
    assert_int_not_equal(cj_fit(long_outputs, data, .verbose = CJ_SILENT,
                                .class_weight = (const double[]){1, 2}, .class_count = 2),
                         CJ_OK);
    cj_error_clear();
    cj_release(data);
    cj_release(whole);
    cj_release(plain);
    cj_release(fixed);
    cj_release(long_outputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_train_at_their_own_lengths),
        cmocka_unit_test(they_are_evaluated_and_predicted),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
