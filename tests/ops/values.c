// Every op's value equals plain loops (reference.c), in f64 and f32, and does not depend on the
// number of threads.
//
// Without a plain loop are the ops named *_grad, which gradients.c compares with differences, and
// dropout, whose mask is random: its statistics are tested here. Leaves are not run.
#include "reference.h"
#include "ops/images.h"

#include <cajal/graph.h>
#include <math.h>
#include <string.h>

// A case run on a number of threads: its inputs and results.
typedef struct ran {
    cj_tensor *in[CASE_INPUTS], *out[CASE_OUTPUTS];
    int in_count, out_count;
} ran;

static void run_case(const op_case *c, cj_dtype real, int threads, ran *r)
{
    case_graph g;
    case_build(c, real, true, &g);
    *r = (ran){.in_count = c->input_count, .out_count = g.output_count};
    for (int i = 0; i < r->in_count; i++)
        r->in[i] = case_tensor(c, i, real, 3);
    for (int i = 0; i < r->out_count; i++)
        r->out[i] = case_tensor_like(g.outputs[i]);
    cj_function *f =
        cj_function(.inputs = g.inputs, .input_count = r->in_count, .outputs = g.outputs,
                    .output_count = r->out_count, .pool = cj_pool_new(threads));
    if (!f || cj_function_call(f, r->in, r->out) != CJ_OK)
        fail_msg("%s: %s", c->op->name, cj_error());
    cj_release(f);
    assert_int_equal(cj__build_end(&g.build), CJ_OK);
}

static void forget(ran *r)
{
    for (int i = 0; i < r->in_count; i++)
        cj_release(r->in[i]);
    for (int i = 0; i < r->out_count; i++)
        cj_release(r->out[i]);
}

static cj_tensor *double_like(const cj_tensor *of)
{
    cj_tensor *tensor = NULL;
    const cj_dtype dtype = cj_tensor_dtype(of) == CJ_F32 ? CJ_F64 : cj_tensor_dtype(of);
    assert_int_equal(cj_tensor_new(dtype, *cj_tensor_shape(of), &tensor), CJ_OK);
    return tensor;
}

// The tolerance is relative to the greatest element, to 1, and to a 500th of the sum of |x|,
// because long sums cancel: for floats 4e-9 of that sum, a thirtieth of epsilon. A sum in blocks
// has chains of some hundred additions and so could err by more than epsilon times the sum of |x|;
// with 8 lanes between 2e-9 and 4e-9 were seen, with 4 and 16 less.
static int compare(const op_case *c, const cj_tensor *x, const cj_tensor *actual,
                   const cj_tensor *expected, double tolerance)
{
    double scale = 1, sum = 0;
    for (int64_t i = 0; i < cj_tensor_count(x); i++)
        sum += fabs(case_get(x, i));
    scale = fmax(scale, sum / 500);
    for (int64_t i = 0; i < cj_tensor_count(expected); i++)
        scale = fmax(scale, fabs(case_get(expected, i)));
    for (int64_t i = 0; i < cj_tensor_count(expected); i++) {
        const double a = case_get(actual, i), e = case_get(expected, i);
        if (!support_near(a, e, case_is_real(cj_tensor_dtype(actual)) ? tolerance * scale : 0, 0)) {
            print_error("%s (case %d): element %lld is %.12g, the formula says %.12g\n",
                        c->op->name, (int)(c - op_cases), (long long)i, a, e);
            return 1;
        }
    }
    return 0;
}

static int failures_of(cj_dtype real, double tolerance)
{
    int failures = 0;
    for (size_t i = 0; i < op_case_count; i++) {
        const reference function = reference_of(op_cases[i].op);
        cj_tensor *expected[CASE_OUTPUTS];
        ran r;
        if (!function)
            continue;
        run_case(&op_cases[i], real, 1, &r);
        for (int k = 0; k < r.out_count; k++)
            expected[k] = double_like(r.out[k]);
        function(&op_cases[i], r.in, expected);
        for (int k = 0; k < r.out_count; k++) {
            failures += compare(&op_cases[i], r.in[0], r.out[k], expected[k], tolerance);
            cj_release(expected[k]);
        }
        forget(&r);
    }
    return failures;
}

static void every_op_has_a_case_and_a_formula(void **state)
{
    (void)state;
    case_assert_complete(CJ__OP_LEAF | CJ__OP_LOOP);
    for (int i = 0; cj__ops[i]; i++) {
        const size_t length = strlen(cj__ops[i]->name);
        const bool gradient = length > 5 && strcmp(cj__ops[i]->name + length - 5, "_grad") == 0;
        if (!(cj__ops[i]->flags & (CJ__OP_LEAF | CJ__OP_LAYOUT | CJ__OP_LOOP)) && !gradient &&
            cj__ops[i] != &cj__op_dropout && cj__ops[i] != &cj__op_sweep &&
            cj__ops[i] != &cj__op_matmul_step && cj__ops[i] != &cj__op_rows_step &&
            cj__ops[i] != &cj__op_elements && cj__ops[i] != &cj__op_element_sums &&
            !reference_of(cj__ops[i]))
            fail_msg("op %s has no formula", cj__ops[i]->name);
    }
}

