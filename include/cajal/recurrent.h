/**
 * @file recurrent.h
 * Recurrent layers: SimpleRNN, and those with gates, LSTM and GRU, as Keras has them; ConvLSTM; cells,
 * and RNN, which runs a cell over a sequence. Bidirectional is in wrappers.h.
 *
 * They turn a sequence (time, features) into its last output (units), or into all outputs
 * (time, units). The sequence runs as one loop: its plan is as large for 10,000 steps as for 10.
 * Masked steps (of an Embedding with mask_zero, say) leave the states as they are; a layer that is
 * given initial states sees only a mask that its call gives (calls.h), as in Keras. All that
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

/**
 * The members that the arguments of all cells have. A cell is one step of a recurrent layer: a layer
 * that takes an entry (features) of a sequence and its states, and gives its output and the next
 * states (cj_apply_many()). cj_rnn() runs it over a sequence.
 */
#define CJ_CELL_MEMBERS                                                              \
    CJ_LAYER_MEMBERS                                                                 \
    int _;                             /**< what follows may be given by position */ \
    int64_t units;                     /**< required, positive */                    \
    const char *activation;            /**< spec, default "tanh" */                  \
    bool use_bias;                     /**< default true */                          \
    const char *kernel_initializer;    /**< spec, default "glorot_uniform" */        \
    const char *recurrent_initializer; /**< spec, default "orthogonal" */            \
    const char *bias_initializer;      /**< spec, default "zeros" */                 \
    const char *kernel_regularizer;    /**< spec, default NULL: none */              \
    const char *recurrent_regularizer; /**< spec, default NULL: none */              \
    const char *bias_regularizer;      /**< spec, default NULL: none */              \
    const char *kernel_constraint;     /**< spec, default NULL: none */              \
    const char *recurrent_constraint;  /**< spec, default NULL: none */              \
    const char *bias_constraint;       /**< spec, default NULL: none */              \
    double dropout;                    /**< of the input; default 0 */               \
    double recurrent_dropout;          /**< of the state; default 0 */               \
    int64_t seed;                      /**< of the dropouts; default -1: from the model's */
/** The defaults of CJ_CELL_MEMBERS in a struct of that type. */
#define CJ_CELL_MEMBER_DEFAULTS(type)                                                   \
    CJ_LAYER_DEFAULTS(type),                                                            \
        .activation = "tanh", .use_bias = true, .kernel_initializer = "glorot_uniform", \
        .recurrent_initializer = "orthogonal", .bias_initializer = "zeros", .seed = -1

/** SimpleRNNCell: a step of SimpleRNN. */
typedef struct cj_simple_rnn_cell_args {
    CJ_CELL_MEMBERS
} cj_simple_rnn_cell_args;
/** The defaults of cj_simple_rnn_cell_args. */
#define CJ_SIMPLE_RNN_CELL_DEFAULTS CJ_CELL_MEMBER_DEFAULTS(cj_simple_rnn_cell_args)
/** Sets `args` to CJ_SIMPLE_RNN_CELL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_simple_rnn_cell_defaults(cj_simple_rnn_cell_args *args);
/** (features) and the state (units) become the output and the next state, which are the same. */
CJ_API cj_layer *cj_simple_rnn_cell_new(const cj_simple_rnn_cell_args *args);
#define cj_simple_rnn_cell(...) \
    cj_simple_rnn_cell_new(     \
        &(cj_simple_rnn_cell_args){CJ_SIMPLE_RNN_CELL_DEFAULTS, ._ = 0, __VA_ARGS__})

/** LSTMCell: a step of LSTM. */
typedef struct cj_lstm_cell_args {
    CJ_CELL_MEMBERS
    const char *recurrent_activation; ///< spec, of the gates, default "sigmoid"
    bool unit_forget_bias;            ///< default true: the part f of the bias begins as ones
} cj_lstm_cell_args;
/** The defaults of cj_lstm_cell_args. */
#define CJ_LSTM_CELL_DEFAULTS                                                      \
    CJ_CELL_MEMBER_DEFAULTS(cj_lstm_cell_args), .recurrent_activation = "sigmoid", \
                                                .unit_forget_bias = true
/** Sets `args` to CJ_LSTM_CELL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_lstm_cell_defaults(cj_lstm_cell_args *args);
/** (features) and the states h and c (units) become the output and the next h and c. */
CJ_API cj_layer *cj_lstm_cell_new(const cj_lstm_cell_args *args);
#define cj_lstm_cell(...) \
    cj_lstm_cell_new(&(cj_lstm_cell_args){CJ_LSTM_CELL_DEFAULTS, ._ = 0, __VA_ARGS__})

