// The operators of cajal/graph.h: each takes its arguments over, appends one op, and returns the
// result floating.
#include "ops/build.h"
#include "ops/infer.h"
#include "ops/words.h"

#include <math.h>

cj_dtype cj_symbol_dtype(const cj_symbol *symbol)
{
    return symbol ? cj__symbol_type(symbol)->dtype : CJ_F32;
}

const cj_shape *cj_symbol_shape(const cj_symbol *symbol)
{
    return symbol ? &cj__symbol_type(symbol)->shape : NULL;
}

#define BINARY(function)                                                             \
    cj_symbol *cj_op_##function(cj_symbol *a, cj_symbol *b)                          \
    {                                                                                \
        CJ__TAKE_2(a, b)                                                             \
        y = cj__word_binary(g, CJ__BINARY_##function, CJ__INTEGER_##function, a, b); \
        CJ__GIVE_OF_2(function, a, b);                                               \
    }
BINARY(add)
BINARY(subtract)
BINARY(multiply)
BINARY(maximum)
BINARY(minimum)

cj_symbol *cj_op_divide(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        y = cj__div(g, cj__word_real(g, a), cj__word_real(g, b));
    }
    CJ__GIVE_WORD(divide, operands, 2, NULL);
}

#define UNARY(function)                                                                      \
    cj_symbol *cj_op_##function(cj_symbol *x)                                                \
    {                                                                                        \
        CJ__TAKE(x) y = cj__apply_unary(g, CJ__UNARY_##function, cj__word_real(g, x), 0, 0); \
        CJ__GIVE_OF(function, x, NULL);                                                      \
    }
UNARY(exp)
UNARY(log)
UNARY(sqrt)

// Integers have these too: they go through float64, which holds them up to 2^53.
#define WIDE(function)                                                               \
    cj_symbol *cj_op_##function(cj_symbol *x)                                        \
    {                                                                                \
        CJ__TAKE(x)                                                                  \
        {                                                                            \
            y = cj__apply_unary(g, CJ__UNARY_##function, cj__word_wide(g, x), 0, 0); \
            y = cj__cast(g, y, cj_symbol_dtype(x));                                  \
        }                                                                            \
        CJ__GIVE_OF(function, x, NULL);                                              \
    }
WIDE(negative)
WIDE(square)
WIDE(absolute)
WIDE(relu)

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
    // a fourth is the mask
    const cj__attention_settings settings = {.given = count == 4 ? 1 + 2 + 4 + 16 : 0,
                                             .scale = isnan(scale) ? (double)INFINITY : scale,
                                             .is_causal = causal};
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
