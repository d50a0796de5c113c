// What recurrent layers share: a layer says what one step does, and this makes the sequence of it.
//
// The variables of such a layer are in order: the kernel (features, gates units), the recurrent
// kernel (units, gates units), with use_bias the bias, and of a stateful one its states
// (batch, units).
#ifndef CJ_LAYERS_RECURRENT_H
#define CJ_LAYERS_RECURRENT_H

#include "layers/kind.h"

enum { CJ__GATES_MAX = 4, CJ__STATES_MAX = 2 };

// The settings that all of them have.
typedef struct cj__recurrent_settings {
    int64_t units, seed;
    int gates, states;
    const char *kernel_initializer, *recurrent_initializer, *bias_initializer;
    const char *kernel_regularizer, *recurrent_regularizer, *bias_regularizer;
    const char *activity_regularizer;
    double dropout, recurrent_dropout;
    bool use_bias, return_sequences, return_state, go_backwards, stateful, unroll;
    bool zero_output_for_mask;
} cj__recurrent_settings;
#define CJ__RECURRENT_SETTINGS(args, gate_count, state_count)                                     \
    {                                                                                             \
        .units = (args)->units, .seed = (args)->seed, .gates = gate_count, .states = state_count, \
        .kernel_initializer = (args)->kernel_initializer,                                         \
        .recurrent_initializer = (args)->recurrent_initializer,                                   \
        .bias_initializer = (args)->bias_initializer,                                             \
        .kernel_regularizer = (args)->kernel_regularizer,                                         \
        .recurrent_regularizer = (args)->recurrent_regularizer,                                   \
        .bias_regularizer = (args)->bias_regularizer,                                             \
        .activity_regularizer = (args)->activity_regularizer, .dropout = (args)->dropout,         \
        .recurrent_dropout = (args)->recurrent_dropout, .use_bias = (args)->use_bias,             \
        .return_sequences = (args)->return_sequences, .return_state = (args)->return_state,       \
        .go_backwards = (args)->go_backwards, .stateful = (args)->stateful,                       \
        .unroll = (args)->unroll, .zero_output_for_mask = (args)->zero_output_for_mask,           \
    }

// The rows of their fields, and Keras's other keys.
#define CJ__RECURRENT_CONSTRAINTS(args)                   \
    CJ__CONSTRAINT_FIELD(args, kernel_constraint),        \
        CJ__CONSTRAINT_FIELD(args, recurrent_constraint), \
        CJ__CONSTRAINT_FIELD(args, bias_constraint)
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
#define CJ__RECURRENT_KEYS                                                                      \
    CJ__KEY_RENAMED("output_dim", "units"), CJ__KEY_RENAMED("init", "kernel_initializer"),      \
        CJ__KEY_RENAMED("inner_init", "recurrent_initializer"),                                 \
        CJ__KEY_RENAMED("W_regularizer", "kernel_regularizer"),                                 \
        CJ__KEY_RENAMED("U_regularizer", "recurrent_regularizer"),                              \
        CJ__KEY_RENAMED("b_regularizer", "bias_regularizer"),                                   \
        CJ__KEY_RENAMED("dropout_W", "dropout"),                                                \
        CJ__KEY_RENAMED("dropout_U", "recurrent_dropout"), CJ__KEY_ONLY("time_major", "false"), \
        CJ__KEY_HARMLESS("input_dim"), CJ__KEY_HARMLESS("input_length"),                        \
        CJ__KEY_HARMLESS("consume_less"), CJ__KEY_HARMLESS("implementation")

// A call of such a layer.
typedef struct cj__recurrence {
    cj_layer *layer;
    cj__trace *trace;
    cj__recurrent_settings settings;
    cj_symbol *bias;                  // of the inputs' products, (gates units); NULL for none
    int64_t unrolled_steps;           // a sequence of so many steps, or fewer, is no loop
    cj_symbol *first[CJ__STATES_MAX]; // the states that the call was given; NULL for none
    cj_symbol *drops[CJ__GATES_MAX];  // masks of the state, one for each gate; NULL for none
    // One step: next[k] of each state, of which the first is the output. x has the products of the
    // step's input, bias added, (batch, gates units); a state is NULL where it is 0.
    void (*step)(const struct cj__recurrence *r, cj_symbol *x, cj_symbol *const *states,
                 cj_symbol **next);
} cj__recurrence;

// For build(): the variables, with a bias of that shape.
cj_status cj__build_recurrent(cj_layer *layer, const cj__type *inputs,
                              const cj__recurrent_settings *settings, cj_shape bias);
// For call(): the outputs. The rest of `r` is filled in here.
cj_status cj__call_recurrent(cj__layer_context *c, cj__recurrence *r);

// For a step: the state's product with the columns of gates first .. first + count - 1 of the
// recurrent kernel, (batch, count units), with the masks of these gates.
cj_symbol *cj__state_product(const cj__recurrence *r, cj_symbol *h, int first, int count);
// Parts x (batch, count units) into one symbol (batch, units) for each gate.
void cj__gates(const cj__recurrence *r, cj_symbol *x, int count, cj_symbol **gates);

#endif
