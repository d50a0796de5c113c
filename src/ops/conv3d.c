// 3-D convolution (cross-correlation, channels last), its two gradients and the transposed one, as
// conv.c has them for two axes:
//
//   conv3d             x (n, d, h, w, c), w (kd, kh, kw, c / groups, f) -> y (n, od, oh, ow, f)
//   conv3d_input_grad  w, dy, like: the shape of x                      -> dx
//   conv3d_filter_grad x, dy                                            -> dw
//   conv3d_transpose   w, x (n, od, oh, ow, f)                          -> y (n, d, h, w, c)
//
//   y[n][o][i][j][q] = sum over t, u, v, k of
//     x[n][o sd + t dd - front][i sh + u dh - top][j sw + v dw - left][k] w[t][u][v][k][q]
//
// The planes that the taps of an output plane read lie side by side as channels of one image,
// (n od, h, w, kd c): a 2-D convolution of these images by the filters (kh, kw, kd c / groups, f) is
// the 3-D one. With a kernel of depth 1 and no strides along it x is these images already.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/window.h"

#include "base/memory.h"
#include <string.h>

enum { AXES = 3 };

static cj_status check_settings(const cj__inference *r, const cj__conv3d_attrs *a)
{
    for (int i = 0; i < AXES; i++) {
        const int64_t reach = (a->kernel[i] - 1) * a->dilation[i] + 1;
        if (a->kernel[i] < 1 || a->strides[i] < 1 || a->dilation[i] < 1 || a->groups < 1)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: kernel, strides, dilation and groups must be at least 1",
                            r->op->name);
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

// A volume of which only the first axis may be free.
static cj_status need_volume(const cj__inference *r, int index)
{
    CJ_TRY(cj__need_rank(r, index, AXES + 2, AXES + 2));
    for (int i = 1; i < AXES + 2; i++)
        CJ_TRY(cj__need_axis(r, &r->inputs[index], i, false));
    return CJ_OK;
}

static int64_t before_along(const cj__conv3d_attrs *a, int axis, int64_t n)
{
    return a->before[axis] +
           cj__window_before(n, a->kernel[axis], a->strides[axis], a->dilation[axis], a->same);
}

static cj_status output_shape(const cj__inference *r, const cj__conv3d_attrs *a, const cj_shape *x,
                              int64_t f, cj_shape *y)
{
    *y = (cj_shape){.rank = AXES + 2, .dims = {x->dims[0]}};
    y->dims[AXES + 1] = f;
    for (int i = 0; i < AXES; i++) {
        y->dims[i + 1] = cj__window_count(x->dims[i + 1] + a->before[i] + a->after[i], a->kernel[i],
                                          a->strides[i], a->dilation[i], a->same);
        if (y->dims[i + 1] < 1)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: a kernel of length %lld does not fit length %lld of axis %d",
                            r->op->name, (long long)a->kernel[i], (long long)x->dims[i + 1], i + 1);
    }
    if (x->dims[AXES + 1] % a->groups || f % a->groups)
        return cj__fail(
            CJ_SHAPE_MISMATCH, "%s: %lld channels and %lld filters cannot be cut into %lld groups",
            r->op->name, (long long)x->dims[AXES + 1], (long long)f, (long long)a->groups);
    return cj__check_output(r, y);
}

static cj_status infer_conv3d(cj__inference *r)
{
    cj__conv3d_attrs *a = r->attrs;
    const cj_shape *x = &r->inputs[0].shape, *w = &r->inputs[1].shape;
    char text[CJ__SHAPE_TEXT];
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(need_volume(r, 0));
    CJ_TRY(cj__need_rank(r, 1, AXES + 2, AXES + 2));
    memcpy(a->kernel, w->dims, sizeof a->kernel);
    CJ_TRY(check_settings(r, a));
    r->outputs[0].dtype = r->inputs[0].dtype;
    CJ_TRY(output_shape(r, a, x, w->dims[4], &r->outputs[0].shape));
    if (w->dims[3] * a->groups != x->dims[4])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: filters %s do not fit %lld channels in %lld groups",
                        r->op->name, cj__shape_words(w, text), (long long)x->dims[4],
                        (long long)a->groups);
    return CJ_OK;
}

// dy must be what conv3d of x's shape gives.
static cj_status check_gradient(const cj__inference *r, const cj__conv3d_attrs *a,
                                const cj_shape *x, const cj__type *dy)
{
    cj__type expected = *dy;
    CJ_TRY(output_shape(r, a, x, dy->shape.dims[AXES + 1], &expected.shape));
    return cj__need_same_shape(r, dy, &expected);
}

