// Images in blocks: conversions are exact, and convolutions of every instruction set over blocks,
// with pools and gradients, equal the plain C ones over images.
#include "base/memory.h"
#include "harness.h"
#include <math.h>
#include <string.h>

// What a convolution makes: y and its places, dx, or dw and dbias.
typedef struct outcome {
    operand main, other;
} outcome;

typedef struct work {
    const cj__kernels *k;
    cj__conv2d_kind kind;
    cj__conv2d_args args;
    bool blocks;
    void *scratch;
} work;

static void run_work(const void *context, void *workspace, int phase, int64_t begin, int64_t end)
{
    const work *c = context;
    (c->blocks ? c->k->block_conv2d_run : c->k->conv2d_run)[c->kind](&c->args, workspace,
                                                                     c->scratch, phase, begin, end);
}

static void convolve_either(const cj__kernels *k, bool blocks, work c, outcome *out, sharing how)
{
    cj__job job;
    c.k = k;
    c.blocks = blocks;
    c.args.y = c.args.dx = c.args.dw = out->main.data;
    c.args.place = c.kind == CJ__CONV2D_FORWARD && out->other.count > 0 ? out->other.data : NULL;
    c.args.dbias = out->other.data;
    (blocks ? k->block_conv2d_job : k->conv2d_job)[c.kind](&c.args, &job);
    c.scratch = cj__new_aligned(job.scratch, 0);
    run_job(&job, run_work, &c, how);
    cj__free_aligned(c.scratch, job.scratch);
}

static int64_t blocks_of(int64_t n, int64_t lanes)
{
    return (n + lanes - 1) / lanes;
}

// Images put into blocks one element at a time; lanes without an image hold `idle`.
static operand to_blocks(const operand *images, int64_t n, int64_t lanes, double idle)
{
    const int64_t size = n > 0 ? images->count / n : 0, all = blocks_of(n, lanes) * size * lanes;
    operand o = operand_new(all, images->size);
    for (int64_t at = 0; at < all; at++) {
        const int64_t image = at / (size * lanes) * lanes + at % lanes;
        operand_put(&o, at,
                    image < n ? operand_at(images, image * size + at / lanes % size) : idle);
    }
    return o;
}

static operand from_blocks(const operand *blocks, int64_t n, int64_t size, int64_t lanes)
{
    operand o = operand_new(n * size, blocks->size);
    for (int64_t at = 0; at < n * size; at++)
        operand_put(
            &o, at,
            operand_at(blocks, (at / size / lanes * size + at % size) * lanes + at / size % lanes));
    return o;
}

// Elements of an outcome of one image; 0 where it is not one for each image.
static int64_t main_size(const work *c)
{
    const cj__conv2d *s = &c->args.s;
    const int64_t high = c->args.pool_h > 1 ? c->args.pool_h : 1,
                  wide = c->args.pool_w > 1 ? c->args.pool_w : 1;
    return c->kind == CJ__CONV2D_FORWARD    ? s->oh / high * (s->ow / wide) * s->f :
           c->kind == CJ__CONV2D_INPUT_GRAD ? s->h * s->w * s->c :
                                              0;
}

static int64_t other_size(const work *c)
{
    return c->kind == CJ__CONV2D_FORWARD && c->args.pool_h * c->args.pool_w > 1 ? main_size(c) : 0;
}

static outcome outcome_new(const work *c, int64_t images, size_t real_size)
{
    const cj__conv2d *s = &c->args.s;
    if (c->kind == CJ__CONV2D_FILTER_GRAD)
        return (outcome){operand_new(s->kh * s->kw * s->c * s->f, real_size),
                         operand_new(s->f, real_size)};
    return (outcome){operand_new(images * main_size(c), real_size),
                     operand_new(images * other_size(c), 1)};
}

static void outcome_free(outcome *o)
{
    operand_free(&o->main), operand_free(&o->other);
}

