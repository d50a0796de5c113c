// Winograd's form of the gradient by the input; see winograd.h.
//
// Phase 0 makes U with c and f exchanged. In phase 1 a task is some whole images, or a strip of
// rows of one image, and a block of channels; it walks over the tiles whose patches reach its rows
// and adds each patch to dx, in order. A tile at the border of two strips is done by both, each
// keeping its own rows, so that no two tasks add to one number.
#ifndef CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_GRAD_H
#define CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_GRAD_H

#include "kernels/body/own_table.h"
#include "kernels/body/product/gemm_form.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_transforms.h"

enum { FEW_TILES = 72 }; // a sum over fewer would load and store dU too often

typedef struct winograd_input_cut {
    int64_t images, groups; // images of a task
    int64_t rows, strips;   // rows of tiles of a strip
    int64_t block, blocks;  // of channels, in whole panels
    int64_t chunk;          // tiles at a time
} winograd_input_cut;

static winograd_input_cut winograd_input_cut_of(const winograd *g)
{
    winograd_input_cut cut;
    const int64_t area = g->high * g->wide;
    cut.images = min(ceil_div(CHUNK_STEP, area), g->s.n);
    cut.groups = ceil_div(g->s.n, cut.images);
    const int64_t wanted =
        min(ceil_div(WINOGRAD_TASKS, cut.groups), min(area / FEW_TILES, g->high / 4));
    cut.rows = ceil_div(g->high, max(wanted, 1));
    cut.strips = ceil_div(g->high, cut.rows);
    cut.block = block_of_panels(g->s.c, ceil_div(WINOGRAD_TASKS, cut.groups * cut.strips));
    cut.blocks = ceil_div(g->s.c, cut.block);
    const int64_t tiles = cut.images * g->wide * min(cut.rows + (cut.strips > 1), g->high);
    cut.chunk = chunk_of(tiles, chunk_that_fits(g, g->f_pad + min(OUTPUT_COLS, g->c_pad)));
    return cut;
}

// U with rows f and columns c, for LANES filters from `f` on and the channels first .. last - 1,
// which are all that this U has: transformed with lanes along f, then transposed.
ALWAYS_INLINE void winograd_turned_rows(const int side, const winograd *g, const real *w, real *u,
                                        int64_t f, int64_t first, int64_t last)
{
    for (int64_t c = first; c < last; c += LANES) {
        vec squares[POSITIONS_MAX][LANES];
        for (int64_t r = 0; r < LANES; r++) {
            vec of[PATCH_MAX][PATCH_MAX];
            winograd_filters_of(side, g, w, min(c + r, g->s.c - 1), f, of);
            UNROLL
            for (int i = 0; i < side + 2; i++) {
                UNROLL
                for (int j = 0; j < side + 2; j++)
                    squares[i * (side + 2) + j][r] = of[i][j];
            }
        }
        for (int p = 0; p < g->positions; p++) {
            vec_transpose(squares[p]);
            for (int64_t r = 0; r < min(LANES, g->s.f - f); r++)
                vec_store(u + winograd_u_at(g->s.f, last - first, p, f + r, c - first),
                          squares[p][r]);
        }
    }
}

static void winograd_turned_filters(const winograd *g, const real *w, real *u, int64_t f,
                                    int64_t first, int64_t last)
{
    if (g->side == 2)
        winograd_turned_rows(2, g, w, u, f, first, last);
    else
        winograd_turned_rows(4, g, w, u, f, first, last);
}

// Adds B m B^T of one tile to one vector of the pixels of its patch.
ALWAYS_INLINE void scatter_vector(const int side, const real *m, int64_t step, real *const *pixels,
                                  int64_t c, vmask part, const bool whole)
{
    const int patch = side + 2;
    vec d[PATCH_MAX][PATCH_MAX];
    load_positions(patch, m + c, step, d);
    transform_square(TRANSFORM_BACK, side, d);
    UNROLL
    for (int i = 0; i < patch; i++) {
        UNROLL
        for (int j = 0; j < patch; j++) {
            real *to = pixels[i * patch + j] + c;
            store_lanes(to, load_lanes(to, part, whole) + d[i][j], part, whole);
        }
    }
}

ALWAYS_INLINE void scatter_vectors(const int side, const real *m, int64_t step, real *const *pixels,
                                   int64_t channels)
{
    const vmask part = mask_first(channels % LANES);
    int64_t c = 0;
    for (; c + LANES <= channels; c += LANES)
        scatter_vector(side, m, step, pixels, c, part, true);
    if (c < channels)
        scatter_vector(side, m, step, pixels, c, part, false);
}

