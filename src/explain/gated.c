// LSTM and GRU, by the formulas of cajal/recurrent.h. As for SimpleRNN the steps before the chosen
// one are computed in double without being printed, and a bound for float32's error is carried from
// step to step.
#include "explain/explain.h"

#include <cajal/recurrent.h>
#include <math.h>
#include <string.h>

enum { MOST_GATES = 4 };
enum { LSTM_I, LSTM_F, LSTM_C, LSTM_O };
enum { GRU_Z, GRU_R, GRU_H };

// A row of numbers, one for each unit, and a bound for the error of each.
typedef struct row {
    double *value, *bound;
} row;

typedef struct gated {
    cj__explanation *explanation;
    const cj_tensor *x, *kernel, *recurrent, *bias;
    int64_t time, features, units;
    int gates;
    bool backwards, reset_after;
    const char *names[MOST_GATES]; // of the gates
    cj__curve curves[2];           // activation, recurrent_activation
    const char *specs[2];          // their names
    row h, c, sum[MOST_GATES], gate[MOST_GATES], state_part, dropped, next;
    double *entry, *column, *scratch; // x(t); of a kernel; for activations
} gated;

static cj_status open_gated(gated *g, double **buffer)
{
    const int64_t longest = g->features > g->units ? g->features : g->units;
    row *rows[] = {&g->h, &g->c, &g->state_part, &g->dropped, &g->next};
    const int64_t count = (int64_t)(sizeof rows / sizeof rows[0]) + 2 * MOST_GATES;
    double *at = *buffer =
        cj__new((size_t)(2 * count * g->units + g->features + longest + g->units), sizeof *at);
    if (!at)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count; i++, at += 2 * g->units) {
        const int64_t fixed = (int64_t)(sizeof rows / sizeof rows[0]), k = i - fixed;
        row *to = i < fixed ? rows[i] : k % 2 == 0 ? &g->sum[k / 2] : &g->gate[k / 2];
        *to = (row){at, at + g->units};
    }
    g->entry = at;
    g->column = g->entry + g->features;
    g->scratch = g->column + longest;
    const char *who = cj_layer_name(g->explanation->record->layer);
    CJ_TRY(cj__curve_open(&g->curves[0], g->specs[0], who, g->units));
    return cj__curve_open(&g->curves[1], g->specs[1], who, g->units);
}

// to = activation(from); the bound is what from's bound can do, by both ends of its range.
static cj_status apply(const gated *g, int curve, const row *from, row *to)
{
    CJ_TRY(cj__curve_apply(&g->curves[curve], from->value, to->value));
    for (int64_t u = 0; u < g->units; u++)
        to->bound[u] = cj__rounding_bound(fabs(to->value[u]));
    for (int side = -1; side <= 1; side += 2) {
        for (int64_t u = 0; u < g->units; u++)
            g->scratch[u] = from->value[u] + side * from->bound[u];
        CJ_TRY(cj__curve_apply(&g->curves[curve], g->scratch, g->scratch));
        for (int64_t u = 0; u < g->units; u++)
            to->bound[u] = fmax(to->bound[u], fabs(g->scratch[u] - to->value[u]) +
                                                  cj__rounding_bound(fabs(to->value[u])));
    }
    return CJ_OK;
}

// The bound of a product of two numbers with bounds.
static double product_bound(const row *a, const row *b, int64_t u)
{
    return fabs(a->value[u]) * b->bound[u] + fabs(b->value[u]) * a->bound[u] +
           a->bound[u] * b->bound[u] + cj__rounding_bound(fabs(a->value[u] * b->value[u]));
}

// Adds values times column `column` of a kernel to *sum; their bounds may be NULL for none.
static void add_products(const gated *g, const cj_tensor *kernel, int64_t column,
                         const double *values, const double *bounds, int64_t count, double *sum,
                         double *magnitude, double *carried)
{
    for (int64_t i = 0; i < count; i++) {
        const double weight = cj__element_at(kernel, i * g->gates * g->units + column);
        *sum += values[i] * weight;
        *magnitude += fabs(values[i] * weight);
        *carried += bounds ? fabs(weight) * bounds[i] : 0;
    }
}

