// Walking over a layer and all that it contains: variables, weight regularizers, freezing.
//
// A layer may be reached twice, through nested models that share it; only the first time counts. A
// walk needs no memory for that: a layer that is in one container only is reached as often as the
// container, and for the others the walk looks up which container reaches it first.
#include "layers/kind.h"
#include "ops/variable.h"

typedef struct walk {
    const cj_layer *root;
    void (*visit)(struct walk *walk, const cj_layer *layer, bool trainable);
    const cj__index *flags; // see cj__trace.flags
    cj__trace *trace;
    cj_symbol *sum;
    bool trainable_only;
    cj_variable **variables;
    const char **constraints; // of each variable, with `variables` or instead
    int count, capacity;
} walk;

int cj__layer_children(const cj_layer *layer, cj_layer *const **children)
{
    *children = layer->sublayers;
    return layer->kind->children ? layer->kind->children(layer, children) : layer->sublayer_count;
}

// The container of the first occurrence of `target` below `at`, in the order of a walk; NULL if
// there is none.
static const cj_layer *first_container(const cj_layer *at, const cj_layer *target)
{
    cj_layer *const *children;
    const int count = cj__layer_children(at, &children);
    const cj_layer *found = NULL;
    for (int i = 0; !found && i < count; i++)
        found = children[i] == target ? at : first_container(children[i], target);
    return found;
}

bool cj__layer_trains(const cj_layer *layer, const cj__index *flags)
{
    const int *flag = flags ? cj__index_find(flags, layer) : NULL;
    return flag ? *flag : layer->trainable;
}

static void go(walk *w, const cj_layer *layer, bool trainable)
{
    cj_layer *const *children;
    const int count = cj__layer_children(layer, &children);
    trainable = trainable && cj__layer_trains(layer, w->flags);
    w->visit(w, layer, trainable);
    for (int i = 0; i < count; i++)
        if (atomic_load(&children[i]->containers) < 2 ||
            first_container(w->root, children[i]) == layer)
            go(w, children[i], trainable);
}

static void collect(walk *w, const cj_layer *layer, bool trainable)
{
    for (int others = 0; others < 2; others++) {
        for (int i = 0; i < layer->variable_count; i++) {
            if (layer->variables[i]->trainable == others || layer->states[i])
                continue;
            if (w->trainable_only && (others || !trainable))
                continue;
            if (w->count < w->capacity && w->variables)
                w->variables[w->count] = layer->variables[i];
            if (w->count < w->capacity && w->constraints)
                w->constraints[w->count] = layer->constraints[i];
            w->count++;
        }
    }
}

int cj__layer_variables(const cj_layer *layer, bool trainable_only, cj_variable **variables,
                        int capacity)
{
    walk w = {.root = layer,
              .visit = collect,
              .trainable_only = trainable_only,
              .variables = variables,
              .capacity = capacity};
    if (layer)
        go(&w, layer, true);
    return w.count;
}

int cj__layer_trained(const cj_layer *layer, const cj__index *flags, cj_variable **variables,
                      int capacity)
{
    walk w = {.root = layer,
              .visit = collect,
              .trainable_only = true,
              .flags = flags,
              .variables = variables,
              .capacity = capacity};
    go(&w, layer, true);
    return w.count;
}

void cj__layer_constraints(const cj_layer *layer, const cj__index *flags, const char **specs,
                           int capacity)
{
    walk w = {.root = layer,
              .visit = collect,
              .trainable_only = true,
              .flags = flags,
              .constraints = specs,
              .capacity = capacity};
    go(&w, layer, true);
}

static void collect_states(walk *w, const cj_layer *layer, bool trainable)
{
    (void)trainable;
    for (int i = 0; i < layer->variable_count; i++) {
        if (!layer->states[i])
            continue;
        if (w->count < w->capacity)
            w->variables[w->count] = layer->variables[i];
        w->count++;
    }
}

int cj__layer_states(const cj_layer *layer, cj_variable **variables, int capacity)
{
    walk w = {.root = layer, .visit = collect_states, .variables = variables, .capacity = capacity};
    if (layer)
        go(&w, layer, true);
    return w.count;
}

static void add_losses(walk *w, const cj_layer *layer, bool trainable)
{
    for (int i = 0; i < layer->variable_count; i++) {
        if (!layer->regularizers[i] || !trainable || !layer->variables[i]->trainable)
            continue;
        cj_symbol *penalty = cj__regularizer(&w->trace->build, layer->regularizers[i], layer->name,
                                             cj__trace_variable(w->trace, layer->variables[i]));
        w->sum = w->count++ ? cj__add(&w->trace->build, w->sum, penalty) : penalty;
    }
}

cj_symbol *cj__layer_losses(cj_layer *layer, cj__trace *trace, bool *any)
{
    walk w = {.root = layer, .visit = add_losses, .trace = trace, .flags = trace->flags};
    go(&w, layer, true);
    *any = w.count > 0;
    return w.sum;
}

int cj_layer_variable_count(const cj_layer *layer)
{
    return cj__layer_variables(layer, false, NULL, 0);
}

static void find_at(walk *w, const cj_layer *layer, bool trainable)
{
    const int before = w->count;
    cj_variable *own[CJ__LAYER_VARIABLES_MAX];
    walk inner = {.variables = own, .capacity = CJ__LAYER_VARIABLES_MAX};
    collect(&inner, layer, trainable);
    w->count += inner.count;
    if (w->capacity >= before && w->capacity < w->count)
        w->variables[0] = own[w->capacity - before];
}

cj_variable *cj_layer_variable(const cj_layer *layer, int index)
{
    cj_variable *found = NULL;
    walk w = {.root = layer, .visit = find_at, .variables = &found, .capacity = index};
    if (layer && index >= 0)
        go(&w, layer, true);
    return found;
}

cj_status cj_reset_states(cj_layer *layer)
{
    cj_layer *const *children;
    if (!layer)
        return cj__fail_missing(CJ__MADE_LAYER, "cj_reset_states: the layer");
    const int count = cj__layer_children(layer, &children);
    for (int i = 0; i < layer->variable_count; i++)
        if (layer->states[i])
            CJ_TRY(cj__variable_fill(layer->variables[i], 0));
    for (int i = 0; i < count; i++)
        CJ_TRY(cj_reset_states(children[i]));
    return CJ_OK;
}

cj_status cj_set_trainable(cj_layer *layer, bool trainable)
{
    cj_layer *const *children;
    if (!layer)
        return cj__fail_missing(CJ__MADE_LAYER, "cj_set_trainable: the layer");
    const int count = cj__layer_children(layer, &children);
    bool *setting = cj__layer_setting(layer, "trainable");
    layer->trainable = trainable;
    if (setting)
        *setting = trainable;
    for (int i = 0; i < count; i++)
        CJ_TRY(cj_set_trainable(children[i], trainable));
    return CJ_OK;
}

bool cj_trainable(const cj_layer *layer)
{
    return layer && layer->trainable;
}