/** GRUCell: a step of GRU. */
typedef struct cj_gru_cell_args {
    CJ_CELL_MEMBERS
    const char *recurrent_activation; ///< spec, of the gates, default "sigmoid"
    bool reset_after; ///< default true: the gate r is applied after the product with U_h
} cj_gru_cell_args;
/** The defaults of cj_gru_cell_args. */
#define CJ_GRU_CELL_DEFAULTS                                                      \
    CJ_CELL_MEMBER_DEFAULTS(cj_gru_cell_args), .recurrent_activation = "sigmoid", \
                                               .reset_after = true
/** Sets `args` to CJ_GRU_CELL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_gru_cell_defaults(cj_gru_cell_args *args);
/** (features) and the state (units) become the output and the next state, which are the same. */
CJ_API cj_layer *cj_gru_cell_new(const cj_gru_cell_args *args);
#define cj_gru_cell(...) \
    cj_gru_cell_new(&(cj_gru_cell_args){CJ_GRU_CELL_DEFAULTS, ._ = 0, __VA_ARGS__})

/** StackedRNNCells: cells of which each gets the output of the one before, as one cell. */
typedef struct cj_stacked_rnn_cells_args {
    CJ_LAYER_MEMBERS
    int _;               ///< what follows may be given by position
    cj_layer *cells[16]; ///< required: cells in order, ended by NULL; at most 8 states in all
} cj_stacked_rnn_cells_args;
/** The defaults of cj_stacked_rnn_cells_args. */
#define CJ_STACKED_RNN_CELLS_DEFAULTS CJ_LAYER_DEFAULTS(cj_stacked_rnn_cells_args)
/** Sets `args` to CJ_STACKED_RNN_CELLS_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_stacked_rnn_cells_defaults(cj_stacked_rnn_cells_args *args);
/** `cj_stacked_rnn_cells({cj_lstm_cell(64), cj_lstm_cell(32)})`; it owns the cells. */
CJ_API cj_layer *cj_stacked_rnn_cells_new(const cj_stacked_rnn_cells_args *args);
#define cj_stacked_rnn_cells(...) \
    cj_stacked_rnn_cells_new(     \
        &(cj_stacked_rnn_cells_args){CJ_STACKED_RNN_CELLS_DEFAULTS, ._ = 0, __VA_ARGS__})

/** What the step of a cell of one's own is given, and what it gives. It is made by the library. */
typedef struct cj_cell_step {
    cj_symbol *input;          ///< (batch, ...): an entry of the sequence
    cj_symbol *const *states;  ///< (batch, size) of each state
    cj_symbol *const *weights; ///< what cj_cell_weight() added, in that order
    bool training;             ///< whether the model trains
    cj_symbol **next;          ///< to be set: each state after the step
    cj_symbol **output;        ///< to be set: the output; next[0] if it is left NULL
} cj_cell_step;

/**
 * A cell of one's own: what it adds to a layer as weights, and its step, as functions. A model with
 * it trains, predicts and is summarised as any other; its weights are saved, but a function cannot
 * be, so the model is made by the program and the weights are loaded with cj_load_weights().
 */
