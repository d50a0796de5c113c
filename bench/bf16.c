// Products of bfloat16 numbers, by AMX or in pairs, against float products, on one thread: GFLOP/s
// of each, the ratio, and whether the kernels choose them for that shape. Operands are float in
// both cases, so packing and rounding are part of their time.
//
//   bench/bf16 [word]     word: only rows whose name has it
//
// The machine may be shared: both kernels take turns, in thread CPU time, and each figure is the
// best of many runs.
#define _POSIX_C_SOURCE 200809L
#include "base/cpu.h"
#include "kernels/kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 30 };
static const double seconds_a_try = 0.001;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct subject {
    const char *name;
    int64_t m, n, k;
    bool trans_a, trans_b;
} subject;

static const subject subjects[] = {
    {"W1 dense forward", 32, 128, 784, false, false},
    {"W1 dense dw", 784, 128, 32, true, false},
    {"W1 head forward", 32, 10, 128, false, false},
    {"W1 head dx", 32, 128, 10, false, true},
    {"W3 dense forward", 64, 128, 1600, false, false},
    {"W3 dense dx", 64, 1600, 128, false, true},
    {"W3 dense dw", 1600, 128, 64, true, false},
    {"batch 1", 1, 128, 1600, false, false},
    {"dense 128x1024x1024", 128, 1024, 1024, false, false},
    {"dense 128x1024x1024 dx", 128, 1024, 1024, false, true},
    {"dense 1024x1024x128 dw", 1024, 1024, 128, true, false},
    {"1x512x512", 1, 512, 512, false, false},
    {"2x512x512", 2, 512, 512, false, false},
    {"3x512x512", 3, 512, 512, false, false},
    {"4x512x512", 4, 512, 512, false, false},
    {"6x512x512", 6, 512, 512, false, false},
    {"8x512x512", 8, 512, 512, false, false},
    {"12x512x512", 12, 512, 512, false, false},
    {"16x512x512", 16, 512, 512, false, false},
    {"24x512x512", 24, 512, 512, false, false},
    {"12x512x512 by b transposed", 12, 512, 512, false, true},
    {"512x12x512", 512, 12, 512, false, false},
    {"512x16x512", 512, 16, 512, false, false},
    {"512x24x512", 512, 24, 512, false, false},
    {"512x24x512 a transposed", 512, 24, 512, true, false},
    {"24", 24, 24, 24, false, false},
    {"28x28x512", 28, 28, 512, false, false},
    {"256x256x4", 256, 256, 4, false, false},
    {"256x256x8", 256, 256, 8, false, false},
    {"16", 16, 16, 16, false, false},
    {"32", 32, 32, 32, false, false},
    {"64", 64, 64, 64, false, false},
    {"96", 96, 96, 96, false, false},
    {"128", 128, 128, 128, false, false},
    {"192", 192, 192, 192, false, false},
    {"256", 256, 256, 256, false, false},
    {"512", 512, 512, 512, false, false},
    {"1024", 1024, 1024, 1024, false, false},
    {"32x512x512", 32, 512, 512, false, false},
    {"48x512x512", 48, 512, 512, false, false},
    {"64x512x512", 64, 512, 512, false, false},
    {"64x512x512 by b transposed", 64, 512, 512, false, true},
    {"64x64x1024", 64, 64, 1024, false, false},
    {"128x128x1024", 128, 128, 1024, false, false},
    {"8x512x512 by b transposed", 8, 512, 512, false, true},
    {"4x512x512 by b transposed", 4, 512, 512, false, true},
    {"1x512x512 by b transposed", 1, 512, 512, false, true},
    {"512x4x512", 512, 4, 512, false, false},
    {"512x8x512", 512, 8, 512, false, false},
    {"512x4x512 a transposed", 512, 4, 512, true, false},
    {"512x10x512 a transposed", 512, 10, 512, true, false},
    {"128x10x32 a transposed", 128, 10, 32, true, false},
    {"128x10x64 a transposed", 128, 10, 64, true, false},
    {"64x10x128", 64, 10, 128, false, false},
    {"64x128x10 b transposed", 64, 128, 10, false, true},
    {"128x64x128", 128, 64, 128, false, false},
    {"16x16x128", 16, 16, 128, false, false},
    {"16x32x64", 16, 32, 64, false, false},
    {"16x64x16", 16, 64, 16, false, false},
    {"32x32x16", 32, 32, 16, false, false},
    {"64x64x16", 64, 64, 16, false, false},
    {"64x64x8", 64, 64, 8, false, false},
    {"16x16x16", 16, 16, 16, false, false},
    {"18", 18, 18, 18, false, false},
    {"33", 33, 33, 33, false, false},
    {"17x512x512", 17, 512, 512, false, false},
    {"512x17x512", 512, 17, 512, false, false},
    {"512x17x512 a transposed", 512, 17, 512, true, false},
    {"512x12x512 a transposed", 512, 12, 512, true, false},
    {"10x512x512 b transposed", 10, 512, 512, false, true},
    {"33x33x512", 33, 33, 512, false, false},
    {"33x33x33 both transposed", 33, 33, 33, true, true},
    {"256x256x10", 256, 256, 10, false, false},
    {"512x512x10", 512, 512, 10, false, false},
    {"1024x1024x10", 1024, 1024, 10, false, false},
    {"1024x1024x16", 1024, 1024, 16, false, false},
    {"1024x1024x32", 1024, 1024, 32, false, false},
    {"256x1024x10 b transposed", 256, 1024, 10, false, true},
    {"512x512x33", 512, 512, 33, false, false},
    {"128x32x32 a transposed", 128, 32, 32, true, false},
    {"32x10x28", 32, 10, 28, false, false},
    {"28x128x32 a transposed", 28, 128, 32, true, false},
    {"128x128x32 a transposed", 128, 128, 32, true, false},
    {"32x128x28", 32, 128, 28, false, false},
    {"20", 20, 20, 20, false, false},
    {"28", 28, 28, 28, false, false},
    {"256x256x12", 256, 256, 12, false, false},
    {"256x256x16", 256, 256, 16, false, false},
    {"256x256x32", 256, 256, 32, false, false},
};

