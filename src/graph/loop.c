// Planning and running loops: see loop.h.
#include "graph/loop.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

// ---- Planning ----

// A body on its way to a plan.
typedef struct making {
    cj__loop *loop;
    const cj__scan_body *body;
    const bool *read;   // by output of the call
    bool *needed;       // by carried input: read after the last step, or by the next one
    cj_symbol **wanted; // the results of the program
    cj__program program;
} making;

static size_t bytes_of(const cj__type *type)
{
    return (size_t)cj_shape_count(&type->shape) * cj_dtype_size(type->dtype);
}

static void add_result(making *m, int index, int carried)
{
    cj__loop *loop = m->loop;
    m->wanted[loop->result_count] = m->body->results[index];
    loop->results[loop->result_count++] =
        (cj__loop_result){.output = index, .carried = carried, .follows = -1};
}

// The program of all sequences that are read and of the carried values known to be needed.
// Sequences come first, since a plan gives memory that two results share to the first.
static cj_status make_program(making *m, const cj__plan *parent)
{
    const cj__scan_body *body = m->body;
    m->loop->result_count = 0;
    for (int j = 0; j < body->stacked_count; j++)
        if (m->read[body->carried_count + j])
            add_result(m, body->carried_count + j, -1);
    for (int k = 0; k < body->carried_count; k++)
        if (m->needed[k])
            add_result(m, k, k);
    const cj_function_args args = {.inputs = body->inputs,
                                   .input_count = body->input_count,
                                   .outputs = m->wanted,
                                   .output_count = m->loop->result_count};
    cj__program_free(&m->program);
    CJ_TRY(cj__program_new(&args, &m->program));
    m->program.device = parent->device;
    m->program.steps = m->loop->length;
    for (int i = 0; i < m->program.value_count; i++) {
        cj__value_info *value = &m->program.values[i];
        value->invariant =
            value->kind == CJ__VALUE_INPUT && body->roles[value->input] == CJ__SCAN_INVARIANT;
    }
    return cj__program_optimize(&m->program, CJ__STAGE_GRAPH, parent->off);
}

// Finds which inputs the program reads; whether a carried one is among them whose next value is not
// yet computed.
static bool find_inputs(making *m)
{
    bool grew = false;
    for (int i = 0; i < m->body->input_count; i++)
        m->loop->inputs[i].read = false;
    for (int i = 0; i < m->program.value_count; i++)
        if (m->program.values[i].kind == CJ__VALUE_INPUT)
            m->loop->inputs[m->program.values[i].input].read = true;
    for (int k = 0; k < m->body->carried_count; k++) {
        grew = grew || (m->loop->inputs[k].read && !m->needed[k]);
        m->needed[k] = m->needed[k] || m->loop->inputs[k].read;
    }
    return grew;
}

// Carried values that nothing needs, and what only they need, are not computed.
static cj_status prune(making *m, const cj__plan *parent)
{
    for (int k = 0; k < m->body->carried_count; k++)
        m->needed[k] = m->read[k];
    do
        CJ_TRY(make_program(m, parent));
    while (find_inputs(m));
    return CJ_OK;
}

static void describe_inputs(cj__loop *loop, const cj__scan_body *body, const cj__call *call)
{
    int operand = 0;
    for (int i = 0; i < loop->input_count; i++) {
        cj__loop_input *input = &loop->inputs[i];
        const size_t bytes = bytes_of(&call->inputs[operand].type);
        const bool moves =
            body->roles[i] != CJ__SCAN_CARRIED && body->roles[i] != CJ__SCAN_INVARIANT;
        input->role = body->roles[i];
        input->operand = operand;
        input->bytes = moves && loop->length > 0 ? bytes / (size_t)loop->length : bytes;
        input->kept_in = -1;
        operand += cj__scan_operands(input->role);
    }
}

static void place_results(cj__loop *loop)
{
    const cj__plan *plan = loop->plan;
    for (int i = 0; i < loop->result_count; i++) {
        cj__loop_result *result = &loop->results[i];
        const int value = plan->program.outputs[i];
        const cj__buffer *root = &plan->buffers[plan->buffers[value].root];
        result->bytes = plan->buffers[value].bytes;
        if (result->carried < 0)
            continue;
        loop->inputs[result->carried].kept_in = i;
        if (root->home == CJ__HOME_OUTPUT && root->output != i) {
            result->follows = root->output;
        } else {
            result->offset = loop->states_size;
            loop->states_size += 2 * cj__align_up_64(result->bytes);
        }
    }
}

static cj_status fill(making *m, const cj__plan *parent, const cj__call *call)
{
    cj__loop *loop = m->loop;
    const cj__scan_body *body = m->body;
    const size_t inputs = (size_t)body->input_count,
                 results = (size_t)(body->carried_count + body->stacked_count);
    loop->input_count = body->input_count;
    loop->carried_count = body->carried_count;
    loop->inputs = cj__new(inputs, sizeof *loop->inputs);
    loop->results = cj__new(results, sizeof *loop->results);
    loop->from = cj__new(inputs, sizeof *loop->from);
    loop->to = cj__new(results, sizeof *loop->to);
    loop->now = cj__new(inputs, sizeof *loop->now);
    m->needed = cj__new(inputs, sizeof *m->needed);
    m->wanted = cj__new(results, sizeof *m->wanted);
    if (!loop->inputs || !loop->results || !loop->from || !loop->to || !loop->now || !m->needed ||
        !m->wanted)
        return CJ_OUT_OF_MEMORY;
    describe_inputs(loop, body, call);
    CJ_TRY(prune(m, parent));
    CJ_TRY(cj__plan_body(&m->program, parent->batch, parent->off, &loop->plan));
    place_results(loop);
    return CJ_OK;
}

