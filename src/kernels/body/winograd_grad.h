// Winograd's form of the gradients; see winograd.h.
//
// By the input. Phase 0 makes U with c and f exchanged. In phase 1 a task is some whole images, or a strip of rows of one
// image, and a block of channels; it walks over the tiles whose patches reach its rows and adds each patch to dx, in
// order. A tile at the border of two strips is done by both, each keeping its own rows, so that no two tasks add to one
// number.
//
// By the filters. The tiles are cut into pieces and dU into blocks, by the shape alone. In phase 0 a task sums a block of
// dU over a piece; phase 1 adds the pieces in order and transforms back to dw. dbias is summed where D is made.

enum { FEW_TILES = 72 }; // a sum over fewer would load and store dU too often

// ---- by the input ----

typedef struct winograd_input_cut {
    int64_t images, groups; // images of a task
    int64_t rows, strips;   // rows of tiles of a strip
    int64_t block, blocks;  // of channels, in whole panels
    int64_t chunk;          // tiles at a time
} winograd_input_cut;

static winograd_input_cut winograd_input_cut_of(const winograd *g)
{
    winograd_input_cut cut;
    const int64_t area = g->high * g->wide;
    cut.images = least(pieces_of(CHUNK_STEP, area), g->s.n);
    cut.groups = pieces_of(g->s.n, cut.images);
    const int64_t wanted = least(pieces_of(WINOGRAD_TASKS, cut.groups), least(area / FEW_TILES, g->high / 4));
    cut.rows = pieces_of(g->high, greatest(wanted, 1));
    cut.strips = pieces_of(g->high, cut.rows);
    cut.block = block_of_panels(g->s.c, pieces_of(WINOGRAD_TASKS, cut.groups * cut.strips));
    cut.blocks = pieces_of(g->s.c, cut.block);
    const int64_t tiles = cut.images * g->wide * least(cut.rows + (cut.strips > 1), g->high);
    cut.chunk = chunk_of(tiles, chunk_that_fits(g, g->f_pad + least(OUTPUT_COLS, g->c_pad)));
    return cut;
}

// U with rows f and columns c, for LANES filters from `f` on and the channels first .. last - 1, which are all that this U
// has: transformed with lanes along f, then transposed.
ALWAYS_INLINE void winograd_turned_rows(const int side, const winograd *g, const real *w, real *u, int64_t f,
                                        int64_t first, int64_t last)
{
    for (int64_t c = first; c < last; c += LANES) {
        vec squares[POSITIONS_MAX][LANES];
        for (int64_t r = 0; r < LANES; r++) {
            vec of[PATCH_MAX][PATCH_MAX];
            winograd_filters_of(side, g, w, least(c + r, g->s.c - 1), f, of);
            UNROLL
            for (int i = 0; i < side + 2; i++) {
                UNROLL
                for (int j = 0; j < side + 2; j++)
                    squares[i * (side + 2) + j][r] = of[i][j];
            }
        }
        for (int p = 0; p < g->positions; p++) {
            vec_transpose(squares[p]);
            for (int64_t r = 0; r < least(LANES, g->s.f - f); r++)
                vec_store(u + winograd_u_at(g->s.f, last - first, p, f + r, c - first), squares[p][r]);
        }
    }
}

static void winograd_turned_filters(const winograd *g, const real *w, real *u, int64_t f, int64_t first, int64_t last)
{
    if (g->side == 2)
        winograd_turned_rows(2, g, w, u, f, first, last);
    else
        winograd_turned_rows(4, g, w, u, f, first, last);
}

// Adds B m B^T of one tile to one vector of the pixels of its patch.
ALWAYS_INLINE void scatter_vector(const int side, const real *m, int64_t step, real *const *pixels, int64_t c,
                                  vmask part, const bool whole)
{
    const int patch = side + 2;
    vec d[PATCH_MAX][PATCH_MAX];
    load_positions(patch, m + c, step, d);
    transform_square(TRANSFORM_BACK, side, d);
    UNROLL
    for (int i = 0; i < patch; i++) {
        UNROLL
        for (int j = 0; j < patch; j++) {
            real *to = pixels[i * patch + j] + c;
            store_lanes(to, load_lanes(to, part, whole) + d[i][j], part, whole);
        }
    }
}

