// One kind of distance: the tile, and what packs a panel for it and runs it over rows. A template
// without a guard, for distances.h, which defines
//
//   NAME(word)              the word with the kind's name
//   ELEMENT, LANE, VECTOR   an element of a row, a group of GROUP elements in a lane, a vector of
//                           those
//   SPREAD(group)           a group in all lanes
//   STEP(sum, x, q)         the sum with one group of the row and one of each query
//   ROW_GROUP, QUERY_GROUP  (elements, count): a group of a row, of a query
//   WIDENED                 whether rows are turned into groups of 16-bit numbers beforehand
//   PIECE                   elements that a lane's sum has room for, a multiple of GROUP
//   AS_DOUBLE(sum)          a lane's sum as a double
//   CENTRED                 whether d = centred[j] + head[i] - 2 sum, instead of d = sum
//
// and are undefined here.

// Adds the sums of `rows` rows against a part of `vecs` vectors of queries to d.
ALWAYS_INLINE void NAME(tile)(const held_rows *t, const LANE *q, const int rows, const int vecs)
{
    enum { WIDE = VEC_BYTES / sizeof(LANE) };
    VECTOR sum[ROWS_MAX][TILE_VECS_MAX];
    const char *x[ROWS_MAX];
    UNROLL
    for (int i = 0; i < rows; i++) {
        x[i] = t->x[i];
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[i][v] = BROADCAST(0);
    }
    const int64_t end = t->groups * (int64_t)sizeof(LANE);
    for (int64_t at = 0; at < end; at += (int64_t)sizeof(LANE), q += vecs * WIDE) {
        VECTOR w[TILE_VECS_MAX];
        fetch_ahead(q, STEPS_AHEAD * vecs * VEC_BYTES, vecs);
        UNROLL
        for (int v = 0; v < vecs; v++)
            memcpy(&w[v], q + v * WIDE, VEC_BYTES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            LANE group;
            memcpy(&group, x[i] + at, sizeof group);
            const VECTOR x_group = BROADCAST(group);
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[i][v] = STEP(sum[i][v], x_group, w[v]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        LANE lanes[TILE_VECS_MAX * WIDE];
        double *d = t->d[i];
        UNROLL
        for (int v = 0; v < vecs; v++)
            memcpy(lanes + v * WIDE, &sum[i][v], VEC_BYTES);
        for (int l = 0; i < t->count && l < vecs * WIDE; l++)
            d[l] += (CENTRED ? -2 : 1) * AS_DOUBLE(lanes[l]);
    }
}

#define TILE(v, r)                                                \
    static void NAME(tile_##v)(const held_rows *t, const LANE *q) \
    {                                                             \
        NAME(tile)(t, q, r, v);                                   \
    }
TILE_SHAPES(TILE)
#undef TILE

// The rows of `t` against every part of a panel whose queries have `groups` groups, from group
// `first` on.
static void NAME(hold)(held_rows t, int64_t count, int64_t groups, int64_t first, const LANE *q)
{
    static void (*const tiles[TILE_VECS_MAX + 1])(const held_rows *t, const LANE *q) = {
#define ROW(v, r) [v] = NAME(tile_##v),
        TILE_SHAPES(ROW)
#undef ROW
    };
    enum { WIDE = VEC_BYTES / sizeof(LANE), PART = TILE_VECS_MAX * WIDE };
    for (int64_t i = 0; i < count; i += PART) {
        const int vecs = part_vecs(count, i, WIDE);
        tiles[vecs](&t, q + i * groups + first * vecs * WIDE);
        for (int row = 0; row < t.count; row++)
            t.d[row] += PART;
    }
}

// One piece of the rows from `x` on, `t->count` of them, `length` elements long.
static void NAME(hold_piece)(held_rows *t, const ELEMENT *x, int64_t width, int64_t length,
                             int64_t count, int64_t first, const LANE *q)
{
    const int64_t groups = ceil_div(width, GROUP), whole = length / GROUP, rest = length % GROUP;
#if WIDENED
    int16_t wide[ROWS_MAX][WIDENED_PIECE];
#else
    LANE tail[ROWS_MAX];
#endif
    for (int i = 0; i < ROWS_MAX; i++) {
        const ELEMENT *row = x + min(i, t->count - 1) * width;
        t->x[i] = (const char *)row;
#if WIDENED
        for (int64_t p = 0; i < t->count && p < length; p++)
            wide[i][p] = row[p];
        if (rest)
            wide[i][length] = 0;
        t->x[i] = (const char *)wide[min(i, t->count - 1)];
#endif
    }
    t->groups = WIDENED ? whole + rest : whole;
    NAME(hold)(*t, count, groups, first / GROUP, q);
#if !WIDENED
    if (rest == 0)
        return;
    for (int i = 0; i < ROWS_MAX; i++) {
        tail[i] = ROW_GROUP((const ELEMENT *)t->x[i] + whole * GROUP, rest);
        t->x[i] = (const char *)&tail[i];
    }
    t->groups = 1;
    NAME(hold)(*t, count, groups, first / GROUP + whole, q);
#endif
}

static void NAME(run)(int64_t count, int64_t rows, int64_t width, const void *panel, const void *x,
                      const int64_t *centred, double *d)
{
    enum { WIDE = VEC_BYTES / sizeof(LANE) };
    const double *head = panel;
    for (int64_t j = 0; j < rows; j++)
        for (int i = 0; i < CJ__PANEL; i++)
            d[j * CJ__PANEL + i] = CENTRED ? (double)centred[j] + head[i] : 0;
    const int64_t at_once = rows_of_width[part_vecs(count, 0, WIDE)];
    for (int64_t first = 0; first < width; first += PIECE)
        for (int64_t j = 0; j < rows; j += at_once) {
            held_rows t = {.count = (int)min(at_once, rows - j)};
            for (int i = 0; i < ROWS_MAX; i++)
                t.d[i] = d + (j + min(i, t.count - 1)) * CJ__PANEL;
            NAME(hold_piece)
            (&t, (const ELEMENT *)x + j * width + first, width, min(PIECE, width - first), count,
             first, (const LANE *)(head + CJ__PANEL));
        }
}

static size_t NAME(panel_size)(int64_t width)
{
    return CJ__PANEL * (sizeof(double) + (size_t)ceil_div(width, GROUP) * sizeof(LANE));
}

static void NAME(pack)(int64_t count, int64_t width, const void *queries, void *panel)
{
    enum { WIDE = VEC_BYTES / sizeof(LANE), PART = TILE_VECS_MAX * WIDE };
    double *head = panel;
    LANE *to = (LANE *)(head + CJ__PANEL);
    const ELEMENT *q = queries;
    for (int64_t i = 0; i < CJ__PANEL; i++) {
        int64_t sum = 0;
        for (int64_t p = 0; CENTRED && i < count && p < width;
             p++) // q'^2 + 256 q' = (q' + 128)^2 - 128^2 = q^2 - 128^2
            sum += (int64_t)q[i * width + p] * (int64_t)q[i * width + p] - 128 * 128;
        head[i] = (double)sum;
    }
    for (int64_t i = 0; i < count; i += PART) {
        const int64_t lanes = (int64_t)part_vecs(count, i, WIDE) * WIDE;
        for (int64_t p = 0; p < width; p += GROUP)
            for (int64_t l = 0; l < lanes; l++) {
                const int64_t query = min(i + l, count - 1); // idle lanes repeat the last query
                *to++ = QUERY_GROUP(q + query * width + p, min(GROUP, width - p));
            }
    }
}

#undef NAME
#undef ELEMENT
#undef LANE
#undef VECTOR
#undef BROADCAST
#undef STEP
#undef GROUP
#undef WIDENED
#undef PIECE
#undef ROW_GROUP
#undef QUERY_GROUP
#undef AS_DOUBLE
#undef CENTRED
