// PNG through libpng. Its fatal errors come back by longjmp, its memory comes from the library's
// allocator.
//
// Samples are taken as they are stored: gAMA and colour profiles are not applied, of 16 bits the
// upper 8 count unless they are kept, and transparency is blended with white sample by sample; of a
// folder's images it is dropped, as Keras's loader does.
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <cajal/data.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

enum { SIGNATURE = 8, REASON = 128, WHITE = 255, CHUNK_MAX = 1 << 24 };

// What one file is read or written with. Everything that changes between setjmp() and longjmp()
// lives here.
typedef struct codec {
    png_structp png;
    png_infop info;
    const cj__file_bytes *file; // that is read
    size_t at;                  // in it
    unsigned char *rows; // as libpng gives them: the whole image if it is interlaced, else one
    jmp_buf back;
    bool without_memory;
    char reason[REASON];
} codec;

bool cj__png_is(const cj__file_bytes *file)
{
    return file->size >= SIGNATURE && png_sig_cmp(file->data, 0, SIGNATURE) == 0;
}

static void leave(png_structp png, png_const_charp reason)
{
    codec *c = png_get_error_ptr(png);
    snprintf(c->reason, sizeof c->reason, "%s", reason);
    longjmp(c->back, 1);
}

static void ignore(png_structp png, png_const_charp warning)
{
    (void)png;
    (void)warning;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    codec *c = png_get_mem_ptr(png);
    void *block = cj__new(size, 1);
    c->without_memory |= !block;
    return block;
}

static void release(png_structp png, png_voidp block)
{
    (void)png;
    cj__free(block);
}

static void read_bytes(png_structp png, png_bytep to, size_t size)
{
    codec *c = png_get_io_ptr(png);
    if (size > c->file->size - c->at)
        png_error(png, "the file is truncated");
    memcpy(to, c->file->data + c->at, size);
    c->at += size;
}

static cj_status failed(const codec *c, cj_status status, const char *path, const char *what)
{
    if (c->without_memory)
        return cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory in libpng", path);
    return cj__fail(status, "%s: %s (%s)", path, what, c->reason);
}

static bool keeps_16(const codec *c)
{
    return c->file->keeps_16 && png_get_bit_depth(c->png, c->info) == 16;
}

static bool drops_alpha(const cj__file_bytes *file)
{
    return file->as_keras && !file->with_alpha;
}

// Grey or RGB of 8 bits, or of 16 that are kept, with an alpha channel after it if there is any transparency.
static void ask_for_bytes(codec *c)
{
    const int colour = png_get_color_type(c->png, c->info);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(c->png);
    if (colour == PNG_COLOR_TYPE_GRAY)
        png_set_expand_gray_1_2_4_to_8(c->png);
    if (drops_alpha(c->file))
        png_set_strip_alpha(c->png);
    else if (png_get_valid(c->png, c->info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(c->png);
    if (!keeps_16(c))
        png_set_strip_16(c->png);
}

// One row over white, to the nearest.
static void blend_row(const unsigned char *from, int channels, unsigned char *to, size_t width,
                      int colours)
{
    if (channels == colours) {
        memcpy(to, from, width * (size_t)colours);
        return;
    }
    for (size_t x = 0; x < width; x++, from += channels, to += colours)
        for (int k = 0; k < colours; k++) {
            const int alpha = from[colours];
            to[k] = (unsigned char)((from[k] * alpha + WHITE * (WHITE - alpha) + 127) / WHITE);
        }
}

// The same of 16 bits, the high byte first, as 0 to 255.
static void blend_deep_row(const unsigned char *from, int channels, float *to, size_t width,
                           int colours)
{
    for (size_t x = 0; x < width; x++, from += 2 * channels, to += colours) {
        const unsigned char *alpha = from + 2 * colours;
        const float opaque = channels > colours ? (float)(alpha[0] << 8 | alpha[1]) / 65535.0f : 1;
        for (int k = 0; k < colours; k++) {
            const float value = (float)(from[2 * k] << 8 | from[2 * k + 1]) / 257.0f;
            to[k] = value * opaque + WHITE * (1 - opaque);
        }
    }
}

static void take_row(const codec *c, const unsigned char *row, size_t y, const cj_tensor *image)
{
    const size_t width = (size_t)image->shape.dims[1];
    const int channels = png_get_channels(c->png, c->info), colours = (int)image->shape.dims[2];
    const size_t at = y * width * (size_t)colours;
    if (image->dtype == CJ_F32)
        blend_deep_row(row, channels, (float *)(void *)image->data + at, width, colours);
    else
        blend_row(row, channels, (unsigned char *)image->data + at, width, colours);
}

static cj_status read_rows(codec *c, int passes, cj_tensor *image)
{
    const size_t height = (size_t)image->shape.dims[0];
    const size_t row_bytes = png_get_rowbytes(c->png, c->info);
    c->rows = cj__new(passes > 1 ? height : 1, row_bytes);
    if (!c->rows)
        return CJ_OUT_OF_MEMORY;
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++) {
            unsigned char *row = passes > 1 ? c->rows + y * row_bytes : c->rows;
            png_read_row(c->png, row, NULL);
            if (pass == passes - 1)
                take_row(c, row, y, image);
        }
    png_read_end(c->png, NULL); // which also checks that the file is whole
    return CJ_OK;
}

static cj_status read_image(codec *c, cj_tensor **image)
{
    png_set_read_fn(c->png, c, read_bytes);
    png_set_chunk_malloc_max(c->png, CHUNK_MAX);
    png_read_info(c->png, c->info);
    ask_for_bytes(c);
    const int type = png_get_color_type(c->png, c->info);
    const bool alpha = c->file->with_alpha && (type & PNG_COLOR_MASK_ALPHA ||
                                               png_get_valid(c->png, c->info, PNG_INFO_tRNS));
    CJ_TRY((keeps_16(c) ? cj__image_new_reals : cj__image_new)(
        c->file, png_get_image_height(c->png, c->info), png_get_image_width(c->png, c->info),
        (type & PNG_COLOR_MASK_COLOR ? 3 : 1) + alpha, image));
    const int passes = png_set_interlace_handling(c->png);
    png_read_update_info(c->png, c->info);
    return read_rows(c, passes, *image);
}

cj_status cj__png_decode(const cj__file_bytes *file, cj_tensor **image)
{
    codec c = {.file = file};
    cj_status status;
    c.png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &c, leave, ignore, &c, allocate, release);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    if (!c.info)
        status = cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory in libpng", file->path);
    else if (setjmp(c.back) == 0)
        status = read_image(&c, image);
    else
        status = failed(&c, CJ_BAD_FILE, file->path, "damaged or truncated PNG");
    png_destroy_read_struct(&c.png, &c.info, NULL);
    cj__free(c.rows);
    return status;
}

