// Reductions, softmax and the fused losses of every instruction set equal the plain C ones.
#include "harness.h"
#include <math.h>

typedef struct extent {
    int64_t outer, n, inner;
} extent;

// Small ones around the widths of vectors, none at all, and ones that need several blocks.
static extent random_extent(void)
{
    extent s = {pick(5), pick(40), pick(3) ? pick(70) : 1};
    if (pick(4) == 0)
        s = (extent){1, 200 + pick(400), 1 + pick(40)};
    if (pick(8) == 0)
        s = (extent){1 + pick(2), 1 + pick(20000), 1};
    return s;
}

// A sum of n numbers below 1 in size, in parts no longer than a block, errs by less than n units of
// the last place of 1; the greatest and least are exact.
static void compare_reductions(const tables *t, extent s, bool accumulate, bool worst)
{
    operand x = operand_new(s.outer * s.n * s.inner, t->real_size);
    operand y = operand_new(s.outer * s.inner, t->real_size),
            e = operand_new(s.outer * s.inner, t->real_size);
    for (int f = 0; f < CJ__REDUCTION_COUNT; f++) {
        fill_uniform(&x, -1, 1);
        if (worst && f != CJ__REDUCTION_sum)
            fill_worst(&x);
        fill_uniform(&y, -1, 1);
        operand_copy(&e, &y);
        t->ref->reduce[f](s.outer, s.n, s.inner, x.data, e.data, accumulate);
        t->fast->reduce[f](s.outer, s.n, s.inner, x.data, y.data, accumulate);
        assert_close(&y, &e, 0, f == CJ__REDUCTION_sum ? (double)(s.n + 1) * t->epsilon : 0,
                     "reduce", t);
    }
    operand_free(&x), operand_free(&y), operand_free(&e);
}

static void reductions_of(const tables *t)
{
    for (int round = 0; round < 300; round++)
        compare_reductions(t, random_extent(), round % 2, round % 3 == 0);
}

static void reductions_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(reductions_of);
}

// A long sum of equal numbers shows whether errors pile up: 2^20 times 0.1 in float, one after
// another, would be wrong in the third digit.
static void long_of(const tables *t)
{
    static const int64_t inners[] = {1, 3, 32};
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++) {
        const int64_t inner = inners[i], n = ((int64_t)1 << 20) / inner;
        operand x = operand_new(n * inner, t->real_size);
        operand y = operand_new(inner, t->real_size), e = operand_new(inner, t->real_size);
        fill_uniform(&x, 0.1, 0.1);
        for (int64_t j = 0; j < inner; j++)
            operand_put(&e, j, (double)n * operand_at(&x, j));
        t->fast->reduce[CJ__REDUCTION_sum](1, n, inner, x.data, y.data, false);
        assert_close(&y, &e, 1024 * t->epsilon, 0, "long sum", t);
        operand_free(&x), operand_free(&y), operand_free(&e);
    }
}

static void long_sums_keep_their_digits(void **unused)
{
    (void)unused;
    for_each_table(long_of);
}

// Numbers whose mean is `middle` times their deviation, which is about 1. The sum of a tile errs by
// as many units in its last place as additions follow each other, at most 512 (4096 in four vectors
// of two), and so do the distances of tiles' means from the whole mean: these are far below 1, and
// in the sum of squares they count n times. (A difference of squares would err by n times the square
// of the mean.)
static void compare_moments(const tables *t, extent s, double middle)
{
    const int64_t sets = s.outer * s.inner;
    const double unit = (middle + 2) * t->epsilon;
    operand x = operand_new(sets * s.n, t->real_size), mean = operand_new(sets, t->real_size),
            m2 = operand_new(sets, t->real_size), mean_e = operand_new(sets, t->real_size),
            m2_e = operand_new(sets, t->real_size);
    fill_uniform(&x, middle - 2, middle + 2);
    t->ref->moments(s.outer, s.n, s.inner, x.data, mean_e.data, m2_e.data);
    t->fast->moments(s.outer, s.n, s.inner, x.data, mean.data, m2.data);
    assert_close(&mean, &mean_e, 0, 512 * unit, "means", t);
    assert_close(&m2, &m2_e, 64 * t->epsilon, (double)s.n * 8 * unit, "squares of distances", t);
    operand_free(&x), operand_free(&mean), operand_free(&m2);
    operand_free(&mean_e), operand_free(&m2_e);
}

