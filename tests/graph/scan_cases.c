// See scan_cases.h.
#include "scan_cases.h"

#define N CJ_BATCH
#define S(...)                                                                                     \
    {                                                                                              \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dims = { __VA_ARGS__ } \
    }

static cj_symbol *unary(cell *c, cj__unary function, cj_symbol *x)
{
    return cj__apply_unary(c->g, function, x, 0, 0);
}

// h' = tanh(x + h u)
static void simple(cell *c)
{
    cj_symbol *product = cj__matmul(c->g, c->states[0], c->fixed[0], false, false);
    c->next[0] = unary(c, CJ__UNARY_tanh, cj__add(c->g, c->slices[0], product));
    c->outputs[0] = c->next[0];
}

// A gate: columns of z.
static cj_symbol *gate(cell *c, cj_symbol *z, int index, cj__unary function)
{
    return unary(c, function, cj__slice(c->g, z, 1, index * 4, 4));
}

// LSTM, with the products and the bias in the step: z = x w + h u + b; c' = f c + i g;
// h' = o tanh(c')
static void lstm(cell *c)
{
    cj__build *g = c->g;
    cj_symbol *z = cj__add(g, cj__matmul(g, c->slices[0], c->fixed[0], false, false),
                           cj__matmul(g, c->states[0], c->fixed[1], false, false));
    z = cj__add(g, z, c->fixed[2]);
    cj_symbol *i = gate(c, z, 0, CJ__UNARY_sigmoid), *f = gate(c, z, 1, CJ__UNARY_sigmoid);
    cj_symbol *n = gate(c, z, 2, CJ__UNARY_tanh), *o = gate(c, z, 3, CJ__UNARY_sigmoid);
    c->next[1] = cj__add(g, cj__mul(g, f, c->states[1]), cj__mul(g, i, n));
    c->next[0] = cj__mul(g, o, unary(c, CJ__UNARY_tanh, c->next[1]));
    c->outputs[0] = c->next[0];
}

// States change places, one of them is given out as it came in, and an output twice.
static void swap(cell *c)
{
    c->next[0] = c->states[1];
    c->next[1] = cj__add(c->g, cj__mul(c->g, c->states[0], c->fixed[0]), c->slices[0]);
    c->outputs[0] = c->states[0];
    c->outputs[1] = c->next[1];
    c->outputs[2] = c->slices[0];
    c->outputs[3] = cj__reshape(c->g, c->next[1], &CJ_SHAPE(N, 2, 2));
}

// No state: every step alone. Another value of the graph around it is a product of fixed ones.
static void alone(cell *c)
{
    cj_symbol *outside = cj__mul(c->g, c->fixed[0], c->fixed[0]);
    c->outputs[0] = unary(c, CJ__UNARY_sigmoid, cj__mul(c->g, c->slices[0], outside));
}

// Several steps of one kind in a step, a state that nothing reads but itself, and one that stays.
static void many(cell *c)
{
    cj_symbol *h = c->states[0];
    for (int i = 0; i < 3; i++)
        h = unary(c, CJ__UNARY_tanh,
                  cj__add(c->g, cj__matmul(c->g, h, c->fixed[0], false, i == 1),
                          cj__mul(c->g, c->slices[0], c->fixed[1])));
    c->next[0] = h;
    c->next[1] = cj__add(c->g, c->states[1], h);
    c->next[2] = c->states[2];
    c->outputs[0] = cj__mul(c->g, c->states[2], h);
}

// A convolutional cell: h' = tanh(conv(h, w) + x)
static void convolution(cell *c)
{
    const cj__conv2d_attrs attrs = {
        .strides = {1, 1}, .dilation = {1, 1}, .groups = 1, .same = true};
    cj_symbol *y = cj__conv2d_symbol(c->g, c->states[0], c->fixed[0], &attrs);
    c->next[0] = unary(c, CJ__UNARY_tanh, cj__add(c->g, y, c->slices[0]));
    c->outputs[0] = cj__mean(c->g, c->next[0], 6, false);
}

// Where the entry of a second sequence is positive the state moves on, elsewhere it stays.
static void masked(cell *c)
{
    cj_symbol *on = cj__compare(c->g, CJ__COMPARISON_greater, c->slices[1],
                                cj__scalar_like(c->g, c->slices[1], 0));
    cj_symbol *product = cj__matmul(c->g, c->states[0], c->fixed[0], false, false);
    cj_symbol *new = unary(c, CJ__UNARY_tanh, cj__add(c->g, c->slices[0], product));
    c->next[0] = cj__select(c->g, on, new, c->states[0]);
    c->outputs[0] = c->next[0];
}

