// Distances between a panel of queries and rows: see kernels/distances.h.
//
// Queries are lanes. A panel is cut into *parts* of up to TILE_VECS_MAX vectors of queries; within
// a part lies group after group, a *group* being what one lane takes of a row in one step: 4 or 2
// bytes of a product, 8 of a sum of absolute differences, one float. A tile holds a part against
// some rows: each step loads the part's vectors once and broadcasts one group of each row to all
// lanes, so rows are read where they lie, nothing is summed across lanes, and one query costs a
// vector, not a panel. The tile is in distance_tile.h, which is included once for each kind of
// distance.
//
// Squares of differences of bytes are products: with q' = q - 128 and x' = x - 128,
//   sum (q - x)^2 = sum x'^2 + (sum q'^2 + 256 sum q') - 2 sum x q'
// because x = x' + 128. The first sum is the row's `centred`, the second lies at the head of the
// panel, and the third has an unsigned and a signed factor, as the byte product wants.
#ifndef CJ_KERNELS_BODY_DISTANCE_DISTANCES_H
#define CJ_KERNELS_BODY_DISTANCE_DISTANCES_H

#include "kernels/distances.h"

enum {
    BYTE_PIECE = 16384, // bytes of a row in one piece: a sum is at most 16384 * 255 * 128 < 2^31
    // the same where rows are widened into a buffer, which is to stay in the first cache
    WIDENED_PIECE = 1024,
    ROWS_MAX = 12,
};

// A tile's rows: their groups, where their sums go, and how many are meant; the others repeat the
// last.
typedef struct held_rows {
    const char *x[ROWS_MAX];
    double *d[ROWS_MAX];
    int64_t groups;
    int count;
} held_rows;

static const int rows_of_width[TILE_VECS_MAX + 1] = {
#define ROW(v, r) [v] = r,
    TILE_SHAPES(ROW)
#undef ROW
};

// Vectors of the part that begins at query `first`.
ALWAYS_INLINE int part_vecs(int64_t count, int64_t first, int wide)
{
    return (int)min(ceil_div(count - first, wide), TILE_VECS_MAX);
}

// Groups, as lanes hold them; what a row or a query lacks at its end counts nothing.
// ------------------------------------

// Two 16-bit numbers of one lane, in the order of memory, as a widened row has them.
ALWAYS_INLINE int32_t dot_pair(int first, int second)
{
    const int16_t pair[2] = {(int16_t)first, (int16_t)second};
    int32_t group;
    memcpy(&group, pair, sizeof group);
    return group;
}

// `count` unsigned bytes of a row.
ALWAYS_INLINE int32_t dot_row(const uint8_t *x, int64_t count)
{
#if DOT_GROUP == 4
    int32_t group = 0;
    memcpy(&group, x, (size_t)count);
    return group;
#else
    return dot_pair(x[0], count > 1 ? x[1] : 0);
#endif
}

// `count` signed bytes q - 128 of a query.
ALWAYS_INLINE int32_t dot_query(const uint8_t *q, int64_t count)
{
#if DOT_GROUP == 4
    return dot_row(q, count) ^ (int32_t)0x80808080;
#else
    return dot_pair(q[0] - 128, count > 1 ? q[1] - 128 : 0);
#endif
}

ALWAYS_INLINE int64_t bytes_group(const uint8_t *x, int64_t count)
{
    int64_t group = 0;
    memcpy(&group, x, (size_t)count);
    return group;
}

ALWAYS_INLINE float float_group(const float *x, int64_t count)
{
    (void)count;
    return x[0];
}

ALWAYS_INLINE vec square_step(vec sum, vec x, vec q)
{
    return vec_fma(x - q, x - q, sum);
}

ALWAYS_INLINE vec absolute_step(vec sum, vec x, vec q)
{
    return sum + vec_abs(x - q);
}

// The sum of a piece as a double; integers are below 2^31.
#define OF_INTEGER(sum) ((double)(int32_t)(sum))
#define OF_FLOAT(sum)   ((double)(sum))

