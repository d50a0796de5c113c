// The nearest neighbours of many queries: every distance is taken, the k least of each query are
// kept.
//
//     cj__search search;
//     CJ_TRY(cj__search_open(&search, &among, &queries, k, pool));
//     while (cj__search_next(&search))
//         use search.best: (search.count, k), of queries search.first and on
//     cj__search_close(&search);
//
// Queries come in batches. A batch is cut into tasks by the shape alone: some panels of queries
// (kernels/distances.h) against a run of rows. A task holds a few rows at a time against each of
// its panels, so that rows come from memory once a task, and keeps for each query a heap of its k
// nearest. Nearly every distance is above all thresholds, which one loop over the distances of a
// row finds out. In the end the heaps of a query are merged.
//
// Neighbours are ordered by distance, and of equal ones by number: a total order, so it does not
// matter who found them.
#ifndef CJ_CLASSIC_SEARCH_H
#define CJ_CLASSIC_SEARCH_H

#include "classic/heap.h"
#include "classic/rows.h"
#include "kernels/distances.h"

// A metric: how it is called, and which distances it is made of.
typedef struct cj__metric {
    const char *name;
    cj__distance of_bytes, of_floats;
    bool root; // the distance is the root of what the kernel gives
} cj__metric;

// NULL is "l2". CJ_INVALID_ARGUMENT, with a suggestion.
cj_status cj__metric_find(const char *name, const cj__metric **metric);

// Where to look: rows of `samples` before `skip_begin` and from `skip_end` on.
typedef struct cj__among {
    const cj__rows *samples;
    const int64_t *centred; // of each sample, for bytes in l2
    int64_t skip_begin, skip_end;
    const cj__metric *metric;
} cj__among;

// The samples that are looked at.
int64_t cj__among_count(const cj__among *among);

// For each of the samples what cj__among wants to have, as a new array (cj__free); NULL, and CJ_OK,
// where it wants nothing.
cj_status cj__centre_rows(const cj__rows *samples, const cj__metric *metric, cj_pool *pool,
                          int64_t **centred);

typedef struct cj__search {
    int64_t first, count; // the queries of this batch
    cj__neighbor *best;   // (count, k), nearest first

    cj__among among;
    cj__rows queries;
    int64_t k, batch, chunks, keep; // keep: neighbours that a task keeps of a query
    cj_pool *pool;
    const cj__distances *table;
    const cj__distance_kernel *kernel;
    size_t panel_size, panels_size;
    char *panels;        // of the batch
    cj__neighbor *heaps; // (chunks, batch, keep)
} cj__search;

// Samples and queries have the same width and dtype, 1 <= k <= the samples looked at (asserted).
// Holds nothing but its own memory. CJ_OUT_OF_MEMORY.
cj_status cj__search_open(cj__search *search, const cj__among *among, const cj__rows *queries,
                          int64_t k, cj_pool *pool);
// allocates nothing and cannot fail; false after the last batch
bool cj__search_next(cj__search *search);
void cj__search_close(cj__search *search);

#endif
