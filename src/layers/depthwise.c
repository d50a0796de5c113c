// DepthwiseConv1D and DepthwiseConv2D, SeparableConv1D and SeparableConv2D.
//
// A depthwise kernel (h, w, c, m) has the elements of one with c groups, (h, w, 1, c m), in the same
// order: it is a view. A sequence is an image of height 1.
#include "layers/windows.h"

CJ__DEFAULTS(depthwise_conv1d, DEPTHWISE_CONV1D)
CJ__DEFAULTS(depthwise_conv2d, DEPTHWISE_CONV2D)
CJ__DEFAULTS(separable_conv1d, SEPARABLE_CONV1D)
CJ__DEFAULTS(separable_conv2d, SEPARABLE_CONV2D)

// `lengths` is the kind of a window's lengths.
#define WINDOW_FIELDS(args, lengths)                                       \
    CJ__FIELD(args, kernel_size, lengths, .required = true, CJ__POSITIVE), \
        CJ__FIELD(args, strides, lengths, CJ__POSITIVE),                   \
        CJ__FIELD(args, padding, CJ__FIELD_TEXT, .required = true),        \
        CJ__FIELD(args, depth_multiplier, CJ__FIELD_INT, CJ__POSITIVE),    \
        CJ__FIELD(args, dilation_rate, lengths, CJ__POSITIVE),             \
        CJ__SPEC_FIELD(args, activation, cj__activations),                 \
        CJ__FIELD(args, use_bias, CJ__FIELD_BOOL),                         \
        CJ__SPEC_FIELD(args, depthwise_initializer, cj__initializers),     \
        CJ__SPEC_FIELD(args, bias_initializer, cj__initializers),          \
        CJ__SPEC_FIELD(args, depthwise_regularizer, cj__regularizers),     \
        CJ__SPEC_FIELD(args, bias_regularizer, cj__regularizers),          \
        CJ__SPEC_FIELD(args, activity_regularizer, cj__regularizers),      \
        CJ__CONSTRAINT_FIELD(args, depthwise_constraint),                  \
        CJ__CONSTRAINT_FIELD(args, bias_constraint), CJ__LAYER_FIELDS(args)
#define POINTWISE_FIELDS(args)                                         \
    CJ__FIELD(args, filters, CJ__FIELD_INT, CJ__POSITIVE),             \
        CJ__SPEC_FIELD(args, pointwise_initializer, cj__initializers), \
        CJ__SPEC_FIELD(args, pointwise_regularizer, cj__regularizers), \
        CJ__CONSTRAINT_FIELD(args, pointwise_constraint)

static const cj__field depthwise_1d[] = {WINDOW_FIELDS(cj_depthwise_conv1d_args, CJ__FIELD_INT)};
static const cj__field depthwise_2d[] = {WINDOW_FIELDS(cj_depthwise_conv2d_args, CJ__FIELD_PAIR)};
static const cj__field separable_1d[] = {POINTWISE_FIELDS(cj_separable_conv1d_args),
                                         WINDOW_FIELDS(cj_separable_conv1d_args, CJ__FIELD_INT)};
static const cj__field separable_2d[] = {POINTWISE_FIELDS(cj_separable_conv2d_args),
                                         WINDOW_FIELDS(cj_separable_conv2d_args, CJ__FIELD_PAIR)};

// Keras writes the settings of a kernel that these layers do not have, as null.
static const cj__config_key keys[] = {
    CJ__KEY_ONLY("kernel_constraint", "null"),
    CJ__KEY_ONLY("groups", "1"),
    CJ__KEY_HARMLESS("kernel_initializer"),
    CJ__KEY_ONLY("kernel_regularizer", "null"),
    CJ__CONVOLUTION_KEYS,
    {.key = NULL},
};

// What the four layers are given; filters 0 of those that are depthwise only. The kernel's settings
// are those of the depthwise kernel.
typedef struct depthwise {
    cj__windows w;
    int64_t multiplier, filters;
    cj__kernel_settings kernel;
    const char *pointwise_initializer, *pointwise_regularizer;
} depthwise;

#define DEPTHWISE_OF(a)                                              \
    .w = CJ__KERNEL_WINDOWS(a), .multiplier = (a)->depth_multiplier, \
    .kernel = {(a)->use_bias,                                        \
               (a)->activation,                                      \
               (a)->depthwise_initializer,                           \
               (a)->bias_initializer,                                \
               (a)->depthwise_regularizer,                           \
               (a)->bias_regularizer,                                \
               (a)->activity_regularizer}
#define SEPARABLE_OF(a)                                                                            \
    DEPTHWISE_OF(a), .filters = (a)->filters, .pointwise_initializer = (a)->pointwise_initializer, \
                     .pointwise_regularizer = (a)->pointwise_regularizer

