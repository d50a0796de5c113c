// Copying programs, specialising them to a batch size, and changing them: the building blocks of
// passes over concrete shapes.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/device.h"
#include "ops/infer.h"
#include "ops/variable.h"

#include <string.h>

static cj_status copy_instruction(const cj__instruction *from, cj__instruction *to)
{
    *to = *from;
    to->attrs_object = NULL;
    to->inputs = cj__new((size_t)(from->input_count + from->output_count), sizeof(int));
    if (!to->inputs)
        return CJ_OUT_OF_MEMORY;
    to->outputs = to->inputs + from->input_count;
    memcpy(to->inputs, from->inputs, (size_t)from->input_count * sizeof(int));
    memcpy(to->outputs, from->outputs, (size_t)from->output_count * sizeof(int));
    to->attrs_object = cj_retain(from->attrs_object);
    return CJ_OK;
}

static cj_status fill_copy(const cj__program *from, cj__program *to)
{
    const size_t values = (size_t)from->value_count, instructions = (size_t)from->instruction_count;
    to->outputs = cj__copy_bytes(from->outputs, (size_t)from->output_count * sizeof(int));
    to->updates = cj__copy_bytes(from->updates, (size_t)from->update_count * sizeof(int));
    to->updated = cj__new((size_t)from->update_count, sizeof *to->updated);
    if (!to->outputs || !to->updates || !to->updated ||
        !cj__reserve((void **)&to->values, &to->value_capacity, values, sizeof *to->values) ||
        !cj__reserve((void **)&to->instructions, &to->instruction_capacity, instructions,
                     sizeof *to->instructions))
        return CJ_OUT_OF_MEMORY;
    to->output_count = from->output_count;
    for (; to->update_count < from->update_count; to->update_count++)
        to->updated[to->update_count] = cj_retain(from->updated[to->update_count]);
    for (; to->value_count < from->value_count; to->value_count++) {
        cj__value_info *value = &to->values[to->value_count];
        *value = from->values[to->value_count];
        cj_retain(value->variable);
        cj_retain(value->constant);
    }
    for (; to->instruction_count < from->instruction_count; to->instruction_count++)
        CJ_TRY(copy_instruction(&from->instructions[to->instruction_count],
                                &to->instructions[to->instruction_count]));
    return CJ_OK;
}

cj_status cj__program_copy(const cj__program *program, cj__program *copy)
{
    *copy = (cj__program){.device = program->device, .steps = program->steps};
    cj_status status = fill_copy(program, copy);
    if (status != CJ_OK)
        cj__program_free(copy);
    return status;
}

static void set_free_axis(cj__type *type, int64_t batch)
{
    for (int i = 0; i < type->shape.rank; i++)
        type->shape.dims[i] = cj__length_for(type->shape.dims[i], batch);
}

// The op's shape rule gives the types of the outputs. It may complete attributes; those changes are
// dropped.
static cj_status infer_instruction(cj__program *program, const cj__instruction *instruction)
{
    cj__type *types =
        cj__new((size_t)(instruction->input_count + instruction->output_count), sizeof *types);
    if (!types)
        return CJ_OUT_OF_MEMORY;
    for (int j = 0; j < instruction->input_count; j++)
        types[j] = program->values[instruction->inputs[j]].type;
    _Alignas(16) unsigned char attrs[CJ__ATTRS_MAX];
    memcpy(attrs, instruction->attrs, sizeof(attrs));
    cj__inference rule = {.op = instruction->op,
                          .attrs = attrs,
                          .inputs = types,
                          .input_count = instruction->input_count,
                          .outputs = types + instruction->input_count,
                          .output_count = 1};
    cj_status status = instruction->op->infer(&rule);
    for (int j = 0; j < instruction->output_count && status == CJ_OK; j++)
        program->values[instruction->outputs[j]].type = types[instruction->input_count + j];
    cj__free(types);
    return status;
}

cj_status cj__program_infer(cj__program *program, int64_t batch)
{
    for (int i = 0; i < program->value_count; i++)
        set_free_axis(&program->values[i].type, batch);
    for (int i = 0; i < program->instruction_count; i++)
        CJ_TRY(infer_instruction(program, &program->instructions[i]));
    return CJ_OK;
}

