// What is computed from weights alone is computed once, not in every run, as long as no weight
// changes: the scaled filters and shifts that normalization becomes in prediction (fold_scale.c),
// products of constants. (Rounded filters are keep_prepared.c's.)
//
// Such instructions are *steady*. They come first in the program, so that they are not in the way of
// neighbours that work on parts of a batch (split_batch.c), and a plan keeps their results in
// memory of its own. It runs them again when a variable that they read has another version
// (ops/variable.h). Where changes are not counted nothing is steady; a plan that was made before the
// count ended is outdated, and its function makes another one.
#include "base/memory.h"
#include "graph/plan.h"
#include "ops/build.h"
#include "ops/variable.h"

#include <string.h>

// bytes of results; beyond them instructions run as all others do
static const int64_t STEADY_MOST = (int64_t)64 << 20;

static bool is_view(const cj__instruction *instruction)
{
    return instruction->op->flags & CJ__OP_VIEW;
}

static int64_t bytes_made(const cj__program *program, const cj__instruction *instruction)
{
    int64_t bytes = 0;
    for (int i = 0; i < instruction->output_count && !is_view(instruction); i++) {
        const cj__type *type = &program->values[instruction->outputs[i]].type;
        const int64_t count = cj_shape_count(&type->shape);
        if (count < 0 || count > STEADY_MOST)
            return STEADY_MOST + 1;
        bytes += count * (int64_t)cj_dtype_size(type->dtype);
    }
    return bytes;
}

static bool may_be_steady(const cj__program *program, const cj__instruction *instruction,
                          const bool *stays)
{
    if (instruction->op->flags & (CJ__OP_EFFECT | CJ__OP_LOOP | CJ__OP_UPDATE) ||
        instruction->op == &cj__op_round_bf16 || instruction->input_count == 0)
        return false;
    for (int i = 0; i < instruction->input_count; i++)
        if (!stays[instruction->inputs[i]])
            return false;
    return bytes_made(program, instruction) <= STEADY_MOST;
}

// Marks the steady instructions; their results stay.
static void mark(cj__program *program, bool *stays)
{
    int64_t bytes = 0;
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        const int64_t made = bytes_made(program, instruction);
        instruction->steady =
            may_be_steady(program, instruction, stays) && bytes <= STEADY_MOST - made;
        bytes += instruction->steady ? made : 0;
        for (int j = 0; j < instruction->output_count; j++)
            stays[instruction->outputs[j]] = instruction->steady;
    }
}

// Steady instructions first, each kind in its order.
static cj_status move_to_front(cj__program *program)
{
    const int count = program->instruction_count;
    cj__instruction *old = cj__copy_bytes(program->instructions, (size_t)count * sizeof *old);
    if (!old)
        return CJ_OUT_OF_MEMORY;
    int next = 0;
    for (int steady = 1; steady >= 0; steady--)
        for (int i = 0; i < count; i++)
            if (old[i].steady == (steady == 1))
                program->instructions[next++] = old[i];
    cj__free(old);
    cj__program_compact(program);
    return CJ_OK;
}

cj_status cj__keep_steady(cj__program *program)
{
    if (program->device->kind->run_list || program->instruction_count == 0)
        return CJ_OK;
    bool *stays = cj__new((size_t)program->value_count, sizeof *stays);
    if (!stays)
        return CJ_OUT_OF_MEMORY;
    for (int v = 0; v < program->value_count; v++)
        stays[v] = cj__program_leaf_is_counted(program, v);
    mark(program, stays);
    cj__free(stays);
    return move_to_front(program);
}

// ---- In a plan ----

// The variables that steady calls read; each counts once for each of its reads.
static cj_status find_sources(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    size_t most = 0;
    for (int i = 0; i < program->instruction_count; i++)
        most +=
            (size_t)(program->instructions[i].steady ? program->instructions[i].input_count : 0);
    plan->sources = cj__new(most, sizeof *plan->sources);
    if (!plan->sources)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *instruction = &program->instructions[i];
        for (int j = 0; j < instruction->input_count && instruction->steady; j++) {
            const cj_variable *variable = cj__variable_of(program, instruction->inputs[j]);
            if (variable)
                plan->sources[plan->source_count++].version = cj__variable_version(variable);
        }
    }
    return CJ_OK;
}

cj_status cj__steady_in_plan(cj__plan *plan)
{
    while (plan->steady_count < plan->program.instruction_count &&
           plan->program.instructions[plan->order[plan->steady_count]].steady)
        plan->steady_count++;
    if (plan->steady_count == 0)
        return CJ_OK;
    CJ_TRY(find_sources(plan));
    for (int pass = 0; pass < 2; pass++) {
        size_t size = 0;
        for (int v = 0; v < plan->program.value_count; v++) {
            cj__buffer *buffer = &plan->buffers[v];
            if (plan->program.values[v].kind != CJ__VALUE_TEMPORARY ||
                buffer->home != CJ__HOME_FIXED)
                continue;
            if (pass == 1)
                buffer->data = plan->steady_memory + size;
            size += cj__align_up_64(buffer->bytes);
        }
        if (pass == 1)
            break;
        plan->steady_size = size;
        plan->steady_memory = plan->device->kind->allocate(plan->device, size);
        if (!plan->steady_memory)
            return cj_error_status();
    }
    return CJ_OK;
}

bool cj__steady_is_valid(cj__plan *plan)
{
    bool known = true, same = plan->steady_made;
    for (int i = 0; i < plan->source_count; i++) {
        struct cj__steady_source *source = &plan->sources[i];
        const int64_t version = atomic_load_explicit(source->version, memory_order_relaxed);
        known = known && version >= 0;
        same = same && version == source->seen;
        source->seen = version;
    }
    if (known && same)
        return true;
    plan->outdated = !known;
    plan->steady_made = false; // until they have run
    atomic_store_explicit(&plan->steady_version, known ? ++plan->steady_runs : -1,
                          memory_order_relaxed);
    return false;
}
