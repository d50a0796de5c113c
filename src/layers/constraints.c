// Constraints: what a weight is changed to after each step of the optimizer
// (keras/src/constraints/constraints.py). With n the L2 norms of w along some axes:
//
//     max_norm      w min(n, max_value) / (n + 1e-7)
//     unit_norm     w / (n + 1e-7)
//     min_max_norm  w (rate clip(n, min_value, max_value) + (1 - rate) n) / (n + 1e-7)
//     non_neg       max(w, 0)
#include "layers/kind.h"

static const double TINY = 1e-7; // keras.backend.epsilon()

typedef struct norm_args {
    double min_value, max_value, rate;
    int64_t axis[CJ_MAX_RANK + 1]; // how many, then the axes
} norm_args;
static const norm_args max_norm_defaults = {.max_value = 2, .axis = {1, 0}};
static const norm_args unit_norm_defaults = {.axis = {1, 0}};
static const norm_args min_max_norm_defaults = {.max_value = 1, .rate = 1, .axis = {1, 0}};

typedef struct constraint {
    cj__choice choice;
    // The norm that a weight of norm n is to have; NULL for a constraint that is no matter of norms.
    cj_symbol *(*desired)(cj__build *g, const norm_args *args, cj_symbol *n);
} constraint;

static cj_symbol *desired_max(cj__build *g, const norm_args *a, cj_symbol *n)
{
    return cj__apply_unary(g, CJ__UNARY_clip, n, 0, a->max_value);
}

static cj_symbol *desired_unit(cj__build *g, const norm_args *a, cj_symbol *n)
{
    (void)a;
    return cj__scalar_like(g, n, 1);
}

static cj_symbol *desired_min_max(cj__build *g, const norm_args *a, cj_symbol *n)
{
    cj_symbol *clipped = cj__apply_unary(g, CJ__UNARY_clip, n, a->min_value, a->max_value);
    return cj__add(g, cj__scale(g, clipped, a->rate), cj__scale(g, n, 1 - a->rate));
}

static const cj__field max_norm_fields[] = {
    CJ__FIELD(norm_args, max_value, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(norm_args, axis, CJ__FIELD_AXES),
};
static const cj__field unit_norm_fields[] = {CJ__FIELD(norm_args, axis, CJ__FIELD_AXES)};
static const cj__field min_max_norm_fields[] = {
    CJ__FIELD(norm_args, min_value, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(norm_args, max_value, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(norm_args, rate, CJ__FIELD_NUMBER, CJ__SHARE),
    CJ__FIELD(norm_args, axis, CJ__FIELD_AXES),
};

#define NORM(plain, class, table, wanted)                                             \
    {                                                                                 \
        .choice = CJ__CHOICE(#plain, class, table##_fields, table##_defaults), wanted \
    }
// The names without "_" are those of Keras 1.
static const constraint rows[] = {
    NORM(max_norm, "MaxNorm", max_norm, desired_max),
    {.choice = CJ__PLAIN_CHOICE("non_neg", "NonNeg")},
    NORM(unit_norm, "UnitNorm", unit_norm, desired_unit),
    NORM(min_max_norm, "MinMaxNorm", min_max_norm, desired_min_max),
    NORM(maxnorm, "MaxNorm", max_norm, desired_max),
    {.choice = CJ__PLAIN_CHOICE("nonneg", "NonNeg")},
    NORM(unitnorm, "UnitNorm", unit_norm, desired_unit),
};

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("m", "max_value"), CJ__KEY_HARMLESS("name"), {.key = NULL}};

const cj__catalog cj__constraints = {.what = "constraint",
                                     .rows = rows,
                                     .stride = sizeof rows[0],
                                     .count = sizeof rows / sizeof rows[0],
                                     .keys = keys};

// The set of the axes of a weight of that shape.
static cj_status axes_of(const norm_args *a, const char *who, const cj_shape *shape, uint32_t *axes)
{
    *axes = 0;
    for (int i = 1; i <= a->axis[0]; i++) {
        const int64_t axis = a->axis[i] < 0 ? a->axis[i] + shape->rank : a->axis[i];
        if (axis < 0 || axis >= shape->rank)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: axis %lld of a constraint is none of a weight of %d axes", who,
                            (long long)a->axis[i], shape->rank);
        *axes |= 1u << axis;
    }
    return CJ_OK;
}

cj_status cj__constraint_check(const char *spec, const char *who, const cj_shape *shape)
{
    cj__chosen chosen;
    uint32_t axes;
    CJ_TRY(cj__spec_parse(&cj__constraints, spec, who, &chosen));
    cj_status status = CJ_OK;
    if (chosen.choice && ((const constraint *)(const void *)chosen.choice)->desired)
        status = axes_of((const norm_args *)(const void *)chosen.args, who, shape, &axes);
    cj__chosen_free(&chosen);
    return status;
}

static cj_symbol *of_norm(cj__build *g, const constraint *row, const norm_args *a, uint32_t axes,
                          cj_symbol *x)
{
    cj_symbol *squares = cj__sum(g, cj__apply_unary(g, CJ__UNARY_square, x, 0, 0), axes, true);
    cj_symbol *n = cj__apply_unary(g, CJ__UNARY_sqrt, squares, 0, 0);
    if (!n)
        return NULL;
    return cj__mul(g, x, cj__div(g, row->desired(g, a, n), cj__shift(g, n, TINY)));
}

static cj_symbol *failed(cj__build *g, cj_status status)
{
    if (g->status == CJ_OK)
        g->status = status;
    return NULL;
}

cj_symbol *cj__constrain(cj__build *g, const char *spec, const char *who, cj_symbol *x)
{
    cj__chosen chosen;
    uint32_t axes = 0;
    if (!x)
        return NULL;
    cj_status status = cj__spec_parse(&cj__constraints, spec, who, &chosen);
    if (status != CJ_OK)
        return failed(g, status);
    const constraint *row = (const constraint *)(const void *)chosen.choice;
    const norm_args *a = (const norm_args *)(const void *)chosen.args;
    if (row && row->desired) {
        status = axes_of(a, who, cj_symbol_shape(x), &axes);
        x = status == CJ_OK ? of_norm(g, row, a, axes, x) : failed(g, status);
    } else if (row) {
        x = cj__apply_binary(g, CJ__BINARY_maximum, x, cj__scalar_like(g, x, 0));
    }
    cj__chosen_free(&chosen);
    return x;
}
