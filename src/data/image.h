// Decoders of image files, from bytes in memory to uint8 (height, width, 1 or 3; 2 or 4 with alpha).
// Each recognises its format and is one row of the table in image.c. What a file claims is checked
// before memory is allocated for it.
#ifndef CJ_DATA_IMAGE_H
#define CJ_DATA_IMAGE_H

#include "data/fit_image.h"
#include <cajal/tensor.h>

// A file in memory, the name for sentences, and what is wanted of it.
typedef struct cj__file_bytes {
    const char *path;
    unsigned char *data;
    size_t size;
    int channels;    // that are wanted; 0: the file's own
    bool with_alpha; // alpha is kept as a last channel: 2 or 4, where the file has any
    bool as_keras;   // decoded as by Keras's loader; see jpeg.c and png.c
    bool keeps_16;   // what has 16 bits becomes float32, 0 to 255
} cj__file_bytes;

// Checks lengths against what an image may have. CJ_UNSUPPORTED.
cj_status cj__image_check(const cj__file_bytes *file, int64_t height, int64_t width);
// The same, and makes its tensor.
cj_status cj__image_new(const cj__file_bytes *file, int64_t height, int64_t width, int channels,
                        cj_tensor **image);
// The same of float32.
cj_status cj__image_new_reals(const cj__file_bytes *file, int64_t height, int64_t width,
                              int channels, cj_tensor **image);

bool cj__png_is(const cj__file_bytes *file);
cj_status cj__png_decode(const cj__file_bytes *file, cj_tensor **image);
bool cj__jpeg_is(const cj__file_bytes *file);
cj_status cj__jpeg_decode(const cj__file_bytes *file, cj_tensor **image);
// An image that is resized while it is decoded; or, where that cannot be (*done is false), decoded.
cj_status cj__jpeg_fit(const cj__file_bytes *file, const cj__look *look, void *pixels,
                       cj_tensor **image, bool *done);
bool cj__pnm_is(const cj__file_bytes *file);
cj_status cj__pnm_decode(const cj__file_bytes *file, cj_tensor **image);
bool cj__gif_is(const cj__file_bytes *file);
cj_status cj__gif_decode(const cj__file_bytes *file, cj_tensor **image);
bool cj__webp_is(const cj__file_bytes *file);
cj_status cj__webp_decode(const cj__file_bytes *file, cj_tensor **image);
bool cj__bmp_is(const cj__file_bytes *file);
cj_status cj__bmp_decode(const cj__file_bytes *file, cj_tensor **image);

// Reads an image file of any known format with 1, 3 or 4 channels, resized, to `pixels`. Statuses of
// cj_load_image().
cj_status cj__load_fitted(const char *path, int channels, const cj__look *look, void *pixels);

// The same as it is, uint8 or float32 (height, width, channels), to be released.
cj_status cj__load_whole(const char *path, int channels, bool reals, cj_tensor **image);

// The orientation, 1 to 8, that an Exif block gives; 1 (upright) if it gives none.
int cj__exif_orientation(const unsigned char *block, size_t size);
// Turns an image of that orientation upright. CJ_OUT_OF_MEMORY; then *image is as it was.
cj_status cj__image_upright(const cj__file_bytes *file, int orientation, cj_tensor **image);

#endif
