// Pools over images begin .. end - 1 of (n, h, w, c), channels as lanes: y[i][j][c] = maximum or
// mean of x[window][c].
#ifndef CJ_KERNELS_BODY_CONV_POOL_H
#define CJ_KERNELS_BODY_CONV_POOL_H

#include "kernels/body/elementwise/elementwise.h"

// The window of one output, cut to the input: rows row0 .. row1 - 1, columns col0 .. col1 - 1 of
// the image. `place` is that of its first element, counted from the uncut corner.
typedef struct window {
    int64_t row0, row1, col0, col1;
    int64_t place;
} window;

static window window_of(const cj__pool2d *s, int64_t i, int64_t j)
{
    const int64_t top = i * s->sh - s->top, left = j * s->sw - s->left;
    const int64_t row0 = max(top, 0), col0 = max(left, 0);
    return (window){row0, min(top + s->kh, s->h), col0, min(left + s->kw, s->w),
                    (row0 - top) * s->kw + col0 - left};
}

static int64_t window_count(const window *p)
{
    return (p->row1 - p->row0) * (p->col1 - p->col0);
}

static bool index_is_byte(const cj__pool2d *s)
{
    return s->kh * s->kw <= 256;
}

static void put_places(const cj__pool2d *s, void *index, int64_t at, ivec places, int64_t count)
{
    if (index_is_byte(s) && count == LANES) {
        ivec_store_bytes((uint8_t *)index + at, places);
        return;
    }
    lane_int lane[LANES];
    memcpy(lane, &places, sizeof lane);
    for (int64_t i = 0; i < count; i++) {
        if (index_is_byte(s))
            ((uint8_t *)index)[at + i] = (uint8_t)lane[i];
        else
            ((int32_t *)index)[at + i] = (int32_t)lane[i];
    }
}

static ivec get_places(const cj__pool2d *s, const void *index, int64_t at, int64_t count)
{
    if (index_is_byte(s) && count == LANES)
        return ivec_from_bytes((const uint8_t *)index + at);
    lane_int lane[LANES] = {0};
    ivec places;
    for (int64_t i = 0; i < count; i++)
        lane[i] =
            index_is_byte(s) ? ((const uint8_t *)index)[at + i] : ((const int32_t *)index)[at + i];
    memcpy(&places, lane, sizeof places);
    return places;
}

// Lanes where v takes the place of the best so far: where it is greater, or the first NaN.
ALWAYS_INLINE vmask beats(vec v, vec best)
{
    return mask_and(mask_not(vec_le(v, best)), vec_eq(best, best));
}

// One vector of channels of a window of rows x cols elements. `places` gets where the first
// greatest ones lie.
ALWAYS_INLINE vec window_max(const real *x, int64_t row_step, int64_t step, const int64_t rows,
                             const int64_t cols, const window *p, int64_t kw, const bool whole,
                             vmask part, ivec *places)
{
    vec best = whole ? vec_load(x) : vec_load_part(x, part);
    *places = ivec_set((lane_int)p->place);
    UNROLL
    for (int64_t r = 0; r < rows; r++) {
        UNROLL
        for (int64_t q = 0; q < cols; q++) {
            const real *from = x + r * row_step + q * step;
            const vec v = whole ? vec_load(from) : vec_load_part(from, part);
            const vmask m = beats(v, best);
            best = vec_select(m, v, best);
            *places =
                (ivec)vec_select(m, (vec)ivec_set((lane_int)(p->place + r * kw + q)), (vec)*places);
        }
    }
    return best;
}

// All channels of one output. Windows of 2 x 2 have code of their own, without loops.
ALWAYS_INLINE void max_of_window(const cj__pool2d *s, const real *x, const window *p,
                                 const int64_t rows, const int64_t cols, real *y, void *index,
                                 int64_t at)
{
    const real *from = x + (p->row0 * s->w + p->col0) * s->c;
    real *to = y + at;
    ivec places;
    EACH_VEC(s->c, STORE_AT_I(to, window_max(from + i, s->w * s->c, s->c, rows, cols, p, s->kw,
                                             whole, part, &places));
             if (index) put_places(s, index, at + i, places, min(LANES, s->c - i)););
}

static void max_pool2d(const cj__pool2d *s, const void *x, void *y, void *index, int64_t begin,
                       int64_t end)
{
    int64_t at = begin * s->oh * s->ow * s->c;
    for (int64_t image = begin; image < end; image++) {
        const real *from = (const real *)x + image * s->h * s->w * s->c;
        for (int64_t o = 0; o < s->oh * s->ow; o++, at += s->c) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            const int64_t rows = p.row1 - p.row0, cols = p.col1 - p.col0;
            if (rows == 2 && cols == 2)
                max_of_window(s, from, &p, 2, 2, y, index, at);
            else
                max_of_window(s, from, &p, rows, cols, y, index, at);
        }
    }
}

