/**
 * @file ops_math.h
 * Element-wise operators, as keras.ops has them, beside those of graph.h and operators.h.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_SHAPE_MISMATCH (shapes or dtypes that do not fit), CJ_INVALID_ARGUMENT (a
 * number out of range), CJ_OUT_OF_MEMORY, or the first cause where an argument is NULL. Two operands
 * are broadcast by numpy's rules and brought to a common dtype, the greater of bool, uint8, int32,
 * int64, float32 and float64; where a function has real values only, integers become float32 first.
 * Gradients of any order pass, but where it says otherwise. A function may be called by several threads
 * for different symbols.
 */
#ifndef CAJAL_OPS_MATH_H
#define CAJAL_OPS_MATH_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sine, cosine and tangent of angles in radians. */
CJ_API cj_symbol *cj_op_sin(cj_symbol *x);
CJ_API cj_symbol *cj_op_cos(cj_symbol *x);
CJ_API cj_symbol *cj_op_tan(cj_symbol *x);

/** Their inverses: angles in -pi/2 .. pi/2, for the cosine in 0 .. pi. NaN outside -1 .. 1. */
CJ_API cj_symbol *cj_op_arcsin(cj_symbol *x);
CJ_API cj_symbol *cj_op_arccos(cj_symbol *x);
CJ_API cj_symbol *cj_op_arctan(cj_symbol *x);
/** The angle, in -pi .. pi, of the point with ordinate a and abscissa b. */
CJ_API cj_symbol *cj_op_arctan2(cj_symbol *a, cj_symbol *b);

/** Hyperbolic sine, (e^x - e^-x) / 2, cosine, (e^x + e^-x) / 2, and their inverses and that of tanh. */
CJ_API cj_symbol *cj_op_sinh(cj_symbol *x);
CJ_API cj_symbol *cj_op_cosh(cj_symbol *x);
CJ_API cj_symbol *cj_op_arcsinh(cj_symbol *x);
CJ_API cj_symbol *cj_op_arccosh(cj_symbol *x);
CJ_API cj_symbol *cj_op_arctanh(cj_symbol *x);

/** Degrees to radians, x pi / 180, and back. */
CJ_API cj_symbol *cj_op_deg2rad(cj_symbol *x);
CJ_API cj_symbol *cj_op_rad2deg(cj_symbol *x);

/** sin(pi x) / (pi x), 1 at 0. */
CJ_API cj_symbol *cj_op_sinc(cj_symbol *x);

/** e^x - 1 without loss near 0, 2^x, logarithms to the bases 2 and 10, the cube root. */
CJ_API cj_symbol *cj_op_expm1(cj_symbol *x);
CJ_API cj_symbol *cj_op_exp2(cj_symbol *x);
CJ_API cj_symbol *cj_op_log2(cj_symbol *x);
CJ_API cj_symbol *cj_op_log10(cj_symbol *x);
CJ_API cj_symbol *cj_op_cbrt(cj_symbol *x);

