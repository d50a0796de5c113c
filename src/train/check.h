// What is checked at the door, before the first step: a call that is refused has changed nothing.
#ifndef CJ_TRAIN_CHECK_H
#define CJ_TRAIN_CHECK_H

#include "data/dataset.h"
#include "train/state.h"

// Builds a sequential model without an input layer from the data's first input. Nothing to do for a
// built model.
cj_status cj__check_built(cj_model *model, const cj_dataset *data, const char *who);

// The inputs: as many as the model has, each of a shape that fits.
cj_status cj__check_inputs(cj_model *model, const cj_dataset *data, const char *who);

// Inputs and targets for training and testing: their number, shapes, finite numbers, and labels
// within the classes.
cj_status cj__check_data(cj_model *model, const cj__train_state *state, const cj_dataset *data,
                         const char *who);

#endif
