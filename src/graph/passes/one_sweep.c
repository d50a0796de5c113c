// The optimizer's steps of all tensors become one instruction, so that a bias of ten elements costs
// ten elements' time and all of them are shared between threads as one:
//
//   w', m', v' = adam(w, g, ...);  b', ... = adam(b, ...) becomes w', m', v', b', ... = sweep(w, g,
//                                  ..., b, ...)
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

// Steps whose results no instruction reads may stand at the end of the program. A
// sweep writes all its variables at once, so no member may read one that is not its own.
static bool can_join(const cj__program *program, const cj__instruction *step, const int *reads)
{
    if (!step->op || !step->op->step || cj__variable_of(program, step->inputs[1]))
        return false;
    for (int k = 0; k < step->output_count; k++)
        if (reads[step->outputs[k]] != 0)
            return false;
    return true;
}

// One optimizer with one set of settings: equal rates, and for adam equal step counts, are the same
// values.
static bool fit_together(const cj__program *program, const cj__instruction *a,
                         const cj__instruction *b)
{
    const int shared = a->op->step->first_slot; // inputs before it, but for w and g
    return a->op == b->op && a->input_count == b->input_count &&
           a->output_count == b->output_count && memcmp(a->attrs, b->attrs, sizeof a->attrs) == 0 &&
           memcmp(a->inputs + 2, b->inputs + 2, (size_t)(shared - 2) * sizeof(int)) == 0 &&
           program->values[a->inputs[0]].type.dtype == program->values[b->inputs[0]].type.dtype;
}

// Takes the members out and puts their sweep at the end.
static cj_status join(cj__program *program, const int *members, int count)
{
    const cj__instruction *first = &program->instructions[members[0]];
    const int in = first->input_count, out = first->output_count;
    cj__sweep_attrs attrs = {.step = first->op, .members = count, .inputs = in, .outputs = out};
    memcpy(&attrs.update, first->attrs, sizeof attrs.update);
    cj__instruction sweep = {
        .op = &cj__op_sweep, .input_count = count * in, .output_count = count * out};
    memcpy(sweep.attrs, &attrs, sizeof(attrs));
    sweep.inputs = cj__new((size_t)(count * (in + out)), sizeof(int));
    if (!sweep.inputs)
        return CJ_OUT_OF_MEMORY;
    sweep.outputs = sweep.inputs + count * in;
    for (int i = 0; i < count; i++) {
        const cj__instruction *member = &program->instructions[members[i]];
        memcpy(sweep.inputs + i * in, member->inputs, (size_t)in * sizeof(int));
        memcpy(sweep.outputs + i * out, member->outputs, (size_t)out * sizeof(int));
    }
    if (cj__program_append(program, &sweep) != CJ_OK) {
        cj__free(sweep.inputs);
        return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < count; i++)
        program->instructions[members[i]].op = NULL;
    return CJ_OK;
}

static cj_status join_all(cj__program *program, int *members, const int *reads)
{
    const int end = program->instruction_count;
    for (int i = 0; i < end; i++) {
        int count = 0;
        for (int j = i; j < end && can_join(program, &program->instructions[i], reads); j++)
            if (can_join(program, &program->instructions[j], reads) &&
                fit_together(program, &program->instructions[i], &program->instructions[j]))
                members[count++] = j;
        if (count > 1)
            CJ_TRY(join(program, members, count));
    }
    return CJ_OK;
}

cj_status cj__one_sweep(cj__program *program)
{
    int *members = cj__new((size_t)program->instruction_count, sizeof *members);
    int *reads = cj__new((size_t)program->value_count, sizeof *reads); // by instructions
    cj_status status = members && reads ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++)
        for (int j = 0; j < program->instructions[i].input_count; j++)
            reads[program->instructions[i].inputs[j]]++;
    if (status == CJ_OK)
        status = join_all(program, members, reads);
    cj__free(members);
    cj__free(reads);
    cj__program_compact(program);
    return status;
}
