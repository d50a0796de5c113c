// The plain C table for float.
#define CJ_REAL_BYTES 4
#include "base/random.h"
#include "kernels/ref/real.h"
#include "kernels/ref/elementwise.h"
#include "kernels/ref/round.h"
#include "kernels/ref/reduce.h"
#include "kernels/ref/product.h"
#include "kernels/ref/gemm_bf16.h"
#include "kernels/ref/blocks.h"
#include "kernels/ref/pool.h"
#include "kernels/ref/optimizer.h"
#include "kernels/ref/entries.h"
#include "kernels/tables.h"

const cj__kernels cj__kernels_ref_f32 = KERNEL_ENTRIES;
