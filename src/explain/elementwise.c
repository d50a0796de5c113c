// Layers that compute each element from one element, or from those along one axis.
#include "explain/explain.h"
#include <math.h>

static double input_at(const cj__telling *telling)
{
    return cj__at(telling->sight->inputs[0], telling->place);
}

static cj_status conclude_near(const cj__telling *telling, double value, double magnitude)
{
    return cj__conclude(telling, value - cj__slack(magnitude), value + cj__slack(magnitude));
}

// Activations work on a row of the last axis, as Keras's do; most look at their own element only.
cj_status cj__tell_activation_layer(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_activation_args *args = sight->layer->args;
    const cj_shape *shape = cj_tensor_shape(sight->inputs[0]);
    const int64_t count = shape->rank > 1 ? shape->dims[shape->rank - 1] : 1,
                  row = telling->place / count;
    double *z = cj__new((size_t)count * 2, sizeof *z); // and no slack: the input is exact
    if (!z)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count; i++)
        z[i] = cj__at(sight->inputs[0], row * count + i);
    const cj_status status =
        cj__tell_activation(telling, args->activation, z, z + count, count, telling->place % count);
    cj__free(z);
    return status;
}

cj_status cj__tell_relu(cj__telling *telling)
{
    const cj_relu_args *args = telling->sight->layer->args;
    const double x = input_at(telling), slope = args->negative_slope, threshold = args->threshold;
    const bool below = !(x > threshold), cut = x > args->max_value;
    const double y = cut ? args->max_value : below ? slope * (x - threshold) : x;
    char from[CJ__SHORT_TEXT], to[CJ__SHORT_TEXT];
    cj__say(telling, "%s is %s: %s", cj__short(x, from),
            cut   ? "above max_value" :
            below ? "not above the threshold, so negative_slope x (x - threshold)" :
                    "above the threshold, so it stays",
            cj__short(y, to));
    return conclude_near(telling, y, fabs(slope) * (fabs(x) + fabs(threshold)));
}

cj_status cj__tell_leaky_relu(cj__telling *telling)
{
    const cj_leaky_relu_args *args = telling->sight->layer->args;
    const double x = input_at(telling), y = x > 0 ? x : args->negative_slope * x;
    char from[CJ__SHORT_TEXT], to[CJ__SHORT_TEXT], slope[CJ__SHORT_TEXT];
    if (x > 0)
        cj__say(telling, "%s is positive, so it stays", cj__short(x, from));
    else
        cj__say(telling, "%s is not positive: %sx%s = %s", cj__short(x, from),
                cj__short(args->negative_slope, slope), from, cj__short(y, to));
    return conclude_near(telling, y, fabs(y));
}

cj_status cj__tell_elu(cj__telling *telling)
{
    const cj_elu_args *args = telling->sight->layer->args;
    const double x = input_at(telling), y = x > 0 ? x : args->alpha * expm1(x);
    char from[CJ__SHORT_TEXT], to[CJ__SHORT_TEXT], alpha[CJ__SHORT_TEXT];
    if (x > 0)
        cj__say(telling, "%s is positive, so it stays", cj__short(x, from));
    else
        cj__say(telling, "%s is not positive: %s x (exp(%s) - 1) = %s", cj__short(x, from),
                cj__short(args->alpha, alpha), from, cj__short(y, to));
    return conclude_near(telling, y, fabs(args->alpha)); // exp(x) - 1 loses what exp(x) rounds
}

// y = exp(x - m) / sum of exp(x - m) along the axis; m, the greatest, keeps exp within range and
// cancels.
cj_status cj__tell_softmax(cj__telling *telling)
{
    const cj_softmax_args *args = telling->sight->layer->args;
    const cj_tensor *input = telling->sight->inputs[0];
    const cj_shape *shape = cj_tensor_shape(input);
    const int axis = args->axis < 0 ? args->axis + shape->rank : args->axis;
    int64_t index[CJ_MAX_RANK];
    double greatest = -INFINITY, sum = 0;
    char from[CJ__SHORT_TEXT], own[CJ__SHORT_TEXT], all[CJ__SHORT_TEXT], to[CJ__SHORT_TEXT];
    for (int i = 0; i < CJ_MAX_RANK; i++)
        index[i] = telling->index[i];
    for (index[axis] = 0; index[axis] < shape->dims[axis]; index[axis]++)
        greatest = fmax(greatest, cj__at(input, cj__place_of(input, index)));
    for (index[axis] = 0; index[axis] < shape->dims[axis]; index[axis]++)
        sum += exp(cj__at(input, cj__place_of(input, index)) - greatest);
    const double x = input_at(telling), power = exp(x - greatest), y = power / sum;
    cj__say(telling, "exp(%s - %s) = %s, and the sum of these over %lld entries is %s",
            cj__short(x, from), cj__short(greatest, to), cj__short(power, own),
            (long long)shape->dims[axis], cj__short(sum, all));
    cj__say(telling, "%s / %s = %s", own, all, cj__short(y, to));
    return conclude_near(telling, y, y * (1 + fabs(x - greatest)));
}

cj_status cj__tell_rescaling(cj__telling *telling)
{
    const cj_rescaling_args *args = telling->sight->layer->args;
    const double x = input_at(telling), y = x * args->scale + args->offset;
    char from[CJ__SHORT_TEXT], scale[CJ__SHORT_TEXT], offset[CJ__SHORT_TEXT], to[CJ__SHORT_TEXT];
    cj__say(telling, "%sx%s + %s = %s", cj__short(x, from), cj__short(args->scale, scale),
            cj__short(args->offset, offset), cj__short(y, to));
    return conclude_near(telling, y, fabs(x * args->scale) + fabs(args->offset));
}

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moving averages.
cj_status cj__tell_batch_normalization(cj__telling *telling)
{
    const cj__sight *sight = telling->sight;
    const cj_batch_normalization_args *args = sight->layer->args;
    const int rank = cj_tensor_shape(sight->inputs[0])->rank;
    const int64_t entry = telling->index[args->axis < 0 ? args->axis + rank : args->axis];
    const cj_tensor *gamma = cj__weight(sight, "gamma"), *beta = cj__weight(sight, "beta");
    const double x = input_at(telling), scale = gamma ? cj__at(gamma, entry) : 1;
    const double shift = beta ? cj__at(beta, entry) : 0;
    const double mean = cj__at(cj__weight(sight, "moving_mean"), entry);
    const double variance = cj__at(cj__weight(sight, "moving_variance"), entry);
    const double factor = scale / sqrt(variance + args->epsilon), y = factor * (x - mean) + shift;
    char text[7][CJ__SHORT_TEXT];
    cj__say(telling,
            "gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moving averages of entry "
            "%lld",
            (long long)entry);
    cj__say(telling, "= %s x (%s - %s) / sqrt(%s + %s) + %s = %s", cj__short(scale, text[0]),
            cj__short(x, text[1]), cj__short(mean, text[2]), cj__short(variance, text[3]),
            cj__short(args->epsilon, text[4]), cj__short(shift, text[5]), cj__short(y, text[6]));
    return conclude_near(telling, y, fabs(factor) * (fabs(x) + fabs(mean)) + fabs(shift));
}
