// Layers that only move or merge elements: Flatten, Reshape, padding, cropping, repeating, what does
// nothing when predicting, Add and its like, Concatenate.
#include "explain/explain.h"
#include <cajal/nir.h>
#include <cajal/reshaping.h>
#include <math.h>
#include <string.h>

static void index_of(const cj_tensor *tensor, int64_t offset, int64_t *index)
{
    const cj_shape *shape = cj_tensor_shape(tensor);
    for (int i = shape->rank - 1; i >= 0; i--) {
        index[i] = offset % shape->dims[i];
        offset /= shape->dims[i];
    }
}

cj_status cj__explain_copy(const cj__explanation *explanation, const char *how, int input,
                           int64_t offset)
{
    char where[CJ__INDEX_TEXT], text[CJ__DIGITS_TEXT];
    int64_t index[CJ_MAX_RANK];
    const cj_tensor *x = explanation->record->inputs[input];
    index_of(x, offset, index);
    cj__index_text(index, cj_tensor_shape(x)->rank, where);
    cj__print_line(explanation, "%s: input %d, element %s = %s", how, input, where,
                   cj__digits(cj__element_at(x, offset), text));
    return cj__conclude(explanation, cj__element_at(x, offset), cj__element_at(x, offset));
}

cj_status cj__explain_same_elements(cj__explanation *explanation)
{
    return cj__explain_copy(explanation, "the same elements in row-major order", 0,
                            explanation->offset);
}

cj_status cj__explain_dropout(cj__explanation *explanation)
{
    return cj__explain_copy(explanation, "dropout does nothing when predicting", 0,
                            explanation->offset);
}

cj_status cj__explain_noise(cj__explanation *explanation)
{
    return cj__explain_copy(explanation, "noise is left out when predicting", 0,
                            explanation->offset);
}

cj_status cj__explain_delay(cj__explanation *explanation)
{
    const cj_delay_args *args = explanation->record->layer->args;
    const cj_tensor *x = explanation->record->inputs[0];
    int64_t index[CJ_MAX_RANK];
    memcpy(index, explanation->index, sizeof index);
    index[1] -= args->steps;
    if (index[1] >= 0)
        return cj__explain_copy(explanation, "the entry of so many steps before", 0,
                                cj__offset_of(x, index));
    cj__print_line(explanation, "0, from before the first step");
    return cj__conclude(explanation, 0, 0);
}

cj_status cj__explain_permute(cj__explanation *explanation)
{
    const cj_permute_args *args = explanation->record->layer->args;
    const cj_tensor *x = explanation->record->inputs[0];
    int64_t index[CJ_MAX_RANK] = {0};
    for (int i = 1; i < cj_tensor_shape(x)->rank; i++)
        index[args->dims[i - 1]] = explanation->index[i];
    return cj__explain_copy(explanation, "the axes in another order", 0, cj__offset_of(x, index));
}

cj_status cj__explain_repeat_vector(cj__explanation *explanation)
{
    const int64_t index[CJ_MAX_RANK] = {0, explanation->index[2]};
    return cj__explain_copy(explanation, "the same vector in every step", 0,
                            cj__offset_of(explanation->record->inputs[0], index));
}

// Along each axis between batch and channels, an element comes from another place, or is 0.
// -----------------------------------------------------------------------------------------------

static const int64_t *sides_of(const cj__explanation *explanation, const char *key)
{
    return cj__layer_setting(explanation->record->layer, key);
}

cj_status cj__explain_padding(cj__explanation *explanation)
{
    const cj_tensor *x = explanation->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(x);
    const int64_t *sides = sides_of(explanation, "padding");
    int64_t index[CJ_MAX_RANK];
    memcpy(index, explanation->index, sizeof index);
    for (int i = 1; i < shape->rank - 1; i++) {
        index[i] -= sides[2 * (i - 1)];
        if (index[i] < 0 || index[i] >= shape->dims[i]) {
            cj__print_line(explanation, "beside the input: 0");
            return cj__conclude(explanation, 0, 0);
        }
    }
    return cj__explain_copy(explanation, "the input without the zeros beside it", 0,
                            cj__offset_of(x, index));
}

cj_status cj__explain_cropping(cj__explanation *explanation)
{
    const cj_tensor *x = explanation->record->inputs[0];
    const int64_t *sides = sides_of(explanation, "cropping");
    int64_t index[CJ_MAX_RANK];
    memcpy(index, explanation->index, sizeof index);
    for (int i = 1; i < cj_tensor_shape(x)->rank - 1; i++)
        index[i] += sides[2 * (i - 1)];
    return cj__explain_copy(explanation, "the input without its sides", 0, cj__offset_of(x, index));
}

cj_status cj__explain_repeating(cj__explanation *explanation)
{
    const cj_tensor *x = explanation->record->inputs[0];
    const int64_t *size = sides_of(explanation, "size");
    int64_t index[CJ_MAX_RANK];
    memcpy(index, explanation->index, sizeof index);
    for (int i = 1; i < cj_tensor_shape(x)->rank - 1; i++)
        index[i] /= size[i - 1];
    return cj__explain_copy(explanation, "each element repeated", 0, cj__offset_of(x, index));
}

