// The plan's rewrites of convolutional networks change neither values nor gradients: pools fused
// into convolutions, the biases' gradients, dead pixels, images in blocks, Winograd's form. Each is
// compared with a plan that has none of them.
#include "fixture.h"

#include "kernels/kernels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const ALL_OFF =
    "-fuse_pool,-fuse_bias_grad,-dead_pixels,-blocks,-winograd,-fuse_pool_grad,-split_batch";

// Two convolutions, each with a bias, an activation and perhaps a max pool, then a sum of squares.
typedef struct network {
    int64_t batch, h, w, c;
    int64_t k[2], f[2], stride[2], pool[2]; // pool 1: none
    bool same;
    int act;    // -1 for none
    bool first; // the first layer of a model: nobody wants the gradient by x
} network;

static const network networks[] = {
    // the second pool drops a row
    {3, 14, 13, 1, {3, 3}, {4, 5}, {1, 1}, {2, 2}, false, CJ__UNARY_relu, false},
    {16, 28, 28, 1, {5, 5}, {10, 20}, {1, 1}, {2, 2}, false, CJ__UNARY_relu, false},
    {18, 14, 15, 1, {3, 3}, {20, 16}, {1, 1}, {2, 2}, false, CJ__UNARY_relu, true},
    {4, 30, 31, 3, {5, 5}, {33, 8}, {1, 1}, {3, 2}, true, -1, true},
    {17, 12, 12, 3, {3, 3}, {16, 32}, {1, 1}, {2, 2}, true, CJ__UNARY_relu, false},
    {32, 13, 11, 16, {3, 3}, {32, 16}, {1, 1}, {1, 2}, false, CJ__UNARY_relu, false},
    {33, 15, 15, 2, {3, 2}, {6, 7}, {2, 1}, {1, 1}, true, CJ__UNARY_relu, false},
    {20, 12, 14, 4, {3, 3}, {12, 24}, {1, 1}, {2, 3}, false, -1, false},
    {5, 12, 12, 8, {1, 3}, {8, 12}, {1, 2}, {2, 1}, true, CJ__UNARY_tanh, false},
};
enum { NETWORKS = sizeof networks / sizeof networks[0], RESULTS = 6 };

// Batches that are cut into parts: into three, the last of 6 images; the same in blocks, the last
// of one block with idle lanes; into equal ones.
static const network large[] = {
    {70, 26, 28, 1, {3, 3}, {32, 40}, {1, 1}, {2, 2}, false, CJ__UNARY_relu, true},
    {133, 24, 24, 1, {5, 5}, {10, 20}, {1, 1}, {2, 2}, false, CJ__UNARY_relu, false},
    {64, 20, 20, 16, {3, 3}, {32, 32}, {1, 1}, {1, 2}, true, CJ__UNARY_tanh, false},
};
enum { LARGE = sizeof large / sizeof large[0] };

static cj_symbol *stage(fixture *f, const network *n, int i, cj_symbol *x, cj_symbol *w,
                        cj_symbol *bias)
{
    const cj__conv2d_attrs conv = {
        .strides = {n->stride[i], n->stride[i]}, .dilation = {1, 1}, .groups = 1, .same = n->same};
    const cj__pool2d_attrs pool = {.size = {n->pool[i], n->pool[i]},
                                   .strides = {n->pool[i], n->pool[i]}};
    cj_symbol *y = cj__add(&f->g, cj__conv2d_symbol(&f->g, x, w, &conv), bias);
    y = n->act >= 0 ? cj__apply_unary(&f->g, (cj__unary)n->act, y, 0, 0) : y;
    return n->pool[i] > 1 ? cj__max_pool2d(&f->g, y, &pool) : y;
}