// dx at every element of a window: dy where the place is remembered, 0 elsewhere. Where windows
// overlap it is added.
ALWAYS_INLINE void max_grad_of_window(const cj__pool2d *s, const window *p, const int64_t rows,
                                      const int64_t cols, const bool adds, const real *dy,
                                      const void *index, int64_t at, real *dx)
{
    real *corner = dx + (p->row0 * s->w + p->col0) * s->c;
    const real *gradients = dy + at;
    EACH_VEC(
        s->c, const vec d = LOAD_AT_I(gradients);
        const ivec places = get_places(s, index, at + i, min(LANES, s->c - i));
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t q = 0; q < cols; q++) {
                real *to = corner + (r * s->w + q) * s->c;
                const ivec here = places == ivec_set((lane_int)(p->place + r * s->kw + q));
                const vec share = (vec)((ivec)d & here);
                STORE_AT_I(to, adds ? LOAD_AT_I(to) + share : share);
            }
        });
}

// Whether no two windows share an element, and whether every element of the input lies in one.
static bool windows_overlap(const cj__pool2d *s)
{
    return s->sh < s->kh || s->sw < s->kw;
}

static bool windows_cover(const cj__pool2d *s)
{
    return s->sh <= s->kh && s->sw <= s->kw && (s->oh - 1) * s->sh - s->top + s->kh >= s->h &&
           (s->ow - 1) * s->sw - s->left + s->kw >= s->w;
}

static void max_pool2d_grad(const cj__pool2d *s, const void *index, const void *dy, void *dx,
                            int64_t begin, int64_t end)
{
    const int64_t in = s->h * s->w * s->c;
    const bool overlap = windows_overlap(s), bare = overlap || !windows_cover(s);
    int64_t at = begin * s->oh * s->ow * s->c;
    for (int64_t image = begin; image < end; image++) {
        real *to = (real *)dx + image * in;
        if (bare)
            memset(to, 0, (size_t)in * sizeof(real));
        for (int64_t o = 0; o < s->oh * s->ow; o++, at += s->c) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            const int64_t rows = p.row1 - p.row0, cols = p.col1 - p.col0;
            if (overlap)
                max_grad_of_window(s, &p, rows, cols, true, dy, index, at, to);
            else if (rows == 2 && cols == 2)
                max_grad_of_window(s, &p, 2, 2, false, dy, index, at, to);
            else
                max_grad_of_window(s, &p, rows, cols, false, dy, index, at, to);
        }
    }
}

static void average_pool2d(const cj__pool2d *s, const void *x, void *y, int64_t begin, int64_t end)
{
    real *to = (real *)y + begin * s->oh * s->ow * s->c;
    for (int64_t image = begin; image < end; image++) {
        const real *whole_image = (const real *)x + image * s->h * s->w * s->c;
        for (int64_t o = 0; o < s->oh * s->ow; o++, to += s->c) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            const vec count = CONST((double)window_count(&p));
            EACH_VEC(
                s->c, vec sum = CONST(0); for (int64_t r = p.row0; r < p.row1; r++) {
                    for (int64_t q = p.col0; q < p.col1; q++) {
                        const real *from = whole_image + (r * s->w + q) * s->c;
                        sum += LOAD_AT_I(from);
                    }
                } STORE_AT_I(to, sum / count););
        }
    }
}

static void average_pool2d_grad(const cj__pool2d *s, const void *dy, void *dx, int64_t begin,
                                int64_t end)
{
    const int64_t in = s->h * s->w * s->c;
    const real *gradients = (const real *)dy + begin * s->oh * s->ow * s->c;
    for (int64_t image = begin; image < end; image++) {
        real *whole_image = (real *)dx + image * in;
        memset(whole_image, 0, (size_t)in * sizeof(real));
        for (int64_t o = 0; o < s->oh * s->ow; o++, gradients += s->c) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            const vec count = CONST((double)window_count(&p));
            EACH_VEC(
                s->c, const vec share = LOAD_AT_I(gradients) / count;
                for (int64_t r = p.row0; r < p.row1; r++) {
                    for (int64_t q = p.col0; q < p.col1; q++) {
                        real *to = whole_image + (r * s->w + q) * s->c;
                        STORE_AT_I(to, LOAD_AT_I(to) + share);
                    }
                });
        }
    }
}

#endif
