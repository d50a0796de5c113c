// Regularizers (keras/src/regularizers/regularizers.py): l1 sum |w| + l2 sum w^2, without a half; and
// for a matrix the mean over all pairs of different rows or columns of |cosine of their angle|,
// times a factor. Of spikes (batch, steps, ...) also how far the rates of neurons are from one that is wanted.
#include "layers/kind.h"
#include <string.h>

typedef struct l1_args {
    double l1;
} l1_args;
static const l1_args l1_defaults = {.l1 = 0.01};
typedef struct l2_args {
    double l2;
} l2_args;
static const l2_args l2_defaults = {.l2 = 0.01};
typedef struct l1_l2_args {
    double l1, l2;
} l1_l2_args;
static const l1_l2_args l1_l2_defaults = {.l1 = 0, .l2 = 0};

typedef struct orthogonal_args {
    double factor;
    const char *mode;
} orthogonal_args;
static const orthogonal_args orthogonal_defaults = {.factor = 0.01, .mode = "rows"};

typedef struct spike_rate_args {
    double rate, factor;
} spike_rate_args;
static const spike_rate_args spike_rate_defaults = {.rate = 0.1, .factor = 0.01};

typedef struct regularizer {
    cj__choice choice;
    void (*factors)(const void *args, double *l1, double *l2); // NULL for another formula
    cj_symbol *(*formula)(cj__build *g, const void *args, const char *who, cj_symbol *x);
} regularizer;

static void factors_l1(const void *args, double *l1, double *l2)
{
    *l1 = ((const l1_args *)args)->l1;
    *l2 = 0;
}

static void factors_l2(const void *args, double *l1, double *l2)
{
    *l1 = 0;
    *l2 = ((const l2_args *)args)->l2;
}

static void factors_l1_l2(const void *args, double *l1, double *l2)
{
    *l1 = ((const l1_l2_args *)args)->l1;
    *l2 = ((const l1_l2_args *)args)->l2;
}