ALWAYS_INLINE void scatter_vectors(const int side, const real *m, int64_t step, real *const *pixels, int64_t channels)
{
    const vmask part = mask_first(channels % LANES);
    int64_t c = 0;
    for (; c + LANES <= channels; c += LANES)
        scatter_vector(side, m, step, pixels, c, part, true);
    if (c < channels)
        scatter_vector(side, m, step, pixels, c, part, false);
}

// What a task of phase 1 works with.
typedef struct winograd_input_task {
    const winograd *g;
    const real *u, *dy;
    real *dx;
    int64_t low, high; // its rows of dx
    int64_t col, cols; // its channels
    int64_t d_row, m_row, m_cols;
    int64_t u_step; // from one position of U to the next
    real *zeros, *d, *m, *unwanted;
    bool rounds; // dx to bfloat16, once it is complete
} winograd_input_task;

// The channels `col` on, as many as M takes at once: D times U, which begins with these, then the patches.
static void winograd_input_columns(const winograd_input_task *t, const real *d, const real *u, int64_t col,
                                   tile_place place, int64_t tiles)
{
    const winograd *g = t->g;
    const int64_t cols = least(OUTPUT_COLS, t->col + t->cols - col);
    for (int position = 0; position < g->positions; position++) {
        const winograd_product q = {.a = d + position * g->f_pad,
                                    .a_row = t->d_row,
                                    .a_step = 1,
                                    .rows = tiles,
                                    .b = u + position * t->u_step,
                                    .depth = g->s.f,
                                    .b_step = PANEL_COLS,
                                    .b_panel = g->s.f * PANEL_COLS,
                                    .c = t->m + position * t->m_cols,
                                    .c_row = t->m_row,
                                    .cols = in_vectors(cols)};
        winograd_multiply(&q);
    }
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&place)) {
        int64_t at[POSITIONS_MAX];
        real *pixels[POSITIONS_MAX];
        patch_of(g, &place, t->low, t->high, at);
        for (int j = 0; j < g->positions; j++)
            pixels[j] = at[j] == OUTSIDE ? t->unwanted : t->dx + at[j] + col;
        if (g->side == 2)
            scatter_vectors(2, t->m + i * t->m_row, t->m_cols, pixels, cols);
        else
            scatter_vectors(4, t->m + i * t->m_row, t->m_cols, pixels, cols);
    }
}

// D of `tiles` tiles from `place` on.
static void winograd_input_d(const winograd *g, const real *dy, tile_place place, int64_t tiles, const real *zeros,
                             real *d)
{
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&place)) {
        int64_t at[SIDE_MAX * SIDE_MAX];
        outputs_of(g, &place, g->side, at);
        winograd_d(g, dy, at, zeros, g->s.f, g->f_pad, d + i * tile_step(g, g->f_pad), NULL);
    }
}

static void winograd_input_chunk(const winograd_input_task *t, tile_place place, int64_t tiles)
{
    const winograd *g = t->g;
    winograd_input_d(g, t->dy, place, tiles, t->zeros, t->d);
    for (int64_t col = t->col; col < t->col + t->cols; col += OUTPUT_COLS)
        winograd_input_columns(t, t->d, t->u + winograd_u_at(g->s.f, g->s.c, 0, 0, col), col, place, tiles);
}

static void winograd_input_clear(const winograd_input_task *t, int64_t image)
{
    const cj__conv2d *s = &t->g->s;
    real *to = t->dx + (image * s->h + t->low) * s->w * s->c;
    const int64_t pixels = (t->high - t->low) * s->w;
    if (t->cols == s->c) {
        memset(to, 0, (size_t)(pixels * s->c) * sizeof(real));
        return;
    }
    for (int64_t i = 0; i < pixels; i++)
        memset(to + i * s->c + t->col, 0, (size_t)t->cols * sizeof(real));
}

