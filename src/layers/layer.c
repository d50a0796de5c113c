// Layers as objects: making, naming, building and calling them.
#include "base/args.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include "layers/custom.h"
#include "layers/kind.h"
#include "layers/operation.h"
#include "ops/variable.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

const cj__layer_kind *const cj__layer_kinds[] = {
#define CJ__LAYER(name) &cj__layer_##name,
#include "layers/layers.def"
#undef CJ__LAYER
    NULL};

enum { KIND_COUNT = sizeof cj__layer_kinds / sizeof cj__layer_kinds[0] - 1, NAME_MAX_LENGTH = 127 };

const cj__layer_kind *cj__layer_kind_find(const char *class_name)
{
    const char *names[KIND_COUNT];
    for (int i = 0; i < KIND_COUNT; i++) {
        names[i] = cj__layer_kinds[i]->choice.class_name;
        if (strcmp(names[i], class_name) == 0)
            return cj__layer_kinds[i];
    }
    const cj__layer_kind *registered = cj__custom_kind_find(class_name);
    if (registered)
        return registered;
    if (cj__nearest(class_name, names, sizeof names[0], KIND_COUNT))
        cj__fail_unknown(CJ_INVALID_ARGUMENT, "layer class", class_name, names, sizeof names[0],
                         KIND_COUNT);
    else
        cj__fail(CJ_INVALID_ARGUMENT,
                 "unknown layer class \"%.200s\": a class of your own is registered with "
                 "cj_register_layer() before its file is loaded",
                 class_name);
    return NULL;
}

static void layer_destroy(void *object)
{
    cj_layer *layer = object;
    const cj__choice *choice = &layer->kind->choice;
    if (layer->kind->free)
        layer->kind->free(layer);
    cj__sublayers_free(layer);
    for (int i = 0; i < layer->variable_count; i++)
        cj_release(layer->variables[i]);
    if (layer->args)
        cj__fields_free(choice->fields, choice->field_count, layer->args);
    cj__free(layer->args);
    cj__free(layer->name);
    cj__free(layer->input_types);
    cj__free(layer);
}

const cj__class cj__layer_class = {"layer", layer_destroy};

static const cj__field *field_of(const cj__choice *choice, const char *key)
{
    for (int i = 0; i < choice->field_count; i++)
        if (strcmp(choice->fields[i].key, key) == 0)
            return &choice->fields[i];
    return NULL;
}

void *cj__layer_setting(const cj_layer *layer, const char *key)
{
    const cj__field *field = field_of(&layer->kind->choice, key);
    return field && layer->args ? (char *)layer->args + field->offset : NULL;
}

static cj_status resolve(cj_layer *layer, const void *args, const char *who)
{
    const cj__choice *choice = &layer->kind->choice;
    void *resolved = cj__new(1, choice->args_size);
    if (!resolved)
        return CJ_OUT_OF_MEMORY;
    memcpy(resolved, args, choice->args_size);
    const cj_status status = cj__fields_resolve(choice->fields, choice->field_count, resolved, who);
    if (status != CJ_OK)
        cj__free(resolved);
    else
        layer->args = resolved;
    return status;
}

// The head of every layer's arguments.
typedef struct layer_args {
    CJ_LAYER_MEMBERS
} layer_args;

static bool good_name(const char *name, const char *standard)
{
    if (*name && !strchr(name, '/') && strlen(name) <= NAME_MAX_LENGTH)
        return true;
    cj__fail(CJ_INVALID_ARGUMENT, "%s: name \"%.40s\" must have 1 to %d characters and no \"/\"",
             standard, name, NAME_MAX_LENGTH);
    return false;
}

static cj_layer *new_layer(const cj__layer_kind *kind, layer_args *args, const char *standard)
{
    const char *name = args->name ? args->name : standard;
    if (!args->dtype) // as Keras's None: the usual policy, the usual dtype
        args->dtype = "float32";
    if (!good_name(name, standard))
        return NULL;
    cj_layer *layer = cj__object_new(&cj__layer_class, kind->size ? kind->size : sizeof *layer);
    if (!layer)
        return NULL;
    layer->kind = kind;
    layer->named = args->name;
    layer->key = cj__key(0, name);
    layer->trainable = args->trainable;
    if (!(layer->name = cj__copy_text(name)) || resolve(layer, args, name) != CJ_OK)
        goto fail;
    if (kind != &cj__layer_input && cj__layer_set_policy(layer, args->dtype) != CJ_OK)
        goto fail;
    if (cj__sublayers_take(layer) != CJ_OK)
        goto fail;
    if (kind->check && kind->check(layer) != CJ_OK)
        goto fail;
    return layer;
fail:
    cj_release(layer);
    return NULL;
}

