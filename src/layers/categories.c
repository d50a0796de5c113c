// CategoryEncoding and Discretization: numbers as classes, classes as vectors.
#include "base/memory.h"
#include "layers/preprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

CJ__DEFAULTS(category_encoding, CATEGORY_ENCODING)
CJ__DEFAULTS(discretization, DISCRETIZATION)

static const char *const encodings[] = {"multi_hot", "one_hot", "count", NULL};
static const char *const modes[] = {"int", "one_hot", "multi_hot", "count", NULL};

static const cj__field encoding_fields[] = {
    CJ__FIELD(cj_category_encoding_args, num_tokens, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_category_encoding_args, output_mode, CJ__FIELD_TEXT, .required = true,
              .words = encodings),
    CJ__LAYER_FIELDS(cj_category_encoding_args),
};

static const cj__field discretization_fields[] = {
    CJ__FIELD(cj_discretization_args, bin_boundaries, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_discretization_args, num_bins, CJ__FIELD_SEED),
    CJ__FIELD(cj_discretization_args, epsilon, CJ__FIELD_NUMBER, .low = 1e-6, .high = 1),
    CJ__FIELD(cj_discretization_args, output_mode, CJ__FIELD_TEXT, .required = true,
              .words = modes),
    CJ__FIELD(cj_discretization_args, name, CJ__FIELD_TEXT),
    CJ__FIELD(cj_discretization_args, trainable, CJ__FIELD_BOOL, .hidden = true), // not in Keras
    CJ__FIELD(cj_discretization_args, dtype, CJ__FIELD_TEXT),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("sparse", "false"),
    CJ__KEY_RENAMED("max_tokens", "num_tokens"),
    CJ__KEY_RENAMED("bins", "num_bins"),
    {.key = NULL},
};

// Encoding
// -----------------------------------------------------------------------------------------------

// Whole numbers as vectors of `depth`: "one_hot" of each, after a last axis of length 1 is dropped;
// "multi_hot" and "count" of a sample's, which may have weights, (batch, n) as x.
static cj_status encode(cj__layer_context *c, cj_symbol *x, const char *mode, int64_t depth,
                        cj_symbol *weights)
{
    cj__build *g = c->build;
    if (!x)
        return g->status;
    cj_shape shape = *cj_symbol_shape(x);
    if (strcmp(mode, "one_hot") == 0) {
        if (shape.rank > 1 && shape.dims[shape.rank - 1] == 1) {
            shape.rank--;
            x = cj__reshape(g, x, &shape);
        }
        c->outputs[0].symbol = cj__one_hot(g, x, depth, CJ_F32);
        return CJ_OK;
    }
    CJ_TRY(cj__layer_need_rank(c->layer, &shape, 2, 2));
    x = cj__one_hot(g, x, depth, CJ_F32);
    if (weights) {
        const cj_shape each = {3, {shape.dims[0], shape.dims[1], 1}};
        x = cj__mul(g, x, cj__reshape(g, cj__cast(g, weights, CJ_F32), &each));
    }
    c->outputs[0].symbol =
        strcmp(mode, "count") == 0 ? cj__sum(g, x, 1u << 1, false) : cj__max(g, x, 1u << 1, false);
    return CJ_OK;
}

static cj_status call_encoding(cj__layer_context *c)
{
    const cj_category_encoding_args *a = c->layer->args;
    cj_symbol *weights = c->input_count > 1 ? c->inputs[1].symbol : NULL;
    CJ_TRY(cj__layer_need_rank(c->layer, cj__value_shape(&c->inputs[0]), 1, CJ_MAX_RANK - 1));
    if (weights && strcmp(a->output_mode, "count") != 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: weights are for output_mode \"count\", not \"%s\"", c->layer->name,
                        a->output_mode);
    if (weights && !cj_shape_equal(cj_symbol_shape(weights), cj_symbol_shape(c->inputs[0].symbol)))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the weights of counts have not the shape of the input",
                        c->layer->name);
    return encode(c, cj__cast(c->build, c->inputs[0].symbol, CJ_I32), a->output_mode, a->num_tokens,
                  weights);
}

static const char *const encoding_inputs[] = {"inputs", "count_weights", NULL};

