// Inside the ops room: what reductions over any axes share (reduce.c, moments.c).
#ifndef CJ_OPS_REDUCTION_H
#define CJ_OPS_REDUCTION_H

#include "ops/build.h"

// One group of reduced axes, (outer, n, inner) -> (outer, inner), in `pieces` pieces of `length`
// along n, the last perhaps shorter; one piece if n is short.
typedef struct cj__reduction_pass {
    int64_t outer, n, inner, pieces, length;
} cj__reduction_pass;

// The passes of reducing `axes` of a concrete shape, in the order in which they run; returns their
// number, at most CJ_MAX_RANK.
int cj__reduction_passes(const cj_shape *shape, uint32_t axes, cj__reduction_pass *passes);

// The shape rule of ops with cj__reduce_attrs, for output 0.
cj_status cj__infer_reduction(cj__inference *r);

// A result of such a node with its lost axes put back as 1.
cj_symbol *cj__reduced_axes(cj__build *g, const cj__node *node, cj_symbol *y);

#endif
