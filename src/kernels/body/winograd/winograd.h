// Winograd's form of a convolution, F(side x side, 3 x 3) with tiles of side 2 or 4: Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308, section 4). It
// serves windows of 3 x 3 with stride, dilation and groups of 1.
//
// The output is cut into tiles of side x side, each of which sees a patch d of side + 2 by side + 2
// of the input. With the matrices of winograd_transforms.h a tile is
//
//   y = A^T [sum over c of (G w G^T) * (B^T d B)] A
//
// where * is element by element: 16 products for 4 outputs, or 36 for 16, instead of 9 for each.
// For each of the positions of a patch the sum over channels is a product of matrices,
//
//   M[position][tile][f] = sum over c of V[position][tile][c] U[position][c][f]
//
// and so are both gradients, which are this formula's transposes: with D = A dy A^T of each tile,
//
//   by the input     dx patch += B [sum over f of D[position][tile][f] U[position][c][f]] B^T
//   by the filters   dw = G^T [sum over tiles of V[position][tile][c] D[position][tile][f]] G
//
// They walk over the tiles of y, as forward does: outputs that are not wanted cost no gradient
// either.
//
// Lanes are channels throughout. A task takes a chunk of tiles: V and M of a chunk lie in the
// thread's scratch, small enough for its cache. U is made once a call, in panels in which the
// product streams.
//
// Rounding: a sum of transformed numbers cancels, so results differ from the direct form's in the
// last digits (bound in tests/kernels/winograd.c). A NaN or infinity reaches all outputs of the
// tiles whose patches hold it: at most side - 1 rows and columns farther than the direct form's.
#ifndef CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_H
#define CJ_KERNELS_BODY_WINOGRAD_WINOGRAD_H

#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/tile.h"
#include "kernels/body/winograd/winograd_transforms.h"

enum {
    WINOGRAD_TASKS = 8, // wanted, where the shape gives them
    // both operands of a chunk's products: a quarter of a usual second-level cache
    CHUNK_BYTES = 1 << 18,
    // tiles: a multiple of the rows of every tile of a product, and the least
    CHUNK_STEP = 24,
    // columns of M at a time
    OUTPUT_COLS = PANEL_COLS > 64 ? PANEL_COLS : PANEL_COLS *(64 / PANEL_COLS)
};

// A convolution in the terms of this form.
typedef struct winograd {
    cj__conv2d s;
    int side, patch, positions; // of a tile, of its patch, and the patch's area
    int64_t high, wide;         // tiles of an image
    int64_t tiles;              // of all images
    int64_t c_pad, f_pad;       // channels and filters in whole vectors
} winograd;

static int64_t in_vectors(int64_t reals)
{
    return ceil_div(reals, LANES) * LANES;
}

// Whether the arguments ask for this form and their geometry has it.
static bool winograd_serves(const cj__conv2d_args *a, cj__conv2d_kind kind)
{
    const cj__conv2d *s = &a->s;
    const bool pools = a->pool_h > 1 || a->pool_w > 1;
    return (a->winograd == 2 || a->winograd == 4) && s->kh == 3 && s->kw == 3 && s->sh == 1 &&
           s->sw == 1 && s->dh == 1 && s->dw == 1 && s->groups == 1 && s->n > 0 && s->h > 0 &&
           s->w > 0 && s->c > 0 && s->f > 0 && s->oh > 0 && s->ow > 0 &&
           (kind != CJ__CONV2D_FORWARD || !pools || (a->pool_h == 2 && a->pool_w == 2));
}

// Tiles of 4 x 4 instead of 2 x 2, measured with 16 lanes only: they must save a quarter of the
// products in spite of what juts out of the image, and U, more than twice as large, takes more
// tiles to repay.
static bool four_pays(const cj__conv2d *s)
{
    const int64_t two = ceil_div(s->oh, 2) * ceil_div(s->ow, 2),
                  four = ceil_div(s->oh, 4) * ceil_div(s->ow, 4);
    return LANES == 16 && 4 * 36 * four <= 3 * 16 * two && s->n * four >= 32;
}

