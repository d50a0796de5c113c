// Convolutions with a max pool, whose output may be cut, and filter gradients with dbias or a
// pool's gradient, equal plain C. Operands are small integers: sums are exact, windows tie often,
// and places can be compared one for one.
#include "harness.h"
#include <math.h>
#include <string.h>

static operand integers(int64_t count, size_t size, int64_t most)
{
    operand o = operand_new(count, size);
    for (int64_t i = 0; i < count; i++)
        operand_put(&o, i, (double)(pick(2 * most + 1) - most));
    return o;
}

// Not for clang-format: a geometry a line.
// clang-format off
static const cj__conv2d geometries[] = {
    {.n = 3, .h = 9, .w = 10, .c = 1, .kh = 3, .kw = 3, .f = 32,
     .oh = 6, .ow = 6, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1},
    {.n = 2, .h = 6, .w = 6, .c = 1, .kh = 3, .kw = 3, .f = 49,
     .oh = 6, .ow = 6, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = 1, .left = 1, .groups = 1},
    {.n = 1, .h = 74, .w = 75, .c = 1, .kh = 3, .kw = 3, .f = 5,
     .oh = 72, .ow = 72, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1},
    {.n = 2, .h = 12, .w = 13, .c = 5, .kh = 2, .kw = 3, .f = 17,
     .oh = 6, .ow = 12, .sh = 2, .sw = 1, .dh = 1, .dw = 1, .top = 1, .left = 1, .groups = 1},
    {.n = 5, .h = 7, .w = 8, .c = 6, .kh = 3, .kw = 1, .f = 70,
     .oh = 6, .ow = 6, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = 1, .groups = 2},
    {.n = 17, .h = 8, .w = 20, .c = 3, .kh = 1, .kw = 5, .f = 9,
     .oh = 6, .ow = 6, .sh = 1, .sw = 2, .dh = 1, .dw = 2, .left = 2, .groups = 3},
    {.n = 1, .h = 6, .w = 6, .c = 16, .kh = 3, .kw = 3, .f = 130,
     .oh = 6, .ow = 6, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = 1, .left = 1, .groups = 1},
    {.n = 1, .h = 74, .w = 38, .c = 2, .kh = 3, .kw = 3, .f = 18,
     .oh = 72, .ow = 36, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1},
    {.n = 2, .h = 42, .w = 36, .c = 3, .kh = 1, .kw = 3, .f = 5,
     .oh = 42, .ow = 36, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .left = 1, .groups = 1},
    // in parts of the sum
    {.n = 1, .h = 6, .w = 6, .c = 260, .kh = 3, .kw = 3, .f = 261,
     .oh = 6, .ow = 6, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .top = 1, .left = 1, .groups = 1},
};
// clang-format on
enum { GEOMETRIES = sizeof geometries / sizeof geometries[0] };
static const int64_t pools[][2] = {{2, 2}, {3, 2}, {1, 2}, {2, 1}, {3, 3}};
enum { POOLS = sizeof pools / sizeof pools[0] };

static void compare_forward(const tables *t, cj__conv2d_args a, bool with_nan)
{
    const cj__conv2d *s = &a.s;
    const int64_t out = s->n * (s->oh / a.pool_h) * (s->ow / a.pool_w) * s->f;
    operand x = integers(s->n * s->h * s->w * s->c, t->real_size, a.to_bf16 ? 300 : 2),
            bias = integers(s->f, t->real_size, 3);
    operand w = integers(s->kh * s->kw * s->c / s->groups * s->f, t->real_size, 1);
    operand y = operand_new(out, t->real_size), e = operand_new(out, t->real_size);
    operand place = operand_new(out, 1), expected = operand_new(out, 1);
    if (with_nan)
        operand_put(&x, pick(s->n * s->h * s->w * s->c), (double)NAN);
    a.x = x.data;
    a.w = w.data;
    a.bias = pick(3) ? bias.data : NULL;
    a.y = e.data;
    a.place = expected.data;
    convolve(t->ref, CJ__CONV2D_FORWARD, &a, SHARE_ALL);
    a.y = y.data;
    a.place = place.data;
    for (int how = SHARE_ALL; how <= SHARE_RANDOM; how++) {
        memset(place.data, 0xee, (size_t)out);
        convolve(t->fast, CJ__CONV2D_FORWARD, &a, (sharing)how);
        assert_close(&y, &e, 0, 0, "conv2d with pool", t);
        assert_memory_equal(place.data, expected.data, (size_t)out);
    }
    a.place = NULL; // nobody needs it
    convolve(t->fast, CJ__CONV2D_FORWARD, &a, SHARE_ALL);
    assert_close(&y, &e, 0, 0, "conv2d with pool, without places", t);
    operand_free(&x), operand_free(&w), operand_free(&bias), operand_free(&y), operand_free(&e);
    operand_free(&place), operand_free(&expected);
}

