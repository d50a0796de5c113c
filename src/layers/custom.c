// Layers of a program's own: each registered class is a kind, made when the class is registered and
// kept as long as the process. The arguments of its layers are the head of all layers' arguments and,
// behind it, the class's settings.
#include "layers/custom.h"

#include "base/args.h"
#include "base/class_settings.h"
#include "base/memory.h"
#include "base/registry.h"
#include "layers/cells.h"
#include "layers/kind.h"
#include "layers/history.h"
#include <cajal/custom.h>
#include <limits.h>
#include <string.h>

// The head of every layer's arguments.
typedef struct head {
    CJ_LAYER_MEMBERS
} head;

enum {
    SETTINGS_AT = (sizeof(head) + 15) / 16 * 16, // in the arguments
    SETTINGS_MAX = 3072,
    SPECS_MAX = 2 * CJ__LAYER_VARIABLES_MAX,
    ENDS_MAX = 1 << 16
};

// A registered class as a kind.
typedef struct custom {
    cj__layer_kind kind;
    cj_custom_layer_class given; // but for the members of its settings
    cj__class_settings settings;
    unsigned char *standard; // the defaults as arguments
    cj__field *fields;
    cj__sublayer *sublayers;
    cj__config_key *keys; // of the sublayers
    char *name;
} custom;

// A layer with the specs of its weights, which cj_add_weight() was given.
typedef struct custom_layer {
    cj_layer layer;
    char *specs[SPECS_MAX];
    int spec_count;
} custom_layer;

static cj__registry registry = CJ__REGISTRY_INIT;

static const cj_custom_layer_class class_defaults = {
    .size = sizeof(cj_custom_layer_class), .input_count = 1, .output_count = 1};

static const custom *custom_of(const cj_layer *layer)
{
    return (const custom *)(const void *)layer->kind;
}

static const void *settings_of(const cj_layer *layer)
{
    return (const char *)layer->args + SETTINGS_AT;
}

// ---- The methods of the kind ----

static void forget_specs(custom_layer *layer)
{
    while (layer->spec_count > 0)
        cj__free(layer->specs[--layer->spec_count]);
}

static void free_layer(cj_layer *layer)
{
    forget_specs((custom_layer *)(void *)layer);
}

// How many states a cell has, and their entries; 0 of a layer that is none.
static int sizes_of(const cj_layer *cell, int64_t *sizes)
{
    const custom *c = custom_of(cell);
    memset(sizes, 0, CJ__SEQUENCE_STATES * sizeof *sizes);
    return c->given.states ? c->given.states(settings_of(cell), sizes) : 0;
}

static int cell_states(const cj_layer *cell, cj_shape *shapes, int *previous)
{
    int64_t sizes[CJ__SEQUENCE_STATES];
    const int count = sizes_of(cell, sizes);
    for (int i = 0; i < count && i < CJ__SEQUENCE_STATES; i++)
        shapes[i] = CJ_SHAPE(sizes[i]);
    *previous = 0;
    return count;
}

static const cj__cell cell = {.states = cell_states};

static cj_status check_states(const cj_layer *layer)
{
    int64_t sizes[CJ__SEQUENCE_STATES];
    const int count = sizes_of(layer, sizes);
    if (count < 1 || count > CJ__SEQUENCE_STATES)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a cell of %d states, needed are 1 to %d",
                        layer->name, count, CJ__SEQUENCE_STATES);
    for (int i = 0; i < count; i++)
        if (sizes[i] < 1)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: state %d has %lld entries, needs a positive number", layer->name,
                            i, (long long)sizes[i]);
    return CJ_OK;
}

// A cell takes an entry of a sequence and its states.
static cj_status check_inputs(const cj_layer *layer, int count)
{
    int64_t sizes[CJ__SEQUENCE_STATES];
    const int needed = 1 + sizes_of(layer, sizes);
    if (!custom_of(layer)->given.states || count == needed)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, a cell needs its states: %d",
                    layer->name, count, needed);
}

