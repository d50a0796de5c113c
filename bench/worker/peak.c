// The processor's multiply-add peak: independent chains of fused multiply-adds that never leave the
// registers.
#define _POSIX_C_SOURCE 200809L
#include "base/threads.h"
#include "workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { ROUNDS = 20000, TRIES = 41 }; // a burst takes some 30 microseconds

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// 12 chains fill two units of latency 4. The fused instruction is named, because a product and a
// sum that the compiler does not contract show only half of the peak. Each function returns the
// operations that it did.
#define PEAK(name, flags, vec, lanes, set, fma, sum)                                            \
    flags static double name(volatile float *sink)                                              \
    {                                                                                           \
        vec x0 = set(*sink), x1 = x0, x2 = x0, x3 = x0, x4 = x0, x5 = x0, x6 = x0, x7 = x0,     \
            x8 = x0, x9 = x0, x10 = x0, x11 = x0;                                               \
        const vec a = set(0.999f), b = set(*sink);                                              \
        for (int r = 0; r < ROUNDS; r++) {                                                      \
            x0 = fma(x0, a, b), x1 = fma(x1, a, b), x2 = fma(x2, a, b), x3 = fma(x3, a, b);     \
            x4 = fma(x4, a, b), x5 = fma(x5, a, b), x6 = fma(x6, a, b), x7 = fma(x7, a, b);     \
            x8 = fma(x8, a, b), x9 = fma(x9, a, b), x10 = fma(x10, a, b), x11 = fma(x11, a, b); \
            __asm__ volatile(""                                                                 \
                             : "+x"(x0), "+x"(x1), "+x"(x2), "+x"(x3), "+x"(x4), "+x"(x5),      \
                               "+x"(x6), "+x"(x7), "+x"(x8), "+x"(x9), "+x"(x10), "+x"(x11));   \
        }                                                                                       \
        x0 = sum(sum(sum(x0, x1), sum(x2, x3)), sum(sum(x4, x5), sum(x6, x7)));                 \
        x0 = sum(x0, sum(sum(x8, x9), sum(x10, x11)));                                          \
        float out[lanes];                                                                       \
        memcpy(out, &x0, sizeof out);                                                           \
        *sink = out[0] > 1e30f ? 1 : *sink;                                                     \
        return 2.0 * 12 * ROUNDS * lanes;                                                       \
    }
#if defined(__x86_64__)
#define MULTIPLY_ADD(x, a, b) _mm_add_ps(_mm_mul_ps(x, a), b)
PEAK(peak_baseline, , __m128, 4, _mm_set1_ps, MULTIPLY_ADD, _mm_add_ps)
PEAK(peak_avx2, __attribute__((target("avx2,fma"))), __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps,
     _mm256_add_ps)
PEAK(peak_avx512, __attribute__((target("avx512f"))), __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps,
     _mm512_add_ps)
#else
static double peak_baseline(volatile float *sink)
{
    float x[32], a = 0.999f, b = *sink;
    for (int i = 0; i < 32; i++)
        x[i] = b;
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < 32; i++)
            x[i] = fmaf(x[i], a, b);
    *sink = x[0] > 1e30f ? 1 : *sink;
    return 2.0 * 32 * ROUNDS;
}
#define peak_avx2   peak_baseline
#define peak_avx512 peak_baseline
#endif

// The bursts of one thread; their median and greatest rate.
static void burst(void *context, int64_t begin, int64_t end)
{
    double (*const peak)(volatile float *) = strcmp(cj_isa(), "amx") == 0    ? peak_avx512 :
                                             strcmp(cj_isa(), "avx512") == 0 ? peak_avx512 :
                                             strcmp(cj_isa(), "avx2") == 0   ? peak_avx2 :
                                                                               peak_baseline;
    volatile float sink = 1;
    for (int64_t task = begin; task < end; task++) {
        double rates[TRIES];
        for (int i = 0; i < TRIES; i++) {
            const double begun = now(), work = peak(&sink);
            rates[i] = work / (now() - begun);
        }
        qsort(rates, TRIES, sizeof *rates, ascending);
        ((peaks *)context)[task] = (peaks){rates[TRIES / 2], rates[TRIES - 1]};
    }
}

peaks peak_rates(cj_pool *pool, int threads)
{
    enum { THREADS_MAX = 64 };
    peaks each[THREADS_MAX], all = {0, 0};
    threads = threads < THREADS_MAX ? threads : THREADS_MAX;
    const bool entered = cj__pool_enter(pool);
    cj__parallel(pool, threads, 1, burst, each);
    if (entered)
        cj__pool_leave(pool);
    for (int i = 0; i < threads; i++) {
        all.usual += each[i].usual / threads;
        all.best = fmax(all.best, each[i].best);
    }
    return all;
}
