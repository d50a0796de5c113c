// Views: other shapes and orders of the same elements. A view retains the tensor that it looks at
// and does not take a floating one over, because the maker of that tensor goes on using it.
#include "tensor/tensor.h"

#include "base/error.h"
#include <stdio.h>

static cj_status check_arguments(const char *what, const cj_tensor *tensor, cj_tensor **view)
{
    char sentence[64];
    if (tensor && view)
        return CJ_OK;
    snprintf(sentence, sizeof sentence, "%s: %s", what,
             tensor ? "the place for the view" : "the tensor");
    return tensor ? cj__fail_null(sentence) : cj__fail_missing(CJ__MADE_TENSOR, sentence);
}

// A view of the whole tensor; the caller narrows it.
static cj_status whole(const cj_tensor *tensor, cj_tensor **view)
{
    cj_shape shape = tensor->shape;
    CJ_TRY(cj__tensor_over(tensor->dtype, &shape, tensor->data, view));
    for (int i = 0; i < shape.rank; i++)
        (*view)->strides[i] = tensor->strides[i];
    (*view)->base = cj_retain(tensor);
    return CJ_OK;
}

cj_status cj_tensor_slice(const cj_tensor *tensor, int axis, int64_t begin, int64_t length,
                          cj_tensor **view)
{
    CJ_TRY(check_arguments("slice", tensor, view));
    *view = NULL;
    int rank = tensor->shape.rank, from_first = axis < 0 ? axis + rank : axis;
    if (from_first < 0 || from_first >= rank)
        return cj__fail(CJ_INVALID_ARGUMENT, "slice: axis %d of a tensor of rank %d", axis, rank);
    int64_t extent = tensor->shape.dims[from_first];
    if (begin < 0 || length < 0 || begin > extent || length > extent - begin)
        return cj__fail(CJ_INVALID_ARGUMENT, "slice: %lld entries from %lld along an axis of %lld",
                        (long long)length, (long long)begin, (long long)extent);
    CJ_TRY(whole(tensor, view));
    (*view)->shape.dims[from_first] = length;
    (*view)->data =
        tensor->data + begin * tensor->strides[from_first] * (int64_t)cj_dtype_size(tensor->dtype);
    return CJ_OK;
}

cj_status cj_tensor_reshape(const cj_tensor *tensor, cj_shape shape, cj_tensor **view)
{
    CJ_TRY(check_arguments("reshape", tensor, view));
    *view = NULL;
    char from[160], to[160];
    cj_shape_text(&tensor->shape, from, sizeof from);
    if (shape.rank < 0 || shape.rank > CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT, "reshape: rank %d is not from 0 to %d", shape.rank,
                        CJ_MAX_RANK);
    cj_shape_text(&shape, to, sizeof to);
    if (!cj_tensor_contiguous(tensor))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "reshape: a view with gaps, %s, cannot become %s: convert it first", from,
                        to);
    int64_t count = cj_tensor_count(tensor), known = 1;
    int unknown = -1;
    for (int i = 0; i < shape.rank; i++) {
        bool open = shape.dims[i] == -1;
        if ((open && unknown >= 0) || (!open && shape.dims[i] < 0) ||
            (!open && __builtin_mul_overflow(known, shape.dims[i], &known)))
            return cj__fail(CJ_INVALID_ARGUMENT, "reshape: a length of %s is impossible", to);
        unknown = open ? i : unknown;
    }
    if (unknown >= 0 && known > 0)
        shape.dims[unknown] = count / known;
    if (cj_shape_count(&shape) != count)
        return cj__fail(CJ_SHAPE_MISMATCH, "reshape: %s, %lld elements, cannot become %s", from,
                        (long long)count, to);
    CJ_TRY(cj__tensor_over(tensor->dtype, &shape, tensor->data, view));
    (*view)->base = cj_retain(tensor);
    return CJ_OK;
}

cj_status cj_tensor_transpose(const cj_tensor *tensor, const int *order, cj_tensor **view)
{
    CJ_TRY(check_arguments("transpose", tensor, view));
    *view = NULL;
    int rank = tensor->shape.rank;
    if (!order && rank > 0)
        return cj__fail_null("transpose: the order of the axes");
    unsigned seen = 0;
    for (int i = 0; i < rank; i++) {
        if (order[i] < 0 || order[i] >= rank || (seen >> order[i] & 1u) != 0)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "transpose: entry %d, axis %d, does not make an order of %d axes", i,
                            order[i], rank);
        seen |= 1u << order[i];
    }
    CJ_TRY(whole(tensor, view));
    for (int i = 0; i < rank; i++) {
        (*view)->shape.dims[i] = tensor->shape.dims[order[i]];
        (*view)->strides[i] = tensor->strides[order[i]];
    }
    return CJ_OK;
}
