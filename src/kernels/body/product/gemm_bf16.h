// C = act(op(A) op(B) + bias) with A and B rounded to bfloat16, sums in float: see cj__gemm_bf16.
//
// Both operands are rounded and packed in pairs along the summed axis, half as many bytes as
// before: that is the first phase. The second computes blocks of C, a task each, as body/product/gemm.h
// does: a panel of columns, tiles of rows that walk down it, the sum in pieces so that the panel's
// part stays in the cache. A few rows read each element of B once or twice, so B is not packed
// then: tiles take its rows as they lie, weave two of them and multiply. The sum is cut into short
// pieces where a task has more than one panel, so that rows are read in runs. A B that the caller
// keeps is packed for few rows too, in a phase of its own, the first of three.
//
//   packed A, plain        row i:  pair p at i * pairs + p          from rows that lie in order
//   packed A, transposed   pair p: row i at p * rows_a + i rows of the summed axis interleaved two by two
//   packed B               panel, pair p, column: (panel * pairs + p) * PANEL + j
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_BF16_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_BF16_H

#include "kernels/body/elementwise/round_vec.h"
#include "kernels/body/product/bf16_product.h"

enum {
    PAIR_VECS = 4,
    PAIR_ROWS = 6,
    PANEL = PAIR_VECS * LANES,
    PIECE_PAIRS = 256,
    PACK_ROWS = 32,
    PACK_PAIRS = 32
};
enum { FEW_ROWS = 12, FEW_TASKS = 4, FEW_PAIRS = 8 };

typedef struct bf16_plan {
    int64_t pairs, panels, rows_a; // rows_a: m rounded up to whole vectors
    int64_t a_tasks, b_tasks, block, blocks;
    int64_t across, piece; // panels of a task, and pairs of a piece of the sum
    bool few, keeps_b;
} bf16_plan;

static bool is_few(const cj__gemm *g)
{
    return g->m <= FEW_ROWS && !g->trans_b && !g->keeps_b;
}

// Blocks are whole tiles, few enough rows that there are about 16 of them.
static bf16_plan plan_of(const cj__gemm *g)
{
    bf16_plan p = {.pairs = ceil_div(g->k, 2),
                   .panels = ceil_div(g->n, PANEL),
                   .rows_a = ceil_div(g->m, LANES) * LANES,
                   .across = 1,
                   .piece = PIECE_PAIRS,
                   .few = is_few(g),
                   .keeps_b = g->keeps_b};
    const int64_t wanted = p.panels > 0 ? ceil_div(16, p.panels) : 1,
                  tiles = ceil_div(ceil_div(g->m, wanted), PAIR_ROWS);
    p.block = p.few ? FEW_ROWS : min(tiles > 0 ? tiles : 1, 32) * PAIR_ROWS;
    p.blocks = ceil_div(g->m, p.block);
    p.a_tasks = g->trans_a ? ceil_div(p.pairs, PACK_PAIRS) : ceil_div(g->m, PACK_ROWS);
    p.b_tasks = p.few ? 0 : p.panels * ceil_div(p.pairs, PACK_PAIRS);
    if (p.few && p.panels > FEW_TASKS) {
        p.across = ceil_div(p.panels, FEW_TASKS);
        p.piece = FEW_PAIRS;
    }
    return p;
}

static int64_t packed_panels(const bf16_plan *p)
{
    return p->few ? 0 : p->panels;
}

static void gemm_bf16_job(const cj__gemm_bf16 *a, cj__job *job)
{
    const bf16_plan p = plan_of(&a->g);
    const int64_t blocks = ceil_div(p.panels, p.across) * p.blocks;
    *job = (cj__job){.phases = 2, .tasks = {p.a_tasks + p.b_tasks, blocks}};
    if (p.keeps_b)
        *job = (cj__job){.phases = 3, .tasks = {p.b_tasks, p.a_tasks, blocks}, .prepares = 1};
    job->workspace = (size_t)(p.pairs * (p.rows_a + packed_panels(&p) * PANEL)) * sizeof(uint32_t);
}

static void pack_a(const cj__gemm *g, const bf16_plan *p, uint32_t *packed, int64_t task)
{
    const real *x = g->a;
    if (g->trans_a) {
        for (int64_t q = task * PACK_PAIRS; q < min((task + 1) * PACK_PAIRS, p->pairs); q++)
            for (int64_t i = 0; i < g->m; i += LANES) {
                const pairs v = interleaved(x + i, g->lda, 2 * q, g->k, g->m - i);
                memcpy(packed + q * p->rows_a + i, &v, sizeof v);
            }
        return;
    }
    for (int64_t i = task * PACK_ROWS; i < min((task + 1) * PACK_ROWS, g->m); i++)
        for (int64_t q = 0; q < p->pairs; q += LANES) {
            const pairs v = pairs_along(x + i * g->lda + 2 * q, g->k - 2 * q);
            memcpy(packed + i * p->pairs + q, &v,
                   (size_t)min(LANES, p->pairs - q) * sizeof(uint32_t));
        }
}

