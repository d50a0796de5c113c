// Functions that need exp or log, for float. (The double table keeps plain C's, which are libm's.)
//
// Errors measured by tests/kernels/math.c in units in the last place: exp 1.5, log 1.5, expm1 3,
// log1p 3, tanh 4, sigmoid 3, gelu 6. Results that are not normal numbers are right too: overflow gives
// infinity, underflow 0 or a denormal.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_MATH_H
#define CJ_KERNELS_BODY_ELEMENTWISE_MATH_H

#include "kernels/body/elementwise/elementwise.h"

// A float and 1.5 * 2^23 add up to the nearest integer, in the low bits of the sum.
static const float ROUNDER = 12582912.0f;
// high has 10 bits: its multiples are exact
static const float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;

// e^r - 1 = r + r^2 (1/2 + r/6 + ...) for x = n ln 2 + r, |r| <= ln 2 / 2: Taylor's next term is
// below 2^-27. *shifted is n as vec_scale() takes it.
ALWAYS_INLINE vec reduced_expm1(vec x, vec *shifted)
{
    *shifted = vec_fma(x, CONST(1.44269504088896341), CONST(ROUNDER));
    const vec count = *shifted - CONST(ROUNDER);
    const vec r = vec_fma(count, CONST(-LN2_LOW), vec_fma(count, CONST(-LN2_HIGH), x));
    vec p = vec_fma(r, CONST(1.0 / 5040), CONST(1.0 / 720));
    p = vec_fma(p, r, CONST(1.0 / 120));
    p = vec_fma(p, r, CONST(1.0 / 24));
    p = vec_fma(p, r, CONST(1.0 / 6));
    p = vec_fma(p, r, CONST(0.5));
    return vec_fma(r * r, p, r);
}

ALWAYS_INLINE vec vec_exp(vec x)
{
    vec n;
    const vec e = CONST(1) + reduced_expm1(vec_clip(x, CONST(-104), CONST(89)), &n);
    return vec_scale(e, n);
}

// e^x - 1 for -87 <= x <= 80.
ALWAYS_INLINE vec small_expm1(vec x)
{
    vec n;
    const vec e = reduced_expm1(x, &n), scale = vec_scale(CONST(1), n);
    return vec_fma(scale, e, scale - CONST(1));
}

// e^x - 1 for x <= 80; greater x give e^80 - 1.
ALWAYS_INLINE vec vec_expm1(vec x)
{
    return small_expm1(vec_clip(x, CONST(-30), CONST(80)));
}

// x = 2^n m with m in [1/sqrt 2, sqrt 2), f = m - 1, s = f / (2 + f): ln m = 2 atanh s = f - s (f -
// R) with R = 2 (s^2/3 + s^4/5 + ...), where f carries no error and the rest is small.
ALWAYS_INLINE vec vec_log(vec x)
{
    const vmask tiny = vec_lt(x, CONST(1.17549435e-38));
    // the sign bit would overflow the subtraction below
    const vec y = vec_abs(vec_select(tiny, x * CONST(8388608), x));
    const ivec root_half = (ivec)CONST(0.70710678118654752), bits = (ivec)y - root_half;
    const vec n = __builtin_convertvector(bits >> 23, vec) - vec_select(tiny, CONST(23), CONST(0));
    const vec f = (vec)((bits & 0x7fffff) + root_half) - CONST(1);
    const vec s = f / (CONST(2) + f), q = s * s;
    vec p = vec_fma(q, CONST(2.0 / 11), CONST(2.0 / 9));
    p = vec_fma(p, q, CONST(2.0 / 7));
    p = vec_fma(p, q, CONST(2.0 / 5));
    p = vec_fma(p, q, CONST(2.0 / 3));
    const vec rest = vec_fma(s, vec_fma(-p, q, f), n * CONST(-LN2_LOW)),
              result = vec_fma(n, CONST(LN2_HIGH), f - rest);
    const vec special = vec_select(vec_eq(x, CONST(0)), CONST(-INFINITY),
                                   vec_select(vec_lt(x, CONST(0)), CONST(NAN), x));
    return vec_select(mask_and(vec_lt(CONST(0), x), vec_lt(x, CONST(INFINITY))), result, special);
}

// ln(1 + x) = ln u x / (u - 1) with u = 1 + x rounded: the quotient makes up for the rounding.
ALWAYS_INLINE vec vec_log1p(vec x)
{
    const vec u = CONST(1) + x, d = u - CONST(1);
    return vec_select(vec_eq(d, CONST(0)), x,
                      vec_select(vec_lt(u, CONST(INFINITY)), vec_log(u) * (x / d), u));
}

ALWAYS_INLINE vec vec_sigmoid(vec x)
{
    return CONST(1) / (CONST(1) + vec_exp(-x));
}

// tanh |x| = t / (t + 2) with t = e^2|x| - 1; beyond 10 it is 1.
ALWAYS_INLINE vec vec_tanh(vec x)
{
    const vec a = vec_abs(x), t = small_expm1(vec_min(CONST(20), a + a));
    return vec_with_sign(t / (t + CONST(2)), x);
}

