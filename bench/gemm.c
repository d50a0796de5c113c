// How fast products are: GFLOP/s through the op as a plan runs it, the share of the processor's
// multiply-add peak measured in the same run, and OpenBLAS on the same operands where it is
// installed.
//
//   bench/gemm [threads [isa [word]]]     isa: amx, avx512, avx2, baseline; word: only rows whose
//                                         name has it
//
// Both take turns in short runs, and each figure is the best of its runs: noise only ever adds
// time. On one thread, time is the thread's own processor time. OpenBLAS (loaded at run time) is
// told to take its AVX-512 kernels where this processor has AVX-512, because old versions choose
// AVX2 on processors that they do not know: its best setting.
#define _POSIX_C_SOURCE 200809L
#include "ops/build.h"
#include "ops/op.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static clockid_t clock_used = CLOCK_THREAD_CPUTIME_ID;

static double now(void)
{
    struct timespec t;
    clock_gettime(clock_used, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { CHAINS = 12, PEAK_ROUNDS = 20000, TRIES = 30 };

// Twelve chains of fused multiply-adds in registers: enough to fill two units of latency 4. Without
// the fused instruction (baseline) a product and a sum are two instructions, and the peak is that
// of the pair. A compiler does not fuse by itself in strict C, hence the intrinsics.
#define PLAIN(a, b, c) ((a) * (b) + (c))
#define PEAK(name, bytes, flags, FMA)                                                 \
    typedef float name##_vec __attribute__((vector_size(bytes)));                     \
    flags static double name(volatile float *sink)                                    \
    {                                                                                 \
        name##_vec s[CHAINS];                                                         \
        const name##_vec a = (name##_vec){0} + *sink, b = (name##_vec){0} + 0.999f;   \
        for (int i = 0; i < CHAINS; i++)                                              \
            s[i] = a + (float)i;                                                      \
        for (int r = 0; r < PEAK_ROUNDS; r++) {                                       \
            s[0] = FMA(s[0], b, a), s[1] = FMA(s[1], b, a), s[2] = FMA(s[2], b, a),   \
            s[3] = FMA(s[3], b, a);                                                   \
            s[4] = FMA(s[4], b, a), s[5] = FMA(s[5], b, a), s[6] = FMA(s[6], b, a),   \
            s[7] = FMA(s[7], b, a);                                                   \
            s[8] = FMA(s[8], b, a), s[9] = FMA(s[9], b, a), s[10] = FMA(s[10], b, a), \
            s[11] = FMA(s[11], b, a);                                                 \
        }                                                                             \
        for (int i = 1; i < CHAINS; i++)                                              \
            s[0] += s[i];                                                             \
        *sink = s[0][0];                                                              \
        return 2.0 * CHAINS * PEAK_ROUNDS * bytes / 4;                                \
    }
PEAK(peak_baseline, 16, , PLAIN)
#ifdef __x86_64__
PEAK(peak_avx2, 32, __attribute__((target("avx2,fma"))), _mm256_fmadd_ps)
PEAK(peak_avx512, 64, __attribute__((target("avx512f,fma"))), _mm512_fmadd_ps)
#else
#define peak_avx2   peak_baseline
#define peak_avx512 peak_baseline
#endif

// The peak of one thread.
static double best_peak(cj__isa isa)
{
    volatile float sink = 1;
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        const double start = now();
        const double work = isa >= CJ__ISA_AVX512 ? peak_avx512(&sink) :
                            isa == CJ__ISA_AVX2   ? peak_avx2(&sink) :
                                                    peak_baseline(&sink);
        const double rate = work / (now() - start);
        best = rate > best ? rate : best;
    }
    return best * 1e-9;
}

// C (m x n) = op(A) op(B), summed over k.
typedef struct subject {
    const char *name;
    int64_t m, k, n;
    bool trans_a, trans_b;
} subject;

// Not for clang-format: the macros of initializers, and a table by subject.
// clang-format off
#define SQUARE(size)                                                                                                   \
    {"square nn", size, size, size, false, false}, {"square nt", size, size, size, false, true},                       \
    {"square tn", size, size, size, true, false}, {"square tt", size, size, size, true, true}
#define DENSE(name, batch, in, out)                                                                                    \
    {name " y", batch, in, out, false, false}, {name " dx", batch, out, in, false, true},                              \
    {name " dw", in, batch, out, true, false}

static const subject subjects[] = {
    SQUARE(16), SQUARE(32), SQUARE(64), SQUARE(128), SQUARE(256), SQUARE(512), SQUARE(1024), SQUARE(2048), SQUARE(4096),
    DENSE("W1 first", 32, 784, 128), DENSE("W1 second", 32, 128, 10),
    DENSE("W3 dense", 64, 1600, 128), DENSE("dense 256", 256, 1600, 128), DENSE("wide 256", 256, 4096, 4096),
    DENSE("wide 32", 32, 4096, 4096), DENSE("rnn step", 32, 128, 128), DENSE("head 256", 256, 128, 10),
    {"one row", 1, 1600, 128, false, false}, {"one row nt", 1, 1600, 128, false, true},
    {"one row", 1, 4096, 4096, false, false}, {"one row nt", 1, 4096, 4096, false, true},
    {"two rows", 2, 1600, 128, false, false}, {"two rows", 2, 4096, 4096, false, false},
    {"four rows", 4, 1600, 128, false, false}, {"four rows nt", 4, 1600, 128, false, true},
    {"four rows", 4, 4096, 4096, false, false}, {"four rows nt", 4, 4096, 4096, false, true},
    {"eight rows", 8, 1600, 128, false, false}, {"eight rows nt", 8, 1600, 128, false, true},
    {"eight rows", 8, 4096, 4096, false, false}, {"eight rows nt", 8, 4096, 4096, false, true},
    {"one column", 4096, 4096, 1, false, false}, {"odd", 333, 777, 555, false, false},
};
// clang-format on

// The C interface of BLAS, as far as it is needed (row major 101, plain 111, transposed 112).
typedef void sgemm_code(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                        const float *a, int lda, const float *b, int ldb, float beta, float *c,
                        int ldc);
static sgemm_code *sgemm;

// dlsym() gives an object pointer where a function pointer is wanted; POSIX has them of one size.
static void *find(void *library, const char *name, void *function)
{
    void *found = library ? dlsym(library, name) : NULL;
    memcpy(function, &found, sizeof found);
    return found;
}

static void load_openblas(int threads)
{
    void (*set_threads)(int) = NULL;
    char *(*core)(void) = NULL;
    if (cj__cpu_isa() >= CJ__ISA_AVX512)
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW);
    if (find(library, "openblas_set_num_threads", &set_threads))
        set_threads(threads);
    find(library, "cblas_sgemm", &sgemm);
    find(library, "openblas_get_corename", &core);
    printf("OpenBLAS: %s\n", sgemm && core ? core() : "not installed");
}