// All that the task has cleared is complete, and the cache still holds it.
static void winograd_input_round(const winograd_input_task *t, int64_t image)
{
    const cj__conv2d *s = &t->g->s;
    const int64_t pixels = (t->high - t->low) * s->w, run = t->cols == s->c ? pixels : 1;
    real *const to = t->dx + (image * s->h + t->low) * s->w * s->c + t->col;
    for (int64_t i = 0; i < pixels && t->rounds; i += run)
        own_table->round_bf16(run * t->cols, to + i * s->c, to + i * s->c);
}

static void winograd_input_grad_task(winograd_input_task *t, const winograd_input_cut *cut, int64_t task)
{
    const winograd *g = t->g;
    const int64_t strip = task / cut->blocks % cut->strips, group = task / cut->blocks / cut->strips;
    const int64_t image = group * cut->images, images = least(cut->images, g->s.n - image);
    const int64_t first = greatest(strip * cut->rows - 1, 0), last = least((strip + 1) * cut->rows, g->high);
    t->col = task % cut->blocks * cut->block;
    t->cols = least(cut->block, g->s.c - t->col);
    t->low = strip == 0 ? 0 : greatest(least(g->side * strip * cut->rows - g->s.top, g->s.h), 0);
    t->high = strip == cut->strips - 1 ? g->s.h : greatest(least(g->side * last - g->s.top, g->s.h), 0);
    for (int64_t i = 0; i < images; i++)
        winograd_input_clear(t, image + i);
    const int64_t tiles = images * (last - first) * g->wide;
    for (int64_t at = 0; at < tiles; at += cut->chunk)
        winograd_input_chunk(t, tile_place_of(g, image, first, last, at), least(cut->chunk, tiles - at));
    for (int64_t i = 0; i < images; i++)
        winograd_input_round(t, image + i);
}

// ---- many filters for few tiles: phase 0 makes D, and a task of phase 1 its columns of U (winograd.h) ----

static void wide_channels_task(winograd_input_task *t, const real *w, const real *d, int64_t task)
{
    const winograd *g = t->g;
    real *const u = t->m + least(g->tiles, WIDE_TILES) * t->m_row;
    t->low = 0, t->high = g->s.h;
    t->col = task * OUTPUT_COLS;
    t->cols = least(OUTPUT_COLS, g->s.c - t->col);
    t->u_step = winograd_u_at(g->s.f, t->cols, 1, 0, 0);
    for (int64_t f = 0; f < g->s.f; f += LANES)
        winograd_turned_filters(g, w, u, f, t->col, t->col + t->cols);
    for (int64_t i = 0; i < g->s.n; i++)
        winograd_input_clear(t, i);
    for (int64_t first = 0; first < g->tiles; first += WIDE_TILES)
        winograd_input_columns(t, d + first * t->d_row, u, t->col, tile_place_of(g, 0, 0, g->high, first),
                               least(WIDE_TILES, g->tiles - first));
    for (int64_t i = 0; i < g->s.n; i++)
        winograd_input_round(t, i);
}

static void wide_input_run(winograd_input_task *t, const real *w, real *d, int phase, int64_t task)
{
    if (phase == 1) {
        wide_channels_task(t, w, d, task);
        return;
    }
    const int64_t first = task * WIDE_GROUP;
    winograd_input_d(t->g, t->dy, tile_place_of(t->g, 0, 0, t->g->high, first), least(WIDE_GROUP, t->g->tiles - first),
                     t->zeros, d + first * t->d_row);
}

static void winograd_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_of(a);
    if (is_wide(&g, g.s.f, g.s.c)) {
        wide_job(&g, g.s.f, g.s.c, job);
        return;
    }
    const winograd_input_cut cut = winograd_input_cut_of(&g);
    const int64_t cols = least(OUTPUT_COLS, g.c_pad);
    const int64_t steps = tile_step(&g, g.f_pad) + tile_step(&g, cols);
    *job = (cj__job){.phases = 2,
                     .tasks = {pieces_of(g.s.f, LANES), cut.groups * cut.strips * cut.blocks},
                     .prepares = 1,
                     .workspace = winograd_u_size(&g, g.s.f, g.s.c),
                     .scratch = (size_t)(g.f_pad + cols + cut.chunk * steps) * sizeof(real)};
}

