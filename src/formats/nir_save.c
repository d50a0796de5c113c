// Writing files of NIR: the walk over a model, and the layers that are no neurons.
#include "formats/nir_save.h"

#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/nir.h"
#include "ops/variable.h"
#include <cajal/attention.h>
#include <cajal/convolutions.h>
#include <cajal/reshaping.h>
#include <cajal/spatial.h>
#include <cajal/spiking.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char nir_version[] = "1.0.8"; // whose files these are like

// ---- Blocks and items ----

void *cj__nir_block(cj__nir_saver *s, size_t count, size_t size)
{
    void *block = cj__new(count, size);
    if (!block || !cj__reserve((void **)&s->blocks, &s->block_capacity, (size_t)s->block_count + 1,
                               sizeof *s->blocks)) {
        cj__free(block);
        return NULL;
    }
    s->blocks[s->block_count++] = block;
    return block;
}

const char *cj__nir_copy(cj__nir_saver *s, const char *text)
{
    char *copy = cj__nir_block(s, strlen(text) + 1, 1);
    if (copy)
        memcpy(copy, text, strlen(text));
    return copy;
}

cj_status cj__nir_cannot(const cj_layer *layer, const char *format, ...)
{
    char sentence[300];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    return cj__fail(CJ_UNSUPPORTED, "%s (%s) has no place in a NIR file: %s", cj_layer_name(layer),
                    cj_layer_class(layer), sentence);
}

static cj__hdf5_item *member(cj__nir_item *item, const char *name, cj__hdf5_kind kind)
{
    cj__hdf5_item *m = &item->members[item->count++];
    *m = (cj__hdf5_item){.name = name, .kind = kind};
    return m;
}

void cj__nir_put_text(cj__nir_saver *s, cj__nir_item *item, const char *name, const char *text)
{
    const char **one = cj__nir_block(s, 1, sizeof *one);
    item->failed = item->failed || !one || !text;
    if (one)
        *one = text;
    member(item, name, CJ__HDF5_TEXT)->texts = one;
}

void cj__nir_put_whole(cj__nir_saver *s, cj__nir_item *item, const char *name,
                       const int64_t *values, int count)
{
    const int elements = count > 0 ? count : 1;
    int64_t *copy = cj__nir_block(s, (size_t)elements, sizeof *copy);
    item->failed = item->failed || !copy;
    for (int i = 0; copy && i < elements; i++)
        copy[i] = values[i];
    cj__hdf5_item *m = member(item, name, CJ__HDF5_INTEGER);
    m->integers = copy;
    m->rank = count > 0;
    m->dims[0] = (uint64_t)count;
}

void cj__nir_put_floats(cj__nir_saver *s, cj__nir_item *item, const char *name, float *values,
                        const cj_shape *shape)
{
    (void)s;
    item->failed = item->failed || !values;
    cj__hdf5_item *m = member(item, name, CJ__HDF5_FLOAT);
    m->floats = values;
    m->rank = shape->rank;
    for (int i = 0; i < shape->rank; i++)
        m->dims[i] = (uint64_t)shape->dims[i];
}

cj_status cj__nir_close(cj__nir_saver *s, cj__nir_item *item, cj__hdf5_item *group)
{
    cj__hdf5_item *members = cj__nir_block(s, (size_t)item->count, sizeof *members);
    if (item->failed || !members)
        return CJ_OUT_OF_MEMORY;
    memcpy(members, item->members, (size_t)item->count * sizeof *members);
    *group = (cj__hdf5_item){.members = members, .member_count = item->count};
    return CJ_OK;
}

static cj_status add_edge(cj__nir_saver *s, const char *from, const char *to)
{
    for (int i = 0; i < s->edge_count; i += 2)
        if (strcmp(s->edges[i], from) == 0 && strcmp(s->edges[i + 1], to) == 0)
            return cj__fail(CJ_UNSUPPORTED, "\"%s\" is added to itself, for which NIR has no edges",
                            from);
    if (!cj__reserve((void **)&s->edges, &s->edge_capacity, (size_t)s->edge_count + 2,
                     sizeof *s->edges))
        return CJ_OUT_OF_MEMORY;
    s->edges[s->edge_count++] = from;
    s->edges[s->edge_count++] = to;
    return CJ_OK;
}