// An arguments struct of any kind. It needs no allocation, after whose failure there would be layers
// in it that nobody holds.
typedef union arguments {
    layer_args head;
    _Alignas(16) unsigned char bytes[4096];
} arguments;

// prepare() may put other layers in the place of those that were given; `given` keeps these.
static cj_layer *new_with_sublayers(const cj__layer_kind *kind, layer_args *args,
                                    const char *standard)
{
    cj_layer *layer = NULL;
    arguments given;
    memcpy(&given, args, kind->choice.args_size);
    if (cj__sublayers_hold(kind, &given, standard) != CJ_OK)
        return NULL;
    if (!kind->prepare || kind->prepare(args, args->name ? args->name : standard) == CJ_OK) {
        if (cj__sublayers_hold(kind, args, standard) == CJ_OK) {
            layer = new_layer(kind, args, standard);
            cj__sublayers_drop(kind, args);
        }
    }
    cj__sublayers_drop(kind, &given);
    return layer;
}

cj_layer *cj__layer_new(const cj__layer_kind *kind, const void *args)
{
    char standard[64];
    cj__snake_case(kind->choice.class_name, standard, sizeof standard);
    arguments copy;
    cj_layer *layer = NULL;
    assert(kind->choice.args_size <= sizeof copy);
    if (cj__args_read(standard, args, kind->choice.defaults, kind->choice.args_size, &copy) ==
        CJ_OK)
        layer = (kind->sublayers ? new_with_sublayers : new_layer)(kind, &copy.head, standard);
    return layer ? layer : cj__build_failed(CJ__MADE_LAYER);
}

// The part of a variable's name after the layer's.
static const char *own_name(const cj_variable *variable)
{
    const char *slash = strrchr(variable->name, '/');
    return slash ? slash + 1 : variable->name;
}

static char *join_names(const char *layer, const char *variable)
{
    cj__text text = {0};
    cj__text_add(&text, "%s/%s", layer, variable);
    if (cj__text_status(&text) == CJ_OK)
        return text.data;
    cj__text_free(&text);
    return NULL;
}

cj_status cj__layer_rename(cj_layer *layer, const char *name)
{
    char *names[CJ__LAYER_VARIABLES_MAX] = {0};
    char *own = cj__copy_text(name), *setting = cj__copy_text(name);
    bool complete = own && setting;
    for (int i = 0; i < layer->variable_count; i++)
        complete = complete && (names[i] = join_names(name, own_name(layer->variables[i])));
    if (!complete) {
        for (int i = 0; i < layer->variable_count; i++)
            cj__free(names[i]);
        cj__free(own);
        cj__free(setting);
        return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < layer->variable_count; i++) {
        cj__free(layer->variables[i]->name);
        layer->variables[i]->name = names[i];
    }
    char **slot = cj__layer_setting(layer, "name");
    cj__free(*slot);
    *slot = setting;
    cj__free(layer->name);
    layer->name = own;
    return CJ_OK;
}

// Takes a variable's elements from what the file that is being loaded has left.
static cj_status take_elements(const cj_layer *layer, const char *name, const cj_shape *shape)
{
    const int64_t count = cj_shape_count(shape);
    if (count < 0 || count > layer->filling->elements)
        return cj__fail(CJ_BAD_FILE, "%s: the file has no %lld numbers for its %s", layer->name,
                        (long long)count, name);
    layer->filling->elements -= count;
    return CJ_OK;
}

// Draws the initial value of variable `index`, whose own name is `name`.
static cj_status draw(const cj_layer *layer, int index, const char *name, const char *initializer,
                      cj_tensor *value)
{
    const uint32_t axes = layer->kind->input_axes ? layer->kind->input_axes(layer, index) : 0;
    CJ_TRY(
        cj__initialize_by_axes(value, initializer, layer->name, cj__key(layer->key, name), axes));
    if (layer->kind->after_draw)
        layer->kind->after_draw(layer, index, value);
    return CJ_OK;
}

