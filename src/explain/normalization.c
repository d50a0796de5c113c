// Layers that normalize: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
//
// BatchNormalization takes mean and variance from its moving averages (Ioffe and Szegedy 2015),
// LayerNormalization from the sample itself, over the normalized axes (Ba, Kiros and Hinton 2016).
#include "base/text.h"
#include "explain/explain.h"
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

// LayerNormalization
// ----------------------------------------------------------------------------------------------

// The elements that are normalized together with the one to derive.
typedef struct group {
    double *values;
    int64_t count;
    int64_t entry; // of gamma and beta, whose axes are the normalized ones in order
} group;

static uint32_t axes_of(const cj_layer_normalization_args *args, int rank)
{
    uint32_t axes = 0;
    for (int i = 0; i < CJ_MAX_RANK && args->axis[i] != 0; i++)
        axes |= 1u << (args->axis[i] < 0 ? args->axis[i] + rank : args->axis[i]);
    return axes;
}

// Whether the element at `offset` has the index of the derived element along the other axes.
static bool is_in_group(const cj_shape *shape, int64_t offset, uint32_t axes, const int64_t *index)
{
    for (int i = shape->rank - 1; i >= 0; i--) {
        if (!(axes & 1u << i) && offset % shape->dims[i] != index[i])
            return false;
        offset /= shape->dims[i];
    }
    return true;
}

static cj_status collect(const cj__explanation *explanation, uint32_t axes, group *g)
{
    const cj_tensor *input = explanation->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(input);
    const int64_t all = cj_tensor_count(input);
    int64_t count = 1, own = 0;
    for (int i = 0; i < shape->rank; i++)
        count *= axes & 1u << i ? shape->dims[i] : 1;
    for (int i = 0; i < shape->rank; i++)
        own = axes & 1u << i ? own * shape->dims[i] + explanation->index[i] : own;
    *g = (group){.values = cj__new((size_t)count, sizeof *g->values), .entry = own};
    if (!g->values)
        return CJ_OUT_OF_MEMORY;
    for (int64_t offset = 0; offset < all && g->count < count; offset++)
        if (is_in_group(shape, offset, axes, explanation->index))
            g->values[g->count++] = cj__element_at(input, offset);
    return CJ_OK;
}

// "(a + b + ... + z) / count", or with a mean "((a - mean)² + ...) / count"; long sums have their
// first and last terms only.
static cj_status print_average(const cj__explanation *explanation, const char *name, const group *g,
                               const double *mean, double result)
{
    const int64_t most = explanation->max_rows, half = g->count > most ? most / 2 : 0;
    char text[CJ__DIGITS_TEXT], middle[CJ__DIGITS_TEXT];
    cj__text line = {0};
    cj__text_add(&line, "%s = (", name);
    for (int64_t i = 0; i < g->count; i++) {
        if (half && i == half) {
            cj__text_add(&line, " + ...");
            i = g->count - half;
        }
        cj__text_add(&line, "%s", i ? " + " : "");
        cj__digits(g->values[i], text);
        if (mean)
            cj__text_add(&line, "(%s - %s)²", text, cj__digits(*mean, middle));
        else
            cj__text_add(&line, "%s", text);
    }
    cj__text_add(&line, ") / %lld = %s", (long long)g->count, cj__digits(result, text));
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

cj_status cj__explain_layer_normalization(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_layer_normalization_args *args = record->layer->args;
    const uint32_t axes = axes_of(args, cj_tensor_shape(record->inputs[0])->rank);
    group g = {0};
    CJ_TRY(collect(explanation, axes, &g));
    statistics s = {.epsilon = args->epsilon,
                    .gamma = entry_of(record, "gamma", g.entry, 1),
                    .beta = entry_of(record, "beta", g.entry, 0)};
    take_statistics(&g, &s);
    cj__print_line(
        explanation,
        "mean and variance of the %lld elements that are normalized together:", (long long)g.count);
    cj_status status = print_average(explanation, "mean", &g, NULL, s.mean);
    if (status == CJ_OK)
        status = print_average(explanation, "variance", &g, &s.mean, s.variance);
    cj__free(g.values);
    CJ_TRY(status);
    cj__print_line(explanation, "gamma × (x - mean) / sqrt(variance + epsilon) + beta");
    return conclude_normalized(explanation, &s);
}
