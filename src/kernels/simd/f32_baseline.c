// The float table's entries for 16-byte vectors, whatever the machine is.
#define CJ_REAL_BYTES 4
#include "kernels/simd/generic.h"
#include "kernels/body/bodies.h"

const cj__kernels cj__kernels_baseline_f32 = KERNEL_ENTRIES;
