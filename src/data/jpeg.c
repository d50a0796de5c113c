// JPEG through libjpeg. Its fatal errors come back by longjmp; a warning that data is missing or
// wrong counts as damage.
#include "base/error.h"
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

// Decodes into *image. Everything that changes is in the decoder or behind pointers, so that no
// local variable is lost by longjmp.
static cj_status decode_pixels(decoder *d, const cj__file_bytes *file, cj_tensor **image)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    jpeg_mem_src(jpeg, file->data, file->size);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, EXIF_MAX);
    jpeg_read_header(jpeg, TRUE);
    d->orientation = find_orientation(jpeg);
    if (jpeg->num_components != 1 && jpeg->num_components != 3)
        return cj__fail(CJ_UNSUPPORTED, "%s: a JPEG with %d colour components, it needs 1 or 3",
                        file->path, jpeg->num_components);
    int channels = jpeg->num_components;
    jpeg->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    CJ_TRY(cj__image_new(file, jpeg->image_height, jpeg->image_width, channels, image));
    d->progress.progress_monitor = count_scans;
    jpeg->progress = &d->progress;
    jpeg_start_decompress(jpeg);
    unsigned char *pixels = (unsigned char *)(*image)->data;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row =
            pixels + (size_t)jpeg->output_scanline * jpeg->output_width * (size_t)channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return cj__image_upright(file, d->orientation, image);
}

cj_status cj__jpeg_decode(const cj__file_bytes *file, cj_tensor **image)
{
    decoder d = {.reason = ""};
    cj_status status;
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.errors.error_exit = leave;
    d.errors.emit_message = note;
    if (setjmp(d.back) == 0) {
        jpeg_create_decompress(&d.jpeg);
        status = decode_pixels(&d, file, image);
    } else if (d.errors.msg_code == JERR_OUT_OF_MEMORY) {
        status = cj__fail(CJ_OUT_OF_MEMORY, "%s: out of memory in libjpeg", file->path);
    } else {
        status = cj__fail(CJ_BAD_FILE, "%s: damaged or truncated JPEG (%s)", file->path, d.reason);
    }
    jpeg_destroy_decompress(&d.jpeg);
    return status;
}
