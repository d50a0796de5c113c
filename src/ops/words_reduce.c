// Reductions by name, and the words of cajal/operators.h and cajal/ops_reduce.h that are one.
#include "base/text.h"
#include "ops/infer.h"
#include "ops/reductions.h"
#include <cajal/operators.h>
#include <cajal/ops_reduce.h>
#include <math.h>
#include <string.h>

#define UNARY(name, x) cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)

cj_symbol *cj__truth_of(cj__build *g, cj_symbol *x)
{
    if (!x)
        return NULL;
    if (!cj__is_integer(cj_symbol_dtype(x)))
        x = cj__compare(g, CJ__COMPARISON_not_equal, x, cj__scalar_like(g, x, 0));
    return cj__cast(g, cj__cast(g, x, CJ_BOOL), CJ_F32);
}

cj_symbol *cj__nan_mask(cj__build *g, cj_symbol *x)
{
    return cj__compare(g, CJ__COMPARISON_not_equal, x, x);
}

cj_symbol *cj__without_nan(cj__build *g, cj_symbol *x, double number)
{
    return cj__select(g, cj__nan_mask(g, x), cj__scalar_like(g, x, number), x);
}

cj_symbol *cj__axes_last(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    int order[CJ_MAX_RANK], kept = 0;
    cj_shape shape = {0};
    int64_t n = 1;
    if (!x)
        return NULL;
    const int rank = cj_symbol_shape(x)->rank;
    for (int i = 0; i < rank; i++)
        if (!(axes >> i & 1))
            order[kept++] = i;
    for (int i = 0, next = kept; i < rank; i++)
        if (axes >> i & 1) {
            if (cj_symbol_shape(x)->dims[i] < 0)
                return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                                   "%s: axis %d is the free one, whose length is "
                                                   "not known",
                                                   who, i));
            n *= cj_symbol_shape(x)->dims[i];
            order[next++] = i;
        }
    shape = cj__reduced_shape(cj_symbol_shape(x), axes, false);
    if (shape.rank == CJ_MAX_RANK)
        return cj__word_refuse(
            g,
            cj__fail(CJ_SHAPE_MISMATCH, "%s: %d axes and one more are too many", who, CJ_MAX_RANK));
    shape.dims[shape.rank++] = n;
    return cj__reshape(g, cj__transpose(g, x, order), &shape);
}

// ---- Each reduction ----

static cj_symbol *sum_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return cj__sum(g, x, axes, false);
}

static cj_symbol *mean_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return cj__mean(g, x, axes, false);
}

static cj_symbol *greatest_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return cj__max(g, x, axes, false);
}

static cj_symbol *least_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return cj__min(g, x, axes, false);
}

cj_symbol *cj__spread_width_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return cj__sub(g, greatest_of(g, who, x, axes), least_of(g, who, x, axes));
}

// The last of the running products: its gradient is right where there are zeros.
cj_symbol *cj__product_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    cj_symbol *lines = cj__axes_last(g, who, x, axes);
    if (!lines)
        return NULL;
    const int last = cj_symbol_shape(lines)->rank - 1;
    const int64_t n = cj_symbol_shape(lines)->dims[last];
    if (n == 0) {
        cj_symbol *zero = cj__sum(g, x, axes, false);
        return cj__shift(g, zero, 1);
    }
    return cj__word_drop(g, cj__slice(g, cj__running_product(g, lines, last), last, n - 1, 1),
                         last);
}

cj_symbol *cj__variance_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    cj_symbol *mean = NULL, *result = NULL;
    (void)who;
    cj__moments(g, x, axes, false, &mean, &result);
    return result;
}

cj_symbol *cj__deviation_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return UNARY(sqrt, cj__variance_of(g, who, x, axes));
}

cj_symbol *cj__length_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return UNARY(sqrt, sum_of(g, who, UNARY(square, x), axes));
}

// m + ln sum e^(x - m), m the greatest, or 0 where that is infinite; no gradient passes through m.
cj_symbol *cj__log_sum_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    cj_symbol *top = cj__stop_gradient(g, cj__max(g, x, axes, true));
    if (!top)
        return NULL;
    cj_symbol *finite = cj__compare(g, CJ__COMPARISON_less, UNARY(absolute, top),
                                    cj__scalar_like(g, x, (double)INFINITY));
    top = cj__select(g, finite, top, cj__scalar_like(g, x, 0));
    cj_symbol *sum = UNARY(log, sum_of(g, who, UNARY(exp, cj__sub(g, x, top)), axes));
    return sum ? cj__add(g, sum, cj__reshape(g, top, cj_symbol_shape(sum))) : NULL;
}

