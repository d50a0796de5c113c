// The inside of a model: a layer whose kind is sequential or functional. Both keep a list of
// applications, which tracing, summaries and files read. That of a sequential model is a chain, made
// when the model is built.
#ifndef CJ_LAYERS_MODEL_H
#define CJ_LAYERS_MODEL_H

#include "base/sync.h"
#include "layers/history.h"
#include "layers/index.h"
#include "layers/input.h"
#include "layers/kind.h"

// A text under a name, both owned.
typedef struct cj__note {
    char *name, *text;
} cj__note;

struct cj_model {
    cj_layer layer;     // first: a model is a layer
    cj__mutex building; // held while the model is built: several threads may predict first
    bool implied;       // its input is that of the model around it, and only layers check lengths
    uint64_t seed;
    // held, as in Keras's model.layers: those of a sequential model without its input layer
    cj_layer **layers;
    int layer_count;
    size_t layer_capacity;
    cj_layer *input_layer; // held; of a sequential model, once it is known
    cj__application *applications;
    int application_count;
    size_t application_capacity;
    int input_count, output_count;
    int *input_at, *output_at, *output_index;
    cj__type *input_types, *output_types;
    void *attached;                            // held
    int64_t optimizer_params, optimizer_bytes; // for the summary
    cj__use use;                               // by threads, at the moment
    cj__note *notes;                           // in the order in which they were set first
    int note_count;
    size_t note_capacity;
};

void cj__model_free_notes(cj_model *model);

bool cj__layer_is_model(const cj_layer *layer);
// An empty model of a kind, named or not; its layers are to be added.
cj_model *cj__model_new(const cj__layer_kind *kind, const char *name);
// Settles the names of all layers, and draws the weights of those that are new to models.
cj_status cj__model_join(cj_model *model);
// Traces the model once: builds every layer and records the types of all outputs.
cj_status cj__model_settle(cj_model *model);
// The methods that both kinds of model share.
cj_status cj__model_call(cj__layer_context *context);
int cj__model_children(const cj_layer *layer, cj_layer *const **children);
void cj__model_free(cj_layer *layer);
// Sets the numbers of inputs and outputs, and makes room for where they are and their types.
cj_status cj__model_set_ends(cj_model *model, int input_count, int output_count);
// Forgets the applications: the model is unbuilt, and has its layers still.
void cj__model_clear(cj_model *model);
// Refuses a layer (CJ_UNSUPPORTED) with which the model would be deeper than CJ__MODEL_DEPTH_MAX.
cj_status cj__model_check_depth(const cj_model *model, const cj_layer *layer);
// Adds a layer to the list and owns it. A failure leaves it to the caller.
cj_status cj__model_add_layer(cj_model *model, cj_layer *layer);
// Adds an application with room for its inputs. `former` is the layer's application before this
// one, -1 if there is none.
cj__application *cj__model_add_application(cj_model *model, cj_layer *layer, cj__node *node,
                                           int input_count, int former);

#endif
