// Products: matrices and 2-D convolutions, each output a plain sum of products in double. One
// phase, no workspace.

static void (*const activations[CJ__UNARY_COUNT])(int64_t, const void *, void *, double, double) = {
#define CJ__ROW(name, ...) unary_##name,
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
};

static void activate(cj__unary act, double a, double b, int64_t n, real *y)
{
    if (act != CJ__UNARY_NONE)
        activations[act](n, y, y, a, b);
}

static void one_phase(cj__job *job, int64_t tasks)
{
    *job = (cj__job){.phases = 1, .tasks = {tasks}};
}

static void gemm_job(const cj__gemm *g, cj__job *job)
{
    one_phase(job, g->m);
}

// A task is a row of C.
static void gemm_run(const cj__gemm *g, void *workspace, void *scratch, int phase, int64_t begin,
                     int64_t end)
{
    const int64_t a_row = g->trans_a ? 1 : g->lda, a_step = g->trans_a ? g->lda : 1;
    const int64_t b_row = g->trans_b ? 1 : g->ldb, b_step = g->trans_b ? g->ldb : 1;
    (void)workspace, (void)scratch, (void)phase;
    for (int64_t i = begin; i < end; i++) {
        const real *a = (const real *)g->a + i * a_row;
        real *c = (real *)g->c + i * g->ldc;
        for (int64_t j = 0; j < g->n; j++) {
            const real *b = (const real *)g->b + j * b_step;
            double sum = 0;
            for (int64_t p = 0; p < g->k; p++)
                sum += (double)a[p * a_step] * (double)b[p * b_row];
            c[j] = (real)(g->bias ? sum + (double)((const real *)g->bias)[j] : sum);
        }
        activate(g->act, g->act_a, g->act_b, g->n, c);
    }
}

// Runs BODY for every tap (u, v) of output (i, j) that lies inside the input, with `at` the input's
// place.
#define EACH_TAP(s, i, j, image, at, BODY)                                         \
    for (int64_t u = 0; u < (s)->kh; u++) {                                        \
        for (int64_t v = 0; v < (s)->kw; v++) {                                    \
            const int64_t row = (i) * (s)->sh + u * (s)->dh - (s)->top,            \
                          col = (j) * (s)->sw + v * (s)->dw - (s)->left;           \
            if (row < 0 || row >= (s)->h || col < 0 || col >= (s)->w)              \
                continue;                                                          \
            const int64_t at = (((image) * (s)->h + row) * (s)->w + col) * (s)->c; \
            BODY                                                                   \
        }                                                                          \
    }

// One element of the output: filter `filter` at (i, j) of an image.
static double conv2d_element(const cj__conv2d *s, const real *x, const real *w, int64_t image,
                             int64_t i, int64_t j, int64_t filter)
{
    const int64_t depth = s->c / s->groups, first = filter / (s->f / s->groups) * depth;
    double sum = 0;
    EACH_TAP(s, i, j, image, at, {
        const real *taps = w + (u * s->kw + v) * depth * s->f + filter;
        for (int64_t c = 0; c < depth; c++)
            sum += (double)x[at + first + c] * (double)taps[c * s->f];
    })
    return sum;
}

static int64_t pool_rows(const cj__conv2d_args *a)
{
    return a->pool_h > 1 ? a->pool_h : 1;
}

static int64_t pool_cols(const cj__conv2d_args *a)
{
    return a->pool_w > 1 ? a->pool_w : 1;
}

static void conv2d_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    one_phase(job, a->s.n * (a->s.oh / pool_rows(a)));
}

// One output: the greatest of a window of convolved elements, and its place.
static real conv2d_pooled(const cj__conv2d_args *a, int64_t image, int64_t row, int64_t col,
                          int64_t f, uint8_t *place)
{
    const int64_t rows = pool_rows(a), cols = pool_cols(a);
    const double bias = a->bias ? (double)((const real *)a->bias)[f] : 0;
    real best = 0;
    *place = 0;
    for (int64_t u = 0; u < rows; u++) {
        for (int64_t v = 0; v < cols; v++) {
            real y =
                (real)(conv2d_element(&a->s, a->x, a->w, image, row * rows + u, col * cols + v, f) +
                       bias);
            if (a->to_bf16 && rows * cols > 1)
                round_bf16(1, &y, &y);
            if ((u == 0 && v == 0) || y > best || (y != y && best == best)) {
                best = y;
                *place = (uint8_t)(u * cols + v);
            }
        }
    }
    if (a->act == CJ__UNARY_relu && rows * cols > 1 && !(best > 0))
        *place = (uint8_t)(rows * cols);
    return best;
}

// A task is a row of an output image.
static void conv2d_forward_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase,
                               int64_t begin, int64_t end)
{
    const int64_t high = a->s.oh / pool_rows(a), wide = a->s.ow / pool_cols(a), filters = a->s.f;
    (void)workspace, (void)scratch, (void)phase;
    for (int64_t task = begin; task < end; task++) {
        real *to = (real *)a->y + task * wide * filters;
        for (int64_t at = 0; at < wide * filters; at++) {
            uint8_t place;
            to[at] = conv2d_pooled(a, task / high, task % high, at / filters, at % filters, &place);
            if (a->place)
                a->place[task * wide * filters + at] = place;
        }
        activate(a->act, a->act_a, a->act_b, wide * filters, to);
        if (a->to_bf16)
            round_bf16(wide * filters, to, to);
    }
}

