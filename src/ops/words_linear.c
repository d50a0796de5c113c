// The words of cajal/ops_shape.h on diagonals and triangles, and products of vectors and matrices.
#include "base/memory.h"
#include "ops/infer.h"
#include "ops/word_settings.h"
#include "ops/words.h"
#include <cajal/ops_shape.h>
#include <stdio.h>
#include <string.h>

#define UNARY(name, x) cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)

// ---- Triangles and diagonals ----

// Booleans (rows, columns): column - row compared with k.
static cj_symbol *distance_mask(cj__build *g, int64_t rows, int64_t columns, int64_t k,
                                cj__integer comparison)
{
    cj_symbol *row = cj__word_along(g, cj__word_range(g, 0, rows), 2, 0);
    cj_symbol *column = cj__word_along(g, cj__word_range(g, 0, columns), 2, 1);
    const int64_t far = INT32_MAX / 4, near = k < -far ? -far : k > far ? far : k;
    cj_symbol *apart = cj__apply_integer(g, CJ__INTEGER_subtract, column, row);
    return cj__apply_integer(g, comparison, apart, cj__word_ints(g, &near, 1));
}

static cj_symbol *zero_like(cj__build *g, const cj_symbol *x)
{
    return x ? cj__cast(g, cj__scalar(g, CJ_F32, 0), cj_symbol_dtype(x)) : NULL;
}

static cj_symbol *triangle(const cj__word *word, cj_symbol *x, int64_t k, cj__integer comparison)
{
    const char *who = word->choice.name;
    int row = 0, column = 0;
    CJ__TAKE(x)
    {
        if (cj__word_fixed_axis(g, who, x, -2, &row) &&
            cj__word_fixed_axis(g, who, x, -1, &column)) {
            const int64_t *d = cj_symbol_shape(x)->dims;
            cj_symbol *mask = distance_mask(g, d[row], d[column], k, comparison);
            y = cj__word_choose(g, mask, x, zero_like(g, x));
        }
    }
    return cj__word_result(g, y, word, &x, 1, &(cj__number_settings){k});
}

cj_symbol *cj_op_tril(cj_symbol *x, int64_t k)
{
    return triangle(&cj__word_tril, x, k, CJ__INTEGER_less_equal);
}

cj_symbol *cj_op_triu(cj_symbol *x, int64_t k)
{
    return triangle(&cj__word_triu, x, k, CJ__INTEGER_greater_equal);
}

// (..., n, m) becomes (..., length).
static cj_symbol *diagonal_of(cj__build *g, cj_symbol *x, int64_t offset)
{
    cj_shape flat = *cj_symbol_shape(x);
    const int64_t m = flat.dims[flat.rank - 1], n = flat.dims[flat.rank - 2];
    const int64_t row = offset < 0 ? -offset : 0, column = offset > 0 ? offset : 0;
    int64_t length = n - row < m - column ? n - row : m - column;
    length = length < 0 ? 0 : length;
    int64_t *places = cj__new((size_t)length + 1, sizeof *places);
    cj_symbol *y = NULL;
    flat.rank--;
    flat.dims[flat.rank - 1] = n * m;
    for (int64_t i = 0; places && i < length; i++)
        places[i] = (row + i) * m + column + i;
    if (!places)
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
    else
        y = cj__word_pick(g, cj__reshape(g, x, &flat), flat.rank - 1, places, length);
    cj__free(places);
    return y;
}

// The square matrix with a vector on a diagonal.
static cj_symbol *matrix_of(cj__build *g, cj_symbol *x, int64_t k)
{
    const int64_t size = k < 0 ? -k : k;
    if (!x)
        return NULL;
    cj_symbol *row = cj__pad(g, x, 0, k > 0 ? size : 0, k < 0 ? size : 0);
    const int64_t n = cj_symbol_shape(x)->dims[0] + size;
    return cj__word_choose(g, distance_mask(g, n, n, k, CJ__INTEGER_equal),
                           cj__word_expand(g, row, 0), zero_like(g, x));
}

