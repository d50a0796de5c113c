// LayerNormalization (keras/src/layers/normalization/layer_normalization.py; Ba et al. 2016).
#include "layers/kind.h"

CJ__DEFAULTS(layer_normalization, LAYER_NORMALIZATION)

static const cj__field fields[] = {
    CJ__FIELD(cj_layer_normalization_args, axis, CJ__FIELD_LIST),
    CJ__FIELD(cj_layer_normalization_args, epsilon, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_layer_normalization_args, center, CJ__FIELD_BOOL),
    CJ__FIELD(cj_layer_normalization_args, scale, CJ__FIELD_BOOL),
    CJ__SPEC_FIELD(cj_layer_normalization_args, beta_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_layer_normalization_args, gamma_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_layer_normalization_args, beta_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_layer_normalization_args, gamma_regularizer, cj__regularizers),
    CJ__CONSTRAINT_FIELD(cj_layer_normalization_args, beta_constraint),
    CJ__CONSTRAINT_FIELD(cj_layer_normalization_args, gamma_constraint),
    CJ__LAYER_FIELDS(cj_layer_normalization_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("rms_scaling", "false"),
    {.key = NULL},
};

// The set of normalized axes, and the lengths of x with 1 for all other axes: what gamma and beta
// broadcast from.
static cj_status axes_of(const cj_layer *layer, const cj_shape *x, uint32_t *axes, cj_shape *shape)
{
    const cj_layer_normalization_args *a = layer->args;
    *axes = 0;
    *shape = (cj_shape){.rank = x->rank};
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    for (int i = 0; i < CJ_MAX_RANK && a->axis[i] != 0; i++) {
        int axis = 0;
        CJ_TRY(cj__layer_axis(layer, x, (int)a->axis[i], &axis));
        CJ_TRY(cj__layer_need_length(layer, x, axis));
        if (*axes & 1u << axis)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: axis %d is given twice", layer->name, axis);
        *axes |= 1u << axis;
    }
    for (int i = 0; i < x->rank; i++)
        shape->dims[i] = *axes & 1u << i ? x->dims[i] : 1;
    return *axes ? CJ_OK : cj__fail(CJ_INVALID_ARGUMENT, "%s: axis is required", layer->name);
}

static bool has(const int64_t *axes, int axis)
{
    for (int i = 0; i < CJ_MAX_RANK && axes[i] != 0; i++)
        if (axes[i] == axis)
            return true;
    return false;
}

// gamma and beta have the normalized lengths in the order of the axes' numbers as they were given,
// -1 before 1, as in Keras.
static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_layer_normalization_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    cj_shape broadcast, shape = {0};
    uint32_t axes;
    CJ_TRY(axes_of(layer, x, &axes, &broadcast));
    for (int axis = -x->rank; axis < x->rank; axis++)
        if (has(a->axis, axis))
            shape.dims[shape.rank++] = x->dims[axis < 0 ? axis + x->rank : axis];
    if (a->scale)
        CJ_TRY(cj__layer_add_variable(layer, "gamma", shape, a->gamma_initializer,
                                      a->gamma_regularizer, true, NULL));
    if (!a->center)
        return CJ_OK;
    return cj__layer_add_variable(layer, "beta", shape, a->beta_initializer, a->beta_regularizer,
                                  true, NULL);
}

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and (biased) variance over the
// normalized axes of each sample.
static cj_status call(cj__layer_context *c)
{
    const cj_layer_normalization_args *a = c->layer->args;
    cj_variable *const *variable = c->layer->variables;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol, *mean, *variance;
    cj_shape shape;
    uint32_t axes;
    CJ_TRY(axes_of(c->layer, cj_symbol_shape(x), &axes, &shape));
    cj__moments(g, x, axes, true, &mean, &variance);
    cj_symbol *y =
        cj__mul(g, cj__sub(g, x, mean),
                cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, variance, a->epsilon), 0, 0));
    if (a->scale)
        y = cj__mul(g, y, cj__reshape(g, cj__trace_variable(c->trace, *variable++), &shape));
    if (a->center)
        y = cj__add(g, y, cj__reshape(g, cj__trace_variable(c->trace, *variable), &shape));
    c->outputs[0].symbol = y;
    return CJ_OK;
}

const cj__layer_kind cj__layer_layer_normalization = {
    .choice = CJ__CHOICE("layer_normalization", "LayerNormalization", fields,
                         layer_normalization_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
    .call = call,
    .mask = CJ__MASK_PASS,
    .exact_variables = true,
    .keys = keys,
};

CJ__CONSTRUCTOR(layer_normalization)
