// Ops that give the same elements another shape or order: reshape, transpose, reverse. They work on
// every dtype.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <string.h>

// Product of the known lengths, of which -k counts as k (-1 as 1); false if it overflows.
static bool known(const cj_shape *shape, int64_t *count)
{
    *count = 1;
    for (int i = 0; i < shape->rank; i++) {
        const int64_t length = shape->dims[i];
        if (length < -INT64_MAX ||
            __builtin_mul_overflow(*count, length < 0 ? -length : length, count))
            return false;
    }
    return true;
}

// reshape: attrs.shape may have one -1 that is worked out, beside the input's free axis (the first
// of two -1). An axis of k entries may join the free one, which is -k then, or come out of it.
static cj_status infer_reshape(cj__inference *r)
{
    cj__reshape_attrs *a = r->attrs;
    const cj_shape *x = &r->inputs[0].shape;
    const bool is_free = cj__free_axis(x) >= 0;
    char from[CJ__SHAPE_TEXT], to[CJ__SHAPE_TEXT];
    int open[2] = {-1, -1}, count = 0;
    int64_t have = 0, need = 0;
    cj_shape y = {.rank = (int)a->shape.rank};
    memcpy(y.dims, a->shape.dims, sizeof y.dims);
    const cj_shape wanted = y;
    if (y.rank < 0 || y.rank > CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a shape of %d axes is given, at most %d are possible", r->op->name,
                        y.rank, CJ_MAX_RANK);
    for (int i = 0; i < y.rank && count <= 2; i++)
        if (y.dims[i] < 0 && count++ < 2)
            open[count - 1] = i;
    bool fits = known(x, &have) && known(&y, &need) && count <= 1 + is_free && count >= is_free;
    if (fits && count == 1 + is_free) { // the last one open is worked out
        fits = need > 0 && have % need == 0;
        if (fits)
            y.dims[open[is_free]] *= -(have / need);
    } else if (fits) {
        fits = have == need;
    }
    if (!fits)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s cannot be seen as %s", r->op->name,
                        cj__shape_words(x, from), cj__shape_words(&wanted, to));
    if (is_free)
        *a = cj__reshape_attrs_of(&y); // complete for every batch size
    r->outputs[0] = (cj__type){r->inputs[0].dtype, y};
    return cj__check_output(r, &y);
}

static cj_status run_reshape(const cj__call *call)
{
    if (call->outputs[0].data != call->inputs[0].data)
        memcpy(call->outputs[0].data, call->inputs[0].data, cj__bytes(&call->outputs[0]));
    return CJ_OK;
}

static void gradient_reshape(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    dx[0] = cj__reshape_to(g, dy[0], cj__operand_type(node, 0));
}

const cj__op cj__op_reshape = {
    .name = "reshape",
    .flags = CJ__OP_VIEW,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_OF_EQUAL_TYPE,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .attrs_size = CJ__ATTRS_SIZE(cj__reshape_attrs),
    .infer = infer_reshape,
    .gradient = gradient_reshape,
    .run = run_reshape,
};

// transpose: axis i of y is axis order[i] of x.
static cj_status infer_transpose(cj__inference *r)
{
    const int *order = ((cj__transpose_attrs *)r->attrs)->order;
    const int rank = r->inputs[0].shape.rank;
    uint32_t seen = 0;
    r->outputs[0] = r->inputs[0];
    for (int i = 0; i < rank; i++) {
        if (order[i] < 0 || order[i] >= rank || seen >> order[i] & 1)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: the order must name each of %d axes once",
                            r->op->name, rank);
        seen |= 1u << order[i];
        r->outputs[0].shape.dims[i] = r->inputs[0].shape.dims[order[i]];
    }
    return CJ_OK;
}

// The output as rows along its last axis; rows are shared out. Strides are in elements of x, by
// output axis.
typedef struct turn {
    const cj__call *call;
    int rank, other; // other: the output axis along which x is contiguous
    int64_t dims[CJ_MAX_RANK], steps[CJ_MAX_RANK];
    size_t size;
} turn;

static void copy_row(const char *from, int64_t step, int64_t n, size_t size, char *to)
{
    for (int64_t j = 0; j < n; j++)
        memcpy(to + (size_t)j * size, from + (size_t)(j * step) * size, size);
}

static void turn_task(void *context, int64_t begin, int64_t end)
{
    const turn *t = context;
    const int last = t->rank - 1;
    const int64_t cols = t->dims[last];
    for (int64_t row = begin; row < end; row++) {
        int64_t rest = row, at = 0;
        for (int axis = last - 1; axis >= 0; rest /= t->dims[axis--])
            at += rest % t->dims[axis] * t->steps[axis];
        const char *from = (const char *)t->call->inputs[0].data + (size_t)at * t->size;
        char *to = (char *)t->call->outputs[0].data + (size_t)(row * cols) * t->size;
        if (t->steps[last] == 1)
            memcpy(to, from, (size_t)cols * t->size);
        else
            copy_row(from, t->steps[last], cols, t->size, to);
    }
}

