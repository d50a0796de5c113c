/**
 * @file ops_shape.h
 * Operators that make constants and that move, cut, join and repeat elements, as keras.ops has them,
 * beside those of operators.h; and products of vectors and matrices beside those of graph.h.
 *
 * Each takes its symbols over (they are kept by the result) and returns a floating symbol, or NULL
 * with a sentence: CJ_INVALID_ARGUMENT (an axis or a number out of range, a text that says nothing),
 * CJ_SHAPE_MISMATCH (shapes or dtypes that do not fit; an axis whose length must be known and is free),
 * CJ_OUT_OF_MEMORY, or the first cause where an argument is NULL. What gives several symbols returns a
 * status, one of these, and puts them into `outputs`, all NULL if it fails. Axes count the batch axis,
 * and from the end if negative. Moved elements may be of any dtype. Gradients of any order pass. A
 * function may be called by several threads for different symbols.
 */
#ifndef CAJAL_OPS_SHAPE_H
#define CAJAL_OPS_SHAPE_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Constants: zeros, ones, one value; in known shapes. cj_op_array(): a tensor in a dtype, taken over. */
CJ_API cj_symbol *cj_op_zeros(cj_shape shape, cj_dtype dtype);
CJ_API cj_symbol *cj_op_ones(cj_shape shape, cj_dtype dtype);
CJ_API cj_symbol *cj_op_full(cj_shape shape, double value, cj_dtype dtype);
CJ_API cj_symbol *cj_op_array(cj_tensor *value, cj_dtype dtype);
/** One value in the shape and dtype of x. */
CJ_API cj_symbol *cj_op_full_like(cj_symbol *x, double value);

/**
 * Constant matrices of `rows` by `columns` with ones at column - row = k; with ones on and below that
 * diagonal; and a square one with ones on its diagonal.
 */
CJ_API cj_symbol *cj_op_eye(int64_t rows, int64_t columns, int64_t k, cj_dtype dtype);
CJ_API cj_symbol *cj_op_tri(int64_t rows, int64_t columns, int64_t k, cj_dtype dtype);
CJ_API cj_symbol *cj_op_identity(int64_t n, cj_dtype dtype);

/**
 * Constants along one axis: start, start + step, ... before stop; `num` numbers from start to stop, at
 * equal distances; base to the power of those; and at equal ratios. `endpoint`: stop is the last one.
 */
CJ_API cj_symbol *cj_op_arange(double start, double stop, double step, cj_dtype dtype);
CJ_API cj_symbol *cj_op_linspace(double start, double stop, int64_t num, bool endpoint,
                                 cj_dtype dtype);
CJ_API cj_symbol *cj_op_logspace(double start, double stop, int64_t num, bool endpoint, double base,
                                 cj_dtype dtype);
CJ_API cj_symbol *cj_op_geomspace(double start, double stop, int64_t num, bool endpoint,
                                  cj_dtype dtype);

/**
 * `count` symbols of one axis as coordinates of a grid: outputs[i] has the entries of xs[i] along its
 * axis i and repeats them along the others; with `indexing` "xy" (NULL is the same) the first two axes
 * change places, with "ij" not. CJ_OK, CJ_SHAPE_MISMATCH for more than one axis, or as the head of this
 * file says.
 */
CJ_API cj_status cj_op_meshgrid(cj_symbol *const *xs, int count, const char *indexing,
                                cj_symbol **outputs);

/** The powers x^(n - 1) .. x^0 of each entry of x, (m): (m, n); `increasing`: x^0 first. n 0 means m. */
CJ_API cj_symbol *cj_op_vander(cj_symbol *x, int64_t n, bool increasing);

/** x stretched by numpy's rules to a shape, in which CJ_BATCH stands for x's free axis. */
CJ_API cj_symbol *cj_op_broadcast_to(cj_symbol *x, cj_shape shape);
/** x along one axis. */
CJ_API cj_symbol *cj_op_ravel(cj_symbol *x);
/** Axes source[i] moved to the places destination[i], the others in their order. */
CJ_API cj_symbol *cj_op_moveaxis(cj_symbol *x, const int *source, const int *destination,
                                 int count);
