// Connectionist temporal classification (Graves et al., ICML 2006), in Keras's conventions
// (keras/src/backend/jax/nn.py, ctc_loss, after optax).
//
//   ctc         x (b, t, c) log probabilities, int32 labels (b, n) -> loss (b), dloss/dx (b, t, c)
//   ctc_second_grad  x, labels, v (b, t, c) -> the second derivative of the loss times v (b, t, c)
//
// Class 0 is the blank. A row of labels has as many labels as it has elements other than 0; they
// stand first, zeros fill the row. All steps count. loss = -ln of the sum of the probabilities of all
// paths that give the labels when repeated classes are merged and blanks removed.
//
// States before each step: phi[0 .. n], the log probability of having emitted the first i labels and
// being free to go on, and emit[0 .. n - 1], that of being within label i. With k = -1e5, which stands
// for ln 0, and r[i] = 1 where label i + 1 repeats label i:
//
//   phi'[i + 1] = phi[i + 1] (+) emit[i] + k r[i]
//   emit[i]     = phi'[i] + x[label i] (+) emit[i] + x[label i]
//   phi[i + 1]  = phi'[i + 1] + x[0] (+) emit[i] + x[0] + k (1 - r[i])
//
// where a (+) b = ln(e^a + e^b). The gradient goes back through the same steps. All of it is in double
// and in numbers with a slope, a + b h with h^2 = 0: with slopes v of x, the slopes of the gradient
// are the second derivative times v.
#include "ops/families.h"
#include "ops/infer.h"
#include "ops/run.h"
#include <math.h>
#include <string.h>

typedef struct number {
    double value, slope;
} number;

static const double log_zero = -1e5;

static number add(number a, number b)
{
    return (number){a.value + b.value, a.slope + b.slope};
}

static number multiply(number a, number b)
{
    return (number){a.value * b.value, a.value * b.slope + a.slope * b.value};
}

static number raised(number a, double by)
{
    return (number){a.value + by, a.slope};
}

// ln(e^a + e^b); `share`, if not NULL, receives its derivative by a, which is 1 less that by b.
static number log_add(number a, number b, number *share)
{
    const double most = a.value > b.value ? a.value : b.value,
                 gap = a.value > b.value ? b.value - a.value : a.value - b.value;
    const double sum = isinf(most) ? most : most + log1p(exp(gap));
    const double by_a = isinf(most) ? 0.5 : exp(a.value - sum);
    const double slope = by_a * a.slope + (1 - by_a) * b.slope;
    if (share)
        *share = (number){by_a, by_a * (a.slope - slope)};
    return (number){sum, slope};
}

// One sample.
typedef struct path {
    const cj__call *call;
    int64_t steps, classes, most; // t, c and n
    int64_t first;                // element of x where the sample begins
    const int32_t *labels;
    int64_t count;  // of labels
    number *states; // (t + 1, n + 1 + n): phi and emit before each step and after the last
    number *after;  // (n + 1): phi' of a step
    number *back;   // (2, n + 1 + n): gradients by the states after a step and before it
    number *by_x;   // (c): the gradient by x at a step
} path;

static int64_t width(int64_t most)
{
    return 2 * most + 1;
}

static number *phi_at(const path *p, int64_t step)
{
    return p->states + step * width(p->most);
}

static number *emit_at(const path *p, int64_t step)
{
    return phi_at(p, step) + p->most + 1;
}

static double repeats(const path *p, int64_t label)
{
    return label + 1 < p->most && p->labels[label] == p->labels[label + 1] ? 1 : 0;
}

// The log probability of a class at a step; its slope is an element of v.
static number x_at(const path *p, int64_t step, int64_t class)
{
    const int64_t at = p->first + step * p->classes + class;
    const cj__call *call = p->call;
    number x = {cj__real_get(call, cj__at(call, call->inputs[0].data, at)), 0};
    if (call->input_count > 2)
        x.slope = cj__real_get(call, cj__at(call, call->inputs[2].data, at));
    return x;
}

// phi' of a step.
static void pass_on(const path *p, int64_t step)
{
    const number *phi = phi_at(p, step), *emit = emit_at(p, step);
    p->after[0] = phi[0];
    for (int64_t i = 0; i < p->count; i++)
        p->after[i + 1] = log_add(phi[i + 1], raised(emit[i], log_zero * repeats(p, i)), NULL);
}

