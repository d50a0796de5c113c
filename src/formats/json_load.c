// Reading architectures: layers by their fields; sequential models in order; functional models by
// applying layers as soon as all of a node's inputs exist, round after round, since nodes may be
// listed before their producers.
#include "base/error.h"
#include "base/memory.h"
#include "formats/json_fields.h"
#include "formats/json_model.h"

#include <cajal/files.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cj_status cj__shape_from_json(const json_t *list, cj_shape *shape, const char *who)
{
    size_t rank = json_array_size(list);
    if (!json_is_array(list) || rank > CJ_MAX_RANK)
        return cj__fail(CJ_BAD_FILE, "%s: its shape is not a list of at most %d lengths", who,
                        CJ_MAX_RANK);
    shape->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *length = json_array_get(list, i);
        if (!json_is_null(length) && (!json_is_integer(length) || json_integer_value(length) < 1))
            return cj__fail(CJ_BAD_FILE, "%s: length %zu of its shape is not positive", who, i);
        shape->dims[i] = json_is_null(length) ? CJ_BATCH : json_integer_value(length);
    }
    return CJ_OK;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

// The batch shape of an input layer, or of an old first layer that carries its own input shape;
// NULL if there is none.
static const json_t *batch_shape_of(const json_t *config)
{
    const json_t *shape = json_object_get(config, "batch_shape");
    return shape ? shape : json_object_get(config, "batch_input_shape");
}

static cj_status input_args(const json_t *config, const char *name, cj_input_args *args)
{
    cj_shape shape;
    CJ_TRY(cj__shape_from_json(batch_shape_of(config), &shape, name ? name : "input_layer"));
    *args = (cj_input_args){CJ_INPUT_DEFAULTS, .name = name, .dtype = text_of(config, "dtype")};
    if (shape.rank == 0)
        return cj__fail(CJ_BAD_FILE, "%s: its batch shape is empty", name ? name : "input_layer");
    args->batch_size = shape.dims[0] == CJ_BATCH ? 0 : shape.dims[0];
    for (int i = 1; i < shape.rank; i++) {
        if (shape.dims[i] == CJ_BATCH)
            return cj__fail(CJ_UNSUPPORTED,
                            "%s: axis %d has no fixed length, and only the batch axis may be free",
                            name ? name : "input_layer", i);
        args->shape[i - 1] = shape.dims[i];
    }
    return CJ_OK;
}

static cj_layer *input_from_json(const json_t *config)
{
    cj_input_args args;
    if (input_args(config, text_of(config, "name"), &args) != CJ_OK)
        return NULL;
    return cj_input_new(&args);
}

// Settings that Keras knows and this library does not are refused where they would change the
// result.
static cj_status refuse_unsupported(const json_t *config, const char *who)
{
    const char *format = text_of(config, "data_format");
    if (format && strcmp(format, "channels_last") != 0)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: data_format \"%.40s\" is not supported, only channels_last", who,
                        format);
    static const char *const unsupported[] = {"kernel_constraint",    "bias_constraint",
                                              "recurrent_constraint", "embeddings_constraint",
                                              "beta_constraint",      "gamma_constraint"};
    for (size_t i = 0; i < sizeof(unsupported) / sizeof unsupported[0]; i++) {
        const json_t *value = json_object_get(config, unsupported[i]);
        if (value && !json_is_null(value))
            return cj__fail(CJ_UNSUPPORTED, "%s: %s is not supported", who, unsupported[i]);
    }
    return CJ_OK;
}

static cj_layer *plain_from_json(const char *class_name, const json_t *config)
{
    const cj__layer_kind *kind = cj__layer_kind_find(class_name);
    if (!kind)
        return NULL;
    const char *name = text_of(config, "name");
    if (refuse_unsupported(config, name ? name : class_name) != CJ_OK)
        return NULL;
    void *args = cj__copy_bytes(kind->choice.defaults, kind->choice.args_size);
    cj__texts texts = {0};
    cj_layer *layer = NULL;
    if (args && cj__fields_from_json(kind->choice.fields, kind->choice.field_count, config, args,
                                     &texts, name ? name : class_name) == CJ_OK)
        layer = cj__layer_new(kind, args);
    cj__free(args);
    cj__texts_free(&texts);
    return layer;
}

