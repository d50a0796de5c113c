#include "train/check.h"
#include "base/error.h"
#include "layers/layer.h"
#include "data/source.h"
#include "train/losses.h"
#include <math.h>
#include <string.h>

cj_status cj__check_built(cj_model *model, const cj_dataset *data, const char *who)
{
    if (cj_model_input_count(model) > 0)
        return CJ_OK;
    const cj_tensor *x = data->x[0];
    cj_shape shape = {.rank = x->shape.rank - 1};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = x->shape.dims[i + 1];
    const cj_dtype dtype = x->dtype == CJ_STRING                    ? CJ_STRING :
                           x->dtype == CJ_I32 || x->dtype == CJ_I64 ? CJ_I32 :
                                                                      CJ_F32;
    const cj_status status = cj__model_need_input(model, dtype, shape);
    return status ? cj__fail_in(status, "%s", who) : CJ_OK;
}

// Whether samples of `given` can stand for samples of `wanted`: equal but for one axis of length 1
// at the end. The bytes are the same either way.
static bool fits(const cj_shape *given, const cj_shape *wanted)
{
    const int low = given->rank < wanted->rank ? given->rank : wanted->rank;
    for (int i = 1; i < low; i++)
        if (given->dims[i] != wanted->dims[i] && (wanted->dims[i] != CJ_ANY || given->dims[i] < 1))
            return false;
    if (given->rank == wanted->rank + 1)
        return given->dims[low] == 1;
    if (given->rank + 1 == wanted->rank)
        return wanted->dims[low] == 1;
    return given->rank == wanted->rank;
}

// Texts are no numbers, nor the other way round.
static cj_status check_texts(cj_dtype given, cj_dtype needed, int index, const char *name,
                             const char *who)
{
    if ((given == CJ_STRING) == (needed == CJ_STRING))
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: input %d is %s, model \"%s\" needs %s%s", who, index,
                    cj_dtype_name(given), name, cj_dtype_name(needed),
                    given == CJ_STRING ? ": its first layer would have to be a TextVectorization, "
                                         "StringLookup or Hashing, or use cj_vectorize()" :
                                         "");
}

cj_status cj__check_inputs(cj_model *model, const cj_dataset *data, const char *who)
{
    const cj__type *types = NULL;
    const int count = cj__model_inputs(model, &types);
    const char *name = cj_layer_name(cj_model_layer(model));
    char given[CJ_MAX_RANK * 24], needed[CJ_MAX_RANK * 24];
    if (data->count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: the data has no samples", who);
    if (data->x_count != count)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the data has %d inputs, model \"%s\" needs %d", who,
                        data->x_count, name, count);
    for (int i = 0; i < count; i++)
        CJ_TRY(check_texts(data->x[i]->dtype, types[i].dtype, i, name, who));
    for (int i = 0; i < count; i++)
        if (!fits(&data->x[i]->shape, &types[i].shape))
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d has shape %s, model \"%s\" needs %s",
                            who, i, cj_shape_text(&data->x[i]->shape, given, sizeof given), name,
                            cj_shape_text(&types[i].shape, needed, sizeof needed));
    return CJ_OK;
}

int64_t cj__fixed_batch(const cj_model *model)
{
    const cj__type *types = NULL;
    const int count = cj__model_inputs(model, &types);
    for (int i = 0; i < count; i++)
        if (types[i].shape.rank > 0 && types[i].shape.dims[0] != CJ_BATCH)
            return types[i].shape.dims[0];
    return 0;
}

// Whether batches of `size` samples suit every input; one that leaves its batch size free has any.
static bool suits(const cj_model *model, int64_t size)
{
    const cj__type *types = NULL;
    const int count = cj__model_inputs(model, &types);
    for (int i = 0; i < count; i++) {
        const cj_shape *shape = &types[i].shape;
        if (shape->rank > 0 && shape->dims[0] != CJ_BATCH && shape->dims[0] != size)
            return false;
    }
    return true;
}

