// Losses of regressions and margins, as Keras defines them (keras/src/losses/losses.py). t are the
// targets and p the predictions (..., c); means and sums are over the last axis.
#include "train/losses.h"

static cj_symbol *absolute(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_absolute, x, 0, 0);
}

static cj_symbol *square(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_square, x, 0, 0);
}

static cj_symbol *at_least(cj__build *g, cj_symbol *x, double least)
{
    return cj__apply_binary(g, CJ__BINARY_maximum, x, cj__scalar_like(g, x, least));
}

// mean (p - t)^2
cj_symbol *cj__values_mse(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__last_mean(g, square(g, cj__sub(g, p, t)));
}

// mean |p - t|
cj_symbol *cj__values_mae(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__last_mean(g, absolute(g, cj__sub(g, p, t)));
}

// 100 mean |t - p| / max(|t|, epsilon)
cj_symbol *cj__values_mape(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *share = cj__div(g, cj__sub(g, t, p), at_least(g, absolute(g, t), CJ__EPSILON));
    return cj__scale(g, cj__last_mean(g, absolute(g, share)), 100);
}

// mean (ln(1 + p) - ln(1 + t))^2, both at least epsilon
cj_symbol *cj__values_msle(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *log_p = cj__apply_unary(g, CJ__UNARY_log1p, at_least(g, p, CJ__EPSILON), 0, 0);
    cj_symbol *log_t = cj__apply_unary(g, CJ__UNARY_log1p, at_least(g, t, CJ__EPSILON), 0, 0);
    return cj__last_mean(g, square(g, cj__sub(g, log_p, log_t)));
}

// With e = p - t: mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2
cj_symbol *cj__values_huber(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const double delta = ((const cj__huber_args *)args)->delta;
    cj_symbol *error = cj__sub(g, p, t), *size = absolute(g, error);
    cj_symbol *near = cj__compare(g, CJ__COMPARISON_less_equal, size, cj__scalar_like(g, p, delta));
    cj_symbol *linear = cj__shift(g, cj__scale(g, size, delta), -delta * delta / 2);
    return cj__last_mean(g, cj__select(g, near, cj__scale(g, square(g, error), 0.5), linear));
}

// With e = p - t: mean ln cosh e = e + softplus(-2 e) - ln 2
cj_symbol *cj__values_log_cosh(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *error = cj__sub(g, p, t);
    cj_symbol *soft = cj__apply_unary(g, CJ__UNARY_softplus, cj__scale(g, error, -2), 0, 0);
    return cj__last_mean(g, cj__shift(g, cj__add(g, error, soft), -0.69314718055994531));
}

// x / max(|x|, epsilon), whose gradient at 0 is finite
static cj_symbol *unit(cj__build *g, cj_symbol *x, uint32_t axes)
{
    cj_symbol *sum = at_least(g, cj__sum(g, square(g, x), axes, true), CJ__EPSILON * CJ__EPSILON);
    return cj__mul(g, x, cj__apply_unary(g, CJ__UNARY_rsqrt, sum, 0, 0));
}

// -sum t p / (|t| |p|)
cj_symbol *cj__values_cosine_similarity(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    int axis = 0;
    if (cj__settle_axis(g, p, ((const cj__cosine_args *)args)->axis, &axis) != CJ_OK)
        return NULL;
    cj_symbol *product = cj__mul(g, unit(g, t, 1u << axis), unit(g, p, 1u << axis));
    return cj__minus(g, cj__sum(g, product, 1u << axis, false));
}

// max(1 - t p, 0). If all targets are 0 or 1, that is if t (t - 1) is 0 everywhere, they stand for
// -1 and 1.
static cj_symbol *margins(cj__build *g, cj_symbol *t, cj_symbol *p)
{
    cj_symbol *product = absolute(g, cj__mul(g, t, cj__shift(g, t, -1)));
    cj_symbol *largest = cj__max(g, product, cj__all_axes(t), false);
    cj_symbol *binary = cj__compare(g, CJ__COMPARISON_equal, largest, cj__scalar_like(g, t, 0));
    cj_symbol *sign = cj__select(g, binary, cj__shift(g, cj__scale(g, t, 2), -1), t);
    return cj__apply_unary(g, CJ__UNARY_relu, cj__complement(g, cj__mul(g, sign, p)), 0, 0);
}

cj_symbol *cj__values_hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__last_mean(g, margins(g, t, p));
}

cj_symbol *cj__values_squared_hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__last_mean(g, square(g, margins(g, t, p)));
}

// max(max((1 - t) p) - sum t p + 1, 0): the largest prediction of another class against that of the
// target
cj_symbol *cj__values_categorical_hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *neg = cj__mul(g, cj__complement(g, t), p);
    if (neg && cj__last_axis(neg))
        neg = cj__max(g, neg, cj__last_axis(neg), false);
    cj_symbol *pos = cj__last_sum(g, cj__mul(g, t, p));
    cj_symbol *margin = cj__shift(g, cj__sub(g, neg, pos), 1);
    return cj__apply_unary(g, CJ__UNARY_relu, margin, 0, 0);
}

// The mean of a sample's values, which are the predictions; targets are not looked at.
cj_symbol *cj__values_mean_value(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args, (void)t;
    return p && cj_symbol_shape(p)->rank > 1 ? cj__mean(g, p, cj__all_axes(p) & ~1u, false) : p;
}
