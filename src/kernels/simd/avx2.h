// The vocabulary (vector.h) for AVX2 with FMA: 32-byte vectors; a mask is a vector of 0 and -1.
#ifndef CJ_KERNELS_SIMD_AVX2_H
#define CJ_KERNELS_SIMD_AVX2_H

#define VEC_BYTES 32
#define ISA       CJ__ISA_AVX2
#define ISA_NAME  "avx2"
#include "kernels/simd/vector.h"
#include <immintrin.h>

typedef ivec vmask;

#if CJ_REAL_BYTES == 4
#define MM(op) _mm256_##op##_ps
#else
#define MM(op) _mm256_##op##_pd
#endif

// 12 accumulators of 16 registers.
#define TILE_VECS_MAX  2
#define TILE_SHAPES(F) F(1, 8) F(2, 6)

// The largest tile of blocks of images, filters by pixels, and the most filters of a tile of 2 x 2
// pixels.
#define BLOCK_FILTERS_MAX 4
#define BLOCK_SHAPES(F)   F(1, 8) F(2, 6) F(3, 4) F(4, 3)
#define BLOCK_WINDOWS(F)  F(1) F(2) F(3)

#include "kernels/simd/vector_masks.h"

ALWAYS_INLINE vec vec_held(vec v)
{
    return v;
}

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

#if CJ_REAL_BYTES == 4
// In two factors, so that results may overflow and underflow as they should.
ALWAYS_INLINE vec vec_scale(vec a, vec s)
{
    const ivec n = (ivec)s - (ivec)vec_set(0x1.8p23f), half = n >> 1;
    return a * (vec)((half + 127) << 23) * (vec)((n - half + 127) << 23);
}
#endif

ALWAYS_INLINE vec vec_reciprocal(vec a)
{
    return vec_set(1) / a;
}

ALWAYS_INLINE vec vec_select(vmask m, vec yes, vec no)
{
    return MM(blendv)(no, yes, (vec)m);
}

#if CJ_REAL_BYTES == 4
ALWAYS_INLINE ivec ivec_from_bytes(const uint8_t *p)
{
    return (ivec)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p));
}

ALWAYS_INLINE vec vec_from_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_ps((__m256i)ivec_from_bytes(p));
}

// The first byte of each lane goes to the front of its half; the halves' four bytes are joined.
ALWAYS_INLINE void ivec_store_bytes(uint8_t *p, ivec lanes)
{
    const __m256i first =
        _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12,
                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256i packed = _mm256_shuffle_epi8((__m256i)lanes, first);
    _mm_storel_epi64((void *)p, _mm_unpacklo_epi32(_mm256_castsi256_si128(packed),
                                                   _mm256_extracti128_si256(packed, 1)));
}
#else
ALWAYS_INLINE __m128i four_bytes(const uint8_t *p)
{
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

ALWAYS_INLINE ivec ivec_from_bytes(const uint8_t *p)
{
    return (ivec)_mm256_cvtepu8_epi64(four_bytes(p));
}

ALWAYS_INLINE vec vec_from_bytes(const uint8_t *p)
{
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(four_bytes(p)));
}

ALWAYS_INLINE void ivec_store_bytes(uint8_t *p, ivec lanes)
{
    for (int i = 0; i < LANES; i++)
        p[i] = (uint8_t)lanes[i];
}
#endif

ALWAYS_INLINE void bytes_store(uint8_t *p, ivec lanes)
{
    ivec_store_bytes(p, lanes & 1);
}

ALWAYS_INLINE vec vec_permute(vec table, ivec at)
{
    vec found = table;
    for (int i = 0; i < LANES; i++)
        found[i] = table[at[i] & (LANES - 1)];
    return found;
}

ALWAYS_INLINE word_vec word_multiply(word_vec a, word_vec b)
{
    return (word_vec)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

#endif
