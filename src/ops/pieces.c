// Ops that join and cut along one axis: concat, slice, pad, unstack, stack. They copy whole runs,
// so they work on every dtype. With x seen as (outer, n, inner), each is a copy of blocks from one
// stride to another.
#include "base/memory.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <limits.h>
#include <string.h>

static int axis_of(const void *attrs)
{
    return ((const cj__axis_attrs *)attrs)->axis;
}

// Bytes of the axes from `axis` to the last: one block of an outer index.
static size_t block_bytes(const cj__operand *x, int axis)
{
    const cj_shape *shape = &x->type.shape;
    return (size_t)cj__span(shape, axis, shape->rank) * cj_dtype_size(x->type.dtype);
}

// Along any axis but the first each sample is copied by itself.
static const char *samples_along(int64_t axis)
{
    return axis == 0 ? CJ__WHOLE_BATCH : "s>s";
}

static const char *samples_of_axis(const void *attrs)
{
    return samples_along(axis_of(attrs));
}

static const char *samples_of_slice(const void *attrs)
{
    return samples_along(((const cj__slice_attrs *)attrs)->axis);
}

// concat: inputs alike but for their length along the axis.
static cj_status infer_concat(cj__inference *r)
{
    const int axis = axis_of(r->attrs);
    int64_t total = 0;
    for (int i = 0; i < r->input_count; i++) {
        cj__type like = r->inputs[i];
        CJ_TRY(cj__need_dtype(r, i, r->inputs[0].dtype));
        CJ_TRY(cj__need_axis(r, &r->inputs[i], axis, false));
        like.shape.dims[axis] = r->inputs[0].shape.dims[axis];
        if (!cj_shape_equal(&like.shape, &r->inputs[0].shape))
            return cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]);
        total += r->inputs[i].shape.dims[axis];
    }
    r->outputs[0] = r->inputs[0];
    r->outputs[0].shape.dims[axis] = total;
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status run_concat(const cj__call *call)
{
    const int axis = axis_of(call->attrs);
    const size_t stride = block_bytes(&call->outputs[0], axis);
    const int64_t outer = cj__span(&call->outputs[0].type.shape, 0, axis);
    char *y = call->outputs[0].data;
    for (int i = 0; i < call->input_count; i++) {
        const size_t bytes = block_bytes(&call->inputs[i], axis);
        cj__copy_blocks(call,
                        &(cj__blocks_copy){outer, bytes, call->inputs[i].data, bytes, y, stride});
        y += bytes;
    }
    return CJ_OK;
}

static void gradient_concat(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                            cj_symbol **dx)
{
    const int axis = axis_of(node->attrs);
    int64_t begin = 0;
    for (int i = 0; i < node->input_count; i++) {
        const int64_t length = cj__operand_type(node, i)->shape.dims[axis];
        dx[i] = cj__slice(g, dy[0], axis, begin, length);
        begin += length;
    }
}

const cj__op cj__op_concat = {
    .name = "concat",
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__axis_attrs),
    .samples_of = samples_of_axis,
    .infer = infer_concat,
    .gradient = gradient_concat,
    .run = run_concat,
};

// slice: entries begin .. begin + length - 1.
static cj_status infer_slice(cj__inference *r)
{
    const cj__slice_attrs *a = r->attrs;
    const int axis = (int)a->axis;
    CJ_TRY(cj__need_axis(r, &r->inputs[0], axis, false));
    const int64_t n = r->inputs[0].shape.dims[axis];
    if (a->begin < 0 || a->length < 0 || a->begin > n || a->length > n - a->begin)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %lld entries from %lld do not lie in axis %d of length %lld",
                        r->op->name, (long long)a->length, (long long)a->begin, axis, (long long)n);
    r->outputs[0] = r->inputs[0];
    r->outputs[0].shape.dims[axis] = a->length;
    return CJ_OK;
}

static cj_status run_slice(const cj__call *call)
{
    const cj__slice_attrs *a = call->attrs;
    const int axis = (int)a->axis;
    const cj__operand *x = &call->inputs[0], *y = &call->outputs[0];
    const size_t bytes = block_bytes(y, axis);
    const char *from = (const char *)x->data + (size_t)a->begin * block_bytes(x, axis + 1);
    cj__copy_blocks(call, &(cj__blocks_copy){cj__span(&x->type.shape, 0, axis), bytes, from,
                                             block_bytes(x, axis), y->data, bytes});
    return CJ_OK;
}

static void gradient_slice(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    const cj__slice_attrs *a = (const void *)node->attrs;
    const int axis = (int)a->axis;
    const int64_t n = cj__operand_type(node, 0)->shape.dims[axis];
    dx[0] = cj__pad(g, dy[0], axis, a->begin, n - a->begin - a->length);
}

const cj__op cj__op_slice = {
    .name = "slice",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .attrs_size = CJ__ATTRS_SIZE(cj__slice_attrs),
    .samples_of = samples_of_slice,
    .infer = infer_slice,
    .gradient = gradient_slice,
    .run = run_slice,
};

