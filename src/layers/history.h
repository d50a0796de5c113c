// The history of a symbol that a user holds: the layer that was applied, and its input symbols. It
// is an object held by the symbols that the application gave (cj_symbol.history; history_index is
// the output that a symbol stands for), and it holds the layer and the inputs, so the whole path
// back to the model's inputs stays alive.
#ifndef CJ_LAYERS_HISTORY_H
#define CJ_LAYERS_HISTORY_H

#include "layers/layer.h"

typedef struct cj__history {
    cj__object object;
    cj_layer *layer;            // held
    cj__call_settings settings; // of the application
    int input_count, output_count;
    cj_symbol **inputs;       // held
    cj_symbol **output_masks; // held; NULL for none
} cj__history;

extern const cj__class cj__layer_class, cj__history_class;

// The history of a symbol; NULL for symbols that no layer made.
cj__history *cj__symbol_history(const cj_symbol *symbol);
// Releases the arguments of this thread's failed applications; see apply.c.
void cj__applied_release(void);
// cj_apply_many() with settings of the call.
cj_status cj__apply_many(cj_layer *layer, cj__call_settings settings, cj_symbol *const *inputs,
                         int count, cj_symbol **outputs, int output_capacity);
// The same with all outputs, however many: the caller frees the list (cj__free).
cj_status cj__apply_all(cj_layer *layer, cj__call_settings settings, cj_symbol *const *inputs,
                        int count, cj_symbol ***outputs, int *output_count);
// A new symbol for the value of an input layer; floating. NULL after a failure.
cj_symbol *cj__input_symbol_of(cj_layer *layer);
// A symbol with its mask, which its history holds.
cj__value cj__symbol_value(cj_symbol *symbol);

#endif