// Measured (docs/kernels.md): tiles of 4 x 4 are worth idle lanes, of 12 filters in 16, for in blocks
// the same takes a quarter more; with few channels or filters the transforms cost more than they save,
// with tiles of 4 x 4 later than with those of 2 x 2; a tile that juts out of the image is paid
// whole; few tiles do not repay the transform of the filters; by the input, the direct form skips
// the padding, which is most of an image of one tile. Double uses the direct form only: accuracy
// matters more than speed there.
static bool two_pays(const cj__conv2d_args *a, cj__conv2d_kind kind)
{
    cj__conv2d_args asked = *a;
    asked.winograd = 2;
    if (sizeof(real) != sizeof(float) || !winograd_serves(&asked, kind))
        return false;
    const cj__conv2d *s = &a->s;
    // with 8 lanes the direct form is near its peak sooner
    const int64_t few = LANES == 8 ? 1024 : 512;
    const int64_t least_product = kind == CJ__CONV2D_FILTER_GRAD || four_pays(s) ? 256 :
                                  kind == CJ__CONV2D_FORWARD                     ? few :
                                                                                   512;
    const int64_t area = ceil_div(s->oh, 2) * ceil_div(s->ow, 2), narrow = four_pays(s) ? 12 : 16;
    return s->c >= narrow && s->f >= narrow && s->c * s->f >= least_product &&
           3 * s->oh * s->ow >= 2 * 4 * area && s->n * area >= 16 &&
           (kind != CJ__CONV2D_INPUT_GRAD || area > 1);
}

static bool winograd_pays(const cj__conv2d_args *a, cj__conv2d_kind kind, int side)
{
    return (side == 2 || side == 4) && two_pays(a, kind) && (side == 2 || four_pays(&a->s));
}

static winograd winograd_of(const cj__conv2d_args *a)
{
    winograd g = {.s = a->s, .side = a->winograd, .patch = a->winograd + 2};
    g.positions = g.patch * g.patch;
    g.high = ceil_div(a->s.oh, g.side);
    g.wide = ceil_div(a->s.ow, g.side);
    g.tiles = g.s.n * g.high * g.wide;
    g.c_pad = in_vectors(g.s.c);
    g.f_pad = in_vectors(g.s.f);
    return g;
}

// Tiles of a chunk whose operands fit the cache: `width` reals a tile and position.
static int64_t chunk_that_fits(const winograd *g, int64_t width)
{
    const int64_t fits = CHUNK_BYTES / (g->positions * width * (int64_t)sizeof(real));
    return max(fits / CHUNK_STEP, 1) * CHUNK_STEP;
}

// Tiles of a chunk: `most`, or, where there are few, about that so that chunks are equal.
static int64_t chunk_of(int64_t tiles, int64_t most)
{
    return tiles > 8 * most ? most : ceil_div(tiles, max((tiles + most / 2) / most, 1));
}

// `whole` in the least number of equal pieces of at most `most`: the size of a piece.
static int64_t even_piece(int64_t whole, int64_t most)
{
    return ceil_div(whole, ceil_div(whole, most));
}

// Columns of a block, in whole panels, so that there are about `wanted` blocks.
static int64_t block_of_panels(int64_t cols, int64_t wanted)
{
    const int64_t panels = ceil_div(cols, PANEL_COLS);
    return ceil_div(panels, min(wanted, panels)) * PANEL_COLS;
}

// ---- tiles and their pixels ----

// A place among the tiles, walked image by image, over rows first .. last - 1 of each.
typedef struct tile_place {
    int64_t image, i, j; // the tile's row and column within its image
    int64_t first, last, wide;
} tile_place;

