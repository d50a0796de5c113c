// Element-wise functions whose formulas are arithmetic, comparisons and roots: y[i] = f(x[i]) and
// its gradient, two operands, comparisons, scaling. Those that need exp or log are in math.h.
//
// EACH_VEC writes a loop's body twice, for whole vectors and for the masked rest; inside, `i` is
// the index of the first lane, LOAD_AT_I reads and STORE_AT_I writes the lanes from there on, and
// CONST(x) is a vector of a constant. A lane's arithmetic does not depend on where
// a range begins.
#ifndef CJ_KERNELS_BODY_ELEMENTWISE_ELEMENTWISE_H
#define CJ_KERNELS_BODY_ELEMENTWISE_ELEMENTWISE_H

#define EACH_VEC(n, ...)                          \
    do {                                          \
        int64_t i = 0;                            \
        for (; i + LANES <= (n); i += LANES) {    \
            const bool whole = true;              \
            const vmask part = {0};               \
            (void)part, (void)whole;              \
            __VA_ARGS__                           \
        }                                         \
        if (i < (n)) {                            \
            const bool whole = false;             \
            const vmask part = mask_first((n)-i); \
            (void)part, (void)whole;              \
            __VA_ARGS__                           \
        }                                         \
    } while (0)
#define LOAD_AT_I(p)     (whole ? vec_load((p) + i) : vec_load_part((p) + i, part))
#define STORE_AT_I(p, v) put_vec((p) + i, v, whole, part)
#define CONST(x)         vec_set((real)(x))

ALWAYS_INLINE void put_vec(real *p, vec v, const bool whole, vmask part)
{
    if (whole)
        vec_store(p, v);
    else
        vec_store_part(p, v, part);
}

// The maximum and the minimum of two, NaN if either is.
ALWAYS_INLINE vec vec_max_nan(vec a, vec b)
{
    return vec_select(vec_eq(a, a), vec_max(a, b), a);
}

ALWAYS_INLINE vec vec_min_nan(vec a, vec b)
{
    return vec_select(vec_eq(a, a), vec_min(a, b), a);
}

// NaN stays NaN: vec_max and vec_min take their second operand then.
ALWAYS_INLINE vec vec_clip(vec x, vec low, vec high)
{
    return vec_min(high, vec_max(low, x));
}

ALWAYS_INLINE vmask vec_inside(vec low, vec x, vec high)
{
    return mask_and(vec_lt(low, x), vec_lt(x, high));
}

// name, what the gradient reads, f(x, a, b), dx. As in ref/: where the derivative is 0, so is dx
// whatever dy is.
#define ELEMENTWISE_FORMULAS(F)                                                                 \
    F(negative, X, -x, -dy)                                                                     \
    F(absolute, X, vec_abs(x),                                                                  \
      vec_select(vec_lt(CONST(0), x), dy, vec_select(vec_lt(x, CONST(0)), -dy, CONST(0))))      \
    F(sign, X,                                                                                  \
      vec_select(vec_lt(CONST(0), x), CONST(1), vec_select(vec_lt(x, CONST(0)), CONST(-1), x)), \
      CONST(0))                                                                                 \
    F(square, X, x *x, (x + x) * dy)                                                            \
    F(sqrt, Y, vec_sqrt(x), CONST(0.5) / y * dy)                                                \
    F(rsqrt, Y, CONST(1) / vec_sqrt(x), CONST(-0.5) * y * y * y * dy)                           \
    F(reciprocal, Y, CONST(1) / x, -y * y * dy)                                                 \
    F(relu, Y, vec_max(CONST(0), x), vec_select(vec_lt(CONST(0), y), dy, CONST(0)))             \
    F(relu6, Y, vec_clip(x, CONST(0), CONST(6)),                                                \
      vec_select(vec_inside(CONST(0), y, CONST(6)), dy, CONST(0)))                              \
    F(leaky_relu, X, vec_select(vec_lt(CONST(0), x), x, a *x),                                  \
      vec_select(vec_lt(CONST(0), x), dy, a *dy))                                               \
    F(softsign, X, x / (CONST(1) + vec_abs(x)),                                                 \
      dy / ((CONST(1) + vec_abs(x)) * (CONST(1) + vec_abs(x))))                                 \
    F(hard_sigmoid, X, vec_clip(hard_line(x), CONST(0), CONST(1)),                              \
      vec_select(vec_inside(CONST(-3), x, CONST(3)), dy / CONST(6), CONST(0)))                  \
    F(hard_silu, X, x *vec_clip(hard_line(x), CONST(0), CONST(1)), hard_silu_grad(x, dy))       \
    F(clip, X, vec_clip(x, a, b), vec_select(mask_and(vec_le(a, x), vec_le(x, b)), dy, CONST(0)))

