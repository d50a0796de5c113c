// Input layers and the types that they stand for.
#ifndef CJ_LAYERS_INPUT_H
#define CJ_LAYERS_INPUT_H

#include "layers/layer.h"

// The type of the symbol that an input layer stands for.
void cj__input_type(const cj_layer *input_layer, cj__type *type);
// A new input layer of that type; floating. NULL after a failure.
cj_layer *cj__input_of_type(const cj__type *type);

#endif
