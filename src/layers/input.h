// Input layers and the types that they stand for.
#ifndef CJ_LAYERS_INPUT_H
#define CJ_LAYERS_INPUT_H

#include "layers/layer.h"

// The type that an input layer stands for. Lengths beside the batch may be free too, CJ_ANY. A graph
// is always of one length: a model is built with CJ__LENGTH in the place of each, and traced again
// for the lengths of data when they come.
void cj__input_type(const cj_layer *input_layer, cj__type *type);
// A new input layer of that type; floating. NULL after a failure.
cj_layer *cj__input_of_type(const cj__type *type);

// Stand for free lengths while a model is built. What differs between the two depends on them.
enum { CJ__LENGTH = 256, CJ__OTHER_LENGTH = 384 };
// Whether a length beside the batch is free.
bool cj__type_is_free(const cj__type *type);
// The type with that length in the place of those that are free.
cj__type cj__type_of_length(const cj__type *type, int64_t length);

#endif
