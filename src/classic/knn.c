// The classifier by k-nearest neighbours: keeping samples, and what is asked of them.
#include "classic/knn.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/object.h"
#include "tensor/tensor.h"

enum { DEFAULT_K = 5, CLASSES_MAX = 65536 };

struct cj_knn {
    cj__object object;
    int64_t k;
    const cj__metric *metric;
    cj__weights weights;
    cj_pool *pool;       // held
    cj__learned learned; // samples.count is 0 before the first fit
};

static void destroy_knn(void *object)
{
    cj_knn *knn = object;
    cj__learned_close(&knn->learned);
    cj_release(knn->pool);
    cj__free(knn);
}

static const cj__class knn_class = {.name = "k-nearest neighbours", .destroy = destroy_knn};

cj_knn *cj_knn_build(const cj_knn_args *args)
{
    cj_pool *pool = args->pool ? cj__own(args->pool) : cj_pool_new(0);
    cj_knn *knn = pool ? cj__object_new(&knn_class, sizeof *knn) : NULL;
    if (!knn) {
        cj_release(pool);
        return NULL;
    }
    knn->pool = pool;
    knn->k = args->k ? args->k : DEFAULT_K;
    cj_status status = cj__check_k(&knn->k, 1, INT64_MAX, "cj_knn_new");
    if (status == CJ_OK)
        status = cj__metric_find(args->metric, &knn->metric);
    if (status == CJ_OK)
        status = cj__weights_find(args->weights, &knn->weights);
    if (status == CJ_OK)
        return knn;
    cj_release(knn);
    return NULL;
}

cj_status cj__check_k(const int64_t *k, int count, int64_t most, const char *who)
{
    for (int i = 0; i < count; i++) {
        if (k[i] < 1)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: k is %lld, it needs to be at least 1", who, (long long)k[i]);
        if (k[i] > most)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: k is %lld, but there are %lld samples to be near to", who,
                            (long long)k[i], (long long)most);
    }
    return CJ_OK;
}

// Learning -------------------------------------------------------------------------------------------------------------

static cj_status open_data(cj_dataset *data, const char *who, cj__rows *rows, int32_t **labels)
{
    char what[64];
    *rows = (cj__rows){0};
    *labels = NULL;
    if (!data)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the data is NULL", who);
    if (cj_dataset_x(data, 1) || cj_dataset_y(data, 1))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the data set has several inputs or targets, it needs one of each", who);
    snprintf(what, sizeof what, "%s: x", who);
    CJ_TRY(cj__rows_open(cj_dataset_x(data, 0), what, rows));
    const cj_status status = cj__labels_read(cj_dataset_y(data, 0), rows->count, who, labels);
    if (status != CJ_OK)
        cj__rows_close(rows);
    return status;
}

cj_status cj__learned_open(cj_dataset *data, const cj__metric *metric, cj_pool *pool, const char *who,
                           cj__learned *learned)
{
    *learned = (cj__learned){.greatest = 0};
    CJ_TRY(open_data(data, who, &learned->samples, &learned->labels));
    for (int64_t i = 0; i < learned->samples.count; i++)
        if (learned->labels[i] > learned->greatest)
            learned->greatest = learned->labels[i];
    const cj_status status = cj__centre_rows(&learned->samples, metric, pool, &learned->centred);
    if (status != CJ_OK)
        cj__learned_close(learned);
    return status;
}

void cj__learned_close(cj__learned *learned)
{
    cj__rows_close(&learned->samples);
    cj__free(learned->labels);
    cj__free(learned->centred);
    *learned = (cj__learned){.greatest = 0};
}

cj_status cj_knn_fit(cj_knn *knn, cj_dataset *data)
{
    cj__learned learned;
    if (!knn)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_knn_fit: the classifier is NULL");
    CJ_TRY(cj__learned_open(data, knn->metric, knn->pool, "cj_knn_fit", &learned));
    const cj_status status = cj__check_k(&knn->k, 1, learned.samples.count, "cj_knn_fit");
    if (status != CJ_OK) {
        cj__learned_close(&learned);
        return status;
    }
    cj__learned_close(&knn->learned);
    knn->learned = learned;
    return CJ_OK;
}

// Asking ---------------------------------------------------------------------------------------------------------------

static cj_status check_fitted(const cj_knn *knn, const char *who)
{
    if (!knn)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the classifier is NULL", who);
    if (knn->learned.samples.count == 0)
        return cj__fail(CJ_NOT_BUILT, "%s: the classifier has no samples yet, call cj_knn_fit() first", who);
    return CJ_OK;
}

