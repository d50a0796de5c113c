// The catalog of losses, what their families share, and the reduction of a batch to one number. The
// families are entropy.c, distances.c and overlap.c.
#include "train/losses.h"
#include "base/error.h"
#include "train/custom.h"
#include <math.h>
#include <string.h>

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

cj_symbol *cj__last_sum(cj__build *g, cj_symbol *x)
{
    const uint32_t axes = cj__last_axis(x);
    return axes ? cj__sum(g, x, axes, false) : x;
}

cj_symbol *cj__minus(cj__build *g, cj_symbol *x)
{
    return cj__scale(g, x, -1);
}

cj_symbol *cj__complement(cj__build *g, cj_symbol *x)
{
    return cj__shift(g, cj__minus(g, x), 1);
}

cj_symbol *cj__clipped(cj__build *g, cj_symbol *p)
{
    return cj__apply_unary(g, CJ__UNARY_clip, p, CJ__EPSILON, 1 - CJ__EPSILON);
}

cj_symbol *cj__natural_log(cj__build *g, cj_symbol *x)
{
    return cj__apply_unary(g, CJ__UNARY_log, x, 0, 0);
}

cj_status cj__settle_axis(cj__build *g, const cj_symbol *x, int64_t axis, int *settled)
{
    const cj_shape *shape = &cj__symbol_type(x)->shape;
    char text[CJ_MAX_RANK * 24];
    const int64_t from_front = axis < 0 ? axis + shape->rank : axis;
    *settled = (int)from_front;
    if ((from_front > 0 && from_front < shape->rank) || (axis == -1 && shape->rank == 1))
        return CJ_OK;
    cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                 "loss: axis %lld of predictions of shape %s is %s",
                                 (long long)axis, cj_shape_text(shape, text, sizeof text),
                                 from_front == 0 ? "that of the samples" : "not there"));
    return CJ_INVALID_ARGUMENT;
}

// Reductions
// ----------------------------------------------------------------------------------------------

static const char *const reductions[] = {"sum_over_batch_size",     "mean", "sum",
                                         "mean_with_sample_weight", "none", NULL};

cj_status cj__loss_check(const cj__loss *loss, const void *args)
{
    const char *reduction = loss->choice.args_size ? ((const cj__loss_args *)args)->reduction : "";
    if (!reduction || strcmp(reduction, "none") == 0)
        return cj__fail(CJ_UNSUPPORTED,
                        "loss %s: with the reduction \"none\" a batch has many values, training "
                        "needs one: take \"sum\" or \"sum_over_batch_size\"",
                        loss->choice.name);
    if (loss->counts == cj__counts_not_ignored) {
        const double ignored = ((const cj__entropy_args *)args)->ignore_class;
        if (!isinf(ignored) && !(round(ignored) == ignored))
            return cj__fail(CJ_INVALID_ARGUMENT, "loss %s: ignore_class %g is no class",
                            loss->choice.name, ignored);
    }
    return CJ_OK;
}

cj__labels cj__loss_labels(const cj__loss *loss, const void *args, const cj_shape *predictions)
{
    cj__labels labels = {.classes = 0, .ignored = INFINITY};
    int64_t axis = predictions->rank - 1;
    const bool sparse = loss->target == CJ__TARGET_LABELS || loss->target == CJ__TARGET_STEPS ||
                        loss->target == CJ__TARGET_ROWS;
    if (!sparse || axis < 0)
        return labels;
    if (loss->counts == cj__counts_not_ignored) {
        const cj__entropy_args *a = args;
        labels.ignored = a->ignore_class;
        axis = a->axis < 0 ? a->axis + predictions->rank : a->axis;
    }
    if (axis >= 0 && axis < predictions->rank)
        labels.classes = predictions->dims[axis];
    return labels;
}

cj_symbol *cj__spread_weights(cj__build *g, cj_symbol *x, const cj_symbol *values)
{
    if (!x || !values)
        return NULL;
    cj_shape shape = cj__symbol_type(x)->shape;
    while (shape.rank < cj__symbol_type(values)->shape.rank)
        shape.dims[shape.rank++] = 1;
    return shape.rank == cj__symbol_type(x)->shape.rank ? x : cj__reshape(g, x, &shape);
}

