// What a pass asks about a product before it chooses the kernel.
#ifndef CJ_OPS_MATMUL_H
#define CJ_OPS_MATMUL_H

#include "ops/op.h"

// The product that a call of matmul or matmul_bias_act is; pointers may be NULL.
cj__gemm cj__matmul_gemm(const cj__call *call);

#endif
