// What a model was compiled with as Keras's "compile_config" object: {"optimizer", "loss",
// "loss_weights", "metrics", "weighted_metrics", ...}, and "training_config" of its HDF5 files, which
// calls the optimizer "optimizer_config".
#ifndef CJ_FORMATS_JSON_COMPILE_H
#define CJ_FORMATS_JSON_COMPILE_H

#include "formats/json_build.h"
#include <cajal/train.h>

// NULL, without a failure, for a model that is not compiled.
json_t *cj__compile_to_json(cj__json *b, const cj_model *model);

// Compiles a model. CJ_UNSUPPORTED, CJ_INVALID_ARGUMENT or CJ_BAD_FILE for what cannot be said here: then
// it is not compiled.
cj_status cj__compile_from_json(cj_model *model, const json_t *config);

// The same, but what cannot be said gives a warning. CJ_OK or CJ_OUT_OF_MEMORY.
cj_status cj__compile_if_possible(cj_model *model, const json_t *config);

#endif