static void outcome_to_images(const work *c, outcome *o, int64_t lanes)
{
    if (c->kind == CJ__CONV2D_FILTER_GRAD)
        return;
    const outcome images = {from_blocks(&o->main, c->args.s.n, main_size(c), lanes),
                            from_blocks(&o->other, c->args.s.n, other_size(c), lanes)};
    outcome_free(o);
    *o = images;
}

// Places may differ where the elements of a window are equal but for rounding; they must then be
// places of equals.
static void compare_places(const tables *t, const work *c, const outcome *y, const outcome *e)
{
    int64_t differ = 0;
    for (int64_t i = 0; i < y->other.count; i++) {
        assert_true(operand_at(&y->other, i) <= (double)(c->args.pool_h * c->args.pool_w));
        differ += operand_at(&y->other, i) != operand_at(&e->other, i);
    }
    if (differ * 1000 > y->other.count + 1000)
        fail_msg("places, %s, %zu bytes: %lld of %lld differ", t->fast->isa, t->real_size,
                 (long long)differ, (long long)y->other.count);
}

static void assert_idle_lanes_zero(const operand *o, int64_t n, int64_t lanes)
{
    const int64_t size = n > 0 ? o->count / blocks_of(n, lanes) / lanes : 1;
    for (int64_t at = 0; at < o->count; at++)
        if (at / (size * lanes) * lanes + at % lanes >= n)
            assert_true(operand_at(o, at) == 0);
}

// A sum of `terms` products below 1 errs by less than terms + 2 units of the last place of 1,
// whatever the order. What is rounded is made of integers: sums are exact, and so is all.
static void compare_kind(const tables *t, const work *images, const work *blocks, int64_t terms,
                         const char *what)
{
    const int64_t n = images->args.s.n, lanes = t->fast->lanes, held = blocks_of(n, lanes) * lanes;
    const bool exact = images->args.to_bf16;
    const double relative = exact ? 0 : 8 * t->epsilon,
                 absolute = exact ? 0 : (double)(terms + 2) * t->epsilon;
    outcome e = outcome_new(images, n, t->real_size), y = outcome_new(blocks, held, t->real_size);
    outcome again = outcome_new(blocks, held, t->real_size);
    convolve_either(t->ref, false, *images, &e, SHARE_ALL);
    convolve_either(t->fast, true, *blocks, &y, SHARE_ALL);
    for (sharing how = SHARE_REVERSED; how <= SHARE_RANDOM; how++) {
        convolve_either(t->fast, true, *blocks, &again, how);
        assert_same_bits(&again.main, &y.main, what, t);
        assert_same_bits(&again.other, &y.other, what, t);
    }
    if (blocks->kind == CJ__CONV2D_INPUT_GRAD && !blocks->args.bias &&
        (blocks->args.act == CJ__UNARY_NONE || blocks->args.act == CJ__UNARY_relu))
        assert_idle_lanes_zero(&y.main, n, lanes);
    outcome_to_images(blocks, &y, lanes);
    assert_close(&y.main, &e.main, relative, absolute, what, t);
    if (exact)
        assert_same_bits(&y.other, &e.other, "places", t);
    else if (blocks->kind == CJ__CONV2D_FILTER_GRAD)
        assert_close(&y.other, &e.other, relative, absolute, "dbias", t);
    else if (blocks->kind == CJ__CONV2D_FORWARD)
        compare_places(t, blocks, &y, &e);
    outcome_free(&e), outcome_free(&y), outcome_free(&again);
}

typedef struct variant {
    bool bias;
    cj__unary act;
    int64_t pool_h, pool_w;
    bool worst; // NaN and infinity in x, and no gradient by the filters
} variant;

