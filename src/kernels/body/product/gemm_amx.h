// C = act(op(A) op(B) + bias) with A and B rounded to bfloat16, by products of tiles: see
// cj__gemm_bf16.
//
// A tile of A is 16 rows by 16 pairs along the sum, one of B 16 pairs by 16 columns; two of each,
// side by side, give 32 x 32 of C, whose sums stay in four tiles. Multiplying is some eight times
// faster than by float vectors, so what counts is to bring the operands into tiles: each is rounded
// and packed once, tile after tile, where a task that alone reads it will find it in its cache, and
// else in a phase before.
//
//   strip          16 rows of A or 16 columns of B, along the whole sum
//   packed         two strips side by side, tile after tile along the sum, rows of 16 pairs: strip
//                  s, tile d at ((s / 2 * depths + d) * 2 + s % 2) * TILE_WORDS; zeros beyond the
//                  edges
//   along, across  how a strip lies in memory: a row (a column) in order, or its 16 numbers beside
//                  each other. A's tiles want the first, B's the second; the other is turned as it
//                  is packed
#ifndef CJ_KERNELS_BODY_PRODUCT_GEMM_AMX_H
#define CJ_KERNELS_BODY_PRODUCT_GEMM_AMX_H

#include "kernels/body/elementwise/round_vec.h"
#include "kernels/body/product/bf16_product.h"

enum {
    SIDE = 2 * TILE_ROWS, // of a block of four tiles
    PACK_STRIPS = 4,      // of a task of packing
    PACK_DEPTHS = 16,
    LATE_DEPTHS = 8,   // of a piece of B that is packed as it is multiplied
    PIECE_DEPTHS = 64, // of a piece of the sum: the operands of a task stay in the second cache
    TASK_STRIPS = 16,  // of A and of B, at most
    WISHED_TASKS = 16,
    ONE_TASK = 1024 * 1024 // multiply-adds up to which one task is enough
};

typedef struct amx_plan {
    int64_t depths; // tiles along the sum
    int64_t strips_a, strips_b;
    int64_t rows, cols;       // strips of a task
    int64_t down, across;     // tasks
    bool own_a, own_b;        // each task packs its strips
    bool packs_late;          // packs B as it is multiplied: only two strips of A read it
    int64_t a_tasks, b_tasks; // else there are tasks of packing
} amx_plan;

// About WISHED_TASKS blocks, of whole pairs of strips: rows or columns are cut, or both where both
// are many.
static amx_plan plan_of(const cj__gemm *g)
{
    amx_plan p = {.depths = ceil_div(g->k, 2 * LANES),
                  .strips_a = ceil_div(g->m, TILE_ROWS),
                  .strips_b = ceil_div(g->n, TILE_ROWS)};
    const bool one = (double)g->m * (double)g->n * (double)g->k <= ONE_TASK;
    const bool both = p.strips_a > TASK_STRIPS && p.strips_b > TASK_STRIPS;
    const int64_t wished = one ? 1 : both ? 4 : WISHED_TASKS, most = one ? INT64_MAX : TASK_STRIPS;
    p.rows = min(
        both || p.strips_a > p.strips_b ? ceil_div(p.strips_a, 2 * wished) * 2 : p.strips_a, most);
    p.cols = min(
        both || p.strips_a <= p.strips_b ? ceil_div(p.strips_b, 2 * wished) * 2 : p.strips_b, most);
    p.down = p.rows > 0 ? ceil_div(p.strips_a, p.rows) : 0;
    p.across = p.cols > 0 ? ceil_div(p.strips_b, p.cols) : 0;
    p.own_a = p.across == 1, p.own_b = p.down == 1;
    p.packs_late = p.own_b && p.strips_a <= 2;
    p.a_tasks = p.own_a ? 0 : ceil_div(p.strips_a, PACK_STRIPS) * ceil_div(p.depths, PACK_DEPTHS);
    p.b_tasks = p.own_b ? 0 : ceil_div(p.strips_b, PACK_STRIPS) * ceil_div(p.depths, PACK_DEPTHS);
    return p;
}

static void gemm_bf16_job(const cj__gemm_bf16 *a, cj__job *job)
{
    const amx_plan p = plan_of(&a->g);
    const int64_t packs = p.a_tasks + p.b_tasks, tasks = p.down * p.across;
    *job = (cj__job){.phases = 1, .tasks = {tasks}};
    if (packs > 0)
        *job = (cj__job){.phases = 2, .tasks = {packs, tasks}};
    job->workspace =
        (size_t)((ceil_div(p.strips_a, 2) + (p.packs_late ? 0 : ceil_div(p.strips_b, 2))) * 2 *
                 p.depths * TILE_WORDS) *
        sizeof(uint32_t);
}

