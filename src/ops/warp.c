// Images turned, zoomed and shifted at random, and the random numbers of samples.
//
//   sample_uniform  x (n, ...), step -> (n, count): numbers in [0, 1)
//   warp            x (n, h, w, c), step -> (n, oh, ow, c): pixel (i, j) of the result is that at
//                   (b1 i + b0 j + b2, a1 i + a0 j + a2) of the image, between pixels by weights
//   warp_grad       dy (n, oh, ow, c), step -> dx (n, h, w, c)
//
// With the centre (cy, cx) of the image, angle t, zooms (zy, zx) and shifts (sy, sx):
//   a0 = zx cos t, a1 = -zx sin t, a2 = cx - cx a0 - cy a1 - sx
//   b0 = zy sin t, b1 =  zy cos t, b2 = cy - cx b0 - cy b1 - sy
// as keras.ops.image.affine_transform has it, of Keras's random layers. All random numbers are a
// function of the key, the step (input 1, an int64 scalar) and the sample's place in the batch, so
// the gradient draws the same ones again.
#include "ops/beside.h"
#include "ops/families.h"
#include "ops/images.h"
#include "ops/infer.h"
#include "ops/run.h"

#include "base/random.h"
#include <math.h>
#include <string.h>

// Random numbers of samples
// -----------------------------------------------------------------------------------------------

static cj_status infer_uniform(cj__inference *r)
{
    const cj__sample_uniform_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I64));
    CJ_TRY(cj__need_rank(r, 1, 0, 0));
    if (a->count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld numbers for each sample", r->op->name,
                        (long long)a->count);
    r->outputs[0] = (cj__type){r->inputs[0].dtype, CJ_SHAPE(r->inputs[0].shape.dims[0], a->count)};
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status run_uniform(const cj__call *call)
{
    const cj__sample_uniform_attrs *a = call->attrs;
    const uint64_t step = (uint64_t) * (const int64_t *)call->inputs[1].data;
    const int64_t count = cj__count(&call->outputs[0]);
    for (int64_t i = 0; i < count; i++)
        cj__element_set(call->outputs[0].type.dtype, call->outputs[0].data, i,
                        cj__random_uniform(a->key, step, (uint64_t)i));
    return CJ_OK;
}

const cj__op cj__op_sample_uniform = {
    .name = "sample_uniform",
    .flags = CJ__OP_NO_GRADIENT,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .shape_only = 1,
    .attrs_size = CJ__ATTRS_SIZE(cj__sample_uniform_attrs),
    .infer = infer_uniform,
    .run = run_uniform,
};

cj_symbol *cj__sample_uniform(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key,
                              int64_t count)
{
    return cj__append(g, &cj__op_sample_uniform, &(cj__sample_uniform_attrs){key, count},
                      (cj_symbol *[]){x, step}, 2);
}

// Where a pixel of the result lies
// -----------------------------------------------------------------------------------------------

typedef struct geometry {
    int64_t height, width, channels; // of the result
    int64_t rows, cols;              // of the image
    double a[3], b[3], fill;
    bool nearest;
    int beside;
} geometry;

enum { TAPS = 4, NUMBERS = 5 };

typedef struct tap {
    int64_t at; // the pixel's first element; -1 for the fill value
    double weight;
} tap;

static double drawn(const cj__warp_attrs *a, uint64_t step, int64_t sample, int which,
                    const double range[2])
{
    return range[0] + (range[1] - range[0]) *
                          cj__random_uniform(a->key, step, (uint64_t)(sample * NUMBERS + which));
}

static geometry geometry_of(const cj__warp_attrs *a, int64_t channels, uint64_t step,
                            int64_t sample)
{
    const double angle = drawn(a, step, sample, 0, a->angle), cy = (a->input[0] - 1) / 2.0,
                 cx = (a->input[1] - 1) / 2.0, zy = drawn(a, step, sample, 3, a->zoom[0]),
                 zx = a->same_zoom ? zy : drawn(a, step, sample, 4, a->zoom[1]);
    double sy = drawn(a, step, sample, 1, a->shift[0]), sx = drawn(a, step, sample, 2, a->shift[1]);
    if (a->whole)
        sy = floor(sy), sx = floor(sx);
    geometry s = {.height = a->size[0],
                  .width = a->size[1],
                  .channels = channels,
                  .rows = a->input[0],
                  .cols = a->input[1],
                  .a = {zx * cos(angle), -zx * sin(angle)},
                  .b = {zy * sin(angle), zy * cos(angle)},
                  .fill = a->fill_value,
                  .nearest = a->nearest,
                  .beside = a->beside};
    s.a[2] = cx - cx * s.a[0] - cy * s.a[1] - sx;
    s.b[2] = cy - cx * s.b[0] - cy * s.b[1] - sy;
    return s;
}

// A position that a whole number can have, whatever it was.
static double bounded(double position)
{
    return position > -1e9 && position < 1e9 ? position : -1e9;
}

// The pixels that make up one of the result. The sums are in one order on all machines.
static int taps_of(const geometry *s, int64_t row, int64_t col, tap taps[TAPS])
{
    const double i = (double)row, j = (double)col, y = bounded(s->b[1] * i + s->b[0] * j + s->b[2]),
                 x = bounded(s->a[1] * i + s->a[0] * j + s->a[2]);
    const double top = s->nearest ? round(y) : floor(y), left = s->nearest ? round(x) : floor(x);
    const int sides = s->nearest ? 1 : 2;
    int count = 0;
    for (int down = 0; down < sides; down++)
        for (int right = 0; right < sides; right++) {
            const double wy = s->nearest ? 1 :
                              down       ? y - top :
                                           1 - (y - top),
                         wx = s->nearest ? 1 :
                              right      ? x - left :
                                           1 - (x - left);
            const int64_t r = cj__place_beside((int64_t)top + down, s->rows, s->beside),
                          q = cj__place_beside((int64_t)left + right, s->cols, s->beside);
            const bool here = r >= 0 && q >= 0;
            taps[count++] = (tap){here ? (r * s->cols + q) * s->channels : -1, wy * wx};
        }
    return count;
}