int cj__program_add_value(cj__program *program, const cj__type *type)
{
    if (!cj__reserve((void **)&program->values, &program->value_capacity,
                     (size_t)program->value_count + 1, sizeof *program->values))
        return -1;
    program->values[program->value_count] =
        (cj__value_info){.kind = CJ__VALUE_TEMPORARY, .type = *type, .input = -1, .producer = -1};
    return program->value_count++;
}

cj_status cj__program_append(cj__program *program, const cj__instruction *instruction)
{
    if (!cj__reserve((void **)&program->instructions, &program->instruction_capacity,
                     (size_t)program->instruction_count + 1, sizeof *program->instructions))
        return CJ_OUT_OF_MEMORY;
    program->instructions[program->instruction_count++] = *instruction;
    return CJ_OK;
}

cj_status cj__program_operands(cj__instruction *instruction, const int *inputs, int input_count,
                               const int *outputs, int output_count)
{
    int *slots = cj__new((size_t)(input_count + output_count), sizeof(int));
    if (!slots)
        return CJ_OUT_OF_MEMORY;
    memcpy(slots, inputs, (size_t)input_count * sizeof(int));
    memcpy(slots + input_count, outputs, (size_t)output_count * sizeof(int));
    cj__free(instruction->inputs);
    instruction->inputs = slots;
    instruction->outputs = slots + input_count;
    instruction->input_count = input_count;
    instruction->output_count = output_count;
    return CJ_OK;
}

int cj__program_readers(const cj__program *program, int value, int *readers, int most)
{
    int count = 0;
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *instruction = &program->instructions[i];
        bool reads = false;
        for (int j = 0; instruction->op && j < instruction->input_count; j++)
            reads = reads || instruction->inputs[j] == value;
        if (reads && count < most)
            readers[count] = i;
        count += reads;
    }
    for (int i = 0; i < program->output_count; i++)
        count += program->outputs[i] == value ? most + 1 : 0;
    for (int i = 0; i < program->update_count; i++)
        count += program->updates[i] == value ? most + 1 : 0;
    return count;
}

static const cj__kernels *kernels_for(const cj__device *device, const cj__call *call)
{
    for (int i = 0; i < call->input_count + call->output_count; i++) {
        cj_dtype dtype = call->inputs[i].type.dtype; // outputs follow inputs
        if (dtype == CJ_F32 || dtype == CJ_F64)
            return cj__device_kernels(device, dtype);
    }
    return cj__device_kernels(device, CJ_F32);
}

bool cj__program_leaf_stays(const cj__program *program, int value)
{
    const cj__value_info *v = &program->values[value];
    for (int i = 0; i < program->update_count && v->kind == CJ__VALUE_VARIABLE; i++)
        if (program->updated[i] == v->variable)
            return false;
    return v->kind == CJ__VALUE_CONSTANT || v->kind == CJ__VALUE_VARIABLE;
}

bool cj__program_leaf_is_counted(const cj__program *program, int value)
{
    const cj_variable *variable = program->values[value].variable;
    return cj__program_leaf_stays(program, value) &&
           (!variable || atomic_load(cj__variable_version(variable)) >= 0);
}

int cj__leaf_of(const cj__program *program, int value)
{
    while (program->values[value].kind == CJ__VALUE_TEMPORARY) {
        const cj__instruction *producer = &program->instructions[program->values[value].producer];
        if (!(producer->op->flags & CJ__OP_VIEW))
            return -1;
        value = producer->inputs[0];
    }
    return value;
}

const cj_variable *cj__variable_of(const cj__program *program, int value)
{
    const int leaf = cj__leaf_of(program, value);
    return leaf >= 0 ? program->values[leaf].variable : NULL;
}

cj__call cj__program_call(const cj__program *program, const cj__instruction *instruction,
                          cj__operand *operands)
{
    cj__call call = {.op = instruction->op,
                     .device = program->device,
                     .attrs = instruction->attrs,
                     .rounds = instruction->rounds,
                     .steps = program->steps > 0 ? program->steps : 1,
                     .keeps = instruction->keeps,
                     .input_count = instruction->input_count,
                     .output_count = instruction->output_count,
                     .inputs = operands,
                     .outputs = operands + instruction->input_count};
    // adjacent in memory
    for (int j = 0; j < instruction->input_count + instruction->output_count; j++)
        operands[j] = (cj__operand){.type = program->values[instruction->inputs[j]].type};
    call.kernels = kernels_for(program->device, &call);
    return call;
}
