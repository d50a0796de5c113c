// C = act(op(A) op(B) + bias): see cj__gemm, and gemm_form.h for the ways of computing it.
//
// A task is a block of rows of C by a panel of columns, or by several panels. The sum is split
// into pieces, so that a piece's rows of B stay in cache while the tiles go down the rows of C.
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_H

#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_dot.h"
#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/gemm_pack.h"
#include "kernels/body/product/gemm_row.h"
#include "kernels/body/product/gemm_sparse.h"
#include "kernels/body/product/row_tile.h"
#include "kernels/body/product/tile.h"

enum { PACK_DEPTH = 64 };

static int64_t tasks_across(const product *p)
{
    return ceil_div(p->g.n, p->panels * PANEL_COLS);
}

static int64_t product_tasks(const product *p)
{
    return p->dots ? ceil_div(p->g.n, DOT_COLS) :
                     p->parts * tasks_across(p) * ceil_div(p->g.m, p->rows);
}

// The size of the partial Cs of all parts, and the number of tasks that add them, some rows each.
enum { ADD_ROWS = 4 };

static int64_t parts_size(const product *p)
{
    return p->parts > 1 ? p->parts * p->g.m * ceil_div(p->g.n, LANES) * LANES : 0;
}

static int64_t add_tasks(const product *p)
{
    return p->parts > 1 ? ceil_div(p->g.m, p->turned ? LANES : ADD_ROWS) : 0;
}

static int64_t pack_tasks(const product *p)
{
    return p->packs_b ? tasks_across(p) * ceil_div(p->g.k, PACK_DEPTH) : 0;
}

// Reals of one task's piece of B.
static int64_t piece_size(const product *p)
{
    return p->panels * PANEL_COLS * min(p->depth, p->g.k);
}

static void dense_product_job(const cj__gemm *g, cj__job *job)
{
    const product p = product_of(g);
    const int64_t packs = copy_a_tasks(&p) + pack_tasks(&p), tasks = product_tasks(&p);
    *job = (cj__job){.phases = 1, .tasks = {tasks}};
    if (packs > 0)
        *job = (cj__job){.phases = 2, .tasks = {packs, tasks}};
    if (packs > 0 && !p.flipped && !p.copies_a)
        job->prepares = 1;
    if (p.parts > 1)
        *job = (cj__job){.phases = 2, .tasks = {tasks, add_tasks(&p)}};
    const int64_t b = p.packs_b ? ceil_div(p.g.n, PANEL_COLS) * PANEL_COLS * p.g.k : 0;
    job->workspace = copied_a_size(&p) + (size_t)(b + parts_size(&p)) * sizeof(real);
    job->scratch = p.blocks && !p.packs_b ? (size_t)piece_size(&p) * sizeof(real) : 0;
}

static void gemm_job(const cj__gemm *g, cj__job *job)
{
    const cj__gemm dense = dense_of(g);
    dense_product_job(&dense, job);
    if (is_sparse_product(g))
        sparse_product_job(g, job);
}

// Packs PACK_DEPTH rows of the panels of one task.
static void pack_task(const product *p, real *packed, int64_t task)
{
    const cj__gemm *g = &p->g;
    const int64_t depths = ceil_div(g->k, PACK_DEPTH), first = task % depths * PACK_DEPTH;
    const int64_t col = task / depths * p->panels * PANEL_COLS;
    pack_panels(g, col, min(col + p->panels * PANEL_COLS, g->n), first,
                min(PACK_DEPTH, g->k - first), packed + col * g->k, PANEL_COLS * g->k, first);
}

// One piece of the sum of one task: columns col0 .. col1 - 1 of B.
typedef struct gemm_piece {
    const product *p;
    int64_t col0, col1, first, length;
    bool ends;
    const real *b; // the first panel
    // from panel to panel, and from row to row; 0: rows of a panel are adjacent
    int64_t panel_step, b_step;
} gemm_piece;

// Where a piece finds B: packed by phase 0, packed by the task itself, or as it is.
static void find_b(gemm_piece *s, const real *packed, real *scratch)
{
    const product *p = s->p;
    const cj__gemm *g = &p->g;
    s->b_step = 0;
    if (p->packs_b) {
        s->panel_step = PANEL_COLS * g->k;
        s->b = packed + s->col0 * g->k; // and first * width: the last panel may be narrower
    } else if (p->blocks) {
        s->b = scratch;
        s->panel_step = PANEL_COLS * s->length;
        pack_panels(g, s->col0, s->col1, s->first, s->length, scratch, s->panel_step, 0);
    } else {
        s->b = (const real *)g->b + s->first * g->ldb + s->col0;
        s->panel_step = PANEL_COLS;
        s->b_step = g->ldb;
    }
}

