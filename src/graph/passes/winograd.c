// Winograd's form of a convolution where the kernels say that it pays. It rounds a little
// differently from the direct sum (docs/kernels.md), so results differ in the last digits from
// those with CAJAL_PLAN=-winograd; they are the same for any number of threads.
#include "graph/program.h"
#include "ops/build.h"
#include "ops/conv.h"

enum { OPERANDS_MAX = 5 }; // of a convolution

// Gives every convolution whose tiles have side `from` tiles of side `to` where that pays.
static void choose_tiles(cj__program *program, int from, int to)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        cj__operand operands[OPERANDS_MAX];
        cj__conv2d_question q;
        if (instruction->input_count + instruction->output_count > OPERANDS_MAX)
            continue;
        const cj__call call = cj__program_call(program, instruction, operands);
        if (!cj__conv2d_question_of(&call, &q))
            continue;
        cj__conv2d_attrs *a = (void *)instruction->attrs;
        if (a->winograd == from && a->images == 0 &&
            call.kernels->winograd_pays(&q.args, q.kind, to))
            a->winograd = to;
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
