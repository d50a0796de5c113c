// Losses: a catalog of expressions. Each row gives a value for every sample (or step, or
// pixel) from targets and predictions; sums, weights and means over the batch are the caller's
// (step.c).
#ifndef CJ_TRAIN_LOSSES_H
#define CJ_TRAIN_LOSSES_H

#include "base/fields.h"
#include "ops/build.h"

// What a row wants for targets, given predictions (..., c).
typedef enum cj__target {
    CJ__TARGET_SAME,    // (..., c), of the predictions' dtype
    CJ__TARGET_LABELS,  // (...), int32: classes of the predictions
    CJ__TARGET_GROUPS,  // (...), int32: any numbers; equal ones belong together
    CJ__TARGET_STEPS,   // (batch), int32: classes of predictions (batch, steps, classes)
    CJ__TARGET_ROWS,    // of any shape, int32: sequences of labels
    CJ__TARGET_GIVEN,   // of any shape, of the predictions' dtype
    CJ__TARGET_RESOLVED // settled by the shapes: "accuracy"
} cj__target;

typedef struct cj__loss {
    cj__choice choice;
    cj__target target;
    cj_symbol *(*values)(cj__build *g, const void *args, cj_symbol *targets,
                         cj_symbol *predictions);
    bool rises;      // greater is better
    bool of_classes; // a loss whose targets are classes
    // Which of the values count, as bool; NULL where all do.
    cj_symbol *(*counts)(cj__build *g, const void *args, cj_symbol *targets, cj_symbol *values);
} cj__loss;

// The arguments of losses, and of metrics that are means of their values. Each begins with the
// reduction of a loss, and the name of a metric.
typedef struct cj__loss_args {
    const char *reduction, *name;
} cj__loss_args;
typedef struct cj__entropy_args {
    const char *reduction, *name;
    bool from_logits;
    double label_smoothing;
    int64_t axis;
    double ignore_class; // INFINITY for none
} cj__entropy_args;
typedef struct cj__focal_args {
    const char *reduction, *name;
    bool from_logits;
    double label_smoothing;
    int64_t axis;
    bool apply_class_balancing;
    double alpha, gamma;
} cj__focal_args;
typedef struct cj__generalized_args {
    const char *reduction, *name;
    double q;
} cj__generalized_args;
typedef struct cj__huber_args {
    const char *reduction, *name;
    double delta;
} cj__huber_args;
typedef struct cj__cosine_args {
    const char *reduction, *name;
    int64_t axis;
} cj__cosine_args;
typedef struct cj__overlap_args {
    const char *reduction, *name;
    double alpha, beta;
    int64_t axis[8]; // ended by 0; none: all axes
} cj__overlap_args;
typedef struct cj__accuracy_args {
    const char *reduction, *name;
    double threshold;
    int64_t k;
} cj__accuracy_args;
typedef struct cj__circle_args {
    const char *reduction, *name;
    double gamma, margin;
    bool remove_diagonal;
} cj__circle_args;

typedef struct cj__steps_args {
    const char *reduction, *name;
    bool sum;                  // over the steps, instead of their mean
    double correct, incorrect; // rates, levels or times that are wanted
    double threshold;          // above which a prediction is a spike
} cj__steps_args;

extern const cj__catalog cj__losses;

// Refuses the arguments of a loss that no training can use.
cj_status cj__loss_check(const cj__loss *loss, const void *args);

// The labels that a loss takes for predictions of a shape: 0 .. classes - 1, and one that is ignored.
typedef struct cj__labels {
    int64_t classes; // 0: the targets are no labels of classes
    double ignored;  // INFINITY for none
} cj__labels;
cj__labels cj__loss_labels(const cj__loss *loss, const void *args, const cj_shape *predictions);

// The values of a loss or metric, of the predictions' dtype. Targets may have any dtype, and an
// axis of length 1 too many or too few, as in Keras; targets that do not fit make the builder fail
// with a sentence that begins with `who`. `counts`, if not NULL, receives which of the values count,
// as bool; NULL for all.
cj_symbol *cj__loss_values(const cj__loss *loss, const void *args, const char *who, cj__build *g,
                           cj_symbol *targets, cj_symbol *predictions, cj_symbol **counts);

