// The operators of cajal/ops_index.h.
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_index.h>
#include <string.h>

// ---- Order ----

static cj_symbol *order_of(cj__build *g, const char *who, cj_symbol *x, int axis, bool values)
{
    int place = 0;
    if (!cj__word_axis(g, who, cj_symbol_shape(x)->rank, axis, &place))
        return NULL;
    cj_symbol *order = cj__argsort(g, x, place, false);
    return values ? cj__take_along(g, x, order, place) : order;
}

cj_symbol *cj_op_sort(cj_symbol *x, int axis)
{
    CJ__TAKE(x) y = order_of(g, "sort", x, axis, true);
    CJ__GIVE_OF(sort, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_argsort(cj_symbol *x, int axis)
{
    CJ__TAKE(x) y = order_of(g, "argsort", x, axis, false);
    CJ__GIVE_OF(argsort, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_argpartition(cj_symbol *x, int64_t kth, int axis)
{
    int place = 0;
    CJ__TAKE(x)
    {
        if (cj__word_fixed_axis(g, "argpartition", x, axis, &place)) {
            const int64_t n = cj_symbol_shape(x)->dims[place];
            if (kth < -n || kth >= n)
                y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                                "argpartition: element %lld of %lld",
                                                (long long)kth, (long long)n));
            else
                y = cj__argsort(g, x, place, false);
        }
    }
    CJ__GIVE_OF(argpartition, x, (&(cj__number_axis_settings){kth, {1, axis}}));
}

cj_status cj_op_top_k(cj_symbol *x, int64_t k, cj_symbol **values, cj_symbol **indices)
{
    cj__build build = {0}, *const g = &build;
    cj_symbol *both[2] = {NULL, NULL}, *given[2] = {NULL, NULL};
    int last = 0;
    if (cj__build_take(g, &x, 1) == CJ_OK && cj__word_fixed_axis(g, "top_k", x, -1, &last)) {
        const int64_t n = cj_symbol_shape(x)->dims[last];
        if (k < 0 || k > n)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "top_k: %lld of %lld entries",
                                         (long long)k, (long long)n));
        both[1] = cj__slice(g, cj__argsort(g, x, last, true), last, 0, k);
        both[0] = cj__take_along(g, x, both[1], last);
    }
    if (g->status == CJ_OK && (!values || !indices))
        cj__build_refuse(g, cj__fail_null_of("top_k", "the place for a result"));
    const cj_status status =
        cj__word_give_as(g, both, 2, given, &cj__word_top_k, &x, 1, &(cj__number_settings){k});
    if (values)
        *values = given[0];
    if (indices)
        *indices = given[1];
    return status;
}

cj_symbol *cj_op_in_top_k(cj_symbol *targets, cj_symbol *predictions, int64_t k)
{
    CJ__TAKE_2(targets, predictions)
    y = cj__in_top_k(g, cj__word_real(g, predictions), targets, k);
    CJ__GIVE_WORD(in_top_k, ((cj_symbol *[]){targets, predictions}), 2,
                  (&(cj__number_settings){k}));
}

// ---- Entries by indices ----

