// Element-wise functions of one operand: y = f(x, a, b), and the gradient ops dx = dy f'(v), where
// v is x or y as CJ__UNARIES says. A gradient op is differentiated too: by dy it is itself applied
// to the incoming gradient, by v it is dy f''(v), where f'' (the derivative of f' written in v, by
// v) is composed from other ops by second.c.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/second.h"

enum { READS_X, READS_Y }; // what f' is written in
#define CJ__READS_X READS_X
#define CJ__READS_Y READS_Y
static const int reads[CJ__UNARY_COUNT] = {
#define CJ__ROW(name, needs, ...) CJ__READS_##needs,
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
};

static cj_status infer_unary(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return cj__need_real(r, 0, NULL);
}

static void work_unary(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__unary_attrs *attrs = call->attrs;
    call->kernels->unary[call->op->variant](end - begin, cj__at(call, call->inputs[0].data, begin),
                                            cj__at(call, call->outputs[0].data, begin), attrs->a,
                                            attrs->b);
}

static cj_status run_unary(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), work_unary);
    return CJ_OK;
}

static void gradient_unary(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    const cj__unary_attrs *attrs = (const void *)node->attrs;
    const cj__unary function = (cj__unary)node->op->variant;
    cj_symbol *v = reads[function] == READS_Y ? cj__node_output(g, node, 0) : node->inputs[0];
    dx[0] = cj__apply_unary_grad(g, function, v, dy[0], attrs->a, attrs->b);
}

cj_symbol *cj__apply_unary_grad(cj__build *g, cj__unary function, cj_symbol *v, cj_symbol *dy,
                                double a, double b)
{
    return cj__append(g, cj__unary_grad_ops[function], &(cj__unary_attrs){a, b},
                      (cj_symbol *[]){v, dy}, 2);
}

// Inputs: v (x or y), dy of the same shape.
static cj_status infer_unary_grad(cj__inference *r)
{
    CJ_TRY(infer_unary(r));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    return cj__need_same_shape(r, &r->inputs[0], &r->inputs[1]);
}

static void work_unary_grad(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__unary_attrs *attrs = call->attrs;
    const int function = call->op->variant;
    const void *v = cj__at(call, call->inputs[0].data, begin);
    call->kernels->unary_grad[function](
        end - begin, reads[function] == READS_X ? v : NULL, reads[function] == READS_Y ? v : NULL,
        cj__at(call, call->inputs[1].data, begin), cj__at(call, call->outputs[0].data, begin),
        attrs->a, attrs->b);
}

static cj_status run_unary_grad(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), work_unary_grad);
    return CJ_OK;
}

static void gradient_unary_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                cj_symbol **dx)
{
    const cj__unary_attrs *attrs = (const void *)node->attrs;
    const cj__unary function = (cj__unary)node->op->variant;
    const cj__second second = cj__seconds[function];
    dx[0] = NULL;
    if (second)
        dx[0] = cj__mul(g, cj__mul(g, dy[0], node->inputs[1]),
                        second(g, node->inputs[0], attrs->a, attrs->b));
    dx[1] = cj__apply_unary_grad(g, function, node->inputs[0], dy[0], attrs->a, attrs->b);
}

// What the traits of a row say of its two ops.
#define ON_BLOCKS(traits)   ((traits)&CJ__FINITE ? CJ__ON_BLOCKS_YES : CJ__ON_BLOCKS_NO)
#define BF16(traits, input) ((traits)&CJ__EXACT ? CJ__BF16_FROM_INPUT_##input : CJ__BF16_NEVER)

#define CJ__ROW(function, needs, traits, formula)      \
    const cj__op cj__op_##function = {                 \
        .name = #function,                             \
        .flags = CJ__OP_ELEMENTWISE,                   \
        .min_inputs = 1,                               \
        .max_inputs = 1,                               \
        .samples = "e>s",                              \
        .on_blocks = ON_BLOCKS(traits),                \
        .identity = CJ__IDENTITY_NEVER,                \
        .bf16 = BF16(traits, 0),                       \
        .activation = true,                            \
        .attrs_size = CJ__ATTRS_SIZE(cj__unary_attrs), \
        .variant = CJ__UNARY_##function,               \
        .work_elements = work_unary,                   \
        .infer = infer_unary,                          \
        .gradient = gradient_unary,                    \
        .run = run_unary,                              \
    };                                                 \
    const cj__op cj__op_##function##_grad = {          \
        .name = #function "_grad",                     \
        .flags = CJ__OP_ELEMENTWISE,                   \
        .min_inputs = 2,                               \
        .max_inputs = 2,                               \
        .samples = "ee>s",                             \
        .on_blocks = ON_BLOCKS(traits),                \
        .identity = CJ__IDENTITY_NEVER,                \
        .bf16 = BF16(traits, 1),                       \
        .attrs_size = CJ__ATTRS_SIZE(cj__unary_attrs), \
        .variant = CJ__UNARY_##function,               \
        .work_elements = work_unary_grad,              \
        .infer = infer_unary_grad,                     \
        .gradient = gradient_unary_grad,               \
        .run = run_unary_grad,                         \
    };
CJ__UNARIES(CJ__ROW)
#undef CJ__ROW

const cj__op *const cj__unary_ops[CJ__UNARY_COUNT] = {
#define CJ__ROW(name, ...) &cj__op_##name,
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
};
const cj__op *const cj__unary_grad_ops[CJ__UNARY_COUNT] = {
#define CJ__ROW(name, ...) &cj__op_##name##_grad,
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
};
