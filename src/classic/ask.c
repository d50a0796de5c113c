// Questions to a classifier: the nearest neighbours, labels, class probabilities.
#include "classic/knn.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"

enum { CLASSES_MAX = 65536 };

// Opens a search for the k nearest neighbours of each row of `x`. On success close `queries` after
// the search.
static cj_status open_search(const cj_knn *knn, const cj_tensor *x, int64_t k, const char *who,
                             cj__rows *queries, cj__search *search)
{
    char what[64];
    CJ_TRY(cj__check_fitted(knn, who));
    CJ_TRY(cj__check_k(&k, 1, knn->learned.samples.count, who));
    snprintf(what, sizeof what, "%s: x", who);
    CJ_TRY(cj__rows_open(x, what, queries));
    const cj__among among = cj__among_all(knn);
    cj_status status = cj__check_alike(queries, &knn->learned.samples, who);
    if (status == CJ_OK)
        status = cj__search_open(search, &among, queries, k, knn->pool);
    if (status != CJ_OK)
        cj__rows_close(queries);
    return status;
}

cj_status cj_knn_neighbors(cj_knn *knn, const cj_tensor *x, int64_t k, cj_tensor **distances,
                           cj_tensor **indices)
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

// Writes the result of one query from its ballots: a label, or the probabilities of the classes.
typedef void count_ballots(const cj__ballot *ballots, int64_t k, int64_t classes, void *to,
                           int64_t query);

static void write_label(const cj__ballot *ballots, int64_t k, int64_t classes, void *to,
                        int64_t query)
{
    (void)classes;
    ((int32_t *)to)[query] = cj__ballots_winner(ballots, k);
}

static void write_probabilities(const cj__ballot *ballots, int64_t k, int64_t classes, void *to,
                                int64_t query)
{
    float *probabilities = (float *)to + query * classes;
    double total = 0, sum = 0;
    for (int64_t i = 0; i < k; i++)
        total += ballots[i].weight;
    for (int64_t i = 0; i < k; i++) {
        sum += ballots[i].weight;
        if (i + 1 == k || ballots[i + 1].label != ballots[i].label) {
            probabilities[ballots[i].label] = (float)(sum / total);
            sum = 0;
        }
    }
}

// Fills `result` query by query.
static cj_status fill(const cj_knn *knn, cj__search *search, count_ballots *count,
                      cj_tensor *result)
{
    cj__ballot *ballots = cj__new((size_t)knn->k, sizeof *ballots);
    if (!ballots)
        return CJ_OUT_OF_MEMORY;
    while (cj__search_next(search))
        for (int64_t i = 0; i < search->count; i++) {
            cj__ballots_of(search->best + i * knn->k, knn->k, knn->learned.labels, knn->weights,
                           ballots);
            count(ballots, knn->k, (int64_t)knn->learned.max_label + 1, result->data,
                  search->first + i);
        }
    cj__free(ballots);
    return CJ_OK;
}

cj_status cj_knn_predict(cj_knn *knn, const cj_tensor *x, cj_tensor **labels)
{
    cj__rows queries;
    cj__search search;
    if (!labels)
        return cj__fail_null_of("cj_knn_predict", "the place for the labels");
    *labels = NULL;
    CJ_TRY(open_search(knn, x, knn ? knn->k : 0, "cj_knn_predict", &queries, &search));
    cj_tensor *result = NULL;
    cj_status status = cj_tensor_new(CJ_I32, CJ_SHAPE(queries.count), &result);
    if (status == CJ_OK)
        status = fill(knn, &search, write_label, result);
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
    if (!probabilities)
        return cj__fail_null_of("cj_knn_predict_proba", "the place for the probabilities");
    *probabilities = NULL;
    CJ_TRY(cj__check_fitted(knn, "cj_knn_predict_proba"));
    const int64_t classes = (int64_t)knn->learned.max_label + 1;
    if (classes > CLASSES_MAX)
        return cj__fail(
            CJ_UNSUPPORTED,
            "cj_knn_predict_proba: labels go up to %lld, a table has at most %d classes",
            (long long)classes - 1, CLASSES_MAX);
    CJ_TRY(open_search(knn, x, knn->k, "cj_knn_predict_proba", &queries, &search));
    cj_tensor *result = NULL;
    cj_status status = cj_tensor_new(CJ_F32, CJ_SHAPE(queries.count, classes), &result);
    if (status == CJ_OK)
        status = fill(knn, &search, write_probabilities, result);
    cj__search_close(&search);
    cj__rows_close(&queries);
    if (status == CJ_OK)
        *probabilities = result;
    else
        cj_release(result);
    return status;
}
