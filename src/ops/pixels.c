// Pixels taken from given places of images.
//
//   sample_pixels       x (n, h, w, c), at (n, oh, ow, 2) -> (n, oh, ow, c): the pixel in row at[.., 0]
//                       and column at[.., 1] of the image; beside it as attrs.beside says
//   sample_pixels_grad  dy (n, oh, ow, c), at -> dx (n, h, w, c), h and w of attrs.input
//
// Places are int32. What lies between pixels is an expression of four of them.
#include "ops/beside.h"
#include "ops/families.h"
#include "ops/images.h"
#include "ops/infer.h"
#include "ops/run.h"

#include <string.h>

static cj_status need_places(cj__inference *r, const cj_shape *images)
{
    const cj_shape *at = &r->inputs[1].shape;
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_rank(r, 1, 4, 4));
    if (at->dims[0] != images->dims[0] || at->dims[3] != 2)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: places are not (samples, rows, columns, 2)",
                        r->op->name);
    return CJ_OK;
}

static cj_status infer_sample_pixels(cj__inference *r)
{
    cj__pixels_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    const cj_shape *x = &r->inputs[0].shape, *at = &r->inputs[1].shape;
    CJ_TRY(need_places(r, x));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 1, false));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 2, false));
    if (x->dims[1] < 1 || x->dims[2] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: images without pixels", r->op->name);
    a->input[0] = x->dims[1];
    a->input[1] = x->dims[2];
    r->outputs[0] =
        (cj__type){r->inputs[0].dtype, CJ_SHAPE(x->dims[0], at->dims[1], at->dims[2], x->dims[3])};
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status infer_sample_pixels_grad(cj__inference *r)
{
    const cj__pixels_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    const cj_shape *dy = &r->inputs[0].shape, *at = &r->inputs[1].shape;
    CJ_TRY(need_places(r, dy));
    if (dy->dims[1] != at->dims[1] || dy->dims[2] != at->dims[2] || a->input[0] < 1 ||
        a->input[1] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: pixels and places do not agree", r->op->name);
    r->outputs[0] = (cj__type){r->inputs[0].dtype,
                               CJ_SHAPE(dy->dims[0], a->input[0], a->input[1], dy->dims[3])};
    return cj__check_output(r, &r->outputs[0].shape);
}

// The first element of the pixel that result `place` of all is taken from, in all images; -1 for the
// fill value.
static int64_t source_of(const cj__call *call, int64_t place, int64_t sample, int64_t channels)
{
    const cj__pixels_attrs *a = call->attrs;
    const int32_t *at = (const int32_t *)call->inputs[1].data + 2 * place;
    const int64_t row = cj__place_beside(at[0], a->input[0], (int)a->beside),
                  col = cj__place_beside(at[1], a->input[1], (int)a->beside);
    return row < 0 || col < 0 ? -1 : ((sample * a->input[0] + row) * a->input[1] + col) * channels;
}

static void sample_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__pixels_attrs *a = call->attrs;
    const cj_shape *y = &call->outputs[0].type.shape;
    const int64_t cols = y->dims[2], channels = y->dims[3];
    const size_t size = (size_t)channels * call->kernels->real_size;
    for (int64_t place = begin * cols; place < end * cols; place++) {
        const int64_t from = source_of(call, place, place / (y->dims[1] * cols), channels);
        if (from >= 0)
            memcpy(cj__at(call, call->outputs[0].data, place * channels),
                   cj__at(call, call->inputs[0].data, from), size);
        for (int64_t c = 0; from < 0 && c < channels; c++)
            cj__element_set(call->outputs[0].type.dtype, call->outputs[0].data,
                            place * channels + c, a->fill_value);
    }
}

static cj_status run_sample_pixels(const cj__call *call)
{
    const cj_shape *y = &call->outputs[0].type.shape;
    cj__each_item(call, y->dims[0] * y->dims[1], y->dims[2] * (y->dims[3] + 4), sample_task,
                  (void *)call);
    return CJ_OK;
}

// An image a task: what its pixels get is added in one order.
static void sample_grad_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__pixels_attrs *a = call->attrs;
    const cj_shape *dy = &call->inputs[0].type.shape;
    const int64_t channels = dy->dims[3], size = a->input[0] * a->input[1] * channels,
                  pixels = dy->dims[1] * dy->dims[2];
    void *dx = call->outputs[0].data;
    memset(cj__at(call, dx, begin * size), 0,
           (size_t)((end - begin) * size) * call->kernels->real_size);
    for (int64_t place = begin * pixels; place < end * pixels; place++) {
        const int64_t to = source_of(call, place, place / pixels, channels);
        for (int64_t c = 0; to >= 0 && c < channels; c++)
            cj__element_set(
                call->outputs[0].type.dtype, dx, to + c,
                cj__real_get(call, cj__at(call, dx, to + c)) +
                    cj__real_get(call, cj__at(call, call->inputs[0].data, place * channels + c)));
    }
}

static cj_status run_sample_pixels_grad(const cj__call *call)
{
    const cj_shape *dy = &call->inputs[0].type.shape;
    cj__each_item(call, dy->dims[0], dy->dims[1] * dy->dims[2] * (dy->dims[3] + 4),
                  sample_grad_task, (void *)call);
    return CJ_OK;
}

static void gradient_sample_pixels(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                   cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_sample_pixels_grad, node->attrs,
                       (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = NULL;
}

// The same pixels without a fill value, which does not depend on them.
static void gradient_sample_pixels_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                        cj_symbol **dx)
{
    cj__pixels_attrs attrs = *(const cj__pixels_attrs *)(const void *)node->attrs;
    attrs.fill_value = 0;
    dx[0] =
        cj__append(g, &cj__op_sample_pixels, &attrs, (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = NULL;
}

#define PIXELS_OP(plain)                                \
    const cj__op cj__op_##plain = {                     \
        .name = #plain,                                 \
        .min_inputs = 2,                                \
        .max_inputs = 2,                                \
        .samples = "ss>s",                              \
        .on_blocks = CJ__ON_BLOCKS_NO,                  \
        .identity = CJ__IDENTITY_NEVER,                 \
        .bf16 = CJ__BF16_NEVER,                         \
        .attrs_size = CJ__ATTRS_SIZE(cj__pixels_attrs), \
        .infer = infer_##plain,                         \
        .gradient = gradient_##plain,                   \
        .run = run_##plain,                             \
    };
PIXELS_OP(sample_pixels)
PIXELS_OP(sample_pixels_grad)

cj_symbol *cj__sample_pixels(cj__build *g, cj_symbol *x, cj_symbol *at,
                             const cj__pixels_attrs *attrs)
{
    return cj__append(g, &cj__op_sample_pixels, attrs, (cj_symbol *[]){x, at}, 2);
}
