// Initializers: moments, limits, fans, orthogonality, and sentences.
#include "layers/helpers.h"

#include <math.h>
#include <stdlib.h>

typedef struct moments {
    double mean, deviation, least, greatest;
} moments;

static cj_tensor *drawn(const char *spec, cj_shape shape, uint64_t key)
{
    cj_tensor *tensor = helper_tensor(CJ_F32, shape, NULL);
    if (cj__initialize(tensor, spec, "test", key) != CJ_OK)
        fail_msg("%s", cj_error());
    return tensor;
}

static moments measure(const char *spec, cj_shape shape)
{
    cj_tensor *tensor = drawn(spec, shape, 5);
    const float *x = helper_floats(tensor);
    const int64_t n = cj_tensor_count(tensor);
    moments m = {.least = INFINITY, .greatest = -INFINITY};
    double squares = 0;
    for (int64_t i = 0; i < n; i++) {
        m.mean += x[i] / (double)n;
        m.least = fmin(m.least, x[i]);
        m.greatest = fmax(m.greatest, x[i]);
    }
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - m.mean) * (x[i] - m.mean) / (double)n;
    m.deviation = sqrt(squares);
    cj_release(tensor);
    return m;
}

static void constants_fill_with_one_number(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        double value;
    } rows[] = {{"zeros", 0},
                {"Ones", 1},
                {"constant(0.25)", 0.25},
                {"Constant(value=-3)", -3},
                {"one", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const moments m = measure(rows[i].spec, CJ_SHAPE(3, 4));
        assert_near(m.least, rows[i].value, 0, 0);
        assert_near(m.greatest, rows[i].value, 0, 0);
    }
}

// 40,000 numbers: the mean's standard error is 0.005 deviations, the deviation's about 0.0035.
static void distributions_have_their_moments(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        double mean, deviation, limit; // limit 0: none
    } rows[] = {
        {"random_normal", 0, 0.05, 0},
        {"random_normal(mean=1, stddev=2)", 1, 2, 0},
        {"random_uniform", 0, 0.05 / 1.7320508, 0.05},
        {"uniform(minval=-2, maxval=2)", 0, 2 / 1.7320508, 2},
        {"truncated_normal(stddev=1)", 0, 0.87962566, 2},
        {"glorot_uniform", 0, 0.08164966, 0.14142136}, // fans 100 and 200: limit sqrt(6 / 300)
        {"glorot_normal", 0, 0.08164966, 0},
        {"he_uniform", 0, 0.14142136, 0.24494897},
        {"he_normal", 0, 0.14142136, 0},
        {"lecun_uniform", 0, 0.1, 0.17320508},
        {"lecun_normal", 0, 0.1, 0},
        {"variance_scaling(scale=4, mode=fan_out, distribution=untruncated_normal)", 0, 0.14142136,
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const moments m = measure(rows[i].spec, CJ_SHAPE(100, 200));
        const double unit = rows[i].deviation;
        if (fabs(m.mean - rows[i].mean) > 0.03 * unit || fabs(m.deviation - unit) > 0.02 * unit)
            fail_msg("%s: mean %g, deviation %g", rows[i].spec, m.mean, m.deviation);
        if (rows[i].limit > 0) {
            assert_true(m.greatest <= rows[i].limit * 1.000001 &&
                        m.least >= -rows[i].limit * 1.000001);
            assert_true(m.greatest > rows[i].limit * 0.98);
        }
    }
}

static void fans_of_a_convolution_count_its_window(void **state)
{
    (void)state;
    const moments m = measure("he_uniform", CJ_SHAPE(3, 3, 16, 64)); // fan_in 144
    assert_near(m.greatest, sqrt(6.0 / 144), 0, 0.01);
    const moments g = measure("glorot_uniform", CJ_SHAPE(3, 3, 16, 64)); // (144 + 576) / 2
    assert_near(g.greatest, sqrt(3.0 / 360), 0, 0.01);
    const moments v = measure("lecun_uniform", CJ_SHAPE(5000));
    assert_near(v.greatest, sqrt(3.0 / 5000), 0, 0.01);
}

