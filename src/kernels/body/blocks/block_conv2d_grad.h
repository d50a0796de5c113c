// The gradient of a convolution over blocks of images by the filters:
//
//   dw[u][v][c][f] = sum over blocks, pixels and lanes of x[place of tap][c] dy[pixel][f]
//
// A tile is a few rows (u, v, c) of dw by a few filters, each accumulator a vector over the images
// of a block. It runs over a strip of dy that stays in the first cache while all rows pass by; from
// strip to strip accumulators are kept as they are, in the thread's own memory, and their lanes are
// added once, at the end, by halves.
//
// Rows of a tile see the same pixels. Where windows leave the image, the rows of one tap have a
// rectangle of their own, so that nothing is multiplied with padding; so they have if channels are
// many, because taps side by side read the same x. Else these are all pixels for all rows. If the
// channels are too few for a tile of one tap, a first phase copies x into a frame of zeros.
//
// The batch is cut into pieces by the shape alone; each piece has its own sums in the workspace,
// which a last phase adds in order. A task is a piece and a share of the tiles. The sum of dy
// itself (dbias) is one more row, whose x is 1.
#ifndef CJ_KERNELS_BODY_BLOCKS_BLOCK_CONV2D_GRAD_H
#define CJ_KERNELS_BODY_BLOCKS_BLOCK_CONV2D_GRAD_H

#include "kernels/body/blocks/block_conv2d.h"
#include "kernels/body/blocks/block_tile.h"
#include "kernels/body/conv/conv2d.h"
#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/conv2d_grad.h"
#include "kernels/body/winograd/winograd.h"

enum {
    FEW_CHANNELS = 4,       // fewer than this are framed
    MANY_CHANNELS = 8,      // so many fill the tiles of one tap
    STRIP_BYTES = 20 << 10, // of a tile's columns of dy
    LONG_STRIP = 128 << 10, // the same where accumulators would not stay in the second cache
    KEPT_BYTES = 256 << 10, // of accumulators
    BLOCK_PIECES_MAX = 8,
    BLOCK_TASKS = 8,     // at least, if there are as many tiles
    ADDED_A_TASK = 4096, // elements of dw
};

typedef struct grad_tile {
    const real *x, *dy;         // of the first pixel
    const int64_t *offsets;     // from x, where the rows of the tile lie
    int64_t blocks, rows, cols; // of pixels
    int64_t x_block, x_row, x_col, dy_block, dy_row, dy_col;
    vec *sum; // [row][filter]: what the tile adds to, unless it begins
    bool begins;
} grad_tile;

ALWAYS_INLINE void grad_tile_body(const grad_tile *t, const int filters, const int rows)
{
    vec sum[BLOCK_PIXELS_MAX][BLOCK_FILTERS_MAX];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int f = 0; f < filters; f++)
            sum[i][f] = t->begins ? vec_set(0) : t->sum[i * filters + f];
    }
    const int64_t x_col = t->x_col, dy_col = t->dy_col, width = t->cols * dy_col;
    // one pointer and distances from it: others would want an addition each
    int64_t offset[BLOCK_PIXELS_MAX];
    UNROLL
    for (int i = 0; i < rows; i++)
        offset[i] = t->offsets[i];
    for (int64_t b = 0; b < t->blocks; b++) {
        for (int64_t r = 0; r < t->rows; r++) {
            const real *x = t->x + b * t->x_block + r * t->x_row,
                       *dy = t->dy + b * t->dy_block + r * t->dy_row;
            for (const real *const end = dy + width; dy != end; x += x_col, dy += dy_col) {
                if (rows <= filters) {
                    vec v[BLOCK_PIXELS_MAX];
                    UNROLL
                    for (int i = 0; i < rows; i++)
                        v[i] = vec_load(x + offset[i]);
                    UNROLL
                    for (int f = 0; f < filters; f++) {
                        const vec gradient = vec_load(dy + f * LANES);
                        UNROLL
                        for (int i = 0; i < rows; i++)
                            sum[i][f] = vec_fma(gradient, v[i], sum[i][f]);
                    }
                } else {
                    vec gradients[BLOCK_FILTERS_MAX];
                    UNROLL
                    for (int f = 0; f < filters; f++)
                        gradients[f] = vec_load(dy + f * LANES);
                    UNROLL
                    for (int i = 0; i < rows; i++) {
                        const vec v = vec_load(x + offset[i]);
                        UNROLL
                        for (int f = 0; f < filters; f++)
                            sum[i][f] = vec_fma(gradients[f], v, sum[i][f]);
                    }
                }
            }
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int f = 0; f < filters; f++)
            t->sum[i * filters + f] = sum[i][f];
    }
}

