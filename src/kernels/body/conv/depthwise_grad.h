// The gradient by the filters where every filter sees one channel (depthwise.h):
//
//   dw[tap][q] = sum over pixels of x[place of tap][q / m] dy[pixel][q]
//
// Lanes are filters, and the sums of some taps of a window row, or of all of 3 x 3
// (depthwise_three_grad.h), stay in registers through a strip of rows of dy. A task is a piece of all rows of the batch, of some filters; each piece has its own sums in the
// workspace, and a last phase adds them in order.
#ifndef CJ_KERNELS_BODY_CONV_DEPTHWISE_GRAD_H
#define CJ_KERNELS_BODY_CONV_DEPTHWISE_GRAD_H

#include "kernels/body/conv/conv2d_grad_sums.h"
#include "kernels/body/conv/depthwise.h"
#include "kernels/body/conv/depthwise_three_grad.h"

enum {
    DEPTHWISE_TAPS = 3,                                          // of a window row, at a time,
    DEPTHWISE_GRAD_VECS = TILE_VECS_MAX < 4 ? TILE_VECS_MAX : 4, // and vectors of filters
    DEPTHWISE_STRIP = 128,                                       // pixels of a strip
    DEPTHWISE_PIECES = 16,
    DEPTHWISE_PIECE = 1024, // pixels of a piece at least
    DEPTHWISE_SUMS = 4096   // that a task of the last phase adds
};

typedef struct depthwise_cut {
    int64_t rows, pieces, blocks, block; // rows of dy in all; filters of a block
} depthwise_cut;

static depthwise_cut depthwise_cut_of(const cj__conv2d *s)
{
    depthwise_cut cut = {.rows = s->n * s->oh, .block = s->f};
    const int64_t panel = DEPTHWISE_GRAD_VECS * LANES;
    cut.pieces = max(min(min(cut.rows * s->ow / DEPTHWISE_PIECE, cut.rows), DEPTHWISE_PIECES), 1);
    if (cut.pieces < BAND_TASKS)
        cut.block = ceil_div(ceil_div(s->f, panel), BAND_TASKS / cut.pieces) * panel;
    cut.blocks = ceil_div(s->f, cut.block);
    return cut;
}

static void depthwise_filter_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const depthwise_cut cut = depthwise_cut_of(&a->s);
    *job = (cj__job){.phases = 1, .tasks = {cut.pieces * cut.blocks}};
    if (cut.pieces > 1) {
        job->phases = 2;
        job->tasks[1] = ceil_div(a->s.kh * a->s.kw * a->s.f, DEPTHWISE_SUMS);
        job->workspace = (size_t)cut.pieces * partial_size(a);
    }
}

// Rows of dy and the taps whose sums are made: v .. of window row u.
typedef struct depthwise_strip {
    const cj__conv2d_args *a;
    int64_t row0, row1, u, v;
    int64_t first[DEPTHWISE_TAPS], last[DEPTHWISE_TAPS]; // pixels of a row that each tap reaches
    int64_t from, to;                                    // those that all of them reach
    real *dw;
} depthwise_strip;

// Pixels begin .. end - 1 of a row, for taps tap .. tap + taps - 1. `place` is where pixel 0 would read
// x by the first of the taps, inside it or not.
ALWAYS_INLINE void add_pixels(const depthwise_strip *t, const depthwise_lanes *l, int64_t place,
                              const real *dy, int64_t begin, int64_t end, const int tap,
                              const int taps, const int vecs, const bool whole, const bool spreads,
                              vec sum[DEPTHWISE_TAPS][DEPTHWISE_GRAD_VECS])
{
    const cj__conv2d *s = &t->a->s;
    if (begin >= end)
        return;
    const real *x = (const real *)t->a->x + (place + (begin * s->sw + tap * s->dw) * s->c);
    dy += begin * s->f;
    for (int64_t j = begin; j < end; j++, x += s->sw * s->c, dy += s->f) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            const vec d = whole ? vec_load(dy + v * LANES) : vec_load_part(dy + v * LANES, l->part);
            UNROLL
            for (int k = 0; k < taps; k++)
                sum[tap + k][v] =
                    vec_fma(load_channels(x + k * s->dw * s->c + v * LANES, l, whole, spreads), d,
                            sum[tap + k][v]);
        }
    }
}

ALWAYS_INLINE void add_strip(const depthwise_strip *t, const depthwise_lanes *l, const int taps,
                             const int vecs, const bool whole, const bool spreads)
{
    const cj__conv2d *s = &t->a->s;
    vec sum[DEPTHWISE_TAPS][DEPTHWISE_GRAD_VECS];
    real *dw = t->dw + (t->u * s->kw + t->v) * s->f + l->filter;
    UNROLL
    for (int k = 0; k < taps; k++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            const real *to = dw + k * s->f + v * LANES;
            sum[k][v] = whole ? vec_load(to) : vec_load_part(to, l->part);
        }
    }
    for (int64_t row = t->row0; row < t->row1; row++) {
        const int64_t i = row % s->oh * s->sh + t->u * s->dh - s->top;
        if (i < 0 || i >= s->h)
            continue;
        const int64_t x =
            ((row / s->oh * s->h + i) * s->w + t->v * s->dw - s->left) * s->c + l->channel;
        const real *dy = (const real *)t->a->dy + row * s->ow * s->f + l->filter;
        add_pixels(t, l, x, dy, t->from, t->to, 0, taps, vecs, whole, spreads, sum);
        UNROLL
        for (int k = 0; k < taps; k++) {
            const int64_t end = min(t->from, t->last[k]);
            add_pixels(t, l, x, dy, t->first[k], end, k, 1, vecs, whole, spreads, sum);
            add_pixels(t, l, x, dy, max(t->to, end), t->last[k], k, 1, vecs, whole, spreads, sum);
        }
    }
    UNROLL
    for (int k = 0; k < taps; k++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            put_vec(dw + k * s->f + v * LANES, sum[k][v], whole, l->part);
    }
}