static void winograd_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase, int64_t begin,
                                    int64_t end)
{
    const winograd g = winograd_of(a);
    const bool wide = is_wide(&g, g.s.f, g.s.c);
    if (phase == 0 && !wide) {
        for (int64_t task = begin; task < end; task++)
            winograd_turned_filters(&g, a->w, workspace, task * LANES, 0, g.s.c);
        return;
    }
    const winograd_input_cut cut = winograd_input_cut_of(&g);
    winograd_input_task t = {.g = &g, .u = workspace, .dy = a->dy, .dx = a->dx, .zeros = scratch, .rounds = a->rounds};
    t.m_cols = least(OUTPUT_COLS, g.c_pad);
    t.d_row = tile_step(&g, g.f_pad);
    t.m_row = tile_step(&g, t.m_cols);
    t.unwanted = t.zeros + g.f_pad;
    t.u_step = winograd_u_at(g.s.f, g.s.c, 1, 0, 0);
    t.d = t.unwanted + t.m_cols;
    t.m = t.d + (wide ? 0 : cut.chunk * t.d_row);
    memset(t.zeros, 0, (size_t)(g.f_pad + t.m_cols) * sizeof(real));
    for (int64_t task = begin; task < end; task++) {
        if (wide)
            wide_input_run(&t, a->w, workspace, phase, task);
        else
            winograd_input_grad_task(&t, &cut, task);
    }
}

// ---- by the filters ----

enum { FILTER_BLOCK = 64, FILTER_PIECES = 8 };

typedef struct winograd_filter_cut {
    int64_t chunk, piece, pieces;       // tiles at a time, and of a piece
    int64_t rows, row_blocks;           // channels of a block
    int64_t cols, col_blocks, cols_pad; // filters of a block
} winograd_filter_cut;

static winograd_filter_cut winograd_filter_cut_of(const winograd *g)
{
    winograd_filter_cut cut;
    const int64_t panels = greatest(FILTER_BLOCK / PANEL_COLS, 1) * PANEL_COLS;
    cut.rows = least(even_piece(g->s.c, FILTER_BLOCK), g->s.c);
    cut.rows = least(in_vectors(cut.rows), g->s.c);
    cut.row_blocks = pieces_of(g->s.c, cut.rows);
    cut.cols = least(pieces_of(even_piece(g->s.f, panels), PANEL_COLS) * PANEL_COLS, g->s.f);
    cut.col_blocks = pieces_of(g->s.f, cut.cols);
    cut.cols_pad = in_vectors(cut.cols);
    const int64_t wanted = pieces_of(FILTER_PIECES, cut.row_blocks * cut.col_blocks);
    cut.pieces = greatest(least(wanted, g->tiles / FEW_TILES), 1);
    cut.piece = pieces_of(g->tiles, cut.pieces);
    cut.pieces = pieces_of(g->tiles, cut.piece);
    cut.chunk = chunk_of(cut.piece, greatest(chunk_that_fits(g, in_vectors(cut.rows) + cut.cols_pad), FEW_TILES));
    return cut;
}

// Partial sums: dU of a (piece, block of channels, block of filters) after another, then dbias of each piece.
static int64_t winograd_partial(const winograd *g, const winograd_filter_cut *cut)
{
    return g->positions * cut->rows * cut->cols_pad;
}

static int64_t winograd_partials(const winograd *g, const winograd_filter_cut *cut)
{
    return cut->pieces * cut->row_blocks * cut->col_blocks * winograd_partial(g, cut);
}

// What a task of phase 0 works with.
typedef struct winograd_filter_task {
    const winograd *g;
    const winograd_filter_cut *cut;
    const real *x, *dy;
    int64_t row, rows, col, cols;         // its block
    int64_t v_cols, d_cols, v_row, d_row; // from one position to the next, and from one tile to the next
    real *zeros, *v, *d;
    real *sums;       // of a chunk's pixels, for dbias; 0 between chunks
    real *du, *dbias; // where its sums go; dbias may be NULL
} winograd_filter_task;

