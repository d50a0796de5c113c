// Effects in a plan (ops/op.h): starts early, awaits late, and what goes on in between.
//
// Both moves keep the list an order of the program: a start stays after the calls that make its
// operands and after all effects before it, an await before the first reader of its result and
// among the main calls. Neither lands within a group of calls that run on parts of the batch, which
// belong together.
#include "base/error.h"
#include "base/memory.h"
#include "graph/plan.h"

#include <stdio.h>
#include <string.h>

enum { SENTENCE = 512 };

static const cj__instruction *at(const cj__plan *plan, int position)
{
    return &plan->program.instructions[plan->order[position]];
}

static bool has(const cj__plan *plan, int position, unsigned flag)
{
    return at(plan, position)->op->flags & flag;
}

static bool reads_any(const cj__instruction *reader, const cj__instruction *maker)
{
    for (int j = 0; j < reader->input_count; j++)
        for (int k = 0; k < maker->output_count; k++)
            if (reader->inputs[j] == maker->outputs[k])
                return true;
    return false;
}

// Whether the calls at a position and before it are parts of one group.
static bool is_within_group(const cj__plan *plan, int position)
{
    return position > 0 && position < plan->main_count && at(plan, position)->cut.group != 0 &&
           at(plan, position)->cut.group == at(plan, position - 1)->cut.group;
}

static void move(cj__plan *plan, int from, int to)
{
    const int moved = plan->order[from];
    int *order = plan->order;
    if (to < from)
        memmove(order + to + 1, order + to, (size_t)(from - to) * sizeof *order);
    else
        memmove(order + from, order + from + 1, (size_t)(to - from) * sizeof *order);
    order[to] = moved;
}

static void start_early(cj__plan *plan, int position)
{
    int to = position;
    while (to > 0 && !has(plan, to - 1, CJ__OP_EFFECT) &&
           !reads_any(at(plan, position), at(plan, to - 1)))
        to--;
    while (to < position && is_within_group(plan, to))
        to++;
    move(plan, position, to);
}

static void await_late(cj__plan *plan, int position)
{
    int to = position + 1; // the call that it will stand before
    while (to < plan->main_count && !reads_any(at(plan, to), at(plan, position)))
        to++;
    while (to > position + 1 && is_within_group(plan, to))
        to--;
    move(plan, position, to - 1);
}

static int position_of(const cj__plan *plan, int instruction)
{
    int position = 0;
    while (plan->order[position] != instruction)
        position++;
    return position;
}

static cj_status find_pairs(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    for (int position = 0; position < plan->main_count; position++) {
        if (!has(plan, position, CJ__OP_AWAIT))
            continue;
        const int producer = program->values[at(plan, position)->inputs[0]].producer;
        if (producer < 0 || !(program->instructions[producer].op->flags & CJ__OP_START))
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: input 0 is not the result of a start",
                            at(plan, position)->op->name);
        plan->pending[plan->pending_count++] =
            (cj__pending){.start = position_of(plan, producer), .await = position};
    }
    return CJ_OK;
}

cj_status cj__order_effects(cj__plan *plan)
{
    int awaits = 0;
    for (int position = 0; position < plan->main_count; position++)
        awaits += has(plan, position, CJ__OP_AWAIT);
    if (awaits == 0)
        return CJ_OK;
    plan->pending = cj__new((size_t)awaits, sizeof *plan->pending);
    if (!plan->pending)
        return CJ_OUT_OF_MEMORY;
    for (int position = 0; position < plan->main_count; position++)
        if (has(plan, position, CJ__OP_START))
            start_early(plan, position);
    for (int position = plan->main_count - 1; position >= 0; position--)
        if (has(plan, position, CJ__OP_AWAIT))
            await_late(plan, position);
    return find_pairs(plan);
}

void cj__keep_pending(const cj__plan *plan, int *last)
{
    for (int i = 0; i < plan->pending_count; i++) {
        const cj__instruction *start = at(plan, plan->pending[i].start);
        for (int j = 0; j < start->input_count + start->output_count; j++) // adjacent in memory
            if (last[start->inputs[j]] < plan->pending[i].await)
                last[start->inputs[j]] = plan->pending[i].await;
    }
}

void cj__poke_pending(cj__plan *plan, int position)
{
    for (int i = 0; i < plan->pending_count; i++) {
        cj__pending *pending = &plan->pending[i];
        const cj__call *await = &plan->calls[pending->await];
        if (pending->under_way && pending->await != position && await->op->poke)
            await->op->poke(await);
        if (position == pending->start || position == pending->await)
            pending->under_way = position == pending->start;
    }
}

cj_status cj__await_pending(cj__plan *plan, const cj__run *run, cj_status status)
{
    char cause[SENTENCE];
    bool any = false;
    snprintf(cause, sizeof cause, "%s", cj_error());
    for (int i = 0; i < plan->pending_count; i++) {
        cj__call *await = &plan->calls[plan->pending[i].await];
        if (!plan->pending[i].under_way)
            continue;
        await->pool = run->pool;
        (void)await->run(await); // the first failure counts
        plan->pending[i].under_way = false;
        any = true;
    }
    return any ? cj__fail(status, "%s", cause) : status;
}