// Outputs: y and the gradients by both filters, both biases, and, but for a first layer, x.
static cj_function *make(const network *n, cj_dtype dtype, const char *off, int threads)
{
    fixture f = {.pool = cj_pool_new(threads)};
    cj_symbol *xs[] = {
        fixture_input_of(&f, dtype, CJ_SHAPE(n->k[0], n->k[0], n->c, n->f[0])),
        fixture_input_of(&f, dtype, CJ_SHAPE(n->f[0])),
        fixture_input_of(&f, dtype, CJ_SHAPE(n->k[1], n->k[1], n->f[0], n->f[1])),
        fixture_input_of(&f, dtype, CJ_SHAPE(n->f[1])),
        fixture_input_of(&f, dtype, CJ_SHAPE(CJ_BATCH, n->h, n->w, n->c)),
    };
    cj_symbol *y = stage(&f, n, 1, stage(&f, n, 0, xs[4], xs[0], xs[1]), xs[2], xs[3]);
    fixture_output(&f, y);
    cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
    f.output_count = n->first ? RESULTS - 1 : RESULTS;
    assert_int_equal(cj__gradients(&f.g, loss, xs, f.output_count - 1, f.outputs + 1), CJ_OK);
    cj_function *function = fixture_function(&f, off);
    if (!function)
        fail_msg("%s", cj_error());
    return function;
}

static void run(const network *n, cj_dtype dtype, const char *off, int threads, cj_tensor **out)
{
    cj_function *function = make(n, dtype, off, threads);
    cj_tensor *in[RESULTS - 1];
    for (int i = 0; i < RESULTS; i++) {
        cj_shape shape = i == 0 ? cj__function_output(function, 0)->shape :
                                  cj__function_input(function, i - 1)->shape;
        if (i == 0 || i == RESULTS - 1)
            shape.dims[0] = n->batch;
        out[i] = fixture_tensor_of(dtype, shape);
        if (i > 0) {
            in[i - 1] = fixture_tensor_of(dtype, shape);
            fixture_fill(in[i - 1], (unsigned)i);
        }
    }
    for (int round = 0; round < 2; round++) // the second finds what the first left
        if (cj_function_call(function, in, out) != CJ_OK)
            fail_msg("%s", cj_error());
    for (int i = 1; i < RESULTS; i++)
        cj_release(in[i - 1]);
    cj_release(function);
}

// The tolerance: sums of some thousand terms in another order, relative to the greatest element.
static void expect_equal_to(const network *n, cj_dtype dtype, const char *off,
                            const char *reference)
{
    cj_tensor *a[RESULTS], *b[RESULTS];
    run(n, dtype, off, 1, a);
    run(n, dtype, reference, 1, b);
    for (int i = 0; i < RESULTS; i++) {
        double most = 1;
        for (int64_t k = 0; k < cj_tensor_count(b[i]); k++)
            most = fmax(most, fabs(fixture_get(b[i], k)));
        for (int64_t k = 0; k < cj_tensor_count(b[i]); k++) {
            const double x = fixture_get(a[i], k), y = fixture_get(b[i], k);
            if (!(fabs(x - y) <= (dtype == CJ_F64 ? 1e-12 : 1e-4) * most))
                fail_msg(
                    "network of %lld images, %s, result %d, \"%s\": element %lld is %g, not %g",
                    (long long)n->batch, cj_dtype_name(dtype), i, off ? off : "", (long long)k, x,
                    y);
        }
        cj_release(a[i]);
        cj_release(b[i]);
    }
}

static void expect_equal(const network *n, cj_dtype dtype, const char *off)
{
    expect_equal_to(n, dtype, off, ALL_OFF);
}

static void all_rewrites_together_change_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++)
        expect_equal(&networks[i], CJ_F32, NULL), expect_equal(&networks[i], CJ_F64, NULL);
}

