// Roundings to bfloat16 (dtype policy mixed_bfloat16) that cost no pass over memory. Three
// rewrites, in this order:
//
//   y = round_bf16(x)                                   becomes x if x is bfloat16 already
//   r' = round_bf16(r);  dz = relu_grad(r, g)           becomes      dz = relu_grad(r', g)
//   r = conv2d(x, w);  r' = round_bf16(r) becomes r' = conv2d(x, w; rounds) if nobody else reads r
//
// The second makes way for the third: ReLU's gradient asks only whether r is above 0, and so is r'
// then, unless r is less than half of bfloat16's least number (2^-134, a denormal). The third also
// holds for a convolution's gradient by the input. What is left between a convolution and its
// neighbours is what float32 has there, so that later passes fuse on.
//
// Last of all, when nothing else is looked for (`round_elements`):
//
//   s = add(a, b);  s' = round_bf16(s) becomes s' = add(a, b), rounded if nobody else reads s
//
// and so for every element-wise instruction: each piece of its result is rounded while the inner
// cache holds it.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

// Ops that make bfloat16 numbers out of bfloat16 numbers, and which input that is.
static const struct {
    const cj__op *op;
    int input;
} keepers[] = {
    {&cj__op_reshape, 0},   {&cj__op_transpose, 0},   {&cj__op_relu, 0},
    {&cj__op_relu_grad, 1}, {&cj__op_max_pool2d, 0},  {&cj__op_max_pool2d_grad, 1},
    {&cj__op_to_blocks, 0}, {&cj__op_from_blocks, 0}, {&cj__op_slice, 0},
    {&cj__op_reverse, 0},   {&cj__op_pad, 0},         {&cj__op_stop_gradient, 0},
};

static bool is_conv(const cj__op *op)
{
    return op == &cj__op_conv2d || op == &cj__op_conv2d_bias_act || op == &cj__op_conv2d_pool ||
           op == &cj__op_conv2d_input_grad;
}

static bool makes_bf16(const cj__instruction *instruction)
{
    const cj__op *op = instruction->op;
    if (is_conv(op))
        return ((const cj__conv2d_attrs *)(const void *)instruction->attrs)->rounds;
    if (op == &cj__op_matmul || op == &cj__op_matmul_bias_act)
        return ((const cj__matmul_attrs *)(const void *)instruction->attrs)->rounds;
    return op == &cj__op_round_bf16;
}

bool cj__is_bf16(const cj__program *program, int value)
{
    for (int producer; (producer = program->values[value].producer) >= 0;) {
        const cj__instruction *instruction = &program->instructions[producer];
        int next = -1;
        if (program->values[value].type.dtype != CJ_F32 || !instruction->op ||
            instruction->outputs[0] != value)
            return false;
        if (makes_bf16(instruction))
            return true;
        for (size_t i = 0; i < sizeof keepers / sizeof keepers[0]; i++)
            if (instruction->op == keepers[i].op)
                next = instruction->inputs[keepers[i].input];
        if (next < 0)
            return false;
        value = next;
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
    cj__program_forward(program, forward); // nobody reads them now
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
        if (!conv->op || !is_conv(conv->op) || conv->op == &cj__op_conv2d_pool ||
            conv->outputs[0] != value)
            continue;
        conv->outputs[0] = rounding->outputs[0];
        ((cj__conv2d_attrs *)(void *)conv->attrs)->rounds = true;
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
