// What the layers with a table of rows share.
#ifndef CJ_LAYERS_EMBEDDING_H
#define CJ_LAYERS_EMBEDDING_H

#include "layers/kind.h"

// y = table[x] with variable 0 as the table: (...) by (input_dim, output_dim). With mask_zero the mask is
// x != 0.
cj_status cj__call_embedding(cj__layer_context *context, bool mask_zero);

#endif