typedef struct cj_cell_args {
    CJ_LAYER_MEMBERS
    int _;                  ///< what follows may be given by position
    int64_t state_sizes[8]; ///< required: the entries of each state, ended by 0
    /**
     * required: sets `step->next` and `step->output` by ops of graph.h. It is called whenever a
     * model is traced, and must do the same each time. The symbols in `step` are not released. It
     * returns CJ_OK, or a failure; then nothing that it has set is touched.
     */
    cj_status (*step)(void *context, const cj_cell_step *step);
    /**
     * default NULL: no weights; called once, with the shape of an entry, CJ_BATCH first. It calls
     * cj_cell_weight() for each weight.
     */
    cj_status (*build)(void *context, cj_layer *cell, cj_shape input);
    void *context; ///< for both; it must last as long as the cell; default NULL
} cj_cell_args;
/** The defaults of cj_cell_args. */
#define CJ_CELL_DEFAULTS CJ_LAYER_DEFAULTS(cj_cell_args)
/** Sets `args` to CJ_CELL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cell_defaults(cj_cell_args *args);
/** `cj_rnn(cj_cell({8}, step, build))`; NULL with CJ_INVALID_ARGUMENT or CJ_OUT_OF_MEMORY. */
CJ_API cj_layer *cj_cell_new(const cj_cell_args *args);
#define cj_cell(...) cj_cell_new(&(cj_cell_args){CJ_CELL_DEFAULTS, ._ = 0, __VA_ARGS__})
/**
 * Adds a weight to a cell, within its `build`: `initializer` is a spec. CJ_INVALID_ARGUMENT if the
 * cell is not being built or is no cell of one's own, CJ_UNSUPPORTED beyond 16 weights,
 * CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_cell_weight(cj_layer *cell, const char *name, cj_shape shape,
                                const char *initializer);

/** RNN: a cell over a sequence. */
typedef struct cj_rnn_args {
    CJ_LAYER_MEMBERS
    int _;                 ///< what follows may be given by position
    cj_layer *cell;        ///< required: one of the cells above, or one of your own (cj_cell_new())
    bool return_sequences; ///< default false; true: (time, output) instead of the last (output)
    bool return_state;     ///< default false; true: the last states are further outputs
    /** default false; true: from the last step to the first; sequences come out in that order */
    bool go_backwards;
    /** default false; true: the last states of a batch start the next; needs a fixed batch size */
    bool stateful;
    bool unroll; ///< default false: the steps are a loop; true: each is planned by itself
    /** default false: the output of a masked step is that before it; true: it is 0 */
    bool zero_output_for_mask;
} cj_rnn_args;
/** The defaults of cj_rnn_args. */
#define CJ_RNN_DEFAULTS CJ_LAYER_DEFAULTS(cj_rnn_args)
/** Sets `args` to CJ_RNN_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rnn_defaults(cj_rnn_args *args);
/**
 * (time, ...) becomes (output) or (time, output). Applied with cj_apply_many() it takes the initial
 * states as further inputs, which are 0 without them. Over a cell of SimpleRNN, LSTM or GRU it
 * computes what these layers compute, in the same way. NULL with CJ_INVALID_ARGUMENT if `cell` is no
 * cell, or with CJ_OUT_OF_MEMORY.
 */
CJ_API cj_layer *cj_rnn_new(const cj_rnn_args *args);
#define cj_rnn(...) cj_rnn_new(&(cj_rnn_args){CJ_RNN_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * The members that the arguments of ConvLSTM1D, 2D and 3D have; `dims` is empty, [2] or [3]. Applied
 * with cj_apply_many() these layers take two more inputs, the initial h and c, which are 0 without
 * them.
 */
#define CJ_CONV_LSTM_MEMBERS(dims)                                                              \
    CJ_LAYER_MEMBERS                                                                            \
    int _;                             /**< what follows may be given by position */            \
    int64_t filters;                   /**< required, positive */                               \
    int64_t kernel_size dims;          /**< required; {3} repeats: {3, 3} */                    \
    int64_t strides dims;              /**< default 1, of the inputs' convolutions */           \
    const char *padding;               /**< "valid" (default) or "same", likewise */            \
    int64_t dilation_rate dims;        /**< default 1, likewise; only with strides of 1 */      \
    const char *activation;            /**< spec, default "tanh" */                             \
    const char *recurrent_activation;  /**< spec, of the gates, default "sigmoid" */            \
    bool use_bias;                     /**< default true */                                     \
    const char *kernel_initializer;    /**< spec, default "glorot_uniform" */                   \
    const char *recurrent_initializer; /**< spec, default "orthogonal" */                       \
    const char *bias_initializer;      /**< spec, default "zeros" */                            \
    bool unit_forget_bias;             /**< default true: the bias of f begins as ones */       \
    const char *kernel_regularizer;    /**< spec, default NULL: none */                         \
    const char *recurrent_regularizer; /**< spec, default NULL: none */                         \
    const char *bias_regularizer;      /**< spec, default NULL: none */                         \
    const char *activity_regularizer;  /**< spec on each output, default NULL: none */          \
    const char *kernel_constraint;     /**< spec, default NULL: none */                         \
    const char *recurrent_constraint;  /**< spec, default NULL: none */                         \
    const char *bias_constraint;       /**< spec, default NULL: none */                         \
    double dropout;                    /**< of the inputs, the same in all steps; default 0 */  \
    double recurrent_dropout;          /**< of the state, the same in all steps; default 0 */   \
    int64_t seed;                      /**< of the dropouts; default -1: from the model's */    \
    bool return_sequences;             /**< default false; true: the outputs of all steps */    \
    bool return_state;                 /**< default false; true: two more outputs, h and c */   \
    bool go_backwards;                 /**< default false; true: from the last step on */       \
    bool stateful;                     /**< default false; true: states last between batches */ \
    bool unroll;                       /**< default false: a loop; true: each step by itself */ \
    bool zero_output_for_mask;         /**< default false; true: masked steps give 0 */