#define TILE(f, p)                                      \
    static void grad_tile_##f##_##p(const grad_tile *t) \
    {                                                   \
        grad_tile_body(t, f, p);                        \
    }
#define ROW(f, p) BLOCK_TILES_##p(f)
BLOCK_SHAPES(ROW)
#undef ROW
#undef TILE

typedef void grad_tile_code(const grad_tile *t);

#define TILE(f, p) [p] = grad_tile_##f##_##p,
static grad_tile_code *const grad_tile_codes[BLOCK_FILTERS_MAX + 1][BLOCK_PIXELS_MAX + 1] = {
#define ROW(f, p) [f] = {BLOCK_TILES_##p(f)},
    BLOCK_SHAPES(ROW)
#undef ROW
};
#undef TILE

// `whole` things in `pieces` shares as even as can be.
typedef struct shares {
    int64_t pieces, size, more; // the first `more` of them have one more than `size`
} shares;

static shares shares_of(int64_t whole, int64_t pieces)
{
    return (shares){pieces, whole / pieces, whole % pieces};
}

static int64_t share_start(const shares *s, int64_t piece)
{
    return piece * s->size + min(piece, s->more);
}

// How a gradient is cut. `s` is the geometry of the framed x, whose channels are vectors.
typedef struct filter_grad {
    cj__conv2d s;
    const real *x, *dy;
    int64_t blocks, pieces;
    bool by_tap; // whether each tap has tiles of its own
    // groups of rows, each with one rectangle: those of a tap, kh by kw, or all
    int64_t down, across, groups;
    int64_t group_rows;
    int64_t row_tiles, filter_tiles;
    shares row_shares, filter_shares;
    // units: those of one range of filters, and perhaps dbias; chunks: shares of all units
    int64_t units, chunks;
    int64_t tile_sums; // of the greatest tile
    bool sums_dbias;
} filter_grad;

// The geometry in which a block is an image whose channels are vectors, as frames need it.
static cj__conv2d block_geometry(const cj__conv2d *s)
{
    cj__conv2d blocks = *s;
    blocks.n = blocks_of(s);
    blocks.c *= LANES;
    blocks.f *= LANES;
    return blocks;
}

static bool frames_blocks(const cj__conv2d *s)
{
    return s->c < FEW_CHANNELS && needs_frame(s);
}

// The sizes of tiles for which loads are fewest: each tile loads a vector a row and a vector a
// filter.
static void cut_tiles(filter_grad *g)
{
    int64_t fewest = INT64_MAX;
    for (int64_t size = 1; size <= min(BLOCK_FILTERS_MAX, g->s.f); size++) {
        const int64_t rows = ceil_div(g->group_rows, block_pixels[size]),
                      filters = ceil_div(g->s.f, size);
        const int64_t loads = rows * g->s.f + filters * g->group_rows;
        if (loads < fewest) {
            fewest = loads;
            g->row_tiles = rows;
            g->filter_tiles = filters;
        }
    }
}

