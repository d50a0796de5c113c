// Pictures in SVG, and spikes and membranes of one layer as a part of one.
#ifndef CJ_EXPLAIN_PLOT_SPIKES_H
#define CJ_EXPLAIN_PLOT_SPIKES_H

#include <cajal/tensor.h>

// A tensor as (steps, neurons): the first sample of (batch, steps, ...), or (steps, neurons) itself.
typedef struct cj__spike_record {
    const cj_tensor *tensor;
    int64_t steps, neurons;
} cj__spike_record;

// CJ_SHAPE_MISMATCH for a tensor that is no such thing.
cj_status cj__spike_record_of(const cj_tensor *tensor, const char *what, cj__spike_record *record);

void cj__svg_begin(FILE *stream, double high);
cj_status cj__svg_end(FILE *stream);
// Text of a picture: what has a meaning there is written as an entity, what may not stand there as '?'.
void cj__svg_text(const char *text, FILE *stream);

// One part: its height, and the part itself, which begins at `top`. Spikes or membranes may be NULL.
double cj__spikes_height(const cj__spike_record *spikes, const cj__spike_record *membranes,
                         int64_t rows, int64_t traces);
void cj__spikes_draw(FILE *stream, double top, const char *title, const cj__spike_record *spikes,
                     const cj__spike_record *membranes, int64_t rows, int64_t traces);

#endif
