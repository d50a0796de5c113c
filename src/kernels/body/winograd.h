// Winograd's form of a convolution, F(2 x 2, 3 x 3): Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"
// (arXiv 1509.09308, section 4.1). It serves windows of 3 x 3 with stride, dilation and groups of 1.
//
// The output is cut into tiles of 2 x 2, each of which sees a patch of 4 x 4 of the input. With
//
//         1  0 -1  0           1    0    0            1  1  1  0
//   B^T = 0  1  1  0     G =  1/2  1/2  1/2     A^T = 0  1 -1 -1
//         0 -1  1  0          1/2 -1/2  1/2
//         0  1  0 -1           0    0    1
//
// a tile is y = A^T [sum over c of (G w G^T) * (B^T d B)] A, where * is element by element: 16 products a tile instead
// of 36. For each of the 16 positions of a patch the sum over channels is a product of matrices,
//
//   M[position][tile][f] = sum over c of V[position][tile][c] U[position][c][f]
//
// and so are both gradients, which are this formula's transposes: with D = A dy A^T of each tile,
//
//   by the input     dx patch += B [sum over f of D[position][tile][f] U[position][c][f]] B^T
//   by the filters   dw = G^T [sum over tiles of V[position][tile][c] D[position][tile][f]] G
//
// They walk over the tiles of y, as forward does: outputs that are not wanted cost no gradient either.
//
// Lanes are channels throughout. A task takes a chunk of tiles: V and M of a chunk lie in the thread's scratch, small
// enough for its cache. U is made once a call, in panels in which the product streams.
//
// Rounding: a sum of transformed numbers cancels, so results differ from the direct form's in the last digits (bound in
// tests/kernels/winograd.c). A NaN or infinity spreads to all outputs of the tiles whose patches hold it: at most one
// row and one column farther than the direct form's.

enum {
    PATCH = 4,                 // side of a patch
    POSITIONS = PATCH * PATCH, // of a patch
    WINOGRAD_TASKS = 8,        // wanted, where the shape gives them
    CHUNK_BYTES = 1 << 18,     // both operands of a chunk's products: a quarter of a usual second-level cache
    CHUNK_STEP = 24,           // tiles: a multiple of the rows of every tile of a product, and the least
    OUTPUT_COLS = PANEL_COLS > 64 ? PANEL_COLS : PANEL_COLS * (64 / PANEL_COLS) // columns of M at a time
};

// A convolution in the terms of this form.
typedef struct winograd {
    cj__conv2d s;
    int64_t high, wide;   // tiles of an image
    int64_t tiles;        // of all images
    int64_t c_pad, f_pad; // channels and filters in whole vectors
} winograd;

static int64_t in_vectors(int64_t reals)
{
    return pieces_of(reals, LANES) * LANES;
}

// Whether the arguments ask for this form and their geometry has it.
static bool winograd_serves(const cj__conv2d_args *a, cj__conv2d_kind kind)
{
    const cj__conv2d *s = &a->s;
    const bool pools = a->pool_h > 1 || a->pool_w > 1;
    return a->winograd && s->kh == 3 && s->kw == 3 && s->sh == 1 && s->sw == 1 && s->dh == 1 && s->dw == 1 &&
           s->groups == 1 && s->n > 0 && s->h > 0 && s->w > 0 && s->c > 0 && s->f > 0 && s->oh > 0 && s->ow > 0 &&
           (kind != CJ__CONV2D_FORWARD || !pools || (a->pool_h == 2 && a->pool_w == 2));
}

