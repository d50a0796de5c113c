// Every op's gradient equals differences. The loss is the outputs' elements times fixed weights;
// each real input's gradient is compared with fourth-order central differences in double.
//
// Tolerance: 1e-6 of the greatest element of the input's gradient (at least of 1). The differences'
// own error is about h^4 f'''''/30 + 1e-16 |loss| / h, some 1e-9 for h = 1e-3 and the numbers used
// here.
//
// Some ops refuse derivatives from an order on: see `refused`.
//
// Exempt are leaves, ops without a gradient, optimizer steps, and ops that fusion makes after
// differentiation.
#include "cases.h"

#include "graph/graph.h"
#include <math.h>
#include <string.h>

enum { SAMPLES = 24, MOST = 2 * CASE_INPUTS + CASE_OUTPUTS };

static const unsigned exempt =
    CJ__OP_LEAF | CJ__OP_NO_GRADIENT | CJ__OP_UPDATE | CJ__OP_FUSED | CJ__OP_LOOP;

// Ops whose derivatives of an order, and of higher ones, are refused.
static const struct {
    const cj__op *op;
    int order;
} refused[] = {
    {&cj__op_ctc, 2}, // of its second output, which is a derivative already
    {&cj__op_ctc_second_grad, 1},
    {&cj__op_circle, 2},
    {&cj__op_circle_grad, 1},
};

static bool is_refused(const cj__op *op, int order)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refused[i].op == op && order >= refused[i].order)
            return true;
    return false;
}

// A case with its loss and gradients, ready to be called.
typedef struct checked {
    const op_case *c;
    cj_function *function;
    cj_tensor *given[MOST]; // the case's inputs, then weights
    int given_count;
    cj_tensor *results[1 + CASE_INPUTS]; // the loss, then gradients
    int real[CASE_INPUTS];               // the inputs that gradients are by
    int real_count;
} checked;

// The sum of the real symbols among `count` times weights, which become inputs; NULL if none is
// real.
static cj_symbol *weighted(cj__build *g, checked *t, cj_symbol *const *symbols, int count,
                           cj_symbol **inputs)
{
    cj_symbol *loss = NULL;
    for (int i = 0; i < count; i++) {
        cj_symbol *y = symbols[i];
        if (!case_is_real(cj_symbol_dtype(y)))
            continue;
        cj_symbol *w =
            cj__build_keep(g, cj_symbol_input(cj_symbol_dtype(y), *cj_symbol_shape(y), "weights"));
        cj_symbol *term = cj__sum(g, cj__mul(g, w, y), cj__all_axes(y), false);
        loss = loss ? cj__add(g, loss, term) : term;
        t->given[t->given_count] = case_tensor_like(w);
        case_fill_weights(t->given[t->given_count], 7 + (unsigned)t->given_count);
        inputs[t->given_count++] = w;
    }
    return loss;
}

static void differentiate(checked *t, cj__build *g, cj_symbol *loss, cj_symbol *const *xs,
                          cj_symbol **gradients)
{
    if (cj_gradients(loss, xs, t->real_count, gradients) != CJ_OK)
        fail_msg("%s: %s", t->c->op->name, cj_error());
    for (int i = 0; i < t->real_count; i++)
        cj__build_keep(g, gradients[i]);
}

// With order 2 the loss is itself a weighted sum of the gradients.
static bool start(checked *t, const op_case *c, bool free_axis, int order)
{
    case_graph g;
    cj_symbol *inputs[MOST], *outputs[1 + CASE_INPUTS], *xs[CASE_INPUTS];
    *t = (checked){.c = c};
    case_build(c, CJ_F64, free_axis, &g);
    for (int i = 0; i < c->input_count; i++) {
        t->given[i] = case_tensor(c, i, CJ_F64, 1);
        inputs[i] = g.inputs[i];
        if (case_is_real(cj_symbol_dtype(inputs[i])))
            xs[t->real_count] = inputs[i], t->real[t->real_count++] = i;
    }
    t->given_count = c->input_count;
    outputs[0] = weighted(&g.build, t, g.outputs, g.output_count, inputs);
    if (outputs[0] && t->real_count) {
        differentiate(t, &g.build, outputs[0], xs, outputs + 1);
        if (order == 2) {
            outputs[0] = weighted(&g.build, t, outputs + 1, t->real_count, inputs);
            differentiate(t, &g.build, outputs[0], xs, outputs + 1);
        }
        for (int i = 0; i <= t->real_count; i++)
            t->results[i] = case_tensor_like(outputs[i]);
        t->function = cj_function(.inputs = inputs, .input_count = t->given_count,
                                  .outputs = outputs, .output_count = 1 + t->real_count);
        if (!t->function)
            fail_msg("%s: %s", c->op->name, cj_error());
    }
    assert_int_equal(cj__build_end(&g.build), CJ_OK);
    return t->function;
}

