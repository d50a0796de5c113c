// LSTM: keras/src/layers/rnn/lstm.py.
#include "layers/recurrent.h"

#include <cajal/recurrent.h>

enum { I, F, C, O, GATES };

CJ__DEFAULTS(lstm, LSTM)

static const cj__field fields[] = {
    CJ__RECURRENT_FIELDS(cj_lstm_args),
    CJ__RECURRENT_CONSTRAINTS(cj_lstm_args),
    CJ__SPEC_FIELD(cj_lstm_args, recurrent_activation, cj__activations),
    CJ__FIELD(cj_lstm_args, unit_forget_bias, CJ__FIELD_BOOL),
};

static const cj__config_key keys[] = {
    CJ__RECURRENT_KEYS,
    CJ__KEY_RENAMED("inner_activation", "recurrent_activation"),
    CJ__KEY_HARMLESS("use_cudnn"),
    {.key = NULL},
};

static cj_status build_lstm(cj_layer *layer, const cj__type *inputs)
{
    const cj_lstm_args *a = layer->args;
    const cj__recurrent_settings settings = CJ__RECURRENT_SETTINGS(a, GATES, 2);
    return cj__build_recurrent(layer, inputs, &settings, CJ_SHAPE(GATES * a->units));
}

// A bias that lets the first steps remember (Jozefowicz and others 2015).
static void set_forget_bias(const cj_layer *layer, int index, cj_tensor *value)
{
    const cj_lstm_args *a = layer->args;
    if (!a->use_bias || !a->unit_forget_bias || index != 2)
        return;
    for (int64_t i = F * a->units; i < (F + 1) * a->units; i++)
        ((float *)value->data)[i] = 1;
}

// c' = f c + i activation(z_c), h' = o activation(c')
static void step(const cj__recurrence *r, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const cj_lstm_args *a = r->layer->args;
    const char *who = r->layer->name;
    cj__build *g = &r->trace->build;
    cj_symbol *h = states[0], *c = states[1], *z[GATES];
    cj__gates(r, h ? cj__add(g, x, cj__state_product(r, h, 0, GATES)) : x, GATES, z);
    for (int i = 0; i < GATES; i++)
        z[i] = cj__activation(g, i == C ? a->activation : a->recurrent_activation, who, z[i]);
    cj_symbol *new = cj__mul(g, z[I], z[C]);
    next[1] = c ? cj__add(g, cj__mul(g, z[F], c), new) : new;
    next[0] = cj__mul(g, z[O], cj__activation(g, a->activation, who, next[1]));
}

// (batch, time, features) becomes (batch, units), or (batch, time, units).
static cj_status call_lstm(cj__layer_context *c)
{
    const cj_lstm_args *a = c->layer->args;
    cj__recurrence r = {.settings = CJ__RECURRENT_SETTINGS(a, GATES, 2),
                        .bias = a->use_bias ? cj__trace_variable(c->trace, c->layer->variables[2]) :
                                              NULL,
                        .step = step};
    return cj__call_recurrent(c, &r);
}

const cj__layer_kind cj__layer_lstm = {
    .choice = CJ__CHOICE("lstm", "LSTM", fields, lstm_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 3,
    .more_inputs = "initial_state",
    .build = build_lstm,
    .after_draw = set_forget_bias,
    .call = call_lstm,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(lstm)
