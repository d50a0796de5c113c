// dropout: y = x mask / (1 - rate). The mask is a pure function of attrs.key, of the step (input 1,
// an int64 scalar) and of the element's place, so the gradient is the same op applied to dy.
//
// relu_dropout_grad: dx = y > 0 ? dy / (1 - rate) : 0, the gradient of y = dropout(relu(x)). y
// above 0 says both that the element was kept and that ReLU let it through, so no random number is
// needed again.
//
// random_uniform, random_normal: y = offset + scale r in the shape of input 0, of which nothing else is
// read; r is a function of attrs.key, of the step (input 1) and of the element's place. Nothing passes
// back.
#include "base/random.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <math.h>

static cj_status infer_dropout(cj__inference *r)
{
    const cj__dropout_attrs *a = r->attrs;
    r->outputs[0] = r->inputs[0];
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I64));
    CJ_TRY(cj__need_rank(r, 1, 0, 0));
    if (!(a->rate >= 0 && a->rate <= 1))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: rate %g is outside 0..1", r->op->name, a->rate);
    return CJ_OK;
}

static void dropout_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__dropout_attrs *a = call->attrs;
    call->kernels->dropout(
        begin, end - begin, a->key, (uint64_t) * (const int64_t *)call->inputs[1].data, a->rate,
        cj__at(call, call->inputs[0].data, begin), cj__at(call, call->outputs[0].data, begin));
}

static cj_status run_dropout(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), dropout_work);
    return CJ_OK;
}

static void gradient_dropout(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_dropout, node->attrs, (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = NULL;
}

const cj__op cj__op_dropout = {
    .name = "dropout",
    .flags = CJ__OP_ELEMENTWISE,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__dropout_attrs),
    .infer = infer_dropout,
    .gradient = gradient_dropout,
    .run = run_dropout,
};

static cj_status infer_relu_dropout_grad(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    return cj__need_same_shape(r, &r->inputs[0], &r->inputs[1]);
}

static void relu_dropout_grad_work(const cj__call *call, int64_t begin, int64_t end)
{
    const double rate = ((const cj__dropout_attrs *)call->attrs)->rate;
    call->kernels->relu_dropout_grad(end - begin, cj__at(call, call->inputs[0].data, begin),
                                     cj__at(call, call->inputs[1].data, begin),
                                     rate < 1 ? 1 / (1 - rate) : 0,
                                     cj__at(call, call->outputs[0].data, begin));
}

static cj_status run_relu_dropout_grad(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), relu_dropout_grad_work);
    return CJ_OK;
}

const cj__op cj__op_relu_dropout_grad = {
    .name = "relu_dropout_grad",
    .flags = CJ__OP_ELEMENTWISE | CJ__OP_FUSED,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__dropout_attrs),
    .work_elements = relu_dropout_grad_work,
    .infer = infer_relu_dropout_grad,
    .run = run_relu_dropout_grad,
};

static cj_status infer_noise(cj__inference *r)
{
    const cj__noise_attrs *a = r->attrs;
    r->outputs[0] = r->inputs[0];
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I64));
    CJ_TRY(cj__need_rank(r, 1, 0, 0));
    if (!isfinite(a->offset) || !isfinite(a->scale))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: offset %g and scale %g must be finite",
                        r->op->name, a->offset, a->scale);
    return CJ_OK;
}

// Pieces begin at multiples of CJ__PIECE, and so with a whole block of four numbers.
static void noise_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__noise_attrs *a = call->attrs;
    const uint64_t step = (uint64_t) * (const int64_t *)call->inputs[1].data;
    const bool normal = call->op == &cj__op_random_normal;
    const cj_dtype dtype = call->outputs[0].type.dtype;
    for (int64_t i = begin; i < end; i += 4) {
        double four[4];
        if (normal)
            cj__random_normals(a->key, step, (uint64_t)i / 4, four);
        for (int j = 0; j < 4 && i + j < end; j++) {
            const double r = normal ? four[j] : cj__random_uniform(a->key, step, (uint64_t)(i + j));
            cj__element_set(dtype, call->outputs[0].data, i + j, a->offset + a->scale * r);
        }
    }
}

static cj_status run_noise(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), noise_work);
    return CJ_OK;
}

#define NOISE(function)                                \
    const cj__op cj__op_##function = {                 \
        .name = #function,                             \
        .flags = CJ__OP_NO_GRADIENT,                   \
        .min_inputs = 2,                               \
        .max_inputs = 2,                               \
        .samples = CJ__WHOLE_BATCH,                    \
        .on_blocks = CJ__ON_BLOCKS_NO,                 \
        .identity = CJ__IDENTITY_NEVER,                \
        .bf16 = CJ__BF16_NEVER,                        \
        .shape_only = 1 << 0,                          \
        .attrs_size = CJ__ATTRS_SIZE(cj__noise_attrs), \
        .infer = infer_noise,                          \
        .run = run_noise,                              \
    };
NOISE(random_uniform)
NOISE(random_normal)
