// Convolutions of images that are 0 in most places, as spikes are: what is 0 is left out.
//
// Forward, a row of a window is a run of adjacent elements of x. The places of a row of x that are not
// 0 are listed once for all windows, and a pixel's sum takes those of its run:
//
//   y[pixel][f] = bias[f] + sum over u, places p in the run of x[p] w[u][p - begin][f]
//
// The gradient by the filters has a list for each column v of the kernel and each channel, of the
// pixels of dy that meet a place there:
//
//   dw[u][v][c][f] = sum over places (i + u, j + v) of channel c of x[i + u][j + v][c] dy[i][j][f]
//
// Both add in the order of the direct form, and a product with 0 changes no sum, so their bits are those
// of the direct form as long as what they multiply with is finite. Images with many places that are not
// 0, and filters that are not finite, go the direct way.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_SPARSE_H
#define CJ_KERNELS_BODY_CONV_CONV2D_SPARSE_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/sparse_sum.h"
#include "kernels/body/product/tile.h"

enum {
    SPARSE_IMAGES = 8,        // of a task
    SPARSE_BYTES = 512 * 1024 // of lists, at most
};

// ---- Lists of the forward convolution ----

// The places of the rows of an image, each counted from its row's begin, and where those of each pixel
// begin: `begins` has w + 1 entries a row.
typedef struct sparse_rows {
    int32_t *places, *begins;
} sparse_rows;

static size_t sparse_rows_size(const framed *f)
{
    return (size_t)(f->s.h * (f->s.w * f->s.c + f->s.w + 1)) * sizeof(int32_t);
}

static bool is_sparse_forward(const cj__conv2d_args *a)
{
    const framed f = framed_of(&a->s, NULL, NULL);
    return a->sparse && a->s.groups == 1 && a->s.dw == 1 && a->pool_h <= 1 && a->pool_w <= 1 &&
           a->s.w * a->s.c > 0 && sparse_rows_size(&f) <= SPARSE_BYTES;
}

static void sparse_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    const framed f = framed_of(&a->s, NULL, NULL);
    const int64_t tasks = ceil_div(a->s.n, SPARSE_IMAGES);
    *job = (cj__job){.phases = 1, .tasks = {tasks}, .scratch = sparse_rows_size(&f)};
    if (!needs_frame(&a->s))
        return;
    job->phases = 2;
    job->tasks[0] = a->s.n, job->tasks[1] = tasks;
    job->workspace = conv2d_frame_size(&a->s);
}

// Lists an image of the frame; returns whether few enough of its places are not 0.
static bool list_rows(const framed *f, int64_t image, const sparse_rows *lists)
{
    const int64_t row = f->s.w * f->s.c;
    int64_t all = 0;
    for (int64_t y = 0; y < f->s.h; y++) {
        int32_t *places = lists->places + y * row, *begins = lists->begins + y * (f->s.w + 1);
        const int64_t count = list_places(f->x + (image * f->s.h + y) * row, row, places);
        int32_t k = 0;
        for (int64_t i = 0; i <= f->s.w; i++) {
            while (k < count && places[k] < i * f->s.c)
                k++;
            begins[i] = k;
        }
        all += count;
    }
    return all * SPARSE_SHARE <= f->s.h * row;
}

// ---- Forward ----

// A panel of filters of one image: what a row u of the window adds to each pixel.
typedef struct sparse_panel {
    const framed *f;
    const sparse_rows *lists;
    const real *x, *w; // of the image; of row u, the panel's first filter
    real *y;
    const real *bias; // of the first row, or NULL
    int64_t u, cols;
    bool begins, relu; // the first row; after the last one
} sparse_panel;

ALWAYS_INLINE void sparse_pixel(const sparse_panel *p, const real *x, const int32_t *places,
                                int64_t count, int64_t begin, real *y, const int vecs,
                                const bool whole)
{
    const vmask last = mask_first(p->cols - (vecs - 1) * LANES);
    const int64_t step = p->f->s.f;
    const real *const w = p->w - begin * step;
    vec sum[TILE_VECS_MAX];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = !p->begins ? VEC_OF(y, v) : p->bias ? VEC_OF(p->bias, v) : vec_set(0);
    for (int64_t k = 0; k < count; k++) {
        const vec value = vec_set(x[places[k]]);
        const real *const row = w + places[k] * step;
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[v] = vec_fma(value, VEC_OF(row, v), sum[v]);
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const vec done = p->relu ? vec_max(vec_set(0), sum[v]) : sum[v];
        if (v < vecs - 1 || whole)
            vec_store(y + v * LANES, done);
        else
            vec_store_part(y + v * LANES, done, last);
    }
}

