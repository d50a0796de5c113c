// Layers that normalize: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
//
// BatchNormalization takes mean and variance from its moving averages (Ioffe and Szegedy 2015),
// LayerNormalization from the sample itself, over the normalized axes (Ba, Kiros and Hinton 2016),
// GroupNormalization from the sample's channels of the same group (Wu and He 2018). Normalization has
// learnt them or was given them. RMSNormalization and UnitNormalization have no mean.
#include "base/text.h"
#include "explain/explain.h"
#include <cajal/normalization.h>
#include <cajal/preprocessing.h>
#include <math.h>

// What an element is normalized with, and bounds for the errors of the statistics in float32.
typedef struct statistics {
    double mean, variance, epsilon, gamma, beta;
    double mean_error, variance_error;
} statistics;

// Prints the formula with the numbers in it, and concludes. An error e of the variance changes
// 1 / sqrt(variance + epsilon) by about e / 2 of its third power.
static cj_status conclude_normalized(const cj__explanation *explanation, const statistics *s)
{
    const double x = cj__element_at(explanation->record->inputs[0], explanation->offset);
    const double deviation = sqrt(s->variance + s->epsilon), factor = s->gamma / deviation;
    const double y = factor * (x - s->mean) + s->beta;
    const double relative = s->variance_error / (2 * (s->variance + s->epsilon));
    const double error =
        cj__rounding_bound(fabs(factor) * (fabs(x) + fabs(s->mean)) + fabs(s->beta)) +
        fabs(factor) * (s->mean_error + relative * fabs(x - s->mean));
    char text[7][CJ__DIGITS_TEXT];
    cj__print_line(
        explanation, "= %s × (%s - %s) / sqrt(%s + %s) + %s = %s", cj__digits(s->gamma, text[0]),
        cj__digits(x, text[1]), cj__digits(s->mean, text[2]), cj__digits(s->variance, text[3]),
        cj__digits(s->epsilon, text[4]), cj__digits(s->beta, text[5]), cj__digits(y, text[6]));
    return cj__conclude(explanation, y - error, y + error);
}

// The entry of gamma or beta, or what stands for one that the layer does not have.
static double entry_of(const cj__record *record, const char *name, int64_t entry, double missing)
{
    const cj_tensor *weight = cj__weight(record, name);
    return weight ? cj__element_at(weight, entry) : missing;
}

cj_status cj__explain_batch_normalization(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_batch_normalization_args *args = record->layer->args;
    const int rank = cj_tensor_shape(record->inputs[0])->rank;
    const int64_t entry = explanation->index[args->axis < 0 ? args->axis + rank : args->axis];
    const statistics s = {
        .mean = entry_of(record, "moving_mean", entry, 0),
        .variance = entry_of(record, "moving_variance", entry, 1),
        .epsilon = args->epsilon,
        .gamma = entry_of(record, "gamma", entry, 1),
        .beta = entry_of(record, "beta", entry, 0),
    };
    cj__print_line(
        explanation,
        "gamma × (x - mean) / sqrt(variance + epsilon) + beta, with the moving averages of entry "
        "%lld",
        (long long)entry);
    return conclude_normalized(explanation, &s);
}

// Elements that are normalized together
// ----------------------------------------------------------------------------------------------

typedef struct group {
    double *values;
    int64_t count;
    int64_t entry; // of gamma and beta, whose axes are the normalized ones in order
} group;

static uint32_t axes_of(const cj__explanation *explanation)
{
    const int64_t *axis = cj__layer_setting(explanation->record->layer, "axis");
    const int rank = cj_tensor_shape(explanation->record->inputs[0])->rank;
    uint32_t axes = 0;
    for (int i = 0; i < CJ_MAX_RANK && axis[i] != 0; i++)
        axes |= 1u << (axis[i] < 0 ? axis[i] + rank : axis[i]);
    return axes;
}

// Whether the element at `offset` has the index of the derived element along the axes that are not
// in the set. Of axis `cut` an index is as good as another in the same group of `share`.
static bool is_in_group(const cj_shape *shape, int64_t offset, uint32_t axes, const int64_t *index,
                        int cut, int64_t share)
{
    for (int i = shape->rank - 1; i >= 0; i--) {
        const int64_t own = offset % shape->dims[i];
        if (i == cut ? own / share != index[i] / share : !(axes & 1u << i) && own != index[i])
            return false;
        offset /= shape->dims[i];
    }
    return true;
}

