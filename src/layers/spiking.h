// What spiking layers share (include/cajal/spiking.h): settings with the preset filled in, the
// variables, and one step of a neuron.
//
// States of a neuron, in order: the membrane; what its form has of its own (a synapse's current,
// say); the spikes of the step before, where they are read; the steps of rest that are left.
#ifndef CJ_LAYERS_SPIKING_H
#define CJ_LAYERS_SPIKING_H

#include "layers/cells.h"
#include "ops/spike.h"
#include <cajal/spiking.h>

// The head of the arguments of every neuron.
typedef struct cj__spiking_args {
    CJ_SPIKING_MEMBERS
} cj__spiking_args;

// The rows of CJ_SPIKING_MEMBERS.
extern const char *const cj__spiking_presets[],
    *const cj__spiking_resets[], *const cj__spiking_times[],
                                     *const cj__spiking_gradients[],
                                         *const cj__spiking_firings[],
                                             *const cj__spiking_steps[],
                                                 *const cj__spiking_scales[],
                                                     *const cj__spiking_rests[],
                                                         *const cj__spiking_recurrences[],
                                                             *const cj__spiking_outputs[];
#define CJ__SPIKING_FIELDS(args)                                                                  \
    CJ__FIELD(args, beta, CJ__FIELD_LIMIT, CJ__SHARE),                                            \
        CJ__FIELD(args, tau, CJ__FIELD_LIMIT, .low = 0, .high = 1e30),                            \
        CJ__FIELD(args, dt, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1e30),                        \
        CJ__FIELD(args, threshold, CJ__FIELD_NUMBER), CJ__FIELD(args, v_leak, CJ__FIELD_LIMIT),   \
        CJ__FIELD(args, v_reset, CJ__FIELD_NUMBER), CJ__FIELD(args, v_initial, CJ__FIELD_LIMIT),  \
        CJ__FIELD(args, resistance, CJ__FIELD_NUMBER),                                            \
        CJ__FIELD(args, preset, CJ__FIELD_TEXT, .words = cj__spiking_presets, .required = true),  \
        CJ__FIELD(args, reset, CJ__FIELD_TEXT, .words = cj__spiking_resets),                      \
        CJ__FIELD(args, reset_time, CJ__FIELD_TEXT, .words = cj__spiking_times),                  \
        CJ__FIELD(args, reset_gradient, CJ__FIELD_TEXT, .words = cj__spiking_gradients),          \
        CJ__FIELD(args, firing, CJ__FIELD_TEXT, .words = cj__spiking_firings),                    \
        CJ__FIELD(args, discretization, CJ__FIELD_TEXT, .words = cj__spiking_steps),              \
        CJ__FIELD(args, input_scale, CJ__FIELD_TEXT, .words = cj__spiking_scales),                \
        CJ__SPEC_FIELD(args, surrogate, cj__surrogates),                                          \
        CJ__FIELD(args, refractory, CJ__FIELD_INT, .low = 0, .high = 1 << 20),                    \
        CJ__FIELD(args, refractory_state, CJ__FIELD_TEXT, .words = cj__spiking_rests,             \
                  .required = true),                                                              \
        CJ__FIELD(args, learn_beta, CJ__FIELD_BOOL),                                              \
        CJ__FIELD(args, learn_threshold, CJ__FIELD_BOOL),                                         \
        CJ__FIELD(args, per_neuron, CJ__FIELD_BOOL),                                              \
        CJ__FIELD(args, heterogeneous, CJ__FIELD_BOOL),                                           \
        CJ__FIELD(args, recurrent, CJ__FIELD_TEXT, .words = cj__spiking_recurrences,              \
                  .required = true),                                                              \
        CJ__SPEC_FIELD(args, recurrent_initializer, cj__initializers),                            \
        CJ__SPEC_FIELD(args, recurrent_regularizer, cj__regularizers),                            \
        CJ__FIELD(args, recurrent_bias, CJ__FIELD_BOOL),                                          \
        CJ__FIELD(args, steps, CJ__FIELD_INT, .low = 0, .high = 1 << 20),                         \
        CJ__FIELD(args, output, CJ__FIELD_TEXT, .words = cj__spiking_outputs, .required = true),  \
        CJ__FIELD(args, return_sequences, CJ__FIELD_BOOL),                                        \
        CJ__FIELD(args, return_state, CJ__FIELD_BOOL),                                            \
        CJ__FIELD(args, go_backwards, CJ__FIELD_BOOL), CJ__FIELD(args, stateful, CJ__FIELD_BOOL), \
        CJ__SPEC_FIELD(args, activity_regularizer, cj__regularizers), CJ__LAYER_FIELDS(args)