// A name that no node has yet: a layer that is applied twice gives two nodes.
static const char *free_name(cj__nir_saver *s, const char *name)
{
    char numbered[200];
    snprintf(numbered, sizeof numbered, "%.180s", name);
    for (int number = 1;; number++) {
        int i = 0;
        while (i < s->node_count && strcmp(s->nodes[i].name, numbered) != 0)
            i++;
        if (i == s->node_count)
            return cj__nir_copy(s, numbered);
        snprintf(numbered, sizeof numbered, "%.180s_%d", name, number);
    }
}

cj_status cj__nir_add(cj__nir_saver *s, const char *name, cj__nir_item *item,
                      const cj__nir_value *from, cj__nir_value *value)
{
    const char *own = free_name(s, name);
    int *source = cj__nir_block(s, 1, sizeof *source);
    if (!own || !source ||
        !cj__reserve((void **)&s->nodes, &s->node_capacity, (size_t)s->node_count + 1,
                     sizeof *s->nodes))
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__nir_close(s, item, &s->nodes[s->node_count]));
    s->nodes[s->node_count].name = own;
    *source = s->node_count++;
    for (int i = 0; from && i < from->count; i++)
        CJ_TRY(add_edge(s, s->nodes[from->sources[i]].name, own));
    value->sources = source, value->count = 1;
    return CJ_OK;
}

const float *cj__nir_elements(const cj_layer *layer, const char *name)
{
    for (int i = 0; i < layer->variable_count; i++) {
        const char *own = cj_variable_name(layer->variables[i]), *slash = strrchr(own, '/');
        if (strcmp(slash ? slash + 1 : own, name) != 0)
            continue;
        const cj_tensor *value = cj__variable_read(layer->variables[i]);
        return value && cj_tensor_dtype(value) == CJ_F32 ? cj_tensor_data(value) : NULL;
    }
    return NULL;
}

float *cj__nir_turned(cj__nir_saver *s, const float *values, const cj_shape *sample)
{
    const int64_t count = cj_shape_count(sample), channels = sample->dims[0],
                  others = count / channels;
    float *turned = cj__nir_block(s, (size_t)count, sizeof *turned);
    for (int64_t i = 0; turned && i < count; i++)
        turned[i % channels * others + i / channels] = values[i];
    return turned;
}

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

static cj_status save_dense(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                            cj__nir_value *y)
{
    cj__nir_item item = {.count = 0};
    const float *kernel = cj__nir_elements(layer, "kernel"),
                *bias = cj__nir_elements(layer, "bias");
    CJ_TRY(need_linear(layer));
    if (x->sample.rank != 1 || !kernel)
        return cj__nir_cannot(layer, "it takes more than one axis");
    const int64_t in = x->sample.dims[0], out = y->sample.dims[0];
    float *weight = cj__nir_block(s, (size_t)(in * out), sizeof *weight);
    for (int64_t i = 0; weight && i < in; i++)
        for (int64_t o = 0; o < out; o++)
            weight[o * in + flat_place(x, i)] = kernel[i * out + o];
    cj__nir_put_text(s, &item, "type", bias ? "Affine" : "Linear");
    cj__nir_put_floats(s, &item, "weight", weight, &CJ_SHAPE(out, in));
    if (bias)
        cj__nir_put_floats(s, &item, "bias", cj__nir_turned(s, bias, &y->sample), &y->sample);
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
}

