// How a product is computed: a choice by shape alone, so that bits never depend on threads.
//
//   tiles     C in blocks of rows by one panel of columns, each block a task; lanes lie along n
//             (gemm.h)
//   flipped   the same for C transposed, lanes along m: op(B)' op(A)'. The operands only exchange
//             their roles, which costs nothing; C is transposed tile by tile. For few columns, and
//             where B' would cost more to pack than C
//   dots      rows of A by rows of B, lanes along the sum: few rows of one of them, both contiguous
//             along k (gemm_dot.h)
//   parts     few rows of A by a large B: each task takes all rows and a part of the sum into a C
//             of its own, and a last phase adds these. So a thread reads some rows of B and no
//             others: those whose gradients it computes and whose weights it steps, and that its
//             cache holds
//   deep      A' B of many rows, as gradients by weights are: parts too, in which all columns come
//             piece by piece, so that both operands are read once and in long runs. By panels the
//             rows of A would be read anew for each of them. Of the two the narrower one gives the
//             rows of C: if that is B, the parts are C transposed
//
//   blocks    tiles of large products: a task is a block of rows by several panels, which it takes
//             in turn for each few rows of A. A B that is too large for the caches it packs itself,
//             piece by piece, in memory of its thread
//
// Operands may be copied first, once for all tasks: A, where it is transposed, into rows; B into
// panels, because its columns must lie along the lanes, and rows that are far apart fall into the
// same few sets of the cache and into many pages. A B that the caller keeps is packed whatever it
// costs.
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_FORM_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_FORM_H

#include "kernels/body/product/tile.h"

enum {
    // the sum is cut into pieces, so that a panel's part of B stays in the second cache
    GEMM_DEPTH = 512,
    FLIPPED_DEPTH = 2048, // longer: each piece transposes C twice
    THIN_DEPTH = 8,       // of few rows by a wide B: rows of B are read in long runs
    PANEL_COLS = TILE_VECS_MAX * LANES,
    THIN_COLS = 2048, // of a task of few rows
    THIN_ROWS = 12,
    DOT_ROWS = 8,
    DOT_COLS = 32,       // of a task of dots
    FAR_ROWS = 512,      // distance from which rows of B share the cache's sets
    WORTH_PACKING = 32,  // rows of A that pay for a copy of B
    LARGE = 128 * 1024,  // elements that no longer fit the inner caches
    HUGE_B = 512 * 1024, // elements of B that no longer fit any but the last cache
    // tiles of rows of a task: its part of A stays in the second cache
    BLOCK_TILES = 16,
    WIDE_ROWS = 128,                  // rows of a block at least, if there are as many,
    PACKING_ROWS = 512,               // or where each block packs its B again
    WIDE_COLS = 1024 / CJ_REAL_BYTES, // of a block
    WISHED_TASKS = 16,
    ALONE = 200 * 1000,    // multiply-adds up to which no second thread helps: one task, all panels
    FEW_PANELS = 4,        // of a task of one row, whose panels are short work
    ONE_TASK = 544 * 1024, // multiply-adds up to which one task is enough,
    STEPS_OF_C = 2,        // where writing C counts as so many steps of the sum
    // rows of A up to which the sum is cut into parts, and B is not packed unless it is huge
    PART_ROWS = 128,
    // of a part at least, about: adding it costs as much as two steps of the sum
    PART_DEPTH = 192,
    PARTS_MAX = 8,
    PARTS_B = 64 * 1024, // elements of B from which it matters which thread reads them
    // rows from which a product is deep, and elements of C up to which, for each row and at all:
    // adding the parts' Cs has to cost little
    DEEP_ROWS = 2048,
    DEEP_C_A_ROW = 64,
    DEEP_C = 256 * 1024
};

typedef struct product {
    cj__gemm g; // with the operands exchanged where C is computed transposed
    bool flipped, dots;
    bool copies_a; // phase 0 copies all of A, which is transposed
    bool packs_b;  // phase 0 packs all of B
    // several panels a task, which packs its pieces of B unless phase 0 does
    bool blocks;
    int64_t depth, rows, panels; // of a piece of the sum; of a task
    int64_t parts;               // of the sum, each with a C of its own; 1 for none
    bool turned;                 // these are C transposed, with the operands exchanged
} product;

// Multiply-adds of a vector that computing a product takes, where each transposed element counts as
// half of one.
static double cost_of(const cj__gemm *g, bool flipped)
{
    const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    if (flipped)
        return n * (double)ceil_div(g->m, LANES) * k +
               0.5 * ((g->trans_a ? 0 : m * k) +
                      m * n * (double)(2 * ceil_div(max(g->k, 1), FLIPPED_DEPTH) - 1));
    return m * (double)ceil_div(g->n, LANES) * k + 0.5 * (g->trans_b && !g->keeps_b ? n * k : 0);
}

// C' = op(B)' op(A)'.
static void exchange(cj__gemm *g)
{
    const cj__gemm from = *g;
    g->m = from.n, g->n = from.m;
    g->a = from.b, g->b = from.a;
    g->lda = from.ldb, g->ldb = from.lda;
    g->trans_a = !from.trans_b, g->trans_b = !from.trans_a;
}

// A single column is stored as a single row would be.
static void call_columns_rows(cj__gemm *g)
{
    if (g->n == 1 && !g->trans_b && g->ldb == 1)
        g->trans_b = true, g->ldb = g->k;
    if (g->m == 1 && g->trans_a && g->lda == 1)
        g->trans_a = false, g->lda = g->k;
}

