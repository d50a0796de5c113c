/**
 * @file merging.h
 * Layers that make one symbol of several, beside Add and Concatenate (layers.h): apply them with
 * cj_merge(), cj_apply_list() or cj_apply_many().
 *
 * Subtract, Multiply, Average, Maximum and Minimum are element-wise and broadcast as numpy does:
 * lengths are equal or 1. As in Keras, inputs with fewer axes first get axes of length 1 after the
 * batch axis, so that (8) and (5, 8) are (1, 8) and (5, 8). They take up to 16 inputs, and so does
 * Add; Subtract takes two.
 *
 * Masks (keras/src/layers/merging): the output has one if every input has, true where one of them is.
 * To Multiply an element that is masked out is 1, and 0 in the result if all are; Maximum and Minimum
 * leave out what is masked out; the others do not look at masks. A mask then has the axes of its input
 * but the last.
 *
 * What layers.h says of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_MERGING_H
#define CAJAL_MERGING_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** a - b, element by element: of exactly two inputs. */
CJ_API cj_layer *cj_subtract_new(const cj_merge_args *args);
#define cj_subtract(...) cj_subtract_new(&(cj_merge_args){CJ_MERGE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The element-wise product. */
CJ_API cj_layer *cj_multiply_new(const cj_merge_args *args);
#define cj_multiply(...) cj_multiply_new(&(cj_merge_args){CJ_MERGE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The element-wise mean. */
CJ_API cj_layer *cj_average_new(const cj_merge_args *args);
#define cj_average(...) cj_average_new(&(cj_merge_args){CJ_MERGE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The greatest of the inputs, element by element; the gradient is shared by equal ones. */
CJ_API cj_layer *cj_maximum_new(const cj_merge_args *args);
#define cj_maximum(...) cj_maximum_new(&(cj_merge_args){CJ_MERGE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The least of the inputs, element by element; the gradient is shared by equal ones. */
CJ_API cj_layer *cj_minimum_new(const cj_merge_args *args);
#define cj_minimum(...) cj_minimum_new(&(cj_merge_args){CJ_MERGE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Dot: for every sample the product of two inputs, summed over one axis of each. */
typedef struct cj_dot_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * required: the axis of each input, {1} for the same in both; counts the batch axis, which is 0 and
     * refused; from the end if negative
     */
    int64_t axes[2];
    bool normalize; ///< default false; true: along these axes the inputs get length 1 first
} cj_dot_args;
/** The defaults of cj_dot_args. */
#define CJ_DOT_DEFAULTS CJ_LAYER_DEFAULTS(cj_dot_args)
/** Sets `args` to CJ_DOT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dot_defaults(cj_dot_args *args);
/**
 * The axes of the first input without the one that is summed over, then those of the second without
 * it: (4, 3) and (5, 3) with axes {2} become (4, 5); (3) and (3) with {1} become (1). With `normalize`
 * that is the cosine of the angle between two samples. The output has no mask.
 */
CJ_API cj_layer *cj_dot_new(const cj_dot_args *args);
#define cj_dot(...) cj_dot_new(&(cj_dot_args){CJ_DOT_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
