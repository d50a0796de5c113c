// Makes one instruction of a group of fuse_elements.c: its operands, and its program.
#include "graph/passes/elements.h"

#include "base/memory.h"
#include "ops/build.h"
#include "ops/infer.h"

#include <string.h>

const cj_shape *cj__element_domain(const cj__program *program, const cj__instruction *instruction)
{
    const cj__op *op = instruction->op;
    if (instruction->output_count != 1 || instruction->input_count > 3 ||
        op->attrs_size > CJ__ELEMENTS_ATTRS)
        return NULL;
    const cj_shape *shape = NULL;
    if (op->reducing)
        shape = &program->values[instruction->inputs[0]].type.shape;
    else if (op->work_elements || op->work_rows || op->stretched)
        shape = &program->values[instruction->outputs[0]].type.shape;
    return shape && cj_shape_count(shape) > 0 ? shape : NULL;
}

bool cj__is_element_number(const cj__value_info *value)
{
    return value->kind == CJ__VALUE_CONSTANT && value->type.shape.rank == 0 &&
           cj__is_real(value->type.dtype);
}

// ---- Operands ----

static bool reads(const cj__instruction *instruction, int input)
{
    return !cj__shape_only(instruction->op, input);
}

static bool has(const int *values, int count, int value)
{
    for (int i = 0; i < count; i++)
        if (values[i] == value)
            return true;
    return false;
}

// The member that makes a value, or -1.
static int maker_of(const cj__program *program, const cj__element_group *group, int value)
{
    const int producer = program->values[value].producer;
    return has(group->members, group->count, producer) ? producer : -1;
}

static bool add_input(const cj__program *program, const cj__element_group *group, int value,
                      cj__element_operands *o)
{
    const int maker = maker_of(program, group, value);
    if (maker >= 0)
        return !program->instructions[maker].op->reducing;
    if (cj__is_element_number(&program->values[value])) {
        o->number_count++;
    } else if (!has(o->inputs, o->input_count, value)) {
        if (o->input_count == CJ__ELEMENTS_OPERANDS)
            return false;
        o->inputs[o->input_count++] = value;
    }
    return true;
}

int cj__reads_within(const cj__program *program, const cj__element_group *group, int value)
{
    int count = 0;
    for (int i = 0; i < group->count; i++) {
        const cj__instruction *member = &program->instructions[group->members[i]];
        for (int j = 0; j < member->input_count; j++)
            count += member->inputs[j] == value;
    }
    return count;
}

// The members' results of one kind that are read outside.
static void add_outputs(const cj__program *program, const cj__element_group *group, const int *uses,
                        bool reductions, cj__element_operands *o)
{
    for (int i = group->count - 1; i >= 0 && o->output_count < CJ__ELEMENTS_OPERANDS; i--) {
        const cj__instruction *member = &program->instructions[group->members[i]];
        const int value = member->outputs[0];
        if ((member->op->reducing != NULL) == reductions &&
            uses[value] > cj__reads_within(program, group, value))
            o->outputs[o->output_count++] = value;
    }
}

bool cj__find_element_operands(const cj__program *program, const cj__element_group *group,
                               const int *uses, cj__element_operands *o)
{
    *o = (cj__element_operands){0};
    for (int i = 0; i < group->count; i++) {
        const cj__instruction *member = &program->instructions[group->members[i]];
        for (int j = 0; j < member->input_count; j++)
            if (reads(member, j) && !add_input(program, group, member->inputs[j], o))
                return false;
        o->reduction_count += member->op->reducing != NULL;
        o->number_count += member->op->stretched != NULL;
    }
    add_outputs(program, group, uses, false, o);
    o->full_outputs = o->output_count;
    add_outputs(program, group, uses, true, o);
    return o->input_count + o->output_count <= CJ__ELEMENTS_OPERANDS &&
           o->number_count <= CJ__ELEMENTS_NUMBERS && o->reduction_count <= CJ__ELEMENTS_REDUCTIONS;
}

// ---- The program ----

// A value that steps may read: as it is, or stretched to the domain's shape.
typedef struct known {
    int value;
    cj__source source;
} known;

typedef struct joining {
    const cj__program *program;
    const cj__element_group *group;
    const int *uses;
    const cj__element_operands *operands;
    cj__element_program *made;
    int values[CJ__ELEMENTS_OPERANDS]; // its inputs
    known known[CJ__ELEMENTS_OPERANDS + CJ__ELEMENTS_NUMBERS + CJ__ELEMENTS_MEMBERS];
    int known_count;
    bool fits;
} joining;

