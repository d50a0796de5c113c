// 2-D pools over channels-last images, x (n, h, w, c) -> y (n, oh, ow, c), and what their gradients
// are made of:
//
//   max_pool2d          x -> y and the place of each maximum within its window (uint8, or int32 for
//                       large windows)
//   max_pool2d_grad     places, dy -> dx: dy put back; linear, with max_pool2d_gather as its
//                       transpose
//   max_pool2d_gather   places, x -> y: x at the places
//   average_pool2d      the mean over each window's elements that lie inside x (Keras leaves
//                       padding out)
//   average_pool2d_grad dy -> dx: dy shared out; the transpose of average_pool2d
//
// Padding "same" pads as for convolutions, with elements that never win. attrs.input is x's height
// and width.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/window.h"

static cj_dtype place_dtype(const cj__pool2d_attrs *a)
{
    return a->size[0] * a->size[1] <= 256 ? CJ_U8 : CJ_I32;
}

static cj_status check_image(const cj__inference *r, int index)
{
    CJ_TRY(cj__need_real(r, index, NULL));
    CJ_TRY(cj__need_rank(r, index, 4, 4));
    for (int i = 1; i < 4; i++)
        CJ_TRY(cj__need_axis(r, &r->inputs[index], i, false));
    return CJ_OK;
}

// y's shape from x's.
static cj_status pooled_shape(const cj__inference *r, const cj__pool2d_attrs *a, const cj_shape *x,
                              cj_shape *y)
{
    *y = *x;
    for (int i = 0; i < 2; i++) {
        if (a->size[i] < 1 || a->size[i] > INT32_MAX || a->strides[i] < 1)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: window and strides must be at least 1",
                            r->op->name);
        y->dims[i + 1] = cj__window_count(x->dims[i + 1], a->size[i], a->strides[i], 1, a->same);
    }
    if (y->dims[1] < 1 || y->dims[2] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: window %lldx%lld does not fit input %lldx%lld with padding \"%s\"",
                        r->op->name, (long long)a->size[0], (long long)a->size[1],
                        (long long)x->dims[1], (long long)x->dims[2], a->same ? "same" : "valid");
    return CJ_OK;
}

static cj_status infer_pool(cj__inference *r)
{
    cj__pool2d_attrs *a = r->attrs;
    CJ_TRY(check_image(r, 0));
    a->input[0] = r->inputs[0].shape.dims[1];
    a->input[1] = r->inputs[0].shape.dims[2];
    r->outputs[0].dtype = r->inputs[0].dtype;
    return pooled_shape(r, a, &r->inputs[0].shape, &r->outputs[0].shape);
}

// The max pool also gives the place of each maximum.
static cj_status infer_max_pool(cj__inference *r)
{
    CJ_TRY(infer_pool(r));
    r->output_count = 2;
    r->outputs[1] = (cj__type){place_dtype(r->attrs), r->outputs[0].shape};
    return CJ_OK;
}

// The gradient ops: dy is the last input; x has its images and channels and attrs.input.
static cj_status infer_grad(cj__inference *r)
{
    const cj__pool2d_attrs *a = r->attrs;
    const cj__type *dy = &r->inputs[r->input_count - 1];
    cj__type expected = *dy;
    CJ_TRY(check_image(r, r->input_count - 1));
    r->outputs[0] = *dy;
    r->outputs[0].shape.dims[1] = a->input[0];
    r->outputs[0].shape.dims[2] = a->input[1];
    CJ_TRY(pooled_shape(r, a, &r->outputs[0].shape, &expected.shape));
    CJ_TRY(cj__need_same_shape(r, dy, &expected));
    if (r->input_count == 1)
        return CJ_OK;
    CJ_TRY(cj__need_dtype(r, 0, place_dtype(a)));
    return cj__need_same_shape(r, &r->inputs[0], dy);
}

static cj_status infer_gather(cj__inference *r)
{
    cj__pool2d_attrs *a = r->attrs;
    CJ_TRY(check_image(r, 1));
    r->outputs[0].dtype = r->inputs[1].dtype;
    CJ_TRY(pooled_shape(r, a, &r->inputs[1].shape, &r->outputs[0].shape));
    CJ_TRY(cj__need_dtype(r, 0, place_dtype(a)));
    return cj__need_same_shape(r, &r->inputs[0], &r->outputs[0]);
}

typedef struct pool_context {
    const cj__call *call;
    cj__pool2d s;
} pool_context;

// Runs images on the pool, with the geometry from the concrete shapes of x and y.
static cj_status run_images(const cj__call *call, const cj__operand *x, const cj__operand *y,
                            cj__task task)
{
    const cj__pool2d_attrs *a = call->attrs;
    const int64_t *in = x->type.shape.dims, *out = y->type.shape.dims;
    pool_context context = {
        call,
        {
            .n = in[0],
            .h = in[1],
            .w = in[2],
            .c = in[3],
            .kh = a->size[0],
            .kw = a->size[1],
            .oh = out[1],
            .ow = out[2],
            .sh = a->strides[0],
            .sw = a->strides[1],
            .top = cj__window_before(in[1], a->size[0], a->strides[0], 1, a->same),
            .left = cj__window_before(in[2], a->size[1], a->strides[1], 1, a->same),
        },
    };
    cj__each_item(call, in[0], in[1] * in[2] * in[3], task, &context);
    return CJ_OK;
}

