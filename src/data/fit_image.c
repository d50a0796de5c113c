// Resizing by separable filters: rows first, then columns. An output pixel's centre lies at
// (i + 0.5) in / out - 0.5; weights of pixels outside the image are left out, and the others made to
// add up to 1.
#include "data/fit_image.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "tensor/tensor.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

struct cj__method {
    const char *name;
    double radius; // of the kernel, in input pixels; 0: the nearest pixel; -1: the area
    double (*kernel)(double distance);
};

static double triangle(double x)
{
    return x < 1 ? 1 - x : 0;
}

// Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing", with a = -1/2.
static double cubic(double x)
{
    if (x >= 2)
        return 0;
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
}

// Duchon 1979, "Lanczos Filtering in One and Two Dimensions".
static double lanczos(double x, double radius)
{
    if (x >= radius)
        return 0;
    return x < 1e-3 ? 1 : radius * sin(pi * x) * sin(pi * x / radius) / (pi * pi * x * x);
}

static double lanczos3(double x)
{
    return lanczos(x, 3);
}

static double lanczos5(double x)
{
    return lanczos(x, 5);
}

static const cj__method methods[] = {{"bilinear", 1, triangle}, {"nearest", 0, NULL},
                                     {"bicubic", 2, cubic},     {"area", -1, NULL},
                                     {"lanczos3", 3, lanczos3}, {"lanczos5", 5, lanczos5}};

cj_status cj__method_find(const char *name, const cj__method **method)
{
    const int count = (int)(sizeof methods / sizeof *methods);
    for (int i = 0; name && i < count; i++)
        if (strcmp(methods[i].name, name) == 0) {
            *method = &methods[i];
            return CJ_OK;
        }
    return name ? cj__fail_unknown(CJ_INVALID_ARGUMENT, "interpolation", name, methods,
                                   sizeof *methods, count) :
                  cj__fail_null("the interpolation");
}

// One axis: the part of the input from `begin`, `in` long, becomes `out` pixels. Pixels outside of
// the image, which has `whole`, are black.
typedef struct axis {
    int64_t begin, in, out, whole;
} axis;

// The inputs of output `index`: their weights, and the first of them. At most `room` of them.
static int64_t weights_of(const cj__method *m, const axis *a, int64_t index, double *weights,
                          int64_t *first)
{
    const double scale = (double)a->in / (double)a->out;
    const double centre = ((double)index + 0.5) * scale;
    double low = floor(centre), high = low + 1, sum = 0;
    if (m->radius < 0) {
        low = floor((double)index * scale);
        high = ceil((double)(index + 1) * scale);
    } else if (m->radius > 0) {
        low = ceil(centre - 0.5 - m->radius);
        high = floor(centre - 0.5 + m->radius) + 1;
    }
    low = low < 0 ? 0 : low > (double)(a->in - 1) ? (double)(a->in - 1) : low;
    high = high > (double)a->in ? (double)a->in : high;
    *first = (int64_t)low;
    const int64_t count = (int64_t)high - *first;
    for (int64_t i = 0; i < count; i++) {
        const double at = (double)(*first + i);
        double weight = 1;
        if (m->radius < 0)
            weight = fmin(at + 1, (double)(index + 1) * scale) - fmax(at, (double)index * scale);
        else if (m->radius > 0)
            weight = m->kernel(fabs(at + 0.5 - centre));
        weights[i] = weight;
        sum += weight;
    }
    for (int64_t i = 0; i < count; i++)
        weights[i] /= sum;
    return count;
}

// The most inputs that an output of the axis has.
static int64_t reach(const cj__method *m, const axis *a)
{
    return m->radius < 0 ? a->in / a->out + 3 : (int64_t)(2 * m->radius) + 2;
}

