// The graph of a NIR file: nodes of nested graphs as one list, edges between them, and an order in
// which they can be made.
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/nir.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16, EDGES_MAX = 1 << 22 };

cj_status cj__nir_text(cj__hdf5 *file, const cj__hdf5_object *group, const char *name, char **text)
{
    char **texts = NULL;
    const cj__hdf5_object *object = cj__hdf5_find(group, name);
    *text = NULL;
    if (!object || object->kind != CJ__HDF5_TEXT || object->count != 1)
        return cj__fail(CJ_BAD_FILE, "there is no text \"%s\"", name);
    CJ_TRY(cj__hdf5_texts(file, object, &texts));
    *text = texts[0];
    cj__free(texts);
    return CJ_OK;
}

// ---- Nodes ----

static cj_status find_kind(const char *type, const cj__nir_kind **kind)
{
    int count = 0;
    for (; cj__nir_kinds[count].type; count++)
        if (strcmp(cj__nir_kinds[count].type, type) == 0) {
            *kind = &cj__nir_kinds[count];
            return CJ_OK;
        }
    return cj__fail_unknown(CJ_BAD_FILE, "type of node", type, &cj__nir_kinds[0].type,
                            sizeof cj__nir_kinds[0], count);
}

// Takes `name` over.
static cj_status add_node(cj__nir_graph *g, char *name, const cj__nir_kind *kind,
                          const cj__hdf5_object *object, bool outermost)
{
    if (!cj__reserve((void **)&g->nodes, &g->capacity, (size_t)g->count + 1, sizeof *g->nodes)) {
        cj__free(name);
        return CJ_OUT_OF_MEMORY;
    }
    g->nodes[g->count++] = (cj__nir_node){.name = name,
                                          .object = object,
                                          .kind = kind,
                                          .outermost = outermost && kind->is_end,
                                          .gone = !outermost && kind->is_end};
    return CJ_OK;
}

static cj_status add_edge(cj__nir_graph *g, int from, int to)
{
    if (g->edge_count == EDGES_MAX)
        return cj__fail(CJ_UNSUPPORTED, "more than %d edges", EDGES_MAX);
    if (!cj__reserve((void **)&g->edges, &g->edge_capacity, (size_t)g->edge_count + 1,
                     sizeof *g->edges))
        return CJ_OUT_OF_MEMORY;
    g->edges[g->edge_count++] = (cj__nir_edge){from, to};
    return CJ_OK;
}

// ---- Graphs ----

// Where edges to a node of a graph lead, and where those from it begin. A graph that has not one
// input, or not one output, has -1 there.
typedef struct ports {
    int enter, leave;
} ports;

static cj_status read_graph(cj__nir_graph *g, const cj__hdf5_object *group, const char *prefix,
                            int depth, ports *outer);

static bool is_type(const cj__nir_node *node, const char *type)
{
    return strcmp(node->kind->type, type) == 0;
}

static cj_status read_node(cj__nir_graph *g, const cj__hdf5_object *group, const char *prefix,
                           int depth, ports *p)
{
    cj__text path = {0};
    char *type = NULL;
    const cj__nir_kind *kind = NULL;
    cj__text_add(&path, "%s%s", prefix, group->name);
    cj_status status = cj__text_status(&path);
    if (status == CJ_OK)
        status = group->kind == CJ__HDF5_GROUP ? cj__nir_text(g->file, group, "type", &type) :
                                                 cj__fail(CJ_BAD_FILE, "it is no group");
    if (status == CJ_OK && strcmp(type, "NIRGraph") == 0) {
        cj__text_add(&path, ".");
        status = path.failed ? CJ_OUT_OF_MEMORY : read_graph(g, group, path.data, depth + 1, p);
    } else if (status == CJ_OK && (status = find_kind(type, &kind)) == CJ_OK) {
        p->enter = p->leave = g->count;
        status = add_node(g, path.data, kind, group, depth == 0);
        path.data = NULL;
    }
    cj__free(type);
    cj__free(path.data);
    return status == CJ_OK ? CJ_OK : cj__fail_in(status, "node \"%s\"", group->name);
}

