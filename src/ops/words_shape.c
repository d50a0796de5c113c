// The words of cajal/ops_shape.h that move, repeat and cut elements.
#include "base/memory.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/operators.h>
#include <cajal/ops_shape.h>
#include <limits.h>

// ---- Axes ----

// Axes of length 1 in front, and then the only entry of each axis that is stretched, taken again and again.
static cj_symbol *stretched(cj__build *g, cj_symbol *x, const cj_shape *shape)
{
    const cj_shape old = *cj_symbol_shape(x);
    cj_shape longer = {.rank = shape->rank};
    for (int i = 0; i < longer.rank; i++) {
        const int own = i - (longer.rank - old.rank);
        longer.dims[i] = own < 0 ? 1 : old.dims[own];
    }
    x = cj__reshape(g, x, &longer);
    for (int i = 0; i < longer.rank && x; i++)
        if (longer.dims[i] != shape->dims[i])
            x = cj__word_copies(g, x, i, shape->dims[i]);
    return x;
}

cj_symbol *cj_op_broadcast_to(cj_symbol *x, cj_shape shape)
{
    double numbers[CJ_MAX_RANK];
    CJ__TAKE(x)
    {
        const cj_shape *old = cj_symbol_shape(x);
        bool fits = shape.rank <= CJ_MAX_RANK && shape.rank >= old->rank;
        for (int i = 0; i < shape.rank && fits; i++) {
            const int own = i - (shape.rank - old->rank);
            fits = (own >= 0 && old->dims[own] == shape.dims[i]) ||
                   ((own < 0 || old->dims[own] == 1) && shape.dims[i] >= 0 &&
                    shape.dims[i] <= INT32_MAX);
        }
        if (fits) {
            y = stretched(g, x, &shape);
        } else {
            char from[CJ__SHAPE_TEXT], to[CJ__SHAPE_TEXT] = "more axes than there can be";
            if (shape.rank >= 0 && shape.rank <= CJ_MAX_RANK)
                cj__shape_words(&shape, to);
            cj__build_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                         "broadcast_to: %s does not broadcast to %s",
                                         cj__shape_words(old, from), to));
        }
    }
    const cj__places_settings settings = {
        .first = cj__numbers_of(shape.dims, y ? shape.rank : 0, numbers)};
    CJ__GIVE_OF(broadcast_to, x, &settings);
}

cj_symbol *cj_op_ravel(cj_symbol *x)
{
    CJ__TAKE(x) y = cj__word_flat(g, x);
    CJ__GIVE_OF(ravel, x, NULL);
}

cj_symbol *cj_op_moveaxis(cj_symbol *x, const int *source, const int *destination, int count)
{
    double numbers[2 * CJ_MAX_RANK];
    int order[CJ_MAX_RANK], from = 0, to = 0, next = 0;
    uint32_t moved = 0, taken = 0;
    CJ__TAKE(x)
    {
        const int rank = cj_symbol_shape(x)->rank;
        if (!source || !destination)
            cj__build_refuse(g, cj__fail_null_of("moveaxis", "a list of axes"));
        for (int i = 0; i < count && g->status == CJ_OK; i++) {
            if (!cj__word_axis(g, "moveaxis", rank, source[i], &from) ||
                !cj__word_axis(g, "moveaxis", rank, destination[i], &to))
                break;
            if (moved >> from & 1 || taken >> to & 1)
                cj__build_refuse(
                    g, cj__fail(CJ_INVALID_ARGUMENT, "moveaxis: an axis is named more than once"));
            moved |= 1u << from;
            taken |= 1u << to;
            order[to] = from;
        }
        for (int i = 0; i < rank; i++) {
            while (moved >> next & 1)
                next++;
            if (!(taken >> i & 1))
                order[i] = next++;
        }
        y = g->status == CJ_OK ? cj__transpose(g, x, order) : NULL;
    }
    for (int i = 0; y && i < count; i++) {
        numbers[i] = source[i];
        numbers[CJ_MAX_RANK + i] = destination[i];
    }
    if (count < 1)
        CJ__GIVE;
    CJ__GIVE_OF(moveaxis, x,
                (&(cj__places_settings){.first = {numbers, count},
                                        .second = {numbers + CJ_MAX_RANK, count}}));
}

