// The tile for rows at equal distances: those of a matrix, and neighbours in a row of pixels.
//
//   c[i * c_row + j] = start + sum over s, p of a[i * a_row + segments[s] + p * a_step] * b[(s *
//     length + p) * b_step + j]
//
// The same sum in the same order as tile.h's, and so the same bits; but rows need no pointers of
// their own, and several rows of pixels, lines, are one call. Where a sum has a few dozen terms,
// pointers cost as much as the sum.
//
// Rows of C may be the first pixels of cells, rows x cols pixels of which only the first is not
// zero. Then a tile zeroes the others of its cells: stores that wait for nothing, beside the
// multiply-adds of tiles before and after it.
#ifndef CJ_KERNELS_BODY_PRODUCT_ROW_TILE_H
#define CJ_KERNELS_BODY_PRODUCT_ROW_TILE_H

#include "kernels/body/product/tile.h"

typedef struct row_cells {
    int64_t rows, cols;       // of a cell
    int64_t last_rows, width; // rows of the last line's cells; pixels of a line
    int64_t count;            // cells of a line; the last one ends where the line ends
    int64_t row, pixel;       // from a row of pixels to the next, and from a pixel
} row_cells;

typedef struct row_tile {
    const real *a, *b;
    real *c;
    const int64_t *segments;
    int64_t segment_count, length;
    int64_t a_row, c_row, a_step, b_step;
    int64_t lines, a_line, c_line; // rows of pixels, and how far they are apart
    int64_t cols;
    tile_start start;
    const real *bias; // of this tile's columns
    bool relu;
    const row_cells *cells; // or NULL
} row_tile;

// Rows that share a pointer: an address has a base and 0, 1, 2 or 3 distances, for which there are
// registers; if there are few rows, there are registers for all.
enum { ROWS_A_POINTER = 4, ROWS_OF_ONE = 6 };

// Keeps the compiler from making a second pointer of a pointer and this distance: its addition
// would take a place of a multiply-add's.
#define AS_IT_IS(distance) __asm__("" : "+r"(distance))

ALWAYS_INLINE void row_tile_start(const row_tile *t, const real *c, const int rows, const int vecs,
                                  const bool whole, const vmask last,
                                  vec sum[TILE_ROWS_MAX][TILE_VECS_MAX])
{
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const vec start = t->start == START_BIAS ? VEC_OF(t->bias, v) : vec_set(0);
        UNROLL
        for (int i = 0; i < rows; i++)
            sum[i][v] = start;
    }
    if (t->start != START_SUM)
        return;
    UNROLL
    for (int i = 0; i < rows; i++, c += t->c_row) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[i][v] = VEC_OF(c, v);
    }
}

// The sums of one tile, in registers once it is inlined.
ALWAYS_INLINE void row_tile_sum(const row_tile *t, const real *a, const int rows, const int vecs,
                                const bool whole, const vmask last,
                                vec sum[TILE_ROWS_MAX][TILE_VECS_MAX])
{
    const int64_t a_row = t->a_row, a_step = t->a_step, b_step = t->b_step;
    int64_t ahead = STEPS_AHEAD * b_step * (int64_t)sizeof(real);
    const int many = rows <= ROWS_OF_ONE ? ROWS_OF_ONE : ROWS_A_POINTER; // rows of a pointer
    const real *b = t->b;
    for (int64_t s = 0; s < t->segment_count; s++) {
        const real *at[TILE_ROWS_MAX / ROWS_A_POINTER];
        UNROLL
        for (int i = 0; i < rows; i += many)
            at[i / many] = a + t->segments[s] + i * a_row;
        for (int64_t p = 0; p < t->length; p++, b += b_step) {
            vec w[TILE_VECS_MAX];
            AS_IT_IS(ahead);
            UNROLL
            for (int v = 0; v < vecs; v++)
                w[v] = VEC_OF(b, v);
            UNROLL
            for (int i = 0; i < rows; i++) {
                const vec x = vec_set(at[i / many][i % many * a_row]);
                UNROLL
                for (int v = 0; v < vecs; v++)
                    sum[i][v] = vec_fma(x, w[v], sum[i][v]);
                UNROLL
                for (int line = i; line * CACHE_LINE < vecs * VEC_BYTES; line += rows)
                    fetch_line(b, ahead + line * CACHE_LINE);
            }
            UNROLL
            for (int i = 0; i < rows; i += many)
                at[i / many] += a_step;
        }
    }
}

static void put_zeros(real *to, int64_t count)
{
    int64_t at = 0;
    for (; at + 4 * LANES <= count; at += 4 * LANES) {
        UNROLL
        for (int i = 0; i < 4; i++)
            vec_store(to + at + i * LANES, vec_set(0));
    }
    for (; at + LANES <= count; at += LANES)
        vec_store(to + at, vec_set(0));
    if (at < count)
        vec_store_part(to + at, vec_set(0), mask_first(count - at));
}

