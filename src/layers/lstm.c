// LSTM and its cell: keras/src/layers/rnn/lstm.py.
#include "layers/cells.h"
#include "layers/recurrent.h"

#include <cajal/recurrent.h>

enum { I, F, C, O, GATES };

// A bias that lets the first steps remember (Jozefowicz and others 2015).
static void set_forget_bias(int64_t units, cj_tensor *value)
{
    for (int64_t i = F * units; i < (F + 1) * units; i++)
        ((float *)value->data)[i] = 1;
}

// c' = f c + i activation(z_c), h' = o activation(c')
static void step(const cj__recurrence *r, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const cj__recurrent_settings *s = &r->settings;
    const char *who = r->layer->name;
    cj__build *g = &r->trace->build;
    cj_symbol *h = states[0], *c = states[1], *z[GATES];
    cj__gates(r, h ? cj__add(g, x, cj__state_product(r, h, 0, GATES)) : x, GATES, z);
    for (int i = 0; i < GATES; i++)
        z[i] = cj__activation(g, i == C ? s->activation : s->recurrent_activation, who, z[i]);
    cj_symbol *new = cj__mul(g, z[I], z[C]);
    next[1] = c ? cj__add(g, cj__mul(g, z[F], c), new) : new;
    next[0] = cj__mul(g, z[O], cj__activation(g, s->activation, who, next[1]));
}

static cj__recurrence recurrence(const cj_layer *layer, cj__trace *trace,
                                 const cj__recurrent_settings *settings)
{
    return (cj__recurrence){
        .settings = *settings,
        .bias = settings->use_bias ? cj__trace_variable(trace, layer->variables[2]) : NULL,
        .step = step};
}

// LSTM
// -------------------------------------------------------------------------------------------------

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

static cj__recurrent_settings settings_of(const cj_layer *layer)
{
    const cj_lstm_args *a = layer->args;
    return (cj__recurrent_settings){CJ__RECURRENT_SETTINGS(a, GATES, 2),
                                    .recurrent_activation = a->recurrent_activation};
}

static cj_status build_lstm(cj_layer *layer, const cj__type *inputs)
{
    const cj__recurrent_settings settings = settings_of(layer);
    return cj__build_recurrent(layer, inputs, &settings, CJ_SHAPE(GATES * settings.units));
}

static void after_draw(const cj_layer *layer, int index, cj_tensor *value)
{
    const cj_lstm_args *a = layer->args;
    if (a->use_bias && a->unit_forget_bias && index == 2)
        set_forget_bias(a->units, value);
}

// (batch, time, features) becomes (batch, units), or (batch, time, units).
static cj_status call_lstm(cj__layer_context *c)
{
    const cj_lstm_args *a = c->layer->args;
    const cj__recurrent_settings settings = settings_of(c->layer);
    cj__recurrence r = recurrence(c->layer, c->trace, &settings);
    const cj__sequence_flags flags = CJ__SEQUENCE_FLAGS(a);
    return cj__call_recurrent(c, &r, &flags);
}

const cj__layer_kind cj__layer_lstm = {
    .choice = CJ__CHOICE("lstm", "LSTM", fields, lstm_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 3,
    .more_inputs = "initial_state",
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
    .build = build_lstm,
    .after_draw = after_draw,
    .call = call_lstm,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(lstm)

// LSTMCell
// -------------------------------------------------------------------------------------------------

CJ__DEFAULTS(lstm_cell, LSTM_CELL)

static const cj__field cell_fields[] = {
    CJ__CELL_FIELDS(cj_lstm_cell_args),
    CJ__SPEC_FIELD(cj_lstm_cell_args, recurrent_activation, cj__activations),
    CJ__FIELD(cj_lstm_cell_args, unit_forget_bias, CJ__FIELD_BOOL),
};

static const cj__config_key cell_keys[] = {
    CJ__CELL_KEYS,
    {.key = NULL},
};

static cj__recurrent_settings cell_settings(const cj_layer *layer)
{
    const cj_lstm_cell_args *a = layer->args;
    return (cj__recurrent_settings){CJ__CELL_SETTINGS(a, GATES, 2), .is_cell = true,
                                    .recurrent_activation = a->recurrent_activation};
}

static cj_status build_cell(cj_layer *layer, const cj__type *inputs)
{
    const cj__recurrent_settings settings = cell_settings(layer);
    return cj__build_recurrent(layer, inputs, &settings, CJ_SHAPE(GATES * settings.units));
}

static void after_draw_cell(const cj_layer *layer, int index, cj_tensor *value)
{
    const cj_lstm_cell_args *a = layer->args;
    if (a->use_bias && a->unit_forget_bias && index == 2)
        set_forget_bias(a->units, value);
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
    return cj__recurrent_states(shapes, cell_settings(cell).units, 2);
}

static cj_status run_cell(cj__layer_context *c, cj_layer *cell, const cj__sequence_flags *flags)
{
    const cj__recurrent_settings settings = cell_settings(cell);
    cj__recurrence r = recurrence(cell, c->trace, &settings);
    r.layer = cell;
    r.trace = c->trace;
    return cj__run_recurrent(c, &r, flags);
}

static const cj__cell cell = {.states = states, .run = run_cell};

const cj__layer_kind cj__layer_lstm_cell = {
    .choice = CJ__CHOICE("lstm_cell", "LSTMCell", cell_fields, lstm_cell_defaults),
    .keys = cell_keys,
    .more_inputs = "states",
    .min_inputs = 3,
    .max_inputs = 3,
    .build = build_cell,
    .after_draw = after_draw_cell,
    .call = call_cell,
    .mask = CJ__MASK_DROP,
    .cell = &cell,
};

CJ__CONSTRUCTOR(lstm_cell)
