// The operators of cajal/operators.h: each takes its arguments over, appends a few ops, and returns
// the result floating.
#include "ops/build.h"
#include "ops/infer.h"
#include "ops/reductions.h"
#include "ops/word_settings.h"
#include <cajal/operators.h>

#define UNARY(function, x) cj__apply_unary(&g, CJ__UNARY_##function, x, 0, 0)

// Begins an operator of one symbol, and ends it.
#define TAKE(x)          \
    cj__build g = {0};   \
    cj_symbol *y = NULL; \
    if (cj__build_take(&g, &(x), 1) == CJ_OK)
// As the word of that name, of x, with settings or NULL.
#define GIVE(name, x, settings) return cj__word_result(&g, y, &cj__word_##name, &(x), 1, settings)
#define GIVE_OF_2(name, a, b) \
    return cj__word_result(&g, y, &cj__word_##name, (cj_symbol *[]){a, b}, 2, NULL)

// The axis that `axis` means among `rank`.
static bool axis_of(cj__build *g, const char *who, int rank, int axis, int *place)
{
    *place = axis < 0 ? axis + rank : axis;
    if (*place >= 0 && *place < rank)
        return true;
    cj__build_refuse(
        g, cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is outside the %d axes", who, axis, rank));
    return false;
}

// ---- Element by element ----

cj_symbol *cj_op_power(cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){a, b}, 2) == CJ_OK)
        y = cj__word_binary(&g, CJ__BINARY_power, CJ__INTEGER_power, a, b);
    GIVE_OF_2(power, a, b);
}

#define DEFINE(function)                                   \
    cj_symbol *cj_op_##function(cj_symbol *x)              \
    {                                                      \
        TAKE(x) y = UNARY(function, cj__word_real(&g, x)); \
        GIVE(function, x, NULL);                           \
    }
DEFINE(log1p)
DEFINE(rsqrt)
DEFINE(reciprocal)
#undef DEFINE

cj_symbol *cj_op_sign(cj_symbol *x)
{
    TAKE(x) y = cj__cast(&g, UNARY(sign, cj__word_wide(&g, x)), cj_symbol_dtype(x));
    GIVE(sign, x, NULL);
}

cj_symbol *cj_op_clip(cj_symbol *x, double low, double high)
{
    TAKE(x)
    {
        if (low <= high)
            y = cj__cast(&g, cj__apply_unary(&g, CJ__UNARY_clip, cj__word_wide(&g, x), low, high),
                         cj_symbol_dtype(x));
        else
            cj__build_refuse(
                &g, cj__fail(CJ_INVALID_ARGUMENT, "clip: low %g is above high %g", low, high));
    }
    GIVE(clip, x, (&(cj__clip_settings){low, high}));
}

#define DEFINE(function)                                               \
    cj_symbol *cj_op_##function(cj_symbol *a, cj_symbol *b)            \
    {                                                                  \
        cj__build g = {0};                                             \
        cj_symbol *y = NULL;                                           \
        if (cj__build_take(&g, (cj_symbol *[]){a, b}, 2) == CJ_OK)     \
            y = cj__word_compare(&g, CJ__COMPARISON_##function, a, b); \
        GIVE_OF_2(function, a, b);                                     \
    }
DEFINE(equal)
DEFINE(not_equal)
DEFINE(greater)
DEFINE(greater_equal)
DEFINE(less)
DEFINE(less_equal)
#undef DEFINE

#define DEFINE(name, comparison, function)                                                  \
    cj_symbol *cj_op_##name(cj_symbol *a, cj_symbol *b)                                     \
    {                                                                                       \
        cj__build g = {0};                                                                  \
        cj_symbol *y = NULL;                                                                \
        if (cj__build_take(&g, (cj_symbol *[]){a, b}, 2) == CJ_OK) {                        \
            y = cj__apply_binary(&g, CJ__BINARY_##function, cj__truth_of(&g, a),            \
                                 cj__truth_of(&g, b));                                      \
            y = cj__compare(&g, CJ__COMPARISON_##comparison, y, cj__scalar(&g, CJ_F32, 0)); \
        }                                                                                   \
        GIVE_OF_2(name, a, b);                                                              \
    }
DEFINE(logical_and, greater, minimum)
DEFINE(logical_or, greater, maximum)
DEFINE(logical_xor, not_equal, subtract)
#undef DEFINE

cj_symbol *cj_op_logical_not(cj_symbol *x)
{
    TAKE(x)
    y = cj__compare(&g, CJ__COMPARISON_equal, cj__truth_of(&g, x), cj__scalar(&g, CJ_F32, 0));
    GIVE(logical_not, x, NULL);
}

cj_symbol *cj_op_where(cj_symbol *condition, cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){condition, a, b}, 3) == CJ_OK)
        y = cj__word_choose(&g, condition, a, b);
    return cj__word_result(&g, y, &cj__word_where, (cj_symbol *[]){condition, a, b}, 3, NULL);
}

// ---- Indices ----

cj_symbol *cj_op_argmax(cj_symbol *x, int axis)
{
    int place = 0;
    TAKE(x)
    {
        if (axis_of(&g, "argmax", cj_symbol_shape(x)->rank, axis, &place))
            y = cj__argmax(&g, x, place);
    }
    GIVE(argmax, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_argmin(cj_symbol *x, int axis)
{
    int place = 0;
    TAKE(x)
    {
        if (axis_of(&g, "argmin", cj_symbol_shape(x)->rank, axis, &place))
            y = cj__argmax(&g, UNARY(negative, x), place);
    }
    GIVE(argmin, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_take(cj_symbol *table, cj_symbol *indices)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){table, indices}, 2) == CJ_OK)
        y = cj__gather(&g, table, indices);
    return cj__word_result(&g, y, &cj__word_take, (cj_symbol *[]){table, indices}, 2,
                           &(cj__axes_settings){{1, 0}, false});
}

cj_symbol *cj_op_one_hot(cj_symbol *labels, int64_t classes)
{
    TAKE(labels) y = cj__one_hot(&g, cj__cast(&g, labels, CJ_I32), classes, CJ_F32);
    GIVE(one_hot, labels, (&(cj__one_hot_settings){classes}));
}
