// Winograd's form of 3 x 3 convolutions and of their gradients, with tiles of both sizes, equals
// plain C's direct sum, for every instruction set.
#include "harness.h"
#include <math.h>
#include <string.h>

// The operands of one convolution, and what the truth, the fast kernel and the fast kernel again
// make of them.
typedef struct trial {
    const tables *t;
    cj__conv2d_args args;
    operand x, w, bias, dy;
    int64_t in, taps, out, pooled;
} trial;

static const int sides[] = {2, 4}; // of tiles

static trial trial_new(const tables *t, const cj__conv2d *s, int side, bool bias, cj__unary act,
                       int64_t pool)
{
    trial r = {.t = t,
               .in = s->n * s->h * s->w * s->c,
               .taps = 9 * s->c * s->f,
               .out = s->n * s->oh * s->ow * s->f};
    r.pooled = r.out / (pool * pool);
    r.x = operand_new(r.in, t->real_size);
    r.w = operand_new(r.taps, t->real_size);
    r.bias = operand_new(s->f > s->c ? s->f : s->c, t->real_size);
    r.dy = operand_new(r.out, t->real_size);
    fill_uniform(&r.x, -1, 1);
    fill_uniform(&r.w, -1, 1);
    fill_uniform(&r.bias, -1, 1);
    fill_uniform(&r.dy, -1, 1);
    r.args = (cj__conv2d_args){.s = *s,
                               .winograd = side,
                               .act = act,
                               .x = r.x.data,
                               .w = r.w.data,
                               .dy = r.dy.data,
                               .bias = bias ? r.bias.data : NULL,
                               .pool_h = pool,
                               .pool_w = pool};
    return r;
}

static void trial_free(trial *r)
{
    operand_free(&r->x), operand_free(&r->w), operand_free(&r->bias), operand_free(&r->dy);
}

// With operands below 1 the magnitudes of a sum of `terms` products add up to less than `terms`.
// The direct sum in order errs by up to half a unit of that for each term in the worst case;
// Winograd's sums are a ninth as long, but the transforms before and after add numbers up to 4 (V),
// 9/4 (U) and 9 (M) times as large. What is measured for signs that cancel (docs/kernels.md) is
// below 2 epsilon of the sum of magnitudes, for either form: that, and as much again in absolute
// terms where there are few. Tiles of 4 x 4 have factors up to 26 (V), 3 (U) and 61 (M), and are
// allowed two and a half times as much.
static double tolerance(const trial *r, int64_t terms)
{
    return (r->args.winograd == 4 ? 5 : 2) * (double)(terms + 16) * r->t->epsilon;
}

typedef struct outcome {
    operand y, place, dbias;
} outcome;

static outcome outcome_of(const trial *r, const cj__kernels *k, cj__conv2d_kind kind, int64_t count,
                          sharing how)
{
    cj__conv2d_args a = r->args;
    const int64_t places = kind == CJ__CONV2D_FORWARD ? r->pooled : 0;
    outcome o = {operand_new(count, r->t->real_size), operand_new(places, 1),
                 operand_new(a.s.f, r->t->real_size)};
    a.y = a.dx = a.dw = o.y.data;
    a.place = a.pool_h > 1 ? o.place.data : NULL;
    a.dbias = o.dbias.data;
    a.sums_dbias = kind == CJ__CONV2D_FILTER_GRAD;
    convolve(k, kind, &a, how);
    return o;
}

static void outcome_free(outcome *o)
{
    operand_free(&o->y), operand_free(&o->place), operand_free(&o->dbias);
}

static void assert_same_outcome(const outcome *a, const outcome *b, const char *what,
                                const tables *t)
{
    assert_same_bits(&a->y, &b->y, what, t);
    assert_same_bits(&a->place, &b->place, what, t);
    assert_same_bits(&a->dbias, &b->dbias, what, t);
}

