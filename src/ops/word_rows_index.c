// Words that order elements, and that pick and put them by indices: cajal/ops_index.h.
#include "ops/word_rows.h"

#include "base/error.h"
#include <cajal/operators.h>
#include <cajal/ops_index.h>
#include <cajal/ops_shape.h>

#define OF_X CJ__NAMES("x")

// ---- Order ----

static const cj__axes_settings last_axis = {{1, -1}, false};
static const cj__field line_fields[] = {
    CJ__FIELD(cj__axes_settings, axis, CJ__FIELD_AXES, .optional = true)};
CJ__ALONG(sort, "Sort", line_fields, last_axis, .keys = NULL)
CJ__ALONG(argsort, "Argsort", line_fields, last_axis, .keys = NULL)

static const cj__number_axis_settings kth_defaults = {0, {1, -1}};
static const cj__field kth_fields[] = {
    CJ__KEYED(cj__number_axis_settings, number, "kth", CJ__FIELD_INT),
    CJ__FIELD(cj__number_axis_settings, axis, CJ__FIELD_AXES, .optional = true),
};
CJ__MAKE(argpartition)
{
    int axis = 0;
    CJ__SETTINGS(cj__number_axis_settings);
    cj_symbol *line = cj__word_line("argpartition", x[0], s->axis, &axis);
    return cj_op_argpartition(line, s->number, axis);
}
CJ__ROW(argpartition, "Argpartition", CJ__NUMPY, OF_X, 1, kth_fields, kth_defaults,
        CJ__DOES(argpartition))

static const cj__number_settings number_defaults = {0};
static const cj__field k_fields[] = {
    CJ__KEYED(cj__number_settings, number, "k", CJ__FIELD_INT, .low = 0, .high = INT32_MAX)};
static const cj__config_key sorted_key[] = {CJ__KEY_HARMLESS("sorted"), {.key = NULL}};
CJ__MAKE_MANY(top_k)
{
    CJ__SETTINGS(cj__number_settings);
    *count = 2;
    return cj_op_top_k(x[0], s->number, &results[0], &results[1]);
}
CJ__ROW(top_k, "TopK", CJ__MATH, OF_X, 1, k_fields, number_defaults, CJ__DOES_MANY(top_k),
        .keys = sorted_key)
CJ__MADE(in_top_k, cj__number_settings, cj_op_in_top_k(x[0], x[1], s->number))
CJ__ROW(in_top_k, "InTopK", CJ__MATH, CJ__NAMES("targets", "predictions"), 2, k_fields,
        number_defaults, CJ__DOES(in_top_k))

// ---- Entries by indices ----

static const cj__axes_settings no_axis = {{0}, false};
CJ__MAKE(take)
{
    int axis = 0;
    CJ__SETTINGS(cj__axes_settings);
    cj_symbol *from = cj__word_line("take", x[0], s->axis, &axis);
    return axis == 0 ? cj_op_take(from, x[1]) : cj_op_take_at(from, x[1], axis);
}
CJ__ROW(take, "Take", CJ__NUMPY, CJ__NAMES("x", "indices"), 2, line_fields, no_axis, CJ__DOES(take))
CJ__MAKE(take_along_axis)
{
    int axis = 0;
    CJ__SETTINGS(cj__axes_settings);
    cj_symbol *from = cj__word_line("take_along_axis", x[0], s->axis, &axis);
    return cj_op_take_along_axis(from, s->axis[0] ? x[1] : cj_op_ravel(x[1]), axis);
}
CJ__ROW(take_along_axis, "TakeAlongAxis", CJ__NUMPY, CJ__NAMES("x", "indices"), 2, line_fields,
        no_axis, CJ__DOES(take_along_axis))

static const cj__places_settings places_defaults = {.parts = 0};
static const cj__field shape_fields[] = {CJ__KEYED(cj__places_settings, first, "shape",
                                                   CJ__FIELD_NUMBERS, .whole = true,
                                                   .required = true, .low = 0, .high = INT32_MAX)};
CJ__MAKE(scatter)
{
    CJ__SETTINGS(cj__places_settings);
    cj_shape shape = {0};
    shape.rank = cj__word_whole("scatter", "shape", &s->first, shape.dims, 1, CJ_MAX_RANK);
    return shape.rank >= 0 ? cj_op_scatter(x[0], x[1], shape) : cj__word_drop_made(x, n);
}
CJ__ROW(scatter, "Scatter", CJ__CORE, CJ__NAMES("indices", "values"), 2, shape_fields,
        places_defaults, CJ__DOES(scatter))

static const char *const reductions[] = {"add", "mul", "max", "min", NULL};
static const cj__text_settings text_defaults = {NULL};
static const cj__field reduction_fields[] = {
    CJ__KEYED(cj__text_settings, text, "reduction", CJ__FIELD_TEXT, .words = reductions)};
CJ__MADE(scatter_update, cj__text_settings, cj_op_scatter_update(x[0], x[1], x[2], s->text))
CJ__ROW(scatter_update, "ScatterUpdate", CJ__CORE, CJ__NAMES("inputs", "indices", "updates"), 3,
        reduction_fields, text_defaults, CJ__DOES(scatter_update))

// ---- Questions of place ----

static const char *const sides[] = {"left", "right", NULL};
static const cj__text_settings left = {"left"};
static const cj__field side_fields[] = {
    CJ__KEYED(cj__text_settings, text, "side", CJ__FIELD_TEXT, .words = sides)};
CJ__MADE(searchsorted, cj__text_settings, cj_op_searchsorted(x[0], x[1], s->text))
CJ__ROW(searchsorted, "SearchSorted", CJ__NUMPY, CJ__NAMES("sorted_sequence", "values"), 2,
        side_fields, left, CJ__DOES(searchsorted))

static const cj__bins_settings bins_defaults = {{NULL, 0}};
static const cj__field bins_fields[] = {CJ__FIELD(cj__bins_settings, bins, CJ__FIELD_NUMBERS)};
CJ__MADE(digitize, cj__bins_settings, cj_op_digitize(x[0], s->bins.values, (int)s->bins.count))
CJ__ROW(digitize, "Digitize", CJ__NUMPY, OF_X, 1, bins_fields, bins_defaults, CJ__DOES(digitize),
        .call_settings = CJ__NAMES("bins"))

static const cj__isin_settings isin_defaults = {false};
static const cj__field isin_fields[] = {CJ__FIELD(cj__isin_settings, invert, CJ__FIELD_BOOL)};
static const cj__config_key isin_keys[] = {CJ__KEY_HARMLESS("assume_unique"), {.key = NULL}};
CJ__MADE(isin, cj__isin_settings, cj_op_isin(x[0], x[1], s->invert))
CJ__ROW(isin, "IsIn", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, isin_fields, isin_defaults,
        CJ__DOES(isin), .keys = isin_keys)

static const cj__field classes_fields[] = {CJ__KEYED(
    cj__number_settings, number, "num_classes", CJ__FIELD_INT, .required = true, CJ__POSITIVE)};
static const cj__config_key multi_hot_keys[] = {CJ__KEY_ONLY("axis", "-1"),
                                                CJ__KEY_ONLY("dtype", "float32"),
                                                CJ__KEY_ONLY("sparse", "false"),
                                                {.key = NULL}};
CJ__MADE(multi_hot, cj__number_settings, cj_op_multi_hot(x[0], s->number))
CJ__ROW(multi_hot, "MultiHot", CJ__NN, CJ__NAMES("inputs"), 1, classes_fields, number_defaults,
        CJ__DOES(multi_hot), .keys = multi_hot_keys)
