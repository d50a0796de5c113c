// Metrics from counts of true and false positives and negatives at thresholds, as Keras defines them
// (keras/src/metrics/confusion_metrics.py, metrics_utils.py).
//
// A prediction is positive at a threshold if it is greater. With n thresholds in rising order, states
// are two histograms of n + 1 buckets, of true and of false targets: bucket b has the weight of the
// predictions that are greater than b of the thresholds. The counts at all thresholds are sums of
// buckets from the end. With several labels each bucket has an entry for each label.
#include "base/error.h"
#include "base/memory.h"
#include "train/metrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double minus_infinity = -1e10; // Keras's

// Thresholds
// ----------------------------------------------------------------------------------------------

// Thresholds of a metric: a list, or `count` at equal distances from 0 to 1, of which the outer ones
// may be put a little outside.
typedef struct cuts {
    const char *list; // numbers; NULL for equal distances, or for `single`
    int count;
    bool is_even, has_margins;
    double single;
} cuts;

static cuts confusion_thresholds(const cj__confusion_args *a)
{
    const int given = a->thresholds ? cj__numbers_read(a->thresholds, NULL, 0) : 0;
    return (cuts){.list = given ? a->thresholds : NULL,
                  .count = given ? given : 1,
                  .single = a->top_k < 0 ? 0.5 : minus_infinity};
}

static cuts curve_thresholds(const cj__confusion_args *a)
{
    return (cuts){.count = (int)a->num_thresholds, .is_even = a->num_thresholds > 1, .single = 0.5};
}

static cuts auc_thresholds(const cj__auc_args *a)
{
    const int given = a->thresholds ? cj__numbers_read(a->thresholds, NULL, 0) : 0;
    return (cuts){.list = a->thresholds,
                  .count = a->thresholds ? given + 2 : (int)a->num_thresholds,
                  .is_even = !a->thresholds,
                  .has_margins = true};
}

