// The operators of cajal/ops_math.h.
#include "base/memory.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_math.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <limits.h>

#define UNARY(name, x)      cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)
#define COMPARE(name, a, b) cj__compare(g, CJ__COMPARISON_##name, a, b)
#define NUMBER(x, value)    cj__scalar_like(g, x, value)
#define REAL(x)             cj__word_real(g, x)

// ---- Functions of one operand ----

#define DEFINE(word, function)                                                   \
    cj_symbol *cj_op_##word(cj_symbol *x)                                        \
    {                                                                            \
        CJ__TAKE(x) y = cj__apply_function(g, CJ__FUNCTION_##function, REAL(x)); \
        CJ__GIVE_OF(word, x, NULL);                                              \
    }
DEFINE(sin, sin)
DEFINE(cos, cos)
DEFINE(tan, tan)
DEFINE(arcsin, arcsin)
DEFINE(arccos, arccos)
DEFINE(arctan, arctan)
DEFINE(sinh, sinh)
DEFINE(cosh, cosh)
DEFINE(arcsinh, arcsinh)
DEFINE(arccosh, arccosh)
DEFINE(arctanh, arctanh)
DEFINE(expm1, expm1)
DEFINE(exp2, exp2)
DEFINE(log2, log2)
DEFINE(log10, log10)
DEFINE(cbrt, cbrt)
DEFINE(erf, erf)
DEFINE(erfc, erfc)
DEFINE(erfinv, erfinv)
DEFINE(i0, bessel_i0)
DEFINE(floor, floor)
DEFINE(ceil, ceil)
#undef DEFINE

cj_symbol *cj_op_trunc(cj_symbol *x)
{
    CJ__TAKE(x)
    y = cj__is_integer(cj_symbol_dtype(x)) ? x : cj__apply_function(g, CJ__FUNCTION_trunc, x);
    CJ__GIVE_OF(trunc, x, NULL);
}

cj_symbol *cj_op_round(cj_symbol *x, int decimals)
{
    CJ__TAKE(x)
    {
        const double factor = pow(10, abs(decimals));
        cj_symbol *wide = cj__word_wide(g, x);
        if (decimals > 300 || decimals < -300)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "round: %d decimals", decimals));
        else if (decimals == 0 || (decimals > 0 && wide != x))
            y = wide == x ? cj__apply_function(g, CJ__FUNCTION_round, x) : x;
        else if (decimals > 0)
            y = cj__div(g, cj__apply_function(g, CJ__FUNCTION_round, cj__scale(g, x, factor)),
                        NUMBER(x, factor));
        else
            y = cj__scale(
                g,
                cj__apply_function(g, CJ__FUNCTION_round, cj__div(g, wide, NUMBER(wide, factor))),
                factor);
        y = y ? cj__cast(g, y, cj_symbol_dtype(x)) : NULL;
    }
    CJ__GIVE_OF(round, x, (&(cj__number_settings){decimals}));
}

cj_symbol *cj_op_fabs(cj_symbol *x)
{
    CJ__TAKE(x) y = UNARY(absolute, REAL(x));
    CJ__GIVE_OF(fabs, x, NULL);
}

cj_symbol *cj_op_deg2rad(cj_symbol *x)
{
    CJ__TAKE(x) y = cj__scale(g, REAL(x), 0.01745329251994329577);
    CJ__GIVE_OF(deg2rad, x, NULL);
}

cj_symbol *cj_op_rad2deg(cj_symbol *x)
{
    CJ__TAKE(x) y = cj__scale(g, REAL(x), 57.2957795130823208768);
    CJ__GIVE_OF(rad2deg, x, NULL);
}

cj_symbol *cj_op_sinc(cj_symbol *x)
{
    CJ__TAKE(x)
    {
        cj_symbol *turns = REAL(x);
        cj_symbol *apart = COMPARE(not_equal, turns, NUMBER(turns, 0)), *one = NUMBER(turns, 1);
        cj_symbol *angle = cj__select(g, apart, cj__scale(g, turns, 3.14159265358979323846), one);
        y = cj__div(g, cj__apply_function(g, CJ__FUNCTION_sin, angle), angle);
        y = cj__select(g, apart, y, one);
    }
    CJ__GIVE_OF(sinc, x, NULL);
}

// ---- Functions of two operands ----

