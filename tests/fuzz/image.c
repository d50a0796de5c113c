// Image files of every format. What is read can be written as PNG and read back to the same bytes.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read_back(const cj_tensor *image)
{
    char path[64];
    cj_tensor *back = NULL;
    snprintf(path, sizeof path, "/tmp/cajal-fuzz-%ld.png", (long)getpid());
    if (cj_save_png(image, path) != CJ_OK || cj_load_image(path, 0, &back) != CJ_OK ||
        !cj_shape_equal(cj_tensor_shape(image), cj_tensor_shape(back)) ||
        memcmp(cj_tensor_data(image), cj_tensor_data(back), (size_t)cj_tensor_count(image)) != 0)
        abort();
    cj_release(back);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cj_tensor *image = NULL;
    cj_error_clear();
    if (cj_load_image(file_input(data, size), size % 2 ? 1 : 0, &image) != CJ_OK) {
        if (image || !*cj_error())
            abort();
        return 0;
    }
    // of an eighth of the inputs: a file that is written is made safe on the disk
    if (cj_tensor_count(image) <= 4096 && size && (size + data[size / 2]) % 8 == 0)
        write_and_read_back(image);
    cj_release(image);
    return 0;
}