// The product of two factors, each NULL for 1.
static cj_symbol *times(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return !a ? b : !b ? a : cj__mul(g, a, b);
}

// Both masks as numbers, spread to the values' rank.
static cj_symbol *joined_mask(cj__build *g, const cj_symbol *values, cj_symbol *mask,
                              cj_symbol *counts)
{
    const cj_dtype dtype = cj__symbol_type(values)->dtype;
    mask = mask ? cj__spread_weights(g, cj__cast(g, mask, dtype), values) : NULL;
    counts = counts ? cj__spread_weights(g, cj__cast(g, counts, dtype), values) : NULL;
    return times(g, mask, counts);
}

// m / mean(m), and 0 where no element counts.
static cj_symbol *balanced(cj__build *g, cj_symbol *m)
{
    cj_symbol *mean = cj__mean(g, m, cj__all_axes(m), false);
    cj_symbol *divisor =
        cj__apply_binary(g, CJ__BINARY_maximum, mean, cj__scalar_like(g, mean, 1e-30));
    return m ? cj__div(g, m, divisor) : NULL;
}

cj_symbol *cj__loss_reduce(cj__build *g, const char *reduction, cj_symbol *values,
                           cj_symbol *weights, cj_symbol *mask, cj_symbol *counts)
{
    if (!values)
        return NULL;
    const bool sum = strcmp(reduction, "sum") == 0,
               shared = strcmp(reduction, "mean_with_sample_weight") == 0;
    cj_symbol *m = joined_mask(g, values, mask, counts);
    if (m && !sum && !shared)
        m = balanced(g, m);
    if (weights)
        weights =
            cj__spread_weights(g, cj__cast(g, weights, cj__symbol_type(values)->dtype), values);
    cj_symbol *w = times(g, m, weights);
    values = w ? cj__mul(g, values, w) : values;
    if (!values)
        return NULL;
    if (!sum && !(shared && w))
        return cj__mean(g, values, cj__all_axes(values), false);
    cj_symbol *total = cj__sum(g, values, cj__all_axes(values), false);
    if (sum || !total)
        return total;
    cj_symbol *divisor = cj__sum(g, w, cj__all_axes(w), false),
              *zero = cj__scalar_like(g, total, 0);
    cj_symbol *any = cj__compare(g, CJ__COMPARISON_not_equal, divisor, zero);
    cj_symbol *safe = cj__select(g, any, divisor, cj__scalar_like(g, total, 1));
    return cj__select(g, any, cj__div(g, total, safe), zero);
}

cj_symbol *cj__loss_of(const cj__loss *loss, const void *args, const char *who, cj__build *g,
                       cj__loss_inputs inputs)
{
    cj_symbol *counts = NULL;
    cj_symbol *values =
        cj__loss_values(loss, args, who, g, inputs.targets, inputs.predictions, &counts);
    return cj__loss_reduce(g, ((const cj__loss_args *)args)->reduction, values, inputs.weights,
                           inputs.mask, counts);
}

// The catalog
// ----------------------------------------------------------------------------------------------

#define BATCH_MEAN .reduction = "sum_over_batch_size"
static const cj__loss_args plain_defaults = {BATCH_MEAN};
static const cj__entropy_args entropy_defaults = {BATCH_MEAN, .axis = -1, .ignore_class = INFINITY};
static const cj__focal_args focal_defaults = {BATCH_MEAN, .axis = -1, .alpha = 0.25, .gamma = 2};
static const cj__generalized_args generalized_defaults = {BATCH_MEAN, .q = 0.5};
static const cj__huber_args huber_defaults = {BATCH_MEAN, .delta = 1};
static const cj__cosine_args cosine_defaults = {BATCH_MEAN, .axis = -1};
static const cj__overlap_args overlap_defaults = {BATCH_MEAN, .alpha = 0.5, .beta = 0.5};
static const cj__circle_args circle_defaults = {BATCH_MEAN, .gamma = 80, .margin = 0.4,
                                                .remove_diagonal = true};
static const cj__steps_args rates_defaults = {BATCH_MEAN, .correct = 1};
static const cj__steps_args times_defaults = {BATCH_MEAN, .incorrect = 1};