// Measured (docs/kernels.md): with few channels or filters the transforms cost more than they save; a tile that juts out
// of the image is paid whole; few tiles do not repay the transform of the filters; by the input, the direct form skips
// the padding, which is most of an image of one tile. Double keeps to the direct form: who uses it wants the digits.
static bool winograd_pays(const cj__conv2d_args *a, cj__conv2d_kind kind)
{
    cj__conv2d_args asked = *a;
    asked.winograd = true;
    if (sizeof(real) != sizeof(float) || !winograd_serves(&asked, kind))
        return false;
    const cj__conv2d *s = &a->s;
    const int64_t few = LANES == 8 ? 1024 : 512; // with 8 lanes the direct form is near its peak sooner
    const int64_t least_product = kind == CJ__CONV2D_FORWARD ? few : kind == CJ__CONV2D_INPUT_GRAD ? 512 : 256;
    const int64_t area = pieces_of(s->oh, 2) * pieces_of(s->ow, 2);
    return s->c >= 16 && s->f >= 16 && s->c * s->f >= least_product && 3 * s->oh * s->ow >= 2 * 4 * area &&
           s->n * area >= 16 && (kind != CJ__CONV2D_INPUT_GRAD || area > 1);
}

static winograd winograd_of(const cj__conv2d *s)
{
    winograd g = {.s = *s, .high = pieces_of(s->oh, 2), .wide = pieces_of(s->ow, 2)};
    g.tiles = s->n * g.high * g.wide;
    g.c_pad = in_vectors(s->c);
    g.f_pad = in_vectors(s->f);
    return g;
}

// Tiles of a chunk whose operands fit the cache: `width` reals a tile and position.
static int64_t chunk_that_fits(int64_t width)
{
    const int64_t fits = CHUNK_BYTES / (POSITIONS * width * (int64_t)sizeof(real));
    return greatest(fits / CHUNK_STEP, 1) * CHUNK_STEP;
}

// Tiles of a chunk: `most`, or, where there are few, about that so that chunks are equal.
static int64_t chunk_of(int64_t tiles, int64_t most)
{
    return tiles > 8 * most ? most : pieces_of(tiles, greatest((tiles + most / 2) / most, 1));
}

// `whole` in the least number of equal pieces of at most `most`: the size of a piece.
static int64_t even_piece(int64_t whole, int64_t most)
{
    return pieces_of(whole, pieces_of(whole, most));
}

// Columns of a block, in whole panels, so that there are about `wanted` blocks.
static int64_t block_of_panels(int64_t cols, int64_t wanted)
{
    const int64_t panels = pieces_of(cols, PANEL_COLS);
    return pieces_of(panels, least(wanted, panels)) * PANEL_COLS;
}

// ---- transforms of a 4 x 4 patch, in registers ----

// B^T d B.
ALWAYS_INLINE void transform_input(vec d[PATCH][PATCH])
{
    UNROLL
    for (int j = 0; j < PATCH; j++) {
        const vec d0 = d[0][j], d1 = d[1][j], d2 = d[2][j], d3 = d[3][j];
        d[0][j] = d0 - d2;
        d[1][j] = d1 + d2;
        d[2][j] = d2 - d1;
        d[3][j] = d1 - d3;
    }
    UNROLL
    for (int i = 0; i < PATCH; i++) {
        const vec d0 = d[i][0], d1 = d[i][1], d2 = d[i][2], d3 = d[i][3];
        d[i][0] = d0 - d2;
        d[i][1] = d1 + d2;
        d[i][2] = d2 - d1;
        d[i][3] = d1 - d3;
    }
}

// G w G^T of the nine taps w.
ALWAYS_INLINE void transform_filter(const vec w[9], vec u[PATCH][PATCH])
{
    const vec half = vec_set((real)0.5);
    vec rows[PATCH][3];
    UNROLL
    for (int j = 0; j < 3; j++) {
        const vec ends = half * (w[j] + w[6 + j]), middle = half * w[3 + j];
        rows[0][j] = w[j];
        rows[1][j] = ends + middle;
        rows[2][j] = ends - middle;
        rows[3][j] = w[6 + j];
    }
    UNROLL
    for (int i = 0; i < PATCH; i++) {
        const vec ends = half * (rows[i][0] + rows[i][2]), middle = half * rows[i][1];
        u[i][0] = rows[i][0];
        u[i][1] = ends + middle;
        u[i][2] = ends - middle;
        u[i][3] = rows[i][2];
    }
}

