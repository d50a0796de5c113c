// Running a plan. Nothing is allocated here, but for cj__plan_time().
#include "graph/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "graph/loop.h"
#include "ops/run.h"
#include "ops/variable.h"

#include <stdlib.h>
#include <string.h>

static double now(void)
{
    return 1e-9 * (double)cj__clock();
}

// Results of a part that are sums are first written to memory after the workspace, then added.
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
                          const cj__run *run)
{
    const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
    const cj__call *whole = &plan->calls[position];
    if (!whole->run)
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
    part.call.setup = cj__part_setup(plan, position, first);
    part.call.pool = run->pool;
    if (first == 0)
        return part.call.run(&part.call);
    point_sums(&part, (char *)whole->workspace + split->workspace);
    CJ_TRY(part.call.run(&part.call));
    add_sums(whole, &part);
    return CJ_OK;
}

static cj_status run_split(cj__plan *plan, const cj__split *split, const cj__run *run,
                           double *seconds)
{
    for (int64_t first = 0; first < split->rows; first += split->part) {
        for (int i = split->begin; i < split->end; i++) {
            const double before = seconds ? now() : 0;
            CJ_TRY(run_part(plan, split, i, first, run));
            if (seconds)
                seconds[i] += now() - before;
        }
    }
    return CJ_OK;
}

// The variable that a value is, or is computed from alone (a rounded table); NULL for none.
static const cj_variable *variable_behind(const cj__program *program, int value)
{
    while (program->values[value].kind == CJ__VALUE_TEMPORARY) {
        const cj__instruction *producer = &program->instructions[program->values[value].producer];
        if (producer->input_count != 1)
            return NULL;
        value = producer->inputs[0];
    }
    return program->values[value].variable;
}

// Whether a failed call reads an input: of a loop, whether the call in its body that failed does.
static bool is_read_by_failed(const cj__plan *plan, int position, int input)
{
    const cj__loop *loop = plan->loops ? plan->loops[position] : NULL;
    if (!loop)
        return true;
    const cj__plan *body = loop->parts[loop->failed].plan;
    if (body->failed < 0)
        return false;
    const cj__instruction *failed = &body->program.instructions[body->order[body->failed]];
    for (int i = 0; i < failed->input_count; i++) {
        const int leaf = cj__leaf_of(&body->program, failed->inputs[i]);
        if (leaf >= 0 && body->program.values[leaf].kind == CJ__VALUE_INPUT &&
            cj__loop_invariant(loop, body->program.values[leaf].input) == input &&
            is_read_by_failed(body, body->failed, i))
            return true;
    }
    return false;
}

// Puts the name of the variable that a failed call reads, which says whose call it was, before the
// sentence.
static cj_status name_failure(cj__plan *plan, int position, cj_status status)
{
    const cj__program *program = &plan->program;
    const cj__instruction *failed = &program->instructions[plan->order[position]];
    plan->failed = position;
    for (int i = 0; i < failed->input_count; i++) {
        const cj_variable *variable = variable_behind(program, failed->inputs[i]);
        if (variable && is_read_by_failed(plan, position, i))
            return cj__fail_in(status, "%s", variable->name);
    }
    return status;
}

// Runs the calls at some positions one by one, splits as a whole; adds to the seconds of each, unless
// that is NULL.
static cj_status run_calls(cj__plan *plan, const cj__run *run, int begin, int end, double *seconds)
{
    int split = 0;
    while (split < plan->split_count && plan->splits[split].begin < begin)
        split++;
    for (int i = begin; i < end; i++) {
        if (split < plan->split_count && plan->splits[split].begin == i) {
            CJ_TRY(run_split(plan, &plan->splits[split], run, seconds));
            i = plan->splits[split++].end - 1;
            if (plan->pending_count > 0)
                cj__poke_pending(plan, i);
            continue;
        }
        cj__call *call = &plan->calls[i];
        if (!call->run)
            continue;
        call->pool = run->pool;
        const double before = seconds ? now() : 0;
        const cj_status status = call->run(call);
        if (status != CJ_OK)
            return name_failure(plan, i, status);
        if (seconds)
            seconds[i] += now() - before;
        if (plan->pending_count > 0)
            cj__poke_pending(plan, i);
    }
    return CJ_OK;
}

// Makes the results of steady calls, unless they are there.
static cj_status make_steady(cj__plan *plan, const cj__run *run)
{
    if (plan->steady_count == 0 || cj__steady_is_valid(plan))
        return CJ_OK;
    CJ_TRY(run_calls(plan, run, 0, plan->steady_count, NULL));
    plan->steady_made = true;
    return CJ_OK;
}