static cj_symbol *exchanged(cj__build *g, cj_symbol *x, int first, int second)
{
    int order[CJ_MAX_RANK];
    if (!x || first == second)
        return x;
    for (int i = 0; i < cj_symbol_shape(x)->rank; i++)
        order[i] = i == first ? second : i == second ? first : i;
    return cj__transpose(g, x, order);
}

cj_symbol *cj_op_swapaxes(cj_symbol *x, int axis1, int axis2)
{
    int first = 0, second = 0;
    CJ__TAKE(x)
    {
        const int rank = cj_symbol_shape(x)->rank;
        if (cj__word_axis(g, "swapaxes", rank, axis1, &first) &&
            cj__word_axis(g, "swapaxes", rank, axis2, &second))
            y = exchanged(g, x, first, second);
    }
    CJ__GIVE_OF(swapaxes, x, (&(cj__diagonal_settings){0, axis1, axis2}));
}

cj_symbol *cj_op_rot90(cj_symbol *x, int k, int axis1, int axis2)
{
    int first = 0, second = 0;
    CJ__TAKE(x)
    {
        const int rank = cj_symbol_shape(x)->rank, turns = (k % 4 + 4) % 4;
        if (cj__word_axis(g, "rot90", rank, axis1, &first) &&
            cj__word_axis(g, "rot90", rank, axis2, &second)) {
            if (first == second)
                cj__build_refuse(g,
                                 cj__fail(CJ_INVALID_ARGUMENT, "rot90: both axes are %d", axis1));
            y = turns == 1 ? exchanged(g, cj__reverse(g, x, second), first, second) :
                turns == 2 ? cj__reverse(g, cj__reverse(g, x, first), second) :
                turns == 3 ? cj__reverse(g, exchanged(g, x, first, second), second) :
                             x;
        }
    }
    CJ__GIVE_OF(rot90, x, (&(cj__rot90_settings){k, {2, axis1, axis2}}));
}

static cj_symbol *turned_round(const cj__word *word, cj_symbol *x, int axis)
{
    int place = 0;
    CJ__TAKE(x)
    {
        if (cj__word_axis(g, word->choice.name, cj_symbol_shape(x)->rank, axis, &place))
            y = cj__reverse(g, x, place);
    }
    return cj__word_result(g, y, word, &x, 1, NULL);
}

cj_symbol *cj_op_fliplr(cj_symbol *x)
{
    return turned_round(&cj__word_fliplr, x, 1);
}

cj_symbol *cj_op_flipud(cj_symbol *x)
{
    return turned_round(&cj__word_flipud, x, 0);
}

// ---- Parts ----

// Parts between places[0] = 0, places[1], ..., places[count] = the length, as a word.
static cj_status cut(cj__build *g, cj_symbol *x, int axis, const int64_t *places, int count,
                     cj_symbol **outputs, const cj__word *word, const cj__places_settings *settings)
{
    cj_symbol **parts = cj__new((size_t)count, sizeof(cj_symbol *));
    if (!parts)
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
    for (int i = 0; parts && i < count; i++) {
        const int64_t length = places[i + 1] - places[i];
        parts[i] = cj__slice(g, x, axis, places[i], length > 0 ? length : 0);
    }
    const cj_status status = cj__word_give_as(g, parts, count, outputs, word, &x, 1, settings);
    cj__free(parts);
    return status;
}

