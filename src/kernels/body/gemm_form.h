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
//
//   blocks    tiles of large products: a task is a block of rows by several panels, which it takes
//             in turn for each few rows of A. A B that is too large for the caches it packs itself,
//             piece by piece, in memory of its thread
//
// Operands may be copied first, by all for all: A, where it is transposed, into rows; B into
// panels, because its columns must lie along the lanes, and rows that are far apart fall into the
// same few sets of the cache and into many pages.
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
    ONE_TASK = 544 * 1024, // multiply-adds that nobody shares,
    STEPS_OF_C = 2,        // where writing C counts as so many steps of the sum
    // rows of A up to which the sum is cut into parts, and B is not packed unless it is huge
    PART_ROWS = 128,
    // of a part at least, about: adding it costs as much as two steps of the sum
    PART_DEPTH = 192,
    PARTS_MAX = 8,
    PARTS_B = 64 * 1024 // elements of B from which it matters who reads them
};

typedef struct product {
    cj__gemm g; // with the operands exchanged where C is computed transposed
    bool flips, dots;
    bool copies_a; // phase 0 copies all of A, which is transposed
    bool packs_b;  // phase 0 packs all of B
    // several panels a task, which packs its pieces of B unless phase 0 does
    bool blocks;
    int64_t depth, rows, panels; // of a piece of the sum; of a task
    int64_t parts;               // of the sum, each with a C of its own; 1 for none
} product;

// Multiply-adds of a vector that computing a product takes, where each transposed element counts as
// half of one.
static double cost_of(const cj__gemm *g, bool flips)
{
    const double m = (double)g->m, n = (double)g->n, k = (double)g->k;
    if (flips)
        return n * (double)ceil_div(g->m, LANES) * k +
               0.5 * ((g->trans_a ? 0 : m * k) +
                      m * n * (double)(2 * ceil_div(greatest(g->k, 1), FLIPPED_DEPTH) - 1));
    return m * (double)ceil_div(g->n, LANES) * k + 0.5 * (g->trans_b ? n * k : 0);
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

// A column may as well be called a row.
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
        return greatest(g->m, 1);
    const int64_t wanted = ceil_div(WISHED_TASKS, greatest(tasks_across, 1));
    const int64_t rows = p->flips ? LANES : tile_rows[panel_vecs(greatest(g->n, 1))];
    const int64_t tiles = ceil_div(ceil_div(g->m, wanted), rows);
    if (p->blocks)
        return greatest(tiles, ceil_div(p->packs_b ? WIDE_ROWS : PACKING_ROWS, rows)) * rows;
    return greatest(least(tiles, BLOCK_TILES), 1) * rows;
}

static void choose_copies(product *p)
{
    const cj__gemm *g = &p->g;
    const double a = (double)g->m * (double)g->k, b = (double)g->n * (double)g->k;
    const bool pays = g->m >= WORTH_PACKING && (p->flips || g->m > PART_ROWS || b > HUGE_B);
    const bool packs = g->trans_b || (g->ldb >= FAR_ROWS && pays);
    p->blocks = packs && pays && b >= LARGE && !p->flips;
    p->copies_a = a >= LARGE && g->n >= 4 * PANEL_COLS && !p->flips && g->trans_a;
    p->packs_b = packs && (!p->blocks || b <= HUGE_B);
}

// Parts of about equal length. Operands that are copied by all for all are nobody's own.
static int64_t parts_of(const product *p)
{
    const cj__gemm *g = &p->g;
    const int64_t parts = least(g->k / PART_DEPTH, PARTS_MAX);
    const bool pays =
        g->m <= PART_ROWS && (double)g->k * (double)g->n >= PARTS_B && g->m * g->n <= PARTS_B;
    return pays && !p->copies_a && !p->packs_b && !p->blocks && !g->trans_a && !p->flips ?
               greatest(parts, 1) :
               1;
}

static int64_t part_depth(const product *p)
{
    return ceil_div(p->g.k, p->parts);
}

static product product_of(const cj__gemm *given)
{
    product p = {.g = *given, .depth = GEMM_DEPTH, .panels = 1, .parts = 1};
    cj__gemm *g = &p.g;
    call_columns_rows(g);
    if (!g->trans_a && g->trans_b && least(g->m, g->n) <= DOT_ROWS && g->k >= 4 * LANES) {
        p.dots = true;
        p.flips = g->n < g->m;
    } else if (g->trans_b || g->n % LANES != 0) { // else nothing could be won
        p.flips = cost_of(g, true) < cost_of(g, false);
    }
    if (p.flips)
        exchange(g);
    if (p.dots)
        return p;
    choose_copies(&p);
    if (p.flips)
        p.depth = FLIPPED_DEPTH;
    if (!p.flips && !g->trans_b && g->m <= THIN_ROWS && (double)g->k * (double)g->n >= LARGE &&
        g->ldb >= FAR_ROWS) {
        p.depth = THIN_DEPTH;
        p.panels = THIN_COLS / PANEL_COLS;
        p.rows = greatest(g->m, 1);
        p.parts = parts_of(&p);
        return p;
    }
    p.parts = parts_of(&p);
    if (p.blocks)
        p.panels = least(WIDE_COLS / PANEL_COLS, ceil_div(g->n, PANEL_COLS));
    p.rows = p.parts > 1 ? g->m : block_rows(&p, ceil_div(g->n, p.panels * PANEL_COLS));
    if (!p.flips)
        p.depth = greatest(
            ceil_div(part_depth(&p), greatest(ceil_div(part_depth(&p), GEMM_DEPTH), 1)), 1);
    return p;
}
