// Data sets over sources, and one sample of any data set.
#include "data/source.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

// What all elements of a stand-in are: the largest element is eight bytes, and a text that is NULL
// is the empty one.
static const double nothing;

// What the weight of a sample is.
static const cj__type weight_type = {CJ_F32, {0}};

cj__type cj__part_type(const cj_dataset *data, int part)
{
    const cj_tensor *tensor = data->parts[part];
    cj__type type = {tensor->dtype, {.rank = tensor->shape.rank - 1}};
    for (int k = 0; k < type.shape.rank; k++)
        type.shape.dims[k] = tensor->shape.dims[k + 1];
    return type;
}

size_t cj__part_bytes(const cj_dataset *data, int part)
{
    const cj__type type = cj__part_type(data, part);
    return (size_t)cj_shape_count(&type.shape) * cj_dtype_size(type.dtype);
}

cj_status cj__parts_layout(const cj_dataset *data, int64_t samples, size_t **offsets, size_t *bytes)
{
    const int count = cj__dataset_parts(data);
    *bytes = 0;
    *offsets = cj__new((size_t)count, sizeof **offsets);
    for (int p = 0; *offsets && p < count; p++) {
        size_t size;
        (*offsets)[p] = *bytes;
        if (__builtin_mul_overflow(cj__part_bytes(data, p), (size_t)samples, &size) ||
            size > SIZE_MAX / 2 || __builtin_add_overflow(*bytes, cj__align_up_64(size), bytes))
            return cj__fail(CJ_OUT_OF_MEMORY, "data set: %lld samples at once are too large",
                            (long long)samples);
    }
    return *offsets ? CJ_OK : CJ_OUT_OF_MEMORY;
}

void **cj__part_places(void **few, int count)
{
    return count <= CJ__PART_PLACES_FEW ? few : cj__new((size_t)count, sizeof(void *));
}

void cj__part_places_end(void **places, void **few)
{
    if (places != few)
        cj__free(places);
}

// A tensor of `count` samples of a type whose elements are all one zero.
static cj_status make_stand_in(const cj__type *type, int64_t count, cj_tensor **tensor)
{
    char text[CJ_MAX_RANK * 24];
    cj_shape shape = {.rank = type->shape.rank + 1, .dims = {count}};
    if (type->shape.rank < 0 || type->shape.rank >= CJ_MAX_RANK)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: samples of %d axes, it needs 0 to %d",
                        type->shape.rank, CJ_MAX_RANK - 1);
    for (int i = 0; i < type->shape.rank; i++)
        shape.dims[i + 1] = type->shape.dims[i];
    const int64_t elements = cj_shape_count(&shape);
    if (elements < 1 || elements > INT64_MAX / 16 || (unsigned)type->dtype >= CJ_DTYPE_COUNT)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: samples of shape %s and dtype %s are none",
                        cj_shape_text(&type->shape, text, sizeof text), cj_dtype_name(type->dtype));
    cj_shape one = {.rank = shape.rank};
    for (int i = 0; i < one.rank; i++)
        one.dims[i] = 1;
    CJ_TRY(cj__tensor_over(type->dtype, &one, (void *)(uintptr_t)&nothing, tensor));
    (*tensor)->shape = shape;
    memset((*tensor)->strides, 0, sizeof(*tensor)->strides);
    return CJ_OK;
}

static cj_status make_stand_ins(const cj__parts *parts, int64_t count, cj_dataset *data)
{
    if (count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "data set: %lld samples, it needs at least 1",
                        (long long)count);
    data->count = count;
    CJ_TRY(cj__dataset_room(data, parts->x_count, parts->y_count, parts->weight_count));
    for (int i = 0; i < parts->x_count; i++)
        CJ_TRY(make_stand_in(&parts->x[i], count, &data->x[i]));
    for (int i = 0; i < parts->y_count; i++)
        CJ_TRY(make_stand_in(&parts->y[i], count, &data->y[i]));
    for (int i = 0; i < parts->weight_count; i++)
        CJ_TRY(make_stand_in(parts->weights ? &parts->weights[i] : &weight_type, count,
                             &data->weights[i]));
    return CJ_OK;
}

cj_dataset *cj__stream_new(cj__source *source, const cj__parts *parts, int64_t count)
{
    cj_dataset *data = cj__dataset_over(source);
    if (!data) {
        source->free(source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    if (make_stand_ins(parts, count, data) == CJ_OK)
        return data;
    cj_release(data);
    return cj__build_failed(CJ__MADE_DATASET);
}

cj_dataset *cj__stream_like(cj__source *source, const cj_dataset *like, int64_t count)
{
    const int all = cj__dataset_parts(like);
    cj__type *types = cj__new((size_t)all, sizeof *types);
    if (!types) {
        source->free(source);
        return cj__build_failed(CJ__MADE_DATASET);
    }
    for (int i = 0; i < all; i++)
        types[i] = cj__part_type(like, i);
    const cj__parts parts = {.x_count = like->x_count,
                             .y_count = like->y_count,
                             .weight_count = like->weight_count,
                             .x = types,
                             .y = types + like->x_count,
                             .weights = types + like->x_count + like->y_count};
    cj_dataset *data = cj__stream_new(source, &parts, count);
    cj__free(types);
    return data;
}

cj_tensor *cj__batch_tensor(const cj_tensor *like, const void *samples, int64_t count,
                            cj_tensor *tensor)
{
    *tensor =
        (cj_tensor){.dtype = like->dtype, .shape = like->shape, .data = (char *)(uintptr_t)samples};
    tensor->shape.dims[0] = count;
    int64_t step = 1;
    for (int axis = like->shape.rank - 1; axis >= 0; axis--) {
        tensor->strides[axis] = step;
        step *= tensor->shape.dims[axis];
    }
    return tensor;
}

void cj__tensor_entry(const cj_tensor *tensor, int64_t index, void *to)
{
    const size_t size = cj_dtype_size(tensor->dtype);
    const char *from = tensor->data + index * tensor->strides[0] * (int64_t)size;
    int64_t elements = 1, at[CJ_MAX_RANK] = {0};
    bool dense = true;
    for (int axis = tensor->shape.rank - 1; axis > 0; axis--) {
        dense = dense && (tensor->shape.dims[axis] == 1 || tensor->strides[axis] == elements);
        elements *= tensor->shape.dims[axis];
    }
    if (dense) {
        memcpy(to, from, (size_t)elements * size);
        return;
    }
    for (int64_t done = 0; done < elements; done++) {
        memcpy((char *)to + (size_t)done * size, from, size);
        for (int axis = tensor->shape.rank - 1; axis > 0; axis--) {
            const int64_t step = tensor->strides[axis] * (int64_t)size;
            from += step;
            if (++at[axis] < tensor->shape.dims[axis])
                break;
            from -= step * at[axis];
            at[axis] = 0;
        }
    }
}

cj_status cj__dataset_sample(const cj_dataset *data, int64_t index, uint64_t pass,
                             void *const *places)
{
    const cj__source *source = cj__dataset_source(data);
    if (source)
        return source->read(source, index, pass, places);
    for (int i = 0; i < cj__dataset_parts(data); i++)
        cj__tensor_entry(data->parts[i], index, places[i]);
    return CJ_OK;
}
