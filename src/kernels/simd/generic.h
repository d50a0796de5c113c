// The vocabulary (vector.h) in the compiler's vector extension: SSE2, NEON, WASM or whatever 16-byte
// vectors the machine has. Multiply-adds are fused where the target has an instruction for them.
#ifndef CJ_KERNELS_SIMD_GENERIC_H
#define CJ_KERNELS_SIMD_GENERIC_H

#define VEC_BYTES 16
#define ISA       CJ__ISA_BASELINE
#define ISA_NAME  "baseline"
#include "kernels/simd/vector.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

typedef ivec vmask;

// 12 accumulators of 16 registers.
#define TILE_VECS_MAX  2
#define TILE_SHAPES(F) F(1, 8) F(2, 6)

// The largest tile of blocks of images, filters by pixels, and the most filters of a tile of 2 x 2
// pixels. Without fused multiply-adds a product needs a register too.
#define BLOCK_FILTERS_MAX 4
#define BLOCK_SHAPES(F)   F(1, 8) F(2, 5) F(3, 3) F(4, 2)
#define BLOCK_WINDOWS(F)  F(1) F(2)

#include "kernels/simd/vector_bytes.h"
#include "kernels/simd/vector_masks.h"

ALWAYS_INLINE vec vec_held(vec v)
{
    return v;
}

// Most partial loads in a product are whole after all: that case must not go lane by lane.
ALWAYS_INLINE vec vec_load_part(const real *p, vmask m)
{
    vec v = {0};
    if (m[LANES - 1])
        return vec_load(p);
    for (int i = 0; i < LANES - 1 && m[i]; i++)
        v[i] = p[i];
    return v;
}

ALWAYS_INLINE void vec_store_part(real *p, vec v, vmask m)
{
    if (m[LANES - 1]) {
        vec_store(p, v);
        return;
    }
    for (int i = 0; i < LANES - 1 && m[i]; i++)
        p[i] = v[i];
}

ALWAYS_INLINE vec vec_select(vmask m, vec yes, vec no)
{
    return (vec)((m & (ivec)yes) | (~m & (ivec)no));
}

// Fused wherever the target is sure to have the instruction, and nowhere else: never as the compiler
// likes, for then a tail could have other bits than the vectors before it.
ALWAYS_INLINE vec vec_fma(vec a, vec b, vec c)
{
#if defined(__aarch64__) && CJ_REAL_BYTES == 4
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__aarch64__)
    return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif CJ_REAL_BYTES == 4 && defined(__FP_FAST_FMAF)
    for (int i = 0; i < LANES; i++)
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
#elif CJ_REAL_BYTES == 8 && defined(__FP_FAST_FMA)
    for (int i = 0; i < LANES; i++)
        c[i] = __builtin_fma(a[i], b[i], c[i]);
    return c;
#else
    return a * b + c;
#endif
}

ALWAYS_INLINE vec vec_max(vec a, vec b)
{
    return vec_select(vec_lt(b, a), a, b);
}

ALWAYS_INLINE vec vec_min(vec a, vec b)
{
    return vec_select(vec_lt(a, b), a, b);
}

ALWAYS_INLINE vec vec_sqrt(vec a)
{
    for (int i = 0; i < LANES; i++)
        a[i] = (real)sqrt((double)a[i]);
    return a;
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

ALWAYS_INLINE vec vec_permute(vec table, ivec at)
{
    vec found = table;
    for (int i = 0; i < LANES; i++)
        found[i] = table[at[i] & (LANES - 1)];
    return found;
}

// Compilers know this form: one instruction where there is one.
ALWAYS_INLINE word_vec word_multiply(word_vec a, word_vec b)
{
    const word_vec low = (word_vec){0} + 0xffffffffu;
    return (a & low) * (b & low);
}

#endif
