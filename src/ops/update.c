// Optimizer steps: one tensor's, or a sweep over many. Inputs: weights w, gradient g, the learning
// rate (a real scalar) and the optimizer's slots, each of w's type; outputs: the new w and slots,
// each of which may lie in its input's memory (alias). Weight decay comes first: w -= rate
// weight_decay w. The formulas are in cajal/train.h and at the kernels.
#include "base/memory.h"
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include "ops/step.h"
#include <limits.h>
#include <math.h>

static cj_status infer_step(cj__inference *r)
{
    const int first = r->op->step->first_slot;
    CJ_TRY(cj__need_real(r, 0, NULL));
    for (int i = 1; i < r->input_count; i++) {
        if (i == 3 && first == 4) {
            CJ_TRY(cj__need_dtype(r, i, CJ_I64));
            CJ_TRY(cj__need_rank(r, i, 0, 0));
            continue;
        }
        CJ_TRY(cj__need_real(r, i, &r->inputs[0]));
        if (i == 2)
            CJ_TRY(cj__need_rank(r, i, 0, 0));
        else
            CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[i]));
    }
    r->output_count = 1 + r->input_count - first;
    for (int i = 0; i < r->output_count; i++)
        r->outputs[i] = r->inputs[0];
    return CJ_OK;
}

// rmsprop's optional slots are told apart by its attributes.
static cj_status infer_rmsprop(cj__inference *r)
{
    const cj__update_attrs *a = r->attrs;
    const int needed = 4 + (a->momentum > 0) + a->centered;
    if (r->input_count != needed)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: %d inputs given, its momentum and centering need %d", r->op->name,
                        r->input_count, needed);
    return infer_step(r);
}

// What a step's pieces share: pointers to element `begin` of input and output slots, NULL where
// there is none.
static const void *in(const cj__call *call, int index, int64_t begin)
{
    return index < call->input_count ? cj__at(call, call->inputs[index].data, begin) : NULL;
}

static void *out(const cj__call *call, int index, int64_t begin)
{
    return index < call->output_count ? cj__at(call, call->outputs[index].data, begin) : NULL;
}

static void sgd_work(const cj__call *call, const cj__step_size *p, int64_t i, int64_t end)
{
    const cj__update_attrs *a = call->attrs;
    call->kernels->sgd(end - i, in(call, 0, i), in(call, 1, i), in(call, 3, i), out(call, 0, i),
                       out(call, 1, i), p->rate, a->momentum, a->nesterov,
                       p->rate * a->weight_decay);
}

static void adagrad_work(const cj__call *call, const cj__step_size *p, int64_t i, int64_t end)
{
    const cj__update_attrs *a = call->attrs;
    call->kernels->adagrad(end - i, in(call, 0, i), in(call, 1, i), in(call, 3, i), out(call, 0, i),
                           out(call, 1, i), p->rate, a->epsilon, p->rate * a->weight_decay);
}

static void adadelta_work(const cj__call *call, const cj__step_size *p, int64_t i, int64_t end)
{
    const cj__update_attrs *a = call->attrs;
    call->kernels->adadelta(end - i, in(call, 0, i), in(call, 1, i), in(call, 3, i), in(call, 4, i),
                            out(call, 0, i), out(call, 1, i), out(call, 2, i), p->rate, a->rho,
                            a->epsilon, p->rate * a->weight_decay);
}

static void rmsprop_work(const cj__call *call, const cj__step_size *p, int64_t i, int64_t end)
{
    const cj__update_attrs *a = call->attrs;
    const bool moving = a->momentum > 0;
    call->kernels->rmsprop(
        end - i, in(call, 0, i), in(call, 1, i), in(call, 3, i), moving ? in(call, 4, i) : NULL,
        a->centered ? in(call, 4 + moving, i) : NULL, out(call, 0, i), out(call, 1, i),
        moving ? out(call, 2, i) : NULL, a->centered ? out(call, 2 + moving, i) : NULL, p->rate,
        a->rho, a->momentum, a->epsilon, p->rate * a->weight_decay);
}

// Bias correction is folded into the rate: alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t), t =
// step + 1. For float weights it is computed in float, as Keras does: 1 - beta_2^t cancels, so that
// alpha is some 1e-5 off the exact rate, and a run that is to follow Keras must be off likewise.
static double corrected_rate(const cj__call *call, double rate, double t)
{
    const cj__update_attrs *a = call->attrs;
    if (call->kernels->real_size != sizeof(float))
        return rate * sqrt(1 - pow(a->beta_2, t)) / (1 - pow(a->beta_1, t));
    const float first = powf((float)a->beta_1, (float)t), second = powf((float)a->beta_2, (float)t);
    return (double)((float)rate * sqrtf(1 - second) / (1 - first));
}