static tile_place tile_place_of(const winograd *g, int64_t image, int64_t first, int64_t last,
                                int64_t index)
{
    const int64_t area = (last - first) * g->wide, rest = index % area;
    return (tile_place){
        image + index / area, first + rest / g->wide, rest % g->wide, first, last, g->wide};
}

static void tile_place_next(tile_place *p)
{
    if (++p->j < p->wide)
        return;
    p->j = 0;
    if (++p->i < p->last)
        return;
    p->i = p->first;
    p->image++;
}

enum { OUTSIDE = -1 };

// Where the pixels of a tile's patch lie in x, in reals; those not within rows low .. high - 1 are
// OUTSIDE.
static void patch_of(const winograd *g, const tile_place *p, int64_t low, int64_t high,
                     int64_t at[POSITIONS_MAX])
{
    const int64_t row = g->side * p->i - g->s.top, col = g->side * p->j - g->s.left;
    const int64_t corner = ((p->image * g->s.h + row) * g->s.w + col) * g->s.c;
    for (int64_t i = 0; i < g->patch; i++) {
        const bool inside = row + i >= low && row + i < high;
        for (int64_t j = 0; j < g->patch; j++)
            at[i * g->patch + j] = inside && col + j >= 0 && col + j < g->s.w ?
                                       corner + (i * g->s.w + j) * g->s.c :
                                       OUTSIDE;
    }
}

// The same of a tile's outputs in y, which has `oh` rows and `ow` columns; `side` of them a tile.
static void outputs_of(const winograd *g, const tile_place *p, int64_t side,
                       int64_t at[SIDE_MAX * SIDE_MAX])
{
    const int64_t oh = g->s.oh * side / g->side, ow = g->s.ow * side / g->side;
    for (int64_t i = 0; i < side * side; i++) {
        const int64_t row = side * p->i + i / side, col = side * p->j + i % side;
        at[i] = row < oh && col < ow ? ((p->image * oh + row) * ow + col) * g->s.f : OUTSIDE;
    }
}

// V, D and M of a chunk are laid out as (tile, position, channel): what a transform touches is
// adjacent. Reals from one tile to the next: a line more than they need, so that the rows of a
// product do not fall into one set of the cache.
static int64_t tile_step(const winograd *g, int64_t cols)
{
    return g->positions * cols + 64 / (int64_t)sizeof(real);
}

// ---- V and D of one tile: `to` points to the tile's row at position 0, `step` leads to the next
// position ----

ALWAYS_INLINE void load_positions(const int patch, const real *from, int64_t step,
                                  vec m[PATCH_MAX][PATCH_MAX])
{
    UNROLL
    for (int i = 0; i < patch; i++) {
        UNROLL
        for (int j = 0; j < patch; j++)
            m[i][j] = vec_load(from + (i * patch + j) * step);
    }
}

ALWAYS_INLINE void store_positions(const int patch, vec m[PATCH_MAX][PATCH_MAX], int64_t step,
                                   real *to)
{
    UNROLL
    for (int i = 0; i < patch; i++) {
        UNROLL
        for (int j = 0; j < patch; j++)
            vec_store(to + (i * patch + j) * step, m[i][j]);
    }
}

// A vector, whole or the lanes of `part`: masked stores are slow where there are no mask registers.
ALWAYS_INLINE vec load_lanes(const real *p, vmask part, const bool whole)
{
    return whole ? vec_load(p) : vec_load_part(p, part);
}

ALWAYS_INLINE void store_lanes(real *p, vec v, vmask part, const bool whole)
{
    if (whole)
        vec_store(p, v);
    else
        vec_store_part(p, v, part);
}

// A square of `size` x `size` pixels.
ALWAYS_INLINE void load_pixels(const int size, const real *const pixels[POSITIONS_MAX], int64_t c,
                               vmask part, const bool whole, vec m[PATCH_MAX][PATCH_MAX])
{
    UNROLL
    for (int i = 0; i < size; i++) {
        UNROLL
        for (int j = 0; j < size; j++)
            m[i][j] = load_lanes(pixels[i * size + j] + c, part, whole);
    }
}