// A task is one block: all of the last axis and of the axis along which x is contiguous, turned by
// the kernel.
static void block_task(void *context, int64_t begin, int64_t end)
{
    const turn *t = context;
    const cj__call *call = t->call;
    const int last = t->rank - 1;
    for (int64_t block = begin; block < end; block++) {
        int64_t rest = block, from = 0, to = 0, out_step = t->dims[last], ldy = 0;
        for (int axis = last - 1; axis >= 0; axis--) {
            if (axis == t->other) {
                ldy = out_step;
            } else {
                from += rest % t->dims[axis] * t->steps[axis];
                to += rest % t->dims[axis] * out_step;
                rest /= t->dims[axis];
            }
            out_step *= t->dims[axis];
        }
        call->kernels->transpose(t->dims[last], t->dims[t->other],
                                 cj__at(call, call->inputs[0].data, from), t->steps[last],
                                 cj__at(call, call->outputs[0].data, to), ldy);
    }
}

static cj_status run_transpose(const cj__call *call)
{
    const cj__operand *x = &call->inputs[0];
    const int *order = ((const cj__transpose_attrs *)call->attrs)->order, rank = x->type.shape.rank;
    turn t = {.call = call, .rank = rank, .other = -1, .size = cj_dtype_size(x->type.dtype)};
    const int64_t count = cj__count(x);
    if (count == 0 || rank == 0) {
        memcpy(call->outputs[0].data, x->data, cj__bytes(x));
        return CJ_OK;
    }
    for (int i = 0; i < rank; i++) {
        t.dims[i] = x->type.shape.dims[order[i]];
        t.steps[i] = cj__span(&x->type.shape, order[i] + 1, rank);
        if (order[i] == rank - 1)
            t.other = i;
    }
    const int64_t cols = t.dims[rank - 1];
    if (t.other == rank - 1 || !cj__is_real(x->type.dtype))
        cj__each_item(call, count / cols, cols, turn_task, &t);
    else
        cj__each_item(call, count / cols / t.dims[t.other], cols * t.dims[t.other], block_task, &t);
    return CJ_OK;
}

static void gradient_transpose(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                               cj_symbol **dx)
{
    const int *order = ((const cj__transpose_attrs *)(const void *)node->attrs)->order;
    int inverse[CJ_MAX_RANK] = {0};
    for (int i = 0; i < node->types[0].shape.rank; i++)
        inverse[order[i]] = i;
    dx[0] = cj__transpose(g, dy[0], inverse);
}

const cj__op cj__op_transpose = {
    .name = "transpose",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .attrs_size = CJ__ATTRS_SIZE(cj__transpose_attrs),
    .infer = infer_transpose,
    .gradient = gradient_transpose,
    .run = run_transpose,
};

// reverse: y[.., i, ..] = x[.., n - 1 - i, ..] along attrs.axis.
static cj_status infer_reverse(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return cj__need_axis(r, &r->inputs[0], ((cj__axis_attrs *)r->attrs)->axis, true);
}

static void reverse_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj_shape *shape = &call->inputs[0].type.shape;
    const int axis = ((const cj__axis_attrs *)call->attrs)->axis;
    const int64_t n = shape->dims[axis];
    const size_t bytes =
        (size_t)cj__span(shape, axis + 1, shape->rank) * cj_dtype_size(call->inputs[0].type.dtype);
    const char *x = call->inputs[0].data;
    char *y = call->outputs[0].data;
    for (int64_t block = begin; block < end; block++) {
        const int64_t i = block % n, first = block - i;
        memcpy(y + (size_t)block * bytes, x + (size_t)(first + n - 1 - i) * bytes, bytes);
    }
}

static cj_status run_reverse(const cj__call *call)
{
    const cj_shape *shape = &call->inputs[0].type.shape;
    const int axis = ((const cj__axis_attrs *)call->attrs)->axis;
    if (cj__count(&call->inputs[0]) > 0)
        cj__each_item(call, cj__span(shape, 0, axis + 1), cj__span(shape, axis + 1, shape->rank),
                      reverse_task, (void *)(uintptr_t)call);
    return CJ_OK;
}

static void gradient_reverse(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    dx[0] = cj__reverse(g, dy[0], ((const cj__axis_attrs *)(const void *)node->attrs)->axis);
}

const cj__op cj__op_reverse = {
    .name = "reverse",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .attrs_size = CJ__ATTRS_SIZE(cj__axis_attrs),
    .infer = infer_reverse,
    .gradient = gradient_reverse,
    .run = run_reverse,
};
