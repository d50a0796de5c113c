// The gradient by the input where filters are many and pixels few, tap by tap:
//
//   dx[pixel reached][c] += sum over f of dy[pixel][f] w[tap][c][f]
//
// To turn all filters first, and to read them again for each class of pixels, moves four times as
// many bytes as the filters have, and the 9 MiB of a deep layer leave the second cache. Here a task
// is a panel of channels of all images: it turns a piece of one tap in its scratch and multiplies
// with all pixels that the tap reaches, so that filters are read once.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_INPUT_TAPS_H
#define CJ_KERNELS_BODY_CONV_CONV2D_INPUT_TAPS_H

#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/conv2d_gather.h"
#include "kernels/body/conv/conv2d_input_cells.h"
#include "kernels/body/conv/conv2d_input_dots.h"
#include "kernels/body/product/gemm_pack.h"
#include "kernels/body/product/row_tile.h"
#include "kernels/body/product/tile.h"

enum {
    TAP_PANEL = 2 * LANES,
    TAP_FILTERS = 128,         // of a piece: with the panel's channels half of the inner cache
    TAPS_FILTERS = 256 * 1024, // elements of the filters at least,
    // and for each pixel of dy: dx is read and written for each piece of each tap
    TAPS_A_PIXEL = 6 * 1024,
};

static bool is_by_taps(const cj__conv2d *s)
{
    const int64_t size = s->kh * s->kw * s->c * s->f;
    return s->groups == 1 && size >= TAPS_FILTERS && s->n * s->oh * s->ow * TAPS_A_PIXEL <= size &&
           !is_by_dots(s) && !is_by_cells(s);
}

static void taps_job(const cj__conv2d *s, cj__job *job)
{
    *job = (cj__job){.phases = 1, .tasks = {ceil_div(s->c, TAP_PANEL)}};
    job->scratch = (size_t)TAP_PANEL * TAP_FILTERS * sizeof(real);
}

// One piece of a tap, which `t` has as its b: filters `f0` on, channels `channel` on.
static void add_tap(const gather *g, const tap_reach *r, product_tile *t, int64_t f0,
                    int64_t channel)
{
    const cj__conv2d *s = &g->s;
    const int vecs = (int)ceil_div(t->cols, LANES);
    const int64_t pixels = s->n * (r->row1 - r->row0) * (r->col1 - r->col0),
                  tiles = ceil_div(pixels, tile_rows[vecs]);
    int64_t image = 0, i = r->row0, j = r->col0;
    for (int64_t k = 0; k < tiles; k++) {
        const int rows = (int)((k + 1) * pixels / tiles - k * pixels / tiles);
        for (int q = 0; q < rows; q++) {
            const int64_t row = i * s->sh + r->u * s->dh - s->top,
                          col = j * s->sw + r->v * s->dw - s->left;
            t->a[q] = g->dy + ((image * s->oh + i) * s->ow + j) * s->f + f0;
            t->c[q] = g->dx + ((image * s->h + row) * s->w + col) * s->c + channel;
            if (++j < r->col1)
                continue;
            j = r->col0;
            if (++i < r->row1)
                continue;
            i = r->row0;
            image++;
        }
        tile_run(t, vecs, rows);
    }
}

static void gather_by_taps(const gather *g, real *turned, int64_t task)
{
    const cj__conv2d *s = &g->s;
    const int64_t channel = task * TAP_PANEL, channels = min(TAP_PANEL, s->c - channel);
    product_tile t = {.b = turned,
                      .segments = (const int64_t[]){0},
                      .segment_count = 1,
                      .a_step = 1,
                      .b_step = TAP_PANEL};
    t.cols = channels;
    t.start = START_SUM;
    zero_pixels(g->dx + channel, s->n * s->h * s->w, channels, s->c);
    for (int64_t tap = 0; tap < s->kh * s->kw; tap++) {
        const tap_reach r = tap_reach_of(s, tap);
        for (int64_t f = 0; f < s->f && !reaches_none(&r); f += t.length) {
            t.length = min(TAP_FILTERS, s->f - f);
            transpose_block(g->w + (tap * s->c + channel) * s->f + f, s->f, channels, t.length,
                            turned, TAP_PANEL);
            add_tap(g, &r, &t, f, channel);
        }
    }
}

#endif
