// STFTSpectrogram and MelSpectrogram: spectrograms of signals.
#include "layers/kind.h"
#include "layers/preprocess.h"
#include "layers/windows.h"
#include "ops/fourier.h"

#include "base/memory.h"
#include <cajal/spectrogram.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

CJ__DEFAULTS(stft_spectrogram, STFT_SPECTROGRAM)
CJ__DEFAULTS(mel_spectrogram, MEL_SPECTROGRAM)

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("data_format", "channels_last"),
    {.key = NULL},
};
static const double EPSILON = 1e-7; // Keras's

// STFTSpectrogram
// -----------------------------------------------------------------------------------------------

static const char *const modes[] = {"log", "magnitude", "psd", "real", "imag", "stft", NULL};
static const char *const windows[] = {"hann", "hamming", "blackman", "bartlett", "boxcar", NULL};
static const char *const scalings[] = {"density", "spectrum", NULL};
static const char *const paddings[] = {"valid", "same", NULL};

static const cj__field stft_spectrogram_fields[] = {
    CJ__FIELD(cj_stft_spectrogram_args, mode, CJ__FIELD_TEXT, .required = true, .words = modes),
    CJ__FIELD(cj_stft_spectrogram_args, frame_length, CJ__FIELD_INT, .low = 2, .high = 1 << 20),
    CJ__FIELD(cj_stft_spectrogram_args, frame_step, CJ__FIELD_SEED),
    CJ__FIELD(cj_stft_spectrogram_args, fft_length, CJ__FIELD_SEED),
    CJ__FIELD(cj_stft_spectrogram_args, window, CJ__FIELD_TEXT, .words = windows),
    CJ__FIELD(cj_stft_spectrogram_args, periodic, CJ__FIELD_BOOL),
    CJ__FIELD(cj_stft_spectrogram_args, scaling, CJ__FIELD_TEXT, .words = scalings),
    CJ__FIELD(cj_stft_spectrogram_args, padding, CJ__FIELD_TEXT, .required = true,
              .words = paddings),
    CJ__FIELD(cj_stft_spectrogram_args, expand_dims, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_stft_spectrogram_args),
};

// The layer's own initializers, which its variables' specs are.
typedef struct stft_layer {
    cj_layer base;
    char specs[2][96];
} stft_layer;

static int64_t step_of(const cj_stft_spectrogram_args *a)
{
    return a->frame_step > 0 ? a->frame_step : a->frame_length / 2;
}

static int64_t transformed_length(const cj_stft_spectrogram_args *a)
{
    int64_t length = 1;
    while (length < a->frame_length)
        length *= 2;
    return a->fft_length > 0 ? a->fft_length : length;
}

static bool is_mode(const cj_stft_spectrogram_args *a, const char *mode)
{
    return strcmp(a->mode, mode) == 0;
}

static cj_status check_stft_spectrogram(cj_layer *layer)
{
    const cj_stft_spectrogram_args *a = layer->args;
    if (a->frame_step == 0 || a->frame_step > a->frame_length)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: frame_step must be from 1 to frame_length %lld, not %lld", layer->name,
                        (long long)a->frame_length, (long long)a->frame_step);
    if (a->fft_length >= 0 && (a->fft_length < a->frame_length || a->fft_length > 1 << 20))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: fft_length must be from frame_length %lld to 1048576, not %lld",
                        layer->name, (long long)a->frame_length, (long long)a->fft_length);
    return CJ_OK;
}

