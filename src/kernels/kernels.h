// The kernel table: every numeric loop of the library, one for each dtype and instruction set.
//
// A kernel is a pure function over pointers, sizes and strides. It allocates nothing and starts no
// threads. There is one table for float and one for double per instruction set; `ref` is plain C
// and the truth, the others are laid over it and must agree with it (tests/kernels/). Pointers are
// `void *` so that one struct serves both: in the float table every real operand is float, in the
// double table double. Unless said otherwise operands are contiguous, rows are adjacent, and
// outputs do not overlap inputs, except that an element-wise output may be exactly one of its
// inputs.
//
// Large kernels (products, convolutions, pools) are *jobs*: `..._job` tells, from the shapes alone,
// how many phases the work has, how many independent tasks each phase has, and how much workspace
// all of it needs; `..._run` does tasks begin .. end - 1 of a phase. All tasks of a phase must be
// done before the next phase begins. Nothing depends on how tasks are shared out, so the bits of a
// result do not depend on the number of threads.
#ifndef CJ_KERNELS_KERNELS_H
#define CJ_KERNELS_KERNELS_H

#include "base/cpu.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Element-wise functions of one operand y = f(x, a, b), where a and b are parameters. A row has the
// name; what dy/dx is written in (Y: y, X: x), so that the graph keeps only that alive; traits; and
// the formula. The traits are what the planner must know of the function (ops/op.h):
//
//   CJ__FINITE          finite for every finite x, and dy/dx too
//   CJ__EXACT           |y| is |x|, or a constant of few bits; dy/dx is -1, 0 or 1
//   CJ__ONE_IS_NEUTRAL  of two operands: where one is 1 the result is the other, bit for bit
#define CJ__UNARIES(F)                                                                   \
    F(negative, X, CJ__FINITE | CJ__EXACT, "-x")                                         \
    F(absolute, X, CJ__FINITE | CJ__EXACT, "|x|, derivative 0 at 0")                     \
    F(sign, X, CJ__FINITE | CJ__EXACT, "-1, 0 or 1; derivative 0")                       \
    F(square, X, 0, "x^2")                                                               \
    F(sqrt, Y, 0, "x^(1/2)")                                                             \
    F(rsqrt, Y, 0, "x^(-1/2)")                                                           \
    F(reciprocal, Y, 0, "1/x")                                                           \
    F(exp, Y, 0, "e^x")                                                                  \
    F(log, X, 0, "ln x")                                                                 \
    F(log1p, X, 0, "ln(1 + x)")                                                          \
    F(relu, Y, CJ__FINITE | CJ__EXACT, "max(x, 0); derivative 0 at 0")                   \
    F(relu6, Y, CJ__FINITE | CJ__EXACT, "min(max(x, 0), 6)")                             \
    F(leaky_relu, X, CJ__FINITE, "x if x > 0 else a x")                                  \
    F(elu, X, CJ__FINITE, "x if x > 0 else a (e^x - 1)")                                 \
    F(selu, Y, CJ__FINITE,                                                               \
      "s (x if x > 0 else t (e^x - 1)), s = 1.0507009873554805, t = 1.6732632423543772") \
    F(sigmoid, Y, CJ__FINITE, "1 / (1 + e^-x)")                                          \
    F(tanh, Y, CJ__FINITE, "tanh x")                                                     \
    F(softplus, X, CJ__FINITE, "ln(1 + e^x), without overflow")                          \
    F(softsign, X, CJ__FINITE, "x / (1 + |x|)")                                          \
    F(silu, X, CJ__FINITE, "x sigmoid(x)")                                               \
    F(gelu, X, CJ__FINITE, "x (1 + erf(x / sqrt 2)) / 2")                                \
    F(gelu_tanh, X, CJ__FINITE, "x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2")     \
    F(hard_sigmoid, X, CJ__FINITE, "min(max(x / 6 + 1/2, 0), 1)")                        \
    F(hard_silu, X, CJ__FINITE, "x hard_sigmoid(x)")                                     \
    F(mish, X, CJ__FINITE, "x tanh(softplus x)")                                         \
    F(clip, X, CJ__FINITE, "min(max(x, a), b); derivative 1 for a <= x <= b, else 0")

