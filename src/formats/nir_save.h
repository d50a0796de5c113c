// Writing files of NIR: the applications of a model become nodes one by one.
#ifndef CJ_FORMATS_NIR_SAVE_H
#define CJ_FORMATS_NIR_SAVE_H

#include "formats/hdf5.h"
#include "layers/layer.h"
#include <cajal/nir.h>

// What an application gives, in the terms of NIR.
typedef struct cj__nir_value {
    int *sources; // the nodes whose sum it is; below 0: -1 - the state of a loop (nir_save_loops.c)
    int count;
    cj_shape sample; // channels first, without time
    bool timed;      // the shape here has the axis of time
    bool turned;     // its axes are in NIR's order already
    bool flat;       // it was flattened in the order here, from `before`
    cj_shape before;
    bool padded; // by zeros that the next window takes over
    int64_t padding[2];
    int64_t delay; // zeros before the first step, which a convolution over time takes over
    bool given;    // of a loop's input: there is nothing to write
    bool late;     // of a delay in a loop: it is read one step later
    const struct cj__nir_value *others; // the outputs of a loop after the first
} cj__nir_value;

// An edge that leads back: the state of a loop that it begins at, and the name of its node.
typedef struct cj__nir_back {
    int late;
    const char *to;
} cj__nir_back;

typedef struct cj__nir_saver {
    cj_nir_save_args args;
    double dt;
    bool gathers_whole; // see cj__nir_convention
    cj_model *model;
    const cj__application *applications;
    int count;
    const char *name;      // of the node of the application at hand: its outermost layer's
    cj__nir_value *values; // of each application
    void **blocks;         // what the items point to
    int block_count;
    size_t block_capacity;
    cj__hdf5_item *nodes;
    int node_count;
    size_t node_capacity;
    const char **edges; // pairs
    int edge_count;     // names
    size_t edge_capacity;
    bool looping;               // the applications are those of a loop's step
    const cj__nir_value **late; // of each state that comes back: what it is after the step
    int late_count;
    size_t late_capacity;
    cj__nir_back *back;
    int back_count;
    size_t back_capacity;
} cj__nir_saver;

// A block that lives as long as the saver; zeroed. NULL without memory.
void *cj__nir_block(cj__nir_saver *s, size_t count, size_t size);
// A copy of a text, likewise.
const char *cj__nir_copy(cj__nir_saver *s, const char *text);

// A node under construction: room for a handful of members.
enum { CJ__NIR_MEMBERS = 12 };
typedef struct cj__nir_item {
    cj__hdf5_item members[CJ__NIR_MEMBERS];
    int count;
    bool failed;
} cj__nir_item;

void cj__nir_put_text(cj__nir_saver *s, cj__nir_item *item, const char *name, const char *text);
void cj__nir_put_whole(cj__nir_saver *s, cj__nir_item *item, const char *name,
                       const int64_t *values,
                       int count); // count 0: a single number
void cj__nir_put_floats(cj__nir_saver *s, cj__nir_item *item, const char *name, float *values,
                        const cj_shape *shape);
// Adds the node with edges from the sources of `from`; `value` becomes what comes from it.
cj_status cj__nir_add(cj__nir_saver *s, const char *name, cj__nir_item *item,
                      const cj__nir_value *from, cj__nir_value *value);
// The item of a node; its name is set by the caller.
cj_status cj__nir_close(cj__nir_saver *s, cj__nir_item *item, cj__hdf5_item *group);

// Numbers of a sample that lie in the order here, turned to NIR's.
float *cj__nir_turned(cj__nir_saver *s, const float *values, const cj_shape *sample);
// The float32 elements of a variable of a layer, by the end of its name; NULL if there is none.
const float *cj__nir_elements(const cj_layer *layer, const char *name);
// "dense: <sentence>", CJ_UNSUPPORTED.
cj_status cj__nir_cannot(const cj_layer *layer, const char *format, ...) CJ_PRINTF(2, 3);

// A layer's node; `x` is what comes to it, `y` has the shape of what comes out (nir_save_layers.c).
cj_status cj__nir_save_layer(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                             cj__nir_value *y);
bool cj__nir_is_neuron(const cj_layer *layer);
// A convolution over time whose kernels are 1 in one place, with zeros before the first step alone.
cj_status cj__nir_save_delays(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                              cj__nir_value *y);
cj_status cj__nir_save_zeros_before(cj_layer *layer, const cj__nir_value *x, cj__nir_value *y);
// What comes to an application.
const cj__nir_value *cj__nir_value_of(const cj__nir_saver *s, const cj__application *a, int input);
cj_status cj__nir_save_application(cj__nir_saver *s, int index, bool timed_input);
cj_status cj__nir_sample_of(const cj_layer *layer, const cj_shape *shape, bool timed,
                            cj_shape *sample);
cj_status cj__nir_add_edge(cj__nir_saver *s, const char *from, const char *to);
// nir_save_loops.c: a RecurrentModel; an edge from such a source; all of them, at the end.
cj_status cj__nir_save_loop(cj__nir_saver *s, const cj__application *a, cj__nir_value *y);
cj_status cj__nir_edge_back(cj__nir_saver *s, int source, const char *to);
cj_status cj__nir_end_loops(cj__nir_saver *s);
// nir_save_neurons.c
cj_status cj__nir_save_neuron(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                              cj__nir_value *y);

#endif
