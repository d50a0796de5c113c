// The gradient by the input for few channels, the first layer's: dots along the filters.
//
//   dx[pixel][c] = sum over taps, f of dy[place of tap][f] w[tap][c][f]
//
// Lanes along 3 channels would leave 13 of 16 idle. Along the filters, which are adjacent in dy and
// in w as they lie, all lanes work, and nothing is turned; lanes are added once at the end, LANES
// sums of some pixels and channels at a time. With `taps` of `f` filters that is c taps (f / LANES)
// multiply-adds and 3 c steps of adding lanes for a pixel, against taps f (c / LANES)
// multiply-adds.
// of a tile: it reads pixels + channels vectors for LANES multiply-adds
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_INPUT_DOTS_H
#define CJ_KERNELS_BODY_CONV_CONV2D_INPUT_DOTS_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/conv2d_gather.h"

enum { DOT_CHANNELS = LANES < 4 ? LANES : 4 };

typedef struct dot_tile {
    const real *from[LANES];      // of each pixel: its first source in dy
    const real *w;                // of the first channel
    const int64_t *places, *taps; // where taps read dy, from the first source on, and w
    int64_t tap_count, filters, w_row;
} dot_tile;

ALWAYS_INLINE vec load_dots(const real *from, const bool is_part, vmask part)
{
    return is_part ? vec_load_part(from, part) : vec_load(from);
}

ALWAYS_INLINE void dot_step(const dot_tile *t, int64_t place, const real *w, const int channels,
                            const bool is_part, vmask part, vec sum[LANES])
{
    const int pixels = LANES / channels;
    vec x[LANES];
    UNROLL
    for (int p = 0; p < pixels; p++) {
        x[p] = load_dots(t->from[p] + place, is_part, part);
        if (channels > 1)
            x[p] = vec_held(x[p]);
    }
    UNROLL
    for (int c = 0; c < channels; c++) {
        const vec tap = load_dots(w + c * t->w_row, is_part, part);
        UNROLL
        for (int p = 0; p < pixels; p++)
            sum[p * channels + c] = vec_fma(x[p], tap, sum[p * channels + c]);
    }
}

// Lane p * channels + c is dx of pixel p and channel c.
ALWAYS_INLINE vec dot_tile_body(const dot_tile *t, const int channels)
{
    const int64_t whole = t->filters / LANES * LANES;
    const vmask part = mask_first(t->filters - whole);
    vec sum[LANES];
    UNROLL
    for (int i = 0; i < LANES; i++)
        sum[i] = vec_set(0);
    for (int64_t tap = 0; tap < t->tap_count; tap++) {
        const int64_t place = t->places[tap];
        const real *w = t->w + t->taps[tap];
        for (int64_t f = 0; f < whole; f += LANES)
            dot_step(t, place + f, w + f, channels, false, part, sum);
        if (whole < t->filters)
            dot_step(t, place + whole, w + whole, channels, true, part, sum);
    }
    return vec_sums(sum);
}

static vec dots_of(const dot_tile *t, int channels)
{
    return channels == 1 ? dot_tile_body(t, 1) :
           channels == 2 ? dot_tile_body(t, 2) :
           channels == 3 ? dot_tile_body(t, DOT_CHANNELS < 3 ? 1 : 3) :
                           dot_tile_body(t, DOT_CHANNELS < 4 ? 1 : 4);
}

// Whether this form is faster.
static bool is_by_dots(const cj__conv2d *s)
{
    const int64_t depth = s->c / s->groups, filters = s->f / s->groups;
    return s->kh * s->kw <= SEGMENTS_MAX &&
           3 * depth * (ceil_div(filters, LANES) + 1) <= 2 * ceil_div(depth, LANES) * filters;
}

// Where the taps of a rectangle are: turned around, as conv_span counts them.
static void find_dots(const gather *g, const gather_rectangle *r, int64_t *places, int64_t *taps)
{
    const conv_span *row = &r->rows.span, *col = &r->cols.span;
    for (int64_t i = 0, at = 0; i < row->count; i++) {
        const int64_t u = g->s.kh - 1 - row->tap - i * g->rows.tap_step;
        for (int64_t j = 0; j < col->count; j++, at++) {
            const int64_t v = g->s.kw - 1 - col->tap - j * g->cols.tap_step;
            places[at] = (i * g->rows.src_step * g->s.ow + j * g->cols.src_step) * g->s.f;
            taps[at] = (u * g->s.kw + v) * g->depth * g->s.f;
        }
    }
}

// The next tile's pixels, `count` of them; if there are fewer than a tile has, the last is taken
// again. Returns whether all lie one after the other in dx.
static bool aim_dots(const gather *g, const gather_rectangle *r, gather_pixel *p, int64_t pixels,
                     int64_t count, const real **from, real **to)
{
    const int64_t right = g->cols.down * g->s.c;
    if (count == pixels && p->j + count <= r->cols.count) {
        for (int64_t i = 0; i < count; i++)
            from[i] = p->from + i * g->s.f, to[i] = p->to + i * right;
        p->j += count - 1;
        p->from += (count - 1) * g->s.f;
        p->to += (count - 1) * right;
        gather_next(g, r, p);
        return true;
    }
    for (int64_t i = 0; i < pixels; i++) {
        from[i] = p->from, to[i] = p->to;
        if (i < count - 1 || i == pixels - 1)
            gather_next(g, r, p);
    }
    return false;
}

// Some channels of a rectangle, whose first is g->dx's.
static void gather_dots(const gather *g, const gather_part *part, const gather_rectangle *r,
                        dot_tile *t, int channels)
{
    const int64_t pixels = LANES / channels;
    const bool is_dense = g->cols.down == 1 && g->s.c == channels;
    gather_pixel p = gather_first(g, part, r);
    for (int64_t at = 0; at < r->pixels; at += pixels) {
        const int64_t count = min(pixels, r->pixels - at);
        real *to[LANES], sums[LANES];
        const bool is_row = aim_dots(g, r, &p, pixels, count, t->from, to);
        const vec sum = dots_of(t, channels);
        if (is_dense && is_row) {
            vec_store_part(to[0], sum, mask_first(count * channels));
            continue;
        }
        vec_store(sums, sum);
        for (int64_t i = 0; i < count; i++)
            for (int c = 0; c < channels; c++)
                to[i][c] = sums[i * channels + c];
    }
}

static void gather_by_dots(const gather *g, const gather_part *part, const gather_rectangle *r)
{
    int64_t places[SEGMENTS_MAX], taps[SEGMENTS_MAX];
    dot_tile t = {.places = places, .taps = taps, .filters = g->filters, .w_row = g->s.f};
    const int64_t depth0 = part->channel - part->group * g->depth,
                  pieces = ceil_div(part->channels, DOT_CHANNELS);
    t.tap_count = r->rows.span.count * r->cols.span.count;
    find_dots(g, r, places, taps);
    for (int64_t piece = 0; piece < pieces; piece++) {
        const int64_t first = part->channels * piece / pieces,
                      last = part->channels * (piece + 1) / pieces;
        gather own = *g;
        own.dy += part->group * g->filters;
        own.dx += part->channel + first;
        t.w = g->w + (depth0 + first) * g->s.f + part->group * g->filters;
        gather_dots(&own, part, r, &t, (int)(last - first));
    }
}

#endif
