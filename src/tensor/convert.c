// Elements one by one and in runs: reading, writing and converting between dtypes.
#include "tensor/tensor.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static double bf16_to_double(uint16_t bits)
{
    uint32_t word = (uint32_t)bits << 16;
    float value = 0;
    memcpy(&value, &word, sizeof(value));
    return value;
}

// To nearest, ties to even; NaN keeps a set bit that survives the cut.
static uint16_t float_to_bf16(float value)
{
    uint32_t word = 0;
    memcpy(&word, &value, sizeof(word));
    if (value != value)
        return (uint16_t)(word >> 16 | 0x40u);
    return (uint16_t)((word + 0x7FFFu + (word >> 16 & 1u)) >> 16);
}

// Towards zero, saturating; NaN becomes 0. The limits are exact or round outwards as doubles, hence the >=.
static int64_t to_integer(double value, int64_t low, int64_t high)
{
    if (value != value)
        return 0;
    if (value >= (double)high)
        return high;
    return value <= (double)low ? low : (int64_t)value;
}

double cj__element_get(cj_dtype dtype, const void *data, int64_t index)
{
    switch (dtype) { // the one place, with its twin below, where a dtype becomes a C type
    case CJ_F32:
        return ((const float *)data)[index];
    case CJ_F64:
        return ((const double *)data)[index];
    case CJ_BF16:
        return bf16_to_double(((const uint16_t *)data)[index]);
    case CJ_I32:
        return ((const int32_t *)data)[index];
    case CJ_I64:
        return (double)((const int64_t *)data)[index];
    default:
        return ((const uint8_t *)data)[index];
    }
}

void cj__element_set(cj_dtype dtype, void *data, int64_t index, double value)
{
    switch (dtype) {
    case CJ_F32:
        ((float *)data)[index] = (float)value;
        break;
    case CJ_F64:
        ((double *)data)[index] = value;
        break;
    case CJ_BF16:
        ((uint16_t *)data)[index] = float_to_bf16((float)value);
        break;
    case CJ_I32:
        ((int32_t *)data)[index] = (int32_t)to_integer(value, INT32_MIN, INT32_MAX);
        break;
    case CJ_I64:
        ((int64_t *)data)[index] = to_integer(value, INT64_MIN, INT64_MAX);
        break;
    case CJ_BOOL:
        ((uint8_t *)data)[index] = value != 0;
        break;
    default:
        ((uint8_t *)data)[index] = (uint8_t)to_integer(value, 0, 255);
        break;
    }
}

void cj__convert(cj_dtype from, const void *source, cj_dtype to, void *target, int64_t count)
{
    if (from == to) {
        if (count != 0)
            memcpy(target, source, (size_t)count * cj_dtype_size(to));
        return;
    }
    if (from == CJ_I64 && to == CJ_I32) { // doubles would lose the low bits of large integers
        for (int64_t i = 0; i < count; i++) {
            int64_t value = ((const int64_t *)source)[i];
            ((int32_t *)target)[i] = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
        }
        return;
    }
    for (int64_t i = 0; i < count; i++)
        cj__element_set(to, target, i, cj__element_get(from, source, i));
}

// Walks the rows (runs along the last axis) of two tensors of one shape.
static void copy_axes(const cj_tensor *from, int64_t from_offset, cj_tensor *to, int64_t to_offset, int axis)
{
    int64_t length = axis < from->shape.rank ? from->shape.dims[axis] : 1;
    int64_t from_step = axis < from->shape.rank ? from->strides[axis] : 1;
    int64_t to_step = axis < from->shape.rank ? to->strides[axis] : 1;
    if (axis + 1 < from->shape.rank) {
        for (int64_t i = 0; i < length; i++)
            copy_axes(from, from_offset + i * from_step, to, to_offset + i * to_step, axis + 1);
        return;
    }
    size_t from_size = cj_dtype_size(from->dtype), to_size = cj_dtype_size(to->dtype);
    const char *source = from->data + from_offset * (int64_t)from_size;
    char *target = to->data + to_offset * (int64_t)to_size;
    if (from_step == 1 && to_step == 1) {
        cj__convert(from->dtype, source, to->dtype, target, length);
        return;
    }
    for (int64_t i = 0; i < length; i++)
        cj__convert(from->dtype, source + i * from_step * (int64_t)from_size, to->dtype,
                    target + i * to_step * (int64_t)to_size, 1);
}

cj_status cj_tensor_copy(cj_tensor *to, const cj_tensor *from)
{
    if (!cj_shape_equal(&to->shape, &from->shape)) {
        char a[160], b[160];
        return cj__fail(CJ_SHAPE_MISMATCH, "copy: shape %s does not fit %s",
                        cj_shape_text(&from->shape, a, sizeof(a)), cj_shape_text(&to->shape, b, sizeof(b)));
    }
    if (cj_tensor_count(to) == 0)
        return CJ_OK;
    if (cj_tensor_contiguous(to) && cj_tensor_contiguous(from))
        cj__convert(from->dtype, from->data, to->dtype, to->data, cj_tensor_count(to));
    else
        copy_axes(from, 0, to, 0, 0);
    return CJ_OK;
}

cj_status cj_tensor_convert(const cj_tensor *tensor, cj_dtype dtype, cj_tensor **copy)
{
    CJ_TRY(cj_tensor_new(dtype, tensor->shape, copy));
    return cj_tensor_copy(*copy, tensor);
}

static cj_status offset_of(const cj_tensor *tensor, const int64_t *index, int64_t *offset)
{
    *offset = 0;
    for (int i = 0; i < tensor->shape.rank; i++) {
        if (index[i] < 0 || index[i] >= tensor->shape.dims[i])
            return cj__fail(CJ_INVALID_ARGUMENT, "tensor: index %lld along axis %d of length %lld", (long long)index[i],
                            i, (long long)tensor->shape.dims[i]);
        *offset += index[i] * tensor->strides[i];
    }
    return CJ_OK;
}

double cj_tensor_get(const cj_tensor *tensor, const int64_t *index)
{
    int64_t offset = 0;
    return offset_of(tensor, index, &offset) == CJ_OK ? cj__element_get(tensor->dtype, tensor->data, offset) : NAN;
}

cj_status cj_tensor_set(cj_tensor *tensor, const int64_t *index, double value)
{
    int64_t offset = 0;
    CJ_TRY(offset_of(tensor, index, &offset));
    cj__element_set(tensor->dtype, tensor->data, offset, value);
    return CJ_OK;
}

static void fill_axes(cj_tensor *tensor, int64_t offset, int axis, double value)
{
    if (axis == tensor->shape.rank) {
        cj__element_set(tensor->dtype, tensor->data, offset, value);
        return;
    }
    for (int64_t i = 0; i < tensor->shape.dims[axis]; i++)
        fill_axes(tensor, offset + i * tensor->strides[axis], axis + 1, value);
}

void cj_tensor_fill(cj_tensor *tensor, double value)
{
    fill_axes(tensor, 0, 0, value);
}