// The element of `y`, not pooled, at which a place points; NAN where the place is "nowhere".
static double element_at_place(const trial *r, const operand *y, int64_t at, int64_t place)
{
    const cj__conv2d *s = &r->args.s;
    const int64_t pool = r->args.pool_h, high = s->oh / pool, wide = s->ow / pool, f = at % s->f;
    const int64_t col = at / s->f % wide, row = at / s->f / wide % high,
                  image = at / s->f / wide / high;
    if (place >= pool * pool)
        return (double)NAN;
    return operand_at(
        y,
        ((image * s->oh + row * pool + place / pool) * s->ow + col * pool + place % pool) * s->f +
            f);
}

// A place may differ from plain C's only where two elements of a window, or the greatest and 0, are
// equal but for rounding.
static void assert_places(const trial *r, const outcome *fast, const outcome *ref, double absolute)
{
    trial flat = *r;
    flat.args.pool_h = flat.args.pool_w = 0;
    flat.args.act = CJ__UNARY_NONE;
    flat.pooled = flat.out;
    outcome all = outcome_of(&flat, r->t->ref, CJ__CONV2D_FORWARD, r->out, SHARE_ALL);
    for (int64_t i = 0; i < r->pooled; i++) {
        const int64_t a = (int64_t)operand_at(&fast->place, i),
                      e = (int64_t)operand_at(&ref->place, i);
        const double at_a = element_at_place(r, &all.y, i, a),
                     at_e = element_at_place(r, &all.y, i, e);
        if (a != e && fabs((isnan(at_a) ? 0 : at_a) - (isnan(at_e) ? 0 : at_e)) > 2 * absolute)
            fail_msg("%s: place %lld of %lld is %lld, expected %lld (%.9g, %.9g)", r->t->fast->isa,
                     (long long)i, (long long)r->pooled, (long long)a, (long long)e, at_a, at_e);
    }
    outcome_free(&all);
}

static void assert_shared_as(const trial *r, cj__conv2d_kind kind, const outcome *expected,
                             const char *what)
{
    for (sharing how = SHARE_REVERSED; how <= SHARE_RANDOM; how++) {
        outcome again = outcome_of(r, r->t->fast, kind, expected->y.count, how);
        assert_same_outcome(&again, expected, what, r->t);
        outcome_free(&again);
    }
}

static void compare_kind(const trial *r, cj__conv2d_kind kind, int64_t count, int64_t terms,
                         const char *what)
{
    outcome ref = outcome_of(r, r->t->ref, kind, count, SHARE_ALL);
    outcome fast = outcome_of(r, r->t->fast, kind, count, SHARE_ALL);
    const double absolute = tolerance(r, terms);
    assert_close(&fast.y, &ref.y, 16 * r->t->epsilon, absolute, what, r->t);
    if (kind == CJ__CONV2D_FORWARD && r->args.pool_h > 1)
        assert_places(r, &fast, &ref, absolute);
    assert_close(&fast.dbias, &ref.dbias, 8 * r->t->epsilon, absolute, what, r->t);
    assert_shared_as(r, kind, &fast, what);
    outcome_free(&ref), outcome_free(&fast);
}

static void compare_side(const tables *t, const cj__conv2d *s, int side, bool bias, cj__unary act,
                         int64_t pool)
{
    trial r = trial_new(t, s, side, bias, act, pool);
    compare_kind(&r, CJ__CONV2D_FORWARD, r.pooled, 9 * s->c, "winograd");
    if (pool == 1) {
        compare_kind(&r, CJ__CONV2D_INPUT_GRAD, r.in, 9 * s->f, "winograd by input");
        compare_kind(&r, CJ__CONV2D_FILTER_GRAD, r.taps, s->n * s->oh * s->ow,
                     "winograd by filters");
    }
    trial_free(&r);
}

static void compare(const tables *t, const cj__conv2d *s, bool bias, cj__unary act, int64_t pool)
{
    for (int i = 0; i < 2; i++)
        compare_side(t, s, sides[i], bias, act, pool);
}