cj_symbol *cj_op_diag(cj_symbol *x, int64_t k)
{
    CJ__TAKE(x)
    {
        const int rank = cj_symbol_shape(x)->rank;
        if (!cj__word_known(g, "diag", x))
            y = NULL;
        else if (rank == 1 || rank == 2)
            y = rank == 1 ? matrix_of(g, x, k) : diagonal_of(g, x, k);
        else
            y = cj__word_refuse(g,
                                cj__fail(CJ_SHAPE_MISMATCH,
                                         "diag: the symbol has %d axes, needed are 1 or 2", rank));
    }
    CJ__GIVE_OF(diag, x, (&(cj__number_settings){k}));
}

cj_symbol *cj_op_diagflat(cj_symbol *x, int64_t k)
{
    CJ__TAKE(x)
    {
        if (cj__word_known(g, "diagflat", x))
            y = matrix_of(g, cj__word_flat(g, x), k);
    }
    CJ__GIVE_OF(diagflat, x, (&(cj__number_settings){k}));
}

// The diagonal of two axes along a last one.
static cj_symbol *along_two(cj__build *g, const char *who, cj_symbol *x, int64_t offset, int axis1,
                            int axis2)
{
    int first = 0, second = 0;
    if (!cj__word_fixed_axis(g, who, x, axis1, &first) ||
        !cj__word_fixed_axis(g, who, x, axis2, &second))
        return NULL;
    const int rank = cj_symbol_shape(x)->rank;
    if (first == second)
        return cj__word_refuse(g,
                               cj__fail(CJ_INVALID_ARGUMENT, "%s: both axes are %d", who, axis1));
    x = cj__word_move(g, x, first, rank - 1);
    x = cj__word_move(g, x, second > first ? second - 1 : second, rank - 1);
    return x ? diagonal_of(g, x, offset) : NULL;
}

cj_symbol *cj_op_diagonal(cj_symbol *x, int64_t offset, int axis1, int axis2)
{
    CJ__TAKE(x) y = along_two(g, "diagonal", x, offset, axis1, axis2);
    CJ__GIVE_OF(diagonal, x, (&(cj__diagonal_settings){offset, axis1, axis2}));
}

// A sum over the last axis, of any dtype.
static cj_symbol *last_sum(cj__build *g, cj_symbol *x)
{
    if (!x)
        return NULL;
    const cj_dtype dtype = cj_symbol_dtype(x);
    const bool small = dtype == CJ_BOOL || dtype == CJ_U8;
    cj_symbol *sum = cj__sum(g, cj__word_wide(g, x), 1u << (cj_symbol_shape(x)->rank - 1), false);
    return cj__cast(g, sum, small ? CJ_I32 : dtype);
}

cj_symbol *cj_op_trace(cj_symbol *x, int64_t offset, int axis1, int axis2)
{
    CJ__TAKE(x) y = last_sum(g, along_two(g, "trace", x, offset, axis1, axis2));
    CJ__GIVE_OF(trace, x, (&(cj__diagonal_settings){offset, axis1, axis2}));
}

// ---- Products ----

// Products are of reals: integers go through float64 and come back.
typedef cj_symbol *product(cj__build *g, cj_symbol *a, cj_symbol *b);
static cj_symbol *product_of(product *function, cj_symbol *a, cj_symbol *b, const cj__word *word)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        y = function(g, cj__word_wide(g, a), cj__word_wide(g, b));
        y = a ? cj__cast(g, y, cj_symbol_dtype(a)) : NULL;
    }
    return cj__word_result(g, y, word, operands, 2, NULL);
}