// The parts' places along x's axis: `parts` as equal as they can be, or at the places that are given.
static cj_status split(const cj__word *word, cj_symbol *x, int parts, const int64_t *given,
                       int axis, bool even, cj_symbol **outputs)
{
    cj__build build = {0}, *const g = &build;
    const char *who = word->choice.name;
    int place = 0;
    cj__places_settings settings = {.parts = parts, .axis = {1, axis}};
    if (cj__build_take(g, &x, 1) == CJ_OK && !outputs)
        cj__build_refuse(g, cj__fail_null_of(who, "the place for the results"));
    if (g->status != CJ_OK || !cj__word_fixed_axis(g, who, x, axis, &place))
        return cj__word_give(g, NULL, 0, outputs);
    const int64_t n = cj_symbol_shape(x)->dims[place];
    if (parts < 1 || (even && n % parts != 0))
        cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                     "%s: an axis of %lld is not cut into %d parts", who,
                                     (long long)n, parts));
    int64_t *places =
        g->status == CJ_OK ? cj__build_memory(g, (size_t)parts + 1, sizeof *places) : NULL;
    double *numbers = cj__build_memory(g, places ? (size_t)parts : 1, sizeof *numbers);
    if (!places || !numbers)
        return cj__word_give(g, NULL, 0, outputs);
    for (int i = 1; i <= parts; i++) {
        const int64_t more = n % parts < i ? n % parts : i,
                      own = given && i < parts ? given[i - 1] : n;
        places[i] = given ? (own < 0 ? own + n : own) : n / parts * i + more;
        places[i] = places[i] > n ? n : places[i] < 0 ? 0 : places[i];
    }
    if (given && parts > 1)
        settings.first = cj__numbers_of(given, parts - 1, numbers);
    return cut(g, x, place, places, parts, outputs, word, &settings);
}

cj_status cj_op_split(cj_symbol *x, int parts, int axis, cj_symbol **outputs)
{
    return split(&cj__word_split, x, parts, NULL, axis, true, outputs);
}

cj_status cj_op_split_at(cj_symbol *x, const int64_t *places, int count, int axis,
                         cj_symbol **outputs)
{
    if (places && count >= 0 && count < INT32_MAX)
        return split(&cj__word_split, x, count + 1, places, axis, false, outputs);
    cj__build build = {0};
    if (cj__build_take(&build, &x, 1) == CJ_OK)
        cj__build_refuse(&build, places ? cj__fail(CJ_INVALID_ARGUMENT, "split: %d places", count) :
                                          cj__fail_null_of("split", "the list of places"));
    return cj__build_end(&build);
}

cj_status cj_op_array_split(cj_symbol *x, int parts, int axis, cj_symbol **outputs)
{
    return split(&cj__word_array_split, x, parts, NULL, axis, false, outputs);
}

cj_status cj_op_vsplit(cj_symbol *x, int parts, cj_symbol **outputs)
{
    return split(&cj__word_vsplit, x, parts, NULL, 0, true, outputs);
}

cj_status cj_op_hsplit(cj_symbol *x, int parts, cj_symbol **outputs)
{
    return split(&cj__word_hsplit, x, parts, NULL, x && cj_symbol_shape(x)->rank > 1, true,
                 outputs);
}

cj_status cj_op_dsplit(cj_symbol *x, int parts, cj_symbol **outputs)
{
    return split(&cj__word_dsplit, x, parts, NULL, 2, true, outputs);
}

cj_status cj_op_unstack(cj_symbol *x, int axis, cj_symbol **outputs)
{
    cj__build build = {0}, *const g = &build;
    int place = 0;
    if (cj__build_take(g, &x, 1) != CJ_OK || !cj__word_fixed_axis(g, "unstack", x, axis, &place))
        return cj__word_give(g, NULL, 0, outputs);
    const int64_t n = cj_symbol_shape(x)->dims[place];
    cj_symbol **entries = cj__new((size_t)n + 1, sizeof *entries);
    if (!entries)
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
    else if (!outputs)
        cj__build_refuse(g, cj__fail_null_of("unstack", "the place for the results"));
    else if (n > 0)
        cj__unstack(g, x, place, entries);
    const cj_status status =
        cj__word_give_as(g, entries, entries && outputs ? (int)n : 0, outputs, &cj__word_unstack,
                         &x, 1, &(cj__axis_settings){.axis = axis});
    cj__free(entries);
    return status;
}

// ---- Side by side ----

// x with axes of length 1: one axis becomes (1, n), or (1, n, 1) of three, two become (n, m, 1).
static cj_symbol *with_axes(cj__build *g, cj_symbol *x, int rank)
{
    const cj_shape *old = cj_symbol_shape(x);
    cj_shape shape = {.rank = rank, .dims = {1, 1, 1}};
    if (old->rank >= rank)
        return x;
    for (int i = 0; i < old->rank; i++)
        shape.dims[old->rank == 1 ? i + 1 : i] = old->dims[i];
    return cj__reshape(g, x, &shape);
}

