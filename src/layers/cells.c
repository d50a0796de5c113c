// RNN, which runs a cell over a sequence, and StackedRNNCells: keras/src/layers/rnn/rnn.py and
// stacked_rnn_cells.py.
#include "layers/cells.h"

#include "layers/model.h"

#include <cajal/recurrent.h>
#include <string.h>

cj_status cj__need_cell(const cj_layer *layer, const char *who)
{
    return layer->kind->cell ?
               CJ_OK :
               cj__fail(CJ_INVALID_ARGUMENT, "%s: %s (%s) is no cell: it has no states", who,
                        layer->name, cj_layer_class(layer));
}

static cj_status states_of(const cj_layer *cell, const char *who, cj_shape *shapes, int *count,
                           int *previous)
{
    *count = cell->kind->cell->states(cell, shapes, previous);
    if (*count <= CJ__SEQUENCE_STATES)
        return CJ_OK;
    return cj__fail(CJ_UNSUPPORTED, "%s: cells with %d states, at most %d are possible", who,
                    *count, (int)CJ__SEQUENCE_STATES);
}

// ---- StackedRNNCells ----

CJ__DEFAULTS(stacked_rnn_cells, STACKED_RNN_CELLS)

static const cj__field stacked_fields[] = {
    CJ__LAYER_FIELDS(cj_stacked_rnn_cells_args),
};

static const cj__sublayer stacked_sublayers[] = {
    {"cells", offsetof(cj_stacked_rnn_cells_args, cells), true, false},
    {NULL, 0, false, false},
};

static const cj__config_key stacked_keys[] = {
    CJ__KEY_HARMLESS("cells"),
    {.key = NULL},
};

static cj_status check_stacked(cj_layer *layer)
{
    cj_shape shapes[CJ__SEQUENCE_STATES];
    int count, previous;
    for (int i = 0; i < layer->sublayer_count; i++)
        CJ_TRY(cj__need_cell(layer->sublayers[i], layer->name));
    return states_of(layer, layer->name, shapes, &count, &previous);
}

// The states of all cells, one cell after another; the output is the last cell's.
static int stacked_states(const cj_layer *layer, cj_shape *shapes, int *previous)
{
    int count = 0;
    for (int i = 0; i < layer->sublayer_count; i++) {
        const cj_layer *cell = layer->sublayers[i];
        cj_shape own[CJ__SEQUENCE_STATES];
        int at = 0;
        const int states = cell->kind->cell->states(cell, own, &at);
        *previous = count + at;
        for (int k = 0; k < states; k++, count++)
            if (k < CJ__SEQUENCE_STATES && count < CJ__SEQUENCE_STATES)
                shapes[count] = own[k];
    }
    return count;
}

// What they are before the first step, likewise.
static void stacked_first(const cj_layer *layer, double *values)
{
    int next = 0;
    for (int i = 0; i < layer->sublayer_count; i++) {
        const cj_layer *cell = layer->sublayers[i];
        double own[CJ__SEQUENCE_STATES] = {0};
        cj_shape shapes[CJ__SEQUENCE_STATES];
        int previous;
        const int states = cell->kind->cell->states(cell, shapes, &previous);
        if (cell->kind->cell->first)
            cell->kind->cell->first(cell, own);
        for (int k = 0; k < states && next < CJ__SEQUENCE_STATES; k++)
            values[next++] = own[k];
    }
}

