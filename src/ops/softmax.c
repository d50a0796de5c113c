// Softmax and its logarithm over the last axis. Rows are shared out; each row is one kernel call's
// work.
//
//   softmax           y = exp(x - max x) / sum softmax_grad y, dy -> y (dy - sum(y dy))
//   log_softmax       y = x - max x - log sum exp log_softmax_grad y, dy -> dy - exp(y) sum(dy)
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"

static cj_status infer_rows(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    for (int i = 0; i < r->input_count; i++) {
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
        CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]));
    }
    return CJ_OK;
}

static int64_t cols_of(const cj__call *call)
{
    const cj_shape *shape = &call->inputs[0].type.shape;
    return shape->dims[shape->rank - 1];
}

static void forward_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t cols = cols_of(call);
    (call->op == &cj__op_softmax ? call->kernels->softmax : call->kernels->log_softmax)(
        end - begin, cols, cj__at(call, call->inputs[0].data, begin * cols),
        cj__at(call, call->outputs[0].data, begin * cols));
}

static void backward_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t cols = cols_of(call), at = begin * cols;
    (call->op == &cj__op_softmax_grad ? call->kernels->softmax_grad :
                                        call->kernels->log_softmax_grad)(
        end - begin, cols, cj__at(call, call->inputs[0].data, at),
        cj__at(call, call->inputs[1].data, at), cj__at(call, call->outputs[0].data, at));
}

static cj_status run_rows(const cj__call *call, cj__task task)
{
    const cj_shape *shape = &call->inputs[0].type.shape;
    cj__each_item(call, cj__span(shape, 0, shape->rank - 1), cols_of(call), task, (void *)call);
    return CJ_OK;
}

static cj_status run_forward(const cj__call *call)
{
    return run_rows(call, forward_task);
}

static cj_status run_backward(const cj__call *call)
{
    return run_rows(call, backward_task);
}

static cj_symbol *sum_rows(cj__build *g, cj_symbol *x)
{
    return cj__sum(g, x, x ? 1u << (cj__symbol_type(x)->shape.rank - 1) : 0, true);
}

static void gradient_softmax(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_softmax_grad, NULL,
                       (cj_symbol *[]){cj__node_output(g, node, 0), dy[0]}, 2);
}

static void gradient_log_softmax(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                 cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_log_softmax_grad, NULL,
                       (cj_symbol *[]){cj__node_output(g, node, 0), dy[0]}, 2);
}

// With e arriving: by y it is e (dy - sum(y dy)) - dy sum(y e); by dy the matrix is symmetric, so
// the op itself.
static void gradient_softmax_grad(cj__build *g, const cj__node *node, cj_symbol *const *e,
                                  cj_symbol **dx)
{
    cj_symbol *y = node->inputs[0], *dy = node->inputs[1];
    cj_symbol *left = cj__mul(g, e[0], cj__sub(g, dy, sum_rows(g, cj__mul(g, y, dy))));
    dx[0] = cj__sub(g, left, cj__mul(g, dy, sum_rows(g, cj__mul(g, y, e[0]))));
    dx[1] = cj__append(g, &cj__op_softmax_grad, NULL, (cj_symbol *[]){y, e[0]}, 2);
}

// With e arriving: by y it is -e exp(y) sum(dy); by dy it is e - sum(e exp(y)).
static void gradient_log_softmax_grad(cj__build *g, const cj__node *node, cj_symbol *const *e,
                                      cj_symbol **dx)
{
    cj_symbol *weighted =
        cj__mul(g, e[0], cj__apply_unary(g, CJ__UNARY_exp, node->inputs[0], 0, 0));
    dx[0] = cj__apply_unary(g, CJ__UNARY_negative,
                            cj__mul(g, weighted, sum_rows(g, node->inputs[1])), 0, 0);
    dx[1] = cj__sub(g, e[0], sum_rows(g, weighted));
}

#define ROWS(op_name, inputs, run_function) \
    const cj__op cj__op_##op_name = {       \
        .name = #op_name,                   \
        .min_inputs = inputs,               \
        .max_inputs = inputs,               \
        .samples = CJ__WHOLE_BATCH,         \
        .on_blocks = CJ__ON_BLOCKS_NO,      \
        .identity = CJ__IDENTITY_NEVER,     \
        .bf16 = CJ__BF16_NEVER,             \
        .infer = infer_rows,                \
        .gradient = gradient_##op_name,     \
        .run = run_function,                \
    }
ROWS(softmax, 1, run_forward);
ROWS(log_softmax, 1, run_forward);
ROWS(softmax_grad, 2, run_backward);
ROWS(log_softmax_grad, 2, run_backward);
