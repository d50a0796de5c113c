// The gradient of a 2-D convolution by the input: its rectangles (conv2d_gather.h) as tiles with
// lanes along the channels.
//
// A first phase transposes the filters, so that channels are adjacent, and lays the taps of a class
// one after another: turned around, those of one remainder by the stride together. Few channels are
// lanes along the filters instead, and then nothing is turned (conv2d_input_dots.h).
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_INPUT_GRAD_H
#define CJ_KERNELS_BODY_CONV_CONV2D_INPUT_GRAD_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/conv2d_gather.h"
#include "kernels/body/conv/conv2d_input_cells.h"
#include "kernels/body/conv/conv2d_input_dots.h"
#include "kernels/body/conv/conv2d_input_taps.h"
#include "kernels/body/conv/conv2d_product.h"
#include "kernels/body/conv/conv2d_sparse_input.h"
#include "kernels/body/conv/depthwise.h"
#include "kernels/body/product/gemm_pack.h"
#include "kernels/body/product/row_tile.h"
#include "kernels/body/product/tile.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_grad.h"

static gather_cut input_grad_cut(const cj__conv2d *s)
{
    return gather_cut_of(s, is_by_dots(s) ? DOT_PIXELS : GATHER_PIXELS);
}

static size_t turned_size(const cj__conv2d *s)
{
    return (size_t)(s->kh * s->kw * (s->c / s->groups) * s->f) * sizeof(real);
}

static void conv2d_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    if (winograd_serves(a, CJ__CONV2D_INPUT_GRAD)) {
        winograd_input_grad_job(a, job);
        return;
    }
    if (is_sparse_input_grad(a)) {
        sparse_input_grad_job(a, job);
        return;
    }
    const cj__conv2d *s = &a->s;
    if (is_input_product(a)) {
        const cj__gemm g = input_product_of(a);
        gemm_job(&g, job);
        return;
    }
    if (is_depthwise(s)) {
        const depthwise d = depthwise_input_grad_of(a);
        depthwise_job(&d, job);
        return;
    }
    if (is_by_taps(s)) {
        taps_job(s, job);
        return;
    }
    const gather_cut cut = input_grad_cut(s);
    const int64_t tasks = ceil_div(s->n, cut.images) * cut.strips * cut.panels;
    *job = (cj__job){
        .phases = 2, .tasks = {s->kh * s->kw, tasks}, .prepares = 1, .workspace = turned_size(s)};
    if (is_by_dots(s))
        *job = (cj__job){.phases = 1, .tasks = {tasks}};
}

// ---- the turned filters ----

// Taps of an axis with this remainder, and where they begin among all.
static int64_t taps_of(const conv_axis *a, int64_t remainder)
{
    return remainder < a->taps ? ceil_div(a->taps - remainder, a->tap_step) : 0;
}

static int64_t taps_before(const conv_axis *a, int64_t remainder)
{
    int64_t before = 0;
    for (int64_t r = 0; r < remainder; r++)
        before += taps_of(a, r);
    return before;
}

// The place of tap (u, v), turned around already: rows of one remainder, in them columns of one, in
// them (u, v).
static int64_t turned_place(const gather *g, int64_t u, int64_t v)
{
    const int64_t r = u % g->rows.tap_step, q = v % g->cols.tap_step, high = taps_of(&g->rows, r);
    return taps_before(&g->rows, r) * g->cols.taps + taps_before(&g->cols, q) * high +
           u / g->rows.tap_step * taps_of(&g->cols, q) + v / g->cols.tap_step;
}

// (c, f) of one tap becomes (f, c).
static void turn_tap(const gather *g, const real *w, real *turned, int64_t tap)
{
    const int64_t u = g->s.kh - 1 - tap / g->s.kw, v = g->s.kw - 1 - tap % g->s.kw,
                  size = g->depth * g->s.f;
    transpose_block(w + tap * size, g->s.f, g->depth, g->s.f, turned + turned_place(g, u, v) * size,
                    g->depth);
}

// Adds some taps, those that `t` has, to all pixels of a rectangle, by rows of pixels.
static void gather_lines(const gather *g, const gather_part *part, const gather_rectangle *r,
                         const product_tile *t)
{
    row_tile lines = row_tile_of(t);
    lines.lines = r->rows.count;
    lines.a_row = g->s.f; // sources of a class are neighbours
    lines.a_line = g->s.ow * g->s.f;
    lines.c_row = g->cols.down * g->s.c;
    lines.c_line = g->rows.down * g->s.w * g->s.c;
    for (int64_t image = part->image0; image < part->image1; image++) {
        gather_pixel p = {.image = image};
        gather_row(g, r, &p);
        lines.a = p.from + part->group * g->filters;
        lines.c = p.to + part->channel;
        row_tiles_run(&lines, (int)ceil_div(t->cols, LANES), r->cols.count);
    }
}

// The same where rows are short.
static void gather_pixels(const gather *g, const gather_part *part, const gather_rectangle *r,
                          product_tile *t)
{
    const int vecs = (int)ceil_div(t->cols, LANES);
    gather_pixel p = gather_first(g, part, r);
    for (int64_t at = 0; at < r->pixels; at += tile_rows[vecs]) {
        const int rows = (int)min(tile_rows[vecs], r->pixels - at);
        for (int i = 0; i < rows; i++, gather_next(g, r, &p)) {
            t->a[i] = p.from + part->group * g->filters;
            t->c[i] = p.to + part->channel;
        }
        tile_run(t, vecs, rows);
    }
}

