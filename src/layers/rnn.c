// SimpleRNN. The inputs of all steps are multiplied by the kernel in one matrix product; then each
// step takes one product with the state. A short sequence is unrolled; a longer one is a loop.
#include "base/memory.h"
#include "graph/scan.h"
#include "layers/kind.h"

#include <string.h>

CJ__DEFAULTS(simple_rnn, SIMPLE_RNN)

static const cj__field fields[] = {
    CJ__FIELD(cj_simple_rnn_args, units, CJ__FIELD_INT, CJ__POSITIVE),
    CJ__KERNEL_FIELDS(cj_simple_rnn_args),
    CJ__SPEC_FIELD(cj_simple_rnn_args, recurrent_initializer, cj__initializers),
    CJ__SPEC_FIELD(cj_simple_rnn_args, recurrent_regularizer, cj__regularizers),
    CJ__FIELD(cj_simple_rnn_args, dropout, CJ__FIELD_NUMBER, .low = 0, .high = 1),
    CJ__FIELD(cj_simple_rnn_args, recurrent_dropout, CJ__FIELD_NUMBER, .low = 0, .high = 1),
    CJ__FIELD(cj_simple_rnn_args, seed, CJ__FIELD_SEED),
    CJ__FIELD(cj_simple_rnn_args, return_sequences, CJ__FIELD_BOOL),
    CJ__FIELD(cj_simple_rnn_args, return_state, CJ__FIELD_BOOL),
    CJ__FIELD(cj_simple_rnn_args, go_backwards, CJ__FIELD_BOOL),
    CJ__FIELD(cj_simple_rnn_args, stateful, CJ__FIELD_BOOL),
    CJ__FIELD(cj_simple_rnn_args, unroll, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_simple_rnn_args),
};

static const cj__config_key keys[] = {
    CJ__KEY_RENAMED("output_dim", "units"),
    CJ__KEY_RENAMED("init", "kernel_initializer"),
    CJ__KEY_RENAMED("inner_init", "recurrent_initializer"),
    CJ__KEY_RENAMED("W_regularizer", "kernel_regularizer"),
    CJ__KEY_RENAMED("U_regularizer", "recurrent_regularizer"),
    CJ__KEY_RENAMED("b_regularizer", "bias_regularizer"),
    CJ__KEY_RENAMED("dropout_W", "dropout"),
    CJ__KEY_RENAMED("dropout_U", "recurrent_dropout"),
    CJ__KEY_ONLY("kernel_constraint", "null"),
    CJ__KEY_ONLY("recurrent_constraint", "null"),
    CJ__KEY_ONLY("bias_constraint", "null"),
    CJ__KEY_ONLY("zero_output_for_mask", "false"),
    CJ__KEY_ONLY("time_major", "false"),
    CJ__KEY_HARMLESS("input_dim"),
    CJ__KEY_HARMLESS("input_length"),
    CJ__KEY_HARMLESS("consume_less"),
    CJ__KEY_HARMLESS("implementation"),
    {.key = NULL},
};

// Sequences of up to so many steps are unrolled: below about ten that is faster, and up to here it is
// no slower than a loop.
enum { SHORT = 32 };

typedef struct rnn {
    cj_layer layer;
    cj_variable *kernel, *recurrent, *bias, *state; // those of `layer`; bias and state may be NULL
} rnn;

static cj_status build_rnn(cj_layer *layer, const cj__type *inputs)
{
    const cj_simple_rnn_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    rnn *r = (rnn *)(void *)layer;
    r->bias = r->state = NULL;
    CJ_TRY(cj__layer_need_rank(layer, x, 3, 3));
    CJ_TRY(cj__layer_need_length(layer, x, 2));
    CJ_TRY(cj__layer_add_variable(layer, "kernel", CJ_SHAPE(x->dims[2], a->units),
                                  a->kernel_initializer, a->kernel_regularizer, true, &r->kernel));
    CJ_TRY(cj__layer_add_variable(layer, "recurrent_kernel", CJ_SHAPE(a->units, a->units),
                                  a->recurrent_initializer, a->recurrent_regularizer, true,
                                  &r->recurrent));
    if (a->use_bias)
        CJ_TRY(cj__layer_add_variable(layer, "bias", CJ_SHAPE(a->units), a->bias_initializer,
                                      a->bias_regularizer, true, &r->bias));
    if (!a->stateful)
        return CJ_OK;
    if (x->dims[0] == CJ_BATCH)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: stateful needs an input layer with a batch_size",
                        layer->name);
    CJ_TRY(cj__layer_add_variable(layer, "state", CJ_SHAPE(x->dims[0], a->units), "zeros", NULL,
                                  false, &r->state));
    layer->states[layer->variable_count - 1] = true;
    return CJ_OK;
}

