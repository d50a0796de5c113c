// The convolution's epilogue with a max pool: the unpooled image is never in memory.
//
//   y[window][f] = maximum over the window's pixels of act(sum[pixel][f]), place[window][f] = the
//     first such pixel
//
// Windows of 2 x 2 stay in registers: the rows of a tile are the four pixels of one to three
// windows. Windows of other sizes are convolved into the thread's scratch, one at a time, and
// pooled from there.
#ifndef CJ_KERNELS_BODY_CONV_CONV2D_POOL_H
#define CJ_KERNELS_BODY_CONV_CONV2D_POOL_H

#include "kernels/body/conv/conv2d.h"
#include "kernels/body/product/epilogue.h"
#include "kernels/body/product/gemm_form.h"
#include "kernels/body/product/tile.h"

enum { POOL_PIXELS = 4, POOL_WINDOWS_MAX = TILE_ROWS_MAX / POOL_PIXELS };

// Where a tile's windows put what they find.
typedef struct pool_tile {
    product_tile t; // rows: the pixels of window 0, then of window 1, ...; c is not used
    real *y[POOL_WINDOWS_MAX];
    uint8_t *place[POOL_WINDOWS_MAX]; // NULL where not needed
    bool to_bf16;
} pool_tile;

// The first `count` lanes as bytes.
static void put_bytes(uint8_t *to, ivec lanes, int64_t count)
{
    uint8_t bytes[LANES];
    if (count >= LANES) {
        ivec_store_bytes(to, lanes);
        return;
    }
    ivec_store_bytes(bytes, lanes);
    memcpy(to, bytes, (size_t)count);
}

// One vector of a window: `best` and `place` hold its first pixel and 0 before; another pixel wins
// if it is greater, or if it is the first NaN.
ALWAYS_INLINE void window_take(vec v, lane_int number, vec *best, ivec *place)
{
    const vmask wins = mask_and(mask_not(vec_le(v, *best)), vec_eq(*best, *best));
    *best = vec_select(wins, v, *best);
    *place = (ivec)vec_select(wins, (vec)ivec_set(number), (vec)*place);
}

// ReLU, which lets no gradient through where it holds a window down.
ALWAYS_INLINE void window_relu(lane_int none, vec *best, ivec *place)
{
    const vmask passes = vec_lt(vec_set(0), *best);
    *place = (ivec)vec_select(passes, (vec)*place, (vec)ivec_set(none));
    *best = vec_max(vec_set(0), *best);
}

ALWAYS_INLINE void pool_tile_body(const pool_tile *p, const int windows, const int vecs)
{
    const vmask last = mask_first(p->t.cols - (vecs - 1) * LANES);
    vec sum[TILE_ROWS_MAX][TILE_VECS_MAX];
    tile_sum(&p->t, windows * POOL_PIXELS, vecs, false, last, sum);
    UNROLL
    for (int w = 0; w < windows; w++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
            const vec window[POOL_PIXELS] = {sum[w * POOL_PIXELS][v], sum[w * POOL_PIXELS + 1][v],
                                             sum[w * POOL_PIXELS + 2][v],
                                             sum[w * POOL_PIXELS + 3][v]};
            vec best = window[0];
            ivec place = ivec_set(0);
            if (p->to_bf16) {
                rounded_window(window, p->t.relu, &best, &place);
            } else {
                window_take(window[1], 1, &best, &place);
                window_take(window[2], 2, &best, &place);
                window_take(window[3], 3, &best, &place);
                if (p->t.relu)
                    window_relu(POOL_PIXELS, &best, &place);
            }
            if (v < vecs - 1)
                vec_store(p->y[w] + v * LANES, best);
            else
                vec_store_part(p->y[w] + v * LANES, best, last);
            if (p->place[w])
                put_bytes(p->place[w] + v * LANES, place, p->t.cols - v * LANES);
        }
    }
}

#define POOL_TILE(v, w)                                 \
    static void pool_tile_##v##_##w(const pool_tile *p) \
    {                                                   \
        pool_tile_body(p, w, v);                        \
    }