static void each_rewrite_alone_changes_nothing(void **state)
{
    static const char *const offs[] = {"-fuse_bias_grad,-dead_pixels,-blocks,-winograd",
                                       "-fuse_pool,-dead_pixels,-blocks,-winograd",
                                       "-fuse_bias_grad,-blocks,-winograd",
                                       "-fuse_pool,-fuse_bias_grad,-dead_pixels,-winograd",
                                       "-fuse_pool,-fuse_bias_grad,-dead_pixels,-blocks",
                                       "-fuse_pool,-dead_pixels,-blocks,-winograd",
                                       "-dead_pixels,-blocks,-fuse_pool_grad",
                                       "-blocks,-winograd"};
    (void)state;
    for (int i = 0; i < NETWORKS; i++)
        for (size_t k = 0; k < sizeof offs / sizeof offs[0]; k++)
            expect_equal(&networks[i], CJ_F32, offs[k]),
                expect_equal(&networks[i], CJ_F64, offs[k]);
}

static void parts_of_a_batch_give_the_whole(void **state)
{
    (void)state;
    for (const network *n = large; n < large + LARGE; n++) {
        expect_equal_to(n, CJ_F32, NULL, "-split_batch"), expect_equal(n, CJ_F32, "-winograd");
        expect_equal(n, CJ_F64, NULL);
        cj_function *cut = make(n, CJ_F32, NULL, 2), *uncut = make(n, CJ_F32, "-split_batch", 2);
        assert_true(fixture_planned(cut, n->batch, ", by ") >= 2);
        assert_int_equal(fixture_planned(uncut, n->batch, ", by "), 0);
        assert_int_equal(fixture_planned(cut, 3, ", by "), 0); // not worth it
        cj_release(cut), cj_release(uncut);
    }
}

static void expect_same_with_threads(const network *n)
{
    cj_tensor *a[RESULTS], *b[RESULTS];
    for (int threads = 2; threads <= 4; threads++) {
        run(n, CJ_F32, NULL, 1, a);
        run(n, CJ_F32, NULL, threads, b);
        for (int k = 0; k < RESULTS; k++) {
            fixture_expect_same(a[k], b[k]);
            cj_release(a[k]);
            cj_release(b[k]);
        }
    }
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++)
        expect_same_with_threads(&networks[i]);
    for (int i = 0; i < LARGE; i++)
        expect_same_with_threads(&large[i]);
}

static void expect_plan(const network *n, const char *off, const char *word, bool expected)
{
    cj_function *function = make(n, CJ_F32, off, 1);
    char *text = fixture_plan(function, n->batch);
    if ((strstr(text, word) != NULL) != expected)
        fail_msg("network %d, \"%s\": the plan %s \"%s\":\n%s", (int)(n - networks), off ? off : "",
                 expected ? "lacks" : "has", word, text);
    free(text);
    cj_release(function);
}

static void rewrites_take_place_unless_switched_off(void **state)
{
    (void)state;
    expect_plan(&networks[0], "-blocks", "conv2d_pool", true);
    expect_plan(&networks[0], "-blocks", " relu_grad ", false);
    expect_plan(&networks[0], "-fuse_pool", "conv2d_pool", false);
    expect_plan(&networks[0], NULL, " sum_like ", false);
    expect_plan(&networks[0], "-fuse_bias_grad", " sum_like ", true);
    // 14 x 13, valid 3 x 3 and pool: 6 x 5; again: 4 x 3, of which the pool reads 4 x 2, and those
    // read 6 x 4.
    expect_plan(&networks[0], "-blocks", "(3, 6, 4, 4)", true);
    expect_plan(&networks[0], "-dead_pixels,-blocks", "(3, 6, 5, 4)", true);
    expect_plan(&networks[2], "-blocks,-winograd", "conv2d_pool_filter_grad", true);
    expect_plan(&networks[2], "-blocks,-winograd,-fuse_pool_grad", "conv2d_pool_filter_grad",
                false);
    if (cj__kernels_for(sizeof(float))->lanes == 1)
        return;
    expect_plan(&networks[1], NULL, "to_blocks", true);
    expect_plan(&networks[1], "-blocks", "to_blocks", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rewrites_together_change_nothing),
        cmocka_unit_test(each_rewrite_alone_changes_nothing),
        cmocka_unit_test(parts_of_a_batch_give_the_whole),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(rewrites_take_place_unless_switched_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