// pad: attrs.begin zeros before and attrs.length zeros after.
static cj_status infer_pad(cj__inference *r)
{
    const cj__slice_attrs *a = r->attrs;
    const int axis = (int)a->axis;
    CJ_TRY(cj__need_axis(r, &r->inputs[0], axis, false));
    if (a->begin < 0 || a->length < 0 || a->begin > INT32_MAX || a->length > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %lld zeros before and %lld after are not possible", r->op->name,
                        (long long)a->begin, (long long)a->length);
    r->outputs[0] = r->inputs[0];
    r->outputs[0].shape.dims[axis] += a->begin + a->length;
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status run_pad(const cj__call *call)
{
    const cj__slice_attrs *a = call->attrs;
    const int axis = (int)a->axis;
    const cj__operand *x = &call->inputs[0], *y = &call->outputs[0];
    const int64_t outer = cj__span(&x->type.shape, 0, axis);
    const size_t bytes = block_bytes(x, axis), stride = block_bytes(y, axis),
                 before = (size_t)a->begin * block_bytes(x, axis + 1);
    char *to = y->data;
    cj__copy_blocks(call, &(cj__blocks_copy){outer, before, NULL, 0, to, stride});
    cj__copy_blocks(call, &(cj__blocks_copy){outer, bytes, x->data, bytes, to + before, stride});
    cj__copy_blocks(call, &(cj__blocks_copy){outer, stride - before - bytes, NULL, 0,
                                             to + before + bytes, stride});
    return CJ_OK;
}

static void gradient_pad(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    const cj__slice_attrs *a = (const void *)node->attrs;
    const int axis = (int)a->axis;
    dx[0] = cj__slice(g, dy[0], axis, a->begin, cj__operand_type(node, 0)->shape.dims[axis]);
}

const cj__op cj__op_pad = {
    .name = "pad",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .attrs_size = CJ__ATTRS_SIZE(cj__slice_attrs),
    .samples_of = samples_of_slice,
    .infer = infer_pad,
    .gradient = gradient_pad,
    .run = run_pad,
};

// unstack: output i is entry i along the axis, which is dropped and must be known.
static int count_unstack(const void *attrs, const cj__type *inputs)
{
    const int axis = axis_of(attrs);
    const bool valid = axis >= 0 && axis < inputs[0].shape.rank;
    const int64_t n = valid ? inputs[0].shape.dims[axis] : 0;
    return n > 0 && n < INT32_MAX ? (int)n : 0;
}

static cj_status infer_unstack(cj__inference *r)
{
    const int axis = axis_of(r->attrs);
    CJ_TRY(cj__need_axis(r, &r->inputs[0], axis, false));
    r->output_count = count_unstack(r->attrs, r->inputs);
    if (r->output_count == 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: axis %d has no entries", r->op->name, axis);
    for (int i = 0; i < r->output_count; i++)
        r->outputs[i] = (cj__type){r->inputs[0].dtype,
                                   cj__reduced_shape(&r->inputs[0].shape, 1u << axis, false)};
    return CJ_OK;
}

static cj_status run_unstack(const cj__call *call)
{
    const cj__operand *x = &call->inputs[0];
    const int axis = axis_of(call->attrs);
    const size_t bytes = block_bytes(x, axis + 1), stride = block_bytes(x, axis);
    const int64_t outer = cj__span(&x->type.shape, 0, axis);
    const char *from = x->data;
    for (int i = 0; i < call->output_count; i++, from += bytes)
        if (call->outputs[i].data)
            cj__copy_blocks(
                call, &(cj__blocks_copy){outer, bytes, from, stride, call->outputs[i].data, bytes});
    return CJ_OK;
}

// Outputs that nothing came back to count as zeros, made from one that something did come back to.
static void gradient_unstack(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    cj_symbol **parts = cj__new((size_t)node->output_count, sizeof(cj_symbol *)), *like = NULL,
              *zero = NULL;
    for (int i = 0; i < node->output_count; i++)
        like = dy[i] ? dy[i] : like;
    for (int i = 0; parts && i < node->output_count; i++) {
        if (!dy[i] && !zero)
            zero = cj__broadcast_like(g, cj__scalar_like(g, like, 0), like);
        parts[i] = dy[i] ? dy[i] : zero;
    }
    dx[0] = parts ? cj__stack(g, parts, node->output_count, axis_of(node->attrs)) :
                    cj__build_keep(g, cj__build_failed(CJ__MADE_SYMBOL));
    cj__free(parts);
}

const cj__op cj__op_unstack = {
    .name = "unstack",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__axis_attrs),
    .samples_of = samples_of_axis,
    .infer = infer_unstack,
    .count_outputs = count_unstack,
    .gradient = gradient_unstack,
    .run = run_unstack,
};

// stack: inputs of one type become the entries along a new axis.
static cj_status infer_stack(cj__inference *r)
{
    const int axis = axis_of(r->attrs), rank = r->inputs[0].shape.rank;
    if (axis < 0 || axis > rank || rank == CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d cannot be added to %d axes", r->op->name,
                        axis, rank);
    for (int i = 1; i < r->input_count; i++) {
        CJ_TRY(cj__need_dtype(r, i, r->inputs[0].dtype));
        CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]));
    }
    r->outputs[0] = (cj__type){r->inputs[0].dtype, {.rank = rank + 1}};
    for (int i = 0; i <= rank; i++)
        r->outputs[0].shape.dims[i] =
            i == axis ? r->input_count : r->inputs[0].shape.dims[i < axis ? i : i - 1];
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status run_stack(const cj__call *call)
{
    const cj__operand *y = &call->outputs[0];
    const int axis = axis_of(call->attrs);
    const size_t bytes = block_bytes(y, axis + 1), stride = block_bytes(y, axis);
    const int64_t outer = cj__span(&y->type.shape, 0, axis);
    char *to = y->data;
    for (int i = 0; i < call->input_count; i++, to += bytes)
        cj__copy_blocks(call,
                        &(cj__blocks_copy){outer, bytes, call->inputs[i].data, bytes, to, stride});
    return CJ_OK;
}

static void gradient_stack(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    if (cj__unstack(g, dy[0], axis_of(node->attrs), dx) != CJ_OK)
        memset(dx, 0, (size_t)node->input_count * sizeof *dx);
}

const cj__op cj__op_stack = {
    .name = "stack",
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__axis_attrs),
    .samples_of = samples_of_axis,
    .infer = infer_stack,
    .gradient = gradient_stack,
    .run = run_stack,
};