// All taps of a rectangle: at once where they are adjacent among the turned filters, else by rows
// of the window or, of groups, one by one.
static void gather_taps(const gather *g, const gather_part *part, const gather_rectangle *r)
{
    const conv_span *row = &r->rows.span, *col = &r->cols.span;
    const int64_t all = row->count * col->count, across = col->count;
    const bool adjacent = g->s.groups == 1 && g->cols.src_step == 1;
    const bool whole = across == taps_of(&g->cols, col->tap % g->cols.tap_step);
    const int64_t full = tile_rows[ceil_div(part->channels, LANES)];
    const bool by_lines = r->cols.count > full && all * g->filters <= LONGEST_SUM;
    const int64_t together = adjacent ? across : 1; // taps of a segment
    int64_t segments[SEGMENTS_MAX];
    product_tile t = {
        .segments = segments, .length = together * g->filters, .a_step = 1, .b_step = g->depth};
    t.cols = part->channels;
    for (int64_t tap = 0, count; tap < all; tap += count) {
        const int64_t left = g->s.groups > 1 ? 1 : whole ? all - tap : across - tap % across;
        count = min(left, SEGMENTS_MAX * together);
        t.segment_count = count / together;
        for (int64_t q = 0; q < t.segment_count; q++) {
            const int64_t at = tap + q * together;
            segments[q] =
                (at / across * g->rows.src_step * g->s.ow + at % across * g->cols.src_step) *
                g->s.f;
        }
        const int64_t u = row->tap + tap / across * g->rows.tap_step,
                      v = col->tap + tap % across * g->cols.tap_step;
        t.b = g->turned + (turned_place(g, u, v) * g->s.f + part->group * g->filters) * g->depth +
              part->channel - part->group * g->depth;
        t.start = tap > 0 ? START_SUM : START_ZERO;
        if (by_lines)
            gather_lines(g, part, r, &t);
        else
            gather_pixels(g, part, r, &t);
    }
}

static void gather_classes(const gather *g, const gather_part *part)
{
    const bool dots = is_by_dots(&g->s);
    for (int64_t i = 0; i < g->rows.down; i++) {
        for (int64_t row = part->row0 + i; row < part->row1;) {
            gather_rectangle r = {.rows = class_of(&g->rows, row, part->row1)};
            row += r.rows.count * g->rows.down;
            for (int64_t j = 0; j < g->cols.down; j++) {
                for (int64_t col = j; col < g->s.w;) {
                    r.cols = class_of(&g->cols, col, g->s.w);
                    col += r.cols.count * g->cols.down;
                    r.pixels = (part->image1 - part->image0) * r.rows.count * r.cols.count;
                    if (r.rows.span.count * r.cols.span.count == 0)
                        gather_zeros(g, part, &r);
                    else if (dots)
                        gather_by_dots(g, part, &r);
                    else
                        gather_taps(g, part, &r);
                }
            }
        }
    }
}

static void gather_task(const gather *g, const gather_cut *cut, int64_t task)
{
    const int64_t panel = task % cut->panels, strip = task / cut->panels % cut->strips;
    const int64_t images = task / cut->panels / cut->strips, panels = cut->panels / g->s.groups;
    gather_part part = {
        .image0 = images * cut->images, .row0 = strip * cut->rows, .group = panel / panels};
    part.image1 = min(part.image0 + cut->images, g->s.n);
    part.row1 = min(part.row0 + cut->rows, g->s.h);
    part.channel = part.group * g->depth + panel % panels * cut->panel;
    part.channels = min(cut->panel, (part.group + 1) * g->depth - part.channel);
    if (is_by_cells(&g->s))
        gather_by_cells(g, &part);
    else
        gather_classes(g, &part);
    for (int64_t image = part.image0; image < part.image1; image++)
        finish_sums(&g->e, g->dx + (image * g->s.h + part.row0) * g->s.w * g->s.c,
                    (part.row1 - part.row0) * g->s.w, g->s.c, part.channel, part.channels);
}

static void conv2d_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                  int phase, int64_t begin, int64_t end)
{
    if (winograd_serves(a, CJ__CONV2D_INPUT_GRAD)) {
        winograd_input_grad_run(a, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_sparse_input_grad(a)) {
        sparse_input_grad_run(a, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_input_product(a)) {
        const cj__gemm g = input_product_of(a);
        gemm_run(&g, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_depthwise(&a->s)) {
        const depthwise d = depthwise_input_grad_of(a);
        depthwise_run_tasks(&d, scratch, begin, end);
        return;
    }
    const gather g = gather_of(a, workspace);
    const gather_cut cut = input_grad_cut(&a->s);
    const bool taps = is_by_taps(&a->s);
    const int turns = taps || is_by_dots(&a->s) ? 0 : 1;
    for (int64_t task = begin; task < end; task++) {
        if (phase < turns)
            turn_tap(&g, a->w, workspace, task);
        else if (taps)
            gather_by_taps(&g, scratch, task);
        else
            gather_task(&g, &cut, task);
    }
}

#endif