ALWAYS_INLINE vec vec_softplus(vec x)
{
    return vec_max(CONST(0), x) + vec_log1p(vec_exp(-vec_abs(x)));
}

// Twice the argument of the tanh: (1 + tanh u) / 2 = sigmoid(2u), which loses nothing where tanh is
// near -1.
ALWAYS_INLINE vec gelu_angle(vec x)
{
    return CONST(2 * 0.79788456080286535588) * vec_fma(CONST(0.044715) * x * x, x, x);
}

ALWAYS_INLINE vec gelu_tanh_grad(vec x)
{
    const vec u = gelu_angle(x), s = vec_sigmoid(u),
              inner = vec_fma(CONST(3 * 0.044715) * x, x, CONST(1));
    return vec_fma(CONST(2 * 0.79788456080286535588) * x * inner, s * vec_sigmoid(-u), s);
}

// e^(-a^2 / 2), in two factors, so that the rounding of a^2 does not count: what it lost comes from
// halves of a, whose products are exact (Dekker).
ALWAYS_INLINE vec bell(vec a)
{
    const vec square = a * a, high = (vec)((ivec)a & ~0xfff), low = a - high;
    const vec rest = high * high - square + CONST(2) * high * low + low * low;
    return vec_exp(CONST(-0.5) * square) * vec_fma(CONST(-0.5), rest, CONST(1));
}

// The standard normal distribution's Phi(-a) / e^(-a^2 / 2) for 0 <= a <= 14, as a polynomial in
// t = 1 / (1 + 0.35 a): fitted by reweighted least squares to erfcx, relative error 3.2e-8. So
// nothing is lost far out, where 1 + erf cancels.
ALWAYS_INLINE vec normal_tail(vec a)
{
    const vec t = CONST(1) / vec_fma(CONST(0.35), a, CONST(1));
    vec p = vec_fma(t, CONST(-0.029146352087288507), CONST(0.14397371631194905));
    p = vec_fma(p, t, CONST(-0.2557183416376075));
    p = vec_fma(p, t, CONST(0.15917871740166098));
    p = vec_fma(p, t, CONST(-0.023112882343863505));
    p = vec_fma(p, t, CONST(0.10550924994384256));
    p = vec_fma(p, t, CONST(0.11983256480821958));
    p = vec_fma(p, t, CONST(0.1398619095249066));
    p = vec_fma(p, t, CONST(0.13962140212980426));
    return p * t;
}

// Phi(x) and e^(-x^2 / 2). Beyond 20 the latter is 0 in float.
ALWAYS_INLINE vec normal_share(vec x, vec *density)
{
    const vec a = vec_min(CONST(20), vec_abs(x));
    *density = bell(a);
    const vec tail = normal_tail(a) * *density;
    return vec_select(vec_lt(x, CONST(0)), tail, CONST(1) - tail);
}

ALWAYS_INLINE vec gelu(vec x)
{
    vec density;
    return x * normal_share(x, &density);
}

ALWAYS_INLINE vec gelu_grad(vec x)
{
    vec density;
    const vec share = normal_share(x, &density);
    return vec_fma(x * CONST(0.39894228040143267794), density, share);
}

ALWAYS_INLINE vec silu_grad(vec x)
{
    const vec s = vec_sigmoid(x);
    return s * vec_fma(x, CONST(1) - s, CONST(1));
}

ALWAYS_INLINE vec mish_grad(vec x)
{
    const vec t = vec_tanh(vec_softplus(x));
    return vec_fma(x * vec_fma(-t, t, CONST(1)), vec_sigmoid(x), t);
}

#define SELU_SCALE CONST(1.0507009873554805)
#define SELU_LOW   CONST(1.0507009873554805 * 1.6732632423543772)
#define MATH_FORMULAS(F)                                                               \
    F(exp, Y, vec_exp(x), y *dy)                                                       \
    F(log, X, vec_log(x), dy / x)                                                      \
    F(log1p, X, vec_log1p(x), dy / (CONST(1) + x))                                     \
    F(elu, X, vec_select(vec_lt(CONST(0), x), x, a *vec_expm1(x)),                     \
      vec_select(vec_lt(CONST(0), x), dy, a *vec_exp(x) * dy))                         \
    F(selu, Y, vec_select(vec_lt(CONST(0), x), SELU_SCALE *x, SELU_LOW *vec_expm1(x)), \
      vec_select(vec_lt(CONST(0), y), SELU_SCALE, y + SELU_LOW) * dy)                  \
    F(sigmoid, Y, vec_sigmoid(x), y *(CONST(1) - y) * dy)                              \
    F(tanh, Y, vec_tanh(x), vec_fma(-y, y, CONST(1)) * dy)                             \
    F(softplus, X, vec_softplus(x), vec_sigmoid(x) * dy)                               \
    F(silu, X, x *vec_sigmoid(x), silu_grad(x) * dy)                                   \
    F(gelu, X, gelu(x), gelu_grad(x) * dy)                                             \
    F(gelu_tanh, X, x *vec_sigmoid(gelu_angle(x)), gelu_tanh_grad(x) * dy)             \
    F(mish, X, x *vec_tanh(vec_softplus(x)), mish_grad(x) * dy)
MATH_FORMULAS(DEFINE_BOTH)

#endif
