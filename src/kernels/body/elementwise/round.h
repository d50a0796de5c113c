// Rounding to bfloat16, a vector at a time (round_vec.h).
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_ROUND_H
#define CJ_KERNELS_BODY_ELEMENTWISE_ROUND_H

#include "kernels/body/elementwise/elementwise.h"
#include "kernels/body/elementwise/round_vec.h"

#if CJ_REAL_BYTES == 4
static void round_bf16(int64_t n, const void *x, void *y)
{
    const real *from = x;
    real *to = y;
    EACH_VEC(n, STORE_AT_I(to, vec_round_bf16(LOAD_AT_I(from))););
}
#endif

#endif