static filter_grad filter_grad_of(const cj__conv2d_args *a, const void *copy)
{
    const cj__conv2d blocks = block_geometry(&a->s);
    filter_grad g = {
        .s = a->s, .x = a->x, .dy = a->dy, .blocks = blocks.n, .sums_dbias = a->sums_dbias};
    if (frames_blocks(&a->s)) {
        const framed f = framed_of(&blocks, a->x, copy);
        g.x = f.x;
        g.s.h = f.s.h;
        g.s.w = f.s.w;
        g.s.top = g.s.left = 0;
    }
    g.by_tap = needs_frame(&g.s) || g.s.c >= MANY_CHANNELS;
    g.down = g.by_tap ? g.s.kh : 1;
    g.across = g.by_tap ? g.s.kw : 1;
    g.groups = g.down * g.across;
    g.group_rows = g.by_tap ? g.s.c : g.s.kh * g.s.kw * g.s.c;
    cut_tiles(&g);
    g.row_shares = shares_of(g.group_rows, g.row_tiles);
    g.filter_shares = shares_of(g.s.f, g.filter_tiles);
    g.tile_sums =
        ceil_div(g.group_rows, max(g.row_tiles, 1)) * ceil_div(g.s.f, max(g.filter_tiles, 1));
    g.units = g.groups * g.row_tiles + (g.sums_dbias ? 1 : 0);
    const int64_t size = g.s.kh * g.s.kw * g.s.c * g.s.f;
    g.pieces = max(min(g.blocks, size <= SMALL_FILTERS ? BLOCK_PIECES_MAX : 2), 1);
    g.chunks = min(ceil_div(BLOCK_TASKS, g.pieces), g.units * g.filter_tiles);
    return g;
}

// Bytes of one piece's sums: dw and dbias.
static size_t block_partial_size(const cj__conv2d *s)
{
    return cj__align_up_64((size_t)((s->kh * s->kw * s->c + 1) * s->f) * sizeof(real));
}

static size_t block_frame_size(const cj__conv2d *s)
{
    const cj__conv2d blocks = block_geometry(s);
    return frames_blocks(s) ? conv2d_frame_size(&blocks) : 0;
}

// The pixels of dy that a group's taps meet, rows i0 .. i1 - 1 and columns j0 .. j1 - 1, and where
// in a window it begins.
typedef struct grad_tap {
    int64_t i0, i1, j0, j1, place;
} grad_tap;

// What a task has for itself: accumulators, where each row of a group lies in x from the group's
// first, and the groups.
typedef struct grad_tables {
    vec *sums;
    int64_t *offsets;
    grad_tap *taps;
} grad_tables;

// Bytes of the accumulators of a task.
static int64_t kept_bytes(const filter_grad *g)
{
    const int64_t tiles = ceil_div(g->units * g->filter_tiles, max(g->chunks, 1));
    return (tiles * g->tile_sums + LANES) * VEC_BYTES;
}

static int64_t tables_bytes(const filter_grad *g)
{
    return kept_bytes(g) + g->group_rows * (int64_t)sizeof(int64_t) +
           g->groups * (int64_t)sizeof(grad_tap);
}

static grad_tables make_tables(const filter_grad *g, void *scratch)
{
    const cj__conv2d *s = &g->s;
    int64_t *const offsets = (int64_t *)(void *)((char *)scratch + kept_bytes(g));
    const grad_tables t = {scratch, offsets, (grad_tap *)(void *)(offsets + g->group_rows)};
    const int64_t col = s->dw * s->c * LANES, row = s->dh * s->w * s->c * LANES;
    for (int64_t u = 0, i = 0; i < g->group_rows; u++) {
        for (int64_t v = 0; v < s->kw && i < g->group_rows; v++) {
            for (int64_t c = 0; c < s->c; c++)
                offsets[i++] = u * row + v * col + c * LANES;
        }
    }
    for (int64_t group = 0; group < g->groups; group++) {
        const int64_t u = group / g->across, v = group % g->across;
        grad_tap *const tap = &t.taps[group];
        *tap = (grad_tap){0, s->oh, 0, s->ow, u * row + v * col};
        if (g->by_tap) {
            outputs_inside(s->oh, s->sh, u * s->dh, s->top, s->h, &tap->i0, &tap->i1);
            outputs_inside(s->ow, s->sw, v * s->dw, s->left, s->w, &tap->j0, &tap->j1);
        }
    }
    return t;
}

