// The whole table from the functions of this folder, as an initialiser. Last of the included files.
#define ENTRY(name) .name = name,
#define UNARY_ENTRY(name, ...) \
    .unary[CJ__UNARY_##name] = unary_##name, .unary_grad[CJ__UNARY_##name] = unary_grad_##name,
#define BINARY_ENTRY(name, ...)         .binary[CJ__BINARY_##name] = binary_##name,
#define COMPARISON_ENTRY(name, formula) .compare[CJ__COMPARISON_##name] = compare_##name,
#define REDUCTION_ENTRY(name, formula)  .reduce[CJ__REDUCTION_##name] = reduce_##name,
#define CONV2D_ENTRY(kind, name)                                                              \
    .conv2d_job[CJ__CONV2D_##kind] = name##_job, .conv2d_run[CJ__CONV2D_##kind] = name##_run, \
    .block_conv2d_job[CJ__CONV2D_##kind] = name##_job,                                        \
    .block_conv2d_run[CJ__CONV2D_##kind] = name##_run,

// clang-format off
#define KERNEL_ENTRIES                                                                            \
    {                                                                                             \
        .isa = "ref", .real_size = sizeof(real), .lanes = 1,                                      \
        CJ__UNARIES(UNARY_ENTRY) CJ__BINARIES(BINARY_ENTRY)                                       \
        CJ__COMPARISONS(COMPARISON_ENTRY) CJ__REDUCTIONS(REDUCTION_ENTRY)                         \
        .select = select_one,                                                                     \
        ENTRY(argmax) ENTRY(count_correct) ENTRY(moments) ENTRY(merge_moments) ENTRY(chain)       \
        ENTRY(softmax) ENTRY(softmax_grad) ENTRY(log_softmax) ENTRY(log_softmax_grad)             \
        ENTRY(softmax_cross_entropy) ENTRY(softmax_cross_entropy_grad)                            \
        ENTRY(sigmoid_cross_entropy) ENTRY(sigmoid_cross_entropy_grad)                            \
        ENTRY(rescale_u8) ENTRY(rescale) ENTRY(round_bf16) ENTRY(dropout)                         \
        ENTRY(relu_dropout_grad) ENTRY(transpose) ENTRY(gemm_job) ENTRY(gemm_run)                 \
        ENTRY(gemm_bf16_job) ENTRY(gemm_bf16_run) ENTRY(gemm_bf16_pays)                           \
        CONV2D_ENTRY(FORWARD, conv2d_forward)                                                     \
        CONV2D_ENTRY(INPUT_GRAD, conv2d_input_grad)                                               \
        CONV2D_ENTRY(FILTER_GRAD, conv2d_filter_grad)                                             \
        ENTRY(winograd_pays) ENTRY(to_blocks) ENTRY(to_blocks_u8) .from_blocks = to_blocks,       \
        ENTRY(blocks_pay) ENTRY(max_pool2d) ENTRY(max_pool2d_grad) ENTRY(max_pool2d_gather)       \
        ENTRY(average_pool2d) ENTRY(average_pool2d_grad)                                          \
        ENTRY(sgd) ENTRY(adagrad) ENTRY(adadelta) ENTRY(rmsprop) ENTRY(adam)                      \
        ENTRY(sum_of_squares)                                                                     \
    }
// clang-format on
