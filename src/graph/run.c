// Running a plan. Nothing is allocated here.
#include "graph/plan.h"

#include "base/denormals.h"
#include "base/memory.h"
#include "base/system.h"
#include "ops/run.h"
#include <string.h>

static double now(void)
{
    return 1e-9 * (double)cj__clock();
}

// Where the results of a part that are sums go, before they are added: behind the workspace.
static void point_sums(cj__part *part, char *next)
{
    for (int k = 0; k < part->call.output_count; k++) {
        cj__operand *sum = &part->call.outputs[k];
        if (part->roles[part->call.input_count + k] != '+' || !sum->data)
            continue;
        sum->data = next;
        next += cj__align_up_64(cj__bytes(sum));
    }
}

static void add_sums(const cj__call *whole, const cj__part *part)
{
    for (int k = 0; k < whole->output_count; k++) {
        void *all = whole->outputs[k].data;
        if (part->roles[whole->input_count + k] == '+' && all)
            whole->kernels->binary[CJ__BINARY_add](1, cj__count(&whole->outputs[k]), all, 0, 1,
                                                   part->call.outputs[k].data, 0, 1, all);
    }
}

static cj_status run_part(cj__plan *plan, const cj__split *split, int position, int64_t first,
                          cj_pool *pool)
{
    const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
    const cj__call *whole = &plan->calls[position];
    if (whole->op->flags & CJ__OP_VIEW)
        return CJ_OK;
    cj__part part;
    cj__part_of(&plan->program, instruction, whole, first, &part);
    for (int i = 0; i < whole->input_count + whole->output_count; i++) {
        const cj__operand *operand = &whole->inputs[i];
        const bool moves = part.roles[i] == 's' && operand->data &&
                           !plan->buffers[plan->buffers[instruction->inputs[i]].root].one_part;
        if (moves)
            part.operands[i].data =
                (char *)operand->data + (int64_t)cj__bytes(operand) / split->rows * first;
    }
    part.call.pool = pool;
    if (first == 0)
        return part.call.op->run(&part.call);
    point_sums(&part, (char *)whole->workspace + split->workspace);
    CJ_TRY(part.call.op->run(&part.call));
    add_sums(whole, &part);
    return CJ_OK;
}

static cj_status run_split(cj__plan *plan, const cj__split *split, cj_pool *pool, double *seconds)
{
    for (int64_t first = 0; first < split->rows; first += split->part) {
        for (int i = split->begin; i < split->end; i++) {
            const double before = seconds ? now() : 0;
            CJ_TRY(run_part(plan, split, i, first, pool));
            if (seconds)
                seconds[i] += now() - before;
        }
    }
    return CJ_OK;
}

static cj_status run_calls(cj__plan *plan, cj_pool *pool, int begin, int end, double *seconds)
{
    const cj__split *split = plan->splits, *splits_end = plan->splits + plan->split_count;
    while (split < splits_end && split->begin < begin)
        split++;
    for (int i = begin; i < end; i++) {
        if (split < splits_end && split->begin == i) {
            CJ_TRY(run_split(plan, split, pool, seconds));
            i = split++->end - 1;
            continue;
        }
        cj__call *call = &plan->calls[i];
        if (call->op->flags & CJ__OP_VIEW)
            continue;
        call->pool = pool;
        const double before = seconds ? now() : 0;
        CJ_TRY(call->op->run(call));
        if (seconds)
            seconds[i] += now() - before;
    }
    return CJ_OK;
}

cj_status cj__plan_run_calls(cj__plan *plan, cj_pool *pool, int begin, int end, double *seconds)
{
    const uint64_t mode = cj__flush_denormals();
    const cj_status status = run_calls(plan, pool, begin, end, seconds);
    cj__restore_denormals(mode);
    return status;
}

static void copy_bytes(void *to, const void *from, size_t bytes)
{
    if (bytes != 0 && to != from)
        memcpy(to, from, bytes);
}

// Where a value is in this run.
static const void *whereabouts(const cj__plan *plan, const void *const *inputs, int value)
{
    int root = plan->buffers[value].root;
    return plan->buffers[root].home == CJ__HOME_INPUT ? inputs[plan->program.values[root].input] :
                                                        plan->buffers[root].data;
}

static cj_status run_plan(cj__plan *plan, cj_pool *pool, const void *const *inputs,
                          void *const *outputs)
{
    for (int i = 0; i < plan->patch_count; i++)
        plan->patches[i].operand->data = (void *)(uintptr_t)inputs[plan->patches[i].input];
    CJ_TRY(cj__plan_run_calls(plan, pool, 0, plan->main_count, NULL));
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        if (copy->saved)
            copy_bytes(copy->saved, whereabouts(plan, inputs, copy->from), copy->bytes);
    }
    CJ_TRY(cj__plan_run_calls(plan, pool, plan->main_count, plan->program.instruction_count, NULL));
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        void *to = copy->output >= 0 ? (outputs ? outputs[copy->output] : NULL) : copy->to;
        if (to)
            copy_bytes(to, copy->saved ? copy->saved : whereabouts(plan, inputs, copy->from),
                       copy->bytes);
    }
    return CJ_OK;
}

cj_status cj__plan_run(cj__plan *plan, cj_pool *pool, const void *const *inputs,
                       void *const *outputs)
{
    const bool tries = cj_pool_threads(pool) > 1, timed = tries && cj__trial_is_timed(&plan->trial);
    cj_pool *used = tries && !cj__trial_shares(&plan->trial) ? NULL : pool;
    const double before = timed ? now() : 0;
    const bool entered = cj__pool_enter(used);
    const cj_status status = run_plan(plan, used, inputs, outputs);
    if (entered)
        cj__pool_leave(used);
    if (tries && status == CJ_OK)
        cj__trial_ran(&plan->trial, timed ? now() - before : 0);
    return status;
}