static void moments_of_table(const tables *t)
{
    for (int round = 0; round < 300; round++)
        compare_moments(t, random_extent(), (const double[]){0, 3, 1000}[round % 3]);
}

static void moments_equal_plain_c_however_large_the_mean(void **unused)
{
    (void)unused;
    for_each_table(moments_of_table);
}

// Parts that are merged give what the whole gives.
static void merging_of(const tables *t)
{
    enum { PARTS = 5, COUNT = 70, LAST = 13, N = (PARTS - 1) * COUNT + LAST };
    static const int64_t inners[] = {1, 3, 20};
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++) {
        const int64_t inner = inners[i];
        operand x = operand_new(N * inner, t->real_size);
        operand mean = operand_new(inner, t->real_size), m2 = operand_new(inner, t->real_size),
                mean_e = operand_new(inner, t->real_size), m2_e = operand_new(inner, t->real_size),
                means = operand_new(PARTS * inner, t->real_size),
                m2s = operand_new(PARTS * inner, t->real_size);
        fill_uniform(&x, 98, 102);
        t->ref->moments(1, N, inner, x.data, mean_e.data, m2_e.data);
        for (int64_t p = 0; p < PARTS; p++) {
            const size_t at = (size_t)(p * inner) * t->real_size;
            t->fast->moments(1, p + 1 < PARTS ? COUNT : LAST, inner, (char *)x.data + at * COUNT,
                             (char *)means.data + at, (char *)m2s.data + at);
        }
        t->fast->merge_moments(1, PARTS, inner, COUNT, LAST, means.data, m2s.data, mean.data,
                               m2.data);
        assert_close(&mean, &mean_e, 32 * t->epsilon, 0, "merged means", t);
        assert_close(&m2, &m2_e, 1e4 * t->epsilon, 0, "merged squares of distances", t);
        operand_free(&x), operand_free(&mean), operand_free(&m2), operand_free(&mean_e);
        operand_free(&m2_e), operand_free(&means), operand_free(&m2s);
    }
}

static void parts_that_are_merged_give_the_whole(void **unused)
{
    (void)unused;
    for_each_table(merging_of);
}

static void argmax_of(const tables *t)
{
    for (int round = 0; round < 200; round++) {
        extent s = random_extent();
        s.n++;
        operand x = operand_new(s.outer * s.n * s.inner, t->real_size);
        operand y = operand_new(s.outer * s.inner, sizeof(int32_t)),
                e = operand_new(s.outer * s.inner, sizeof(int32_t));
        fill_worst(&x);
        t->ref->argmax(s.outer, s.n, s.inner, x.data, e.data);
        t->fast->argmax(s.outer, s.n, s.inner, x.data, y.data);
        assert_same_bits(&y, &e, "argmax", t);
        operand_free(&x), operand_free(&y), operand_free(&e);
    }
}

static void argmax_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(argmax_of);
}

// Rows with ties, and with what is no number; labels that are right about half the time, and some
// that are no class.
static void correct_of(const tables *t)
{
    for (int round = 0; round < 200; round++) {
        const int64_t rows = pick(40), cols = 1 + pick(round % 4 ? 20 : 300);
        operand x = operand_new(rows * cols, t->real_size),
                label = operand_new(rows, sizeof(int32_t));
        int32_t *labels = label.data;
        if (round % 2)
            fill_worst(&x);
        else
            for (int64_t i = 0; i < x.count; i++)
                operand_put(&x, i, (double)pick(3));
        t->ref->argmax(rows, cols, 1, x.data, labels);
        for (int64_t r = 0; r < rows; r++)
            labels[r] = pick(2) ? labels[r] : (int32_t)(pick(cols + 2) - 1);
        assert_int_equal(t->fast->count_correct(rows, cols, x.data, labels),
                         t->ref->count_correct(rows, cols, x.data, labels));
        operand_free(&x), operand_free(&label);
    }
}

static void count_correct_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(correct_of);
}

static void squares_of(const tables *t)
{
    for (int64_t n = 0; n < 1500; n += 1 + n / 8) {
        operand x = operand_new(n, t->real_size), y = operand_new(1, sizeof(double)),
                e = operand_new(1, sizeof(double));
        fill_uniform(&x, -1, 1);
        operand_put(&e, 0, t->ref->sum_of_squares(n, x.data));
        operand_put(&y, 0, t->fast->sum_of_squares(n, x.data));
        assert_close(&y, &e, 1e-13, 0, "sum_of_squares", t); // double: 1500 roundings of 1e-16
        operand_free(&x), operand_free(&y), operand_free(&e);
    }
}