static cj_status infer_input_grad(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(cj__need_rank(r, 0, AXES + 2, AXES + 2));
    CJ_TRY(need_volume(r, 1));
    CJ_TRY(need_volume(r, 2));
    CJ_TRY(check_settings(r, r->attrs));
    r->outputs[0] = (cj__type){r->inputs[0].dtype, r->inputs[2].shape};
    return check_gradient(r, r->attrs, &r->inputs[2].shape, &r->inputs[1]);
}

static cj_status infer_filter_grad(cj__inference *r)
{
    const cj__conv3d_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(need_volume(r, 0));
    CJ_TRY(need_volume(r, 1));
    CJ_TRY(check_settings(r, a));
    const cj_shape w = {.rank = AXES + 2,
                        .dims = {a->kernel[0], a->kernel[1], a->kernel[2],
                                 r->inputs[0].shape.dims[4] / a->groups,
                                 r->inputs[1].shape.dims[4]}};
    r->outputs[0] = (cj__type){r->inputs[0].dtype, w};
    return check_gradient(r, a, &r->inputs[0].shape, &r->inputs[1]);
}

static cj_status infer_transpose(cj__inference *r)
{
    cj__conv3d_attrs *a = r->attrs;
    const cj_shape *w = &r->inputs[0].shape, *x = &r->inputs[1].shape;
    cj_shape *y = &r->outputs[0].shape;
    char text[CJ__SHAPE_TEXT];
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(cj__need_rank(r, 0, AXES + 2, AXES + 2));
    CJ_TRY(need_volume(r, 1));
    memcpy(a->kernel, w->dims, sizeof a->kernel);
    CJ_TRY(check_settings(r, a));
    if (a->same || w->dims[4] != x->dims[4])
        return cj__fail(a->same ? CJ_INVALID_ARGUMENT : CJ_SHAPE_MISMATCH,
                        "%s: filters %s do not fit %lld channels with padding \"%s\"", r->op->name,
                        cj__shape_words(w, text), (long long)x->dims[4],
                        a->same ? "same" : "valid");
    r->outputs[0].dtype = r->inputs[0].dtype;
    *y = (cj_shape){.rank = AXES + 2, .dims = {x->dims[0], 0, 0, 0, w->dims[3] * a->groups}};
    for (int i = 0; i < AXES; i++) {
        if (x->dims[i + 1] > INT32_MAX || a->strides[i] > INT32_MAX || a->dilation[i] > INT32_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: volume and strides are too large",
                            r->op->name);
        y->dims[i + 1] = (x->dims[i + 1] - 1) * a->strides[i] +
                         (a->kernel[i] - 1) * a->dilation[i] + 1 - a->before[i] - a->after[i];
        if (y->dims[i + 1] < 1)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: nothing of axis %d is left by the padding",
                            r->op->name, i + 1);
    }
    return check_gradient(r, a, y, &r->inputs[1]);
}

// ---- the run ----

// What a call works on: the volume (x or dx), the filters (w or dw) and what forward makes (y or
// dy), and where the images and their filters lie in the workspace.
typedef struct volumes {
    const cj__call *call;
    const cj__conv3d_attrs *attrs;
    cj__conv2d_kind kind;
    cj__conv2d_args args; // of the images
    cj__job job;
    char *volume, *filters, *made, *images, *image_filters;
    int64_t depth, out_depth, front, channels, plane; // plane: pixels of a plane of the volume
    bool is_images;                                   // the volume is the images as it lies
    size_t image_bytes, filter_bytes, real;
    double flops;
} volumes;

static const cj__operand *operand_of(const cj__call *call, cj__conv2d_kind kind, char which)
{
    static const char names[CJ__CONV2D_KINDS][4] = {"xwy", "wyx", "xyw"}; // inputs, then the output
    const int index = (int)(strchr(names[kind], which) - names[kind]);
    return index == 2 ? &call->outputs[0] : &call->inputs[index];
}

static cj__conv2d_kind kind_of(const cj__op *op)
{
    return op == &cj__op_conv3d             ? CJ__CONV2D_FORWARD :
           op == &cj__op_conv3d_filter_grad ? CJ__CONV2D_FILTER_GRAD :
                                              CJ__CONV2D_INPUT_GRAD;
}

