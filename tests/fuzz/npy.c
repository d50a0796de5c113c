// Arrays of NumPy: read and mapped they are the same.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cj_tensor *read = NULL, *mapped = NULL;
    const char *path = file_input(data, size);
    cj_error_clear();
    const cj_status status = cj_load_npy(path, &read);
    if (status != CJ_OK && (read || !*cj_error()))
        abort();
    if (cj_load_npy(path, &mapped, .mmap = true) != status)
        abort();
    if (status == CJ_OK && (!cj_shape_equal(cj_tensor_shape(read), cj_tensor_shape(mapped)) ||
                            cj_tensor_dtype(read) != cj_tensor_dtype(mapped)))
        abort();
    cj_release(read);
    cj_release(mapped);
    return 0;
}
