// The matrix product, closed under differentiation.
//
//   plain    a (..., m, k), b (k, n)              -> (..., m, n)
//   trans_b  a (..., m, k), b (n, k)              -> (..., m, n)
//   trans_a  a (..., m), b (..., n) -> (m, n): all leading axes, which must agree, are folded into
//            the summed one. It is the gradient by weights of inputs of any rank, free axis
//            included.
//   both     a (k, m),      b (n, k)              -> (m, n)
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/matmul.h"
#include "ops/run.h"

static cj_status misfit(const cj__inference *r, const cj__matmul_attrs *attrs, const cj_shape *a,
                        const cj_shape *b)
{
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s%s and %s%s do not fit", r->op->name,
                    cj__shape_words(a, first), attrs->trans_a ? " transposed" : "",
                    cj__shape_words(b, second), attrs->trans_b ? " transposed" : "");
}

static cj_status infer_matmul(cj__inference *r)
{
    const cj__matmul_attrs *m = r->attrs;
    const cj_shape *a = &r->inputs[0].shape, *b = &r->inputs[1].shape;
    cj_shape *y = &r->outputs[0].shape;
    for (int i = 0; i < r->input_count; i++)
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
    const bool folds = m->trans_a && !m->trans_b;
    CJ_TRY(cj__need_rank(r, 0, 2, m->trans_a && m->trans_b ? 2 : CJ_MAX_RANK));
    CJ_TRY(cj__need_rank(r, 1, folds ? a->rank : 2, folds ? a->rank : 2));
    *y = *a;
    r->outputs[0].dtype = r->inputs[0].dtype;
    if (folds) {
        for (int i = 0; i < a->rank - 1; i++)
            if (a->dims[i] != b->dims[i])
                return misfit(r, m, a, b);
        *y = (cj_shape){.rank = 2, .dims = {a->dims[a->rank - 1], b->dims[b->rank - 1]}};
    } else {
        if (a->dims[m->trans_a ? 0 : a->rank - 1] != b->dims[m->trans_b])
            return misfit(r, m, a, b);
        if (m->trans_a)
            y->dims[0] = a->dims[1];
        y->dims[a->rank - 1] = b->dims[!m->trans_b];
    }
    if (r->input_count == 3 &&
        (r->inputs[2].shape.rank != 1 || r->inputs[2].shape.dims[0] != y->dims[y->rank - 1]))
        return misfit(r, m, y, &r->inputs[2].shape);
    return cj__check_output(r, y);
}

cj__gemm cj__matmul_gemm(const cj__call *call)
{
    const cj__matmul_attrs *m = call->attrs;
    const cj_shape *a = &call->inputs[0].type.shape, *b = &call->inputs[1].type.shape;
    const int64_t rows = cj__span(a, 0, a->rank - 1), cols = a->dims[a->rank - 1];
    const cj__epilogue *e = call->op->epilogue ? &m->epilogue : &cj__no_epilogue;
    cj__gemm g = {
        .m = m->trans_a ? cols : rows,
        .k = m->trans_a ? rows : cols,
        .n = m->trans_b ? b->dims[0] : b->dims[b->rank - 1],
        .a = call->inputs[0].data,
        .b = call->inputs[1].data,
        .c = call->outputs[0].data,
        .lda = cols,
        .ldb = b->dims[b->rank - 1],
        .trans_a = m->trans_a,
        .trans_b = m->trans_b,
        .bias = call->input_count == 3 ? call->inputs[2].data : NULL,
        .act = e->act,
        .act_a = e->a,
        .act_b = e->b,
    };
    g.ldc = g.n;
    return g;
}

// What a call works out once, when it is planned.
typedef struct gemm_setup {
    cj__gemm_bf16 product; // without pointers
    cj__job job;
} gemm_setup;

static bool in_bf16(const cj__call *call)
{
    return ((const cj__matmul_attrs *)call->attrs)->bf16;
}

static void set_up_matmul(const cj__call *call, void *setup)
{
    gemm_setup *made = setup;
    *made = (gemm_setup){.product = {cj__matmul_gemm(call), call->rounds}};
    made->product.g.keeps_b = call->keeps;
    made->product.g.sparse_a = ((const cj__matmul_attrs *)call->attrs)->sparse;
    if (in_bf16(call))
        call->kernels->gemm_bf16_job(&made->product, &made->job);
    else
        call->kernels->gemm_job(&made->product.g, &made->job);
}

