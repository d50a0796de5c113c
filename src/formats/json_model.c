// Writing architectures: layers by their fields, sequential models as lists, functional ones with
// inbound nodes. A layer that stands in several models is written in each, with one
// "shared_object_id", as Keras does, so that it is read as one.
#include "formats/json_compile.h"
#include "formats/json_model.h"

#include "base/error.h"
#include "base/memory.h"
#include "formats/json_fields.h"
#include "formats/json_operations.h"
#include "layers/index.h"
#include "layers/cells.h"
#include "layers/model.h"
#include "layers/operation.h"

#include <cajal/files.h>
#include <stdio.h>
#include <string.h>

typedef struct writer {
    cj__json build;
    int depth, layers, shared; // nested models, layers written, ids given
    cj__index written;         // layers to their places in `objects`
    json_t **objects;          // of the layers in the order of their first writing; borrowed
    size_t count, capacity;
} writer;

static json_t *write_layer(writer *w, cj_layer *layer);

// ---- Parts ----

static json_t *shape_to_json(cj__json *b, const cj_shape *shape)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < shape->rank; i++)
        cj__json_append(b, list,
                        shape->dims[i] < 0 ? cj__json_null(b) : cj__json_int(b, shape->dims[i]));
    return list;
}

static json_t *wrap(cj__json *b, const char *module, const char *class_name, json_t *config)
{
    json_t *object = cj__json_object(b);
    cj__json_set(b, object, "module", cj__json_text(b, module));
    cj__json_set(b, object, "class_name", cj__json_text(b, class_name));
    cj__json_set(b, object, "config", config);
    cj__json_set(b, object, "registered_name", cj__json_null(b));
    return object;
}

static json_t *dtype_policy(cj__json *b, const cj_layer *layer)
{
    json_t *config = cj__json_object(b);
    cj__json_set(b, config, "name", cj__json_text(b, cj_dtype_policy(layer)));
    return wrap(b, "keras", "DTypePolicy", config);
}

// Whether Keras's constructor takes "trainable": not where the field is hidden.
static bool says_trainable(const cj_layer *layer)
{
    const cj__choice *choice = &layer->kind->choice;
    for (int i = 0; i < choice->field_count; i++)
        if (strcmp(choice->fields[i].key, "trainable") == 0)
            return !choice->fields[i].hidden;
    return true;
}

// The beginning of every config but an input's.
static json_t *new_config(cj__json *b, const cj_layer *layer)
{
    json_t *config = cj__json_object(b);
    cj__json_set(b, config, "name", cj__json_text(b, cj_layer_name(layer)));
    if (!layer->kind->no_trainable && says_trainable(layer))
        cj__json_set(b, config, "trainable", cj__json_bool(b, layer->trainable));
    return config;
}

// [layer, application, output]
static json_t *triple(cj__json *b, const cj_layer *layer, int application, int output)
{
    json_t *list = cj__json_list(b);
    cj__json_append(b, list, cj__json_text(b, cj_layer_name(layer)));
    cj__json_append(b, list, cj__json_int(b, application));
    cj__json_append(b, list, cj__json_int(b, output));
    return list;
}

// ---- Plain layers ----

static json_t *write_input(writer *w, cj_layer *layer)
{
    cj__json *b = &w->build;
    cj__type type;
    cj__input_type(layer, &type);
    json_t *config = cj__json_object(b);
    cj__json_set(b, config, "batch_shape", shape_to_json(b, &type.shape));
    cj__json_set(b, config, "dtype", cj__json_text(b, cj_dtype_name(type.dtype)));
    cj__json_set(b, config, "sparse", cj__json_bool(b, false));
    cj__json_set(b, config, "ragged", cj__json_bool(b, false));
    cj__json_set(b, config, "optional", cj__json_bool(b, false));
    cj__json_set(b, config, "name", cj__json_text(b, cj_layer_name(layer)));
    return wrap(b, "keras.layers", "InputLayer", config);
}

static void write_sublayers(writer *w, const cj_layer *layer, json_t *config)
{
    cj__json *b = &w->build;
    cj_layer *const *at;
    for (const cj__sublayer *row = layer->kind->sublayers; row && row->key; row++) {
        const int count = cj__sublayers_at(row, layer->args, &at);
        json_t *list = row->list ? cj__json_list(b) : NULL;
        for (int i = 0; i < count && row->list; i++)
            cj__json_append(b, list, write_layer(w, at[i]));
        if (row->list)
            cj__json_set(b, config, row->key, list);
        else
            cj__json_set(b, config, row->key, count ? write_layer(w, at[0]) : cj__json_null(b));
    }
}

