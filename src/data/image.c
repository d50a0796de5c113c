// Reading an image file of any known format as grey or colour.
#include "data/image.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <string.h>

enum { SIDE_MAX = 1 << 15, PIXELS_MAX = 1 << 26, FILE_MAX = 1 << 28 };

typedef struct image_format {
    bool (*is)(const cj__file_bytes *file);
    cj_status (*decode)(const cj__file_bytes *file, cj_tensor **image);
} image_format;

static const image_format formats[] = {
    {cj__png_is, cj__png_decode}, {cj__jpeg_is, cj__jpeg_decode}, {cj__pnm_is, cj__pnm_decode},
    {cj__bmp_is, cj__bmp_decode}, {cj__gif_is, cj__gif_decode},   {cj__webp_is, cj__webp_decode},
};

cj_status cj__image_check(const cj__file_bytes *file, int64_t height, int64_t width)
{
    if (height < 1 || width < 1 || height > SIDE_MAX || width > SIDE_MAX ||
        height * width > PIXELS_MAX)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: an image of %lldx%lld, it needs 1 to %d a side and at most %d pixels",
                        file->path, (long long)width, (long long)height, SIDE_MAX, PIXELS_MAX);
    return CJ_OK;
}

cj_status cj__image_new(const cj__file_bytes *file, int64_t height, int64_t width, int channels,
                        cj_tensor **image)
{
    CJ_TRY(cj__image_check(file, height, width));
    return cj_tensor_new(CJ_U8, CJ_SHAPE(height, width, channels), image);
}

cj_status cj__image_new_reals(const cj__file_bytes *file, int64_t height, int64_t width,
                              int channels, cj_tensor **image)
{
    CJ_TRY(cj__image_check(file, height, width));
    return cj_tensor_new(CJ_F32, CJ_SHAPE(height, width, channels), image);
}

// The luma of ITU-R BT.601; of bytes in 16-bit fixed point.
static void make_grey(const unsigned char *from, int has, unsigned char *to, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++, from += has)
        to[i] =
            (unsigned char)((19595u * from[0] + 38470u * from[1] + 7471u * from[2] + 32768u) >> 16);
}

static void make_grey_reals(const float *from, int has, float *to, int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++, from += has)
        to[i] = 0.299f * from[0] + 0.587f * from[1] + 0.114f * from[2];
}

// Takes channels of `size` bytes: grey to colour repeats the value; what has no alpha is opaque.
static inline void pick(const char *from, int has, char *to, int channels, int64_t pixels,
                        size_t size, const void *opaque)
{
    for (int64_t i = 0; i < pixels; i++, from += (size_t)has * size)
        for (int c = 0; c < channels; c++, to += size) {
            const int at = c == 3 ? has - 1 : has < 3 ? 0 : c;
            memcpy(to, c == 3 && has % 2 != 0 ? (const char *)opaque : from + (size_t)at * size,
                   size);
        }
}

static void change_channels(const cj_tensor *from, cj_tensor *to)
{
    static const unsigned char full_byte = 255;
    static const float full = 255;
    const int has = (int)from->shape.dims[2], channels = (int)to->shape.dims[2];
    const int64_t pixels = to->shape.dims[0] * to->shape.dims[1];
    const bool reals = from->dtype == CJ_F32;
    if (channels == 1 && has >= 3 && reals)
        make_grey_reals((const float *)(const void *)from->data, has, (float *)(void *)to->data,
                        pixels);
    else if (channels == 1 && has >= 3)
        make_grey((const unsigned char *)from->data, has, (unsigned char *)to->data, pixels);
    else if (reals)
        pick(from->data, has, to->data, channels, pixels, sizeof full, &full);
    else
        pick(from->data, has, to->data, channels, pixels, 1, &full_byte);
}

static cj_status with_channels(const cj__file_bytes *file, cj_tensor **image)
{
    cj_tensor *own = *image, *changed;
    const int channels = file->channels;
    int64_t height = own->shape.dims[0], width = own->shape.dims[1];
    if (channels == 0 || own->shape.dims[2] == channels)
        return CJ_OK;
    CJ_TRY((own->dtype == CJ_F32 ? cj__image_new_reals : cj__image_new)(file, height, width,
                                                                        channels, &changed));
    change_channels(own, changed);
    cj_release(own);
    *image = changed;
    return CJ_OK;
}

static cj_status decode(const cj__file_bytes *file, cj_tensor **image)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].is(file)) {
            CJ_TRY(formats[i].decode(file, image));
            return with_channels(file, image);
        }
    return cj__fail(CJ_BAD_FILE, "%s: not a PNG, JPEG, GIF, WebP, BMP, PGM or PPM image",
                    file->path);
}

static cj_status read_file(const char *path, cj__file_bytes *file)
{
    char *bytes;
    CJ_TRY(cj__file_read(path, FILE_MAX, &bytes, &file->size));
    file->path = path;
    file->data = (unsigned char *)bytes;
    return CJ_OK;
}

cj_status cj_load_image(const char *path, int channels, cj_tensor **image)
{
    if (!path || !image)
        return cj__fail_null(path ? "cj_load_image: the place for the image" :
                                    "cj_load_image: the file's name");
    *image = NULL;
    if (channels != 0 && channels != 1 && channels != 3 && channels != 4)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %d channels, it needs 1, 3, 4 or 0 for the file's own", path,
                        channels);
    cj__file_bytes file = {.channels = channels, .with_alpha = channels == 4};
    CJ_TRY(read_file(path, &file));
    const cj_status status = decode(&file, image);
    cj__free(file.data);
    if (status != CJ_OK) {
        cj_release(*image);
        *image = NULL;
    }
    return status;
}

static cj_status fit(const cj__file_bytes *file, const cj__look *look, void *pixels,
                     cj_tensor **image)
{
    bool done = false;
    if (cj__jpeg_is(file)) {
        CJ_TRY(cj__jpeg_fit(file, look, pixels, image, &done));
        if (done)
            return CJ_OK;
        CJ_TRY(with_channels(file, image));
    } else {
        CJ_TRY(decode(file, image));
    }
    return cj__fit_image(*image, look, pixels);
}

cj_status cj__load_fitted(const char *path, int channels, const cj__look *look, void *pixels)
{
    cj_tensor *image = NULL;
    cj__file_bytes file = {.channels = channels,
                           .with_alpha = channels == 4,
                           .as_keras = true,
                           .keeps_16 = look->reals};
    CJ_TRY(read_file(path, &file));
    const cj_status status = fit(&file, look, pixels, &image);
    cj__free(file.data);
    cj_release(image);
    return status;
}

cj_status cj__load_whole(const char *path, int channels, bool reals, cj_tensor **image)
{
    cj_tensor *read = NULL;
    cj__file_bytes file = {
        .channels = channels, .with_alpha = channels == 4, .as_keras = true, .keeps_16 = reals};
    CJ_TRY(read_file(path, &file));
    cj_status status = decode(&file, &read);
    cj__free(file.data);
    if (status == CJ_OK)
        status = cj_tensor_convert(read, reals ? CJ_F32 : CJ_U8, image);
    cj_release(read);
    return status;
}