// `cols` zeros in each of `count` pixels that are `step` apart.
static void zero_pixels(real *to, int64_t count, int64_t cols, int64_t step)
{
    if (step == cols) {
        put_zeros(to, count * cols);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        put_zeros(to + i * step, cols);
}

// Zeros in the cells of rows first .. first + rows - 1 of a line, whose sums will be at `c`: there
// too, for one long run of stores takes less time than its gaps. A call, so that it weighs nothing
// where there are no cells.
__attribute__((noinline)) static void zero_cells(const row_tile *t, int64_t line, int64_t first,
                                                 int64_t rows, real *c)
{
    const row_cells *e = t->cells;
    const int64_t high = line + 1 < t->lines ? e->rows : e->last_rows;
    const int64_t wide = first + rows < e->count ? rows * e->cols : e->width - first * e->cols;
    for (int64_t row = 0; row < high; row++)
        zero_pixels(c + row * e->row, wide, t->cols, e->pixel);
}

// Tiles of some lines, one after the other: from row `first` of each.
typedef struct row_part {
    int64_t line0, line1, first, count;
} row_part;

// Tiles of `rows` rows. (The copy of the settings is in registers: it is clear that none of C is
// among them.)
ALWAYS_INLINE void row_tile_body(const row_tile *given, const row_part *part, const int rows,
                                 const int vecs, const bool whole)
{
    const row_tile t = *given;
    const row_part p = *part;
    const vmask last = mask_first(t.cols - (vecs - 1) * LANES);
    for (int64_t line = p.line0; line < p.line1; line++) {
        const real *a = t.a + line * t.a_line + p.first * t.a_row;
        real *c = t.c + line * t.c_line + p.first * t.c_row;
        for (int64_t k = 0; k < p.count; k++, a += rows * t.a_row) {
            vec sum[TILE_ROWS_MAX][TILE_VECS_MAX];
            if (t.cells)
                zero_cells(given, line, p.first + k * rows, rows, c);
            row_tile_start(&t, c, rows, vecs, whole, last, sum);
            row_tile_sum(&t, a, rows, vecs, whole, last, sum);
            if (t.relu) {
                UNROLL
                for (int i = 0; i < rows; i++) {
                    UNROLL
                    for (int v = 0; v < vecs; v++)
                        sum[i][v] = vec_max(vec_set(0), sum[i][v]);
                }
            }
            UNROLL
            for (int i = 0; i < rows; i++, c += t.c_row) {
                UNROLL
                for (int v = 0; v < vecs - 1; v++)
                    vec_store(c + v * LANES, sum[i][v]);
                if (whole)
                    vec_store(c + (vecs - 1) * LANES, sum[i][vecs - 1]);
                else
                    vec_store_part(c + (vecs - 1) * LANES, sum[i][vecs - 1], last);
            }
        }
    }
}

#define TILE(v, r)                                                                \
    static void row_tile_##v##_##r(const row_tile *t, const row_part *part)       \
    {                                                                             \
        row_tile_body(t, part, r, v, false);                                      \
    }                                                                             \
    static void whole_row_tile_##v##_##r(const row_tile *t, const row_part *part) \
    {                                                                             \
        row_tile_body(t, part, r, v, true);                                       \
    }
#define TILES_6(v)  TILE(v, 1) TILE(v, 2) TILE(v, 3) TILE(v, 4) TILE(v, 5) TILE(v, 6)
#define TILES_8(v)  TILES_6(v) TILE(v, 7) TILE(v, 8)
#define TILES_12(v) TILES_8(v) TILE(v, 9) TILE(v, 10) TILE(v, 11) TILE(v, 12)
#define ROW(v, r)   TILES_##r(v)
TILE_SHAPES(ROW)
#undef ROW
#undef TILE

typedef void row_tile_code(const row_tile *t, const row_part *part);
// by `whole`
static row_tile_code *const row_tile_codes[2][TILE_VECS_MAX + 1][TILE_ROWS_MAX + 1] = {
#define TILE(v, r) [r] = row_tile_##v##_##r,
#define ROW(v, r)  [0][v] = {TILES_##r(v)},
    TILE_SHAPES(ROW)
#undef TILE
#undef ROW
#define TILE(v, r) [r] = whole_row_tile_##v##_##r,
#define ROW(v, r)  [1][v] = {TILES_##r(v)},
        TILE_SHAPES(ROW)
#undef TILE
#undef ROW
};
#undef TILES_6
#undef TILES_8
#undef TILES_12

// The same of a tile's operands, but for its rows.
static row_tile row_tile_of(const product_tile *t)
{
    return (row_tile){.b = t->b,
                      .segments = t->segments,
                      .segment_count = t->segment_count,
                      .length = t->length,
                      .a_step = t->a_step,
                      .b_step = t->b_step,
                      .cols = t->cols,
                      .start = t->start,
                      .bias = t->bias,
                      .relu = t->relu};
}

static void row_tile_run(const row_tile *t, int vecs, int64_t rows, const row_part *part)
{
    row_tile_codes[t->cols % LANES == 0][vecs][rows](t, part);
}

enum { LONG_LINE = 4096 }; // bytes of C

// `rows` rows of every line, in tiles as even as can be, those of one size first: of all lines, or,
// where lines are so long that C comes from afar in streams, of one line after the other.
static void row_tiles_run(const row_tile *t, int vecs, int64_t rows)
{
    const int64_t tiles = ceil_div(rows, tile_rows[vecs]), size = rows / tiles, more = rows % tiles;
    const bool is_long = t->c_line * (int64_t)sizeof(real) >= LONG_LINE;
    const int64_t lines = more > 0 && is_long ? 1 : max(t->lines, 1);
    for (int64_t line = 0; line < t->lines; line += lines) {
        if (more > 0)
            row_tile_run(t, vecs, size + 1, &(row_part){line, line + lines, 0, more});
        row_tile_run(t, vecs, size,
                     &(row_part){line, line + lines, more * (size + 1), tiles - more});
    }
}

#endif
