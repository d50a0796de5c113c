// Reading, writing and converting elements between dtypes, one by one and in runs.
#include "tensor/strings.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

// Every dtype is loaded as the widest value of its class, exactly: a double for reals, an int64_t
// for integers. Storing rounds once (reals, to nearest even) or cuts towards zero and saturates
// (integers). A NaN becomes the integer 0.

static double load_F32(const float *at)
{
    return (double)*at;
}

static double load_F64(const double *at)
{
    return *at;
}

static double load_BF16(const uint16_t *at)
{
    const uint32_t word = (uint32_t)*at << 16;
    float value;
    memcpy(&value, &word, sizeof value);
    return (double)value;
}

static int64_t load_I32(const int32_t *at)
{
    return *at;
}

static int64_t load_I64(const int64_t *at)
{
    return *at;
}

static int64_t load_U8(const uint8_t *at)
{
    return *at;
}

static int64_t load_BOOL(const uint8_t *at)
{
    return *at != 0;
}

static double load_STRING(const uint64_t *at)
{
    (void)at;
    return NAN;
}

// The float next to `value` towards zero if it is not exact, with its last bit set: "round to odd"
// (Boldo and Melquiond 2008), after which a second rounding to fewer bits gives what one rounding
// would have given.
static float to_odd_float(double value)
{
    float rounded = (float)value;
    if (isnan(value) || isinf(value) || (double)rounded == value)
        return rounded;
    uint32_t word;
    memcpy(&word, &rounded, sizeof word);
    if (fabs((double)rounded) > fabs(value))
        word--;
    word |= 1u;
    memcpy(&rounded, &word, sizeof word);
    return rounded;
}

// NaN keeps a set bit that survives the cut.
static uint16_t to_bf16(double value)
{
    const float odd = to_odd_float(value);
    uint32_t word;
    memcpy(&word, &odd, sizeof word);
    if (isnan(value))
        return (uint16_t)(word >> 16 | 0x40u);
    return (uint16_t)((word + 0x7fffu + (word >> 16 & 1u)) >> 16);
}

// 2^63 is the first double above the integers; INT64_MAX itself is not representable.
static int64_t to_integer(double value)
{
    if (isnan(value))
        return 0;
    if (value >= 0x1p63)
        return INT64_MAX;
    return value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

// What an element of each dtype is in C: STORED(dtype, element type, widest type).
#define STORED(X)             \
    X(F32, float, double)     \
    X(F64, double, double)    \
    X(BF16, uint16_t, double) \
    X(I32, int32_t, int64_t)  \
    X(I64, int64_t, int64_t)  \
    X(U8, uint8_t, int64_t)   \
    X(BOOL, uint8_t, int64_t) \
    X(STRING, uint64_t, double)

// How a widest value becomes an element: one macro a dtype, for a double and for an int64_t.
#define STORE_F32(from_double, value)  ((float)(value))
#define STORE_F64(from_double, value)  ((double)(value))
#define STORE_BF16(from_double, value) to_bf16((double)(value))
#define WHOLE(from_double, value)      ((from_double) ? to_integer((double)(value)) : (int64_t)(value))
#define STORE_I32(from_double, value) \
    ((int32_t)clamp(WHOLE(from_double, value), INT32_MIN, INT32_MAX))
#define STORE_I64(from_double, value)    WHOLE(from_double, value)
#define STORE_U8(from_double, value)     ((uint8_t)clamp(WHOLE(from_double, value), 0, UINT8_MAX))
#define STORE_BOOL(from_double, value)   ((uint8_t)((value) != 0))
#define STORE_STRING(from_double, value) ((uint64_t)((void)(value), 0))

typedef double wide_double;
typedef int64_t wide_int64_t;
enum { wide_double_is_double = 1, wide_int64_t_is_double = 0 };

// One loop for each pair, so that common ones (bytes to floats) become vector code.
#define DEFINE_RUN(from, FromType, Wide, to, ToType)                               \
    static void run_##from##_##to(const void *source, void *target, int64_t count) \
    {                                                                              \
        const FromType *const s = source;                                          \
        ToType *const t = target;                                                  \
        for (int64_t i = 0; i < count; i++) {                                      \
            const wide_##Wide value = load_##from(&s[i]);                          \
            t[i] = STORE_##to(wide_##Wide##_is_double, value);                     \
        }                                                                          \
    }
#define DEFINE_RUNS(from, FromType, Wide)            \
    DEFINE_RUN(from, FromType, Wide, F32, float)     \
    DEFINE_RUN(from, FromType, Wide, F64, double)    \
    DEFINE_RUN(from, FromType, Wide, BF16, uint16_t) \
    DEFINE_RUN(from, FromType, Wide, I32, int32_t)   \
    DEFINE_RUN(from, FromType, Wide, I64, int64_t)   \
    DEFINE_RUN(from, FromType, Wide, U8, uint8_t)    \
    DEFINE_RUN(from, FromType, Wide, BOOL, uint8_t)  \
    DEFINE_RUN(from, FromType, Wide, STRING, uint64_t)
STORED(DEFINE_RUNS)

typedef void run(const void *source, void *target, int64_t count);

static run *const runs[CJ_DTYPE_COUNT][CJ_DTYPE_COUNT] = {
#define RUNS_FROM(from, FromType, Wide)                                        \
    [CJ_##from] = {[CJ_F32] = run_##from##_F32,   [CJ_F64] = run_##from##_F64, \
                   [CJ_BF16] = run_##from##_BF16, [CJ_I32] = run_##from##_I32, \
                   [CJ_I64] = run_##from##_I64,   [CJ_U8] = run_##from##_U8,   \
                   [CJ_BOOL] = run_##from##_BOOL, [CJ_STRING] = run_##from##_STRING},
    STORED(RUNS_FROM)
#undef RUNS_FROM
};

void cj__convert(cj_dtype from, const void *source, cj_dtype to, void *target, int64_t count)
{
    if (count <= 0)
        return;
    if (from == to)
        memmove(target, source, (size_t)count * cj_dtype_size(to));
    else
        runs[from][to](source, target, count);
}

double cj__element_get(cj_dtype dtype, const void *data, int64_t index)
{
    double value;
    cj__convert(dtype, (const char *)data + index * (int64_t)cj_dtype_size(dtype), CJ_F64, &value,
                1);
    return value;
}

void cj__element_set(cj_dtype dtype, void *data, int64_t index, double value)
{
    cj__convert(CJ_F64, &value, dtype, (char *)data + index * (int64_t)cj_dtype_size(dtype), 1);
}

// Walks the rows (runs along the last axis) of two tensors of one shape.
static void copy_axes(const cj_tensor *from, int64_t from_offset, cj_tensor *to, int64_t to_offset,
                      int axis)
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
    if (!to || !from)
        return cj__fail_missing(CJ__MADE_TENSOR, to ? "copy: the tensor to copy from" :
                                                      "copy: the tensor to copy to");
    if (!cj_shape_equal(&to->shape, &from->shape)) {
        char a[160], b[160];
        return cj__fail(CJ_SHAPE_MISMATCH, "copy: shape %s does not fit %s",
                        cj_shape_text(&from->shape, a, sizeof a),
                        cj_shape_text(&to->shape, b, sizeof b));
    }
    if ((to->dtype == CJ_STRING) != (from->dtype == CJ_STRING))
        return cj__fail(CJ_INVALID_ARGUMENT, "copy: %s does not become %s: texts are no numbers",
                        cj_dtype_name(from->dtype), cj_dtype_name(to->dtype));
    if (to->dtype == CJ_STRING && (to->base || !cj_tensor_contiguous(to)))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "copy: texts are copied into whole tensors, not into views");
    if (cj_tensor_count(to) == 0)
        return CJ_OK;
    if (cj_tensor_contiguous(to) && cj_tensor_contiguous(from))
        cj__convert(from->dtype, from->data, to->dtype, to->data, cj_tensor_count(to));
    else
        copy_axes(from, 0, to, 0, 0);
    return cj__strings_own(to);
}

