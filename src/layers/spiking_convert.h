// Inside the conversion of trained networks: what spiking_convert.c, which walks over the layers, has
// from spiking_balance.c, which runs the trained network on data, and spiking_weights.c, which
// computes the weights.
#ifndef CJ_LAYERS_SPIKING_CONVERT_H
#define CJ_LAYERS_SPIKING_CONVERT_H

#include "layers/layer.h"

// One application of a layer that ends in ReLU, and the threshold of the neurons in its place.
typedef struct cj__rectified {
    const cj_layer *layer;
    int which;         // of the applications of that layer, in the order of tracing
    cj_symbol *symbol; // what it gives; while the activations are measured
    double greatest;   // of the activations
    double threshold;
    int64_t *counts; // of the positive activations, by size
} cj__rectified;

typedef struct cj__balance {
    cj__rectified *rows;
    size_t count, capacity;
} cj__balance; // starts as {0}

// Whether a layer ends in ReLU, and the greatest number that this one gives: INFINITY for no limit.
bool cj__rectifies(const cj_layer *layer, double *limit);

// Runs the model on x and finds a threshold for each ReLU: the activation that `percentile` percent
// of the positive ones do not exceed. cj__balance_free() is due after a failure too.
cj_status cj__balance_measure(cj__balance *balance, cj_model *model, const cj_tensor *x,
                              double percentile);
// The threshold for application `which` of a layer.
double cj__balance_threshold(const cj__balance *balance, const cj_layer *layer, int which);
void cj__balance_free(cj__balance *balance);

// The settings of a layer with its weights, as copies are made of them.
typedef struct cj__copied {
    const cj_layer *from, *normal; // normal: the BatchNormalization to be folded into it, or NULL
    cj_layer *to;
    double worth; // what an input of 1 stands for: kernels are multiplied by it
} cj__copied;

// Whether a layer's class is one of a list that ends with NULL.
bool cj__is_one_of(const cj_layer *layer, const char *const *classes);
// Whether a layer has a kernel whose product with the input is its result, but for a bias and an
// activation.
bool cj__weighs(const cj_layer *layer);
// Whether a BatchNormalization of what `layer` gives can become a part of its weights.
bool cj__folds(const cj_layer *layer, const cj_layer *normal);
// A new layer of the same settings, without its activation, and with a bias if that is asked for.
cj_layer *cj__linear_again(const cj_layer *layer, const char *name, bool bias);
// Gives a copy, once it is built, its weights.
cj_status cj__copy_weights(const cj__copied *copied);

#endif
