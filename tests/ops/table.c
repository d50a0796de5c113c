// The cases of every op but those that run a body (tests/graph/scan.c). N is the free axis. Add a row
// with an op; further rows for what its attributes change.
#include "cases.h"
#include "ops/fourier.h"
#include "ops/images.h"
#include "ops/spike.h"

#include <math.h>

// Not for clang-format: the macros of initializers, and a table of a case a line.
// clang-format off
#define N CJ_BATCH
#define SHAPE(...) {.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dims = {__VA_ARGS__}}
#define ANY(...) {FILL_ANY, 0, SHAPE(__VA_ARGS__)}
#define POSITIVE(...) {FILL_POSITIVE, 0, SHAPE(__VA_ARGS__)}
#define ABOVE_1(...) {FILL_ABOVE_1, 0, SHAPE(__VA_ARGS__)}
#define DISTINCT(...) {FILL_DISTINCT, 0, SHAPE(__VA_ARGS__)}
#define BOOL(...) {FILL_BOOL, 0, SHAPE(__VA_ARGS__)}
#define INDEX(limit, ...) {FILL_INDEX, limit, SHAPE(__VA_ARGS__)}
#define PLACE(limit, ...) {FILL_PLACE, limit, SHAPE(__VA_ARGS__)}
#define SCALAR {FILL_POSITIVE, 0, {0}}
#define STEP(value) {FILL_STEP, value, {0}}
#define LONG(value, ...) {FILL_STEP, value, SHAPE(__VA_ARGS__)}
#define TEXT(...) {FILL_TEXT, 0, SHAPE(__VA_ARGS__)}
#define LOOKUP(first_, oov_, oov_count_, hash_) {.first = first_, .oov = oov_, .oov_count = oov_count_, .hash = hash_}
#define WORDS(size_, ...) A(cj__text_attrs, .lookup = LOOKUP(2, 1, 1, 0), .rules = {.split = CJ__SPLIT_WHITESPACE, __VA_ARGS__}, .size = size_)
#define A(type, ...) &(const type){__VA_ARGS__}
#define OP(name) &cj__op_##name

