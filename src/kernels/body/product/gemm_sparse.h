// Products of an A that is likely 0 in most places, as spikes are: C = act(op(A) B + bias).
//
// A first phase counts what is not 0. If that is little, a second phase takes only those rows of B, or of
// C where A is transposed; else the phases of the dense product follow. Which it is depends on A
// alone. Sums have the order of a tile: the bits of the dense forms that do not cut the sum
// (gemm_form.h), and else another order of the same sum.
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_SPARSE_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_SPARSE_H

#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/sparse_sum.h"

enum {
    SPARSE_ROWS = 32,         // of A, of a task
    SPARSE_SUMS = 64,         // rows of C of a task, where A is transposed
    SPARSE_PHASES = 2,        // before those of the dense product
    SPARSE_LEAST = 64 * 1024, // multiply-adds that are worth counting for
    SPARSE_LIST = 64 * 1024   // columns of A, at most
};

// A as it lies in memory.
static int64_t stored_rows(const cj__gemm *g)
{
    return g->trans_a ? g->k : g->m;
}

static int64_t stored_cols(const cj__gemm *g)
{
    return g->trans_a ? g->m : g->k;
}

static bool is_sparse_product(const cj__gemm *g)
{
    const bool plain = !g->bias && g->act == CJ__UNARY_NONE;
    return g->sparse_a && !g->trans_b && !g->keeps_b && (!g->trans_a || plain) &&
           stored_cols(g) <= SPARSE_LIST && g->m > 0 && g->k > 0 && g->n > 0 &&
           (double)g->m * (double)g->n * (double)g->k >= SPARSE_LEAST;
}

static cj__gemm dense_of(const cj__gemm *g)
{
    cj__gemm dense = *g;
    dense.sparse_a = false;
    return dense;
}

static int64_t sparse_counts(const cj__gemm *g)
{
    return ceil_div(stored_rows(g), SPARSE_ROWS);
}

static size_t sparse_counts_size(const cj__gemm *g)
{
    return cj__align_up_64((size_t)sparse_counts(g) * sizeof(int64_t));
}

// Adds the phases before those of the dense product, which `job` has.
static void sparse_product_job(const cj__gemm *g, cj__job *job)
{
    for (int i = job->phases - 1; i >= 0; i--)
        job->tasks[i + SPARSE_PHASES] = job->tasks[i];
    job->phases += SPARSE_PHASES;
    job->prepares = 0;
    job->tasks[0] = sparse_counts(g);
    job->tasks[1] = g->trans_a ? ceil_div(g->m, SPARSE_SUMS) : sparse_counts(g);
    job->workspace += sparse_counts_size(g);
    const size_t list =
        g->trans_a ? 0 : (size_t)g->k * (sizeof(int32_t) + sizeof(real)) + sizeof(real);
    job->scratch = job->scratch > list ? job->scratch : list;
}

// What is not 0 in some rows of A; more than all of it if B has what is not finite.
static int64_t count_task(const cj__gemm *g, int64_t task)
{
    const int64_t tasks = sparse_counts(g), cols = stored_cols(g), first = task * SPARSE_ROWS,
                  last = min(first + SPARSE_ROWS, stored_rows(g));
    int64_t count = 0;
    for (int64_t row = first; row < last; row++) {
        const real *a = (const real *)g->a + row * g->lda;
        vec found = vec_set(0);
        for (int64_t i = 0; i < cols; i += LANES) {
            const vec x = vec_load_part(a + i, mask_first(min(LANES, cols - i)));
            found = found + vec_select(vec_eq(x, vec_set(0)), vec_set(0), vec_set(1));
        }
        count += (int64_t)vec_sum(found);
    }
    for (int64_t row = g->k * task / tasks; row < g->k * (task + 1) / tasks; row++)
        if (!all_finite((const real *)g->b + row * g->ldb, g->n))
            return stored_rows(g) * cols;
    return count;
}

static bool is_sparse_enough(const cj__gemm *g, const int64_t *counts)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < sparse_counts(g); i++)
        sum += counts[i];
    return sum <= stored_rows(g) * stored_cols(g) / SPARSE_SHARE;
}

static int64_t list_row(const real *a, int64_t count, int32_t *places, real *values)
{
    const int64_t found = list_places(a, count, places);
    for (int64_t k = 0; k < found; k++)
        values[k] = a[places[k]];
    return found;
}

// One row of C.
static void sparse_row(const cj__gemm *g, int64_t row, real *values, int32_t *places)
{
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    real *c = (real *)g->c + row * g->ldc;
    sparse_sum sum = {.places = places,
                      .values = values,
                      .step = g->ldb,
                      .start = g->bias ? START_BIAS : START_ZERO,
                      .relu = is_relu(&e)};
    sum.count = list_row((const real *)g->a + row * g->lda, g->k, places, values);
    for (int64_t col = 0; col < g->n; col += sum.cols) {
        const int vecs = panel_vecs(g->n - col);
        sum.cols = min(vecs * LANES, g->n - col);
        sum.b = (const real *)g->b + col;
        sum.bias = g->bias ? (const real *)g->bias + col : NULL;
        sum.c = c + col;
        sparse_sum_run(&sum, vecs);
    }
    if (is_applied(&e))
        finish_rows(&e, (real *[]){c}, 1, g->n);
}

// Rows i0 .. i1 - 1 of C, where A is transposed: each row of B goes to those of C that meet it.
static void sparse_columns(const cj__gemm *g, int64_t i0, int64_t i1)
{
    int32_t places[SPARSE_SUMS];
    real values[SPARSE_SUMS];
    for (int64_t i = i0; i < i1; i++)
        memset((real *)g->c + i * g->ldc, 0, (size_t)g->n * sizeof(real));
    for (int64_t p = 0; p < g->k; p++) {
        const real *b = (const real *)g->b + p * g->ldb;
        const int64_t count =
            list_row((const real *)g->a + p * g->lda + i0, i1 - i0, places, values);
        for (int64_t q = 0; q < count; q++) {
            const vec value = vec_set(values[q]);
            real *c = (real *)g->c + (i0 + places[q]) * g->ldc;
            for (int64_t j = 0; j < g->n; j += LANES) {
                const vmask in = mask_first(min(LANES, g->n - j));
                const vec sum = vec_fma(value, vec_load_part(b + j, in), vec_load_part(c + j, in));
                vec_store_part(c + j, sum, in);
            }
        }
    }
}

// Tasks of the first two phases.
static void sparse_product_run(const cj__gemm *g, int64_t *counts, void *scratch, int phase,
                               int64_t begin, int64_t end)
{
    for (int64_t task = begin; task < end && phase == 0; task++)
        counts[task] = count_task(g, task);
    if (phase == 0 || !is_sparse_enough(g, counts))
        return;
    real *values = scratch;
    for (int64_t task = begin; task < end; task++) {
        if (g->trans_a) {
            sparse_columns(g, task * SPARSE_SUMS, min((task + 1) * SPARSE_SUMS, g->m));
            continue;
        }
        const int64_t last = min((task + 1) * SPARSE_ROWS, g->m);
        for (int64_t row = task * SPARSE_ROWS; row < last; row++)
            sparse_row(g, row, values, (int32_t *)(void *)(values + g->k));
    }
}

#endif