// The setting "kernel_constraint" of the variable "kernel", and "recurrent_constraint" of
// "recurrent_kernel". The kernel of a depthwise layer has "depthwise_constraint".
static const char *constraint_of(const cj_layer *layer, const char *name)
{
    static const char tail[] = "_kernel";
    const size_t length = strlen(name), cut = sizeof tail - 1;
    const bool stem = length > cut && strcmp(name + length - cut, tail) == 0;
    char key[64];
    snprintf(key, sizeof key, "%.*s_constraint", (int)(stem ? length - cut : length), name);
    const char *const *setting = cj__layer_setting(layer, key);
    if (!setting && strcmp(name, "kernel") == 0)
        setting = cj__layer_setting(layer, "depthwise_constraint");
    return setting ? *setting : NULL;
}

cj_status cj__layer_add_variable(cj_layer *layer, const char *name, cj_shape shape,
                                 const char *initializer, const char *regularizer, bool trainable,
                                 cj_variable **variable)
{
    cj_tensor *tensor = NULL;
    const char *constraint = constraint_of(layer, name);
    if (layer->variable_count == CJ__LAYER_VARIABLES_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: more than %d variables", layer->name,
                        CJ__LAYER_VARIABLES_MAX);
    CJ_TRY(cj__constraint_check(constraint, layer->name, &shape));
    if (layer->filling)
        CJ_TRY(take_elements(layer, name, &shape));
    CJ_TRY(cj_tensor_new(CJ_F32, shape, &tensor));
    cj_status status =
        layer->filling ? CJ_OK : draw(layer, layer->variable_count, name, initializer, tensor);
    char *full = status == CJ_OK ? join_names(layer->name, name) : NULL;
    cj_variable *made = full ? cj_variable_new(full, tensor) : NULL;
    cj__free(full);
    if (!made) {
        if (!full)
            cj_release(tensor);
        return status != CJ_OK ? status : CJ_OUT_OF_MEMORY;
    }
    cj__variable_own(made);
    made->trainable = trainable;
    const int i = layer->variable_count++;
    layer->variables[i] = made;
    layer->initializers[i] = initializer;
    layer->regularizers[i] = regularizer;
    layer->constraints[i] = constraint;
    layer->states[i] = false;
    if (variable)
        *variable = made;
    return CJ_OK;
}

cj_status cj__layer_draw_own(cj_layer *layer)
{
    for (int i = 0; i < layer->variable_count; i++) {
        cj_tensor *value = cj__variable_edit(layer->variables[i]);
        if (!value)
            return cj_error_status();
        CJ_TRY(draw(layer, i, own_name(layer->variables[i]), layer->initializers[i], value));
        CJ_TRY(cj__variable_commit(layer->variables[i]));
    }
    return CJ_OK;
}

cj_status cj__layer_draw(cj_layer *layer, uint64_t key)
{
    cj_layer *const *children;
    const int count = cj__layer_children(layer, &children);
    layer->key = key;
    // what is learnt from data by cj_adapt() is not drawn
    if (!layer->filling && !layer->kind->adapt)
        CJ_TRY(cj__layer_draw_own(layer));
    for (int i = 0; i < count; i++)
        CJ_TRY(cj__layer_draw(children[i], cj__key(key, children[i]->name)));
    return CJ_OK;
}

cj_status cj__layer_untouched(const cj_layer *layer, bool *untouched)
{
    cj_layer *const *children;
    const int count = cj__layer_children(layer, &children);
    *untouched = true;
    for (int i = 0; !layer->filling && *untouched && i < layer->variable_count; i++) {
        const cj_tensor *value = cj__variable_read(layer->variables[i]);
        cj_tensor *drawn = NULL;
        if (!value)
            return cj_error_status();
        CJ_TRY(cj_tensor_new(value->dtype, value->shape, &drawn));
        const cj_status status =
            draw(layer, i, own_name(layer->variables[i]), layer->initializers[i], drawn);
        const size_t bytes = cj__variable_bytes(layer->variables[i]);
        *untouched = status == CJ_OK && memcmp(drawn->data, value->data, bytes) == 0;
        cj_release(drawn);
        CJ_TRY(status);
    }
    for (int i = 0; *untouched && i < count; i++)
        CJ_TRY(cj__layer_untouched(children[i], untouched));
    return CJ_OK;
}

void cj__layer_end_filling(cj_layer *layer)
{
    cj_layer *const *children;
    const int count = cj__layer_children(layer, &children);
    layer->filling = NULL;
    for (int i = 0; i < count; i++)
        cj__layer_end_filling(children[i]);
}

