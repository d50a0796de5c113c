// What the files of the layers share: tables of fields, kernels with a bias, checks of inputs, and
// expressions that several layers need.
#ifndef CJ_LAYERS_KIND_H
#define CJ_LAYERS_KIND_H

#include "base/error.h"
#include "layers/layer.h"
#include <stddef.h>

// The rows of CJ_LAYER_MEMBERS.
#define CJ__LAYER_FIELDS(args)                                                         \
    CJ__FIELD(args, name, CJ__FIELD_TEXT), CJ__FIELD(args, trainable, CJ__FIELD_BOOL), \
        CJ__FIELD(args, dtype, CJ__FIELD_TEXT)

// The settings of layers with a kernel and a bias: the rows of their fields, ...
#define CJ__KERNEL_FIELDS(args)                                                                   \
    CJ__SPEC_FIELD(args, activation, cj__activations), CJ__FIELD(args, use_bias, CJ__FIELD_BOOL), \
        CJ__SPEC_FIELD(args, kernel_initializer, cj__initializers),                               \
        CJ__SPEC_FIELD(args, bias_initializer, cj__initializers),                                 \
        CJ__SPEC_FIELD(args, kernel_regularizer, cj__regularizers),                               \
        CJ__SPEC_FIELD(args, bias_regularizer, cj__regularizers),                                 \
        CJ__SPEC_FIELD(args, activity_regularizer, cj__regularizers)

// The row of a constraint. The variable "kernel" has the setting "kernel_constraint", and
// "recurrent_kernel" has "recurrent_constraint": cj__layer_add_variable() finds it by these names.
#define CJ__CONSTRAINT_FIELD(args, member) CJ__SPEC_FIELD(args, member, cj__constraints)
#define CJ__KERNEL_CONSTRAINTS(args) \
    CJ__CONSTRAINT_FIELD(args, kernel_constraint), CJ__CONSTRAINT_FIELD(args, bias_constraint)

// ... their values, ...
typedef struct cj__kernel_settings {
    bool use_bias;
    const char *activation, *kernel_initializer, *bias_initializer;
    const char *kernel_regularizer, *bias_regularizer, *activity_regularizer;
} cj__kernel_settings;
#define CJ__KERNEL_SETTINGS(args)                                                             \
    (&(cj__kernel_settings){(args)->use_bias, (args)->activation, (args)->kernel_initializer, \
                            (args)->bias_initializer, (args)->kernel_regularizer,             \
                            (args)->bias_regularizer, (args)->activity_regularizer})

// ... for build(): the variables "kernel" and, with use_bias, "bias" of the kernel's last length,
cj_status cj__add_kernel(cj_layer *layer, cj_shape kernel, const cj__kernel_settings *settings);
// the same with a bias of any length,
cj_status cj__add_kernel_and_bias(cj_layer *layer, cj_shape kernel, int64_t bias,
                                  const cj__kernel_settings *settings);
// and for call(): activation(y + bias) as output 0, and the activity regularizer on it.
cj_status cj__finish_kernel(cj__layer_context *context, cj_symbol *y,
                            const cj__kernel_settings *settings);
// activation(y + bias) alone, with the bias in variable `bias`.
cj_symbol *cj__kernel_tail(cj__layer_context *context, cj_symbol *y, int bias,
                           const cj__kernel_settings *settings);
// Adds the penalty of an activity regularizer on output 0 to the losses; nothing for a NULL spec.
void cj__add_activity_loss(cj__layer_context *context, const char *regularizer);
void cj__add_activity_loss_of(cj__layer_context *context, const char *regularizer, int output);

// The constructor of a kind: cj_dense_new().
#define CJ__CONSTRUCTOR(plain)                                \
    cj_layer *cj_##plain##_new(const cj_##plain##_args *args) \
    {                                                         \
        return cj__layer_new(&cj__layer_##plain, args);       \
    }

enum { CJ__SHAPE_WORDS = 160 };

// The shape of an input.
static inline const cj_shape *cj__value_shape(const cj__value *value)
{
    return cj_symbol_shape(value->symbol);
}

// The input has from `low` to `high` axes, the batch axis included.
cj_status cj__layer_need_rank(const cj_layer *layer, const cj_shape *shape, int low, int high);
// The length of an axis is known, and equals that which the layer was built for.
cj_status cj__layer_need_length(const cj_layer *layer, const cj_shape *shape, int axis);
// The axis of a setting that counts from the end if negative. The batch axis is refused.
cj_status cj__layer_axis(const cj_layer *layer, const cj_shape *shape, int setting, int *axis);

// Groups divide the filters, when settings are checked, and the channels, when they are known.
cj_status cj__groups_check(const cj_layer *layer, int64_t filters, int64_t groups);
cj_status cj__groups_fit(const cj_layer *layer, int64_t channels, int64_t groups);
// Whether `padding` is "same"; fails if it is not "valid" either.
cj_status cj__layer_padding(const cj_layer *layer, const char *padding, bool *same);
// A window over the middle axes of an input (n, h, w, c) fits.
cj_status cj__layer_window(const cj_layer *layer, const char *what, const cj_shape *x,
                           const int64_t *size, const int64_t *dilation, bool same);

// Ones of the shape of x with the axes of the mask reduced to length 1.
cj_symbol *cj__ones_over(cj__build *g, cj_symbol *x, uint32_t axes);
// min(max_value, x) above the threshold, negative_slope (x - threshold) elsewhere. INFINITY is no
// max_value.
cj_symbol *cj__relu_of(cj__build *g, cj_symbol *x, double negative_slope, double max_value,
                       double threshold);

#endif
