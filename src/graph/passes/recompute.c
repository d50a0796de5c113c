// What is quickly computed again is not kept. Normalization's x - mean is read by what follows it,
// and much later by its gradient, twice; x is in memory. In each place where it is read it becomes an
// instruction of its own,
//
//   c = subtract(x, mean); y = f(c) ... z = g(c)     becomes     ... c2 = subtract(x, mean); z = g(c2)
//
// which joins its reader (fuse_elements.c), so that c is never written. This takes a result of two
// operands, of which one is as large and was made by a product or convolution and the other is small,
// and only element-wise readers. A place ends with a product, a convolution or a reduction.
#include "base/memory.h"
#include "graph/program.h"

#include <string.h>

enum { TIMES_SMALLER = 16 };

// A value that is made again: by which instruction, what stands for it, and the last reader.
typedef struct again {
    int maker; // -1 for all other values
    int now;   // the value that its next reader reads, if that is in the same place
    int place; // of that reader
} again;

static int64_t count_of(const cj__program *program, int value)
{
    return cj_shape_count(&program->values[value].type.shape);
}

static bool is_elementwise(const cj__op *op)
{
    return op->work_elements || op->work_rows || op->stretched || op->reducing;
}

static bool is_quick(const cj__program *program, const cj__instruction *instruction)
{
    if (!instruction->op->work_rows || !(instruction->op->flags & CJ__OP_ELEMENTWISE) ||
        instruction->input_count != 2 || instruction->rounds)
        return false;
    const int large = instruction->inputs[0], small = instruction->inputs[1],
              producer = program->values[large].producer;
    return producer >= 0 && program->instructions[producer].op->flops &&
           cj__type_equal(&program->values[large].type,
                          &program->values[instruction->outputs[0]].type) &&
           count_of(program, small) > 0 &&
           count_of(program, small) <= count_of(program, large) / TIMES_SMALLER;
}

// Finds what is made again. What anything but an element-wise instruction reads is kept.
static void find_quick(const cj__program *program, again *values)
{
    for (int i = 0; i < program->value_count; i++)
        values[i] = (again){-1, i, -1};
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *instruction = &program->instructions[i];
        if (is_quick(program, instruction))
            values[instruction->outputs[0]].maker = i;
        for (int j = 0; j < instruction->input_count && !is_elementwise(instruction->op); j++)
            values[instruction->inputs[j]].maker = -1;
    }
    for (int i = 0; i < program->output_count; i++)
        values[program->outputs[i]].maker = -1;
    for (int i = 0; i < program->update_count; i++)
        values[program->updates[i]].maker = -1;
}

// Appends the maker of a value with a new result, which its readers of this place read.
static cj_status make_again(cj__program *program, const cj__instruction *maker, int *made)
{
    cj__instruction copy = *maker;
    const cj__type type = program->values[maker->outputs[0]].type;
    *made = cj__program_add_value(program, &type);
    copy.inputs = NULL;
    if (*made < 0)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__program_operands(&copy, maker->inputs, maker->input_count, made, 1));
    const cj_status status = cj__program_append(program, &copy);
    if (status != CJ_OK)
        cj__free(copy.inputs);
    return status;
}

// Gives an instruction, which stands in `place`, its operands made again.
static cj_status read_again(cj__program *program, const cj__instruction *old,
                            cj__instruction *instruction, again *values, int place)
{
    for (int j = 0; j < instruction->input_count; j++) {
        const int value = instruction->inputs[j];
        again *a = &values[value];
        if (a->maker < 0 || cj__shape_only(instruction->op, j))
            continue;
        if (a->place >= 0 && a->place != place)
            CJ_TRY(make_again(program, &old[a->maker], &a->now));
        a->place = place;
        instruction->inputs[j] = a->now;
    }
    return CJ_OK;
}

static cj_status rewrite(cj__program *program, again *values)
{
    cj__instruction *old = program->instructions;
    const int count = program->instruction_count;
    int place = 0, moved = 0;
    cj_status status = CJ_OK;
    program->instructions = NULL;
    program->instruction_count = 0;
    program->instruction_capacity = 0;
    for (; moved < count && status == CJ_OK; moved += status == CJ_OK) {
        cj__instruction *instruction = &old[moved];
        status = read_again(program, old, instruction, values, place);
        if (status == CJ_OK)
            status = cj__program_append(program, instruction);
        place += instruction->op->flops || instruction->op->reducing;
    }
    for (int i = moved; i < count; i++) {
        cj__free(old[i].inputs);
        cj_release(old[i].attrs_object);
    }
    cj__free(old);
    cj__program_compact(program);
    return status;
}

cj_status cj__recompute(cj__program *program)
{
    again *values = cj__new((size_t)program->value_count, sizeof *values);
    if (!values)
        return CJ_OUT_OF_MEMORY;
    find_quick(program, values);
    const cj_status status = rewrite(program, values);
    cj__free(values);
    return status;
}
