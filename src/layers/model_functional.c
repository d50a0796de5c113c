// Functional models: the layers between the inputs and the outputs, found through the symbols'
// histories.
//
// What makes symbols is a *producer*: a history (a layer's application), a word that was applied
// (ops/word.h), or else a node. The walk goes from the outputs back with a stack of its own,
// since chains may be long. Producers are then put in Keras's order: those farthest from the
// outputs first, and those equally far in the order in which the walk met them.
#include "base/args.h"
#include "base/memory.h"
#include "layers/model.h"
#include "layers/operation.h"
#include <limits.h>
#include <stdlib.h>

static const cj_merge_args defaults = {CJ_MERGE_DEFAULTS};
static const cj__field fields[] = {CJ__LAYER_FIELDS(cj_merge_args)};

const cj__layer_kind cj__layer_functional = {
    .choice = CJ__CHOICE("functional", "Functional", fields, defaults),
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .call = cj__model_call,
    .mask = CJ__MASK_OWN,
    .children = cj__model_children,
    .free = cj__model_free,
    .size = sizeof(cj_model),
    .any_dtype = true,
    .no_policy = true,
};

typedef struct producer {
    cj__history *history; // or
    cj__applied *applied; // or
    cj__node *node;
    int met;   // position in the order in which the walk met them
    int next;  // input that the walk visits next
    int depth; // distance from the outputs
} producer;

typedef struct graph {
    const char *name;
    producer *producers; // in the order they were met; later sorted
    int count;
    size_t capacity;
    cj__index index; // of producers, by history or node
    int *done;       // indices of producers, each after those of its inputs
    int done_count;
    size_t done_capacity;
    int *stack;
    int height;
    size_t stack_capacity;
} graph;

static producer producer_of(const cj_symbol *symbol)
{
    cj__history *history = cj__symbol_history(symbol);
    cj__applied *applied = cj__symbol_applied(symbol);
    return (producer){
        .history = history, .applied = applied, .node = history || applied ? NULL : symbol->node};
}

static int index_of_output(const cj_symbol *symbol)
{
    return symbol->history ? symbol->history_index : symbol->index;
}

static int inputs_of(const producer *p, cj_symbol *const **inputs)
{
    *inputs = p->history ? p->history->inputs : p->applied ? p->applied->inputs : p->node->inputs;
    return p->history ? p->history->input_count :
           p->applied ? p->applied->input_count :
                        p->node->input_count;
}

static const void *key_of(const producer *p)
{
    return p->history ? (const void *)p->history :
           p->applied ? (const void *)p->applied :
                        (const void *)p->node;
}

// The index of the producer of a symbol, -1 if the walk has not met it.
static int find(const graph *g, const cj_symbol *symbol)
{
    const producer p = producer_of(symbol);
    const int *at = cj__index_find(&g->index, key_of(&p));
    return at ? *at : -1;
}

static bool push(int **items, int *count, size_t *capacity, int item)
{
    if (!cj__reserve((void **)items, capacity, (size_t)*count + 1, sizeof **items))
        return false;
    (*items)[(*count)++] = item;
    return true;
}

// Adds the producer of a symbol, if it is new, and puts it on the stack.
static cj_status meet(graph *g, const cj_symbol *symbol)
{
    producer p = producer_of(symbol);
    if (find(g, symbol) >= 0)
        return CJ_OK;
    if (p.node && p.node->op == &cj__op_input)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: \"%s\" is a bare input; a model's inputs come from cj_input_symbol()",
                        g->name, p.node->name ? p.node->name : "");
    if (!cj__reserve((void **)&g->producers, &g->capacity, (size_t)g->count + 1,
                     sizeof *g->producers) ||
        !cj__index_add(&g->index, key_of(&p), g->count))
        return CJ_OUT_OF_MEMORY;
    p.met = g->count;
    g->producers[g->count++] = p;
    return push(&g->stack, &g->height, &g->stack_capacity, g->count - 1) ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status walk_back(graph *g, const cj_symbol *output)
{
    CJ_TRY(meet(g, output));
    while (g->height > 0) {
        const int top = g->stack[g->height - 1];
        cj_symbol *const *inputs;
        if (g->producers[top].next < inputs_of(&g->producers[top], &inputs)) {
            CJ_TRY(meet(g, inputs[g->producers[top].next++]));
            continue;
        }
        g->height--;
        if (!push(&g->done, &g->done_count, &g->done_capacity, top))
            return CJ_OUT_OF_MEMORY;
    }
    return CJ_OK;
}

