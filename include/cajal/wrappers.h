/**
 * @file wrappers.h
 * Layers around other layers: Bidirectional, TimeDistributed, and Masking, which tells recurrent
 * layers what to skip. Arguments, defaults and weights are Keras's. A wrapper owns what it was
 * given, as a model owns its layers; all that layers.h says of constructors and arguments holds
 * here.
 */
#ifndef CAJAL_WRAPPERS_H
#define CAJAL_WRAPPERS_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Bidirectional (Schuster and Paliwal 1997): a recurrent layer over a sequence from its first step
 * to its last, and another from the last to the first; their outputs are merged. As in Keras the
 * layer that is given is a pattern: the forward layer is made from its settings, named "forward_"
 * and its name.
 */
typedef struct cj_bidirectional_args {
    CJ_LAYER_MEMBERS
    int _;           ///< what follows may be given by position
    cj_layer *layer; ///< required: SimpleRNN, LSTM, GRU or another recurrent layer
    /**
     * "concat" (default: along the last axis), "sum", "mul", "ave", or NULL: both outputs, the
     * forward layer's first
     */
    const char *merge_mode;
    /**
     * default NULL: made from the settings of `layer`, but with go_backwards turned around, and named
     * "backward_" and its name. Its go_backwards must be the other, its return_sequences,
     * return_state and stateful the same as those of `layer`.
     */
    cj_layer *backward_layer;
} cj_bidirectional_args;
/** The defaults of cj_bidirectional_args. */
#define CJ_BIDIRECTIONAL_DEFAULTS CJ_LAYER_DEFAULTS(cj_bidirectional_args), .merge_mode = "concat"
/** Sets `args` to CJ_BIDIRECTIONAL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_bidirectional_defaults(cj_bidirectional_args *args);
/**
 * (time, features) becomes what the layer gives, merged; sequences come out in the order of time.
 * With return_state the states of the forward layer follow, then those of the backward layer.
 * Applied with cj_apply_many() it takes initial states in that order after the sequence. Where the
 * mask leaves out steps, sequences are 0, as in Keras. NULL with CJ_INVALID_ARGUMENT if `layer` is
 * no recurrent layer or the layers do not fit each other, or with CJ_OUT_OF_MEMORY.
 */
CJ_API cj_layer *cj_bidirectional_new(const cj_bidirectional_args *args);
#define cj_bidirectional(...) \
    cj_bidirectional_new(&(cj_bidirectional_args){CJ_BIDIRECTIONAL_DEFAULTS, ._ = 0, __VA_ARGS__})

/** TimeDistributed: one layer or model over each step of a sequence. */
typedef struct cj_time_distributed_args {
    CJ_LAYER_MEMBERS
    int _;           ///< what follows may be given by position
    cj_layer *layer; ///< required; a model too, with cj_model_layer()
} cj_time_distributed_args;
/** The defaults of cj_time_distributed_args. */
#define CJ_TIME_DISTRIBUTED_DEFAULTS CJ_LAYER_DEFAULTS(cj_time_distributed_args)
/** Sets `args` to CJ_TIME_DISTRIBUTED_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_time_distributed_defaults(cj_time_distributed_args *args);
/**
 * (time, ...) becomes (time, what the layer makes of one step). The mask is passed on; where it has
 * an axis beyond time, the layer gets its entries. All steps are computed as one larger batch, but
 * for layers whose result depends on the batch or the step before: BatchNormalization in training,
 * stateful layers. As in Keras activity regularizers of the layer do not count here.
 */
CJ_API cj_layer *cj_time_distributed_new(const cj_time_distributed_args *args);
#define cj_time_distributed(...) \
    cj_time_distributed_new(     \
        &(cj_time_distributed_args){CJ_TIME_DISTRIBUTED_DEFAULTS, ._ = 0, __VA_ARGS__})

/** SpectralNormalization (Miyato and others 2018): a layer whose kernel keeps a spectral norm of 1. */
typedef struct cj_spectral_normalization_args {
    CJ_LAYER_MEMBERS
    int _;                    ///< what follows may be given by position
    cj_layer *layer;          ///< required: one with a kernel (Dense, Conv2D, ...) or an Embedding
    int64_t power_iterations; ///< default 1, at most 1000: rounds of the power iteration in a step
} cj_spectral_normalization_args;
/** The defaults of cj_spectral_normalization_args. */
#define CJ_SPECTRAL_NORMALIZATION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_spectral_normalization_args), .power_iterations = 1
/** Sets `args` to CJ_SPECTRAL_NORMALIZATION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_spectral_normalization_defaults(cj_spectral_normalization_args *args);
/**
 * What the layer makes of its input. In training the kernel W, as a matrix with its last axis as
 * columns, is divided by v W u^T first, where v = unit(u W^T) and u = unit(v W): u is kept from step to
 * step in the variable "vector_u", drawn from a truncated normal distribution of deviation 0.02. The
 * quotient is the new kernel, and the optimizer steps from it, as in Keras on TensorFlow and PyTorch
 * (on JAX, Keras's fit() forgets the quotient). A kernel of zeros stays as it is. Where the layer is
 * applied several times in a step, it is normalized before the first. NULL with CJ_INVALID_ARGUMENT
 * or CJ_OUT_OF_MEMORY; CJ_UNSUPPORTED for a layer without a kernel when it is first applied.
 */
CJ_API cj_layer *cj_spectral_normalization_new(const cj_spectral_normalization_args *args);
#define cj_spectral_normalization(...)                               \
    cj_spectral_normalization_new(&(cj_spectral_normalization_args){ \
        CJ_SPECTRAL_NORMALIZATION_DEFAULTS, ._ = 0, __VA_ARGS__})

/** Masking: steps of which every feature equals a value are left out by the layers that follow. */
typedef struct cj_masking_args {
    CJ_LAYER_MEMBERS
    int _;             ///< what follows may be given by position
    double mask_value; ///< default 0
} cj_masking_args;
/** The defaults of cj_masking_args. */
#define CJ_MASKING_DEFAULTS CJ_LAYER_DEFAULTS(cj_masking_args)
/** Sets `args` to CJ_MASKING_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_masking_defaults(cj_masking_args *args);
/** (time, ..., features) becomes the same, with 0 in the steps that are masked. */
CJ_API cj_layer *cj_masking_new(const cj_masking_args *args);
#define cj_masking(...) cj_masking_new(&(cj_masking_args){CJ_MASKING_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
