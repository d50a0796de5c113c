// Softmax over rows of `cols` and the fused losses, for float: p[j] = e^(x[j] - top) / sum, log
// p[j] = x[j] - top - log sum, with `top` the maximum of the row, so that no power overflows and
// the sum is at least 1.
//
// Rows of few columns, as classes mostly are, lie side by side, a lane each: nothing is added or
// compared across lanes, and one logarithm serves LANES rows. A last row or two are computed by
// themselves, with the same arithmetic: their powers are added in the order of the columns too, so
// that a row's bits do not depend on those beside it.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_SOFTMAX_H
#define CJ_KERNELS_BODY_ELEMENTWISE_SOFTMAX_H

#include "kernels/body/elementwise/elementwise.h"
#include "kernels/body/elementwise/math.h"

enum { FEW_COLS = 32, LAST_ROWS = 2 };

static real few_powers(int64_t cols, const real *x, real top, real *y)
{
    const vec most = vec_set(top);
    real sum = 0;
    EACH_VEC(cols, STORE_AT_I(y, vec_exp(LOAD_AT_I(x) - most)););
    for (int64_t j = 0; j < cols; j++)
        sum += y[j];
    return sum;
}

// The sum of e^(x[j] - top), which also go to y unless it is NULL.
static real row_of_powers(int64_t cols, const real *x, real top, real *y)
{
    const vec most = vec_set(top);
    real few[FEW_COLS];
    vec sum = CONST(0);
    if (cols <= FEW_COLS)
        return few_powers(cols, x, top, y ? y : few);
    EACH_VEC(cols, const vec e = vec_exp(LOAD_AT_I(x) - most);
             sum += whole ? e : vec_select(part, e, CONST(0)); if (y) STORE_AT_I(y, e););
    return vec_sum(sum);
}

static real log_of(real x)
{
    return vec_log(vec_set(x))[0];
}

static void softmax_row(int64_t cols, const real *x, real top, real *y)
{
    const vec scale = CONST(1) / vec_set(row_of_powers(cols, x, top, y));
    EACH_VEC(cols, STORE_AT_I(y, LOAD_AT_I(y) * scale););
}

// Up to LANES rows as columns, and back. Lanes without a row hold 0; `columns` has room for whole
// squares.
static void take_columns(int64_t rows, int64_t cols, const real *x, vec *columns)
{
    for (int64_t j = 0; j < cols; j += LANES) {
        const vmask in = mask_first(min(cols - j, LANES));
        vec *const square = columns + j;
        for (int i = 0; i < LANES; i++)
            square[i] = i < rows ? vec_load_part(x + i * cols + j, in) : CONST(0);
        vec_transpose(square);
    }
}

static void put_columns(int64_t rows, int64_t cols, vec *columns, real *y)
{
    for (int64_t j = 0; j < cols; j += LANES) {
        const vmask in = mask_first(min(cols - j, LANES));
        vec *const square = columns + j;
        vec_transpose(square);
        for (int i = 0; i < LANES && i < rows; i++)
            vec_store_part(y + i * cols + j, square[i], in);
    }
}

// Columns become the powers e^(x - top), whose sum is returned.
static vec powers_of_columns(int64_t cols, vec *columns, vec *top)
{
    vec most = columns[0], sum = CONST(0);
    for (int64_t j = 1; j < cols; j++)
        most = vec_max_nan(most, columns[j]);
    for (int64_t j = 0; j < cols; j++) {
        columns[j] = vec_exp(columns[j] - most);
        sum += columns[j];
    }
    *top = most;
    return sum;
}

static void scale_columns(int64_t cols, vec *columns, vec sum)
{
    const vec scale = CONST(1) / sum;
    for (int64_t j = 0; j < cols; j++)
        columns[j] *= scale;
}

// These two return how many rows they have done: all but a last few.
static int64_t softmax_of_few(int64_t rows, int64_t cols, const real *x, real *y)
{
    vec columns[FEW_COLS], top;
    int64_t r = 0;
    for (; rows - r > LAST_ROWS; r += LANES) {
        const int64_t count = min(rows - r, LANES);
        take_columns(count, cols, x + r * cols, columns);
        scale_columns(cols, columns, powers_of_columns(cols, columns, &top));
        put_columns(count, cols, columns, y + r * cols);
    }
    return min(r, rows);
}

static void softmax(int64_t rows, int64_t cols, const void *x, void *y)
{
    const int64_t done = cols <= FEW_COLS ? softmax_of_few(rows, cols, x, y) : 0;
    for (int64_t at = done * cols; at < rows * cols; at += cols) {
        const real *from = (const real *)x + at;
        softmax_row(cols, from, run_max(cols, from, -INFINITY), (real *)y + at);
    }
}

