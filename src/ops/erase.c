// Rectangles of images replaced by noise or by a value.
//
//   erase  x (n, h, w, c), box (n, 4), step -> (n, h, w, c): pixel (i, j) of an image whose box is
//          x0, x1, y0, y1 is replaced if x0 <= j < x1 and y0 <= i < y1
//
// Noise is min(max(z high, low), high) with z standard normal, a function of the key, the step (an
// int64 scalar) and the element's place. The gradient by x is dy with zeros in the boxes, by the same
// op; none passes to the boxes.
#include "ops/families.h"
#include "ops/images.h"
#include "ops/infer.h"
#include "ops/run.h"

#include "base/random.h"
#include <math.h>
#include <string.h>

static cj_status infer_erase(cj__inference *r)
{
    const cj__erase_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    const cj_shape *x = &r->inputs[0].shape;
    const cj__type box = {r->inputs[0].dtype, CJ_SHAPE(x->dims[0], 4)};
    CJ_TRY(cj__need_real(r, 1, &r->inputs[0]));
    CJ_TRY(cj__need_same_shape(r, &box, &r->inputs[1]));
    CJ_TRY(cj__need_dtype(r, 2, CJ_I64));
    CJ_TRY(cj__need_rank(r, 2, 0, 0));
    if (a->fills != 0 && a->fills != 1 && !(a->fills == 3 && x->dims[3] == 3))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %lld values for %lld channels", r->op->name,
                        (long long)a->fills, (long long)x->dims[3]);
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

// The first whole number that is at least `bound`, within 0 .. length.
static int64_t first_from(double bound, int64_t length)
{
    const double at = ceil(bound);
    return at > 0 ? at < (double)length ? (int64_t)at : length : 0;
}

// Element `at` of a box's inside.
static double filled(const cj__call *call, int64_t at, int64_t channel)
{
    const cj__erase_attrs *a = call->attrs;
    if (a->fills != 0)
        return a->fill[a->fills == 3 ? channel : 0];
    const uint64_t step = (uint64_t) * (const int64_t *)call->inputs[2].data;
    const double z = cj__random_normal(a->key, step, (uint64_t)at) * a->high;
    return fmin(fmax(z, a->low), a->high);
}

static double corner(const cj__call *call, int64_t sample, int which)
{
    return cj__real_get(call, cj__at(call, call->inputs[1].data, sample * 4 + which));
}

static void erase_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj_shape *x = &call->inputs[0].type.shape;
    const int64_t rows = x->dims[1], cols = x->dims[2], channels = x->dims[3],
                  size = rows * cols * channels;
    const cj_dtype dtype = call->outputs[0].type.dtype;
    for (int64_t n = begin; n < end; n++) {
        const int64_t left = first_from(corner(call, n, 0), cols),
                      right = first_from(corner(call, n, 1), cols),
                      top = first_from(corner(call, n, 2), rows),
                      bottom = first_from(corner(call, n, 3), rows);
        void *y = cj__at(call, call->outputs[0].data, n * size);
        memcpy(y, cj__at(call, call->inputs[0].data, n * size),
               (size_t)size * call->kernels->real_size);
        for (int64_t row = top; row < bottom; row++)
            for (int64_t i = (row * cols + left) * channels; i < (row * cols + right) * channels;
                 i++)
                cj__element_set(dtype, y, i, filled(call, n * size + i, i % channels));
    }
}

static cj_status run_erase(const cj__call *call)
{
    const cj_shape *x = &call->inputs[0].type.shape;
    cj__each_item(call, x->dims[0], x->dims[1] * x->dims[2] * x->dims[3], erase_task, (void *)call);
    return CJ_OK;
}

static void gradient_erase(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    const cj__erase_attrs zero = {.fills = 1};
    dx[0] = cj__append(g, &cj__op_erase, &zero,
                       (cj_symbol *[]){dy[0], node->inputs[1], node->inputs[2]}, 3);
    dx[1] = NULL;
    dx[2] = NULL;
}

const cj__op cj__op_erase = {
    .name = "erase",
    .min_inputs = 3,
    .max_inputs = 3,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__erase_attrs),
    .infer = infer_erase,
    .gradient = gradient_erase,
    .run = run_erase,
};

cj_symbol *cj__erase(cj__build *g, cj_symbol *x, cj_symbol *box, cj_symbol *step,
                     const cj__erase_attrs *attrs)
{
    return cj__append(g, &cj__op_erase, attrs, (cj_symbol *[]){x, box, step}, 3);
}
