// Making a plan, in this order: concrete types, the order of calls, the home and lifetime of each
// value, offsets in the arena, and the calls themselves.
#include "graph/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "graph/loop.h"
#include "ops/variable.h"

#include <string.h>

// ---- Concrete types ----

static cj_status take_types(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    for (int i = 0; i < program->value_count; i++) {
        const cj__type *type = &program->values[i].type;
        int64_t bytes = 0;
        if (__builtin_mul_overflow(cj_shape_count(&type->shape),
                                   (int64_t)cj_dtype_size(type->dtype), &bytes) ||
            bytes < 0)
            return cj__fail(CJ_OUT_OF_MEMORY, "function: a batch of %lld is too large",
                            (long long)plan->batch);
        plan->buffers[i] = (cj__buffer){
            .type = *type, .home = CJ__HOME_NOWHERE, .root = i, .end = -1, .bytes = (size_t)bytes};
    }
    return CJ_OK;
}

// ---- Order: main calls, then updates ----

// The input whose memory output `k` may reuse, or -1.
static int aliased(const cj__instruction *instruction, int k)
{
    const cj__op *op = instruction->op;
    if (op->aliased)
        return op->aliased(instruction->attrs, k);
    return op->alias && k < (int)strlen(op->alias) ? op->alias[k] - '0' : -1;
}

// Whether output `k` of an update instruction is the new value of the variable that its aliased input
// reads.
static bool writes_variable(const cj__program *program, const cj__instruction *instruction, int k)
{
    if (aliased(instruction, k) < 0)
        return false;
    int input = instruction->inputs[aliased(instruction, k)];
    for (int i = 0; i < program->update_count; i++) {
        if (program->updates[i] == instruction->outputs[k])
            return program->values[input].kind == CJ__VALUE_VARIABLE &&
                   program->values[input].variable == program->updated[i];
    }
    return false;
}

static bool reads_variable(const cj__program *program, const cj__instruction *instruction,
                           const cj_variable *variable)
{
    for (int i = 0; i < instruction->input_count; i++) {
        if (cj__variable_of(program, instruction->inputs[i]) == variable)
            return true;
    }
    return false;
}

// An update instruction can run after all main calls if no instruction reads its results.
static bool can_wait(const cj__program *program, int index)
{
    const cj__instruction *update = &program->instructions[index];
    if (!(update->op->flags & CJ__OP_UPDATE))
        return false;
    for (int i = index + 1; i < program->instruction_count; i++) {
        for (int j = 0; j < program->instructions[i].input_count; j++) {
            for (int k = 0; k < update->output_count; k++) {
                if (program->instructions[i].inputs[j] == update->outputs[k])
                    return false;
            }
        }
    }
    return true;
}

// Whether another of the updates that run last reads a variable that this one writes. The writer then
// runs after its readers. If two read each other's variables, neither writes in place.
static bool is_read(const cj__program *program, const bool *waits, const int *rank, int index,
                    int rank_of_readers)
{
    const cj__instruction *writer = &program->instructions[index];
    for (int k = 0; k < writer->output_count; k++) {
        if (!writes_variable(program, writer, k))
            continue;
        const cj_variable *variable = program->values[writer->inputs[aliased(writer, k)]].variable;
        for (int i = 0; i < program->instruction_count; i++) {
            if (i != index && waits[i] && rank[i] >= rank_of_readers &&
                reads_variable(program, &program->instructions[i], variable))
                return true;
        }
    }
    return false;
}

static cj_status order_calls(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    int count = program->instruction_count, next = 0;
    bool *waits = cj__new((size_t)count, sizeof *waits);
    int *rank = cj__new((size_t)count, sizeof *rank);
    if (!waits || !rank) {
        cj__free(waits);
        cj__free(rank);
        return CJ_OUT_OF_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        waits[i] = can_wait(program, i);
        if (!waits[i])
            plan->order[next++] = i;
    }
    plan->main_count = next;
    for (int i = 0; i < count; i++)
        // all other updates count here, whatever their rank (0 or 1)
        rank[i] = waits[i] && is_read(program, waits, rank, i, 0);
    for (int last = 0; last < 2; last++) {
        for (int i = 0; i < count; i++) {
            if (waits[i] && rank[i] == last) {
                plan->order[next++] = i;
                plan->in_place[i] = last == 0 || !is_read(program, waits, rank, i, 1);
            }
        }
    }
    cj__free(waits);
    cj__free(rank);
    return CJ_OK;
}

// ---- Homes and lifetimes ----

