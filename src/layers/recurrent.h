// What recurrent layers and their cells share: a layer says what one step does, and this makes the
// sequence of it (sequence.h), or the one step of a cell.
//
// The variables of such a layer are in order: the kernel (features, gates units), the recurrent
// kernel (units, gates units), with use_bias the bias, and of a stateful layer its states
// (batch, units).
#ifndef CJ_LAYERS_RECURRENT_H
#define CJ_LAYERS_RECURRENT_H

#include "layers/sequence.h"

enum { CJ__GATES_MAX = 4 };

// The settings that all of them have.
typedef struct cj__recurrent_settings {
    int64_t units, seed;
    int gates, states;
    const char *activation, *recurrent_activation;
    const char *kernel_initializer, *recurrent_initializer, *bias_initializer;
    const char *kernel_regularizer, *recurrent_regularizer, *bias_regularizer;
    const char *activity_regularizer; // of layers
    double dropout, recurrent_dropout;
    bool use_bias, reset_after;
    bool stateful, is_cell;
} cj__recurrent_settings;
#define CJ__CELL_SETTINGS(args, gate_count, state_count)                                      \
    .units = (args)->units, .seed = (args)->seed, .gates = gate_count, .states = state_count, \
    .activation = (args)->activation, .kernel_initializer = (args)->kernel_initializer,       \
    .recurrent_initializer = (args)->recurrent_initializer,                                   \
    .bias_initializer = (args)->bias_initializer,                                             \
    .kernel_regularizer = (args)->kernel_regularizer,                                         \
    .recurrent_regularizer = (args)->recurrent_regularizer,                                   \
    .bias_regularizer = (args)->bias_regularizer, .dropout = (args)->dropout,                 \
    .recurrent_dropout = (args)->recurrent_dropout, .use_bias = (args)->use_bias
#define CJ__RECURRENT_SETTINGS(args, gate_count, state_count) \
    CJ__CELL_SETTINGS(args, gate_count, state_count),         \
        .activity_regularizer = (args)->activity_regularizer, .stateful = (args)->stateful

#define CJ__RECURRENT_CONSTRAINTS(args)                   \
    CJ__CONSTRAINT_FIELD(args, kernel_constraint),        \
        CJ__CONSTRAINT_FIELD(args, recurrent_constraint), \
        CJ__CONSTRAINT_FIELD(args, bias_constraint)

// The rows of the fields of cells, ...
#define CJ__CELL_FIELDS(args)                                                   \
    CJ__FIELD(args, units, CJ__FIELD_INT, CJ__POSITIVE),                        \
        CJ__SPEC_FIELD(args, activation, cj__activations),                      \
        CJ__FIELD(args, use_bias, CJ__FIELD_BOOL),                              \
        CJ__SPEC_FIELD(args, kernel_initializer, cj__initializers),             \
        CJ__SPEC_FIELD(args, recurrent_initializer, cj__initializers),          \
        CJ__SPEC_FIELD(args, bias_initializer, cj__initializers),               \
        CJ__SPEC_FIELD(args, kernel_regularizer, cj__regularizers),             \
        CJ__SPEC_FIELD(args, recurrent_regularizer, cj__regularizers),          \
        CJ__SPEC_FIELD(args, bias_regularizer, cj__regularizers),               \
        CJ__FIELD(args, dropout, CJ__FIELD_NUMBER, CJ__SHARE),                  \
        CJ__FIELD(args, recurrent_dropout, CJ__FIELD_NUMBER, CJ__SHARE),        \
        CJ__FIELD(args, seed, CJ__FIELD_SEED), CJ__RECURRENT_CONSTRAINTS(args), \
        CJ__LAYER_FIELDS(args)
#define CJ__CELL_KEYS CJ__KEY_HARMLESS("implementation")