#define REDUCTION(type) CJ__FIELD(type, reduction, CJ__FIELD_TEXT, .words = reductions)
static const cj__field plain_fields[] = {REDUCTION(cj__loss_args)};
static const cj__field entropy_fields[] = {
    CJ__FIELD(cj__entropy_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__entropy_args, label_smoothing, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj__entropy_args, axis, CJ__FIELD_INT),
    REDUCTION(cj__entropy_args),
};
static const cj__field sparse_fields[] = {
    CJ__FIELD(cj__entropy_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__entropy_args, ignore_class, CJ__FIELD_LIMIT, .low = -1e9, .high = 1e9),
    CJ__FIELD(cj__entropy_args, axis, CJ__FIELD_INT),
    REDUCTION(cj__entropy_args),
};
static const cj__field binary_focal_fields[] = {
    CJ__FIELD(cj__focal_args, apply_class_balancing, CJ__FIELD_BOOL),
    CJ__FIELD(cj__focal_args, alpha, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj__focal_args, gamma, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj__focal_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__focal_args, label_smoothing, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj__focal_args, axis, CJ__FIELD_INT),
    REDUCTION(cj__focal_args),
};
static const cj__field focal_fields[] = {
    CJ__FIELD(cj__focal_args, alpha, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__focal_args, gamma, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj__focal_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__focal_args, label_smoothing, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj__focal_args, axis, CJ__FIELD_INT),
    REDUCTION(cj__focal_args),
};
static const cj__field generalized_fields[] = {
    CJ__FIELD(cj__generalized_args, q, CJ__FIELD_NUMBER, .low = 1e-6, .high = 1 - 1e-6),
    REDUCTION(cj__generalized_args),
};
static const cj__field huber_fields[] = {
    CJ__FIELD(cj__huber_args, delta, CJ__FIELD_NUMBER),
    REDUCTION(cj__huber_args),
};
static const cj__field cosine_fields[] = {
    CJ__FIELD(cj__cosine_args, axis, CJ__FIELD_INT),
    REDUCTION(cj__cosine_args),
};
static const cj__field dice_fields[] = {
    CJ__FIELD(cj__overlap_args, axis, CJ__FIELD_LIST),
    REDUCTION(cj__overlap_args),
};
static const cj__field tversky_fields[] = {
    CJ__FIELD(cj__overlap_args, alpha, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__overlap_args, beta, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__overlap_args, axis, CJ__FIELD_LIST),
    REDUCTION(cj__overlap_args),
};
static const cj__field circle_fields[] = {
    CJ__FIELD(cj__circle_args, gamma, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__circle_args, margin, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__circle_args, remove_diagonal, CJ__FIELD_BOOL),
    REDUCTION(cj__circle_args),
};

static const cj__field sum_fields[] = {
    CJ__FIELD(cj__steps_args, sum, CJ__FIELD_BOOL),
    REDUCTION(cj__steps_args),
};
static const cj__field levels_fields[] = {
    CJ__FIELD(cj__steps_args, correct, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__steps_args, incorrect, CJ__FIELD_NUMBER),
    REDUCTION(cj__steps_args),
};