// x / 6 + 1/2
ALWAYS_INLINE vec hard_line(vec x)
{
    return vec_fma(x, CONST(1.0 / 6), CONST(0.5));
}

ALWAYS_INLINE vec hard_silu_grad(vec x, vec dy)
{
    const vec inner = vec_fma(x, CONST(1.0 / 3), CONST(0.5)) * dy;
    return vec_select(vec_le(x, CONST(-3)), CONST(0), vec_select(vec_le(CONST(3), x), dy, inner));
}

#define GRAD_READS_X xs
#define GRAD_READS_Y ys
#define DEFINE_UNARY(name, formula)                                                             \
    static void unary_##name(int64_t n, const void *in, void *out, double first, double second) \
    {                                                                                           \
        const real *from = in;                                                                  \
        real *to = out;                                                                         \
        const vec a = CONST(first), b = CONST(second);                                          \
        (void)a, (void)b;                                                                       \
        EACH_VEC(n, const vec x = LOAD_AT_I(from); STORE_AT_I(to, formula););                   \
    }
#define DEFINE_GRAD(name, reads, grad)                                                        \
    static void unary_grad_##name(int64_t n, const void *xs, const void *ys, const void *dys, \
                                  void *dxs, double first, double second)                     \
    {                                                                                         \
        const real *given = GRAD_READS_##reads, *gradients = dys;                             \
        real *to = dxs;                                                                       \
        const vec a = CONST(first), b = CONST(second);                                        \
        (void)a, (void)b, (void)xs, (void)ys;                                                 \
        EACH_VEC(n, const vec x = LOAD_AT_I(given); const vec y = x;                          \
                 const vec dy = LOAD_AT_I(gradients); (void)x, (void)y, (void)dy;             \
                 STORE_AT_I(to, grad););                                                      \
    }
#define DEFINE_BOTH(name, reads, formula, grad) \
    DEFINE_UNARY(name, formula) DEFINE_GRAD(name, reads, grad)
ELEMENTWISE_FORMULAS(DEFINE_BOTH)

static void relu_dropout_grad(int64_t n, const void *y, const void *dy, double scale, void *dx)
{
    const real *result = y, *gradients = dy;
    real *to = dx;
    const vec factor = CONST(scale);
    EACH_VEC(n, STORE_AT_I(to, vec_select(vec_lt(CONST(0), LOAD_AT_I(result)),
                                          LOAD_AT_I(gradients) * factor, CONST(0))););
}

// Rows of two operands that follow each other without gaps are one long row.
ALWAYS_INLINE void join_rows(int64_t *rows, int64_t *cols, int64_t a_row, int64_t a_step,
                             int64_t b_row, int64_t b_step)
{
    if (a_row == *cols * a_step && b_row == *cols * b_step) {
        *cols *= *rows;
        *rows = 1;
    }
}

// y[r][j] = f(p, q); an operand with step 0 is one vector for the whole row.
#define OPERAND(step, p, fixed) ((step) ? LOAD_AT_I(p) : (fixed))
#define DEFINE(name, formula)                                                                     \
    static void binary_##name(int64_t rows, int64_t cols, const void *a, int64_t a_row,           \
                              int64_t a_step, const void *b, int64_t b_row, int64_t b_step,       \
                              void *y)                                                            \
    {                                                                                             \
        if (cols > 0)                                                                             \
            join_rows(&rows, &cols, a_row, a_step, b_row, b_step);                                \
        for (int64_t r = 0; r < rows && cols > 0; r++) {                                          \
            const real *left = (const real *)a + r * a_row, *right = (const real *)b + r * b_row; \
            const vec p0 = vec_set(*left), q0 = vec_set(*right);                                  \
            real *to = (real *)y + r * cols;                                                      \
            EACH_VEC(cols, const vec p = OPERAND(a_step, left, p0);                               \
                     const vec q = OPERAND(b_step, right, q0); STORE_AT_I(to, formula););         \
        }                                                                                         \
    }
