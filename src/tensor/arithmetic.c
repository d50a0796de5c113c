// Element-wise arithmetic and random numbers, for loops of the user's own. Training runs on the
// kernels of the graph; these walk over elements one by one.
#include "tensor/tensor.h"

#include "base/error.h"
#include "base/random.h"

#include <math.h>
#include <stdio.h>

// One operation on one element, in double and in integers, which saturate.
typedef struct operation {
    const char *name;
    double (*reals)(double a, double b);
    bool (*integers)(int64_t a, int64_t b, int64_t *result); // true if the result overflows
} operation;

static double add_reals(double a, double b)
{
    return a + b;
}

static double subtract_reals(double a, double b)
{
    return a - b;
}

static double multiply_reals(double a, double b)
{
    return a * b;
}

static bool add_integers(int64_t a, int64_t b, int64_t *result)
{
    return __builtin_add_overflow(a, b, result);
}

static bool subtract_integers(int64_t a, int64_t b, int64_t *result)
{
    return __builtin_sub_overflow(a, b, result);
}

static bool multiply_integers(int64_t a, int64_t b, int64_t *result)
{
    return __builtin_mul_overflow(a, b, result);
}

static const operation add = {"add", add_reals, add_integers},
                       subtract = {"subtract", subtract_reals, subtract_integers},
                       multiply = {"multiply", multiply_reals, multiply_integers};

// An operand as it is read: its axes are those of the result, with step 0 where it is broadcast.
typedef struct operand {
    cj_dtype dtype;
    const char *data;
    int64_t steps[CJ_MAX_RANK]; // in elements
} operand;

// Lays an operand against the axes of the result, the last axis against the last. False if it does
// not fit.
static bool lay_out(const cj_tensor *tensor, const cj_shape *result, operand *o)
{
    const int extra = result->rank - tensor->shape.rank;
    *o = (operand){.dtype = tensor->dtype, .data = tensor->data};
    if (extra < 0)
        return false;
    for (int i = 0; i < tensor->shape.rank; i++) {
        if (tensor->shape.dims[i] != 1 && tensor->shape.dims[i] != result->dims[i + extra])
            return false;
        o->steps[i + extra] = tensor->shape.dims[i] == 1 ? 0 : tensor->strides[i];
    }
    return true;
}

static bool is_integer(cj_dtype dtype)
{
    return dtype == CJ_I32 || dtype == CJ_I64 || dtype == CJ_U8 || dtype == CJ_BOOL;
}

static int64_t load_integer(const operand *o, int64_t offset)
{
    int64_t value;
    cj__convert(o->dtype, o->data + offset * (int64_t)cj_dtype_size(o->dtype), CJ_I64, &value, 1);
    return value;
}

static void compute_integer(const operation *op, const operand *a, int64_t at_a, const operand *b,
                            int64_t at_b, cj_dtype dtype, char *to)
{
    const int64_t x = load_integer(a, at_a), y = load_integer(b, at_b);
    int64_t value;
    if (op->integers(x, y, &value)) // the sign of the true result says which way
        value = op->reals((double)x, (double)y) < 0 ? INT64_MIN : INT64_MAX;
    cj__convert(CJ_I64, &value, dtype, to, 1);
}

// Goes over the elements of the result from axis `axis` on.
static void compute(const operation *op, const operand *a, int64_t at_a, const operand *b,
                    int64_t at_b, cj_tensor *to, int64_t at, int axis)
{
    if (axis < to->shape.rank) {
        for (int64_t i = 0; i < to->shape.dims[axis]; i++)
            compute(op, a, at_a + i * a->steps[axis], b, at_b + i * b->steps[axis], to,
                    at + i * to->strides[axis], axis + 1);
        return;
    }
    if (is_integer(a->dtype) && is_integer(b->dtype) && is_integer(to->dtype))
        compute_integer(op, a, at_a, b, at_b, to->dtype,
                        to->data + at * (int64_t)cj_dtype_size(to->dtype));
    else
        cj__element_set(to->dtype, to->data, at,
                        op->reals(cj__element_get(a->dtype, a->data, at_a),
                                  cj__element_get(b->dtype, b->data, at_b)));
}