// An input that the device cannot read in the caller's memory has a place in the arena, from before
// the first call until its last reader.
static void find_home_of_input(cj__plan *plan, int value, const int *last)
{
    cj__buffer *buffer = &plan->buffers[value];
    if (plan->device->kind->host_memory || plan->is_body) {
        buffer->home = CJ__HOME_INPUT;
    } else if (last[value] >= 0) {
        buffer->home = CJ__HOME_ARENA;
        buffer->begin = -1;
        buffer->end = last[value];
        plan->staged[plan->staged_count++] = value;
    }
}

static void find_homes_of_leaves(cj__plan *plan, const int *last)
{
    for (int i = 0; i < plan->program.value_count; i++) {
        const cj__value_info *value = &plan->program.values[i];
        cj__buffer *buffer = &plan->buffers[i];
        if (value->kind == CJ__VALUE_INPUT)
            find_home_of_input(plan, i, last);
        else if (value->kind != CJ__VALUE_TEMPORARY)
            buffer->home = CJ__HOME_FIXED;
        if (value->kind == CJ__VALUE_VARIABLE)
            buffer->data = cj__variable_memory(value->variable);
        else if (value->kind == CJ__VALUE_CONSTANT)
            buffer->data = cj_tensor_data(value->constant);
    }
}

// On a device whose memory is not the host's, the constants of a plan lie in one block.
static cj_status bring_constants(cj__plan *plan)
{
    const cj__device_kind *kind = plan->device->kind;
    if (kind->host_memory)
        return CJ_OK;
    for (int i = 0; i < plan->program.value_count; i++)
        if (plan->program.values[i].kind == CJ__VALUE_CONSTANT)
            plan->constants_size += cj__align_up_64(plan->buffers[i].bytes);
    plan->constants = kind->allocate(plan->device, plan->constants_size);
    if (!plan->constants)
        return cj_error_status();
    char *next = plan->constants;
    for (int i = 0; i < plan->program.value_count; i++) {
        cj__buffer *buffer = &plan->buffers[i];
        if (plan->program.values[i].kind != CJ__VALUE_CONSTANT)
            continue;
        CJ_TRY(kind->copy_in(plan->device, next, buffer->data, buffer->bytes));
        buffer->data = next;
        next += cj__align_up_64(buffer->bytes);
    }
    return CJ_OK;
}

static void note_place(cj__plan *plan, cj_variable *variable)
{
    if (variable)
        plan->placed[plan->placed_count++] =
            (struct cj__placed){variable, cj__variable_memory(variable)};
}

// Records where the variables are, so that a run detects one that has moved since.
static void note_places(cj__plan *plan)
{
    for (int i = 0; i < plan->program.value_count; i++)
        note_place(plan, plan->program.values[i].variable);
    for (int i = 0; i < plan->program.update_count; i++)
        note_place(plan, plan->program.updated[i]);
}

// Finds the last position that reads each value. Outputs and updates are read after the last call.
static void find_last_reads(const cj__plan *plan, int *last)
{
    const cj__program *program = &plan->program;
    for (int i = 0; i < program->value_count; i++)
        last[i] = -1;
    for (int position = 0; position < program->instruction_count; position++) {
        const cj__instruction *instruction = &program->instructions[plan->order[position]];
        for (int j = 0; j < instruction->input_count; j++)
            last[instruction->inputs[j]] = position;
    }
    for (int i = 0; i < program->output_count; i++)
        last[program->outputs[i]] = program->instruction_count;
    for (int i = 0; i < program->update_count; i++)
        last[program->updates[i]] = program->instruction_count;
    cj__keep_pending(plan, last);
    // A view keeps its source alive. Later views come first, so that chains are followed.
    for (int position = program->instruction_count - 1; position >= 0; position--) {
        const cj__instruction *instruction = &program->instructions[plan->order[position]];
        int source = instruction->input_count != 0 ? instruction->inputs[0] : -1,
            view = instruction->outputs[0];
        if ((instruction->op->flags & (CJ__OP_VIEW | CJ__OP_AWAIT)) && last[view] > last[source])
            last[source] = last[view];
    }
}

static void share(cj__plan *plan, int value, int with)
{
    plan->buffers[value].home = CJ__HOME_SHARED;
    plan->buffers[value].root = plan->buffers[with].root;
}

