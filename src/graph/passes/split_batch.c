// Neighbouring instructions that work image by image run a part of the batch at a time: all of them
// on the first images, then all on the next. What one writes is still in the second-level cache
// when the next reads it, whatever the size of the batch, and values that nothing else reads take
// the memory of one part only.
//
// Which operands have samples along their first axis, and which results are sums over them, an op
// says in its row (cj__op.samples). Sums of parts are added in the order of the parts, so bits
// depend on shapes alone.
#include "base/memory.h"
#include "graph/plan.h"

#include <string.h>

static const int64_t PART_BYTES = 1 << 20; // operands of an instruction, in 1 MB of cache
static const int64_t PART_MOST = 4 << 20; // where the smallest part has more, cutting gains nothing
static const int64_t SUM_MOST = 256 << 10; // bytes of a sum, which is added once a part
// Images of a part: with fewer, kernels lose more than the cache gives; but of large images a few are
// work enough.
enum { IMAGES_LEAST = 32, LARGE_LEAST = 4, LARGEST_LEAST = 2 };
// Neighbours are cut together where their images differ by no more: others want parts of their own.
enum { ALIKE = 4 };

// The letter of operand i in `samples`, of which the last on each side counts for all that follow.
static char letter_of(const char *samples, const cj__instruction *instruction, int i)
{
    const char *arrow = strchr(samples, '>');
    const bool is_input = i < instruction->input_count;
    const char *first = is_input ? samples : arrow + 1;
    const size_t count = is_input ? (size_t)(arrow - samples) : strlen(arrow + 1),
                 at = (size_t)(is_input ? i : i - instruction->input_count);
    return first[at < count ? at : count - 1];
}

char cj__sample_role(const cj__program *program, const cj__instruction *instruction, int i,
                     int64_t rows)
{
    const cj__op *op = instruction->op;
    // outputs follow inputs
    const cj_shape *shape = &program->values[instruction->inputs[i]].type.shape;
    const bool has_rows = shape->rank > 0 && shape->dims[0] == rows;
    if (op->flags & CJ__OP_VIEW)
        return has_rows ? 's' : 0;
    const char *samples = op->samples_of ? op->samples_of(instruction->attrs) : op->samples;
    if (!samples || samples[0] == '\0')
        return 0;
    const char role = letter_of(samples, instruction, i);
    if (role == 'e') // element-wise: may be broadcast
        return has_rows && shape->rank == program->values[instruction->outputs[0]].type.shape.rank ?
                   's' :
                   'w';
    return role == 's' && !has_rows ? 0 : role;
}

// What is too large to be read for each part is no reason to cut.
static char role_of(const cj__program *program, const cj__instruction *instruction, int i,
                    int64_t rows)
{
    const char role = cj__sample_role(program, instruction, i, rows);
    return role == 'v' ? 0 : role;
}

// 0 for what is too large to count; a plan refuses it later.
static int64_t bytes_of(const cj__program *program, int value)
{
    const cj__type *type = &program->values[value].type;
    int64_t bytes = 0;
    const int64_t count = cj_shape_count(&type->shape);
    return count < 0 || __builtin_mul_overflow(count, (int64_t)cj_dtype_size(type->dtype), &bytes) ?
               0 :
               bytes;
}

// Whether an operand lets its instruction be cut together with those from `begin` on. What they
// make must have samples.
static bool fits(const cj__program *program, int begin, const cj__instruction *instruction, int i,
                 int64_t rows)
{
    const int value = instruction->inputs[i];
    const char role = role_of(program, instruction, i, rows);
    if (role == 0 || (role == '+' && bytes_of(program, value) > SUM_MOST))
        return false;
    const cj__value_info *v = &program->values[value];
    if (i >= instruction->input_count || v->kind != CJ__VALUE_TEMPORARY || v->producer < begin)
        return true;
    const cj__instruction *producer = &program->instructions[v->producer];
    int made = producer->input_count;
    while (producer->inputs[made] != value)
        made++;
    return role == 's' && role_of(program, producer, made, rows) == 's';
}