// A forward convolution, whose pool cuts what it drops.
static void compare_forward(const tables *t, work images, work blocks, const variant *v,
                            const char *what)
{
    cj__conv2d *s = &images.args.s;
    images.kind = blocks.kind = CJ__CONV2D_FORWARD;
    images.args.pool_h = blocks.args.pool_h = v->pool_h;
    images.args.pool_w = blocks.args.pool_w = v->pool_w;
    if (v->pool_h * v->pool_w > 1) {
        s->oh = s->oh / v->pool_h * v->pool_h;
        s->ow = s->ow / v->pool_w * v->pool_w;
        blocks.args.s = *s;
    }
    compare_kind(t, &images, &blocks, s->kh * s->kw * s->c, what);
}

static void compare_convolutions(const tables *t, const cj__conv2d *s, const variant *v)
{
    const int64_t in = s->n * s->h * s->w * s->c, out = s->n * s->oh * s->ow * s->f,
                  lanes = t->fast->lanes;
    operand x = operand_new(in, t->real_size),
            w = operand_new(s->kh * s->kw * s->c * s->f, t->real_size);
    operand dy = operand_new(out, t->real_size),
            row = operand_new(s->f > s->c ? s->f : s->c, t->real_size);
    fill_uniform(&x, -1, 1);
    fill_uniform(&w, -1, 1);
    fill_uniform(&dy, -1, 1);
    fill_uniform(&row, -1, 1);
    if (v->worst && in > 0) {
        operand_put(&x, pick(in), (double)INFINITY);
        operand_put(&x, pick(in), (double)NAN);
    }
    operand block_x = to_blocks(&x, s->n, lanes, 3), block_dy = to_blocks(&dy, s->n, lanes, 0);
    work images = {
        .args = {
            .s = *s, .x = x.data, .w = w.data, .dy = dy.data, .bias = v->bias ? row.data : NULL}};
    images.args.act = v->act;
    images.args.sums_dbias = true;
    work blocks = images;
    blocks.args.x = block_x.data;
    blocks.args.dy = block_dy.data;
    if (!v->worst) {
        images.kind = blocks.kind = CJ__CONV2D_FILTER_GRAD;
        compare_kind(t, &images, &blocks, s->n * s->oh * s->ow, "block_conv2d by the filters");
    }
    images.kind = blocks.kind = CJ__CONV2D_INPUT_GRAD;
    compare_kind(t, &images, &blocks, s->kh * s->kw * s->f, "block_conv2d by the input");
    compare_forward(t, images, blocks, v, "block_conv2d");
    operand_free(&x), operand_free(&w), operand_free(&dy), operand_free(&row);
    operand_free(&block_x), operand_free(&block_dy);
}

// One image, a block but one, a block, one more, two blocks, and more than four.
static int64_t some_images(int64_t lanes)
{
    const int64_t counts[] = {1, lanes - 1, lanes, lanes + 1, 2 * lanes, 4 * lanes + 3};
    return counts[pick(6)];
}

static bool random_geometry(cj__conv2d *s, int64_t lanes)
{
    *s = (cj__conv2d){.n = some_images(lanes),
                      .h = 1 + pick(10),
                      .w = 1 + pick(10),
                      .kh = 1 + pick(4),
                      .kw = 1 + pick(4),
                      .sh = 1 + pick(3),
                      .sw = 1 + pick(3),
                      .dh = 1 + pick(2),
                      .dw = 1 + pick(2)};
    s->groups = 1;
    s->c = 1 + pick(12);
    s->f = 1 + pick(12);
    s->top = pick(3);
    s->left = pick(3);
    const int64_t rows = s->h + s->top + pick(3) - (s->kh - 1) * s->dh - 1;
    const int64_t cols = s->w + s->left + pick(3) - (s->kw - 1) * s->dw - 1;
    s->oh = rows / s->sh + 1;
    s->ow = cols / s->sw + 1;
    if (s->oh > 1 && pick(4) == 0) // rows and columns that nobody wants
        s->oh--;
    if (s->ow > 1 && pick(4) == 0)
        s->ow--;
    return rows >= 0 && cols >= 0;
}

