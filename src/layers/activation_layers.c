// Activation, ReLU, LeakyReLU, ELU, Softmax.
#include "layers/kind.h"

CJ__DEFAULTS(activation, ACTIVATION)

static const cj__field activation_fields[] = {
    CJ__FIELD(cj_activation_args, activation, CJ__FIELD_SPEC, .catalog = &cj__activations,
              .required = true),
    CJ__LAYER_FIELDS(cj_activation_args),
};
CJ__DEFAULTS(relu, RELU)

static const cj__field relu_fields[] = {
    CJ__FIELD(cj_relu_args, max_value, CJ__FIELD_LIMIT, .low = 0, .high = 1e30),
    CJ__FIELD(cj_relu_args, negative_slope, CJ__FIELD_NUMBER, .low = 0, .high = 1e30),
    CJ__FIELD(cj_relu_args, threshold, CJ__FIELD_NUMBER, .low = 0, .high = 1e30),
    CJ__LAYER_FIELDS(cj_relu_args),
};
CJ__DEFAULTS(leaky_relu, LEAKY_RELU)

static const cj__field leaky_relu_fields[] = {
    CJ__FIELD(cj_leaky_relu_args, negative_slope, CJ__FIELD_NUMBER),
    CJ__LAYER_FIELDS(cj_leaky_relu_args),
};
CJ__DEFAULTS(elu, ELU)

static const cj__field elu_fields[] = {
    CJ__FIELD(cj_elu_args, alpha, CJ__FIELD_NUMBER),
    CJ__LAYER_FIELDS(cj_elu_args),
};
CJ__DEFAULTS(softmax, SOFTMAX)

static const cj__field softmax_fields[] = {
    CJ__FIELD(cj_softmax_args, axis, CJ__FIELD_INT32),
    CJ__LAYER_FIELDS(cj_softmax_args),
};

// LeakyReLU of Keras 2. ELU has a field of that name.
static const cj__config_key keys[] = {CJ__KEY_RENAMED("alpha", "negative_slope"), {.key = NULL}};

static cj_status call_activation(cj__layer_context *c)
{
    const cj_activation_args *a = c->layer->args;
    c->outputs[0].symbol =
        cj__activation(c->build, a->activation, c->layer->name, c->inputs[0].symbol);
    return CJ_OK;
}

static cj_status call_relu(cj__layer_context *c)
{
    const cj_relu_args *a = c->layer->args;
    c->outputs[0].symbol =
        cj__relu_of(c->build, c->inputs[0].symbol, a->negative_slope, a->max_value, a->threshold);
    return CJ_OK;
}

static cj_status call_leaky_relu(cj__layer_context *c)
{
    const cj_leaky_relu_args *a = c->layer->args;
    c->outputs[0].symbol =
        cj__apply_unary(c->build, CJ__UNARY_leaky_relu, c->inputs[0].symbol, a->negative_slope, 0);
    return CJ_OK;
}

static cj_status call_elu(cj__layer_context *c)
{
    const cj_elu_args *a = c->layer->args;
    c->outputs[0].symbol =
        cj__apply_unary(c->build, CJ__UNARY_elu, c->inputs[0].symbol, a->alpha, 0);
    return CJ_OK;
}

// A mask that broadcasts to x, counted from the last axis; for the rest of x it has axes of length 1.
static cj_status mask_of_softmax(cj__layer_context *c, cj_symbol **mask)
{
    cj_symbol *given = c->inputs[0].mask;
    *mask = given;
    if (!given)
        return CJ_OK;
    const cj_shape *x = cj_symbol_shape(c->inputs[0].symbol), *m = cj_symbol_shape(given);
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    bool fits = m->rank <= x->rank;
    cj_shape shape = {.rank = x->rank};
    for (int i = 0; fits && i < x->rank; i++) {
        const int at = i - (x->rank - m->rank);
        shape.dims[i] = at < 0 ? 1 : m->dims[at];
        fits = at < 0 || shape.dims[i] == 1 || shape.dims[i] == x->dims[i];
    }
    if (!fits)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: its mask %s does not broadcast to its input %s",
                        c->layer->name, cj_shape_text(m, first, sizeof first),
                        cj_shape_text(x, second, sizeof second));
    *mask = cj__reshape(c->build, given, &shape);
    return c->build->status;
}

// The op works over the last axis; another axis is swapped with it before and after.
static cj_status call_softmax(cj__layer_context *c)
{
    const cj_softmax_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol, *mask = NULL;
    const int last = cj_symbol_shape(x)->rank - 1;
    int axis = 0, order[CJ_MAX_RANK];
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), 2, CJ_MAX_RANK));
    CJ_TRY(cj__layer_axis(c->layer, cj_symbol_shape(x), a->axis, &axis));
    for (int i = 0; i <= last; i++)
        order[i] = i == axis ? last : i == last ? axis : i;
    CJ_TRY(mask_of_softmax(c, &mask));
    if (mask)
        x = cj__select(g, mask, x, cj__scalar(g, CJ_F32, -1e9));
    if (axis == last)
        c->outputs[0].symbol = cj__softmax(g, x);
    else
        c->outputs[0].symbol = cj__transpose(g, cj__softmax(g, cj__transpose(g, x, order)), order);
    if (mask)
        c->outputs[0].symbol = cj__select(g, mask, c->outputs[0].symbol, cj__scalar(g, CJ_F32, 0));
    return CJ_OK;
}

#define ELEMENT_WISE(plain, class, maker) ELEMENT_WISE_MASKED(plain, class, maker, NULL, NULL)
#define ELEMENT_WISE_MASKED(plain, class, maker, settings, masks)              \
    const cj__layer_kind cj__layer_##plain = {                                 \
        .choice = CJ__CHOICE(#plain, class, plain##_fields, plain##_defaults), \
        .keys = keys,                                                          \
        .min_inputs = 1,                                                       \
        .max_inputs = 1,                                                       \
        .call = call_##plain,                                                  \
        .mask = CJ__MASK_PASS,                                                 \
        .call_settings = settings,                                             \
        .given_masks = masks,                                                  \
    };                                                                         \
    cj_layer *maker(const cj_##plain##_args *args)                             \
    {                                                                          \
        return cj__layer_new(&cj__layer_##plain, args);                        \
    }
ELEMENT_WISE(activation, "Activation", cj_activation_new)
ELEMENT_WISE(relu, "ReLU", cj_relu_new)
ELEMENT_WISE(leaky_relu, "LeakyReLU", cj_leaky_relu_new)
ELEMENT_WISE(elu, "ELU", cj_elu_new)
ELEMENT_WISE_MASKED(softmax, "Softmax", cj_softmax_new, cj__mask_settings, cj__mask_of_first)
