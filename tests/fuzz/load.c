// Native files. What is loaded is saved and loaded again, to the same bytes.
#include <cajal.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;
    cj_error_clear();
    cj_model *model = cj_load_memory(data, size);
    if (!model)
        return *cj_error() ? 0 : (abort(), 1);
    if (cj_save_memory(model, &first, &first_size) == CJ_OK) {
        cj_model *again = cj_load_memory(first, first_size);
        if (!again || cj_save_memory(again, &second, &second_size) != CJ_OK ||
            first_size != second_size || memcmp(first, second, first_size) != 0)
            abort();
        cj_release(again);
    }
    cj_free(first);
    cj_free(second);
    cj_release(model);
    return 0;
}
