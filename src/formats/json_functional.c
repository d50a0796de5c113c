// Reading functional models. A node is one application of a layer; nodes may be listed before those
// that they depend on. So they are applied by a depth-first walk, which visits each node and each
// of its inputs once, with a stack of its own since chains may be long. The nodes of one layer are
// applied in their order, because they are referred to by their numbers.
#include "base/error.h"
#include "base/memory.h"
#include "formats/json_model.h"
#include "formats/json_operations.h"
#include "formats/json_references.h"
#include "layers/history.h"
#include "layers/operation.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    const char *name;
    const json_t *nodes; // "inbound_nodes"
    cj_layer *layer;     // held; NULL for input layers
    bool waits; // it may make a mask, which layers pass on by themselves: applied if it is needed
    int first_node, node_count; // in loading.nodes; an input layer has one node
} entry;

typedef struct node {
    int entry;
    enum { NODE_WAITS, NODE_VISITED, NODE_DONE } state;
    int output_count;
    cj_symbol **outputs; // held
} node;

typedef struct loading {
    cj__references refs; // of the node that is read
    uint32_t masks;      // the call settings by which it is given masks
    cj__json_layers layers;
    entry *entries; // one for each object
    size_t count;
    node *nodes; // of all layers
    int node_count;
    int *stack; // nodes that are visited
    int height;
} loading;

static const char *name_of(const json_t *object)
{
    const char *name = cj__json_text_at(object, "name");
    return name ? name : cj__json_text_at(json_object_get(object, "config"), "name");
}

// The settings of a call. Those that are the layer's, too, are set by the first application; what
// another one says otherwise is its own.
static cj__call_settings settings_of(cj_layer *layer, const json_t *call)
{
    cj__call_settings settings = {0};
    const char *const *names = layer->kind->call_settings;
    for (int i = 0; names && names[i]; i++) {
        const bool on = json_is_true(json_object_get(json_object_get(call, "kwargs"), names[i]));
        bool *own = cj__layer_setting(layer, names[i]);
        if (own && !layer->built)
            *own = on;
        if ((own ? *own : false) == on)
            continue;
        settings.given |= 1u << i;
        settings.on |= on ? 1u << i : 0;
    }
    return settings;
}

// The layer that a reference names; NULL if there is none.
static const entry *entry_of(const loading *l, const json_t *triple)
{
    const json_t *place =
        json_object_get(l->layers.index, json_string_value(json_array_get(triple, 0)));
    return place ? &l->entries[json_integer_value(place)] : NULL;
}

// The node that a reference means, its number lessened by `from`; NULL if there is none.
static node *node_of(const loading *l, const json_t *triple, int from)
{
    const entry *producer = entry_of(l, triple);
    const json_int_t number = json_integer_value(json_array_get(triple, 1)) - from;
    if (!producer || number < 0 || number >= producer->node_count)
        return NULL;
    return &l->nodes[producer->first_node + number];
}

// The symbol of a node that is done.
static cj_symbol *output_of(const node *producer, const json_t *triple)
{
    const json_int_t output = json_integer_value(json_array_get(triple, 2));
    return producer && output >= 0 && output < producer->output_count ? producer->outputs[output] :
                                                                        NULL;
}

// ---- Layers ----

// Makes the index by names and counts the nodes.
static cj_status index_layers(loading *l)
{
    cj__json b = {0};
    l->layers.index = cj__json_object(&b);
    l->layers.maskers = cj__json_list(&b);
    for (size_t i = 0; i < l->count && b.status == CJ_OK; i++) {
        const json_t *object = json_array_get(l->layers.objects, i);
        const char *class_name = cj__json_text_at(object, "class_name"), *name = name_of(object);
        if (!class_name || !name)
            return cj__fail(CJ_BAD_FILE, "layer %zu has no class_name or no name", i);
        if (json_object_get(l->layers.index, name))
            return cj__fail(CJ_BAD_FILE, "two layers are named \"%.200s\"", name);
        cj__json_set(&b, l->layers.index, name, cj__json_int(&b, (int64_t)i));
        if (json_is_true(json_object_get(json_object_get(object, "config"), "mask_zero")) ||
            strcmp(class_name, "Masking") == 0)
            cj__json_append(&b, l->layers.maskers, json_incref((json_t *)(uintptr_t)object));
        entry *e = &l->entries[i];
        *e = (entry){.name = name,
                     .nodes = json_object_get(object, "inbound_nodes"),
                     .first_node = l->node_count};
        e->node_count = cj__json_is_input(class_name) ? 1 : (int)json_array_size(e->nodes);
        l->node_count += e->node_count;
    }
    return b.status;
}