// An element-wise result may reuse the memory of an input of the same type whose last reader this
// call is.
static bool take_dying_input(cj__plan *plan, const cj__instruction *instruction, int position)
{
    int result = instruction->outputs[0];
    for (int j = 0; j < instruction->input_count; j++) {
        int input = instruction->inputs[j], root = plan->buffers[input].root;
        if (plan->buffers[root].home == CJ__HOME_ARENA && plan->buffers[root].end <= position &&
            plan->buffers[root].bytes == plan->buffers[result].bytes &&
            cj__type_equal(&plan->buffers[input].type, &plan->buffers[result].type)) {
            share(plan, result, input);
            return true;
        }
    }
    return false;
}

static void lengthen(cj__plan *plan, int value, int begin, int end)
{
    cj__buffer *root = &plan->buffers[plan->buffers[value].root];
    root->end = end > root->end ? end : root->end;
    if (plan->buffers[value].home == CJ__HOME_ARENA)
        root->begin = begin;
}

static void find_home(cj__plan *plan, const int *last, int position)
{
    int index = plan->order[position];
    const cj__instruction *instruction = &plan->program.instructions[index];
    for (int k = 0; k < instruction->output_count; k++) {
        int value = instruction->outputs[k];
        cj__buffer *buffer = &plan->buffers[value];
        if (plan->in_place[index] && writes_variable(&plan->program, instruction, k)) {
            share(plan, value, instruction->inputs[aliased(instruction, k)]);
        } else if ((instruction->op->flags & CJ__OP_VIEW) ||
                   (k == 0 && (instruction->op->flags & CJ__OP_AWAIT))) {
            share(plan, value, instruction->inputs[0]);
        } else if (last[value] < 0 && k > 0 && !(instruction->op->flags & CJ__OP_UPDATE)) {
            buffer->home = CJ__HOME_NOWHERE;
        } else if (instruction->steady) {
            buffer->home = CJ__HOME_FIXED;
        } else if (k != 0 || !(instruction->op->flags & CJ__OP_ELEMENTWISE) ||
                   !take_dying_input(plan, instruction, position)) {
            buffer->home = CJ__HOME_ARENA;
        }
        lengthen(plan, value, position, last[value] > position ? last[value] : position);
    }
}

// The results of a body that calls make go where each step has them; of two in one memory the first.
static void find_homes_of_results(cj__plan *plan)
{
    for (int i = 0; plan->is_body && i < plan->program.output_count; i++) {
        cj__buffer *root = &plan->buffers[plan->buffers[plan->program.outputs[i]].root];
        if (root->home != CJ__HOME_ARENA)
            continue;
        root->home = CJ__HOME_OUTPUT;
        root->output = i;
    }
}

// ---- Memory, calls, copies ----

static bool is_from_caller(const cj__plan *plan, const cj__instruction *instruction)
{
    if (plan->is_body)
        return false;
    for (int i = 0; i < instruction->input_count; i++) {
        const cj__value_kind kind =
            plan->program.values[plan->buffers[instruction->inputs[i]].root].kind;
        if (kind != CJ__VALUE_INPUT && kind != CJ__VALUE_CONSTANT)
            return false;
    }
    return instruction->input_count > 0;
}

// A call that is a loop: its body is planned, and it runs that.
static cj_status make_loop(cj__plan *plan, int position, size_t *workspace)
{
    const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
    cj__call *call = &plan->calls[position];
    bool *read = cj__new((size_t)instruction->output_count, sizeof *read);
    if (!plan->loops)
        plan->loops = cj__new((size_t)plan->program.instruction_count, sizeof(cj__loop *));
    cj_status status = read && plan->loops ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        for (int k = 0; k < instruction->output_count; k++)
            read[k] = plan->buffers[instruction->outputs[k]].home != CJ__HOME_NOWHERE;
        status = cj__loop_new(plan, call, read, &plan->loops[position], workspace);
    }
    if (status == CJ_OK) {
        call->loop = plan->loops[position];
        call->run = cj__loop_run;
    }
    cj__free(read);
    return status;
}