// A dy A^T.
ALWAYS_INLINE void transform_gradient(const vec y[4], vec d[PATCH][PATCH])
{
    const vec rows[PATCH][2] = {{y[0], y[1]}, {y[0] + y[2], y[1] + y[3]}, {y[0] - y[2], y[1] - y[3]}, {-y[2], -y[3]}};
    UNROLL
    for (int i = 0; i < PATCH; i++) {
        d[i][0] = rows[i][0];
        d[i][1] = rows[i][0] + rows[i][1];
        d[i][2] = rows[i][0] - rows[i][1];
        d[i][3] = -rows[i][1];
    }
}

// B m B^T, in place.
ALWAYS_INLINE void transform_back(vec m[PATCH][PATCH])
{
    UNROLL
    for (int j = 0; j < PATCH; j++) {
        const vec m0 = m[0][j], m1 = m[1][j], m2 = m[2][j], m3 = m[3][j];
        m[1][j] = m1 - m2 + m3;
        m[2][j] = m1 + m2 - m0;
        m[3][j] = -m3;
    }
    UNROLL
    for (int i = 0; i < PATCH; i++) {
        const vec m0 = m[i][0], m1 = m[i][1], m2 = m[i][2], m3 = m[i][3];
        m[i][1] = m1 - m2 + m3;
        m[i][2] = m1 + m2 - m0;
        m[i][3] = -m3;
    }
}

// G^T s G.
ALWAYS_INLINE void transform_taps(vec s[PATCH][PATCH], vec w[9])
{
    const vec half = vec_set((real)0.5);
    vec rows[3][PATCH];
    UNROLL
    for (int j = 0; j < PATCH; j++) {
        const vec sum = half * (s[1][j] + s[2][j]);
        rows[0][j] = s[0][j] + sum;
        rows[1][j] = half * (s[1][j] - s[2][j]);
        rows[2][j] = sum + s[3][j];
    }
    UNROLL
    for (int i = 0; i < 3; i++) {
        const vec sum = half * (rows[i][1] + rows[i][2]);
        w[3 * i] = rows[i][0] + sum;
        w[3 * i + 1] = half * (rows[i][1] - rows[i][2]);
        w[3 * i + 2] = sum + rows[i][3];
    }
}

// ---- tiles and their pixels ----

// A place among the tiles, walked image by image, over rows first .. last - 1 of each.
typedef struct tile_place {
    int64_t image, i, j; // the tile's row and column within its image
    int64_t first, last, wide;
} tile_place;

