// Inside the classifier: its training samples, checks of arguments, and counting correct answers.
#ifndef CJ_CLASSIC_KNN_H
#define CJ_CLASSIC_KNN_H

#include "base/object.h"
#include "classic/search.h"
#include "classic/vote.h"
#include <cajal/classic.h>

// Training samples with their labels.
typedef struct cj__learned {
    cj__rows samples;
    int32_t *labels;
    int64_t *centred; // from cj__centre_rows(); may be NULL
    int32_t max_label;
} cj__learned;

struct cj_knn {
    cj__object object;
    int64_t k;
    const cj__metric *metric;
    cj__weights weights;
    cj_pool *pool;       // held
    cj__learned learned; // samples.count is 0 before the first fit
};

// Opens a data set with one input and one target. Close `rows`, free `labels` with cj__free(). `who`
// begins the sentences.
cj_status cj__labelled_open(cj_dataset *data, const char *who, cj__rows *rows, int32_t **labels);

cj_status cj__learned_open(cj_dataset *data, const cj__metric *metric, cj_pool *pool,
                           const char *who, cj__learned *learned);
void cj__learned_close(cj__learned *learned);

// Queries with known labels. For each k[i] the number of correct answers is added to correct[i].
typedef struct cj__knn_trial {
    cj__rows queries;
    const int32_t *labels; // of the queries
    const int64_t *k;
    int k_count;
    int64_t *correct;
} cj__knn_trial;

cj_status cj__knn_trial_run(const cj__knn_trial *trial, const cj__among *among,
                            const int32_t *sample_labels, cj__weights weights, cj_pool *pool);

// Checks that the classifier is not NULL and was fitted. CJ_INVALID_ARGUMENT, CJ_NOT_BUILT.
cj_status cj__check_fitted(const cj_knn *knn, const char *who);
// Checks that queries have the samples' dtype and width. CJ_SHAPE_MISMATCH.
cj_status cj__check_alike(const cj__rows *queries, const cj__rows *samples, const char *who);
// A search among all training samples.
cj__among cj__among_all(const cj_knn *knn);

// Checks that each of `count` values is from 1 to `max`. CJ_INVALID_ARGUMENT.
cj_status cj__check_k(const int64_t *k, int count, int64_t max, const char *who);

#endif
