// Cycles of a NIR graph as a layer: RecurrentModel over a model of the nodes of a component, one step
// of them. Its states are what is read one step later, and what neurons and delays hold.
#include "base/error.h"
#include "base/memory.h"
#include "formats/nir.h"
#include "layers/history.h"
#include <cajal/activations.h>

#include <stdio.h>
#include <string.h>

// A sample's shape that is known before its node is made; rank -1: not yet.
typedef cj_shape sample_shape;

struct cj__nir_loop {
    int begin, end;           // of the members in the order
    cj_symbol **before;       // of each node: what it gave in the step before; held, or NULL
    cj_symbol **outer;        // of each node outside: its value there
    sample_shape *samples;    // of each node
    cj_symbol **ins, **nexts; // the states before and after the step, held
    double *initial;          // numbers that they begin with
    int state_count;
    size_t in_capacity, next_capacity, initial_capacity;
};

cj_symbol *cj__nir_before(const cj__nir_builder *b, int node)
{
    return b->loop->before[node];
}

static const cj__nir_node *member(const cj__nir_builder *b, int i)
{
    return &b->graph->nodes[b->graph->order[i]];
}

static bool is_inner(const cj__nir_builder *b, const cj__nir_node *node, int k)
{
    return b->graph->nodes[node->inputs[k]].component == node->component;
}

// ---- States ----

// Adds a state: `in` before the step. What it is after the step is set later.
static cj_status add_state(cj__nir_loop *l, cj_symbol *in, double initial)
{
    const size_t count = (size_t)l->state_count + 1;
    if (!in)
        return cj_error_status();
    if (!cj__reserve((void **)&l->ins, &l->in_capacity, count, sizeof *l->ins) ||
        !cj__reserve((void **)&l->nexts, &l->next_capacity, count, sizeof *l->nexts) ||
        !cj__reserve((void **)&l->initial, &l->initial_capacity, count, sizeof *l->initial)) {
        cj__drop_floating(in);
        return CJ_OUT_OF_MEMORY;
    }
    l->ins[l->state_count] = cj__own(in);
    l->nexts[l->state_count] = NULL;
    l->initial[l->state_count++] = initial;
    return CJ_OK;
}

// An input of the step's model, without the batch axis.
static cj_symbol *inner_input(const cj_shape *shape, const char *name, const char *part)
{
    char full[200];
    cj_input_args args = {CJ_INPUT_DEFAULTS, .name = full};
    snprintf(full, sizeof full, "%.150s%s", name, part);
    for (int i = 0; i < shape->rank; i++)
        args.shape[i] = shape->dims[i];
    return cj_input_symbol_new(&args);
}

// The shape of a sequence of one step.
static cj_shape one_step(const sample_shape *sample)
{
    cj_shape shape = {.rank = sample->rank + 1, .dims = {1}};
    for (int i = 0; i < sample->rank; i++)
        shape.dims[i + 1] = sample->dims[i];
    return shape;
}

cj_symbol *cj__nir_apply_state(cj__nir_builder *b, cj_layer *layer, cj_symbol *x, int states,
                               const cj_shape *shape, const double *initial)
{
    enum { MOST = 8 };
    cj__nir_loop *l = b->loop;
    cj_symbol *inputs[1 + MOST] = {x}, *outputs[1 + MOST] = {NULL};
    const int first = l->state_count;
    char part[32];
    cj_status status = states <= MOST ? CJ_OK : CJ_UNSUPPORTED;
    for (int k = 0; status == CJ_OK && k < states; k++) {
        snprintf(part, sizeof part, k == 0 ? "_state" : "_state_%d", k);
        status = add_state(l, inner_input(shape, cj_layer_name(layer), part), initial[k]);
        inputs[1 + k] = status == CJ_OK ? l->ins[first + k] : NULL;
    }
    if (status != CJ_OK) {
        cj__drop_floating(layer);
        return NULL;
    }
    if (cj_apply_many(layer, inputs, 1 + states, outputs, 1 + states) != CJ_OK)
        return NULL;
    for (int k = 0; k < states; k++)
        l->nexts[first + k] = cj__own(outputs[1 + k]);
    return outputs[0];
}

// ---- Shapes ----

static bool keeps_shape(const cj__nir_node *node)
{
    return node->kind->make == cj__nir_make_neuron || node->kind->make == cj__nir_make_delay ||
           strcmp(node->kind->type, "Scale") == 0;
}

static bool learn(sample_shape *known, const sample_shape *shape)
{
    if (known->rank >= 0 || shape->rank < 0)
        return false;
    *known = *shape;
    return true;
}