// A class of the program's own is called as Keras calls one that is registered without a package.
static void name_custom(cj__json *b, json_t *object, const char *class_name)
{
    char name[96];
    snprintf(name, sizeof name, "Custom>%s", class_name);
    cj__json_set(b, object, "module", cj__json_null(b));
    cj__json_set(b, object, "registered_name", cj__json_text(b, name));
}

// Whether Keras gives the inputs as one list, even if there is one.
static bool takes_list(const cj__layer_kind *kind)
{
    return kind->max_inputs != 1 && !kind->arguments && !kind->more_inputs && !kind->input_keys;
}

static json_t *write_plain(writer *w, cj_layer *layer)
{
    cj__json *b = &w->build;
    const cj__choice *choice = &layer->kind->choice;
    if (layer->kind->of_program && b->status == CJ_OK)
        b->status = cj__fail(CJ_UNSUPPORTED,
                             "%s: it is made of functions of the program, which no file can hold",
                             cj_layer_name(layer));
    json_t *config = new_config(b, layer);
    if (!layer->kind->no_dtype)
        cj__json_set(b, config, "dtype", dtype_policy(b, layer));
    cj__fields_to_json(b, choice->fields, choice->field_count, layer->args, config);
    write_sublayers(w, layer, config);
    const char *module = layer->kind->module ? layer->kind->module : "keras.layers";
    json_t *object = wrap(b, module, choice->class_name, config);
    if (layer->kind->custom)
        name_custom(b, object, choice->class_name);
    else if (layer->kind->module) // Keras has it under no public name
        cj__json_set(b, object, "registered_name", cj__json_text(b, choice->class_name));
    // Keras builds a layer that takes a list of inputs from a list of shapes, even of one; a layer
    // whose inputs are arguments of their own when it is applied.
    const cj__layer_kind *kind = layer->kind;
    const bool list = takes_list(kind);
    if (layer->built && !kind->arguments) {
        json_t *built = cj__json_object(b), *shapes = list ? cj__json_list(b) : NULL;
        for (int i = 0; list && i < layer->input_count; i++)
            cj__json_append(b, shapes, shape_to_json(b, &layer->input_types[i].shape));
        cj__json_set(b, built, "input_shape",
                     list ? shapes : shape_to_json(b, &layer->input_types[0].shape));
        cj__json_set(b, object, "build_config", built);
    }
    return object;
}

// ---- Sequential ----

static json_t *write_sequential(writer *w, cj_layer *layer)
{
    cj__json *b = &w->build;
    cj_model *model = cj_layer_model(layer);
    const cj__application *applications = NULL;
    const int count = cj__model_applications(model, &applications);
    json_t *config = new_config(b, layer), *layers = cj__json_list(b);
    cj__json_set(b, config, "dtype", dtype_policy(b, layer));
    for (int i = 0; i < (count != 0 ? count : cj_model_layer_count(model)); i++)
        cj__json_append(
            b, layers,
            write_layer(w, count != 0 ? applications[i].layer : cj_model_layer_at(model, i)));
    cj__json_set(b, config, "layers", layers);
    if (count != 0)
        cj__json_set(b, config, "build_input_shape",
                     shape_to_json(b, cj_model_input_shape(model, 0)));
    return wrap(b, "keras", "Sequential", config);
}

// ---- Functional ----

// {"class_name": "__keras_tensor__", "config": {"shape", "dtype", "keras_history": [layer,
// application, output]}}
static json_t *tensor_reference(cj__json *b, const cj__application *producer, int output)
{
    const cj__type *type = &producer->output_types[output];
    json_t *config = cj__json_object(b), *object = cj__json_object(b);
    cj__json_set(b, config, "shape", shape_to_json(b, &type->shape));
    cj__json_set(b, config, "dtype", cj__json_text(b, cj_dtype_name(type->dtype)));
    cj__json_set(b, config, "keras_history", triple(b, producer->layer, producer->which, output));
    cj__json_set(b, object, "class_name", cj__json_text(b, "__keras_tensor__"));
    cj__json_set(b, object, "config", config);
    return object;
}

