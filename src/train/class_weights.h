// Class weights: a weight for each sample of a batch, from its class. As in Keras, the class is the
// target rounded to a whole number, or the greatest element of a one-hot target; classes without a
// weight count 1. Targets that name no single class for a sample are refused: sequences of labels,
// and the values of a regression.
#ifndef CJ_TRAIN_CLASS_WEIGHTS_H
#define CJ_TRAIN_CLASS_WEIGHTS_H

#include "data/dataset.h"
#include "train/settings.h"

typedef struct cj__class_weights {
    const double *weights; // by class
    int count;
    const char *loss;   // the settings' own
    float *buffer;      // of a batch; NULL if there are no class weights
    cj_dtype dtype;     // of the targets
    int64_t per_sample; // elements: 1 for class numbers, else one-hot
} cj__class_weights;    // starts as {0}

// Nothing is opened if the arguments have no class weights. The settings tell the loss.
cj_status cj__class_weights_open(cj__class_weights *cw, const cj_fit_args *args,
                                 const cj__settings *settings, const cj_dataset *data,
                                 int64_t batch_size);
// Whether a batch has classes as targets, of a data set whose samples are read when they are needed.
// CJ_INVALID_ARGUMENT.
cj_status cj__class_weights_check(const cj__class_weights *cw, const cj_dataset *data,
                                  const cj__batch *batch);
const float *cj__class_weights_of(cj__class_weights *cw, const cj__batch *batch);
void cj__class_weights_close(cj__class_weights *cw);

#endif
