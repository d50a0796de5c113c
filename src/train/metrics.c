// The catalog of metrics. Values of means are in accuracy.c and in the files of the losses, states in
// confusion.c and scores.c.
#include "train/metrics.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/custom.h"
#include <math.h>
#include <string.h>

#define NAME(type) CJ__FIELD(type, name, CJ__FIELD_TEXT)

static const cj__accuracy_args accuracy_defaults = {.threshold = 0.5, .k = 5};
static const cj__loss_args plain_defaults = {.reduction = NULL};
static const cj__entropy_args entropy_defaults = {.axis = -1, .ignore_class = INFINITY};
static const cj__focal_args focal_defaults = {.axis = -1, .alpha = 0.25, .gamma = 2};
static const cj__generalized_args generalized_defaults = {.q = 0.5};
static const cj__huber_args huber_defaults = {.delta = 1};
static const cj__cosine_args axis_defaults = {.axis = -1};
static const cj__confusion_args counts_defaults = {.top_k = -1, .class_id = -1};
static const cj__confusion_args at_defaults = {
    .top_k = -1, .class_id = -1, .num_thresholds = 200, .value = NAN};
static const cj__auc_args auc_defaults = {
    .num_thresholds = 200, .curve = "ROC", .summation_method = "interpolation", .num_labels = -1};
static const cj__f_args f_defaults = {.beta = 1, .threshold = INFINITY};
static const cj__iou_args iou_defaults = {
    .ignore_class = INFINITY, .sparse_y_true = true, .sparse_y_pred = true};
static const cj__iou_args one_hot_iou_defaults = {.ignore_class = INFINITY};
static const cj__iou_args binary_iou_defaults = {
    .ignore_class = INFINITY, .num_classes = 2, .target_class_ids = "(0, 1)", .threshold = 0.5};
static const cj__steps_args spikes_defaults = {.threshold = 0.5};
static const cj__r2_args r2_defaults = {.class_aggregation = "uniform_average"};

static const cj__field plain_fields[] = {NAME(cj__loss_args)};
static const cj__field threshold_fields[] = {
    NAME(cj__accuracy_args),
    CJ__FIELD(cj__accuracy_args, threshold, CJ__FIELD_NUMBER),
};
static const cj__field k_fields[] = {
    NAME(cj__accuracy_args),
    CJ__FIELD(cj__accuracy_args, k, CJ__FIELD_INT, .low = 1, .high = 1e9),
};
static const cj__field entropy_fields[] = {
    NAME(cj__entropy_args),
    CJ__FIELD(cj__entropy_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__entropy_args, label_smoothing, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj__entropy_args, axis, CJ__FIELD_INT),
};
static const cj__field sparse_fields[] = {
    NAME(cj__entropy_args),
    CJ__FIELD(cj__entropy_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__entropy_args, axis, CJ__FIELD_INT),
};
static const cj__field focal_fields[] = {
    NAME(cj__focal_args),
    CJ__FIELD(cj__focal_args, apply_class_balancing, CJ__FIELD_BOOL),
    CJ__FIELD(cj__focal_args, alpha, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__focal_args, gamma, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj__focal_args, from_logits, CJ__FIELD_BOOL),
    CJ__FIELD(cj__focal_args, label_smoothing, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(cj__focal_args, axis, CJ__FIELD_INT),
};
static const cj__field generalized_fields[] = {
    NAME(cj__generalized_args),
    CJ__FIELD(cj__generalized_args, q, CJ__FIELD_NUMBER, .low = 1e-6, .high = 1 - 1e-6),
};
static const cj__field huber_fields[] = {
    NAME(cj__huber_args),
    CJ__FIELD(cj__huber_args, delta, CJ__FIELD_NUMBER),
};
static const cj__field axis_fields[] = {
    NAME(cj__cosine_args),
    CJ__FIELD(cj__cosine_args, axis, CJ__FIELD_INT),
};

#define THRESHOLDS CJ__FIELD(cj__confusion_args, thresholds, CJ__FIELD_NUMBER_TEXT, CJ__SHARE)
#define CLASS_ID   CJ__FIELD(cj__confusion_args, class_id, CJ__FIELD_SEED)
static const cj__field counts_fields[] = {NAME(cj__confusion_args), THRESHOLDS};
static const cj__field precision_fields[] = {NAME(cj__confusion_args), THRESHOLDS,
                                             CJ__FIELD(cj__confusion_args, top_k, CJ__FIELD_SEED),
                                             CLASS_ID};
// The value that a metric is taken at has another key in each.
#define AT_FIELDS(word)                                                                      \
    static const cj__field at_##word##_fields[] = {                                          \
        {.key = #word,                                                                       \
         .kind = CJ__FIELD_NUMBER,                                                           \
         .offset = offsetof(cj__confusion_args, value),                                      \
         .required = true,                                                                   \
         CJ__SHARE},                                                                         \
        CJ__FIELD(cj__confusion_args, num_thresholds, CJ__FIELD_INT, .low = 1, .high = 1e6), \
        CLASS_ID,                                                                            \
        NAME(cj__confusion_args)}
