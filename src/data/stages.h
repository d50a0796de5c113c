// What the stages of a chain share: each holds the data sets before it.
#ifndef CJ_DATA_STAGES_H
#define CJ_DATA_STAGES_H

#include "data/source.h"
#include <cajal/streams.h>

enum { CJ__STAGE_SETS_MAX = 2 * CJ_IN_BRACES + 1 };

// The head of a stage's struct.
typedef struct cj__chain_stage {
    cj__source source;
    int from_count;
    cj_dataset *from[CJ__STAGE_SETS_MAX]; // held
} cj__chain_stage;

// A zeroed stage of `size` bytes that takes data sets over; of one it has the ways to read. NULL
// without memory.
void *cj__chain_new(size_t size, cj_dataset *const *from, int count);
// The free of a stage that holds nothing else.
void cj__chain_free(cj__source *source);
// The data set over a stage, with the classes of the first one before it, and with NULL its parts; takes
// the stage over. NULL as cj__stream_new().
cj_dataset *cj__chain_finish(cj__chain_stage *stage, const cj__parts *parts, int64_t count);

// Whether `data` is a data set. CJ_INVALID_ARGUMENT.
cj_status cj__chain_given(const cj_dataset *data, const char *who);
// Whether it is, and a stage that chooses or changes samples can come after it. CJ_INVALID_ARGUMENT.
cj_status cj__chain_check(const cj_dataset *data, const char *who);
// Releases those that are floating; one may be there twice. NULL is fine.
void cj__chain_drop(cj_dataset *const *sets, int count);
// How a stage's builder leaves that was given `data` in vain: NULL.
void *cj__chain_refused(cj_dataset *data);

// Samples `begin` to `begin + count - 1`, which are there, of a data set that stays its maker's.
cj_dataset *cj__dataset_range(const cj_dataset *data, int64_t begin, int64_t count);

#endif
