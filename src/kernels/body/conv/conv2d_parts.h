// The forward convolution where filters are many and pixels few, in parts of the sum:
//
//   y[pixel][f] = act(bias[f] + sum over parts of sum over (u, v, c) of a part of x[window][c]
//     w[u][v][c][f])
//
// Most of what is read are the filters then, and how they are read decides. By panels of columns
// each row of w gives some lines, far apart from those of the next row, to every few pixels. Here a
// task is a part of the sum: some rows of w, whole and one after another, for all pixels and all
// filters, into sums of its own that its caches hold. So filters are read once, in one run, and only
// by the thread that needs them. A last phase adds the parts, always in the same order.
//
// A tap is multiplied with the pixels that it reaches and no others: where images are small, much
// of a frame of zeros would be multiplied.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_PARTS_H
#define CJ_KERNELS_BODY_CONV_CONV2D_PARTS_H

#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/conv2d_pool.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/row_tile.h"

enum {
    CONV_PARTS = 16,           // at most,
    CONV_PART_ROWS = 128,      // and so many rows of w each at least
    CONV_PIECE_ROWS = 8,       // rows that all panels take before the next,
    PIECES_AHEAD = 2,          // and how early they are asked for;
    NEAR_FILTERS = 512 * 1024, // of filters up to which these come from a cache
    NEAR_PIECE_ROWS = 32,
    PARTS_FILTERS = 128 * 1024, // elements of w at least
    PARTS_SUMS = 64 * 1024,     // and of y at most
    PARTS_A_PIXEL = 16 * 1024,  // elements of w for each pixel
};

typedef struct conv_parts {
    cj__conv2d s;
    int64_t rows, pixels; // of w; of y, before the pool
    int64_t count, depth; // parts; rows of a part,
    int64_t piece, ahead; // of a piece; rows from which on it asks for later ones
    int64_t step;         // reals from the sums of one pixel to the next
} conv_parts;

static bool is_by_parts(const cj__conv2d *s)
{
    const int64_t size = s->kh * s->kw * s->c * s->f, pixels = s->n * s->oh * s->ow;
    return s->groups == 1 && pixels > 0 && size >= PARTS_FILTERS &&
           pixels * PARTS_A_PIXEL <= size && pixels * s->f <= PARTS_SUMS;
}

// (Rows of sums are a line longer than they are, so that they do not fall into the same few sets of
// the cache.)
static conv_parts conv_parts_of(const cj__conv2d *s)
{
    conv_parts p = {.s = *s, .rows = s->kh * s->kw * s->c, .pixels = s->n * s->oh * s->ow};
    const int64_t count = max(min(p.rows / CONV_PART_ROWS, CONV_PARTS), 1);
    const bool is_near = p.rows * s->f <= NEAR_FILTERS;
    p.piece = is_near ? NEAR_PIECE_ROWS : CONV_PIECE_ROWS;
    p.ahead = is_near ? NEAR_PIECE_ROWS : PIECES_AHEAD * CONV_PIECE_ROWS;
    p.depth = ceil_div(ceil_div(p.rows, count), CONV_PIECE_ROWS) * CONV_PIECE_ROWS;
    p.count = ceil_div(p.rows, p.depth);
    p.step = (ceil_div(s->f, LANES) + 1) * LANES;
    return p;
}

static void parts_job(const cj__conv2d_args *a, cj__job *job)
{
    const conv_parts p = conv_parts_of(&a->s);
    *job = (cj__job){.phases = 2, .tasks = {p.count, p.pixels / pool_area(a)}};
    job->workspace = (size_t)(p.count * p.pixels * p.step) * sizeof(real);
    job->scratch = has_pool(a) ? (size_t)(pool_area(a) * p.step) * sizeof(real) : 0;
}

// Asks for `count` reals, `distance` after `from`, to be in the second cache: that takes in more
// lines at a time than the first, and its own prefetcher sees one long run. The addresses need not
// exist.
static void fetch_run(const real *from, int64_t distance, int64_t count)
{
    const uintptr_t first = (uintptr_t)from + (uintptr_t)(distance * (int64_t)sizeof(real));
    for (int64_t at = 0; at < count * (int64_t)sizeof(real); at += CACHE_LINE)
        __builtin_prefetch((const void *)(first + (uintptr_t)at), 0, 2);
}

