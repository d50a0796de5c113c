// What calls work out once, when they are planned (cj__op.set_up): the geometry of a convolution, the
// tasks of a product. A call that runs on parts of the batch has one for a whole part and one for
// the last part, which may be smaller.
#include "base/memory.h"
#include "graph/plan.h"

enum { ALIGNMENT = 16 };

static size_t size_of(const cj__op *op)
{
    return (op->setup_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static const cj__cut *cut_of(const cj__plan *plan, int position)
{
    return &plan->program.instructions[plan->order[position]].cut;
}

// The kernels are in no table on a device that has its own way to run a call.
static bool needs_setup(const cj__call *call)
{
    return call->op->setup_size > 0 && call->kernels;
}

static void set_up_parts(cj__plan *plan, int position, unsigned char *next)
{
    const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
    const cj__cut *cut = &instruction->cut;
    const int64_t firsts[2] = {0, (cut->rows - 1) / cut->part * cut->part};
    for (int i = 0; i < 2; i++, next += size_of(instruction->op)) {
        cj__part part;
        cj__part_of(&plan->program, instruction, &plan->calls[position], firsts[i], &part);
        instruction->op->set_up(&part.call, next);
        plan->part_setups[position][i] = next;
    }
}

cj_status cj__make_setups(cj__plan *plan)
{
    const int count = plan->program.instruction_count;
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        if (needs_setup(&plan->calls[i]))
            bytes += size_of(plan->calls[i].op) * (cut_of(plan, i)->group != 0 ? 2 : 1);
    if (bytes == 0)
        return CJ_OK;
    plan->setups = cj__new(bytes, 1);
    plan->part_setups = cj__new((size_t)count, sizeof *plan->part_setups);
    if (!plan->setups || !plan->part_setups)
        return CJ_OUT_OF_MEMORY;
    unsigned char *next = plan->setups;
    for (int i = 0; i < count; i++) {
        cj__call *call = &plan->calls[i];
        if (!needs_setup(call))
            continue;
        if (cut_of(plan, i)->group != 0) {
            set_up_parts(plan, i, next);
            next += 2 * size_of(call->op);
        } else {
            call->op->set_up(call, next);
            call->setup = next;
            next += size_of(call->op);
        }
    }
    return CJ_OK;
}

const void *cj__part_setup(const cj__plan *plan, int position, int64_t first)
{
    const cj__cut *cut = cut_of(plan, position);
    return plan->part_setups ? plan->part_setups[position][cut->rows - first < cut->part] : NULL;
}
