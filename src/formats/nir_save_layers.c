// Writing files of NIR: the nodes of the layers that are no neurons.
#include "base/error.h"
#include "formats/nir.h"
#include "formats/nir_save.h"
#include "ops/variable.h"
#include <cajal/attention.h>
#include <cajal/convolutions.h>
#include <cajal/reshaping.h>
#include <cajal/spatial.h>
#include <cajal/spiking.h>

#include <string.h>

// ---- Products ----

static cj_status need_linear(const cj_layer *layer)
{
    const char *const *activation = cj__layer_setting(layer, "activation");
    return !activation || !*activation || strcmp(*activation, "linear") == 0 ?
               CJ_OK :
               cj__nir_cannot(layer, "its activation is %s; NIR has no nodes for activations",
                              *activation);
}

// The place of an input of a product among those of the flattened sample of NIR.
static int64_t flat_place(const cj__nir_value *x, int64_t i)
{
    if (!x->flat)
        return i;
    const int64_t channels = x->before.dims[0], others = cj_shape_count(&x->before) / channels;
    return i % channels * others + i / channels;
}

// The node of a product whose weight is turned already.
static cj_status add_product(cj__nir_saver *s, const cj_layer *layer, const cj__nir_value *x,
                             cj__nir_value *y, float *weight, const cj_shape *shape)
{
    cj__nir_item item = {.count = 0};
    const float *bias = cj__nir_elements(layer, "bias");
    cj__nir_put_text(s, &item, "type", bias ? "Affine" : "Linear");
    cj__nir_put_floats(s, &item, "weight", weight, shape);
    if (bias)
        cj__nir_put_floats(s, &item, "bias", cj__nir_turned(s, bias, &y->sample), &y->sample);
    return cj__nir_add(s, s->name, &item, x, y);
}

static cj_status save_dense(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                            cj__nir_value *y)
{
    const float *kernel = cj__nir_elements(layer, "kernel");
    CJ_TRY(need_linear(layer));
    if (x->sample.rank != 1 || !kernel)
        return cj__nir_cannot(layer, "it takes more than one axis");
    const int64_t in = x->sample.dims[0], out = y->sample.dims[0];
    float *weight = cj__nir_block(s, (size_t)(in * out), sizeof *weight);
    for (int64_t i = 0; weight && i < in; i++)
        for (int64_t o = 0; o < out; o++)
            weight[o * in + flat_place(x, i)] = kernel[i * out + o];
    return add_product(s, layer, x, y, weight, &CJ_SHAPE(out, in));
}

// An EinsumDense that cj_load_nir() made of weights with axes before the matrix.
static cj_status save_matrices(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                               cj__nir_value *y)
{
    cj_shape shape = x->sample;
    const float *kernel = cj__nir_elements(layer, "kernel");
    const int last = shape.rank - 1;
    const int64_t in = x->sample.dims[last], out = y->sample.dims[last];
    shape.dims[last] = out, shape.dims[shape.rank++] = in;
    const int64_t count = cj_shape_count(&shape);
    float *weight = cj__nir_block(s, (size_t)count, sizeof *weight);
    for (int64_t i = 0; weight && kernel && i < count; i++) {
        const int64_t o = i / in % out, k = i % in, matrix = i / in / out;
        weight[i] = kernel[(matrix * in + k) * out + o];
    }
    return add_product(s, layer, x, y, weight, &shape);
}

// It is a Scale if the letters of all operands are the same.
static cj_status save_einsum(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                             cj__nir_value *y)
{
    const cj_einsum_dense_args *a = layer->args;
    cj__nir_item item = {.count = 0};
    char expected[CJ__NIR_EQUATION], result[CJ_MAX_RANK];
    const char letters[] = "abcdefg";
    const int rank = x->sample.rank;
    const float *kernel = cj__nir_elements(layer, "kernel");
    CJ_TRY(need_linear(layer));
    cj__nir_equation(rank - 1, expected, result);
    if (kernel && strcmp(a->equation, expected) == 0 &&
        (!a->bias_axes || strcmp(a->bias_axes, result) == 0))
        return save_matrices(s, layer, x, y);
    snprintf(expected, sizeof expected, "...%.*s,%.*s->...%.*s", rank, letters, rank, letters, rank,
             letters);
    if (!kernel || a->bias_axes || strcmp(a->equation, expected) != 0)
        return cj__nir_cannot(layer, "its equation \"%.60s\" is none that cj_load_nir() makes",
                              a->equation);
    cj__nir_put_text(s, &item, "type", "Scale");
    cj__nir_put_floats(s, &item, "scale", cj__nir_turned(s, kernel, &x->sample), &x->sample);
    return cj__nir_add(s, s->name, &item, x, y);
}

