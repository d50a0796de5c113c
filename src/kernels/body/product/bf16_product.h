// What products of bfloat16 operands share, whichever instructions compute them (gemm_bf16.h,
// gemm_amx.h).
// Rows `first` and `first + 1` (zeros after the last) of a matrix with `depth` rows, interleaved: a
// vector of columns.
#ifndef CJ_KERNELS_BODY_PRODUCT_BF16_PRODUCT_H
#define CJ_KERNELS_BODY_PRODUCT_BF16_PRODUCT_H

#include "kernels/body/own_table.h"

ALWAYS_INLINE pairs interleaved(const real *x, int64_t ld, int64_t first, int64_t depth,
                                int64_t cols)
{
    const real *row = x + first * ld;
    const bool whole = cols >= LANES, lone = first + 1 >= depth;
    const vmask part = mask_first(min(cols, LANES));
    const vec one = whole ? vec_load(row) : vec_load_part(row, part);
    const vec two = lone ? vec_set(0) : whole ? vec_load(row + ld) : vec_load_part(row + ld, part);
    return pairs_of(one, two);
}

ALWAYS_INLINE bool ends_in_registers(const cj__gemm *g)
{
    return g->act == CJ__UNARY_NONE || g->act == CJ__UNARY_relu;
}

// An activation other than ReLU works on rows of the finished block, and the rounding follows it.
static void finish_block(const cj__gemm_bf16 *a, int64_t row0, int64_t row1, int64_t col0,
                         int64_t col1)
{
    const cj__gemm *g = &a->g;
    for (int64_t i = row0; i < row1; i++) {
        real *row = (real *)g->c + i * g->ldc + col0;
        own_table()->unary[g->act](col1 - col0, row, row, g->act_a, g->act_b);
        if (a->to_bf16)
            own_table()->round_bf16(col1 - col0, row, row);
    }
}

#endif
