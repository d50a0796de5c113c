// The weights of a converted network: those of the trained one, multiplied by what a spike of the
// neurons before stands for, and with BatchNormalization in prediction, gamma (x - mean) /
// sqrt(variance + epsilon) + beta, as a part of them.
#include "base/memory.h"
#include "layers/spiking_convert.h"
#include "ops/variable.h"
#include "tensor/tensor.h"

#include <math.h>
#include <string.h>

bool cj__is_one_of(const cj_layer *layer, const char *const *classes)
{
    for (; *classes; classes++)
        if (strcmp(cj_layer_class(layer), *classes) == 0)
            return true;
    return false;
}

bool cj__weighs(const cj_layer *layer)
{
    static const char *const classes[] = {"Dense",           "Conv1D",          "Conv2D",
                                          "Conv3D",          "DepthwiseConv1D", "DepthwiseConv2D",
                                          "SeparableConv1D", "SeparableConv2D", "Conv1DTranspose",
                                          "Conv2DTranspose", "Conv3DTranspose", NULL};
    return cj__is_one_of(layer, classes);
}

bool cj__folds(const cj_layer *layer, const cj_layer *normal)
{
    static const char *const classes[] = {"Dense", "Conv1D", "Conv2D", "Conv3D", NULL};
    double limit;
    if (!cj__is_one_of(layer, classes) ||
        strcmp(cj_layer_class(normal), "BatchNormalization") != 0 || cj__rectifies(layer, &limit) ||
        normal->input_count != 1)
        return false;
    const char *const *activation = cj__layer_setting(layer, "activation");
    if (activation && *activation && strcmp(*activation, "linear") != 0)
        return false;
    const char *const *format = cj__layer_setting(layer, "data_format");
    const int rank = normal->input_types[0].shape.rank,
              axis = ((const cj_batch_normalization_args *)normal->args)->axis,
              channels = format && *format && strcmp(*format, "channels_first") == 0 ? 1 : rank - 1;
    return (axis < 0 ? axis + rank : axis) == channels;
}

cj_layer *cj__linear_again(const cj_layer *layer, const char *name, bool bias)
{
    char *args = cj__copy_bytes(layer->args, layer->kind->choice.args_size);
    const char *const from = layer->args;
    const char *setting = cj__layer_setting(layer, "activation");
    if (!args)
        return NULL;
    if (setting)
        *(const char **)(void *)(args + (setting - from)) = "linear";
    setting = cj__layer_setting(layer, "use_bias");
    if (setting && bias)
        *(bool *)(args + (setting - from)) = true;
    setting = cj__layer_setting(layer, "name");
    *(const char **)(void *)(args + (setting - from)) = name;
    cj_layer *made = cj__layer_new(layer->kind, args);
    cj__free(args);
    return made;
}

// ---- Numbers ----

static cj_variable *variable_of(const cj_layer *layer, const char *name)
{
    for (int i = 0; i < layer->variable_count; i++) {
        const char *slash = strrchr(cj_variable_name(layer->variables[i]), '/');
        if (strcmp(slash ? slash + 1 : cj_variable_name(layer->variables[i]), name) == 0)
            return layer->variables[i];
    }
    return NULL;
}

// Number `index` of a layer's variable, or `otherwise` where it has none of that name.
static double number_of(const cj_layer *layer, const char *name, int64_t index, double otherwise)
{
    const cj_variable *variable = variable_of(layer, name);
    const cj_tensor *value = variable ? cj__variable_read(variable) : NULL;
    return value ? cj__element_get(value->dtype, value->data, index) : otherwise;
}

// What the normalization multiplies channel `index` by.
static double gain_of(const cj__copied *c, int64_t index)
{
    if (!c->normal)
        return 1;
    const cj_batch_normalization_args *a = c->normal->args;
    return number_of(c->normal, "gamma", index, 1) /
           sqrt(number_of(c->normal, "moving_variance", index, 1) + a->epsilon);
}

static cj_status set_kernel(const cj__copied *c)
{
    const cj_tensor *kernel = cj__variable_read(c->from->variables[0]);
    cj_tensor *scaled = NULL;
    if (!kernel)
        return cj_error_status();
    const int64_t channels = kernel->shape.dims[kernel->shape.rank - 1];
    CJ_TRY(cj_tensor_new(CJ_F32, kernel->shape, &scaled));
    for (int64_t k = 0; k < channels; k++) {
        const double factor = c->worth * gain_of(c, k);
        for (int64_t i = k; i < cj_tensor_count(kernel); i += channels)
            cj__element_set(CJ_F32, scaled->data, i,
                            factor * cj__element_get(kernel->dtype, kernel->data, i));
    }
    const cj_status status = cj_variable_assign(c->to->variables[0], scaled);
    cj_release(scaled);
    return status;
}

static cj_status set_bias(const cj__copied *c)
{
    cj_variable *bias = variable_of(c->to, "bias");
    cj_tensor *shifted = NULL;
    if (!bias)
        return CJ_OK;
    const cj_tensor *value = cj__variable_read(bias);
    if (!value)
        return cj_error_status();
    CJ_TRY(cj_tensor_new(CJ_F32, value->shape, &shifted));
    for (int64_t k = 0; k < cj_tensor_count(shifted); k++) {
        double b = number_of(c->from, "bias", k, 0);
        if (c->normal)
            b = (b - number_of(c->normal, "moving_mean", k, 0)) * gain_of(c, k) +
                number_of(c->normal, "beta", k, 0);
        cj__element_set(CJ_F32, shifted->data, k, b);
    }
    const cj_status status = cj_variable_assign(bias, shifted);
    cj_release(shifted);
    return status;
}

// All variables as they are, those of layers within it too.
static cj_status copy_all(const cj_layer *from, const cj_layer *to)
{
    const int count = cj__layer_variables(from, false, NULL, 0);
    cj_variable **both = count > 0 ? cj__new((size_t)count * 2, sizeof(cj_variable *)) : NULL;
    cj_status status = CJ_OK;
    if (count == 0)
        return CJ_OK;
    if (!both)
        return CJ_OUT_OF_MEMORY;
    cj__layer_variables(from, false, both, count);
    if (cj__layer_variables(to, false, both + count, count) != count)
        status = cj__fail(CJ_SHAPE_MISMATCH,
                          "cj_spiking_convert: %s has other weights than its copy", from->name);
    for (int i = 0; status == CJ_OK && i < count; i++) {
        const cj_tensor *value = cj__variable_read(both[i]);
        status = value ? cj_variable_assign(both[count + i], value) : cj_error_status();
    }
    cj__free(both);
    return status;
}

cj_status cj__copy_weights(const cj__copied *c)
{
    if (!cj__weighs(c->from))
        return copy_all(c->from, c->to);
    // A separable convolution has a second kernel, which takes what the first one gives.
    cj_variable *second = variable_of(c->to, "pointwise_kernel"),
                *from = variable_of(c->from, "pointwise_kernel");
    if (second && from)
        CJ_TRY(cj_variable_assign(second, cj__variable_read(from)));
    CJ_TRY(set_kernel(c));
    return set_bias(c);
}
