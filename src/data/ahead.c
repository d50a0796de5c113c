// Reading ahead. A ring of slots holds a batch each: the one that is in use, and those after it.
// Threads take chunks of samples in the order in which they will be needed. Who waits for a batch
// reads along, so that all is the same, but slower, where there are no threads.
//
// What is in a slot depends on the samples' numbers alone, and so does the failure that is told:
// that of the first sample of a batch.
#include "data/ahead.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/permutation.h"
#include "base/sync.h"
#include "base/system.h"
#include "data/timeline.h"
#include <stdio.h>
#include <string.h>

enum { AHEAD_DEFAULT = 2, SENTENCE = 512, CHUNKS_A_THREAD = 8, THREADS_MAX = 64 };

typedef struct slot {
    char *bytes;
    int64_t count, done; // samples
    int64_t *samples;    // their numbers, where the order is a permutation
    int64_t failed;      // the first that failed, in the batch; -1 for none
    cj_status status;
    char sentence[SENTENCE];
} slot;

struct cj__ahead {
    cj_dataset *data; // held
    int64_t batch_size, batches, chunk;
    size_t *offsets, bytes; // of the parts in a slot
    slot *slots;
    int64_t slot_count;
    cj_memory_hook hook; // of the maker, for the threads
    cj__thread *threads;
    int thread_count;

    cj__mutex lock; // for all that follows
    cj__condition work, filled;
    bool quits;
    const int64_t *order;
    bool permuted;
    cj__permutation permutation; // unless there is an order
    uint64_t pass;
    int64_t held;         // the batch in use, or the one before the first
    int64_t next, sample; // what is to be read next: a batch, and a sample of it
    int64_t end;          // of the batches
    int64_t reading;      // chunks that are being read
    int64_t waited;
    cj__timeline *timeline; // NULL for none
    int lanes;              // threads that have begun
};

typedef struct chunk {
    slot *slot;
    int64_t begin, count; // samples of the batch
    int64_t first;        // the batch's first sample in the pass
} chunk;

static slot *slot_of(cj__ahead *a, int64_t batch)
{
    return &a->slots[batch % a->slot_count];
}

// Takes what is to be read next; false if there is nothing. The lock is held.
static bool take(cj__ahead *a, chunk *c)
{
    if (a->next >= a->end || a->next >= a->held + a->slot_count)
        return false;
    slot *s = slot_of(a, a->next);
    const int64_t first = a->next * a->batch_size, left = a->data->count - first;
    if (a->sample == 0) {
        s->count = left < a->batch_size ? left : a->batch_size;
        s->done = 0;
        s->failed = -1;
    }
    const int64_t rest = s->count - a->sample;
    *c = (chunk){s, a->sample, rest < a->chunk ? rest : a->chunk, first};
    a->sample += c->count;
    if (a->sample == s->count) {
        a->next++;
        a->sample = 0;
    }
    a->reading++;
    return true;
}

// Reads a chunk; the lock is held before and after, not in between.
static void read_chunk(cj__ahead *a, const chunk *c, int lane)
{
    const int64_t *order = a->order, begun = a->timeline ? cj__clock() : 0;
    const uint64_t pass = a->pass;
    const int parts = cj__dataset_parts(a->data);
    int64_t failed = -1;
    cj_status status = CJ_OK;
    char sentence[SENTENCE];
    void *few[CJ__PART_PLACES_FEW];
    cj__mutex_unlock(&a->lock);
    void **places = cj__part_places(few, parts);
    for (int64_t i = c->begin; failed < 0 && i < c->begin + c->count; i++) {
        for (int p = 0; places && p < parts; p++)
            places[p] = c->slot->bytes + a->offsets[p] + (size_t)i * cj__part_bytes(a->data, p);
        const int64_t place = c->first + i;
        const int64_t index = order       ? order[place] :
                              a->permuted ? cj__permuted(&a->permutation, pass, place) :
                                            place;
        if (c->slot->samples)
            c->slot->samples[i] = index;
        status = places ? cj__dataset_sample(a->data, index, pass, places) : CJ_OUT_OF_MEMORY;
        if (status == CJ_OK)
            continue;
        failed = i;
        snprintf(sentence, sizeof sentence, "%s", cj_error());
        cj__error_forget(); // it is told by who trains, when it comes to this batch
    }
    cj__part_places_end(places, few);
    cj__mutex_lock(&a->lock);
    if (a->timeline && begun)
        cj__timeline_add(a->timeline, "read", lane, begun, c->first / a->batch_size);
    if (failed >= 0 && (c->slot->failed < 0 || failed < c->slot->failed)) {
        c->slot->failed = failed;
        c->slot->status = status;
        memcpy(c->slot->sentence, sentence, sizeof sentence);
    }
    c->slot->done += c->count;
    a->reading--;
    if (c->slot->done == c->slot->count || a->reading == 0)
        cj__condition_broadcast(&a->filled);
}

static void run_thread(void *context)
{
    cj__ahead *a = context;
    chunk c;
    cj_set_memory_hook(&a->hook);
    cj__mutex_lock(&a->lock);
    const int lane = CJ__LANE_READING + a->lanes++;
    while (!a->quits) {
        if (take(a, &c))
            read_chunk(a, &c, lane);
        else
            cj__condition_wait(&a->work, &a->lock);
    }
    cj__mutex_unlock(&a->lock);
}

static void start_threads(cj__ahead *a, int count)
{
    a->threads = count > 0 ? cj__new((size_t)count, sizeof *a->threads) : NULL;
    for (int i = 0; a->threads && i < count; i++) {
        if (!cj__thread_start(&a->threads[i], run_thread, a))
            return; // who waits reads
        a->thread_count++;
    }
    if (count > 0 && !a->threads)
        cj__error_forget();
}

