// The operators of cajal/operators.h: each takes its arguments over, appends a few ops, and returns
// the result floating.
#include "ops/build.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include <cajal/operators.h>
#include <math.h>

#define UNARY(function, x) cj__apply_unary(&g, CJ__UNARY_##function, x, 0, 0)

// Begins an operator of one symbol, and ends it.
#define TAKE(x)          \
    cj__build g = {0};   \
    cj_symbol *y = NULL; \
    if (cj__build_take(&g, &(x), 1) == CJ_OK)
// As the word of that name, of x, with settings or NULL.
#define GIVE(name, x, settings) return cj__word_result(&g, y, &cj__word_##name, &(x), 1, settings)

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

static bool mask_of(cj__build *g, const char *who, const cj_symbol *x, const int *axes, int count,
                    uint32_t *mask)
{
    int place = 0;
    *mask = axes ? 0 : cj__all_axes(x);
    for (int i = 0; axes && i < count; i++) {
        if (!axis_of(g, who, cj_symbol_shape(x)->rank, axes[i], &place))
            return false;
        *mask |= 1u << place;
    }
    return true;
}

// ---- Element by element ----

cj_symbol *cj_op_power(cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){a, b}, 2) == CJ_OK)
        y = cj__apply_binary(&g, CJ__BINARY_power, a, b);
    return cj__word_result(&g, y, &cj__word_power, (cj_symbol *[]){a, b}, 2, NULL);
}

#define DEFINE(function)                      \
    cj_symbol *cj_op_##function(cj_symbol *x) \
    {                                         \
        TAKE(x) y = UNARY(function, x);       \
        GIVE(function, x, NULL);              \
    }
DEFINE(sign)
DEFINE(log1p)
DEFINE(rsqrt)
DEFINE(reciprocal)
#undef DEFINE

cj_symbol *cj_op_clip(cj_symbol *x, double low, double high)
{
    TAKE(x)
    {
        if (low <= high)
            y = cj__apply_unary(&g, CJ__UNARY_clip, x, low, high);
        else
            cj__build_refuse(
                &g, cj__fail(CJ_INVALID_ARGUMENT, "clip: low %g is above high %g", low, high));
    }
    GIVE(clip, x, (&(cj__clip_settings){low, high}));
}

