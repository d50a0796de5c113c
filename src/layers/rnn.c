// SimpleRNN and its cell: keras/src/layers/rnn/simple_rnn.py.
#include "layers/cells.h"
#include "layers/recurrent.h"

#include <cajal/recurrent.h>

// Sequences of up to so many steps are unrolled: below about ten that is faster, and up to here it is
// no slower than a loop.
enum { SHORT = 32 };

// h(t) = activation(x(t) W + b + h(t-1) U)
static void step(const cj__recurrence *r, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    cj__build *g = &r->trace->build;
    if (states[0])
        x = cj__add(g, x, cj__state_product(r, states[0], 0, 1));
    next[0] = cj__activation(g, r->settings.activation, r->layer->name, x);
}

static cj__recurrence recurrence(const cj_layer *layer, cj__trace *trace,
                                 const cj__recurrent_settings *settings)
{
    return (cj__recurrence){
        .settings = *settings,
        .bias = settings->use_bias ? cj__trace_variable(trace, layer->variables[2]) : NULL,
        .step = step};
}

// SimpleRNN
// -------------------------------------------------------------------------------------------------

CJ__DEFAULTS(simple_rnn, SIMPLE_RNN)

static const cj__field fields[] = {
    CJ__RECURRENT_FIELDS(cj_simple_rnn_args),
    CJ__RECURRENT_CONSTRAINTS(cj_simple_rnn_args),
};

static const cj__config_key keys[] = {
    CJ__RECURRENT_KEYS,
    {.key = NULL},
};

static cj_status build_rnn(cj_layer *layer, const cj__type *inputs)
{
    const cj_simple_rnn_args *a = layer->args;
    const cj__recurrent_settings settings = {CJ__RECURRENT_SETTINGS(a, 1, 1)};
    return cj__build_recurrent(layer, inputs, &settings, CJ_SHAPE(a->units));
}

// (batch, time, features) becomes (batch, units), or (batch, time, units).
static cj_status call_rnn(cj__layer_context *c)
{
    const cj_simple_rnn_args *a = c->layer->args;
    const cj__recurrent_settings settings = {CJ__RECURRENT_SETTINGS(a, 1, 1)};
    cj__recurrence r = recurrence(c->layer, c->trace, &settings);
    cj__sequence_flags flags = CJ__SEQUENCE_FLAGS(a);
    flags.unrolled_steps = SHORT;
    return cj__call_recurrent(c, &r, &flags);
}

const cj__layer_kind cj__layer_simple_rnn = {
    .choice = CJ__CHOICE("simple_rnn", "SimpleRNN", fields, simple_rnn_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 2,
    .more_inputs = "initial_state",
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
    .build = build_rnn,
    .call = call_rnn,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(simple_rnn)

// SimpleRNNCell
// -------------------------------------------------------------------------------------------------

CJ__DEFAULTS(simple_rnn_cell, SIMPLE_RNN_CELL)

static const cj__field cell_fields[] = {
    CJ__CELL_FIELDS(cj_simple_rnn_cell_args),
};

static const cj__config_key cell_keys[] = {
    CJ__CELL_KEYS,
    {.key = NULL},
};

static cj__recurrent_settings cell_settings(const cj_layer *layer)
{
    const cj_simple_rnn_cell_args *a = layer->args;
    return (cj__recurrent_settings){CJ__CELL_SETTINGS(a, 1, 1), .is_cell = true};
}

static cj_status build_cell(cj_layer *layer, const cj__type *inputs)
{
    const cj__recurrent_settings settings = cell_settings(layer);
    return cj__build_recurrent(layer, inputs, &settings, CJ_SHAPE(settings.units));
}

static cj_status call_cell(cj__layer_context *c)
{
    const cj__recurrent_settings settings = cell_settings(c->layer);
    cj__recurrence r = recurrence(c->layer, c->trace, &settings);
    return cj__call_recurrent_cell(c, &r);
}

static int states(const cj_layer *cell, cj_shape *shapes, int *previous)
{
    *previous = 0;
    return cj__recurrent_states(shapes, cell_settings(cell).units, 1);
}

static cj_status run_cell(cj__layer_context *c, cj_layer *cell, const cj__sequence_flags *flags)
{
    const cj__recurrent_settings settings = cell_settings(cell);
    cj__recurrence r = recurrence(cell, c->trace, &settings);
    cj__sequence_flags own = *flags;
    r.layer = cell;
    r.trace = c->trace;
    own.unrolled_steps = SHORT;
    return cj__run_recurrent(c, &r, &own);
}

static const cj__cell cell = {.states = states, .run = run_cell};

const cj__layer_kind cj__layer_simple_rnn_cell = {
    .choice = CJ__CHOICE("simple_rnn_cell", "SimpleRNNCell", cell_fields, simple_rnn_cell_defaults),
    .keys = cell_keys,
    .more_inputs = "states",
    .min_inputs = 2,
    .max_inputs = 2,
    .build = build_cell,
    .call = call_cell,
    .mask = CJ__MASK_DROP,
    .cell = &cell,
};

CJ__CONSTRUCTOR(simple_rnn_cell)
