// How a camera was held: the orientation in the Exif block of a JPEG (JEITA CP-3451, tag 274), and
// turning the image upright.
#include "data/image.h"
#include "tensor/tensor.h"
#include <string.h>

enum { ORIENTATION = 274, ENTRY = 12, SHORT = 3 };

static uint32_t get(const unsigned char *at, int bytes, bool big)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[big ? i : bytes - 1 - i];
    return value;
}

int cj__exif_orientation(const unsigned char *block, size_t size)
{
    if (size < 6 + 8 + 2 || memcmp(block, "Exif\0\0", 6) != 0)
        return 1;
    const unsigned char *tiff = block + 6;
    size -= 6;
    const bool big = memcmp(tiff, "MM\0*", 4) == 0;
    if (!big && memcmp(tiff, "II*\0", 4) != 0)
        return 1;
    const size_t at = get(tiff + 4, 4, big);
    if (at > size - 2)
        return 1;
    const size_t count = get(tiff + at, 2, big), room = (size - 2 - at) / ENTRY;
    for (size_t i = 0; i < count && i < room; i++) {
        const unsigned char *entry = tiff + at + 2 + i * ENTRY;
        const uint32_t value = get(entry + 8, 2, big);
        if (get(entry, 2, big) == ORIENTATION && get(entry + 2, 2, big) == SHORT)
            return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

// Orientation 2 to 8: rows and columns change places from 5 on; what the file's rows and columns
// run along is reversed or not.
cj_status cj__image_upright(const cj__file_bytes *file, int orientation, cj_tensor **image)
{
    const int o = orientation;
    const bool rows_reversed = o == 3 || o == 4 || o == 6 || o == 7;
    const bool columns_reversed = o == 2 || o == 3 || o == 7 || o == 8;
    if (orientation <= 1 || orientation > 8)
        return CJ_OK;
    const bool swapped = orientation >= 5;
    const int64_t *dims = (*image)->shape.dims, height = dims[0], width = dims[1];
    const int channels = (int)dims[2];
    cj_tensor *turned;
    CJ_TRY(
        cj__image_new(file, swapped ? width : height, swapped ? height : width, channels, &turned));
    const unsigned char *from = (const unsigned char *)(*image)->data;
    unsigned char *to = (unsigned char *)turned->data;
    for (int64_t y = 0; y < turned->shape.dims[0]; y++)
        for (int64_t x = 0; x < turned->shape.dims[1]; x++, to += channels) {
            // the place in the file's rows and columns
            int64_t row = swapped ? x : y, column = swapped ? y : x;
            row = rows_reversed ? height - 1 - row : row;
            column = columns_reversed ? width - 1 - column : column;
            memcpy(to, from + (row * width + column) * channels, (size_t)channels);
        }
    cj_release(*image);
    *image = turned;
    return CJ_OK;
}
