// Cells: layers that are one step of a recurrence. Called by itself a cell takes an entry of a
// sequence and its states, and gives the output and the next states; RNN runs it over a sequence.
#ifndef CJ_LAYERS_CELLS_H
#define CJ_LAYERS_CELLS_H

#include "layers/sequence.h"

typedef struct cj__cell {
    // The shapes of the states without the batch axis, and which of them is the output before a
    // step that is masked. Returns their number, which may be greater than CJ__SEQUENCE_STATES: only
    // so many are filled in.
    int (*states)(const cj_layer *cell, cj_shape *shapes, int *previous);
    // What each state is before the first step, as many as CJ__SEQUENCE_STATES; NULL where all are 0.
    void (*first)(const cj_layer *cell, double *values);
    // Runs an RNN layer over this cell, which is built, in another way than by calling it for each
    // step; NULL for none.
    cj_status (*run)(cj__layer_context *c, cj_layer *cell, const cj__sequence_flags *flags);
} cj__cell;

// Whether the layer is a cell; else fails with a sentence of `who`.
cj_status cj__need_cell(const cj_layer *layer, const char *who);

#endif