// Element-wise functions of two operands: name, traits, formula.
#define CJ__BINARIES(F)                                 \
    F(add, CJ__FINITE, "a + b")                         \
    F(subtract, CJ__FINITE, "a - b")                    \
    F(multiply, CJ__FINITE | CJ__ONE_IS_NEUTRAL, "a b") \
    F(divide, 0, "a / b")                               \
    F(maximum, CJ__FINITE, "max(a, b)")                 \
    F(minimum, CJ__FINITE, "min(a, b)")                 \
    F(power, 0, "a^b")

// Comparisons of two real operands: 1 or 0 in a byte (dtype bool).
#define CJ__COMPARISONS(F)     \
    F(equal, "a == b")         \
    F(not_equal, "a != b")     \
    F(greater, "a > b")        \
    F(greater_equal, "a >= b") \
    F(less, "a < b")           \
    F(less_equal, "a <= b")

// Reductions of n elements.
#define CJ__REDUCTIONS(F)                \
    F(sum, "sum of x, in a fixed order") \
    F(max, "maximum of x")               \
    F(min, "minimum of x")

// Links of a chain of element-wise functions: name, and what becomes of its value v, where o is the
// link's operand.
#define CJ__LINKS(F)                                    \
    F(load, "v = o")                                    \
    F(store, "o = v")                                   \
    F(sum, "o = o + v")                                 \
    F(reached, "v = v >= 0 ? 1 : 0")                    \
    F(beyond, "v = v > 0 ? 1 : 0")                      \
    F(add, "v = v + o")                                 \
    F(subtract, "v = v - o")                            \
    F(subtract_from, "v = o - v")                       \
    F(multiply, "v = v o")                              \
    F(divide, "v = v / o")                              \
    F(negative, "v = -v")                               \
    F(absolute, "v = |v|")                              \
    F(square, "v = v^2")                                \
    F(reciprocal, "v = 1 / v")                          \
    F(relu, "v = max(v, 0)")                            \
    F(relu_grad, "v = o > 0 ? v : 0, o being relu's y") \
    F(square_grad, "v = 2 o v")

typedef enum cj__unary {
#define CJ__ROW(name, ...) CJ__UNARY_##name,
    CJ__UNARIES(CJ__ROW)
#undef CJ__ROW
        CJ__UNARY_COUNT,
    CJ__UNARY_NONE = -1 // in epilogues: the identity
} cj__unary;

typedef enum cj__binary {
#define CJ__B(name, ...) CJ__BINARY_##name,
    CJ__BINARIES(CJ__B)
#undef CJ__B
        CJ__BINARY_COUNT
} cj__binary;
typedef enum cj__comparison {
#define CJ__B(name, formula) CJ__COMPARISON_##name,
    CJ__COMPARISONS(CJ__B)
#undef CJ__B
        CJ__COMPARISON_COUNT
} cj__comparison;
typedef enum cj__reduction {
#define CJ__B(name, formula) CJ__REDUCTION_##name,
    CJ__REDUCTIONS(CJ__B)
#undef CJ__B
        CJ__REDUCTION_COUNT
} cj__reduction;

typedef enum cj__link_kind {
#define CJ__B(name, formula) CJ__LINK_##name,
    CJ__LINKS(CJ__B)
#undef CJ__B
        CJ__LINK_COUNT
} cj__link_kind;

// A link's operand has an element for each of the chain's, or it is one number, CJ__CHAIN_BLOCK times.
// That of a sum may have `period` elements: element i of the chain is added to i modulo the period,
// in the order of i. All periods of a chain are one.
enum { CJ__CHAIN_BLOCK = 128 };
typedef struct cj__link {
    cj__link_kind kind;
    bool repeats;
    int period;    // of a sum; 0 for none
    void *operand; // NULL where the link has none
} cj__link;

enum { CJ__MAX_PHASES = 8 };

typedef struct cj__job {
    int phases;
    int64_t tasks[CJ__MAX_PHASES];
    // Number of leading phases that depend on one operand only (the filters, or B). No other phase
    // writes over what they made in the workspace, so a caller that keeps it may skip them while the
    // operand is unchanged.
    int prepares;
    size_t workspace; // bytes, 64-byte aligned block, contents undefined at the start
    // bytes that each thread has for itself, 64-byte aligned, contents undefined at each task
    size_t scratch;
} cj__job;