static double bias_at(const gated *g, int which, int64_t column)
{
    return g->bias ? cj__element_at(g->bias, which * g->gates * g->units + column) : 0;
}

// x W + b of a gate into `to`, and what `state` times its recurrent kernel gives, unless that is
// NULL.
static void sum_gate(const gated *g, int gate, const row *state, bool second_bias, row *to)
{
    for (int64_t u = 0; u < g->units; u++) {
        const int64_t column = gate * g->units + u;
        double sum = bias_at(g, 0, column), carried = 0;
        double magnitude = fabs(sum);
        add_products(g, g->kernel, column, g->entry, NULL, g->features, &sum, &magnitude, &carried);
        if (state)
            add_products(g, g->recurrent, column, state->value, state->bound, g->units, &sum,
                         &magnitude, &carried);
        if (second_bias) {
            sum += bias_at(g, 1, column);
            magnitude += fabs(bias_at(g, 1, column));
        }
        to->value[u] = sum;
        to->bound[u] = cj__rounding_bound(magnitude) + carried;
    }
}

// ---- One step ----

// c' = f c + i activation(z_c), h' = o activation(c')
static cj_status advance_lstm(gated *g)
{
    for (int k = 0; k < g->gates; k++) {
        sum_gate(g, k, &g->h, false, &g->sum[k]);
        CJ_TRY(apply(g, k != LSTM_C, &g->sum[k], &g->gate[k]));
    }
    for (int64_t u = 0; u < g->units; u++) {
        const double kept = g->gate[LSTM_F].value[u] * g->c.value[u],
                     new = g->gate[LSTM_I].value[u] * g->gate[LSTM_C].value[u];
        const double bound = product_bound(&g->gate[LSTM_F], &g->c, u) +
                             product_bound(&g->gate[LSTM_I], &g->gate[LSTM_C], u);
        g->c.value[u] = kept + new;
        g->c.bound[u] = bound + cj__rounding_bound(fabs(kept) + fabs(new));
    }
    CJ_TRY(apply(g, 0, &g->c, &g->next));
    for (int64_t u = 0; u < g->units; u++) {
        g->h.bound[u] = product_bound(&g->gate[LSTM_O], &g->next, u);
        g->h.value[u] = g->gate[LSTM_O].value[u] * g->next.value[u];
    }
    return CJ_OK;
}

// The sum of the candidate, where r is applied after the product or before it.
static void sum_candidate(gated *g)
{
    for (int64_t u = 0; u < g->units && !g->reset_after; u++) {
        g->dropped.bound[u] = product_bound(&g->gate[GRU_R], &g->h, u);
        g->dropped.value[u] = g->gate[GRU_R].value[u] * g->h.value[u];
    }
    sum_gate(g, GRU_H, g->reset_after ? NULL : &g->dropped, false, &g->sum[GRU_H]);
    for (int64_t u = 0; u < g->units && g->reset_after; u++) {
        double sum = bias_at(g, 1, GRU_H * g->units + u), carried = 0;
        double magnitude = fabs(sum);
        add_products(g, g->recurrent, GRU_H * g->units + u, g->h.value, g->h.bound, g->units, &sum,
                     &magnitude, &carried);
        g->state_part.value[u] = sum;
        g->state_part.bound[u] = cj__rounding_bound(magnitude) + carried;
        const double part = g->gate[GRU_R].value[u] * sum;
        g->sum[GRU_H].bound[u] += product_bound(&g->gate[GRU_R], &g->state_part, u) +
                                  cj__rounding_bound(fabs(g->sum[GRU_H].value[u]) + fabs(part));
        g->sum[GRU_H].value[u] += part;
    }
}

