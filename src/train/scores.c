// F-scores, intersections over unions, R2 and the root of a mean, as Keras defines them
// (keras/src/metrics/f_score_metrics.py, iou_metrics.py, regression_metrics.py).
#include "base/error.h"
#include "base/memory.h"
#include "train/metrics.h"
#include <math.h>
#include <string.h>

// Refuses predictions that are not (batch, c).
static bool is_table(cj__build *g, const cj_symbol *p, const char *metric)
{
    char text[CJ_MAX_RANK * 24];
    const cj_shape *shape = &cj__symbol_type(p)->shape;
    if (shape->rank == 2)
        return true;
    cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                 "metric %s: predictions of shape %s, needed is (batch, columns)",
                                 metric, cj_shape_text(shape, text, sizeof text)));
    return false;
}

// F-scores: true positives, false positives and false negatives of each class
// ----------------------------------------------------------------------------------------------

// Positives as 1, others as 0: what is above the threshold, or the greatest of a row unless it is 0.
static cj_symbol *positives(cj__build *g, const cj__f_args *a, cj_symbol *p)
{
    const cj_dtype dtype = cj__symbol_type(p)->dtype;
    if (!isinf(a->threshold))
        return cj__cast(
            g, cj__compare(g, CJ__COMPARISON_greater, p, cj__scalar(g, dtype, a->threshold)),
            dtype);
    cj_symbol *greatest = cj__compare(g, CJ__COMPARISON_greater_equal, p, cj__max(g, p, 2, true));
    cj_symbol *any =
        cj__compare(g, CJ__COMPARISON_greater, cj__apply_unary(g, CJ__UNARY_absolute, p, 0, 0),
                    cj__scalar(g, dtype, 1e-9));
    return cj__mul(g, cj__cast(g, greatest, dtype), cj__cast(g, any, dtype));
}

cj_symbol *cj__states_f(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    if (!is_table(g, in->predictions, "fbeta_score"))
        return NULL;
    cj_symbol *p = positives(g, args, in->predictions), *t = in->targets;
    cj_symbol *weights = cj__full_weights(g, in, in->predictions);
    cj_symbol *products[3] = {cj__mul(g, p, t), cj__mul(g, p, cj__complement(g, t)),
                              cj__mul(g, cj__complement(g, p), t)};
    for (int i = 0; i < 3; i++)
        products[i] = cj__sum(g, cj__mul(g, products[i], weights), 1, false);
    return cj__in_a_row(g, products, 3);
}

static double f_score(double beta, double tp, double fp, double fn)
{
    const double precision = tp / (tp + fp + CJ__EPSILON), recall = tp / (tp + fn + CJ__EPSILON);
    const double sum = beta * beta * precision + recall;
    return precision * recall / (sum + CJ__EPSILON) * (1 + beta * beta);
}

int cj__finish_f(const void *args, const double *states, int count, double *results)
{
    const cj__f_args *a = args;
    const int classes = count / 3;
    const double *tp = states, *fp = states + classes, *fn = states + 2 * classes;
    const bool micro = a->average && strcmp(a->average, "micro") == 0,
               weighted = a->average && strcmp(a->average, "weighted") == 0;
    double sums[3] = {0}, total = 0;
    if (!results)
        return a->average ? 1 : classes;
    for (int c = 0; c < classes; c++) {
        sums[0] += tp[c], sums[1] += fp[c], sums[2] += fn[c];
        const double score = f_score(a->beta, tp[c], fp[c], fn[c]);
        if (!a->average)
            results[c] = score;
        total += weighted ? score * (tp[c] + fn[c]) : score;
    }
    if (!a->average)
        return classes;
    *results = micro    ? f_score(a->beta, sums[0], sums[1], sums[2]) :
               weighted ? total / (sums[0] + sums[2] + CJ__EPSILON) :
                          total / classes;
    return 1;
}

// Intersections over unions: a matrix of targets and predictions
// ----------------------------------------------------------------------------------------------

// Whole numbers of real values, cut off; -1 for NaN.
static cj_symbol *whole(cj__build *g, cj_symbol *x, cj_dtype dtype)
{
    cj_symbol *is_number = cj__compare(g, CJ__COMPARISON_equal, x, x);
    cj_symbol *small = cj__apply_unary(g, CJ__UNARY_clip, x, -1e9, 1e9);
    small = cj__select(g, is_number, small, cj__scalar(g, dtype, -1));
    return cj__cast(g, cj__cast(g, small, CJ_I32), dtype);
}