// Runs the main calls (0) or the updates (1): as a list where the device can, but for a plan with
// calls that are started early, which are poked between the others.
static cj_status run_list(cj__plan *plan, const cj__run *run, int index)
{
    const cj__device_kind *kind = plan->device->kind;
    const int begin = index == 0 ? plan->steady_count : plan->main_count,
              end = index == 0 ? plan->main_count : plan->program.instruction_count;
    if (index == 0)
        CJ_TRY(make_steady(plan, run));
    if (!kind->run_list || plan->pending_count > 0)
        return run_calls(plan, run, begin, end, NULL);
    const cj__call_list list = {plan->calls + begin, end - begin, index, plan->version};
    return kind->run_list(plan->device, plan->device_own, &list, run);
}

// Points the calls of a body to the inputs and results of a step.
static void point_operands(cj__plan *plan, const void *const *inputs, void *const *outputs)
{
    for (int i = 0; i < plan->patch_count; i++) {
        const struct cj__patch *patch = &plan->patches[i];
        patch->operand->data =
            patch->input >= 0 ? (void *)(uintptr_t)inputs[patch->input] : outputs[patch->output];
    }
    plan->version++;
}

// Of a body: what is no result of a call of its own.
static cj_status copy_results(cj__plan *plan, const void *const *inputs, void *const *outputs)
{
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        const int root = plan->buffers[copy->from].root;
        const cj__buffer *buffer = &plan->buffers[root];
        const void *from = buffer->home == CJ__HOME_INPUT ?
                               inputs[plan->program.values[root].input] :
                           buffer->home == CJ__HOME_OUTPUT ? outputs[buffer->output] :
                                                             buffer->data;
        if (outputs[copy->output])
            CJ_TRY(plan->device->kind->copy_within(plan->device, outputs[copy->output], from,
                                                   copy->bytes));
    }
    return CJ_OK;
}

cj_status cj__plan_step(cj__plan *plan, cj_pool *pool, const void *const *inputs,
                        void *const *outputs, double *seconds)
{
    const cj__run run = {.pool = pool};
    point_operands(plan, inputs, outputs);
    if (seconds) {
        CJ_TRY(make_steady(plan, &run));
        CJ_TRY(run_calls(plan, &run, plan->steady_count, plan->program.instruction_count, seconds));
    } else {
        CJ_TRY(run_list(plan, &run, 0));
        if (plan->main_count < plan->program.instruction_count)
            CJ_TRY(run_list(plan, &run, 1));
    }
    return copy_results(plan, inputs, outputs);
}

// The address of a value in this run.
static const void *address_of(const cj__plan *plan, const void *const *inputs, int value)
{
    int root = plan->buffers[value].root;
    return plan->buffers[root].home == CJ__HOME_INPUT ? inputs[plan->program.values[root].input] :
                                                        plan->buffers[root].data;
}

// Points the calls to the caller's inputs, or copies the inputs into the arena.
static cj_status bring_inputs(cj__plan *plan, const void *const *inputs)
{
    for (int i = 0; i < plan->patch_count; i++)
        plan->patches[i].operand->data = (void *)(uintptr_t)inputs[plan->patches[i].input];
    for (int i = 0; i < plan->staged_count; i++) {
        const cj__buffer *buffer = &plan->buffers[plan->staged[i]];
        const int input = plan->program.values[plan->staged[i]].input;
        CJ_TRY(
            plan->device->kind->copy_in(plan->device, buffer->data, inputs[input], buffer->bytes));
    }
    return CJ_OK;
}

static cj_status save_old_values(cj__plan *plan, const void *const *inputs)
{
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        if (copy->saved)
            CJ_TRY(plan->device->kind->copy_within(
                plan->device, copy->saved, address_of(plan, inputs, copy->from), copy->bytes));
    }
    return CJ_OK;
}

static cj_status bring_results(cj__plan *plan, const void *const *inputs, void *const *outputs)
{
    const cj__device_kind *kind = plan->device->kind;
    for (int i = 0; i < plan->copy_count; i++) {
        const cj__copy *copy = &plan->copies[i];
        const void *from = copy->saved ? copy->saved : address_of(plan, inputs, copy->from);
        void *output = outputs && copy->output >= 0 ? outputs[copy->output] : NULL;
        if (output)
            CJ_TRY(kind->copy_out(plan->device, output, from, copy->bytes));
        if (copy->to)
            CJ_TRY(
                kind->copy_within(plan->device, cj__variable_memory(copy->to), from, copy->bytes));
    }
    return CJ_OK;
}