cj_status cj_tensor_convert(const cj_tensor *tensor, cj_dtype dtype, cj_tensor **copy)
{
    if (!tensor || !copy)
        return tensor ? cj__fail_null("convert: the place for the copy") :
                        cj__fail_missing(CJ__MADE_TENSOR, "convert: the tensor");
    CJ_TRY(cj_tensor_new(dtype, tensor->shape, copy));
    const cj_status status = cj_tensor_copy(*copy, tensor);
    if (status != CJ_OK) {
        cj_release(*copy);
        *copy = NULL;
    }
    return status;
}

cj_status cj__tensor_offset(const cj_tensor *tensor, const int64_t *index, int64_t *offset)
{
    if (!tensor || (!index && tensor->shape.rank > 0))
        return tensor ? cj__fail_null("tensor: the index") :
                        cj__fail_missing(CJ__MADE_TENSOR, "the tensor");
    *offset = 0;
    for (int i = 0; i < tensor->shape.rank; i++) {
        if (index[i] < 0 || index[i] >= tensor->shape.dims[i])
            return cj__fail(CJ_INVALID_ARGUMENT, "tensor: index %lld along axis %d of length %lld",
                            (long long)index[i], i, (long long)tensor->shape.dims[i]);
        *offset += index[i] * tensor->strides[i];
    }
    return CJ_OK;
}

double cj_tensor_get(const cj_tensor *tensor, const int64_t *index)
{
    int64_t offset = 0;
    return cj__tensor_need_numbers(tensor, "cj_tensor_get") == CJ_OK &&
                   cj__tensor_offset(tensor, index, &offset) == CJ_OK ?
               cj__element_get(tensor->dtype, tensor->data, offset) :
               NAN;
}

cj_status cj_tensor_set(cj_tensor *tensor, const int64_t *index, double value)
{
    int64_t offset = 0;
    CJ_TRY(cj__tensor_need_numbers(tensor, "cj_tensor_set"));
    CJ_TRY(cj__tensor_offset(tensor, index, &offset));
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
    if (tensor)
        fill_axes(tensor, 0, 0, value);
}
