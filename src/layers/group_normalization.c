// GroupNormalization (keras/src/layers/normalization/group_normalization.py; Wu and He 2018).
#include "layers/kind.h"

#include <cajal/normalization.h>

CJ__DEFAULTS(group_normalization, GROUP_NORMALIZATION)

static const cj__field fields[] = {
    CJ__FIELD(cj_group_normalization_args, groups, CJ__FIELD_INT, .low = -1, .high = 1e15),
    CJ__FIELD(cj_group_normalization_args, axis, CJ__FIELD_INT32),
    CJ__FIELD(cj_group_normalization_args, epsilon, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_group_normalization_args, center, CJ__FIELD_BOOL),
    CJ__FIELD(cj_group_normalization_args, scale, CJ__FIELD_BOOL),
    CJ__SPEC_FIELD(cj_group_normalization_args, beta_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_group_normalization_args, gamma_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_group_normalization_args, beta_regularizer, cj__regularizers),
    CJ__SPEC_FIELD(cj_group_normalization_args, gamma_regularizer, cj__regularizers),
    CJ__LAYER_FIELDS(cj_group_normalization_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_ONLY("beta_constraint", "null"),
    CJ__KEY_ONLY("gamma_constraint", "null"),
    {.key = NULL},
};

static cj_status check(cj_layer *layer)
{
    if (((const cj_group_normalization_args *)layer->args)->groups == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: groups must be positive, or -1 for one a channel, not 0", layer->name);
    return CJ_OK;
}

// The channels' axis, and the input's shape with it as two, (groups, channels of a group).
static cj_status groups_of(const cj_layer *layer, const cj_shape *x, int *axis, cj_shape *grouped)
{
    const cj_group_normalization_args *a = layer->args;
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK - 1));
    CJ_TRY(cj__layer_axis(layer, x, a->axis, axis));
    CJ_TRY(cj__layer_need_length(layer, x, *axis));
    const int64_t channels = x->dims[*axis], groups = a->groups == -1 ? channels : a->groups;
    if (channels % groups != 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: %lld channels cannot be cut into %lld groups",
                        layer->name, (long long)channels, (long long)groups);
    *grouped = (cj_shape){.rank = 0};
    for (int i = 0; i < x->rank; i++) {
        if (i == *axis)
            grouped->dims[grouped->rank++] = groups;
        grouped->dims[grouped->rank++] = i == *axis ? channels / groups : x->dims[i];
    }
    return CJ_OK;
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_group_normalization_args *a = layer->args;
    cj_shape grouped;
    int axis = 0;
    CJ_TRY(groups_of(layer, &inputs[0].shape, &axis, &grouped));
    const cj_shape shape = CJ_SHAPE(inputs[0].shape.dims[axis]);
    if (a->scale)
        CJ_TRY(cj__layer_add_variable(layer, "gamma", shape, a->gamma_initializer,
                                      a->gamma_regularizer, true, NULL));
    if (!a->center)
        return CJ_OK;
    return cj__layer_add_variable(layer, "beta", shape, a->beta_initializer, a->beta_regularizer,
                                  true, NULL);
}

// x of a length for each channel, cut into groups: (b, 1.., groups, channels of a group, 1..).
static cj_symbol *cut(cj__build *g, cj_symbol *x, const cj_shape *grouped, int axis)
{
    cj_shape shape = {.rank = grouped->rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = i == 0 || i == axis || i == axis + 1 ? grouped->dims[i] : 1;
    return x ? cj__reshape(g, x, &shape) : NULL;
}

// Mean and variance of each group, for each of its channels: (b, 1.., channels, 1..). Those of each
// channel come first, in one sweep whose rows are whole; the rest is small. The variance of a group
// is the mean of its channels' and the variance of their means.
static void group_moments(cj__build *g, cj_symbol *x, const cj_shape *grouped, int axis,
                          cj_symbol **mean, cj_symbol **variance)
{
    const uint32_t places = cj__all_axes(x) & ~(1u | 1u << axis), members = 1u << (axis + 1);
    cj_symbol *own = x, *inner = NULL, *between;
    if (places)
        cj__moments(g, x, places, true, &own, &inner);
    const cj_shape shape = own ? *cj_symbol_shape(own) : (cj_shape){.rank = 0};
    cj_symbol *of_channels = cut(g, own, grouped, axis);
    cj__moments(g, of_channels, members, true, mean, &between);
    if (places)
        between = cj__add(g, between, cj__mean(g, cut(g, inner, grouped, axis), members, true));
    *mean = cj__reshape(g, cj__broadcast_like(g, *mean, of_channels), &shape);
    *variance = cj__reshape(g, cj__broadcast_like(g, between, of_channels), &shape);
}

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moments of each group.
static cj_status call(cj__layer_context *c)
{
    const cj_group_normalization_args *a = c->layer->args;
    cj_variable *const *variable = c->layer->variables;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol, *mean, *variance;
    cj_shape grouped, channels = {.rank = cj_symbol_shape(x)->rank};
    int axis = 0;
    CJ_TRY(groups_of(c->layer, cj_symbol_shape(x), &axis, &grouped));
    for (int i = 0; i < channels.rank; i++)
        channels.dims[i] = i == axis ? cj_symbol_shape(x)->dims[i] : 1;
    group_moments(g, x, &grouped, axis, &mean, &variance);
    cj_symbol *factor =
        cj__apply_unary(g, CJ__UNARY_rsqrt, cj__shift(g, variance, a->epsilon), 0, 0);
    if (a->scale)
        factor = cj__mul(g, factor,
                         cj__reshape(g, cj__trace_variable(c->trace, *variable++), &channels));
    cj_symbol *y = cj__mul(g, cj__sub(g, x, mean), factor);
    if (a->center)
        y = cj__add(g, y, cj__reshape(g, cj__trace_variable(c->trace, *variable), &channels));
    c->outputs[0].symbol = y;
    return CJ_OK;
}

const cj__layer_kind cj__layer_group_normalization = {
    .choice = CJ__CHOICE("group_normalization", "GroupNormalization", fields,
                         group_normalization_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_PASS,
    .exact_variables = true,
};

CJ__CONSTRUCTOR(group_normalization)