// Numbers as a constant of rank 1.
static cj_symbol *constant(cj__build *g, const double *numbers, int64_t count, cj_dtype dtype)
{
    cj_tensor *real = NULL, *wanted = NULL; // the symbol takes the latter over
    cj_symbol *symbol = NULL;
    cj_status status = cj_tensor_from(CJ_F64, CJ_SHAPE(count), numbers, (size_t)count, &real);
    if (status == CJ_OK)
        status = cj_tensor_convert(real, dtype, &wanted);
    if (status == CJ_OK)
        symbol = cj__build_keep(g, cj_symbol_constant(wanted));
    else
        cj__build_refuse(g, status);
    cj_release(real);
    return symbol;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The list of thresholds in rising order, with margins outside where they are wanted.
static cj_symbol *listed(cj__build *g, const cuts *t, cj_dtype dtype)
{
    double *numbers = cj__new((size_t)t->count, sizeof *numbers);
    if (!numbers) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    numbers[0] = t->single;
    if (t->list)
        cj__numbers_read(t->list, numbers + t->has_margins, t->count);
    if (t->has_margins) {
        numbers[0] = -CJ__EPSILON;
        numbers[t->count - 1] = 1 + CJ__EPSILON;
    }
    qsort(numbers, (size_t)t->count, sizeof *numbers, by_size);
    cj_symbol *symbol = constant(g, numbers, t->count, dtype);
    cj__free(numbers);
    return symbol;
}

static cj_symbol *number_of(cj__build *g, cj_symbol *truth, cj_dtype dtype)
{
    return cj__cast(g, truth, dtype);
}

// The least whole number that is not less than x, for x from 0 on.
static cj_symbol *ceiling(cj__build *g, cj_symbol *x, cj_dtype dtype)
{
    cj_symbol *floor = cj__cast(g, cj__cast(g, x, CJ_I32), dtype);
    return cj__add(g, floor, number_of(g, cj__compare(g, CJ__COMPARISON_greater, x, floor), dtype));
}

// How many thresholds each prediction is greater than, a whole number in the predictions' dtype.
// Keras computes it from the prediction where thresholds have equal distances.
static cj_symbol *buckets(cj__build *g, const cuts *t, cj_symbol *p)
{
    const cj_dtype dtype = cj__symbol_type(p)->dtype;
    if (t->is_even) {
        // NaN is greater than no threshold
        cj_symbol *is_number = cj__compare(g, CJ__COMPARISON_equal, p, p);
        cj_symbol *within = cj__select(g, is_number, cj__apply_unary(g, CJ__UNARY_clip, p, 0, 1),
                                       cj__scalar(g, dtype, 0));
        cj_symbol *bucket = ceiling(g, cj__scale(g, within, t->count - 1), dtype);
        return t->has_margins ?
                   cj__apply_binary(g, CJ__BINARY_maximum, bucket, cj__scalar(g, dtype, 1)) :
                   bucket;
    }
    cj_shape column = cj__symbol_type(p)->shape;
    column.dims[column.rank++] = 1;
    cj_symbol *above =
        cj__compare(g, CJ__COMPARISON_greater, cj__reshape(g, p, &column), listed(g, t, dtype));
    return cj__sum(g, number_of(g, above, dtype), 1u << (column.rank - 1), false);
}

// States
// ----------------------------------------------------------------------------------------------

// Histograms of true and false targets; `labels` is 1, or the length of the last axis.
static cj_symbol *histograms(cj__build *g, const cuts *t, cj_symbol *targets, cj_symbol *p,
                             cj_symbol *weights, int64_t labels)
{
    if (!targets || !p || !weights)
        return NULL;
    const cj_dtype dtype = cj__symbol_type(p)->dtype;
    cj_symbol *index = buckets(g, t, p);
    if (labels > 1) {
        double *numbers = cj__new((size_t)labels, sizeof *numbers);
        for (int64_t i = 0; numbers && i < labels; i++)
            numbers[i] = (double)i;
        if (!numbers)
            cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        else
            index = cj__add(g, cj__scale(g, index, (double)labels),
                            constant(g, numbers, labels, dtype));
        cj__free(numbers);
    }
    cj_symbol *is_true = cj__compare(g, CJ__COMPARISON_not_equal, targets, cj__scalar(g, dtype, 0));
    cj_symbol *zero = cj__scalar(g, dtype, 0);
    index = cj__cast(g, index, CJ_I32);
    cj_symbol *parts[2] = {
        cj__sums_by_index(g, index, cj__select(g, is_true, weights, zero), (t->count + 1) * labels),
        cj__sums_by_index(g, index, cj__select(g, is_true, zero, weights),
                          (t->count + 1) * labels)};
    return cj__in_a_row(g, parts, 2);
}

// The k greatest predictions of each row as they are, the others far below all thresholds. Of equal
// ones the first come first.
static cj_symbol *only_top(cj__build *g, cj_symbol *p, int64_t k)
{
    const cj__type *type = cj__symbol_type(p);
    const int last = type->shape.rank - 1;
    const int64_t classes = last < 0 ? 0 : type->shape.dims[last];
    cj_shape row = type->shape, column = type->shape, square = {2, {classes, classes}};
    row.rank = column.rank = last + 2;
    row.dims[last] = 1, row.dims[last + 1] = classes;
    column.dims[last] = classes, column.dims[last + 1] = 1;
    double *first = cj__new((size_t)(classes * classes), sizeof *first);
    if (!first || last < 1) {
        cj__build_refuse(g, !first ? CJ_OUT_OF_MEMORY :
                                     cj__fail(CJ_INVALID_ARGUMENT,
                                              "metric: top_k needs predictions (batch, classes)"));
        cj__free(first);
        return NULL;
    }
    for (int64_t i = 0; i < classes * classes; i++)
        first[i] = i % classes < i / classes;
    cj_symbol *before = cj__reshape(g, constant(g, first, classes * classes, type->dtype), &square);
    cj__free(first);
    cj_symbol *other = cj__reshape(g, p, &row), *own = cj__reshape(g, p, &column);
    cj_symbol *greater =
        number_of(g, cj__compare(g, CJ__COMPARISON_greater, other, own), type->dtype);
    cj_symbol *equal = number_of(g, cj__compare(g, CJ__COMPARISON_equal, other, own), type->dtype);
    cj_symbol *place =
        cj__sum(g, cj__add(g, greater, cj__mul(g, equal, before)), 1u << (last + 1), false);
    cj_symbol *kept =
        cj__compare(g, CJ__COMPARISON_less, place, cj__scalar(g, type->dtype, (double)k));
    return cj__select(g, kept, p, cj__scalar(g, type->dtype, minus_infinity));
}

static cj_symbol *confusion_states(cj__build *g, const cj__confusion_args *a, const cuts *t,
                                   const cj__metric_inputs *in)
{
    cj_symbol *p = in->predictions, *targets = in->targets;
    const int last = cj__symbol_type(p)->shape.rank - 1;
    if (a->top_k >= 0)
        p = only_top(g, p, a->top_k);
    if (a->class_id >= 0 && last < 1) {
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "metric: class_id needs predictions (batch, classes)"));
        return NULL;
    }
    if (a->class_id >= 0) {
        p = cj__slice(g, p, last, a->class_id, 1);
        targets = cj__slice(g, targets, last, a->class_id, 1);
    }
    return histograms(g, t, targets, p, cj__full_weights(g, in, p), 1);
}

