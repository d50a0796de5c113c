// The double table's entries for AVX2 and FMA.
#ifdef __x86_64__
#define CJ_REAL_BYTES 8
#include "kernels/simd/avx2.h"
#include "kernels/body/bodies.h"

const cj__kernels cj__kernels_avx2_f64 = KERNEL_ENTRIES;
#endif