const cj__layer_kind cj__layer_category_encoding = {
    .choice = CJ__CHOICE("category_encoding", "CategoryEncoding", encoding_fields,
                         category_encoding_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 2,
    .arguments = encoding_inputs,
    .call = call_encoding,
    .mask = CJ__MASK_DROP,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(category_encoding)

// Bins
// -----------------------------------------------------------------------------------------------

static cj_status check_discretization(cj_layer *layer)
{
    const cj_discretization_args *a = layer->args;
    if (a->bin_boundaries.count == 0 && a->num_bins < 2)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: needs bin_boundaries, or num_bins of at least 2 to be adapted",
                        layer->name);
    if (a->num_bins != -1 && a->bin_boundaries.count >= (a->num_bins > 0 ? a->num_bins : 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %lld boundaries do not fit %lld bins: give one "
                        "of bin_boundaries and num_bins",
                        layer->name, (long long)a->bin_boundaries.count, (long long)a->num_bins);
    for (int64_t i = 1; i < a->bin_boundaries.count; i++)
        if (a->bin_boundaries.values[i] < a->bin_boundaries.values[i - 1])
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: bin_boundaries must increase: number %lld is %g after %g",
                            layer->name, (long long)i, a->bin_boundaries.values[i],
                            a->bin_boundaries.values[i - 1]);
    return CJ_OK;
}

// How many boundaries are not above x: x (...) against (k) is (..., k), and then summed.
static cj_symbol *bin_of(cj__build *g, cj_symbol *x, const cj_numbers *boundaries)
{
    const cj_shape bins = CJ_SHAPE(boundaries->count);
    cj_shape shape = *cj_symbol_shape(x);
    const int last = shape.rank;
    shape.dims[shape.rank++] = 1;
    cj_symbol *below = cj__compare(g, CJ__COMPARISON_less, cj__reshape(g, x, &shape),
                                   cj__constant_of(g, CJ_F32, &bins, boundaries->values));
    cj_symbol *reached = cj__select(g, below, cj__scalar(g, CJ_F32, 0), cj__scalar(g, CJ_F32, 1));
    return cj__cast(g, cj__sum(g, reached, 1u << last, false), CJ_I32);
}

static cj_status call_discretization(cj__layer_context *c)
{
    const cj_discretization_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    CJ_TRY(cj__layer_need_rank(c->layer, x, 1, CJ_MAX_RANK - 1));
    if (a->bin_boundaries.count == 0)
        return cj__fail(CJ_NOT_BUILT,
                        "%s: it has no boundaries yet: call cj_adapt() with data, or give it "
                        ".bin_boundaries",
                        c->layer->name);
    cj_symbol *bin = bin_of(c->build, c->inputs[0].symbol, &a->bin_boundaries);
    if (strcmp(a->output_mode, "int") != 0)
        return encode(c, bin, a->output_mode, a->bin_boundaries.count + 1, NULL);
    c->outputs[0].symbol = bin;
    return CJ_OK;
}

// Quantiles, as keras/src/layers/preprocessing/discretization.py has them, in its precision: float32
// but for the positions that are interpolated.
// -----------------------------------------------------------------------------------------------

// Values in order, and how much of the data each stands for.
typedef struct summary {
    float *values, *weights;
    int64_t count;
} summary;

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static bool summary_new(summary *s, int64_t count)
{
    s->values = cj__new((size_t)count, sizeof *s->values);
    s->weights = cj__new((size_t)count, sizeof *s->weights);
    s->count = count;
    return s->values && s->weights;
}

static void summary_free(summary *s)
{
    cj__free(s->values);
    cj__free(s->weights);
}

// Keeps about one in every epsilon of the `count` sorted values.
static cj_status summarize(const float *sorted, int64_t count, double epsilon, summary *s)
{
    const double buckets = 1.0 / epsilon, increment = (double)count / buckets,
                 step = increment > 1 ? increment : 1;
    const int64_t start = (int64_t)(step - 1), stride = (int64_t)step;
    if (!summary_new(s, start < count ? (count - start + stride - 1) / stride : 0))
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < s->count; i++) {
        s->values[i] = sorted[start + i * stride];
        s->weights[i] = (float)step;
    }
    return CJ_OK;
}

