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
// and so are both gradients. By the input: the same with dy as input, the filters turned by 180 degrees, and c and f
// exchanged. By the filters: dU[position][c][f] = sum over tiles of V[position][tile][c] D[position][tile][f] with
// D = A dy A^T, and dw = G^T dU G (winograd_grad.h).
//
// Lanes are channels throughout. A task takes a chunk of tiles: V and M of a chunk lie in the thread's scratch, small
// enough for its cache. U is made once a call, in panels in which the product streams.
//
// Rounding: a sum of transformed numbers cancels, so results differ from the direct form's in the last digits (bound in
// tests/kernels/winograd.c). A NaN or infinity spreads to all outputs of the tiles whose patches hold it: at most one
// row and one column farther than the direct form's.

enum {
    PATCH = 4,                    // side of a patch
    POSITIONS = PATCH * PATCH,    // of a patch
    WINOGRAD_CHUNK_BYTES = 1 << 19, // V and M of a chunk: half of a usual second-level cache
    WINOGRAD_TASKS = 8,           // wanted, where the shape gives them
};

// A convolution in the terms of this file: forward, or the gradient by the input as one.
typedef struct winograd {
    int64_t n, h, w, c;      // input
    int64_t oh, ow, f;       // output
    int64_t top, left;       // rows and columns of zeros before the input; may be negative
    int64_t high, wide;      // tiles of an image
    int64_t tiles;           // of all images
    int64_t c_pad;           // channels in whole vectors
    int64_t chunk, block;    // a task: tiles, and columns of f (in whole panels)
    int64_t chunks, blocks;
} winograd;

static int64_t in_lines(int64_t reals)
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

// Cuts the work into tasks, by the shape alone: chunks of tiles whose V and M fit the cache, and blocks of filters where
// there are few chunks.
static void winograd_cut(winograd *g)
{
    g->high = pieces_of(g->oh, 2);
    g->wide = pieces_of(g->ow, 2);
    g->tiles = g->n * g->high * g->wide;
    g->c_pad = in_lines(g->c);
    const int64_t tile_bytes = POSITIONS * (g->c_pad + in_lines(g->f)) * (int64_t)sizeof(real);
    const int64_t fits = greatest(WINOGRAD_CHUNK_BYTES / tile_bytes / 24, 2) * 24;
    const int64_t shared = greatest(pieces_of(pieces_of(g->tiles, WINOGRAD_TASKS), 24), 2) * 24;
    g->chunk = least(least(fits, shared), g->tiles);
    g->chunks = pieces_of(g->tiles, g->chunk);
    const int64_t panels = pieces_of(g->f, PANEL_COLS);
    const int64_t blocks = least(pieces_of(WINOGRAD_TASKS, g->chunks), panels);
    g->block = pieces_of(panels, blocks) * PANEL_COLS;
    g->blocks = pieces_of(g->f, g->block);
}

static winograd winograd_forward_of(const cj__conv2d *s)
{
    winograd g = {.n = s->n, .h = s->h, .w = s->w, .c = s->c, .oh = s->oh, .ow = s->ow, .f = s->f, .top = s->top,
                  .left = s->left};
    winograd_cut(&g);
    return g;
}

