// The sequences of recurrent layers. The inputs of all steps are multiplied by the kernel in one
// matrix product; then each step takes the products with the state. A short sequence may be
// unrolled; any other is a loop (graph/scan.h).
#include "layers/recurrent.h"

#include "base/memory.h"
#include "graph/scan.h"

#include <string.h>

static const int64_t LONGEST = 1 << 20;

cj_status cj__build_recurrent(cj_layer *layer, const cj__type *inputs,
                              const cj__recurrent_settings *s, cj_shape bias)
{
    static const char *const names[CJ__STATES_MAX] = {"state", "carry"};
    const cj_shape *x = &inputs[0].shape;
    const int64_t columns = s->gates * s->units;
    CJ_TRY(cj__layer_need_rank(layer, x, 3, 3));
    CJ_TRY(cj__layer_need_length(layer, x, 2));
    CJ_TRY(cj__layer_add_variable(layer, "kernel", CJ_SHAPE(x->dims[2], columns),
                                  s->kernel_initializer, s->kernel_regularizer, true, NULL));
    CJ_TRY(cj__layer_add_variable(layer, "recurrent_kernel", CJ_SHAPE(s->units, columns),
                                  s->recurrent_initializer, s->recurrent_regularizer, true, NULL));
    if (s->use_bias)
        CJ_TRY(cj__layer_add_variable(layer, "bias", bias, s->bias_initializer, s->bias_regularizer,
                                      true, NULL));
    if (!s->stateful)
        return CJ_OK;
    if (x->dims[0] == CJ_BATCH)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: stateful needs an input layer with a batch_size",
                        layer->name);
    for (int k = 0; k < s->states; k++) {
        CJ_TRY(cj__layer_add_variable(layer, names[k], CJ_SHAPE(x->dims[0], s->units), "zeros",
                                      NULL, false, NULL));
        layer->states[layer->variable_count - 1] = true;
    }
    return CJ_OK;
}

static cj_symbol *read(const cj__recurrence *r, int variable)
{
    return cj__trace_variable(r->trace, r->layer->variables[variable]);
}

