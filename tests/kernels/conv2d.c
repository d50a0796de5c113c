// Convolutions of every instruction set, and their gradients, equal the plain C ones.
#include "harness.h"
#include <math.h>
#include <string.h>

// One of the three kernels with its operands.
typedef struct work {
    cj__conv2d_kind kind;
    cj__conv2d_args args;
} work;

static void convolve_into(const cj__kernels *k, work c, void *out, sharing how)
{
    c.args.y = c.args.dx = c.args.dw = out;
    convolve(k, c.kind, &c.args, how);
}

// A sum of `terms` products below 1 errs by less than terms + 2 units of the last place of 1,
// whatever the order.
static void compare_kind(const tables *t, const work *c, int64_t count, int64_t terms,
                         const char *what)
{
    operand y = operand_new(count, t->real_size), e = operand_new(count, t->real_size);
    operand again = operand_new(count, t->real_size);
    convolve_into(t->ref, *c, e.data, SHARE_ALL);
    convolve_into(t->fast, *c, y.data, SHARE_ALL);
    assert_close(&y, &e, 8 * t->epsilon, (double)(terms + 2) * t->epsilon, what, t);
    convolve_into(t->fast, *c, again.data, SHARE_REVERSED);
    assert_same_bits(&again, &y, what, t);
    convolve_into(t->fast, *c, again.data, SHARE_RANDOM);
    assert_same_bits(&again, &y, what, t);
    operand_free(&y), operand_free(&e), operand_free(&again);
}

static void compare_convolutions(const tables *t, const cj__conv2d *s, bool bias, cj__unary act,
                                 bool worst)
{
    const int64_t in = s->n * s->h * s->w * s->c, out = s->n * s->oh * s->ow * s->f;
    const int64_t window = s->kh * s->kw * s->c / s->groups, filters = window * s->f;
    operand x = operand_new(in, t->real_size), w = operand_new(filters, t->real_size);
    operand dy = operand_new(out, t->real_size),
            row = operand_new(s->f > s->c ? s->f : s->c, t->real_size);
    fill_uniform(&x, -1, 1);
    fill_uniform(&w, -1, 1);
    fill_uniform(&dy, -1, 1);
    fill_uniform(&row, -1, 1);
    if (worst && in > 0)
        operand_put(&x, pick(in), (double)NAN);
    if (worst && in > 0)
        operand_put(&x, pick(in), (double)INFINITY);
    work c = {.args = {.s = *s,
                       .x = x.data,
                       .w = w.data,
                       .dy = dy.data,
                       .bias = bias ? row.data : NULL,
                       .act = act}};
    c.kind = CJ__CONV2D_FORWARD;
    compare_kind(t, &c, out, window, "conv2d");
    c.kind = CJ__CONV2D_INPUT_GRAD;
    compare_kind(t, &c, in, s->kh * s->kw * s->f / s->groups, "conv2d_input_grad");
    c.kind = CJ__CONV2D_FILTER_GRAD;
    if (!worst)
        compare_kind(t, &c, filters, s->n * s->oh * s->ow, "conv2d_filter_grad");
    operand_free(&x), operand_free(&w), operand_free(&dy), operand_free(&row);
}

static bool random_geometry(cj__conv2d *s)
{
    *s = (cj__conv2d){.n = 1 + pick(4),
                      .h = 1 + pick(14),
                      .w = 1 + pick(14),
                      .kh = 1 + pick(4),
                      .kw = 1 + pick(4),
                      .sh = 1 + pick(3),
                      .sw = 1 + pick(3),
                      .dh = 1 + pick(2),
                      .dw = 1 + pick(2)};
    s->groups = pick(3) ? 1 : 1 + pick(3);
    s->c = s->groups * (1 + pick(9));
    s->f = s->groups * (1 + pick(40));
    s->top = pick(3);
    s->left = pick(3);
    const int64_t rows = s->h + s->top + pick(3) - (s->kh - 1) * s->dh - 1;
    const int64_t cols = s->w + s->left + pick(3) - (s->kw - 1) * s->dw - 1;
    s->oh = rows / s->sh + 1;
    s->ow = cols / s->sw + 1;
    return rows >= 0 && cols >= 0;
}

