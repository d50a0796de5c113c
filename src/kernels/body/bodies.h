// Every body, in the order in which they use each other. The including file has set CJ_REAL_BYTES and the vocabulary.
#include "kernels/body/tile.h"
#include "kernels/body/epilogue.h"
#include "kernels/body/gemm_form.h"
#include "kernels/body/gemm_pack.h"
#include "kernels/body/gemm_dot.h"
#include "kernels/body/gemm.h"
#include "kernels/body/conv2d.h"
#include "kernels/body/conv2d_grad.h"
#include "kernels/body/elementwise.h"
#include "kernels/body/dropout.h"
#include "kernels/body/optimizer.h"
#include "kernels/body/pool.h"
#include "kernels/body/reduce.h"
#if CJ_REAL_BYTES == 4
#include "kernels/body/math.h"
#include "kernels/body/softmax.h"
#endif
#include "kernels/body/fill.h"
