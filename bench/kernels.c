// How fast the products are: GFLOP/s, and the share of the processor's multiply-add peak measured in the same run, for
// each instruction set, on one thread.
//
//   bench/kernels [isa]      isa: avx512, avx2, baseline; default: all that this machine has
//
// The machine may be shared, so each figure is the best of many short runs: noise only ever adds time.
#define _POSIX_C_SOURCE 200809L
#include "kernels/kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { CHAINS = 12, ROUNDS = 20000, TRIES = 40 };

// 12 independent chains of multiply-adds: enough to fill two units of latency 4. Returns floating point operations.
#define PEAK(name, bytes, flags)                                                                                       \
    typedef float name##_vec __attribute__((vector_size(bytes)));                                                      \
    flags static double name(volatile float *sink)                                                                     \
    {                                                                                                                  \
        name##_vec sum[CHAINS];                                                                                        \
        const name##_vec a = (name##_vec){0} + *sink, b = (name##_vec){0} + 0.999f;                                    \
        for (int i = 0; i < CHAINS; i++)                                                                               \
            sum[i] = a + (float)i;                                                                                     \
        for (int r = 0; r < ROUNDS; r++)                                                                               \
            for (int i = 0; i < CHAINS; i++)                                                                           \
                sum[i] = sum[i] * b + a;                                                                               \
        for (int i = 1; i < CHAINS; i++)                                                                               \
            sum[0] += sum[i];                                                                                          \
        *sink = sum[0][0];                                                                                             \
        return 2.0 * CHAINS * ROUNDS * bytes / 4;                                                                      \
    }
PEAK(peak_baseline, 16, )
#ifdef __x86_64__
PEAK(peak_avx2, 32, __attribute__((target("avx2,fma"))))
PEAK(peak_avx512, 64, __attribute__((target("avx512f,fma"))))
#else
#define peak_avx2 peak_baseline
#define peak_avx512 peak_baseline
#endif

static double best_peak(cj__isa isa)
{
    volatile float sink = 1;
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        const double start = now();
        const double work = isa == CJ__ISA_AVX512 ? peak_avx512(&sink) :
                            isa == CJ__ISA_AVX2   ? peak_avx2(&sink) :
                                                    peak_baseline(&sink);
        const double rate = work / (now() - start);
        best = rate > best ? rate : best;
    }
    return best * 1e-9;
}

// One thing to measure: the job, then its phases one after another.
typedef struct subject {
    const char *name;
    int kind; // 0 product, else 1 + cj__conv2d_kind
    cj__conv2d s;
    cj__gemm g;
} subject;

#define CONV(label, what, batch, size, channels, k, filters)                                                           \
    {.name = label, .kind = what, .s = {.n = batch, .h = size, .w = size, .c = channels, .kh = k, .kw = k,             \
     .f = filters, .oh = size - k + 1, .ow = size - k + 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1}}
#define CONVS(label, batch, size, channels, k, filters)                                                                \
    CONV(label " forward", 1, batch, size, channels, k, filters),                                                      \
    CONV(label " by input", 2, batch, size, channels, k, filters),                                                     \
    CONV(label " by filters", 3, batch, size, channels, k, filters)
#define GEMM(label, rows, cols, depth, ta, tb)                                                                         \
    {.name = label, .g = {.m = rows, .n = cols, .k = depth, .trans_a = ta, .trans_b = tb,                              \
     .lda = ta ? rows : depth, .ldb = tb ? depth : cols, .ldc = cols, .act = CJ__UNARY_NONE}}

