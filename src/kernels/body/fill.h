// What an instruction set lays over plain C. Last of the bodies.

static void fill(cj__kernels *t)
{
    own_table = t;
    t->isa = ISA_NAME;
    fill_elementwise(t);
    fill_reduce(t);
#if CJ_REAL_BYTES == 4
    fill_math(t);
    fill_softmax(t);
    t->round_bf16 = round_bf16;
#endif
// clang-format off
#define ROWS(F) \
    F(transpose) F(gemm_job) F(gemm_run) F(winograd_pays) F(max_pool2d) F(max_pool2d_grad) F(average_pool2d) \
    F(average_pool2d_grad) F(sgd) F(adagrad) F(adadelta) F(rmsprop) F(adam) F(dropout) F(relu_dropout_grad)
// clang-format on
#define ROW(name) t->name = name;
    ROWS(ROW)
#undef ROW
#undef ROWS
#define ROW(kind, name)                            \
    t->conv2d_job[CJ__CONV2D_##kind] = name##_job; \
    t->conv2d_run[CJ__CONV2D_##kind] = name##_run;
    ROW(FORWARD, conv2d_forward)
    ROW(INPUT_GRAD, conv2d_input_grad)
    ROW(FILTER_GRAD, conv2d_filter_grad)
#undef ROW
    fill_blocks(t);
}
