// 2-D convolutions over blocks of images: forward, and the gradient by the input.
//
// Both are one sum with different numbers (conv2d_axis.h); the gradient's "filters" are the
// channels, and the filters are transposed once in a first phase. The rectangles of a row class and
// a column class are computed tile by tile with exactly the taps that lie inside, so that not one
// multiplication is with padding, whatever the geometry.
//
// A task is a strip of rows of one block.
#ifndef CJ_KERNELS_BODY_BLOCKS_BLOCK_CONV2D_H
#define CJ_KERNELS_BODY_BLOCKS_BLOCK_CONV2D_H

#include "kernels/body/blocks/block_tile.h"
#include "kernels/body/conv/conv2d_axis.h"
#include "kernels/body/conv/pool.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_pack.h"

// What a strip needs. `filters` are those of y, `depth` the channels of the sum.
typedef struct block_conv {
    conv_axis rows, cols;
    int64_t depth, filters, src_cols, out_cols;
    const real *x, *w, *bias;
    bool relu, to_bf16;
    int64_t tile_filters;
} block_conv;

// Whether an activation comes after what a tile does in registers.
static bool follows_block(const cj__conv2d_args *a)
{
    return a->act != CJ__UNARY_NONE && a->act != CJ__UNARY_relu;
}

static block_conv forward_of(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return (block_conv){
        .rows = axis_of(s->sh, 1, s->top, s->dh, s->kh, s->h),
        .cols = axis_of(s->sw, 1, s->left, s->dw, s->kw, s->w),
        .depth = s->c,
        .filters = s->f,
        .src_cols = s->w,
        .out_cols = s->ow,
        .x = a->x,
        .w = a->w,
        .bias = a->bias,
        .relu = a->act == CJ__UNARY_relu,
        .to_bf16 = a->to_bf16,
        .tile_filters = block_tile_filters(s->f),
    };
}

static block_conv input_grad_of(const cj__conv2d_args *a, const void *turned)
{
    const cj__conv2d *s = &a->s;
    return (block_conv){
        .rows = axis_of(1, s->sh, (s->kh - 1) * s->dh - s->top, s->dh, s->kh, s->oh),
        .cols = axis_of(1, s->sw, (s->kw - 1) * s->dw - s->left, s->dw, s->kw, s->ow),
        .depth = s->f,
        .filters = s->c,
        .src_cols = s->ow,
        .out_cols = s->w,
        .x = a->dy,
        .w = turned,
        .bias = a->bias,
        .relu = a->act == CJ__UNARY_relu,
        .to_bf16 = a->to_bf16 && !follows_block(a),
        .tile_filters = block_tile_filters(s->c),
    };
}

// The sum's loops for a class of rows and one of columns; taps that are adjacent in x and w are one
// run.
static void set_taps(const block_conv *c, const conv_span *row, const conv_span *col, block_tile *t)
{
    const int64_t across = c->depth * c->filters;
    t->w = c->w + (row->tap * c->cols.taps + col->tap) * across;
    t->bias = c->bias;
    t->relu = c->relu;
    t->to_bf16 = c->to_bf16;
    t->rows = col->count > 0 ? row->count : 0;
    t->cols = col->count;
    t->length = c->depth;
    t->x_row = c->rows.src_step * c->src_cols * c->depth * LANES;
    t->x_col = c->cols.src_step * c->depth * LANES;
    t->w_row = c->rows.tap_step * c->cols.taps * across;
    t->w_col = c->cols.tap_step * across;
    t->w_step = c->filters;
    if (c->cols.tap_step == 1 && c->cols.src_step == 1) {
        t->length *= t->cols;
        t->cols = 1;
    }
}

static const real *source_at(const block_conv *c, int64_t block, int64_t row, int64_t col)
{
    return c->x + ((block * c->rows.size + row) * c->src_cols + col) * c->depth * LANES;
}

// Outputs row0 .. row1 - 1 by col0 .. col1 - 1 of some blocks.
typedef struct block_part {
    int64_t block, blocks, row0, row1, col0, col1;
} block_part;