static void random_of(const tables *t)
{
    static const variant variants[] = {
        {true, CJ__UNARY_relu, 2, 2, false},    {false, CJ__UNARY_NONE, 0, 0, false},
        {true, CJ__UNARY_sigmoid, 1, 1, false}, {false, CJ__UNARY_relu, 0, 0, true},
        {true, CJ__UNARY_relu, 2, 2, true},     {false, CJ__UNARY_NONE, 2, 2, false},
        {true, CJ__UNARY_relu, 3, 2, false},    {true, CJ__UNARY_NONE, 1, 3, false},
    };
    for (int round = 0; round < 120;) {
        cj__conv2d s;
        const variant *v = &variants[round % 8];
        if (!random_geometry(&s, t->fast->lanes) || (v->pool_h > s.oh) || (v->pool_w > s.ow))
            continue;
        compare_convolutions(t, &s, v);
        round++;
    }
}

static void random_geometries_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_of);
}

static operand integers(int64_t count, size_t size, int64_t most)
{
    operand o = operand_new(count, size);
    for (int64_t i = 0; i < count; i++)
        operand_put(&o, i, (double)(pick(2 * most + 1) - most));
    return o;
}

// Integers beyond what bfloat16 holds, whose sums are exact: elements of a window that differ
// become equal, and the first wins. Rounded after the pool, places would be others.
static void compare_rounded(const tables *t, const cj__conv2d *s, const variant *v)
{
    operand x = integers(s->n * s->h * s->w * s->c, t->real_size, 300),
            row = integers(s->f, t->real_size, 3);
    operand w = integers(s->kh * s->kw * s->c * s->f, t->real_size, 1);
    operand block_x = to_blocks(&x, s->n, t->fast->lanes, 3);
    work images = {.args = {.s = *s, .act = v->act, .to_bf16 = true, .x = x.data, .w = w.data}};
    images.args.bias = v->bias ? row.data : NULL;
    work blocks = images;
    blocks.args.x = block_x.data;
    compare_forward(t, images, blocks, v, "block_conv2d, rounded");
    operand_free(&x), operand_free(&w), operand_free(&row), operand_free(&block_x);
}

static void rounded_of(const tables *t)
{
    static const variant variants[] = {
        {true, CJ__UNARY_relu, 2, 2, false}, {false, CJ__UNARY_NONE, 0, 0, false},
        {true, CJ__UNARY_relu, 1, 1, false}, {true, CJ__UNARY_NONE, 2, 2, false},
        {true, CJ__UNARY_relu, 3, 2, false}, {false, CJ__UNARY_NONE, 1, 3, false},
    };
    for (int round = 0; round < 120;) {
        cj__conv2d s;
        const variant *v = &variants[round % 6];
        if (!random_geometry(&s, t->fast->lanes) || v->pool_h > s.oh || v->pool_w > s.ow)
            continue;
        compare_rounded(t, &s, v);
        round++;
    }
}

static void outputs_are_rounded_before_the_pool(void **unused)
{
    (void)unused;
    for_each_table(rounded_of);
}

static cj__conv2d square_of(int64_t n, int64_t size, int64_t c, int64_t k, int64_t f, int64_t pad)
{
    return (cj__conv2d){.n = n,
                        .h = size,
                        .w = size,
                        .c = c,
                        .kh = k,
                        .kw = k,
                        .f = f,
                        .oh = size + 2 * pad - k + 1,
                        .ow = size + 2 * pad - k + 1,
                        .sh = 1,
                        .sw = 1,
                        .dh = 1,
                        .dw = 1,
                        .top = pad,
                        .left = pad,
                        .groups = 1};
}

