// How a symbol that a user holds came about: which layer was applied to which symbols. A history is
// an object held by the symbols that it made (cj_symbol.history; history_index says which output a
// symbol is), and it holds the layer and the symbols that the layer was given, so the whole path
// back to the inputs stays alive.
#ifndef CJ_LAYERS_HISTORY_H
#define CJ_LAYERS_HISTORY_H

#include "layers/layer.h"

typedef struct cj__history {
    cj__object object;
    cj_layer *layer; // held
    int input_count, output_count;
    cj_symbol *inputs[CJ__LAYER_IO_MAX];       // held
    cj_symbol *output_masks[CJ__LAYER_IO_MAX]; // held; NULL for none
} cj__history;

extern const cj__class cj__layer_class, cj__history_class;

// The history of a symbol; NULL for an input or variable without a layer, and for an op applied by
// hand.
cj__history *cj__symbol_history(const cj_symbol *symbol);
// Lets go of what this thread's failed applications were given; see apply.c.
void cj__applied_release(void);
// A new symbol for the value of an input layer; floating. NULL after a failure.
cj_symbol *cj__input_symbol_of(cj_layer *layer);
// A symbol with the mask that its history knows of.
cj__value cj__symbol_value(cj_symbol *symbol);

#endif
