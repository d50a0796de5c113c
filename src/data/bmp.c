// BMP: of 1, 4, 8, 16, 24 or 32 bits a pixel, with a palette or bit masks, rows from below or from
// above; run-length encoded of 4 and 8 bits. A fourth byte is no transparency, as in most programs.
#include "base/error.h"
#include "base/memory.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <string.h>

enum {
    FILE_HEADER = 14,
    OLD_HEADER = 12,
    INFO_HEADER = 40,
    MASKED_HEADER = 52,
    UNCOMPRESSED = 0,
    RUNS_OF_8 = 1,
    RUNS_OF_4 = 2,
    BIT_MASKS = 3
};

typedef struct layout {
    int64_t width, height, row_bytes;
    bool from_above, has_runs;
    int bits;
    uint32_t masks[3];            // red, green, blue; of 16 and 32 bits
    const unsigned char *palette; // of up to 8 bits
    int64_t colours, colour_bytes;
    const unsigned char *pixels;
} layout;

bool cj__bmp_is(const cj__file_bytes *file)
{
    return file->size >= FILE_HEADER + OLD_HEADER && memcmp(file->data, "BM", 2) == 0;
}

static uint32_t get(const unsigned char *at, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

static int64_t get_signed(const unsigned char *at)
{
    const uint32_t value = get(at, 4);
    return value < 0x80000000u ? (int64_t)value : (int64_t)value - 0x100000000;
}

static cj_status refuse(const cj__file_bytes *file, cj_status status, const char *why)
{
    return cj__fail(status, "%s: %s", file->path, why);
}

// Bit masks stand in the header, or right after the one of 40 bytes.
static cj_status read_masks(const cj__file_bytes *file, uint32_t compression, layout *l)
{
    static const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    const bool given = compression == BIT_MASKS;
    if (given && file->size < FILE_HEADER + MASKED_HEADER)
        return refuse(file, CJ_BAD_FILE, "the BMP is truncated");
    for (int i = 0; i < 3; i++) {
        l->masks[i] = given ? get(file->data + FILE_HEADER + INFO_HEADER + 4 * i, 4) :
                              usual[l->bits == 32][i];
        if (l->masks[i] == 0)
            return refuse(file, CJ_BAD_FILE, "a colour of the BMP has no bits");
    }
    return CJ_OK;
}

static cj_status read_header(const cj__file_bytes *file, layout *l)
{
    const unsigned char *info = file->data + FILE_HEADER;
    const uint32_t header = get(info, 4);
    const bool old = header == OLD_HEADER;
    if ((!old && header < INFO_HEADER) || header > file->size - FILE_HEADER)
        return refuse(file, CJ_BAD_FILE, "the header of the BMP is damaged or truncated");
    l->width = old ? (int64_t)get(info + 4, 2) : get_signed(info + 4);
    l->height = old ? (int64_t)get(info + 6, 2) : get_signed(info + 8);
    l->from_above = l->height < 0;
    l->height = l->from_above ? -l->height : l->height;
    l->bits = (int)get(info + (old ? 10 : 14), 2);
    const uint32_t compression = old ? UNCOMPRESSED : get(info + 16, 4);
    const uint32_t used = old ? 0 : get(info + 32, 4);
    const int b = l->bits;
    if (b != 1 && b != 4 && b != 8 && b != 16 && b != 24 && b != 32)
        return refuse(file, CJ_BAD_FILE, "a BMP needs 1, 4, 8, 16, 24 or 32 bits a pixel");
    l->has_runs = (compression == RUNS_OF_8 && b == 8) || (compression == RUNS_OF_4 && b == 4);
    if (compression != UNCOMPRESSED && !l->has_runs &&
        !(compression == BIT_MASKS && (b == 16 || b == 32)))
        return refuse(file, CJ_UNSUPPORTED, "a BMP that holds a JPEG, a PNG or an unknown form");
    if (b == 16 || b == 32)
        CJ_TRY(read_masks(file, compression, l));
    l->palette = info + header;
    l->colour_bytes = old ? 3 : 4;
    l->colours = b > 8 ? 0 : used > 0 && used <= (1u << b) ? used : 1u << b;
    return CJ_OK;
}

// Whether palette and rows lie within the file.
static cj_status find_pixels(const cj__file_bytes *file, layout *l)
{
    const uint64_t begin = get(file->data + 10, 4), at = (uint64_t)(l->palette - file->data);
    l->row_bytes = (l->width * l->bits + 31) / 32 * 4;
    if (at + (uint64_t)(l->colours * l->colour_bytes) > file->size || begin > file->size ||
        (!l->has_runs && (uint64_t)l->row_bytes * (uint64_t)l->height > file->size - begin))
        return refuse(file, CJ_BAD_FILE, "the BMP is truncated");
    l->pixels = file->data + begin;
    return CJ_OK;
}

// Where the next index of a run goes; NULL beyond the image.
static unsigned char *place_of(const layout *l, unsigned char *indices, int64_t x, int64_t y)
{
    return x < l->width && y < l->height ? indices + y * l->width + x : NULL;
}

// Unpacks runs, which go from below, into one byte a pixel. Pixels that they leave out have index 0.
static cj_status unpack_runs(const cj__file_bytes *file, const layout *l, unsigned char *indices)
{
    enum { LINE_ENDS = 0, IMAGE_ENDS = 1, MOVE = 2 };
    const unsigned char *at = l->pixels, *end = file->data + file->size;
    for (int64_t x = 0, y = 0; y < l->height;) {
        if (end - at < 2)
            return refuse(file, CJ_BAD_FILE, "the BMP is truncated");
        const int runs = at[0], code = at[1], count = runs > 0 ? runs : code;
        const unsigned char *values = runs > 0 ? at + 1 : at + 2;
        at += 2;
        if (runs == 0 && code == IMAGE_ENDS)
            return CJ_OK;
        if (runs == 0 && code == LINE_ENDS) {
            x = 0;
            y++;
            continue;
        }
        const int64_t bytes = runs > 0     ? 0 :
                              code == MOVE ? 2 :
                                             ((int64_t)code * l->bits + 15) / 16 * 2;
        if (end - at < bytes)
            return refuse(file, CJ_BAD_FILE, "the BMP is truncated");
        at += bytes;
        if (runs == 0 && code == MOVE) {
            x += values[0];
            y += values[1];
            continue;
        }
        for (int i = 0; i < count; i++, x++) {
            unsigned char *to = place_of(l, indices, x, y);
            const int half = i % 2, byte = values[runs > 0 ? 0 : l->bits == 8 ? i : i / 2];
            if (to)
                *to = (unsigned char)(l->bits == 8 ? byte : half ? byte & 15 : byte >> 4);
        }
    }
    return CJ_OK;
}

// The bits of a mask as 0 to 255.
static unsigned char take(uint32_t value, uint32_t mask)
{
    int shift = 0;
    while (!(mask >> shift & 1))
        shift++;
    const uint64_t most = mask >> shift;
    return (unsigned char)(((uint64_t)((value & mask) >> shift) * 255 + most / 2) / most);
}

// A pixel as red, green, blue. An index beyond the palette is black.
static void read_pixel(const layout *l, const unsigned char *row, int64_t x, unsigned char rgb[3])
{
    if (l->bits == 24) {
        for (int c = 0; c < 3; c++)
            rgb[c] = row[3 * x + 2 - c];
    } else if (l->bits > 8) {
        const uint32_t value = get(row + x * l->bits / 8, l->bits / 8);
        for (int c = 0; c < 3; c++)
            rgb[c] = take(value, l->masks[c]);
    } else {
        const int64_t bit = x * l->bits;
        const int index = row[bit / 8] >> (8 - l->bits - bit % 8) & ((1 << l->bits) - 1);
        for (int c = 0; c < 3; c++)
            rgb[c] = index < l->colours ? l->palette[index * l->colour_bytes + 2 - c] : 0;
    }
}

// Whether all colours of a palette are grey.
static bool is_grey(const layout *l)
{
    for (int64_t i = 0; i < l->colours; i++) {
        const unsigned char *colour = l->palette + i * l->colour_bytes;
        if (colour[0] != colour[1] || colour[1] != colour[2])
            return false;
    }
    return l->colours > 0;
}

static cj_status read_rows(const cj__file_bytes *file, const layout *l, cj_tensor **image)
{
    const int channels = is_grey(l) ? 1 : 3;
    CJ_TRY(cj__image_new(file, l->height, l->width, channels, image));
    unsigned char *to = (unsigned char *)(*image)->data, rgb[3];
    for (int64_t y = 0; y < l->height; y++) {
        const unsigned char *row =
            l->pixels + (l->from_above ? y : l->height - 1 - y) * l->row_bytes;
        for (int64_t x = 0; x < l->width; x++, to += channels) {
            read_pixel(l, row, x, rgb);
            memcpy(to, rgb, (size_t)channels);
        }
    }
    return CJ_OK;
}

cj_status cj__bmp_decode(const cj__file_bytes *file, cj_tensor **image)
{
    layout l = {0};
    CJ_TRY(read_header(file, &l));
    if (l.width < 1 || l.height < 1)
        return refuse(file, CJ_BAD_FILE, "a BMP without pixels");
    CJ_TRY(find_pixels(file, &l));
    if (!l.has_runs)
        return read_rows(file, &l, image);
    CJ_TRY(cj__image_check(file, l.height, l.width));
    unsigned char *indices = cj__new((size_t)l.height, (size_t)l.width);
    cj_status status = indices ? unpack_runs(file, &l, indices) : CJ_OUT_OF_MEMORY;
    l.pixels = indices;
    l.row_bytes = l.width;
    l.bits = 8;
    if (status == CJ_OK)
        status = read_rows(file, &l, image);
    cj__free(indices);
    return status;
}
