// Random numbers of distributions that are drawn by trial: random_gamma, random_binomial. Each element has
// a stream of its own, a function of attrs.key, of the step (the last input, an int64 scalar) and of its
// place. Nothing passes back.
#include "base/random.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/words.h"
#include <math.h>

// Words in turn: 2^20 blocks of four for each element.
typedef struct stream {
    uint64_t key, step, block;
    uint32_t words[4];
    int left;
} stream;

static stream stream_of(const cj__call *call, int64_t element)
{
    const cj__operand *step = &call->inputs[call->input_count - 1];
    return (stream){.key = ((const cj__distribution_attrs *)call->attrs)->key,
                    .step = (uint64_t) * (const int64_t *)step->data,
                    .block = (uint64_t)element << 20};
}

// In 0 .. 1, without both.
static double uniform(stream *s)
{
    if (s->left == 0) {
        cj__philox(s->key, s->step, s->block++, s->words);
        s->left = 4;
    }
    return (s->words[--s->left] + 0.5) * 0x1p-32;
}

static double normal(stream *s)
{
    const double length = sqrt(-2 * log(uniform(s)));
    return length * cos(6.28318530717958647693 * uniform(s));
}

// Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000; below 1 by the number for
// alpha + 1 times u^(1 / alpha).
static double gamma_of(stream *s, double alpha)
{
    if (!(alpha > 0) || isinf(alpha))
        return alpha > 0 ? alpha : (double)NAN;
    const double boost = alpha < 1 ? pow(uniform(s), 1 / alpha) : 1;
    const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = normal(s), v = (1 + c * x) * (1 + c * x) * (1 + c * x);
        if (v > 0 && log(uniform(s)) < x * x / 2 + d - d * v + d * log(v))
            return d * v * boost;
    }
}

static double beta_of(stream *s, double a, double b)
{
    const double first = gamma_of(s, a), second = gamma_of(s, b);
    return first / (first + second);
}

// Many trials are halved by the middle one in order of n uniform numbers, which has the distribution
// Beta(i, n + 1 - i): if it is above p, those after it failed, else those up to it succeeded (Devroye,
// "Non-Uniform Random Variate Generation", 1986, X.4). Few are tried one by one.
static double binomial_of(stream *s, double count, double p)
{
    double found = 0, n = floor(count);
    if (!(n >= 0) || isinf(n) || !(p >= 0 && p <= 1))
        return (double)NAN;
    while (n > 16) {
        const double i = floor(n / 2) + 1, middle = beta_of(s, i, n + 1 - i);
        if (p < middle) {
            n = i - 1;
            p /= middle;
        } else {
            found += i;
            n -= i;
            p = (p - middle) / (1 - middle);
        }
    }
    for (; n > 0; n--)
        found += uniform(s) < p;
    return found;
}

static cj_status infer_distribution(cj__inference *r)
{
    const int last = r->input_count - 1;
    r->outputs[0] = r->inputs[0];
    for (int i = 0; i < last; i++) {
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
        CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]));
    }
    CJ_TRY(cj__need_dtype(r, last, CJ_I64));
    return cj__need_rank(r, last, 0, 0);
}

static void gamma_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj_dtype dtype = call->outputs[0].type.dtype;
    for (int64_t i = begin; i < end; i++) {
        stream s = stream_of(call, i);
        cj__element_set(dtype, call->outputs[0].data, i,
                        gamma_of(&s, cj__element_get(dtype, call->inputs[0].data, i)));
    }
}

static void binomial_work(const cj__call *call, int64_t begin, int64_t end)
{
    const cj_dtype dtype = call->outputs[0].type.dtype;
    for (int64_t i = begin; i < end; i++) {
        stream s = stream_of(call, i);
        cj__element_set(dtype, call->outputs[0].data, i,
                        binomial_of(&s, cj__element_get(dtype, call->inputs[0].data, i),
                                    cj__element_get(dtype, call->inputs[1].data, i)));
    }
}

static cj_status run_gamma(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), gamma_work);
    return CJ_OK;
}

static cj_status run_binomial(const cj__call *call)
{
    cj__each_element(call, cj__count(&call->outputs[0]), binomial_work);
    return CJ_OK;
}

#define DISTRIBUTION(name_, inputs)                           \
    const cj__op cj__op_random_##name_ = {                    \
        .name = "random_" #name_,                             \
        .flags = CJ__OP_NO_GRADIENT,                          \
        .min_inputs = inputs,                                 \
        .max_inputs = inputs,                                 \
        .samples = CJ__WHOLE_BATCH,                           \
        .on_blocks = CJ__ON_BLOCKS_NO,                        \
        .identity = CJ__IDENTITY_NEVER,                       \
        .bf16 = CJ__BF16_NEVER,                               \
        .attrs_size = CJ__ATTRS_SIZE(cj__distribution_attrs), \
        .infer = infer_distribution,                          \
        .run = run_##name_,                                   \
    };
DISTRIBUTION(gamma, 2)
DISTRIBUTION(binomial, 3)

cj_symbol *cj__random_gamma(cj__build *g, cj_symbol *alpha, cj_symbol *step, uint64_t key)
{
    return cj__append(g, &cj__op_random_gamma, &(cj__distribution_attrs){key},
                      (cj_symbol *[]){alpha, step}, 2);
}

cj_symbol *cj__random_binomial(cj__build *g, cj_symbol *counts, cj_symbol *probabilities,
                               cj_symbol *step, uint64_t key)
{
    return cj__append(g, &cj__op_random_binomial, &(cj__distribution_attrs){key},
                      (cj_symbol *[]){counts, probabilities, step}, 3);
}