static void run_float(const cj__kernels *k, const cj__gemm *g, void *space)
{
    cj__job job;
    k->gemm_job(g, &job);
    for (int phase = 0; phase < job.phases; phase++)
        k->gemm_run(g, space, (char *)space + (job.workspace + 63) / 64 * 64, phase, 0,
                    job.tasks[phase]);
}

static void run_pairs(const cj__kernels *k, const cj__gemm *g, void *space)
{
    const cj__gemm_bf16 a = {*g, false};
    cj__job job;
    k->gemm_bf16_job(&a, &job);
    for (int phase = 0; phase < job.phases; phase++)
        k->gemm_bf16_run(&a, space, phase, 0, job.tasks[phase]);
}

typedef void runner(const cj__kernels *k, const cj__gemm *g, void *space);

static double seconds_of(runner *run, const cj__kernels *k, const cj__gemm *g, void *space,
                         int repeats)
{
    const double start = now();
    for (int i = 0; i < repeats; i++)
        run(k, g, space);
    return (now() - start) / repeats;
}

static void *block_of(size_t bytes)
{
    float *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    for (size_t i = 0; block && i < bytes / sizeof(float); i++)
        block[i] = (float)((int)(i % 17) - 8) / 8; // bfloat16 numbers
    return block;
}

static int measure(const cj__kernels *k, const subject *s)
{
    cj__gemm g = {.m = s->m,
                  .n = s->n,
                  .k = s->k,
                  .trans_a = s->trans_a,
                  .trans_b = s->trans_b,
                  .ldc = s->n,
                  .lda = s->trans_a ? s->m : s->k,
                  .ldb = s->trans_b ? s->k : s->n,
                  .act = CJ__UNARY_NONE};
    const cj__gemm_bf16 pairs = {g, false};
    cj__job job, other;
    k->gemm_job(&g, &job);
    k->gemm_bf16_job(&pairs, &other);
    const size_t ours = job.workspace + 64 + job.scratch,
                 most = ours > other.workspace ? ours : other.workspace;
    void *a = block_of((size_t)(s->m * s->k) * 4), *b = block_of((size_t)(s->k * s->n) * 4);
    void *c = block_of((size_t)(s->m * s->n) * 4), *space = block_of(most + 64);
    double best[2] = {1e9, 1e9};
    const double flops = 2.0 * (double)s->m * (double)s->n * (double)s->k;
    g.a = a, g.b = b, g.c = c;
    if (a && b && c && space) {
        const int repeats = 1 + (int)(seconds_a_try / (flops / 100e9));
        for (int i = 0; i < TRIES; i++) {
            const double one = seconds_of(run_float, k, &g, space, repeats);
            const double two = seconds_of(run_pairs, k, &g, space, repeats);
            best[0] = one < best[0] ? one : best[0];
            best[1] = two < best[1] ? two : best[1];
        }
        printf("%-28s %5lld %5lld %5lld  %8.1f %8.1f  %5.2f  %s\n", s->name, (long long)s->m,
               (long long)s->n, (long long)s->k, flops / best[0] * 1e-9, flops / best[1] * 1e-9,
               best[0] / best[1], k->gemm_bf16_pays(&g) ? "pairs" : "float");
    }
    const int failed = !a || !b || !c || !space;
    free(a), free(b), free(c), free(space);
    return failed;
}

int main(int argc, char **argv)
{
    const cj__kernels *k = cj__kernels_for(sizeof(float));
    if (!cj__cpu_has_bf16()) {
        printf("this machine has no products of bfloat16 pairs (or CAJAL_ISA forbids them)\n");
        return 0;
    }
    printf("%-28s %5s %5s %5s  %8s %8s  %5s  %s\n", "product", "m", "n", "k", "float", "pairs",
           "ratio", "choice");
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if ((argc < 2 || strstr(subjects[i].name, argv[1])) && measure(k, &subjects[i]))
            return 1;
    return 0;
}
