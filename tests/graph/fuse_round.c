// Roundings inside convolutions give the bits of roundings that are instructions, with and without
// a pool, in each form.
#include "fixture.h"

#include <string.h>

#include "kernels/kernels.h"
#include <math.h>
#include <stdio.h>

// A layer: with `most` above 0 operands are whole numbers, the filters' up to that, else they lie
// between -1 and 1.
typedef struct layer {
    int64_t channels, filters;
    bool biased, pools;
    int most;
} layer;

enum { BATCH = 31, SIZE = 11, RESULTS = 4 }; // in blocks one lane is idle

// y = round(pool(round(relu(conv(round(x), round(w)) + round(b))))) and the gradients of sum y^2 by
// x, w and, where there is one, b.
static cj_function *make(const layer *l, const char *off)
{
    fixture f = {0};
    cj_symbol *xs[] = {fixture_input(&f, CJ_SHAPE(CJ_BATCH, SIZE, SIZE, l->channels)),
                       fixture_input(&f, CJ_SHAPE(3, 3, l->channels, l->filters)),
                       fixture_input(&f, CJ_SHAPE(l->filters))};
    const cj__conv2d_attrs conv = {.strides = {1, 1}, .dilation = {1, 1}, .groups = 1};
    cj_symbol *y =
        cj__conv2d_symbol(&f.g, cj__round_bf16(&f.g, xs[0]), cj__round_bf16(&f.g, xs[1]), &conv);
    y = l->biased ? cj__add(&f.g, y, cj__round_bf16(&f.g, xs[2])) : y;
    y = cj__round_bf16(&f.g, cj__apply_unary(&f.g, CJ__UNARY_relu, y, 0, 0));
    if (l->pools)
        y = cj__round_bf16(
            &f.g, cj__max_pool2d(&f.g, y, &(cj__pool2d_attrs){.size = {2, 2}, .strides = {2, 2}}));
    fixture_output(&f, y);
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
    f.output_count = l->biased ? RESULTS : RESULTS - 1;
    assert_int_equal(cj__gradients(&f.g, loss, xs, f.output_count - 1, f.outputs + 1), CJ_OK);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

static void run(const layer *l, const char *off, cj_tensor **out)
{
    const int64_t size = l->pools ? (SIZE - 2) / 2 : SIZE - 2;
    const cj_shape shapes[] = {CJ_SHAPE(BATCH, SIZE, SIZE, l->channels),
                               CJ_SHAPE(3, 3, l->channels, l->filters), CJ_SHAPE(l->filters)};
    cj_function *function = make(l, off);
    cj_tensor *in[RESULTS - 1];
    for (unsigned i = 0; i < RESULTS - 1; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        if (l->most > 0)
            fixture_fill_whole(in[i], 3 + i, i == 1 ? l->most : 16);
        else
            fixture_fill(in[i], 3 + i);
        out[i + 1] = fixture_tensor(shapes[i], NULL);
    }
    out[0] = fixture_tensor(CJ_SHAPE(BATCH, size, size, l->filters), NULL);
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < RESULTS - 1; i++)
        cj_release(in[i]);
    cj_release(function);
}

static void release(cj_tensor **results)
{
    for (int i = 0; i < RESULTS; i++)
        cj_release(results[i]);
}

// How often the plan has a word.
static int planned(const layer *l, const char *off, const char *word)
{
    cj_function *function = make(l, off);
    const int count = fixture_planned(function, BATCH, word);
    cj_release(function);
    return count;
}

static void compare(const layer *l, const char *off, const char *off_too)
{
    cj_tensor *fused[RESULTS], *plain[RESULTS];
    assert_true(planned(l, off, " round_bf16") < planned(l, off_too, " round_bf16 "));
    run(l, off, fused);
    run(l, off_too, plain);
    for (int i = 0; i < RESULTS; i++)
        fixture_expect_same(fused[i], plain[i]);
    release(fused), release(plain);
}

// Without dead_pixels and the pool's gradient in the filters', whose sums have another order.
static void bits_are_those_of_the_unfused_plan(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool biased = i & 1, pools = i & 2;
        compare(&(layer){3, 40, biased, pools, 0}, "-fuse_pool,-winograd,-blocks",
                "-fuse_round,-fuse_pool,-winograd,-blocks");
        compare(&(layer){5, 10, biased, pools, 0}, "-fuse_pool,-winograd",
                "-fuse_round,-fuse_pool,-winograd");
        compare(&(layer){32, 32, biased, pools, 0}, "-fuse_pool", "-fuse_round,-fuse_pool");
    }
}