DEFINE(add, p + q)
DEFINE(subtract, p - q)
DEFINE(multiply, p *q)
DEFINE(divide, p / q)
DEFINE(maximum, vec_max_nan(p, q))
DEFINE(minimum, vec_min_nan(p, q))
#undef DEFINE

ALWAYS_INLINE void put_truth(uint8_t *p, vmask m, int64_t count)
{
    const ivec lanes = (ivec)vec_select(m, (vec)ivec_set(-1), (vec)ivec_set(0));
    uint8_t bytes[LANES];
    if (count >= LANES) {
        bytes_store(p, lanes);
        return;
    }
    bytes_store(bytes, lanes);
    memcpy(p, bytes, (size_t)count);
}

#define DEFINE(name, formula)                                                                     \
    static void compare_##name(int64_t rows, int64_t cols, const void *a, int64_t a_row,          \
                               int64_t a_step, const void *b, int64_t b_row, int64_t b_step,      \
                               uint8_t *y)                                                        \
    {                                                                                             \
        if (cols > 0)                                                                             \
            join_rows(&rows, &cols, a_row, a_step, b_row, b_step);                                \
        for (int64_t r = 0; r < rows && cols > 0; r++) {                                          \
            const real *left = (const real *)a + r * a_row, *right = (const real *)b + r * b_row; \
            const vec p0 = vec_set(*left), q0 = vec_set(*right);                                  \
            EACH_VEC(cols, const vec p = OPERAND(a_step, left, p0);                               \
                     const vec q = OPERAND(b_step, right, q0);                                    \
                     put_truth(y + r * cols + i, formula, cols - i););                            \
        }                                                                                         \
    }
DEFINE(equal, vec_eq(p, q))
DEFINE(not_equal, mask_not(vec_eq(p, q)))
DEFINE(greater, vec_lt(q, p))
DEFINE(greater_equal, vec_le(q, p))
DEFINE(less, vec_lt(p, q))
DEFINE(less_equal, vec_le(p, q))
#undef DEFINE

// The last bytes of a run, fewer than LANES.
static vec vec_from_last_bytes(const uint8_t *p, int64_t count)
{
    uint8_t bytes[LANES] = {0};
    memcpy(bytes, p, (size_t)count);
    return vec_from_bytes(bytes);
}

// y[i] = c[i] ? a[i] : b[i]
static void select_one(int64_t n, const uint8_t *c, const void *a, int64_t a_step, const void *b,
                       int64_t b_step, void *y)
{
    const real *left = a, *right = b;
    real *to = y;
    if (n <= 0)
        return;
    const vec p0 = vec_set(*left), q0 = vec_set(*right);
    EACH_VEC(n, const vec t = whole ? vec_from_bytes(c + i) : vec_from_last_bytes(c + i, n - i);
             const vec p = OPERAND(a_step, left, p0); const vec q = OPERAND(b_step, right, q0);
             STORE_AT_I(to, vec_select(vec_eq(t, CONST(0)), q, p)););
}

static void rescale(int64_t n, const void *x, double scale, double offset, void *y)
{
    const real *from = x;
    real *to = y;
    const vec factor = CONST(scale), rest = CONST(offset);
    EACH_VEC(n, STORE_AT_I(to, vec_fma(LOAD_AT_I(from), factor, rest)););
}

static void rescale_u8(int64_t n, const uint8_t *x, double scale, double offset, void *y)
{
    real *to = y;
    const vec factor = CONST(scale), rest = CONST(offset);
    EACH_VEC(n, const vec v = whole ? vec_from_bytes(x + i) : vec_from_last_bytes(x + i, n - i);
             STORE_AT_I(to, vec_fma(v, factor, rest)););
}

#endif
