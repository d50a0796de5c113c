// Inside the classifier: what it keeps, checks at the door, and counting right answers.
#ifndef CJ_CLASSIC_KNN_H
#define CJ_CLASSIC_KNN_H

#include "base/object.h"
#include "classic/search.h"
#include "classic/vote.h"
#include <cajal/classic.h>

// Samples with labels, and what the metric wants of them.
typedef struct cj__learned {
    cj__rows samples;
    int32_t *labels;
    int64_t *centred;
    int32_t greatest; // label
} cj__learned;

struct cj_knn {
    cj__object object;
    int64_t k;
    const cj__metric *metric;
    cj__weights weights;
    cj_pool *pool;       // held
    cj__learned learned; // samples.count is 0 before the first fit
};

// One input, one target: rows and labels (cj__free), which belong to the caller. `who` begins the
// sentences.
cj_status cj__labelled_open(cj_dataset *data, const char *who, cj__rows *rows, int32_t **labels);

cj_status cj__learned_open(cj_dataset *data, const cj__metric *metric, cj_pool *pool,
                           const char *who, cj__learned *learned);
void cj__learned_close(cj__learned *learned);

// Queries with known labels, and the values of k for which right answers are counted: right[i] +=
// those for k[i].
typedef struct cj__knn_trial {
    cj__rows queries;
    const int32_t *labels; // of the queries
    const int64_t *k;
    int k_count;
    int64_t *right;
} cj__knn_trial;

cj_status cj__knn_trial_run(const cj__knn_trial *trial, const cj__among *among,
                            const int32_t *sample_labels, cj__weights weights, cj_pool *pool);

// Not NULL, and fitted. CJ_INVALID_ARGUMENT, CJ_NOT_BUILT.
cj_status cj__check_fitted(const cj_knn *knn, const char *who);
// Whether queries are of the samples' dtype and width. CJ_SHAPE_MISMATCH.
cj_status cj__check_alike(const cj__rows *queries, const cj__rows *samples, const char *who);
// All that was learned.
cj__among cj__among_all(const cj_knn *knn);

// Whether each of `count` values is from 1 to `most`. CJ_INVALID_ARGUMENT.
cj_status cj__check_k(const int64_t *k, int count, int64_t most, const char *who);

#endif
