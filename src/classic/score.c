// Accuracy for several values of k from one search: see cj_knn_score_each().
#include "classic/knn.h"

#include "base/error.h"
#include "base/memory.h"

cj_status cj__knn_trial_run(const cj__knn_trial *trial, const cj__among *among,
                            const int32_t *sample_labels, cj__weights weights, cj_pool *pool)
{
    cj__search search;
    int64_t max_k = 0;
    for (int i = 0; i < trial->k_count; i++)
        max_k = trial->k[i] > max_k ? trial->k[i] : max_k;
    cj__ballot *ballots = cj__new((size_t)max_k, sizeof *ballots);
    cj_status status =
        ballots ? cj__search_open(&search, among, &trial->queries, max_k, pool) : CJ_OUT_OF_MEMORY;
    while (status == CJ_OK && cj__search_next(&search))
        for (int64_t query = 0; query < search.count; query++)
            for (int i = 0; i < trial->k_count; i++) {
                cj__ballots_of(search.best + query * max_k, trial->k[i], sample_labels, weights,
                               ballots);
                trial->correct[i] +=
                    cj__ballots_winner(ballots, trial->k[i]) == trial->labels[search.first + query];
            }
    if (status == CJ_OK)
        cj__search_close(&search);
    cj__free(ballots);
    return status;
}

static cj_status score(cj_knn *knn, cj_dataset *test, const int64_t *k, int count, double *accuracy,
                       const char *who)
{
    cj__knn_trial trial = {.k = k, .k_count = count};
    int32_t *labels;
    CJ_TRY(cj__check_k(k, count, knn->learned.samples.count, who));
    CJ_TRY(cj__labelled_open(test, who, &trial.queries, &labels));
    trial.labels = labels;
    trial.correct = cj__new((size_t)count, sizeof *trial.correct);
    const cj__among among = cj__among_all(knn);
    cj_status status = trial.correct ? cj__check_alike(&trial.queries, &knn->learned.samples, who) :
                                       CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj__knn_trial_run(&trial, &among, knn->learned.labels, knn->weights, knn->pool);
    for (int i = 0; status == CJ_OK && i < count; i++)
        accuracy[i] = (double)trial.correct[i] / (double)trial.queries.count;
    cj__free(trial.correct);
    cj__free(labels);
    cj__rows_close(&trial.queries);
    return status;
}

cj_status cj_knn_score(cj_knn *knn, cj_dataset *test, double *accuracy)
{
    CJ_TRY(cj__check_fitted(knn, "cj_knn_score"));
    if (!accuracy)
        return cj__fail_null_of("cj_knn_score", "the place for the accuracy");
    return score(knn, test, &knn->k, 1, accuracy, "cj_knn_score");
}

cj_status cj_knn_score_each(cj_knn *knn, cj_dataset *test, const int64_t *k, int count,
                            double *accuracy)
{
    CJ_TRY(cj__check_fitted(knn, "cj_knn_score_each"));
    if (!k || !accuracy)
        return cj__fail_null("cj_knn_score_each: the values of k, or the place for the accuracies");
    if (count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_knn_score_each: %d values of k, it needs at least 1", count);
    return score(knn, test, k, count, accuracy, "cj_knn_score_each");
}
