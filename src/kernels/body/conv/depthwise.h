// Convolutions in which every filter sees one channel (depthwise_form.h): forward, and the gradient by
// the input.
//
// Lanes are filters. Both walk over rows of what is made: rows of windows of three columns as one
// (depthwise_three.h), others by classes of columns that the same taps reach (conv2d_axis.h), so that
// padding is neither made nor multiplied. With more than one filter to a channel the channels are
// spread over the lanes forward, and by the input a row of sums by filter is folded into channels.
#ifndef CJ_KERNELS_BODY_CONV_DEPTHWISE_H
#define CJ_KERNELS_BODY_CONV_DEPTHWISE_H

#include "kernels/body/conv/depthwise_form.h"
#include "kernels/body/conv/depthwise_three.h"
#include "kernels/body/elementwise/elementwise.h"

enum {
    DEPTHWISE_TASKS = 64,
    DEPTHWISE_LEAST = 1 << 14, // multiply-adds of a task at least, where there are as many
    DEPTHWISE_PIXELS = 4,      // of a tile,
    DEPTHWISE_VECS = 2,        // and its vectors of filters
    DEPTHWISE_CLASSES = 64
};

// Rows of what is made, of a task.
static int64_t depthwise_task_rows(const depthwise *d)
{
    const int64_t work = max(d->to_cols * d->filters * d->kh * d->kw, 1);
    return max(
        max(ceil_div(d->images * d->to_rows, DEPTHWISE_TASKS), ceil_div(DEPTHWISE_LEAST, work)), 1);
}

static void depthwise_job(const depthwise *d, cj__job *job)
{
    *job =
        (cj__job){.phases = 1, .tasks = {ceil_div(d->images * d->to_rows, depthwise_task_rows(d))}};
    if (d->to_channels != d->filters)
        job->scratch = (size_t)(d->to_cols * d->filters) * sizeof(real);
}

// ---- pixels ----

// Neighbouring pixels that the same taps reach, and some of these taps.
typedef struct depthwise_run {
    const real *from, *w, *bias;
    real *to;
    int64_t count, from_step, to_step;
    int64_t tap_count;
    const int64_t *places, *taps; // where a tap reads, from the pixel's first source on, and w
    bool begins, relu;            // a sum; it
} depthwise_run;

// The lanes of some filters: lane i of what is read is lane `channel` of the channels from the
// first filter's on.
typedef struct depthwise_lanes {
    int64_t filter, channel;
    vmask part, from_part;
    ivec spread;
} depthwise_lanes;

// Filters from `filter` on; m of them share a channel.
static depthwise_lanes lanes_of_filters(int64_t filter, int64_t filters, int64_t m)
{
    depthwise_lanes l = {.filter = filter, .channel = filter / m};
    lane_int channels[LANES];
    for (int64_t i = 0, q = filter % m, channel = 0; i < LANES; i++) {
        channels[i] = (lane_int)channel;
        q = q + 1 < m ? q + 1 : 0;
        channel += q == 0;
    }
    l.part = mask_first(min(LANES, filters - filter));
    l.from_part = mask_first(min(LANES, filters / m - l.channel));
    memcpy(&l.spread, channels, sizeof channels);
    return l;
}

ALWAYS_INLINE vec load_channels(const real *from, const depthwise_lanes *l, const bool whole,
                                const bool spreads)
{
    if (!spreads)
        return whole ? vec_load(from) : vec_load_part(from, l->part);
    return vec_permute(vec_load_part(from, l->from_part), l->spread);
}

// What pixels' sums begin with: the bias, or what earlier taps made.
ALWAYS_INLINE void depthwise_begin(const depthwise_run *r, const depthwise_lanes *l, const real *to,
                                   const int pixels, const int vecs, const bool whole,
                                   vec sum[DEPTHWISE_PIXELS][DEPTHWISE_VECS])
{
    UNROLL
    for (int v = 0; v < vecs; v++) {
        const real *b = r->bias ? r->bias + l->filter + v * LANES : NULL;
        const vec start = !b ? vec_set(0) : whole ? vec_load(b) : vec_load_part(b, l->part);
        UNROLL
        for (int p = 0; p < pixels; p++)
            sum[p][v] = start;
    }
    if (r->begins)
        return;
    UNROLL
    for (int p = 0; p < pixels; p++, to += r->to_step) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            sum[p][v] = whole ? vec_load(to + v * LANES) : vec_load_part(to + v * LANES, l->part);
    }
}

