/**
 * @file recurrent.h
 * Recurrent layers: SimpleRNN, and those with gates, LSTM and GRU, as Keras has them.
 *
 * They turn a sequence (time, features) into its last output (units), or into all outputs
 * (time, units). The sequence runs as one loop: its plan is as large for 10,000 steps as for 10.
 * Masked steps (of an Embedding with mask_zero, say) leave the states as they are. All that
 * layers.h says of constructors, arguments and specs holds here.
 */
#ifndef CAJAL_RECURRENT_H
#define CAJAL_RECURRENT_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** SimpleRNN: h(t) = activation(x(t) W + h(t-1) U + b), h(0) = 0. */
typedef struct cj_simple_rnn_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t units;                     ///< required, positive
    const char *activation;            ///< spec, default "tanh"
    bool use_bias;                     ///< default true
    const char *kernel_initializer;    ///< spec, default "glorot_uniform"
    const char *recurrent_initializer; ///< spec, default "orthogonal"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *kernel_regularizer;    ///< spec, default NULL: none
    const char *recurrent_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on each output, default NULL: none
    double dropout;                    ///< of the inputs, one mask a sequence; default 0
    double recurrent_dropout;          ///< of the state, one mask a sequence; default 0
    int64_t seed;          ///< of the dropouts, not negative; default -1: from the model's
    bool return_sequences; ///< default false; true: (time, units) instead of the last (units)
    bool return_state;     ///< default false; true: a second output, the last state
    /** default false; true: from the last step to the first; sequences come out in that order */
    bool go_backwards;
    /** default false; true: the last state of a batch starts the next; needs a fixed batch size */
    bool stateful;
    bool unroll;                      ///< default false: long sequences are a loop; true: none is
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *recurrent_constraint; ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
    /** default false: the output of a masked step is that before it; true: it is 0 */
    bool zero_output_for_mask;
} cj_simple_rnn_args;
/** The defaults of cj_simple_rnn_args. */
#define CJ_SIMPLE_RNN_DEFAULTS                                                          \
    CJ_LAYER_DEFAULTS(cj_simple_rnn_args),                                              \
        .activation = "tanh", .use_bias = true, .kernel_initializer = "glorot_uniform", \
        .recurrent_initializer = "orthogonal", .bias_initializer = "zeros", .seed = -1
/** Sets `args` to CJ_SIMPLE_RNN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_simple_rnn_defaults(cj_simple_rnn_args *args);
/**
 * (time, features) becomes (units) or (time, units). Applied with cj_apply_many() it takes a second
 * input, the initial state (units), which is 0 without it.
 */
