/**
 * @file convolutions.h
 * Convolutions beside Conv2D (layers.h): along one axis and over three, transposed, depthwise and
 * separable. Arguments, defaults, weights and their layouts are Keras's; channels are last. What
 * layers.h says of arguments, specs, shapes and failures holds here too.
 */
#ifndef CAJAL_CONVOLUTIONS_H
#define CAJAL_CONVOLUTIONS_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Conv1D: cross-correlation along the steps, plus bias, then the activation. */
typedef struct cj_conv1d_args {
    CJ_LAYER_MEMBERS
    int _;               ///< what follows may be given by position
    int64_t filters;     ///< required, positive
    int64_t kernel_size; ///< required
    int64_t strides;     ///< default 1
    /**
     * "valid" (default), "same", or "causal": zeros before the first step only, so that no output
     * sees a later step
     */
    const char *padding;
    int64_t dilation_rate; ///< default 1; only with strides of 1
    /** default 1; divides both the input's channels and `filters` */
    int64_t groups;
    const char *activation;           ///< spec, default "linear"
    bool use_bias;                    ///< default true
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default NULL: none
    const char *bias_regularizer;     ///< spec, default NULL: none
    const char *activity_regularizer; ///< spec on the output, default NULL: none
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
} cj_conv1d_args;
/** The defaults of cj_conv1d_args. */
#define CJ_CONV1D_DEFAULTS                                                                         \
    CJ_LAYER_DEFAULTS(cj_conv1d_args),                                                             \
        .strides = 1, .padding = "valid", .dilation_rate = 1, .groups = 1, .activation = "linear", \
        .use_bias = true, .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_CONV1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv1d_defaults(cj_conv1d_args *args);
/**
 * (steps, channels) becomes (steps', filters); the kernel is (steps, channels / groups, filters).
 */
CJ_API cj_layer *cj_conv1d_new(const cj_conv1d_args *args);
#define cj_conv1d(...) cj_conv1d_new(&(cj_conv1d_args){CJ_CONV1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Conv3D: cross-correlation over depth, height and width, plus bias, then the activation. */
typedef struct cj_conv3d_args {
    CJ_LAYER_MEMBERS
    int _;                    ///< what follows may be given by position
    int64_t filters;          ///< required, positive
    int64_t kernel_size[3];   ///< required: depth, height, width
    int64_t strides[3];       ///< default {1, 1, 1}
    const char *padding;      ///< "valid" (default) or "same"
    int64_t dilation_rate[3]; ///< default {1, 1, 1}; only with strides of 1
    /** default 1; divides both the input's channels and `filters` */
    int64_t groups;
    const char *activation;           ///< spec, default "linear"
    bool use_bias;                    ///< default true
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default NULL: none
    const char *bias_regularizer;     ///< spec, default NULL: none
    const char *activity_regularizer; ///< spec on the output, default NULL: none
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
} cj_conv3d_args;
/** The defaults of cj_conv3d_args. */
#define CJ_CONV3D_DEFAULTS                                                                 \
    CJ_LAYER_DEFAULTS(cj_conv3d_args),                                                     \
        .strides = {1, 1, 1}, .padding = "valid", .dilation_rate = {1, 1, 1}, .groups = 1, \
        .activation = "linear", .use_bias = true, .kernel_initializer = "glorot_uniform",  \
        .bias_initializer = "zeros"
/** Sets `args` to CJ_CONV3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv3d_defaults(cj_conv3d_args *args);
/**
 * (depth, height, width, channels) becomes (depth', height', width', filters); the kernel is (d, h,
 * w, channels / groups, filters).
 */
CJ_API cj_layer *cj_conv3d_new(const cj_conv3d_args *args);
#define cj_conv3d(...) cj_conv3d_new(&(cj_conv3d_args){CJ_CONV3D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Conv1DTranspose: the gradient of Conv1D by its input, as a layer: what it makes is larger than
 * what it is given. Plus bias, then the activation.
 */
typedef struct cj_conv1d_transpose_args {
    CJ_LAYER_MEMBERS
    int _;               ///< what follows may be given by position
    int64_t filters;     ///< required, positive
    int64_t kernel_size; ///< required
    int64_t strides;     ///< default 1
    const char *padding; ///< "valid" (default) or "same"
    /**
     * what the output is longer than the kernel reaches, less than the strides; default
     * -1: as said below
     */
    int64_t output_padding;
    int64_t dilation_rate;            ///< default 1; only with strides of 1
    const char *activation;           ///< spec, default "linear"
    bool use_bias;                    ///< default true
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default NULL: none
    const char *bias_regularizer;     ///< spec, default NULL: none
    const char *activity_regularizer; ///< spec on the output, default NULL: none
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
} cj_conv1d_transpose_args;
/** The defaults of cj_conv1d_transpose_args. */
#define CJ_CONV1D_TRANSPOSE_DEFAULTS                                                      \
    CJ_LAYER_DEFAULTS(cj_conv1d_transpose_args),                                          \
        .strides = 1, .padding = "valid", .dilation_rate = 1, .output_padding = -1,       \
        .activation = "linear", .use_bias = true, .kernel_initializer = "glorot_uniform", \
        .bias_initializer = "zeros"
