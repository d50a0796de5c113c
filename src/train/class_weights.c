#include "train/class_weights.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/source.h"
#include "train/losses.h"
#include <math.h>
#include <string.h>

// Losses whose targets are classes, whatever their numbers are.
static bool is_of_classes(const char *loss)
{
    cj__chosen chosen;
    if (!loss || cj__spec_parse(&cj__losses, loss, "loss", &chosen) != CJ_OK)
        return false;
    const bool yes = ((const cj__loss *)chosen.choice)->of_classes;
    cj__chosen_free(&chosen);
    return yes;
}

// Whether each sample has one class: a number, or a one-hot row.
static cj_status check_targets(const cj_tensor *y, const char *loss)
{
    char text[CJ_MAX_RANK * 24];
    const int rank = y->shape.rank - (y->shape.rank > 1 && y->shape.dims[y->shape.rank - 1] == 1);
    const bool labels = loss && strncmp(loss, "sparse_", strlen("sparse_")) == 0;
    if (rank > 2 || (labels && rank > 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: class_weight needs one class for each sample, the targets have "
                        "shape %s",
                        cj_shape_text(&y->shape, text, sizeof text));
    if (is_of_classes(loss))
        return CJ_OK;
    const int64_t columns = rank == 2 ? y->shape.dims[1] : 1;
    for (int64_t i = 0; i < y->shape.dims[0] * columns; i++) {
        const int64_t sample = i / columns, offset = sample * y->strides[0] +
                                                     (rank == 2 ? i % columns * y->strides[1] : 0);
        const double target = cj__element_get(y->dtype, y->data, offset);
        const bool is_class = rank == 2 ? target * (target - 1) == 0 : target == round(target);
        if (!is_class)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "cj_fit: class_weight needs classes, target %g of sample %lld is none",
                            target, (long long)sample);
    }
    return CJ_OK;
}

cj_status cj__class_weights_open(cj__class_weights *cw, const cj_fit_args *args,
                                 const cj__settings *settings, const cj_dataset *data,
                                 int64_t batch_size)
{
    if (!args->class_weight && args->class_count == 0)
        return CJ_OK;
    if (!args->class_weight)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: class_weight is NULL, and class_count says that it has %d weights",
                        args->class_count);
    if (args->class_count < 1)
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_fit: class_weight is given, and class_count is %d, needed is its length",
            args->class_count);
    if (data->weight_count > 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: class_weight and sample weights cannot be given together");
    if (data->y_count != 1)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_fit: class_weight needs a model with one output, this has %d",
                        data->y_count);
    for (int i = 0; i < args->class_count; i++)
        if (!isfinite(args->class_weight[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_fit: class_weight[%d] is not finite", i);
    const char *loss = cj__settings_loss(settings, 0);
    if (!cj__dataset_source(data))
        CJ_TRY(check_targets(data->y[0], loss));
    const int64_t most = batch_size < data->count ? batch_size : data->count;
    *cw = (cj__class_weights){.weights = args->class_weight,
                              .count = args->class_count,
                              .loss = loss,
                              .buffer = cj__new((size_t)most, sizeof(float)),
                              .dtype = data->y[0]->dtype,
                              .per_sample = cj_tensor_count(data->y[0]) / data->count};
    return cw->buffer ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__class_weights_check(const cj__class_weights *cw, const cj_dataset *data,
                                  const cj__batch *batch)
{
    cj_tensor y;
    if (!cj__dataset_source(data))
        return CJ_OK;
    return check_targets(cj__batch_tensor(data->y[0], batch->y[0], batch->count, &y), cw->loss);
}

static int64_t class_of(const cj__class_weights *cw, const void *y, int64_t sample)
{
    int64_t best = 0;
    if (cw->per_sample == 1)
        return (int64_t)nearbyint(cj__element_get(cw->dtype, y, sample));
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
