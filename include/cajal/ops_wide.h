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

/**
 * x with widths[2 i] entries before and widths[2 i + 1] after its axis i, two numbers for each axis. With
 * `mode` "constant" (NULL is the same) they are `value`, with "edge" the outermost entries, with "reflect"
 * and "symmetric" the axis turned round at the outermost entries, which come once or twice, with "wrap" the
 * axis from its other end; with "maximum", "minimum", "mean" and "median" that of the axis, with
 * "linear_ramp" numbers that fall from the outermost entries to 0: these five for reals. An axis that is
 * padded has a known length.
 */
CJ_API cj_symbol *cj_op_pads(cj_symbol *x, const int64_t *widths, const char *mode, double value);

/**
 * cj_op_random_dropout() (ops_random.h) whose noise has a length for each axis of x: 1 for the same along
 * that axis, or -1 for x's own.
 */
CJ_API cj_symbol *cj_op_random_dropout_shaped(cj_symbol *x, double rate, const int64_t *noise_shape,
                                              uint64_t seed, cj_symbol *step);

#ifdef __cplusplus
}
#endif
#endif