static void sum_of_squares_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(squares_of);
}

// Rows of logits with their probabilities, labels and gradients. Probabilities carry the error of
// exp (4 units), of a sum of `cols` terms and of a quotient; logarithms lie below 32 in size, and
// err by units of 32.
static void compare_softmax(const tables *t, int64_t rows, int64_t cols, double size)
{
    const int64_t n = rows * cols;
    const double some = (double)(cols / 8 + 8) * t->epsilon, logs = 64 * t->epsilon;
    operand x = operand_new(n, t->real_size), y = operand_new(n, t->real_size),
            e = operand_new(n, t->real_size);
    operand d = operand_new(n, t->real_size), loss = operand_new(rows, t->real_size);
    operand expected = operand_new(rows, t->real_size), label = operand_new(rows, sizeof(int32_t));
    fill_uniform(&x, -size, size);
    fill_uniform(&d, -1, 1);
    for (int64_t r = 0; r < rows; r++)
        ((int32_t *)label.data)[r] = (int32_t)pick(cols);
    t->ref->log_softmax(rows, cols, x.data, e.data);
    t->fast->log_softmax(rows, cols, x.data, y.data);
    assert_close(&y, &e, some, logs, "log_softmax", t);
    operand_copy(&y, &e);
    t->ref->log_softmax_grad(rows, cols, y.data, d.data, e.data);
    t->fast->log_softmax_grad(rows, cols, y.data, d.data, y.data);
    assert_close(&y, &e, some, (double)cols * some, "log_softmax_grad", t);
    t->ref->softmax_cross_entropy(rows, cols, x.data, label.data, e.data, expected.data);
    t->fast->softmax_cross_entropy(rows, cols, x.data, label.data, NULL, loss.data);
    assert_close(&loss, &expected, some, logs, "softmax_cross_entropy without probabilities", t);
    t->fast->softmax_cross_entropy(rows, cols, x.data, label.data, y.data, loss.data);
    assert_close(&y, &e, some, some, "softmax_cross_entropy", t);
    assert_close(&loss, &expected, some, logs, "softmax_cross_entropy", t);
    operand_copy(&y, &x);
    t->fast->softmax_cross_entropy(rows, cols, y.data, label.data, y.data, loss.data);
    assert_close(&y, &e, some, some, "softmax_cross_entropy in place", t);
    assert_close(&loss, &expected, some, logs, "softmax_cross_entropy in place", t);
    t->ref->softmax(rows, cols, x.data, e.data);
    t->fast->softmax(rows, cols, x.data, y.data);
    assert_close(&y, &e, some, some, "softmax", t);
    operand_copy(&y, &e);
    t->ref->softmax_grad(rows, cols, y.data, d.data, e.data);
    t->fast->softmax_grad(rows, cols, y.data, d.data, y.data);
    assert_close(&y, &e, some, some, "softmax_grad", t);
    t->ref->softmax_cross_entropy_grad(rows, cols, x.data, label.data, expected.data, e.data);
    t->fast->softmax_cross_entropy_grad(rows, cols, x.data, label.data, expected.data, y.data);
    assert_close(&y, &e, 4 * t->epsilon, 64 * t->epsilon, "softmax_cross_entropy_grad", t);
    operand_free(&x), operand_free(&y), operand_free(&e), operand_free(&d);
    operand_free(&loss), operand_free(&expected), operand_free(&label);
}

static void softmax_of(const tables *t)
{
    static const int64_t widths[] = {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 33, 64, 100, 257, 1000};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        compare_softmax(t, 3, widths[i], 4);
        compare_softmax(t, 1, widths[i], 15);
        compare_softmax(t, 0, widths[i], 1);
        compare_softmax(t, 37, widths[i], 4);
    }
}

static void softmax_and_its_losses_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(softmax_of);
}

