/**
 * @file layers.h
 * Layers: Keras's vocabulary, one constructor each.
 *
 * A layer is a named, configured object with variables. It gets its variables when it first sees an
 * input shape, and may be applied several times: then the applications share them. Names,
 * arguments, defaults and semantics are Keras's (3.15); each arguments struct below is also the
 * layer's JSON config.
 *
 * `cj_dense(32, .activation = "relu")` is a macro over cj_dense_new(&(cj_dense_args){...}): the
 * first members are given by position, the others by name, and a member left out is zero, which
 * means its default. An axis list such as `{3, 3}` may be written in place; a pair whose second
 * entry is left out repeats the first, so `{3}` is `{3, 3}`.
 *
 * Strings that choose something (activation, initializer, regularizer) are *specs*: a Keras name,
 * alone or with arguments, as in "relu", "leaky_relu(negative_slope=0.1)",
 * "random_normal(stddev=0.05)", "l1_l2(l1=1e-5, l2=1e-4)"; a first argument may go without its key:
 * "l2(1e-4)". All strings are copied.
 *
 * Shapes below leave out the batch axis unless they say otherwise. Every constructor returns a
 * floating object, or NULL with a sentence for a bad argument or without memory.
 */
#ifndef CAJAL_LAYERS_H
#define CAJAL_LAYERS_H

#include <cajal/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A layer; a model is one too (model.h). */
typedef struct cj_layer cj_layer;

/**
 * Members that every layer has. `name` is unique in a model; left out, it is the class's name, then
 * "dense_1", ...
 */
#define CJ_LAYER_MEMBERS                                           \
    const char *name;    /**< default: made from the class name */ \
    cj_switch trainable; /**< default CJ_ON */                     \
    const char *                                                   \
        dtype; /**< dtype policy, "float32" (default) or "mixed_bfloat16": see cj_set_dtype_policy() */

/** Input: the shape and dtype of what a model is given. */
typedef struct cj_input_args {
    int _;                      ///< unused
    int64_t shape[CJ_MAX_RANK]; ///< lengths without the batch axis, ended by 0
    /** default "float32"; bytes stay bytes with "uint8", labels and tokens with "int32" */
    const char *dtype;
    const char *name;   ///< default "input_layer"
    int64_t batch_size; ///< fixed batch size, 0 for any
} cj_input_args;

/** The first layer of a sequential model. */
CJ_API cj_layer *cj_input_new(const cj_input_args *args);
/**
 * `cj_input(28, 28, 1)`: the lengths without the batch axis. For other settings use
 * cj_input_with().
 */
#define cj_input(...)      cj_input_new(&(cj_input_args){.shape = {__VA_ARGS__}})
/** `cj_input_with(.shape = {28, 28, 1}, .dtype = "uint8")`. */
#define cj_input_with(...) cj_input_new(&(cj_input_args){._ = 0, __VA_ARGS__})

/** The symbol that a functional model starts from; what keras.Input() returns. */
CJ_API cj_symbol *cj_input_symbol_new(const cj_input_args *args);
/** `cj_symbol *noise = cj_input_symbol(100);` */
#define cj_input_symbol(...) cj_input_symbol_new(&(cj_input_args){.shape = {__VA_ARGS__}})

/** Rescaling: x * scale + offset, to float32. Bytes are converted here, in one pass. */
typedef struct cj_rescaling_args {
    int _;
    double scale;  ///< required
    double offset; ///< default 0
    CJ_LAYER_MEMBERS
} cj_rescaling_args;
/** Any shape, which stays. */
CJ_API cj_layer *cj_rescaling_new(const cj_rescaling_args *args);
#define cj_rescaling(...) cj_rescaling_new(&(cj_rescaling_args){._ = 0, __VA_ARGS__})

/** Dense: activation(x W + b), W of shape (inputs, units). */
typedef struct cj_dense_args {
    int _;
    int64_t units;                  ///< required, positive
    const char *activation;         ///< spec, default "linear"
    cj_switch use_bias;             ///< default CJ_ON
    const char *kernel_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;   ///< spec, default "zeros"
    const char *kernel_regularizer; ///< spec, default none
    const char *bias_regularizer;   ///< spec, default none
    /** spec on the output, divided by the batch size; default none */
    const char *activity_regularizer;
    CJ_LAYER_MEMBERS
} cj_dense_args;
/** (..., inputs) becomes (..., units). */
CJ_API cj_layer *cj_dense_new(const cj_dense_args *args);
#define cj_dense(...) cj_dense_new(&(cj_dense_args){._ = 0, __VA_ARGS__})