static void stop(checked *t)
{
    cj_release(t->function);
    for (int i = 0; i < t->given_count; i++)
        cj_release(t->given[i]);
    for (int i = 0; i <= t->real_count; i++)
        cj_release(t->results[i]);
}

static double loss_at(checked *t, cj_tensor *x, int64_t index, double value)
{
    cj_tensor *only_loss[1 + CASE_INPUTS] = {t->results[0]};
    case_set(x, index, value);
    if (cj_function_call(t->function, t->given, only_loss) != CJ_OK)
        fail_msg("%s: %s", t->c->op->name, cj_error());
    return case_get(t->results[0], 0);
}

static double difference(checked *t, cj_tensor *x, int64_t index)
{
    const double at = case_get(x, index), h = 1e-3;
    const double near = loss_at(t, x, index, at + h) - loss_at(t, x, index, at - h);
    const double far = loss_at(t, x, index, at + 2 * h) - loss_at(t, x, index, at - 2 * h);
    case_set(x, index, at);
    return (8 * near - far) / (12 * h);
}

static bool compare(checked *t, int which)
{
    cj_tensor *x = t->given[t->real[which]], *dx = t->results[1 + which];
    const int64_t count = cj_tensor_count(x), samples = count < SAMPLES ? count : SAMPLES;
    double scale = 1;
    assert_true(cj_shape_equal(cj_tensor_shape(x), cj_tensor_shape(dx)));
    for (int64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(case_get(dx, i)));
    for (int64_t s = 0; s < samples; s++) {
        const int64_t index = samples > 1 ? s * (count - 1) / (samples - 1) : 0;
        const double expected = difference(t, x, index), actual = case_get(dx, index);
        if (!support_near(actual, expected, 1e-6 * scale, 0)) {
            print_error("%s (case %d): gradient by input %d at %lld of %lld is %.12g, differences "
                        "say %.12g\n",
                        t->c->op->name, (int)(t->c - op_cases), t->real[which], (long long)index,
                        (long long)count, actual, expected);
            return false;
        }
    }
    return true;
}

static int failures_of(bool free_axis, int order)
{
    int failures = 0;
    for (size_t i = 0; i < op_case_count; i++) {
        checked t;
        // its gradient is no difference
        if (op_cases[i].op->flags & exempt || op_cases[i].op == &cj__op_round_bf16 ||
            op_cases[i].op == &cj__op_spike || is_refused(op_cases[i].op, order))
            continue;
        if (start(&t, &op_cases[i], free_axis, order)) {
            if (cj_function_call(t.function, t.given, t.results) != CJ_OK)
                fail_msg("%s: %s", t.c->op->name, cj_error());
            for (int which = 0; which < t.real_count; which++)
                failures += !compare(&t, which);
        }
        stop(&t);
    }
    return failures;
}

static void every_differentiable_op_has_a_case(void **state)
{
    (void)state;
    case_assert_complete(exempt);
}

static void gradients_equal_differences(void **state)
{
    (void)state;
    assert_int_equal(failures_of(false, 1), 0);
}

static void gradients_equal_differences_with_a_free_axis(void **state)
{
    (void)state;
    assert_int_equal(failures_of(true, 1), 0);
}

static void gradients_of_gradients_equal_differences(void **state)
{
    (void)state;
    assert_int_equal(failures_of(true, 2), 0);
}

static void refused_derivatives_have_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < op_case_count; i++) {
        case_graph g;
        cj_symbol *dx = NULL;
        if (!is_refused(op_cases[i].op, 1))
            continue;
        case_build(&op_cases[i], CJ_F64, true, &g);
        cj_symbol *loss = cj__sum(&g.build, g.outputs[0], cj__all_axes(g.outputs[0]), false);
        assert_int_equal(cj_gradients(loss, &g.inputs[0], 1, &dx), CJ_UNSUPPORTED);
        assert_non_null(strstr(cj_error(), "derivative is not there"));
        cj__build_end(&g.build);
    }
}

