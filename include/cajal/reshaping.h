/**
 * @file reshaping.h
 * Layers that put elements in another order or number, beside Flatten and Reshape (layers.h) and
 * those of spatial.h: Permute, RepeatVector, and the adaptive pools.
 *
 * What layers.h says of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_RESHAPING_H
#define CAJAL_RESHAPING_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Permute: the axes in another order. */
typedef struct cj_permute_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** required: axis i of the output is axis dims[i] of the input; 1 is the first after the batch */
    int64_t dims[CJ_MAX_RANK];
} cj_permute_args;
/** The defaults of cj_permute_args. */
#define CJ_PERMUTE_DEFAULTS CJ_LAYER_DEFAULTS(cj_permute_args)
/** Sets `args` to CJ_PERMUTE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_permute_defaults(cj_permute_args *args);
/** (10, 64) becomes (64, 10) with dims {2, 1}. */
CJ_API cj_layer *cj_permute_new(const cj_permute_args *args);
#define cj_permute(...) cj_permute_new(&(cj_permute_args){CJ_PERMUTE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** RepeatVector: a vector as every step of a sequence. */
typedef struct cj_repeat_vector_args {
    CJ_LAYER_MEMBERS
    int _;     ///< what follows may be given by position
    int64_t n; ///< required: the number of steps, positive
} cj_repeat_vector_args;
/** The defaults of cj_repeat_vector_args. */
#define CJ_REPEAT_VECTOR_DEFAULTS CJ_LAYER_DEFAULTS(cj_repeat_vector_args)
/** Sets `args` to CJ_REPEAT_VECTOR_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_repeat_vector_defaults(cj_repeat_vector_args *args);
/** (features) becomes (n, features). */
CJ_API cj_layer *cj_repeat_vector_new(const cj_repeat_vector_args *args);
#define cj_repeat_vector(...) \
    cj_repeat_vector_new(&(cj_repeat_vector_args){CJ_REPEAT_VECTOR_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AdaptiveMaxPooling1D and AdaptiveAveragePooling1D: the maximum or mean of windows that are laid so
 * that a given number of them covers the input: along each axis of length n window i of m is from
 * floor(i n / m) to before ceil((i + 1) n / m).
 */
typedef struct cj_adaptive_pooling1d_args {
    CJ_LAYER_MEMBERS
    int _;               ///< what follows may be given by position
    int64_t output_size; ///< required: the number of windows, positive
} cj_adaptive_pooling1d_args;
/** The defaults of cj_adaptive_pooling1d_args. */
#define CJ_ADAPTIVE_POOLING1D_DEFAULTS CJ_LAYER_DEFAULTS(cj_adaptive_pooling1d_args)
/** Sets `args` to CJ_ADAPTIVE_POOLING1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adaptive_pooling1d_defaults(cj_adaptive_pooling1d_args *args);
/** (steps, channels) becomes (output_size, channels): the maximum of each window, per channel. */
CJ_API cj_layer *cj_adaptive_max_pooling1d_new(const cj_adaptive_pooling1d_args *args);
#define cj_adaptive_max_pooling1d(...) \
    cj_adaptive_max_pooling1d_new(     \
        &(cj_adaptive_pooling1d_args){CJ_ADAPTIVE_POOLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})
/** The mean of each window, per channel. */
CJ_API cj_layer *cj_adaptive_average_pooling1d_new(const cj_adaptive_pooling1d_args *args);
#define cj_adaptive_average_pooling1d(...) \
    cj_adaptive_average_pooling1d_new(     \
        &(cj_adaptive_pooling1d_args){CJ_ADAPTIVE_POOLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AdaptiveMaxPooling2D and AdaptiveAveragePooling2D: the maximum or mean of windows that are laid so
 * that a given number of them covers the input: along each axis of length n window i of m is from
 * floor(i n / m) to before ceil((i + 1) n / m).
 */
typedef struct cj_adaptive_pooling2d_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t output_size[2]; ///< required: numbers of windows, positive
} cj_adaptive_pooling2d_args;
/** The defaults of cj_adaptive_pooling2d_args. */
#define CJ_ADAPTIVE_POOLING2D_DEFAULTS CJ_LAYER_DEFAULTS(cj_adaptive_pooling2d_args)
/** Sets `args` to CJ_ADAPTIVE_POOLING2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adaptive_pooling2d_defaults(cj_adaptive_pooling2d_args *args);
/** (height, width, channels) becomes (output_size, channels): the maximum of each window, per channel. */
CJ_API cj_layer *cj_adaptive_max_pooling2d_new(const cj_adaptive_pooling2d_args *args);
#define cj_adaptive_max_pooling2d(...) \
    cj_adaptive_max_pooling2d_new(     \
        &(cj_adaptive_pooling2d_args){CJ_ADAPTIVE_POOLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})
/** The mean of each window, per channel. */
CJ_API cj_layer *cj_adaptive_average_pooling2d_new(const cj_adaptive_pooling2d_args *args);
#define cj_adaptive_average_pooling2d(...) \
    cj_adaptive_average_pooling2d_new(     \
        &(cj_adaptive_pooling2d_args){CJ_ADAPTIVE_POOLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AdaptiveMaxPooling3D and AdaptiveAveragePooling3D: the maximum or mean of windows that are laid so
 * that a given number of them covers the input: along each axis of length n window i of m is from
 * floor(i n / m) to before ceil((i + 1) n / m).
 */
typedef struct cj_adaptive_pooling3d_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t output_size[3]; ///< required: numbers of windows, positive
} cj_adaptive_pooling3d_args;
/** The defaults of cj_adaptive_pooling3d_args. */
#define CJ_ADAPTIVE_POOLING3D_DEFAULTS CJ_LAYER_DEFAULTS(cj_adaptive_pooling3d_args)
/** Sets `args` to CJ_ADAPTIVE_POOLING3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_adaptive_pooling3d_defaults(cj_adaptive_pooling3d_args *args);
/** (depth, height, width, channels) becomes (output_size, channels): the maximum of each window, per channel. */
CJ_API cj_layer *cj_adaptive_max_pooling3d_new(const cj_adaptive_pooling3d_args *args);
#define cj_adaptive_max_pooling3d(...) \
    cj_adaptive_max_pooling3d_new(     \
        &(cj_adaptive_pooling3d_args){CJ_ADAPTIVE_POOLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})
/** The mean of each window, per channel. */
CJ_API cj_layer *cj_adaptive_average_pooling3d_new(const cj_adaptive_pooling3d_args *args);
#define cj_adaptive_average_pooling3d(...) \
    cj_adaptive_average_pooling3d_new(     \
        &(cj_adaptive_pooling3d_args){CJ_ADAPTIVE_POOLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
