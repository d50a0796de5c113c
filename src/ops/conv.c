// 2-D convolution (cross-correlation, channels last; cj__conv2d has the formula), its two gradients
// and the transposed convolution. They are closed under differentiation: all are linear in each
// operand.
//
//   conv2d             x (n, h, w, c), w (kh, kw, c / groups, f)    -> y (n, oh, ow, f)
//   conv2d_input_grad  w, dy (n, oh, ow, f), like: the shape of x   -> dx (n, h, w, c)
//   conv2d_filter_grad x, dy                                        -> dw (kh, kw, c / groups, f)
//   conv2d_transpose   w, x (n, oh, ow, f)                          -> y (n, h, w, c)
//   conv2d_transpose_bias_act   w, x, bias (c)                      -> act(y + bias)
//
// Padding "same": oh = ceil(h / stride), zeros halved with the odd one after (right, bottom), as
// TensorFlow does it. Otherwise attrs.before and attrs.after zeros lie beside the image:
// oh = floor((h + before + after - reach) / stride) + 1, reach = (kernel - 1) dilation + 1.
//
// The transposed convolution computes what conv2d_input_grad does, but its size is its own:
// h = (oh - 1) stride + reach - before - after. An `after` below 0 makes it larger than the
// elements that a tap reaches, as Keras's output_padding does.
#include "ops/blocks.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/window.h"

static cj_status check_settings(const cj__inference *r, const cj__conv2d_attrs *a)
{
    for (int i = 0; i < 2; i++)
        if (a->kernel[i] < 1 || a->strides[i] < 1 || a->dilation[i] < 1)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: kernel, strides and dilation must be at least 1", r->op->name);
    if (a->groups < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld groups, needs at least 1", r->op->name,
                        (long long)a->groups);
    for (int i = 0; i < 2; i++) {
        const int64_t reach = (a->kernel[i] - 1) * a->dilation[i] + 1;
        if (a->before[i] < 0 || a->before[i] >= reach || a->after[i] <= -a->strides[i] ||
            a->after[i] >= reach || (a->same && (a->before[i] || a->after[i])))
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: padding %d before and %d after does not go with a kernel that "
                            "reaches over %lld, strides of %lld and \"same\" %s",
                            r->op->name, (int)a->before[i], (int)a->after[i], (long long)reach,
                            (long long)a->strides[i], a->same ? "on" : "off");
    }
    return CJ_OK;
}

// Outputs along an axis of x of n elements, and the zeros before the first of them.
static int64_t count_along(const cj__conv2d_attrs *a, int axis, int64_t n)
{
    return cj__window_count(n + a->before[axis] + a->after[axis], a->kernel[axis], a->strides[axis],
                            a->dilation[axis], a->same);
}

static int64_t before_along(const cj__conv2d_attrs *a, int axis, int64_t n)
{
    return a->before[axis] +
           cj__window_before(n, a->kernel[axis], a->strides[axis], a->dilation[axis], a->same);
}

// A rank-4 image of which only the first axis may be free.
static cj_status need_image(const cj__inference *r, int index)
{
    CJ_TRY(cj__need_rank(r, index, 4, 4));
    for (int i = 1; i < 4; i++)
        CJ_TRY(cj__need_axis(r, &r->inputs[index], i, false));
    return CJ_OK;
}

// What of `count` outputs along one axis is computed: whole windows of the pool, and no more than
// attrs.out says.
static int64_t kept(const cj__conv2d_attrs *a, int axis, int64_t count)
{
    if (a->chosen.pool[axis] > 1)
        count /= a->chosen.pool[axis];
    return a->chosen.out[axis] > 0 && a->chosen.out[axis] < count ? a->chosen.out[axis] : count;
}

