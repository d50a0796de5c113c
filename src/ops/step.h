// Inside the ops room: an optimizer's step on a range of elements, for the ops that run one in
// their own way.
#ifndef CJ_OPS_STEP_H
#define CJ_OPS_STEP_H

#include "ops/op.h"

// What a step finds out once, whatever the number of its elements.
typedef struct cj__step_size {
    double rate;
    double alpha; // adam's rate with the correction of its bias
} cj__step_size;

// Of a call with a step's operands; its op says which optimizer.
cj__step_size cj__step_size_of(const cj__call *call);
// The step of elements begin .. end - 1.
typedef void (*cj__step_work)(const cj__call *call, const cj__step_size *pace, int64_t begin,
                              int64_t end);
cj__step_work cj__step_work_of(const cj__op *op);

#endif