#define DEFINE(function)                                                        \
    cj_symbol *cj_op_##function(cj_symbol *a, cj_symbol *b)                     \
    {                                                                           \
        cj__build g = {0};                                                      \
        cj_symbol *y = NULL, *operands[] = {a, b};                              \
        if (cj__build_take(&g, operands, 2) == CJ_OK)                           \
            y = cj__compare(&g, CJ__COMPARISON_##function, a, b);               \
        return cj__word_result(&g, y, &cj__word_##function, operands, 2, NULL); \
    }
DEFINE(equal)
DEFINE(not_equal)
DEFINE(greater)
DEFINE(greater_equal)
DEFINE(less)
DEFINE(less_equal)
#undef DEFINE

// 1 where x is true, 0 elsewhere, as float32.
static cj_symbol *truth(cj__build *g, cj_symbol *x)
{
    if (!x || cj_symbol_dtype(x) == CJ_BOOL)
        return x ? cj__cast(g, x, CJ_F32) : NULL;
    x = cj__compare(g, CJ__COMPARISON_not_equal, x, cj__scalar_like(g, x, 0));
    return cj__cast(g, x, CJ_F32);
}

#define DEFINE(name, comparison, function)                                                  \
    cj_symbol *cj_op_##name(cj_symbol *a, cj_symbol *b)                                     \
    {                                                                                       \
        cj__build g = {0};                                                                  \
        cj_symbol *y = NULL, *operands[] = {a, b};                                          \
        if (cj__build_take(&g, operands, 2) == CJ_OK) {                                     \
            y = cj__apply_binary(&g, CJ__BINARY_##function, truth(&g, a), truth(&g, b));    \
            y = cj__compare(&g, CJ__COMPARISON_##comparison, y, cj__scalar(&g, CJ_F32, 0)); \
        }                                                                                   \
        return cj__word_result(&g, y, &cj__word_##name, operands, 2, NULL);                 \
    }
DEFINE(logical_and, greater, minimum)
DEFINE(logical_or, greater, maximum)
DEFINE(logical_xor, not_equal, subtract)
#undef DEFINE

cj_symbol *cj_op_logical_not(cj_symbol *x)
{
    TAKE(x) y = cj__compare(&g, CJ__COMPARISON_equal, truth(&g, x), cj__scalar(&g, CJ_F32, 0));
    GIVE(logical_not, x, NULL);
}

cj_symbol *cj_op_where(cj_symbol *condition, cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){condition, a, b}, 3) == CJ_OK)
        y = cj__select(&g, condition, a, b);
    return cj__word_result(&g, y, &cj__word_where, (cj_symbol *[]){condition, a, b}, 3, NULL);
}

// ---- Reductions ----

static cj_symbol *variance(cj__build *g, cj_symbol *x, uint32_t axes)
{
    cj_symbol *mean = NULL, *result = NULL;
    cj__moments(g, x, axes, false, &mean, &result);
    return result;
}

static cj_symbol *deviation(cj__build *g, cj_symbol *x, uint32_t axes)
{
    return cj__apply_unary(g, CJ__UNARY_sqrt, variance(g, x, axes), 0, 0);
}

static cj_symbol *length(cj__build *g, cj_symbol *x, uint32_t axes)
{
    cj_symbol *squares = cj__apply_unary(g, CJ__UNARY_square, x, 0, 0);
    return squares ? cj__apply_unary(g, CJ__UNARY_sqrt, cj__sum(g, squares, axes, false), 0, 0) :
                     NULL;
}

// m + ln sum e^(x - m), m the greatest, or 0 where that is infinite; no gradient passes through m.
static cj_symbol *log_of_sum(cj__build *g, cj_symbol *x, uint32_t axes)
{
    cj_symbol *top = cj__stop_gradient(g, cj__max(g, x, axes, true));
    if (!top)
        return NULL;
    cj_symbol *finite =
        cj__compare(g, CJ__COMPARISON_less, cj__apply_unary(g, CJ__UNARY_absolute, top, 0, 0),
                    cj__scalar_like(g, x, INFINITY));
    top = cj__select(g, finite, top, cj__scalar_like(g, x, 0));
    cj_symbol *sum = cj__apply_unary(g, CJ__UNARY_exp, cj__sub(g, x, top), 0, 0);
    sum = cj__apply_unary(g, CJ__UNARY_log, cj__sum(g, sum, axes, false), 0, 0);
    return sum ? cj__add(g, sum, cj__reshape(g, top, cj_symbol_shape(sum))) : NULL;
}

static cj_symbol *any_of(cj__build *g, cj_symbol *x, uint32_t axes)
{
    return cj__compare(g, CJ__COMPARISON_greater, cj__max(g, truth(g, x), axes, false),
                       cj__scalar(g, CJ_F32, 0));
}

static cj_symbol *all_of(cj__build *g, cj_symbol *x, uint32_t axes)
{
    return cj__compare(g, CJ__COMPARISON_greater, cj__min(g, truth(g, x), axes, false),
                       cj__scalar(g, CJ_F32, 0));
}

static cj_symbol *greatest(cj__build *g, cj_symbol *x, uint32_t axes)
{
    return cj__max(g, x, axes, false);
}

static cj_symbol *least(cj__build *g, cj_symbol *x, uint32_t axes)
{
    return cj__min(g, x, axes, false);
}

#define DEFINE(name, how)                                             \
    cj_symbol *cj_op_##name(cj_symbol *x, const int *axes, int count) \
    {                                                                 \
        uint32_t mask = 0;                                            \
        const cj__axes_settings settings = cj__axes_of(axes, count);  \
        TAKE(x)                                                       \
        {                                                             \
            if (mask_of(&g, #name, x, axes, count, &mask))            \
                y = how(&g, x, mask);                                 \
        }                                                             \
        GIVE(name, x, &settings);                                     \
    }
DEFINE(reduce_max, greatest)
DEFINE(reduce_min, least)
DEFINE(var, variance)
DEFINE(std, deviation)
DEFINE(logsumexp, log_of_sum)
DEFINE(norm, length)
DEFINE(any, any_of)
DEFINE(all, all_of)
#undef DEFINE

// ---- Indices ----

cj_symbol *cj_op_argmax(cj_symbol *x, int axis)
{
    int place = 0;
    TAKE(x)
    {
        if (axis_of(&g, "argmax", cj_symbol_shape(x)->rank, axis, &place))
            y = cj__argmax(&g, x, place);
    }
    GIVE(argmax, x, (&(cj__axis_settings){.axis = axis}));
}

cj_symbol *cj_op_argmin(cj_symbol *x, int axis)
{
    int place = 0;
    TAKE(x)
    {
        if (axis_of(&g, "argmin", cj_symbol_shape(x)->rank, axis, &place))
            y = cj__argmax(&g, UNARY(negative, x), place);
    }
    GIVE(argmin, x, (&(cj__axis_settings){.axis = axis}));
}

cj_symbol *cj_op_take(cj_symbol *table, cj_symbol *indices)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){table, indices}, 2) == CJ_OK)
        y = cj__gather(&g, table, indices);
    return cj__word_result(&g, y, &cj__word_take, (cj_symbol *[]){table, indices}, 2,
                           &(cj__axis_settings){.axis = 0});
}

cj_symbol *cj_op_one_hot(cj_symbol *labels, int64_t classes)
{
    TAKE(labels) y = cj__one_hot(&g, cj__cast(&g, labels, CJ_I32), classes, CJ_F32);
    GIVE(one_hot, labels, (&(cj__one_hot_settings){classes}));
}
