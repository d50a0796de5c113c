// Softmax with cross-entropy, forward and backward, in one pass over the rows, and no second
// softmax of the same numbers:
//
//   loss, p = softmax_cross_entropy(z, labels)
//   q = softmax(z)                                 becomes loss, p, dz = softmax_cross_entropy_both(z,
//                                                  labels, dloss)
//   dz = softmax_cross_entropy_grad(p, labels, dloss)                 and q is p
//
// dloss is known beforehand: it is the share of a sample in the mean, times its weight. What
// computes it moves up.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

// The gradient that reads these probabilities; -1 if there is none, or more than one.
static int find_gradient(const cj__program *program, const cj__instruction *cross_entropy)
{
    int found = -1;
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *reader = &program->instructions[i];
        if (reader->op != &cj__op_softmax_cross_entropy_grad ||
            reader->inputs[0] != cross_entropy->outputs[1])
            continue;
        if (found >= 0 || reader->inputs[1] != cross_entropy->inputs[1])
            return -1;
        found = i;
    }
    return found;
}

// An instruction that reads only the shape of an operand reads it of the labels, which are there
// before, instead of the loss, which has the same shape.
static void take_shape_of(const cj__program *program, cj__instruction *instruction, int labels)
{
    const cj_shape *shape = &program->values[labels].type.shape;
    for (int i = 0; i < instruction->input_count; i++)
        if (cj__shape_only(instruction->op, i) &&
            cj_shape_equal(&program->values[instruction->inputs[i]].type.shape, shape))
            instruction->inputs[i] = labels;
}

// Marks what has to move before instruction `to` so that `value` is known there. False if it
// depends on `to` itself, on an update or on an effect.
static bool mark_needed(cj__program *program, int value, int to, bool *needed)
{
    const int labels = program->instructions[to].inputs[1];
    if (program->values[value].producer <= to)
        return program->values[value].producer < to; // a leaf's is -1
    needed[program->values[value].producer] = true;
    for (int i = program->instruction_count - 1; i > to; i--) {
        cj__instruction *instruction = &program->instructions[i];
        if (!needed[i])
            continue;
        if (instruction->op->flags & (CJ__OP_UPDATE | CJ__OP_EFFECT))
            return false;
        take_shape_of(program, instruction, labels);
        for (int j = 0; j < instruction->input_count; j++) {
            const int before = program->values[instruction->inputs[j]].producer;
            if (before == to)
                return false;
            if (before > to)
                needed[before] = true;
        }
    }
    return true;
}

static void move_up(cj__program *program, const bool *needed, int to)
{
    for (int i = to + 1; i < program->instruction_count; i++) {
        if (!needed[i])
            continue;
        const cj__instruction moved = program->instructions[i];
        memmove(&program->instructions[to + 1], &program->instructions[to],
                (size_t)(i - to) * sizeof(moved));
        program->instructions[to++] = moved;
    }
}

static cj_status fuse(cj__program *program, int index, int gradient, bool *needed)
{
    cj__instruction *cross_entropy = &program->instructions[index],
                    *grad = &program->instructions[gradient];
    memset(needed, 0, (size_t)program->instruction_count * sizeof *needed);
    if (!mark_needed(program, grad->inputs[2], index, needed))
        return CJ_OK;
    const int inputs[3] = {cross_entropy->inputs[0], cross_entropy->inputs[1], grad->inputs[2]};
    const int outputs[3] = {cross_entropy->outputs[0], cross_entropy->outputs[1], grad->outputs[0]};
    CJ_TRY(cj__program_operands(cross_entropy, inputs, 3, outputs, 3));
    cross_entropy->op = &cj__op_softmax_cross_entropy_both;
    grad->op = NULL;
    move_up(program, needed, index);
    cj__program_compact(program);
    return CJ_OK;
}

// Later softmaxes of the same logits are the probabilities at hand.
static cj_status merge_softmaxes(cj__program *program)
{
    int *forward = cj__program_as_is(program);
    if (!forward)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *cross_entropy = &program->instructions[i];
        for (int j = i + 1;
             cross_entropy->op == &cj__op_softmax_cross_entropy && j < program->instruction_count;
             j++) {
            cj__instruction *other = &program->instructions[j];
            if (other->op == &cj__op_softmax && other->inputs[0] == cross_entropy->inputs[0]) {
                forward[other->outputs[0]] = cross_entropy->outputs[1];
                other->op = NULL;
            }
        }
    }
    cj__program_forward(program, forward);
    cj__free(forward);
    cj__program_compact(program);
    return CJ_OK;
}

cj_status cj__fuse_cross_entropy(cj__program *program)
{
    CJ_TRY(merge_softmaxes(program));
    bool *needed = cj__new((size_t)program->instruction_count, sizeof *needed);
    cj_status status = needed || program->instruction_count == 0 ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        if (program->instructions[i].op != &cj__op_softmax_cross_entropy)
            continue;
        const int gradient = find_gradient(program, &program->instructions[i]);
        if (gradient > i)
            status = fuse(program, i, gradient, needed);
    }
    cj__free(needed);
    return status;
}