static bool is_mask(const cj__layer_kind *kind, const char *setting)
{
    for (const cj__given_mask *m = kind->given_masks; m && m->name; m++)
        if (strcmp(m->name, setting) == 0)
            return true;
    return false;
}

// The settings of the call that are on: false is the default of all.
static void write_call_settings(cj__json *b, const cj__application *node, json_t *named)
{
    const char *const *names = node->layer->kind->call_settings;
    const uint32_t on = cj__call_settings_on(node->layer, node->settings);
    for (int i = 0; names && names[i]; i++)
        if ((on >> i & 1) && !is_mask(node->layer->kind, names[i]))
            cj__json_set(b, named, names[i], cj__json_bool(b, true));
}

// The masks among the inputs, which are the last ones, from `next` on: by their names, or as one list
// with null for inputs without one.
static void write_masks(cj__json *b, const cj__application *all, const cj__application *node,
                        int next, json_t *named)
{
    const cj__layer_kind *kind = node->layer->kind;
    const uint32_t on = cj__call_settings_on(node->layer, node->settings);
    const int inputs = next;
    json_t *list = kind->masks_in_list && next < node->input_count ? cj__json_list(b) : NULL;
    for (const cj__given_mask *m = kind->given_masks; m && m->name; m++) {
        json_t *mask =
            cj__call_setting_in(kind, on, m->name) ?
                tensor_reference(b, &all[node->input_app[next]], node->input_index[next]) :
                NULL;
        next += mask != NULL;
        if (list && m->input < inputs)
            cj__json_append(b, list, mask ? mask : cj__json_null(b));
        else if (mask)
            cj__json_set(b, named, m->name, mask);
    }
    if (list)
        cj__json_set(b, named, "mask", list);
}

// The states of an RNN over a chain of cells as Keras has them: a list with those of each cell, or with
// its only one.
static json_t *by_cell(cj__json *b, const cj_layer *layer, json_t *states)
{
    const cj_layer *chain = layer->sublayer_count > 0 ? layer->sublayers[0] : NULL;
    if (!chain || chain->kind != &cj__layer_stacked_rnn_cells || !states)
        return states;
    json_t *groups = cj__json_list(b);
    size_t next = 0;
    for (int i = 0; i < chain->sublayer_count; i++) {
        const cj_layer *cell = chain->sublayers[i];
        cj_shape shapes[CJ__SEQUENCE_STATES];
        int previous = 0;
        const int count = cell->kind->cell->states(cell, shapes, &previous);
        json_t *own = count > 1 ? cj__json_list(b) : NULL;
        for (int k = 0; k < count; k++)
            cj__json_append(b, own ? own : groups, json_incref(json_array_get(states, next++)));
        if (own)
            cj__json_append(b, groups, own);
    }
    json_decref(states);
    return groups;
}

// One application as an inbound node. Merging layers take their inputs as one list argument; where
// inputs are arguments of their own, all but the first are written by their names, or as a list by one.
static json_t *write_layer_node(cj__json *b, const cj__application *all,
                                const cj__application *node)
{
    json_t *object = cj__json_object(b), *args = cj__json_list(b), *named = cj__json_object(b),
           *inputs = args, *states = NULL;
    const cj__layer_kind *kind = node->layer->kind;
    const char *more = kind->more_inputs;
    const int count = node->input_count -
                      cj__given_mask_count(kind, cj__call_settings_on(node->layer, node->settings));
    if (kind->input_keys && node->input_count > 1) {
        inputs = cj__json_object(b);
        cj__json_append(b, args, inputs);
    } else if (takes_list(kind)) {
        inputs = cj__json_list(b);
        cj__json_append(b, args, inputs);
    }
    for (int i = 0; i < count; i++) {
        if (i == 1 && more)
            inputs = states = cj__json_list(b);
        json_t *input = tensor_reference(b, &all[node->input_app[i]], node->input_index[i]);
        if (kind->arguments && i > 0)
            cj__json_set(b, named, kind->arguments[i], input);
        else if (kind->input_keys && node->input_count > 1)
            cj__json_set(b, inputs, kind->input_keys[i], input);
        else
            cj__json_append(b, inputs, input);
    }
    if (states)
        cj__json_set(b, named, more, by_cell(b, node->layer, states));
    write_masks(b, all, node, count, named);
    write_call_settings(b, node, named);
    cj__json_set(b, object, "args", args);
    cj__json_set(b, object, "kwargs", named);
    return object;
}