// The shape of y for images of x's shape and f filters.
static cj_status output_shape(const cj__inference *r, const cj__conv2d_attrs *a, const cj_shape *x,
                              int64_t f, cj_shape *y)
{
    *y = (cj_shape){.rank = 4, .dims = {x->dims[0], 0, 0, f}};
    for (int i = 0; i < 2; i++)
        y->dims[i + 1] = count_along(a, i, x->dims[i + 1]);
    if (y->dims[1] < 1 || y->dims[2] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: kernel %lldx%lld does not fit input %lldx%lld with padding \"%s\"",
                        r->op->name, (long long)a->kernel[0], (long long)a->kernel[1],
                        (long long)x->dims[1], (long long)x->dims[2], a->same ? "same" : "valid");
    if (x->dims[3] % a->groups || f % a->groups)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: %lld channels and %lld filters cannot be cut into %lld groups",
                        r->op->name, (long long)x->dims[3], (long long)f, (long long)a->groups);
    y->dims[1] = kept(a, 0, y->dims[1]);
    y->dims[2] = kept(a, 1, y->dims[2]);
    return cj__check_output(r, y);
}

// Images that lie side by side in x and y: see ops/blocks.h.
static int64_t lanes_of(const cj__conv2d_attrs *a)
{
    return a->chosen.images > 0 ? a->chosen.lanes : 1;
}

static cj_status infer_conv2d(cj__inference *r)
{
    cj__conv2d_attrs *a = r->attrs;
    const cj_shape *x = &r->inputs[0].shape, *w = &r->inputs[1].shape;
    char text[CJ__SHAPE_TEXT];
    for (int i = 0; i < r->input_count; i++)
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
    CJ_TRY(need_image(r, 0));
    CJ_TRY(cj__need_rank(r, 1, 4, 4));
    const int64_t lanes = lanes_of(a);
    a->kernel[0] = w->dims[0];
    a->kernel[1] = w->dims[1];
    CJ_TRY(check_settings(r, a));
    r->outputs[0].dtype = r->inputs[0].dtype;
    CJ_TRY(output_shape(r, a, x, w->dims[3] * lanes, &r->outputs[0].shape));
    if (w->dims[2] * a->groups * lanes != x->dims[3])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: filters %s do not fit %lld channels in %lld groups",
                        r->op->name, cj__shape_words(w, text), (long long)(x->dims[3] / lanes),
                        (long long)a->groups);
    if (r->input_count == 3 &&
        (r->inputs[2].shape.rank != 1 || r->inputs[2].shape.dims[0] != w->dims[3]))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: bias %s does not fit %lld filters", r->op->name,
                        cj__shape_words(&r->inputs[2].shape, text), (long long)w->dims[3]);
    return CJ_OK;
}

// With the pool: y and, in bytes, the places.
static cj_status infer_conv2d_pool(cj__inference *r)
{
    CJ_TRY(infer_conv2d(r));
    r->output_count = 2;
    r->outputs[1] = (cj__type){CJ_U8, r->outputs[0].shape};
    return CJ_OK;
}

// dy must be what conv2d of x's shape gives.
static cj_status check_gradient(const cj__inference *r, const cj__conv2d_attrs *a,
                                const cj_shape *x, const cj__type *dy)
{
    cj__type expected = *dy;
    CJ_TRY(output_shape(r, a, x, dy->shape.dims[3], &expected.shape));
    return cj__need_same_shape(r, dy, &expected);
}

static cj_status infer_input_grad(cj__inference *r)
{
    const cj__conv2d_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    CJ_TRY(need_image(r, 1));
    CJ_TRY(need_image(r, 2));
    CJ_TRY(check_settings(r, a));
    r->outputs[0] = (cj__type){r->inputs[0].dtype, r->inputs[2].shape};
    return check_gradient(r, a, &r->inputs[2].shape, &r->inputs[1]);
}

