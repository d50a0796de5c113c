// The first picture of a GIF, through giflib. Pixels that it leaves out, and those of its transparent
// colour, are transparent.
#include "base/error.h"
#include "base/memory.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <gif_lib.h>
#include <string.h>

enum { WHITE = 255, COLOURS = 3, NO_COLOUR = -1 };

typedef struct source {
    const cj__file_bytes *file;
    size_t at;
} source;

bool cj__gif_is(const cj__file_bytes *file)
{
    return file->size >= 6 &&
           (memcmp(file->data, "GIF87a", 6) == 0 || memcmp(file->data, "GIF89a", 6) == 0);
}

static int read_bytes(GifFileType *gif, GifByteType *to, int size)
{
    source *s = gif->UserData;
    const size_t left = s->file->size - s->at;
    const size_t count = size > 0 && (size_t)size < left ? (size_t)size : size > 0 ? left : 0;
    memcpy(to, s->file->data + s->at, count);
    s->at += count;
    return (int)count;
}

static cj_status damaged(const cj__file_bytes *file)
{
    return cj__fail(CJ_BAD_FILE, "%s: damaged or truncated GIF", file->path);
}

// Passes over an extension; that of graphics tells the transparent colour.
static bool read_extension(GifFileType *gif, int *transparent)
{
    GifByteType *block;
    int code;
    GraphicsControlBlock control;
    if (DGifGetExtension(gif, &code, &block) == GIF_ERROR)
        return false;
    if (code == GRAPHICS_EXT_FUNC_CODE && block &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        *transparent = control.TransparentColor;
    while (block)
        if (DGifGetExtensionNext(gif, &block) == GIF_ERROR)
            return false;
    return true;
}

// Goes to the first picture.
static bool find_picture(GifFileType *gif, int *transparent)
{
    for (;;) {
        GifRecordType type;
        if (DGifGetRecordType(gif, &type) == GIF_ERROR)
            return false;
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(gif) == GIF_OK;
        if (type != EXTENSION_RECORD_TYPE || !read_extension(gif, transparent))
            return false;
    }
}

// One row of the picture, as far as it lies in the image.
static void put_row(const GifFileType *gif, const GifPixelType *from, int transparent, int64_t y,
                    cj_tensor *image)
{
    const GifImageDesc *d = &gif->Image;
    const ColorMapObject *map = d->ColorMap ? d->ColorMap : gif->SColorMap;
    const int64_t width = image->shape.dims[1], channels = image->shape.dims[2];
    if (d->Top + y >= image->shape.dims[0])
        return;
    unsigned char *to = (unsigned char *)image->data + (d->Top + y) * width * channels;
    for (int64_t x = 0; x < d->Width && d->Left + x < width; x++) {
        unsigned char *p = to + (d->Left + x) * channels;
        if (from[x] == transparent)
            continue;
        const GifColorType colour =
            from[x] < map->ColorCount ? map->Colors[from[x]] : (GifColorType){0, 0, 0};
        p[0] = colour.Red;
        p[1] = colour.Green;
        p[2] = colour.Blue;
        if (channels > COLOURS)
            p[COLOURS] = WHITE;
    }
}

static bool read_rows(GifFileType *gif, int transparent, GifPixelType *row, cj_tensor *image)
{
    // an interlaced picture has every eighth row, those between, and so on
    static const int begins[] = {0, 4, 2, 1, 0}, steps[] = {8, 8, 4, 2, 1};
    const GifImageDesc *d = &gif->Image;
    for (int pass = d->Interlace ? 0 : 4; pass < (d->Interlace ? 4 : 5); pass++)
        for (int y = begins[pass]; y < d->Height; y += steps[pass]) {
            if (DGifGetLine(gif, row, d->Width) == GIF_ERROR)
                return false;
            put_row(gif, row, transparent, y, image);
        }
    return true;
}

static cj_status read_picture(GifFileType *gif, const cj__file_bytes *file, cj_tensor **image)
{
    int transparent = NO_COLOUR;
    const int channels = COLOURS + file->with_alpha;
    if (!find_picture(gif, &transparent) || gif->Image.Width < 1 ||
        (!gif->Image.ColorMap && !gif->SColorMap))
        return damaged(file);
    CJ_TRY(cj__image_new(file, gif->SHeight, gif->SWidth, channels, image));
    memset((*image)->data, WHITE, (size_t)cj_tensor_count(*image));
    for (int64_t i = 0; file->with_alpha && i < cj_tensor_count(*image); i += channels)
        (*image)->data[i + COLOURS] = 0;
    GifPixelType *row = cj__new((size_t)gif->Image.Width, sizeof *row);
    if (!row)
        return CJ_OUT_OF_MEMORY;
    const bool whole = read_rows(gif, transparent, row, *image);
    cj__free(row);
    return whole ? CJ_OK : damaged(file);
}

cj_status cj__gif_decode(const cj__file_bytes *file, cj_tensor **image)
{
    source s = {file, 0};
    int problem = 0;
    GifFileType *gif = DGifOpen(&s, read_bytes, &problem);
    if (!gif)
        return problem == D_GIF_ERR_NOT_ENOUGH_MEM ?
                   cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory in giflib", file->path) :
                   damaged(file);
    const cj_status status = read_picture(gif, file, image);
    DGifCloseFile(gif, &problem);
    return status;
}
