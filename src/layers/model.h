// Inside a model: a layer whose kind is sequential or functional. Both keep the same list of
// applications, which is what tracing, summaries and files read; a sequential model's is a chain,
// made when it is built.
#ifndef CJ_LAYERS_MODEL_H
#define CJ_LAYERS_MODEL_H

#include "layers/history.h"
#include "layers/kind.h"

struct cj_model {
    cj_layer layer; // first: a model is a layer
    uint64_t seed;
    // held, as Keras's model.layers has them: a sequential model's without its input layer
    cj_layer **layers;
    int layer_count;
    cj_layer *input_layer; // held; of a sequential model, once it is known
    cj__application *applications;
    int application_count;
    int input_count, output_count;
    int input_at[CJ__LAYER_IO_MAX], output_at[CJ__LAYER_IO_MAX], output_index[CJ__LAYER_IO_MAX];
    cj__type input_types[CJ__LAYER_IO_MAX], output_types[CJ__LAYER_IO_MAX];
    void *attached;                            // held
    int64_t optimizer_params, optimizer_bytes; // for the summary
};

// The type of the symbol that an input layer stands for.
void cj__input_type(const cj_layer *input_layer, cj__type *type);
// The input layer of that type; floating.
cj_layer *cj__input_of_type(const cj__type *type);

bool cj__layer_is_model(const cj_layer *layer);
// An empty model of a kind, named or not; its layers are to be added.
cj_model *cj__model_new(const cj__layer_kind *kind, const char *name);
// Settles the names of all layers, and draws the weights of those that are new to models.
cj_status cj__model_join(cj_model *model);
// Finds the types of all outputs by a trace that is thrown away; builds every layer.
cj_status cj__model_settle(cj_model *model);
// What both kinds of model do as layers.
cj_status cj__model_call(cj_layer *layer, cj__trace *trace, const cj__value *inputs, int count,
                         cj__value *outputs, int *output_count);
void cj__model_free(cj_layer *layer);
// Adds an application with room for its inputs.
cj__application *cj__model_add_application(cj_model *model, cj_layer *layer, cj__node *node,
                                           int input_count);

#endif
