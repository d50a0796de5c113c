/**
 * @file activations.h
 * Layers of one function beside those of layers.h: PReLU, whose slope is learned, and Identity. Every
 * function of keras.activations that has a name is chosen by it: `cj_activation("mish")`,
 * `cj_dense(8, .activation = "soft_shrink(threshold=0.2)")`.
 *
 * Names and settings: linear, relu(negative_slope, max_value, threshold), leaky_relu(negative_slope),
 * relu6, elu(alpha), celu(alpha), selu, softplus, softsign, squareplus(b), sigmoid, log_sigmoid,
 * hard_sigmoid, sparse_sigmoid, tanh, hard_tanh, tanh_shrink, hard_shrink(threshold),
 * soft_shrink(threshold), threshold(threshold, default_value), silu or swish, hard_silu or hard_swish,
 * gelu(approximate), mish, sparse_plus, exponential; and over the last axis softmax, log_softmax,
 * and glu, which halves it. Defaults are Keras's; `threshold` has none.
 *
 * What layers.h says of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_ACTIVATIONS_H
#define CAJAL_ACTIVATIONS_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * PReLU: x where x > 0, alpha x elsewhere, with a learned alpha for each element of a sample (He et
 * al., "Delving Deep into Rectifiers", 2015, equation 1).
 */
typedef struct cj_prelu_args {
    CJ_LAYER_MEMBERS
    int _;                         ///< what follows may be given by position
    const char *alpha_initializer; ///< spec, default "zeros"
    const char *alpha_regularizer; ///< spec, default NULL: none
    /**
     * default {0}, none: axes along which one alpha serves all; count the batch axis, which is 0, from
     * the start; ended by 0. After a convolution {1, 2} leaves one for each channel.
     */
    int64_t shared_axes[CJ_MAX_RANK];
} cj_prelu_args;
/** The defaults of cj_prelu_args. */
#define CJ_PRELU_DEFAULTS CJ_LAYER_DEFAULTS(cj_prelu_args), .alpha_initializer = "zeros"
/** Sets `args` to CJ_PRELU_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_prelu_defaults(cj_prelu_args *args);
/** Any shape whose lengths are known but for the batch and the shared axes; it stays. */
CJ_API cj_layer *cj_prelu_new(const cj_prelu_args *args);
#define cj_prelu(...) cj_prelu_new(&(cj_prelu_args){CJ_PRELU_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Identity: settings of layers that have none but the common ones. */
typedef struct cj_identity_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
} cj_identity_args;
/** The defaults of cj_identity_args. */
#define CJ_IDENTITY_DEFAULTS CJ_LAYER_DEFAULTS(cj_identity_args)
/** Sets `args` to CJ_IDENTITY_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_identity_defaults(cj_identity_args *args);
/** The input as it is, of any shape and dtype, with its mask. */
CJ_API cj_layer *cj_identity_new(const cj_identity_args *args);
#define cj_identity(...) \
    cj_identity_new(&(cj_identity_args){CJ_IDENTITY_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
