// Winograd's form forward and by the input: y = pool(act(conv(x, w) + bias)); see winograd.h.
//
// Phase 0 makes U, a task a row of it. Phase 1: a task is a chunk of tiles and a block of filters; it makes V, M for each
// position, and then the outputs. A tile is exactly a window of a 2 x 2 pool, so the pool takes no pass of its own.

// What a task of phase 1 works with.
typedef struct winograd_task {
    const winograd *g;
    const real *x, *u;
    const cj__conv2d_args *a; // of the whole call
    epilogue e;
    bool pools;
    real *y;
    uint8_t *place;
    real *zeros, *v, *m, *unwanted; // scratch
    int64_t v_step, m_step, m_cols;
    int64_t first, tiles; // of the chunk
    int64_t col, cols;    // of the block
} winograd_task;

static size_t winograd_scratch(const winograd *g)
{
    const int64_t block = in_lines(least(g->block, g->f));
    return (size_t)(g->c_pad + position_step(g->chunk, g->c_pad) * POSITIONS +
                    position_step(g->chunk, block) * POSITIONS + block) * sizeof(real);
}

static void winograd_inputs(const winograd_task *t)
{
    const winograd *g = t->g;
    tile_place place = tile_place_of(g, t->first);
    for (int64_t i = 0; i < t->tiles; i++, tile_place_next(g, &place)) {
        const real *pixels[POSITIONS];
        patch_of(g, t->x, &place, t->zeros, pixels);
        transform_patch(pixels, 0, g->c, t->v_step, t->v + i * g->c_pad);
    }
}

// M of one position: (tiles, c) times panels of U.
static void winograd_product(const winograd_task *t, int position)
{
    static const int64_t no_offset[1] = {0};
    const winograd *g = t->g;
    const real *v = t->v + position * t->v_step;
    real *m = t->m + position * t->m_step;
    for (int64_t col = 0; col < t->cols; col += PANEL_COLS) {
        const int64_t cols = in_lines(least(PANEL_COLS, t->cols - col));
        const int vecs = (int)(cols / LANES);
        tile k = {.segments = no_offset, .segment_count = 1, .length = g->c, .a_step = 1, .b_step = PANEL_COLS};
        k.b = t->u + winograd_u_at(g, position, 0, t->col + col);
        k.cols = cols;
        for (int64_t row = 0; row < t->tiles; row += tile_rows[vecs]) {
            const int rows = (int)least(tile_rows[vecs], t->tiles - row);
            for (int r = 0; r < rows; r++) {
                k.a[r] = v + (row + r) * g->c_pad;
                k.c[r] = m + (row + r) * t->m_cols + col;
            }
            tile_run(&k, vecs, rows);
        }
    }
}

// A^T m A + bias, and ReLU; y[i] of pixel (i / 2, i % 2).
ALWAYS_INLINE void transform_output(const real *m, int64_t step, vec bias, bool relu, vec y[4])
{
    vec rows[2][PATCH];
    UNROLL
    for (int j = 0; j < PATCH; j++) {
        const vec m0 = vec_load(m + j * step), m1 = vec_load(m + (4 + j) * step);
        const vec m2 = vec_load(m + (8 + j) * step), m3 = vec_load(m + (12 + j) * step);
        rows[0][j] = m0 + m1 + m2;
        rows[1][j] = m1 - m2 - m3;
    }
    UNROLL
    for (int i = 0; i < 2; i++) {
        y[2 * i] = bias + rows[i][0] + rows[i][1] + rows[i][2];
        y[2 * i + 1] = bias + rows[i][1] - rows[i][2] - rows[i][3];
    }
    if (relu) {
        UNROLL
        for (int i = 0; i < 4; i++)
            y[i] = vec_max(vec_set(0), y[i]);
    }
}

// The vector of the bias that belongs to columns `col` of the block.
ALWAYS_INLINE vec bias_at(const winograd_task *t, int64_t col, vmask part)
{
    return t->e.bias ? vec_load_part(t->e.bias + t->col + col, part) : vec_set(0);
}

// The outputs of one tile; those outside the image go to `unwanted`.
static void winograd_outputs(const winograd_task *t, const tile_place *p, const real *m)
{
    const winograd *g = t->g;
    real *to[4], *wanted[4];
    int count = 0;
    for (int i = 0; i < 4; i++) {
        const int64_t row = 2 * p->i + i / 2, col = 2 * p->j + i % 2;
        to[i] = t->unwanted;
        if (row < g->oh && col < g->ow)
            to[i] = wanted[count++] = t->y + ((p->image * g->oh + row) * g->ow + col) * g->f + t->col;
    }
    const bool relu = is_relu(&t->e);
    for (int64_t col = 0; col < t->cols; col += LANES) {
        const vmask part = mask_first(least(LANES, t->cols - col));
        vec y[4];
        transform_output(m + col, t->m_step, bias_at(t, col, part), relu, y);
        UNROLL
        for (int i = 0; i < 4; i++)
            vec_store_part(to[i] + col, y[i], part);
    }
    finish_rows(&t->e, wanted, count, t->cols);
}

