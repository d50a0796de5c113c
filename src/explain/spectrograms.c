// Spectrograms: one frequency of one frame.
#include "explain/explain.h"

#include <cajal/spectrogram.h>
#include <math.h>
#include <string.h>

static const double TURN = 6.283185307179586476925;

// STFTSpectrogram
// -------------------------------------------------------------------------------------------------

// One value of the spectrogram: channel, frame, frequency, and the frame's place.
typedef struct spectral_place {
    int64_t channel, frame, bin, bins, begin;
} spectral_place;

static spectral_place place_of(const cj__explanation *e, int64_t bins)
{
    const cj_stft_spectrogram_args *a = e->record->layer->args;
    const int64_t steps = cj_tensor_shape(e->record->inputs[0])->dims[1],
                  stride = a->frame_step > 0 ? a->frame_step : a->frame_length / 2,
                  per_channel = strcmp(a->mode, "stft") == 0 ? 2 * bins : bins;
    spectral_place p = {.frame = e->index[1], .bins = bins};
    p.channel = a->expand_dims ? e->index[3] : e->index[2] / per_channel;
    p.bin = a->expand_dims ? e->index[2] : e->index[2] % per_channel;
    p.begin = p.frame * stride;
    if (strcmp(a->padding, "same") == 0) {
        const int64_t frames = (steps + stride - 1) / stride,
                      missing = (frames - 1) * stride + a->frame_length - steps;
        p.begin -= missing > 0 ? missing / 2 : 0;
    }
    return p;
}

// The sum of a frame by column `bin` of a kernel.
static double product_of(const cj__explanation *e, const char *kernel, const spectral_place *p,
                         int64_t bin, double *magnitude)
{
    const cj_stft_spectrogram_args *a = e->record->layer->args;
    const cj_tensor *x = e->record->inputs[0], *weights = cj__weight(e->record, kernel);
    const int64_t steps = cj_tensor_shape(x)->dims[1], channels = cj_tensor_shape(x)->dims[2];
    double sum = 0;
    for (int64_t s = 0; s < a->frame_length; s++) {
        const int64_t at = p->begin + s;
        if (at < 0 || at >= steps)
            continue;
        const double term = cj__element_at(x, at * channels + p->channel) *
                            cj__element_at(weights, s * p->bins + bin);
        sum += term;
        *magnitude += fabs(term);
    }
    return sum;
}

// The power and its error for terms of that magnitude become what the mode says.
static cj_status conclude_mode(const cj__explanation *e, double power, double magnitude)
{
    const cj_stft_spectrogram_args *a = e->record->layer->args;
    const double epsilon = 1e-7, bound = 1e-5 * magnitude * magnitude + 1e-30;
    double ends[2] = {fmax(power - bound, 0), power + bound};
    for (int i = 0; i < 2; i++) {
        ends[i] = sqrt(fmax(ends[i], epsilon));
        if (strcmp(a->mode, "log") == 0)
            ends[i] = log(fmax(ends[i], epsilon));
    }
    return cj__conclude(e, ends[0], ends[1]);
}

cj_status cj__explain_stft_spectrogram(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_stft_spectrogram_args *a = record->layer->args;
    const bool only_imag = strcmp(a->mode, "imag") == 0;
    const cj_tensor *kernel = cj__weight(record, only_imag ? "imag_kernel" : "real_kernel");
    spectral_place p = place_of(explanation, cj_tensor_shape(kernel)->dims[2]);
    char re_text[CJ__DIGITS_TEXT], im_text[CJ__DIGITS_TEXT], text[CJ__DIGITS_TEXT];
    double magnitude = 0;
    const bool second = p.bin >= p.bins;
    p.bin -= second ? p.bins : 0;
    cj__print_line(explanation, "channel %lld, steps %lld to %lld, frequency %lld of %lld",
                   (long long)p.channel, (long long)p.begin,
                   (long long)(p.begin + a->frame_length - 1), (long long)p.bin, (long long)p.bins);
    if (strcmp(a->mode, "stft") == 0 || strcmp(a->mode, "real") == 0 || only_imag) {
        const bool imag = second || only_imag;
        const double sum =
            product_of(explanation, imag ? "imag_kernel" : "real_kernel", &p, p.bin, &magnitude);
        cj__print_line(explanation, "sum of steps times %s kernel = %s",
                       imag ? "the imaginary" : "the real", cj__digits(sum, text));
        return cj__conclude_near(explanation, sum, magnitude);
    }
    const double re = product_of(explanation, "real_kernel", &p, p.bin, &magnitude),
                 im = product_of(explanation, "imag_kernel", &p, p.bin, &magnitude),
                 power = re * re + im * im;
    cj__print_line(explanation, "real part %s, imaginary part %s: power %s",
                   cj__digits(re, re_text), cj__digits(im, im_text), cj__digits(power, text));
    if (strcmp(a->mode, "psd") != 0)
        return conclude_mode(explanation, power, magnitude);
    const bool inner = p.bin > 0 && p.bin < p.bins - 1;
    if (inner)
        cj__print_line(explanation, "twice, since it stands for its negative frequency too");
    return cj__conclude_near(explanation, inner ? 2 * power : power, 8 * magnitude * magnitude);
}