// An EinsumDense that cj_load_nir() made of weights with axes before the matrix.
static cj_status save_matrices(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                               cj__nir_value *y)
{
    cj__nir_item item = {.count = 0};
    cj_shape shape = x->sample;
    const float *kernel = cj__nir_elements(layer, "kernel"),
                *bias = cj__nir_elements(layer, "bias");
    const int last = shape.rank - 1;
    const int64_t in = x->sample.dims[last], out = y->sample.dims[last];
    shape.dims[last] = out, shape.dims[shape.rank++] = in;
    const int64_t count = cj_shape_count(&shape);
    float *weight = cj__nir_block(s, (size_t)count, sizeof *weight);
    for (int64_t i = 0; weight && kernel && i < count; i++) {
        const int64_t o = i / in % out, k = i % in, matrix = i / in / out;
        weight[i] = kernel[(matrix * in + k) * out + o];
    }
    cj__nir_put_text(s, &item, "type", bias ? "Affine" : "Linear");
    cj__nir_put_floats(s, &item, "weight", weight, &shape);
    if (bias)
        cj__nir_put_floats(s, &item, "bias", cj__nir_turned(s, bias, &y->sample), &y->sample);
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
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
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
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
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
}

// ---- Windows ----

static cj_status save_padding(cj_layer *layer, const cj__nir_value *x, cj__nir_value *y)
{
    const int64_t *sides = cj__layer_setting(layer, "padding");
    const int axes = layer->kind == &cj__layer_zero_padding1d ? 1 : 2;
    for (int i = 0; i < axes; i++)
        if (sides[2 * i] != sides[2 * i + 1])
            return cj__nir_cannot(layer, "it adds other zeros before than after");
    if (x->padded)
        return cj__nir_cannot(layer, "it follows another one");
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
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
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
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
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
        return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
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

static cj_status add_flatten(cj__nir_saver *s, const cj_layer *layer, const cj__nir_value *x,
                             cj__nir_value *y, int64_t first, int64_t last)
{
    cj__nir_item item = {.count = 0};
    cj__nir_put_text(s, &item, "type", "Flatten");
    cj__nir_put_whole(s, &item, "start_dim", &first, 0);
    cj__nir_put_whole(s, &item, "end_dim", &last, 0);
    cj__nir_put_whole(s, &item, "input_type", x->sample.dims, x->sample.rank);
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
}

// Flatten and Reshape. What is in NIR's order is flattened as there; a whole sample in the order here
// too, and then the next product takes it in that order.
static cj_status save_reshape(cj__nir_saver *s, const cj_layer *layer, const cj__nir_value *x,
                              cj__nir_value *y)
{
    int64_t first = 0, last = x->sample.rank - 1;
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
        return add_flatten(s, layer, x, y, first, last);
    }
    if (cj_shape_equal(&x->sample, &y->sample)) {
        y->sources = x->sources, y->count = x->count;
        return CJ_OK;
    }
    if (y->sample.rank != 1)
        return cj__nir_cannot(layer, "it does not flatten a whole sample");
    y->flat = x->sample.rank > 1 && x->sample.dims[0] > 1;
    y->before = x->sample;
    return add_flatten(s, layer, x, y, first, last);
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

static cj_status add_delay(cj__nir_saver *s, const cj_layer *layer, const cj__nir_value *x,
                           cj__nir_value *y, const int64_t *steps, bool each)
{
    cj__nir_item item = {.count = 0};
    const int64_t count = cj_shape_count(&x->sample);
    float *delay = cj__nir_block(s, (size_t)count, sizeof *delay);
    for (int64_t i = 0; delay && i < count; i++)
        delay[i] = (float)(s->dt * (double)steps[each ? i : 0]);
    cj__nir_put_text(s, &item, "type", "Delay");
    cj__nir_put_floats(s, &item, "delay", delay, &x->sample);
    return cj__nir_add(s, cj_layer_name(layer), &item, x, y);
}

// A convolution over time whose kernels are 1 in one place: delays that differ.
static cj_status save_delays(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
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
    return delays ? add_delay(s, layer, x, y, steps, true) :
                    cj__nir_cannot(layer, "it works along time, and is no delay");
}

// Zeros before the first step alone.
static cj_status save_zeros_before(cj_layer *layer, const cj__nir_value *x, cj__nir_value *y)
{
    const cj_zero_padding1d_args *a = layer->args;
    if (a->padding[1] != 0 || x->delay != 0)
        return cj__nir_cannot(layer,
                              "it adds zeros along time, and not before the first step alone");
    *y = *x;
    y->delay = a->padding[0];
    return CJ_OK;
}

// ---- The walk ----

static bool is_neuron(const cj_layer *layer)
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
static cj_status save_layer(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                            cj__nir_value *y)
{
    const cj__layer_kind *k = layer->kind;
    if (passes(layer)) {
        const bool timed = y->timed;
        *y = *x;
        y->timed = timed;
        return CJ_OK;
    }
    if (k == &cj__layer_permute)
        return save_permute(layer, x, y);
    if (k == &cj__layer_flatten || k == &cj__layer_reshape)
        return x->padded || x->flat ? cj__nir_cannot(layer, "what comes before it has no node") :
                                      save_reshape(s, layer, x, y);
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
    if (k == &cj__layer_delay)
        return add_delay(s, layer, x, y, &((const cj_delay_args *)layer->args)->steps, false);
    return is_neuron(layer) ? cj__nir_save_neuron(s, layer, x, y) :
                              cj__nir_cannot(layer, "NIR has no such node");
}

// The sample of an output here, channels first.
static cj_status sample_of(const cj_layer *layer, const cj_shape *shape, bool timed,
                           cj_shape *sample)
{
    const int skip = timed ? 2 : 1;
    *sample = (cj_shape){.rank = shape->rank - skip};
    if (sample->rank < 1)
        return cj__nir_cannot(layer, "it is no sequence of samples");
    for (int i = 0; i < sample->rank; i++) {
        sample->dims[(i + 1) % sample->rank] = shape->dims[i + skip];
        if (shape->dims[i + skip] < 1)
            return cj__nir_cannot(layer, "the lengths of a sample are not known");
    }
    return CJ_OK;
}

static int64_t steps_of(const cj_layer *layer)
{
    const int64_t *steps = is_neuron(layer) ? cj__layer_setting(layer, "steps") : NULL;
    return steps ? *steps : 0;
}

static cj_status save_input(cj__nir_saver *s, cj_layer *layer, cj__nir_value *y)
{
    cj__nir_item item = {.count = 0};
    cj__nir_put_text(s, &item, "type", "Input");
    cj__nir_put_whole(s, &item, "shape", y->sample.dims, y->sample.rank);
    return cj__nir_add(s, cj_layer_name(layer), &item, NULL, y);
}

static cj_status save_add(cj__nir_saver *s, const cj__application *a, cj__nir_value *y)
{
    int count = 0;
    for (int i = 0; i < a->input_count; i++) {
        const cj__nir_value *x = &s->values[a->input_app[i]];
        if (x->padded || x->turned || x->flat || x->delay != 0)
            return cj__nir_cannot(a->layer, "what comes to it is in another order than in NIR");
        count += x->count;
    }
    y->sources = cj__nir_block(s, (size_t)count, sizeof *y->sources);
    if (!y->sources)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < a->input_count; i++)
        for (int k = 0; k < s->values[a->input_app[i]].count; k++)
            y->sources[y->count++] = s->values[a->input_app[i]].sources[k];
    return CJ_OK;
}

