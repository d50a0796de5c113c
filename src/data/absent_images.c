// A build without CAJAL_IMAGES: PNG and JPEG are recognised, and refused with the reason.
#include "base/error.h"
#include "data/image.h"
#include <cajal/data.h>
#include <string.h>

static cj_status absent(const char *path, const char *format)
{
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: this build of the library has no %s images (CAJAL_IMAGES was off)",
                    path ? path : "image", format);
}

bool cj__png_is(const cj__file_bytes *file)
{
    return file->size >= 8 && memcmp(file->data, "\x89PNG\r\n\x1a\n", 8) == 0;
}

cj_status cj__png_decode(const cj__file_bytes *file, cj_tensor **image)
{
    (void)image;
    return absent(file->path, "PNG");
}

bool cj__jpeg_is(const cj__file_bytes *file)
{
    return file->size >= 3 && memcmp(file->data, "\xff\xd8\xff", 3) == 0;
}

cj_status cj__jpeg_decode(const cj__file_bytes *file, cj_tensor **image)
{
    (void)image;
    return absent(file->path, "JPEG");
}

cj_status cj__jpeg_fit(const cj__file_bytes *file, const cj__look *look, void *pixels,
                       cj_tensor **image, bool *done)
{
    (void)look;
    (void)pixels;
    *done = false;
    return cj__jpeg_decode(file, image);
}

cj_status cj_save_png(const cj_tensor *image, const char *path)
{
    (void)image;
    return absent(path, "PNG");
}