// What one node says of its shape, and of those that lead to it, whose shapes are all the same.
static bool learn_from(const cj__nir_builder *b, const cj__nir_node *node, sample_shape *own)
{
    sample_shape *samples = b->loop->samples, in = {.rank = -1};
    const cj__hdf5_object *weight =
        node->kind->returns ? cj__hdf5_find(node->object, "weight") : NULL;
    bool news = false;
    for (int k = 0; k < node->input_count; k++)
        learn(&in, &samples[node->inputs[k]]);
    if (keeps_shape(node)) {
        news = learn(own, &in);
        learn(&in, own);
    } else if (weight && weight->kind == CJ__HDF5_FLOAT && weight->rank == 2) {
        const sample_shape from = CJ_SHAPE((int64_t)weight->dims[1]),
                           to = CJ_SHAPE((int64_t)weight->dims[0]);
        news = learn(own, &to);
        learn(&in, &from);
    }
    for (int k = 0; k < node->input_count; k++)
        news = learn(&samples[node->inputs[k]], &in) || news;
    return news;
}

static void learn_shapes(const cj__nir_builder *b)
{
    cj__nir_loop *l = b->loop;
    for (int i = 0; i < b->graph->count; i++)
        l->samples[i].rank = -1;
    for (int i = l->begin; i < l->end; i++) {
        const cj__nir_node *node = member(b, i);
        for (int k = 0; k < node->input_count; k++) {
            if (is_inner(b, node, k))
                continue;
            const cj_shape *shape = cj_symbol_shape(b->values[node->inputs[k]]);
            sample_shape *sample = &l->samples[node->inputs[k]];
            *sample = (sample_shape){.rank = shape->rank - 2};
            for (int axis = 2; axis < shape->rank; axis++)
                sample->dims[axis - 2] = shape->dims[axis];
        }
    }
    for (bool news = true; news;) {
        news = false;
        for (int i = l->begin; i < l->end; i++)
            news = learn_from(b, member(b, i), &l->samples[b->graph->order[i]]) || news;
    }
}

// ---- The step ----

// What the step's model is given: what leads to the component, and what comes back in it.
static cj_status make_inputs(cj__nir_builder *b)
{
    cj__nir_loop *l = b->loop;
    for (int i = l->begin; i < l->end; i++) {
        const cj__nir_node *node = member(b, i);
        for (int k = 0; k < node->input_count; k++) {
            const int from = node->inputs[k];
            const char *name = b->graph->nodes[from].name;
            const cj_shape shape = one_step(&l->samples[from]);
            if (!is_inner(b, node, k) && !l->outer[from]) {
                cj_symbol *x = inner_input(&shape, name, "");
                if (!x)
                    return cj_error_status();
                l->outer[from] = b->values[from];
                b->values[from] = cj__own(x);
            }
            if (!node->late[k] || l->before[from])
                continue;
            if (l->samples[from].rank < 0) {
                cj__nir_refuse(&b->graph->nodes[from], CJ_UNSUPPORTED,
                               "it is part of a cycle, and nothing tells the shape of what comes "
                               "back from it");
                return CJ_UNSUPPORTED;
            }
            CJ_TRY(add_state(l, inner_input(&shape, name, "_before"), 0));
            l->before[from] = cj_retain(l->ins[l->state_count - 1]);
        }
    }
    return CJ_OK;
}

// What comes back is what its nodes give in this step. Those states were added first, in order.
static cj_status close_cycles(cj__nir_builder *b)
{
    cj__nir_loop *l = b->loop;
    for (int i = 0; i < b->graph->count; i++) {
        if (!l->before[i])
            continue;
        int k = 0;
        while (l->ins[k] != l->before[i])
            k++;
        if (!cj_shape_equal(cj_symbol_shape(l->ins[k]), cj_symbol_shape(b->values[i]))) {
            cj__nir_refuse(&b->graph->nodes[i], CJ_SHAPE_MISMATCH,
                           "what comes back from it has another shape than what it is added to");
            return CJ_SHAPE_MISMATCH;
        }
        l->nexts[k] = cj_retain(b->values[i]);
    }
    return CJ_OK;
}

// Whether a node outside reads one of the component; `delayed`: what it reads of a delay was there a
// step before.
static bool is_read(const cj__nir_builder *b, int index)
{
    const cj__nir_graph *g = b->graph;
    for (int i = 0; i < g->edge_count; i++)
        if (g->edges[i].from == index &&
            g->nodes[g->edges[i].to].component != g->nodes[index].component)
            return true;
    return false;
}

// ---- The layer ----

// The ends of the step's model: all are held by others.
typedef struct ends {
    cj_symbol **inputs, **outputs, **outer, **made;
    int *nodes; // that are read outside
    int input_count, output_count;
} ends;

