// The gradient of a spike is the slope of its surrogate, which is no derivative of the step: here it
// is compared with the formulas, and the gradient of the gradient with differences of the first.
#include "cases.h"

#include "graph/graph.h"
#include "ops/spike.h"
#include <cajal/spiking.h>
#include <math.h>

enum { POINTS = 9 };
static const double points[POINTS] = {-1.7, -0.6, -0.31, -0.02, 0.013, 0.2, 0.47, 0.9, 2.5};

static double fast_sigmoid(double u, double a, double b)
{
    (void)b;
    return 1 / pow(1 + a * fabs(u), 2);
}

static double atan_slope(double u, double a, double b)
{
    (void)b;
    return a / 2 / (1 + pow(acos(-1) / 2 * a * u, 2));
}

static double sigmoid_slope(double u, double a, double b)
{
    const double s = 1 / (1 + exp(-a * u));
    (void)b;
    return a * s * (1 - s);
}

static double triangle(double u, double a, double b)
{
    return a * fmax(0, 1 - fabs(u) / b);
}

static double boxcar(double u, double a, double b)
{
    return fabs(u) < b ? a : 0;
}

static double gaussian(double u, double a, double b)
{
    return a * exp(-u * u / (2 * b * b));
}

static double straight_through(double u, double a, double b)
{
    (void)u, (void)a, (void)b;
    return 1;
}

typedef struct formula {
    const char *spec;
    double (*slope)(double u, double a, double b);
    double a, b;
} formula;

static const formula formulas[] = {
    {"fast_sigmoid", fast_sigmoid, 25, 0},
    {"fast_sigmoid(slope=3)", fast_sigmoid, 3, 0},
    {"super_spike(slope=100)", fast_sigmoid, 100, 0},
    {"atan", atan_slope, 2, 0},
    {"atan(alpha=0.7)", atan_slope, 0.7, 0},
    {"sigmoid(slope=4)", sigmoid_slope, 4, 0},
    {"triangle", triangle, 0.3, 1},
    {"triangle(gamma=2,width=0.5)", triangle, 2, 0.5},
    {"boxcar", boxcar, 1, 0.5},
    {"gaussian(gamma=0.8,width=0.4)", gaussian, 0.8, 0.4},
    {"straight_through", straight_through, 0, 0},
};
enum { FORMULAS = sizeof formulas / sizeof *formulas };

// The spikes of the points, the gradient g of sum(spikes weights), and that of sum(g g / 2).
typedef struct results {
    double spikes[POINTS], first[POINTS], second[POINTS];
} results;

static void evaluate(const char *spec, const double *at, results *r)
{
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(POINTS), "x"));
    cj_symbol *y = cj__build_keep(&g, cj_op_spike(spec, x)), *dx = NULL, *ddx = NULL;
    if (!y)
        fail_msg("%s", cj_error());
    assert_int_equal(cj__gradients(&g, cj__sum(&g, y, 1, false), &x, 1, &dx), CJ_OK);
    cj_symbol *half = cj__scale(&g, cj__apply_unary(&g, CJ__UNARY_square, dx, 0, 0), 0.5);
    assert_int_equal(cj__gradients(&g, cj__sum(&g, half, 1, false), &x, 1, &ddx), CJ_OK);
    cj_tensor *given = NULL, *out[3];
    assert_int_equal(cj_tensor_from(CJ_F64, CJ_SHAPE(POINTS), at, POINTS, &given), CJ_OK);
    cj_symbol *outputs[] = {y, dx, ddx};
    cj_function *f =
        cj_function(.inputs = &x, .input_count = 1, .outputs = outputs, .output_count = 3);
    assert_non_null(f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(POINTS), &out[i]), CJ_OK);
    assert_int_equal(cj_function_call(f, &given, out), CJ_OK);
    for (int i = 0; i < POINTS; i++) {
        r->spikes[i] = case_get(out[0], i);
        r->first[i] = case_get(out[1], i);
        r->second[i] = case_get(out[2], i);
    }
    for (int i = 0; i < 3; i++)
        cj_release(out[i]);
    cj_release(given);
    cj_release(f);
    assert_int_equal(cj__build_end(&g), CJ_OK);
}

