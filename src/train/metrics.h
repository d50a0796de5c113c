// Metrics: what is logged beside the loss. Most are weighted means of values, expressions like those
// of losses. The others keep *states*: numbers that are sums over the batches, such as counts of true
// positives for each threshold, from which the metric is worked out whenever it is asked for.
#ifndef CJ_TRAIN_METRICS_H
#define CJ_TRAIN_METRICS_H

#include "train/losses.h"

// What states are computed from.
typedef struct cj__metric_inputs {
    cj_symbol *targets;     // as the row's cj__target says
    cj_symbol *predictions; // (batch, ...)
    cj_symbol *weights;     // (batch), of the predictions' dtype; NULL for 1 each
} cj__metric_inputs;

// A row of cj__metrics.
typedef struct cj__metric_row {
    cj__loss of; // name, targets, direction, and the values of a mean
    // The states of a batch, rank 1 and of a fixed length; NULL for a mean.
    cj_symbol *(*states)(cj__build *g, const void *args, const cj__metric_inputs *in);
    // Works the metric out of states, and returns how many numbers it has. Without `results`, which
    // are NULL then, states are not read.
    int (*finish)(const void *args, const double *states, int count, double *results);
} cj__metric_row;

extern const cj__catalog cj__metrics;

// Row `index` of cj__metrics.
const cj__metric_row *cj__metric_at(int index);

// Which row "accuracy" stands for with these shapes; any other row stands for itself.
const cj__loss *cj__metric_resolve(const cj__loss *metric, const cj_shape *targets,
                                   const cj_shape *predictions);

// Targets in the shape and dtype that a row needs, NULL with a failed builder otherwise.
cj_symbol *cj__fit_targets(const cj__loss *loss, const char *who, cj__build *g, cj_symbol *targets,
                           cj_symbol *predictions);

// Refuses arguments that contradict each other.
cj_status cj__metric_check(const cj__metric_row *metric, const void *args);

// The states of a metric for a batch.
cj_symbol *cj__metric_states(const cj__metric_row *metric, const void *args, const char *who,
                             cj__build *g, cj__metric_inputs inputs);

// For rows: weights for each prediction, stretched to its shape, 1 without any.
cj_symbol *cj__full_weights(cj__build *g, const cj__metric_inputs *in, const cj_symbol *like);
// Sums of `values` over the elements that have an index, for indices 0 .. size - 1: (size).
cj_symbol *cj__sums_by_index(cj__build *g, cj_symbol *index, cj_symbol *values, int64_t size);
// Symbols of rank 1, one after another.
cj_symbol *cj__in_a_row(cj__build *g, cj_symbol *const *parts, int count);
// a / b, 0 where b is 0.
double cj__share(double a, double b);

// Arguments of metrics with states. Each begins like those of losses.
typedef struct cj__confusion_args {
    const char *reduction, *name;
    const char *thresholds;  // numbers, or NULL
    int64_t top_k, class_id; // -1: none
    int64_t num_thresholds;
    double value; // of the metrics "at" a value
} cj__confusion_args;
typedef struct cj__auc_args {
    const char *reduction, *name;
    int64_t num_thresholds;
    const char *curve, *summation_method;
    const char *thresholds, *label_weights; // numbers, or NULL
    bool multi_label, from_logits;
    int64_t num_labels; // -1: none
} cj__auc_args;
typedef struct cj__f_args {
    const char *reduction, *name;
    const char *average;    // NULL: none
    double beta, threshold; // INFINITY: the greatest prediction
} cj__f_args;
typedef struct cj__iou_args {
    const char *reduction, *name;
    int64_t num_classes;
    const char *target_class_ids; // numbers; NULL: all
    double ignore_class;          // INFINITY: none
    bool sparse_y_true, sparse_y_pred;
    double threshold;
} cj__iou_args;
typedef struct cj__r2_args {
    const char *reduction, *name;
    const char *class_aggregation; // NULL or "none": a number for each column
    int64_t num_regressors;
} cj__r2_args;

// States and results, in confusion.c and scores.c.
#define CJ__METRIC_STATES(F) \
    F(confusion)             \
    F(curve)                 \
    F(auc)                   \
    F(f)                     \
    F(iou)                   \
    F(binary_iou)            \
    F(root_mean)             \
    F(total)                 \
    F(r2)
#define CJ__STATES(name) \
    cj_symbol *cj__states_##name(cj__build *g, const void *args, const cj__metric_inputs *in);
CJ__METRIC_STATES(CJ__STATES)
#undef CJ__STATES
#define CJ__METRIC_RESULTS(F)     \
    F(true_positives)             \
    F(false_positives)            \
    F(true_negatives)             \
    F(false_negatives)            \
    F(precision)                  \
    F(recall)                     \
    F(sensitivity_at_specificity) \
    F(specificity_at_sensitivity) \
    F(precision_at_recall)        \
    F(recall_at_precision)        \
    F(auc)                        \
    F(f)                          \
    F(iou)                        \
    F(root_mean)                  \
    F(total)                      \
    F(r2)
#define CJ__FINISH(name) \
    int cj__finish_##name(const void *args, const double *states, int count, double *results);
CJ__METRIC_RESULTS(CJ__FINISH)
#undef CJ__FINISH

#endif
