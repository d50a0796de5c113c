// Planning and running loops: see loop.h.
#include "graph/loop.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"

#include <string.h>

enum {
    PARTS_MAX = 8,
    ROWS_LEAST = 16,  // of a part: with fewer, products lose more than threads gain
    ROWS_WANTED = 32, // as long as there are two parts
    // Multiply-adds of a step of a part, beside which what a call costs anyway is little.
    WORK_LEAST = 500 * 1000,
};
// Bytes of what all parts keep, each for itself: products by larger weights are work enough for
// threads that share each step.
static const size_t KEPT_MOST = (size_t)16 << 20;

// ---- Planning ----

// A body on its way to plans.
typedef struct making {
    cj__loop *loop;
    cj__loop_result *results; // of the program, without what depends on a plan
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
    m->results[loop->result_count++] =
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
        const cj_shape *shape = &cj__symbol_type(body->inputs[i])->shape;
        const bool moves =
            body->roles[i] != CJ__SCAN_CARRIED && body->roles[i] != CJ__SCAN_INVARIANT;
        input->role = body->roles[i];
        input->operand = operand;
        input->bytes = moves && loop->length > 0 ? bytes / (size_t)loop->length : bytes;
        input->samples = shape->rank > 0 && shape->dims[0] == CJ_BATCH;
        input->kept_in = -1;
        operand += cj__scan_operands(input->role);
    }
}

static void place_results(const cj__loop *loop, cj__loop_part *part)
{
    const cj__plan *plan = part->plan;
    for (int i = 0; i < loop->result_count; i++) {
        cj__loop_result *result = &part->results[i];
        const int value = plan->program.outputs[i];
        const cj__buffer *root = &plan->buffers[plan->buffers[value].root];
        result->bytes = plan->buffers[value].bytes;
        result->stride =
            result->bytes / (size_t)(part->rows > 0 ? part->rows : 1) * (size_t)loop->batch;
        if (loop->part_count == 1)
            result->stride = result->bytes;
        if (result->carried < 0)
            continue;
        loop->inputs[result->carried].kept_in = i;
        if (root->home == CJ__HOME_OUTPUT && root->output != i) {
            result->follows = root->output;
        } else {
            result->offset = part->states_size;
            part->states_size += 2 * cj__align_up_64(result->bytes);
        }
    }
}

// The samples from `first` on.
static cj_status make_part(const making *m, const cj__plan *parent, int64_t first, int64_t rows,
                           cj__loop_part *part)
{
    const cj__loop *loop = m->loop;
    const size_t inputs = (size_t)loop->input_count, results = (size_t)loop->result_count;
    part->first = first;
    part->rows = rows;
    part->from = cj__new(inputs, sizeof *part->from);
    part->to = cj__new(results, sizeof *part->to);
    part->now = cj__new(inputs, sizeof *part->now);
    part->results = cj__copy_bytes(m->results, results * sizeof *part->results);
    if (!part->from || !part->to || !part->now || !part->results)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__plan_body(&m->program, rows, parent->off, &part->plan));
    place_results(loop, part);
    return CJ_OK;
}

static void free_parts(cj__loop *loop)
{
    for (int i = 0; loop->parts && i < loop->part_count; i++) {
        cj__loop_part *part = &loop->parts[i];
        cj__plan_free(part->plan);
        cj__free(part->results);
        cj__free(part->from);
        cj__free(part->to);
        cj__free(part->now);
    }
    cj__free(loop->parts);
    loop->parts = NULL;
}

static cj_status make_parts(const making *m, const cj__plan *parent, int count)
{
    cj__loop *loop = m->loop;
    free_parts(loop);
    loop->part_count = count;
    loop->parts = cj__new((size_t)count, sizeof *loop->parts);
    if (!loop->parts)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count; i++) {
        const int64_t first = parent->batch * i / count, after = parent->batch * (i + 1) / count;
        CJ_TRY(make_part(m, parent, count > 1 ? first : 0,
                         count > 1 ? after - first : parent->batch, &loop->parts[i]));
    }
    return CJ_OK;
}

