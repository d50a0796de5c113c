// Rounding to bfloat16 in the bits of a float: half of the last place that stays, less one where
// that place is even, carries into it. The carry of the largest numbers into the exponent makes
// the infinity that is due. NaN would carry too, so it is taken apart and stays NaN.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_ROUND_VEC_H
#define CJ_KERNELS_BODY_ELEMENTWISE_ROUND_VEC_H

typedef uint32_t bits_vec __attribute__((vector_size(VEC_BYTES)));

ALWAYS_INLINE vec vec_round_bf16(vec x)
{
    const bits_vec bits = (bits_vec)x, odd = bits >> 16 & 1;
    const bits_vec up = bits + 0x7FFF + odd, quiet = bits | 0x00400000;
    return (vec)((bits_vec)vec_select(vec_eq(x, x), (vec)up, (vec)quiet) & 0xFFFF0000);
}

#endif
