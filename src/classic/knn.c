// The k-nearest-neighbours classifier: its settings and training samples. ask.c predicts, score.c
// measures accuracy.
#include "classic/knn.h"

#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/object.h"
#include "tensor/tensor.h"

static void destroy_knn(void *object)
{
    cj_knn *knn = object;
    cj__learned_close(&knn->learned);
    cj_release(knn->pool);
    cj__free(knn);
}

static const cj__class knn_class = {.name = "k-nearest neighbours", .destroy = destroy_knn};

CJ__DEFAULTS(knn, KNN)

static cj_knn *make(const cj_knn_args *args)
{
    cj_pool *pool = args->pool ? cj__own(args->pool) : cj_pool_new(0);
    cj_knn *knn = pool ? cj__object_new(&knn_class, sizeof *knn) : NULL;
    if (!knn) {
        cj_release(pool);
        return NULL;
    }
    knn->pool = pool;
    knn->k = args->k;
    cj_status status = cj__check_k(&knn->k, 1, INT64_MAX, "cj_knn");
    if (status == CJ_OK)
        status = cj__metric_find(args->metric, &knn->metric);
    if (status == CJ_OK)
        status = cj__weights_find(args->weights, &knn->weights);
    if (status == CJ_OK)
        return knn;
    cj_release(knn);
    return NULL;
}

cj_knn *cj_knn_new(const cj_knn_args *args)
{
    cj_knn_args given;
    cj_knn *knn = NULL;
    if (cj__args_read("cj_knn", args, &knn_defaults, sizeof given, &given) == CJ_OK &&
        cj__pool_given(&given.pool, "cj_knn") == CJ_OK)
        knn = make(&given);
    return knn ? knn : cj__build_failed(CJ__MADE_KNN);
}

cj_status cj__check_k(const int64_t *k, int count, int64_t max, const char *who)
{
    for (int i = 0; i < count; i++) {
        if (k[i] < 1)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: k is %lld, it needs to be at least 1", who,
                            (long long)k[i]);
        if (k[i] > max)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: k is %lld, but there are %lld samples", who,
                            (long long)k[i], (long long)max);
    }
    return CJ_OK;
}

cj_status cj__labelled_open(cj_dataset *data, const char *who, cj__rows *rows, int32_t **labels)
{
    char what[64];
    *rows = (cj__rows){0};
    *labels = NULL;
    if (!data)
        return cj__fail_missing_of(CJ__MADE_DATASET, who, "the data");
    if (cj_dataset_x(data, 1) || cj_dataset_y(data, 1))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the data set has several inputs or targets, it needs one of each",
                        who);
    snprintf(what, sizeof what, "%s: x", who);
    CJ_TRY(cj__rows_open(cj_dataset_x(data, 0), what, rows));
    const cj_status status = cj__labels_read(cj_dataset_y(data, 0), rows->count, who, labels);
    if (status != CJ_OK)
        cj__rows_close(rows);
    return status;
}

cj_status cj__learned_open(cj_dataset *data, const cj__metric *metric, cj_pool *pool,
                           const char *who, cj__learned *learned)
{
    *learned = (cj__learned){.max_label = 0};
    CJ_TRY(cj__labelled_open(data, who, &learned->samples, &learned->labels));
    for (int64_t i = 0; i < learned->samples.count; i++)
        if (learned->labels[i] > learned->max_label)
            learned->max_label = learned->labels[i];
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
    *learned = (cj__learned){.max_label = 0};
}

cj_status cj_knn_fit(cj_knn *knn, cj_dataset *data)
{
    cj__learned learned;
    if (!knn)
        return cj__fail_missing_of(CJ__MADE_KNN, "cj_knn_fit", "the classifier");
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

cj_status cj__check_fitted(const cj_knn *knn, const char *who)
{
    if (!knn)
        return cj__fail_missing_of(CJ__MADE_KNN, who, "the classifier");
    if (knn->learned.samples.count == 0)
        return cj__fail(CJ_NOT_BUILT,
                        "%s: the classifier has no samples yet, call cj_knn_fit() first", who);
    return CJ_OK;
}

cj_status cj__check_alike(const cj__rows *queries, const cj__rows *samples, const char *who)
{
    if (queries->bytes != samples->bytes)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: x %s uint8, but the samples %s: both or neither need to be", who,
                        queries->bytes ? "is" : "is not", samples->bytes ? "are" : "are not");
    if (queries->width != samples->width)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: x has %lld elements for each query, but the samples have %lld", who,
                        (long long)queries->width, (long long)samples->width);
    return CJ_OK;
}

cj__among cj__among_all(const cj_knn *knn)
{
    const int64_t count = knn->learned.samples.count;
    return (cj__among){&knn->learned.samples, knn->learned.centred, count, count, knn->metric};
}