static void forward(const path *p)
{
    for (int64_t i = 0; i <= p->count; i++)
        phi_at(p, 0)[i] = (number){i ? log_zero : 0, 0};
    for (int64_t i = 0; i < p->count; i++)
        emit_at(p, 0)[i] = (number){log_zero, 0};
    for (int64_t step = 0; step < p->steps; step++) {
        const number *emit = emit_at(p, step), blank = x_at(p, step, 0);
        number *next_phi = phi_at(p, step + 1), *next_emit = emit_at(p, step + 1);
        pass_on(p, step);
        next_phi[0] = add(p->after[0], blank);
        for (int64_t i = 0; i < p->count; i++) {
            const number x = x_at(p, step, p->labels[i]);
            const number within = raised(add(emit[i], blank), log_zero * (1 - repeats(p, i)));
            next_emit[i] = log_add(add(p->after[i], x), add(emit[i], x), NULL);
            next_phi[i + 1] = log_add(add(p->after[i + 1], blank), within, NULL);
        }
    }
}

// The log probability of the labels, and the gradient of the loss by the last states.
static number finish(const path *p, number *by_phi, number *by_emit)
{
    const number *phi = phi_at(p, p->steps), *emit = emit_at(p, p->steps);
    const int64_t n = p->count;
    number share = {1, 0};
    const number all = n ? log_add(phi[n], emit[n - 1], &share) : phi[0];
    memset(by_phi, 0, (size_t)width(p->most) * sizeof *by_phi);
    by_phi[n] = (number){-share.value, -share.slope};
    if (n)
        by_emit[n - 1] = (number){share.value - 1, share.slope};
    return all;
}

// Splits a gradient between the two terms of ln(e^a + e^b).
static void split(number gradient, number a, number b, number *by_a, number *by_b)
{
    number share;
    log_add(a, b, &share);
    const number mine = multiply(gradient, share);
    *by_a = add(*by_a, mine);
    *by_b = add(*by_b, (number){gradient.value - mine.value, gradient.slope - mine.slope});
}

// From the gradient by the states after a step to that by the states before it, and by x.
static void step_back(const path *p, int64_t step, const number *next, number *now)
{
    const number *phi = phi_at(p, step), *emit = emit_at(p, step), blank = x_at(p, step, 0);
    number *by_emit = now + p->most + 1;
    memset(now, 0, (size_t)width(p->most) * sizeof *now);
    memset(p->by_x, 0, (size_t)p->classes * sizeof *p->by_x);
    pass_on(p, step);
    now[0] = next[0]; // `now` is first the gradient by phi'
    p->by_x[0] = next[0];
    for (int64_t i = 0; i < p->count; i++) {
        const int32_t label = p->labels[i];
        const number x = x_at(p, step, label), own = next[p->most + 1 + i];
        const number within = raised(add(emit[i], blank), log_zero * (1 - repeats(p, i)));
        split(next[i + 1], add(p->after[i + 1], blank), within, &now[i + 1], &by_emit[i]);
        split(own, add(p->after[i], x), add(emit[i], x), &now[i], &by_emit[i]);
        p->by_x[0] = add(p->by_x[0], next[i + 1]);
        p->by_x[label] = add(p->by_x[label], own);
    }
    for (int64_t i = 0; i < p->count; i++) {
        const number whole = now[i + 1];
        now[i + 1] = (number){0, 0};
        split(whole, phi[i + 1], raised(emit[i], log_zero * repeats(p, i)), &now[i + 1],
              &by_emit[i]);
    }
}

static void put(const cj__call *call, const cj__operand *y, int64_t index, double value)
{
    const cj__real real = cj__real_of(call, value);
    memcpy(cj__at(call, y->data, index), &real, call->kernels->real_size);
}

static void backward(const path *p, const cj__operand *y, bool slopes)
{
    number *next = p->back, *now = p->back + width(p->most);
    for (int64_t step = p->steps; step-- > 0;) {
        step_back(p, step, next, now);
        for (int64_t c = 0; c < p->classes; c++)
            put(p->call, y, p->first + step * p->classes + c,
                slopes ? p->by_x[c].slope : p->by_x[c].value);
        number *const swap = next;
        next = now, now = swap;
    }
}

static size_t numbers_each(const cj__call *call)
{
    const int64_t *x = call->inputs[0].type.shape.dims;
    const int64_t most = call->inputs[1].type.shape.dims[1];
    return (size_t)((x[1] + 3) * width(most) + most + 1 + x[2]);
}

static size_t workspace_ctc(const cj__call *call)
{
    return numbers_each(call) * (size_t)call->inputs[0].type.shape.dims[0] * sizeof(number);
}