// The plan's, or for a call that a pass is considering one that is made here.
static const gemm_setup *setup_of(const cj__call *call, gemm_setup *room)
{
    if (call->setup)
        return call->setup;
    set_up_matmul(call, room);
    return room;
}

typedef struct gemm_context {
    const cj__call *call;
    const cj__job *job;
    cj__gemm_bf16 product;
} gemm_context;

static void gemm_phase(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const gemm_context *c = context;
    if (in_bf16(c->call))
        c->call->kernels->gemm_bf16_run(&c->product, workspace, phase, begin, end);
    else
        c->call->kernels->gemm_run(&c->product.g, workspace, cj__job_scratch(c->call, c->job),
                                   phase, begin, end);
}

// In a loop of some steps packing B once pays. Outside a run would compare B with a copy, which
// takes as long as packing it.
static cj__prepared prepared_matmul(const cj__call *call)
{
    enum { SOME_STEPS = 4 };
    gemm_setup room;
    cj__call keeping = *call;
    if (call->steps < SOME_STEPS)
        return (cj__prepared){.input = -1};
    keeping.keeps = true;
    set_up_matmul(&keeping, &room);
    return cj__job_prepares(&room.job, 1, room.product.g.m);
}

static size_t workspace_matmul(const cj__call *call)
{
    gemm_setup room;
    return cj__job_space(call, &setup_of(call, &room)->job);
}

static double flops_matmul(const cj__call *call)
{
    const cj__gemm g = cj__matmul_gemm(call);
    return 2.0 * (double)g.m * (double)g.n * (double)g.k;
}

static const char *form_matmul(const cj__call *call)
{
    const cj__matmul_attrs *m = call->attrs;
    return m->bf16 ? "bf16" : m->sparse ? "sparse" : NULL;
}

static cj_status run_matmul(const cj__call *call)
{
    gemm_setup room;
    const gemm_setup *setup = setup_of(call, &room);
    gemm_context context = {call, &setup->job, setup->product};
    cj__gemm *g = &context.product.g;
    g->a = call->inputs[0].data;
    g->b = call->inputs[1].data;
    g->c = call->outputs[0].data;
    g->bias = call->input_count == 3 ? call->inputs[2].data : NULL;
    g->backwards = call->kept && call->kept->odd;
    cj__run_job(call, &setup->job, 2.0 * (double)g->m * (double)g->n * (double)g->k, gemm_phase,
                &context);
    return CJ_OK;
}

// Each form's two gradients are products of these forms again: which operands, and their
// transposes.
static void gradient_matmul(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    const cj__matmul_attrs *m = (const void *)node->attrs;
    cj_symbol *a = node->inputs[0], *b = node->inputs[1], *d = dy[0];
    dx[0] = m->trans_a ? cj__matmul(g, b, d, m->trans_b, true) :
                         cj__matmul(g, d, b, false, !m->trans_b);
    dx[1] = m->trans_b ? cj__matmul(g, d, a, true, m->trans_a) :
                         cj__matmul(g, a, d, !m->trans_a, false);
}

static const char *samples_of(const void *attrs)
{
    return ((const cj__matmul_attrs *)attrs)->trans_a ? CJ__WHOLE_BATCH : "svw>s";
}

static cj__epilogue *epilogue_of(void *attrs)
{
    return &((cj__matmul_attrs *)attrs)->epilogue;
}

const cj__op cj__op_matmul = {
    .name = "matmul",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .fused = &cj__op_matmul_bias_act,
    .attrs_size = CJ__ATTRS_SIZE(cj__matmul_attrs),
    .setup_size = sizeof(gemm_setup),
    .samples_of = samples_of,
    .infer = infer_matmul,
    .set_up = set_up_matmul,
    .gradient = gradient_matmul,
    .workspace = workspace_matmul,
    .prepared = prepared_matmul,
    .run = run_matmul,
    .flops = flops_matmul,
    .form = form_matmul,
};

// Inputs a, b and perhaps bias (n).
const cj__op cj__op_matmul_bias_act = {
    .name = "matmul_bias_act",
    .flags = CJ__OP_FUSED,
    .min_inputs = 2,
    .max_inputs = 3,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .epilogue = epilogue_of,
    .attrs_size = CJ__ATTRS_SIZE(cj__matmul_attrs),
    .setup_size = sizeof(gemm_setup),
    .samples_of = samples_of,
    .infer = infer_matmul,
    .set_up = set_up_matmul,
    .workspace = workspace_matmul,
    .prepared = prepared_matmul,
    .run = run_matmul,
    .flops = flops_matmul,
    .form = form_matmul,
};