static void winograd_filter_operands(const winograd_filter_task *t, int64_t first, int64_t tiles)
{
    const winograd *g = t->g;
    tile_place p = tile_place_of(g, 0, 0, g->high, first);
    for (int64_t i = 0; i < tiles; i++, tile_place_next(&p)) {
        int64_t at[POSITIONS_MAX];
        patch_of(g, &p, 0, g->s.h, at);
        winograd_v(g, t->x + t->row, at, t->zeros, t->rows, t->v_cols, t->v + i * t->v_row);
        outputs_of(g, &p, g->side, at);
        winograd_d(g, t->dy + t->col, at, t->zeros, t->cols, t->d_cols, t->d + i * t->d_row, t->dbias ? t->sums : NULL);
    }
}

// Adds the sums of a chunk to dbias.
static void winograd_bias_chunk(const winograd_filter_task *t, bool begins)
{
    for (int64_t f = 0; f < t->cols; f += LANES) {
        const vec sum = vec_load(t->sums + f);
        vec_store(t->dbias + f, begins ? sum : vec_load(t->dbias + f) + sum);
        vec_store(t->sums + f, vec_set(0));
    }
}

// dU of a block (+)= the products of `tiles` tiles, whose V and D begin at `v` and `d`.
static void winograd_filter_products(const winograd_filter_task *t, const real *v, const real *d, int64_t tiles,
                                     bool begins)
{
    const int64_t cols = in_vectors(t->cols);
    for (int position = 0; position < t->g->positions; position++) {
        const winograd_product q = {.a = v + position * t->v_cols,
                                    .a_row = 1,
                                    .a_step = t->v_row,
                                    .rows = t->rows,
                                    .b = d + position * t->d_cols,
                                    .b_step = t->d_row,
                                    .b_panel = PANEL_COLS,
                                    .depth = tiles,
                                    .cols = cols,
                                    .start = begins ? START_ZERO : START_SUM,
                                    .c = t->du + position * t->cut->rows * t->cut->cols_pad,
                                    .c_row = t->cut->cols_pad};
        winograd_multiply(&q);
    }
}

static void winograd_filter_chunk(const winograd_filter_task *t, int64_t first, int64_t tiles, bool begins)
{
    winograd_filter_operands(t, first, tiles);
    winograd_filter_products(t, t->v, t->d, tiles, begins);
    if (t->dbias)
        winograd_bias_chunk(t, begins);
}

// Sums a block of dU over a piece.
static void winograd_filter_piece(winograd_filter_task *t, real *workspace, bool sums_dbias, int64_t task)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    const int64_t blocks = cut->row_blocks * cut->col_blocks, piece = task / blocks;
    t->row = task % blocks / cut->col_blocks * cut->rows;
    t->col = task % cut->col_blocks * cut->cols;
    t->rows = least(cut->rows, g->s.c - t->row);
    t->cols = least(cut->cols, g->s.f - t->col);
    t->du = workspace + task * winograd_partial(g, cut);
    t->dbias = sums_dbias && t->row == 0 ? workspace + winograd_partials(g, cut) + piece * g->f_pad + t->col : NULL;
    const int64_t first = piece * cut->piece, last = least(first + cut->piece, g->tiles);
    for (int64_t at = first; at < last; at += cut->chunk)
        winograd_filter_chunk(t, at, least(cut->chunk, last - at), at == first);
}

// A vector of filters of the row of dw of one channel: `du` points to the first piece's sums at position 0.
ALWAYS_INLINE void winograd_taps_of(const int side, const winograd_filter_cut *cut, const real *du, int64_t piece_step,
                                    vec sum[PATCH_MAX][PATCH_MAX])
{
    const int64_t position = cut->rows * cut->cols_pad;
    load_positions(side + 2, du, position, sum);
    for (int64_t piece = 1; piece < cut->pieces; piece++) {
        du += piece_step;
        UNROLL
        for (int i = 0; i < side + 2; i++) {
            UNROLL
            for (int j = 0; j < side + 2; j++)
                sum[i][j] += vec_load(du + (i * (side + 2) + j) * position);
        }
    }
    transform_square(TRANSFORM_TAPS, side, sum);
}

