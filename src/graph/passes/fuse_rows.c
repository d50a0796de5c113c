// An optimizer's step of a table is done on the rows that were read:
//
//   g = gather_grad(indices, dy)
//   w', a' = adagrad(w, g, ...)       becomes       w', a' = rows_step(w, indices, ..., dy; adagrad)
//
// where a row without a gradient keeps its bits (cj__step_rule.rests): then the bits are those of
// the step of the whole table. A gradient that somebody else reads too, or that is clipped or added
// to, is another instruction's, and the step stays as it was. Taken where fewer rows are read than
// the table has.
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

// The indices must have been looked at before anything is written: by a gather of the same rows.
static bool checked(const cj__program *program, int indices, int64_t rows)
{
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *one = &program->instructions[i];
        if (one->op == &cj__op_gather && one->inputs[1] == indices &&
            program->values[one->inputs[0]].type.shape.dims[0] == rows)
            return true;
    }
    return false;
}

// The instruction that makes the step's gradient out of rows, for it alone; NULL if there is none.
static cj__instruction *find_rows(const cj__program *program, const cj__instruction *step)
{
    const cj__value_info *gradient = &program->values[step->inputs[1]];
    int reader;
    if (gradient->kind != CJ__VALUE_TEMPORARY)
        return NULL;
    cj__instruction *rows = &program->instructions[gradient->producer];
    if (rows->op != &cj__op_gather_grad || rows->rounds ||
        cj__program_readers(program, step->inputs[1], &reader, 1) != 1)
        return NULL;
    const int64_t count = cj_shape_count(&program->values[rows->inputs[0]].type.shape),
                  table = gradient->type.shape.dims[0];
    const bool apart =
        !cj__variable_of(program, rows->inputs[0]) && !cj__variable_of(program, rows->inputs[1]);
    return count < table && apart && checked(program, rows->inputs[0], table) ? rows : NULL;
}

// Nobody but the update of the variable reads the step's outputs.
static bool is_plain(const cj__program *program, const cj__instruction *step)
{
    int reader;
    for (int k = 0; k < step->output_count; k++) {
        const int readers = cj__program_readers(program, step->outputs[k], &reader, 1);
        if (readers != 0 && readers != 2) // 2: an update, and no instruction
            return false;
    }
    return true;
}

static cj_status fuse(cj__instruction *step, cj__instruction *rows)
{
    enum { INPUTS_MAX = 12, OUTPUTS_MAX = 8 };
    int inputs[INPUTS_MAX], outputs[OUTPUTS_MAX];
    const int count = step->input_count;
    if (count + 1 > INPUTS_MAX || step->output_count > OUTPUTS_MAX)
        return CJ_OK;
    memcpy(inputs, step->inputs, (size_t)count * sizeof(int));
    memcpy(outputs, step->outputs, (size_t)step->output_count * sizeof(int));
    inputs[1] = rows->inputs[0];
    inputs[count] = rows->inputs[1];
    cj__matmul_step_attrs attrs = {.step = step->op};
    memcpy(&attrs.update, step->attrs, sizeof attrs.update);
    CJ_TRY(cj__program_operands(step, inputs, count + 1, outputs, step->output_count));
    memset(step->attrs, 0, sizeof step->attrs);
    memcpy(step->attrs, &attrs, sizeof attrs);
    step->op = &cj__op_rows_step;
    rows->op = NULL;
    return CJ_OK;
}

cj_status cj__fuse_rows(cj__program *program)
{
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        cj__instruction *step = &program->instructions[i];
        if (!step->op || !step->op->step || !step->op->step->rests ||
            !step->op->step->rests(step->attrs) || !is_plain(program, step))
            continue;
        cj__instruction *rows = find_rows(program, step);
        if (rows)
            status = fuse(step, rows);
    }
    cj__program_compact(program);
    return status;
}