// The output index that reaches `place` of the input through a tap, or -1: solves o * stride + tap
// == place + before.
static int64_t source_of(int64_t place, int64_t before, int64_t tap, int64_t stride, int64_t count)
{
    const int64_t distance = place + before - tap;
    return distance >= 0 && distance % stride == 0 && distance / stride < count ?
               distance / stride :
               -1;
}

static void conv2d_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    one_phase(job, a->s.n * a->s.h);
}

// One element of dx: dx[row][col][c] = sum over u, v, f of dy[i][j][f] w[u][v][c][f] where (i, j)
// reaches (row, col).
static double input_grad_element(const cj__conv2d *s, const real *w, const real *dy, int64_t image,
                                 int64_t row, int64_t col, int64_t channel)
{
    const int64_t depth = s->c / s->groups, filters = s->f / s->groups, group = channel / depth;
    double sum = 0;
    for (int64_t u = 0; u < s->kh; u++) {
        const int64_t i = source_of(row, s->top, u * s->dh, s->sh, s->oh);
        for (int64_t v = 0; v < s->kw && i >= 0; v++) {
            const int64_t j = source_of(col, s->left, v * s->dw, s->sw, s->ow);
            if (j < 0)
                continue;
            const real *taps =
                w + ((u * s->kw + v) * depth + channel % depth) * s->f + group * filters;
            const real *from = dy + ((image * s->oh + i) * s->ow + j) * s->f + group * filters;
            for (int64_t f = 0; f < filters; f++)
                sum += (double)from[f] * (double)taps[f];
        }
    }
    return sum;
}

// A task is a row of an input image.
static void conv2d_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                  int phase, int64_t begin, int64_t end)
{
    const cj__conv2d *s = &a->s;
    (void)workspace, (void)scratch, (void)phase;
    for (int64_t task = begin; task < end; task++) {
        real *to = (real *)a->dx + task * s->w * s->c;
        for (int64_t at = 0; at < s->w * s->c; at++) {
            const int64_t col = at / s->c, c = at % s->c;
            const double bias = a->bias ? (double)((const real *)a->bias)[c] : 0;
            to[at] =
                (real)(input_grad_element(s, a->w, a->dy, task / s->h, task % s->h, col, c) + bias);
        }
        activate(a->act, a->act_a, a->act_b, s->w * s->c, to);
        if (a->to_bf16)
            round_bf16(s->w * s->c, to, to);
    }
}

static void conv2d_filter_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    one_phase(job, a->s.kh * a->s.kw * (a->s.c / a->s.groups) + (a->sums_dbias ? 1 : 0));
}

// One element of dy: where a pool has been undone it is 0 but at the remembered places.
static double slope_at(const cj__conv2d_args *a, int64_t image, int64_t i, int64_t j,
                       int64_t filter)
{
    const int64_t high = a->s.oh / pool_rows(a), wide = a->s.ow / pool_cols(a);
    if (!a->dy_place)
        return (
            double)((const real *)a->dy)[((image * a->s.oh + i) * a->s.ow + j) * a->s.f + filter];
    const int64_t at =
        ((image * high + i / pool_rows(a)) * wide + j / pool_cols(a)) * a->s.f + filter;
    const bool here = a->dy_place[at] == i % pool_rows(a) * pool_cols(a) + j % pool_cols(a);
    return here ? (double)((const real *)a->dy)[at] : 0;
}

// One element of dw: dw[u][v][c][f] = sum over images, i, j of x[row][col][c] dy[i][j][f].
static double filter_grad_element(const cj__conv2d_args *a, int64_t u, int64_t v, int64_t channel,
                                  int64_t filter)
{
    const cj__conv2d *s = &a->s;
    const real *x = a->x;
    double sum = 0;
    for (int64_t image = 0; image < s->n; image++) {
        for (int64_t i = 0; i < s->oh; i++) {
            const int64_t row = i * s->sh + u * s->dh - s->top;
            for (int64_t j = 0; j < s->ow && row >= 0 && row < s->h; j++) {
                const int64_t col = j * s->sw + v * s->dw - s->left;
                if (col >= 0 && col < s->w)
                    sum += (double)x[((image * s->h + row) * s->w + col) * s->c + channel] *
                           slope_at(a, image, i, j, filter);
            }
        }
    }
    return sum;
}

static void sum_dbias(const cj__conv2d_args *a)
{
    for (int64_t f = 0; f < a->s.f; f++) {
        double sum = 0;
        for (int64_t row = 0; row < a->s.n * a->s.oh; row++)
            for (int64_t j = 0; j < a->s.ow; j++)
                sum += slope_at(a, row / a->s.oh, row % a->s.oh, j, f);
        ((real *)a->dbias)[f] = (real)sum;
    }
}

// A task is one row (u, v, c) of dw; the last may be dbias.
static void conv2d_filter_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                   int phase, int64_t begin, int64_t end)
{
    const cj__conv2d *s = &a->s;
    const int64_t depth = s->c / s->groups, filters = s->f / s->groups,
                  rows = s->kh * s->kw * depth;
    (void)workspace, (void)scratch, (void)phase;
    for (int64_t task = begin; task < end; task++) {
        const int64_t tap = task / depth, c = task % depth;
        if (task == rows) {
            sum_dbias(a);
            continue;
        }
        for (int64_t f = 0; f < s->f; f++)
            ((real *)a->dw)[task * s->f + f] =
                (real)filter_grad_element(a, tap / s->kw, tap % s->kw, f / filters * depth + c, f);
    }
}

static bool winograd_pays(const cj__conv2d_args *a, cj__conv2d_kind kind, int side)
{
    (void)a, (void)kind, (void)side;
    return false;
}