/**
 * Conv2D: cross-correlation over the two middle axes, plus bias, then the activation. Channels
 * last.
 */
typedef struct cj_conv2d_args {
    int _;
    int64_t filters;          ///< required, positive
    int64_t kernel_size[2];   ///< required: height, width
    int64_t strides[2];       ///< default {1, 1}
    const char *padding;      ///< "valid" (default) or "same"
    int64_t dilation_rate[2]; ///< default {1, 1}; only with strides of 1
    /** default 1; divides both the input's channels and `filters` */
    int64_t groups;
    const char *activation;           ///< spec, default "linear"
    cj_switch use_bias;               ///< default CJ_ON
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default none
    const char *bias_regularizer;     ///< spec, default none
    const char *activity_regularizer; ///< spec on the output, default none
    CJ_LAYER_MEMBERS
} cj_conv2d_args;
/**
 * (height, width, channels) becomes (height', width', filters); the kernel is (h, w, channels /
 * groups, filters).
 */
CJ_API cj_layer *cj_conv2d_new(const cj_conv2d_args *args);
#define cj_conv2d(...) cj_conv2d_new(&(cj_conv2d_args){._ = 0, __VA_ARGS__})

/**
 * MaxPooling2D and AveragePooling2D: the greatest or mean element of each window; padding never
 * counts.
 */
typedef struct cj_pooling2d_args {
    int _;
    int64_t pool_size[2]; ///< default {2, 2}
    int64_t strides[2];   ///< default: pool_size
    /** "valid" (default: partial windows are dropped) or "same" (they are kept) */
    const char *padding;
    CJ_LAYER_MEMBERS
} cj_pooling2d_args;
/** Greatest element of each window, per channel. */
CJ_API cj_layer *cj_max_pooling2d_new(const cj_pooling2d_args *args);
#define cj_max_pooling2d(...) cj_max_pooling2d_new(&(cj_pooling2d_args){._ = 0, __VA_ARGS__})
/** Mean of the real elements of each window, per channel. */
CJ_API cj_layer *cj_average_pooling2d_new(const cj_pooling2d_args *args);
#define cj_average_pooling2d(...) \
    cj_average_pooling2d_new(&(cj_pooling2d_args){._ = 0, __VA_ARGS__})

/** GlobalMaxPooling2D and GlobalAveragePooling2D. */
typedef struct cj_global_pooling2d_args {
    int _;
    bool keepdims; ///< (1, 1, channels) instead of (channels)
    CJ_LAYER_MEMBERS
} cj_global_pooling2d_args;
/** (height, width, channels) becomes (channels): the greatest. */
CJ_API cj_layer *cj_global_max_pooling2d_new(const cj_global_pooling2d_args *args);
#define cj_global_max_pooling2d(...) \
    cj_global_max_pooling2d_new(&(cj_global_pooling2d_args){._ = 0, __VA_ARGS__})
/** (height, width, channels) becomes (channels): the mean. */
CJ_API cj_layer *cj_global_average_pooling2d_new(const cj_global_pooling2d_args *args);
#define cj_global_average_pooling2d(...) \
    cj_global_average_pooling2d_new(&(cj_global_pooling2d_args){._ = 0, __VA_ARGS__})

/** Flatten. */
typedef struct cj_flatten_args {
    int _;
    CJ_LAYER_MEMBERS
} cj_flatten_args;
/** Any shape becomes one axis; a scalar per sample becomes (1). */
CJ_API cj_layer *cj_flatten_new(const cj_flatten_args *args);
#define cj_flatten(...) cj_flatten_new(&(cj_flatten_args){._ = 0, __VA_ARGS__})

/** Reshape. */
typedef struct cj_reshape_args {
    int _;
    /** lengths without the batch axis, ended by 0; one may be -1 */
    int64_t target_shape[CJ_MAX_RANK];
    CJ_LAYER_MEMBERS
} cj_reshape_args;
/** The same elements in another shape: `cj_reshape({28, 28})`. */
CJ_API cj_layer *cj_reshape_new(const cj_reshape_args *args);
#define cj_reshape(...) cj_reshape_new(&(cj_reshape_args){._ = 0, __VA_ARGS__})

/** Activation. */
typedef struct cj_activation_args {
    int _;
    const char *activation; ///< spec, required
    CJ_LAYER_MEMBERS
} cj_activation_args;
/** An activation as a layer of its own: `cj_activation("tanh")`. */
CJ_API cj_layer *cj_activation_new(const cj_activation_args *args);
#define cj_activation(...) cj_activation_new(&(cj_activation_args){._ = 0, __VA_ARGS__})