// A vector of filters from `f` on of channel `c` of dw.
static void winograd_filter_vector(const winograd *g, const winograd_filter_cut *cut, const real *du,
                                   int64_t piece_step, real *dw, int64_t c, int64_t f)
{
    const vmask part = mask_first(least(LANES, g->s.f - f));
    vec taps[PATCH_MAX][PATCH_MAX];
    if (g->side == 2)
        winograd_taps_of(2, cut, du, piece_step, taps);
    else
        winograd_taps_of(4, cut, du, piece_step, taps);
    for (int t = 0; t < 9; t++)
        vec_store_part(dw + (t * g->s.c + c) * g->s.f + f, taps[t / 3][t % 3], part);
}

// The row of dw of channel c.
static void winograd_filter_finish(const winograd *g, const winograd_filter_cut *cut, const real *partials, real *dw,
                                   int64_t c)
{
    const int64_t piece_step = cut->row_blocks * cut->col_blocks * winograd_partial(g, cut);
    const int64_t row_block = c / cut->rows;
    for (int64_t f = 0; f < g->s.f; f += LANES) {
        const real *du = partials + (row_block * cut->col_blocks + f / cut->cols) * winograd_partial(g, cut) +
                         c % cut->rows * cut->cols_pad + f % cut->cols;
        winograd_filter_vector(g, cut, du, piece_step, dw, c, f);
    }
}

static void winograd_bias_finish(const winograd *g, const winograd_filter_cut *cut, const real *partials, real *dbias)
{
    for (int64_t f = 0; f < g->s.f; f += LANES) {
        vec sum = vec_load(partials + f);
        for (int64_t piece = 1; piece < cut->pieces; piece++)
            sum = sum + vec_load(partials + piece * g->f_pad + f);
        vec_store_part(dbias + f, sum, mask_first(least(LANES, g->s.f - f)));
    }
}

// ---- many filters for few tiles: phase 0 makes V and D, and a task of phase 1 a block of dU, which it finishes ----

static size_t wide_filter_operands(const winograd *g)
{
    return (size_t)(wide_operand(g, g->s.c) + wide_operand(g, g->s.f)) * sizeof(real);
}

static bool is_wide_by_filters(const winograd *g, const winograd_filter_cut *cut)
{
    const size_t du = (size_t)winograd_partials(g, cut) * sizeof(real);
    return cut->pieces == 1 && du >= WIDE_U && wide_filter_operands(g) <= 2 * du;
}

static void wide_filter_job(const winograd *g, const winograd_filter_cut *cut, bool sums_dbias, cj__job *job)
{
    const int64_t zeros = greatest(g->c_pad, g->f_pad);
    *job = (cj__job){.phases = 2,
                     .tasks = {pieces_of(g->tiles, WIDE_GROUP), cut->row_blocks * cut->col_blocks + sums_dbias},
                     .workspace = wide_filter_operands(g),
                     .scratch = (size_t)(zeros + winograd_partial(g, cut)) * sizeof(real)};
}

// dbias: the sum of each image, and their sum.
static void wide_bias(const cj__conv2d *s, const real *dy, real *dbias)
{
    for (int64_t f = 0; f < s->f; f += LANES) {
        const vmask part = mask_first(least(LANES, s->f - f));
        vec all = vec_set(0);
        for (int64_t i = 0; i < s->n; i++) {
            vec sum = vec_set(0);
            for (int64_t j = 0; j < s->oh * s->ow; j++)
                sum += vec_load_part(dy + (i * s->oh * s->ow + j) * s->f + f, part);
            all += sum;
        }
        vec_store_part(dbias + f, all, part);
    }
}

