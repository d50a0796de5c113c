// An optimizer's step goes into the product that makes its gradient:
//
//   g = matmul(a, b; trans_a)
//   w', m', v' = adam(w, g, ...)        becomes        w', m', v' = matmul_step(w, a, ..., b; adam)
//
// Taken for matrices beyond the inner caches and few rows in the batch: there the gradient's way to
// memory and back costs as much as its arithmetic. A long sum hides it, and is better computed in
// larger blocks.
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

enum { ELEMENTS_MIN = 256 * 1024, ROWS_MAX = 128 };

static bool pays(const cj__program *program, const cj__instruction *product)
{
    const cj_shape *x = &program->values[product->inputs[0]].type.shape;
    const cj_shape *w = &program->values[product->outputs[0]].type.shape;
    int64_t rows = 1;
    for (int i = 0; i < x->rank - 1; i++)
        rows *= x->dims[i];
    return rows <= ROWS_MAX && cj_shape_count(w) >= ELEMENTS_MIN;
}

// The instruction whose product alone is the step's gradient; NULL if there is none, or somebody
// else needs it. Strips of weights are written while later ones read the operands, so these must
// not be a variable's memory.
static cj__instruction *find_product(const cj__program *program, const cj__instruction *step)
{
    const cj__value_info *gradient = &program->values[step->inputs[1]];
    int reader;
    if (gradient->kind != CJ__VALUE_TEMPORARY)
        return NULL;
    cj__instruction *product = &program->instructions[gradient->producer];
    const cj__matmul_attrs *m = (const void *)product->attrs;
    const bool fits = product->op == &cj__op_matmul && m->trans_a && !m->trans_b && !m->bf16 &&
                      !product->rounds && !cj__variable_of(program, product->inputs[0]) &&
                      !cj__variable_of(program, product->inputs[1]);
    return fits && cj__program_readers(program, step->inputs[1], &reader, 1) == 1 ? product : NULL;
}

// Every output of a step is aliased to an input of it; the product's op has no more outputs than
// that.
bool cj__step_is_plain(const cj__program *program, const cj__instruction *step)
{
    int reader;
    for (int k = 0; k < step->output_count; k++) {
        const int readers = cj__program_readers(program, step->outputs[k], &reader, 1);
        if (readers != 0 && readers != 2) // 2: an update, and no instruction
            return false;
    }
    return true;
}

cj_status cj__fuse_gradient(cj__instruction *step, cj__instruction *product, const cj__op *op)
{
    enum { INPUTS_MAX = 12, OUTPUTS_MAX = 8 };
    int inputs[INPUTS_MAX], outputs[OUTPUTS_MAX];
    const int count = step->input_count;
    if (count + 1 > INPUTS_MAX || step->output_count > OUTPUTS_MAX)
        return CJ_OK;
    memcpy(inputs, step->inputs, (size_t)count * sizeof(int));
    memcpy(outputs, step->outputs, (size_t)step->output_count * sizeof(int));
    inputs[1] = product->inputs[0];
    inputs[count] = product->inputs[1];
    cj__matmul_step_attrs attrs = {.step = step->op};
    memcpy(&attrs.update, step->attrs, sizeof attrs.update);
    CJ_TRY(cj__program_operands(step, inputs, count + 1, outputs, step->output_count));
    memset(step->attrs, 0, sizeof step->attrs);
    memcpy(step->attrs, &attrs, sizeof(attrs));
    step->op = op;
    product->op = NULL;
    return CJ_OK;
}

cj_status cj__fuse_step(cj__program *program)
{
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        cj__instruction *step = &program->instructions[i];
        if (!step->op || !step->op->step || !cj__step_is_plain(program, step))
            continue;
        cj__instruction *product = find_product(program, step);
        if (product && pays(program, product))
            status = cj__fuse_gradient(step, product, &cj__op_matmul_step);
    }
    cj__program_compact(program);
    return status;
}
