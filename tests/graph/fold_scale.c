// The pass fold_scale: normalization with given mean and variance goes into the filters before it,
// with the same values; where something else needs what lies between, or filters are larger than
// results, it stays.
#include "fixture.h"

enum { BATCH = 9, VECTORS = 5 }; // bias, mean, variance, gamma, beta

typedef struct network {
    const char *name;
    bool convolves, bias, center;
    int act; // -1 for none
    cj_shape x, w, y;
    const char *op; // of the plan
    bool transposed;
} network;

#define DENSE {2, {CJ_BATCH, 6}}, {2, {6, 7}}, {2, {BATCH, 7}}, " matmul_bias_act ", false
#define CONV \
    {4, {CJ_BATCH, 6, 5, 3}}, {4, {3, 3, 3, 7}}, {4, {BATCH, 6, 5, 7}}, " conv2d_bias_act", false
#define TRANSPOSE                                                       \
    {4, {CJ_BATCH, 4, 3, 3}}, {4, {3, 3, 7, 3}}, {4, {BATCH, 6, 5, 7}}, \
        " conv2d_transpose_bias_act", true
#define CONV3D                                                                   \
    {5, {CJ_BATCH, 2, 6, 5, 3}}, {5, {2, 3, 3, 3, 7}}, {5, {BATCH, 2, 6, 5, 7}}, \
        " conv3d_bias_act", false
#define TRANSPOSE3D                                                              \
    {5, {CJ_BATCH, 1, 4, 3, 3}}, {5, {2, 3, 3, 7, 3}}, {5, {BATCH, 2, 6, 5, 7}}, \
        " conv3d_transpose_bias_act", true
static const network networks[] = {
    {"dense", false, false, true, -1, DENSE},
    {"dense with a bias", false, true, true, -1, DENSE},
    {"dense, relu", false, false, true, CJ__UNARY_relu, DENSE},
    {"dense with a bias, tanh", false, true, true, CJ__UNARY_tanh, DENSE},
    {"conv2d", true, false, true, -1, CONV},
    {"conv2d with a bias", true, true, true, -1, CONV},
    {"conv2d, relu", true, false, true, CJ__UNARY_relu, CONV},
    {"conv2d with a bias, relu", true, true, true, CJ__UNARY_relu, CONV},
    {"conv2d without beta", true, false, false, CJ__UNARY_relu, CONV},
    {"conv2d_transpose", true, false, true, -1, TRANSPOSE},
    {"conv2d_transpose with a bias, relu", true, true, true, CJ__UNARY_relu, TRANSPOSE},
    {"conv2d_transpose without beta, tanh", true, false, false, CJ__UNARY_tanh, TRANSPOSE},
    {"conv3d", true, false, true, -1, CONV3D},
    {"conv3d with a bias, relu", true, true, true, CJ__UNARY_relu, CONV3D},
    {"conv3d_transpose with a bias", true, true, true, -1, TRANSPOSE3D},
    {"conv3d_transpose, tanh", true, false, true, CJ__UNARY_tanh, TRANSPOSE3D},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

typedef enum extra {
    NOTHING,
    BETWEEN, // the product is read by somebody else
    ROUNDED, // the filters are bfloat16 numbers
    PLAIN,   // only a sum, no scale
} extra;

// How a plan's line of an instruction ends that makes a result of the network's shape.
static const char *result_of(const network *n)
{
    return n->y.rank == 2 ? "-> (9, 7)" : n->y.rank == 4 ? "-> (9, 6, 5, 7)" : "-> (9, 2, 6, 5, 7)";
}

static cj_symbol *product_of(cj__build *g, const network *n, cj_symbol *x, cj_symbol *w)
{
    const cj__conv2d_attrs conv = {
        .strides = {1, 1}, .dilation = {1, 1}, .groups = 1, .same = !n->transposed};
    const cj__conv3d_attrs conv3d = {
        .strides = {1, 1, 1}, .dilation = {1, 1, 1}, .groups = 1, .same = !n->transposed};
    if (n->y.rank == 5)
        return n->transposed ? cj__conv3d_transpose(g, x, w, &conv3d) :
                               cj__conv3d(g, x, w, &conv3d);
    return n->transposed ? cj__conv2d_transpose(g, x, w, &conv) :
           n->convolves  ? cj__conv2d_symbol(g, x, w, &conv) :
                           cj__matmul(g, x, w, false, false);
}

static cj_function *make(const network *n, extra more, const char *off)
{
    fixture f = {0};
    cj__build *g = &f.g;
    const int64_t channels = n->y.dims[n->y.rank - 1];
    cj_symbol *x = fixture_input(&f, n->x), *w = fixture_input(&f, n->w), *v[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        v[i] = fixture_input(&f, CJ_SHAPE(channels));
    w = more == ROUNDED ? cj__round_bf16(g, w) : w;
    cj_symbol *u = product_of(g, n, x, w);
    u = n->bias ? cj__add(g, u, v[0]) : u;
    cj_symbol *factor = cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, v[2], 2), 0, 0);
    cj_symbol *y = cj__sub(g, u, v[1]);
    y = more == PLAIN ? y : cj__mul(g, y, cj__mul(g, factor, v[3]));
    y = n->center ? cj__add(g, y, v[4]) : y;
    y = n->act >= 0 ? cj__apply_unary(g, (cj__unary)n->act, y, 0, 0) : y;
    fixture_output(&f, y);
    if (more == BETWEEN)
        fixture_output(&f, cj__sum(g, u, cj__all_axes(u), false));
    cj_function *function = fixture_function(&f, off);
    assert_non_null(function);
    return function;
}

