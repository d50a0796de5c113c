// Checks of data before the first step: a call that is refused has changed nothing.
#ifndef CJ_TRAIN_CHECK_H
#define CJ_TRAIN_CHECK_H

#include "data/dataset.h"
#include "train/state.h"

// Builds a sequential model without an input layer from the data's first input. Nothing to do for a
// built model.
cj_status cj__check_built(cj_model *model, const cj_dataset *data, const char *who);

// The inputs: as many as the model has, each of a shape that fits.
cj_status cj__check_inputs(cj_model *model, const cj_dataset *data, const char *who);

// The size of the batches for a data set: `batch_size`, or, for 0, the one that the data set's chain
// asks for, the one that the model's input layer fixes, or 32. A fixed batch size must be met by every batch, the last one included;
// CJ_SHAPE_MISMATCH otherwise, CJ_INVALID_ARGUMENT for a negative size.
cj_status cj__check_batches(const cj_model *model, const cj_dataset *data, int64_t batch_size,
                            const char *who, int64_t *size);

// The batch size that the model's input layers fix; 0 if they leave it free.
int64_t cj__fixed_batch(const cj_model *model);

// Inputs and targets for training and testing: their number, shapes, finite numbers, and labels
// within the classes. Of a data set whose samples are read when they are needed the numbers are
// checked by cj__check_batch().
cj_status cj__check_data(cj_model *model, const cj__train_state *state, const cj_dataset *data,
                         const char *who);

// The numbers of a batch, of a data set whose samples are read when they are needed; those of others
// were checked before the first step.
cj_status cj__check_batch(cj_model *model, const cj__train_state *state, const cj_dataset *data,
                          const cj__batch *batch, const char *who);

#endif
