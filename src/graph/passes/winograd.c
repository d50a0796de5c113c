// Winograd's form of a convolution where the kernels say that it pays. It rounds a little
// differently from the direct sum (docs/kernels.md), so results differ in the last digits from
// those with CAJAL_PLAN=-winograd; they are the same for any number of threads.
#include "graph/program.h"
#include "ops/build.h"

enum { OPERANDS_MAX = 5 }; // of a convolution

static bool is_in_blocks(const cj__instruction *instruction)
{
    const cj__conv2d_attrs *a = (const void *)instruction->attrs;
    return !instruction->op->planes && a->chosen.images != 0;
}

static void set_tiles(cj__instruction *instruction, int side)
{
    void *attrs = instruction->attrs;
    if (instruction->op->planes)
        ((cj__conv3d_attrs *)attrs)->winograd = (int16_t)side;
    else
        ((cj__conv2d_attrs *)attrs)->chosen.winograd = (int16_t)side;
}

// Gives every convolution whose tiles have side `from` tiles of side `to` where that pays.
static void choose_tiles(cj__program *program, int from, int to)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        cj__operand operands[OPERANDS_MAX];
        if (instruction->input_count + instruction->output_count > OPERANDS_MAX)
            continue;
        const cj__call call = cj__program_call(program, instruction, operands);
        const cj__convolution *c = call.op->planes ? call.op->planes : call.op->convolution;
        if (!c || is_in_blocks(instruction))
            continue;
        const cj__conv2d_args args = c->args(&call);
        if (args.winograd == from && call.kernels->winograd_pays(&args, c->kind, to))
            set_tiles(instruction, to);
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
