// Layers that change the values of images at random: what is drawn depends on key, step and place
// alone, lies in its range with its moments, and wrong settings get their sentence. Values for given
// draws are Keras's: tests/parity (augmentation).
#include "layers/helpers.h"

#include <cajal/augmentation.h>
#include <cajal/model.h>
#include <cajal/spectrogram.h>
#include <math.h>
#include <string.h>

enum { IMAGES = 600, SIDE = 10, CHANNELS = 3, SIZE = SIDE * SIDE * CHANNELS };

// Images whose pixels are from 1 to 200, and differ.
static cj_tensor *images(void)
{
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(IMAGES, SIDE, SIDE, CHANNELS), &x), CJ_OK);
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        ((float *)cj_tensor_data(x))[i] = (float)(1 + i * 7919 % 200);
    return x;
}

#define MAKER(name, call)         \
    static cj_layer *name(void)   \
    {                             \
        cj_layer *layer = (call); \
        assert_non_null(layer);   \
        return layer;             \
    }
MAKER(hue, cj_random_hue(0.5, .seed = 3))
MAKER(saturation, cj_random_saturation(.factor_range = CJ_NUMBERS(0.2, 0.8), .seed = 3))
MAKER(jitter, cj_random_color_jitter(.brightness_factor = 0.2, .hue_factor = 0.2, .seed = 3))
MAKER(grayscale, cj_random_grayscale(0.5, .seed = 3))
MAKER(degeneration, cj_random_color_degeneration(0.5, .seed = 3))
MAKER(sharpness, cj_random_sharpness(1, .seed = 3))
MAKER(posterization, cj_random_posterization(8, .seed = 3))
MAKER(invert, cj_random_invert(.seed = 3))
MAKER(solar, cj_solarization(0.2, 0.8, .seed = 3))
MAKER(erasing, cj_random_erasing(.seed = 3))
MAKER(mix, cj_mix_up(0.4, .seed = 3))
MAKER(cut, cj_cut_mix(1, .seed = 3))
MAKER(equal, cj_equalization())
static cj_layer *(*const makers[])(void) = {hue,          saturation, jitter,        grayscale,
                                            degeneration, sharpness,  posterization, invert,
                                            solar,        erasing,    mix,           cut};
enum { MAKERS = sizeof makers / sizeof *makers };

static cj_tensor *trained(cj_layer *layer, cj_tensor *x, int64_t step)
{
    return helper_run(layer, &x, 1, 0, true, step);
}

static bool same(const cj_tensor *a, const cj_tensor *b)
{
    return cj_tensor_count(a) == cj_tensor_count(b) &&
           memcmp(cj_tensor_data(a), cj_tensor_data(b),
                  (size_t)cj_tensor_count(a) * sizeof(float)) == 0;
}

static void a_step_has_its_own_changes_and_always_the_same(void **state)
{
    (void)state;
    cj_tensor *x = images();
    for (size_t i = 0; i < MAKERS; i++) {
        cj_layer *layer = makers[i]();
        cj_tensor *first = trained(layer, x, 4), *again = trained(layer, x, 4),
                  *other = trained(layer, x, 5);
        assert_true(same(first, again));
        assert_false(same(first, other));
        cj_release(first);
        cj_release(again);
        cj_release(other);
        cj_release(layer);
    }
    cj_release(x);
}

static void images_pass_unchanged_when_predicting(void **state)
{
    (void)state;
    cj_tensor *x = images();
    for (size_t i = 0; i <= MAKERS; i++) {
        cj_layer *layer = i < MAKERS ? makers[i]() : equal();
        cj_tensor *y = helper_predict(layer, x);
        assert_true(same(x, y));
        cj_release(y);
        cj_release(layer);
    }
    cj_release(x);
}

// The share of elements of an image that differ.
static double changed(const cj_tensor *x, const cj_tensor *y, int64_t image)
{
    int count = 0;
    for (int i = 0; i < SIZE; i++)
        count +=
            fabsf(helper_floats(x)[image * SIZE + i] - helper_floats(y)[image * SIZE + i]) > 1e-3f;
    return count / (double)SIZE;
}

// The images that a layer changes, of IMAGES.
static int changed_images(cj_layer *layer)
{
    cj_tensor *x = images(), *y = trained(layer, x, 0);
    int count = 0;
    for (int64_t n = 0; n < IMAGES; n++)
        count += changed(x, y, n) > 0;
    cj_release(x);
    cj_release(y);
    cj_release(layer);
    return count;
}

