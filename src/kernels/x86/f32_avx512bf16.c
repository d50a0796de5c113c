// The float table's entries for AVX-512 with products of bfloat16 pairs.
#ifdef __x86_64__
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx512.h"
#include "kernels/simd/bf16.h"
#include "kernels/body/elementwise/round_vec.h"
#include "kernels/body/product/bf16_product.h"
#include "kernels/body/product/gemm_bf16.h"
#include "kernels/tables.h"

// Packing costs (m + n) k, and what pairs save is as m n k: the ratio m n / (m + n) decides. By
// bench/bf16.c pairs are 1.14 to 1.95 times as fast from 14 on, and not slower from 12 on, where
// the instruction is as quick as a multiply-add; docs/kernels.md has the figures. A few rows read B
// as it is, which then need not be rounded before: on any processor that takes longer than the
// difference.
static bool gemm_bf16_pays(const cj__gemm *g)
{
    return (is_few(g) || (cj__cpu_bf16_is_quick() && g->m * g->n >= 14 * (g->m + g->n))) &&
           g->k >= 8;
}

enum { ROUND_VECS = 4 };

// Vectors together, so that one question is asked of all.
ALWAYS_INLINE void round_vecs(const real *x, real *y, const int vecs)
{
    vec v[ROUND_VECS];
    vmask denormal = 0;
    UNROLL
    for (int i = 0; i < vecs; i++) {
        v[i] = vec_load(x + i * LANES);
        denormal = mask_or(denormal, vec_denormal(v[i]));
    }
    UNROLL
    for (int i = 0; i < vecs; i++)
        vec_store(y + i * LANES, denormal ? vec_round_bf16(v[i]) : vec_round_normal(v[i]));
}

static void round_bf16(int64_t n, const void *x, void *y)
{
    const real *from = x;
    real *to = y;
    int64_t i = 0;
    for (; i + ROUND_VECS * LANES <= n; i += ROUND_VECS * LANES)
        round_vecs(from + i, to + i, ROUND_VECS);
    for (; i + LANES <= n; i += LANES)
        round_vecs(from + i, to + i, 1);
    const vmask part = mask_first(n - i);
    if (i < n)
        vec_store_part(to + i, vec_round_bf16(vec_load_part(from + i, part)), part);
}

const cj__kernels cj__kernels_avx512bf16_f32 = {
    .isa = "avx512",
    .round_bf16 = round_bf16,
    .gemm_bf16_job = gemm_bf16_job,
    .gemm_bf16_run = gemm_bf16_run,
    .gemm_bf16_pays = gemm_bf16_pays,
};
#endif