static depthwise depthwise_of(const cj_layer *layer)
{
    const cj_depthwise_conv1d_args *d1 = layer->args;
    const cj_depthwise_conv2d_args *d2 = layer->args;
    const cj_separable_conv1d_args *s1 = layer->args;
    const cj_separable_conv2d_args *s2 = layer->args;
    if (layer->kind == &cj__layer_depthwise_conv1d)
        return (depthwise){DEPTHWISE_OF(d1)};
    if (layer->kind == &cj__layer_depthwise_conv2d)
        return (depthwise){DEPTHWISE_OF(d2)};
    if (layer->kind == &cj__layer_separable_conv1d)
        return (depthwise){SEPARABLE_OF(s1)};
    return (depthwise){SEPARABLE_OF(s2)};
}

static cj_status check(cj_layer *layer)
{
    const depthwise d = depthwise_of(layer);
    return cj__windows_check(layer, &d.w, false);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const depthwise d = depthwise_of(layer);
    const cj_shape *x = &inputs[0].shape;
    CJ_TRY(cj__windows_fit(layer, "kernel", x, &d.w));
    const int64_t channels = x->dims[x->rank - 1];
    if (channels > INT32_MAX || d.multiplier > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: depth_multiplier %lld is too large", layer->name,
                        (long long)d.multiplier);
    const int64_t made = channels * d.multiplier;
    cj_shape kernel = {.rank = d.w.rank + 2}, mixing = {.rank = d.w.rank + 2};
    for (int i = 0; i < d.w.rank; i++) {
        kernel.dims[i] = d.w.size[i];
        mixing.dims[i] = 1;
    }
    kernel.dims[d.w.rank] = channels;
    kernel.dims[d.w.rank + 1] = d.multiplier;
    mixing.dims[d.w.rank] = made;
    mixing.dims[d.w.rank + 1] = d.filters;
    if (d.filters == 0)
        return cj__add_kernel_and_bias(layer, kernel, made, &d.kernel);
    CJ_TRY(cj__layer_add_variable(layer, "depthwise_kernel", kernel, d.kernel.kernel_initializer,
                                  d.kernel.kernel_regularizer, true, NULL));
    CJ_TRY(cj__layer_add_variable(layer, "pointwise_kernel", mixing, d.pointwise_initializer,
                                  d.pointwise_regularizer, true, NULL));
    if (!d.kernel.use_bias)
        return CJ_OK;
    return cj__layer_add_variable(layer, "bias", CJ_SHAPE(d.filters), d.kernel.bias_initializer,
                                  d.kernel.bias_regularizer, true, NULL);
}

// (n, h, w, c) by (kh, kw, c, m) is (n, h', w', c m), then by (1, 1, c m, f) (n, h', w', f).
static cj_status call(cj__layer_context *c)
{
    const depthwise d = depthwise_of(c->layer);
    const cj_shape *shape = cj__value_shape(c->inputs);
    cj__build *g = c->build;
    CJ_TRY(cj__windows_fit(c->layer, "kernel", shape, &d.w));
    CJ_TRY(cj__layer_need_length(c->layer, shape, shape->rank - 1));
    const int64_t channels = shape->dims[shape->rank - 1];
    const cj__conv2d_attrs attrs = cj__windows_attrs(&d.w, channels),
                           point = {.strides = {1, 1}, .dilation = {1, 1}, .groups = 1};
    const cj_shape by_channel =
        CJ_SHAPE(attrs.kernel[0], attrs.kernel[1], 1, channels * d.multiplier);
    cj_symbol *x = c->inputs->symbol;
    cj_symbol *kernel =
        cj__reshape(g, cj__trace_variable(c->trace, c->layer->variables[0]), &by_channel);
    cj_symbol *y = cj__conv2d_symbol(g, d.w.rank == 1 ? cj__put_axis(g, x, 1) : x, kernel, &attrs);
    if (d.filters > 0) {
        const cj_shape mixing = CJ_SHAPE(1, 1, channels * d.multiplier, d.filters);
        y = cj__conv2d_symbol(
            g, y, cj__reshape(g, cj__trace_variable(c->trace, c->layer->variables[1]), &mixing),
            &point);
    }
    return cj__finish_windows(c, y, &d.w, d.filters > 0 ? 2 : 1, &d.kernel);
}

#define DEPTHWISE(plain, class, fields)                                \
    const cj__layer_kind cj__layer_##plain = {                         \
        .choice = CJ__CHOICE(#plain, class, fields, plain##_defaults), \
        .keys = keys,                                                  \
        .min_inputs = 1,                                               \
        .max_inputs = 1,                                               \
        .check = check,                                                \
        .build = build,                                                \
        .call = call,                                                  \
        .mask = CJ__MASK_DROP,                                         \
    };                                                                 \
    CJ__CONSTRUCTOR(plain)
DEPTHWISE(depthwise_conv1d, "DepthwiseConv1D", depthwise_1d)
DEPTHWISE(depthwise_conv2d, "DepthwiseConv2D", depthwise_2d)
DEPTHWISE(separable_conv1d, "SeparableConv1D", separable_1d)
DEPTHWISE(separable_conv2d, "SeparableConv2D", separable_2d)