// C = act(op(A) op(B) + bias), C of m x n. op(A) is m x k: element (i, p) at a[i * lda + p], or a[p
// * lda + i] if trans_a. op(B) is k x n: (p, j) at b[p * ldb + j], or b[j * ldb + p] if trans_b.
typedef struct cj__gemm {
    int64_t m, n, k;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc;
    bool trans_a, trans_b;
    // B is that of many products, and what a first phase makes of it is kept (cj__job.prepares)
    bool keeps_b;
    bool sparse_a; // A is likely 0 in most places
    // Tasks of a range are done from the last to the first: in every second run over one B, what is
    // left of it in the caches is read first.
    bool backwards;
    const void *bias;    // n entries, or NULL
    cj__unary act;       // CJ__UNARY_NONE for none
    double act_a, act_b; // its parameters
} cj__gemm;

// The same with A and B rounded to bfloat16 first (numbers that are bfloat16 already stay),
// products and sums in float; `to_bf16`: the result, after act, is rounded too. Kernels may take
// denormal numbers of A and B as 0.
typedef struct cj__gemm_bf16 {
    cj__gemm g;
    bool to_bf16;
} cj__gemm_bf16;

// A 2-D convolution (cross-correlation) in channels-last layout:
//   y[n][i][j][f] = sum over u, v, c of x[n][i*sh + u*dh - top][j*sw + v*dw - left][c] *
//     w[u][v][c][f]
// x is (n, h, w, c), w is (kh, kw, c / groups, f), y is (n, oh, ow, f). Elements outside x count as
// 0. With groups, the filters of group g see the channels of group g.
typedef struct cj__conv2d {
    int64_t n, h, w, c;
    int64_t kh, kw, f;
    int64_t oh, ow;
    int64_t sh, sw, dh, dw;
    int64_t top, left;
    int64_t groups;
} cj__conv2d;

// A convolution and its two gradients.
typedef enum cj__conv2d_kind {
    CJ__CONV2D_FORWARD,    // y = pool(act(conv(x, w) + bias))
    CJ__CONV2D_INPUT_GRAD, // dx, given w and dy
    // dw and perhaps dbias, given x and dy; sums over the batch are cut by the shape only
    CJ__CONV2D_FILTER_GRAD,
    CJ__CONV2D_KINDS
} cj__conv2d_kind;

// What a convolution kernel takes. A job looks at the geometry and the settings alone; pointers may
// be NULL then.
//
// oh and ow may be less than the input gives: then the rows and columns after them are not
// computed, and dy has none. The pool is a max pool with windows side by side: oh and ow are
// multiples of pool_h and pool_w, y is (n, oh / pool_h, ow / pool_w, f), act is NONE or relu, and
// `place`, of y's shape, gets u * pool_w + v of the window's first maximum, or pool_h *
// pool_w where act is relu and that element is not above 0, so that no gradient passes through it
// (max_pool2d_grad then gives zeros).
typedef struct cj__conv2d_args {
    cj__conv2d s;
    // side of the tiles of Winograd's form, 2 or 4, where the kernel has it for this geometry, and
    // ignored elsewhere; 0 for the direct form
    int winograd;
    // x of forward and of the filters' gradient, or dy of the input's, is likely 0 in most places
    bool sparse;
    int64_t pool_h, pool_w; // 0 or 1 for none
    // Of forward, and of the input's gradient, which as a transposed convolution gives
    // act(dx + bias):
    cj__unary act; // CJ__UNARY_NONE for none
    double act_a, act_b;
    bool to_bf16;             // act's result is rounded to bfloat16, before the pool
    bool sums_dbias;          // dbias is wanted too
    const void *x, *w, *bias; // bias of f entries, of c for dx, or NULL
    void *y;
    uint8_t *place; // NULL if not needed
    const void *dy; // (n, oh, ow, f)
    // of the filters' gradient, where there is a pool: then dy is the pool's, (n, oh / pool_h, ow /
    // pool_w, f), and these are its places: dy lies there, and 0 elsewhere in the window
    const uint8_t *dy_place;
    void *dx, *dw;
    void *dbias; // f entries: the sum of dy over images and pixels
} cj__conv2d_args;