static cj_status save_rescaling(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                                cj__nir_value *y)
{
    const cj_rescaling_args *a = layer->args;
    cj__nir_item item = {.count = 0};
    const int64_t count = cj_shape_count(&x->sample);
    float *scale = cj__nir_block(s, (size_t)count, sizeof *scale);
    if (a->offset < 0 || a->offset > 0 || !(a->scale >= 0 || a->scale < 0))
        return cj__nir_cannot(layer, "it adds an offset, or has a scale for each channel");
    for (int64_t i = 0; scale && i < count; i++)
        scale[i] = (float)a->scale;
    cj__nir_put_text(s, &item, "type", "Scale");
    cj__nir_put_floats(s, &item, "scale", scale, &x->sample);
    return cj__nir_add(s, s->name, &item, x, y);
}

// ---- Windows ----

static cj_status save_padding(cj_layer *layer, const cj__nir_value *x, cj__nir_value *y)
{
    const int64_t *sides = cj__layer_setting(layer, "padding");
    const int axes = layer->kind == &cj__layer_zero_padding1d ? 1 : 2;
    for (int i = 0; i < axes; i++)
        if (sides[2 * i] != sides[2 * i + 1])
            return cj__nir_cannot(layer, "it adds other zeros before than after");
    y->sources = x->sources, y->count = x->count, y->padded = true;
    for (int i = 0; i < axes; i++)
        y->padding[i] = sides[2 * i];
    return CJ_OK;
}

// "same" is a word of NIR for strides of 1; else the zeros are those of a layer before.
static cj_status put_padding(cj__nir_saver *s, cj__nir_item *item, cj_layer *layer, int axes,
                             const cj__nir_value *x)
{
    const char *padding = *(const char *const *)cj__layer_setting(layer, "padding");
    const int64_t *strides = cj__layer_setting(layer, "strides");
    const bool same = strcmp(padding, "same") == 0;
    if (!same && strcmp(padding, "valid") != 0)
        return cj__nir_cannot(layer, "its padding is \"%s\"", padding);
    if (same && (x->padded || strides[0] != 1 || (axes == 2 && strides[1] != 1)))
        return cj__nir_cannot(layer, "its padding is \"same\" with strides, or after zeros");
    if (same)
        cj__nir_put_text(s, item, "padding", "same");
    else
        cj__nir_put_whole(s, item, "padding", x->padding, axes == 2 ? 2 : 0);
    return CJ_OK;
}

// (windows, in, out) to (out, in, windows).
static float *turn_kernel(cj__nir_saver *s, const float *from, int64_t places, int64_t in,
                          int64_t out)
{
    float *to = cj__nir_block(s, (size_t)(places * in * out), sizeof *to);
    for (int64_t p = 0; to && p < places; p++)
        for (int64_t i = 0; i < in; i++)
            for (int64_t o = 0; o < out; o++)
                to[(o * in + i) * places + p] = from[(p * in + i) * out + o];
    return to;
}

// The node of a convolution whose kernel is turned already.
static cj_status add_convolution(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                                 cj__nir_value *y, float *weight, const cj_shape *shape,
                                 int64_t groups)
{
    cj__nir_item item = {.count = 0};
    const int axes = shape->rank - 2;
    const float *bias = cj__nir_elements(layer, "bias");
    float *copy = cj__nir_block(s, (size_t)shape->dims[0], sizeof *copy);
    for (int64_t i = 0; copy && bias && i < shape->dims[0]; i++)
        copy[i] = bias[i];
    cj__nir_put_text(s, &item, "type", axes == 1 ? "Conv1d" : "Conv2d");
    cj__nir_put_whole(s, &item, "input_shape", x->sample.dims + 1, axes == 2 ? 2 : 0);
    cj__nir_put_floats(s, &item, "weight", weight, shape);
    cj__nir_put_floats(s, &item, "bias", copy, &CJ_SHAPE(shape->dims[0]));
    cj__nir_put_whole(s, &item, "stride", cj__layer_setting(layer, "strides"), axes == 2 ? 2 : 0);
    cj__nir_put_whole(s, &item, "dilation", cj__layer_setting(layer, "dilation_rate"),
                      axes == 2 ? 2 : 0);
    cj__nir_put_whole(s, &item, "groups", &groups, 0);
    CJ_TRY(put_padding(s, &item, layer, axes, x));
    return cj__nir_add(s, s->name, &item, x, y);
}