static cj_status make_slots(cj__ahead *a)
{
    a->slots = cj__new((size_t)a->slot_count, sizeof *a->slots);
    if (!a->slots)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < a->slot_count; i++)
        if (!(a->slots[i].bytes = cj__new_aligned(a->bytes, 0)))
            return CJ_OUT_OF_MEMORY;
    return CJ_OK;
}

cj_status cj__ahead_new(cj_dataset *data, int64_t batch_size, cj__ahead **ahead)
{
    const cj__source *source = cj__dataset_source(data);
    *ahead = NULL;
    cj__ahead *a = cj__new(1, sizeof *a);
    if (!a)
        return CJ_OUT_OF_MEMORY;
    cj__mutex_init(&a->lock);
    cj__condition_init(&a->work);
    cj__condition_init(&a->filled);
    a->data = cj_retain(data);
    a->hook = cj__memory_hook();
    a->batch_size = batch_size;
    a->batches = (data->count - 1) / batch_size + 1;
    a->held = -1;
    int threads = source->threads > 0 ? source->threads : source->is_cheap ? 0 : cj__cpu_count();
    threads = threads < THREADS_MAX ? threads : THREADS_MAX;
    const int64_t most = source->ahead > 0 ? source->ahead : AHEAD_DEFAULT;
    a->slot_count = threads == 0 ? 1 : (most < a->batches ? most : a->batches) + 1;
    a->chunk = batch_size / (CHUNKS_A_THREAD * (threads + 1));
    a->chunk = a->chunk < 1 ? 1 : a->chunk;
    cj_status status = cj__parts_layout(data, batch_size, &a->offsets, &a->bytes);
    if (status == CJ_OK)
        status = make_slots(a);
    if (status != CJ_OK) {
        cj__ahead_free(a);
        return status;
    }
    start_threads(a, threads);
    *ahead = a;
    return CJ_OK;
}

cj_status cj__ahead_permute(cj__ahead *a, uint64_t key)
{
    for (int64_t i = 0; i < a->slot_count; i++)
        if (!(a->slots[i].samples = cj__new((size_t)a->batch_size, sizeof(int64_t))))
            return CJ_OUT_OF_MEMORY;
    a->permutation = cj__permutation_of(key, a->data->count);
    a->permuted = true;
    return CJ_OK;
}

// Waits until nobody reads. The lock is held.
static void settle(cj__ahead *a)
{
    a->end = a->next = 0;
    a->sample = 0;
    while (a->reading > 0)
        cj__condition_wait(&a->filled, &a->lock);
}

void cj__ahead_start(cj__ahead *a, const int64_t *order, uint64_t pass, int64_t first)
{
    cj__mutex_lock(&a->lock);
    settle(a);
    a->order = order;
    a->pass = pass;
    a->held = first - 1;
    a->next = first;
    a->end = a->batches;
    cj__condition_broadcast(&a->work);
    cj__mutex_unlock(&a->lock);
}

void cj__ahead_stop(cj__ahead *a)
{
    cj__mutex_lock(&a->lock);
    settle(a);
    cj__mutex_unlock(&a->lock);
}

// Reads along until a batch is there.
static void wait_for(cj__ahead *a, int64_t index)
{
    const slot *s = slot_of(a, index);
    chunk c;
    while (a->next <= index || s->done < s->count) {
        if (a->next <= index && take(a, &c))
            read_chunk(a, &c, CJ__LANE_TRAINING);
        else
            cj__condition_wait(&a->filled, &a->lock);
    }
}

cj_status cj__ahead_next(cj__ahead *a, int64_t index, cj__batch *batch)
{
    cj__mutex_lock(&a->lock);
    const slot *s = slot_of(a, index);
    a->held = index;
    cj__condition_broadcast(&a->work);
    if (a->next <= index || s->done < s->count) {
        const int64_t begin = cj__clock();
        wait_for(a, index);
        a->waited += cj__clock() - begin;
        cj__timeline_add(a->timeline, "wait", CJ__LANE_TRAINING, begin, index);
    }
    cj__mutex_unlock(&a->lock);
    if (s->failed >= 0)
        return cj__fail(s->status, "%s", s->sentence);
    for (int i = 0; i < cj__dataset_parts(a->data); i++)
        batch->parts[i] = s->bytes + a->offsets[i];
    if (s->samples)
        batch->samples = s->samples;
    return CJ_OK;
}

void cj__ahead_set_timeline(cj__ahead *a, cj__timeline *timeline)
{
    cj__mutex_lock(&a->lock);
    a->timeline = timeline;
    cj__mutex_unlock(&a->lock);
}

int64_t cj__ahead_waited(const cj__ahead *a)
{
    return a->waited;
}

void cj__ahead_free(cj__ahead *a)
{
    if (!a)
        return;
    cj__mutex_lock(&a->lock);
    settle(a);
    a->quits = true;
    cj__condition_broadcast(&a->work);
    cj__mutex_unlock(&a->lock);
    for (int i = 0; i < a->thread_count; i++)
        cj__thread_join(&a->threads[i]);
    cj__free(a->threads);
    for (int64_t i = 0; a->slots && i < a->slot_count; i++) {
        cj__free_aligned(a->slots[i].bytes, a->bytes);
        cj__free(a->slots[i].samples);
    }
    cj__free(a->slots);
    cj__free(a->offsets);
    cj__condition_destroy(&a->work);
    cj__condition_destroy(&a->filled);
    cj__mutex_destroy(&a->lock);
    cj_release(a->data);
    cj__free(a);
}
