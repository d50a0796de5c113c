// Pools of every instruction set equal the plain C ones.
#include "harness.h"
#include <string.h>

// A random geometry in which every window holds an element of the input, as padding made by a layer
// does.
static cj__pool2d random_pool(void)
{
    for (;;) {
        cj__pool2d s = {.n = 1 + pick(3), .h = 1 + pick(12), .w = 1 + pick(12), .c = 1 + pick(40)};
        s.kh = 1 + pick(4);
        s.kw = 1 + pick(4);
        s.sh = pick(2) ? s.kh : 1 + pick(4);
        s.sw = pick(2) ? s.kw : 1 + pick(4);
        s.top = pick(s.kh);
        s.left = pick(s.kw);
        const int64_t rows = s.h + s.top + pick(s.kh) - s.kh,
                      cols = s.w + s.left + pick(s.kw) - s.kw;
        if (rows < 0 || cols < 0)
            continue;
        s.oh = rows / s.sh + 1;
        s.ow = cols / s.sw + 1;
        if ((s.oh - 1) * s.sh - s.top < s.h && (s.ow - 1) * s.sw - s.left < s.w)
            return s;
    }
}

static cj__pool2d pool_of(int64_t n, int64_t size, int64_t c, int64_t k)
{
    return (cj__pool2d){.n = n,
                        .h = size,
                        .w = size,
                        .c = c,
                        .kh = k,
                        .kw = k,
                        .sh = k,
                        .sw = k,
                        .oh = size / k,
                        .ow = size / k};
}

// Runs both tables and compares everything; the fast one image by image, from the last.
static void compare_pools(const tables *t, const cj__pool2d *s, int worst)
{
    const int64_t in = s->n * s->h * s->w * s->c, out = s->n * s->oh * s->ow * s->c;
    const size_t index_size = s->kh * s->kw <= 256 ? sizeof(uint8_t) : sizeof(int32_t);
    operand x = operand_new(in, t->real_size), y = operand_new(out, t->real_size),
            e = operand_new(out, t->real_size);
    operand dx = operand_new(in, t->real_size), de = operand_new(in, t->real_size);
    operand index = operand_new(out, index_size), expected = operand_new(out, index_size);
    if (worst) {
        fill_worst(&x);
    } else {
        fill_uniform(&x, -3, 3);
        for (int64_t i = 0; i < in / 2; i++) // ties: the first of equal elements is remembered
            operand_put(&x, pick(in), 3);
    }
    t->ref->max_pool2d(s, x.data, e.data, expected.data, 0, s->n);
    for (int64_t image = s->n; image-- > 0;)
        t->fast->max_pool2d(s, x.data, y.data, index.data, image, image + 1);
    assert_close(&y, &e, 0, 0, "max_pool2d", t);
    assert_same_bits(&index, &expected, "max_pool2d index", t);
    t->fast->max_pool2d(s, x.data, y.data, NULL, 0, s->n);
    assert_close(&y, &e, 0, 0, "max_pool2d without index", t);
    t->ref->max_pool2d_gather(s, index.data, x.data, e.data, 0, s->n);
    t->fast->max_pool2d_gather(s, index.data, x.data, y.data, 0, s->n);
    assert_same_bits(&y, &e, "max_pool2d_gather", t);
    fill_uniform(&y, -1, 1);
    t->ref->max_pool2d_grad(s, index.data, y.data, de.data, 0, s->n);
    for (int64_t image = s->n; image-- > 0;)
        t->fast->max_pool2d_grad(s, index.data, y.data, dx.data, image, image + 1);
    assert_close(&dx, &de, 0, 0, "max_pool2d_grad", t); // the same additions in the same order
    if (!worst) {
        // Sums of up to 16 numbers below 3: each addition rounds by half a unit of a partial sum.
        t->ref->average_pool2d(s, x.data, e.data, 0, s->n);
        for (int64_t image = s->n; image-- > 0;)
            t->fast->average_pool2d(s, x.data, y.data, image, image + 1);
        assert_close(&y, &e, t->epsilon, 24 * t->epsilon, "average_pool2d", t);
        t->ref->average_pool2d_grad(s, e.data, de.data, 0, s->n);
        for (int64_t image = s->n; image-- > 0;)
            t->fast->average_pool2d_grad(s, e.data, dx.data, image, image + 1);
        // the same quotients, added in the same order
        assert_close(&dx, &de, 0, 0, "average_pool2d_grad", t);
    }
    operand_free(&x), operand_free(&y), operand_free(&e), operand_free(&dx), operand_free(&de);
    operand_free(&index), operand_free(&expected);
}

static void random_of(const tables *t)
{
    for (int round = 0; round < 250; round++) {
        const cj__pool2d s = random_pool();
        compare_pools(t, &s, 0);
    }
}

static void random_geometries_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_of);
}

static void worst_of(const tables *t)
{
    for (int round = 0; round < 100; round++) {
        const cj__pool2d s = random_pool();
        compare_pools(t, &s, 1);
    }
}

static void the_first_nan_wins_and_infinities_count(void **unused)
{
    (void)unused;
    for_each_table(worst_of);
}

static void usual_of(const tables *t)
{
    static const int64_t channels[] = {1, 2, 4, 8, 16, 20, 32, 64, 65};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int64_t size = 10; size <= 13; size++) {
            const cj__pool2d s = pool_of(2, size, channels[i], 2);
            compare_pools(t, &s, 0);
        }
}

static void windows_of_2x2_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(usual_of);
}

// A window of 17 x 17 has 289 places: the index is int32.
static void wide_of(const tables *t)
{
    for (int64_t k = 16; k <= 17; k++)
        for (int64_t c = 1; c <= 20; c++) {
            const cj__pool2d s = pool_of(2, 2 * k, c, k);
            compare_pools(t, &s, 1);
        }
}

static void wide_windows_remember_their_places(void **unused)
{
    (void)unused;
    for_each_table(wide_of);
}

static void whole_of(const tables *t)
{
    const cj__pool2d s = pool_of(3, 7, 37, 7);
    const cj__pool2d none = pool_of(0, 4, 3, 2);
    compare_pools(t, &s, 0);
    compare_pools(t, &none, 0);
}

static void a_window_may_be_the_whole_image_and_a_batch_empty(void **unused)
{
    (void)unused;
    for_each_table(whole_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_geometries_equal_plain_c),
        cmocka_unit_test(the_first_nan_wins_and_infinities_count),
        cmocka_unit_test(windows_of_2x2_equal_plain_c),
        cmocka_unit_test(wide_windows_remember_their_places),
        cmocka_unit_test(a_window_may_be_the_whole_image_and_a_batch_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
