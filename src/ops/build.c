// The functions of build.h for arithmetic, reductions and shapes. build_network.c has the others.
#include "base/memory.h"
#include "ops/build.h"
#include "ops/families.h"
#include "ops/infer.h"

cj_symbol *cj__apply_unary(cj__build *g, cj__unary function, cj_symbol *x, double a, double b)
{
    return cj__append(g, cj__unary_ops[function], &(cj__unary_attrs){a, b}, &x, 1);
}

cj_symbol *cj__apply_binary(cj__build *g, cj__binary function, cj_symbol *a, cj_symbol *b)
{
    return cj__append(g, cj__binary_ops[function], NULL, (cj_symbol *[]){a, b}, 2);
}

cj_symbol *cj__compare(cj__build *g, cj__comparison function, cj_symbol *a, cj_symbol *b)
{
    return cj__append(g, cj__comparison_ops[function], NULL, (cj_symbol *[]){a, b}, 2);
}

cj_symbol *cj__select(cj__build *g, cj_symbol *condition, cj_symbol *a, cj_symbol *b)
{
    return cj__append(g, &cj__op_select, NULL, (cj_symbol *[]){condition, a, b}, 3);
}

cj_symbol *cj__add(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return cj__apply_binary(g, CJ__BINARY_add, a, b);
}

cj_symbol *cj__sub(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return cj__apply_binary(g, CJ__BINARY_subtract, a, b);
}

cj_symbol *cj__mul(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return cj__apply_binary(g, CJ__BINARY_multiply, a, b);
}

cj_symbol *cj__div(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return cj__apply_binary(g, CJ__BINARY_divide, a, b);
}

cj_symbol *cj__scalar(cj__build *g, cj_dtype dtype, double value)
{
    return g->status == CJ_OK ? cj__build_keep(g, cj_symbol_scalar(dtype, value)) : NULL;
}

cj_symbol *cj__scalar_like(cj__build *g, const cj_symbol *x, double value)
{
    return x ? cj__scalar(g, cj__symbol_type(x)->dtype, value) : cj__build_keep(g, NULL);
}

cj_symbol *cj__scale(cj__build *g, cj_symbol *x, double factor)
{
    return cj__mul(g, x, cj__scalar_like(g, x, factor));
}

cj_symbol *cj__shift(cj__build *g, cj_symbol *x, double term)
{
    return cj__add(g, x, cj__scalar_like(g, x, term));
}

cj_symbol *cj__cast(cj__build *g, cj_symbol *x, cj_dtype dtype)
{
    if (x && g->status == CJ_OK && cj__symbol_type(x)->dtype == dtype)
        return x;
    return cj__append(g, &cj__op_cast, &(cj__cast_attrs){dtype}, &x, 1);
}

cj_symbol *cj__stop_gradient(cj__build *g, cj_symbol *x)
{
    return cj__append(g, &cj__op_stop_gradient, NULL, &x, 1);
}

cj_symbol *cj__rescale(cj__build *g, cj_symbol *x, double scale, double offset, cj_dtype dtype)
{
    const cj__rescale_attrs attrs = {.scale = scale, .offset = offset, .dtype = dtype};
    // Bytes stay bytes: a cast to reals just before is left out, as the op reads either.
    if (x && cj__symbol_is(x, &cj__op_cast) && cj__symbol_type(x->node->inputs[0])->dtype == CJ_U8)
        x = x->node->inputs[0];
    return cj__append(g, &cj__op_rescale, &attrs, &x, 1);
}

static cj_symbol *reduce(cj__build *g, const cj__op *op, cj_symbol *x, uint32_t axes, bool keepdims)
{
    return cj__append(g, op, &(cj__reduce_attrs){axes, keepdims}, &x, 1);
}

cj_symbol *cj__sum(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims)
{
    return reduce(g, &cj__op_reduce_sum, x, axes, keepdims);
}

cj_symbol *cj__mean(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims)
{
    return reduce(g, &cj__op_reduce_mean, x, axes, keepdims);
}

void cj__moments(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims, cj_symbol **mean,
                 cj_symbol **variance)
{
    cj_symbol *both[2] = {NULL, NULL};
    const cj_status status =
        cj__append_many(g, &cj__op_moments, &(cj__reduce_attrs){axes, keepdims}, &x, 1, both);
    *mean = status == CJ_OK ? both[0] : NULL;
    *variance = status == CJ_OK ? both[1] : NULL;
}

