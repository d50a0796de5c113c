// How f'(v), the factor of each element-wise gradient op, changes with v (x or y, as CJ__UNARIES
// says): composed from other ops, so that it can be differentiated any number of times. Functions
// with a piecewise constant f' have no row.
#include "ops/second.h"

#define SECOND(name)      static cj_symbol *second_##name(cj__build *g, cj_symbol *v, double a, double b)
#define UNARY(name, x)    cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)
#define IGNORE_PARAMETERS (void)a, (void)b

// yes where v > limit, no elsewhere, for scalars or tensors.
static cj_symbol *where_above(cj__build *g, cj_symbol *v, double limit, cj_symbol *yes,
                              cj_symbol *no)
{
    cj_symbol *above = cj__compare(g, CJ__COMPARISON_greater, v, cj__scalar_like(g, v, limit));
    return cj__select(g, above, yes, no);
}

// 1 - v.
static cj_symbol *rest_to_one(cj__build *g, cj_symbol *v)
{
    return cj__sub(g, cj__scalar_like(g, v, 1), v);
}

SECOND(square) // f' = 2 x
{
    IGNORE_PARAMETERS;
    return cj__scalar_like(g, v, 2);
}

SECOND(sqrt) // f' = 1 / (2 y)
{
    IGNORE_PARAMETERS;
    return cj__scale(g, UNARY(reciprocal, UNARY(square, v)), -0.5);
}

SECOND(rsqrt) // f' = -y^3 / 2
{
    IGNORE_PARAMETERS;
    return cj__scale(g, UNARY(square, v), -1.5);
}

SECOND(reciprocal) // f' = -y^2
{
    IGNORE_PARAMETERS;
    return cj__scale(g, v, -2);
}

SECOND(exp) // f' = y
{
    IGNORE_PARAMETERS;
    return cj__scalar_like(g, v, 1);
}

SECOND(log) // f' = 1 / x
{
    IGNORE_PARAMETERS;
    return UNARY(negative, UNARY(reciprocal, UNARY(square, v)));
}

SECOND(log1p) // f' = 1 / (1 + x)
{
    IGNORE_PARAMETERS;
    return second_log(g, cj__shift(g, v, 1), 0, 0);
}

SECOND(elu) // f' = 1 if x > 0 else a e^x
{
    (void)b;
    return where_above(
        g, v, 0, cj__scalar_like(g, v, 0),
        cj__scale(g,
                  UNARY(exp, cj__apply_binary(g, CJ__BINARY_minimum, v, cj__scalar_like(g, v, 0))),
                  a));
}

SECOND(selu) // f' = s if y > 0 else y + s t
{
    IGNORE_PARAMETERS;
    return where_above(g, v, 0, cj__scalar_like(g, v, 0), cj__scalar_like(g, v, 1));
}

SECOND(sigmoid) // f' = y (1 - y)
{
    IGNORE_PARAMETERS;
    return cj__shift(g, cj__scale(g, v, -2), 1);
}

SECOND(tanh) // f' = 1 - y^2
{
    IGNORE_PARAMETERS;
    return cj__scale(g, v, -2);
}

SECOND(softplus) // f' = sigmoid(x)
{
    IGNORE_PARAMETERS;
    cj_symbol *s = UNARY(sigmoid, v);
    return cj__mul(g, s, rest_to_one(g, s));
}

SECOND(softsign) // f' = 1 / (1 + |x|)^2
{
    IGNORE_PARAMETERS;
    cj_symbol *inverse = UNARY(reciprocal, cj__shift(g, UNARY(absolute, v), 1));
    return cj__scale(g, cj__mul(g, UNARY(sign, v), cj__mul(g, inverse, UNARY(square, inverse))),
                     -2);
}

SECOND(silu) // f' = s (1 + x (1 - s)): s (1 - s) (2 + x (1 - 2 s))
{
    IGNORE_PARAMETERS;
    cj_symbol *s = UNARY(sigmoid, v), *slope = cj__mul(g, s, rest_to_one(g, s));
    return cj__mul(g, slope, cj__shift(g, cj__mul(g, v, second_sigmoid(g, s, 0, 0)), 2));
}

SECOND(gelu) // f' = Phi(x) + x phi(x): phi(x) (2 - x^2), phi the standard normal density
{
    IGNORE_PARAMETERS;
    cj_symbol *x2 = UNARY(square, v);
    cj_symbol *density = cj__scale(g, UNARY(exp, cj__scale(g, x2, -0.5)), 0.39894228040143267794);
    return cj__mul(g, density, cj__sub(g, cj__scalar_like(g, v, 2), x2));
}

// With u = c (x + k x^3), t = tanh u: f' = (1 + t) / 2 + x (1 - t^2) u' / 2, and so
// f'' = (1 - t^2) (u' - x t u'^2 + x u'' / 2).
SECOND(gelu_tanh)
{
    IGNORE_PARAMETERS;
    const double c = 0.79788456080286535588, k = 0.044715;
    cj_symbol *x2 = UNARY(square, v);
    cj_symbol *u = cj__mul(g, v, cj__shift(g, cj__scale(g, x2, c * k), c));
    cj_symbol *u1 = cj__shift(g, cj__scale(g, x2, 3 * c * k), c);
    cj_symbol *t = UNARY(tanh, u);
    cj_symbol *inner = cj__sub(g, u1, cj__mul(g, cj__mul(g, v, t), UNARY(square, u1)));
    inner = cj__add(g, inner, cj__scale(g, x2, 3 * c * k));
    return cj__mul(g, rest_to_one(g, UNARY(square, t)), inner);
}

SECOND(hard_silu) // f' = x / 3 + 1 / 2 for -3 < x < 3, else constant
{
    IGNORE_PARAMETERS;
    cj_symbol *inside =
        where_above(g, v, -3, cj__scalar_like(g, v, 1.0 / 3), cj__scalar_like(g, v, 0));
    return where_above(g, v, 3, cj__scalar_like(g, v, 0), inside);
}

// With t = tanh(softplus x), s = sigmoid x: f' = t + x (1 - t^2) s, and so f'' = (1 - t^2) s (2 + x
// (1 - s - 2 t s)).
SECOND(mish)
{
    IGNORE_PARAMETERS;
    cj_symbol *s = UNARY(sigmoid, v), *t = UNARY(tanh, UNARY(softplus, v));
    cj_symbol *inner = cj__sub(g, rest_to_one(g, s), cj__scale(g, cj__mul(g, t, s), 2));
    inner = cj__shift(g, cj__mul(g, v, inner), 2);
    return cj__mul(g, cj__mul(g, rest_to_one(g, UNARY(square, t)), s), inner);
}

#define ROW(name) [CJ__UNARY_##name] = second_##name
const cj__second cj__seconds[CJ__UNARY_COUNT] = {
    ROW(square),   ROW(sqrt), ROW(rsqrt), ROW(reciprocal), ROW(exp),       ROW(log),
    ROW(log1p),    ROW(elu),  ROW(selu),  ROW(sigmoid),    ROW(tanh),      ROW(softplus),
    ROW(softsign), ROW(silu), ROW(gelu),  ROW(gelu_tanh),  ROW(hard_silu), ROW(mish),
};
