// Cycles of a NIR graph: which nodes belong together, and in which order they are made in a step.
//
// The nodes of a strongly connected component are run together, a step at a time. What comes back is
// read one step later: of the nodes to which something leads that is there already, the first by name
// reads all else that leads to it late, and so on until each node has its turn. This is nirtorch's
// rule. A node that delays by a step or more is late by itself: it is read before it is written.
#include "base/error.h"
#include "base/memory.h"
#include "formats/nir.h"

#include <math.h>
#include <string.h>

// Nodes and edges of one component: what is done with them takes time that grows with their product.
enum { NODES_MAX = 1024, INNER_EDGES_MAX = 16384 };

// ---- Components: Tarjan's algorithm, without recursion ----

typedef struct tarjan {
    const cj__nir_graph *g;
    const int *first_edge; // of each node, among the edges by source
    int *number, *low;     // the order of the visit, from 1; 0: not yet
    int *edge;             // the next edge to follow
    int *path, depth;      // the nodes that are being visited
    int *open, open_count; // the nodes whose component is not known yet
    bool *is_open;
    int visited, components;
} tarjan;

static void enter(tarjan *t, int node)
{
    t->number[node] = t->low[node] = ++t->visited;
    t->edge[node] = t->first_edge[node];
    t->path[t->depth++] = node;
    t->open[t->open_count++] = node;
    t->is_open[node] = true;
}

static void leave(tarjan *t, int node)
{
    t->depth--;
    if (t->depth > 0 && t->low[node] < t->low[t->path[t->depth - 1]])
        t->low[t->path[t->depth - 1]] = t->low[node];
    if (t->low[node] != t->number[node])
        return;
    int member;
    do {
        member = t->open[--t->open_count];
        t->is_open[member] = false;
        t->g->nodes[member].component = t->components;
    } while (member != node);
    t->components++;
}

static void visit(tarjan *t, int root)
{
    enter(t, root);
    while (t->depth > 0) {
        const int node = t->path[t->depth - 1];
        if (t->edge[node] == t->first_edge[node + 1]) {
            leave(t, node);
            continue;
        }
        const int to = t->g->edges[t->edge[node]++].to;
        if (t->number[to] == 0)
            enter(t, to);
        else if (t->is_open[to] && t->number[to] < t->low[node])
            t->low[node] = t->number[to];
    }
}

// Numbers the components of all nodes; -1 without memory.
static int find_components(const cj__nir_graph *g, const int *first_edge)
{
    const size_t count = (size_t)g->count;
    int *numbers = cj__new(5 * count, sizeof *numbers);
    bool *is_open = cj__new(count, sizeof *is_open);
    tarjan t = {.g = g, .first_edge = first_edge, .components = -1, .is_open = is_open};
    if (numbers && is_open) {
        t.number = numbers, t.low = numbers + count, t.edge = numbers + 2 * count;
        t.path = numbers + 3 * count, t.open = numbers + 4 * count;
        t.components = 0;
        for (int i = 0; i < g->count; i++)
            if (t.number[i] == 0)
                visit(&t, i);
    }
    cj__free(numbers);
    cj__free(is_open);
    return t.components;
}

// ---- Cycles ----

static bool is_inner(const cj__nir_graph *g, const cj__nir_node *node, int k)
{
    return g->nodes[node->inputs[k]].component == node->component;
}

// Marks the nodes of cycles, and checks the size of their components.
static cj_status mark_cycles(const cj__nir_graph *g, int components)
{
    int *sizes = cj__new(2 * (size_t)components, sizeof *sizes), *inner = sizes + components;
    cj_status status = sizes ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; sizes && i < g->count; i++) {
        cj__nir_node *node = &g->nodes[i];
        sizes[node->component]++;
        for (int k = 0; k < node->input_count; k++)
            inner[node->component] += is_inner(g, node, k);
    }
    for (int i = 0; status == CJ_OK && i < g->count; i++) {
        cj__nir_node *node = &g->nodes[i];
        node->cyclic = inner[node->component] > 0;
        if (!node->cyclic)
            continue;
        if (sizes[node->component] > NODES_MAX || inner[node->component] > INNER_EDGES_MAX)
            status = cj__fail(CJ_UNSUPPORTED,
                              "node \"%s\" is part of cycles of %d nodes and %d edges; %d and %d "
                              "are possible",
                              node->name, sizes[node->component], inner[node->component],
                              (int)NODES_MAX, (int)INNER_EDGES_MAX);
        else if (node->kind->is_end)
            status = cj__fail(CJ_BAD_FILE, "an edge leads from or to the wrong side of \"%s\"",
                              node->name);
        else if (!(node->late = cj__new((size_t)node->input_count, sizeof *node->late)))
            status = CJ_OUT_OF_MEMORY;
    }
    cj__free(sizes);
    return status;
}

