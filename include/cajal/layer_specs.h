/**
 * @file layer_specs.h
 * Layers as text, for command lines and files of settings: "random_flip(horizontal)".
 */
#ifndef CAJAL_LAYER_SPECS_H
#define CAJAL_LAYER_SPECS_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The layer that a spec names: "flatten", "dense(10, activation=softmax)", "zero_padding2d(4)". The
 * name is that of the constructor without "cj_" or Keras's class ("RandomFlip"), also of a class of
 * cj_register_layer(). Settings have the names of the constructor's arguments; by position they come
 * in the order of Keras's config, as in `cajal summary MODEL --json`. A list of ends, such as
 * factor_range, is a factor of two numbers: "random_contrast([0.1, 0.3])". Settings that are layers
 * (Bidirectional, TimeDistributed) cannot be given.
 *
 * NULL with CJ_INVALID_ARGUMENT (NULL, an unknown name, a setting that the layer does not have or
 * take) or CJ_OUT_OF_MEMORY. May be called by several threads at once.
 */
CJ_API cj_layer *cj_layer_from_spec(const char *spec);

#ifdef __cplusplus
}
#endif

#endif