static void usual_of(const tables *t)
{
    const variant pooled = {true, CJ__UNARY_relu, 2, 2, false},
                  plain = {true, CJ__UNARY_relu, 0, 0, false};
    const cj__conv2d shapes[] = {square_of(2, 12, 1, 5, 10, 0), square_of(2, 8, 10, 5, 20, 0),
                                 square_of(3, 12, 1, 5, 6, 2),  square_of(2, 7, 6, 5, 16, 0),
                                 square_of(2, 6, 20, 3, 40, 1), square_of(2, 9, 3, 7, 12, 3),
                                 square_of(1, 6, 32, 3, 64, 0), square_of(0, 5, 3, 3, 8, 0),
                                 square_of(2, 3, 130, 1, 13, 0)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        compare_convolutions(t, &shapes[i], &pooled);
        compare_convolutions(t, &shapes[i], &plain);
    }
}

static void usual_shapes_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(usual_of);
}

// Windows that lie wholly outside the image, on either side.
static void outside_of(const tables *t)
{
    const variant plain = {true, CJ__UNARY_NONE, 0, 0, false};
    cj__conv2d s = square_of(2, 3, 2, 2, 3, 5);
    compare_convolutions(t, &s, &plain);
    s.sh = s.sw = 4;
    s.oh = s.ow = 3;
    compare_convolutions(t, &s, &plain);
}

static void windows_outside_see_zeros(void **unused)
{
    (void)unused;
    for_each_table(outside_of);
}

static void convert_of(const tables *t)
{
    const int64_t lanes = t->fast->lanes, counts[] = {0, 1, lanes - 1, lanes, lanes + 1, 2 * lanes};
    static const int64_t sizes[] = {1, 3, 15, 16, 17, 64, 75};
    for (int i = 0; i < 6 * 7; i++) {
        const int64_t n = counts[i / 7], size = sizes[i % 7], blocks = blocks_of(n, lanes);
        operand x = operand_new(n * size, t->real_size),
                y = operand_new(blocks * lanes * size, t->real_size);
        operand back = operand_new(n * size, t->real_size);
        fill_worst(&x);
        operand e = to_blocks(&x, n, lanes, 0);
        for (int64_t b = blocks; b-- > 0;)
            t->fast->to_blocks(n, size, x.data, y.data, b, b + 1);
        assert_same_bits(&y, &e, "to_blocks", t);
        t->fast->from_blocks(n, size, y.data, back.data, 0, blocks);
        assert_same_bits(&back, &x, "from_blocks", t);
        operand_free(&x), operand_free(&y), operand_free(&e), operand_free(&back);
    }
}

static void conversions_are_exact(void **unused)
{
    (void)unused;
    for_each_table(convert_of);
}

// Bytes become what rescale_u8 makes of them.
static void bytes_of(const tables *t)
{
    const int64_t lanes = t->fast->lanes;
    for (int64_t n = 1; n <= lanes + 1; n += lanes / 2)
        for (int64_t size = 1; size < 40; size += 7) {
            operand bytes = operand_new(n * size, 1), x = operand_new(n * size, t->real_size);
            operand y = operand_new(blocks_of(n, lanes) * lanes * size, t->real_size);
            for (int64_t i = 0; i < n * size; i++)
                operand_put(&bytes, i, (double)pick(256));
            t->fast->rescale_u8(n * size, bytes.data, 1.0 / 255, -0.5, x.data);
            operand e = to_blocks(&x, n, lanes, 0);
            t->fast->to_blocks_u8(n, size, bytes.data, 1.0 / 255, -0.5, y.data, 0,
                                  blocks_of(n, lanes));
            assert_same_bits(&y, &e, "to_blocks_u8", t);
            operand_free(&bytes), operand_free(&x), operand_free(&y), operand_free(&e);
        }
}

static void bytes_are_scaled_on_the_way(void **unused)
{
    (void)unused;
    for_each_table(bytes_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions_are_exact),
        cmocka_unit_test(bytes_are_scaled_on_the_way),
        cmocka_unit_test(random_geometries_equal_plain_c),
        cmocka_unit_test(usual_shapes_equal_plain_c),
        cmocka_unit_test(windows_outside_see_zeros),
        cmocka_unit_test(outputs_are_rounded_before_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
