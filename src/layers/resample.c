// See resample.h: a product with a matrix of weights, so that gradients of any order follow.
#include "layers/resample.h"

#include "base/memory.h"

#include <string.h>

cj_symbol *cj__resample(cj__build *g, cj_symbol *x, int axis, int64_t out, const double *weights)
{
    if (!x)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(x);
    char from[CJ_MAX_RANK + 1] = "", to[CJ_MAX_RANK + 1] = "", equation[4 * CJ_MAX_RANK];
    const int64_t in = shape->dims[axis];
    cj_tensor *matrix = NULL;
    const cj_status status = cj_tensor_new(cj_symbol_dtype(x), CJ_SHAPE(in, out), &matrix);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    for (int64_t i = 0; i < in * out; i++)
        cj__element_set(matrix->dtype, matrix->data, i, weights[i]);
    for (int i = 0; i < shape->rank; i++) {
        from[i] = (char)('a' + i);
        to[i] = i == axis ? 'z' : from[i];
    }
    snprintf(equation, sizeof equation, "%s,%cz->%s", from, from[axis], to);
    return cj__einsum(g, equation, x, cj__build_keep(g, cj_symbol_constant(matrix)));
}

// ---- Kernels of interpolation, by the distance from the sample ----

static double triangle(double x)
{
    return fmax(0, 1 - x);
}

// Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2.
static double cubic(double x)
{
    if (x >= 2)
        return 0;
    return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : ((1.5 * x - 2.5) * x) * x + 1;
}

static double lanczos(double radius, double x)
{
    const double pi = 3.14159265358979323846;
    if (x > radius)
        return 0;
    return x > 1e-3 ? radius * sin(pi * x) * sin(pi * x / radius) / (pi * pi * x * x) : 1;
}

static double lanczos3(double x)
{
    return lanczos(3, x);
}

static double lanczos5(double x)
{
    return lanczos(5, x);
}

static const struct kernel {
    const char *name;
    double (*at)(double distance);
} kernels[] = {
    {"bilinear", triangle}, {"bicubic", cubic}, {"lanczos3", lanczos3}, {"lanczos5", lanczos5}};

enum { WEIGHTS_MAX = 1 << 26 };

// The samples lie at the middles of the outputs' pixels; weights are made to add up to 1, so that
// nothing beyond the edge counts. With antialias kernels are as wide as the outputs' pixels.
static void fill_weights(double (*at)(double), bool antialias, int64_t in, int64_t out,
                         double *weights)
{
    const double step = (double)in / (double)out, wide = antialias && step > 1 ? step : 1;
    for (int64_t o = 0; o < out; o++) {
        const double sample = ((double)o + 0.5) * step - 0.5;
        double sum = 0;
        for (int64_t i = 0; i < in; i++)
            sum += weights[i * out + o] = at(fabs(sample - (double)i) / wide);
        const bool fades = fabs(sum) <= 1000 * 1.1920929e-07; // JAX's bound: float32's epsilon
        for (int64_t i = 0; i < in; i++)
            weights[i * out + o] = fades ? 0 : weights[i * out + o] / sum;
    }
}

cj_symbol *cj__interpolate(cj__build *g, cj_symbol *x, int axis, int64_t out,
                           const char *interpolation, bool antialias)
{
    double (*at)(double) = triangle;
    if (!x)
        return NULL;
    const int64_t in = cj_symbol_shape(x)->dims[axis];
    if (in > WEIGHTS_MAX / out) {
        cj__build_refuse(g, cj__fail(CJ_UNSUPPORTED, "%lld pixels resized to %lld are too many",
                                     (long long)in, (long long)out));
        return NULL;
    }
    double *weights = cj__new((size_t)in * (size_t)out, sizeof *weights);
    if (!weights) {
        cj__build_refuse(g, CJ_OUT_OF_MEMORY);
        return NULL;
    }
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++)
        if (strcmp(kernels[i].name, interpolation) == 0)
            at = kernels[i].at;
    fill_weights(at, antialias, in, out, weights);
    cj_symbol *y = cj__resample(g, x, axis, out, weights);
    cj__free(weights);
    return y;
}
