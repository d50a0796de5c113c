// The element-wise functions of CJ__FUNCTIONS and CJ__FUNCTION_PAIRS, computed number by number with
// libm or by the formulas below. Their derivatives are written with other ops, so that they have
// derivatives of any order without ops of their own.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/words.h"
#include <float.h>
#include <math.h>

#define PI 3.14159265358979323846

// ---- What libm lacks ----

// Newton's method on erf, from Winitzki's approximation ("A handy approximation for the error function
// and its inverse", 2008). Where erf is nearly flat the steps are taken on erfc, which keeps its digits.
static double inverse_erf(double x)
{
    if (!(fabs(x) < 1))
        return fabs(x) > 1 || isnan(x) ? (double)NAN : copysign((double)INFINITY, x);
    const double size = fabs(x), a = 0.147, l = log1p(-size * size), c = 2 / (PI * a) + l / 2;
    double y = sqrt(sqrt(c * c - l / a) - c);
    for (int i = 0; i < 3; i++) {
        const double error = size < 0.5 ? erf(y) - size : (1 - size) - erfc(y);
        const double step = error / (2 / sqrt(PI) * exp(-y * y));
        y -= step / (1 + y * step);
    }
    return copysign(y, x);
}

// The power series, sum of (x/2)^(2k + order) / (k! (k + order)!), all of whose terms have one sign;
// for large x the asymptotic series (Abramowitz and Stegun 9.6.10 and 9.7.1).
static double bessel(double x, int order)
{
    const double size = fabs(x);
    double term = order ? size / 2 : 1, sum = term;
    if (isnan(x))
        return x;
    if (size < 40) {
        for (int k = 1; k < 200 && term > sum * DBL_EPSILON / 8; k++) {
            term *= size * size / 4 / ((double)k * (k + order));
            sum += term;
        }
    } else {
        const double mu = 4.0 * order;
        sum = term = 1;
        for (int k = 1; k < 20; k++) {
            const double odd = 2.0 * k - 1;
            term *= -(mu - odd * odd) / (k * 8 * size);
            sum += term;
        }
        sum *= exp(size / 2) / sqrt(2 * PI * size) * exp(size / 2);
    }
    return order && x < 0 ? -sum : sum;
}

static double bessel_i0(double x)
{
    return bessel(x, 0);
}

static double bessel_i1(double x)
{
    return bessel(x, 1);
}

// Division as Python has it: the remainder has the divisor's sign.
static double floored_mod(double a, double b)
{
    const double rest = fmod(a, b);
    return (rest > 0 && b < 0) || (rest < 0 && b > 0) ? rest + b : rest;
}

static double floored_quotient(double a, double b)
{
    const double rest = floored_mod(a, b);
    return isnan(rest) ? floor(a / b) : rint((a - rest) / b);
}

static double log_add_exp(double a, double b)
{
    const double top = a > b ? a : b, apart = fabs(a - b);
    return isnan(apart) ? a + b : top + log1p(exp(-apart));
}

#define IN_DOUBLE(name, function)  \
    static float name##f(float x)  \
    {                              \
        return (float)function(x); \
    }
IN_DOUBLE(inverse_erf, inverse_erf)
IN_DOUBLE(bessel_i0, bessel_i0)
IN_DOUBLE(bessel_i1, bessel_i1)
#undef IN_DOUBLE
#define IN_DOUBLE(name)                    \
    static float name##f(float a, float b) \
    {                                      \
        return (float)name(a, b);          \
    }
IN_DOUBLE(floored_mod)
IN_DOUBLE(floored_quotient)
IN_DOUBLE(log_add_exp)
#undef IN_DOUBLE

// Each function's bodies: in float with an f after the name, in double without.
#define CJ__BODIES(F)       \
    F(sin, sin)             \
    F(cos, cos)             \
    F(tan, tan)             \
    F(arcsin, asin)         \
    F(arccos, acos)         \
    F(arctan, atan)         \
    F(sinh, sinh)           \
    F(cosh, cosh)           \
    F(arcsinh, asinh)       \
    F(arccosh, acosh)       \
    F(arctanh, atanh)       \
    F(expm1, expm1)         \
    F(exp2, exp2)           \
    F(log2, log2)           \
    F(log10, log10)         \
    F(cbrt, cbrt)           \
    F(erf, erf)             \
    F(erfc, erfc)           \
    F(erfinv, inverse_erf)  \
    F(bessel_i0, bessel_i0) \
    F(bessel_i1, bessel_i1) \
    F(floor, floor)         \
    F(ceil, ceil)           \
    F(trunc, trunc)         \
    F(round, rint)
