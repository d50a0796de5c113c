// RecurrentModel: a model as the step of a recurrence, run by a loop (graph/scan.h). Its inputs are
// first sequences of one step, then states; its outputs likewise.
#include "base/memory.h"
#include "graph/scan.h"
#include "layers/model.h"
#include "layers/sequence.h"

#include <cajal/nir.h>
#include <limits.h>
#include <stdio.h>

CJ__DEFAULTS(recurrent_model, RECURRENT_MODEL)

static const cj__field fields[] = {
    CJ__FIELD(cj_recurrent_model_args, states, CJ__FIELD_INT, .required = true, CJ__POSITIVE),
    CJ__FIELD(cj_recurrent_model_args, initial_values, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_recurrent_model_args, stateful, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_recurrent_model_args),
};

static const cj__sublayer sublayers[] = {
    {"layer", offsetof(cj_recurrent_model_args, layer), false, false},
    {NULL, 0, false, false},
};

static const cj__config_key keys[] = {
    CJ__KEY_HARMLESS("layer"),
    {.key = NULL},
};

static const int64_t LONGEST = 1 << 20;

// The model, and how many of its inputs and outputs are sequences; the others are states.
typedef struct parts {
    const cj_model *model;
    int states, inputs, outputs;
} parts;

static parts parts_of(const cj_layer *layer)
{
    const cj_recurrent_model_args *a = layer->args;
    const cj_model *model = (const cj_model *)layer->sublayers[0];
    const int states = (int)a->states;
    return (parts){model, states, model->input_count - states, model->output_count - states};
}

// ---- Settings ----

static cj_status need_step(const cj_layer *layer, const cj__type *type, const char *what, int index)
{
    char text[CJ__SHAPE_WORDS];
    if (type->shape.rank >= 3 && type->shape.dims[1] == 1)
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH,
                    "%s: %s %d of the model has shape %s, needed is a sequence of one step, "
                    "(batch, 1, ...)",
                    layer->name, what, index, cj_shape_text(&type->shape, text, sizeof text));
}

static cj_status need_state(const cj_layer *layer, const parts *p, int index)
{
    const cj__type *before = &p->model->input_types[p->inputs + index],
                   *after = &p->model->output_types[p->outputs + index];
    char text[CJ__SHAPE_WORDS], other[CJ__SHAPE_WORDS];
    if (before->dtype != CJ_F32 || after->dtype != CJ_F32)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: state %d is not float32", layer->name, index);
    for (int i = 1; i < before->shape.rank; i++)
        CJ_TRY(cj__layer_need_length(layer, &before->shape, i));
    return before->shape.rank >= 2 && cj_shape_equal(&before->shape, &after->shape) ?
               CJ_OK :
               cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: state %d has shape %s before the step and %s after it", layer->name,
                        index, cj_shape_text(&before->shape, text, sizeof text),
                        cj_shape_text(&after->shape, other, sizeof other));
}

static cj_status check(cj_layer *layer)
{
    const cj_recurrent_model_args *a = layer->args;
    if (!cj__layer_is_model(layer->sublayers[0]))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s (%s) is no model", layer->name,
                        layer->sublayers[0]->name, cj_layer_class(layer->sublayers[0]));
    const cj_model *model = (const cj_model *)layer->sublayers[0];
    if (!model->input_types)
        return cj__fail(CJ_NOT_BUILT, "%s: the model %s is not built", layer->name,
                        layer->sublayers[0]->name);
    if (a->states >= model->input_count || a->states >= model->output_count)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %lld states, and the model has %d inputs and %d outputs: one more of "
                        "each is needed at least",
                        layer->name, (long long)a->states, model->input_count, model->output_count);
    if (a->initial_values.count > 0 && a->initial_values.count != a->states)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %lld initial_values for %lld states", layer->name,
                        (long long)a->initial_values.count, (long long)a->states);
    if (a->stateful && a->states > CJ__LAYER_VARIABLES_MAX)
        return cj__fail(CJ_UNSUPPORTED, "%s: %lld states, stateful needs at most %d", layer->name,
                        (long long)a->states, (int)CJ__LAYER_VARIABLES_MAX);
    const parts p = parts_of(layer);
    for (int i = 0; i < p.inputs; i++)
        CJ_TRY(need_step(layer, &model->input_types[i], "input", i));
    for (int i = 0; i < p.outputs; i++)
        CJ_TRY(need_step(layer, &model->output_types[i], "output", i));
    for (int k = 0; k < p.states; k++)
        CJ_TRY(need_state(layer, &p, k));
    return CJ_OK;
}

