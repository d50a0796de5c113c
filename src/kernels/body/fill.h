// What an instruction set lays over plain C. Last of the bodies.

static void fill(cj__kernels *t)
{
    own_table = t;
    t->isa = ISA_NAME;
#define ROWS(F)                                                                                                        \
    F(transpose) F(gemm_job) F(gemm_run) F(conv2d_job) F(conv2d_run) F(conv2d_input_grad_job)                          \
    F(conv2d_input_grad_run) F(conv2d_filter_grad_job) F(conv2d_filter_grad_run)
#define ROW(name) t->name = name;
    ROWS(ROW)
#undef ROW
#undef ROWS
}
