// Element-wise functions: y[i] = f(x[i]) and its gradient, two operands, comparisons, selection,
// scaling.

static const double SELU_SCALE = 1.0507009873554805, SELU_SLOPE = 1.6732632423543772;
static const double ROOT_HALF = 0.70710678118654752440, ROOT_2_BY_PI = 0.79788456080286535588;
static const double ROOT_1_BY_2PI = 0.39894228040143267794;

static double gelu_grad_of(double x)
{
    return 0.5 * (1 + erf(x * ROOT_HALF)) + x * ROOT_1_BY_2PI * exp(-0.5 * x * x);
}

static double gelu_tanh_grad_of(double x)
{
    double t = tanh(ROOT_2_BY_PI * (x + 0.044715 * x * x * x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT_2_BY_PI * (1 + 3 * 0.044715 * x * x);
}

static double silu_grad_of(double x)
{
    double s = sigmoid_of(x);
    return s * (1 + x * (1 - s));
}

static double mish_grad_of(double x)
{
    double t = tanh(softplus_of(x));
    return t + x * (1 - t * t) * sigmoid_of(x);
}

// name, f(x, a, b), dx(x or y, a, b, dy). Where the derivative is 0 the gradient is 0 even if dy is
// not finite.
#define FORMULAS(F)                                                                             \
    F(negative, -x, -dy)                                                                        \
    F(absolute, fabs(x), x > 0 ? dy : x < 0 ? -dy : 0)                                          \
    F(sign, x > 0 ? 1 : x < 0 ? -1 : x, 0)                                                      \
    F(square, x *x, 2 * x * dy)                                                                 \
    F(sqrt, sqrt(x), 0.5 / y * dy)                                                              \
    F(rsqrt, 1 / sqrt(x), -0.5 * y * y * y * dy)                                                \
    F(reciprocal, 1 / x, -y * y * dy)                                                           \
    F(exp, exp(x), y *dy)                                                                       \
    F(log, log(x), dy / x)                                                                      \
    F(log1p, log1p(x), dy / (1 + x))                                                            \
    F(relu, relu_of(x), y > 0 ? dy : 0)                                                         \
    F(relu6, clip_of(x, 0, 6), y > 0 && y < 6 ? dy : 0)                                         \
    F(leaky_relu, x > 0 ? x : a * x, x > 0 ? dy : a * dy)                                       \
    F(elu, x > 0 ? x : a * expm1(x), x > 0 ? dy : a * exp(x) * dy)                              \
    F(selu, SELU_SCALE *(x > 0 ? x : SELU_SLOPE * expm1(x)),                                    \
      y > 0 ? SELU_SCALE * dy : (y + SELU_SCALE * SELU_SLOPE) * dy)                             \
    F(sigmoid, sigmoid_of(x), y *(1 - y) * dy)                                                  \
    F(tanh, tanh(x), (1 - y * y) * dy)                                                          \
    F(softplus, softplus_of(x), sigmoid_of(x) * dy)                                             \
    F(softsign, x / (1 + fabs(x)), dy / ((1 + fabs(x)) * (1 + fabs(x))))                        \
    F(silu, x *sigmoid_of(x), silu_grad_of(x) * dy)                                             \
    F(gelu, 0.5 * x * (1 + erf(x * ROOT_HALF)), gelu_grad_of(x) * dy)                           \
    F(gelu_tanh, 0.5 * x * (1 + tanh(ROOT_2_BY_PI * (x + 0.044715 * x * x * x))),               \
      gelu_tanh_grad_of(x) * dy)                                                                \
    F(hard_sigmoid, clip_of(x / 6 + 0.5, 0, 1), x > -3 && x < 3 ? dy / 6 : 0)                   \
    F(hard_silu, x *clip_of(x / 6 + 0.5, 0, 1), x <= -3 ? 0 : x >= 3 ? dy : (x / 3 + 0.5) * dy) \
    F(mish, x *tanh(softplus_of(x)), mish_grad_of(x) * dy)                                      \
    F(clip, clip_of(x, a, b), x >= a && x <= b ? dy : 0)

#define DEFINE(name, formula, grad)                                                              \
    static void unary_##name(int64_t n, const void *in, void *out, double a, double b)           \
    {                                                                                            \
        const real *from = in;                                                                   \
        real *to = out;                                                                          \
        (void)a, (void)b;                                                                        \
        for (int64_t i = 0; i < n; i++) {                                                        \
            double x = from[i];                                                                  \
            to[i] = (real)(formula);                                                             \
        }                                                                                        \
    }                                                                                            \
    static void unary_grad_##name(int64_t n, const void *xs, const void *ys, const void *dys,    \
                                  void *dxs, double a, double b)                                 \
    {                                                                                            \
        const real *given_x = xs, *given_y = ys, *given_dy = dys;                                \
        real *to = dxs;                                                                          \
        (void)a, (void)b;                                                                        \
        for (int64_t i = 0; i < n; i++) {                                                        \
            double x = given_x ? given_x[i] : 0, y = given_y ? given_y[i] : 0, dy = given_dy[i]; \
            (void)x, (void)y, (void)dy;                                                          \
            to[i] = (real)(grad);                                                                \
        }                                                                                        \
    }
FORMULAS(DEFINE)
#undef DEFINE

#define DEFINE(name, result, type, formula)                                                       \
    static void name(int64_t rows, int64_t cols, const void *a, int64_t a_row, int64_t a_step,    \
                     const void *b, int64_t b_row, int64_t b_step, result y)                      \
    {                                                                                             \
        for (int64_t r = 0; r < rows; r++) {                                                      \
            const real *left = (const real *)a + r * a_row, *right = (const real *)b + r * b_row; \
            type *to = (type *)y + r * cols;                                                      \
            for (int64_t j = 0; j < cols; j++) {                                                  \
                double p = left[j * a_step], q = right[j * b_step];                               \
                to[j] = (type)(formula);                                                          \
            }                                                                                     \
        }                                                                                         \
    }
DEFINE(binary_add, void *, real, p + q)
DEFINE(binary_subtract, void *, real, p - q)
DEFINE(binary_multiply, void *, real, p *q)
DEFINE(binary_divide, void *, real, p / q)
DEFINE(binary_maximum, void *, real, max_of(p, q))
DEFINE(binary_minimum, void *, real, min_of(p, q))
DEFINE(binary_power, void *, real, pow(p, q))
DEFINE(compare_equal, uint8_t *, uint8_t, p == q)
DEFINE(compare_not_equal, uint8_t *, uint8_t, p != q)
DEFINE(compare_greater, uint8_t *, uint8_t, p > q)
DEFINE(compare_greater_equal, uint8_t *, uint8_t, p >= q)
DEFINE(compare_less, uint8_t *, uint8_t, p < q)
DEFINE(compare_less_equal, uint8_t *, uint8_t, p <= q)
#undef DEFINE

static void select_one(int64_t n, const uint8_t *c, const void *a, int64_t a_step, const void *b,
                       int64_t b_step, void *y)
{
    const real *yes = a, *no = b;
    for (int64_t i = 0; i < n; i++)
        ((real *)y)[i] = c[i] ? yes[i * a_step] : no[i * b_step];
}

static void rescale_u8(int64_t n, const uint8_t *x, double scale, double offset, void *y)
{
    for (int64_t i = 0; i < n; i++)
        ((real *)y)[i] = (real)(x[i] * scale + offset);
}

static void rescale(int64_t n, const void *x, double scale, double offset, void *y)
{
    for (int64_t i = 0; i < n; i++)
        ((real *)y)[i] = (real)((double)((const real *)x)[i] * scale + offset);
}

static void transpose(int64_t rows, int64_t cols, const void *x, int64_t ldx, void *y, int64_t ldy)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++)
            ((real *)y)[j * ldy + r] = ((const real *)x)[r * ldx + j];
}

