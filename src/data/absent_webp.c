// A build without the library for WebP: its files are recognised, and refused with the reason.
#include "base/error.h"
#include "data/image.h"
#include <string.h>

bool cj__webp_is(const cj__file_bytes *file)
{
    return file->size >= 12 && memcmp(file->data, "RIFF", 4) == 0 &&
           memcmp(file->data + 8, "WEBP", 4) == 0;
}

cj_status cj__webp_decode(const cj__file_bytes *file, cj_tensor **image)
{
    (void)image;
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: this build of the library has no WebP images (libwebp was not there)",
                    file->path);
}