// ---- Building ----

// Input i, (batch, time, ...): the entries of a step are those that the model takes.
static cj_status need_input(const cj_layer *layer, const parts *p, int i, const cj_shape *x)
{
    const cj_shape *step = &p->model->input_types[i].shape;
    char text[CJ__SHAPE_WORDS], needed[CJ__SHAPE_WORDS];
    CJ_TRY(cj__layer_need_rank(layer, x, step->rank, step->rank));
    bool fits = true;
    for (int axis = 2; fits && axis < x->rank; axis++)
        fits = x->dims[axis] == step->dims[axis];
    return fits ? CJ_OK :
                  cj__fail(CJ_SHAPE_MISMATCH,
                           "%s: input %d has shape %s, and the model takes steps of shape %s",
                           layer->name, i, cj_shape_text(x, text, sizeof text),
                           cj_shape_text(step, needed, sizeof needed));
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_recurrent_model_args *a = layer->args;
    const parts p = parts_of(layer);
    char name[32];
    if (layer->input_count != p.inputs)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", layer->name,
                        layer->input_count, p.inputs);
    for (int i = 0; i < p.inputs; i++)
        CJ_TRY(need_input(layer, &p, i, &inputs[i].shape));
    if (a->stateful && inputs[0].shape.dims[0] < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: stateful needs an input layer with a batch_size",
                        layer->name);
    for (int k = 0; a->stateful && k < p.states; k++) {
        cj_shape shape = p.model->input_types[p.inputs + k].shape;
        shape.dims[0] = inputs[0].shape.dims[0];
        snprintf(name, sizeof name, "state_%d", k);
        CJ_TRY(cj__layer_add_variable(layer, name, shape, "zeros", NULL, false, NULL));
        layer->states[layer->variable_count - 1] = true;
    }
    return CJ_OK;
}

// The states that last begin as others do.
static void draw_state(const cj_layer *layer, int index, cj_tensor *value)
{
    const cj_recurrent_model_args *a = layer->args;
    if (a->initial_values.count > 0)
        cj_tensor_fill(value, a->initial_values.values[index]);
}

// ---- The call ----

// What a call has: the loop, and the symbols of the model's inputs in a step.
typedef struct running {
    cj__layer_context *context;
    parts p;
    cj__scan scan;
    int64_t time;
    cj__value *inputs;
} running;

// All inputs are as long as the first.
static cj_status need_time(running *r)
{
    cj__layer_context *c = r->context;
    for (int i = 0; i < r->p.inputs; i++) {
        const cj_shape *x = cj__value_shape(&c->inputs[i]);
        CJ_TRY(need_input(c->layer, &r->p, i, x));
        if (i == 0)
            r->time = x->dims[1];
        if (x->dims[1] < 1 || x->dims[1] > LONGEST)
            return cj__fail(CJ_SHAPE_MISMATCH,
                            "%s: the number of steps must be known, from 1 to %lld", c->layer->name,
                            (long long)LONGEST);
        if (x->dims[1] != r->time)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: inputs of %lld and %lld steps", c->layer->name,
                            (long long)r->time, (long long)x->dims[1]);
    }
    return CJ_OK;
}

// The inputs of a step. A state begins as it was given, as it was after the batch before, or as 0.
static cj_status begin_step(running *r)
{
    cj__layer_context *c = r->context;
    const cj_recurrent_model_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *entry = NULL;
    for (int i = 0; i < r->p.inputs; i++) {
        cj_symbol *x = cj__turn_time(g, c->inputs[i].symbol), *slice = cj__scan_slice(&r->scan, x);
        if (!slice)
            return g->status;
        const cj_shape step = *cj_symbol_shape(slice);
        cj_shape shape = {.rank = step.rank + 1, .dims = {step.dims[0], 1}};
        for (int axis = 1; axis < step.rank; axis++)
            shape.dims[axis + 1] = step.dims[axis];
        entry = entry ? entry : cj__reshape(g, cj__slice(g, x, 0, 0, 1), &step);
        r->inputs[i].symbol = cj__reshape(g, slice, &shape);
    }
    for (int k = 0; k < r->p.states; k++) {
        cj_shape state = r->p.model->input_types[r->p.inputs + k].shape;
        for (int axis = 1; axis < state.rank; axis++)
            state.dims[axis - 1] = state.dims[axis];
        state.rank--;
        cj_symbol *first = a->stateful ? cj__trace_latest(c->trace, c->layer->variables[k]) :
                                         cj__sequence_zeros(g, entry, &state);
        if (!a->stateful && a->initial_values.count > 0)
            first = cj__shift(g, first, a->initial_values.values[k]);
        r->inputs[r->p.inputs + k].symbol = cj__scan_carry(&r->scan, first);
    }
    return g->status;
}

