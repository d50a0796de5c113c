// C = act(op(A) op(B) + bias): see cj__gemm.
//
// C is cut into blocks of BLOCK_ROWS rows by one panel of columns; a block is a task. Within a block the sum is cut into
// pieces of GEMM_DEPTH, so that the panel's part of B stays in the cache while the tiles walk down the rows. A is never
// packed: a tile reads it through row pointers in both orientations. B is packed into panels (k x panel, adjacent) when it
// is transposed, or when its rows are so far apart that they fall into the same few sets of the cache.
enum { GEMM_DEPTH = 256, PANEL_COLS = TILE_VECS_MAX * LANES, FAR_ROWS = 512, WORTH_PACKING = 32, PACK_DEPTH = 64 };

static bool packs_b(const cj__gemm *g)
{
    return g->trans_b || (g->ldb >= FAR_ROWS && g->m >= WORTH_PACKING);
}

// Rows of a block: a multiple of the tile's, few enough that there are about 16 blocks.
static int64_t block_rows(const cj__gemm *g)
{
    const int64_t panels = greatest(pieces_of(g->n, PANEL_COLS), 1), rows = tile_rows[panel_vecs(g->n > 0 ? g->n : 1)];
    const int64_t wanted = greatest(pieces_of(16, panels), 1);
    return greatest(least(pieces_of(pieces_of(g->m, wanted), rows), 16), 1) * rows;
}

static void gemm_job(const cj__gemm *g, cj__job *job)
{
    const int64_t panels = pieces_of(g->n, PANEL_COLS), blocks = pieces_of(g->m, block_rows(g));
    *job = (cj__job){.phases = 1, .tasks = {panels * blocks}};
    if (packs_b(g)) {
        *job = (cj__job){.phases = 2,
                         .tasks = {panels * pieces_of(g->k, PACK_DEPTH), panels * blocks},
                         .workspace = (size_t)(panels * PANEL_COLS * g->k) * sizeof(real)};
    }
}

// Up to LANES rows of LANES columns of x, transposed into y; both edges may be cut.
static void transpose_square(const real *x, int64_t ldx, int64_t rows, int64_t cols, real *y, int64_t ldy)
{
    const vmask in = mask_first(cols), out = mask_first(rows);
    vec square[LANES];
    for (int64_t i = 0; i < LANES; i++)
        square[i] = i >= rows ? vec_set(0) : cols == LANES ? vec_load(x + i * ldx) : vec_load_part(x + i * ldx, in);
    vec_transpose(square);
    for (int64_t j = 0; j < cols; j++) {
        if (rows == LANES)
            vec_store(y + j * ldy, square[j]);
        else
            vec_store_part(y + j * ldy, square[j], out);
    }
}

static void transpose_block(const real *x, int64_t ldx, int64_t rows, int64_t cols, real *y, int64_t ldy)
{
    for (int64_t i = 0; i < rows; i += LANES)
        for (int64_t j = 0; j < cols; j += LANES)
            transpose_square(x + i * ldx + j, ldx, least(LANES, rows - i), least(LANES, cols - j), y + j * ldy + i,
                             ldy);
}

// Packs PACK_DEPTH rows of one panel.
static void gemm_pack(const cj__gemm *g, real *packed, int64_t task)
{
    const int64_t depths = pieces_of(g->k, PACK_DEPTH), panel = task / depths, first = task % depths * PACK_DEPTH;
    const int64_t col = panel * PANEL_COLS, cols = least(PANEL_COLS, g->n - col), depth = least(PACK_DEPTH, g->k - first);
    real *to = packed + (panel * g->k + first) * PANEL_COLS;
    if (g->trans_b) {
        transpose_block((const real *)g->b + col * g->ldb + first, g->ldb, cols, depth, to, PANEL_COLS);
        return;
    }
    for (int64_t p = 0; p < depth; p++)
        memcpy(to + p * PANEL_COLS, (const real *)g->b + (first + p) * g->ldb + col, (size_t)cols * sizeof(real));
}

// The piece of the sum from `first` on, for rows row0 .. row1 - 1 and one panel.
static void gemm_piece(const cj__gemm *g, tile *t, int vecs, int64_t row0, int64_t row1, int64_t col, int64_t first)
{
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b};
    const bool ends = first + t->length == g->k;
    const int64_t a_row = g->trans_a ? 1 : g->lda;
    t->a_step = g->trans_a ? g->lda : 1;
    t->start = first > 0 ? START_SUM : g->bias ? START_BIAS : START_ZERO;
    t->relu = ends && is_relu(&e);
    for (int64_t row = row0; row < row1; row += tile_rows[vecs]) {
        const int rows = (int)least(tile_rows[vecs], row1 - row);
        for (int i = 0; i < rows; i++) {
            t->a[i] = (const real *)g->a + (row + i) * a_row + first * t->a_step;
            t->c[i] = (real *)g->c + (row + i) * g->ldc + col;
        }
        tile_run(t, vecs, rows);
        if (ends)
            finish_rows(&e, t->c, rows, t->cols);
    }
}

static void gemm_block(const cj__gemm *g, const real *packed, int64_t task)
{
    static const int64_t no_offset[1] = {0};
    const int64_t panels = pieces_of(g->n, PANEL_COLS), block = block_rows(g);
    const int64_t panel = task % panels, row0 = task / panels * block, col = panel * PANEL_COLS;
    const int64_t row1 = least(row0 + block, g->m), end = least(col + PANEL_COLS, g->n);
    for (int64_t first = 0; first == 0 || first < g->k; first += GEMM_DEPTH) {
        const int64_t part = col;
        const int vecs = (int)pieces_of(end - part, LANES);
        tile t = {.segments = no_offset, .segment_count = 1, .length = least(GEMM_DEPTH, g->k - first)};
        t.cols = end - part;
        t.bias = g->bias ? (const real *)g->bias + part : NULL;
        t.b_step = packed ? PANEL_COLS : g->ldb;
        t.b = packed ? packed + (panel * g->k + first) * PANEL_COLS : (const real *)g->b + first * g->ldb + part;
        gemm_piece(g, &t, vecs, row0, row1, part, first);
    }
}

static void gemm_run(const cj__gemm *g, void *workspace, int phase, int64_t begin, int64_t end)
{
    const bool packs = packs_b(g);
    for (int64_t task = begin; task < end; task++) {
        if (packs && phase == 0)
            gemm_pack(g, workspace, task);
        else
            gemm_block(g, packs ? workspace : NULL, task);
    }
}

static void transpose(int64_t rows, int64_t cols, const void *x, int64_t ldx, void *y, int64_t ldy)
{
    transpose_block(x, ldx, rows, cols, y, ldy);
}