static void block_conv2d_filter_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const cj__conv2d *s = &a->s;
    const filter_grad g = filter_grad_of(a, NULL);
    int phase = 0;
    *job = (cj__job){.workspace = block_frame_size(s) +
                                  (g.pieces > 1 ? (size_t)g.pieces * block_partial_size(s) : 0),
                     .scratch = (size_t)tables_bytes(&g)};
    if (frames_blocks(s))
        job->tasks[phase++] = g.blocks;
    job->tasks[phase++] = g.pieces * g.chunks;
    if (g.pieces > 1)
        job->tasks[phase++] = ceil_div((s->kh * s->kw * s->c + 1) * s->f, ADDED_A_TASK);
    job->phases = phase;
}

// A part of the pixels, rows of a few blocks, and where their sums go.
typedef struct grad_strip {
    int64_t block, blocks, row0, row1;
    bool begins; // the sums
} grad_strip;

// The lanes of `count` accumulators, added by halves: real i is the sum of accumulator i, whose
// memory they take. There is room for LANES - 1 more after the last.
static const real *add_lanes(vec *sums, int64_t count)
{
    real *const to = (real *)(void *)sums;
    for (int64_t i = count; i % LANES != 0; i++)
        sums[i] = vec_set(0);
    for (int64_t i = 0; i < count; i += LANES)
        vec_store(to + i, vec_sums(sums + i));
    return to;
}

// A tile's sums into dw, or dbias for a row of ones.
static void put_sums(const real *from, int64_t rows, int64_t filters, int64_t across, real *to)
{
    for (int64_t f = 0; f < filters; f += LANES) {
        const vmask part = mask_first(min(filters - f, LANES));
        for (int64_t r = 0; r < rows; r++)
            vec_store_part(to + r * across + f, vec_load_part(from + r * filters + f, part), part);
    }
}

// A tile's place among all: its range of filters, its group of rows (down, across), and its part of
// the group. Groups across come last, for what they read of x overlaps.
typedef struct grad_unit {
    int64_t range, down, part, across;
} grad_unit;

static void next_unit(const filter_grad *g, grad_unit *at)
{
    if (at->down < g->down) {
        if (++at->across < g->across)
            return;
        at->across = 0;
        if (++at->part < g->row_tiles)
            return;
        at->part = 0;
    }
    if (++at->down < g->down + (g->sums_dbias ? 1 : 0))
        return;
    at->down = 0;
    at->range++;
}

static grad_unit unit_at(const filter_grad *g, int64_t index)
{
    const int64_t row = g->row_tiles * g->across, rest = index % g->units;
    return (grad_unit){index / g->units, rest / row, rest % row / g->across, rest % g->across};
}

static bool is_dbias(const filter_grad *g, const grad_unit *at)
{
    return at->down == g->down;
}

static int64_t group_of(const filter_grad *g, const grad_unit *at)
{
    return at->down * g->across + at->across;
}

// A tile's rows of dw, and its filters; a row of ones for dbias.
typedef struct grad_cut {
    int64_t first, rows, f0, f1; // `first` in its group
} grad_cut;

static grad_cut cut_of(const filter_grad *g, const grad_unit *at)
{
    const int64_t start = share_start(&g->row_shares, at->part);
    grad_cut cut = {start, share_start(&g->row_shares, at->part + 1) - start,
                    share_start(&g->filter_shares, at->range),
                    share_start(&g->filter_shares, at->range + 1)};
    if (is_dbias(g, at))
        cut.rows = 1;
    return cut;
}

// The pixels of a tile in a strip: those of its group's taps.
static void aim_grad_tile(const filter_grad *g, const grad_strip *strip, const grad_tap *tap,
                          grad_tile *t)
{
    const cj__conv2d *s = &g->s;
    const int64_t i0 = max(tap->i0, strip->row0);
    t->rows = max(min(tap->i1, strip->row1) - i0, 0);
    t->cols = max(tap->j1 - tap->j0, 0);
    if (t->rows == 0 || t->cols == 0) {
        t->rows = 0;
        return;
    }
    t->dy += (i0 * s->ow + tap->j0) * s->f * LANES;
    t->x += ((i0 * s->sh - s->top) * s->w + tap->j0 * s->sw - s->left) * s->c * LANES + tap->place;
    t->x_row = s->sh * s->w * s->c * LANES;
    t->x_col = s->sw * s->c * LANES;
}