// Rounding is monotone: what is `error` away from `value` at most lies, rounded to bfloat16,
// between these two.
typedef struct bounds {
    double low, high;
} bounds;

static bounds rounded_near(const tables *t, double value, double error)
{
    operand o = operand_new(2, t->real_size);
    operand_put(&o, 0, value - error);
    operand_put(&o, 1, value + error);
    t->ref->round_bf16(2, o.data, o.data);
    const bounds b = {operand_at(&o, 0), operand_at(&o, 1)};
    operand_free(&o);
    return b;
}

// The place is wrong if another element of the window is greater once both are rounded, or as great
// and comes first, or if it is "nowhere" where one is above 0: as far as `error` leaves no doubt.
static void assert_rounded_place(const trial *r, const operand *y, int64_t at, int64_t place,
                                 double error)
{
    const bool nowhere = place >= 4;
    const bounds none = {0, 0};
    const bounds chosen =
        nowhere ? none : rounded_near(r->t, element_at_place(r, y, at, place), error);
    bool right = !nowhere || r->args.act == CJ__UNARY_relu;
    for (int64_t other = 0; other < 4; other++) {
        const bounds b = rounded_near(r->t, element_at_place(r, y, at, other), error);
        right = right && !(other < place && !nowhere ? b.low >= chosen.high : b.low > chosen.high);
    }
    if (!right || (!nowhere && r->args.act == CJ__UNARY_relu && !(chosen.high > 0)))
        fail_msg("%s, tiles of %d: place %lld of %lld is %lld", r->t->fast->isa, r->args.winograd,
                 (long long)at, (long long)r->pooled, (long long)place);
}

// Elements of a window are rounded before they are compared: so ties are won by the first, and
// places tell.
static void compare_rounded(const tables *t, const cj__conv2d *s, int side, cj__unary act,
                            int64_t pool)
{
    trial r = trial_new(t, s, side, pick(2), act, pool), flat = r;
    outcome ref = outcome_of(&r, t->ref, CJ__CONV2D_FORWARD, r.pooled, SHARE_ALL);
    flat.args.pool_h = flat.args.pool_w = 0;
    flat.args.act = CJ__UNARY_NONE;
    flat.pooled = flat.out;
    outcome all = outcome_of(&flat, t->ref, CJ__CONV2D_FORWARD, r.out, SHARE_ALL);
    r.args.to_bf16 = true;
    outcome fast = outcome_of(&r, t->fast, CJ__CONV2D_FORWARD, r.pooled, SHARE_ALL);
    const double absolute = tolerance(&r, 9 * s->c);
    for (int64_t i = 0; i < r.pooled; i++) {
        const double e = operand_at(&ref.y, i), a = operand_at(&fast.y, i);
        const bounds b = rounded_near(t, e, absolute + 16 * t->epsilon * fabs(e));
        if (!(a >= b.low && a <= b.high))
            fail_msg("%s, tiles of %d: element %lld of %lld is %.9g, not %.9g rounded",
                     t->fast->isa, side, (long long)i, (long long)r.pooled, a, e);
        if (pool > 1)
            assert_rounded_place(&r, &all.y, i, (int64_t)operand_at(&fast.place, i), absolute);
    }
    assert_shared_as(&r, CJ__CONV2D_FORWARD, &fast, "winograd, rounded");
    outcome_free(&ref), outcome_free(&all), outcome_free(&fast);
    trial_free(&r);
}

