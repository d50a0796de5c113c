// The trainable flags of a model's layers as they were at cj_compile(): a layer that is frozen or
// thawed afterwards counts once the model is compiled again. A GAN rests on it: its discriminator
// is compiled alone, then frozen inside the combined model, and each of the two models goes on
// training what it was compiled to train. Keras 3.15.1 takes the flags as they stand at the first
// training step instead; the tutorial's GAN, which sets them before each step, trains the same
// under both. Traces of a compiled model read these flags (cj__trace.flags); the layers' own stay
// as they are, so that other threads may look at them meanwhile.
#ifndef CJ_TRAIN_FLAGS_H
#define CJ_TRAIN_FLAGS_H

#include "layers/layer.h"

typedef struct cj__flag {
    cj_layer *layer; // the model's own, not held
    bool trainable;
} cj__flag;

typedef struct cj__flags {
    cj__flag *rows; // a layer that is shared is there several times
    size_t count, capacity;
    cj__index index; // the same by layer, as traces read them
} cj__flags;

cj_status cj__flags_take(cj__flags *flags, cj_layer *layer); // of the layer and all it contains
// Exchanges the flags of the layers with those kept: for the loading of a model, which no other
// thread knows yet.
void cj__flags_swap(cj__flags *flags);
void cj__flags_swap_back(cj__flags *flags); // undoes it
void cj__flags_free(cj__flags *flags);

#endif