static cj_status run_steps(cj__plan *plan, const cj__run *run, const void *const *inputs,
                           void *const *outputs)
{
    CJ_TRY(bring_inputs(plan, inputs));
    CJ_TRY(run_list(plan, run, 0));
    CJ_TRY(save_old_values(plan, inputs));
    CJ_TRY(run_list(plan, run, 1));
    return bring_results(plan, inputs, outputs);
}

static cj_status check_places(const cj__plan *plan)
{
    for (int i = 0; i < plan->placed_count; i++)
        if (cj__variable_memory(plan->placed[i].variable) != plan->placed[i].memory)
            return cj__fail(CJ_INVALID_ARGUMENT,
                            "function: variable \"%s\" was moved to another device after the "
                            "function was planned for \"%s\"",
                            plan->placed[i].variable->name, plan->device->kind->name);
    return CJ_OK;
}

static void note_changes(const cj__plan *plan)
{
    for (int i = 0; i < plan->program.update_count; i++)
        cj__variable_changed(plan->program.updated[i]);
}

cj_status cj__plan_run(cj__plan *plan, const void *const *inputs, void *const *outputs)
{
    cj__device *device = plan->device;
    cj__run run = {0};
    CJ_TRY(check_places(plan));
    CJ_TRY(device->kind->begin(device, plan->device_own, &run));
    cj_status status = run_steps(plan, &run, inputs, outputs);
    if (status != CJ_OK)
        status = cj__await_pending(plan, &run, status);
    note_changes(plan);
    return device->kind->end(device, plan->device_own, &run, status);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Measures every call in each of `rounds` runs, after a run to warm up. The times of call i begin at
// times[i * rounds].
static cj_status time_rounds(cj__plan *plan, const cj__run *run, int rounds, double *seconds,
                             double *times)
{
    const int count = plan->program.instruction_count;
    for (int round = -1; round < rounds; round++) {
        memset(seconds, 0, (size_t)count * sizeof *seconds);
        CJ_TRY(make_steady(plan, run));
        CJ_TRY(run_calls(plan, run, plan->steady_count, count, seconds));
        for (int i = 0; i < count && round >= 0; i++)
            times[(size_t)i * (size_t)rounds + (size_t)round] = seconds[i];
    }
    return CJ_OK;
}

// Times the calls of all loops too, or ends that: their seconds are then those of one run.
static cj_status time_loops(cj__plan *plan, bool begin, int rounds)
{
    for (int i = 0; plan->loops && i < plan->program.instruction_count; i++) {
        cj__loop *loop = plan->loops[i];
        if (!loop)
            continue;
        const int count = loop->parts[0].plan->program.instruction_count;
        if (begin && !loop->seconds)
            loop->seconds = cj__new((size_t)count, sizeof *loop->seconds);
        if (begin && !loop->seconds)
            return CJ_OUT_OF_MEMORY;
        for (int j = 0; j < count && loop->seconds; j++)
            loop->seconds[j] = begin ? 0 : loop->seconds[j] / (rounds + 1);
        loop->timing = begin;
        CJ_TRY(time_loops(loop->parts[0].plan, begin, rounds));
    }
    return CJ_OK;
}

cj_status cj__plan_time(cj__plan *plan, const void *const *inputs, int rounds, double *seconds)
{
    const int count = plan->program.instruction_count;
    cj__device *device = plan->device;
    cj__run run = {.timing = true};
    double *times = cj__new((size_t)count * (size_t)rounds, sizeof *times);
    if (!times)
        return CJ_OUT_OF_MEMORY;
    cj_status status = check_places(plan);
    if (status == CJ_OK)
        status = time_loops(plan, true, rounds);
    if (status == CJ_OK)
        status = device->kind->begin(device, plan->device_own, &run);
    if (status == CJ_OK) {
        status = bring_inputs(plan, inputs);
        if (status == CJ_OK)
            status = time_rounds(plan, &run, rounds, seconds, times);
        if (status != CJ_OK)
            status = cj__await_pending(plan, &run, status);
        note_changes(plan);
        status = device->kind->end(device, plan->device_own, &run, status);
    }
    (void)time_loops(plan, false, rounds); // allocates nothing
    for (int i = 0; i < count && status == CJ_OK; i++) {
        qsort(times + (size_t)i * (size_t)rounds, (size_t)rounds, sizeof *times, ascending);
        seconds[i] = times[(size_t)i * (size_t)rounds + (size_t)rounds / 2];
    }
    cj__free(times);
    return status;
}
