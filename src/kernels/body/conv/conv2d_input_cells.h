// The gradient by the input for kernels of one tap: a product whose rows are written to each sh-th
// row and sw-th pixel of dx, with zeros between.
//
// Each pixel of dy makes a cell of sh x sw pixels of dx, of which one is not zero (row_tile.h).
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_INPUT_CELLS_H
#define CJ_KERNELS_BODY_CONV_CONV2D_INPUT_CELLS_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_gather.h"
#include "kernels/body/conv/conv2d_input_dots.h"
#include "kernels/body/product/row_tile.h"
#include "kernels/body/product/tile.h"

enum { SHORTEST_CELLS = 4 };

// Each pixel of dy must reach one of dx, the first of a cell; and short rows are better gathered
// through all images.
static bool is_by_cells(const cj__conv2d *s)
{
    return s->kh == 1 && s->kw == 1 && s->top == 0 && s->left == 0 && (s->oh - 1) * s->sh < s->h &&
           (s->ow - 1) * s->sw < s->w && s->ow >= SHORTEST_CELLS && !is_by_dots(s);
}

static void gather_by_cells(const gather *g, const gather_part *part)
{
    const cj__conv2d *s = &g->s;
    const int64_t first = part->row0 / s->sh,
                  end = max(min(s->oh, ceil_div(part->row1, s->sh)), first);
    const int64_t begin = first < end ? part->row1 : part->row0; // of rows without a cell
    row_cells cells = {.rows = s->sh,
                       .cols = s->sw,
                       .width = s->w,
                       .count = s->ow,
                       .row = s->w * s->c,
                       .pixel = s->c};
    row_tile t = {.segments = (const int64_t[]){0},
                  .segment_count = 1,
                  .length = g->filters,
                  .start = START_ZERO};
    cells.last_rows = part->row1 - (end - 1) * s->sh;
    t.b = g->turned + part->group * g->filters * g->depth + part->channel - part->group * g->depth;
    t.a_step = 1, t.b_step = g->depth;
    t.cols = part->channels;
    t.a_row = s->f, t.a_line = s->ow * s->f;
    t.c_row = s->sw * s->c, t.c_line = s->sh * s->w * s->c;
    t.lines = end - first;
    if (s->sh > 1 || s->sw > 1 || s->oh < s->h || s->ow < s->w)
        t.cells = &cells;
    for (int64_t image = part->image0; image < part->image1; image++) {
        t.a = g->dy + (image * s->oh + first) * s->ow * s->f + part->group * g->filters;
        t.c = g->dx + (image * s->h + part->row0) * s->w * s->c + part->channel;
        row_tiles_run(&t, (int)ceil_div(part->channels, LANES), s->ow);
        zero_pixels(g->dx + (image * s->h + begin) * s->w * s->c + part->channel,
                    (part->row1 - begin) * s->w, part->channels, s->c);
    }
}

#endif
