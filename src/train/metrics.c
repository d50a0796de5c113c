// Metrics, in Keras's definitions, and the matching of targets to predictions that losses share.
#include "base/error.h"
#include "train/losses.h"
#include <string.h>

typedef struct metric_args {
    double threshold;
    int64_t k;
} metric_args;
static const metric_args metric_defaults = {.threshold = 0.5, .k = 5};

static const cj__field threshold_fields[] = {
    CJ__FIELD(metric_args, threshold, CJ__FIELD_NUMBER),
};
static const cj__field k_fields[] = {
    CJ__FIELD(metric_args, k, CJ__FIELD_INT, .low = 1, .high = 1e9),
};

static int last_of(const cj_symbol *x)
{
    return x ? cj__symbol_type(x)->shape.rank - 1 : 0;
}

// A comparison's result as a value of 0 or 1.
static cj_symbol *counted(cj__build *g, cj_symbol *truth, cj_symbol *like)
{
    return like ? cj__cast(g, truth, cj__symbol_type(like)->dtype) : NULL;
}

// Whether two tensors of class numbers are equal; compared as reals, which hold them exactly.
static cj_symbol *same_class(cj__build *g, cj_symbol *a, cj_symbol *b, cj_symbol *p)
{
    return counted(g, cj__compare(g, CJ__COMPARISON_equal, counted(g, a, p), counted(g, b, p)), p);
}

static cj_symbol *sparse_categorical_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                              cj_symbol *p)
{
    (void)args;
    return same_class(g, t, cj__argmax(g, p, last_of(p)), p);
}

static cj_symbol *categorical_accuracy(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    (void)args;
    return same_class(g, cj__argmax(g, t, last_of(t)), cj__argmax(g, p, last_of(p)), p);
}

// mean of t == (p > threshold)
static cj_symbol *binary_accuracy(cj__build *g, const void *args, cj_symbol *t, cj_symbol *p)
{
    const metric_args *a = args;
    cj_symbol *yes =
        p ? cj__compare(g, CJ__COMPARISON_greater, p, cj__scalar_like(g, p, a->threshold)) : NULL;
    cj_symbol *right = cj__compare(g, CJ__COMPARISON_equal, t, counted(g, yes, p));
    return cj__last_mean(g, counted(g, right, p));
}

static cj_symbol *sparse_top_k_categorical_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                                    cj_symbol *p)
{
    return counted(g, cj__in_top_k(g, p, t, ((const metric_args *)args)->k), p);
}

static cj_symbol *top_k_categorical_accuracy(cj__build *g, const void *args, cj_symbol *t,
                                             cj_symbol *p)
{
    return sparse_top_k_categorical_accuracy(g, args, cj__argmax(g, t, last_of(t)), p);
}

enum { ACCURACY, BINARY = 2, SPARSE, CATEGORICAL };
static const cj__loss metrics[] = {
    [ACCURACY] = {CJ__CHOICE("accuracy", "Accuracy", threshold_fields, metric_defaults),
                  CJ__TARGET_RESOLVED, NULL, true, false},
    {CJ__CHOICE("acc", NULL, threshold_fields, metric_defaults), CJ__TARGET_RESOLVED, NULL, true,
     false},
    [BINARY] = {CJ__CHOICE("binary_accuracy", "BinaryAccuracy", threshold_fields, metric_defaults),
                CJ__TARGET_SAME, binary_accuracy, true, false},
    [SPARSE] = {CJ__PLAIN_CHOICE("sparse_categorical_accuracy", "SparseCategoricalAccuracy"),
                CJ__TARGET_LABELS, sparse_categorical_accuracy, true, false},
    [CATEGORICAL] = {CJ__PLAIN_CHOICE("categorical_accuracy", "CategoricalAccuracy"),
                     CJ__TARGET_SAME, categorical_accuracy, true, false},
    {CJ__CHOICE("sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy", k_fields,
                metric_defaults),
     CJ__TARGET_LABELS, sparse_top_k_categorical_accuracy, true, false},
    {CJ__CHOICE("top_k_categorical_accuracy", "TopKCategoricalAccuracy", k_fields, metric_defaults),
     CJ__TARGET_SAME, top_k_categorical_accuracy, true, false},
    {CJ__PLAIN_CHOICE("mean_squared_error", "MeanSquaredError"), CJ__TARGET_SAME, cj__values_mse,
     false, false},
    {CJ__PLAIN_CHOICE("mse", NULL), CJ__TARGET_SAME, cj__values_mse, false, false},
    {CJ__PLAIN_CHOICE("mean_absolute_error", "MeanAbsoluteError"), CJ__TARGET_SAME, cj__values_mae,
     false, false},
    {CJ__PLAIN_CHOICE("mae", NULL), CJ__TARGET_SAME, cj__values_mae, false, false},
};