/** Two axes exchanged. */
CJ_API cj_symbol *cj_op_swapaxes(cj_symbol *x, int axis1, int axis2);
/** x turned by k right angles from axis1 towards axis2. */
CJ_API cj_symbol *cj_op_rot90(cj_symbol *x, int k, int axis1, int axis2);
/** The order along axis 1, or axis 0, turned round. */
CJ_API cj_symbol *cj_op_fliplr(cj_symbol *x);
CJ_API cj_symbol *cj_op_flipud(cj_symbol *x);

/**
 * x cut along an axis of known length into `parts` of one length, or before each of `count` places
 * (count + 1 of them), or into `parts` of which the first are longer by one if it does not divide. CJ_OK,
 * CJ_INVALID_ARGUMENT if it cannot be cut so, or as the head of this file says.
 */
CJ_API cj_status cj_op_split(cj_symbol *x, int parts, int axis, cj_symbol **outputs);
CJ_API cj_status cj_op_split_at(cj_symbol *x, const int64_t *places, int count, int axis,
                                cj_symbol **outputs);
CJ_API cj_status cj_op_array_split(cj_symbol *x, int parts, int axis, cj_symbol **outputs);
/**
 * cj_op_split() along axis 0; 1, or 0 of one axis; 2. CJ_OK, CJ_INVALID_ARGUMENT if it cannot be cut so,
 * or as the head of this file says.
 */
CJ_API cj_status cj_op_vsplit(cj_symbol *x, int parts, cj_symbol **outputs);
CJ_API cj_status cj_op_hsplit(cj_symbol *x, int parts, cj_symbol **outputs);
CJ_API cj_status cj_op_dsplit(cj_symbol *x, int parts, cj_symbol **outputs);
/**
 * Each entry along an axis of known length, the axis dropped. CJ_OK, CJ_INVALID_ARGUMENT, or as the head of
 * this file says.
 */
CJ_API cj_status cj_op_unstack(cj_symbol *x, int axis, cj_symbol **outputs);

/**
 * Side by side along axis 0, those of one axis as rows; along axis 1, or 0 of one axis; along axis 2, of
 * which those of one and two axes get axes of length 1: at most 16.
 */
CJ_API cj_symbol *cj_op_vstack(cj_symbol *const *xs, int count);
CJ_API cj_symbol *cj_op_hstack(cj_symbol *const *xs, int count);
CJ_API cj_symbol *cj_op_dstack(cj_symbol *const *xs, int count);
/** `values` after x along an axis. */
CJ_API cj_symbol *cj_op_append(cj_symbol *x, cj_symbol *values, int axis);
/**
 * Each entry along an axis of known length repeats[i] times; with a `count` of 1 each the same number
 * of times.
 */
CJ_API cj_symbol *cj_op_repeat(cj_symbol *x, const int64_t *repeats, int count, int axis);

/**
 * Python's x[key], the key as text: numbers, slices `begin:end:step`, `...` and `None` (a new axis),
 * divided by commas, as in "0, 1:-1, ..., ::2". Of a free axis only all of it, ":".
 */
CJ_API cj_symbol *cj_op_get_item(cj_symbol *x, const char *key);
/** x with `updates` at the places that begin at starts[i] along axis i; all lengths known. */
CJ_API cj_symbol *cj_op_slice_update(cj_symbol *x, const int64_t *starts, int count,
                                     cj_symbol *updates);

/**
 * The axes regrouped as by einops: a pattern such as "b (h w) c -> b h w c", in which parentheses join
 * axes; `lengths` has those that are not known otherwise, "h=4 w=2", NULL for none.
 */
CJ_API cj_symbol *cj_op_rearrange(cj_symbol *x, const char *pattern, const char *lengths);

