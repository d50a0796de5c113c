// The pass fuse_elements: element-wise instructions in one give the bits of the single ones, with
// any number of threads; reductions of what they make add in another order.
#include "fixture.h"

#include "ops/elements.h"

#include <math.h>
#include <string.h>

enum { BATCH = 5, RESULTS = 6, THREADS = 3 };

// Images, and what is broadcast to them.
typedef struct operands {
    cj_symbol *x, *y, *vector, *row, *plane, *scalar;
} operands;

typedef struct expression {
    const char *name;
    void (*make)(fixture *f, const operands *o);
    bool reduces;
    int calls; // with the pass
} expression;

static cj_symbol *unary(fixture *f, cj__unary function, cj_symbol *x)
{
    return cj__apply_unary(&f->g, function, x, 0.3, 0.7);
}

static void chain(fixture *f, const operands *o)
{
    cj_symbol *t = cj__add(&f->g, cj__mul(&f->g, o->x, o->vector), o->vector);
    fixture_output(f, unary(f, CJ__UNARY_relu, cj__sub(&f->g, t, o->y)));
}

static void tree(fixture *f, const operands *o)
{
    cj_symbol *a = cj__mul(&f->g, unary(f, CJ__UNARY_tanh, o->x), o->row);
    cj_symbol *b = cj__div(&f->g, cj__shift(&f->g, o->y, 3), unary(f, CJ__UNARY_exp, o->y));
    cj_symbol *c = cj__apply_binary(&f->g, CJ__BINARY_maximum, a, cj__mul(&f->g, b, o->scalar));
    fixture_output(f, cj__add(&f->g, cj__mul(&f->g, c, o->plane), unary(f, CJ__UNARY_clip, b)));
}

// What is read outside is stored too, and what is read twice is computed once.
static void several_results(fixture *f, const operands *o)
{
    cj_symbol *a = cj__sub(&f->g, o->x, o->vector), *b = unary(f, CJ__UNARY_square, a);
    fixture_output(f, b);
    fixture_output(f, a);
    fixture_output(f, cj__mul(&f->g, a, cj__add(&f->g, b, o->row)));
}

static void conditions(fixture *f, const operands *o)
{
    cj_symbol *c = cj__compare(&f->g, CJ__COMPARISON_greater, o->x, o->vector);
    cj_symbol *d = cj__select(&f->g, c, cj__mul(&f->g, o->x, o->y), o->row);
    cj_symbol *mask =
        cj__cast(&f->g, cj__compare(&f->g, CJ__COMPARISON_less, d, o->y), cj_symbol_dtype(o->x));
    fixture_output(f, cj__mul(&f->g, mask, cj__round_bf16(&f->g, d)));
    fixture_output(f, cj__cast(&f->g, d, CJ_I32));
}

static void stretched(fixture *f, const operands *o)
{
    cj_symbol *a = cj__broadcast_like(&f->g, o->vector, o->x);
    cj_symbol *b = cj__broadcast_like(&f->g, o->plane, o->x);
    fixture_output(f, cj__add(&f->g, unary(f, CJ__UNARY_square, a), cj__mul(&f->g, b, o->y)));
    fixture_output(f, cj__mul(&f->g, a, o->x));
}

static void scalars(fixture *f, const operands *o)
{
    cj_symbol *a = cj__shift(&f->g, cj__scale(&f->g, o->scalar, 3), 1);
    fixture_output(f, unary(f, CJ__UNARY_sqrt, unary(f, CJ__UNARY_exp, a)));
}

// Sums over all but the last axis of several values, as normalisation wants them.
static void sums_of_columns(fixture *f, const operands *o)
{
    cj_symbol *a = cj__sub(&f->g, o->x, o->vector);
    fixture_output(f, cj__sum(&f->g, cj__mul(&f->g, a, o->y), 7, false));
    fixture_output(f, cj__mean(&f->g, unary(f, CJ__UNARY_square, a), 7, true));
    fixture_output(f, cj__sum_like(&f->g, unary(f, CJ__UNARY_tanh, a), o->vector));
    fixture_output(f, a);
}

