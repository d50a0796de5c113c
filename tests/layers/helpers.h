// What the tests of layers share: running a layer or a model on given numbers.
#ifndef CJ_TESTS_LAYERS_HELPERS_H
#define CJ_TESTS_LAYERS_HELPERS_H

#include "support.h"

#include "layers/layer.h"
#include <cajal/model.h>

// A tensor with the given numbers; `shape` includes the batch axis. Fails the test if it cannot be
// made.
cj_tensor *helper_tensor(cj_dtype dtype, cj_shape shape, const double *numbers);
// A float tensor with numbers from -1 to 1 that depend on `seed`.
cj_tensor *helper_random(cj_shape shape, uint64_t seed);

// Runs a built layer (applied to `input`'s type first, if it is not) and gives output `index`,
// float32, in a new tensor. `training` traces for training, with step number `step`. Updates of
// variables are carried out.
cj_tensor *helper_run(cj_layer *layer, cj_tensor *const *inputs, int count, int index,
                      bool training, int64_t step);
// The same for one input, predicting.
cj_tensor *helper_predict(cj_layer *layer, cj_tensor *input);

const float *helper_floats(const cj_tensor *tensor);
void helper_assign(cj_layer *layer, int index, const double *numbers);

// The greatest difference between the gradient of sum(output * c) by each variable and by the
// input, and central differences in float; relative to 1 + |gradient|. c is fixed and random.
double helper_gradient_error(cj_layer *layer, cj_tensor *input, double step);

#endif
