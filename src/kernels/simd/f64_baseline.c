// The double table's entries for 16-byte vectors, whatever the machine is.
#define CJ_REAL_BYTES 8
#include "kernels/simd/generic.h"
#include "kernels/body/bodies.h"

const cj__kernels cj__kernels_baseline_f64 = KERNEL_ENTRIES;