// Adds x w to the sums, for `length` rows of w at `w` that begin with `channel` of a tap.
static void add_piece(const conv_parts *p, const tap_reach *r, const real *x, const real *w,
                      int64_t channel, int64_t length, real *sums)
{
    static const int64_t no_offset[1] = {0};
    const cj__conv2d *s = &p->s;
    const int64_t row = r->row0 * s->sh + r->u * s->dh - s->top,
                  col = r->col0 * s->sw + r->v * s->dw - s->left;
    row_tile t = {.segments = no_offset,
                  .segment_count = 1,
                  .length = length,
                  .a_row = s->sw * s->c,
                  .a_step = 1,
                  .c_row = p->step,
                  .b_step = s->f};
    t.lines = r->row1 - r->row0;
    t.a_line = s->sh * s->w * s->c;
    t.c_line = s->ow * p->step;
    t.start = START_SUM;
    x += (row * s->w + col) * s->c + channel;
    sums += (r->row0 * s->ow + r->col0) * p->step;
    for (int64_t first = 0; first < s->f; first += t.cols) {
        const int vecs = panel_vecs(s->f - first);
        t.cols = min(vecs * LANES, s->f - first);
        t.b = w + first;
        fetch_run(w, p->ahead * s->f + p->piece * first, p->piece * t.cols);
        for (int64_t image = 0; image < s->n; image++) {
            t.a = x + image * s->h * s->w * s->c;
            t.c = sums + image * s->oh * s->ow * p->step + first;
            row_tiles_run(&t, vecs, r->col1 - r->col0);
        }
    }
}

static void convolve_part(const conv_parts *p, const cj__conv2d_args *a, real *sums, int64_t part)
{
    const cj__conv2d *s = &p->s;
    const int64_t last = min((part + 1) * p->depth, p->rows);
    put_zeros(sums, p->pixels * p->step);
    for (int64_t row = part * p->depth, rows; row < last; row += rows) {
        const int64_t channel = row % s->c;
        const tap_reach reach = tap_reach_of(s, row / s->c);
        rows = min(s->c - channel, last - row);
        for (int64_t i = 0; i < rows && !reaches_none(&reach); i += p->piece)
            add_piece(p, &reach, a->x, (const real *)a->w + (row + i) * s->f, channel + i,
                      min(p->piece, rows - i), sums);
    }
}

// y = bias + the first part's sums + the second's ... of one pixel.
static void add_sums(const conv_parts *p, const real *bias, bool relu, const real *sums, int64_t at,
                     real *y)
{
    for (int64_t j = 0; j < p->s.f; j += LANES) {
        const vmask in = mask_first(min(p->s.f - j, LANES));
        const real *from = sums + at * p->step + j;
        vec sum = bias ? vec_load_part(bias + j, in) : vec_set(0);
        for (int64_t part = 0; part < p->count; part++, from += p->pixels * p->step)
            sum += vec_load(from);
        vec_store_part(y + j, relu ? vec_max(vec_set(0), sum) : sum, in);
    }
}

// A pixel of y, or with a pool a window.
static void finish_pixel(const conv_parts *p, const cj__conv2d_args *a, const real *sums,
                         real *scratch, int64_t index)
{
    const epilogue e = epilogue_of(a);
    real *const y = (real *)a->y + index * p->s.f;
    if (!has_pool(a)) {
        add_sums(p, e.bias, is_relu(&e), sums, index, y);
        finish_rows(&e, (real *[]){y}, 1, p->s.f);
        return;
    }
    const pooled windows = pooled_of(a, NULL);
    const pixel window = pool_window(&windows, index);
    for (int64_t q = 0; q < pool_area(a); q++) {
        const int64_t row = window.i * max(a->pool_h, 1) + q / max(a->pool_w, 1),
                      col = window.j * max(a->pool_w, 1) + q % max(a->pool_w, 1);
        add_sums(p, e.bias, false, sums, (window.image * p->s.oh + row) * p->s.ow + col,
                 scratch + q * p->s.f);
    }
    pool_rows(a, scratch, p->s.f, y, a->place ? a->place + index * p->s.f : NULL);
}

static void convolve_by_parts(const cj__conv2d_args *a, void *workspace, void *scratch, int phase,
                              int64_t begin, int64_t end)
{
    const conv_parts p = conv_parts_of(&a->s);
    real *const sums = workspace;
    for (int64_t task = begin; task < end; task++) {
        if (phase == 0)
            convolve_part(&p, a, sums + task * p.pixels * p.step, task);
        else
            finish_pixel(&p, a, sums, scratch, task);
    }
}

#endif