static cj__source number(joining *j, cj_dtype dtype, double value)
{
    if (j->made->number_count == CJ__ELEMENTS_NUMBERS) {
        j->fits = false;
        j->made->number_count--;
    }
    cj__element_number *n = &j->made->numbers[j->made->number_count];
    n->dtype = dtype;
    if (dtype == CJ_F32)
        n->value.f32 = (float)value;
    else
        n->value.f64 = value;
    return (cj__source){CJ__SOURCE_NUMBER, j->made->number_count++};
}

static int output_of(const joining *j, int value)
{
    for (int k = 0; k < j->operands->output_count; k++)
        if (j->operands->outputs[k] == value)
            return k;
    return -1;
}

// A new last step, without operands; what is left out of a full program never runs.
static cj__element_step *add_step(joining *j, const cj__op *op, cj_dtype dtype, int output)
{
    cj__element_program *p = j->made;
    if (p->step_count == CJ__ELEMENTS_STEPS) {
        j->fits = false;
        p->step_count--;
    }
    cj__element_step *step = &p->steps[p->step_count++];
    *step = (cj__element_step){.op = op, .dtype = dtype, .output = output};
    return step;
}

static cj__source last_step(const joining *j)
{
    return (cj__source){CJ__SOURCE_STEP, j->made->step_count - 1};
}

// What a source is stretched to, perhaps divided: the kernel that broadcast_like runs.
static cj__source stretch(joining *j, cj__source source, cj_dtype dtype, double divisor, int output)
{
    const bool divides = divisor < 1 || divisor > 1;
    const cj__source by = number(j, dtype, divisor);
    cj__element_step *step =
        add_step(j, divides ? &cj__op_divide : &cj__op_multiply, dtype, output);
    step->input_count = 2;
    step->inputs[0] = source;
    step->inputs[1] = by;
    return last_step(j);
}

// An input that is a value, or an entry of it.
static cj__source input_of(joining *j, int value, const cj__element_entry *entry)
{
    cj__element_program *p = j->made;
    int index = 0;
    while (index < p->input_count &&
           !(j->values[index] == value && p->entries[index].count == entry->count &&
             p->entries[index].index == entry->index && p->entries[index].axis == entry->axis))
        index++;
    if (index == p->input_count) {
        if (p->input_count + p->output_count == CJ__ELEMENTS_OPERANDS) {
            j->fits = false;
            p->input_count = --index;
        }
        j->values[index] = value;
        p->inputs[index] = j->program->values[value].type;
        p->entries[index] = *entry;
        p->input_count++;
    }
    return (cj__source){CJ__SOURCE_INPUT, index};
}

// An entry, or the result of two.
static cj__source part_of(joining *j, const cj__element_part *part)
{
    const cj__source first = input_of(j, part->values[0], &part->entry);
    if (!part->made_by)
        return first;
    const cj__source second = input_of(j, part->values[1], &part->entry);
    cj__element_step *step = add_step(j, part->made_by->op,
                                      j->program->values[part->made_by->outputs[0]].type.dtype, -1);
    step->input_count = 2;
    step->inputs[0] = first;
    step->inputs[1] = second;
    memcpy(step->attrs, part->made_by->attrs, sizeof step->attrs);
    return last_step(j);
}

static cj__source source_of(joining *j, int value)
{
    cj__element_part part;
    for (int i = 0; i < j->known_count; i++)
        if (j->known[i].value == value)
            return j->known[i].source;
    const cj__value_info *info = &j->program->values[value];
    cj__source source;
    if (cj__is_element_number(info))
        source =
            number(j, info->type.dtype, cj__element_get(info->type.dtype, info->constant->data, 0));
    else if (j->uses && cj__find_element_part(j->program, j->group, j->uses, value, &part))
        source = part_of(j, &part);
    else
        source = input_of(j, value, &(cj__element_entry){.count = 0});
    j->known[j->known_count++] = (known){value, source};
    return source;
}

static bool is_flat(const joining *j, cj__source source)
{
    return source.kind == CJ__SOURCE_STEP ||
           (source.kind == CJ__SOURCE_INPUT && j->made->entries[source.index].count == 0 &&
            cj_shape_equal(&j->made->inputs[source.index].shape, &j->made->domain));
}

// The source of a value with all elements of the domain in their places.
static cj__source flat_source(joining *j, int value)
{
    const cj__source source = source_of(j, value);
    return is_flat(j, source) ? source :
                                stretch(j, source, j->program->values[value].type.dtype, 1, -1);
}

