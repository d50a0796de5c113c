// Initial values without random numbers: the identity, the kernels of a Fourier transform
// (keras/src/initializers/constant_initializers.py), and known patterns for windows.
//
// A pattern is a product of one factor for each axis of the window, so that it has any number of
// axes: a blur has its weights along each, an edge detector differences along one and smoothing
// along the others.
#include "layers/initializer.h"
#include "layers/kind.h"
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

cj_status cj__fill_identity(const cj__initializer *row, const void *args, cj_tensor *tensor,
                            uint64_t key)
{
    const cj_shape *shape = &tensor->shape;
    (void)row, (void)key;
    if (shape->rank != 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "identity: a tensor of rank %d was given, needs 2",
                        shape->rank);
    for (int64_t i = 0; i < shape->dims[0]; i++)
        for (int64_t j = 0; j < shape->dims[1]; j++)
            cj__element_set(tensor->dtype, tensor->data, i * shape->dims[1] + j,
                            i == j ? ((const cj__pattern_args *)args)->gain : 0);
    return CJ_OK;
}

// ---- Short-time Fourier transform ----

// The formulas of scipy.signal.windows; a periodic window is that of one more without its last.
static double window_at(const char *name, int64_t t, int64_t length)
{
    const double x = length > 1 ? (double)t / (double)(length - 1) : 0.5;
    if (strcmp(name, "hann") == 0)
        return 0.5 - 0.5 * cos(2 * PI * x);
    if (strcmp(name, "hamming") == 0)
        return 0.54 - 0.46 * cos(2 * PI * x);
    if (strcmp(name, "blackman") == 0)
        return 0.42 - 0.5 * cos(2 * PI * x) + 0.08 * cos(4 * PI * x);
    if (strcmp(name, "bartlett") == 0)
        return 1 - fabs(2 * x - 1);
    return 1; // boxcar
}

// k[t][0][f] = w[t] cos(-2 pi t f / (2 (F - 1))) / s for the real side, sin for the other; s is the
// window's norm for "density", its sum for "spectrum", and 1 for "none".
cj_status cj__fill_stft(const cj__initializer *row, const void *args, cj_tensor *tensor,
                        uint64_t key)
{
    const cj__stft_args *a = args;
    const cj_shape *shape = &tensor->shape;
    (void)row, (void)key;
    if (shape->rank != 3 || shape->dims[1] != 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "stft: the kernel must be (frame length, 1, frequencies), of 3 axes");
    const int64_t frames = shape->dims[0], bands = shape->dims[2],
                  length = frames + (a->periodic && frames > 1);
    double sum = 0, squares = 0;
    for (int64_t t = 0; t < frames; t++) {
        const double w = window_at(a->window, t, length);
        sum += fabs(w);
        squares += w * w;
    }
    const double scale = strcmp(a->scaling, "density") == 0  ? sqrt(squares) :
                         strcmp(a->scaling, "spectrum") == 0 ? sum :
                                                               1;
    for (int64_t i = 0; i < frames * bands; i++) {
        const int64_t t = i / bands, f = i % bands;
        const double angle = -2 * PI * (double)t * ((double)f / (double)(2 * (bands - 1)));
        cj__element_set(tensor->dtype, tensor->data, i,
                        window_at(a->window, t, length) / scale *
                            (strcmp(a->side, "real") == 0 ? cos(angle) : sin(angle)));
    }
    return CJ_OK;
}

// ---- Patterns of windows ----

// The factor of one axis at entry i of n.
typedef double (*factor)(const cj__pattern_args *args, bool along, int64_t i, int64_t n);

static cj_status need_window(const char *name, const cj_shape *shape)
{
    if (shape->rank >= 3)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: a tensor of rank %d was given; needs a kernel (window..., channels, "
                    "filters)",
                    name, shape->rank);
}

// Fills a kernel with the products of factors, by the axis `along`, -1 for none.
static cj_status fill_products(const char *name, const cj__pattern_args *args, int along, factor f,
                               cj_tensor *tensor)
{
    const cj_shape *shape = &tensor->shape;
    CJ_TRY(need_window(name, shape));
    const int axes = shape->rank - 2;
    const int64_t count = cj_tensor_count(tensor),
                  inner = shape->dims[axes] * shape->dims[axes + 1];
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i / inner;
        double product = args->gain;
        for (int axis = axes - 1; axis >= 0; axis--) {
            product *= f(args, axis == along, rest % shape->dims[axis], shape->dims[axis]);
            rest /= shape->dims[axis];
        }
        cj__element_set(tensor->dtype, tensor->data, i, product);
    }
    return CJ_OK;
}

