// Element-wise functions and comparisons of two operands, and select, with numpy's broadcasting.
//
// y = f(a, b), with both shapes broadcast to a common one. The gradient by an operand is that of
// the element, summed over the axes along which the operand was broadcast (sum_like).
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <string.h>

static cj_status infer_binary(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    r->outputs[0].dtype = r->inputs[0].dtype;
    return cj__broadcast(r, &r->inputs[0].shape, &r->inputs[1].shape, &r->outputs[0].shape);
}

static cj_status infer_compare(cj__inference *r)
{
    CJ_TRY(infer_binary(r));
    r->outputs[0].dtype = CJ_BOOL;
    return CJ_OK;
}

static void work_binary(const cj__call *call, const cj__run_of *r)
{
    call->kernels->binary[call->op->variant](
        r->rows, r->cols, cj__at(call, call->inputs[0].data, r->at[0]), r->row[0], r->step[0],
        cj__at(call, call->inputs[1].data, r->at[1]), r->row[1], r->step[1],
        cj__at(call, call->outputs[0].data, r->out));
}

static cj_status run_binary(const cj__call *call)
{
    cj__spread_run(call, 2, work_binary);
    return CJ_OK;
}

static void work_compare(const cj__call *call, const cj__run_of *r)
{
    call->kernels->compare[call->op->variant](
        r->rows, r->cols, cj__at(call, call->inputs[0].data, r->at[0]), r->row[0], r->step[0],
        cj__at(call, call->inputs[1].data, r->at[1]), r->row[1], r->step[1],
        (uint8_t *)call->outputs[0].data + r->out);
}

static cj_status run_compare(const cj__call *call)
{
    cj__spread_run(call, 2, work_compare);
    return CJ_OK;
}

// Each function's gradient by a and by b before the summing, in terms of a, b, dy and the node's
// output.
typedef void (*element_gradient)(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by);

static void gradient_add(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    (void)g, (void)node;
    by[0] = by[1] = dy;
}

static void gradient_subtract(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    (void)node;
    by[0] = dy;
    by[1] = cj__apply_unary(g, CJ__UNARY_negative, dy, 0, 0);
}

static void gradient_multiply(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    by[0] = cj__mul(g, dy, node->inputs[1]);
    by[1] = cj__mul(g, dy, node->inputs[0]);
}

static void gradient_divide(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    by[0] = cj__div(g, dy, node->inputs[1]);
    by[1] = cj__apply_unary(g, CJ__UNARY_negative, cj__mul(g, by[0], cj__node_output(g, node, 0)),
                            0, 0);
}

// Where both are equal the first gets all, as TensorFlow does it.
static void gradient_extreme(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by,
                             cj__comparison first_wins)
{
    cj_symbol *first = cj__compare(g, first_wins, node->inputs[0], node->inputs[1]);
    cj_symbol *zero = cj__scalar_like(g, dy, 0);
    by[0] = cj__select(g, first, dy, zero);
    by[1] = cj__select(g, first, zero, dy);
}

static void gradient_maximum(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    gradient_extreme(g, node, dy, by, CJ__COMPARISON_greater_equal);
}

static void gradient_minimum(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    gradient_extreme(g, node, dy, by, CJ__COMPARISON_less_equal);
}

// da = dy b a^(b - 1), 0 where b is 0; db = dy a^b ln a, taken as 0 where a <= 0.
static void gradient_power(cj__build *g, const cj__node *node, cj_symbol *dy, cj_symbol **by)
{
    cj_symbol *a = node->inputs[0], *b = node->inputs[1], *one = cj__scalar_like(g, a, 1);
    cj_symbol *positive = cj__compare(g, CJ__COMPARISON_greater, a, cj__scalar_like(g, a, 0));
    cj_symbol *log = cj__apply_unary(g, CJ__UNARY_log, cj__select(g, positive, a, one), 0, 0);
    cj_symbol *some = cj__compare(g, CJ__COMPARISON_not_equal, b, cj__scalar_like(g, b, 0));
    cj_symbol *less = cj__select(g, some, cj__shift(g, b, -1), one);
    by[0] = cj__mul(g, dy, cj__mul(g, b, cj__apply_binary(g, CJ__BINARY_power, a, less)));
    by[1] = cj__mul(g, dy, cj__mul(g, cj__node_output(g, node, 0), log));
}

static const element_gradient element_gradients[CJ__BINARY_COUNT] = {
#define CJ__ROW(name, ...) gradient_##name,
    CJ__BINARIES(CJ__ROW)
#undef CJ__ROW
};

static void gradient_binary(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    cj_symbol *by[2] = {NULL, NULL};
    element_gradients[node->op->variant](g, node, dy[0], by);
    for (int i = 0; i < 2; i++)
        dx[i] = cj__sum_like(g, by[i], node->inputs[i]);
}

