// The vocabulary in which every fast kernel is written: a vector of LANES reals and what can be
// done with it.
//
// The including file has set CJ_REAL_BYTES (4 or 8) and VEC_BYTES (16, 32 or 64). Vectors are the
// compiler's own vector extension, so + - * / and unary minus work on them lane by lane, shifts and
// & | work on `ivec`, and casts between `vec` and `ivec` keep the bits. What that extension lacks
// has a name, given by the header of each instruction set:
//
//   mask_first(n)              a mask of the first n lanes, 0 <= n <= LANES
//   vec_load_part(p, mask)     the lanes of the mask, others 0; reads nothing outside the mask
//   vec_store_part(p, v, mask) writes the lanes of the mask and nothing else
//   vec_held(v)                v, once loaded, in a register: compilers like to read again for each
//                              of a few uses, and where a load takes as long as a multiply-add that
//                              halves the speed
//   vec_fma(a, b, c)           a b + c
//   vec_max(a, b), vec_min     b where either is NaN, and where both are equal
//   vec_sqrt(a)
//   vec_reciprocal(a)          1 / a, with the last bit uncertain where that is faster; a no
//                              denormal number
//   vec_scale(a, s)            a 2^n for s = n + 1.5 * 2^23, n from -252 to 254; of floats alone
//   vec_lt(a, b), vec_le, vec_eq   masks, false for NaN
//   mask_and, mask_or, mask_not; mask_all(m), whether every lane is set; mask_bits(m), bit i for lane i
//   vec_select(mask, yes, no)
//   vec_permute(table, at)     lane i: the table's lane at[i] % LANES
//   word_multiply(a, b)        products of the lower halves of 64-bit words
//   vec_from_bytes(p)          LANES bytes as reals; ivec_from_bytes as integers
//   ivec_store_bytes(p, lanes) the lowest byte of each lane; bytes_store 1 or 0 from lanes of -1 or
//     0
//
// Everything is static inline: nothing compiled with one instruction set's flags can be linked into
// another's code.
#ifndef CJ_KERNELS_SIMD_VECTOR_H
#define CJ_KERNELS_SIMD_VECTOR_H

#include "base/memory.h"
#include "kernels/common.h"
#include "kernels/kernels.h"
#include <float.h>
#include <math.h>
#include <string.h>

#if CJ_REAL_BYTES == 4
typedef float real;
typedef int32_t lane_int;
#define REAL_MAX 3.402823466e38f
#else
typedef double real;
typedef int64_t lane_int;
#define REAL_MAX 1.7976931348623157e308
#endif

enum { LANES = VEC_BYTES / CJ_REAL_BYTES };

typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef lane_int ivec __attribute__((vector_size(VEC_BYTES)));
typedef real unaligned_vec
    __attribute__((vector_size(VEC_BYTES), aligned(CJ_REAL_BYTES), may_alias));

// 64-bit words, for random numbers.
typedef uint64_t word_vec __attribute__((vector_size(VEC_BYTES)));

// The halves of two vectors of words, interleaved.
#if VEC_BYTES == 64
#define INTERLEAVE_WORDS_LOW(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_WORDS_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif VEC_BYTES == 32
#define INTERLEAVE_WORDS_LOW(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_WORDS_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define INTERLEAVE_WORDS_LOW(a, b)  __builtin_shufflevector(a, b, 0, 2)
#define INTERLEAVE_WORDS_HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

// Before a loop whose count is known: without it an array of accumulators would live in memory.
// clang's plain `unroll` would unroll by some factor before inlining has told the count, and leave
// it at that.
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__OPTIMIZE__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL // gcc warns that it ignores it
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { STEPS_AHEAD = 8, CACHE_LINE = 64 };

// Asks for the line `distance` bytes after `from`; the address need not exist.
ALWAYS_INLINE void fetch_line(const void *from, int64_t distance)
{
    __builtin_prefetch((const void *)((uintptr_t)from + (uintptr_t)distance));
}

