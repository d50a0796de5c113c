// Inside folds, and picking samples of a data set by their numbers.
#ifndef CJ_CLASSIC_FOLDS_H
#define CJ_CLASSIC_FOLDS_H

#include "base/object.h"
#include <cajal/cross_validate.h>

struct cj_folds {
    cj__object object;
    int count;
    int64_t samples;
    int32_t *of;    // the fold of each sample, -1 for none
    int64_t *sizes; // of each fold
};

// A new data set of the samples with these numbers, in this order, copied. CJ_UNSUPPORTED (a data set
// whose samples are not in memory), CJ_OUT_OF_MEMORY.
cj_status cj__pick_samples(const cj_dataset *data, const int64_t *numbers, int64_t count,
                           cj_dataset **picked);

// The class of each sample, numbered in the order in which classes first appear, as a new array
// (cj__free), and how many there are. CJ_SHAPE_MISMATCH, CJ_INVALID_ARGUMENT, CJ_OUT_OF_MEMORY.
cj_status cj__classes_of(const cj_dataset *data, const char *who, int32_t **classes,
                         int64_t *count);

#endif
