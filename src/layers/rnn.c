// SimpleRNN.
#include "layers/recurrent.h"

CJ__DEFAULTS(simple_rnn, SIMPLE_RNN)

static const cj__field fields[] = {
    CJ__RECURRENT_FIELDS(cj_simple_rnn_args),
    CJ__RECURRENT_CONSTRAINTS(cj_simple_rnn_args),
};

static const cj__config_key keys[] = {
    CJ__RECURRENT_KEYS,
    {.key = NULL},
};

// Sequences of up to so many steps are unrolled: below about ten that is faster, and up to here it is
// no slower than a loop.
enum { SHORT = 32 };

static cj_status build_rnn(cj_layer *layer, const cj__type *inputs)
{
    const cj_simple_rnn_args *a = layer->args;
    const cj__recurrent_settings settings = CJ__RECURRENT_SETTINGS(a, 1, 1);
    return cj__build_recurrent(layer, inputs, &settings, CJ_SHAPE(a->units));
}

// h(t) = activation(x(t) W + b + h(t-1) U)
static void step(const cj__recurrence *r, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const cj_simple_rnn_args *a = r->layer->args;
    cj__build *g = &r->trace->build;
    if (states[0])
        x = cj__add(g, x, cj__state_product(r, states[0], 0, 1));
    next[0] = cj__activation(g, a->activation, r->layer->name, x);
}

// (batch, time, features) becomes (batch, units), or (batch, time, units).
static cj_status call_rnn(cj__layer_context *c)
{
    const cj_simple_rnn_args *a = c->layer->args;
    cj__recurrence r = {.settings = CJ__RECURRENT_SETTINGS(a, 1, 1),
                        .unrolled_steps = SHORT,
                        .bias = a->use_bias ? cj__trace_variable(c->trace, c->layer->variables[2]) :
                                              NULL,
                        .step = step};
    return cj__call_recurrent(c, &r);
}

const cj__layer_kind cj__layer_simple_rnn = {
    .choice = CJ__CHOICE("simple_rnn", "SimpleRNN", fields, simple_rnn_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 2,
    .more_inputs = "initial_state",
    .build = build_rnn,
    .call = call_rnn,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(simple_rnn)
