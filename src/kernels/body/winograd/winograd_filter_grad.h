// Winograd's form of the gradient by the filters; see winograd.h. dU is cut into blocks of channels
// and filters, by the shape alone, and one of two ways is taken:
//
// - Pieces, for one or two blocks and many tiles: the tiles are cut into pieces, and in phase 0 a
//   task sums a block of dU over a piece, whose V and D it makes, a chunk at a time. Phase 1 adds
//   the pieces in order and transforms back to dw.
// - Gathered, otherwise: in phase 0 a task makes V and D of a few tiles, for all blocks; a task of
//   phase 1 takes a block of dU through all tiles, its sums in registers, and transforms it back.
//
// dbias is summed where D is made.
#ifndef CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_FILTER_GRAD_H
#define CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_FILTER_GRAD_H

#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/tile.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_grad.h"
#include "kernels/body/winograd/winograd_transforms.h"

enum {
    FILTER_BLOCK = 64,
    FILTER_HALF_BLOCK = 32,
    FILTER_PIECES = 8,
    FILTER_TASKS = 4,
    GATHERED_BYTES = 64 << 20
};

typedef struct winograd_filter_cut {
    bool gathers;                       // V and D are made once, for all blocks
    int64_t chunk, piece, pieces;       // tiles at a time, and of a piece
    int64_t rows, row_blocks, rows_pad; // channels of a block
    int64_t cols, col_blocks, cols_pad; // filters of a block
} winograd_filter_cut;

// Blocks of dU of about `side` channels by `side` filters.
static void winograd_filter_blocks(const winograd *g, int64_t side, winograd_filter_cut *cut)
{
    const int64_t unit = min(PANEL_COLS, side), panels = side / unit * unit;
    cut->rows = min(in_vectors(even_piece(g->s.c, side)), g->s.c);
    cut->row_blocks = ceil_div(g->s.c, cut->rows);
    cut->rows_pad = in_vectors(cut->rows);
    cut->cols = min(ceil_div(even_piece(g->s.f, panels), unit) * unit, g->s.f);
    cut->col_blocks = ceil_div(g->s.f, cut->cols);
    cut->cols_pad = in_vectors(cut->cols);
}

// Reals from one position of a block of V or D, `cols` wide, to the next where all tiles are
// gathered: a line more than they need (see tile_step), and a block.
static int64_t gathered_step(const winograd *g, int64_t cols)
{
    return g->tiles * cols + 64 / (int64_t)sizeof(real);
}

static int64_t gathered_v(const winograd *g, const winograd_filter_cut *cut)
{
    return cut->row_blocks * g->positions * gathered_step(g, cut->rows_pad);
}

static int64_t gathered_d(const winograd *g, const winograd_filter_cut *cut)
{
    return cut->col_blocks * g->positions * gathered_step(g, cut->cols_pad);
}

// Many blocks would each make V and D anew, and so few tiles that they give few pieces leave
// threads idle.
static winograd_filter_cut winograd_filter_cut_of(const winograd *g)
{
    winograd_filter_cut cut = {.pieces = 1, .piece = g->tiles, .chunk = g->tiles};
    winograd_filter_blocks(g, FILTER_BLOCK, &cut);
    const int64_t blocks = cut.row_blocks * cut.col_blocks, most = g->tiles / FEW_TILES;
    const size_t gathered = (size_t)(gathered_v(g, &cut) + gathered_d(g, &cut)) * sizeof(real);
    cut.gathers = (blocks > 2 || most < FILTER_TASKS) && gathered <= GATHERED_BYTES;
    if (cut.gathers) {
        if (blocks < FILTER_TASKS)
            winograd_filter_blocks(g, FILTER_HALF_BLOCK, &cut);
        return cut;
    }
    cut.pieces = max(min(ceil_div(FILTER_PIECES, blocks), most), 1);
    cut.piece = ceil_div(g->tiles, cut.pieces);
    cut.pieces = ceil_div(g->tiles, cut.piece);
    cut.chunk =
        chunk_of(cut.piece, max(chunk_that_fits(g, cut.rows_pad + cut.cols_pad), FEW_TILES));
    return cut;
}

// Partial sums: dU of a (piece, block of channels, block of filters) after another, then dbias of
// each piece.
static int64_t winograd_partial(const winograd *g, const winograd_filter_cut *cut)
{
    return g->positions * cut->rows * cut->cols_pad;
}