AT_FIELDS(specificity);
AT_FIELDS(sensitivity);
AT_FIELDS(recall);
AT_FIELDS(precision);

static const char *const curves[] = {"ROC", "PR", "PRGAIN", "roc", "pr", "prgain", NULL};
static const char *const methods[] = {"interpolation", "minoring", "majoring", "Interpolation",
                                      "Minoring",      "Majoring", NULL};
static const cj__field auc_fields[] = {
    CJ__FIELD(cj__auc_args, num_thresholds, CJ__FIELD_INT, .low = 2, .high = 1e6),
    CJ__FIELD(cj__auc_args, curve, CJ__FIELD_TEXT, .words = curves),
    CJ__FIELD(cj__auc_args, summation_method, CJ__FIELD_TEXT, .words = methods),
    CJ__FIELD(cj__auc_args, thresholds, CJ__FIELD_NUMBER_TEXT, CJ__SHARE),
    CJ__FIELD(cj__auc_args, multi_label, CJ__FIELD_BOOL),
    CJ__FIELD(cj__auc_args, num_labels, CJ__FIELD_SEED),
    CJ__FIELD(cj__auc_args, label_weights, CJ__FIELD_NUMBER_TEXT),
    CJ__FIELD(cj__auc_args, from_logits, CJ__FIELD_BOOL),
    NAME(cj__auc_args),
};

static const char *const averages[] = {"micro", "macro", "weighted", NULL};
#define AVERAGE CJ__FIELD(cj__f_args, average, CJ__FIELD_TEXT, .words = averages)
#define F_AT    CJ__FIELD(cj__f_args, threshold, CJ__FIELD_LIMIT, .low = 1e-30, .high = 1)
static const cj__field f1_fields[] = {AVERAGE, F_AT, NAME(cj__f_args)};
static const cj__field f_fields[] = {
    AVERAGE, CJ__FIELD(cj__f_args, beta, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1e30), F_AT,
    NAME(cj__f_args)};

#define CLASSES \
    CJ__FIELD(cj__iou_args, num_classes, CJ__FIELD_INT, .required = true, .low = 1, .high = 30000)
#define TARGETS                                                                                  \
    CJ__FIELD(cj__iou_args, target_class_ids, CJ__FIELD_NUMBER_TEXT, .required = true, .low = 0, \
              .high = 1e9)
#define IGNORED     CJ__FIELD(cj__iou_args, ignore_class, CJ__FIELD_LIMIT, .low = -1e9, .high = 1e9)
#define SPARSE_TRUE CJ__FIELD(cj__iou_args, sparse_y_true, CJ__FIELD_BOOL)
#define SPARSE_PRED CJ__FIELD(cj__iou_args, sparse_y_pred, CJ__FIELD_BOOL)
static const cj__field iou_fields[] = {CLASSES,     TARGETS,     IGNORED,
                                       SPARSE_TRUE, SPARSE_PRED, NAME(cj__iou_args)};
static const cj__field mean_iou_fields[] = {CLASSES, IGNORED, SPARSE_TRUE, SPARSE_PRED,
                                            NAME(cj__iou_args)};
static const cj__field one_hot_iou_fields[] = {CLASSES, TARGETS, IGNORED, SPARSE_PRED,
                                               NAME(cj__iou_args)};
