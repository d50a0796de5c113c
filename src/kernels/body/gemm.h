// C = act(op(A) op(B) + bias): see cj__gemm, and gemm_form.h for the ways of computing it.
//
// A task is a block of rows of C by a panel of columns (or a few panels, if rows are few). The sum is cut into pieces, so
// that the panel's part of B stays in the cache while the tiles walk down the rows.
enum { PACK_DEPTH = 64 };

static int64_t panel_width(const cj__gemm *g, int64_t panel)
{
    return pieces_of(least(PANEL_COLS, g->n - panel * PANEL_COLS), LANES) * LANES;
}

static int64_t tasks_across(const product *p)
{
    return pieces_of(p->g.n, p->panels * PANEL_COLS);
}

static int64_t product_tasks(const product *p)
{
    return p->dots ? pieces_of(p->g.n, DOT_COLS) : tasks_across(p) * pieces_of(p->g.m, p->rows);
}

static int64_t pack_tasks(const product *p)
{
    return p->packs_b ? pieces_of(p->g.n, PANEL_COLS) * pieces_of(p->g.k, PACK_DEPTH) : 0;
}

// Reals of one task's piece of B.
static int64_t piece_size(const product *p)
{
    return PANEL_COLS * least(p->depth, p->g.k);
}

static void gemm_job(const cj__gemm *g, cj__job *job)
{
    const product p = product_of(g);
    const int64_t packs = copy_a_tasks(&p) + pack_tasks(&p), tasks = product_tasks(&p);
    *job = (cj__job){.phases = 1, .tasks = {tasks}};
    if (packs > 0)
        *job = (cj__job){.phases = 2, .tasks = {packs, tasks}};
    const int64_t b = p.packs_b        ? pieces_of(p.g.n, PANEL_COLS) * PANEL_COLS * p.g.k
                      : p.packs_pieces ? tasks * piece_size(&p)
                                       : 0;
    job->workspace = copied_a_size(&p) + (size_t)b * sizeof(real);
}

// Packs PACK_DEPTH rows of one panel.
static void pack_task(const product *p, real *packed, int64_t task)
{
    const cj__gemm *g = &p->g;
    const int64_t depths = pieces_of(g->k, PACK_DEPTH), panel = task / depths, first = task % depths * PACK_DEPTH;
    const int64_t col = panel * PANEL_COLS, width = panel_width(g, panel);
    pack_b(g, col, least(PANEL_COLS, g->n - col), first, least(PACK_DEPTH, g->k - first),
           packed + panel * g->k * PANEL_COLS + first * width, width);
}

// One panel's piece of the sum.
typedef struct gemm_piece {
    int64_t col, cols, first, length;
    const real *copy; // of A, or NULL
    const real *next; // of B that is wanted next: rows of a panel, `next_rows` of them
    int64_t next_rows;
    bool ends;
} gemm_piece;

static void point_at_a(const product *p, const gemm_piece *s, tile *t, int64_t row, int rows)
{
    const cj__gemm *g = &p->g;
    const int64_t a_row = g->trans_a ? 1 : g->lda;
    for (int i = 0; i < rows; i++)
        t->a[i] = s->copy ? s->copy + copied_a(p, row + i, s->first, s->length)
                          : (const real *)g->a + (row + i) * a_row + s->first * t->a_step;
}

// Fetches a line's column of the next rows of B while a tile runs; `index` is the tile's.
static void look_ahead(const product *p, const gemm_piece *s, tile *t, int64_t index)
{
    const int64_t line = 64 / CJ_REAL_BYTES;
    t->ahead = t->b;
    t->ahead_step = 0;
    if (s->next && index * line < s->cols && s->length <= s->next_rows) {
        t->ahead = s->next + index * line;
        t->ahead_step = p->g.ldb;
    }
}

// Rows of the next tile: never a lone few after a full one, because few rows do less with each element of B.
static int rows_of_tile(int64_t left, int full)
{
    return (int)(left <= full ? left : left < 2 * full ? (left + 1) / 2 : full);
}

static void piece_of_c(const product *p, const gemm_piece *s, tile *t, int vecs, int64_t row0, int64_t row1)
{
    const cj__gemm *g = &p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b};
    t->start = s->first > 0 ? START_SUM : g->bias ? START_BIAS : START_ZERO;
    t->bias = g->bias ? (const real *)g->bias + s->col : NULL;
    for (int64_t row = row0, index = 0, rows; row < row1; row += rows, index++) {
        rows = rows_of_tile(row1 - row, tile_rows[vecs]);
        point_at_a(p, s, t, row, (int)rows);
        for (int i = 0; i < rows; i++)
            t->c[i] = (real *)g->c + (row + i) * g->ldc + s->col;
        if (p->far) {
            look_ahead(p, s, t, index);
            far_tile_run(t, vecs, (int)rows);
        } else {
            tile_run(t, vecs, (int)rows);
        }
        if (s->ends)
            finish_rows(&e, t->c, (int)rows, t->cols);
    }
}