// select: y = c ? a : b; c is bool, all three broadcast. c gets no gradient.
static cj_status infer_select(cj__inference *r)
{
    cj_shape both;
    CJ_TRY(cj__need_dtype(r, 0, CJ_BOOL));
    CJ_TRY(cj__need_real(r, 1, NULL));
    CJ_TRY(cj__need_real(r, 2, &r->inputs[1]));
    CJ_TRY(cj__broadcast(r, &r->inputs[1].shape, &r->inputs[2].shape, &both));
    r->outputs[0].dtype = r->inputs[1].dtype;
    return cj__broadcast(r, &r->inputs[0].shape, &both, &r->outputs[0].shape);
}

// One row. A condition that is one value for the whole row is repeated into a short buffer.
static void select_row(const cj__call *call, const cj__run_of *r, int64_t row)
{
    const uint8_t *c = (const uint8_t *)call->inputs[0].data + r->at[0] + row * r->row[0];
    const int64_t a = r->at[1] + row * r->row[1], b = r->at[2] + row * r->row[2],
                  y = r->out + row * r->cols;
    uint8_t repeated[256];
    const int64_t width = r->step[0] ? r->cols : (int64_t)sizeof repeated;
    if (!r->step[0])
        memset(repeated, *c, sizeof repeated);
    for (int64_t j = 0; j < r->cols; j += width) {
        const int64_t n = r->cols - j < width ? r->cols - j : width;
        call->kernels->select(n, r->step[0] ? c + j : repeated,
                              cj__at(call, call->inputs[1].data, a + j * r->step[1]), r->step[1],
                              cj__at(call, call->inputs[2].data, b + j * r->step[2]), r->step[2],
                              cj__at(call, call->outputs[0].data, y + j));
    }
}

static void work_select(const cj__call *call, const cj__run_of *r)
{
    for (int64_t row = 0; row < r->rows; row++)
        select_row(call, r, row);
}

static cj_status run_select(const cj__call *call)
{
    cj__spread_run(call, 3, work_select);
    return CJ_OK;
}

static void gradient_select(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    cj_symbol *zero = cj__scalar_like(g, dy[0], 0);
    dx[0] = NULL;
    dx[1] = cj__sum_like(g, cj__select(g, node->inputs[0], dy[0], zero), node->inputs[1]);
    dx[2] = cj__sum_like(g, cj__select(g, node->inputs[0], zero, dy[0]), node->inputs[2]);
}

#define CJ__ROW(function, traits, formula)                                                  \
    const cj__op cj__op_##function = {                                                      \
        .name = #function,                                                                  \
        .flags = CJ__OP_ELEMENTWISE,                                                        \
        .min_inputs = 2,                                                                    \
        .max_inputs = 2,                                                                    \
        .variant = CJ__BINARY_##function,                                                   \
        .samples = "ee>s",                                                                  \
        .on_blocks = (traits)&CJ__FINITE ? CJ__ON_BLOCKS_YES : CJ__ON_BLOCKS_NO,            \
        .identity = (traits)&CJ__ONE_IS_NEUTRAL ? CJ__IDENTITY_BY_ONE : CJ__IDENTITY_NEVER, \
        .bf16 = CJ__BF16_NEVER,                                                             \
        .work_rows = work_binary,                                                           \
        .infer = infer_binary,                                                              \
        .gradient = gradient_binary,                                                        \
        .run = run_binary,                                                                  \
    };
CJ__BINARIES(CJ__ROW)
#undef CJ__ROW
#define CJ__ROW(function, formula)            \
    const cj__op cj__op_##function = {        \
        .name = #function,                    \
        .flags = CJ__OP_NO_GRADIENT,          \
        .min_inputs = 2,                      \
        .max_inputs = 2,                      \
        .variant = CJ__COMPARISON_##function, \
        .samples = "ee>s",                    \
        .on_blocks = CJ__ON_BLOCKS_NO,        \
        .identity = CJ__IDENTITY_NEVER,       \
        .bf16 = CJ__BF16_NEVER,               \
        .work_rows = work_compare,            \
        .infer = infer_compare,               \
        .run = run_compare,                   \
    };
CJ__COMPARISONS(CJ__ROW)
#undef CJ__ROW

const cj__op cj__op_select = {
    .name = "select",
    .flags = CJ__OP_ELEMENTWISE,
    .min_inputs = 3,
    .max_inputs = 3,
    .samples = "eee>s",
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .work_rows = work_select,
    .infer = infer_select,
    .gradient = gradient_select,
    .run = run_select,
};

const cj__op *const cj__binary_ops[CJ__BINARY_COUNT] = {
#define CJ__ROW(name, ...) &cj__op_##name,
    CJ__BINARIES(CJ__ROW)
#undef CJ__ROW
};
const cj__op *const cj__comparison_ops[CJ__COMPARISON_COUNT] = {
#define CJ__ROW(name, ...) &cj__op_##name,
    CJ__COMPARISONS(CJ__ROW)
#undef CJ__ROW
};
