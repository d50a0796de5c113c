// Convolutions and pools of NIR: layers over each step, with zeros beside the input before them.
#include "base/error.h"
#include "base/memory.h"
#include "formats/nir.h"
#include <cajal/convolutions.h>
#include <cajal/spatial.h>
#include <cajal/wrappers.h>

#include <stdio.h>
#include <string.h>

// The settings of a window along one axis or two.
typedef struct window {
    int axes;
    int64_t size[2], stride[2], padding[2], dilation[2];
    bool same;
} window;

// A number, a pair, or "same" or "valid".
static cj_status read_padding(cj__nir_builder *b, const cj__nir_node *node, window *w)
{
    const cj__hdf5_object *object = cj__nir_parameter(node, "padding", true);
    char *text = NULL;
    if (!object)
        return cj_error_status();
    if (object->kind != CJ__HDF5_TEXT)
        return cj__nir_pair(b, node, "padding", w->padding);
    CJ_TRY(cj__nir_text(b->graph->file, node->object, "padding", &text));
    w->same = strcmp(text, "same") == 0;
    const bool good = w->same || strcmp(text, "valid") == 0;
    cj__free(text);
    if (!good)
        cj__nir_refuse(node, CJ_BAD_FILE, "\"padding\" is neither \"same\" nor \"valid\"");
    return good ? CJ_OK : CJ_BAD_FILE;
}

static cj_symbol *each_step(const cj__nir_node *node, const char *part, cj_layer *layer,
                            cj_symbol *x)
{
    char name[200];
    snprintf(name, sizeof name, part ? "%.150s_%s" : "%.150s", node->name, part);
    return cj_apply(cj_time_distributed(layer, .name = name), x);
}

static cj_symbol *pad(const cj__nir_node *node, const window *w, cj_symbol *x)
{
    const int64_t a = w->padding[0], b = w->padding[1];
    if (a == 0 && (w->axes == 1 || b == 0))
        return x;
    return each_step(node, "padding",
                     w->axes == 1 ? cj_zero_padding1d({a, a}) : cj_zero_padding2d({{a, a}, {b, b}}),
                     x);
}

// ---- Convolutions ----

// (out, in, windows) to (windows, in, out).
static double *turn_kernel(const double *from, const cj__hdf5_object *weight)
{
    const int64_t out = (int64_t)weight->dims[0], in = (int64_t)weight->dims[1],
                  places = (int64_t)weight->count / out / in;
    double *to = cj__new((size_t)weight->count, sizeof *to);
    for (int64_t o = 0; to && o < out; o++)
        for (int64_t i = 0; i < in; i++)
            for (int64_t p = 0; p < places; p++)
                to[(p * in + i) * out + o] = from[(o * in + i) * places + p];
    return to;
}

// "input_shape" is not needed, but must not contradict what comes.
static cj_status check_input(cj__nir_builder *b, const cj__nir_node *node, const cj_shape *sample)
{
    const cj__hdf5_object *object;
    double *numbers;
    bool same = true;
    if (!cj__nir_parameter(node, "input_shape", false))
        return CJ_OK;
    CJ_TRY(cj__nir_numbers(b, node, "input_shape", &object, &numbers));
    same = object->count == (uint64_t)sample->rank - 1;
    for (int i = 1; same && i < sample->rank; i++)
        same =
            numbers[i - 1] >= (double)sample->dims[i] && numbers[i - 1] <= (double)sample->dims[i];
    cj__free(numbers);
    if (!same)
        cj__nir_refuse(node, CJ_SHAPE_MISMATCH, "\"input_shape\" is not that of what comes to it");
    return same ? CJ_OK : CJ_SHAPE_MISMATCH;
}

static cj_status read_window(cj__nir_builder *b, const cj__nir_node *node, const cj_shape *sample,
                             window *w, int64_t *groups)
{
    const cj__hdf5_object *weight = cj__nir_parameter(node, "weight", true);
    int64_t pair[2];
    if (!weight)
        return cj_error_status();
    CJ_TRY(cj__nir_pair(b, node, "stride", w->stride));
    CJ_TRY(cj__nir_pair(b, node, "dilation", w->dilation));
    CJ_TRY(cj__nir_pair(b, node, "groups", pair));
    CJ_TRY(read_padding(b, node, w));
    *groups = pair[0];
    const bool fits = weight->rank == w->axes + 2 && sample->rank == w->axes + 1 &&
                      weight->count > 0 && *groups > 0 &&
                      weight->dims[1] * (uint64_t)*groups == (uint64_t)sample->dims[0];
    if (!fits) {
        char text[160];
        cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                       "its weight, of %d axes and %lld groups, does not take what comes to it, %s",
                       weight->rank, (long long)*groups, cj_shape_text(sample, text, sizeof text));
        return CJ_SHAPE_MISMATCH;
    }
    for (int i = 0; i < w->axes; i++)
        w->size[i] = (int64_t)weight->dims[2 + i];
    return check_input(b, node, sample);
}

