// The float table's entries for AMX with products of bfloat16.
#ifdef CAJAL_HAS_AMX
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx512.h"
#include "kernels/simd/bf16.h"
#include "kernels/simd/amx.h"
#include "kernels/body/round_vec.h"
#include "kernels/body/bf16_product.h"
#include "kernels/body/gemm_amx.h"
#include "kernels/tables.h"

static bool gemm_bf16_pays(const cj__gemm *g)
{
    return g->m * g->n >= 14 * (g->m + g->n) && g->k >= 8;
}

void cj__kernels_amx_f32(cj__kernels *table)
{
    own_table = table;
    table->isa = "amx";
    table->gemm_bf16_job = gemm_bf16_job;
    table->gemm_bf16_run = gemm_bf16_run;
    table->gemm_bf16_pays = gemm_bf16_pays;
}
#endif
