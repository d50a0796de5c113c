// Reverse-mode differentiation: known derivatives, central differences in double, and the shapes a
// graph can take.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka needs the headers above before its own
#include <cmocka.h>

#include "graph/graph.h"
#include <math.h>
#include <string.h>

enum { KEPT_MAX = 64, VALUES = 6, DEEP = 100000 };

// Everything a test makes, released in teardown.
static void *kept[KEPT_MAX];
static int kept_count;

static void *keep(void *object)
{
    assert_non_null(object);
    assert_true(kept_count < KEPT_MAX);
    return kept[kept_count++] = cj__own(object);
}

static int teardown(void **state)
{
    (void)state;
    while (kept_count > 0)
        cj_release(kept[--kept_count]);
    return 0;
}

static cj_symbol *vector(void)
{
    return keep(cj_symbol_input(CJ_F64, CJ_SHAPE(CJ_BATCH), "x"));
}

static cj_symbol *total(cj_symbol *x)
{
    return keep(cj_op_reduce_sum(x, NULL, 0));
}

static cj_symbol *gradient(cj_symbol *y, cj_symbol *x)
{
    cj_symbol *g = NULL;
    assert_int_equal(cj_gradients(y, &x, 1, &g), CJ_OK);
    return keep(g);
}

// The value of `y` for x of VALUES elements.
static void evaluate(cj_symbol *x, cj_symbol *y, const double *at, double *value)
{
    cj_function *f = cj_function(.inputs = &x, .input_count = 1, .outputs = &y, .output_count = 1);
    assert_non_null(f);
    const void *in = at;
    void *out = value;
    assert_int_equal(cj__function_run(f, VALUES, &in, &out), CJ_OK);
    cj_release(f);
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

static const double points[VALUES] = {0.3, 0.7, 1.1, 1.6, 2.2, 0.9};

static void square_has_derivative_two_x(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *y = total(cj_op_square(x));
    double g[VALUES];
    evaluate(x, gradient(y, x), points, g);
    for (int i = 0; i < VALUES; i++)
        assert_near(g[i], 2 * points[i], 1e-14);
}

static void shared_subexpression_sums_over_its_users(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *h = keep(cj_op_exp(x)),
              *y = total(cj_op_add(cj_op_multiply(h, h), h));
    double g[VALUES];
    evaluate(x, gradient(y, x), points, g);
    for (int i = 0; i < VALUES; i++)
        assert_near(g[i], 2 * exp(2 * points[i]) + exp(points[i]), 1e-9);
}

static void second_derivative_of_a_cube_is_six_x(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *y = total(cj_op_multiply(cj_op_multiply(x, x), x));
    cj_symbol *first = gradient(y, x), *second = gradient(total(first), x);
    double g[VALUES];
    evaluate(x, second, points, g);
    for (int i = 0; i < VALUES; i++)
        assert_near(g[i], 6 * points[i], 1e-12);
}

static void independent_symbol_gets_zeros_of_its_shape(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *other = keep(cj_symbol_scalar(CJ_F64, 3)),
              *y = keep(cj_op_square(other));
    cj_symbol *g = gradient(y, x);
    assert_true(cj_shape_equal(cj_symbol_shape(g), cj_symbol_shape(x)));
    double value[VALUES];
    memset(value, 0x55, sizeof value);
    evaluate(x, g, (double[VALUES]){INFINITY, NAN, 1, 2, 3, 4}, value);
    for (int i = 0; i < VALUES; i++)
        assert_true(value[i] == 0);
}

static void stop_gradient_lets_nothing_pass(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *y = total(cj_op_multiply(cj_op_stop_gradient(cj_op_square(x)), x));
    double g[VALUES];
    evaluate(x, gradient(y, x), points, g);
    for (int i = 0; i < VALUES; i++)
        assert_near(g[i], points[i] * points[i], 1e-14);
}

static void derivative_by_an_intermediate_symbol(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *h = keep(cj_op_square(x)), *y = total(cj_op_multiply(h, h));
    double g[VALUES];
    evaluate(x, gradient(y, h), points, g);
    for (int i = 0; i < VALUES; i++)
        assert_near(g[i], 2 * points[i] * points[i], 1e-13);
}

static void equal_gradients_are_the_callers_one_by_one(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *w = vector(), *y = total(cj_op_add(x, w));
    cj_symbol *xs[] = {x, w}, *g[2];
    assert_int_equal(cj_gradients(y, xs, 2, g), CJ_OK);
    assert_ptr_not_equal(g[0], g[1]);
    cj_release(g[0]);
    cj_release(g[1]);
}

static void what_has_no_derivative_is_refused(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *n = keep(cj_symbol_input(CJ_I32, CJ_SHAPE(CJ_BATCH), "n")), *g = x;
    assert_int_equal(cj_gradients(x, &x, 1, &g), CJ_INVALID_ARGUMENT);
    assert_null(g);
    assert_non_null(strstr(cj_error(), "scalar"));
    assert_int_equal(cj_gradients(total(x), &n, 1, &g), CJ_INVALID_ARGUMENT);
    assert_non_null(strstr(cj_error(), "int32"));
}

// Random compositions of smooth ops, all positive so that log and sqrt are safe.
static cj_symbol *compose(cj_symbol *x, unsigned seed)
{
    cj_symbol *h = x;
    for (int i = 0; i < 8; i++, seed = seed * 1103515245u + 12345u) {
        switch ((seed >> 16) % 5) {
        case 0:
            h = cj_op_add(cj_op_square(h), x);
            break;
        case 1:
            h = cj_op_sqrt(cj_op_add(h, x));
            break;
        case 2:
            h = cj_op_divide(h, cj_op_add(x, cj_symbol_scalar(CJ_F64, 1)));
            break;
        case 3:
            h = cj_op_log(
                cj_op_add(cj_op_exp(cj_op_negative(h)), cj_op_add(x, cj_symbol_scalar(CJ_F64, 1))));
            break;
        default:
            h = cj_op_add(cj_op_relu(h), cj_op_multiply(x, x));
            break;
        }
    }
    return h;
}

static void random_compositions_agree_with_central_differences(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        cj_symbol *x = vector(), *y = total(compose(x, seed * 7919u)), *g = gradient(y, x);
        double analytic[VALUES];
        evaluate(x, g, points, analytic);
        for (int i = 0; i < VALUES; i++) {
            double at[VALUES], above, below, h = 1e-5;
            memcpy(at, points, sizeof at);
            at[i] = points[i] + h;
            evaluate(x, y, at, &above);
            at[i] = points[i] - h;
            evaluate(x, y, at, &below);
            // The truncation error is of order h^2, relative to the size of the derivative.
            assert_near(analytic[i], (above - below) / (2 * h), 1e-6 * fmax(1, fabs(analytic[i])));
        }
        teardown(NULL);
    }
}