ALWAYS_INLINE void winograd_v_of(const int side, const real *const pixels[POSITIONS_MAX],
                                 int64_t channels, int64_t step, real *v)
{
    const vmask part = mask_first(channels % LANES);
    vec m[PATCH_MAX][PATCH_MAX];
    int64_t c = 0;
    for (; c + LANES <= channels; c += LANES) {
        load_pixels(side + 2, pixels, c, part, true, m);
        transform_square(TRANSFORM_INPUT, side, m);
        store_positions(side + 2, m, step, v + c);
    }
    if (c < channels) {
        load_pixels(side + 2, pixels, c, part, false, m);
        transform_square(TRANSFORM_INPUT, side, m);
        store_positions(side + 2, m, step, v + c);
    }
}

// V of `channels` channels of a patch, whose pixels are at `at` or, outside the image, at `zeros`.
static void winograd_v(const winograd *g, const real *x, const int64_t at[POSITIONS_MAX],
                       const real *zeros, int64_t channels, int64_t step, real *v)
{
    const real *pixels[POSITIONS_MAX];
    for (int p = 0; p < g->positions; p++)
        pixels[p] = at[p] == OUTSIDE ? zeros : x + at[p];
    if (g->side == 2)
        winograd_v_of(2, pixels, channels, step, v);
    else
        winograd_v_of(4, pixels, channels, step, v);
}

// With `sums`, adds the pixels to them.
ALWAYS_INLINE void winograd_d_of(const int side, const real *const pixels[POSITIONS_MAX],
                                 int64_t filters, int64_t step, real *d, real *sums)
{
    for (int64_t f = 0; f < filters; f += LANES) {
        vec m[PATCH_MAX][PATCH_MAX];
        load_pixels(side, pixels, f, mask_first(min(LANES, filters - f)), false, m);
        if (sums) {
            vec sum = vec_load(sums + f);
            UNROLL
            for (int i = 0; i < side; i++)
                sum += side == 2 ? m[i][0] + m[i][1] : (m[i][0] + m[i][1]) + (m[i][2] + m[i][3]);
            vec_store(sums + f, sum);
        }
        transform_square(TRANSFORM_GRADIENT, side, m);
        store_positions(side + 2, m, step, d + f);
    }
}

// D of `filters` filters of a tile of dy, and its pixels' sum added to `sums` unless that is NULL.
static void winograd_d(const winograd *g, const real *dy, const int64_t at[SIDE_MAX * SIDE_MAX],
                       const real *zeros, int64_t filters, int64_t step, real *d, real *sums)
{
    const real *pixels[POSITIONS_MAX];
    for (int i = 0; i < g->side * g->side; i++)
        pixels[i] = at[i] == OUTSIDE ? zeros : dy + at[i];
    if (g->side == 2)
        winograd_d_of(2, pixels, filters, step, d, sums);
    else
        winograd_d_of(4, pixels, filters, step, d, sums);
}

// ---- U in panels: element (position, panel, depth, column) ----

// Positions are a row farther apart than they need, so that those of one filter do not all fall
// into one set of the cache.
static int64_t winograd_u_at(int64_t depth, int64_t cols, int64_t position, int64_t row,
                             int64_t col)
{
    const int64_t rows = ceil_div(cols, PANEL_COLS) * depth + 1;
    return (position * rows + col / PANEL_COLS * depth + row) * PANEL_COLS + col % PANEL_COLS;
}

static size_t winograd_u_size(const winograd *g, int64_t depth, int64_t cols)
{
    return (size_t)winograd_u_at(depth, cols, g->positions, 0, 0) * sizeof(real);
}