// numpy.interp(x, xp, fp): straight lines between the points, flat outside.
static double interpolate(double x, const float *xp, const float *fp, int64_t count)
{
    int64_t low = 0, high = count; // the last of xp that is at most x is in low .. high - 1
    if (x >= (double)xp[count - 1])
        return fp[count - 1];
    if (x < (double)xp[0])
        return fp[0];
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if ((double)xp[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    const double slope =
        ((double)fp[low + 1] - (double)fp[low]) / ((double)xp[low + 1] - (double)xp[low]);
    return slope * (x - (double)xp[low]) + (double)fp[low];
}

// Brings a summary to 1 / epsilon values. One that is small enough stays.
static cj_status compress(summary *s, double epsilon)
{
    summary all = *s;
    if ((double)all.count * epsilon < 1)
        return CJ_OK;
    float *shares = cj__new((size_t)all.count, sizeof *shares);
    float *sums = cj__new((size_t)all.count, sizeof *sums);
    summary less = {0};
    const bool there = shares && sums && summary_new(&less, (int64_t)ceil(1.0 / epsilon));
    for (int64_t i = 0; there && i < all.count; i++)
        sums[i] = (i > 0 ? sums[i - 1] : 0) + all.weights[i];
    for (int64_t i = 0; there && i < all.count; i++)
        shares[i] = sums[i] / sums[all.count - 1];
    double before = 0;
    for (int64_t i = 0; there && i < less.count; i++) {
        const double percent = epsilon + (double)i * epsilon,
                     sum = interpolate(percent, shares, sums, all.count);
        less.values[i] = (float)interpolate(percent, shares, all.values, all.count);
        less.weights[i] = (float)(sum - before);
        before = sum;
    }
    cj__free(shares);
    cj__free(sums);
    summary_free(there ? &all : &less);
    if (there)
        *s = less;
    return there ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status boundaries_of(const cj_discretization_args *a, float *values, int64_t count,
                               cj_numbers *boundaries)
{
    summary s = {0};
    qsort(values, (size_t)count, sizeof *values, by_value);
    cj_status status = summarize(values, count, a->epsilon, &s);
    if (status == CJ_OK)
        status = compress(&s, a->epsilon); // as Keras does when it merges with the empty one
    if (status == CJ_OK)
        status = compress(&s, 1.0 / (double)a->num_bins);
    const int64_t kept = s.count - 1;
    double *made = status == CJ_OK && kept > 0 ? cj__new((size_t)kept, sizeof *made) : NULL;
    for (int64_t i = 0; made && i < kept; i++)
        made[i] = s.values[i];
    summary_free(&s);
    *boundaries = (cj_numbers){made, made ? kept : 0};
    return status != CJ_OK || made || kept < 1 ? status : CJ_OUT_OF_MEMORY;
}

static cj_status check_adaptable(const cj_layer *layer)
{
    const cj_discretization_args *a = layer->args;
    if (a->num_bins == -1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: it was given bin_boundaries: give it num_bins to be adapted",
                        layer->name);
    if (layer->built)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: it was applied already, and its boundaries are part of that model: "
                        "adapt it first",
                        layer->name);
    return CJ_OK;
}

static cj_status adapt_discretization(cj_layer *layer, const cj_tensor *data)
{
    cj_discretization_args *a = layer->args;
    cj_tensor *copy = NULL;
    cj_numbers made = {0};
    CJ_TRY(check_adaptable(layer));
    CJ_TRY(cj_tensor_convert(data, CJ_F32, &copy));
    const int64_t count = cj_tensor_count(copy);
    float *values = cj_tensor_data(copy);
    cj_status status = CJ_OK;
    for (int64_t i = 0; i < count && status == CJ_OK; i++)
        if (!isfinite(values[i]))
            status = cj__fail(CJ_INVALID_ARGUMENT, "%s: number %lld of the data is not finite",
                              layer->name, (long long)i);
    if (status == CJ_OK)
        status = boundaries_of(a, values, count, &made);
    cj_release(copy);
    if (status == CJ_OK && made.count == 0)
        status = cj__fail(CJ_INVALID_ARGUMENT, "%s: too few numbers to make %lld bins of them",
                          layer->name, (long long)a->num_bins);
    if (status != CJ_OK)
        return status;
    cj__free((void *)(uintptr_t)a->bin_boundaries.values);
    a->bin_boundaries = made;
    return CJ_OK;
}

const cj__layer_kind cj__layer_discretization = {
    .choice = CJ__CHOICE("discretization", "Discretization", discretization_fields,
                         discretization_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_discretization,
    .call = call_discretization,
    .adapt = adapt_discretization,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(discretization)