#define UNARY(name, ...)                                                                                    \
    {OP(name), A(cj__unary_attrs, -1.5, 2.5), 1, {ANY(N, 17)}},                                                        \
        {OP(name##_grad), A(cj__unary_attrs, -1.5, 2.5), 2, {ANY(N, 17), ANY(N, 17)}},
#define BINARY(name, ...)                                                                                          \
    {OP(name), NULL, 2, {POSITIVE(N, 5), ANY(N, 5)}}, {OP(name), NULL, 2, {POSITIVE(N, 2, 5), ANY(2, 1)}},             \
        {OP(name), NULL, 2, {POSITIVE(5), ANY(N, 4, 5)}}, {OP(name), NULL, 2, {POSITIVE(4, 1), ANY(1, 5)}},            \
        {OP(name), NULL, 2, {SCALAR, ANY(2, 3)}}, {OP(name), NULL, 2, {POSITIVE(2, 1, 3, 1), ANY(4, 1, 5)}},
#define FUNCTION(name, fill, ...) {OP(name), NULL, 1, {{FILL_##fill, 0, SHAPE(N, 17)}}},
#define PAIR(name, ...)                                                                                                \
    {OP(name), NULL, 2, {POSITIVE(N, 5), ABOVE_1(N, 5)}}, {OP(name), NULL, 2, {POSITIVE(N, 2, 5), ABOVE_1(2, 1)}},     \
        {OP(name), NULL, 2, {POSITIVE(4, 1), ABOVE_1(1, 5)}}, {OP(name), NULL, 2, {SCALAR, ABOVE_1(2, 3)}},
#define INTEGERS(name, ...)                                                                                            \
    {OP(int_##name), NULL, 2, {INDEX(7, N, 5), INDEX(6, N, 5)}},                                                       \
        {OP(int_##name), NULL, 2, {INDEX(7, 4, 1), INDEX(6, N, 1, 5)}},
#define ALONG(axis) A(cj__along_attrs, axis, 0)
#define REDUCTION(name)                                                                                                \
    {OP(name), A(cj__reduce_attrs, 5, false), 1, {DISTINCT(3, 4, 2, 5)}},                                              \
        {OP(name), A(cj__reduce_attrs, 10, true), 1, {DISTINCT(3, 4, 2, 5)}},                                          \
        {OP(name), A(cj__reduce_attrs, 9, false), 1, {DISTINCT(N, 4, 2, 5)}},                                          \
        {OP(name), A(cj__reduce_attrs, 6, false), 1, {DISTINCT(N, 4, 2, 5)}},                                          \
        {OP(name), A(cj__reduce_attrs, 15, true), 1, {DISTINCT(N, 4, 2, 5)}},                                          \
        {OP(name), A(cj__reduce_attrs, 0, false), 1, {DISTINCT(N, 4)}},                                                \
        {OP(name), A(cj__reduce_attrs, 21, false), 1, {DISTINCT(2, 3, 3, 2, 4)}},                                      \
        {OP(name), A(cj__reduce_attrs, 1, false), 1, {DISTINCT(70001)}},                                               \
        {OP(name), A(cj__reduce_attrs, 1, false), 1, {DISTINCT(30001, 3)}},                                            \
        {OP(name), A(cj__reduce_attrs, 5, false), 1, {DISTINCT(601, 2, 70)}},

#define CONV(kh, kw, sh, sw, dh, dw, groups, same)                                                                     \
    A(cj__conv2d_attrs, CONV_GEOMETRY(kh, kw, sh, sw, dh, dw, groups, same))
#define CONV_ACT(function, ...)                                                                                        \
    A(cj__conv2d_attrs, CONV_GEOMETRY(__VA_ARGS__), .chosen.epilogue = {function, 0, -1.5, 2.5})
#define CONV_POOL(function, high, wide, ...)                                                                           \
    A(cj__conv2d_attrs, CONV_GEOMETRY(__VA_ARGS__), .chosen.epilogue.act = function, .chosen.pool = {high, wide})
#define CONV_GEOMETRY(kh, kw, sh, sw, dh, dw, n, same_)                                                                \
    .kernel = {kh, kw}, .strides = {sh, sw}, .dilation = {dh, dw}, .groups = n, .same = same_
// Zeros beside the image: top, left, bottom, right.
#define PADDED(kh, kw, sh, sw, dh, dw, n, top, left, bottom, right)                                                    \
    A(cj__conv2d_attrs, CONV_GEOMETRY(kh, kw, sh, sw, dh, dw, n, false), .before = {top, left}, .after = {bottom, right})
#define POOL(h, w, sh, sw, same, ih, iw) A(cj__pool2d_attrs, {h, w}, {sh, sw}, same, {ih, iw})
#define MATMUL(ta, tb) A(cj__matmul_attrs, .trans_a = ta, .trans_b = tb)
#define MATMUL_ACT(ta, tb, act) A(cj__matmul_attrs, .trans_a = ta, .trans_b = tb, .epilogue = {act, 0, -1.5, 2.5})
#define EINSUM(a_, b_, y_) A(cj__einsum_attrs, .a = a_, .b = b_, .y = y_)
#define ATTENTION(scale, causal) A(cj__attention_attrs, scale, causal)
#define ATTENTIONS(causal, t, s, h, g, d, e, ...)                                                                      \
    {OP(attention), ATTENTION(0.12, causal), 3, {ANY(N, t, h, d), ANY(N, s, g, d), ANY(N, s, g, e)}},                   \
        {OP(attention), ATTENTION(0.2, causal), 4, {ANY(N, t, h, d), ANY(N, s, g, d), ANY(N, s, g, e), BOOL(__VA_ARGS__)}},\
        {OP(attention_grad), ATTENTION(0.12, causal), 4, {ANY(N, t, h, d), ANY(N, s, g, d), ANY(N, s, g, e), ANY(N, t, h, e)}},\
        {OP(attention_grad), ATTENTION(0.2, causal), 5,                                                                \
         {ANY(N, t, h, d), ANY(N, s, g, d), ANY(N, s, g, e), ANY(N, t, h, e), BOOL(__VA_ARGS__)}},
// Images of 4 x 5 pixels, to high x wide.
#define WARP(key_, t0, t1, d0, d1, r0, r1, z0, z1, how, high, wide)                                                          \
    A(cj__warp_attrs, .key = key_, .angle = {t0, t1}, .shift = {{d0, d1}, {r0, r1}}, .zoom = {{z0, z1}, {z0, z1}},      \
      .fill_value = 0.7, .size = {high, wide}, .input = {4, 5}, .beside = how)
#define UPDATE(...) A(cj__update_attrs, __VA_ARGS__)

// A rate that is halved in each step.
static double halved(const double *numbers, double step)
{
    return numbers[0] * pow(0.5, step);
}

// The three convolutions of one geometry: images h x w with c channels, filters kh x kw to f,
// result oh x ow.
#define CONVOLUTION(h, w, c, kh, kw, f, oh, ow, sh, sw, dh, dw, groups, same)                                          \
    {OP(conv2d), CONV(kh, kw, sh, sw, dh, dw, groups, same), 2, {ANY(N, h, w, c), ANY(kh, kw, (c) / (groups), f)}},    \
        {OP(conv2d_input_grad), CONV(kh, kw, sh, sw, dh, dw, groups, same), 3,                                         \
         {ANY(kh, kw, (c) / (groups), f), ANY(N, oh, ow, f), ANY(N, h, w, c)}},                                        \
        {OP(conv2d_filter_grad), CONV(kh, kw, sh, sw, dh, dw, groups, same), 2, {ANY(N, h, w, c), ANY(N, oh, ow, f)}},

// Likewise with zeros beside the image, and the transposed convolution.
#define PADDED_CONVOLUTION(h, w, c, kh, kw, f, oh, ow, sh, sw, dh, dw, groups, top, left, bottom, right)               \
    {OP(conv2d), PADDED(kh, kw, sh, sw, dh, dw, groups, top, left, bottom, right), 2,                                  \
     {ANY(N, h, w, c), ANY(kh, kw, (c) / (groups), f)}},                                                               \
        {OP(conv2d_input_grad), PADDED(kh, kw, sh, sw, dh, dw, groups, top, left, bottom, right), 3,                   \
         {ANY(kh, kw, (c) / (groups), f), ANY(N, oh, ow, f), ANY(N, h, w, c)}},                                        \
        {OP(conv2d_transpose), PADDED(kh, kw, sh, sw, dh, dw, groups, top, left, bottom, right), 2,                    \
         {ANY(kh, kw, (c) / (groups), f), ANY(N, oh, ow, f)}},                                                         \
        {OP(conv2d_filter_grad), PADDED(kh, kw, sh, sw, dh, dw, groups, top, left, bottom, right), 2,                  \
         {ANY(N, h, w, c), ANY(N, oh, ow, f)}},

// The four convolutions of one geometry over three axes: volumes d x h x w, results od x oh x ow.
#define CONVOLUTION3D(d, h, w, c, f, od, oh, ow, parts, ...)                                                          \
    {OP(conv3d), A(cj__conv3d_attrs, __VA_ARGS__, .groups = parts), 2, {ANY(N, d, h, w, c), ANY(KERNEL3D, (c) / (parts), f)}},    \
        {OP(conv3d_input_grad), A(cj__conv3d_attrs, __VA_ARGS__, .groups = parts), 3,                                                 \
         {ANY(KERNEL3D, (c) / (parts), f), ANY(N, od, oh, ow, f), ANY(N, d, h, w, c)}},                               \
        {OP(conv3d_filter_grad), A(cj__conv3d_attrs, __VA_ARGS__, .groups = parts), 2, {ANY(N, d, h, w, c), ANY(N, od, oh, ow, f)}},
#define TRANSPOSE3D(c, f, od, oh, ow, n, ...)                                                                     \
    {OP(conv3d_transpose), A(cj__conv3d_attrs, __VA_ARGS__, .groups = n), 2, {ANY(KERNEL3D, (c) / (n), f), ANY(N, od, oh, ow, f)}},
#define KERNEL3D 2, 3, 2
#define CONV3D_ACT(function, parts, ...)                                                                               \
    A(cj__conv3d_attrs, __VA_ARGS__, .dilation = {1, 1, 1}, .groups = parts, .epilogue = {function, 0, -1.5, 2.5})

// The five pools of one geometry.
#define POOLS(h, w, c, kh, kw, oh, ow, sh, sw, same)                                                                   \
    {OP(max_pool2d), POOL(kh, kw, sh, sw, same, 0, 0), 1, {DISTINCT(N, h, w, c)}},                                     \
        {OP(average_pool2d), POOL(kh, kw, sh, sw, same, 0, 0), 1, {ANY(N, h, w, c)}},                                  \
        {OP(average_pool2d_grad), POOL(kh, kw, sh, sw, same, h, w), 1, {ANY(N, oh, ow, c)}},

const op_case op_cases[] = {
    CJ__UNARIES(UNARY)
    {OP(leaky_relu), A(cj__unary_attrs, 0.2, 0), 1, {ANY(N, 3, 3)}},
    {OP(elu), A(cj__unary_attrs, 1, 0), 1, {ANY(N, 3, 3)}},
    {OP(clip), A(cj__unary_attrs, -0.9, 5.2), 1, {ANY(N, 3, 3)}},
    {OP(stop_gradient), NULL, 1, {ANY(N, 4)}},
    {OP(round_bf16), NULL, 1, {ANY(N, 37)}},
    {OP(spike), A(cj__spike_attrs, 25, 0, CJ__SURROGATE_fast_sigmoid, 0), 1, {ANY(N, 1100)}},
    {OP(spike), A(cj__spike_attrs, 1, 0.5, CJ__SURROGATE_triangle, 1), 1, {ANY(N, 3, 3)}},
    {OP(cast), A(cj__cast_attrs, CJ_F64), 1, {ANY(N, 4)}},
    {OP(cast), A(cj__cast_attrs, CJ_I32), 1, {ANY(N, 4)}},
    {OP(rescale), A(cj__rescale_attrs, 0.25, -3, CJ_F64, 0), 1, {ANY(N, 4)}},
    {OP(rescale), A(cj__rescale_attrs, 1.0 / 255, 0, CJ_F64, 0), 1, {PLACE(256, N, 40)}},

    CJ__BINARIES(BINARY)
    CJ__COMPARISONS(BINARY)
    {OP(select), NULL, 3, {BOOL(N, 5), ANY(N, 5), ANY(N, 5)}},
    {OP(select), NULL, 3, {BOOL(N, 1), ANY(N, 5), ANY(5)}},
    {OP(select), NULL, 3, {BOOL(5), ANY(4, 1), {FILL_ANY, 0, {0}}}},
    {OP(select), NULL, 3, {BOOL(2, 1, 1), ANY(3, 1), ANY(2, 1, 300)}},

    CJ__FUNCTIONS(FUNCTION)
    CJ__FUNCTION_PAIRS(PAIR)
    BINARY(hypot, )
    BINARY(arctan2, )
    BINARY(logaddexp, )
    CJ__INTEGER_PAIRS(INTEGERS)
    CJ__INTEGER_COMPARISONS(INTEGERS)
    {OP(int_select), NULL, 3, {BOOL(N, 1), INDEX(9, N, 5), INDEX(9, 5)}},

    {OP(take_along), ALONG(1), 2, {ANY(N, 4, 3), INDEX(4, N, 6, 3)}},
    {OP(take_along), ALONG(1), 2, {ANY(N, 4, 3), INDEX(4, 1, 6, 1)}},
    {OP(take_along), ALONG(2), 2, {ANY(N, 4, 3), INDEX(3, 1, 4, 2)}},
    {OP(take_along), ALONG(0), 2, {ANY(5, 3), INDEX(5, N, 1)}},
    {OP(take_along), ALONG(1), 2, {ANY(2, 4, 3, 2), INDEX(4, 2, 3, 1, 2)}},
    {OP(take_along), ALONG(1), 2, {PLACE(200, N, 4), INDEX(4, N, 3)}},
    {OP(add_along), ALONG(1), 3, {ANY(N, 4, 3), INDEX(4, N, 6, 3), ANY(N, 6, 3)}},
    {OP(add_along), ALONG(0), 3, {ANY(5, 3), INDEX(5, 7, 1), ANY(7, 3)}},
    {OP(argsort), A(cj__along_attrs, 1, 0), 1, {DISTINCT(N, 17)}},
    {OP(argsort), A(cj__along_attrs, 0, 1), 1, {DISTINCT(N, 4)}},
    {OP(argsort), A(cj__along_attrs, 1, 1), 1, {INDEX(4, 2, 19, 2)}},
    {OP(recurrence), A(cj__recurrence_attrs, 1, 0), 2, {ANY(N, 5), ANY(N, 5)}},
    {OP(recurrence), A(cj__recurrence_attrs, 1, 1), 2, {ANY(N, 4, 3), ANY(N, 4, 3)}},
    {OP(recurrence), A(cj__recurrence_attrs, 0, 0), 2, {SCALAR, ANY(4, 70)}},
    {OP(recurrence), A(cj__recurrence_attrs, 1, 0), 2, {SCALAR, ANY(N, 1)}},
    {OP(segment_max), A(cj__segment_attrs, 3), 2, {DISTINCT(70, 3), INDEX(3, 70)}},
    {OP(segment_min), A(cj__segment_attrs, 2), 2, {DISTINCT(N, 2), INDEX(2, N)}},
    {OP(scatter_rows), NULL, 3, {ANY(5, 3), INDEX(5, 7), ANY(7, 3)}},
    {OP(scatter_rows), NULL, 3, {ANY(5, N), INDEX(5, 3), ANY(3, N)}},

    REDUCTION(reduce_sum)
    REDUCTION(reduce_mean)
    REDUCTION(reduce_max)
    REDUCTION(reduce_min)
    REDUCTION(moments)
    {OP(moments), A(cj__reduce_attrs, 7, false), 1, {ANY(N, 4, 2, 17)}},
    {OP(moments), A(cj__reduce_attrs, 2, true), 1, {ANY(N, 19)}},
    {OP(divide_by_count), NULL, 2, {ANY(5), ANY(N, 4, 5)}},
    {OP(divide_by_count), NULL, 2, {ANY(N, 1), ANY(N, 4)}},
    {OP(argmax), A(cj__axis_attrs, 0), 1, {DISTINCT(N, 4, 2)}},
    {OP(argmax), A(cj__axis_attrs, 1), 1, {DISTINCT(N, 4, 2)}},
    {OP(argmax), A(cj__axis_attrs, 2), 1, {DISTINCT(N, 4, 20)}},
    {OP(sum_like), A(cj__stretch_attrs, false), 2, {ANY(N, 4, 5), ANY(4, 1)}},
    {OP(sum_like), A(cj__stretch_attrs, true), 2, {ANY(2, 4, 3, 5), ANY(1, 4, 1, 5)}},
    {OP(sum_like), A(cj__stretch_attrs, true), 2, {ANY(N, 4, 5), SCALAR}},
    {OP(broadcast_like), A(cj__stretch_attrs, false), 2, {ANY(4, 1), ANY(N, 4, 5)}},
    {OP(broadcast_like), A(cj__stretch_attrs, true), 2, {ANY(1, 4, 1, 5), ANY(2, 4, 3, 5)}},
    {OP(broadcast_like), A(cj__stretch_attrs, true), 2, {SCALAR, ANY(N, 4)}},

    {OP(reshape), A(cj__reshape_attrs, SHAPE(N, 20)), 1, {ANY(N, 4, 5)}},
    {OP(reshape), A(cj__reshape_attrs, SHAPE(N, 2, -1, 5)), 1, {ANY(N, 4, 5)}},
    {OP(reshape), A(cj__reshape_attrs, SHAPE(-1, 6)), 1, {ANY(4, 3)}},
    {OP(transpose), A(cj__transpose_attrs, {1, 0}), 1, {ANY(N, 4)}},
    {OP(transpose), A(cj__transpose_attrs, {1, 0}), 1, {ANY(37, 41)}},
    {OP(transpose), A(cj__transpose_attrs, {0, 2, 1}), 1, {ANY(N, 4, 5)}},
    {OP(transpose), A(cj__transpose_attrs, {2, 0, 1}), 1, {ANY(N, 4, 5)}},
    {OP(transpose), A(cj__transpose_attrs, {1, 0, 2}), 1, {ANY(N, 4, 5)}},
    {OP(transpose), A(cj__transpose_attrs, {3, 1, 0, 2}), 1, {ANY(2, 3, 4, 5)}},
    {OP(transpose), A(cj__transpose_attrs, {2, 3, 1, 0}), 1, {ANY(N, 3, 1, 5)}},
    {OP(transpose), A(cj__transpose_attrs, {0, 1}), 1, {ANY(N, 5)}},
    {OP(transpose), A(cj__transpose_attrs, {1, 0}), 1, {PLACE(250, N, 5)}},
    {OP(concat), A(cj__axis_attrs, 1), 3, {ANY(N, 2), ANY(N, 1), ANY(N, 4)}},
    {OP(concat), A(cj__axis_attrs, 0), 2, {ANY(2, 3), ANY(1, 3)}},
    {OP(concat), A(cj__axis_attrs, 2), 2, {ANY(N, 3, 2), ANY(N, 3, 1)}},
    {OP(slice), A(cj__slice_attrs, 1, 2, 3), 1, {ANY(N, 6)}},
    {OP(slice), A(cj__slice_attrs, 0, 1, 2), 1, {ANY(4, 3)}},
    {OP(slice), A(cj__slice_attrs, 1, 0, 1), 1, {ANY(N, 3, 2)}},
    {OP(pad), A(cj__slice_attrs, 1, 2, 3), 1, {ANY(N, 4)}},
    {OP(pad), A(cj__slice_attrs, 0, 0, 2), 1, {ANY(2, 3)}},
    {OP(unstack), A(cj__axis_attrs, 1), 1, {ANY(N, 4, 3)}},
    {OP(unstack), A(cj__axis_attrs, 0), 1, {ANY(5)}},
    {OP(stack), A(cj__axis_attrs, 1), 3, {ANY(N, 4), ANY(N, 4), ANY(N, 4)}},
    {OP(stack), A(cj__axis_attrs, 0), 2, {ANY(4), ANY(4)}},
    {OP(stack), A(cj__axis_attrs, 2), 2, {ANY(2, 3), ANY(2, 3)}},
    {OP(reverse), A(cj__axis_attrs, 0), 1, {ANY(N, 4)}},
    {OP(reverse), A(cj__axis_attrs, 1), 1, {ANY(N, 4, 2)}},

    {OP(matmul), MATMUL(false, false), 2, {ANY(N, 4), ANY(4, 5)}},
    {OP(matmul), MATMUL(false, false), 2, {ANY(N, 2, 4), ANY(4, 5)}},
    {OP(matmul), MATMUL(false, true), 2, {ANY(N, 4), ANY(5, 4)}},
    {OP(matmul), MATMUL(false, true), 2, {ANY(N, 2, 4), ANY(5, 4)}},
    {OP(matmul), MATMUL(true, false), 2, {ANY(N, 4), ANY(N, 5)}},
    {OP(matmul), MATMUL(true, false), 2, {ANY(N, 2, 4), ANY(N, 2, 5)}},
    {OP(matmul), MATMUL(true, true), 2, {ANY(4, 3), ANY(5, 4)}},
    {OP(matmul), MATMUL(false, false), 2, {ANY(67, 129), ANY(129, 35)}},
    {OP(einsum), EINSUM("nij", "njk", "nik"), 2, {ANY(N, 3, 4), ANY(N, 4, 5)}},
    {OP(einsum), EINSUM("nihd", "njhd", "nhij"), 2, {ANY(N, 3, 2, 5), ANY(N, 4, 2, 5)}},
    {OP(einsum), EINSUM("nhij", "njhd", "nihd"), 2, {ANY(N, 2, 3, 4), ANY(N, 4, 2, 5)}},
    {OP(einsum), EINSUM("ij", "kj", "ki"), 2, {ANY(3, 4), ANY(5, 4)}},
    {OP(einsum), EINSUM("aib", "bja", "ij"), 2, {ANY(2, 3, 4), ANY(4, 5, 2)}},
    {OP(einsum), EINSUM("nk", "nk", "n"), 2, {ANY(N, 7), ANY(N, 7)}},
    {OP(einsum), EINSUM("bm", "bn", "mnb"), 2, {ANY(3, 4), ANY(3, 5)}},
    {OP(einsum), EINSUM("mb", "nb", "mn"), 2, {ANY(40, 1), ANY(30, 1)}},
    {OP(einsum), EINSUM("n", "", "n"), 2, {ANY(N), SCALAR}},
    {OP(einsum), EINSUM("i", "i", ""), 2, {ANY(9), ANY(9)}},
    ATTENTIONS(0, 3, 4, 2, 2, 5, 3, N, 2, 3, 4)
    ATTENTIONS(1, 4, 4, 2, 1, 3, 2, N, 1, 1, 4)
    ATTENTIONS(1, 5, 3, 4, 2, 2, 2, 1, 4, 5, 1)
    ATTENTIONS(0, 2, 3, 1, 1, 2, 2, N, 1, 2, 3)
    {OP(matmul_bias_act), MATMUL_ACT(false, false, CJ__UNARY_relu), 3, {ANY(N, 4), ANY(4, 5), ANY(5)}},
    {OP(matmul_bias_act), MATMUL_ACT(false, true, CJ__UNARY_tanh), 3, {ANY(N, 2, 4), ANY(5, 4), ANY(5)}},
    {OP(matmul_bias_act), MATMUL_ACT(false, false, CJ__UNARY_NONE), 2, {ANY(33, 70), ANY(70, 41)}},

    CONVOLUTION(5, 4, 2, 3, 2, 3, 3, 3, 1, 1, 1, 1, 1, false)
    CONVOLUTION(5, 4, 2, 3, 2, 3, 5, 4, 1, 1, 1, 1, 1, true)
    CONVOLUTION(7, 6, 2, 3, 3, 3, 4, 2, 2, 3, 1, 1, 1, true)
    CONVOLUTION(7, 6, 2, 3, 2, 3, 3, 3, 2, 2, 1, 1, 1, false)
    CONVOLUTION(7, 6, 2, 2, 3, 2, 5, 2, 1, 1, 2, 2, 1, false)
    CONVOLUTION(6, 5, 4, 3, 3, 6, 6, 5, 1, 1, 2, 1, 2, true)
    CONVOLUTION(5, 5, 3, 2, 2, 3, 3, 3, 2, 2, 1, 1, 3, true)
    CONVOLUTION(4, 4, 3, 1, 1, 5, 2, 2, 2, 2, 1, 1, 1, false)
    CONVOLUTION(5, 6, 3, 3, 3, 3, 5, 6, 1, 1, 1, 1, 3, true)
    CONVOLUTION(7, 5, 5, 3, 2, 10, 4, 3, 2, 2, 1, 1, 5, true)
    CONVOLUTION(6, 9, 2, 2, 5, 6, 6, 9, 1, 1, 1, 2, 2, true)
    CONVOLUTION(6, 7, 18, 3, 3, 18, 4, 5, 1, 1, 1, 1, 18, false)
    PADDED_CONVOLUTION(1, 6, 2, 1, 3, 3, 1, 6, 1, 1, 1, 2, 1, 0, 4, 0, 0)
    PADDED_CONVOLUTION(8, 4, 3, 3, 2, 2, 4, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0)
    PADDED_CONVOLUTION(6, 9, 2, 2, 3, 3, 3, 3, 2, 3, 1, 1, 1, 0, 0, 0, 0)
    PADDED_CONVOLUTION(7, 9, 2, 3, 3, 4, 3, 4, 2, 2, 1, 1, 2, 0, 1, 0, -1)
    PADDED_CONVOLUTION(7, 6, 3, 3, 2, 6, 6, 6, 1, 1, 2, 2, 3, 2, 1, 1, 1)
    {OP(conv2d_bias_act), CONV_ACT(CJ__UNARY_relu, 3, 2, 1, 2, 1, 1, 1, true), 3,
     {ANY(N, 5, 4, 2), ANY(3, 2, 2, 3), ANY(3)}},
    {OP(conv2d_bias_act), CONV_ACT(CJ__UNARY_sigmoid, 3, 2, 1, 1, 1, 2, 2, false), 3,
     {ANY(N, 5, 4, 2), ANY(3, 2, 1, 4), ANY(4)}},
    {OP(conv2d_transpose_bias_act), CONV_ACT(CJ__UNARY_relu, 3, 2, 2, 1, 1, 1, 1, false), 3,
     {ANY(3, 2, 3, 2), ANY(N, 4, 3, 2), ANY(3)}},
    {OP(conv2d_transpose_bias_act), CONV_ACT(CJ__UNARY_sigmoid, 3, 3, 1, 2, 1, 2, 2, false), 3,
     {ANY(3, 3, 9, 4), ANY(N, 2, 3, 4), ANY(18)}},
    {OP(conv2d_transpose_bias_act), CONV_ACT(CJ__UNARY_relu, 2, 2, 2, 2, 1, 1, 1, false), 2,
     {ANY(2, 2, 3, 20), ANY(N, 3, 5, 20)}},
    {OP(conv2d_pool), CONV_POOL(CJ__UNARY_relu, 2, 2, 3, 2, 1, 1, 1, 1, 1, true), 3,
     {ANY(N, 7, 4, 2), ANY(3, 2, 2, 3), ANY(3)}},
    {OP(conv2d_pool_filter_grad), CONV_POOL(CJ__UNARY_NONE, 2, 2, 3, 2, 1, 1, 1, 1, 1, true), 3,
     {ANY(N, 7, 4, 2), ANY(N, 3, 2, 3), PLACE(5, N, 3, 2, 3)}},
    {OP(conv2d_pool_filter_grad), CONV_POOL(CJ__UNARY_NONE, 1, 3, 2, 2, 2, 1, 1, 1, 1, false), 3,
     {ANY(N, 9, 8, 1), ANY(N, 4, 2, 17), PLACE(4, N, 4, 2, 17)}},
    {OP(conv2d_pool), CONV_POOL(CJ__UNARY_NONE, 3, 2, 2, 2, 1, 2, 1, 1, 1, false), 2, {ANY(N, 8, 9, 2), ANY(2, 2, 2, 3)}},

    CONVOLUTION3D(3, 4, 3, 2, 3, 2, 2, 2, 1, {2, 3, 2}, {1, 1, 1}, {1, 1, 1})
    CONVOLUTION3D(3, 4, 3, 2, 3, 2, 2, 2, 1, {2, 3, 2}, {2, 2, 2}, {1, 1, 1}, .same = true)
    CONVOLUTION3D(4, 3, 5, 4, 2, 2, 1, 3, 2, {2, 3, 2}, {1, 1, 1}, {2, 1, 2})
    CONVOLUTION3D(2, 3, 2, 2, 2, 3, 2, 1, 2, {2, 3, 2}, {1, 1, 2}, {1, 1, 1}, .before = {1, 0, 1}, .after = {1, 1, 0})
    TRANSPOSE3D(2, 3, 2, 2, 2, 1, {2, 3, 2}, {1, 1, 1}, {1, 1, 1})
    TRANSPOSE3D(4, 2, 2, 1, 2, 2, {2, 3, 2}, {2, 3, 2}, {1, 1, 1}, .before = {1, 0, 0}, .after = {-1, 1, 0})
    {OP(conv3d), A(cj__conv3d_attrs, {1, 2, 2}, {1, 1, 1}, {1, 1, 1}, .groups = 1), 2, {ANY(N, 2, 3, 3, 2), ANY(1, 2, 2, 2, 3)}},
    {OP(conv3d_bias_act), CONV3D_ACT(CJ__UNARY_relu, 1, {2, 3, 2}, {1, 1, 1}, .same = true), 3,
     {ANY(N, 3, 4, 3, 2), ANY(2, 3, 2, 2, 3), ANY(3)}},
    {OP(conv3d_bias_act), CONV3D_ACT(CJ__UNARY_sigmoid, 2, {1, 2, 2}, {1, 1, 1}), 3,
     {ANY(N, 2, 3, 3, 4), ANY(1, 2, 2, 2, 6), ANY(6)}},
    {OP(conv3d_bias_act), CONV3D_ACT(CJ__UNARY_tanh, 2, {2, 1, 2}, {2, 1, 1}), 2,
     {ANY(N, 4, 3, 3, 4), ANY(2, 1, 2, 2, 2)}},
    {OP(conv3d_transpose_bias_act), CONV3D_ACT(CJ__UNARY_relu, 1, {2, 3, 2}, {2, 2, 1}), 3,
     {ANY(2, 3, 2, 3, 2), ANY(N, 2, 2, 3, 2), ANY(3)}},
    {OP(conv3d_transpose_bias_act), CONV3D_ACT(CJ__UNARY_sigmoid, 2, {2, 2, 1}, {1, 1, 1}), 3,
     {ANY(2, 2, 1, 3, 4), ANY(N, 3, 2, 2, 4), ANY(6)}},
    {OP(conv3d_transpose_bias_act), CONV3D_ACT(CJ__UNARY_sigmoid, 1, {1, 2, 2}, {1, 1, 1}), 3,
     {ANY(1, 2, 2, 5, 4), ANY(N, 3, 2, 2, 4), ANY(5)}},
    {OP(conv3d_transpose_bias_act), CONV3D_ACT(CJ__UNARY_relu, 1, {2, 2, 2}, {2, 1, 2}), 2,
     {ANY(2, 2, 2, 3, 2), ANY(N, 2, 2, 2, 2)}},

    POOLS(6, 4, 2, 2, 2, 3, 2, 2, 2, false)
    POOLS(5, 5, 3, 3, 2, 3, 3, 2, 2, true)
    POOLS(5, 7, 1, 3, 3, 3, 5, 1, 1, false)
    POOLS(4, 5, 2, 3, 3, 4, 5, 1, 1, true)
    {OP(max_pool2d_grad), POOL(2, 2, 2, 2, false, 6, 4), 2, {PLACE(4, N, 3, 2, 2), ANY(N, 3, 2, 2)}},
    {OP(max_pool2d_grad), POOL(3, 3, 1, 1, false, 5, 7), 2, {PLACE(9, N, 3, 5, 1), ANY(N, 3, 5, 1)}},
    {OP(max_pool2d_gather), POOL(2, 2, 2, 2, false, 6, 4), 2, {PLACE(4, N, 3, 2, 2), ANY(N, 6, 4, 2)}},
    {OP(max_pool2d_gather), POOL(3, 3, 1, 1, false, 0, 0), 2, {PLACE(9, N, 3, 5, 1), ANY(N, 5, 7, 1)}},

    {OP(softmax), NULL, 1, {ANY(N, 7)}},
    {OP(softmax), NULL, 1, {ANY(N, 2, 5)}},
    {OP(softmax_grad), NULL, 2, {ANY(N, 7), ANY(N, 7)}},
    {OP(log_softmax), NULL, 1, {ANY(N, 7)}},
    {OP(log_softmax), NULL, 1, {ANY(6)}},
    {OP(log_softmax_grad), NULL, 2, {ANY(N, 7), ANY(N, 7)}},
    {OP(softmax_cross_entropy), NULL, 2, {ANY(N, 7), INDEX(7, N)}},
    {OP(softmax_cross_entropy), NULL, 2, {ANY(N, 4, 5), INDEX(5, N, 4)}},
    {OP(softmax_cross_entropy_both), NULL, 3, {ANY(N, 7), INDEX(7, N), ANY(N)}},
    {OP(softmax_cross_entropy_both), NULL, 3, {ANY(N, 4, 5), INDEX(5, N, 4), ANY(N, 4)}},
    {OP(softmax_cross_entropy_grad), NULL, 3, {ANY(N, 7), INDEX(7, N), ANY(N)}},
    {OP(softmax_cross_entropy_grad), NULL, 3, {ANY(N, 4, 5), INDEX(5, N, 4), ANY(N, 4)}},
    {OP(sigmoid_cross_entropy), NULL, 2, {ANY(N, 7), ANY(N, 7)}},
    {OP(sigmoid_cross_entropy_grad), NULL, 3, {ANY(N, 7), ANY(N, 7), ANY(N, 7)}},

    {OP(ctc), NULL, 2, {ANY(N, 6, 4), INDEX(4, N, 3)}},
    {OP(ctc), NULL, 2, {ANY(N, 5, 2), INDEX(2, N, 3)}},
    {OP(ctc), NULL, 2, {ANY(N, 1, 1), INDEX(1, N, 1)}},
    {OP(ctc_second_grad), NULL, 3, {ANY(N, 7, 4), INDEX(4, N, 3), ANY(N, 7, 4)}},
    {OP(ctc_decode), A(cj__ctc_decode_attrs, 0, 1, 1, 1), 2, {DISTINCT(N, 7, 3), INDEX(8, N)}},
    {OP(ctc_decode), A(cj__ctc_decode_attrs, 0, 1, 0, 0), 2, {DISTINCT(N, 7, 3), INDEX(8, N)}},
    {OP(ctc_decode), A(cj__ctc_decode_attrs, 64, 1, 0, 1), 2, {DISTINCT(N, 4, 3), INDEX(5, N)}},
    {OP(ctc_decode), A(cj__ctc_decode_attrs, 99, 1, 2, 1), 2, {DISTINCT(N, 5, 3), INDEX(6, N)}},
    {OP(circle), A(cj__circle_attrs, 0.05, 0.4, true), 2, {ANY(N, 5), INDEX(3, N)}},
    {OP(circle), A(cj__circle_attrs, 0.02, 0.25, false), 2, {ANY(N, 6), INDEX(4, N)}},
    {OP(circle_grad), A(cj__circle_attrs, 0.05, 0.4, true), 3, {ANY(N, 5), INDEX(3, N), ANY(N)}},

    {OP(gather), A(cj__index_attrs, 0, CJ_F32, 0), 2, {ANY(6, 3), INDEX(6, N, 4)}},
    {OP(gather), A(cj__index_attrs, 0, CJ_F32, 0), 2, {ANY(6), INDEX(6, 5)}},
    {OP(gather_grad), A(cj__index_attrs, 6, CJ_F32, 0), 2, {INDEX(6, N, 4), ANY(N, 4, 3)}},
    {OP(gather_grad), A(cj__index_attrs, 6, CJ_F32, 0), 2, {INDEX(6, N), ANY(N)}},
    {OP(one_hot), A(cj__index_attrs, 6, CJ_F64, 0), 1, {INDEX(6, N, 2)}},
    {OP(token_indices), WORDS(4, .strip = 0), 1, {TEXT(N)}},
    {OP(token_indices), WORDS(3, .lower = 1), 1, {TEXT(N, 1)}},
    {OP(token_counts), WORDS(5, .strip = 0), 1, {TEXT(N, 1)}},
    {OP(lookup), A(cj__lookup_attrs, .oov = 3, .oov_count = 1), 1, {TEXT(N, 2)}},
    {OP(lookup), A(cj__lookup_attrs, .oov = 2, .oov_count = 4), 1, {LONG(-7, N, 3)}},
    {OP(bins), A(cj__bins_attrs, .size = 5), 1, {LONG(13, N, 2)}},
    {OP(crossed_bins), A(cj__bins_attrs, .size = 1), 2, {TEXT(N), LONG(4, N)}},
    {OP(index_counts), A(cj__index_attrs, .size = 6), 1, {INDEX(8, N, 9)}},
    {OP(index_counts), A(cj__index_attrs, .size = 6, .once = 1), 1, {INDEX(8, N, 2, 5)}},
    {OP(entry), NULL, 2, {LONG(9, 4), INDEX(6, N, 3)}},
    {OP(in_top_k), A(cj__index_attrs, 2, CJ_F32, 0), 2, {ANY(N, 6), INDEX(6, N)}},
    {OP(count_correct), NULL, 2, {ANY(N, 3), INDEX(4, N)}},
    {OP(count_correct), NULL, 2, {ANY(N, 5, 40), INDEX(40, N, 5)}},
    {OP(count_correct), NULL, 2, {ANY(301, 3), INDEX(3, 301)}},

    {OP(dropout), A(cj__dropout_attrs, 7, 0.3), 2, {ANY(N, 40), STEP(5)}},
    {OP(dropout), A(cj__dropout_attrs, 8, 0), 2, {ANY(N, 4), STEP(0)}},
    {OP(random_uniform), A(cj__noise_attrs, 7, -1, 3), 2, {ANY(N, 41), STEP(5)}},
    {OP(random_uniform), A(cj__noise_attrs, 7, 0, 1), 2, {ANY(5003), STEP(0)}},
    {OP(random_normal), A(cj__noise_attrs, 9, 1, 0.5), 2, {ANY(N, 41), STEP(5)}},
    {OP(random_normal), A(cj__noise_attrs, 9, 0, 1), 2, {ANY(5003), STEP(0)}},
    {OP(random_gamma), A(cj__distribution_attrs, 7), 2, {POSITIVE(N, 41), STEP(5)}},
    {OP(random_binomial), A(cj__distribution_attrs, 7), 3, {POSITIVE(N, 41), POSITIVE(N, 41), STEP(5)}},
    {OP(sample_uniform), A(cj__sample_uniform_attrs, 7, 3), 2, {ANY(N, 4, 2), STEP(5)}},
    {OP(warp), WARP(3, 0, 0, -1.2, 1.3, 0.3, 0.3, 1, 1, CJ__BESIDE_REFLECT, 4, 5), 2, {ANY(N, 4, 5, 2), STEP(5)}},
    {OP(warp), WARP(4, -1, 2, 0, 0, 0, 0, 1, 1, CJ__BESIDE_CONSTANT, 4, 5), 2, {ANY(N, 4, 5, 3), STEP(6)}},
    {OP(warp), WARP(5, 0.2, 0.2, 0, 3, -9, 9, 0.5, 1.7, CJ__BESIDE_WRAP, 3, 7), 2, {ANY(N, 4, 5, 1), STEP(6)}},
    {OP(warp), WARP(6, 0, 1, 0, 0, 0, 0, 0.5, 3, CJ__BESIDE_NEAREST, 5, 3), 2, {ANY(N, 4, 5, 2), STEP(2)}},
    {OP(warp), A(cj__warp_attrs, .key = 8, .shift = {{-2, 1}, {-1, 1}}, .zoom = {{1, 1}, {1, 1}}, .size = {2, 4},
                 .input = {4, 5}, .nearest = 1, .whole = 1, .same_zoom = 1), 2, {ANY(N, 4, 5, 2), STEP(2)}},
    {OP(warp_grad), WARP(3, 0, 0, -1.2, 1.3, 0.3, 0.3, 1, 1, CJ__BESIDE_REFLECT, 4, 5), 2, {ANY(N, 4, 5, 2), STEP(5)}},
    {OP(warp_grad), WARP(5, 0.2, 0.2, 0, 3, -9, 9, 0.5, 1.7, CJ__BESIDE_CONSTANT, 3, 7), 2, {ANY(N, 3, 7, 1), STEP(6)}},
    {OP(sample_pixels), A(cj__pixels_attrs, 0.7, CJ__BESIDE_REFLECT, {4, 5}), 2, {ANY(N, 4, 5, 2), INDEX(17, N, 3, 4, 2)}},
    {OP(sample_pixels), A(cj__pixels_attrs, 0.7, CJ__BESIDE_CONSTANT, {4, 5}), 2, {ANY(N, 4, 5, 2), INDEX(7, N, 3, 2, 2)}},
    {OP(sample_pixels), A(cj__pixels_attrs, 0.7, CJ__BESIDE_MIRROR, {2, 3}), 2, {ANY(N, 2, 3, 1), INDEX(9, N, 3, 4, 2)}},
    {OP(sample_pixels), A(cj__pixels_attrs, 0.7, CJ__BESIDE_MIRROR, {2, 1}), 2, {ANY(N, 2, 1, 3), INDEX(9, N, 3, 4, 2)}},
    {OP(sample_pixels), A(cj__pixels_attrs, 0.7, CJ__BESIDE_NEAREST, {2, 1}), 2, {ANY(N, 2, 1, 3), INDEX(9, N, 3, 4, 2)}},
    {OP(sample_pixels_grad), A(cj__pixels_attrs, 0.7, CJ__BESIDE_WRAP, {4, 5}), 2, {ANY(N, 3, 4, 2), INDEX(9, N, 3, 4, 2)}},
    {OP(stft), A(cj__stft_attrs, 8, 3, 8, CJ__WINDOW_HANN, 0), 1, {ANY(N, 13)}},
    {OP(stft), A(cj__stft_attrs, 12, 5, 7, CJ__WINDOW_HAMMING, 0), 1, {ANY(N, 9)}},
    {OP(stft), A(cj__stft_attrs, 7, 7, 7, CJ__WINDOW_ONES, 0), 1, {ANY(N, 20)}},
    {OP(stft), A(cj__stft_attrs, 30, 4, 30, CJ__WINDOW_HANN, 0), 1, {ANY(N, 17)}},
    {OP(stft_grad), A(cj__stft_attrs, 8, 3, 8, CJ__WINDOW_HANN, 13), 1, {ANY(N, 5, 10)}},
    {OP(stft_grad), A(cj__stft_attrs, 9, 4, 5, CJ__WINDOW_HAMMING, 10), 1, {ANY(N, 3, 10)}},
    {OP(erase), A(cj__erase_attrs, .key = 4, .low = -1, .high = 2), 3, {ANY(N, 4, 5, 2), POSITIVE(N, 4), STEP(5)}},
    {OP(erase), A(cj__erase_attrs, .fills = 1, .fill = {0.7}), 3, {ANY(N, 4, 3, 2), POSITIVE(N, 4), STEP(5)}},
    {OP(erase), A(cj__erase_attrs, .fills = 3, .fill = {0.7, 2, -1}), 3, {ANY(N, 4, 3, 3), POSITIVE(N, 4), STEP(5)}},
    {OP(equalize), A(cj__histogram_attrs, .bins = 256, .grid = {1, 1}), 1, {POSITIVE(N, 4, 5, 2)}},
    {OP(equalize), A(cj__histogram_attrs, .bins = 7, .grid = {1, 1}), 1, {ANY(N, 4, 5, 3)}},
    {OP(adapt_histogram), A(cj__histogram_attrs, 256, {2, 3}, 40), 1, {POSITIVE(N, 4, 7, 2)}},
    {OP(adapt_histogram), A(cj__histogram_attrs, 256, {3, 1}, 0), 1, {POSITIVE(N, 4, 3, 1)}},
    {OP(adapt_histogram), A(cj__histogram_attrs, 256, {8, 8}, 4), 1, {ANY(N, 3, 2, 1)}},
    {OP(shuffle_samples), A(cj__mix_attrs, .key = 4), 2, {ANY(N, 3, 2), STEP(5)}},
    {OP(shuffle_samples), A(cj__mix_attrs, .key = 4, .inverse = 1), 2, {ANY(N, 3, 2), STEP(5)}},
    {OP(shuffle_samples), A(cj__mix_attrs, .key = 9), 2, {ANY(37), STEP(1)}},
    {OP(sample_beta), A(cj__mix_attrs, .key = 4, .ends = {0.2, 0.9}), 2, {ANY(N, 3), STEP(5)}},
    {OP(sample_beta), A(cj__mix_attrs, .key = 5, .ends = {3, 3}), 2, {ANY(50), STEP(5)}},
    {OP(relu_dropout_grad), A(cj__dropout_attrs, 0, 0.2), 2, {ANY(N, 40), ANY(N, 40)}},
    {OP(relu_dropout_grad), A(cj__dropout_attrs, 0, 1), 2, {ANY(N, 4), ANY(N, 4)}},

    {OP(sgd), UPDATE(.weight_decay = 0.01), 3, {ANY(19), ANY(19), SCALAR}},
    {OP(sgd), UPDATE(.momentum = 0.9), 4, {ANY(19), ANY(19), SCALAR, ANY(19)}},
    {OP(sgd), UPDATE(.momentum = 0.9, .nesterov = true), 4, {ANY(19), ANY(19), SCALAR, ANY(19)}},
    {OP(adagrad), UPDATE(.epsilon = 1e-7), 4, {ANY(19), ANY(19), SCALAR, POSITIVE(19)}},
    {OP(adadelta), UPDATE(.rho = 0.95, .epsilon = 1e-7), 5, {ANY(19), ANY(19), SCALAR, POSITIVE(19), POSITIVE(19)}},
    {OP(rmsprop), UPDATE(.rho = 0.9, .epsilon = 1e-7), 4, {ANY(19), ANY(19), SCALAR, POSITIVE(19)}},
    {OP(rmsprop), UPDATE(.rho = 0.9, .momentum = 0.5, .epsilon = 1e-3), 5,
     {ANY(19), ANY(19), SCALAR, POSITIVE(19), ANY(19)}},
    {OP(adam), UPDATE(.beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7), 6,
     {ANY(19), ANY(19), SCALAR, STEP(4), ANY(19), POSITIVE(19)}},
    {OP(adam), UPDATE(.beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, .weight_decay = 0.01), 7,
     {ANY(19), ANY(19), SCALAR, STEP(4), ANY(19), POSITIVE(19), POSITIVE(19)}},
    {OP(increment), NULL, 1, {STEP(41)}},
    {OP(schedule), A(cj__schedule_attrs, .formula = halved, .numbers = {0.5}), 1, {STEP(3)}},
    {OP(norm_squared), NULL, 1, {ANY(N, 4, 5)}},
    {OP(norm_squared), NULL, 1, {ANY(20001)}},
};
// clang-format on

const size_t op_case_count = sizeof op_cases / sizeof op_cases[0];
