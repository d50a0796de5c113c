// A product or a convolution, or one of its gradients, by the kernel that a plan would choose for
// it, on operands that lie as that kernel wants them: within a network they lie so already. Peers
// make their layouts before time is taken, too.
#include "workload.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "kernels/kernels.h"
#include <string.h>

enum { X, W, Y, RESULT, WORKSPACE, BLOCKS_OF_MEMORY };

struct kernel_work {
    const cj__kernels *kernels;
    cj__conv2d_kind kind;
    bool in_blocks;
    cj__conv2d_args args; // of a convolution,
    cj__gemm gemm;        // or, if `multiplies`, of a product
    bool multiplies;
    cj__job job;
    void *memory[BLOCKS_OF_MEMORY];
    size_t sizes[BLOCKS_OF_MEMORY];
    int phase; // under way
};

static size_t in_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static void task(void *context, int64_t begin, int64_t end)
{
    const struct kernel_work *c = context;
    char *workspace = c->memory[WORKSPACE];
    void *scratch = workspace + in_lines(c->job.workspace) +
                    in_lines(c->job.scratch) * (size_t)cj__thread_slot();
    if (c->multiplies) {
        c->kernels->gemm_run(&c->gemm, workspace, scratch, c->phase, begin, end);
        return;
    }
    (c->in_blocks ? c->kernels->block_conv2d_run : c->kernels->conv2d_run)[c->kind](
        &c->args, workspace, scratch, c->phase, begin, end);
}

static cj_status run_kernel(workload *w, int64_t steps)
{
    struct kernel_work *c = w->kernel;
    for (int64_t i = 0; i < steps; i++) {
        cj__pool_enter(w->pool);
        for (c->phase = 0; c->phase < c->job.phases; c->phase++)
            cj__parallel(w->pool, c->job.tasks[c->phase], 1, task, c);
        cj__pool_leave(w->pool);
    }
    return CJ_OK;
}

// "same" as TensorFlow pads, or "valid".
static cj__conv2d geometry(const settings *s)
{
    const int64_t h = setting(s, "h", 28), k = setting(s, "k", 3), stride = setting(s, "s", 1);
    const bool same = setting(s, "same", 0) != 0;
    const int64_t out = same ? (h + stride - 1) / stride : (h - k) / stride + 1;
    const int64_t missing = (out - 1) * stride + k - h,
                  before = same && missing > 0 ? missing / 2 : 0;
    return (cj__conv2d){.n = setting(s, "n", 32),
                        .h = h,
                        .w = h,
                        .c = setting(s, "c", 1),
                        .kh = k,
                        .kw = k,
                        .f = setting(s, "f", 32),
                        .oh = out,
                        .ow = out,
                        .sh = stride,
                        .sw = stride,
                        .dh = 1,
                        .dw = 1,
                        .top = before,
                        .left = before,
                        .groups = setting(s, "g", 1)};
}

// Memory for operands of so many elements, filled with numbers, and for the kernel.
static cj_status take_memory(struct kernel_work *c, int64_t threads, int64_t x, int64_t w,
                             int64_t y)
{
    const int64_t made[CJ__CONV2D_KINDS] = {y, x, w};
    c->sizes[X] = (size_t)x * sizeof(float);
    c->sizes[W] = (size_t)w * sizeof(float);
    c->sizes[Y] = (size_t)y * sizeof(float);
    c->sizes[RESULT] = (size_t)made[c->kind] * sizeof(float);
    c->sizes[WORKSPACE] =
        in_lines(c->job.workspace) + in_lines(c->job.scratch) * (size_t)threads + 64;
    for (int i = 0; i < BLOCKS_OF_MEMORY; i++) {
        c->memory[i] = cj__new_aligned(c->sizes[i], 1);
        if (!c->memory[i])
            return CJ_OUT_OF_MEMORY;
        for (size_t k = 0; k < c->sizes[i] / sizeof(float) && i < RESULT; k++)
            ((float *)c->memory[i])[k] = (float)(k % 17) * 0.125f - 1;
    }
    return CJ_OK;
}

