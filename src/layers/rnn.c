// SimpleRNN, unrolled over time. The inputs of all steps are multiplied by the kernel in one matrix
// product; then each step takes one product with the state.
#include "base/memory.h"
#include "layers/kind.h"

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

// A step is some ten ops in the graph: beyond so many making the plan alone takes minutes.
enum { UNROLLED_STEPS_MAX = 1 << 14 };

static cj_status check_steps(const cj_layer *layer, const cj_shape *x)
{
    if (x->dims[1] > 0 && x->dims[1] <= UNROLLED_STEPS_MAX)
        return CJ_OK;
    if (x->dims[1] == CJ_BATCH)
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: the number of steps is free, it must be known, from 1 to %d",
                        layer->name, UNROLLED_STEPS_MAX);
    return cj__fail(CJ_SHAPE_MISMATCH,
                    "%s: a sequence of %lld steps, needed are 1 to %d, since steps are unrolled",
                    layer->name, (long long)x->dims[1], UNROLLED_STEPS_MAX);
}

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
    CJ_TRY(check_steps(layer, x));
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

// x W + b for all steps at once, split into `time` symbols (batch, units).
static cj_status input_products(rnn *r, cj__trace *trace, cj_symbol *x, cj_symbol **steps)
{
    const cj_simple_rnn_args *a = r->layer.args;
    cj__build *g = &trace->build;
    if (trace->training && a->dropout > 0)
        x = cj__mul(g, x, mask_like(&r->layer, trace, x, 1u << 1, a->dropout));
    x = cj__matmul(g, x, cj__trace_variable(trace, r->kernel), false, false);
    if (r->bias)
        x = cj__add(g, x, cj__trace_variable(trace, r->bias));
    return x ? cj__unstack(g, x, 1, steps) : g->status;
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

// h(t) = activation(x(t) W + b + h(t-1) U). `steps` has x(t) W + b and receives h(t), in the order
// in which the steps are taken.
static cj_status unroll(rnn *r, cj__trace *trace, cj_symbol **steps, cj_symbol *const *masks,
                        int64_t time)
{
    const cj_simple_rnn_args *a = r->layer.args;
    cj__build *g = &trace->build;
    cj_symbol *recurrent = cj__trace_variable(trace, r->recurrent), *drop = NULL;
    cj_symbol *h = r->state ? cj__trace_latest(trace, r->state) : NULL; // NULL: zeros
    for (int64_t i = 0; a->go_backwards && i < time / 2; i++) {
        cj_symbol *first = steps[i];
        steps[i] = steps[time - 1 - i];
        steps[time - 1 - i] = first;
    }
    if (trace->training && a->recurrent_dropout > 0)
        drop = mask_like(&r->layer, trace, steps[0], 0, a->recurrent_dropout);
    for (int64_t i = 0; i < time; i++) {
        cj_symbol *x = steps[i], *dropped = h && drop ? cj__mul(g, h, drop) : h;
        if (dropped)
            x = cj__add(g, x, cj__matmul(g, dropped, recurrent, false, false));
        x = cj__activation(g, a->activation, r->layer.name, x);
        x = cj__trace_round(trace, x); // the state is rounded as the output is
        h = carry(g, masks ? masks[a->go_backwards ? time - 1 - i : i] : NULL, x, h);
        if (!h)
            return g->status;
        steps[i] = h;
    }
    if (r->state)
        cj__trace_update(trace, r->state, cj__stop_gradient(g, h));
    return CJ_OK;
}

static cj_status trace_rnn(cj__layer_context *c, cj_symbol **steps, cj_symbol **masks)
{
    rnn *r = (rnn *)(void *)c->layer;
    const cj_simple_rnn_args *a = c->layer->args;
    const cj__value *input = &c->inputs[0];
    const int64_t time = cj__value_shape(input)->dims[1];
    CJ_TRY(input_products(r, c->trace, input->symbol, steps));
    if (input->mask)
        CJ_TRY(cj__unstack(c->build, input->mask, 1, masks));
    CJ_TRY(unroll(r, c->trace, steps, input->mask ? masks : NULL, time));
    c->outputs[0].symbol =
        a->return_sequences ? cj__stack(c->build, steps, (int)time, 1) : steps[time - 1];
    c->outputs[0].mask = a->return_sequences ? input->mask : NULL;
    if (a->return_state)
        c->outputs[1].symbol = steps[time - 1];
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
    CJ_TRY(check_steps(c->layer, x));
    cj_symbol **steps = cj__new((size_t)x->dims[1] * 2, sizeof *steps);
    if (!steps)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = trace_rnn(c, steps, steps + x->dims[1]);
    cj__free(steps);
    return status;
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