static cj_status build_stft_spectrogram(cj_layer *layer, const cj__type *inputs)
{
    const cj_stft_spectrogram_args *a = layer->args;
    stft_layer *own = (stft_layer *)(void *)layer;
    const cj_shape shape = CJ_SHAPE(a->frame_length, 1, cj__stft_bins(transformed_length(a)));
    CJ_TRY(cj__layer_need_rank(layer, &inputs[0].shape, 3, 3));
    for (int i = 0; i < 2; i++) {
        if (is_mode(a, i == 0 ? "imag" : "real"))
            continue;
        snprintf(own->specs[i], sizeof own->specs[i],
                 "stft(side=%s, window=%s, scaling=%s, periodic=%s)", i == 0 ? "real" : "imag",
                 a->window ? a->window : "boxcar", a->window && a->scaling ? a->scaling : "none",
                 a->periodic ? "true" : "false");
        CJ_TRY(cj__layer_add_variable(layer, i == 0 ? "real_kernel" : "imag_kernel", shape,
                                      own->specs[i], NULL, true, NULL));
    }
    return CJ_OK;
}

static cj__windows frames_of(const cj_stft_spectrogram_args *a)
{
    const int64_t step = step_of(a);
    return cj__windows_of(1, &a->frame_length, &step, NULL, a->padding);
}

// Each channel by a kernel (frame, 1, bins): (n, frames, channels, bins).
static cj_symbol *transformed(cj__layer_context *c, cj_variable *kernel)
{
    const cj_stft_spectrogram_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    const cj__windows w = frames_of(a);
    const cj__conv2d_attrs attrs = cj__windows_attrs(&w, 1);
    const int64_t bins = cj__stft_bins(transformed_length(a));
    cj_symbol *filters = cj__reshape(g, cj__trace_variable(c->trace, kernel),
                                     &CJ_SHAPE(1, a->frame_length, 1, bins));
    // the channels as the rows of an image
    cj_symbol *y = cj__transpose(g, c->inputs[0].symbol, (const int[]){0, 2, 1});
    y = cj__reshape(g, y, &CJ_SHAPE(x->dims[0], x->dims[2], x->dims[1], 1));
    y = cj__conv2d_symbol(g, y, filters, &attrs);
    return cj__transpose(g, y, (const int[]){0, 2, 1, 3});
}

// As the layer gives it: channels beside each other, or an axis of their own.
static cj_symbol *arranged(cj__layer_context *c, cj_symbol *y)
{
    const cj_stft_spectrogram_args *a = c->layer->args;
    if (!y)
        return NULL;
    const cj_shape *shape = cj_symbol_shape(y);
    if (a->expand_dims)
        return cj__transpose(c->build, y, (const int[]){0, 1, 3, 2});
    return cj__reshape(c->build, y,
                       &CJ_SHAPE(shape->dims[0], shape->dims[1], shape->dims[2] * shape->dims[3]));
}

static cj_status call_stft_spectrogram(cj__layer_context *c)
{
    const cj_stft_spectrogram_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    CJ_TRY(cj__layer_need_rank(c->layer, x, 3, 3));
    const cj__windows w = frames_of(a);
    CJ_TRY(cj__windows_fit(c->layer, "a frame", x, &w));
    cj_symbol *first = transformed(c, c->layer->variables[0]), *y = first;
    if (is_mode(a, "stft"))
        y = cj__concat(g, (cj_symbol *[]){first, transformed(c, c->layer->variables[1])}, 2, 3);
    if (is_mode(a, "stft") || is_mode(a, "real") || is_mode(a, "imag")) {
        c->outputs[0].symbol = arranged(c, y);
        return CJ_OK;
    }
    cj_symbol *second = transformed(c, c->layer->variables[1]);
    y = cj__add(g, cj__apply_unary(g, CJ__UNARY_square, first, 0, 0),
                cj__apply_unary(g, CJ__UNARY_square, second, 0, 0));
    const int64_t bins = cj__stft_bins(transformed_length(a));
    if (is_mode(a, "psd")) {
        if (bins > 2)
            y = cj__add(g, y, cj__pad(g, cj__slice(g, y, 3, 1, bins - 2), 3, 1, 1));
        c->outputs[0].symbol = arranged(c, y);
        return CJ_OK;
    }
    cj_symbol *least = cj__scalar(g, CJ_F32, EPSILON);
    y = cj__apply_unary(g, CJ__UNARY_sqrt, cj__apply_binary(g, CJ__BINARY_maximum, y, least), 0, 0);
    if (is_mode(a, "log"))
        y = cj__apply_unary(g, CJ__UNARY_log, cj__apply_binary(g, CJ__BINARY_maximum, y, least), 0,
                            0);
    c->outputs[0].symbol = arranged(c, y);
    return CJ_OK;
}