static void add_reduction(joining *j, const cj__instruction *member)
{
    cj__operand operands[CJ__OP_IO_MAX];
    const cj__call call = cj__program_call(j->program, member, operands);
    const int output = output_of(j, member->outputs[0]);
    if (output < 0)
        return;
    cj__element_reduction *reduction = &j->made->reductions[j->made->reduction_count++];
    reduction->output = output;
    reduction->from = flat_source(j, member->inputs[0]);
    member->op->reducing(&call, &reduction->what);
    j->made->reduced[output] = reduction->what.axes;
}

static void add_stretched(joining *j, const cj__instruction *member)
{
    cj__operand operands[CJ__OP_IO_MAX];
    const cj__call call = cj__program_call(j->program, member, operands);
    const int value = member->outputs[0], output = output_of(j, value);
    const double divisor = member->op->stretched(&call);
    cj__source source = source_of(j, member->inputs[0]);
    if (output >= 0 || divisor < 1 || divisor > 1)
        source = stretch(j, source, j->program->values[value].type.dtype, divisor, output);
    j->known[j->known_count++] = (known){value, source};
}

static void add_member(joining *j, const cj__instruction *member)
{
    cj__source sources[3];
    const int value = member->outputs[0];
    for (int i = 0; i < member->input_count; i++)
        sources[i] = member->op->work_rows ? source_of(j, member->inputs[i]) :
                                             flat_source(j, member->inputs[i]);
    cj__element_step *step =
        add_step(j, member->op, j->program->values[value].type.dtype, output_of(j, value));
    step->input_count = member->input_count;
    step->rounds = member->rounds;
    memcpy(step->inputs, sources, (size_t)member->input_count * sizeof sources[0]);
    memcpy(step->attrs, member->attrs, sizeof step->attrs);
    j->known[j->known_count++] = (known){value, last_step(j)};
}

static void add_members(joining *j, const cj__element_group *group)
{
    cj__element_program *p = j->made;
    const cj__element_operands *o = j->operands;
    p->domain = *cj__element_domain(j->program, &j->program->instructions[group->members[0]]);
    p->output_count = o->output_count;
    for (int k = 0; k < o->output_count; k++)
        p->outputs[k] = j->program->values[o->outputs[k]].type;
    for (int i = 0; i < group->count && j->fits; i++) {
        const cj__instruction *member = &j->program->instructions[group->members[i]];
        if (member->op->reducing)
            add_reduction(j, member);
        else if (member->op->stretched)
            add_stretched(j, member);
        else
            add_member(j, member);
    }
}

// The instruction that has a program takes the group's place.
static cj_status replace(cj__program *program, const cj__element_group *group,
                         const cj__element_operands *o, const joining *j)
{
    cj__instruction *joined = &program->instructions[group->place];
    const cj__elements_attrs attrs = {j->made};
    CJ_TRY(
        cj__program_operands(joined, j->values, j->made->input_count, o->outputs, o->output_count));
    for (int i = 0; i < group->count; i++)
        program->instructions[group->members[i]].op = NULL;
    joined->op = o->full_outputs > 0 ? &cj__op_elements : &cj__op_element_sums;
    joined->rounds = false;
    joined->attrs_object = cj__own(j->made);
    memset(joined->attrs, 0, sizeof joined->attrs);
    memcpy(joined->attrs, &attrs, sizeof(attrs));
    return CJ_OK;
}

// One instruction of a group; *fits: whether its program is long enough. `uses` is NULL where values
// are to be read as they are.
static cj_status join(cj__program *program, const cj__element_group *group, const int *uses,
                      const cj__element_operands *operands, bool *fits)
{
    joining j = {
        .program = program, .group = group, .uses = uses, .operands = operands, .fits = true};
    j.made = cj__element_program_new();
    if (!j.made)
        return CJ_OUT_OF_MEMORY;
    add_members(&j, group);
    *fits = j.fits;
    if (!j.fits) {
        cj_release(j.made);
        return CJ_OK;
    }
    cj_status status = cj__element_program_finish(j.made);
    if (status == CJ_OK)
        status = replace(program, group, operands, &j);
    if (status != CJ_OK)
        cj__drop_floating(j.made);
    return status;
}

cj_status cj__join_elements(cj__program *program, const cj__element_group *group, const int *uses,
                            const cj__element_operands *operands)
{
    bool fits;
    CJ_TRY(join(program, group, uses, operands, &fits));
    return fits ? CJ_OK : join(program, group, NULL, operands, &fits);
}