// One subject at work.
typedef struct bench {
    const subject *s;
    cj__call call;
    double ours, peer; // best seconds
} bench;

static void run_ours(const bench *b)
{
    cj__op_matmul.run(&b->call);
}

static void run_peer(const bench *b)
{
    const subject *s = b->s;
    sgemm(101, s->trans_a ? 112 : 111, s->trans_b ? 112 : 111, (int)s->m, (int)s->n, (int)s->k, 1,
          b->call.inputs[0].data, (int)(s->trans_a ? s->m : s->k), b->call.inputs[1].data,
          (int)(s->trans_b ? s->k : s->n), 0, b->call.outputs[0].data, (int)s->n);
}

// Seconds of one run, of as many as make a period that the clock can measure.
static double time_of(void (*run)(const bench *), const bench *b, int repeats)
{
    const double start = now();
    for (int i = 0; i < repeats; i++)
        run(b);
    return (now() - start) / repeats;
}

static void measure(bench *b)
{
    const double work = 2.0 * (double)b->s->m * (double)b->s->n * (double)b->s->k;
    const int repeats = work > 1e7 ? 1 : (int)(1e7 / work) + 1;
    b->ours = b->peer = 1e9;
    run_ours(b);
    double spent = 0;
    for (int i = 0; i < 3 || (spent < 0.2 && i < 2000); i++) {
        const double ours = time_of(run_ours, b, repeats),
                     peer = sgemm ? time_of(run_peer, b, repeats) : 1e9;
        b->ours = ours < b->ours ? ours : b->ours;
        b->peer = peer < b->peer ? peer : b->peer;
        spent += (ours + (sgemm ? peer : 0)) * repeats;
    }
}

