// Dropout's gradient after a ReLU needs no random numbers:
//
//   d = dropout(y; step)                              d = dropout(y; step)
//   g = dropout(dd; step)              becomes        dx = relu_dropout_grad(d, dd)
//   dx = relu_grad(y, g)
//
// d is above 0 where y is, if the element was kept, and 0 elsewhere. Likewise where the ReLU is
// part of a convolution with a pool, whose places drop the gradient where ReLU let nothing through.
// Reshapes may lie between, and roundings of g, which keep 0. The bits are the same, and y need not
// be kept.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

static int before_reshapes(const cj__program *program, int value)
{
    for (int producer; (producer = program->values[value].producer) >= 0;) {
        const cj__instruction *instruction = &program->instructions[producer];
        if (instruction->op != &cj__op_reshape)
            break;
        value = instruction->inputs[0];
    }
    return value;
}

// What goes through a gate, as the second operand of an instruction that lets pass only what
// belongs to elements of *y above 0; -1 if the instruction is no such gate.
static int gated(const cj__program *program, const cj__instruction *gate, int *y)
{
    if (gate->op == &cj__op_relu_grad) {
        *y = gate->inputs[0];
        return gate->inputs[1];
    }
    const int producer =
        gate->op == &cj__op_max_pool2d_grad ? program->values[gate->inputs[0]].producer : -1;
    if (producer < 0)
        return -1;
    const cj__instruction *pool = &program->instructions[producer];
    if (pool->op != &cj__op_conv2d_pool || pool->outputs[1] != gate->inputs[0] ||
        ((const cj__conv2d_attrs *)(const void *)pool->attrs)->chosen.epilogue.act !=
            CJ__UNARY_relu)
        return -1;
    *y = pool->outputs[0];
    return gate->inputs[1];
}

// The dropout whose result goes through a gate and to no other reader; -1 if there is none.
static int find_gradient(const cj__program *program, const int *uses, int value)
{
    for (int producer; uses[value] == 1 && (producer = program->values[value].producer) >= 0;) {
        const cj__instruction *instruction = &program->instructions[producer];
        if (instruction->op == &cj__op_dropout)
            return producer;
        if (instruction->op != &cj__op_reshape && instruction->op != &cj__op_round_bf16)
            break;
        value = instruction->inputs[0];
    }
    return -1;
}

// The result of the dropout of y that has the same mask as the gradient; -1 if there is none before
// it.
static int find_result(const cj__program *program, int gradient, int y)
{
    const cj__instruction *back = &program->instructions[gradient];
    for (int i = 0; i < gradient; i++) {
        const cj__instruction *forth = &program->instructions[i];
        if (forth->op == &cj__op_dropout && forth->inputs[1] == back->inputs[1] &&
            memcmp(forth->attrs, back->attrs, sizeof(cj__dropout_attrs)) == 0 &&
            before_reshapes(program, forth->inputs[0]) == before_reshapes(program, y) &&
            cj__type_equal(&program->values[forth->outputs[0]].type,
                           &program->values[back->outputs[0]].type))
            return forth->outputs[0];
    }
    return -1;
}

static cj_status try_gate(cj__program *program, const int *uses, int *forward,
                          cj__instruction *gate)
{
    int y;
    const int value = gated(program, gate, &y);
    const int gradient = value >= 0 ? find_gradient(program, uses, value) : -1;
    const int result = gradient >= 0 ? find_result(program, gradient, y) : -1;
    if (result < 0)
        return CJ_OK;
    cj__instruction *back = &program->instructions[gradient];
    const int inputs[2] = {result, back->inputs[0]}, outputs[1] = {back->outputs[0]};
    CJ_TRY(cj__program_operands(back, inputs, 2, outputs, 1));
    back->op = &cj__op_relu_dropout_grad;
    if (gate->op == &cj__op_relu_grad)
        forward[gate->outputs[0]] = value;
    return CJ_OK;
}

cj_status cj__fuse_dropout(cj__program *program)
{
    int *uses = cj__new((size_t)program->value_count, sizeof *uses),
        *forward = cj__program_as_is(program);
    cj_status status = uses && forward ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        cj__program_uses(program, uses);
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++)
        status = try_gate(program, uses, forward, &program->instructions[i]);
    if (status == CJ_OK)
        cj__program_forward(program, forward); // what the gates gave has no reader now
    cj__free(uses);
    cj__free(forward);
    return status == CJ_OK ? cj__remove_dead(program) : status;
}