// A 2-D pool: the window of output (i, j) is rows i*sh - top .. + kh - 1 and columns likewise, cut
// to the input. Every window holds an element of the input.
typedef struct cj__pool2d {
    int64_t n, h, w, c;
    int64_t kh, kw;
    int64_t oh, ow;
    int64_t sh, sw;
    int64_t top, left;
} cj__pool2d;

typedef struct cj__kernels {
    const char *isa;  // "ref", "baseline", "avx2", "avx512", "amx"
    size_t real_size; // 4 or 8

    // Images in blocks: `lanes` images at a time lie innermost, so that each lane of a vector is an
    // image and no lane is idle whatever the number of channels. Element (b, i, j, c, l) of
    // (blocks, h, w, c, lanes) is that of image b * lanes + l; blocks = ceil(n / lanes), and lanes
    // without an image hold finite numbers in values and 0 in gradients. To pools and element-wise
    // kernels a block is one image of c * lanes channels.
    int64_t lanes;

    // From here on all members are pointers to functions (table.c copies them one by one).

    // y[i] = f(x[i]); dx[i] = dy[i] * f'(x[i], y[i]) (x or y may be NULL where not needed, see
    // CJ__UNARIES).
    void (*unary[CJ__UNARY_COUNT])(int64_t n, const void *x, void *y, double a, double b);
    void (*unary_grad[CJ__UNARY_COUNT])(int64_t n, const void *x, const void *y, const void *dy,
                                        void *dx, double a, double b);

    // y[r][j] = f(a[r * a_row + j * a_step], b[r * b_row + j * b_step]) for `rows` rows of `cols`;
    // steps are 0 or 1, y rows are adjacent. Broadcasting is the caller's: it turns it into rows.
    void (*binary[CJ__BINARY_COUNT])(int64_t rows, int64_t cols, const void *a, int64_t a_row,
                                     int64_t a_step, const void *b, int64_t b_row, int64_t b_step,
                                     void *y);
    void (*compare[CJ__COMPARISON_COUNT])(int64_t rows, int64_t cols, const void *a, int64_t a_row,
                                          int64_t a_step, const void *b, int64_t b_row,
                                          int64_t b_step, uint8_t *y);
    // y[i] = c[i] ? a[i] : b[i]; steps 0 or 1.
    void (*select)(int64_t n, const uint8_t *c, const void *a, int64_t a_step, const void *b,
                   int64_t b_step, void *y);

    // Elements 0 .. n - 1 through all links in turn, some elements at a time: an operand that is
    // written may not be read at other elements, and the first link is a load. Each link gives the
    // bits of the kernel of its name.
    void (*chain)(int64_t n, const cj__link *links, int count);

    // y[o][i] = reduction over r of x[o][r][i]; x is (outer, n, inner). `accumulate`: combine with
    // what y holds.
    void (*reduce[CJ__REDUCTION_COUNT])(int64_t outer, int64_t n, int64_t inner, const void *x,
                                        void *y, bool accumulate);
    // mean[o][i] = the mean over r of x[o][r][i], m2[o][i] = the sum over r of (x[o][r][i] -
    // mean[o][i])^2; x is (outer, n, inner), read from memory once. Without elements mean is NaN
    // and m2 is 0.
    void (*moments)(int64_t outer, int64_t n, int64_t inner, const void *x, void *mean, void *m2);
    // The same of n sets in one, from theirs, (outer, n, inner): each of `count` elements, the last
    // of `last`. With N elements in all, mean = sum count mean[r] / N, m2 = sum (m2[r] + count
    // (mean[r] - mean)^2) (Chan, Golub and LeVeque 1983).
    void (*merge_moments)(int64_t outer, int64_t n, int64_t inner, int64_t count, int64_t last,
                          const void *means, const void *m2s, void *mean, void *m2);
    // y[o][i] = the first r whose x[o][r][i] is the maximum.
    void (*argmax)(int64_t outer, int64_t n, int64_t inner, const void *x, int32_t *y);
    // How many rows r of `cols` have argmax x[r] == label[r]; a label may be any number.
    int64_t (*count_correct)(int64_t rows, int64_t cols, const void *x, const int32_t *label);

    // Rows of `cols`: y = softmax(x) or its logarithm, stable; dx = y * (dy - sum(y dy)) and dx =
    // dy - exp(y) sum(dy).
    void (*softmax)(int64_t rows, int64_t cols, const void *x, void *y);
    void (*softmax_grad)(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx);
    void (*log_softmax)(int64_t rows, int64_t cols, const void *x, void *y);
    void (*log_softmax_grad)(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx);
    // loss[r] = log(sum exp x[r]) - x[r][label[r]] and, unless NULL, p = softmax(x). Labels are in
    // range (checked above).
    void (*softmax_cross_entropy)(int64_t rows, int64_t cols, const void *x, const int32_t *label,
                                  void *p, void *loss);
    // dx[r][j] = (p[r][j] - (j == label[r])) * dloss[r].
    void (*softmax_cross_entropy_grad)(int64_t rows, int64_t cols, const void *p,
                                       const int32_t *label, const void *dloss, void *dx);
    // loss[i] = max(z, 0) - z t + log(1 + e^-|z|); dz = (sigmoid(z) - t) dloss.
    void (*sigmoid_cross_entropy)(int64_t n, const void *z, const void *t, void *loss);
    void (*sigmoid_cross_entropy_grad)(int64_t n, const void *z, const void *t, const void *dloss,
                                       void *dz);

    // y[i] = x[i] * scale + offset, from bytes and from reals.
    void (*rescale_u8)(int64_t n, const uint8_t *x, double scale, double offset, void *y);
    void (*rescale)(int64_t n, const void *x, double scale, double offset, void *y);

    // y[i] = the bfloat16 nearest to x[i], ties to even, as a real (of doubles: nearest to
    // (float)x[i]); NaN stays NaN.
    void (*round_bf16)(int64_t n, const void *x, void *y);

    // Elements first .. first + n - 1 of a tensor of which x points to element `first`: element i
    // is kept, divided by 1 - rate, if word i of the Philox stream (base/random.h) is >= rate *
    // 2^32, else 0. rate 1 gives zeros.
    void (*dropout)(int64_t first, int64_t n, uint64_t key, uint64_t step, double rate,
                    const void *x, void *y);
    // The gradient of y = dropout(relu(x)), scale being 1 / (1 - rate): dx[i] = y[i] > 0 ? dy[i] *
    // scale : 0.
    void (*relu_dropout_grad)(int64_t n, const void *y, const void *dy, double scale, void *dx);

    // y (cols, rows) from x (rows, cols), with row strides.
    void (*transpose)(int64_t rows, int64_t cols, const void *x, int64_t ldx, void *y, int64_t ldy);

    void (*gemm_job)(const cj__gemm *g, cj__job *job);
    void (*gemm_run)(const cj__gemm *g, void *workspace, void *scratch, int phase, int64_t begin,
                     int64_t end);

    void (*gemm_bf16_job)(const cj__gemm_bf16 *a, cj__job *job);
    void (*gemm_bf16_run)(const cj__gemm_bf16 *a, void *workspace, int phase, int64_t begin,
                          int64_t end);
    // Whether gemm_bf16 is likely to be faster than gemm for these shapes; never where no
    // instructions exist for it.
    bool (*gemm_bf16_pays)(const cj__gemm *g);

    // Convolutions over channels-last images, by kind.
    void (*conv2d_job[CJ__CONV2D_KINDS])(const cj__conv2d_args *a, cj__job *job);
    void (*conv2d_run[CJ__CONV2D_KINDS])(const cj__conv2d_args *a, void *workspace, void *scratch,
                                         int phase, int64_t begin, int64_t end);
    // Whether Winograd's form is likely to be faster: with tiles of side 2 than the direct form, of
    // 4 than those of 2.
    bool (*winograd_pays)(const cj__conv2d_args *a, cj__conv2d_kind kind, int side);

    // Blocks begin .. end - 1 of n images of `size` elements each; lanes without an image become 0.
    // From bytes: x scale + offset. And back; nothing is written beyond image n - 1.
    void (*to_blocks)(int64_t n, int64_t size, const void *x, void *y, int64_t begin, int64_t end);
    void (*to_blocks_u8)(int64_t n, int64_t size, const uint8_t *x, double scale, double offset,
                         void *y, int64_t begin, int64_t end);
    void (*from_blocks)(int64_t n, int64_t size, const void *x, void *y, int64_t begin,
                        int64_t end);
    // The same convolutions with x, y, place, dy and dx in blocks (w, dw, bias and dbias as above); s.n
    // counts images; groups is 1.
    void (*block_conv2d_job[CJ__CONV2D_KINDS])(const cj__conv2d_args *a, cj__job *job);
    void (*block_conv2d_run[CJ__CONV2D_KINDS])(const cj__conv2d_args *a, void *workspace,
                                               void *scratch, int phase, int64_t begin,
                                               int64_t end);
    // Whether blocks are likely to be faster than channels-last images for this convolution,
    // gradients included.
    bool (*blocks_pay)(const cj__conv2d_args *a);

    // Pools work on images begin .. end - 1. `index` gets the place of the first greatest element
    // within its window, u * kw + v counted from the window's uncut corner, as uint8 where kh * kw
    // <= 256 and int32 otherwise; may be NULL.
    void (*max_pool2d)(const cj__pool2d *s, const void *x, void *y, void *index, int64_t begin,
                       int64_t end);
    // dx = dy at the remembered places, 0 elsewhere; a place of kh * kw or more is nowhere (see
    // cj__conv2d_args).
    void (*max_pool2d_grad)(const cj__pool2d *s, const void *index, const void *dy, void *dx,
                            int64_t begin, int64_t end);
    // y = x at the remembered places: the gradient of max_pool2d_grad by dy.
    void (*max_pool2d_gather)(const cj__pool2d *s, const void *index, const void *x, void *y,
                              int64_t begin, int64_t end);
    // Mean of the window's elements that lie inside the input.
    void (*average_pool2d)(const cj__pool2d *s, const void *x, void *y, int64_t begin, int64_t end);
    void (*average_pool2d_grad)(const cj__pool2d *s, const void *dy, void *dx, int64_t begin,
                                int64_t end);

    // Optimizer steps on n elements, in place; formulas as in cajal/train.h. `w` may be updated in
    // place: w_out == w is allowed, and so for every slot. decay = learning_rate * weight_decay,
    // applied as w -= decay * w before the step.
    void (*sgd)(int64_t n, const void *w, const void *g, const void *m, void *w_out, void *m_out,
                double rate, double momentum, bool nesterov, double decay);
    void (*adagrad)(int64_t n, const void *w, const void *g, const void *a, void *w_out,
                    void *a_out, double rate, double epsilon, double decay);
    void (*adadelta)(int64_t n, const void *w, const void *g, const void *a, const void *d,
                     void *w_out, void *a_out, void *d_out, double rate, double rho, double epsilon,
                     double decay);
    void (*rmsprop)(int64_t n, const void *w, const void *g, const void *v, const void *m,
                    const void *mean, void *w_out, void *v_out, void *m_out, void *mean_out,
                    double rate, double rho, double momentum, double epsilon,
                    double decay); // m, mean NULL where unused
    // alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t); vhat NULL without amsgrad.
    void (*adam)(int64_t n, const void *w, const void *g, const void *m, const void *v,
                 const void *vhat, void *w_out, void *m_out, void *v_out, void *vhat_out,
                 double alpha, double beta_1, double beta_2, double epsilon, double decay);

    // Sum of squares of n elements in double, in a fixed order: for clipping by norm.
    double (*sum_of_squares)(int64_t n, const void *x);
} cj__kernels;

// The table in use for a real size of 4 (float) or 8 (double): chosen once by cj__cpu_isa(). Never
// NULL.
const cj__kernels *cj__kernels_for(size_t real_size);

// The table of a given instruction set, for tests; NULL if this CPU or build lacks it.
const cj__kernels *cj__kernels_of(cj__isa isa, size_t real_size);

#endif
