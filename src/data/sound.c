// A sound from a file as it is wanted: rate, length, channels.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "data/wav.h"
#include "tensor/tensor.h"
#include <string.h>

CJ__DEFAULTS(load_wav, LOAD_WAV)

int64_t cj__sound_frames(const cj__wav *wav, const cj__sound_wanted *wanted)
{
    if (wanted->length > 0)
        return wanted->length;
    return wanted->rate > 0 ? cj__resampled(wav->frames, wav->rate, wanted->rate) : wav->frames;
}

// Averages the channels of each frame, in place.
static void mix_down(float *sound, int64_t frames, int channels)
{
    for (int64_t i = 0; i < frames; i++) {
        float sum = 0;
        for (int c = 0; c < channels; c++)
            sum += sound[i * channels + c];
        sound[i] = sum / (float)channels;
    }
}

// The first `frames` frames of the file, with its own rate. The caller frees.
static cj_status read_own_rate(const cj__wav *wav, int64_t frames, bool mono, float **sound)
{
    *sound = cj__new((size_t)(frames * wav->channels) + 1, sizeof **sound);
    if (!*sound)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__wav_read(wav, frames, *sound));
    if (mono)
        mix_down(*sound, frames, wav->channels);
    return CJ_OK;
}

// The first `count` frames at another rate.
static cj_status read_resampled(const cj__wav *wav, const cj__sound_wanted *wanted, int64_t count,
                                float *to)
{
    cj__resampler r = {0};
    float *sound = NULL;
    cj_status status = cj__resampler_open(&r, wav->rate, wanted->rate);
    const int64_t reached = status == CJ_OK ? cj__resample_reach(&r, count) : 0,
                  frames = reached < wav->frames ? reached : wav->frames;
    if (status == CJ_OK)
        status = read_own_rate(wav, frames, wanted->mono, &sound);
    if (status == CJ_OK)
        cj__resample_sound(&r, sound, frames, wanted->mono ? 1 : wav->channels, to, count);
    cj__resampler_close(&r);
    cj__free(sound);
    return status;
}

cj_status cj__sound_read(const cj__wav *wav, const cj__sound_wanted *wanted, float *to)
{
    const bool resampled = wanted->rate > 0 && wanted->rate != wav->rate;
    const int64_t frames = cj__sound_frames(wav, wanted),
                  there =
                      resampled ? cj__resampled(wav->frames, wav->rate, wanted->rate) : wav->frames,
                  count = there < frames ? there : frames;
    const int channels = wanted->mono ? 1 : wav->channels;
    memset(to + count * channels, 0, (size_t)((frames - count) * channels) * sizeof *to);
    if (resampled)
        return read_resampled(wav, wanted, count, to);
    if (!wanted->mono || wav->channels == 1)
        return cj__wav_read(wav, count, to);
    float *sound = NULL;
    const cj_status status = read_own_rate(wav, count, true, &sound);
    if (status == CJ_OK)
        memcpy(to, sound, (size_t)count * sizeof *to);
    cj__free(sound);
    return status;
}

cj_status cj_load_wav_with(const char *path, cj_tensor **sound, int64_t *rate,
                           const cj_load_wav_args *args)
{
    cj_load_wav_args given;
    cj__wav wav;
    if (!path || !sound)
        return cj__fail_null(path ? "cj_load_wav: the place for the sound" :
                                    "cj_load_wav: the file's name");
    *sound = NULL;
    CJ_TRY(cj__args_read("cj_load_wav", args, &load_wav_defaults, sizeof given, &given));
    if (given.sample_rate < 0 || given.sample_rate > CJ__RATE_MAX || given.length < 0)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_load_wav: sample_rate %lld and length %lld, needed are 0 to %d and 0 or "
            "more",
            (long long)given.sample_rate, (long long)given.length, CJ__RATE_MAX);
    const cj__sound_wanted wanted = {given.sample_rate, given.length, given.mono};
    CJ_TRY(cj__wav_open(path, &wav));
    cj_status status = cj_tensor_new(
        CJ_F32, CJ_SHAPE(cj__sound_frames(&wav, &wanted), wanted.mono ? 1 : wav.channels), sound);
    if (status == CJ_OK)
        status = cj__sound_read(&wav, &wanted, (float *)(void *)(*sound)->data);
    if (status == CJ_OK && rate)
        *rate = wanted.rate > 0 ? wanted.rate : wav.rate;
    cj__wav_close(&wav);
    if (status != CJ_OK) {
        cj_release(*sound);
        *sound = NULL;
    }
    return status;
}