// Addresses are walked, not computed for each pixel: there are more of them than registers.
ALWAYS_INLINE void depthwise_tile(const depthwise_run *r, const depthwise_lanes *l, int64_t at,
                                  const int pixels, const int vecs, const bool whole,
                                  const bool spreads)
{
    vec sum[DEPTHWISE_PIXELS][DEPTHWISE_VECS];
    const real *from = r->from + at * r->from_step + l->channel, *w = r->w + l->filter;
    real *to = r->to + at * r->to_step + l->filter;
    const int64_t *places = r->places, *taps = r->taps, step = r->from_step;
    depthwise_begin(r, l, to, pixels, vecs, whole, sum);
    for (int64_t left = r->tap_count; left > 0; left--, places++, taps++) {
        const real *x = from + *places, *k = w + *taps;
        vec filter[DEPTHWISE_VECS];
        UNROLL
        for (int v = 0; v < vecs; v++)
            filter[v] =
                vec_held(whole ? vec_load(k + v * LANES) : vec_load_part(k + v * LANES, l->part));
        UNROLL
        for (int p = 0; p < pixels; p++, x += step) {
            UNROLL
            for (int v = 0; v < vecs; v++)
                sum[p][v] =
                    vec_fma(load_channels(x + v * LANES, l, whole, spreads), filter[v], sum[p][v]);
        }
    }
    UNROLL
    for (int p = 0; p < pixels; p++, to += r->to_step) {
        UNROLL
        for (int v = 0; v < vecs; v++)
            put_vec(to + v * LANES, r->relu ? vec_max(vec_set(0), sum[p][v]) : sum[p][v], whole,
                    l->part);
    }
}

ALWAYS_INLINE void depthwise_tiles(const depthwise_run *r, const depthwise_lanes *l, const int vecs,
                                   const bool whole, const bool spreads)
{
    int64_t at = 0;
    for (; at + DEPTHWISE_PIXELS <= r->count; at += DEPTHWISE_PIXELS)
        depthwise_tile(r, l, at, DEPTHWISE_PIXELS, vecs, whole, spreads);
    for (; at < r->count; at++)
        depthwise_tile(r, l, at, 1, vecs, whole, spreads);
}

// Not inlined: its loops want all registers.
static __attribute__((noinline)) void depthwise_pixels(const depthwise_run *r, int64_t filters,
                                                       int64_t m)
{
    const int64_t step = DEPTHWISE_VECS * LANES;
    for (int64_t filter = 0; filter < filters;) {
        const bool full = m == 1 && filter + step <= filters;
        const depthwise_lanes l = lanes_of_filters(filter, filters, m);
        if (full)
            depthwise_tiles(r, &l, DEPTHWISE_VECS, true, false);
        else if (m == 1)
            depthwise_tiles(r, &l, 1, false, false);
        else
            depthwise_tiles(r, &l, 1, false, true);
        filter += full ? step : LANES;
    }
}

// ---- rows ----