// Joined along `axis` in at least so many axes.
static cj_symbol *joined(const cj__word *word, cj_symbol *const *xs, int count, int axis, int rank)
{
    CJ__BEGIN;
    cj_symbol **parts = NULL;
    if (cj__word_list(g, word->choice.name, xs, count, INT_MAX) &&
        cj__build_take(g, xs, count) == CJ_OK &&
        (parts = cj__build_memory(g, (size_t)count, sizeof *parts))) {
        cj_dtype dtype = CJ_BOOL;
        for (int i = 0; i < count; i++)
            dtype = cj__word_common(dtype, cj_symbol_dtype(xs[i]));
        for (int i = 0; i < count; i++)
            parts[i] = with_axes(g, cj__cast(g, xs[i], dtype), rank);
        y = cj__concat(g, parts, count, axis);
    }
    return cj__word_result(g, y, word, xs, y ? count : 0, NULL);
}

cj_symbol *cj_op_vstack(cj_symbol *const *xs, int count)
{
    return joined(&cj__word_vstack, xs, count, 0, 2);
}

cj_symbol *cj_op_hstack(cj_symbol *const *xs, int count)
{
    const bool rows = xs && count > 0 && xs[0] && cj_symbol_shape(xs[0])->rank > 1;
    return joined(&cj__word_hstack, xs, count, rows, 1);
}

cj_symbol *cj_op_dstack(cj_symbol *const *xs, int count)
{
    return joined(&cj__word_dstack, xs, count, 2, 3);
}

cj_symbol *cj_op_append(cj_symbol *x, cj_symbol *values, int axis)
{
    cj_symbol *const operands[] = {x, values};
    int place = 0;
    CJ__TAKE_2(x, values)
    {
        if (cj__word_axis(g, "append", cj_symbol_shape(x)->rank, axis, &place)) {
            cj__word_join(g, &x, &values);
            y = cj__concat(g, (cj_symbol *[]){x, values}, 2, place);
        }
    }
    CJ__GIVE_WORD(append, operands, 2, (&(cj__axes_settings){{1, axis}, false}));
}

cj_symbol *cj_op_repeat(cj_symbol *x, const int64_t *repeats, int count, int axis)
{
    int place = 0;
    CJ__TAKE(x)
    {
        if (!repeats)
            y = cj__word_refuse(g, cj__fail_null_of("repeat", "the list of numbers"));
        else if (cj__word_fixed_axis(g, "repeat", x, axis, &place)) {
            const int64_t n = cj_symbol_shape(x)->dims[place];
            int64_t total = 0, next = 0;
            bool good = count == 1 || count == n;
            for (int64_t i = 0; i < n && good; i++) {
                const int64_t own = repeats[count == 1 ? 0 : i];
                good = own >= 0 && own < INT32_MAX && total < INT32_MAX;
                total += own;
            }
            int64_t *places = good ? cj__new((size_t)total + 1, sizeof *places) : NULL;
            for (int64_t i = 0; i < n && places; i++)
                for (int64_t j = 0; j < repeats[count == 1 ? 0 : i]; j++)
                    places[next++] = i;
            if (!good)
                cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                             "repeat: %d numbers for an axis of %lld, needed are 1 "
                                             "or as many, none negative",
                                             count, (long long)n));
            else if (!places)
                cj__build_refuse(g, CJ_OUT_OF_MEMORY);
            else
                y = cj__word_pick(g, x, place, places, total);
            cj__free(places);
        }
    }
    double *numbers = y ? cj__new((size_t)count, sizeof *numbers) : NULL;
    if (y && !numbers)
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
    const cj__places_settings settings = {
        .first = cj__numbers_of(repeats, numbers ? count : 0, numbers), .axis = {1, axis}};
    y = cj__word_result(g, y, &cj__word_repeat, &x, 1, &settings);
    cj__free(numbers);
    return y;
}