cj__step_size cj__step_size_of(const cj__call *call)
{
    cj__step_size p = {.rate = cj__real_get(call, call->inputs[2].data)};
    if (call->op->step->first_slot > 3)
        p.alpha = corrected_rate(call, p.rate, (double)*(const int64_t *)call->inputs[3].data + 1);
    return p;
}

static void adam_work(const cj__call *call, const cj__step_size *p, int64_t i, int64_t end)
{
    const cj__update_attrs *a = call->attrs;
    call->kernels->adam(end - i, in(call, 0, i), in(call, 1, i), in(call, 4, i), in(call, 5, i),
                        in(call, 6, i), out(call, 0, i), out(call, 1, i), out(call, 2, i),
                        out(call, 3, i), p->alpha, a->beta_1, a->beta_2, a->epsilon,
                        p->rate * a->weight_decay);
}

// Tensors are laid end to end, each from the beginning of a line, and the whole is cut into pieces,
// so that many small ones cost no more than one of their size. A piece is about half a
// microsecond's work.
enum { SWEEP_LINE = 64, SWEEP_PIECE = 2048, SWEEP_GRAIN = 2 };

typedef struct sweep {
    cj__call member; // the first tensor's step; the others' operands follow its own
    int members;
    cj__step_size size;
} sweep;

static cj__call member_of(const sweep *s, int index)
{
    cj__call member = s->member;
    member.inputs += index * member.input_count;
    member.outputs += index * member.output_count;
    return member;
}

static int64_t lined(int64_t count)
{
    return (count + SWEEP_LINE - 1) / SWEEP_LINE * SWEEP_LINE;
}

static void sweep_task(void *context, int64_t begin, int64_t end)
{
    const sweep *s = context;
    const int64_t first = begin * SWEEP_PIECE, last = end * SWEEP_PIECE;
    int64_t at = 0; // of the member, in the whole
    for (int i = 0; i < s->members && at < last; i++) {
        const cj__call member = member_of(s, i);
        const int64_t count = cj__count(&member.inputs[0]);
        const int64_t from = first > at ? first - at : 0,
                      to = last - at < count ? last - at : count;
        if (from < to)
            member.op->step->run(&member, &s->size, from, to);
        at += lined(count);
    }
}

static cj_status run_sweep_of(const cj__call *first, int members)
{
    sweep s = {.member = *first, .members = members, .size = cj__step_size_of(first)};
    int64_t whole = 0;
    for (int i = 0; i < members; i++)
        whole += lined(cj__count(&member_of(&s, i).inputs[0]));
    cj__parallel(first->pool, (whole + SWEEP_PIECE - 1) / SWEEP_PIECE, SWEEP_GRAIN, sweep_task, &s);
    return CJ_OK;
}

static cj_status run_step(const cj__call *call)
{
    return run_sweep_of(call, 1);
}

static bool sgd_rests(const void *attrs)
{
    const cj__update_attrs *a = attrs;
    return a->momentum == 0 && a->weight_decay == 0;
}

// The sum of squares may be 0, so epsilon must not be.
static bool adagrad_rests(const void *attrs)
{
    const cj__update_attrs *a = attrs;
    return a->epsilon > 0 && a->weight_decay == 0;
}

#define STEP(op_name, min, max, aliases, first, infer_function, rests)          \
    static const cj__step_rule op_name##_step = {first, op_name##_work, rests}; \
    const cj__op cj__op_##op_name = {                                           \
        .name = #op_name,                                                       \
        .flags = CJ__OP_UPDATE,                                                 \
        .min_inputs = min,                                                      \
        .max_inputs = max,                                                      \
        .samples = CJ__WHOLE_BATCH,                                             \
        .on_blocks = CJ__ON_BLOCKS_NO,                                          \
        .identity = CJ__IDENTITY_NEVER,                                         \
        .bf16 = CJ__BF16_NEVER,                                                 \
        .step = &op_name##_step,                                                \
        .attrs_size = CJ__ATTRS_SIZE(cj__update_attrs),                         \
        .alias = aliases,                                                       \
        .infer = infer_function,                                                \
        .run = run_step,                                                        \
    }
STEP(sgd, 3, 4, "03", 3, infer_step, sgd_rests);
STEP(adagrad, 4, 4, "03", 3, infer_step, adagrad_rests);
STEP(adadelta, 5, 5, "034", 3, infer_step, NULL);
STEP(rmsprop, 4, 6, "0345", 3, infer_rmsprop, NULL);
STEP(adam, 6, 7, "0456", 4, infer_step, NULL);