ALWAYS_INLINE void sparse_row_body(const sparse_panel *p, const int vecs, const bool whole)
{
    const cj__conv2d *s = &p->f->s;
    real *y = p->y;
    for (int64_t i = 0; i < s->oh; i++) {
        const int64_t row = i * s->sh + p->u * s->dh;
        const real *x = p->x + row * s->w * s->c;
        const int32_t *places = p->lists->places + row * s->w * s->c,
                      *begins = p->lists->begins + row * (s->w + 1);
        for (int64_t j = 0; j < s->ow; j++, y += s->f) {
            const int64_t from = j * s->sw, first = begins[from],
                          count = begins[from + s->kw] - first;
            if (count > 0 || p->begins || p->relu)
                sparse_pixel(p, x, places + first, count, from * s->c, y, vecs, whole);
        }
    }
}

#define SPARSE_ROW(v, r)                              \
    static void sparse_row_##v(const sparse_panel *p) \
    {                                                 \
        if (p->cols % LANES == 0)                     \
            sparse_row_body(p, v, true);              \
        else                                          \
            sparse_row_body(p, v, false);             \
    }
TILE_SHAPES(SPARSE_ROW)
#undef SPARSE_ROW
static void (*const sparse_row_codes[TILE_VECS_MAX + 1])(const sparse_panel *p) = {
#define ROW(v, r) [v] = sparse_row_##v,
    TILE_SHAPES(ROW)
#undef ROW
};

static void sparse_image(const framed *f, const sparse_rows *lists, const cj__conv2d_args *a,
                         const epilogue *e, int64_t image)
{
    const int64_t pixels = f->s.oh * f->s.ow, depth = f->s.kw * f->s.c;
    real *y = (real *)a->y + image * pixels * f->s.f;
    for (int64_t col = 0; col < f->s.f;) {
        const int vecs = panel_vecs(f->s.f - col);
        sparse_panel p = {.f = f,
                          .lists = lists,
                          .x = f->x + image * f->s.h * f->s.w * f->s.c,
                          .y = y + col,
                          .bias = e->bias ? e->bias + col : NULL};
        p.cols = min(vecs * LANES, f->s.f - col);
        for (p.u = 0; p.u < f->s.kh; p.u++) {
            p.w = (const real *)a->w + p.u * depth * f->s.f + col;
            p.begins = p.u == 0;
            p.relu = p.u == f->s.kh - 1 && is_relu(e);
            sparse_row_codes[vecs](&p);
        }
        col += p.cols;
    }
    if (is_applied(e))
        finish_rows(e, (real *[]){y}, 1, pixels * f->s.f);
}

static void sparse_forward_run(const cj__conv2d_args *a, void *workspace, void *scratch, int phase,
                               int64_t begin, int64_t end)
{
    const framed f = framed_of(&a->s, a->x, workspace);
    const epilogue e = epilogue_of(a);
    const int64_t pixels = f.s.oh * f.s.ow;
    if (needs_frame(&a->s) && phase == 0) {
        for (int64_t image = begin; image < end; image++)
            frame_image(&a->s, a->x, workspace, image);
        return;
    }
    const sparse_rows lists = {scratch, (int32_t *)scratch + f.s.h * f.s.w * f.s.c};
    const bool finite = all_finite(a->w, f.s.kh * f.s.kw * f.s.c * f.s.f);
    for (int64_t image = begin * SPARSE_IMAGES; image < min(end * SPARSE_IMAGES, f.s.n); image++) {
        if (finite && list_rows(&f, image, &lists))
            sparse_image(&f, &lists, a, &e, image);
        else
            conv2d_group(&f, 0, a->w, &e, a->y, image * pixels, (image + 1) * pixels);
    }
}

// ---- The gradient by the filters ----

// For column v of the kernel and channel c, list v * c_count + c: the pixels of dy, counted from row
// 0 of dy as if u were 0, and the values there. `begins` has for each row of x where its entries begin.
typedef struct sparse_taps {
    int32_t *pixels, *begins; // h ow and h + 1 entries a list
    int32_t *row;             // room for the places of a row of x
    real *values;
} sparse_taps;