#define POOL_TILES_6(v)  POOL_TILE(v, 1)
#define POOL_TILES_8(v)  POOL_TILE(v, 1) POOL_TILE(v, 2)
#define POOL_TILES_12(v) POOL_TILE(v, 1) POOL_TILE(v, 2) POOL_TILE(v, 3)
#define ROW(v, r)        POOL_TILES_##r(v)
TILE_SHAPES(ROW)
#undef ROW
#define POOL_ROWS_6(v)  pool_tile_##v##_1
#define POOL_ROWS_8(v)  POOL_ROWS_6(v), pool_tile_##v##_2
#define POOL_ROWS_12(v) POOL_ROWS_8(v), pool_tile_##v##_3
typedef void pool_tile_code(const pool_tile *p);
static pool_tile_code *const pool_tile_codes[TILE_VECS_MAX + 1][POOL_WINDOWS_MAX + 1] = {
#define ROW(v, r) [v] = {NULL, POOL_ROWS_##r(v)},
    TILE_SHAPES(ROW)
#undef ROW
};
#undef POOL_TILE
#undef POOL_TILES_6
#undef POOL_TILES_8
#undef POOL_TILES_12
#undef POOL_ROWS_6
#undef POOL_ROWS_8
#undef POOL_ROWS_12

// A convolution with its pool: windows are counted through all images.
typedef struct pooled {
    const cj__conv2d_args *a;
    framed f;
    int64_t high, wide; // windows of an image
} pooled;

static bool has_pool(const cj__conv2d_args *a)
{
    return a->pool_h > 1 || a->pool_w > 1;
}

static int64_t pool_area(const cj__conv2d_args *a)
{
    return max(a->pool_h, 1) * max(a->pool_w, 1);
}

static pooled pooled_of(const cj__conv2d_args *a, const void *frame)
{
    return (pooled){a, framed_of(&a->s, a->x, frame), a->s.oh / max(a->pool_h, 1),
                    a->s.ow / max(a->pool_w, 1)};
}

static int64_t pool_windows(const cj__conv2d_args *a)
{
    return a->s.n * (a->s.oh / max(a->pool_h, 1)) * (a->s.ow / max(a->pool_w, 1));
}

static int64_t pool_chunk(const cj__conv2d_args *a)
{
    return max(conv_chunk(&a->s) / pool_area(a) / POOL_WINDOWS_MAX * POOL_WINDOWS_MAX,
               POOL_WINDOWS_MAX);
}

static pixel pool_window(const pooled *p, int64_t index)
{
    return (pixel){index / (p->high * p->wide), index / p->wide % p->high, index % p->wide};
}

static void next_window(const pooled *p, pixel *window)
{
    if (++window->j < p->wide)
        return;
    window->j = 0;
    if (++window->i < p->high)
        return;
    window->i = 0;
    window->image++;
}

// The first elements of the windows in x of the pixels of a pool's window.
static void pixels_of_window(const pooled *p, const pixel *window, const real **pixels)
{
    const int64_t rows = max(p->a->pool_h, 1), cols = max(p->a->pool_w, 1);
    for (int64_t u = 0; u < rows; u++) {
        for (int64_t v = 0; v < cols; v++) {
            const pixel at = {window->image, window->i * rows + u, window->j * cols + v};
            pixels[u * cols + v] = window_of_pixel(&p->f, &at);
        }
    }
}

// The tile of one panel of a group's filters, over segments `first` .. of the kernel; `count` of
// them.
static product_tile panel_tile(const framed *f, const real *w, int64_t col, int64_t cols,
                               const int64_t *segments, int64_t first, int64_t count)
{
    const int64_t length = f->run * f->depth;
    return (product_tile){.b = w + first * length * f->s.f + col,
                          .segments = segments,
                          .segment_count = count,
                          .length = length,
                          .a_step = 1,
                          .b_step = f->s.f,
                          .cols = cols};
}

static void pool_in_registers(const pooled *p, int64_t group, int64_t begin, int64_t end)
{
    const cj__conv2d_args *a = p->a;
    const int64_t last = (group + 1) * p->f.filters;
    int64_t segments[SEGMENTS_MAX];
    const int64_t count = conv_segments(&p->f, 0, group * p->f.depth, segments);
    for (int64_t col = group * p->f.filters; col < last;) {
        const int vecs = panel_vecs(last - col);
        const int64_t cols = min(vecs * LANES, last - col);
        pool_tile t = {.t = panel_tile(&p->f, a->w, col, cols, segments, 0, count),
                       .to_bf16 = a->to_bf16};
        t.t.start = a->bias ? START_BIAS : START_ZERO;
        t.t.bias = a->bias ? (const real *)a->bias + col : NULL;
        t.t.relu = a->act == CJ__UNARY_relu;
        pixel window = pool_window(p, begin);
        for (int64_t at = begin; at < end;) {
            const int windows = (int)min(tile_rows[vecs] / POOL_PIXELS, end - at);
            for (int w = 0; w < windows; w++, at++, next_window(p, &window)) {
                pixels_of_window(p, &window, &t.t.a[w * POOL_PIXELS]);
                t.y[w] = (real *)a->y + at * a->s.f + col;
                t.place[w] = a->place ? a->place + at * a->s.f + col : NULL;
            }
            pool_tile_codes[vecs][windows](&t);
        }
        col += cols;
    }
}

