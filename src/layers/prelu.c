// PReLU and Identity.
#include "layers/kind.h"
#include <cajal/activations.h>

CJ__DEFAULTS(prelu, PRELU)

static const cj__field prelu_fields[] = {
    CJ__SPEC_FIELD(cj_prelu_args, alpha_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_prelu_args, alpha_regularizer, cj__regularizers),
    CJ__FIELD(cj_prelu_args, shared_axes, CJ__FIELD_LIST, .low = 1, .high = CJ_MAX_RANK - 1),
    CJ__LAYER_FIELDS(cj_prelu_args),
};
CJ__DEFAULTS(identity, IDENTITY)

static const cj__field identity_fields[] = {CJ__LAYER_FIELDS(cj_identity_args)};

static const cj__config_key prelu_keys[] = {CJ__KEY_ONLY("alpha_constraint", "null"),
                                            {.key = NULL}};

static bool is_shared(const cj_prelu_args *a, int axis)
{
    for (int i = 0; i < CJ_MAX_RANK && a->shared_axes[i] != 0; i++)
        if (a->shared_axes[i] == axis)
            return true;
    return false;
}

static cj_status build_prelu(cj_layer *layer, const cj__type *inputs)
{
    const cj_prelu_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    char text[CJ__SHAPE_WORDS];
    cj_shape alpha = {.rank = x->rank - 1};
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    for (int i = 0; i < CJ_MAX_RANK && a->shared_axes[i] != 0; i++)
        if (a->shared_axes[i] >= x->rank)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: shared_axes has %d, which input %s has not",
                            layer->name, (int)a->shared_axes[i],
                            cj_shape_text(x, text, sizeof text));
    for (int i = 1; i < x->rank; i++) {
        if (!is_shared(a, i))
            CJ_TRY(cj__layer_need_length(layer, x, i));
        alpha.dims[i - 1] = is_shared(a, i) ? 1 : x->dims[i];
    }
    return cj__layer_add_variable(layer, "alpha", alpha, a->alpha_initializer, a->alpha_regularizer,
                                  true, NULL);
}

// relu(x) - alpha relu(-x)
static cj_status call_prelu(cj__layer_context *c)
{
    const cj_prelu_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    const cj_shape *shape = cj_symbol_shape(x);
    CJ_TRY(cj__layer_need_rank(c->layer, shape, c->layer->input_types[0].shape.rank,
                               c->layer->input_types[0].shape.rank));
    for (int i = 1; i < shape->rank; i++)
        if (!is_shared(a, i))
            CJ_TRY(cj__layer_need_length(c->layer, shape, i));
    cj_symbol *below =
        cj__apply_unary(g, CJ__UNARY_relu, cj__apply_unary(g, CJ__UNARY_negative, x, 0, 0), 0, 0);
    below = cj__mul(g, cj__trace_variable(c->trace, c->layer->variables[0]), below);
    c->outputs[0].symbol = cj__sub(g, cj__apply_unary(g, CJ__UNARY_relu, x, 0, 0), below);
    return CJ_OK;
}

static cj_status call_identity(cj__layer_context *c)
{
    c->outputs[0].symbol = c->inputs[0].symbol;
    return CJ_OK;
}

const cj__layer_kind cj__layer_prelu = {
    .choice = CJ__CHOICE("prelu", "PReLU", prelu_fields, prelu_defaults),
    .keys = prelu_keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_prelu,
    .call = call_prelu,
    .mask = CJ__MASK_PASS,
};

CJ__CONSTRUCTOR(prelu)

const cj__layer_kind cj__layer_identity = {
    .choice = CJ__CHOICE("identity", "Identity", identity_fields, identity_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_identity,
    .mask = CJ__MASK_PASS,
    .any_dtype = true,
};

CJ__CONSTRUCTOR(identity)
