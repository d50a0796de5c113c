// Pools over images begin .. end - 1 of (n, h, w, c).

// The window of one output, cut to the input: rows row0 .. row1 - 1, columns col0 .. col1 - 1 of
// the image; (top, left) is the uncut corner from which places are counted.
typedef struct window {
    int64_t top, left, row0, row1, col0, col1;
} window;

static window window_of(const cj__pool2d *s, int64_t i, int64_t j)
{
    const int64_t top = i * s->sh - s->top, left = j * s->sw - s->left;
    return (window){top,
                    left,
                    top < 0 ? 0 : top,
                    min(top + s->kh, s->h),
                    left < 0 ? 0 : left,
                    min(left + s->kw, s->w)};
}

static bool index_is_byte(const cj__pool2d *s)
{
    return s->kh * s->kw <= 256;
}

static int64_t read_index(const cj__pool2d *s, const void *index, int64_t at)
{
    return index_is_byte(s) ? ((const uint8_t *)index)[at] : ((const int32_t *)index)[at];
}

static void write_index(const cj__pool2d *s, void *index, int64_t at, int64_t place)
{
    if (index_is_byte(s))
        ((uint8_t *)index)[at] = (uint8_t)place;
    else
        ((int32_t *)index)[at] = (int32_t)place;
}

// The greatest element of a channel of a window (a NaN wins and stays); `place` is counted from the
// uncut corner.
static real greatest_in(const cj__pool2d *s, const window *p, const real *x, int64_t *place)
{
    real best = -INFINITY;
    bool found = false;
    *place = 0;
    for (int64_t r = p->row0; r < p->row1; r++) {
        for (int64_t q = p->col0; q < p->col1; q++) {
            const real v = x[(r * s->w + q) * s->c];
            if (!found || v > best || (v != v && best == best)) {
                best = v;
                found = true;
                *place = (r - p->top) * s->kw + q - p->left;
            }
        }
    }
    return best;
}

static void max_pool2d(const cj__pool2d *s, const void *x, void *y, void *index, int64_t begin,
                       int64_t end)
{
    int64_t at = begin * s->oh * s->ow * s->c;
    for (int64_t image = begin; image < end; image++) {
        const real *from = (const real *)x + image * s->h * s->w * s->c;
        for (int64_t o = 0; o < s->oh * s->ow; o++) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            for (int64_t c = 0; c < s->c; c++, at++) {
                int64_t place;
                ((real *)y)[at] = greatest_in(s, &p, from + c, &place);
                if (index)
                    write_index(s, index, at, place);
            }
        }
    }
}

// Where the element that output `at` remembers lies in the input.
static int64_t remembered(const cj__pool2d *s, const void *index, int64_t at)
{
    const int64_t c = at % s->c, o = at / s->c % (s->oh * s->ow),
                  image = at / (s->c * s->oh * s->ow);
    const window p = window_of(s, o / s->ow, o % s->ow);
    const int64_t place = read_index(s, index, at);
    const int64_t row = p.top + place / s->kw, col = p.left + place % s->kw;
    return ((image * s->h + row) * s->w + col) * s->c + c;
}

static void max_pool2d_grad(const cj__pool2d *s, const void *index, const void *dy, void *dx,
                            int64_t begin, int64_t end)
{
    const int64_t in = s->h * s->w * s->c, out = s->oh * s->ow * s->c;
    for (int64_t i = begin * in; i < end * in; i++)
        ((real *)dx)[i] = 0;
    for (int64_t at = begin * out; at < end * out; at++)
        if (read_index(s, index, at) <
            s->kh * s->kw) // else no element of the window: nothing passes
            ((real *)dx)[remembered(s, index, at)] += ((const real *)dy)[at];
}

static void max_pool2d_gather(const cj__pool2d *s, const void *index, const void *x, void *y,
                              int64_t begin, int64_t end)
{
    const int64_t out = s->oh * s->ow * s->c;
    for (int64_t at = begin * out; at < end * out; at++)
        ((real *)y)[at] = ((const real *)x)[remembered(s, index, at)];
}

static int64_t window_count(const window *p)
{
    return (p->row1 - p->row0) * (p->col1 - p->col0);
}

static void average_pool2d(const cj__pool2d *s, const void *x, void *y, int64_t begin, int64_t end)
{
    int64_t at = begin * s->oh * s->ow * s->c;
    for (int64_t image = begin; image < end; image++) {
        const real *from = (const real *)x + image * s->h * s->w * s->c;
        for (int64_t o = 0; o < s->oh * s->ow; o++) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            for (int64_t c = 0; c < s->c; c++, at++) {
                double sum = 0;
                for (int64_t r = p.row0; r < p.row1; r++)
                    for (int64_t q = p.col0; q < p.col1; q++)
                        sum += (double)from[(r * s->w + q) * s->c + c];
                ((real *)y)[at] = (real)(sum / (double)window_count(&p));
            }
        }
    }
}

static void average_pool2d_grad(const cj__pool2d *s, const void *dy, void *dx, int64_t begin,
                                int64_t end)
{
    const int64_t in = s->h * s->w * s->c;
    int64_t at = begin * s->oh * s->ow * s->c;
    for (int64_t i = begin * in; i < end * in; i++)
        ((real *)dx)[i] = 0;
    for (int64_t image = begin; image < end; image++) {
        real *to = (real *)dx + image * in;
        for (int64_t o = 0; o < s->oh * s->ow; o++) {
            const window p = window_of(s, o / s->ow, o % s->ow);
            for (int64_t c = 0; c < s->c; c++, at++) {
                const real share =
                    (real)((double)((const real *)dy)[at] / (double)window_count(&p));
                for (int64_t r = p.row0; r < p.row1; r++)
                    for (int64_t q = p.col0; q < p.col1; q++)
                        to[(r * s->w + q) * s->c + c] += share;
            }
        }
    }
}
