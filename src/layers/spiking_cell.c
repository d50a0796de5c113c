// SpikingCell: one step of a layer of neurons, as a cell of a recurrent layer.
#include "layers/spiking.h"

#include <string.h>

CJ__DEFAULTS(spiking_cell, SPIKING_CELL)

static const cj__field fields[] = {
    CJ__FIELD(cj_spiking_cell_args, shape, CJ__FIELD_LIST, .required = true, CJ__POSITIVE),
    CJ__LAYER_FIELDS(cj_spiking_cell_args),
};

static const cj__sublayer sublayers[] = {
    {"layer", offsetof(cj_spiking_cell_args, layer), false, false},
    {NULL, 0, false, false},
};

static const cj__config_key keys[] = {
    CJ__KEY_HARMLESS("layer"),
    {.key = NULL},
};

static cj_shape shape_of(const cj_layer *layer)
{
    const cj_spiking_cell_args *a = layer->args;
    cj_shape shape = {0};
    while (shape.rank < CJ_MAX_RANK && a->shape[shape.rank] != 0) {
        shape.dims[shape.rank] = a->shape[shape.rank];
        shape.rank++;
    }
    return shape;
}

static cj_status check(cj_layer *layer)
{
    cj_layer *neurons = layer->sublayers[0];
    const cj__spiking_args *a = neurons->args;
    cj__neuron n;
    if (!cj__neuron_form_of(neurons)->kind)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s (%s) is no layer of neurons", layer->name,
                        neurons->name, cj_layer_class(neurons));
    CJ_TRY(cj__neuron_of(neurons, &n));
    if (a->steps > 0 || a->stateful || a->go_backwards || a->return_state ||
        a->activity_regularizer || a->output[0] == 'b')
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: %s has a setting for sequences (steps, stateful, go_backwards, "
                        "return_state, activity_regularizer, output \"both\"), which a cell "
                        "cannot keep",
                        layer->name, neurons->name);
    if (shape_of(layer).rank > CJ_MAX_RANK - 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: shape has more than %d axes", layer->name,
                        CJ_MAX_RANK - 2);
    return CJ_OK;
}

static int states(const cj_layer *layer, cj_shape *shapes, int *previous)
{
    cj__neuron n;
    *previous = 0;
    if (cj__neuron_of(layer->sublayers[0], &n) != CJ_OK)
        return 0; // not reached: its settings have been checked
    const int count = cj__neuron_states(&n);
    for (int k = 0; k < count && k < CJ__SEQUENCE_STATES; k++)
        shapes[k] = shape_of(layer);
    return count;
}

static cj_status need_shape(const cj_layer *layer, const cj_shape *x)
{
    const cj_shape shape = shape_of(layer);
    char text[CJ__SHAPE_WORDS], needed[CJ__SHAPE_WORDS];
    bool same = x->rank == shape.rank + 1;
    for (int i = 0; same && i < shape.rank; i++)
        same = x->dims[i + 1] == shape.dims[i];
    return same ?
               CJ_OK :
               cj__fail(CJ_SHAPE_MISMATCH, "%s: an entry of shape %s, needed is %s after the batch",
                        layer->name, cj_shape_text(x, text, sizeof text),
                        cj_shape_text(&shape, needed, sizeof needed));
}

// The layer is built for sequences of one step.
static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_shape *x = &inputs[0].shape;
    cj__type type = {inputs[0].dtype, {.rank = 2, .dims = {x->dims[0], 1}}};
    CJ_TRY(need_shape(layer, x));
    for (int i = 1; i < x->rank; i++)
        type.shape.dims[type.shape.rank++] = x->dims[i];
    return cj__sublayer_build(layer->sublayers[0], &type, 1);
}

static cj_status call(cj__layer_context *c)
{
    cj__neuron n;
    cj_symbol *given[CJ__SEQUENCE_STATES], *next[CJ__SEQUENCE_STATES] = {NULL};
    CJ_TRY(cj__neuron_of(c->layer->sublayers[0], &n));
    const int count = cj__neuron_states(&n);
    if (c->input_count != 1 + count)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", c->layer->name,
                        c->input_count, 1 + count);
    for (int k = 0; k <= count; k++)
        CJ_TRY(need_shape(c->layer, cj__value_shape(&c->inputs[k])));
    for (int k = 0; k < count; k++)
        given[k] = c->inputs[1 + k].symbol;
    cj__neuron_read(&n, c->trace);
    CJ_TRY(c->build->status);
    c->outputs[0].symbol = cj__neuron_step(&n, c->inputs[0].symbol, given, next);
    for (int k = 0; k < count; k++)
        c->outputs[1 + k].symbol = next[k];
    c->output_count = 1 + count;
    return c->build->status;
}

static void first(const cj_layer *layer, double *values)
{
    cj__neuron n;
    if (cj__neuron_of(layer->sublayers[0], &n) == CJ_OK)
        memcpy(values, n.initial, sizeof n.initial);
}

static const cj__cell cell = {.states = states, .first = first};

const cj__layer_kind cj__layer_spiking_cell = {
    .choice = CJ__CHOICE("spiking_cell", "SpikingCell", fields, spiking_cell_defaults),
    .keys = keys,
    .sublayers = sublayers,
    .more_inputs = "states",
    .min_inputs = 2,
    .max_inputs = 1 + CJ__SEQUENCE_STATES,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_DROP,
    .no_policy = true,
    .cell = &cell,
};

CJ__CONSTRUCTOR(spiking_cell)
