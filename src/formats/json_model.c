// Writing architectures: layers by their fields, sequential models as lists, functional ones with
// inbound nodes.
#include "formats/json_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json_fields.h"
#include "layers/model.h"

#include <cajal/files.h>
#include <stdlib.h>
#include <string.h>

json_t *cj__shape_to_json(const cj_shape *shape)
{
    json_t *list = json_array();
    for (int i = 0; i < shape->rank; i++)
        json_array_append_new(list, shape->dims[i] == CJ_BATCH ? json_null() :
                                                                 json_integer(shape->dims[i]));
    return list;
}

static json_t *dtype_policy(const cj_layer *layer)
{
    return json_pack("{s:s, s:s, s:{s:s}, s:n}", "module", "keras", "class_name", "DTypePolicy",
                     "config", "name", cj_dtype_policy(layer), "registered_name");
}

// {"class_name": "__keras_tensor__", "config": {"shape", "dtype", "keras_history": [layer,
// application, output]}}
static json_t *tensor_reference(const cj__application *producer, int output)
{
    const cj__type *type = &producer->output_types[output];
    return json_pack("{s:s, s:{s:o, s:s, s:[s, i, i]}}", "class_name", "__keras_tensor__", "config",
                     "shape", cj__shape_to_json(&type->shape), "dtype", cj_dtype_name(type->dtype),
                     "keras_history", cj_layer_name(producer->layer), producer->which, output);
}

static json_t *wrap(const char *module, const char *class_name, json_t *config)
{
    return json_pack("{s:s, s:s, s:o, s:n}", "module", module, "class_name", class_name, "config",
                     config, "registered_name");
}

static json_t *input_to_json(const cj_layer *layer)
{
    cj__type input, *type = &input;
    cj__input_type(layer, type);
    return wrap("keras.layers", "InputLayer",
                json_pack("{s:o, s:s, s:b, s:b, s:b, s:s}", "batch_shape",
                          cj__shape_to_json(&type->shape), "dtype", cj_dtype_name(type->dtype),
                          "sparse", 0, "ragged", 0, "optional", 0, "name", cj_layer_name(layer)));
}

static json_t *plain_to_json(const cj_layer *layer)
{
    const cj__choice *choice = &layer->kind->choice;
    json_t *config = json_pack("{s:s, s:b, s:o}", "name", cj_layer_name(layer), "trainable",
                               layer->trainable, "dtype", dtype_policy(layer));
    if (!config || !cj__fields_to_json(choice->fields, choice->field_count, layer->args, config)) {
        json_decref(config);
        return NULL;
    }
    json_t *object = wrap("keras.layers", choice->class_name, config);
    if (layer->built && layer->input_count == 1)
        json_object_set_new(
            object, "build_config",
            json_pack("{s:o}", "input_shape", cj__shape_to_json(&layer->input_types[0].shape)));
    return object;
}

// ---- Sequential ----

static json_t *sequential_to_json(cj_model *model)
{
    cj_layer *self = cj_model_layer(model);
    json_t *layers = json_array();
    json_t *config = json_pack("{s:s, s:b, s:o, s:O}", "name", cj_layer_name(self), "trainable",
                               self->trainable, "dtype", dtype_policy(self), "layers", layers);
    const cj__application *applications = NULL;
    int count = cj__model_applications(model, &applications);
    bool built = count != 0;
    bool made = config;
    for (int i = 0; made && i < (built ? count : cj_model_layer_count(model)); i++) {
        json_t *layer =
            cj__layer_to_json(built ? applications[i].layer : cj_model_layer_at(model, i));
        made = layer && json_array_append_new(layers, layer) == 0;
    }
    json_decref(layers);
    if (!made) {
        json_decref(config);
        return NULL;
    }
    if (built)
        json_object_set_new(config, "build_input_shape",
                            cj__shape_to_json(cj_model_input_shape(model, 0)));
    return wrap("keras", "Sequential", config);
}

// ---- Functional ----

// One application as an inbound node. Merging layers take their inputs as one list argument.
static json_t *node_to_json(const cj__application *all, const cj__application *node)
{
    json_t *inputs = json_array();
    for (int i = 0; i < node->input_count; i++)
        json_array_append_new(inputs,
                              tensor_reference(&all[node->input_app[i]], node->input_index[i]));
    if (node->layer->kind->max_inputs == 1)
        return json_pack("{s:o, s:{}}", "args", inputs, "kwargs");
    return json_pack("{s:[o], s:{}}", "args", inputs, "kwargs");
}

