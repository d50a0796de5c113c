// A product or convolution fused with its bias and activation equals the parts, and so do its
// gradients.
#include "fixture.h"

// What is multiplied, with the shapes of its operands and result.
typedef struct network {
    bool convolves;
    cj_shape x, w, y;
    int64_t bias;
    bool bare; // without the bias
} network;

static const network networks[] = {
    {false, {2, {CJ_BATCH, 6}}, {2, {6, 5}}, {2, {4, 5}}, 5, false},
    {false, {3, {CJ_BATCH, 3, 6}}, {2, {6, 17}}, {3, {4, 3, 17}}, 17, false},
    {true, {4, {CJ_BATCH, 6, 5, 3}}, {4, {3, 3, 3, 4}}, {4, {4, 6, 5, 4}}, 4, false},
    {false, {2, {CJ_BATCH, 6}}, {2, {6, 5}}, {2, {4, 5}}, 5, true},
    {true, {4, {CJ_BATCH, 6, 5, 3}}, {4, {3, 3, 3, 4}}, {4, {4, 6, 5, 4}}, 4, true},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

// y = act(x w + bias), its sum's gradients by x, w and bias; bias first if `turned`.
static cj_function *make(const network *n, int act, bool turned, bool gradients, const char *off)
{
    fixture f = {0};
    const cj__conv2d_attrs conv = {
        .strides = {1, 1}, .dilation = {1, 1}, .groups = 1, .same = true};
    cj_symbol *xs[] = {fixture_input(&f, n->x), fixture_input(&f, n->w),
                       fixture_input(&f, CJ_SHAPE(n->bias))};
    cj_symbol *u = n->convolves ? cj__conv2d_symbol(&f.g, xs[0], xs[1], &conv) :
                                  cj__matmul(&f.g, xs[0], xs[1], false, false);
    cj_symbol *v = n->bare ? u : turned ? cj__add(&f.g, xs[2], u) : cj__add(&f.g, u, xs[2]);
    cj_symbol *y = act >= 0 ? cj__apply_unary(&f.g, (cj__unary)act, v, -1.5, 2.5) : v;
    fixture_output(&f, y);
    if (gradients) {
        cj_symbol *loss = cj__sum(&f.g, cj__mul(&f.g, y, y), cj__all_axes(y), false);
        assert_int_equal(cj__gradients(&f.g, loss, xs, 3, f.outputs + 1), CJ_OK);
        f.output_count = 4;
    }
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    return function;
}

static void run(const network *n, cj_function *function, cj_tensor **out, bool positive)
{
    cj_shape shapes[] = {n->x, n->w, CJ_SHAPE(n->bias)};
    cj_tensor *in[3];
    shapes[0].dims[0] = n->y.dims[0];
    for (int i = 0; i < 3; i++) {
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 3 + (unsigned)i);
        for (int64_t k = 0; positive && k < cj_tensor_count(in[i]); k++)
            ((float *)cj_tensor_data(in[i]))[k] += 1.5f;
        out[1 + i] = fixture_tensor(shapes[i], NULL);
    }
    out[0] = fixture_tensor(n->y, NULL);
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 3; i++)
        cj_release(in[i]);
    cj_release(function);
}

// The tolerance is that of f32 sums of some 50 terms that are added in another order.
static void expect_equal(const network *n, int act, bool turned, bool gradients)
{
    cj_tensor *fused[4], *parts[4];
    const bool positive = act == CJ__UNARY_sqrt || act == CJ__UNARY_rsqrt || act == CJ__UNARY_log ||
                          act == CJ__UNARY_log1p || act == CJ__UNARY_reciprocal;
    run(n, make(n, act, turned, gradients, NULL), fused, positive);
    run(n, make(n, act, turned, gradients, "-fuse_bias_act"), parts, positive);
    for (int i = 0; i < 4; i++) {
        assert_all_near(cj_tensor_data(fused[i]), cj_tensor_data(parts[i]),
                        (size_t)cj_tensor_count(fused[i]), 1e-4, 1e-5);
        cj_release(fused[i]);
        cj_release(parts[i]);
    }
}

static void every_activation_fuses_to_the_same_values(void **state)
{
    (void)state;
    for (int n = 0; n < NETWORKS; n++)
        for (int act = -1; act < CJ__UNARY_COUNT; act++)
            expect_equal(&networks[n], act, act % 2 == 0, false);
}

static void gradients_through_fused_ops_are_the_same(void **state)
{
    static const int acts[] = {
        -1, CJ__UNARY_relu, CJ__UNARY_tanh, CJ__UNARY_sigmoid, CJ__UNARY_gelu, CJ__UNARY_silu};
    (void)state;
    for (int n = 0; n < NETWORKS; n++)
        for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
            expect_equal(&networks[n], acts[i], false, true);
}

// Whether the plan of a function, which is released, has a word.
static bool plan_says(cj_function *function, const char *word)
{
    const bool found = fixture_planned(function, 4, word) > 0;
    cj_release(function);
    return found;
}

static void fusion_takes_place_unless_switched_off(void **state)
{
    (void)state;
    assert_true(
        plan_says(make(&networks[0], CJ__UNARY_relu, false, false, NULL), "matmul_bias_act"));
    assert_false(plan_says(make(&networks[0], CJ__UNARY_relu, false, false, NULL), " relu "));
    assert_true(
        plan_says(make(&networks[2], CJ__UNARY_relu, false, false, NULL), "conv2d_bias_act"));
    assert_true(
        plan_says(make(&networks[0], CJ__UNARY_relu, false, true, NULL), "matmul_bias_act"));
    for (int n = 3; n < NETWORKS; n++) {
        assert_true(plan_says(make(&networks[n], CJ__UNARY_relu, false, true, NULL), "bias_act"));
        assert_false(plan_says(make(&networks[n], CJ__UNARY_relu, false, false, NULL), " relu "));
    }
    assert_false(
        plan_says(make(&networks[0], CJ__UNARY_relu, false, false, "-fuse_bias_act"), "bias_act"));
}

// gelu's derivative reads what goes into it, so that must stay.
static void what_others_read_is_not_fused_away(void **state)
{
    (void)state;
    assert_true(plan_says(make(&networks[0], CJ__UNARY_gelu, false, true, NULL), " gelu "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_fuses_to_the_same_values),
        cmocka_unit_test(gradients_through_fused_ops_are_the_same),
        cmocka_unit_test(fusion_takes_place_unless_switched_off),
        cmocka_unit_test(what_others_read_is_not_fused_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
