// Layers that compute each element from one input element, or from those along one axis.
#include "explain/explain.h"
#include <cajal/residuals.h>
#include <math.h>

static double input_at(const cj__explanation *explanation)
{
    return cj__element_at(explanation->record->inputs[0], explanation->offset);
}

// An activation works on a row of the last axis, as in Keras. Most depend on their own element only.
cj_status cj__explain_activation_layer(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_activation_args *args = record->layer->args;
    const cj_shape *shape = cj_tensor_shape(record->inputs[0]);
    const int64_t count = shape->rank > 1 ? shape->dims[shape->rank - 1] : 1,
                  row = explanation->offset / count;
    double *z = cj__new((size_t)count * 2, sizeof *z); // and bounds of 0: the input is exact
    if (!z)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count; i++)
        z[i] = cj__element_at(record->inputs[0], row * count + i);
    const cj_status status = cj__explain_activation(explanation, args->activation, z, z + count,
                                                    count, explanation->offset % count);
    cj__free(z);
    return status;
}

cj_status cj__explain_relu(cj__explanation *explanation)
{
    const cj_relu_args *args = explanation->record->layer->args;
    const double x = input_at(explanation), slope = args->negative_slope,
                 threshold = args->threshold;
    const bool below = !(x > threshold), cut = x > args->max_value;
    const double y = cut ? args->max_value : below ? slope * (x - threshold) : x;
    char from[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "%s is %s: %s", cj__digits(x, from),
                   cut   ? "above max_value" :
                   below ? "not above the threshold, so negative_slope × (x - threshold)" :
                           "above the threshold, so it stays",
                   cj__digits(y, to));
    return cj__conclude_near(explanation, y, fabs(slope) * (fabs(x) + fabs(threshold)));
}

cj_status cj__explain_leaky_relu(cj__explanation *explanation)
{
    const cj_leaky_relu_args *args = explanation->record->layer->args;
    const double x = input_at(explanation), y = x > 0 ? x : args->negative_slope * x;
    char from[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT], slope[CJ__DIGITS_TEXT];
    if (x > 0)
        cj__print_line(explanation, "%s is positive, so it stays", cj__digits(x, from));
    else
        cj__print_line(explanation, "%s is not positive: %s × %s = %s", cj__digits(x, from),
                       cj__digits(args->negative_slope, slope), from, cj__digits(y, to));
    return cj__conclude_near(explanation, y, fabs(y));
}

cj_status cj__explain_elu(cj__explanation *explanation)
{
    const cj_elu_args *args = explanation->record->layer->args;
    const double x = input_at(explanation), y = x > 0 ? x : args->alpha * expm1(x);
    char from[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT], alpha[CJ__DIGITS_TEXT];
    if (x > 0)
        cj__print_line(explanation, "%s is positive, so it stays", cj__digits(x, from));
    else
        cj__print_line(explanation, "%s is not positive: %s × (exp(%s) - 1) = %s",
                       cj__digits(x, from), cj__digits(args->alpha, alpha), from,
                       cj__digits(y, to));
    return cj__conclude_near(explanation, y,
                             fabs(args->alpha)); // exp(x) - 1 loses what exp(x) rounds
}

// Whether the mask of a softmax, counted from the last axis, keeps that entry; there may be none.
static bool is_kept(const cj__record *record, const int64_t *index)
{
    const cj_tensor *mask = record->masks[0];
    const cj_shape *m = mask ? cj_tensor_shape(mask) : NULL;
    int64_t at[CJ_MAX_RANK];
    const int skipped = m ? cj_tensor_shape(record->inputs[0])->rank - m->rank : 0;
    for (int i = 0; m && i < m->rank; i++)
        at[i] = m->dims[i] == 1 ? 0 : index[skipped + i];
    return !m || cj__element_at(mask, cj__offset_of(mask, at)) > 0;
}

