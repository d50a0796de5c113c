// How far exp, log, tanh and their kin may be from the truth, over the whole range of float. In
// double every table uses libm, so only float is measured.
#include "harness.h"
#include <float.h>
#include <math.h>

enum { N = 1 << 14 };

// The error in units in the last place of the true value, which plain C computes in double; below
// the least normal number the unit is that of the least normal number.
static double worst_error(const cj__kernels *k, cj__unary f, const float *x,
                          double (*truth)(double))
{
    static float y[N];
    double worst = 0;
    k->unary[f](N, x, y, 0, 0);
    for (int i = 0; i < N; i++) {
        const double e = truth((double)x[i]);
        if ((double)y[i] == (double)(float)e)
            continue;
        const double unit =
            ldexp(1, (fabs(e) < (double)FLT_MIN ? -125 : ilogb(e) + 1) - FLT_MANT_DIG);
        const double error = fabs((double)y[i] - e) / unit;
        worst = error > worst || isnan(error) ? error : worst;
    }
    return worst;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x * 0.70710678118654752440);
}

// Bounds as body/elementwise/math.h states them. Below -88 sigmoid's e^-x overflows; its value is a denormal
// there.
static const struct {
    const char *name;
    cj__unary f;
    double (*truth)(double);
    double low, high, bound;
} rows[] = {
    {"exp", CJ__UNARY_exp, exp, -104, 89, 1.5},
    {"exp near 0", CJ__UNARY_exp, exp, -0.5, 0.5, 1.5},
    {"log", CJ__UNARY_log, log, 0, 3e38, 1.5},
    {"log near 1", CJ__UNARY_log, log, 0.5, 2, 1.5},
    {"log of denormals", CJ__UNARY_log, log, 1e-45, 1e-37, 1.5},
    {"log1p", CJ__UNARY_log1p, log1p, -0.99, 100, 3},
    {"log1p near 0", CJ__UNARY_log1p, log1p, -1e-3, 1e-3, 3},
    {"tanh", CJ__UNARY_tanh, tanh, -12, 12, 4},
    {"tanh near 0", CJ__UNARY_tanh, tanh, -1e-2, 1e-2, 4},
    {"sigmoid", CJ__UNARY_sigmoid, sigmoid, -87, 87, 3},
    {"gelu", CJ__UNARY_gelu, gelu, -12.5, 12, 6},
    {"gelu near 0", CJ__UNARY_gelu, gelu, -0.5, 0.5, 6},
};

static void errors_of(const tables *t)
{
    static float x[N];
    if (t->real_size != sizeof(float))
        return;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int i = 0; i < N; i++)
            x[i] = (float)pick_uniform(rows[r].low, rows[r].high);
        const double worst = worst_error(t->fast, rows[r].f, x, rows[r].truth);
        if (!(worst <= rows[r].bound))
            fail_msg("%s, %s: %.2f units, at most %.2f", rows[r].name, t->fast->isa, worst,
                     rows[r].bound);
    }
}

static void errors_stay_within_the_stated_bounds(void **unused)
{
    (void)unused;
    for_each_table(errors_of);
}

// Random bits reach every exponent.
static void bits_of(const tables *t)
{
    static float x[N];
    if (t->real_size != sizeof(float))
        return;
    for (int i = 0; i < N; i++)
        x[i] = (float)ldexp(pick_uniform(0.5, 1), (int)pick(250) - 125);
    const double worst = worst_error(t->fast, CJ__UNARY_log, x, log);
    if (!(worst <= 1.5))
        fail_msg("log, %s: %.2f units", t->fast->isa, worst);
}

static void log_is_right_at_every_exponent(void **unused)
{
    (void)unused;
    for_each_table(bits_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_stay_within_the_stated_bounds),
        cmocka_unit_test(log_is_right_at_every_exponent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
