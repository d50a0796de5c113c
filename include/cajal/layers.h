/**
 * @file layers.h
 * Layers: Keras's vocabulary, one constructor each.
 *
 * A layer is a named, configured object with variables. It gets its variables when it first sees an
 * input shape, and may be applied several times: the applications then share them. Names,
 * arguments, defaults and semantics are Keras's (3.15); each arguments struct below is also the
 * layer's JSON config.
 *
 * `cj_dense(32, .activation = "relu", .use_bias = false)` is a macro over
 * cj_dense_new(&(cj_dense_args){CJ_DENSE_DEFAULTS, ...}): the first members are given by position,
 * the others by name, and a member that is left out has its default (base.h, "Arguments"). An axis
 * list such as `{3, 3}` may be written in place; a pair whose second entry is left out repeats the
 * first, so `{3}` is `{3, 3}`.
 *
 * Layers have the bare names (`cj_add`, `cj_relu`, `cj_reshape`), as in keras.layers; operators on
 * symbols are `cj_op_add`, `cj_op_relu`, ... (graph.h), as in keras.ops.
 *
 * Strings that choose something (activation, initializer, regularizer, constraint) are *specs*: a
 * Keras name, alone or with arguments, as in "relu", "leaky_relu(negative_slope=0.1)",
 * "random_normal(stddev=0.05)", "l1_l2(l1=1e-5, l2=1e-4)"; a first argument may go without its key:
 * "l2(1e-4)". NULL is Keras's None: no activation, no regularizer, no constraint, and for an
 * initializer "glorot_uniform". All strings are copied.
 *
 * Shapes below leave out the batch axis unless they say otherwise. Every constructor returns a
 * floating object, or NULL with CJ_INVALID_ARGUMENT (an argument missing or out of range, an
 * unknown name) or CJ_OUT_OF_MEMORY as cj_error_status(). Constructors may be called by several
 * threads at once.
 */
#ifndef CAJAL_LAYERS_H
#define CAJAL_LAYERS_H

#include <cajal/graph.h>
#include <cajal/numbers.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A layer; a model is one too (model.h). */
typedef struct cj_layer cj_layer;

/**
 * The head of every layer's arguments. `name` is unique in a model; NULL (the default) is the
 * class's name, then "dense_1", ... `dtype` is a dtype policy, "float32" (the default, also for
 * NULL) or "mixed_bfloat16": see cj_set_dtype_policy(). Of a layer that is not `trainable` training
 * leaves the variables as they are. `reserved` is room for members to come, and is zero.
 */
#define CJ_LAYER_MEMBERS                                                                        \
    size_t size;          /**< bytes of the struct, by which the library tells older callers */ \
    const char *name;     /**< default NULL: made from the class name */                        \
    const char *dtype;    /**< default "float32" */                                             \
    bool trainable;       /**< default true */                                                  \
    uint64_t reserved[4]; /**< zero */

/** The defaults of CJ_LAYER_MEMBERS in the arguments struct `type`. */
#define CJ_LAYER_DEFAULTS(type) .size = sizeof(type), .dtype = "float32", .trainable = true

/**
 * Input: the shape and dtype of what a model is given. `dtype` is that of the data: bytes stay
 * bytes with "uint8", labels and tokens have "int32". `name` NULL is "input_layer"; `trainable`
 * changes nothing.
 */
typedef struct cj_input_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * lengths without the batch axis, ended by 0; CJ_ANY for one that is free, such as the number of
     * steps of sequences: every call may have another
     */
    int64_t shape[CJ_MAX_RANK];
    int64_t batch_size; ///< fixed batch size; default 0: any
} cj_input_args;
/** A length that is free, as Keras's None: `cj_input(CJ_ANY, 16)`. */
#define CJ_ANY            (-1)
/** The defaults of cj_input_args. */
#define CJ_INPUT_DEFAULTS CJ_LAYER_DEFAULTS(cj_input_args)
/** Sets `args` to CJ_INPUT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_input_defaults(cj_input_args *args);
/** The first layer of a sequential model. */
CJ_API cj_layer *cj_input_new(const cj_input_args *args);
/**
 * `cj_input(28, 28, 1, .dtype = "uint8")`: the lengths without the batch axis, at least one, then
 * other members by name.
 */