// Along each axis but one the common length of both; NULL with a sentence where there is none.
cj_symbol *cj_op_take_along_axis(cj_symbol *x, cj_symbol *indices, int axis)
{
    cj_symbol *const operands[] = {x, indices};
    int place = 0;
    CJ__TAKE_2(x, indices)
    {
        const cj_shape *shape = cj_symbol_shape(x), *of = cj_symbol_shape(indices);
        if (of->rank != shape->rank)
            y = cj__word_refuse(g,
                                cj__fail(CJ_SHAPE_MISMATCH,
                                         "take_along_axis: indices of %d axes for a symbol of %d",
                                         of->rank, shape->rank));
        else if (cj__word_axis(g, "take_along_axis", shape->rank, axis, &place)) {
            cj_shape wide = *of;
            bool stretch = false;
            for (int i = 0; i < wide.rank; i++) {
                wide.dims[i] = i == place ? 1 : wide.dims[i];
                stretch |= i != place && shape->dims[i] == 1 && wide.dims[i] != 1;
            }
            if (stretch) { // x, which is 1 where the indices are not
                cj_symbol *like = cj__cast(g, indices, CJ_F32);
                like = cj__max(g, like, 1u << place, true);
                x = cj__word_stretch(g, x, like);
            }
            y = cj__take_along(g, x, cj__cast(g, indices, CJ_I32), place);
        }
    }
    CJ__GIVE_WORD(take_along_axis, operands, 2, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_take_at(cj_symbol *x, cj_symbol *indices, int axis)
{
    cj_symbol *const operands[] = {x, indices};
    int place = 0;
    CJ__TAKE_2(x, indices)
    {
        const cj_shape *shape = cj_symbol_shape(x), *of = cj_symbol_shape(indices);
        if (cj__word_axis(g, "take", shape->rank, axis, &place)) {
            cj_shape result = {.rank = shape->rank - 1 + of->rank};
            for (int i = 0; i < result.rank && i < CJ_MAX_RANK; i++)
                result.dims[i] = i < place            ? shape->dims[i] :
                                 i < place + of->rank ? of->dims[i - place] :
                                                        shape->dims[i - of->rank + 1];
            cj_symbol *flat = cj__word_flat(g, cj__cast(g, indices, CJ_I32));
            flat = cj__word_along(g, flat, shape->rank, place);
            y = cj__reshape(g, cj__take_along(g, x, flat, place), &result);
        }
    }
    CJ__GIVE_WORD(take, operands, 2, (&(cj__axes_settings){{1, axis}, false}));
}

// ---- Entries put ----

// The places of rows of the first k axes of a shape, counted in row-major order, from indices (n, k); how
// many there are, and k.
static cj_symbol *rows_of(cj__build *g, const char *who, const cj_shape *shape, cj_symbol *indices,
                          int64_t *rows, int *k)
{
    const cj_shape *of = cj_symbol_shape(indices);
    cj_symbol *place = NULL;
    *rows = 1;
    *k = of->rank == 2 && of->dims[1] >= 0 && of->dims[1] <= shape->rank ? (int)of->dims[1] : 0;
    if (*k < 1)
        return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                           "%s: the indices must be (n, k), k at most %d", who,
                                           shape->rank));
    indices = cj__cast(g, indices, CJ_I32);
    for (int i = 0; i < *k; i++) {
        const int64_t length = shape->dims[i];
        cj_symbol *n = cj__word_ints(g, &length, 1), *zero = cj__word_ints(g, &(int64_t){0}, 1);
        cj_symbol *one = cj__word_flat(g, cj__slice(g, indices, 1, i, 1));
        cj_symbol *low = cj__apply_integer(g, CJ__INTEGER_less, one, zero);
        one = cj__word_choose(g, low, cj__apply_integer(g, CJ__INTEGER_add, one, n), one);
        // an index that is out of range along one axis must not count as another of the whole
        cj_symbol *good = cj__apply_integer(
            g, CJ__INTEGER_and, cj__apply_integer(g, CJ__INTEGER_greater_equal, one, zero),
            cj__apply_integer(g, CJ__INTEGER_less, one, n));
        if (place)
            one = cj__apply_integer(g, CJ__INTEGER_add,
                                    cj__apply_integer(g, CJ__INTEGER_multiply, place, n), one);
        place = cj__word_choose(g, good, one, cj__word_ints(g, &(int64_t){INT32_MIN}, 1));
        *rows *= length;
    }
    return place;
}

// The rows of `shape` that are put: (rows, ...), and of what is put there: (n, ...).
static cj_shape row_shape(const cj_shape *shape, int k, int64_t rows)
{
    cj_shape result = {.rank = shape->rank - k + 1, .dims = {rows}};
    for (int i = 1; i < result.rank; i++)
        result.dims[i] = shape->dims[i + k - 1];
    return result;
}

static bool known(cj__build *g, const char *who, const cj_shape *shape)
{
    if (cj_shape_count(shape) >= 0)
        return true;
    cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "%s: every length must be known", who));
    return false;
}

static cj_symbol *sums_at(cj__build *g, cj_symbol *rows, cj_symbol *values, int64_t count)
{
    return cj__append(g, &cj__op_gather_grad, &(cj__index_attrs){.size = count},
                      (cj_symbol *[]){rows, values}, 2);
}

