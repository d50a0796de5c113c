// The tile for rows at equal distances: neighbours in a row of pixels, whose sums are short.
//
//   c[i * c_row + j] = start + sum over s, p of a[i * a_row + segments[s] + p] * b[(s * length + p) * b_step + j]
//
// The same sum in the same order as tile.h's with a_step 1, and so the same bits; but rows need no pointers of their own,
// and a row of pixels is one call. Where a sum has a few dozen terms, pointers cost as much as the sum.
typedef struct row_tile {
    const real *a, *b;
    real *c;
    const int64_t *segments;
    int64_t segment_count, length;
    int64_t a_row, c_row, b_step;
    int64_t cols;
    tile_start start;
    const real *bias; // of this tile's columns
    bool relu;
} row_tile;

// `count` tiles of `rows` rows, one behind the other.
ALWAYS_INLINE void row_tile_body(const row_tile *t, const int rows, const int vecs, int64_t count)
{
    const vmask last = mask_first(t->cols - (vecs - 1) * LANES);
    const int64_t a_row = t->a_row, b_step = t->b_step, c_row = t->c_row, segments = t->segment_count, length = t->length;
    const tile_start begins = t->start;
    const bool relu = t->relu;
    const real *a = t->a;
    real *c = t->c;
    for (int64_t k = 0; k < count; k++, a += rows * a_row, c += rows * c_row) {
        vec sum[TILE_ROWS_MAX][TILE_VECS_MAX];
        if (begins == START_SUM) {
            UNROLL
            for (int i = 0; i < rows; i++)
                UNROLL
                for (int v = 0; v < vecs; v++)
                    sum[i][v] = VEC_OF(c + i * c_row, v);
        } else {
            UNROLL
            for (int v = 0; v < vecs; v++) {
                const vec start = begins == START_BIAS ? VEC_OF(t->bias, v) : vec_set(0);
                UNROLL
                for (int i = 0; i < rows; i++)
                    sum[i][v] = start;
            }
        }
        const real *b = t->b;
        for (int64_t s = 0; s < segments; s++) {
            const real *at = a + t->segments[s], *const end = at + length;
            for (; at < end; at++, b += b_step) {
                vec w[TILE_VECS_MAX];
                UNROLL
                for (int v = 0; v < vecs; v++)
                    w[v] = VEC_OF(b, v);
                UNROLL
                for (int i = 0; i < rows; i++) {
                    const vec x = vec_set(at[i * a_row]);
                    UNROLL
                    for (int v = 0; v < vecs; v++)
                        sum[i][v] = vec_fma(x, w[v], sum[i][v]);
                }
            }
        }
        UNROLL
        for (int i = 0; i < rows; i++) {
            UNROLL
            for (int v = 0; v < vecs; v++) {
                const vec y = relu ? vec_max(vec_set(0), sum[i][v]) : sum[i][v];
                if (v < vecs - 1)
                    vec_store(c + i * c_row + v * LANES, y);
                else
                    vec_store_part(c + i * c_row + v * LANES, y, last);
            }
        }
    }
}

#define TILE(v, r)                                                                                                     \
    static void row_tile_##v##_##r(const row_tile *t, int64_t count)                                                   \
    {                                                                                                                  \
        row_tile_body(t, r, v, count);                                                                                 \
    }
#define TILES_6(v) TILE(v, 1) TILE(v, 2) TILE(v, 3) TILE(v, 4) TILE(v, 5) TILE(v, 6)
#define TILES_8(v) TILES_6(v) TILE(v, 7) TILE(v, 8)
#define TILES_12(v) TILES_8(v) TILE(v, 9) TILE(v, 10) TILE(v, 11) TILE(v, 12)
#define ROW(v, r) TILES_##r(v)
TILE_SHAPES(ROW)
#undef ROW
#undef TILE

typedef void row_tile_code(const row_tile *t, int64_t count);
#define TILE(v, r) [r] = row_tile_##v##_##r,
static row_tile_code *const row_tile_codes[TILE_VECS_MAX + 1][TILE_ROWS_MAX + 1] = {
#define ROW(v, r) [v] = {TILES_##r(v)},
    TILE_SHAPES(ROW)
#undef ROW
};
#undef TILE
#undef TILES_6
#undef TILES_8
#undef TILES_12

// `rows` rows, in tiles as even as can be.
static void row_tiles_run(row_tile *t, int vecs, int64_t rows)
{
    const int64_t tiles = pieces_of(rows, tile_rows[vecs]), size = rows / tiles, more = rows % tiles;
    if (more > 0) {
        row_tile_codes[vecs][size + 1](t, more);
        t->a += more * (size + 1) * t->a_row;
        t->c += more * (size + 1) * t->c_row;
    }
    row_tile_codes[vecs][size](t, tiles - more);
}