// The kernels in double keep all but a few of the last bits; sums here are of some 100 terms.
static void f64_values_equal_the_formulas(void **state)
{
    (void)state;
    assert_int_equal(failures_of(CJ_F64, 1e-12), 0);
}

// 2^-24 is 6e-8; a handful of roundings, and sums of some 100 terms.
static void f32_values_equal_the_formulas(void **state)
{
    (void)state;
    assert_int_equal(failures_of(CJ_F32, 2e-6), 0);
}

#define BIG(...)                                                                         \
    {                                                                                    \
        FILL_ANY, 0,                                                                     \
        {                                                                                \
            .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dims = { \
                __VA_ARGS__                                                              \
            }                                                                            \
        }                                                                                \
    }
#define INDEX(count)                     \
    {                                    \
        FILL_INDEX, 9,                   \
        {                                \
            .rank = 1, .dims = { count } \
        }                                \
    }
#define ATTRS(type, ...) \
    &(const type)        \
    {                    \
        __VA_ARGS__      \
    }

// Large enough to be shared between threads.
static const op_case big_cases[] = {
    {&cj__op_tanh, ATTRS(cj__unary_attrs, 0, 0), 1, {BIG(90001)}},
    {&cj__op_gelu_grad, ATTRS(cj__unary_attrs, 0, 0), 2, {BIG(90001), BIG(90001)}},
    {&cj__op_add, NULL, 2, {BIG(301, 300), BIG(300)}},
    {&cj__op_multiply, NULL, 2, {BIG(2, 150, 300), BIG(150, 1)}},
    {&cj__op_reduce_sum, ATTRS(cj__reduce_attrs, 1, false), 1, {BIG(3000, 50)}},
    {&cj__op_reduce_sum, ATTRS(cj__reduce_attrs, 3, false), 1, {BIG(3000, 50)}},
    {&cj__op_reduce_mean, ATTRS(cj__reduce_attrs, 5, false), 1, {BIG(301, 5, 200)}},
    {&cj__op_reduce_max, ATTRS(cj__reduce_attrs, 2, false), 1, {BIG(3000, 50)}},
    {&cj__op_moments, ATTRS(cj__reduce_attrs, 7, false), 1, {BIG(30, 50, 60, 7)}},
    {&cj__op_moments, ATTRS(cj__reduce_attrs, 2, true), 1, {BIG(3000, 50)}},
    {&cj__op_moments, ATTRS(cj__reduce_attrs, 3, true), 1, {BIG(301, 300)}},
    {&cj__op_moments, ATTRS(cj__reduce_attrs, 5, true), 1, {BIG(301, 5, 200)}},
    {&cj__op_argmax, ATTRS(cj__axis_attrs, 1), 1, {BIG(3000, 50)}},
    {&cj__op_transpose, ATTRS(cj__transpose_attrs, {1, 0}), 1, {BIG(301, 300)}},
    {&cj__op_matmul, ATTRS(cj__matmul_attrs, .trans_a = false), 2, {BIG(301, 200), BIG(200, 130)}},
    {&cj__op_matmul, ATTRS(cj__matmul_attrs, .trans_a = true), 2, {BIG(901, 70), BIG(901, 30)}},
    {&cj__op_einsum,
     ATTRS(cj__einsum_attrs, "nihd", "njhd", "nhij"),
     2,
     {BIG(3, 70, 4, 33), BIG(3, 80, 4, 33)}},
    {&cj__op_einsum,
     ATTRS(cj__einsum_attrs, "akb", "kbj", "baj"),
     2,
     {BIG(3, 50, 40), BIG(50, 40, 30)}},
    {&cj__op_einsum,
     ATTRS(cj__einsum_attrs, "bij", "bjk", "bik"),
     2,
     {BIG(2, 301, 300), BIG(2, 300, 301)}},
    {&cj__op_attention,
     ATTRS(cj__attention_attrs, 0.1, 1),
     3,
     {BIG(2, 300, 3, 32), BIG(2, 300, 3, 32), BIG(2, 300, 3, 40)}},
    {&cj__op_attention_grad,
     ATTRS(cj__attention_attrs, 0.1, 0),
     4,
     {BIG(2, 150, 4, 32), BIG(2, 900, 2, 32), BIG(2, 900, 2, 40), BIG(2, 150, 4, 40)}},
    {&cj__op_conv2d,
     ATTRS(cj__conv2d_attrs, .kernel = {3, 3}, .strides = {1, 1}, .dilation = {1, 1}, .groups = 1,
           .same = true),
     2,
     {BIG(9, 20, 20, 8), BIG(3, 3, 8, 16)}},
    {&cj__op_conv2d_input_grad,
     ATTRS(cj__conv2d_attrs, .kernel = {3, 3}, .strides = {1, 1}, .dilation = {1, 1}, .groups = 1,
           .same = true),
     3,
     {BIG(3, 3, 8, 16), BIG(9, 20, 20, 16), BIG(9, 20, 20, 8)}},
    {&cj__op_conv2d_filter_grad,
     ATTRS(cj__conv2d_attrs, .kernel = {3, 3}, .strides = {1, 1}, .dilation = {1, 1}, .groups = 1,
           .same = true),
     2,
     {BIG(9, 20, 20, 8), BIG(9, 20, 20, 16)}},
    {&cj__op_max_pool2d,
     ATTRS(cj__pool2d_attrs, {2, 2}, {2, 2}, false, {0, 0}),
     1,
     {BIG(9, 40, 40, 8)}},
    {&cj__op_average_pool2d,
     ATTRS(cj__pool2d_attrs, {3, 3}, {2, 2}, true, {0, 0}),
     1,
     {BIG(9, 40, 40, 8)}},
    {&cj__op_softmax, NULL, 1, {BIG(900, 100)}},
    {&cj__op_log_softmax_grad, NULL, 2, {BIG(900, 100), BIG(900, 100)}},
    {&cj__op_norm_squared, NULL, 1, {BIG(90001)}},
    {&cj__op_warp,
     ATTRS(cj__warp_attrs, .key = 3, .angle = {-3, 3}, .zoom = {{0.5, 2}, {0.5, 2}},
           .size = {40, 40}, .input = {40, 40}, .beside = CJ__BESIDE_REFLECT),
     2,
     {BIG(9, 40, 40, 8), {FILL_STEP, 2, {0}}}},
    {&cj__op_warp_grad,
     ATTRS(cj__warp_attrs, .key = 3, .angle = {-3, 3}, .zoom = {{0.5, 2}, {0.5, 2}},
           .size = {40, 40}, .input = {40, 40}, .beside = CJ__BESIDE_REFLECT),
     2,
     {BIG(9, 40, 40, 8), {FILL_STEP, 2, {0}}}},
    {&cj__op_erase,
     ATTRS(cj__erase_attrs, .key = 3, .low = -1, .high = 1),
     3,
     {BIG(9, 40, 40, 8), BIG(9, 4), {FILL_STEP, 2, {0}}}},
    {&cj__op_equalize, ATTRS(cj__histogram_attrs, 256, {1, 1}, 0), 1, {BIG(9, 40, 40, 8)}},
    {&cj__op_adapt_histogram, ATTRS(cj__histogram_attrs, 256, {8, 8}, 4), 1, {BIG(9, 40, 40, 8)}},
    {&cj__op_shuffle_samples,
     ATTRS(cj__mix_attrs, .key = 3),
     2,
     {BIG(300, 400), {FILL_STEP, 2, {0}}}},
    {&cj__op_dropout, ATTRS(cj__dropout_attrs, 3, 0.4), 2, {BIG(90001), {FILL_STEP, 2, {0}}}},
};