// A name, its class, the values, the fields and their defaults, the targets, whether these are
// classes, and what counts.
#define ROW(plain, class, function, set, standard, wanted, classes, counted)                   \
    {                                                                                          \
        .choice = CJ__CHOICE(plain, class, set##_fields, standard##_defaults),                 \
        .target = CJ__TARGET_##wanted, .values = cj__values_##function, .of_classes = classes, \
        .counts = counted                                                                      \
    }
static const cj__loss losses[] = {
    ROW("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy",
        sparse_categorical_crossentropy, sparse, entropy, LABELS, true, cj__counts_not_ignored),
    ROW("categorical_crossentropy", "CategoricalCrossentropy", categorical_crossentropy, entropy,
        entropy, SAME, true, NULL),
    ROW("binary_crossentropy", "BinaryCrossentropy", binary_crossentropy, entropy, entropy, SAME,
        true, NULL),
    ROW("bce", "BCE", binary_crossentropy, entropy, entropy, SAME, true, NULL),
    ROW("binary_focal_crossentropy", "BinaryFocalCrossentropy", binary_focal_crossentropy,
        binary_focal, focal, SAME, true, NULL),
    ROW("categorical_focal_crossentropy", "CategoricalFocalCrossentropy",
        categorical_focal_crossentropy, focal, focal, SAME, true, NULL),
    ROW("categorical_generalized_cross_entropy", "CategoricalGeneralizedCrossEntropy",
        categorical_generalized_cross_entropy, generalized, generalized, LABELS, true, NULL),
    ROW("kl_divergence", "KLDivergence", kl_divergence, plain, plain, SAME, false, NULL),
    ROW("kld", "KLD", kl_divergence, plain, plain, SAME, false, NULL),
    ROW("kullback_leibler_divergence", NULL, kl_divergence, plain, plain, SAME, false, NULL),
    ROW("poisson", "Poisson", poisson, plain, plain, SAME, false, NULL),
    ROW("mean_squared_error", "MeanSquaredError", mse, plain, plain, SAME, false, NULL),
    ROW("mse", "MSE", mse, plain, plain, SAME, false, NULL),
    ROW("mean_absolute_error", "MeanAbsoluteError", mae, plain, plain, SAME, false, NULL),
    ROW("mae", "MAE", mae, plain, plain, SAME, false, NULL),
    ROW("mean_absolute_percentage_error", "MeanAbsolutePercentageError", mape, plain, plain, SAME,
        false, NULL),
    ROW("mape", "MAPE", mape, plain, plain, SAME, false, NULL),
    ROW("mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", msle, plain, plain, SAME,
        false, NULL),
    ROW("msle", "MSLE", msle, plain, plain, SAME, false, NULL),
    ROW("huber", "Huber", huber, huber, huber, SAME, false, NULL),
    ROW("huber_loss", NULL, huber, huber, huber, SAME, false, NULL),
    ROW("log_cosh", "LogCosh", log_cosh, plain, plain, SAME, false, NULL),
    ROW("logcosh", NULL, log_cosh, plain, plain, SAME, false, NULL),
    ROW("cosine_similarity", "CosineSimilarity", cosine_similarity, cosine, cosine, SAME, false,
        NULL),
    ROW("hinge", "Hinge", hinge, plain, plain, SAME, true, NULL),
    ROW("squared_hinge", "SquaredHinge", squared_hinge, plain, plain, SAME, true, NULL),
    ROW("categorical_hinge", "CategoricalHinge", categorical_hinge, plain, plain, SAME, true, NULL),
    ROW("dice", "Dice", dice, dice, overlap, SAME, false, NULL),
    ROW("tversky", "Tversky", tversky, tversky, overlap, SAME, false, NULL),
    ROW("circle", "Circle", circle, circle, circle, GROUPS, false, cj__counts_positive),
    ROW("ctc", "CTC", ctc, plain, plain, ROWS, false, NULL),
    ROW("step_crossentropy", "StepCrossentropy", step_crossentropy, sum, rates, STEPS, true, NULL),
    ROW("spike_count_crossentropy", "SpikeCountCrossentropy", spike_count_crossentropy, plain,
        plain, STEPS, true, NULL),
    ROW("max_membrane_crossentropy", "MaxMembraneCrossentropy", max_membrane_crossentropy, plain,
        plain, STEPS, true, NULL),
    ROW("spike_count_mse", "SpikeCountMSE", spike_count_mse, levels, rates, STEPS, true, NULL),
    ROW("membrane_mse", "MembraneMSE", membrane_mse, levels, rates, STEPS, true, NULL),
    ROW("first_spike_crossentropy", "FirstSpikeCrossentropy", first_spike_crossentropy, plain,
        plain, STEPS, true, NULL),
    ROW("first_spike_mse", "FirstSpikeMSE", first_spike_mse, levels, times, STEPS, true, NULL),
};

const cj__catalog cj__losses = {.what = "loss",
                                .rows = losses,
                                .stride = sizeof losses[0],
                                .count = (int)(sizeof losses / sizeof losses[0]),
                                .registered = cj__custom_loss_find,
                                .how = "cj_register_loss()"};