// The one node of that type among the first nodes; -1 if there are none or several.
static int only(const cj__nir_graph *g, const ports *members, int count, const char *type)
{
    int found = -1, number = 0;
    for (int i = 0; i < count; i++)
        if (members[i].enter >= 0 && members[i].enter == members[i].leave &&
            is_type(&g->nodes[members[i].enter], type))
            found = members[i].enter, number++;
    return number == 1 ? found : -1;
}

static cj_status resolve(const cj__hdf5_object *nodes, const ports *members, const char *name,
                         bool target, int *index)
{
    const cj__hdf5_object *found = cj__hdf5_find(nodes, name);
    if (!found)
        return cj__fail(CJ_BAD_FILE, "an edge names the node \"%.200s\", which is not there", name);
    const ports *p = &members[found - nodes->members];
    *index = target ? p->enter : p->leave;
    return *index >= 0 ?
               CJ_OK :
               cj__fail(CJ_UNSUPPORTED, "an edge %s the graph \"%.200s\", which has not one %s",
                        target ? "leads to" : "begins at", name, target ? "Input" : "Output");
}

static cj_status read_edges(cj__nir_graph *g, const cj__hdf5_object *group,
                            const cj__hdf5_object *nodes, const ports *members)
{
    const cj__hdf5_object *edges = cj__hdf5_find(group, "edges");
    char **names = NULL;
    if (edges && edges->kind != CJ__HDF5_GROUP && edges->count == 0)
        return CJ_OK;
    if (!edges || edges->kind != CJ__HDF5_TEXT || edges->rank != 2 || edges->dims[1] != 2)
        return cj__fail(CJ_BAD_FILE, "its \"edges\" are no pairs of names");
    CJ_TRY(cj__hdf5_texts(g->file, edges, &names));
    cj_status status = CJ_OK;
    for (uint64_t i = 0; status == CJ_OK && i < edges->count; i += 2) {
        int from = -1, to = -1;
        status = resolve(nodes, members, names[i], false, &from);
        if (status == CJ_OK)
            status = resolve(nodes, members, names[i + 1], true, &to);
        if (status == CJ_OK)
            status = add_edge(g, from, to);
    }
    cj__free(names[0]);
    cj__free(names);
    return status;
}

static cj_status read_graph(cj__nir_graph *g, const cj__hdf5_object *group, const char *prefix,
                            int depth, ports *outer)
{
    const cj__hdf5_object *nodes = cj__hdf5_find(group, "nodes");
    if (depth > DEPTH_MAX)
        return cj__fail(CJ_UNSUPPORTED, "graphs within more than %d graphs", DEPTH_MAX);
    if (!nodes || nodes->kind != CJ__HDF5_GROUP)
        return cj__fail(CJ_BAD_FILE, "the graph has no group \"nodes\"");
    ports *members = cj__new((size_t)nodes->member_count, sizeof *members);
    cj_status status = members ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; status == CJ_OK && i < nodes->member_count; i++)
        status = read_node(g, &nodes->members[i], prefix, depth, &members[i]);
    if (status == CJ_OK)
        status = read_edges(g, group, nodes, members);
    if (status == CJ_OK) {
        outer->enter = only(g, members, nodes->member_count, "Input");
        outer->leave = only(g, members, nodes->member_count, "Output");
    }
    cj__free(members);
    return status;
}

// ---- Inner ends, recurrences ----

static int compare_edges(const void *a, const void *b)
{
    const cj__nir_edge *x = a, *y = b;
    return x->to != y->to ? (x->to > y->to) - (x->to < y->to) :
                            (x->from > y->from) - (x->from < y->from);
}

