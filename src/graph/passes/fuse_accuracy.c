// The count of right answers, which accuracies are made of, in one pass over the scores:
//
//   c = argmax(p);  s = reduce_sum(cast(equal(cast(c), cast(labels)))) becomes s = count_correct(p,
//                   labels)
//
// for int32 labels, also those that are the argmax of another tensor. Reals count and number
// exactly as far as they hold every integer: the bits are the same.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

static const int64_t exact_most = (int64_t)1 << 24; // float's

typedef struct chain {
    cj__program *program;
    const int *uses;
} chain;

// The instruction that makes `value`, if it is of this op and nothing else reads the value; NULL
// otherwise.
static cj__instruction *made_by(const chain *c, int value, const cj__op *op)
{
    const int producer = c->program->values[value].producer;
    if (producer < 0 || c->uses[value] != 1)
        return NULL;
    cj__instruction *instruction = &c->program->instructions[producer];
    return instruction->op == op ? instruction : NULL;
}

// The int32 tensor that a side of the comparison is the cast of; -1 if it is not that.
static int classes_of(const chain *c, int side)
{
    const int producer = c->program->values[side].producer;
    const cj__instruction *cast = producer >= 0 ? &c->program->instructions[producer] : NULL;
    const bool fits = cast && cast->op == &cj__op_cast &&
                      c->program->values[cast->inputs[0]].type.dtype == CJ_I32;
    return fits ? cast->inputs[0] : -1;
}

// The scores of which `classes` is the argmax along the last axis; -1 if it is not that.
static int scores_of(const chain *c, int classes)
{
    const cj__instruction *argmax = made_by(c, classes, &cj__op_argmax);
    if (!argmax)
        return -1;
    const cj_shape *shape = &c->program->values[argmax->inputs[0]].type.shape;
    const int axis = ((const cj__axis_attrs *)(const void *)argmax->attrs)->axis;
    const bool fits =
        axis == shape->rank - 1 && shape->dims[axis] > 0 && shape->dims[axis] <= exact_most;
    return fits ? argmax->inputs[0] : -1;
}

static bool sums_all(const cj__program *program, const cj__instruction *sum)
{
    const cj__type *from = &program->values[sum->inputs[0]].type,
                   *to = &program->values[sum->outputs[0]].type;
    return sum->op == &cj__op_reduce_sum && to->shape.rank == 0 &&
           cj_shape_count(&from->shape) <= exact_most;
}

static cj_status try_sum(const chain *c, cj__instruction *sum)
{
    const cj__value_info *values = c->program->values;
    const cj__instruction *cast = made_by(c, sum->inputs[0], &cj__op_cast);
    const cj__instruction *equal = cast ? made_by(c, cast->inputs[0], &cj__op_equal) : NULL;
    for (int side = 0; equal && side < 2; side++) {
        const int classes = classes_of(c, equal->inputs[side]),
                  labels = classes_of(c, equal->inputs[1 - side]);
        const int scores = classes >= 0 && labels >= 0 ? scores_of(c, classes) : -1;
        if (scores < 0 || c->uses[equal->inputs[side]] != 1 ||
            values[scores].type.dtype != values[sum->outputs[0]].type.dtype ||
            !cj_shape_equal(&values[classes].type.shape, &values[labels].type.shape))
            continue;
        const int inputs[2] = {scores, labels}, outputs[1] = {sum->outputs[0]};
        CJ_TRY(cj__program_operands(sum, inputs, 2, outputs, 1));
        memset(sum->attrs, 0, sizeof sum->attrs);
        sum->op = &cj__op_count_correct;
        break;
    }
    return CJ_OK;
}

cj_status cj__fuse_accuracy(cj__program *program)
{
    int *uses = cj__new((size_t)program->value_count, sizeof *uses);
    if (!uses)
        return CJ_OUT_OF_MEMORY;
    cj__program_uses(program, uses);
    cj_status status = CJ_OK;
    const chain c = {program, uses};
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        if (sums_all(program, &program->instructions[i]))
            status = try_sum(&c, &program->instructions[i]);
    }
    cj__free(uses);
    return status == CJ_OK ? cj__remove_dead(program) : status;
}
