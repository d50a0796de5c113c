// The data set object: tensors that agree in their number of samples.
#include "data/dataset.h"

#include "base/error.h"
#include "tensor/tensor.h"

static void destroy_dataset(void *object);

const cj__class cj__dataset_class = {.name = "data set", .destroy = destroy_dataset};

// Lengths of the two lists in the arguments: each ends at its first NULL.
static int list_length(cj_tensor *const *list)
{
    int length = 0;
    while (length < CJ_DATASET_MAX_IO && list[length])
        length++;
    return length;
}

static void destroy_dataset(void *object)
{
    cj_dataset *data = object;
    for (int i = 0; i < data->x_count; i++)
        cj_release(data->x[i]);
    for (int i = 0; i < data->y_count; i++)
        cj_release(data->y[i]);
    cj_release(data->sample_weight);
    cj__free(data);
}

// Whether one tensor has `count` samples along its first axis.
static cj_status check_samples(const cj_tensor *tensor, const char *role, int index, int64_t count)
{
    if (tensor->shape.rank == 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "data set: %s[%d] is a scalar, it needs samples along its first axis", role,
                        index);
    if (tensor->shape.dims[0] != count)
        return cj__fail(CJ_SHAPE_MISMATCH, "data set: %s[%d] has %lld samples, x[0] has %lld", role, index,
                        (long long)tensor->shape.dims[0], (long long)count);
    return CJ_OK;
}

static cj_status check_args(const cj_dataset_args *args, int x_count, int y_count)
{
    if (x_count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: it has no input, it needs at least x = {tensor}");
    int64_t count = args->x[0]->shape.rank > 0 ? args->x[0]->shape.dims[0] : 0;
    for (int i = 0; i < x_count; i++)
        CJ_TRY(check_samples(args->x[i], "x", i, count));
    for (int i = 0; i < y_count; i++)
        CJ_TRY(check_samples(args->y[i], "y", i, count));
    if (count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: x[0] has no samples");
    const cj_tensor *weight = args->sample_weight;
    if (!weight)
        return CJ_OK;
    CJ_TRY(check_samples(weight, "sample_weight", 0, count));
    if (cj_shape_count(&weight->shape) != count)
        return cj__fail(CJ_SHAPE_MISMATCH, "data set: sample_weight has %lld numbers for %lld samples, it needs one each",
                        (long long)cj_shape_count(&weight->shape), (long long)count);
    return CJ_OK;
}

// Weights are kept as contiguous float32 of shape (samples): the one form that a training step reads.
static cj_status keep_weight(cj_dataset *data, cj_tensor *given)
{
    if (given->dtype == CJ_F32 && given->shape.rank == 1 && cj_tensor_contiguous(given)) {
        data->sample_weight = cj__own(given);
        return CJ_OK;
    }
    cj_tensor *copy = NULL, *flat = NULL;
    cj_status status = cj_tensor_convert(given, CJ_F32, &copy);
    if (status == CJ_OK)
        status = cj_tensor_reshape(copy, CJ_SHAPE(data->count), &flat);
    if (status == CJ_OK) {
        data->sample_weight = cj__own(flat);
        cj__drop_floating(given);
    }
    cj__drop_floating(copy);
    if (status == CJ_OK && copy->base != NULL)
        return CJ_OK;
    return status;
}

static void drop_arguments(const cj_dataset_args *args, int x_count, int y_count)
{
    for (int i = 0; i < x_count; i++)
        cj__drop_floating(args->x[i]);
    for (int i = 0; i < y_count; i++)
        cj__drop_floating(args->y[i]);
    cj__drop_floating(args->sample_weight);
}