// Fetches `vecs` vectors `distance` bytes after `from` into the first cache; the addresses need not
// exist. (The second cache gives a line every few cycles only if lines are asked for early.)
ALWAYS_INLINE void fetch_ahead(const void *from, int64_t distance, const int vecs)
{
    UNROLL
    for (int at = 0; at < vecs * VEC_BYTES; at += CACHE_LINE)
        fetch_line(from, distance + at);
}

ALWAYS_INLINE vec vec_load(const real *p)
{
    return *(const unaligned_vec *)p;
}

ALWAYS_INLINE void vec_store(real *p, vec v)
{
    *(unaligned_vec *)p = v;
}

ALWAYS_INLINE vec vec_set(real x)
{
#if FLT_EVAL_METHOD == 0
    return x - (vec){0}; // unlike x + 0 this is x for -0 too, and costs nothing
#else                    // s390x, i686: a scalar of an expression is wider than a lane
    vec v;
    for (int i = 0; i < LANES; i++)
        v[i] = x;
    return v;
#endif
}

ALWAYS_INLINE ivec ivec_set(lane_int x)
{
    return (ivec){0} + x;
}

ALWAYS_INLINE vec vec_abs(vec x)
{
    return (vec)((ivec)x & ~(ivec)vec_set((real)-0.0));
}

// |x| with the sign of s.
ALWAYS_INLINE vec vec_with_sign(vec x, vec s)
{
    const ivec sign = (ivec)vec_set((real)-0.0);
    return (vec)(((ivec)x & ~sign) | ((ivec)s & sign));
}

// The sum of the lanes, by halves: the same order whatever computed them.
ALWAYS_INLINE real vec_sum(vec v)
{
    real lane[LANES];
    memcpy(lane, &v, sizeof lane);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] += lane[i + half];
    return lane[0];
}

// The halves of two vectors, interleaved, and the transpose of LANES vectors made of it: interleaving
// row i with row i + LANES / 2 log2(LANES) times moves every element (i, j) to (j, i).
#if VEC_BYTES / CJ_REAL_BYTES == 16
#define INTERLEAVE_LOW(a, b) \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH(a, b) \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VEC_BYTES / CJ_REAL_BYTES == 8
#define INTERLEAVE_LOW(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif VEC_BYTES / CJ_REAL_BYTES == 4
#define INTERLEAVE_LOW(a, b)  __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define INTERLEAVE_LOW(a, b)  __builtin_shufflevector(a, b, 0, 2)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

ALWAYS_INLINE void vec_transpose(vec r[LANES])
{
    for (int round = 1; round < LANES; round *= 2) {
        vec interleaved[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            interleaved[2 * i] = INTERLEAVE_LOW(r[i], r[i + LANES / 2]);
            interleaved[2 * i + 1] = INTERLEAVE_HIGH(r[i], r[i + LANES / 2]);
        }
        for (int i = 0; i < LANES; i++)
            r[i] = interleaved[i];
    }
}

ALWAYS_INLINE void vec_sum_pairs(vec *r, const int half)
{
    UNROLL
    for (int i = 0; i < half; i++)
        r[i] = INTERLEAVE_LOW(r[i], r[i + half]) + INTERLEAVE_HIGH(r[i], r[i + half]);
}

// The sums of LANES vectors, each by halves as vec_sum has it: lane i is that of r[i]. Overwrites
// r. (Written out, because a loop over halves is unrolled so late that r stays in memory.)
ALWAYS_INLINE vec vec_sums(vec r[LANES])
{
    if (LANES > 8)
        vec_sum_pairs(r, 8);
    if (LANES > 4)
        vec_sum_pairs(r, 4);
    if (LANES > 2)
        vec_sum_pairs(r, 2);
    vec_sum_pairs(r, 1);
    return r[0];
}

#endif