// How many parts pay: by shapes alone, since a part's kernels may take other forms, of other bits.
// `whole` is the plan of all of them.
static int parts_that_pay(const making *m, const cj__plan *whole)
{
    const int64_t rows = m->loop->batch;
    if (!m->program.samples_apart || !whole->device->kind->host_memory)
        return 1;
    double flops = 0;
    for (int i = 0; i < whole->program.instruction_count; i++)
        flops += whole->calls[i].op->flops ? whole->calls[i].op->flops(&whole->calls[i]) : 0;
    int64_t parts = rows >= 2 * ROWS_WANTED ? rows / ROWS_WANTED : rows / ROWS_LEAST;
    parts = rows < 2 * ROWS_WANTED && parts > 2 ? 2 : parts;
    parts = parts > PARTS_MAX ? PARTS_MAX : parts;
    while (parts > 1 &&
           (flops / 2 / (double)parts < WORK_LEAST || whole->kept_size > KEPT_MOST / (size_t)parts))
        parts--;
    return parts > 1 ? (int)parts : 1;
}

static cj_status fill(making *m, cj__plan *parent, const cj__call *call)
{
    cj__loop *loop = m->loop;
    const cj__scan_body *body = m->body;
    const size_t inputs = (size_t)body->input_count,
                 results = (size_t)(body->carried_count + body->stacked_count);
    loop->input_count = body->input_count;
    loop->carried_count = body->carried_count;
    loop->inputs = cj__new(inputs, sizeof *loop->inputs);
    m->results = cj__new(results, sizeof *m->results);
    m->needed = cj__new(inputs, sizeof *m->needed);
    m->wanted = cj__new(results, sizeof *m->wanted);
    if (!loop->inputs || !m->results || !m->needed || !m->wanted)
        return CJ_OUT_OF_MEMORY;
    describe_inputs(loop, body, call);
    CJ_TRY(prune(m, parent));
    CJ_TRY(make_parts(m, parent, 1));
    const int count = parts_that_pay(m, loop->parts[0].plan);
    return count > 1 ? make_parts(m, parent, count) : CJ_OK;
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
    m.loop->batch = parent->batch;
    m.loop->reverse = attrs->reverse != 0;
    const cj_status status = fill(&m, parent, call);
    cj__program_free(&m.program);
    cj__free(m.results);
    cj__free(m.needed);
    cj__free(m.wanted);
    if (status == CJ_OK) {
        *workspace = 0;
        for (int i = 0; i < m.loop->part_count; i++) {
            cj__loop_part *part = &m.loop->parts[i];
            part->begin = *workspace;
            *workspace += cj__align_up_64(part->states_size + part->plan->arena_size);
        }
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
    free_parts(loop);
    cj__free(loop->inputs);
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

static size_t first_byte(const cj__loop_part *part, const cj__loop_result *result)
{
    return part->first > 0 ? result->bytes / (size_t)part->rows * (size_t)part->first : 0;
}

// Where the part's samples of an input begin in the value that has all of them.
static const void *samples_of(const cj__loop *loop, const cj__loop_part *part,
                              const cj__loop_input *input, const void *data)
{
    return input->samples && part->first > 0 ?
               entry(data, part->first, input->bytes / (size_t)loop->batch) :
               data;
}

static const void *place_of_input(const cj__loop *loop, const cj__loop_part *part,
                                  const cj__call *call, int index, int64_t t)
{
    const cj__loop_input *input = &loop->inputs[index];
    const void *data = call->inputs[input->operand].data;
    int64_t at = t;
    switch (input->role) {
    case CJ__SCAN_CARRIED:
        return part->now[index];
    case CJ__SCAN_INVARIANT:
        return samples_of(loop, part, input, data);
    case CJ__SCAN_BEFORE:
        at = t - 1;
        break;
    case CJ__SCAN_AFTER:
        at = t + 1;
        break;
    case CJ__SCAN_SLICE:
        break;
    }
    return samples_of(loop, part, input,
                      at < 0 || at >= loop->length ? call->inputs[input->operand + 1].data :
                                                     entry(data, at, input->bytes));
}

static void point_step(const cj__loop *loop, cj__loop_part *part, const cj__call *call,
                       int64_t step)
{
    const int64_t t = loop->reverse ? loop->length - 1 - step : step;
    for (int i = 0; i < loop->input_count; i++)
        part->from[i] = loop->inputs[i].read ? place_of_input(loop, part, call, i, t) : NULL;
    for (int i = 0; i < loop->result_count; i++) {
        const cj__loop_result *result = &part->results[i];
        if (result->follows >= 0)
            part->to[i] = NULL;
        else if (result->carried < 0)
            part->to[i] = (char *)call->outputs[result->output].data + (size_t)t * result->stride +
                          first_byte(part, result);
        else
            part->to[i] = (char *)call->workspace + part->begin + result->offset +
                          (step % 2 != 0 ? cj__align_up_64(result->bytes) : 0);
    }
}

// The carried values are now what the step made of them.
static void carry(const cj__loop *loop, cj__loop_part *part)
{
    for (int k = 0; k < loop->carried_count; k++) {
        const int kept = loop->inputs[k].kept_in;
        if (kept < 0)
            continue;
        const int follows = part->results[kept].follows;
        part->now[k] = part->to[follows >= 0 ? follows : kept];
    }
}

static cj_status copy_last(const cj__loop *loop, const cj__loop_part *part, const cj__call *call)
{
    cj__device *device = part->plan->device;
    for (int k = 0; k < loop->carried_count; k++) {
        char *to = call->outputs[k].data;
        if (!to || loop->inputs[k].kept_in < 0)
            continue;
        const cj__loop_result *result = &part->results[loop->inputs[k].kept_in];
        CJ_TRY(device->kind->copy_within(device, to + first_byte(part, result), part->now[k],
                                         result->bytes));
    }
    return CJ_OK;
}

// All steps of a part, on the threads of a pool, or alone.
static cj_status run_part(cj__loop *loop, cj__loop_part *part, const cj__call *call, cj_pool *pool)
{
    double *seconds = loop->timing && part == loop->parts ? loop->seconds : NULL;
    cj__plan_point(part->plan, (char *)call->workspace + part->begin + part->states_size);
    cj__forget_kept(part->plan);
    for (int k = 0; k < loop->carried_count; k++)
        part->now[k] = samples_of(loop, part, &loop->inputs[k], call->inputs[k].data);
    for (int64_t step = 0; step < loop->length; step++) {
        point_step(loop, part, call, step);
        CJ_TRY(cj__plan_step(part->plan, pool, part->from, part->to, seconds));
        carry(loop, part);
    }
    return copy_last(loop, part, call);
}

static void run_parts(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    for (int64_t i = begin; i < end; i++) {
        cj__loop_part *part = &call->loop->parts[i];
        part->status = run_part(call->loop, part, call, NULL);
    }
}

// Parts side by side, if there are enough for most threads; or one after another, each shared by
// all of them.
cj_status cj__loop_run(const cj__call *call)
{
    cj__loop *loop = call->loop;
    const bool apart = loop->part_count > 1 && cj_pool_threads(call->pool) <= 2 * loop->part_count;
    if (apart)
        cj__parallel(call->pool, loop->part_count, 1, run_parts, (void *)(uintptr_t)call);
    for (int i = 0; i < loop->part_count; i++) {
        cj__loop_part *part = &loop->parts[i];
        loop->failed = i;
        // one that failed runs again, since its sentence is another thread's
        if (!apart || part->status != CJ_OK)
            CJ_TRY(run_part(loop, part, call, call->pool));
    }
    return CJ_OK;
}