// y = exp(x - m) / sum of exp(x - m) along the axis, where m is the largest x: it keeps exp within
// range and cancels out.
cj_status cj__explain_softmax(cj__explanation *explanation)
{
    const cj_softmax_args *args = explanation->record->layer->args;
    const cj_tensor *input = explanation->record->inputs[0];
    const cj_shape *shape = cj_tensor_shape(input);
    const int axis = args->axis < 0 ? args->axis + shape->rank : args->axis;
    int64_t index[CJ_MAX_RANK];
    double largest = -INFINITY, sum = 0;
    char from[CJ__DIGITS_TEXT], own[CJ__DIGITS_TEXT], all[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT];
    for (int i = 0; i < CJ_MAX_RANK; i++)
        index[i] = explanation->index[i];
    if (!is_kept(explanation->record, index)) {
        cj__print_line(explanation, "the mask leaves this entry out: 0");
        return cj__conclude_near(explanation, 0, 0);
    }
    for (index[axis] = 0; index[axis] < shape->dims[axis]; index[axis]++)
        if (is_kept(explanation->record, index))
            largest = fmax(largest, cj__element_at(input, cj__offset_of(input, index)));
    for (index[axis] = 0; index[axis] < shape->dims[axis]; index[axis]++)
        if (is_kept(explanation->record, index))
            sum += exp(cj__element_at(input, cj__offset_of(input, index)) - largest);
    const double x = input_at(explanation), power = exp(x - largest), y = power / sum;
    cj__print_line(explanation, "exp(%s - %s) = %s, and the sum of these over %lld entries is %s",
                   cj__digits(x, from), cj__digits(largest, to), cj__digits(power, own),
                   (long long)shape->dims[axis], cj__digits(sum, all));
    cj__print_line(explanation, "%s / %s = %s", own, all, cj__digits(y, to));
    return cj__conclude_near(explanation, y, y * (1 + fabs(x - largest)));
}

cj_status cj__explain_rescaling(cj__explanation *explanation)
{
    const cj_rescaling_args *args = explanation->record->layer->args;
    const double x = input_at(explanation), y = x * args->scale + args->offset;
    char from[CJ__DIGITS_TEXT], scale[CJ__DIGITS_TEXT], offset[CJ__DIGITS_TEXT],
        to[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "%s × %s + %s = %s", cj__digits(x, from),
                   cj__digits(args->scale, scale), cj__digits(args->offset, offset),
                   cj__digits(y, to));
    return cj__conclude_near(explanation, y, fabs(x * args->scale) + fabs(args->offset));
}

// y = x where it is positive, alpha x elsewhere, with an alpha for each place but along shared axes.
cj_status cj__explain_prelu(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_tensor *alpha = cj__weight(record, "alpha");
    const cj_shape *shape = cj_tensor_shape(alpha);
    int64_t index[CJ_MAX_RANK];
    char from[CJ__DIGITS_TEXT], slope[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT];
    for (int i = 0; i < shape->rank; i++)
        index[i] = shape->dims[i] == 1 ? 0 : explanation->index[i + 1];
    const double x = input_at(explanation), by = cj__element_at(alpha, cj__offset_of(alpha, index)),
                 y = x > 0 ? x : by * x;
    if (x > 0)
        cj__print_line(explanation, "%s is positive, so it stays", cj__digits(x, from));
    else
        cj__print_line(explanation, "%s is not positive: alpha %s × %s = %s", cj__digits(x, from),
                       cj__digits(by, slope), from, cj__digits(y, to));
    return cj__conclude_near(explanation, y, fabs(y));
}

// y = gamma x, with a gamma for each entry of the last axis.
cj_status cj__explain_layer_scale(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const cj_tensor *gamma = cj__weight(record, "gamma");
    const int64_t channel = explanation->index[cj_tensor_shape(record->inputs[0])->rank - 1];
    const double x = input_at(explanation), by = cj__element_at(gamma, channel), y = by * x;
    char from[CJ__DIGITS_TEXT], factor[CJ__DIGITS_TEXT], to[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "gamma[%lld] %s × %s = %s", (long long)channel,
                   cj__digits(by, factor), cj__digits(x, from), cj__digits(y, to));
    return cj__conclude_near(explanation, y, fabs(y));
}

// y = a + scale b.
cj_status cj__explain_custom_scale(cj__explanation *explanation)
{
    const cj_custom_scale_layer_args *args = explanation->record->layer->args;
    const double a = input_at(explanation),
                 b = cj__element_at(explanation->record->inputs[1], explanation->offset),
                 y = a + args->scale * b;
    char first[CJ__DIGITS_TEXT], second[CJ__DIGITS_TEXT], scale[CJ__DIGITS_TEXT],
        to[CJ__DIGITS_TEXT];
    cj__print_line(explanation, "%s + %s × %s = %s", cj__digits(a, first),
                   cj__digits(args->scale, scale), cj__digits(b, second), cj__digits(y, to));
    return cj__conclude_near(explanation, y, fabs(a) + fabs(args->scale * b));
}