static bool joins(const cj__program *program, int begin, int index, int64_t rows)
{
    const cj__instruction *instruction = &program->instructions[index];
    if (instruction->input_count + instruction->output_count > CJ__PART_OPERANDS)
        return false;
    for (int i = 0; i < instruction->input_count + instruction->output_count; i++)
        if (!fits(program, begin, instruction, i, rows))
            return false;
    return true;
}

// What the instructions from `begin` to `end` need: bytes of a row, of the operands of one that are
// read as a whole, and rows of the smallest part.
typedef struct needs {
    int kernels;
    int64_t row_bytes, whole_bytes, least;
    bool in_blocks;
} needs;

// Bytes of an instruction's operands with a role.
static int64_t bytes_with(const cj__program *program, const cj__instruction *instruction, char role,
                          int64_t rows)
{
    int64_t bytes = 0;
    for (int j = 0; j < instruction->input_count + instruction->output_count; j++)
        if (role_of(program, instruction, j, rows) == role)
            bytes += bytes_of(program, instruction->inputs[j]);
    return bytes;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t less(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static needs needs_of(const cj__program *program, int begin, int end, int64_t rows)
{
    needs n = {.least = IMAGES_LEAST};
    for (int i = begin; i < end; i++) {
        const cj__instruction *instruction = &program->instructions[i];
        if (instruction->op->flags & CJ__OP_VIEW)
            continue;
        n.kernels++;
        n.row_bytes = greater(n.row_bytes, bytes_with(program, instruction, 's', rows) / rows);
        n.whole_bytes = greater(n.whole_bytes, bytes_with(program, instruction, 'w', rows));
        cj__operand operands[CJ__OP_IO_MAX];
        cj__part part;
        const cj__call call = cj__program_call(program, instruction, operands);
        const int64_t images =
            instruction->op->part ? instruction->op->part(&call, 0, 1, part.attrs) : 1;
        n.in_blocks = n.in_blocks || images > 1;
        if (images > 1) // two blocks at least, for two threads
            n.least = greater(IMAGES_LEAST / images, 4);
    }
    return n;
}

static bool is_cut(const needs *n)
{
    return n->kernels >= 2 && n->row_bytes >= 1 && n->row_bytes <= PART_MOST / n->least;
}

static void cut(cj__program *program, int begin, int end, int64_t rows, const needs *n, int group)
{
    const int64_t part = greater(PART_BYTES / n->row_bytes / n->least * n->least, n->least);
    for (int i = begin; i < end && 2 * part <= rows; i++)
        program->instructions[i].cut = (cj__cut){group, rows, part};
}

// Large images: of some, at least as many bytes are read as of the weights, which each part reads.
static int64_t least_of_large(const needs *n)
{
    const int64_t wanted = greater(PART_BYTES, 2 * n->whole_bytes) / n->row_bytes,
                  room = less(LARGE_LEAST, PART_MOST / n->row_bytes);
    return less(greater(greater(wanted, room), LARGEST_LEAST), IMAGES_LEAST);
}

static bool is_view(const cj__instruction *instruction)
{
    return instruction->op->flags & CJ__OP_VIEW;
}

// Where the neighbours from `begin` on end whose images are alike.
static int end_of_alike(const cj__program *program, int begin, int end, int64_t rows)
{
    int64_t least = INT64_MAX, most = 0;
    for (int i = begin; i < end; i++) {
        if (is_view(&program->instructions[i]))
            continue;
        const int64_t bytes = bytes_with(program, &program->instructions[i], 's', rows) / rows;
        least = less(least, bytes);
        most = greater(most, bytes);
        if (most / ALIKE > least)
            return i;
    }
    return end;
}

// Neighbours that no one part suits, since some of them have large images.
static void cut_large(cj__program *program, int begin, int end, int64_t rows, int *group)
{
    for (int first = begin, last; first < end; first = last) {
        last = first + 1;
        if (is_view(&program->instructions[first]))
            continue;
        last = end_of_alike(program, first, end, rows);
        needs n = needs_of(program, first, last, rows);
        if (n.row_bytes >= 1 && !n.in_blocks)
            n.least = least_of_large(&n);
        if (is_cut(&n))
            cut(program, first, last, rows, &n, ++*group);
    }
}

static int64_t rows_of(const cj__program *program, const cj__instruction *instruction)
{
    const cj_shape *shape =
        &program->values[instruction->inputs[instruction->input_count]].type.shape;
    return shape->rank > 0 && instruction->input_count > 0 ? shape->dims[0] : 0;
}

cj_status cj__split_batch(cj__program *program)
{
    int group = 0;
    for (int begin = 0; begin < program->instruction_count;) {
        const cj__instruction *first = &program->instructions[begin];
        const int64_t rows = rows_of(program, first);
        int end = begin;
        while (end < program->instruction_count && rows > 1 && !is_view(first) &&
               joins(program, begin, end, rows))
            end++;
        const needs n = needs_of(program, begin, end, rows);
        if (is_cut(&n))
            cut(program, begin, end, rows, &n, ++group);
        else
            cut_large(program, begin, end, rows, &group);
        begin = end > begin ? end : begin + 1;
    }
    return CJ_OK;
}

void cj__part_of(const cj__program *program, const cj__instruction *instruction,
                 const cj__call *call, int64_t first, cj__part *part)
{
    const cj__cut *cut = &instruction->cut;
    const int64_t rows = cut->rows - first < cut->part ? cut->rows - first : cut->part;
    const int operands = call->input_count + call->output_count;
    part->call = *call;
    memcpy(part->operands, call->inputs, (size_t)operands * sizeof(part->operands[0]));
    part->call.inputs = part->operands;
    part->call.outputs = part->operands + call->input_count;
    if (call->op->part) {
        memcpy(part->attrs, call->attrs, sizeof part->attrs);
        part->call.attrs = part->attrs;
        call->op->part(call, first, rows, part->attrs);
    }
    if (rows < cut->part)
        part->call.kept = NULL; // it is laid out for whole parts
    for (int i = 0; i < operands; i++) {
        part->roles[i] = role_of(program, instruction, i, cut->rows);
        if (part->roles[i] == 's')
            part->operands[i].type.shape.dims[0] = rows;
    }
}

// ---- In a plan ----

static int find_splits(cj__plan *plan, cj__split *splits)
{
    int count = 0, group = 0;
    for (int position = 0; position < plan->main_count; position++) {
        const cj__cut *cut = &plan->program.instructions[plan->order[position]].cut;
        if (cut->group != 0 && cut->group != group && splits)
            splits[count] = (cj__split){.begin = position, .rows = cut->rows, .part = cut->part};
        count += cut->group != 0 && cut->group != group;
        group = cut->group;
        if (group != 0 && splits)
            splits[count - 1].end = position + 1;
    }
    return count;
}

// Whether a call writes where one of the same split reads a whole operand, which later parts need
// as it was: an element-wise result over its dying input. `readers` has the split that read a root
// as a whole, counted from 1.
static bool overwrites(const cj__plan *plan, const cj__split *split, int number, int *readers)
{
    const cj__program *program = &plan->program;
    for (int position = split->begin; position < split->end; position++) {
        const cj__instruction *reader = &program->instructions[plan->order[position]];
        for (int i = 0; i < reader->input_count; i++)
            if (role_of(program, reader, i, split->rows) == 'w')
                readers[plan->buffers[reader->inputs[i]].root] = number;
    }
    for (int position = split->begin; position < split->end; position++) {
        const cj__instruction *writer = &program->instructions[plan->order[position]];
        for (int k = 0; k < writer->output_count; k++)
            if (readers[plan->buffers[writer->outputs[k]].root] == number)
                return true;
    }
    return false;
}

// Such a split runs in one part.
static void join_parts(cj__plan *plan, cj__split *split)
{
    split->part = split->rows;
    for (int position = split->begin; position < split->end; position++)
        plan->program.instructions[plan->order[position]].cut.part = split->rows;
}

// Values that are made and read within a split, with samples in all their uses, have room for one
// part; all others that it touches live as long as it runs, since later parts come back to them.
static void settle(cj__plan *plan, const cj__split *split, bool *whole)
{
    const cj__program *program = &plan->program;
    for (int pass = 0; pass < 2; pass++) {
        for (int position = split->begin; position < split->end; position++) {
            const cj__instruction *instruction = &program->instructions[plan->order[position]];
            for (int i = 0; i < instruction->input_count + instruction->output_count; i++) {
                const int value = instruction->inputs[i], at = plan->buffers[value].root;
                cj__buffer *root = &plan->buffers[at];
                if (root->home != CJ__HOME_ARENA)
                    continue;
                const bool inside = root->begin >= split->begin && root->end < split->end &&
                                    root->bytes == (size_t)bytes_of(program, value) &&
                                    role_of(program, instruction, i, split->rows) == 's';
                if (pass == 0 && !inside)
                    whole[at] = true;
                if (pass == 0 || root->one_part)
                    continue;
                if (whole[at]) {
                    root->begin = split->begin < root->begin ? split->begin : root->begin;
                    root->end = split->end - 1 > root->end ? split->end - 1 : root->end;
                } else {
                    root->one_part = true;
                    root->bytes = root->bytes / (size_t)split->rows * (size_t)split->part;
                }
            }
        }
    }
}

cj_status cj__split_in_plan(cj__plan *plan)
{
    const size_t values = (size_t)plan->program.value_count;
    plan->split_count = find_splits(plan, NULL);
    if (plan->split_count == 0)
        return CJ_OK;
    plan->splits = cj__new((size_t)plan->split_count, sizeof *plan->splits);
    bool *whole = cj__new(values, sizeof *whole);
    int *readers = cj__new(values, sizeof *readers);
    const bool has_memory = plan->splits && whole && readers;
    if (has_memory)
        find_splits(plan, plan->splits);
    for (int i = 0; i < plan->split_count && has_memory; i++) {
        cj__split *split = &plan->splits[i];
        if (overwrites(plan, split, i + 1, readers))
            join_parts(plan, split);
        settle(plan, split, whole);
    }
    cj__free(whole);
    cj__free(readers);
    return has_memory ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// The largest workspace of a part, and of the last, which may be smaller and take another form;
// and room for sums.
size_t cj__split_workspace(cj__plan *plan, cj__split *split)
{
    size_t most = 0, sums_most = 0;
    const int64_t firsts[] = {0, (split->rows - 1) / split->part * split->part};
    for (int position = split->begin; position < split->end; position++) {
        const cj__instruction *instruction = &plan->program.instructions[plan->order[position]];
        for (int i = 0; i < 2 && instruction->op->workspace; i++) {
            cj__part part;
            cj__part_of(&plan->program, instruction, &plan->calls[position], firsts[i], &part);
            part.call.setup = cj__part_setup(plan, position, firsts[i]);
            const size_t workspace = instruction->op->workspace(&part.call);
            most = workspace > most ? workspace : most;
        }
        size_t sums = 0;
        for (int i = 0; i < instruction->input_count + instruction->output_count; i++)
            if (role_of(&plan->program, instruction, i, split->rows) == '+')
                sums += cj__align_up_64((size_t)bytes_of(&plan->program, instruction->inputs[i]));
        sums_most = sums > sums_most ? sums : sums_most;
    }
    split->workspace = cj__align_up_64(most);
    return split->workspace + sums_most;
}
