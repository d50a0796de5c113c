// Reading architectures: layers by their fields, sequential models in order. Functional models are
// read in json_functional.c.
#include "base/error.h"
#include "base/memory.h"
#include "formats/format.h"
#include "formats/json_compile.h"
#include "formats/json_fields.h"
#include "formats/json_model.h"
#include "formats/json_operations.h"

#include <cajal/files.h>
#include <string.h>

// Lengths of a config "shape", with null for a free axis.
static cj_status read_shape(const json_t *list, cj_shape *shape, const char *who)
{
    const size_t rank = json_array_size(list);
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

// ---- Inputs ----

// The batch shape of an input layer, or of an old first layer that carries its own input shape;
// NULL if there is none.
static const json_t *batch_shape_of(const json_t *config)
{
    const json_t *shape = json_object_get(config, "batch_shape");
    return shape ? shape : json_object_get(config, "batch_input_shape");
}

// Whether a config carries the shape of the model's input. "input_shape" is that without the batch
// axis, as it is written in a program.
static bool has_input_shape(const json_t *config)
{
    return batch_shape_of(config) || json_object_get(config, "input_shape");
}

static cj_status read_input_shape(const json_t *config, cj_shape *shape, const char *who)
{
    if (batch_shape_of(config))
        return read_shape(batch_shape_of(config), shape, who);
    CJ_TRY(read_shape(json_object_get(config, "input_shape"), shape, who));
    if (shape->rank == CJ_MAX_RANK)
        return cj__fail(CJ_UNSUPPORTED, "%s: input_shape has more than %d axes", who,
                        CJ_MAX_RANK - 1);
    memmove(shape->dims + 1, shape->dims, (size_t)shape->rank++ * sizeof *shape->dims);
    shape->dims[0] = CJ_BATCH;
    return CJ_OK;
}

static const cj__config_key input_keys[] = {
    CJ__KEY_ONLY("sparse", "false"),
    CJ__KEY_ONLY("ragged", "false"),
    CJ__KEY_HARMLESS("optional"),
    {.key = NULL},
};

// The arguments of the input that a config's batch shape asks for.
static cj_status input_args(const json_t *config, const char *name, cj_input_args *args)
{
    const char *who = name ? name : "input_layer";
    cj_shape shape = {0};
    CJ_TRY(read_input_shape(config, &shape, who));
    *args = (cj_input_args){CJ_INPUT_DEFAULTS, .name = name,
                            .dtype = cj__json_text_at(config, "dtype")};
    if (shape.rank == 0)
        return cj__fail(CJ_BAD_FILE, "%s: its batch shape is empty", who);
    args->batch_size = shape.dims[0] == CJ_BATCH ? 0 : shape.dims[0];
    for (int i = 1; i < shape.rank; i++) {
        args->shape[i - 1] = shape.dims[i];
    }
    return CJ_OK;
}

cj_status cj__json_input_args(const json_t *config, const char *name, cj_input_args *args)
{
    const cj__config what = {.keys = input_keys};
    CJ_TRY(cj__config_check(&what, config, name ? name : "input_layer"));
    return input_args(config, name, args);
}

static cj_layer *input_from_json(cj__json_loader *loader, const json_t *config)
{
    cj_input_args args;
    (void)loader;
    if (cj__json_input_args(config, cj__json_text_at(config, "name"), &args) != CJ_OK)
        return NULL;
    return cj_input_new(&args);
}

// ---- Plain layers ----

// Classes that were renamed: Keras 1.
static const char *const renamed[][2] = {{"Convolution2D", "Conv2D"}};

static const char *class_of_today(const char *class_name)
{
    for (size_t i = 0; i < sizeof renamed / sizeof renamed[0]; i++)
        if (strcmp(class_name, renamed[i][0]) == 0)
            return renamed[i][1];
    return class_name;
}

// Reads the layers that are settings into the arguments; they are held, also after a failure.
static cj_status read_sublayers(cj__json_loader *loader, const cj__layer_kind *kind,
                                const json_t *config, void *args, const char *who)
{
    for (const cj__sublayer *row = kind->sublayers; row && row->key; row++) {
        const json_t *value = json_object_get(config, row->key);
        cj_layer **at = (void *)((char *)args + row->offset);
        const size_t count = row->list ? json_array_size(value) : value && !json_is_null(value);
        if (count > (row->list ? CJ__SUBLAYER_LIST : 1))
            return cj__fail(CJ_UNSUPPORTED, "%s: \"%s\" has more than %d layers", who, row->key,
                            (int)CJ__SUBLAYER_LIST);
        for (size_t i = 0; i < count; i++) {
            at[i] =
                cj__own(cj__layer_from_json(loader, row->list ? json_array_get(value, i) : value));
            if (!at[i])
                return cj__fail_missing(CJ__MADE_LAYER, who);
        }
    }
    return CJ_OK;
}

static cj_layer *plain_from_json(cj__json_loader *loader, const char *class_name,
                                 const json_t *config)
{
    const cj__layer_kind *kind = cj__layer_kind_find(class_of_today(class_name));
    if (!kind)
        return NULL;
    const cj__choice *choice = &kind->choice;
    const cj__config what = {choice->fields, choice->field_count, kind->keys};
    const char *name = cj__json_text_at(config, "name");
    void *args = cj__copy_bytes(choice->defaults, choice->args_size);
    cj__texts texts = {0};
    cj_layer *layer = NULL;
    const char *who = name ? name : class_name;
    if (args && cj__config_read(&what, config, args, &texts, who) == CJ_OK &&
        read_sublayers(loader, kind, config, args, who) == CJ_OK)
        layer = cj__layer_new(kind, args);
    if (args)
        cj__sublayers_drop(kind, args);
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
        return cj__fail_missing(CJ__MADE_LAYER, "a layer");
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

static cj_status read_layers(cj__json_loader *loader, const json_t *layers, layer_list *list)
{
    if (!json_is_array(layers))
        return cj__fail(CJ_BAD_FILE, "the model has no list of layers");
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *object = json_array_get(layers, i),
                     *config = json_object_get(object, "config");
        const char *class_name = cj__json_text_at(object, "class_name");
        if (i == 0 && class_name && !cj__json_is_input(class_name) && has_input_shape(config)) {
            cj_input_args args; // an old file: the first layer carries the input's shape
            CJ_TRY(input_args(config, NULL, &args));
            args.dtype = NULL;
            CJ_TRY(list_add(list, cj_input_new(&args)));
        }
        CJ_TRY(list_add(list, cj__layer_from_json(loader, object)));
    }
    return CJ_OK;
}

static cj_layer *sequential_from_json(cj__json_loader *loader, const json_t *config)
{
    layer_list list = {0};
    cj_model *model = NULL;
    // In files of Keras before 2.2.3 the configuration is the list of layers itself.
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    if (read_layers(loader, layers, &list) == CJ_OK)
        model = cj_sequential_new(&(cj_sequential_args){
            CJ_SEQUENTIAL_DEFAULTS, .layers = list.items, .layer_count = (int)list.count,
            .name = cj__json_text_at(config, "name")});
    list_free(&list);
    return cj_model_layer(model);
}

// ---- Classes ----

// The classes that are not read by their fields.
static const struct class_row {
    const char *name;
    cj_layer *(*read)(cj__json_loader *loader, const json_t *config);
    bool plain_dtype; // its "dtype" is no policy
} classes[] = {
    {"InputLayer", input_from_json, true},
    {"Sequential", sequential_from_json, false},
    {"Functional", cj__functional_from_json, false},
    {"Model", cj__functional_from_json, false}, // Keras before 2.4
};

static const struct class_row *find_class(const char *class_name)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(class_name, classes[i].name) == 0)
            return &classes[i];
    return NULL;
}