// `cut` is -1 for no such axis.
static cj_status collect(const cj__explanation *explanation, uint32_t axes, int cut, int64_t share,
                         group *g)
{
    const cj_tensor *input = explanation->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(input);
    const int64_t all = cj_tensor_count(input);
    int64_t count = 1, own = 0;
    for (int i = 0; i < shape->rank; i++)
        count *= i == cut ? share : axes & 1u << i ? shape->dims[i] : 1;
    for (int i = 0; i < shape->rank; i++)
        own = axes & 1u << i ? own * shape->dims[i] + explanation->index[i] : own;
    *g = (group){.values = cj__new((size_t)count, sizeof *g->values), .entry = own};
    if (!g->values)
        return CJ_OUT_OF_MEMORY;
    for (int64_t offset = 0; offset < all && g->count < count; offset++)
        if (is_in_group(shape, offset, axes, explanation->index, cut, share))
            g->values[g->count++] = cj__element_at(input, offset);
    return CJ_OK;
}

// "name = (a + b + ... + z) / count", or with a middle "((a - middle)² + ...)"; long sums have their
// first and last terms only.
static cj_status print_sum(const cj__explanation *explanation, const char *name, const group *g,
                           const double *middle, bool mean, double result)
{
    const int64_t most = explanation->max_rows, half = g->count > most ? most / 2 : 0;
    char text[CJ__DIGITS_TEXT], from[CJ__DIGITS_TEXT];
    cj__text line = {0};
    cj__text_add(&line, "%s = (", name);
    for (int64_t i = 0; i < g->count; i++) {
        if (half && i == half) {
            cj__text_add(&line, " + ...");
            i = g->count - half;
        }
        cj__text_add(&line, "%s", i ? " + " : "");
        cj__digits(g->values[i], text);
        if (!middle)
            cj__text_add(&line, "%s", text);
        else if (fabs(*middle) > 0)
            cj__text_add(&line, "(%s - %s)²", text, cj__digits(*middle, from));
        else
            cj__text_add(&line, "%s²", text);
    }
    cj__text_add(&line, ")");
    if (mean)
        cj__text_add(&line, " / %lld", (long long)g->count);
    cj__text_add(&line, " = %s", cj__digits(result, text));
    const cj_status status = cj__text_status(&line);
    if (status == CJ_OK)
        cj__print_line(explanation, "%s", line.data);
    cj__text_free(&line);
    return status;
}

// A common error e of the mean changes the variance by e² only; rounding of the differences adds to
// it.
static void take_statistics(const group *g, statistics *s)
{
    double sum = 0, magnitude = 0, squares = 0, largest = 0;
    for (int64_t i = 0; i < g->count; i++) {
        sum += g->values[i];
        magnitude += fabs(g->values[i]);
        largest = fmax(largest, fabs(g->values[i]));
    }
    s->mean = sum / (double)g->count;
    for (int64_t i = 0; i < g->count; i++)
        squares += (g->values[i] - s->mean) * (g->values[i] - s->mean);
    s->variance = squares / (double)g->count;
    s->mean_error = cj__rounding_bound(magnitude / (double)g->count);
    const double difference = s->mean_error + cj__rounding_bound(largest);
    s->variance_error = cj__rounding_bound(s->variance) + 2 * sqrt(s->variance) * difference +
                        difference * difference;
}

// Frees the group.
static cj_status conclude_group(const cj__explanation *explanation, group *g, statistics *s)
{
    take_statistics(g, s);
    cj__print_line(explanation,
                   "mean and variance of the %lld elements that are normalized together:",
                   (long long)g->count);
    cj_status status = print_sum(explanation, "mean", g, NULL, true, s->mean);
    if (status == CJ_OK) // a mean of 0 is written as well
        status = print_sum(explanation, "variance", g, &s->mean, true, s->variance);
    cj__free(g->values);
    CJ_TRY(status);
    cj__print_line(explanation, "gamma × (x - mean) / sqrt(variance + epsilon) + beta");
    return conclude_normalized(explanation, s);
}

cj_status cj__explain_layer_normalization(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_layer_normalization_args *args = record->layer->args;
    group g = {0};
    CJ_TRY(collect(explanation, axes_of(explanation), -1, 0, &g));
    statistics s = {.epsilon = args->epsilon,
                    .gamma = entry_of(record, "gamma", g.entry, 1),
                    .beta = entry_of(record, "beta", g.entry, 0)};
    return conclude_group(explanation, &g, &s);
}

cj_status cj__explain_group_normalization(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_group_normalization_args *args = record->layer->args;
    const cj_shape *x = cj_tensor_shape(record->inputs[0]);
    const int axis = args->axis < 0 ? args->axis + x->rank : args->axis;
    const int64_t share = args->groups == -1 ? 1 : x->dims[axis] / args->groups;
    group g = {0};
    CJ_TRY(collect(explanation, (1u << x->rank) - 2, axis, share, &g));
    const int64_t channel = explanation->index[axis];
    statistics s = {.epsilon = args->epsilon,
                    .gamma = entry_of(record, "gamma", channel, 1),
                    .beta = entry_of(record, "beta", channel, 0)};
    cj__print_line(explanation, "group %lld, channels %lld to %lld", (long long)(channel / share),
                   (long long)(channel / share * share),
                   (long long)(channel / share * share + share - 1));
    return conclude_group(explanation, &g, &s);
}