// Whether queries are of the samples' kind.
static cj_status check_alike(const cj__rows *queries, const cj__rows *samples, const char *who)
{
    if (queries->bytes != samples->bytes)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: x %s uint8, but the samples %s: both or neither need to be", who,
                        queries->bytes ? "is" : "is not", samples->bytes ? "are" : "are not");
    if (queries->width != samples->width)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: x has %lld elements for each query, but the samples have %lld", who,
                        (long long)queries->width, (long long)samples->width);
    return CJ_OK;
}

static cj__among among_all(const cj_knn *knn)
{
    const int64_t count = knn->learned.samples.count;
    return (cj__among){&knn->learned.samples, knn->learned.centred, count, count, knn->metric};
}

// A search for the k nearest to each row of `x`. On success `queries` is to be closed after the search.
static cj_status open_search(const cj_knn *knn, const cj_tensor *x, int64_t k, const char *who, cj__rows *queries,
                             cj__search *search)
{
    char what[64];
    CJ_TRY(check_fitted(knn, who));
    CJ_TRY(cj__check_k(&k, 1, knn->learned.samples.count, who));
    snprintf(what, sizeof what, "%s: x", who);
    CJ_TRY(cj__rows_open(x, what, queries));
    const cj__among among = among_all(knn);
    cj_status status = check_alike(queries, &knn->learned.samples, who);
    if (status == CJ_OK)
        status = cj__search_open(search, &among, queries, k, knn->pool);
    if (status != CJ_OK)
        cj__rows_close(queries);
    return status;
}

cj_status cj_knn_neighbors(cj_knn *knn, const cj_tensor *x, int64_t k, cj_tensor **distances, cj_tensor **indices)
{
    cj__rows queries;
    cj__search search;
    cj_tensor *found_distances = NULL, *found_indices = NULL;
    if (distances)
        *distances = NULL;
    if (indices)
        *indices = NULL;
    const int64_t wanted = k || !knn ? k : knn->k;
    CJ_TRY(open_search(knn, x, wanted, "cj_knn_neighbors", &queries, &search));
    cj_status status = cj_tensor_new(CJ_F64, CJ_SHAPE(queries.count, wanted), &found_distances);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_I64, CJ_SHAPE(queries.count, wanted), &found_indices);
    while (status == CJ_OK && cj__search_next(&search)) {
        double *distance = (double *)(void *)found_distances->data + search.first * wanted;
        int64_t *index = (int64_t *)(void *)found_indices->data + search.first * wanted;
        for (int64_t i = 0; i < search.count * wanted; i++) {
            distance[i] = search.best[i].distance;
            index[i] = search.best[i].index;
        }
    }
    cj__search_close(&search);
    cj__rows_close(&queries);
    if (status == CJ_OK && distances)
        *distances = cj_retain(found_distances);
    if (status == CJ_OK && indices)
        *indices = cj_retain(found_indices);
    cj_release(found_distances);
    cj_release(found_indices);
    return status;
}

// What cj_knn_predict() and cj_knn_predict_proba() do with the ballots of a query.
typedef void count_ballots(const cj__ballot *ballots, int64_t k, int64_t classes, void *to, int64_t query);

static void take_winner(const cj__ballot *ballots, int64_t k, int64_t classes, void *to, int64_t query)
{
    (void)classes;
    ((int32_t *)to)[query] = cj__ballots_winner(ballots, k);
}

static void take_shares(const cj__ballot *ballots, int64_t k, int64_t classes, void *to, int64_t query)
{
    float *shares = (float *)to + query * classes;
    double all = 0, sum = 0;
    for (int64_t i = 0; i < k; i++)
        all += ballots[i].weight;
    for (int64_t i = 0; i < k; i++) {
        sum += ballots[i].weight;
        if (i + 1 == k || ballots[i + 1].label != ballots[i].label) {
            shares[ballots[i].label] = (float)(sum / all);
            sum = 0;
        }
    }
}

// A result made beforehand is filled query by query.
static cj_status fill(const cj_knn *knn, cj__search *search, count_ballots *count, cj_tensor *result)
{
    cj__ballot *ballots = cj__new((size_t)knn->k, sizeof *ballots);
    if (!ballots)
        return CJ_OUT_OF_MEMORY;
    while (cj__search_next(search))
        for (int64_t i = 0; i < search->count; i++) {
            cj__ballots_of(search->best + i * knn->k, knn->k, knn->learned.labels, knn->weights, ballots);
            count(ballots, knn->k, (int64_t)knn->learned.greatest + 1, result->data, search->first + i);
        }
    cj__free(ballots);
    return CJ_OK;
}

