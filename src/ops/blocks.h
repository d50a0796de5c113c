// Images in blocks, batch innermost: (n, h, w, c) as (blocks, h, w, c lanes) with blocks = ceil(n /
// lanes), where element (b, i, j, c lanes + l) is (b lanes + l, i, j, c). Kernels that work channel
// by channel take such blocks for images of c lanes channels; convolutions have kernels of their
// own (cj__kernels.block_conv2d_run). How many images a block has is an attribute: the pass that
// makes blocks (graph/passes/blocks.c) takes it from the kernels of the device that will run them.
#ifndef CJ_OPS_BLOCKS_H
#define CJ_OPS_BLOCKS_H

#include "ops/op.h"

// The shape of images in blocks of `lanes`.
static inline cj_shape cj__blocks_shape(const cj_shape *images, int64_t lanes)
{
    cj_shape blocks = *images;
    blocks.dims[0] = (images->dims[0] + lanes - 1) / lanes;
    blocks.dims[3] = images->dims[3] * lanes;
    return blocks;
}

#endif