/** ReLU: max_value above it, x from threshold on, negative_slope * (x - threshold) below. */
typedef struct cj_relu_args {
    int _;
    double max_value;      ///< 0 (default) for no limit; otherwise positive
    double negative_slope; ///< default 0
    double threshold;      ///< default 0
    CJ_LAYER_MEMBERS
} cj_relu_args;
/** `cj_relu()`. */
CJ_API cj_layer *cj_relu_new(const cj_relu_args *args);
#define cj_relu(...) cj_relu_new(&(cj_relu_args){._ = 0, __VA_ARGS__})

/** LeakyReLU: x where positive, negative_slope * x elsewhere. */
typedef struct cj_leaky_relu_args {
    int _;
    cj_number negative_slope; ///< default 0.3
    CJ_LAYER_MEMBERS
} cj_leaky_relu_args;
/** `cj_leaky_relu(0.2)`. */
CJ_API cj_layer *cj_leaky_relu_new(const cj_leaky_relu_args *args);
#define cj_leaky_relu(...) cj_leaky_relu_new(&(cj_leaky_relu_args){._ = 0, __VA_ARGS__})

/** ELU: x where positive, alpha * (exp(x) - 1) elsewhere. */
typedef struct cj_elu_args {
    int _;
    cj_number alpha; ///< default 1
    CJ_LAYER_MEMBERS
} cj_elu_args;
/** `cj_elu()`. */
CJ_API cj_layer *cj_elu_new(const cj_elu_args *args);
#define cj_elu(...) cj_elu_new(&(cj_elu_args){._ = 0, __VA_ARGS__})

/** Softmax. */
typedef struct cj_softmax_args {
    int _;
    int axis; ///< default -1, the last; counts the batch axis when positive
    CJ_LAYER_MEMBERS
} cj_softmax_args;
/** exp(x) divided by its sum along an axis. */
CJ_API cj_layer *cj_softmax_new(const cj_softmax_args *args);
#define cj_softmax(...) cj_softmax_new(&(cj_softmax_args){._ = 0, __VA_ARGS__})

/**
 * Dropout: in training, each element is zero with probability `rate` and divided by 1 - rate
 * otherwise.
 */
typedef struct cj_dropout_args {
    int _;
    double rate; ///< 0 to 1; 1 gives zeros
    int64_t
        /** shape of the mask with the batch axis, 1 to share, -1 for the input's; ended by 0 */
        noise_shape[CJ_MAX_RANK];
    int64_t seed; ///< default: from the model's seed and the layer's place
    CJ_LAYER_MEMBERS
} cj_dropout_args;
/** Any shape, which stays. Does nothing when predicting. */
CJ_API cj_layer *cj_dropout_new(const cj_dropout_args *args);
#define cj_dropout(...) cj_dropout_new(&(cj_dropout_args){._ = 0, __VA_ARGS__})

/**
 * BatchNormalization: gamma * (x - mean) / sqrt(variance + epsilon) + beta, per entry of `axis`.
 */
typedef struct cj_batch_normalization_args {
    int _;
    /** default -1, the last; counts the batch axis when positive */
    int axis;
    /** default 0.99: the share of the old value in a moving average */
    cj_number momentum;
    double epsilon;                          ///< default 0.001
    cj_switch center;                        ///< default CJ_ON: learn beta
    cj_switch scale;                         ///< default CJ_ON: learn gamma
    const char *beta_initializer;            ///< spec, default "zeros"
    const char *gamma_initializer;           ///< spec, default "ones"
    const char *moving_mean_initializer;     ///< spec, default "zeros"
    const char *moving_variance_initializer; ///< spec, default "ones"
    const char *beta_regularizer;            ///< spec, default none
    const char *gamma_regularizer;           ///< spec, default none
    CJ_LAYER_MEMBERS
} cj_batch_normalization_args;
/** Uses the batch's statistics in training, if trainable, and moving averages otherwise. */
CJ_API cj_layer *cj_batch_normalization_new(const cj_batch_normalization_args *args);
#define cj_batch_normalization(...) \
    cj_batch_normalization_new(&(cj_batch_normalization_args){._ = 0, __VA_ARGS__})

/** Embedding: rows of a learned table. */
typedef struct cj_embedding_args {
    int _;
    /** required: number of rows; an index outside fails the call */
    int64_t input_dim;
    int64_t output_dim;                 ///< required: length of a row
    const char *embeddings_initializer; ///< spec, default "uniform" (-0.05 to 0.05)
    const char *embeddings_regularizer; ///< spec, default none
    bool mask_zero;                     ///< index 0 is padding, and masks later layers
    CJ_LAYER_MEMBERS
} cj_embedding_args;
/** Indices (...) become rows (..., output_dim). */
CJ_API cj_layer *cj_embedding_new(const cj_embedding_args *args);
#define cj_embedding(...) cj_embedding_new(&(cj_embedding_args){._ = 0, __VA_ARGS__})