static cj_status make_calls(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    size_t next = 0;
    for (int position = 0; position < program->instruction_count; position++) {
        const cj__instruction *instruction = &program->instructions[plan->order[position]];
        cj__call *call = &plan->calls[position];
        *call = cj__program_call(program, instruction, &plan->operands[next]);
        call->from_caller = is_from_caller(plan, instruction);
        next += (size_t)(instruction->input_count + instruction->output_count);
    }
    CJ_TRY(cj__make_setups(plan));
    for (int position = 0; position < program->instruction_count; position++) {
        const cj__instruction *instruction = &program->instructions[plan->order[position]];
        cj__call *call = &plan->calls[position];
        if (instruction->op->flags & CJ__OP_VIEW)
            continue;
        size_t workspace = 0;
        if (instruction->op->flags & CJ__OP_LOOP)
            CJ_TRY(make_loop(plan, position, &workspace));
        else
            CJ_TRY(plan->device->kind->prepare(plan->device, call, &workspace));
        if (instruction->cut.group == 0) // calls that run in parts: see the next loop
            plan->workspace = workspace > plan->workspace ? workspace : plan->workspace;
    }
    for (int i = 0; i < plan->split_count; i++) {
        const size_t workspace = cj__split_workspace(plan, &plan->splits[i]);
        plan->workspace = workspace > plan->workspace ? workspace : plan->workspace;
    }
    return CJ_OK;
}

static void point_calls(cj__plan *plan)
{
    plan->patch_count = 0;
    for (int position = 0; position < plan->program.instruction_count; position++) {
        const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
        cj__call *call = &plan->calls[position];
        call->workspace = plan->base + plan->buffers_size;
        for (int j = 0; j < call->input_count + call->output_count; j++) {
            const cj__buffer *buffer = &plan->buffers[instruction->inputs[j]];
            const cj__buffer *root = &plan->buffers[buffer->root];
            call->inputs[j].data = buffer->home == CJ__HOME_NOWHERE ? NULL : root->data;
            if (root->home == CJ__HOME_INPUT)
                plan->patches[plan->patch_count++] = (struct cj__patch){
                    &call->inputs[j], plan->program.values[buffer->root].input, -1};
            else if (root->home == CJ__HOME_OUTPUT && buffer->home != CJ__HOME_NOWHERE)
                plan->patches[plan->patch_count++] =
                    (struct cj__patch){&call->inputs[j], -1, root->output};
        }
    }
}

void cj__plan_point(cj__plan *plan, char *base)
{
    if (plan->base == base)
        return;
    plan->base = base;
    plan->version++;
    for (int i = 0; i < plan->program.value_count; i++) {
        if (plan->buffers[i].home == CJ__HOME_ARENA)
            plan->buffers[i].data = base + plan->buffers[i].offset;
    }
    for (int i = 0; i < plan->copy_count; i++) {
        cj__copy *copy = &plan->copies[i];
        if (copy->save)
            copy->saved =
                base + plan->buffers_size + cj__align_up_64(plan->workspace) + copy->saved_offset;
    }
    if (plan->is_body)
        cj__point_kept(plan, base + plan->arena_size - plan->kept_size);
    point_calls(plan);
}

// An update that is not written in place is copied. Updates and outputs that are the old value of a
// variable are saved before the updates run.
static void make_copies(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    for (int i = 0; i < program->output_count + program->update_count; i++) {
        bool output = i < program->output_count;
        int update = i - program->output_count;
        int value = output ? program->outputs[i] : program->updates[update];
        cj_variable *to = output ? NULL : program->updated[update];
        const cj__buffer *root = &plan->buffers[plan->buffers[value].root];
        bool fixed = root->home == CJ__HOME_FIXED;
        const cj__value_info *made = &program->values[value];
        bool in_place = fixed && made->kind == CJ__VALUE_TEMPORARY &&
                        (program->instructions[made->producer].op->flags & CJ__OP_UPDATE);
        if (!output && in_place)
            continue;
        if (root->home == CJ__HOME_OUTPUT && root->output == i)
            continue;
        cj__copy copy = {.from = value,
                         .output = output ? i : -1,
                         .to = to,
                         .bytes = plan->buffers[value].bytes};
        if (fixed && !in_place && !plan->is_body) {
            copy.save = true;
            copy.saved_offset = plan->saved_size;
            plan->saved_size += cj__align_up_64(copy.bytes);
        }
        plan->copies[plan->copy_count++] = copy;
    }
}

static cj_status place(cj__plan *plan)
{
    CJ_TRY(cj__place_buffers(plan, &plan->buffers_size));
    plan->arena_size = plan->buffers_size + cj__align_up_64(plan->workspace) + plan->saved_size;
    return CJ_OK;
}

