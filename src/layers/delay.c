// Delay: a sequence some steps later.
#include "layers/kind.h"
#include <cajal/nir.h>

CJ__DEFAULTS(delay, DELAY)

static const cj__field fields[] = {
    CJ__FIELD(cj_delay_args, steps, CJ__FIELD_INT, .required = true, .low = 0, .high = 1 << 20),
    CJ__FIELD(cj_delay_args, stateful, CJ__FIELD_BOOL),
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

static cj_status call(cj__layer_context *c)
{
    const cj_delay_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(cj__layer_need_rank(c->layer, cj_symbol_shape(x), 2, CJ_MAX_RANK));
    const int64_t time = cj_symbol_shape(x)->dims[1];
    if (time <= 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the number of steps must be known and positive",
                        c->layer->name);
    c->outputs[0].symbol = x;
    if (a->steps == 0)
        return CJ_OK;
    cj_variable *state = c->layer->variable_count > 0 ? c->layer->variables[0] : NULL;
    cj_symbol *all =
        state ? cj__concat(g, (cj_symbol *const[]){cj__trace_latest(c->trace, state), x}, 2, 1) :
                cj__pad(g, x, 1, a->steps, 0);
    c->outputs[0].symbol = cj__slice(g, all, 1, 0, time);
    return state ? cj__trace_update(c->trace, state,
                                    cj__stop_gradient(g, cj__slice(g, all, 1, time, a->steps))) :
                   CJ_OK;
}

const cj__layer_kind cj__layer_delay = {
    .choice = CJ__CHOICE("delay", "Delay", fields, delay_defaults),
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
    .call = call,
    .mask = CJ__MASK_DROP,
};

CJ__CONSTRUCTOR(delay)
