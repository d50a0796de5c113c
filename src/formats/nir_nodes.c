// What the nodes of NIR become: the list of types, what all of them share, and the nodes that are
// products and shapes.
#include "base/error.h"
#include "base/memory.h"
#include "formats/nir.h"
#include "layers/spiking.h"
#include "ops/variable.h"
#include <cajal/attention.h>
#include <cajal/reshaping.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

cj_symbol *cj__nir_refuse(const cj__nir_node *node, cj_status status, const char *format, ...)
{
    char sentence[400];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    cj__fail(status, "node \"%.200s\" (%s): %s", node->name, node->kind->type, sentence);
    return NULL;
}

// ---- Samples ----

void cj__nir_sample(const cj_symbol *x, cj_shape *sample)
{
    const cj_shape *shape = cj_symbol_shape(x);
    *sample = (cj_shape){.rank = shape->rank - 2};
    for (int i = 0; i < sample->rank; i++)
        sample->dims[(i + 1) % sample->rank] = shape->dims[i + 2];
}

int64_t cj__nir_place(const cj_shape *sample, int64_t index)
{
    const int64_t channels = sample->dims[0], others = cj_shape_count(sample) / channels;
    return index % channels * others + index / channels;
}

cj_symbol *cj__nir_apply(cj__nir_builder *b, cj_layer *layer, cj_symbol *x)
{
    cj__neuron n;
    if (!b->loop || !layer || !cj__neuron_form_of(layer)->kind)
        return cj_apply(layer, x);
    if (cj__neuron_of(layer, &n) != CJ_OK)
        return NULL; // not reached: its settings have been checked
    cj_shape shape = *cj_symbol_shape(x);
    for (int i = 2; i < shape.rank; i++)
        shape.dims[i - 2] = shape.dims[i];
    shape.rank -= 2;
    return cj__nir_apply_state(b, layer, x, cj__neuron_states(&n), &shape, n.initial);
}

cj_symbol *cj__nir_made(cj_symbol *y, cj_status status)
{
    if (status == CJ_OK)
        return y;
    cj__drop_floating(y);
    return NULL;
}

static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

cj_status cj__nir_set(cj__nir_builder *b, const cj_layer *layer, const char *name, double *numbers)
{
    cj_variable *variable = NULL;
    cj_tensor *value = NULL;
    for (int i = 0; i < cj_layer_variable_count(layer); i++)
        if (strcmp(last_part(cj_variable_name(cj_layer_variable(layer, i))), name) == 0)
            variable = cj_layer_variable(layer, i);
    cj_status status =
        variable ? CJ_OK : cj__fail(CJ_BAD_FILE, "%s: no %s", cj_layer_name(layer), name);
    if (status == CJ_OK && !cj__reserve((void **)&b->weights, &b->weight_capacity,
                                        (size_t)b->weight_count + 1, sizeof *b->weights))
        status = CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, cj__variable_type(variable).shape, &value);
    if (status == CJ_OK) {
        float *elements = cj_tensor_data(value);
        for (int64_t i = 0; i < cj_tensor_count(value); i++)
            elements[i] = (float)numbers[i];
        b->weights[b->weight_count++] = (cj__nir_weight){cj_retain(variable), value};
    }
    cj__free(numbers);
    return status;
}

// ---- Parameters ----

const cj__hdf5_object *cj__nir_parameter(const cj__nir_node *node, const char *name, bool needed)
{
    const cj__hdf5_object *found = cj__hdf5_find(node->object, name);
    if (found && found->kind == CJ__HDF5_GROUP)
        found = NULL;
    if (!found && needed)
        cj__nir_refuse(node, CJ_BAD_FILE, "it has no \"%s\"", name);
    return found;
}

cj_status cj__nir_numbers(cj__nir_builder *b, const cj__nir_node *node, const char *name,
                          const cj__hdf5_object **object, double **numbers)
{
    *numbers = NULL;
    *object = cj__nir_parameter(node, name, true);
    if (!*object)
        return cj_error_status();
    const cj_status status = cj__hdf5_numbers(b->graph->file, *object, numbers);
    return status == CJ_OK ? CJ_OK : cj__fail_in(status, "node \"%.200s\"", node->name);
}

cj_status cj__nir_afford(cj__nir_builder *b, const cj__nir_node *node, int64_t elements)
{
    const uint64_t bytes = elements < INT64_MAX / 8 ? 8 * (uint64_t)elements : UINT64_MAX;
    if (elements >= 0 && cj__hdf5_spend(b->graph->file, bytes) == CJ_OK)
        return CJ_OK;
    cj__nir_refuse(node, CJ_BAD_FILE,
                   "it stands for more numbers than a file of this size can mean");
    return CJ_BAD_FILE;
}