// One tile over a strip. Returns how many accumulators it has.
static int64_t filter_grad_unit(const filter_grad *g, const grad_tables *tables,
                                const grad_strip *strip, const grad_unit *at, vec *sum)
{
    const cj__conv2d *s = &g->s;
    const grad_cut cut = cut_of(g, at);
    real ones[LANES];
    grad_tile t = {.x = g->x + strip->block * s->h * s->w * s->c * LANES,
                   .dy = g->dy + strip->block * s->oh * s->ow * s->f * LANES,
                   .offsets = tables->offsets + cut.first,
                   .blocks = strip->blocks,
                   .x_block = s->h * s->w * s->c * LANES,
                   .dy_block = s->oh * s->ow * s->f * LANES,
                   .dy_row = s->ow * s->f * LANES,
                   .dy_col = s->f * LANES,
                   .sum = sum,
                   .begins = strip->begins};
    if (is_dbias(g, at)) {
        vec_store(ones, vec_set(1));
        t.x = ones;
        t.x_block = 0;
        t.rows = strip->row1 - strip->row0;
        t.cols = s->ow;
        t.dy += strip->row0 * t.dy_row;
    } else {
        aim_grad_tile(g, strip, &tables->taps[group_of(g, at)], &t);
    }
    t.dy += cut.f0 * LANES;
    grad_tile_codes[cut.f1 - cut.f0][cut.rows](&t);
    return (cut.f1 - cut.f0) * cut.rows;
}

// A share of the tiles over one piece of the batch, strip by strip: its sums go to dw, where those
// of dbias follow.
static void filter_grad_share(const filter_grad *g, int64_t task, void *scratch, real *dw,
                              real *dbias)
{
    const cj__conv2d *s = &g->s;
    const grad_tables tables = make_tables(g, scratch);
    const int64_t piece = task / g->chunks, chunk = task % g->chunks,
                  all = g->units * g->filter_tiles;
    const int64_t first = chunk * all / g->chunks, units = (chunk + 1) * all / g->chunks - first;
    const grad_unit start = unit_at(g, first);
    const int64_t last = (piece + 1) * g->blocks / g->pieces;
    const int64_t row_bytes = max(s->ow * ceil_div(s->f, g->filter_tiles) * VEC_BYTES, 1);
    const int64_t bytes = kept_bytes(g) <= KEPT_BYTES ? STRIP_BYTES : LONG_STRIP;
    // strips, then rows of one
    const int64_t rows = max(min(ceil_div(s->oh * row_bytes, bytes), s->oh), 1);
    const int64_t strip_of = max(ceil_div(s->oh, rows), 1);
    const int64_t together = strip_of < s->oh ? 1 : max(bytes / max(s->oh * row_bytes, 1), 1);
    grad_strip strip = {.block = piece * g->blocks / g->pieces, .begins = true};
    grad_unit at;
    vec *sum;
    do {
        strip.blocks = min(together, last - strip.block);
        strip.row0 = 0;
        do {
            strip.row1 = min(strip.row0 + strip_of, s->oh);
            at = start;
            sum = tables.sums;
            for (int64_t unit = 0; unit < units; unit++, next_unit(g, &at))
                sum += filter_grad_unit(g, &tables, &strip, &at, sum);
            strip.begins = false;
            strip.row0 = strip.row1;
        } while (strip.row0 < s->oh);
        strip.block += strip.blocks;
    } while (strip.block < last);
    const real *from = add_lanes(tables.sums, sum - tables.sums);
    at = start;
    for (int64_t unit = 0; unit < units; unit++, next_unit(g, &at)) {
        const grad_cut cut = cut_of(g, &at);
        const int64_t row = group_of(g, &at) * g->group_rows + cut.first;
        real *const to = is_dbias(g, &at) ? dbias : dw + row * s->f;
        put_sums(from, cut.rows, cut.f1 - cut.f0, s->f, to + cut.f0);
        from += cut.rows * (cut.f1 - cut.f0);
    }
}