// Whether a node delays by a step at least, all of it.
static cj_status mark_delay(const cj__nir_graph *g, cj__nir_node *node)
{
    const cj__hdf5_object *delay = cj__hdf5_find(node->object, "delay");
    double *numbers = NULL;
    if (strcmp(node->kind->type, "Delay") != 0 || !delay || delay->kind == CJ__HDF5_GROUP)
        return CJ_OK; // where it has none, that is told when it is made
    const cj_status status = cj__hdf5_numbers(g->file, delay, &numbers);
    if (status != CJ_OK)
        return cj__fail_in(status, "node \"%.200s\"", node->name);
    node->delays = delay->count > 0;
    for (uint64_t i = 0; i < delay->count; i++)
        node->delays = node->delays && round(numbers[i] / g->dt) >= 1;
    cj__free(numbers);
    return CJ_OK;
}

// ---- The order ----

// Whether all that leads to a node is done or read late; `begun`: whether some of it is done.
static bool is_ready(const cj__nir_graph *g, const cj__nir_node *node, bool *begun)
{
    bool ready = true;
    *begun = false;
    for (int k = 0; k < node->input_count; k++) {
        const bool done = g->nodes[node->inputs[k]].placed;
        *begun = *begun || done;
        ready = ready && (done || node->late[k]);
    }
    return ready;
}

// The next node of a component: one that is ready, else the first by name that something leads to,
// which reads the rest late. Returns -1 if nothing leads to any.
static int next_node(const cj__nir_graph *g, const int *members, int count)
{
    int found = -1;
    for (int i = 0; i < count; i++) {
        const cj__nir_node *node = &g->nodes[members[i]];
        bool begun;
        if (node->placed)
            continue;
        if (is_ready(g, node, &begun))
            return members[i];
        if (begun && (found < 0 || strcmp(node->name, g->nodes[found].name) < 0))
            found = members[i];
    }
    for (int k = 0; found >= 0 && k < g->nodes[found].input_count; k++)
        if (!g->nodes[g->nodes[found].inputs[k]].placed)
            g->nodes[found].late[k] = true;
    return found;
}

static void place(cj__nir_graph *g, int node)
{
    g->nodes[node].placed = true;
    g->order[g->order_count++] = node;
}

// Places a component all of whose inputs are done.
static cj_status place_component(cj__nir_graph *g, const int *members, int count)
{
    if (!g->nodes[members[0]].cyclic) {
        place(g, members[0]);
        return CJ_OK;
    }
    for (int i = 0; i < count; i++) {
        cj__nir_node *node = &g->nodes[members[i]];
        for (int k = 0; k < node->input_count; k++)
            node->late[k] = is_inner(g, node, k) && g->nodes[node->inputs[k]].delays;
    }
    for (int i = 0; i < count; i++) {
        const int node = next_node(g, members, count);
        if (node < 0)
            return cj__fail(CJ_BAD_FILE, "nothing leads to the cycle of node \"%s\"",
                            g->nodes[members[0]].name);
        place(g, node);
    }
    return CJ_OK;
}

// What orders components: the nodes of each, and the edges that it waits for.
typedef struct queue {
    int *first, *members; // members[first[c]] to members[first[c + 1] - 1], by number
    int *waiting, *ready, ready_count;
} queue;

static void fill(const cj__nir_graph *g, int components, queue *q)
{
    for (int i = 0; i < g->count; i++)
        q->first[g->nodes[i].component + 1]++;
    for (int c = 0; c < components; c++)
        q->first[c + 1] += q->first[c];
    for (int i = 0; i < g->count; i++) { // at first, waiting counts what has been filled in
        const int c = g->nodes[i].component;
        q->members[q->first[c] + q->waiting[c]++] = i;
    }
    memset(q->waiting, 0, (size_t)components * sizeof *q->waiting);
    for (int i = 0; i < g->count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++)
            q->waiting[g->nodes[i].component] += !is_inner(g, &g->nodes[i], k);
    for (int i = 0; i < g->count; i++) {
        const int c = g->nodes[i].component;
        if (q->waiting[c] == 0 && i == q->members[q->first[c]])
            q->ready[q->ready_count++] = c;
    }
}

static cj_status place_all(cj__nir_graph *g, const int *first_edge, queue *q)
{
    g->order_count = 0;
    for (int done = 0; done < q->ready_count; done++) {
        const int c = q->ready[done], count = q->first[c + 1] - q->first[c];
        const int *members = q->members + q->first[c];
        if (!g->nodes[members[0]].gone)
            CJ_TRY(place_component(g, members, count));
        for (int i = 0; i < count; i++)
            for (int e = first_edge[members[i]]; e < first_edge[members[i] + 1]; e++) {
                const int to = g->nodes[g->edges[e].to].component;
                if (to != c && --q->waiting[to] == 0)
                    q->ready[q->ready_count++] = to;
            }
    }
    return CJ_OK;
}

cj_status cj__nir_order_cycles(cj__nir_graph *g, const int *first_edge)
{
    const int components = find_components(g, first_edge);
    if (components < 0)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(mark_cycles(g, components));
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i].cyclic)
            CJ_TRY(mark_delay(g, &g->nodes[i]));
    const size_t count = (size_t)components;
    int *block = cj__new(3 * count + 1 + (size_t)g->count, sizeof *block);
    queue q = {.first = block,
               .waiting = block + count + 1,
               .ready = block + 2 * count + 1,
               .members = block + 3 * count + 1};
    if (!block)
        return CJ_OUT_OF_MEMORY;
    fill(g, components, &q);
    const cj_status status = place_all(g, first_edge, &q);
    cj__free(block);
    return status;
}