// The loss alone, without the output that is its gradient, may be differentiated twice.
static void ctc_has_a_second_derivative(void **state)
{
    (void)state;
    enum { STEPS = 4, CLASSES = 3, COUNT = STEPS * CLASSES };
    cj__build g = {0};
    double at[COUNT];
    cj_symbol *dx = NULL, *ddx = NULL;
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(1, STEPS, CLASSES), "x"));
    cj_symbol *labels = cj__build_keep(&g, cj_symbol_input(CJ_I32, CJ_SHAPE(1, 2), "labels"));
    cj_tensor *row = NULL, *given = NULL, *results[2] = {NULL};
    assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(1, 2), (int32_t[]){2, 2}, 2, &row), CJ_OK);
    assert_int_equal(cj__gradients(&g, cj__sum(&g, cj__ctc(&g, x, labels), 1, false), &x, 1, &dx),
                     CJ_OK);
    cj_symbol *first = cj__sum(&g, cj__apply_unary(&g, CJ__UNARY_square, dx, 0, 0), 7, false);
    assert_int_equal(cj__gradients(&g, first, &x, 1, &ddx), CJ_OK);
    cj_symbol *inputs[] = {x, labels}, *outputs[] = {first, ddx};
    cj_function *function =
        cj_function(.inputs = inputs, .input_count = 2, .outputs = outputs, .output_count = 2);
    assert_non_null(function);
    for (int i = 0; i < COUNT; i++)
        at[i] = -0.3 - 0.17 * ((i * 5) % 7);
    assert_int_equal(cj_tensor_from(CJ_F64, CJ_SHAPE(1, STEPS, CLASSES), at, COUNT, &given), CJ_OK);
    results[0] = case_tensor_like(first), results[1] = case_tensor_like(ddx);
    for (int i = 0; i < COUNT; i++) {
        const double h = 1e-4;
        double sides[2];
        for (int side = 0; side < 2; side++) {
            case_set(given, i, at[i] + (side ? h : -h));
            assert_int_equal(cj_function_call(function, (cj_tensor *[]){given, row}, results),
                             CJ_OK);
            sides[side] = case_get(results[0], 0);
        }
        case_set(given, i, at[i]);
        assert_int_equal(cj_function_call(function, (cj_tensor *[]){given, row}, results), CJ_OK);
        assert_near(case_get(results[1], i), (sides[1] - sides[0]) / (2 * h), 1e-6, 0);
    }
    cj_release(function), cj_release(given), cj_release(row);
    cj_release(results[0]), cj_release(results[1]);
    assert_int_equal(cj__build_end(&g), CJ_OK);
}

// The gradient by an f64 input of `y`, a symbol that the builder holds, summed.
static void gradient_at(cj__build *g, cj_symbol *y, cj_symbol *x, cj_tensor *at, cj_tensor *dx)
{
    cj_symbol *gradient = NULL, *loss = cj__sum(g, y, cj__all_axes(y), false);
    assert_int_equal(cj__gradients(g, loss, &x, 1, &gradient), CJ_OK);
    cj_function *function =
        cj_function(.inputs = &x, .input_count = 1, .outputs = &gradient, .output_count = 1);
    assert_non_null(function);
    assert_int_equal(cj_function_call(function, &at, &dx), CJ_OK);
    cj_release(function);
    assert_int_equal(cj__build_end(g), CJ_OK);
}

static void expect_gradient(cj__build *g, cj_symbol *y, cj_symbol *x, const double *at,
                            const double *expected)
{
    cj_tensor *value = NULL, *dx = case_tensor_like(x);
    const size_t count = (size_t)cj_tensor_count(dx);
    assert_int_equal(cj_tensor_from(CJ_F64, *cj_symbol_shape(x), at, count, &value), CJ_OK);
    gradient_at(g, y, x, value, dx);
    for (size_t i = 0; i < count; i++)
        assert_near(case_get(dx, (int64_t)i), expected[i], 0, 0);
    cj_release(value);
    cj_release(dx);
}

static void reduce_max_shares_the_gradient_between_equals(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(2, 4), "x"));
    expect_gradient(&g, cj__max(&g, x, 2, false), x, (double[]){1, 3, 3, 0, 5, 5, 5, 5},
                    (double[]){0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25});
    x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(2, 4), "x"));
    expect_gradient(&g, cj__min(&g, x, 3, true), x, (double[]){1, 3, 3, 0, 5, 0, 5, 5},
                    (double[]){0, 0, 0, 0.5, 0, 0.5, 0, 0});
}

