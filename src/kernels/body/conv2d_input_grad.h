// The gradient of a 2-D convolution by the input, gathered:
//
//   dx[pixel][c] = sum over f and the taps (u, v) that reach the pixel of dy[place of tap][f] w[u][v][c][f]
//
// Pixels that the same taps reach form rectangles, a class of rows by one of columns (conv2d_axis.h), through all images
// of a task: with strides one for each parity, and one for each edge. Each is a small dense convolution over dy with
// exactly those taps, so that dx is written once, nothing is multiplied with padding, and what no tap reaches is only
// zeroed.
//
// A first phase transposes the filters, so that channels are adjacent, and lays the taps of a class one after another:
// turned around, those of one remainder by the stride together. A task is a panel of channels of some rows of an image,
// or of several whole images.
typedef struct gather {
    cj__conv2d s;
    conv_axis rows, cols;
    const real *dy, *turned;
    real *dx;
    int64_t depth, filters; // of one group
} gather;

static gather gather_of(const cj__conv2d_args *a, const void *turned)
{
    const cj__conv2d *s = &a->s;
    return (gather){
        .s = *s,
        .rows = axis_of(1, s->sh, (s->kh - 1) * s->dh - s->top, s->dh, s->kh, s->oh),
        .cols = axis_of(1, s->sw, (s->kw - 1) * s->dw - s->left, s->dw, s->kw, s->ow),
        .dy = a->dy,
        .turned = turned,
        .dx = a->dx,
        .depth = s->c / s->groups,
        .filters = s->f / s->groups,
    };
}

// ---- how it is cut ----

enum { GATHER_TASKS = 16, GATHER_PIXELS = 1024 }; // tasks at least, and pixels of one at most, where there are as many

typedef struct gather_cut {
    int64_t panel, panels;  // channels of a panel, and panels of all groups
    int64_t images, rows;   // of a task
    int64_t strips;         // of an image
} gather_cut;

static gather_cut gather_cut_of(const cj__conv2d *s)
{
    const int64_t depth = s->c / s->groups, image = greatest(s->h * s->w, 1);
    gather_cut cut = {.panel = PANEL_COLS, .images = 1, .rows = greatest(s->h, 1)};
    cut.panels = pieces_of(depth, cut.panel) * s->groups;
    const int64_t pixels = least(pieces_of(greatest(s->n, 1) * image * cut.panels, GATHER_TASKS), GATHER_PIXELS);
    if (pixels >= image)
        cut.images = pixels / image;
    else
        cut.rows = least(pieces_of(pieces_of(pixels, s->w), s->sh) * s->sh, s->h);
    cut.strips = pieces_of(s->h, cut.rows);
    return cut;
}

static size_t turned_size(const cj__conv2d *s)
{
    return (size_t)(s->kh * s->kw * (s->c / s->groups) * s->f) * sizeof(real);
}

static void conv2d_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    if (winograd_serves(a, CJ__CONV2D_INPUT_GRAD)) {
        winograd_input_grad_job(a, job);
        return;
    }
    const cj__conv2d *s = &a->s;
    const gather_cut cut = gather_cut_of(s);
    *job = (cj__job){.phases = 2,
                     .tasks = {s->kh * s->kw, pieces_of(s->n, cut.images) * cut.strips * cut.panels},
                     .prepares = 1,
                     .workspace = turned_size(s)};
}

// ---- the turned filters ----

// Taps of an axis with this remainder, and where they begin among all.
static int64_t taps_of(const conv_axis *a, int64_t remainder)
{
    return remainder < a->taps ? pieces_of(a->taps - remainder, a->tap_step) : 0;
}

static int64_t taps_before(const conv_axis *a, int64_t remainder)
{
    int64_t before = 0;
    for (int64_t r = 0; r < remainder; r++)
        before += taps_of(a, r);
    return before;
}

// The place of tap (u, v), turned around already: rows of one remainder, in them columns of one, in them (u, v).
static int64_t turned_place(const gather *g, int64_t u, int64_t v)
{
    const int64_t r = u % g->rows.tap_step, q = v % g->cols.tap_step, high = taps_of(&g->rows, r);
    return taps_before(&g->rows, r) * g->cols.taps + taps_before(&g->cols, q) * high +
           u / g->rows.tap_step * taps_of(&g->cols, q) + v / g->cols.tap_step;
}

