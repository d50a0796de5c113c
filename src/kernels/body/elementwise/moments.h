// Means and sums of squared distances from them over the middle axis of (outer, n, inner), in one
// sweep over memory: a tile of x is read twice, the second time from the first cache. What a tile
// gives is merged with what was before it (Chan, Golub and LeVeque 1983), so that nothing cancels
// however large the mean is beside the deviation. Tiles are cut by the shape alone.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_MOMENTS_H
#define CJ_KERNELS_BODY_ELEMENTWISE_MOMENTS_H

#include "kernels/body/elementwise/reduce.h"

enum { TILE_ELEMENTS = 4096, TILE_ROWS_LEAST = 16, TILE_ROWS_MOST = 256 };

// What `count` elements after `before` others weigh.
typedef struct tile_weights {
    real share; // count / (before + count): of the distance of the means, in the new mean
    real both;  // before count / (before + count): of its square, in the new sum of squares
} tile_weights;

ALWAYS_INLINE tile_weights weights_of(int64_t before, int64_t count)
{
    const double share = (double)count / (double)(before + count);
    return (tile_weights){(real)share, (real)(share * (double)before)};
}

// inner == 1: a run of n elements.
ALWAYS_INLINE void tile_of_run(int64_t count, const real *x, real *mean, real *m2)
{
    const vec none = CONST(0);
    *mean = run_sum(count, x, 0) / (real)count;
    const vec middle = vec_set(*mean);
    vec part[4] = {none, none, none, none};
    int64_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        UNROLL
        for (int j = 0; j < 4; j++) {
            const vec away = vec_load(x + i + j * LANES) - middle;
            part[j] = vec_fma(away, away, part[j]);
        }
    }
    for (; i < count; i += LANES) {
        const vec away = load_or(x + i, count - i, middle) - middle;
        part[0] = vec_fma(away, away, part[0]);
    }
    *m2 = vec_sum((part[0] + part[1]) + (part[2] + part[3]));
}

static void moments_of_run(int64_t n, const real *x, real *mean, real *m2)
{
    tile_of_run(min(n, TILE_ELEMENTS), x, mean, m2);
    for (int64_t first = TILE_ELEMENTS; first < n; first += TILE_ELEMENTS) {
        const int64_t count = min(n - first, TILE_ELEMENTS);
        const tile_weights w = weights_of(first, count);
        real own, squares;
        tile_of_run(count, x + first, &own, &squares);
        const real distance = own - *mean;
        *mean += distance * w.share;
        *m2 += squares + distance * distance * w.both;
    }
}

// inner > 1: columns as lanes. Four rows at a time, so that additions do not wait for each other.
ALWAYS_INLINE vec some_lanes(const real *p, const bool whole, vmask part)
{
    return whole ? vec_load(p) : vec_load_part(p, part);
}

ALWAYS_INLINE vec mean_of_rows(int64_t count, int64_t inner, const real *x, const bool whole,
                               vmask part)
{
    vec sum[4] = {CONST(0), CONST(0), CONST(0), CONST(0)};
    int64_t r = 0;
    for (; r + 4 <= count; r += 4, x += 4 * inner) {
        UNROLL
        for (int j = 0; j < 4; j++)
            sum[j] += some_lanes(x + j * inner, whole, part);
    }
    for (; r < count; r++, x += inner)
        sum[0] += some_lanes(x, whole, part);
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) / CONST(count);
}

ALWAYS_INLINE vec squares_of_rows(int64_t count, int64_t inner, const real *x, vec middle,
                                  const bool whole, vmask part)
{
    vec sum[4] = {CONST(0), CONST(0), CONST(0), CONST(0)};
    int64_t r = 0;
    for (; r + 4 <= count; r += 4, x += 4 * inner) {
        UNROLL
        for (int j = 0; j < 4; j++) {
            const vec away = some_lanes(x + j * inner, whole, part) - middle;
            sum[j] = vec_fma(away, away, sum[j]);
        }
    }
    for (; r < count; r++, x += inner) {
        const vec away = some_lanes(x, whole, part) - middle;
        sum[0] = vec_fma(away, away, sum[0]);
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// `count` rows of `inner` after `before` others.
static void add_rows(int64_t before, int64_t count, int64_t inner, const real *x, real *mean,
                     real *m2)
{
    const tile_weights w = weights_of(before, count);
    EACH_VEC(
        inner, vec own = mean_of_rows(count, inner, x + i, whole, part);
        vec squares = squares_of_rows(count, inner, x + i, own, whole, part); if (before > 0) {
            const vec old = LOAD_AT_I(mean);
            const vec distance = own - old;
            own = vec_fma(distance, vec_set(w.share), old);
            squares = LOAD_AT_I(m2) + vec_fma(distance * distance, vec_set(w.both), squares);
        } STORE_AT_I(mean, own);
        STORE_AT_I(m2, squares););
}

static void moments_of_rows(int64_t n, int64_t inner, const real *x, real *mean, real *m2)
{
    const int64_t rows = min(max(TILE_ELEMENTS / inner, TILE_ROWS_LEAST), TILE_ROWS_MOST);
    for (int64_t first = 0; first < n; first += rows)
        add_rows(first, min(n - first, rows), inner, x + first * inner, mean, m2);
}

static void moments(int64_t outer, int64_t n, int64_t inner, const void *x, void *mean, void *m2)
{
    for (int64_t o = 0; o < outer; o++) {
        const real *from = (const real *)x + o * n * inner;
        real *mean_to = (real *)mean + o * inner, *m2_to = (real *)m2 + o * inner;
        for (int64_t i = 0; i < inner && n == 0; i++) {
            mean_to[i] = (real)NAN;
            m2_to[i] = 0;
        }
        if (n > 0 && inner == 1)
            moments_of_run(n, from, mean_to, m2_to);
        else if (n > 0 && inner > 0)
            moments_of_rows(n, inner, from, mean_to, m2_to);
    }
}

#endif