// The scalar of a batch: values with sample weights (batch) and masks (bool, leading axes of the
// values), each NULL for none, reduced by one of these words, as Keras's
// reduce_weighted_values() does it (keras/src/losses/loss.py):
//
//   sum                      sum of v w m
//   sum_over_batch_size      sum of v w m / number of values; with a mask m is 1 / mean(m) or 0
//   mean                     the same
//   mean_with_sample_weight  sum of v w m / sum of w m
cj_symbol *cj__loss_reduce(cj__build *g, const char *reduction, cj_symbol *values,
                           cj_symbol *weights, cj_symbol *mask, cj_symbol *counts);

// What a loss is computed from. The last two may be NULL.
typedef struct cj__loss_inputs {
    cj_symbol *targets, *predictions;
    cj_symbol *weights; // (batch)
    cj_symbol *mask;    // bool, leading axes of the predictions
} cj__loss_inputs;

// The loss of a batch, a scalar: values, reduced.
cj_symbol *cj__loss_of(const cj__loss *loss, const void *args, const char *who, cj__build *g,
                       cj__loss_inputs inputs);

// `x` (batch, ...) with axes of length 1 at the end, up to the rank of `values`.
cj_symbol *cj__spread_weights(cj__build *g, cj_symbol *x, const cj_symbol *values);

// For expressions of these files.
uint32_t cj__last_axis(const cj_symbol *x);           // as a mask; none for a rank below 2
cj_symbol *cj__last_mean(cj__build *g, cj_symbol *x); // mean over the last axis
cj_symbol *cj__last_sum(cj__build *g, cj_symbol *x);
cj_symbol *cj__minus(cj__build *g, cj_symbol *x);       // -x
cj_symbol *cj__complement(cj__build *g, cj_symbol *x);  // 1 - x
cj_symbol *cj__clipped(cj__build *g, cj_symbol *p);     // to [epsilon, 1 - epsilon]
cj_symbol *cj__natural_log(cj__build *g, cj_symbol *x); // ln x
// An axis as a number from 0 on; refuses what is no axis of x or is that of the samples.
cj_status cj__settle_axis(cj__build *g, const cj_symbol *x, int64_t axis, int *settled);
#define CJ__EPSILON 1e-7 // keras.config.epsilon()

// Values of losses, in the files of their families. t are targets, p predictions.
#define CJ__LOSS_VALUES(F)                   \
    F(sparse_categorical_crossentropy)       \
    F(categorical_crossentropy)              \
    F(binary_crossentropy)                   \
    F(binary_focal_crossentropy)             \
    F(categorical_focal_crossentropy)        \
    F(categorical_generalized_cross_entropy) \
    F(kl_divergence)                         \
    F(poisson)                               \
    F(mse)                                   \
    F(mae)                                   \
    F(mape)                                  \
    F(msle)                                  \
    F(huber)                                 \
    F(log_cosh)                              \
    F(cosine_similarity)                     \
    F(hinge)                                 \
    F(squared_hinge)                         \
    F(categorical_hinge)                     \
    F(dice)                                  \
    F(tversky)                               \
    F(circle)                                \
    F(ctc)                                   \
    F(binary_accuracy)                       \
    F(sparse_categorical_accuracy)           \
    F(categorical_accuracy)                  \
    F(sparse_top_k_categorical_accuracy)     \
    F(top_k_categorical_accuracy)            \
    F(pearson_correlation)                   \
    F(concordance_correlation)               \
    F(cosine_metric)                         \
    F(step_crossentropy)                     \
    F(spike_count_crossentropy)              \
    F(max_membrane_crossentropy)             \
    F(spike_count_mse)                       \
    F(membrane_mse)                          \
    F(first_spike_crossentropy)              \
    F(first_spike_mse)                       \
    F(spike_count_accuracy)                  \
    F(first_spike_accuracy)                  \
    F(mean_value)                            \
    F(spikes_per_sample)                     \
    F(spike_rate)
#define CJ__VALUES(name) \
    cj_symbol *cj__values_##name(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p);
CJ__LOSS_VALUES(CJ__VALUES)
#undef CJ__VALUES
cj_symbol *cj__counts_not_ignored(cj__build *g, const void *args, cj_symbol *t, cj_symbol *values);
cj_symbol *cj__counts_positive(cj__build *g, const void *args, cj_symbol *t, cj_symbol *values);

#endif