/** SimpleRNN: h(t) = activation(x(t) W + h(t-1) U + b), h(0) = 0. */
typedef struct cj_simple_rnn_args {
    int _;
    int64_t units;                     ///< required, positive
    const char *activation;            ///< spec, default "tanh"
    cj_switch use_bias;                ///< default CJ_ON
    const char *kernel_initializer;    ///< spec, default "glorot_uniform"
    const char *recurrent_initializer; ///< spec, default "orthogonal"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *kernel_regularizer;    ///< spec, default none
    const char *recurrent_regularizer; ///< spec, default none
    const char *bias_regularizer;      ///< spec, default none
    const char *activity_regularizer;  ///< spec on the output, default none
    double dropout;                    ///< of the inputs, one mask a sequence; default 0
    double recurrent_dropout;          ///< of the state, one mask a sequence; default 0
    int64_t seed;                      ///< of the dropouts
    bool return_sequences;             ///< (time, units) instead of the last (units)
    bool return_state;                 ///< a second output: the last state
    /** from the last step to the first; sequences come out in that order */
    bool go_backwards;
    /** the last state of a batch starts the next; needs a fixed batch size */
    bool stateful;
    bool unroll; ///< accepted for Keras's sake; it changes nothing
    CJ_LAYER_MEMBERS
} cj_simple_rnn_args;
/** (time, features) becomes (units) or (time, units). */
CJ_API cj_layer *cj_simple_rnn_new(const cj_simple_rnn_args *args);
#define cj_simple_rnn(...) cj_simple_rnn_new(&(cj_simple_rnn_args){._ = 0, __VA_ARGS__})

/** Add. */
typedef struct cj_merge_args {
    int _;
    CJ_LAYER_MEMBERS
} cj_merge_args;
/** The element-wise sum of several inputs: apply it with cj_apply_many(). */
CJ_API cj_layer *cj_add_new(const cj_merge_args *args);
#define cj_add(...) cj_add_new(&(cj_merge_args){._ = 0, __VA_ARGS__})

/** Concatenate. */
typedef struct cj_concatenate_args {
    int _;
    int axis; ///< default -1, the last; counts the batch axis when positive
    CJ_LAYER_MEMBERS
} cj_concatenate_args;
/** Several inputs side by side along an axis: apply it with cj_apply_many(). */
CJ_API cj_layer *cj_concatenate_new(const cj_concatenate_args *args);
#define cj_concatenate(...) cj_concatenate_new(&(cj_concatenate_args){._ = 0, __VA_ARGS__})

/**
 * Applies a layer or model to one symbol and returns its (first) output. NULL passes through.
 * Unlike other builders, an application that fails keeps what it was given until this thread's next
 * cj_model_build(), as later lines of a model may name the same symbols and layers: so write the
 * whole model, and look at what cj_model_new() returns.
 */
CJ_API cj_symbol *cj_apply(cj_layer *layer, cj_symbol *input);

/** Applies a layer to `count` inputs; writes up to `output_capacity` outputs. */
CJ_API cj_status cj_apply_many(cj_layer *layer, cj_symbol *const *inputs, int count,
                               cj_symbol **outputs, int output_capacity);

/**
 * The sum of symbols, `cj_add_symbols(a, b)`, and their concatenation along the last axis, as
 * layers in one call.
 */
#define cj_merge(layer, ...)                           \
    cj_apply_list(layer, (cj_symbol *[]){__VA_ARGS__}, \
                  (int)(sizeof((cj_symbol *[]){__VA_ARGS__}) / sizeof(void *)))
/**
 * Applies a merging layer to `count` inputs and returns its one output: `cj_merge(cj_concatenate(),
 * a, b)`.
 */
CJ_API cj_symbol *cj_apply_list(cj_layer *layer, cj_symbol *const *inputs, int count);

/**
 * The name of a layer; valid as long as the layer. It may be renumbered when the layer joins a
 * model.
 */
CJ_API const char *cj_layer_name(const cj_layer *layer);

/** The class of a layer as Keras spells it, such as "Conv2D". Static memory. */
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
 * compile again to change.
 */
CJ_API cj_status cj_set_trainable(cj_layer *layer, bool trainable);

/** Whether a layer is trainable. */
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
#endif
