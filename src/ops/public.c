// The operators of cajal/graph.h: each takes its arguments over, appends one op, and returns the
// result floating.
#include "ops/build.h"
#include "ops/infer.h"
#include "ops/word_settings.h"

#include <math.h>

cj_dtype cj_symbol_dtype(const cj_symbol *symbol)
{
    return symbol ? cj__symbol_type(symbol)->dtype : CJ_F32;
}

const cj_shape *cj_symbol_shape(const cj_symbol *symbol)
{
    return symbol ? &cj__symbol_type(symbol)->shape : NULL;
}

static cj_symbol *binary(cj__binary function, const cj__word *word, cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL, *operands[] = {a, b};
    if (cj__build_take(&g, operands, 2) == CJ_OK)
        y = cj__apply_binary(&g, function, a, b);
    return cj__word_result(&g, y, word, operands, 2, NULL);
}

static cj_symbol *unary(cj__unary function, const cj__word *word, cj_symbol *x)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, &x, 1) == CJ_OK)
        y = cj__apply_unary(&g, function, x, 0, 0);
    return cj__word_result(&g, y, word, &x, 1, NULL);
}

#define BINARY(name, function)                                            \
    cj_symbol *name(cj_symbol *a, cj_symbol *b)                           \
    {                                                                     \
        return binary(CJ__BINARY_##function, &cj__word_##function, a, b); \
    }
BINARY(cj_op_add, add)
BINARY(cj_op_subtract, subtract)
BINARY(cj_op_multiply, multiply)
BINARY(cj_op_divide, divide)
BINARY(cj_op_maximum, maximum)
BINARY(cj_op_minimum, minimum)

#define UNARY(name, function)                                        \
    cj_symbol *name(cj_symbol *x)                                    \
    {                                                                \
        return unary(CJ__UNARY_##function, &cj__word_##function, x); \
    }
UNARY(cj_op_negative, negative)
UNARY(cj_op_exp, exp)
UNARY(cj_op_log, log)
UNARY(cj_op_sqrt, sqrt)
UNARY(cj_op_square, square)
UNARY(cj_op_absolute, absolute)
UNARY(cj_op_relu, relu)

cj_symbol *cj_op_matmul(cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){a, b}, 2) == CJ_OK)
        y = cj_symbol_shape(b)->rank > 2 && cj_symbol_shape(a)->rank >= 2 ?
                cj__einsum(&g, "...ab,...bc->...ac", a, b) :
                cj__matmul(&g, a, b, false, false);
    return cj__word_result(&g, y, &cj__word_matmul, (cj_symbol *[]){a, b}, 2, NULL);
}

cj_symbol *cj_op_einsum(const char *equation, cj_symbol *a, cj_symbol *b)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, (cj_symbol *[]){a, b}, 2) == CJ_OK) {
        if (equation)
            y = cj__einsum(&g, equation, a, b);
        else
            cj__build_refuse(&g, cj__fail(CJ_INVALID_ARGUMENT, "einsum: equation is NULL"));
    }
    return cj__word_result(&g, y, &cj__word_einsum, (cj_symbol *[]){a, b}, 2,
                           &(cj__einsum_settings){equation});
}

static cj_symbol *attention(cj_symbol *const *inputs, int count, double scale, bool causal)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    const cj__attention_settings settings = {isnan(scale) ? (double)INFINITY : scale, causal};
    if (cj__build_take(&g, inputs, count) == CJ_OK) {
        const cj_shape *q = cj_symbol_shape(inputs[0]);
        if (isnan(scale) && q->rank > 0 && q->dims[q->rank - 1] > 0)
            scale = 1 / sqrt((double)q->dims[q->rank - 1]);
        y = cj__attention(&g, inputs[0], inputs[1], inputs[2], count == 4 ? inputs[3] : NULL, scale,
                          causal);
    }
    return cj__word_result(&g, y, &cj__word_attention, inputs, count, &settings);
}

cj_symbol *cj_op_attention(cj_symbol *query, cj_symbol *key, cj_symbol *value, double scale,
                           bool causal)
{
    return attention((cj_symbol *[]){query, key, value}, 3, scale, causal);
}

cj_symbol *cj_op_masked_attention(cj_symbol *query, cj_symbol *key, cj_symbol *value,
                                  cj_symbol *mask, double scale, bool causal)
{
    return attention((cj_symbol *[]){query, key, value, mask}, 4, scale, causal);
}

cj_symbol *cj_op_reshape(cj_symbol *x, cj_shape shape)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, &x, 1) == CJ_OK)
        y = cj__reshape(&g, x, &shape);
    cj__reshape_settings settings = {{0}};
    for (int i = 0; y && i < cj_symbol_shape(y)->rank; i++)
        settings.newshape[i] = cj_symbol_shape(y)->dims[i];
    return cj__word_result(&g, y, &cj__word_reshape, &x, 1, &settings);
}

// The mask of a list of axes, negative ones from the end; NULL for all.
static cj_status mask_of(const cj_symbol *x, const int *axes, int count, uint32_t *mask)
{
    const int rank = cj_symbol_shape(x)->rank;
    *mask = axes ? 0 : cj__all_axes(x);
    for (int i = 0; axes && i < count; i++) {
        const int axis = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (axis < 0 || axis >= rank)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "reduction: axis %d is outside the %d axes of the symbol", axes[i],
                            rank);
        *mask |= 1u << axis;
    }
    return CJ_OK;
}

static cj_symbol *reduce(const cj__op *op, const cj__word *word, cj_symbol *x, const int *axes,
                         int count)
{
    cj__build g = {0};
    const cj__axes_settings settings = cj__axes_of(axes, count);
    cj_symbol *y = NULL;
    cj__reduce_attrs attrs = {0};
    if (cj__build_take(&g, &x, 1) == CJ_OK && mask_of(x, axes, count, &attrs.axes) == CJ_OK)
        y = cj__append(&g, op, &attrs, &x, 1);
    return cj__word_result(&g, y, word, &x, 1, &settings);
}

cj_symbol *cj_op_reduce_sum(cj_symbol *x, const int *axes, int count)
{
    return reduce(&cj__op_reduce_sum, &cj__word_reduce_sum, x, axes, count);
}

cj_symbol *cj_op_reduce_mean(cj_symbol *x, const int *axes, int count)
{
    return reduce(&cj__op_reduce_mean, &cj__word_reduce_mean, x, axes, count);
}

cj_symbol *cj_op_cast(cj_symbol *x, cj_dtype dtype)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, &x, 1) == CJ_OK)
        y = cj__cast(&g, x, dtype);
    return cj__word_result(&g, y, &cj__word_cast, &x, 1,
                           &(cj__cast_settings){cj_dtype_name(dtype)});
}

cj_symbol *cj_op_stop_gradient(cj_symbol *x)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    if (cj__build_take(&g, &x, 1) == CJ_OK)
        y = cj__stop_gradient(&g, x);
    return cj__word_result(&g, y, &cj__word_stop_gradient, &x, 1, NULL);
}
