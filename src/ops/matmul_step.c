// The step of a matrix of weights whose gradient is a product, A'B: rows of the gradient are
// computed, used and forgotten while they are in the inner cache, so that it is neither written nor
// read again.
//
//   w, slots = step(w, A'B, rate, slots)       a (..., m), b (..., n) with all leading axes summed;
//                                              w (m, n)
//
// Inputs are the step's with a in the gradient's place, and b last. A task takes some rows; those
// that a thread takes are about those whose part of the sum it takes in the product by w
// (kernels/body/product/gemm_form.h), so w stays its own.
#include "base/memory.h"
#include "ops/build.h"
#include "ops/matmul.h"
#include "ops/run.h"
#include "ops/step.h"

#include <limits.h>
#include <string.h>

enum {
    GRADIENT = 1,    // which input of a step it is
    STRIP = 4096,    // elements of a task's rows, about
    STRIP_ROWS = 12, // and their number is a multiple of this, which suits the tiles of every table
    OPERANDS_MAX = 12
};

static cj__matmul_attrs folding(void)
{
    return (cj__matmul_attrs){.trans_a = true};
}

static cj_status infer_matmul_step(cj__inference *r)
{
    cj__matmul_step_attrs *a = r->attrs;
    cj__matmul_attrs m = folding();
    cj__type operands[2], step[OPERANDS_MAX];
    if (r->input_count > OPERANDS_MAX || r->input_count < 4)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, no optimizer has so many",
                        r->op->name, r->input_count);
    operands[0] = r->inputs[GRADIENT];
    operands[1] = r->inputs[r->input_count - 1];
    memcpy(step, r->inputs, (size_t)(r->input_count - 1) * sizeof *step);
    CJ_TRY(cj__op_matmul.infer(&(cj__inference){.op = &cj__op_matmul,
                                                .attrs = &m,
                                                .inputs = operands,
                                                .input_count = 2,
                                                .outputs = &step[GRADIENT],
                                                .output_count = 1}));
    cj__inference rule = *r;
    rule.op = a->step;
    rule.attrs = &a->update;
    rule.inputs = step;
    rule.input_count = r->input_count - 1;
    CJ_TRY(a->step->infer(&rule));
    r->output_count = rule.output_count;
    return CJ_OK;
}

// The whole gradient as a product; its C is nowhere.
static cj__gemm gradient_of(const cj__call *call)
{
    const cj__matmul_attrs m = folding();
    cj__operand in[2] = {call->inputs[GRADIENT], call->inputs[call->input_count - 1]},
                out = call->inputs[0];
    out.data = NULL;
    return cj__matmul_gemm(&(cj__call){
        .op = &cj__op_matmul, .attrs = &m, .inputs = in, .outputs = &out, .input_count = 2});
}

static int64_t strip_rows(const cj__gemm *g)
{
    const int64_t groups = STRIP / ((g->n > 0 ? g->n : 1) * STRIP_ROWS);
    return (groups > 1 ? groups : 1) * STRIP_ROWS;
}

// Rows row0 .. of the gradient, fewer at the end.
static cj__gemm strip_of(const cj__call *call, const cj__gemm *whole, int64_t row0)
{
    cj__gemm g = *whole;
    const int64_t rows = strip_rows(whole);
    // transposed: a row of A' is a column of A
    g.a = whole->a ? cj__at(call, whole->a, row0) : NULL;
    g.m = whole->m - row0 < rows ? whole->m - row0 : rows;
    return g;
}

static size_t strip_bytes(const cj__call *call, const cj__gemm *whole)
{
    return cj__align_up_64((size_t)(strip_rows(whole) * whole->n) * call->kernels->real_size);
}

// A thread's scratch: its strip of the gradient, and what the product of a strip, whole or the
// last, works in.
static cj__job job_of(const cj__call *call, const cj__gemm *whole)
{
    cj__job job = {.phases = 1, .tasks = {(whole->m + strip_rows(whole) - 1) / strip_rows(whole)}},
            product;
    for (int last = 0; last < 2 && job.tasks[0] > 0; last++) {
        const cj__gemm g = strip_of(call, whole, last ? (job.tasks[0] - 1) * strip_rows(whole) : 0);
        call->kernels->gemm_job(&g, &product);
        const size_t space = cj__align_up_64(product.workspace) + product.scratch;
        job.scratch = space > job.scratch ? space : job.scratch;
    }
    job.scratch += strip_bytes(call, whole);
    return job;
}