// Sums of products over axes a_axes[i] of a and b_axes[i] of b; the others of a, then those of b.
static cj_symbol *contracted(cj__build *g, cj_symbol *a, cj_symbol *b, const int *a_axes,
                             const int *b_axes, int count)
{
    char in_a[CJ_MAX_RANK + 1] = "", in_b[CJ_MAX_RANK + 1] = "", out[2 * CJ_MAX_RANK + 1] = "";
    char equation[8 * CJ_MAX_RANK];
    int length = 0;
    if (!a || !b)
        return NULL;
    const int a_rank = cj_symbol_shape(a)->rank, b_rank = cj_symbol_shape(b)->rank;
    for (int i = 0; i < a_rank; i++)
        in_a[i] = (char)('a' + i);
    for (int i = 0; i < b_rank; i++)
        in_b[i] = (char)('A' + i);
    for (int i = 0; i < count; i++)
        in_b[b_axes[i]] = in_a[a_axes[i]];
    for (int i = 0; i < a_rank; i++)
        if (!strchr(in_b, in_a[i]))
            out[length++] = in_a[i];
    for (int i = 0; i < b_rank; i++)
        if (!strchr(in_a, in_b[i]))
            out[length++] = in_b[i];
    if (length > CJ_MAX_RANK)
        return cj__word_refuse(
            g,
            cj__fail(CJ_SHAPE_MISMATCH, "the product would have more than %d axes", CJ_MAX_RANK));
    snprintf(equation, sizeof equation, "%s,%s->%s", in_a, in_b, out);
    return cj__einsum(g, equation, a, b);
}

static bool is_scalar(const cj_symbol *x)
{
    return x && cj_symbol_shape(x)->rank == 0;
}

static cj_symbol *dot(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    if (!a || !b || is_scalar(a) || is_scalar(b))
        return cj__mul(g, a, b);
    const int a_last = cj_symbol_shape(a)->rank - 1, b_rank = cj_symbol_shape(b)->rank;
    return contracted(g, a, b, &a_last, &(int){b_rank > 1 ? b_rank - 2 : 0}, 1);
}

cj_symbol *cj_op_dot(cj_symbol *a, cj_symbol *b)
{
    return product_of(dot, a, b, &cj__word_dot);
}

static cj_symbol *inner(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    if (!a || !b || is_scalar(a) || is_scalar(b))
        return cj__mul(g, a, b);
    return contracted(g, a, b, &(int){cj_symbol_shape(a)->rank - 1},
                      &(int){cj_symbol_shape(b)->rank - 1}, 1);
}

cj_symbol *cj_op_inner(cj_symbol *a, cj_symbol *b)
{
    return product_of(inner, a, b, &cj__word_inner);
}

static cj_symbol *outer(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return cj__mul(g, cj__word_expand(g, cj__word_flat(g, a), 1),
                   cj__word_expand(g, cj__word_flat(g, b), 0));
}

cj_symbol *cj_op_outer(cj_symbol *a, cj_symbol *b)
{
    return product_of(outer, a, b, &cj__word_outer);
}

static cj_symbol *vdot(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    return contracted(g, cj__word_flat(g, a), cj__word_flat(g, b), &(int){0}, &(int){0}, 1);
}

cj_symbol *cj_op_vdot(cj_symbol *a, cj_symbol *b)
{
    return product_of(vdot, a, b, &cj__word_vdot);
}

cj_symbol *cj_op_tensordot(cj_symbol *a, cj_symbol *b, const int *a_axes, const int *b_axes,
                           int count)
{
    cj_symbol *const operands[] = {a, b};
    double numbers[2 * CJ_MAX_RANK];
    int in_a[CJ_MAX_RANK] = {0}, in_b[CJ_MAX_RANK] = {0};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        if (count < 0 || count > CJ_MAX_RANK)
            cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT, "tensordot: over %d axes", count));
        else if (count > 0 && (!a_axes || !b_axes))
            cj__build_refuse(g, cj__fail_null_of("tensordot", "a list of axes"));
        for (int i = 0; i < count && g->status == CJ_OK; i++) {
            if (!cj__word_axis(g, "tensordot", cj_symbol_shape(a)->rank, a_axes[i], &in_a[i]) ||
                !cj__word_axis(g, "tensordot", cj_symbol_shape(b)->rank, b_axes[i], &in_b[i]))
                break;
            for (int j = 0; j < i; j++)
                if (in_a[i] == in_a[j] || in_b[i] == in_b[j])
                    cj__build_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                                 "tensordot: an axis is named more than once"));
        }
        if (g->status == CJ_OK) {
            y = contracted(g, cj__word_wide(g, a), cj__word_wide(g, b), in_a, in_b, count);
            y = cj__cast(g, y, cj_symbol_dtype(a));
        }
    }
    for (int i = 0; y && i < count; i++) {
        numbers[i] = a_axes[i];
        numbers[count + i] = b_axes[i];
    }
    CJ__GIVE_WORD(tensordot, operands, 2,
                  (&(cj__places_settings){.first = {numbers, y ? 2 * count : 0}, .parts = 0}));
}

