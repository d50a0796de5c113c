// Reductions over some or all axes.
#include "ops/word.h"
#include <cajal/operators.h>
#include <cajal/ops_reduce.h>

static const char *const operands[] = {"x", NULL};

// ---- Reductions, over some or all axes ----

static const cj__axes_settings axes_defaults = {{0}, false};
static const cj__field axes_fields[] = {
    CJ__FIELD(cj__axes_settings, axis, CJ__FIELD_AXES, .optional = true),
    CJ__FIELD(cj__axes_settings, keepdims, CJ__FIELD_BOOL),
};
static const cj__config_key reduction_keys[] = {CJ__KEY_ONLY("initial", "null"),
                                                CJ__KEY_ONLY("dtype", "null"),
                                                CJ__KEY_ONLY("ord", "null"),
                                                {.key = NULL}};

#define REDUCTION(function, class, of)                                                  \
    static cj_symbol *make_##function(const cj__word *word, cj_symbol *const *x, int n, \
                                      const void *settings)                             \
    {                                                                                   \
        (void)word, (void)n;                                                            \
        return cj__make_reduction(cj_op_##function, x[0], settings);                    \
    }                                                                                   \
    const cj__word cj__word_##function = {                                              \
        .choice = CJ__CHOICE(#function, class, axes_fields, axes_defaults),             \
        .module = of,                                                                   \
        .operands = operands,                                                           \
        .least = 1,                                                                     \
        .most = 1,                                                                      \
        .keys = reduction_keys,                                                         \
        .make = make_##function};
REDUCTION(reduce_sum, "Sum", CJ__NUMPY)
REDUCTION(reduce_mean, "Mean", CJ__NUMPY)
REDUCTION(reduce_max, "Max", CJ__NUMPY)
REDUCTION(reduce_min, "Min", CJ__NUMPY)
REDUCTION(var, "Var", CJ__NUMPY)
REDUCTION(std, "Std", CJ__NUMPY)
REDUCTION(logsumexp, "Logsumexp", CJ__MATH)
REDUCTION(norm, "Norm", "keras.src.ops.linalg")
REDUCTION(any, "Any", CJ__NUMPY)
REDUCTION(all, "All", CJ__NUMPY)
REDUCTION(prod, "Prod", CJ__NUMPY)
REDUCTION(amax, "Amax", CJ__NUMPY)
REDUCTION(amin, "Amin", CJ__NUMPY)
REDUCTION(median, "Median", CJ__NUMPY)
REDUCTION(ptp, "Ptp", CJ__NUMPY)
REDUCTION(nansum, "Nansum", CJ__NUMPY)
REDUCTION(nanmean, "Nanmean", CJ__NUMPY)
REDUCTION(nanmax, "Nanmax", CJ__NUMPY)
REDUCTION(nanmin, "Nanmin", CJ__NUMPY)
REDUCTION(nanprod, "Nanprod", CJ__NUMPY)
REDUCTION(nanvar, "Nanvar", CJ__NUMPY)
REDUCTION(nanstd, "Nanstd", CJ__NUMPY)
REDUCTION(nanmedian, "Nanmedian", CJ__NUMPY)
