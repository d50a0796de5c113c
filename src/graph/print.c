// A plan as a table, so that a user sees what runs and where it lives.
#include "graph/plan.h"

#include "base/error.h"

cj_status cj__plan_print(const cj__plan *plan, FILE *stream)
{
    const cj__program *program = &plan->program;
    fprintf(stream, "%-5s %-24s %-28s %12s %s\n", "call", "op", "output", "bytes", "memory");
    for (int position = 0; position < program->instruction_count; position++) {
        const cj__instruction *instruction = &program->instructions[plan->order[position]];
        const cj__buffer *buffer = &plan->buffers[instruction->outputs[0]];
        char shape[160];
        fprintf(stream, "%-5d %-24s %-28s %12zu ", position, instruction->op->name,
                cj_shape_text(&buffer->type.shape, shape, sizeof(shape)), buffer->bytes);
        if (instruction->op->flags & CJ__OP_VIEW)
            fprintf(stream, "view\n");
        else if (plan->buffers[buffer->root].home == CJ__HOME_FIXED)
            fprintf(stream, "in the variable\n");
        else
            fprintf(stream, "arena + %zu%s\n", plan->buffers[buffer->root].offset,
                    buffer->home == CJ__HOME_SHARED ? ", over an input" : "");
    }
    fprintf(stream, "batch %lld: %d calls, %d values, arena %zu bytes, of which workspace %zu\n", (long long)plan->batch,
            program->instruction_count, program->value_count, plan->arena_size, plan->workspace);
    return ferror(stream) ? cj__fail(CJ_IO, "plan: printing failed") : CJ_OK;
}
