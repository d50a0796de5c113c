// Copies of a product's operands, and the transpose.

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

static void transpose(int64_t rows, int64_t cols, const void *x, int64_t ldx, void *y, int64_t ldy)
{
    transpose_block(x, ldx, rows, cols, y, ldy);
}

static void copy_reals(real *to, const real *from, int64_t count)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vec_store(to + i, vec_load(from + i));
    if (i < count) {
        const vmask rest = mask_first(count - i);
        vec_store_part(to + i, vec_load_part(from + i, rest), rest);
    }
}

// A copied: pieces of the sum one after another. Rows of a piece are adjacent, or, where A is transposed, woven in groups
// of LANES, so that a tile reads its rows from one line of the cache. Where element (row, first) of a piece of `length`
// is:
static int64_t copied_a(const product *p, int64_t row, int64_t first, int64_t length)
{
    const int64_t piece = first * pieces_of(p->g.m, LANES) * LANES;
    return p->g.trans_a ? piece + row / LANES * LANES * length + row % LANES : piece + row * length;
}

static size_t copied_a_size(const product *p)
{
    const size_t size = (size_t)pieces_of(p->g.m, LANES) * LANES * (size_t)p->g.k * sizeof(real);
    return p->copies_a ? (size + 63) / 64 * 64 : 0;
}

enum { COPY_ROWS = 256 };

static int64_t copy_a_tasks(const product *p)
{
    return p->copies_a ? pieces_of(p->g.m, COPY_ROWS) * pieces_of(p->g.k, p->depth) : 0;
}

static void copy_a(const product *p, real *copy, int64_t task)
{
    const cj__gemm *g = &p->g;
    const int64_t chunks = pieces_of(g->m, COPY_ROWS), row0 = task % chunks * COPY_ROWS;
    const int64_t row1 = least(row0 + COPY_ROWS, g->m), first = task / chunks * p->depth;
    const int64_t length = least(p->depth, g->k - first);
    const real *const a = g->a;
    if (!g->trans_a) {
        for (int64_t row = row0; row < row1; row++)
            copy_reals(copy + copied_a(p, row, first, length), a + row * g->lda + first, length);
        return;
    }
    for (int64_t i = 0; i < length; i++)
        for (int64_t row = row0; row < row1; row += LANES)
            copy_reals(copy + copied_a(p, row, first, length) + i * LANES, a + (first + i) * g->lda + row,
                       least(LANES, row1 - row));
}

// Packs rows first .. first + depth - 1 of a panel of B, `step` apart. What lies beyond the panel's columns stays as it is.
static void pack_b(const cj__gemm *g, int64_t col, int64_t cols, int64_t first, int64_t depth, real *to, int64_t step)
{
    const real *const b = g->b;
    if (g->trans_b) {
        transpose_block(b + col * g->ldb + first, g->ldb, cols, depth, to, step);
        return;
    }
    for (int64_t p = 0; p < depth; p++)
        copy_reals(to + p * step, b + (first + p) * g->ldb + col, cols);
}
