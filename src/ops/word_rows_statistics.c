// Words over axes that are no plain reduction: cajal/ops_reduce.h.
#include "ops/word_rows.h"

#include "base/error.h"
#include <cajal/operators.h>
#include <cajal/ops_reduce.h>
#include <cajal/ops_wide.h>
#include <math.h>

#define OF_X CJ__NAMES("x")

static const cj__config_key own_dtype[] = {CJ__KEY_ONLY("dtype", "null"), {.key = NULL}};

// ---- Over some or all axes ----

static const cj__axes_settings axes_defaults = {{0}, false};
static const cj__field count_fields[] = {
    CJ__FIELD(cj__axes_settings, axis, CJ__FIELD_AXES, .optional = true)};
CJ__MAKE(count_nonzero)
{
    int list[CJ_MAX_RANK];
    CJ__SETTINGS(cj__axes_settings);
    return cj_op_count_nonzero(x[0], cj__word_axes_list(s->axis, list), (int)s->axis[0]);
}
CJ__ROW(count_nonzero, "CountNonzero", CJ__NUMPY, OF_X, 1, count_fields, axes_defaults,
        CJ__DOES(count_nonzero))

CJ__MAKE(average)
{
    int list[CJ_MAX_RANK];
    CJ__SETTINGS(cj__axes_settings);
    return cj_op_average(x[0], n > 1 ? x[1] : NULL, cj__word_axes_list(s->axis, list),
                         (int)s->axis[0]);
}
const cj__word cj__word_average = {
    .choice = CJ__CHOICE("average", "Average", count_fields, axes_defaults),
    .module = CJ__NUMPY,
    .operands = CJ__NAMES("x", "weights"),
    .least = 1,
    .most = 2,
    .by_place = 1,
    .make = make_average};

static const cj__field moments_fields[] = {
    CJ__KEYED(cj__axes_settings, axis, "axes", CJ__FIELD_AXES, .optional = true),
    CJ__FIELD(cj__axes_settings, keepdims, CJ__FIELD_BOOL),
};
static const cj__config_key moments_keys[] = {CJ__KEY_ONLY("synchronized", "false"), {.key = NULL}};
CJ__MAKE_MANY(moments)
{
    int list[CJ_MAX_RANK];
    CJ__SETTINGS(cj__axes_settings);
    *count = 2;
    return cj_op_moments(x[0], cj__word_axes_list(s->axis, list), (int)s->axis[0], s->keepdims,
                         &results[0], &results[1]);
}
CJ__ROW(moments, "Moments", CJ__NN, OF_X, 1, moments_fields, axes_defaults, CJ__DOES_MANY(moments),
        .keys = moments_keys)

// ---- Quantiles ----

static const char *const methods[] = {"linear", "lower", "higher", "midpoint", "nearest", NULL};
static const cj__quantile_settings quantile_defaults = {.method = "linear", .one = NAN};
static const cj__field quantile_fields[] = {
    CJ__FIELD(cj__quantile_settings, axis, CJ__FIELD_AXES, .optional = true),
    CJ__FIELD(cj__quantile_settings, keepdims, CJ__FIELD_BOOL),
    CJ__FIELD(cj__quantile_settings, method, CJ__FIELD_TEXT, .words = methods),
    CJ__FIELD(cj__quantile_settings, q, CJ__FIELD_NUMBERS,
              .single = offsetof(cj__quantile_settings, one)),
};

// The axes of length 1 that `keepdims` leaves, behind one axis of the quantiles if there is a list.
static cj_symbol *kept(cj_symbol *y, const cj__quantile_settings *s, int rank)
{
    const int first = s->q.count > 0;
    for (int i = 0; y && s->keepdims && i < rank; i++) {
        bool reduced = s->axis[0] == 0;
        for (int j = 1; j <= (int)s->axis[0]; j++)
            reduced = reduced || s->axis[j] == i || s->axis[j] + rank == i;
        if (reduced)
            y = cj_op_expand_dims(y, first + i);
    }
    return y;
}

#define QUANTILE(name, class)                                                                    \
    CJ__MAKE(name)                                                                               \
    {                                                                                            \
        int list[CJ_MAX_RANK];                                                                   \
        CJ__SETTINGS(cj__quantile_settings);                                                     \
        const int *axes = cj__word_axes_list(s->axis, list), rank = cj_symbol_shape(x[0])->rank; \
        cj_symbol *y = s->q.count > 0 ?                                                          \
                           cj_op_##name##s(x[0], s->q.values, (int)s->q.count, s->method, axes,  \
                                           (int)s->axis[0]) :                                    \
                           cj_op_##name(x[0], s->one, s->method, axes, (int)s->axis[0]);         \
        return kept(y, s, rank);                                                                 \
    }                                                                                            \
    CJ__ROW(name, class, CJ__NUMPY, OF_X, 1, quantile_fields, quantile_defaults, CJ__DOES(name), \
            .call_settings = CJ__NAMES("q"))