// An operand: `count` rows or columns of `length` numbers to be summed.
typedef struct operand {
    const real *x;
    int64_t ld, count, length;
    bool along, turns;
    int64_t depths;
    uint32_t *packed;
} operand;

static operand operand_a(const cj__gemm *g, const amx_plan *p, uint32_t *workspace)
{
    return (operand){g->a, g->lda, g->m, g->k, !g->trans_a, g->trans_a, p->depths, workspace};
}

static operand operand_b(const cj__gemm *g, const amx_plan *p, uint32_t *workspace)
{
    uint32_t *packed = workspace + ceil_div(p->strips_a, 2) * 2 * p->depths * TILE_WORDS;
    return (operand){g->b, g->ldb, g->n, g->k, g->trans_b, g->trans_b, p->depths, packed};
}

// Row r of the tile of rows (columns) from `first` on and numbers from `place` on, before it is
// turned.
ALWAYS_INLINE vec packed_row(const operand *o, int64_t first, int64_t place, int64_t r,
                             const bool along, const bool whole)
{
    const int64_t length = whole ? 2 * LANES : o->length - place,
                  count = whole ? LANES : o->count - first;
    if (along && r < count)
        return (vec)pairs_along(o->x + (first + r) * o->ld + place, length);
    if (!along && 2 * r < length)
        return (vec)interleaved(o->x + place * o->ld + first, o->ld, 2 * r, length, count);
    return vec_set(0);
}

ALWAYS_INLINE void pack_tile(const operand *o, int64_t first, int64_t place, const bool along,
                             const bool turns, const bool whole, uint32_t *to)
{
    vec tile[LANES];
    UNROLL
    for (int64_t r = 0; r < LANES; r++)
        tile[r] = packed_row(o, first, place, r, along, whole);
    if (turns)
        vec_transpose(tile);
    UNROLL
    for (int64_t r = 0; r < LANES; r++)
        vec_store((real *)to + r * LANES, tile[r]);
}

// The tile of a strip and a depth; apart, so that whole tiles have no questions to ask.
ALWAYS_INLINE void pack_at(const operand *o, int64_t strip, int64_t depth, const bool along,
                           const bool turns)
{
    const int64_t first = strip * LANES, place = depth * 2 * LANES;
    uint32_t *to = o->packed + ((strip / 2 * o->depths + depth) * 2 + strip % 2) * TILE_WORDS;
    if (first + LANES <= o->count && place + 2 * LANES <= o->length)
        pack_tile(o, first, place, along, turns, true, to);
    else
        pack_tile(o, first, place, along, turns, false, to);
}

// Tiles of strips strip[0] .. strip[1] - 1 and depths depth[0] .. depth[1] - 1, in the order in
// which they lie in memory.
ALWAYS_INLINE void pack_tiles(const operand *o, const int64_t strip[2], const int64_t depth[2],
                              const bool along, const bool turns)
{
    if (along) {
        for (int64_t s = strip[0]; s < strip[1]; s++)
            for (int64_t d = depth[0]; d < depth[1]; d++)
                pack_at(o, s, d, along, turns);
    } else {
        for (int64_t d = depth[0]; d < depth[1]; d++)
            for (int64_t s = strip[0]; s < strip[1]; s++)
                pack_at(o, s, d, along, turns);
    }
}

static void pack(const operand *o, int64_t strip0, int64_t strip1, int64_t depth0, int64_t depth1)
{
    const int64_t strip[] = {strip0, strip1}, depth[] = {depth0, depth1};
    if (o->along && o->turns)
        pack_tiles(o, strip, depth, true, true);
    else if (o->along)
        pack_tiles(o, strip, depth, true, false);
    else if (o->turns)
        pack_tiles(o, strip, depth, false, true);
    else
        pack_tiles(o, strip, depth, false, false);
}

// What begins with a strip and a depth, to be packed apart: two strips of LATE_DEPTHS.
static operand part_of(const operand *o, int64_t strip, int64_t depth, uint32_t *packed)
{
    const int64_t first = strip * TILE_ROWS, place = depth * 2 * LANES;
    operand part = *o;
    part.x += o->along ? first * o->ld + place : place * o->ld + first;
    part.count -= first, part.length -= place;
    part.depths = LATE_DEPTHS, part.packed = packed;
    return part;
}