// A dropout mask for all steps of a sequence, of the shape of `like` without time.
static cj_symbol *mask_like(cj_layer *layer, cj__trace *trace, cj_symbol *like, uint32_t axes,
                            double rate)
{
    const cj_simple_rnn_args *a = layer->args;
    return cj__dropout(&trace->build, cj__ones_over(&trace->build, like, axes), trace->step,
                       cj__trace_key(trace, a->seed, layer->name), rate);
}

// x W + b for all steps at once, of any shape (..., features).
static cj_symbol *input_products(rnn *r, cj__trace *trace, cj_symbol *x)
{
    cj__build *g = &trace->build;
    x = cj__matmul(g, x, cj__trace_variable(trace, r->kernel), false, false);
    return r->bias ? cj__add(g, x, cj__trace_variable(trace, r->bias)) : x;
}

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

// h(t) = activation(x(t) W + b + h(t-1) U), where `x` is x(t) W + b; `h` is NULL for zeros.
static cj_symbol *take_step(rnn *r, cj__trace *trace, cj_symbol *x, cj_symbol *h, cj_symbol *drop,
                            cj_symbol *mask)
{
    const cj_simple_rnn_args *a = r->layer.args;
    cj__build *g = &trace->build;
    cj_symbol *recurrent = cj__trace_variable(trace, r->recurrent);
    cj_symbol *dropped = h && drop ? cj__mul(g, h, drop) : h;
    if (dropped)
        x = cj__add(g, x, cj__matmul(g, dropped, recurrent, false, false));
    x = cj__activation(g, a->activation, r->layer.name, x);
    x = cj__trace_round(trace, x); // the state is rounded as the output is
    return carry(g, mask, x, h);
}

static cj_symbol *recurrent_mask(rnn *r, cj__trace *trace, cj_symbol *like)
{
    const cj_simple_rnn_args *a = r->layer.args;
    const bool drops = trace->training && a->recurrent_dropout > 0;
    return drops ? mask_like(&r->layer, trace, like, 0, a->recurrent_dropout) : NULL;
}

// What a sequence gives: the last state, and all of them (batch, time, units) where they are wanted.
typedef struct states {
    cj_symbol *last, *all;
} states;

// Each step by itself. `steps` and `masks` have room for one of each step.
static cj_status unroll(rnn *r, cj__trace *trace, const cj__value *input, cj_symbol **steps,
                        cj_symbol **masks, states *made)
{
    const cj_simple_rnn_args *a = r->layer.args;
    cj__build *g = &trace->build;
    const int64_t time = cj__value_shape(input)->dims[1];
    CJ_TRY(cj__unstack(g, input_products(r, trace, input->symbol), 1, steps));
    if (input->mask)
        CJ_TRY(cj__unstack(g, input->mask, 1, masks));
    cj_symbol *drop = recurrent_mask(r, trace, steps[0]);
    cj_symbol *h = r->state ? cj__trace_latest(trace, r->state) : NULL; // NULL: zeros
    for (int64_t i = 0; a->go_backwards && i < time / 2; i++) {
        cj_symbol *first = steps[i];
        steps[i] = steps[time - 1 - i];
        steps[time - 1 - i] = first;
    }
    for (int64_t i = 0; i < time; i++) {
        h = take_step(r, trace, steps[i], h, drop,
                      input->mask ? masks[a->go_backwards ? time - 1 - i : i] : NULL);
        if (!h)
            return g->status;
        steps[i] = h;
    }
    made->last = h;
    made->all = a->return_sequences ? cj__stack(g, steps, (int)time, 1) : NULL;
    return g->status;
}

static cj_status unroll_short(rnn *r, cj__trace *trace, const cj__value *input, states *made)
{
    const size_t time = (size_t)cj__value_shape(input)->dims[1];
    cj_symbol **steps = cj__new(time * 2, sizeof *steps);
    if (!steps)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = unroll(r, trace, input, steps, steps + time, made);
    cj__free(steps);
    return status;
}