// What a task of phase 1 works with.
typedef struct winograd_input_task {
    const winograd *g;
    const real *u, *dy;
    real *dx;
    int64_t low, high; // its rows of dx
    int64_t col, cols; // its channels
    int64_t d_row, m_row, m_cols;
    int64_t u_step; // from one position of U to the next
    real *zeros, *d, *m, *unwanted;
    epilogue e; // of dx, once it is complete
} winograd_input_task;

// The channels `col` on, as many as M takes at once: D times U, which begins with these, then the
// patches.
static void winograd_input_columns(const winograd_input_task *t, const real *d, const real *u,
                                   int64_t col, tile_place place, int64_t tiles)
{
    const winograd *g = t->g;
    const int64_t cols = min(OUTPUT_COLS, t->col + t->cols - col);
    for (int position = 0; position < g->positions; position++) {
        const winograd_product q = {.a = d + position * g->f_pad,
                                    .a_row = t->d_row,
                                    .a_step = 1,
                                    .rows = tiles,
                                    .b = u + position * t->u_step,
                                    .depth = g->s.f,
                                    .b_step = PANEL_COLS,
                                    .b_panel = g->s.f * PANEL_COLS,
                                    .c = t->m + position * t->m_cols,
                                    .c_row = t->m_row,
                                    .cols = in_vectors(cols)};
        winograd_multiply(&q);
    }
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&place)) {
        int64_t at[POSITIONS_MAX];
        real *pixels[POSITIONS_MAX];
        patch_of(g, &place, t->low, t->high, at);
        for (int j = 0; j < g->positions; j++)
            pixels[j] = at[j] == OUTSIDE ? t->unwanted : t->dx + at[j] + col;
        if (g->side == 2)
            scatter_vectors(2, t->m + i * t->m_row, t->m_cols, pixels, cols);
        else
            scatter_vectors(4, t->m + i * t->m_row, t->m_cols, pixels, cols);
    }
}

// D of `tiles` tiles from `place` on.
static void winograd_input_d(const winograd *g, const real *dy, tile_place place, int64_t tiles,
                             const real *zeros, real *d)
{
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&place)) {
        int64_t at[SIDE_MAX * SIDE_MAX];
        outputs_of(g, &place, g->side, at);
        winograd_d(g, dy, at, zeros, g->s.f, g->f_pad, d + i * tile_step(g, g->f_pad), NULL);
    }
}

static void winograd_input_chunk(const winograd_input_task *t, tile_place place, int64_t tiles)
{
    const winograd *g = t->g;
    winograd_input_d(g, t->dy, place, tiles, t->zeros, t->d);
    for (int64_t col = t->col; col < t->col + t->cols; col += OUTPUT_COLS)
        winograd_input_columns(t, t->d, t->u + winograd_u_at(g->s.f, g->s.c, 0, 0, col), col, place,
                               tiles);
}

static void winograd_input_clear(const winograd_input_task *t, int64_t image)
{
    const cj__conv2d *s = &t->g->s;
    real *to = t->dx + (image * s->h + t->low) * s->w * s->c;
    const int64_t pixels = (t->high - t->low) * s->w;
    if (t->cols == s->c) {
        memset(to, 0, (size_t)(pixels * s->c) * sizeof(real));
        return;
    }
    for (int64_t i = 0; i < pixels; i++)
        memset(to + i * s->c + t->col, 0, (size_t)t->cols * sizeof(real));
}

// All that the task has cleared is complete, and the cache still holds it.
static void winograd_input_finish(const winograd_input_task *t, int64_t image)
{
    const cj__conv2d *s = &t->g->s;
    finish_sums(&t->e, t->dx + (image * s->h + t->low) * s->w * s->c, (t->high - t->low) * s->w,
                s->c, t->col, t->cols);
}

static void winograd_input_grad_task(winograd_input_task *t, const winograd_input_cut *cut,
                                     int64_t task)
{
    const winograd *g = t->g;
    const int64_t strip = task / cut->blocks % cut->strips,
                  group = task / cut->blocks / cut->strips;
    const int64_t image = group * cut->images, images = min(cut->images, g->s.n - image);
    const int64_t first = max(strip * cut->rows - 1, 0),
                  last = min((strip + 1) * cut->rows, g->high);
    t->col = task % cut->blocks * cut->block;
    t->cols = min(cut->block, g->s.c - t->col);
    t->low = strip == 0 ? 0 : max(min(g->side * strip * cut->rows - g->s.top, g->s.h), 0);
    t->high = strip == cut->strips - 1 ? g->s.h : max(min(g->side * last - g->s.top, g->s.h), 0);
    for (int64_t i = 0; i < images; i++)
        winograd_input_clear(t, image + i);
    const int64_t tiles = images * (last - first) * g->wide;
    for (int64_t at = 0; at < tiles; at += cut->chunk)
        winograd_input_chunk(t, tile_place_of(g, image, first, last, at),
                             min(cut->chunk, tiles - at));
    for (int64_t i = 0; i < images; i++)
        winograd_input_finish(t, image + i);
}

