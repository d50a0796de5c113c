// Inside the ops room: the ops of each family by their function, and functions for gradients
// beside those of build.h.
#ifndef CJ_OPS_FAMILIES_H
#define CJ_OPS_FAMILIES_H

#include "ops/build.h"

extern const cj__op *const cj__unary_ops[CJ__UNARY_COUNT];
extern const cj__op *const cj__unary_grad_ops[CJ__UNARY_COUNT];
extern const cj__op *const cj__binary_ops[CJ__BINARY_COUNT];
extern const cj__op *const cj__comparison_ops[CJ__COMPARISON_COUNT];

// dx = dy f'(v), where v is x or y as CJ__UNARIES says.
cj_symbol *cj__apply_unary_grad(cj__build *g, cj__unary function, cj_symbol *v, cj_symbol *dy,
                                double a, double b);

// sum_like and broadcast_like divided by how many elements one is stretched to: the gradients of
// means.
cj_symbol *cj__mean_like(cj__build *g, cj_symbol *x, cj_symbol *like);
cj_symbol *cj__share_like(cj__build *g, cj_symbol *x, cj_symbol *like);

// x in the shape of a type with as many elements.
cj_symbol *cj__reshape_to(cj__build *g, cj_symbol *x, const cj__type *type);

// The type of input `index` of a node.
static inline const cj__type *cj__operand_type(const cj__node *node, int index)
{
    return cj__symbol_type(node->inputs[index]);
}

// A row-major pass over an output, with the steps of up to three inputs that broadcast to it:
// adjacent axes that all of them walk through alike are merged, so rank 1 means one run. See
// spread.c.
enum { CJ__SPREAD_INPUTS = 3 };
typedef struct cj__spread {
    int rank; // at least 1
    int64_t dims[CJ_MAX_RANK];
    int64_t steps[CJ__SPREAD_INPUTS][CJ_MAX_RANK]; // in elements; 0 where broadcast
} cj__spread;

// Fills in the pass for the call's first `count` inputs and its output 0.
void cj__spread_of(const cj__call *call, int count, cj__spread *spread);

// Computes `rows` rows of `cols`: input i begins at data[i], a row is row[i] further, an element
// step[i] (0 or 1).
typedef struct cj__run_of {
    int64_t rows, cols;
    // elements from the operand's start
    int64_t at[CJ__SPREAD_INPUTS], row[CJ__SPREAD_INPUTS], step[CJ__SPREAD_INPUTS];
    int64_t out;
} cj__run_of;
typedef void (*cj__spread_work)(const cj__call *call, const cj__run_of *run);

// Calls `work` for runs that cover the output, on the pool.
void cj__spread_run(const cj__call *call, int count, cj__spread_work work);

// Copies along one axis, on the pool: `outer` blocks of `bytes` from one stride to another. `from`
// may be NULL, for zeros.
typedef struct cj__blocks_copy {
    int64_t outer;
    size_t bytes;
    const void *from;
    size_t from_stride;
    void *to;
    size_t to_stride;
} cj__blocks_copy;
void cj__copy_blocks(const cj__call *call, const cj__blocks_copy *copy);

#endif