/** ln(e^a + e^b) and log2(2^a + 2^b), without overflow. */
CJ_API cj_symbol *cj_op_logaddexp(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_logaddexp2(cj_symbol *a, cj_symbol *b);

/** The error function 2 / sqrt(pi) times the integral of e^(-t^2) over 0 .. x, 1 - erf x, the inverse. */
CJ_API cj_symbol *cj_op_erf(cj_symbol *x);
CJ_API cj_symbol *cj_op_erfc(cj_symbol *x);
CJ_API cj_symbol *cj_op_erfinv(cj_symbol *x);

/** The modified Bessel function of the first kind, of order 0. */
CJ_API cj_symbol *cj_op_i0(cj_symbol *x);

/** Rounding down and up; towards zero, which leaves integers as they are. The gradient is 0. */
CJ_API cj_symbol *cj_op_floor(cj_symbol *x);
CJ_API cj_symbol *cj_op_ceil(cj_symbol *x);
CJ_API cj_symbol *cj_op_trunc(cj_symbol *x);
/** The nearest number with so many decimals, of two the even one; `decimals` may be negative. */
CJ_API cj_symbol *cj_op_round(cj_symbol *x, int decimals);

/** |x| as reals: integers become float32. */
CJ_API cj_symbol *cj_op_fabs(cj_symbol *x);

/** sqrt(a^2 + b^2), without overflow. */
CJ_API cj_symbol *cj_op_hypot(cj_symbol *a, cj_symbol *b);

/** a / b as reals. */
CJ_API cj_symbol *cj_op_true_divide(cj_symbol *a, cj_symbol *b);
/** a / b, 0 where b is 0. */
CJ_API cj_symbol *cj_op_divide_no_nan(cj_symbol *a, cj_symbol *b);
/** floor(a / b), without a gradient, and a - b floor(a / b). Of integers 0 where b is 0. */
CJ_API cj_symbol *cj_op_floor_divide(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_mod(cj_symbol *a, cj_symbol *b);
/** a - b trunc(a / b): as C's fmod. Of integers 0 where b is 0. */
CJ_API cj_symbol *cj_op_fmod(cj_symbol *a, cj_symbol *b);

/** The greater and the lesser of two, the other one where one is NaN. */
CJ_API cj_symbol *cj_op_fmax(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_fmin(cj_symbol *a, cj_symbol *b);

/** 0 where a < 0, 1 where a > 0, and b elsewhere. */
CJ_API cj_symbol *cj_op_heaviside(cj_symbol *a, cj_symbol *b);
/** a 2^b. */
CJ_API cj_symbol *cj_op_ldexp(cj_symbol *a, cj_symbol *b);
/** The number next to a in the direction of b; the gradient passes to a as it is. */
CJ_API cj_symbol *cj_op_nextafter(cj_symbol *a, cj_symbol *b);

/** The greatest common divisor and the least common multiple of integers, both positive or 0. */
CJ_API cj_symbol *cj_op_gcd(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_lcm(cj_symbol *a, cj_symbol *b);

/** Bits of integers or booleans: those that both, either, one of the two has; those that x lacks. */
CJ_API cj_symbol *cj_op_bitwise_and(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_bitwise_or(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_bitwise_xor(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_bitwise_invert(cj_symbol *x);
CJ_API cj_symbol *cj_op_bitwise_not(cj_symbol *x);
/**
 * a 2^b and floor(a / 2^b) of integers. From the number of bits on, and for a negative b, the result
 * is 0, or -1 of a negative number shifted to the right.
 */
CJ_API cj_symbol *cj_op_bitwise_left_shift(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_bitwise_right_shift(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_left_shift(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_right_shift(cj_symbol *a, cj_symbol *b);

/** Booleans: whether x is finite, infinite, +infinity, -infinity, NaN; whether its sign bit is set. */
CJ_API cj_symbol *cj_op_isfinite(cj_symbol *x);
CJ_API cj_symbol *cj_op_isinf(cj_symbol *x);
CJ_API cj_symbol *cj_op_isposinf(cj_symbol *x);
CJ_API cj_symbol *cj_op_isneginf(cj_symbol *x);
CJ_API cj_symbol *cj_op_isnan(cj_symbol *x);
CJ_API cj_symbol *cj_op_signbit(cj_symbol *x);

/**
 * Booleans: whether |a - b| <= atol + rtol |b| (Keras's defaults are 1e-5 and 1e-8), or both are the
 * same infinity, or both are NaN and `equal_nan`; of cj_op_allclose() whether all of them are, a scalar.
 */
CJ_API cj_symbol *cj_op_isclose(cj_symbol *a, cj_symbol *b, double rtol, double atol,
                                bool equal_nan);
CJ_API cj_symbol *cj_op_allclose(cj_symbol *a, cj_symbol *b, double rtol, double atol,
                                 bool equal_nan);

/**
 * x with NaN, +infinity and -infinity replaced; of `posinf` and `neginf` NAN stands for the greatest and
 * the least finite number of the dtype. Keras's defaults are 0, NAN, NAN.
 */
CJ_API cj_symbol *cj_op_nan_to_num(cj_symbol *x, double nan, double posinf, double neginf);

/** x in another dtype, numbers beyond its range as its greatest or least one. */
CJ_API cj_symbol *cj_op_saturate_cast(cj_symbol *x, cj_dtype dtype);

/**
 * For each element the choice of the first condition that is true there, `otherwise` where none is:
 * `count` booleans (other dtypes: not 0) and as many choices, at most 16. `otherwise` is a number.
 */
CJ_API cj_symbol *cj_op_select(cj_symbol *const *conditions, cj_symbol *const *choices, int count,
                               double otherwise);

#ifdef __cplusplus
}
#endif
#endif