// ---- Sequential ----

typedef struct layer_list {
    cj_layer **items; // held
    size_t count, capacity;
} layer_list;

static cj_status list_add(layer_list *list, cj_layer *layer)
{
    if (!layer)
        return cj_error_status();
    if (!cj__reserve((void **)&list->items, &list->capacity, list->count + 1,
                     sizeof *list->items)) {
        cj__drop_floating(layer);
        return CJ_OUT_OF_MEMORY;
    }
    list->items[list->count++] = cj__own(layer);
    return CJ_OK;
}

static void list_free(layer_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        cj_release(list->items[i]);
    cj__free(list->items);
}

static cj_status read_layers(const json_t *layers, int depth, layer_list *list)
{
    if (!json_is_array(layers) || json_array_size(layers) > CJ__JSON_LAYERS_MAX)
        return cj__fail(CJ_BAD_FILE, "the model has no list of at most %d layers",
                        CJ__JSON_LAYERS_MAX);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *object = json_array_get(layers, i),
                     *config = json_object_get(object, "config");
        const char *class_name = text_of(object, "class_name");
        if (i == 0 && class_name && strcmp(class_name, "InputLayer") != 0 &&
            batch_shape_of(config)) {
            cj_input_args args; // an old file: the first layer carries the input's shape
            CJ_TRY(input_args(config, NULL, &args));
            args.dtype = NULL;
            CJ_TRY(list_add(list, cj_input_new(&args)));
        }
        CJ_TRY(list_add(list, cj__layer_from_json(object, depth + 1)));
    }
    return CJ_OK;
}

static cj_layer *sequential_from_json(const json_t *config, int depth)
{
    layer_list list = {0};
    cj_model *model = NULL;
    // In files of Keras before 2.2.3 the configuration is the list of layers itself.
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    if (read_layers(layers, depth, &list) == CJ_OK)
        model = cj_sequential_new(
            &(cj_sequential_args){CJ_SEQUENTIAL_DEFAULTS, .layers = list.items,
                                  .layer_count = (int)list.count, .name = text_of(config, "name")});
    list_free(&list);
    return cj_model_layer(model);
}

// ---- Functional ----

// Every result of every application so far.
typedef struct result {
    const char *layer;
    int node, output;
    cj_symbol *symbol; // held
} result;

typedef struct loading {
    const json_t *objects; // the list of layers
    // one for each object, held; NULL for input layers and for what makes masks
    cj_layer **layers;
    int *applied; // how many of its nodes are done
    result *results;
    size_t count, capacity;
} loading;

static cj_symbol *find_result(const loading *l, const char *layer, int64_t node, int64_t output)
{
    for (size_t i = 0; layer && i < l->count; i++) {
        if (l->results[i].node == node && l->results[i].output == output &&
            strcmp(l->results[i].layer, layer) == 0)
            return l->results[i].symbol;
    }
    return NULL;
}

static cj_status add_result(loading *l, const char *layer, int node, int output, cj_symbol *symbol)
{
    if (!symbol)
        return cj_error_status();
    if (!cj__reserve((void **)&l->results, &l->capacity, l->count + 1, sizeof *l->results)) {
        cj__drop_floating(symbol);
        return CJ_OUT_OF_MEMORY;
    }
    l->results[l->count++] = (result){layer, node, output, cj__own(symbol)};
    return CJ_OK;
}

static const char *name_of(const json_t *object)
{
    const char *name = text_of(object, "name");
    return name ? name : text_of(json_object_get(object, "config"), "name");
}

static const json_t *nodes_of(const json_t *object)
{
    return json_object_get(object, "inbound_nodes");
}

