// Models made again: see cj_clone() in cajal/clone.h, which compiles them too (train/clone.c).
#ifndef CJ_LAYERS_CLONE_H
#define CJ_LAYERS_CLONE_H

#include "layers/layer.h"

// What is asked for.
typedef struct cj__cloning_wishes {
    const char *name; // NULL: the model's
    int64_t seed;     // -1: the model's
    bool weights;     // with the weights as they are now
} cj__cloning_wishes;

// A new floating model; NULL after a failure.
cj_model *cj__model_clone(const cj_model *model, const cj__cloning_wishes *wishes);

#endif