cj_symbol *cj__any_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return cj__compare(g, CJ__COMPARISON_greater, cj__max(g, cj__truth_of(g, x), axes, false),
                       cj__scalar(g, CJ_F32, 0));
}

cj_symbol *cj__all_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return cj__compare(g, CJ__COMPARISON_greater, cj__min(g, cj__truth_of(g, x), axes, false),
                       cj__scalar(g, CJ_F32, 0));
}

cj_symbol *cj__nonzero_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return cj__cast(g, sum_of(g, who, cj__cast(g, cj__truth_of(g, x), CJ_F64), axes), CJ_I32);
}

cj_symbol *cj__nan_sum_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return sum_of(g, who, cj__without_nan(g, x, 0), axes);
}

// How many are not NaN, in x's dtype.
static cj_symbol *present_of(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims)
{
    cj_symbol *there = cj__compare(g, CJ__COMPARISON_equal, x, x);
    return x ? cj__sum(g, cj__cast(g, there, cj_symbol_dtype(x)), axes, keepdims) : NULL;
}

cj_symbol *cj__nan_mean_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return cj__div(g, cj__nan_sum_of(g, who, x, axes), present_of(g, x, axes, false));
}

// The extreme of what is there; NaN where nothing is.
static cj_symbol *nan_extreme(cj__build *g, cj_symbol *x, uint32_t axes, bool least)
{
    cj_symbol *full = cj__without_nan(g, x, least ? (double)INFINITY : -(double)INFINITY);
    cj_symbol *y = least ? cj__min(g, full, axes, false) : cj__max(g, full, axes, false);
    cj_symbol *none = cj__compare(g, CJ__COMPARISON_equal, present_of(g, x, axes, false),
                                  cj__scalar_like(g, x, 0));
    return cj__select(g, none, cj__scalar_like(g, x, (double)NAN), y);
}

cj_symbol *cj__nan_max_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return nan_extreme(g, x, axes, false);
}

cj_symbol *cj__nan_min_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    return nan_extreme(g, x, axes, true);
}

cj_symbol *cj__nan_product_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return cj__product_of(g, who, cj__without_nan(g, x, 1), axes);
}

cj_symbol *cj__nan_variance_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    (void)who;
    cj_symbol *mean =
        cj__div(g, cj__sum(g, cj__without_nan(g, x, 0), axes, true), present_of(g, x, axes, true));
    cj_symbol *apart = cj__without_nan(g, cj__sub(g, x, mean), 0);
    return cj__div(g, cj__sum(g, UNARY(square, apart), axes, false), present_of(g, x, axes, false));
}

cj_symbol *cj__nan_deviation_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes)
{
    return UNARY(sqrt, cj__nan_variance_of(g, who, x, axes));
}

// ---- By name ----

// What is made of an operand of integers: they go through float64 and come back, become float32, or
// are looked at as they are.
enum { KEEPS, REAL, ANY };

static const struct {
    const char *name;
    cj__reduction_of *function;
    int integers;
    const cj__word *word;
} reductions[] = {
    {"sum", sum_of, KEEPS, &cj__word_reduce_sum},
    {"mean", mean_of, REAL, &cj__word_reduce_mean},
    {"max", greatest_of, KEEPS, &cj__word_reduce_max},
    {"min", least_of, KEEPS, &cj__word_reduce_min},
    {"amax", greatest_of, KEEPS, &cj__word_amax},
    {"amin", least_of, KEEPS, &cj__word_amin},
    {"prod", cj__product_of, KEEPS, &cj__word_prod},
    {"var", cj__variance_of, REAL, &cj__word_var},
    {"std", cj__deviation_of, REAL, &cj__word_std},
    {"logsumexp", cj__log_sum_of, REAL, &cj__word_logsumexp},
    {"norm", cj__length_of, REAL, &cj__word_norm},
    {"any", cj__any_of, ANY, &cj__word_any},
    {"all", cj__all_of, ANY, &cj__word_all},
    {"ptp", cj__spread_width_of, KEEPS, &cj__word_ptp},
    {"count_nonzero", cj__nonzero_of, ANY, &cj__word_count_nonzero},
    {"median", cj__median_of, REAL, &cj__word_median},
    {"nansum", cj__nan_sum_of, KEEPS, &cj__word_nansum},
    {"nanmean", cj__nan_mean_of, REAL, &cj__word_nanmean},
    {"nanmax", cj__nan_max_of, KEEPS, &cj__word_nanmax},
    {"nanmin", cj__nan_min_of, KEEPS, &cj__word_nanmin},
    {"nanprod", cj__nan_product_of, KEEPS, &cj__word_nanprod},
    {"nanvar", cj__nan_variance_of, REAL, &cj__word_nanvar},
    {"nanstd", cj__nan_deviation_of, REAL, &cj__word_nanstd},
    {"nanmedian", cj__nan_median_of, REAL, &cj__word_nanmedian},
};

