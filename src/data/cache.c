// A stage that keeps samples when they were first read.
#include "data/stages.h"

#include "base/error.h"
#include "base/memory.h"
#include <stdatomic.h>
#include <string.h>

// What is known of a sample.
enum { EMPTY, BEING_WRITTEN, KEPT };

typedef struct cache {
    cj__chain_stage stage;
    size_t *offsets, bytes; // of a sample
    int64_t count;          // samples that are kept, the first ones
    char *samples;
    atomic_uchar *states;
} cache;

// Copies the parts of a sample to or from its place.
static void copy_sample(const cache *c, char *kept, void *const *places, bool out)
{
    const cj_dataset *from = c->stage.from[0];
    for (int p = 0; p < cj__dataset_parts(from); p++) {
        char *at = kept + c->offsets[p];
        memcpy(out ? places[p] : at, out ? at : places[p], cj__part_bytes(from, p));
    }
}

static cj_status read_cached(const cj__source *source, int64_t index, uint64_t pass,
                             void *const *places)
{
    const cache *c = (const cache *)source;
    (void)pass;
    if (index >= c->count)
        return cj__dataset_sample(c->stage.from[0], index, 0, places);
    char *kept = c->samples + (size_t)index * c->bytes;
    if (atomic_load_explicit(&c->states[index], memory_order_acquire) == KEPT) {
        copy_sample(c, kept, places, true);
        return CJ_OK;
    }
    CJ_TRY(cj__dataset_sample(c->stage.from[0], index, 0, places));
    unsigned char empty = EMPTY; // one thread keeps it, another has read it in vain
    if (atomic_compare_exchange_strong(&c->states[index], &empty, BEING_WRITTEN)) {
        copy_sample(c, kept, places, false);
        atomic_store_explicit(&c->states[index], KEPT, memory_order_release);
    }
    return CJ_OK;
}

static void free_cache(cj__source *source)
{
    cache *c = (cache *)source;
    cj__free(c->samples);
    cj__free(c->states);
    cj__free(c->offsets);
    cj__chain_free(source);
}

cj_dataset *cj_dataset_cache(cj_dataset *data, int64_t bytes)
{
    if (cj__chain_given(data, "cj_dataset_cache") != CJ_OK)
        return cj__chain_refused(data);
    cache *c = cj__chain_new(sizeof *c, &data, 1);
    if (!c)
        return cj__build_failed(CJ__MADE_DATASET);
    c->stage.source.read = read_cached;
    c->stage.source.free = free_cache;
    const cj_status status = cj__parts_layout(data, 1, &c->offsets, &c->bytes);
    c->count = status == CJ_OK && bytes > 0 ? (int64_t)((uint64_t)bytes / c->bytes) : 0;
    c->count = c->count < data->count ? c->count : data->count;
    if (status == CJ_OK && c->count < 1)
        cj__fail(CJ_INVALID_ARGUMENT,
                 "cj_dataset_cache: %lld bytes, and a sample has %zu in the cache",
                 (long long)bytes, c->bytes);
    else if (status == CJ_OK && (c->samples = cj__new((size_t)c->count, c->bytes)) &&
             (c->states = cj__new((size_t)c->count, sizeof *c->states)))
        return cj__chain_finish(&c->stage, NULL, data->count);
    free_cache(&c->stage.source);
    return cj__build_failed(CJ__MADE_DATASET);
}