static void write_image(codec *c, const cj_tensor *image, FILE *stream)
{
    const size_t row_bytes = (size_t)(image->shape.dims[1] * image->shape.dims[2]);
    png_init_io(c->png, stream);
    png_set_IHDR(c->png, c->info, (png_uint_32)image->shape.dims[1],
                 (png_uint_32)image->shape.dims[0], 8,
                 image->shape.dims[2] == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(c->png, c->info);
    for (size_t y = 0; y < (size_t)image->shape.dims[0]; y++)
        png_write_row(c->png, (unsigned char *)image->data + y * row_bytes);
    png_write_end(c->png, NULL);
}

static cj_status write_png(const cj_tensor *image, const char *path)
{
    cj__output output;
    CJ_TRY(cj__output_open(&output, path));
    codec c = {.png = NULL};
    cj_status status = CJ_OK;
    c.png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &c, leave, ignore, &c, allocate, release);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    if (!c.info)
        status = cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory in libpng", path);
    else if (setjmp(c.back) == 0)
        write_image(&c, image, output.stream);
    else if (!ferror(output.stream)) // else the commit says what is wrong with the file
        status = failed(&c, CJ_IO, path, "the PNG cannot be written");
    png_destroy_write_struct(&c.png, &c.info);
    if (status == CJ_OK)
        return cj__output_commit(&output);
    cj__output_abandon(&output);
    return status;
}

cj_status cj_save_png(const cj_tensor *image, const char *path)
{
    char text[160];
    if (!image || !path)
        return path ? cj__fail_missing(CJ__MADE_TENSOR, "cj_save_png: the image") :
                      cj__fail_null("cj_save_png: the file's name");
    const cj_shape *shape = &image->shape;
    if (image->dtype != CJ_U8 || shape->rank != 3 || (shape->dims[2] != 1 && shape->dims[2] != 3) ||
        shape->dims[0] < 1 || shape->dims[1] < 1 || shape->dims[0] > INT32_MAX / 4 ||
        shape->dims[1] > INT32_MAX / 4)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: a %s tensor %s, a PNG needs uint8 (height, width, 1 or 3)", path,
                        cj_dtype_name(image->dtype), cj_shape_text(shape, text, sizeof text));
    if (cj_tensor_contiguous(image))
        return write_png(image, path);
    cj_tensor *copy;
    CJ_TRY(cj_tensor_convert(image, CJ_U8, &copy));
    cj_status status = write_png(copy, path);
    cj_release(copy);
    return status;
}
