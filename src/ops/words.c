// What the bodies of the public operators share: see words.h.
#include "base/memory.h"
#include "ops/words.h"
#include "ops/infer.h"

bool cj__is_integer(cj_dtype dtype)
{
    return dtype == CJ_I32 || dtype == CJ_I64 || dtype == CJ_U8 || dtype == CJ_BOOL;
}

// ---- Arguments ----

cj_symbol *cj__word_refuse(cj__build *g, cj_status status)
{
    cj__build_refuse(g, status);
    return NULL;
}

cj_status cj__word_give(cj__build *g, cj_symbol *const *symbols, int count, cj_symbol **outputs)
{
    int given = 0;
    for (int i = 0; outputs && i < count; i++)
        outputs[i] = NULL;
    while (g->status == CJ_OK && given < count) {
        outputs[given] = cj__build_result(&(cj__build){0}, symbols[given]);
        if (outputs[given])
            given++;
        else
            cj__build_refuse(g, CJ_OUT_OF_MEMORY);
    }
    for (int i = 0; g->status != CJ_OK && i < given; i++) {
        cj_release(outputs[i]);
        outputs[i] = NULL;
    }
    return cj__build_end(g);
}

bool cj__word_axis(cj__build *g, const char *who, int rank, int axis, int *place)
{
    *place = axis < 0 ? axis + rank : axis;
    if (*place >= 0 && *place < rank)
        return true;
    cj__build_refuse(
        g, cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is outside the %d axes", who, axis, rank));
    return false;
}

bool cj__word_fixed_axis(cj__build *g, const char *who, const cj_symbol *x, int axis, int *place)
{
    if (!x || !cj__word_axis(g, who, cj_symbol_shape(x)->rank, axis, place))
        return false;
    if (cj_symbol_shape(x)->dims[*place] >= 0)
        return true;
    cj__build_refuse(g,
                     cj__fail(CJ_INVALID_ARGUMENT,
                              "%s: axis %d is the free one, whose length is not known", who, axis));
    return false;
}

bool cj__word_axes(cj__build *g, const char *who, const cj_symbol *x, const int *axes, int count,
                   uint32_t *mask)
{
    int place = 0;
    *mask = axes ? 0 : cj__all_axes(x);
    for (int i = 0; axes && i < count; i++) {
        if (!cj__word_axis(g, who, cj_symbol_shape(x)->rank, axes[i], &place))
            return false;
        *mask |= 1u << place;
    }
    return true;
}

bool cj__word_list(cj__build *g, const char *who, cj_symbol *const *xs, int count, int most)
{
    if (xs && count >= 1 && count <= most)
        return true;
    cj__build_refuse(g, xs || count < 1 ?
                            cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: %d symbols given, needed are 1 to %d", who, count, most) :
                            cj__fail_null_of(who, "the list of symbols"));
    return false;
}

bool cj__word_known(cj__build *g, const char *who, const cj_symbol *x)
{
    char text[CJ__SHAPE_TEXT];
    if (!x)
        return false;
    if (cj__free_axis(cj_symbol_shape(x)) < 0)
        return true;
    cj__build_refuse(g,
                     cj__fail(CJ_SHAPE_MISMATCH, "%s: of the shape %s every length must be known",
                              who, cj__shape_words(cj_symbol_shape(x), text)));
    return false;
}

// ---- Dtypes ----

cj_symbol *cj__word_real(cj__build *g, cj_symbol *x)
{
    return x && cj__is_integer(cj_symbol_dtype(x)) ? cj__cast(g, x, CJ_F32) : x;
}

cj_dtype cj__word_common(cj_dtype a, cj_dtype b)
{
    static const int order[CJ_DTYPE_COUNT] = {
        [CJ_BOOL] = 0, [CJ_U8] = 1,  [CJ_I32] = 2, [CJ_I64] = 3,
        [CJ_BF16] = 4, [CJ_F32] = 5, [CJ_F64] = 6};
    return order[a] > order[b] ? a : b;
}

void cj__word_join(cj__build *g, cj_symbol **a, cj_symbol **b)
{
    if (!*a || !*b)
        return;
    const cj_dtype dtype = cj__word_common(cj_symbol_dtype(*a), cj_symbol_dtype(*b));
    *a = cj__cast(g, *a, dtype);
    *b = cj__cast(g, *b, dtype);
}

cj_symbol *cj__word_binary(cj__build *g, cj__binary real, cj__integer integer, cj_symbol *a,
                           cj_symbol *b)
{
    cj__word_join(g, &a, &b);
    if (!a || !b || !cj__is_integer(cj_symbol_dtype(a)))
        return cj__apply_binary(g, real, a, b);
    if (cj_symbol_dtype(a) == CJ_BOOL)
        a = cj__cast(g, a, CJ_I32), b = cj__cast(g, b, CJ_I32);
    return cj__apply_integer(g, integer, a, b);
}

// The comparisons are in one order in both lists.
cj_symbol *cj__word_compare(cj__build *g, cj__comparison real, cj_symbol *a, cj_symbol *b)
{
    cj__word_join(g, &a, &b);
    if (!a || !b || !cj__is_integer(cj_symbol_dtype(a)))
        return cj__compare(g, real, a, b);
    return cj__apply_integer(g, (cj__integer)((int)CJ__INTEGER_equal + (int)real), a, b);
}

cj_symbol *cj__word_choose(cj__build *g, cj_symbol *condition, cj_symbol *a, cj_symbol *b)
{
    cj__word_join(g, &a, &b);
    if (!condition || !a || !b)
        return cj__build_keep(g, NULL);
    if (cj_symbol_dtype(condition) != CJ_BOOL)
        condition = cj__word_compare(g, CJ__COMPARISON_not_equal, condition,
                                     cj__cast(g, cj__scalar(g, CJ_F32, 0), CJ_BOOL));
    if (!cj__is_integer(cj_symbol_dtype(a)))
        return cj__select(g, condition, a, b);
    return cj__append(g, &cj__op_int_select, NULL, (cj_symbol *[]){condition, a, b}, 3);
}

cj_symbol *cj__word_wide(cj__build *g, cj_symbol *x)
{
    return x && cj__is_integer(cj_symbol_dtype(x)) ? cj__cast(g, x, CJ_F64) : x;
}

// ---- Constants ----

cj_symbol *cj__word_tensor(cj__build *g, cj_status status, cj_tensor *tensor)
{
    if (status != CJ_OK || g->status != CJ_OK) {
        cj_release(tensor);
        return cj__word_refuse(g, status);
    }
    return cj__build_keep(g, cj_symbol_constant(tensor));
}

cj_symbol *cj__word_ints(cj__build *g, const int64_t *numbers, int64_t count)
{
    cj_tensor *tensor = NULL;
    const cj_status status = cj_tensor_new(CJ_I32, CJ_SHAPE(count), &tensor);
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        ((int32_t *)cj_tensor_data(tensor))[i] = (int32_t)numbers[i];
    return cj__word_tensor(g, status, tensor);
}

cj_symbol *cj__word_range(cj__build *g, int64_t begin, int64_t count)
{
    cj_tensor *tensor = NULL;
    const cj_status status = cj_tensor_new(CJ_I32, CJ_SHAPE(count), &tensor);
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        ((int32_t *)cj_tensor_data(tensor))[i] = (int32_t)(begin + i);
    return cj__word_tensor(g, status, tensor);
}

// ---- Shapes ----

cj_symbol *cj__word_along(cj__build *g, cj_symbol *numbers, int rank, int axis)
{
    cj_shape shape = {.rank = rank};
    if (!numbers)
        return NULL;
    for (int i = 0; i < rank; i++)
        shape.dims[i] = i == axis ? cj_symbol_shape(numbers)->dims[0] : 1;
    return cj__reshape(g, numbers, &shape);
}

cj_symbol *cj__word_pick(cj__build *g, cj_symbol *x, int axis, const int64_t *places, int64_t count)
{
    if (!x)
        return NULL;
    cj_symbol *indices = cj__word_ints(g, places, count);
    return cj__take_along(g, x, cj__word_along(g, indices, cj_symbol_shape(x)->rank, axis), axis);
}

cj_symbol *cj__word_copies(cj__build *g, cj_symbol *x, int axis, int64_t count)
{
    int64_t *places = cj__new((size_t)count, sizeof *places); // all 0
    if (!places) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    cj_symbol *y = cj__word_pick(g, x, axis, places, count);
    cj__free(places);
    return y;
}

cj_symbol *cj__word_expand(cj__build *g, cj_symbol *x, int axis)
{
    if (!x)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(x);
    if (shape->rank == CJ_MAX_RANK)
        return cj__word_refuse(
            g, cj__fail(CJ_SHAPE_MISMATCH, "the result would have more than %d axes", CJ_MAX_RANK));
    cj_shape longer = {.rank = shape->rank + 1};
    for (int i = 0; i < longer.rank; i++)
        longer.dims[i] = i == axis ? 1 : shape->dims[i < axis ? i : i - 1];
    return cj__reshape(g, x, &longer);
}

cj_symbol *cj__word_drop(cj__build *g, cj_symbol *x, int axis)
{
    if (!x)
        return NULL;
    cj_shape shape = cj__reduced_shape(cj_symbol_shape(x), 1u << axis, false);
    return cj__reshape(g, x, &shape);
}

cj_symbol *cj__word_move(cj__build *g, cj_symbol *x, int from, int to)
{
    int order[CJ_MAX_RANK], next = 0;
    if (!x || from == to)
        return x;
    for (int i = 0; i < cj_symbol_shape(x)->rank; i++) {
        if (next == from)
            next++;
        order[i] = i == to ? from : next++;
    }
    return cj__transpose(g, x, order);
}

cj_symbol *cj__word_stretch(cj__build *g, cj_symbol *x, cj_symbol *like)
{
    if (!x || !like)
        return NULL;
    cj_symbol *zero = cj__broadcast_like(g, cj__scalar(g, CJ_F32, 0), like);
    if (cj__is_integer(cj_symbol_dtype(x))) {
        cj_symbol *other = cj__cast(g, zero, cj_symbol_dtype(x));
        return cj__apply_integer(g, CJ__INTEGER_or, x, other);
    }
    cj_symbol *always = cj__compare(g, CJ__COMPARISON_equal, zero, cj__scalar(g, CJ_F32, 0));
    return cj__select(g, always, x, cj__scalar_like(g, x, 0));
}

cj_symbol *cj__word_flat(cj__build *g, cj_symbol *x)
{
    if (!x)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(x);
    cj_shape flat = {.rank = 1, .dims = {1}};
    bool is_free = false;
    for (int i = 0; i < shape->rank; i++) {
        is_free |= shape->dims[i] < 0;
        flat.dims[0] *= shape->dims[i] < 0 ? -shape->dims[i] : shape->dims[i];
    }
    flat.dims[0] *= is_free ? -1 : 1;
    return shape->rank == 1 ? x : cj__reshape(g, x, &flat);
}
