// Files of NIR (include/cajal/nir.h): the graph of a file, and what its nodes become.
//
// A file has "version" and the group "node", whose "type" is "NIRGraph", with the groups of "nodes",
// each with a "type" and its parameters, and with "edges", pairs of names. Graphs may be nodes of
// graphs; here all is one flat graph, in which a node of a graph "rnn" is called "rnn.lif", and the
// inner inputs and outputs are gone: an edge leads to what was behind them.
#ifndef CJ_FORMATS_NIR_H
#define CJ_FORMATS_NIR_H

#include "formats/hdf5_parts.h"
#include "layers/layer.h"
#include <cajal/nir.h>

typedef struct cj__nir_builder cj__nir_builder;
typedef struct cj__nir_node cj__nir_node;
typedef struct cj__nir_loop cj__nir_loop;

// A type of nodes.
typedef struct cj__nir_kind {
    const char *type;
    bool is_end;  // an Input or Output
    bool recurs;  // neurons whose spikes may come back to them, ...
    bool returns; // ... through such a node
    // What the node makes of x (batch, time, ...): floating or x itself; NULL after a failure.
    cj_symbol *(*make)(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x);
} cj__nir_kind;

// nir_nodes.c: all types, ended by one without a name.
extern const cj__nir_kind cj__nir_kinds[];

struct cj__nir_node {
    char *name;
    const cj__hdf5_object *object; // its parameters
    const cj__nir_kind *kind;
    bool outermost;                 // an Input or Output of the model
    bool gone;                      // an inner end, or a node that is part of a neuron's recurrence
    int *inputs, input_count, next; // the nodes that lead here
    const cj__nir_node *returns;    // the node by which spikes come back, ...
    bool loops;                     // ... or directly
    // Of a graph with other cycles (nir_cycles.c):
    int component; // of the nodes that lead to one another
    bool cyclic;   // it is part of a cycle
    bool delays;   // what it gives in a step came to it in a step before
    bool placed;   // it is in the order
    bool *late;    // of a cyclic node: the inputs that are read one step later
};

typedef struct cj__nir_edge {
    int from, to;
} cj__nir_edge;

typedef struct cj__nir_graph {
    cj__hdf5 *file;
    cj__nir_node *nodes;
    int count;
    size_t capacity;
    cj__nir_edge *edges;
    int edge_count;
    size_t edge_capacity;
    int *order; // of the nodes that are to be made: each after its inputs
    int order_count;
    double dt; // to be set before it is read
} cj__nir_graph;

// nir_save.c: with the defaults.
cj_status cj__nir_save(cj_model *model, cj__sink *sink);

// nir_graph.c: reads the graph of a file and orders it.
cj_status cj__nir_read_graph(cj__hdf5 *file, cj__nir_graph *graph);
void cj__nir_free_graph(cj__nir_graph *graph);
// nir_cycles.c: the order of a graph with cycles. first_edge: of each node, among the edges by source.
cj_status cj__nir_order_cycles(cj__nir_graph *graph, const int *first_edge);
// The text of a dataset with one: cj__free(). CJ_BAD_FILE if it is not there or none.
cj_status cj__nir_text(cj__hdf5 *file, const cj__hdf5_object *group, const char *name, char **text);

// What a library means: a row for each preset.
typedef struct cj__nir_convention {
    const char *preset; // of spiking.h, too
    double dt;
    bool gathers_whole; // an integrator gathers r x in a step, not dt r x
    bool jumps_whole;   // the current of a synapse gains w_in x, not dt / tau_syn w_in x
} cj__nir_convention;

// A weight that is set when the model is whole.
typedef struct cj__nir_weight {
    cj_variable *variable; // held
    cj_tensor *value;      // owned
} cj__nir_weight;

struct cj__nir_builder {
    cj__nir_graph *graph;
    cj_nir_args args;
    cj__nir_convention as;
    double dt;
    cj_symbol **values; // of each node, held
    cj__nir_loop *loop; // whose step is being made; NULL for none
    cj__nir_weight *weights;
    int weight_count;
    size_t weight_capacity;
};

// nir_nodes.c
// Applies a layer to x; NULL after a failure.
cj_symbol *cj__nir_apply(cj__nir_builder *b, cj_layer *layer, cj_symbol *x);
// y, or NULL where what followed it failed, and then y is dropped.
cj_symbol *cj__nir_made(cj_symbol *y, cj_status status);
// Sets a weight of a layer, by the end of its name, to numbers in the order of the weight: float32.
// Takes `numbers` over.
cj_status cj__nir_set(cj__nir_builder *b, const cj_layer *layer, const char *name, double *numbers);
// The axes of a sample as NIR has them: channels first. Without batch and time.
void cj__nir_sample(const cj_symbol *x, cj_shape *sample);
// The place among those of a sample of NIR of the element that is at `index` here.
int64_t cj__nir_place(const cj_shape *sample, int64_t index);
// A parameter; NULL, with a failure unless `needed` is false, if there is none.
const cj__hdf5_object *cj__nir_parameter(const cj__nir_node *node, const char *name, bool needed);
// Its numbers as they are in the file: cj__free().
cj_status cj__nir_numbers(cj__nir_builder *b, const cj__nir_node *node, const char *name,
                          const cj__hdf5_object **object, double **numbers);
// Takes memory for so many numbers that are not in the file, each of 8 bytes, off what a file of its size
// may ask for.
cj_status cj__nir_afford(cj__nir_builder *b, const cj__nir_node *node, int64_t elements);
// One or two whole numbers, or the same twice.
cj_status cj__nir_pair(cj__nir_builder *b, const cj__nir_node *node, const char *name,
                       int64_t *pair);
// "fc": <sentence>. Returns NULL.
cj_symbol *cj__nir_refuse(const cj__nir_node *node, cj_status status, const char *format, ...)
    CJ_PRINTF(3, 4);

// nir_load.c: makes one node of what leads to it.
cj_status cj__nir_make_node(cj__nir_builder *b, int index);
// nir_loops.c: makes the nodes order[begin] to order[end - 1], a component with cycles.
cj_status cj__nir_make_loop(cj__nir_builder *b, int begin, int end);
// In a loop: what the node gave in the step before.
cj_symbol *cj__nir_before(const cj__nir_builder *b, int node);
// In a loop: applies a layer that is given its state and gives it out, so many of such shapes without
// the batch axis.
cj_symbol *cj__nir_apply_state(cj__nir_builder *b, cj_layer *layer, cj_symbol *x, int states,
                               const cj_shape *shape, const double *initial);

// The equation of a product with so many matrices' axes before the matrix, and its result's letters.
enum { CJ__NIR_EQUATION = 64 };
void cj__nir_equation(int before, char equation[CJ__NIR_EQUATION], char result[CJ_MAX_RANK]);

// nir_neurons.c: the neurons, and Threshold and Delay; nir_windows.c: convolutions and pools.
cj_symbol *cj__nir_make_neuron(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x);
cj_symbol *cj__nir_make_delay(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x);
cj_symbol *cj__nir_make_conv1d(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x);
cj_symbol *cj__nir_make_conv2d(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x);
cj_symbol *cj__nir_make_pool(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x);

#endif
