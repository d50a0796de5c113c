// An optimizer's step of a table is done on the rows that were read:
//
//   g = gather_grad(indices, dy)
//   w', a' = adagrad(w, g, ...)       becomes       w', a' = rows_step(w, indices, ..., dy; adagrad)
//
// The bits are those of the step of the whole table: where a row without a gradient keeps its bits
// (cj__step_rule.rests) the others are not touched, and elsewhere their gradient is 0, but the table
// of zeros is neither written nor read. A gradient that somebody else reads too, or that is clipped
// or added to, is another instruction's, and the step stays as it was. Taken where fewer rows are
// read than the table has; of a small table whose rows do not rest the sweep of all steps is as good.
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

// Elements of a table from which the gradient does not stay in the inner caches.
static const int64_t LARGE = 1 << 17;

static bool is_worth_it(const cj__program *program, const cj__instruction *step)
{
    const cj__step_rule *rule = step->op->step;
    return (rule->rests && rule->rests(step->attrs)) ||
           cj_shape_count(&program->values[step->inputs[0]].type.shape) >= LARGE;
}

cj_status cj__fuse_rows(cj__program *program)
{
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        cj__instruction *step = &program->instructions[i];
        if (!step->op || !step->op->step || !is_worth_it(program, step) ||
            !cj__step_is_plain(program, step))
            continue;
        cj__instruction *rows = find_rows(program, step);
        if (rows)
            status = cj__fuse_gradient(step, rows, &cj__op_rows_step);
    }
    cj__program_compact(program);
    return status;
}
