// Convolutions over blocks of images beside those over channels-last images: GFLOP/s on one thread,
// and the share of `peak` if given, for forward (with bias and ReLU), both gradients, and forward
// with a fused pool of 2 x 2.
//
//   bench/blocks [isa [peak [name]]]   isa: avx512 (default), avx2, baseline; peak: GFLOP/s, as
//                                      `worker peak` prints it, or 0; name: only subjects that
//                                      contain it
//
// Time is this thread's own, and each figure is the best of many short runs, taken turn by turn: a
// machine that is shared only ever adds time.
#define _POSIX_C_SOURCE 200809L
#include "base/memory.h"
#include "kernels/kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct subject {
    const char *name;
    cj__conv2d s;
    bool pools;
} subject;

// Not for clang-format: a macro of an initializer.
// clang-format off
#define CONV(label, batch, size, channels, k, filters, stride, pad, pool)                                              \
    {.name = label,                                                                                                    \
     .s = {.n = batch, .h = size, .w = size, .c = channels, .kh = k, .kw = k, .f = filters,                            \
           .oh = (size + 2 * (pad)-k) / stride + 1, .ow = (size + 2 * (pad)-k) / stride + 1, .sh = stride,             \
           .sw = stride, .dh = 1, .dw = 1, .top = pad, .left = pad, .groups = 1},                                      \
     .pools = pool}
// clang-format on

static const subject subjects[] = {
    CONV("W2 32x28x28x1 5x5x10", 32, 28, 1, 5, 10, 1, 0, true),
    CONV("W2 32x12x12x10 5x5x20", 32, 12, 10, 5, 20, 1, 0, true),
    CONV("LeNet 32x28x28x1 5x5x6 same", 32, 28, 1, 5, 6, 1, 2, true),
    CONV("LeNet 32x14x14x6 5x5x16", 32, 14, 6, 5, 16, 1, 0, true),
    CONV("W3 64x28x28x1 3x3x32", 64, 28, 1, 3, 32, 1, 0, true),
    CONV("W3 64x13x13x32 3x3x64", 64, 13, 32, 3, 64, 1, 0, false),
    CONV("32x16x16x8 3x3x8 same", 32, 16, 8, 3, 8, 1, 1, true),
    CONV("32x16x16x8 3x3x16 same", 32, 16, 8, 3, 16, 1, 1, true),
    CONV("32x16x16x12 3x3x24 same", 32, 16, 12, 3, 24, 1, 1, true),
    CONV("32x16x16x20 3x3x40 same", 32, 16, 20, 3, 40, 1, 1, true),
    CONV("ResNet 32x32x32x16 3x3x16 same", 32, 32, 16, 3, 16, 1, 1, false),
    CONV("32x32x32x3 3x3x16 same", 32, 32, 3, 3, 16, 1, 1, false),
    CONV("32x32x32x16 3x3x32 stride 2", 32, 32, 16, 3, 32, 2, 1, false),
    CONV("32x16x16x12 1x1x24", 32, 16, 12, 1, 24, 1, 0, false),
    CONV("32x16x16x20 1x1x40 stride 2", 32, 16, 20, 1, 40, 2, 0, false),
    CONV("32x28x28x3 7x7x12 stride 2", 32, 28, 3, 7, 12, 2, 3, false),
};

enum { KINDS = 4, BLOCKS = 2 };
static const cj__conv2d_kind kinds[KINDS] = {CJ__CONV2D_FORWARD, CJ__CONV2D_INPUT_GRAD,
                                             CJ__CONV2D_FILTER_GRAD, CJ__CONV2D_FORWARD};

static void run_once(const cj__kernels *k, const cj__conv2d_args *a, cj__conv2d_kind kind,
                     bool blocks, char *space)
{
    cj__job job;
    (blocks ? k->block_conv2d_job : k->conv2d_job)[kind](a, &job);
    char *scratch = space + (job.workspace + 63) / 64 * 64;
    for (int phase = 0; phase < job.phases; phase++)
        (blocks ? k->block_conv2d_run : k->conv2d_run)[kind](a, space, scratch, phase, 0,
                                                             job.tasks[phase]);
}

static void measure(const cj__kernels *k, const subject *t, float *const block[4], double peak)
{
    const cj__conv2d *s = &t->s;
    const double work = 2e-9 * (double)(s->n * s->oh * s->ow * s->f * s->kh * s->kw * s->c);
    printf("%-32s", t->name);
    for (int i = 0; i < (t->pools ? KINDS : KINDS - 1); i++) {
        cj__conv2d_args a = {.s = *s,
                             .act =
                                 kinds[i] == CJ__CONV2D_FORWARD ? CJ__UNARY_relu : CJ__UNARY_NONE,
                             .x = block[0],
                             .w = block[1],
                             .y = block[2],
                             .bias = kinds[i] == CJ__CONV2D_FORWARD ? block[1] : NULL,
                             .dy = block[kinds[i] == CJ__CONV2D_INPUT_GRAD ? 0 : 2],
                             .dx = block[2],
                             .dw = block[1],
                             .dbias = block[1] + (1 << 20),
                             .sums_dbias = kinds[i] == CJ__CONV2D_FILTER_GRAD};
        if (i == KINDS - 1) {
            a.pool_h = a.pool_w = 2;
            a.place = (uint8_t *)(block[0] + (1 << 22));
        }
        double best[BLOCKS] = {1e9, 1e9};
        for (double until = now() + 0.1; now() < until;)
            for (int blocks = 0; blocks < BLOCKS; blocks++) {
                const double start = now();
                run_once(k, &a, kinds[i], blocks, (char *)block[3]);
                const double took = now() - start;
                best[blocks] = took < best[blocks] ? took : best[blocks];
            }
        printf(" | %6.1f", work / best[1]);
        if (peak > 0)
            printf(" %3.0f%%", 100 * work / best[1] / peak);
        printf(" (%6.1f)", work / best[0]);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"ref", "baseline", "avx2", "avx512", "amx"};
    const size_t room = (size_t)64 << 20;
    const cj__kernels *k = NULL;
    float *block[4] = {0};
    int status = 0;
    for (int isa = 0; isa <= CJ__ISA_AMX; isa++)
        if (strcmp(names[isa], argc > 1 ? argv[1] : "avx512") == 0)
            k = cj__kernels_of((cj__isa)isa, sizeof(float));
    status |= !k;
    for (int i = 0; i < 4; i++) {
        block[i] = cj__new_aligned(room, 1); // as a plan's arena is
        status |= !block[i];
        for (size_t j = 0; block[i] && j < room / sizeof(float); j++)
            block[i][j] = (float)(j % 17) * 0.125f - 1;
    }
    printf(
        "GFLOP/s in blocks (channels last): forward | by input | by filters | forward and pool\n");
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects && status == 0; i++)
        if (argc < 4 || strstr(subjects[i].name, argv[3]))
            measure(k, &subjects[i], block, argc > 2 ? atof(argv[2]) : 0);
    for (int i = 0; i < 4; i++)
        cj__free_aligned(block[i], room);
    return status;
}
