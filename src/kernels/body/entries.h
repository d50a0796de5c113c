// The entries of an instruction set, as the initialiser of one constant table. Last of the bodies.
//
// A table is data: no code that was compiled with the flags of an instruction set runs before the
// table has been chosen (table.c).
#ifndef CJ_KERNELS_BODY_ENTRIES_H
#define CJ_KERNELS_BODY_ENTRIES_H

#include "kernels/tables.h"

#define ENTRY(name) .name = name,
#define UNARY_ENTRY(name, reads, formula, grad) \
    .unary[CJ__UNARY_##name] = unary_##name, .unary_grad[CJ__UNARY_##name] = unary_grad_##name,
#define BINARY_ENTRY(name)              .binary[CJ__BINARY_##name] = binary_##name,
#define COMPARISON_ENTRY(name, formula) .compare[CJ__COMPARISON_##name] = compare_##name,
#define REDUCTION_ENTRY(name, formula)  .reduce[CJ__REDUCTION_##name] = reduce_##name,
#define CONV2D_ENTRY(member, kind, name) \
    .member##_job[CJ__CONV2D_##kind] = name##_job, .member##_run[CJ__CONV2D_##kind] = name##_run,

// clang-format off
#define ENTRIES_OF_BOTH_SIZES                                                                     \
    .isa = ISA_NAME, .real_size = sizeof(real), .lanes = LANES,                                   \
    ELEMENTWISE_FORMULAS(UNARY_ENTRY)                                                             \
    BINARY_ENTRY(add) BINARY_ENTRY(subtract) BINARY_ENTRY(multiply) BINARY_ENTRY(divide)          \
    BINARY_ENTRY(maximum) BINARY_ENTRY(minimum)                                                   \
    CJ__COMPARISONS(COMPARISON_ENTRY) CJ__REDUCTIONS(REDUCTION_ENTRY)                             \
    ENTRY(count_correct) ENTRY(moments) ENTRY(chain) .select = select_one,                        \
    ENTRY(rescale_u8) ENTRY(rescale) ENTRY(dropout) ENTRY(relu_dropout_grad)                      \
    ENTRY(transpose) ENTRY(gemm_job) ENTRY(gemm_run)                                              \
    CONV2D_ENTRY(conv2d, FORWARD, conv2d_forward)                                                 \
    CONV2D_ENTRY(conv2d, INPUT_GRAD, conv2d_input_grad)                                           \
    CONV2D_ENTRY(conv2d, FILTER_GRAD, conv2d_filter_grad)                                         \
    ENTRY(winograd_pays)                                                                          \
    ENTRY(to_blocks) ENTRY(to_blocks_u8) ENTRY(from_blocks) ENTRY(blocks_pay)                     \
    CONV2D_ENTRY(block_conv2d, FORWARD, block_conv2d_forward)                                     \
    CONV2D_ENTRY(block_conv2d, INPUT_GRAD, block_conv2d_input_grad)                               \
    CONV2D_ENTRY(block_conv2d, FILTER_GRAD, block_conv2d_filter_grad)                             \
    ENTRY(max_pool2d) ENTRY(max_pool2d_grad) ENTRY(average_pool2d) ENTRY(average_pool2d_grad)     \
    ENTRY(sgd) ENTRY(adagrad) ENTRY(adadelta) ENTRY(rmsprop) ENTRY(adam)

#if CJ_REAL_BYTES == 4
#define KERNEL_ENTRIES                                                                            \
    {                                                                                             \
        ENTRIES_OF_BOTH_SIZES MATH_FORMULAS(UNARY_ENTRY) ENTRY(round_bf16)                        \
        ENTRY(softmax) ENTRY(softmax_grad) ENTRY(log_softmax) ENTRY(log_softmax_grad)             \
        ENTRY(softmax_cross_entropy) ENTRY(softmax_cross_entropy_grad)                            \
        ENTRY(sigmoid_cross_entropy) ENTRY(sigmoid_cross_entropy_grad)                            \
    }
#else
#define KERNEL_ENTRIES {ENTRIES_OF_BOTH_SIZES}
#endif
// clang-format on

#endif
