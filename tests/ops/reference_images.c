// Formulas of the ops of images: src/ops/warp.c, pixels.c, fourier.c, erase.c, histograms.c, mixing.c.
#include "reference.h"

#include "base/random.h"
#include "ops/fourier.h"
#include "ops/images.h"
#include <math.h>

static void ref_sample_uniform(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__sample_uniform_attrs *a = c->attrs;
    const uint64_t step = (uint64_t)case_get(in[1], 0);
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const uint32_t word = cj__random_word(a->key, step, (uint64_t)i);
        case_set(out[0], i, (word >> 8) / 16777216.0);
    }
}

static double from(const double range[2], const cj__warp_attrs *a, uint64_t step, int64_t index)
{
    const double share = (cj__random_word(a->key, step, (uint64_t)index) >> 8) / 16777216.0;
    return range[0] + (range[1] - range[0]) * share;
}

// The pixel (r, q) of image n; what lies beside it, by walking back in.
static double pixel(const cj__warp_attrs *a, const cj_tensor *x, int64_t n, int64_t r, int64_t q,
                    int64_t ch)
{
    int64_t at[2] = {r, q};
    const int64_t channels = cj_tensor_shape(x)->dims[3];
    for (int d = 0; d < 2; d++)
        while (at[d] < 0 || at[d] >= a->input[d]) {
            const int64_t length = a->input[d];
            if (a->beside == CJ__BESIDE_CONSTANT)
                return a->fill_value;
            if (a->beside == CJ__BESIDE_NEAREST)
                at[d] = at[d] < 0 ? 0 : length - 1;
            else if (a->beside == CJ__BESIDE_WRAP)
                at[d] += at[d] < 0 ? length : -length;
            else
                at[d] = at[d] < 0 ? -1 - at[d] : 2 * length - 1 - at[d];
        }
    return case_get(x, ((n * a->input[0] + at[0]) * a->input[1] + at[1]) * channels + ch);
}

static double bilinear(const cj__warp_attrs *a, const cj_tensor *x, int64_t n, double i, double j,
                       int64_t ch)
{
    const double p = floor(i), q = floor(j), u = i - p, v = j - q;
    const int64_t r = (int64_t)p, s = (int64_t)q;
    if (a->nearest)
        return pixel(a, x, n, (int64_t)round(i), (int64_t)round(j), ch);
    return (1 - u) * ((1 - v) * pixel(a, x, n, r, s, ch) + v * pixel(a, x, n, r, s + 1, ch)) +
           u * ((1 - v) * pixel(a, x, n, r + 1, s, ch) + v * pixel(a, x, n, r + 1, s + 1, ch));
}

// Seen from the middle of the image: turned, then zoomed, then shifted.
static void ref_warp(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__warp_attrs *a = c->attrs;
    const cj_shape *y = cj_tensor_shape(out[0]);
    const uint64_t step = (uint64_t)case_get(in[1], 0);
    const double cy = (a->input[0] - 1) / 2.0, cx = (a->input[1] - 1) / 2.0;
    for (int64_t k = 0; k < cj_tensor_count(out[0]); k++) {
        const int64_t ch = k % y->dims[3], j = k / y->dims[3] % y->dims[2],
                      i = k / y->dims[3] / y->dims[2] % y->dims[1],
                      n = k / y->dims[3] / y->dims[2] / y->dims[1];
        const double t = from(a->angle, a, step, 5 * n), zy = from(a->zoom[0], a, step, 5 * n + 3),
                     zx = a->same_zoom ? zy : from(a->zoom[1], a, step, 5 * n + 4);
        double sy = from(a->shift[0], a, step, 5 * n + 1),
               sx = from(a->shift[1], a, step, 5 * n + 2);
        sy = a->whole ? floor(sy) : sy;
        sx = a->whole ? floor(sx) : sx;
        const double dy = (double)i - cy, dx = (double)j - cx;
        case_set(out[0], k,
                 bilinear(a, in[0], n, cy + zy * (sin(t) * dx + cos(t) * dy) - sy,
                          cx + zx * (cos(t) * dx - sin(t) * dy) - sx, ch));
    }
}

