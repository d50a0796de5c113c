// From symbols to a program.
#include "graph/program.h"

#include "base/error.h"
#include "base/memory.h"
#include "graph/order.h"
#include "ops/variable.h"

#include <string.h>

typedef struct making {
    cj__program *program;
    cj__order order;
    int *first; // a node: the value of its output 0; others follow
} making;

static cj__value_info *add_value(cj__program *program, cj__value_kind kind, const cj__type *type)
{
    if (!cj__reserve((void **)&program->values, &program->value_capacity,
                     (size_t)program->value_count + 1, sizeof(cj__value_info)))
        return NULL;
    cj__value_info *value = &program->values[program->value_count++];
    *value = (cj__value_info){.kind = kind, .type = *type, .input = -1, .producer = -1};
    return value;
}

static cj_status add_leaf(making *m, const cj__node *node, const cj_function_args *args)
{
    cj__value_kind kind = node->variable ? CJ__VALUE_VARIABLE :
                          node->constant ? CJ__VALUE_CONSTANT :
                                           CJ__VALUE_INPUT;
    cj__value_info *value = add_value(m->program, kind, &node->types[0]);
    if (!value)
        return CJ_OUT_OF_MEMORY;
    value->variable = cj_retain(node->variable);
    value->constant = cj_retain(node->constant);
    for (int i = 0; kind == CJ__VALUE_INPUT && i < args->input_count; i++) {
        if (args->inputs[i]->node == node)
            value->input = i;
    }
    if (kind == CJ__VALUE_INPUT && value->input < 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "function: input \"%s\" is needed but not among the inputs",
                        node->name ? node->name : "without a name");
    return CJ_OK;
}

static cj_status add_instruction(making *m, const cj__node *node)
{
    cj__program *program = m->program;
    if (!cj__reserve((void **)&program->instructions, &program->instruction_capacity,
                     (size_t)program->instruction_count + 1, sizeof(cj__instruction)))
        return CJ_OUT_OF_MEMORY;
    cj__instruction *made = &program->instructions[program->instruction_count++];
    *made = (cj__instruction){
        .op = node->op, .input_count = node->input_count, .output_count = node->output_count};
    memcpy(made->attrs, node->attrs, sizeof made->attrs);
    made->attrs_object = cj_retain(node->attrs_object);
    made->inputs = cj__new((size_t)node->input_count + (size_t)node->output_count, sizeof(int));
    if (!made->inputs)
        return CJ_OUT_OF_MEMORY;
    made->outputs = made->inputs + node->input_count;
    for (int i = 0; i < node->input_count; i++)
        made->inputs[i] =
            m->first[cj__order_place(&m->order, node->inputs[i]->node)] + node->inputs[i]->index;
    for (int i = 0; i < node->output_count; i++) {
        made->outputs[i] = program->value_count;
        cj__value_info *value = add_value(program, CJ__VALUE_TEMPORARY, &node->types[i]);
        if (!value)
            return CJ_OUT_OF_MEMORY;
        value->producer = program->instruction_count - 1;
    }
    return CJ_OK;
}

static cj_status check(const cj_function_args *args)
{
    bool missing = false;
    for (int i = 0; i < args->input_count; i++)
        missing = missing || !args->inputs[i];
    for (int i = 0; i < args->output_count; i++)
        missing = missing || !args->outputs[i];
    for (int i = 0; i < args->update_count; i++)
        missing = missing || !args->updates[i].value || !args->updates[i].variable;
    if (missing)
        return cj__fail_missing(CJ__MADE_SYMBOL, "function: one of the symbols");
    for (int i = 0; i < args->input_count; i++) {
        if (args->inputs[i]->node->op != &cj__op_input)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "function: input %d is not a symbol from cj_symbol_input()", i);
    }
    for (int i = 0; i < args->update_count; i++) {
        const cj_variable *variable = args->updates[i].variable;
        const cj__type *type = cj__symbol_type(args->updates[i].value);
        const cj__type own = cj__variable_type(variable);
        char a[160], b[160];
        if (!cj__type_equal(type, &own))
            return cj__fail(CJ_SHAPE_MISMATCH, "function: the update of \"%s\" is %s %s, not %s %s",
                            variable->name, cj_dtype_name(type->dtype),
                            cj_shape_text(&type->shape, a, sizeof(a)), cj_dtype_name(own.dtype),
                            cj_shape_text(&own.shape, b, sizeof(b)));
        for (int j = 0; j < i; j++) {
            if (args->updates[j].variable == variable)
                return cj__fail(CJ_INVALID_ARGUMENT, "function: \"%s\" is updated twice",
                                variable->name);
        }
    }
    return CJ_OK;
}