// Odd and even sizes, padding before and behind, outputs left away at the end, channels around
// whole vectors.
static cj__conv2d random_geometry(int64_t pool)
{
    cj__conv2d s = {.n = 1 + pick(5),
                    .h = 1 + pick(15),
                    .w = 1 + pick(15),
                    .c = 1 + pick(40),
                    .kh = 3,
                    .kw = 3,
                    .f = 1 + pick(70),
                    .sh = 1,
                    .sw = 1,
                    .dh = 1,
                    .dw = 1,
                    .groups = 1,
                    .top = pick(3),
                    .left = pick(3)};
    const int64_t rows = s.h + s.top + pick(2) - 2, cols = s.w + s.left + pick(2) - 2;
    s.oh = (rows - (rows > 2 ? pick(3) : 0)) / pool * pool;
    s.ow = (cols - (cols > 2 ? pick(3) : 0)) / pool * pool;
    return s;
}

static void random_of(const tables *t, int64_t pool)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_sigmoid};
    for (int round = 0; round < 120;) {
        const cj__conv2d s = random_geometry(pool);
        if (s.oh <= 0 || s.ow <= 0)
            continue;
        compare(t, &s, pick(2), acts[round % (pool > 1 ? 2 : 3)], pool);
        round++;
    }
}

static void random_plain_of(const tables *t)
{
    random_of(t, 1);
}

static void random_pooled_of(const tables *t)
{
    random_of(t, 2);
}

static void random_geometries_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_plain_of);
}

static void pooled_geometries_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_pooled_of);
}

static void rounded_of(const tables *t)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_sigmoid};
    for (int round = 0; round < 48;) {
        const int64_t pool = 1 + round % 2;
        const cj__conv2d s = random_geometry(pool);
        if (s.oh <= 0 || s.ow <= 0)
            continue;
        compare_rounded(t, &s, sides[round / 2 % 2], acts[round / 4 % (pool > 1 ? 2 : 3)], pool);
        round++;
    }
}

static void outputs_are_rounded_before_the_pool(void **unused)
{
    (void)unused;
    for_each_table(rounded_of);
}

static cj__conv2d square_of(int64_t n, int64_t size, int64_t c, int64_t f, int64_t pad)
{
    return (cj__conv2d){.n = n,
                        .h = size,
                        .w = size,
                        .c = c,
                        .kh = 3,
                        .kw = 3,
                        .f = f,
                        .oh = size + 2 * pad - 2,
                        .ow = size + 2 * pad - 2,
                        .sh = 1,
                        .sw = 1,
                        .dh = 1,
                        .dw = 1,
                        .top = pad,
                        .left = pad,
                        .groups = 1};
}

// Shapes that are cut: into several chunks, pieces and strips of images, and blocks of channels and
// of filters.
static void cut_of(const tables *t)
{
    const cj__conv2d shapes[] = {square_of(9, 13, 32, 64, 0),  square_of(1, 40, 3, 5, 1),
                                 square_of(2, 31, 17, 18, 1),  square_of(3, 2, 150, 300, 1),
                                 square_of(1, 6, 270, 140, 1), square_of(40, 4, 5, 9, 1),
                                 square_of(7, 14, 20, 100, 1), square_of(7, 14, 100, 20, 1)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        compare(t, &shapes[i], true, CJ__UNARY_relu, 1);
}

static void shapes_that_are_cut_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(cut_of);
}

// U larger than the caches: tasks make the columns that they need, and take the tiles in two lots.
static void many_filters_of(const tables *t)
{
    const cj__conv2d s = square_of(13, 3, 230, 300, 1), pooled = square_of(3, 4, 261, 270, 1);
    compare(t, &s, true, CJ__UNARY_relu, 1);
    compare(t, &pooled, true, CJ__UNARY_relu, 2);
}

static void many_filters_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(many_filters_of);
}

