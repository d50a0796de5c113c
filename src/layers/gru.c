// GRU and its cell: keras/src/layers/rnn/gru.py.
#include "layers/cells.h"
#include "layers/recurrent.h"

#include <cajal/recurrent.h>

enum { Z, R, H, GATES };

// The bias of the inputs' products (0) or of the state's (1); NULL for none.
static cj_symbol *bias_of(cj__trace *trace, const cj_layer *layer, const cj__recurrent_settings *s,
                          int row)
{
    cj__build *g = &trace->build;
    if (!s->use_bias || (row == 1 && !s->reset_after))
        return NULL;
    cj_symbol *bias = cj__trace_variable(trace, layer->variables[2]);
    return s->reset_after ?
               cj__reshape(g, cj__slice(g, bias, 0, row, 1), &CJ_SHAPE(GATES * s->units)) :
               bias;
}

// The parts of h U + b where the gate r is applied after the product; else z and r alone, and the
// product of r h is still to be taken. They are NULL where h is 0 and there is no bias.
static void state_parts(const cj__recurrence *r, cj_symbol *x, cj_symbol *h, cj_symbol **parts)
{
    const cj__recurrent_settings *a = &r->settings;
    cj__build *g = &r->trace->build;
    cj_symbol *bias = bias_of(r->trace, r->layer, a, 1), *y = NULL;
    parts[Z] = parts[R] = parts[H] = NULL;
    if (h)
        y = cj__state_product(r, h, 0, a->reset_after ? GATES : H);
    if (bias)
        y = y ? cj__add(g, y, bias) : cj__broadcast_like(g, bias, x);
    if (y)
        cj__gates(r, y, a->reset_after ? GATES : H, parts);
}

static cj_symbol *plus(cj__build *g, cj_symbol *x, cj_symbol *y)
{
    return y ? cj__add(g, x, y) : x;
}

// h' = z h + (1 - z) candidate
static void step(const cj__recurrence *r, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const cj__recurrent_settings *a = &r->settings;
    const char *who = r->layer->name;
    cj__build *g = &r->trace->build;
    cj_symbol *h = states[0], *in[GATES], *of[GATES];
    cj__gates(r, x, GATES, in);
    state_parts(r, x, h, of);
    cj_symbol *z = cj__activation(g, a->recurrent_activation, who, plus(g, in[Z], of[Z]));
    cj_symbol *reset = cj__activation(g, a->recurrent_activation, who, plus(g, in[R], of[R]));
    if (a->reset_after && of[H])
        of[H] = cj__mul(g, reset, of[H]);
    else if (!a->reset_after && h)
        of[H] = cj__state_product(r, cj__mul(g, reset, h), H, 1);
    cj_symbol *candidate = cj__activation(g, a->activation, who, plus(g, in[H], of[H]));
    cj_symbol *new = cj__mul(g, cj__sub(g, cj__scalar_like(g, z, 1), z), candidate);
    next[0] = h ? cj__add(g, cj__mul(g, z, h), new) : new;
}

static cj_status build_any(cj_layer *layer, const cj__type *inputs, const cj__recurrent_settings *s)
{
    return cj__build_recurrent(layer, inputs, s,
                               s->reset_after ? CJ_SHAPE(2, GATES * s->units) :
                                                CJ_SHAPE(GATES * s->units));
}

static cj__recurrence recurrence(const cj_layer *layer, cj__trace *trace,
                                 const cj__recurrent_settings *settings)
{
    return (cj__recurrence){
        .settings = *settings, .bias = bias_of(trace, layer, settings, 0), .step = step};
}

// GRU
// -------------------------------------------------------------------------------------------------

CJ__DEFAULTS(gru, GRU)

static const cj__field fields[] = {
    CJ__RECURRENT_FIELDS(cj_gru_args),
    CJ__RECURRENT_CONSTRAINTS(cj_gru_args),
    CJ__SPEC_FIELD(cj_gru_args, recurrent_activation, cj__activations),
    CJ__FIELD(cj_gru_args, reset_after, CJ__FIELD_BOOL),
};

static const cj__config_key keys[] = {
    CJ__RECURRENT_KEYS,
    CJ__KEY_RENAMED("inner_activation", "recurrent_activation"),
    CJ__KEY_HARMLESS("use_cudnn"),
    {.key = NULL},
};

static cj__recurrent_settings settings_of(const cj_layer *layer)
{
    const cj_gru_args *a = layer->args;
    return (cj__recurrent_settings){CJ__RECURRENT_SETTINGS(a, GATES, 1),
                                    .recurrent_activation = a->recurrent_activation,
                                    .reset_after = a->reset_after};
}

static cj_status build_gru(cj_layer *layer, const cj__type *inputs)
{
    const cj__recurrent_settings settings = settings_of(layer);
    return build_any(layer, inputs, &settings);
}

// (batch, time, features) becomes (batch, units), or (batch, time, units).
static cj_status call_gru(cj__layer_context *c)
{
    const cj_gru_args *a = c->layer->args;
    const cj__recurrent_settings settings = settings_of(c->layer);
    cj__recurrence r = recurrence(c->layer, c->trace, &settings);
    const cj__sequence_flags flags = CJ__SEQUENCE_FLAGS(a);
    return cj__call_recurrent(c, &r, &flags);
}

const cj__layer_kind cj__layer_gru = {
    .choice = CJ__CHOICE("gru", "GRU", fields, gru_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 2,
    .more_inputs = "initial_state",
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
    .build = build_gru,
    .call = call_gru,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(gru)

// GRUCell
// -------------------------------------------------------------------------------------------------

CJ__DEFAULTS(gru_cell, GRU_CELL)

static const cj__field cell_fields[] = {
    CJ__CELL_FIELDS(cj_gru_cell_args),
    CJ__SPEC_FIELD(cj_gru_cell_args, recurrent_activation, cj__activations),
    CJ__FIELD(cj_gru_cell_args, reset_after, CJ__FIELD_BOOL),
};

static const cj__config_key cell_keys[] = {
    CJ__CELL_KEYS,
    {.key = NULL},
};

static cj__recurrent_settings cell_settings(const cj_layer *layer)
{
    const cj_gru_cell_args *a = layer->args;
    return (cj__recurrent_settings){CJ__CELL_SETTINGS(a, GATES, 1), .is_cell = true,
                                    .recurrent_activation = a->recurrent_activation,
                                    .reset_after = a->reset_after};
}

static cj_status build_cell(cj_layer *layer, const cj__type *inputs)
{
    const cj__recurrent_settings settings = cell_settings(layer);
    return build_any(layer, inputs, &settings);
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
    r.layer = cell;
    r.trace = c->trace;
    return cj__run_recurrent(c, &r, flags);
}

static const cj__cell cell = {.states = states, .run = run_cell};

const cj__layer_kind cj__layer_gru_cell = {
    .choice = CJ__CHOICE("gru_cell", "GRUCell", cell_fields, gru_cell_defaults),
    .keys = cell_keys,
    .more_inputs = "states",
    .min_inputs = 2,
    .max_inputs = 2,
    .build = build_cell,
    .call = call_cell,
    .mask = CJ__MASK_DROP,
    .cell = &cell,
};

CJ__CONSTRUCTOR(gru_cell)
