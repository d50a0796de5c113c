// See helpers.h.
#include "helpers.h"
#include <string.h>

static uint64_t state = 0x9E3779B97F4A7C15u;

int64_t pick(int64_t n)
{
    state ^= state << 13; // xorshift (Marsaglia 2003)
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state >> 11) % n;
}

void assert_ok(cj_status status)
{
    if (status != CJ_OK)
        fail_msg("%s: %s", cj_status_name(status), cj_error());
}

cj_tensor *random_samples(cj_dtype dtype, int64_t count, int64_t width, int64_t values)
{
    cj_tensor *x = NULL;
    assert_ok(cj_tensor_new(dtype, CJ_SHAPE(count, width), &x));
    for (int64_t i = 0; i < count * width; i++) {
        if (dtype == CJ_U8)
            ((uint8_t *)cj_tensor_data(x))[i] = (uint8_t)pick(values);
        else
            ((float *)cj_tensor_data(x))[i] = (float)pick(values);
    }
    return x;
}

cj_tensor *random_labels(int64_t count, int64_t classes)
{
    cj_tensor *y = NULL;
    assert_ok(cj_tensor_new(CJ_U8, CJ_SHAPE(count), &y));
    for (int64_t i = 0; i < count; i++)
        ((uint8_t *)cj_tensor_data(y))[i] = (uint8_t)pick(classes);
    return y;
}

cj_dataset *random_data(cj_dtype dtype, int64_t count, int64_t width, int64_t values,
                        int64_t classes)
{
    return cj_dataset(.x = {random_samples(dtype, count, width, values)},
                      .y = {random_labels(count, classes)});
}

cj_tensor *bytes_of(cj_shape shape, const uint8_t *values)
{
    cj_tensor *x = NULL;
    assert_ok(cj_tensor_from(CJ_U8, shape, values, (size_t)cj_shape_count(&shape), &x));
    return x;
}

cj_tensor *floats_of(cj_shape shape, const float *values)
{
    cj_tensor *x = NULL;
    assert_ok(cj_tensor_from(CJ_F32, shape, values, (size_t)cj_shape_count(&shape), &x));
    return x;
}

void assert_same_tensor(const cj_tensor *a, const cj_tensor *b)
{
    assert_true(cj_shape_equal(cj_tensor_shape(a), cj_tensor_shape(b)));
    assert_int_equal(cj_tensor_dtype(a), cj_tensor_dtype(b));
    assert_memory_equal(cj_tensor_data(a), cj_tensor_data(b),
                        (size_t)cj_tensor_count(a) * cj_dtype_size(cj_tensor_dtype(a)));
}