// ---- many filters for few tiles: phase 0 makes D, and a task of phase 1 its columns of U
// (winograd.h) ----

static void wide_channels_task(winograd_input_task *t, const real *w, const real *d, int64_t task)
{
    const winograd *g = t->g;
    real *const u = t->m + min(g->tiles, WIDE_TILES) * t->m_row;
    t->low = 0, t->high = g->s.h;
    t->col = task * OUTPUT_COLS;
    t->cols = min(OUTPUT_COLS, g->s.c - t->col);
    t->u_step = winograd_u_at(g->s.f, t->cols, 1, 0, 0);
    for (int64_t f = 0; f < g->s.f; f += LANES)
        winograd_turned_filters(g, w, u, f, t->col, t->col + t->cols);
    for (int64_t i = 0; i < g->s.n; i++)
        winograd_input_clear(t, i);
    for (int64_t first = 0; first < g->tiles; first += WIDE_TILES)
        winograd_input_columns(t, d + first * t->d_row, u, t->col,
                               tile_place_of(g, 0, 0, g->high, first),
                               min(WIDE_TILES, g->tiles - first));
    for (int64_t i = 0; i < g->s.n; i++)
        winograd_input_finish(t, i);
}

static void wide_input_run(winograd_input_task *t, const real *w, real *d, int phase, int64_t task)
{
    if (phase == 1) {
        wide_channels_task(t, w, d, task);
        return;
    }
    const int64_t first = task * WIDE_GROUP;
    winograd_input_d(t->g, t->dy, tile_place_of(t->g, 0, 0, t->g->high, first),
                     min(WIDE_GROUP, t->g->tiles - first), t->zeros, d + first * t->d_row);
}

static void winograd_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_of(a);
    if (is_wide(&g, g.s.f, g.s.c)) {
        wide_job(&g, g.s.f, g.s.c, job);
        return;
    }
    const winograd_input_cut cut = winograd_input_cut_of(&g);
    const int64_t cols = min(OUTPUT_COLS, g.c_pad);
    const int64_t steps = tile_step(&g, g.f_pad) + tile_step(&g, cols);
    *job = (cj__job){.phases = 2,
                     .tasks = {ceil_div(g.s.f, LANES), cut.groups * cut.strips * cut.blocks},
                     .prepares = 1,
                     .workspace = winograd_u_size(&g, g.s.f, g.s.c),
                     .scratch = (size_t)(g.f_pad + cols + cut.chunk * steps) * sizeof(real)};
}

static void winograd_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                    int phase, int64_t begin, int64_t end)
{
    const winograd g = winograd_of(a);
    const bool wide = is_wide(&g, g.s.f, g.s.c);
    if (phase == 0 && !wide) {
        for (int64_t task = begin; task < end; task++)
            winograd_turned_filters(&g, a->w, workspace, task * LANES, 0, g.s.c);
        return;
    }
    const winograd_input_cut cut = winograd_input_cut_of(&g);
    winograd_input_task t = {
        .g = &g, .u = workspace, .dy = a->dy, .dx = a->dx, .zeros = scratch, .e = epilogue_of(a)};
    t.m_cols = min(OUTPUT_COLS, g.c_pad);
    t.d_row = tile_step(&g, g.f_pad);
    t.m_row = tile_step(&g, t.m_cols);
    t.unwanted = t.zeros + g.f_pad;
    t.u_step = winograd_u_at(g.s.f, g.s.c, 1, 0, 0);
    t.d = t.unwanted + t.m_cols;
    t.m = t.d + (wide ? 0 : cut.chunk * t.d_row);
    memset(t.zeros, 0, (size_t)(g.f_pad + t.m_cols) * sizeof(real));
    for (int64_t task = begin; task < end; task++) {
        if (wide)
            wide_input_run(&t, a->w, workspace, phase, task);
        else
            winograd_input_grad_task(&t, &cut, task);
    }
}

#endif
