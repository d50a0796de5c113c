// Formulas of the ops of src/ops/warp.c.
#include "reference.h"

#include "base/random.h"
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

reference reference_of_images(const cj__op *op)
{
    return op == &cj__op_warp ? ref_warp : op == &cj__op_sample_uniform ? ref_sample_uniform : NULL;
}
