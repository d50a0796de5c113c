// Cross-validation over k: each part of the data in turn is the test, the others are the samples.
#include "classic/knn.h"

#include "base/error.h"
#include <math.h>

enum { DEFAULT_FOLDS = 5, DEFAULT_K = 5 };

// What all folds have in common.
typedef struct validation {
    cj__learned data;
    const cj__metric *metric;
    cj__weights weights;
    cj_pool *pool;
} validation;

// The first sample of a fold: folds are as long as can be, the first ones longer by one.
static int64_t fold_begin(int64_t samples, int folds, int fold)
{
    const int64_t longer = samples % folds;
    return samples / folds * fold + (fold < longer ? fold : longer);
}

static cj_status run_fold(const validation *v, int fold, cj_knn_scores *scores)
{
    const int64_t samples = v->data.samples.count;
    const int64_t begin = fold_begin(samples, scores->folds, fold),
                  end = fold_begin(samples, scores->folds, fold + 1);
    int64_t right[CJ_KNN_MAX_CHOICES] = {0};
    const cj__among among = {&v->data.samples, v->data.centred, begin, end, v->metric};
    const cj__trial trial = {cj__rows_part(&v->data.samples, begin, end - begin),
                             v->data.labels + begin, scores->k, scores->k_count, right};
    CJ_TRY(cj__trial_run(&trial, &among, v->data.labels, v->weights, v->pool));
    for (int i = 0; i < scores->k_count; i++)
        scores->accuracy[i][fold] = (double)right[i] / (double)(end - begin);
    return CJ_OK;
}

static void summarize(cj_knn_scores *scores)
{
    int best = 0;
    for (int i = 0; i < scores->k_count; i++) {
        double sum = 0, squares = 0;
        for (int f = 0; f < scores->folds; f++)
            sum += scores->accuracy[i][f];
        scores->mean[i] = sum / scores->folds;
        for (int f = 0; f < scores->folds; f++)
            squares += (scores->accuracy[i][f] - scores->mean[i]) *
                       (scores->accuracy[i][f] - scores->mean[i]);
        scores->deviation[i] = sqrt(squares / scores->folds);
        const bool better = scores->mean[i] > scores->mean[best];
        if (better || (!(scores->mean[i] < scores->mean[best]) && scores->k[i] < scores->k[best]))
            best = i;
    }
    scores->best = scores->k[best];
}

static cj_status check(const cj_knn_cross_validate_args *args, const validation *v,
                       cj_knn_scores *scores)
{
    const int64_t samples = v->data.samples.count;
    scores->folds = args->folds ? args->folds : DEFAULT_FOLDS;
    if (scores->folds < 2 || scores->folds > CJ_KNN_MAX_FOLDS || scores->folds > samples)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_knn_cross_validate: %d folds of %lld samples, it needs 2 to %d and no more "
            "than samples",
            scores->folds, (long long)samples, CJ_KNN_MAX_FOLDS);
    while (scores->k_count < CJ_KNN_MAX_CHOICES && args->k[scores->k_count]) {
        scores->k[scores->k_count] = args->k[scores->k_count];
        scores->k_count++;
    }
    if (scores->k_count == 0)
        scores->k[scores->k_count++] = DEFAULT_K;
    // The first fold is the longest, so that it leaves the fewest samples.
    return cj__check_k(scores->k, scores->k_count, samples - fold_begin(samples, scores->folds, 1),
                       "cj_knn_cross_validate");
}

cj_status cj_knn_cross_validate_with(cj_dataset *data, cj_knn_scores *scores,
                                     const cj_knn_cross_validate_args *args)
{
    validation v = {.pool = args->pool ? cj_retain(args->pool) : cj_pool_new(0)};
    *scores = (cj_knn_scores){.k_count = 0};
    cj_status status = v.pool ? CJ_OK : cj_error_status();
    if (status == CJ_OK)
        status = cj__metric_find(args->metric, &v.metric);
    if (status == CJ_OK)
        status = cj__weights_find(args->weights, &v.weights);
    if (status == CJ_OK)
        status = cj__learned_open(data, v.metric, v.pool, "cj_knn_cross_validate", &v.data);
    if (status == CJ_OK)
        status = check(args, &v, scores);
    for (int fold = 0; status == CJ_OK && fold < scores->folds; fold++) {
        status = run_fold(&v, fold, scores);
        if (status == CJ_OK && args->progress)
            args->progress(args->context, fold + 1, scores->folds);
    }
    if (status == CJ_OK)
        summarize(scores);
    cj__learned_close(&v.data);
    cj_release(v.pool);
    return status;
}
