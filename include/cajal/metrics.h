/**
 * @file metrics.h
 * Losses and metrics by themselves, for loops of one's own and for predictions that come from
 * elsewhere.
 *
 * cj_compile() takes losses and metrics by their specs and keeps their values while it trains. Here
 * the same specs serve alone: cj_loss_value() gives the loss of a batch, and a cj_metric is updated
 * with batch after batch and asked for its result, as Keras's metrics are.
 *
 * @code
 * cj_metric *auc = cj_metric_new("auc(curve=PR)");
 * while (next_batch(&y_true, &y_pred))
 *     CJ_TRY(cj_metric_update(auc, y_true, y_pred, NULL));
 * printf("%f\n", cj_metric_result(auc));
 * cj_release(auc);
 * @endcode
 */
#ifndef CAJAL_METRICS_H
#define CAJAL_METRICS_H

#include <cajal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The loss of a batch: that of cj_compile() for these targets and predictions.
 *
 * `spec` is a name with settings, such as "huber(delta=0.5)". `targets` may have any dtype, in the
 * shape of `predictions` or, for losses of labels, without its last axis. `sample_weight` has a
 * number for each sample, `mask` (bool) one for each sample or step; either may be NULL. One of
 * CJ_OK, CJ_INVALID_ARGUMENT (a NULL; an unknown name or setting; a label out of range),
 * CJ_UNSUPPORTED (reduction=none), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY. Several threads may call it.
 */
CJ_API cj_status cj_loss_value(const char *spec, const cj_tensor *targets,
                               const cj_tensor *predictions, const cj_tensor *sample_weight,
                               const cj_tensor *mask, double *value);

/** A metric and what it has seen. Counted, as all objects; used by one thread at a time. */
typedef struct cj_metric cj_metric;

/**
 * A metric that has seen nothing. `spec` is a name with settings, such as "precision(thresholds=(0.3,
 * 0.7))". NULL with CJ_INVALID_ARGUMENT (NULL; an unknown name or setting) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_metric *cj_metric_new(const char *spec);

/**
 * Adds a batch: Keras's update_state(). `targets` and `predictions` as for cj_loss_value();
 * `sample_weight` has a number for each sample, or is NULL for 1 each. The batches may have
 * different sizes, but the same axes else. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL, settings that
 * do not fit the shapes), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY; the metric is as it was on a failure.
 */
CJ_API cj_status cj_metric_update(cj_metric *metric, const cj_tensor *targets,
                                  const cj_tensor *predictions, const cj_tensor *sample_weight);

/**
 * The metric of all batches so far: Keras's result(). 0 before the first batch, and the first number
 * of a metric that has several; NAN for NULL.
 */
CJ_API double cj_metric_result(const cj_metric *metric);

/**
 * All numbers of a metric that has several, such as a precision at two thresholds: writes up to
 * `capacity` of them to `values`, which may be NULL for a capacity of 0, and returns how many there
 * are; 0 before the first batch, and for NULL.
 */
CJ_API int cj_metric_results(const cj_metric *metric, double *values, int capacity);

/** Forgets all batches: Keras's reset_state(). NULL is fine. */
CJ_API void cj_metric_reset(cj_metric *metric);

#ifdef __cplusplus
}
#endif
#endif
