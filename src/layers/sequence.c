// See sequence.h. A short sequence may be unrolled; any other is a loop (graph/scan.h), whose plan
// does not grow with it.
#include "layers/sequence.h"

#include "base/memory.h"
#include "graph/scan.h"

#include <string.h>

static const int64_t LONGEST = 1 << 20;

// A call: what is asked for, what was given, and what came out.
typedef struct running {
    const cj__sequence *s;
    cj__build *g;
    const cj__value *input;
    cj_symbol *mask; // of the input; NULL for none
    int64_t time;
    cj_symbol *given[CJ__SEQUENCE_STATES]; // initial states; NULL for none
    cj_symbol *last[CJ__SEQUENCE_STATES], *all, *output;
    cj_symbol *watched; // of state 0, all or the last; NULL if it is not asked for
} running;

cj_status cj__sequence_add_states(cj_layer *layer, int64_t batch, const cj_shape *shapes,
                                  int states)
{
    static const char *const names[CJ__SEQUENCE_STATES] = {
        "state", "carry", "state_2", "state_3", "state_4", "state_5", "state_6", "state_7"};
    if (batch < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: stateful needs an input layer with a batch_size",
                        layer->name);
    for (int k = 0; k < states; k++) {
        cj_shape shape = {.rank = 1, .dims = {batch}};
        for (int i = 0; i < shapes[k].rank; i++)
            shape.dims[shape.rank++] = shapes[k].dims[i];
        CJ_TRY(cj__layer_add_variable(layer, names[k], shape, "zeros", NULL, false, NULL));
        layer->states[layer->variable_count - 1] = true;
    }
    return CJ_OK;
}

cj_symbol *cj__turn_time(cj__build *g, cj_symbol *x)
{
    int order[CJ_MAX_RANK] = {1, 0};
    if (!x)
        return NULL;
    for (int i = 2; i < cj_symbol_shape(x)->rank; i++)
        order[i] = i;
    const bool turned = cj__symbol_is(x, &cj__op_transpose) &&
                        memcmp(cj__symbol_attrs(x), order, sizeof order) == 0;
    return turned ? x->node->inputs[0] : cj__transpose(g, x, order);
}

// ---- States ----

// The initial states among the inputs: none, or one for each state.
static cj_status take_states(running *r)
{
    const cj__layer_context *c = r->s->context;
    const int given = c->input_count - 1;
    char text[CJ__SHAPE_WORDS], needed[CJ__SHAPE_WORDS];
    if (given > 0 && given != r->s->states)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d initial states given, needs %d",
                        c->layer->name, given, r->s->states);
    for (int k = 0; k < given; k++) {
        const cj_shape *shape = cj__value_shape(&c->inputs[1 + k]);
        cj_shape state = {.rank = 1, .dims = {cj__value_shape(r->input)->dims[0]}};
        for (int i = 0; i < r->s->shapes[k].rank; i++)
            state.dims[state.rank++] = r->s->shapes[k].dims[i];
        if (!cj_shape_equal(shape, &state))
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: initial state %d has shape %s, needs %s",
                            c->layer->name, k, cj_shape_text(shape, text, sizeof text),
                            cj_shape_text(&state, needed, sizeof needed));
        r->given[k] = c->inputs[1 + k].symbol;
    }
    return CJ_OK;
}

cj_symbol *cj__sequence_zeros(cj__build *g, cj_symbol *entry, const cj_shape *state)
{
    if (!entry)
        return NULL;
    const cj_shape *e = cj_symbol_shape(entry);
    const int last = e->rank - 1;
    bool fits = e->rank == state->rank + 1 && e->dims[last] >= state->dims[last - 1];
    for (int i = 1; fits && i < last; i++)
        fits = e->dims[i] == state->dims[i - 1];
    if (fits) {
        cj_symbol *like = e->dims[last] == state->dims[last - 1] ?
                              entry :
                              cj__slice(g, entry, last, 0, state->dims[last - 1]);
        return cj__broadcast_like(g, cj__scalar_like(g, like, 0), like);
    }
    cj_symbol *y = cj__scale(g, cj__ones_over(g, entry, cj__all_axes(entry) & ~1u), 0);
    cj_shape single = {.rank = 1 + state->rank, .dims = {e->dims[0], 1, 1, 1, 1, 1, 1, 1}};
    y = cj__reshape(g, y, &single);
    for (int i = 0; i < state->rank; i++)
        y = cj__pad(g, y, i + 1, 0, state->dims[i] - 1);
    return y;
}

