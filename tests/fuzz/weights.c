// Weights for a model that is there: after a failure it has the weights that it had.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cj_model *model; // kept for all inputs
    if (!model)
        model = cj_sequential(cj_input(3), cj_dense(2), cj_batch_normalization());
    if (!model)
        abort();
    cj_layer *layer = cj_model_layer(model);
    cj_tensor *kernel = cj_variable_value(cj_layer_variable(layer, 0));
    cj_tensor_fill(kernel, 0.25);
    cj_error_clear();
    if (cj_load_weights(model, file_input(data, size)) == CJ_OK)
        return 0;
    const float *values = cj_tensor_data(kernel);
    for (int64_t i = 0; i < cj_tensor_count(kernel); i++)
        if (values[i] != 0.25f || !*cj_error())
            abort();
    return 0;
}
