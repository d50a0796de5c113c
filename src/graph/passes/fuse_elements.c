// Element-wise instructions that follow each other, and reductions of what they make, become one
// (ops/elements.h):
//
//   c = sub(x, mean);  q = square(c);  s = reduce_mean(q)      c, s = elements(x, mean)
//   y = mul(x, a);  z = add(y, b);  r = relu(z)                r = elements(x, a, b)
//
// Groups grow in the order of the program. An instruction joins the group of one of its operands,
// or the group that reads the same operand, and stands where the group's last member stood: so all
// its operands are there, and no reader of its results may come before. A group is *open* as long as
// no instruction outside reads what its members make. Then its place is settled, and only a reduction
// (in a loop's body any instruction) may join it whose operands are there already.
#include "graph/passes/elements.h"

#include "base/memory.h"

#include <string.h>

typedef struct fusing {
    cj__program *program;
    int *group_of;  // by instruction, or -1
    int *reader_of; // by value: the last group that reads it with the domain's shape, or -1
    int *uses;      // by value
    cj__element_group *groups;
    int group_count;
} fusing;

static const cj_shape *shape_of(const fusing *f, int value)
{
    return &f->program->values[value].type.shape;
}

static const cj_shape *domain_of(const fusing *f, const cj__element_group *group)
{
    return cj__element_domain(f->program, &f->program->instructions[group->members[0]]);
}

// ---- What reductions ask of the operands beside them ----

// Axes of length 1 count for neither.
static uint32_t stretched_axes(const cj_shape *domain, const cj_shape *shape)
{
    uint32_t axes = 0;
    for (int i = 0; i < domain->rank; i++) {
        const int own = i - (domain->rank - shape->rank);
        if (domain->dims[i] != 1 && (own < 0 || shape->dims[own] == 1))
            axes |= 1u << i;
    }
    return axes;
}

static uint32_t long_axes(const cj_shape *domain)
{
    uint32_t axes = 0;
    for (int i = 0; i < domain->rank; i++)
        axes |= domain->dims[i] != 1 ? 1u << i : 0;
    return axes;
}

// The axes from `begin` on.
static uint32_t axes_from(int begin)
{
    return ~0u << begin;
}

// Reductions go over all axes, or over the leading or the last ones alone. Then *edge is the axis
// that divides them, the same for all reductions of a group, or -1 if there is none yet.
static bool find_edge(const fusing *f, const cj__instruction *reduction, const cj_shape *domain,
                      int *edge)
{
    cj__operand operands[CJ__OP_IO_MAX];
    const cj__call call = cj__program_call(f->program, reduction, operands);
    const uint32_t all = long_axes(domain);
    const int64_t results = cj_shape_count(shape_of(f, reduction->outputs[0]));
    cj__reducing r;
    reduction->op->reducing(&call, &r);
    const uint32_t axes = r.axes & all;
    if (axes == all)
        return true;
    for (int begin = 0; begin < domain->rank; begin++) {
        const uint32_t rear = all & axes_from(begin);
        const bool leads = axes == (all & ~rear) && results <= CJ__ELEMENTS_COLUMNS;
        if (!(all >> begin & 1) || axes == 0 || !(leads || axes == rear))
            continue;
        const bool fits = *edge < 0 || *edge == begin;
        *edge = begin;
        return fits;
    }
    return false;
}

static bool reductions_fit(const fusing *f, const cj__element_group *group,
                           const cj__element_operands *operands)
{
    int edge = -1;
    const cj_shape *domain = domain_of(f, group);
    for (int i = 0; i < group->count; i++) {
        const cj__instruction *member = &f->program->instructions[group->members[i]];
        if (member->op->reducing && !find_edge(f, member, domain, &edge))
            return false;
    }
    for (int i = 0; i < operands->input_count && edge >= 0; i++) {
        const uint32_t rear = long_axes(domain) & axes_from(edge),
                       stretched = stretched_axes(domain, shape_of(f, operands->inputs[i])) & rear;
        if (stretched != 0 && stretched != rear)
            return false;
    }
    return true;
}

// ---- Growing groups ----

static bool is_possible(const fusing *f, const cj__element_group *group)
{
    cj__element_operands operands;
    return cj__find_element_operands(f->program, group, f->uses, &operands) &&
           reductions_fit(f, group, &operands);
}

static void merge_members(const cj__element_group *a, const cj__element_group *b,
                          cj__element_group *both)
{
    int i = 0, j = 0;
    *both = (cj__element_group){.open = b->open, .place = b->place, .moved_to = -1};
    while (i < a->count || j < b->count)
        both->members[both->count++] =
            j == b->count || (i < a->count && a->members[i] < b->members[j]) ? a->members[i++] :
                                                                               b->members[j++];
    if (both->open)
        both->place = both->members[both->count - 1];
}

// Whether what an instruction alone in its group reads is there where a closed group stands. Only a
// reduction is moved up so: other results would take memory for longer. In a loop's body that is a
// little, and once for all steps.
static bool can_move_up(const fusing *f, const cj__element_group *alone,
                        const cj__element_group *closed)
{
    const cj__instruction *moved = &f->program->instructions[alone->members[0]];
    if (alone->count > 1 || (!moved->op->reducing && f->program->steps == 0))
        return false;
    for (int j = 0; j < moved->input_count; j++) {
        const int producer = f->program->values[moved->inputs[j]].producer;
        const int made_by = producer >= 0 ? f->group_of[producer] : -1;
        const cj__element_group *maker = made_by >= 0 ? &f->groups[made_by] : NULL;
        if (maker && maker != closed && (maker->open || maker->place >= closed->place))
            return false;
        if (!maker && producer >= closed->place)
            return false;
    }
    return true;
}