// A tile's part of B: panel `panel` of the piece. Returns its width in vectors.
static int aim_at_b(const gemm_piece *s, product_tile *t, int64_t panel)
{
    const int64_t col = s->col0 + panel * PANEL_COLS;
    t->cols = min(PANEL_COLS, s->col1 - col);
    const int vecs = (int)ceil_div(t->cols, LANES);
    t->b_step = s->b_step > 0 ? s->b_step : vecs * LANES;
    t->b = s->b + panel * s->panel_step + (s->p->packs_b ? s->first * t->b_step : 0);
    return vecs;
}

// Rows of the next tile. The last two tiles share their rows evenly: a tile of few rows uses each
// loaded element of B less often.
static int rows_of_tile(int64_t left, int full)
{
    return (int)(left <= full ? left : left < 2 * full ? (left + 1) / 2 : full);
}

// Rows of the largest tile that suits all panels of a piece.
static int full_rows(const gemm_piece *s)
{
    return tile_rows[ceil_div(min(PANEL_COLS, s->col1 - s->col0), LANES)];
}

// The row tile of some rows of A from `row` on and some columns of C from `col` on.
static row_tile tile_at(const gemm_piece *s, const product_tile *t, int64_t row, int64_t col)
{
    const cj__gemm *g = &s->p->g;
    row_tile r = row_tile_of(t);
    r.a_row = g->trans_a ? 1 : g->lda;
    r.a = (const real *)g->a + row * r.a_row + s->first * t->a_step;
    r.c = (real *)g->c + row * g->ldc + col;
    r.c_row = g->ldc;
    r.lines = 1;
    return r;
}

static void finish_panel(const epilogue *e, const row_tile *r, int64_t rows)
{
    for (int64_t row = 0; row < rows && is_applied(e); row++)
        finish_rows(e, (real *[]){r->c + row * r->c_row}, 1, r->cols);
}

// Prefetches the first cache lines of C of the next tile.
static void fetch_c(const cj__gemm *g, int64_t row, int64_t rows, int64_t col)
{
    const real *c = (const real *)g->c + row * g->ldc + col;
    for (int64_t i = 0; i < min(rows, g->m - row); i++, c += g->ldc)
        fetch_ahead(c, 0, TILE_VECS_MAX);
}

// A few rows of A stay in the first-level cache while they are multiplied with one panel after
// another, which come from the second.
static void piece_of_block(const gemm_piece *s, product_tile *t, int64_t row0, int64_t row1)
{
    const cj__gemm *g = &s->p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    const int64_t panels = ceil_div(s->col1 - s->col0, PANEL_COLS);
    const int full = full_rows(s);
    for (int64_t row = row0, rows; row < row1; row += rows) {
        rows = rows_of_tile(row1 - row, full);
        for (int64_t panel = 0; panel < panels; panel++) {
            const int64_t col = s->col0 + panel * PANEL_COLS;
            const int vecs = aim_at_b(s, t, panel);
            t->bias = g->bias ? (const real *)g->bias + col : NULL;
            const row_tile r = tile_at(s, t, row, col);
            if (panel + 1 < panels)
                fetch_c(g, row, rows, col + PANEL_COLS);
            else
                fetch_c(g, row + rows, full, s->col0);
            row_tile_run(&r, vecs, rows, &(row_part){0, 1, 0, 1});
            if (s->ends)
                finish_panel(&e, &r, rows);
        }
    }
}

// One row, by rows of B that are not packed.
static void piece_of_one_row(const gemm_piece *s, product_tile *t, int64_t row)
{
    const cj__gemm *g = &s->p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    aim_at_b(s, t, 0);
    t->bias = g->bias ? (const real *)g->bias + s->col0 : NULL;
    row_tile r = tile_at(s, t, row, s->col0);
    r.cols = s->col1 - s->col0;
    row_run(&r);
    if (s->ends)
        finish_panel(&e, &r, 1);
}

