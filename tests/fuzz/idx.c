// IDX files, plain and gzip. A tensor that is read has the elements that its shape promises.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cj_tensor *tensor = NULL;
    cj_error_clear();
    if (cj_load_idx(file_input(data, size), &tensor) != CJ_OK) {
        if (tensor || !*cj_error())
            abort();
        return 0;
    }
    const unsigned char *bytes = cj_tensor_data(tensor);
    const size_t count = (size_t)cj_tensor_count(tensor) * cj_dtype_size(cj_tensor_dtype(tensor));
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += bytes[i];
    static volatile unsigned seen; // so that every byte is read
    seen = sum;
    (void)seen;
    cj_release(tensor);
    return 0;
}
