// The nearest neighbours of many queries by exhaustive search: every distance is computed, and the k
// smallest of each query are kept.
//
//     cj__search search;
//     CJ_TRY(cj__search_open(&search, &among, &queries, k, pool));
//     while (cj__search_next(&search))
//         use search.best: (search.count, k), of queries search.first and on
//     cj__search_close(&search);
//
// Queries are processed in batches. A batch is divided into tasks by the shape alone: each compares
// some panels of queries (kernels/distances.h) with a chunk of the samples. A task takes a few rows
// of its chunk at a time and compares them with all its panels, so that each row is read from memory
// once a task. For each query it keeps a heap of the k nearest. Nearly all distances are above the
// thresholds of the heaps, and one loop over the distances of a row finds that out. At the end the
// heaps of a query are merged.
//
// Neighbours are ordered by distance, then by index. The order is total, so the result does not
// depend on which task found a neighbour.
#ifndef CJ_CLASSIC_SEARCH_H
#define CJ_CLASSIC_SEARCH_H

#include "classic/heap.h"
#include "classic/rows.h"
#include "kernels/distances.h"

// A metric: its name and its kernels.
typedef struct cj__metric {
    const char *name;
    cj__distance of_bytes, of_floats;
    bool is_root; // the distance is the square root of what the kernel computes
} cj__metric;

// NULL is "l2". CJ_INVALID_ARGUMENT, with a suggestion.
cj_status cj__metric_find(const char *name, const cj__metric **metric);

// The samples to search: rows before `skip_begin` and from `skip_end` on.
typedef struct cj__among {
    const cj__rows *samples;
    const int64_t *centred; // of each sample, for bytes in l2
    int64_t skip_begin, skip_end;
    const cj__metric *metric;
} cj__among;

// The number of samples to search.
int64_t cj__among_count(const cj__among *among);

// Computes cj__among.centred for all samples, as a new array (cj__free); NULL and CJ_OK for a metric
// that does not need it.
cj_status cj__centre_rows(const cj__rows *samples, const cj__metric *metric, cj_pool *pool,
                          int64_t **centred);

typedef struct cj__search {
    int64_t first, count; // the queries of this batch
    cj__neighbor *best;   // (count, k), nearest first

    cj__among among;
    cj__rows queries;
    int64_t k, batch, chunks, keep; // keep: neighbours that a task keeps for each query
    cj_pool *pool;
    const cj__distances *table;
    const cj__distance_kernel *kernel;
    size_t panel_size, panels_size;
    char *panels;        // of the batch
    cj__neighbor *heaps; // (chunks, batch, keep)
} cj__search;

// Samples and queries have the same width and dtype, and 1 <= k <= cj__among_count() (asserted). The
// search owns its memory only. CJ_OUT_OF_MEMORY.
cj_status cj__search_open(cj__search *search, const cj__among *among, const cj__rows *queries,
                          int64_t k, cj_pool *pool);
// Searches the next batch; false after the last. Allocates nothing and cannot fail.
bool cj__search_next(cj__search *search);
void cj__search_close(cj__search *search);

#endif