static cj_symbol *within(cj__build *g, cj_symbol *x, int64_t classes, cj_dtype dtype)
{
    cj_symbol *from = cj__cast(
        g, cj__compare(g, CJ__COMPARISON_greater_equal, x, cj__scalar(g, dtype, 0)), dtype);
    cj_symbol *below = cj__cast(
        g, cj__compare(g, CJ__COMPARISON_less, x, cj__scalar(g, dtype, (double)classes)), dtype);
    return cj__mul(g, from, below);
}

// t and p are class numbers, as reals. What is no class, or ignored, is not counted. Weights are cut
// off to whole numbers, since Keras's matrix holds integers.
static cj_symbol *matrix(cj__build *g, const cj__iou_args *a, const cj__metric_inputs *in,
                         cj_symbol *t, cj_symbol *p)
{
    if (!t || !p)
        return NULL;
    const cj_dtype dtype = cj__symbol_type(p)->dtype;
    cj_symbol *counts =
        cj__mul(g, within(g, t, a->num_classes, dtype), within(g, p, a->num_classes, dtype));
    if (!isinf(a->ignore_class))
        counts = cj__mul(g, counts,
                         cj__cast(g,
                                  cj__compare(g, CJ__COMPARISON_not_equal, t,
                                              cj__scalar(g, dtype, a->ignore_class)),
                                  dtype));
    cj_symbol *index = cj__add(g, cj__scale(g, t, (double)a->num_classes), p);
    index = cj__cast(g, cj__mul(g, index, counts), CJ_I32);
    cj_symbol *weights = whole(g, cj__full_weights(g, in, p), dtype);
    return cj__sums_by_index(g, index, cj__mul(g, weights, counts),
                             a->num_classes * a->num_classes);
}

// Class numbers of an operand: its greatest along the last axis, or what it holds.
static cj_symbol *classes_of(cj__build *g, cj_symbol *x, bool sparse, cj_dtype dtype)
{
    const int last = x ? cj__symbol_type(x)->shape.rank - 1 : 0;
    return sparse ? whole(g, x, dtype) : cj__cast(g, cj__argmax(g, x, last), dtype);
}

cj_symbol *cj__states_iou(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    const cj__iou_args *a = args;
    const cj_dtype dtype = cj__symbol_type(in->predictions)->dtype;
    cj_symbol *t = classes_of(g, in->targets, a->sparse_y_true, dtype);
    cj_symbol *p = classes_of(g, in->predictions, a->sparse_y_pred, dtype);
    if (!t || !p)
        return NULL;
    const cj_shape *wanted = &cj__symbol_type(p)->shape, *given = &cj__symbol_type(t)->shape;
    cj_shape bare = *given;
    if (bare.rank == wanted->rank + 1 && bare.dims[bare.rank - 1] == 1)
        bare.rank--;
    else if (bare.rank + 1 == wanted->rank && wanted->dims[bare.rank] == 1)
        bare.dims[bare.rank++] = 1;
    if (!cj_shape_equal(&bare, wanted)) {
        char t_text[CJ_MAX_RANK * 24], p_text[CJ_MAX_RANK * 24];
        cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                     "metric: classes of targets have shape %s, of predictions %s",
                                     cj_shape_text(given, t_text, sizeof t_text),
                                     cj_shape_text(wanted, p_text, sizeof p_text)));
        return NULL;
    }
    return matrix(g, a, in, cj__reshape(g, t, &bare), p);
}

cj_symbol *cj__states_binary_iou(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    const cj__iou_args *a = args;
    const cj_dtype dtype = cj__symbol_type(in->predictions)->dtype;
    cj_symbol *yes = cj__compare(g, CJ__COMPARISON_greater_equal, in->predictions,
                                 cj__scalar(g, dtype, a->threshold));
    return matrix(g, a, in, whole(g, in->targets, dtype), cj__cast(g, yes, dtype));
}

// The mean over the target classes that occur.
int cj__finish_iou(const void *args, const double *states, int count, double *results)
{
    const cj__iou_args *a = args;
    const int64_t n = a->num_classes;
    const int targets = a->target_class_ids ? cj__numbers_read(a->target_class_ids, NULL, 0) : 0;
    double *ids = cj__new((size_t)targets + 1, sizeof *ids);
    double sum = 0, occur = 0;
    (void)count;
    if (!results || !ids) {
        if (results)
            *results = (double)NAN;
        cj__free(ids);
        return 1;
    }
    if (targets)
        cj__numbers_read(a->target_class_ids, ids, targets);
    for (int64_t i = 0; i < (targets ? targets : n); i++) {
        const int64_t c = targets ? (int64_t)ids[i] : i;
        double all = -states[c * n + c];
        for (int64_t k = 0; k < n; k++)
            all += states[c * n + k] + states[k * n + c];
        if (all > 1e-9) {
            sum += states[c * n + c] / (all + CJ__EPSILON);
            occur++;
        }
    }
    cj__free(ids);
    *results = sum / (occur + CJ__EPSILON);
    return 1;
}