static cj__operand matrix(void *data, int64_t rows, int64_t cols)
{
    return (cj__operand){data, {CJ_F32, {2, {rows, cols}}}};
}

static void report(const subject *s, float *const block[3], cj_pool *pool,
                   const cj__kernels *kernels, double peak)
{
    const cj__matmul_attrs attrs = {.trans_a = s->trans_a, .trans_b = s->trans_b};
    cj__operand inputs[] = {matrix(block[0], s->trans_a ? s->k : s->m, s->trans_a ? s->m : s->k),
                            matrix(block[1], s->trans_b ? s->n : s->k, s->trans_b ? s->k : s->n)};
    cj__operand output = matrix(block[2], s->m, s->n);
    bench b = {s,
               {.op = &cj__op_matmul,
                .attrs = &attrs,
                .input_count = 2,
                .output_count = 1,
                .inputs = inputs,
                .outputs = &output,
                .pool = pool,
                .kernels = kernels},
               0,
               0};
    const size_t space = cj__op_matmul.workspace(&b.call);
    b.call.workspace = space ? aligned_alloc(64, (space + 63) / 64 * 64) : NULL;
    if (space && !b.call.workspace)
        return;
    measure(&b);
    free(b.call.workspace);
    const double giga = 2e-9 * (double)s->m * (double)s->n * (double)s->k;
    const double bytes = 4e-9 * (double)(s->m * s->k + s->k * s->n + s->m * s->n);
    printf("%-14s %5lld x %5lld x %5lld %9.2f us %8.1f GFLOP/s %6.1f %% of peak %7.1f GB/s",
           s->name, (long long)s->m, (long long)s->k, (long long)s->n, b.ours * 1e6, giga / b.ours,
           100 * giga / b.ours / peak, bytes / b.ours);
    if (sgemm)
        printf("   OpenBLAS %8.1f, ratio %.2f", giga / b.peer, b.peer / b.ours);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"ref", "baseline", "avx2", "avx512", "amx"};
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    const size_t room = (size_t)64 << 20;
    cj__isa isa = cj__cpu_isa();
    for (int i = 1; argc > 2 && i <= CJ__ISA_AMX; i++)
        isa = strcmp(argv[2], names[i]) == 0 ? (cj__isa)i : isa;
    const cj__kernels *kernels = cj__kernels_of(isa, sizeof(float));
    cj_pool *pool = threads > 1 ? cj_pool_new(threads) : NULL;
    float *block[3] = {aligned_alloc(64, room), aligned_alloc(64, room), aligned_alloc(64, room)};
    if (!kernels || !block[0] || !block[1] || !block[2])
        return 1;
    for (size_t i = 0; i < 3 * room / sizeof(float); i++)
        block[i % 3][i / 3] = (float)(i % 17) * 0.125f - 1;
    const double peak = best_peak(isa) * threads;
    clock_used = threads > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    printf("%s, %d thread%s: multiply-add peak %.1f GFLOP/s\n", names[isa], threads,
           threads > 1 ? "s" : "", peak);
    load_openblas(threads);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s %lld", subjects[i].name, (long long)subjects[i].m);
        if (argc <= 3 || strstr(name, argv[3]))
            report(&subjects[i], block, pool, kernels, peak);
    }
    for (int i = 0; i < 3; i++)
        free(block[i]);
    cj_release(pool);
    return 0;
}
