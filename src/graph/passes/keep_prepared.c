// Convolutions whose first phase works on weights alone (Winograd's transformed filters, transposed
// filters) keep the result from run to run, where the program does not itself change those weights:
// in inference, and in training for layers that are frozen. Each run compares the weights with a
// copy, so that any change is detected.
//
// In the body of a loop everything that is the same in all steps is kept for one run of the loop:
// the first step prepares it. There products keep the panels of their weights, too. That memory is
// a part of the body's arena. What is prepared from weights whose changes are counted, and which the
// program does not change, outlives the run, in memory of the plan around the loop.
#include "base/memory.h"
#include "graph/loop.h"
#include "ops/build.h"
#include "ops/variable.h"

enum { OPERANDS_MAX = 5 };
// bytes of a plan, beyond which it is made anew in each run
static const size_t KEPT_MOST = (size_t)64 << 20;

// Which values are likely the same in the next run: constants, variables that no update names, what
// no step of a loop changes, and what is computed from these alone (filters rounded to bfloat16, or
// scaled). NULL without memory.
static bool *find_stays(const cj__program *program)
{
    bool *stays = cj__new((size_t)program->value_count, sizeof *stays);
    for (int v = 0; stays && v < program->value_count; v++)
        stays[v] = program->values[v].invariant || cj__program_leaf_stays(program, v);
    for (int i = 0; stays && i < program->instruction_count; i++) {
        const cj__instruction *instruction = &program->instructions[i];
        bool all = !(instruction->op->flags & CJ__OP_EFFECT);
        for (int j = 0; j < instruction->input_count && all; j++)
            all = stays[instruction->inputs[j]];
        for (int j = 0; j < instruction->output_count; j++)
            stays[instruction->outputs[j]] = all;
    }
    return stays;
}

// Of a call that is cut, each part prepares, as long as what it prepares is the same for all.
static cj__prepared prepared_of(const cj__program *program, const cj__instruction *instruction,
                                const cj__call *call)
{
    if (instruction->cut.group == 0)
        return instruction->op->prepared(call);
    cj__part part;
    cj__part_of(program, instruction, call, 0, &part);
    const cj__prepared made = instruction->op->prepared(&part.call);
    return made.input >= 0 && part.roles[made.input] != 'w' ? (cj__prepared){.input = -1} : made;
}

cj_status cj__keep_prepared(cj__program *program)
{
    size_t kept = 0;
    bool *stays = find_stays(program);
    if (!stays)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < program->instruction_count; i++) {
        cj__instruction *instruction = &program->instructions[i];
        cj__operand operands[OPERANDS_MAX];
        if (!instruction->op->prepared ||
            instruction->input_count + instruction->output_count > OPERANDS_MAX)
            continue;
        const cj__call call = cj__program_call(program, instruction, operands);
        const cj__prepared made = prepared_of(program, instruction, &call);
        if (made.input < 0 || !stays[instruction->inputs[made.input]] ||
            made.bytes > KEPT_MOST - kept)
            continue;
        instruction->keeps = true;
        kept += made.bytes;
    }
    cj__free(stays);
    return CJ_OK;
}

// The number of a value's state, where it is a variable's or steady; NULL where changes are found by
// comparing.
static const _Atomic int64_t *version_of(const cj__plan *plan, int value)
{
    const cj_variable *variable = cj__variable_of(&plan->program, value);
    const int producer = plan->program.values[value].producer;
    if (variable)
        return cj__variable_version(variable);
    return plan->program.values[value].kind == CJ__VALUE_TEMPORARY &&
                   plan->program.instructions[producer].steady ?
               &plan->steady_version :
               NULL;
}

// Where the input is a rounding that nothing else reads, that call compares what it rounds, and
// rounds it only if it has changed. Not where the batch is cut: the last part may be smaller, and
// prepares for itself.
static void keep_rounding(cj__plan *plan, int position, cj__kept *kept)
{
    const cj__program *program = &plan->program;
    int reader;
    const cj__instruction *conv = &program->instructions[plan->order[position]];
    if (conv->cut.group != 0 || plan->is_body)
        return;
    const int value = conv->inputs[kept->input];
    const int producer = program->values[value].producer;
    if (producer < 0 || program->instructions[producer].op != &cj__op_round_bf16 ||
        program->instructions[producer].cut.group != 0 || program->instructions[producer].steady ||
        cj__program_readers(program, value, &reader, 1) != 1 ||
        conv->inputs[1 - kept->input] == value)
        return;
    for (int i = 0; i < position; i++) {
        if (plan->order[i] != producer)
            continue;
        plan->calls[i].kept = kept;
        kept->rounded = true;
        kept->version = version_of(plan, program->instructions[producer].inputs[0]);
    }
}

bool cj__kept_outlives(const cj__kept *kept)
{
    return kept->of_loop && kept->version;
}

