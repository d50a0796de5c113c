// Reductions over the middle axis of (outer, n, inner), and what is built on them: softmax and the
// fused losses.

// The sum of an empty axis is 0, its greatest element -inf and its least +inf.
#define DEFINE(name, start, combine)                                                           \
    static void reduce_##name(int64_t outer, int64_t n, int64_t inner, const void *x, void *y, \
                              bool accumulate)                                                 \
    {                                                                                          \
        for (int64_t o = 0; o < outer; o++) {                                                  \
            for (int64_t i = 0; i < inner; i++) {                                              \
                const real *from = (const real *)x + o * n * inner + i;                        \
                real *to = (real *)y + o * inner + i;                                          \
                double p = accumulate ? (double)*to : (start);                                 \
                for (int64_t r = 0; r < n; r++) {                                              \
                    double q = from[r * inner];                                                \
                    p = combine;                                                               \
                }                                                                              \
                *to = (real)p;                                                                 \
            }                                                                                  \
        }                                                                                      \
    }
DEFINE(sum, 0, p + q)
DEFINE(max, (double)-INFINITY, max_of(p, q))
DEFINE(min, (double)INFINITY, min_of(p, q))
#undef DEFINE

static void moments(int64_t outer, int64_t n, int64_t inner, const void *x, void *mean, void *m2)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            const real *from = (const real *)x + o * n * inner + i;
            double sum = 0, squares = 0;
            for (int64_t r = 0; r < n; r++)
                sum += (double)from[r * inner];
            const double middle = sum / (double)n;
            for (int64_t r = 0; r < n; r++) {
                const double away = (double)from[r * inner] - middle;
                squares += away * away;
            }
            ((real *)mean)[o * inner + i] = (real)middle;
            ((real *)m2)[o * inner + i] = (real)squares;
        }
    }
}

static void merge_moments(int64_t outer, int64_t n, int64_t inner, int64_t count, int64_t last,
                          const void *means, const void *m2s, void *mean, void *m2)
{
    const double whole = (double)((n - 1) * count + last);
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            const real *mean_of = (const real *)means + o * n * inner + i,
                       *m2_of = (const real *)m2s + o * n * inner + i;
            double sum = 0, squares = 0;
            for (int64_t r = 0; r < n; r++)
                sum += (double)(r + 1 < n ? count : last) * (double)mean_of[r * inner];
            const double middle = sum / whole;
            for (int64_t r = 0; r < n; r++) {
                const double away = (double)mean_of[r * inner] - middle;
                squares +=
                    (double)m2_of[r * inner] + (double)(r + 1 < n ? count : last) * away * away;
            }
            ((real *)mean)[o * inner + i] = (real)middle;
            ((real *)m2)[o * inner + i] = (real)squares;
        }
    }
}

// A NaN counts as greater than every number, so that it is found.
static void argmax(int64_t outer, int64_t n, int64_t inner, const void *x, int32_t *y)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            const real *from = (const real *)x + o * n * inner + i;
            int64_t best = 0;
            for (int64_t r = 1; r < n; r++) {
                real v = from[r * inner], b = from[best * inner];
                if (v > b || (v != v && b == b))
                    best = r;
            }
            y[o * inner + i] = (int32_t)best;
        }
    }
}

static int64_t count_correct(int64_t rows, int64_t cols, const void *x, const int32_t *label)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        int32_t best;
        argmax(1, cols, 1, (const real *)x + r * cols, &best);
        count += best == label[r];
    }
    return count;
}

static double sum_of_squares(int64_t n, const void *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = ((const real *)x)[i];
        sum += v * v;
    }
    return sum;
}

static double max_of_row(int64_t n, const real *x)
{
    double best = -INFINITY;
    for (int64_t j = 0; j < n; j++)
        best = max_of(best, x[j]);
    return best;
}

// log sum exp of a row; `top` gets its greatest element.
static double log_sum_exp(int64_t n, const real *x, double *top)
{
    double sum = 0;
    *top = max_of_row(n, x);
    for (int64_t j = 0; j < n; j++)
        sum += exp(x[j] - *top);
    return *top + log(sum);
}

static void softmax(int64_t rows, int64_t cols, const void *x, void *y)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *from = (const real *)x + r * cols;
        real *to = (real *)y + r * cols;
        double top = max_of_row(cols, from), sum = 0;
        for (int64_t j = 0; j < cols; j++)
            sum += exp(from[j] - top);
        for (int64_t j = 0; j < cols; j++)
            to[j] = (real)(exp(from[j] - top) / sum);
    }
}

static void softmax_grad(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *p = (const real *)y + r * cols, *d = (const real *)dy + r * cols;
        double dot = 0;
        for (int64_t j = 0; j < cols; j++)
            dot += (double)p[j] * (double)d[j];
        for (int64_t j = 0; j < cols; j++)
            ((real *)dx)[r * cols + j] = (real)((double)p[j] * ((double)d[j] - dot));
    }
}

static void log_softmax(int64_t rows, int64_t cols, const void *x, void *y)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *from = (const real *)x + r * cols;
        double top, whole = log_sum_exp(cols, from, &top);
        for (int64_t j = 0; j < cols; j++)
            ((real *)y)[r * cols + j] = (real)((double)from[j] - whole);
    }
}

static void log_softmax_grad(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *p = (const real *)y + r * cols, *d = (const real *)dy + r * cols;
        double sum = 0;
        for (int64_t j = 0; j < cols; j++)
            sum += (double)d[j];
        for (int64_t j = 0; j < cols; j++)
            ((real *)dx)[r * cols + j] = (real)((double)d[j] - exp(p[j]) * sum);
    }
}

static void softmax_cross_entropy(int64_t rows, int64_t cols, const void *x, const int32_t *label,
                                  void *p, void *loss)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *from = (const real *)x + r * cols;
        double top, whole = log_sum_exp(cols, from, &top);
        double target = (double)from[label[r]]; // read first: p may be x
        if (p)
            softmax(1, cols, from, (real *)p + r * cols);
        ((real *)loss)[r] = (real)(whole - target);
    }
}

static void softmax_cross_entropy_grad(int64_t rows, int64_t cols, const void *p,
                                       const int32_t *label, const void *dloss, void *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        double d = (double)((const real *)dloss)[r];
        for (int64_t j = 0; j < cols; j++) {
            double prob = (double)((const real *)p)[r * cols + j];
            ((real *)dx)[r * cols + j] = (real)((prob - (j == label[r])) * d);
        }
    }
}

static void sigmoid_cross_entropy(int64_t n, const void *z, const void *t, void *loss)
{
    for (int64_t i = 0; i < n; i++) {
        double x = (double)((const real *)z)[i], target = (double)((const real *)t)[i];
        ((real *)loss)[i] = (real)(relu_of(x) - x * target + log1p(exp(-fabs(x))));
    }
}

static void sigmoid_cross_entropy_grad(int64_t n, const void *z, const void *t, const void *dloss,
                                       void *dz)
{
    for (int64_t i = 0; i < n; i++) {
        double x = (double)((const real *)z)[i], target = (double)((const real *)t)[i];
        ((real *)dz)[i] = (real)((sigmoid_of(x) - target) * (double)((const real *)dloss)[i]);
    }
}