static cj_status list_ends(cj__nir_builder *b, ends *e)
{
    cj__nir_loop *l = b->loop;
    for (int i = 0; i < b->graph->count; i++)
        if (l->outer[i]) {
            e->outer[e->input_count] = l->outer[i];
            e->inputs[e->input_count++] = b->values[i];
        }
    for (int i = l->begin; i < l->end; i++) {
        const int index = b->graph->order[i];
        if (!is_read(b, index))
            continue;
        if (b->graph->nodes[index].delays) { // what the delay holds back for a step
            char name[200];
            snprintf(name, sizeof name, "%.150s_late", b->graph->nodes[index].name);
            cj_symbol *late = cj_apply(cj_identity(.name = name), l->before[index]);
            if (!late)
                return cj_error_status();
            cj_release(b->values[index]);
            b->values[index] = cj__own(late);
        }
        e->nodes[e->output_count] = index;
        e->outputs[e->output_count++] = b->values[index];
    }
    for (int k = 0; k < l->state_count; k++) {
        e->inputs[e->input_count + k] = l->ins[k];
        e->outputs[e->output_count + k] = l->nexts[k];
    }
    return CJ_OK;
}

static cj_layer *make_layer(cj__nir_builder *b, const ends *e)
{
    const cj__nir_loop *l = b->loop;
    const char *first = member(b, l->begin)->name;
    char name[200], step_name[200];
    bool zeros = true;
    for (int k = 0; k < l->state_count; k++)
        zeros = zeros && !(l->initial[k] < 0 || l->initial[k] > 0);
    snprintf(name, sizeof name, "%.150s_loop", first);
    snprintf(step_name, sizeof step_name, "%.150s_step", first);
    cj_model *step =
        cj_functional(.inputs_list = e->inputs, .inputs_count = e->input_count + l->state_count,
                      .outputs_list = e->outputs, .outputs_count = e->output_count + l->state_count,
                      .name = step_name);
    if (!step)
        return NULL;
    return cj_recurrent_model(
        cj_model_layer(step), .states = l->state_count, .name = name,
        .initial_values = {zeros ? NULL : l->initial, zeros ? 0 : l->state_count},
        .stateful = b->args.stateful);
}

// Makes the layer, and what its nodes give outside.
static cj_status make_values(cj__nir_builder *b, ends *e)
{
    cj__nir_loop *l = b->loop;
    CJ_TRY(list_ends(b, e));
    if (e->output_count == 0)
        return cj__fail(CJ_BAD_FILE, "nothing comes out of the cycle of node \"%s\"",
                        member(b, l->begin)->name);
    cj_layer *layer = make_layer(b, e);
    CJ_TRY(cj_apply_many(layer, e->outer, e->input_count, e->made, e->output_count));
    for (int i = 0; i < e->output_count; i++) {
        cj_release(b->values[e->nodes[i]]);
        b->values[e->nodes[i]] = cj__own(e->made[i]);
    }
    return CJ_OK;
}

static cj_status make_ends(cj__nir_builder *b)
{
    const size_t count = (size_t)b->graph->count, states = (size_t)b->loop->state_count;
    cj_symbol **symbols = cj__new(4 * count + 2 * states, sizeof *symbols);
    ends e = {.nodes = cj__new(count, sizeof *e.nodes)};
    cj_status status = symbols && e.nodes ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        e.outer = symbols, e.made = symbols + count;
        e.inputs = symbols + 2 * count, e.outputs = e.inputs + count + states;
        status = make_values(b, &e);
    }
    cj__free(symbols);
    cj__free(e.nodes);
    return status;
}

static cj_status make_step(cj__nir_builder *b)
{
    learn_shapes(b);
    CJ_TRY(make_inputs(b));
    for (int i = b->loop->begin; i < b->loop->end; i++)
        CJ_TRY(cj__nir_make_node(b, b->graph->order[i]));
    CJ_TRY(close_cycles(b));
    return make_ends(b);
}

cj_status cj__nir_make_loop(cj__nir_builder *b, int begin, int end)
{
    const size_t count = (size_t)b->graph->count;
    cj_symbol **symbols = cj__new(2 * count, sizeof *symbols);
    cj__nir_loop loop = {.begin = begin, .end = end, .before = symbols, .outer = symbols + count};
    loop.samples = cj__new(count, sizeof *loop.samples);
    cj_status status = symbols && loop.samples ? CJ_OK : CJ_OUT_OF_MEMORY;
    b->loop = &loop;
    if (status == CJ_OK)
        status = make_step(b);
    b->loop = NULL;
    for (size_t i = 0; symbols && loop.samples && i < count; i++) {
        cj_release(loop.before[i]);
        if (loop.outer[i]) {
            cj_release(b->values[i]);
            b->values[i] = loop.outer[i];
        }
    }
    for (int k = 0; k < loop.state_count; k++)
        cj_release(loop.ins[k]), cj_release(loop.nexts[k]);
    cj__free(loop.ins);
    cj__free(loop.nexts);
    cj__free(loop.initial);
    cj__free(loop.samples);
    cj__free(symbols);
    return status;
}