#define cj_input(...) cj_input_new(&(cj_input_args){CJ_INPUT_DEFAULTS, .shape[0] = __VA_ARGS__})

/** The symbol that a functional model starts from; what keras.Input() returns. */
CJ_API cj_symbol *cj_input_symbol_new(const cj_input_args *args);
/** `cj_symbol *noise = cj_input_symbol(100);` */
#define cj_input_symbol(...) \
    cj_input_symbol_new(&(cj_input_args){CJ_INPUT_DEFAULTS, .shape[0] = __VA_ARGS__})

/** Rescaling: x * scale + offset, to float32. Bytes are converted here, in one pass. */
typedef struct cj_rescaling_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    double scale;  ///< required, unless `scales` are given
    double offset; ///< default 0
    /** a scale for each entry of the last axis, in place of `scale`; default none */
    cj_numbers scales;
    cj_numbers offsets; ///< likewise in place of `offset`; default none
} cj_rescaling_args;
/** The defaults of cj_rescaling_args. */
#define CJ_RESCALING_DEFAULTS CJ_LAYER_DEFAULTS(cj_rescaling_args), .scale = NAN
/** Sets `args` to CJ_RESCALING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rescaling_defaults(cj_rescaling_args *args);
/** Any shape, which stays. */
CJ_API cj_layer *cj_rescaling_new(const cj_rescaling_args *args);
#define cj_rescaling(...) \
    cj_rescaling_new(&(cj_rescaling_args){CJ_RESCALING_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Dense: activation(x W + b), W of shape (inputs, units). */
typedef struct cj_dense_args {
    CJ_LAYER_MEMBERS
    int _;                          ///< what follows may be given by position
    int64_t units;                  ///< required, positive
    const char *activation;         ///< spec, default "linear"
    bool use_bias;                  ///< default true
    const char *kernel_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;   ///< spec, default "zeros"
    const char *kernel_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;   ///< spec, default NULL: none
    /** spec on the output, divided by the batch size; default NULL: none */
    const char *activity_regularizer;
    const char *kernel_constraint; ///< spec, default NULL: none
    const char *bias_constraint;   ///< spec, default NULL: none
} cj_dense_args;
/** The defaults of cj_dense_args. */
#define CJ_DENSE_DEFAULTS                                                       \
    CJ_LAYER_DEFAULTS(cj_dense_args), .activation = "linear", .use_bias = true, \
                                      .kernel_initializer = "glorot_uniform",   \
                                      .bias_initializer = "zeros"
/** Sets `args` to CJ_DENSE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dense_defaults(cj_dense_args *args);
/** (..., inputs) becomes (..., units). */
CJ_API cj_layer *cj_dense_new(const cj_dense_args *args);
#define cj_dense(...) cj_dense_new(&(cj_dense_args){CJ_DENSE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Conv2D: cross-correlation over the two middle axes, plus bias, then the activation. Channels
 * last.
 */
typedef struct cj_conv2d_args {
    CJ_LAYER_MEMBERS
    int _;                    ///< what follows may be given by position
    int64_t filters;          ///< required, positive
    int64_t kernel_size[2];   ///< required: height, width
    int64_t strides[2];       ///< default {1, 1}
    const char *padding;      ///< "valid" (default) or "same"
    int64_t dilation_rate[2]; ///< default {1, 1}; only with strides of 1
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
} cj_conv2d_args;
/** The defaults of cj_conv2d_args. */
#define CJ_CONV2D_DEFAULTS                                                                \
    CJ_LAYER_DEFAULTS(cj_conv2d_args),                                                    \
        .strides = {1, 1}, .padding = "valid", .dilation_rate = {1, 1}, .groups = 1,      \
        .activation = "linear", .use_bias = true, .kernel_initializer = "glorot_uniform", \
        .bias_initializer = "zeros"
/** Sets `args` to CJ_CONV2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv2d_defaults(cj_conv2d_args *args);
/**
 * (height, width, channels) becomes (height', width', filters); the kernel is (h, w, channels /
 * groups, filters).
 */
CJ_API cj_layer *cj_conv2d_new(const cj_conv2d_args *args);
#define cj_conv2d(...) cj_conv2d_new(&(cj_conv2d_args){CJ_CONV2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** MaxPooling2D and AveragePooling2D: the maximum or mean of each window; padding never counts. */
typedef struct cj_pooling2d_args {
    CJ_LAYER_MEMBERS
    int _;                ///< what follows may be given by position
    int64_t pool_size[2]; ///< default {2, 2}
    int64_t strides[2];   ///< default {0, 0}: pool_size
    /** "valid" (default: partial windows are dropped) or "same" (they are kept) */
    const char *padding;
} cj_pooling2d_args;
/** The defaults of cj_pooling2d_args. */
#define CJ_POOLING2D_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_pooling2d_args), .pool_size = {2, 2}, .padding = "valid"
/** Sets `args` to CJ_POOLING2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_pooling2d_defaults(cj_pooling2d_args *args);
/** The maximum of each window, per channel. */
CJ_API cj_layer *cj_max_pooling2d_new(const cj_pooling2d_args *args);
#define cj_max_pooling2d(...) \
    cj_max_pooling2d_new(&(cj_pooling2d_args){CJ_POOLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})
/** The mean of the real elements of each window, per channel. */
CJ_API cj_layer *cj_average_pooling2d_new(const cj_pooling2d_args *args);
#define cj_average_pooling2d(...) \
    cj_average_pooling2d_new(&(cj_pooling2d_args){CJ_POOLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** GlobalMaxPooling2D and GlobalAveragePooling2D. */
typedef struct cj_global_pooling2d_args {
    CJ_LAYER_MEMBERS
    int _;         ///< what follows may be given by position
    bool keepdims; ///< default false; true: (1, 1, channels) instead of (channels)
} cj_global_pooling2d_args;
/** The defaults of cj_global_pooling2d_args. */
#define CJ_GLOBAL_POOLING2D_DEFAULTS CJ_LAYER_DEFAULTS(cj_global_pooling2d_args)
/** Sets `args` to CJ_GLOBAL_POOLING2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_global_pooling2d_defaults(cj_global_pooling2d_args *args);
/** (height, width, channels) becomes (channels): the maximum. */
CJ_API cj_layer *cj_global_max_pooling2d_new(const cj_global_pooling2d_args *args);
#define cj_global_max_pooling2d(...) \
    cj_global_max_pooling2d_new(     \
        &(cj_global_pooling2d_args){CJ_GLOBAL_POOLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})
/** (height, width, channels) becomes (channels): the mean. */
CJ_API cj_layer *cj_global_average_pooling2d_new(const cj_global_pooling2d_args *args);
#define cj_global_average_pooling2d(...) \
    cj_global_average_pooling2d_new(     \
        &(cj_global_pooling2d_args){CJ_GLOBAL_POOLING2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Flatten. */
typedef struct cj_flatten_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
} cj_flatten_args;
/** The defaults of cj_flatten_args. */
#define CJ_FLATTEN_DEFAULTS CJ_LAYER_DEFAULTS(cj_flatten_args)
/** Sets `args` to CJ_FLATTEN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_flatten_defaults(cj_flatten_args *args);
/** Any shape becomes one axis; a scalar per sample becomes (1). */
CJ_API cj_layer *cj_flatten_new(const cj_flatten_args *args);
#define cj_flatten(...) cj_flatten_new(&(cj_flatten_args){CJ_FLATTEN_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Reshape. */
typedef struct cj_reshape_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** lengths without the batch axis, ended by 0; one may be -1 */
    int64_t target_shape[CJ_MAX_RANK];
} cj_reshape_args;
/** The defaults of cj_reshape_args. */
#define CJ_RESHAPE_DEFAULTS CJ_LAYER_DEFAULTS(cj_reshape_args)
/** Sets `args` to CJ_RESHAPE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_reshape_defaults(cj_reshape_args *args);
/** The same elements in another shape: `cj_reshape({28, 28})`. */
CJ_API cj_layer *cj_reshape_new(const cj_reshape_args *args);
#define cj_reshape(...) cj_reshape_new(&(cj_reshape_args){CJ_RESHAPE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Activation. */
typedef struct cj_activation_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    const char *activation; ///< spec, required
} cj_activation_args;
/** The defaults of cj_activation_args. */
#define CJ_ACTIVATION_DEFAULTS CJ_LAYER_DEFAULTS(cj_activation_args)
/** Sets `args` to CJ_ACTIVATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_activation_defaults(cj_activation_args *args);
/** An activation as a layer of its own: `cj_activation("tanh")`. */
CJ_API cj_layer *cj_activation_new(const cj_activation_args *args);
#define cj_activation(...) \
    cj_activation_new(&(cj_activation_args){CJ_ACTIVATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ReLU: max_value above it, x from threshold on, negative_slope * (x - threshold) below. */
typedef struct cj_relu_args {
    CJ_LAYER_MEMBERS
    int _;                 ///< what follows may be given by position
    double max_value;      ///< not negative; default INFINITY: no limit
    double negative_slope; ///< default 0
    double threshold;      ///< default 0
} cj_relu_args;
/** The defaults of cj_relu_args. */
#define CJ_RELU_DEFAULTS CJ_LAYER_DEFAULTS(cj_relu_args), .max_value = INFINITY
/** Sets `args` to CJ_RELU_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_relu_defaults(cj_relu_args *args);
/** `cj_relu()`. */
CJ_API cj_layer *cj_relu_new(const cj_relu_args *args);
#define cj_relu(...) cj_relu_new(&(cj_relu_args){CJ_RELU_DEFAULTS, ._ = 0, __VA_ARGS__})

/** LeakyReLU: x where positive, negative_slope * x elsewhere. */
typedef struct cj_leaky_relu_args {
    CJ_LAYER_MEMBERS
    int _;                 ///< what follows may be given by position
    double negative_slope; ///< default 0.3
} cj_leaky_relu_args;
/** The defaults of cj_leaky_relu_args. */
#define CJ_LEAKY_RELU_DEFAULTS CJ_LAYER_DEFAULTS(cj_leaky_relu_args), .negative_slope = 0.3
/** Sets `args` to CJ_LEAKY_RELU_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_leaky_relu_defaults(cj_leaky_relu_args *args);
/** `cj_leaky_relu(0.2)`. */
CJ_API cj_layer *cj_leaky_relu_new(const cj_leaky_relu_args *args);
#define cj_leaky_relu(...) \
    cj_leaky_relu_new(&(cj_leaky_relu_args){CJ_LEAKY_RELU_DEFAULTS, ._ = 0, __VA_ARGS__})

/** ELU: x where positive, alpha * (exp(x) - 1) elsewhere. */
typedef struct cj_elu_args {
    CJ_LAYER_MEMBERS
    int _;        ///< what follows may be given by position
    double alpha; ///< default 1
} cj_elu_args;
/** The defaults of cj_elu_args. */
#define CJ_ELU_DEFAULTS CJ_LAYER_DEFAULTS(cj_elu_args), .alpha = 1
/** Sets `args` to CJ_ELU_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_elu_defaults(cj_elu_args *args);
/** `cj_elu()`. */
CJ_API cj_layer *cj_elu_new(const cj_elu_args *args);
#define cj_elu(...) cj_elu_new(&(cj_elu_args){CJ_ELU_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Softmax. */
typedef struct cj_softmax_args {
    CJ_LAYER_MEMBERS
    int _;    ///< what follows may be given by position
    int axis; ///< default -1, the last; counts the batch axis when positive
} cj_softmax_args;
/** The defaults of cj_softmax_args. */
#define CJ_SOFTMAX_DEFAULTS CJ_LAYER_DEFAULTS(cj_softmax_args), .axis = -1
/** Sets `args` to CJ_SOFTMAX_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_softmax_defaults(cj_softmax_args *args);
/** exp(x) divided by its sum along an axis. */
CJ_API cj_layer *cj_softmax_new(const cj_softmax_args *args);
#define cj_softmax(...) cj_softmax_new(&(cj_softmax_args){CJ_SOFTMAX_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Dropout: in training, each element is zero with probability `rate` and divided by 1 - rate
 * otherwise.
 */
typedef struct cj_dropout_args {
    CJ_LAYER_MEMBERS
    int _;       ///< what follows may be given by position
    double rate; ///< 0 to 1, default 0; 1 gives zeros
    /** shape of the mask with the batch axis, 1 to share, -1 for the input's; ended by 0 */
    int64_t noise_shape[CJ_MAX_RANK];
    int64_t seed; ///< not negative; default -1: from the model's seed and the layer's place
} cj_dropout_args;
/** The defaults of cj_dropout_args. */
#define CJ_DROPOUT_DEFAULTS CJ_LAYER_DEFAULTS(cj_dropout_args), .seed = -1
/** Sets `args` to CJ_DROPOUT_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_dropout_defaults(cj_dropout_args *args);
/** Any shape, which stays. Does nothing when predicting. */
CJ_API cj_layer *cj_dropout_new(const cj_dropout_args *args);
#define cj_dropout(...) cj_dropout_new(&(cj_dropout_args){CJ_DROPOUT_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * BatchNormalization: gamma * (x - mean) / sqrt(variance + epsilon) + beta, per entry of `axis`.
 */
typedef struct cj_batch_normalization_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default -1, the last; counts the batch axis when positive */
    int axis;
    double momentum;               ///< default 0.99: weight of the old value in a moving average
    double epsilon;                ///< default 0.001
    bool center;                   ///< default true: learn beta
    bool scale;                    ///< default true: learn gamma
    const char *beta_initializer;  ///< spec, default "zeros"
    const char *gamma_initializer; ///< spec, default "ones"
    const char *moving_mean_initializer;     ///< spec, default "zeros"
    const char *moving_variance_initializer; ///< spec, default "ones"
    const char *beta_regularizer;            ///< spec, default NULL: none
    const char *gamma_regularizer;           ///< spec, default NULL: none
    const char *beta_constraint;             ///< spec, default NULL: none
    const char *gamma_constraint;            ///< spec, default NULL: none
} cj_batch_normalization_args;
/** The defaults of cj_batch_normalization_args. */
#define CJ_BATCH_NORMALIZATION_DEFAULTS                                                \
    CJ_LAYER_DEFAULTS(cj_batch_normalization_args),                                    \
        .axis = -1, .momentum = 0.99, .epsilon = 0.001, .center = true, .scale = true, \
        .beta_initializer = "zeros", .gamma_initializer = "ones",                      \
        .moving_mean_initializer = "zeros", .moving_variance_initializer = "ones"
/**
 * Sets `args` to CJ_BATCH_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_batch_normalization_defaults(cj_batch_normalization_args *args);
/** Uses the batch's statistics in training, if trainable, and moving averages otherwise. */
CJ_API cj_layer *cj_batch_normalization_new(const cj_batch_normalization_args *args);
#define cj_batch_normalization(...) \
    cj_batch_normalization_new(     \
        &(cj_batch_normalization_args){CJ_BATCH_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * LayerNormalization: gamma * (x - mean) / sqrt(variance + epsilon) + beta, with the mean and the
 * (biased) variance over the axes `axis` of each sample (Ba et al. 2016, "Layer Normalization").
 * gamma and beta have the lengths of these axes.
 */
typedef struct cj_layer_normalization_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** default {-1}, the last; counts the batch axis when positive; ended by 0 */
    int64_t axis[CJ_MAX_RANK];
    double epsilon;                ///< default 0.001
    bool center;                   ///< default true: learn beta
    bool scale;                    ///< default true: learn gamma
    const char *beta_initializer;  ///< spec, default "zeros"
    const char *gamma_initializer; ///< spec, default "ones"
    const char *beta_regularizer;  ///< spec, default NULL: none
    const char *gamma_regularizer; ///< spec, default NULL: none
    const char *beta_constraint;   ///< spec, default NULL: none
    const char *gamma_constraint;  ///< spec, default NULL: none
} cj_layer_normalization_args;
/** The defaults of cj_layer_normalization_args. */
#define CJ_LAYER_NORMALIZATION_DEFAULTS                                \
    CJ_LAYER_DEFAULTS(cj_layer_normalization_args),                    \
        .axis = {-1}, .epsilon = 0.001, .center = true, .scale = true, \
        .beta_initializer = "zeros", .gamma_initializer = "ones"
/**
 * Sets `args` to CJ_LAYER_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine.
 */
CJ_API void cj_layer_normalization_defaults(cj_layer_normalization_args *args);
/** Any shape of at least one axis, which stays. */
CJ_API cj_layer *cj_layer_normalization_new(const cj_layer_normalization_args *args);
#define cj_layer_normalization(...) \
    cj_layer_normalization_new(     \
        &(cj_layer_normalization_args){CJ_LAYER_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Embedding: rows of a learned table. */
typedef struct cj_embedding_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /** required: number of rows; an index outside fails the call */
    int64_t input_dim;
    int64_t output_dim;                 ///< required: length of a row
    const char *embeddings_initializer; ///< spec, default "uniform" (-0.05 to 0.05)
    const char *embeddings_regularizer; ///< spec, default NULL: none
    bool mask_zero; ///< default false; true: index 0 is padding, and masks later layers
    const char *embeddings_constraint; ///< spec, default NULL: none
} cj_embedding_args;
/** The defaults of cj_embedding_args. */
#define CJ_EMBEDDING_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_embedding_args), .embeddings_initializer = "uniform"
/** Sets `args` to CJ_EMBEDDING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_embedding_defaults(cj_embedding_args *args);
/** Indices (...) become rows (..., output_dim). */
CJ_API cj_layer *cj_embedding_new(const cj_embedding_args *args);
#define cj_embedding(...) \
    cj_embedding_new(&(cj_embedding_args){CJ_EMBEDDING_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Add: settings of merging layers that have none but the common ones. */
typedef struct cj_merge_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
} cj_merge_args;
/** The defaults of cj_merge_args. */
#define CJ_MERGE_DEFAULTS CJ_LAYER_DEFAULTS(cj_merge_args)
/** Sets `args` to CJ_MERGE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_merge_defaults(cj_merge_args *args);
/** The element-wise sum of several inputs: apply it with cj_apply_many() or cj_merge(). */
CJ_API cj_layer *cj_add_new(const cj_merge_args *args);
#define cj_add(...) cj_add_new(&(cj_merge_args){CJ_MERGE_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Concatenate. */
typedef struct cj_concatenate_args {
    CJ_LAYER_MEMBERS
    int _;    ///< what follows may be given by position
    int axis; ///< default -1, the last; counts the batch axis when positive
} cj_concatenate_args;
/** The defaults of cj_concatenate_args. */
#define CJ_CONCATENATE_DEFAULTS CJ_LAYER_DEFAULTS(cj_concatenate_args), .axis = -1
/** Sets `args` to CJ_CONCATENATE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_concatenate_defaults(cj_concatenate_args *args);
/** Several inputs side by side along an axis: apply it with cj_apply_many() or cj_merge(). */
CJ_API cj_layer *cj_concatenate_new(const cj_concatenate_args *args);
#define cj_concatenate(...) \
    cj_concatenate_new(&(cj_concatenate_args){CJ_CONCATENATE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Applies a layer or model to one symbol and returns its (first) output. NULL passes through.
 * Unlike other builders, an application that fails keeps what it was given until this thread's next
 * cj_functional_new(), as later lines of a model may name the same symbols and layers: so write the
 * whole model, and look at what cj_functional() returns.
 */
CJ_API cj_symbol *cj_apply(cj_layer *layer, cj_symbol *input);

/**
 * Applies a layer to `count` inputs; writes up to `output_capacity` outputs, floating. One of
 * CJ_OK, CJ_INVALID_ARGUMENT (a NULL; another number of inputs than the layer takes),
 * CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY, or the first cause if an input is NULL because a builder
 * failed. On failure all outputs are NULL.
 */
CJ_API cj_status cj_apply_many(cj_layer *layer, cj_symbol *const *inputs, int count,
                               cj_symbol **outputs, int output_capacity);

/** `cj_merge(cj_add(), a, b)`: a merging layer applied to several symbols. */
#define cj_merge(layer, ...)                           \
    cj_apply_list(layer, (cj_symbol *[]){__VA_ARGS__}, \
                  (int)(sizeof((cj_symbol *[]){__VA_ARGS__}) / sizeof(void *)))
/** Applies a merging layer to `count` inputs and returns its first output; NULL on failure. */
CJ_API cj_symbol *cj_apply_list(cj_layer *layer, cj_symbol *const *inputs, int count);

/**
 * The name of a layer; valid as long as the layer; "" for NULL. The layer may get another when it
 * joins a model.
 */
CJ_API const char *cj_layer_name(const cj_layer *layer);

/** The class of a layer as Keras spells it, such as "Conv2D"; "" for NULL. Static memory. */
CJ_API const char *cj_layer_class(const cj_layer *layer);

/**
 * The number of variables of a built layer, those of nested layers included; 0 before it is built.
 */
CJ_API int cj_layer_variable_count(const cj_layer *layer);

/**
 * Variable `index` in Keras's order (trainable first, then the others, each in order of creation);
 * NULL if out of range.
 */
CJ_API cj_variable *cj_layer_variable(const cj_layer *layer, int index);

/**
 * Sets the states of stateful layers (cj_simple_rnn(.stateful = true)) back to zero, in a layer and
 * all it contains; other layers are left alone. Between two calls of this, a stateful layer starts
 * each batch where the batch before it stopped, in cj_fit(), cj_evaluate() and cj_predict() alike.
 *
 * @param layer a layer, or a model by cj_model_layer()
 * @return CJ_OK, or CJ_INVALID_ARGUMENT if `layer` is NULL.
 *
 * Not while another thread uses the layer. A stateful layer predicts from one thread at a time.
 */
CJ_API cj_status cj_reset_states(cj_layer *layer);

/**
 * Freezes or thaws a layer and all it contains. A model keeps the flags that it was compiled with:
 * compile again to change. One of CJ_OK, CJ_INVALID_ARGUMENT (NULL).
 */
CJ_API cj_status cj_set_trainable(cj_layer *layer, bool trainable);

/** Whether a layer is trainable; false for NULL. */
CJ_API bool cj_trainable(const cj_layer *layer);

/**
 * Gives a layer and all it contains a dtype policy: "float32", or "mixed_bfloat16" as Keras means
 * it (keras.DTypePolicy, keras/src/dtype_policies). Then variables stay float32, and so do
 * gradients as the optimizer sees them, losses and metrics; what a layer computes with, and gives,
 * is rounded to bfloat16: its inputs and weights where they enter, its outputs, and the gradients
 * that go back through them. Between these the layer computes in float32: a Dense rounds once,
 * after bias and activation. BatchNormalization takes its variables as they are. A bfloat16 value
 * is held as the float32 number that it is, so tensors keep the dtype float32.
 *
 * It counts where the layer is traced next: call it before cj_compile() and before the first
 * prediction. New layers get theirs by the member `.dtype`; layers made afterwards are not
 * concerned, for there is no global policy.
 *
 * @param layer  a layer, or a model by cj_model_layer()
 * @param policy "float32" or "mixed_bfloat16"; copied
 * @return CJ_OK, CJ_INVALID_ARGUMENT if `layer` is NULL or there is no such policy,
 *         CJ_OUT_OF_MEMORY.
 *
 * Not while another thread uses the layer.
 */
CJ_API cj_status cj_set_dtype_policy(cj_layer *layer, const char *policy);

/**
 * The name of a layer's own dtype policy, "float32" or "mixed_bfloat16"; "" for NULL. Static
 * memory.
 */
CJ_API const char *cj_dtype_policy(const cj_layer *layer);

#ifdef __cplusplus
}
#endif

#include <cajal/recurrent.h> // SimpleRNN among them

#endif