static void set_up_volumes(const cj__call *call, volumes *v)
{
    const cj__conv2d_kind kind = kind_of(call->op);
    const cj__operand *x = operand_of(call, kind, 'x'), *w = operand_of(call, kind, 'w'),
                      *y = operand_of(call, kind, 'y');
    const cj__conv3d_attrs *a = call->attrs;
    const int64_t *in = x->type.shape.dims, *out = y->type.shape.dims;
    *v = (volumes){.call = call, .attrs = a, .kind = kind, .real = call->kernels->real_size};
    v->volume = x->data;
    v->filters = w->data;
    v->made = y->data;
    v->depth = in[1];
    v->out_depth = out[1];
    v->front = before_along(a, 0, in[1]);
    v->channels = in[4];
    v->plane = in[2] * in[3];
    v->is_images = a->kernel[0] == 1 && a->strides[0] == 1 && in[1] == out[1];
    v->args.act = CJ__UNARY_NONE;
    v->args.s = (cj__conv2d){.n = in[0] * out[1],
                             .h = in[2],
                             .w = in[3],
                             .c = in[4] * a->kernel[0],
                             .kh = a->kernel[1],
                             .kw = a->kernel[2],
                             .f = out[4],
                             .oh = out[2],
                             .ow = out[3],
                             .sh = a->strides[1],
                             .sw = a->strides[2],
                             .dh = a->dilation[1],
                             .dw = a->dilation[2],
                             .top = before_along(a, 1, in[2]),
                             .left = before_along(a, 2, in[3]),
                             .groups = a->groups};
    const cj__conv2d *s = &v->args.s;
    v->flops =
        2.0 * (double)(s->n * s->oh * s->ow * s->f) * (double)(s->kh * s->kw * (s->c / s->groups));
    if (!v->is_images) {
        v->image_bytes = cj__align_up_64((size_t)(s->n * s->h * s->w * s->c) * v->real);
        v->filter_bytes =
            cj__align_up_64((size_t)(s->kh * s->kw * (s->c / s->groups) * s->f) * v->real);
    }
    call->kernels->conv2d_job[kind](&v->args, &v->job);
    v->images = v->is_images ? v->volume : call->workspace;
    v->image_filters = v->is_images ? v->filters : v->images ? v->images + v->image_bytes : NULL;
}

static size_t workspace_conv3d(const cj__call *call)
{
    volumes v;
    set_up_volumes(call, &v);
    return v.image_bytes + v.filter_bytes + cj__job_space(call, &v.job);
}

static double flops_conv3d(const cj__call *call)
{
    volumes v;
    set_up_volumes(call, &v);
    return v.flops;
}

// `count` parts of so many bytes, which lie side by side, to places `step` bytes apart. Of few channels
// a part is shorter than a call of memcpy() takes.
static void spread_parts(const char *from, char *to, size_t part, size_t step, int64_t count)
{
#define PARTS_OF(bytes)                                                  \
    if (part == (bytes)) {                                               \
        for (int64_t k = 0; k < count; k++, from += (bytes), to += step) \
            memcpy(to, from, bytes);                                     \
        return;                                                          \
    }
    PARTS_OF(4)
    PARTS_OF(12)
    PARTS_OF(16)
    PARTS_OF(32)
    PARTS_OF(64)
#undef PARTS_OF
    for (int64_t k = 0; k < count; k++, from += part, to += step)
        memcpy(to, from, part);
}

// Images begin .. end - 1 from the planes that their taps read; zeros for those outside.
static void gather_task(void *context, int64_t begin, int64_t end)
{
    const volumes *v = context;
    const int64_t taps = v->attrs->kernel[0], groups = v->attrs->groups;
    const size_t part = (size_t)(v->channels / groups) * v->real, pixel = part * (size_t)groups,
                 plane = pixel * (size_t)v->plane;
    for (int64_t image = begin; image < end; image++) {
        const int64_t n = image / v->out_depth,
                      first = image % v->out_depth * v->attrs->strides[0] - v->front;
        for (int64_t t = 0; t < taps; t++) {
            const int64_t at = first + t * v->attrs->dilation[0];
            char *to = v->images + (size_t)image * plane * (size_t)taps + (size_t)t * part;
            if (at >= 0 && at < v->depth)
                spread_parts(v->volume + (size_t)(n * v->depth + at) * plane, to, part,
                             part * (size_t)taps, v->plane * groups);
            for (int64_t k = 0; (at < 0 || at >= v->depth) && k < v->plane * groups; k++)
                memset(to + (size_t)k * part * (size_t)taps, 0, part);
        }
    }
}

// Planes begin .. end - 1 of dx: the sum of the images' parts that read them, tap after tap.
static void scatter_task(void *context, int64_t begin, int64_t end)
{
    const volumes *v = context;
    const int64_t taps = v->attrs->kernel[0], groups = v->attrs->groups,
                  depth = v->channels / groups, stride = v->attrs->strides[0];
    const size_t part = (size_t)depth * v->real, plane = part * (size_t)(groups * v->plane);
    for (int64_t k = begin; k < end; k++) {
        char *to = v->volume + (size_t)k * plane;
        const int64_t n = k / v->depth;
        memset(to, 0, plane);
        for (int64_t t = 0; t < taps; t++) {
            const int64_t place = k % v->depth + v->front - t * v->attrs->dilation[0];
            if (place < 0 || place % stride != 0 || place / stride >= v->out_depth)
                continue;
            const char *from = v->images +
                               (size_t)(n * v->out_depth + place / stride) * plane * (size_t)taps +
                               (size_t)t * part;
            v->call->kernels->binary[CJ__BINARY_add](v->plane * groups, depth, to, depth, 1, from,
                                                     depth * taps, 1, to);
        }
    }
}