static int differences_between_threads(const op_case *cases, size_t count, cj_dtype real)
{
    int failures = 0;
    for (size_t i = 0; i < count; i++) {
        ran one, two;
        run_case(&cases[i], real, 1, &one);
        run_case(&cases[i], real, 2, &two);
        for (int k = 0; k < one.out_count; k++) {
            const size_t bytes =
                (size_t)cj_tensor_count(one.out[k]) * cj_dtype_size(cj_tensor_dtype(one.out[k]));
            if (memcmp(cj_tensor_data(one.out[k]), cj_tensor_data(two.out[k]), bytes) != 0) {
                print_error("%s: 1 and 2 threads differ\n", cases[i].op->name);
                failures++;
            }
        }
        forget(&one);
        forget(&two);
    }
    return failures;
}

static void two_threads_give_the_same_bits(void **state)
{
    (void)state;
    const size_t big = sizeof big_cases / sizeof big_cases[0];
    for (int f64 = 0; f64 < 2; f64++) {
        assert_int_equal(
            differences_between_threads(op_cases, op_case_count, f64 ? CJ_F64 : CJ_F32), 0);
        assert_int_equal(differences_between_threads(big_cases, big, f64 ? CJ_F64 : CJ_F32), 0);
    }
}

static void dropout_keeps_its_share_and_scales_it(void **state)
{
    const op_case *c = &big_cases[sizeof big_cases / sizeof big_cases[0] - 1];
    int64_t kept = 0, count;
    ran r;
    (void)state;
    run_case(c, CJ_F64, 2, &r);
    count = cj_tensor_count(r.in[0]);
    for (int64_t i = 0; i < count; i++) {
        const double x = case_get(r.in[0], i), y = case_get(r.out[0], i);
        kept += y != 0;
        if (y != 0)
            assert_near(y, x / 0.6, 0, 1e-12);
    }
    // 6 standard deviations of the binomial
    assert_near((double)kept / (double)count, 0.6, 0.01, 0);
    forget(&r);
}

