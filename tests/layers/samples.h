// A sample of every kind of layer, in the order of layers.def: what the battery of tests runs over. A
// new layer is one row in samples.c.
#ifndef CJ_TESTS_LAYERS_SAMPLES_H
#define CJ_TESTS_LAYERS_SAMPLES_H

#include "layers/helpers.h"

typedef struct sample {
    const char *class_name;
    cj_layer *(*make)(void);
    int64_t input[CJ_MAX_RANK], output[CJ_MAX_RANK]; // without the batch axis, ended by 0
    bool any_rank;                                   // no rank is wrong
    double tolerance;                                // of gradients; 0: not checked
} sample;

extern const sample samples[];
extern const size_t sample_count;

// The shape with a batch axis of that length.
cj_shape sample_shape(const int64_t *dims, int64_t batch);
// A symbol for an input with a free batch axis, and a tensor: random numbers, or for a layer of texts
// some texts.
cj_dtype sample_dtype(const sample *sample);
cj_symbol *sample_symbol(const sample *sample);
cj_tensor *sample_tensor(const sample *sample, int64_t batch, uint64_t seed);
// How many inputs of the sample's shape the layer is called with.
int sample_inputs(const cj_layer *layer);
// The sample's layer; fails the test if it cannot be made.
cj_layer *sample_made(const sample *sample);
// A seed that stays when other kinds come: with some numbers an element lies on a kink.
uint64_t sample_seed(const sample *sample);

// The resolved settings of a layer as arguments of a new one, member by member from the table of
// fields; `args` has room for SAMPLE_ARGS_MAX bytes. Strings and layers are those of the layer.
enum { SAMPLE_ARGS_MAX = 2 * CJ__ARGS_MAX };
void sample_args(const cj_layer *layer, void *args);
// The bytes that a field of that kind has in an arguments struct.
size_t sample_field_size(const cj__field *field);

#endif
