// Distances for AVX-512 without byte products.
#ifdef __x86_64__
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx512.h"
#include "kernels/simd/bytes.h"
#include "kernels/body/distance/distances.h"

const cj__distances cj__distances_avx512 = TABLE("avx512");
#endif