static const cj__field l1_fields[] = {
    CJ__FIELD(l1_args, l1, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};
static const cj__field l2_fields[] = {
    CJ__FIELD(l2_args, l2, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};
static const cj__field l1_l2_fields[] = {
    CJ__FIELD(l1_l2_args, l1, CJ__FIELD_NUMBER, .low = 0, .high = 1e30),
    CJ__FIELD(l1_l2_args, l2, CJ__FIELD_NUMBER, .low = 0, .high = 1e30)};

static const char *const modes[] = {"rows", "columns", NULL};
static const cj__field orthogonal_fields[] = {
    CJ__FIELD(orthogonal_args, factor, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(orthogonal_args, mode, CJ__FIELD_TEXT, .required = true, .words = modes)};

static const cj__field spike_rate_fields[] = {
    CJ__FIELD(spike_rate_args, rate, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(spike_rate_args, factor, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE)};

static cj_symbol *orthogonality(cj__build *g, const void *args, const char *who, cj_symbol *x);
static cj_symbol *rate_distance(cj__build *g, const void *args, const char *who, cj_symbol *x);

static const regularizer rows[] = {
    {CJ__CHOICE("l1", "L1", l1_fields, l1_defaults), factors_l1, NULL},
    {CJ__CHOICE("l2", "L2", l2_fields, l2_defaults), factors_l2, NULL},
    {CJ__CHOICE("l1_l2", "L1L2", l1_l2_fields, l1_l2_defaults), factors_l1_l2, NULL},
    {CJ__CHOICE("l1_l2", "WeightRegularizer", l1_l2_fields, l1_l2_defaults), factors_l1_l2, NULL},
    {CJ__CHOICE("l1_l2", "ActivityRegularizer", l1_l2_fields, l1_l2_defaults), factors_l1_l2, NULL},
    {CJ__CHOICE("orthogonal_regularizer", "OrthogonalRegularizer", orthogonal_fields,
                orthogonal_defaults),
     NULL, orthogonality},
    {CJ__CHOICE("spike_rate", "SpikeRateRegularizer", spike_rate_fields, spike_rate_defaults), NULL,
     rate_distance},
};

static const cj__config_key keys[] = {CJ__KEY_HARMLESS("name"), {.key = NULL}};

const cj__catalog cj__regularizers = {.what = "regularizer",
                                      .rows = rows,
                                      .stride = sizeof rows[0],
                                      .count = sizeof rows / sizeof rows[0],
                                      .keys = keys};

// The sum over all axes; with `per_sample`, divided by the length of axis 0, which may be free.
static cj_symbol *total(cj__build *g, cj_symbol *x, bool per_sample)
{
    if (!x || !per_sample || cj_symbol_shape(x)->rank == 0)
        return x ? cj__sum(g, x, cj__all_axes(x), false) : NULL;
    cj_symbol *mean = cj__mean(g, x, 1u, false);
    return mean && cj_symbol_shape(mean)->rank > 0 ? cj__sum(g, mean, cj__all_axes(mean), false) :
                                                     mean;
}

static cj_symbol *failed(cj__build *g, cj_status status)
{
    if (g->status == CJ_OK)
        g->status = status;
    return NULL;
}

// Ones of the shape (n, n) with a diagonal of zeros.
static cj_symbol *off_diagonal(cj__build *g, const cj_symbol *like, int64_t n)
{
    cj_tensor *ones = NULL;
    if (!like || cj_tensor_new(cj_symbol_dtype(like), CJ_SHAPE(n, n), &ones) != CJ_OK)
        return failed(g, cj_error_status());
    cj_tensor_fill(ones, 1);
    for (int64_t i = 0; i < n; i++)
        cj__element_set(ones->dtype, ones->data, i * n + i, 0);
    return cj__build_keep(g, cj_symbol_constant(ones));
}

// factor sum |X X^T| / (n (n - 1)) without the diagonal, for the n rows of X, each of length 1.
static cj_symbol *orthogonality(cj__build *g, const void *args, const char *who, cj_symbol *x)
{
    const orthogonal_args *a = args;
    const bool rows_of = strcmp(a->mode, "rows") == 0;
    const cj_shape *shape = x ? cj_symbol_shape(x) : NULL;
    if (!x)
        return NULL;
    if (shape->rank != 2 || shape->dims[0] < 0 || shape->dims[1] < 0)
        return failed(g, cj__fail(CJ_INVALID_ARGUMENT,
                                  "%s: orthogonal_regularizer is for a matrix, not for %d axes",
                                  who, shape->rank));
    const int64_t n = shape->dims[rows_of ? 0 : 1];
    if (n < 2) // no pairs, where Keras has 0 / 0
        return cj__scalar_like(g, x, 0);
    cj_symbol *squares =
        cj__sum(g, cj__apply_unary(g, CJ__UNARY_square, x, 0, 0), rows_of ? 2u : 1u, true);
    cj_symbol *inverse = cj__apply_unary(g, CJ__UNARY_rsqrt, squares, 0, 0);
    // Keras's normalize(): a vector of length 0 stays 0
    if (inverse)
        inverse =
            cj__apply_binary(g, CJ__BINARY_minimum, inverse, cj__scalar_like(g, inverse, 1e7));
    x = cj__mul(g, x, inverse);
    cj_symbol *products =
        cj__apply_unary(g, CJ__UNARY_absolute, cj__matmul(g, x, x, !rows_of, rows_of), 0, 0);
    products = cj__mul(g, products, off_diagonal(g, products, n));
    return products ?
               cj__scale(g, total(g, products, false), a->factor / ((double)n * (double)(n - 1))) :
               NULL;
}

// factor times the mean over the neurons of (r - rate)^2, r being the mean of a neuron's spikes over samples
// and steps.
static cj_symbol *rate_distance(cj__build *g, const void *args, const char *who, cj_symbol *x)
{
    const spike_rate_args *a = args;
    if (!x)
        return NULL;
    if (cj_symbol_shape(x)->rank < 3)
        return failed(
            g, cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: spike_rate is for sequences (batch, steps, neurons), not for %d "
                        "axes",
                        who, cj_symbol_shape(x)->rank));
    cj_symbol *distance = cj__shift(g, cj__mean(g, x, 3u, false), -a->rate);
    cj_symbol *squares = cj__apply_unary(g, CJ__UNARY_square, distance, 0, 0);
    return squares ? cj__scale(g, cj__mean(g, squares, cj__all_axes(squares), false), a->factor) :
                     NULL;
}

// l1 sum |x| + l2 sum x^2
static cj_symbol *weighed(cj__build *g, cj_symbol *x, double l1, double l2, bool per_sample)
{
    cj_symbol *sum = NULL;
    if (l1 > 0)
        sum =
            cj__scale(g, total(g, cj__apply_unary(g, CJ__UNARY_absolute, x, 0, 0), per_sample), l1);
    if (l2 > 0) {
        cj_symbol *squares =
            cj__scale(g, total(g, cj__apply_unary(g, CJ__UNARY_square, x, 0, 0), per_sample), l2);
        sum = sum ? cj__add(g, sum, squares) : squares;
    }
    return l1 > 0 || l2 > 0 ? sum : cj__scalar_like(g, x, 0);
}

cj_symbol *cj__activity_penalty(cj__build *g, cj_symbol *x, double l1, double l2)
{
    return weighed(g, x, l1, l2, true);
}

static cj_symbol *penalty(cj__build *g, const char *spec, const char *who, cj_symbol *x,
                          bool per_sample)
{
    cj__chosen chosen;
    double l1 = 0, l2 = 0;
    cj_symbol *sum = NULL;
    const cj_status status = cj__spec_parse(&cj__regularizers, spec, who, &chosen);
    if (status != CJ_OK)
        return failed(g, status);
    const regularizer *row = (const regularizer *)(const void *)chosen.choice;
    if (row && !row->factors)
        sum = row->formula(g, chosen.args, who, x);
    else if (row)
        row->factors(chosen.args, &l1, &l2);
    cj__chosen_free(&chosen);
    if (row && !row->factors)
        return sum;
    return weighed(g, x, l1, l2, per_sample);
}

cj_symbol *cj__regularizer(cj__build *build, const char *spec, const char *who, cj_symbol *x)
{
    return penalty(build, spec, who, x, false);
}

cj_symbol *cj__activity_regularizer(cj__build *build, const char *spec, const char *who,
                                    cj_symbol *x)
{
    return penalty(build, spec, who, x, true);
}
