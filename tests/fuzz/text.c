// Texts: lines of a file, and lines with labels.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_lines(const char *path)
{
    cj_tensor *lines = NULL;
    cj_error_clear();
    if (cj_load_lines(path, &lines) != CJ_OK) {
        if (lines || !*cj_error())
            abort();
        return;
    }
    const int64_t count = cj_tensor_shape(lines)->dims[0];
    for (int64_t i = 0; i < count; i++) {
        const cj_text line = cj_tensor_text(lines, (int64_t[]){i, 0});
        if (line.length < 0 || memchr(line.data, '\n', (size_t)line.length))
            abort();
    }
    cj_release(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = file_input(data, size);
    look_at_lines(path);
    for (int i = 0; i < 2; i++) {
        cj_dataset *train = NULL, *validation = NULL;
        cj_error_clear();
        const cj_status status = cj_load_texts(path, &train, &validation, .shuffle = i == 1,
                                               .validation_split = i == 1 ? 0.4 : 0);
        if (status == CJ_OK ? !train || !validation != (i == 0) :
                              train || validation || !*cj_error())
            abort();
        cj_release(train);
        cj_release(validation);
    }
    return 0;
}
