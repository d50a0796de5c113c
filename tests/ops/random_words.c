// The operators of cajal/ops_random.h: moments, bounds and Kolmogorov-Smirnov distances of 20,000 numbers,
// the same bits for any number of threads, other numbers in another step.
//
// Tolerances: a mean of n numbers with deviation s errs by s / sqrt n; five times that is allowed. The
// distance of Kolmogorov and Smirnov is below 1.95 / sqrt n with a probability of 99.9 %; the numbers are
// fixed by the seeds, so the tests do not waver.
#include "support.h"

#include <cajal/ops_random.h>
#include <cajal/ops_shape.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 20000 };

static cj_symbol *step_of(int64_t step)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_new(CJ_I64, (cj_shape){.rank = 0}, &tensor), CJ_OK);
    *(int64_t *)cj_tensor_data(tensor) = step;
    return cj_symbol_constant(tensor);
}

static cj_symbol *like(void)
{
    return cj_op_zeros(CJ_SHAPE(COUNT), CJ_F32);
}

static cj_symbol *full(double value)
{
    return cj_op_full(CJ_SHAPE(COUNT), value, CJ_F32);
}

// Runs what has no inputs into `numbers`, COUNT of them, on so many threads.
static void draw(cj_symbol *y, int threads, double *numbers)
{
    cj_tensor *result = NULL;
    if (!y)
        fail_msg("%s", cj_error());
    cj_symbol *real = cj_op_cast(y, CJ_F64);
    cj_function *function =
        cj_function(.outputs = &real, .output_count = 1, .pool = cj_pool_new(threads));
    if (!function)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_tensor_new(CJ_F64, *cj_symbol_shape(real), &result), CJ_OK);
    assert_int_equal(cj_tensor_count(result), COUNT);
    if (cj_function_call(function, NULL, &result) != CJ_OK)
        fail_msg("%s", cj_error());
    memcpy(numbers, cj_tensor_data(result), COUNT * sizeof *numbers);
    cj_release(result);
    cj_release(function);
}

static void expect_moments(const char *what, const double *numbers, double mean, double deviation)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++)
        sum += numbers[i] / COUNT;
    for (int i = 0; i < COUNT; i++)
        squares += (numbers[i] - sum) * (numbers[i] - sum) / COUNT;
    if (!(fabs(sum - mean) <= 5 * deviation / sqrt(COUNT)) ||
        !(fabs(sqrt(squares) / deviation - 1) <= 0.05))
        fail_msg("%s: mean %g and deviation %g, not %g and %g", what, sum, sqrt(squares), mean,
                 deviation);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef double distribution(double x);

static void expect_distribution(const char *what, double *numbers, distribution *below)
{
    double distance = 0;
    qsort(numbers, COUNT, sizeof *numbers, by_size);
    for (int i = 0; i < COUNT; i++) {
        distance = fmax(distance, fabs(below(numbers[i]) - (double)i / COUNT));
        distance = fmax(distance, fabs(below(numbers[i]) - (double)(i + 1) / COUNT));
    }
    if (distance > 1.95 / sqrt(COUNT))
        fail_msg("%s: the distance is %g", what, distance);
}

static double below_uniform(double x)
{
    return (x + 1) / 3;
}

static double below_normal(double x)
{
    return erfc(-(x - 1) / 2 / sqrt(2)) / 2;
}

static double below_truncated(double x)
{
    return (erf((x - 1) / 2 / sqrt(2)) / erf(sqrt(2)) + 1) / 2;
}

// Of shape 2: 1 - e^-x (1 + x). Of (2, 1): x^2. Of shape 1/2: erf(sqrt x).
static double below_gamma_2(double x)
{
    return 1 - exp(-x) * (1 + x);
}

static double below_gamma_half(double x)
{
    return erf(sqrt(x));
}

static double below_beta_2_1(double x)
{
    return x * x;
}

static void numbers_have_their_distributions(void **state)
{
    double *x = malloc(COUNT * sizeof *x);
    (void)state;
    assert_non_null(x);
    draw(cj_op_random_uniform(like(), -1, 2, 3, NULL), 1, x);
    expect_moments("uniform", x, 0.5, sqrt(0.75));
    expect_distribution("uniform", x, below_uniform);
    assert_true(x[0] >= -1 && x[COUNT - 1] < 2);
    draw(cj_op_random_normal(like(), 1, 2, 3, NULL), 1, x);
    expect_moments("normal", x, 1, 2);
    expect_distribution("normal", x, below_normal);
    draw(cj_op_random_truncated_normal(like(), 1, 2, 3, NULL), 1, x);
    expect_moments("truncated_normal", x, 1, 2 * 0.8796256610342398);
    expect_distribution("truncated_normal", x, below_truncated);
    assert_true(x[0] >= -3 && x[COUNT - 1] <= 5);
    draw(cj_op_random_gamma(full(2), 3, NULL), 1, x);
    expect_moments("gamma", x, 2, sqrt(2));
    expect_distribution("gamma", x, below_gamma_2);
    draw(cj_op_random_gamma(full(0.5), 3, NULL), 1, x);
    expect_distribution("gamma of 1/2", x, below_gamma_half);
    draw(cj_op_random_beta(full(2), full(1), 3, NULL), 1, x);
    expect_moments("beta", x, 2.0 / 3, sqrt(1.0 / 18));
    expect_distribution("beta", x, below_beta_2_1);
    free(x);
}

