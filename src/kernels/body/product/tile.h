// The tile: the one inner loop of every product and convolution.
//
//   c[i][j] = start + sum over s, p of a[i][segments[s] + p * a_step] * b[(s * length + p) * b_step
//     + j]
//
// for `rows` rows i and `cols` columns j. Rows of A and of C are reached through pointers, and the
// sum runs over segments, so the same loop reads a matrix, a transposed matrix, or the windows of
// an image (no im2col):
//
//   matrix            one segment, a_step 1 (or the row stride of a transposed A)
//   convolution       one segment for each row of the window; a_step 1, for a row of the window is
//                     adjacent in memory
//   gradient of w     one segment for each row of dy; a_step is a pixel
//
// B is read in whole rows, C is kept in registers. A tile is TILE_SHAPES' rows by vectors; every
// smaller number of rows has its own code, so that edges cost what they weigh, and the last vector
// is masked.
#ifndef CJ_KERNELS_BODY_PRODUCT_TILE_H
#define CJ_KERNELS_BODY_PRODUCT_TILE_H

enum { TILE_ROWS_MAX = 12 };

// from 0, the bias, or what C holds
typedef enum tile_start { START_ZERO, START_BIAS, START_SUM } tile_start;

typedef struct product_tile {
    const real *a[TILE_ROWS_MAX];
    real *c[TILE_ROWS_MAX];
    const real *b;
    const int64_t *segments;
    int64_t segment_count, length;
    int64_t a_step, b_step;
    int64_t cols;
    tile_start start;
    const real *bias; // of this tile's columns
    bool relu;        // at the end, unless it is followed by more
} product_tile;

// Vector v of `vecs`, the last of which may be cut. `whole` says that it is not, and is known to
// the compiler: a masked load takes a multiply-add's place on some processors.
#define VEC_OF(p, v) \
    ((v) < vecs - 1 || whole ? vec_load((p) + (v)*LANES) : vec_load_part((p) + (v)*LANES, last))

// The sums of a tile, in registers once it is inlined.
ALWAYS_INLINE void tile_sum(const product_tile *t, const int rows, const int vecs, const bool whole,
                            const vmask last, vec sum[TILE_ROWS_MAX][TILE_VECS_MAX])
{
    const real *b = t->b;
    const bool zero = t->start == START_ZERO;
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[i][v] = zero ? vec_set(0) : VEC_OF(t->start == START_BIAS ? t->bias : t->c[i], v);
    }
    const int64_t a_step = t->a_step, b_step = t->b_step, length = t->length;
    for (int64_t s = 0; s < t->segment_count; s++) {
        const real *a[TILE_ROWS_MAX];
        UNROLL
        for (int i = 0; i < rows; i++)
            a[i] = t->a[i] + t->segments[s];
        for (int64_t p = 0, at = 0; p < length; p++, at += a_step, b += b_step) {
            vec w[TILE_VECS_MAX];
            UNROLL
            for (int v = 0; v < vecs; v++)
                w[v] = VEC_OF(b, v);
            UNROLL
            for (int i = 0; i < rows; i++) {
                const vec x = vec_set(a[i][at]);
                UNROLL
                for (int v = 0; v < vecs; v++)
                    sum[i][v] = vec_fma(x, w[v], sum[i][v]);
            }
        }
    }
}

ALWAYS_INLINE void tile_body(const product_tile *t, const int rows, const int vecs,
                             const bool whole)
{
    const vmask last = mask_first(t->cols - (vecs - 1) * LANES);
    vec sum[TILE_ROWS_MAX][TILE_VECS_MAX];
    tile_sum(t, rows, vecs, whole, last, sum);
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            const vec y = t->relu ? vec_max(vec_set(0), sum[i][v]) : sum[i][v];
            if (v < vecs - 1 || whole)
                vec_store(t->c[i] + v * LANES, y);
            else
                vec_store_part(t->c[i] + v * LANES, y, last);
        }
    }
}

// Code for every number of rows up to 12; those that a width does not reach are never called, and
// never made.
#define TILE(v, r)                                          \
    static void tile_##v##_##r(const product_tile *t)       \
    {                                                       \
        tile_body(t, r, v, false);                          \
    }                                                       \
    static void whole_tile_##v##_##r(const product_tile *t) \
    {                                                       \
        tile_body(t, r, v, true);                           \
    }
#define TILES_6(v)  TILE(v, 1) TILE(v, 2) TILE(v, 3) TILE(v, 4) TILE(v, 5) TILE(v, 6)
#define TILES_8(v)  TILES_6(v) TILE(v, 7) TILE(v, 8)
#define TILES_12(v) TILES_8(v) TILE(v, 9) TILE(v, 10) TILE(v, 11) TILE(v, 12)
#define ROW(v, r)   TILES_##r(v)
TILE_SHAPES(ROW)
#undef ROW
#undef TILE
#undef TILES_6
#undef TILES_8
#undef TILES_12

typedef void tile_code(const product_tile *t);

#define ROWS_6(p, v)  p##_##v##_1, p##_##v##_2, p##_##v##_3, p##_##v##_4, p##_##v##_5, p##_##v##_6
#define ROWS_8(p, v)  ROWS_6(p, v), p##_##v##_7, p##_##v##_8
#define ROWS_12(p, v) ROWS_8(p, v), p##_##v##_9, p##_##v##_10, p##_##v##_11, p##_##v##_12
static tile_code *const tile_codes[2][TILE_VECS_MAX + 1][TILE_ROWS_MAX + 1] = { // by `whole`
#define ROW(v, r) [0][v] = {NULL, ROWS_##r(tile, v)}, [1][v] = {NULL, ROWS_##r(whole_tile, v)},
    TILE_SHAPES(ROW)
#undef ROW
};
#undef ROWS_6
#undef ROWS_8
#undef ROWS_12

static const int tile_rows[TILE_VECS_MAX + 1] = {
#define ROW(v, r) [v] = r,
    TILE_SHAPES(ROW)
#undef ROW
};

// How many vectors wide the next panel is, when `cols` columns are left: the widest, but never a
// lone vector after it (4 + 1 becomes 3 + 2), because a narrow tile does less with each element of
// A.
static int panel_vecs(int64_t cols)
{
    const int64_t left = ceil_div(cols, LANES);
    if (left == TILE_VECS_MAX + 1 && TILE_VECS_MAX > 2)
        return TILE_VECS_MAX - 1;
    return (int)min(left, TILE_VECS_MAX);
}

static void tile_run(const product_tile *t, int vecs, int rows)
{
    tile_codes[t->cols % LANES == 0][vecs][rows](t);
}

#endif
