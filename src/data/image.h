// Decoders of image files, from bytes in memory to uint8 (height, width, 1 or 3). Each recognises
// its format and is one row of the table in image.c. What a file claims is checked before memory is
// allocated for it.
#ifndef CJ_DATA_IMAGE_H
#define CJ_DATA_IMAGE_H

#include <cajal/tensor.h>

// A file in memory, and the name for sentences.
typedef struct cj__file_bytes {
    const char *path;
    unsigned char *data;
    size_t size;
} cj__file_bytes;

// Checks lengths against what an image may have, and makes its tensor.
cj_status cj__image_new(const cj__file_bytes *file, int64_t height, int64_t width, int channels,
                        cj_tensor **image);

bool cj__png_is(const cj__file_bytes *file);
cj_status cj__png_decode(const cj__file_bytes *file, cj_tensor **image);
bool cj__jpeg_is(const cj__file_bytes *file);
cj_status cj__jpeg_decode(const cj__file_bytes *file, cj_tensor **image);
bool cj__pnm_is(const cj__file_bytes *file);
cj_status cj__pnm_decode(const cj__file_bytes *file, cj_tensor **image);

#endif
