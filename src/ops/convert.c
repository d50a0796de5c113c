// Ops that keep every element's place and change what it is made of: stop_gradient, cast, rescale.
#include "ops/device.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <string.h>

static cj_status infer_same(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

static cj_status run_same(const cj__call *call)
{
    if (call->outputs[0].data != call->inputs[0].data)
        memcpy(call->outputs[0].data, call->inputs[0].data, cj__bytes(&call->outputs[0]));
    return CJ_OK;
}

const cj__op cj__op_stop_gradient = {
    .name = "stop_gradient",
    .flags = CJ__OP_VIEW | CJ__OP_NO_GRADIENT,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_OF_EQUAL_TYPE,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .infer = infer_same,
    .run = run_same,
};

// cast: y = x in attrs.dtype (to integers towards zero, saturating). The gradient passes between
// float32 and float64.
static cj_status infer_cast(cj__inference *r)
{
    CJ_TRY(infer_same(r));
    r->outputs[0].dtype = ((const cj__cast_attrs *)r->attrs)->dtype;
    if ((unsigned)r->outputs[0].dtype >= CJ_DTYPE_COUNT)
        return cj__fail(CJ_INVALID_ARGUMENT, "cast: there is no dtype %d",
                        (int)r->outputs[0].dtype);
    if ((r->inputs[0].dtype == CJ_STRING) != (r->outputs[0].dtype == CJ_STRING))
        return cj__fail(CJ_SHAPE_MISMATCH, "cast: %s does not become %s: texts are no numbers",
                        cj_dtype_name(r->inputs[0].dtype), cj_dtype_name(r->outputs[0].dtype));
    return CJ_OK;
}

static void convert_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__operand *x = &call->inputs[0], *y = &call->outputs[0];
    cj__convert(x->type.dtype, (const char *)x->data + (size_t)begin * cj_dtype_size(x->type.dtype),
                y->type.dtype, (char *)y->data + (size_t)begin * cj_dtype_size(y->type.dtype),
                end - begin);
}

static cj_status run_cast(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), convert_work);
    return CJ_OK;
}

static void gradient_cast(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    const cj_dtype from = cj__operand_type(node, 0)->dtype, to = node->types[0].dtype;
    dx[0] = cj__is_real(from) && cj__is_real(to) ? cj__cast(g, dy[0], from) : NULL;
}

const cj__op cj__op_cast = {
    .name = "cast",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_OF_EQUAL_TYPE,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__cast_attrs),
    .work_elements = convert_work,
    .infer = infer_cast,
    .gradient = gradient_cast,
    .run = run_cast,
};

// rescale: y = x scale + offset in the real dtype attrs.dtype, from any dtype; bytes go through a
// kernel of their own.
static cj_status infer_rescale(cj__inference *r)
{
    const cj__rescale_attrs *a = r->attrs;
    CJ_TRY(infer_same(r));
    if (!cj__is_real(a->dtype))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "rescale: the result would be of a dtype that is not float32 or float64");
    if (r->inputs[0].dtype == CJ_STRING)
        return cj__fail(CJ_SHAPE_MISMATCH, "rescale: the input is texts, needs numbers");
    r->outputs[0].dtype = a->dtype;
    return CJ_OK;
}

static void rescale_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__rescale_attrs *a = call->attrs;
    const cj_dtype from = call->inputs[0].type.dtype;
    const cj__kernels *kernels = cj__device_kernels(call->device, a->dtype);
    char *y = (char *)call->outputs[0].data + (size_t)begin * kernels->real_size;
    const char *x = (const char *)call->inputs[0].data + (size_t)begin * cj_dtype_size(from);
    if (from == CJ_U8) {
        kernels->rescale_u8(end - begin, (const uint8_t *)x, a->scale, a->offset, y);
        return;
    }
    if (from != a->dtype) {
        convert_work(call, begin, end);
        x = y;
    }
    kernels->rescale(end - begin, x, a->scale, a->offset, y);
}

static cj_status run_rescale(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), rescale_work);
    return CJ_OK;
}

static void gradient_rescale(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    const cj__rescale_attrs *a = (const void *)node->attrs;
    const cj_dtype from = cj__operand_type(node, 0)->dtype;
    dx[0] = cj__is_real(from) ? cj__rescale(g, dy[0], a->scale, 0, from) : NULL;
}

const cj__op cj__op_rescale = {
    .name = "rescale",
    .flags = CJ__OP_ELEMENTWISE,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = "e>s",
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__rescale_attrs),
    .work_elements = rescale_work,
    .infer = infer_rescale,
    .gradient = gradient_rescale,
    .run = run_rescale,
};