static const cj__field one_hot_mean_iou_fields[] = {CLASSES, IGNORED, SPARSE_PRED,
                                                    NAME(cj__iou_args)};
static const cj__field binary_iou_fields[] = {
    TARGETS, CJ__FIELD(cj__iou_args, threshold, CJ__FIELD_NUMBER), NAME(cj__iou_args)};

static const char *const aggregations[] = {"uniform_average", "variance_weighted_average", "none",
                                           NULL};
static const cj__field r2_fields[] = {
    CJ__FIELD(cj__r2_args, class_aggregation, CJ__FIELD_TEXT, .words = aggregations),
    CJ__FIELD(cj__r2_args, num_regressors, CJ__FIELD_INT, .low = 0, .high = 1e15),
    NAME(cj__r2_args),
};

static const cj__field spikes_fields[] = {
    CJ__FIELD(cj__steps_args, threshold, CJ__FIELD_NUMBER),
    NAME(cj__steps_args),
};

// Keys of Keras's configs that have one value here.
static const cj__config_key keys[] = {CJ__KEY_ONLY("axis", "-1"), {.key = NULL}};

#define CHOICE(plain, class, set, standard) \
    .choice = CJ__CHOICE(plain, class, set##_fields, standard##_defaults)
// A mean: name, class, values, fields and their defaults, targets, whether greater is better.
#define MEAN(plain, class, function, set, standard, wanted, up) \
    {                                                           \
        .of = {                                                 \
            CHOICE(plain, class, set, standard),                \
            .target = CJ__TARGET_##wanted,                      \
            .values = cj__values_##function,                    \
            .rises = up                                         \
        }                                                       \
    }
// One with states: likewise, with the states and what makes the number of them.
#define KEPT(plain, class, set, standard, wanted, up, kept, result)                              \
    {                                                                                            \
        .of = {CHOICE(plain, class, set, standard), .target = CJ__TARGET_##wanted, .rises = up}, \
        .states = cj__states_##kept, .finish = cj__finish_##result                               \
    }
#define RESOLVED(plain, class)                         \
    {                                                  \
        .of = {                                        \
            CHOICE(plain, class, threshold, accuracy), \
            .target = CJ__TARGET_RESOLVED,             \
            .rises = true                              \
        }                                              \
    }

enum { BINARY = 2, SPARSE, CATEGORICAL }; // what "accuracy" stands for
static const cj__metric_row metrics[] = {
    RESOLVED("accuracy", "Accuracy"),
    RESOLVED("acc", NULL),
    [BINARY] =
        MEAN("binary_accuracy", "BinaryAccuracy", binary_accuracy, threshold, accuracy, SAME, true),
    [SPARSE] = MEAN("sparse_categorical_accuracy", "SparseCategoricalAccuracy",
                    sparse_categorical_accuracy, plain, plain, LABELS, true),
    [CATEGORICAL] = MEAN("categorical_accuracy", "CategoricalAccuracy", categorical_accuracy, plain,
                         plain, SAME, true),
    MEAN("sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy",
         sparse_top_k_categorical_accuracy, k, accuracy, LABELS, true),
    MEAN("top_k_categorical_accuracy", "TopKCategoricalAccuracy", top_k_categorical_accuracy, k,
         accuracy, SAME, true),
    MEAN("mean_squared_error", "MeanSquaredError", mse, plain, plain, SAME, false),
    MEAN("mse", "MSE", mse, plain, plain, SAME, false),
    MEAN("mean_absolute_error", "MeanAbsoluteError", mae, plain, plain, SAME, false),
    MEAN("mae", "MAE", mae, plain, plain, SAME, false),
    MEAN("mean_absolute_percentage_error", "MeanAbsolutePercentageError", mape, plain, plain, SAME,
         false),
    MEAN("mape", "MAPE", mape, plain, plain, SAME, false),
    MEAN("mean_squared_logarithmic_error", "MeanSquaredLogarithmicError", msle, plain, plain, SAME,
         false),
    MEAN("msle", "MSLE", msle, plain, plain, SAME, false),
    KEPT("root_mean_squared_error", "RootMeanSquaredError", plain, plain, SAME, false, root_mean,
         root_mean),
    MEAN("log_cosh_error", "LogCoshError", log_cosh, plain, plain, SAME, false),
    MEAN("log_cosh", NULL, log_cosh, plain, plain, SAME, false),
    MEAN("logcosh", NULL, log_cosh, plain, plain, SAME, false),
    MEAN("huber", NULL, huber, huber, huber, SAME, false),
    MEAN("cosine_similarity", "CosineSimilarity", cosine_metric, axis, axis, SAME, true),
    MEAN("pearson_correlation", "PearsonCorrelation", pearson_correlation, axis, axis, SAME, true),
    MEAN("concordance_correlation", "ConcordanceCorrelation", concordance_correlation, axis, axis,
         SAME, true),
    KEPT("r2_score", "R2Score", r2, r2, SAME, true, r2, r2),
    MEAN("kl_divergence", "KLDivergence", kl_divergence, plain, plain, SAME, false),
    MEAN("kld", "KLD", kl_divergence, plain, plain, SAME, false),
    MEAN("poisson", "Poisson", poisson, plain, plain, SAME, false),
    MEAN("binary_crossentropy", "BinaryCrossentropy", binary_crossentropy, entropy, entropy, SAME,
         false),
    MEAN("bce", "BCE", binary_crossentropy, entropy, entropy, SAME, false),
    MEAN("categorical_crossentropy", "CategoricalCrossentropy", categorical_crossentropy, entropy,
         entropy, SAME, false),
    MEAN("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy",
         sparse_categorical_crossentropy, sparse, entropy, LABELS, false),
    MEAN("binary_focal_crossentropy", "BinaryFocalCrossentropy", binary_focal_crossentropy, focal,
         focal, SAME, false),
    MEAN("categorical_focal_crossentropy", "CategoricalFocalCrossentropy",
         categorical_focal_crossentropy, focal, focal, SAME, false),
    MEAN("categorical_generalized_cross_entropy", NULL, categorical_generalized_cross_entropy,
         generalized, generalized, LABELS, false),
    MEAN("hinge", "Hinge", hinge, plain, plain, SAME, false),
    MEAN("squared_hinge", "SquaredHinge", squared_hinge, plain, plain, SAME, false),
    MEAN("categorical_hinge", "CategoricalHinge", categorical_hinge, plain, plain, SAME, false),
    KEPT("true_positives", "TruePositives", counts, counts, SAME, true, confusion, true_positives),
    KEPT("false_positives", "FalsePositives", counts, counts, SAME, false, confusion,
         false_positives),
    KEPT("true_negatives", "TrueNegatives", counts, counts, SAME, true, confusion, true_negatives),
    KEPT("false_negatives", "FalseNegatives", counts, counts, SAME, false, confusion,
         false_negatives),
    KEPT("precision", "Precision", precision, counts, SAME, true, confusion, precision),
    KEPT("recall", "Recall", precision, counts, SAME, true, confusion, recall),
    KEPT("sensitivity_at_specificity", "SensitivityAtSpecificity", at_specificity, at, SAME, true,
         curve, sensitivity_at_specificity),
    KEPT("specificity_at_sensitivity", "SpecificityAtSensitivity", at_sensitivity, at, SAME, true,
         curve, specificity_at_sensitivity),
    KEPT("precision_at_recall", "PrecisionAtRecall", at_recall, at, SAME, true, curve,
         precision_at_recall),
    KEPT("recall_at_precision", "RecallAtPrecision", at_precision, at, SAME, true, curve,
         recall_at_precision),
    KEPT("auc", "AUC", auc, auc, SAME, true, auc, auc),
    KEPT("f1_score", "F1Score", f1, f, SAME, true, f, f),
    KEPT("fbeta_score", NULL, f, f, SAME, true, f, f),
    KEPT("f_beta_score", "FBetaScore", f, f, SAME, true, f, f),
    KEPT("io_u", "IoU", iou, iou, GIVEN, true, iou, iou),
    KEPT("iou", NULL, iou, iou, GIVEN, true, iou, iou),
    KEPT("mean_io_u", "MeanIoU", mean_iou, iou, GIVEN, true, iou, iou),
    KEPT("mean_iou", NULL, mean_iou, iou, GIVEN, true, iou, iou),
    KEPT("one_hot_io_u", "OneHotIoU", one_hot_iou, one_hot_iou, GIVEN, true, iou, iou),
    KEPT("one_hot_mean_io_u", "OneHotMeanIoU", one_hot_mean_iou, one_hot_iou, GIVEN, true, iou,
         iou),
    KEPT("binary_io_u", "BinaryIoU", binary_iou, binary_iou, SAME, true, binary_iou, iou),
    MEAN("mean", "Mean", mean_value, plain, plain, GIVEN, false),
    KEPT("sum", "Sum", plain, plain, GIVEN, false, total, total),
    MEAN("spike_count_accuracy", "SpikeCountAccuracy", spike_count_accuracy, spikes, spikes, STEPS,
         true),
    MEAN("first_spike_accuracy", "FirstSpikeAccuracy", first_spike_accuracy, spikes, spikes, STEPS,
         true),
    MEAN("spikes_per_sample", "SpikesPerSample", spikes_per_sample, spikes, spikes, GIVEN, false),
    MEAN("spike_rate", "SpikeRate", spike_rate, spikes, spikes, GIVEN, false),
};

const cj__catalog cj__metrics = {.what = "metric",
                                 .rows = metrics,
                                 .stride = sizeof metrics[0],
                                 .count = (int)(sizeof metrics / sizeof metrics[0]),
                                 .keys = keys,
                                 .registered = cj__custom_metric_find,
                                 .how = "cj_register_metric()"};

// Thresholds rise, so that results have the order in which they were given.
static cj_status check_thresholds(const cj__metric_row *metric, const char *list)
{
    const int count = list ? cj__numbers_read(list, NULL, 0) : 0;
    double *numbers = cj__new((size_t)count + 1, sizeof *numbers);
    if (!numbers)
        return CJ_OUT_OF_MEMORY;
    if (list)
        cj__numbers_read(list, numbers, count);
    bool rise = true;
    for (int i = 1; i < count; i++)
        rise = rise && numbers[i] > numbers[i - 1];
    cj__free(numbers);
    return rise ? CJ_OK :
                  cj__fail(CJ_INVALID_ARGUMENT, "metric %s: thresholds \"%.100s\" do not rise",
                           metric->of.choice.name, list);
}

static cj_status check_classes(const cj__metric_row *metric, const cj__iou_args *a)
{
    const int count = a->target_class_ids ? cj__numbers_read(a->target_class_ids, NULL, 0) : 0;
    double *ids = cj__new((size_t)count + 1, sizeof *ids);
    cj_status status = ids ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (ids && count)
        cj__numbers_read(a->target_class_ids, ids, count);
    for (int i = 0; i < count && status == CJ_OK; i++)
        if (ids[i] >= (double)a->num_classes || ids[i] > floor(ids[i]))
            status = cj__fail(CJ_INVALID_ARGUMENT,
                              "metric %s: target class %g is not one of the classes 0..%lld",
                              metric->of.choice.name, ids[i], (long long)a->num_classes - 1);
    cj__free(ids);
    return status;
}

cj_status cj__metric_check(const cj__metric_row *metric, const void *args)
{
    if (metric->states == cj__states_confusion)
        return check_thresholds(metric, ((const cj__confusion_args *)args)->thresholds);
    if (metric->states == cj__states_iou || metric->states == cj__states_binary_iou)
        return check_classes(metric, args);
    return CJ_OK;
}

const cj__metric_row *cj__metric_at(int index)
{
    return &metrics[index];
}

const cj__loss *cj__metric_resolve(const cj__loss *metric, const cj_shape *targets,
                                   const cj_shape *predictions)
{
    if (metric->target != CJ__TARGET_RESOLVED)
        return metric;
    const int64_t p_last = predictions->rank ? predictions->dims[predictions->rank - 1] : 1;
    const int64_t t_last = targets->rank ? targets->dims[targets->rank - 1] : 1;
    if (p_last == 1)
        return &metrics[BINARY].of;
    return targets->rank < predictions->rank || t_last == 1 ? &metrics[SPARSE].of :
                                                              &metrics[CATEGORICAL].of;
}