static cj_variable *state_of(const cj__recurrence *r, int state)
{
    return r->settings.stateful ? r->layer->variables[2 + r->settings.use_bias + state] : NULL;
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

// The first two axes in the other order.
static cj_symbol *turn(cj__build *g, cj_symbol *x)
{
    static const int order[CJ_MAX_RANK] = {1, 0, 2};
    const bool turned = x && cj__symbol_is(x, &cj__op_transpose) &&
                        memcmp(cj__symbol_attrs(x), order, sizeof order) == 0;
    return turned ? x->node->inputs[0] : cj__transpose(g, x, order);
}

// x W + b for all steps at once; `loops`: with time first.
static cj_symbol *input_products(const cj__recurrence *r, cj_symbol *x, bool loops)
{
    const cj__recurrent_settings *s = &r->settings;
    cj__build *g = &r->trace->build;
    cj_symbol *masks[CJ__GATES_MAX] = {NULL};
    const bool drops = r->trace->training && s->dropout > 0;
    if (drops && !drops_by_gate(r))
        x = cj__mul(g, x, mask_like(r, x, 1u << 1, s->dropout));
    for (int i = 0; drops && drops_by_gate(r) && i < s->gates; i++) {
        masks[i] = mask_like(r, x, 1u << 1, s->dropout);
        masks[i] = loops ? turn(g, masks[i]) : masks[i];
    }
    cj_symbol *y = product(r, loops ? turn(g, x) : x, read(r, 0), 0, s->gates, masks);
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

// ---- Steps ----

// The state after a step: the new one where the mask is true, else the old one (0 at first).
static cj_symbol *carry(cj__build *g, cj_symbol *mask, cj_symbol *new, cj_symbol *old)
{
    cj_shape shape;
    if (!mask || !new)
        return new;
    shape = *cj_symbol_shape(mask);
    shape.dims[shape.rank++] = 1;
    return cj__select(g, cj__reshape(g, mask, &shape), new, old ? old : cj__scalar_like(g, new, 0));
}

// One step, with states rounded as outputs are, and kept where the mask is false. Returns the
// output, which is the first state unless it is to be 0 there.
static cj_symbol *take_step(const cj__recurrence *r, cj_symbol *x, cj_symbol *mask,
                            cj_symbol *const *states, cj_symbol **next)
{
    cj__build *g = &r->trace->build;
    r->step(r, x, states, next);
    cj_symbol *made = cj__trace_round(r->trace, next[0]);
    cj_symbol *y = r->settings.zero_output_for_mask ? carry(g, mask, made, NULL) : NULL;
    for (int k = 0; k < r->settings.states; k++)
        next[k] = carry(g, mask, cj__trace_round(r->trace, next[k]), states[k]);
    return y ? y : next[0];
}

// What a sequence gives: the last states and output, and the first state of all steps (batch, time, units)
// where it is wanted.
typedef struct made {
    cj_symbol *last[CJ__STATES_MAX], *all;
    cj_symbol *output; // that of the last step
} made;

// The state before the first step: what the call was given, or that after the batch before; NULL
// for 0.
static cj_symbol *given_state(const cj__recurrence *r, int state)
{
    if (r->first[state])
        return r->first[state];
    return r->settings.stateful ? cj__trace_latest(r->trace, state_of(r, state)) : NULL;
}

// The masks of the state; `entry`: the products of one step.
static void drop_states(cj__recurrence *r, cj_symbol *entry)
{
    const cj__recurrent_settings *s = &r->settings;
    if (!entry || !r->trace->training || s->recurrent_dropout <= 0)
        return;
    cj_symbol *like = s->gates == 1 ? entry : cj__slice(&r->trace->build, entry, 1, 0, s->units);
    for (int i = 0; like && i < s->gates; i++)
        r->drops[i] = mask_like(r, like, 0, s->recurrent_dropout);
}

// Each step by itself. `steps` and `masks` have room for one of each step.
static cj_status unroll(cj__recurrence *r, const cj__value *input, cj_symbol **steps,
                        cj_symbol **masks, made *result)
{
    const cj__recurrent_settings *s = &r->settings;
    cj__build *g = &r->trace->build;
    const int64_t time = cj__value_shape(input)->dims[1];
    cj_symbol *states[CJ__STATES_MAX] = {NULL};
    CJ_TRY(cj__unstack(g, input_products(r, input->symbol, false), 1, steps));
    if (input->mask)
        CJ_TRY(cj__unstack(g, input->mask, 1, masks));
    drop_states(r, steps[0]);
    for (int k = 0; k < s->states; k++)
        states[k] = given_state(r, k);
    for (int64_t i = 0; s->go_backwards && i < time / 2; i++) {
        cj_symbol *first = steps[i];
        steps[i] = steps[time - 1 - i];
        steps[time - 1 - i] = first;
    }
    for (int64_t i = 0; i < time && g->status == CJ_OK; i++) {
        cj_symbol *next[CJ__STATES_MAX] = {NULL};
        steps[i] =
            take_step(r, steps[i], input->mask ? masks[s->go_backwards ? time - 1 - i : i] : NULL,
                      states, next);
        memcpy(states, next, sizeof next);
    }
    CJ_TRY(g->status);
    memcpy(result->last, states, sizeof states);
    result->output = steps[time - 1];
    result->all = s->return_sequences ? cj__stack(g, steps, (int)time, 1) : NULL;
    return g->status;
}

static cj_status unroll_all(cj__recurrence *r, const cj__value *input, made *result)
{
    const size_t time = (size_t)cj__value_shape(input)->dims[1];
    cj_symbol **steps = cj__new(time * 2, sizeof *steps);
    if (!steps)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = unroll(r, input, steps, steps + time, result);
    cj__free(steps);
    return status;
}

// The states that a loop begins with; those that are 0 are zeros (batch, units).
static void begin_states(const cj__recurrence *r, cj__scan *scan, cj_symbol *entry,
                         cj_symbol **states)
{
    const cj__recurrent_settings *s = &r->settings;
    cj__build *g = &r->trace->build;
    cj_symbol *like = entry && s->gates > 1 ? cj__slice(g, entry, 1, 0, s->units) : entry;
    for (int k = 0; k < s->states; k++) {
        cj_symbol *first = given_state(r, k);
        states[k] = cj__scan_carry(
            scan, first ? first : cj__broadcast_like(g, cj__scalar_like(g, like, 0), like));
    }
}

static int64_t scan_length(const cj__value *input)
{
    return cj__value_shape(input)->dims[1];
}

// The steps as a loop. The sequence has time first, so that a step reads a block of memory.
static cj_status loop(cj__recurrence *r, const cj__value *input, made *result)
{
    const cj__recurrent_settings *s = &r->settings;
    cj__build *g = &r->trace->build;
    cj__scan scan;
    cj_symbol *states[CJ__STATES_MAX] = {NULL}, *next[CJ__STATES_MAX] = {NULL};
    cj_symbol *y = NULL, *all = NULL;
    cj_symbol *products = input_products(r, input->symbol, true);
    cj_symbol *masks = input->mask ? turn(g, input->mask) : NULL;
    cj__scan_begin(&scan, g, scan_length(input), s->go_backwards);
    cj_symbol *x = cj__scan_slice(&scan, products);
    cj_symbol *mask = masks ? cj__scan_slice(&scan, masks) : NULL;
    cj_symbol *entry =
        x ? cj__reshape(g, cj__slice(g, products, 0, 0, 1), cj_symbol_shape(x)) : NULL;
    drop_states(r, entry);
    begin_states(r, &scan, entry, states);
    if (g->status == CJ_OK)
        y = take_step(r, x, mask, states, next);
    const bool all_wanted = s->return_sequences || y != next[0];
    for (int k = 0; k < s->states; k++)
        cj__scan_next(&scan, states[k], next[k]);
    if (all_wanted)
        cj__scan_output(&scan, y);
    CJ_TRY(cj__scan_end(&scan, result->last, &all));
    result->output = result->last[0];
    if (s->return_sequences) // in the order in which the steps were taken
        result->all = turn(g, s->go_backwards ? cj__reverse(g, all, 0) : all);
    else if (all_wanted)
        result->output =
            cj__reshape(g, cj__slice(g, all, 0, s->go_backwards ? 0 : scan_length(input) - 1, 1),
                        cj_symbol_shape(result->last[0]));
    return g->status;
}

// ---- The call ----

// The initial states among the inputs: none, or one for each state.
static cj_status take_states(const cj__layer_context *c, cj__recurrence *r)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    const int given = c->input_count - 1;
    char text[CJ__SHAPE_WORDS], needed[CJ__SHAPE_WORDS];
    if (given > 0 && given != r->settings.states)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d initial states given, needs %d",
                        c->layer->name, given, r->settings.states);
    for (int k = 0; k < given; k++) {
        const cj_shape *shape = cj__value_shape(&c->inputs[1 + k]);
        const cj_shape state = CJ_SHAPE(x->dims[0], r->settings.units);
        if (!cj_shape_equal(shape, &state))
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: initial state %d has shape %s, needs %s",
                            c->layer->name, k, cj_shape_text(shape, text, sizeof text),
                            cj_shape_text(&state, needed, sizeof needed));
        r->first[k] = c->inputs[1 + k].symbol;
    }
    return CJ_OK;
}

