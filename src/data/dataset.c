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

cj_status cj__dataset_room(cj_dataset *data, int x_count, int y_count, int weight_count)
{
    const size_t all = (size_t)x_count + (size_t)y_count + (size_t)weight_count;
    data->parts = cj__new(all, sizeof(cj_tensor *));
    if (!data->parts)
        return CJ_OUT_OF_MEMORY;
    data->x_count = x_count;
    data->y_count = y_count;
    data->weight_count = weight_count;
    data->x = data->parts;
    data->y = data->x + x_count;
    data->weights = data->y + y_count;
    return CJ_OK;
}

int cj__dataset_parts(const cj_dataset *data)
{
    return data->x_count + data->y_count + data->weight_count;
}

void cj__dataset_clear(cj_dataset *data)
{
    for (int i = 0; data->parts && i < cj__dataset_parts(data); i++)
        cj_release(data->parts[i]);
    cj__free(data->parts);
    data->parts = data->x = data->y = data->weights = NULL;
}

static void destroy_dataset(void *object)
{
    cj_dataset *data = object;
    cj__source *source = ((named_dataset *)data)->source;
    cj__dataset_clear(data);
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
    for (int i = 0; i < data->weight_count; i++)
        CJ_TRY(check_samples(data->weights[i], "sample_weight", i, count));
    if (data->weight_count > 1 && data->weight_count != data->y_count)
        return cj__fail(
            CJ_SHAPE_MISMATCH,
            "data set: %d tensors of sample weights for %d targets, it needs one for all "
            "or one each",
            data->weight_count, data->y_count);
    return CJ_OK;
}

// Weights are kept as contiguous float32, and where there is one a sample, of shape (samples): the
// forms that a training step reads.
static cj_status simplify_weight(cj_dataset *data, int index)
{
    cj_tensor *given = data->weights[index];
    const bool single = cj_shape_count(&given->shape) == data->count;
    if (given->dtype == CJ_F32 && cj_tensor_contiguous(given) &&
        (given->shape.rank == 1 || !single))
        return CJ_OK;
    if (given->dtype == CJ_STRING)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "data set: sample_weight[%d] is texts, it needs numbers", index);
    cj_tensor *copy;
    CJ_TRY(cj_tensor_convert(given, CJ_F32, &copy));
    if (single) {
        copy->shape = CJ_SHAPE(data->count);
        copy->strides[0] = 1;
    }
    data->weights[index] = cj__own(copy);
    cj_release(given);
    return CJ_OK;
}

cj_dataset cj_no_dataset = {.count = 0}; // known by its address

CJ__DEFAULTS(dataset, DATASET)

enum { LISTS = 3 };

// One tensor may be in several lists.
static void drop_lists(const cj__list lists[LISTS])
{
    for (int l = 0; l < LISTS; l++)
        for (int i = 0; i < lists[l].count; i++)
            cj__own(lists[l].items[i]);
    for (int l = 0; l < LISTS; l++)
        for (int i = 0; i < lists[l].count; i++)
            cj_release(lists[l].items[i]);
}

// Takes every tensor over before anything can fail, so that one release of the data set is the
// whole way back, also where one floating tensor is both input and target.
static cj_dataset *make(const cj__list lists[LISTS])
{
    cj_dataset *data = cj__object_new(&cj__dataset_class, sizeof(named_dataset));
    if (!data || cj__dataset_room(data, lists[0].count, lists[1].count, lists[2].count) != CJ_OK) {
        cj_release(data);
        drop_lists(lists);
        return NULL;
    }
    int part = 0;
    for (int l = 0; l < LISTS; l++)
        for (int i = 0; i < lists[l].count; i++)
            data->parts[part++] = cj__own(lists[l].items[i]);
    cj_status status = check_tensors(data);
    for (int i = 0; status == CJ_OK && i < data->weight_count; i++)
        status = simplify_weight(data, i);
    if (status == CJ_OK)
        return data;
    cj_release(data);
    return NULL;
}

cj_dataset *cj_dataset_new(const cj_dataset_args *args)
{
    cj_dataset_args given;
    cj__list lists[LISTS];
    if (cj__args_read("data set", args, &dataset_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_DATASET);
    const cj__given_list all[LISTS] = {
        {"data set: x", given.x, given.x_list, given.x_count, CJ__MADE_TENSOR, NULL},
        {"data set: y", given.y, given.y_list, given.y_count, CJ__MADE_TENSOR, &cj_no_tensor},
        {"data set: sample_weights", given.sample_weights, given.sample_weights_list,
         given.sample_weights_count, CJ__MADE_TENSOR, &cj_no_tensor}};
    cj_status status = cj__lists_read(all, LISTS, lists);
    const void *single = given.sample_weight;
    if (status == CJ_OK && single && lists[2].count > 0)
        status = cj__fail(CJ_INVALID_ARGUMENT,
                          "data set: sample_weight and sample_weights cannot be given together");
    else if (single)
        lists[2] = (cj__list){&single, 1};
    cj_dataset *data = status == CJ_OK ? make(lists) : NULL;
    if (status != CJ_OK) {
        cj__own(single);
        drop_lists(lists);
        cj_release(single);
    }
    return data ? data : cj__build_failed(CJ__MADE_DATASET);
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
    return cj_dataset_sample_weights(data, 0);
}

cj_tensor *cj_dataset_sample_weights(const cj_dataset *data, int index)
{
    return data && index >= 0 && index < data->weight_count ?
               tensor_of(data, data->weights[index]) :
               NULL;
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
    cj_dataset parts = {.count = 0}; // on the stack
    cj_status status = cj__dataset_room_like(&parts, data);
    for (int i = 0; status == CJ_OK && i < cj__dataset_parts(data); i++)
        status = cj_tensor_slice(data->parts[i], 0, begin, count, &parts.parts[i]);
    return cj__dataset_of(&parts, status, data, slice);
}

cj_status cj__dataset_room_like(cj_dataset *parts, const cj_dataset *like)
{
    return cj__dataset_room(parts, like->x_count, like->y_count, like->weight_count);
}

cj_status cj__dataset_of(cj_dataset *parts, cj_status status, const cj_dataset *like,
                         cj_dataset **made)
{
    *made = NULL;
    if (status != CJ_OK) {
        cj__dataset_clear(parts);
        return status;
    }
    *made = cj_dataset(.x_list = parts->x, .x_count = parts->x_count, .y_list = parts->y,
                       .y_count = parts->y_count, .sample_weights_list = parts->weights,
                       .sample_weights_count = parts->weight_count);
    cj__free(parts->parts);
    status = *made ? cj__dataset_copy_classes(*made, like) : cj_error_status();
    if (status != CJ_OK) {
        cj_release(*made);
        *made = NULL;
    }
    return status;
}
