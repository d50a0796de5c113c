// The operators of cajal/operators.h that move elements.
#include "ops/build.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include <cajal/operators.h>
#include <math.h>
#include <string.h>

#define TAKE(x)          \
    cj__build g = {0};   \
    cj_symbol *y = NULL; \
    if (cj__build_take(&g, &(x), 1) == CJ_OK)
// As the word of that name, of x, with settings or NULL.
#define GIVE(name, x, settings) return cj__word_result(&g, y, &cj__word_##name, &(x), 1, settings)

// The axis that `axis` means among `rank`; a free one, of x, only if `free_too`.
static bool axis_of(cj__build *g, const char *who, int rank, int axis, const cj_symbol *fixed,
                    int *place)
{
    *place = axis < 0 ? axis + rank : axis;
    if (*place < 0 || *place >= rank) {
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is outside the %d axes", who,
                                     axis, rank));
        return false;
    }
    if (fixed && cj_symbol_shape(fixed)->dims[*place] < 0) {
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: axis %d is the free one, whose length is not known", who,
                                     axis));
        return false;
    }
    return true;
}

cj_symbol *cj_op_transpose(cj_symbol *x, const int *order, int count)
{
    const cj__axes_settings axes = cj__axes_of(order, count);
    cj__transpose_settings settings;
    memcpy(settings.axes, axes.axis, sizeof settings.axes);
    TAKE(x)
    {
        if (order && count == cj_symbol_shape(x)->rank) {
            int all[CJ_MAX_RANK] = {0};
            for (int i = 0; i < count; i++)
                all[i] = order[i] < 0 ? order[i] + count : order[i];
            y = cj__transpose(&g, x, all);
        } else {
            cj__build_refuse(&g, order ?
                                     cj__fail(CJ_INVALID_ARGUMENT,
                                              "transpose: an order of %d axes for a symbol of %d",
                                              count, cj_symbol_shape(x)->rank) :
                                     cj__fail_null("transpose: the order"));
        }
    }
    GIVE(transpose, x, &settings);
}