#define CJ__PAIR_BODIES(F)            \
    F(mod, floored_mod)               \
    F(fmod, fmod)                     \
    F(floor_divide, floored_quotient) \
    F(hypot, hypot)                   \
    F(arctan2, atan2)                 \
    F(logaddexp, log_add_exp)         \
    F(nextafter, nextafter)

// ---- Of one operand ----

static cj_status infer_function(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return cj__need_real(r, 0, NULL);
}

#define LOOP(type, body)                                    \
    {                                                       \
        const type *x = (const type *)call->inputs[0].data; \
        type *y = call->outputs[0].data;                    \
        for (int64_t i = begin; i < end; i++)               \
            y[i] = body(x[i]);                              \
    }
#define F(name, body)                                                         \
    static void work_##name(const cj__call *call, int64_t begin, int64_t end) \
    {                                                                         \
        if (call->outputs[0].type.dtype == CJ_F32)                            \
            LOOP(float, body##f)                                              \
        else                                                                  \
            LOOP(double, body)                                                \
    }
CJ__BODIES(F)
#undef F
#undef LOOP

static cj_status run_function(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), call->op->work_elements);
    return CJ_OK;
}

// The derivative by x of y = f(x), written in either.
#define SLOPE(name)       static cj_symbol *slope_##name(cj__build *g, cj_symbol *x, cj_symbol *y)
#define IGNORE(what)      (void)(what)
#define UNARY(name, x)    cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)
#define FUNCTION(name, x) cj__apply_function(g, CJ__FUNCTION_##name, x)

static cj_symbol *one_minus(cj__build *g, cj_symbol *x)
{
    return cj__sub(g, cj__scalar_like(g, x, 1), x);
}

SLOPE(sin)
{
    IGNORE(y);
    return FUNCTION(cos, x);
}

SLOPE(cos)
{
    IGNORE(y);
    return UNARY(negative, FUNCTION(sin, x));
}

SLOPE(tan)
{
    IGNORE(x);
    return cj__shift(g, UNARY(square, y), 1);
}

SLOPE(arcsin)
{
    IGNORE(y);
    return UNARY(rsqrt, one_minus(g, UNARY(square, x)));
}

SLOPE(arccos)
{
    return UNARY(negative, slope_arcsin(g, x, y));
}

SLOPE(arctan)
{
    IGNORE(y);
    return UNARY(reciprocal, cj__shift(g, UNARY(square, x), 1));
}

SLOPE(sinh)
{
    IGNORE(y);
    return FUNCTION(cosh, x);
}

SLOPE(cosh)
{
    IGNORE(y);
    return FUNCTION(sinh, x);
}

SLOPE(arcsinh)
{
    IGNORE(y);
    return UNARY(rsqrt, cj__shift(g, UNARY(square, x), 1));
}

SLOPE(arccosh)
{
    IGNORE(y);
    return UNARY(rsqrt, cj__mul(g, cj__shift(g, x, -1), cj__shift(g, x, 1)));
}

SLOPE(arctanh)
{
    IGNORE(y);
    return UNARY(reciprocal, one_minus(g, UNARY(square, x)));
}

SLOPE(expm1)
{
    IGNORE(x);
    return cj__shift(g, y, 1);
}

SLOPE(exp2)
{
    IGNORE(x);
    return cj__scale(g, y, 0.69314718055994530942);
}

SLOPE(log2)
{
    IGNORE(y);
    return cj__scale(g, UNARY(reciprocal, x), 1.44269504088896340736);
}

SLOPE(log10)
{
    IGNORE(y);
    return cj__scale(g, UNARY(reciprocal, x), 0.43429448190325182765);
}

SLOPE(cbrt)
{
    IGNORE(x);
    return cj__scale(g, UNARY(reciprocal, UNARY(square, y)), 1.0 / 3);
}

