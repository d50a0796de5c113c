// A picture of mistakes: the first hundred images that were taken for another class, each with its
// true class in green and the model's answer in red below it.
#include "cli.h"

#include <string.h>

enum { MOST = 100, COLUMNS = 10, STRIP = 14, GAP = 4, GLYPH_WIDTH = 3, GLYPH_HEIGHT = 5, ZOOM = 2 };

// Digits of three by five pixels, a row in three bits.
static const uint8_t glyphs[10][GLYPH_HEIGHT] = {
    {7, 5, 5, 5, 7}, {2, 6, 2, 2, 7}, {7, 1, 7, 4, 7}, {7, 1, 7, 1, 7}, {5, 5, 7, 1, 1},
    {7, 4, 7, 1, 7}, {7, 4, 7, 5, 7}, {7, 1, 1, 1, 1}, {7, 5, 7, 5, 7}, {7, 5, 7, 1, 7},
};

typedef struct canvas {
    uint8_t *pixels; // RGB
    int64_t width, height;
} canvas;

static void put(const canvas *c, int64_t x, int64_t y, const uint8_t *rgb)
{
    if (x >= 0 && y >= 0 && x < c->width && y < c->height)
        memcpy(c->pixels + 3 * (y * c->width + x), rgb, 3);
}

static void draw_digit(const canvas *c, int digit, int64_t x, int64_t y, const uint8_t *rgb)
{
    for (int row = 0; row < GLYPH_HEIGHT * ZOOM; row++)
        for (int column = 0; column < GLYPH_WIDTH * ZOOM; column++)
            if (glyphs[digit][row / ZOOM] >> (GLYPH_WIDTH - 1 - column / ZOOM) & 1)
                put(c, x + column, y + row, rgb);
}

// Draws a number and returns its width.
static int64_t draw_number(const canvas *c, int64_t number, int64_t x, int64_t y,
                           const uint8_t *rgb)
{
    char text[24];
    const int length = snprintf(text, sizeof text, "%lld", (long long)number);
    for (int i = 0; i < length; i++)
        draw_digit(c, text[i] - '0', x + i * (GLYPH_WIDTH + 1) * ZOOM, y, rgb);
    return length * (GLYPH_WIDTH + 1) * ZOOM;
}

// One image of height x width x channels bytes, each pixel `zoom` times as large.
static void draw_image(const canvas *c, const uint8_t *image, const cj_shape *shape, int zoom,
                       int64_t x, int64_t y)
{
    const int64_t width = shape->dims[2], channels = shape->dims[3];
    for (int64_t row = 0; row < shape->dims[1] * zoom; row++)
        for (int64_t column = 0; column < width * zoom; column++) {
            const uint8_t *p = image + (row / zoom * width + column / zoom) * channels;
            const uint8_t rgb[3] = {p[0], p[channels == 3 ? 1 : 0], p[channels == 3 ? 2 : 0]};
            put(c, x + column, y + row, rgb);
        }
}

static void draw_mistake(const canvas *c, const cj_tensor *images, int64_t sample, int64_t label,
                         int64_t answer, int zoom, int64_t place)
{
    static const uint8_t green[3] = {0, 130, 0}, red[3] = {200, 0, 0};
    const cj_shape *shape = cj_tensor_shape(images);
    const int64_t size = shape->dims[1] * shape->dims[2] * shape->dims[3];
    const int64_t x = place % COLUMNS * (shape->dims[2] * zoom + GAP) + GAP;
    const int64_t y = place / COLUMNS * (shape->dims[1] * zoom + STRIP + GAP) + GAP;
    draw_image(c, (const uint8_t *)cj_tensor_data(images) + sample * size, shape, zoom, x, y);
    const int64_t below = y + shape->dims[1] * zoom + 2;
    const int64_t used = draw_number(c, label, x + 2, below, green);
    draw_number(c, answer, x + 2 + used + 3 * ZOOM, below, red);
}

cj_status write_mistakes(const cj_tensor *images, const cj_tensor *labels,
                         const cj_tensor *probabilities, const char *path)
{
    const cj_shape *shape = cj_tensor_shape(images);
    const int zoom = shape->dims[1] < 64 ? 2 : 1;
    const int64_t classes = cj_tensor_shape(probabilities)->dims[1];
    int64_t chosen[MOST], answers[MOST], found = 0;
    for (int64_t i = 0; i < shape->dims[0] && found < MOST; i++) {
        const int64_t answer = best_of(probabilities, i, classes);
        if (answer == (int64_t)cj_tensor_get(labels, &i))
            continue;
        chosen[found] = i;
        answers[found++] = answer;
    }
    const int64_t rows = (found + COLUMNS - 1) / COLUMNS;
    canvas c = {.width = COLUMNS * (shape->dims[2] * zoom + GAP) + GAP,
                .height = (rows ? rows : 1) * (shape->dims[1] * zoom + STRIP + GAP) + GAP};
    cj_tensor *picture = NULL;
    CJ_TRY(cj_tensor_new(CJ_U8, CJ_SHAPE(c.height, c.width, 3), &picture));
    c.pixels = cj_tensor_data(picture);
    memset(c.pixels, 255, (size_t)(c.width * c.height * 3));
    for (int64_t i = 0; i < found; i++)
        draw_mistake(&c, images, chosen[i], (int64_t)cj_tensor_get(labels, &chosen[i]), answers[i],
                     zoom, i);
    const cj_status status = cj_save_png(picture, path);
    cj_release(picture);
    return status;
}