cj_symbol *cj_op_expand_dims(cj_symbol *x, int axis)
{
    TAKE(x)
    {
        const cj_shape *shape = cj_symbol_shape(x);
        int place = 0;
        if (shape->rank == CJ_MAX_RANK)
            cj__build_refuse(&g,
                             cj__fail(CJ_SHAPE_MISMATCH,
                                      "expand_dims: the symbol has %d axes already", CJ_MAX_RANK));
        else if (axis_of(&g, "expand_dims", shape->rank + 1, axis, NULL, &place)) {
            cj_shape longer = {.rank = shape->rank + 1};
            for (int i = 0; i < longer.rank; i++)
                longer.dims[i] = i == place ? 1 : shape->dims[i < place ? i : i - 1];
            y = cj__reshape(&g, x, &longer);
        }
    }
    GIVE(expand_dims, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_squeeze(cj_symbol *x, int axis)
{
    TAKE(x)
    {
        const cj_shape *shape = cj_symbol_shape(x);
        int place = 0;
        if (axis_of(&g, "squeeze", shape->rank, axis, NULL, &place)) {
            cj_shape shorter = {.rank = shape->rank - 1};
            for (int i = 0; i < shorter.rank; i++)
                shorter.dims[i] = shape->dims[i < place ? i : i + 1];
            if (shape->dims[place] == 1)
                y = cj__reshape(&g, x, &shorter);
            else
                cj__build_refuse(&g, cj__fail(CJ_SHAPE_MISMATCH,
                                              "squeeze: the length of axis %d is not 1", axis));
        }
    }
    GIVE(squeeze, x, (&(cj__axes_settings){{1, axis}, false}));
}

// Takes a list of symbols over; an empty one is refused.
static bool take_list(cj__build *g, const char *who, cj_symbol *const *xs, int count)
{
    if (xs && count >= 1)
        return cj__build_take(g, xs, count) == CJ_OK;
    cj__build_refuse(g, xs || count < 1 ?
                            cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: %d symbols given, needed are 1 or more", who, count) :
                            cj__fail_null_of(who, "the list of symbols"));
    return false;
}

cj_symbol *cj_op_concatenate(cj_symbol *const *xs, int count, int axis)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    int place = 0;
    if (take_list(&g, "concatenate", xs, count) &&
        axis_of(&g, "concatenate", cj_symbol_shape(xs[0])->rank, axis, NULL, &place))
        y = count == 1 ? xs[0] : cj__concat(&g, xs, count, place);
    return cj__word_result(&g, y, &cj__word_concatenate, xs, y ? count : 0,
                           &(cj__axis_settings){.axis = axis});
}

cj_symbol *cj_op_stack(cj_symbol *const *xs, int count, int axis)
{
    cj__build g = {0};
    cj_symbol *y = NULL;
    int place = 0;
    if (take_list(&g, "stack", xs, count) &&
        axis_of(&g, "stack", cj_symbol_shape(xs[0])->rank + 1, axis, NULL, &place))
        y = cj__stack(&g, xs, count, place);
    return cj__word_result(&g, y, &cj__word_stack, xs, y ? count : 0,
                           &(cj__axis_settings){.axis = axis});
}

cj_symbol *cj_op_slice(cj_symbol *x, int axis, int64_t begin, int64_t length)
{
    int place = 0;
    cj__item_settings settings = {.count = 0};
    TAKE(x)
    {
        if (axis_of(&g, "slice", cj_symbol_shape(x)->rank, axis, x, &place))
            y = cj__slice(&g, x, place, begin, length);
        for (; settings.count <= place; settings.count++)
            settings.items[settings.count] = (struct cj__item){.kind = CJ__ITEM_SLICE, .step = 1};
        settings.items[place] =
            (struct cj__item){CJ__ITEM_SLICE, true, true, begin, begin + length, 1};
    }
    GIVE(get_item, x, &settings);
}

cj_symbol *cj_op_flip(cj_symbol *x, int axis)
{
    int place = 0;
    TAKE(x)
    {
        if (axis_of(&g, "flip", cj_symbol_shape(x)->rank, axis, x, &place))
            y = cj__reverse(&g, x, place);
    }
    GIVE(flip, x, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_roll(cj_symbol *x, int64_t shift, int axis)
{
    int place = 0;
    TAKE(x)
    {
        if (axis_of(&g, "roll", cj_symbol_shape(x)->rank, axis, x, &place)) {
            const int64_t n = cj_symbol_shape(x)->dims[place];
            const int64_t first = n > 0 ? (n - shift % n) % n : 0;
            if (first == 0)
                y = x;
            else
                y = cj__concat(&g,
                               (cj_symbol *[]){cj__slice(&g, x, place, first, n - first),
                                               cj__slice(&g, x, place, 0, first)},
                               2, place);
        }
    }
    GIVE(roll, x, (&(cj__roll_settings){{(double[]){(double)shift}, 1}, {1, axis}}));
}

enum { TIMES_MAX = 1 << 20 };

cj_symbol *cj_op_tile(cj_symbol *x, int times, int axis)
{
    int place = 0;
    cj__tile_settings settings = {{0}};
    TAKE(x)
    {
        cj_symbol **copies = NULL;
        if (times < 1 || times > TIMES_MAX)
            cj__build_refuse(&g, cj__fail(CJ_INVALID_ARGUMENT, "tile: %d times, needed is 1 to %d",
                                          times, TIMES_MAX));
        else if (axis_of(&g, "tile", cj_symbol_shape(x)->rank, axis, x, &place) &&
                 (copies = cj__build_memory(&g, (size_t)times, sizeof *copies))) {
            for (int i = 0; i < times; i++)
                copies[i] = x;
            y = times == 1 ? x : cj__concat(&g, copies, times, place);
        }
        for (int i = 0; y && i < cj_symbol_shape(x)->rank; i++)
            settings.repeats[i] = i == place ? times : 1;
    }
    GIVE(tile, x, &settings);
}

cj_symbol *cj_op_pad(cj_symbol *x, int axis, int64_t before, int64_t after)
{
    int place = 0;
    double width[2 * CJ_MAX_RANK] = {0};
    cj__pad_settings settings = {{width, 0}, "constant", INFINITY};
    TAKE(x)
    {
        if (axis_of(&g, "pad", cj_symbol_shape(x)->rank, axis, x, &place))
            y = cj__pad(&g, x, place, before, after);
        if (y) {
            width[2 * place] = (double)before;
            width[2 * place + 1] = (double)after;
            settings.pad_width.count = 2 * cj_symbol_shape(x)->rank;
        }
    }
    GIVE(pad, x, &settings);
}

// ---- Constants of a shape ----

// One value wherever x is, whatever it is there.
static cj_symbol *filled(cj_symbol *x, double value, const cj__word *word)
{
    TAKE(x)
    {
        const cj_dtype dtype = cj_symbol_dtype(x);
        if (cj__is_real(dtype)) {
            cj_symbol *one = cj__scalar_like(&g, x, value);
            cj_symbol *above =
                cj__compare(&g, CJ__COMPARISON_greater, x, cj__scalar_like(&g, x, 0));
            y = cj__select(&g, above, one, one);
        } else {
            cj_symbol *one = cj__scalar(&g, CJ_F64, value);
            y = cj__cast(&g, cj__broadcast_like(&g, one, x), dtype);
        }
    }
    return cj__word_result(&g, y, word, &x, 1, &(cj__cast_settings){NULL});
}

cj_symbol *cj_op_zeros_like(cj_symbol *x)
{
    return filled(x, 0, &cj__word_zeros_like);
}

cj_symbol *cj_op_ones_like(cj_symbol *x)
{
    return filled(x, 1, &cj__word_ones_like);
}