static cj_status check(cj_layer *layer)
{
    const custom *c = custom_of(layer);
    if (c->given.states)
        CJ_TRY(check_states(layer));
    if (!c->given.check)
        return CJ_OK;
    const cj_status status =
        cj__returned(c->given.check(settings_of(layer)), "the check of its settings");
    return status == CJ_OK ? CJ_OK : cj__fail_in(status, "%s", layer->name);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const custom *c = custom_of(layer);
    forget_specs((custom_layer *)(void *)layer);
    CJ_TRY(check_inputs(layer, layer->input_count));
    if (!c->given.build)
        return CJ_OK;
    cj_shape *shapes = cj__new((size_t)layer->input_count, sizeof *shapes);
    if (!shapes)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < layer->input_count; i++)
        shapes[i] = inputs[i].shape;
    const cj_status status = cj__returned(
        c->given.build(layer, settings_of(layer), shapes, layer->input_count), "its build");
    cj__free(shapes);
    return status;
}

// The same value as a symbol of the trace alone: an operator on it is no node of a user's model.
static cj_symbol *plain(cj__build *g, const cj_symbol *symbol)
{
    return symbol ? cj__node_output(g, symbol->node, symbol->index) : NULL;
}

// The status of a call that gave no output: what failed in it has left its sentence.
static cj_status failed(const cj__layer_context *c)
{
    char who[160];
    snprintf(who, sizeof who, "%s: an output of its call", c->layer->name);
    if (c->build->status != CJ_OK)
        return c->build->status;
    if (!cj__builder_failed(CJ__MADE_SYMBOL) && cj_error_status() != CJ_OK)
        return cj_error_status();
    return cj__fail_missing(CJ__MADE_SYMBOL, who);
}

static cj_status call(cj__layer_context *c)
{
    const custom *class = custom_of(c->layer);
    int64_t sizes[CJ__SEQUENCE_STATES];
    const int outputs =
        class->given.states ? 1 + sizes_of(c->layer, sizes) : class->given.output_count;
    CJ_TRY(check_inputs(c->layer, c->input_count));
    const size_t inputs_given = (size_t)c->input_count;
    cj_symbol *weights[CJ__LAYER_VARIABLES_MAX];
    cj_symbol **inputs = cj__build_memory(c->build, inputs_given, sizeof *inputs);
    cj_symbol **masks = cj__build_memory(c->build, inputs_given, sizeof *masks);
    cj_symbol **made = cj__build_memory(c->build, (size_t)outputs, sizeof *made);
    if (!made)
        return c->build->status;
    for (int i = 0; i < c->input_count; i++) {
        inputs[i] = plain(c->build, c->inputs[i].symbol);
        masks[i] = plain(c->build, c->inputs[i].mask);
    }
    for (int i = 0; i < c->layer->variable_count; i++)
        weights[i] = plain(c->build, cj__trace_variable(c->trace, c->layer->variables[i]));
    CJ_TRY(c->build->status);
    const cj_layer_call given = {.layer = c->layer,
                                 .settings = settings_of(c->layer),
                                 .inputs = inputs,
                                 .input_count = c->input_count,
                                 .masks = masks,
                                 .weights = weights,
                                 .weight_count = c->layer->variable_count,
                                 .training = c->trace->training,
                                 .more_outputs = made + 1,
                                 .context = c};
    cj__error_forget();
    made[0] = class->given.call(&given);
    bool complete = true;
    for (int i = 0; i < outputs; i++)
        complete = complete && made[i];
    const cj_status status = complete ? CJ_OK : failed(c);
    cj__layer_outputs(c, outputs);
    for (int i = 0; i < outputs; i++)
        if (made[i])
            made[i] = cj__build_keep(c->build, made[i]);
    for (int i = 0; i < outputs && c->build->status == CJ_OK; i++)
        c->outputs[i].symbol = made[i];
    return status != CJ_OK ? status : c->build->status;
}

// ---- What the functions of a class may call ----

