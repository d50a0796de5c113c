/**
 * @file ops_index.h
 * Operators that order elements, and that pick and put them by indices, as keras.ops has them, beside
 * those of operators.h.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (an axis or a number out of range), CJ_SHAPE_MISMATCH (shapes or
 * dtypes that do not fit; an axis whose length must be known and is free), CJ_OUT_OF_MEMORY, or the
 * first cause where an argument is NULL. Indices are integers of any dtype, or reals that are whole;
 * negative ones count from the end, and one out of range fails when the function is called, unless it
 * says otherwise. Axes count the batch axis, and from the end if negative. Gradients of any order pass
 * through elements, not through indices. A function may be called by several threads for different
 * symbols.
 */
#ifndef CAJAL_OPS_INDEX_H
#define CAJAL_OPS_INDEX_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The elements along an axis from the least to the greatest, NaN last, and the int32 indices by which
 * they are; equal ones stay in their order.
 */
CJ_API cj_symbol *cj_op_sort(cj_symbol *x, int axis);
CJ_API cj_symbol *cj_op_argsort(cj_symbol *x, int axis);
/**
 * Indices by which element kth along an axis is where it belongs in order, with none that is greater
 * before it and none that is less after it: those of cj_op_argsort() are such.
 */
CJ_API cj_symbol *cj_op_argpartition(cj_symbol *x, int64_t kth, int axis);

/**
 * The k greatest entries along the last axis, the greatest first, of equals the first, and their int32
 * indices; both floating. CJ_OK, or what the head of this file says, with both NULL.
 */
CJ_API cj_status cj_op_top_k(cj_symbol *x, int64_t k, cj_symbol **values, cj_symbol **indices);
/**
 * Booleans: whether the prediction of the target class is among the k greatest of its row. Targets
 * (...), predictions (..., classes); never where the target is no class or its prediction is not finite.
 */
CJ_API cj_symbol *cj_op_in_top_k(cj_symbol *targets, cj_symbol *predictions, int64_t k);

/** x[.., indices[.., j, ..], ..] along an axis, by indices with as many axes as x; both broadcast. */
CJ_API cj_symbol *cj_op_take_along_axis(cj_symbol *x, cj_symbol *indices, int axis);
/** The entries of x at indices of any shape along an axis, in whose place their axes come. */
CJ_API cj_symbol *cj_op_take_at(cj_symbol *x, cj_symbol *indices, int axis);

/**
 * `values` (n, ...) added at indices (n, k) of the first k axes of zeros of a known shape.
 */
CJ_API cj_symbol *cj_op_scatter(cj_symbol *indices, cj_symbol *values, cj_shape shape);
/**
 * x, whose lengths are known, with `updates` (n, ...) at indices (n, k) of its first k axes: in place of
 * what is there if `reduction` is NULL (of several the last), or by "add", "mul", "max", "min".
 */
CJ_API cj_symbol *cj_op_scatter_update(cj_symbol *x, cj_symbol *indices, cj_symbol *updates,
                                       const char *reduction);

/**
 * int32: for each value the place in `sorted`, a vector, where it would be put to keep the order, before
 * its equals with `side` "left" (NULL is the same), after them with "right".
 */
CJ_API cj_symbol *cj_op_searchsorted(cj_symbol *sorted, cj_symbol *values, const char *side);
/** int32: the number of the interval in which x lies: bins[i - 1] <= x < bins[i]; `bins` rise or fall. */
CJ_API cj_symbol *cj_op_digitize(cj_symbol *x, const double *bins, int count);
/** Booleans: whether each element of x is one of those of `elements`, or none of them if `invert`. */
CJ_API cj_symbol *cj_op_isin(cj_symbol *x, cj_symbol *elements, bool invert);

/**
 * float32 1 at the places of all labels of a row, 0 elsewhere: integers (batch, n) become (batch,
 * classes), (n) becomes (classes). A label out of range has no place.
 */
CJ_API cj_symbol *cj_op_multi_hot(cj_symbol *labels, int64_t classes);

#ifdef __cplusplus
}
#endif
#endif
