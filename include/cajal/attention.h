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
 * features, or attention_axes of them, are the sequence. Masks of the inputs (of an Embedding with mask_zero, say) are obeyed,
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
    /** default none: all axes between batch and features; or some of them, in rising order */
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

/**
 * GroupQueryAttention (Ainslie and others 2023; keras/src/layers/attention/
 * grouped_query_attention.py): MultiHeadAttention with fewer heads of keys and values than of
 * queries; query head i sees key head i num_key_value_heads / num_query_heads. Inputs, masks and
 * sublayers are those of MultiHeadAttention, over one axis.
 */
typedef struct cj_group_query_attention_args {
    CJ_LAYER_MEMBERS
    int _;                            ///< what follows may be given by position
    int64_t head_dim;                 ///< required, positive: features of each head
    int64_t num_query_heads;          ///< required, positive
    int64_t num_key_value_heads;      ///< required, positive; divides num_query_heads
    double dropout;                   ///< of the attention, default 0
    bool use_bias;                    ///< default true: in all projections
    bool use_gate;                    ///< default false; true: times sigmoid(a projection of query)
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
} cj_group_query_attention_args;
/** The defaults of cj_group_query_attention_args. */
#define CJ_GROUP_QUERY_ATTENTION_DEFAULTS                   \
    CJ_LAYER_DEFAULTS(cj_group_query_attention_args),       \
        .use_bias = true, .sliding_window = -1, .seed = -1, \
        .kernel_initializer = "glorot_uniform", .bias_initializer = "zeros"
/** Sets `args` to CJ_GROUP_QUERY_ATTENTION_DEFAULTS, for languages without macros; NULL is fine. */
CJ_API void cj_group_query_attention_defaults(cj_group_query_attention_args *args);
/** Two to four inputs, as cj_multi_head_attention_new(). */
CJ_API cj_layer *cj_group_query_attention_new(const cj_group_query_attention_args *args);
#define cj_group_query_attention(...) \
    cj_group_query_attention_new(     \
        &(cj_group_query_attention_args){CJ_GROUP_QUERY_ATTENTION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Attention (Luong and others 2015; keras/src/layers/attention/attention.py), without projections:
 * softmax(scores) v, where the scores are q k', times a learned scale with `use_scale`; or, with
 * score_mode "concat", w sum(tanh(scale (q + k))) over the features, with a learned w.
 *
 * Inputs: query (queries, features), value (keys, any), perhaps key (keys, features), else the
 * value. The value's mask hides keys; where the query's is false, the output is 0. A sample whose
 * value is masked as a whole gets the mean of all values, and no gradient by the scores.
 */
typedef struct cj_attention_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    bool use_scale;         ///< default false; true: a weight "scale", from 1
    const char *score_mode; ///< "dot" (default) or "concat", which has a weight of its own, from 1
    double dropout;         ///< of the attention, default 0
    int64_t seed;           ///< of the dropout, not negative; default -1: the model's
    bool use_causal_mask;   ///< default false; true: query i sees keys 0 .. i
    /** default false; true: a second output, (queries, keys), after dropout */
    bool return_attention_scores;
} cj_attention_args;
/** The defaults of cj_attention_args. */
#define CJ_ATTENTION_DEFAULTS CJ_LAYER_DEFAULTS(cj_attention_args), .score_mode = "dot", .seed = -1
/** Sets `args` to CJ_ATTENTION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_attention_defaults(cj_attention_args *args);
/** Two or three inputs: `cj_merge(cj_attention(), query, value)`. */
CJ_API cj_layer *cj_attention_new(const cj_attention_args *args);
#define cj_attention(...) \
    cj_attention_new(&(cj_attention_args){CJ_ATTENTION_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AdditiveAttention (Bahdanau and others 2015; keras/src/layers/attention/additive_attention.py):
 * Attention whose scores are sum(scale tanh(q + k)) over the features, with a learned scale for
 * each feature.
 */
typedef struct cj_additive_attention_args {
    CJ_LAYER_MEMBERS
    int _;                ///< what follows may be given by position
    bool use_scale;       ///< default true; false: scale 1
    double dropout;       ///< of the attention, default 0
    int64_t seed;         ///< of the dropout, not negative; default -1: the model's
    bool use_causal_mask; ///< default false; true: query i sees keys 0 .. i
    /** default false; true: a second output, (queries, keys), after dropout */
    bool return_attention_scores;
} cj_additive_attention_args;
/** The defaults of cj_additive_attention_args. */
#define CJ_ADDITIVE_ATTENTION_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_additive_attention_args), .use_scale = true, .seed = -1
/** Sets `args` to CJ_ADDITIVE_ATTENTION_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_additive_attention_defaults(cj_additive_attention_args *args);
/** Two or three inputs, as cj_attention_new(). */
CJ_API cj_layer *cj_additive_attention_new(const cj_additive_attention_args *args);
#define cj_additive_attention(...) \
    cj_additive_attention_new(     \
        &(cj_additive_attention_args){CJ_ADDITIVE_ATTENTION_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
