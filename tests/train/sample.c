// Tokens drawn from scores: which can be drawn, how often, and what is refused.
#include "support.h"

#include <cajal/sampling.h>
#include <math.h>

static cj_tensor *row(int count, const float *values)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(count), values, (size_t)count, &tensor),
                     CJ_OK);
    return tensor;
}
#define ROW(...) row((int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)), (float[]){__VA_ARGS__})

enum { DRAWN = 20000 };

// How often each of `count` tokens is drawn.
static void count_drawn(const cj_tensor *scores, cj_sample_args args, int count, double *shares)
{
    for (int i = 0; i < count; i++)
        shares[i] = 0;
    for (int i = 0; i < DRAWN; i++) {
        int64_t token = -1;
        args.step = (uint64_t)i;
        if (cj_sample_with(scores, &token, &args) != CJ_OK)
            fail_msg("%s", cj_error());
        assert_in_range(token, 0, count - 1);
        shares[token] += 1.0 / DRAWN;
    }
}

// Three standard deviations of a share are at most 0.0107.
#define NEAR(share, expected) assert_near(share, expected, 0.0107, 0)

static void shares_are_the_probabilities(void **state)
{
    (void)state;
    double shares[4];
    cj_tensor *p = ROW(0.1f, 0.6f, 0, 0.3f), *logits = ROW(0, logf(6), -INFINITY, logf(3));
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS}, 4, shares);
    NEAR(shares[0], 0.1), NEAR(shares[1], 0.6), NEAR(shares[3], 0.3);
    assert_true(shares[2] == 0);
    count_drawn(logits, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .logits = true}, 4, shares);
    NEAR(shares[0], 0.1), NEAR(shares[1], 0.6), NEAR(shares[3], 0.3);
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .temperature = 0.5}, 4, shares);
    NEAR(shares[0], 0.01 / 0.46), NEAR(shares[1], 0.36 / 0.46), NEAR(shares[3], 0.09 / 0.46);
    cj_release(p);
    cj_release(logits);
}

static void only_the_best_are_drawn(void **state)
{
    (void)state;
    double shares[5];
    cj_tensor *p = ROW(0.1f, 0.3f, 0.05f, 0.3f, 0.25f);
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .top_k = 2}, 5, shares);
    NEAR(shares[1], 0.5), NEAR(shares[3], 0.5);
    assert_true(shares[0] + shares[2] + shares[4] == 0);
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .top_p = 0.7}, 5, shares);
    NEAR(shares[1], 0.3 / 0.85), NEAR(shares[4], 0.25 / 0.85);
    assert_true(shares[0] + shares[2] == 0);
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .top_p = 1e-9}, 5, shares);
    assert_near(shares[1], 1, 1e-9, 0);
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .top_k = 3, .top_p = 0.8}, 5, shares);
    NEAR(shares[4], 0.25 / 0.85);
    count_drawn(p, (cj_sample_args){CJ_SAMPLE_DEFAULTS, .temperature = 0}, 5, shares);
    assert_near(shares[1], 1, 1e-9, 0);
    cj_release(p);
}

static void seed_and_step_decide(void **state)
{
    (void)state;
    int64_t a = -1, b = -1;
    int other = 0;
    cj_tensor *p = ROW(1, 1, 1, 1, 1, 1, 1, 1);
    for (uint64_t i = 0; i < 50; i++) {
        assert_int_equal(cj_sample(p, &a, .seed = 3, .step = i), CJ_OK);
        assert_int_equal(cj_sample(p, &b, .seed = 3, .step = i), CJ_OK);
        assert_int_equal(a, b);
        assert_int_equal(cj_sample(p, &b, .seed = 4, .step = i), CJ_OK);
        other += a != b;
    }
    assert_true(other > 30);
    cj_release(p);
}

static void the_last_row_counts(void **state)
{
    (void)state;
    static const float values[] = {1, 0, 0, 0, 0, 1};
    cj_tensor *p = NULL, *turned = NULL;
    int64_t token = -1;
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(1, 2, 3), values, 6, &p), CJ_OK);
    assert_int_equal(cj_sample(p, &token), CJ_OK);
    assert_int_equal(token, 2);
    assert_int_equal(cj_tensor_transpose(p, (int[]){0, 2, 1}, &turned), CJ_OK);
    assert_int_equal(cj_sample(turned, &token, .temperature = 0), CJ_OK);
    assert_int_equal(token, 1);
    cj_release(turned);
    cj_release(p);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    int64_t token = 0;
    cj_tensor *p = ROW(0.5f, 0.5f), *nan = ROW(0, NAN), *none = ROW(0, 0), *negative = ROW(1, -1);
    assert_int_equal(cj_sample(NULL, &token), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_sample(p, NULL), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_sample(p, &token, .temperature = -1), CJ_INVALID_ARGUMENT);
    assert_error_contains("temperature -1");
    assert_int_equal(cj_sample(p, &token, .top_k = -1), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_sample(p, &token, .top_p = 0), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_sample(p, &token, .top_p = NAN), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_sample(nan, &token), CJ_NOT_FINITE);
    assert_error_contains("token 1 is nan");
    assert_int_equal(cj_sample(none, &token), CJ_NOT_FINITE);
    assert_int_equal(cj_sample(negative, &token), CJ_NOT_FINITE);
    assert_error_contains("no probability");
    cj_release(p);
    cj_release(nan);
    cj_release(none);
    cj_release(negative);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_the_probabilities), cmocka_unit_test(only_the_best_are_drawn),
        cmocka_unit_test(seed_and_step_decide),         cmocka_unit_test(the_last_row_counts),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
