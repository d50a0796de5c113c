// The bias's gradient, a sum of dz over images and pixels, comes with the filters' gradient, which
// reads dz anyway:
//
//   db = sum_like(dz, b);  dw = conv2d_filter_grad(x, dz) becomes dw, db = conv2d_filter_grad(x,
//                          dz)
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

enum { READERS_MAX = 8 };

static bool sums_filters(const cj__program *program, const cj__instruction *sum, int value)
{
    const cj_shape *from = &program->values[value].type.shape,
                   *to = &program->values[sum->outputs[0]].type.shape;
    return sum->op == &cj__op_sum_like &&
           !((const cj__stretch_attrs *)(const void *)sum->attrs)->mean &&
           sum->inputs[0] == value && to->rank == 1 && from->rank == 4 &&
           to->dims[0] == from->dims[3];
}

// Where the joint instruction can stand: where the later of the two stands, if the other's result
// is not read before, or where the earlier stands, if the input x exists there; -1 if neither.
static int place_of(const cj__program *program, int filter_grad, int sum)
{
    const int x = program->values[program->instructions[filter_grad].inputs[0]].producer;
    const int later = filter_grad > sum ? filter_grad : sum,
              earlier = filter_grad > sum ? sum : filter_grad;
    int reader = program->instruction_count; // an output is read at the end
    if (x < earlier)
        return earlier;
    const int count =
        cj__program_readers(program, program->instructions[earlier].outputs[0], &reader, 1);
    return count == 0 || reader > later ? later : -1; // the first reader is the earliest
}

static cj_status join(cj__program *program, int filter_grad, int sum, int at)
{
    cj__instruction *from = &program->instructions[filter_grad],
                    *place = &program->instructions[at];
    cj__instruction *other = &program->instructions[at == sum ? filter_grad : sum];
    const int inputs[2] = {from->inputs[0], from->inputs[1]};
    const int outputs[2] = {from->outputs[0], program->instructions[sum].outputs[0]};
    cj__conv2d_attrs a = *(const cj__conv2d_attrs *)(const void *)from->attrs;
    a.chosen.sums_dbias = true;
    CJ_TRY(cj__program_operands(place, inputs, 2, outputs, 2));
    memset(place->attrs, 0, sizeof place->attrs);
    memcpy(place->attrs, &a, sizeof(a));
    place->op = &cj__op_conv2d_filter_grad;
    other->op = NULL;
    return CJ_OK;
}

static cj_status try_filter_grad(cj__program *program, int filter_grad)
{
    int readers[READERS_MAX];
    const int dz = program->instructions[filter_grad].inputs[1];
    const int count = cj__program_readers(program, dz, readers, READERS_MAX);
    for (int i = 0; i < count && count <= READERS_MAX; i++) {
        if (!sums_filters(program, &program->instructions[readers[i]], dz))
            continue;
        const int at = place_of(program, filter_grad, readers[i]);
        return at < 0 ? CJ_OK : join(program, filter_grad, readers[i], at);
    }
    return CJ_OK;
}

cj_status cj__fuse_bias_grad(cj__program *program)
{
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++) {
        cj__instruction *instruction = &program->instructions[i];
        if (instruction->op == &cj__op_conv2d_filter_grad && instruction->output_count == 1)
            status = try_filter_grad(program, i);
    }
    cj__program_compact(program);
    return status;
}
