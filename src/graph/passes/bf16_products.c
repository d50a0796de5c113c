// Products whose operands are bfloat16 numbers (dtype policy mixed_bfloat16) by the kernel that
// multiplies such numbers, where the kernels say that it is faster. Then roundings move into it:
// the kernel rounds its operands as it packs them,
//
//   w' = round_bf16(w);  y = matmul(x, w')        becomes      y = matmul(x, w; bf16)
//   y = matmul(x, w; bf16);  y' = round_bf16(y)   becomes      y' = matmul(x, w; bf16, rounds)
//
// if nothing else reads w' (y). The values stay, but for the order of sums and denormal operands.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"
#include "ops/matmul.h"

static bool is_product(const cj__instruction *instruction)
{
    return instruction->op == &cj__op_matmul || instruction->op == &cj__op_matmul_bias_act;
}

static cj__matmul_attrs *attrs_of(cj__instruction *product)
{
    return (void *)product->attrs;
}

static void choose(cj__program *program, cj__instruction *instruction)
{
    cj__operand operands[4];
    if (!cj__is_bf16(program, instruction->inputs[0]) ||
        !cj__is_bf16(program, instruction->inputs[1]))
        return;
    const cj__call call = cj__program_call(program, instruction, operands);
    const cj__gemm gemm = cj__matmul_gemm(&call);
    attrs_of(instruction)->bf16 = call.kernels->gemm_bf16_pays(&gemm);
}

// Counts, for each value, how many of its readers are such products: `uses` are all readers.
static void count_readers(cj__program *program, int *readers)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        if (!is_product(instruction) || !attrs_of(instruction)->bf16)
            continue;
        readers[instruction->inputs[0]]++;
        readers[instruction->inputs[1]]++;
    }
}

static void take_operands(cj__program *program, const int *uses, const int *readers)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *product = &program->instructions[i];
        for (int side = 0; side < 2 && is_product(product) && attrs_of(product)->bf16; side++) {
            const int value = product->inputs[side], producer = program->values[value].producer;
            if (producer >= 0 && program->instructions[producer].op == &cj__op_round_bf16 &&
                readers[value] == uses[value])
                product->inputs[side] = program->instructions[producer].inputs[0];
        }
    }
}

static void take_results(cj__program *program, const int *uses)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *rounding = &program->instructions[i];
        if (rounding->op != &cj__op_round_bf16 ||
            program->values[rounding->inputs[0]].producer < 0 || uses[rounding->inputs[0]] != 1)
            continue;
        cj__instruction *product =
            &program->instructions[program->values[rounding->inputs[0]].producer];
        if (!product->op || !is_product(product) || !attrs_of(product)->bf16 || product->rounds)
            continue;
        product->outputs[0] = rounding->outputs[0];
        product->rounds = true;
        rounding->op = NULL;
    }
}

cj_status cj__choose_bf16_products(cj__program *program)
{
    int *uses = cj__new((size_t)program->value_count, sizeof *uses);
    int *readers = cj__new((size_t)program->value_count, sizeof *readers);
    cj_status status = uses && readers ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; status == CJ_OK && i < program->instruction_count; i++)
        if (is_product(&program->instructions[i]))
            choose(program, &program->instructions[i]);
    if (status == CJ_OK) {
        cj__program_uses(program, uses);
        count_readers(program, readers);
        // first, because the next one changes the readers
        take_results(program, uses);
        take_operands(program, uses, readers);
        cj__program_compact(program);
        status = cj__remove_dead(program);
    }
    cj__free(uses);
    cj__free(readers);
    return status;
}
