/**
 * @file operators.h
 * Operators on symbols, as keras.ops has them, beside those of graph.h: what expressions, losses and
 * loops of one's own are written with.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (an axis or a number out of range), CJ_SHAPE_MISMATCH (shapes
 * or dtypes that do not fit), CJ_OUT_OF_MEMORY, or the first cause where an argument is NULL. Element-wise
 * operands may be of any dtype and are brought to a common one (ops_math.h); others are float32 or
 * float64 unless it says otherwise, and cj_op_cast() makes others so. Axes count the batch axis, and from the end if negative. Gradients of any order pass, but through comparisons, indices
 * and booleans. A function may be called by several threads for different symbols.
 */
#ifndef CAJAL_OPERATORS_H
#define CAJAL_OPERATORS_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** a to the power of b, element by element, with numpy's broadcasting. */
CJ_API cj_symbol *cj_op_power(cj_symbol *a, cj_symbol *b);

/** Element-wise sign of x (-1, 0, 1; no gradient), ln(1 + x), 1 / sqrt(x), 1 / x. */
CJ_API cj_symbol *cj_op_sign(cj_symbol *x);
CJ_API cj_symbol *cj_op_log1p(cj_symbol *x);
CJ_API cj_symbol *cj_op_rsqrt(cj_symbol *x);
CJ_API cj_symbol *cj_op_reciprocal(cj_symbol *x);

/** min(max(x, low), high); the gradient passes where low <= x <= high. */
CJ_API cj_symbol *cj_op_clip(cj_symbol *x, double low, double high);

/** Comparisons, element by element, with numpy's broadcasting: booleans. */
CJ_API cj_symbol *cj_op_equal(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_not_equal(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_greater(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_greater_equal(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_less(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_less_equal(cj_symbol *a, cj_symbol *b);

/** Of booleans, or of reals that count as true unless they are 0: booleans. */
CJ_API cj_symbol *cj_op_logical_and(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_logical_or(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_logical_xor(cj_symbol *a, cj_symbol *b);
CJ_API cj_symbol *cj_op_logical_not(cj_symbol *x);

/** `a` where the boolean `condition` is true, `b` elsewhere, with numpy's broadcasting. */
CJ_API cj_symbol *cj_op_where(cj_symbol *condition, cj_symbol *a, cj_symbol *b);

/**
 * Reductions over all axes (`axes` NULL) or over `count` axes, which are dropped: the greatest and the
 * least element (equal ones share the gradient), variance and standard deviation (divided by the
 * number of elements), ln of the sum of e^x without overflow, and the root of the sum of squares.
 */
CJ_API cj_symbol *cj_op_reduce_max(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_reduce_min(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_var(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_std(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_logsumexp(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_norm(cj_symbol *x, const int *axes, int count);

/** Whether any, or every, element along the axes is true (a boolean, or a real other than 0). */
CJ_API cj_symbol *cj_op_any(cj_symbol *x, const int *axes, int count);
CJ_API cj_symbol *cj_op_all(cj_symbol *x, const int *axes, int count);

/** The int32 index of the first greatest, or first least, element along an axis, which is dropped. */
CJ_API cj_symbol *cj_op_argmax(cj_symbol *x, int axis);
CJ_API cj_symbol *cj_op_argmin(cj_symbol *x, int axis);

/**
 * Rows of `table`, (rows, ...), by integer indices of any shape: (..., table's other axes). An index out
 * of range fails when the function is called.
 */
CJ_API cj_symbol *cj_op_take(cj_symbol *table, cj_symbol *indices);
/** float32 1 at the label's place, 0 elsewhere: integer (...) becomes (..., classes). */
CJ_API cj_symbol *cj_op_one_hot(cj_symbol *labels, int64_t classes);

/** The axes in another order: axis i of the result is axis order[i] of x; `count` is x's rank. */
CJ_API cj_symbol *cj_op_transpose(cj_symbol *x, const int *order, int count);
/** A new axis of length 1 at place `axis` of the result. */
CJ_API cj_symbol *cj_op_expand_dims(cj_symbol *x, int axis);
/** x without an axis, whose length is 1. */
CJ_API cj_symbol *cj_op_squeeze(cj_symbol *x, int axis);
/** `count` symbols side by side along an axis: at most 16. */
CJ_API cj_symbol *cj_op_concatenate(cj_symbol *const *xs, int count, int axis);
/** `count` symbols of one shape as the entries of a new axis: at most 16. */
CJ_API cj_symbol *cj_op_stack(cj_symbol *const *xs, int count, int axis);
/** Entries begin .. begin + length - 1 along an axis, which is not the free one. */
CJ_API cj_symbol *cj_op_slice(cj_symbol *x, int axis, int64_t begin, int64_t length);
/** The entries along an axis in the opposite order. */
CJ_API cj_symbol *cj_op_flip(cj_symbol *x, int axis);
/** The entries along an axis moved `shift` places on; the last come first. Not the free axis. */
CJ_API cj_symbol *cj_op_roll(cj_symbol *x, int64_t shift, int axis);
/** x `times` times side by side along an axis, 1 to 16. */
CJ_API cj_symbol *cj_op_tile(cj_symbol *x, int times, int axis);
/** Zeros before and after along an axis. */
CJ_API cj_symbol *cj_op_pad(cj_symbol *x, int axis, int64_t before, int64_t after);
/** Zeros, or ones, in the shape and dtype of x. */
CJ_API cj_symbol *cj_op_zeros_like(cj_symbol *x);
CJ_API cj_symbol *cj_op_ones_like(cj_symbol *x);
/** The sums of the first 1, 2, ... entries along an axis of known length. */
CJ_API cj_symbol *cj_op_cumsum(cj_symbol *x, int axis);

#ifdef __cplusplus
}
#endif
#endif
