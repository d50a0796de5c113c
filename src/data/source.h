// Where the samples come from of a data set that does not lie in memory: a *source* reads any sample
// by its number. Stages of a chain are sources over data sets.
//
// A sample is a function of its number and of the *pass* (the number of the epoch) and of nothing
// else: so samples may be read in any order by any number of threads, and a run that is resumed in
// the midst of an epoch has the bits of one that never stopped.
#ifndef CJ_DATA_SOURCE_H
#define CJ_DATA_SOURCE_H

#include "data/dataset.h"
#include "tensor/tensor.h"

typedef struct cj__source cj__source;

// How batches are cut to their longest sample: see cj_dataset_padded_batch().
typedef struct cj__step_cut {
    bool x[CJ_IN_BRACES], y[CJ_IN_BRACES]; // which parts have steps
    int64_t steps, multiple;
    unsigned char padding[CJ_IN_BRACES][8]; // an element of each input
} cj__step_cut;

struct cj__source {
    // Writes sample `index` in pass `pass`: the elements of each part, row major, to its place.
    // Several threads call it at once.
    cj_status (*read)(const cj__source *source, int64_t index, uint64_t pass, void *const *places);
    // Frees the source and what it holds.
    void (*free)(cj__source *source);
    bool is_cheap;           // reading copies memory: threads for it would only take CPUs
    bool has_order;          // the order is part of the data: cj_fit() does not shuffle
    int64_t batch_size;      // that the chain asks for; 0: it does not
    int64_t ahead;           // batches to read ahead; 0: the default
    int threads;             // that read; 0: the default
    const cj__step_cut *cut; // of a chain whose batches have their own length; NULL: they have not
};

// Parts of a sample of any data set: x, then y, then the weights. What they are, without a batch axis;
// their bytes.
cj__type cj__part_type(const cj_dataset *data, int part);
size_t cj__part_bytes(const cj_dataset *data, int part);
// The bytes of `samples` samples, each part of all of them aligned to 64; offsets[i] is where part i
// begins: a list that the caller frees (cj__free). CJ_OUT_OF_MEMORY.
cj_status cj__parts_layout(const cj_dataset *data, int64_t samples, size_t **offsets,
                           size_t *bytes);

// Places for the parts of a sample, or NULL without memory: `few` of CJ__PART_PLACES_FEW where that is enough.
enum { CJ__PART_PLACES_FEW = 16 };
void **cj__part_places(void **few, int count);
void cj__part_places_end(void **places, void **few);

// The parts of a data set over a source, without a batch axis.
typedef struct cj__parts {
    int x_count, y_count, weight_count;
    const cj__type *x, *y, *weights; // NULL weights are scalars
} cj__parts;

// A data set over a source, which it takes over whatever happens. Its tensors are stand-ins: they
// have dtypes and shapes, and their elements are all one zero. NULL with CJ_OUT_OF_MEMORY or
// CJ_INVALID_ARGUMENT (a shape that is none).
cj_dataset *cj__stream_new(cj__source *source, const cj__parts *parts, int64_t count);
// The same with the parts of another data set.
cj_dataset *cj__stream_like(cj__source *source, const cj_dataset *like, int64_t count);

// The source of a data set; NULL if it lies in memory.
const cj__source *cj__dataset_source(const cj_dataset *data);

// Whether reading a sample only copies memory.
static inline bool cj__is_cheap(const cj_dataset *data)
{
    const cj__source *source = cj__dataset_source(data);
    return !source || source->is_cheap;
}

// Writes sample `index` of any data set, as a source does.
cj_status cj__dataset_sample(const cj_dataset *data, int64_t index, uint64_t pass,
                             void *const *places);

// A tensor on the stack over the contiguous samples of a batch, of the type of the data set's tensor
// `like`. Returns it; it is never released.
cj_tensor *cj__batch_tensor(const cj_tensor *like, const void *samples, int64_t count,
                            cj_tensor *tensor);

// Moves the steps of a batch together that its longest sample has, and says how many there are.
void cj__cut_batch(const cj__step_cut *cut, const cj_dataset *data, cj__batch *batch);

// A part of a batch as a tensor on the stack: cj__batch_tensor() with the steps that the batch has.
cj_tensor *cj__batch_part(const cj_dataset *data, const cj__batch *batch, int part,
                          cj_tensor *tensor);

// Copies one entry of a tensor along its first axis, row major.
void cj__tensor_entry(const cj_tensor *tensor, int64_t index, void *to);

#endif