typedef struct references {
    const json_t *items[CJ__LAYER_IO_MAX]; // ["layer", node, output, ...]
    int count;
} references;

static cj_status add_reference(references *refs, const json_t *triple, const char *who)
{
    if (refs->count == CJ__LAYER_IO_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: more than %d inputs", who, CJ__LAYER_IO_MAX);
    if (!json_is_array(triple) || json_array_size(triple) < 3 ||
        !json_is_string(json_array_get(triple, 0)) || !json_is_integer(json_array_get(triple, 1)) ||
        !json_is_integer(json_array_get(triple, 2)))
        return cj__fail(CJ_BAD_FILE,
                        "%s: an input does not name a layer, an application and an output", who);
    refs->items[refs->count++] = triple;
    return CJ_OK;
}

// Collects tensor references in one argument of a node: an object, or a list of them.
static cj_status collect(const json_t *argument, const char *who, references *refs)
{
    if (json_is_array(argument)) {
        for (size_t i = 0; i < json_array_size(argument); i++) {
            const json_t *item = json_array_get(argument, i);
            if (json_is_array(item))
                return cj__fail(CJ_UNSUPPORTED, "%s: nested lists of inputs", who);
            CJ_TRY(collect(item, who, refs));
        }
        return CJ_OK;
    }
    const char *class_name = text_of(argument, "class_name");
    if (!class_name || strcmp(class_name, "__keras_tensor__") != 0)
        return cj__fail(CJ_UNSUPPORTED, "%s: an argument of an application is not a tensor", who);
    return add_reference(
        refs, json_object_get(json_object_get(argument, "config"), "keras_history"), who);
}

// A node is {"args", "kwargs"} since Keras 3, and a list of ["layer", node, output, {}] before.
static cj_status read_node(const json_t *node, const char *who, references *refs)
{
    refs->count = 0;
    if (json_is_object(node)) {
        const json_t *args = json_object_get(node, "args");
        for (size_t i = 0; i < json_array_size(args); i++)
            CJ_TRY(collect(json_array_get(args, i), who, refs));
        return CJ_OK;
    }
    if (json_is_string(json_array_get(node, 0)))
        return add_reference(refs, node, who);
    for (size_t i = 0; i < json_array_size(node); i++)
        CJ_TRY(add_reference(refs, json_array_get(node, i), who));
    return CJ_OK;
}

static cj_symbol *dereference(const loading *l, const json_t *triple)
{
    return find_result(l, json_string_value(json_array_get(triple, 0)),
                       json_integer_value(json_array_get(triple, 1)),
                       json_integer_value(json_array_get(triple, 2)));
}

// Applies node `which` of layer `index` if its inputs exist: *done says whether.
static cj_status apply_node(loading *l, size_t index, int which, bool *done)
{
    const json_t *object = json_array_get(l->objects, index);
    const char *name = name_of(object);
    references refs;
    CJ_TRY(read_node(json_array_get(nodes_of(object), (size_t)which), name, &refs));
    CJ_TRY(cj__json_check_mask(l->objects, json_array_get(nodes_of(object), (size_t)which), name));
    cj_symbol *inputs[CJ__LAYER_IO_MAX], *outputs[CJ__LAYER_IO_MAX] = {0};
    for (int i = 0; i < refs.count; i++) {
        inputs[i] = dereference(l, refs.items[i]);
        if (!inputs[i]) {
            *done = false;
            return CJ_OK;
        }
    }
    CJ_TRY(cj_apply_many(l->layers[index], inputs, refs.count, outputs, CJ__LAYER_IO_MAX));
    for (int i = 0; i < CJ__LAYER_IO_MAX && outputs[i]; i++)
        CJ_TRY(add_result(l, name, which, i, outputs[i]));
    *done = true;
    return CJ_OK;
}

static cj_status make_layers(loading *l, int depth)
{
    for (size_t i = 0; i < json_array_size(l->objects); i++) {
        const json_t *object = json_array_get(l->objects, i),
                     *config = json_object_get(object, "config");
        const char *class_name = text_of(object, "class_name"), *name = name_of(object);
        if (!class_name || !name)
            return cj__fail(CJ_BAD_FILE, "layer %zu has no class_name or no name", i);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(name_of(json_array_get(l->objects, j)), name) == 0)
                return cj__fail(CJ_BAD_FILE, "two layers are named \"%.200s\"", name);
        }
        if (strcmp(class_name, "InputLayer") == 0) {
            cj_input_args args;
            CJ_TRY(input_args(config, name, &args));
            CJ_TRY(add_result(l, name, 0, 0, cj_input_symbol_new(&args)));
        } else if (!cj__json_makes_mask(object)) {
            l->layers[i] = cj__own(cj__layer_from_json(object, depth + 1));
            if (!l->layers[i])
                return cj_error_status();
        }
    }
    return CJ_OK;
}

