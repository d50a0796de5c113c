// Layers that change images at random: what is drawn depends on key, step and place alone, lies in
// its range, and nothing is changed when predicting. Values of fixed factors are Keras's:
// tests/parity (preprocessing).
#include "layers/helpers.h"

#include <cajal/model.h>
#include <string.h>

enum { IMAGES = 400, SIDE = 6, PIXELS = SIDE * SIDE };

// Images whose pixels are 1 to 36, of one channel.
static cj_tensor *numbered(void)
{
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(IMAGES, SIDE, SIDE, 1), &x), CJ_OK);
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i % PIXELS + 1);
    return x;
}

typedef cj_layer *(*maker)(void);
#define MAKER(name, call)         \
    static cj_layer *name(void)   \
    {                             \
        cj_layer *layer = (call); \
        assert_non_null(layer);   \
        return layer;             \
    }
MAKER(flip, cj_random_flip("horizontal", .seed = 3))
MAKER(translation, cj_random_translation(0.3, 0.3, .seed = 3))
MAKER(rotation, cj_random_rotation(0.2, .seed = 3))
MAKER(zoom, cj_random_zoom(0.3, .seed = 3))
MAKER(crop, cj_random_crop(3, 2, .seed = 3))
MAKER(contrast, cj_random_contrast(.factor_range = CJ_NUMBERS(0.5, 0.5), .seed = 3))
MAKER(brightness, cj_random_brightness(0.1, .seed = 3))
static const maker makers[] = {flip, translation, rotation, zoom, crop, contrast, brightness};

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
    cj_tensor *x = numbered();
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
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
    cj_tensor *x = numbered();
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        cj_layer *layer = makers[i]();
        cj_tensor *y = helper_predict(layer, x);
        assert_true(makers[i] == crop || same(x, y));
        cj_release(y);
        cj_release(layer);
    }
    cj_release(x);
}

static void half_of_the_images_are_flipped(void **state)
{
    (void)state;
    cj_tensor *x = numbered();
    cj_layer *layer = flip();
    cj_tensor *y = trained(layer, x, 0);
    int flipped = 0;
    for (int64_t n = 0; n < IMAGES; n++) {
        const float first = helper_floats(y)[n * PIXELS];
        assert_true(first == 1 || first == SIDE);
        flipped += first == SIDE;
    }
    assert_in_range(flipped, IMAGES / 2 - 50, IMAGES / 2 + 50); // five deviations
    cj_release(y);
    cj_release(x);
    cj_release(layer);
}

// A crop is a window of the image, and each of the 4 x 5 places comes.
static void crops_are_windows_at_every_place(void **state)
{
    (void)state;
    cj_tensor *x = numbered();
    cj_layer *layer = crop();
    cj_tensor *y = trained(layer, x, 0);
    int seen[4][5] = {{0}};
    for (int64_t n = 0; n < IMAGES; n++) {
        const float *window = helper_floats(y) + n * 6;
        const int corner = (int)window[0] - 1, row = corner / SIDE, col = corner % SIDE;
        assert_in_range(row, 0, 3);
        assert_in_range(col, 0, 4);
        seen[row][col]++;
        for (int i = 0; i < 6; i++)
            assert_true(window[i] == (float)(corner + i / 2 * SIDE + i % 2 + 1));
    }
    for (int i = 0; i < 20; i++)
        assert_in_range(seen[i / 5][i % 5], 1, 60);
    cj_release(y);
    cj_release(x);
    cj_release(layer);
}

// Each image gets one number, within -0.1 and 0.1 of 255, cut at 0.
static void brightness_is_one_number_of_its_range(void **state)
{
    (void)state;
    cj_tensor *x = numbered();
    cj_layer *layer = brightness();
    cj_tensor *y = trained(layer, x, 0);
    double sum = 0;
    for (int64_t n = 0; n < IMAGES; n++) {
        const float *image = helper_floats(y) + n * PIXELS, delta = image[PIXELS - 1] - PIXELS;
        assert_true(delta >= -25.5f && delta <= 25.5f);
        sum += (double)delta;
        for (int i = 0; i < PIXELS; i++)
            assert_true(fabsf(image[i] - fmaxf(0, (float)(i + 1) + delta)) < 1e-4f);
    }
    assert_true(fabs(sum / IMAGES) < 3.7); // five deviations of 51 / sqrt(12 * 400)
    cj_release(y);
    cj_release(x);
    cj_release(layer);
}

// Two ends of 0.5: the factor is from 0.5 to 1.5, the mean stays.
static void contrast_keeps_the_mean(void **state)
{
    (void)state;
    cj_tensor *x = numbered();
    cj_layer *layer = contrast();
    cj_tensor *y = trained(layer, x, 0);
    for (int64_t n = 0; n < IMAGES; n++) {
        const float *image = helper_floats(y) + n * PIXELS, spread = image[20] - image[15];
        assert_true(spread >= 2.499f && spread <= 7.501f);
        assert_true(fabsf((image[17] + image[18]) / 2 - 18.5f) < 1e-4f);
    }
    cj_release(y);
    cj_release(x);
    cj_release(layer);
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
    REFUSED(cj_random_flip("both"), "unknown mode \"both\"");
    REFUSED(cj_random_rotation(), "factor is required");
    REFUSED(cj_random_rotation(1.5), "factor must be from -1 to 1, not -1 and 1.5");
    REFUSED(cj_random_translation(0.1), "width_factor is required");
    REFUSED(cj_random_translation(0.1, 0.1, .fill_mode = "mirror"), "unknown fill_mode \"mirror\"");
    REFUSED(cj_random_translation(0.1, 0.1, .interpolation = "bicubic"), "unknown interpolation");
    REFUSED(cj_random_zoom(.height_factor_range = CJ_NUMBERS(-1, 0)), "height_factor must be");
    REFUSED(cj_random_zoom(.height_factor_range = CJ_NUMBERS(1, 2, 3)),
            "needs two numbers, 3 were");
    REFUSED(cj_random_brightness(0.1, .value_range = CJ_NUMBERS(1, 0)), "the lower one first");
    REFUSED(cj_random_crop(3), "width is required");
    REFUSED(cj_sequential(cj_input(3, 2), cj_random_zoom(0.1)), "needs 4 with the batch axis");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_has_its_own_changes_and_always_the_same),
        cmocka_unit_test(images_pass_unchanged_when_predicting),
        cmocka_unit_test(half_of_the_images_are_flipped),
        cmocka_unit_test(crops_are_windows_at_every_place),
        cmocka_unit_test(brightness_is_one_number_of_its_range),
        cmocka_unit_test(contrast_keeps_the_mean),
        cmocka_unit_test(wrong_settings_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
