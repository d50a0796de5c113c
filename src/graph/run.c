// Running a plan. Nothing is allocated here.
#include "graph/plan.h"

#include <string.h>

static cj_status run_calls(cj__plan *plan, cj_pool *pool, int begin, int end)
{
    for (int i = begin; i < end; i++) {
        cj__call *call = &plan->calls[i];
        if (call->op->flags & CJ__OP_VIEW)
            continue;
        call->pool = pool;
        CJ_TRY(call->op->run(call));
    }
    return CJ_OK;
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

static cj_status run_plan(cj__plan *plan, cj_pool *pool, const void *const *inputs, void *const *outputs)
{
    for (int i = 0; i < plan->patch_count; i++)
        plan->patches[i].operand->data = (void *)(uintptr_t)inputs[plan->patches[i].input];
    CJ_TRY(run_calls(plan, pool, 0, plan->main_count));
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        if (copy->saved != NULL)
            copy_bytes(copy->saved, whereabouts(plan, inputs, copy->from), copy->bytes);
    }
    CJ_TRY(run_calls(plan, pool, plan->main_count, plan->program.instruction_count));
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        void *to = copy->output >= 0 ? (outputs != NULL ? outputs[copy->output] : NULL) : copy->to;
        if (to != NULL)
            copy_bytes(to, copy->saved != NULL ? copy->saved : whereabouts(plan, inputs, copy->from), copy->bytes);
    }
    return CJ_OK;
}

cj_status cj__plan_run(cj__plan *plan, cj_pool *pool, const void *const *inputs, void *const *outputs)
{
    const bool entered = cj__pool_enter(pool);
    const cj_status status = run_plan(plan, pool, inputs, outputs);
    if (entered)
        cj__pool_leave(pool);
    return status;
}