static void pack_task(const operand *o, int64_t task)
{
    const int64_t across = ceil_div(o->depths, PACK_DEPTHS), strip = task / across * PACK_STRIPS;
    const int64_t depth = task % across * PACK_DEPTHS;
    pack(o, strip, min(strip + PACK_STRIPS, ceil_div(o->count, TILE_ROWS)), depth,
         min(depth + PACK_DEPTHS, o->depths));
}

// Four tiles of C, or those of them that there are.
typedef struct tile_block {
    const uint32_t *a, *b;
    int64_t depths; // tiles of this piece of the sum
    real *sums;     // begin with what is there if `adds`, else with 0
    int64_t ld;
    bool adds;
} tile_block;

ALWAYS_INLINE void multiply_tiles(const tile_block *t, const bool two_rows, const bool two_cols)
{
    const int64_t step = t->ld * (int64_t)sizeof(real);
    enum { ROW = TILE_ROWS * sizeof(uint32_t) };
    real *const below = t->sums + TILE_ROWS * t->ld;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    if (t->adds) {
        TILE_LOAD(0, t->sums, step);
        if (two_cols)
            TILE_LOAD(1, t->sums + TILE_ROWS, step);
        if (two_rows)
            TILE_LOAD(2, below, step);
        if (two_rows && two_cols)
            TILE_LOAD(3, below + TILE_ROWS, step);
    }
    const uint32_t *a = t->a, *b = t->b;
    for (int64_t d = 0; d < t->depths; d++, a += 2 * TILE_WORDS, b += 2 * TILE_WORDS) {
        TILE_LOAD(4, a, ROW);
        TILE_LOAD(6, b, ROW);
        TILE_DOT(0, 4, 6);
        if (two_cols) {
            TILE_LOAD(7, b + TILE_WORDS, ROW);
            TILE_DOT(1, 4, 7);
        }
        if (two_rows) {
            TILE_LOAD(5, a + TILE_WORDS, ROW);
            TILE_DOT(2, 5, 6);
        }
        if (two_rows && two_cols)
            TILE_DOT(3, 5, 7);
    }
    TILE_STORE(0, t->sums, step);
    if (two_cols)
        TILE_STORE(1, t->sums + TILE_ROWS, step);
    if (two_rows)
        TILE_STORE(2, below, step);
    if (two_rows && two_cols)
        TILE_STORE(3, below + TILE_ROWS, step);
}

// A task's part of C: strips row0 .. row1 - 1 of A, col0 .. col1 - 1 of B, and a piece of the sum.
typedef struct amx_block {
    const cj__gemm_bf16 *args;
    operand a, b;
    bool own_a, own_b, packs_late;
    int64_t row0, row1, col0, col1, first, last;
} amx_block;

// Up to 32 columns from c to its place, or back; the last of its vectors is `part`.
ALWAYS_INLINE void copy_rows(const real *from, int64_t ld_from, real *to, int64_t ld_to,
                             int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j += LANES) {
            const vmask part = mask_first(min(LANES, cols - j));
            vec_store_part(to + i * ld_to + j, vec_load_part(from + i * ld_from + j, part), part);
        }
}

// y = act(sums + bias), rounded if so wished, of a block of up to 32 x 32.
static void end_block(const cj__gemm_bf16 *args, const real *sums, int64_t row, int64_t col)
{
    const cj__gemm *g = &args->g;
    const bool relu = g->act == CJ__UNARY_relu, to_bf16 = args->to_bf16 && ends_in_registers(g);
    for (int64_t j = 0; j < SIDE && col + j < g->n; j += LANES) {
        const vmask part = mask_first(min(LANES, g->n - col - j));
        const vec bias =
            g->bias ? vec_load_part((const real *)g->bias + col + j, part) : vec_set(0);
        real *c = (real *)g->c + row * g->ldc + col + j;
        for (int64_t i = 0; i < SIDE && row + i < g->m; i++, c += g->ldc) {
            vec y = vec_load(sums + i * SIDE + j) + bias;
            y = relu ? vec_max(vec_set(0), y) : y;
            vec_store_part(c, to_bf16 ? vec_round_bf16(y) : y, part);
        }
    }
}

static void multiply(const tile_block *t, bool two_rows, bool two_cols)
{
    if (two_rows && two_cols)
        multiply_tiles(t, true, true);
    else if (two_rows)
        multiply_tiles(t, true, false);
    else if (two_cols)
        multiply_tiles(t, false, true);
    else
        multiply_tiles(t, false, false);
}

