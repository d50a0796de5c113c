// Softmax over rows of `cols` and the fused losses, for float: p[j] = e^(x[j] - top) / sum, log p[j] = x[j] - top - log
// sum, with `top` the greatest of the row, so that no power overflows and the sum is at least 1.

// The sum of e^(x[j] - top), which also go to y unless it is NULL.
static real row_of_powers(int64_t cols, const real *x, real top, real *y)
{
    const vec most = vec_set(top);
    vec sum = K(0);
    EACH_VEC(cols, const vec e = vec_exp(GET(x) - most); sum += whole ? e : vec_pick(part, e, K(0));
             if (y) PUT(y, e););
    return vec_sum(sum);
}

static real log_of(real x)
{
    return vec_log(vec_set(x))[0];
}

static void softmax_row(int64_t cols, const real *x, real top, real *y)
{
    const vec scale = K(1) / vec_set(row_of_powers(cols, x, top, y));
    EACH_VEC(cols, PUT(y, GET(y) * scale););
}

static void softmax(int64_t rows, int64_t cols, const void *x, void *y)
{
    for (int64_t at = 0; at < rows * cols; at += cols) {
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
        vec sum = K(0);
        EACH_VEC(cols, sum = vec_fma(GET(p), GET(d), sum););
        const vec dot = vec_set(vec_sum(sum));
        EACH_VEC(cols, PUT(to, GET(p) * (GET(d) - dot)););
    }
}

static void log_softmax(int64_t rows, int64_t cols, const void *x, void *y)
{
    for (int64_t at = 0; at < rows * cols; at += cols) {
        const real *from = (const real *)x + at;
        real *to = (real *)y + at;
        const real top = run_max(cols, from, -INFINITY);
        const vec most = vec_set(top), rest = vec_set(log_of(row_of_powers(cols, from, top, NULL)));
        EACH_VEC(cols, PUT(to, GET(from) - most - rest););
    }
}

// dx = dy - e^y sum of dy
static void log_softmax_grad(int64_t rows, int64_t cols, const void *y, const void *dy, void *dx)
{
    for (int64_t at = 0; at < rows * cols; at += cols) {
        const real *p = (const real *)y + at, *d = (const real *)dy + at;
        real *to = (real *)dx + at;
        const vec sum = vec_set(run_sum(cols, d, 0));
        EACH_VEC(cols, PUT(to, vec_fma(-vec_exp(GET(p)), sum, GET(d))););
    }
}

// loss = log sum e^x - x[label] and, unless NULL, p = softmax(x), which may take the place of x.
static void softmax_xent(int64_t rows, int64_t cols, const void *x, const int32_t *label, void *p, void *loss)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *from = (const real *)x + r * cols;
        real *to = p ? (real *)p + r * cols : NULL;
        const real top = run_max(cols, from, -INFINITY), target = from[label[r]];
        const real sum = row_of_powers(cols, from, top, to);
        ((real *)loss)[r] = top - target + log_of(sum);
        const vec scale = K(1) / vec_set(sum);
        if (to)
            EACH_VEC(cols, PUT(to, GET(to) * scale););
    }
}

// dx[j] = (p[j] - (j == label)) dloss
static void softmax_xent_grad(int64_t rows, int64_t cols, const void *p, const int32_t *label, const void *dloss,
                              void *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        const real *from = (const real *)p + r * cols, slope = ((const real *)dloss)[r];
        const real at_label = (from[label[r]] - 1) * slope; // read first: dx may be p
        real *to = (real *)dx + r * cols;
        EACH_VEC(cols, PUT(to, GET(from) * vec_set(slope)););
        to[label[r]] = at_label;
    }
}

// loss = max(z, 0) - z t + log(1 + e^-|z|)
static void sigmoid_xent(int64_t n, const void *z, const void *t, void *loss)
{
    const real *from = z, *target = t;
    real *to = loss;
    EACH_VEC(n, const vec x = GET(from); PUT(to, vec_fma(-x, GET(target), vec_softplus(x))););
}

// dz = (sigmoid(z) - t) dloss
static void sigmoid_xent_grad(int64_t n, const void *z, const void *t, const void *dloss, void *dz)
{
    const real *from = z, *target = t, *slopes = dloss;
    real *to = dz;
    EACH_VEC(n, PUT(to, (vec_sigmoid(GET(from)) - GET(target)) * GET(slopes)););
}

static void fill_softmax(cj__kernels *t)
{
#define ROWS(F)                                                                                                        \
    F(softmax) F(softmax_grad) F(log_softmax) F(log_softmax_grad) F(softmax_xent) F(softmax_xent_grad)                 \
    F(sigmoid_xent) F(sigmoid_xent_grad)
#define ROW(name) t->name = name;
    ROWS(ROW)
#undef ROW
#undef ROWS
}
