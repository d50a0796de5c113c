// More words of the vocabulary (vector.h), for vectors of bytes seen as lanes of 32 or 64 bits. The
// instruction set is that of the including file, so what is chosen here is what the compiler was
// told.
//
//   lvec                     64-bit lanes; lvec_set(x)
//   DOT_GROUP                bytes of a row that one 32-bit lane takes: 4 as they are, or 2 widened
//                            to 16 bits
//   ivec_dot(sum, x, q)      sum + the products of a lane's elements: x unsigned bytes, q signed;
//                            exact while sums fit
//   lvec_absdiff(sum, x, q)  sum + the 8 absolute differences of a lane's unsigned bytes
#ifndef CJ_KERNELS_SIMD_BYTES_H
#define CJ_KERNELS_SIMD_BYTES_H

#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef int64_t lvec __attribute__((vector_size(VEC_BYTES)));

ALWAYS_INLINE lvec lvec_set(int64_t x)
{
    return (lvec){0} + x;
}

#if defined(__AVX512VNNI__)
#define DOT_GROUP 4
ALWAYS_INLINE ivec ivec_dot(ivec sum, ivec x, ivec q)
{
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)q);
}
#else
#define DOT_GROUP 2
ALWAYS_INLINE ivec ivec_dot(ivec sum, ivec x, ivec q)
{
#if defined(__AVX512BW__)
    return sum + (ivec)_mm512_madd_epi16((__m512i)x, (__m512i)q);
#elif defined(__AVX2__)
    return sum + (ivec)_mm256_madd_epi16((__m256i)x, (__m256i)q);
#elif defined(__SSE2__)
    return sum + (ivec)_mm_madd_epi16((__m128i)x, (__m128i)q);
#else
    const ivec low = ((x << 16) >> 16) * ((q << 16) >> 16); // shifts to the right keep the sign
    return sum + low + (x >> 16) * (q >> 16);
#endif
}
#endif

ALWAYS_INLINE lvec lvec_absdiff(lvec sum, lvec x, lvec q)
{
#if defined(__AVX512BW__)
    return sum + (lvec)_mm512_sad_epu8((__m512i)x, (__m512i)q);
#elif defined(__AVX2__)
    return sum + (lvec)_mm256_sad_epu8((__m256i)x, (__m256i)q);
#elif defined(__SSE2__)
    return sum + (lvec)_mm_sad_epu8((__m128i)x, (__m128i)q);
#else
    typedef uint8_t bytes __attribute__((vector_size(VEC_BYTES)));
    typedef uint64_t words __attribute__((vector_size(VEC_BYTES)));
    const bytes a = (bytes)x, b = (bytes)q, more = (bytes)(a > b);
    const words d = (words)(((a - b) & more) | ((b - a) & ~more));
    // four sums of 16 bits
    const words pairs = (d & 0x00ff00ff00ff00ffu) + ((d >> 8) & 0x00ff00ff00ff00ffu);
    return sum + (lvec)((pairs * 0x0001000100010001u) >> 48);
#endif
}

#endif
