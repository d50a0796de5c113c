// PGM and PPM (Netpbm's P2, P3, P5, P6): a small bounded reader. Numbers above 255 levels are
// scaled to bytes, or to float32 where 16 bits are kept.
#include "base/error.h"
#include "data/image.h"
#include "tensor/tensor.h"

typedef struct cursor {
    const unsigned char *at, *end;
} cursor;

bool cj__pnm_is(const cj__file_bytes *file)
{
    const unsigned char *d = file->data;
    return file->size >= 3 && d[0] == 'P' &&
           (d[1] == '2' || d[1] == '3' || d[1] == '5' || d[1] == '6');
}

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Skips white space and comments, then reads a number of at most `limit`; -1 if there is no such number.
static int32_t read_number(cursor *c, int32_t limit)
{
    while (c->at < c->end && (is_space(*c->at) || *c->at == '#'))
        if (*c->at++ == '#')
            while (c->at < c->end && *c->at != '\n')
                c->at++;
    if (c->at == c->end || *c->at < '0' || *c->at > '9')
        return -1;
    int32_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        value = value * 10 + (*c->at - '0');
        if (value > limit)
            return -1;
    }
    return value;
}

// One sample: a number in text, or one or two bytes with the high one first; -1 if it is missing or
// too great.
static int32_t read_sample(cursor *c, bool text, int32_t top)
{
    if (text)
        return read_number(c, top);
    if (c->end - c->at < (top > 255 ? 2 : 1))
        return -1;
    int32_t value = *c->at++;
    if (top > 255)
        value = value << 8 | *c->at++;
    return value <= top ? value : -1;
}

cj_status cj__pnm_decode(const cj__file_bytes *file, cj_tensor **image)
{
    cursor c = {file->data + 2, file->data + file->size};
    bool text = file->data[1] <= '3';
    int channels = file->data[1] == '3' || file->data[1] == '6' ? 3 : 1;
    int32_t width = read_number(&c, 1 << 20), height = read_number(&c, 1 << 20),
            top = read_number(&c, 65535);
    if (width < 1 || height < 1 || top < 1 || c.at == c.end || !is_space(*c.at++))
        return cj__fail(CJ_BAD_FILE,
                        "%s: its header does not give width, height and the greatest value",
                        file->path);
    int64_t samples = (int64_t)width * height * channels;
    // Text needs a digit a sample and a space between; so no more memory is taken than the file
    // justifies.
    int64_t needed = text ? 2 * samples - 1 : samples * (top > 255 ? 2 : 1);
    if (c.end - c.at < needed)
        return cj__fail(CJ_BAD_FILE, "%s: %lld bytes of pixels, %dx%d pixels need %lld", file->path,
                        (long long)(c.end - c.at), width, height, (long long)needed);
    const bool deep = file->keeps_16 && top > 255;
    CJ_TRY((deep ? cj__image_new_reals : cj__image_new)(file, height, width, channels, image));
    void *pixels = (*image)->data;
    for (int64_t i = 0; i < samples; i++) {
        int32_t value = read_sample(&c, text, top);
        if (value < 0)
            return cj__fail(CJ_BAD_FILE, "%s: sample %lld is missing or above %d", file->path,
                            (long long)i, top);
        if (deep)
            ((float *)pixels)[i] = (float)(value * 255) / (float)top;
        else
            ((unsigned char *)pixels)[i] = (unsigned char)((value * 255 + top / 2) / top);
    }
    return CJ_OK;
}