cj_status cj__check_batches(const cj_model *model, const cj_dataset *data, int64_t batch_size,
                            const char *who, int64_t *size)
{
    const int64_t fixed = cj__fixed_batch(model), count = data->count,
                  asked = cj__dataset_batch_size(data);
    if (batch_size < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: batch_size is %lld, needed is 0 or more", who,
                        (long long)batch_size);
    *size = batch_size ? batch_size : asked ? asked : fixed ? fixed : 32;
    const int64_t first = *size < count ? *size : count, last = count % first;
    const int64_t wrong = !suits(model, first) ? first : last && !suits(model, last) ? last : 0;
    if (wrong)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: model \"%s\" has a fixed batch size of %lld, but %lld samples in "
                        "batches of %lld give a batch of %lld",
                        who, cj_layer_name(cj_model_layer(model)), (long long)fixed,
                        (long long)count, (long long)*size, (long long)wrong);
    return CJ_OK;
}

// The first element in row-major order for which `bad` is true, or -1. `labels` is handed on.
static int64_t find_element(const cj_tensor *tensor,
                            bool (*bad)(double value, const cj__labels *labels),
                            const cj__labels *labels)
{
    const int64_t count = cj_tensor_count(tensor);
    const bool contiguous = cj_tensor_contiguous(tensor);
    for (int64_t i = 0; i < count; i++) {
        int64_t offset = i, rest = i;
        if (!contiguous) {
            offset = 0;
            for (int axis = tensor->shape.rank; axis-- > 0; rest /= tensor->shape.dims[axis])
                offset += rest % tensor->shape.dims[axis] * tensor->strides[axis];
        }
        if (bad(cj__element_get(tensor->dtype, tensor->data, offset), labels))
            return i;
    }
    return -1;
}

static bool is_not_finite(double value, const cj__labels *labels)
{
    (void)labels;
    return !isfinite(value);
}

static bool is_no_label(double value, const cj__labels *labels)
{
    const bool ignored = value >= labels->ignored && value <= labels->ignored;
    return !ignored && !(value >= 0 && value < (double)labels->classes && value == floor(value));
}

// Float data is scanned once for NaN and infinity. For contiguous float32, the sum of x 0 is 0 only
// if all are finite, and costs one pass at the speed of memory.
static int64_t find_not_finite(const cj_tensor *tensor)
{
    if (tensor->dtype != CJ_F32 && tensor->dtype != CJ_F64 && tensor->dtype != CJ_BF16)
        return -1;
    if (tensor->dtype == CJ_F32 && cj_tensor_contiguous(tensor)) {
        const float *x = (const float *)(const void *)tensor->data;
        const int64_t count = cj_tensor_count(tensor);
        float sums[8] = {0};
        for (int64_t i = 0; i + 8 <= count; i += 8)
            for (int j = 0; j < 8; j++)
                sums[j] += x[i + j] * 0.0f;
        for (int64_t i = count / 8 * 8; i < count; i++)
            sums[0] += x[i] * 0.0f;
        float sum = 0;
        for (int j = 0; j < 8; j++)
            sum += sums[j];
        if (isfinite(sum))
            return -1;
    }
    return find_element(tensor, is_not_finite, NULL);
}

// The number in the data set of an entry of what is checked: all samples, or those of a batch.
static int64_t number_of(const cj__batch *batch, int64_t entry)
{
    return !batch ? entry : batch->samples ? batch->samples[entry] : batch->first + entry;
}

static cj_status check_finite(const cj_tensor *tensor, const char *what, int index,
                              const cj__batch *batch, const char *who)
{
    const int64_t found = find_not_finite(tensor);
    if (found < 0)
        return CJ_OK;
    const int64_t each = cj_tensor_count(tensor) / tensor->shape.dims[0];
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %d of sample %lld is NaN or infinite", who, what,
                    index, (long long)number_of(batch, found / each));
}