// The state before the first step: what the call was given, or that after the batch before; else
// NULL or zeros.
static cj_symbol *first_state(const running *r, cj_symbol *entry, int k, bool needed)
{
    const cj__sequence *s = r->s;
    if (r->given[k])
        return r->given[k];
    if (s->flags.kept)
        return cj__trace_latest(s->context->trace, s->flags.kept[k]);
    if (s->first[k] < 0 || s->first[k] > 0)
        return cj__shift(r->g, cj__sequence_zeros(r->g, entry, &s->shapes[k]), s->first[k]);
    return needed ? cj__sequence_zeros(r->g, entry, &s->shapes[k]) : NULL;
}

// The state after a step: the new one where the mask is true, else the old one (0 at first).
static cj_symbol *carry(cj__build *g, cj_symbol *mask, cj_symbol *new, cj_symbol *old)
{
    cj_shape shape;
    if (!mask || !new)
        return new;
    shape = *cj_symbol_shape(mask);
    while (shape.rank < cj_symbol_shape(new)->rank)
        shape.dims[shape.rank++] = 1;
    return cj__select(g, cj__reshape(g, mask, &shape), new, old ? old : cj__scalar_like(g, new, 0));
}

// One step, with states rounded as outputs are, and kept where the mask is false. Returns the
// output: where the mask is false, 0 or that of the step before.
static cj_symbol *take_step(const running *r, cj_symbol *x, cj_symbol *mask,
                            cj_symbol *const *states, cj_symbol **next)
{
    const cj__sequence *s = r->s;
    cj__trace *trace = s->context->trace;
    cj_symbol *y = s->step(s->cell, x, states, next);
    const bool is_state = y == next[s->previous];
    cj_symbol *before = s->flags.zero_output_for_mask ? NULL : states[s->previous];
    if (!is_state || s->flags.zero_output_for_mask)
        y = carry(r->g, mask, cj__trace_round(trace, y), before);
    for (int k = 0; k < s->states; k++)
        next[k] = carry(r->g, mask, cj__trace_round(trace, next[k]), states[k]);
    return is_state && (!s->flags.zero_output_for_mask || !mask) ? next[s->previous] : y;
}

// ---- Steps ----

static cj_symbol *projected(const running *r, bool time_first)
{
    const cj__sequence *s = r->s;
    if (s->constant)
        return r->input->symbol;
    if (s->project)
        return s->project(s->cell, r->input->symbol, time_first);
    return time_first ? cj__turn_time(r->g, r->input->symbol) : r->input->symbol;
}

// Each step by itself. `steps` and `masks` have room for one of each step.
static cj_status unroll(running *r, cj_symbol **steps, cj_symbol **masks)
{
    const cj__sequence *s = r->s;
    const int64_t time = r->time;
    cj_symbol *states[CJ__SEQUENCE_STATES] = {NULL};
    CJ_TRY(cj__unstack(r->g, projected(r, false), 1, steps));
    if (r->mask)
        CJ_TRY(cj__unstack(r->g, r->mask, 1, masks));
    if (s->begin)
        s->begin(s->cell, steps[0]);
    for (int k = 0; k < s->states; k++)
        states[k] = first_state(r, steps[0], k, s->needs_states);
    for (int64_t i = 0; s->flags.go_backwards && i < time / 2; i++) {
        cj_symbol *first = steps[i];
        steps[i] = steps[time - 1 - i];
        steps[time - 1 - i] = first;
    }
    for (int64_t i = 0; i < time && r->g->status == CJ_OK; i++) {
        cj_symbol *next[CJ__SEQUENCE_STATES] = {NULL};
        cj_symbol *mask = r->mask ? masks[s->flags.go_backwards ? time - 1 - i : i] : NULL;
        steps[i] = take_step(r, steps[i], mask, states, next);
        memcpy(states, next, sizeof next);
    }
    CJ_TRY(r->g->status);
    memcpy(r->last, states, sizeof states);
    r->output = steps[time - 1];
    r->all = s->flags.return_sequences ? cj__stack(r->g, steps, (int)time, 1) : NULL;
    return r->g->status;
}

static cj_status unroll_all(running *r)
{
    cj_symbol **steps = cj__new((size_t)r->time * 2, sizeof *steps);
    if (!steps)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = unroll(r, steps, steps + r->time);
    cj__free(steps);
    return status;
}

// A sequence of the loop with the batch first, in the order in which the steps were taken.
static cj_symbol *in_order(const running *r, cj_symbol *all)
{
    return cj__turn_time(r->g, r->s->flags.go_backwards ? cj__reverse(r->g, all, 0) : all);
}