static void check_orthogonal(cj_shape shape, double gain, const char *spec)
{
    cj_tensor *tensor = drawn(spec, shape, 9);
    const float *x = helper_floats(tensor);
    const int64_t cols = shape.dims[shape.rank - 1], rows = cj_tensor_count(tensor) / cols;
    const int64_t count = rows < cols ? rows : cols, length = rows < cols ? cols : rows;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < count; j++) {
            double dot = 0;
            for (int64_t k = 0; k < length; k++)
                dot += rows < cols ? (double)x[i * cols + k] * x[j * cols + k] :
                                     (double)x[k * cols + i] * x[k * cols + j];
            assert_near(dot, i == j ? gain * gain : 0, 1e-5, 1e-5);
        }
    }
    cj_release(tensor);
}

static void orthogonal_rows_or_columns_are_orthonormal(void **state)
{
    (void)state;
    check_orthogonal(CJ_SHAPE(32, 32), 1, "orthogonal");
    check_orthogonal(CJ_SHAPE(40, 7), 1, "orthogonal");
    check_orthogonal(CJ_SHAPE(5, 30), 1, "orthogonal");
    check_orthogonal(CJ_SHAPE(3, 3, 4, 8), 2, "orthogonal(gain=2)");
    cj_tensor *vector = helper_tensor(CJ_F32, CJ_SHAPE(4), NULL);
    assert_int_equal(cj__initialize(vector, "orthogonal", "rnn", 1), CJ_INVALID_ARGUMENT);
    assert_error_contains("rank 1");
    cj_release(vector);
}