// Sorts the edges, which must be there once, and leaves out those of nodes that are gone.
static cj_status tidy(cj__nir_graph *g)
{
    int kept = 0;
    for (int i = 0; i < g->edge_count; i++)
        if (!g->nodes[g->edges[i].from].gone && !g->nodes[g->edges[i].to].gone)
            g->edges[kept++] = g->edges[i];
    g->edge_count = kept;
    if (kept > 0)
        qsort(g->edges, (size_t)kept, sizeof *g->edges, compare_edges);
    for (int i = 1; i < kept; i++)
        if (compare_edges(&g->edges[i - 1], &g->edges[i]) == 0)
            return cj__fail(CJ_BAD_FILE, "there are two edges from \"%s\" to \"%s\"",
                            g->nodes[g->edges[i].from].name, g->nodes[g->edges[i].to].name);
    return CJ_OK;
}

// Each edge to an inner end is led on to all that the end leads to.
static cj_status lead_past(cj__nir_graph *g, int end)
{
    const int edges = g->edge_count;
    for (int i = 0; i < edges; i++)
        for (int k = 0; g->edges[i].to == end && k < edges; k++)
            if (g->edges[k].from == end && g->edges[i].from != end)
                CJ_TRY(add_edge(g, g->edges[i].from, g->edges[k].to));
    int kept = 0;
    for (int i = 0; i < g->edge_count; i++)
        if (g->edges[i].from != end && g->edges[i].to != end)
            g->edges[kept++] = g->edges[i];
    g->edge_count = kept;
    return CJ_OK;
}

// Of each node the number of edges to it and from it, and the other end of one of them.
typedef struct ends {
    int in, source, out, target;
} ends;

static void count_ends(const cj__nir_graph *g, ends *of)
{
    for (int i = 0; i < g->edge_count; i++) {
        const cj__nir_edge e = g->edges[i];
        of[e.to].in++, of[e.to].source = e.from;
        of[e.from].out++, of[e.from].target = e.to;
    }
}

// Spikes that come back to their neurons become a setting of these.
static cj_status take_recurrences(cj__nir_graph *g)
{
    ends *of = cj__new((size_t)g->count, sizeof *of);
    if (!of)
        return CJ_OUT_OF_MEMORY;
    count_ends(g, of);
    for (int i = 0; i < g->count; i++) {
        if (!g->nodes[i].kind->returns || of[i].in != 1 || of[i].out != 1 ||
            of[i].source != of[i].target)
            continue;
        cj__nir_node *neuron = &g->nodes[of[i].source];
        if (!neuron->kind->recurs || neuron->returns)
            continue;
        neuron->returns = &g->nodes[i];
        g->nodes[i].gone = true;
    }
    cj__free(of);
    for (int i = 0; i < g->edge_count; i++) {
        const cj__nir_edge edge = g->edges[i];
        cj__nir_node *neuron = &g->nodes[edge.to];
        if (edge.from != edge.to || !neuron->kind->recurs || neuron->returns || neuron->loops)
            continue;
        neuron->loops = true;
        g->edges[i--] = g->edges[--g->edge_count];
    }
    return tidy(g);
}

// ---- The order ----

static cj_status list_inputs(cj__nir_graph *g)
{
    for (int i = 0; i < g->edge_count; i++)
        g->nodes[g->edges[i].to].input_count++;
    for (int i = 0; i < g->count; i++) {
        cj__nir_node *node = &g->nodes[i];
        node->inputs = cj__new((size_t)node->input_count, sizeof *node->inputs);
        if (!node->inputs)
            return CJ_OUT_OF_MEMORY;
        node->input_count = 0;
    }
    for (int i = 0; i < g->edge_count; i++) {
        cj__nir_node *to = &g->nodes[g->edges[i].to];
        to->inputs[to->input_count++] = g->edges[i].from;
    }
    return CJ_OK;
}

static int compare_sources(const void *a, const void *b)
{
    const cj__nir_edge *x = a, *y = b;
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from) :
                                (x->to > y->to) - (x->to < y->to);
}

