// The words of cajal/ops_reduce.h that are no plain reduction: quantiles, weighted means, moments,
// running sums and products, segments.
#include "ops/infer.h"
#include "ops/reductions.h"
#include "ops/word_settings.h"
#include <cajal/operators.h>
#include <cajal/ops_reduce.h>
#include <cajal/ops_wide.h>
#include <math.h>
#include <string.h>

#define UNARY(name, x)    cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)
#define FUNCTION(name, x) cj__apply_function(g, CJ__FUNCTION_##name, x)
#define NUMBER(x, value)  cj__scalar_like(g, x, value)

// ---- Quantiles ----

static const char *const methods[] = {"linear", "lower", "higher", "midpoint", "nearest"};
enum { LINEAR, LOWER, HIGHER, MIDPOINT, NEAREST, METHODS };

static int method_of(cj__build *g, const char *who, const char *method)
{
    int found = 0;
    while (method && found < METHODS && strcmp(methods[found], method) != 0)
        found++;
    if (found == METHODS)
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: unknown method \"%s\": there are \"linear\", \"lower\", "
                                     "\"higher\", \"midpoint\" and \"nearest\"",
                                     who, method));
    return found;
}

// The share of the upper of two neighbours, from the fraction of the place.
static double share_of(int method, double fraction)
{
    const double shares[] = {fraction, 0, 1, 0.5, fraction > 0.5 ? 1 : 0};
    return fraction > 0 ? shares[method] : 0;
}

// Sorted lines at a place that is the same for all; the last entry is NaN if any is.
static cj_symbol *at_place(cj__build *g, cj_symbol *sorted, int last, double place, int method)
{
    const int64_t n = cj_symbol_shape(sorted)->dims[last], low = (int64_t)floor(place);
    const double share = share_of(method, place - floor(place));
    cj_symbol *y = cj__slice(g, sorted, last, low, 1);
    if (share > 0) {
        cj_symbol *high = cj__slice(g, sorted, last, low + 1, 1);
        y = share < 1 ? cj__add(g, cj__scale(g, y, 1 - share), cj__scale(g, high, share)) : high;
    }
    cj_symbol *any = cj__nan_mask(g, cj__slice(g, sorted, last, n - 1, 1));
    return cj__select(g, any, NUMBER(y, (double)NAN), y);
}

// Sorted lines, NaN last, at a place that depends on how many numbers each line has.
static cj_symbol *at_own_place(cj__build *g, cj_symbol *sorted, int last, double q, int method)
{
    cj_symbol *there = cj__compare(g, CJ__COMPARISON_equal, sorted, sorted);
    cj_symbol *count = cj__sum(g, cj__cast(g, there, CJ_F64), 1u << last, true), *y[2];
    cj_symbol *top =
        cj__apply_binary(g, CJ__BINARY_maximum, cj__shift(g, count, -1), cj__scalar(g, CJ_F64, 0));
    cj_symbol *place = cj__scale(g, top, q), *low = FUNCTION(floor, place);
    cj_symbol *share = cj__sub(g, place, low), *zero = NUMBER(share, 0), *one = NUMBER(share, 1);
    cj_symbol *between = cj__compare(g, CJ__COMPARISON_greater, share, zero);
    cj_symbol *middle = cj__compare(g, CJ__COMPARISON_greater, share, NUMBER(share, 0.5));
    cj_symbol *const shares[] = {share, zero, one, NUMBER(share, 0.5),
                                 cj__select(g, middle, one, zero)};
    share = cj__cast(g, cj__select(g, between, shares[method], zero), cj_symbol_dtype(sorted));
    for (int i = 0; i < 2; i++) {
        cj_symbol *at = i ? FUNCTION(ceil, place) : low;
        y[i] = cj__take_along(g, sorted, cj__cast(g, at, CJ_I32), last);
    }
    return cj__add(g, y[0], cj__mul(g, share, cj__sub(g, y[1], y[0])));
}

cj_symbol *cj__quantile_of(cj__build *g, const char *who, cj_symbol *x, double q,
                           const char *method, uint32_t axes, bool skips)
{
    const int how = method_of(g, who, method);
    if (!(q >= 0 && q <= 1))
        return cj__word_refuse(
            g, cj__fail(CJ_INVALID_ARGUMENT, "%s: %g is outside the range", who, q));
    cj_symbol *lines = cj__axes_last(g, who, x, axes);
    if (!lines || how == METHODS)
        return NULL;
    const int last = cj_symbol_shape(lines)->rank - 1;
    const int64_t n = cj_symbol_shape(lines)->dims[last];
    if (n == 0)
        return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "%s: there are no elements", who));
    cj_symbol *sorted = cj__take_along(g, lines, cj__argsort(g, lines, last, false), last);
    if (!sorted)
        return NULL;
    cj_symbol *y = skips ? at_own_place(g, sorted, last, q, how) :
                           at_place(g, sorted, last, q * (double)(n - 1), how);
    return cj__word_drop(g, y, last);
}

