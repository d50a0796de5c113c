// Class weights: a weight for each sample of a batch, from its label.
#ifndef CJ_TRAIN_WEIGHTS_H
#define CJ_TRAIN_WEIGHTS_H

#include "data/dataset.h"
#include <cajal/train.h>

typedef struct cj__class_weights {
    const double *weights; // by class
    int count;
    float *buffer;      // of a batch; NULL if there are no class weights
    cj_dtype dtype;     // of the targets
    int64_t per_sample; // elements: 1 for class numbers, else one-hot
} cj__class_weights;    // starts as {0}

cj_status cj__class_weights_open(cj__class_weights *cw, const cj_fit_args *args,
                                 const cj_dataset *data, int64_t batch_size);
const float *cj__class_weights_of(cj__class_weights *cw, const cj__batch *batch);
void cj__class_weights_close(cj__class_weights *cw);

#endif
