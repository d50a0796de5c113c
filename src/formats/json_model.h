// Models as Keras's config objects: {"module", "class_name", "config", "registered_name",
// "build_config"}.
#ifndef CJ_FORMATS_JSON_MODEL_H
#define CJ_FORMATS_JSON_MODEL_H

#include "layers/layer.h"
#include <jansson.h>

// A new JSON object for a layer or model; NULL with a sentence if it has a part that has no config
// form.
json_t *cj__layer_to_json(cj_layer *layer);

// A floating layer or model from its object; `depth` counts nested models.
cj_layer *cj__layer_from_json(const json_t *object, int depth);

// A config "shape" with null for the free axis, and back; lists longer than CJ_MAX_RANK are
// refused.
json_t *cj__shape_to_json(const cj_shape *shape);
cj_status cj__shape_from_json(const json_t *list, cj_shape *shape, const char *who);

enum { CJ__JSON_DEPTH_MAX = 16, CJ__JSON_LAYERS_MAX = 10000 };

// json_masks.c: whether an object of a functional model is the operation that makes a mask, and
// whether the mask that a node is given (if any) is one that the layers here pass on by themselves.
bool cj__json_makes_mask(const json_t *object);
cj_status cj__json_check_mask(const json_t *objects, const json_t *node, const char *who);

#endif