// (c, f) of one tap becomes (f, c).
static void turn_tap(const gather *g, const real *w, real *turned, int64_t tap)
{
    const int64_t u = g->s.kh - 1 - tap / g->s.kw, v = g->s.kw - 1 - tap % g->s.kw, size = g->depth * g->s.f;
    transpose_block(w + tap * size, g->s.f, g->depth, g->s.f, turned + turned_place(g, u, v) * size, g->depth);
}

// ---- rectangles ----

// What a task makes: rows row0 .. row1 - 1 of some images, channels from `channel` on.
typedef struct gather_part {
    int64_t image0, image1, row0, row1;
    int64_t group, channel, channels;
} gather_part;

// A class of rows by one of columns.
typedef struct gather_rectangle {
    conv_class rows, cols;
    int64_t pixels; // of all images of the part
} gather_rectangle;

// A pixel of a rectangle, walked through all images: its first source in dy, and its place in dx.
typedef struct gather_pixel {
    int64_t image, i, j;
    const real *from;
    real *to;
} gather_pixel;

static void gather_row(const gather *g, const gather_rectangle *r, gather_pixel *p)
{
    const int64_t from = p->image * g->s.oh + r->rows.span.src + p->i;
    const int64_t to = p->image * g->s.h + r->rows.first + p->i * g->rows.down;
    p->from = g->dy + (from * g->s.ow + r->cols.span.src) * g->s.f;
    p->to = g->dx + (to * g->s.w + r->cols.first) * g->s.c;
}

static gather_pixel gather_first(const gather *g, const gather_part *part, const gather_rectangle *r)
{
    gather_pixel p = {.image = part->image0};
    gather_row(g, r, &p);
    return p;
}

ALWAYS_INLINE void gather_next(const gather *g, const gather_rectangle *r, gather_pixel *p)
{
    p->from += g->s.f; // sources of a class are neighbours
    p->to += g->cols.down * g->s.c;
    if (++p->j < r->cols.count)
        return;
    p->j = 0;
    if (++p->i == r->rows.count) {
        p->i = 0;
        p->image++;
    }
    gather_row(g, r, p);
}

static void put_zeros(real *to, int64_t count)
{
    for (int64_t at = 0; at < count; at += LANES)
        vec_store_part(to + at, vec_set(0), mask_first(least(LANES, count - at)));
}

static void gather_zeros(const gather *g, const gather_part *part, const gather_rectangle *r)
{
    gather_pixel p = gather_first(g, part, r);
    for (int64_t at = 0; at < r->pixels; at++, gather_next(g, r, &p))
        put_zeros(p.to + part->channel, part->channels);
}

// Zeros between the pixels that a kernel of one tap reaches: right of a pixel and below it, up to the next or to the end.
static void gather_zero_cell(const gather *g, const gather_part *part, const gather_rectangle *r, const gather_pixel *p)
{
    const int64_t high = p->i + 1 < r->rows.count ? g->s.sh : part->row1 - r->rows.first - p->i * g->s.sh;
    const int64_t wide = p->j + 1 < r->cols.count ? g->s.sw : g->s.w - p->j * g->s.sw;
    for (int64_t row = 0; row < high; row++)
        for (int64_t col = row == 0 ? 1 : 0; col < wide; col++)
            put_zeros(p->to + (row * g->s.w + col) * g->s.c + part->channel, part->channels);
}

// Adds some taps, those that `t` has, to all pixels of a rectangle.
static void gather_pixels(const gather *g, const gather_part *part, const gather_rectangle *r, tile *t, bool has_cells)
{
    const int vecs = (int)pieces_of(t->cols, LANES);
    gather_pixel p = gather_first(g, part, r);
    for (int64_t at = 0; at < r->pixels; at += tile_rows[vecs]) {
        const int rows = (int)least(tile_rows[vecs], r->pixels - at);
        for (int i = 0; i < rows; i++, gather_next(g, r, &p)) {
            t->a[i] = p.from + part->group * g->filters;
            t->c[i] = p.to + part->channel;
            if (has_cells)
                gather_zero_cell(g, part, r, &p);
        }
        tile_run(t, vecs, rows);
    }
}