CJ_API cj_layer *cj_simple_rnn_new(const cj_simple_rnn_args *args);
#define cj_simple_rnn(...) \
    cj_simple_rnn_new(&(cj_simple_rnn_args){CJ_SIMPLE_RNN_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * LSTM (Hochreiter and Schmidhuber 1997), with z = x(t) W + h(t-1) U + b in four parts of `units`:
 * i = recurrent_activation(z_i), f = recurrent_activation(z_f), o = recurrent_activation(z_o);
 * c(t) = f c(t-1) + i activation(z_c); h(t) = o activation(c(t)); h(0) = c(0) = 0. Its weights are
 * Keras's: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units), the parts
 * in the order i, f, c, o.
 */
typedef struct cj_lstm_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t units;                     ///< required, positive
    const char *activation;            ///< spec, default "tanh"
    const char *recurrent_activation;  ///< spec, of the gates, default "sigmoid"
    bool use_bias;                     ///< default true
    const char *kernel_initializer;    ///< spec, default "glorot_uniform"
    const char *recurrent_initializer; ///< spec, default "orthogonal"
    const char *bias_initializer;      ///< spec, default "zeros"
    bool unit_forget_bias;             ///< default true: the part f of the bias begins as ones
    const char *kernel_regularizer;    ///< spec, default NULL: none
    const char *recurrent_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on each output, default NULL: none
    double dropout;                    ///< of the inputs, the same in all steps; default 0
    /** of the state h, the same in all steps; default 0. Then each gate has masks of its own */
    double recurrent_dropout;
    int64_t seed;          ///< of the dropouts, not negative; default -1: from the model's
    bool return_sequences; ///< default false; true: (time, units) instead of the last (units)
    bool return_state;     ///< default false; true: two more outputs, the last h and c
    /** default false; true: from the last step to the first; sequences come out in that order */
    bool go_backwards;
    /** default false; true: the last states of a batch start the next; needs a fixed batch size */
    bool stateful;
    bool unroll; ///< default false: the steps are a loop; true: each is planned by itself
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *recurrent_constraint; ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
    /** default false: the output of a masked step is that before it; true: it is 0 */
    bool zero_output_for_mask;
} cj_lstm_args;
/** The defaults of cj_lstm_args. */
#define CJ_LSTM_DEFAULTS                                                               \
    CJ_LAYER_DEFAULTS(cj_lstm_args),                                                   \
        .activation = "tanh", .recurrent_activation = "sigmoid", .use_bias = true,     \
        .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal", \
        .bias_initializer = "zeros", .unit_forget_bias = true, .seed = -1
/** Sets `args` to CJ_LSTM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_lstm_defaults(cj_lstm_args *args);
/**
 * (time, features) becomes (units) or (time, units). Applied with cj_apply_many() it takes two more
 * inputs, the initial h and c (units), which are 0 without them.
 */
CJ_API cj_layer *cj_lstm_new(const cj_lstm_args *args);
#define cj_lstm(...) cj_lstm_new(&(cj_lstm_args){CJ_LSTM_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * GRU (Cho and others 2014), with x(t) W + b and h(t-1) U in three parts of `units`, z, r and h:
 * z = recurrent_activation(x_z + h_z), r = recurrent_activation(x_r + h_r); the candidate is
 * activation(x_h + r h_h) with `reset_after`, else activation(x_h + (r h(t-1)) U_h);
 * h(t) = z h(t-1) + (1 - z) candidate; h(0) = 0. Its weights are Keras's: kernel
 * (features, 3 units), recurrent_kernel (units, 3 units), the parts in the order z, r, h; bias
 * (2, 3 units) with `reset_after`, whose second row is added to h(t-1) U, else (3 units).
 */
typedef struct cj_gru_args {
    CJ_LAYER_MEMBERS
    int _;                             ///< what follows may be given by position
    int64_t units;                     ///< required, positive
    const char *activation;            ///< spec, default "tanh"
    const char *recurrent_activation;  ///< spec, of the gates, default "sigmoid"
    bool use_bias;                     ///< default true
    const char *kernel_initializer;    ///< spec, default "glorot_uniform"
    const char *recurrent_initializer; ///< spec, default "orthogonal"
    const char *bias_initializer;      ///< spec, default "zeros"
    const char *kernel_regularizer;    ///< spec, default NULL: none
    const char *recurrent_regularizer; ///< spec, default NULL: none
    const char *bias_regularizer;      ///< spec, default NULL: none
    const char *activity_regularizer;  ///< spec on each output, default NULL: none
    double dropout;                    ///< of the inputs, the same in all steps; default 0
    /** of the state, the same in all steps; default 0. Then each gate has masks of its own */
    double recurrent_dropout;
    int64_t seed;          ///< of the dropouts, not negative; default -1: from the model's
    bool return_sequences; ///< default false; true: (time, units) instead of the last (units)
    bool return_state;     ///< default false; true: a second output, the last state
    /** default false; true: from the last step to the first; sequences come out in that order */
    bool go_backwards;
    /** default false; true: the last state of a batch starts the next; needs a fixed batch size */
    bool stateful;
    bool unroll;      ///< default false: the steps are a loop; true: each is planned by itself
    bool reset_after; ///< default true: the gate r is applied after the product with U_h
    const char *kernel_constraint;    ///< spec, default NULL: none
    const char *recurrent_constraint; ///< spec, default NULL: none
    const char *bias_constraint;      ///< spec, default NULL: none
    /** default false: the output of a masked step is that before it; true: it is 0 */
    bool zero_output_for_mask;
} cj_gru_args;
/** The defaults of cj_gru_args. */
#define CJ_GRU_DEFAULTS                                                                       \
    CJ_LAYER_DEFAULTS(cj_gru_args), .activation = "tanh", .recurrent_activation = "sigmoid",  \
                                    .use_bias = true, .kernel_initializer = "glorot_uniform", \
                                    .recurrent_initializer = "orthogonal",                    \
                                    .bias_initializer = "zeros", .seed = -1, .reset_after = true
/** Sets `args` to CJ_GRU_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_gru_defaults(cj_gru_args *args);
/**
 * (time, features) becomes (units) or (time, units). Applied with cj_apply_many() it takes a second
 * input, the initial state (units), which is 0 without it.
 */
CJ_API cj_layer *cj_gru_new(const cj_gru_args *args);
#define cj_gru(...) cj_gru_new(&(cj_gru_args){CJ_GRU_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