// Bounds are five deviations of a binomial distribution of 600.
static void so_many_images_are_changed(void **state)
{
    (void)state;
    assert_in_range(changed_images(cj_random_grayscale(0.5)), 300 - 62, 300 + 62);
    assert_in_range(changed_images(cj_random_grayscale(.factor = 1)), IMAGES, IMAGES);
    assert_in_range(changed_images(cj_random_grayscale(.factor = 0)), 0, 0);
    // a chance that is uniform in 0 .. 1 is 1/2 in the mean
    assert_in_range(changed_images(cj_random_invert()), 300 - 62, 300 + 62);
    assert_in_range(changed_images(cj_random_invert(.factor_range = CJ_NUMBERS(0.9, 0.9))),
                    540 - 37, 540 + 37);
    assert_in_range(changed_images(cj_random_erasing(.factor_range = CJ_NUMBERS(1, 1),
                                                     .scale = CJ_NUMBERS(0.2, 0.5))),
                    IMAGES, IMAGES);
}

// The square of a side is uniform in 0.02 .. 0.33: the mean of the side is 0.40, that of areas 0.16.
static void erased_areas_have_their_mean(void **state)
{
    (void)state;
    cj_tensor *x = images();
    cj_layer *layer =
        cj_random_erasing(.factor_range = CJ_NUMBERS(1, 1), .fill_value = CJ_NUMBERS(-7),
                          .value_range = CJ_NUMBERS(-9, 255), .seed = 2);
    cj_tensor *y = trained(layer, x, 1);
    double sum = 0;
    for (int64_t n = 0; n < IMAGES; n++)
        sum += changed(x, y, n);
    assert_true(fabs(sum / IMAGES - 0.159) < 0.02);
    cj_release(x);
    cj_release(y);
    cj_release(layer);
}

// With a fill value of noise, the erased elements are cut to the range of values, and spread.
static void noise_lies_in_the_range(void **state)
{
    (void)state;
    cj_tensor *x = images();
    cj_layer *layer = cj_random_erasing(.factor_range = CJ_NUMBERS(1, 1), .seed = 2);
    cj_tensor *y = trained(layer, x, 1);
    int low = 0, high = 0, between = 0;
    for (int64_t i = 0; i < cj_tensor_count(x); i++) {
        const float value = helper_floats(y)[i];
        assert_true(value >= 0 && value <= 255);
        low += value <= 0;
        high += value >= 255;
        between += fabsf(value - helper_floats(x)[i]) > 1e-3f && value > 0 && value < 255;
    }
    // z below 0: half of them; above 1: 16 %; between: 34 %
    const double all = low + high + between;
    assert_true(fabs(low / all - 0.5) < 0.03);
    assert_true(fabs(high / all - 0.1587) < 0.03);
    cj_release(x);
    cj_release(y);
    cj_release(layer);
}

// Images of one value each, 1000 n, and labels that say which: a mixture can be read off.
static void mixed(cj_layer *layer, bool flat, cj_tensor **x, cj_tensor **labels, cj_tensor **y,
                  cj_tensor **mixed_labels)
{
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(IMAGES, 8, 5, 2), x), CJ_OK);
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(IMAGES, IMAGES), labels), CJ_OK);
    memset(cj_tensor_data(*labels), 0, IMAGES * IMAGES * sizeof(float));
    for (int64_t i = 0; i < cj_tensor_count(*x); i++)
        ((float *)cj_tensor_data(*x))[i] = (float)(i / 80);
    for (int64_t n = 0; n < IMAGES; n++)
        ((float *)cj_tensor_data(*labels))[n * IMAGES + n] = 1;
    cj_tensor *inputs[] = {*x, *labels};
    *y = helper_run(layer, inputs, flat ? 1 : 2, 0, true, 0);
    *mixed_labels = helper_run(layer, inputs, 2, 1, true, 0);
}

// The share of an image's own label; the partner's place, -1 if there is none.
static double share_of(const cj_tensor *labels, int64_t n, int64_t *partner)
{
    const float *row = helper_floats(labels) + n * IMAGES;
    double sum = 0;
    *partner = -1;
    for (int64_t i = 0; i < IMAGES; i++) {
        sum += (double)row[i];
        if (i != n && row[i] > 0)
            *partner = i;
    }
    assert_true(fabs(sum - 1) < 1e-5);
    return (double)row[n];
}

