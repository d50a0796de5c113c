// The batch reader: see dataset.h for what it promises.
//
// The ring holds `slot_count` batches. `made` counts the batches gathered in this pass and `used` those the caller is
// done with; both only grow, batch i lies in slot i % slot_count, and made - used is what the ring holds. Each side
// writes one of the two. A side that must wait says so (`worker_waits`, `caller_waits`) before it looks at the other's
// counter a last time, and the other side writes its counter before it looks whether somebody waits: with sequentially
// consistent atomics one of the two always sees the other, so no wake-up is lost and none is sent in vain.
#define _POSIX_C_SOURCE 200809L
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <assert.h>
#include <pthread.h>
#include <string.h>

enum { RING_BYTES = 1 << 20, MIN_SLOTS = 2, MAX_SLOTS = 64, PART_MAX = 2 * CJ_DATASET_MAX_IO + 1 };

// About 10 to 20 microseconds of looking before a caller sleeps for a batch.
enum { SPINS = 2000 };

// One tensor of the data set, as the reader sees it.
typedef struct part {
    const cj_tensor *tensor;
    size_t element_size, sample_bytes, step_bytes; // from sample to sample in the tensor
    bool dense;     // each sample is contiguous
    bool view;      // and they follow each other without gaps: an ordered pass needs no copy
    size_t offset;  // of this part in a slot
} part;

struct cj__reader {
    cj_dataset *data; // held
    int64_t batch_size, batches;
    part parts[PART_MAX];
    int part_count;
    bool buffered;       // some part needs a slot in some pass
    char *ring;          // slot_count slots of slot_bytes
    size_t slot_bytes;
    int64_t slot_count;

    // The pass: written by the caller while the worker rests, read by both.
    const int64_t *order;
    int64_t first, end;  // batches of this pass; the counters below start from first
    bool holds;          // the caller looks at batch `used`

    bool threaded;
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t work, ready;
    bool stop, active;   // under lock: the worker shall end; it is inside a pass
    atomic_bool give_up; // the worker shall leave its pass
    atomic_bool worker_waits, caller_waits;
    atomic_llong made, used;
};

// Copies the elements of one sample of a tensor with gaps: an odometer over the axes behind the first.
static void copy_sample(const part *p, const char *from, char *to)
{
    const cj_tensor *tensor = p->tensor;
    int64_t at[CJ_MAX_RANK] = {0};
    for (size_t done = 0; done < p->sample_bytes; done += p->element_size) {
        memcpy(to + done, from, p->element_size);
        for (int axis = tensor->shape.rank - 1; axis > 0; axis--) {
            int64_t step = tensor->strides[axis] * (int64_t)p->element_size;
            from += step;
            if (++at[axis] < tensor->shape.dims[axis])
                break;
            from -= step * at[axis];
            at[axis] = 0;
        }
    }
}

static bool copied(const cj__reader *reader, const part *p)
{
    return reader->order != NULL || !p->view;
}

static int64_t batch_count(const cj__reader *reader, int64_t batch)
{
    int64_t left = reader->data->count - batch * reader->batch_size;
    return left < reader->batch_size ? left : reader->batch_size;
}

static char *slot_of(const cj__reader *reader, int64_t batch)
{
    return reader->ring + (size_t)(batch % reader->slot_count) * reader->slot_bytes;
}

// Gathers the samples of one batch into its slot.
static void gather(const cj__reader *reader, int64_t batch)
{
    int64_t begin = batch * reader->batch_size, count = batch_count(reader, batch);
    for (int i = 0; i < reader->part_count; i++) {
        const part *p = &reader->parts[i];
        if (!copied(reader, p))
            continue;
        char *to = slot_of(reader, batch) + p->offset;
        for (int64_t k = 0; k < count; k++, to += p->sample_bytes) {
            int64_t sample = reader->order ? reader->order[begin + k] : begin + k;
            assert(sample >= 0 && sample < reader->data->count);
            const char *from = p->tensor->data + sample * (int64_t)p->step_bytes;
            if (p->dense)
                memcpy(to, from, p->sample_bytes);
            else
                copy_sample(p, from, to);
        }
    }
}

// Whether this pass copies anything at all.
static bool pass_copies(const cj__reader *reader)
{
    for (int i = 0; i < reader->part_count; i++)
        if (copied(reader, &reader->parts[i]))
            return true;
    return false;
}