static cj_status infer_transpose(cj__inference *r)
{
    cj__conv2d_attrs *a = r->attrs;
    const cj_shape *w = &r->inputs[0].shape, *x = &r->inputs[1].shape;
    cj_shape *y = &r->outputs[0].shape;
    char text[CJ__SHAPE_TEXT];
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    CJ_TRY(need_image(r, 1));
    a->kernel[0] = w->dims[0];
    a->kernel[1] = w->dims[1];
    CJ_TRY(check_settings(r, a));
    const int64_t lanes = lanes_of(a);
    if (a->same || w->dims[3] * lanes != x->dims[3])
        return cj__fail(a->same ? CJ_INVALID_ARGUMENT : CJ_SHAPE_MISMATCH,
                        "%s: filters %s do not fit %lld channels with padding \"%s\"", r->op->name,
                        cj__shape_words(w, text), (long long)(x->dims[3] / lanes),
                        a->same ? "same" : "valid");
    r->outputs[0].dtype = r->inputs[0].dtype;
    *y = (cj_shape){.rank = 4, .dims = {x->dims[0], 0, 0, w->dims[2] * a->groups * lanes}};
    for (int i = 0; i < 2; i++) {
        if (x->dims[i + 1] > INT32_MAX || a->strides[i] > INT32_MAX || a->dilation[i] > INT32_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: image and strides are too large",
                            r->op->name);
        y->dims[i + 1] = (x->dims[i + 1] - 1) * a->strides[i] +
                         (a->kernel[i] - 1) * a->dilation[i] + 1 - a->before[i] - a->after[i];
    }
    if (y->dims[1] < 1 || y->dims[2] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: of input %lldx%lld nothing is left by the padding",
                        r->op->name, (long long)x->dims[1], (long long)x->dims[2]);
    if (r->input_count == 3 &&
        (r->inputs[2].shape.rank != 1 || r->inputs[2].shape.dims[0] != w->dims[2] * a->groups))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: bias %s does not fit %lld channels", r->op->name,
                        cj__shape_words(&r->inputs[2].shape, text),
                        (long long)(w->dims[2] * a->groups));
    return check_gradient(r, a, y, &r->inputs[1]);
}

static cj_status infer_filter_grad(cj__inference *r)
{
    const cj__conv2d_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(need_image(r, 0));
    CJ_TRY(need_image(r, 1));
    CJ_TRY(check_settings(r, a));
    const int64_t lanes = lanes_of(a);
    const cj_shape w = {.rank = 4,
                        .dims = {a->kernel[0], a->kernel[1],
                                 r->inputs[0].shape.dims[3] / lanes / a->groups,
                                 r->inputs[1].shape.dims[3] / lanes}};
    r->outputs[0] = (cj__type){r->inputs[0].dtype, w};
    if (a->chosen.sums_dbias) {
        r->output_count = 2;
        r->outputs[1] = (cj__type){r->inputs[0].dtype, {.rank = 1, .dims = {w.dims[3]}}};
    }
    CJ_TRY(check_gradient(r, a, &r->inputs[0].shape, &r->inputs[1]));
    if (r->input_count < 3)
        return CJ_OK;
    CJ_TRY(cj__need_dtype(r, 2, CJ_U8));
    return cj__need_same_shape(r, &r->inputs[1], &r->inputs[2]);
}

// What a call works out once, when it is planned.
typedef struct conv_setup {
    cj__conv2d_args args; // without pointers
    cj__job job;
    double flops;
    double work; // a measure of time, in multiply-adds
} conv_setup;

// The geometry from the attributes and the concrete shapes of x and of y or dy.
static cj__conv2d geometry_of(const cj__conv2d_attrs *a, const cj__type *x, const cj__type *y)
{
    const int64_t *in = x->shape.dims, *out = y->shape.dims, lanes = lanes_of(a),
                  rows = a->chosen.pool[0] > 1 ? a->chosen.pool[0] : 1,
                  cols = a->chosen.pool[1] > 1 ? a->chosen.pool[1] : 1;
    return (cj__conv2d){
        .n = a->chosen.images > 0 ? a->chosen.images : in[0],
        .h = in[1],
        .w = in[2],
        .c = in[3] / lanes,
        .kh = a->kernel[0],
        .kw = a->kernel[1],
        .f = out[3] / lanes,
        .oh = out[1] * rows,
        .ow = out[2] * cols,
        .sh = a->strides[0],
        .sw = a->strides[1],
        .dh = a->dilation[0],
        .dw = a->dilation[1],
        .top = before_along(a, 0, in[1]),
        .left = before_along(a, 1, in[2]),
        .groups = a->groups,
    };
}

static const cj__epilogue *epilogue_in(const cj__call *call)
{
    const cj__conv2d_attrs *a = call->attrs;
    return call->op->epilogue ? &a->chosen.epilogue : &cj__no_epilogue;
}