#define DEFINE(name)                                                  \
    cj_symbol *cj_op_##name(cj_symbol *a, cj_symbol *b)               \
    {                                                                 \
        cj_symbol *operands[] = {a, b};                               \
        CJ__TAKE_2(a, b)                                              \
        {                                                             \
            cj__word_join(g, &a, &b);                                 \
            y = cj__apply_pair(g, CJ__PAIR_##name, REAL(a), REAL(b)); \
        }                                                             \
        CJ__GIVE_WORD(name, operands, 2, NULL);                       \
    }
DEFINE(arctan2)
DEFINE(hypot)
DEFINE(logaddexp)
DEFINE(nextafter)
#undef DEFINE

cj_symbol *cj_op_logaddexp2(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        const double ln2 = 0.69314718055994530942;
        cj__word_join(g, &a, &b);
        y = cj__apply_pair(g, CJ__PAIR_logaddexp, cj__scale(g, REAL(a), ln2),
                           cj__scale(g, REAL(b), ln2));
        y = cj__scale(g, y, 1 / ln2);
    }
    CJ__GIVE_WORD(logaddexp2, operands, 2, NULL);
}

// Those that integers have too. Booleans count as int32.
static cj_symbol *pair_of(cj__build *g, cj__function_pair real, cj__integer integer, cj_symbol *a,
                          cj_symbol *b)
{
    cj__word_join(g, &a, &b);
    if (!a || !b || !cj__is_integer(cj_symbol_dtype(a)))
        return cj__apply_pair(g, real, a, b);
    if (cj_symbol_dtype(a) == CJ_BOOL)
        a = cj__cast(g, a, CJ_I32), b = cj__cast(g, b, CJ_I32);
    return cj__apply_integer(g, integer, a, b);
}

#define DEFINE(name)                                                                \
    cj_symbol *cj_op_##name(cj_symbol *a, cj_symbol *b)                             \
    {                                                                               \
        CJ__TAKE_2(a, b) y = pair_of(g, CJ__PAIR_##name, CJ__INTEGER_##name, a, b); \
        CJ__GIVE_OF_2(name, a, b);                                                  \
    }
DEFINE(floor_divide)
DEFINE(mod)
DEFINE(fmod)
#undef DEFINE

cj_symbol *cj_op_true_divide(cj_symbol *a, cj_symbol *b)
{
    return cj_op_divide(a, b);
}

cj_symbol *cj_op_divide_no_nan(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        a = REAL(a), b = REAL(b);
        cj_symbol *apart = COMPARE(not_equal, b, NUMBER(b, 0));
        y = cj__div(g, a, cj__select(g, apart, b, NUMBER(b, 1)));
        y = cj__select(g, apart, y, NUMBER(b, 0));
    }
    CJ__GIVE_WORD(divide_no_nan, operands, 2, NULL);
}

// NaN gives way to the other operand.
static cj_symbol *extreme(cj__build *g, cj__binary real, cj__integer integer, cj_symbol *a,
                          cj_symbol *b)
{
    cj__word_join(g, &a, &b);
    cj_symbol *y = cj__word_binary(g, real, integer, a, b);
    if (y && !cj__is_integer(cj_symbol_dtype(y))) {
        y = cj__select(g, COMPARE(not_equal, b, b), a, y);
        y = cj__select(g, COMPARE(not_equal, a, a), b, y);
    }
    return y;
}

cj_symbol *cj_op_fmax(cj_symbol *a, cj_symbol *b)
{
    CJ__TAKE_2(a, b) y = extreme(g, CJ__BINARY_maximum, CJ__INTEGER_maximum, a, b);
    CJ__GIVE_OF_2(fmax, a, b);
}

cj_symbol *cj_op_fmin(cj_symbol *a, cj_symbol *b)
{
    CJ__TAKE_2(a, b) y = extreme(g, CJ__BINARY_minimum, CJ__INTEGER_minimum, a, b);
    CJ__GIVE_OF_2(fmin, a, b);
}

cj_symbol *cj_op_heaviside(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        a = REAL(a), b = REAL(b);
        y = cj__select(g, COMPARE(greater, a, NUMBER(a, 0)), NUMBER(a, 1), b);
        y = cj__select(g, COMPARE(less, a, NUMBER(a, 0)), NUMBER(a, 0), y);
    }
    CJ__GIVE_WORD(heaviside, operands, 2, NULL);
}

cj_symbol *cj_op_ldexp(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        y = cj__mul(g, REAL(a), cj__apply_function(g, CJ__FUNCTION_exp2, REAL(b)));
    }
    CJ__GIVE_WORD(ldexp, operands, 2, NULL);
}

