#include "train/class_weights.h"
#include "base/error.h"
#include "base/memory.h"
#include "tensor/tensor.h"
#include <math.h>

cj_status cj__class_weights_open(cj__class_weights *cw, const cj_fit_args *args,
                                 const cj_dataset *data, int64_t batch_size)
{
    if (!args->class_weight || args->class_count < 1)
        return CJ_OK;
    if (data->sample_weight)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: class_weight and sample weights cannot be given together");
    if (data->y_count != 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: class_weight needs a model with one output, this has %d",
                        data->y_count);
    for (int i = 0; i < args->class_count; i++)
        if (!isfinite(args->class_weight[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_fit: class_weight[%d] is not finite", i);
    const int64_t most = batch_size < data->count ? batch_size : data->count;
    *cw = (cj__class_weights){.weights = args->class_weight,
                              .count = args->class_count,
                              .buffer = cj__new((size_t)most, sizeof(float)),
                              .dtype = data->y[0]->dtype,
                              .per_sample = cj_tensor_count(data->y[0]) / data->count};
    return cw->buffer ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static int64_t class_of(const cj__class_weights *cw, const void *y, int64_t sample)
{
    int64_t best = 0;
    if (cw->per_sample == 1)
        return (int64_t)cj__element_get(cw->dtype, y, sample);
    for (int64_t i = 1; i < cw->per_sample; i++)
        if (cj__element_get(cw->dtype, y, sample * cw->per_sample + i) >
            cj__element_get(cw->dtype, y, sample * cw->per_sample + best))
            best = i;
    return best;
}

const float *cj__class_weights_of(cj__class_weights *cw, const cj__batch *batch)
{
    for (int64_t i = 0; i < batch->count; i++) {
        const int64_t class = class_of(cw, batch->y[0], i);
        cw->buffer[i] = class >= 0 && class < cw->count ? (float)cw->weights[class] : 1.0f;
    }
    return cw->buffer;
}

void cj__class_weights_close(cj__class_weights *cw)
{
    cj__free(cw->buffer);
    cw->buffer = NULL;
}