// What comes before the zeros beside it.
static void take_padding(cj__nir_value *x)
{
    for (int i = 0; x->padded && i < 2 && i + 1 < x->sample.rank; i++)
        x->sample.dims[i + 1] -= 2 * x->padding[i];
}

static cj_status save_convolution(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                                  cj__nir_value *y)
{
    const int64_t *size = cj__layer_setting(layer, "kernel_size"),
                  groups = *(const int64_t *)cj__layer_setting(layer, "groups"),
                  filters = y->sample.dims[0], in = x->sample.dims[0] / groups;
    const int axes = x->sample.rank - 1;
    const float *kernel = cj__nir_elements(layer, "kernel");
    CJ_TRY(need_linear(layer));
    if (!kernel)
        return CJ_OUT_OF_MEMORY;
    cj__nir_value before = *x;
    take_padding(&before);
    const cj_shape shape =
        axes == 1 ? CJ_SHAPE(filters, in, size[0]) : CJ_SHAPE(filters, in, size[0], size[1]);
    float *weight = turn_kernel(s, kernel, size[0] * (axes == 2 ? size[1] : 1), in, filters);
    return add_convolution(s, layer, &before, y, weight, &shape, groups);
}

static void put_pool(cj__nir_saver *s, cj__nir_item *item, const char *type, const int64_t *size,
                     const int64_t *strides, const cj__nir_value *x)
{
    cj__nir_put_text(s, item, "type", type);
    cj__nir_put_whole(s, item, "kernel_size", size, 2);
    cj__nir_put_whole(s, item, "stride", strides, 2);
    cj__nir_put_whole(s, item, "padding", x->padding, 2);
}

static cj_status save_pool(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                           cj__nir_value *y)
{
    const cj_pooling2d_args *a = layer->args;
    cj__nir_item item = {.count = 0};
    if (strcmp(a->padding, "valid") != 0)
        return cj__nir_cannot(layer, "its padding is \"%s\"", a->padding);
    put_pool(s, &item, "AvgPool2d", a->pool_size, a->strides[0] > 0 ? a->strides : a->pool_size, x);
    return cj__nir_add(s, s->name, &item, x, y);
}

// With ones alone it sums windows; else it is a convolution with a group for each channel.
static cj_status save_depthwise(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                                cj__nir_value *y)
{
    const cj_depthwise_conv2d_args *a = layer->args;
    const int64_t places = a->kernel_size[0] * a->kernel_size[1], channels = x->sample.dims[0],
                  out = channels * a->depth_multiplier;
    const float *kernel = cj__nir_elements(layer, "kernel");
    bool ones = !a->use_bias && a->depth_multiplier == 1 && strcmp(a->padding, "valid") == 0 &&
                a->dilation_rate[0] == 1 && a->dilation_rate[1] == 1;
    CJ_TRY(need_linear(layer));
    for (int64_t i = 0; kernel && i < places * out; i++)
        ones = ones && kernel[i] >= 1 && kernel[i] <= 1;
    if (kernel && ones) {
        cj__nir_item item = {.count = 0};
        put_pool(s, &item, "SumPool2d", a->kernel_size, a->strides, x);
        return cj__nir_add(s, s->name, &item, x, y);
    }
    cj__nir_value before = *x;
    take_padding(&before);
    return kernel ?
               add_convolution(s, layer, &before, y, turn_kernel(s, kernel, places, 1, out),
                               &CJ_SHAPE(out, 1, a->kernel_size[0], a->kernel_size[1]), channels) :
               CJ_OUT_OF_MEMORY;
}

// ---- Shapes ----

