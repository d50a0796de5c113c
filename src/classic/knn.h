// Inside the classifier, for cross-validation: what it keeps, and counting right answers.
#ifndef CJ_CLASSIC_KNN_H
#define CJ_CLASSIC_KNN_H

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

// One input, one target. `who` begins the sentences.
cj_status cj__learned_open(cj_dataset *data, const cj__metric *metric, cj_pool *pool, const char *who,
                           cj__learned *learned);
void cj__learned_close(cj__learned *learned);

// Queries with known labels, and the values of k for which right answers are counted: right[i] += those for k[i].
typedef struct cj__trial {
    cj__rows queries;
    const int32_t *labels; // of the queries
    const int64_t *k;
    int k_count;
    int64_t *right;
} cj__trial;

cj_status cj__trial_run(const cj__trial *trial, const cj__among *among, const int32_t *sample_labels,
                        cj__weights weights, cj_pool *pool);

// Whether each of `count` values is from 1 to `most`. CJ_INVALID_ARGUMENT.
cj_status cj__check_k(const int64_t *k, int count, int64_t most, const char *who);

#endif