/** Sets `args` to CJ_CONV1D_TRANSPOSE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv1d_transpose_defaults(cj_conv1d_transpose_args *args);
/**
 * (steps, channels) becomes (steps', filters); the kernel is (steps, filters, channels). A length n
 * becomes n * stride with padding "same" and (n - 1) * stride + max(reach, stride) with "valid",
 * where reach = (kernel_size - 1) * dilation_rate + 1; with output_padding, (n - 1) * stride +
 * reach % 2 + output_padding and (n - 1) * stride + reach + output_padding.
 */
CJ_API cj_layer *cj_conv1d_transpose_new(const cj_conv1d_transpose_args *args);
#define cj_conv1d_transpose(...) \
    cj_conv1d_transpose_new(     \
        &(cj_conv1d_transpose_args){CJ_CONV1D_TRANSPOSE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Conv2DTranspose: the gradient of Conv2D by its input, as a layer: what it makes is larger than
 * what it is given. Plus bias, then the activation.
 */
typedef struct cj_conv2d_transpose_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t filters;        ///< required, positive
    int64_t kernel_size[2]; ///< required: height, width
    int64_t strides[2];     ///< default {1, 1}
    const char *padding;    ///< "valid" (default) or "same"
    /**
     * what the output is longer than the kernel reaches, less than the strides; default
     * {-1, -1}: as said below
     */
    int64_t output_padding[2];
    int64_t dilation_rate[2];         ///< default {1, 1}; only with strides of 1
    const char *activation;           ///< spec, default "linear"
    bool use_bias;                    ///< default true
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default NULL: none
    const char *bias_regularizer;     ///< spec, default NULL: none
    const char *activity_regularizer; ///< spec on the output, default NULL: none
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
} cj_conv2d_transpose_args;
/** The defaults of cj_conv2d_transpose_args. */
#define CJ_CONV2D_TRANSPOSE_DEFAULTS                                          \
    CJ_LAYER_DEFAULTS(cj_conv2d_transpose_args),                              \
        .strides = {1, 1}, .padding = "valid", .dilation_rate = {1, 1},       \
        .output_padding = {-1, -1}, .activation = "linear", .use_bias = true, \
        .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_CONV2D_TRANSPOSE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv2d_transpose_defaults(cj_conv2d_transpose_args *args);
/**
 * (height, width, channels) becomes (height', width', filters); the kernel is (h, w, filters,
 * channels). A length n becomes n * stride with padding "same" and (n - 1) * stride + max(reach,
 * stride) with "valid", where reach = (kernel_size - 1) * dilation_rate + 1; with output_padding,
 * (n - 1) * stride + reach % 2 + output_padding and (n - 1) * stride + reach + output_padding.
 */
CJ_API cj_layer *cj_conv2d_transpose_new(const cj_conv2d_transpose_args *args);
#define cj_conv2d_transpose(...) \
    cj_conv2d_transpose_new(     \
        &(cj_conv2d_transpose_args){CJ_CONV2D_TRANSPOSE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Conv3DTranspose: the gradient of Conv3D by its input, as a layer: what it makes is larger than
 * what it is given. Plus bias, then the activation.
 */
typedef struct cj_conv3d_transpose_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t filters;        ///< required, positive
    int64_t kernel_size[3]; ///< required: depth, height, width
    int64_t strides[3];     ///< default {1, 1, 1}
    const char *padding;    ///< "valid" (default) or "same"
    /**
     * what the output is longer than the kernel reaches, less than the strides; default
     * {-1, -1, -1}: as said below
     */
    int64_t output_padding[3];
    int64_t dilation_rate[3];         ///< default {1, 1, 1}; only with strides of 1
    const char *activation;           ///< spec, default "linear"
    bool use_bias;                    ///< default true
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default NULL: none
    const char *bias_regularizer;     ///< spec, default NULL: none
    const char *activity_regularizer; ///< spec on the output, default NULL: none
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
} cj_conv3d_transpose_args;
/** The defaults of cj_conv3d_transpose_args. */
#define CJ_CONV3D_TRANSPOSE_DEFAULTS                                              \
    CJ_LAYER_DEFAULTS(cj_conv3d_transpose_args),                                  \
        .strides = {1, 1, 1}, .padding = "valid", .dilation_rate = {1, 1, 1},     \
        .output_padding = {-1, -1, -1}, .activation = "linear", .use_bias = true, \
        .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_CONV3D_TRANSPOSE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv3d_transpose_defaults(cj_conv3d_transpose_args *args);
/**
 * (depth, height, width, channels) becomes (depth', height', width', filters); the kernel is (d, h,
 * w, filters, channels). A length n becomes n * stride with padding "same" and (n - 1) * stride +
 * max(reach, stride) with "valid", where reach = (kernel_size - 1) * dilation_rate + 1; with
 * output_padding, (n - 1) * stride + reach % 2 + output_padding and (n - 1) * stride + reach +
 * output_padding.
 */
CJ_API cj_layer *cj_conv3d_transpose_new(const cj_conv3d_transpose_args *args);
#define cj_conv3d_transpose(...) \
    cj_conv3d_transpose_new(     \
        &(cj_conv3d_transpose_args){CJ_CONV3D_TRANSPOSE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * DepthwiseConv1D: a convolution in which each filter sees one channel, plus bias, then the
 * activation.
 */
typedef struct cj_depthwise_conv1d_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t kernel_size;               ///< required
    int64_t strides;                   ///< default 1
    const char *padding;               ///< "valid" (default) or "same"
    int64_t depth_multiplier;          ///< default 1: filters to a channel
    int64_t dilation_rate;             ///< default 1; only with strides of 1
    const char *activation;            ///< spec, default "linear"
    bool use_bias;                     ///< default true
    const char *depthwise_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *depthwise_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on the output, default NULL: none
    const char *depthwise_constraint;  ///< spec, default NULL: none
    const char *bias_constraint;       ///< spec, default NULL: none
} cj_depthwise_conv1d_args;
/** The defaults of cj_depthwise_conv1d_args. */
#define CJ_DEPTHWISE_CONV1D_DEFAULTS                                                         \
    CJ_LAYER_DEFAULTS(cj_depthwise_conv1d_args),                                             \
        .strides = 1, .padding = "valid", .depth_multiplier = 1, .dilation_rate = 1,         \
        .activation = "linear", .use_bias = true, .depthwise_initializer = "glorot_uniform", \
        .bias_initializer = "zeros"
/** Sets `args` to CJ_DEPTHWISE_CONV1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_depthwise_conv1d_defaults(cj_depthwise_conv1d_args *args);
/**
 * (steps, channels) becomes (steps', channels * depth_multiplier), those of a channel side by side;
 * the kernel is (steps, channels, depth_multiplier).
 */
CJ_API cj_layer *cj_depthwise_conv1d_new(const cj_depthwise_conv1d_args *args);
#define cj_depthwise_conv1d(...) \
    cj_depthwise_conv1d_new(     \
        &(cj_depthwise_conv1d_args){CJ_DEPTHWISE_CONV1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * DepthwiseConv2D: a convolution in which each filter sees one channel, plus bias, then the
 * activation.
 */
typedef struct cj_depthwise_conv2d_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t kernel_size[2];            ///< required: height, width
    int64_t strides[2];                ///< default {1, 1}
    const char *padding;               ///< "valid" (default) or "same"
    int64_t depth_multiplier;          ///< default 1: filters to a channel
    int64_t dilation_rate[2];          ///< default {1, 1}; only with strides of 1
    const char *activation;            ///< spec, default "linear"
    bool use_bias;                     ///< default true
    const char *depthwise_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *depthwise_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on the output, default NULL: none
    const char *depthwise_constraint;  ///< spec, default NULL: none
    const char *bias_constraint;       ///< spec, default NULL: none
} cj_depthwise_conv2d_args;
/** The defaults of cj_depthwise_conv2d_args. */
#define CJ_DEPTHWISE_CONV2D_DEFAULTS                                                           \
    CJ_LAYER_DEFAULTS(cj_depthwise_conv2d_args),                                               \
        .strides = {1, 1}, .padding = "valid", .depth_multiplier = 1, .dilation_rate = {1, 1}, \
        .activation = "linear", .use_bias = true, .depthwise_initializer = "glorot_uniform",   \
        .bias_initializer = "zeros"
/** Sets `args` to CJ_DEPTHWISE_CONV2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_depthwise_conv2d_defaults(cj_depthwise_conv2d_args *args);
/**
 * (height, width, channels) becomes (height', width', channels * depth_multiplier), those of a
 * channel side by side; the kernel is (h, w, channels, depth_multiplier).
 */
CJ_API cj_layer *cj_depthwise_conv2d_new(const cj_depthwise_conv2d_args *args);
#define cj_depthwise_conv2d(...) \
    cj_depthwise_conv2d_new(     \
        &(cj_depthwise_conv2d_args){CJ_DEPTHWISE_CONV2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * SeparableConv1D: a depthwise convolution, then one of a single pixel that mixes the channels,
 * plus bias, then the activation.
 */
typedef struct cj_separable_conv1d_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t filters;                   ///< required, positive
    int64_t kernel_size;               ///< required
    int64_t strides;                   ///< default 1
    const char *padding;               ///< "valid" (default) or "same"
    int64_t dilation_rate;             ///< default 1; only with strides of 1
    int64_t depth_multiplier;          ///< default 1: filters of the first step to a channel
    const char *activation;            ///< spec, default "linear"
    bool use_bias;                     ///< default true
    const char *depthwise_initializer; ///< spec, default "glorot_uniform"
    const char *pointwise_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *depthwise_regularizer; ///< spec, default NULL: none
    const char *pointwise_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on the output, default NULL: none
    const char *depthwise_constraint;  ///< spec, default NULL: none
    const char *pointwise_constraint;  ///< spec, default NULL: none
    const char *bias_constraint;       ///< spec, default NULL: none
} cj_separable_conv1d_args;
/** The defaults of cj_separable_conv1d_args. */
#define CJ_SEPARABLE_CONV1D_DEFAULTS                                                         \
    CJ_LAYER_DEFAULTS(cj_separable_conv1d_args),                                             \
        .strides = 1, .padding = "valid", .dilation_rate = 1, .depth_multiplier = 1,         \
        .activation = "linear", .use_bias = true, .depthwise_initializer = "glorot_uniform", \
        .pointwise_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_SEPARABLE_CONV1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_separable_conv1d_defaults(cj_separable_conv1d_args *args);
/**
 * (steps, channels) becomes (steps', filters). The kernels are (steps, channels, depth_multiplier)
 * and (1, channels * depth_multiplier, filters).
 */
CJ_API cj_layer *cj_separable_conv1d_new(const cj_separable_conv1d_args *args);
#define cj_separable_conv1d(...) \
    cj_separable_conv1d_new(     \
        &(cj_separable_conv1d_args){CJ_SEPARABLE_CONV1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * SeparableConv2D: a depthwise convolution, then one of a single pixel that mixes the channels,
 * plus bias, then the activation.
 */
typedef struct cj_separable_conv2d_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t filters;                   ///< required, positive
    int64_t kernel_size[2];            ///< required: height, width
    int64_t strides[2];                ///< default {1, 1}
    const char *padding;               ///< "valid" (default) or "same"
    int64_t dilation_rate[2];          ///< default {1, 1}; only with strides of 1
    int64_t depth_multiplier;          ///< default 1: filters of the first step to a channel
    const char *activation;            ///< spec, default "linear"
    bool use_bias;                     ///< default true
    const char *depthwise_initializer; ///< spec, default "glorot_uniform"
    const char *pointwise_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *depthwise_regularizer; ///< spec, default NULL: none
    const char *pointwise_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on the output, default NULL: none
    const char *depthwise_constraint;  ///< spec, default NULL: none
    const char *pointwise_constraint;  ///< spec, default NULL: none
    const char *bias_constraint;       ///< spec, default NULL: none
} cj_separable_conv2d_args;
/** The defaults of cj_separable_conv2d_args. */
#define CJ_SEPARABLE_CONV2D_DEFAULTS                                                           \
    CJ_LAYER_DEFAULTS(cj_separable_conv2d_args),                                               \
        .strides = {1, 1}, .padding = "valid", .dilation_rate = {1, 1}, .depth_multiplier = 1, \
        .activation = "linear", .use_bias = true, .depthwise_initializer = "glorot_uniform",   \
        .pointwise_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_SEPARABLE_CONV2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_separable_conv2d_defaults(cj_separable_conv2d_args *args);
/**
 * (height, width, channels) becomes (height', width', filters). The kernels are (h, w, channels,
 * depth_multiplier) and (1, 1, channels * depth_multiplier, filters).
 */
CJ_API cj_layer *cj_separable_conv2d_new(const cj_separable_conv2d_args *args);
#define cj_separable_conv2d(...) \
    cj_separable_conv2d_new(     \
        &(cj_separable_conv2d_args){CJ_SEPARABLE_CONV2D_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