static void sums_of_rows(fixture *f, const operands *o)
{
    cj_symbol *a = cj__mul(&f->g, o->x, o->row);
    fixture_output(f, cj__mean(&f->g, cj__mul(&f->g, a, o->y), 8, true));
    fixture_output(f, cj__max(&f->g, unary(f, CJ__UNARY_absolute, a), 8, false));
}

static void sums_of_all(fixture *f, const operands *o)
{
    cj_symbol *a = cj__sub(&f->g, o->x, o->y);
    fixture_output(f, cj__sum(&f->g, unary(f, CJ__UNARY_square, a), 15, false));
    fixture_output(f, cj__min(&f->g, cj__mul(&f->g, a, o->vector), 15, true));
    fixture_output(f, cj__max(&f->g, o->x, 15, false));
    fixture_output(f, unary(f, CJ__UNARY_tanh, a));
}

// Reductions of one value beside each other; one that is in the middle stays alone.
static void mixed(fixture *f, const operands *o)
{
    cj_symbol *a = cj__mul(&f->g, o->x, o->y);
    fixture_output(f, cj__sum(&f->g, a, 7, false));
    fixture_output(f, cj__sum(&f->g, a, 15, false));
    fixture_output(f, cj__sum(&f->g, a, 2, false));
    fixture_output(f, cj__add(&f->g, a, o->plane));
}

// The last sum of `a` joins the others, although what reads one of them stands between.
static void sums_around_a_reader(fixture *f, const operands *o)
{
    cj_symbol *a = cj__mul(&f->g, o->x, o->y);
    cj_symbol *b = cj__softmax(&f->g, cj__sum(&f->g, cj__mul(&f->g, a, o->vector), 7, false));
    fixture_output(f, b);
    fixture_output(f, cj__sum_like(&f->g, a, o->vector));
}

// No instruction may join what it needs the end of.
static void normalised(fixture *f, const operands *o)
{
    cj_symbol *a = cj__sub(&f->g, o->x, cj__mean(&f->g, o->x, 7, false));
    cj_symbol *v = cj__mean(&f->g, unary(f, CJ__UNARY_square, a), 7, false);
    cj_symbol *r = unary(f, CJ__UNARY_rsqrt, cj__shift(&f->g, v, 0.1));
    fixture_output(f, unary(f, CJ__UNARY_relu, cj__mul(&f->g, a, cj__mul(&f->g, r, o->vector))));
}

static const expression expressions[] = {
    {"chain", chain, false, 1},
    {"tree", tree, false, 1},
    {"several results", several_results, false, 1},
    {"conditions", conditions, false, 1},
    {"stretched", stretched, false, 1},
    {"scalars", scalars, false, 4},
    {"sums of columns", sums_of_columns, true, 1},
    {"sums of rows", sums_of_rows, true, 1},
    {"sums of all", sums_of_all, true, 1},
    {"mixed", mixed, true, 3},
    {"sums around a reader", sums_around_a_reader, true, 2},
    {"normalised", normalised, true, 6},
};
enum { EXPRESSIONS = sizeof expressions / sizeof expressions[0], INPUTS = 6 };

// Lengths around tiles, vectors and pieces.
static const int64_t sizes[][3] = {{1, 1, 1},    {3, 1, 7},   {7, 5, 16},   {1, 9, 1023},
                                   {2, 3, 1025}, {40, 41, 3}, {33, 31, 32}, {1, 2, 5000}};

typedef struct results {
    cj_tensor *out[RESULTS];
    int count;
} results;

static void run(const expression *e, cj_dtype dtype, const int64_t *size, const char *off,
                int threads, results *r)
{
    const cj_shape shapes[INPUTS] = {CJ_SHAPE(BATCH, size[0], size[1], size[2]),
                                     CJ_SHAPE(BATCH, size[0], size[1], size[2]),
                                     CJ_SHAPE(size[2]),
                                     CJ_SHAPE(BATCH, size[0], size[1], 1),
                                     CJ_SHAPE(size[0], size[1], size[2]),
                                     {0}};
    fixture f = {.pool = cj_pool_new(threads)};
    cj_symbol *in[INPUTS];
    cj_tensor *given[INPUTS];
    for (unsigned i = 0; i < INPUTS; i++) {
        in[i] = fixture_input_of(&f, dtype, shapes[i]);
        given[i] = fixture_tensor_of(dtype, shapes[i]);
        fixture_fill(given[i], i + 1);
    }
    e->make(&f, &(operands){in[0], in[1], in[2], in[3], in[4], in[5]});
    r->count = f.output_count;
    for (int k = 0; k < r->count; k++)
        r->out[k] =
            fixture_tensor_of(cj_symbol_dtype(f.outputs[k]), *cj_symbol_shape(f.outputs[k]));
    cj_function *function = fixture_function(&f, off);
    if (!function || cj_function_call(function, given, r->out) != CJ_OK)
        fail_msg("%s: %s", e->name, cj_error());
    if (!off && size[2] > 1 && size[0] > 3) {
        char calls[32];
        snprintf(calls, sizeof calls, ": %d calls", e->calls);
        if (fixture_planned(function, 1, calls) != 1)
            fail_msg("%s:\n%s", e->name, fixture_plan(function, 1));
    }
    for (int i = 0; i < INPUTS; i++)
        cj_release(given[i]);
    cj_release(function);
}