// Makes `own`, which has the instruction that is being looked at, and the group `other` one.
// Returns which, or `own` if that cannot be.
static int try_merge(fusing *f, int own, int other)
{
    while (f->groups[other].moved_to >= 0)
        other = f->groups[other].moved_to;
    cj__element_group *a = &f->groups[own], *b = &f->groups[other], both;
    if (own == other || !a->open || (!b->open && !can_move_up(f, a, b)) ||
        a->count + b->count > CJ__ELEMENTS_MEMBERS ||
        !cj_shape_equal(domain_of(f, a), domain_of(f, b)))
        return own;
    merge_members(a, b, &both);
    if (!is_possible(f, &both))
        return own;
    *b = both;
    *a = (cj__element_group){.moved_to = other};
    for (int i = 0; i < both.count; i++)
        f->group_of[both.members[i]] = other;
    return other;
}

static bool reads(const cj__instruction *instruction, int input)
{
    return !cj__shape_only(instruction->op, input);
}

// Work that goes on beside others is awaited where the first instruction wants it, so those that want
// it stay where they are.
static bool reads_awaited(const fusing *f, const cj__instruction *instruction)
{
    for (int j = 0; j < instruction->input_count; j++) {
        const int producer = f->program->values[instruction->inputs[j]].producer;
        if (producer >= 0 && (f->program->instructions[producer].op->flags & CJ__OP_AWAIT))
            return true;
    }
    return false;
}

static int new_group(fusing *f, int index, size_t *capacity)
{
    if (!cj__reserve((void **)&f->groups, capacity, (size_t)f->group_count + 1, sizeof *f->groups))
        return -1;
    f->groups[f->group_count] = (cj__element_group){
        .members = {index}, .count = 1, .open = true, .place = index, .moved_to = -1};
    f->group_of[index] = f->group_count;
    return f->group_count++;
}

static int grow(fusing *f, int index, int own)
{
    const cj__instruction *instruction = &f->program->instructions[index];
    for (int j = 0; j < instruction->input_count; j++) {
        const int value = instruction->inputs[j], producer = f->program->values[value].producer;
        if (reads(instruction, j) && producer >= 0 && f->group_of[producer] >= 0)
            own = try_merge(f, own, f->group_of[producer]);
    }
    for (int j = 0; j < instruction->input_count; j++) {
        const int reader = f->reader_of[instruction->inputs[j]];
        if (reads(instruction, j) && reader >= 0)
            own = try_merge(f, own, reader);
    }
    for (int j = 0; j < instruction->input_count; j++) {
        const int value = instruction->inputs[j];
        if (reads(instruction, j) &&
            cj_shape_equal(shape_of(f, value), domain_of(f, &f->groups[own])))
            f->reader_of[value] = own;
    }
    return own;
}

// Groups that an instruction outside reads are closed.
static void close_read(fusing *f, int index)
{
    const cj__instruction *instruction = &f->program->instructions[index];
    for (int j = 0; j < instruction->input_count; j++) {
        const int producer = f->program->values[instruction->inputs[j]].producer;
        const int group = producer >= 0 ? f->group_of[producer] : -1;
        if (group >= 0 && group != f->group_of[index])
            f->groups[group].open = false;
    }
}

static cj_status find_groups(fusing *f)
{
    size_t capacity = 0;
    for (int i = 0; i < f->program->instruction_count; i++) {
        const cj__instruction *instruction = &f->program->instructions[i];
        if (cj__element_domain(f->program, instruction) && !reads_awaited(f, instruction)) {
            const int own = new_group(f, i, &capacity);
            if (own < 0)
                return CJ_OUT_OF_MEMORY;
            if (!is_possible(f, &f->groups[own])) {
                f->group_of[i] = -1;
                f->group_count--;
            } else {
                grow(f, i, own);
            }
        }
        close_read(f, i);
    }
    return CJ_OK;
}

// With few elements the joined instruction's preparations take as long as the calls that it saves.
static bool is_worth_joining(const fusing *f, const cj__element_group *group)
{
    return group->count > 1 && cj_shape_count(domain_of(f, group)) >= CJ__CHAIN_BLOCK;
}

static cj_status join_groups(fusing *f)
{
    for (int i = 0; i < f->group_count; i++) {
        cj__element_operands operands;
        if (is_worth_joining(f, &f->groups[i]) &&
            cj__find_element_operands(f->program, &f->groups[i], f->uses, &operands))
            CJ_TRY(cj__join_elements(f->program, &f->groups[i], f->uses, &operands));
    }
    return CJ_OK;
}

cj_status cj__fuse_elements(cj__program *program)
{
    const size_t instructions = (size_t)program->instruction_count,
                 values = (size_t)program->value_count;
    fusing f = {.program = program};
    f.group_of = cj__new(instructions, sizeof *f.group_of);
    f.reader_of = cj__new(values, sizeof *f.reader_of);
    f.uses = cj__new(values, sizeof *f.uses);
    cj_status status = f.group_of && f.reader_of && f.uses ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK) {
        for (size_t i = 0; i < instructions; i++)
            f.group_of[i] = -1;
        for (size_t i = 0; i < values; i++)
            f.reader_of[i] = -1;
        cj__program_uses(program, f.uses);
        status = find_groups(&f);
    }
    if (status == CJ_OK)
        status = join_groups(&f);
    cj__free(f.group_of);
    cj__free(f.reader_of);
    cj__free(f.uses);
    cj__free(f.groups);
    cj__program_compact(program);
    return status == CJ_OK ? cj__remove_dead(program) : status; // what entries were copied from
}
