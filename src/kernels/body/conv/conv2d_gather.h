// How the gradient of a 2-D convolution by the input is gathered:
//
//   dx[pixel][c] = sum over f and the taps (u, v) that reach the pixel of dy[place of tap][f]
//     w[u][v][c][f]
//
// Pixels that the same taps reach form rectangles, a class of rows by one of columns
// (conv2d_axis.h), through all images of a task: with strides one for each parity, and one for each
// edge. Each is a small dense convolution over dy with exactly those taps, so that dx is written
// once, nothing is multiplied with padding, and what no tap reaches is only zeroed.
//
// A task is a panel of channels of some rows of an image, or of several whole images.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_GATHER_H
#define CJ_KERNELS_BODY_CONV_CONV2D_GATHER_H

#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/row_tile.h"

typedef struct gather {
    cj__conv2d s;
    conv_axis rows, cols;
    const real *dy, *w, *turned;
    real *dx;
    int64_t depth, filters; // of one group
    epilogue e;
} gather;

static gather gather_of(const cj__conv2d_args *a, const void *turned)
{
    const cj__conv2d *s = &a->s;
    return (gather){
        .s = *s,
        .rows = axis_of(1, s->sh, (s->kh - 1) * s->dh - s->top, s->dh, s->kh, s->oh),
        .cols = axis_of(1, s->sw, (s->kw - 1) * s->dw - s->left, s->dw, s->kw, s->ow),
        .dy = a->dy,
        .w = a->w,
        .turned = turned,
        .dx = a->dx,
        .depth = s->c / s->groups,
        .filters = s->f / s->groups,
        .e = epilogue_of(a),
    };
}

// ---- how it is cut ----

// Tasks at least, and pixels of one at most, where there are as many; more of a few channels.
enum { GATHER_TASKS = 16, GATHER_PIXELS = 1024, DOT_PIXELS = 4096, EDGE_IMAGES = 16 };

typedef struct gather_cut {
    int64_t panel, panels; // channels of a panel, and panels of all groups
    int64_t images, rows;  // of a task
    int64_t strips;        // of an image
} gather_cut;

// Whether half of the rows or more have taps of their own, as those near the edges have: then a
// tile is filled by the same pixels of several images.
static bool is_mostly_edge(const cj__conv2d *s)
{
    return 4 * (s->kh - 1) * s->dh >= s->h && s->sh == 1;
}

static gather_cut gather_cut_of(const cj__conv2d *s, int64_t most)
{
    const int64_t depth = s->c / s->groups, image = max(s->h * s->w, 1);
    gather_cut cut = {.panel = PANEL_COLS, .images = 1, .rows = max(s->h, 1)};
    cut.panels = ceil_div(depth, cut.panel) * s->groups;
    const int64_t pixels = min(ceil_div(max(s->n, 1) * image * cut.panels, GATHER_TASKS), most);
    if (pixels >= image) {
        cut.images = pixels / image;
    } else {
        cut.images = is_mostly_edge(s) ? max(min(s->n, EDGE_IMAGES), 1) : 1;
        cut.rows = min(ceil_div(ceil_div(pixels, s->w * cut.images), s->sh) * s->sh, s->h);
    }
    cut.strips = ceil_div(s->h, cut.rows);
    return cut;
}

// ---- rectangles ----

// What a task makes: rows row0 .. row1 - 1 of some images, channels from `channel` on.
typedef struct gather_part {
    int64_t image0, image1, row0, row1;
    int64_t group, channel, channels;
} gather_part;

// A class of rows by one of columns.
typedef struct gather_rectangle {
    conv_class rows, cols;
    int64_t pixels; // of all images of the part
} gather_rectangle;

// A pixel of a rectangle, walked through all images: its first source in dy, and its place in dx.
typedef struct gather_pixel {
    int64_t image, i, j;
    const real *from;
    real *to;
} gather_pixel;

static void gather_row(const gather *g, const gather_rectangle *r, gather_pixel *p)
{
    const int64_t from = p->image * g->s.oh + r->rows.span.src + p->i;
    const int64_t to = p->image * g->s.h + r->rows.first + p->i * g->rows.down;
    p->from = g->dy + (from * g->s.ow + r->cols.span.src) * g->s.f;
    p->to = g->dx + (to * g->s.w + r->cols.first) * g->s.c;
}

static gather_pixel gather_first(const gather *g, const gather_part *part,
                                 const gather_rectangle *r)
{
    gather_pixel p = {.image = part->image0};
    gather_row(g, r, &p);
    return p;
}

ALWAYS_INLINE void gather_next(const gather *g, const gather_rectangle *r, gather_pixel *p)
{
    p->from += g->s.f; // sources of a class are neighbours
    p->to += g->cols.down * g->s.c;
    if (++p->j < r->cols.count)
        return;
    p->j = 0;
    if (++p->i == r->rows.count) {
        p->i = 0;
        p->image++;
    }
    gather_row(g, r, p);
}

static void gather_zeros(const gather *g, const gather_part *part, const gather_rectangle *r)
{
    gather_pixel p = gather_first(g, part, r);
    for (int64_t at = 0; at < r->pixels; at++, gather_next(g, r, &p))
        put_zeros(p.to + part->channel, part->channels);
}

#endif
