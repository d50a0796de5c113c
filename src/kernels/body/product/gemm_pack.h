// Copies of a product's operands, and the transpose.
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_PACK_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_PACK_H

#include "kernels/body/product/gemm_form.h"

// Up to LANES rows of LANES columns of x, transposed into y; both edges may be cut.
static void transpose_square(const real *x, int64_t ldx, int64_t rows, int64_t cols, real *y,
                             int64_t ldy)
{
    const vmask in = mask_first(cols), out = mask_first(rows);
    vec square[LANES];
    for (int64_t i = 0; i < LANES; i++)
        square[i] = i >= rows     ? vec_set(0) :
                    cols == LANES ? vec_load(x + i * ldx) :
                                    vec_load_part(x + i * ldx, in);
    vec_transpose(square);
    for (int64_t j = 0; j < cols; j++) {
        if (rows == LANES)
            vec_store(y + j * ldy, square[j]);
        else
            vec_store_part(y + j * ldy, square[j], out);
    }
}

static void transpose_block(const real *x, int64_t ldx, int64_t rows, int64_t cols, real *y,
                            int64_t ldy)
{
    for (int64_t i = 0; i < rows; i += LANES)
        for (int64_t j = 0; j < cols; j += LANES)
            transpose_square(x + i * ldx + j, ldx, min(LANES, rows - i), min(LANES, cols - j),
                             y + j * ldy + i, ldy);
}

static void transpose(int64_t rows, int64_t cols, const void *x, int64_t ldx, void *y, int64_t ldy)
{
    transpose_block(x, ldx, rows, cols, y, ldy);
}

static void copy_reals(real *to, const real *from, int64_t count)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vec_store(to + i, vec_load(from + i));
    if (i < count) {
        const vmask rest = mask_first(count - i);
        vec_store_part(to + i, vec_load_part(from + i, rest), rest);
    }
}

// A copied: the rows of A', a few lanes longer than they are, so that neighbours do not share the
// cache's sets.
static int64_t copied_row(const product *p)
{
    return ceil_div(p->g.k, LANES) * LANES + LANES;
}

static size_t copied_a_size(const product *p)
{
    const size_t size = (size_t)(p->g.m * copied_row(p)) * sizeof(real);
    return p->copies_a ? cj__align_up_64(size) : 0;
}

enum { COPY_ROWS = 8 * LANES, COPY_DEPTH = 256 };

static int64_t copy_a_tasks(const product *p)
{
    return p->copies_a ? ceil_div(p->g.m, COPY_ROWS) * ceil_div(p->g.k, COPY_DEPTH) : 0;
}

static void copy_a(const product *p, real *copy, int64_t task)
{
    const cj__gemm *g = &p->g;
    const int64_t chunks = ceil_div(g->m, COPY_ROWS), row = task % chunks * COPY_ROWS;
    const int64_t first = task / chunks * COPY_DEPTH;
    transpose_block((const real *)g->a + first * g->lda + row, g->lda,
                    min(COPY_DEPTH, g->k - first), min(COPY_ROWS, g->m - row),
                    copy + row * copied_row(p) + first, copied_row(p));
}

// The product as the phases after the copy see it.
static product product_of_copy(const product *p, const real *copy)
{
    product q = *p;
    if (p->copies_a) {
        q.g.a = copy;
        q.g.lda = copied_row(p);
        q.g.trans_a = false;
    }
    return q;
}

// Packs rows first .. first + depth - 1 of a panel of B, `step` apart. What lies beyond the panel's
// columns stays as it is.
static void pack_b(const cj__gemm *g, int64_t col, int64_t cols, int64_t first, int64_t depth,
                   real *to, int64_t step)
{
    const real *const b = g->b;
    if (g->trans_b) {
        transpose_block(b + col * g->ldb + first, g->ldb, cols, depth, to, step);
        return;
    }
    for (int64_t p = 0; p < depth; p++)
        copy_reals(to + p * step, b + (first + p) * g->ldb + col, cols);
}

// Packs rows first .. first + depth - 1 of columns col0 .. col1 - 1, some panels, row by row: what
// the memory gives in long runs, and what it is asked for early. Panels of `to` are panel_step
// apart; in each the rows before these are left out.
static void pack_panels(const cj__gemm *g, int64_t col0, int64_t col1, int64_t first, int64_t depth,
                        real *to, int64_t panel_step, int64_t before)
{
    enum { ROWS_AHEAD = 4 };
    const int64_t bytes_ahead = ROWS_AHEAD * g->ldb * (int64_t)sizeof(real);
    if (g->trans_b) {
        for (int64_t col = col0; col < col1; col += PANEL_COLS, to += panel_step) {
            const int64_t cols = min(PANEL_COLS, col1 - col), width = ceil_div(cols, LANES) * LANES;
            pack_b(g, col, cols, first, depth, to + before * width, width);
        }
        return;
    }
    for (int64_t p = 0; p < depth; p++) {
        const real *const row = (const real *)g->b + (first + p) * g->ldb;
        real *panel = to;
        for (int64_t col = col0; col < col1; col += PANEL_COLS, panel += panel_step) {
            const int64_t cols = min(PANEL_COLS, col1 - col), width = ceil_div(cols, LANES) * LANES;
            fetch_ahead(row + col, bytes_ahead, TILE_VECS_MAX);
            copy_reals(panel + (before + p) * width, row + col, cols);
        }
    }
}

#endif