cj_symbol *cj__median_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return cj__quantile_of(g, who, x, 0.5, "midpoint", axes, false);
}

cj_symbol *cj__nan_median_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return cj__quantile_of(g, who, x, 0.5, "midpoint", axes, true);
}

static cj__quantile_settings quantile_settings(double one, const double *q, int q_count,
                                               const char *method, const int *axes, int count)
{
    const cj__axes_settings of = cj__axes_of(axes, count);
    cj__quantile_settings settings = {
        .method = method ? method : "linear", .one = one, .q = {q, q_count}};
    memcpy(settings.axis, of.axis, sizeof settings.axis);
    return settings;
}

#define DEFINE(word, whole, skips)                                                                 \
    cj_symbol *cj_op_##word(cj_symbol *x, double q, const char *method, const int *axes,           \
                            int count)                                                             \
    {                                                                                              \
        uint32_t mask = 0;                                                                         \
        const cj__quantile_settings settings = quantile_settings(q, NULL, 0, method, axes, count); \
        CJ__TAKE(x)                                                                                \
        {                                                                                          \
            if (cj__word_axes(g, #word, x, axes, count, &mask))                                    \
                y = cj__quantile_of(g, #word, cj__word_real(g, x), q / (whole), method, mask,      \
                                    skips);                                                        \
        }                                                                                          \
        CJ__GIVE_OF(word, x, &settings);                                                           \
    }                                                                                              \
    cj_symbol *cj_op_##word##s(cj_symbol *x, const double *q, int q_count, const char *method,     \
                               const int *axes, int count)                                         \
    {                                                                                              \
        uint32_t mask = 0;                                                                         \
        cj_symbol **each = NULL;                                                                   \
        const cj__quantile_settings settings =                                                     \
            quantile_settings((double)NAN, q, q_count, method, axes, count);                       \
        CJ__TAKE(x)                                                                                \
        {                                                                                          \
            if (!q || q_count < 1)                                                                 \
                y = cj__word_refuse(g, q ? cj__fail(CJ_INVALID_ARGUMENT,                           \
                                                    #word "s: %d of them, needed are 1 or more",   \
                                                    q_count) :                                     \
                                           cj__fail_null_of(#word "s", "the list of places"));     \
            else if (cj__word_axes(g, #word, x, axes, count, &mask) &&                             \
                     (each = cj__build_memory(g, (size_t)q_count, sizeof *each))) {                \
                for (int i = 0; i < q_count; i++)                                                  \
                    each[i] = cj__quantile_of(g, #word, cj__word_real(g, x), q[i] / (whole),       \
                                              method, mask, skips);                                \
                y = g->status == CJ_OK ? cj__stack(g, each, q_count, 0) : NULL;                    \
            }                                                                                      \
        }                                                                                          \
        CJ__GIVE_OF(word, x, &settings);                                                           \
    }
DEFINE(quantile, 1, false)
DEFINE(percentile, 100, false)
DEFINE(nanquantile, 1, true)
DEFINE(nanpercentile, 100, true)
#undef DEFINE

// ---- Places of extremes ----

static cj_symbol *nan_place(cj__build *g, const char *who, cj_symbol *x, int axis, double sign)
{
    int place = 0;
    if (!cj__word_axis(g, who, cj_symbol_shape(x)->rank, axis, &place))
        return NULL;
    x = cj__word_real(g, x);
    cj_symbol *full = cj__without_nan(g, cj__scale(g, x, sign), -(double)INFINITY);
    cj_symbol *there = cj__cast(g, cj__compare(g, CJ__COMPARISON_equal, x, x), CJ_F32);
    cj_symbol *some = cj__cast(g, cj__max(g, there, 1u << place, false), CJ_BOOL);
    // an infinity of the other sign is still before NaN: what is there comes first among equals
    cj_symbol *found = cj__argmax(g, full, place);
    cj_symbol *first = cj__argmax(g, there, place);
    cj_symbol *low = cj__compare(g, CJ__COMPARISON_equal, cj__max(g, full, 1u << place, false),
                                 NUMBER(full, -(double)INFINITY));
    cj_symbol *none = cj__cast(g, cj__scalar(g, CJ_F32, -1), CJ_I32);
    return cj__word_choose(g, some, cj__word_choose(g, low, first, found), none);
}

cj_symbol *cj_op_nanargmax(cj_symbol *x, int axis)
{
    CJ__TAKE(x) y = nan_place(g, "nanargmax", x, axis, 1);
    CJ__GIVE_OF(nanargmax, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_nanargmin(cj_symbol *x, int axis)
{
    CJ__TAKE(x) y = nan_place(g, "nanargmin", x, axis, -1);
    CJ__GIVE_OF(nanargmin, x, (&(cj__axes_settings){{1, axis}, false}));
}

// ---- Means ----

static cj_symbol *weighted(cj__build *g, cj_symbol *x, cj_symbol *weights, uint32_t axes)
{
    const cj_shape *shape = cj_symbol_shape(weights);
    const int rank = cj_symbol_shape(x)->rank;
    int axis = 0;
    while (axis < rank && axes != 1u << axis)
        axis++;
    if (!cj_shape_equal(shape, cj_symbol_shape(x))) {
        if (shape->rank != 1 || axis == rank || shape->dims[0] != cj_symbol_shape(x)->dims[axis])
            return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                               "average: the weights have neither the shape of x "
                                               "nor one axis of the length of the only axis"));
        weights = cj__word_stretch(g, cj__word_along(g, weights, rank, axis), x);
    }
    return cj__div(g, cj__sum(g, cj__mul(g, x, weights), axes, false),
                   cj__sum(g, weights, axes, false));
}

cj_symbol *cj_op_average(cj_symbol *x, cj_symbol *weights, const int *axes, int count)
{
    cj_symbol *const operands[] = {x, weights};
    uint32_t mask = 0;
    CJ__BEGIN;
    if (cj__build_take(g, (cj_symbol *[]){x, weights}, weights ? 2 : 1) == CJ_OK &&
        cj__word_axes(g, "average", x, axes, count, &mask)) {
        x = cj__word_real(g, x);
        if (weights) {
            cj__word_join(g, &x, &weights);
            y = x && weights ? weighted(g, x, weights, mask) : NULL;
        } else {
            y = cj__mean(g, x, mask, false);
        }
    }
    const cj__axes_settings settings = cj__axes_of(axes, count);
    CJ__GIVE_WORD(average, operands, operands[1] ? 2 : 1, &settings);
}

cj_status cj_op_moments(cj_symbol *x, const int *axes, int count, bool keepdims, cj_symbol **mean,
                        cj_symbol **variance)
{
    cj_symbol *const operand = x;
    cj__axes_settings settings = cj__axes_of(axes, count);
    settings.keepdims = keepdims;
    cj__build build = {0}, *const g = &build;
    cj_symbol *both[2] = {NULL, NULL}, *given[2] = {NULL, NULL};
    uint32_t mask = 0;
    if (cj__build_take(g, &x, 1) == CJ_OK && cj__word_axes(g, "moments", x, axes, count, &mask))
        cj__moments(g, cj__word_real(g, x), mask, keepdims, &both[0], &both[1]);
    if (g->status == CJ_OK && (!mean || !variance))
        cj__build_refuse(g, cj__fail_null_of("moments", "the place for a result"));
    const cj_status status =
        cj__word_give_as(g, both, 2, given, &cj__word_moments, &operand, 1, &settings);
    if (mean)
        *mean = given[0];
    if (variance)
        *variance = given[1];
    return status;
}

cj_symbol *cj_op_normalize(cj_symbol *x, int axis, int order, double epsilon)
{
    cj_symbol *const operand = x;
    int place = 0;
    CJ__TAKE(x)
    {
        x = cj__word_real(g, x);
        if (order < 1 || !(epsilon > 0))
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                            "normalize: order %d and epsilon %g, needed are 1 or "
                                            "more, and above 0",
                                            order, epsilon));
        else if (cj__word_axis(g, "normalize", cj_symbol_shape(x)->rank, axis, &place)) {
            cj_symbol *size = order == 2 ? UNARY(square, x) : UNARY(absolute, x);
            if (order > 2)
                size = cj__apply_binary(g, CJ__BINARY_power, size, NUMBER(x, order));
            size = cj__sum(g, size, 1u << place, true);
            // as Keras: the gradient is 0 where epsilon counts
            if (order == 2)
                y = cj__mul(g, x,
                            cj__apply_binary(g, CJ__BINARY_minimum, UNARY(rsqrt, size),
                                             NUMBER(x, 1 / epsilon)));
            else
                y = cj__div(g, x,
                            cj__apply_binary(g, CJ__BINARY_maximum,
                                             order == 1 ?
                                                 size :
                                                 cj__apply_binary(g, CJ__BINARY_power, size,
                                                                  NUMBER(x, 1.0 / order)),
                                             NUMBER(x, epsilon)));
        }
    }
    CJ__GIVE_OF(normalize, operand, (&(cj__normalize_settings){axis, order, epsilon}));
}

// ---- One after another ----

typedef cj_symbol *running(cj__build *g, cj_symbol *x, int axis);

// Integers go through float64. `missing` stands for NaN; NAN leaves it.
static cj_symbol *run_along(cj__build *g, const char *who, cj_symbol *x, int axis,
                            running *function, double missing)
{
    int place = 0;
    if (!cj__word_fixed_axis(g, who, x, axis, &place))
        return NULL;
    const cj_dtype dtype = cj_symbol_dtype(x);
    if (!isnan(missing) && !cj__is_integer(dtype))
        x = cj__without_nan(g, x, missing);
    cj_symbol *y = function(g, cj__word_wide(g, x), place);
    return cj__cast(g, y, dtype == CJ_BOOL || dtype == CJ_U8 ? CJ_I32 : dtype);
}

cj_symbol *cj_op_cumsum(cj_symbol *x, int axis)
{
    CJ__TAKE(x) y = run_along(g, "cumsum", x, axis, cj__running_sum, (double)NAN);
    CJ__GIVE_OF(cumsum, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_cumprod(cj_symbol *x, int axis)
{
    CJ__TAKE(x) y = run_along(g, "cumprod", x, axis, cj__running_product, (double)NAN);
    CJ__GIVE_OF(cumprod, x, (&(cj__axes_settings){{1, axis}, false}));
}

#define DEFINE(word, function, missing)                                  \
    cj_symbol *cj_op_##word(cj_symbol *x, int axis)                      \
    {                                                                    \
        CJ__TAKE(x) y = run_along(g, #word, x, axis, function, missing); \
        CJ__GIVE_OF(word, x, (&(cj__axes_settings){{1, axis}, false}));  \
    }
DEFINE(nancumsum, cj__running_sum, 0)
DEFINE(nancumprod, cj__running_product, 1)
#undef DEFINE

static cj_symbol *difference(cj__build *g, cj_symbol *x, int axis)
{
    const int64_t n = x ? cj_symbol_shape(x)->dims[axis] : 0;
    if (!x || n < 1)
        return x;
    cj_symbol *after = cj__slice(g, x, axis, 1, n - 1), *before = cj__slice(g, x, axis, 0, n - 1);
    return cj_symbol_dtype(x) == CJ_BOOL ?
               cj__word_compare(g, CJ__COMPARISON_not_equal, after, before) :
               cj__word_binary(g, CJ__BINARY_subtract, CJ__INTEGER_subtract, after, before);
}

cj_symbol *cj_op_diff(cj_symbol *x, int n, int axis)
{
    int place = 0;
    CJ__TAKE(x)
    {
        if (n < 0)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "diff: %d times", n));
        else if (cj__word_fixed_axis(g, "diff", x, axis, &place)) {
            y = x;
            for (int i = 0; i < n && y && cj_symbol_shape(y)->dims[place] > 0; i++)
                y = difference(g, y, place);
        }
    }
    CJ__GIVE_OF(diff, x, (&(cj__number_axis_settings){n, {1, axis}}));
}

cj_symbol *cj_op_trapezoid(cj_symbol *samples, cj_symbol *x, double dx, int axis)
{
    cj_symbol *const operands[] = {samples, x};
    int place = 0;
    CJ__BEGIN;
    if (cj__build_take(g, (cj_symbol *[]){samples, x}, x ? 2 : 1) == CJ_OK &&
        cj__word_fixed_axis(g, "trapezoid", samples, axis, &place)) {
        samples = cj__word_real(g, samples);
        const int64_t n = cj_symbol_shape(samples)->dims[place];
        cj_symbol *width = NULL;
        if (x) {
            cj__word_join(g, &samples, &x);
            if (cj_symbol_shape(x)->rank == 1)
                x = cj__word_along(g, x, cj_symbol_shape(samples)->rank, place);
            if (cj_symbol_shape(x)->rank == cj_symbol_shape(samples)->rank)
                width = difference(g, x, place);
            else
                width = cj__word_refuse(
                    g, cj__fail(CJ_SHAPE_MISMATCH, "trapezoid: x has neither y's axes nor one"));
        } else {
            width = NUMBER(samples, dx);
        }
        if (n < 1)
            y = cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "trapezoid: there are no samples"));
        else {
            y = cj__add(g, cj__slice(g, samples, place, 1, n - 1),
                        cj__slice(g, samples, place, 0, n - 1));
            y = cj__scale(g, cj__sum(g, cj__mul(g, y, width), 1u << place, false), 0.5);
        }
    }
    if (operands[1]) // Keras has abscissas as a setting, which no file can hold
        CJ__GIVE;
    CJ__GIVE_WORD(trapezoid, operands, 1, (&(cj__trapezoid_settings){dx, axis}));
}

cj_symbol *cj_op_corrcoef(cj_symbol *x)
{
    cj_symbol *const operand = x;
    CJ__TAKE(x)
    {
        x = cj__word_real(g, x);
        if (cj_symbol_shape(x)->rank != 2)
            y = cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                            "corrcoef: the symbol has %d axes, needed are 2",
                                            cj_symbol_shape(x)->rank));
        else {
            cj_symbol *apart = cj__sub(g, x, cj__mean(g, x, 2, true));
            cj_symbol *size = UNARY(sqrt, cj__sum(g, UNARY(square, apart), 2, true));
            apart = cj__div(g, apart, size);
            y = cj__matmul(g, apart, apart, false, true);
            y = cj__apply_unary(g, CJ__UNARY_clip, y, -1, 1);
        }
    }
    CJ__GIVE_OF(corrcoef, operand, NULL);
}