// dx[i][j][c] = sum over u, v, f of dy[i + u - (2 - top)][j + v - (2 - left)][f] w[2 - u][2 - v][c][f].
static winograd winograd_input_grad_of(const cj__conv2d *s)
{
    winograd g = {.n = s->n, .h = s->oh, .w = s->ow, .c = s->f, .oh = s->h, .ow = s->w, .f = s->c, .top = 2 - s->top,
                  .left = 2 - s->left};
    winograd_cut(&g);
    return g;
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

// ---- the filters: U in panels, element (position, panel, c, column) ----

static size_t winograd_u_size(const winograd *g)
{
    return (size_t)(POSITIONS * g->c * pieces_of(g->f, PANEL_COLS) * PANEL_COLS) * sizeof(real);
}

static int64_t winograd_u_at(const winograd *g, int64_t position, int64_t c, int64_t f)
{
    const int64_t panels = pieces_of(g->f, PANEL_COLS);
    return ((position * panels + f / PANEL_COLS) * g->c + c) * PANEL_COLS + f % PANEL_COLS;
}

// U of channel c. Elements of the last vector beyond f are 0, and those of the last panel beyond it are never read.
static void winograd_filters(const winograd *g, const real *w, real *u, int64_t c)
{
    const int64_t tap = g->c * g->f;
    for (int64_t f = 0; f < g->f; f += LANES) {
        const vmask part = mask_first(least(LANES, g->f - f));
        vec taps[9], out[PATCH][PATCH];
        UNROLL
        for (int t = 0; t < 9; t++)
            taps[t] = vec_load_part(w + t * tap + c * g->f + f, part);
        transform_filter(taps, out);
        UNROLL
        for (int p = 0; p < POSITIONS; p++)
            vec_store(u + winograd_u_at(g, p, c, f), out[p / PATCH][p % PATCH]);
    }
}

// The same for the gradient by the input, whose c are w's filters: w is (3, 3, g->f, g->c). LANES rows of w at a time
// are transformed and then transposed.
static void winograd_turned_filters(const winograd *g, const real *w, real *u, int64_t row)
{
    const int64_t tap = g->c * g->f, rows = least(LANES, g->f - row);
    for (int64_t col = 0; col < g->c; col += LANES) {
        const int64_t cols = least(LANES, g->c - col);
        const vmask part = mask_first(cols);
        vec squares[POSITIONS][LANES];
        for (int64_t r = 0; r < LANES; r++) {
            vec taps[9], out[PATCH][PATCH];
            UNROLL
            for (int t = 0; t < 9; t++)
                taps[t] = r < rows ? vec_load_part(w + (8 - t) * tap + (row + r) * g->c + col, part) : vec_set(0);
            transform_filter(taps, out);
            UNROLL
            for (int p = 0; p < POSITIONS; p++)
                squares[p][r] = out[p / PATCH][p % PATCH];
        }
        for (int p = 0; p < POSITIONS; p++) {
            vec_transpose(squares[p]);
            for (int64_t j = 0; j < cols; j++)
                vec_store(u + winograd_u_at(g, p, col + j, row), squares[p][j]);
        }
    }
}

// ---- the input: V, element (position, tile of the chunk, c) ----

// A place among all tiles.
typedef struct tile_place {
    int64_t image, i, j; // the tile's row and column within its image
} tile_place;

static tile_place tile_place_of(const winograd *g, int64_t index)
{
    const int64_t area = g->high * g->wide;
    return (tile_place){index / area, index % area / g->wide, index % g->wide};
}

static void tile_place_next(const winograd *g, tile_place *p)
{
    if (++p->j < g->wide)
        return;
    p->j = 0;
    if (++p->i < g->high)
        return;
    p->i = 0;
    p->image++;
}

// Reals from one position to the next, for a chunk of rows of `cols`: a line more than they need, so that the 16 lines
// that a transform writes do not fall into one set of the cache.
static int64_t position_step(int64_t rows, int64_t cols)
{
    return rows * cols + LANES;
}

// Where the 16 pixels of a tile's patch lie; those outside the image are at `zeros`.
static void patch_of(const winograd *g, const real *x, const tile_place *p, const real *zeros,
                     const real *pixels[POSITIONS])
{
    const int64_t row = 2 * p->i - g->top, col = 2 * p->j - g->left;
    const real *image = x + p->image * g->h * g->w * g->c;
    for (int64_t i = 0; i < PATCH; i++) {
        const bool inside = row + i >= 0 && row + i < g->h;
        const real *from = image + ((row + i) * g->w + col) * g->c;
        for (int64_t j = 0; j < PATCH; j++)
            pixels[i * PATCH + j] = inside && col + j >= 0 && col + j < g->w ? from + j * g->c : zeros;
    }
}

// V of one patch, from channel `first` on; v points to the tile's row at position 0.
static void transform_patch(const real *const pixels[POSITIONS], int64_t first, int64_t channels, int64_t step, real *v)
{
    int64_t c = 0;
    vec d[PATCH][PATCH];
    for (; c + LANES <= channels; c += LANES) {
        UNROLL
        for (int p = 0; p < POSITIONS; p++)
            d[p / PATCH][p % PATCH] = vec_load(pixels[p] + first + c);
        transform_input(d);
        UNROLL
        for (int p = 0; p < POSITIONS; p++)
            vec_store(v + p * step + c, d[p / PATCH][p % PATCH]);
    }
    if (c == channels)
        return;
    const vmask part = mask_first(channels - c);
    UNROLL
    for (int p = 0; p < POSITIONS; p++)
        d[p / PATCH][p % PATCH] = vec_load_part(pixels[p] + first + c, part);
    transform_input(d);
    UNROLL
    for (int p = 0; p < POSITIONS; p++)
        vec_store(v + p * step + c, d[p / PATCH][p % PATCH]);
}