static void wide_filter_block(winograd_filter_task *t, real *dw, int64_t task)
{
    const winograd *g = t->g;
    const winograd_filter_cut *cut = t->cut;
    t->row = task / cut->col_blocks * cut->rows;
    t->col = task % cut->col_blocks * cut->cols;
    t->rows = least(cut->rows, g->s.c - t->row);
    t->cols = least(cut->cols, g->s.f - t->col);
    winograd_filter_products(t, t->v + t->row, t->d + t->col, g->tiles, true);
    for (int64_t c = 0; c < t->rows; c++)
        for (int64_t f = 0; f < t->cols; f += LANES)
            winograd_filter_vector(g, cut, t->du + c * cut->cols_pad + f, 0, dw, t->row + c, t->col + f);
}

static void wide_filter_run(const winograd *g, const winograd_filter_cut *cut, const cj__conv2d_args *a,
                            real *workspace, real *scratch, int phase, int64_t task)
{
    winograd_filter_task t = {
        .g = g, .cut = cut, .x = a->x, .dy = a->dy, .rows = g->s.c, .cols = g->s.f, .zeros = scratch};
    const int64_t zeros = greatest(g->c_pad, g->f_pad), first = task * WIDE_GROUP;
    t.v_cols = g->c_pad, t.d_cols = g->f_pad;
    t.v_row = tile_step(g, t.v_cols), t.d_row = tile_step(g, t.d_cols);
    t.v = workspace, t.d = workspace + g->tiles * t.v_row;
    t.du = scratch + zeros;
    if (phase == 0) {
        t.v += first * t.v_row, t.d += first * t.d_row;
        memset(t.zeros, 0, (size_t)zeros * sizeof(real));
        winograd_filter_operands(&t, first, least(WIDE_GROUP, g->tiles - first));
    } else if (task < cut->row_blocks * cut->col_blocks) {
        wide_filter_block(&t, a->dw, task);
    } else {
        wide_bias(&g->s, a->dy, a->dbias);
    }
}

static void winograd_filter_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_of(a);
    const winograd_filter_cut cut = winograd_filter_cut_of(&g);
    if (is_wide_by_filters(&g, &cut)) {
        wide_filter_job(&g, &cut, a->sums_dbias, job);
        return;
    }
    const int64_t v_cols = in_vectors(cut.rows);
    const int64_t steps = tile_step(&g, v_cols) + tile_step(&g, cut.cols_pad);
    *job = (cj__job){.phases = 2,
                     .tasks = {cut.pieces * cut.row_blocks * cut.col_blocks, g.s.c + (a->sums_dbias ? 1 : 0)},
                     .workspace = (size_t)(winograd_partials(&g, &cut) + cut.pieces * g.f_pad) * sizeof(real),
                     .scratch =
                         (size_t)(greatest(v_cols, cut.cols_pad) + cut.cols_pad + cut.chunk * steps) * sizeof(real)};
}

static void winograd_filter_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase, int64_t begin,
                                     int64_t end)
{
    const winograd g = winograd_of(a);
    const winograd_filter_cut cut = winograd_filter_cut_of(&g);
    winograd_filter_task t = {.g = &g, .cut = &cut, .x = a->x, .dy = a->dy, .zeros = scratch};
    const bool wide = is_wide_by_filters(&g, &cut);
    t.v_cols = in_vectors(cut.rows);
    t.d_cols = cut.cols_pad;
    t.v_row = tile_step(&g, t.v_cols);
    t.d_row = tile_step(&g, t.d_cols);
    t.sums = t.zeros + greatest(t.v_cols, cut.cols_pad);
    t.v = t.sums + cut.cols_pad;
    t.d = t.v + cut.chunk * t.v_row;
    if (phase == 0 && !wide)
        memset(t.zeros, 0, (size_t)(t.v - t.zeros) * sizeof(real));
    for (int64_t task = begin; task < end; task++) {
        if (wide)
            wide_filter_run(&g, &cut, a, workspace, scratch, phase, task);
        else if (phase == 0)
            winograd_filter_piece(&t, workspace, a->sums_dbias, task);
        else if (task < g.s.c)
            winograd_filter_finish(&g, &cut, workspace, a->dw, task);
        else
            winograd_bias_finish(&g, &cut, (const real *)workspace + winograd_partials(&g, &cut), a->dbias);
    }
}