// A tensor of a symbol's type for a batch of no samples; *has_batch if the type has the free axis.
static cj_tensor *empty_like(const cj_symbol *symbol, bool *has_batch)
{
    cj_tensor *tensor = NULL;
    cj_shape shape = *cj_symbol_shape(symbol);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dims[i] == CJ_BATCH)
            shape.dims[i] = 0, *has_batch = true;
    assert_int_equal(cj_tensor_new(cj_symbol_dtype(symbol), shape, &tensor), CJ_OK);
    cj_tensor_fill(tensor, 0);
    return tensor;
}

// Nothing is read or written out of place, which the address sanitizer sees, and the call succeeds.
static void every_op_takes_a_batch_of_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_case_count; i++) {
        const op_case *c = &op_cases[i];
        case_graph g;
        bool has_batch = false;
        case_build(c, CJ_F32, true, &g);
        ran r = {.in_count = c->input_count, .out_count = g.output_count};
        for (int k = 0; k < r.in_count; k++)
            r.in[k] = empty_like(g.inputs[k], &has_batch);
        for (int k = 0; k < r.out_count; k++)
            r.out[k] = empty_like(g.outputs[k], &has_batch);
        cj_function *f = cj_function(.inputs = g.inputs, .input_count = r.in_count,
                                     .outputs = g.outputs, .output_count = r.out_count);
        if (!f || (has_batch && cj_function_call(f, r.in, r.out) != CJ_OK))
            fail_msg("%s: %s", c->op->name, cj_error());
        forget(&r);
        cj_release(f);
        assert_int_equal(cj__build_end(&g.build), CJ_OK);
    }
}

static const struct {
    op_case c;
    const char *sentence;
} out_of_range[] = {
    {{&cj__op_softmax_cross_entropy, NULL, 2, {BIG(4, 3), INDEX(4)}},
     "softmax_cross_entropy: label"},
    {{&cj__op_gather, ATTRS(cj__index_attrs, 0, CJ_F32, 0), 2, {BIG(3, 2), INDEX(8)}},
     "gather: index"},
    {{&cj__op_gather_grad, ATTRS(cj__index_attrs, 3, CJ_F32, 0), 2, {INDEX(8), BIG(8, 2)}},
     "gather_grad: index"},
    {{&cj__op_one_hot, ATTRS(cj__index_attrs, 3, CJ_F32, 0), 1, {INDEX(8)}}, "one_hot: label"},
    {{&cj__op_ctc, NULL, 2, {BIG(2, 5, 3), {FILL_INDEX, 1000, {2, {2, 4}}}}}, "ctc: label"},
};

// What fails only at run time, with the sentence that says where.
static void labels_and_indices_out_of_range_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof out_of_range / sizeof out_of_range[0]; i++) {
        case_graph g;
        cj_tensor *in[2];
        case_build(&out_of_range[i].c, CJ_F32, false, &g);
        cj_function *f =
            cj_function(.inputs = g.inputs, .input_count = out_of_range[i].c.input_count,
                        .outputs = g.outputs, .output_count = g.output_count);
        assert_non_null(f);
        for (int k = 0; k < out_of_range[i].c.input_count; k++)
            in[k] = case_tensor(&out_of_range[i].c, k, CJ_F32, 3);
        assert_int_equal(cj_function_call(f, in, NULL), CJ_INVALID_ARGUMENT);
        assert_error_contains(out_of_range[i].sentence);
        for (int k = 0; k < out_of_range[i].c.input_count; k++)
            cj_release(in[k]);
        cj_release(f);
        cj__build_end(&g.build);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_a_case_and_a_formula),
        cmocka_unit_test(f64_values_equal_the_formulas),
        cmocka_unit_test(f32_values_equal_the_formulas),
        cmocka_unit_test(two_threads_give_the_same_bits),
        cmocka_unit_test(dropout_keeps_its_share_and_scales_it),
        cmocka_unit_test(every_op_takes_a_batch_of_nothing),
        cmocka_unit_test(labels_and_indices_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