// Outside the box as it is; within, noise or a value.
static void ref_erase(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__erase_attrs *a = c->attrs;
    const cj_shape *x = cj_tensor_shape(in[0]);
    const uint64_t step = (uint64_t)case_get(in[2], 0);
    for (int64_t k = 0; k < cj_tensor_count(out[0]); k++) {
        const int64_t ch = k % x->dims[3], col = k / x->dims[3] % x->dims[2],
                      row = k / x->dims[3] / x->dims[2] % x->dims[1],
                      n = k / x->dims[3] / x->dims[2] / x->dims[1];
        const bool inside =
            (double)col >= case_get(in[1], 4 * n) && (double)col < case_get(in[1], 4 * n + 1) &&
            (double)row >= case_get(in[1], 4 * n + 2) && (double)row < case_get(in[1], 4 * n + 3);
        double value = a->fills == 3 ? a->fill[ch] : a->fill[0];
        if (a->fills == 0)
            value =
                fmax(a->low, fmin(a->high, a->high * cj__random_normal(a->key, step, (uint64_t)k)));
        case_set(out[0], k, inside ? value : case_get(in[0], k));
    }
}

static int64_t bin_of(double value, int64_t bins)
{
    const int64_t bin = (int64_t)(value * (double)(bins - 1) / 255);
    return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin;
}

// A value becomes 255 times the share of the others that are in no later bin, the first bin apart.
static void ref_equalize(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__histogram_attrs *a = c->attrs;
    const int64_t channels = cj_tensor_shape(in[0])->dims[3], count = cj_tensor_count(in[0]);
    for (int64_t k = 0; k < count; k++) {
        const int64_t bin = bin_of(case_get(in[0], k), a->bins);
        int64_t first = a->bins, last = 0, in_first = 0, below = 0, all = 0;
        for (int64_t i = k % channels; i < count; i += channels) {
            const int64_t other = bin_of(case_get(in[0], i), a->bins);
            first = other < first ? other : first;
            last = other > last ? other : last;
        }
        for (int64_t i = k % channels; i < count; i += channels) {
            const int64_t other = bin_of(case_get(in[0], i), a->bins);
            in_first += other == first;
            below += other <= bin;
            all++;
        }
        const double share = (double)(below - in_first) / (double)(all - in_first);
        case_set(out[0], k, first == last ? case_get(in[0], k) : rint(255 * share));
    }
}

// The value that a pixel's bin has in the table of one tile.
static double tile_value(const cj__histogram_attrs *a, const cj_tensor *x, int64_t n, int64_t ch,
                         const int64_t tile[2], const int64_t size[2], int64_t bin)
{
    const cj_shape *shape = cj_tensor_shape(x);
    double counts[256] = {0}, excess = 0, sum = 0;
    const double pixels = (double)(size[0] * size[1]), limit = a->limit * pixels / 256;
    for (int64_t i = 0; i < size[0] * size[1]; i++) {
        int64_t at[2] = {tile[0] * size[0] + i / size[1], tile[1] * size[1] + i % size[1]};
        for (int d = 0; d < 2; d++)
            while (at[d] < 0 || at[d] >= shape->dims[d + 1])
                at[d] = at[d] < 0 ? -1 - at[d] : 2 * shape->dims[d + 1] - 1 - at[d];
        const int64_t place =
            ((n * shape->dims[1] + at[0]) * shape->dims[2] + at[1]) * shape->dims[3] + ch;
        counts[bin_of(case_get(x, place), 256)]++;
    }
    for (int b = 0; b < 256 && limit > 0; b++) {
        excess += fmax(counts[b] - limit, 0);
        counts[b] = fmin(counts[b], limit);
    }
    for (int64_t b = 1; b <= bin; b++)
        sum += counts[b] + excess / 256;
    const double rest = pixels - counts[0] - excess / 256;
    return fmin(fmax(sum * 255 / (rest == 0 ? 1 : rest), 0), 255);
}

