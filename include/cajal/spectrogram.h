/**
 * @file spectrogram.h
 * Layers that make spectrograms of signals: STFTSpectrogram, whose transform is a convolution with
 * weights that may be trained, and MelSpectrogram, by a fast Fourier transform. What layers.h says
 * of arguments, shapes and failures holds here too.
 */
#ifndef CAJAL_SPECTROGRAM_H
#define CAJAL_SPECTROGRAM_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * STFTSpectrogram: short-time Fourier transform of each channel of a signal
 * (keras/src/layers/preprocessing/stft_spectrogram.py). With X[k] = sum over s of w[s] x[s]
 * e^(-2 pi i k s / fft_length) of a frame, divided by what `scaling` says.
 */
typedef struct cj_stft_spectrogram_args {
    CJ_LAYER_MEMBERS
    int _; ///< what follows may be given by position
    /**
     * "log" (default): ln |X|; "magnitude": |X|; "psd": |X|^2, twice for all but the first and the
     * last frequency; "real", "imag"; "stft": real and imaginary parts side by side
     */
    const char *mode;
    int64_t frame_length; ///< default 256, at least 2: steps of a frame
    /** default -1: half of frame_length; from 1 to frame_length: steps between two frames */
    int64_t frame_step;
    /** default -1: the least power of 2 that is at least frame_length; else at least that */
    int64_t fft_length;
    /** "hann" (default), "hamming", "blackman", "bartlett" or "boxcar"; NULL: none */
    const char *window;
    bool periodic; ///< default false: the window is symmetric
    /** "density" (default): divided by the window's norm; "spectrum": by its sum; NULL: by 1 */
    const char *scaling;
    const char *padding; ///< "valid" (default) or "same"
    bool expand_dims;    ///< default false; true: channels are an axis of their own, the last
} cj_stft_spectrogram_args;
/** The defaults of cj_stft_spectrogram_args. */
#define CJ_STFT_SPECTROGRAM_DEFAULTS                                                              \
    CJ_LAYER_DEFAULTS(cj_stft_spectrogram_args),                                                  \
        .mode = "log", .frame_length = 256, .frame_step = -1, .fft_length = -1, .window = "hann", \
        .scaling = "density", .padding = "valid"
/** Sets `args` to CJ_STFT_SPECTROGRAM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_stft_spectrogram_defaults(cj_stft_spectrogram_args *args);
/**
 * (steps, channels) becomes (frames, channels * frequencies), or with expand_dims (frames,
 * frequencies, channels), of fft_length / 2 + 1 frequencies, twice as many by "stft". Variables:
 * real_kernel and imag_kernel (frame_length, 1, frequencies), but the one that `mode` leaves out.
 * `cj_stft_spectrogram("magnitude", 512, .frame_step = 128)`.
 */
CJ_API cj_layer *cj_stft_spectrogram_new(const cj_stft_spectrogram_args *args);
#define cj_stft_spectrogram(...) \
    cj_stft_spectrogram_new(     \
        &(cj_stft_spectrogram_args){CJ_STFT_SPECTROGRAM_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * MelSpectrogram: power of the frequencies of a signal on the mel scale, mel(f) = 1127 ln(1 + f /
 * 700) (keras/src/layers/preprocessing/mel_spectrogram.py). Frames lie in the middle of the steps
 * that they begin at, and the signal is mirrored at its ends.
 */
typedef struct cj_mel_spectrogram_args {
    CJ_LAYER_MEMBERS
    int _;                   ///< what follows may be given by position
    int64_t fft_length;      ///< default 2048, from 2 to 1048576: steps of a frame
    int64_t sequence_stride; ///< default 512, from 1 to fft_length: steps between two frames
    int64_t sequence_length; ///< default -1: fft_length; else at most that: steps of the window
    const char *window;      ///< "hann" (default) or "hamming", periodic; NULL: none
    int64_t sampling_rate;   ///< default 16000, positive: steps in a second
    int64_t num_mel_bins;    ///< default 128, positive
    double min_freq;         ///< default 20, not negative: in hertz
    double max_freq;         ///< default INFINITY: half of sampling_rate; else above min_freq
    /** default true: 10 log10(power / ref_power), at least the greatest value of the batch minus
     * top_db */
    bool power_to_db;
    double top_db;    ///< default 80, not negative
    double mag_exp;   ///< default 2, positive: the exponent of magnitudes
    double min_power; ///< default 1e-10, positive: lesser powers count as this
    double ref_power; ///< default 1
} cj_mel_spectrogram_args;
/** The defaults of cj_mel_spectrogram_args. */
#define CJ_MEL_SPECTROGRAM_DEFAULTS                                                              \
    CJ_LAYER_DEFAULTS(cj_mel_spectrogram_args),                                                  \
        .fft_length = 2048, .sequence_stride = 512, .sequence_length = -1, .max_freq = INFINITY, \
        .window = "hann", .sampling_rate = 16000, .num_mel_bins = 128, .min_freq = 20,           \
        .power_to_db = true, .top_db = 80, .mag_exp = 2, .min_power = 1e-10, .ref_power = 1
/** Sets `args` to CJ_MEL_SPECTROGRAM_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_mel_spectrogram_defaults(cj_mel_spectrogram_args *args);
/**
 * (steps), more than half of fft_length, becomes (num_mel_bins, 1 + steps / sequence_stride).
 * `cj_mel_spectrogram(512, 128, .num_mel_bins = 40)`.
 */
CJ_API cj_layer *cj_mel_spectrogram_new(const cj_mel_spectrogram_args *args);
#define cj_mel_spectrogram(...) \
    cj_mel_spectrogram_new(     \
        &(cj_mel_spectrogram_args){CJ_MEL_SPECTROGRAM_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