// The moments of a Beta(a, a) distribution: mean 1/2, variance 1 / (4 (2 a + 1)).
static void assert_beta(const double *shares, int count, double a)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        sum += shares[i];
        squares += (shares[i] - 0.5) * (shares[i] - 0.5);
    }
    const double variance = 1 / (4 * (2 * a + 1));
    assert_true(fabs(sum / count - 0.5) < 5 * sqrt(variance / count));
    assert_true(fabs(squares / count - variance) < 0.1 * variance + 0.005);
}

static void mix_up_mixes_images_and_labels_alike(void **state)
{
    (void)state;
    const double alphas[] = {0.05, 0.2, 1, 4};
    for (int k = 0; k < 4; k++) {
        cj_layer *layer = cj_mix_up(alphas[k], .seed = 8);
        cj_tensor *x, *labels, *y, *of_labels;
        double shares[IMAGES];
        bool taken[IMAGES] = {false};
        mixed(layer, false, &x, &labels, &y, &of_labels);
        for (int64_t n = 0; n < IMAGES; n++) {
            int64_t partner;
            shares[n] = share_of(of_labels, n, &partner);
            const double other = partner < 0 ? (double)n : (double)partner;
            const double expected = shares[n] * (double)n + (1 - shares[n]) * other;
            for (int i = 0; i < 80; i++)
                assert_true(fabs((double)helper_floats(y)[n * 80 + i] - expected) < 1e-2);
            if (partner >= 0) {
                assert_false(taken[partner]); // a permutation
                taken[partner] = true;
            }
        }
        assert_beta(shares, IMAGES, alphas[k]);
        cj_release(x);
        cj_release(labels);
        cj_release(y);
        cj_release(of_labels);
        cj_release(layer);
    }
}

static void cut_mix_mixes_labels_by_areas(void **state)
{
    (void)state;
    cj_layer *layer = cj_cut_mix(.factor_range = CJ_NUMBERS(1, 1), .seed = 8);
    cj_tensor *x, *labels, *y, *of_labels;
    double sum = 0;
    mixed(layer, false, &x, &labels, &y, &of_labels);
    for (int64_t n = 0; n < IMAGES; n++) {
        int64_t partner;
        int own = 0;
        const double share = share_of(of_labels, n, &partner);
        for (int i = 0; i < 80; i++) {
            const float value = helper_floats(y)[n * 80 + i];
            assert_true(value == (float)n || value == (float)partner);
            own += value == (float)n;
        }
        sum += share;
        // a rectangle of l x m pixels covers up to one row and one column more or less
        assert_true(fabs(own / 80.0 - share) < 13.0 / 40);
    }
    assert_true(fabs(sum / IMAGES - 0.5) < 0.06);
    cj_release(x);
    cj_release(labels);
    cj_release(y);
    cj_release(of_labels);
    cj_release(layer);
}

// Values of a narrow range are spread over all of it.
static void equalized_values_fill_the_range(void **state)
{
    (void)state;
    cj_tensor *x = images();
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        ((float *)cj_tensor_data(x))[i] = 100 + (float)(i * 7919 % 40);
    cj_layer *layer = equal();
    cj_tensor *y = trained(layer, x, 0);
    double sum = 0;
    float low = 300, high = -1;
    for (int64_t i = 0; i < cj_tensor_count(y); i++) {
        low = fminf(low, helper_floats(y)[i]);
        high = fmaxf(high, helper_floats(y)[i]);
        sum += (double)helper_floats(y)[i];
    }
    assert_true(low <= 0 && high >= 255);
    assert_true(fabs(sum / (double)cj_tensor_count(y) - 127.5) < 2);
    cj_release(x);
    cj_release(y);
    cj_release(layer);
}

// NaN and infinity are no reason to read elsewhere.
static void odd_values_do_no_harm(void **state)
{
    (void)state;
    const double odd[] = {NAN, INFINITY, -INFINITY, 1e30, -1e30, 0, 5, 300, -4, 7, 8, 9};
    cj_tensor *x = helper_tensor(CJ_F32, CJ_SHAPE(1, 2, 2, 3), odd);
    cj_layer *layers[] = {equal(),   posterization(), hue(),
                          erasing(), sharpness(),     cj_auto_contrast()};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        cj_release(trained(layers[i], x, 1));
        cj_release(layers[i]);
    }
    cj_release(x);
}

