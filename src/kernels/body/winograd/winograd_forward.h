// Winograd's form, forward: y = pool(act(conv(x, w) + bias)); see winograd.h.
//
// Phase 0 makes U, a task a channel. In phase 1 a task is a chunk of tiles and a block of filters:
// V of the chunk, M of each position, and then the outputs. A tile is whole windows of a 2 x 2
// pool, so the pool takes no pass of its own.
#ifndef CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_FORWARD_H
#define CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_FORWARD_H

#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_form.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_transforms.h"

typedef struct winograd_cut {
    int64_t chunk, chunks; // of tiles
    int64_t block, blocks; // of filters, in whole panels
} winograd_cut;

// Blocks of filters only where there are few chunks, since each makes V anew.
static winograd_cut winograd_forward_cut(const winograd *g)
{
    winograd_cut cut;
    const int64_t shared = max(ceil_div(g->tiles, WINOGRAD_TASKS), CHUNK_STEP);
    const int64_t fits = chunk_that_fits(g, g->c_pad + min(OUTPUT_COLS, g->f_pad));
    cut.chunk = chunk_of(g->tiles, min(fits, ceil_div(shared, CHUNK_STEP) * CHUNK_STEP));
    // else it would be one task: one image of a small network
    if (cut.chunk == g->tiles && g->f_pad <= PANEL_COLS)
        cut.chunk = ceil_div(g->tiles, 2);
    cut.chunks = ceil_div(g->tiles, cut.chunk);
    cut.block = block_of_panels(g->s.f, ceil_div(WINOGRAD_TASKS, cut.chunks));
    cut.blocks = ceil_div(g->s.f, cut.block);
    return cut;
}

// What a task of phase 1 works with.
typedef struct winograd_outputs {
    const winograd *g;
    const cj__conv2d_args *a;
    epilogue e;
    int64_t col, cols; // of the block
    int64_t u_step;    // reals from one position of U to the next
    const real *m;     // of one tile
    int64_t m_step;
    real *unwanted; // where outputs go that the image does not have
} winograd_outputs;

// The outputs of the vector of filters at `col` of the columns: A^T m A + bias.
ALWAYS_INLINE void outputs_at(const int side, const winograd_outputs *t, int64_t col, vmask part,
                              const bool whole, vec y[PATCH_MAX][PATCH_MAX])
{
    const vec bias = t->e.bias ? load_lanes(t->e.bias + t->col + col, part, whole) : vec_set(0);
    load_positions(side + 2, t->m + col, t->m_step, y);
    transform_square(TRANSFORM_OUTPUT, side, y);
    UNROLL
    for (int i = 0; i < side; i++) {
        UNROLL
        for (int j = 0; j < side; j++)
            y[i][j] += bias;
    }
}

static bool rounds_in_registers(const epilogue *e)
{
    return e->to_bf16 && (e->act == CJ__UNARY_NONE || is_relu(e));
}

ALWAYS_INLINE void plain_vector(const int side, const winograd_outputs *t, int64_t col,
                                real *const *to, vmask part, const bool whole)
{
    const bool relu = is_relu(&t->e), to_bf16 = rounds_in_registers(&t->e);
    vec y[PATCH_MAX][PATCH_MAX];
    outputs_at(side, t, col, part, whole, y);
    UNROLL
    for (int i = 0; i < side; i++) {
        UNROLL
        for (int j = 0; j < side; j++) {
            const vec v = relu ? vec_max(vec_set(0), y[i][j]) : y[i][j];
            store_lanes(to[i * side + j] + col, to_bf16 ? round_lanes(v) : v, part, whole);
        }
    }
}

ALWAYS_INLINE void plain_vectors(const int side, const winograd_outputs *t, real *const *to)
{
    const vmask part = mask_first(t->cols % LANES);
    int64_t col = 0;
    for (; col + LANES <= t->cols; col += LANES)
        plain_vector(side, t, col, to, part, true);
    if (col < t->cols)
        plain_vector(side, t, col, to, part, false);
}

static void winograd_plain(const winograd_outputs *t, const tile_place *p)
{
    const int outputs = t->g->side * t->g->side;
    int64_t at[SIDE_MAX * SIDE_MAX];
    real *to[SIDE_MAX * SIDE_MAX], *wanted[SIDE_MAX * SIDE_MAX];
    int count = 0;
    outputs_of(t->g, p, t->g->side, at);
    for (int i = 0; i < outputs; i++) {
        to[i] = at[i] == OUTSIDE ? t->unwanted : (real *)t->a->y + at[i] + t->col;
        if (at[i] != OUTSIDE)
            wanted[count++] = to[i];
    }
    if (t->g->side == 2)
        plain_vectors(2, t, to);
    else
        plain_vectors(4, t, to);
    if (!rounds_in_registers(&t->e))
        finish_rows(&t->e, wanted, count, t->cols);
}

