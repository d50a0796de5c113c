// Pictures that the program puts together: images side by side, with frames and words.
#ifndef CLI_SHEET_H
#define CLI_SHEET_H

#include "cli.h"

// A picture of RGB bytes under work, white at first.
typedef struct sheet {
    cj_tensor *tensor; // (height, width, 3)
    uint8_t *pixels;   // its elements
    int64_t width, height;
} sheet;

// Height of a line of words.
enum { SHEET_LINE = 14 };

extern const uint8_t sheet_black[3], sheet_grey[3], sheet_green[3], sheet_red[3], sheet_blue[3];

// Sizes are above 0. CJ_UNSUPPORTED for more than 2^27 pixels, CJ_OUT_OF_MEMORY.
cj_status sheet_open(sheet *s, int64_t width, int64_t height);
// Writes the picture as PNG; sheet_close() is needed all the same.
cj_status sheet_save(const sheet *s, const char *path);
void sheet_close(sheet *s);

// What lies outside of the picture is left out.
void sheet_put(const sheet *s, int64_t x, int64_t y, const uint8_t *rgb);
void sheet_box(const sheet *s, int64_t x, int64_t y, int64_t width, int64_t height,
               const uint8_t *rgb);
// Words in capitals of 3 x 5 pixels, twice as large, cut at `most` pixels; returns their width.
int64_t sheet_write(const sheet *s, const char *words, int64_t x, int64_t y, int64_t most,
                    const uint8_t *rgb);
// Whether a tensor holds images: (n, height, width, 1 or 3) of bytes or of floats.
bool has_images(const cj_tensor *tensor);
// How much larger than they are images of that height and width are drawn.
int sheet_zoom(const cj_shape *shape);
// Image `index` of `images`; floats are bytes / 255 unless one of them is above 1.5, which makes all of
// them bytes.
void sheet_image(const sheet *s, const cj_tensor *images, int64_t index, int zoom, int64_t x,
                 int64_t y);

#endif