// U of LANES filters from `f` on of channel `c`; lanes beyond the last filter are 0.
ALWAYS_INLINE void winograd_filters_of(const int side, const winograd *g, const real *w, int64_t c,
                                       int64_t f, vec u[PATCH_MAX][PATCH_MAX])
{
    const vmask part = mask_first(min(LANES, g->s.f - f));
    UNROLL
    for (int i = 0; i < 3; i++) {
        UNROLL
        for (int j = 0; j < 3; j++)
            u[i][j] = vec_load_part(w + ((i * 3 + j) * g->s.c + c) * g->s.f + f, part);
    }
    transform_square(TRANSFORM_FILTER, side, u);
}

// ---- many filters for few tiles ----
//
// U of many channels and filters is larger than the caches (38 MB for 512 of each), and to write
// it, then to read it, would take most of the time. So phase 0 transforms the tiles, for all tasks,
// and a task of phase 1 makes the columns of U that it needs, in its scratch, and takes them to all
// tiles. Every number is computed as in the other order.

enum {
    WIDE_U = 4 << 20,
    WIDE_TILES = 2 * CHUNK_STEP,
    WIDE_GROUP = 8
}; // bytes; tiles at a time, and of a task of phase 0

// The transformed tiles, in reals, of `depth` channels or filters.
static int64_t wide_operand(const winograd *g, int64_t depth)
{
    return g->tiles * tile_step(g, in_vectors(depth));
}

static bool is_wide(const winograd *g, int64_t depth, int64_t cols)
{
    const size_t u = winograd_u_size(g, depth, cols);
    return u >= WIDE_U && (size_t)wide_operand(g, depth) * sizeof(real) <= 2 * u;
}

// A thread's scratch: zeros for pixels outside the image, a row for unwanted ones, M and U.
static void wide_job(const winograd *g, int64_t depth, int64_t cols, cj__job *job)
{
    const int64_t some = min(OUTPUT_COLS, in_vectors(cols)),
                  m = min(g->tiles, WIDE_TILES) * tile_step(g, some);
    *job = (cj__job){.phases = 2,
                     .tasks = {ceil_div(g->tiles, WIDE_GROUP), ceil_div(cols, OUTPUT_COLS)},
                     .workspace = (size_t)wide_operand(g, depth) * sizeof(real),
                     .scratch = (size_t)(in_vectors(depth) + some + m) * sizeof(real) +
                                winograd_u_size(g, depth, some)};
}

// ---- the product of one position ----

// c[i][j] (+)= sum over p of a[i * a_row + p * a_step] b[p][j]; columns are whole vectors. Row p of
// panel q of b is at q * b_panel + p * b_step.
typedef struct winograd_product {
    const real *a, *b;
    real *c;
    int64_t rows, cols, depth;
    int64_t a_row, a_step, b_step, b_panel, c_row;
    tile_start start;
} winograd_product;

static void winograd_multiply(const winograd_product *q)
{
    static const int64_t no_offset[1] = {0};
    product_tile t = {.segments = no_offset,
                      .segment_count = 1,
                      .length = q->depth,
                      .a_step = q->a_step,
                      .b_step = q->b_step};
    t.start = q->start;
    for (int64_t col = 0; col < q->cols; col += PANEL_COLS) {
        t.cols = min(PANEL_COLS, q->cols - col);
        t.b = q->b + col / PANEL_COLS * q->b_panel;
        const int vecs = (int)(t.cols / LANES);
        // even tiles: a lone row would wait for its sums
        const int64_t count = ceil_div(q->rows, tile_rows[vecs]);
        for (int64_t i = 0; i < count; i++) {
            const int64_t row = q->rows * i / count;
            const int rows = (int)(q->rows * (i + 1) / count - row);
            for (int r = 0; r < rows; r++) {
                t.a[r] = q->a + (row + r) * q->a_row;
                t.c[r] = q->c + (row + r) * q->c_row + col;
            }
            tile_run(&t, vecs, rows);
        }
    }
}

#endif