// MelSpectrogram
// -------------------------------------------------------------------------------------------------

static double window_at(const cj_mel_spectrogram_args *a, int64_t s)
{
    const int64_t length = a->sequence_length > 0 ? a->sequence_length : a->fft_length,
                  at = s - (a->fft_length - length) / 2;
    if (!a->window)
        return 1;
    const double low = strcmp(a->window, "hann") == 0 ? 0.5 : 0.54;
    return at < 0 || at >= length ? 0 : low - (1 - low) * cos(TURN * (double)at / (double)length);
}

static double mel_of(double hertz)
{
    return 1127 * log(1 + hertz / 700);
}

// The weight of a frequency in a band of the mel scale: a triangle between its neighbours.
static double band_weight(const cj_mel_spectrogram_args *a, int64_t bin, int64_t band)
{
    const double top = isinf(a->max_freq) ? floor((double)a->sampling_rate / 2) : a->max_freq;
    const double low = mel_of(a->min_freq),
                 distance = (mel_of(top) - low) / (double)(a->num_mel_bins + 1);
    const double hertz = (double)a->sampling_rate / 2 * (double)bin / (double)(a->fft_length / 2);
    const double at = (mel_of(hertz) - low) / distance - (double)band;
    return bin == 0 ? 0 : fmax(0, fmin(at, 2 - at));
}

// The magnitude of a frequency of a frame, to the layer's exponent.
static double magnitude_of(const cj__explanation *e, int64_t sample, int64_t frame, int64_t bin)
{
    const cj_mel_spectrogram_args *a = e->record->layer->args;
    const cj_tensor *x = e->recorded->inputs[0];
    const int64_t steps = cj_tensor_shape(x)->dims[1];
    double re = 0, im = 0;
    for (int64_t s = 0; s < a->fft_length; s++) {
        int64_t at = frame * a->sequence_stride - a->fft_length / 2 + s;
        at = at < 0 ? -at : at >= steps ? 2 * steps - 2 - at : at;
        const double term = window_at(a, s) * cj__element_at(x, sample * steps + at),
                     angle = TURN * (double)(bin * s % a->fft_length) / (double)a->fft_length;
        re += term * cos(angle);
        im -= term * sin(angle);
    }
    return pow(re * re + im * im, a->mag_exp / 2);
}

static double band_of(const cj__explanation *e, int64_t sample, int64_t band, int64_t frame)
{
    const cj_mel_spectrogram_args *a = e->record->layer->args;
    double sum = 0;
    for (int64_t bin = 1; bin <= a->fft_length / 2; bin++) {
        const double weight = band_weight(a, bin, band);
        if (weight > 0)
            sum += weight * magnitude_of(e, sample, frame, bin);
    }
    return sum;
}

static double decibels(const cj_mel_spectrogram_args *a, double power)
{
    return 10 * log10(fmax(power, a->min_power)) -
           10 * log10(fmax(fabs(a->ref_power), a->min_power));
}

cj_status cj__explain_mel_spectrogram(cj__explanation *explanation)
{
    const cj_mel_spectrogram_args *a = explanation->record->layer->args;
    const cj_shape *all = cj_tensor_shape(explanation->recorded->outputs[0]);
    const int64_t band = explanation->index[1], frame = explanation->index[2];
    const double power = band_of(explanation, explanation->sample, band, frame);
    char text[CJ__DIGITS_TEXT], floor_text[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "frame %lld, band %lld of the mel scale: power %s",
                   (long long)frame, (long long)band, cj__digits(power, text));
    if (!a->power_to_db)
        return cj__conclude_near(explanation, power, 64 * power);
    double greatest = -INFINITY, y = decibels(a, power);
    for (int64_t i = 0; i < all->dims[0] * all->dims[1] * all->dims[2]; i++)
        greatest = fmax(greatest, cj__element_at(explanation->recorded->outputs[0], i));
    cj__print_line(explanation, "in decibels %s, at least %s below the greatest of all, %s",
                   cj__digits(y, text), cj__digits(a->top_db, floor_text),
                   cj__digits(greatest, (char[CJ__DIGITS_TEXT]){0}));
    y = fmax(y, greatest - a->top_db);
    return cj__conclude(explanation, y - 1e-3, y + 1e-3);
}
