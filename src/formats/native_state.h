// What training keeps with a model, as JSON: the settings of cj_compile() (native_settings.c) and
// the place in the run (native_place.c).
#ifndef CJ_FORMATS_NATIVE_STATE_H
#define CJ_FORMATS_NATIVE_STATE_H

#include "formats/json_build.h"
#include "train/state.h"

cj_status cj__settings_to_json(const cj__train_state *state, json_t **object);
// Compiles the model as it was. `settings` may be anything that a file holds.
cj_status cj__settings_from_json(cj_model *model, const json_t *settings);

// The place, and the numbers that state->memories has.
cj_status cj__place_to_json(const cj__train_state *state, json_t **object);
cj_status cj__place_from_json(cj__train_state *state, const json_t *place);

#endif
