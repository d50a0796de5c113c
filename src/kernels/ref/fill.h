// The whole table from the functions of this folder. Last of the included files.

static void fill(cj__kernels *t)
{
    t->isa = "ref";
    t->real_size = sizeof(real);
#define CJ__ROW(name, ...)                     \
    t->unary[CJ__UNARY_##name] = unary_##name; \
    t->unary_grad[CJ__UNARY_##name] = unary_grad_##name;
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
#define CJ__ROW(name, ...) t->binary[CJ__BINARY_##name] = binary_##name;
    CJ__BINARIES(CJ__ROW)
#undef CJ__ROW
#define CJ__ROW(name, ...) t->compare[CJ__COMPARISON_##name] = compare_##name;
    CJ__COMPARISONS(CJ__ROW)
#undef CJ__ROW
#define CJ__ROW(name, ...) t->reduce[CJ__REDUCTION_##name] = reduce_##name;
    CJ__REDUCTIONS(CJ__ROW)
#undef CJ__ROW
    t->select = select_one;
// clang-format off
#define ROWS(F) \
    F(argmax) F(count_correct) F(softmax) F(softmax_grad) F(log_softmax) F(log_softmax_grad) F(softmax_cross_entropy) \
    F(softmax_cross_entropy_grad) F(sigmoid_cross_entropy) F(sigmoid_cross_entropy_grad) F(rescale_u8) F(rescale) F(round_bf16) F(dropout) \
    F(relu_dropout_grad) F(transpose) F(gemm_job) F(gemm_run) F(gemm_bf16_job) F(gemm_bf16_run) F(gemm_bf16_pays) \
    F(winograd_pays) F(to_blocks) F(to_blocks_u8) F(blocks_pay) F(max_pool2d) F(max_pool2d_grad) \
    F(max_pool2d_gather) F(average_pool2d) F(average_pool2d_grad) F(sgd) F(adagrad) F(adadelta) F(rmsprop) F(adam) \
    F(sum_of_squares)
// clang-format on
#define ROW(name) t->name = name;
    ROWS(ROW)
#undef ROW
#undef ROWS
    t->lanes = 1;
    t->from_blocks = to_blocks;
#define ROW(kind, name)                                                                     \
    t->conv2d_job[CJ__CONV2D_##kind] = t->block_conv2d_job[CJ__CONV2D_##kind] = name##_job; \
    t->conv2d_run[CJ__CONV2D_##kind] = t->block_conv2d_run[CJ__CONV2D_##kind] = name##_run;
    ROW(FORWARD, conv2d_forward)
    ROW(INPUT_GRAD, conv2d_input_grad)
    ROW(FILTER_GRAD, conv2d_filter_grad)
#undef ROW
}