// The worker in a pass: gathers while there is room, sleeps until half the ring is free otherwise.
static void work_through_pass(cj__reader *reader)
{
    int64_t made = atomic_load(&reader->made);
    while (made < reader->end && !atomic_load(&reader->give_up)) {
        if (made - atomic_load(&reader->used) < reader->slot_count) {
            gather(reader, made);
            atomic_store(&reader->made, ++made);
            if (atomic_load(&reader->caller_waits)) {
                pthread_mutex_lock(&reader->lock);
                pthread_cond_signal(&reader->ready);
                pthread_mutex_unlock(&reader->lock);
            }
            continue;
        }
        pthread_mutex_lock(&reader->lock);
        atomic_store(&reader->worker_waits, true);
        while (made - atomic_load(&reader->used) > reader->slot_count / 2 && !atomic_load(&reader->give_up))
            pthread_cond_wait(&reader->work, &reader->lock);
        atomic_store(&reader->worker_waits, false);
        pthread_mutex_unlock(&reader->lock);
    }
}

static void *worker_main(void *argument)
{
    cj__reader *reader = argument;
    pthread_mutex_lock(&reader->lock);
    for (;;) {
        while (!reader->active && !reader->stop)
            pthread_cond_wait(&reader->work, &reader->lock);
        if (reader->stop)
            break;
        pthread_mutex_unlock(&reader->lock);
        work_through_pass(reader);
        pthread_mutex_lock(&reader->lock);
        reader->active = false;
        pthread_cond_signal(&reader->ready);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

// Waits until the worker has left its pass, which it is told to give up.
static void rest_worker(cj__reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    atomic_store(&reader->give_up, true);
    pthread_cond_signal(&reader->work);
    while (reader->active)
        pthread_cond_wait(&reader->ready, &reader->lock);
    atomic_store(&reader->give_up, false);
    pthread_mutex_unlock(&reader->lock);
}

static void start_worker(cj__reader *reader)
{
    if (pthread_mutex_init(&reader->lock, NULL) != 0)
        return;
    if (pthread_cond_init(&reader->work, NULL) != 0)
        goto fail_work;
    if (pthread_cond_init(&reader->ready, NULL) != 0)
        goto fail_ready;
    if (pthread_create(&reader->worker, NULL, worker_main, reader) != 0)
        goto fail_thread;
    reader->threaded = true;
    return;
fail_thread:
    pthread_cond_destroy(&reader->ready);
fail_ready:
    pthread_cond_destroy(&reader->work);
fail_work:
    pthread_mutex_destroy(&reader->lock);
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

// Places the parts in a slot, each aligned to 64 bytes, and makes the ring.
static cj_status make_ring(cj__reader *reader, bool shuffled, bool ahead)
{
    size_t bytes = 0;
    for (int i = 0; i < reader->part_count; i++) {
        part *p = &reader->parts[i];
        if (!shuffled && p->view)
            continue;
        size_t batch = (size_t)reader->batch_size; // at most the samples of a tensor that exists: cannot overflow
        p->offset = bytes;
        bytes += (batch * p->sample_bytes + 63) / 64 * 64;
        reader->buffered = true;
    }
    if (!reader->buffered)
        return CJ_OK;
    reader->slot_bytes = bytes > 0 ? bytes : 64;
    reader->slot_count = 1;
    if (ahead) {
        size_t fit = RING_BYTES / reader->slot_bytes;
        reader->slot_count = fit < MIN_SLOTS ? MIN_SLOTS : fit > MAX_SLOTS ? MAX_SLOTS : (int64_t)fit;
    }
    if (reader->slot_bytes > SIZE_MAX / (size_t)reader->slot_count)
        return cj__fail_memory(reader->slot_bytes, "batches");
    reader->ring = cj__new_aligned(reader->slot_bytes * (size_t)reader->slot_count, 0);
    return reader->ring ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__reader_new(cj_dataset *data, int64_t batch_size, bool shuffled, int threads, cj__reader **result)
{
    *result = NULL;
    if (batch_size < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: batch size %lld, it needs at least 1", (long long)batch_size);
    cj__reader *reader = cj__new(1, sizeof *reader);
    if (!reader)
        return CJ_OUT_OF_MEMORY;
    reader->data = cj_retain(data);
    reader->batch_size = batch_size < data->count ? batch_size : data->count;
    reader->batches = (data->count - 1) / reader->batch_size + 1;
    for (int i = 0; i < data->x_count; i++)
        add_part(reader, data->x[i]);
    for (int i = 0; i < data->y_count; i++)
        add_part(reader, data->y[i]);
    if (data->sample_weight)
        add_part(reader, data->sample_weight);
    bool ahead = threads > 1 && reader->batches > 1;
    cj_status status = make_ring(reader, shuffled, ahead);
    if (status != CJ_OK) {
        cj__reader_free(reader);
        return status;
    }
    if (ahead && reader->buffered)
        start_worker(reader);
    *result = reader;
    return CJ_OK;
}

void cj__reader_start(cj__reader *reader, const int64_t *order, int64_t first_batch)
{
    assert(first_batch >= 0 && (order == NULL || reader->buffered));
    if (reader->threaded)
        rest_worker(reader);
    reader->order = order;
    reader->first = first_batch < reader->batches ? first_batch : reader->batches;
    reader->end = reader->batches;
    reader->holds = false;
    atomic_store(&reader->made, reader->first);
    atomic_store(&reader->used, reader->first);
    if (!reader->threaded || !pass_copies(reader) || reader->first == reader->end)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->active = true;
    pthread_cond_signal(&reader->work);
    pthread_mutex_unlock(&reader->lock);
}

void cj__reader_stop(cj__reader *reader)
{
    if (reader->threaded)
        rest_worker(reader);
    reader->holds = false;
    reader->end = atomic_load(&reader->used);
}

// Gives the slot of the batch that the caller looked at back, and wakes the worker if it waits for half the ring.
static void let_go(cj__reader *reader)
{
    if (!reader->holds)
        return;
    reader->holds = false;
    int64_t used = atomic_fetch_add(&reader->used, 1) + 1;
    if (reader->threaded && atomic_load(&reader->worker_waits) &&
        atomic_load(&reader->made) - used <= reader->slot_count / 2) {
        pthread_mutex_lock(&reader->lock);
        pthread_cond_signal(&reader->work);
        pthread_mutex_unlock(&reader->lock);
    }
}

// Waits until batch `batch` has been gathered: looks for some microseconds, then sleeps.
static void await(cj__reader *reader, int64_t batch)
{
    for (int i = 0; i < SPINS; i++)
        if (atomic_load_explicit(&reader->made, memory_order_acquire) > batch)
            return;
    pthread_mutex_lock(&reader->lock);
    atomic_store(&reader->caller_waits, true);
    while (atomic_load(&reader->made) <= batch)
        pthread_cond_wait(&reader->ready, &reader->lock);
    atomic_store(&reader->caller_waits, false);
    pthread_mutex_unlock(&reader->lock);
}

static const void *part_data(const cj__reader *reader, int index, int64_t batch)
{
    const part *p = &reader->parts[index];
    if (copied(reader, p))
        return slot_of(reader, batch) + p->offset;
    return p->tensor->data + batch * reader->batch_size * (int64_t)p->step_bytes;
}

bool cj__reader_next(cj__reader *reader, cj__batch *batch)
{
    let_go(reader);
    int64_t index = atomic_load(&reader->used);
    if (index >= reader->end)
        return false;
    if (pass_copies(reader)) {
        if (reader->threaded)
            await(reader, index);
        else
            gather(reader, index);
    }
    reader->holds = true;
    *batch = (cj__batch){.index = index, .count = batch_count(reader, index)};
    int at = 0;
    for (int i = 0; i < reader->data->x_count; i++)
        batch->x[i] = part_data(reader, at++, index);
    for (int i = 0; i < reader->data->y_count; i++)
        batch->y[i] = part_data(reader, at++, index);
    if (reader->data->sample_weight)
        batch->sample_weight = part_data(reader, at, index);
    batch->samples = reader->order ? reader->order + index * reader->batch_size : NULL;
    return true;
}

int64_t cj__reader_batches(const cj__reader *reader)
{
    return reader->batches;
}

void cj__reader_free(cj__reader *reader)
{
    if (!reader)
        return;
    if (reader->threaded) {
        rest_worker(reader);
        pthread_mutex_lock(&reader->lock);
        reader->stop = true;
        pthread_cond_signal(&reader->work);
        pthread_mutex_unlock(&reader->lock);
        pthread_join(reader->worker, NULL);
        pthread_cond_destroy(&reader->ready);
        pthread_cond_destroy(&reader->work);
        pthread_mutex_destroy(&reader->lock);
    }
    if (reader->ring)
        cj__free_aligned(reader->ring, reader->slot_bytes * (size_t)reader->slot_count);
    cj_release(reader->data);
    cj__free(reader);
}
