// The batch reader: see dataset.h for what it promises.
//
// cj__reader_next() gathers the samples of a batch in one buffer, which every batch uses. While it
// copies a batch it prefetches the samples of the next one, which may lie anywhere in the data set:
// they arrive in the cache while the step runs.
#include "data/ahead.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "data/timeline.h"
#include <assert.h>
#include <string.h>

// The bytes of a sample that are prefetched: the processor fetches what follows them by itself.
enum { LINE = 64, PREFETCH_MAX = 1024 };

// One tensor of the data set, as the reader sees it.
typedef struct part {
    const cj_tensor *tensor;
    size_t element_size, sample_bytes, step_bytes; // from sample to sample in the tensor
    bool dense;                                    // each sample is contiguous
    bool view;     // and samples follow each other without gaps: an ordered pass needs no copy
    size_t offset; // of this part in `gathered`
} part;

struct cj__reader {
    cj_dataset *data; // held
    int64_t batch_size, batches;
    part *parts;
    const void **given; // of the current batch: see cj__batch.parts
    int part_count;
    bool buffered;  // some part is gathered in some pass
    char *gathered; // the current batch
    size_t bytes;

    const int64_t *order; // of the pass
    int64_t next, end;    // batches

    cj__timeline *timeline; // NULL for none
    cj__ahead *ahead;       // of a data set whose samples are read when they are needed; else NULL
    uint64_t pass;
    cj_status status;
};

static bool copied(const cj__reader *reader, const part *p)
{
    return reader->order || !p->view;
}

static int64_t batch_count(const cj__reader *reader, int64_t batch)
{
    int64_t left = reader->data->count - batch * reader->batch_size;
    return left < reader->batch_size ? left : reader->batch_size;
}

// Prefetches the sample that comes one batch after `position` in the order. Forced inline, because
// gcc takes a function that only prefetches for one without effect and drops the calls.
__attribute__((always_inline)) static inline void prefetch(const cj__reader *reader, const part *p,
                                                           int64_t position)
{
    const int64_t ahead = position + reader->batch_size;
    if (!reader->order || ahead >= reader->data->count)
        return;
    const char *from = p->tensor->data + reader->order[ahead] * (int64_t)p->step_bytes;
    for (size_t at = 0; at < p->sample_bytes && at < PREFETCH_MAX; at += LINE)
        __builtin_prefetch(from + at);
}

// Gathers the samples of one batch.
static void gather(const cj__reader *reader, int64_t batch)
{
    int64_t begin = batch * reader->batch_size, count = batch_count(reader, batch);
    for (int i = 0; i < reader->part_count; i++) {
        const part *p = &reader->parts[i];
        if (!copied(reader, p))
            continue;
        char *to = reader->gathered + p->offset;
        for (int64_t k = 0; k < count; k++, to += p->sample_bytes) {
            int64_t sample = reader->order ? reader->order[begin + k] : begin + k;
            assert(sample >= 0 && sample < reader->data->count);
            prefetch(reader, p, begin + k);
            const char *from = p->tensor->data + sample * (int64_t)p->step_bytes;
            if (p->dense)
                memcpy(to, from, p->sample_bytes);
            else
                cj__tensor_entry(p->tensor, sample, to);
        }
    }
}

// Whether this pass copies any tensor.
static bool pass_copies(const cj__reader *reader)
{
    for (int i = 0; i < reader->part_count; i++)
        if (copied(reader, &reader->parts[i]))
            return true;
    return false;
}

static void add_part(cj__reader *reader, const cj_tensor *tensor)
{
    part *p = &reader->parts[reader->part_count++];
    p->tensor = tensor;
    p->element_size = cj_dtype_size(tensor->dtype);
    int64_t elements = 1;
    p->dense = true;
    for (int axis = tensor->shape.rank - 1; axis > 0; axis--) {
        if (tensor->shape.dims[axis] != 1 && tensor->strides[axis] != elements)
            p->dense = false;
        elements *= tensor->shape.dims[axis];
    }
    p->sample_bytes = (size_t)elements * p->element_size;
    p->step_bytes = (size_t)tensor->strides[0] * p->element_size;
    p->view = p->dense && (tensor->strides[0] == elements || tensor->shape.dims[0] == 1);
}

// Allocates the buffer and gives each part its offset, aligned to 64 bytes.
static cj_status make_buffer(cj__reader *reader, bool shuffled)
{
    for (int i = 0; i < reader->part_count; i++) {
        part *p = &reader->parts[i];
        if (!shuffled && p->view)
            continue;
        // at most the samples of a tensor that exists: cannot overflow
        size_t batch = (size_t)reader->batch_size;
        p->offset = reader->bytes;
        reader->bytes += (batch * p->sample_bytes + LINE - 1) / LINE * LINE;
        reader->buffered = true;
    }
    if (!reader->buffered)
        return CJ_OK;
    reader->gathered = cj__new_aligned(reader->bytes, 0);
    return reader->gathered ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status make_parts(cj__reader *reader, bool shuffled)
{
    const cj_dataset *data = reader->data;
    reader->parts = cj__new((size_t)cj__dataset_parts(data), sizeof *reader->parts);
    if (!reader->parts)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < cj__dataset_parts(data); i++)
        add_part(reader, data->parts[i]);
    return make_buffer(reader, shuffled);
}