static cj_status take_kind(workload *w, const settings *s, const char **why)
{
    static const char *const names[CJ__CONV2D_KINDS] = {"forward", "input", "weights"};
    const char *what = setting_text(s, "what", "forward");
    int kind = 0;
    while (kind < CJ__CONV2D_KINDS && strcmp(names[kind], what) != 0)
        kind++;
    if (kind == CJ__CONV2D_KINDS) {
        *why = "what is forward, input or weights";
        return CJ_INVALID_ARGUMENT;
    }
    w->kernel = cj__new(1, sizeof *w->kernel);
    if (!w->kernel)
        return CJ_OUT_OF_MEMORY;
    w->kernel->kind = (cj__conv2d_kind)kind;
    w->kernel->kernels = cj__kernels_for(sizeof(float));
    w->run = run_kernel;
    return CJ_OK;
}

cj_status make_conv(workload *w, const settings *s, const char **why)
{
    CJ_TRY(take_kind(w, s, why));
    struct kernel_work *c = w->kernel;
    const cj__conv2d g = c->args.s = geometry(s);
    c->args.act = CJ__UNARY_NONE;
    if (g.groups < 1 || g.c % g.groups || g.f % g.groups) {
        *why = "g divides c and f";
        return CJ_INVALID_ARGUMENT;
    }
    if (g.oh < 1) {
        *why = "the kernel does not fit the image";
        return CJ_INVALID_ARGUMENT;
    }
    c->in_blocks = c->kernels->lanes > 1 && g.groups == 1 &&
                   setting(s, "blocks", c->kernels->blocks_pay(&c->args)) != 0;
    const int best = c->kernels->winograd_pays(&c->args, c->kind, 4) ? 4 : 2;
    const bool pays = !c->in_blocks && c->kernels->winograd_pays(&c->args, c->kind, 2);
    c->args.winograd = (int)setting(s, "winograd", pays ? best : 0);
    (c->in_blocks ? c->kernels->block_conv2d_job : c->kernels->conv2d_job)[c->kind](&c->args,
                                                                                    &c->job);
    const int64_t lanes = c->in_blocks ? c->kernels->lanes : 1,
                  images = (g.n + lanes - 1) / lanes * lanes;
    CJ_TRY(take_memory(c, w->threads, images * g.h * g.w * g.c, g.kh * g.kw * g.c / g.groups * g.f,
                       images * g.oh * g.ow * g.f));
    c->args.x = c->memory[X];
    c->args.w = c->memory[W];
    c->args.dy = c->memory[Y];
    c->args.y = c->args.dx = c->args.dw = c->memory[RESULT];
    return CJ_OK;
}

// forward C = A B of (m, k) and (k, n); input dA = dC B'; weights dB = A' dC.
cj_status make_gemm(workload *w, const settings *s, const char **why)
{
    const int64_t m = setting(s, "m", 512), k = setting(s, "k", 512), n = setting(s, "n", 512);
    CJ_TRY(take_kind(w, s, why));
    struct kernel_work *c = w->kernel;
    const cj__gemm forms[CJ__CONV2D_KINDS] = {
        {.m = m, .n = n, .k = k, .lda = k, .ldb = n, .ldc = n, .act = CJ__UNARY_NONE},
        {.m = m,
         .n = k,
         .k = n,
         .lda = n,
         .ldb = n,
         .ldc = k,
         .trans_b = true,
         .act = CJ__UNARY_NONE},
        {.m = k,
         .n = n,
         .k = m,
         .lda = k,
         .ldb = n,
         .ldc = n,
         .trans_a = true,
         .act = CJ__UNARY_NONE},
    };
    c->multiplies = true;
    c->gemm = forms[c->kind];
    c->kernels->gemm_job(&c->gemm, &c->job);
    CJ_TRY(take_memory(c, w->threads, m * k, k * n, m * n));
    c->gemm.a = c->memory[c->kind == CJ__CONV2D_INPUT_GRAD ? Y : X];
    c->gemm.b = c->memory[c->kind == CJ__CONV2D_FILTER_GRAD ? Y : W];
    c->gemm.c = c->memory[RESULT];
    return CJ_OK;
}

void free_kernel(struct kernel_work *c)
{
    for (int i = 0; c && i < BLOCKS_OF_MEMORY; i++)
        cj__free_aligned(c->memory[i], c->sizes[i]);
    cj__free(c);
}
