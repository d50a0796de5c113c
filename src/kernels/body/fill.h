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
#endif
#define ROWS(F)                                                                                                        \
    F(transpose) F(gemm_job) F(gemm_run) F(conv2d_job) F(conv2d_run) F(conv2d_input_grad_job)                          \
    F(conv2d_input_grad_run) F(conv2d_filter_grad_job) F(conv2d_filter_grad_run)                                       \
    F(max_pool2d) F(max_pool2d_grad) F(average_pool2d) F(average_pool2d_grad)                                          \
    F(sgd) F(adagrad) F(adadelta) F(rmsprop) F(adam) F(dropout)
#define ROW(name) t->name = name;
    ROWS(ROW)
#undef ROW
#undef ROWS
}