static void dropout(int64_t first, int64_t n, uint64_t key, uint64_t step, double rate,
                    const void *x, void *y)
{
    const double threshold = rate * 4294967296.0;
    const real scale = (real)(rate < 1 ? 1 / (1 - rate) : 0);
    uint32_t words[4];
    for (int64_t i = 0; i < n; i++) {
        uint64_t element = (uint64_t)(first + i);
        if (i == 0 || element % 4 == 0)
            cj__philox(key, step, element / 4, words);
        ((real *)y)[i] = (double)words[element % 4] >= threshold ? ((const real *)x)[i] * scale : 0;
    }
}

static void relu_dropout_grad(int64_t n, const void *y, const void *dy, double scale, void *dx)
{
    for (int64_t i = 0; i < n; i++)
        ((real *)dx)[i] = ((const real *)y)[i] > 0 ? ((const real *)dy)[i] * (real)scale : 0;
}

// Each link rounds to a real, as a kernel that writes its result does.
static void chain(int64_t n, const cj__link *links, int count)
{
    for (int64_t i = 0; i < n; i++) {
        double v = 0;
        for (int k = 0; k < count; k++) {
            const int64_t at = links[k].repeats ? 0 : links[k].period > 0 ? i % links[k].period : i;
            real *const to = links[k].operand ? (real *)links[k].operand + at : NULL;
            const double o = to ? *to : 0;
            const double values[CJ__LINK_COUNT] = {
                [CJ__LINK_load] = o,
                [CJ__LINK_store] = v,
                [CJ__LINK_sum] = v,
                [CJ__LINK_add] = v + o,
                [CJ__LINK_subtract] = v - o,
                [CJ__LINK_subtract_from] = o - v,
                [CJ__LINK_multiply] = v * o,
                [CJ__LINK_divide] = v / o,
                [CJ__LINK_negative] = -v,
                [CJ__LINK_absolute] = fabs(v),
                [CJ__LINK_square] = v * v,
                [CJ__LINK_reciprocal] = 1 / v,
                [CJ__LINK_beyond] = v > 0 ? 1 : 0,
                [CJ__LINK_reached] = v >= 0 ? 1 : 0,
                [CJ__LINK_relu] = relu_of(v),
                [CJ__LINK_relu_grad] = o > 0 ? v : 0,
                [CJ__LINK_square_grad] = 2 * o * v,
            };
            if (links[k].kind == CJ__LINK_store)
                *to = (real)v;
            else if (links[k].kind == CJ__LINK_sum)
                *to = (real)(o + v);
            v = (double)(real)values[links[k].kind];
        }
    }
}