ALWAYS_INLINE void add_filters(const depthwise_strip *t, int64_t filter0, int64_t filter1,
                               const int taps)
{
    const int64_t m = t->a->s.f / t->a->s.c, step = DEPTHWISE_GRAD_VECS * LANES;
    for (int64_t filter = filter0; filter < filter1;) {
        const bool full = m == 1 && filter + step <= filter1;
        const depthwise_lanes l = lanes_of_filters(filter, t->a->s.f, m);
        if (full)
            add_strip(t, &l, taps, DEPTHWISE_GRAD_VECS, true, false);
        else if (m == 1)
            add_strip(t, &l, taps, 1, false, false);
        else
            add_strip(t, &l, taps, 1, false, true);
        filter += full ? step : LANES;
    }
}

// Taps v .. v + taps - 1 of window row t->u.
static void depthwise_taps(depthwise_strip *t, int64_t v, int taps, int64_t filter0,
                           int64_t filter1)
{
    const cj__conv2d *s = &t->a->s;
    t->v = v;
    t->from = 0;
    t->to = s->ow;
    for (int k = 0; k < taps; k++) {
        outputs_inside(s->ow, s->sw, (v + k) * s->dw, s->left, s->w, &t->first[k], &t->last[k]);
        t->from = max(t->from, t->first[k]);
        t->to = min(t->to, t->last[k]);
    }
    if (taps == DEPTHWISE_TAPS)
        add_filters(t, filter0, filter1, DEPTHWISE_TAPS);
    else
        add_filters(t, filter0, filter1, 1);
}

static void depthwise_piece(const cj__conv2d_args *a, const depthwise_cut *cut, int64_t task,
                            real *dw, real *dbias)
{
    const cj__conv2d *s = &a->s;
    const int64_t piece = task % cut->pieces, filter0 = task / cut->pieces * cut->block,
                  filter1 = min(filter0 + cut->block, s->f);
    const int64_t begin = cut->rows * piece / cut->pieces,
                  end = cut->rows * (piece + 1) / cut->pieces,
                  rows = max(DEPTHWISE_STRIP / max(s->ow, 1), 1);
    depthwise_strip t = {.a = a, .dw = dw};
    for (int64_t tap = 0; tap < s->kh * s->kw; tap++)
        memset(dw + tap * s->f + filter0, 0, (size_t)(filter1 - filter0) * sizeof(real));
    for (int64_t row = begin; row < end; row += rows) {
        t.row0 = row;
        t.row1 = min(row + rows, end);
        if (is_by_three_sums(s)) {
            add_threes(a, t.row0, t.row1, filter0, filter1, dw);
            continue;
        }
        for (t.u = 0; t.u < s->kh; t.u++)
            for (int64_t v = 0, taps; v < s->kw; v += taps) {
                taps = v + DEPTHWISE_TAPS <= s->kw ? DEPTHWISE_TAPS : 1;
                depthwise_taps(&t, v, (int)taps, filter0, filter1);
            }
    }
    if (dbias && filter0 == 0)
        sum_rows(s, (const real *)a->dy + begin * s->ow * s->f, (end - begin) * s->ow, true, dbias);
}

static void depthwise_filter_grad_run(const cj__conv2d_args *a, void *workspace, int phase,
                                      int64_t begin, int64_t end)
{
    const depthwise_cut cut = depthwise_cut_of(&a->s);
    const int64_t sums = a->s.kh * a->s.kw * a->s.f;
    char *partials = cut.pieces > 1 ? workspace : NULL;
    for (int64_t task = begin; task < end; task++) {
        if (phase == 0) {
            char *own = partials ? partials + (size_t)(task % cut.pieces) * partial_size(a) : NULL;
            real *dbias = own ? (real *)(own + bias_offset(&a->s)) : a->dbias;
            depthwise_piece(a, &cut, task, own ? (real *)own : a->dw, a->sums_dbias ? dbias : NULL);
            continue;
        }
        const int64_t first = task * DEPTHWISE_SUMS;
        add_pieces(partials, partial_size(a), cut.pieces, first, min(first + DEPTHWISE_SUMS, sums),
                   a->dw);
        if (a->sums_dbias && task == 0)
            add_pieces(partials + bias_offset(&a->s), partial_size(a), cut.pieces, 0, a->s.f,
                       a->dbias);
    }
}

#endif
