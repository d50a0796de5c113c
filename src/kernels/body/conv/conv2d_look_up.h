// The gradient by the filters where dy is a pool's, of windows of 2 x 2, and x has one channel: a
// first layer of 3 x 3.
//
//   dw[u][v][f] = sum over windows of dy[window][f] x[the pixel that dy_place[window][f] names,
//     moved by (u, v)]
//
// Each filter has one pixel of a window, and what the taps of its four pixels reach is a patch of 4
// x 4: one vector, where a lane looks its pixel up. So a window takes a quarter of the
// multiply-adds that its unpooled dy would, and that is never made.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_LOOK_UP_H
#define CJ_KERNELS_BODY_CONV_CONV2D_LOOK_UP_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_pool.h"
#include "kernels/body/conv/conv2d_unpool.h"

enum { LOOK_UP_TAPS = 3, PATCH_SIDE = LOOK_UP_TAPS + 1, LOOK_UP_VECS = 2 };

static bool looks_up(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return LANES >= PATCH_SIDE * PATCH_SIDE && a->pool_h == 2 && a->pool_w == 2 && s->c == 1 &&
           s->kh == LOOK_UP_TAPS && s->kw == LOOK_UP_TAPS && s->sh == 1 && s->sw == 1 &&
           s->dh == 1 && s->dw == 1;
}

// Some rows of windows, one below the other, for a panel of filters: their first pixel of x, and of
// what the pool has.
typedef struct window_rows {
    const real *x, *dy;
    const uint8_t *place;
    int64_t count, wide; // windows of a row
    int64_t x_row, filters, cols;
} window_rows;

// Row r of a patch in lanes 4 r .. 4 r + 3.
ALWAYS_INLINE vec patch_of_window(const real *x, int64_t row)
{
    ivec patch = ivec_set(0);
    UNROLL
    for (int r = 0; r < PATCH_SIDE; r++) {
        const vmask lanes =
            mask_and(mask_first((r + 1) * PATCH_SIDE), mask_not(mask_first(r * PATCH_SIDE)));
        const uintptr_t first = (uintptr_t)(x + r * row) - (uintptr_t)r * PATCH_SIDE * sizeof(real);
        patch |= (ivec)vec_load_part((const real *)first, lanes);
    }
    return (vec)patch;
}

// Sums of dw's rows and, last, of dbias.
typedef vec look_up_sums[LOOK_UP_TAPS * LOOK_UP_TAPS + 1][LOOK_UP_VECS];

ALWAYS_INLINE void look_up_window(const window_rows *w, vec patch, int64_t at, const int vecs,
                                  const vmask last, look_up_sums sum)
{
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const int64_t from = at + v * LANES;
        const ivec place = places_of(w->place + from, w->cols - v * LANES);
        const ivec shown = place < ivec_set(POOL_PIXELS); // else ReLU let nothing through
        const vec d = (vec)((ivec)(v < vecs - 1 ? vec_load(w->dy + from) :
                                                  vec_load_part(w->dy + from, last)) &
                            shown);
        // of (p / 2, p % 2) in a patch whose rows have 4 lanes
        const ivec corner = place + (place & ivec_set(2));
        UNROLL
        for (int tap = 0; tap < LOOK_UP_TAPS * LOOK_UP_TAPS; tap++) {
            const ivec looked_at =
                corner + ivec_set(tap / LOOK_UP_TAPS * PATCH_SIDE + tap % LOOK_UP_TAPS);
            sum[tap][v] = vec_fma(d, vec_permute(patch, looked_at), sum[tap][v]);
        }
        sum[LOOK_UP_TAPS * LOOK_UP_TAPS][v] += d;
    }
}

ALWAYS_INLINE void look_up_rows(const window_rows *w, const int vecs, bool begins, real *dw,
                                real *dbias)
{
    const vmask last = mask_first(w->cols - (vecs - 1) * LANES);
    look_up_sums sum;
    UNROLL
    for (int tap = 0; tap <= LOOK_UP_TAPS * LOOK_UP_TAPS; tap++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[tap][v] = vec_set(0);
    }
    for (int64_t i = 0; i < w->count; i++)
        for (int64_t j = 0; j < w->wide; j++)
            look_up_window(w, patch_of_window(w->x + 2 * (i * w->x_row + j), w->x_row),
                           (i * w->wide + j) * w->filters, vecs, last, sum);
    UNROLL
    for (int tap = 0; tap <= LOOK_UP_TAPS * LOOK_UP_TAPS; tap++) {
        real *to = tap < LOOK_UP_TAPS * LOOK_UP_TAPS ? dw + tap * w->filters : dbias;
        UNROLL
        for (int v = 0; v < vecs && to; v++, to += LANES) {
            const vmask part = v < vecs - 1 ? mask_first(LANES) : last;
            vec_store_part(to, begins ? sum[tap][v] : sum[tap][v] + vec_load_part(to, part), part);
        }
    }
}

// Rows i0 .. i1 - 1 of an image's dy, whole windows.
static void look_up_strip(const cj__conv2d_args *a, const framed *f, int64_t image, int64_t i0,
                          int64_t i1, bool begins, real *dw, real *dbias)
{
    const int64_t high = a->s.oh / 2, wide = a->s.ow / 2,
                  first = (image * high + i0 / 2) * wide * a->s.f;
    for (int64_t col = 0; col < a->s.f; col += LOOK_UP_VECS * LANES) {
        const window_rows w = {.x = f->x + (image * f->s.h + i0) * f->s.w,
                               .dy = (const real *)a->dy + first + col,
                               .place = a->dy_place + first + col,
                               .count = (i1 - i0) / 2,
                               .wide = wide,
                               .x_row = f->s.w,
                               .filters = a->s.f,
                               .cols = min(LOOK_UP_VECS * LANES, a->s.f - col)};
        if (w.cols > LANES)
            look_up_rows(&w, 2, begins, dw + col, dbias ? dbias + col : NULL);
        else
            look_up_rows(&w, 1, begins, dw + col, dbias ? dbias + col : NULL);
    }
}

#endif
