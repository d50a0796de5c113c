// TimeDistributed: keras/src/layers/rnn/time_distributed.py.
//
// The steps are further samples of one larger batch: (batch, time, ...) is seen as
// (batch time, ...), which costs nothing. That is not Keras's result where a layer looks at the
// batch, or at the step before: then the steps are called one by one.
#include "base/memory.h"
#include "layers/kind.h"
#include "layers/model.h"

#include <cajal/wrappers.h>
#include <string.h>

CJ__DEFAULTS(time_distributed, TIME_DISTRIBUTED)

static const cj__field fields[] = {
    CJ__LAYER_FIELDS(cj_time_distributed_args),
};

static const cj__sublayer sublayers[] = {
    {"layer", offsetof(cj_time_distributed_args, layer), false, false},
    {NULL, 0, false, false},
};

static const cj__config_key keys[] = {
    CJ__KEY_HARMLESS("layer"),
    {.key = NULL},
};

enum { MOST_STEPS = 4096 }; // of those that are called one by one

static bool depends_on_others(const cj_layer *layer, bool training)
{
    cj_layer *const *children;
    const int count = cj__layer_children(layer, &children);
    const bool *stateful = cj__layer_setting(layer, "stateful");
    bool found = (training && layer->kind->by_batch) || (stateful && *stateful);
    for (int i = 0; !found && i < count; i++)
        found = depends_on_others(children[i], training);
    return found;
}

// The shape without the axis of time.
static cj_shape step_of(const cj_shape *x, int64_t batch)
{
    cj_shape step = {.rank = 1, .dims = {batch}};
    for (int i = 2; i < x->rank; i++)
        step.dims[step.rank++] = x->dims[i];
    return step;
}

// Builds the layer on one step, so that what it notes of its input is that of a step.
static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_shape *x = &inputs[0].shape;
    cj_layer *child = layer->sublayers[0];
    CJ_TRY(cj__layer_need_rank(layer, x, 3, CJ_MAX_RANK));
    CJ_TRY(cj__layer_need_length(layer, x, 1));
    const cj__type step = {inputs[0].dtype,
                           step_of(x, depends_on_others(child, false) ? x->dims[0] : CJ_BATCH)};
    return cj__sublayer_build(child, &step, 1);
}

// As in Keras, what a layer that is wrapped adds to the loss does not count, but what layers of a
// wrapped model add does, in each step.
static void settle_losses(cj__layer_context *c, int before, double factor)
{
    cj__trace *trace = c->trace;
    if (!cj__layer_is_model(c->layer->sublayers[0]))
        trace->loss_count = before;
    for (int i = before; i < trace->loss_count && c->build->status == CJ_OK; i++)
        trace->losses[i] = cj__scale(c->build, trace->losses[i], factor);
}

static cj_status call_merged(cj__layer_context *c)
{
    cj__build *g = c->build;
    const cj_shape x = *cj__value_shape(&c->inputs[0]);
    const cj_shape step = step_of(&x, x.dims[0] * x.dims[1]);
    cj_symbol *mask = c->inputs[0].mask;
    const int losses = c->trace->loss_count;
    cj__value input = {cj__reshape(g, c->inputs[0].symbol, &step), NULL};
    if (mask && cj_symbol_shape(mask)->rank > 2) {
        const cj_shape entries = step_of(cj_symbol_shape(mask), step.dims[0]);
        input.mask = cj__reshape(g, mask, &entries);
    }
    CJ_TRY(g->status);
    CJ_TRY(
        cj__layer_call(c->layer->sublayers[0], c->trace, &input, 1, &c->outputs, &c->output_count));
    for (int i = 0; i < c->output_count; i++) {
        const cj_shape *made = cj__value_shape(&c->outputs[i]);
        cj_shape y = {.rank = 2, .dims = {x.dims[0], x.dims[1]}};
        if (made->rank == CJ_MAX_RANK)
            return cj__fail(CJ_UNSUPPORTED, "%s: time cannot be added to %d axes", c->layer->name,
                            made->rank);
        for (int k = 1; k < made->rank; k++)
            y.dims[y.rank++] = made->dims[k];
        c->outputs[i] = (cj__value){cj__reshape(g, c->outputs[i].symbol, &y), NULL};
    }
    settle_losses(c, losses, (double)x.dims[1]);
    return g->status;
}

