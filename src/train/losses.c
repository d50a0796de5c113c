// Losses, in Keras's definitions. t are targets, p predictions (..., c); the mean or sum is over
// the last axis.
//
// Cross-entropies work on logits where they can: if the predictions are the result of a softmax
// (sigmoid), the loss is taken from what went into it, which loses no digits where the outputs
// saturate and lets the two be fused. Elsewhere probabilities are clipped to [1e-7, 1 - 1e-7] (and
// first divided by their sum, if they are of classes).
#include "train/losses.h"
#include "base/error.h"

static const double tiny = 1e-7;

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

// What went into the softmax or sigmoid that made p; p itself if it is logits already; NULL if
// there are none.
static cj_symbol *logits_of(const loss_args *args, cj_symbol *p, const cj__op *op)
{
    if (args->from_logits)
        return p;
    // a layer of mixed_bfloat16: the loss is of what it computed
    if (p && cj__symbol_is(p, &cj__op_round_bf16))
        p = p->node->inputs[0];
    return p && cj__symbol_is(p, op) ? p->node->inputs[0] : NULL;
}

static cj_symbol *clipped(cj__build *g, cj_symbol *p)
{
    return cj__apply_unary(g, CJ__UNARY_clip, p, tiny, 1 - tiny);
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
    cj_symbol *yes = clipped(g, p);
    cj_symbol *no = cj__shift(g, negative(g, yes), 1);
    cj_symbol *first = cj__mul(g, t, cj__apply_unary(g, CJ__UNARY_log, yes, 0, 0));
    cj_symbol *second =
        cj__mul(g, cj__shift(g, negative(g, t), 1), cj__apply_unary(g, CJ__UNARY_log, no, 0, 0));
    return negative(g, cj__last_mean(g, cj__add(g, first, second)));
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

// mean max(1 - t p, 0); targets that are all 0 or 1 mean -1 and 1.
static cj_symbol *hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    if (!t)
        return NULL;
    cj_symbol *stray =
        cj__apply_unary(g, CJ__UNARY_absolute, cj__mul(g, t, cj__shift(g, t, -1)), 0, 0);
    cj_symbol *farthest = cj__max(g, stray, cj__all_axes(t), false);
    cj_symbol *binary = cj__compare(g, CJ__COMPARISON_equal, farthest, cj__scalar_like(g, t, 0));
    cj_symbol *sign = cj__select(g, binary, cj__shift(g, cj__scale(g, t, 2), -1), t);
    cj_symbol *lack = cj__shift(g, negative(g, cj__mul(g, sign, p)), 1);
    return cj__last_mean(g, cj__apply_unary(g, CJ__UNARY_relu, lack, 0, 0));
}

// max(max((1 - t) p) - sum t p + 1, 0)
static cj_symbol *categorical_hinge(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    cj_symbol *others = cj__mul(g, cj__shift(g, negative(g, t), 1), p);
    cj_symbol *worst =
        others && cj__last_axis(others) ? cj__max(g, others, cj__last_axis(others), false) : others;
    cj_symbol *lack = cj__shift(g, cj__sub(g, worst, last_sum(g, cj__mul(g, t, p))), 1);
    return cj__apply_unary(g, CJ__UNARY_relu, lack, 0, 0);
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
