// Making tensors, and what can be asked of them.
#include "tensor/strings.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
#define ROW(name, text, size) {text, size},
    CJ_DTYPES(ROW)
#undef ROW
};

const char *cj_dtype_name(cj_dtype dtype)
{
    return (unsigned)dtype < CJ_DTYPE_COUNT ? dtypes[dtype].name : "unknown";
}

cj_status cj_dtype_from_name(const char *name, cj_dtype *dtype)
{
    if (!name || !dtype)
        return cj__fail_null(name ? "the place for the dtype" : "the name of the dtype");
    for (int i = 0; i < CJ_DTYPE_COUNT; i++) {
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = (cj_dtype)i;
            return CJ_OK;
        }
    }
    return cj__fail_unknown(CJ_INVALID_ARGUMENT, "dtype", name, dtypes, sizeof dtypes[0],
                            CJ_DTYPE_COUNT);
}

size_t cj_dtype_size(cj_dtype dtype)
{
    return (unsigned)dtype < CJ_DTYPE_COUNT ? dtypes[dtype].size : 0;
}

bool cj_shape_equal(const cj_shape *a, const cj_shape *b)
{
    return a && b && a->rank == b->rank && a->rank >= 0 && a->rank <= CJ_MAX_RANK &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

int64_t cj_shape_count(const cj_shape *shape)
{
    if (!shape || shape->rank < 0 || shape->rank > CJ_MAX_RANK)
        return -1;
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dims[i] < 0)
            return -1;
        if (shape->dims[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, shape->dims[i], &product))
            return -1;
    }
    return empty ? 0 : product;
}

const char *cj_shape_text(const cj_shape *shape, char *text, size_t size)
{
    if (!text || size == 0)
        return text;
    if (!shape || shape->rank < 0 || shape->rank > CJ_MAX_RANK) {
        snprintf(text, size, shape ? "(a shape of rank %d)" : "(no shape)",
                 shape ? shape->rank : 0);
        return text;
    }
    size_t used = (size_t)snprintf(text, size, "(");
    for (int i = 0; i < shape->rank && used < size; i++) {
        const char *comma = i != 0 ? ", " : "";
        if (shape->dims[i] == CJ_BATCH)
            used += (size_t)snprintf(text + used, size - used, "%sNone", comma);
        else if (shape->dims[i] < 0) // so many times the batch
            used += (size_t)snprintf(text + used, size - used, "%s%lld None", comma,
                                     -(long long)shape->dims[i]);
        else
            used += (size_t)snprintf(text + used, size - used, "%s%lld", comma,
                                     (long long)shape->dims[i]);
    }
    if (used < size)
        snprintf(text + used, size - used, shape->rank == 1 ? ",)" : ")");
    return text;
}

bool cj__type_equal(const cj__type *a, const cj__type *b)
{
    return a->dtype == b->dtype && cj_shape_equal(&a->shape, &b->shape);
}

static void destroy(void *object)
{
    cj_tensor *tensor = object;
    if (tensor->block_size != 0)
        cj__free_aligned(tensor->data, tensor->block_size);
    if (tensor->released)
        tensor->released(tensor->context);
    cj_release(tensor->base);
    cj__free(tensor);
}

static const cj__class tensor_class = {"tensor", destroy};

// Whether what a tensor of this type spans can be counted in bytes. Lengths of 0 are left out, so
// that the strides beside them, which count from element to element, cannot overflow either.
static bool is_addressable(cj_dtype dtype, const cj_shape *shape)
{
    int64_t bytes = (int64_t)cj_dtype_size(dtype);
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0 ||
            (shape->dims[i] > 0 && __builtin_mul_overflow(bytes, shape->dims[i], &bytes)))
            return false;
    return true;
}

// A tensor without memory yet: type checked, strides row major.
static cj_status new_header(cj_dtype dtype, const cj_shape *shape, cj_tensor **tensor)
{
    if (!tensor)
        return cj__fail_null("tensor: the place for the new tensor");
    *tensor = NULL;
    if ((unsigned)dtype >= CJ_DTYPE_COUNT)
        return cj__fail(CJ_INVALID_ARGUMENT, "tensor: %d is not a dtype", (int)dtype);
    if (shape->rank < 0 || shape->rank > CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT, "tensor: rank %d is not from 0 to %d", shape->rank,
                        CJ_MAX_RANK);
    if (!is_addressable(dtype, shape)) {
        char text[160];
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "tensor: shape %s has a negative length or too many elements",
                        cj_shape_text(shape, text, sizeof text));
    }
    cj_tensor *made = cj__object_new(&tensor_class, sizeof *made);
    if (!made)
        return CJ_OUT_OF_MEMORY;
    made->dtype = dtype;
    made->shape.rank = shape->rank;
    memcpy(made->shape.dims, shape->dims, (size_t)shape->rank * sizeof *shape->dims);
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        made->strides[i] = step;
        step *= shape->dims[i] > 0 ? shape->dims[i] : 1;
    }
    *tensor = made;
    return CJ_OK;
}