static cj__conv2d_args forward_args(const cj__call *call)
{
    const cj__conv2d_attrs *a = call->attrs;
    const cj__epilogue *e = epilogue_in(call);
    return (cj__conv2d_args){
        .s = geometry_of(a, &call->inputs[0].type, &call->outputs[0].type),
        .winograd = a->chosen.winograd,
        .sparse = a->chosen.sparse,
        .pool_h = a->chosen.pool[0],
        .pool_w = a->chosen.pool[1],
        .act = e->act,
        .act_a = e->a,
        .act_b = e->b,
        .to_bf16 = call->rounds,
    };
}

static void forward_point(const cj__call *call, cj__conv2d_args *args)
{
    args->x = call->inputs[0].data;
    args->w = call->inputs[1].data;
    args->bias = call->input_count == 3 ? call->inputs[2].data : NULL;
    args->y = call->outputs[0].data;
    args->place = call->output_count == 2 ? call->outputs[1].data : NULL;
}

static cj__conv2d_args input_grad_args(const cj__call *call)
{
    const cj__conv2d_attrs *a = call->attrs;
    const cj__epilogue *e = epilogue_in(call);
    return (cj__conv2d_args){
        .s = geometry_of(a, &call->outputs[0].type, &call->inputs[1].type),
        .winograd = a->chosen.winograd,
        .sparse = a->chosen.sparse,
        .act = e->act,
        .act_a = e->a,
        .act_b = e->b,
        .to_bf16 = call->rounds,
    };
}

static void input_grad_point(const cj__call *call, cj__conv2d_args *args)
{
    args->w = call->inputs[0].data;
    args->dy = call->inputs[1].data;
    args->bias = call->op->epilogue && call->input_count == 3 ? call->inputs[2].data : NULL;
    args->dx = call->outputs[0].data;
}

static cj__conv2d_args filter_grad_args(const cj__call *call)
{
    const cj__conv2d_attrs *a = call->attrs;
    return (cj__conv2d_args){
        .s = geometry_of(a, &call->inputs[0].type, &call->inputs[1].type),
        .winograd = a->chosen.winograd,
        .sparse = a->chosen.sparse,
        .sums_dbias = a->chosen.sums_dbias,
        .pool_h = a->chosen.pool[0],
        .pool_w = a->chosen.pool[1],
    };
}

static void filter_grad_point(const cj__call *call, cj__conv2d_args *args)
{
    args->x = call->inputs[0].data;
    args->dy = call->inputs[1].data;
    args->dy_place = call->input_count == 3 ? call->inputs[2].data : NULL;
    args->dw = call->outputs[0].data;
    args->dbias = args->sums_dbias ? call->outputs[1].data : NULL;
}

static void (*const point[CJ__CONV2D_KINDS])(const cj__call *call, cj__conv2d_args *args) = {
    [CJ__CONV2D_FORWARD] = forward_point,
    [CJ__CONV2D_INPUT_GRAD] = input_grad_point,
    [CJ__CONV2D_FILTER_GRAD] = filter_grad_point,
};

static const cj__convolution forward_with_pool = {CJ__CONV2D_FORWARD, forward_args,
                                                  &cj__op_conv2d_pool},
                             forward_only = {CJ__CONV2D_FORWARD, forward_args, NULL},
                             input_grad = {CJ__CONV2D_INPUT_GRAD, input_grad_args, NULL},
                             filter_grad = {CJ__CONV2D_FILTER_GRAD, filter_grad_args, NULL};

static bool in_blocks(const cj__call *call)
{
    return ((const cj__conv2d_attrs *)call->attrs)->chosen.images > 0;
}

static double flops_of(const cj__conv2d *s)
{
    return 2.0 * (double)(s->n * s->oh * s->ow * s->f) *
           (double)(s->kh * s->kw * (s->c / s->groups));
}

// An output with a short sum takes as long as one of some 24 multiply-adds.
static double work_of(const cj__conv2d *s)
{
    const int64_t sum = s->kh * s->kw * (s->c / s->groups);
    return flops_of(s) * (sum < 24 ? 24.0 / (double)sum : 1.0);
}