// One class of columns of a row: source row and taps by `rows`, sources of the image at `from`.
static void depthwise_columns(const depthwise *d, const conv_span *rows, const conv_class *cols,
                              const real *from, real *row)
{
    const int64_t across = cols->span.count, all = rows->count * across;
    int64_t places[SEGMENTS_MAX], taps[SEGMENTS_MAX];
    depthwise_run r = {.w = d->w, .bias = d->e.bias, .places = places, .taps = taps};
    r.from = from + (rows->src * d->from_cols + cols->span.src) * d->from_channels;
    r.to = row + cols->first * d->filters;
    r.count = cols->count;
    r.from_step = cols->step * d->from_channels;
    r.to_step = d->cols.down * d->filters;
    for (int64_t first = 0; first == 0 || first < all; first += SEGMENTS_MAX) {
        r.tap_count = min(SEGMENTS_MAX, all - first);
        for (int64_t k = 0; k < r.tap_count; k++) {
            const int64_t i = (first + k) / across, j = (first + k) % across;
            const int64_t u = rows->tap + i * d->rows.tap_step,
                          v = cols->span.tap + j * d->cols.tap_step;
            places[k] =
                (i * d->rows.src_step * d->from_cols + j * d->cols.src_step) * d->from_channels;
            taps[k] = (d->turned ? (d->kh - u) * d->kw - 1 - v : u * d->kw + v) * d->filters;
        }
        r.begins = first == 0;
        r.relu = first + SEGMENTS_MAX >= all && is_relu(&d->e);
        depthwise_pixels(&r, d->filters, d->spread);
    }
}

// dx of a row from its sums by filter.
static void fold_filters(const depthwise *d, const real *sums, real *to)
{
    const int64_t m = d->filters / d->to_channels;
    lane_int lane[LANES];
    ivec first;
    for (int i = 0; i < LANES; i++)
        lane[i] = (lane_int)(i * m);
    memcpy(&first, lane, sizeof lane);
    for (int64_t p = 0; p < d->to_cols; p++, sums += d->filters, to += d->to_channels)
        for (int64_t c = 0; c < d->to_channels; c += LANES) {
            vec folded = vec_set(0);
            for (int64_t k = 0; k < m && c * m + k * LANES < d->filters; k++) {
                const int64_t at = c * m + k * LANES;
                const vec part = vec_load_part(sums + at, mask_first(min(LANES, d->filters - at)));
                for (int64_t q = 0; q < m; q++) {
                    const ivec place = first + (lane_int)(q - k * LANES);
                    const ivec inside = (place >= ivec_set(0)) & (place < ivec_set(LANES));
                    folded += (vec)((ivec)vec_permute(part, place & ivec_set(LANES - 1)) & inside);
                }
            }
            vec_store_part(to + c, folded, mask_first(min(LANES, d->to_channels - c)));
        }
}

// What comes after the sums of a row.
static void finish_depthwise_row(const depthwise *d, real *row, real *made)
{
    if (is_applied(&d->e))
        finish_rows(&d->e, &row, 1, d->to_cols * d->to_channels);
    finish_sums(&d->after, made, d->to_cols, d->to_channels, 0, d->to_channels);
}

static void depthwise_rows(const depthwise *d, real *scratch, int64_t begin, int64_t end)
{
    const bool folds = d->to_channels != d->filters, by_threes = is_by_threes(d);
    conv_class classes[DEPTHWISE_CLASSES];
    int known = 0;
    for (int64_t at = begin; at < end; at++) {
        const conv_span rows = span_of(&d->rows, at % d->to_rows);
        const real *from =
            d->from + at / d->to_rows * d->from_rows * d->from_cols * d->from_channels;
        real *made = d->to + at * d->to_cols * d->to_channels, *row = folds ? scratch : made;
        int index = 0;
        if (by_threes) {
            three_row(d, &rows, from, row);
            finish_depthwise_row(d, row, made);
            continue;
        }
        for (int64_t j = 0; j < d->cols.down; j++)
            for (int64_t col = j; col < d->to_cols; index++) {
                const conv_class cols =
                    index < known ? classes[index] : class_of(&d->cols, col, d->to_cols);
                if (index == known && known < DEPTHWISE_CLASSES)
                    classes[known++] = cols;
                col += cols.count * d->cols.down;
                depthwise_columns(d, &rows, &cols, from, row);
            }
        if (folds)
            fold_filters(d, row, made);
        finish_depthwise_row(d, row, made);
    }
}

static void depthwise_run_tasks(const depthwise *d, void *scratch, int64_t begin, int64_t end)
{
    const int64_t rows = depthwise_task_rows(d), all = d->images * d->to_rows;
    for (int64_t task = begin; task < end; task++)
        depthwise_rows(d, scratch, task * rows, min((task + 1) * rows, all));
}

#endif