static void forward_of(const tables *t)
{
    for (int g = 0; g < GEOMETRIES; g++)
        for (int p = 0; p < POOLS; p++)
            for (int how = 0; how < 4; how++)
                compare_forward(t,
                                (cj__conv2d_args){.s = geometries[g],
                                                  .pool_h = pools[p][0],
                                                  .pool_w = pools[p][1],
                                                  // then sums are beyond what bfloat16 holds
                                                  .to_bf16 = how == 3,
                                                  .act = how ? CJ__UNARY_relu : CJ__UNARY_NONE},
                                how == 2);
}

static void pooled_convolutions_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(forward_of);
}

// The filters' gradient with dbias; dy is plain, or that of a pool of `high` x `wide` with its
// places.
static void compare_filters(const tables *t, const cj__conv2d *s, int64_t high, int64_t wide)
{
    const int64_t out = s->n * (s->oh / high) * (s->ow / wide) * s->f;
    const int64_t filters = s->kh * s->kw * s->c / s->groups * s->f;
    operand x = integers(s->n * s->h * s->w * s->c, t->real_size, 2),
            dy = integers(out, t->real_size, 3);
    operand dw = operand_new(filters, t->real_size), e = operand_new(filters, t->real_size);
    operand dbias = operand_new(s->f, t->real_size), b = operand_new(s->f, t->real_size),
            place = operand_new(out, 1);
    for (int64_t i = 0; i < out; i++)
        // one place behind the window, too
        ((uint8_t *)place.data)[i] = (uint8_t)pick(high * wide + 1);
    cj__conv2d_args a = {
        .s = *s, .sums_dbias = true, .x = x.data, .dy = dy.data, .dw = e.data, .dbias = b.data};
    if (high * wide > 1) {
        a.pool_h = high;
        a.pool_w = wide;
        a.dy_place = place.data;
    }
    convolve(t->ref, CJ__CONV2D_FILTER_GRAD, &a, SHARE_ALL);
    a.dw = dw.data;
    a.dbias = dbias.data;
    for (int how = SHARE_ALL; how <= SHARE_RANDOM; how++) {
        convolve(t->fast, CJ__CONV2D_FILTER_GRAD, &a, (sharing)how);
        assert_close(&dw, &e, 0, 0, "dw", t);
        assert_close(&dbias, &b, 0, 0, "dbias", t);
    }
    operand_free(&x), operand_free(&dy), operand_free(&dw), operand_free(&e), operand_free(&dbias),
        operand_free(&b);
    operand_free(&place);
}

static void filters_of(const tables *t)
{
    for (int g = 0; g < GEOMETRIES; g++) {
        compare_filters(t, &geometries[g], 1, 1);
        for (int p = 0; p < POOLS; p++)
            compare_filters(t, &geometries[g], pools[p][0], pools[p][1]);
    }
}

static void filter_gradients_with_dbias_and_pools_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(filters_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooled_convolutions_equal_plain_c),
        cmocka_unit_test(filter_gradients_with_dbias_and_pools_equal_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