cj_symbol *cj_op_scatter(cj_symbol *indices, cj_symbol *values, cj_shape shape)
{
    cj_symbol *const operands[] = {indices, values};
    double numbers[CJ_MAX_RANK];
    int64_t count = 0;
    int k = 0;
    CJ__TAKE_2(indices, values)
    {
        if (known(g, "scatter", &shape)) {
            cj_symbol *rows = rows_of(g, "scatter", &shape, indices, &count, &k);
            y = sums_at(g, rows, cj__word_wide(g, values), count);
            y = cj__cast(g, cj__reshape(g, y, &shape), cj_symbol_dtype(values));
        }
    }
    const cj__places_settings settings = {
        .first = cj__numbers_of(shape.dims, y ? shape.rank : 0, numbers)};
    CJ__GIVE_WORD(scatter, operands, 2, &settings);
}

// Each row's product of what is put there, 1 where nothing is: the running product over all, those of
// other rows being 1.
static cj_symbol *products_at(cj__build *g, cj_symbol *rows, cj_symbol *values, int64_t count)
{
    if (!rows || !values)
        return NULL;
    const int rank = cj_symbol_shape(values)->rank + 1;
    const int64_t n = cj_symbol_shape(rows)->dims[0];
    cj_symbol *own = cj__word_along(g, cj__word_range(g, 0, count), rank, 0);
    cj_symbol *in = cj__apply_integer(g, CJ__INTEGER_equal, cj__word_along(g, rows, rank, 1), own);
    cj_symbol *all =
        cj__select(g, in, cj__word_expand(g, values, 0), cj__scalar_like(g, values, 1));
    if (n < 1)
        return cj__scalar_like(g, values, 1);
    return cj__word_drop(g, cj__slice(g, cj__running_product(g, all, 1), 1, n - 1, 1), 1);
}

enum { PUT_SET, PUT_ADD, PUT_MUL, PUT_MAX, PUT_MIN, PUT_COUNT };

static cj_symbol *put(cj__build *g, int how, cj_symbol *x, cj_symbol *rows, cj_symbol *updates,
                      int64_t count)
{
    cj_symbol *wide = cj__word_wide(g, x), *values = cj__word_wide(g, updates), *y = NULL;
    if (how == PUT_SET)
        return cj__scatter_rows(g, x, rows, updates);
    if (how == PUT_ADD)
        y = cj__add(g, wide, sums_at(g, rows, values, count));
    else if (how == PUT_MUL)
        y = cj__mul(g, wide, products_at(g, rows, values, count));
    else
        y = cj__apply_binary(g, how == PUT_MAX ? CJ__BINARY_maximum : CJ__BINARY_minimum, wide,
                             cj__segment_extreme(g, values, rows, count, how == PUT_MIN));
    return x ? cj__cast(g, y, cj_symbol_dtype(x)) : NULL;
}

cj_symbol *cj_op_scatter_update(cj_symbol *x, cj_symbol *indices, cj_symbol *updates,
                                const char *reduction)
{
    cj_symbol *const operands[] = {x, indices, updates};
    static const char *const names[] = {"", "add", "mul", "max", "min"};
    int64_t count = 0;
    int k = 0, how = 0;
    CJ__TAKE_3(x, indices, updates)
    {
        const cj_shape shape = *cj_symbol_shape(x);
        while (reduction && how < PUT_COUNT && strcmp(names[how], reduction) != 0)
            how++;
        if (how == PUT_COUNT)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                         "scatter_update: reduction \"%s\" is none of \"add\", "
                                         "\"mul\", \"max\" and \"min\"",
                                         reduction));
        if (how < PUT_COUNT && known(g, "scatter_update", &shape)) {
            cj_symbol *rows = rows_of(g, "scatter_update", &shape, indices, &count, &k);
            const cj_shape flat = row_shape(&shape, k, count);
            updates = cj__cast(g, updates, cj_symbol_dtype(x));
            y = rows ? put(g, how, cj__reshape(g, x, &flat), rows, updates, count) : NULL;
            y = cj__reshape(g, y, &shape);
        }
    }
    CJ__GIVE_WORD(scatter_update, operands, 3, (&(cj__text_settings){reduction}));
}

// ---- Questions of place ----

