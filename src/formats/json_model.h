// Models as Keras's config objects: {"module", "class_name", "config", "registered_name",
// "build_config"}, and "shared_object_id" for a layer that stands in several models.
#ifndef CJ_FORMATS_JSON_MODEL_H
#define CJ_FORMATS_JSON_MODEL_H

#include "formats/json_build.h"
#include "layers/layer.h"

// What is written and what is read: levels of nested models, and layers in all, a layer of a nested
// model counted each time that the model stands there.
enum { CJ__JSON_DEPTH_MAX = CJ__MODEL_DEPTH_MAX, CJ__JSON_LAYERS_MAX = 50000 };

// A new JSON object for a layer or model: CJ_UNSUPPORTED if it has a part that has no config form.
cj_status cj__layer_to_json(cj_layer *layer, json_t **object);

// A floating model from its object, or NULL with a sentence. If `filling` is given, no variable is
// drawn: see cj__filling.
cj_model *cj__model_from_json(const json_t *object, cj__filling *filling);

// ---- Between the files that read ----

typedef struct cj__json_loader {
    cj__filling *filling; // or NULL
    int depth;            // of nested models
    int layers;           // read so far
    cj_layer **shared;    // layers with a "shared_object_id", held, ...
    json_int_t *ids;      // ... and those
    size_t shared_count, shared_capacity, id_capacity;
} cj__json_loader;

// A layer or model from its object: floating, or one that is shared and was read before.
cj_layer *cj__layer_from_json(cj__json_loader *loader, const json_t *object);

// The arguments of an input layer; `name` may be NULL.
cj_status cj__json_input_args(const json_t *config, const char *name, cj_input_args *args);

// Whether a class name stands for the input layer.
bool cj__json_is_input(const char *class_name);

// json_functional.c
cj_layer *cj__functional_from_json(cj__json_loader *loader, const json_t *config);

// The text under a key; NULL if there is none, or something else.
static inline const char *cj__json_text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

// json_masks.c: the list of layers of a functional model, the place of each by its name, and the
// maskers among them.
typedef struct cj__json_layers {
    const json_t *objects;
    json_t *index;   // names to places in `objects`
    json_t *maskers; // the objects of layers that make masks
} cj__json_layers;

// The object of that name, or NULL.
const json_t *cj__json_layer_named(const cj__json_layers *layers, const char *name);
// Whether an object is the operation that makes a mask, and whether the masks that a node of a layer
// of that kind is given (if any) are such that the layers here pass on by themselves.
bool cj__json_makes_mask(const json_t *object);
// Whether a tensor is a mask that an embedding or a Masking layer makes, or that is joined from such;
// *source gets the history of what it was made of if it is one of these, else NULL.
bool cj__json_is_mask(const cj__json_layers *layers, const json_t *tensor, const json_t **source);
cj_status cj__json_check_masks(const cj__json_layers *layers, const json_t *node,
                               const cj__layer_kind *kind, const char *who);

#endif