// As PyTorch, "same" is for strides of 1.
static cj_layer *make_layer(const window *w, int64_t filters, int64_t groups)
{
    const char *padding = w->same ? "same" : "valid";
    if (w->axes == 1)
        return cj_conv1d(filters, w->size[0], .strides = w->stride[0], .padding = padding,
                         .dilation_rate = w->dilation[0], .groups = groups);
    return cj_conv2d(filters, {w->size[0], w->size[1]}, .strides = {w->stride[0], w->stride[1]},
                     .padding = padding, .dilation_rate = {w->dilation[0], w->dilation[1]},
                     .groups = groups);
}

static cj_status set_weights(cj__nir_builder *b, const cj__nir_node *node, const cj_layer *layer)
{
    const cj__hdf5_object *weight, *bias;
    double *numbers, *turned;
    CJ_TRY(cj__nir_numbers(b, node, "weight", &weight, &numbers));
    turned = turn_kernel(numbers, weight);
    cj__free(numbers);
    if (!turned)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__nir_set(b, layer, "kernel", turned));
    CJ_TRY(cj__nir_numbers(b, node, "bias", &bias, &numbers));
    if (bias->count == weight->dims[0])
        return cj__nir_set(b, layer, "bias", numbers);
    cj__free(numbers);
    cj__nir_refuse(node, CJ_SHAPE_MISMATCH, "\"bias\" has %llu numbers, needed are %llu",
                   (unsigned long long)bias->count, (unsigned long long)weight->dims[0]);
    return CJ_SHAPE_MISMATCH;
}

static cj_symbol *make_convolution(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x,
                                   int axes)
{
    window w = {.axes = axes};
    cj_shape sample;
    int64_t groups = 1;
    cj__nir_sample(x, &sample);
    if (read_window(b, node, &sample, &w, &groups) != CJ_OK)
        return NULL;
    if (w.same && (w.stride[0] != 1 || (axes == 2 && w.stride[1] != 1)))
        return cj__nir_refuse(node, CJ_BAD_FILE, "\"padding\" is \"same\" with strides");
    cj_layer *layer =
        make_layer(&w, (int64_t)cj__hdf5_find(node->object, "weight")->dims[0], groups);
    cj_symbol *y = each_step(node, NULL, layer, pad(node, &w, x));
    return y ? cj__nir_made(y, set_weights(b, node, layer)) : NULL;
}

cj_symbol *cj__nir_make_conv1d(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    return make_convolution(b, node, x, 1);
}

cj_symbol *cj__nir_make_conv2d(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    return make_convolution(b, node, x, 2);
}

// ---- Pools ----

// Sums are the products with a kernel of ones, which is not to be trained: exact where spikes are
// counted, which a mean times the size of its window need not be.
cj_symbol *cj__nir_make_pool(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    const bool sums = strcmp(node->kind->type, "SumPool2d") == 0;
    window w = {.axes = 2};
    if (cj_symbol_shape(x)->rank != 5)
        return cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                              "what comes to it has not the axes channels, height and width");
    if (cj__nir_pair(b, node, "kernel_size", w.size) != CJ_OK ||
        cj__nir_pair(b, node, "stride", w.stride) != CJ_OK ||
        cj__nir_pair(b, node, "padding", w.padding) != CJ_OK)
        return NULL;
    const int64_t channels = cj_symbol_shape(x)->dims[4], places = w.size[0] * w.size[1];
    if (sums && (places > INT32_MAX || cj__nir_afford(b, node, places * channels) != CJ_OK))
        return places > INT32_MAX ?
                   cj__nir_refuse(node, CJ_BAD_FILE, "\"kernel_size\" is too large") :
                   NULL;
    cj_layer *layer =
        sums ? cj_depthwise_conv2d({w.size[0], w.size[1]}, .strides = {w.stride[0], w.stride[1]},
                                   .use_bias = false, .depthwise_initializer = "ones",
                                   .trainable = false) :
               cj_average_pooling2d({w.size[0], w.size[1]}, .strides = {w.stride[0], w.stride[1]});
    return each_step(node, NULL, layer, pad(node, &w, x));
}
