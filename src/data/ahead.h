// Reading ahead: threads fill batches of a streamed data set while others train. See ahead.c.
#ifndef CJ_DATA_AHEAD_H
#define CJ_DATA_AHEAD_H

#include "data/source.h"

typedef struct cj__ahead cj__ahead;

// For a streamed data set, which it holds. `batch_size` is at most the number of samples.
// CJ_OUT_OF_MEMORY.
cj_status cj__ahead_new(cj_dataset *data, int64_t batch_size, cj__ahead **ahead);

// Every pass that has no order of its own gets one of this key, of which nothing is kept.
// CJ_OUT_OF_MEMORY.
cj_status cj__ahead_permute(cj__ahead *ahead, uint64_t key);

// Begins a pass at batch `first`; reading begins at once. `order` as for cj__reader_start().
void cj__ahead_start(cj__ahead *ahead, const int64_t *order, uint64_t pass, int64_t first);

// Ends the pass: when it returns nobody reads.
void cj__ahead_stop(cj__ahead *ahead);

// Waits for a batch of the pass, which is one more than the last. CJ_OK and its parts, or what the
// first sample of it that could not be read failed with.
cj_status cj__ahead_next(cj__ahead *ahead, int64_t index, cj__batch *batch);

// See cj__reader_set_timeline().
void cj__ahead_set_timeline(cj__ahead *ahead, struct cj__timeline *timeline);

// Nanoseconds that cj__ahead_next() has waited, over all passes.
int64_t cj__ahead_waited(const cj__ahead *ahead);

void cj__ahead_free(cj__ahead *ahead);

#endif
