// The data set object: tensors that agree in their number of samples.
#include "data/dataset.h"

#include "base/args.h"
#include "base/fields.h"
#include "base/folder.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/stages.h"
#include <cajal/folders.h>
#include <string.h>

// What cj_dataset_new() makes. The names are not in cj_dataset, for cj_no_dataset is one: its size is
// part of the programs that were linked with it.
typedef struct named_dataset {
    cj_dataset data;
    cj__names classes;  // none if the data set does not name them
    cj__source *source; // owned; NULL where the samples lie in memory
} named_dataset;

static cj__names *classes_of(const cj_dataset *data)
{
    return &((named_dataset *)data)->classes;
}

static void destroy_dataset(void *object);

const cj__class cj__dataset_class = {.name = "data set", .destroy = destroy_dataset};
// Of data sets over sources. A data set on the stack is of the other class, and has no source.
static const cj__class stream_class = {.name = "data set", .destroy = destroy_dataset};

static void release_tensors(cj_dataset *data)
{
    for (int i = 0; i < data->x_count; i++)
        cj_release(data->x[i]);
    for (int i = 0; i < data->y_count; i++)
        cj_release(data->y[i]);
    cj_release(data->sample_weight);
}

static void destroy_dataset(void *object)
{
    cj_dataset *data = object;
    cj__source *source = ((named_dataset *)data)->source;
    release_tensors(data);
    cj__names_free(classes_of(data));
    if (source)
        source->free(source);
    cj__free(data);
}

cj_dataset *cj__dataset_over(cj__source *source)
{
    named_dataset *made = cj__object_new(&stream_class, sizeof *made);
    if (!made)
        return NULL;
    made->source = source;
    return &made->data;
}

const cj__source *cj__dataset_source(const cj_dataset *data)
{
    return data->object.class == &stream_class ? ((const named_dataset *)data)->source : NULL;
}

int64_t cj__dataset_batch_size(const cj_dataset *data)
{
    const cj__source *source = cj__dataset_source(data);
    return source ? source->batch_size : 0;
}

bool cj__dataset_has_order(const cj_dataset *data)
{
    const cj__source *source = cj__dataset_source(data);
    return source && source->has_order;
}

// Whether one tensor has `count` samples along its first axis.
static cj_status check_samples(const cj_tensor *tensor, const char *role, int index, int64_t count)
{
    if (tensor->shape.rank == 0)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "data set: %s[%d] is a scalar, it needs samples along its first axis", role,
                        index);
    if (tensor->shape.dims[0] != count)
        return cj__fail(CJ_SHAPE_MISMATCH, "data set: %s[%d] has %lld samples, x[0] has %lld", role,
                        index, (long long)tensor->shape.dims[0], (long long)count);
    return CJ_OK;
}