// h' = z h + (1 - z) candidate
static cj_status advance_gru(gated *g)
{
    for (int k = GRU_Z; k <= GRU_R; k++) {
        sum_gate(g, k, &g->h, g->reset_after, &g->sum[k]);
        CJ_TRY(apply(g, 1, &g->sum[k], &g->gate[k]));
    }
    sum_candidate(g);
    CJ_TRY(apply(g, 0, &g->sum[GRU_H], &g->gate[GRU_H]));
    for (int64_t u = 0; u < g->units; u++) {
        const row *z = &g->gate[GRU_Z], *candidate = &g->gate[GRU_H];
        g->dropped.value[u] = 1 - z->value[u];
        g->dropped.bound[u] = z->bound[u] + cj__rounding_bound(1);
        const double kept = z->value[u] * g->h.value[u],
                     new = g->dropped.value[u] * candidate->value[u];
        const double bound = product_bound(z, &g->h, u) + product_bound(&g->dropped, candidate, u);
        g->next.value[u] = kept + new;
        g->next.bound[u] = bound + cj__rounding_bound(fabs(kept) + fabs(new));
    }
    const row spare = g->h;
    g->h = g->next;
    g->next = spare;
    return CJ_OK;
}

// ---- What is printed ----

static cj_status print_product(const gated *g, const char *name, const cj_tensor *kernel,
                               const double *values, int64_t count, int64_t column)
{
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < count; i++)
        g->column[i] = cj__element_at(kernel, i * g->gates * g->units + column);
    const cj__products products = {name, "weight", values, g->column, count};
    return cj__show_products(g->explanation, &products, &sum, &magnitude);
}

// A gate of one unit: its products, its sum, and its value.
static cj_status print_gate(const gated *g, int gate, const double *state, int64_t unit, int curve)
{
    char text[3][CJ__DIGITS_TEXT];
    const int64_t column = gate * g->units + unit;
    cj__print_line(g->explanation, "%s, from x and the state before:", g->names[gate]);
    CJ_TRY(print_product(g, "input", g->kernel, g->entry, g->features, column));
    CJ_TRY(print_product(g, "state", g->recurrent, state, g->units, column));
    cj__print_line(g->explanation, "with bias %s together %s, %s of it %s",
                   cj__digits(bias_at(g, 0, column), text[0]),
                   cj__digits(g->sum[gate].value[unit], text[1]), g->specs[curve],
                   cj__digits(g->gate[gate].value[unit], text[2]));
    return CJ_OK;
}

// Prints the step that was taken last; `h` and `c` are what it began with.
static cj_status print_lstm(const gated *g, const double *h, double c, int64_t unit)
{
    char text[4][CJ__DIGITS_TEXT];
    for (int k = 0; k < g->gates; k++)
        CJ_TRY(print_gate(g, k, h, unit, k != LSTM_C));
    cj__print_line(g->explanation, "c = f c + i candidate = %s x %s + %s x %s",
                   cj__digits(g->gate[LSTM_F].value[unit], text[0]), cj__digits(c, text[1]),
                   cj__digits(g->gate[LSTM_I].value[unit], text[2]),
                   cj__digits(g->gate[LSTM_C].value[unit], text[3]));
    cj__print_line(g->explanation, "  = %s", cj__digits(g->c.value[unit], text[0]));
    cj__print_line(g->explanation, "h = o %s(c) = %s x %s", g->specs[0],
                   cj__digits(g->gate[LSTM_O].value[unit], text[0]),
                   cj__digits(g->next.value[unit], text[1]));
    return CJ_OK;
}

static cj_status print_gru(const gated *g, const double *h, double unused, int64_t unit)
{
    char text[4][CJ__DIGITS_TEXT];
    (void)unused;
    for (int k = GRU_Z; k <= GRU_H; k++)
        CJ_TRY(print_gate(g, k, h, unit, k != GRU_H));
    cj__print_line(g->explanation,
                   g->reset_after ?
                       "in the candidate the state's part is taken r times, after the "
                       "product and with a bias of its own" :
                       "in the candidate the state is taken r times, before the product");
    cj__print_line(g->explanation, "h = z h + (1 - z) candidate = %s x %s + %s x %s",
                   cj__digits(g->gate[GRU_Z].value[unit], text[0]), cj__digits(h[unit], text[1]),
                   cj__digits(g->dropped.value[unit], text[2]),
                   cj__digits(g->gate[GRU_H].value[unit], text[3]));
    return CJ_OK;
}

typedef struct cell {
    cj_status (*advance)(gated *g);
    cj_status (*print)(const gated *g, const double *h, double c, int64_t unit);
} cell;

