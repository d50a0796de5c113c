// Factors that do not change along the axes of a sum are taken out of it:
//
//   sum_like(multiply(a, v), like) becomes multiply(sum_like(a, like), v)
//   sum_like(negative(a), like) becomes negative(sum_like(a, like))
//
// where v is one number for each element of the result. Gradients of normalization are full of
// these: y = (x - mean) factor + beta needs sum(dy) for beta and sum(-(dy factor)) for the mean, of
// which one sweep over dy is left.
//
// The list of instructions is written anew. Then each sum moves up to where its operand is made: what
// is done to the operand next may join it in one sweep (fuse_elements.c), before anything reads the
// sum.
#include "base/memory.h"
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

enum { FACTORS_MAX = 8 };

// What stands before a sum, outermost first: an op, and the factor of a product.
typedef struct factor {
    const cj__op *op;
    int value; // -1 of negative
} factor;

typedef struct factoring {
    cj__program *program;
    const cj__instruction *old; // the list before
} factoring;

static const cj_shape *shape_of(const factoring *f, int value)
{
    return &f->program->values[value].type.shape;
}

// Whether v, which is broadcast to x, is one number for each element of the sum of x that has the
// shape `like`: 1 or missing along the axes that are summed.
static bool is_constant(const cj_shape *v, const cj_shape *like)
{
    if (v->rank > like->rank)
        return false;
    for (int i = 1; i <= v->rank; i++) {
        const int64_t length = v->dims[v->rank - i];
        if (length != 1 && length != like->dims[like->rank - i])
            return false;
    }
    return true;
}

// A filters' gradient sums its dy for the bias beside its own work (fuse_bias_grad.c).
static bool feeds_filters(const factoring *f, int count, int value)
{
    for (int i = 0; i < count; i++) {
        const cj__convolution *c = f->old[i].op->convolution;
        for (int j = 0; c && c->kind == CJ__CONV2D_FILTER_GRAD && j < f->old[i].input_count; j++)
            if (f->old[i].inputs[j] == value)
                return true;
    }
    return false;
}

// The factor that can be taken out of the sum of `value`, which is then another value.
static bool take_factor(const factoring *f, int count, const cj_shape *like, int *value,
                        factor *taken)
{
    const int producer = f->program->values[*value].producer;
    const cj__instruction *made = producer >= 0 ? &f->old[producer] : NULL;
    if (!made || feeds_filters(f, count, *value))
        return false;
    if (made->op == &cj__op_negative) {
        *taken = (factor){made->op, -1};
        *value = made->inputs[0];
        return true;
    }
    for (int side = 0; side < 2 && made->op == &cj__op_multiply; side++) {
        const int v = made->inputs[side], a = made->inputs[1 - side];
        if (is_constant(shape_of(f, v), like) &&
            cj_shape_equal(shape_of(f, a), shape_of(f, *value))) {
            *taken = (factor){made->op, v};
            *value = a;
            return true;
        }
    }
    return false;
}

static cj_status append(cj__program *program, const cj__instruction *like, const int *inputs,
                        int count, int output)
{
    cj__instruction made = *like;
    made.inputs = NULL;
    CJ_TRY(cj__program_operands(&made, inputs, count, &output, 1));
    cj_status status = cj__program_append(program, &made);
    if (status != CJ_OK)
        cj__free(made.inputs);
    return status;
}

// Appends the sum of `value` and then the factors, the last of which makes what the old sum made.
static cj_status append_factored(const factoring *f, const cj__instruction *sum, int value,
                                 const factor *factors, int count)
{
    const cj__type type = f->program->values[sum->outputs[0]].type;
    int made = cj__program_add_value(f->program, &type);
    if (made < 0)
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(append(f->program, sum, (int[]){value, sum->inputs[1]}, 2, made));
    for (int i = count - 1; i >= 0; i--) {
        const int next = i == 0 ? sum->outputs[0] : cj__program_add_value(f->program, &type);
        const cj__instruction applied = {.op = factors[i].op};
        if (next < 0)
            return CJ_OUT_OF_MEMORY;
        CJ_TRY(append(f->program, &applied, (int[]){made, factors[i].value},
                      factors[i].value < 0 ? 1 : 2, next));
        made = next;
    }
    return CJ_OK;
}

// Moves one instruction to the new list; *moved says whether its operands went with it.
static cj_status rewrite(const factoring *f, int count, const cj__instruction *instruction,
                         bool *moved)
{
    factor factors[FACTORS_MAX];
    int value = instruction->inputs[0], taken = 0;
    while (instruction->op == &cj__op_sum_like && taken < FACTORS_MAX &&
           take_factor(f, count, shape_of(f, instruction->outputs[0]), &value, &factors[taken]))
        taken++;
    *moved = taken == 0;
    return taken == 0 ? cj__program_append(f->program, instruction) :
                        append_factored(f, instruction, value, factors, taken);
}

// Moves instruction `index` up to `place`.
static void move_up(cj__program *program, int index, int place)
{
    const cj__instruction moved = program->instructions[index];
    memmove(&program->instructions[place + 1], &program->instructions[place],
            (size_t)(index - place) * sizeof moved);
    program->instructions[place] = moved;
    for (int i = place; i <= index; i++)
        for (int j = 0; j < program->instructions[i].output_count; j++)
            program->values[program->instructions[i].outputs[j]].producer = i;
}

static void move_sums(cj__program *program)
{
    for (int i = 0; i < program->instruction_count; i++) {
        const cj__instruction *sum = &program->instructions[i];
        int place = 0;
        for (int j = 0; sum->op == &cj__op_sum_like && j < sum->input_count; j++) {
            const int producer = program->values[sum->inputs[j]].producer;
            place = producer >= place ? producer + 1 : place;
        }
        if (sum->op == &cj__op_sum_like && place < i)
            move_up(program, i, place);
    }
}

cj_status cj__factor_sums(cj__program *program)
{
    cj__instruction *old = program->instructions;
    const factoring f = {program, old};
    const int count = program->instruction_count;
    cj_status status = CJ_OK;
    program->instructions = NULL;
    program->instruction_count = 0;
    program->instruction_capacity = 0;
    for (int i = 0; i < count; i++) {
        bool moved = false;
        if (status == CJ_OK)
            status = rewrite(&f, count, &old[i], &moved);
        if (!moved || status != CJ_OK) {
            cj__free(old[i].inputs);
            cj_release(old[i].attrs_object);
        }
    }
    cj__free(old);
    cj__program_compact(program);
    if (status == CJ_OK)
        move_sums(program);
    return status;
}
