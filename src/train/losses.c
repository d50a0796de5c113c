// Losses, as Keras defines them (keras/src/losses/losses.py). t are the targets and p the predictions
// (..., c); means and sums are over the last axis.
//
// Cross-entropies are computed from logits where possible: if p is the result of a softmax or
// sigmoid, its input is used. That loses no digits where the output saturates, and the two ops can
// be fused. Other probabilities are clipped to [epsilon, 1 - epsilon]; class probabilities are first
// divided by their sum.
#include "train/losses.h"
#include "base/error.h"

static const double epsilon = 1e-7; // keras.config.epsilon()

typedef struct loss_args {
    bool from_logits;
    double label_smoothing;
} loss_args;
static const loss_args loss_defaults = {.from_logits = false, .label_smoothing = 0};

static const cj__field entropy_fields[] = {
    CJ__FIELD(loss_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(loss_args, label_smoothing, CJ__FIELD_NUMBER, CJ__SHARE),
};
static const cj__field sparse_fields[] = {
    CJ__FIELD(loss_args, from_logits, CJ__FIELD_BOOL),
};

uint32_t cj__last_axis(const cj_symbol *x)
{
    const int rank = x ? cj__symbol_type(x)->shape.rank : 0;
    return rank > 1 ? 1u << (rank - 1) : 0;
}

cj_symbol *cj__last_mean(cj__build *g, cj_symbol *x)
{
    const uint32_t axes = cj__last_axis(x);
    return axes ? cj__mean(g, x, axes, false) : x;
}

static cj_symbol *last_sum(cj__build *g, cj_symbol *x)
{
    const uint32_t axes = cj__last_axis(x);
    return axes ? cj__sum(g, x, axes, false) : x;
}

// The logits behind p: p itself with from_logits, or the input of the softmax or sigmoid `op` that
// computed p. NULL if p comes from something else.
static cj_symbol *logits_of(const loss_args *args, cj_symbol *p, const cj__op *op)
{
    if (args->from_logits)
        return p;
    // a layer of mixed_bfloat16 rounds its output; the loss uses the unrounded value
    if (p && cj__symbol_is(p, &cj__op_round_bf16))
        p = p->node->inputs[0];
    return p && cj__symbol_is(p, op) ? p->node->inputs[0] : NULL;
}

static cj_symbol *clipped(cj__build *g, cj_symbol *p)
{
    return cj__apply_unary(g, CJ__UNARY_clip, p, epsilon, 1 - epsilon);
}

static cj_symbol *negative(cj__build *g, cj_symbol *x)
{
    return cj__scale(g, x, -1);
}

// ln p of class probabilities that need not sum to 1.
static cj_symbol *log_probabilities(cj__build *g, cj_symbol *p)
{
    cj_symbol *sum = p ? cj__sum(g, p, cj__last_axis(p), true) : NULL;
    return cj__apply_unary(g, CJ__UNARY_log, clipped(g, cj__div(g, p, sum)), 0, 0);
}

// -ln p[label]
static cj_symbol *sparse_categorical_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                                  cj_symbol *p)
{
    cj_symbol *logits = logits_of(args, p, &cj__op_softmax);
    if (logits || !p)
        return cj__softmax_cross_entropy(g, logits, t);
    const cj__type *type = cj__symbol_type(p);
    cj_symbol *one_hot = cj__one_hot(g, t, type->shape.dims[type->shape.rank - 1], type->dtype);
    return negative(g, last_sum(g, cj__mul(g, one_hot, log_probabilities(g, p))));
}

// -sum t ln p, with t (1 - s) + s / c for t
static cj_symbol *categorical_crossentropy(cj__build *g, const void *args, cj_symbol *t,
                                           cj_symbol *p)
{
    const double s = ((const loss_args *)args)->label_smoothing;
    cj_symbol *logits = logits_of(args, p, &cj__op_softmax);
    if (s > 0 && p) {
        const cj_shape *shape = &cj__symbol_type(p)->shape;
        t = cj__shift(g, cj__scale(g, t, 1 - s), s / (double)shape->dims[shape->rank - 1]);
    }
    cj_symbol *logarithm = logits ? cj__log_softmax(g, logits) : log_probabilities(g, p);
    return negative(g, last_sum(g, cj__mul(g, t, logarithm)));
}

