// Conv1D: an image of height 1.
#include "layers/windows.h"

CJ__DEFAULTS(conv1d, CONV1D)

static const cj__field fields[] = {
    CJ__FIELD(cj_conv1d_args, filters, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_conv1d_args, kernel_size, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_conv1d_args, strides, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_conv1d_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__FIELD(cj_conv1d_args, dilation_rate, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_conv1d_args, groups, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__KERNEL_FIELDS(cj_conv1d_args),
    CJ__KERNEL_CONSTRAINTS(cj_conv1d_args),
    CJ__LAYER_FIELDS(cj_conv1d_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("nb_filter", "filters"),
    CJ__KEY_RENAMED("filter_length", "kernel_size"),
    CJ__KEY_RENAMED("subsample_length", "strides"),
    CJ__KEY_RENAMED("border_mode", "padding"),
    CJ__CONVOLUTION_KEYS,
    {.key = NULL},
};

static cj_status check(cj_layer *layer)
{
    const cj_conv1d_args *a = layer->args;
    const cj__windows w = CJ__KERNEL_WINDOWS(a);
    CJ_TRY(cj__groups_check(layer, a->filters, a->groups));
    return cj__windows_check(layer, &w, true);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_conv1d_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    const cj__windows w = CJ__KERNEL_WINDOWS(a);
    CJ_TRY(cj__windows_fit(layer, "kernel", x, &w));
    CJ_TRY(cj__groups_fit(layer, x->dims[2], a->groups));
    return cj__add_kernel(layer, CJ_SHAPE(a->kernel_size, x->dims[2] / a->groups, a->filters),
                          CJ__KERNEL_SETTINGS(a));
}

// (n, steps, c) by (k, c / groups, f) is (n, steps', f).
static cj_status call(cj__layer_context *c)
{
    const cj_conv1d_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(c->inputs);
    const cj__windows w = CJ__KERNEL_WINDOWS(a);
    cj__build *g = c->build;
    CJ_TRY(cj__windows_fit(c->layer, "kernel", x, &w));
    CJ_TRY(cj__layer_need_length(c->layer, x, 2));
    const cj__conv2d_attrs attrs = cj__windows_attrs(&w, a->groups);
    cj_symbol *kernel = cj__trace_variable(c->trace, c->layer->variables[0]);
    cj_symbol *y = cj__conv2d_symbol(g, cj__put_axis(g, c->inputs->symbol, 1),
                                     cj__put_axis(g, kernel, 0), &attrs);
    return cj__finish_windows(c, y, &w, 1, CJ__KERNEL_SETTINGS(a));
}

const cj__layer_kind cj__layer_conv1d = {
    .choice = CJ__CHOICE("conv1d", "Conv1D", fields, conv1d_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(conv1d)