// ---- Segments ----

cj_symbol *cj_op_segment_sum(cj_symbol *x, cj_symbol *ids, int64_t segments)
{
    CJ__TAKE_2(x, ids)
    {
        cj_symbol *rows = cj__word_wide(g, x);
        if (segments < 1 || cj_symbol_shape(ids)->rank != 1)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                            "segment_sum: %lld segments by numbers of %d axes, "
                                            "needed are 1 or more by one axis",
                                            (long long)segments, cj_symbol_shape(ids)->rank));
        else
            y = cj__append(g, &cj__op_gather_grad, &(cj__index_attrs){.size = segments},
                           (cj_symbol *[]){cj__cast(g, ids, CJ_I32), rows}, 2);
        y = y ? cj__cast(g, y, cj_symbol_dtype(x)) : NULL;
    }
    CJ__GIVE_WORD(segment_sum, ((cj_symbol *[]){x, ids}), 2, (&(cj__number_settings){segments}));
}

#define DEFINE(word, least)                                                                     \
    cj_symbol *cj_op_##word(cj_symbol *x, cj_symbol *ids, int64_t segments)                     \
    {                                                                                           \
        CJ__TAKE_2(x, ids)                                                                      \
        {                                                                                       \
            y = cj__segment_extreme(g, cj__word_wide(g, x), cj__cast(g, ids, CJ_I32), segments, \
                                    least);                                                     \
            y = cj__cast(g, y, cj_symbol_dtype(x));                                             \
        }                                                                                       \
        CJ__GIVE_WORD(word, ((cj_symbol *[]){x, ids}), 2, (&(cj__number_settings){segments}));  \
    }