// Where sums are short or panels few: all rows of a panel are one call.
static void piece_of_rows(const gemm_piece *s, product_tile *t, int64_t row0, int64_t row1)
{
    const cj__gemm *g = &s->p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    const int64_t panels = ceil_div(s->col1 - s->col0, PANEL_COLS);
    for (int64_t panel = 0; panel < panels && row0 < row1; panel++) {
        const int64_t col = s->col0 + panel * PANEL_COLS;
        const int vecs = aim_at_b(s, t, panel);
        t->bias = g->bias ? (const real *)g->bias + col : NULL;
        const row_tile r = tile_at(s, t, row0, col);
        row_tiles_run(&r, vecs, row1 - row0);
        if (s->ends)
            finish_panel(&e, &r, row1 - row0);
    }
}

// The same where C is computed transposed: strips of rows are written to C as columns.
static void piece_of_flipped_c(const gemm_piece *s, product_tile *t, int64_t row0, int64_t row1)
{
    enum { STRIP = 4 * LANES };
    const cj__gemm *g = &s->p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    const int64_t a_row = g->trans_a ? 1 : g->lda, cols = s->col1 - s->col0,
                  width = ceil_div(cols, LANES) * LANES;
    real strip[STRIP * PANEL_COLS];
    t->start = s->first > 0 || g->bias ? START_SUM : START_ZERO;
    for (int64_t top = row0; top < row1; top += STRIP) {
        const int64_t count = min(STRIP, row1 - top);
        real *const c = (real *)g->c + s->col0 * g->ldc + top;
        if (s->first > 0)
            transpose_block(c, g->ldc, cols, count, strip, width);
        else
            for (int64_t i = 0; g->bias && i < count; i++)
                for (int64_t j = 0; j < width; j += LANES)
                    vec_store(strip + i * width + j, vec_set(((const real *)g->bias)[top + i]));
        const int vecs = aim_at_b(s, t, 0);
        row_tile r = row_tile_of(t);
        r.a = (const real *)g->a + top * a_row + s->first * t->a_step;
        r.a_row = a_row;
        r.c = strip;
        r.c_row = width;
        r.lines = 1;
        row_tiles_run(&r, vecs, count);
        for (int64_t row = 0; row < count && s->ends && is_applied(&e); row++)
            finish_rows(&e, (real *[]){strip + row * width}, 1, cols);
        transpose_block(strip, width, count, cols, c, g->ldc);
    }
}

static void gemm_block(const product *p, const real *packed, real *scratch, int64_t task)
{
    enum { LONG_SUM = 128 }; // pays for a call of each tile
    static const int64_t no_offset[1] = {0};
    const cj__gemm *g = &p->g;
    const int64_t across = tasks_across(p), col0 = task % across * p->panels * PANEL_COLS;
    const int64_t row0 = task / across * p->rows, row1 = min(row0 + p->rows, g->m);
    product_tile t = {.segments = no_offset, .segment_count = 1};
    t.a_step = g->trans_a ? g->lda : 1;
    for (int64_t first = 0; first == 0 || first < g->k; first += p->depth) {
        gemm_piece s = {.p = p,
                        .col0 = col0,
                        .col1 = min(col0 + p->panels * PANEL_COLS, g->n),
                        .first = first,
                        .length = min(p->depth, g->k - first)};
        s.ends = first + s.length == g->k;
        t.length = s.length;
        t.relu = s.ends && g->act == CJ__UNARY_relu;
        t.start = s.first > 0 ? START_SUM : g->bias ? START_BIAS : START_ZERO;
        find_b(&s, packed, scratch);
        if (row1 - row0 == 1 && s.b_step > 0 && p->depth == THIN_DEPTH)
            piece_of_one_row(&s, &t, row0);
        else
            (p->flipped                        ? piece_of_flipped_c :
             p->blocks && s.length >= LONG_SUM ? piece_of_block :
                                                 piece_of_rows)(&s, &t, row0, row1);
    }
}