// Puts the layer's name before a sentence that does not begin with it. In models the layer that
// failed has done so already.
static cj_status named(const cj_layer *layer, cj_status status)
{
    const size_t length = strlen(layer->name);
    const bool begins = strncmp(cj_error(), layer->name, length) == 0 && cj_error()[length] == ':';
    if (status == CJ_OUT_OF_MEMORY || begins || layer->kind->children)
        return status;
    return cj__fail_in(status, "%s", layer->name);
}

cj_status cj__layer_build(cj_layer *layer, const cj__type *inputs, int count)
{
    cj__type *types = cj__new((size_t)count, sizeof *types);
    if (!types)
        return CJ_OUT_OF_MEMORY;
    memcpy(types, inputs, (size_t)count * sizeof *types);
    layer->input_types = types;
    layer->input_count = count;
    const cj_status status = layer->kind->build ? layer->kind->build(layer, types) : CJ_OK;
    if (status == CJ_OK) {
        layer->built = true;
        return CJ_OK;
    }
    while (layer->variable_count > 0) // the next attempt starts from nothing
        cj_release(layer->variables[--layer->variable_count]);
    cj__free(types);
    layer->input_types = NULL;
    layer->input_count = 0;
    return status;
}

static cj_status build_for(cj_layer *layer, cj__build *g, const cj__value *inputs, int count)
{
    cj__type *types = cj__build_memory(g, (size_t)count, sizeof *types);
    if (!types)
        return g->status;
    for (int i = 0; i < count; i++)
        types[i] = *cj__symbol_type(inputs[i].symbol);
    return cj__layer_build(layer, types, count);
}

static cj_status call_kind(cj__layer_context *c, cj__value *given)
{
    cj_layer *layer = c->layer;
    cj__trace *trace = c->trace;
    const bool outer = trace->mixed;
    cj__layer_round(layer, trace, given, c->input_count);
    if (trace->build.status != CJ_OK)
        return trace->build.status; // a symbol may be NULL
    trace->mixed = layer->mixed && !layer->kind->exact_variables;
    const cj_status status = layer->kind->call(c);
    trace->mixed = outer;
    if (status == CJ_OK)
        cj__layer_round(layer, trace, c->outputs, c->output_count);
    return status != CJ_OK ? status : trace->build.status;
}

cj_status cj__layer_outputs(cj__layer_context *c, int count)
{
    if (count > CJ__LAYER_FEW &&
        !(c->outputs = cj__build_memory(c->build, (size_t)count, sizeof *c->outputs)))
        return c->build->status;
    c->output_count = count;
    return CJ_OK;
}

cj_symbol **cj__value_symbols(cj__build *build, const cj__value *values, int count)
{
    cj_symbol **symbols = cj__build_memory(build, (size_t)count, sizeof *symbols);
    for (int i = 0; symbols && i < count; i++)
        symbols[i] = values[i].symbol;
    return symbols;
}

static cj_status call_layer(cj_layer *layer, cj__trace *trace, uint32_t called,
                            const cj__value *inputs, int count, cj__value **outputs,
                            int *output_count)
{
    const cj__layer_kind *kind = layer->kind;
    cj__value *given = cj__build_memory(&trace->build, (size_t)count, sizeof *given);
    cj__value *made = cj__build_memory(&trace->build, CJ__LAYER_FEW, sizeof *made);
    cj__layer_context context = {.layer = layer,
                                 .trace = trace,
                                 .build = &trace->build,
                                 .inputs = given,
                                 .input_count = count,
                                 .called = called,
                                 .outputs = made,
                                 .output_count = 1};
    if (!given || !made)
        return trace->build.status;
    if (count < kind->min_inputs || count > kind->max_inputs)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d to %d", layer->name,
                        count, kind->min_inputs, kind->max_inputs);
    for (int i = 0; i < count; i++) {
        given[i] = inputs[i];
        if (!kind->any_dtype && cj_symbol_dtype(given[i].symbol) != CJ_F32)
            given[i].symbol = cj__cast(&trace->build, given[i].symbol, CJ_F32);
        if (!given[i].symbol)
            return trace->build.status;
    }
    if (!layer->built)
        CJ_TRY(build_for(layer, &trace->build, given, count));
    CJ_TRY(call_kind(&context, given));
    *outputs = made = context.outputs;
    *output_count = context.output_count;
    for (int i = 0; i < *output_count && trace->build.status == CJ_OK; i++)
        if (kind->mask == CJ__MASK_PASS && !made[i].mask)
            made[i].mask = inputs[0].mask;
    return trace->build.status;
}