static void ref_adapt_histogram(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__histogram_attrs *a = c->attrs;
    const cj_shape *x = cj_tensor_shape(in[0]);
    const int64_t size[2] = {(x->dims[1] + a->grid[0] - 1) / a->grid[0],
                             (x->dims[2] + a->grid[1] - 1) / a->grid[1]};
    for (int64_t k = 0; k < cj_tensor_count(in[0]); k++) {
        const int64_t ch = k % x->dims[3], n = k / x->dims[3] / x->dims[2] / x->dims[1];
        const int64_t at[2] = {k / x->dims[3] / x->dims[2] % x->dims[1],
                               k / x->dims[3] % x->dims[2]};
        double sum = 0;
        for (int corner = 0; corner < 4; corner++) {
            double weight = 1;
            int64_t tile[2];
            for (int d = 0; d < 2; d++) {
                const double place = ((double)at[d] - (double)size[d] / 2) / (double)size[d];
                const int second = corner >> d & 1;
                tile[d] = (int64_t)floor(place) + second;
                weight *= second ? place - floor(place) : 1 - (place - floor(place));
                tile[d] = tile[d] < 0 ? 0 : tile[d] >= a->grid[d] ? a->grid[d] - 1 : tile[d];
            }
            sum +=
                weight * tile_value(a, in[0], n, ch, tile, size, bin_of(case_get(in[0], k), 256));
        }
        case_set(out[0], k, sum);
    }
}

static void ref_shuffle_samples(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__mix_attrs *a = c->attrs;
    int64_t order[64];
    const int64_t samples = cj_tensor_shape(in[0])->dims[0],
                  size = cj_tensor_count(in[0]) / samples;
    assert_in_range(samples, 1, 64);
    cj__random_order(a->key, (uint64_t)case_get(in[1], 0), order, samples);
    for (int64_t i = 0; i < samples * size; i++) {
        const int64_t other = order[i / size] * size + i % size;
        case_set(out[0], a->inverse ? other : i, case_get(in[0], a->inverse ? i : other));
    }
}

// Uniform in (0, 1), and a number of a gamma distribution with the random numbers from `first` on.
static double open_uniform(const cj__mix_attrs *a, uint64_t step, int64_t index)
{
    return ((cj__random_word(a->key, step, (uint64_t)index) >> 8) + 0.5) / 16777216.0;
}

static double gamma_number(const cj__mix_attrs *a, double shape, uint64_t step, int64_t first)
{
    const double d = shape + 2.0 / 3, boost = pow(open_uniform(a, step, first), 1 / shape);
    for (int64_t at = first + 1;; at += 3) {
        const double z = sqrt(-2 * log(open_uniform(a, step, at))) *
                         cos(2 * acos(-1) * open_uniform(a, step, at + 1));
        const double v = pow(1 + z / sqrt(9 * d), 3);
        if (v > 0 && log(open_uniform(a, step, at + 2)) < z * z / 2 + d - d * v + d * log(v))
            return d * v * boost;
    }
}

static void ref_sample_beta(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__mix_attrs *a = c->attrs;
    const uint64_t step = (uint64_t)case_get(in[1], 0);
    const double shape = a->ends[0] + (a->ends[1] - a->ends[0]) *
                                          ((cj__random_word(a->key, step, 0) >> 8) / 16777216.0);
    for (int64_t i = 0; i < cj_tensor_count(out[0]); i++) {
        const double x = gamma_number(a, shape, step, 1 + i * 386),
                     y = gamma_number(a, shape, step, 1 + i * 386 + 193);
        case_set(out[0], i, x / (x + y));
    }
}