cj_status cj__loop_new(cj__plan *parent, const cj__call *call, const bool *read, cj__loop **loop,
                       size_t *workspace)
{
    const cj__scan_attrs *attrs = call->attrs;
    making m = {.body = attrs->body, .read = read};
    *loop = m.loop = cj__new(1, sizeof **loop);
    if (!m.loop)
        return CJ_OUT_OF_MEMORY;
    m.loop->length = attrs->length;
    m.loop->reverse = attrs->reverse != 0;
    const cj_status status = fill(&m, parent, call);
    cj__program_free(&m.program);
    cj__free(m.needed);
    cj__free(m.wanted);
    if (status == CJ_OK) {
        *workspace = m.loop->states_size + m.loop->plan->arena_size;
    } else {
        cj__loop_free(m.loop);
        *loop = NULL;
    }
    return status;
}

void cj__loop_free(cj__loop *loop)
{
    if (!loop)
        return;
    cj__plan_free(loop->plan);
    cj__free(loop->inputs);
    cj__free(loop->results);
    cj__free(loop->from);
    cj__free(loop->to);
    cj__free(loop->now);
    cj__free(loop->seconds);
    cj__free(loop);
}

int cj__loop_invariant(const cj__loop *loop, int input)
{
    return loop->inputs[input].role == CJ__SCAN_INVARIANT ? loop->inputs[input].operand : -1;
}

// ---- Running ----

static const char *entry(const void *sequence, int64_t t, size_t bytes)
{
    return (const char *)sequence + (size_t)t * bytes;
}

static const void *place_of_input(const cj__loop *loop, const cj__call *call, int index, int64_t t)
{
    const cj__loop_input *input = &loop->inputs[index];
    const void *data = call->inputs[input->operand].data;
    int64_t at = t;
    switch (input->role) {
    case CJ__SCAN_CARRIED:
        return loop->now[index];
    case CJ__SCAN_INVARIANT:
        return data;
    case CJ__SCAN_BEFORE:
        at = t - 1;
        break;
    case CJ__SCAN_AFTER:
        at = t + 1;
        break;
    case CJ__SCAN_SLICE:
        break;
    }
    return at < 0 || at >= loop->length ? call->inputs[input->operand + 1].data :
                                          entry(data, at, input->bytes);
}

static void point_step(cj__loop *loop, const cj__call *call, int64_t step)
{
    const int64_t t = loop->reverse ? loop->length - 1 - step : step;
    for (int i = 0; i < loop->input_count; i++)
        loop->from[i] = loop->inputs[i].read ? place_of_input(loop, call, i, t) : NULL;
    for (int i = 0; i < loop->result_count; i++) {
        const cj__loop_result *result = &loop->results[i];
        if (result->follows >= 0)
            loop->to[i] = NULL;
        else if (result->carried < 0)
            loop->to[i] =
                (char *)(uintptr_t)entry(call->outputs[result->output].data, t, result->bytes);
        else
            loop->to[i] = (char *)call->workspace + result->offset +
                          (step % 2 != 0 ? cj__align_up_64(result->bytes) : 0);
    }
}

// The carried values are now what the step made of them.
static void carry(cj__loop *loop)
{
    for (int k = 0; k < loop->carried_count; k++) {
        const int kept = loop->inputs[k].kept_in;
        if (kept < 0)
            continue;
        const int follows = loop->results[kept].follows;
        loop->now[k] = loop->to[follows >= 0 ? follows : kept];
    }
}

static cj_status copy_last(const cj__loop *loop, const cj__call *call)
{
    cj__device *device = loop->plan->device;
    for (int k = 0; k < loop->carried_count; k++) {
        void *to = call->outputs[k].data;
        if (to && loop->inputs[k].kept_in >= 0)
            CJ_TRY(device->kind->copy_within(device, to, loop->now[k],
                                             bytes_of(&call->outputs[k].type)));
    }
    return CJ_OK;
}

cj_status cj__loop_run(const cj__call *call)
{
    cj__loop *loop = call->loop;
    cj__plan_point(loop->plan, (char *)call->workspace + loop->states_size);
    cj__forget_kept(loop->plan);
    for (int k = 0; k < loop->carried_count; k++)
        loop->now[k] = call->inputs[k].data;
    for (int64_t step = 0; step < loop->length; step++) {
        point_step(loop, call, step);
        CJ_TRY(cj__plan_step(loop->plan, call->pool, loop->from, loop->to,
                             loop->timing ? loop->seconds : NULL));
        carry(loop);
    }
    return copy_last(loop, call);
}