static cj_status save_application(cj__nir_saver *s, int index, bool timed_input)
{
    const cj__application *a = &s->applications[index];
    cj__nir_value *y = &s->values[index];
    cj_layer *layer = a->layer;
    if (!layer)
        return cj__fail(CJ_UNSUPPORTED, "an op between layers has no place in a NIR file");
    const cj__nir_value *x = a->input_count > 0 ? &s->values[a->input_app[0]] : NULL;
    y->timed = x ? x->timed || steps_of(layer) > 0 : timed_input;
    CJ_TRY(sample_of(layer, &a->output_types[0].shape, y->timed, &y->sample));
    if (!x)
        return save_input(s, layer, y);
    if (x->timed && steps_of(layer) > 0)
        return cj__nir_cannot(layer, "it takes a sequence as a constant");
    if (layer->kind == &cj__layer_add)
        return save_add(s, a, y);
    if (a->input_count > 1)
        return cj__nir_cannot(layer, "it has several inputs");
    const bool each = layer->kind == &cj__layer_time_distributed;
    if (each && !x->timed)
        return cj__nir_cannot(layer, "there is no time before it");
    cj_layer *inner = each ? layer->sublayers[0] : layer;
    if (!each && x->timed && inner->kind == &cj__layer_depthwise_conv1d)
        return save_delays(s, layer, x, y);
    if (x->delay != 0)
        return cj__nir_cannot(layer, "the zeros before its first step belong to no delay");
    if (!each && x->timed && inner->kind == &cj__layer_zero_padding1d)
        return save_zeros_before(layer, x, y);
    const bool mixes =
        !each && x->timed &&
        (inner->kind == &cj__layer_flatten || inner->kind == &cj__layer_conv1d ||
         inner->kind == &cj__layer_zero_padding1d || inner->kind == &cj__layer_conv2d);
    if (mixes)
        return cj__nir_cannot(layer, "it works along time: put it into TimeDistributed");
    char *name = inner->name;
    inner->name = layer->name; // nodes have the names of the outer layers
    const cj_status status = save_layer(s, inner, x, y);
    inner->name = name;
    return status;
}

