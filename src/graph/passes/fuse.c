// Fusion of a bias and an activation into the product or convolution before them:
//
//   u = matmul(a, b);  v = add(u, bias); y = relu(v) becomes y = matmul_bias_act(a, b, bias; relu)
//
// if nobody else reads u (and v): then no gradient needs them, for derivatives that are written in
// y alone.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

static const struct {
    const cj__op *plain, *fused;
    size_t act, act_a, act_b; // where the attributes keep the activation
} fusions[] = {
    {&cj__op_matmul, &cj__op_matmul_bias_act, offsetof(cj__matmul_attrs, act),
     offsetof(cj__matmul_attrs, act_a), offsetof(cj__matmul_attrs, act_b)},
    {&cj__op_conv2d, &cj__op_conv2d_bias_act, offsetof(cj__conv2d_attrs, act),
     offsetof(cj__conv2d_attrs, act_a), offsetof(cj__conv2d_attrs, act_b)},
};
enum { FUSION_COUNT = sizeof(fusions) / sizeof fusions[0] };

// The instruction that makes `value`, if only one reader exists.
static cj__instruction *sole_producer(cj__program *program, const int *uses, int value)
{
    int producer = program->values[value].producer;
    return producer >= 0 && uses[value] == 1 ? &program->instructions[producer] : NULL;
}

static void set_act(cj__instruction *instruction, int fusion, cj__unary act, double a, double b)
{
    memcpy(instruction->attrs + fusions[fusion].act, &act, sizeof(act));
    memcpy(instruction->attrs + fusions[fusion].act_a, &a, sizeof(a));
    memcpy(instruction->attrs + fusions[fusion].act_b, &b, sizeof(b));
}

// `add` becomes the fused product; the plain one goes.
static cj_status take_product(cj__instruction *add, cj__instruction *product, int bias, int fusion)
{
    int *slots = cj__new(4, sizeof(int));
    if (!slots)
        return CJ_OUT_OF_MEMORY;
    slots[0] = product->inputs[0];
    slots[1] = product->inputs[1];
    slots[2] = bias;
    slots[3] = add->outputs[0];
    cj__free(add->inputs);
    add->inputs = slots;
    add->outputs = slots + 3;
    add->input_count = 3;
    add->op = fusions[fusion].fused;
    memcpy(add->attrs, product->attrs, sizeof add->attrs);
    set_act(add, fusion, CJ__UNARY_NONE, 0, 0);
    product->op = NULL;
    return CJ_OK;
}

static cj_status try_bias(cj__program *program, const int *uses, cj__instruction *add)
{
    for (int side = 0; side < 2; side++) {
        int product_value = add->inputs[side], bias = add->inputs[1 - side];
        cj__instruction *product = sole_producer(program, uses, product_value);
        const cj__type *type = &program->values[product_value].type,
                       *bias_type = &program->values[bias].type;
        if (!product || !product->op || bias_type->shape.rank != 1 || type->shape.rank < 2 ||
            bias_type->shape.dims[0] != type->shape.dims[type->shape.rank - 1])
            continue;
        for (int fusion = 0; fusion < FUSION_COUNT; fusion++) {
            if (product->op == fusions[fusion].plain)
                return take_product(add, product, bias, fusion);
        }
    }
    return CJ_OK;
}

static bool is_unary(const cj__op *op)
{
#define CJ__U(name, needs, formula) || op == &cj__op_##name
    return false CJ__UNARIES(CJ__U);
#undef CJ__U
}

// The activation moves into the fused product, which then makes the activation's result. The
// product takes the later place: its inputs exist there too.
static void try_act(cj__program *program, const int *uses, cj__instruction *act)
{
    cj__instruction *product = sole_producer(program, uses, act->inputs[0]);
    for (int fusion = 0; product && fusion < FUSION_COUNT; fusion++) {
        cj__unary none = CJ__UNARY_NONE;
        if (product->op != fusions[fusion].fused ||
            memcmp(product->attrs + fusions[fusion].act, &none, sizeof(none)) != 0)
            continue;
        cj__unary_attrs parameters;
        memcpy(&parameters, act->attrs, sizeof(parameters));
        int result = act->outputs[0];
        cj__unary function = (cj__unary)act->op->variant;
        cj__free(act->inputs);
        *act = *product;
        act->outputs[0] = result;
        set_act(act, fusion, function, parameters.a, parameters.b);
        product->op = NULL;
        product->inputs = NULL;
        return;
    }
}

cj_status cj__fuse_bias_act(cj__program *program)
{
    int *uses = cj__new((size_t)program->value_count, sizeof *uses);
    if (!uses)
        return CJ_OUT_OF_MEMORY;
    cj__program_uses(program, uses);
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        cj__instruction *instruction = &program->instructions[i];
        if (instruction->op == &cj__op_add)
            status = try_bias(program, uses, instruction);
        else if (instruction->op && is_unary(instruction->op))
            try_act(program, uses, instruction);
    }
    cj__free(uses);
    cj__program_compact(program);
    return status;
}