static int value_of(const making *m, const cj_symbol *symbol)
{
    return m->first[cj__order_place(&m->order, symbol->node)] + symbol->index;
}

static cj_status fill(making *m, const cj_function_args *args)
{
    cj__program *program = m->program;
    for (int i = 0; i < args->output_count; i++)
        CJ_TRY(cj__order_add(&m->order, args->outputs[i]->node));
    for (int i = 0; i < args->update_count; i++)
        CJ_TRY(cj__order_add(&m->order, args->updates[i].value->node));
    m->first = cj__new(m->order.count, sizeof *m->first);
    program->outputs = cj__new((size_t)args->output_count, sizeof(int));
    program->updates = cj__new((size_t)args->update_count, sizeof(int));
    program->updated = cj__new((size_t)args->update_count, sizeof *program->updated);
    if (!m->first || !program->outputs || !program->updates || !program->updated)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < m->order.count; i++) {
        const cj__node *node = m->order.nodes[i];
        m->first[i] = program->value_count;
        CJ_TRY(node->op->flags & CJ__OP_LEAF ? add_leaf(m, node, args) : add_instruction(m, node));
    }
    for (int i = 0; i < args->output_count; i++)
        program->outputs[program->output_count++] = value_of(m, args->outputs[i]);
    for (int i = 0; i < args->update_count; i++) {
        program->updates[i] = value_of(m, args->updates[i].value);
        program->updated[program->update_count++] = cj__own(args->updates[i].variable);
    }
    return CJ_OK;
}

cj_status cj__program_new(const cj_function_args *args, cj__program *program)
{
    *program = (cj__program){0};
    CJ_TRY(check(args));
    making m = {.program = program};
    cj_status status = fill(&m, args);
    cj__order_free(&m.order);
    cj__free(m.first);
    if (status != CJ_OK)
        cj__program_free(program);
    return status;
}

void cj__program_free(cj__program *program)
{
    for (int i = 0; i < program->value_count; i++) {
        cj_release(program->values[i].variable);
        cj_release(program->values[i].constant);
    }
    for (int i = 0; i < program->instruction_count; i++) {
        cj__free(program->instructions[i].inputs);
        cj_release(program->instructions[i].attrs_object);
    }
    for (int i = 0; i < program->update_count; i++)
        cj_release(program->updated[i]);
    cj__free(program->values);
    cj__free(program->instructions);
    cj__free(program->outputs);
    cj__free(program->updates);
    cj__free(program->updated);
    *program = (cj__program){0};
}

static void follow(int *value, const int *forward)
{
    while (forward[*value] != *value)
        *value = forward[*value];
}

void cj__program_forward(cj__program *program, int *forward)
{
    for (int i = 0; i < program->instruction_count; i++) {
        for (int j = 0; j < program->instructions[i].input_count; j++)
            follow(&program->instructions[i].inputs[j], forward);
    }
    for (int i = 0; i < program->output_count; i++)
        follow(&program->outputs[i], forward);
    for (int i = 0; i < program->update_count; i++)
        follow(&program->updates[i], forward);
}

int *cj__program_as_is(const cj__program *program)
{
    int *forward = cj__new((size_t)program->value_count, sizeof *forward);
    for (int i = 0; forward && i < program->value_count; i++)
        forward[i] = i;
    return forward;
}

void cj__program_uses(const cj__program *program, int *uses)
{
    memset(uses, 0, (size_t)program->value_count * sizeof *uses);
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *instruction = &program->instructions[i];
        for (int j = 0; instruction->op && j < instruction->input_count; j++)
            uses[instruction->inputs[j]]++;
    }
    for (int i = 0; i < program->output_count; i++)
        uses[program->outputs[i]]++;
    for (int i = 0; i < program->update_count; i++)
        uses[program->updates[i]]++;
}

void cj__program_compact(cj__program *program)
{
    int kept = 0;
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        if (!instruction->op) {
            cj__free(instruction->inputs);
            cj_release(instruction->attrs_object);
            continue;
        }
        for (int j = 0; j < instruction->output_count; j++)
            program->values[instruction->outputs[j]].producer = kept;
        program->instructions[kept++] = *instruction;
    }
    program->instruction_count = kept;
}
