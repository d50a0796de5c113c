/**
 * @file sounds.h
 * Recordings and time series: WAV files, folders of them, and windows over long series.
 */
#ifndef CAJAL_SOUNDS_H
#define CAJAL_SOUNDS_H

#include <cajal/streams.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_load_wav(). */
typedef struct cj_load_wav_args {
    size_t size;         ///< bytes of the struct
    int _;               ///< what follows may be given by position
    int64_t sample_rate; ///< the rate to have, in Hz; default 0: the file's
    /** samples to have: cut, or filled up with zeros; default 0: as many as there are */
    int64_t length;
    bool mono; ///< default false; true: channels are averaged to one
} cj_load_wav_args;
/** The defaults of cj_load_wav_args. */
#define CJ_LOAD_WAV_DEFAULTS .size = sizeof(cj_load_wav_args)
/** Sets `args` to CJ_LOAD_WAV_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_wav_defaults(cj_load_wav_args *args);
/**
 * Reads a WAV file as float32 (samples, channels) from -1 to 1: whole numbers of 8, 16, 24 and 32 bits
 * divided by 128, 32768, 2^23 and 2^31, floats of 32 and 64 bits as they are, in the plain and in the
 * extensible form. With `sample_rate` it is resampled as by cj_resample(). `*rate` receives the rate of
 * the result, unless it is NULL.
 *
 * `*sound` receives a new tensor, to be released. CJ_INVALID_ARGUMENT (NULL, an argument out of range),
 * CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE (no WAV file, or one that contradicts itself), CJ_UNSUPPORTED
 * (compressed sound, more than 64 channels), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_wav_with(const char *path, cj_tensor **sound, int64_t *rate,
                                  const cj_load_wav_args *args);
/** `cj_load_wav("a.wav", &sound, &rate, .sample_rate = 16000)`. */
#define cj_load_wav(path, sound, ...)                       \
    cj_load_wav_with(path, sound, CJ__HEAD(__VA_ARGS__, ~), \
                     &(cj_load_wav_args){CJ_LOAD_WAV_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/**
 * Sound (samples) or (samples, channels) of `rate` Hz at another rate: polyphase filtering with a
 * low-pass filter of length 20 max(up, down) + 1, a sinc in Kaiser's window with beta 5, as
 * `scipy.signal.resample_poly(sound, new_rate, rate)`, in double. ceil(samples new_rate / rate) samples
 * of float32. `*resampled` receives a new tensor, to be released. CJ_INVALID_ARGUMENT (NULL, a rate
 * outside 1 to 10,000,000), CJ_SHAPE_MISMATCH, CJ_UNSUPPORTED (rates whose ratio needs a filter of more
 * than 2^22 numbers), CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_resample(const cj_tensor *sound, int64_t rate, int64_t new_rate,
                             cj_tensor **resampled);

/** The arguments of cj_load_sound_folder(). */
typedef struct cj_load_sound_folder_args {
    size_t size; ///< bytes of the struct
    int _;       ///< what follows may be given by position
    /** samples of each sound: cut, or filled up with zeros; default 0: all have the same length */
    int64_t output_sequence_length;
    int64_t sample_rate; ///< the rate to have, in Hz; default 0: the files' own, which may differ
    bool mono;           ///< default false; true: channels are averaged to one
    /**
     * "int" (default): int32 (samples); "categorical": float32 (samples, classes); "binary": float32
     * (samples, 1) of two classes
     */
    const char *label_mode;
    /** the folders that are classes, in this order; default none: every folder, in order of bytes */
    const char *class_names[CJ_IN_BRACES];
    const char *const *class_names_list; ///< or any number of them; see CJ_IN_BRACES
    int class_names_count;               ///< length of class_names_list
    bool shuffle;  ///< default true: in an order drawn from `seed`; false: by class and name
    uint32_t seed; ///< default 0
    double validation_split; ///< default 0: the share, below 1, that goes to the second data set
} cj_load_sound_folder_args;
/** The defaults of cj_load_sound_folder_args. */
#define CJ_LOAD_SOUND_FOLDER_DEFAULTS \
    .size = sizeof(cj_load_sound_folder_args), .label_mode = "int", .shuffle = true
/** Sets `args` to CJ_LOAD_SOUND_FOLDER_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_load_sound_folder_defaults(cj_load_sound_folder_args *args);
/**
 * A folder that has a folder of WAV files for each class, and folders below those, in the manner of
 * keras.utils.audio_dataset_from_directory. Only the headers are read at once; a sound is read when it
 * is needed (streams.h), float32 (length, channels), channels as the first file has them. For one seed
 * the order, and what goes to validation, are Keras's.
 *
 * `*train` and `*validation` receive new data sets, to be released; `validation` may be NULL if
 * validation_split is 0, and gets NULL then. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL; an argument out
 * of range; fewer than two samples to split; "binary" without two classes), CJ_SHAPE_MISMATCH (a sound
 * of another length, without output_sequence_length, or with other channels: the sentence names the
 * file), CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE, CJ_UNSUPPORTED, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_load_sound_folder_with(const char *folder, cj_dataset **train,
                                           cj_dataset **validation,
                                           const cj_load_sound_folder_args *args);
/** `cj_load_sound_folder("words", &train, NULL, .output_sequence_length = 16000)`. */
#define cj_load_sound_folder(folder, train, ...)                                                  \
    cj_load_sound_folder_with(folder, train, CJ__HEAD(__VA_ARGS__, ~),                            \
                              &(cj_load_sound_folder_args){CJ_LOAD_SOUND_FOLDER_DEFAULTS, ._ = 0, \
                                                           CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_timeseries_dataset(). */
typedef struct cj_timeseries_dataset_args {
    size_t size;             ///< bytes of the struct
    int _;                   ///< what follows may be given by position
    int64_t sequence_length; ///< required: steps of a window
    int64_t sequence_stride; ///< default 1: steps from window to window
    int64_t sampling_rate;   ///< default 1: steps from entry to entry of a window
    int64_t start_index;     ///< default 0: the first step that is used
    int64_t end_index;       ///< default -1: all; else the steps before this one
    bool shuffle;            ///< default false; true: in an order drawn from `seed`
    uint32_t seed;           ///< default 0
} cj_timeseries_dataset_args;
/** The defaults of cj_timeseries_dataset_args. */
#define CJ_TIMESERIES_DATASET_DEFAULTS                                                    \
    .size = sizeof(cj_timeseries_dataset_args), .sequence_stride = 1, .sampling_rate = 1, \
    .end_index = -1
/** Sets `args` to CJ_TIMESERIES_DATASET_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_timeseries_dataset_defaults(cj_timeseries_dataset_args *args);
/**
 * Windows over a series, as keras.utils.timeseries_dataset_from_array: window i has the steps start +
 * i stride, start + i stride + rate, ... of `series` (steps, ...), and the target is entry i stride of
 * `targets`, counted from start_index too. `targets` NULL: no targets. The series is held, not copied;
 * windows are made when they are needed (streams.h). For one seed the order is Keras's. NULL with
 * CJ_INVALID_ARGUMENT (a NULL series, a number out of range, texts), CJ_SHAPE_MISMATCH (a series
 * without steps; fewer steps than a window has; a start or an end outside of it) or CJ_OUT_OF_MEMORY.
 */
CJ_API cj_dataset *cj_timeseries_dataset_with(cj_tensor *series, cj_tensor *targets,
                                              const cj_timeseries_dataset_args *args);
/** `cj_timeseries_dataset(series, targets, 24, .sampling_rate = 6)`. */
#define cj_timeseries_dataset(series, ...)                                                   \
    cj_timeseries_dataset_with(series, CJ__HEAD(__VA_ARGS__, ~),                             \
                               &(cj_timeseries_dataset_args){CJ_TIMESERIES_DATASET_DEFAULTS, \
                                                             ._ = 0, CJ__TAIL(__VA_ARGS__, )})

/** The arguments of cj_pad_sequences(). */
typedef struct cj_pad_sequences_args {
    size_t size;            ///< bytes of the struct
    int _;                  ///< what follows may be given by position
    int64_t maxlen;         ///< default 0: the length of the longest
    cj_dtype dtype;         ///< default CJ_I32
    const char *padding;    ///< "pre" (default): fill up at the beginning; "post": at the end
    const char *truncating; ///< "pre" (default): cut at the beginning; "post": at the end
    double value;           ///< default 0: what fills up
} cj_pad_sequences_args;
/** The defaults of cj_pad_sequences_args. */
#define CJ_PAD_SEQUENCES_DEFAULTS \
    .size = sizeof(cj_pad_sequences_args), .dtype = CJ_I32, .padding = "pre", .truncating = "pre"
/** Sets `args` to CJ_PAD_SEQUENCES_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_pad_sequences_defaults(cj_pad_sequences_args *args);
/**
 * Sequences of different lengths as one tensor (count, maxlen, ...), as keras.utils.pad_sequences.
 * `sequences` are tensors (length, ...) that agree in the axes after the first; numbers are converted
 * to `dtype`. `*padded` receives a new tensor, to be released. CJ_INVALID_ARGUMENT (NULL, no sequences,
 * a word that is none, texts), CJ_SHAPE_MISMATCH, CJ_OUT_OF_MEMORY.
 */
CJ_API cj_status cj_pad_sequences_with(cj_tensor *const *sequences, int64_t count,
                                       cj_tensor **padded, const cj_pad_sequences_args *args);
/** `cj_pad_sequences(sequences, 100, &padded, .maxlen = 80)`. */
#define cj_pad_sequences(sequences, count, ...)     \
    cj_pad_sequences_with(                          \
        sequences, count, CJ__HEAD(__VA_ARGS__, ~), \
        &(cj_pad_sequences_args){CJ_PAD_SEQUENCES_DEFAULTS, ._ = 0, CJ__TAIL(__VA_ARGS__, )})

#ifdef __cplusplus
}
#endif
#endif