static void ctc_task(void *context, int64_t begin, int64_t end)
{
    const cj__call *call = context;
    const int64_t *x = call->inputs[0].type.shape.dims;
    const bool second = call->op == &cj__op_ctc_second_grad;
    path p = {
        .call = call, .steps = x[1], .classes = x[2], .most = call->inputs[1].type.shape.dims[1]};
    for (int64_t sample = begin; sample < end; sample++) {
        p.first = sample * x[1] * x[2];
        p.labels = (const int32_t *)call->inputs[1].data + sample * p.most;
        p.count = 0;
        for (int64_t i = 0; i < p.most; i++)
            p.count += p.labels[i] != 0;
        p.states = (number *)call->workspace + (size_t)sample * numbers_each(call);
        p.back = p.states + (x[1] + 1) * width(p.most);
        p.after = p.back + 2 * width(p.most);
        p.by_x = p.after + p.most + 1;
        forward(&p);
        const number all = finish(&p, p.back, p.back + p.most + 1);
        if (!second && call->outputs[0].data)
            put(call, &call->outputs[0], sample, -all.value);
        const cj__operand *y = &call->outputs[second ? 0 : 1];
        if (y->data)
            backward(&p, y, second);
    }
}

static cj_status run_ctc(const cj__call *call)
{
    const cj__operand *labels = &call->inputs[1];
    const int64_t *x = call->inputs[0].type.shape.dims;
    const int64_t count = cj__count(labels), most = labels->type.shape.dims[1];
    const int32_t *label = labels->data;
    for (int64_t i = 0; i < count; i++)
        if (label[i] < 0 || label[i] >= x[2])
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: label %d of sample %lld is outside 0..%lld",
                            call->op->name, (int)label[i], (long long)(i / most),
                            (long long)x[2] - 1);
    cj__each_item(call, x[0], 64 * x[1] * width(most), ctc_task, (void *)call);
    return CJ_OK;
}

static cj_status check(const cj__inference *r)
{
    CJ_TRY(cj__need_real(r, 0, NULL));
    CJ_TRY(cj__need_rank(r, 0, 3, 3));
    CJ_TRY(cj__need_dtype(r, 1, CJ_I32));
    CJ_TRY(cj__need_rank(r, 1, 2, 2));
    for (int axis = 1; axis < 3; axis++)
        CJ_TRY(cj__need_axis(r, &r->inputs[0], axis, false));
    CJ_TRY(cj__need_axis(r, &r->inputs[1], 1, false));
    if (r->inputs[0].shape.dims[0] != r->inputs[1].shape.dims[0])
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: predictions and labels have different samples",
                        r->op->name);
    return CJ_OK;
}

static cj_status infer_ctc(cj__inference *r)
{
    CJ_TRY(check(r));
    r->output_count = 2;
    r->outputs[0] = (cj__type){r->inputs[0].dtype, {1, {r->inputs[0].shape.dims[0]}}};
    r->outputs[1] = r->inputs[0];
    return CJ_OK;
}

static cj_status infer_ctc_second_grad(cj__inference *r)
{
    CJ_TRY(check(r));
    CJ_TRY(cj__need_real(r, 2, &r->inputs[0]));
    CJ_TRY(cj__need_same_shape(r, &r->inputs[0], &r->inputs[2]));
    r->outputs[0] = r->inputs[0];
    return CJ_OK;
}

static void gradient_ctc(cj__build *g, const cj__node *node, cj_symbol *const *dy, cj_symbol **dx)
{
    cj_symbol *by_loss = NULL, *by_gradient = NULL;
    if (dy[0]) {
        const cj__type *loss = cj__symbol_type(dy[0]);
        const cj__type each = {loss->dtype, {3, {loss->shape.dims[0], 1, 1}}};
        by_loss = cj__mul(g, cj__node_output(g, node, 1), cj__reshape_to(g, dy[0], &each));
    }
    if (dy[1])
        by_gradient = cj__append(g, &cj__op_ctc_second_grad, NULL,
                                 (cj_symbol *[]){node->inputs[0], node->inputs[1], dy[1]}, 3);
    dx[0] = dy[0] && dy[1] ? cj__add(g, by_loss, by_gradient) : dy[0] ? by_loss : by_gradient;
    dx[1] = NULL;
}

// By v it is the second derivative again, which is symmetric; by x it would be a third derivative.
static void gradient_ctc_second_grad(cj__build *g, const cj__node *node, cj_symbol *const *dy,
                                     cj_symbol **dx)
{
    (void)node, (void)dy;
    cj__build_refuse(g, cj__fail(CJ_UNSUPPORTED, "ctc: its third derivative is not there"));
    dx[0] = dx[1] = dx[2] = NULL;
}

#define CTC(plain, inputs)              \
    const cj__op cj__op_##plain = {     \
        .name = #plain,                 \
        .min_inputs = inputs,           \
        .max_inputs = inputs,           \
        .samples = CJ__WHOLE_BATCH,     \
        .on_blocks = CJ__ON_BLOCKS_NO,  \
        .identity = CJ__IDENTITY_NEVER, \
        .bf16 = CJ__BF16_NEVER,         \
        .infer = infer_##plain,         \
        .gradient = gradient_##plain,   \
        .workspace = workspace_ctc,     \
        .run = run_ctc,                 \
    }
CTC(ctc, 2);
CTC(ctc_second_grad, 3);