// Each cell gets the output of the one before.
static cj_status call_stacked(cj__layer_context *c)
{
    cj__value inputs[1 + CJ__SEQUENCE_STATES], *outputs = NULL;
    cj_shape shapes[CJ__SEQUENCE_STATES];
    int next = 1, count = 0, previous;
    CJ_TRY(states_of(c->layer, c->layer->name, shapes, &count, &previous));
    if (c->input_count != 1 + count)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", c->layer->name,
                        c->input_count, 1 + count);
    inputs[0] = c->inputs[0];
    for (int i = 0; i < c->layer->sublayer_count; i++) {
        cj_layer *cell = c->layer->sublayers[i];
        const int states = cell->kind->cell->states(cell, shapes, &previous);
        for (int k = 0; k < states; k++)
            inputs[1 + k] = c->inputs[next + k];
        CJ_TRY(cj__layer_call(cell, c->trace, inputs, 1 + states, &outputs, &count));
        for (int k = 0; k < states; k++)
            c->outputs[next++].symbol = outputs[1 + k].symbol;
        inputs[0] = outputs[0];
    }
    c->outputs[0].symbol = inputs[0].symbol;
    c->output_count = next;
    return CJ_OK;
}

static const cj__cell stacked = {.states = stacked_states, .first = stacked_first};

const cj__layer_kind cj__layer_stacked_rnn_cells = {
    .choice = CJ__CHOICE("stacked_rnn_cells", "StackedRNNCells", stacked_fields,
                         stacked_rnn_cells_defaults),
    .keys = stacked_keys,
    .sublayers = stacked_sublayers,
    .more_inputs = "states",
    .min_inputs = 2,
    .max_inputs = 1 + CJ__SEQUENCE_STATES,
    .check = check_stacked,
    .call = call_stacked,
    .mask = CJ__MASK_DROP,
    .no_policy = true,
    .cell = &stacked,
};

CJ__CONSTRUCTOR(stacked_rnn_cells)

// ---- RNN ----

CJ__DEFAULTS(rnn, RNN)

static const cj__field rnn_fields[] = {
    CJ__FIELD(cj_rnn_args, return_sequences, CJ__FIELD_BOOL),
    CJ__FIELD(cj_rnn_args, return_state, CJ__FIELD_BOOL),
    CJ__FIELD(cj_rnn_args, go_backwards, CJ__FIELD_BOOL),
    CJ__FIELD(cj_rnn_args, stateful, CJ__FIELD_BOOL),
    CJ__FIELD(cj_rnn_args, unroll, CJ__FIELD_BOOL),
    CJ__FIELD(cj_rnn_args, zero_output_for_mask, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_rnn_args),
};

static const cj__sublayer rnn_sublayers[] = {
    {"cell", offsetof(cj_rnn_args, cell), false, false},
    {NULL, 0, false, false},
};

static const cj__config_key rnn_keys[] = {
    CJ__KEY_HARMLESS("cell"),
    CJ__KEY_ONLY("time_major", "false"),
    {.key = NULL},
};

static cj_status check_rnn(cj_layer *layer)
{
    cj_shape shapes[CJ__SEQUENCE_STATES];
    int count, previous;
    CJ_TRY(cj__need_cell(layer->sublayers[0], layer->name));
    return states_of(layer->sublayers[0], layer->name, shapes, &count, &previous);
}

// Builds the cell for one step, and the states that last.
static cj_status build_rnn(cj_layer *layer, const cj__type *inputs)
{
    const cj_rnn_args *a = layer->args;
    const cj_shape *x = &inputs[0].shape;
    cj_shape shapes[CJ__SEQUENCE_STATES];
    cj__type types[1 + CJ__SEQUENCE_STATES];
    int count, previous;
    CJ_TRY(cj__layer_need_rank(layer, x, 3, CJ_MAX_RANK));
    CJ_TRY(states_of(layer->sublayers[0], layer->name, shapes, &count, &previous));
    types[0] = (cj__type){inputs[0].dtype, {.rank = 1, .dims = {x->dims[0]}}};
    for (int i = 2; i < x->rank; i++)
        types[0].shape.dims[types[0].shape.rank++] = x->dims[i];
    for (int k = 0; k < count; k++) {
        types[1 + k] = (cj__type){inputs[0].dtype, {.rank = 1, .dims = {x->dims[0]}}};
        for (int i = 0; i < shapes[k].rank; i++)
            types[1 + k].shape.dims[types[1 + k].shape.rank++] = shapes[k].dims[i];
    }
    CJ_TRY(cj__sublayer_build(layer->sublayers[0], types, 1 + count));
    return a->stateful ? cj__sequence_add_states(layer, x->dims[0], shapes, count) : CJ_OK;
}

