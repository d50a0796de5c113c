// The float table's entries for AVX-512 with products of bfloat16 pairs.
#ifdef __x86_64__
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx512.h"
#include "kernels/simd/bf16.h"
#include "kernels/body/round_vec.h"
#include "kernels/tables.h"

static const cj__kernels *own_table; // what this is laid over

#include "kernels/body/gemm_bf16.h"

// Packing costs (m + n) k, and what pairs save is as m n k: the ratio m n / (m + n) decides. By bench/bf16.c pairs are
// 1.14 to 1.95 times as fast from 14 on, and not slower from 12 on; docs/kernels.md has the figures. A few rows read B as it
// is, which takes no longer than to round it, and then it need not be rounded before.
static bool gemm_bf16_pays(const cj__gemm *g)
{
    return (is_few(g) || g->m * g->n >= 14 * (g->m + g->n)) && g->k >= 8;
}

void cj__kernels_avx512bf16_f32(cj__kernels *table)
{
    own_table = table;
    table->gemm_bf16_job = gemm_bf16_job;
    table->gemm_bf16_run = gemm_bf16_run;
    table->gemm_bf16_pays = gemm_bf16_pays;
}
#endif
