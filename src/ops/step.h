// Inside the ops room: an optimizer's step on a range of elements, for the ops that run one in
// their own way.
#ifndef CJ_OPS_STEP_H
#define CJ_OPS_STEP_H

#include "ops/op.h"

// What a step computes once, whatever the number of its elements.
typedef struct cj__step_size {
    double rate;
    double alpha; // adam's rate with the correction of its bias
} cj__step_size;

// Of a call with a step's operands; its op says which optimizer.
cj__step_size cj__step_size_of(const cj__call *call);

// Of ops that are a step with its gradient, whose attributes are cj__matmul_step_attrs: members
// count_outputs, aliased and form (matmul_step.c).
int cj__fused_step_outputs(const void *attrs, const cj__type *inputs);
int cj__fused_step_alias(const void *attrs, int output);
const char *cj__fused_step_form(const cj__call *call);

#endif
