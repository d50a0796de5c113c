// One row of A by a large B, a few rows of B at a time:
//
//   c[j] = start + sum over p of a[p * a_step] b[p * b_step + j]
//
// Rows of B are read as they lie, in runs as long as the task's columns, and C stays in the first
// cache. By panels of columns each call of a tile would have 32 multiply-adds. The same sum in the
// same order as a tile's, and so the same bits.
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_ROW_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_ROW_H

#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/row_tile.h"

enum { ROW_VECS = 4 }; // vectors at a time, whose multiply-adds do not wait for each other

// Columns `at` on, `vecs` vectors: all `steps` rows of B.
ALWAYS_INLINE void row_columns(const row_tile *t, const vec *a, int64_t at, const int steps,
                               const int vecs, const bool whole, const vmask last)
{
    const int64_t b_step = t->b_step;
    const real *b = t->b + at;
    real *const c = t->c + at;
    vec sum[ROW_VECS];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = t->start == START_ZERO ? vec_set(0) :
                                          VEC_OF(t->start == START_BIAS ? t->bias + at : c, v);
    UNROLL
    for (int p = 0; p < steps; p++, b += b_step) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[v] = vec_fma(a[p], VEC_OF(b, v), sum[v]);
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const vec y = t->relu ? vec_max(vec_set(0), sum[v]) : sum[v];
        if (v < vecs - 1 || whole)
            vec_store(c + v * LANES, y);
        else
            vec_store_part(c + v * LANES, y, last);
    }
}

ALWAYS_INLINE void row_steps(const row_tile *given, const int steps)
{
    const row_tile t = *given;
    const int64_t cols = t.cols;
    const vmask all = mask_first(LANES);
    vec a[THIN_DEPTH];
    UNROLL
    for (int p = 0; p < steps; p++)
        a[p] = vec_set(t.a[p * t.a_step]);
    int64_t at = 0;
    for (; at + ROW_VECS * LANES <= cols; at += ROW_VECS * LANES)
        row_columns(&t, a, at, steps, ROW_VECS, true, all);
    for (; at + LANES <= cols; at += LANES)
        row_columns(&t, a, at, steps, 1, true, all);
    if (at < cols)
        row_columns(&t, a, at, steps, 1, false, mask_first(cols - at));
}

// t->length rows of B, at most THIN_DEPTH.
static void row_run(const row_tile *t)
{
    row_tile one = *t;
    if (t->length == THIN_DEPTH) {
        row_steps(t, THIN_DEPTH);
        return;
    }
    for (int64_t p = 0; p < t->length; p++, one.a += t->a_step, one.b += t->b_step) {
        one.start = p > 0 ? START_SUM : t->start;
        one.relu = t->relu && p == t->length - 1;
        row_steps(&one, 1);
    }
}

#endif
