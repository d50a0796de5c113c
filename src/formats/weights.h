// All variables of a model under names that are paths: "dense/kernel", "inner/dense_1/bias". Each
// variable once, under the first path that leads to it.
#ifndef CJ_FORMATS_WEIGHTS_H
#define CJ_FORMATS_WEIGHTS_H

#include "layers/index.h"
#include "layers/layer.h"

typedef struct cj__weights {
    char **names;            // owned
    cj_variable **variables; // the model's
    int count;
    size_t name_capacity, variable_capacity;
    cj__index met; // the layers walked over, and the variables listed
} cj__weights;     // starts as {0}

cj_status cj__weights_collect(cj__weights *weights, cj_layer *model);
void cj__weights_free(cj__weights *weights);

#endif
