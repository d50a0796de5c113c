/**
 * @file ops_reduce.h
 * Operators that bring many elements down to few, or sum them up one after another, as keras.ops has
 * them, beside those of graph.h and operators.h.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (an axis or a number out of range, a name that is unknown),
 * CJ_SHAPE_MISMATCH (shapes or dtypes that do not fit; an axis whose length must be known and is free),
 * CJ_OUT_OF_MEMORY, or the first cause where an argument is NULL. `axes` are `count` axes, from the end
 * if negative, or all of them if NULL; they are dropped from the result. Integers stay integers where
 * the result is one of them or their sum or product (exact up to 2^53), and become float32 otherwise.
 * Gradients of any order pass, but through indices and counts. A function may be called by several
 * threads for different symbols.
 */
#ifndef CAJAL_OPS_REDUCE_H
#define CAJAL_OPS_REDUCE_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Any of Keras's reductions by its name, with `keepdims`, whether the axes stay as axes of length 1:
 * "sum", "mean", "max", "min", "amax", "amin", "prod", "var", "std", "logsumexp", "norm", "any", "all",
 * "ptp", "count_nonzero", "median", "nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanvar",
 * "nanstd", "nanmedian".
 */
CJ_API cj_symbol *cj_op_reduce(const char *name, cj_symbol *x, const int *axes, int count,
                               bool keepdims);

/** The product; the greatest and the least element, and their difference; how many are not 0 (int32). */
CJ_API cj_symbol *cj_op_prod(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_amax(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_amin(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_ptp(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_count_nonzero(cj_symbol *x, const int *axes, int count);

/** The middle element in order, or the mean of the two middle ones; NaN where there is a NaN. */
CJ_API cj_symbol *cj_op_median(cj_symbol *x, const int *axes, int count);

/**
 * The element in order at q (n - 1), q in 0 .. 1, of n; NaN where there is a NaN. Between two elements
 * `method` decides: "linear" (NULL is the same), "lower", "higher", "midpoint", "nearest" (of two the
 * lower). cj_op_percentile(): the same at q / 100. Several q are cj_op_stack()ed.
 */
CJ_API cj_symbol *cj_op_quantile(cj_symbol *x, double q, const char *method, const int *axes,
                                 int count);
CJ_API cj_symbol *cj_op_percentile(cj_symbol *x, double q, const char *method, const int *axes,
                                   int count);

/** The same as without "nan", NaN left out; NaN where nothing is left, but 0 and 1 of sum and product. */
CJ_API cj_symbol *cj_op_nansum(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanmean(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanmax(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanmin(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanprod(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanvar(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanstd(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanmedian(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_nanquantile(cj_symbol *x, double q, const char *method, const int *axes,
                                    int count);
CJ_API cj_symbol *cj_op_nanpercentile(cj_symbol *x, double q, const char *method, const int *axes,
                                      int count);
/** The int32 index of the first greatest, or least, element that is not NaN along an axis; -1 if all are. */
CJ_API cj_symbol *cj_op_nanargmax(cj_symbol *x, int axis);
CJ_API cj_symbol *cj_op_nanargmin(cj_symbol *x, int axis);

/**
 * sum(x w) / sum(w). The weights have x's shape, or one axis, which is that of the only axis given; NULL
 * makes it the mean.
 */
CJ_API cj_symbol *cj_op_average(cj_symbol *x, cj_symbol *weights, const int *axes, int count);

/**
 * Mean and variance (divided by the number of elements) in one sweep; both floating. CJ_OK, or what
 * the head of this file says, with both NULL.
 */
CJ_API cj_status cj_op_moments(cj_symbol *x, const int *axes, int count, bool keepdims,
                               cj_symbol **mean, cj_symbol **variance);

/**
 * x / max(norm, epsilon), the norm being (sum |x|^order)^(1/order) along an axis. Keras's defaults are
 * -1, 2 and 1e-7.
 */
CJ_API cj_symbol *cj_op_normalize(cj_symbol *x, int axis, int order, double epsilon);

/** The products of the first 1, 2, ... entries along an axis of known length. */
CJ_API cj_symbol *cj_op_cumprod(cj_symbol *x, int axis);
/** Running sums and products with NaN as 0 and 1. */
CJ_API cj_symbol *cj_op_nancumsum(cj_symbol *x, int axis);
CJ_API cj_symbol *cj_op_nancumprod(cj_symbol *x, int axis);

/** Each entry along an axis of known length less the one before, `n` times over. */
CJ_API cj_symbol *cj_op_diff(cj_symbol *x, int n, int axis);

/**
 * The integral of samples y along an axis of known length by trapezoids: sum of (y[i] + y[i + 1]) / 2
 * (x[i + 1] - x[i]). The abscissas x have y's shape or one axis; NULL means that they are dx apart.
 */
CJ_API cj_symbol *cj_op_trapezoid(cj_symbol *y, cj_symbol *x, double dx, int axis);

/** Pearson's correlation of each two rows of x, (variables, observations): (variables, variables). */
CJ_API cj_symbol *cj_op_corrcoef(cj_symbol *x);

/**
 * Of the rows of x, (n, ...), that have the number k in ids, n integers, the sum, product, greatest and
 * least: (segments, ...). A segment without rows has 0, 1, -infinity, infinity. A number out of range
 * fails when the function is called.
 */
CJ_API cj_symbol *cj_op_segment_sum(cj_symbol *x, cj_symbol *ids, int64_t segments);
CJ_API cj_symbol *cj_op_segment_prod(cj_symbol *x, cj_symbol *ids, int64_t segments);
CJ_API cj_symbol *cj_op_segment_max(cj_symbol *x, cj_symbol *ids, int64_t segments);
CJ_API cj_symbol *cj_op_segment_min(cj_symbol *x, cj_symbol *ids, int64_t segments);

#ifdef __cplusplus
}
#endif
#endif
