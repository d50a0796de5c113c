// Distances for AVX2.
#ifdef __x86_64__
#define CJ_REAL_BYTES 4
#include "kernels/simd/avx2.h"
#include "kernels/simd/bytes.h"
#include "kernels/body/distance/distances.h"

const cj__distances cj__distances_avx2 = TABLE("avx2");
#endif