// mean of -t ln p - (1 - t) ln(1 - p), with t (1 - s) + s / 2 for t
static cj_symbol *binary_crossentropy(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const double s = ((const loss_args *)args)->label_smoothing;
    cj_symbol *logits = logits_of(args, p, &cj__op_sigmoid);
    if (s > 0)
        t = cj__shift(g, cj__scale(g, t, 1 - s), s / 2);
    if (logits || !p)
        return cj__last_mean(g, cj__sigmoid_cross_entropy(g, logits, t));
    cj_symbol *p1 = clipped(g, p), *p0 = cj__shift(g, negative(g, p1), 1);
    cj_symbol *t0 = cj__shift(g, negative(g, t), 1);
    cj_symbol *term1 = cj__mul(g, t, cj__apply_unary(g, CJ__UNARY_log, p1, 0, 0));
    cj_symbol *term0 = cj__mul(g, t0, cj__apply_unary(g, CJ__UNARY_log, p0, 0, 0));
    return negative(g, cj__last_mean(g, cj__add(g, term1, term0)));
}

// mean (p - t)^2
cj_symbol *cj__values_mse(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__last_mean(g, cj__apply_unary(g, CJ__UNARY_square, cj__sub(g, p, t), 0, 0));
}

// mean |p - t|
cj_symbol *cj__values_mae(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return cj__last_mean(g, cj__apply_unary(g, CJ__UNARY_absolute, cj__sub(g, p, t), 0, 0));
}

// mean max(1 - t p, 0). If all targets are 0 or 1, that is if t (t - 1) is 0 everywhere, they stand
// for -1 and 1.
static cj_symbol *hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    if (!t)
        return NULL;
    cj_symbol *product =
        cj__apply_unary(g, CJ__UNARY_absolute, cj__mul(g, t, cj__shift(g, t, -1)), 0, 0);
    cj_symbol *largest = cj__max(g, product, cj__all_axes(t), false);
    cj_symbol *binary = cj__compare(g, CJ__COMPARISON_equal, largest, cj__scalar_like(g, t, 0));
    cj_symbol *sign = cj__select(g, binary, cj__shift(g, cj__scale(g, t, 2), -1), t);
    cj_symbol *margin = cj__shift(g, negative(g, cj__mul(g, sign, p)), 1);
    return cj__last_mean(g, cj__apply_unary(g, CJ__UNARY_relu, margin, 0, 0));
}

// max(max((1 - t) p) - sum t p + 1, 0): the largest prediction of another class against that of the
// target
static cj_symbol *categorical_hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *neg = cj__mul(g, cj__shift(g, negative(g, t), 1), p);
    if (neg && cj__last_axis(neg))
        neg = cj__max(g, neg, cj__last_axis(neg), false);
    cj_symbol *pos = last_sum(g, cj__mul(g, t, p));
    cj_symbol *margin = cj__shift(g, cj__sub(g, neg, pos), 1);
    return cj__apply_unary(g, CJ__UNARY_relu, margin, 0, 0);
}

static const cj__loss losses[] = {
    {CJ__CHOICE("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", sparse_fields,
                loss_defaults),
     CJ__TARGET_LABELS, sparse_categorical_crossentropy, false, true},
    {CJ__CHOICE("categorical_crossentropy", "CategoricalCrossentropy", entropy_fields,
                loss_defaults),
     CJ__TARGET_SAME, categorical_crossentropy, false, true},
    {CJ__CHOICE("binary_crossentropy", "BinaryCrossentropy", entropy_fields, loss_defaults),
     CJ__TARGET_SAME, binary_crossentropy, false, true},
    {CJ__PLAIN_CHOICE("mean_squared_error", "MeanSquaredError"), CJ__TARGET_SAME, cj__values_mse,
     false, false},
    {CJ__PLAIN_CHOICE("mse", NULL), CJ__TARGET_SAME, cj__values_mse, false, false},
    {CJ__PLAIN_CHOICE("mean_absolute_error", "MeanAbsoluteError"), CJ__TARGET_SAME, cj__values_mae,
     false, false},
    {CJ__PLAIN_CHOICE("mae", NULL), CJ__TARGET_SAME, cj__values_mae, false, false},
    {CJ__PLAIN_CHOICE("hinge", "Hinge"), CJ__TARGET_SAME, hinge, false, true},
    {CJ__PLAIN_CHOICE("categorical_hinge", "CategoricalHinge"), CJ__TARGET_SAME, categorical_hinge,
     false, true},
};

const cj__catalog cj__losses = {.what = "loss",
                                .rows = losses,
                                .stride = sizeof losses[0],
                                .count = (int)(sizeof losses / sizeof losses[0])};