cj_status cj__call_recurrent(cj__layer_context *c, cj__recurrence *r)
{
    const cj__recurrent_settings *s = &r->settings;
    const cj__value *input = &c->inputs[0];
    const cj_shape *x = cj__value_shape(input);
    made result = {{NULL}, NULL, NULL};
    CJ_TRY(cj__layer_need_rank(c->layer, x, 3, 3));
    CJ_TRY(cj__layer_need_length(c->layer, x, 2));
    if (x->dims[1] == CJ_BATCH)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the number of steps is free, it must be known, from 1 to %lld",
                        c->layer->name, (long long)LONGEST);
    if (x->dims[1] <= 0 || x->dims[1] > LONGEST)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a sequence of %lld steps, needed are 1 to %lld",
                        c->layer->name, (long long)x->dims[1], (long long)LONGEST);
    r->layer = c->layer;
    r->trace = c->trace;
    CJ_TRY(take_states(c, r));
    const bool unrolls = s->unroll || x->dims[1] <= r->unrolled_steps;
    CJ_TRY((unrolls ? unroll_all : loop)(r, input, &result));
    for (int k = 0; k < s->states && s->stateful; k++)
        cj__trace_update(c->trace, state_of(r, k), cj__stop_gradient(c->build, result.last[k]));
    c->outputs[0].symbol = s->return_sequences ? result.all : result.output;
    c->outputs[0].mask = s->return_sequences ? input->mask : NULL;
    for (int k = 0; k < s->states && s->return_state; k++)
        c->outputs[1 + k].symbol = result.last[k];
    c->output_count = s->return_state ? 1 + s->states : 1;
    for (int k = 0; k < c->output_count; k++) // as Keras does: states that are given out count too
        cj__add_activity_loss_of(c, s->activity_regularizer, k);
    return CJ_OK;
}
