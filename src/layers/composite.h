// Layers that a layer is put together from, such as the projections of an attention. They are made
// and built with it, and their variables are below its name: "multi_head_attention/query/kernel".
#ifndef CJ_LAYERS_COMPOSITE_H
#define CJ_LAYERS_COMPOSITE_H

#include "layers/layer.h"

enum { CJ__SUBLAYERS_MAX = 11 };

// A layer with sublayers: the head of its kind's struct.
typedef struct cj__composite {
    cj_layer base;
    cj_layer *sublayers[CJ__SUBLAYERS_MAX]; // in Keras's order, held
    int sublayer_count;
} cj__composite;

// For build(): takes a floating sublayer with a name of its own over and builds it for one input;
// NULL is a constructor's failure. On failure the sublayers are released.
cj_status cj__add_sublayer(cj_layer *layer, cj_layer *sublayer, const cj__type *input);

// For call(): sublayer `index` applied to x.
cj_symbol *cj__call_sublayer(cj__layer_context *context, int index, cj_symbol *x);

// .children and .free of the kind, whose .size is at least that of cj__composite.
int cj__composite_children(const cj_layer *layer, cj_layer *const **children);
void cj__composite_free(cj_layer *layer);

#endif
