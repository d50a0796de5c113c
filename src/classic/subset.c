// Samples of a data set by their numbers, and the classes that they belong to.
#include "classic/folds.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "tensor/tensor.h"
#include <cajal/folders.h>
#include <cajal/streams.h>
#include <cajal/texts.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- picking ----

static cj_status pick_texts(const cj_tensor *from, const int64_t *numbers, int64_t count,
                            cj_shape shape, cj_tensor **to)
{
    const int64_t each = cj_tensor_count(from) / from->shape.dims[0];
    const char **values = cj__new((size_t)(count * each), sizeof *values);
    int64_t *lengths = cj__new((size_t)(count * each), sizeof *lengths);
    cj_status status = values && lengths ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; status == CJ_OK && i < count * each; i++) {
        int64_t index[CJ_MAX_RANK] = {numbers[i / each]}, rest = i % each;
        for (int axis = shape.rank - 1; axis > 0; axis--) {
            index[axis] = rest % shape.dims[axis];
            rest /= shape.dims[axis];
        }
        const cj_text text = cj_tensor_text(from, index);
        values[i] = text.data;
        lengths[i] = text.length;
    }
    if (status == CJ_OK)
        status = cj_tensor_from_texts(shape, (cj_texts){values, lengths, count * each}, to);
    cj__free(values);
    cj__free(lengths);
    return status;
}

// The samples of a tensor whose rows have no gaps, or of a copy of it that has none.
static cj_status pick_rows(const cj_tensor *from, const int64_t *numbers, int64_t count,
                           cj_shape shape, cj_tensor **to)
{
    cj_tensor *dense = NULL;
    if (!cj_tensor_contiguous(from)) {
        CJ_TRY(cj_tensor_convert(from, from->dtype, &dense));
        from = dense;
    }
    const cj_status status = cj_tensor_new(from->dtype, shape, to);
    const size_t bytes =
        (size_t)(cj_tensor_count(from) / from->shape.dims[0]) * cj_dtype_size(from->dtype);
    for (int64_t i = 0; status == CJ_OK && bytes > 0 && i < count; i++)
        memcpy((*to)->data + (size_t)i * bytes, from->data + (size_t)numbers[i] * bytes, bytes);
    cj_release(dense);
    return status;
}

static cj_status pick_tensor(const cj_tensor *from, const int64_t *numbers, int64_t count,
                             cj_tensor **to)
{
    cj_shape shape = from->shape;
    shape.dims[0] = count;
    return from->dtype == CJ_STRING ? pick_texts(from, numbers, count, shape, to) :
                                      pick_rows(from, numbers, count, shape, to);
}

cj_status cj__pick_samples(const cj_dataset *data, const int64_t *numbers, int64_t count,
                           cj_dataset **picked)
{
    cj_dataset parts = {.count = 0}; // on the stack
    *picked = NULL;
    if (!cj_dataset_x(data, 0))
        return cj__fail(CJ_UNSUPPORTED, "folds: the samples of this data set are not in memory");
    cj_status status = cj__dataset_room_like(&parts, data);
    for (int i = 0; status == CJ_OK && i < cj__dataset_parts(data); i++)
        status = pick_tensor(data->parts[i], numbers, count, &parts.parts[i]);
    return cj__dataset_of(&parts, status, data, picked);
}

// ---- classes ----

// The number that stands for a sample's class: the target itself, or the place of its greatest entry.
static cj_status read_class(const cj_tensor *y, int64_t sample, int64_t width, const char *who,
                            int64_t *number)
{
    int64_t best = 0;
    double greatest = -INFINITY;
    for (int64_t c = 0; c < width; c++) {
        const double value = cj_tensor_get(y, (int64_t[]){sample, c});
        if (isnan(value))
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: the target of sample %lld is NaN", who,
                            (long long)sample);
        if (value > greatest) {
            greatest = value;
            best = c;
        }
    }
    if (width == 1 && (fabs(greatest) > 1e15 || greatest != floor(greatest)))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the target of sample %lld is %g, which is no class", who,
                        (long long)sample, greatest);
    *number = width == 1 ? (int64_t)greatest : best;
    return CJ_OK;
}

typedef struct labelled {
    int64_t label, sample;
} labelled;

static int by_label(const void *a, const void *b)
{
    const labelled *x = a, *y = b;
    const int64_t left = x->label != y->label ? x->label : x->sample,
                  right = x->label != y->label ? y->label : y->sample;
    return (left > right) - (left < right);
}

// Numbers the labels in the order of their first samples: sorted by label, each run of equal ones
// begins with its first sample; runs are counted when their first sample comes up in order.
static void number_classes(const labelled *sorted, int64_t count, int64_t *first, int32_t *classes,
                           int64_t *class_count)
{
    for (int64_t i = 0, begin = 0; i < count; i++) {
        begin = i > 0 && sorted[i].label != sorted[i - 1].label ? i : begin;
        first[sorted[i].sample] = sorted[begin].sample;
    }
    *class_count = 0;
    for (int64_t i = 0; i < count; i++)
        classes[i] = first[i] == i ? (int32_t)(*class_count)++ : classes[first[i]];
}

cj_status cj__classes_of(const cj_dataset *data, const char *who, int32_t **classes, int64_t *count)
{
    const int64_t samples = cj_dataset_count(data);
    const cj_tensor *y = cj_dataset_y(data, 0);
    *classes = NULL;
    if (!y && cj_dataset_is_streamed(data))
        return cj__fail(CJ_UNSUPPORTED, "%s: the samples of this data set are not in memory", who);
    if (!y || cj_dataset_y(data, 1))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the data set has %s, classes need one", who,
                        y ? "several targets" : "no target");
    if (y->dtype == CJ_STRING || y->shape.rank > 2)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a target of rank %d and dtype %s is no class", who,
                        y->shape.rank, cj_dtype_name(y->dtype));
    const int64_t width = y->shape.rank == 2 ? y->shape.dims[1] : 1;
    labelled *sorted = cj__new((size_t)samples, sizeof *sorted);
    int64_t *first = cj__new((size_t)samples, sizeof *first);
    *classes = cj__new((size_t)samples, sizeof **classes);
    cj_status status = sorted && first && *classes ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; status == CJ_OK && i < samples; i++) {
        sorted[i].sample = i;
        status = read_class(y, i, width, who, &sorted[i].label);
    }
    if (status == CJ_OK) {
        qsort(sorted, (size_t)samples, sizeof *sorted, by_label);
        number_classes(sorted, samples, first, *classes, count);
    } else {
        cj__free(*classes);
        *classes = NULL;
    }
    cj__free(sorted);
    cj__free(first);
    return status;
}
