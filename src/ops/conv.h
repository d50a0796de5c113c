// What passes over a plan ask the convolution kernels: which form is the fastest for a geometry.
#ifndef CJ_OPS_CONV_H
#define CJ_OPS_CONV_H

#include "ops/op.h"

typedef struct cj__conv2d_question {
    cj__conv2d_kind kind;
    cj__conv2d_args args; // pointers mean nothing
} cj__conv2d_question;

// Fills in the question of a call whose operands have concrete types. False if it is no
// convolution.
bool cj__conv2d_question_of(const cj__call *call, cj__conv2d_question *question);

#endif
