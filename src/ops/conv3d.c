// 3-D convolution (cross-correlation, channels last), its two gradients and the transposed one, as
// conv.c has them for two axes:
//
//   conv3d             x (n, d, h, w, c), w (kd, kh, kw, c / groups, f) -> y (n, od, oh, ow, f)
//   conv3d_input_grad  w, dy, like: the shape of x                      -> dx
//   conv3d_filter_grad x, dy                                            -> dw
//   conv3d_transpose   w, x (n, od, oh, ow, f)                          -> y (n, d, h, w, c)
//   conv3d_bias_act            x, w, bias (f)                           -> act(y + bias)
//   conv3d_transpose_bias_act  w, x, bias (c)                           -> act(y + bias)
//
//   y[n][o][i][j][q] = sum over t, u, v, k of
//     x[n][o sd + t dd - front][i sh + u dh - top][j sw + v dw - left][k] w[t][u][v][k][q]
//
// conv3d_run.c computes them.
#include "ops/conv3d.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/window.h"

#include <string.h>

enum { AXES = CJ__CONV3D_AXES };

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

// The bias of a fused op, of `length` elements.
static cj_status check_bias(const cj__inference *r, int64_t length)
{
    char text[CJ__SHAPE_TEXT];
    if (r->input_count < 3)
        return CJ_OK;
    CJ_TRY(cj__need_real(r, 2, &r->inputs[0]));
    const cj_shape *bias = &r->inputs[2].shape;
    if (bias->rank != 1 || bias->dims[0] != length)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: bias %s does not fit %lld channels", r->op->name,
                        cj__shape_words(bias, text), (long long)length);
    return CJ_OK;
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
    return check_bias(r, w->dims[4]);
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
    CJ_TRY(check_bias(r, y->dims[4]));
    return check_gradient(r, a, y, &r->inputs[1]);
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

static cj__epilogue *epilogue_of(void *attrs)
{
    return &((cj__conv3d_attrs *)attrs)->epilogue;
}

static const cj__convolution forward_planes = {CJ__CONV2D_FORWARD, cj__conv3d_args, NULL},
                             input_planes = {CJ__CONV2D_INPUT_GRAD, cj__conv3d_args, NULL},
                             filter_planes = {CJ__CONV2D_FILTER_GRAD, cj__conv3d_args, NULL};

#define CONVOLUTION(op_name, min, max, roles, rule, traits, ...) \
    const cj__op cj__op_##op_name = {                            \
        .name = #op_name,                                        \
        .min_inputs = min,                                       \
        .max_inputs = max,                                       \
        .samples = roles,                                        \
        .on_blocks = CJ__ON_BLOCKS_NO,                           \
        .identity = CJ__IDENTITY_NEVER,                          \
        .bf16 = CJ__BF16_NEVER,                                  \
        .planes = traits,                                        \
        .attrs_size = CJ__ATTRS_SIZE(cj__conv3d_attrs),          \
        .setup_size = sizeof(cj__conv3d_setup),                  \
        .infer = rule,                                           \
        .set_up = cj__conv3d_set_up,                             \
        .workspace = cj__conv3d_workspace,                       \
        .prepared = cj__conv3d_prepared,                         \
        .run = cj__conv3d_run,                                   \
        .flops = cj__conv3d_flops,                               \
        .form = cj__conv3d_form,                                 \
        __VA_ARGS__,                                             \
    }

CONVOLUTION(conv3d, 2, 2, "sw>s", infer_conv3d, &forward_planes, .gradient = gradient_conv3d,
            .fused = &cj__op_conv3d_bias_act);
CONVOLUTION(conv3d_input_grad, 3, 3, "wss>s", infer_input_grad, &input_planes,
            .gradient = gradient_input_grad, .shape_only = 1 << 2);
CONVOLUTION(conv3d_filter_grad, 2, 2, "ss>+", infer_filter_grad, &filter_planes,
            .gradient = gradient_filter_grad);
CONVOLUTION(conv3d_transpose, 2, 2, "ws>s", infer_transpose, &input_planes,
            .gradient = gradient_input_grad, .fused = &cj__op_conv3d_transpose_bias_act);

// Inputs of the op without an epilogue and perhaps the bias.
CONVOLUTION(conv3d_bias_act, 2, 3, "sww>s", infer_conv3d, &forward_planes, .flags = CJ__OP_FUSED,
            .epilogue = epilogue_of);
CONVOLUTION(conv3d_transpose_bias_act, 2, 3, "wsw>s", infer_transpose, &input_planes,
            .flags = CJ__OP_FUSED, .epilogue = epilogue_of);
