/**
 * @file tensor.h
 * Dense arrays.
 *
 * A tensor is a dtype, a shape, strides and memory. The memory belongs to the tensor, to another
 * tensor of which this one is a view, or to the user, who lends it. Row major order: the last axis
 * is contiguous in a new tensor. A tensor is a counted object (base.h). A view retains what it
 * looks at and does not take it over: the maker of a tensor and of a view of it releases both.
 */
#ifndef CAJAL_TENSOR_H
#define CAJAL_TENSOR_H

#include <cajal/base.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The maximum number of axes. */
#define CJ_MAX_RANK 8

/**
 * Every dtype: its name in the enum, its name as text (as in Keras), and the bytes of an element.
 */
#define CJ_DTYPES(X)       \
    X(F32, "float32", 4)   \
    X(F64, "float64", 8)   \
    X(BF16, "bfloat16", 2) \
    X(I32, "int32", 4)     \
    X(I64, "int64", 8)     \
    X(U8, "uint8", 1)      \
    X(BOOL, "bool", 1)     \
    X(STRING, "string", 8)

/**
 * The type of a tensor's elements. CJ_F32 is zero, hence the default wherever a dtype is a setting.
 * CJ_STRING is texts: see text.h.
 */
typedef enum cj_dtype {
#define CJ_DTYPE_ENUM(name, text, size) CJ_##name,
    CJ_DTYPES(CJ_DTYPE_ENUM)
#undef CJ_DTYPE_ENUM
        CJ_DTYPE_COUNT
} cj_dtype;

/** The name of a dtype as Keras writes it, such as "float32". Static memory. */
CJ_API const char *cj_dtype_name(cj_dtype dtype);

/**
 * Finds a dtype by its name. CJ_INVALID_ARGUMENT, with a suggestion, if there is none of that name,
 * and for NULL.
 */
CJ_API cj_status cj_dtype_from_name(const char *name, cj_dtype *dtype);

/** The bytes of one element. */
CJ_API size_t cj_dtype_size(cj_dtype dtype);

/** The extent along an axis that is not known until a function is called: the batch axis. */
#define CJ_BATCH (-1)

/** The lengths of the axes. Rank 0 is a scalar. */
typedef struct cj_shape {
    int rank; ///< number of axes, 0 to CJ_MAX_RANK
    /** the first `rank` are meaningful; CJ_BATCH where a symbol's length is free */
    int64_t dims[CJ_MAX_RANK];
} cj_shape;

/** A shape from its lengths: `CJ_SHAPE(28, 28, 1)`. C only; needs at least one length. */
#define CJ_SHAPE(...)                                                              \
    ((cj_shape){.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
                .dims = {__VA_ARGS__}})

/** Whether two shapes have the same rank and lengths; false if one is NULL. */
CJ_API bool cj_shape_equal(const cj_shape *a, const cj_shape *b);

/**
 * The number of elements: 1 for a scalar, 0 if a length is 0. -1 for NULL, for a rank that is not
 * from 0 to CJ_MAX_RANK, a negative length, or lengths whose product overflows (those of 0 left
 * out).
 */
CJ_API int64_t cj_shape_count(const cj_shape *shape);

/**
 * Writes a shape as "(None, 28, 28, 1)", always terminated, into `text` of `size` bytes; returns
 * `text`.
 */
CJ_API const char *cj_shape_text(const cj_shape *shape, char *text, size_t size);

/** A dense array; see the top of this file. */
typedef struct cj_tensor cj_tensor;

/**
 * What stands for "no tensor given" in arguments whose default it is. It is known by its address and
 * of no other use.
 */
CJ_API extern cj_tensor cj_no_tensor;

/** A new tensor, its elements zero. CJ_INVALID_ARGUMENT for a bad shape, CJ_OUT_OF_MEMORY. */
CJ_API cj_status cj_tensor_new(cj_dtype dtype, cj_shape shape, cj_tensor **tensor);

/**
 * A new tensor with a copy of `count` elements of type `dtype` at `data`; `count` must be what
 * `shape` holds. For CJ_STRING `data` is an array of `const char *`, each ended by a NUL; NULL is the
 * empty text. CJ_SHAPE_MISMATCH if the count is another; CJ_INVALID_ARGUMENT (a bad shape, NULL);
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_from(cj_dtype dtype, cj_shape shape, const void *data, size_t count,
                                cj_tensor **tensor);

/**
 * A tensor over memory that stays the user's: row major, of the shape's size, valid until
 * `released` is called with `context` (NULL: until the tensor is gone). The library writes to it
 * only through calls that say so. CJ_INVALID_ARGUMENT (a bad shape, NULL, CJ_STRING, an address that
 * is no multiple of the size of an element), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_borrow(cj_dtype dtype, cj_shape shape, void *data,
                                  void (*released)(void *context), void *context,
                                  cj_tensor **tensor);

/** The dtype of a tensor; CJ_F32 for NULL. */
CJ_API cj_dtype cj_tensor_dtype(const cj_tensor *tensor);

/** The shape of a tensor; valid as long as the tensor. NULL for NULL. */
CJ_API const cj_shape *cj_tensor_shape(const cj_tensor *tensor);

/**
 * The steps from element to element along each axis, in elements; `rank` of them, valid as long as
 * the tensor. NULL for NULL.
 */
CJ_API const int64_t *cj_tensor_strides(const cj_tensor *tensor);

/** The number of elements; 0 for NULL. */
CJ_API int64_t cj_tensor_count(const cj_tensor *tensor);

