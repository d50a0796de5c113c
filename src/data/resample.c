// Sound at another rate. In between its samples the sound is filled up with zeros to `up` times its
// rate, a low-pass filter is applied, and every `down`-th number kept; of the filter only the numbers
// that meet a sample are used, a *phase* of it.
#include "data/wav.h"

#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846, beta = 5;
enum { WIDTH = 10, FILTER_MAX = 1 << 22 };

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// The modified Bessel function of the first kind and order 0, by its power series.
static double bessel(double x)
{
    double term = 1, sum = 1;
    for (int k = 1; term > sum * 1e-17; k++) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}

// Number i of a sinc of cutoff 1 / most in Kaiser's window (Kaiser and Schafer 1980), before its sum is
// made 1.
static double filter_at(int64_t i, int64_t half, int64_t most)
{
    const double x = (double)(i - half) / (double)most, r = (double)(i - half) / (double)half;
    const double sinc = i == half ? 1 : sin(pi * x) / (pi * x);
    return sinc * bessel(beta * sqrt(r * r < 1 ? 1 - r * r : 0));
}

cj_status cj__resampler_open(cj__resampler *r, int64_t rate, int64_t new_rate)
{
    const int64_t common = common_divisor(rate, new_rate);
    *r = (cj__resampler){.up = new_rate / common, .down = rate / common};
    const int64_t most = r->up > r->down ? r->up : r->down;
    r->half = WIDTH * most;
    r->taps = 2 * r->half / r->up + 1;
    if (2 * r->half + 1 > FILTER_MAX)
        return cj__fail(
            CJ_UNSUPPORTED,
            "resampling from %lld to %lld Hz needs a filter of %lld numbers, at most %d "
            "are possible",
            (long long)rate, (long long)new_rate, (long long)(2 * r->half + 1), FILTER_MAX);
    r->phases = cj__new((size_t)(r->up * r->taps), sizeof *r->phases);
    if (!r->phases)
        return CJ_OUT_OF_MEMORY;
    double sum = 0;
    for (int64_t i = 0; i <= 2 * r->half; i++) {
        const double value = filter_at(i, r->half, most);
        r->phases[i % r->up * r->taps + i / r->up] = value;
        sum += value;
    }
    for (int64_t i = 0; i < r->up * r->taps; i++)
        r->phases[i] *= (double)r->up / sum;
    return CJ_OK;
}

void cj__resampler_close(cj__resampler *r)
{
    cj__free(r->phases);
    r->phases = NULL;
}

int64_t cj__resampled(int64_t frames, int64_t rate, int64_t new_rate)
{
    const int64_t common = common_divisor(rate, new_rate), up = new_rate / common,
                  down = rate / common;
    return frames / down * up + (frames % down * up + down - 1) / down;
}

int64_t cj__resample_reach(const cj__resampler *r, int64_t count)
{
    return count < 1 ? 0 : ((count - 1) * r->down + r->half) / r->up + 1;
}

void cj__resample_sound(const cj__resampler *r, const float *from, int64_t frames, int channels,
                        float *to, int64_t count)
{
    for (int64_t m = 0; m < count; m++) {
        // y[m] = sum over n of x[n] h[m down - n up + half]
        const int64_t place = m * r->down + r->half, newest = place / r->up;
        const double *phase = r->phases + place % r->up * r->taps;
        int64_t first = newest - frames + 1, last = newest < r->taps - 1 ? newest : r->taps - 1;
        first = first > 0 ? first : 0;
        for (int c = 0; c < channels; c++) {
            double sum = 0;
            for (int64_t j = first; j <= last; j++)
                sum += phase[j] * (double)from[(newest - j) * channels + c];
            to[m * channels + c] = (float)sum;
        }
    }
}

cj_status cj_resample(const cj_tensor *sound, int64_t rate, int64_t new_rate, cj_tensor **resampled)
{
    char text[CJ_MAX_RANK * 24];
    cj__resampler r;
    cj_tensor *x;
    if (!sound || !resampled)
        return sound ? cj__fail_null("cj_resample: the place for the sound") :
                       cj__fail_missing(CJ__MADE_TENSOR, "cj_resample: the sound");
    *resampled = NULL;
    if (rate < 1 || new_rate < 1 || rate > CJ__RATE_MAX || new_rate > CJ__RATE_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_resample: from %lld to %lld Hz, each needs 1 to %d", (long long)rate,
                        (long long)new_rate, CJ__RATE_MAX);
    if (sound->shape.rank < 1 || sound->shape.rank > 2 || cj_tensor_count(sound) < 1 ||
        (sound->shape.rank == 2 && sound->shape.dims[1] > INT32_MAX))
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "cj_resample: sound of shape %s, it needs (samples) or (samples, channels)",
                        cj_shape_text(&sound->shape, text, sizeof text));
    CJ_TRY(cj_tensor_convert(sound, CJ_F32, &x));
    if (rate == new_rate) {
        *resampled = x;
        return CJ_OK;
    }
    cj_shape shape = x->shape;
    const int channels = shape.rank == 2 ? (int)shape.dims[1] : 1;
    shape.dims[0] = cj__resampled(x->shape.dims[0], rate, new_rate);
    cj_status status = cj__resampler_open(&r, rate, new_rate);
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, shape, resampled);
    if (status == CJ_OK)
        cj__resample_sound(&r, (const float *)(const void *)x->data, x->shape.dims[0], channels,
                           (float *)(void *)(*resampled)->data, shape.dims[0]);
    cj__resampler_close(&r);
    cj_release(x);
    return status;
}
