// The gradient of a convolution by the input, of a dy that is 0 in most places, as a max pool's
// gradient is: of each pixel only the filters that are not 0. With strides and dilations of 1 a row
// of the window is a run of adjacent elements of dx, along which lanes lie, whatever the channels are:
//
//   dx[i + u][j .. j + kw - 1][c] += sum over f where dy[i][j][f] is not 0 of dy[i][j][f] w[u][..][c][f]
//
// A first phase turns the filters to (u, f, v c). Sums are those of a pixel and a row of the window,
// added to dx in the order of rows and then pixels.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_SPARSE_INPUT_H
#define CJ_KERNELS_BODY_CONV_CONV2D_SPARSE_INPUT_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_sparse.h"
#include "kernels/body/product/gemm_pack.h"
#include "kernels/body/product/tile.h"

// The lanes of a row of the window, the last vector filled up with zeros.
static int64_t sparse_width(const cj__conv2d *s)
{
    return ceil_div(s->kw * s->c, LANES) * LANES;
}

// The filters of all pixels that are not 0, and where those of each begin.
static size_t sparse_lists_size(const cj__conv2d *s)
{
    return cj__align_up_64((size_t)(s->oh * s->ow * (s->f + 1) + 1) * sizeof(int32_t));
}

static size_t sparse_frame_size(const cj__conv2d *s)
{
    const framed f = framed_of(s, NULL, NULL);
    return needs_frame(s) ? (size_t)(f.s.h * f.s.w * s->c) * sizeof(real) : 0;
}

static bool is_sparse_input_grad(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return a->sparse && s->groups == 1 && s->sh == 1 && s->sw == 1 && s->dh == 1 && s->dw == 1 &&
           s->h * s->w * s->c > 0 && s->f > 0 &&
           sparse_lists_size(s) + sparse_frame_size(s) <= SPARSE_BYTES;
}

static void sparse_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const cj__conv2d *s = &a->s;
    *job = (cj__job){.phases = 2,
                     .tasks = {s->kh, ceil_div(s->n, SPARSE_IMAGES)},
                     .prepares = 1,
                     .workspace = (size_t)(s->kh * s->f * sparse_width(s)) * sizeof(real),
                     .scratch = sparse_lists_size(s) + sparse_frame_size(s)};
}

static void turn_row(const cj__conv2d *s, const real *w, real *turned, int64_t u)
{
    const int64_t width = sparse_width(s), row = s->kw * s->c;
    real *to = turned + u * s->f * width;
    transpose_block(w + u * row * s->f, s->f, row, s->f, to, width);
    for (int64_t f = 0; f < s->f; f++)
        for (int64_t i = row; i < width; i++)
            to[f * width + i] = 0;
}

// Lists the filters of the pixels of an image.
static void list_filters(const cj__conv2d *s, const real *dy, int32_t *filters, int32_t *begins)
{
    int32_t count = 0;
    for (int64_t p = 0; p < s->oh * s->ow; p++, dy += s->f) {
        begins[p] = count;
        count += (int32_t)list_places(dy, s->f, filters + count);
    }
    begins[s->oh * s->ow] = count;
}

typedef struct sparse_scatter {
    const real *dy; // of a pixel
    const int32_t *filters;
    int64_t count, width, cols;
    const real *turned; // of row u and the panel
    real *dx;
} sparse_scatter;

ALWAYS_INLINE void sparse_scatter_body(const sparse_scatter *p, const int vecs)
{
    const vmask last = mask_first(p->cols - (vecs - 1) * LANES);
    const bool whole = false;
    vec sum[TILE_VECS_MAX];
    UNROLL
    for (int v = 0; v < vecs; v++)
        sum[v] = vec_set(0);
    for (int64_t k = 0; k < p->count; k++) {
        const int64_t f = p->filters[k];
        const vec value = vec_set(p->dy[f]);
        const real *const row = p->turned + f * p->width;
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[v] = vec_fma(value, vec_load(row + v * LANES), sum[v]);
    }
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const vec all = VEC_OF(p->dx, v) + sum[v];
        if (v < vecs - 1)
            vec_store(p->dx + v * LANES, all);
        else
            vec_store_part(p->dx + v * LANES, all, last);
    }
}

#define SPARSE_SCATTER(v, r)                                \
    static void sparse_scatter_##v(const sparse_scatter *p) \
    {                                                       \
        sparse_scatter_body(p, v);                          \
    }
TILE_SHAPES(SPARSE_SCATTER)
#undef SPARSE_SCATTER
static void (*const sparse_scatter_codes[TILE_VECS_MAX + 1])(const sparse_scatter *p) = {
#define ROW(v, r) [v] = sparse_scatter_##v,
    TILE_SHAPES(ROW)
#undef ROW
};

// Adds row u of the window of all pixels of an image to `to`, the image or its frame of width `across`.
static void scatter_row(const cj__conv2d *s, const real *dy, const int32_t *filters,
                        const int32_t *begins, const real *turned, int64_t u, int64_t across,
                        real *to)
{
    const int64_t width = sparse_width(s), row = s->kw * s->c;
    for (int64_t col = 0, cols; col < row; col += cols) {
        const int vecs = panel_vecs(row - col);
        cols = min(vecs * LANES, row - col);
        sparse_scatter p = {.width = width, .cols = cols};
        p.turned = turned + u * s->f * width + col;
        for (int64_t i = 0, at = 0; i < s->oh; i++) {
            for (int64_t j = 0; j < s->ow; j++, at++) {
                p.count = begins[at + 1] - begins[at];
                if (p.count == 0)
                    continue;
                p.dy = dy + at * s->f;
                p.filters = filters + begins[at];
                p.dx = to + ((i + u) * across + j) * s->c + col;
                sparse_scatter_codes[vecs](&p);
            }
        }
    }
}

static void sparse_input_image(const cj__conv2d_args *a, const real *turned, void *scratch,
                               int64_t image)
{
    const cj__conv2d *s = &a->s;
    const framed f = framed_of(s, NULL, NULL);
    const int64_t size = s->h * s->w * s->c, pixels = s->oh * s->ow;
    const real *dy = (const real *)a->dy + image * pixels * s->f;
    real *dx = (real *)a->dx + image * size,
         *to = needs_frame(s) ? (real *)(void *)((char *)scratch + sparse_lists_size(s)) : dx;
    int32_t *filters = scratch, *begins = filters + pixels * s->f;
    list_filters(s, dy, filters, begins);
    memset(to, 0, (size_t)(f.s.h * f.s.w * s->c) * sizeof(real));
    for (int64_t u = 0; u < s->kh; u++)
        scatter_row(s, dy, filters, begins, turned, u, f.s.w, to);
    for (int64_t r = 0; r < s->h && to != dx; r++)
        memcpy(dx + r * s->w * s->c, to + ((r + s->top) * f.s.w + s->left) * s->c,
               (size_t)(s->w * s->c) * sizeof(real));
    const epilogue e = epilogue_of(a);
    finish_sums(&e, dx, s->h * s->w, s->c, 0, s->c);
}

static void sparse_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                  int phase, int64_t begin, int64_t end)
{
    const cj__conv2d *s = &a->s;
    for (int64_t task = begin; task < end; task++) {
        if (phase == 0) {
            turn_row(s, a->w, workspace, task);
            continue;
        }
        const int64_t last = min((task + 1) * SPARSE_IMAGES, s->n);
        for (int64_t image = task * SPARSE_IMAGES; image < last; image++)
            sparse_input_image(a, workspace, scratch, image);
    }
}

#endif