// Regressions
// ----------------------------------------------------------------------------------------------

cj_symbol *cj__states_root_mean(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    (void)args;
    cj_symbol *square =
        cj__apply_unary(g, CJ__UNARY_square, cj__sub(g, in->predictions, in->targets), 0, 0);
    cj_symbol *weights = cj__full_weights(g, in, in->predictions);
    if (!square || !weights)
        return NULL;
    const uint32_t all = cj__all_axes(square);
    cj_symbol *parts[2] = {cj__sum(g, cj__mul(g, square, weights), all, false),
                           cj__sum(g, weights, all, false)};
    for (int i = 0; i < 2; i++)
        parts[i] = cj__reshape(g, parts[i], &CJ_SHAPE(1));
    return cj__in_a_row(g, parts, 2);
}

int cj__finish_root_mean(const void *args, const double *states, int count, double *results)
{
    (void)args, (void)count;
    if (results)
        *results = sqrt(cj__share(states[0], states[1]));
    return 1;
}

// The sum of all values times their samples' weights; targets are not looked at.
cj_symbol *cj__states_total(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    (void)args;
    cj_symbol *values = cj__mul(g, in->predictions, cj__full_weights(g, in, in->predictions));
    return values ? cj__reshape(g, cj__sum(g, values, cj__all_axes(values), false), &CJ_SHAPE(1)) :
                    NULL;
}

int cj__finish_total(const void *args, const double *states, int count, double *results)
{
    (void)args, (void)count;
    if (results)
        *results = states[0];
    return 1;
}

// For each column: sums of w t, w t^2, w (t - p)^2 and w, and of 1.
cj_symbol *cj__states_r2(cj__build *g, const void *args, const cj__metric_inputs *in)
{
    (void)args;
    if (!is_table(g, in->predictions, "r2_score"))
        return NULL;
    const cj__metric_inputs bare = {in->targets, in->predictions, NULL};
    cj_symbol *weights = cj__full_weights(g, in, in->predictions), *t = in->targets;
    cj_symbol *weighted = cj__mul(g, t, weights);
    cj_symbol *error = cj__apply_unary(g, CJ__UNARY_square, cj__sub(g, t, in->predictions), 0, 0);
    cj_symbol *parts[5] = {weighted, cj__mul(g, t, weighted), cj__mul(g, error, weights), weights,
                           cj__full_weights(g, &bare, in->predictions)};
    for (int i = 0; i < 5; i++)
        parts[i] = cj__sum(g, parts[i], 1, false);
    return cj__in_a_row(g, parts, 5);
}

static bool is_averaged(const cj__r2_args *a)
{
    return a->class_aggregation && strcmp(a->class_aggregation, "none") != 0;
}

// R2 with num_regressors, as Keras adjusts it; as it is where there are too few samples.
static double adjusted(const cj__r2_args *a, double r2, double samples)
{
    const double regressors = (double)a->num_regressors;
    return regressors > 0 && regressors < samples - 1 ?
               1 - (1 - r2) * (samples - 1) / (samples - regressors - 1) :
               r2;
}

int cj__finish_r2(const void *args, const double *states, int count, double *results)
{
    const cj__r2_args *a = args;
    const int columns = count / 5;
    const bool by_variance = is_averaged(a) && strcmp(a->class_aggregation, "uniform_average") != 0;
    double sum = 0, weight = 0, samples = 0;
    if (!results)
        return is_averaged(a) ? 1 : columns;
    for (int c = 0; c < columns; c++)
        samples += states[4 * columns + c];
    for (int c = 0; c < columns; c++) {
        const double *of = states + c;
        const double total = of[columns] - of[0] * (of[0] / of[3 * columns]);
        double score = 1 - of[2 * columns] / total;
        score = isinf(score) ? 0 : score;
        if (!is_averaged(a))
            results[c] = adjusted(a, score, samples);
        sum += by_variance ? total * score : score;
        weight += by_variance ? total : 1;
    }
    if (!is_averaged(a))
        return columns;
    *results = adjusted(a, sum / weight, samples);
    return 1;
}