// A layer with all its applications. Applications of input layers are no nodes.
static json_t *layer_with_nodes(const cj__application *all, int count, cj_layer *layer)
{
    json_t *object = cj__layer_to_json(layer);
    json_t *nodes = json_array();
    for (int i = 0; i < count; i++) {
        if (all[i].layer == layer && all[i].input_count != 0)
            json_array_append_new(nodes, node_to_json(all, &all[i]));
    }
    if (!object || json_object_set_new(object, "name", json_string(cj_layer_name(layer))) != 0) {
        json_decref(nodes);
        json_decref(object);
        return NULL;
    }
    json_object_set_new(object, "inbound_nodes", nodes);
    return object;
}

static bool is_functional(const cj_layer *layer)
{
    return strcmp(cj_layer_class(layer), "Functional") == 0;
}

// Outputs of nested functional models are counted from 1 here, as Keras does (and from 0 in inbound
// nodes).
static json_t *output_reference(const cj__application *producer, int output)
{
    return json_pack("[s, i, i]", cj_layer_name(producer->layer),
                     producer->which + is_functional(producer->layer), output);
}

static json_t *functional_to_json(cj_model *model)
{
    const cj__application *all = NULL;
    int count = cj__model_applications(model, &all);
    cj_layer *self = cj_model_layer(model);
    json_t *layers = json_array(), *inputs = json_array(), *outputs = json_array();
    bool made = true;
    for (int i = 0; i < count && made; i++) {
        if (!all[i].layer) {
            cj__fail(CJ_UNSUPPORTED,
                     "%s: op \"%s\" between its layers has no configuration: use a layer instead",
                     cj_layer_name(self), all[i].node->op->name);
            made = false;
            break;
        }
        if (all[i].which != 0)
            continue; // listed with its first application
        json_t *layer = layer_with_nodes(all, count, all[i].layer);
        made = layer && json_array_append_new(layers, layer) == 0;
    }
    for (int i = 0; made && i < cj_model_input_count(model); i++) {
        int application = 0;
        cj__model_input_at(model, i, &application);
        json_array_append_new(inputs,
                              json_pack("[s, i, i]", cj_layer_name(all[application].layer), 0, 0));
    }
    for (int i = 0; made && i < cj_model_output_count(model); i++) {
        int application = 0, output = 0;
        cj__model_output_at(model, i, &application, &output);
        json_array_append_new(outputs, output_reference(&all[application], output));
    }
    json_t *config = json_pack("{s:s, s:b, s:o, s:o, s:o}", "name", cj_layer_name(self),
                               "trainable", self->trainable, "layers", layers, "input_layers",
                               inputs, "output_layers", outputs);
    if (!made || !config) {
        json_decref(config);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:o, s:s, s:{s:n}}", "module", "keras.src.models.functional",
                     "class_name", "Functional", "config", config, "registered_name", "Functional",
                     "build_config", "input_shape");
}

json_t *cj__layer_to_json(cj_layer *layer)
{
    cj_error_clear();
    json_t *object = NULL;
    cj_model *model = !layer->kind->choice.fields ||
                              strcmp(cj_layer_class(layer), "Sequential") == 0 ||
                              is_functional(layer) ?
                          cj_layer_model(layer) :
                          NULL;
    if (model)
        object =
            cj__model_is_sequential(model) ? sequential_to_json(model) : functional_to_json(model);
    else if (strcmp(cj_layer_class(layer), "InputLayer") == 0)
        object = input_to_json(layer);
    else
        object = plain_to_json(layer);
    if (!object && cj_error_status() == CJ_OK)
        cj__fail(CJ_OUT_OF_MEMORY, "%s: its configuration could not be written",
                 cj_layer_name(layer));
    return object;
}

cj_status cj_model_to_json(cj_model *model, char **json)
{
    *json = NULL;
    if (!model)
        return cj_error_status() != CJ_OK ? cj_error_status() :
                                            cj__fail(CJ_INVALID_ARGUMENT, "to_json: no model");
    json_t *object = cj__layer_to_json(cj_model_layer(model));
    if (!object)
        return cj_error_status();
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    *json = cj__copy_text(text); // so that cj_free() fits whatever allocator is hooked in
    free(text);
    return *json ? CJ_OK : cj__fail_memory(0, "JSON");
}
