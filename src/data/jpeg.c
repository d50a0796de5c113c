// JPEG through libjpeg. Its fatal errors come back by longjmp; a warning that data is missing or
// wrong counts as damage.
//
// An image is decoded as Pillow does, with the accurate integer transform, or for a folder as
// TensorFlow's decode_image() and so Keras's loader does: with the fast one, grey being the luma that
// the file has.
#include "base/error.h"
#include "base/memory.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// A progressive JPEG goes over the whole image in each scan; encoders make some ten. How many are
// accepted depends on the size of the image, so that a small file cannot ask for hours of work.
enum { SCANS_MIN = 16, SCANS_MAX = 100, SCANNED_PIXELS_MAX = 1 << 29 };
// The longest Exif block: a marker has two bytes for its length.
enum { EXIF_MAX = 0xffff };

typedef struct decoder {
    struct jpeg_error_mgr errors; // first, so that libjpeg's pointer to it is one to the decoder
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    char reason[JMSG_LENGTH_MAX];
    int orientation;
    unsigned char *row; // of the file, where an image is resized as it is decoded
    cj__fitter *fitter;
} decoder;

bool cj__jpeg_is(const cj__file_bytes *file)
{
    return file->size >= 3 && memcmp(file->data, "\xff\xd8\xff", 3) == 0;
}

static void leave(j_common_ptr jpeg)
{
    decoder *d = (decoder *)jpeg->err;
    jpeg->err->format_message(jpeg, d->reason);
    longjmp(d->back, 1);
}

// Level -1 is a warning: data was missing or wrong and has been replaced. Extra bytes between
// markers do no harm.
static void note(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA)
        leave(jpeg);
}

static int scan_limit(const struct jpeg_decompress_struct *jpeg)
{
    const int64_t pixels = (int64_t)jpeg->image_width * jpeg->image_height;
    const int64_t scans = SCANNED_PIXELS_MAX / (pixels > 0 ? pixels : 1);
    return (int)(scans < SCANS_MIN ? SCANS_MIN : scans > SCANS_MAX ? SCANS_MAX : scans);
}

static void count_scans(j_common_ptr common)
{
    struct jpeg_decompress_struct *jpeg = (struct jpeg_decompress_struct *)common;
    decoder *d = (decoder *)common->err;
    const int limit = scan_limit(jpeg);
    if (jpeg->input_scan_number <= limit)
        return;
    snprintf(d->reason, sizeof d->reason, "more than %d scans for %u x %u pixels", limit,
             jpeg->image_width, jpeg->image_height);
    longjmp(d->back, 1);
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker; marker = marker->next) {
        const int orientation = cj__exif_orientation(marker->data, marker->data_length);
        if (orientation > 1)
            return orientation;
    }
    return 1;
}

static void read_header(decoder *d, const cj__file_bytes *file)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    jpeg_mem_src(jpeg, file->data, file->size);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, EXIF_MAX);
    jpeg_read_header(jpeg, TRUE);
    d->orientation = find_orientation(jpeg);
    jpeg->dct_method = file->as_keras ? JDCT_IFAST : JDCT_ISLOW;
    d->progress.progress_monitor = count_scans;
    jpeg->progress = &d->progress;
}

// CMYK as Adobe's programs write it, with 0 for full ink, as red, green and blue.
static void mix_inks(const struct jpeg_decompress_struct *jpeg, const unsigned char *from,
                     unsigned char *to)
{
    const int turn = jpeg->saw_Adobe_marker ? 0 : 255;
    for (JDIMENSION x = 0; x < jpeg->output_width; x++, from += 4, to += 3)
        for (int c = 0; c < 3; c++)
            to[c] = (unsigned char)((from[c] ^ turn) * (from[3] ^ turn) / 255);
}

