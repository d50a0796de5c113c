// 2-D convolution, forward: y[pixel][f] = act(sum over u, v, c of x[window][c] w[u][v][c][f] +
// bias[f]).
//
// A row of the product is an output pixel: its windows' rows are runs of adjacent elements of x, so
// that a tile reads them through one pointer a pixel and one segment a window row (see tile.h) and
// nothing is unfolded. Where the window reaches outside the image, a first phase copies x into a
// frame of zeros.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_H
#define CJ_KERNELS_BODY_CONV_CONV2D_H

#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/row_tile.h"
#include "kernels/body/product/tile.h"

// A convolution whose input has its frame: the windows of every output lie inside.
typedef struct framed {
    cj__conv2d s;           // with h, w, top, left of the frame
    const real *x;          // the framed input: x itself, or the copy
    int64_t depth, filters; // channels and filters of one group
    int64_t run;            // taps of a window row that are adjacent in x: kw, or 1
} framed;

static int64_t reach(int64_t count, int64_t stride, int64_t taps, int64_t dilation)
{
    return (count - 1) * stride + (taps - 1) * dilation + 1;
}

static bool needs_frame(const cj__conv2d *s)
{
    return s->top > 0 || s->left > 0 || reach(s->oh, s->sh, s->kh, s->dh) - s->top > s->h ||
           reach(s->ow, s->sw, s->kw, s->dw) - s->left > s->w;
}

static framed framed_of(const cj__conv2d *s, const void *x, const void *copy)
{
    framed f = {*s, x, s->c / s->groups, s->f / s->groups, 1};
    if (needs_frame(s)) {
        f.x = copy;
        f.s.h = max(reach(s->oh, s->sh, s->kh, s->dh), s->h + s->top);
        f.s.w = max(reach(s->ow, s->sw, s->kw, s->dw), s->w + s->left);
        f.s.top = f.s.left = 0;
    }
    if (s->dw == 1 && s->groups == 1)
        f.run = s->kw;
    return f;
}

static size_t conv2d_frame_size(const cj__conv2d *s)
{
    const framed f = framed_of(s, NULL, NULL);
    const size_t size = (size_t)(s->n * f.s.h * f.s.w * s->c) * sizeof(real);
    return needs_frame(s) ? cj__align_up_64(size) : 0;
}

// Copies one image into its frame.
static void frame_image(const cj__conv2d *s, const real *x, real *copy, int64_t image)
{
    const framed f = framed_of(s, NULL, NULL);
    const size_t row = (size_t)(f.s.w * s->c) * sizeof(real),
                 inner = (size_t)(s->w * s->c) * sizeof(real);
    const size_t before = (size_t)(s->left * s->c) * sizeof(real);
    for (int64_t r = 0; r < f.s.h; r++) {
        char *to = (char *)(copy + (image * f.s.h + r) * f.s.w * s->c);
        const int64_t from = r - s->top;
        if (from < 0 || from >= s->h) {
            memset(to, 0, row);
            continue;
        }
        memset(to, 0, before);
        memcpy(to + before, x + (image * s->h + from) * s->w * s->c, inner);
        memset(to + before + inner, 0, row - before - inner);
    }
}

// A place in the output, walked pixel by pixel.
typedef struct pixel {
    int64_t image, i, j;
} pixel;

static pixel pixel_at(const cj__conv2d *s, int64_t index)
{
    const int64_t area = s->oh * s->ow;
    return (pixel){index / area, index % area / s->ow, index % s->ow};
}

static void next_row(const cj__conv2d *s, pixel *p)
{
    p->j = 0;
    if (++p->i < s->oh)
        return;
    p->i = 0;
    p->image++;
}

// The first element of a pixel's window.
static const real *window_of_pixel(const framed *f, const pixel *p)
{
    return f->x + ((p->image * f->s.h + p->i * f->s.sh) * f->s.w + p->j * f->s.sw) * f->s.c;
}

enum { PIXELS_A_TASK = 192, SEGMENTS_MAX = 64, SHORTEST_ROW = 8, LONGEST_SUM = 320 };

// Whether rows of pixels are worked on one by one: they must be long enough, and the sum so short
// that finding its operands counts.
static bool is_by_rows(const cj__conv2d *s)
{
    return s->ow >= SHORTEST_ROW && s->kh * s->kw * (s->c / s->groups) <= LONGEST_SUM;
}

// Pixels of a task: many for big batches, fewer so that one image still feeds several threads.
// Whole rows, or divisible by every tile.
static int64_t conv_chunk(const cj__conv2d *s)
{
    const int64_t pixels = s->n * s->oh * s->ow;
    const int64_t chunk = max(min(ceil_div(ceil_div(pixels, 16), 24) * 24, PIXELS_A_TASK), 24);
    return is_by_rows(s) && s->ow < chunk ? chunk / s->ow * s->ow : chunk;
}