static int compare(const void *a, const void *b)
{
    const producer *p = a, *q = b;
    return p->depth != q->depth ? (p->depth < q->depth ? 1 : -1) :
                                  (p->met > q->met) - (p->met < q->met);
}

static void sort(graph *g)
{
    for (int i = g->done_count; i-- > 0;) { // consumers before what they need
        const producer *p = &g->producers[g->done[i]];
        cj_symbol *const *inputs;
        const int count = inputs_of(p, &inputs);
        for (int j = 0; j < count; j++) {
            producer *q = &g->producers[find(g, inputs[j])];
            q->depth = q->depth > p->depth ? q->depth : p->depth + 1;
        }
    }
    qsort(g->producers, (size_t)g->count, sizeof *g->producers, compare);
    for (int i = 0; i < g->count; i++)
        *cj__index_find(&g->index, key_of(&g->producers[i])) = i;
}

// Adds producer `i` as an application. `latest` has the latest application of each layer.
static cj_status add_producer(cj_model *model, const graph *g, int i, cj__index *latest)
{
    const producer *p = &g->producers[i];
    cj_symbol *const *inputs;
    const int count = inputs_of(p, &inputs);
    cj_layer *layer = p->history ? p->history->layer :
                      p->applied ? cj__applied_layer(p->applied) :
                                   NULL;
    if (p->applied && !layer)
        return cj_error_status();
    int *former = layer ? cj__index_find(latest, layer) : NULL;
    cj__application *a =
        cj__model_add_application(model, layer, p->node, count, former ? *former : -1);
    if (!a)
        return CJ_OUT_OF_MEMORY;
    if (p->history)
        a->settings = p->history->settings;
    for (int j = 0; j < count; j++) {
        a->input_app[j] = find(g, inputs[j]);
        a->input_index[j] = index_of_output(inputs[j]);
    }
    if (former)
        *former = i;
    if (former || !layer)
        return CJ_OK;
    CJ_TRY(cj__model_add_layer(model, layer));
    return cj__index_add(latest, layer, i) ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status add_producers(cj_model *model, const graph *g)
{
    cj__index latest = {0};
    cj_status status = CJ_OK;
    for (int i = 0; status == CJ_OK && i < g->count; i++)
        status = add_producer(model, g, i, &latest);
    cj__index_free(&latest);
    return status;
}

static cj_status set_inputs(cj_model *model, const graph *g, cj_symbol *const *inputs, int count)
{
    const char *name = model->layer.name;
    for (int i = 0; i < count; i++) {
        const cj__history *history = cj__symbol_history(inputs[i]);
        if (!history || history->layer->kind != &cj__layer_input || history->input_count != 0)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: input %d does not come from cj_input_symbol()", name, i);
        const int at = find(g, inputs[i]);
        if (at < 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: input %d (\"%s\") is not used by any output",
                            name, i, history->layer->name);
        for (int j = 0; j < i; j++)
            if (model->input_at[j] == at)
                return cj__fail(CJ_INVALID_ARGUMENT, "%s: inputs %d and %d are the same symbol",
                                name, j, i);
        model->input_at[i] = at;
    }
    for (int i = 0; i < g->count; i++) {
        const cj__history *history = g->producers[i].history;
        bool given = !history || history->input_count > 0;
        for (int j = 0; !given && j < model->input_count; j++)
            given = model->input_at[j] == i;
        if (!given)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: the outputs need input \"%s\", which is not among the inputs",
                            name, history->layer->name);
    }
    return CJ_OK;
}

static cj_status fill(cj_model *model, graph *g, cj_symbol *const *inputs, int input_count,
                      cj_symbol *const *outputs, int output_count)
{
    for (int i = 0; i < output_count; i++)
        CJ_TRY(walk_back(g, outputs[i]));
    sort(g);
    CJ_TRY(add_producers(model, g));
    CJ_TRY(cj__model_set_ends(model, input_count, output_count));
    CJ_TRY(set_inputs(model, g, inputs, input_count));
    for (int i = 0; i < output_count; i++) {
        model->output_at[i] = find(g, outputs[i]);
        model->output_index[i] = index_of_output(outputs[i]);
    }
    CJ_TRY(cj__model_join(model));
    return cj__model_settle(model);
}

static cj_model *build(cj_symbol *const *inputs, int input_count, cj_symbol *const *outputs,
                       int output_count, const char *name)
{
    graph g = {0};
    cj_model *model = cj__model_new(&cj__layer_functional, name);
    if (!model)
        return NULL;
    g.name = model->layer.name;
    const cj_status status = fill(model, &g, inputs, input_count, outputs, output_count);
    cj__free(g.producers);
    cj__free(g.done);
    cj__free(g.stack);
    cj__index_free(&g.index);
    if (status == CJ_OK)
        return model;
    cj_release(model);
    return NULL;
}

CJ__DEFAULTS(functional, FUNCTIONAL)

// What a call that is refused was given: objects made for it alone go. An output may be all that keeps
// an input alive, so all are held meanwhile.
static void drop_entries(const cj__list *const *lists, int count)
{
    for (int l = 0; l < count; l++)
        for (int i = 0; i < lists[l]->count; i++)
            cj_retain(lists[l]->items[i]);
    for (int l = 0; l < count; l++)
        for (int i = 0; i < lists[l]->count; i++)
            cj__drop_floating(lists[l]->items[i]);
    for (int l = 0; l < count; l++)
        for (int i = 0; i < lists[l]->count; i++)
            cj_release(lists[l]->items[i]);
}

// The symbols of both lists in one row, so that all are taken whatever fails.
static cj_model *build_of(const cj_functional_args *args, const cj__list *inputs,
                          const cj__list *outputs)
{
    cj_symbol **all = cj__new((size_t)inputs->count + (size_t)outputs->count, sizeof *all);
    cj_symbol *const *given = (cj_symbol *const *)(const void *)inputs->items,
                     *const *wanted = (cj_symbol *const *)(const void *)outputs->items;
    cj__build held = {0};
    cj_model *model = NULL;
    if (!all) {
        drop_entries((const cj__list *const[]){outputs, inputs}, 2);
        return NULL;
    }
    for (int i = 0; i < inputs->count; i++)
        all[i] = given[i];
    for (int i = 0; i < outputs->count; i++)
        all[inputs->count + i] = wanted[i];
    const cj_status status = cj__build_take(&held, all, inputs->count + outputs->count);
    if (status == CJ_OK && inputs->count > 0 && outputs->count > 0)
        model = build(given, inputs->count, wanted, outputs->count, args->name);
    else if (status == CJ_OK) // an empty list may begin with what a builder could not make
        cj__fail_missing(CJ__MADE_SYMBOL, inputs->count == 0 ?
                                              "functional: the first of the model's inputs" :
                                              "functional: the first of the model's outputs");
    cj__build_end(&held);
    cj__free(all);
    return model;
}

cj_model *cj_functional_new(const cj_functional_args *args)
{
    cj_functional_args given;
    cj__list lists[2];
    cj_model *model = NULL;
    if (cj__args_read("functional", args, &functional_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_MODEL);
    const cj__given_list both[2] = {{"functional: inputs", given.inputs, given.inputs_list,
                                     given.inputs_count, CJ__MADE_SYMBOL, NULL},
                                    {"functional: outputs", given.outputs, given.outputs_list,
                                     given.outputs_count, CJ__MADE_SYMBOL, NULL}};
    const cj_status status = cj__lists_read(both, 2, lists);
    const cj__list inputs = lists[0], outputs = lists[1];
    if (status == CJ_OK) {
        model = build_of(&given, &inputs, &outputs);
    } else {
        drop_entries((const cj__list *const[]){&outputs, &inputs}, 2);
    }
    cj__applied_release();
    return model ? model : cj__build_failed(CJ__MADE_MODEL);
}