// One task of one part of the sum: the same product over fewer k, into a partial C. Parts of a
// `task` are the outermost.
static void gemm_part(const product *p, real *cs, int64_t task)
{
    const int64_t tasks = tasks_across(p), part = task / tasks, first = part * part_depth(p);
    product q = *p;
    cj__gemm *g = &q.g;
    q.parts = 1;
    g->a = (const real *)g->a + first * (g->trans_a ? g->lda : 1);
    g->b = (const real *)g->b + first * g->ldb;
    g->k = min(part_depth(p), g->k - first);
    g->ldc = ceil_div(g->n, LANES) * LANES;
    g->c = cs + part * g->m * g->ldc;
    g->bias = NULL;
    g->act = CJ__UNARY_NONE;
    gemm_block(&q, NULL, NULL, task % tasks);
}

// C = act(bias + the first part's + the second's ...), some rows of it.
static void add_parts(const product *p, const real *cs, int64_t task)
{
    const cj__gemm *g = &p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    const int64_t step = ceil_div(g->n, LANES) * LANES;
    for (int64_t i = task * ADD_ROWS; i < min(task * ADD_ROWS + ADD_ROWS, g->m); i++) {
        real *const c = (real *)g->c + i * g->ldc;
        for (int64_t j = 0; j < g->n; j += LANES) {
            const vmask in = mask_first(min(g->n - j, LANES));
            vec sum = g->bias ? vec_load_part((const real *)g->bias + j, in) : vec_set(0);
            for (int64_t part = 0; part < p->parts; part++)
                sum += vec_load(cs + (part * g->m + i) * step + j);
            vec_store_part(c + j, is_relu(&e) ? vec_max(vec_set(0), sum) : sum, in);
        }
        finish_rows(&e, (real *[]){c}, 1, g->n);
    }
}

// The same of LANES rows of C transposed, in squares.
static void add_turned_parts(const product *p, const real *cs, int64_t task)
{
    const cj__gemm *g = &p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b, false};
    const int64_t step = ceil_div(g->n, LANES) * LANES, first = task * LANES,
                  rows = min(g->m - first, LANES);
    const vmask in = mask_first(rows);
    for (int64_t j = 0; j < g->n; j += LANES) {
        vec square[LANES];
        for (int64_t i = 0; i < LANES; i++) {
            square[i] = vec_set(0);
            for (int64_t part = 0; part < p->parts && i < rows; part++)
                square[i] += vec_load(cs + (part * g->m + first + i) * step + j);
        }
        vec_transpose(square);
        const vec bias = g->bias ? vec_load_part((const real *)g->bias + first, in) : vec_set(0);
        for (int64_t i = 0; i < min(g->n - j, LANES); i++) {
            real *const c = (real *)g->c + (j + i) * g->ldc + first;
            const vec sum = square[i] + bias;
            vec_store_part(c, is_relu(&e) ? vec_max(vec_set(0), sum) : sum, in);
            finish_rows(&e, (real *[]){c}, 1, rows);
        }
    }
}

static void dense_product_run(const cj__gemm *g, void *workspace, void *scratch, int phase,
                              int64_t begin, int64_t end)
{
    const product p = product_of(g), copied = product_of_copy(&p, workspace);
    const int64_t copies = copy_a_tasks(&p), packs = phase == 0 ? copies + pack_tasks(&p) : 0;
    real *const packed = (real *)(void *)((char *)workspace + copied_a_size(&p));
    for (int64_t i = begin; i < end; i++) {
        const int64_t task = g->backwards ? begin + end - 1 - i : i;
        if (packs > 0 && task < copies)
            copy_a(&p, workspace, task);
        else if (packs > 0)
            pack_task(&p, packed, task - copies);
        else if (p.dots)
            gemm_dots(&p, task);
        else if (p.parts > 1 && phase == 0)
            gemm_part(&p, packed, task);
        else if (p.turned)
            add_turned_parts(&p, packed, task);
        else if (p.parts > 1)
            add_parts(&p, packed, task);
        else
            gemm_block(&copied, packed, scratch, task);
    }
}

static void gemm_run(const cj__gemm *g, void *workspace, void *scratch, int phase, int64_t begin,
                     int64_t end)
{
    const cj__gemm dense = dense_of(g);
    if (!is_sparse_product(g))
        dense_product_run(&dense, workspace, scratch, phase, begin, end);
    else if (phase < SPARSE_PHASES)
        sparse_product_run(g, workspace, scratch, phase, begin, end);
    else if (!is_sparse_enough(g, workspace))
        dense_product_run(&dense, (char *)workspace + sparse_counts_size(g), scratch,
                          phase - SPARSE_PHASES, begin, end);
}

#endif
