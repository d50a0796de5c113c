// RandAugment and AugMix: what is sure of layers that choose at random.
#include "layers/helpers.h"

#include <cajal/augmentation.h>
#include <math.h>
#include <string.h>

enum { BATCH = 3, PIXELS = BATCH * 6 * 5 * 3 };

static cj_tensor *images(void)
{
    cj_tensor *x = helper_random(CJ_SHAPE(BATCH, 6, 5, 3), 4);
    float *numbers = cj_tensor_data(x);
    for (int i = 0; i < PIXELS; i++)
        numbers[i] = 127.5F + 127.5F * numbers[i];
    return x;
}

// The output of a layer in step `step` of training.
static cj_tensor *trained(cj_layer *layer, cj_tensor *x, int64_t step)
{
    assert_non_null(layer);
    cj_tensor *y = helper_run(layer, &x, 1, 0, true, step);
    assert_true(cj_shape_equal(cj_tensor_shape(y), cj_tensor_shape(x)));
    return y;
}

static void near(cj_layer *layer, bool same)
{
    cj_tensor *x = images(), *y = trained(layer, x, 0);
    float worst = 0;
    for (int i = 0; i < PIXELS; i++) {
        const float error = fabsf(helper_floats(x)[i] - helper_floats(y)[i]);
        worst = error > worst ? error : worst;
    }
    assert_int_equal(worst < 1e-3F, same);
    cj_release(x);
    cj_release(y);
    cj_release(layer);
}

static void no_changes_leave_images_as_they_are(void **state)
{
    (void)state;
    near(cj_rand_augment(.num_ops = 0), true);
    near(cj_aug_mix(.chain_depth = 0), true);
    near(cj_rand_augment(.num_ops = 8, .factor = 0.9, .seed = 1), false);
}

static void predicting_changes_nothing(void **state)
{
    (void)state;
    cj_layer *layers[] = {cj_rand_augment(.factor = 1), cj_aug_mix(.factor = 1)};
    for (int i = 0; i < 2; i++) {
        cj_tensor *x = images(), *y = helper_predict(layers[i], x);
        assert_memory_equal(helper_floats(x), helper_floats(y), PIXELS * sizeof(float));
        cj_release(x);
        cj_release(y);
        cj_release(layers[i]);
    }
}

// The changes are drawn anew in each step, and the same for a seed.
static void a_seed_gives_the_same_changes_and_a_step_others(void **state)
{
    (void)state;
    int differ = 0;
    for (int64_t step = 0; step < 6; step++) {
        cj_layer *one = cj_aug_mix(.seed = 5), *other = cj_aug_mix(.seed = 5);
        cj_tensor *x = images(), *a = trained(one, x, step), *b = trained(other, x, step),
                  *c = trained(one, x, step + 1);
        assert_memory_equal(helper_floats(a), helper_floats(b), PIXELS * sizeof(float));
        differ += memcmp(helper_floats(a), helper_floats(c), PIXELS * sizeof(float)) != 0;
        for (int i = 0; i < PIXELS; i++)
            assert_true(helper_floats(a)[i] >= 0 && helper_floats(a)[i] <= 255);
        cj_release(x);
        cj_release(a);
        cj_release(b);
        cj_release(c);
        cj_release(one);
        cj_release(other);
    }
    assert_int_equal(differ, 6);
}

// Two of eleven layers hardly change random pixels with factor 0 (AutoContrast and Equalization do, and
// posterization to one bit): of many steps about 6 in 11 leave the images as they are but for those.
static void each_layer_is_chosen_as_often(void **state)
{
    (void)state;
    enum { STEPS = 220 };
    int same = 0;
    cj_layer *layer = cj_rand_augment(.num_ops = 1, .factor = 0, .seed = 2);
    cj_tensor *x = images();
    for (int64_t step = 0; step < STEPS; step++) {
        cj_tensor *y = trained(layer, x, step);
        float worst = 0;
        for (int i = 0; i < PIXELS; i++) {
            const float error = fabsf(helper_floats(x)[i] - helper_floats(y)[i]);
            worst = error > worst ? error : worst;
        }
        same += worst < 0.5F;
        cj_release(y);
    }
    // within 4 deviations of a share between 5 and 8 layers of 11
    const double share = (double)same / STEPS, deviation = 4 * sqrt(0.25 / STEPS);
    if (share < 5 / 11.0 - deviation || share > 8 / 11.0 + deviation)
        fail_msg("%d of %d steps left the images as they were", same, STEPS);
    cj_release(x);
    cj_release(layer);
}

static void refused(cj_layer *layer, const char *sentence)
{
    assert_null(layer);
    if (!strstr(cj_error(), sentence))
        fail_msg("%s", cj_error());
}

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    refused(cj_rand_augment(.factor = 1.5), "factor must be from 0 to 1");
    refused(cj_rand_augment(.num_ops = -1), "num_ops");
    refused(cj_rand_augment(.interpolation = "cubic"), "interpolation");
    refused(cj_rand_augment(.value_range = CJ_NUMBERS(1, 0)), "value_range needs two numbers");
    refused(cj_aug_mix(.num_chains = 0), "num_chains");
    refused(cj_aug_mix(.alpha = 0), "alpha");
    refused(cj_aug_mix(.factor_range = CJ_NUMBERS(0.1, 0.2, 0.3)), "factor needs two numbers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_changes_leave_images_as_they_are),
        cmocka_unit_test(predicting_changes_nothing),
        cmocka_unit_test(a_seed_gives_the_same_changes_and_a_step_others),
        cmocka_unit_test(each_layer_is_chosen_as_often),
        cmocka_unit_test(wrong_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
