// Windows of three columns of one channel each (depthwise_form.h), with strides of 1 or 2: a row of
// pixels at a time, for a vector of filters.
//
//   to[j][q] = start + sum over rows u and v < 3 of from[u][j stride + v - before][q] w[u][v][q]
//
// Neighbouring windows share columns: a tile of some pixels loads each column once and multiplies it
// by the taps of all windows that see it. Where the first or last column lies outside the row, zeros
// are read in its place, so that rows have no edges of their own, which small images would consist
// of. Sums are in the order of taps, as in depthwise.h: the bits are the same.
#ifndef CJ_KERNELS_BODY_CONV_DEPTHWISE_THREE_H
#define CJ_KERNELS_BODY_CONV_DEPTHWISE_THREE_H

#include "kernels/body/conv/depthwise_form.h"

enum { THREE = 3, THREE_PIXELS = 8 }; // taps of a window row; pixels of a tile

static const real three_zeros[LANES] = {0};

// Whether windows along an axis are of this kind, and reach over each end by one column at most.
static bool serves_threes(int64_t outputs, int64_t stride, int64_t taps, int64_t dilation,
                          int64_t before, int64_t size)
{
    return taps == THREE && dilation == 1 && (stride == 1 || stride == 2) && before >= 0 &&
           before <= 1 && outputs > 0 && (outputs - 1) * stride - before + THREE - 1 <= size;
}

static bool is_by_threes(const depthwise *d)
{
    return d->cols.down == 1 && d->spread == 1 && d->to_channels == d->filters &&
           serves_threes(d->to_cols, d->cols.up, d->cols.taps, d->cols.dilation, d->cols.before,
                         d->from_cols);
}

// A row of pixels. Column 0 of pixel 0's window is at from[place], inside the row or not.
typedef struct three_pixels {
    const real *from, *w, *bias;
    real *to;
    int64_t place, count, rows;
    int64_t column, from_row; // from one to the next in what is read,
    int64_t w_column, w_row;  // and in the filters
    int64_t filters;
    bool opens, closes; // the first and the last column lie outside
    bool relu;
} three_pixels;

// Pixels of a tile: with strides of 2 they see twice the columns, of which at most 16 are unrolled.
ALWAYS_INLINE int three_most(const int stride, const int pixels)
{
    return stride == 1 || pixels < 4 ? pixels : 4;
}

ALWAYS_INLINE vec three_load(const real *p, vmask part, const bool whole)
{
    return whole ? vec_load(p) : vec_load_part(p, part);
}

// Addresses are walked: see depthwise.h.
ALWAYS_INLINE void three_tile(const three_pixels *t, int64_t filter, int64_t at, vmask part,
                              const int pixels, const int stride, const bool whole)
{
    const int columns = (pixels - 1) * stride + THREE;
    const bool opens = t->opens && at == 0, closes = t->closes && at + pixels == t->count;
    const int64_t column = t->column;
    int64_t place = t->place + at * stride * column + filter;
    const real *w = t->w + filter;
    vec sum[THREE_PIXELS];
    const vec start = t->bias ? three_load(t->bias + filter, part, whole) : vec_set(0);
    UNROLL
    for (int p = 0; p < pixels; p++)
        sum[p] = start;
    for (int64_t left = t->rows; left > 0; left--, place += t->from_row, w += t->w_row) {
        const real *x = t->from + (place + column); // of the second column, which is inside
        vec taps[THREE];
        UNROLL
        for (int v = 0; v < THREE; v++)
            taps[v] = vec_held(three_load(w + v * t->w_column, part, whole));
        UNROLL
        for (int j = 0; j < columns; j++) {
            const bool outside = (j == 0 && opens) || (j == columns - 1 && closes);
            const real *source = j == 0 ? t->from + (opens ? 0 : place) : x;
            const vec value = vec_held(three_load(outside ? three_zeros : source, part, whole));
            UNROLL
            for (int p = 0; p < pixels; p++)
                if (j >= p * stride && j < p * stride + THREE)
                    sum[p] = vec_fma(value, taps[j - p * stride], sum[p]);
            x += j == 0 ? 0 : column;
        }
    }
    real *to = t->to + at * t->filters + filter;
    UNROLL
    for (int p = 0; p < pixels; p++, to += t->filters) {
        const vec y = t->relu ? vec_max(vec_set(0), sum[p]) : sum[p];
        if (whole)
            vec_store(to, y);
        else
            vec_store_part(to, y, part);
    }
}

ALWAYS_INLINE void three_filters(const three_pixels *t, int64_t filter, vmask part,
                                 const int stride, const bool whole)
{
    const int most = three_most(stride, THREE_PIXELS);
    int64_t at = 0;
    for (; at + most <= t->count; at += most)
        three_tile(t, filter, at, part, most, stride, whole);
    if (most > 4 && t->count - at >= 4) {
        three_tile(t, filter, at, part, 4, stride, whole);
        at += 4;
    }
    if (t->count - at >= 2) {
        three_tile(t, filter, at, part, 2, stride, whole);
        at += 2;
    }
    if (at < t->count)
        three_tile(t, filter, at, part, 1, stride, whole);
}

// Not inlined: their loops want all registers.
#define THREES(stride)                                                                  \
    static __attribute__((noinline)) void three_filters_##stride(const three_pixels *t) \
    {                                                                                   \
        int64_t filter = 0;                                                             \
        for (; filter + LANES <= t->filters; filter += LANES)                           \
            three_filters(t, filter, mask_first(LANES), stride, true);                  \
        if (filter < t->filters)                                                        \
            three_filters(t, filter, mask_first(t->filters - filter), stride, false);   \
    }
THREES(1)
THREES(2)
#undef THREES

// One row of what is made, from the rows of the image at `from` that its taps reach.
static void three_row(const depthwise *d, const conv_span *rows, const real *from, real *to)
{
    const int64_t turn = d->turned ? -1 : 1, tap = rows->tap * d->kw * d->filters;
    three_pixels t = {.from = from,
                      .w = d->turned ? d->w + (d->kh * d->kw - 1) * d->filters - tap : d->w + tap,
                      .bias = d->e.bias,
                      .to = to,
                      .count = d->to_cols,
                      .rows = rows->count,
                      .column = d->from_channels,
                      .filters = d->filters};
    t.place = (rows->src * d->from_cols - d->cols.before) * d->from_channels;
    t.from_row = d->rows.src_step * d->from_cols * d->from_channels;
    t.w_column = turn * d->filters;
    t.w_row = turn * d->rows.tap_step * d->kw * d->filters;
    t.opens = d->cols.before > 0;
    t.closes = (d->to_cols - 1) * d->cols.up - d->cols.before + THREE > d->from_cols;
    t.relu = is_relu(&d->e);
    if (d->cols.up == 1)
        three_filters_1(&t);
    else
        three_filters_2(&t);
}

#endif