static void maximum_gives_all_to_the_first_of_equals(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x"));
    expect_gradient(&g, cj__apply_binary(&g, CJ__BINARY_maximum, x, cj__scalar_like(&g, x, 2)), x,
                    (double[]){1, 2, 3}, (double[]){0, 1, 1});
    x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x"));
    expect_gradient(&g, cj__apply_binary(&g, CJ__BINARY_minimum, cj__scalar_like(&g, x, 2), x), x,
                    (double[]){1, 2, 3}, (double[]){1, 0, 0});
}

static void max_pool_gives_all_to_the_first_of_equals(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(1, 2, 2, 1), "x"));
    const cj__pool2d_attrs attrs = {.size = {2, 2}, .strides = {2, 2}};
    expect_gradient(&g, cj__max_pool2d(&g, x, &attrs), x, (double[]){1, 4, 4, 4},
                    (double[]){0, 1, 0, 0});
}

// 1 + 2^-8 lies between two bfloat16 numbers and goes to the even one; 3 x 2^-9 above 1 goes up.
static void round_bf16_passes_the_gradient_rounded(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x"));
    cj_symbol *weighted =
        cj__mul(&g, cj__round_bf16(&g, x), cj__shift(&g, cj__stop_gradient(&g, x), 0x1p-8));
    expect_gradient(&g, weighted, x, (double[]){1, 1 + 0x1p-9, 2}, (double[]){1, 1 + 0x1p-7, 2});
}

static void gradients_stop_where_told_and_pass_through_float32(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x"));
    expect_gradient(&g, cj__mul(&g, x, cj__stop_gradient(&g, x)), x, (double[]){1, 2, 3},
                    (double[]){1, 2, 3});
    x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x"));
    expect_gradient(&g, cj__scale(&g, cj__cast(&g, x, CJ_F32), 0.5), x, (double[]){1, 2, 3},
                    (double[]){0.5, 0.5, 0.5});
    x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(3), "x"));
    expect_gradient(&g, cj__cast(&g, cj__cast(&g, x, CJ_I32), CJ_F64), x, (double[]){1, 2, 3},
                    (double[]){0, 0, 0});
}

static void power_has_a_finite_gradient_at_zero(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(2), "x"));
    expect_gradient(&g, cj__apply_binary(&g, CJ__BINARY_power, x, cj__scalar_like(&g, x, 2)), x,
                    (double[]){0, 3}, (double[]){0, 6});
}

static void only_some_entries_of_unstack_may_be_used(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(2, 3), "x")), *parts[3];
    assert_int_equal(cj__unstack(&g, x, 1, parts), CJ_OK);
    expect_gradient(&g, cj__mul(&g, parts[0], parts[2]), x, (double[]){1, 2, 3, 4, 5, 6},
                    (double[]){3, 0, 1, 6, 0, 4});
}

// 1 / N, and 2 (x - mean) / N: rows of 4 with the means 2 and 5.
static void one_of_the_moments_may_be_used(void **state)
{
    (void)state;
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(2, 4), "x")), *mean,
              *variance;
    cj__moments(&g, x, 2, false, &mean, &variance);
    expect_gradient(&g, mean, x, (double[]){1, 2, 2, 3, 3, 4, 6, 7},
                    (double[]){0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25});
    x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(2, 4), "x"));
    cj__moments(&g, x, 2, true, &mean, &variance);
    expect_gradient(&g, variance, x, (double[]){1, 2, 2, 3, 3, 4, 6, 7},
                    (double[]){-0.5, 0, 0, 0.5, -1, -0.5, 0.5, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_differentiable_op_has_a_case),
        cmocka_unit_test(gradients_equal_differences),
        cmocka_unit_test(gradients_equal_differences_with_a_free_axis),
        cmocka_unit_test(gradients_of_gradients_equal_differences),
        cmocka_unit_test(refused_derivatives_have_a_sentence),
        cmocka_unit_test(ctc_has_a_second_derivative),
        cmocka_unit_test(one_of_the_moments_may_be_used),
        cmocka_unit_test(reduce_max_shares_the_gradient_between_equals),
        cmocka_unit_test(maximum_gives_all_to_the_first_of_equals),
        cmocka_unit_test(max_pool_gives_all_to_the_first_of_equals),
        cmocka_unit_test(round_bf16_passes_the_gradient_rounded),
        cmocka_unit_test(gradients_stop_where_told_and_pass_through_float32),
        cmocka_unit_test(power_has_a_finite_gradient_at_zero),
        cmocka_unit_test(only_some_entries_of_unstack_may_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
