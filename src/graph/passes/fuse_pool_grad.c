// A max pool's gradient that only the filters' gradient reads, as in the first layer, is never
// written to memory:
//
//   dz = max_pool2d_grad(place, dy);  dw, db = conv2d_filter_grad(x, dz)
//                                                      becomes      dw, db =
//                                                                   conv2d_pool_filter_grad(x, dy,
//                                                                   place)
#include "graph/program.h"
#include "ops/build.h"

#include <string.h>

// Whether windows lie side by side and are all there is.
static bool covers(const cj__program *program, const cj__instruction *pool_grad)
{
    const cj__pool2d_attrs *p = (const void *)pool_grad->attrs;
    const cj_shape *dy = &program->values[pool_grad->inputs[1]].type.shape;
    const cj_shape *dz = &program->values[pool_grad->outputs[0]].type.shape;
    for (int i = 0; i < 2; i++)
        if (p->strides[i] != p->size[i] || dy->dims[i + 1] * p->size[i] != dz->dims[i + 1])
            return false;
    return program->values[pool_grad->inputs[0]].type.dtype == CJ_U8 && p->size[0] * p->size[1] > 1;
}

static cj_status try_filter_grad(cj__program *program, cj__instruction *filter_grad)
{
    int reader;
    const int dz = filter_grad->inputs[1], producer = program->values[dz].producer;
    cj__conv2d_choice *a = &((cj__conv2d_attrs *)(void *)filter_grad->attrs)->chosen;
    cj__instruction *pool_grad = producer >= 0 ? &program->instructions[producer] : NULL;
    if (a->images > 0 || a->winograd || !pool_grad || pool_grad->op != &cj__op_max_pool2d_grad ||
        filter_grad->inputs[0] == dz || cj__program_readers(program, dz, &reader, 1) != 1 ||
        !covers(program, pool_grad))
        return CJ_OK;
    const cj__pool2d_attrs *p = (const void *)pool_grad->attrs;
    const cj_shape *dy = &program->values[pool_grad->inputs[1]].type.shape;
    const int inputs[3] = {filter_grad->inputs[0], pool_grad->inputs[1], pool_grad->inputs[0]};
    int outputs[2];
    memcpy(outputs, filter_grad->outputs, (size_t)filter_grad->output_count * sizeof(int));
    CJ_TRY(cj__program_operands(filter_grad, inputs, 3, outputs, filter_grad->output_count));
    for (int i = 0; i < 2; i++) {
        a->pool[i] = (int32_t)p->size[i];
        a->out[i] = (int32_t)dy->dims[i + 1];
    }
    filter_grad->op = &cj__op_conv2d_pool_filter_grad;
    pool_grad->op = NULL;
    return CJ_OK;
}

cj_status cj__fuse_pool_grad(cj__program *program)
{
    cj_status status = CJ_OK;
    for (int i = 0; i < program->instruction_count && status == CJ_OK; i++)
        if (program->instructions[i].op == &cj__op_conv2d_filter_grad)
            status = try_filter_grad(program, &program->instructions[i]);
    cj__program_compact(program);
    return status;
}
