// Roundings to bfloat16 (dtype policy mixed_bfloat16) that cost no pass over memory. Three
// rewrites, in this order:
//
//   y = round_bf16(x)                                   becomes x if x is bfloat16 already
//   r' = round_bf16(r);  dz = relu_grad(r, g)           becomes      dz = relu_grad(r', g)
//   r = conv2d(x, w);  r' = round_bf16(r) becomes r' = conv2d(x, w; rounds) if nothing else reads r
//
// The second makes way for the third: ReLU's gradient asks only whether r is above 0, and so is r'
// then, unless r is less than half of bfloat16's smallest number (2^-134, a denormal). The third also
// holds for a convolution's gradient by the input. What is left between a convolution and its
// neighbours is what float32 has there, so that later passes fuse on.
//
// Last of all, when nothing else is looked for (`round_elements`):
//
//   s = add(a, b);  s' = round_bf16(s) becomes s' = add(a, b), rounded if nothing else reads s
//
// and so for every element-wise instruction: each piece of its result is rounded while the inner
// cache holds it.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

bool cj__is_bf16(const cj__program *program, int value)
{
    for (int producer; (producer = program->values[value].producer) >= 0;) {
        const cj__instruction *instruction = &program->instructions[producer];
        if (program->values[value].type.dtype != CJ_F32 || !instruction->op ||
            instruction->outputs[0] != value)
            return false;
        if (instruction->rounds || instruction->op->bf16 == CJ__BF16_ALWAYS)
            return true;
        if (instruction->op->bf16 == CJ__BF16_NEVER ||
            (instruction->op->keeps_bf16 && !instruction->op->keeps_bf16(instruction->attrs)))
            return false;
        value = instruction->inputs[instruction->op->bf16 == CJ__BF16_FROM_INPUT_1];
    }
    return false;
}

static cj_status drop_identities(cj__program *program)
{
    int *forward = cj__program_as_is(program);
    if (!forward)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *rounding = &program->instructions[i];
        if (rounding->op == &cj__op_round_bf16 && cj__is_bf16(program, rounding->inputs[0]))
            forward[rounding->outputs[0]] = rounding->inputs[0];
    }
    cj__program_forward(program, forward); // they have no reader now
    cj__free(forward);
    return cj__remove_dead(program);
}

// Masks of ReLU's gradients: `rounded` has, for each value, what it is rounded to by an instruction
// further up, or -1.
static void read_rounded_masks(cj__program *program, int *rounded)
{
    for (int i = 0; i < program->value_count; i++)
        rounded[i] = -1;
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        if (instruction->op == &cj__op_round_bf16)
            rounded[instruction->inputs[0]] = instruction->outputs[0];
        else if (instruction->op == &cj__op_relu_grad && rounded[instruction->inputs[0]] >= 0 &&
                 instruction->inputs[1] != instruction->inputs[0])
            instruction->inputs[0] = rounded[instruction->inputs[0]];
    }
}

static void move_into_convolutions(cj__program *program, int *uses)
{
    cj__program_uses(program, uses);
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *rounding = &program->instructions[i];
        const int value = rounding->op == &cj__op_round_bf16 ? rounding->inputs[0] : -1;
        const int producer = value >= 0 && uses[value] == 1 ? program->values[value].producer : -1;
        if (producer < 0 || program->values[value].type.dtype != CJ_F32)
            continue;
        cj__instruction *conv = &program->instructions[producer];
        if (!conv->op || !conv->op->rounds || conv->outputs[0] != value)
            continue;
        conv->outputs[0] = rounding->outputs[0];
        conv->rounds = true;
        rounding->op = NULL;
    }
    cj__program_compact(program);
}

cj_status cj__fuse_round(cj__program *program)
{
    CJ_TRY(drop_identities(program));
    int *scratch = cj__new((size_t)program->value_count, sizeof *scratch);
    if (!scratch)
        return CJ_OUT_OF_MEMORY;
    read_rounded_masks(program, scratch);
    move_into_convolutions(program, scratch);
    cj__free(scratch);
    return CJ_OK;
}

cj_status cj__round_elements(cj__program *program)
{
    int *uses = cj__new((size_t)program->value_count, sizeof *uses);
    if (!uses)
        return CJ_OUT_OF_MEMORY;
    cj__program_uses(program, uses);
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *rounding = &program->instructions[i];
        const int value = rounding->op == &cj__op_round_bf16 ? rounding->inputs[0] : -1;
        const int producer = value >= 0 && uses[value] == 1 ? program->values[value].producer : -1;
        if (producer < 0 || program->values[value].type.dtype != CJ_F32)
            continue;
        cj__instruction *step = &program->instructions[producer];
        if (!step->op || step->op == &cj__op_round_bf16 ||
            !(step->op->flags & CJ__OP_ELEMENTWISE) || step->output_count != 1)
            continue;
        step->outputs[0] = rounding->outputs[0];
        step->rounds = true;
        rounding->op = NULL;
    }
    cj__free(uses);
    cj__program_compact(program);
    return CJ_OK;
}