// Takes the list over, and its symbols.
static cj_status set_outputs(node *n, cj_symbol **symbols, int count)
{
    n->outputs = symbols;
    for (int i = 0; i < count; i++)
        n->outputs[n->output_count++] = cj__own(symbols[i]);
    return CJ_OK;
}

static cj_status set_input(node *n, cj_symbol *symbol)
{
    cj_symbol **one = symbol ? cj__new(1, sizeof *one) : NULL;
    if (!symbol)
        return cj__fail_missing(CJ__MADE_SYMBOL, "a layer's output");
    if (!one) {
        cj__drop_floating(symbol);
        return CJ_OUT_OF_MEMORY;
    }
    one[0] = symbol;
    return set_outputs(n, one, 1);
}

static cj_status make_layer(cj__json_loader *loader, loading *l, size_t index)
{
    const json_t *object = json_array_get(l->layers.objects, index);
    entry *e = &l->entries[index];
    if (cj__json_is_input(cj__json_text_at(object, "class_name"))) {
        cj_input_args args;
        CJ_TRY(cj__json_input_args(json_object_get(object, "config"), e->name, &args));
        l->nodes[e->first_node].state = NODE_DONE;
        return set_input(&l->nodes[e->first_node], cj_input_symbol_new(&args));
    }
    e->waits = cj__json_makes_mask(object);
    e->layer = cj__own(cj__layer_from_json(loader, object));
    return e->layer ? CJ_OK : cj__fail_missing(CJ__MADE_LAYER, "a layer");
}

// ---- Applying ----

// Makes the constants among the operands of an operation, whose other inputs are there.
static cj_status make_literals(const cj_layer *layer, const cj__references *refs,
                               cj_symbol **inputs)
{
    for (int i = 0; i < refs->count; i++) {
        if (!refs->literals[i])
            continue;
        const cj_dtype dtype = cj__literal_dtype(layer, inputs, refs->count, i);
        inputs[i] = cj__literal_symbol(layer, refs->literals[i], dtype);
        if (!inputs[i]) {
            for (int j = 0; j < i; j++) // those that no layer takes over
                if (refs->literals[j])
                    cj__drop_floating(inputs[j]);
            return cj_error_status();
        }
    }
    return CJ_OK;
}

static cj_status apply_to(loading *l, int index, const cj__references *refs, cj_symbol **inputs)
{
    node *n = &l->nodes[index];
    const entry *e = &l->entries[n->entry];
    cj__call_settings settings =
        settings_of(e->layer, json_array_get(e->nodes, (size_t)(index - e->first_node)));
    settings.given |= l->masks;
    settings.on |= l->masks;
    cj_symbol **outputs = NULL;
    int count = 0;
    for (int i = 0; i < refs->count; i++) {
        inputs[i] =
            refs->items[i] ? output_of(node_of(l, refs->items[i], 0), refs->items[i]) : NULL;
        if (!inputs[i] && refs->items[i])
            return cj__fail(CJ_BAD_FILE, "%s: its input \"%.200s\" has no such output", e->name,
                            json_string_value(json_array_get(refs->items[i], 0)));
    }
    CJ_TRY(make_literals(e->layer, refs, inputs));
    CJ_TRY(cj__apply_all(e->layer, settings, inputs, refs->count, &outputs, &count));
    n->state = NODE_DONE;
    return set_outputs(n, outputs, count);
}

static cj_status apply(loading *l, int index, const cj__references *refs)
{
    cj_symbol **inputs = cj__new((size_t)refs->count, sizeof *inputs);
    const cj_status status = inputs ? apply_to(l, index, refs, inputs) : CJ_OUT_OF_MEMORY;
    cj__free(inputs);
    return status;
}