// The flag is ignored where the form does not exist: other windows, strides, dilations and groups,
// empty batches.
static void elsewhere_of(const tables *t)
{
    cj__conv2d shapes[6];
    for (int i = 0; i < 6; i++)
        shapes[i] = square_of(2, 9, 4, 6, 0);
    shapes[0].kh = 2, shapes[0].oh = 8;
    shapes[1].sw = 2, shapes[1].ow = 4;
    shapes[2].dh = 2, shapes[2].oh = 5;
    shapes[3].groups = 2;
    shapes[4].n = 0;
    shapes[5].kw = 1, shapes[5].ow = 9;
    for (int i = 0; i < 6; i++) {
        trial r = trial_new(t, &shapes[i], sides[i % 2], true, CJ__UNARY_NONE, 1);
        for (cj__conv2d_kind kind = CJ__CONV2D_FORWARD; kind < CJ__CONV2D_KINDS; kind++) {
            cj__job with, without;
            t->fast->conv2d_job[kind](&r.args, &with);
            r.args.winograd = 0;
            t->fast->conv2d_job[kind](&r.args, &without);
            r.args.winograd = sides[i % 2];
            assert_memory_equal(&with, &without, sizeof with);
        }
        trial_free(&r);
    }
}

static void other_geometries_stay_direct(void **unused)
{
    (void)unused;
    for_each_table(elsewhere_of);
}

// A NaN in x reaches every output whose window holds it, and none that is not of the tiles whose
// patches hold it.
static void nan_of(const tables *t, int side)
{
    const cj__conv2d s = square_of(1, 12, 3, 4, 0);
    trial r = trial_new(t, &s, side, false, CJ__UNARY_NONE, 1);
    // pixel (5, 5): windows 3 .. 5
    operand_put(&r.x, (5 * 12 + 5) * 3 + 1, (double)NAN);
    const int64_t first = side == 2 ? 2 : 0, last = side == 2 ? 5 : 7; // tiles 1 and 2, or 0 and 1
    outcome o = outcome_of(&r, t->fast, CJ__CONV2D_FORWARD, r.out, SHARE_ALL);
    for (int64_t at = 0; at < r.out; at++) {
        const int64_t row = at / 4 / 10, col = at / 4 % 10;
        if (row >= 3 && row <= 5 && col >= 3 && col <= 5)
            assert_true(isnan(operand_at(&o.y, at)));
        if (row < first || row > last || col < first || col > last)
            assert_true(isfinite(operand_at(&o.y, at)));
    }
    outcome_free(&o);
    trial_free(&r);
}

static void nan_of_both(const tables *t)
{
    nan_of(t, 2);
    nan_of(t, 4);
}

static void nan_stays_within_its_tiles(void **unused)
{
    (void)unused;
    for_each_table(nan_of_both);
}

// It pays for the usual shapes in float, and never where it does not exist, where channels or tiles
// are few, in double.
static void pays_of(const tables *t)
{
    const cj__conv2d shapes[] = {square_of(64, 13, 32, 64, 0), square_of(64, 13, 1, 32, 0),
                                 square_of(1, 2, 64, 64, 1), square_of(0, 13, 32, 64, 0),
                                 square_of(64, 3, 32, 64, 1)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (cj__conv2d_kind kind = CJ__CONV2D_FORWARD; kind < CJ__CONV2D_KINDS; kind++) {
            const cj__conv2d_args a = {.s = shapes[i], .act = CJ__UNARY_relu};
            assert_int_equal(t->fast->winograd_pays(&a, kind, 2),
                             i == 0 && t->real_size == sizeof(float));
            assert_int_equal(t->fast->winograd_pays(&a, kind, 4),
                             i == 0 && t->real_size == sizeof(float) && t->fast->lanes == 16);
        }
}

static void pays_where_it_should(void **unused)
{
    (void)unused;
    for_each_table(pays_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_geometries_equal_plain_c),
        cmocka_unit_test(pooled_geometries_equal_plain_c),
        cmocka_unit_test(shapes_that_are_cut_equal_plain_c),
        cmocka_unit_test(many_filters_equal_plain_c),
        cmocka_unit_test(other_geometries_stay_direct),
        cmocka_unit_test(nan_stays_within_its_tiles),
        cmocka_unit_test(pays_where_it_should),
        cmocka_unit_test(outputs_are_rounded_before_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