// A row has the same bits whichever rows it is computed with.
static void split_of(const tables *t)
{
    static const int64_t widths[] = {1, 4, 10, 17, 32, 33, 70};
    enum { ROWS = 41 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const int64_t cols = widths[i];
        operand x = operand_new(ROWS * cols, t->real_size),
                label = operand_new(ROWS, sizeof(int32_t));
        operand p = operand_new(ROWS * cols, t->real_size), loss = operand_new(ROWS, t->real_size);
        operand part = operand_new(ROWS * cols, t->real_size),
                losses = operand_new(ROWS, t->real_size);
        fill_uniform(&x, -6, 6);
        for (int64_t r = 0; r < ROWS; r++)
            ((int32_t *)label.data)[r] = (int32_t)pick(cols);
        t->fast->softmax_cross_entropy(ROWS, cols, x.data, label.data, p.data, loss.data);
        for (int64_t r = 0, rows; r < ROWS; r += rows) {
            rows = 1 + pick(ROWS - r < 6 ? ROWS - r : 6); // by themselves, and a lane each
            const size_t row = (size_t)r * t->real_size, at = row * (size_t)cols;
            t->fast->softmax_cross_entropy(rows, cols, (char *)x.data + at,
                                           (int32_t *)label.data + r, (char *)part.data + at,
                                           (char *)losses.data + row);
        }
        assert_same_bits(&part, &p, "softmax_cross_entropy in pieces", t);
        assert_same_bits(&losses, &loss, "losses in pieces", t);
        t->fast->softmax(ROWS, cols, x.data, part.data);
        assert_same_bits(&part, &p, "softmax and softmax_cross_entropy", t);
        operand_free(&x), operand_free(&label), operand_free(&p), operand_free(&loss);
        operand_free(&part), operand_free(&losses);
    }
}

static void rows_do_not_depend_on_their_neighbours(void **unused)
{
    (void)unused;
    for_each_table(split_of);
}

// Logits so far apart that exp gives 0 on one side: results stay finite. A NaN makes its row NaN
// and no other.
static void extreme_of(const tables *t)
{
    operand x = operand_new(40, t->real_size), y = operand_new(40, t->real_size),
            e = operand_new(40, t->real_size);
    fill_uniform(&x, -1, 1);
    operand_put(&x, 3, 3e4);
    operand_put(&x, 12, -3e4);
    operand_put(&x, 25, (double)NAN);
    operand_put(&x, 33, -(double)INFINITY);
    t->ref->softmax(4, 10, x.data, e.data);
    t->fast->softmax(4, 10, x.data, y.data);
    assert_close(&y, &e, 16 * t->epsilon, t->epsilon, "softmax", t);
    t->ref->log_softmax(4, 10, x.data, e.data);
    t->fast->log_softmax(4, 10, x.data, y.data);
    assert_close(&y, &e, 16 * t->epsilon, 16 * t->epsilon, "log_softmax", t);
    operand_free(&x), operand_free(&y), operand_free(&e);
}

static void softmax_survives_extreme_logits(void **unused)
{
    (void)unused;
    for_each_table(extreme_of);
}

static void sigmoid_of(const tables *t)
{
    for (int64_t n = 0; n < 150; n += 1 + n / 5) {
        operand z = operand_new(n, t->real_size), target = operand_new(n, t->real_size);
        operand d = operand_new(n, t->real_size), y = operand_new(n, t->real_size),
                e = operand_new(n, t->real_size);
        fill_uniform(&z, -40, 40);
        fill_uniform(&target, 0, 1);
        fill_uniform(&d, -1, 1);
        t->ref->sigmoid_cross_entropy(n, z.data, target.data, e.data);
        t->fast->sigmoid_cross_entropy(n, z.data, target.data, y.data);
        // a difference of numbers below 40
        assert_close(&y, &e, 8 * t->epsilon, 64 * t->epsilon, "sigmoid_cross_entropy", t);
        t->ref->sigmoid_cross_entropy_grad(n, z.data, target.data, d.data, e.data);
        t->fast->sigmoid_cross_entropy_grad(n, z.data, target.data, d.data, y.data);
        assert_close(&y, &e, 8 * t->epsilon, 8 * t->epsilon, "sigmoid_cross_entropy_grad", t);
        operand_free(&z), operand_free(&target), operand_free(&d), operand_free(&y),
            operand_free(&e);
    }
}

static void sigmoid_losses_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(sigmoid_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions_equal_plain_c),
        cmocka_unit_test(long_sums_keep_their_digits),
        cmocka_unit_test(moments_equal_plain_c_however_large_the_mean),
        cmocka_unit_test(parts_that_are_merged_give_the_whole),
        cmocka_unit_test(argmax_equals_plain_c),
        cmocka_unit_test(count_correct_equals_plain_c),
        cmocka_unit_test(sum_of_squares_equals_plain_c),
        cmocka_unit_test(softmax_and_its_losses_equal_plain_c),
        cmocka_unit_test(rows_do_not_depend_on_their_neighbours),
        cmocka_unit_test(softmax_survives_extreme_logits),
        cmocka_unit_test(sigmoid_losses_equal_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
