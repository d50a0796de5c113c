// Words on diagonals and triangles, and products of vectors and matrices: cajal/ops_shape.h.
#include "ops/word_rows.h"

#include "base/error.h"
#include <cajal/ops_shape.h>
#include <math.h>

#define OF_X CJ__NAMES("x")

// ---- Triangles and diagonals ----

static const cj__number_settings number_defaults = {0};
static const cj__field k_fields[] = {CJ__KEYED(cj__number_settings, number, "k", CJ__FIELD_INT)};
#define DIAGONAL(name, class)                                          \
    CJ__MADE(name, cj__number_settings, cj_op_##name(x[0], s->number)) \
    CJ__ROW(name, class, CJ__NUMPY, OF_X, 1, k_fields, number_defaults, CJ__DOES(name))
DIAGONAL(tril, "Tril")
DIAGONAL(triu, "Triu")
DIAGONAL(diag, "Diag")
DIAGONAL(diagflat, "Diagflat")

static const cj__diagonal_settings diagonal_defaults = {0, 0, 1};
static const cj__field diagonal_fields[] = {
    CJ__FIELD(cj__diagonal_settings, offset, CJ__FIELD_INT),
    CJ__FIELD(cj__diagonal_settings, axis1, CJ__FIELD_INT, CJ__AN_AXIS),
    CJ__FIELD(cj__diagonal_settings, axis2, CJ__FIELD_INT, CJ__AN_AXIS),
};
#define OF_TWO(name, class)                                               \
    CJ__MADE(name, cj__diagonal_settings,                                 \
             cj_op_##name(x[0], s->offset, (int)s->axis1, (int)s->axis2)) \
    CJ__ROW(name, class, CJ__NUMPY, OF_X, 1, diagonal_fields, diagonal_defaults, CJ__DOES(name))
OF_TWO(diagonal, "Diagonal")
OF_TWO(trace, "Trace")

static const cj__vander_settings vander_defaults = {0, false};
static const cj__field vander_fields[] = {
    CJ__KEYED(cj__vander_settings, powers, "N", CJ__FIELD_INT, .low = 0, .high = INT32_MAX),
    CJ__FIELD(cj__vander_settings, increasing, CJ__FIELD_BOOL),
};
CJ__MADE(vander, cj__vander_settings, cj_op_vander(x[0], s->powers, s->increasing))
CJ__ROW(vander, "Vander", CJ__NUMPY, OF_X, 1, vander_fields, vander_defaults, CJ__DOES(vander))

static const char *const indexings[] = {"xy", "ij", NULL};
static const cj__text_settings xy = {"xy"};
static const cj__field meshgrid_fields[] = {
    CJ__KEYED(cj__text_settings, text, "indexing", CJ__FIELD_TEXT, .words = indexings)};
CJ__MAKE_MANY(meshgrid)
{
    CJ__SETTINGS(cj__text_settings);
    *count = n;
    return cj_op_meshgrid(x, n, s->text, results);
}
const cj__word cj__word_meshgrid = {
    .choice = CJ__CHOICE("meshgrid", "Meshgrid", meshgrid_fields, xy),
    .module = CJ__NUMPY,
    .operands = CJ__NAMES("x", "x", "x", "x", "x", "x", "x", "x"), // by their places
    .least = 1,
    .most = CJ_MAX_RANK,
    .make_many = make_meshgrid};

// ---- Products ----

CJ__BINARY_WORD(dot, "Dot", CJ__NUMPY)
CJ__BINARY_WORD(inner, "Inner", CJ__NUMPY)
CJ__BINARY_WORD(outer, "Outer", CJ__NUMPY)
CJ__BINARY_WORD(vdot, "Vdot", CJ__NUMPY)
CJ__BINARY_WORD(kron, "Kron", CJ__NUMPY)
CJ__PAIR_WORD(cdist, "CDist", CJ__MATH, "x", "y", NULL)

// Axes of the first operand and then as many of the second, or how many of the last and the first.
static const cj__places_settings tensordot_defaults = {.parts = 2};
static const cj__field tensordot_fields[] = {CJ__KEYED(
    cj__places_settings, first, "axes", CJ__FIELD_NUMBERS, .whole = true, .rows = 2,
    .single = offsetof(cj__places_settings, parts), .low = -CJ_MAX_RANK, .high = CJ_MAX_RANK)};
CJ__MAKE(tensordot)
{
    int of_a[CJ_MAX_RANK], of_b[CJ_MAX_RANK];
    CJ__SETTINGS(cj__places_settings);
    const int64_t given = s->first.count, count = given > 0 ? given / 2 : (int64_t)s->parts;
    if (given % 2 != 0 || count > CJ_MAX_RANK || count < 0) {
        cj__fail(CJ_INVALID_ARGUMENT,
                 "tensordot: axes of %lld numbers, needed are as many of each operand",
                 (long long)(given ? given : count));
        return cj__word_drop_made(x, n);
    }
    for (int64_t i = 0; i < count; i++) {
        of_a[i] = given > 0 ? (int)s->first.values[i] : (int)(i - count);
        of_b[i] = given > 0 ? (int)s->first.values[count + i] : (int)i;
    }
    return cj_op_tensordot(x[0], x[1], of_a, of_b, (int)count);
}
CJ__ROW(tensordot, "Tensordot", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, tensordot_fields,
        tensordot_defaults, CJ__DOES(tensordot))

static const cj__axis_settings last_axis = {.axis = -1};
static const cj__field axis_fields[] = {
    CJ__FIELD(cj__axis_settings, axis, CJ__FIELD_INT, CJ__AN_AXIS)};
static const cj__config_key cross_keys[] = {CJ__KEY_ONLY("axisa", "-1"),
                                            CJ__KEY_ONLY("axisb", "-1"),
                                            CJ__KEY_ONLY("axisc", "-1"),
                                            {.key = NULL}};
CJ__MADE(cross, cj__axis_settings, cj_op_cross(x[0], x[1], (int)s->axis))
CJ__ROW(cross, "Cross", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, axis_fields, last_axis,
        CJ__DOES(cross), .keys = cross_keys)

static const char *const modes[] = {"valid", "same", "full", NULL};
static const cj__text_settings valid = {"valid"};
static const cj__field correlate_fields[] = {
    CJ__KEYED(cj__text_settings, text, "mode", CJ__FIELD_TEXT, .words = modes)};
CJ__MADE(correlate, cj__text_settings, cj_op_correlate(x[0], x[1], s->text))
CJ__ROW(correlate, "Correlate", CJ__NUMPY, CJ__NAMES("x1", "x2"), 2, correlate_fields, valid,
        CJ__DOES(correlate))
