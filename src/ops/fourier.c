// Short-time Fourier transforms.
//
//   stft       x (n, t) -> (n, frames, 2 bins): frame f begins at step f stride - fft_length / 2 of x,
//              which is mirrored at both ends without the last step itself; with w the window,
//              y[f][k] = sum over s of w[s] x[s] cos(2 pi k s / fft_length), and
//              y[f][bins + k] = -sum of w[s] x[s] sin(2 pi k s / fft_length)
//   stft_grad  dy (n, frames, 2 bins) -> dx (n, t), t = attrs.length
//
// bins = fft_length / 2 + 1, frames = 1 + t / stride as keras.ops.stft has them, centred. Both are
// one complex transform of a frame, by the factors of its length (Cooley and Tukey 1965, "An
// algorithm for the machine calculation of complex Fourier series"), in double.
#include "ops/fourier.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"

#include <math.h>
#include <string.h>

typedef struct complex_number {
    double re, im;
} complex_number;

enum { LENGTH_MAX = 1 << 20 };
static const double TURN = 6.283185307179586476925;

// Complex transforms
// -----------------------------------------------------------------------------------------------

// y[k] = sum over s of x[s step] e^(-i 2 pi k s / n), where roots[j] = e^(-i 2 pi j / (n step)). n is
// cut by its least factor p: the transforms of the p sequences of every p-th entry, put together.
// `spare` has room for n numbers.
static void transform(int64_t n, int64_t step, const complex_number *x, const complex_number *roots,
                      complex_number *y, complex_number *spare)
{
    if (n == 1) {
        y[0] = x[0];
        return;
    }
    int64_t p = 2;
    while (p * p <= n && n % p != 0)
        p++;
    p = p * p > n ? n : p;
    const int64_t m = n / p;
    for (int64_t r = 0; r < p; r++)
        transform(m, step * p, x + r * step, roots, spare + r * m, y + r * m);
    if (p == 2) { // the roots of the second half are those of the first, negative
        for (int64_t k = 0; k < m; k++) {
            const complex_number a = spare[k], b = spare[m + k], root = roots[k * step];
            const double re = b.re * root.re - b.im * root.im, im = b.re * root.im + b.im * root.re;
            y[k] = (complex_number){a.re + re, a.im + im};
            y[m + k] = (complex_number){a.re - re, a.im - im};
        }
        return;
    }
    for (int64_t k = 0; k < n; k++) {
        complex_number sum = {0, 0};
        for (int64_t r = 0; r < p; r++) {
            const complex_number part = spare[r * m + k % m], root = roots[r * k % n * step];
            sum.re += part.re * root.re - part.im * root.im;
            sum.im += part.re * root.im + part.im * root.re;
        }
        y[k] = sum;
    }
}

// The workspace of a call: the roots and the window, then a frame, its transform and spare room for
// each sample.
typedef struct room {
    complex_number *roots, *frame, *result, *spare;
    double *window;
} room;

enum { ROOMS = 3 };

static size_t workspace_for(const cj__call *call)
{
    const cj__stft_attrs *a = call->attrs;
    const size_t n = (size_t)a->fft_length, samples = (size_t)call->inputs[0].type.shape.dims[0];
    return n * (sizeof(complex_number) + sizeof(double)) +
           samples * ROOMS * n * sizeof(complex_number);
}

static room room_of(const cj__call *call, int64_t sample)
{
    const cj__stft_attrs *a = call->attrs;
    const int64_t n = a->fft_length;
    room r = {.roots = call->workspace};
    r.window = (double *)(void *)(r.roots + n);
    r.frame = (complex_number *)(void *)(r.window + n) + sample * ROOMS * n;
    r.result = r.frame + n;
    r.spare = r.result + n;
    return r;
}

static void prepare(const cj__call *call)
{
    const cj__stft_attrs *a = call->attrs;
    const room r = room_of(call, 0);
    const int64_t n = a->fft_length, length = a->sequence_length, before = (n - length) / 2;
    for (int64_t i = 0; i < n; i++)
        r.roots[i] =
            (complex_number){cos(TURN * (double)i / (double)n), -sin(TURN * (double)i / (double)n)};
    const double low = a->window == CJ__WINDOW_HANN ? 0.5 : 0.54;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i - before;
        const double rising = low - (1 - low) * cos(TURN * (double)at / (double)length);
        r.window[i] = a->window == CJ__WINDOW_ONES ? 1 : at >= 0 && at < length ? rising : 0;
    }
}

// The step of x that stands for step `at`, from -length + 1 to 2 length - 2.
static int64_t mirrored(int64_t at, int64_t length)
{
    return at < 0 ? -at : at >= length ? 2 * length - 2 - at : at;
}

// The ops
// -----------------------------------------------------------------------------------------------

static cj_status check_attrs(const cj__inference *r, const cj__stft_attrs *a, int64_t length)
{
    if (a->fft_length < 2 || a->fft_length > LENGTH_MAX || a->stride < 1 ||
        a->stride > a->fft_length || a->sequence_length < 1 || a->sequence_length > a->fft_length)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: frames of %lld of %lld steps, each %lld",
                        r->op->name, (long long)a->sequence_length, (long long)a->fft_length,
                        (long long)a->stride);
    if (length <= a->fft_length / 2)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: %lld steps are too few to be mirrored by %lld: needs more than that",
                        r->op->name, (long long)length, (long long)(a->fft_length / 2));
    return CJ_OK;
}

// How many frames begin at or before the end of the mirrored sequence less a frame.
static int64_t frames_of(const cj__stft_attrs *a, int64_t length)
{
    return (length + a->fft_length / 2 * 2 - a->fft_length) / a->stride + 1;
}

