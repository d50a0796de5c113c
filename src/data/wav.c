// The header and the samples of a WAV file: "RIFF", a length, "WAVE", then chunks of a name, a length
// and bytes, of even length. "fmt " says what a sample is, "data" has them (Microsoft and IBM 1991,
// "Multimedia Programming Interface and Data Specifications"; WAVEFORMATEXTENSIBLE of 2001). Lengths are
// checked against the file before anything is allocated.
#include "data/wav.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum {
    HEAD = 12,
    CHUNK = 8,
    FORMAT = 40,
    PCM = 1,
    FLOAT = 3,
    EXTENSIBLE = 0xfffe,
    CHANNELS_MAX = 64,
    BLOCK = 1 << 15
};

static uint32_t little(const unsigned char *p, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static cj_status read_format(cj__wav *w, uint64_t at, uint64_t size)
{
    unsigned char f[FORMAT] = {0};
    const char *path = w->input.path;
    if (size < 16)
        return cj__fail(CJ_BAD_FILE, "%s: its format chunk has %llu bytes, it needs 16", path,
                        (unsigned long long)size);
    CJ_TRY(cj__input_read(&w->input, at, f, size < FORMAT ? (size_t)size : FORMAT));
    uint32_t tag = little(f, 2);
    if (tag == EXTENSIBLE && size >= FORMAT)
        tag = little(f + 24, 2);
    const uint32_t channels = little(f + 2, 2), align = little(f + 12, 2), bits = little(f + 14, 2);
    w->rate = little(f + 4, 4);
    w->is_float = tag == FLOAT;
    if (tag != PCM && tag != FLOAT)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: sound of format %u; whole numbers (1) and floats (3) are read", path,
                        tag);
    if (channels < 1 || w->rate < 1 || w->rate > CJ__RATE_MAX || align % channels != 0 ||
        bits < 1 || bits > align / channels * 8)
        return cj__fail(CJ_BAD_FILE,
                        "%s: %u channels of %u bits in %u bytes at %lld Hz contradict each other",
                        path, channels, bits, align, (long long)w->rate);
    if (channels > CHANNELS_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: %u channels, at most %d are read", path, channels,
                        CHANNELS_MAX);
    w->channels = (int)channels;
    w->width = (int)(align / channels);
    if (w->is_float ? w->width != 4 && w->width != 8 : w->width > 4)
        return cj__fail(CJ_UNSUPPORTED, "%s: %s of %d bytes, up to 32 bits are read", path,
                        w->is_float ? "floats" : "whole numbers", w->width);
    return CJ_OK;
}

static cj_status read_chunks(cj__wav *w)
{
    const char *path = w->input.path;
    unsigned char head[HEAD] = {0};
    const uint64_t size = w->input.size;
    CJ_TRY(cj__input_read(&w->input, 0, head, size < HEAD ? (size_t)size : HEAD));
    if (size < HEAD || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0)
        return cj__fail(CJ_BAD_FILE, "%s: not a WAV file", path);
    for (uint64_t at = HEAD; size - at >= CHUNK;) {
        CJ_TRY(cj__input_read(&w->input, at, head, CHUNK));
        uint64_t length = little(head + 4, 4);
        at += CHUNK;
        if (length == UINT32_MAX && memcmp(head, "data", 4) == 0)
            length = size - at; // written to a pipe: the end was not known
        if (length > size - at)
            return cj__fail(CJ_BAD_FILE, "%s: a chunk of %llu bytes, %llu are left", path,
                            (unsigned long long)length, (unsigned long long)(size - at));
        if (memcmp(head, "fmt ", 4) == 0)
            CJ_TRY(read_format(w, at, length));
        if (memcmp(head, "data", 4) == 0) {
            if (w->channels == 0)
                return cj__fail(CJ_BAD_FILE, "%s: samples come before their format", path);
            w->begin = at;
            w->frames = (int64_t)(length / ((uint64_t)w->width * (uint64_t)w->channels));
            return CJ_OK;
        }
        at += length + (length & 1);
        if (at > size)
            break;
    }
    return cj__fail(CJ_BAD_FILE, "%s: the file has no samples", path);
}

cj_status cj__wav_open(const char *path, cj__wav *wav)
{
    *wav = (cj__wav){.frames = 0};
    CJ_TRY(cj__input_open(&wav->input, path));
    const cj_status status = read_chunks(wav);
    if (status != CJ_OK)
        cj__wav_close(wav);
    return status;
}

void cj__wav_close(cj__wav *wav)
{
    cj__input_close(&wav->input);
}

// One sample: little endian; of 8 bits without a sign.
static float sample_of(const unsigned char *p, const cj__wav *w)
{
    if (!w->is_float && w->width == 1)
        return ((float)*p - 128) / 128;
    if (!w->is_float) {
        const int32_t value = (int32_t)(little(p, w->width) << (8 * (4 - w->width)));
        return (float)value / 2147483648.0f;
    }
    const uint32_t low = little(p, 4);
    if (w->width == 4) {
        float value;
        memcpy(&value, &low, 4);
        return value;
    }
    const uint64_t both = low | (uint64_t)little(p + 4, 4) << 32;
    double value;
    memcpy(&value, &both, 8);
    return (float)value;
}

cj_status cj__wav_read(const cj__wav *w, int64_t frames, float *to)
{
    unsigned char block[BLOCK];
    const int64_t count = frames * w->channels, most = BLOCK / w->width;
    for (int64_t done = 0; done < count;) {
        const int64_t n = count - done < most ? count - done : most;
        CJ_TRY(cj__input_read(&w->input, w->begin + (uint64_t)(done * w->width), block,
                              (size_t)(n * w->width)));
        for (int64_t i = 0; i < n; i++)
            to[done + i] = sample_of(block + i * w->width, w);
        done += n;
    }
    return CJ_OK;
}