// An operand of an operation: a tensor, or a constant.
static json_t *write_operand(cj__json *b, const cj__application *producer, int output)
{
    return producer->layer ? tensor_reference(b, producer, output) :
                             cj__json_literal(b, producer->node->constant);
}

static json_t *write_node(cj__json *b, const cj__application *all, const cj__application *node)
{
    if (node->layer->kind != &cj__layer_operation) {
        for (int i = 0; i < node->input_count && b->status == CJ_OK; i++)
            if (!all[node->input_app[i]].layer)
                b->status = cj__fail(CJ_UNSUPPORTED,
                                     "%s: a constant is among its inputs, which a "
                                     "file has of operators only",
                                     cj_layer_name(node->layer));
        return b->status == CJ_OK ? write_layer_node(b, all, node) : NULL;
    }
    json_t **operands = cj__new((size_t)node->input_count, sizeof *operands);
    if (!operands) {
        b->status = CJ_OUT_OF_MEMORY;
        return NULL;
    }
    for (int i = 0; i < node->input_count; i++)
        operands[i] = write_operand(b, &all[node->input_app[i]], node->input_index[i]);
    json_t *object = cj__operation_node(b, node->layer, operands, node->input_count);
    cj__free(operands);
    return object;
}

// Adds one application to its layer's object in `layers`, after the object itself if it is the
// layer's first. Applications of input layers are no nodes. `places` has the places of layers.
static void write_application(writer *w, const cj__application *all, const cj__application *a,
                              json_t *layers, cj__index *places)
{
    cj__json *b = &w->build;
    const int *known = cj__index_find(places, a->layer);
    const size_t place = known ? (size_t)*known : json_array_size(layers);
    if (!known) {
        json_t *object = write_layer(w, a->layer);
        cj__json_set(b, object, "name", cj__json_text(b, cj_layer_name(a->layer)));
        cj__json_set(b, object, "inbound_nodes", cj__json_list(b));
        cj__json_append(b, layers, object);
        if (b->status == CJ_OK && !cj__index_add(places, a->layer, (int)place))
            b->status = CJ_OUT_OF_MEMORY;
    }
    if (b->status == CJ_OK && a->input_count != 0)
        cj__json_append(b, json_object_get(json_array_get(layers, place), "inbound_nodes"),
                        write_node(b, all, a));
}

static json_t *write_applications(writer *w, cj_model *model)
{
    const cj__application *all = NULL;
    const int count = cj__model_applications(model, &all);
    cj__index places = {0};
    json_t *layers = cj__json_list(&w->build);
    for (int i = 0; i < count && w->build.status == CJ_OK; i++) {
        if (all[i].layer)
            write_application(w, all, &all[i], layers, &places);
        else if (!all[i].node->constant) // these stand where they are operands
            w->build.status = cj__fail(
                CJ_UNSUPPORTED,
                "%s: op \"%s\" between its layers has no configuration: use a layer instead",
                cj_layer_name(cj_model_layer(model)), all[i].node->op->name);
    }
    cj__index_free(&places);
    return layers;
}

static json_t *write_functional(writer *w, cj_layer *layer)
{
    cj__json *b = &w->build;
    cj_model *model = cj_layer_model(layer);
    const cj__application *all = NULL;
    cj__model_applications(model, &all);
    json_t *config = new_config(b, layer), *inputs = cj__json_list(b), *outputs = cj__json_list(b);
    cj__json_set(b, config, "layers", write_applications(w, model));
    for (int i = 0; i < cj_model_input_count(model) && b->status == CJ_OK; i++) {
        int at = 0;
        cj__model_input_at(model, i, &at);
        cj__json_append(b, inputs, triple(b, all[at].layer, 0, 0));
    }
    for (int i = 0; i < cj_model_output_count(model) && b->status == CJ_OK; i++) {
        int at = 0, output = 0;
        cj__model_output_at(model, i, &at, &output);
        if (!all[at].layer) {
            b->status = cj__fail(CJ_UNSUPPORTED, "%s: its output %d is a constant",
                                 cj_layer_name(layer), i);
            break;
        }
        // Keras counts applications of nested functional models from 1 here (and from 0 in nodes).
        const int from = all[at].layer->kind == &cj__layer_functional;
        cj__json_append(b, outputs, triple(b, all[at].layer, all[at].which + from, output));
    }
    cj__json_set(b, config, "input_layers", inputs);
    cj__json_set(b, config, "output_layers", outputs);
    json_t *object = wrap(b, "keras.src.models.functional", "Functional", config),
           *built = cj__json_object(b);
    cj__json_set(b, object, "registered_name", cj__json_text(b, "Functional"));
    cj__json_set(b, built, "input_shape", cj__json_null(b));
    cj__json_set(b, object, "build_config", built);
    return object;
}

