// What mixtures of the samples of a batch are made of. The random numbers are a function of the key,
// the step (input 1, an int64 scalar) and the sample's place in the batch.
//
//   shuffle_samples  x (n, ...), step -> the samples of x in a random order; `inverse` turns the same
//                    order back, and is the gradient
//   sample_beta      x (n, ...), step -> (n, 1): numbers of a Beta(a, a) distribution, a drawn once
//                    for the batch between attrs.ends. Of x only the shape and dtype are read.
#include "ops/families.h"
#include "ops/images.h"
#include "ops/infer.h"
#include "ops/run.h"

#include "base/random.h"
#include <math.h>
#include <string.h>

static uint64_t step_of(const cj__call *call)
{
    return (uint64_t) * (const int64_t *)call->inputs[1].data;
}

static cj_status infer_samples(cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 1, CJ_MAX_RANK));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I64));
    return cj__need_rank(r, 1, 0, 0);
}

// Samples in another order
// -----------------------------------------------------------------------------------------------

static cj_status infer_shuffle(cj__inference *r)
{
    CJ_TRY(infer_samples(r));
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

static size_t shuffle_workspace(const cj__call *call)
{
    return (size_t)call->inputs[0].type.shape.dims[0] * sizeof(int64_t);
}

static void shuffle_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const cj__mix_attrs *a = call->attrs;
    const cj_shape *x = &call->inputs[0].type.shape;
    const int64_t size = cj__span(x, 1, x->rank), *order = call->workspace;
    for (int64_t i = begin; i < end; i++)
        memcpy(cj__at(call, call->outputs[0].data, (a->inverse ? order[i] : i) * size),
               cj__at(call, call->inputs[0].data, (a->inverse ? i : order[i]) * size),
               (size_t)size * call->kernels->real_size);
}

static cj_status run_shuffle(const cj__call *call)
{
    const cj__mix_attrs *a = call->attrs;
    const cj_shape *x = &call->inputs[0].type.shape;
    cj__random_order(a->key, step_of(call), call->workspace, x->dims[0]);
    cj__each_item(call, x->dims[0], cj__span(x, 1, x->rank), shuffle_task, (void *)call);
    return CJ_OK;
}

static void gradient_shuffle(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                             cj_symbol **dx)
{
    cj__mix_attrs attrs = *(const cj__mix_attrs *)(const void *)node->attrs;
    attrs.inverse = !attrs.inverse;
    dx[0] =
        cj__append(g, &cj__op_shuffle_samples, &attrs, (cj_symbol *[]){dy[0], node->inputs[1]}, 2);
    dx[1] = NULL;
}

const cj__op cj__op_shuffle_samples = {
    .name = "shuffle_samples",
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_FROM_INPUT_0,
    .attrs_size = CJ__ATTRS_SIZE(cj__mix_attrs),
    .infer = infer_shuffle,
    .gradient = gradient_shuffle,
    .workspace = shuffle_workspace,
    .run = run_shuffle,
};

cj_symbol *cj__shuffle_samples(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key)
{
    return cj__append(g, &cj__op_shuffle_samples, &(cj__mix_attrs){.key = key},
                      (cj_symbol *[]){x, step}, 2);
}

// Beta distributions
// -----------------------------------------------------------------------------------------------

enum { ROUNDS = 64 }; // of drawing a number of a gamma distribution

// Uniform in (0, 1): the middle of the 2^24 pieces that cj__random_uniform() begins.
static double inside(uint64_t key, uint64_t step, uint64_t index)
{
    return cj__random_uniform(key, step, index) + 0x1p-25;
}

// The logarithm of a number of a Gamma(shape) distribution: Marsaglia and Tsang 2000, "A simple
// method for generating gamma variables", of shape + 1, times u^(1 / shape). By logarithms, since
// for small shapes the numbers themselves underflow. It uses the random numbers from `first` on; a
// round is right with more than 95 % chance, so 64 wrong ones do not come.
static double log_gamma_number(double shape, uint64_t key, uint64_t step, uint64_t first)
{
    const double d = shape + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    double v = 1;
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t at = first + 1 + 3 * (uint64_t)i;
        const double radius = sqrt(-2 * log(inside(key, step, at))),
                     z = radius * cos(6.283185307179586 * inside(key, step, at + 1)),
                     u = inside(key, step, at + 2), t = 1 + c * z;
        v = t * t * t;
        if (t > 0 && log(u) < 0.5 * z * z + d - d * v + d * log(v))
            break;
        v = 1;
    }
    return log(d * v) + log(inside(key, step, first)) / shape;
}

static cj_status infer_beta(cj__inference *r)
{
    const cj__mix_attrs *a = r->attrs;
    CJ_TRY(infer_samples(r));
    if (!(a->ends[0] > 0 && a->ends[1] >= a->ends[0] && isfinite(a->ends[1])))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: parameters from %g to %g", r->op->name,
                        a->ends[0], a->ends[1]);
    r->outputs[0] = (cj__type){r->inputs[0].dtype, CJ_SHAPE(r->inputs[0].shape.dims[0], 1)};
    return CJ_OK;
}

static cj_status run_beta(const cj__call *call)
{
    const cj__mix_attrs *a = call->attrs;
    const uint64_t step = step_of(call), stride = 2 * (3 * ROUNDS + 1);
    const double shape =
        a->ends[0] + (a->ends[1] - a->ends[0]) * cj__random_uniform(a->key, step, 0);
    for (int64_t i = 0; i < cj__count(&call->outputs[0]); i++) {
        const uint64_t first = 1 + (uint64_t)i * stride;
        const double x = log_gamma_number(shape, a->key, step, first),
                     y = log_gamma_number(shape, a->key, step, first + stride / 2);
        cj__element_set(call->outputs[0].type.dtype, call->outputs[0].data, i,
                        1 / (1 + exp(y - x)));
    }
    return CJ_OK;
}

const cj__op cj__op_sample_beta = {
    .name = "sample_beta",
    .flags = CJ__OP_NO_GRADIENT,
    .min_inputs = 2,
    .max_inputs = 2,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .shape_only = 1,
    .attrs_size = CJ__ATTRS_SIZE(cj__mix_attrs),
    .infer = infer_beta,
    .run = run_beta,
};

cj_symbol *cj__sample_beta(cj__build *g, cj_symbol *x, cj_symbol *step, uint64_t key, double low,
                           double high)
{
    const cj__mix_attrs attrs = {.key = key, .ends = {low, high}};
    return cj__append(g, &cj__op_sample_beta, &attrs, (cj_symbol *[]){x, step}, 2);
}