// The maximum of `area` rows of `cols` sums that lie side by side in the scratch.
static void pool_rows(const cj__conv2d_args *a, const real *sums, int64_t cols, real *y,
                      uint8_t *places)
{
    const int64_t area = pool_area(a);
    for (int64_t at = 0; at < cols; at += LANES) {
        const int64_t count = min(LANES, cols - at);
        const vmask part = mask_first(count);
        vec best = vec_load_part(sums + at, part);
        ivec place = ivec_set(0);
        round_window(a->to_bf16, &best, 1);
        for (int64_t q = 1; q < area; q++) {
            vec element = vec_load_part(sums + q * cols + at, part);
            round_window(a->to_bf16, &element, 1);
            window_take(element, (lane_int)q, &best, &place);
        }
        if (a->act == CJ__UNARY_relu)
            window_relu((lane_int)area, &best, &place);
        vec_store_part(y + at, best, part);
        if (places)
            put_bytes(places + at, place, count);
    }
}

// One window and one panel, convolved into the scratch.
static void convolve_window(const pooled *p, int64_t group, int64_t col, int vecs, int64_t index,
                            real *sums)
{
    const cj__conv2d_args *a = p->a;
    const int64_t all = p->f.s.kh * p->f.s.kw / p->f.run, area = pool_area(a);
    const int64_t cols = min(vecs * LANES, (group + 1) * p->f.filters - col);
    const real *pixels[UINT8_MAX + 1];
    int64_t segments[SEGMENTS_MAX];
    const pixel window = pool_window(p, index);
    pixels_of_window(p, &window, pixels);
    for (int64_t first = 0; first < all; first += SEGMENTS_MAX) {
        const int64_t count = conv_segments(&p->f, first, group * p->f.depth, segments);
        product_tile t = panel_tile(&p->f, a->w, col, cols, segments, first, count);
        t.start = first > 0 ? START_SUM : a->bias ? START_BIAS : START_ZERO;
        t.bias = a->bias ? (const real *)a->bias + col : NULL;
        for (int64_t at = 0; at < area; at += tile_rows[vecs]) {
            const int rows = (int)min(tile_rows[vecs], area - at);
            for (int i = 0; i < rows; i++) {
                t.a[i] = pixels[at + i];
                t.c[i] = sums + (at + i) * cols;
            }
            tile_run(&t, vecs, rows);
        }
    }
}

static void pool_from_scratch(const pooled *p, int64_t group, int64_t begin, int64_t end,
                              real *sums)
{
    const cj__conv2d_args *a = p->a;
    const int64_t last = (group + 1) * p->f.filters;
    for (int64_t col = group * p->f.filters; col < last;) {
        const int vecs = panel_vecs(last - col);
        const int64_t cols = min(vecs * LANES, last - col);
        for (int64_t at = begin; at < end; at++) {
            convolve_window(p, group, col, vecs, at, sums);
            pool_rows(a, sums, cols, (real *)a->y + at * a->s.f + col,
                      a->place ? a->place + at * a->s.f + col : NULL);
        }
        col += cols;
    }
}

static void conv2d_pool_job(const cj__conv2d_args *a, cj__job *job)
{
    const int64_t tasks = ceil_div(pool_windows(a), pool_chunk(a));
    *job = (cj__job){.phases = 1, .tasks = {tasks}};
    if (needs_frame(&a->s))
        *job =
            (cj__job){.phases = 2, .tasks = {a->s.n, tasks}, .workspace = conv2d_frame_size(&a->s)};
    job->scratch = (size_t)(pool_area(a) * PANEL_COLS) * sizeof(real);
}

// Tasks of the last phase.
static void conv2d_pool_windows(const cj__conv2d_args *a, const void *frame, void *scratch,
                                int64_t begin, int64_t end)
{
    const pooled p = pooled_of(a, frame);
    const int64_t chunk = pool_chunk(a), all = pool_windows(a);
    const bool registers =
        a->pool_h == 2 && a->pool_w == 2 && p.f.s.kh * p.f.s.kw / p.f.run <= SEGMENTS_MAX;
    for (int64_t task = begin; task < end; task++) {
        for (int64_t group = 0; group < a->s.groups; group++) {
            if (registers)
                pool_in_registers(&p, group, task * chunk, min((task + 1) * chunk, all));
            else
                pool_from_scratch(&p, group, task * chunk, min((task + 1) * chunk, all), scratch);
        }
    }
}

#endif