// ---- All ----

// The kinds that are not written by their fields.
static json_t *write_operation(writer *w, cj_layer *layer)
{
    return cj__operation_to_json(&w->build, layer);
}

static const struct kind_row {
    const cj__layer_kind *kind;
    json_t *(*write)(writer *w, cj_layer *layer);
} kinds[] = {
    {&cj__layer_input, write_input},
    {&cj__layer_sequential, write_sequential},
    {&cj__layer_functional, write_functional},
    {&cj__layer_operation, write_operation},
};

static const struct kind_row *find_kind(const cj_layer *layer)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (layer->kind == kinds[i].kind)
            return &kinds[i];
    return NULL;
}

// Notes that a layer was written as `object`. From the second time on they all have its id. An
// input layer is nothing but its type, so sharing it means nothing.
static void note(writer *w, const cj_layer *layer, json_t *object)
{
    cj__json *b = &w->build;
    if (b->status != CJ_OK || layer->kind == &cj__layer_input)
        return;
    const int *place = cj__index_find(&w->written, layer);
    if (place) {
        json_t *first = w->objects[*place];
        if (!json_object_get(first, "shared_object_id"))
            cj__json_set(b, first, "shared_object_id", cj__json_int(b, ++w->shared));
        if (b->status == CJ_OK)
            cj__json_set(b, object, "shared_object_id",
                         json_incref(json_object_get(first, "shared_object_id")));
        return;
    }
    if (!cj__reserve((void **)&w->objects, &w->capacity, w->count + 1, sizeof *w->objects) ||
        !cj__index_add(&w->written, layer, (int)w->count)) {
        b->status = CJ_OUT_OF_MEMORY;
        return;
    }
    w->objects[w->count++] = object;
}

static json_t *write_layer(writer *w, cj_layer *layer)
{
    const struct kind_row *row = find_kind(layer);
    cj__json *b = &w->build;
    if (b->status != CJ_OK)
        return NULL;
    if (w->depth > CJ__JSON_DEPTH_MAX || ++w->layers > CJ__JSON_LAYERS_MAX) {
        b->status =
            cj__fail(CJ_UNSUPPORTED,
                     "%s: a file holds models nested at most %d deep and at most %d layers in all",
                     cj_layer_name(layer), CJ__JSON_DEPTH_MAX, CJ__JSON_LAYERS_MAX);
        return NULL;
    }
    w->depth++;
    json_t *object = row ? row->write(w, layer) : write_plain(w, layer);
    w->depth--;
    note(w, layer, object);
    return object;
}

cj_status cj__layer_to_json(cj_layer *layer, json_t **object)
{
    writer w = {0};
    json_t *whole = write_layer(&w, layer);
    cj__index_free(&w.written);
    cj__free(w.objects);
    *object = cj__json_end(&w.build, whole);
    return w.build.status;
}

cj_status cj_model_to_json(cj_model *model, char **json)
{
    if (json)
        *json = NULL;
    if (!model || !json)
        return model ? cj__fail_null("cj_model_to_json: the place of the result") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_model_to_json: the model");
    json_t *object = NULL;
    cj__json b = {0};
    CJ_TRY(cj__layer_to_json(cj_model_layer(model), &object));
    json_t *compiled = cj__compile_to_json(&b, model);
    if (compiled)
        cj__json_set(&b, object, "compile_config", compiled);
    if (b.status != CJ_OK) {
        json_decref(object);
        return b.status;
    }
    *json = cj__json_print(object, JSON_INDENT(2));
    json_decref(object);
    return *json ? CJ_OK : CJ_OUT_OF_MEMORY;
}
