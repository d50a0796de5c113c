/**
 * @file spatial.h
 * Layers that look at or change the axes between batch and channels: pools along one axis and over
 * three (those over two are in layers.h), zero padding, cropping and up-sampling. What layers.h says
 * of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_SPATIAL_H
#define CAJAL_SPATIAL_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** MaxPooling1D and AveragePooling1D: the maximum or mean of each window; padding never counts. */
typedef struct cj_pooling1d_args {
    CJ_LAYER_MEMBERS
    int _;             ///< what follows may be given by position
    int64_t pool_size; ///< default 2
    int64_t strides;   ///< default -1: pool_size
    /** "valid" (default: partial windows are dropped) or "same" (they are kept) */
    const char *padding;
} cj_pooling1d_args;
/** The defaults of cj_pooling1d_args. */
#define CJ_POOLING1D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_pooling1d_args), .pool_size = 2, .strides = -1, .padding = "valid"
/** Sets `args` to CJ_POOLING1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_pooling1d_defaults(cj_pooling1d_args *args);
/** The maximum of each window, per channel. */
CJ_API cj_layer *cj_max_pooling1d_new(const cj_pooling1d_args *args);
#define cj_max_pooling1d(...) \
    cj_max_pooling1d_new(&(cj_pooling1d_args){CJ_POOLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The mean of the real elements of each window, per channel. */
CJ_API cj_layer *cj_average_pooling1d_new(const cj_pooling1d_args *args);
#define cj_average_pooling1d(...) \
    cj_average_pooling1d_new(&(cj_pooling1d_args){CJ_POOLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** GlobalMaxPooling1D and GlobalAveragePooling1D. */
typedef struct cj_global_pooling1d_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    bool keepdims; ///< default false; true: (1, channels) instead of (channels)
} cj_global_pooling1d_args;
/** The defaults of cj_global_pooling1d_args. */
#define CJ_GLOBAL_POOLING1D_DEFAULTS CJ_LAYER_DEFAULTS(cj_global_pooling1d_args)
/** Sets `args` to CJ_GLOBAL_POOLING1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_global_pooling1d_defaults(cj_global_pooling1d_args *args);
/** (steps, channels) becomes (channels): the maximum. */
CJ_API cj_layer *cj_global_max_pooling1d_new(const cj_global_pooling1d_args *args);
#define cj_global_max_pooling1d(...) \
    cj_global_max_pooling1d_new(     \
        &(cj_global_pooling1d_args){CJ_GLOBAL_POOLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * (steps, channels) becomes (channels): the mean; of steps that a mask leaves, where there is one.
 */
CJ_API cj_layer *cj_global_average_pooling1d_new(const cj_global_pooling1d_args *args);
#define cj_global_average_pooling1d(...) \
    cj_global_average_pooling1d_new(     \
        &(cj_global_pooling1d_args){CJ_GLOBAL_POOLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** MaxPooling3D and AveragePooling3D: the maximum or mean of each window; padding never counts. */
typedef struct cj_pooling3d_args {
    CJ_LAYER_MEMBERS
    int _;                ///< what follows may be given by position
    int64_t pool_size[3]; ///< default {2, 2, 2}
    int64_t strides[3];   ///< default {0, 0, 0}: pool_size
    /** "valid" (default: partial windows are dropped) or "same" (they are kept) */
    const char *padding;
} cj_pooling3d_args;
/** The defaults of cj_pooling3d_args. */
#define CJ_POOLING3D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_pooling3d_args), .pool_size = {2, 2, 2}, .padding = "valid"
/** Sets `args` to CJ_POOLING3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_pooling3d_defaults(cj_pooling3d_args *args);
/** The maximum of each window, per channel. */
CJ_API cj_layer *cj_max_pooling3d_new(const cj_pooling3d_args *args);
#define cj_max_pooling3d(...) \
    cj_max_pooling3d_new(&(cj_pooling3d_args){CJ_POOLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** The mean of the real elements of each window, per channel. */
CJ_API cj_layer *cj_average_pooling3d_new(const cj_pooling3d_args *args);
#define cj_average_pooling3d(...) \
    cj_average_pooling3d_new(&(cj_pooling3d_args){CJ_POOLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** GlobalMaxPooling3D and GlobalAveragePooling3D. */
typedef struct cj_global_pooling3d_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    bool keepdims; ///< default false; true: (1, 1, 1, channels) instead of (channels)
} cj_global_pooling3d_args;
/** The defaults of cj_global_pooling3d_args. */
#define CJ_GLOBAL_POOLING3D_DEFAULTS CJ_LAYER_DEFAULTS(cj_global_pooling3d_args)
/** Sets `args` to CJ_GLOBAL_POOLING3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_global_pooling3d_defaults(cj_global_pooling3d_args *args);
/** (depth, height, width, channels) becomes (channels): the maximum. */
CJ_API cj_layer *cj_global_max_pooling3d_new(const cj_global_pooling3d_args *args);
#define cj_global_max_pooling3d(...) \
    cj_global_max_pooling3d_new(     \
        &(cj_global_pooling3d_args){CJ_GLOBAL_POOLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** (depth, height, width, channels) becomes (channels): the mean. */
CJ_API cj_layer *cj_global_average_pooling3d_new(const cj_global_pooling3d_args *args);
#define cj_global_average_pooling3d(...) \
    cj_global_average_pooling3d_new(     \
        &(cj_global_pooling3d_args){CJ_GLOBAL_POOLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ZeroPadding1D: zeros beside the input. */
typedef struct cj_zero_padding1d_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** steps before and after; default
     * {1, 1} */
    int64_t padding[2];
} cj_zero_padding1d_args;
/** The defaults of cj_zero_padding1d_args. */
#define CJ_ZERO_PADDING1D_DEFAULTS CJ_LAYER_DEFAULTS(cj_zero_padding1d_args), .padding = {1, 1}
/** Sets `args` to CJ_ZERO_PADDING1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_zero_padding1d_defaults(cj_zero_padding1d_args *args);
/** `cj_zero_padding1d({1, 2})`. */
CJ_API cj_layer *cj_zero_padding1d_new(const cj_zero_padding1d_args *args);
#define cj_zero_padding1d(...) \
    cj_zero_padding1d_new(     \
        &(cj_zero_padding1d_args){CJ_ZERO_PADDING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Cropping1D: the input without its edges. */
typedef struct cj_cropping1d_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** steps before and after; default
     * {1, 1} */
    int64_t cropping[2];
} cj_cropping1d_args;
/** The defaults of cj_cropping1d_args. */
#define CJ_CROPPING1D_DEFAULTS CJ_LAYER_DEFAULTS(cj_cropping1d_args), .cropping = {1, 1}
/** Sets `args` to CJ_CROPPING1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cropping1d_defaults(cj_cropping1d_args *args);
/** `cj_cropping1d({1, 2})`; something must be left. */
CJ_API cj_layer *cj_cropping1d_new(const cj_cropping1d_args *args);
#define cj_cropping1d(...) \
    cj_cropping1d_new(&(cj_cropping1d_args){CJ_CROPPING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** UpSampling1D: each element `factors` times along each axis. */
typedef struct cj_up_sampling1d_args {
    CJ_LAYER_MEMBERS
    int _;           ///< what follows may be given by position
    int64_t factors; ///< Keras's `size`; default 2
} cj_up_sampling1d_args;
/** The defaults of cj_up_sampling1d_args. */
#define CJ_UP_SAMPLING1D_DEFAULTS CJ_LAYER_DEFAULTS(cj_up_sampling1d_args), .factors = 2
/** Sets `args` to CJ_UP_SAMPLING1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_up_sampling1d_defaults(cj_up_sampling1d_args *args);
/** (steps, channels) becomes (steps', channels). */
CJ_API cj_layer *cj_up_sampling1d_new(const cj_up_sampling1d_args *args);
#define cj_up_sampling1d(...) \
    cj_up_sampling1d_new(&(cj_up_sampling1d_args){CJ_UP_SAMPLING1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ZeroPadding2D: zeros beside the input. */
typedef struct cj_zero_padding2d_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** rows above and below, columns left and right; default
     * {{1, 1}, {1, 1}} */
    int64_t padding[2][2];
} cj_zero_padding2d_args;
/** The defaults of cj_zero_padding2d_args. */
#define CJ_ZERO_PADDING2D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_zero_padding2d_args), .padding = {{1, 1}, {1, 1}}
/** Sets `args` to CJ_ZERO_PADDING2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_zero_padding2d_defaults(cj_zero_padding2d_args *args);
/** `cj_zero_padding2d({{1, 2}, {0, 3}})`. */
CJ_API cj_layer *cj_zero_padding2d_new(const cj_zero_padding2d_args *args);
#define cj_zero_padding2d(...) \
    cj_zero_padding2d_new(     \
        &(cj_zero_padding2d_args){CJ_ZERO_PADDING2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Cropping2D: the input without its edges. */
typedef struct cj_cropping2d_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** rows above and below, columns left and right; default
     * {{0, 0}, {0, 0}} */
    int64_t cropping[2][2];
} cj_cropping2d_args;
/** The defaults of cj_cropping2d_args. */
#define CJ_CROPPING2D_DEFAULTS CJ_LAYER_DEFAULTS(cj_cropping2d_args), .cropping = {{0, 0}, {0, 0}}
/** Sets `args` to CJ_CROPPING2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cropping2d_defaults(cj_cropping2d_args *args);
/** `cj_cropping2d({{1, 2}, {0, 3}})`; something must be left. */
CJ_API cj_layer *cj_cropping2d_new(const cj_cropping2d_args *args);
#define cj_cropping2d(...) \
    cj_cropping2d_new(&(cj_cropping2d_args){CJ_CROPPING2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** UpSampling2D: each element `factors` times along each axis. */
typedef struct cj_up_sampling2d_args {
    CJ_LAYER_MEMBERS
    int _;              ///< what follows may be given by position
    int64_t factors[2]; ///< Keras's `size`; default {2, 2}
    /** "nearest" (default), "bilinear", "bicubic", "lanczos3" or "lanczos5" */
    const char *interpolation;
} cj_up_sampling2d_args;
/** The defaults of cj_up_sampling2d_args. */
#define CJ_UP_SAMPLING2D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_up_sampling2d_args), .factors = {2, 2}, .interpolation = "nearest"
/** Sets `args` to CJ_UP_SAMPLING2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_up_sampling2d_defaults(cj_up_sampling2d_args *args);
/** (height, width, channels) becomes (height', width', channels). */
CJ_API cj_layer *cj_up_sampling2d_new(const cj_up_sampling2d_args *args);
#define cj_up_sampling2d(...) \
    cj_up_sampling2d_new(&(cj_up_sampling2d_args){CJ_UP_SAMPLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ZeroPadding3D: zeros beside the input. */
typedef struct cj_zero_padding3d_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** planes before and after, rows above and below, columns left and right; default
     * {{1, 1}, {1, 1}, {1, 1}} */
    int64_t padding[3][2];
} cj_zero_padding3d_args;
/** The defaults of cj_zero_padding3d_args. */
#define CJ_ZERO_PADDING3D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_zero_padding3d_args), .padding = {{1, 1}, {1, 1}, {1, 1}}
/** Sets `args` to CJ_ZERO_PADDING3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_zero_padding3d_defaults(cj_zero_padding3d_args *args);
/** `cj_zero_padding3d({{1, 2}, {0, 3}, {1, 1}})`. */
CJ_API cj_layer *cj_zero_padding3d_new(const cj_zero_padding3d_args *args);
#define cj_zero_padding3d(...) \
    cj_zero_padding3d_new(     \
        &(cj_zero_padding3d_args){CJ_ZERO_PADDING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Cropping3D: the input without its edges. */
typedef struct cj_cropping3d_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** planes before and after, rows above and below, columns left and right; default
     * {{0, 0}, {0, 0}, {0, 0}} */
    int64_t cropping[3][2];
} cj_cropping3d_args;
/** The defaults of cj_cropping3d_args. */
#define CJ_CROPPING3D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_cropping3d_args), .cropping = {{0, 0}, {0, 0}, {0, 0}}
/** Sets `args` to CJ_CROPPING3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cropping3d_defaults(cj_cropping3d_args *args);
/** `cj_cropping3d({{1, 2}, {0, 3}, {1, 1}})`; something must be left. */
CJ_API cj_layer *cj_cropping3d_new(const cj_cropping3d_args *args);
#define cj_cropping3d(...) \
    cj_cropping3d_new(&(cj_cropping3d_args){CJ_CROPPING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** UpSampling3D: each element `factors` times along each axis. */
typedef struct cj_up_sampling3d_args {
    CJ_LAYER_MEMBERS
    int _;              ///< what follows may be given by position
    int64_t factors[3]; ///< Keras's `size`; default {2, 2, 2}
} cj_up_sampling3d_args;
/** The defaults of cj_up_sampling3d_args. */
#define CJ_UP_SAMPLING3D_DEFAULTS CJ_LAYER_DEFAULTS(cj_up_sampling3d_args), .factors = {2, 2, 2}
/** Sets `args` to CJ_UP_SAMPLING3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_up_sampling3d_defaults(cj_up_sampling3d_args *args);
/** (depth, height, width, channels) becomes (depth', height', width', channels). */
CJ_API cj_layer *cj_up_sampling3d_new(const cj_up_sampling3d_args *args);
#define cj_up_sampling3d(...) \
    cj_up_sampling3d_new(&(cj_up_sampling3d_args){CJ_UP_SAMPLING3D_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