// The same where C is computed transposed: a tile's result is put into C by columns.
static void piece_of_flipped_c(const product *p, const gemm_piece *s, tile *t, int vecs, int64_t row0, int64_t row1)
{
    const cj__gemm *g = &p->g;
    const epilogue e = {g->bias, g->act, g->act_a, g->act_b};
    const int64_t width = vecs * LANES;
    real square[TILE_ROWS_MAX * PANEL_COLS];
    t->start = s->first > 0 || g->bias ? START_SUM : START_ZERO;
    for (int64_t row = row0, rows; row < row1; row += rows) {
        real *const c = (real *)g->c + s->col * g->ldc + row;
        rows = rows_of_tile(row1 - row, tile_rows[vecs]);
        point_at_a(p, s, t, row, (int)rows);
        for (int i = 0; i < rows; i++)
            t->c[i] = square + i * width;
        if (s->first > 0)
            transpose_block(c, g->ldc, t->cols, rows, square, width);
        else
            for (int64_t i = 0; g->bias && i < rows * width; i++)
                square[i] = ((const real *)g->bias)[row + i / width];
        tile_run(t, vecs, (int)rows);
        if (s->ends)
            finish_rows(&e, t->c, (int)rows, t->cols);
        transpose_block(square, width, rows, t->cols, c, g->ldc);
    }
}

// Where a task finds B: packed by phase 0, packed by itself piece after piece, or as it is.
static void find_b(const product *p, const gemm_piece *s, int vecs, real *packed, int64_t task, tile *t)
{
    const cj__gemm *g = &p->g;
    const int64_t width = vecs * LANES;
    t->b_step = width;
    if (p->packs_b) {
        t->b = packed + s->col * g->k + s->first * width;
    } else if (p->packs_pieces) {
        real *const to = packed + task * piece_size(p);
        pack_b(g, s->col, s->cols, s->first, s->length, to, width);
        t->b = to;
    } else {
        t->b = (const real *)g->b + s->first * g->ldb + s->col;
        t->b_step = g->ldb;
    }
}

static void find_next(const product *p, gemm_piece *s)
{
    const cj__gemm *g = &p->g;
    const int64_t first = s->ends ? 0 : s->first + s->length, col = s->ends ? s->col + PANEL_COLS : s->col;
    s->next = NULL;
    if (p->packs_pieces && !g->trans_b && col < g->n) {
        s->next = (const real *)g->b + first * g->ldb + col;
        s->next_rows = g->k - first;
    }
}

static void gemm_block(const product *p, const real *copy, real *packed, int64_t task)
{
    static const int64_t no_offset[1] = {0};
    const cj__gemm *g = &p->g;
    const int64_t across = tasks_across(p), panel0 = task % across * p->panels, row0 = task / across * p->rows;
    const int64_t row1 = least(row0 + p->rows, g->m), end = least((panel0 + p->panels) * PANEL_COLS, g->n);
    tile t = {.segments = no_offset, .segment_count = 1};
    t.a_step = !g->trans_a ? 1 : copy ? LANES : g->lda;
    for (int64_t first = 0; first == 0 || first < g->k; first += p->depth) {
        for (int64_t col = panel0 * PANEL_COLS; col < end; col += PANEL_COLS) {
            gemm_piece s = {.col = col, .cols = least(PANEL_COLS, end - col), .first = first, .copy = copy};
            const int vecs = (int)pieces_of(s.cols, LANES);
            s.length = t.length = least(p->depth, g->k - first);
            s.ends = first + s.length == g->k;
            t.cols = s.cols;
            t.relu = s.ends && g->act == CJ__UNARY_relu;
            find_b(p, &s, vecs, packed, task, &t);
            find_next(p, &s);
            (p->flips ? piece_of_flipped_c : piece_of_c)(p, &s, &t, vecs, row0, row1);
        }
    }
}

static void gemm_run(const cj__gemm *g, void *workspace, int phase, int64_t begin, int64_t end)
{
    const product p = product_of(g);
    const int64_t copies = copy_a_tasks(&p), packs = phase == 0 ? copies + pack_tasks(&p) : 0;
    real *const packed = (real *)(void *)((char *)workspace + copied_a_size(&p));
    for (int64_t task = begin; task < end; task++) {
        if (packs > 0 && task < copies)
            copy_a(&p, workspace, task);
        else if (packs > 0)
            pack_task(&p, packed, task - copies);
        else if (p.dots)
            gemm_dots(&p, task);
        else
            gemm_block(&p, p.copies_a ? workspace : NULL, packed, task);
    }
}
