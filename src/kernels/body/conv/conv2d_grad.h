// The gradient of a 2-D convolution by the filters:
//
//   dw[u][v][c][f] = sum over pixels of x[place of tap][c] dy[pixel][f]
//
// as tiles whose rows are (u, v, c) and whose sum runs over the rows of dy, an image at a time
// while it is in the cache. The batch is cut into pieces by the shape alone, of images, or, where
// there are few, of bands of their rows; each piece has its own sum in the workspace, and a last
// phase adds them in order.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_GRAD_H
#define CJ_KERNELS_BODY_CONV_CONV2D_GRAD_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_grad_sums.h"
#include "kernels/body/conv/conv2d_look_up.h"
#include "kernels/body/conv/conv2d_pool.h"
#include "kernels/body/conv/conv2d_sparse.h"
#include "kernels/body/conv/conv2d_unpool.h"
#include "kernels/body/conv/depthwise_grad.h"
#include "kernels/body/product/tile.h"
#include "kernels/body/winograd/winograd.h"
#include "kernels/body/winograd/winograd_filter_grad.h"

enum {
    PIECES_MAX = 16,
    SMALL_FILTERS = 1 << 16,
    FILTER_ROWS_A_TASK = 288,
    INNER_BYTES = 16 * 1024, // of a strip of dy, so that it stays in the first cache,
    STRIP_LEAST = 64,        // and pixels that are worth reading and writing dw for
    STRIP_PIXELS = 512,
    PIECE_PIXELS = 64
};

static int64_t filter_blocks(const cj__conv2d *s)
{
    return ceil_div(s->kh * s->kw * (s->c / s->groups), FILTER_ROWS_A_TASK);
}

// Bands of an image: several where images and blocks are so few that threads would idle, and each
// has pixels enough.
static int64_t image_bands(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    const int64_t tasks = min(BAND_TASKS, s->n * s->oh * s->ow / STRIP_PIXELS);
    const int64_t wanted = tasks / max(s->n * filter_blocks(s), 1);
    return max(min(wanted, s->oh / max(a->pool_h, 1)), 1);
}

// Pieces of the batch, and blocks of the rows of dw: many pieces where dw is small, many blocks
// where it is large, and no piece of so few pixels that its sums take less time to make than to
// write and add.
static int64_t batch_pieces(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    const int64_t size = s->kh * s->kw * (s->c / s->groups) * s->f,
                  most = size <= SMALL_FILTERS ? PIECES_MAX : 2;
    const int64_t wanted = max(s->n * s->oh * s->ow / PIECE_PIXELS, 2);
    return max(min(s->n * image_bands(a), min(most, wanted)), 1);
}

// Rows of dy that are worked on at once.
static int64_t strip_rows(const cj__conv2d_args *a)
{
    const int64_t row = max(a->s.ow * a->s.f * (int64_t)sizeof(real), 1);
    if (!has_pool(a))
        return min(max(INNER_BYTES / row, ceil_div(STRIP_LEAST, max(a->s.ow, 1))), SEGMENTS_MAX);
    if (looks_up(a))
        return max(a->s.oh / a->pool_h, 1) * a->pool_h;
    const int64_t fit = UNPOOLED_BYTES / row / a->pool_h;
    return max(min(fit, SEGMENTS_MAX / a->pool_h), 1) * a->pool_h;
}

static size_t filter_grad_scratch(const cj__conv2d_args *a)
{
    const framed f = framed_of(&a->s, NULL, NULL);
    if (is_sparse_filter_grad(a))
        return sparse_taps_size(&f);
    return has_pool(a) && !looks_up(a) ? (size_t)(strip_rows(a) * a->s.ow * a->s.f) * sizeof(real) :
                                         0;
}

static void conv2d_filter_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    if (winograd_serves(a, CJ__CONV2D_FILTER_GRAD)) {
        winograd_filter_grad_job(a, job);
        return;
    }
    if (is_depthwise(&a->s) && !has_pool(a)) {
        depthwise_filter_grad_job(a, job);
        return;
    }
    const cj__conv2d *s = &a->s;
    const int64_t pieces = batch_pieces(a), blocks = filter_blocks(s);
    int phase = 0;
    *job = (cj__job){.workspace = conv2d_frame_size(s) +
                                  (pieces > 1 ? (size_t)pieces * partial_size(a) : 0)};
    if (needs_frame(s))
        job->tasks[phase++] = s->n;
    job->tasks[phase++] = pieces * blocks;
    if (pieces > 1)
        job->tasks[phase++] = blocks;
    job->phases = phase;
    job->scratch = filter_grad_scratch(a);
}

