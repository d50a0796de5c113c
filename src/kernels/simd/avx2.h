// The vocabulary (vector.h) for AVX2 with FMA: 32-byte vectors; a mask is a vector of 0 and -1.
#ifndef CJ_KERNELS_SIMD_AVX2_H
#define CJ_KERNELS_SIMD_AVX2_H

#define VEC_BYTES 32
#define ISA_NAME "avx2"
#include "kernels/simd/vector.h"
#include <immintrin.h>

typedef ivec vmask;

#if CJ_REAL_BYTES == 4
#define MM(op) _mm256_##op##_ps
#else
#define MM(op) _mm256_##op##_pd
#endif

// 12 accumulators of 16 registers.
#define TILE_VECS_MAX 2
#define TILE_SHAPES(F) F(1, 8) F(2, 6)

// The greatest tile of blocks of images, filters by pixels, and the most filters of a tile of 2 x 2 pixels.
#define BLOCK_FILTERS_MAX 4
#define BLOCK_SHAPES(F) F(1, 8) F(2, 6) F(3, 4) F(4, 3)
#define BLOCK_WINDOWS(F) F(1) F(2) F(3)

#include "kernels/simd/vector_masks.h"

ALWAYS_INLINE vec vec_load_part(const real *p, vmask m)
{
    return MM(maskload)((const void *)p, (__m256i)m);
}

ALWAYS_INLINE void vec_store_part(real *p, vec v, vmask m)
{
    MM(maskstore)((void *)p, (__m256i)m, v);
}

ALWAYS_INLINE vec vec_fma(vec a, vec b, vec c)
{
    return MM(fmadd)(a, b, c);
}

ALWAYS_INLINE vec vec_max(vec a, vec b)
{
    return MM(max)(a, b);
}

ALWAYS_INLINE vec vec_min(vec a, vec b)
{
    return MM(min)(a, b);
}

ALWAYS_INLINE vec vec_sqrt(vec a)
{
    return MM(sqrt)(a);
}

ALWAYS_INLINE vec vec_pick(vmask m, vec yes, vec no)
{
    return MM(blendv)(no, yes, (vec)m);
}

#endif