static cj_status check_tensors(cj_dataset *data)
{
    if (data->x_count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "data set: it has no input, it needs at least .x = {tensor}");
    int64_t count = data->x[0]->shape.rank > 0 ? data->x[0]->shape.dims[0] : 0;
    for (int i = 0; i < data->x_count; i++)
        CJ_TRY(check_samples(data->x[i], "x", i, count));
    for (int i = 0; i < data->y_count; i++)
        CJ_TRY(check_samples(data->y[i], "y", i, count));
    if (count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: x[0] has no samples");
    data->count = count;
    const cj_tensor *weight = data->sample_weight;
    if (!weight)
        return CJ_OK;
    CJ_TRY(check_samples(weight, "sample_weight", 0, count));
    if (cj_shape_count(&weight->shape) != count)
        return cj__fail(
            CJ_SHAPE_MISMATCH,
            "data set: sample_weight has %lld numbers for %lld samples, it needs one each",
            (long long)cj_shape_count(&weight->shape), (long long)count);
    return CJ_OK;
}

// Weights are kept as contiguous float32 of shape (samples): the one form that a training step
// reads.
static cj_status simplify_weight(cj_dataset *data)
{
    cj_tensor *given = data->sample_weight;
    if (!given || (given->dtype == CJ_F32 && given->shape.rank == 1 && cj_tensor_contiguous(given)))
        return CJ_OK;
    cj_tensor *copy;
    CJ_TRY(cj_tensor_convert(given, CJ_F32, &copy));
    copy->shape = CJ_SHAPE(data->count);
    copy->strides[0] = 1;
    data->sample_weight = cj__own(copy);
    cj_release(given);
    return CJ_OK;
}

cj_dataset cj_no_dataset = {.count = 0}; // known by its address

CJ__DEFAULTS(dataset, DATASET)

// Takes every tensor over before anything can fail, so that one release of the data set is the
// whole way back, also where one floating tensor is both input and target.
static cj_dataset *make(const cj__list *x, const cj__list *y, cj_tensor *sample_weight)
{
    cj_dataset held = {.x_count = x->count, .y_count = y->count};
    for (int i = 0; i < held.x_count; i++)
        held.x[i] = cj__own(x->items[i]);
    for (int i = 0; i < held.y_count; i++)
        held.y[i] = cj__own(y->items[i]);
    held.sample_weight = cj__own(sample_weight);

    cj_dataset *data = cj__object_new(&cj__dataset_class, sizeof(named_dataset));
    if (!data) {
        release_tensors(&held);
        return NULL;
    }
    data->x_count = held.x_count;
    data->y_count = held.y_count;
    memcpy(data->x, held.x, sizeof data->x);
    memcpy(data->y, held.y, sizeof data->y);
    data->sample_weight = held.sample_weight;
    if (check_tensors(data) != CJ_OK || simplify_weight(data) != CJ_OK) {
        cj_release(data);
        return NULL;
    }
    return data;
}

static void drop_list(const cj__list *list)
{
    for (int i = 0; i < list->count; i++)
        cj__drop_floating(list->items[i]);
}

cj_dataset *cj_dataset_new(const cj_dataset_args *args)
{
    cj_dataset_args given;
    cj__list lists[2];
    cj_dataset *data = NULL;
    if (cj__args_read("data set", args, &dataset_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_DATASET);
    const cj__given_list both[2] = {
        {"data set: x", given.x, given.x_list, given.x_count, CJ__MADE_TENSOR, NULL},
        {"data set: y", given.y, given.y_list, given.y_count, CJ__MADE_TENSOR, &cj_no_tensor}};
    const cj_status status = cj__lists_read(both, 2, lists);
    const cj__list x = lists[0], y = lists[1];
    if (status == CJ_OK && (x.count > CJ__DATASET_IO_MAX || y.count > CJ__DATASET_IO_MAX))
        cj__fail(CJ_UNSUPPORTED, "data set: %d inputs and %d targets, at most %d are possible",
                 x.count, y.count, CJ__DATASET_IO_MAX);
    else if (status == CJ_OK)
        return (data = make(&x, &y, given.sample_weight)) ? data :
                                                            cj__build_failed(CJ__MADE_DATASET);
    drop_list(&x);
    drop_list(&y);
    cj__drop_floating(given.sample_weight);
    return cj__build_failed(CJ__MADE_DATASET);
}

int64_t cj_dataset_count(const cj_dataset *data)
{
    return data ? data->count : 0;
}

// A tensor of a data set. Where samples are read as they are needed there is none, which is the cause
// of what fails for want of it.
static cj_tensor *tensor_of(const cj_dataset *data, cj_tensor *tensor)
{
    if (!tensor || !cj__dataset_source(data))
        return tensor;
    cj__fail(CJ_UNSUPPORTED,
             "data set: its samples are read when they are needed, so that there is "
             "no tensor of all; cj_dataset_load() makes one");
    return cj__build_failed(CJ__MADE_TENSOR);
}

cj_tensor *cj_dataset_x(const cj_dataset *data, int index)
{
    return data && index >= 0 && index < data->x_count ? tensor_of(data, data->x[index]) : NULL;
}

cj_tensor *cj_dataset_y(const cj_dataset *data, int index)
{
    return data && index >= 0 && index < data->y_count ? tensor_of(data, data->y[index]) : NULL;
}

cj_tensor *cj_dataset_sample_weight(const cj_dataset *data)
{
    return data ? tensor_of(data, data->sample_weight) : NULL;
}

int cj__dataset_x_count(const cj_dataset *data)
{
    return data->x_count;
}

int cj__dataset_y_count(const cj_dataset *data)
{
    return data->y_count;
}

cj_status cj__dataset_name_classes(cj_dataset *data, char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        CJ_TRY(cj__names_add(classes_of(data), names[i]));
    return CJ_OK;
}

cj_status cj__dataset_copy_classes(cj_dataset *data, const cj_dataset *from)
{
    return cj__dataset_name_classes(data, classes_of(from)->items, cj_dataset_class_count(from));
}

int cj_dataset_class_count(const cj_dataset *data)
{
    return data && data != &cj_no_dataset ? (int)classes_of(data)->count : 0;
}

const char *cj_dataset_class_name(const cj_dataset *data, int index)
{
    return index >= 0 && index < cj_dataset_class_count(data) ? classes_of(data)->items[index] :
                                                                NULL;
}

cj_status cj_dataset_slice(const cj_dataset *data, int64_t begin, int64_t count, cj_dataset **slice)
{
    if (!data || !slice)
        return data ? cj__fail_null("cj_dataset_slice: the place for the slice") :
                      cj__fail_missing(CJ__MADE_DATASET, "cj_dataset_slice: the data set");
    *slice = NULL;
    if (begin < 0 || count < 1 || begin > data->count - count)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "data set: a slice of %lld samples from %lld does not lie in %lld",
                        (long long)count, (long long)begin, (long long)data->count);
    if (cj__dataset_source(data)) {
        *slice = cj__dataset_range(data, begin, count);
        return *slice ? CJ_OK : cj_error_status();
    }
    cj_tensor *x[CJ__DATASET_IO_MAX] = {NULL}, *y[CJ__DATASET_IO_MAX] = {NULL}, *weight = NULL;
    cj_status status = CJ_OK;
    for (int i = 0; status == CJ_OK && i < data->x_count; i++)
        status = cj_tensor_slice(data->x[i], 0, begin, count, &x[i]);
    for (int i = 0; status == CJ_OK && i < data->y_count; i++)
        status = cj_tensor_slice(data->y[i], 0, begin, count, &y[i]);
    if (status == CJ_OK && data->sample_weight)
        status = cj_tensor_slice(data->sample_weight, 0, begin, count, &weight);
    if (status == CJ_OK) {
        *slice = cj_dataset(.x_list = x, .x_count = data->x_count, .y_list = y,
                            .y_count = data->y_count, .sample_weight = weight);
        if (!*slice)
            return cj_error_status();
        status = cj__dataset_copy_classes(*slice, data);
        if (status != CJ_OK) {
            cj_release(*slice);
            *slice = NULL;
        }
        return status;
    }
    for (int i = 0; i < CJ__DATASET_IO_MAX; i++) {
        cj_release(x[i]);
        cj_release(y[i]);
    }
    return status;
}