SLOPE(erf)
{
    IGNORE(y);
    return cj__scale(g, UNARY(exp, UNARY(negative, UNARY(square, x))), 1.12837916709551257390);
}

SLOPE(erfc)
{
    return UNARY(negative, slope_erf(g, x, y));
}

SLOPE(erfinv)
{
    IGNORE(x);
    return cj__scale(g, UNARY(exp, UNARY(square, y)), 0.88622692545275801365);
}

SLOPE(bessel_i0)
{
    IGNORE(y);
    return FUNCTION(bessel_i1, x);
}

// I0 - I1 / x, which is 1/2 at 0
SLOPE(bessel_i1)
{
    cj_symbol *zero = cj__scalar_like(g, x, 0), *one = cj__scalar_like(g, x, 1);
    cj_symbol *apart = cj__compare(g, CJ__COMPARISON_not_equal, x, zero);
    cj_symbol *ratio = cj__div(g, y, cj__select(g, apart, x, one));
    ratio = cj__select(g, apart, ratio, cj__scalar_like(g, x, 0.5));
    return cj__sub(g, FUNCTION(bessel_i0, x), ratio);
}

// NULL: the derivative is 0 wherever there is one.
static cj_symbol *(*const slopes[CJ__FUNCTION_COUNT])(cj__build *g, cj_symbol *x, cj_symbol *y) = {
#define ROW(name) [CJ__FUNCTION_##name] = slope_##name
    ROW(sin),    ROW(cos),       ROW(tan),       ROW(arcsin),  ROW(arccos),  ROW(arctan),
    ROW(sinh),   ROW(cosh),      ROW(arcsinh),   ROW(arccosh), ROW(arctanh), ROW(expm1),
    ROW(exp2),   ROW(log2),      ROW(log10),     ROW(cbrt),    ROW(erf),     ROW(erfc),
    ROW(erfinv), ROW(bessel_i0), ROW(bessel_i1),
#undef ROW
};

static void gradient_function(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                              cj_symbol **dx)
{
    const cj__function function = (cj__function)node->op->variant;
    dx[0] = NULL;
    if (slopes[function])
        dx[0] =
            cj__mul(g, dy[0], slopes[function](g, node->inputs[0], cj__node_output(g, node, 0)));
}

#define F(function, domain, formula)        \
    const cj__op cj__op_##function = {      \
        .name = #function,                  \
        .flags = CJ__OP_ELEMENTWISE,        \
        .min_inputs = 1,                    \
        .max_inputs = 1,                    \
        .samples = "e>s",                   \
        .on_blocks = CJ__ON_BLOCKS_NO,      \
        .identity = CJ__IDENTITY_NEVER,     \
        .bf16 = CJ__BF16_NEVER,             \
        .variant = CJ__FUNCTION_##function, \
        .work_elements = work_##function,   \
        .infer = infer_function,            \
        .gradient = gradient_function,      \
        .run = run_function,                \
    };
CJ__FUNCTIONS(F)
#undef F

static const cj__op *const function_ops[CJ__FUNCTION_COUNT] = {
#define F(name, ...) &cj__op_##name,
    CJ__FUNCTIONS(F)
#undef F
};

cj_symbol *cj__apply_function(cj__build *g, cj__function function, cj_symbol *x)
{
    return cj__append(g, function_ops[function], NULL, &x, 1);
}

// ---- Of two operands ----

static cj_status infer_pair(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    r->outputs[0].dtype = r->inputs[0].dtype;
    return cj__broadcast(r, &r->inputs[0].shape, &r->inputs[1].shape, &r->outputs[0].shape);
}

#define LOOP(type, body)                                                                 \
    for (int64_t row = 0; row < r->rows; row++) {                                        \
        const type *a = (const type *)call->inputs[0].data + r->at[0] + row * r->row[0]; \
        const type *b = (const type *)call->inputs[1].data + r->at[1] + row * r->row[1]; \
        type *y = (type *)call->outputs[0].data + r->out + row * r->cols;                \
        for (int64_t j = 0; j < r->cols; j++)                                            \
            y[j] = body(a[j * r->step[0]], b[j * r->step[1]]);                           \
    }