#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_random_hue(), "factor is required");
    REFUSED(cj_random_hue(1.5), "factor must be from 0 to 1, not 0 and 1.5");
    REFUSED(cj_random_hue(0.1, .value_range = CJ_NUMBERS(3, 3)), "the lower one first");
    REFUSED(cj_random_saturation(.factor_range = CJ_NUMBERS(0, 1, 2)), "needs two numbers, 3 were");
    REFUSED(cj_random_color_jitter(.contrast_factor = 2), "contrast_factor must be from 0 to 1");
    REFUSED(cj_random_grayscale(1.1), "factor");
    REFUSED(cj_random_posterization(0.5), "factor must be from 1 to 8");
    REFUSED(cj_random_posterization(2.5), "whole numbers of bits, not 1 and 2.5");
    REFUSED(cj_random_posterization(9), "factor must be from 1 to 8");
    REFUSED(cj_random_sharpness(-2), "factor must be from 0 to 1");
    REFUSED(cj_solarization(.threshold_factor = 2), "threshold_factor must be from 0 to 1");
    REFUSED(cj_random_erasing(.fill_value = CJ_NUMBERS(1, 2)), "one number or three, 2 were given");
    REFUSED(cj_random_erasing(.scale = CJ_NUMBERS(0.1)), "scale needs two numbers, 1 were");
    REFUSED(cj_random_erasing(.scale = CJ_NUMBERS(0.1, 1.5)), "scale must be from 0 to 1");
    REFUSED(cj_equalization(.bins = 1), "bins");
    REFUSED(cj_mix_up(0), "alpha");
    REFUSED(cj_random_gaussian_blur(.kernel_size = {2}), "kernel_size must be odd, not 2x2");
    REFUSED(cj_random_gaussian_blur(.sigma = 2), "sigma must be from 0 to 1");
    REFUSED(cj_random_shear(1.5), "x_factor must be from");
    REFUSED(cj_random_shear(.y_factor_range = CJ_NUMBERS(-0.1, 0.2)), "y_factor must be from 0");
    REFUSED(cj_random_shear(0.1, .fill_mode = "mirror"), "unknown fill_mode \"mirror\"");
    REFUSED(cj_random_perspective(.scale = 1.5), "scale");
    REFUSED(cj_random_elastic_transform(.fill_mode = "none"), "unknown fill_mode");
    REFUSED(cj_stft_spectrogram("phase"), "unknown mode \"phase\"");
    REFUSED(cj_stft_spectrogram("log", 8, .frame_step = 9), "frame_step must be from 1 to");
    REFUSED(cj_stft_spectrogram("log", 8, .fft_length = 7), "fft_length must be from frame_length");
    REFUSED(cj_sequential(cj_input(7, 1), cj_stft_spectrogram("log", 8)), "does not fit");
    REFUSED(cj_mel_spectrogram(16, 17), "sequence_stride must be from 1 to");
    REFUSED(cj_mel_spectrogram(.max_freq = 10), "max_freq 10 must be above min_freq 20");
    REFUSED(cj_sequential(cj_input(8), cj_mel_spectrogram(16, 4)), "needs more than half");
    REFUSED(cj_cut_mix(2), "factor must be from 0 to 1");
    REFUSED(cj_sequential(cj_input(4, 4, 2), cj_random_hue(0.1)),
            "images have 2 channels, needs 3");
    REFUSED(cj_sequential(cj_input(4, 4, 2), cj_random_grayscale()), "needs 1 or 3");
    REFUSED(cj_sequential(cj_input(4, 4, 1), cj_random_erasing(.fill_value = CJ_NUMBERS(1, 2, 3))),
            "images have 1 channels, needs 3");
    REFUSED(cj_sequential(cj_input(4, 4), cj_auto_contrast()), "needs 4 with the batch axis");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_has_its_own_changes_and_always_the_same),
        cmocka_unit_test(images_pass_unchanged_when_predicting),
        cmocka_unit_test(so_many_images_are_changed),
        cmocka_unit_test(erased_areas_have_their_mean),
        cmocka_unit_test(noise_lies_in_the_range),
        cmocka_unit_test(mix_up_mixes_images_and_labels_alike),
        cmocka_unit_test(cut_mix_mixes_labels_by_areas),
        cmocka_unit_test(equalized_values_fill_the_range),
        cmocka_unit_test(odd_values_do_no_harm),
        cmocka_unit_test(wrong_settings_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
