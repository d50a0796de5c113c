// The float table's entries for AMX with products of bfloat16.
#ifdef CAJAL_HAS_AMX
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx512.h"
#include "kernels/simd/bf16.h"
#include "kernels/simd/amx.h"
#include "kernels/body/elementwise/round_vec.h"
#include "kernels/body/product/bf16_product.h"
#include "kernels/body/product/gemm_amx.h"
#include "kernels/tables.h"

enum { PAIR_ROWS_MAX = 1, ROUNDED_ROWS = 12, LEAST_SUM = 16, LEAST_WORK = 24 * 1024 };

// One row takes the form by pairs that this is laid over: bringing B into tiles would take longer
// than the rest.
static bool by_pairs(const cj__gemm *g)
{
    return g->m <= PAIR_ROWS_MAX && !g->trans_b;
}

static void amx_or_pairs_job(const cj__gemm_bf16 *a, cj__job *job)
{
    (by_pairs(&a->g) ? own_table()->gemm_bf16_job : gemm_bf16_job)(a, job);
}

static void amx_or_pairs_run(const cj__gemm_bf16 *a, void *workspace, int phase, int64_t begin,
                             int64_t end)
{
    (by_pairs(&a->g) ? own_table()->gemm_bf16_run : gemm_bf16_run)(a, workspace, phase, begin, end);
}

// Packing costs as (m + n) k, half as much again for an operand that is turned, and less where it
// is packed late: docs/kernels.md has what bench/bf16.c measured. A few rows by a B in rows need no
// pass that rounds B before, which takes longer than they do.
static bool gemm_bf16_pays(const cj__gemm *g)
{
    const double m = (double)g->m, n = (double)g->n, k = (double)g->k,
                 minimum = g->m <= SIDE ? 5 : 7.5;
    if (g->m <= ROUNDED_ROWS && !g->trans_b)
        return g->k >= 8;
    return m * n >= minimum * (m * (g->trans_a ? 1.5 : 1) + n * (g->trans_b ? 1.5 : 1)) &&
           g->k >= LEAST_SUM && m * n * k >= LEAST_WORK;
}

const cj__kernels cj__kernels_amx_f32 = {
    .isa = "amx",
    .gemm_bf16_job = amx_or_pairs_job,
    .gemm_bf16_run = amx_or_pairs_run,
    .gemm_bf16_pays = gemm_bf16_pays,
};
#endif
