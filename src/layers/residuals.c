// LayerScale, StochasticDepth, CustomScaleLayer: the layers of Keras's applications.
#include "layers/kind.h"
#include "base/text.h"
#include <cajal/residuals.h>
#include <stdio.h>

#define CONVNEXT         "keras.src.applications.convnext"
#define INCEPTION_RESNET "keras.src.applications.inception_resnet_v2"

CJ__DEFAULTS(layer_scale, LAYER_SCALE)
CJ__DEFAULTS(stochastic_depth, STOCHASTIC_DEPTH)
CJ__DEFAULTS(custom_scale_layer, CUSTOM_SCALE_LAYER)

static const cj__field layer_scale_fields[] = {
    CJ__FIELD(cj_layer_scale_args, projection_dim, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_layer_scale_args, init_values, CJ__FIELD_NUMBER),
    CJ__LAYER_FIELDS(cj_layer_scale_args),
};
static const cj__field stochastic_depth_fields[] = {
    CJ__FIELD(cj_stochastic_depth_args, drop_path_rate, CJ__FIELD_NUMBER, .required = true,
              CJ__SHARE),
    CJ__LAYER_FIELDS(cj_stochastic_depth_args),
};
static const cj__field custom_scale_fields[] = {
    CJ__FIELD(cj_custom_scale_layer_args, scale, CJ__FIELD_NUMBER, .required = true),
    CJ__LAYER_FIELDS(cj_custom_scale_layer_args),
};

typedef struct layer_scale {
    cj_layer layer;
    char initial[64]; // the initializer of gamma
} layer_scale;

static cj_status need_channels(const cj_layer *layer, const cj_shape *x)
{
    const cj_layer_scale_args *a = layer->args;
    char text[CJ__SHAPE_WORDS];
    CJ_TRY(cj__layer_need_rank(layer, x, 2, CJ_MAX_RANK));
    return x->dims[x->rank - 1] == a->projection_dim ?
               CJ_OK :
               cj__fail(CJ_SHAPE_MISMATCH, "%s: projection_dim %lld does not fit input %s",
                        layer->name, (long long)a->projection_dim,
                        cj_shape_text(x, text, sizeof text));
}

static cj_status build_layer_scale(cj_layer *layer, const cj__type *inputs)
{
    const cj_layer_scale_args *a = layer->args;
    layer_scale *l = (layer_scale *)(void *)layer;
    char number[CJ__NUMBER_TEXT];
    CJ_TRY(need_channels(layer, &inputs[0].shape));
    snprintf(l->initial, sizeof l->initial, "constant(%s)",
             cj__number_text(a->init_values, number));
    // Keras gives it no name, so that it is "variable", "variable_1", ... there
    return cj__layer_add_variable(layer, "gamma", CJ_SHAPE(a->projection_dim), l->initial, NULL,
                                  true, NULL);
}

static cj_status call_layer_scale(cj__layer_context *c)
{
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(need_channels(c->layer, cj_symbol_shape(x)));
    c->outputs[0].symbol =
        cj__mul(c->build, x, cj__trace_variable(c->trace, c->layer->variables[0]));
    return CJ_OK;
}

// One mask for all but the batch.
static cj_status call_stochastic_depth(cj__layer_context *c)
{
    const cj_stochastic_depth_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol;
    const int rank = cj_symbol_shape(x)->rank;
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), 1, CJ_MAX_RANK));
    if (c->trace->training && a->drop_path_rate > 0)
        x = cj__shared_dropout(c, x, (1u << rank) - 2u, cj__trace_key(c->trace, -1, c->layer->name),
                               a->drop_path_rate);
    c->outputs[0].symbol = x;
    return CJ_OK;
}

static cj_status call_custom_scale(cj__layer_context *c)
{
    const cj_custom_scale_layer_args *a = c->layer->args;
    cj_symbol *x = c->inputs[0].symbol, *branch = c->inputs[1].symbol;
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    if (!cj_shape_equal(cj_symbol_shape(x), cj_symbol_shape(branch)))
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: needs two inputs of one shape, has %s and %s",
                        c->layer->name, cj_shape_text(cj_symbol_shape(x), first, sizeof first),
                        cj_shape_text(cj_symbol_shape(branch), second, sizeof second));
    c->outputs[0].symbol = cj__add(c->build, x, cj__scale(c->build, branch, a->scale));
    return CJ_OK;
}

const cj__layer_kind cj__layer_layer_scale = {
    .choice = CJ__CHOICE("layer_scale", "LayerScale", layer_scale_fields, layer_scale_defaults),
    .module = CONVNEXT,
    .size = sizeof(layer_scale),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_layer_scale,
    .call = call_layer_scale,
};
const cj__layer_kind cj__layer_stochastic_depth = {
    .choice = CJ__CHOICE("stochastic_depth", "StochasticDepth", stochastic_depth_fields,
                         stochastic_depth_defaults),
    .module = CONVNEXT,
    .min_inputs = 1,
    .max_inputs = 1,
    .call = call_stochastic_depth,
};
const cj__layer_kind cj__layer_custom_scale_layer = {
    .choice = CJ__CHOICE("custom_scale_layer", "CustomScaleLayer", custom_scale_fields,
                         custom_scale_layer_defaults),
    .module = INCEPTION_RESNET,
    .min_inputs = 2,
    .max_inputs = 2,
    .call = call_custom_scale,
};

CJ__CONSTRUCTOR(layer_scale)
CJ__CONSTRUCTOR(stochastic_depth)
CJ__CONSTRUCTOR(custom_scale_layer)