// Rows of `wide` (out, width, channels), from the image's rows.
static void mix_rows(const cj__method *m, const axis *rows, const unsigned char *from, int64_t row,
                     double *weights, float *to)
{
    for (int64_t i = 0; i < rows->out; i++, to += row) {
        int64_t first;
        const int64_t count = weights_of(m, rows, i, weights, &first);
        memset(to, 0, (size_t)row * sizeof *to);
        for (int64_t k = 0; k < count; k++) {
            const int64_t y = rows->begin + first + k;
            if (y < 0 || y >= rows->whole)
                continue;
            const float weight = (float)weights[k];
            for (int64_t j = 0; j < row; j++)
                to[j] += weight * (float)from[y * row + j];
        }
    }
}

static unsigned char to_byte(float value)
{
    return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5f);
}

static void mix_columns(const cj__method *m, const axis *columns, int64_t height, int64_t channels,
                        const float *from, double *weights, unsigned char *to)
{
    for (int64_t i = 0; i < columns->out; i++) {
        int64_t first;
        const int64_t count = weights_of(m, columns, i, weights, &first);
        for (int64_t y = 0; y < height; y++)
            for (int64_t c = 0; c < channels; c++) {
                float sum = 0;
                for (int64_t k = 0; k < count; k++) {
                    const int64_t x = columns->begin + first + k;
                    if (x >= 0 && x < columns->whole)
                        sum += (float)weights[k] * from[(y * columns->whole + x) * channels + c];
                }
                to[(y * columns->out + i) * channels + c] = to_byte(sum);
            }
    }
}

// Keeps the middle of one axis, or adds to both of its ends, so that the ratio is that of the
// result; the lengths are rounded down as Keras's smart_resize() does.
static void set_ratio(axis *rows, axis *columns, cj__fit fit)
{
    const int64_t height = (int64_t)((double)(columns->in * rows->out) / (double)columns->out);
    const int64_t width = (int64_t)((double)(rows->in * columns->out) / (double)rows->out);
    const bool crop = fit == CJ__FIT_CROP;
    rows->in = (height < rows->whole) == crop ? height : rows->whole;
    columns->in = (width < columns->whole) == crop ? width : columns->whole;
    rows->in = rows->in < 1 ? 1 : rows->in;
    columns->in = columns->in < 1 ? 1 : columns->in;
    rows->begin = crop ? (rows->whole - rows->in) / 2 : -((rows->in - rows->whole) / 2);
    columns->begin =
        crop ? (columns->whole - columns->in) / 2 : -((columns->in - columns->whole) / 2);
}

cj_status cj__fit_image(const cj_tensor *image, const cj__method *method, cj__fit fit,
                        int64_t height, int64_t width, unsigned char *pixels)
{
    const int64_t *dims = image->shape.dims, channels = dims[2];
    axis rows = {0, dims[0], height, dims[0]}, columns = {0, dims[1], width, dims[1]};
    if (fit != CJ__FIT_STRETCH)
        set_ratio(&rows, &columns, fit);
    if (rows.in == height && columns.in == width && fit != CJ__FIT_PAD) {
        for (int64_t y = 0; y < height; y++)
            memcpy(pixels + y * width * channels,
                   (unsigned char *)image->data +
                       ((rows.begin + y) * columns.whole + columns.begin) * channels,
                   (size_t)(width * channels));
        return CJ_OK;
    }
    const int64_t a = reach(method, &rows), b = reach(method, &columns);
    double *weights = cj__new((size_t)(a > b ? a : b), sizeof *weights);
    float *wide = cj__new((size_t)(height * columns.whole * channels), sizeof *wide);
    const bool enough = weights && wide;
    if (enough) {
        mix_rows(method, &rows, (const unsigned char *)image->data, columns.whole * channels,
                 weights, wide);
        mix_columns(method, &columns, height, channels, wide, weights, pixels);
    }
    cj__free(weights);
    cj__free(wide);
    return enough ? CJ_OK : CJ_OUT_OF_MEMORY;
}