// The first and the last of the axes that a flattening merged; false if it did something else.
static bool merged(const cj_shape *from, const cj_shape *to, int64_t *first, int64_t *last)
{
    int at = 0;
    while (at < to->rank && from->dims[at] == to->dims[at])
        at++;
    if (at == to->rank || from->rank < to->rank)
        return from->rank == to->rank;
    *first = at, *last = at + from->rank - to->rank;
    int64_t product = 1;
    for (int i = at; i <= *last; i++)
        product *= from->dims[i];
    bool same = product == to->dims[at];
    for (int i = at + 1; i < to->rank; i++)
        same = same && to->dims[i] == from->dims[i + from->rank - to->rank];
    return same;
}

static cj_status add_flatten(cj__nir_saver *s, const cj__nir_value *x, cj__nir_value *y,
                             int64_t first, int64_t last)
{
    cj__nir_item item = {.count = 0};
    cj__nir_put_text(s, &item, "type", "Flatten");
    cj__nir_put_whole(s, &item, "start_dim", &first, 0);
    cj__nir_put_whole(s, &item, "end_dim", &last, 0);
    cj__nir_put_whole(s, &item, "input_type", x->sample.dims, x->sample.rank);
    return cj__nir_add(s, s->name, &item, x, y);
}

// Flatten and Reshape. What is in NIR's order is flattened as there; a whole sample in the order here
// too, and then the next product takes it in that order.
static cj_status save_reshape(cj__nir_saver *s, const cj_layer *layer, const cj__nir_value *x,
                              cj__nir_value *y)
{
    int64_t first = 0, last = x->sample.rank - 1;
    if (cj_shape_count(&x->sample) != cj_shape_count(&y->sample))
        return cj__nir_cannot(layer, "it merges the axis of time with others");
    if (x->turned) {
        // The output's shape is that of the layer, in NIR's order already.
        const cj_shape here = y->sample;
        for (int i = 0; i < here.rank; i++)
            y->sample.dims[(i + here.rank - 1) % here.rank] = here.dims[i];
        y->turned = y->sample.rank > 1;
        if (cj_shape_equal(&x->sample, &y->sample)) {
            y->sources = x->sources, y->count = x->count;
            return CJ_OK;
        }
        if (!merged(&x->sample, &y->sample, &first, &last) || x->sample.rank == y->sample.rank)
            return cj__nir_cannot(layer, "it does not merge neighbouring axes");
        return add_flatten(s, x, y, first, last);
    }
    if (cj_shape_equal(&x->sample, &y->sample)) {
        y->sources = x->sources, y->count = x->count;
        return CJ_OK;
    }
    if (y->sample.rank != 1)
        return cj__nir_cannot(layer, "it does not flatten a whole sample");
    y->flat = x->sample.rank > 1 && x->sample.dims[0] > 1;
    y->before = x->sample;
    return add_flatten(s, x, y, first, last);
}

static cj_status save_permute(const cj_layer *layer, const cj__nir_value *x, cj__nir_value *y)
{
    const cj_permute_args *a = layer->args;
    const int skip = x->timed ? 1 : 0, rank = x->sample.rank;
    bool first = !x->turned, back = x->turned;
    for (int i = 0; i < rank; i++) {
        first = first && a->dims[skip + i] == 1 + skip + (i + rank - 1) % rank;
        back = back && a->dims[skip + i] == 1 + skip + (i + 1) % rank;
    }
    if ((skip && a->dims[0] != 1) || (!first && !back))
        return cj__nir_cannot(layer, "it turns axes otherwise than channels first and back");
    y->sources = x->sources, y->count = x->count;
    y->sample = x->sample, y->turned = first;
    return CJ_OK;
}

static cj_status add_delay(cj__nir_saver *s, const cj__nir_value *x, cj__nir_value *y,
                           const int64_t *steps, bool each)
{
    cj__nir_item item = {.count = 0};
    const int64_t count = cj_shape_count(&x->sample);
    float *delay = cj__nir_block(s, (size_t)count, sizeof *delay);
    for (int64_t i = 0; delay && i < count; i++)
        delay[i] = (float)(s->dt * (double)steps[each ? i : 0]);
    cj__nir_put_text(s, &item, "type", "Delay");
    cj__nir_put_floats(s, &item, "delay", delay, &x->sample);
    return cj__nir_add(s, s->name, &item, x, y);
}