// A cell that is called for each step.
typedef struct stepping {
    cj__layer_context *context;
    cj_layer *cell;
    int states;
    int drawn; // random consumers traced before the first step
    bool begun;
} stepping;

// What a step adds to updates or losses would be of one step alone, and is refused. A mask of
// dropout is the same in all steps.
static cj_symbol *step(void *context, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    stepping *s = context;
    cj__trace *trace = s->context->trace;
    cj__value inputs[1 + CJ__SEQUENCE_STATES] = {{x, NULL}}, *outputs = NULL;
    int count = 0;
    const int updates = trace->update_count, losses = trace->loss_count;
    void (*watch)(void *, cj_layer *, const cj__value *, int, const cj__value *, int) =
        trace->watch;
    for (int k = 0; k < s->states; k++)
        inputs[1 + k] = (cj__value){states[k], NULL};
    if (!s->begun)
        s->drawn = trace->drawn;
    trace->drawn = s->drawn;
    s->begun = true;
    trace->watch = NULL; // the symbols of a loop's body cannot be looked at
    const cj_status status =
        cj__layer_call(s->cell, trace, inputs, 1 + s->states, &outputs, &count);
    trace->watch = watch;
    if (status != CJ_OK)
        return NULL;
    if (trace->update_count != updates || trace->loss_count != losses)
        trace->build.status =
            cj__fail(CJ_UNSUPPORTED,
                     "%s: cell %s adds a loss or an update in each step, which a loop cannot",
                     s->context->layer->name, s->cell->name);
    if (count != 1 + s->states && trace->build.status == CJ_OK)
        trace->build.status =
            cj__fail(CJ_INVALID_ARGUMENT, "%s: cell %s gave %d outputs, needs %d",
                     s->context->layer->name, s->cell->name, count, 1 + s->states);
    for (int k = 0; k < s->states; k++)
        next[k] = outputs[1 + k].symbol;
    return outputs[0].symbol;
}

// (batch, time, ...) becomes (batch, output), or (batch, time, output).
static cj_status call_rnn(cj__layer_context *c)
{
    const cj_rnn_args *a = c->layer->args;
    cj_layer *cell = c->layer->sublayers[0];
    cj__sequence_flags flags = CJ__SEQUENCE_FLAGS(a);
    stepping s = {.context = c, .cell = cell};
    cj__sequence sequence = {.context = c, .needs_states = true, .cell = &s, .step = step};
    CJ_TRY(cj__layer_need_rank(c->layer, cj__value_shape(&c->inputs[0]), 3, CJ_MAX_RANK));
    flags.kept = a->stateful ? c->layer->variables : NULL;
    if (cell->kind->cell->run)
        return cell->kind->cell->run(c, cell, &flags);
    CJ_TRY(states_of(cell, c->layer->name, sequence.shapes, &s.states, &sequence.previous));
    sequence.flags = flags;
    sequence.states = s.states;
    if (cell->kind->cell->first)
        cell->kind->cell->first(cell, sequence.first);
    return cj__sequence_call(&sequence);
}

const cj__layer_kind cj__layer_rnn = {
    .choice = CJ__CHOICE("rnn", "RNN", rnn_fields, rnn_defaults),
    .keys = rnn_keys,
    .sublayers = rnn_sublayers,
    .min_inputs = 1,
    .max_inputs = 1 + CJ__SEQUENCE_STATES,
    .more_inputs = "initial_state",
    .call_settings = cj__mask_settings,
    .given_masks = cj__mask_of_first,
    .check = check_rnn,
    .build = build_rnn,
    .call = call_rnn,
    .mask = CJ__MASK_OWN,
};

CJ__CONSTRUCTOR(rnn)
