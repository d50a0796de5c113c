// JPEG through libjpeg. Its fatal errors come back by longjmp; what it would merely print counts as
// damage.
#include "base/error.h"
#include "data/image.h"
#include "tensor/tensor.h"
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

typedef struct decoder {
    struct jpeg_error_mgr errors; // first, so that libjpeg's pointer to it is one to the decoder
    struct jpeg_decompress_struct jpeg;
    jmp_buf back;
    char reason[JMSG_LENGTH_MAX];
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

// Level -1 is a warning: data were missing or wrong and have been made up. Bytes between markers do
// no harm.
static void note(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA)
        leave(jpeg);
}

// Decodes into *image. Everything that changes lives in the decoder or behind pointers, out of
// longjmp's reach.
static cj_status decode_pixels(decoder *d, const cj__file_bytes *file, cj_tensor **image)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    jpeg_mem_src(jpeg, file->data, file->size);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->num_components != 1 && jpeg->num_components != 3)
        return cj__fail(CJ_UNSUPPORTED, "%s: a JPEG with %d colour components, it needs 1 or 3",
                        file->path, jpeg->num_components);
    int channels = jpeg->num_components;
    jpeg->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    CJ_TRY(cj__image_new(file, jpeg->image_height, jpeg->image_width, channels, image));
    jpeg_start_decompress(jpeg);
    unsigned char *pixels = (unsigned char *)(*image)->data;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row =
            pixels + (size_t)jpeg->output_scanline * jpeg->output_width * (size_t)channels;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return CJ_OK;
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
    } else {
        status = cj__fail(CJ_BAD_FILE, "%s: damaged or truncated JPEG (%s)", file->path, d.reason);
    }
    jpeg_destroy_decompress(&d.jpeg);
    return status;
}