// The kernels of image processing, for 3 by 3; and for 5 the ones of OpenCV's getDerivKernels().
static void patterns_are_those_of_image_processing(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int64_t side;
        float expected[25];
    } rows[] = {
        {"sobel", 3, {-1, 0, 1, -2, 0, 2, -1, 0, 1}},
        {"sobel(axis=0, gain=0.5)", 3, {-0.5f, -1, -0.5f, 0, 0, 0, 0.5f, 1, 0.5f}},
        {"sobel", 5, {-1, -2, 0,  2,  1, -4, -8, 0,  8,  4, -6, -12, 0,
                      12, 6,  -4, -8, 0, 8,  4,  -1, -2, 0, 2,  1}},
        {"prewitt(0)", 3, {-1, -1, -1, 0, 0, 0, 1, 1, 1}},
        {"laplacian", 3, {0, 1, 0, 1, -4, 1, 0, 1, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t n = rows[i].side;
        cj_tensor *kernel = drawn(rows[i].spec, CJ_SHAPE(n, n, 2, 3), 1);
        for (int64_t k = 0; k < n * n * 6; k++)
            assert_near(helper_floats(kernel)[k], rows[i].expected[k / 6], 0, 0);
        cj_release(kernel);
    }
    cj_tensor *blur = drawn("gaussian(sigma=0.8)", CJ_SHAPE(3, 5, 1, 1), 1);
    double sum = 0;
    for (int k = 0; k < 15; k++)
        sum += helper_floats(blur)[k];
    assert_near(sum, 1, 1e-6, 0);
    assert_near(helper_floats(blur)[6] / helper_floats(blur)[7], exp(-0.5 / 0.64), 1e-6, 0);
    assert_near(helper_floats(blur)[1], helper_floats(blur)[13], 0, 0);
    cj_release(blur);
    cj_tensor *line = drawn("laplacian", CJ_SHAPE(3, 1, 1), 1);
    assert_near(helper_floats(line)[1], -2, 0, 0);
    cj_release(line);
}

static void patterns_need_windows(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        cj_shape shape;
        const char *expected;
    } rows[] = {{"sobel", {2, {3, 3}}, "needs a kernel"},
                {"sobel(axis=2)", {4, {3, 3, 1, 1}}, "axis 2 is none of a window of 2 axes"},
                {"prewitt", {4, {3, 1, 1, 1}}, "has 1 entries along axis -1"},
                {"laplacian", {4, {3, 4, 1, 1}}, "has 4 entries along axis 1"},
                {"gaussian(sigma=0)", {4, {3, 4, 1, 1}}, "sigma"},
                {"identity", {3, {3, 4, 1}}, "needs 2"},
                {"stft", {2, {3, 4}}, "of 3 axes"},
                {"stft(window=han)", {3, {4, 1, 3}}, "did you mean \"hann\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj_tensor *kernel = helper_tensor(CJ_F32, rows[i].shape, NULL);
        assert_int_not_equal(cj__initialize(kernel, rows[i].spec, "test", 1), CJ_OK);
        assert_error_contains(rows[i].expected);
        cj_release(kernel);
    }
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double normal_below(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

// Of the distribution named by kind: 0 uniform in -1..1, 1 normal, 2 normal cut at 2.
static double share_below(int kind, double x)
{
    const double cut = normal_below(-2);
    return kind == 0 ? 0.5 * (x + 1) :
           kind == 1 ? normal_below(x) :
                       (normal_below(x) - cut) / (1 - 2 * cut);
}

// Kolmogorov and Smirnov's test: over 100,000 numbers the greatest distance of the two distributions
// is below 1.95 / sqrt(n) with probability 0.999; the keys are fixed.
static void distributions_pass_kolmogorov_and_smirnovs_test(void **state)
{
    (void)state;
    static const char *const specs[] = {"uniform(minval=-1, maxval=1)", "normal(stddev=1)",
                                        "truncated_normal(stddev=1)"};
    for (int kind = 0; kind < 3; kind++) {
        cj_tensor *tensor = drawn(specs[kind], CJ_SHAPE(100000), 17);
        float *x = cj_tensor_data(tensor);
        double worst = 0;
        qsort(x, 100000, sizeof *x, by_value);
        for (int i = 0; i < 100000; i++) {
            const double share = share_below(kind, (double)x[i]);
            worst = fmax(worst, fmax(fabs(share - i / 1e5), fabs(share - (i + 1) / 1e5)));
        }
        if (worst > 1.95 / sqrt(100000))
            fail_msg("%s: the distance is %g", specs[kind], worst);
        cj_release(tensor);
    }
}

static void same_key_gives_the_same_numbers_and_another_key_others(void **state)
{
    (void)state;
    cj_tensor *a = drawn("he_normal", CJ_SHAPE(9, 7), 1), *b = drawn("HeNormal", CJ_SHAPE(9, 7), 1);
    cj_tensor *c = drawn("he_normal", CJ_SHAPE(9, 7), 2);
    assert_memory_equal(helper_floats(a), helper_floats(b), 63 * sizeof(float));
    assert_memory_not_equal(helper_floats(a), helper_floats(c), 63 * sizeof(float));
    cj_release(a);
    cj_release(b);
    cj_release(c);
}

static void unknown_names_are_answered_with_what_was_meant(void **state)
{
    (void)state;
    assert_null(cj_dense(3, .kernel_initializer = "glorot_unifrom"));
    assert_error_contains(
        "unknown initializer \"glorot_unifrom\": did you mean \"glorot_uniform\"?");
    assert_null(cj_dense(3, .kernel_regularizer = "l3"));
    assert_error_contains("unknown regularizer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_fill_with_one_number),
        cmocka_unit_test(distributions_have_their_moments),
        cmocka_unit_test(fans_of_a_convolution_count_its_window),
        cmocka_unit_test(orthogonal_rows_or_columns_are_orthonormal),
        cmocka_unit_test(patterns_are_those_of_image_processing),
        cmocka_unit_test(patterns_need_windows),
        cmocka_unit_test(distributions_pass_kolmogorov_and_smirnovs_test),
        cmocka_unit_test(same_key_gives_the_same_numbers_and_another_key_others),
        cmocka_unit_test(unknown_names_are_answered_with_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