cj_status cj__nir_pair(cj__nir_builder *b, const cj__nir_node *node, const char *name,
                       int64_t *pair)
{
    const cj__hdf5_object *object;
    double *numbers;
    CJ_TRY(cj__nir_numbers(b, node, name, &object, &numbers));
    bool good = object->count == 1 || object->count == 2;
    for (int i = 0; good && i < 2; i++) {
        const double number = numbers[object->count == 2 ? i : 0];
        good = number >= 0 && number <= 1 << 24 && number <= (double)(int64_t)number;
        pair[i] = good ? (int64_t)number : 0;
    }
    cj__free(numbers);
    if (!good)
        cj__nir_refuse(node, CJ_BAD_FILE, "\"%s\" is not one or two whole numbers from 0", name);
    return good ? CJ_OK : CJ_BAD_FILE;
}

// ---- Input and Output ----

// The lengths of "shape", channels first.
static cj_status read_shape(cj__nir_builder *b, const cj__nir_node *node, cj_shape *shape)
{
    const cj__hdf5_object *object;
    double *numbers;
    CJ_TRY(cj__nir_numbers(b, node, "shape", &object, &numbers));
    bool good = object->count <= CJ_MAX_RANK - 2;
    double product = 1;
    *shape = (cj_shape){.rank = good ? (int)object->count : 0};
    for (int i = 0; good && i < shape->rank; i++) {
        product *= numbers[i];
        good = numbers[i] >= 1 && product <= 1ll << 40;
        shape->dims[i] = good ? (int64_t)numbers[i] : 0;
    }
    cj__free(numbers);
    if (!good)
        cj__nir_refuse(node, CJ_BAD_FILE, "\"shape\" is no list of at most %d positive lengths",
                       CJ_MAX_RANK - 2);
    return good ? CJ_OK : CJ_BAD_FILE;
}

static cj_symbol *make_input(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    cj_shape shape = {0};
    cj_input_args args = {CJ_INPUT_DEFAULTS, .name = node->name, .shape = {CJ_ANY}};
    (void)x;
    if (read_shape(b, node, &shape) != CJ_OK)
        return NULL;
    if (shape.rank == 0)
        shape = CJ_SHAPE(1); // a single neuron
    for (int i = 0; i < shape.rank; i++)
        args.shape[1 + i] = shape.dims[(i + 1) % shape.rank];
    args.batch_size = b->args.batch_size;
    return cj_input_symbol_new(&args);
}

// What comes to an Output is what it says, unless that is a single neuron's.
static cj_symbol *make_output(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    cj_shape shape = {0}, sample;
    char given[160], needed[160];
    if (read_shape(b, node, &shape) != CJ_OK)
        return NULL;
    cj__nir_sample(x, &sample);
    if (cj_shape_count(&shape) == 1 || cj_shape_equal(&shape, &sample))
        return x;
    return cj__nir_refuse(node, CJ_SHAPE_MISMATCH, "its shape is %s, and what comes to it is %s",
                          cj_shape_text(&shape, needed, sizeof needed),
                          cj_shape_text(&sample, given, sizeof given));
}

// ---- Affine, Linear, Scale ----

// The matrix turned: (out, in) to (in, out), as often as there are matrices.
static void turn_matrices(const double *from, double *to, int64_t count, int64_t out, int64_t in)
{
    for (int64_t m = 0; m < count; m++)
        for (int64_t o = 0; o < out; o++)
            for (int64_t i = 0; i < in; i++)
                to[(m * in + i) * out + o] = from[(m * out + o) * in + i];
}

// Whether weights (..., out, in) take samples (..., in).
static bool takes(const cj__hdf5_object *weight, const cj_shape *sample)
{
    bool same = weight->rank == sample->rank + 1 && weight->rank >= 2;
    for (int i = 0; same && i < sample->rank; i++)
        same = weight->dims[i < sample->rank - 1 ? i : i + 1] == (uint64_t)sample->dims[i];
    return same;
}

// Letters of a sample here, of weights, and of the result: (b, c, in) is (c, in, b) here.
void cj__nir_equation(int before, char equation[CJ__NIR_EQUATION], char result[CJ_MAX_RANK])
{
    static const char letters[] = "abcdefg";
    char x[CJ_MAX_RANK] = "", w[CJ_MAX_RANK + 1] = "";
    memset(result, 0, CJ_MAX_RANK);
    for (int i = 0; i <= before; i++) {
        const int axis = (i + 1) % (before + 1);
        x[i] = axis < before ? letters[axis] : 'i';
        result[i] = axis < before ? letters[axis] : 'o';
        w[i] = i < before ? letters[i] : 'i';
    }
    w[before + 1] = 'o';
    snprintf(equation, CJ__NIR_EQUATION, "...%s,%s->...%s", x, w, result);
}

