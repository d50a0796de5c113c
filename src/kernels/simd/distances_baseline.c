// Distances for 16-byte vectors, whatever the machine is.
#define CJ_REAL_BYTES 4
#include "kernels/simd/generic.h"
#include "kernels/simd/bytes.h"
#include "kernels/body/distance/distances.h"

const cj__distances cj__distances_baseline = TABLE("baseline");