// Labels of a loss that takes class numbers must be 0 .. classes - 1.
static cj_status check_labels(const cj_model *model, const cj__train_state *state,
                              const cj_tensor *y, int output, const cj__batch *batch,
                              const char *who)
{
    const char *spec = cj__settings_loss(&state->settings, output);
    const cj_shape *shape = cj_model_output_shape(model, output);
    cj__chosen chosen;
    if (!spec || !shape)
        return CJ_OK;
    CJ_TRY(cj__spec_parse(&cj__losses, spec, "loss", &chosen));
    const cj__labels labels = cj__loss_labels((const cj__loss *)chosen.choice, chosen.args, shape);
    cj__chosen_free(&chosen);
    if (labels.classes == 0)
        return CJ_OK;
    const int64_t classes = labels.classes;
    const int64_t found = find_element(y, is_no_label, &labels);
    if (found < 0)
        return CJ_OK;
    const int64_t sample = found / (cj_tensor_count(y) / y->shape.dims[0]);
    cj_tensor *flat = NULL;
    double label = NAN;
    if (cj_tensor_convert(y, CJ_F64, &flat) == CJ_OK)
        label = ((const double *)cj_tensor_data(flat))[found];
    cj_release(flat);
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: label %g of sample %lld is %s 0..%lld, the classes of the output", who,
                    label, (long long)number_of(batch, sample),
                    label >= 0 && label < (double)classes ? "not a whole number in" : "outside",
                    (long long)classes - 1);
}

// Finite numbers, and labels within the classes, of all samples or of those of `batch`.
static cj_status check_numbers(const cj_model *model, const cj__train_state *state,
                               const cj_dataset *data, const cj__batch *batch, const char *who)
{
    const int weights = data->x_count + data->y_count;
    for (int p = 0; p < cj__dataset_parts(data); p++) {
        cj_tensor of_batch;
        const cj_tensor *part = data->parts[p];
        if (batch)
            part = cj__batch_part(data, batch, p, &of_batch);
        if (p < data->x_count) {
            CJ_TRY(check_finite(part, "input", p, batch, who));
        } else if (p < weights) {
            CJ_TRY(check_finite(part, "target", p - data->x_count, batch, who));
            CJ_TRY(check_labels(model, state, part, p - data->x_count, batch, who));
        } else {
            CJ_TRY(check_finite(part, "sample weight", p - weights, batch, who));
        }
    }
    return CJ_OK;
}

// Weights are (samples), or have the first axes of the output, all but its last.
static cj_status check_weights(const cj_model *model, const cj_dataset *data, const char *who)
{
    for (int i = 0; i < (data->weight_count > 0 ? data->y_count : 0); i++) {
        const cj_shape *given = &data->weights[data->weight_count > 1 ? i : 0]->shape,
                       *output = cj_model_output_shape(model, i);
        char given_text[CJ_MAX_RANK * 24], output_text[CJ_MAX_RANK * 24];
        bool fits = given->rank == 1 || given->rank < output->rank;
        for (int k = 1; fits && k < given->rank; k++)
            fits = output->dims[k] == CJ_ANY || given->dims[k] == output->dims[k];
        if (!fits)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: sample weights %s do not fit output %d of shape %s: needed is one "
                            "number a sample, or one for each entry of its first axes",
                            who, cj_shape_text(given, given_text, sizeof given_text), i,
                            cj_shape_text(output, output_text, sizeof output_text));
    }
    return CJ_OK;
}

cj_status cj__check_data(cj_model *model, const cj__train_state *state, const cj_dataset *data,
                         const char *who)
{
    const int outputs = cj_model_output_count(model);
    CJ_TRY(cj__check_inputs(model, data, who));
    if (data->y_count != outputs)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the data has %d targets, model \"%s\" needs %d",
                        who, data->y_count, cj_layer_name(cj_model_layer(model)), outputs);
    for (int i = 0; i < outputs; i++)
        if (data->y[i]->dtype == CJ_STRING)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: target %d is texts, numbers are needed", who,
                            i);
    CJ_TRY(check_weights(model, data, who));
    return cj__dataset_source(data) ? CJ_OK : check_numbers(model, state, data, NULL, who);
}

cj_status cj__check_batch(cj_model *model, const cj__train_state *state, const cj_dataset *data,
                          const cj__batch *batch, const char *who)
{
    return cj__dataset_source(data) ? check_numbers(model, state, data, batch, who) : CJ_OK;
}
