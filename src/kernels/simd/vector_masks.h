// Masks for instruction sets without mask registers: a mask is a vector of 0 and -1.
#ifndef CJ_KERNELS_SIMD_VECTOR_MASKS_H
#define CJ_KERNELS_SIMD_VECTOR_MASKS_H

ALWAYS_INLINE vmask mask_first(int64_t n)
{
    ivec place;
    for (int i = 0; i < LANES; i++)
        place[i] = i;
    return place < ivec_set((lane_int)n);
}

ALWAYS_INLINE vmask vec_lt(vec a, vec b)
{
    return (vmask)(a < b);
}

ALWAYS_INLINE vmask vec_le(vec a, vec b)
{
    return (vmask)(a <= b);
}

ALWAYS_INLINE vmask vec_eq(vec a, vec b)
{
    return (vmask)(a == b);
}

ALWAYS_INLINE vmask mask_and(vmask a, vmask b)
{
    return a & b;
}

ALWAYS_INLINE vmask mask_or(vmask a, vmask b)
{
    return a | b;
}

ALWAYS_INLINE vmask mask_not(vmask a)
{
    return ~a;
}

ALWAYS_INLINE uint32_t mask_bits(vmask m)
{
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++)
        bits |= (uint32_t)(m[i] & 1) << i;
    return bits;
}

ALWAYS_INLINE bool mask_all(vmask m)
{
    uint64_t words[VEC_BYTES / 8], all = UINT64_MAX;
    memcpy(words, &m, sizeof words);
    for (int i = 0; i < VEC_BYTES / 8; i++)
        all &= words[i];
    return all == UINT64_MAX;
}

#endif
