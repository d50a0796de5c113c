// Winograd's form of a convolution where the kernels say that it pays. It rounds a little
// differently from the direct sum (docs/kernels.md), so results differ in the last digits from
// those with CAJAL_PLAN=-winograd; they are the same for any number of threads.
#include "graph/program.h"
#include "ops/build.h"

enum { OPERANDS_MAX = 5 }; // of a convolution

// Gives every convolution whose tiles have side `from` tiles of side `to` where that pays.
static void choose_tiles(cj__program *program, int from, int to)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        cj__operand operands[OPERANDS_MAX];
        if (instruction->input_count + instruction->output_count > OPERANDS_MAX)
            continue;
        const cj__call call = cj__program_call(program, instruction, operands);
        if (!call.op->convolution)
            continue;
        const cj__conv2d_args args = call.op->convolution->args(&call);
        cj__conv2d_choice *chosen = &((cj__conv2d_attrs *)(void *)instruction->attrs)->chosen;
        if (chosen->winograd == from && chosen->images == 0 &&
            call.kernels->winograd_pays(&args, call.op->convolution->kind, to))
            chosen->winograd = to;
    }
}

cj_status cj__choose_winograd(cj__program *program)
{
    choose_tiles(program, 0, 2);
    return CJ_OK;
}

cj_status cj__choose_winograd4(cj__program *program)
{
    choose_tiles(program, 2, 4);
    return CJ_OK;
}
