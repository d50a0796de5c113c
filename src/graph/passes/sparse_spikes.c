// Products and convolutions of spikes leave out what is 0: the pass tells them that their input is
// spikes, or that a gradient comes from a max pool, which is 0 in all places of a window but one. How
// many spikes there are is seen when they run.
//
// Spikes are what the op `spike` gives, in this program or as a sequence of a loop's body, through ops
// that move elements alone.
#include "graph/program.h"
#include "ops/build.h"
#include "ops/scan.h"
#include "ops/spike.h"

static bool moves_elements(const cj__op *op)
{
    return op == &cj__op_reshape || op == &cj__op_transpose || op == &cj__op_slice;
}

// The instruction that computes a value, behind those that move its elements, and which output that is;
// NULL for none.
static const cj__instruction *maker_of(const cj__program *program, int value, int *output)
{
    for (int producer; (producer = program->values[value].producer) >= 0;) {
        const cj__instruction *i = &program->instructions[producer];
        if (i->op && moves_elements(i->op)) {
            value = i->inputs[0];
            continue;
        }
        for (*output = 0; *output < i->output_count && i->outputs[*output] != value;)
            ++*output;
        return i->op ? i : NULL;
    }
    return NULL;
}

// A neuron at rest has its spikes held back by a selection.
static bool is_spike(const cj_symbol *symbol)
{
    const cj__node *node = symbol->node;
    if (node->op == &cj__op_select)
        node = node->inputs[2]->node;
    return node->op == &cj__op_spike;
}

static bool has_spikes(const cj__program *program, int value)
{
    int output;
    const cj__instruction *maker = maker_of(program, value, &output);
    if (!maker)
        return false;
    if (maker->op == &cj__op_spike)
        return true;
    if (!(maker->op->flags & CJ__OP_LOOP))
        return false;
    const cj__scan_body *body = cj__scan_body_of(maker->attrs);
    return output < body->carried_count + body->stacked_count && is_spike(body->results[output]);
}

static bool is_pool_gradient(const cj__program *program, int value)
{
    int output;
    const cj__instruction *maker = maker_of(program, value, &output);
    return maker && maker->op == &cj__op_max_pool2d_grad;
}

// Whether a value goes, through ops that move elements, into a loop: the gradient of spikes does.
static bool goes_to_loop(const cj__program *program, int value)
{
    for (int reader; cj__program_readers(program, value, &reader, 1) == 1;) {
        const cj__instruction *i = &program->instructions[reader];
        if (!moves_elements(i->op))
            return i->op->flags & CJ__OP_LOOP;
        value = i->outputs[0];
    }
    return false;
}

static void choose_for_convolution(const cj__program *program, cj__instruction *i)
{
    cj__conv2d_choice *a = &((cj__conv2d_attrs *)(void *)i->attrs)->chosen;
    const bool by_input = i->op->convolution->kind == CJ__CONV2D_INPUT_GRAD;
    if (a->images > 0 || a->winograd || a->pool[0] > 1 || a->pool[1] > 1)
        return;
    if (!by_input)
        a->sparse = has_spikes(program, i->inputs[0]);
    else if (i->op == &cj__op_conv2d_input_grad)
        a->sparse = is_pool_gradient(program, i->inputs[1]) && goes_to_loop(program, i->outputs[0]);
}

static void choose_for_product(const cj__program *program, cj__instruction *i)
{
    cj__matmul_attrs *a = (void *)i->attrs;
    if (!a->bf16 && !a->trans_b)
        a->sparse = has_spikes(program, i->inputs[0]);
}

cj_status cj__choose_sparse(cj__program *program)
{
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        const cj__op *op = instruction->op;
        if (op == &cj__op_matmul || op == &cj__op_matmul_bias_act)
            choose_for_product(program, instruction);
        else if (op && (op == &cj__op_conv2d || op == &cj__op_conv2d_bias_act ||
                        op == &cj__op_conv2d_filter_grad || op == &cj__op_conv2d_input_grad))
            choose_for_convolution(program, instruction);
    }
    return CJ_OK;
}