// The numbers of a neuron. Each is a constant, or a variable of the layer.
typedef enum cj__neuron_number {
    CJ__NEURON_BETA,
    CJ__NEURON_THRESHOLD,
    CJ__NEURON_RESISTANCE,
    CJ__NEURON_LEAK,
    CJ__NEURON_RESET,
    CJ__NEURON_ALPHA, // of a synapse, or of an adaptation
    CJ__NEURON_JUMP,  // what an input adds to a synapse's current, or a spike to an adaptation
    CJ__NEURON_NUMBERS
} cj__neuron_number;
extern const char *const cj__neuron_names[CJ__NEURON_NUMBERS]; // of the variables

enum { CJ__RESET_SUBTRACT, CJ__RESET_VALUE, CJ__RESET_NONE };

struct cj__neuron;

// What a kind of neuron has of its own.
typedef struct cj__neuron_form {
    const cj__layer_kind *kind;
    int states;        // the membrane included
    uint32_t numbers;  // bit i: it has number i
    bool fires;        // else its output is the membrane
    bool resets_after; // "value" in the next step comes after what that step gathers
    bool own_decay;    // settle() works out beta
    // The membrane after a step, before the reset, and its states after the membrane.
    cj_symbol *(*gather)(const struct cj__neuron *n, cj_symbol *x, cj_symbol *const *states,
                         cj_symbol **next);
    // Changes next[] by the spikes of this step, or with the reset in the next step of that before;
    // NULL for none.
    void (*fired)(const struct cj__neuron *n, cj_symbol *spikes, cj_symbol **next);
    // What the threshold is raised by, of its states; NULL for nothing.
    cj_symbol *(*raise)(const struct cj__neuron *n, cj_symbol *const *next);
    // Fills in numbers of its own; the common ones are there. May be NULL.
    cj_status (*settle)(const cj_layer *layer, struct cj__neuron *n);
} cj__neuron_form;

// A neuron layer with its settings worked out.
typedef struct cj__neuron {
    cj_layer *layer;
    cj__trace *trace;
    const cj__neuron_form *form;
    const cj__spiking_args *args;
    double numbers[CJ__NEURON_NUMBERS];
    double initial[CJ__SEQUENCE_STATES];    // of the states
    cj_symbol *symbols[CJ__NEURON_NUMBERS]; // NULL for constants; set for a trace
    cj_symbol *kernel, *bias;               // of the recurrent input; NULL for none
    int reset;
    bool next_step, stops, scales;
    bool keeps_spikes;
    bool resets_after; // a reset in the next step comes after what that step gathers
    cj__spike_attrs spike;
} cj__neuron;

// For check(): the settings fit each other.
cj_status cj__neuron_check(cj_layer *layer);
// The settings of a layer that is checked, or a failure with a sentence; without the symbols.
cj_status cj__neuron_of(cj_layer *layer, cj__neuron *n);
// For a trace: reads the variables.
void cj__neuron_read(cj__neuron *n, cj__trace *trace);
// The number of all its states.
int cj__neuron_states(const cj__neuron *n);
// Whether time constants are taken by "exact".
bool cj__neuron_is_exact(const cj__neuron *n);
// One step over states (batch, ...): a cj__sequence.step, `cell` being the cj__neuron.
cj_symbol *cj__neuron_step(void *cell, cj_symbol *x, cj_symbol *const *states, cj_symbol **next);

// For build(), call() and after_draw() of the kinds.
cj_status cj__neuron_build(cj_layer *layer, const cj__type *inputs);
cj_status cj__neuron_call(cj__layer_context *c);
void cj__neuron_draw(const cj_layer *layer, int index, cj_tensor *value);

// Words for forms. x times a number, and x plus a number; a number as a symbol like x.
cj_symbol *cj__neuron_times(const cj__neuron *n, cj_symbol *x, cj__neuron_number which);
cj_symbol *cj__neuron_number_like(const cj__neuron *n, cj_symbol *x, cj__neuron_number which);
// beta v + (1 - beta) v_leak + gain x
cj_symbol *cj__neuron_leak(const cj__neuron *n, cj_symbol *v, cj_symbol *x);

// spiking_kinds.c: the forms, ended by one without a kind.
extern const cj__neuron_form cj__neuron_forms[];
const cj__neuron_form *cj__neuron_form_of(const cj_layer *layer);

#endif
