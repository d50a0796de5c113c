// WebP through libwebp; of an animation nothing is read.
#include "base/error.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <string.h>
#include <webp/decode.h>

enum { WHITE = 255 };

bool cj__webp_is(const cj__file_bytes *file)
{
    return file->size >= 12 && memcmp(file->data, "RIFF", 4) == 0 &&
           memcmp(file->data + 8, "WEBP", 4) == 0;
}

// Colours over white, to the nearest, as of a PNG.
static void blend(const unsigned char *from, unsigned char *to, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++, from += 4, to += 3)
        for (int c = 0; c < 3; c++)
            to[c] = (unsigned char)((from[c] * from[3] + WHITE * (WHITE - from[3]) + 127) / WHITE);
}

cj_status cj__webp_decode(const cj__file_bytes *file, cj_tensor **image)
{
    WebPBitstreamFeatures found;
    cj_tensor *pixels = NULL;
    if (WebPGetFeatures(file->data, file->size, &found) != VP8_STATUS_OK)
        return cj__fail(CJ_BAD_FILE, "%s: damaged or truncated WebP", file->path);
    if (found.has_animation)
        return cj__fail(CJ_UNSUPPORTED, "%s: an animation; WebP of one picture is read",
                        file->path);
    CJ_TRY(cj__image_new(file, found.height, found.width, found.has_alpha ? 4 : 3, &pixels));
    const size_t size = (size_t)cj_tensor_count(pixels);
    const int row = found.width * (found.has_alpha ? 4 : 3);
    uint8_t *to = (uint8_t *)pixels->data;
    const uint8_t *done = found.has_alpha ?
                              WebPDecodeRGBAInto(file->data, file->size, to, size, row) :
                              WebPDecodeRGBInto(file->data, file->size, to, size, row);
    cj_status status = CJ_OK;
    if (!done)
        status = cj__fail(CJ_BAD_FILE, "%s: damaged or truncated WebP", file->path);
    if (status == CJ_OK && found.has_alpha && !file->with_alpha) {
        status = cj__image_new(file, found.height, found.width, 3, image);
        if (status == CJ_OK)
            blend(to, (unsigned char *)(*image)->data, (int64_t)(size / 4));
    } else if (status == CJ_OK) {
        *image = cj_retain(pixels);
    }
    cj_release(pixels);
    return status;
}