bool cj__json_is_input(const char *class_name)
{
    return find_class(class_name) == &classes[0];
}

// {"class_name": "DTypePolicy", "config": {"name"}} in Keras 3, or the name alone. Only a name that
// is known is obeyed: a policy that computes in other types would give other results.
static cj_status read_policy(const json_t *config, cj_layer *layer)
{
    const json_t *dtype = json_object_get(config, "dtype");
    const char *name = json_is_object(dtype) ?
                           cj__json_text_at(json_object_get(dtype, "config"), "name") :
                           json_string_value(dtype);
    return name ? cj__layer_set_policy(layer, name) : CJ_OK;
}

static cj_layer *new_layer(cj__json_loader *loader, const char *class_name, const json_t *config)
{
    const struct class_row *row = find_class(class_name);
    cj_layer *layer = row ? row->read(loader, config) : plain_from_json(loader, class_name, config);
    if (!layer)
        return NULL;
    if (!(row && row->plain_dtype) && !layer->kind->no_dtype &&
        read_policy(config, layer) != CJ_OK) {
        cj__drop_floating(layer);
        return NULL;
    }
    if (json_is_false(json_object_get(config, "trainable")))
        layer->trainable = false; // its own flag only: what it contains has flags of its own
    layer->filling = loader->filling;
    for (int i = 0; i < layer->sublayer_count; i++) // Bidirectional has made them
        layer->sublayers[i]->filling = loader->filling;
    return layer;
}