static cj_status save_outputs(cj__nir_saver *s)
{
    for (int i = 0; i < cj_model_output_count(s->model); i++) {
        int application, output;
        cj__nir_item item = {.count = 0};
        cj__nir_value unused = {0};
        cj__model_output_at(s->model, i, &application, &output);
        const cj__nir_value *x = &s->values[application];
        if (output > 0 || x->padded || x->turned || x->flat || x->delay != 0)
            return cj__nir_cannot(s->applications[application].layer,
                                  "an output of the model is not in NIR's order");
        cj__nir_put_text(s, &item, "type", "Output");
        cj__nir_put_whole(s, &item, "shape", x->sample.dims, x->sample.rank);
        CJ_TRY(cj__nir_add(s, "output", &item, x, &unused));
    }
    return CJ_OK;
}

static cj_status save_nodes(cj__nir_saver *s)
{
    bool timed = true;
    s->count = cj__model_applications(s->model, &s->applications);
    s->values = cj__nir_block(s, (size_t)s->count, sizeof *s->values);
    if (!s->values)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < s->count; i++)
        timed = timed && !(s->applications[i].layer && steps_of(s->applications[i].layer) > 0);
    for (int i = 0; i < s->count; i++)
        CJ_TRY(save_application(s, i, timed));
    return save_outputs(s);
}

// ---- The file ----

// What was loaded as metadata, and dt.
static cj_status put_metadata(cj__nir_saver *s, cj__hdf5_item *group)
{
    static const char prefix[] = "nir/metadata/";
    const char *name, *text;
    size_t count = 1;
    for (int i = 0; cj__model_note_at(s->model, i, &name, &text); i++)
        count++;
    cj__hdf5_item *members = cj__nir_block(s, count, sizeof *members);
    float *dt = cj__nir_block(s, 1, sizeof *dt);
    if (!members || !dt)
        return CJ_OUT_OF_MEMORY;
    *dt = (float)s->dt;
    members[0] = (cj__hdf5_item){.name = "dt", .kind = CJ__HDF5_FLOAT, .floats = dt};
    count = 1;
    for (int i = 0; cj__model_note_at(s->model, i, &name, &text); i++) {
        if (strncmp(name, prefix, sizeof prefix - 1) != 0 || strcmp(name, "nir/metadata/dt") == 0)
            continue;
        const char **one = cj__nir_block(s, 1, sizeof *one);
        if (!one)
            return CJ_OUT_OF_MEMORY;
        *one = text;
        members[count++] =
            (cj__hdf5_item){.name = name + sizeof prefix - 1, .kind = CJ__HDF5_TEXT, .texts = one};
    }
    *group = (cj__hdf5_item){.name = "metadata", .members = members, .member_count = (int)count};
    return CJ_OK;
}

