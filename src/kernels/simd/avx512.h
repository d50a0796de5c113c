// The vocabulary (vector.h) for AVX-512 F, BW, DQ and VL: 64-byte vectors and mask registers.
#ifndef CJ_KERNELS_SIMD_AVX512_H
#define CJ_KERNELS_SIMD_AVX512_H

#define VEC_BYTES 64
#define ISA       CJ__ISA_AVX512
#define ISA_NAME  "avx512"
#include "kernels/simd/vector.h"
#include <immintrin.h>

#if CJ_REAL_BYTES == 4
typedef __mmask16 vmask;
#define MM(op)  _mm512_##op##_ps
#define COMPARE _mm512_cmp_ps_mask
#else
typedef __mmask8 vmask;
#define MM(op)  _mm512_##op##_pd
#define COMPARE _mm512_cmp_pd_mask
#endif

// The largest tile of a product by its width in vectors: 24 accumulators of 32 registers leave
// room for the operands.
#define TILE_VECS_MAX  4
#define TILE_SHAPES(F) F(1, 12) F(2, 12) F(3, 8) F(4, 6)

// The largest tile of blocks of images, filters by pixels, and the most filters of a tile of 2 x 2
// pixels.
#define BLOCK_FILTERS_MAX 8
#define BLOCK_SHAPES(F)   F(1, 12) F(2, 10) F(3, 7) F(4, 6) F(5, 5) F(6, 4) F(7, 3) F(8, 3)
#define BLOCK_WINDOWS(F)  F(1) F(2) F(3) F(4) F(5) F(6)

ALWAYS_INLINE vmask mask_first(int64_t n)
{
    return (vmask)((1u << n) - 1u);
}

ALWAYS_INLINE vec vec_held(vec v)
{
    __asm__("" : "+v"(v));
    return v;
}

ALWAYS_INLINE vec vec_load_part(const real *p, vmask m)
{
    return MM(maskz_loadu)(m, p);
}

ALWAYS_INLINE void vec_store_part(real *p, vec v, vmask m)
{
    MM(mask_storeu)(p, m, v);
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

#if CJ_REAL_BYTES == 4
ALWAYS_INLINE vec vec_scale(vec a, vec s)
{
    return _mm512_scalef_ps(a, s - vec_set(0x1.8p23f));
}
#endif

// The divider is one, slow and shared with the square root; the reciprocal's 14 bits and a step of
// Newton's give 24 by the multiplier. Where a is 0, infinite or NaN the first guess is exact and
// the step is not a number.
ALWAYS_INLINE vec vec_reciprocal(vec a)
{
#if CJ_REAL_BYTES == 4
    const vec guess = _mm512_rcp14_ps(a), miss = _mm512_fnmadd_ps(a, guess, vec_set(1));
    return _mm512_mask_fmadd_ps(guess, COMPARE(miss, vec_set(-1), _CMP_GT_OQ), miss, guess);
#else
    return vec_set(1) / a;
#endif
}

ALWAYS_INLINE vmask vec_lt(vec a, vec b)
{
    return COMPARE(a, b, _CMP_LT_OQ);
}

ALWAYS_INLINE vmask vec_le(vec a, vec b)
{
    return COMPARE(a, b, _CMP_LE_OQ);
}

ALWAYS_INLINE vmask vec_eq(vec a, vec b)
{
    return COMPARE(a, b, _CMP_EQ_OQ);
}

ALWAYS_INLINE vmask mask_and(vmask a, vmask b)
{
    return (vmask)(a & b);
}

ALWAYS_INLINE vmask mask_or(vmask a, vmask b)
{
    return (vmask)(a | b);
}

ALWAYS_INLINE vmask mask_not(vmask a)
{
    return (vmask)~a;
}

ALWAYS_INLINE bool mask_all(vmask m)
{
    return m == (vmask)-1;
}

ALWAYS_INLINE uint32_t mask_bits(vmask m)
{
    return m;
}

ALWAYS_INLINE vec vec_select(vmask m, vec yes, vec no)
{
    return MM(mask_blend)(m, no, yes);
}

ALWAYS_INLINE vec vec_permute(vec table, ivec at)
{
    return MM(permutexvar)((__m512i)at, table);
}

#if CJ_REAL_BYTES == 4
ALWAYS_INLINE ivec ivec_from_bytes(const uint8_t *p)
{
    return (ivec)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p));
}

ALWAYS_INLINE vec vec_from_bytes(const uint8_t *p)
{
    return _mm512_cvtepi32_ps((__m512i)ivec_from_bytes(p));
}

ALWAYS_INLINE void ivec_store_bytes(uint8_t *p, ivec lanes)
{
    _mm_storeu_si128((void *)p, _mm512_cvtepi32_epi8((__m512i)lanes));
}
#else
ALWAYS_INLINE ivec ivec_from_bytes(const uint8_t *p)
{
    return (ivec)_mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)p));
}

ALWAYS_INLINE vec vec_from_bytes(const uint8_t *p)
{
    return _mm512_cvtepi64_pd((__m512i)ivec_from_bytes(p));
}

ALWAYS_INLINE void ivec_store_bytes(uint8_t *p, ivec lanes)
{
    _mm_storel_epi64((void *)p, _mm512_cvtepi64_epi8((__m512i)lanes));
}
#endif

ALWAYS_INLINE void bytes_store(uint8_t *p, ivec lanes)
{
    ivec_store_bytes(p, lanes & 1);
}

ALWAYS_INLINE word_vec word_multiply(word_vec a, word_vec b)
{
    return (word_vec)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

#endif
