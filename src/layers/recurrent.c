// What recurrent layers and cells with a kernel and a recurrent kernel share. The inputs of all
// steps are multiplied by the kernel in one matrix product; then each step takes the products with
// the state.
#include "layers/recurrent.h"

#include <string.h>

cj_status cj__build_recurrent(cj_layer *layer, const cj__type *inputs,
                              const cj__recurrent_settings *s, cj_shape bias)
{
    const cj_shape *x = &inputs[0].shape;
    const int64_t columns = s->gates * s->units;
    const int features = s->is_cell ? 1 : 2;
    CJ_TRY(cj__layer_need_rank(layer, x, features + 1, features + 1));
    CJ_TRY(cj__layer_need_length(layer, x, features));
    CJ_TRY(cj__layer_add_variable(layer, "kernel", CJ_SHAPE(x->dims[features], columns),
                                  s->kernel_initializer, s->kernel_regularizer, true, NULL));
    CJ_TRY(cj__layer_add_variable(layer, "recurrent_kernel", CJ_SHAPE(s->units, columns),
                                  s->recurrent_initializer, s->recurrent_regularizer, true, NULL));
    if (s->use_bias)
        CJ_TRY(cj__layer_add_variable(layer, "bias", bias, s->bias_initializer, s->bias_regularizer,
                                      true, NULL));
    if (!s->stateful)
        return CJ_OK;
    return cj__sequence_add_states(
        layer, x->dims[0], (const cj_shape[]){CJ_SHAPE(s->units), CJ_SHAPE(s->units)}, s->states);
}

static cj_symbol *read(const cj__recurrence *r, int variable)
{
    return cj__trace_variable(r->trace, r->layer->variables[variable]);
}

// ---- Products ----

// A dropout mask for all steps of a sequence, of the shape of `like` with the axes of a mask
// reduced to length 1.
static cj_symbol *mask_like(const cj__recurrence *r, cj_symbol *like, uint32_t axes, double rate)
{
    cj__build *g = &r->trace->build;
    return cj__dropout(g, cj__ones_over(g, like, axes), r->trace->step,
                       cj__trace_key(r->trace, r->settings.seed, r->layer->name), rate);
}

// As in Keras, each gate has masks of its own where the state is dropped too.
static bool drops_by_gate(const cj__recurrence *r)
{
    return r->trace->training && r->settings.recurrent_dropout > 0 && r->settings.gates > 1;
}

// Columns of `count` gates of a kernel.
static cj_symbol *columns_of(const cj__recurrence *r, cj_symbol *kernel, int first, int count)
{
    const int64_t units = r->settings.units;
    return count == r->settings.gates ?
               kernel :
               cj__slice(&r->trace->build, kernel, 1, first * units, count * units);
}

// The products of x with the columns of each gate, or of all at once, x times a mask for each.
static cj_symbol *product(const cj__recurrence *r, cj_symbol *x, cj_symbol *kernel, int first,
                          int count, cj_symbol *const *masks)
{
    cj__build *g = &r->trace->build;
    cj_symbol *parts[CJ__GATES_MAX];
    const bool by_gate = masks[first] && count > 1;
    if (!by_gate)
        return cj__matmul(g, masks[first] ? cj__mul(g, x, masks[first]) : x,
                          columns_of(r, kernel, first, count), false, false);
    for (int i = 0; i < count; i++)
        parts[i] = cj__matmul(g, cj__mul(g, x, masks[first + i]),
                              columns_of(r, kernel, first + i, 1), false, false);
    return parts[0] ? cj__concat(g, parts, count, cj_symbol_shape(parts[0])->rank - 1) : NULL;
}

cj_symbol *cj__state_product(const cj__recurrence *r, cj_symbol *h, int first, int count)
{
    return product(r, h, read(r, 1), first, count, r->drops);
}