// All filters at the pixels of a rectangle of two classes, of the part's blocks. `y` is where pixel
// (0, 0) of the first would be, rows of out_cols pixels; y_block is from block to block.
static void block_rectangle(const block_conv *c, const block_part *part, const conv_class *rows,
                            const conv_class *cols, real *y, int64_t y_block)
{
    block_tile t;
    const int64_t pixels = part->blocks * rows->count * cols->count, size = c->tile_filters;
    const int64_t tiles = ceil_div(pixels, block_pixels[size]);
    set_taps(c, &rows->span, &cols->span, &t);
    const real *const w = t.w;
    int64_t b = 0, i = 0, j = 0;
    for (int64_t k = 0; k < tiles; k++) {
        const int count = (int)((k + 1) * pixels / tiles - k * pixels / tiles);
        for (int p = 0; p < count; p++) {
            t.x[p] = source_at(c, part->block + b, rows->span.src + i * rows->step,
                               cols->span.src + j * cols->step);
            t.y[p] =
                y + b * y_block +
                ((rows->first + i * c->rows.down) * c->out_cols + cols->first + j * c->cols.down) *
                    c->filters * LANES;
            if (++j == cols->count) {
                j = 0;
                if (++i == rows->count) {
                    i = 0;
                    b++;
                }
            }
        }
        for (int64_t f = 0; f < c->filters;) {
            const int64_t next = min(size, c->filters - f);
            block_tile_codes[next][count](&t);
            f += next;
            t.w += next;
            t.bias += t.bias ? next : 0;
            for (int p = 0; p < count; p++)
                t.y[p] += next * LANES;
        }
        t.w = w;
        t.bias = c->bias;
    }
}

// The outputs of a part, class by class.
static void block_outputs(const block_conv *c, const block_part *part, real *y, int64_t y_block)
{
    for (int64_t r = 0; r < c->rows.down; r++) {
        for (int64_t row = part->row0 + r; row < part->row1;) {
            const conv_class rows = class_of(&c->rows, row, part->row1);
            row += rows.count * c->rows.down;
            for (int64_t q = 0; q < c->cols.down; q++) {
                for (int64_t col = part->col0 + q; col < part->col1;) {
                    const conv_class cols = class_of(&c->cols, col, part->col1);
                    col += cols.count * c->cols.down;
                    block_rectangle(c, part, &rows, &cols, y, y_block);
                }
            }
        }
    }
}

// ---- forward ----

enum { BLOCK_TASK = 1 << 14 }; // vector multiply-adds of a task at least, where a strip has them

static int64_t blocks_of(const cj__conv2d *s)
{
    return ceil_div(s->n, LANES);
}

static int64_t block_pool_rows(const cj__conv2d_args *a)
{
    return max(a->pool_h, 1);
}

static int64_t pool_cols(const cj__conv2d_args *a)
{
    return max(a->pool_w, 1);
}

// Rows of a strip, out of `rows` that cost `work` vector multiply-adds each.
static int64_t block_strip_rows(int64_t rows, int64_t work)
{
    const int64_t strips = max(min(rows * work / BLOCK_TASK, rows), 1);
    return max(ceil_div(rows, strips), 1);
}

// Rows of (pooled) output of a task.
static int64_t forward_strip(const cj__conv2d_args *a)
{
    const cj__conv2d *s = &a->s;
    return block_strip_rows(s->oh / block_pool_rows(a),
                            block_pool_rows(a) * s->ow * s->f * s->c * s->kh * s->kw);
}

static void block_conv2d_forward_job(const cj__conv2d_args *a, cj__job *job)
{
    const int64_t strips = ceil_div(a->s.oh / block_pool_rows(a), forward_strip(a));
    *job = (cj__job){.phases = 1, .tasks = {blocks_of(&a->s) * strips}};
    if (block_pool_rows(a) * pool_cols(a) > 1)
        job->scratch = (size_t)(block_pool_rows(a) * a->s.ow * a->s.f * LANES) * sizeof(real);
}

// Outputs first .. last - 1 of an axis have all their taps inside.
static void whole_windows(const conv_axis *a, int64_t outputs, int64_t *first, int64_t *last)
{
    // the last output at most, times stride
    const int64_t room = a->size + a->before - (a->taps - 1) * a->dilation - 1;
    *first = ceil_div(a->before, a->up);
    *last = max(min(room < 0 ? 0 : room / a->up + 1, outputs), *first);
}