// ... and of layers, and Keras's other keys.
#define CJ__RECURRENT_FIELDS(args)                                                                \
    CJ__FIELD(args, units, CJ__FIELD_INT, CJ__POSITIVE), CJ__KERNEL_FIELDS(args),                 \
        CJ__SPEC_FIELD(args, recurrent_initializer, cj__initializers),                            \
        CJ__SPEC_FIELD(args, recurrent_regularizer, cj__regularizers),                            \
        CJ__FIELD(args, dropout, CJ__FIELD_NUMBER, .low = 0, .high = 1),                          \
        CJ__FIELD(args, recurrent_dropout, CJ__FIELD_NUMBER, .low = 0, .high = 1),                \
        CJ__FIELD(args, seed, CJ__FIELD_SEED), CJ__FIELD(args, return_sequences, CJ__FIELD_BOOL), \
        CJ__FIELD(args, return_state, CJ__FIELD_BOOL),                                            \
        CJ__FIELD(args, go_backwards, CJ__FIELD_BOOL), CJ__FIELD(args, stateful, CJ__FIELD_BOOL), \
        CJ__FIELD(args, unroll, CJ__FIELD_BOOL),                                                  \
        CJ__FIELD(args, zero_output_for_mask, CJ__FIELD_BOOL), CJ__LAYER_FIELDS(args)
#define CJ__RECURRENT_KEYS                                                                 \
    CJ__KEY_RENAMED("output_dim", "units"), CJ__KEY_RENAMED("init", "kernel_initializer"), \
        CJ__KEY_RENAMED("inner_init", "recurrent_initializer"),                            \
        CJ__KEY_RENAMED("W_regularizer", "kernel_regularizer"),                            \
        CJ__KEY_RENAMED("U_regularizer", "recurrent_regularizer"),                         \
        CJ__KEY_RENAMED("b_regularizer", "bias_regularizer"),                              \
        CJ__KEY_RENAMED("dropout_W", "dropout"),                                           \
        CJ__KEY_RENAMED("dropout_U", "recurrent_dropout"), CJ__CELL_KEYS,                  \
        CJ__KEY_ONLY("time_major", "false"), CJ__KEY_HARMLESS("input_dim"),                \
        CJ__KEY_HARMLESS("input_length"), CJ__KEY_HARMLESS("consume_less")

// A call of such a layer or cell.
typedef struct cj__recurrence {
    cj_layer *layer; // whose variables these are: a cell's, also where an RNN is called
    cj__trace *trace;
    cj__recurrent_settings settings;
    cj_symbol *bias;                 // of the inputs' products, (gates units); NULL for none
    cj_symbol *drops[CJ__GATES_MAX]; // masks of the state, one for each gate; NULL for none
    // One step: next[k] of each state, of which the first is the output. x has the products of the
    // step's input, bias added, (batch, gates units); a state is NULL where it is 0.
    void (*step)(const struct cj__recurrence *r, cj_symbol *x, cj_symbol *const *states,
                 cj_symbol **next);
} cj__recurrence;

// For build(): the variables, with a bias of that shape.
cj_status cj__build_recurrent(cj_layer *layer, const cj__type *inputs,
                              const cj__recurrent_settings *settings, cj_shape bias);
// For call() of a layer, and of a cell: the outputs. Layer and trace are filled in here.
cj_status cj__call_recurrent(cj__layer_context *c, cj__recurrence *r,
                             const cj__sequence_flags *flags);
cj_status cj__call_recurrent_cell(cj__layer_context *c, cj__recurrence *r);
// The sequence of an RNN layer that is called in `c`, over the cell r->layer.
cj_status cj__run_recurrent(cj__layer_context *c, cj__recurrence *r,
                            const cj__sequence_flags *flags);
// The shapes of `count` states of such a cell; returns the number.
int cj__recurrent_states(cj_shape *shapes, int64_t units, int count);

// For a step: the state's product with the columns of gates first .. first + count - 1 of the
// recurrent kernel, (batch, count units), with the masks of these gates.
cj_symbol *cj__state_product(const cj__recurrence *r, cj_symbol *h, int first, int count);
// Parts x (batch, count units) into one symbol (batch, units) for each gate.
void cj__gates(const cj__recurrence *r, cj_symbol *x, int count, cj_symbol **gates);

#endif