const cj__layer_kind cj__layer_stft_spectrogram = {
    .choice = CJ__CHOICE("stft_spectrogram", "STFTSpectrogram", stft_spectrogram_fields,
                         stft_spectrogram_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_stft_spectrogram,
    .build = build_stft_spectrogram,
    .call = call_stft_spectrogram,
    .mask = CJ__MASK_DROP,
    .size = sizeof(stft_layer),
};

CJ__CONSTRUCTOR(stft_spectrogram)

// MelSpectrogram
// -----------------------------------------------------------------------------------------------

static const char *const mel_windows[] = {"hann", "hamming", NULL};

static const cj__field mel_spectrogram_fields[] = {
    CJ__FIELD(cj_mel_spectrogram_args, fft_length, CJ__FIELD_INT, .low = 2, .high = 1 << 20),
    CJ__FIELD(cj_mel_spectrogram_args, sequence_stride, CJ__FIELD_INT, .low = 1, .high = 1 << 20),
    CJ__FIELD(cj_mel_spectrogram_args, sequence_length, CJ__FIELD_SEED),
    CJ__FIELD(cj_mel_spectrogram_args, window, CJ__FIELD_TEXT, .words = mel_windows),
    CJ__FIELD(cj_mel_spectrogram_args, sampling_rate, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_mel_spectrogram_args, num_mel_bins, CJ__FIELD_INT, .low = 1, .high = 1 << 20),
    CJ__FIELD(cj_mel_spectrogram_args, min_freq, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_mel_spectrogram_args, max_freq, CJ__FIELD_LIMIT),
    CJ__FIELD(cj_mel_spectrogram_args, power_to_db, CJ__FIELD_BOOL),
    CJ__FIELD(cj_mel_spectrogram_args, top_db, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_mel_spectrogram_args, mag_exp, CJ__FIELD_NUMBER, .low = 1e-3, .high = 1e3),
    CJ__FIELD(cj_mel_spectrogram_args, min_power, CJ__FIELD_NUMBER, .low = 1e-38, .high = 1e30),
    CJ__FIELD(cj_mel_spectrogram_args, ref_power, CJ__FIELD_NUMBER),
    CJ__LAYER_FIELDS(cj_mel_spectrogram_args),
};

static double highest_frequency(const cj_mel_spectrogram_args *a)
{
    return isinf(a->max_freq) ? floor((double)a->sampling_rate / 2) : a->max_freq;
}

static cj_status check_mel_spectrogram(cj_layer *layer)
{
    const cj_mel_spectrogram_args *a = layer->args;
    if (a->sequence_stride > a->fft_length)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: sequence_stride must be from 1 to fft_length %lld, not %lld",
                        layer->name, (long long)a->fft_length, (long long)a->sequence_stride);
    if (a->sequence_length == 0 || a->sequence_length > a->fft_length)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: sequence_length must be from 1 to fft_length %lld, not %lld",
                        layer->name, (long long)a->fft_length, (long long)a->sequence_length);
    if (!(highest_frequency(a) > a->min_freq))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: max_freq %g must be above min_freq %g",
                        layer->name, highest_frequency(a), a->min_freq);
    return CJ_OK;
}

static double mel_of(double hertz)
{
    return 1127 * log(1 + hertz / 700);
}