static size_t sparse_taps_size(const framed *f)
{
    const int64_t lists = f->s.kw * f->s.c, entries = f->s.h * f->s.ow;
    return (size_t)(lists * (entries + f->s.h + 1) + f->s.w * f->s.c) * sizeof(int32_t) +
           (size_t)(lists * entries) * sizeof(real) + 2 * sizeof(real);
}

static bool is_sparse_filter_grad(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    const framed f = framed_of(s, NULL, NULL);
    return a->sparse && s->groups == 1 && s->sh == 1 && s->sw == 1 && s->dh == 1 && s->dw == 1 &&
           a->pool_h <= 1 && a->pool_w <= 1 && s->w * s->c > 0 && s->ow > 0 &&
           sparse_taps_size(&f) <= SPARSE_BYTES;
}

static sparse_taps sparse_taps_in(const framed *f, void *scratch)
{
    const int64_t lists = f->s.kw * f->s.c, entries = f->s.h * f->s.ow;
    sparse_taps t = {.values = scratch};
    t.pixels = (int32_t *)(void *)(t.values + lists * entries);
    t.begins = t.pixels + lists * entries;
    t.row = t.begins + lists * (f->s.h + 1);
    return t;
}

// Adds the places of row y of the image to the lists; `row` has room for its places. Returns their number.
static int64_t list_row_taps(const framed *f, const real *x, int64_t y, int32_t *row,
                             const sparse_taps *t)
{
    const cj__conv2d *s = &f->s;
    const int64_t entries = s->h * s->ow, count = list_places(x, s->w * s->c, row);
    for (int64_t k = 0, i = 0; k < count; k++) {
        while (row[k] >= (i + 1) * s->c)
            i++;
        const int64_t v1 = min(i, s->kw - 1);
        for (int64_t v = max(i - s->ow + 1, 0); v <= v1; v++) {
            const int64_t list = v * s->c + row[k] - i * s->c;
            const int64_t at = list * entries + t->begins[list * (s->h + 1) + y + 1]++;
            t->pixels[at] = (int32_t)(y * s->ow + i - v);
            t->values[at] = x[row[k]];
        }
    }
    return count;
}

// Lists an image of the frame; false, and lists that are of no use, if there is too much in it.
static bool list_taps(const framed *f, int64_t image, const sparse_taps *t)
{
    const cj__conv2d *s = &f->s;
    const int64_t lists = s->kw * s->c, row = s->w * s->c;
    const real *x = f->x + image * s->h * row;
    int64_t all = 0;
    for (int64_t list = 0; list < lists; list++)
        t->begins[list * (s->h + 1)] = 0;
    for (int64_t y = 0; y < s->h && all * SPARSE_SHARE <= s->h * row; y++, x += row) {
        for (int64_t list = 0; list < lists; list++)
            t->begins[list * (s->h + 1) + y + 1] = t->begins[list * (s->h + 1) + y];
        all += list_row_taps(f, x, y, t->row, t);
    }
    return all * SPARSE_SHARE <= s->h * row;
}

// Adds an image to rows row0 .. row1 - 1 of dw, or begins their sums; false, and nothing is done, if
// there is too much in the image.
static bool sparse_filter_grad(const cj__conv2d_args *a, const framed *f, int64_t image,
                               int64_t row0, int64_t row1, bool begins, void *scratch, real *dw)
{
    const cj__conv2d *s = &f->s;
    const int64_t entries = s->h * s->ow, lists = s->kw * s->c;
    const sparse_taps t = sparse_taps_in(f, scratch);
    const real *dy = (const real *)a->dy + image * s->oh * s->ow * s->f;
    if (!all_finite(dy, s->oh * s->ow * s->f) || !list_taps(f, image, &t))
        return false;
    for (int64_t row = row0; row < row1; row++) {
        const int64_t u = row / lists, list = row % lists;
        const int32_t *at = t.begins + list * (s->h + 1);
        const int64_t first = at[u];
        sparse_sum p = {.places = t.pixels + list * entries + first,
                        .values = t.values + list * entries + first,
                        .count = at[u + s->oh] - first,
                        .step = s->f,
                        .start = begins ? START_ZERO : START_SUM};
        if (p.count == 0 && !begins)
            continue;
        for (int64_t col = 0; col < s->f; col += p.cols) {
            const int vecs = panel_vecs(s->f - col);
            p.b = dy + col - u * s->ow * s->f;
            p.c = dw + row * s->f + col;
            p.cols = min(vecs * LANES, s->f - col);
            sparse_sum_run(&p, vecs);
        }
    }
    return true;
}

#endif
