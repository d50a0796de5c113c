// A build without the library for GIF: its files are recognised, and refused with the reason.
#include "base/error.h"
#include "data/image.h"
#include <string.h>

bool cj__gif_is(const cj__file_bytes *file)
{
    return file->size >= 6 && memcmp(file->data, "GIF8", 4) == 0;
}

cj_status cj__gif_decode(const cj__file_bytes *file, cj_tensor **image)
{
    (void)image;
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: this build of the library has no GIF images (libgif was not there)",
                    file->path);
}
