// The product of operands rounded to bfloat16, row by row: see cj__gemm_bf16.

static void gemm_bf16_job(const cj__gemm_bf16 *a, cj__job *job)
{
    one_phase(job, a->g.m);
}

static real bf16_of(real x)
{
    real y;
    round_bf16(1, &x, &y);
    return y;
}

static void gemm_bf16_run(const cj__gemm_bf16 *args, void *workspace, int phase, int64_t begin,
                          int64_t end)
{
    const cj__gemm *g = &args->g;
    const int64_t a_row = g->trans_a ? 1 : g->lda, a_step = g->trans_a ? g->lda : 1;
    const int64_t b_row = g->trans_b ? 1 : g->ldb, b_step = g->trans_b ? g->ldb : 1;
    (void)workspace, (void)phase;
    for (int64_t i = begin; i < end; i++) {
        real *c = (real *)g->c + i * g->ldc;
        for (int64_t j = 0; j < g->n; j++) {
            double sum = g->bias ? (double)((const real *)g->bias)[j] : 0;
            for (int64_t p = 0; p < g->k; p++)
                sum += (double)bf16_of(((const real *)g->a)[i * a_row + p * a_step]) *
                       (double)bf16_of(((const real *)g->b)[p * b_row + j * b_step]);
            c[j] = (real)sum;
        }
        activate(g->act, g->act_a, g->act_b, g->n, c);
        if (args->to_bf16)
            round_bf16(g->n, c, c);
    }
}

static bool gemm_bf16_pays(const cj__gemm *g)
{
    (void)g;
    return false;
}