enum { REDUCTIONS = sizeof reductions / sizeof reductions[0] };

static size_t place_of(const char *name)
{
    size_t i = 0;
    while (i < REDUCTIONS && strcmp(reductions[i].name, name) != 0)
        i++;
    return i;
}

cj_symbol *cj__reduce_by_name(cj__build *g, const char *name, cj_symbol *x, const int *axes,
                              int count, bool keepdims)
{
    uint32_t mask = 0;
    const size_t i = place_of(name);
    if (i == REDUCTIONS)
        return cj__word_refuse(
            g, cj__fail(CJ_INVALID_ARGUMENT, "reduce: there is no reduction \"%s\"", name));
    if (!x || !cj__word_axes(g, name, x, axes, count, &mask))
        return NULL;
    const cj_dtype dtype = cj_symbol_dtype(x);
    const bool back = reductions[i].integers == KEEPS && cj__is_integer(dtype);
    cj_symbol *from = back                           ? cj__cast(g, x, CJ_F64) :
                      reductions[i].integers == REAL ? cj__word_real(g, x) :
                                                       x;
    cj_symbol *y = reductions[i].function(g, name, from, mask);
    if (y && back) // sums of booleans and bytes are int32, as in Keras
        y = cj__cast(g, y, dtype == CJ_I64 ? CJ_I64 : CJ_I32);
    if (y && keepdims) {
        const cj_shape shape = cj__reduced_shape(cj_symbol_shape(x), mask, true);
        y = cj__reshape(g, y, &shape);
    }
    return y;
}

cj_symbol *cj_op_reduce(const char *name, cj_symbol *x, const int *axes, int count, bool keepdims)
{
    cj__axes_settings settings = cj__axes_of(axes, count);
    const size_t i = name ? place_of(name) : REDUCTIONS;
    settings.keepdims = keepdims;
    CJ__TAKE(x)
    {
        if (name)
            y = cj__reduce_by_name(g, name, x, axes, count, keepdims);
        else
            cj__build_refuse(g, cj__fail_null("reduce: the name"));
    }
    const bool has_setting = !axes || count > 0; // an empty list of axes is none
    // Keras has no keepdims of this one
    if (i == REDUCTIONS || !has_setting ||
        (keepdims && reductions[i].word == &cj__word_count_nonzero))
        CJ__GIVE;
    return cj__word_result(g, y, reductions[i].word, &x, 1, &settings);
}

// Words with a row (word.h). An empty list of axes is no setting of these.
#define DEFINE(word, name)                                                  \
    cj_symbol *cj_op_##word(cj_symbol *x, const int *axes, int count)       \
    {                                                                       \
        const cj__axes_settings settings = cj__axes_of(axes, count);        \
        CJ__TAKE(x) y = cj__reduce_by_name(g, name, x, axes, count, false); \
        if (axes && count < 1)                                              \
            CJ__GIVE;                                                       \
        CJ__GIVE_OF(word, x, &settings);                                    \
    }
DEFINE(reduce_sum, "sum")
DEFINE(reduce_mean, "mean")
DEFINE(reduce_max, "max")
DEFINE(reduce_min, "min")
DEFINE(var, "var")
DEFINE(std, "std")
DEFINE(logsumexp, "logsumexp")
DEFINE(norm, "norm")
DEFINE(any, "any")
DEFINE(all, "all")
DEFINE(prod, "prod")
DEFINE(amax, "amax")
DEFINE(amin, "amin")
DEFINE(median, "median")
DEFINE(ptp, "ptp")
DEFINE(nansum, "nansum")
DEFINE(nanmean, "nanmean")
DEFINE(nanmax, "nanmax")
DEFINE(nanmin, "nanmin")
DEFINE(nanprod, "nanprod")
DEFINE(nanvar, "nanvar")
DEFINE(nanstd, "nanstd")
DEFINE(nanmedian, "nanmedian")
DEFINE(count_nonzero, "count_nonzero")
#undef DEFINE
