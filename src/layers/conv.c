// Conv2D.
#include "layers/kind.h"
#include <string.h>

CJ__DEFAULTS(conv2d, CONV2D)

static const cj__field fields[] = {
    CJ__FIELD(cj_conv2d_args, filters, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_conv2d_args, kernel_size, CJ__FIELD_PAIR, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_conv2d_args, strides, CJ__FIELD_PAIR, CJ__POSITIVE),
    CJ__FIELD(cj_conv2d_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__FIELD(cj_conv2d_args, dilation_rate, CJ__FIELD_PAIR, CJ__POSITIVE),
    CJ__FIELD(cj_conv2d_args, groups, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__KERNEL_FIELDS(cj_conv2d_args),
    CJ__KERNEL_CONSTRAINTS(cj_conv2d_args),
    CJ__LAYER_FIELDS(cj_conv2d_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("nb_filter", "filters"),
    CJ__KEY_PART("nb_row", "kernel_size", 1),
    CJ__KEY_PART("nb_col", "kernel_size", 2),
    CJ__KEY_RENAMED("subsample", "strides"),
    CJ__KEY_RENAMED("border_mode", "padding"),
    CJ__KEY_RENAMED("init", "kernel_initializer"),
    CJ__KEY_RENAMED("W_regularizer", "kernel_regularizer"),
    CJ__KEY_RENAMED("b_regularizer", "bias_regularizer"),
    CJ__KEY_RENAMED("bias", "use_bias"),
    CJ__KEY_RENAMED("W_constraint", "kernel_constraint"),
    CJ__KEY_RENAMED("b_constraint", "bias_constraint"),
    CJ__KEY_ONLY("lora_rank", "null"),
    CJ__KEY_ONLY("lora_alpha", "null"),
    CJ__KEY_ONLY("data_format", "channels_last"),
    CJ__KEY_ONLY("dim_ordering", "tf"),
    {.key = NULL},
};

cj_status cj__layer_padding(const cj_layer *layer, const char *padding, bool *same)
{
    *same = strcmp(padding, "same") == 0;
    if (*same || strcmp(padding, "valid") == 0)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: unknown padding \"%.40s\": there are \"valid\" and \"same\"", layer->name,
                    padding);
}

cj_status cj__layer_window(const cj_layer *layer, const char *what, const cj_shape *x,
                           const int64_t *size, const int64_t *dilation, bool same)
{
    CJ_TRY(cj__layer_need_rank(layer, x, 4, 4));
    for (int i = 1; i < 4; i++)
        if (x->dims[i] <= 0)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: height, width and channels must be known and positive",
                            layer->name);
    for (int i = 0; i < 2; i++) {
        if (size[i] > INT32_MAX || dilation[i] > INT32_MAX)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s %lldx%lld is too large", layer->name, what,
                            (long long)size[0], (long long)size[1]);
        if (!same && (size[i] - 1) * dilation[i] + 1 > x->dims[i + 1])
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: %s %lldx%lld does not fit input %lldx%lld with padding \"valid\"",
                            layer->name, what, (long long)((size[0] - 1) * dilation[0] + 1),
                            (long long)((size[1] - 1) * dilation[1] + 1), (long long)x->dims[1],
                            (long long)x->dims[2]);
    }
    return CJ_OK;
}

static cj_status check_conv2d(cj_layer *layer)
{
    const cj_conv2d_args *a = layer->args;
    bool same;
    if ((a->strides[0] > 1 || a->strides[1] > 1) &&
        (a->dilation_rate[0] > 1 || a->dilation_rate[1] > 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: strides above 1 and a dilation_rate above 1 exclude each other",
                        layer->name);
    CJ_TRY(cj__groups_check(layer, a->filters, a->groups));
    return cj__layer_padding(layer, a->padding, &same);
}

static cj_status build_conv2d(cj_layer *layer, const cj__type *inputs)
{
    const cj_conv2d_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    CJ_TRY(cj__layer_window(layer, "kernel", x, a->kernel_size, a->dilation_rate,
                            strcmp(a->padding, "same") == 0));
    CJ_TRY(cj__groups_fit(layer, x->dims[3], a->groups));
    return cj__add_kernel(
        layer, CJ_SHAPE(a->kernel_size[0], a->kernel_size[1], x->dims[3] / a->groups, a->filters),
        CJ__KERNEL_SETTINGS(a));
}

// y = activation(conv(x, W) + b): (n, h, w, c) by (kh, kw, c / groups, f) is (n, h', w', f).
static cj_status call_conv2d(cj__layer_context *c)
{
    const cj_conv2d_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const cj__conv2d_attrs attrs = {
        .kernel = {a->kernel_size[0], a->kernel_size[1]},
        .strides = {a->strides[0], a->strides[1]},
        .dilation = {a->dilation_rate[0], a->dilation_rate[1]},
        .groups = (int32_t)a->groups,
        .same = strcmp(a->padding, "same") == 0,
    };
    cj__build *g = c->build;
    CJ_TRY(cj__layer_window(c->layer, "kernel", x, a->kernel_size, a->dilation_rate, attrs.same));
    CJ_TRY(cj__layer_need_length(c->layer, x, 3));
    cj_symbol *y = cj__conv2d_symbol(g, c->inputs[0].symbol,
                                     cj__trace_variable(c->trace, c->layer->variables[0]), &attrs);
    return cj__finish_kernel(c, y, CJ__KERNEL_SETTINGS(a));
}

const cj__layer_kind cj__layer_conv2d = {
    .choice = CJ__CHOICE("conv2d", "Conv2D", fields, conv2d_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check_conv2d,
    .build = build_conv2d,
    .call = call_conv2d,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(conv2d)