cj_status cj_add_weight(cj_layer *layer, const char *name, cj_shape shape, const char *initializer,
                        const char *regularizer, bool trainable)
{
    const char *const specs[2] = {initializer ? initializer : "glorot_uniform", regularizer};
    const char *copies[2] = {NULL, NULL};
    if (!layer)
        return cj__fail_missing(CJ__MADE_LAYER, "cj_add_weight: the layer");
    if (!name || !*name)
        return cj__fail_null("cj_add_weight: the name");
    if (layer->kind->build != build || layer->built || !layer->input_types)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: cj_add_weight() is for layers of one's own, while they are built",
                        layer->name);
    for (int i = 0; i < layer->variable_count; i++)
        if (strcmp(strrchr(layer->variables[i]->name, '/') + 1, name) == 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: it has a weight \"%.60s\" already",
                            layer->name, name);
    custom_layer *own = (custom_layer *)(void *)layer;
    if (strchr(name, '/'))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the name \"%.60s\" has a \"/\"", layer->name,
                        name);
    if (layer->variable_count == CJ__LAYER_VARIABLES_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: \"%.60s\" is one weight too many, at most %d",
                        layer->name, name, (int)CJ__LAYER_VARIABLES_MAX);
    for (int i = 0; i < 2 && specs[i]; i++) {
        cj__chosen chosen;
        CJ_TRY(cj__spec_parse(i == 0 ? &cj__initializers : &cj__regularizers, specs[i], layer->name,
                              &chosen));
        cj__chosen_free(&chosen);
        if (!(copies[i] = own->specs[own->spec_count] = cj__copy_text(specs[i])))
            return CJ_OUT_OF_MEMORY;
        own->spec_count++;
    }
    return cj__layer_add_variable(layer, name, shape, copies[0], copies[1], trainable, NULL);
}

// The context of a call; NULL with a sentence.
static cj__layer_context *context_of(const cj_layer_call *call, const char *who)
{
    if (call && call->context)
        return call->context;
    cj__fail_null_of(who, "the call");
    return NULL;
}

cj_status cj_add_loss(const cj_layer_call *call, cj_symbol *loss)
{
    if (!loss)
        return cj__fail_missing(CJ__MADE_SYMBOL, "cj_add_loss: the loss");
    cj__layer_context *c = context_of(call, "cj_add_loss");
    if (c && cj_symbol_shape(loss)->rank == 0)
        return cj__trace_loss(c->trace, cj__build_keep(c->build, loss));
    cj__drop_floating(loss);
    return c ? cj__fail(CJ_SHAPE_MISMATCH, "%s: what cj_add_loss() is given is no scalar",
                        c->layer->name) :
               CJ_INVALID_ARGUMENT;
}

cj_status cj_update_weight(const cj_layer_call *call, int index, cj_symbol *value)
{
    if (!value)
        return cj__fail_missing(CJ__MADE_SYMBOL, "cj_update_weight: the value");
    cj__layer_context *c = context_of(call, "cj_update_weight");
    cj_status status = CJ_OK;
    if (!c)
        status = CJ_INVALID_ARGUMENT;
    else if (index < 0 || index >= c->layer->variable_count)
        status = cj__fail(CJ_INVALID_ARGUMENT, "%s: there is no weight %d, it has %d",
                          c->layer->name, index, c->layer->variable_count);
    else if (!cj_shape_equal(cj_symbol_shape(value), cj_symbol_shape(call->weights[index])))
        status = cj__fail(CJ_SHAPE_MISMATCH, "%s: the new value of weight %d has another shape",
                          c->layer->name, index);
    if (status != CJ_OK || !c->trace->training) {
        cj__drop_floating(value);
        return status;
    }
    return cj__trace_update(c->trace, c->layer->variables[index], cj__build_keep(c->build, value));
}

