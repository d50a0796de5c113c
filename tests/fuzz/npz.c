// Archives of arrays: every name that is told can be asked for.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cj_tensor *names = NULL;
    const char *path = file_input(data, size);
    cj_error_clear();
    if (cj_npz_names(path, &names) != CJ_OK) {
        if (names || !*cj_error())
            abort();
        return 0;
    }
    for (int64_t i = 0; i < cj_tensor_count(names) && i < 8; i++) {
        cj_tensor *array = NULL;
        cj_error_clear();
        if (cj_load_npz(path, cj_tensor_text(names, &i).data, &array) != CJ_OK &&
            (array || !*cj_error()))
            abort();
        cj_release(array);
    }
    cj_release(names);
    return 0;
}