// Without a mean
// ----------------------------------------------------------------------------------------------

static double squares_of(const group *g)
{
    double squares = 0;
    for (int64_t i = 0; i < g->count; i++)
        squares += g->values[i] * g->values[i];
    return squares;
}

// y = scale x / sqrt(mean of x² + epsilon)
cj_status cj__explain_rms_normalization(cj__explanation *explanation)
{
    const cj_rms_normalization_args *args = explanation->record->layer->args;
    const double x = cj__element_at(explanation->record->inputs[0], explanation->offset), zero = 0;
    char text[5][CJ__DIGITS_TEXT];
    group g = {0};
    CJ_TRY(collect(explanation, axes_of(explanation), -1, 0, &g));
    const double mean = squares_of(&g) / (double)g.count,
                 scale = entry_of(explanation->record, "scale", g.entry, 1),
                 y = scale * x / sqrt(mean + args->epsilon);
    const cj_status status = print_sum(explanation, "mean of squares", &g, &zero, true, mean);
    cj__free(g.values);
    CJ_TRY(status);
    cj__print_line(explanation, "scale × x / sqrt(mean + epsilon)");
    cj__print_line(explanation, "= %s × %s / sqrt(%s + %s) = %s", cj__digits(scale, text[0]),
                   cj__digits(x, text[1]), cj__digits(mean, text[2]),
                   cj__digits(args->epsilon, text[3]), cj__digits(y, text[4]));
    return cj__conclude_near(explanation, y, fabs(y));
}

// y = x / sqrt(sum of x²), where the divisor is not less than 1e-12
cj_status cj__explain_unit_normalization(cj__explanation *explanation)
{
    const double x = cj__element_at(explanation->record->inputs[0], explanation->offset), zero = 0;
    char text[3][CJ__DIGITS_TEXT];
    group g = {0};
    CJ_TRY(collect(explanation, axes_of(explanation), -1, 0, &g));
    const double sum = squares_of(&g), y = x * fmin(1 / sqrt(sum), 1e12);
    const cj_status status = print_sum(explanation, "squares", &g, &zero, false, sum);
    cj__free(g.values);
    CJ_TRY(status);
    cj__print_line(explanation, "x / sqrt(squares) = %s / sqrt(%s) = %s", cj__digits(x, text[0]),
                   cj__digits(sum, text[1]), cj__digits(y, text[2]));
    return cj__conclude_near(explanation, y, fabs(y));
}

// With what was learnt
// ----------------------------------------------------------------------------------------------

// Number of a list that belongs to the element: given numbers are one, or one for each entry of the
// last axis that is kept.
static double given_or_learnt(const cj__explanation *explanation, const char *name,
                              const cj_numbers *given, uint32_t kept)
{
    const cj_shape *x = cj_tensor_shape(explanation->record->inputs[0]);
    int64_t entry = 0, last = 0;
    for (int i = 0; i < x->rank; i++) {
        if (!(kept & 1u << i))
            continue;
        entry = entry * x->dims[i] + explanation->index[i];
        last = explanation->index[i];
    }
    if (given->count > 0)
        return (double)(float)given->values[given->count == 1 ? 0 : last];
    return entry_of(explanation->record, name, entry, 0);
}

// y = (x - mean) / max(sqrt(variance), 1e-7), or its inverse
cj_status cj__explain_normalization(cj__explanation *explanation)
{
    const cj_normalization_args *args = explanation->record->layer->args;
    const uint32_t kept = axes_of(explanation);
    const double x = cj__element_at(explanation->record->inputs[0], explanation->offset),
                 mean = given_or_learnt(explanation, "mean", &args->mean, kept),
                 variance = given_or_learnt(explanation, "variance", &args->variance, kept),
                 deviation = fmax(sqrt(variance), 1e-7),
                 y = args->invert ? mean + x * deviation : (x - mean) / deviation;
    char text[4][CJ__DIGITS_TEXT];
    cj__digits(x, text[0]), cj__digits(mean, text[1]);
    cj__digits(variance, text[2]), cj__digits(y, text[3]);
    if (args->invert)
        cj__print_line(explanation, "mean + x sqrt(variance) = %s + %s × sqrt(%s) = %s", text[1],
                       text[0], text[2], text[3]);
    else
        cj__print_line(explanation, "(x - mean) / sqrt(variance) = (%s - %s) / sqrt(%s) = %s",
                       text[0], text[1], text[2], text[3]);
    return cj__conclude_near(explanation, y,
                             args->invert ? fabs(mean) + fabs(x * deviation) :
                                            (fabs(x) + fabs(mean)) / deviation);
}
