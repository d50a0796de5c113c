// A sound from a file as it is wanted: rate, length, channels.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "data/wav.h"
#include "tensor/tensor.h"
#include <string.h>

CJ__DEFAULTS(load_wav, LOAD_WAV)

enum { RATE_MAX = 10000000 };

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

// All of the file that is needed, with its own rate. The caller frees.
static cj_status read_own_rate(const cj__wav *wav, bool mono, float **sound)
{
    *sound = cj__new((size_t)(wav->frames * wav->channels) + 1, sizeof **sound);
    if (!*sound)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__wav_read(wav, wav->frames, *sound));
    if (mono)
        mix_down(*sound, wav->frames, wav->channels);
    return CJ_OK;
}

static cj_status read_resampled(const cj__wav *wav, const cj__sound_wanted *wanted, float *to)
{
    cj__resampler r = {0};
    float *sound = NULL;
    const int64_t frames = cj__sound_frames(wav, wanted),
                  there = cj__resampled(wav->frames, wav->rate, wanted->rate);
    const int channels = wanted->mono ? 1 : wav->channels;
    cj_status status = read_own_rate(wav, wanted->mono, &sound);
    if (status == CJ_OK)
        status = cj__resampler_open(&r, wav->rate, wanted->rate);
    if (status == CJ_OK)
        cj__resample_sound(&r, sound, wav->frames, channels, to, there < frames ? there : frames);
    cj__resampler_close(&r);
    cj__free(sound);
    return status;
}

cj_status cj__sound_read(const cj__wav *wav, const cj__sound_wanted *wanted, float *to)
{
    const int64_t frames = cj__sound_frames(wav, wanted);
    const int channels = wanted->mono ? 1 : wav->channels;
    memset(to, 0, (size_t)(frames * channels) * sizeof *to);
    if (wanted->rate > 0 && wanted->rate != wav->rate)
        return read_resampled(wav, wanted, to);
    const int64_t there = wav->frames < frames ? wav->frames : frames;
    if (!wanted->mono || wav->channels == 1)
        return cj__wav_read(wav, there, to);
    float *sound = NULL;
    const cj_status status = read_own_rate(wav, true, &sound);
    if (status == CJ_OK)
        memcpy(to, sound, (size_t)there * sizeof *to);
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
    if (given.sample_rate < 0 || given.sample_rate > RATE_MAX || given.length < 0)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_load_wav: sample_rate %lld and length %lld, needed are 0 to %d and 0 or "
            "more",
            (long long)given.sample_rate, (long long)given.length, RATE_MAX);
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