// The model in a step. What it adds to updates or losses would be of one step alone, and is refused.
static cj_status take_step(running *r, cj__value **outputs)
{
    cj__layer_context *c = r->context;
    cj__trace *trace = c->trace;
    const int updates = trace->update_count, losses = trace->loss_count;
    void (*watch)(void *, cj_layer *, const cj__value *, int, const cj__value *, int) =
        trace->watch;
    int count = 0;
    trace->watch = NULL; // the symbols of a loop's body cannot be looked at
    const cj_status status = cj__layer_call(c->layer->sublayers[0], trace, r->inputs,
                                            r->p.inputs + r->p.states, outputs, &count);
    trace->watch = watch;
    CJ_TRY(status);
    if (trace->update_count == updates && trace->loss_count == losses)
        return CJ_OK;
    return cj__fail(CJ_UNSUPPORTED,
                    "%s: the model adds a loss or an update in each step, which a loop cannot",
                    c->layer->name);
}

// Ends the step, and the loop: `all` and `last` have room for the sequences and the states.
static cj_status end_loop(running *r, const cj__value *made, cj_symbol **all, cj_symbol **last)
{
    cj__build *g = r->context->build;
    for (int k = 0; k < r->p.states; k++)
        cj__scan_next(&r->scan, r->inputs[r->p.inputs + k].symbol, made[r->p.outputs + k].symbol);
    for (int i = 0; i < r->p.outputs; i++) {
        const cj_shape shape = *cj__value_shape(&made[i]);
        cj_shape step = {.rank = shape.rank - 1, .dims = {shape.dims[0]}};
        for (int axis = 1; axis < step.rank; axis++)
            step.dims[axis] = shape.dims[axis + 1];
        cj__scan_output(&r->scan, cj__reshape(g, made[i].symbol, &step));
    }
    return cj__scan_end(&r->scan, last, all);
}

static cj_status run(running *r, cj_symbol **all, cj_symbol **last)
{
    cj__layer_context *c = r->context;
    const cj_recurrent_model_args *a = c->layer->args;
    cj__value *made = NULL;
    cj__scan_begin(&r->scan, c->build, r->time, false);
    cj_status status = begin_step(r);
    if (status == CJ_OK)
        status = take_step(r, &made);
    if (status != CJ_OK) {
        cj__scan_end(&r->scan, NULL, NULL);
        return status;
    }
    CJ_TRY(end_loop(r, made, all, last));
    CJ_TRY(cj__layer_outputs(c, r->p.outputs));
    for (int i = 0; i < r->p.outputs; i++)
        c->outputs[i].symbol = cj__turn_time(c->build, all[i]);
    for (int k = 0; a->stateful && k < r->p.states; k++)
        CJ_TRY(cj__trace_update(c->trace, c->layer->variables[k],
                                cj__stop_gradient(c->build, last[k])));
    return c->build->status;
}

static cj_status call(cj__layer_context *c)
{
    running r = {.context = c, .p = parts_of(c->layer)};
    if (c->input_count != r.p.inputs)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", c->layer->name,
                        c->input_count, r.p.inputs);
    CJ_TRY(need_time(&r));
    const size_t inputs = (size_t)(r.p.inputs + r.p.states),
                 outputs = (size_t)(r.p.outputs + r.p.states);
    r.inputs = cj__build_memory(c->build, inputs, sizeof *r.inputs);
    cj_symbol **all = cj__build_memory(c->build, outputs, sizeof *all);
    return r.inputs && all ? run(&r, all, all + r.p.outputs) : c->build->status;
}

const cj__layer_kind cj__layer_recurrent_model = {
    .choice = CJ__CHOICE("recurrent_model", "RecurrentModel", fields, recurrent_model_defaults),
    .keys = keys,
    .sublayers = sublayers,
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .check = check,
    .build = build,
    .after_draw = draw_state,
    .call = call,
    .mask = CJ__MASK_DROP,
    .no_policy = true,
};

CJ__CONSTRUCTOR(recurrent_model)
