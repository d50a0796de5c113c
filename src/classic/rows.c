// Reads samples and labels from tensors: see rows.h.
#include "classic/rows.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <string.h>

static cj_status check_finite(const cj__rows *rows, const char *who)
{
    for (int64_t i = 0; i < rows->count; i++) {
        const float *row = cj__rows_at(rows, i);
        uint32_t any = 0;
        for (int64_t p = 0; p < rows->width; p++) {
            uint32_t bits;
            memcpy(&bits, &row[p], sizeof bits);
            any |= (bits & 0x7f800000u) == 0x7f800000u; // the exponent of NaN and infinity
        }
        if (any)
            return cj__fail(
                CJ_INVALID_ARGUMENT,
                "%s: sample %lld has a NaN or an infinity (as float32), it has no distance", who,
                (long long)i);
    }
    return CJ_OK;
}

cj_status cj__rows_open(const cj_tensor *tensor, const char *who, cj__rows *rows)
{
    *rows = (cj__rows){0};
    if (!tensor)
        return cj__fail_missing(CJ__MADE_TENSOR, who);
    const cj_shape *shape = &tensor->shape;
    if (shape->rank == 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s is a scalar, it needs samples along its first axis",
                        who);
    if (shape->dims[0] == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s has no samples", who);
    const int64_t elements = cj_shape_count(shape);
    if (elements == 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s has samples without elements", who);

    rows->bytes = tensor->dtype == CJ_U8;
    rows->count = shape->dims[0];
    rows->width = elements / shape->dims[0];
    if (cj_tensor_contiguous(tensor) && (rows->bytes || tensor->dtype == CJ_F32)) {
        rows->tensor = cj_retain(tensor);
    } else {
        cj_tensor *copy = NULL;
        const cj_status status = cj_tensor_convert(tensor, rows->bytes ? CJ_U8 : CJ_F32, &copy);
        if (status != CJ_OK) {
            *rows = (cj__rows){0};
            return status;
        }
        rows->tensor = copy;
    }
    rows->data = rows->tensor->data;
    const cj_status status = rows->bytes ? CJ_OK : check_finite(rows, who);
    if (status != CJ_OK)
        cj__rows_close(rows);
    return status;
}

void cj__rows_close(cj__rows *rows)
{
    cj_release(rows->tensor);
    *rows = (cj__rows){0};
}

const void *cj__rows_at(const cj__rows *rows, int64_t index)
{
    return rows->data +
           (size_t)(index * rows->width) * (rows->bytes ? sizeof(uint8_t) : sizeof(float));
}

cj__rows cj__rows_slice(const cj__rows *rows, int64_t begin, int64_t count)
{
    cj__rows slice = *rows;
    slice.data = cj__rows_at(rows, begin);
    slice.count = count;
    return slice;
}

static cj_status check_labels(const cj_tensor *tensor, int64_t count, const char *who)
{
    if (!tensor)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: there are no labels, the data set needs one target",
                        who);
    const cj_dtype dtype = tensor->dtype;
    if (dtype != CJ_U8 && dtype != CJ_I32 && dtype != CJ_I64)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: labels are %s, they need to be class numbers: uint8, int32 or int64",
                        who, cj_dtype_name(dtype));
    const cj_shape *shape = &tensor->shape;
    if (shape->rank < 1 || shape->dims[0] != count || cj_shape_count(shape) != count) {
        char text[160];
        return cj__fail(
            CJ_SHAPE_MISMATCH, "%s: labels have the shape %s, they need (%lld) or (%lld, 1)", who,
            cj_shape_text(shape, text, sizeof text), (long long)count, (long long)count);
    }
    return CJ_OK;
}

cj_status cj__labels_read(const cj_tensor *tensor, int64_t count, const char *who, int32_t **labels)
{
    *labels = NULL;
    CJ_TRY(check_labels(tensor, count, who));
    cj_tensor *wide = NULL;
    CJ_TRY(cj_tensor_convert(tensor, CJ_I64, &wide));
    int32_t *numbers = cj__new((size_t)count, sizeof *numbers);
    cj_status status = numbers ? CJ_OK : CJ_OUT_OF_MEMORY;
    const int64_t *given = (const int64_t *)(const void *)wide->data;
    for (int64_t i = 0; status == CJ_OK && i < count; i++) {
        if (given[i] < 0 || given[i] > INT32_MAX)
            status =
                cj__fail(CJ_INVALID_ARGUMENT,
                         "%s: label %lld of sample %lld is out of range, it needs 0 to 2147483647",
                         who, (long long)given[i], (long long)i);
        numbers[i] = (int32_t)given[i];
    }
    cj_release(wide);
    if (status == CJ_OK)
        *labels = numbers;
    else
        cj__free(numbers);
    return status;
}
