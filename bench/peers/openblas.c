// OpenBLAS: cblas_sgemm on row-major operands, which packs them at each call as it always does.
#include "serve.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

// C (m, n) = op(A) op(B) with k summed.
static struct {
    int m, n, k, lda, ldb;
    CBLAS_TRANSPOSE a_form, b_form;
    float *a, *b, *c;
} work;

static const char *step(void)
{
    cblas_sgemm(CblasRowMajor, work.a_form, work.b_form, work.m, work.n, work.k, 1, work.a,
                work.lda, work.b, work.ldb, 0, work.c, work.n);
    return NULL;
}

// With (m, k) by (k, n) forward, the gradient by the first is dY Bᵀ and by the second Aᵀ dY.
static const char *make(const char *kind, const settings *s)
{
    const char *what = setting_text(s, "what", "forward");
    const int m = (int)setting(s, "m", 512), k = (int)setting(s, "k", 512),
              n = (int)setting(s, "n", 512);
    if (strcmp(kind, "gemm") != 0)
        return "OpenBLAS has products only";
    free(work.a), free(work.b), free(work.c);
    if (strcmp(what, "forward") == 0) {
        work.m = m, work.n = n, work.k = k, work.lda = k, work.ldb = n;
        work.a_form = CblasNoTrans, work.b_form = CblasNoTrans;
    } else if (strcmp(what, "input") == 0) {
        work.m = m, work.n = k, work.k = n, work.lda = n, work.ldb = n;
        work.a_form = CblasNoTrans, work.b_form = CblasTrans;
    } else {
        work.m = k, work.n = n, work.k = m, work.lda = k, work.ldb = n;
        work.a_form = CblasTrans, work.b_form = CblasNoTrans;
    }
    work.a = random_floats((size_t)work.m * (size_t)work.k, 1);
    work.b = random_floats((size_t)work.k * (size_t)work.n, 2);
    work.c = random_floats((size_t)work.m * (size_t)work.n, 3);
    openblas_set_num_threads((int)setting(s, "threads", 1));
    return work.a == NULL || work.b == NULL || work.c == NULL ? "no memory" : NULL;
}

int main(void)
{
    return serve(&(peer){"OpenBLAS", openblas_get_config(), "cblas_sgemm, row-major", make, step});
}