static void random_of(const tables *t)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_sigmoid};
    for (int round = 0; round < 200;) {
        cj__conv2d s;
        if (!random_geometry(&s))
            continue;
        compare_convolutions(t, &s, pick(2), acts[round % 3], round % 7 == 0 && round % 3 != 2);
        round++;
    }
}

static void random_geometries_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_of);
}

static cj__conv2d square_of(int64_t n, int64_t size, int64_t c, int64_t k, int64_t f)
{
    return (cj__conv2d){.n = n,
                        .h = size,
                        .w = size,
                        .c = c,
                        .kh = k,
                        .kw = k,
                        .f = f,
                        .oh = size - k + 1,
                        .ow = size - k + 1,
                        .sh = 1,
                        .sw = 1,
                        .dh = 1,
                        .dw = 1,
                        .groups = 1};
}

// The shapes of the tutorial's networks, on fewer and smaller images.
static void usual_of(const tables *t)
{
    const cj__conv2d shapes[] = {square_of(3, 13, 1, 3, 32), square_of(2, 9, 32, 3, 64),
                                 square_of(2, 12, 1, 5, 10), square_of(2, 8, 10, 5, 20),
                                 square_of(2, 5, 16, 1, 33), square_of(1, 5, 70, 5, 130),
                                 square_of(0, 5, 3, 3, 8)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        compare_convolutions(t, &shapes[i], true, CJ__UNARY_relu, false);
}

static void usual_shapes_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(usual_of);
}

// Images of h x w pixels, and kernels of k x k; "same" as TensorFlow pads, or "valid".
static cj__conv2d strided_of(int64_t h, int64_t w, int64_t c, int64_t k, int64_t f, int64_t stride,
                             bool same)
{
    cj__conv2d s = {.n = 3,
                    .h = h,
                    .w = w,
                    .c = c,
                    .kh = k,
                    .kw = k,
                    .f = f,
                    .sh = stride,
                    .sw = stride,
                    .dh = 1,
                    .dw = 1,
                    .groups = 1};
    s.oh = same ? (h + stride - 1) / stride : (h - k) / stride + 1;
    s.ow = same ? (w + stride - 1) / stride : (w - k) / stride + 1;
    const int64_t missing_rows = (s.oh - 1) * stride + k - h,
                  missing_cols = (s.ow - 1) * stride + k - w;
    s.top = same && missing_rows > 0 ? missing_rows / 2 : 0;
    s.left = same && missing_cols > 0 ? missing_cols / 2 : 0;
    return s;
}

// One filter a channel, and two: each group is one or two filters wide.
static void depthwise_of(const tables *t)
{
    for (int64_t channels = 1; channels <= 40; channels += 13)
        for (int64_t multiplier = 1; multiplier <= 2; multiplier++) {
            cj__conv2d s = square_of(2, 7, channels, 3, channels * multiplier);
            s.groups = channels;
            s.top = s.left = 1;
            s.oh = s.ow = 7;
            compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
        }
}

// Windows of three columns, which have loops of their own: rows of every length, strides of 1 and 2,
// with and without padding, and channels that leave lanes idle.
static void depthwise_threes_of(const tables *t)
{
    for (int64_t width = 1; width <= 19; width++)
        for (int64_t stride = 1; stride <= 2; stride++)
            for (int same = width < 3; same <= 1; same++) {
                cj__conv2d s =
                    strided_of(width > 4 ? 5 : width, width, 3 + pick(40), 3, 1, stride, same);
                s.n = 3;
                s.f = s.groups = s.c;
                if (s.oh < 1)
                    continue;
                compare_convolutions(t, &s, pick(2), width % 2 ? CJ__UNARY_relu : CJ__UNARY_tanh,
                                     width % 5 == 0 && width % 2);
            }
}

static void depthwise_of_three_columns_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(depthwise_threes_of);
}

static void depthwise_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(depthwise_of);
}

