// Reading an image file of any known format as grey or colour.
#include "data/image.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <cajal/data.h>

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

// The luma of ITU-R BT.601 in 16-bit fixed point.
static unsigned char grey_of(const unsigned char *p)
{
    return (unsigned char)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 32768u) >> 16);
}

// Grey to colour repeats the value; what has no alpha is opaque.
static void change_channels(const unsigned char *from, int has, unsigned char *to, int channels,
                            int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++, from += has, to += channels) {
        if (channels == 1) {
            *to = has < 3 ? *from : grey_of(from);
            continue;
        }
        for (int c = 0; c < 3; c++)
            to[c] = from[has < 3 ? 0 : c];
        if (channels == 4)
            to[3] = has % 2 == 0 ? from[has - 1] : 255;
    }
}

// The same of float32.
static void change_real_channels(const float *from, int has, float *to, int channels,
                                 int64_t pixels)
{
    for (int64_t i = 0; i < pixels; i++, from += has, to += channels) {
        if (channels == 1) {
            *to = has < 3 ? *from : 0.299f * from[0] + 0.587f * from[1] + 0.114f * from[2];
            continue;
        }
        for (int c = 0; c < 3; c++)
            to[c] = from[has < 3 ? 0 : c];
        if (channels == 4)
            to[3] = has % 2 == 0 ? from[has - 1] : 255;
    }
}

static cj_status with_channels(const cj__file_bytes *file, cj_tensor **image)
{
    cj_tensor *own = *image, *changed;
    const int channels = file->channels;
    int64_t height = own->shape.dims[0], width = own->shape.dims[1];
    if (channels == 0 || own->shape.dims[2] == channels)
        return CJ_OK;
    const int has = (int)own->shape.dims[2];
    const bool reals = own->dtype == CJ_F32;
    CJ_TRY((reals ? cj__image_new_reals : cj__image_new)(file, height, width, channels, &changed));
    if (reals)
        change_real_channels((float *)(void *)own->data, has, (float *)(void *)changed->data,
                             channels, height * width);
    else
        change_channels((unsigned char *)own->data, has, (unsigned char *)changed->data, channels,
                        height * width);
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