// Adds the pieces' sums, in order.
static void block_add_pieces(const filter_grad *g, const cj__conv2d_args *a, const char *partials,
                             int64_t task)
{
    const int64_t size = g->s.kh * g->s.kw * g->s.c * g->s.f,
                  all = size + (g->sums_dbias ? g->s.f : 0);
    const int64_t end = min((task + 1) * ADDED_A_TASK, all);
    for (int64_t at = task * ADDED_A_TASK; at < end;) {
        real *to = at < size ? (real *)a->dw + at : (real *)a->dbias + at - size;
        const int64_t count = min(LANES, (at < size ? min(size, end) : end) - at);
        const vmask part = mask_first(count);
        vec sum = vec_set(0);
        for (int64_t piece = 0; piece < g->pieces; piece++)
            sum += vec_load_part(
                (const real *)(partials + (size_t)piece * block_partial_size(&g->s)) + at, part);
        vec_store_part(to, sum, part);
        at += count;
    }
}

static void block_conv2d_filter_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                         int phase, int64_t begin, int64_t end)
{
    const cj__conv2d blocks = block_geometry(&a->s);
    const filter_grad g = filter_grad_of(a, workspace);
    const int multiply = frames_blocks(&a->s) ? 1 : 0;
    char *partials = (char *)workspace + block_frame_size(&a->s);
    for (int64_t task = begin; task < end; task++) {
        if (phase < multiply)
            frame_image(&blocks, a->x, workspace, task);
        else if (phase == multiply && g.pieces == 1)
            filter_grad_share(&g, task, scratch, a->dw, a->dbias);
        else if (phase == multiply) {
            real *dw = (real *)(partials + (size_t)(task / g.chunks) * block_partial_size(&a->s));
            filter_grad_share(&g, task, scratch, dw, dw + a->s.kh * a->s.kw * a->s.c * a->s.f);
        } else
            block_add_pieces(&g, a, partials, task);
    }
}

// Measured with bench/blocks: over blocks all three kernels reach nearly the same share of the
// peak, times the share of lanes that have an image; over channels-last images two of the three
// lose the idle lanes of the last vector of filters, and one those of channels. The gradient by
// an image of few channels is seldom wanted, because such an image is data. Where normalization
// lies between convolutions each is converted on both sides: that takes a gain of a fifth, with 8
// lanes of three tenths.
static bool idle_lanes_cost_more(const cj__conv2d *s, double used)
{
    const double filters = (double)(ceil_div(s->f, LANES) * LANES) / (double)s->f;
    const double channels = (double)(ceil_div(s->c, LANES) * LANES) / (double)s->c;
    const double gain = used * (s->c <= 4 ? filters : (2 * filters + channels) / 3);
    return gain > (LANES == 16 ? 1.2 : 1.3);
}

// With one or two whole vectors of channels the direct form is 10 % slower forward and 30 to 60 %
// by the input (16 -> 16 and 16 -> 32 channels, strides 1 and 2), with 16 lanes; with 8 it is faster
// by the filters, and all three together. Winograd's form, where it pays, is faster than both.
static bool direct_is_slow(const cj__conv2d_args *a, double used)
{
    const cj__conv2d *s = &a->s;
    return LANES == 16 && used > 0.9 && s->c >= LANES && s->f >= LANES && s->c <= 2 * LANES &&
           s->f <= 4 * LANES && s->kh * s->kw > 1 && !winograd_pays(a, CJ__CONV2D_FORWARD, 2);
}

static bool blocks_pay(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    // Tiles of 4 x 4 are faster than blocks though they pad channels to whole vectors: the three
    // convolutions of 64 images of 32 x 32 with 20 of 20 channels take 12.3 ms, in blocks 14.4.
    if (s->n == 0 || s->groups != 1 || s->kh * s->kw * s->f < 32 ||
        winograd_pays(a, CJ__CONV2D_FORWARD, 4))
        return false;
    const double used = (double)s->n / (double)(blocks_of(s) * LANES);
    return idle_lanes_cost_more(s, used) || direct_is_slow(a, used);
}

#endif
