// The gradient by the filters of windows of 3 x 3 with one channel each (depthwise_grad.h), with
// strides of 1 or 2: the sums of all nine taps stay in registers through a strip of rows of dy.
//
// A tile is some pixels of a row of dy, which stay in registers too, and the columns of x that their
// windows see: each is loaded once a window row. What lies outside the image is read as zeros, as in
// depthwise_three.h.
#ifndef CJ_KERNELS_BODY_CONV_DEPTHWISE_THREE_GRAD_H
#define CJ_KERNELS_BODY_CONV_DEPTHWISE_THREE_GRAD_H

#include "kernels/body/conv/depthwise_three.h"

enum { THREE_GRAD_PIXELS = VEC_BYTES == 64 ? 8 : 4 }; // there are 32 registers, or 16

static bool is_by_three_sums(const cj__conv2d *s)
{
    return s->f == s->c && s->kh == THREE && s->dh == 1 &&
           serves_threes(s->ow, s->sw, s->kw, s->dw, s->left, s->w);
}

// A row of dy and the rows of x that its windows see: column 0 of pixel 0's window at x[u] +
// place[u], inside the row or not. Rows outside the image are zeros, and a column's step there is 0.
typedef struct three_rows {
    const real *x[THREE], *dy;
    int64_t place[THREE], step[THREE];
} three_rows;

// Some rows of dy, which may be of several images. Their geometry is found once for all filters: it
// divides, and a row of a small image is a few dozen multiply-adds.
enum { THREE_ROWS = 128 };
typedef struct three_strip {
    const cj__conv2d *s;
    bool opens, closes;
    int64_t count;
    three_rows rows[THREE_ROWS];
    real *dw;
} three_strip;

static three_rows three_rows_of(const cj__conv2d_args *a, int64_t row)
{
    const cj__conv2d *s = &a->s;
    three_rows r = {.dy = (const real *)a->dy + row * s->ow * s->f};
    for (int64_t u = 0; u < THREE; u++) {
        const int64_t i = row % s->oh * s->sh + u - s->top;
        const bool inside = i >= 0 && i < s->h;
        r.x[u] = inside ? a->x : three_zeros;
        r.place[u] = inside ? ((row / s->oh * s->h + i) * s->w - s->left) * s->c : 0;
        r.step[u] = inside ? s->c : 0;
    }
    return r;
}

// Pixels at .. at + pixels - 1 of a row.
ALWAYS_INLINE void three_add(const three_strip *t, const three_rows *r, int64_t filter, int64_t at,
                             vmask part, const int pixels, const int stride, const bool whole,
                             vec sum[THREE][THREE])
{
    const cj__conv2d *s = t->s;
    const int columns = (pixels - 1) * stride + THREE;
    const bool opens = t->opens && at == 0, closes = t->closes && at + pixels == s->ow;
    const real *dy = r->dy + at * s->f + filter, *x[THREE], *first[THREE];
    vec d[THREE_GRAD_PIXELS];
    UNROLL
    for (int p = 0; p < pixels; p++, dy += s->f)
        d[p] = vec_held(three_load(dy, part, whole));
    UNROLL
    for (int u = 0; u < THREE; u++) { // zeros have no channels
        const int64_t channel = r->step[u] ? filter : 0;
        first[u] = r->x[u] + (opens ? 0 : r->place[u] + at * stride * r->step[u] + channel);
        x[u] = r->x[u] + (r->place[u] + (at * stride + 1) * r->step[u] + channel);
    }
    UNROLL
    for (int j = 0; j < columns; j++) {
        const bool outside = (j == 0 && opens) || (j == columns - 1 && closes);
        UNROLL
        for (int u = 0; u < THREE; u++) {
            const real *source = j == 0 ? first[u] : x[u];
            const vec value = vec_held(three_load(outside ? three_zeros : source, part, whole));
            UNROLL
            for (int v = 0; v < THREE; v++)
                if (j >= v && (j - v) % stride == 0 && (j - v) / stride < pixels)
                    sum[u][v] = vec_fma(value, d[(j - v) / stride], sum[u][v]);
            x[u] += j == 0 ? 0 : r->step[u];
        }
    }
}

ALWAYS_INLINE void three_row_sums(const three_strip *t, const three_rows *r, int64_t filter,
                                  vmask part, const int stride, const bool whole,
                                  vec sum[THREE][THREE])
{
    const int most = three_most(stride, THREE_GRAD_PIXELS);
    const int64_t count = t->s->ow;
    int64_t at = 0;
    for (; at + most <= count; at += most)
        three_add(t, r, filter, at, part, most, stride, whole, sum);
    if (most > 4 && count - at >= 4) {
        three_add(t, r, filter, at, part, 4, stride, whole, sum);
        at += 4;
    }
    if (count - at >= 2) {
        three_add(t, r, filter, at, part, 2, stride, whole, sum);
        at += 2;
    }
    if (at < count)
        three_add(t, r, filter, at, part, 1, stride, whole, sum);
}

ALWAYS_INLINE void three_sums(const three_strip *t, int64_t filter, vmask part, const int stride,
                              const bool whole)
{
    const cj__conv2d *s = t->s;
    vec sum[THREE][THREE];
    real *dw = t->dw + filter;
    UNROLL
    for (int k = 0; k < THREE * THREE; k++)
        sum[k / THREE][k % THREE] = three_load(dw + k * s->f, part, whole);
    for (const three_rows *r = t->rows; r < t->rows + t->count; r++)
        three_row_sums(t, r, filter, part, stride, whole, sum);
    UNROLL
    for (int k = 0; k < THREE * THREE; k++) {
        if (whole)
            vec_store(dw + k * s->f, sum[k / THREE][k % THREE]);
        else
            vec_store_part(dw + k * s->f, sum[k / THREE][k % THREE], part);
    }
}

// Filters filter0 .. filter1 - 1. Not inlined: their loops want all registers.
#define THREES(stride)                                                                          \
    static __attribute__((noinline)) void three_sums_##stride(const three_strip *t,             \
                                                              int64_t filter0, int64_t filter1) \
    {                                                                                           \
        int64_t filter = filter0;                                                               \
        for (; filter + LANES <= filter1; filter += LANES)                                      \
            three_sums(t, filter, mask_first(LANES), stride, true);                             \
        if (filter < filter1)                                                                   \
            three_sums(t, filter, mask_first(filter1 - filter), stride, false);                 \
    }
THREES(1)
THREES(2)
#undef THREES

// Adds rows row0 .. row1 - 1 of dy to the sums of filters filter0 .. filter1 - 1.
static void add_threes(const cj__conv2d_args *a, int64_t row0, int64_t row1, int64_t filter0,
                       int64_t filter1, real *dw)
{
    const cj__conv2d *s = &a->s;
    three_strip t = {.s = s, .opens = s->left > 0, .dw = dw};
    t.closes = (s->ow - 1) * s->sw - s->left + THREE > s->w;
    for (int64_t row = row0; row < row1; row += t.count) {
        t.count = min(row1 - row, THREE_ROWS);
        for (int64_t k = 0; k < t.count; k++)
            t.rows[k] = three_rows_of(a, row + k);
        if (s->sw == 1)
            three_sums_1(&t, filter0, filter1);
        else
            three_sums_2(&t, filter0, filter1);
    }
}

#endif