// dx = y (dy - sum of y dy)
static void softmax_grad(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx)
{
    for (int64_t at = 0; at < rows * cols; at += cols) {
        const real *p = (const real *)y + at, *d = (const real *)dy + at;
        real *to = (real *)dx + at;
        vec sum = CONST(0);
        EACH_VEC(cols, sum = vec_fma(LOAD_AT_I(p), LOAD_AT_I(d), sum););
        const vec dot = vec_set(vec_sum(sum));
        EACH_VEC(cols, STORE_AT_I(to, LOAD_AT_I(p) * (LOAD_AT_I(d) - dot)););
    }
}

static void log_softmax(int64_t rows, int64_t cols, const void *x, void *y)
{
    for (int64_t at = 0; at < rows * cols; at += cols) {
        const real *from = (const real *)x + at;
        real *to = (real *)y + at;
        const real top = run_max(cols, from, -INFINITY);
        const vec most = vec_set(top), rest = vec_set(log_of(row_of_powers(cols, from, top, NULL)));
        EACH_VEC(cols, STORE_AT_I(to, LOAD_AT_I(from) - most - rest););
    }
}

// dx = dy - e^y sum of dy
static void log_softmax_grad(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx)
{
    for (int64_t at = 0; at < rows * cols; at += cols) {
        const real *p = (const real *)y + at, *d = (const real *)dy + at;
        real *to = (real *)dx + at;
        const vec sum = vec_set(run_sum(cols, d, 0));
        EACH_VEC(cols, STORE_AT_I(to, vec_fma(-vec_exp(LOAD_AT_I(p)), sum, LOAD_AT_I(d))););
    }
}

static int64_t cross_entropy_of_few(int64_t rows, int64_t cols, const real *x, const int32_t *label,
                                    real *p, real *loss)
{
    vec columns[FEW_COLS], top;
    int64_t r = 0;
    for (; rows - r > LAST_ROWS; r += LANES) {
        const int64_t count = min(rows - r, LANES);
        real target[LANES] = {0};
        for (int64_t i = 0; i < count; i++)
            target[i] = x[(r + i) * cols + label[r + i]];
        take_columns(count, cols, x + r * cols, columns);
        const vec sum = powers_of_columns(cols, columns, &top);
        vec_store_part(loss + r, top - vec_load(target) + vec_log(sum), mask_first(count));
        if (!p)
            continue;
        scale_columns(cols, columns, sum);
        put_columns(count, cols, columns, p + r * cols);
    }
    return min(r, rows);
}

// loss = log sum e^x - x[label] and, unless NULL, p = softmax(x), which may take the place of x.
static void softmax_cross_entropy(int64_t rows, int64_t cols, const void *x, const int32_t *label,
                                  void *p, void *loss)
{
    for (int64_t r = cols <= FEW_COLS ? cross_entropy_of_few(rows, cols, x, label, p, loss) : 0;
         r < rows; r++) {
        const real *from = (const real *)x + r * cols;
        real *to = p ? (real *)p + r * cols : NULL;
        const real top = run_max(cols, from, -INFINITY), target = from[label[r]];
        const real sum = row_of_powers(cols, from, top, to);
        ((real *)loss)[r] = top - target + log_of(sum);
        const vec scale = CONST(1) / vec_set(sum);
        if (to)
            EACH_VEC(cols, STORE_AT_I(to, LOAD_AT_I(to) * scale););
    }
}

// dx[j] = (p[j] - (j == label)) dloss
static void softmax_cross_entropy_grad(int64_t rows, int64_t cols, const void *p,
                                       const int32_t *label, const void *dloss, void *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *from = (const real *)p + r * cols, gradient = ((const real *)dloss)[r];
        const real at_label = (from[label[r]] - 1) * gradient; // read first: dx may be p
        real *to = (real *)dx + r * cols;
        EACH_VEC(cols, STORE_AT_I(to, LOAD_AT_I(from) * vec_set(gradient)););
        to[label[r]] = at_label;
    }
}

// loss = max(z, 0) - z t + log(1 + e^-|z|)
static void sigmoid_cross_entropy(int64_t n, const void *z, const void *t, void *loss)
{
    const real *from = z, *target = t;
    real *to = loss;
    EACH_VEC(n, const vec x = LOAD_AT_I(from);
             STORE_AT_I(to, vec_fma(-x, LOAD_AT_I(target), vec_softplus(x))););
}

// dz = (sigmoid(z) - t) dloss
static void sigmoid_cross_entropy_grad(int64_t n, const void *z, const void *t, const void *dloss,
                                       void *dz)
{
    const real *from = z, *target = t, *gradients = dloss;
    real *to = dz;
    EACH_VEC(n, STORE_AT_I(to, (vec_sigmoid(LOAD_AT_I(from)) - LOAD_AT_I(target)) *
                                   LOAD_AT_I(gradients)););
}

#endif
