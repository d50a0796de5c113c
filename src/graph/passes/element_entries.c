// Entries of a value that is unstacked for element-wise work alone, as the gates of a cell are:
//
//   z = add(x, h u);  i, f, c, o = unstack(z)        i = add(entry 0 of x, entry 0 of h u), ...
//
// The instruction that fuse_elements.c makes reads them where they lie, so that neither z nor its
// entries are written.
#include "graph/passes/elements.h"
#include "ops/build.h"
#include "ops/infer.h"

// The instruction that makes a value, or NULL; through views, each of which is read once.
static const cj__instruction *maker_of(const cj__program *program, const int *uses, int value)
{
    for (;;) {
        const int producer = program->values[value].producer;
        if (producer < 0 || uses[value] != 1)
            return NULL;
        const cj__instruction *maker = &program->instructions[producer];
        if (!maker->op || !(maker->op->flags & CJ__OP_VIEW))
            return maker;
        value = maker->inputs[0];
    }
}

// Whether members of the group are all that reads what an instruction makes.
static bool is_read_within(const cj__program *program, const cj__element_group *group,
                           const int *uses, const cj__instruction *unstack)
{
    for (int k = 0; k < unstack->output_count; k++)
        if (uses[unstack->outputs[k]] != cj__reads_within(program, group, unstack->outputs[k]))
            return false;
    return true;
}

// Whether it works on two operands of the shape of its result, in which the first axis is that of
// the domain.
static bool is_of_two(const cj__program *program, const cj__instruction *made, int64_t rows)
{
    if (!made || !made->op || !made->op->work_rows || made->rounds || made->input_count != 2 ||
        made->op->attrs_size > CJ__ELEMENTS_ATTRS)
        return false;
    const cj__type *y = &program->values[made->outputs[0]].type;
    return cj__type_equal(&program->values[made->inputs[0]].type, y) &&
           cj__type_equal(&program->values[made->inputs[1]].type, y) && y->shape.rank > 1 &&
           y->shape.dims[0] == rows;
}

bool cj__find_element_part(const cj__program *program, const cj__element_group *group,
                           const int *uses, int value, cj__element_part *part)
{
    const int producer = program->values[value].producer;
    const cj__instruction *unstack = producer >= 0 ? &program->instructions[producer] : NULL;
    if (!unstack || unstack->op != &cj__op_unstack ||
        !cj__is_real(program->values[value].type.dtype))
        return false;
    const cj__axis_attrs *attrs = (const void *)unstack->attrs;
    const int from = unstack->inputs[0];
    const int64_t rows = program->values[from].type.shape.dims[0];
    const cj_shape *whole = &program->values[from].type.shape;
    // of the entries along the last axis a row's elements do not lie side by side
    if (attrs->axis < 1 || cj__span(whole, (int)attrs->axis + 1, whole->rank) < 2 ||
        !is_read_within(program, group, uses, unstack))
        return false;
    *part = (cj__element_part){.values = {from, -1},
                               .entry = {.axis = (int)attrs->axis, .count = unstack->output_count}};
    while (unstack->outputs[part->entry.index] != value)
        part->entry.index++;
    const cj__instruction *made = maker_of(program, uses, from);
    if (is_of_two(program, made, rows)) {
        part->values[0] = made->inputs[0];
        part->values[1] = made->inputs[1];
        part->made_by = made;
    }
    return true;
}