#define F(name, body)                                                  \
    static void rows_##name(const cj__call *call, const cj__run_of *r) \
    {                                                                  \
        if (call->outputs[0].type.dtype == CJ_F32)                     \
            LOOP(float, body##f)                                       \
        else                                                           \
            LOOP(double, body)                                         \
    }
CJ__PAIR_BODIES(F)
#undef F
#undef LOOP

static cj_status run_pair(const cj__call *call)
{
    cj__spread_run(call, 2, call->op->work_rows);
    return CJ_OK;
}

// Each function's gradient by a and by b before the summing; NULL is 0.
typedef void (*element_gradient)(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by);
#define GRADIENT(name) \
    static void gradient_##name(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)

// By a 1, by b what a / b is rounded to.
static void rounded_quotient(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by,
                             cj__function rounding)
{
    cj_symbol *quotient =
        cj__apply_function(g, rounding, cj__div(g, node->inputs[0], node->inputs[1]));
    by[0] = dy;
    by[1] = UNARY(negative, cj__mul(g, dy, quotient));
}

GRADIENT(mod)
{
    rounded_quotient(g, node, dy, by, CJ__FUNCTION_floor);
}

GRADIENT(fmod)
{
    rounded_quotient(g, node, dy, by, CJ__FUNCTION_trunc);
}

GRADIENT(nextafter)
{
    (void)g, (void)node;
    by[0] = dy;
}

GRADIENT(hypot)
{
    cj_symbol *share = cj__div(g, dy, cj__node_output(g, node, 0));
    for (int i = 0; i < 2; i++)
        by[i] = cj__mul(g, share, node->inputs[i]);
}

GRADIENT(arctan2)
{
    cj_symbol *a = node->inputs[0], *b = node->inputs[1];
    cj_symbol *share = cj__div(g, dy, cj__add(g, UNARY(square, a), UNARY(square, b)));
    by[0] = cj__mul(g, share, b);
    by[1] = UNARY(negative, cj__mul(g, share, a));
}

GRADIENT(logaddexp)
{
    cj_symbol *share = UNARY(sigmoid, cj__sub(g, node->inputs[0], node->inputs[1]));
    by[0] = cj__mul(g, dy, share);
    by[1] = cj__mul(g, dy, one_minus(g, share));
}

static const element_gradient element_gradients[CJ__PAIR_COUNT] = {
    [CJ__PAIR_mod] = gradient_mod,
    [CJ__PAIR_fmod] = gradient_fmod,
    [CJ__PAIR_hypot] = gradient_hypot,
    [CJ__PAIR_arctan2] = gradient_arctan2,
    [CJ__PAIR_logaddexp] = gradient_logaddexp,
    [CJ__PAIR_nextafter] = gradient_nextafter,
};

static void gradient_pair(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    cj_symbol *by[2] = {NULL, NULL};
    if (element_gradients[node->op->variant])
        element_gradients[node->op->variant](g, node, dy[0], by);
    for (int i = 0; i < 2; i++)
        dx[i] = by[i] ? cj__sum_like(g, by[i], node->inputs[i]) : NULL;
}

#define F(function, formula)            \
    const cj__op cj__op_##function = {  \
        .name = #function,              \
        .flags = CJ__OP_ELEMENTWISE,    \
        .min_inputs = 2,                \
        .max_inputs = 2,                \
        .samples = "ee>s",              \
        .on_blocks = CJ__ON_BLOCKS_NO,  \
        .identity = CJ__IDENTITY_NEVER, \
        .bf16 = CJ__BF16_NEVER,         \
        .variant = CJ__PAIR_##function, \
        .work_rows = rows_##function,   \
        .infer = infer_pair,            \
        .gradient = gradient_pair,      \
        .run = run_pair,                \
    };
CJ__FUNCTION_PAIRS(F)
#undef F

static const cj__op *const pair_ops[CJ__PAIR_COUNT] = {
#define F(name, ...) &cj__op_##name,
    CJ__FUNCTION_PAIRS(F)
#undef F
};

cj_symbol *cj__apply_pair(cj__build *g, cj__function_pair function, cj_symbol *a, cj_symbol *b)
{
    return cj__append(g, pair_ops[function], NULL, (cj_symbol *[]){a, b}, 2);
}