static void conv2d_plain_job(const cj__conv2d *s, cj__job *job)
{
    const int64_t tasks = ceil_div(s->n * s->oh * s->ow, conv_chunk(s));
    *job = (cj__job){.phases = 1, .tasks = {tasks}};
    if (needs_frame(s))
        *job = (cj__job){.phases = 2, .tasks = {s->n, tasks}, .workspace = conv2d_frame_size(s)};
}

// The windows' segments `first` .. as offsets from a window's first element, channel `channel` on.
static int64_t conv_segments(const framed *f, int64_t first, int64_t channel, int64_t *segments)
{
    const int64_t across = f->s.kw / f->run, all = f->s.kh * across,
                  count = min(SEGMENTS_MAX, all - first);
    for (int64_t q = 0; q < count; q++) {
        const int64_t u = (first + q) / across, v = (first + q) % across;
        segments[q] = (u * f->s.dh * f->s.w + v * f->s.dw) * f->s.c + channel;
    }
    return count;
}

// Pixels begin .. end - 1 for one panel of a group's filters, over the segments that `t` has.
static void conv2d_panel(const framed *f, const product_tile *form, int vecs, real *y,
                         const epilogue *e, int64_t begin, int64_t end)
{
    pixel p = pixel_at(&f->s, begin);
    const real *window = window_of_pixel(f, &p);
    product_tile t = *form;
    y += begin * f->s.f;
    for (int64_t at = begin; at < end; at += tile_rows[vecs]) {
        const int rows = (int)min(tile_rows[vecs], end - at);
        for (int i = 0; i < rows; i++, y += f->s.f) {
            t.a[i] = window;
            t.c[i] = y;
            window += f->s.sw * f->s.c;
            if (++p.j == f->s.ow) {
                next_row(&f->s, &p);
                window = window_of_pixel(f, &p);
            }
        }
        tile_run(&t, vecs, rows);
        if (e && t.cols == f->s.f)
            finish_rows(e, t.c, 1, rows * t.cols); // pixels are adjacent
        else if (e)
            finish_rows(e, t.c, rows, t.cols);
    }
}

// The same by rows of pixels.
static void conv2d_rows(const framed *f, const product_tile *t, int vecs, real *y,
                        const epilogue *e, int64_t begin, int64_t end)
{
    row_tile r = row_tile_of(t);
    r.a_row = f->s.sw * f->s.c;
    r.c_row = f->s.f;
    r.a_line = f->s.sh * f->s.w * f->s.c;
    r.c_line = f->s.ow * f->s.f;
    pixel p = pixel_at(&f->s, begin);
    for (int64_t at = begin, count; at < end; at += count * r.lines) {
        count = min(f->s.ow - p.j, end - at);
        r.lines = count == f->s.ow ? min(f->s.oh - p.i, (end - at) / count) : 1;
        r.a = window_of_pixel(f, &p);
        r.c = y + at * f->s.f;
        row_tiles_run(&r, vecs, count);
        // at a time, where they are adjacent
        const int64_t pixels = t->cols == f->s.f ? count * r.lines : 1;
        for (int64_t i = 0; e && i < count * r.lines; i += pixels)
            finish_rows(e, (real *[]){y + (at + i) * f->s.f}, 1, pixels * t->cols);
        p.i += r.lines - 1;
        next_row(&f->s, &p);
    }
}

static void conv2d_group(const framed *f, int64_t group, const real *w, const epilogue *e, real *y,
                         int64_t begin, int64_t end)
{
    const int64_t all = f->s.kh * f->s.kw / f->run, length = f->run * f->depth;
    const int64_t last = (group + 1) * f->filters;
    const bool by_rows = is_by_rows(&f->s),
               follows = e->to_bf16 || (e->act != CJ__UNARY_NONE && !is_relu(e));
    int64_t segments[SEGMENTS_MAX];
    for (int64_t first = 0; first < all; first += SEGMENTS_MAX) {
        const int64_t count = conv_segments(f, first, group * f->depth, segments);
        const bool ends = first + count == all;
        for (int64_t col = group * f->filters; col < last;) {
            const int vecs = panel_vecs(last - col);
            product_tile t = {.b = w + first * length * f->s.f + col,
                              .segments = segments,
                              .segment_count = count};
            t.length = length;
            t.a_step = 1;
            t.b_step = f->s.f;
            t.cols = min(vecs * LANES, last - col);
            t.start = first > 0 ? START_SUM : e->bias ? START_BIAS : START_ZERO;
            t.bias = e->bias ? e->bias + col : NULL;
            t.relu = ends && is_relu(e);
            (by_rows ? conv2d_rows : conv2d_panel)(f, &t, vecs, y + col, ends && follows ? e : NULL,
                                                   begin, end);
            col += t.cols;
        }
    }
}

#endif