static int64_t winograd_partials(const winograd *g, const winograd_filter_cut *cut)
{
    return cut->pieces * cut->row_blocks * cut->col_blocks * winograd_partial(g, cut);
}

// What a task works with.
typedef struct winograd_filter_task {
    const winograd *g;
    const winograd_filter_cut *cut;
    const real *x, *dy;
    int64_t row, rows, col, cols; // its block
    // from one position to the next, and from one tile to the next
    int64_t v_step, d_step, v_row, d_row;
    real *zeros, *v, *d;
    real *sums;       // of pixels, for dbias; NULL if unwanted
    real *du, *dbias; // where its sums go
} winograd_filter_task;

static void winograd_filter_take(winograd_filter_task *t, int64_t row_block, int64_t col_block)
{
    t->row = row_block * t->cut->rows;
    t->col = col_block * t->cut->cols;
    t->rows = min(t->cut->rows, t->g->s.c - t->row);
    t->cols = min(t->cut->cols, t->g->s.f - t->col);
}

// V of the block's channels, and D of its filters, of `tiles` tiles from `first` on.
static void winograd_filter_v(const winograd_filter_task *t, int64_t first, int64_t tiles, real *v)
{
    tile_place p = tile_place_of(t->g, 0, 0, t->g->high, first);
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&p)) {
        int64_t at[POSITIONS_MAX];
        patch_of(t->g, &p, 0, t->g->s.h, at);
        winograd_v(t->g, t->x + t->row, at, t->zeros, t->rows, t->v_step, v + i * t->v_row);
    }
}

static void winograd_filter_d(const winograd_filter_task *t, int64_t first, int64_t tiles, real *d)
{
    tile_place p = tile_place_of(t->g, 0, 0, t->g->high, first);
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&p)) {
        int64_t at[SIDE_MAX * SIDE_MAX];
        outputs_of(t->g, &p, t->g->side, at);
        winograd_d(t->g, t->dy + t->col, at, t->zeros, t->cols, t->d_step, d + i * t->d_row,
                   t->sums);
    }
}

// Adds the sums of a chunk to dbias.
static void winograd_bias_chunk(const winograd_filter_task *t, bool begins)
{
    for (int64_t f = 0; f < t->cols; f += LANES) {
        const vec sum = vec_load(t->sums + f);
        vec_store(t->dbias + f, begins ? sum : vec_load(t->dbias + f) + sum);
        vec_store(t->sums + f, vec_set(0));
    }
}

// dU of a block (+)= the products of `tiles` tiles, whose V and D begin at `v` and `d`.
static void winograd_filter_products(const winograd_filter_task *t, const real *v, const real *d,
                                     int64_t tiles, bool begins)
{
    const int64_t cols = in_vectors(t->cols);
    for (int position = 0; position < t->g->positions; position++) {
        const winograd_product q = {.a = v + position * t->v_step,
                                    .a_row = 1,
                                    .a_step = t->v_row,
                                    .rows = t->rows,
                                    .b = d + position * t->d_step,
                                    .b_step = t->d_row,
                                    .b_panel = PANEL_COLS,
                                    .depth = tiles,
                                    .cols = cols,
                                    .start = begins ? START_ZERO : START_SUM,
                                    .c = t->du + position * t->cut->rows * t->cut->cols_pad,
                                    .c_row = t->cut->cols_pad};
        winograd_multiply(&q);
    }
}

static void winograd_filter_chunk(const winograd_filter_task *t, int64_t first, int64_t tiles,
                                  bool begins)
{
    winograd_filter_v(t, first, tiles, t->v);
    winograd_filter_d(t, first, tiles, t->d);
    winograd_filter_products(t, t->v, t->d, tiles, begins);
    if (t->sums)
        winograd_bias_chunk(t, begins);
}

// Sums a block of dU over a piece. The first blocks of filters have dbias too; `sums` are 0 between
// chunks.
static void winograd_filter_piece(winograd_filter_task *t, real *workspace, real *sums,
                                  int64_t task)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    const int64_t blocks = cut->row_blocks * cut->col_blocks, piece = task / blocks;
    winograd_filter_take(t, task % blocks / cut->col_blocks, task % cut->col_blocks);
    t->du = workspace + task * winograd_partial(g, cut);
    t->dbias = workspace + winograd_partials(g, cut) + piece * g->f_pad + t->col;
    t->sums = t->row == 0 ? sums : NULL;
    const int64_t first = piece * cut->piece, last = min(first + cut->piece, g->tiles);
    for (int64_t at = first; at < last; at += cut->chunk)
        winograd_filter_chunk(t, at, min(cut->chunk, last - at), at == first);
}