static void set_up_conv(const cj__call *call, void *setup)
{
    const cj__convolution *convolution = call->op->convolution;
    conv_setup *made = setup;
    *made = (conv_setup){.args = convolution->args(call)};
    made->flops = flops_of(&made->args.s);
    made->work = work_of(&made->args.s);
    if (in_blocks(call))
        call->kernels->block_conv2d_job[convolution->kind](&made->args, &made->job);
    else
        call->kernels->conv2d_job[convolution->kind](&made->args, &made->job);
}

// The plan's, or for a call that a pass is considering one that is made here.
static const conv_setup *setup_of(const cj__call *call, conv_setup *room)
{
    if (call->setup)
        return call->setup;
    set_up_conv(call, room);
    return room;
}

// The last block of images may have idle lanes; those of a part that ends before it have none.
static int64_t part_conv(const cj__call *call, int64_t first, int64_t rows, void *attrs)
{
    const cj__conv2d_attrs *whole = call->attrs;
    cj__conv2d_attrs *a = attrs;
    *a = *whole;
    if (whole->chosen.images == 0)
        return 1;
    const int64_t lanes = whole->chosen.lanes, left = whole->chosen.images - first * lanes;
    a->chosen.images = (int32_t)(left < rows * lanes ? left : rows * lanes);
    return lanes;
}

static double flops_conv(const cj__call *call)
{
    conv_setup room;
    return setup_of(call, &room)->flops;
}

static const char *form_conv(const cj__call *call)
{
    const cj__conv2d_attrs *a = call->attrs;
    return a->chosen.images > 0    ? "blocks" :
           a->chosen.winograd == 4 ? "winograd 4x4" :
           a->chosen.winograd      ? "winograd" :
           a->chosen.sparse        ? "sparse" :
                                     "direct";
}

typedef struct conv_context {
    const cj__call *call;
    const cj__job *job;
    cj__conv2d_args args;
} conv_context;

static void conv_phase(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const conv_context *c = context;
    const cj__conv2d_kind kind = c->call->op->convolution->kind;
    void *scratch = cj__job_scratch(c->call, c->job);
    if (in_blocks(c->call))
        c->call->kernels->block_conv2d_run[kind](&c->args, workspace, scratch, phase, begin, end);
    else
        c->call->kernels->conv2d_run[kind](&c->args, workspace, scratch, phase, begin, end);
}

static size_t workspace_conv(const cj__call *call)
{
    conv_setup room;
    return cj__job_space(call, &setup_of(call, &room)->job);
}

static cj__prepared prepared_conv(const cj__call *call)
{
    conv_setup room;
    const conv_setup *setup = setup_of(call, &room);
    const cj__conv2d *s = &setup->args.s;
    const int filters = call->op->convolution->kind == CJ__CONV2D_INPUT_GRAD ? 0 : 1;
    return cj__job_prepares(&setup->job, filters, s->n * s->oh * s->ow);
}

static cj_status run_conv(const cj__call *call)
{
    const cj__conv2d_kind kind = call->op->convolution->kind;
    conv_setup room;
    const conv_setup *setup = setup_of(call, &room);
    conv_context context = {call, &setup->job, setup->args};
    point[kind](call, &context.args);
    cj__run_job(call, &setup->job, setup->work, conv_phase, &context);
    return CJ_OK;
}

// What gradients are made of: the three ops with the attributes of a node.
static cj_symbol *forward(cj__build *g, const cj__node *node, cj_symbol *x, cj_symbol *w)
{
    return cj__append(g, &cj__op_conv2d, node->attrs, (cj_symbol *[]){x, w}, 2);
}

static cj_symbol *by_input(cj__build *g, const cj__node *node, cj_symbol *w, cj_symbol *dy,
                           cj_symbol *like)
{
    return cj__append(g, &cj__op_conv2d_input_grad, node->attrs, (cj_symbol *[]){w, dy, like}, 3);
}

