// Conv3D.
#include "layers/windows.h"

CJ__DEFAULTS(conv3d, CONV3D)

static const cj__field fields[] = {
    CJ__FIELD(cj_conv3d_args, filters, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__FIELD(cj_conv3d_args, kernel_size, CJ__FIELD_TRIPLE, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_conv3d_args, strides, CJ__FIELD_TRIPLE, CJ__POSITIVE),
    CJ__FIELD(cj_conv3d_args, padding, CJ__FIELD_TEXT, .required = true),
    CJ__FIELD(cj_conv3d_args, dilation_rate, CJ__FIELD_TRIPLE, CJ__POSITIVE),
    CJ__FIELD(cj_conv3d_args, groups, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__KERNEL_FIELDS(cj_conv3d_args),
    CJ__KERNEL_CONSTRAINTS(cj_conv3d_args),
    CJ__LAYER_FIELDS(cj_conv3d_args),
};

static const cj__config_key keys[] = {CJ__CONVOLUTION_KEYS, {.key = NULL}};

static cj_status check(cj_layer *layer)
{
    const cj_conv3d_args *a = layer->args;
    const cj__windows w = CJ__KERNEL_WINDOWS(a);
    CJ_TRY(cj__groups_check(layer, a->filters, a->groups));
    return cj__windows_check(layer, &w, false);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_conv3d_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    const cj__windows w = CJ__KERNEL_WINDOWS(a);
    CJ_TRY(cj__windows_fit(layer, "kernel", x, &w));
    CJ_TRY(cj__groups_fit(layer, x->dims[4], a->groups));
    return cj__add_kernel(layer,
                          CJ_SHAPE(a->kernel_size[0], a->kernel_size[1], a->kernel_size[2],
                                   x->dims[4] / a->groups, a->filters),
                          CJ__KERNEL_SETTINGS(a));
}

// (n, d, h, w, c) by (kd, kh, kw, c / groups, f) is (n, d', h', w', f).
static cj_status call(cj__layer_context *c)
{
    const cj_conv3d_args *a = c->layer->args;
    const cj_shape *x = cj__value_shape(c->inputs);
    const cj__windows w = CJ__KERNEL_WINDOWS(a);
    CJ_TRY(cj__windows_fit(c->layer, "kernel", x, &w));
    CJ_TRY(cj__layer_need_length(c->layer, x, 4));
    const cj__conv3d_attrs attrs = cj__windows_attrs_3d(&w, a->groups);
    cj_symbol *kernel = cj__trace_variable(c->trace, c->layer->variables[0]);
    return cj__finish_kernel(c, cj__conv3d(c->build, c->inputs->symbol, kernel, &attrs),
                             CJ__KERNEL_SETTINGS(a));
}

const cj__layer_kind cj__layer_conv3d = {
    .choice = CJ__CHOICE("conv3d", "Conv3D", fields, conv3d_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(conv3d)