static cj_status apply(const operation *op, cj_tensor *to, const cj_tensor *a, const cj_tensor *b)
{
    char sentence[64], texts[3][160];
    if (!to || !a || !b) {
        snprintf(sentence, sizeof sentence, "%s: the %s", op->name,
                 !to ? "result" :
                 !a  ? "first operand" :
                       "second operand");
        return cj__fail_missing(CJ__MADE_TENSOR, sentence);
    }
    for (int i = 0; i < 3; i++)
        CJ_TRY(cj__tensor_need_numbers((const cj_tensor *[]){to, a, b}[i], op->name));
    operand first, second;
    if (!lay_out(a, &to->shape, &first) || !lay_out(b, &to->shape, &second))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %s and %s do not give a result of shape %s",
                        op->name, cj_shape_text(&a->shape, texts[0], sizeof texts[0]),
                        cj_shape_text(&b->shape, texts[1], sizeof texts[1]),
                        cj_shape_text(&to->shape, texts[2], sizeof texts[2]));
    compute(op, &first, 0, &second, 0, to, 0, 0);
    return CJ_OK;
}

cj_status cj_tensor_add(cj_tensor *to, const cj_tensor *a, const cj_tensor *b)
{
    return apply(&add, to, a, b);
}

cj_status cj_tensor_subtract(cj_tensor *to, const cj_tensor *a, const cj_tensor *b)
{
    return apply(&subtract, to, a, b);
}

cj_status cj_tensor_multiply(cj_tensor *to, const cj_tensor *a, const cj_tensor *b)
{
    return apply(&multiply, to, a, b);
}

cj_status cj_tensor_scale(cj_tensor *to, const cj_tensor *a, double factor)
{
    cj_tensor scalar = {.object = CJ__OBJECT_INIT(NULL), .dtype = CJ_F64, .data = (char *)&factor};
    return apply(&(operation){"scale", multiply_reals, multiply_integers}, to, a, &scalar);
}

// The numbers of a random fill: element k, counted in row-major order, is a function of the key and
// of k.
typedef struct numbers {
    double (*draw)(uint64_t key, uint64_t step, uint64_t index);
    uint64_t key, next;
    double offset, factor;
} numbers;

static void fill_random(cj_tensor *tensor, int64_t at, int axis, numbers *n)
{
    if (axis == tensor->shape.rank) {
        cj__element_set(tensor->dtype, tensor->data, at,
                        n->offset + n->factor * n->draw(n->key, 0, n->next++));
        return;
    }
    for (int64_t i = 0; i < tensor->shape.dims[axis]; i++)
        fill_random(tensor, at + i * tensor->strides[axis], axis + 1, n);
}

cj_status cj_tensor_fill_uniform(cj_tensor *tensor, uint64_t seed, double low, double high)
{
    if (!tensor)
        return cj__fail_missing(CJ__MADE_TENSOR, "fill_uniform: the tensor");
    CJ_TRY(cj__tensor_need_numbers(tensor, "fill_uniform"));
    if (!(low <= high) || !isfinite(high - low))
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "fill_uniform: from %g to %g, needed are finite bounds, the lower one first", low,
            high);
    fill_random(tensor, 0, 0,
                &(numbers){cj__random_uniform, cj__key(seed, "uniform"), 0, low, high - low});
    return CJ_OK;
}

cj_status cj_tensor_fill_normal(cj_tensor *tensor, uint64_t seed, double mean, double stddev)
{
    if (!tensor)
        return cj__fail_missing(CJ__MADE_TENSOR, "fill_normal: the tensor");
    CJ_TRY(cj__tensor_need_numbers(tensor, "fill_normal"));
    if (!isfinite(mean) || !isfinite(stddev) || stddev < 0)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "fill_normal: mean %g and standard deviation %g, needed are finite numbers, "
            "the deviation not negative",
            mean, stddev);
    fill_random(tensor, 0, 0,
                &(numbers){cj__random_normal, cj__key(seed, "normal"), 0, mean, stddev});
    return CJ_OK;
}