// The first two axes in the other order.
static cj_symbol *turn(cj__build *g, cj_symbol *x)
{
    static const int order[CJ_MAX_RANK] = {1, 0, 2};
    const bool turned = x && cj__symbol_is(x, &cj__op_transpose) &&
                        memcmp(cj__symbol_attrs(x), order, sizeof order) == 0;
    return turned ? x->node->inputs[0] : cj__transpose(g, x, order);
}

// The steps as a loop: the sequence has time first, so that a step reads a block of memory.
static cj_status loop(rnn *r, cj__trace *trace, const cj__value *input, states *made)
{
    const cj_simple_rnn_args *a = r->layer.args;
    const int64_t time = cj__value_shape(input)->dims[1];
    cj__build *g = &trace->build;
    cj__scan scan;
    cj_symbol *products = input_products(r, trace, turn(g, input->symbol)), *mask = NULL;
    cj_symbol *masks = input->mask ? turn(g, input->mask) : NULL, *all = NULL;
    cj__scan_begin(&scan, g, time, a->go_backwards);
    cj_symbol *x = cj__scan_slice(&scan, products);
    if (input->mask)
        mask = cj__scan_slice(&scan, masks);
    if (x) {
        cj_symbol *entry = cj__reshape(g, cj__slice(g, products, 0, 0, 1), cj_symbol_shape(x));
        cj_symbol *drop = recurrent_mask(r, trace, entry);
        cj_symbol *first = r->state ? cj__trace_latest(trace, r->state) :
                                      cj__broadcast_like(g, cj__scalar_like(g, x, 0), entry);
        cj_symbol *h = cj__scan_carry(&scan, first);
        cj_symbol *next = h ? take_step(r, trace, x, h, drop, mask) : NULL;
        cj__scan_next(&scan, h, next);
        if (a->return_sequences)
            cj__scan_output(&scan, next);
    }
    CJ_TRY(cj__scan_end(&scan, &made->last, &all));
    if (a->return_sequences) // in the order in which the steps were taken
        made->all = turn(g, a->go_backwards ? cj__reverse(g, all, 0) : all);
    return g->status;
}

static cj_status trace_rnn(cj__layer_context *c)
{
    rnn *r = (rnn *)(void *)c->layer;
    const cj_simple_rnn_args *a = c->layer->args;
    cj__value input = c->inputs[0];
    states made = {NULL, NULL};
    if (c->trace->training && a->dropout > 0)
        input.symbol = cj__mul(c->build, input.symbol,
                               mask_like(&r->layer, c->trace, input.symbol, 1u << 1, a->dropout));
    CJ_TRY(c->build->status);
    const bool is_short = a->unroll || cj__value_shape(&input)->dims[1] <= SHORT;
    CJ_TRY((is_short ? unroll_short : loop)(r, c->trace, &input, &made));
    if (r->state)
        cj__trace_update(c->trace, r->state, cj__stop_gradient(c->build, made.last));
    c->outputs[0].symbol = a->return_sequences ? made.all : made.last;
    c->outputs[0].mask = a->return_sequences ? c->inputs[0].mask : NULL;
    if (a->return_state)
        c->outputs[1].symbol = made.last;
    c->output_count = a->return_state ? 2 : 1;
    cj__add_activity_loss(c, a->activity_regularizer);
    return CJ_OK;
}

// (batch, time, features) becomes (batch, units), or (batch, time, units).
static cj_status call_rnn(cj__layer_context *c)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    CJ_TRY(cj__layer_need_rank(c->layer, x, 3, 3));
    CJ_TRY(cj__layer_need_length(c->layer, x, 2));
    if (x->dims[1] <= 0 || x->dims[1] > 1 << 20)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the number of steps must be known, from 1 to %d",
                        c->layer->name, 1 << 20);
    return trace_rnn(c);
}

const cj__layer_kind cj__layer_simple_rnn = {
    .choice = CJ__CHOICE("simple_rnn", "SimpleRNN", fields, simple_rnn_defaults),
    .keys = keys,
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build_rnn,
    .call = call_rnn,
    .mask = CJ__MASK_OWN,
    .size = sizeof(rnn),
};

CJ__CONSTRUCTOR(simple_rnn)