cj_symbol *cj__divide_by_count(cj__build *g, cj_symbol *x, cj_symbol *like)
{
    return cj__append(g, &cj__op_divide_by_count, NULL, (cj_symbol *[]){x, like}, 2);
}

cj_symbol *cj__max(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims)
{
    return reduce(g, &cj__op_reduce_max, x, axes, keepdims);
}

cj_symbol *cj__min(cj__build *g, cj_symbol *x, uint32_t axes, bool keepdims)
{
    return reduce(g, &cj__op_reduce_min, x, axes, keepdims);
}

cj_symbol *cj__argmax(cj__build *g, cj_symbol *x, int axis)
{
    return cj__append(g, &cj__op_argmax, &(cj__axis_attrs){axis}, &x, 1);
}

// sum_like and broadcast_like; x itself where the shapes are equal already.
static cj_symbol *stretch(cj__build *g, const cj__op *op, cj_symbol *x, cj_symbol *like, bool mean)
{
    if (x && like && g->status == CJ_OK &&
        cj_shape_equal(&cj__symbol_type(x)->shape, &cj__symbol_type(like)->shape))
        return x;
    return cj__append(g, op, &(cj__stretch_attrs){mean}, (cj_symbol *[]){x, like}, 2);
}

cj_symbol *cj__sum_like(cj__build *g, cj_symbol *x, cj_symbol *like)
{
    return stretch(g, &cj__op_sum_like, x, like, false);
}

cj_symbol *cj__mean_like(cj__build *g, cj_symbol *x, cj_symbol *like)
{
    return stretch(g, &cj__op_sum_like, x, like, true);
}

cj_symbol *cj__broadcast_like(cj__build *g, cj_symbol *x, cj_symbol *like)
{
    return stretch(g, &cj__op_broadcast_like, x, like, false);
}

cj_symbol *cj__share_like(cj__build *g, cj_symbol *x, cj_symbol *like)
{
    return stretch(g, &cj__op_broadcast_like, x, like, true);
}

uint32_t cj__all_axes(const cj_symbol *x)
{
    return x ? (1u << cj__symbol_type(x)->shape.rank) - 1 : 0;
}

cj_symbol *cj__reshape(cj__build *g, cj_symbol *x, const cj_shape *shape)
{
    const cj__reshape_attrs attrs = cj__reshape_attrs_of(shape);
    return cj__append(g, &cj__op_reshape, &attrs, &x, 1);
}

cj_symbol *cj__reshape_to(cj__build *g, cj_symbol *x, const cj__type *type)
{
    return cj__reshape(g, x, &type->shape);
}

cj_symbol *cj__transpose(cj__build *g, cj_symbol *x, const int *order)
{
    cj__transpose_attrs attrs = {{0}};
    for (int i = 0; x && i < cj__symbol_type(x)->shape.rank; i++)
        attrs.order[i] = order[i];
    return cj__append(g, &cj__op_transpose, &attrs, &x, 1);
}

cj_symbol *cj__concat(cj__build *g, cj_symbol *const *inputs, int count, int axis)
{
    return cj__append(g, &cj__op_concat, &(cj__axis_attrs){axis}, inputs, count);
}

cj_symbol *cj__slice(cj__build *g, cj_symbol *x, int axis, int64_t begin, int64_t length)
{
    return cj__append(g, &cj__op_slice, &(cj__slice_attrs){axis, begin, length}, &x, 1);
}

cj_symbol *cj__pad(cj__build *g, cj_symbol *x, int axis, int64_t before, int64_t after)
{
    return cj__append(g, &cj__op_pad, &(cj__slice_attrs){axis, before, after}, &x, 1);
}

cj_status cj__unstack(cj__build *g, cj_symbol *x, int axis, cj_symbol **outputs)
{
    return cj__append_many(g, &cj__op_unstack, &(cj__axis_attrs){axis}, &x, 1, outputs);
}

cj_symbol *cj__stack(cj__build *g, cj_symbol *const *inputs, int count, int axis)
{
    return cj__append(g, &cj__op_stack, &(cj__axis_attrs){axis}, inputs, count);
}

cj_symbol *cj__reverse(cj__build *g, cj_symbol *x, int axis)
{
    return cj__append(g, &cj__op_reverse, &(cj__axis_attrs){axis}, &x, 1);
}
