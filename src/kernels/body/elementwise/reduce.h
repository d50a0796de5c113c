// Reductions over the middle axis of (outer, n, inner): y[o][i] = sum, maximum or minimum over r of
// x[o][r][i].
//
// The order is fixed by the shape: blocks of BLOCK elements (or rows), four partial results a
// block, blocks one after another. For sums in float it also keeps the error small, for no chain of
// additions is longer than a block.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_REDUCE_H
#define CJ_KERNELS_BODY_ELEMENTWISE_REDUCE_H

#include "kernels/body/elementwise/elementwise.h"

enum { BLOCK_ROWS = 256, BLOCK_VECS = 256 };

// What a partial vector's other lanes hold, so that they change nothing.
ALWAYS_INLINE vec load_or(const real *p, int64_t count, vec other)
{
    return count >= LANES ?
               vec_load(p) :
               vec_select(mask_first(count), vec_load_part(p, mask_first(count)), other);
}

#define ADD(p, q) ((p) + (q))

// inner == 1: a run of n elements.
#define DEFINE_RUN(name, start, combine)                                                   \
    static real run_##name(int64_t n, const real *x, real before)                          \
    {                                                                                      \
        const vec none = CONST(start);                                                     \
        real result = before;                                                              \
        for (int64_t first = 0; first < n; first += BLOCK_VECS * LANES) {                  \
            const int64_t count = min(n - first, BLOCK_VECS * LANES);                      \
            const real *p = x + first;                                                     \
            vec part[4] = {none, none, none, none};                                        \
            int64_t i = 0;                                                                 \
            for (; i + 4 * LANES <= count; i += 4 * LANES) {                               \
                UNROLL                                                                     \
                for (int j = 0; j < 4; j++)                                                \
                    part[j] = combine(part[j], vec_load(p + i + j * LANES));               \
            }                                                                              \
            for (; i < count; i += LANES)                                                  \
                part[0] = combine(part[0], load_or(p + i, count - i, none));               \
            const vec all = combine(combine(part[0], part[1]), combine(part[2], part[3])); \
            result = one_##name(result, lanes_##name(all));                                \
        }                                                                                  \
        return result;                                                                     \
    }

// inner > 1: rows of `inner`, columns as lanes. Four rows at a time, so that additions do not wait
// for each other.
#define DEFINE_ROWS(name, start, combine)                                                  \
    static void rows_##name(int64_t n, int64_t inner, const real *x, real *y)              \
    {                                                                                      \
        for (int64_t first = 0; first < n; first += BLOCK_ROWS) {                          \
            const real *block = x + first * inner;                                         \
            const int64_t count = min(n - first, BLOCK_ROWS);                              \
            EACH_VEC(                                                                      \
                inner, vec part0 = CONST(start); vec part1 = part0; vec part2 = part0;     \
                vec part3 = part0; const real *p = block; int64_t r = 0;                   \
                for (; r + 4 <= count; r += 4, p += 4 * inner) {                           \
                    part0 = combine(part0, LOAD_AT_I(p));                                  \
                    part1 = combine(part1, LOAD_AT_I(p + inner));                          \
                    part2 = combine(part2, LOAD_AT_I(p + 2 * inner));                      \
                    part3 = combine(part3, LOAD_AT_I(p + 3 * inner));                      \
                } for (; r < count; r++, p += inner) part0 = combine(part0, LOAD_AT_I(p)); \
                const vec all = combine(combine(part0, part1), combine(part2, part3));     \
                STORE_AT_I(y, combine(LOAD_AT_I(y), all)););                               \
        }                                                                                  \
    }

#define DEFINE(name, start, combine)                                                           \
    DEFINE_RUN(name, start, combine)                                                           \
    DEFINE_ROWS(name, start, combine)                                                          \
    static void reduce_##name(int64_t outer, int64_t n, int64_t inner, const void *x, void *y, \
                              bool accumulate)                                                 \
    {                                                                                          \
        for (int64_t o = 0; o < outer; o++) {                                                  \
            const real *from = (const real *)x + o * n * inner;                                \
            real *to = (real *)y + o * inner;                                                  \
            if (!accumulate)                                                                   \
                for (int64_t i = 0; i < inner; i++)                                            \
                    to[i] = (real)(start);                                                     \
            if (inner == 1)                                                                    \
                *to = run_##name(n, from, *to);                                                \
            else                                                                               \
                rows_##name(n, inner, from, to);                                               \
        }                                                                                      \
    }

ALWAYS_INLINE real one_sum(real p, real q)
{
    return p + q;
}

ALWAYS_INLINE real one_max(real p, real q)
{
    return p > q || p != p ? p : q;
}

ALWAYS_INLINE real one_min(real p, real q)
{
    return p < q || p != p ? p : q;
}

ALWAYS_INLINE real lanes_sum(vec v)
{
    return vec_sum(v);
}

ALWAYS_INLINE real lanes_max(vec v)
{
    real best = v[0];
    for (int i = 1; i < LANES; i++)
        best = one_max(best, v[i]);
    return best;
}

ALWAYS_INLINE real lanes_min(vec v)
{
    real best = v[0];
    for (int i = 1; i < LANES; i++)
        best = one_min(best, v[i]);
    return best;
}

DEFINE(sum, 0, ADD)
DEFINE(max, -INFINITY, vec_max_nan)
DEFINE(min, INFINITY, vec_min_nan)
#undef DEFINE
#undef ADD

// Whether no element before the label is as great as that at the label, and none after it greater.
// What is not a number counts as greater, as it does in argmax.
ALWAYS_INLINE bool is_correct(int64_t cols, const real *x, int64_t label)
{
    const vec own = vec_set(x[label]);
    vmask beats = mask_first(LANES);
    for (int64_t j = 0; j < cols; j += LANES) {
        const vec v = load_or(x + j, cols - j, CONST(-INFINITY));
        const vmask before = mask_first(min(max(label - j, 0), LANES));
        beats =
            mask_and(beats, mask_or(vec_lt(v, own), mask_and(mask_not(before), vec_le(v, own))));
    }
    return mask_all(beats);
}

static int64_t count_correct(int64_t rows, int64_t cols, const void *x, const int32_t *label)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        const real *row = (const real *)x + r * cols;
        if (label[r] < 0 || label[r] >= cols)
            continue;
        bool correct = is_correct(cols, row, label[r]);
        if (row[label[r]] != row[label[r]]) { // no number: the first such is found
            correct = true;
            for (int64_t j = 0; j < label[r]; j++)
                correct = correct && row[j] == row[j];
        }
        count += correct;
    }
    return count;
}

#endif