// A state, rounded as the layer rounds its output.
static void round_state(const gated *g, row *state)
{
    const cj_layer *layer = g->explanation->record->layer;
    for (int64_t u = 0; u < g->units; u++) {
        const double value = state->value[u], bound = state->bound[u];
        state->value[u] = cj__as_output(layer, value);
        state->bound[u] = fmax(cj__as_output(layer, value + bound) - state->value[u],
                               state->value[u] - cj__as_output(layer, value - bound));
    }
}

static cj_status run(gated *g, const cell *of, int64_t last, int64_t unit)
{
    double *before = cj__new((size_t)g->units, sizeof *before), c = 0;
    cj_status status = before ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int64_t step = 0; status == CJ_OK && step <= last; step++) {
        const int64_t t = g->backwards ? g->time - 1 - step : step;
        for (int64_t i = 0; i < g->features; i++)
            g->entry[i] = cj__element_at(g->x, t * g->features + i);
        round_state(g, &g->h);
        round_state(g, &g->c);
        memcpy(before, g->h.value, (size_t)g->units * sizeof *before);
        c = g->c.value[unit];
        status = of->advance(g);
    }
    if (status == CJ_OK) {
        cj__print_line(g->explanation, "unit %lld at step %lld of %lld, which reads x(%lld)",
                       (long long)unit, (long long)last, (long long)g->time,
                       (long long)(g->backwards ? g->time - 1 - last : last));
        status = of->print(g, before, c, unit);
    }
    if (status == CJ_OK)
        status = cj__conclude(g->explanation, g->h.value[unit] - g->h.bound[unit],
                              g->h.value[unit] + g->h.bound[unit]);
    cj__free(before);
    return status;
}

// Whether more than the sequence decides, so that only the formula can be shown.
static bool is_open(const cj__record *record, bool stateful)
{
    return record->masked || stateful || record->input_count > 1;
}

static cj_status explain(gated *g, const cell *of, bool sequences)
{
    const cj__record *record = g->explanation->record;
    const int64_t *x = cj_tensor_shape(record->inputs[0])->dims;
    double *buffer = NULL;
    g->x = record->inputs[0];
    g->kernel = cj__weight(record, "kernel");
    g->recurrent = cj__weight(record, "recurrent_kernel");
    g->bias = cj__weight(record, "bias");
    g->time = x[1];
    g->features = x[2];
    const int64_t last = sequences ? g->explanation->index[1] : g->time - 1;
    cj_status status = open_gated(g, &buffer);
    if (status == CJ_OK)
        status = run(g, of, last, g->explanation->offset % g->units);
    cj__curve_close(&g->curves[0]);
    cj__curve_close(&g->curves[1]);
    cj__free(buffer);
    return status;
}

cj_status cj__explain_lstm(cj__explanation *explanation)
{
    static const cell lstm = {advance_lstm, print_lstm};
    const cj_lstm_args *a = explanation->record->layer->args;
    gated g = {
        .explanation = explanation,
        .units = a->units,
        .gates = 4,
        .backwards = a->go_backwards,
        .names = {"i, the input gate", "f, the forget gate", "the candidate", "o, the output gate"},
        .specs = {a->activation, a->recurrent_activation}};
    if (is_open(explanation->record, a->stateful)) {
        cj__print_line(explanation,
                       "c = f c + i candidate, h = o %s(c); with masks or states that are "
                       "given this is not derived here",
                       a->activation);
        return CJ_OK;
    }
    return explain(&g, &lstm, a->return_sequences);
}

cj_status cj__explain_gru(cj__explanation *explanation)
{
    static const cell gru = {advance_gru, print_gru};
    const cj_gru_args *a = explanation->record->layer->args;
    gated g = {.explanation = explanation,
               .units = a->units,
               .gates = 3,
               .backwards = a->go_backwards,
               .reset_after = a->reset_after,
               .names = {"z, the update gate", "r, the reset gate", "the candidate"},
               .specs = {a->activation, a->recurrent_activation}};
    if (is_open(explanation->record, a->stateful)) {
        cj__print_line(explanation,
                       "h = z h + (1 - z) candidate; not derived here with masks, given "
                       "states or bfloat16");
        return CJ_OK;
    }
    return explain(&g, &gru, a->return_sequences);
}
