// Words of keras.ops between the layers of a functional model (ops/word.h) as layers, so that what
// names, shows, traces and writes layers does so with them. Their class is Keras's operation.
#ifndef CJ_LAYERS_OPERATION_H
#define CJ_LAYERS_OPERATION_H

#include "layers/layer.h"
#include "ops/word.h"

extern const cj__layer_kind cj__layer_operation;

// The word of that class of Keras, in that module; NULL with a sentence.
const cj__word *cj__word_find(const char *module, const char *class_name);
// The word of an activation by its name; NULL for one that is no operation.
const cj__word *cj__word_of_activation(const char *name);
// All words: those of ops and of activations, ended by NULL.
const cj__word *cj__word_at(int index);

// A floating layer that applies a word with these settings, NULL for the defaults; `name` NULL is made
// from the class.
cj_layer *cj__operation_new(const cj__word *word, const void *settings, const char *name);
// That of an application, which holds it.
cj_layer *cj__applied_layer(cj__applied *applied);
// What a layer of that kind applies.
const cj__word *cj__operation_word(const cj_layer *layer);
const void *cj__operation_settings(const cj_layer *layer);
// Gives it other settings, of which it keeps copies: for those that are arguments of the call.
cj_status cj__operation_set(cj_layer *layer, const void *settings);

#endif