// The number of the state of what a call in a loop's body prepares, where that outlives the run;
// or NULL.
static const _Atomic int64_t *version_in_body(const cj__plan *plan, int position,
                                              const cj__plan *body_plan, int in_body)
{
    const cj__loop *loop = plan->loops[position];
    const cj__program *body = &body_plan->program, *program = &plan->program;
    const int leaf = cj__leaf_of(body, body->instructions[body_plan->order[in_body]]
                                           .inputs[body_plan->calls[in_body].kept->input]);
    if (leaf < 0 || body->values[leaf].kind != CJ__VALUE_INPUT)
        return NULL;
    const int operand = cj__loop_invariant(loop, body->values[leaf].input);
    if (operand < 0)
        return NULL;
    const int value = program->instructions[plan->order[position]].inputs[operand],
              source = cj__leaf_of(program, value);
    return source >= 0 && !cj__program_leaf_is_counted(program, source) ? NULL :
                                                                          version_of(plan, value);
}

static void keep_of_body(cj__plan *plan, int position, const cj__plan *body)
{
    for (int j = 0; j < body->program.instruction_count; j++) {
        cj__kept *kept = body->calls[j].kept;
        const _Atomic int64_t *version = kept ? version_in_body(plan, position, body, j) : NULL;
        if (!version || plan->kept_size + kept->workspace_bytes > KEPT_MOST)
            continue;
        kept->version = version;
        plan->kept_size += kept->workspace_bytes;
    }
}

static char *point_kept_of_body(const cj__plan *body, char *memory)
{
    for (int k = 0; k < body->kept_count; k++) {
        if (!cj__kept_outlives(&body->kept[k]))
            continue;
        body->kept[k].workspace = memory;
        memory += body->kept[k].workspace_bytes;
    }
    return memory;
}

// Finds what outlives runs of the plan's loops, and makes room for it.
static void keep_of_loops(cj__plan *plan)
{
    for (int i = 0; plan->loops && !plan->is_body && i < plan->program.instruction_count; i++)
        for (int p = 0; plan->loops[i] && p < plan->loops[i]->part_count; p++)
            keep_of_body(plan, i, plan->loops[i]->parts[p].plan);
}

static void point_kept_of_loops(const cj__plan *plan, char *memory)
{
    for (int i = 0; plan->loops && i < plan->program.instruction_count; i++)
        for (int p = 0; plan->loops[i] && p < plan->loops[i]->part_count; p++)
            memory = point_kept_of_body(plan->loops[i]->parts[p].plan, memory);
}

cj_status cj__keep_in_plan(cj__plan *plan)
{
    const int count = plan->program.instruction_count;
    plan->kept = cj__new((size_t)count, sizeof *plan->kept);
    if (!plan->kept)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count; i++) {
        const cj__instruction *instruction = &plan->program.instructions[plan->order[i]];
        if (!instruction->keeps)
            continue;
        const cj__prepared made = prepared_of(&plan->program, instruction, &plan->calls[i]);
        cj__kept *kept = &plan->kept[plan->kept_count++];
        *kept = (cj__kept){.input = made.input,
                           .workspace_bytes = cj__align_up_64(made.bytes),
                           .of_loop = plan->is_body};
        if (!plan->is_body) {
            kept->copy_bytes = plan->buffers[instruction->inputs[made.input]].bytes;
            kept->version = version_of(plan, instruction->inputs[made.input]);
        }
        plan->kept_size += kept->workspace_bytes + cj__align_up_64(kept->copy_bytes);
        plan->calls[i].kept = kept;
        keep_rounding(plan, i, kept);
    }
    keep_of_loops(plan);
    if (plan->kept_size == 0)
        return CJ_OK;
    if (plan->is_body) {
        plan->arena_size += plan->kept_size;
        return CJ_OK;
    }
    plan->kept_memory = plan->device->kind->allocate(plan->device, plan->kept_size);
    if (!plan->kept_memory)
        return cj_error_status();
    cj__point_kept(plan, plan->kept_memory);
    return CJ_OK;
}

void cj__point_kept(cj__plan *plan, char *memory)
{
    for (cj__kept *kept = plan->kept; kept < plan->kept + plan->kept_count; kept++) {
        if (!cj__kept_outlives(kept))
            kept->workspace = memory;
        kept->copy = memory + kept->workspace_bytes;
        memory += kept->workspace_bytes + cj__align_up_64(kept->copy_bytes);
    }
    if (!plan->is_body)
        point_kept_of_loops(plan, memory);
}

void cj__forget_kept(cj__plan *plan)
{
    for (cj__kept *kept = plan->kept; kept < plan->kept + plan->kept_count; kept++) {
        const int64_t version =
            kept->version ? atomic_load_explicit(kept->version, memory_order_relaxed) : -1;
        kept->prepared = kept->prepared && version >= 0 && version == kept->seen;
        kept->seen = version;
    }
}
