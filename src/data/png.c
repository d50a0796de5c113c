// PNG through libpng's simplified interface, which catches its own errors.
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "base/memory.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIGNATURE = 8, NAME_TRIES = 100 };

bool cj__png_is(const cj__file_bytes *file)
{
    return file->size >= SIGNATURE && png_sig_cmp(file->data, 0, SIGNATURE) == 0;
}

// Whether the chunks reach up to the closing IEND: libpng stops at the last pixel and would not miss it.
static bool is_complete(const cj__file_bytes *file)
{
    size_t at = SIGNATURE;
    while (file->size - at >= 12) {
        const unsigned char *chunk = file->data + at;
        size_t length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
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

// Opens a new file beside `path` and writes its name; NULL if there is none to be had.
static FILE *open_beside(const char *path, char *name, size_t size)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        snprintf(name, size, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno == EEXIST)
            continue;
        FILE *stream = file < 0 ? NULL : fdopen(file, "wb");
        if (file >= 0 && !stream)
            close(file);
        return stream;
    }
    return NULL;
}

static cj_status write_png(const cj_tensor *image, const char *path)
{
    size_t size = strlen(path) + 64;
    char *name = cj__new(size, 1);
    if (!name)
        return CJ_OUT_OF_MEMORY;
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .height = (png_uint_32)image->shape.dims[0],
                     .width = (png_uint_32)image->shape.dims[1],
                     .format = image->shape.dims[2] == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    cj_status status = CJ_OK;
    FILE *stream = open_beside(path, name, size);
    if (!stream) {
        status = cj__fail(CJ_IO, "%s: cannot write beside it: %s", path, strerror(errno));
        goto fail;
    }
    if (!png_image_write_to_stdio(&png, stream, 0, image->data, 0, NULL))
        status = cj__fail(CJ_IO, "%s: %s", path, png.message);
    else if (fflush(stream) != 0 || fsync(fileno(stream)) != 0)
        status = cj__fail(CJ_IO, "%s: %s", path, strerror(errno));
    if (fclose(stream) != 0 && status == CJ_OK)
        status = cj__fail(CJ_IO, "%s: %s", path, strerror(errno));
    if (status == CJ_OK && rename(name, path) != 0)
        status = cj__fail(CJ_IO, "%s: %s", path, strerror(errno));
    if (status != CJ_OK)
        unlink(name);
fail:
    cj__free(name);
    return status;
}

cj_status cj_save_png(const cj_tensor *image, const char *path)
{
    const cj_shape *shape = &image->shape;
    char text[160];
    if (image->dtype != CJ_U8 || shape->rank != 3 || (shape->dims[2] != 1 && shape->dims[2] != 3) ||
        shape->dims[0] < 1 || shape->dims[1] < 1 || shape->dims[0] > INT32_MAX / 4 || shape->dims[1] > INT32_MAX / 4)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a %s tensor %s, a PNG needs uint8 (height, width, 1 or 3)", path,
                        cj_dtype_name(image->dtype), cj_shape_text(shape, text, sizeof text));
    if (cj_tensor_contiguous(image))
        return write_png(image, path);
    cj_tensor *copy;
    CJ_TRY(cj_tensor_convert(image, CJ_U8, &copy));
    cj_status status = write_png(copy, path);
    cj_release(copy);
    return status;
}