// All taps of a rectangle: at once where they are adjacent among the turned filters, else by rows of the window or, of
// groups, one by one.
static void gather_taps(const gather *g, const gather_part *part, const gather_rectangle *r, bool has_cells)
{
    const conv_span *row = &r->rows.span, *col = &r->cols.span;
    const int64_t all = row->count * col->count, across = col->count;
    const bool adjacent = g->s.groups == 1 && g->cols.src_step == 1;
    const bool whole = across == taps_of(&g->cols, col->tap % g->cols.tap_step);
    const int64_t together = adjacent ? across : 1; // taps of a segment
    int64_t segments[SEGMENTS_MAX];
    tile t = {.segments = segments, .length = together * g->filters, .a_step = 1, .b_step = g->depth};
    t.cols = part->channels;
    for (int64_t tap = 0, count; tap < all; tap += count) {
        const int64_t left = g->s.groups > 1 ? 1 : whole ? all - tap : across - tap % across;
        count = least(left, SEGMENTS_MAX * together);
        t.segment_count = count / together;
        for (int64_t q = 0; q < t.segment_count; q++) {
            const int64_t at = tap + q * together;
            segments[q] = (at / across * g->rows.src_step * g->s.ow + at % across * g->cols.src_step) * g->s.f;
        }
        const int64_t u = row->tap + tap / across * g->rows.tap_step, v = col->tap + tap % across * g->cols.tap_step;
        t.b = g->turned + (turned_place(g, u, v) * g->s.f + part->group * g->filters) * g->depth + part->channel -
              part->group * g->depth;
        t.start = tap > 0 ? START_SUM : START_ZERO;
        gather_pixels(g, part, r, &t, has_cells);
    }
}

// Whether each pixel of dy reaches one of dx, the first of a cell of sh x sw: then that cell is written at once.
static bool has_cells(const cj__conv2d *s)
{
    return s->kh == 1 && s->kw == 1 && s->top == 0 && s->left == 0 && (s->oh - 1) * s->sh < s->h &&
           (s->ow - 1) * s->sw < s->w;
}

static void gather_cells(const gather *g, const gather_part *part)
{
    const int64_t first = part->row0 / g->s.sh, rows = least(g->s.oh, pieces_of(part->row1, g->s.sh)) - first;
    gather_rectangle r = {.rows = {{0, 1, first}, part->row0, rows, 1}, .cols = {{0, 1, 0}, 0, g->s.ow, 1}};
    r.pixels = (part->image1 - part->image0) * rows * g->s.ow;
    if (rows > 0 && g->s.ow > 0) {
        gather_taps(g, part, &r, true);
        return;
    }
    for (int64_t image = part->image0; image < part->image1; image++)
        for (int64_t place = part->row0 * g->s.w; place < part->row1 * g->s.w; place++)
            put_zeros(g->dx + (image * g->s.h * g->s.w + place) * g->s.c + part->channel, part->channels);
}

static void gather_classes(const gather *g, const gather_part *part)
{
    for (int64_t i = 0; i < g->rows.down; i++) {
        for (int64_t row = part->row0 + i; row < part->row1;) {
            gather_rectangle r = {.rows = class_of(&g->rows, row, part->row1)};
            row += r.rows.count * g->rows.down;
            for (int64_t j = 0; j < g->cols.down; j++) {
                for (int64_t col = j; col < g->s.w;) {
                    r.cols = class_of(&g->cols, col, g->s.w);
                    col += r.cols.count * g->cols.down;
                    r.pixels = (part->image1 - part->image0) * r.rows.count * r.cols.count;
                    if (r.rows.span.count * r.cols.span.count > 0)
                        gather_taps(g, part, &r, false);
                    else
                        gather_zeros(g, part, &r);
                }
            }
        }
    }
}

static void gather_task(const gather *g, const gather_cut *cut, int64_t task)
{
    const int64_t panel = task % cut->panels, strip = task / cut->panels % cut->strips;
    const int64_t images = task / cut->panels / cut->strips, panels = cut->panels / g->s.groups;
    gather_part part = {.image0 = images * cut->images, .row0 = strip * cut->rows, .group = panel / panels};
    part.image1 = least(part.image0 + cut->images, g->s.n);
    part.row1 = least(part.row0 + cut->rows, g->s.h);
    part.channel = part.group * g->depth + panel % panels * cut->panel;
    part.channels = least(cut->panel, (part.group + 1) * g->depth - part.channel);
    if (has_cells(&g->s))
        gather_cells(g, &part);
    else
        gather_classes(g, &part);
}

static void conv2d_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase, int64_t begin,
                                  int64_t end)
{
    if (winograd_serves(a, CJ__CONV2D_INPUT_GRAD)) {
        winograd_input_grad_run(a, workspace, scratch, phase, begin, end);
        return;
    }
    const gather g = gather_of(a, workspace);
    const gather_cut cut = gather_cut_of(&a->s);
    for (int64_t task = begin; task < end; task++) {
        if (phase == 0)
            turn_tap(&g, a->w, workspace, task);
        else
            gather_task(&g, &cut, task);
    }
}
