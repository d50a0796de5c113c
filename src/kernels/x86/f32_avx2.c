// The float table's entries for AVX2 and FMA.
#ifdef __x86_64__
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx2.h"
#include "kernels/body/bodies.h"

const cj__kernels cj__kernels_avx2_f32 = KERNEL_ENTRIES;
#endif
