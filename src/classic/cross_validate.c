// k-fold cross-validation over values of k: each fold in turn is the test set, the others are the
// training samples.
#include "classic/folds.h"
#include "classic/knn.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/object.h"
#include <math.h>
#include <string.h>

struct cj_knn_scores {
    cj__object object;
    int k_count, folds;
    int64_t *k;               // k_count
    double *accuracy;         // (k_count, folds)
    double *mean, *deviation; // k_count
    int64_t *correct;         // of the current fold
    int64_t best;
};

static void destroy_scores(void *object)
{
    cj_knn_scores *scores = object;
    cj__free(scores->k);
    cj__free(scores->accuracy);
    cj__free(scores->mean);
    cj__free(scores->deviation);
    cj__free(scores->correct);
    cj__free(scores);
}

static const cj__class scores_class = {.name = "scores", .destroy = destroy_scores};

static bool within(const cj_knn_scores *scores, int index)
{
    return scores && index >= 0 && index < scores->k_count;
}

int cj_knn_scores_count(const cj_knn_scores *scores)
{
    return scores ? scores->k_count : 0;
}

int cj_knn_scores_folds(const cj_knn_scores *scores)
{
    return scores ? scores->folds : 0;
}

int64_t cj_knn_scores_k(const cj_knn_scores *scores, int index)
{
    return within(scores, index) ? scores->k[index] : 0;
}

double cj_knn_scores_accuracy(const cj_knn_scores *scores, int index, int fold)
{
    return within(scores, index) && fold >= 0 && fold < scores->folds ?
               scores->accuracy[(int64_t)index * scores->folds + fold] :
               (double)NAN;
}

double cj_knn_scores_mean(const cj_knn_scores *scores, int index)
{
    return within(scores, index) ? scores->mean[index] : (double)NAN;
}

double cj_knn_scores_deviation(const cj_knn_scores *scores, int index)
{
    return within(scores, index) ? scores->deviation[index] : (double)NAN;
}

int64_t cj_knn_scores_best(const cj_knn_scores *scores)
{
    return scores ? scores->best : 0;
}

// Data and settings that all folds share.
typedef struct validation {
    cj__learned data;
    const cj__metric *metric;
    cj__weights weights;
    cj_pool *pool;
    int64_t *begins; // folds + 1: where each begins among the samples
} validation;

// Where the folds begin. Lengths of folds that are not given differ by one at most; the longer ones
// come first.
static cj_status find_begins(const cj_folds *given, int folds, validation *v)
{
    const int64_t samples = v->data.samples.count, longer = samples % folds;
    v->begins = cj__new((size_t)folds + 1, sizeof *v->begins);
    if (!v->begins)
        return CJ_OUT_OF_MEMORY;
    for (int fold = 0; fold < folds; fold++)
        v->begins[fold + 1] =
            v->begins[fold] + (given ? given->sizes[fold] : samples / folds + (fold < longer));
    return CJ_OK;
}

// A data set with the samples of each fold together; those that are never tested come last.
static cj_status order_by_fold(const cj_dataset *data, const cj_folds *folds, cj_dataset **ordered)
{
    if (cj_dataset_count(data) != folds->samples)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_knn_cross_validate: the data set has %lld samples, the given folds are of "
            "%lld",
            (long long)cj_dataset_count(data), (long long)folds->samples);
    int64_t *numbers = cj__new((size_t)folds->samples, sizeof *numbers);
    int64_t *next =
        cj__new((size_t)folds->count + 1, sizeof *next); // the place of a fold's next sample
    cj_status status = numbers && next ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int fold = 0; status == CJ_OK && fold < folds->count; fold++)
        next[fold + 1] = next[fold] + folds->sizes[fold];
    for (int64_t i = 0; status == CJ_OK && i < folds->samples; i++)
        numbers[next[folds->of[i] < 0 ? folds->count : folds->of[i]]++] = i;
    if (status == CJ_OK)
        status = cj__pick_samples(data, numbers, folds->samples, ordered);
    cj__free(numbers);
    cj__free(next);
    return status;
}

static cj_status run_fold(const validation *v, int fold, cj_knn_scores *scores)
{
    const int64_t begin = v->begins[fold], end = v->begins[fold + 1];
    int64_t *correct = scores->correct;
    memset(correct, 0, (size_t)scores->k_count * sizeof *correct);
    const cj__among among = {&v->data.samples, v->data.centred, begin, end, v->metric};
    const cj__knn_trial trial = {cj__rows_slice(&v->data.samples, begin, end - begin),
                                 v->data.labels + begin, scores->k, scores->k_count, correct};
    CJ_TRY(cj__knn_trial_run(&trial, &among, v->data.labels, v->weights, v->pool));
    for (int i = 0; i < scores->k_count; i++)
        scores->accuracy[(int64_t)i * scores->folds + fold] =
            (double)correct[i] / (double)(end - begin);
    return CJ_OK;
}