// Ends the loop: sequences in the order in which the steps were taken, and the last output.
static cj_status end_loop(running *r, cj__scan *scan, cj_symbol *y, cj_symbol *watched,
                          bool is_state)
{
    const cj__sequence_flags *f = &r->s->flags;
    cj__build *g = r->g;
    cj_symbol *sequences[2] = {NULL, NULL}, *all;
    const bool all_wanted = f->return_sequences || !is_state;
    cj_shape one = y ? *cj_symbol_shape(y) : (cj_shape){0};
    if (all_wanted)
        cj__scan_output(scan, y);
    if (watched && f->return_sequences)
        cj__scan_output(scan, watched);
    CJ_TRY(cj__scan_end(scan, r->last, sequences));
    all = sequences[0];
    if (watched)
        r->watched = f->return_sequences ? in_order(r, sequences[1]) : r->last[0];
    if (f->return_sequences)
        r->all = in_order(r, all);
    else if (is_state)
        r->output = r->last[r->s->previous];
    else
        r->output =
            cj__reshape(g, cj__slice(g, all, 0, f->go_backwards ? 0 : r->time - 1, 1), &one);
    return g->status;
}

// The steps as a loop. The sequence has time first, so that a step reads a block of memory.
static cj_status loop(running *r)
{
    const cj__sequence *s = r->s;
    cj__build *g = r->g;
    cj__scan scan;
    cj_symbol *states[CJ__SEQUENCE_STATES] = {NULL}, *next[CJ__SEQUENCE_STATES] = {NULL};
    cj_symbol *y = NULL, *products = projected(r, true);
    cj_symbol *masks = r->mask && !s->constant ? cj__turn_time(g, r->mask) : NULL;
    cj__scan_begin(&scan, g, r->time, s->flags.go_backwards);
    cj_symbol *x = s->constant ? products : cj__scan_slice(&scan, products);
    cj_symbol *mask = masks ? cj__scan_slice(&scan, masks) : NULL;
    cj_symbol *entry = x;
    if (x && !s->constant)
        entry = cj__reshape(g, cj__slice(g, products, 0, 0, 1), cj_symbol_shape(x));
    if (entry && s->begin)
        s->begin(s->cell, entry);
    for (int k = 0; k < s->states; k++)
        states[k] = cj__scan_carry(&scan, first_state(r, entry, k, true));
    if (g->status == CJ_OK)
        y = take_step(r, x, mask, states, next);
    for (int k = 0; k < s->states; k++)
        cj__scan_next(&scan, states[k], next[k]);
    return end_loop(r, &scan, y, s->watches ? next[0] : NULL, y == next[s->previous]);
}

// ---- The call ----

static cj_status need_time(const cj_layer *layer, const cj_shape *x)
{
    if (x->dims[1] < 0)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the number of steps is free, it must be known, from 1 to %lld",
                        layer->name, (long long)LONGEST);
    if (x->dims[1] == 0 || x->dims[1] > LONGEST)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: a sequence of %lld steps, needed are 1 to %lld",
                        layer->name, (long long)x->dims[1], (long long)LONGEST);
    return CJ_OK;
}

cj_status cj__sequence_call(const cj__sequence *s)
{
    cj__layer_context *c = s->context;
    const cj__sequence_flags *f = &s->flags;
    running r = {.s = s, .g = c->build, .input = &c->inputs[0]};
    // In Keras a layer that is given several tensors gets no mask of the first by itself; its output
    // has it all the same. One that the application gives is a mask beside states, too.
    r.mask = c->input_count > 1 && !cj__called_with(c, "mask") ? NULL : r.input->mask;
    if (!s->constant)
        CJ_TRY(need_time(c->layer, cj__value_shape(r.input)));
    r.time = s->constant ? s->constant : cj__value_shape(r.input)->dims[1];
    CJ_TRY(take_states(&r));
    CJ_TRY((f->unroll || r.time <= f->unrolled_steps ? unroll_all : loop)(&r));
    for (int k = 0; k < s->states && f->kept; k++)
        cj__trace_update(c->trace, f->kept[k], cj__stop_gradient(c->build, r.last[k]));
    c->outputs[0].symbol = f->return_sequences ? r.all : r.output;
    c->outputs[0].mask = f->return_sequences && !s->constant ? r.input->mask : NULL;
    c->output_count = 1;
    if (s->watches)
        c->outputs[c->output_count++] = (cj__value){r.watched, c->outputs[0].mask};
    for (int k = 0; k < s->states && f->return_state; k++)
        c->outputs[c->output_count++].symbol = r.last[k];
    for (int k = 0; k < c->output_count; k++) // as Keras does: states that are given out count too
        cj__add_activity_loss_of(c, f->activity_regularizer, k);
    return CJ_OK;
}