cj_symbol *cj__states_confusion(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    const cuts t = confusion_thresholds(args);
    return confusion_states(g, args, &t, in);
}

cj_symbol *cj__states_curve(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    const cuts t = curve_thresholds(args);
    return confusion_states(g, args, &t, in);
}

// The weights of labels as a constant, where there are any for predictions p.
static cj_symbol *label_weights(cj__build *g, const cj__auc_args *a, const cj_symbol *p)
{
    const cj__type *type = cj__symbol_type(p);
    const int64_t labels = type->shape.rank ? type->shape.dims[type->shape.rank - 1] : 1;
    const int count = cj__numbers_read(a->label_weights, NULL, 0);
    if (count != labels) {
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "metric auc: %d label_weights for %lld labels", count,
                                     (long long)labels));
        return NULL;
    }
    double *numbers = cj__new((size_t)count, sizeof *numbers);
    if (!numbers) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    cj__numbers_read(a->label_weights, numbers, count);
    cj_symbol *symbol = constant(g, numbers, count, type->dtype);
    cj__free(numbers);
    return symbol;
}

cj_symbol *cj__states_auc(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    const cj__auc_args *a = args;
    const cuts t = auc_thresholds(a);
    cj_symbol *p = in->predictions, *weights = cj__full_weights(g, in, p);
    const cj_shape *shape = &cj__symbol_type(p)->shape;
    const int64_t labels = a->multi_label && shape->rank == 2 ? shape->dims[1] : 1;
    if (a->multi_label && (shape->rank != 2 || (a->num_labels >= 0 && a->num_labels != labels))) {
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "metric auc: multi_label needs predictions (batch, labels)%s",
                                     a->num_labels >= 0 ? " with num_labels labels" : ""));
        return NULL;
    }
    if (a->label_weights) {
        cj_symbol *by_label = label_weights(g, a, p);
        weights = a->multi_label ? weights : cj__mul(g, weights, by_label);
    }
    p = a->from_logits ? cj__apply_unary(g, CJ__UNARY_sigmoid, p, 0, 0) : p;
    return p ? histograms(g, &t, in->targets, p, weights, labels) : NULL;
}

// Results
// ----------------------------------------------------------------------------------------------

// Counts at one threshold.
typedef struct counts {
    double tp, fp, tn, fn;
} counts;

// Reads the histograms from the greatest threshold down.
typedef struct reading {
    const double *states;
    int64_t thresholds, labels, label;
    double positives, negatives; // of all buckets
} reading;

static double bucket(const reading *r, int which, int64_t b)
{
    return r->states[(which * (r->thresholds + 1) + b) * r->labels + r->label];
}

static reading read_label(const double *states, int count, int64_t thresholds, int64_t label)
{
    reading r = {states, thresholds, count / 2 / (thresholds + 1), label, 0, 0};
    for (int64_t b = 0; b <= thresholds; b++) {
        r.positives += bucket(&r, 0, b);
        r.negatives += bucket(&r, 1, b);
    }
    return r;
}

// The counts at threshold k from those at k + 1, which are {0} for the last.
static counts counts_below(const reading *r, int64_t k, const counts *above)
{
    const double tp = above->tp + bucket(r, 0, k + 1), fp = above->fp + bucket(r, 1, k + 1);
    return (counts){tp, fp, r->negatives - fp, r->positives - tp};
}

// One number of the counts at each threshold.
static int each_threshold(const cj__confusion_args *a, const double *states, int count,
                          double *results, double (*number)(const counts *c))
{
    const int thresholds = confusion_thresholds(a).count;
    if (!results)
        return thresholds;
    const reading r = read_label(states, count, thresholds, 0);
    counts c = {0};
    for (int k = thresholds; k-- > 0;) {
        c = counts_below(&r, k, &c);
        results[k] = number(&c);
    }
    return thresholds;
}

static double precision(const counts *c)
{
    return cj__share(c->tp, c->tp + c->fp);
}

static double recall(const counts *c)
{
    return cj__share(c->tp, c->tp + c->fn);
}

static double specificity(const counts *c)
{
    return cj__share(c->tn, c->tn + c->fp);
}

static double true_positives(const counts *c)
{
    return c->tp;
}

static double false_positives(const counts *c)
{
    return c->fp;
}

static double true_negatives(const counts *c)
{
    return c->tn;
}