/** Elements with column - row <= k, or >= k, of the last two axes, 0 elsewhere. */
CJ_API cj_symbol *cj_op_tril(cj_symbol *x, int64_t k);
CJ_API cj_symbol *cj_op_triu(cj_symbol *x, int64_t k);
/** Of a vector the square matrix with it at column - row = k; of a matrix that diagonal. */
CJ_API cj_symbol *cj_op_diag(cj_symbol *x, int64_t k);
/** cj_op_diag() of all elements as a vector. */
CJ_API cj_symbol *cj_op_diagflat(cj_symbol *x, int64_t k);
/** The elements whose place along axis2 less that along axis1 is `offset`, along a last axis; their sum. */
CJ_API cj_symbol *cj_op_diagonal(cj_symbol *x, int64_t offset, int axis1, int axis2);
CJ_API cj_symbol *cj_op_trace(cj_symbol *x, int64_t offset, int axis1, int axis2);

/**
 * Images whose channels become blocks of pixels, block by block, and back: (n, h, w, c block^2) and
 * (n, h block, w block, c), or the channels first if `data_format` is "channels_first" (NULL is
 * "channels_last").
 */
CJ_API cj_symbol *cj_op_depth_to_space(cj_symbol *x, int64_t block, const char *data_format);
CJ_API cj_symbol *cj_op_space_to_depth(cj_symbol *x, int64_t block, const char *data_format);

/** The windows of a sliding operator over two axes, each a pair (rows, columns). */
typedef struct cj_windows {
    int64_t kernel[2];   ///< size of a window
    int64_t dilation[2]; ///< distance of its elements
    int64_t padding[2];  ///< zeros on both sides
    int64_t stride[2];   ///< distance of the windows
} cj_windows;

/**
 * Every window of images (n, c, h, w), channels first, as a column: (n, c kernel, windows); and back,
 * the sum of the columns where windows lie one over another: (n, c, height, width).
 */
CJ_API cj_symbol *cj_op_unfold(cj_symbol *x, cj_windows windows);
CJ_API cj_symbol *cj_op_fold(cj_symbol *x, int64_t height, int64_t width, cj_windows windows);

/** Windows of `length` entries, `stride` apart, along the last axis: (..., windows, length). */
CJ_API cj_symbol *cj_op_extract_sequences(cj_symbol *x, int64_t length, int64_t stride);

/** The product over the last axis of a and the last but one of b (the only one of a vector); of a scalar a b. */
CJ_API cj_symbol *cj_op_dot(cj_symbol *a, cj_symbol *b);
/** The product over the last axis of both. */
CJ_API cj_symbol *cj_op_inner(cj_symbol *a, cj_symbol *b);
/** The products of each element of a and each of b: (a's count, b's count). */
CJ_API cj_symbol *cj_op_outer(cj_symbol *a, cj_symbol *b);
/** The sum of the products of all elements, in order: a scalar. */
CJ_API cj_symbol *cj_op_vdot(cj_symbol *a, cj_symbol *b);
/** The product over axes a_axes[i] of a and b_axes[i] of b. Keras's `axes` n is the last n and the first n. */
CJ_API cj_symbol *cj_op_tensordot(cj_symbol *a, cj_symbol *b, const int *a_axes, const int *b_axes,
                                  int count);
/** Kronecker's product: a's elements, each times b. All lengths known. */
CJ_API cj_symbol *cj_op_kron(cj_symbol *a, cj_symbol *b);
/** The vector product over an axis of length 3, the same in both (of length 2: its third component). */
CJ_API cj_symbol *cj_op_cross(cj_symbol *a, cj_symbol *b, int axis);
/** The Euclidean distance of each row of a, (..., m, k), to each of b, (..., n, k): (..., m, n). */
CJ_API cj_symbol *cj_op_cdist(cj_symbol *a, cj_symbol *b);
/** The correlation sum over i of a[i + k] b[i] of vectors; `mode` "valid" (NULL is the same), "same", "full". */
CJ_API cj_symbol *cj_op_correlate(cj_symbol *a, cj_symbol *b, const char *mode);

#ifdef __cplusplus
}
#endif
#endif
