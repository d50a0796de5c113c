// Conv1DTranspose, Conv2DTranspose and Conv3DTranspose. A sequence is an image of height 1.
//
// The output's length is a matter of padding: the formulas are Keras's, which gives JAX zeros before
// and after an input with strides - 1 zeros between its elements (keras/src/backend/common/
// backend_utils.py). Here they are turned into the padding of the convolution whose gradient this is.
#include "layers/windows.h"

CJ__DEFAULTS(conv1d_transpose, CONV1D_TRANSPOSE)
CJ__DEFAULTS(conv2d_transpose, CONV2D_TRANSPOSE)
CJ__DEFAULTS(conv3d_transpose, CONV3D_TRANSPOSE)

// `lengths` is the kind of a window's lengths.
#define FIELDS(args, lengths, axes)                                                     \
    CJ__FIELD(args, filters, CJ__FIELD_INT, CJ__POSITIVE),                              \
        CJ__FIELD(args, kernel_size, lengths, .required = true, CJ__POSITIVE),          \
        CJ__FIELD(args, strides, lengths, CJ__POSITIVE),                                \
        CJ__FIELD(args, padding, CJ__FIELD_TEXT, .required = true),                     \
        CJ__FIELD(args, output_padding, CJ__FIELD_AMOUNTS, .rows = axes, .columns = 1,  \
                  .optional = true),                                                    \
        CJ__FIELD(args, dilation_rate, lengths, CJ__POSITIVE), CJ__KERNEL_FIELDS(args), \
        CJ__KERNEL_CONSTRAINTS(args), CJ__LAYER_FIELDS(args)

static const cj__field fields_1d[] = {FIELDS(cj_conv1d_transpose_args, CJ__FIELD_INT, 1)};
static const cj__field fields_2d[] = {FIELDS(cj_conv2d_transpose_args, CJ__FIELD_PAIR, 2)};
static const cj__field fields_3d[] = {FIELDS(cj_conv3d_transpose_args, CJ__FIELD_TRIPLE, 3)};

static const cj__config_key keys[] = {CJ__CONVOLUTION_KEYS, {.key = NULL}};

// What the three layers are given.
typedef struct transposed {
    cj__windows w;
    const int64_t *output_padding; // of each axis; less than 0 for none
    int64_t filters;
    cj__kernel_settings kernel;
} transposed;

#define TRANSPOSED_OF(a)                                                            \
    {                                                                               \
        CJ__KERNEL_WINDOWS(a), (const int64_t *)&(a)->output_padding, (a)->filters, \
            *CJ__KERNEL_SETTINGS(a)                                                 \
    }

static transposed transposed_of(const cj_layer *layer)
{
    const cj_conv1d_transpose_args *one = layer->args;
    const cj_conv2d_transpose_args *two = layer->args;
    const cj_conv3d_transpose_args *three = layer->args;
    if (layer->kind == &cj__layer_conv1d_transpose)
        return (transposed)TRANSPOSED_OF(one);
    if (layer->kind == &cj__layer_conv2d_transpose)
        return (transposed)TRANSPOSED_OF(two);
    return (transposed)TRANSPOSED_OF(three);
}

static cj_status check(cj_layer *layer)
{
    const transposed t = transposed_of(layer);
    for (int i = 0; i < t.w.rank; i++)
        if (t.output_padding[i] >= t.w.strides[i])
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "%s: output_padding %lld must be less than the strides, %lld",
                            layer->name, (long long)t.output_padding[i], (long long)t.w.strides[i]);
    return cj__windows_check(layer, &t.w, false);
}

// The input has the rank, and its lengths are known; any kernel fits.
static cj_status check_input(const cj_layer *layer, const cj_shape *x, const cj__windows *w)
{
    cj__windows any = *w;
    any.padding = "same";
    return cj__windows_fit(layer, "kernel", x, &any);
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const transposed t = transposed_of(layer);
    const cj_shape *x = &inputs[0].shape;
    CJ_TRY(check_input(layer, x, &t.w));
    cj_shape kernel = {.rank = t.w.rank + 2};
    for (int i = 0; i < t.w.rank; i++)
        kernel.dims[i] = t.w.size[i];
    kernel.dims[t.w.rank] = t.filters;
    kernel.dims[t.w.rank + 1] = x->dims[x->rank - 1];
    return cj__add_kernel_and_bias(layer, kernel, t.filters, &t.kernel);
}

// The zeros of the convolution along axis i: Keras's, which are before a kernel turned around.
static void pad(const transposed *t, int i, int32_t *before, int32_t *after)
{
    const int64_t reach = (t->w.size[i] - 1) * t->w.dilation[i] + 1, stride = t->w.strides[i],
                  extra = t->output_padding[i];
    int64_t left = reach - 1, right = reach - 1;
    if (cj__windows_same(&t->w)) {
        const int64_t all = extra < 0 ? stride + reach - 2 : reach + reach % 2 - 2 + extra;
        left = all / 2 + all % 2 < left ? all / 2 + all % 2 : left;
        right = all - left;
    } else if (extra >= 0) {
        right += extra;
    } else if (stride > reach) {
        right += stride - reach;
    }
    *before = (int32_t)(reach - 1 - left);
    *after = (int32_t)(reach - 1 - right);
}

static cj_symbol *apply_3d(cj__build *g, const transposed *t, cj_symbol *x, cj_symbol *kernel)
{
    cj__conv3d_attrs attrs = cj__windows_attrs_3d(&t->w, 1);
    attrs.same = false;
    for (int i = 0; i < 3; i++)
        pad(t, i, &attrs.before[i], &attrs.after[i]);
    return cj__conv3d_transpose(g, x, kernel, &attrs);
}

static cj_symbol *apply(cj__build *g, const transposed *t, cj_symbol *x, cj_symbol *kernel)
{
    if (t->w.rank == 3)
        return apply_3d(g, t, x, kernel);
    cj__conv2d_attrs attrs = cj__windows_attrs(&t->w, 1);
    attrs.same = false;
    for (int i = 0; i < t->w.rank; i++)
        pad(t, i, &attrs.before[2 - t->w.rank + i], &attrs.after[2 - t->w.rank + i]);
    if (t->w.rank == 1) {
        x = cj__put_axis(g, x, 1);
        kernel = cj__put_axis(g, kernel, 0);
    }
    return cj__conv2d_transpose(g, x, kernel, &attrs);
}

// (n, h, w, c) by (kh, kw, f, c) is (n, h', w', f).
static cj_status call(cj__layer_context *c)
{
    const transposed t = transposed_of(c->layer);
    const cj_shape *x = cj__value_shape(c->inputs);
    CJ_TRY(check_input(c->layer, x, &t.w));
    CJ_TRY(cj__layer_need_length(c->layer, x, x->rank - 1));
    cj_symbol *kernel = cj__trace_variable(c->trace, c->layer->variables[0]);
    return cj__finish_windows(c, apply(c->build, &t, c->inputs->symbol, kernel), &t.w, 1,
                              &t.kernel);
}

#define TRANSPOSE(plain, class, fields)                                \
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
TRANSPOSE(conv1d_transpose, "Conv1DTranspose", fields_1d)
TRANSPOSE(conv2d_transpose, "Conv2DTranspose", fields_2d)
TRANSPOSE(conv3d_transpose, "Conv3DTranspose", fields_3d)