static void slopes_are_those_of_the_formulas(void **state)
{
    (void)state;
    for (int k = 0; k < FORMULAS; k++) {
        const formula *f = &formulas[k];
        results r;
        evaluate(f->spec, points, &r);
        for (int i = 0; i < POINTS; i++) {
            assert_near(r.spikes[i], points[i] > 0, 0, 0);
            assert_near(r.first[i], f->slope(points[i], f->a, f->b), 1e-13, 1e-12);
        }
    }
}

// d/dx of g^2 / 2 is g g', g' by central differences of the formula.
static void slopes_may_be_differentiated_again(void **state)
{
    (void)state;
    for (int k = 0; k < FORMULAS; k++) {
        const formula *f = &formulas[k];
        results r;
        evaluate(f->spec, points, &r);
        for (int i = 0; i < POINTS; i++) {
            const double h = 1e-6, u = points[i];
            const double slope =
                (f->slope(u + h, f->a, f->b) - f->slope(u - h, f->a, f->b)) / (2 * h);
            assert_near(r.second[i], f->slope(u, f->a, f->b) * slope, 1e-6, 1e-6);
        }
    }
}

static void spikes_at_zero_and_of_nan(void **state)
{
    (void)state;
    const double at[POINTS] = {0, -0.0, NAN, INFINITY, -INFINITY, 1e-300, -1e-300, 1, -1};
    const double above[POINTS] = {0, 0, 0, 1, 0, 1, 0, 1, 0},
                 reached[POINTS] = {1, 1, 0, 1, 0, 1, 0, 1, 0};
    for (int which = 0; which < 2; which++) {
        cj__build g = {0};
        const cj__spike_attrs attrs = {.surrogate = CJ__SURROGATE_straight_through,
                                       .reached = which};
        cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(POINTS), "x"));
        cj_symbol *y = cj__spike(&g, x, &attrs);
        cj_tensor *given = NULL, *out = NULL;
        assert_int_equal(cj_tensor_from(CJ_F64, CJ_SHAPE(POINTS), at, POINTS, &given), CJ_OK);
        assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(POINTS), &out), CJ_OK);
        cj_function *f =
            cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1);
        assert_int_equal(cj_function_call(f, &given, &out), CJ_OK);
        for (int i = 0; i < POINTS; i++)
            if (!support_flushes_denormals() || fabs(at[i]) > 1e-200 || which == 0)
                assert_near(case_get(out, i), (which ? reached : above)[i], 0, 0);
        cj_release(f), cj_release(given), cj_release(out);
        assert_int_equal(cj__build_end(&g), CJ_OK);
    }
}

static void bad_surrogates_have_a_sentence(void **state)
{
    (void)state;
    assert_null(cj_op_spike("atn", cj_symbol_input(CJ_F32, CJ_SHAPE(2), "x")));
    assert_error_contains("did you mean \"atan\"?");
    assert_null(cj_op_spike("atan(alpha=-1)", cj_symbol_input(CJ_F32, CJ_SHAPE(2), "x")));
    assert_error_contains("alpha");
    assert_null(cj_op_spike("", cj_symbol_input(CJ_F32, CJ_SHAPE(2), "x")));
    assert_error_contains("empty");
    assert_null(cj_op_spike("atan", cj_symbol_input(CJ_I32, CJ_SHAPE(2), "x")));
    assert_error_contains("spike");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_are_those_of_the_formulas),
        cmocka_unit_test(slopes_may_be_differentiated_again),
        cmocka_unit_test(spikes_at_zero_and_of_nan),
        cmocka_unit_test(bad_surrogates_have_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