static const subject subjects[] = {
    CONVS("W3 64x28x28x1 3x3x32", 64, 28, 1, 3, 32),
    CONVS("W3 64x13x13x32 3x3x64", 64, 13, 32, 3, 64),
    CONVS("W2 32x28x28x1 5x5x10", 32, 28, 1, 5, 10),
    CONVS("W2 32x12x12x10 5x5x20", 32, 12, 10, 5, 20),
    GEMM("W3 dense 64x1600x128", 64, 128, 1600, false, false),
    GEMM("W3 dense dx", 64, 1600, 128, false, true),
    GEMM("W3 dense dw", 1600, 128, 64, true, false),
    GEMM("W1 dense 32x784x128", 32, 128, 784, false, false),
    GEMM("W1 dense dw", 784, 128, 32, true, false),
    GEMM("64x128x10", 64, 10, 128, false, false),
    GEMM("512x512x512", 512, 512, 512, false, false),
    GEMM("1024x1024x1024", 1024, 1024, 1024, false, false),
    GEMM("1x1600x128", 1, 128, 1600, false, false),
};

static double work_of(const subject *t)
{
    const cj__conv2d *s = &t->s;
    if (t->kind == 0)
        return 2.0 * (double)(t->g.m * t->g.n * t->g.k);
    return 2.0 * (double)(s->n * s->oh * s->ow * s->f * s->kh * s->kw * s->c);
}

static void job_of(const cj__kernels *k, const subject *t, cj__job *job)
{
    if (t->kind == 0)
        k->gemm_job(&t->g, job);
    else
        k->conv2d_job[t->kind - 1](&(cj__conv2d_args){.s = t->s}, job);
}

// Operands are three blocks, read and written as the subject needs.
static void run_once(const cj__kernels *k, const subject *t, const cj__job *job, float *const block[3], void *space)
{
    cj__gemm g = t->g;
    g.a = block[0];
    g.b = block[1];
    g.c = block[2];
    const cj__conv2d_args args = {.s = t->s, .act = CJ__UNARY_relu, .x = block[0], .w = block[1], .y = block[2],
                                  .dy = block[t->kind == 3], .dx = block[2], .dw = block[2]};
    void *scratch = (char *)space + (job->workspace + 63) / 64 * 64;
    for (int phase = 0; phase < job->phases; phase++) {
        const int64_t end = job->tasks[phase];
        if (t->kind == 0)
            k->gemm_run(&g, space, phase, 0, end);
        else
            k->conv2d_run[t->kind - 1](&args, space, scratch, phase, 0, end);
    }
}

static double best_rate(const cj__kernels *k, const subject *t, float *const block[3], void *space, size_t room)
{
    cj__job job;
    double best = 0;
    job_of(k, t, &job);
    if (job.workspace + job.scratch + 64 > room)
        return 0;
    const double until = now() + 0.15;
    for (int i = 0; i < 3 || now() < until; i++) {
        const double start = now();
        run_once(k, t, &job, block, space);
        const double rate = work_of(t) / (now() - start);
        best = rate > best ? rate : best;
    }
    return best * 1e-9;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"ref", "baseline", "avx2", "avx512"};
    const size_t room = (size_t)64 << 20;
    float *block[3] = {0};
    void *space = aligned_alloc(64, room);
    int status = space == NULL;
    for (int i = 0; i < 3; i++) {
        block[i] = aligned_alloc(64, room);
        status |= block[i] == NULL;
        for (size_t j = 0; block[i] && j < room / sizeof(float); j++)
            block[i][j] = (float)(j % 17) * 0.125f - 1;
    }
    for (int isa = CJ__ISA_AVX512; isa > CJ__ISA_REF && status == 0; isa--) {
        const cj__kernels *k = cj__kernels_of((cj__isa)isa, sizeof(float));
        if (!k || (argc > 1 && strcmp(argv[1], names[isa]) != 0))
            continue;
        const double peak = best_peak((cj__isa)isa);
        printf("%s: multiply-add peak %.1f GFLOP/s on one thread\n", names[isa], peak);
        for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
            const double rate = best_rate(k, &subjects[i], block, space, room);
            printf("  %-34s %8.1f GFLOP/s  %5.1f %%\n", subjects[i].name, rate, 100 * rate / peak);
        }
    }
    for (int i = 0; i < 3; i++)
        free(block[i]);
    free(space);
    return status;
}