cj_status cj__explain_random_image(cj__explanation *explanation)
{
    return cj__explain_copy(explanation, "images are changed at random in training only", 0,
                            explanation->offset);
}

// A step whose features are all mask_value becomes 0 and is masked.
cj_status cj__explain_masking(cj__explanation *explanation)
{
    const cj_tensor *x = explanation->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(x);
    const double *masked = cj__layer_setting(explanation->record->layer, "mask_value");
    const int64_t features = shape->dims[shape->rank - 1],
                  step = explanation->offset / features * features;
    const double value = (double)(float)*masked;
    char text[CJ__DIGITS_TEXT];
    for (int64_t i = 0; i < features; i++) {
        const double own = cj__element_at(x, step + i);
        if (own < value || own > value || isnan(own))
            return cj__explain_copy(explanation,
                                    "not all features of this step are the mask's, so "
                                    "it stays",
                                    0, explanation->offset);
    }
    cj__print_line(explanation, "all features of this step are %s: masked, and 0",
                   cj__digits(value, text));
    return cj__conclude(explanation, 0, 0);
}

// The offset in input `which` that belongs to the output's element, with numpy's broadcasting of lengths of 1.
static int64_t broadcast_place(const cj__explanation *explanation, int which)
{
    const cj_shape *y = cj_tensor_shape(explanation->record->outputs[0]);
    const cj_shape *x = cj_tensor_shape(explanation->record->inputs[which]);
    int64_t index[CJ_MAX_RANK];
    for (int i = 0; i < x->rank; i++)
        index[i] = x->dims[i] == 1 ? 0 : explanation->index[y->rank - x->rank + i];
    return cj__offset_of(explanation->record->inputs[which], index);
}

// One element of each input, the sign between them, and how two of them become one.
typedef struct merging {
    const char *before, *between, *after;
    double (*join)(double a, double b);
    double (*end)(double value, int count); // NULL for none
    bool adds; // rounding errors grow with the terms, not with the result
} merging;

static cj_status explain_merging(cj__explanation *explanation, const merging *m)
{
    const cj__record *record = explanation->record;
    double value = 0, magnitude = 0;
    char text[CJ__DIGITS_TEXT];
    fprintf(explanation->stream, "    %s", m->before);
    for (int i = 0; i < record->input_count; i++) {
        const double x = cj__element_at(record->inputs[i], broadcast_place(explanation, i));
        fprintf(explanation->stream, "%s%s", i ? m->between : "", cj__digits(x, text));
        value = i == 0 ? x : m->join(value, x);
        magnitude += fabs(x);
    }
    if (m->end)
        value = m->end(value, record->input_count);
    fprintf(explanation->stream, "%s = %s\n", m->after, cj__digits(value, text));
    const double bound = cj__rounding_bound(m->adds ? magnitude : fabs(value));
    return cj__conclude(explanation, value - bound, value + bound);
}

static double add(double a, double b)
{
    return a + b;
}

static double subtract(double a, double b)
{
    return a - b;
}

static double multiply(double a, double b)
{
    return a * b;
}

static double share(double sum, int count)
{
    return sum / count;
}

cj_status cj__explain_add(cj__explanation *explanation)
{
    return explain_merging(explanation, &(merging){"", " + ", "", add, NULL, true});
}

cj_status cj__explain_subtract(cj__explanation *explanation)
{
    return explain_merging(explanation, &(merging){"", " - ", "", subtract, NULL, true});
}

cj_status cj__explain_multiply(cj__explanation *explanation)
{
    return explain_merging(explanation, &(merging){"", " * ", "", multiply, NULL, false});
}

cj_status cj__explain_average(cj__explanation *explanation)
{
    return explain_merging(explanation, &(merging){"mean(", ", ", ")", add, share, true});
}

cj_status cj__explain_maximum(cj__explanation *explanation)
{
    return explain_merging(explanation, &(merging){"max(", ", ", ")", fmax, NULL, false});
}

cj_status cj__explain_minimum(cj__explanation *explanation)
{
    return explain_merging(explanation, &(merging){"min(", ", ", ")", fmin, NULL, false});
}

cj_status cj__explain_concatenate(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_concatenate_args *args = record->layer->args;
    const int axis =
        args->axis < 0 ? args->axis + cj_tensor_shape(record->outputs[0])->rank : args->axis;
    int64_t index[CJ_MAX_RANK];
    int which = 0;
    for (int i = 0; i < CJ_MAX_RANK; i++)
        index[i] = explanation->index[i];
    while (which + 1 < record->input_count &&
           index[axis] >= cj_tensor_shape(record->inputs[which])->dims[axis])
        index[axis] -= cj_tensor_shape(record->inputs[which++])->dims[axis];
    return cj__explain_copy(explanation, "side by side", which,
                            cj__offset_of(record->inputs[which], index));
}