// Several filters a channel, strides, dilation, edges, windows of more taps than are taken at once,
// and fewer outputs than the input gives.
static void random_depthwise_of(const tables *t)
{
    static const cj__unary acts[] = {CJ__UNARY_NONE, CJ__UNARY_relu, CJ__UNARY_sigmoid};
    for (int round = 0; round < 100;) {
        cj__conv2d s;
        if (!random_geometry(&s))
            continue;
        if (round % 25 == 24) {
            s = square_of(1, 19, 2, 1, 2);
            s.kh = s.kw = 9;
            s.top = s.left = 4;
            s.oh = s.ow = 19;
        }
        s.groups = s.c = 2 + pick(70);
        s.f = s.c * (pick(2) ? 1 : 1 + pick(5));
        s.oh -= s.oh > 2 ? pick(2) : 0;
        compare_convolutions(t, &s, pick(2), acts[round % 3], round % 7 == 0 && round % 3 != 2);
        round++;
    }
}

static void random_depthwise_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(random_depthwise_of);
}

// So many pixels that the gradient by the filters is cut into pieces.
static void large_depthwise_of(const tables *t)
{
    for (int64_t m = 1; m <= 2; m++) {
        cj__conv2d s = square_of(2, 40, 70, 3, 70 * m);
        s.groups = s.c;
        s.top = s.left = 1;
        s.oh = s.ow = 40;
        compare_convolutions(t, &s, true, CJ__UNARY_relu, false);
    }
}

static void large_depthwise_equals_plain_c(void **unused)
{
    (void)unused;
    for_each_table(large_depthwise_of);
}

// More window rows than a tile takes at once.
static void tall_of(const tables *t)
{
    cj__conv2d s = square_of(1, 75, 2, 70, 5);
    s.w = 4;
    s.kw = 2;
    s.ow = 3;
    compare_convolutions(t, &s, true, CJ__UNARY_relu, false);
    s.dw = 2; // and every tap a segment of its own
    s.ow = 2;
    compare_convolutions(t, &s, true, CJ__UNARY_relu, false);
}

static void tall_windows_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(tall_of);
}

// Rows of pixels long enough to be worked on one by one, and cells whose last row and column are
// cut or too large.
static void strided_of_table(const tables *t)
{
    static const int64_t channels[] = {1, 2, 3, 4, 5, 10, 16, 33, 70}, filters[] = {1, 16, 33, 40};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t k = 1; k <= 3; k += 2) {
                const int64_t f = filters[pick(4)];
                const cj__conv2d s = strided_of(8 * stride + pick(4), 9 * stride + pick(12),
                                                channels[i], k, f, stride, pick(2));
                compare_convolutions(t, &s, pick(2), pick(2) ? CJ__UNARY_relu : CJ__UNARY_NONE,
                                     false);
            }
}

static void strides_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(strided_of_table);
}

// Fewer outputs than the input gives: what no tap reaches is zero.
static void cut_of(const tables *t)
{
    static const int64_t channels[] = {2, 16, 33, 70};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int64_t stride = 1; stride <= 3; stride++) {
            cj__conv2d s = strided_of(13, 12 * stride + 1, channels[i], 1, 18, stride, true);
            s.oh -= pick(3);
            s.ow -= pick(3);
            compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
            s.groups = 2; // and groups of one tap
            s.c *= 2;
            compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
        }
}

static void missing_outputs_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(cut_of);
}

// Many filters for few channels, where the gradient by the input has its lanes along the filters:
// groups, more channels than a tile has, dilation, and rows shorter than a tile.
static void few_channels_of(const tables *t)
{
    for (int64_t channels = 1; channels <= 7; channels++) {
        cj__conv2d s = strided_of(5 + pick(9), 1 + pick(30), channels, 3, 31 + pick(40), 1, true);
        compare_convolutions(t, &s, true, CJ__UNARY_NONE, channels == 3);
        s = strided_of(11, 17, channels, 5, 64, 1 + pick(3), true);
        compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
        s = square_of(2, 12, 2 * channels, 3, 2 * (32 + pick(9)));
        s.groups = 2;
        compare_convolutions(t, &s, false, CJ__UNARY_NONE, false);
        s = square_of(2, 15, channels, 3, 48);
        s.dh = s.dw = 2;
        s.oh = s.ow = 11;
        compare_convolutions(t, &s, false, CJ__UNARY_NONE, false);
    }
}