static cj_tensor *run(const network *n, extra more, const char *off, unsigned seed)
{
    cj_function *function = make(n, more, off);
    cj_tensor *in[2 + VECTORS],
        *out[2] = {fixture_tensor(n->y, NULL), fixture_tensor((cj_shape){.rank = 0}, NULL)};
    for (int i = 0; i < 2 + VECTORS; i++) {
        cj_shape shape = i == 0 ? n->x : i == 1 ? n->w : CJ_SHAPE(n->y.dims[n->y.rank - 1]);
        if (i == 0)
            shape.dims[0] = BATCH;
        in[i] = fixture_tensor(shape, NULL);
        fixture_fill(in[i], seed + (unsigned)i);
    }
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s: %s", n->name, cj_error());
    for (int i = 0; i < 2 + VECTORS; i++)
        cj_release(in[i]);
    cj_release(function);
    cj_release(out[1]);
    return out[0];
}

// Each result is a sum of at most 54 products below 1, which are scaled before they are added.
static void values_are_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        for (extra more = NOTHING; more <= PLAIN; more++) {
            cj_tensor *with = run(&networks[i], more, NULL, 11),
                      *without = run(&networks[i], more, "-fold_scale", 11);
            assert_all_near(cj_tensor_data(with), cj_tensor_data(without),
                            (size_t)cj_tensor_count(with), 1e-5, 1e-5);
            cj_release(with);
            cj_release(without);
        }
    }
}

static int planned(const network *n, extra more, const char *off, int64_t batch, const char *word)
{
    cj_function *function = make(n, more, off);
    const int count = fixture_planned(function, batch, word);
    cj_release(function);
    return count;
}

// What is left over the result is the product, with bias and activation in it: one instruction has
// its shape.
static void nothing_is_left_after_the_product(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        const network *n = &networks[i];
        const char *result = result_of(n);
        assert_int_equal(planned(n, NOTHING, NULL, BATCH, result), 1);
        assert_int_equal(planned(n, NOTHING, NULL, BATCH, n->op), 1);
        assert_true(planned(n, NOTHING, "-fold_scale", BATCH, result) > 1);
    }
}

static void it_stays_where_folding_is_wrong_or_does_not_pay(void **state)
{
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        const network *n = &networks[i];
        const char *result = result_of(n);
        assert_true(planned(n, BETWEEN, NULL, BATCH, result) > 1);
        assert_true(planned(n, ROUNDED, NULL, BATCH, result) > 1);
        if (!n->convolves) // 42 filters for 7 results
            assert_true(planned(n, NOTHING, NULL, 1, "-> (1, 7)") > 1);
    }
}

// Vectors a and b, their product, which is the first instruction, and a product of matrices that only
// the caller reads.
static void product_of_the_caller(const char *off, cj_tensor **scaled, cj_tensor **product)
{
    fixture f = {0};
    const cj_shape shapes[] = {CJ_SHAPE(7), CJ_SHAPE(7), CJ_SHAPE(9, 6), CJ_SHAPE(6, 7)};
    cj_symbol *x[4];
    cj_tensor *in[4];
    for (int i = 0; i < 4; i++) {
        x[i] = fixture_input(&f, shapes[i]);
        in[i] = fixture_tensor(shapes[i], NULL);
        fixture_fill(in[i], 5 + (unsigned)i);
    }
    fixture_output(&f, cj__mul(&f.g, x[0], x[1]));
    fixture_output(&f, cj__matmul(&f.g, x[2], x[3], false, false));
    cj_function *function = fixture_function(&f, off);
    cj_tensor *out[] = {fixture_tensor(CJ_SHAPE(7), NULL), fixture_tensor(CJ_SHAPE(9, 7), NULL)};
    if (cj_function_call(function, in, out) != CJ_OK)
        fail_msg("%s", cj_error());
    for (int i = 0; i < 4; i++)
        cj_release(in[i]);
    cj_release(function);
    *scaled = out[0];
    *product = out[1];
}

// What only the caller reads is read by no instruction, not by the first one.
static void a_product_that_is_an_output_stays(void **state)
{
    (void)state;
    cj_tensor *scaled[2], *product[2];
    product_of_the_caller(NULL, &scaled[0], &product[0]);
    product_of_the_caller("-fold_scale", &scaled[1], &product[1]);
    assert_memory_equal(cj_tensor_data(scaled[0]), cj_tensor_data(scaled[1]), 7 * sizeof(float));
    assert_memory_equal(cj_tensor_data(product[0]), cj_tensor_data(product[1]), 63 * sizeof(float));
    for (int i = 0; i < 2; i++)
        cj_release(scaled[i]), cj_release(product[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_the_same),
        cmocka_unit_test(a_product_that_is_an_output_stays),
        cmocka_unit_test(nothing_is_left_after_the_product),
        cmocka_unit_test(it_stays_where_folding_is_wrong_or_does_not_pay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