// ---- Bits ----

static cj_symbol *bits(cj__build *g, cj__integer function, cj_symbol *a, cj_symbol *b)
{
    cj__word_join(g, &a, &b);
    return cj__apply_integer(g, function, a, b);
}

#define DEFINE(word, function)                                      \
    cj_symbol *cj_op_##word(cj_symbol *a, cj_symbol *b)             \
    {                                                               \
        CJ__TAKE_2(a, b) y = bits(g, CJ__INTEGER_##function, a, b); \
        CJ__GIVE_OF_2(word, a, b);                                  \
    }
DEFINE(gcd, gcd)
DEFINE(lcm, lcm)
DEFINE(bitwise_and, and)
DEFINE(bitwise_or, or)
DEFINE(bitwise_xor, xor)
DEFINE(bitwise_left_shift, left_shift)
DEFINE(bitwise_right_shift, right_shift)
DEFINE(left_shift, left_shift)
DEFINE(right_shift, right_shift)
#undef DEFINE

// Every bit turned: x xor all of them. The number -1 has them all, the boolean true its only one.
static cj_symbol *inverted(cj__build *g, cj_symbol *x)
{
    cj_symbol *all = cj__word_ints(g, (const int64_t[]){-1}, 1);
    const cj_dtype dtype = cj_symbol_dtype(x);
    if (dtype == CJ_U8)
        all = cj__word_ints(g, (const int64_t[]){255}, 1);
    all = all ? cj__reshape(g, cj__cast(g, all, dtype), &(cj_shape){.rank = 0}) : NULL;
    return cj__apply_integer(g, CJ__INTEGER_xor, x, all);
}

cj_symbol *cj_op_bitwise_invert(cj_symbol *x)
{
    CJ__TAKE(x) y = inverted(g, x);
    CJ__GIVE_OF(bitwise_invert, x, NULL);
}

cj_symbol *cj_op_bitwise_not(cj_symbol *x)
{
    CJ__TAKE(x) y = inverted(g, x);
    CJ__GIVE_OF(bitwise_not, x, NULL);
}

// ---- Questions ----

cj_symbol *cj_op_isnan(cj_symbol *x)
{
    cj_symbol *const operand = x;
    CJ__TAKE(x)
    {
        x = REAL(x);
        y = COMPARE(not_equal, x, x);
    }
    CJ__GIVE_OF(isnan, operand, NULL);
}

#define DEFINE(name, comparison, what, number)                \
    cj_symbol *cj_op_##name(cj_symbol *x)                     \
    {                                                         \
        cj_symbol *const operand = x;                         \
        CJ__TAKE(x)                                           \
        {                                                     \
            x = REAL(x);                                      \
            y = COMPARE(comparison, what, NUMBER(x, number)); \
        }                                                     \
        CJ__GIVE_OF(name, operand, NULL);                     \
    }
DEFINE(isfinite, less, UNARY(absolute, x), (double)INFINITY)
DEFINE(isinf, equal, UNARY(absolute, x), (double)INFINITY)
DEFINE(isposinf, equal, x, (double)INFINITY)
DEFINE(isneginf, equal, x, -(double)INFINITY)
#undef DEFINE

// The angle of (x, 1) tells the zeros apart as well: atan2(-0, -1) is -pi.
cj_symbol *cj_op_signbit(cj_symbol *x)
{
    cj_symbol *const operand = x;
    CJ__TAKE(x)
    {
        x = REAL(x);
        y = cj__apply_pair(g, CJ__PAIR_arctan2, x, NUMBER(x, -1));
        y = COMPARE(less, y, NUMBER(x, 0));
    }
    CJ__GIVE_OF(signbit, operand, NULL);
}

static cj_symbol *close_to(cj__build *g, cj_symbol *a, cj_symbol *b, double rtol, double atol,
                           bool equal_nan)
{
    cj__word_join(g, &a, &b);
    a = REAL(a), b = REAL(b);
    cj_symbol *size = UNARY(absolute, b);
    cj_symbol *near = COMPARE(less_equal, UNARY(absolute, cj__sub(g, a, b)),
                              cj__shift(g, cj__scale(g, size, rtol), atol));
    // an infinite b is near to itself only
    near = cj__apply_integer(g, CJ__INTEGER_and, near, COMPARE(less, size, NUMBER(b, INFINITY)));
    cj_symbol *y = cj__apply_integer(g, CJ__INTEGER_or, near, COMPARE(equal, a, b));
    if (equal_nan)
        y = cj__apply_integer(g, CJ__INTEGER_or, y,
                              cj__apply_integer(g, CJ__INTEGER_and, COMPARE(not_equal, a, a),
                                                COMPARE(not_equal, b, b)));
    return y;
}

cj_symbol *cj_op_isclose(cj_symbol *a, cj_symbol *b, double rtol, double atol, bool equal_nan)
{
    CJ__TAKE_2(a, b) y = close_to(g, a, b, rtol, atol, equal_nan);
    CJ__GIVE_WORD(isclose, ((cj_symbol *[]){a, b}), 2,
                  (&(cj__close_settings){rtol, atol, equal_nan}));
}

cj_symbol *cj_op_allclose(cj_symbol *a, cj_symbol *b, double rtol, double atol, bool equal_nan)
{
    CJ__TAKE_2(a, b)
    {
        y = cj__cast(g, close_to(g, a, b, rtol, atol, equal_nan), CJ_F32);
        y = cj__min(g, y, cj__all_axes(y), false);
        y = cj__cast(g, y, CJ_BOOL);
    }
    CJ__GIVE_WORD(allclose, ((cj_symbol *[]){a, b}), 2,
                  (&(cj__close_settings){rtol, atol, equal_nan}));
}

// ---- Numbers replaced ----

cj_symbol *cj_op_nan_to_num(cj_symbol *x, double nan, double posinf, double neginf)
{
    CJ__TAKE(x)
    {
        const double most = cj_symbol_dtype(x) == CJ_F64 ? DBL_MAX : (double)FLT_MAX;
        y = x;
        if (!cj__is_integer(cj_symbol_dtype(x))) {
            y = cj__select(g, COMPARE(not_equal, x, x), NUMBER(x, nan), y);
            y = cj__select(g, COMPARE(equal, x, NUMBER(x, INFINITY)),
                           NUMBER(x, isnan(posinf) ? most : posinf), y);
            y = cj__select(g, COMPARE(equal, x, NUMBER(x, -(double)INFINITY)),
                           NUMBER(x, isnan(neginf) ? -most : neginf), y);
        }
    }
    CJ__GIVE_OF(nan_to_num, x,
                (&(cj__nan_settings){nan, isnan(posinf) ? (double)INFINITY : posinf,
                                     isnan(neginf) ? (double)INFINITY : neginf}));
}

// A cast to integers is towards zero and saturates by itself (convert.c).
cj_symbol *cj_op_saturate_cast(cj_symbol *x, cj_dtype dtype)
{
    CJ__TAKE(x)
    {
        y = x;
        if (cj_symbol_dtype(x) == CJ_F64 && dtype == CJ_F32)
            y = cj__apply_unary(g, CJ__UNARY_clip, x, -(double)FLT_MAX, (double)FLT_MAX);
        if (dtype == CJ_BOOL)
            y = cj__apply_unary(g, CJ__UNARY_clip, cj__word_wide(g, x), 0, 1);
        y = cj__cast(g, y, dtype);
    }
    CJ__GIVE_OF(saturate_cast, x, (&(cj__cast_settings){cj_dtype_name(dtype)}));
}

cj_symbol *cj_op_select(cj_symbol *const *conditions, cj_symbol *const *choices, int count,
                        double otherwise)
{
    CJ__BEGIN;
    if (!cj__word_list(g, "select", conditions, count, INT_MAX / 2) ||
        !cj__word_list(g, "select", choices, count, INT_MAX / 2))
        CJ__GIVE;
    cj_symbol **all = cj__new(2 * (size_t)count, sizeof *all);
    if (!all) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        CJ__GIVE;
    }
    for (int i = 0; i < count; i++)
        all[i] = conditions[i], all[count + i] = choices[i];
    if (cj__build_take(g, all, 2 * count) == CJ_OK) {
        y = cj__cast(g, cj__scalar(g, CJ_F64, otherwise), cj_symbol_dtype(choices[0]));
        for (int i = count - 1; i >= 0; i--)
            y = cj__word_choose(g, conditions[i], choices[i], y);
    }
    y = cj__word_result(g, y, &cj__word_select, all, 2 * count, &(cj__value_settings){otherwise});
    cj__free(all);
    return y;
}