static cj_status fill(cj__plan *plan)
{
    const cj__program *program = &plan->program;
    size_t values = (size_t)program->value_count, count = (size_t)program->instruction_count;
    for (size_t i = 0; i < count; i++)
        plan->operand_count +=
            (size_t)(program->instructions[i].input_count + program->instructions[i].output_count);
    plan->buffers = cj__new(values, sizeof *plan->buffers);
    plan->order = cj__new(count, sizeof *plan->order);
    plan->in_place = cj__new(count, sizeof *plan->in_place);
    plan->calls = cj__new(count, sizeof *plan->calls);
    plan->operands = cj__new(plan->operand_count, sizeof *plan->operands);
    plan->patches = cj__new(plan->operand_count, sizeof *plan->patches);
    plan->copies =
        cj__new((size_t)(program->output_count + program->update_count), sizeof *plan->copies);
    plan->staged = cj__new(values, sizeof *plan->staged);
    plan->placed = cj__new(values + (size_t)program->update_count, sizeof *plan->placed);
    int *last = cj__new(values, sizeof *last);
    bool whole = plan->buffers && plan->order && plan->in_place && plan->calls && plan->operands &&
                 plan->patches && plan->copies && plan->staged && plan->placed && last;
    cj_status status = whole ? take_types(plan) : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK)
        status = order_calls(plan);
    if (status == CJ_OK)
        status = cj__order_effects(plan);
    if (status == CJ_OK) {
        find_last_reads(plan, last);
        find_homes_of_leaves(plan, last);
        note_places(plan);
        for (int position = 0; position < program->instruction_count; position++)
            find_home(plan, last, position);
        status = bring_constants(plan);
    }
    cj__free(last);
    if (status == CJ_OK)
        status = cj__steady_in_plan(plan);
    if (status == CJ_OK)
        status = cj__split_in_plan(plan);
    if (status == CJ_OK) {
        find_homes_of_results(plan);
        status = make_calls(plan);
    }
    if (status == CJ_OK) {
        make_copies(plan);
        status = place(plan);
    }
    if (status == CJ_OK)
        status = cj__keep_in_plan(plan);
    return status;
}

// Copies the program, makes its types concrete, and applies the passes that depend on shapes.
static cj_status specialise(cj__plan *plan, const cj__program *program, const char *off)
{
    CJ_TRY(cj__program_copy(program, &plan->program));
    CJ_TRY(cj__program_infer(&plan->program, plan->batch));
    CJ_TRY(cj__program_optimize(&plan->program, CJ__STAGE_PLAN, off));
    return cj__program_infer(&plan->program, plan->batch);
}

static cj_status make(const cj__program *program, int64_t batch, const char *off, bool is_body,
                      cj__plan **plan)
{
    *plan = cj__new(1, sizeof(**plan));
    if (!*plan)
        return CJ_OUT_OF_MEMORY;
    (*plan)->batch = batch;
    (*plan)->device = program->device;
    (*plan)->off = off;
    (*plan)->is_body = is_body;
    (*plan)->failed = -1;
    cj_status status = (*plan)->device->kind->plan_open((*plan)->device, &(*plan)->device_own);
    if (status == CJ_OK)
        status = specialise(*plan, program, off);
    if (status == CJ_OK)
        status = fill(*plan);
    if (status != CJ_OK) {
        cj__plan_free(*plan);
        *plan = NULL;
    }
    return status;
}

cj_status cj__plan_new(const cj__program *program, int64_t batch, const char *off, cj__plan **plan)
{
    return make(program, batch, off, false, plan);
}

cj_status cj__plan_body(const cj__program *program, int64_t batch, const char *off, cj__plan **plan)
{
    return make(program, batch, off, true, plan);
}

void cj__plan_free(cj__plan *plan)
{
    if (!plan)
        return;
    for (int i = 0; plan->loops && i < plan->program.instruction_count; i++)
        cj__loop_free(plan->loops[i]);
    cj__free(plan->loops);
    const cj__device_kind *kind = plan->device->kind;
    kind->plan_close(plan->device, plan->device_own);
    kind->free(plan->device, plan->kept_memory, plan->kept_size);
    kind->free(plan->device, plan->steady_memory, plan->steady_size);
    kind->free(plan->device, plan->constants, plan->constants_size);
    cj__free(plan->kept);
    cj__free(plan->sources);
    cj__free(plan->splits);
    cj__free(plan->buffers);
    cj__free(plan->order);
    cj__free(plan->in_place);
    cj__free(plan->calls);
    cj__free(plan->operands);
    cj__free(plan->patches);
    cj__free(plan->copies);
    cj__free(plan->pending);
    cj__free(plan->setups);
    cj__free(plan->part_setups);
    cj__free(plan->staged);
    cj__free(plan->placed);
    cj__program_free(&plan->program);
    cj__free(plan);
}