cj_tensor cj_no_tensor = {.data = NULL}; // known by its address

cj_status cj_tensor_new(cj_dtype dtype, cj_shape shape, cj_tensor **tensor)
{
    CJ_TRY(new_header(dtype, &shape, tensor));
    size_t bytes = (size_t)cj_shape_count(&shape) * cj_dtype_size(dtype);
    size_t block = bytes != 0 ? bytes : 1;
    (*tensor)->data = cj__new_aligned(block, 0);
    if (!(*tensor)->data) {
        cj_release(*tensor);
        *tensor = NULL;
        char text[160];
        return cj__fail(CJ_OUT_OF_MEMORY, "out of memory: %zu bytes for a tensor of shape %s",
                        bytes, cj_shape_text(&shape, text, sizeof text));
    }
    (*tensor)->block_size = block;
    return CJ_OK;
}

cj_status cj_tensor_from(cj_dtype dtype, cj_shape shape, const void *data, size_t count,
                         cj_tensor **tensor)
{
    if (!tensor || (!data && count != 0))
        return cj__fail_null(tensor ? "tensor: the data" : "tensor: the place for the new tensor");
    *tensor = NULL;
    int64_t needed = shape.rank >= 0 && shape.rank <= CJ_MAX_RANK ? cj_shape_count(&shape) : -1;
    if (needed >= 0 && (size_t)needed != count) {
        char text[160];
        return cj__fail(CJ_SHAPE_MISMATCH, "tensor: shape %s holds %lld elements, not %zu",
                        cj_shape_text(&shape, text, sizeof text), (long long)needed, count);
    }
    if (dtype == CJ_STRING)
        return cj__strings_from(&shape, &(cj_texts){.values = data, .count = needed}, tensor);
    CJ_TRY(cj_tensor_new(dtype, shape, tensor));
    if (count != 0)
        memcpy((*tensor)->data, data, count * cj_dtype_size(dtype));
    return CJ_OK;
}

cj_status cj__tensor_over(cj_dtype dtype, const cj_shape *shape, void *data, cj_tensor **tensor)
{
    CJ_TRY(new_header(dtype, shape, tensor));
    (*tensor)->data = data;
    return CJ_OK;
}

cj_status cj_tensor_borrow(cj_dtype dtype, cj_shape shape, void *data,
                           void (*released)(void *context), void *context, cj_tensor **tensor)
{
    if (dtype == CJ_STRING) {
        if (tensor)
            *tensor = NULL;
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "tensor: texts cannot be borrowed: cj_tensor_from_texts() copies them");
    }
    CJ_TRY(new_header(dtype, &shape, tensor));
    if (!data && cj_shape_count(&shape) != 0) {
        cj_release(*tensor);
        *tensor = NULL;
        return cj__fail_null("tensor: the data");
    }
    if ((uintptr_t)data % cj_dtype_size(dtype) != 0) {
        cj_release(*tensor);
        *tensor = NULL;
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "tensor: the data is at %p, and elements of %s need an address that is a "
                        "multiple of %zu",
                        data, cj_dtype_name(dtype), cj_dtype_size(dtype));
    }
    (*tensor)->data = data;
    (*tensor)->released = released;
    (*tensor)->context = context;
    return CJ_OK;
}

cj_dtype cj_tensor_dtype(const cj_tensor *tensor)
{
    return tensor ? tensor->dtype : CJ_F32;
}

const cj_shape *cj_tensor_shape(const cj_tensor *tensor)
{
    return tensor ? &tensor->shape : NULL;
}

const int64_t *cj_tensor_strides(const cj_tensor *tensor)
{
    return tensor ? tensor->strides : NULL;
}

int64_t cj_tensor_count(const cj_tensor *tensor)
{
    return tensor ? cj_shape_count(&tensor->shape) : 0;
}

void *cj_tensor_data(const cj_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

bool cj_tensor_contiguous(const cj_tensor *tensor)
{
    if (!tensor)
        return false;
    int64_t step = 1;
    for (int i = tensor->shape.rank - 1; i >= 0; i--) {
        if (tensor->shape.dims[i] == 0)
            return true;
        if (tensor->shape.dims[i] != 1 && tensor->strides[i] != step)
            return false;
        step *= tensor->shape.dims[i];
    }
    return true;
}

cj_status cj__tensor_need_numbers(const cj_tensor *tensor, const char *who)
{
    return tensor && tensor->dtype == CJ_STRING ?
               cj__fail(CJ_INVALID_ARGUMENT, "%s: the tensor holds texts, numbers are needed",
                        who) :
               CJ_OK;
}