// The maximum of four and its position; NaN is greater than all, as in plain C.
ALWAYS_INLINE vec greatest_of(const vec y[4], ivec *place)
{
    vec best = y[0];
    *place = ivec_set(0);
    UNROLL
    for (int i = 1; i < 4; i++) {
        const vmask nan = mask_and(mask_not(vec_eq(y[i], y[i])), vec_eq(best, best));
        const vmask better = mask_or(vec_lt(best, y[i]), nan);
        best = vec_select(better, y[i], best);
        *place = (ivec)vec_select(better, (vec)ivec_set(i), (vec)*place);
    }
    return best;
}

// One window, whose pool is element `at` of y.
ALWAYS_INLINE void pooled_window(const winograd_outputs *t, const vec y[4], int64_t col, int64_t at,
                                 vmask part, const bool whole)
{
    ivec place;
    vec best;
    if (t->e.to_bf16) {
        rounded_window(y, is_relu(&t->e), &best, &place);
    } else {
        best = greatest_of(y, &place);
        if (is_relu(&t->e)) {
            place = (ivec)vec_select(vec_lt(vec_set(0), best), (vec)place, (vec)ivec_set(4));
            best = vec_max(vec_set(0), best);
        }
    }
    store_lanes((real *)t->a->y + at, best, part, whole);
    if (t->a->place && whole) {
        ivec_store_bytes(t->a->place + at, place);
    } else if (t->a->place) {
        uint8_t bytes[LANES];
        ivec_store_bytes(bytes, place);
        memcpy(t->a->place + at, bytes, (size_t)(t->cols - col));
    }
}

ALWAYS_INLINE void pooled_vector(const int side, const winograd_outputs *t, int64_t col,
                                 const int64_t *at, vmask part, const bool whole)
{
    vec y[PATCH_MAX][PATCH_MAX];
    outputs_at(side, t, col, part, whole, y);
    UNROLL
    for (int i = 0; i < side; i += 2) {
        UNROLL
        for (int j = 0; j < side; j += 2) {
            const vec window[4] = {y[i][j], y[i][j + 1], y[i + 1][j], y[i + 1][j + 1]};
            const int64_t pool = at[i / 2 * (side / 2) + j / 2];
            if (pool != OUTSIDE)
                pooled_window(t, window, col, pool + t->col + col, part, whole);
        }
    }
}

ALWAYS_INLINE void pooled_vectors(const int side, const winograd_outputs *t, const int64_t *at)
{
    const vmask part = mask_first(t->cols % LANES);
    int64_t col = 0;
    for (; col + LANES <= t->cols; col += LANES)
        pooled_vector(side, t, col, at, part, true);
    if (col < t->cols)
        pooled_vector(side, t, col, at, part, false);
}

static void winograd_pooled(const winograd_outputs *t, const tile_place *p)
{
    int64_t at[SIDE_MAX * SIDE_MAX];
    outputs_of(t->g, p, t->g->side / 2, at);
    if (t->g->side == 2)
        pooled_vectors(2, t, at);
    else
        pooled_vectors(4, t, at);
}

// U of channel c and the filters first .. last - 1, which are all that this U has. The last panel
// beyond the last vector is never read.
ALWAYS_INLINE void winograd_filters_row(const int side, const winograd *g, const real *w, real *u,
                                        int64_t c, int64_t first, int64_t last)
{
    const int64_t step = winograd_u_at(g->s.c, last - first, 1, 0, 0);
    for (int64_t f = first; f < last; f += LANES) {
        vec of[PATCH_MAX][PATCH_MAX];
        winograd_filters_of(side, g, w, c, f, of);
        store_positions(side + 2, of, step,
                        u + winograd_u_at(g->s.c, last - first, 0, c, f - first));
    }
}

static void winograd_filters(const winograd *g, const real *w, real *u, int64_t c, int64_t first,
                             int64_t last)
{
    if (g->side == 2)
        winograd_filters_row(2, g, w, u, c, first, last);
    else
        winograd_filters_row(4, g, w, u, c, first, last);
}

// V of `tiles` tiles from `place` on.
static void winograd_inputs(const winograd *g, const real *x, tile_place place, int64_t tiles,
                            const real *zeros, real *v)
{
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&place)) {
        int64_t at[POSITIONS_MAX];
        patch_of(g, &place, 0, g->s.h, at);
        winograd_v(g, x, at, zeros, g->s.c, g->c_pad, v + i * tile_step(g, g->c_pad));
    }
}

// The block's columns `t->col` on, as many as M takes at once: V times U, which begins with these,
// then the outputs.
static void winograd_columns(winograd_outputs *t, const real *v, const real *u, real *m,
                             tile_place place, int64_t tiles)
{
    const winograd *g = t->g;
    const int64_t m_row = tile_step(g, t->m_step);
    for (int p = 0; p < g->positions; p++) {
        const winograd_product q = {.a = v + p * g->c_pad,
                                    .a_row = tile_step(g, g->c_pad),
                                    .a_step = 1,
                                    .rows = tiles,
                                    .depth = g->s.c,
                                    .b = u + p * t->u_step,
                                    .b_step = PANEL_COLS,
                                    .b_panel = g->s.c * PANEL_COLS,
                                    .c = m + p * t->m_step,
                                    .c_row = m_row,
                                    .cols = in_vectors(t->cols)};
        winograd_multiply(&q);
    }
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&place)) {
        t->m = m + i * m_row;
        if (t->a->pool_h > 1)
            winograd_pooled(t, &place);
        else
            winograd_plain(t, &place);
    }
}