// Rows row0 .. row1 - 1 of dw, (u * kw + v) * depth + c each, and where they begin in a window.
// That is found once for all images: it divides, and a row's part of a small image is a few dozen
// multiply-adds.
typedef struct filter_rows {
    int64_t row0, row1;
    int64_t offsets[FILTER_ROWS_A_TASK];
    real *dw;
} filter_rows;

static void find_filter_rows(const framed *f, int64_t block, filter_rows *b)
{
    b->row0 = block * FILTER_ROWS_A_TASK;
    b->row1 = min(b->row0 + FILTER_ROWS_A_TASK, f->s.kh * f->s.kw * f->depth);
    for (int64_t row = b->row0; row < b->row1; row++) {
        const int64_t tap = row / f->depth, u = tap / f->s.kw, v = tap % f->s.kw;
        b->offsets[row - b->row0] = (u * f->s.dh * f->s.w + v * f->s.dw) * f->s.c + row % f->depth;
    }
}

// Rows i0 .. i1 - 1 of dy of some images: the first, of which they begin the sum or not, lies at
// `dy`.
typedef struct filter_strip {
    int64_t image0, image1, i0, i1;
    const real *dy;
    bool begins;
} filter_strip;

// Images of a strip: where they are small, and lie side by side, several, so that dw is not read
// and written for each.
static int64_t strip_images(const cj__conv2d_args *a)
{
    const int64_t rows = max(a->s.oh, 1), pixels = max(a->s.oh * a->s.ow, 1);
    return has_pool(a) ? 1 : max(min(SEGMENTS_MAX / rows, STRIP_PIXELS / pixels), 1);
}

static void filter_grad_strip(const framed *f, int64_t group, const filter_rows *b,
                              const filter_strip *strip)
{
    int64_t segments[SEGMENTS_MAX], count = 0;
    for (int64_t image = strip->image0; image < strip->image1; image++)
        for (int64_t i = strip->i0; i < strip->i1; i++)
            segments[count++] = (image * f->s.h + i * f->s.sh) * f->s.w * f->s.c;
    const int64_t last = (group + 1) * f->filters;
    const real *const x = f->x + group * f->depth;
    for (int64_t col = group * f->filters; col < last;) {
        const int vecs = panel_vecs(last - col);
        product_tile t = {.segments = segments, .segment_count = count, .length = f->s.ow};
        t.b = strip->dy + col;
        t.a_step = f->s.sw * f->s.c;
        t.b_step = f->s.f;
        t.cols = min(vecs * LANES, last - col);
        t.start = strip->begins ? START_ZERO : START_SUM;
        for (int64_t row = b->row0; row < b->row1; row += tile_rows[vecs]) {
            const int rows = (int)min(tile_rows[vecs], b->row1 - row);
            for (int r = 0; r < rows; r++) {
                t.a[r] = x + b->offsets[row - b->row0 + r];
                t.c[r] = b->dw + (row + r) * f->s.f + col;
            }
            tile_run(&t, vecs, rows);
        }
        col += t.cols;
    }
}

// Rows i0 .. i1 - 1 of an image's dy: in memory, or made of the pool's in the scratch.
static const real *rows_of_dy(const cj__conv2d_args *a, int64_t image, int64_t i0, int64_t i1,
                              void *scratch)
{
    if (!has_pool(a))
        return (const real *)a->dy + (image * a->s.oh + i0) * a->s.ow * a->s.f;
    unpool_rows(a, image, i0 / a->pool_h, i1 / a->pool_h, scratch);
    return scratch;
}

// An image of spikes: adds it, or begins the sums with it; false if it is better added the other way.
static bool add_sparse_image(const cj__conv2d_args *a, const framed *f, const filter_rows *b,
                             int64_t image, bool begins, void *scratch, real *dbias)
{
    const int64_t pixels = a->s.oh * a->s.ow;
    if (!sparse_filter_grad(a, f, image, b->row0, b->row1, begins, scratch, b->dw))
        return false;
    if (dbias && b->row0 == 0)
        sum_rows(&a->s, (const real *)a->dy + image * pixels * a->s.f, pixels, begins, dbias);
    return true;
}

// The first row of a band, which is whole windows of a pool.
static int64_t band_begin(const cj__conv2d_args *a, int64_t band)
{
    const int64_t high = max(a->pool_h, 1), bands = image_bands(a);
    return band == bands ? a->s.oh : a->s.oh / high * band / bands * high;
}