/**
 * ConvLSTM1D (Shi and others 2015): an LSTM over a sequence of sequences, whose products are
 * convolutions; those of the state have padding "same". Its weights are Keras's: kernel
 * (k, channels, 4 filters), recurrent_kernel (k, filters, 4 filters), bias (4 filters).
 */
typedef struct cj_conv_lstm1d_args {
    CJ_CONV_LSTM_MEMBERS()
} cj_conv_lstm1d_args;
/** The defaults of cj_conv_lstm1d_args. */
#define CJ_CONV_LSTM1D_DEFAULTS                                                        \
    CJ_LAYER_DEFAULTS(cj_conv_lstm1d_args),                                            \
        .strides = 1, .padding = "valid", .dilation_rate = 1, .activation = "tanh",    \
        .recurrent_activation = "sigmoid", .use_bias = true,                           \
        .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal", \
        .bias_initializer = "zeros", .unit_forget_bias = true, .seed = -1
/** Sets `args` to CJ_CONV_LSTM1D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv_lstm1d_defaults(cj_conv_lstm1d_args *args);
/** (time, steps, channels) becomes (steps, filters), or with return_sequences all steps' outputs. */
CJ_API cj_layer *cj_conv_lstm1d_new(const cj_conv_lstm1d_args *args);
#define cj_conv_lstm1d(...) \
    cj_conv_lstm1d_new(&(cj_conv_lstm1d_args){CJ_CONV_LSTM1D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * ConvLSTM2D (Shi and others 2015): an LSTM over a sequence of images, whose products are
 * convolutions; those of the state have padding "same". Its weights are Keras's: kernel
 * (kh, kw, channels, 4 filters), recurrent_kernel (kh, kw, filters, 4 filters), bias (4 filters).
 */
typedef struct cj_conv_lstm2d_args {
    CJ_CONV_LSTM_MEMBERS([2])
} cj_conv_lstm2d_args;
/** The defaults of cj_conv_lstm2d_args. */
#define CJ_CONV_LSTM2D_DEFAULTS                                                         \
    CJ_LAYER_DEFAULTS(cj_conv_lstm2d_args),                                             \
        .strides = {1}, .padding = "valid", .dilation_rate = {1}, .activation = "tanh", \
        .recurrent_activation = "sigmoid", .use_bias = true,                            \
        .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal",  \
        .bias_initializer = "zeros", .unit_forget_bias = true, .seed = -1
/** Sets `args` to CJ_CONV_LSTM2D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv_lstm2d_defaults(cj_conv_lstm2d_args *args);
/** (time, height, width, channels) becomes (height, width, filters), or with return_sequences all steps' outputs. */
CJ_API cj_layer *cj_conv_lstm2d_new(const cj_conv_lstm2d_args *args);
#define cj_conv_lstm2d(...) \
    cj_conv_lstm2d_new(&(cj_conv_lstm2d_args){CJ_CONV_LSTM2D_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * ConvLSTM3D (Shi and others 2015): an LSTM over a sequence of volumes, whose products are
 * convolutions; those of the state have padding "same". Its weights are Keras's: kernel
 * (kd, kh, kw, channels, 4 filters), recurrent_kernel (kd, kh, kw, filters, 4 filters), bias (4 filters).
 */
typedef struct cj_conv_lstm3d_args {
    CJ_CONV_LSTM_MEMBERS([3])
} cj_conv_lstm3d_args;
/** The defaults of cj_conv_lstm3d_args. */
#define CJ_CONV_LSTM3D_DEFAULTS                                                         \
    CJ_LAYER_DEFAULTS(cj_conv_lstm3d_args),                                             \
        .strides = {1}, .padding = "valid", .dilation_rate = {1}, .activation = "tanh", \
        .recurrent_activation = "sigmoid", .use_bias = true,                            \
        .kernel_initializer = "glorot_uniform", .recurrent_initializer = "orthogonal",  \
        .bias_initializer = "zeros", .unit_forget_bias = true, .seed = -1
/** Sets `args` to CJ_CONV_LSTM3D_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_conv_lstm3d_defaults(cj_conv_lstm3d_args *args);
/** (time, depth, height, width, channels) becomes (depth, height, width, filters), or with return_sequences all steps' outputs. */
CJ_API cj_layer *cj_conv_lstm3d_new(const cj_conv_lstm3d_args *args);
#define cj_conv_lstm3d(...) \
    cj_conv_lstm3d_new(&(cj_conv_lstm3d_args){CJ_CONV_LSTM3D_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