static void winograd_forward_task(const winograd *g, const winograd_cut *cut,
                                  const cj__conv2d_args *a, const real *u, real *scratch,
                                  int64_t task)
{
    const int64_t first = task / cut->blocks * cut->chunk,
                  tiles = min(cut->chunk, g->tiles - first);
    const int64_t col = task % cut->blocks * cut->block, end = min(col + cut->block, g->s.f);
    winograd_outputs t = {.g = g, .a = a, .e = epilogue_of(a), .unwanted = scratch + g->c_pad};
    t.m_step = min(OUTPUT_COLS, g->f_pad);
    t.u_step = winograd_u_at(g->s.c, g->s.f, 1, 0, 0);
    real *zeros = scratch, *v = t.unwanted + t.m_step, *m = v + cut->chunk * tile_step(g, g->c_pad);
    memset(zeros, 0, (size_t)g->c_pad * sizeof(real));
    const tile_place place = tile_place_of(g, 0, 0, g->high, first);
    winograd_inputs(g, a->x, place, tiles, zeros, v);
    for (t.col = col; t.col < end; t.col += OUTPUT_COLS) {
        t.cols = min(OUTPUT_COLS, end - t.col);
        winograd_columns(&t, v, u + winograd_u_at(g->s.c, g->s.f, 0, 0, t.col), m, place, tiles);
    }
}

// ---- many filters for few tiles: phase 0 makes V, and a task of phase 1 its columns of U
// (winograd.h) ----

static void wide_filters_task(const winograd *g, const cj__conv2d_args *a, const real *v,
                              real *scratch, int64_t task)
{
    winograd_outputs t = {.g = g, .a = a, .e = epilogue_of(a)};
    t.col = task * OUTPUT_COLS;
    t.cols = min(OUTPUT_COLS, g->s.f - t.col);
    t.m_step = min(OUTPUT_COLS, g->f_pad);
    t.u_step = winograd_u_at(g->s.c, t.cols, 1, 0, 0);
    t.unwanted = scratch + g->c_pad;
    real *const m = t.unwanted + t.m_step, *const u = m + min(g->tiles, WIDE_TILES) *
                                                              tile_step(g, t.m_step);
    for (int64_t c = 0; c < g->s.c; c++)
        winograd_filters(g, a->w, u, c, t.col, t.col + t.cols);
    for (int64_t first = 0; first < g->tiles; first += WIDE_TILES)
        winograd_columns(&t, v + first * tile_step(g, g->c_pad), u, m,
                         tile_place_of(g, 0, 0, g->high, first), min(WIDE_TILES, g->tiles - first));
}

static void wide_run(const winograd *g, const cj__conv2d_args *a, real *v, real *scratch, int phase,
                     int64_t task)
{
    if (phase == 1) {
        wide_filters_task(g, a, v, scratch, task);
        return;
    }
    const int64_t first = task * WIDE_GROUP;
    memset(scratch, 0, (size_t)g->c_pad * sizeof(real));
    winograd_inputs(g, a->x, tile_place_of(g, 0, 0, g->high, first),
                    min(WIDE_GROUP, g->tiles - first), scratch, v + first * tile_step(g, g->c_pad));
}

static void winograd_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_of(a);
    if (is_wide(&g, g.s.c, g.s.f)) {
        wide_job(&g, g.s.c, g.s.f, job);
        return;
    }
    const winograd_cut cut = winograd_forward_cut(&g);
    const int64_t cols = min(OUTPUT_COLS, g.f_pad);
    const int64_t scratch =
        g.c_pad + cols + cut.chunk * (tile_step(&g, g.c_pad) + tile_step(&g, cols));
    *job = (cj__job){.phases = 2,
                     .tasks = {g.s.c, cut.chunks * cut.blocks},
                     .prepares = 1,
                     .workspace = winograd_u_size(&g, g.s.c, g.s.f),
                     .scratch = (size_t)scratch * sizeof(real)};
}

static void winograd_forward_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                 int phase, int64_t begin, int64_t end)
{
    const winograd g = winograd_of(a);
    const winograd_cut cut = winograd_forward_cut(&g);
    const bool wide = is_wide(&g, g.s.c, g.s.f);
    for (int64_t task = begin; task < end; task++) {
        if (wide)
            wide_run(&g, a, workspace, scratch, phase, task);
        else if (phase == 0)
            winograd_filters(&g, a->w, workspace, task, 0, g.s.f);
        else
            winograd_forward_task(&g, &cut, a, workspace, scratch, task);
    }
}

#endif