cj_symbol *cj_call_layer(const cj_layer_call *call, cj_layer *layer, cj_symbol *x)
{
    cj__value *outputs = NULL;
    int count = 0;
    bool is_setting = false;
    cj__layer_context *c = NULL;
    if (!layer || !x)
        cj__fail_missing_some((layer ? 0U : CJ__MADE_LAYER) | (x ? 0U : CJ__MADE_SYMBOL),
                              !layer + !x,
                              layer ? "cj_call_layer: the symbol" : "cj_call_layer: the layer");
    else
        c = context_of(call, "cj_call_layer");
    for (int i = 0; c && i < c->layer->sublayer_count; i++)
        is_setting = is_setting || c->layer->sublayers[i] == layer;
    if (!is_setting) {
        if (c)
            cj__fail(CJ_INVALID_ARGUMENT,
                     "%s: the layer that is to be applied is none of its settings", c->layer->name);
        cj__drop_floating(x);
        return cj__build_failed(CJ__MADE_SYMBOL);
    }
    x = cj__build_keep(c->build, x);
    const cj_status status =
        cj__layer_call(layer, c->trace, &(cj__value){.symbol = x}, 1, &outputs, &count);
    return status == CJ_OK ? plain(c->build, outputs[0].symbol) : cj__build_failed(CJ__MADE_SYMBOL);
}

// ---- Registering ----

const cj__layer_kind *cj__custom_kind_find(const char *class_name)
{
    return cj__registry_find(&registry, class_name);
}

static void custom_free(custom *c)
{
    if (!c)
        return;
    cj__class_settings_free(&c->settings);
    cj__free(c->standard);
    cj__free(c->fields);
    cj__free(c->sublayers);
    cj__free(c->keys);
    cj__free(c->name);
    cj__free(c);
}

// The rows of the settings that are layers, and the keys of their configs.
static void add_sublayers(custom *c)
{
    int count = 0;
    for (int i = 0; i < c->settings.count; i++) {
        const cj_setting *row = &c->settings.rows[i];
        if (row->kind != CJ_SETTING_LAYER)
            continue;
        c->sublayers[count] =
            (cj__sublayer){row->name, SETTINGS_AT + row->offset, false, !row->required};
        c->keys[count++] = (cj__config_key)CJ__KEY_HARMLESS(row->name);
    }
    c->kind.sublayers = count > 0 ? c->sublayers : NULL;
    c->kind.keys = count > 0 ? c->keys : NULL;
}

static void fill_kind(custom *c)
{
    static const cj__field common[] = {CJ__LAYER_FIELDS(head)};
    const int own = cj__class_settings_fields(&c->settings, SETTINGS_AT, c->fields);
    const size_t size = SETTINGS_AT + c->settings.size;
    const head first = {.size = size, .dtype = "float32", .trainable = true};
    memcpy(c->fields + own, common, sizeof common);
    memcpy(c->standard, &first, sizeof first);
    memcpy(c->standard + SETTINGS_AT, c->settings.defaults, c->settings.size);
    c->kind = (cj__layer_kind){
        .choice = {.name = c->name,
                   .class_name = c->name,
                   .fields = c->fields,
                   .field_count = own + (int)(sizeof common / sizeof common[0]),
                   .defaults = c->standard,
                   .args_size = (size + 15) / 16 * 16},
        .min_inputs = c->given.input_count > 0 ? c->given.input_count : 1,
        .max_inputs = c->given.input_count > 0 ? c->given.input_count : INT_MAX,
        .check = check,
        .build = build,
        .call = call,
        .mask = c->given.supports_masking ? CJ__MASK_PASS : CJ__MASK_DROP,
        .free = free_layer,
        .size = sizeof(custom_layer),
        .any_dtype = c->given.any_dtype,
        .custom = true,
    };
    if (c->given.states) {
        c->kind.cell = &cell;
        c->kind.more_inputs = "states";
        c->kind.min_inputs = 2;
        c->kind.max_inputs = 1 + CJ__SEQUENCE_STATES;
        c->kind.mask = CJ__MASK_DROP;
    }
    ((head *)(void *)c->standard)->size = c->kind.choice.args_size;
    add_sublayers(c);
}

static custom *custom_new(const cj_custom_layer_class *given, const cj__class_settings *settings)
{
    custom *c = cj__new(1, sizeof *c);
    if (!c)
        return NULL;
    c->given = *given;
    const size_t rows = (size_t)settings->count;
    if (cj__class_settings_copy(settings, &c->settings) == CJ_OK &&
        (c->standard = cj__new(SETTINGS_AT + settings->size + 16, 1)) &&
        (c->fields = cj__new(rows + 8, sizeof *c->fields)) &&
        (c->sublayers = cj__new(rows + 1, sizeof *c->sublayers)) &&
        (c->keys = cj__new(rows + 1, sizeof *c->keys)) && (c->name = cj__copy_text(given->name))) {
        c->given.name = c->name;
        fill_kind(c);
        return c;
    }
    custom_free(c);
    return NULL;
}