cj_status cj_knn_predict(cj_knn *knn, const cj_tensor *x, cj_tensor **labels)
{
    cj__rows queries;
    cj__search search;
    *labels = NULL;
    CJ_TRY(open_search(knn, x, knn ? knn->k : 0, "cj_knn_predict", &queries, &search));
    cj_tensor *result = NULL;
    cj_status status = cj_tensor_new(CJ_I32, CJ_SHAPE(queries.count), &result);
    if (status == CJ_OK)
        status = fill(knn, &search, take_winner, result);
    cj__search_close(&search);
    cj__rows_close(&queries);
    if (status == CJ_OK)
        *labels = result;
    else
        cj_release(result);
    return status;
}

cj_status cj_knn_predict_proba(cj_knn *knn, const cj_tensor *x, cj_tensor **probabilities)
{
    cj__rows queries;
    cj__search search;
    *probabilities = NULL;
    CJ_TRY(check_fitted(knn, "cj_knn_predict_proba"));
    const int64_t classes = (int64_t)knn->learned.greatest + 1;
    if (classes > CLASSES_MAX)
        return cj__fail(CJ_UNSUPPORTED, "cj_knn_predict_proba: labels go up to %lld, a table has at most %d classes",
                        (long long)classes - 1, CLASSES_MAX);
    CJ_TRY(open_search(knn, x, knn->k, "cj_knn_predict_proba", &queries, &search));
    cj_tensor *result = NULL;
    cj_status status = cj_tensor_new(CJ_F32, CJ_SHAPE(queries.count, classes), &result);
    if (status == CJ_OK)
        status = fill(knn, &search, take_shares, result);
    cj__search_close(&search);
    cj__rows_close(&queries);
    if (status == CJ_OK)
        *probabilities = result;
    else
        cj_release(result);
    return status;
}

// Scores ---------------------------------------------------------------------------------------------------------------

cj_status cj__trial_run(const cj__trial *trial, const cj__among *among, const int32_t *sample_labels,
                        cj__weights weights, cj_pool *pool)
{
    cj__search search;
    int64_t most = 0;
    for (int i = 0; i < trial->k_count; i++)
        most = trial->k[i] > most ? trial->k[i] : most;
    cj__ballot *ballots = cj__new((size_t)most, sizeof *ballots);
    cj_status status = ballots ? cj__search_open(&search, among, &trial->queries, most, pool) : CJ_OUT_OF_MEMORY;
    while (status == CJ_OK && cj__search_next(&search))
        for (int64_t query = 0; query < search.count; query++)
            for (int i = 0; i < trial->k_count; i++) {
                cj__ballots_of(search.best + query * most, trial->k[i], sample_labels, weights, ballots);
                trial->right[i] += cj__ballots_winner(ballots, trial->k[i]) == trial->labels[search.first + query];
            }
    if (status == CJ_OK)
        cj__search_close(&search);
    cj__free(ballots);
    return status;
}

static cj_status score(cj_knn *knn, cj_dataset *test, const int64_t *k, int count, double *accuracy, const char *who)
{
    cj__trial trial = {.k = k, .k_count = count};
    int64_t right[CJ_KNN_MAX_CHOICES] = {0};
    int32_t *labels;
    CJ_TRY(cj__check_k(k, count, knn->learned.samples.count, who));
    CJ_TRY(open_data(test, who, &trial.queries, &labels));
    trial.labels = labels;
    trial.right = right;
    const cj__among among = among_all(knn);
    cj_status status = check_alike(&trial.queries, &knn->learned.samples, who);
    if (status == CJ_OK)
        status = cj__trial_run(&trial, &among, knn->learned.labels, knn->weights, knn->pool);
    for (int i = 0; status == CJ_OK && i < count; i++)
        accuracy[i] = (double)right[i] / (double)trial.queries.count;
    cj__free(labels);
    cj__rows_close(&trial.queries);
    return status;
}

cj_status cj_knn_score(cj_knn *knn, cj_dataset *test, double *accuracy)
{
    CJ_TRY(check_fitted(knn, "cj_knn_score"));
    return score(knn, test, &knn->k, 1, accuracy, "cj_knn_score");
}

cj_status cj_knn_score_each(cj_knn *knn, cj_dataset *test, const int64_t *k, int count, double *accuracy)
{
    CJ_TRY(check_fitted(knn, "cj_knn_score_each"));
    if (count < 1 || count > CJ_KNN_MAX_CHOICES)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_knn_score_each: %d values of k, it needs 1 to %d", count,
                        CJ_KNN_MAX_CHOICES);
    return score(knn, test, k, count, accuracy, "cj_knn_score_each");
}
