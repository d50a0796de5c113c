// To blocks of images and back (ops/blocks.h). Made by the plan only, around chains of
// convolutions.
//
//   to_blocks    x (n, h, w, c), real or bytes (then y = x scale + offset) -> (blocks, h, w, c
//                lanes), 0 in idle lanes
//   from_blocks  x (blocks, h, w, c lanes)                                 -> (n, h, w, c)
#include "ops/blocks.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"

static cj_status infer_to_blocks(cj__inference *r)
{
    const cj__blocks_attrs *a = r->attrs;
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    if (r->inputs[0].dtype != CJ_U8)
        CJ_TRY(cj__need_dtype(r, 0, a->dtype));
    if (r->inputs[0].shape.dims[0] != a->images)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %lld images, not %lld", r->op->name,
                        (long long)r->inputs[0].shape.dims[0], (long long)a->images);
    r->outputs[0] = (cj__type){a->dtype, cj__blocks_shape(&r->inputs[0].shape, a->lanes)};
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status infer_from_blocks(cj__inference *r)
{
    const cj__blocks_attrs *a = r->attrs;
    CJ_TRY(cj__need_dtype(r, 0, a->dtype));
    CJ_TRY(cj__need_rank(r, 0, 4, 4));
    r->outputs[0] = r->inputs[0];
    r->outputs[0].shape.dims[0] = a->images;
    r->outputs[0].shape.dims[3] /= a->lanes;
    const cj_shape blocks = cj__blocks_shape(&r->outputs[0].shape, a->lanes);
    if (!cj_shape_equal(&blocks, &r->inputs[0].shape))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the blocks do not hold %lld images", r->op->name,
                        (long long)a->images);
    return CJ_OK;
}

// Elements of one image.
static int64_t size_of(const cj__operand *images)
{
    return cj__span(&images->type.shape, 1, 4);
}

static void to_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__blocks_attrs *a = call->attrs;
    const cj__operand *x = &call->inputs[0];
    if (x->type.dtype == CJ_U8)
        call->kernels->to_blocks_u8(a->images, size_of(x), x->data, a->scale, a->offset,
                                    call->outputs[0].data, begin, end);
    else
        call->kernels->to_blocks(a->images, size_of(x), x->data, call->outputs[0].data, begin, end);
}

static cj_status run_to_blocks(const cj__call *call)
{
    cj__each_item(call, call->outputs[0].type.shape.dims[0], size_of(&call->outputs[0]), to_task,
                  (void *)call);
    return CJ_OK;
}

static void from_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__blocks_attrs *a = call->attrs;
    call->kernels->from_blocks(a->images, size_of(&call->outputs[0]), call->inputs[0].data,
                               call->outputs[0].data, begin, end);
}

static cj_status run_from_blocks(const cj__call *call)
{
    cj__each_item(call, call->inputs[0].type.shape.dims[0], size_of(&call->inputs[0]), from_task,
                  (void *)call);
    return CJ_OK;
}

#define BLOCKS(op_name)                                 \
    const cj__op cj__op_##op_name = {                   \
        .name = #op_name,                               \
        .flags = CJ__OP_FUSED | CJ__OP_LAYOUT,          \
        .min_inputs = 1,                                \
        .max_inputs = 1,                                \
        .samples = CJ__WHOLE_BATCH,                     \
        .on_blocks = CJ__ON_BLOCKS_NO,                  \
        .identity = CJ__IDENTITY_NEVER,                 \
        .bf16 = CJ__BF16_FROM_INPUT_0,                  \
        .attrs_size = CJ__ATTRS_SIZE(cj__blocks_attrs), \
        .infer = infer_##op_name,                       \
        .run = run_##op_name,                           \
    }
BLOCKS(to_blocks);
BLOCKS(from_blocks);