cj_status cj__reader_new(cj_dataset *data, int64_t batch_size, bool shuffled, cj__reader **result)
{
    *result = NULL;
    if (batch_size < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: batch size %lld, it needs at least 1",
                        (long long)batch_size);
    cj__reader *reader = cj__new(1, sizeof *reader);
    if (!reader)
        return CJ_OUT_OF_MEMORY;
    reader->data = cj_retain(data);
    reader->batch_size = batch_size < data->count ? batch_size : data->count;
    reader->batches = (data->count - 1) / reader->batch_size + 1;
    reader->given = cj__new((size_t)cj__dataset_parts(data) + 1, sizeof *reader->given);
    const cj_status status =
        !reader->given           ? CJ_OUT_OF_MEMORY :
        cj__dataset_source(data) ? cj__ahead_new(data, reader->batch_size, &reader->ahead) :
                                   make_parts(reader, shuffled);
    if (status != CJ_OK) {
        cj__reader_free(reader);
        return status;
    }
    *result = reader;
    return CJ_OK;
}

void cj__reader_start(cj__reader *reader, const int64_t *order, int64_t first_batch)
{
    assert(first_batch >= 0 && (!order || reader->buffered || reader->ahead));
    reader->order = order;
    reader->next = first_batch < reader->batches ? first_batch : reader->batches;
    reader->end = reader->batches;
    if (reader->ahead)
        cj__ahead_start(reader->ahead, order, reader->pass, reader->next);
}

cj_status cj__reader_permute(cj__reader *reader, uint64_t key)
{
    return cj__ahead_permute(reader->ahead, key);
}

void cj__reader_set_pass(cj__reader *reader, uint64_t pass)
{
    reader->pass = pass;
}

void cj__reader_stop(cj__reader *reader)
{
    reader->end = reader->next;
    if (reader->ahead)
        cj__ahead_stop(reader->ahead);
}

static const void *part_data(const cj__reader *reader, int index, int64_t batch)
{
    const part *p = &reader->parts[index];
    if (copied(reader, p))
        return reader->gathered + p->offset;
    return p->tensor->data + batch * reader->batch_size * (int64_t)p->step_bytes;
}

// The batch at `index`, its parts not filled in.
static cj__batch batch_of(const cj__reader *reader, int64_t index)
{
    const cj_dataset *data = reader->data;
    const int64_t first = index * reader->batch_size;
    return (cj__batch){.index = index,
                       .first = first,
                       .count = batch_count(reader, index),
                       .parts = reader->given,
                       .x = reader->given,
                       .y = reader->given + data->x_count,
                       .weights = reader->given + data->x_count + data->y_count,
                       .samples = reader->order ? reader->order + first : NULL};
}

// The batch at `index` of what is read ahead.
static bool take_ahead(cj__reader *reader, int64_t index, cj__batch *batch)
{
    *batch = batch_of(reader, index);
    reader->status = cj__ahead_next(reader->ahead, index, batch);
    if (reader->status != CJ_OK) {
        cj__reader_stop(reader);
        return false;
    }
    const cj__step_cut *cut = cj__dataset_source(reader->data)->cut;
    if (cut)
        cj__cut_batch(cut, reader->data, batch);
    return true;
}

bool cj__reader_next(cj__reader *reader, cj__batch *batch)
{
    reader->status = CJ_OK;
    if (reader->next >= reader->end)
        return false;
    const int64_t index = reader->next++;
    if (reader->ahead)
        return take_ahead(reader, index, batch);
    if (pass_copies(reader)) {
        const int64_t begin = reader->timeline ? cj__clock() : 0;
        gather(reader, index);
        cj__timeline_add(reader->timeline, "gather", CJ__LANE_TRAINING, begin, index);
    }
    *batch = batch_of(reader, index);
    for (int i = 0; i < reader->part_count; i++)
        batch->parts[i] = part_data(reader, i, index);
    return true;
}

cj_status cj__reader_status(const cj__reader *reader)
{
    return reader->status;
}

void cj__reader_set_timeline(cj__reader *reader, cj__timeline *timeline)
{
    reader->timeline = timeline;
    if (reader->ahead)
        cj__ahead_set_timeline(reader->ahead, timeline);
}

int64_t cj__reader_waited(const cj__reader *reader)
{
    return reader->ahead ? cj__ahead_waited(reader->ahead) : 0;
}

int64_t cj__reader_batches(const cj__reader *reader)
{
    return reader->batches;
}

void cj__reader_free(cj__reader *reader)
{
    if (!reader)
        return;
    cj__ahead_free(reader->ahead);
    cj__free_aligned(reader->gathered, reader->bytes);
    cj_release(reader->data);
    cj__free(reader->parts);
    cj__free(reader->given);
    cj__free(reader);
}
