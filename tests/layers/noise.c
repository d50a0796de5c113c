// What noise and dropout layers draw in training: their moments, their distribution (Kolmogorov and
// Smirnov), whole channels, the same numbers for the same seed and step.
#include "layers/helpers.h"

#include <cajal/regularization.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40000 };

// A layer in training on ones, or on a constant, of this shape.
static cj_tensor *drawn(cj_layer *layer, cj_shape shape, float value, int64_t step)
{
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, shape, &x), CJ_OK);
    cj_tensor_fill(x, (double)value);
    cj_tensor *y = helper_run(layer, &x, 1, 0, true, step);
    cj_release(x);
    return y;
}

static void moments_of(const cj_tensor *y, double *mean, double *variance)
{
    const float *numbers = helper_floats(y);
    const int64_t count = cj_tensor_count(y);
    *mean = *variance = 0;
    for (int64_t i = 0; i < count; i++)
        *mean += (double)numbers[i] / (double)count;
    for (int64_t i = 0; i < count; i++)
        *variance += pow((double)numbers[i] - *mean, 2) / (double)count;
}

static int by_size(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// The greatest distance between the distribution of the numbers and the normal one, times the root of
// their count: above 1.95 once in a thousand draws.
static double distance_from_normal(const cj_tensor *y, double mean, double deviation)
{
    const int64_t count = cj_tensor_count(y);
    float *sorted = malloc((size_t)count * sizeof *sorted);
    double worst = 0;
    assert_non_null(sorted);
    memcpy(sorted, helper_floats(y), (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_size);
    for (int64_t i = 0; i < count; i++) {
        const double share = 0.5 * erfc(-((double)sorted[i] - mean) / deviation / sqrt(2.0));
        worst = fmax(worst, fabs(share - (double)i / (double)count));
        worst = fmax(worst, fabs(share - (double)(i + 1) / (double)count));
    }
    free(sorted);
    return worst * sqrt((double)count);
}

// The means of N numbers are within 5 deviations of the mean.
static void gaussian_layers_draw_normal_numbers(void **state)
{
    (void)state;
    cj_layer *noise = cj_gaussian_noise(0.7, .seed = 5),
             *dropout = cj_gaussian_dropout(0.2, .seed = 6);
    cj_tensor *y = drawn(noise, CJ_SHAPE(N / 100, 100), 2, 3);
    double mean, variance;
    moments_of(y, &mean, &variance);
    assert_true(fabs(mean - 2) < 5 * 0.7 / sqrt(N));
    assert_true(fabs(variance - 0.49) < 5 * 0.49 * sqrt(2.0 / N));
    assert_true(distance_from_normal(y, 2, 0.7) < 1.95);
    cj_release(y);
    y = drawn(dropout, CJ_SHAPE(N / 100, 100), 3, 3); // 3 z, z around 1 with deviation 1/2
    moments_of(y, &mean, &variance);
    assert_true(fabs(mean - 3) < 5 * 1.5 / sqrt(N));
    assert_true(fabs(variance - 2.25) < 5 * 2.25 * sqrt(2.0 / N));
    assert_true(distance_from_normal(y, 3, 1.5) < 1.95);
    cj_release(y), cj_release(noise), cj_release(dropout);
}

static void alpha_dropout_keeps_mean_and_variance(void **state)
{
    (void)state;
    const double rate = 0.3, p = -1.0507009873554805 * 1.6732632423543772,
                 a = 1 / sqrt((1 - rate) * (1 + rate * p * p));
    cj_layer *layer = cj_alpha_dropout(rate, .seed = 4);
    cj_tensor *y = drawn(layer, CJ_SHAPE(N / 100, 100), 1, 2);
    int dropped = 0;
    for (int i = 0; i < N; i++) {
        const double v = (double)helper_floats(y)[i], low = a * p - a * p * rate,
                     high = a - a * p * rate;
        assert_true(fabs(v - low) < 1e-5 || fabs(v - high) < 1e-5);
        dropped += fabs(v - low) < 1e-5;
    }
    assert_true(fabs((double)dropped / N - rate) < 5 * sqrt(rate * (1 - rate) / N));
    cj_release(y);
    cj_tensor *x = helper_tensor(CJ_F32, CJ_SHAPE(1), (double[]){0}), *normal;
    cj_release(x);
    cj_layer *noise = cj_gaussian_noise(1, .seed = 9);
    normal = drawn(noise, CJ_SHAPE(N / 100, 100), 0, 1); // mean 0, variance 1, and so it stays
    y = helper_run(layer, &normal, 1, 0, true, 7);
    double mean, variance;
    moments_of(y, &mean, &variance);
    assert_true(fabs(mean) < 6 / sqrt(N));
    assert_true(fabs(variance - 1) < 0.05);
    cj_release(y), cj_release(normal), cj_release(layer), cj_release(noise);
}

static void noise_shape_shares_what_is_drawn(void **state)
{
    (void)state;
    cj_layer *layer = cj_alpha_dropout(0.5, .noise_shape = {-1, 1, 8});
    cj_tensor *y = drawn(layer, CJ_SHAPE(6, 5, 8), 1, 2);
    const float *v = helper_floats(y);
    for (int i = 0; i < 6; i++)
        for (int j = 1; j < 5; j++)
            assert_memory_equal(v + i * 40, v + i * 40 + j * 8, 8 * sizeof *v);
    cj_release(y), cj_release(layer);
}

static void spatial_dropout_drops_whole_channels(void **state)
{
    (void)state;
    cj_layer *layer = cj_spatial_dropout2d(0.25, .seed = 3);
    cj_tensor *y = drawn(layer, CJ_SHAPE(200, 3, 4, 16), 3, 5);
    const float *v = helper_floats(y);
    int dropped = 0;
    for (int i = 0; i < 200; i++)
        for (int c = 0; c < 16; c++) {
            const float first = v[i * 192 + c];
            assert_true(first == 0 || fabsf(first - 4) < 1e-5f); // 3 / (1 - 1/4)
            dropped += first == 0;
            for (int j = 1; j < 12; j++)
                assert_true(v[i * 192 + j * 16 + c] == first);
        }
    assert_true(abs(dropped - 800) < 5 * 25); // of 3200, deviation 24.5
    cj_release(y), cj_release(layer);
}

static void the_same_step_draws_the_same_and_another_step_others(void **state)
{
    (void)state;
    cj_layer *layers[] = {cj_gaussian_noise(0.5, .seed = 1), cj_gaussian_dropout(0.5, .seed = 1),
                          cj_alpha_dropout(0.5, .seed = 1), cj_spatial_dropout1d(0.5, .seed = 1)};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const cj_shape shape = CJ_SHAPE(30, 3, 500);
        cj_tensor *a = drawn(layers[i], shape, 1, 4), *b = drawn(layers[i], shape, 1, 4),
                  *c = drawn(layers[i], shape, 1, 5);
        const size_t bytes = (size_t)cj_tensor_count(a) * sizeof(float);
        assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b), bytes);
        assert_true(memcmp(cj_tensor_data(a), cj_tensor_data(c), bytes) != 0);
        cj_release(a), cj_release(b), cj_release(c), cj_release(layers[i]);
    }
}

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)
    REFUSED(cj_gaussian_noise(), "stddev is required");
    REFUSED(cj_gaussian_noise(1.5), "stddev must be");
    REFUSED(cj_gaussian_dropout(1), "rate must be less than 1");
    REFUSED(cj_alpha_dropout(1), "rate must be less than 1");
    REFUSED(cj_spatial_dropout1d(-0.1), "rate must be");
    REFUSED(cj_activity_regularization(.l1 = -1), "l1 must be");
    REFUSED(
        cj_apply(cj_spatial_dropout2d(0.5), cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "x")),
        "axes");
    REFUSED(cj_apply(cj_alpha_dropout(0.5, .noise_shape = {1, 2}),
                     cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "x")),
            "noise_shape does not fit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian_layers_draw_normal_numbers),
        cmocka_unit_test(alpha_dropout_keeps_mean_and_variance),
        cmocka_unit_test(noise_shape_shares_what_is_drawn),
        cmocka_unit_test(spatial_dropout_drops_whole_channels),
        cmocka_unit_test(the_same_step_draws_the_same_and_another_step_others),
        cmocka_unit_test(wrong_settings_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