// The pixel (r, q) of image n, walking back in from beside it.
static double pixel_beside(const cj__pixels_attrs *a, const cj_tensor *x, int64_t n, int64_t r,
                           int64_t q, int64_t ch)
{
    const cj_shape *shape = cj_tensor_shape(x);
    int64_t at[2] = {r, q};
    for (int d = 0; d < 2; d++)
        while (at[d] < 0 || at[d] >= shape->dims[d + 1]) {
            const int64_t length = shape->dims[d + 1];
            if (a->beside == CJ__BESIDE_CONSTANT)
                return a->fill_value;
            if (a->beside == CJ__BESIDE_NEAREST || length == 1)
                at[d] = at[d] < 0 ? 0 : length - 1;
            else if (a->beside == CJ__BESIDE_WRAP)
                at[d] += at[d] < 0 ? length : -length;
            else if (a->beside == CJ__BESIDE_MIRROR)
                at[d] = at[d] < 0 ? -at[d] : 2 * length - 2 - at[d];
            else
                at[d] = at[d] < 0 ? -1 - at[d] : 2 * length - 1 - at[d];
        }
    return case_get(x,
                    ((n * shape->dims[1] + at[0]) * shape->dims[2] + at[1]) * shape->dims[3] + ch);
}

static void ref_sample_pixels(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__pixels_attrs *a = c->attrs;
    const cj_shape *y = cj_tensor_shape(out[0]);
    for (int64_t k = 0; k < cj_tensor_count(out[0]); k++) {
        const int64_t place = k / y->dims[3], ch = k % y->dims[3],
                      n = place / (y->dims[1] * y->dims[2]);
        const int64_t row = (int64_t)case_get(in[1], 2 * place),
                      col = (int64_t)case_get(in[1], 2 * place + 1);
        const double sum = pixel_beside(a, in[0], n, row, col, ch);
        case_set(out[0], k, sum);
    }
}

// Sums of the definition, over a signal that is mirrored as it is read.
static void ref_stft(const op_case *c, cj_tensor *const *in, cj_tensor *const *out)
{
    const cj__stft_attrs *a = c->attrs;
    const cj_shape *y = cj_tensor_shape(out[0]);
    const int64_t length = cj_tensor_shape(in[0])->dims[1], bins = y->dims[2] / 2;
    const double turn = 2 * acos(-1);
    for (int64_t k = 0; k < cj_tensor_count(out[0]); k++) {
        const int64_t bin = k % (2 * bins), frame = k / (2 * bins) % y->dims[1],
                      n = k / (2 * bins) / y->dims[1];
        double sum = 0;
        for (int64_t s = 0; s < a->fft_length; s++) {
            int64_t at = frame * a->stride + s - a->fft_length / 2;
            at = at < 0 ? -at : at >= length ? 2 * (length - 1) - at : at;
            const int64_t w = s - (a->fft_length - a->sequence_length) / 2;
            const double wave = cos(turn * (double)w / (double)a->sequence_length);
            double window = a->window == CJ__WINDOW_HANN ? (1 - wave) / 2 : 0.54 - 0.46 * wave;
            if (a->window == CJ__WINDOW_ONES)
                window = 1;
            else if (w < 0 || w >= a->sequence_length)
                window = 0;
            const double angle = turn * (double)(bin % bins * s) / (double)a->fft_length;
            sum +=
                window * case_get(in[0], n * length + at) * (bin < bins ? cos(angle) : -sin(angle));
        }
        case_set(out[0], k, sum);
    }
}

reference reference_of_images(const cj__op *op)
{
    static const struct {
        const cj__op *op;
        reference function;
    } rows[] = {
        {&cj__op_warp, ref_warp},
        {&cj__op_sample_uniform, ref_sample_uniform},
        {&cj__op_sample_pixels, ref_sample_pixels},
        {&cj__op_stft, ref_stft},
        {&cj__op_erase, ref_erase},
        {&cj__op_equalize, ref_equalize},
        {&cj__op_adapt_histogram, ref_adapt_histogram},
        {&cj__op_shuffle_samples, ref_shuffle_samples},
        {&cj__op_sample_beta, ref_sample_beta},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == op)
            return rows[i].function;
    return NULL;
}