// A vector of filters of the row of dw of one channel: `du` points to the first piece's sums at
// position 0.
ALWAYS_INLINE void winograd_taps_of(const int side, const winograd_filter_cut *cut, const real *du,
                                    int64_t piece_step, vec sum[PATCH_MAX][PATCH_MAX])
{
    const int64_t position = cut->rows * cut->cols_pad;
    load_positions(side + 2, du, position, sum);
    for (int64_t piece = 1; piece < cut->pieces; piece++) {
        du += piece_step;
        UNROLL
        for (int i = 0; i < side + 2; i++) {
            UNROLL
            for (int j = 0; j < side + 2; j++)
                sum[i][j] += vec_load(du + (i * (side + 2) + j) * position);
        }
    }
    transform_square(TRANSFORM_TAPS, side, sum);
}

// A vector of filters from `f` on of channel `c` of dw.
static void winograd_filter_vector(const winograd *g, const winograd_filter_cut *cut,
                                   const real *du, int64_t piece_step, real *dw, int64_t c,
                                   int64_t f)
{
    const vmask part = mask_first(min(LANES, g->s.f - f));
    vec taps[PATCH_MAX][PATCH_MAX];
    if (g->side == 2)
        winograd_taps_of(2, cut, du, piece_step, taps);
    else
        winograd_taps_of(4, cut, du, piece_step, taps);
    for (int t = 0; t < 9; t++)
        vec_store_part(dw + (t * g->s.c + c) * g->s.f + f, taps[t / 3][t % 3], part);
}

// The row of dw of channel c.
static void winograd_filter_finish(const winograd *g, const winograd_filter_cut *cut,
                                   const real *partials, real *dw, int64_t c)
{
    const int64_t piece_step = cut->row_blocks * cut->col_blocks * winograd_partial(g, cut);
    const int64_t row_block = c / cut->rows;
    for (int64_t f = 0; f < g->s.f; f += LANES) {
        const real *du = partials +
                         (row_block * cut->col_blocks + f / cut->cols) * winograd_partial(g, cut) +
                         c % cut->rows * cut->cols_pad + f % cut->cols;
        winograd_filter_vector(g, cut, du, piece_step, dw, c, f);
    }
}

// dbias: `pieces` rows of sums, added in order.
static void winograd_bias_finish(const winograd *g, const real *sums, int64_t pieces, real *dbias)
{
    for (int64_t f = 0; f < g->s.f; f += LANES) {
        vec sum = vec_load(sums + f);
        for (int64_t piece = 1; piece < pieces; piece++)
            sum = sum + vec_load(sums + piece * g->f_pad + f);
        vec_store_part(dbias + f, sum, mask_first(min(LANES, g->s.f - f)));
    }
}

// ---- gathered: phase 0 makes V and D of a group of tiles, and a task of phase 1 a block of dU,
// which it finishes ----
//
// V and D lie as (block, position, tile, channel), so that what a task of phase 1 reads is
// adjacent; then dbias of each group.

static void gathered_job(const winograd *g, const winograd_filter_cut *cut, bool sums_dbias,
                         cj__job *job)
{
    const int64_t groups = ceil_div(g->tiles, WIDE_GROUP);
    const int64_t workspace =
        gathered_v(g, cut) + gathered_d(g, cut) + (sums_dbias ? groups * g->f_pad : 0);
    const int64_t scratch = max(winograd_partial(g, cut), max(cut->rows_pad, cut->cols_pad));
    *job = (cj__job){.phases = 2,
                     .tasks = {groups, cut->row_blocks * cut->col_blocks + sums_dbias},
                     .workspace = (size_t)workspace * sizeof(real),
                     .scratch = (size_t)scratch * sizeof(real)};
}

// V and D of a group of tiles; the scratch has the zeros. `sums` is NULL where dbias is not wanted.
static void gathered_group(winograd_filter_task *t, real *sums, int64_t group)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    const int64_t first = group * WIDE_GROUP, tiles = min(WIDE_GROUP, g->tiles - first);
    memset(t->zeros, 0, (size_t)max(cut->rows_pad, cut->cols_pad) * sizeof(real));
    for (int64_t b = 0; b < cut->row_blocks; b++) {
        winograd_filter_take(t, b, 0);
        winograd_filter_v(t, first, tiles, t->v + b * g->positions * t->v_step + first * t->v_row);
    }
    if (sums)
        memset(sums + group * g->f_pad, 0, (size_t)g->f_pad * sizeof(real));
    for (int64_t b = 0; b < cut->col_blocks; b++) {
        winograd_filter_take(t, 0, b);
        t->sums = sums ? sums + group * g->f_pad + t->col : NULL;
        winograd_filter_d(t, first, tiles, t->d + b * g->positions * t->d_step + first * t->d_row);
    }
}