// ---- Shared layers ----

static cj_layer *find_shared(const cj__json_loader *loader, const json_t *id)
{
    for (size_t i = 0; i < loader->shared_count; i++)
        if (loader->ids[i] == json_integer_value(id))
            return loader->shared[i];
    return NULL;
}

static cj_status keep_shared(cj__json_loader *loader, const json_t *id, cj_layer *layer)
{
    const size_t needed = loader->shared_count + 1;
    if (!cj__reserve((void **)&loader->shared, &loader->shared_capacity, needed,
                     sizeof *loader->shared) ||
        !cj__reserve((void **)&loader->ids, &loader->id_capacity, needed, sizeof *loader->ids)) {
        cj__drop_floating(layer);
        return CJ_OUT_OF_MEMORY;
    }
    loader->ids[loader->shared_count] = json_integer_value(id);
    loader->shared[loader->shared_count++] = cj__own(layer);
    return CJ_OK;
}

// The layer of an object that is not one which is shared and was read before.
static cj_layer *read_object(cj__json_loader *loader, const json_t *object)
{
    const char *class_name = cj__json_text_at(object, "class_name");
    const json_t *config = json_object_get(object, "config");
    if (!class_name || !config) {
        cj__fail(CJ_BAD_FILE, "an object of the configuration has no class_name or no config");
        return NULL;
    }
    if (loader->depth > CJ__JSON_DEPTH_MAX || ++loader->layers > CJ__JSON_LAYERS_MAX) {
        cj__fail(CJ_UNSUPPORTED, "models nested more than %d deep, or of more than %d layers",
                 CJ__JSON_DEPTH_MAX, CJ__JSON_LAYERS_MAX);
        return NULL;
    }
    loader->depth++;
    cj_layer *layer = cj__json_is_operation(object) ? cj__operation_from_json(object) :
                                                      new_layer(loader, class_name, config);
    loader->depth--;
    return layer;
}

cj_layer *cj__layer_from_json(cj__json_loader *loader, const json_t *object)
{
    const json_t *id = json_object_get(object, "shared_object_id");
    cj_layer *layer = json_is_integer(id) ? find_shared(loader, id) : NULL;
    if (layer)
        return layer;
    layer = read_object(loader, object);
    if (layer && loader->depth > 0 && json_is_integer(id) &&
        keep_shared(loader, id, layer) != CJ_OK)
        layer = NULL;
    return layer ? layer : cj__build_failed(CJ__MADE_LAYER);
}

cj_model *cj__model_from_json(const json_t *object, cj__filling *filling)
{
    cj__json_loader loader = {.filling = filling};
    cj_layer *layer = cj__layer_from_json(&loader, object);
    cj_model *model = layer ? cj_layer_model(layer) : NULL;
    if (layer && !model)
        cj__drop_floating(layer);
    for (size_t i = 0; i < loader.shared_count; i++)
        cj_release(loader.shared[i]);
    cj__free(loader.shared);
    cj__free(loader.ids);
    return model ? model : cj__build_failed(CJ__MADE_MODEL);
}

// A file of another format that was taken for JSON is called by its name.
static cj_status fail_parse(cj_status status, const char *text, size_t length)
{
    const cj__input input = cj__input_memory(text, length);
    const cj__format *format = NULL;
    if (status != CJ_BAD_FILE || cj__format_of(&input, &format) != CJ_OK || !format ||
        (length > 0 && strchr("{[ \t\r\n", text[0])))
        return status;
    return cj__fail(status, "JSON is due, and this is %s", format->name);
}

cj_model *cj_model_from_json(const char *json, size_t length)
{
    json_t *object = NULL;
    if (!json) {
        cj__fail_null("cj_model_from_json: the text");
        return cj__build_failed(CJ__MADE_MODEL);
    }
    const cj_status status = cj__json_parse(json, length, &object);
    if (status != CJ_OK) {
        fail_parse(status, json, length);
        return cj__build_failed(CJ__MADE_MODEL);
    }
    cj_model *model = cj__model_from_json(object, NULL);
    if (model &&
        cj__compile_if_possible(model, json_object_get(object, "compile_config")) != CJ_OK) {
        cj_release(model);
        model = NULL;
    }
    json_decref(object);
    return model ? model : cj__build_failed(CJ__MADE_MODEL);
}