static cj_layer *make_product(const cj__nir_node *node, const cj__hdf5_object *weight, bool bias)
{
    char equation[CJ__NIR_EQUATION], y[CJ_MAX_RANK];
    const int before = weight->rank - 2;
    cj_einsum_dense_args args = {CJ_EINSUM_DENSE_DEFAULTS, .name = node->name,
                                 .equation = equation};
    if (before == 0)
        return cj_dense((int64_t)weight->dims[0], .name = node->name, .use_bias = bias);
    cj__nir_equation(before, equation, y);
    for (int i = 0; i <= before; i++)
        args.output_shape[i] = (int64_t)weight->dims[(i + 1) % (before + 1)];
    args.bias_axes = bias ? y : NULL;
    return cj_einsum_dense_new(&args);
}

static cj_status set_bias(cj__nir_builder *b, const cj__nir_node *node, const cj_layer *layer,
                          const cj_symbol *y)
{
    const cj__hdf5_object *object;
    double *numbers, *bias;
    cj_shape sample;
    cj__nir_sample(y, &sample);
    const int64_t count = cj_shape_count(&sample);
    CJ_TRY(cj__nir_numbers(b, node, "bias", &object, &numbers));
    bias = object->count == (uint64_t)count ? cj__new((size_t)count, sizeof *bias) : NULL;
    for (int64_t i = 0; bias && i < count; i++)
        bias[i] = numbers[cj__nir_place(&sample, i)];
    cj__free(numbers);
    if (bias)
        return cj__nir_set(b, layer, "bias", bias);
    if (object->count == (uint64_t)count)
        return CJ_OUT_OF_MEMORY;
    cj__nir_refuse(node, CJ_SHAPE_MISMATCH, "\"bias\" has %llu numbers, needed are %lld",
                   (unsigned long long)object->count, (long long)count);
    return CJ_SHAPE_MISMATCH;
}

static cj_symbol *make_linear(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    const bool bias = strcmp(node->kind->type, "Affine") == 0;
    const cj__hdf5_object *weight;
    double *numbers, *turned = NULL;
    cj_shape sample;
    char text[160];
    cj__nir_sample(x, &sample);
    if (cj__nir_numbers(b, node, "weight", &weight, &numbers) != CJ_OK)
        return NULL;
    if (!takes(weight, &sample) || weight->count == 0) {
        cj__free(numbers);
        return cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                              "its weight, of %d axes, does not take what comes to it, %s",
                              weight->rank, cj_shape_text(&sample, text, sizeof text));
    }
    const int64_t out = (int64_t)weight->dims[weight->rank - 2],
                  in = (int64_t)weight->dims[weight->rank - 1];
    turned = cj__new((size_t)weight->count, sizeof *turned);
    if (turned)
        turn_matrices(numbers, turned, (int64_t)weight->count / out / in, out, in);
    cj__free(numbers);
    if (!turned)
        return NULL;
    cj_layer *layer = make_product(node, weight, bias);
    cj_symbol *y = cj__nir_apply(b, layer, x);
    if (!y) {
        cj__free(turned);
        return NULL;
    }
    cj_status status = cj__nir_set(b, layer, "kernel", turned);
    if (status == CJ_OK && bias)
        status = set_bias(b, node, layer, y);
    return cj__nir_made(y, status);
}

static cj_symbol *make_scale(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    static const char letters[] = "abcdef";
    const cj__hdf5_object *object;
    char equation[64];
    double *numbers, *scale;
    cj_shape sample;
    cj__nir_sample(x, &sample);
    const int64_t count = cj_shape_count(&sample);
    if (cj__nir_numbers(b, node, "scale", &object, &numbers) != CJ_OK)
        return NULL;
    if (object->count != 1 && object->count != (uint64_t)count) {
        cj__free(numbers);
        return cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                              "\"scale\" has %llu numbers, needed are %lld",
                              (unsigned long long)object->count, (long long)count);
    }
    scale = cj__nir_afford(b, node, count) == CJ_OK ? cj__new((size_t)count, sizeof *scale) : NULL;
    for (int64_t i = 0; scale && i < count; i++)
        scale[i] = numbers[object->count == 1 ? 0 : cj__nir_place(&sample, i)];
    cj__free(numbers);
    if (!scale)
        return NULL;
    snprintf(equation, sizeof equation, "...%.*s,%.*s->...%.*s", sample.rank, letters, sample.rank,
             letters, sample.rank, letters);
    cj_einsum_dense_args args = {CJ_EINSUM_DENSE_DEFAULTS, .name = node->name,
                                 .equation = equation};
    for (int i = 0; i < sample.rank; i++)
        args.output_shape[i] = cj_symbol_shape(x)->dims[i + 2];
    cj_layer *layer = cj_einsum_dense_new(&args);
    cj_symbol *y = cj__nir_apply(b, layer, x);
    if (!y) {
        cj__free(scale);
        return NULL;
    }
    return cj__nir_made(y, cj__nir_set(b, layer, "kernel", scale));
}