// sweep: the steps of many tensors by one optimizer. Operands are those of each tensor's step in
// turn.
static int count_sweep(const void *attrs, const cj__type *inputs)
{
    const cj__sweep_attrs *a = attrs;
    (void)inputs;
    return a->members * a->outputs;
}

static cj_status infer_sweep(cj__inference *r)
{
    cj__sweep_attrs *a = r->attrs;
    if (r->input_count != a->members * a->inputs)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, %d tensors need %d", r->op->name,
                        r->input_count, a->members, a->members * a->inputs);
    for (int i = 0; i < a->members; i++) {
        CJ_TRY(a->step->infer(&(cj__inference){.op = a->step,
                                               .attrs = &a->update,
                                               .inputs = r->inputs + i * a->inputs,
                                               .input_count = a->inputs,
                                               .outputs = r->outputs + i * a->outputs,
                                               .output_count = 1}));
    }
    r->output_count = a->members * a->outputs;
    return CJ_OK;
}

static cj_status run_sweep(const cj__call *call)
{
    const cj__sweep_attrs *a = call->attrs;
    cj__call first = *call;
    first.op = a->step;
    first.attrs = &a->update;
    first.input_count = a->inputs;
    first.output_count = a->outputs;
    return run_sweep_of(&first, a->members);
}

static int aliased_sweep(const void *attrs, int output)
{
    const cj__sweep_attrs *a = attrs;
    return output / a->outputs * a->inputs + (a->step->alias[output % a->outputs] - '0');
}

static const char *form_of_sweep(const cj__call *call)
{
    return ((const cj__sweep_attrs *)call->attrs)->step->name;
}

const cj__op cj__op_sweep = {
    .name = "sweep",
    .flags = CJ__OP_UPDATE | CJ__OP_FUSED,
    .min_inputs = 1,
    .max_inputs = INT_MAX,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .attrs_size = CJ__ATTRS_SIZE(cj__sweep_attrs),
    .count_outputs = count_sweep,
    .aliased = aliased_sweep,
    .infer = infer_sweep,
    .form = form_of_sweep,
    .run = run_sweep,
};

// increment: n + 1 for an int64 scalar.
static cj_status infer_increment(cj__inference *r)
{
    r->outputs[0] = r->inputs[0];
    CJ_TRY(cj__need_dtype(r, 0, CJ_I64));
    return cj__need_rank(r, 0, 0, 0);
}

static cj_status run_increment(const cj__call *call)
{
    *(int64_t *)call->outputs[0].data = *(const int64_t *)call->inputs[0].data + 1;
    return CJ_OK;
}

const cj__op cj__op_increment = {
    .name = "increment",
    .flags = CJ__OP_UPDATE,
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .alias = "0",
    .infer = infer_increment,
    .run = run_increment,
};

// norm_squared: the sum of x^2 in double, from pieces that are added in order; dx = 2 x dy.
static cj_status infer_norm(cj__inference *r)
{
    r->outputs[0] = (cj__type){r->inputs[0].dtype, {0}};
    return cj__need_real(r, 0, NULL);
}

static int64_t norm_pieces(const cj__call *call)
{
    return (cj__count(&call->inputs[0]) + CJ__PIECE - 1) / CJ__PIECE;
}

static size_t workspace_norm(const cj__call *call)
{
    return (size_t)norm_pieces(call) * sizeof(double);
}

static void norm_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t count = cj__count(&call->inputs[0]);
    for (int64_t piece = begin; piece < end; piece++) {
        const int64_t first = piece * CJ__PIECE, left = count - first;
        ((double *)call->workspace)[piece] = call->kernels->sum_of_squares(
            left < CJ__PIECE ? left : CJ__PIECE, cj__at(call, call->inputs[0].data, first));
    }
}

static cj_status run_norm(const cj__call *call)
{
    const int64_t pieces = norm_pieces(call);
    double sum = 0;
    cj__each_item(call, pieces, CJ__PIECE, norm_task, (void *)call);
    for (int64_t i = 0; i < pieces; i++)
        sum += ((const double *)call->workspace)[i];
    cj__element_set(call->outputs[0].type.dtype, call->outputs[0].data, 0, sum);
    return CJ_OK;
}

static void gradient_norm(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    dx[0] = cj__mul(g, node->inputs[0], cj__scale(g, dy[0], 2));
}

const cj__op cj__op_norm_squared = {
    .name = "norm_squared",
    .min_inputs = 1,
    .max_inputs = 1,
    .samples = CJ__WHOLE_BATCH,
    .on_blocks = CJ__ON_BLOCKS_NO,
    .identity = CJ__IDENTITY_NEVER,
    .bf16 = CJ__BF16_NEVER,
    .infer = infer_norm,
    .gradient = gradient_norm,
    .workspace = workspace_norm,
    .run = run_norm,
};
