// Cells that a program writes: the functions of cj_cell_args as a kind of layer.
#include "layers/cells.h"

#include <cajal/recurrent.h>
#include <string.h>

static const cj_cell_args cell_defaults = {CJ_CELL_DEFAULTS};

void cj_cell_defaults(cj_cell_args *args)
{
    if (args)
        *args = cell_defaults;
}

static const cj__field fields[] = {
    CJ__FIELD(cj_cell_args, state_sizes, CJ__FIELD_LIST, .required = true),
    CJ__LAYER_FIELDS(cj_cell_args),
};

static int states(const cj_layer *cell, cj_shape *shapes, int *previous)
{
    const cj_cell_args *a = cell->args;
    int count = 0;
    for (; count < CJ__SEQUENCE_STATES && a->state_sizes[count] != 0; count++)
        shapes[count] = CJ_SHAPE(a->state_sizes[count]);
    *previous = 0;
    return count;
}

static cj_status check(cj_layer *layer)
{
    const cj_cell_args *a = layer->args;
    if (a->state_sizes[0] == 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: state_sizes is required", layer->name);
    for (int i = 0; i < CJ__SEQUENCE_STATES && a->state_sizes[i] != 0; i++)
        if (a->state_sizes[i] < 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: state_sizes has %lld, needs positive sizes",
                            layer->name, (long long)a->state_sizes[i]);
    if (!a->step)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: the step is missing: a cell of a program's own is made by the "
                        "program, and not read from a file",
                        layer->name);
    return CJ_OK;
}

static cj_status build(cj_layer *layer, const cj__type *inputs)
{
    const cj_cell_args *a = layer->args;
    return a->build ? cj__returned(a->build(a->context, layer, inputs[0].shape),
                                   "the build of a cell of one's own") :
                      CJ_OK;
}

cj_status cj_cell_weight(cj_layer *cell, const char *name, cj_shape shape, const char *initializer)
{
    if (!cell || !name || !initializer)
        return cell ? cj__fail_null(name ? "cj_cell_weight: the initializer" :
                                           "cj_cell_weight: the name") :
                      cj__fail_missing(CJ__MADE_LAYER, "cj_cell_weight: the cell");
    if (cell->kind != &cj__layer_cell || cell->built || !cell->input_types)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: weights are added to a cell of one's own, while it is built",
                        cell->name);
    return cj__layer_add_variable(cell, name, shape, initializer, NULL, true, NULL);
}

static cj_status call(cj__layer_context *c)
{
    const cj_cell_args *a = c->layer->args;
    cj_symbol *given[CJ__SEQUENCE_STATES], *weights[CJ__LAYER_VARIABLES_MAX];
    cj_symbol *made[1 + CJ__SEQUENCE_STATES] = {NULL};
    cj_shape shapes[CJ__SEQUENCE_STATES];
    int previous;
    const int count = states(c->layer, shapes, &previous);
    if (c->input_count != 1 + count)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", c->layer->name,
                        c->input_count, 1 + count);
    for (int k = 0; k < count; k++)
        given[k] = c->inputs[1 + k].symbol;
    for (int i = 0; i < c->layer->variable_count; i++)
        weights[i] = cj__trace_variable(c->trace, c->layer->variables[i]);
    CJ_TRY(c->build->status);
    const cj_cell_step step = {.input = c->inputs[0].symbol,
                               .states = given,
                               .weights = weights,
                               .training = c->trace->training,
                               .next = made + 1,
                               .output = made};
    CJ_TRY(cj__returned(a->step(a->context, &step), "the step of a cell of one's own"));
    for (int k = 1; k <= count; k++)
        if (!made[k])
            return cj__fail_missing(CJ__MADE_SYMBOL, "the step of a cell: a state after it");
    for (int k = 0; k <= count; k++)
        made[k] = made[k] ? cj__build_keep(c->build, made[k]) : NULL;
    CJ_TRY(c->build->status);
    for (int k = 0; k <= count; k++)
        c->outputs[k].symbol = made[k] ? made[k] : made[1];
    c->output_count = 1 + count;
    return CJ_OK;
}

static const cj__cell cell = {.states = states};

const cj__layer_kind cj__layer_cell = {
    .choice = CJ__CHOICE("cell", "Cell", fields, cell_defaults),
    .more_inputs = "states",
    .min_inputs = 2,
    .max_inputs = 1 + CJ__SEQUENCE_STATES,
    .check = check,
    .build = build,
    .call = call,
    .mask = CJ__MASK_DROP,
    .of_program = true,
    .cell = &cell,
};

CJ__CONSTRUCTOR(cell)