// A row of windows, from their elements in scratch: rows of out_cols pixels.
static void pool_strip(const block_conv *c, const cj__conv2d_args *a, const real *elements,
                       int64_t first, int64_t last, real *y, uint8_t *place)
{
    const int64_t high = block_pool_rows(a), wide = pool_cols(a), across = c->filters * LANES;
    for (int64_t at = first * across; at < last * across; at += LANES) {
        const real *from = elements + at / across * wide * across + at % across;
        vec best = vec_load(from);
        ivec where = ivec_set(0);
        round_window(a->to_bf16, &best, 1);
        for (int64_t i = 1; i < high * wide; i++) {
            vec v = vec_load(from + (i / wide * c->out_cols + i % wide) * across);
            round_window(a->to_bf16, &v, 1);
            const vmask m = beats(v, best);
            best = vec_select(m, v, best);
            where = (ivec)vec_select(m, (vec)ivec_set((lane_int)i), (vec)where);
        }
        if (c->relu)
            where = (ivec)vec_select(vec_lt(vec_set(0), best), (vec)where,
                                     (vec)ivec_set((lane_int)(high * wide)));
        vec_store(y + at, c->relu ? vec_max(vec_set(0), best) : best);
        if (place)
            ivec_store_bytes(place + at, where);
    }
}

// Windows first .. last - 1 of a row of pooled outputs, by way of scratch.
static void pool_by_scratch(const block_conv *c, const cj__conv2d_args *a, real *scratch,
                            int64_t block, int64_t row, int64_t first, int64_t last, real *y,
                            uint8_t *place)
{
    if (first >= last)
        return;
    block_conv bare = *c;
    bare.relu = bare.to_bf16 = false;
    const block_part part = {block,
                             1,
                             row * block_pool_rows(a),
                             (row + 1) * block_pool_rows(a),
                             first * pool_cols(a),
                             last * pool_cols(a)};
    block_outputs(&bare, &part, scratch - part.row0 * c->out_cols * c->filters * LANES, 0);
    pool_strip(c, a, scratch, first, last, y, place);
}

// Windows of 2 x 2 pixels whose taps all lie inside, in registers.
static void block_pool_windows(const block_conv *c, int64_t block, int64_t row, int64_t first,
                               int64_t last, real *y, uint8_t *place)
{
    block_tile t;
    const conv_span rows = span_of(&c->rows, 2 * row), cols = span_of(&c->cols, 2 * first);
    const int64_t tiles = ceil_div(c->filters, WINDOW_FILTERS_MAX),
                  down = c->rows.up * c->src_cols * c->depth * LANES;
    const int64_t right = c->cols.up * c->depth * LANES;
    set_taps(c, &rows, &cols, &t);
    const real *x = source_at(c, block, rows.src, cols.src), *const w = t.w;
    for (int64_t j = first; j < last; j++, x += 2 * right) {
        t.x[0] = x;
        t.x[1] = x + right;
        t.x[2] = x + down;
        t.x[3] = x + down + right;
        for (int64_t i = 0; i < tiles; i++) {
            const int64_t f = i * c->filters / tiles, next = (i + 1) * c->filters / tiles;
            t.w = w + f;
            t.bias = c->bias ? c->bias + f : NULL;
            t.y[0] = y + (j * c->filters + f) * LANES;
            t.place = place ? place + (j * c->filters + f) * LANES : NULL;
            block_window_codes[next - f](&t);
        }
    }
}

// One row of pooled outputs. `y` and `place` are the row's.
static void pooled_row(const block_conv *c, const cj__conv2d_args *a, real *scratch, int64_t block,
                       int64_t row, real *y, uint8_t *place)
{
    const int64_t wide = a->s.ow / pool_cols(a);
    int64_t row0, row1, col0, col1;
    whole_windows(&c->rows, a->s.oh, &row0, &row1);
    whole_windows(&c->cols, a->s.ow, &col0, &col1);
    const int64_t first = ceil_div(col0, 2), last = col1 / 2;
    if (a->pool_h != 2 || a->pool_w != 2 || 2 * row < row0 || 2 * row + 2 > row1 || first >= last) {
        pool_by_scratch(c, a, scratch, block, row, 0, wide, y, place);
        return;
    }
    pool_by_scratch(c, a, scratch, block, row, 0, first, y, place);
    block_pool_windows(c, block, row, first, last, y, place);
    pool_by_scratch(c, a, scratch, block, row, last, wide, y, place);
}

