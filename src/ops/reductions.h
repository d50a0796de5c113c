// Inside the ops room: reductions as functions over a mask of axes, by which the words of
// cajal/operators.h and cajal/ops_reduce.h are made.
#ifndef CJ_OPS_REDUCTIONS_H
#define CJ_OPS_REDUCTIONS_H

#include "ops/words.h"

// Each drops the axes. `who` is the word, for sentences.
typedef cj_symbol *cj__reduction_of(cj__build *g, const char *who, cj_symbol *x, uint32_t axes);

cj__reduction_of cj__product_of, cj__median_of, cj__variance_of, cj__deviation_of, cj__length_of,
    cj__log_sum_of, cj__any_of, cj__all_of, cj__nan_sum_of, cj__nan_mean_of, cj__nan_max_of,
    cj__nan_min_of, cj__nan_product_of, cj__nan_variance_of, cj__nan_deviation_of,
    cj__nan_median_of, cj__nonzero_of, cj__spread_width_of;

// The element at q (n - 1) in order; `skips` leaves NaN out.
cj_symbol *cj__quantile_of(cj__build *g, const char *who, cj_symbol *x, double q,
                           const char *method, uint32_t axes, bool skips);

// x with the axes of the mask last, as one, whose length must be known.
cj_symbol *cj__axes_last(cj__build *g, const char *who, cj_symbol *x, uint32_t axes);

// A reduction by name, on any dtype.
cj_symbol *cj__reduce_by_name(cj__build *g, const char *name, cj_symbol *x, const int *axes,
                              int count, bool keepdims);

// x with a number in place of NaN; booleans that are true where x is NaN.
cj_symbol *cj__without_nan(cj__build *g, cj_symbol *x, double number);
cj_symbol *cj__nan_mask(cj__build *g, cj_symbol *x);

// 1 where x is true, 0 elsewhere, as float32.
cj_symbol *cj__truth_of(cj__build *g, cj_symbol *x);

#endif
