// Delay: a sequence some steps later.
#include "layers/kind.h"
#include <cajal/nir.h>

CJ__DEFAULTS(delay, DELAY)

static const cj__field fields[] = {
    CJ__FIELD(cj_delay_args, steps, CJ__FIELD_INT, .low = 0, .high = 1 << 20),
    CJ__FIELD(cj_delay_args, stateful, CJ__FIELD_BOOL),
    CJ__FIELD(cj_delay_args, return_state, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_delay_args),
};

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_delay_args *a = layer->args;
    cj_shape held = inputs[0].shape;
    CJ_TRY(cj__layer_need_rank(layer, &held, 2, CJ_MAX_RANK));
    if (!a->stateful || a->steps == 0)
        return CJ_OK;
    if (held.dims[0] < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: stateful needs an input layer with a batch_size",
                        layer->name);
    held.dims[1] = a->steps;
    CJ_TRY(cj__layer_add_variable(layer, "state", held, "zeros", NULL, false, NULL));
    layer->states[0] = true;
    return CJ_OK;
}

static cj_status check(cj_layer *layer)
{
    const cj_delay_args *a = layer->args;
    return a->return_state && a->steps == 0 ?
               cj__fail(CJ_INVALID_ARGUMENT, "%s: return_state needs 1 step or more", layer->name) :
               CJ_OK;
}

// What came before the first step: given, or what the batch before ended with, or NULL for zeros.
static cj_status earlier(cj__layer_context *c, int64_t steps, cj_symbol **state)
{
    char text[CJ__SHAPE_WORDS], needed[CJ__SHAPE_WORDS];
    cj_shape shape = *cj__value_shape(&c->inputs[0]);
    *state =
        c->layer->variable_count > 0 ? cj__trace_latest(c->trace, c->layer->variables[0]) : NULL;
    if (c->input_count == 1)
        return CJ_OK;
    *state = c->inputs[1].symbol;
    shape.dims[1] = steps;
    return steps > 0 && cj_shape_equal(cj_symbol_shape(*state), &shape) ?
               CJ_OK :
               cj__fail(CJ_SHAPE_MISMATCH, "%s: the initial state has shape %s, needs %s",
                        c->layer->name, cj_shape_text(cj_symbol_shape(*state), text, sizeof text),
                        cj_shape_text(&shape, needed, sizeof needed));
}

static cj_status call(cj__layer_context *c)
{
    const cj_delay_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol, *state;
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), 2, CJ_MAX_RANK));
    const int64_t time = cj_symbol_shape(x)->dims[1];
    if (time <= 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the number of steps must be known and positive",
                        c->layer->name);
    CJ_TRY(earlier(c, a->steps, &state));
    c->outputs[0].symbol = x;
    if (a->steps == 0)
        return CJ_OK;
    cj_symbol *all =
        state ? cj__concat(g, (cj_symbol *const[]){state, x}, 2, 1) : cj__pad(g, x, 1, a->steps, 0);
    cj_symbol *last = cj__slice(g, all, 1, time, a->steps);
    c->outputs[0].symbol = cj__slice(g, all, 1, 0, time);
    if (a->return_state) {
        c->outputs[1].symbol = last;
        c->output_count = 2;
    }
    return a->stateful ?
               cj__trace_update(c->trace, c->layer->variables[0], cj__stop_gradient(g, last)) :
               CJ_OK;
}

const cj__layer_kind cj__layer_delay = {
    .choice = CJ__CHOICE("delay", "Delay", fields, delay_defaults),
    .more_inputs = "initial_state",
    .min_inputs = 1,
    .max_inputs = 2,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(delay)