// Rows of a task: a multiple of the tile's, or of what is transposed at once, few enough that there
// are about WISHED_TASKS of them.
static int64_t block_rows(const product *p, int64_t tasks_across)
{
    const cj__gemm *g = &p->g;
    if ((double)g->m * (double)g->n * ((double)g->k + STEPS_OF_C) <= ONE_TASK)
        return max(g->m, 1);
    const int64_t wanted = ceil_div(WISHED_TASKS, max(tasks_across, 1));
    const int64_t rows = p->flipped ? LANES : tile_rows[panel_vecs(max(g->n, 1))];
    const int64_t tiles = ceil_div(ceil_div(g->m, wanted), rows);
    if (p->blocks)
        return max(tiles, ceil_div(p->packs_b ? WIDE_ROWS : PACKING_ROWS, rows)) * rows;
    return max(min(tiles, BLOCK_TILES), 1) * rows;
}

static void choose_copies(product *p)
{
    const cj__gemm *g = &p->g;
    const double a = (double)g->m * (double)g->k, b = (double)g->n * (double)g->k;
    if (g->keeps_b && !p->flipped) {
        p->packs_b = true;
        return;
    }
    const bool pays = g->m >= WORTH_PACKING && (p->flipped || g->m > PART_ROWS || b > HUGE_B);
    const bool packs = g->trans_b || (g->ldb >= FAR_ROWS && pays);
    p->blocks = packs && pays && b >= LARGE && !p->flipped;
    p->copies_a = a >= LARGE && g->n >= 4 * PANEL_COLS && !p->flipped && g->trans_a;
    p->packs_b = packs && (!p->blocks || b <= HUGE_B);
}

// Parts of about equal length. An operand that all tasks copy for all belongs to no part.
static int64_t parts_of(const product *p)
{
    const cj__gemm *g = &p->g;
    const int64_t parts = min(g->k / PART_DEPTH, PARTS_MAX);
    const bool pays =
        g->m <= PART_ROWS && (double)g->k * (double)g->n >= PARTS_B && g->m * g->n <= PARTS_B;
    return pays && !p->copies_a && !p->packs_b && !p->blocks && !g->trans_a && !p->flipped ?
               max(parts, 1) :
               1;
}

static int64_t part_depth(const product *p)
{
    return ceil_div(p->g.k, p->parts);
}

// Panels of a task that goes panel by panel: preparing a task takes as long as some thousands of
// multiply-adds.
static int64_t panels_of(const product *p)
{
    const cj__gemm *g = &p->g;
    const int64_t panels = max(ceil_div(g->n, PANEL_COLS), 1);
    if (p->flipped)
        return 1;
    if ((double)g->m * (double)g->n * (double)g->k <= ALONE)
        return panels;
    return g->m == 1 ? min(panels, FEW_PANELS) : 1;
}

static bool is_deep(const cj__gemm *g)
{
    const double c = (double)g->m * (double)g->n;
    return g->trans_a && !g->trans_b && !g->keeps_b && g->k >= DEEP_ROWS && c <= DEEP_C &&
           c <= DEEP_C_A_ROW * (double)g->k;
}

static int64_t piece_depth(const product *p)
{
    const int64_t depth = part_depth(p);
    return max(ceil_div(depth, max(ceil_div(depth, GEMM_DEPTH), 1)), 1);
}

static product deep_product(product p)
{
    p.parts = PARTS_MAX;
    p.turned = p.g.m > p.g.n;
    if (p.turned)
        exchange(&p.g);
    p.panels = max(ceil_div(p.g.n, PANEL_COLS), 1);
    p.rows = max(p.g.m, 1);
    p.depth = piece_depth(&p);
    return p;
}

static product product_of(const cj__gemm *given)
{
    product p = {.g = *given, .depth = GEMM_DEPTH, .panels = 1, .parts = 1};
    cj__gemm *g = &p.g;
    call_columns_rows(g);
    if (is_deep(g))
        return deep_product(p);
    if (!g->keeps_b && !g->trans_a && g->trans_b && min(g->m, g->n) <= DOT_ROWS &&
        g->k >= 4 * LANES) {
        p.dots = true;
        p.flipped = g->n < g->m;
    } else if (g->trans_b || g->n % LANES != 0) { // else a copy would save nothing
        p.flipped = cost_of(g, true) < cost_of(g, false);
    }
    if (p.flipped)
        exchange(g);
    if (p.dots)
        return p;
    choose_copies(&p);
    if (p.flipped)
        p.depth = FLIPPED_DEPTH;
    if (!p.flipped && !g->trans_b && !p.packs_b && g->m <= THIN_ROWS &&
        (double)g->k * (double)g->n >= LARGE && g->ldb >= FAR_ROWS) {
        p.depth = THIN_DEPTH;
        p.panels = THIN_COLS / PANEL_COLS;
        p.rows = max(g->m, 1);
        p.parts = parts_of(&p);
        return p;
    }
    p.parts = parts_of(&p);
    if (p.blocks)
        p.panels = min(WIDE_COLS / PANEL_COLS, ceil_div(g->n, PANEL_COLS));
    else if (p.parts == 1)
        p.panels = panels_of(&p);
    p.rows = p.parts > 1 ? g->m : block_rows(&p, ceil_div(g->n, p.panels * PANEL_COLS));
    if (!p.flipped)
        p.depth = piece_depth(&p);
    return p;
}

#endif
