// Every activation: first and second derivatives against differences in double, and what becomes of
// numbers far out, infinite, tiny or not numbers.
#include "layers/helpers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 24 };

// Specs beside the bare names: settings, and names that need some.
static const char *const MORE[] = {"leaky_relu(negative_slope=0.3)",
                                   "relu(negative_slope=0.1, max_value=2, threshold=0.4)",
                                   "elu(alpha=0.4)",
                                   "celu(alpha=2.5)",
                                   "gelu(approximate=true)",
                                   "hard_shrink(threshold=1.3)",
                                   "soft_shrink(threshold=0)",
                                   "squareplus(b=0.5)",
                                   "threshold(threshold=0.7, default_value=-3)"};

// The spec of activation `index`; NULL after the last.
static const char *spec_at(int index)
{
    const int more = (int)(sizeof MORE / sizeof MORE[0]);
    if (index < more)
        return MORE[index];
    for (int row = 0; row < cj__activations.count; row++) {
        const cj__choice *choice = (const void *)((const char *)cj__activations.rows +
                                                  (size_t)row * cj__activations.stride);
        if (strcmp(choice->name, "threshold") != 0 && index-- == more)
            return choice->name;
    }
    return NULL;
}

// One number for each of some x, of which the gradient's weighted sum is taken again.
typedef struct curve {
    cj_function *function; // x -> sum(w f), its gradient g, sum(v g), its gradient
    cj_tensor *x, *results[4];
} curve;

static cj_symbol *weighed(cj__build *g, cj_symbol *y, double first)
{
    double weights[COUNT];
    if (!y)
        return NULL;
    const int64_t count = cj_symbol_shape(y)->dims[1];
    for (int64_t i = 0; i < count; i++)
        weights[i] = first + 0.37 * (double)(i * 5 % 7);
    cj_tensor *values = helper_tensor(CJ_F64, CJ_SHAPE(1, count), weights);
    cj_symbol *product = cj__mul(g, y, cj__build_keep(g, cj_symbol_constant(values)));
    return product ? cj__sum(g, product, cj__all_axes(product), false) : NULL;
}

static curve open_curve(const char *spec)
{
    cj__build g = {0};
    curve c = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F64, CJ_SHAPE(1, COUNT), "x"));
    cj_symbol *outputs[4] = {weighed(&g, cj__activation(&g, spec, "test", x), 0.5)};
    if (cj__gradients(&g, outputs[0], &x, 1, &outputs[1]) == CJ_OK) {
        outputs[2] = weighed(&g, outputs[1], -1.1);
        cj__gradients(&g, outputs[2], &x, 1, &outputs[3]);
    }
    c.function = cj_function(.inputs = &x, .input_count = 1, .outputs = outputs, .output_count = 4);
    if (cj__build_end(&g) != CJ_OK || !c.function)
        fail_msg("%s: %s", spec, cj_error());
    assert_int_equal(cj_tensor_new(CJ_F64, CJ_SHAPE(1, COUNT), &c.x), CJ_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            cj_tensor_new(CJ_F64, i % 2 == 0 ? (cj_shape){0} : CJ_SHAPE(1, COUNT), &c.results[i]),
            CJ_OK);
    return c;
}

static const double *compute(curve *c, int which)
{
    if (cj_function_call(c->function, &c->x, c->results) != CJ_OK)
        fail_msg("%s", cj_error());
    return cj_tensor_data(c->results[which]);
}

static void close_curve(curve *c)
{
    cj_release(c->function);
    cj_release(c->x);
    for (int i = 0; i < 4; i++)
        cj_release(c->results[i]);
}

// Compares gradient `which` with central differences of the scalar before it.
static void compare(curve *c, const char *spec, int which)
{
    const double step = 1e-5;
    double gradient[COUNT], *x = cj_tensor_data(c->x);
    memcpy(gradient, compute(c, which), sizeof gradient);
    for (int i = 0; i < COUNT; i++) {
        const double kept = x[i];
        x[i] = kept + step;
        const double above = compute(c, which - 1)[0];
        x[i] = kept - step;
        const double below = compute(c, which - 1)[0], difference = (above - below) / (2 * step);
        x[i] = kept;
        if (!(fabs(difference - gradient[i]) <= 1e-6 * (1 + fabs(difference))))
            fail_msg("%s: derivative %d at %g is %.12g, the difference is %.12g", spec,
                     which / 2 + 1, kept, gradient[i], difference);
    }
}