// Decodes into *image. Everything that changes is in the decoder or behind pointers, so that no
// local variable is lost by longjmp.
static cj_status decode_pixels(decoder *d, const cj__file_bytes *file, cj_tensor **image)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    const int components = jpeg->num_components;
    if (components != 1 && components != 3 && components != 4)
        return cj__fail(CJ_UNSUPPORTED, "%s: a JPEG with %d colour components, it needs 1, 3 or 4",
                        file->path, components);
    const bool inks = components == 4, grey = file->as_keras && file->channels == 1 && !inks;
    const int channels = components == 1 || grey ? 1 : 3;
    jpeg->out_color_space = inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    CJ_TRY(cj__image_new(file, jpeg->image_height, jpeg->image_width, channels, image));
    if (inks && !(d->row = cj__resize(NULL, jpeg->image_width, 4)))
        return CJ_OUT_OF_MEMORY;
    jpeg_start_decompress(jpeg);
    unsigned char *pixels = (unsigned char *)(*image)->data;
    while (jpeg->output_scanline < jpeg->output_height) {
        unsigned char *to =
            pixels + (size_t)jpeg->output_scanline * jpeg->output_width * (size_t)channels;
        JSAMPROW row = inks ? d->row : to;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (inks)
            mix_inks(jpeg, row, to);
    }
    jpeg_finish_decompress(jpeg);
    return cj__image_upright(file, d->orientation, image);
}

// Resizes rows as they are decoded. Those that are not needed are decoded too: jpeg_skip_scanlines()
// of libjpeg-turbo 2.1 goes wrong for the luma of files with less of the colours, and finds no damage.
static cj_status fit_pixels(decoder *d, const cj__file_bytes *file, const cj__look *look,
                            void *pixels)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    const int64_t dims[3] = {jpeg->image_height, jpeg->image_width, file->channels};
    CJ_TRY(cj__image_check(file, dims[0], dims[1]));
    jpeg->out_color_space = file->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    if (!(d->row = cj__resize(NULL, (size_t)dims[1], (size_t)dims[2])))
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__fitter_new(look, dims, false, pixels, &d->fitter));
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        const int64_t y = jpeg->output_scanline;
        if (jpeg_read_scanlines(jpeg, &d->row, 1) == 1 && y == cj__fitter_next(d->fitter))
            cj__fitter_take(d->fitter, d->row);
    }
    jpeg_finish_decompress(jpeg);
    return CJ_OK;
}

// What is wanted of a file: its image, or the image resized.
typedef struct order {
    const cj__file_bytes *file;
    cj_tensor **image;
    const cj__look *look;
    void *pixels;
    bool done; // resized
} order;

static cj_status follow(decoder *d, order *o)
{
    read_header(d, o->file);
    if (!o->look)
        return decode_pixels(d, o->file, o->image);
    const int channels = o->file->channels, components = d->jpeg.num_components;
    o->done = o->file->as_keras && d->orientation == 1 && (channels == 1 || channels == 3) &&
              (components == 1 || components == 3);
    return o->done ? fit_pixels(d, o->file, o->look, o->pixels) :
                     decode_pixels(d, o->file, o->image);
}

static cj_status read_jpeg(order *o)
{
    const char *path = o->file->path;
    decoder d = {.reason = ""};
    cj_status status;
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.errors.error_exit = leave;
    d.errors.emit_message = note;
    if (setjmp(d.back) == 0) {
        jpeg_create_decompress(&d.jpeg);
        status = follow(&d, o);
    } else if (d.errors.msg_code == JERR_OUT_OF_MEMORY) {
        status = cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory in libjpeg", path);
    } else {
        status = cj__fail(CJ_BAD_FILE, "%s: damaged or truncated JPEG (%s)", path, d.reason);
    }
    jpeg_destroy_decompress(&d.jpeg);
    cj__free(d.row);
    cj__fitter_free(d.fitter);
    return status;
}

cj_status cj__jpeg_decode(const cj__file_bytes *file, cj_tensor **image)
{
    return read_jpeg(&(order){.file = file, .image = image});
}

cj_status cj__jpeg_fit(const cj__file_bytes *file, const cj__look *look, void *pixels,
                       cj_tensor **image, bool *done)
{
    order o = {.file = file, .image = image, .look = look, .pixels = pixels};
    const cj_status status = read_jpeg(&o);
    *done = o.done;
    return status;
}