// For each value how many of `numbers`, a vector, compare so with it: int32.
static cj_symbol *count_of(cj__build *g, cj_symbol *numbers, cj_symbol *values,
                           cj__comparison comparison)
{
    if (!numbers || !values)
        return NULL;
    const int rank = cj_symbol_shape(values)->rank;
    cj_symbol *each = cj__word_expand(g, values, rank);
    cj_symbol *all = cj__word_along(g, numbers, rank + 1, rank);
    cj_symbol *is = cj__word_compare(g, comparison, all, each);
    return cj__cast(g, cj__sum(g, cj__cast(g, is, CJ_F32), 1u << rank, false), CJ_I32);
}

cj_symbol *cj_op_searchsorted(cj_symbol *sorted, cj_symbol *values, const char *side)
{
    CJ__TAKE_2(sorted, values)
    {
        const bool right = side && strcmp(side, "right") == 0;
        if (cj_symbol_shape(sorted)->rank != 1)
            y = cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                            "searchsorted: the sorted sequence has %d axes, needed "
                                            "is 1",
                                            cj_symbol_shape(sorted)->rank));
        else if (side && !right && strcmp(side, "left") != 0)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                            "searchsorted: side \"%s\" is neither \"left\" nor "
                                            "\"right\"",
                                            side));
        else
            y = count_of(g, sorted, values,
                         right ? CJ__COMPARISON_less_equal : CJ__COMPARISON_less);
    }
    CJ__GIVE_WORD(searchsorted, ((cj_symbol *[]){sorted, values}), 2,
                  (&(cj__text_settings){side ? side : "left"}));
}

cj_symbol *cj_op_digitize(cj_symbol *x, const double *bins, int count)
{
    cj_symbol *const operand = x;
    CJ__TAKE(x)
    {
        cj_tensor *tensor = NULL;
        bool rises = true, falls = true;
        for (int i = 1; bins && i < count; i++) {
            rises = rises && bins[i - 1] <= bins[i];
            falls = falls && bins[i - 1] >= bins[i];
        }
        if (!bins || count < 1 || !(rises || falls))
            y = cj__word_refuse(g, bins ? cj__fail(CJ_INVALID_ARGUMENT,
                                                   "digitize: %d bins, which must rise or fall",
                                                   count) :
                                          cj__fail_null_of("digitize", "the list of bins"));
        else {
            x = cj__word_real(g, x);
            const cj_dtype dtype = cj_symbol_dtype(x);
            const cj_status status = cj_tensor_new(dtype, CJ_SHAPE(count), &tensor);
            for (int i = 0; status == CJ_OK && i < count; i++)
                cj__element_set(dtype, cj_tensor_data(tensor), i, bins[i]);
            y = count_of(g, cj__word_tensor(g, status, tensor), x,
                         rises ? CJ__COMPARISON_less_equal : CJ__COMPARISON_greater);
        }
    }
    CJ__GIVE_OF(digitize, operand, (&(cj__bins_settings){{bins, y ? count : 0}}));
}

cj_symbol *cj_op_isin(cj_symbol *x, cj_symbol *elements, bool invert)
{
    cj_symbol *const operands[] = {x, elements};
    CJ__TAKE_2(x, elements)
    {
        const int64_t none = 0;
        y = count_of(g, cj__word_flat(g, elements), x, CJ__COMPARISON_equal);
        y = cj__apply_integer(g, invert ? CJ__INTEGER_equal : CJ__INTEGER_greater, y,
                              cj__reshape(g, cj__word_ints(g, &none, 1), &(cj_shape){.rank = 0}));
    }
    CJ__GIVE_WORD(isin, operands, 2, (&(cj__isin_settings){invert}));
}

cj_symbol *cj_op_multi_hot(cj_symbol *labels, int64_t classes)
{
    CJ__TAKE(labels)
    {
        const int rank = cj_symbol_shape(labels)->rank;
        if (classes < 1 || rank < 1)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                            "multi_hot: %lld classes for labels of %d axes",
                                            (long long)classes, rank));
        else {
            cj_symbol *each = cj__word_expand(g, cj__cast(g, labels, CJ_I32), rank);
            cj_symbol *class = cj__word_along(g, cj__word_range(g, 0, classes), rank + 1, rank);
            y = cj__cast(g, cj__apply_integer(g, CJ__INTEGER_equal, each, class), CJ_F32);
            y = cj__max(g, y, rank > 1 ? 2 : 1, false);
        }
    }
    CJ__GIVE_OF(multi_hot, labels, (&(cj__number_settings){classes}));
}
