// The double table's entries for AVX-512.
#ifdef __x86_64__
#define CJ_REAL_BYTES 8
#include "kernels/simd/avx512.h"
#include "kernels/body/tile.h"
#include "kernels/body/epilogue.h"
#include "kernels/body/gemm.h"
#include "kernels/body/conv2d.h"
#include "kernels/body/conv2d_grad.h"
#include "kernels/body/fill.h"
#include "kernels/tables.h"

void cj__kernels_avx512_f64(cj__kernels *table)
{
    fill(table);
}
#endif
