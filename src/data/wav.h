// Recordings in WAV files; see include/cajal/sounds.h.
#ifndef CJ_DATA_WAV_H
#define CJ_DATA_WAV_H

#include "base/input.h"
#include <cajal/sounds.h>

enum { CJ__RATE_MAX = 10000000 }; // Hz

typedef struct cj__wav {
    cj__input input;
    int64_t frames, rate; // samples of each channel; Hz
    int channels;
    int width; // bytes of a sample
    bool is_float;
    uint64_t begin; // of the samples in the file
} cj__wav;

// Opens a file and reads its header. CJ_NOT_FOUND, CJ_IO, CJ_BAD_FILE, CJ_UNSUPPORTED. On failure
// there is nothing to close.
cj_status cj__wav_open(const char *path, cj__wav *wav);
// Reads the first `frames` frames, float (frames, channels). CJ_IO.
cj_status cj__wav_read(const cj__wav *wav, int64_t frames, float *to);
void cj__wav_close(cj__wav *wav);

// What is wanted of a sound.
typedef struct cj__sound_wanted {
    int64_t rate, length; // 0: the file's
    bool mono;
} cj__sound_wanted;

// The frames that an opened file gives as it is wanted.
int64_t cj__sound_frames(const cj__wav *wav, const cj__sound_wanted *wanted);
// The sound of an opened file as it is wanted, float (frames, channels or 1) to `to`. CJ_IO,
// CJ_OUT_OF_MEMORY, CJ_UNSUPPORTED.
cj_status cj__sound_read(const cj__wav *wav, const cj__sound_wanted *wanted, float *to);

// The filter between two rates; see cj_resample().
typedef struct cj__resampler {
    int64_t up, down, half; // the ratio in lowest terms; half the filter's length
    int64_t taps;           // of a phase
    double *phases;         // (up, taps)
} cj__resampler;

cj_status cj__resampler_open(cj__resampler *r, int64_t rate, int64_t new_rate);
void cj__resampler_close(cj__resampler *r);
// The samples that `frames` samples become.
int64_t cj__resampled(int64_t frames, int64_t rate, int64_t new_rate);
// How many frames the first `count` resampled ones are made of, at most.
int64_t cj__resample_reach(const cj__resampler *r, int64_t count);
// The first `count` resampled frames of `from`, both with `channels` channels.
void cj__resample_sound(const cj__resampler *r, const float *from, int64_t frames, int channels,
                        float *to, int64_t count);

#endif