// The first node that must be done before node `index`: the one before it of its layer, then its
// inputs; -1 if all are done.
static cj_status find_pending(const loading *l, int index, const cj__references *refs, int *pending)
{
    const entry *e = &l->entries[l->nodes[index].entry];
    *pending = -1;
    if (!e->waits && index > e->first_node && l->nodes[index - 1].state != NODE_DONE) {
        *pending = index - 1;
        return CJ_OK;
    }
    for (int i = 0; i < refs->count; i++) {
        if (!refs->items[i])
            continue;
        const entry *producer = entry_of(l, refs->items[i]);
        const node *needed = node_of(l, refs->items[i], 0);
        if (!needed || (!producer->layer && needed->state != NODE_DONE))
            return cj__fail(CJ_BAD_FILE, "%s: its input \"%.200s\" does not exist", e->name,
                            json_string_value(json_array_get(refs->items[i], 0)));
        if (needed->state != NODE_DONE) {
            *pending = (int)(needed - l->nodes);
            return CJ_OK;
        }
    }
    return CJ_OK;
}

// A symbol by its triple, for masks; NULL if it is not there yet.
static cj_symbol *find_symbol(void *loading_, const json_t *triple)
{
    const node *producer = node_of(loading_, triple, 0);
    return producer && producer->state == NODE_DONE ? output_of(producer, triple) : NULL;
}

// Applies the node on top of the stack, or puts one that it waits for on top of it.
static cj_status step(loading *l)
{
    const int top = l->stack[l->height - 1];
    const entry *e = &l->entries[l->nodes[top].entry];
    const json_t *object = json_array_get(e->nodes, (size_t)(top - e->first_node));
    cj__references *refs = &l->refs;
    int pending = -1;
    CJ_TRY(e->layer->kind == &cj__layer_operation ?
               cj__references_read_operands(e->layer, object, refs) :
               cj__references_read_node(object, e->name, e->layer->kind, refs));
    CJ_TRY(cj__json_check_masks(&l->layers, object, e->layer->kind, e->name));
    CJ_TRY(find_pending(l, top, refs, &pending));
    l->masks = 0;
    if (pending < 0 && e->layer->kind->given_masks) {
        const cj__json_symbols symbols = {&l->layers, l, find_symbol};
        CJ_TRY(cj__json_given_masks(&symbols, object, e->layer->kind, e->name, refs, &l->masks));
        CJ_TRY(find_pending(l, top, refs, &pending));
    }
    if (pending < 0) {
        l->height--;
        return apply(l, top, refs);
    }
    if (l->nodes[pending].state == NODE_VISITED)
        return cj__fail(CJ_BAD_FILE, "%s: the inputs of layers form a circle", e->name);
    l->nodes[pending].state = NODE_VISITED;
    l->stack[l->height++] = pending;
    return CJ_OK;
}

static cj_status apply_node(loading *l, int index)
{
    if (l->nodes[index].state == NODE_DONE)
        return CJ_OK;
    l->nodes[index].state = NODE_VISITED;
    l->stack[l->height++] = index;
    while (l->height > 0)
        CJ_TRY(step(l));
    return CJ_OK;
}

static cj_status apply_all(loading *l)
{
    for (int i = 0; i < l->node_count; i++)
        if (!l->entries[l->nodes[i].entry].waits)
            CJ_TRY(apply_node(l, i));
    return CJ_OK;
}

// ---- Inputs and outputs of the model ----

// In "output_layers" Keras counts the applications of nested functional models from 1, since their
// own making is number 0; 0 is taken as well.
static int first_number(const entry *producer, const json_t *triple)
{
    return producer && producer->layer && producer->layer->kind == &cj__layer_functional &&
           json_integer_value(json_array_get(triple, 1)) > 0;
}