// (bins, mel bins): triangles between each three neighbours of num_mel_bins + 2 places that lie at
// equal distances on the mel scale; the frequency 0 belongs to none.
static cj_symbol *mel_matrix(cj__build *g, const cj_mel_spectrogram_args *a)
{
    const int64_t bins = cj__stft_bins(a->fft_length), mels = a->num_mel_bins;
    cj_tensor *matrix = NULL;
    const cj_status status = cj_tensor_new(CJ_F32, CJ_SHAPE(bins, mels), &matrix);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    const double low = mel_of(a->min_freq), high = mel_of(highest_frequency(a)),
                 distance = (high - low) / (double)(mels + 1);
    float *weights = cj_tensor_data(matrix);
    for (int64_t i = 0; i < bins * mels; i++) {
        const double hertz = (double)a->sampling_rate / 2 * (double)(i / mels) / (double)(bins - 1);
        const double at = (mel_of(hertz) - low) / distance - (double)(i % mels);
        weights[i] = i / mels == 0 ? 0 : (float)fmax(0, fmin(at, 2 - at));
    }
    return cj__build_keep(g, cj_symbol_constant(matrix));
}

// 10 log10(power) - 10 log10(ref_power), at least the greatest of all minus top_db.
static cj_symbol *decibels(cj__build *g, const cj_mel_spectrogram_args *a, cj_symbol *power)
{
    cj_symbol *least = cj__scalar(g, CJ_F32, a->min_power);
    cj_symbol *y = cj__apply_unary(g, CJ__UNARY_log,
                                   cj__apply_binary(g, CJ__BINARY_maximum, power, least), 0, 0);
    y = cj__scale(g, y, 10 / log(10));
    y = cj__shift(g, y, -10 * log10(fmax(fabs(a->ref_power), a->min_power)));
    if (!y)
        return NULL;
    cj_symbol *floor_of = cj__shift(g, cj__max(g, y, cj__all_axes(y), true), -a->top_db);
    return cj__apply_binary(g, CJ__BINARY_maximum, y, floor_of);
}

static cj_status call_mel_spectrogram(cj__layer_context *c)
{
    const cj_mel_spectrogram_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    CJ_TRY(cj__layer_need_rank(c->layer, x, 2, 2));
    if (x->dims[1] <= a->fft_length / 2)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: a signal of %lld steps, needs more than half of fft_length, %lld",
                        c->layer->name, (long long)x->dims[1], (long long)(a->fft_length / 2));
    const int64_t bins = cj__stft_bins(a->fft_length);
    const cj__stft_attrs attrs = {.fft_length = a->fft_length,
                                  .stride = a->sequence_stride,
                                  .sequence_length =
                                      a->sequence_length > 0 ? a->sequence_length : a->fft_length,
                                  .window = !a->window                     ? CJ__WINDOW_ONES :
                                            strcmp(a->window, "hann") == 0 ? CJ__WINDOW_HANN :
                                                                             CJ__WINDOW_HAMMING};
    cj_symbol *y = cj__stft(g, c->inputs[0].symbol, &attrs);
    y = cj__apply_unary(g, CJ__UNARY_square, y, 0, 0);
    y = cj__add(g, cj__slice(g, y, 2, 0, bins), cj__slice(g, y, 2, bins, bins));
    if (a->mag_exp < 2 || a->mag_exp > 2)
        y = cj__apply_binary(g, CJ__BINARY_power, y, cj__scalar(g, CJ_F32, a->mag_exp / 2));
    y = cj__matmul(g, y, mel_matrix(g, a), false, false);
    if (a->power_to_db)
        y = decibels(g, a, y);
    c->outputs[0].symbol = cj__transpose(g, y, (const int[]){0, 2, 1});
    return CJ_OK;
}

const cj__layer_kind cj__layer_mel_spectrogram = {
    .choice = CJ__CHOICE("mel_spectrogram", "MelSpectrogram", mel_spectrogram_fields,
                         mel_spectrogram_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_mel_spectrogram,
    .call = call_mel_spectrogram,
    .mask = CJ__MASK_DROP,
    .by_batch = true,
};

CJ__CONSTRUCTOR(mel_spectrogram)