static bool is_same(const custom *c, const cj_custom_layer_class *given,
                    const cj__class_settings *settings)
{
    return c->given.build == given->build && c->given.call == given->call &&
           c->given.check == given->check && c->given.states == given->states &&
           c->given.input_count == given->input_count &&
           c->given.output_count == given->output_count &&
           cj__class_settings_equal(&c->settings, settings);
}

static cj_status check_class(const cj_custom_layer_class *given, const cj__class_settings *settings)
{
    CJ_TRY(cj__registry_check_name("cj_register_layer", given->name));
    for (int i = 0; cj__layer_kinds[i]; i++)
        if (strcmp(cj__layer_kinds[i]->choice.class_name, given->name) == 0)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_register_layer: \"%s\" is the name of a layer of the library",
                            given->name);
    if (!given->call)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_register_layer: class \"%s\" has no call",
                        given->name);
    if (given->input_count < 0 || given->input_count > ENDS_MAX || given->output_count < 1 ||
        given->output_count > ENDS_MAX)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_register_layer: class \"%s\" has %d inputs and %d outputs, possible are "
            "0 (any number) to %d and 1 to %d",
            given->name, given->input_count, given->output_count, (int)ENDS_MAX, (int)ENDS_MAX);
    return cj__class_settings_check(settings, given->name, SETTINGS_MAX, true);
}

static cj_status register_class(const cj_custom_layer_class *layer_class, const custom **kind)
{
    cj_custom_layer_class given;
    void *before = NULL;
    CJ_TRY(cj__args_read("cj_register_layer", layer_class, &class_defaults, sizeof given, &given));
    const cj__class_settings settings = {given.settings, given.setting_count, given.defaults,
                                         given.settings_size};
    CJ_TRY(check_class(&given, &settings));
    custom *made = NULL;
    if (!(before = cj__registry_find(&registry, given.name))) {
        made = custom_new(&given, &settings);
        if (!made)
            return CJ_OUT_OF_MEMORY;
        const cj_status status = cj__registry_add(&registry, made->name, made, &before);
        if (status != CJ_OK || before)
            custom_free(made);
        CJ_TRY(status);
    }
    *kind = before ? before : made;
    return is_same(*kind, &given, &settings) ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_register_layer: another class \"%s\" is registered already",
                        given.name);
}

cj_status cj_register_layer(const cj_custom_layer_class *layer_class)
{
    const custom *kind = NULL;
    return register_class(layer_class, &kind);
}

// Layers among the settings that nobody will have.
static void drop_layers(const cj_custom_layer_class *layer_class, const void *settings)
{
    for (int i = 0; settings && i < layer_class->setting_count; i++)
        if (layer_class->settings[i].kind == CJ_SETTING_LAYER)
            cj__drop_floating(*(cj_layer *const *)(const void *)((const char *)settings +
                                                                 layer_class->settings[i].offset));
}

cj_layer *cj_custom_layer(const cj_custom_layer_class *layer_class, const void *settings,
                          const char *name)
{
    const custom *c = NULL;
    if (register_class(layer_class, &c) != CJ_OK) {
        if (c)
            drop_layers(layer_class, settings);
        return cj__build_failed(CJ__MADE_LAYER);
    }
    unsigned char *args = cj__copy_bytes(c->standard, c->kind.choice.args_size);
    cj_layer *layer = NULL;
    if (!args) {
        drop_layers(layer_class, settings);
        return cj__build_failed(CJ__MADE_LAYER);
    }
    ((head *)(void *)args)->name = name;
    if (settings)
        memcpy(args + SETTINGS_AT, settings, c->settings.size);
    layer = cj__layer_new(&c->kind, args);
    cj__free(args);
    return layer;
}
