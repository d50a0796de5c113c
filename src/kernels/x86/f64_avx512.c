// The double table's entries for AVX-512.
#ifdef __x86_64__
#define CJ_REAL_BYTES 8
#include "kernels/simd/avx512.h"
#include "kernels/body/bodies.h"

const cj__kernels cj__kernels_avx512_f64 = KERNEL_ENTRIES;
#endif
