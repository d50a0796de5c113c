// Losses and metrics: catalogs of expressions. Each row gives a value for every sample (or step, or
// pixel) from targets and predictions; sums, weights and means over the batch are the caller's
// (step.c).
#ifndef CJ_TRAIN_LOSSES_H
#define CJ_TRAIN_LOSSES_H

#include "base/fields.h"
#include "ops/build.h"

// What a row wants for targets, given predictions (..., c).
typedef enum cj__target {
    CJ__TARGET_SAME,    // (..., c), of the predictions' dtype
    CJ__TARGET_LABELS,  // (...), int32
    CJ__TARGET_RESOLVED // settled by the shapes: "accuracy"
} cj__target;

typedef struct cj__loss {
    cj__choice choice;
    cj__target target;
    cj_symbol *(*values)(cj__build *g, const void *args, cj_symbol *targets,
                         cj_symbol *predictions);
    bool rises;      // greater is better
    bool of_classes; // a loss whose targets are classes
} cj__loss;

extern const cj__catalog cj__losses, cj__metrics;

// The values of a loss or metric, of the predictions' dtype. Targets may have any dtype, and an
// axis of length 1 too many or too few, as in Keras; targets that do not fit make the builder fail
// with a sentence that begins with `who`.
cj_symbol *cj__loss_values(const cj__loss *loss, const void *args, const char *who, cj__build *g,
                           cj_symbol *targets, cj_symbol *predictions);

// Which row "accuracy" stands for with these shapes; any other row stands for itself.
const cj__loss *cj__metric_resolve(const cj__loss *metric, const cj_shape *targets,
                                   const cj_shape *predictions);

// For expressions of both files.
uint32_t cj__last_axis(const cj_symbol *x);           // as a mask; none for a rank below 2
cj_symbol *cj__last_mean(cj__build *g, cj_symbol *x); // mean over the last axis
cj_symbol *cj__values_mse(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p);
cj_symbol *cj__values_mae(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p);

#endif