// Up to LANES columns of B, which are rows in memory, by LANES pairs: converted as they lie, then
// transposed.
static void pack_square(const cj__gemm *g, int64_t col, int64_t q, int64_t depth, uint32_t *to)
{
    vec square[LANES];
    for (int64_t j = 0; j < LANES; j++)
        square[j] =
            col + j < g->n ?
                (vec)pairs_along((const real *)g->b + (col + j) * g->ldb + 2 * q, g->k - 2 * q) :
                vec_set(0);
    vec_transpose(square);
    for (int64_t i = 0; i < depth; i++)
        memcpy(to + i * PANEL, &square[i], sizeof square[i]);
}

static void pack_b(const cj__gemm *g, const bf16_plan *p, uint32_t *packed, int64_t task)
{
    const int64_t depths = ceil_div(p->pairs, PACK_PAIRS), panel = task / depths,
                  first = task % depths * PACK_PAIRS;
    const int64_t last = min(first + PACK_PAIRS, p->pairs), end = min((panel + 1) * PANEL, g->n);
    uint32_t *to = packed + panel * p->pairs * PANEL;
    for (int64_t col = panel * PANEL; col < end; col += LANES) {
        uint32_t *column = to + col % PANEL;
        for (int64_t q = first; g->trans_b && q < last; q += LANES)
            pack_square(g, col, q, min(LANES, last - q), column + q * PANEL);
        for (int64_t q = first; !g->trans_b && q < last; q++) {
            const pairs v = interleaved((const real *)g->b + col, g->ldb, 2 * q, g->k, g->n - col);
            memcpy(column + q * PANEL, &v, sizeof v);
        }
    }
}

typedef struct pair_tile {
    // first row and pair of A, first pair of the panel where it is packed, ...
    const uint32_t *a, *b;
    const real *rows;      // ... and else the panel's first row of B, `ldb` before the next
    int64_t ldb, depth;    // and how many rows there are
    int64_t a_row, a_step; // between rows and between pairs of A
    int64_t pairs, cols, ldc;
    real *c;
    const real *bias; // of these columns, where the sum begins with it
    bool adds, relu, to_bf16;
} pair_tile;

#define PAIR_VEC(p, v) \
    ((v) < vecs - 1 ? vec_load((p) + (v)*LANES) : vec_load_part((p) + (v)*LANES, last))

// Pair `p` of the panel. The columns after the last hold what the packing left, or zeros, and are
// not stored.
ALWAYS_INLINE void panel_pairs(const pair_tile *t, int64_t p, const int vecs, vmask last,
                               const bool packed, pairs *w)
{
    const real *one = t->rows + 2 * p * t->ldb, *two = one + t->ldb;
    UNROLL
    for (int v = 0; v < vecs; v++) {
        if (packed)
            memcpy(&w[v], t->b + p * PANEL + v * LANES, sizeof w[v]);
        else if (2 * p + 1 < t->depth)
            w[v] = pairs_of(PAIR_VEC(one, v), PAIR_VEC(two, v));
        else
            w[v] = pairs_of(PAIR_VEC(one, v), vec_set(0));
    }
}

// c[i][j] = start + sum over p of a[i][p] . b[p][j].
ALWAYS_INLINE void pair_tile_body(const pair_tile *t, const int rows, const int vecs,
                                  const bool packed)
{
    const vmask last = mask_first(t->cols - (vecs - 1) * LANES);
    vec sum[PAIR_ROWS][PAIR_VECS];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[i][v] = t->adds ? PAIR_VEC(t->c + i * t->ldc, v) :
                        t->bias ? PAIR_VEC(t->bias, v) :
                                  vec_set(0);
    }
    const uint32_t *a = t->a;
    for (int64_t p = 0; p < t->pairs; p++, a += t->a_step) {
        pairs w[PAIR_VECS];
        panel_pairs(t, p, vecs, last, packed, w);
        UNROLL
        for (int i = 0; i < rows; i++) {
            const pairs x = a[i * t->a_row] + (pairs){0};
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[i][v] = pairs_dot(sum[i][v], x, w[v]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            vec y = t->relu ? vec_max(vec_set(0), sum[i][v]) : sum[i][v];
            y = t->to_bf16 ? vec_round_bf16(y) : y;
            if (v < vecs - 1)
                vec_store(t->c + i * t->ldc + v * LANES, y);
            else
                vec_store_part(t->c + i * t->ldc + v * LANES, y, last);
        }
    }
}

