// C = A B' for few rows of A: each element the product of two rows, lanes along the sum.
//
// LANES sums are kept at a time, of `rows` rows of A by LANES / rows rows of B, so that one
// transpose adds the lanes of all.
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_DOT_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_DOT_H

#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_form.h"

ALWAYS_INLINE vec dot_square(const real *const *a, const real *const *b, int64_t k, const int rows)
{
    const int cols = LANES / rows;
    vec sum[LANES];
    UNROLL
    for (int i = 0; i < LANES; i++)
        sum[i] = vec_set(0);
#define STEP(LOAD)                                                       \
    do {                                                                 \
        vec x[LANES];                                                    \
        UNROLL                                                           \
        for (int i = 0; i < rows; i++)                                   \
            x[i] = LOAD(a[i] + p);                                       \
        UNROLL                                                           \
        for (int j = 0; j < cols; j++) {                                 \
            const vec y = LOAD(b[j] + p);                                \
            UNROLL                                                       \
            for (int i = 0; i < rows; i++)                               \
                sum[i * cols + j] = vec_fma(x[i], y, sum[i * cols + j]); \
        }                                                                \
    } while (0)
    int64_t p = 0;
    for (; p + LANES <= k; p += LANES)
        STEP(vec_load);
    if (p < k) {
        const vmask rest = mask_first(k - p);
#define LOAD_REST(from) vec_load_part(from, rest)
        STEP(LOAD_REST);
#undef LOAD_REST
    }
#undef STEP
    vec_transpose(sum);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}

// Elements of C: rows i0 .. of A by columns j0 .. < col1; where a square reaches over the edge, a
// row is taken twice.
static void dot_rows(const product *p, int64_t i0, int64_t j0, int64_t col1, int rows)
{
    const cj__gemm *g = &p->g;
    const int cols = LANES / rows;
    const real *a[LANES], *b[LANES];
    real sums[LANES];
    for (int i = 0; i < rows; i++)
        a[i] = (const real *)g->a + min(i0 + i, g->m - 1) * g->lda;
    for (int j = 0; j < cols; j++)
        b[j] = (const real *)g->b + min(j0 + j, col1 - 1) * g->ldb;
    vec_store(sums, rows == 1 ? dot_square(a, b, g->k, 1) :
                    rows == 2 ? dot_square(a, b, g->k, 2) :
                                dot_square(a, b, g->k, LANES < 4 ? 2 : 4));
    for (int i = 0; i < rows && i0 + i < g->m; i++) {
        for (int j = 0; j < cols && j0 + j < col1; j++) {
            const int64_t row = p->flipped ? j0 + j : i0 + i, col = p->flipped ? i0 + i : j0 + j;
            const real y = sums[i * cols + j] + (g->bias ? ((const real *)g->bias)[col] : 0);
            ((real *)g->c)[row * g->ldc + col] = g->act == CJ__UNARY_relu && y <= 0 ? 0 : y;
        }
    }
}

// Columns of C of one task; of rows, if C is computed transposed.
static void gemm_dots(const product *p, int64_t task)
{
    const cj__gemm *g = &p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    const int64_t col0 = task * DOT_COLS, col1 = min(col0 + DOT_COLS, g->n);
    const int rows = g->m == 1 ? 1 : g->m == 2 || LANES < 4 ? 2 : 4;
    for (int64_t j = col0; j < col1; j += LANES / rows)
        for (int64_t i = 0; i < g->m; i += rows)
            dot_rows(p, i, j, col1, rows);
    real *const c = g->c;
    if (p->flipped)
        for (int64_t j = col0; j < col1; j++)
            finish_rows(&e, (real *[]){c + j * g->ldc}, 1, g->m);
    else
        for (int64_t i = 0; i < g->m; i++)
            finish_rows(&e, (real *[]){c + i * g->ldc + col0}, 1, col1 - col0);
}

#endif