static double binomial(int64_t n, int64_t k)
{
    double value = 1;
    if (k < 0 || k > n)
        return 0;
    for (int64_t i = 1; i <= k; i++)
        value = value * (double)(n - k + i) / (double)i;
    return value;
}

static double sobel_at(const cj__pattern_args *args, bool along, int64_t i, int64_t n)
{
    (void)args;
    return along ? binomial(n - 2, i - 1) - binomial(n - 2, i) : binomial(n - 1, i);
}

static double prewitt_at(const cj__pattern_args *args, bool along, int64_t i, int64_t n)
{
    (void)args;
    return along ? (double)i - 0.5 * (double)(n - 1) : 1;
}

static double gaussian_at(const cj__pattern_args *args, bool along, int64_t i, int64_t n)
{
    double sum = 0;
    (void)along;
    for (int64_t j = 0; j < n; j++) {
        const double d = ((double)j - 0.5 * (double)(n - 1)) / args->sigma;
        sum += exp(-0.5 * d * d);
    }
    const double d = ((double)i - 0.5 * (double)(n - 1)) / args->sigma;
    return exp(-0.5 * d * d) / sum;
}

// An edge detector: differences along one axis of the window, of at least 2 entries.
static cj_status fill_edges(const char *name, const void *args, factor f, cj_tensor *tensor)
{
    const cj__pattern_args *a = args;
    const cj_shape *shape = &tensor->shape;
    CJ_TRY(need_window(name, shape));
    const int64_t axes = shape->rank - 2, axis = a->axis < 0 ? a->axis + axes : a->axis;
    if (axis < 0 || axis >= axes)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %lld is none of a window of %lld axes", name,
                        (long long)a->axis, (long long)axes);
    if (shape->dims[axis] < 2)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the window has %lld entries along axis %lld, needs at least 2", name,
                        (long long)shape->dims[axis], (long long)a->axis);
    return fill_products(name, a, (int)axis, f, tensor);
}

cj_status cj__fill_sobel(const cj__initializer *row, const void *args, cj_tensor *tensor,
                         uint64_t key)
{
    (void)key;
    return fill_edges(row->choice.name, args, sobel_at, tensor);
}

cj_status cj__fill_prewitt(const cj__initializer *row, const void *args, cj_tensor *tensor,
                           uint64_t key)
{
    (void)key;
    return fill_edges(row->choice.name, args, prewitt_at, tensor);
}

cj_status cj__fill_gaussian(const cj__initializer *row, const void *args, cj_tensor *tensor,
                            uint64_t key)
{
    (void)key;
    return fill_products(row->choice.name, args, -1, gaussian_at, tensor);
}

// The second difference along each axis, added: a window of odd lengths, at least 3.
cj_status cj__fill_laplacian(const cj__initializer *row, const void *args, cj_tensor *tensor,
                             uint64_t key)
{
    const cj_shape *shape = &tensor->shape;
    const int axes = shape->rank - 2;
    const int64_t count = cj_tensor_count(tensor);
    (void)key;
    CJ_TRY(need_window(row->choice.name, shape));
    for (int axis = 0; axis < axes; axis++)
        if (shape->dims[axis] < 3 || shape->dims[axis] % 2 == 0)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "laplacian: the window has %lld entries along axis %d, needs an odd "
                            "number of at least 3",
                            (long long)shape->dims[axis], axis);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i / (shape->dims[axes] * shape->dims[axes + 1]), distance = 0;
        for (int axis = axes - 1; axis >= 0; axis--) {
            const int64_t off = rest % shape->dims[axis] - shape->dims[axis] / 2;
            distance += off < 0 ? -off : off;
            rest /= shape->dims[axis];
        }
        const double value = distance == 0 ? -2.0 * axes : distance == 1;
        cj__element_set(tensor->dtype, tensor->data, i,
                        ((const cj__pattern_args *)args)->gain * value);
    }
    return CJ_OK;
}