// ---- Flatten ----

static cj_status read_whole(cj__nir_builder *b, const cj__nir_node *node, const char *name,
                            int standard, int *value)
{
    const cj__hdf5_object *object;
    double *numbers;
    *value = standard;
    if (!cj__nir_parameter(node, name, false))
        return CJ_OK;
    CJ_TRY(cj__nir_numbers(b, node, name, &object, &numbers));
    const bool good = object->count == 1 && numbers[0] >= -CJ_MAX_RANK && numbers[0] <= CJ_MAX_RANK;
    *value = good ? (int)numbers[0] : 0;
    cj__free(numbers);
    if (!good)
        cj__nir_refuse(node, CJ_BAD_FILE, "\"%s\" is no axis", name);
    return good ? CJ_OK : CJ_BAD_FILE;
}

// The layer of a node that is made of several: "<node>_<part>".
static const char *part_name(const cj__nir_node *node, const char *part, char *name, size_t size)
{
    snprintf(name, size, "%.150s_%s", node->name, part);
    return name;
}

// The axes after time turned by one place: to channels first, or back.
static cj_symbol *turn(const cj__nir_node *node, cj_symbol *x, bool first)
{
    char name[200];
    cj_permute_args args = {CJ_PERMUTE_DEFAULTS};
    const int rank = cj_symbol_shape(x)->rank - 2;
    args.name = part_name(node, first ? "channels_first" : "channels_last", name, sizeof name);
    args.dims[0] = 1;
    for (int i = 0; i < rank; i++)
        args.dims[1 + i] = 2 + (first ? (i + rank - 1) % rank : (i + 1) % rank);
    return cj_apply(cj_permute_new(&args), x);
}

static cj_symbol *make_flatten(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    int first, last;
    cj_shape sample;
    cj_reshape_args args = {CJ_RESHAPE_DEFAULTS, .name = node->name, .target_shape = {-1}};
    cj__nir_sample(x, &sample);
    if (read_whole(b, node, "start_dim", 1, &first) != CJ_OK ||
        read_whole(b, node, "end_dim", -1, &last) != CJ_OK)
        return NULL;
    first += first < 0 ? sample.rank : 0, last += last < 0 ? sample.rank : 0;
    if (first < 0 || last >= sample.rank || first > last)
        return cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                              "it flattens the axes %d to %d of what has %d", first, last,
                              sample.rank);
    const int rank = sample.rank - (last - first);
    if (sample.rank > 1)
        x = turn(node, x, true);
    int64_t product = 1;
    for (int i = 0; i < sample.rank; i++) {
        product = i > first && i <= last ? product * sample.dims[i] : sample.dims[i];
        args.target_shape[1 + (i < first ? i : i <= last ? first : i - (last - first))] = product;
    }
    x = cj_apply(cj_reshape_new(&args), x);
    return rank > 1 ? turn(node, x, false) : x;
}

// ---- The list ----

const cj__nir_kind cj__nir_kinds[] = {
    {.type = "Affine", .returns = true, .make = make_linear},
    {.type = "AvgPool2d", .make = cj__nir_make_pool},
    {.type = "Conv1d", .make = cj__nir_make_conv1d},
    {.type = "Conv2d", .make = cj__nir_make_conv2d},
    {.type = "CubaLI", .make = cj__nir_make_neuron},
    {.type = "CubaLIF", .recurs = true, .make = cj__nir_make_neuron},
    {.type = "Delay", .make = cj__nir_make_delay},
    {.type = "Flatten", .make = make_flatten},
    {.type = "I", .make = cj__nir_make_neuron},
    {.type = "IF", .recurs = true, .make = cj__nir_make_neuron},
    {.type = "Input", .is_end = true, .make = make_input},
    {.type = "LI", .make = cj__nir_make_neuron},
    {.type = "LIF", .recurs = true, .make = cj__nir_make_neuron},
    {.type = "Linear", .returns = true, .make = make_linear},
    {.type = "Output", .is_end = true, .make = make_output},
    {.type = "Scale", .returns = true, .make = make_scale},
    {.type = "SumPool2d", .make = cj__nir_make_pool},
    {.type = "Threshold", .make = cj__nir_make_neuron},
    {.type = NULL},
};
