// Shape rules' helpers: see infer.h.
#include "ops/infer.h"

bool cj__is_real(cj_dtype dtype)
{
    return dtype == CJ_F32 || dtype == CJ_F64;
}

const char *cj__shape_words(const cj_shape *shape, char text[CJ__SHAPE_TEXT])
{
    return cj_shape_text(shape, text, CJ__SHAPE_TEXT);
}

cj_status cj__need_real(const cj__inference *r, int index, const cj__type *like)
{
    const cj_dtype dtype = r->inputs[index].dtype;
    if (!cj__is_real(dtype))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d is %s, needs float32 or float64",
                        r->op->name, index, cj_dtype_name(dtype));
    if (like && like->dtype != dtype)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d is %s, needs %s as the others",
                        r->op->name, index, cj_dtype_name(dtype), cj_dtype_name(like->dtype));
    return CJ_OK;
}

cj_status cj__need_dtype(const cj__inference *r, int index, cj_dtype dtype)
{
    if (r->inputs[index].dtype != dtype)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d is %s, needs %s", r->op->name, index,
                        cj_dtype_name(r->inputs[index].dtype), cj_dtype_name(dtype));
    return CJ_OK;
}

cj_status cj__need_rank(const cj__inference *r, int index, int low, int high)
{
    const cj_shape *shape = &r->inputs[index].shape;
    char text[CJ__SHAPE_TEXT];
    if (shape->rank >= low && shape->rank <= high)
        return CJ_OK;
    if (low == high)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d has shape %s, needs %d axes", r->op->name,
                        index, cj__shape_words(shape, text), low);
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d has shape %s, needs %d to %d axes",
                    r->op->name, index, cj__shape_words(shape, text), low, high);
}

cj_status cj__need_same_shape(const cj__inference *r, const cj__type *a, const cj__type *b)
{
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    if (cj_shape_equal(&a->shape, &b->shape))
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: shapes %s and %s must be equal", r->op->name,
                    cj__shape_words(&a->shape, first), cj__shape_words(&b->shape, second));
}

cj_status cj__need_axis(const cj__inference *r, const cj__type *input, int axis, bool free_too)
{
    char text[CJ__SHAPE_TEXT];
    if (axis < 0 || axis >= input->shape.rank)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is outside the %d axes of %s",
                        r->op->name, axis, input->shape.rank, cj__shape_words(&input->shape, text));
    if (!free_too && input->shape.dims[axis] < 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: axis %d of %s is free, needs a known length",
                        r->op->name, axis, cj__shape_words(&input->shape, text));
    return CJ_OK;
}

cj_status cj__broadcast(const cj__inference *r, const cj_shape *a, const cj_shape *b,
                        cj_shape *result)
{
    char first[CJ__SHAPE_TEXT], second[CJ__SHAPE_TEXT];
    cj_shape shape = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < shape.rank; i++) {
        const int in_a = i - (shape.rank - a->rank), in_b = i - (shape.rank - b->rank);
        const int64_t p = in_a < 0 ? 1 : a->dims[in_a], q = in_b < 0 ? 1 : b->dims[in_b];
        if (p != q && p != 1 && q != 1)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: shapes %s and %s do not broadcast", r->op->name,
                            cj__shape_words(a, first), cj__shape_words(b, second));
        shape.dims[i] = p == 1 ? q : p;
    }
    *result = shape;
    return cj__check_output(r, result);
}

cj_status cj__check_output(const cj__inference *r, const cj_shape *shape)
{
    char text[CJ__SHAPE_TEXT];
    int64_t count = 1;
    int free_axes = 0;
    for (int i = 0; i < shape->rank; i++) {
        const int64_t length = shape->dims[i];
        free_axes += length < 0;
        if (length > 0 && count > INT64_MAX / 16 / length)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: result %s is too large", r->op->name,
                            cj__shape_words(shape, text));
        count *= length > 0 ? length : 1;
    }
    if (free_axes > 1)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: result %s would have %d free axes, at most one is possible",
                        r->op->name, cj__shape_words(shape, text), free_axes);
    return CJ_OK;
}

int cj__free_axis(const cj_shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return i;
    return -1;
}

int64_t cj__length_for(int64_t length, int64_t batch)
{
    return length < 0 ? -length * batch : length;
}

int64_t cj__span(const cj_shape *shape, int begin, int end)
{
    int64_t count = 1;
    for (int i = begin; i < end; i++)
        count *= shape->dims[i];
    return count;
}

cj_shape cj__reduced_shape(const cj_shape *shape, uint32_t axes, bool keepdims)
{
    cj_shape result = {0};
    for (int i = 0; i < shape->rank; i++) {
        if (!(axes >> i & 1))
            result.dims[result.rank++] = shape->dims[i];
        else if (keepdims)
            result.dims[result.rank++] = 1;
    }
    return result;
}