static double false_negatives(const counts *c)
{
    return c->fn;
}

#define EACH(name)                                                                            \
    int cj__finish_##name(const void *args, const double *states, int count, double *results) \
    {                                                                                         \
        return each_threshold(args, states, count, results, name);                            \
    }
EACH(true_positives)
EACH(false_positives)
EACH(true_negatives)
EACH(false_negatives)
EACH(precision)
EACH(recall)

// The greatest `wanted` at a threshold where `held` is at least the value; 0 without any.
static int greatest(const cj__confusion_args *a, const double *states, int count, double *results,
                    double (*held)(const counts *c), double (*wanted)(const counts *c))
{
    const int thresholds = curve_thresholds(a).count;
    if (!results)
        return 1;
    const reading r = read_label(states, count, thresholds, 0);
    counts c = {0};
    double most = 0;
    for (int k = thresholds; k-- > 0;) {
        c = counts_below(&r, k, &c);
        // Keras compares in float32
        if ((float)held(&c) >= (float)a->value)
            most = fmax(most, wanted(&c));
    }
    *results = most;
    return 1;
}

#define AT(name, held, wanted)                                                                \
    int cj__finish_##name(const void *args, const double *states, int count, double *results) \
    {                                                                                         \
        return greatest(args, states, count, results, held, wanted);                          \
    }
AT(sensitivity_at_specificity, specificity, recall)
AT(specificity_at_sensitivity, recall, specificity)
AT(precision_at_recall, recall, precision)
AT(recall_at_precision, precision, recall)

// A point of a curve.
typedef struct point {
    double x, y;
} point;

static point curve_point(const char *curve, const counts *c)
{
    if (curve[1] == 'O' || curve[1] == 'o') // ROC
        return (point){cj__share(c->fp, c->fp + c->tn), recall(c)};
    if (strlen(curve) == 2) // PR
        return (point){recall(c), precision(c)};
    const double scale = cj__share(c->tp + c->fn, c->tn + c->fp);
    if (!(c->tp > 0))
        return (point){0, 1};
    return (point){fmax(1 - scale * c->fn / c->tp, 0), 1 - scale * c->fp / c->tp};
}

// A piece of the area below a curve of precision and recall, between two thresholds, where precision
// is interpolated as Davis and Goadrich do it (ICML 2006).
static double interpolated_piece(const counts *lower, const counts *upper)
{
    const double more_tp = lower->tp - upper->tp, lower_p = lower->tp + lower->fp,
                 upper_p = upper->tp + upper->fp;
    const double slope = cj__share(more_tp, fmax(lower_p - upper_p, 0));
    const double intercept = upper->tp - slope * upper_p;
    const double ratio = lower_p > 0 && upper_p > 0 ? lower_p / upper_p : 1;
    return cj__share(slope * (more_tp + intercept * log(ratio)), fmax(upper->tp + upper->fn, 0));
}

static double area(const cj__auc_args *a, const reading *r)
{
    const bool pr = strlen(a->curve) == 2, interpolates = (a->summation_method[0] | 32) == 'i';
    const bool least = a->summation_method[1] == 'i';
    counts upper = {0}, lower;
    double sum = 0;
    for (int64_t k = r->thresholds; k-- > 0; upper = lower) {
        lower = counts_below(r, k, &upper);
        if (k == r->thresholds - 1)
            continue;
        const point from = curve_point(a->curve, &lower), to = curve_point(a->curve, &upper);
        const double height = interpolates ? (from.y + to.y) / 2 :
                              least        ? fmin(from.y, to.y) :
                                             fmax(from.y, to.y);
        sum += pr && interpolates ? interpolated_piece(&lower, &upper) : (from.x - to.x) * height;
    }
    return sum;
}

int cj__finish_auc(const void *args, const double *states, int count, double *results)
{
    const cj__auc_args *a = args;
    const int64_t thresholds = auc_thresholds(a).count;
    const int64_t labels = count / 2 / (thresholds + 1);
    double sum = 0, weight = 0;
    double *weights = NULL;
    if (!results)
        return 1;
    if (a->multi_label && a->label_weights) {
        weights = cj__new((size_t)labels, sizeof *weights);
        if (!weights) {
            *results = (double)NAN;
            return 1;
        }
        cj__numbers_read(a->label_weights, weights, (int)labels);
    }
    for (int64_t label = 0; label < labels; label++) {
        const reading r = read_label(states, count, thresholds, label);
        const double own = weights ? weights[label] : 1;
        sum += own * area(a, &r);
        weight += own;
    }
    cj__free(weights);
    *results = cj__share(sum, weight);
    return 1;
}