static void forget(results *r)
{
    for (int k = 0; k < r->count; k++)
        cj_release(r->out[k]);
}

// Sums of as many terms of size 1 as there are elements.
static void expect_near(const expression *e, const cj_tensor *a, const cj_tensor *b)
{
    const double epsilon = a->dtype == CJ_F64 ? 1e-15 : 1e-6;
    for (int64_t i = 0; i < cj_tensor_count(a); i++)
        if (fabs(fixture_get(a, i) - fixture_get(b, i)) >
            100 * epsilon + 1000 * epsilon * fabs(fixture_get(b, i)))
            fail_msg("%s: %.9g is not %.9g", e->name, fixture_get(a, i), fixture_get(b, i));
}

static void compare(const expression *e, cj_dtype dtype, const int64_t *size)
{
    results plain, first, again;
    run(e, dtype, size, "-fuse_elements", 1, &plain);
    run(e, dtype, size, NULL, 1, &first);
    for (int k = 0; k < plain.count; k++) {
        if (e->reduces)
            expect_near(e, first.out[k], plain.out[k]);
        else
            fixture_expect_same(first.out[k], plain.out[k]);
    }
    for (int threads = 2; threads <= THREADS; threads++) {
        run(e, dtype, size, NULL, threads, &again);
        for (int k = 0; k < first.count; k++)
            fixture_expect_same(again.out[k], first.out[k]);
        forget(&again);
    }
    forget(&plain), forget(&first);
}

static void bits_are_those_of_single_instructions(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXPRESSIONS; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            if (expressions[i].reduces)
                continue;
            compare(&expressions[i], CJ_F32, sizes[s]);
            compare(&expressions[i], CJ_F64, sizes[s]);
        }
}

static void reductions_differ_by_the_order_of_their_sums_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXPRESSIONS; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            if (!expressions[i].reduces)
                continue;
            compare(&expressions[i], CJ_F32, sizes[s]);
            compare(&expressions[i], CJ_F64, sizes[s]);
        }
}

// A chain longer than a program may be is several.
static void long_chains_are_cut(void **state)
{
    enum { LENGTH = 100, COUNT = 200 };
    fixture f = {0};
    cj_symbol *chained = fixture_input(&f, CJ_SHAPE(CJ_BATCH, COUNT));
    cj_tensor *x = fixture_tensor(CJ_SHAPE(1, COUNT), NULL);
    cj_tensor *y = fixture_tensor(CJ_SHAPE(1, COUNT), NULL);
    (void)state;
    fixture_fill_whole(x, 1, 100);
    for (int i = 0; i < LENGTH; i++)
        chained = cj__add(&f.g, chained, cj__scalar(&f.g, CJ_F32, i));
    fixture_output(&f, chained);
    cj_function *function = fixture_function(&f, NULL);
    assert_non_null(function);
    assert_int_equal(cj_function_call(function, &x, &y), CJ_OK);
    for (int i = 0; i < COUNT; i++)
        assert_near(fixture_get(y, i), fixture_get(x, i) + 4950, 0, 0);
    assert_in_range(fixture_planned(function, 1, " elements"), 4, 10);
    cj_release(function), cj_release(x), cj_release(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_those_of_single_instructions),
        cmocka_unit_test(reductions_differ_by_the_order_of_their_sums_alone),
        cmocka_unit_test(long_chains_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