static void max_task(void *context, int64_t begin, int64_t end)
{
    const pool_context *c = context;
    const cj__call *call = c->call;
    call->kernels->max_pool2d(&c->s, call->inputs[0].data, call->outputs[0].data,
                              call->outputs[1].data, begin, end);
}

static void max_grad_task(void *context, int64_t begin, int64_t end)
{
    const pool_context *c = context;
    const cj__call *call = c->call;
    call->kernels->max_pool2d_grad(&c->s, call->inputs[0].data, call->inputs[1].data,
                                   call->outputs[0].data, begin, end);
}

static void gather_task(void *context, int64_t begin, int64_t end)
{
    const pool_context *c = context;
    const cj__call *call = c->call;
    call->kernels->max_pool2d_gather(&c->s, call->inputs[0].data, call->inputs[1].data,
                                     call->outputs[0].data, begin, end);
}

static void average_task(void *context, int64_t begin, int64_t end)
{
    const pool_context *c = context;
    c->call->kernels->average_pool2d(&c->s, c->call->inputs[0].data, c->call->outputs[0].data,
                                     begin, end);
}

static void average_grad_task(void *context, int64_t begin, int64_t end)
{
    const pool_context *c = context;
    c->call->kernels->average_pool2d_grad(&c->s, c->call->inputs[0].data, c->call->outputs[0].data,
                                          begin, end);
}

static cj_status run_max(const cj__call *call)
{
    return run_images(call, &call->inputs[0], &call->outputs[0], max_task);
}

static cj_status run_max_grad(const cj__call *call)
{
    return run_images(call, &call->outputs[0], &call->inputs[1], max_grad_task);
}

static cj_status run_gather(const cj__call *call)
{
    return run_images(call, &call->inputs[1], &call->outputs[0], gather_task);
}

static cj_status run_average(const cj__call *call)
{
    return run_images(call, &call->inputs[0], &call->outputs[0], average_task);
}

static cj_status run_average_grad(const cj__call *call)
{
    return run_images(call, &call->outputs[0], &call->inputs[0], average_grad_task);
}

static void gradient_max(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = NULL;
    if (dy[0])
        dx[0] = cj__append(g, &cj__op_max_pool2d_grad, node->attrs,
                           (cj_symbol *[]){cj__node_output(g, node, 1), dy[0]}, 2);
}

static void gradient_max_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                              cj_symbol **dx)
{
    dx[0] = NULL;
    dx[1] = cj__append(g, &cj__op_max_pool2d_gather, node->attrs,
                       (cj_symbol *[]){node->inputs[0], dy[0]}, 2);
}

static void gradient_gather(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    cj__pool2d_attrs attrs = *(const cj__pool2d_attrs *)(const void *)node->attrs;
    attrs.input[0] = cj__operand_type(node, 1)->shape.dims[1];
    attrs.input[1] = cj__operand_type(node, 1)->shape.dims[2];
    dx[0] = NULL;
    dx[1] =
        cj__append(g, &cj__op_max_pool2d_grad, &attrs, (cj_symbol *[]){node->inputs[0], dy[0]}, 2);
}

static void gradient_average(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_average_pool2d_grad, node->attrs, &dy[0], 1);
}

static void gradient_average_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                  cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_average_pool2d, node->attrs, &dy[0], 1);
}

// Where windows overlap an element gets a sum of several dy.
static bool windows_are_apart(const void *attrs)
{
    const cj__pool2d_attrs *a = attrs;
    return a->strides[0] >= a->size[0] && a->strides[1] >= a->size[1];
}

#define POOL(op_name, inputs, roles, blocks, bfloat16, keeps, infer_function, gradient_function, \
             run_function)                                                                       \
    const cj__op cj__op_##op_name = {                                                            \
        .name = #op_name,                                                                        \
        .min_inputs = inputs,                                                                    \
        .max_inputs = inputs,                                                                    \
        .attrs_size = CJ__ATTRS_SIZE(cj__pool2d_attrs),                                          \
        .samples = roles,                                                                        \
        .on_blocks = CJ__ON_BLOCKS_##blocks,                                                     \
        .identity = CJ__IDENTITY_NEVER,                                                          \
        .bf16 = CJ__BF16_##bfloat16,                                                             \
        .keeps_bf16 = keeps,                                                                     \
        .infer = infer_function,                                                                 \
        .gradient = gradient_function,                                                           \
        .run = run_function,                                                                     \
    }
POOL(max_pool2d, 1, "s>ss", YES, FROM_INPUT_0, NULL, infer_max_pool, gradient_max, run_max);
POOL(max_pool2d_grad, 2, "ss>s", YES, FROM_INPUT_1, windows_are_apart, infer_grad,
     gradient_max_grad, run_max_grad);
// Only the gradient of a gradient has it, which is no place for blocks.
POOL(max_pool2d_gather, 2, "ss>s", NO, NEVER, NULL, infer_gather, gradient_gather, run_gather);
POOL(average_pool2d, 1, "s>s", YES, NEVER, NULL, infer_pool, gradient_average, run_average);
POOL(average_pool2d_grad, 1, "s>s", YES, NEVER, NULL, infer_grad, gradient_average_grad,
     run_average_grad);
