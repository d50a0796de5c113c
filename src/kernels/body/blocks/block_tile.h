// The tile of convolutions over blocks of images: a few filters by a few pixels, each a vector of
// LANES images.
//
//   y[p][f] = relu(bias[f] + sum over r, q, k of x[p][r * x_row + q * x_col + k * LANES] w[r *
//     w_row + q * w_col + k * w_step + f])
//
// for r < rows, q < cols, k < length: the taps of a window that lie inside the image, and their
// channels; where taps are adjacent in memory they are one long run. An element of x is a vector
// load, an element of w a broadcast, and both are used several times in registers, so that
// multiply-adds are the limit whatever the number of channels.
//
// A tile of 2 x 2 pixels can end in their maximum, so that what pooling drops is never stored.
#ifndef CJ_KERNELS_BODY_BLOCKS_BLOCK_TILE_H
#define CJ_KERNELS_BODY_BLOCKS_BLOCK_TILE_H

#include "kernels/body/conv/pool.h"
#include "kernels/body/product/epilogue.h"

enum { BLOCK_PIXELS_MAX = 12, WINDOW_PIXELS = 4 };

typedef struct block_tile {
    const real *x[BLOCK_PIXELS_MAX];
    real *y[BLOCK_PIXELS_MAX]; // filter 0 of each pixel; of a window, only the first
    uint8_t *place;            // of a window, or NULL
    const real *w, *bias;      // of filter 0; bias may be NULL
    int64_t rows, cols, length;
    int64_t x_row, x_col, w_row, w_col, w_step;
    bool relu;
    bool to_bf16; // to bfloat16, in the end
} block_tile;

// The maximum of a window's four pixels, and its position: see `place` in kernels.h.
ALWAYS_INLINE void finish_window(const block_tile *t, const vec *pixels, int filter)
{
    vec best = pixels[0];
    ivec place = ivec_set(0);
    if (t->to_bf16) {
        rounded_window(pixels, t->relu, &best, &place);
    } else {
        UNROLL
        for (int p = 1; p < WINDOW_PIXELS; p++) {
            const vmask m = beats(pixels[p], best);
            best = vec_select(m, pixels[p], best);
            place = (ivec)vec_select(m, (vec)ivec_set(p), (vec)place);
        }
        if (t->relu) {
            place = (ivec)vec_select(vec_lt(vec_set(0), best), (vec)place,
                                     (vec)ivec_set(WINDOW_PIXELS));
            best = vec_max(vec_set(0), best);
        }
    }
    vec_store(t->y[0] + filter * LANES, best);
    if (t->place)
        ivec_store_bytes(t->place + filter * LANES, place);
}

ALWAYS_INLINE void block_tile_body(const block_tile *t, const int filters, const int pixels,
                                   const bool is_pooled)
{
    vec sum[BLOCK_FILTERS_MAX][BLOCK_PIXELS_MAX];
    UNROLL
    for (int f = 0; f < filters; f++) {
        const vec start = vec_set(t->bias ? t->bias[f] : 0);
        UNROLL
        for (int p = 0; p < pixels; p++)
            sum[f][p] = start;
    }
    const int64_t w_step = t->w_step, end = t->length * LANES;
    for (int64_t r = 0; r < t->rows; r++) {
        for (int64_t q = 0; q < t->cols; q++) {
            const real *w = t->w + r * t->w_row + q * t->w_col;
            const real *x[BLOCK_PIXELS_MAX];
            UNROLL
            for (int p = 0; p < pixels; p++)
                x[p] = t->x[p] + r * t->x_row + q * t->x_col;
            for (int64_t at = 0; at < end; at += LANES, w += w_step) {
                if (pixels <= filters) {
                    vec v[BLOCK_PIXELS_MAX];
                    UNROLL
                    for (int p = 0; p < pixels; p++)
                        v[p] = vec_load(x[p] + at);
                    UNROLL
                    for (int f = 0; f < filters; f++) {
                        const vec tap = vec_set(w[f]);
                        UNROLL
                        for (int p = 0; p < pixels; p++)
                            sum[f][p] = vec_fma(tap, v[p], sum[f][p]);
                    }
                } else {
                    vec taps[BLOCK_FILTERS_MAX];
                    UNROLL
                    for (int f = 0; f < filters; f++)
                        taps[f] = vec_set(w[f]);
                    UNROLL
                    for (int p = 0; p < pixels; p++) {
                        const vec v = vec_load(x[p] + at);
                        UNROLL
                        for (int f = 0; f < filters; f++)
                            sum[f][p] = vec_fma(taps[f], v, sum[f][p]);
                    }
                }
            }
        }
    }
    UNROLL
    for (int f = 0; f < filters; f++) {
        if (is_pooled) {
            finish_window(t, sum[f], f);
            continue;
        }
        UNROLL
        for (int p = 0; p < pixels; p++) {
            const vec y = t->relu ? vec_max(vec_set(0), sum[f][p]) : sum[f][p];
            vec_store(t->y[p] + f * LANES, t->to_bf16 ? round_lanes(y) : y);
        }
    }
}

