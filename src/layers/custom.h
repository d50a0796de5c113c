// Kinds of layers that a program registers: cajal/custom.h.
#ifndef CJ_LAYERS_CUSTOM_H
#define CJ_LAYERS_CUSTOM_H

#include "layers/layer.h"

// The kind of a registered class; NULL if there is none of that name.
const cj__layer_kind *cj__custom_kind_find(const char *class_name);

#endif
