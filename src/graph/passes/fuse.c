// Fusion of a bias and an activation into the product or convolution before them:
//
//   u = matmul(a, b);  v = add(u, bias); y = relu(v) becomes y = matmul_bias_act(a, b, bias; relu)
//
// if nothing else reads u (and v); without a bias, relu(u) likewise. Then no gradient needs them either: derivatives of activations
// that are fused are written in y alone.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

// The instruction that makes `value`, if only one reader exists.
static cj__instruction *sole_producer(cj__program *program, const int *uses, int value)
{
    int producer = program->values[value].producer;
    return producer >= 0 && uses[value] == 1 ? &program->instructions[producer] : NULL;
}

static cj__epilogue *epilogue_of(cj__instruction *fused)
{
    return fused->op->epilogue(fused->attrs);
}

// `add` becomes the fused product; the plain one goes.
static cj_status take_product(cj__instruction *add, cj__instruction *product, int bias)
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
    add->op = product->op->fused;
    memcpy(add->attrs, product->attrs, sizeof add->attrs);
    *epilogue_of(add) = cj__no_epilogue;
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
        if (product->op->fused)
            return take_product(add, product, bias);
    }
    return CJ_OK;
}

// What a product becomes that takes an activation: an op with an epilogue, which may lack the bias;
// NULL if it cannot take one.
static const cj__op *with_act(cj__instruction *product)
{
    if (!product->op->epilogue)
        return product->op->fused;
    return epilogue_of(product)->act == CJ__UNARY_NONE ? product->op : NULL;
}

// The activation moves into the product, which then makes the activation's result. The product takes
// the later place: its inputs exist there too.
static void try_act(cj__program *program, const int *uses, cj__instruction *act)
{
    cj__instruction *product = sole_producer(program, uses, act->inputs[0]);
    const cj__op *op = product && product->op ? with_act(product) : NULL;
    if (!op)
        return;
    cj__unary_attrs parameters;
    memcpy(&parameters, act->attrs, sizeof parameters);
    const cj__unary function = (cj__unary)act->op->variant;
    const int result = act->outputs[0];
    cj__free(act->inputs);
    *act = *product;
    act->op = op;
    act->outputs[0] = result;
    *epilogue_of(act) = (cj__epilogue){.act = function, .a = parameters.a, .b = parameters.b};
    product->op = NULL;
    product->inputs = NULL;
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
        else if (instruction->op && instruction->op->activation)
            try_act(program, uses, instruction);
    }
    cj__free(uses);
    cj__program_compact(program);
    return status;
}
