// See sheet.h.
#include "sheet.h"

#include <ctype.h>
#include <string.h>

enum { GLYPH_WIDTH = 3, GLYPH_HEIGHT = 5, ZOOM = 2 };

const uint8_t sheet_black[3] = {0, 0, 0}, sheet_grey[3] = {130, 130, 130},
              sheet_green[3] = {0, 130, 0}, sheet_red[3] = {200, 0, 0},
              sheet_blue[3] = {31, 95, 168};

// Each sign and its five rows of three pixels, a row an octal digit.
static const struct {
    char sign;
    const char *rows;
} glyphs[] = {
    {'0', "75557"}, {'1', "26227"}, {'2', "71747"}, {'3', "71717"}, {'4', "55711"}, {'5', "74717"},
    {'6', "74757"}, {'7', "71111"}, {'8', "75757"}, {'9', "75717"}, {'A', "25755"}, {'B', "65656"},
    {'C', "34443"}, {'D', "65556"}, {'E', "74647"}, {'F', "74644"}, {'G', "34553"}, {'H', "55755"},
    {'I', "72227"}, {'J', "11152"}, {'K', "55655"}, {'L', "44447"}, {'M', "57755"}, {'N', "65555"},
    {'O', "25552"}, {'P', "65644"}, {'Q', "25563"}, {'R', "65655"}, {'S', "34216"}, {'T', "72222"},
    {'U', "55557"}, {'V', "55552"}, {'W', "55775"}, {'X', "55255"}, {'Y', "55222"}, {'Z', "71247"},
    {'-', "00700"}, {'+', "02720"}, {'.', "00002"}, {',', "00024"}, {':', "02020"}, {'/', "11244"},
    {'_', "00007"}, {'%', "51245"}, {'(', "12221"}, {')', "42224"}, {'=', "07070"}, {' ', "00000"},
    {'?', "71202"},
};
enum { GLYPH_COUNT = sizeof(glyphs) / sizeof glyphs[0] };

cj_status sheet_open(sheet *s, int64_t width, int64_t height)
{
    enum { MOST = 1 << 27 };
    *s = (sheet){.width = width, .height = height};
    if (width > MOST / height)
        return cj_fail(CJ_UNSUPPORTED, "a picture of %lld x %lld pixels would be too large",
                       (long long)width, (long long)height);
    CJ_TRY(cj_tensor_new(CJ_U8, CJ_SHAPE(height, width, 3), &s->tensor));
    s->pixels = cj_tensor_data(s->tensor);
    memset(s->pixels, 255, (size_t)(width * height * 3));
    return CJ_OK;
}

cj_status sheet_save(const sheet *s, const char *path)
{
    return cj_save_png(s->tensor, path);
}

void sheet_close(sheet *s)
{
    cj_release(s->tensor);
    *s = (sheet){.width = 0};
}

void sheet_put(const sheet *s, int64_t x, int64_t y, const uint8_t *rgb)
{
    if (x >= 0 && y >= 0 && x < s->width && y < s->height)
        memcpy(s->pixels + 3 * (y * s->width + x), rgb, 3);
}

void sheet_box(const sheet *s, int64_t x, int64_t y, int64_t width, int64_t height,
               const uint8_t *rgb)
{
    for (int64_t row = y; row < y + height; row++)
        for (int64_t column = x; column < x + width; column++)
            sheet_put(s, column, row, rgb);
}

// The rows of a sign; of one that is not in the table those of "?".
static const char *rows_of(char sign)
{
    const char wanted = (char)toupper((unsigned char)sign);
    for (int i = 0; i < GLYPH_COUNT; i++)
        if (glyphs[i].sign == wanted)
            return glyphs[i].rows;
    return glyphs[GLYPH_COUNT - 1].rows;
}

int64_t sheet_write(const sheet *s, const char *words, int64_t x, int64_t y, int64_t most,
                    const uint8_t *rgb)
{
    int64_t used = 0;
    for (; *words && used + GLYPH_WIDTH * ZOOM <= most; words++) {
        const char *rows = rows_of(*words);
        for (int row = 0; row < GLYPH_HEIGHT * ZOOM; row++)
            for (int column = 0; column < GLYPH_WIDTH * ZOOM; column++)
                if ((rows[row / ZOOM] - '0') >> (GLYPH_WIDTH - 1 - column / ZOOM) & 1)
                    sheet_put(s, x + used + column, y + row, rgb);
        used += (GLYPH_WIDTH + 1) * ZOOM;
    }
    return used;
}

// ---- images ----

bool has_images(const cj_tensor *tensor)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    const cj_dtype dtype = cj_tensor_dtype(tensor);
    return tensor && shape->rank == 4 && (shape->dims[3] == 1 || shape->dims[3] == 3) &&
           (dtype == CJ_U8 || dtype == CJ_F32);
}

int sheet_zoom(const cj_shape *shape)
{
    return shape->dims[1] < 24 ? 4 : shape->dims[1] < 64 ? 2 : 1;
}

// An element as a byte.
static uint8_t byte_of(const cj_tensor *images, int64_t offset, float scale)
{
    if (cj_tensor_dtype(images) == CJ_U8)
        return ((const uint8_t *)cj_tensor_data(images))[offset];
    const float value = ((const float *)cj_tensor_data(images))[offset] * scale;
    return value > 0 ? value < 255 ? (uint8_t)(value + 0.5F) : 255 : 0;
}

static float scale_of(const cj_tensor *images, int64_t offset, int64_t count)
{
    if (cj_tensor_dtype(images) == CJ_U8)
        return 1;
    for (int64_t i = 0; i < count; i++)
        if (((const float *)cj_tensor_data(images))[offset + i] > 1.5F)
            return 1;
    return 255;
}

void sheet_image(const sheet *s, const cj_tensor *images, int64_t index, int zoom, int64_t x,
                 int64_t y)
{
    const cj_shape *shape = cj_tensor_shape(images);
    const int64_t width = shape->dims[2], channels = shape->dims[3],
                  size = shape->dims[1] * width * channels;
    const float scale = scale_of(images, index * size, size);
    for (int64_t row = 0; row < shape->dims[1] * zoom; row++)
        for (int64_t column = 0; column < width * zoom; column++) {
            const int64_t at = index * size + (row / zoom * width + column / zoom) * channels;
            uint8_t rgb[3];
            for (int64_t c = 0; c < 3; c++)
                rgb[c] = byte_of(images, at + (channels == 3 ? c : 0), scale);
            sheet_put(s, x + column, y + row, rgb);
        }
}
