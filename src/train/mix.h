// Mixtures of batches: the setting `mix` of cj_compile().
#ifndef CJ_TRAIN_MIX_H
#define CJ_TRAIN_MIX_H

#include "layers/layer.h"

// Whether the spec names a mixture with settings that it takes.
cj_status cj__mix_check(const char *spec);

// The targets of the model's output as a loss over vectors takes them: class numbers as vectors of
// classes, others as float32 of the output's shape.
cj_symbol *cj__mix_targets(const cj_model *model, cj__build *g, cj_symbol *targets);

// While training: images and targets mixed with the same numbers, in place.
cj_status cj__mix_batch(const char *spec, cj__trace *trace, cj_symbol **images,
                        cj_symbol **targets);

// Whether a model with so many inputs and outputs can be given mixed batches.
cj_status cj__mix_fits(const cj_model *model);

#endif