#define WARP_REAL  float
#define WARP(name) name##_f32
#include "ops/warp_loops.h"
#undef WARP_REAL
#undef WARP
#define WARP_REAL  double
#define WARP(name) name##_f64
#include "ops/warp_loops.h"
#undef WARP_REAL
#undef WARP

// The ops
// -----------------------------------------------------------------------------------------------

static cj_status infer_images(cj__inference *r, const int32_t from[2], const int32_t to[2])
{
    const cj_shape *x = &r->inputs[0].shape;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I64));
    CJ_TRY(cj__need_rank(r, 1, 0, 0));
    if (x->dims[1] != from[0] || x->dims[2] != from[1] || from[0] < 1 || from[1] < 1 || to[0] < 1 ||
        to[1] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: images of %lld x %lld pixels, needs %d x %d",
                        r->op->name, (long long)x->dims[1], (long long)x->dims[2], (int)from[0],
                        (int)from[1]);
    r->outputs[0] = r->inputs[0];
    r->outputs[0].shape.dims[1] = to[0];
    r->outputs[0].shape.dims[2] = to[1];
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status infer_warp(cj__inference *r)
{
    const cj__warp_attrs *a = r->attrs;
    return infer_images(r, a->input, a->size);
}

static cj_status infer_warp_grad(cj__inference *r)
{
    const cj__warp_attrs *a = r->attrs;
    return infer_images(r, a->size, a->input);
}

static geometry geometry_at(const cj__call *call, int64_t sample)
{
    const int64_t channels = call->inputs[0].type.shape.dims[3];
    const uint64_t step = (uint64_t) * (const int64_t *)call->inputs[1].data;
    return geometry_of(call->attrs, channels, step, sample);
}

static void warp_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__warp_attrs *a = call->attrs;
    for (int64_t task = begin; task < end; task++) {
        const int64_t sample = task / a->size[0], row = task % a->size[0];
        const geometry s = geometry_at(call, sample);
        const void *x = cj__at(call, call->inputs[0].data, sample * s.rows * s.cols * s.channels);
        void *y = cj__at(call, call->outputs[0].data, task * s.width * s.channels);
        if (call->inputs[0].type.dtype == CJ_F32)
            warp_row_f32(&s, row, x, y);
        else
            warp_row_f64(&s, row, x, y);
    }
}

static cj_status run_warp(const cj__call *call)
{
    const cj_shape *y = &call->outputs[0].type.shape;
    cj__each_item(call, y->dims[0] * y->dims[1], y->dims[2] * y->dims[3] * TAPS, warp_task,
                  (void *)call);
    return CJ_OK;
}

// An image a task: what its pixels get is added in one order.
static void warp_grad_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    for (int64_t sample = begin; sample < end; sample++) {
        const geometry s = geometry_at(call, sample);
        const int64_t count = s.rows * s.cols * s.channels;
        const void *dy =
            cj__at(call, call->inputs[0].data, sample * s.height * s.width * s.channels);
        void *dx = cj__at(call, call->outputs[0].data, sample * count);
        memset(dx, 0, (size_t)count * call->kernels->real_size);
        if (call->inputs[0].type.dtype == CJ_F32)
            warp_back_f32(&s, dy, dx);
        else
            warp_back_f64(&s, dy, dx);
    }
}

static cj_status run_warp_grad(const cj__call *call)
{
    const cj_shape *y = &call->inputs[0].type.shape;
    cj__each_item(call, y->dims[0], y->dims[1] * y->dims[2] * y->dims[3] * TAPS, warp_grad_task,
                  (void *)call);
    return CJ_OK;
}

static void gradient_warp(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] =
        cj__append(g, &cj__op_warp_grad, node->attrs, (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = NULL;
}

// The same images without a fill value, which does not depend on them.
static void gradient_warp_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                               cj_symbol **dx)
{
    cj__warp_attrs attrs = *(const cj__warp_attrs *)(const void *)node->attrs;
    attrs.fill_value = 0;
    dx[0] = cj__append(g, &cj__op_warp, &attrs, (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = NULL;
}

#define WARP_OP(plain)                                \
    const cj__op cj__op_##plain = {                   \
        .name = #plain,                               \
        .min_inputs = 2,                              \
        .max_inputs = 2,                              \
        .samples = CJ__WHOLE_BATCH,                   \
        .on_blocks = CJ__ON_BLOCKS_NO,                \
        .identity = CJ__IDENTITY_NEVER,               \
        .bf16 = CJ__BF16_NEVER,                       \
        .attrs_size = CJ__ATTRS_SIZE(cj__warp_attrs), \
        .infer = infer_##plain,                       \
        .gradient = gradient_##plain,                 \
        .run = run_##plain,                           \
    };
WARP_OP(warp)
WARP_OP(warp_grad)

cj_symbol *cj__warp(cj__build *g, cj_symbol *x, cj_symbol *step, const cj__warp_attrs *attrs)
{
    return cj__append(g, &cj__op_warp, attrs, (cj_symbol *[]){x, step}, 2);
}