// The greatest of a tile's outputs and its place; NaN is greater than all, as in plain C.
static void winograd_pooled(const winograd_task *t, const tile_place *p, const real *m)
{
    const winograd *g = t->g;
    const int64_t at = ((p->image * g->high + p->i) * g->wide + p->j) * g->f + t->col;
    const bool relu = is_relu(&t->e);
    for (int64_t col = 0; col < t->cols; col += LANES) {
        const int64_t count = least(LANES, t->cols - col);
        const vmask part = mask_first(count);
        vec y[4];
        transform_output(m + col, t->m_step, bias_at(t, col, part), false, y);
        vec best = y[0];
        ivec place = ivec_set(0);
        UNROLL
        for (int i = 1; i < 4; i++) {
            const vmask nan = mask_and(mask_not(vec_eq(y[i], y[i])), vec_eq(best, best));
            const vmask better = mask_or(vec_lt(best, y[i]), nan);
            best = vec_pick(better, y[i], best);
            place = (ivec)vec_pick(better, (vec)ivec_set(i), (vec)place);
        }
        if (relu) {
            place = (ivec)vec_pick(vec_lt(vec_set(0), best), (vec)place, (vec)ivec_set(4));
            best = vec_max(vec_set(0), best);
        }
        vec_store_part(t->y + at + col, best, part);
        if (t->place) {
            uint8_t bytes[LANES];
            ivec_store_bytes(bytes, place);
            memcpy(t->place + at + col, bytes, (size_t)count);
        }
    }
}

static void winograd_task_run(const winograd_task *t)
{
    memset(t->zeros, 0, (size_t)t->g->c_pad * sizeof(real));
    winograd_inputs(t);
    for (int position = 0; position < POSITIONS; position++)
        winograd_product(t, position);
    tile_place place = tile_place_of(t->g, t->first);
    for (int64_t i = 0; i < t->tiles; i++, tile_place_next(t->g, &place)) {
        const real *m = t->m + i * t->m_cols;
        if (t->pools)
            winograd_pooled(t, &place, m);
        else
            winograd_outputs(t, &place, m);
    }
}

static void winograd_job_of(const winograd *g, int64_t rows, cj__job *job)
{
    *job = (cj__job){.phases = 2,
                     .tasks = {rows, g->chunks * g->blocks},
                     .workspace = winograd_u_size(g),
                     .scratch = winograd_scratch(g)};
}

// Tasks of phase 1; `t` has the operands.
static void winograd_multiply(winograd_task *t, real *scratch, int64_t begin, int64_t end)
{
    const winograd *g = t->g;
    for (int64_t task = begin; task < end; task++) {
        t->first = task / g->blocks * g->chunk;
        t->tiles = least(g->chunk, g->tiles - t->first);
        t->col = task % g->blocks * g->block;
        t->cols = least(g->block, g->f - t->col);
        t->m_cols = in_lines(t->cols);
        t->v_step = position_step(g->chunk, g->c_pad);
        t->m_step = position_step(g->chunk, t->m_cols);
        t->zeros = scratch;
        t->v = t->zeros + g->c_pad;
        t->m = t->v + t->v_step * POSITIONS;
        t->unwanted = t->m + t->m_step * POSITIONS;
        winograd_task_run(t);
    }
}

static void winograd_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_forward_of(&a->s);
    winograd_job_of(&g, g.c, job);
}

static void winograd_forward_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase, int64_t begin,
                                 int64_t end)
{
    const winograd g = winograd_forward_of(&a->s);
    if (phase == 0) {
        for (int64_t c = begin; c < end; c++)
            winograd_filters(&g, a->w, workspace, c);
        return;
    }
    winograd_task t = {.g = &g, .x = a->x, .u = workspace, .a = a, .y = a->y, .place = a->place};
    t.e = (epilogue){a->bias, a->act, a->act_a, a->act_b};
    t.pools = a->pool_h > 1;
    winograd_multiply(&t, scratch, begin, end);
}

static void winograd_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const winograd g = winograd_input_grad_of(&a->s);
    winograd_job_of(&g, pieces_of(g.f, LANES), job);
}

static void winograd_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase, int64_t begin,
                                    int64_t end)
{
    const winograd g = winograd_input_grad_of(&a->s);
    if (phase == 0) {
        for (int64_t row = begin; row < end; row++)
            winograd_turned_filters(&g, a->w, workspace, row * LANES);
        return;
    }
    winograd_task t = {.g = &g, .x = a->dy, .u = workspace, .a = a, .y = a->dx};
    t.e.act = CJ__UNARY_NONE;
    winograd_multiply(&t, scratch, begin, end);
}
