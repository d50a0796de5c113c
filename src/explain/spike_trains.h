// What the layers of a model do in one tracing of it: neurons that show spikes and membranes, and layers
// with a kernel.
#ifndef CJ_EXPLAIN_SPIKE_TRAINS_H
#define CJ_EXPLAIN_SPIKE_TRAINS_H

#include "layers/spiking.h"

// One application of a layer of neurons or of one with a kernel.
typedef struct cj__acting {
    cj_layer *layer;
    cj_symbol *input;
    bool neurons, fires, plain; // plain: its only input is the sequence or current, without a mask
    cj_symbol *spikes, *membranes; // of a copy that gives both; spikes NULL for what does not fire
} cj__acting;

typedef struct cj__acts {
    cj__trace trace;
    cj_symbol *input;
    cj__acting *rows;
    size_t count, capacity;
    cj_layer **copies; // held
    size_t copy_count, copy_capacity;
    bool out_of_memory;
} cj__acts; // starts as {0}; ended by cj__acts_end(), after a failure too

// Traces a model with one input of that type, `who` for sentences. CJ_UNSUPPORTED where it has no layer of
// neurons.
cj_status cj__acts_begin(cj__acts *acts, cj_model *model, const cj__type *type, const char *who);
// Makes the symbols of the spikes and membranes of one layer of neurons.
cj_status cj__acts_show(cj__acts *acts, cj__acting *row, const char *who);
void cj__acts_end(cj__acts *acts);

// A copy of a layer of neurons with the numbers that it has; NULL after a failure. Its weights are set by
// cj__neurons_copy_numbers() once it is built: number `neuron` where it has one and the layer one a
// neuron.
cj_layer *cj__neurons_again(const cj_layer *layer, const char *output, int64_t steps,
                            bool recurrent);
cj_status cj__neurons_copy_numbers(const cj_layer *from, cj_layer *to, int64_t neuron);

#endif