// The layer on each step, one after another. `steps` has room for the inputs and masks of
// all steps.
static cj_status call_each(cj__layer_context *c, int64_t time, cj_symbol **steps)
{
    cj__build *g = c->build;
    cj_symbol *mask = c->inputs[0].mask, **masks = steps + time, **made = NULL;
    const bool masked = mask && cj_symbol_shape(mask)->rank > 2;
    const int losses = c->trace->loss_count;
    cj__value *outputs = NULL;
    int count = 0;
    CJ_TRY(cj__unstack(g, c->inputs[0].symbol, 1, steps));
    if (masked)
        CJ_TRY(cj__unstack(g, mask, 1, masks));
    for (int64_t t = 0; t < time; t++) {
        const cj__value input = {steps[t], masked ? masks[t] : NULL};
        CJ_TRY(cj__layer_call(c->layer->sublayers[0], c->trace, &input, 1, &outputs, &count));
        if (!made && !(made = cj__build_memory(g, (size_t)(count * time), sizeof *made)))
            return g->status;
        for (int i = 0; i < count; i++)
            made[i * time + t] = outputs[i].symbol;
    }
    CJ_TRY(cj__layer_outputs(c, count));
    for (int i = 0; i < count; i++)
        c->outputs[i].symbol = cj__stack(g, made + i * time, (int)time, 1);
    settle_losses(c, losses, 1);
    return g->status;
}

// (batch, time): a step counts if any of its entries does.
static cj_symbol *mask_of_steps(cj__build *g, cj_symbol *mask)
{
    if (!mask || cj_symbol_shape(mask)->rank <= 2)
        return mask;
    cj_symbol *any = cj__max(g, cj__cast(g, mask, CJ_F32), cj__all_axes(mask) & ~3u, false);
    return cj__compare(g, CJ__COMPARISON_not_equal, any, cj__scalar_like(g, any, 0));
}

static cj_status call(cj__layer_context *c)
{
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    CJ_TRY(cj__layer_need_rank(c->layer, x, 3, CJ_MAX_RANK));
    const int64_t time = x->dims[1];
    if (time <= 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the number of steps must be known and positive",
                        c->layer->name);
    cj_status status = CJ_OK;
    if (!depends_on_others(c->layer->sublayers[0], c->trace->training)) {
        status = call_merged(c);
    } else if (time > MOST_STEPS) {
        status = cj__fail(CJ_UNSUPPORTED,
                          "%s: %lld steps of a layer whose result depends on other samples or "
                          "steps, at most %d are possible",
                          c->layer->name, (long long)time, (int)MOST_STEPS);
    } else {
        cj_symbol **steps = cj__new(2 * (size_t)time, sizeof *steps);
        status = steps ? call_each(c, time, steps) : CJ_OUT_OF_MEMORY;
        cj__free(steps);
    }
    CJ_TRY(status);
    for (int i = 0; i < c->output_count; i++)
        c->outputs[i].mask = mask_of_steps(c->build, c->inputs[0].mask);
    return c->build->status;
}

const cj__layer_kind cj__layer_time_distributed = {
    .choice = CJ__CHOICE("time_distributed", "TimeDistributed", fields, time_distributed_defaults),
    .keys = keys,
    .sublayers = sublayers,
    .min_inputs = 1,
    .max_inputs = 1,
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
    .build = build,
    .call = call,
    .mask = CJ__MASK_OWN,
    .any_dtype = true,
    .no_policy = true,
};

CJ__CONSTRUCTOR(time_distributed)
