/**
 * @file ops_wide.h
 * Operators of keras.ops with arguments that their forms in the other headers leave out: several
 * quantiles at once, padding by copies of elements, noise in a shape of its own.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (an axis or a number out of range), CJ_SHAPE_MISMATCH (shapes or
 * dtypes that do not fit; an axis whose length must be known and is free), CJ_OUT_OF_MEMORY, or the
 * first cause where an argument is NULL. Axes count the batch axis, and from the end if negative. A
 * function may be called by several threads for different symbols.
 */
#ifndef CAJAL_OPS_WIDE_H
#define CAJAL_OPS_WIDE_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * cj_op_quantile() and its like (ops_reduce.h) at `q_count` places, 1 to 16, as entries of a new first
 * axis.
 */
CJ_API cj_symbol *cj_op_quantiles(cj_symbol *x, const double *q, int q_count, const char *method,
                                  const int *axes, int count);
CJ_API cj_symbol *cj_op_percentiles(cj_symbol *x, const double *q, int q_count, const char *method,
                                    const int *axes, int count);
CJ_API cj_symbol *cj_op_nanquantiles(cj_symbol *x, const double *q, int q_count, const char *method,
                                     const int *axes, int count);
CJ_API cj_symbol *cj_op_nanpercentiles(cj_symbol *x, const double *q, int q_count,
                                       const char *method, const int *axes, int count);

#ifdef __cplusplus
}
#endif
#endif