// Axes of length 1 before those of x, so that there are `rank`, and then one after each (`after`), or
// one before each.
static cj_symbol *interleaved(cj__build *g, cj_symbol *x, int rank, bool after)
{
    const cj_shape *old = cj_symbol_shape(x);
    cj_shape shape = {.rank = 2 * rank};
    for (int i = 0; i < rank; i++) {
        const int own = i - (rank - old->rank);
        shape.dims[2 * i + (after ? 0 : 1)] = own < 0 ? 1 : old->dims[own];
        shape.dims[2 * i + (after ? 1 : 0)] = 1;
    }
    return cj__reshape(g, x, &shape);
}

static cj_symbol *kron(cj__build *g, cj_symbol *a, cj_symbol *b)
{
    if (!a || !b || !cj__word_known(g, "kron", a) || !cj__word_known(g, "kron", b))
        return NULL;
    const int a_rank = cj_symbol_shape(a)->rank, b_rank = cj_symbol_shape(b)->rank;
    const int rank = a_rank > b_rank ? a_rank : b_rank;
    if (2 * rank > CJ_MAX_RANK)
        return cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH, "kron: %d axes are more than %d",
                                           rank, CJ_MAX_RANK / 2));
    cj_symbol *y = cj__mul(g, interleaved(g, a, rank, true), interleaved(g, b, rank, false));
    cj_shape shape = {.rank = rank};
    for (int i = 0; y && i < rank; i++)
        shape.dims[i] = cj_symbol_shape(y)->dims[2 * i] * cj_symbol_shape(y)->dims[2 * i + 1];
    return cj__reshape(g, y, &shape);
}

cj_symbol *cj_op_kron(cj_symbol *a, cj_symbol *b)
{
    return product_of(kron, a, b, &cj__word_kron);
}

// Component i of a vector along the last axis, which stays as one of length 1.
static cj_symbol *component(cj__build *g, cj_symbol *x, int i)
{
    return cj__slice(g, x, cj_symbol_shape(x)->rank - 1, i, 1);
}

cj_symbol *cj_op_cross(cj_symbol *a, cj_symbol *b, int axis)
{
    cj_symbol *const operands[] = {a, b};
    int in_a = 0, in_b = 0;
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        a = cj__word_real(g, a), b = cj__word_real(g, b);
        if (cj__word_fixed_axis(g, "cross", a, axis, &in_a) &&
            cj__word_fixed_axis(g, "cross", b, axis, &in_b)) {
            const int64_t n = cj_symbol_shape(a)->dims[in_a];
            const int last = cj_symbol_shape(a)->rank - 1;
            if (n != cj_symbol_shape(b)->dims[in_b] || n < 2 || n > 3)
                cj__build_refuse(g,
                                 cj__fail(CJ_SHAPE_MISMATCH,
                                          "cross: axes of %lld and %lld, needed are 3, or 2, in "
                                          "both",
                                          (long long)n, (long long)cj_symbol_shape(b)->dims[in_b]));
            a = cj__word_move(g, a, in_a, last);
            b = cj__word_move(g, b, in_b, cj_symbol_shape(b)->rank - 1);
            cj_symbol *parts[3] = {NULL};
            for (int i = 0; i < 3 && g->status == CJ_OK; i++) {
                const int j = (i + 1) % 3, k = (i + 2) % 3;
                if (n == 3 || i == 2)
                    parts[i] = cj__sub(g, cj__mul(g, component(g, a, j), component(g, b, k)),
                                       cj__mul(g, component(g, a, k), component(g, b, j)));
            }
            if (g->status == CJ_OK && n == 3) {
                const int rank = cj_symbol_shape(parts[0])->rank;
                y = cj__concat(g, parts, 3, rank - 1);
                y = cj__word_move(g, y, rank - 1, axis < 0 ? axis + rank : in_a);
            } else if (g->status == CJ_OK) {
                y = cj__word_drop(g, parts[2], cj_symbol_shape(parts[2])->rank - 1);
            }
        }
    }
    CJ__GIVE_WORD(cross, operands, 2, (&(cj__axis_settings){.axis = axis}));
}