static void whole_numbers_have_their_frequencies(void **state)
{
    double *x = malloc(COUNT * sizeof *x);
    int seen[8] = {0};
    (void)state;
    assert_non_null(x);
    draw(cj_op_random_randint(like(), -3, 4, 5, NULL), 1, x);
    expect_moments("randint", x, 0, 2);
    for (int i = 0; i < COUNT; i++) {
        assert_true(x[i] >= -3 && x[i] <= 3);
        seen[(int)x[i] + 3]++;
    }
    for (int i = 0; i < 7; i++)
        assert_near(seen[i], COUNT / 7.0, 5 * sqrt(COUNT / 7.0), 0);
    const double counts[] = {5, 100, 1000}, chances[] = {0.3, 0.9, 0.002};
    for (int i = 0; i < 3; i++) {
        draw(cj_op_random_binomial(full(counts[i]), full(chances[i]), 3, NULL), 1, x);
        expect_moments("binomial", x, counts[i] * chances[i],
                       sqrt(counts[i] * chances[i] * (1 - chances[i])));
    }
    draw(cj_op_random_dropout(full(1), 0.25, 3, NULL), 1, x);
    expect_moments("dropout", x, 1, sqrt(1 / 0.75 - 1));
    free(x);
}

// Logits ln 1, ln 2, ln 5, for each of two samples 10,000 times.
static void classes_are_drawn_by_their_probabilities(void **state)
{
    double *x = malloc(COUNT * sizeof *x);
    const float logits[] = {0, 0.69314718f, 1.6094379f, 0, 0.69314718f, 1.6094379f};
    cj_tensor *tensor = NULL;
    int seen[3] = {0};
    (void)state;
    assert_non_null(x);
    assert_int_equal(cj_tensor_from(CJ_F32, CJ_SHAPE(2, 3), logits, 6, &tensor), CJ_OK);
    draw(cj_op_random_categorical(cj_symbol_constant(tensor), COUNT / 2, 3, NULL), 1, x);
    for (int i = 0; i < COUNT; i++)
        seen[(int)x[i]]++;
    for (int i = 0; i < 3; i++) {
        const double share = (i == 0 ? 1 : i == 1 ? 2 : 5) / 8.0;
        assert_near(seen[i], COUNT * share, 5 * sqrt(COUNT * share * (1 - share)), 0);
    }
    free(x);
}

static void a_shuffle_has_each_entry_once(void **state)
{
    double *x = malloc(COUNT * sizeof *x);
    int moved = 0;
    (void)state;
    assert_non_null(x);
    draw(cj_op_random_shuffle(cj_op_arange(0, COUNT, 1, CJ_I32), 0, 3, NULL), 1, x);
    for (int i = 0; i < COUNT; i++)
        moved += (int)x[i] != i;
    assert_true(moved > COUNT - 10);
    qsort(x, COUNT, sizeof *x, by_size);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal((int)x[i], i);
    free(x);
}

// Each kind of number for a seed and a step.
static cj_symbol *kind(int which, uint64_t seed, int64_t step)
{
    cj_symbol *at = step_of(step);
    switch (which) {
    case 0:
        return cj_op_random_uniform(like(), 0, 1, seed, at);
    case 1:
        return cj_op_random_normal(like(), 0, 1, seed, at);
    case 2:
        return cj_op_random_truncated_normal(like(), 0, 1, seed, at);
    case 3:
        return cj_op_random_randint(like(), 0, 1 << 30, seed, at);
    case 4:
        return cj_op_random_gamma(full(1.5), seed, at);
    case 5:
        return cj_op_random_beta(full(1.5), full(2), seed, at);
    case 6:
        return cj_op_random_binomial(full(5000), full(0.4), seed, at);
    case 7:
        return cj_op_random_shuffle(cj_op_arange(0, COUNT, 1, CJ_F32), 0, seed, at);
    default:
        return cj_op_random_dropout(full(1), 0.5, seed, at);
    }
}

static void numbers_follow_from_seed_and_step_alone(void **state)
{
    double *x = malloc(COUNT * sizeof *x), *y = malloc(COUNT * sizeof *y);
    (void)state;
    assert_non_null(x);
    assert_non_null(y);
    for (int which = 0; which < 9; which++) {
        draw(kind(which, 7, 4), 1, x);
        for (int threads = 2; threads <= 3; threads++) {
            draw(kind(which, 7, 4), threads, y);
            assert_memory_equal(x, y, COUNT * sizeof *x);
        }
        draw(kind(which, 7, 5), 1, y);
        assert_memory_not_equal(x, y, COUNT * sizeof *x);
        draw(kind(which, 8, 4), 1, y);
        assert_memory_not_equal(x, y, COUNT * sizeof *x);
    }
    draw(cj_op_random_uniform(like(), 0, 1, 7, NULL), 1, x);
    draw(cj_op_random_uniform(like(), 0, 1, 7, step_of(0)), 1, y);
    assert_memory_equal(x, y, COUNT * sizeof *x);
    free(x), free(y);
}

static void wrong_arguments_get_their_sentence(void **state)
{
    (void)state;
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)
    REFUSED(cj_op_random_randint(like(), 3, 3, 0, NULL), "random_randint: 3 .. 3");
    REFUSED(cj_op_random_uniform(like(), 0, INFINITY, 0, NULL), "random_uniform: 0 and inf");
    REFUSED(cj_op_random_dropout(like(), 1.5, 0, NULL), "rate 1.5 is outside 0..1");
    REFUSED(cj_op_random_categorical(like(), 2, 0, NULL), "by logits of 1 axes");
    REFUSED(cj_op_random_normal(like(), 0, 1, 0, like()), "random_normal: input 1 is float32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_their_distributions),
        cmocka_unit_test(whole_numbers_have_their_frequencies),
        cmocka_unit_test(classes_are_drawn_by_their_probabilities),
        cmocka_unit_test(a_shuffle_has_each_entry_once),
        cmocka_unit_test(numbers_follow_from_seed_and_step_alone),
        cmocka_unit_test(wrong_arguments_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