static void summarize(cj_knn_scores *scores)
{
    int best = 0;
    for (int i = 0; i < scores->k_count; i++) {
        const double *accuracy = scores->accuracy + (int64_t)i * scores->folds;
        double sum = 0, squares = 0;
        for (int f = 0; f < scores->folds; f++)
            sum += accuracy[f];
        scores->mean[i] = sum / scores->folds;
        for (int f = 0; f < scores->folds; f++)
            squares += (accuracy[f] - scores->mean[i]) * (accuracy[f] - scores->mean[i]);
        scores->deviation[i] = sqrt(squares / scores->folds);
        const bool better = scores->mean[i] > scores->mean[best];
        if (better || (!(scores->mean[i] < scores->mean[best]) && scores->k[i] < scores->k[best]))
            best = i;
    }
    scores->best = scores->k[best];
}

// The values of k: the list, or the entries in braces up to the first 0.
static cj_status take_choices(const cj_knn_cross_validate_args *args, cj_knn_scores *scores)
{
    const int64_t *k = args->k_list ? args->k_list : args->k;
    int count = args->k_list ? args->k_count : 0;
    while (!args->k_list && count < CJ_IN_BRACES && k[count])
        count++;
    if (count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_knn_cross_validate: no values of k are given");
    scores->k_count = count;
    scores->k = cj__copy_bytes(k, (size_t)count * sizeof *k);
    return scores->k ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status check(const cj_knn_cross_validate_args *args, validation *v, cj_knn_scores *scores)
{
    const int64_t samples = v->data.samples.count;
    scores->folds = args->given ? args->given->count : args->folds;
    if (!args->given && (args->folds < 2 || args->folds > samples))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_knn_cross_validate: %d folds of %lld samples, it needs at least 2 and "
                        "no more than samples",
                        args->folds, (long long)samples);
    CJ_TRY(take_choices(args, scores));
    const size_t count = (size_t)scores->k_count;
    if (!(scores->accuracy = cj__new(count * (size_t)scores->folds, sizeof(double))) ||
        !(scores->mean = cj__new(count, sizeof(double))) ||
        !(scores->deviation = cj__new(count, sizeof(double))) ||
        !(scores->correct = cj__new(count, sizeof(int64_t))))
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(find_begins(args->given, scores->folds, v));
    int64_t longest = 0; // which leaves the fewest samples
    for (int fold = 0; fold < scores->folds; fold++)
        if (v->begins[fold + 1] - v->begins[fold] > longest)
            longest = v->begins[fold + 1] - v->begins[fold];
    return cj__check_k(scores->k, scores->k_count, samples - longest, "cj_knn_cross_validate");
}

static cj_status validate(cj_dataset *data, const cj_knn_cross_validate_args *args, validation *v,
                          cj_knn_scores *scores)
{
    CJ_TRY(cj__metric_find(args->metric, &v->metric));
    CJ_TRY(cj__weights_find(args->weights, &v->weights));
    cj_dataset *ordered = NULL;
    if (args->given && data)
        CJ_TRY(order_by_fold(data, args->given, &ordered));
    const cj_status status = cj__learned_open(ordered ? ordered : data, v->metric, v->pool,
                                              "cj_knn_cross_validate", &v->data);
    cj_release(ordered);
    CJ_TRY(status);
    CJ_TRY(check(args, v, scores));
    for (int fold = 0; fold < scores->folds; fold++) {
        CJ_TRY(run_fold(v, fold, scores));
        if (args->progress)
            args->progress(args->context, fold + 1, scores->folds);
    }
    summarize(scores);
    return CJ_OK;
}

CJ__DEFAULTS(knn_cross_validate, KNN_CROSS_VALIDATE)

cj_status cj_knn_cross_validate_with(cj_dataset *data, cj_knn_scores **scores,
                                     const cj_knn_cross_validate_args *args)
{
    cj_knn_cross_validate_args given;
    if (!scores)
        return cj__fail_null("cj_knn_cross_validate: the place for the scores");
    *scores = NULL;
    CJ_TRY(cj__args_read("cj_knn_cross_validate", args, &knn_cross_validate_defaults, sizeof given,
                         &given));
    CJ_TRY(cj__pool_given(&given.pool, "cj_knn_cross_validate"));
    validation v = {.pool = given.pool ? cj_retain(given.pool) : cj_pool_new(0)};
    cj_knn_scores *found = v.pool ? cj__object_new(&scores_class, sizeof *found) : NULL;
    cj_status status = found ? validate(data, &given, &v, found) : cj_error_status();
    cj__learned_close(&v.data);
    cj__free(v.begins);
    cj_release(v.pool);
    if (status == CJ_OK)
        *scores = found;
    else
        cj_release(found);
    return status;
}
