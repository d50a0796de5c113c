// Images in blocks, batch innermost: (n, h, w, c) as (blocks, h, w, c lanes) with blocks = ceil(n /
// lanes), where element (b, i, j, c lanes + l) is (b lanes + l, i, j, c). Kernels that work channel
// by channel take such blocks for images of c lanes channels; convolutions have kernels of their
// own (cj__kernels.block_conv2d_run). `lanes` is the kernel table's.
#ifndef CJ_OPS_BLOCKS_H
#define CJ_OPS_BLOCKS_H

#include "ops/op.h"

static inline int64_t cj__lanes(cj_dtype dtype)
{
    return cj__kernels_for(cj_dtype_size(dtype))->lanes;
}

// The shape of `images` images in blocks.
static inline cj_shape cj__blocks_shape(const cj_shape *images, cj_dtype dtype)
{
    const int64_t lanes = cj__lanes(dtype);
    cj_shape blocks = *images;
    blocks.dims[0] = (images->dims[0] + lanes - 1) / lanes;
    blocks.dims[3] = images->dims[3] * lanes;
    return blocks;
}

#endif