/**
 * The first element. The caller may read and write within the shape and strides while holding the
 * tensor. Texts are read by cj_tensor_text(), not here. NULL for NULL.
 */
CJ_API void *cj_tensor_data(const cj_tensor *tensor);

/** Whether the elements lie in row-major order without gaps; false for NULL. */
CJ_API bool cj_tensor_contiguous(const cj_tensor *tensor);

/**
 * A view of `length` entries from `begin` along `axis` (negative axes count from the end). Shares
 * memory. CJ_INVALID_ARGUMENT (no such axis or entries, NULL), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_slice(const cj_tensor *tensor, int axis, int64_t begin, int64_t length,
                                 cj_tensor **view);

/**
 * A view with another shape of the same count; one length may be -1 and is worked out. Needs a
 * contiguous tensor. CJ_SHAPE_MISMATCH (another count), CJ_INVALID_ARGUMENT (a view with gaps, a
 * bad shape, NULL), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_reshape(const cj_tensor *tensor, cj_shape shape, cj_tensor **view);

/**
 * A view with axes in another order: axis i of the view is axis `order[i]` of the tensor. Shares
 * memory. CJ_INVALID_ARGUMENT (`order` has not each axis once, NULL), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_transpose(const cj_tensor *tensor, const int *order, cj_tensor **view);

/**
 * A new contiguous tensor with the same elements converted to `dtype` (to integers: towards zero,
 * saturating). CJ_INVALID_ARGUMENT (no dtype, NULL, texts to numbers or back), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_tensor_convert(const cj_tensor *tensor, cj_dtype dtype, cj_tensor **copy);

/**
 * Copies the elements of `from` into `to`, converting; works on views. CJ_SHAPE_MISMATCH if the
 * shapes differ, CJ_INVALID_ARGUMENT (NULL, texts to numbers or back), CJ_OUT_OF_MEMORY (texts).
 */
CJ_API cj_status cj_tensor_copy(cj_tensor *to, const cj_tensor *from);

/**
 * One element as a double; `index` has an entry for each axis, and may be NULL for a scalar. NAN
 * and a sentence if it is out of range, an argument is NULL, or it is a text.
 */
CJ_API double cj_tensor_get(const cj_tensor *tensor, const int64_t *index);

/**
 * Sets one element from a double, converted as by cj_tensor_convert(). CJ_INVALID_ARGUMENT if the
 * index is out of range, or NULL, and for texts.
 */
CJ_API cj_status cj_tensor_set(cj_tensor *tensor, const int64_t *index, double value);

/** Sets every element, converted as by cj_tensor_convert(). NULL is fine. */
CJ_API void cj_tensor_fill(cj_tensor *tensor, double value);

/**
 * Sets every element to a random number from [low, high): the same numbers for the same seed, on
 * every machine, whatever the strides of the tensor. In integer tensors they are cut towards zero.
 * Philox4x32-10 (Salmon et al. 2011), 24 bits a number. CJ_INVALID_ARGUMENT: `tensor` is NULL, a
 * bound is not finite, or `low` is above `high`.
 */
CJ_API cj_status cj_tensor_fill_uniform(cj_tensor *tensor, uint64_t seed, double low, double high);

/**
 * The same with normally distributed numbers of the given mean and standard deviation, by Box and
 * Muller (1958). Numbers may differ in their last bit between systems, whose logarithms, sines and
 * cosines round differently. CJ_INVALID_ARGUMENT: `tensor` is NULL, a number is not finite, or the
 * deviation is negative.
 */
CJ_API cj_status cj_tensor_fill_normal(cj_tensor *tensor, uint64_t seed, double mean,
                                       double stddev);

/**
 * Element-wise `to = a + b`, for small computations outside a graph; works on views. Operands are
 * broadcast as in numpy: axes are aligned at the last one, and an axis of length 1 or a missing one
 * is repeated. `to` has the shape of the result; it may be `a` or `b` itself, but not another view
 * that overlaps one of them. Computed in double and rounded once to the dtype of `to`; between
 * integer tensors in 64-bit integers, saturating. CJ_SHAPE_MISMATCH, CJ_INVALID_ARGUMENT (NULL).
 */
CJ_API cj_status cj_tensor_add(cj_tensor *to, const cj_tensor *a, const cj_tensor *b);

/** `to = a - b`; see cj_tensor_add(). CJ_SHAPE_MISMATCH, CJ_INVALID_ARGUMENT (NULL). */
CJ_API cj_status cj_tensor_subtract(cj_tensor *to, const cj_tensor *a, const cj_tensor *b);

/** `to = a * b`; see cj_tensor_add(). CJ_SHAPE_MISMATCH, CJ_INVALID_ARGUMENT (NULL). */
CJ_API cj_status cj_tensor_multiply(cj_tensor *to, const cj_tensor *a, const cj_tensor *b);

/**
 * `to = a * factor`, computed in double; see cj_tensor_add(). A step of gradient descent is
 * `cj_tensor_scale(g, g, -learning_rate)` and `cj_tensor_add(w, w, g)`. CJ_SHAPE_MISMATCH,
 * CJ_INVALID_ARGUMENT (NULL).
 */
CJ_API cj_status cj_tensor_scale(cj_tensor *to, const cj_tensor *a, double factor);

/**
 * Prints a tensor as numpy does: nested brackets, aligned columns, "..." in the middle of long
 * axes. CJ_IO if the stream fails, CJ_INVALID_ARGUMENT (NULL).
 */
CJ_API cj_status cj_tensor_print(const cj_tensor *tensor, FILE *stream);

#ifdef __cplusplus
}
#endif
#endif