QUANTILE(quantile, "Quantile")
QUANTILE(percentile, "Percentile")
QUANTILE(nanquantile, "Nanquantile")
QUANTILE(nanpercentile, "Nanpercentile")

// ---- Along one axis ----

static const cj__field line_fields[] = {
    CJ__FIELD(cj__axes_settings, axis, CJ__FIELD_AXES, .optional = true),
    CJ__FIELD(cj__axes_settings, keepdims, CJ__FIELD_BOOL),
};
#define INDEX(name, class)                                                    \
    CJ__MAKE(name)                                                            \
    {                                                                         \
        int axis = 0;                                                         \
        CJ__SETTINGS(cj__axes_settings);                                      \
        const int rank = cj_symbol_shape(x[0])->rank;                         \
        cj_symbol *y = cj__word_line(#name, x[0], s->axis, &axis);            \
        y = cj_op_##name(y, axis);                                            \
        for (int i = 0; y && s->keepdims && i < (s->axis[0] ? 1 : rank); i++) \
            y = cj_op_expand_dims(y, axis);                                   \
        return y;                                                             \
    }                                                                         \
    CJ__ROW(name, class, CJ__NUMPY, OF_X, 1, line_fields, axes_defaults, CJ__DOES(name))
INDEX(argmax, "Argmax")
INDEX(argmin, "Argmin")
INDEX(nanargmax, "Nanargmax")
INDEX(nanargmin, "Nanargmin")

#define RUNNING(name, class) CJ__ALONG(name, class, count_fields, axes_defaults, .keys = own_dtype)
RUNNING(cumsum, "Cumsum")
RUNNING(cumprod, "Cumprod")
RUNNING(nancumsum, "Nancumsum")
RUNNING(nancumprod, "Nancumprod")

static const cj__normalize_settings normalize_defaults = {-1, 2, 1e-7};
static const cj__field normalize_fields[] = {
    CJ__FIELD(cj__normalize_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS),
    CJ__FIELD(cj__normalize_settings, order, CJ__FIELD_INT, .low = 1, .high = INT16_MAX),
    CJ__FIELD(cj__normalize_settings, epsilon, CJ__FIELD_NUMBER),
};
CJ__MADE(normalize, cj__normalize_settings,
         cj_op_normalize(x[0], (int)s->axis, (int)s->order, s->epsilon))
CJ__ROW(normalize, "Normalize", CJ__NN, OF_X, 1, normalize_fields, normalize_defaults,
        CJ__DOES(normalize))

static const cj__number_axis_settings diff_defaults = {1, {1, -1}};
static const cj__field diff_fields[] = {
    CJ__KEYED(cj__number_axis_settings, number, "n", CJ__FIELD_INT, .low = 0, .high = INT16_MAX),
    CJ__FIELD(cj__number_axis_settings, axis, CJ__FIELD_AXES),
};
CJ__MAKE(diff)
{
    int axis = 0;
    CJ__SETTINGS(cj__number_axis_settings);
    cj_symbol *line = cj__word_line("diff", x[0], s->axis, &axis);
    return cj_op_diff(line, (int)s->number, axis);
}
CJ__ROW(diff, "Diff", CJ__NUMPY, CJ__NAMES("a"), 1, diff_fields, diff_defaults, CJ__DOES(diff))

static const cj__trapezoid_settings trapezoid_defaults = {1, -1};
static const cj__field trapezoid_fields[] = {
    CJ__FIELD(cj__trapezoid_settings, dx, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__trapezoid_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS),
};
static const cj__config_key trapezoid_keys[] = {CJ__KEY_ONLY("x", "null"), {.key = NULL}};
CJ__MADE(trapezoid, cj__trapezoid_settings, cj_op_trapezoid(x[0], NULL, s->dx, (int)s->axis))
CJ__ROW(trapezoid, "Trapezoid", CJ__NUMPY, CJ__NAMES("y"), 1, trapezoid_fields, trapezoid_defaults,
        CJ__DOES(trapezoid), .keys = trapezoid_keys)

CJ__UNARY_WORD(corrcoef, "Corrcoef", CJ__NUMPY, "x")

// ---- Segments ----

static const cj__number_settings number_defaults = {0};
static const cj__field segment_fields[] = {CJ__KEYED(
    cj__number_settings, number, "num_segments", CJ__FIELD_INT, .required = true, CJ__POSITIVE)};
static const cj__config_key segment_keys[] = {CJ__KEY_HARMLESS("sorted"), {.key = NULL}};
#define SEGMENT(name, class)                                                            \
    CJ__MADE(name, cj__number_settings, cj_op_##name(x[0], x[1], s->number))            \
    CJ__ROW(name, class, CJ__MATH, CJ__NAMES("data", "segment_ids"), 2, segment_fields, \
            number_defaults, CJ__DOES(name), .keys = segment_keys)
SEGMENT(segment_sum, "SegmentSum")
SEGMENT(segment_prod, "SegmentProd")
SEGMENT(segment_max, "SegmentMax")
SEGMENT(segment_min, "SegmentMin")