// clang-format off
typedef void pair_code(const pair_tile *t);
#define CODE(form, packed, r, v)                                                                                       \
    static void form##_##r##_##v(const pair_tile *t)                                                                   \
    {                                                                                                                  \
        pair_tile_body(t, r, v, packed);                                                                               \
    }
#define ROW(f, p, r)   CODE(f, p, r, 1) CODE(f, p, r, 2) CODE(f, p, r, 3) CODE(f, p, r, 4)
#define CODES(f, p)    ROW(f, p, 1) ROW(f, p, 2) ROW(f, p, 3) ROW(f, p, 4) ROW(f, p, 5) ROW(f, p, 6)
CODES(pair_tile, true)
CODES(few_tile, false)
#undef CODES
#undef ROW
#undef CODE
#define ROW(f, r)   {NULL, f##_##r##_1, f##_##r##_2, f##_##r##_3, f##_##r##_4}
#define CODES(f)    {{NULL}, ROW(f, 1), ROW(f, 2), ROW(f, 3), ROW(f, 4), ROW(f, 5), ROW(f, 6)}
static pair_code *const pair_codes[PAIR_ROWS + 1][PAIR_VECS + 1] = CODES(pair_tile);
static pair_code *const few_codes[PAIR_ROWS + 1][PAIR_VECS + 1] = CODES(few_tile);
// clang-format on
#undef CODES
#undef ROW

// A task's block of C: rows row0 .. row1 - 1 of panels panel0 .. panel1 - 1.
typedef struct bf16_block {
    const cj__gemm_bf16 *args;
    const bf16_plan *p;
    const uint32_t *packed_a, *packed_b;
    int64_t row0, row1, panel0, panel1;
} bf16_block;

// Pairs `first` .. of the sum for one panel of the block.
static void piece_of_panel(const bf16_block *s, int64_t panel, int64_t first)
{
    const bf16_plan *p = s->p;
    const cj__gemm *g = &s->args->g;
    const int64_t col = panel * PANEL, cols = min(PANEL, g->n - col);
    const bool ends = first + p->piece >= p->pairs, in_registers = ends_in_registers(g);
    pair_tile t = {.a_row = g->trans_a ? 1 : p->pairs,
                   .a_step = g->trans_a ? p->rows_a : 1,
                   .b = s->packed_b + (p->few ? 0 : (panel * p->pairs + first) * PANEL),
                   .rows = p->few ? (const real *)g->b + 2 * first * g->ldb + col : NULL,
                   .ldb = g->ldb,
                   .depth = g->k - 2 * first,
                   .pairs = min(p->piece, p->pairs - first),
                   .cols = cols,
                   .ldc = g->ldc,
                   .bias = g->bias ? (const real *)g->bias + col : NULL,
                   .adds = first > 0,
                   .relu = ends && g->act == CJ__UNARY_relu,
                   .to_bf16 = ends && s->args->to_bf16 && in_registers};
    for (int64_t row = s->row0; row < s->row1; row += PAIR_ROWS) {
        t.a = s->packed_a + row * t.a_row + first * t.a_step;
        t.c = (real *)g->c + row * g->ldc + col;
        (p->few ? few_codes : pair_codes)[min(PAIR_ROWS, s->row1 - row)][ceil_div(cols, LANES)](&t);
    }
    if (ends && !in_registers)
        finish_block(s->args, s->row0, s->row1, col, col + cols);
}

static void block_bf16(bf16_block s, int64_t task)
{
    const bf16_plan *p = s.p;
    const int64_t across = ceil_div(p->panels, p->across);
    s.panel0 = task % across * p->across;
    s.panel1 = min(s.panel0 + p->across, p->panels);
    s.row0 = task / across * p->block;
    s.row1 = min(s.row0 + p->block, s.args->g.m);
    for (int64_t first = 0; first == 0 || first < p->pairs; first += p->piece)
        for (int64_t panel = s.panel0; panel < s.panel1; panel++)
            piece_of_panel(&s, panel, first);
}

static void gemm_bf16_run(const cj__gemm_bf16 *a, void *workspace, int phase, int64_t begin,
                          int64_t end)
{
    const bf16_plan p = plan_of(&a->g);
    uint32_t *packed_a = workspace, *packed_b = packed_a + p.pairs * p.rows_a;
    const int64_t first = p.keeps_b && phase == 0 ? p.a_tasks : 0; // of the tasks of packing
    const bool packs = phase == 0 || (p.keeps_b && phase == 1);
    for (int64_t task = begin + first; task < end + first; task++) {
        if (!packs)
            block_bf16((bf16_block){.args = a, .p = &p, .packed_a = packed_a, .packed_b = packed_b},
                       task);
        else if (task < p.a_tasks)
            pack_a(&a->g, &p, packed_a, task);
        else
            pack_b(&a->g, &p, packed_b, task - p.a_tasks);
    }
}

#endif
