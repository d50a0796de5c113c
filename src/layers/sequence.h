// A recurrence over the steps of a sequence, whatever a step is: the loop, or the unrolled steps,
// with masks, initial states, states that last from batch to batch, and the outputs that are
// wanted. What a step does comes as functions.
#ifndef CJ_LAYERS_SEQUENCE_H
#define CJ_LAYERS_SEQUENCE_H

#include "layers/kind.h"

enum { CJ__SEQUENCE_STATES = 8 };

// How a sequence is run: the settings of Keras's RNN.
typedef struct cj__sequence_flags {
    bool return_sequences, return_state, go_backwards, unroll, zero_output_for_mask;
    int64_t unrolled_steps; // a sequence of so many steps, or fewer, is no loop
    const char *activity_regularizer;
    cj_variable *const *kept; // one for each state that lasts from batch to batch; NULL for none
} cj__sequence_flags;
#define CJ__SEQUENCE_FLAGS(args)                                                            \
    {                                                                                       \
        .return_sequences = (args)->return_sequences, .return_state = (args)->return_state, \
        .go_backwards = (args)->go_backwards, .unroll = (args)->unroll,                     \
        .zero_output_for_mask = (args)->zero_output_for_mask,                               \
    }

typedef struct cj__sequence {
    cj__layer_context *context; // the call: input (batch, time, ...), then the initial states
    cj__sequence_flags flags;
    int states;
    cj_shape shapes[CJ__SEQUENCE_STATES]; // of each state, without the batch axis
    int previous;                         // the state that is the output of a step that is masked
    bool needs_states;                    // a step takes no NULL for a state that is 0
    double first[CJ__SEQUENCE_STATES];    // what each state is at first, where it is not given
    // The input (batch, ...) is the same in each of so many steps; 0: it is a sequence.
    int64_t constant;
    bool
        watches; // a second output: state 0 after each step, or the last, as the first is asked for
    void *cell;  // what the functions work on
    // What the steps read, worked out for all of them at once: of x (batch, time, ...), the same
    // with other axes after time, and with time first if that is asked for. NULL: x itself.
    cj_symbol *(*project)(void *cell, cj_symbol *x, bool time_first);
    // Sees what one step will read, before the steps and outside of the loop; may be NULL.
    void (*begin)(void *cell, cj_symbol *entry);
    // One step: sets next[k] of each state and returns the output. A state is NULL where it is 0.
    cj_symbol *(*step)(void *cell, cj_symbol *x, cj_symbol *const *states, cj_symbol **next);
} cj__sequence;

// For call(): checks the input's time axis and the initial states, and makes the outputs.
cj_status cj__sequence_call(const cj__sequence *sequence);
// For build(): the variables of the states that last, from index layer->variable_count on. The batch
// must be fixed.
cj_status cj__sequence_add_states(cj_layer *layer, int64_t batch, const cj_shape *shapes,
                                  int states);
// Zeros (batch, ...) of the shape of a state. `entry` is (batch, ...) with any other axes.
cj_symbol *cj__sequence_zeros(cj__build *g, cj_symbol *entry, const cj_shape *state);
// (batch, time, ...) with time first, or the other way round.
cj_symbol *cj__turn_time(cj__build *g, cj_symbol *x);

#endif
