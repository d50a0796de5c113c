// A model around each sample, for the parts of the battery that train, save and explain it.
#ifndef CJ_TESTS_LAYERS_MODELS_H
#define CJ_TESTS_LAYERS_MODELS_H

#include "layers/samples.h"

#include <cajal/data.h>

enum { MODEL_INPUTS = 4 };

// Inputs of the sample's shape -> layer `layer` -> if `score`, Flatten -> Dense(1). Fails the test if
// it cannot be made. NULL for a sample that is an input or computes nothing by itself.
cj_model *model_of(const sample *sample, bool score, cj_layer **layer);
// Random inputs for `batch` samples: as many as the model has.
void model_inputs(const cj_model *model, const sample *sample, int64_t batch, cj_tensor **inputs);
void model_inputs_free(const cj_model *model, cj_tensor **inputs);
// What a model of one output predicts for three random samples.
cj_tensor *model_predicted(cj_model *model, const sample *sample);

#endif