// The two strips of B are packed some tiles at a time, which the first-level cache still holds when
// they are multiplied.
static void multiply_late(const amx_block *s, const tile_block *all, int64_t col_strip,
                          bool two_rows, bool two_cols)
{
    _Alignas(64) uint32_t packed[2 * LATE_DEPTHS * TILE_WORDS];
    for (int64_t d = 0; d == 0 || d < all->depths; d += LATE_DEPTHS) {
        const operand b = part_of(&s->b, col_strip, s->first + d, packed);
        const tile_block t = {.a = all->a + 2 * d * TILE_WORDS,
                              .b = packed,
                              .depths = min(LATE_DEPTHS, all->depths - d),
                              .sums = all->sums,
                              .ld = all->ld,
                              .adds = all->adds || d > 0};
        pack(&b, 0, two_cols ? 2 : 1, 0, t.depths);
        multiply(&t, two_rows, two_cols);
    }
}

static void square_of_c(const amx_block *s, int64_t row_strip, int64_t col_strip)
{
    _Alignas(64) real sums[SIDE * SIDE];
    const cj__gemm *g = &s->args->g;
    const int64_t row = row_strip * TILE_ROWS, col = col_strip * TILE_ROWS, depths = s->a.depths;
    const int64_t rows = min(SIDE, g->m - row), cols = min(SIDE, g->n - col);
    const bool ends = s->last == depths, two_rows = rows > TILE_ROWS, two_cols = cols > TILE_ROWS;
    const bool plain = !ends || (!g->bias && g->act != CJ__UNARY_relu &&
                                 !(s->args->to_bf16 && ends_in_registers(g)));
    const bool direct = plain && rows % TILE_ROWS == 0 && cols % TILE_ROWS == 0;
    real *c = (real *)g->c + row * g->ldc + col;
    const tile_block t = {.a = s->a.packed + (row_strip * depths + 2 * s->first) * TILE_WORDS,
                          .b = s->b.packed + (col_strip * depths + 2 * s->first) * TILE_WORDS,
                          .depths = s->last - s->first,
                          .sums = direct ? c : sums,
                          .ld = direct ? g->ldc : SIDE,
                          .adds = s->first > 0};
    if (t.adds && !direct)
        copy_rows(c, g->ldc, sums, SIDE, rows, cols);
    if (s->packs_late)
        multiply_late(s, &t, col_strip, two_rows, two_cols);
    else
        multiply(&t, two_rows, two_cols);
    if (!direct && ends)
        end_block(s->args, sums, row, col);
    else if (!direct)
        copy_rows(sums, SIDE, c, g->ldc, rows, cols);
}

// Rows outside: C is written along its rows.
static void piece_of_block(const amx_block *s)
{
    if (s->own_a)
        pack(&s->a, s->row0, s->row1, s->first, s->last);
    if (s->own_b && !s->packs_late)
        pack(&s->b, s->col0, s->col1, s->first, s->last);
    for (int64_t row = s->row0; row < s->row1; row += 2)
        for (int64_t col = s->col0; col < s->col1; col += 2)
            square_of_c(s, row, col);
}

static void block_task(amx_block *s, const amx_plan *p, int64_t task)
{
    const cj__gemm *g = &s->args->g;
    s->row0 = task / p->across * p->rows;
    s->row1 = min(s->row0 + p->rows, p->strips_a);
    s->col0 = task % p->across * p->cols;
    s->col1 = min(s->col0 + p->cols, p->strips_b);
    for (s->first = 0; s->first == 0 || s->first < p->depths; s->first += PIECE_DEPTHS) {
        s->last = min(s->first + PIECE_DEPTHS, p->depths);
        piece_of_block(s);
    }
    if (!ends_in_registers(g))
        finish_block(s->args, s->row0 * TILE_ROWS, min(s->row1 * TILE_ROWS, g->m),
                     s->col0 * TILE_ROWS, min(s->col1 * TILE_ROWS, g->n));
}

static void gemm_bf16_run(const cj__gemm_bf16 *args, void *workspace, int phase, int64_t begin,
                          int64_t end)
{
    const amx_plan p = plan_of(&args->g);
    amx_block s = {.args = args,
                   .a = operand_a(&args->g, &p, workspace),
                   .b = operand_b(&args->g, &p, workspace),
                   .own_a = p.own_a,
                   .own_b = p.own_b,
                   .packs_late = p.packs_late};
    if (p.a_tasks + p.b_tasks > 0 && phase == 0) {
        for (int64_t task = begin; task < end; task++)
            pack_task(task < p.a_tasks ? &s.a : &s.b, task < p.a_tasks ? task : task - p.a_tasks);
        return;
    }
    tiles_begin();
    for (int64_t task = begin; task < end; task++)
        block_task(&s, &p, task);
    tiles_end();
}

#endif