const cj__catalog cj__metrics = {.what = "metric",
                                 .rows = metrics,
                                 .stride = sizeof metrics[0],
                                 .count = (int)(sizeof metrics / sizeof metrics[0])};

const cj__loss *cj__metric_resolve(const cj__loss *metric, const cj_shape *targets,
                                   const cj_shape *predictions)
{
    if (metric->target != CJ__TARGET_RESOLVED)
        return metric;
    const int64_t p_last = predictions->rank ? predictions->dims[predictions->rank - 1] : 1;
    const int64_t t_last = targets->rank ? targets->dims[targets->rank - 1] : 1;
    if (p_last == 1)
        return &metrics[BINARY];
    return targets->rank < predictions->rank || t_last == 1 ? &metrics[SPARSE] :
                                                              &metrics[CATEGORICAL];
}

// What to say to targets that another loss or metric takes: one-hot targets where labels are
// needed, or the other way round. `text` holds the advice; it is empty if none fits.
static const char *advise(const cj__loss *loss, const cj_shape *given, const cj_shape *predictions,
                          char *text, size_t size)
{
    static const char sparse[] = "sparse_";
    const char *name = loss->choice.name;
    const bool is_sparse = strncmp(name, sparse, strlen(sparse)) == 0;
    const bool is_one_hot = cj_shape_equal(given, predictions);
    const int rank = given->rank - (given->rank > 1 && given->dims[given->rank - 1] == 1);
    text[0] = '\0';
    if (is_sparse && is_one_hot)
        snprintf(text, size, "; one-hot targets need %s", name + strlen(sparse));
    else if (strncmp(name, "categorical_", strlen("categorical_")) == 0 &&
             rank + 1 == predictions->rank)
        snprintf(text, size, "; class numbers need %s%s", sparse, name);
    return text;
}

// The targets in the shape that is needed, up to axes of length 1 at the end; NULL with a failed
// builder otherwise.
static cj_symbol *fit_targets(const cj__loss *loss, const char *who, cj__build *g,
                              cj_symbol *targets, cj_symbol *predictions)
{
    const bool labels = loss->target == CJ__TARGET_LABELS || loss->target == CJ__TARGET_GROUPS;
    const cj_shape *given = &cj__symbol_type(targets)->shape,
                   *p = &cj__symbol_type(predictions)->shape;
    cj_shape wanted = *p, bare = *given;
    char t_text[CJ_MAX_RANK * 24], p_text[CJ_MAX_RANK * 24], w_text[CJ_MAX_RANK * 24], advice[96];
    if (labels && wanted.rank > 1)
        wanted.rank--;
    if (bare.rank == wanted.rank + 1 && bare.dims[wanted.rank] == 1)
        bare.rank--;
    else if (bare.rank + 1 == wanted.rank && wanted.dims[bare.rank] == 1)
        bare.dims[bare.rank++] = 1;
    if (!cj_shape_equal(&bare, &wanted)) {
        if (g->status == CJ_OK)
            g->status = cj__fail(
                CJ_SHAPE_MISMATCH,
                "%s: targets of shape %s do not fit predictions of shape %s, needed are %s%s", who,
                cj_shape_text(given, t_text, sizeof t_text),
                cj_shape_text(p, p_text, sizeof p_text),
                cj_shape_text(&wanted, w_text, sizeof w_text),
                advise(loss, given, p, advice, sizeof advice));
        return NULL;
    }
    return cj_shape_equal(given, &wanted) ? targets : cj__reshape(g, targets, &wanted);
}

cj_symbol *cj__loss_values(const cj__loss *loss, const void *args, const char *who, cj__build *g,
                           cj_symbol *targets, cj_symbol *predictions, cj_symbol **counts)
{
    if (counts)
        *counts = NULL;
    if (!targets || !predictions)
        return NULL;
    loss = cj__metric_resolve(loss, &cj__symbol_type(targets)->shape,
                              &cj__symbol_type(predictions)->shape);
    if (loss->target != CJ__TARGET_ROWS)
        targets = fit_targets(loss, who, g, targets, predictions);
    if (!targets)
        return NULL;
    targets = cj__cast(
        g, targets, loss->target == CJ__TARGET_SAME ? cj__symbol_type(predictions)->dtype : CJ_I32);
    cj_symbol *values = loss->values(g, args, targets, predictions);
    if (counts && loss->counts)
        *counts = loss->counts(g, args, targets, values);
    return g->status == CJ_OK ? values : NULL;
}