// Each node as soon as all that lead to it are done; `next` counts what it waits for.
static cj_status sort(cj__nir_graph *g, int *first_edge)
{
    qsort(g->edges, (size_t)g->edge_count, sizeof *g->edges, compare_sources);
    for (int i = 0, edge = 0; i <= g->count; i++) {
        while (edge < g->edge_count && g->edges[edge].from < i)
            edge++;
        first_edge[i] = edge;
    }
    for (int i = 0; i < g->count; i++) {
        g->nodes[i].next = g->nodes[i].input_count;
        if (g->nodes[i].next == 0 && !g->nodes[i].gone)
            g->order[g->order_count++] = i;
    }
    for (int done = 0; done < g->order_count; done++) {
        const int node = g->order[done];
        for (int k = first_edge[node]; k < first_edge[node + 1]; k++)
            if (--g->nodes[g->edges[k].to].next == 0)
                g->order[g->order_count++] = g->edges[k].to;
    }
    return CJ_OK;
}

static cj_status order(cj__nir_graph *g)
{
    int alive = 0;
    for (int i = 0; i < g->count; i++)
        alive += !g->nodes[i].gone;
    CJ_TRY(list_inputs(g));
    int *first_edge = cj__new((size_t)g->count + 2, sizeof *first_edge);
    g->order = cj__new((size_t)g->count + 1, sizeof *g->order);
    cj_status status = first_edge && g->order ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && g->edge_count > 0)
        status = sort(g, first_edge);
    if (status == CJ_OK && g->edge_count > 0 && g->order_count != alive)
        status = cj__nir_order_cycles(g, first_edge);
    cj__free(first_edge);
    return status;
}

// ---- All ----

static cj_status check_ends(const cj__nir_graph *g)
{
    int inputs = 0, outputs = 0;
    for (int i = 0; i < g->count; i++) {
        const cj__nir_node *node = &g->nodes[i];
        const bool is_input = is_type(node, "Input");
        inputs += node->outermost && is_input;
        outputs += node->outermost && !is_input;
        if (is_input && node->outermost && node->input_count > 0)
            return cj__fail(CJ_BAD_FILE, "an edge leads to the Input \"%s\"", node->name);
        if (!is_input && !node->gone && node->input_count == 0)
            return cj__fail(CJ_BAD_FILE, "no edge leads to node \"%s\" (%s)", node->name,
                            node->kind->type);
    }
    if (inputs == 0 || outputs == 0)
        return cj__fail(CJ_BAD_FILE, "the graph has no %s", inputs == 0 ? "Input" : "Output");
    return CJ_OK;
}

cj_status cj__nir_read_graph(cj__hdf5 *file, cj__nir_graph *g)
{
    const cj__hdf5_object *root = cj__hdf5_find(&file->root, "node");
    char *type = NULL;
    ports unused;
    *g = (cj__nir_graph){.file = file, .dt = g->dt};
    if (!root || root->kind != CJ__HDF5_GROUP)
        return cj__fail(CJ_UNSUPPORTED, "an HDF5 file without a group \"node\" is not one of NIR, "
                                        "and other HDF5 files are not read as models");
    CJ_TRY(cj__nir_text(file, root, "type", &type));
    const bool is_graph = strcmp(type, "NIRGraph") == 0;
    cj__free(type);
    if (!is_graph)
        return cj__fail(CJ_UNSUPPORTED, "the file has a single node, and no graph");
    CJ_TRY(read_graph(g, root, "", 0, &unused));
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i].gone)
            CJ_TRY(lead_past(g, i));
    CJ_TRY(tidy(g));
    CJ_TRY(take_recurrences(g));
    CJ_TRY(order(g));
    return check_ends(g);
}

void cj__nir_free_graph(cj__nir_graph *g)
{
    for (int i = 0; i < g->count; i++) {
        cj__free(g->nodes[i].name);
        cj__free(g->nodes[i].inputs);
        cj__free(g->nodes[i].late);
    }
    cj__free(g->nodes);
    cj__free(g->edges);
    cj__free(g->order);
    *g = (cj__nir_graph){0};
}