static cj_status infer_stft(cj__inference *r)
{
    cj__stft_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 2, 2));
    CJ_TRY(cj__need_axis(r, &r->inputs[0], 1, false));
    a->length = r->inputs[0].shape.dims[1];
    CJ_TRY(check_attrs(r, a, a->length));
    r->outputs[0] =
        (cj__type){r->inputs[0].dtype, CJ_SHAPE(r->inputs[0].shape.dims[0], frames_of(a, a->length),
                                                2 * cj__stft_bins(a->fft_length))};
    return cj__check_output(r, &r->outputs[0].shape);
}

static cj_status infer_stft_grad(cj__inference *r)
{
    const cj__stft_attrs *a = r->attrs;
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 3, 3));
    CJ_TRY(check_attrs(r, a, a->length));
    const cj_shape *dy = &r->inputs[0].shape;
    if (dy->dims[1] != frames_of(a, a->length) || dy->dims[2] != 2 * cj__stft_bins(a->fft_length))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %lld frames of %lld numbers", r->op->name,
                        (long long)dy->dims[1], (long long)dy->dims[2]);
    r->outputs[0] = (cj__type){r->inputs[0].dtype, CJ_SHAPE(dy->dims[0], a->length)};
    return CJ_OK;
}

static void stft_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__stft_attrs *a = call->attrs;
    const int64_t n = a->fft_length, bins = cj__stft_bins(n),
                  frames = call->outputs[0].type.shape.dims[1];
    const cj_dtype dtype = call->outputs[0].type.dtype;
    for (int64_t sample = begin; sample < end; sample++) {
        const room r = room_of(call, sample);
        for (int64_t f = 0; f < frames; f++) {
            for (int64_t s = 0; s < n; s++) {
                const int64_t at = mirrored(f * a->stride - n / 2 + s, a->length);
                const double x =
                    cj__real_get(call, cj__at(call, call->inputs[0].data, sample * a->length + at));
                r.frame[s] = (complex_number){x * r.window[s], 0};
            }
            transform(n, 1, r.frame, r.roots, r.result, r.spare);
            const int64_t row = (sample * frames + f) * 2 * bins;
            for (int64_t k = 0; k < bins; k++) {
                cj__element_set(dtype, call->outputs[0].data, row + k, r.result[k].re);
                cj__element_set(dtype, call->outputs[0].data, row + bins + k, r.result[k].im);
            }
        }
    }
}

static cj_status run_stft(const cj__call *call)
{
    const cj_shape *y = &call->outputs[0].type.shape;
    prepare(call);
    cj__each_item(call, y->dims[0], y->dims[1] * y->dims[2] * 16, stft_task, (void *)call);
    return CJ_OK;
}

// Of what a step gives to all frequencies, cos and -sin times their gradients, the sum is the real
// part of the transform of re - i im.
static void stft_grad_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__stft_attrs *a = call->attrs;
    const int64_t n = a->fft_length, bins = cj__stft_bins(n),
                  frames = call->inputs[0].type.shape.dims[1];
    const cj_dtype dtype = call->outputs[0].type.dtype;
    for (int64_t sample = begin; sample < end; sample++) {
        const room r = room_of(call, sample);
        void *dx = cj__at(call, call->outputs[0].data, sample * a->length);
        memset(dx, 0, (size_t)a->length * call->kernels->real_size);
        for (int64_t f = 0; f < frames; f++) {
            const void *dy = cj__at(call, call->inputs[0].data, (sample * frames + f) * 2 * bins);
            memset(r.frame, 0, (size_t)n * sizeof *r.frame);
            for (int64_t k = 0; k < bins; k++)
                r.frame[k] = (complex_number){cj__real_get(call, cj__at(call, dy, k)),
                                              -cj__real_get(call, cj__at(call, dy, bins + k))};
            transform(n, 1, r.frame, r.roots, r.result, r.spare);
            for (int64_t s = 0; s < n; s++) {
                const int64_t at = mirrored(f * a->stride - n / 2 + s, a->length);
                cj__element_set(dtype, dx, at,
                                cj__real_get(call, cj__at(call, dx, at)) +
                                    r.window[s] * r.result[s].re);
            }
        }
    }
}

static cj_status run_stft_grad(const cj__call *call)
{
    const cj_shape *dy = &call->inputs[0].type.shape;
    prepare(call);
    cj__each_item(call, dy->dims[0], dy->dims[1] * dy->dims[2] * 16, stft_grad_task, (void *)call);
    return CJ_OK;
}

static void gradient_stft(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_stft_grad, node->attrs, (cj_symbol *[]){dy[0]}, 1);
}

static void gradient_stft_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                               cj_symbol **dx)
{
    dx[0] = cj__append(g, &cj__op_stft, node->attrs, (cj_symbol *[]){dy[0]}, 1);
}

#define FOURIER_OP(plain)                             \
    const cj__op cj__op_##plain = {                   \
        .name = #plain,                               \
        .min_inputs = 1,                              \
        .max_inputs = 1,                              \
        .samples = "s>s",                             \
        .on_blocks = CJ__ON_BLOCKS_NO,                \
        .identity = CJ__IDENTITY_NEVER,               \
        .bf16 = CJ__BF16_NEVER,                       \
        .attrs_size = CJ__ATTRS_SIZE(cj__stft_attrs), \
        .infer = infer_##plain,                       \
        .gradient = gradient_##plain,                 \
        .workspace = workspace_for,                   \
        .run = run_##plain,                           \
    };
FOURIER_OP(stft)
FOURIER_OP(stft_grad)

cj_symbol *cj__stft(cj__build *g, cj_symbol *x, const cj__stft_attrs *attrs)
{
    return cj__append(g, &cj__op_stft, attrs, (cj_symbol *[]){x}, 1);
}