static void few_channels_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(few_channels_of);
}

// Filters so many for so few pixels that forward adds parts of its sum and the gradient by the input
// takes tap by tap: strides, dilation, a last panel and a last piece that are not full, taps that
// reach nothing, and one pixel.
static void many_filters_of(const tables *t)
{
    cj__conv2d s = strided_of(2, 2, 180, 3, 190, 1, true);
    compare_convolutions(t, &s, false, CJ__UNARY_NONE, false);
    s = strided_of(5, 4, 170, 3, 200, 2, true);
    compare_convolutions(t, &s, false, CJ__UNARY_NONE, true);
    s = square_of(2, 5, 130, 3, 260);
    s.dh = s.dw = 2;
    s.oh = s.ow = 1;
    compare_convolutions(t, &s, false, CJ__UNARY_NONE, false);
    s = strided_of(1, 1, 129, 3, 131, 1, true);
    s.n = 1;
    compare_convolutions(t, &s, true, CJ__UNARY_relu, false);
    s = strided_of(4, 3, 131, 3, 200, 1, true);
    s.n = 1;
    s.oh = 3;
    compare_convolutions(t, &s, true, CJ__UNARY_sigmoid, false);
    s = strided_of(7, 5, 128, 1, 150, 1, true); // products
    s.n = 8;
    compare_convolutions(t, &s, true, CJ__UNARY_relu, true);
    s = strided_of(9, 11, 190, 1, 129, 1, true);
    s.n = 3;
    compare_convolutions(t, &s, false, CJ__UNARY_tanh, false);
    s = strided_of(2, 1, 1025, 1, 257, 1, true);
    compare_convolutions(t, &s, true, CJ__UNARY_relu, true);
}

static void many_filters_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(many_filters_of);
}

// Batches of images of a few pixels, several of which share a sum of the gradient by the filters.
static void small_images_of(const tables *t)
{
    for (int64_t size = 1; size <= 6; size++) {
        cj__conv2d s = strided_of(size, size + pick(2), 1 + pick(20), 1 + pick(size), 1 + pick(40),
                                  1 + pick(2), pick(2));
        s.n = 5 + pick(60);
        compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
        s.groups = 2;
        s.c *= 2;
        s.f *= 2;
        compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
    }
}

static void small_images_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(small_images_of);
}

// Few images of many pixels, whose rows are cut into bands for the gradient by the filters.
static void few_images_of(const tables *t)
{
    for (int64_t n = 1; n <= 3; n++) {
        cj__conv2d s = strided_of(60 + pick(30), 40 + pick(5), 1 + pick(4), 1 + 2 * pick(2),
                                  1 + pick(40), 1, pick(2));
        s.n = n;
        compare_convolutions(t, &s, true, CJ__UNARY_NONE, false);
    }
}

static void few_images_equal_plain_c(void **unused)
{
    (void)unused;
    for_each_table(few_images_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_geometries_equal_plain_c),
        cmocka_unit_test(usual_shapes_equal_plain_c),
        cmocka_unit_test(depthwise_equals_plain_c),
        cmocka_unit_test(random_depthwise_equals_plain_c),
        cmocka_unit_test(large_depthwise_equals_plain_c),
        cmocka_unit_test(tall_windows_equal_plain_c),
        cmocka_unit_test(strides_equal_plain_c),
        cmocka_unit_test(missing_outputs_equal_plain_c),
        cmocka_unit_test(few_channels_equal_plain_c),
        cmocka_unit_test(depthwise_of_three_columns_equals_plain_c),
        cmocka_unit_test(many_filters_equal_plain_c),
        cmocka_unit_test(small_images_equal_plain_c),
        cmocka_unit_test(few_images_equal_plain_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
