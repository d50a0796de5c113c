// Words on elements with settings, and those that look at numbers: cajal/ops_math.h.
#include "ops/word_rows.h"

#include "base/error.h"
#include <cajal/ops_math.h>
#include <cajal/ops_shape.h>
#include <math.h>
#include <limits.h>

static const cj__number_settings round_defaults = {0};
static const cj__field round_fields[] = {
    CJ__KEYED(cj__number_settings, number, "decimals", CJ__FIELD_INT, .low = -300, .high = 300)};
CJ__MADE(round, cj__number_settings, cj_op_round(x[0], (int)s->number))
CJ__ROW(round, "Round", CJ__NUMPY, CJ__NAMES("x"), 1, round_fields, round_defaults, CJ__DOES(round))

// ---- Questions ----

static const cj__close_settings close_defaults = {1e-5, 1e-8, false};
static const cj__field close_fields[] = {
    CJ__FIELD(cj__close_settings, rtol, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__close_settings, atol, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__close_settings, equal_nan, CJ__FIELD_BOOL),
};
CJ__MADE(isclose, cj__close_settings, cj_op_isclose(x[0], x[1], s->rtol, s->atol, s->equal_nan))
CJ__ROW(isclose, "Isclose", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, close_fields, close_defaults,
        CJ__DOES(isclose), .call_settings = CJ__NAMES("rtol", "atol"))
CJ__MADE(allclose, cj__close_settings, cj_op_allclose(x[0], x[1], s->rtol, s->atol, s->equal_nan))
CJ__ROW(allclose, "AllClose", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, close_fields, close_defaults,
        CJ__DOES(allclose))

// ---- Numbers replaced ----

static const cj__nan_settings nan_defaults = {0, INFINITY, INFINITY};
static const cj__field nan_fields[] = {
    CJ__FIELD(cj__nan_settings, nan, CJ__FIELD_NUMBER),
    CJ__FIELD(cj__nan_settings, posinf, CJ__FIELD_LIMIT),
    CJ__FIELD(cj__nan_settings, neginf, CJ__FIELD_LIMIT),
};
static double or_greatest(double number)
{
    return isinf(number) ? (double)NAN : number;
}
CJ__MADE(nan_to_num, cj__nan_settings,
         cj_op_nan_to_num(x[0], s->nan, or_greatest(s->posinf), or_greatest(s->neginf)))
CJ__ROW(nan_to_num, "NanToNum", CJ__NUMPY, CJ__NAMES("x"), 1, nan_fields, nan_defaults,
        CJ__DOES(nan_to_num))

static const cj__cast_settings cast_defaults = {NULL};
static const cj__field cast_fields[] = {
    CJ__FIELD(cj__cast_settings, dtype, CJ__FIELD_TEXT, .required = true)};
CJ__MAKE(saturate_cast)
{
    cj_dtype dtype;
    CJ__SETTINGS(cj__cast_settings);
    return cj__word_dtype("saturate_cast", s->dtype, &dtype) ? cj_op_saturate_cast(x[0], dtype) :
                                                               cj__word_drop_made(x, n);
}
CJ__ROW(saturate_cast, "SaturateCast", CJ__CORE, CJ__NAMES("x"), 1, cast_fields, cast_defaults,
        CJ__DOES(saturate_cast))

static const cj__value_settings value_defaults = {0};
static const cj__field fill_fields[] = {
    CJ__KEYED(cj__value_settings, value, "fill_value", CJ__FIELD_NUMBER)};
static const cj__config_key own_dtype[] = {CJ__KEY_ONLY("dtype", "null"), {.key = NULL}};
CJ__MADE(full_like, cj__value_settings, cj_op_full_like(x[0], s->value))
CJ__ROW(full_like, "FullLike", CJ__NUMPY, CJ__NAMES("x"), 1, fill_fields, value_defaults,
        CJ__DOES(full_like), .call_settings = CJ__NAMES("fill_value"), .keys = own_dtype)

static const cj__field select_fields[] = {
    CJ__KEYED(cj__value_settings, value, "default", CJ__FIELD_NUMBER)};
CJ__MADE(select, cj__value_settings, cj_op_select(x, x + n / 2, n / 2, s->value))
const cj__word cj__word_select = {.choice =
                                      CJ__CHOICE("select", "Select", select_fields, value_defaults),
                                  .module = CJ__NUMPY,
                                  .operands = CJ__NAMES("condlist", "choicelist"),
                                  .lists = 2,
                                  .least = 2,
                                  .most = INT_MAX,
                                  .call_settings = CJ__NAMES("default"),
                                  .make = make_select};
