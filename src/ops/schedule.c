// schedule: a scalar by a formula of the number of the step, such as a learning rate that decays.
#include "ops/families.h"
#include "ops/infer.h"

static cj_status infer_schedule(cj__inference *r)
{
    r->outputs[0] = (cj__type){CJ_F32, {0}};
    CJ_TRY(cj__need_dtype(r, 0, CJ_I64));
    return cj__need_rank(r, 0, 0, 0);
}

static cj_status run_schedule(const cj__call *call)
{
    const cj__schedule_attrs *a = call->attrs;
    const double step = (double)*(const int64_t *)call->inputs[0].data;
    *(float *)call->outputs[0].data = (float)a->formula(a->numbers, step);
    return CJ_OK;
}

const cj__op cj__op_schedule = {
    .name = "schedule",
    .flags = CJ__OP_NO_GRADIENT,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__schedule_attrs),
    .infer = infer_schedule,
    .run = run_schedule,
};