// A convolution over time whose kernels are 1 in one place: delays that differ.
cj_status cj__nir_save_delays(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                              cj__nir_value *y)
{
    const cj_depthwise_conv1d_args *a = layer->args;
    const float *kernel = cj__nir_elements(layer, "kernel");
    const int64_t count = x->sample.dims[0], most = a->kernel_size - 1;
    int64_t *steps = cj__nir_block(s, (size_t)count, sizeof *steps);
    bool delays = x->sample.rank == 1 && x->delay == most && !a->use_bias && a->strides == 1 &&
                  a->dilation_rate == 1 && a->depth_multiplier == 1 && need_linear(layer) == CJ_OK;
    if (!steps || !kernel)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; delays && i < count; i++) {
        int ones = 0, others = 0;
        for (int64_t k = 0; k <= most; k++) {
            const float weight = kernel[k * count + i];
            if (weight >= 1 && weight <= 1)
                ones++, steps[i] = most - k;
            else
                others += weight > 0 || weight < 0;
        }
        delays = ones == 1 && others == 0;
    }
    return delays ? add_delay(s, x, y, steps, true) :
                    cj__nir_cannot(layer, "it works along time, and is no delay");
}

// Zeros before the first step alone.
cj_status cj__nir_save_zeros_before(cj_layer *layer, const cj__nir_value *x, cj__nir_value *y)
{
    const cj_zero_padding1d_args *a = layer->args;
    if (a->padding[1] != 0 || x->delay != 0)
        return cj__nir_cannot(layer,
                              "it adds zeros along time, and not before the first step alone");
    *y = *x;
    y->delay = a->padding[0];
    return CJ_OK;
}

bool cj__nir_is_neuron(const cj_layer *layer)
{
    return cj__layer_setting(layer, "surrogate") && cj__layer_setting(layer, "refractory");
}

static bool passes(const cj_layer *layer)
{
    static const char *const classes[] = {
        "Dropout",         "SpatialDropout1D", "SpatialDropout2D",      "GaussianNoise",
        "GaussianDropout", "Identity",         "ActivityRegularization"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(cj_layer_class(layer), classes[i]) == 0)
            return true;
    return strcmp(cj_layer_class(layer), "Activation") == 0 && need_linear(layer) == CJ_OK;
}

// A layer's node; `x` is what comes to it, `y` has the shape of what comes out.
cj_status cj__nir_save_layer(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                             cj__nir_value *y)
{
    const cj__layer_kind *k = layer->kind;
    if (passes(layer)) {
        const bool timed = y->timed;
        *y = *x;
        y->timed = timed;
        return CJ_OK;
    }
    const bool reshapes = k == &cj__layer_flatten || k == &cj__layer_reshape;
    if ((reshapes || k == &cj__layer_permute) && (x->padded || x->flat))
        return cj__nir_cannot(layer, "what comes before it has no node");
    if (k == &cj__layer_permute)
        return save_permute(layer, x, y);
    if (reshapes)
        return save_reshape(s, layer, x, y);
    if (x->turned || (x->flat && k != &cj__layer_dense))
        return cj__nir_cannot(layer, "what comes to it is in another order than in NIR");
    if (k == &cj__layer_conv1d || k == &cj__layer_conv2d)
        return save_convolution(s, layer, x, y);
    if (k == &cj__layer_depthwise_conv2d)
        return save_depthwise(s, layer, x, y);
    if (k == &cj__layer_average_pooling2d)
        return save_pool(s, layer, x, y);
    if (x->padded)
        return cj__nir_cannot(layer, "the zeros beside its input belong to no window");
    if (k == &cj__layer_zero_padding1d || k == &cj__layer_zero_padding2d)
        return save_padding(layer, x, y);
    if (k == &cj__layer_dense)
        return save_dense(s, layer, x, y);
    if (k == &cj__layer_einsum_dense)
        return save_einsum(s, layer, x, y);
    if (k == &cj__layer_rescaling)
        return save_rescaling(s, layer, x, y);
    if (k == &cj__layer_delay) {
        const int64_t steps = ((const cj_delay_args *)layer->args)->steps + y->late;
        return add_delay(s, x, y, &steps, false);
    }
    return cj__nir_is_neuron(layer) ? cj__nir_save_neuron(s, layer, x, y) :
                                      cj__nir_cannot(layer, "NIR has no such node");
}