// A loop in a loop: within a step the state goes through four small ones.
static void nested(cell *c)
{
    cj__scan inner;
    cj_symbol *last = NULL;
    cj__scan_begin(&inner, c->g, 4, false);
    cj_symbol *h = cj__scan_carry(&inner, c->states[0]);
    cj_symbol *row = cj__scan_slice(&inner, c->fixed[1]);
    cj_symbol *y = cj__add(c->g, cj__matmul(c->g, h, c->fixed[0], false, false), c->slices[0]);
    cj__scan_next(&inner, h, unary(c, CJ__UNARY_tanh, cj__mul(c->g, y, row)));
    cj__scan_end(&inner, &last, NULL);
    c->next[0] = last;
    c->outputs[0] = cj__mul(c->g, last, c->slices[0]);
}

const scan_case scan_cases[] = {
    {"simple", simple, 1, 1, 1, 1, {S(N, 4), S(N, 4), S(4, 4)}},
    {"lstm", lstm, 2, 1, 3, 1, {S(N, 4), S(N, 4), S(N, 3), S(3, 16), S(4, 16), S(16)}},
    {"swap", swap, 2, 1, 1, 4, {S(N, 4), S(N, 4), S(N, 4), S(4)}},
    {"alone", alone, 0, 1, 1, 1, {S(N, 5), S(5)}},
    {"many", many, 3, 1, 2, 1, {S(N, 4), S(N, 4), S(N, 4), S(N, 4), S(4, 4), S(1, 4)}},
    {"convolution", convolution, 1, 1, 1, 1, {S(N, 4, 4, 2), S(N, 4, 4, 2), S(3, 3, 2, 2)}},
    {"masked", masked, 1, 2, 1, 1, {S(N, 4), S(N, 4), S(N, 1), S(4, 4)}},
    {"nested", nested, 1, 1, 2, 1, {S(N, 4), S(N, 4), S(4, 4), S(4, 4)}},
};
const int scan_case_count = sizeof scan_cases / sizeof scan_cases[0];

static cj_shape with_time(cj_shape shape, int64_t steps)
{
    cj_shape all = {.rank = shape.rank + 1, .dims = {steps}};
    for (int i = 0; i < shape.rank; i++)
        all.dims[i + 1] = shape.dims[i];
    return all;
}

static cj_symbol *entry_of(cj__build *g, cj_symbol *sequence, int64_t t, const cj_shape *shape)
{
    return cj__reshape(g, cj__slice(g, sequence, 0, t, 1), shape);
}

static void unroll(const scan_case *c, const scan_form *form, cell *step, scan_graph *graph)
{
    cj__build *g = &graph->f.g;
    cj_symbol *parts[CASE_MOST][64];
    cj_symbol *const *sequences = graph->f.inputs + c->states;
    assert_true(form->steps <= 64);
    for (int64_t i = 0; i < form->steps; i++) {
        const int64_t t = form->reverse ? form->steps - 1 - i : i;
        for (int k = 0; k < c->slices; k++)
            step->slices[k] = entry_of(g, sequences[k], t, &c->shapes[c->states + k]);
        c->step(step);
        for (int k = 0; k < c->outputs; k++)
            parts[k][t] = step->outputs[k];
        for (int k = 0; k < c->states; k++)
            step->states[k] = step->next[k];
    }
    for (int k = 0; k < c->states; k++)
        graph->last[k] = step->states[k];
    for (int k = 0; k < c->outputs; k++)
        graph->sequences[k] = cj__stack(g, parts[k], (int)form->steps, 0);
}

static void loop(const scan_case *c, const scan_form *form, cell *step, scan_graph *graph)
{
    cj__scan scan;
    cj_symbol *made[CASE_MOST];
    int index[CASE_MOST];
    cj__scan_begin(&scan, &graph->f.g, form->steps, form->reverse);
    for (int k = 0; k < c->states; k++)
        step->states[k] = cj__scan_carry(&scan, step->states[k]);
    for (int k = 0; k < c->slices; k++)
        step->slices[k] = cj__scan_slice(&scan, graph->f.inputs[c->states + k]);
    c->step(step);
    for (int k = 0; k < c->states; k++)
        cj__scan_next(&scan, step->states[k], step->next[k]);
    for (int k = 0; k < c->outputs; k++)
        index[k] = cj__scan_output(&scan, step->outputs[k]);
    cj__scan_end(&scan, graph->last, made);
    for (int k = 0; k < c->outputs; k++)
        graph->sequences[k] = made[index[k]];
}

void scan_build(const scan_case *c, const scan_form *form, scan_graph *graph)
{
    fixture *f = &graph->f;
    cell step = {.g = &f->g};
    *graph = (scan_graph){.f = {.input_count = 0}};
    for (int k = 0; k < c->states; k++)
        step.states[k] = fixture_input_of(f, form->dtype, c->shapes[k]);
    for (int k = 0; k < c->slices; k++)
        fixture_input_of(f, form->dtype, with_time(c->shapes[c->states + k], form->steps));
    for (int k = 0; k < c->fixed; k++)
        step.fixed[k] = fixture_input_of(f, form->dtype, c->shapes[c->states + c->slices + k]);
    (form->unrolled ? unroll : loop)(c, form, &step, graph);
}