// Code for every number of pixels up to a shape's maximum.
#define TILE(f, p)                                        \
    static void block_tile_##f##_##p(const block_tile *t) \
    {                                                     \
        block_tile_body(t, f, p, false);                  \
    }
#define BLOCK_TILES_2(f)  TILE(f, 1) TILE(f, 2)
#define BLOCK_TILES_3(f)  BLOCK_TILES_2(f) TILE(f, 3)
#define BLOCK_TILES_4(f)  BLOCK_TILES_3(f) TILE(f, 4)
#define BLOCK_TILES_5(f)  BLOCK_TILES_4(f) TILE(f, 5)
#define BLOCK_TILES_6(f)  BLOCK_TILES_5(f) TILE(f, 6)
#define BLOCK_TILES_7(f)  BLOCK_TILES_6(f) TILE(f, 7)
#define BLOCK_TILES_8(f)  BLOCK_TILES_7(f) TILE(f, 8)
#define BLOCK_TILES_10(f) BLOCK_TILES_8(f) TILE(f, 9) TILE(f, 10)
#define BLOCK_TILES_12(f) BLOCK_TILES_10(f) TILE(f, 11) TILE(f, 12)
#define ROW(f, p)         BLOCK_TILES_##p(f)
BLOCK_SHAPES(ROW)
#undef ROW
#undef TILE

typedef void block_tile_code(const block_tile *t);

#define TILE(f, p) [p] = block_tile_##f##_##p,
static block_tile_code *const block_tile_codes[BLOCK_FILTERS_MAX + 1][BLOCK_PIXELS_MAX + 1] = {
#define ROW(f, p) [f] = {BLOCK_TILES_##p(f)},
    BLOCK_SHAPES(ROW)
#undef ROW
};
#undef TILE

static const int block_pixels[BLOCK_FILTERS_MAX + 1] = {
#define ROW(f, p) [f] = p,
    BLOCK_SHAPES(ROW)
#undef ROW
};

#define ROW(f)                                        \
    static void block_window_##f(const block_tile *t) \
    {                                                 \
        block_tile_body(t, f, WINDOW_PIXELS, true);   \
    }
BLOCK_WINDOWS(ROW)
#undef ROW

static block_tile_code *const block_window_codes[] = {NULL,
#define ROW(f) block_window_##f,
                                                      BLOCK_WINDOWS(ROW)
#undef ROW
};
enum { WINDOW_FILTERS_MAX = sizeof block_window_codes / sizeof *block_window_codes - 1 };

// Filters of a tile when there are `filters` of them: as even as can be, so that no tile is nearly
// empty, and such that loads are fewest: pieces tiles of size filters each load that many elements
// of w and one of x a pixel.
static int64_t block_tile_filters(int64_t filters)
{
    int64_t best = 1;
    double fewest = INFINITY;
    for (int64_t size = 1; size <= BLOCK_FILTERS_MAX; size++) {
        const double loads = (double)ceil_div(filters, size) * (double)(size + block_pixels[size]) /
                             block_pixels[size];
        if (loads < fewest && size <= filters) {
            fewest = loads;
            best = size;
        }
    }
    return best;
}

#endif