static void first_and_second_derivatives_are_differences(void **state)
{
    (void)state;
    const char *spec;
    for (int index = 0; (spec = spec_at(index)); index++) {
        curve c = open_curve(spec);
        double *x = cj_tensor_data(c.x);
        for (int i = 0; i < COUNT; i++) // from -6.7 to 6.9, away from every kink
            x[i] = -6.73 + 0.593 * (double)((i * 7) % COUNT);
        compare(&c, spec, 1);
        compare(&c, spec, 3);
        close_curve(&c);
    }
}

// Numbers that a network can meet; the first ones are finite.
static const float FAR[] = {50,     -50,     1e4f,   -1e4f,   88,       -88,       0,  -0.0f,
                            1e-40f, -1e-40f, 1e-30f, -1e-30f, INFINITY, -INFINITY, NAN};
enum { FAR_COUNT = sizeof FAR / sizeof FAR[0], FINITE_COUNT = FAR_COUNT - 3 };

static bool is_of_rows(const char *spec)
{
    return strstr(spec, "softmax") || strcmp(spec, "glu") == 0 || strcmp(spec, "sparsemax") == 0;
}

// y and dy/dx of each of FAR.
static void compute_far(const char *spec, float *y, float *dx)
{
    cj__build g = {0};
    cj_symbol *x = cj__build_keep(&g, cj_symbol_input(CJ_F32, CJ_SHAPE(FAR_COUNT), "x"));
    cj_symbol *outputs[2] = {cj__activation(&g, spec, "test", x)};
    cj_symbol *sum = outputs[0] ? cj__sum(&g, outputs[0], 1, false) : NULL;
    cj__gradients(&g, sum, &x, 1, &outputs[1]);
    cj_function *function =
        cj_function(.inputs = &x, .input_count = 1, .outputs = outputs, .output_count = 2);
    if (cj__build_end(&g) != CJ_OK || !function)
        fail_msg("%s: %s", spec, cj_error());
    cj_tensor *given = NULL, *results[2] = {0};
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(FAR_COUNT), &given), CJ_OK);
    memcpy(cj_tensor_data(given), FAR, sizeof FAR);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(FAR_COUNT), &results[i]), CJ_OK);
    assert_int_equal(cj_function_call(function, &given, results), CJ_OK);
    memcpy(y, cj_tensor_data(results[0]), sizeof FAR);
    memcpy(dx, cj_tensor_data(results[1]), sizeof FAR);
    cj_release(function), cj_release(given), cj_release(results[0]), cj_release(results[1]);
}

static void far_numbers_do_not_overflow(void **state)
{
    (void)state;
    const char *spec;
    for (int index = 0; (spec = spec_at(index)); index++) {
        float y[FAR_COUNT], dx[FAR_COUNT];
        if (is_of_rows(spec))
            continue;
        compute_far(spec, y, dx);
        for (int i = 0; i < FINITE_COUNT; i++) {
            const bool grows = strcmp(spec, "exponential") == 0 && FAR[i] > 88;
            if (!grows && (!isfinite(y[i]) || !isfinite(dx[i])))
                fail_msg("%s at %g is %g, its derivative %g", spec, (double)FAR[i], (double)y[i],
                         (double)dx[i]);
        }
        // At infinity there is a limit or infinity; what is not a number stays so, but for functions
        // that compare it.
        const bool compares = strncmp(spec, "threshold", 9) == 0 || strstr(spec, "hard_shrink") ||
                              strstr(spec, "threshold=0.4");
        if (strcmp(spec, "softsign") != 0 && isnan(y[FINITE_COUNT])) // infinity / infinity
            fail_msg("%s at infinity is not a number", spec);
        if (!compares && !isnan(y[FAR_COUNT - 1]))
            fail_msg("%s of what is not a number is %g", spec, (double)y[FAR_COUNT - 1]);
    }
}

static void wrong_settings_get_their_sentence(void **state)
{
    static const struct {
        const char *spec, *sentence;
    } rows[] = {
        {"threshold", "threshold is required"},
        {"threshold(threshold=1)", "default_value is required"},
        {"hard_shrink(threshold=-1)", "threshold must be"},
        {"soft_shrink(threshold=-0.5)", "threshold must be"},
        {"celu(alpha=0)", "alpha must be"},
        {"squareplus(b=-1)", "b must be"},
        {"hard_thanh", "did you mean \"hard_tanh\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cj_error_clear();
        assert_null(cj_activation(rows[i].spec));
        assert_error_contains(rows[i].sentence);
    }
    cj_error_clear();
    assert_null(
        cj_apply(cj_activation("glu"), cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 3), "x")));
    assert_error_contains("needs an even length");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_and_second_derivatives_are_differences),
        cmocka_unit_test(far_numbers_do_not_overflow),
        cmocka_unit_test(wrong_settings_get_their_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
