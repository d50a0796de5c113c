// Helpers of shape rules: checks with sentences that begin with the op's name, and shapes with a
// free axis. Two lengths agree if they are equal; CJ_BATCH agrees only with CJ_BATCH, because
// nothing is known about it while a graph is built. The free axis may also be so many times the
// batch, where reshape has put an axis of k entries together with it: its length is then -k, and
// CJ_BATCH is the case of k = 1.
#ifndef CJ_OPS_INFER_H
#define CJ_OPS_INFER_H

#include "ops/op.h"

enum { CJ__SHAPE_TEXT = 128 };

// float32 or float64: the dtypes that kernels compute in.
bool cj__is_real(cj_dtype dtype);

// Input `index` must be real; every real input of an op has one dtype, so `like` (NULL for none)
// must have it too.
cj_status cj__need_real(const cj__inference *r, int index, const cj__type *like);
cj_status cj__need_dtype(const cj__inference *r, int index, cj_dtype dtype);
cj_status cj__need_rank(const cj__inference *r, int index, int low, int high);
cj_status cj__need_same_shape(const cj__inference *r, const cj__type *a, const cj__type *b);
// The axis is one of the input's, and (unless free_too) not the free one.
cj_status cj__need_axis(const cj__inference *r, const cj__type *input, int axis, bool free_too);

// The shape that both are broadcast to, by numpy's rules.
cj_status cj__broadcast(const cj__inference *r, const cj_shape *a, const cj_shape *b,
                        cj_shape *result);

// At most one free axis, and a product of the known lengths that does not overflow.
cj_status cj__check_output(const cj__inference *r, const cj_shape *shape);

// The axis that is free, or -1.
int cj__free_axis(const cj_shape *shape);

// A length, or what a free one is for a batch size.
int64_t cj__length_for(int64_t length, int64_t batch);

// Product of the lengths of axes begin .. end - 1 of a concrete shape.
int64_t cj__span(const cj_shape *shape, int begin, int end);

// The shape without the axes of a mask, or with 1 in their place.
cj_shape cj__reduced_shape(const cj_shape *shape, uint32_t axes, bool keepdims);

// "(None, 3)", written into `text`, which it returns.
const char *cj__shape_words(const cj_shape *shape, char text[CJ__SHAPE_TEXT]);

#endif