static cj_symbol *by_filter(cj__build *g, const cj__node *node, cj_symbol *x, cj_symbol *dy)
{
    return cj__append(g, &cj__op_conv2d_filter_grad, node->attrs, (cj_symbol *[]){x, dy}, 2);
}

static void gradient_conv2d(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    dx[0] = by_input(g, node, node->inputs[1], dy[0], node->inputs[0]);
    dx[1] = by_filter(g, node, node->inputs[0], dy[0]);
}

static void gradient_input_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                cj_symbol **dx)
{
    dx[0] = by_filter(g, node, dy[0], node->inputs[1]);
    dx[1] = forward(g, node, dy[0], node->inputs[0]);
    if (node->input_count == 3)
        dx[2] = NULL;
}

static void gradient_filter_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                 cj_symbol **dx)
{
    dx[0] = by_input(g, node, dy[0], node->inputs[1], node->inputs[0]);
    dx[1] = forward(g, node, node->inputs[0], dy[0]);
}

static cj__epilogue *epilogue_of(void *attrs)
{
    return &((cj__conv2d_attrs *)attrs)->chosen.epilogue;
}

// The members in which the eight differ follow.
#define CONVOLUTION(op_name, min, max, roles, rule, traits, ...) \
    const cj__op cj__op_##op_name = {                            \
        .name = #op_name,                                        \
        .min_inputs = min,                                       \
        .max_inputs = max,                                       \
        .samples = roles,                                        \
        .on_blocks = CJ__ON_BLOCKS_NO,                           \
        .identity = CJ__IDENTITY_NEVER,                          \
        .bf16 = CJ__BF16_NEVER,                                  \
        .convolution = traits,                                   \
        .attrs_size = CJ__ATTRS_SIZE(cj__conv2d_attrs),          \
        .setup_size = sizeof(conv_setup),                        \
        .part = part_conv,                                       \
        .infer = rule,                                           \
        .set_up = set_up_conv,                                   \
        .workspace = workspace_conv,                             \
        .prepared = prepared_conv,                               \
        .run = run_conv,                                         \
        .flops = flops_conv,                                     \
        .form = form_conv,                                       \
        __VA_ARGS__,                                             \
    }

CONVOLUTION(conv2d, 2, 2, "sw>s", infer_conv2d, &forward_with_pool, .gradient = gradient_conv2d,
            .fused = &cj__op_conv2d_bias_act, .rounds = true);
CONVOLUTION(conv2d_input_grad, 3, 3, "wss>s", infer_input_grad, &input_grad,
            .gradient = gradient_input_grad, .shape_only = 1 << 2, .rounds = true);
CONVOLUTION(conv2d_transpose, 2, 2, "ws>s", infer_transpose, &input_grad,
            .gradient = gradient_input_grad, .fused = &cj__op_conv2d_transpose_bias_act,
            .rounds = true);
CONVOLUTION(conv2d_filter_grad, 2, 2, "ss>++", infer_filter_grad, &filter_grad,
            .gradient = gradient_filter_grad);

// Inputs x, w and perhaps bias (f).
CONVOLUTION(conv2d_bias_act, 2, 3, "sww>s", infer_conv2d, &forward_with_pool, .flags = CJ__OP_FUSED,
            .epilogue = epilogue_of, .rounds = true);
// Inputs w, x and perhaps bias (c).
CONVOLUTION(conv2d_transpose_bias_act, 2, 3, "wsw>s", infer_transpose, &input_grad,
            .flags = CJ__OP_FUSED, .epilogue = epilogue_of, .rounds = true);
// Inputs of conv2d_bias_act; y = max_pool(act(conv2d(x, w) + bias)) and the places, with windows side by side: see
// cj__conv2d_args.
CONVOLUTION(conv2d_pool, 2, 3, "sww>ss", infer_conv2d_pool, &forward_only, .flags = CJ__OP_FUSED,
            .epilogue = epilogue_of);
// conv2d_filter_grad with the pool's gradient in it: inputs x, dy (n, oh, ow, f) of the pool's
// output and its places.
CONVOLUTION(conv2d_pool_filter_grad, 3, 3, "sss>++", infer_filter_grad, &filter_grad,
            .flags = CJ__OP_FUSED);