static tile_place tile_place_of(const winograd *g, int64_t image, int64_t first, int64_t last, int64_t index)
{
    const int64_t area = (last - first) * g->wide, rest = index % area;
    return (tile_place){image + index / area, first + rest / g->wide, rest % g->wide, first, last, g->wide};
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

// Where the 16 pixels of a tile's patch lie in x, in reals; those not within rows low .. high - 1 are OUTSIDE.
static void patch_of(const winograd *g, const tile_place *p, int64_t low, int64_t high, int64_t at[POSITIONS])
{
    const int64_t row = 2 * p->i - g->s.top, col = 2 * p->j - g->s.left;
    const int64_t corner = ((p->image * g->s.h + row) * g->s.w + col) * g->s.c;
    for (int64_t i = 0; i < PATCH; i++) {
        const bool inside = row + i >= low && row + i < high;
        for (int64_t j = 0; j < PATCH; j++)
            at[i * PATCH + j] =
                inside && col + j >= 0 && col + j < g->s.w ? corner + (i * g->s.w + j) * g->s.c : OUTSIDE;
    }
}

// The same of a tile's four outputs in y.
static void outputs_of(const winograd *g, const tile_place *p, int64_t at[4])
{
    for (int64_t i = 0; i < 4; i++) {
        const int64_t row = 2 * p->i + i / 2, col = 2 * p->j + i % 2;
        at[i] = row < g->s.oh && col < g->s.ow ? ((p->image * g->s.oh + row) * g->s.ow + col) * g->s.f : OUTSIDE;
    }
}

// V, D and M of a chunk are laid out as (tile, position, channel): what a transform touches is adjacent. Reals from one
// tile to the next: a line more than they need, so that the rows of a product do not fall into one set of the cache.
static int64_t tile_step(int64_t cols)
{
    return POSITIONS * cols + 64 / (int64_t)sizeof(real);
}

// ---- V and D of one tile: `to` points to the tile's row at position 0, `step` leads to the next position ----

ALWAYS_INLINE void store_positions(vec d[PATCH][PATCH], int64_t step, real *to)
{
    UNROLL
    for (int p = 0; p < POSITIONS; p++)
        vec_store(to + p * step, d[p / PATCH][p % PATCH]);
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

ALWAYS_INLINE void v_vector(const real *const pixels[POSITIONS], int64_t c, int64_t step, real *v, vmask part,
                            const bool whole)
{
    vec d[PATCH][PATCH];
    UNROLL
    for (int p = 0; p < POSITIONS; p++)
        d[p / PATCH][p % PATCH] = load_lanes(pixels[p] + c, part, whole);
    transform_input(d);
    store_positions(d, step, v + c);
}

// V of `channels` channels of a patch, whose pixels are at `at` or, outside the image, at `zeros`.
static void winograd_v(const real *x, const int64_t at[POSITIONS], const real *zeros, int64_t channels, int64_t step,
                       real *v)
{
    const vmask part = mask_first(channels % LANES);
    const real *pixels[POSITIONS];
    int64_t c = 0;
    for (int p = 0; p < POSITIONS; p++)
        pixels[p] = at[p] == OUTSIDE ? zeros : x + at[p];
    for (; c + LANES <= channels; c += LANES)
        v_vector(pixels, c, step, v, part, true);
    if (c < channels)
        v_vector(pixels, c, step, v, part, false);
}

// D of `filters` filters of a tile of dy.
static void winograd_d(const real *dy, const int64_t at[4], const real *zeros, int64_t filters, int64_t step, real *d)
{
    for (int64_t f = 0; f < filters; f += LANES) {
        const vmask part = mask_first(least(LANES, filters - f));
        vec y[4], out[PATCH][PATCH];
        UNROLL
        for (int i = 0; i < 4; i++)
            y[i] = vec_load_part((at[i] == OUTSIDE ? zeros : dy + at[i]) + f, part);
        transform_gradient(y, out);
        store_positions(out, step, d + f);
    }
}

// ---- U in panels: element (position, panel, depth, column) ----

static size_t winograd_u_size(int64_t depth, int64_t cols)
{
    return (size_t)(POSITIONS * depth * pieces_of(cols, PANEL_COLS) * PANEL_COLS) * sizeof(real);
}

static int64_t winograd_u_at(int64_t depth, int64_t cols, int64_t position, int64_t row, int64_t col)
{
    const int64_t panels = pieces_of(cols, PANEL_COLS);
    return ((position * panels + col / PANEL_COLS) * depth + row) * PANEL_COLS + col % PANEL_COLS;
}

// U of LANES filters from `f` on of channel `c`; lanes beyond the last filter are 0.
ALWAYS_INLINE void winograd_filters_of(const winograd *g, const real *w, int64_t c, int64_t f, vec u[PATCH][PATCH])
{
    const vmask part = mask_first(least(LANES, g->s.f - f));
    vec taps[9];
    UNROLL
    for (int t = 0; t < 9; t++)
        taps[t] = vec_load_part(w + (t * g->s.c + c) * g->s.f + f, part);
    transform_filter(taps, u);
}

// ---- the product of one position ----

// c[i][j] (+)= sum over p of a[i * a_row + p * a_step] b[p][j]; columns are whole vectors. Row p of panel q of b is at
// q * b_panel + p * b_step.
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
    tile t = {.segments = no_offset, .segment_count = 1, .length = q->depth, .a_step = q->a_step, .b_step = q->b_step};
    t.start = q->start;
    for (int64_t col = 0; col < q->cols; col += PANEL_COLS) {
        t.cols = least(PANEL_COLS, q->cols - col);
        t.b = q->b + col / PANEL_COLS * q->b_panel;
        const int vecs = (int)(t.cols / LANES);
        const int64_t count = pieces_of(q->rows, tile_rows[vecs]); // even tiles: a lone row would wait for its sums
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