static cj_status apply_all(loading *l)
{
    bool progress = true, complete = false;
    while (progress && !complete) {
        progress = false;
        complete = true;
        for (size_t i = 0; i < json_array_size(l->objects); i++) {
            int nodes = (int)json_array_size(nodes_of(json_array_get(l->objects, i)));
            bool done = l->layers[i];
            while (done && l->applied[i] < nodes) {
                CJ_TRY(apply_node(l, i, l->applied[i], &done));
                l->applied[i] += done;
                progress = progress || done;
            }
            complete = complete && (!l->layers[i] || l->applied[i] == nodes);
        }
    }
    return complete ? CJ_OK :
                      cj__fail(CJ_BAD_FILE,
                               "the layers' inputs form a circle, or name what does not exist");
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// An object of triples; Keras takes named inputs and outputs in the order of their names.
static cj_status read_named_ends(const json_t *ends, references *refs)
{
    const char *keys[CJ__LAYER_IO_MAX], *key;
    json_t *triple;
    size_t count = 0;
    if (json_object_size(ends) > CJ__LAYER_IO_MAX)
        return cj__fail(CJ_UNSUPPORTED, "the model: more than %d inputs or outputs",
                        CJ__LAYER_IO_MAX);
    json_object_foreach ((json_t *)(uintptr_t)ends, key, triple)
        keys[count++] = key;
    qsort(keys, count, sizeof keys[0], compare_keys);
    for (size_t i = 0; i < count; i++)
        CJ_TRY(add_reference(refs, json_object_get(ends, keys[i]), "the model"));
    return CJ_OK;
}

// `ends` is one triple, a list of triples, or an object of triples. For outputs, nested functional
// models count from 1.
static cj_status read_ends(const loading *l, const json_t *ends, bool outputs, cj_symbol **symbols,
                           int *count)
{
    references refs = {.count = 0};
    CJ_TRY(json_is_object(ends) ? read_named_ends(ends, &refs) :
                                  read_node(ends, "the model", &refs));
    for (int i = 0; i < refs.count; i++) {
        const char *layer = json_string_value(json_array_get(refs.items[i], 0));
        int64_t node = json_integer_value(json_array_get(refs.items[i], 1));
        for (size_t j = 0; outputs && j < json_array_size(l->objects); j++) {
            const json_t *object = json_array_get(l->objects, j);
            if (l->layers[j] && node > 0 && strcmp(name_of(object), layer) == 0)
                node -= strcmp(cj_layer_class(l->layers[j]), "Functional") == 0;
        }
        symbols[i] =
            find_result(l, layer, node, json_integer_value(json_array_get(refs.items[i], 2)));
        if (!symbols[i])
            return cj__fail(CJ_BAD_FILE, "the model's %s %d names \"%.200s\", which does not exist",
                            outputs ? "output" : "input", i, layer);
    }
    *count = refs.count;
    return CJ_OK;
}

static cj_status build_functional(loading *l, const json_t *config, int depth, cj_model **model)
{
    size_t count = json_array_size(l->objects);
    if (!json_is_array(l->objects) || count == 0 || count > CJ__JSON_LAYERS_MAX)
        return cj__fail(CJ_BAD_FILE, "the model has no list of 1 to %d layers",
                        CJ__JSON_LAYERS_MAX);
    l->layers = cj__new(count, sizeof *l->layers);
    l->applied = cj__new(count, sizeof *l->applied);
    if (!l->layers || !l->applied)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(make_layers(l, depth));
    CJ_TRY(apply_all(l));
    cj_symbol *inputs[CJ__LAYER_IO_MAX], *outputs[CJ__LAYER_IO_MAX];
    int input_count, output_count;
    CJ_TRY(read_ends(l, json_object_get(config, "input_layers"), false, inputs, &input_count));
    CJ_TRY(read_ends(l, json_object_get(config, "output_layers"), true, outputs, &output_count));
    *model =
        cj_functional(.inputs_list = inputs, .inputs_count = input_count, .outputs_list = outputs,
                      .outputs_count = output_count, .name = text_of(config, "name"));
    return *model ? CJ_OK : cj_error_status();
}

static cj_layer *functional_from_json(const json_t *config, int depth)
{
    loading l = {.objects = json_object_get(config, "layers")};
    cj_model *model = NULL;
    build_functional(&l, config, depth, &model);
    for (size_t i = 0; l.layers && i < json_array_size(l.objects); i++)
        cj_release(l.layers[i]);
    for (size_t i = 0; i < l.count; i++)
        cj_release(l.results[i].symbol);
    cj__free(l.layers);
    cj__free(l.applied);
    cj__free(l.results);
    return cj_model_layer(model);
}

// ---- All ----

// {"class_name": "DTypePolicy", "config": {"name"}} in Keras 3, or the name alone. Only a name that
// is known is obeyed: a policy that computes in other types would give other results.
static cj_status read_policy(const json_t *config, cj_layer *layer)
{
    const json_t *dtype = json_object_get(config, "dtype");
    const char *name = json_is_object(dtype) ? text_of(json_object_get(dtype, "config"), "name") :
                                               json_string_value(dtype);
    return name ? cj__layer_set_policy(layer, name) : CJ_OK;
}

cj_layer *cj__layer_from_json(const json_t *object, int depth)
{
    const char *class_name = text_of(object, "class_name");
    const json_t *config = json_object_get(object, "config");
    cj_layer *layer = NULL;
    if (depth > CJ__JSON_DEPTH_MAX)
        cj__fail(CJ_UNSUPPORTED, "models are nested more than %d deep", CJ__JSON_DEPTH_MAX);
    else if (!class_name || !config)
        cj__fail(CJ_BAD_FILE, "an object of the configuration has no class_name or no config");
    else if (strcmp(class_name, "Sequential") == 0)
        layer = sequential_from_json(config, depth);
    else if (strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0)
        layer = functional_from_json(config, depth);
    else if (strcmp(class_name, "InputLayer") == 0)
        layer = input_from_json(config);
    else
        layer = plain_from_json(class_name, config);
    if (layer && strcmp(class_name, "InputLayer") != 0 && read_policy(config, layer) != CJ_OK) {
        cj__drop_floating(layer);
        return NULL;
    }
    if (layer && json_is_false(json_object_get(config, "trainable")))
        layer->trainable = false; // its own flag only: what it contains has flags of its own
    return layer;
}

cj_model *cj_model_from_json(const char *json, size_t length)
{
    json_error_t error;
    json_t *object = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!object) {
        cj__fail(CJ_BAD_FILE, "JSON line %d: %s", error.line, error.text);
        return NULL;
    }
    cj_layer *layer = cj__layer_from_json(object, 0);
    cj_model *model = layer ? cj_layer_model(layer) : NULL;
    if (layer && !model)
        cj__drop_floating(layer);
    json_decref(object);
    return model;
}
