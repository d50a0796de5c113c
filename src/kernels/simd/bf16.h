// The words for bfloat16 beside the vocabulary of avx512.h, on processors with AVX512-BF16. A lane
// of a `pairs` vector is two bfloat16 numbers, the first in its lower half. The instructions take
// denormals as 0, and give none.
//
//   pairs_of(first, second)    lane i: first[i] and second[i], rounded to the nearest, ties to
//                              even; NaN stays NaN
//   pairs_along(p, n)          lane i: p[2i] and p[2i + 1], rounded, of the n numbers from p on;
//                              then zeros
//   vec_round_normal(x)        x rounded likewise, as a float; of the mask vec_denormal(x) no lane
//                              may be set
//   pairs_dot(sum, a, b)       sum + a.second b.second + a.first b.first, in float
#ifndef CJ_KERNELS_SIMD_BF16_H
#define CJ_KERNELS_SIMD_BF16_H

typedef uint32_t pairs __attribute__((vector_size(VEC_BYTES)));

ALWAYS_INLINE pairs pairs_of(vec first, vec second)
{
    // The conversion puts the first's 16 numbers before the second's: word 2i is to be number i,
    // word 2i + 1 number 16 + i.
    static const uint16_t order[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                       21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                       11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
    return (pairs)_mm512_permutexvar_epi16(_mm512_loadu_si512(order), both);
}

ALWAYS_INLINE pairs pairs_along(const real *p, int64_t n)
{
    const vec low = n >= LANES ? vec_load(p) : vec_load_part(p, mask_first(n));
    const vec high = n >= 2 * LANES ? vec_load(p + LANES) :
                     n > LANES      ? vec_load_part(p + LANES, mask_first(n - LANES)) :
                                      vec_set(0);
    return (pairs)_mm512_cvtne2ps_pbh(high, low);
}

ALWAYS_INLINE vmask vec_denormal(vec x)
{
    return _mm512_fpclass_ps_mask(x, 0x20);
}

ALWAYS_INLINE vec vec_round_normal(vec x)
{
    const __m512i wide = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x));
    return (vec)_mm512_slli_epi32(wide, 16);
}

ALWAYS_INLINE vec pairs_dot(vec sum, pairs a, pairs b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

#endif
