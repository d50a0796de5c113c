// spike: y = 1 where u > 0 (or u >= 0), else 0, with the slope of a surrogate as its gradient. The
// gradient is an expression of other ops, so that it is joined with its neighbours and may be
// differentiated again; it is no derivative of y, which is 0 wherever it is defined.
#include "ops/spike.h"

#include "ops/infer.h"
#include "ops/run.h"

#define UNARY(name, x) cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)

static cj_status infer_spike(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    return cj__need_real(r, 0, NULL);
}

// A piece at a time: where u is beyond 0, and then a 1 for each of these.
static void work_spike(const cj__call *call, int64_t begin, int64_t end)
{
    const cj__spike_attrs *attrs = call->attrs;
    const cj__real zero = cj__real_of(call, 0), one = cj__real_of(call, 1);
    const cj__comparison beyond =
        attrs->reached ? CJ__COMPARISON_greater_equal : CJ__COMPARISON_greater;
    uint8_t spikes[512];
    for (int64_t i = begin; i < end; i += (int64_t)sizeof spikes) {
        const int64_t left = end - i,
                      n = left < (int64_t)sizeof spikes ? left : (int64_t)sizeof spikes;
        call->kernels->compare[beyond](1, n, cj__at(call, call->inputs[0].data, i), 0, 1, &zero, 0,
                                       0, spikes);
        call->kernels->select(n, spikes, &one, 0, &zero, 0, cj__at(call, call->outputs[0].data, i));
    }
}

static cj_status run_spike(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), work_spike);
    return CJ_OK;
}

// ---- Slopes ----

typedef cj_symbol *(*slope)(cj__build *g, cj_symbol *u, double a, double b);

#define SLOPE(name) static cj_symbol *slope_##name(cj__build *g, cj_symbol *u, double a, double b)

SLOPE(fast_sigmoid)
{
    (void)b;
    cj_symbol *root = cj__shift(g, cj__scale(g, UNARY(absolute, u), a), 1);
    return UNARY(reciprocal, UNARY(square, root));
}

SLOPE(atan)
{
    (void)b;
    cj_symbol *scaled = cj__scale(g, u, 1.57079632679489661923 * a);
    return cj__scale(g, UNARY(reciprocal, cj__shift(g, UNARY(square, scaled), 1)), a / 2);
}

SLOPE(sigmoid)
{
    (void)b;
    cj_symbol *s = UNARY(sigmoid, cj__scale(g, u, a));
    return cj__scale(g, cj__mul(g, s, cj__sub(g, cj__scalar_like(g, u, 1), s)), a);
}

SLOPE(triangle)
{
    cj_symbol *height = cj__shift(g, cj__scale(g, UNARY(absolute, u), -1 / b), 1);
    return cj__scale(g, UNARY(relu, height), a);
}

SLOPE(boxcar)
{
    cj_symbol *inside =
        cj__compare(g, CJ__COMPARISON_less, UNARY(absolute, u), cj__scalar_like(g, u, b));
    return cj__select(g, inside, cj__scalar_like(g, u, a), cj__scalar_like(g, u, 0));
}

SLOPE(gaussian)
{
    return cj__scale(g, UNARY(exp, cj__scale(g, UNARY(square, cj__scale(g, u, 1 / b)), -0.5)), a);
}

// Not used: what it multiplies passes as it is.
SLOPE(straight_through)
{
    (void)a, (void)b;
    return cj__broadcast_like(g, cj__scalar_like(g, u, 1), u);
}

static const slope slopes[CJ__SURROGATE_COUNT] = {
#define CJ__ROW(name, ...) slope_##name,
    CJ__SURROGATES(CJ__ROW)
#undef CJ__ROW
};

cj_symbol *cj__surrogate_slope(cj__build *g, cj_symbol *u, const cj__spike_attrs *attrs)
{
    return slopes[attrs->surrogate](g, u, attrs->a, attrs->b);
}

static void gradient_spike(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    const cj__spike_attrs *attrs = (const void *)node->attrs;
    dx[0] = attrs->surrogate == CJ__SURROGATE_straight_through ?
                dy[0] :
                cj__mul(g, dy[0], cj__surrogate_slope(g, node->inputs[0], attrs));
}

const cj__op cj__op_spike = {
    .name = "spike",
    .flags = CJ__OP_ELEMENTWISE,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = "e>s",
    .on_blocks = CJ__ON_BLOCKS_YES,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_ALWAYS,
    .attrs_size = CJ__ATTRS_SIZE(cj__spike_attrs),
    .work_elements = work_spike,
    .infer = infer_spike,
    .gradient = gradient_spike,
    .run = run_spike,
};

cj_symbol *cj__spike(cj__build *g, cj_symbol *u, const cj__spike_attrs *attrs)
{
    return cj__append(g, &cj__op_spike, attrs, &u, 1);
}