cj_symbol *cj_op_cdist(cj_symbol *a, cj_symbol *b)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        a = cj__word_real(g, a), b = cj__word_real(g, b);
        const int a_rank = a ? cj_symbol_shape(a)->rank : 0,
                  b_rank = b ? cj_symbol_shape(b)->rank : 0;
        if (a_rank < 2 || b_rank < 2)
            y = cj__word_refuse(g,
                                cj__fail(CJ_SHAPE_MISMATCH,
                                         "cdist: symbols of %d and %d axes, needed are 2 or more",
                                         a_rank, b_rank));
        else {
            cj_symbol *apart =
                cj__sub(g, cj__word_expand(g, a, a_rank - 1), cj__word_expand(g, b, b_rank - 2));
            y = UNARY(sqrt, last_sum(g, UNARY(square, apart)));
        }
    }
    CJ__GIVE_WORD(cdist, operands, 2, NULL);
}

// b's places beside a's, padded: windows of a, each times b.
cj_symbol *cj_op_correlate(cj_symbol *a, cj_symbol *b, const char *mode)
{
    cj_symbol *const operands[] = {a, b};
    CJ__TAKE_2(a, b)
    {
        cj__word_join(g, &a, &b);
        a = cj__word_real(g, a), b = cj__word_real(g, b);
        const cj_shape *of_a = cj_symbol_shape(a), *of_b = cj_symbol_shape(b);
        const bool valid = !mode || strcmp(mode, "valid") == 0,
                   same = mode && !strcmp(mode, "same");
        if (!a || !b || of_a->rank != 1 || of_b->rank != 1 || of_a->dims[0] < 1 ||
            of_b->dims[0] < 1)
            y = cj__word_refuse(g, cj__fail(CJ_SHAPE_MISMATCH,
                                            "correlate: needed are two vectors of known lengths"));
        else if (!valid && !same && strcmp(mode, "full") != 0)
            y = cj__word_refuse(g, cj__fail(CJ_INVALID_ARGUMENT,
                                            "correlate: mode \"%s\" is none of \"valid\", \"same\" "
                                            "and \"full\"",
                                            mode));
        else {
            const int64_t n = of_a->dims[0], m = of_b->dims[0], least = n < m ? n : m;
            const int64_t most = n < m ? m : n, count = n + m - 1;
            cj_symbol *wide = cj__pad(g, a, 0, m - 1, m - 1);
            cj_symbol *row = cj__word_along(g, cj__word_range(g, 0, count), 2, 0);
            cj_symbol *column = cj__word_along(g, cj__word_range(g, 0, m), 2, 1);
            cj_symbol *places =
                cj__word_flat(g, cj__apply_integer(g, CJ__INTEGER_add, row, column));
            cj_symbol *windows = cj__take_along(g, wide, places, 0);
            windows = cj__reshape(g, windows, &CJ_SHAPE(count, m));
            y = last_sum(g, cj__mul(g, windows, b));
            if (valid)
                y = cj__slice(g, y, 0, least - 1, most - least + 1);
            else if (same)
                y = cj__slice(g, y, 0, n < m ? least / 2 : least - 1 - least / 2, most);
        }
    }
    CJ__GIVE_WORD(correlate, operands, 2, (&(cj__text_settings){mode ? mode : "valid"}));
}
