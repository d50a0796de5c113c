// Losses between distributions, as Keras defines them (keras/src/losses/losses.py). t are the targets
// and p the predictions (..., c); sums and means are over the axis of the classes.
//
// Cross-entropies are computed from logits where possible: if p is the result of a softmax or
// sigmoid, its input is used. That loses no digits where the output saturates, and the two ops can
// be fused. Other probabilities are clipped to [epsilon, 1 - epsilon]; class probabilities are first
// divided by their sum.
#include "base/error.h"
#include "train/losses.h"
#include <math.h>

// The logits behind p: p itself with from_logits, or the input of the softmax or sigmoid `op` that
// computed p. NULL if p comes from something else.
static cj_symbol *logits_of(bool from_logits, cj_symbol *p, const cj__op *op)
{
    if (from_logits)
        return p;
    // a layer of mixed_bfloat16 rounds its output; the loss uses the unrounded value
    if (p && cj__symbol_is(p, &cj__op_round_bf16))
        p = p->node->inputs[0];
    return p && cj__symbol_is(p, op) ? p->node->inputs[0] : NULL;
}

// x with the axis of the classes last.
static cj_symbol *classes_last(cj__build *g, cj_symbol *x, int axis)
{
    int order[CJ_MAX_RANK] = {0}, count = 0;
    const int rank = x ? cj__symbol_type(x)->shape.rank : 0;
    if (axis == rank - 1)
        return x;
    for (int i = 0; i < rank; i++)
        if (i != axis)
            order[count++] = i;
    if (count < CJ_MAX_RANK)
        order[count] = axis;
    return cj__transpose(g, x, order);
}

// p / sum p, clipped: class probabilities that need not sum to 1.
static cj_symbol *normalized(cj__build *g, cj_symbol *p)
{
    cj_symbol *sum = p ? cj__sum(g, p, cj__last_axis(p), true) : NULL;
    return cj__clipped(g, cj__div(g, p, sum));
}

static double last_length(const cj_symbol *x)
{
    const cj_shape *shape = &cj__symbol_type(x)->shape;
    return shape->rank > 0 ? (double)shape->dims[shape->rank - 1] : 1;
}

// t (1 - s) + s / parts
static cj_symbol *smoothed(cj__build *g, cj_symbol *t, double s, double parts)
{
    return s > 0 ? cj__shift(g, cj__scale(g, t, 1 - s), s / parts) : t;
}

// Whether labels t count, as bool.
static cj_symbol *valid(cj__build *g, const cj__entropy_args *args, cj_symbol *t, cj_dtype dtype)
{
    return cj__compare(g, CJ__COMPARISON_not_equal, cj__cast(g, t, dtype),
                       cj__scalar(g, dtype, args->ignore_class));
}

cj_symbol *cj__counts_not_ignored(cj__build *g, const void *args, cj_symbol *t, cj_symbol *values)
{
    const cj__entropy_args *a = args;
    return isinf(a->ignore_class) || !values ? NULL :
                                               valid(g, a, t, cj__symbol_type(values)->dtype);
}

// -ln p[t] of predictions with the classes last
static cj_symbol *sparse_values(cj__build *g, cj_symbol *t, cj_symbol *p, bool logits)
{
    if (logits || !p)
        return cj__softmax_cross_entropy(g, p, t);
    cj_symbol *one_hot = cj__one_hot(g, t, (int64_t)last_length(p), cj__symbol_type(p)->dtype);
    cj_symbol *logarithm = cj__natural_log(g, normalized(g, p));
    return cj__minus(g, cj__last_sum(g, cj__mul(g, one_hot, logarithm)));
}

// -ln p[t]; 0 where t is ignore_class. What is ignored may be no class, and its predictions may be
// anything: both are 0 in what is computed.
cj_symbol *cj__values_sparse_categorical_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                                      cj_symbol *p)
{
    const cj__entropy_args *a = args;
    int axis = 0;
    if (cj__settle_axis(g, p, a->axis, &axis) != CJ_OK)
        return NULL;
    const int rank = cj__symbol_type(p)->shape.rank;
    const cj_dtype dtype = cj__symbol_type(p)->dtype;
    cj_symbol *logits = axis == rank - 1 ? logits_of(a->from_logits, p, &cj__op_softmax) : NULL;
    const bool from_logits = logits || a->from_logits;
    p = classes_last(g, logits ? logits : p, axis);
    if (isinf(a->ignore_class) || !p)
        return sparse_values(g, t, p, from_logits);
    cj_symbol *counts = valid(g, a, t, dtype), *zero = cj__scalar(g, dtype, 0);
    cj_shape column = cj__symbol_type(t)->shape;
    column.dims[column.rank++] = 1;
    t = cj__cast(g, cj__select(g, counts, cj__cast(g, t, dtype), zero), CJ_I32);
    p = cj__select(g, cj__reshape(g, counts, &column), p, zero);
    return cj__select(g, counts, sparse_values(g, t, p, from_logits), zero);
}

