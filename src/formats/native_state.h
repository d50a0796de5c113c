// What training keeps with a model, as JSON: the settings of cj_compile() and the place in the run.
#ifndef CJ_FORMATS_NATIVE_STATE_H
#define CJ_FORMATS_NATIVE_STATE_H

#include "train/state.h"
#include <jansson.h>

json_t *cj__settings_to_json(const cj__train_state *state);
// Compiles the model as it was. `settings` is a stranger's.
cj_status cj__settings_from_json(cj_model *model, const json_t *settings);

json_t *cj__place_to_json(cj__train_state *state);
cj_status cj__place_from_json(cj__train_state *state, const json_t *place);

#endif