DEFINE(segment_max, false)
DEFINE(segment_min, true)
#undef DEFINE

// Each segment's product over all rows, those of others being 1: (segments, n, ...) of numbers.
cj_symbol *cj_op_segment_prod(cj_symbol *x, cj_symbol *ids, int64_t segments)
{
    CJ__TAKE_2(x, ids)
    {
        const int rank = cj_symbol_shape(x)->rank;
        if (segments < 1 || rank < 1 || cj_symbol_shape(ids)->rank != 1)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                            "segment_prod: needed are rows, a number for each, and "
                                            "1 or more segments"));
        else {
            cj_symbol *wide = cj__word_expand(g, cj__word_wide(g, x), 0);
            cj_symbol *number = cj__word_along(g, cj__cast(g, ids, CJ_I32), rank + 1, 1);
            cj_symbol *own = cj__word_along(g, cj__word_range(g, 0, segments), rank + 1, 0);
            cj_symbol *in = cj__apply_integer(g, CJ__INTEGER_equal, number, own);
            y = wide ? cj__select(g, in, wide, NUMBER(wide, 1)) : NULL;
            y = cj__cast(g, cj__product_of(g, "segment_prod", y, 2), cj_symbol_dtype(x));
        }
    }
    CJ__GIVE_WORD(segment_prod, ((cj_symbol *[]){x, ids}), 2, (&(cj__number_settings){segments}));
}