static void chain_of_a_hundred_thousand_is_differentiated(void **state)
{
    (void)state;
    cj_symbol *x = vector(), *h = x;
    for (int i = 0; i < DEEP; i++)
        h = cj_op_add(h, x);
    double g[VALUES];
    evaluate(x, gradient(total(h), x), points, g);
    for (int i = 0; i < VALUES; i++)
        assert_true(g[i] == DEEP + 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

// ---- Variables ----

// A variable of two elements, 1 and 2, and a symbol that reads it.
static cj_variable *weights(void)
{
    cj_tensor *value = NULL;
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(2), &value), CJ_OK);
    ((double *)cj_tensor_data(value))[0] = 1;
    ((double *)cj_tensor_data(value))[1] = 2;
    cj_variable *w = cj_variable_new("w", value);
    assert_non_null(w);
    kept[kept_count++] = w; // it does not float: teardown's release is its maker's
    return w;
}

static cj_symbol *read_of(cj_variable *variable)
{
    return keep(cj_symbol_variable(variable));
}

static void compute(cj_symbol *y, double *value)
{
    cj_function *f = cj_function(.outputs = &y, .output_count = 1);
    void *out = value;
    assert_non_null(f);
    assert_int_equal(cj__function_run(f, 1, NULL, &out), CJ_OK);
    cj_release(f);
}

// loss = sum of 3 w w read through two symbols; the gradient is asked for through a third.
static void gradient_by_a_variable_is_over_all_its_reads(void **state)
{
    (void)state;
    cj_variable *w = weights();
    cj_symbol *product = cj_op_multiply(read_of(w), read_of(w));
    cj_symbol *loss = total(cj_op_multiply(product, cj_symbol_scalar(CJ_F64, 3)));
    double g[2] = {0};
    compute(gradient(loss, read_of(w)), g);
    assert_near(g[0], 6, 0);
    assert_near(g[1], 12, 0);
}

static void gradient_by_one_of_several_reads_is_the_variables(void **state)
{
    (void)state;
    cj_variable *w = weights();
    cj_symbol *first = read_of(w), *second = read_of(w);
    cj_symbol *loss = total(cj_op_add(cj_op_square(first), second));
    cj_symbol *gs[2];
    double g[2][2] = {{0}};
    assert_int_equal(cj_gradients(loss, (cj_symbol *[]){second, first}, 2, gs), CJ_OK);
    for (int i = 0; i < 2; i++)
        compute(keep(gs[i]), g[i]);
    for (int i = 0; i < 2; i++) {
        assert_near(g[i][0], 3, 0);
        assert_near(g[i][1], 5, 0);
    }
}

static void gradient_by_a_variable_that_is_not_read_is_zero(void **state)
{
    (void)state;
    cj_symbol *loss = total(cj_op_square(read_of(weights())));
    double g[2] = {1, 1};
    compute(gradient(loss, read_of(weights())), g);
    assert_near(g[0], 0, 0);
    assert_near(g[1], 0, 0);
}

// The second derivative, through symbols that are made anew each time.
static void gradient_of_a_gradient_finds_all_reads(void **state)
{
    (void)state;
    cj_variable *w = weights();
    cj_symbol *cube = cj_op_multiply(cj_op_square(read_of(w)), read_of(w));
    cj_symbol *once = gradient(total(cube), read_of(w));
    double g[2] = {0};
    compute(gradient(total(once), read_of(w)), g);
    assert_near(g[0], 6, 1e-14);
    assert_near(g[1], 12, 1e-14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gradient_by_a_variable_is_over_all_its_reads),
        TEST(gradient_by_one_of_several_reads_is_the_variables),
        TEST(gradient_by_a_variable_that_is_not_read_is_zero),
        TEST(gradient_of_a_gradient_finds_all_reads),
        TEST(square_has_derivative_two_x),
        TEST(shared_subexpression_sums_over_its_users),
        TEST(second_derivative_of_a_cube_is_six_x),
        TEST(independent_symbol_gets_zeros_of_its_shape),
        TEST(stop_gradient_lets_nothing_pass),
        TEST(derivative_by_an_intermediate_symbol),
        TEST(equal_gradients_are_the_callers_one_by_one),
        TEST(what_has_no_derivative_is_refused),
        TEST(random_compositions_agree_with_central_differences),
        TEST(chain_of_a_hundred_thousand_is_differentiated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