static cj_status write_file(cj__nir_saver *s, cj__sink *sink)
{
    static const char *const type[] = {"NIRGraph"}, *const version[] = {nir_version};
    cj__hdf5_item metadata = {0};
    CJ_TRY(put_metadata(s, &metadata));
    const cj__hdf5_item graph[] = {
        {.name = "edges",
         .kind = CJ__HDF5_TEXT,
         .rank = 2,
         .dims = {(uint64_t)s->edge_count / 2, 2},
         .texts = s->edges},
        metadata,
        {.name = "nodes", .members = s->nodes, .member_count = s->node_count},
        {.name = "type", .kind = CJ__HDF5_TEXT, .texts = type},
    };
    const cj__hdf5_item members[] = {
        {.name = "node", .members = graph, .member_count = 4},
        {.name = "version", .kind = CJ__HDF5_TEXT, .texts = version},
    };
    return cj__hdf5_write(&(cj__hdf5_item){.members = members, .member_count = 2}, sink);
}

static const cj_nir_save_args save_defaults = {CJ_NIR_SAVE_DEFAULTS};

void cj_nir_save_defaults(cj_nir_save_args *args)
{
    if (args)
        *args = save_defaults;
}

static cj_status settle(cj__nir_saver *s)
{
    static const char *const presets[] = {"nir", "norse"};
    const char *preset = s->args.preset ? s->args.preset : "nir",
               *noted = cj_model_note(s->model, "nir/dt");
    char number[CJ__NUMBER_TEXT];
    const cj__type *types;
    double dt = 1e-4;
    s->gathers_whole = strcmp(preset, "norse") == 0;
    if (!s->gathers_whole && strcmp(preset, "nir") != 0)
        return cj__fail_unknown(CJ_INVALID_ARGUMENT, "preset", preset, presets, sizeof presets[0],
                                2);
    if (!(s->args.dt >= 0 && s->args.dt < 1e30))
        return cj__fail(CJ_INVALID_ARGUMENT, "dt is %s, needed is a number of seconds above 0",
                        cj__number_text(s->args.dt, number));
    if (noted && (!cj__number_parse(noted, &dt) || !(dt > 0 && dt < 1e30)))
        dt = 1e-4;
    s->dt = s->args.dt > 0 ? s->args.dt : dt;
    return cj__model_inputs(s->model, &types) > 0 ?
               CJ_OK :
               cj__fail(CJ_NOT_BUILT, "model \"%s\" is not built: its input is not known",
                        cj_layer_name(cj_model_layer(s->model)));
}

static cj_status save_to(cj_model *model, const cj_nir_save_args *args, cj__sink *sink)
{
    cj__nir_saver s = {.args = *args, .model = model};
    cj_status status = settle(&s);
    if (status == CJ_OK)
        status = save_nodes(&s);
    if (status == CJ_OK)
        status = write_file(&s, sink);
    for (int i = 0; i < s.block_count; i++)
        cj__free(s.blocks[i]);
    cj__free(s.blocks);
    cj__free(s.nodes);
    cj__free(s.edges);
    return status;
}

cj_status cj__nir_save(cj_model *model, cj__sink *sink)
{
    return save_to(model, &save_defaults, sink);
}

cj_status cj_save_nir_with(cj_model *model, const char *path, const cj_nir_save_args *args)
{
    cj_nir_save_args read;
    if (!model || !path)
        return model ? cj__fail_null("cj_save_nir: the path") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_save_nir: the model");
    CJ_TRY(cj__args_read("cj_save_nir", args, &save_defaults, sizeof read, &read));
    cj__sink sink = {.path = path};
    CJ_TRY(cj__use_to_read(cj__model_use(model), "cj_save_nir"));
    const cj_status status = cj__sink_end(&sink, save_to(model, &read, &sink));
    cj__use_read(cj__model_use(model));
    return status;
}