// Roundings are in the way of a pool, so only with this pass the pool goes into the convolution.
// Sums then have another order, and so operands are whole numbers: every sum is exact, beyond 256
// each is rounded, and elements of a window that become equal by it give their place to the first.
// Rounded after the pool, gradients would go elsewhere.
static void pools_of_rounded_elements_are_fused(void **state)
{
    static const struct {
        layer layer; // whose filters are so small that sums of gradients stay below 2^24
        const char *off, *form;
    } cases[] = {
        {{3, 40, true, true, 7}, "-winograd,-blocks", "direct"},
        {{5, 10, true, true, 7}, "-winograd,-blocks", "direct"},
        {{1, 10, true, true, 15}, "-winograd", "blocks"},
        {{5, 10, true, true, 7}, "-winograd", "blocks"},
        {{32, 32, true, true, 3}, "-winograd4", "winograd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const layer *l = &cases[i].layer;
        cj_tensor *fused[RESULTS], *plain[RESULTS];
        char word[64];
        snprintf(word, sizeof word, "conv2d_pool, %s ", cases[i].form);
        // plain C has the direct form alone
        if (cj__kernels_for(sizeof(float))->lanes == 1 && cases[i].form[0] != 'd')
            continue;
        if (planned(l, cases[i].off, word) != 1)
            fail_msg("case %zu: the plan lacks \"%s\"", i, word);
        run(l, cases[i].off, fused);
        run(l, "-fuse_round,-fuse_pool,-winograd,-blocks", plain);
        for (int k = 0; k < RESULTS; k++) {
            const float *a = cj_tensor_data(fused[k]), *b = cj_tensor_data(plain[k]);
            for (int64_t at = 0; at < cj_tensor_count(fused[k]); at++)
                if (!(a[at] == b[at] && fabsf(b[at]) < 0x1p24f))
                    fail_msg("case %zu, result %d: element %lld is %g, not %g", i, k, (long long)at,
                             (double)a[at], (double)b[at]);
        }
        release(fused), release(plain);
    }
}

// Where windows overlap, a gradient is a sum of several, which is no bfloat16 number: its rounding
// must stay.
static void gradients_of_overlapping_pools_are_rounded(void **state)
{
    const cj__pool2d_attrs pool = {.size = {3, 3}, .strides = {1, 1}};
    const cj_shape shape = CJ_SHAPE(BATCH, 6, 6, 2);
    cj_tensor *in = fixture_tensor(shape, NULL), *out[2];
    (void)state;
    fixture_fill(in, 3);
    for (int i = 0; i < 2; i++) {
        fixture f = {0};
        cj_symbol *x = fixture_input(&f, CJ_SHAPE(CJ_BATCH, 6, 6, 2));
        cj_symbol *y = cj__max_pool2d(&f.g, cj__round_bf16(&f.g, x), &pool);
        y = cj__round_bf16(&f.g, y);
        cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
        assert_int_equal(cj__gradients(&f.g, loss, &x, 1, f.outputs), CJ_OK);
        f.output_count = 1;
        cj_function *function = fixture_function(&f, i == 0 ? NULL : "-fuse_round,-round_elements");
        out[i] = fixture_tensor(shape, NULL);
        assert_int_equal(cj_function_call(function, &in, &out[i]), CJ_OK);
        cj_release(function);
    }
    fixture_expect_same(out[0], out[1]);
    cj_release(in), cj_release(out[0]), cj_release(out[1]);
}

// round(x a + b), with a and b along the last axis, its square rounded, and the gradients of its
// sum: element-wise instructions of one run and of rows, each with a rounding behind it.
static cj_function *make_elements(int64_t rows, int64_t cols, const char *off)
{
    fixture f = {0};
    cj_symbol *xs[] = {fixture_input(&f, CJ_SHAPE(CJ_BATCH, rows, cols)),
                       fixture_input(&f, CJ_SHAPE(cols)), fixture_input(&f, CJ_SHAPE(cols))};
    cj_symbol *y = cj__round_bf16(&f.g, cj__add(&f.g, cj__mul(&f.g, xs[0], xs[1]), xs[2]));
    fixture_output(&f, cj__round_bf16(&f.g, cj__apply_unary(&f.g, CJ__UNARY_square, y, 0, 0)));
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
    assert_int_equal(cj__gradients(&f.g, loss, xs, 3, f.outputs + 1), CJ_OK);
    f.output_count = RESULTS;
    f.pool = cj_pool_new(3);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

static void run_elements(int64_t rows, int64_t cols, const char *off, cj_tensor **out)
{
    const cj_shape shapes[] = {CJ_SHAPE(BATCH, rows, cols), CJ_SHAPE(cols), CJ_SHAPE(cols)};
    cj_function *function = make_elements(rows, cols, off);
    cj_tensor *in[RESULTS - 1];
    const int roundings = fixture_planned(function, BATCH, " round_bf16"),
              within = fixture_planned(function, BATCH, ", rounds");
    const bool rounds = !strstr(off, "round_elements");
    assert_int_equal(rounds ? within > 0 : within, rounds);
    assert_int_equal(roundings == 0, rounds);
    for (unsigned i = 0; i < RESULTS - 1; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 5 + i);
        out[i + 1] = fixture_tensor(shapes[i], NULL);
    }
    out[0] = fixture_tensor(shapes[0], NULL);
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < RESULTS - 1; i++)
        cj_release(in[i]);
    cj_release(function);
}

static void elements_are_rounded_as_they_are_made(void **state)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {1, 2500}, {700, 16}, {5, 5001}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        cj_tensor *within[RESULTS], *after[RESULTS];
        run_elements(sizes[i][0], sizes[i][1], "-fuse_elements", within);
        run_elements(sizes[i][0], sizes[i][1], "-round_elements,-fuse_elements", after);
        for (int k = 0; k < RESULTS; k++)
            fixture_expect_same(within[k], after[k]);
        release(within), release(after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_those_of_the_unfused_plan),
        cmocka_unit_test(pools_of_rounded_elements_are_fused),
        cmocka_unit_test(gradients_of_overlapping_pools_are_rounded),
        cmocka_unit_test(elements_are_rounded_as_they_are_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
