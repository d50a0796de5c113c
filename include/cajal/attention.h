/**
 * @file attention.h
 * Attention, and the layer that its projections are: MultiHeadAttention and EinsumDense, as Keras
 * has them.
 *
 * Attention looks, for each entry of a sequence of queries, through a sequence of keys, and gives
 * the mean of their values, weighted by how well query and key agree. Layers of attention take
 * several inputs in Keras's order, query, value, key: cj_merge(layer, query, value). What Keras
 * takes as arguments of the call (use_causal_mask, return_attention_scores) are settings here, and
 * come back from Keras's JSON as such. All that layers.h says of constructors, arguments and specs
 * holds here.
 */
#ifndef CAJAL_ATTENTION_H
#define CAJAL_ATTENTION_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * EinsumDense: activation(einsum(equation, x, kernel) + bias) (keras/src/layers/core/
 * einsum_dense.py). `equation` is "X,Y->Z" with a letter for each axis of input, kernel and output,
 * the batch axis first; X and Z may both begin, or both end, with "..." for axes without a letter.
 * The kernel's lengths are those of the output where it has the letter, else those of the input.
 */
typedef struct cj_einsum_dense_args {
    CJ_LAYER_MEMBERS
    int _;                ///< what follows may be given by position
    const char *equation; ///< required, such as "abc,cd->abd" or "...x,xy->...y"
    /** required: the lengths of Z's letters without the batch axis, ended by 0; -1: the input's */
    int64_t output_shape[CJ_MAX_RANK];
    const char *activation;         ///< spec, default "linear"
    const char *bias_axes;          ///< letters of Z that have a bias; default NULL: no bias
    const char *kernel_initializer; ///< spec, default "glorot_uniform"
    const char *bias_initializer;   ///< spec, default "zeros"
    const char *kernel_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;   ///< spec, default NULL: none
    /** spec on the output, divided by the batch size; default NULL: none */
    const char *activity_regularizer;
} cj_einsum_dense_args;
/** The defaults of cj_einsum_dense_args. */
#define CJ_EINSUM_DENSE_DEFAULTS                                                     \
    CJ_LAYER_DEFAULTS(cj_einsum_dense_args), .activation = "linear",                 \
                                             .kernel_initializer = "glorot_uniform", \
                                             .bias_initializer = "zeros"
/** Sets `args` to CJ_EINSUM_DENSE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_einsum_dense_defaults(cj_einsum_dense_args *args);
/** The axes of X become those of Z. */
CJ_API cj_layer *cj_einsum_dense_new(const cj_einsum_dense_args *args);
/** `cj_einsum_dense("abc,cd->abd", {-1, 64}, .bias_axes = "d")` */
#define cj_einsum_dense(...) \
    cj_einsum_dense_new(&(cj_einsum_dense_args){CJ_EINSUM_DENSE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * MultiHeadAttention (Vaswani and others 2017; keras/src/layers/attention/
 * multi_head_attention.py): for each head, with projections q, k, v of the inputs query, key and
 * value, softmax(q k' / sqrt(key_dim)) v; the heads side by side go through a last projection.
 *
 * Inputs: query (..., features), value (..., features), perhaps key (the value, if left out),
 * perhaps an attention mask of 0 and 1, (queries, keys) or (heads, queries, keys): 0 where a query
 * does not see a key; to give a mask without a key, give the value twice. The axes between batch and
 * features are the sequence. Masks of the inputs (of an Embedding with mask_zero, say) are obeyed,
 * and the query's goes on. A query that sees no key gets the mean of all values; with dropout, or
 * where scores are returned, zeros: as in Keras.
 *
 * Its weights are those of sublayers, each an EinsumDense with "kernel" and "bias": "query",
 * "key", "gate" (with use_gate), "value", "attention_output". No matrix of scores is kept, unless
 * there is dropout in training, or scores are returned.
 */
typedef struct cj_multi_head_attention_args {
    CJ_LAYER_MEMBERS
    int _;             ///< what follows may be given by position
    int64_t num_heads; ///< required, positive
    int64_t key_dim;   ///< required, positive: features of a query and a key in each head
    int64_t value_dim; ///< features of a value in each head; default -1: key_dim
    double dropout;    ///< of the attention, default 0
    bool use_bias;     ///< default true: in all projections
    bool use_gate;     ///< default false; true: times sigmoid(a projection of the query)
    /** lengths of the output's last axes, ended by 0; default none: the query's features */
    int64_t output_shape[CJ_MAX_RANK];
    /** default none: all axes between batch and features; only these can be given */
    int64_t attention_axes[CJ_MAX_RANK];
    int64_t sliding_window;           ///< default -1: none; a query sees keys closer than this
    const char *kernel_initializer;   ///< spec, default "glorot_uniform"
    const char *bias_initializer;     ///< spec, default "zeros"
    const char *kernel_regularizer;   ///< spec, default NULL: none
    const char *bias_regularizer;     ///< spec, default NULL: none
    const char *activity_regularizer; ///< spec on each projection, default NULL: none
    int64_t seed;                     ///< of the dropout, not negative; default -1: the model's
    bool use_causal_mask;             ///< default false; true: query i sees keys 0 .. i
    /** default false; true: a second output, (heads, queries, keys), before dropout */
    bool return_attention_scores;
} cj_multi_head_attention_args;
/** The defaults of cj_multi_head_attention_args. */
#define CJ_MULTI_HEAD_ATTENTION_DEFAULTS                                     \
    CJ_LAYER_DEFAULTS(cj_multi_head_attention_args),                         \
        .use_bias = true, .value_dim = -1, .sliding_window = -1, .seed = -1, \
        .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_MULTI_HEAD_ATTENTION_DEFAULTS, for languages without macros; NULL is fine. */
CJ_API void cj_multi_head_attention_defaults(cj_multi_head_attention_args *args);
/** Two to four inputs: cj_merge(cj_multi_head_attention(8, 32), x, x) attends x to itself. */
CJ_API cj_layer *cj_multi_head_attention_new(const cj_multi_head_attention_args *args);
#define cj_multi_head_attention(...) \
    cj_multi_head_attention_new(     \
        &(cj_multi_head_attention_args){CJ_MULTI_HEAD_ATTENTION_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