// A block of dU, in the scratch, and of dw.
static void gathered_block(winograd_filter_task *t, real *dw, int64_t row_block, int64_t col_block)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    winograd_filter_take(t, row_block, col_block);
    winograd_filter_products(t, t->v + row_block * g->positions * t->v_step,
                             t->d + col_block * g->positions * t->d_step, g->tiles, true);
    for (int64_t c = 0; c < t->rows; c++)
        for (int64_t f = 0; f < t->cols; f += LANES)
            winograd_filter_vector(g, cut, t->du + c * cut->cols_pad + f, 0, dw, t->row + c,
                                   t->col + f);
}

static void gathered_run(const cj__conv2d_args *a, winograd_filter_task *t, real *workspace,
                         int phase, int64_t task)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    t->v_step = gathered_step(g, t->v_row);
    t->d_step = gathered_step(g, t->d_row);
    t->v = workspace;
    t->d = t->v + gathered_v(g, cut);
    real *const sums = t->d + gathered_d(g, cut);
    t->du = t->zeros;
    if (phase == 0)
        gathered_group(t, a->sums_dbias ? sums : NULL, task);
    else if (task < cut->row_blocks * cut->col_blocks)
        gathered_block(t, a->dw, task / cut->col_blocks, task % cut->col_blocks);
    else
        winograd_bias_finish(g, sums, ceil_div(g->tiles, WIDE_GROUP), a->dbias);
}

// ---- either ----

static void winograd_filter_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_of(a);
    const winograd_filter_cut cut = winograd_filter_cut_of(&g);
    if (cut.gathers) {
        gathered_job(&g, &cut, a->sums_dbias, job);
        return;
    }
    const int64_t steps = tile_step(&g, cut.rows_pad) + tile_step(&g, cut.cols_pad);
    const int64_t scratch = max(cut.rows_pad, cut.cols_pad) + cut.cols_pad + cut.chunk * steps;
    *job = (cj__job){
        .phases = 2,
        .tasks = {cut.pieces * cut.row_blocks * cut.col_blocks, g.s.c + (a->sums_dbias ? 1 : 0)},
        .workspace = (size_t)(winograd_partials(&g, &cut) + cut.pieces * g.f_pad) * sizeof(real),
        .scratch = (size_t)scratch * sizeof(real)};
}

static void winograd_filter_pieces_run(const cj__conv2d_args *a, winograd_filter_task *t,
                                       real *workspace, int phase, int64_t task)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    real *const sums = t->zeros + max(cut->rows_pad, cut->cols_pad);
    if (phase == 0) {
        t->v_step = cut->rows_pad, t->d_step = cut->cols_pad;
        t->v_row = tile_step(g, t->v_step), t->d_row = tile_step(g, t->d_step);
        t->v = sums + cut->cols_pad;
        t->d = t->v + cut->chunk * t->v_row;
        memset(t->zeros, 0, (size_t)(t->v - t->zeros) * sizeof(real));
        winograd_filter_piece(t, workspace, a->sums_dbias ? sums : NULL, task);
    } else if (task < g->s.c) {
        winograd_filter_finish(g, cut, workspace, a->dw, task);
    } else {
        winograd_bias_finish(g, workspace + winograd_partials(g, cut), cut->pieces, a->dbias);
    }
}

static void winograd_filter_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                     int phase, int64_t begin, int64_t end)
{
    const winograd g = winograd_of(a);
    const winograd_filter_cut cut = winograd_filter_cut_of(&g);
    for (int64_t task = begin; task < end; task++) {
        winograd_filter_task t = {.g = &g,
                                  .cut = &cut,
                                  .x = a->x,
                                  .dy = a->dy,
                                  .v_row = cut.rows_pad,
                                  .d_row = cut.cols_pad,
                                  .zeros = scratch};
        (cut.gathers ? gathered_run : winograd_filter_pieces_run)(a, &t, workspace, phase, task);
    }
}

#endif