// x W + b for all steps at once, or for the one of a cell; the masks are the same in all steps.
static cj_symbol *project(void *cell, cj_symbol *x, bool time_first)
{
    const cj__recurrence *r = cell;
    const cj__recurrent_settings *s = &r->settings;
    cj__build *g = &r->trace->build;
    cj_symbol *masks[CJ__GATES_MAX] = {NULL};
    const bool drops = r->trace->training && s->dropout > 0;
    const uint32_t time = x && cj_symbol_shape(x)->rank > 2 ? 1u << 1 : 0;
    if (drops && !drops_by_gate(r))
        x = cj__mul(g, x, mask_like(r, x, time, s->dropout));
    for (int i = 0; drops && drops_by_gate(r) && i < s->gates; i++) {
        masks[i] = mask_like(r, x, time, s->dropout);
        masks[i] = time_first ? cj__turn_time(g, masks[i]) : masks[i];
    }
    cj_symbol *y = product(r, time_first ? cj__turn_time(g, x) : x, read(r, 0), 0, s->gates, masks);
    return r->bias ? cj__add(g, y, r->bias) : y;
}

void cj__gates(const cj__recurrence *r, cj_symbol *x, int count, cj_symbol **gates)
{
    cj__build *g = &r->trace->build;
    memset(gates, 0, (size_t)count * sizeof *gates);
    if (!x)
        return;
    const cj_shape shape = CJ_SHAPE(cj_symbol_shape(x)->dims[0], count, r->settings.units);
    cj__unstack(g, cj__reshape(g, x, &shape), 1, gates);
}

// The masks of the state; `entry`: the products of one step.
static void drop_states(void *cell, cj_symbol *entry)
{
    cj__recurrence *r = cell;
    const cj__recurrent_settings *s = &r->settings;
    if (!entry || !r->trace->training || s->recurrent_dropout <= 0)
        return;
    cj_symbol *like = s->gates == 1 ? entry : cj__slice(&r->trace->build, entry, 1, 0, s->units);
    for (int i = 0; like && i < s->gates; i++)
        r->drops[i] = mask_like(r, like, 0, s->recurrent_dropout);
}

static cj_symbol *step(void *cell, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const cj__recurrence *r = cell;
    r->step(r, x, states, next);
    return next[0];
}

// ---- Calls ----

cj_status cj__run_recurrent(cj__layer_context *c, cj__recurrence *r,
                            const cj__sequence_flags *flags)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const cj_shape state = CJ_SHAPE(r->settings.units);
    CJ_TRY(cj__layer_need_rank(c->layer, x, 3, 3));
    CJ_TRY(cj__layer_need_length(c->layer, x, 2));
    const cj__sequence s = {.context = c,
                            .flags = *flags,
                            .states = r->settings.states,
                            .shapes = {state, state},
                            .cell = r,
                            .project = project,
                            .begin = drop_states,
                            .step = step};
    return cj__sequence_call(&s);
}

cj_status cj__call_recurrent(cj__layer_context *c, cj__recurrence *r,
                             const cj__sequence_flags *flags)
{
    const cj__recurrent_settings *s = &r->settings;
    cj__sequence_flags all = *flags;
    r->layer = c->layer;
    r->trace = c->trace;
    all.activity_regularizer = s->activity_regularizer;
    all.kept = s->stateful ? c->layer->variables + 2 + s->use_bias : NULL;
    return cj__run_recurrent(c, r, &all);
}

cj_status cj__call_recurrent_cell(cj__layer_context *c, cj__recurrence *r)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    cj_symbol *states[CJ__SEQUENCE_STATES] = {NULL}, *next[CJ__SEQUENCE_STATES] = {NULL};
    r->layer = c->layer;
    r->trace = c->trace;
    CJ_TRY(cj__layer_need_rank(c->layer, x, 2, 2));
    CJ_TRY(cj__layer_need_length(c->layer, x, 1));
    for (int k = 0; k < r->settings.states; k++) {
        const cj_shape *state = cj__value_shape(&c->inputs[1 + k]);
        if (state->rank != 2 || state->dims[1] != r->settings.units)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: state %d needs %lld entries for each sample",
                            c->layer->name, k, (long long)r->settings.units);
        states[k] = c->inputs[1 + k].symbol;
    }
    cj_symbol *products = project(r, c->inputs[0].symbol, false);
    drop_states(r, products);
    CJ_TRY(c->build->status);
    r->step(r, products, states, next);
    c->outputs[0].symbol = next[0];
    for (int k = 0; k < r->settings.states; k++)
        c->outputs[1 + k].symbol = next[k];
    c->output_count = 1 + r->settings.states;
    return c->build->status;
}

int cj__recurrent_states(cj_shape *shapes, int64_t units, int count)
{
    for (int k = 0; k < count; k++)
        shapes[k] = CJ_SHAPE(units);
    return count;
}