// -sum t ln p, with t (1 - s) + s / c for t
cj_symbol *cj__values_categorical_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                               cj_symbol *p)
{
    const cj__entropy_args *a = args;
    int axis = 0;
    if (cj__settle_axis(g, p, a->axis, &axis) != CJ_OK)
        return NULL;
    const bool last = axis == cj__symbol_type(p)->shape.rank - 1;
    t = classes_last(g, smoothed(g, t, a->label_smoothing, last_length(p)), axis);
    cj_symbol *logits = last ? logits_of(a->from_logits, p, &cj__op_softmax) : NULL;
    p = classes_last(g, logits ? logits : p, axis);
    cj_symbol *logarithm =
        logits || a->from_logits ? cj__log_softmax(g, p) : cj__natural_log(g, normalized(g, p));
    return cj__minus(g, cj__last_sum(g, cj__mul(g, t, logarithm)));
}

// -sum t alpha (1 - p)^gamma ln p, with t as above
cj_symbol *cj__values_categorical_focal_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                                     cj_symbol *p)
{
    const cj__focal_args *a = args;
    int axis = 0;
    if (cj__settle_axis(g, p, a->axis, &axis) != CJ_OK)
        return NULL;
    t = classes_last(g, smoothed(g, t, a->label_smoothing, last_length(p)), axis);
    p = classes_last(g, p, axis);
    cj_symbol *q = normalized(g, a->from_logits ? cj__softmax(g, p) : p);
    cj_symbol *factor = cj__apply_binary(g, CJ__BINARY_power, cj__complement(g, q),
                                         cj__scalar_like(g, q, a->gamma));
    cj_symbol *entropy = cj__mul(g, t, cj__natural_log(g, q));
    return cj__last_sum(g, cj__scale(g, cj__mul(g, factor, entropy), -a->alpha));
}

// t ln p + (1 - t) ln(1 - p), of clipped probabilities
static cj_symbol *log_likelihood(cj__build *g, cj_symbol *t, cj_symbol *p)
{
    cj_symbol *q = cj__clipped(g, p);
    return cj__add(g, cj__mul(g, t, cj__natural_log(g, q)),
                   cj__mul(g, cj__complement(g, t), cj__natural_log(g, cj__complement(g, q))));
}

// mean of -t ln p - (1 - t) ln(1 - p), with t (1 - s) + s / 2 for t
cj_symbol *cj__values_binary_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                          cj_symbol *p)
{
    const cj__entropy_args *a = args;
    int axis = 0;
    if (cj__settle_axis(g, p, a->axis, &axis) != CJ_OK)
        return NULL;
    cj_symbol *logits = logits_of(a->from_logits, p, &cj__op_sigmoid);
    t = smoothed(g, t, a->label_smoothing, 2);
    cj_symbol *each =
        logits ? cj__sigmoid_cross_entropy(g, logits, t) : cj__minus(g, log_likelihood(g, t, p));
    return axis > 0 ? cj__mean(g, each, 1u << axis, false) : each;
}

// mean of -w (1 - q)^gamma ln q, where q is p for t = 1 and 1 - p for t = 0, and w is alpha for
// t = 1 and 1 - alpha for t = 0 with class balancing, else 1
cj_symbol *cj__values_binary_focal_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                                cj_symbol *p)
{
    const cj__focal_args *a = args;
    int axis = 0;
    if (cj__settle_axis(g, p, a->axis, &axis) != CJ_OK)
        return NULL;
    t = smoothed(g, t, a->label_smoothing, 2);
    p = a->from_logits ? cj__apply_unary(g, CJ__UNARY_sigmoid, p, 0, 0) : p;
    cj_symbol *other = cj__complement(g, t);
    cj_symbol *right = cj__add(g, cj__mul(g, t, p), cj__mul(g, other, cj__complement(g, p)));
    cj_symbol *factor = cj__apply_binary(g, CJ__BINARY_power, cj__complement(g, right),
                                         cj__scalar_like(g, p, a->gamma));
    cj_symbol *each = cj__minus(g, cj__mul(g, factor, log_likelihood(g, t, p)));
    if (a->apply_class_balancing)
        each = cj__mul(g, each,
                       cj__add(g, cj__scale(g, t, a->alpha), cj__scale(g, other, 1 - a->alpha)));
    return axis > 0 ? cj__mean(g, each, 1u << axis, false) : each;
}

// (1 - p[t]^q) / q
cj_symbol *cj__values_categorical_generalized_cross_entropy(cj__build *g, const void *args,
                                                            cj_symbol *t, cj_symbol *p)
{
    const cj__generalized_args *a = args;
    cj_symbol *one_hot = cj__one_hot(g, t, (int64_t)last_length(p), cj__symbol_type(p)->dtype);
    cj_symbol *own = cj__last_sum(g, cj__mul(g, p, one_hot));
    cj_symbol *power = cj__apply_binary(g, CJ__BINARY_power, own, cj__scalar_like(g, p, a->q));
    return cj__scale(g, cj__complement(g, power), 1 / a->q);
}

// sum t ln(t / p), both clipped to [epsilon, 1]
cj_symbol *cj__values_kl_divergence(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    t = cj__apply_unary(g, CJ__UNARY_clip, t, CJ__EPSILON, 1);
    p = cj__apply_unary(g, CJ__UNARY_clip, p, CJ__EPSILON, 1);
    return cj__last_sum(g, cj__mul(g, t, cj__natural_log(g, cj__div(g, t, p))));
}

// mean p - t ln(p + epsilon)
cj_symbol *cj__values_poisson(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *logarithm = cj__natural_log(g, cj__shift(g, p, CJ__EPSILON));
    return cj__last_mean(g, cj__sub(g, p, cj__mul(g, t, logarithm)));
}