static cj_status find_ends(loading *l, const cj__references *refs, bool outputs,
                           cj_symbol **symbols)
{
    for (int i = 0; i < refs->count; i++) {
        const int from = outputs ? first_number(entry_of(l, refs->items[i]), refs->items[i]) : 0;
        node *producer = node_of(l, refs->items[i], from);
        if (producer && l->entries[producer->entry].waits)
            CJ_TRY(apply_node(l, (int)(producer - l->nodes)));
        symbols[i] = output_of(producer, refs->items[i]);
        if (!symbols[i])
            return cj__fail(CJ_BAD_FILE, "the model's %s %d names \"%.200s\", which does not exist",
                            outputs ? "output" : "input", i,
                            json_string_value(json_array_get(refs->items[i], 0)));
    }
    return CJ_OK;
}

// `ends` is one triple, a list of triples, or an object of triples. The caller frees the list of
// symbols (cj__free).
static cj_status read_ends(loading *l, const json_t *ends, bool outputs, cj_symbol ***symbols,
                           int *count)
{
    cj__references refs = {.count = 0};
    cj_status status = json_is_object(ends) ?
                           cj__references_read_named(ends, &refs) :
                           cj__references_read_node(ends, "the model", NULL, &refs);
    *count = refs.count;
    if (status == CJ_OK && !(*symbols = cj__new((size_t)refs.count, sizeof **symbols)))
        status = CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = find_ends(l, &refs, outputs, *symbols);
    cj__references_free(&refs);
    return status;
}

// ---- All ----

static cj_status make_nodes(loading *l)
{
    l->nodes = cj__new((size_t)l->node_count, sizeof *l->nodes);
    l->stack = cj__new((size_t)l->node_count, sizeof *l->stack);
    if (!l->nodes || !l->stack)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < l->count; i++)
        for (int j = 0; j < l->entries[i].node_count; j++)
            l->nodes[l->entries[i].first_node + j].entry = (int)i;
    return CJ_OK;
}

static cj_status make_model(loading *l, const json_t *config, cj_model **model)
{
    cj_symbol **inputs = NULL, **outputs = NULL;
    int input_count = 0, output_count = 0;
    cj_status status =
        read_ends(l, json_object_get(config, "input_layers"), false, &inputs, &input_count);
    if (status == CJ_OK)
        status =
            read_ends(l, json_object_get(config, "output_layers"), true, &outputs, &output_count);
    if (status == CJ_OK) {
        *model = cj_functional(.inputs_list = inputs, .inputs_count = input_count,
                               .outputs_list = outputs, .outputs_count = output_count,
                               .name = cj__json_text_at(config, "name"));
        status = *model ? CJ_OK : cj__fail_missing(CJ__MADE_MODEL, "the model");
    }
    cj__free(inputs);
    cj__free(outputs);
    return status;
}

static cj_status build(cj__json_loader *loader, loading *l, const json_t *config, cj_model **model)
{
    l->count = json_array_size(l->layers.objects);
    if (!json_is_array(l->layers.objects) || l->count == 0)
        return cj__fail(CJ_BAD_FILE, "the model has no list of layers");
    l->entries = cj__new(l->count, sizeof *l->entries);
    if (!l->entries)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(index_layers(l));
    CJ_TRY(make_nodes(l));
    for (size_t i = 0; i < l->count; i++)
        CJ_TRY(make_layer(loader, l, i));
    CJ_TRY(apply_all(l));
    return make_model(l, config, model);
}

cj_layer *cj__functional_from_json(cj__json_loader *loader, const json_t *config)
{
    loading l = {.layers.objects = json_object_get(config, "layers")};
    cj_model *model = NULL;
    if (build(loader, &l, config, &model) != CJ_OK)
        cj__applied_release(); // nothing names what a failed application was given
    for (size_t i = 0; l.entries && i < l.count; i++)
        cj_release(l.entries[i].layer);
    for (int i = 0; l.nodes && i < l.node_count; i++) {
        for (int j = 0; j < l.nodes[i].output_count; j++)
            cj_release(l.nodes[i].outputs[j]);
        cj__free(l.nodes[i].outputs);
    }
    cj__references_free(&l.refs);
    json_decref(l.layers.index);
    json_decref(l.layers.maskers);
    cj__free(l.entries);
    cj__free(l.nodes);
    cj__free(l.stack);
    return cj_model_layer(model);
}
