// PNG through libpng's simplified interface, which catches its own errors.
#include "base/error.h"
#include "base/file.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

enum { SIGNATURE = 8 };

bool cj__png_is(const cj__file_bytes *file)
{
    return file->size >= SIGNATURE && png_sig_cmp(file->data, 0, SIGNATURE) == 0;
}

// Whether the chunks reach up to the closing IEND: libpng stops at the last pixel and would not
// miss it.
static bool is_complete(const cj__file_bytes *file)
{
    size_t at = SIGNATURE;
    while (file->size - at >= 12) {
        const unsigned char *chunk = file->data + at;
        size_t length =
            (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (length > file->size - at - 12)
            return false;
        if (memcmp(chunk + 4, "IEND", 4) == 0)
            return true;
        at += 12 + length;
    }
    return false;
}

// Transparency is laid over white, the colour of paper.
cj_status cj__png_decode(const cj__file_bytes *file, cj_tensor **image)
{
    if (!is_complete(file))
        return cj__fail(CJ_BAD_FILE, "%s: the PNG file is truncated", file->path);
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&png, file->data, file->size))
        return cj__fail(CJ_BAD_FILE, "%s: damaged PNG (%s)", file->path, png.message);
    bool colour = png.format & PNG_FORMAT_FLAG_COLOR;
    png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    const png_color white = {255, 255, 255};
    cj_status status = cj__image_new(file, png.height, png.width, colour ? 3 : 1, image);
    if (status == CJ_OK && !png_image_finish_read(&png, &white, (*image)->data, 0, NULL))
        status = cj__fail(CJ_BAD_FILE, "%s: damaged PNG (%s)", file->path, png.message);
    png_image_free(&png);
    return status;
}

static cj_status write_png(const cj_tensor *image, const char *path)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .height = (png_uint_32)image->shape.dims[0],
                     .width = (png_uint_32)image->shape.dims[1],
                     .format = image->shape.dims[2] == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    cj__output output;
    CJ_TRY(cj__output_open(&output, path));
    if (png_image_write_to_stdio(&png, output.stream, 0, image->data, 0, NULL))
        return cj__output_commit(&output);
    cj__output_abandon(&output);
    return cj__fail(CJ_IO, "%s: %s", path, png.message);
}

cj_status cj_save_png(const cj_tensor *image, const char *path)
{
    const cj_shape *shape = &image->shape;
    char text[160];
    if (image->dtype != CJ_U8 || shape->rank != 3 || (shape->dims[2] != 1 && shape->dims[2] != 3) ||
        shape->dims[0] < 1 || shape->dims[1] < 1 || shape->dims[0] > INT32_MAX / 4 ||
        shape->dims[1] > INT32_MAX / 4)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: a %s tensor %s, a PNG needs uint8 (height, width, 1 or 3)", path,
                        cj_dtype_name(image->dtype), cj_shape_text(shape, text, sizeof text));
    if (cj_tensor_contiguous(image))
        return write_png(image, path);
    cj_tensor *copy;
    CJ_TRY(cj_tensor_convert(image, CJ_U8, &copy));
    cj_status status = write_png(copy, path);
    cj_release(copy);
    return status;
}