// Calls the watcher with the inputs that the layer computed with: under mixed_bfloat16 rounded ones.
static void show_watcher(cj_layer *layer, cj__trace *trace, uint32_t called,
                         const cj__value *inputs, int count, const cj__value *outputs,
                         int output_count)
{
    cj__value *seen = cj__build_memory(&trace->build, (size_t)count, sizeof *seen);
    if (!seen)
        return;
    memcpy(seen, inputs, (size_t)count * sizeof *seen);
    cj__layer_round(layer, trace, seen, count);
    trace->called = called;
    if (trace->build.status == CJ_OK)
        trace->watch(trace->watch_context, layer, seen, count, outputs, output_count);
}

cj_status cj__layer_call_with(cj_layer *layer, cj__trace *trace, cj__call_settings settings,
                              const cj__value *inputs, int count, cj__value **outputs,
                              int *output_count)
{
    const uint32_t called = cj__call_settings_on(layer, settings);
    for (int i = 0; i < count; i++)
        if (!inputs[i].symbol || trace->build.status != CJ_OK)
            return trace->build.status != CJ_OK ? trace->build.status : cj_error_status();
    inputs = cj__take_masks(layer, &trace->build, called, inputs, &count);
    cj_status status = inputs ?
                           call_layer(layer, trace, called, inputs, count, outputs, output_count) :
                           cj_error_status();
    if (status != CJ_OK) {
        status = named(layer, status);
        if (trace->build.status == CJ_OK)
            trace->build.status = status;
        return status;
    }
    if (trace->watch)
        show_watcher(layer, trace, called, inputs, count, *outputs, *output_count);
    return trace->build.status;
}

cj_status cj__layer_call(cj_layer *layer, cj__trace *trace, const cj__value *inputs, int count,
                         cj__value **outputs, int *output_count)
{
    return cj__layer_call_with(layer, trace, (cj__call_settings){0}, inputs, count, outputs,
                               output_count);
}

cj_status cj__layer_need_rank(const cj_layer *layer, const cj_shape *shape, int low, int high)
{
    char text[CJ__SHAPE_WORDS];
    if (shape->rank >= low && shape->rank <= high)
        return CJ_OK;
    cj_shape_text(shape, text, sizeof text);
    if (low == high)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %s has %d axes, needs %d with the batch axis",
                        layer->name, text, shape->rank, low);
    return cj__fail(CJ_SHAPE_MISMATCH,
                    "%s: input %s has %d axes, needs %d to %d with the batch axis", layer->name,
                    text, shape->rank, low, high);
}

cj_status cj__layer_need_length(const cj_layer *layer, const cj_shape *shape, int axis)
{
    char text[CJ__SHAPE_WORDS];
    cj_shape_text(shape, text, sizeof text);
    if (shape->dims[axis] <= 0)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: axis %d of input %s must have a known, positive length", layer->name,
                        axis, text);
    if (!layer->input_types)
        return CJ_OK;
    const cj_shape *built = &layer->input_types[0].shape;
    if (built->rank != shape->rank || built->dims[axis] != shape->dims[axis])
        return cj__fail(
            CJ_SHAPE_MISMATCH,
            "%s: input %s does not fit: the layer was built with %lld entries in axis %d",
            layer->name, text, (long long)built->dims[axis < built->rank ? axis : built->rank - 1],
            axis);
    return CJ_OK;
}

cj_status cj__layer_axis(const cj_layer *layer, const cj_shape *shape, int setting, int *axis)
{
    char text[CJ__SHAPE_WORDS];
    *axis = setting < 0 ? setting + shape->rank : setting;
    cj_shape_text(shape, text, sizeof text);
    if (*axis == 0)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: axis %d of input %s is the batch axis; needs one of the others",
                        layer->name, setting, text);
    if (*axis < 0 || *axis >= shape->rank)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is not one of input %s", layer->name,
                        setting, text);
    return CJ_OK;
}

const char *cj_layer_name(const cj_layer *layer)
{
    return layer ? layer->name : "";
}

const char *cj_layer_class(const cj_layer *layer)
{
    if (layer && layer->kind == &cj__layer_operation)
        return cj__operation_word(layer)->choice.class_name;
    return layer ? layer->kind->choice.class_name : "";
}