// One piece of the batch and one block of rows of dw; the first block has dbias too, unless it is
// NULL.
static void filter_grad_piece(const cj__conv2d_args *a, const framed *f, int64_t task,
                              void *scratch, real *dw, real *dbias)
{
    const int64_t pieces = batch_pieces(a), block = task / pieces, piece = task % pieces,
                  bands = image_bands(a);
    const int64_t first = f->s.n * bands * piece / pieces,
                  last = f->s.n * bands * (piece + 1) / pieces;
    const int64_t rows = strip_rows(a), sparse = is_sparse_filter_grad(a) && bands == 1,
                  images = bands > 1 || rows < a->s.oh || sparse ? 1 : strip_images(a);
    filter_rows b = {.dw = dw};
    find_filter_rows(f, block, &b);
    for (int64_t at = first; at < last; at += images) {
        if (sparse && add_sparse_image(a, f, &b, at, at == first, scratch, dbias))
            continue;
        const int64_t image = at / bands, low = band_begin(a, at % bands),
                      high = band_begin(a, at % bands + 1);
        filter_strip strip = {.image0 = image,
                              .image1 = min(image + images, ceil_div(last, bands))};
        for (int64_t i = low; i < high; i += rows) {
            strip.i0 = i;
            strip.i1 = min(i + rows, high);
            strip.begins = at == first && i == low;
            if (looks_up(a)) {
                look_up_strip(a, f, image, strip.i0, strip.i1, strip.begins, dw, dbias);
                continue;
            }
            strip.dy = rows_of_dy(a, image, strip.i0, strip.i1, scratch);
            for (int64_t group = 0; group < f->s.groups; group++)
                filter_grad_strip(f, group, &b, &strip);
            const int64_t summed = (strip.image1 - strip.image0) * (strip.i1 - strip.i0) * a->s.ow;
            if (dbias && block == 0)
                sum_rows(&a->s, strip.dy, summed, strip.begins, dbias);
        }
    }
    if (first < last && f->s.oh > 0)
        return;
    memset(dw + b.row0 * f->s.f, 0, (size_t)((b.row1 - b.row0) * f->s.f) * sizeof(real));
    if (dbias)
        memset(dbias, 0, (size_t)f->s.f * sizeof(real));
}

// One block of rows of dw; the first block has dbias too.
static void filter_grad_add(const cj__conv2d_args *a, const char *partials, int64_t block)
{
    const cj__conv2d *s = &a->s;
    const int64_t all = s->kh * s->kw * (s->c / s->groups), pieces = batch_pieces(a);
    const int64_t first = block * FILTER_ROWS_A_TASK, last = min(first + FILTER_ROWS_A_TASK, all);
    add_pieces(partials, partial_size(a), pieces, first * s->f, last * s->f, a->dw);
    if (a->sums_dbias && block == 0)
        add_pieces(partials + bias_offset(s), partial_size(a), pieces, 0, s->f, a->dbias);
}

// Task `task` of the products: block of rows by piece of the batch.
static void filter_grad_task(const cj__conv2d_args *a, const framed *f, char *partials,
                             void *scratch, int64_t task)
{
    char *own = partials ? partials + (size_t)(task % batch_pieces(a)) * partial_size(a) : NULL;
    real *dbias = own ? (real *)(own + bias_offset(&a->s)) : a->dbias;
    filter_grad_piece(a, f, task, scratch, own ? (real *)own : a->dw, a->sums_dbias ? dbias : NULL);
}

static void conv2d_filter_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                   int phase, int64_t begin, int64_t end)
{
    if (winograd_serves(a, CJ__CONV2D_FILTER_GRAD)) {
        winograd_filter_grad_run(a, workspace, scratch, phase, begin, end);
        return;
    }
    if (is_depthwise(&a->s) && !has_pool(a)) {
        depthwise_filter_grad_run(a, workspace, phase, begin, end);
        return;
    }
    const cj__conv2d *s = &a->s;
    const int multiply = needs_frame(s) ? 1 : 0;
    char *partials = batch_pieces(a) > 1 ? (char *)workspace + conv2d_frame_size(s) : NULL;
    const framed f = framed_of(s, a->x, workspace);
    for (int64_t task = begin; task < end; task++) {
        if (phase < multiply)
            frame_image(s, a->x, workspace, task);
        else if (phase == multiply)
            filter_grad_task(a, &f, partials, scratch, task);
        else
            filter_grad_add(a, partials, task);
    }
}

#endif