// Filters (kd, kh, kw, ...) as (kh, kw, kd, ...), or back.
static void turn_filters(const volumes *v, bool back)
{
    const int64_t *k = v->attrs->kernel;
    const size_t block = (size_t)(v->channels / v->attrs->groups * v->args.s.f) * v->real;
    for (int64_t t = 0; t < k[0]; t++)
        for (int64_t tap = 0; tap < k[1] * k[2]; tap++) {
            char *own = v->filters + (size_t)(t * k[1] * k[2] + tap) * block,
                 *turned = v->image_filters + (size_t)(tap * k[0] + t) * block;
            memcpy(back ? own : turned, back ? turned : own, block);
        }
}

static void conv_phase(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const volumes *v = context;
    v->call->kernels->conv2d_run[v->kind](&v->args, workspace, cj__job_scratch(v->call, &v->job),
                                          phase, begin, end);
}

static cj_status run_conv3d(const cj__call *call)
{
    volumes v;
    set_up_volumes(call, &v);
    const int64_t planes = v.out_depth > 0 ? v.args.s.n / v.out_depth * v.depth : 0;
    cj__call inner = *call;
    if (inner.workspace)
        inner.workspace = (char *)call->workspace + v.image_bytes + v.filter_bytes;
    if (!v.is_images && v.kind != CJ__CONV2D_INPUT_GRAD)
        cj__each_item(call, v.args.s.n, v.plane * v.args.s.c, gather_task, &v);
    if (!v.is_images && v.kind != CJ__CONV2D_FILTER_GRAD)
        turn_filters(&v, false);
    v.args.x = v.images;
    v.args.dx = v.images;
    v.args.w = v.image_filters;
    v.args.dw = v.image_filters;
    v.args.y = v.made;
    v.args.dy = v.made;
    v.call = &inner;
    cj__run_job(&inner, &v.job, v.flops, conv_phase, &v);
    v.call = call;
    if (!v.is_images && v.kind == CJ__CONV2D_FILTER_GRAD)
        turn_filters(&v, true);
    if (!v.is_images && v.kind == CJ__CONV2D_INPUT_GRAD)
        cj__each_item(call, planes, v.plane * v.args.s.c, scatter_task, &v);
    return CJ_OK;
}

// ---- gradients ----

static cj_symbol *forward(cj__build *g, const cj__node *node, cj_symbol *x, cj_symbol *w)
{
    return cj__append(g, &cj__op_conv3d, node->attrs, (cj_symbol *[]){x, w}, 2);
}

static cj_symbol *by_input(cj__build *g, const cj__node *node, cj_symbol *w, cj_symbol *dy,
                           cj_symbol *like)
{
    return cj__append(g, &cj__op_conv3d_input_grad, node->attrs, (cj_symbol *[]){w, dy, like}, 3);
}

static cj_symbol *by_filter(cj__build *g, const cj__node *node, cj_symbol *x, cj_symbol *dy)
{
    return cj__append(g, &cj__op_conv3d_filter_grad, node->attrs, (cj_symbol *[]){x, dy}, 2);
}

static void gradient_conv3d(cj__build *g, const cj__node *node, cj_symbol *const *dy,
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

#define CONVOLUTION(op_name, inputs, roles, rule, by, ...)                   \
    const cj__op cj__op_##op_name = {.name = #op_name,                       \
                                     .min_inputs = inputs,                   \
                                     .max_inputs = inputs,                   \
                                     .samples = roles,                       \
                                     .on_blocks = CJ__ON_BLOCKS_NO,          \
                                     .identity = CJ__IDENTITY_NEVER,         \
                                     .bf16 = CJ__BF16_NEVER,                 \
                                     .attrs_size = CJ__ATTRS_SIZE(cj__conv3d_attrs), \
                                     .infer = rule,                          \
                                     .gradient = by,                         \
                                     .workspace = workspace_conv3d,          \
                                     .run = run_conv3d,                      \
                                     .flops = flops_conv3d,                  \
                                     __VA_ARGS__}

CONVOLUTION(conv3d, 2, "sw>s", infer_conv3d, gradient_conv3d, );
CONVOLUTION(conv3d_input_grad, 3, "wss>s", infer_input_grad, gradient_input_grad,
            .shape_only = 1 << 2);
CONVOLUTION(conv3d_filter_grad, 2, "ss>+", infer_filter_grad, gradient_filter_grad, );
CONVOLUTION(conv3d_transpose, 2, "ws>s", infer_transpose, gradient_input_grad, );
