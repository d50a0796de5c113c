// Functions that need exp or log, for float. (The double table keeps plain C's, which are libm's.)
//
// Errors measured by tests/kernels/math.c in units in the last place: exp 1.5, log 1.5, expm1 3,
// log1p 3, tanh 4, sigmoid 3. Results that are not normal numbers are right too: overflow gives
// infinity, underflow 0 or a denormal.

// A float and 1.5 * 2^23 add up to the nearest integer, in the low bits of the sum.
static const float ROUNDER = 12582912.0f;
// high has 10 bits: its multiples are exact
static const float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;

// 2^n for -126 <= n <= 127.
ALWAYS_INLINE vec power_of_2(ivec n)
{
    return (vec)((n + 127) << 23);
}

// e^r - 1 = r + r^2 (1/2 + r/6 + ...) for x = n ln 2 + r, |r| <= ln 2 / 2: Taylor's next term is
// below 2^-27.
ALWAYS_INLINE vec reduced_expm1(vec x, ivec *n)
{
    const vec shifted = vec_fma(x, K(1.44269504088896341), K(ROUNDER)),
              count = shifted - K(ROUNDER);
    const vec r = vec_fma(count, K(-LN2_LOW), vec_fma(count, K(-LN2_HIGH), x));
    vec p = vec_fma(r, K(1.0 / 5040), K(1.0 / 720));
    p = vec_fma(p, r, K(1.0 / 120));
    p = vec_fma(p, r, K(1.0 / 24));
    p = vec_fma(p, r, K(1.0 / 6));
    p = vec_fma(p, r, K(0.5));
    *n = (ivec)shifted - (ivec)K(ROUNDER);
    return vec_fma(r * r, p, r);
}

// The power of two comes in two factors, so that results may overflow and underflow as they should.
ALWAYS_INLINE vec vec_exp(vec x)
{
    ivec n;
    const vec e = K(1) + reduced_expm1(vec_clip(x, K(-104), K(89)), &n);
    const ivec half = n >> 1;
    return e * power_of_2(half) * power_of_2(n - half);
}

// e^x - 1 for x <= 80; greater x give e^80 - 1.
ALWAYS_INLINE vec vec_expm1(vec x)
{
    ivec n;
    const vec e = reduced_expm1(vec_clip(x, K(-30), K(80)), &n), scale = power_of_2(n);
    return vec_fma(scale, e, scale - K(1));
}

// x = 2^n m with m in [1/sqrt 2, sqrt 2), f = m - 1, s = f / (2 + f): ln m = 2 atanh s = f - s (f -
// R) with R = 2 (s^2/3 + s^4/5 + ...), where f carries no error and the rest is small.
ALWAYS_INLINE vec vec_log(vec x)
{
    const vmask tiny = vec_lt(x, K(1.17549435e-38));
    // the sign bit would overflow the subtraction below
    const vec y = vec_abs(vec_select(tiny, x * K(8388608), x));
    const ivec root_half = (ivec)K(0.70710678118654752), bits = (ivec)y - root_half;
    const vec n = __builtin_convertvector(bits >> 23, vec) - vec_select(tiny, K(23), K(0));
    const vec f = (vec)((bits & 0x7fffff) + root_half) - K(1);
    const vec s = f / (K(2) + f), q = s * s;
    vec p = vec_fma(q, K(2.0 / 11), K(2.0 / 9));
    p = vec_fma(p, q, K(2.0 / 7));
    p = vec_fma(p, q, K(2.0 / 5));
    p = vec_fma(p, q, K(2.0 / 3));
    const vec rest = vec_fma(s, vec_fma(-p, q, f), n * K(-LN2_LOW)),
              result = vec_fma(n, K(LN2_HIGH), f - rest);
    const vec special =
        vec_select(vec_eq(x, K(0)), K(-INFINITY), vec_select(vec_lt(x, K(0)), K(NAN), x));
    return vec_select(mask_and(vec_lt(K(0), x), vec_lt(x, K(INFINITY))), result, special);
}

// ln(1 + x) = ln u x / (u - 1) with u = 1 + x rounded: the quotient makes up for the rounding.
ALWAYS_INLINE vec vec_log1p(vec x)
{
    const vec u = K(1) + x, d = u - K(1);
    return vec_select(vec_eq(d, K(0)), x,
                      vec_select(vec_lt(u, K(INFINITY)), vec_log(u) * (x / d), u));
}

ALWAYS_INLINE vec vec_sigmoid(vec x)
{
    return K(1) / (K(1) + vec_exp(-x));
}

// tanh |x| = t / (t + 2) with t = e^2|x| - 1; beyond 10 it is 1.
ALWAYS_INLINE vec vec_tanh(vec x)
{
    const vec a = vec_abs(x), t = vec_expm1(vec_min(K(20), a + a));
    return vec_with_sign(t / (t + K(2)), x);
}

ALWAYS_INLINE vec vec_softplus(vec x)
{
    return vec_max(K(0), x) + vec_log1p(vec_exp(-vec_abs(x)));
}

// Twice the argument of the tanh: (1 + tanh u) / 2 = sigmoid(2u), which loses nothing where tanh is
// near -1.
ALWAYS_INLINE vec gelu_angle(vec x)
{
    return K(2 * 0.79788456080286535588) * vec_fma(K(0.044715) * x * x, x, x);
}

ALWAYS_INLINE vec gelu_tanh_grad(vec x)
{
    const vec u = gelu_angle(x), s = vec_sigmoid(u), slope = vec_fma(K(3 * 0.044715) * x, x, K(1));
    return vec_fma(K(2 * 0.79788456080286535588) * x * slope, s * vec_sigmoid(-u), s);
}

ALWAYS_INLINE vec silu_grad(vec x)
{
    const vec s = vec_sigmoid(x);
    return s * vec_fma(x, K(1) - s, K(1));
}

ALWAYS_INLINE vec mish_grad(vec x)
{
    const vec t = vec_tanh(vec_softplus(x));
    return vec_fma(x * vec_fma(-t, t, K(1)), vec_sigmoid(x), t);
}

#define SELU_SCALE K(1.0507009873554805)
#define SELU_LOW   K(1.0507009873554805 * 1.6732632423543772)
#define MATH_FORMULAS(F)                                                           \
    F(exp, Y, vec_exp(x), y *dy)                                                   \
    F(log, X, vec_log(x), dy / x)                                                  \
    F(log1p, X, vec_log1p(x), dy / (K(1) + x))                                     \
    F(elu, X, vec_select(vec_lt(K(0), x), x, a *vec_expm1(x)),                     \
      vec_select(vec_lt(K(0), x), dy, a *vec_exp(x) * dy))                         \
    F(selu, Y, vec_select(vec_lt(K(0), x), SELU_SCALE *x, SELU_LOW *vec_expm1(x)), \
      vec_select(vec_lt(K(0), y), SELU_SCALE, y + SELU_LOW) * dy)                  \
    F(sigmoid, Y, vec_sigmoid(x), y *(K(1) - y) * dy)                              \
    F(tanh, Y, vec_tanh(x), vec_fma(-y, y, K(1)) * dy)                             \
    F(softplus, X, vec_softplus(x), vec_sigmoid(x) * dy)                           \
    F(silu, X, x *vec_sigmoid(x), silu_grad(x) * dy)                               \
    F(gelu_tanh, X, x *vec_sigmoid(gelu_angle(x)), gelu_tanh_grad(x) * dy)         \
    F(mish, X, x *vec_tanh(vec_softplus(x)), mish_grad(x) * dy)
MATH_FORMULAS(DEFINE_BOTH)