static void forward_strip_run(const block_conv *c, const cj__conv2d_args *a, real *scratch,
                              int64_t block, int64_t row0, int64_t row1)
{
    const int64_t high = a->s.oh / block_pool_rows(a), wide = a->s.ow / pool_cols(a),
                  across = wide * c->filters * LANES;
    real *y = (real *)a->y + block * high * across;
    if (block_pool_rows(a) * pool_cols(a) > 1) {
        for (int64_t row = row0; row < row1; row++)
            pooled_row(c, a, scratch, block, row, y + row * across,
                       a->place ? a->place + (block * high + row) * across : NULL);
        return;
    }
    const block_part part = {block, 1, row0, row1, 0, a->s.ow};
    const epilogue e = epilogue_of(a);
    block_conv bare = *c;
    bare.to_bf16 = a->to_bf16 && !follows_block(a);
    block_outputs(&bare, &part, y, 0);
    real *rows = y + row0 * across;
    if (follows_block(a))
        finish_rows(&e, &rows, 1, (row1 - row0) * across);
}

static void block_conv2d_forward_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                     int phase, int64_t begin, int64_t end)
{
    const block_conv c = forward_of(a);
    const int64_t rows = a->s.oh / block_pool_rows(a), strip = forward_strip(a),
                  strips = ceil_div(rows, strip);
    (void)workspace, (void)phase;
    for (int64_t task = begin; task < end; task++) {
        const int64_t row = task % strips * strip;
        forward_strip_run(&c, a, scratch, task / strips, row, min(row + strip, rows));
    }
}

// ---- by the input ----

// Blocks of a task: where images are small many pixels have taps of their own, and those of several
// blocks make a fuller tile.
static int64_t blocks_together(const cj__conv2d *s)
{
    enum { FEW_PIXELS = 16 * 16 };
    return s->h * s->w <= FEW_PIXELS ? min(max(blocks_of(s), 1), 4) : 1;
}

static int64_t input_grad_strip(const cj__conv2d *s)
{
    return block_strip_rows(s->h, blocks_together(s) * s->w * s->c * s->f * s->kh * s->kw /
                                      (s->sh * s->sw));
}

static void block_conv2d_input_grad_job(const cj__conv2d_args *a, cj__job *job)
{
    const cj__conv2d *s = &a->s;
    *job = (cj__job){.phases = 2,
                     .tasks = {s->kh * s->kw, ceil_div(blocks_of(s), blocks_together(s)) *
                                                  ceil_div(s->h, input_grad_strip(s))}};
    job->workspace = (size_t)(s->kh * s->kw * s->c * s->f) * sizeof(real);
    job->prepares = 1;
}

static void block_conv2d_input_grad_run(const cj__conv2d_args *a, void *workspace, void *scratch,
                                        int phase, int64_t begin, int64_t end)
{
    const cj__conv2d *s = &a->s;
    const block_conv c = input_grad_of(a, workspace);
    const int64_t strip = input_grad_strip(s), strips = ceil_div(s->h, strip),
                  together = blocks_together(s);
    const int64_t taps = s->kh * s->kw, size = s->c * s->f, image = s->h * s->w * s->c * LANES;
    const epilogue e = epilogue_of(a);
    (void)scratch;
    for (int64_t task = begin; task < end; task++) {
        if (phase == 0) { // (c, f) of each tap becomes (f, c) of the mirrored tap
            transpose_block((const real *)a->w + task * size, s->f, s->c, s->f,
                            (real *)workspace + (taps - 1 - task) * size, s->c);
            continue;
        }
        const int64_t block = task / strips * together, row = task % strips * strip;
        const block_part part = {
            block, min(together, blocks_of(s) - block), row, min(row + strip, s->h), 0, s->w};
        real *const dx = (real *)a->dx + block * image;
        block_outputs(&c, &part, dx, image);
        for (int64_t i = 0; i < part.blocks && follows_block(a); i++) {
            real *rows = dx + i * image + row * s->w * s->c * LANES;
            finish_rows(&e, &rows, 1, (part.row1 - row) * s->w * s->c * LANES);
        }
    }
}

#endif
