// round_bf16: y = x rounded to the nearest bfloat16, ties to even: what a cast to bfloat16 and back
// does. A bfloat16 value is kept as a float32 one whose lower 16 bits are 0. The gradient is
// rounded too, as that of the cast is, so this is no derivative of the staircase (which is 0) but
// of the identity, in bfloat16.
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/build.h"

#include <string.h>

static cj_status infer_round(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return cj__need_real(r, 0, NULL);
}

static void work_round(const cj__call *call, int64_t begin, int64_t end)
{
    call->kernels->round_bf16(end - begin, cj__at(call, call->inputs[0].data, begin),
                              cj__at(call, call->outputs[0].data, begin));
}

// Whether the call that reads the result has what it made of it still (cj__kept).
static bool is_kept(const cj__call *call)
{
    cj__kept *kept = call->kept;
    if (!kept)
        return false;
    kept->same = cj__kept_is_valid(kept, call->inputs[0].data);
    kept->prepared = kept->same; // else not until that call has run
    return kept->same;
}

static cj_status run_round(const cj__call *call)
{
    if (is_kept(call))
        return CJ_OK;
    cj__each_element(call, cj__count(&call->outputs[0]), work_round);
    return CJ_OK;
}

static void gradient_round(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    (void)node;
    dx[0] = cj__round_bf16(g, dy[0]);
}

const cj__op cj__op_round_bf16 = {
    .name = "round_bf16",
    .flags = CJ__OP_ELEMENTWISE,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = "e>s",
    .on_blocks = CJ__ON_BLOCKS_YES,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_ALWAYS,
    .work_elements = work_round,
    .infer = infer_round,
    .gradient = gradient_round,
    .run = run_round,
};

// What is rounded already is left alone.
cj_symbol *cj__round_bf16(cj__build *g, cj_symbol *x)
{
    if (x && g->status == CJ_OK && cj__symbol_is(x, &cj__op_round_bf16))
        return x;
    return cj__append(g, &cj__op_round_bf16, NULL, &x, 1);
}