static size_t workspace_matmul_step(const cj__call *call)
{
    const cj__gemm g = gradient_of(call);
    const cj__job job = job_of(call, &g);
    return cj__job_space(call, &job);
}

typedef struct context {
    const cj__call *call;
    cj__gemm gradient;
    cj__job job;
    cj__step_size size;
} context;

// The step of `count` elements from `first` on, whose gradients lie in `strip`.
static void step_strip(const context *c, void *strip, int64_t first, int64_t count)
{
    const cj__call *call = c->call;
    cj__operand in[OPERANDS_MAX], out[OPERANDS_MAX];
    const cj__matmul_step_attrs *a = call->attrs;
    cj__call step = *call;
    step.op = a->step;
    step.attrs = &a->update;
    step.inputs = in;
    step.outputs = out;
    step.input_count = call->input_count - 1;
    for (int i = 0; i < step.input_count; i++)
        in[i] = call->inputs[i];
    for (int i = 0; i < step.output_count; i++) {
        out[i] = call->outputs[i];
        out[i].data = cj__at(call, out[i].data, first);
    }
    in[0].data = cj__at(call, in[0].data, first);
    in[GRADIENT].data = strip;
    // slots are the last ones
    for (int i = step.input_count - (step.output_count - 1); i < step.input_count; i++)
        in[i].data = cj__at(call, in[i].data, first);
    a->step->step->run(&step, &c->size, 0, count);
}

static void strips(const void *context_, void *workspace, int phase, int64_t begin, int64_t end)
{
    const context *c = context_;
    const cj__kernels *k = c->call->kernels;
    char *const strip = cj__job_scratch(c->call, &c->job), *const space =
                                                               strip +
                                                               strip_bytes(c->call, &c->gradient);
    (void)workspace, (void)phase;
    for (int64_t task = begin; task < end; task++) {
        const int64_t row0 = task * strip_rows(&c->gradient);
        cj__gemm g = strip_of(c->call, &c->gradient, row0);
        cj__job job;
        g.c = strip;
        k->gemm_job(&g, &job);
        for (int p = 0; p < job.phases; p++)
            k->gemm_run(&g, space, space + cj__align_up_64(job.workspace), p, 0, job.tasks[p]);
        step_strip(c, strip, row0 * g.n, g.m * g.n);
    }
}

static double flops_matmul_step(const cj__call *call)
{
    const cj__gemm g = gradient_of(call);
    return 2.0 * (double)g.m * (double)g.n * (double)g.k;
}

static cj_status run_matmul_step(const cj__call *call)
{
    const cj__matmul_step_attrs *a = call->attrs;
    cj__call step = *call; // for the rate: operands in the step's places
    step.op = a->step;
    step.attrs = &a->update;
    context c = {.call = call, .gradient = gradient_of(call), .size = cj__step_size_of(&step)};
    c.job = job_of(call, &c.gradient);
    cj__run_job(call, &c.job, flops_matmul_step(call), strips, &c);
    return CJ_OK;
}

int cj__fused_step_outputs(const void *attrs, const cj__type *inputs)
{
    const cj__matmul_step_attrs *a = attrs;
    (void)inputs;
    return (int)strlen(a->step->alias);
}

int cj__fused_step_alias(const void *attrs, int output)
{
    const cj__matmul_step_attrs *a = attrs;
    return a->step->alias[output] - '0';
}

const char *cj__fused_step_form(const cj__call *call)
{
    return ((const cj__matmul_step_attrs *)call->attrs)->step->name;
}

const cj__op cj__op_matmul_step = {
    .name = "matmul_step",
    .flags = CJ__OP_UPDATE | CJ__OP_FUSED,
    .min_inputs = 4,
    .max_inputs = OPERANDS_MAX,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__matmul_step_attrs),
    .count_outputs = cj__fused_step_outputs,
    .aliased = cj__fused_step_alias,
    .infer = infer_matmul_step,
    .workspace = workspace_matmul_step,
    .flops = flops_matmul_step,
    .form = cj__fused_step_form,
    .run = run_matmul_step,
};