#define NAME(word)  word##_u8_l2
#define ELEMENT     uint8_t
#define LANE        int32_t
#define VECTOR      ivec
#define BROADCAST   ivec_set
#define STEP        ivec_dot
#define GROUP       DOT_GROUP
#define WIDENED     (DOT_GROUP == 2)
#define PIECE       (WIDENED ? WIDENED_PIECE : BYTE_PIECE)
#define ROW_GROUP   dot_row
#define QUERY_GROUP dot_query
#define AS_DOUBLE   OF_INTEGER
#define CENTRED     1
#include "kernels/body/distance/distance_tile.h"

#define NAME(word)  word##_u8_l1
#define ELEMENT     uint8_t
#define LANE        int64_t
#define VECTOR      lvec
#define BROADCAST   lvec_set
#define STEP        lvec_absdiff
#define GROUP       8
#define WIDENED     0
#define PIECE       BYTE_PIECE
#define ROW_GROUP   bytes_group
#define QUERY_GROUP bytes_group
#define AS_DOUBLE   OF_INTEGER
#define CENTRED     0
#include "kernels/body/distance/distance_tile.h"

#define NAME(word)  word##_f32_l2
#define ELEMENT     float
#define LANE        float
#define VECTOR      vec
#define BROADCAST   vec_set
#define STEP        square_step
#define GROUP       1
#define WIDENED     0
#define PIECE       CJ__FLOAT_PIECE
#define ROW_GROUP   float_group
#define QUERY_GROUP float_group
#define AS_DOUBLE   OF_FLOAT
#define CENTRED     0
#include "kernels/body/distance/distance_tile.h"

#define NAME(word)  word##_f32_l1
#define ELEMENT     float
#define LANE        float
#define VECTOR      vec
#define BROADCAST   vec_set
#define STEP        absolute_step
#define GROUP       1
#define WIDENED     0
#define PIECE       CJ__FLOAT_PIECE
#define ROW_GROUP   float_group
#define QUERY_GROUP float_group
#define AS_DOUBLE   OF_FLOAT
#define CENTRED     0
#include "kernels/body/distance/distance_tile.h"

static void centre(int64_t rows, int64_t width, const uint8_t *x, int64_t *centred)
{
    for (int64_t j = 0; j < rows; j++) {
        centred[j] = 0;
        for (int64_t first = 0; first < width; first += BYTE_PIECE) {
            const uint8_t *bytes = x + j * width + first;
            const int length = (int)min(BYTE_PIECE, width - first);
            int32_t sum = 0;
            for (int p = 0; p < length; p++)
                sum += (bytes[p] - 128) * (bytes[p] - 128);
            centred[j] += sum;
        }
    }
}

// Comparisons of doubles as 64-bit lanes of 0 and -1.
static void any_below(int64_t rows, const double *d, const double *threshold, uint8_t *any)
{
    typedef double doubles __attribute__((vector_size(VEC_BYTES)));
    enum { WIDE = VEC_BYTES / sizeof(double) };
    for (int64_t j = 0; j < rows; j++, d += CJ__PANEL) {
        lvec reached = lvec_set(-1);
        for (int i = 0; i < CJ__PANEL; i += WIDE) {
            doubles a, b;
            memcpy(&a, d + i, sizeof a);
            memcpy(&b, threshold + i, sizeof b);
            reached &= a >= b;
        }
        int64_t lanes[WIDE], all = -1;
        memcpy(lanes, &reached, sizeof lanes);
        for (int l = 0; l < WIDE; l++)
            all &= lanes[l];
        any[j] = all == 0;
    }
}

#define TABLE(name)                                                                              \
    {                                                                                            \
        .isa = name, .of = {CJ__DISTANCES(TABLE_ROW)}, .centre = centre, .any_below = any_below, \
    }
#define TABLE_ROW(name, element) \
    [CJ__DISTANCE_##name] = {panel_size_##name, pack_##name, run_##name},

#endif
