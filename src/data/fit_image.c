// The methods of resizing as separable filters. An output pixel's centre lies at
// (i + 0.5) in / out - 0.5; weights of pixels outside the image are left out, and the others made to
// add up to 1.
#include "data/fit_image.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
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

enum { BILINEAR = 0, AREA = 1 };
static const cj__method methods[] = {{"bilinear", 1, triangle}, {"area", -1, NULL},
                                     {"nearest", 0, NULL},      {"bicubic", 2, cubic},
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

// The inputs of output `index` of `out`, among `in`: their weights, and the first of them.
static int32_t weights_of(const cj__method *m, int64_t in, int64_t out, int64_t index,
                          double *weights, int64_t *first)
{
    const double scale = (double)in / (double)out;
    const double centre = ((double)index + 0.5) * scale;
    double low = floor(centre), high = low + 1, sum = 0;
    if (m->radius < 0) {
        low = floor((double)index * scale);
        high = ceil((double)(index + 1) * scale);
    } else if (m->radius > 0) {
        low = ceil(centre - 0.5 - m->radius);
        high = floor(centre - 0.5 + m->radius) + 1;
    }
    low = low < 0 ? 0 : low > (double)(in - 1) ? (double)(in - 1) : low;
    high = high > (double)in ? (double)in : high;
    *first = (int64_t)low;
    const int32_t count = (int32_t)((int64_t)high - *first);
    for (int32_t i = 0; i < count; i++) {
        const double at = (double)(*first + i);
        double weight = 1;
        if (m->radius < 0)
            weight = fmin(at + 1, (double)(index + 1) * scale) - fmax(at, (double)index * scale);
        else if (m->radius > 0)
            weight = m->kernel(fabs(at + 0.5 - centre));
        weights[i] = weight;
        sum += weight;
    }
    for (int32_t i = 0; i < count; i++)
        weights[i] /= sum;
    return count;
}

// The most inputs that an output of the axis has.
static int64_t reach(const cj__method *m, int64_t in, int64_t out)
{
    return m->radius < 0 ? in / out + 3 : (int64_t)(2 * m->radius) + 2;
}

// Keeps what counts of the weights of an output: pixels of weight 0 at either end need not be read.
static void set_output(cj__taps *t, int64_t index, const double *weights, int32_t count)
{
    int32_t begin = 0;
    while (begin < count - 1 && weights[begin] == 0)
        begin++;
    while (count - 1 > begin && weights[count - 1] == 0)
        count--;
    t->first[index] += begin;
    t->counts[index] = count - begin;
    for (int32_t i = begin; i < count; i++)
        t->weights[index * t->most + i - begin] = (float)weights[i];
}

cj_status cj__taps_new(const cj__method *method, int64_t begin, int64_t in, int64_t out,
                       cj__taps *taps)
{
    const cj__method *m = method ? method : out < in ? &methods[AREA] : &methods[BILINEAR];
    *taps = (cj__taps){.out = out, .most = in == out ? 1 : reach(m, in, out)};
    double *weights = cj__new((size_t)taps->most, sizeof *weights);
    taps->first = cj__new((size_t)out, sizeof *taps->first);
    taps->counts = cj__new((size_t)out, sizeof *taps->counts);
    taps->weights = cj__new((size_t)out * (size_t)taps->most, sizeof *taps->weights);
    if (!weights || !taps->first || !taps->counts || !taps->weights) {
        cj__free(weights);
        return CJ_OUT_OF_MEMORY; // the caller frees the rest
    }
    for (int64_t i = 0; i < out; i++) {
        int32_t count = 1;
        weights[0] = 1;
        taps->first[i] = i;
        if (in != out)
            count = weights_of(m, in, out, i, weights, &taps->first[i]);
        set_output(taps, i, weights, count);
        taps->first[i] += begin;
    }
    cj__free(weights);
    return CJ_OK;
}

void cj__taps_free(cj__taps *taps)
{
    cj__free(taps->first);
    cj__free(taps->counts);
    cj__free(taps->weights);
}
