// Every body. The file of an instruction set sets CJ_REAL_BYTES (4 or 8), includes its vocabulary
// (simd/generic.h, simd/avx2.h, simd/avx512.h) and then this, once: an object is one instruction set
// and one element type, so the guards of the bodies name neither. Each body includes the bodies
// that it stands on, and expects the vocabulary. The one that is included several times is
// distance/distance_tile.h, a template.
#ifndef CJ_KERNELS_BODY_BODIES_H
#define CJ_KERNELS_BODY_BODIES_H

#include "kernels/body/product/tile.h"
#include "kernels/body/product/row_tile.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/gemm_pack.h"
#include "kernels/body/product/gemm_dot.h"
#include "kernels/body/product/gemm_row.h"
#include "kernels/body/product/sparse_sum.h"
#include "kernels/body/product/gemm_sparse.h"
#include "kernels/body/product/gemm.h"
#include "kernels/body/winograd/winograd_transforms.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_forward.h"
#include "kernels/body/winograd/winograd_grad.h"
#include "kernels/body/winograd/winograd_filter_grad.h"
#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_pool.h"
#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/conv2d_parts.h"
#include "kernels/body/elementwise/elementwise.h"
#include "kernels/body/conv/depthwise.h"
#include "kernels/body/conv/conv2d_sparse.h"
#include "kernels/body/conv/conv2d_forward.h"
#include "kernels/body/conv/conv2d_unpool.h"
#include "kernels/body/conv/conv2d_look_up.h"
#include "kernels/body/conv/conv2d_gather.h"
#include "kernels/body/conv/conv2d_input_dots.h"
#include "kernels/body/conv/conv2d_input_cells.h"
#include "kernels/body/conv/conv2d_input_taps.h"
#include "kernels/body/conv/conv2d_sparse_input.h"
#include "kernels/body/conv/conv2d_input_grad.h"
#include "kernels/body/conv/conv2d_grad_sums.h"
#include "kernels/body/conv/depthwise_grad.h"
#include "kernels/body/conv/conv2d_grad.h"
#include "kernels/body/elementwise/chain.h"
#include "kernels/body/elementwise/round.h"
#include "kernels/body/elementwise/dropout.h"
#include "kernels/body/elementwise/optimizer.h"
#include "kernels/body/conv/pool.h"
#include "kernels/body/blocks/blocks.h"
#include "kernels/body/blocks/block_tile.h"
#include "kernels/body/blocks/block_conv2d.h"
#include "kernels/body/blocks/block_conv2d_grad.h"
#include "kernels/body/elementwise/reduce.h"
#include "kernels/body/elementwise/moments.h"
#if CJ_REAL_BYTES == 4
#include "kernels/body/elementwise/math.h"
#include "kernels/body/elementwise/softmax.h"
#endif
#include "kernels/body/entries.h"

#endif
