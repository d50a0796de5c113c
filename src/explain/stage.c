// See stage.h. The formulas are those of cajal/recurrent.h:
//
//   SimpleRNN  h' = activation(x W + h U + b)
//   LSTM       c' = f c + i candidate, h' = o activation(c')
//   GRU        h' = z h + (1 - z) candidate
#include "explain/stage.h"

#include <cajal/recurrent.h>
#include <math.h>
#include <string.h>

enum { LSTM_I, LSTM_F, LSTM_C, LSTM_O };
enum { GRU_Z, GRU_R, GRU_H };
enum { ROWS = 7 }; // beside those of the gates

typedef struct cj__stage_kind {
    const char *classes[2]; // the layer and its cell
    int gates, states, candidate;
    const char *names[CJ__STAGE_GATES]; // of the gates
    cj_status (*advance)(cj__stage *s);
    cj_status (*print)(const cj__stage *s, int64_t unit);
} cj__stage_kind;

// ---- Numbers with bounds ----

static cj_status apply(const cj__stage *s, int curve, const cj__bounded *from, cj__bounded *to)
{
    return cj__curve_row(&s->curves[curve], strstr(s->specs[curve], "softmax"), from, s->units,
                         s->scratch, to);
}

// The bound of a product of two numbers with bounds.
static double product_bound(const cj__bounded *a, const cj__bounded *b, int64_t u)
{
    return cj__product_bound(a->value[u], a->bound[u], b->value[u], b->bound[u]);
}

// Adds a row times column `column` of a kernel to *sum.
static void add_products(const cj__stage *s, const cj_tensor *kernel, int64_t column,
                         const cj__bounded *by, int64_t count, double *sum, double *magnitude,
                         double *carried)
{
    for (int64_t i = 0; i < count; i++) {
        const double weight = cj__element_at(kernel, i * s->kind->gates * s->units + column);
        *sum += by->value[i] * weight;
        *magnitude += fabs(by->value[i] * weight);
        *carried += fabs(weight) * by->bound[i];
    }
}

static double bias_at(const cj__stage *s, int which, int64_t column)
{
    return s->bias ? cj__element_at(s->bias, which * s->kind->gates * s->units + column) : 0;
}

// x W + b of a gate into `to`, and what `state` times its recurrent kernel gives, unless that is
// NULL.
static void sum_gate(const cj__stage *s, int gate, const cj__bounded *state, bool second_bias,
                     cj__bounded *to)
{
    for (int64_t u = 0; u < s->units; u++) {
        const int64_t column = gate * s->units + u;
        double sum = bias_at(s, 0, column), carried = 0;
        double magnitude = fabs(sum);
        add_products(s, s->kernel, column, &s->entry, s->features, &sum, &magnitude, &carried);
        if (state)
            add_products(s, s->recurrent, column, state, s->units, &sum, &magnitude, &carried);
        if (second_bias) {
            sum += bias_at(s, 1, column);
            magnitude += fabs(bias_at(s, 1, column));
        }
        to->value[u] = sum;
        to->bound[u] = cj__rounding_bound(magnitude) + carried;
    }
}

// ---- One step ----

static cj_status advance_simple(cj__stage *s)
{
    sum_gate(s, 0, &s->h, false, &s->sum[0]);
    return apply(s, 0, &s->sum[0], &s->h);
}

static cj_status advance_lstm(cj__stage *s)
{
    const cj__bounded *gate = s->gate;
    for (int k = 0; k < s->kind->gates; k++) {
        sum_gate(s, k, &s->h, false, &s->sum[k]);
        CJ_TRY(apply(s, k != LSTM_C, &s->sum[k], &s->gate[k]));
    }
    for (int64_t u = 0; u < s->units; u++) {
        const double kept = gate[LSTM_F].value[u] * s->c.value[u],
                     new = gate[LSTM_I].value[u] * gate[LSTM_C].value[u];
        const double bound =
            product_bound(&gate[LSTM_F], &s->c, u) + product_bound(&gate[LSTM_I], &gate[LSTM_C], u);
        s->c.value[u] = kept + new;
        s->c.bound[u] = bound + cj__rounding_bound(fabs(kept) + fabs(new));
    }
    CJ_TRY(apply(s, 0, &s->c, &s->next));
    for (int64_t u = 0; u < s->units; u++) {
        s->h.bound[u] = product_bound(&gate[LSTM_O], &s->next, u);
        s->h.value[u] = gate[LSTM_O].value[u] * s->next.value[u];
    }
    return CJ_OK;
}

// The sum of the candidate, where r is applied after the product or before it.
static void sum_candidate(cj__stage *s)
{
    for (int64_t u = 0; u < s->units && !s->reset_after; u++) {
        s->dropped.bound[u] = product_bound(&s->gate[GRU_R], &s->h, u);
        s->dropped.value[u] = s->gate[GRU_R].value[u] * s->h.value[u];
    }
    sum_gate(s, GRU_H, s->reset_after ? NULL : &s->dropped, false, &s->sum[GRU_H]);
    for (int64_t u = 0; u < s->units && s->reset_after; u++) {
        const int64_t column = GRU_H * s->units + u;
        double sum = bias_at(s, 1, column), carried = 0;
        double magnitude = fabs(sum);
        add_products(s, s->recurrent, column, &s->h, s->units, &sum, &magnitude, &carried);
        s->state_part.value[u] = sum;
        s->state_part.bound[u] = cj__rounding_bound(magnitude) + carried;
        const double part = s->gate[GRU_R].value[u] * sum;
        s->sum[GRU_H].bound[u] += product_bound(&s->gate[GRU_R], &s->state_part, u) +
                                  cj__rounding_bound(fabs(s->sum[GRU_H].value[u]) + fabs(part));
        s->sum[GRU_H].value[u] += part;
    }
}

static cj_status advance_gru(cj__stage *s)
{
    for (int k = GRU_Z; k <= GRU_R; k++) {
        sum_gate(s, k, &s->h, s->reset_after, &s->sum[k]);
        CJ_TRY(apply(s, 1, &s->sum[k], &s->gate[k]));
    }
    sum_candidate(s);
    CJ_TRY(apply(s, 0, &s->sum[GRU_H], &s->gate[GRU_H]));
    for (int64_t u = 0; u < s->units; u++) {
        const cj__bounded *z = &s->gate[GRU_Z], *candidate = &s->gate[GRU_H];
        s->dropped.value[u] = 1 - z->value[u];
        s->dropped.bound[u] = z->bound[u] + cj__rounding_bound(1);
        const double kept = z->value[u] * s->h.value[u],
                     new = s->dropped.value[u] * candidate->value[u];
        const double bound = product_bound(z, &s->h, u) + product_bound(&s->dropped, candidate, u);
        s->next.value[u] = kept + new;
        s->next.bound[u] = bound + cj__rounding_bound(fabs(kept) + fabs(new));
    }
    const cj__bounded spare = s->h;
    s->h = s->next;
    s->next = spare;
    return CJ_OK;
}

// ---- What is printed ----

static cj_status print_product(const cj__stage *s, const char *name, const cj_tensor *kernel,
                               const double *values, int64_t count, int64_t column)
{
    double sum = 0, magnitude = 0;
    for (int64_t i = 0; i < count; i++)
        s->column[i] = cj__element_at(kernel, i * s->kind->gates * s->units + column);
    const cj__products products = {name, "weight", values, s->column, count};
    return cj__show_products(s->explanation, &products, &sum, &magnitude);
}

// A gate of one unit: its products, its sum, and its value.
static cj_status print_gate(const cj__stage *s, int gate, int64_t unit)
{
    char text[3][CJ__DIGITS_TEXT];
    const int64_t column = gate * s->units + unit;
    cj__print_line(s->explanation, "%s, from x and the state before:", s->kind->names[gate]);
    CJ_TRY(print_product(s, "input", s->kernel, s->entry.value, s->features, column));
    CJ_TRY(print_product(s, "state", s->recurrent, s->before_h.value, s->units, column));
    cj__print_line(
        s->explanation, "with bias %s together %s, %s of it %s",
        cj__digits(bias_at(s, 0, column), text[0]), cj__digits(s->sum[gate].value[unit], text[1]),
        s->specs[gate != s->kind->candidate], cj__digits(s->gate[gate].value[unit], text[2]));
    return CJ_OK;
}

static cj_status print_simple(const cj__stage *s, int64_t unit)
{
    char text[CJ__DIGITS_TEXT], total[CJ__DIGITS_TEXT];
    cj__print_line(s->explanation, "the input times the kernel:");
    CJ_TRY(print_product(s, "input", s->kernel, s->entry.value, s->features, unit));
    cj__print_line(s->explanation, "the state of the step before times the recurrent kernel:");
    CJ_TRY(print_product(s, "state", s->recurrent, s->before_h.value, s->units, unit));
    if (s->bias)
        cj__print_line(s->explanation, "+ bias %s", cj__digits(bias_at(s, 0, unit), text));
    cj__print_line(s->explanation, "together %s, and %s of it %s",
                   cj__digits(s->sum[0].value[unit], total), s->specs[0],
                   cj__digits(s->h.value[unit], text));
    return CJ_OK;
}

static cj_status print_lstm(const cj__stage *s, int64_t unit)
{
    char text[4][CJ__DIGITS_TEXT];
    for (int k = 0; k < s->kind->gates; k++)
        CJ_TRY(print_gate(s, k, unit));
    cj__print_line(s->explanation, "c = f c + i candidate = %s × %s + %s × %s",
                   cj__digits(s->gate[LSTM_F].value[unit], text[0]),
                   cj__digits(s->before_c.value[unit], text[1]),
                   cj__digits(s->gate[LSTM_I].value[unit], text[2]),
                   cj__digits(s->gate[LSTM_C].value[unit], text[3]));
    cj__print_line(s->explanation, "  = %s", cj__digits(s->c.value[unit], text[0]));
    cj__print_line(s->explanation, "h = o %s(c) = %s × %s", s->specs[0],
                   cj__digits(s->gate[LSTM_O].value[unit], text[0]),
                   cj__digits(s->next.value[unit], text[1]));
    return CJ_OK;
}

static cj_status print_gru(const cj__stage *s, int64_t unit)
{
    char text[4][CJ__DIGITS_TEXT];
    for (int k = GRU_Z; k <= GRU_H; k++)
        CJ_TRY(print_gate(s, k, unit));
    cj__print_line(s->explanation,
                   s->reset_after ?
                       "in the candidate the state's part is taken r times, after the "
                       "product and with a bias of its own" :
                       "in the candidate the state is taken r times, before the product");
    cj__print_line(s->explanation, "h = z h + (1 - z) candidate = %s × %s + %s × %s",
                   cj__digits(s->gate[GRU_Z].value[unit], text[0]),
                   cj__digits(s->before_h.value[unit], text[1]),
                   cj__digits(s->dropped.value[unit], text[2]),
                   cj__digits(s->gate[GRU_H].value[unit], text[3]));
    return CJ_OK;
}

// ---- The kinds ----

static const cj__stage_kind kinds[] = {
    {{"SimpleRNN", "SimpleRNNCell"}, 1, 1, 0, {"h"}, advance_simple, print_simple},
    {{"LSTM", "LSTMCell"},
     4,
     2,
     LSTM_C,
     {"i, the input gate", "f, the forget gate", "the candidate", "o, the output gate"},
     advance_lstm,
     print_lstm},
    {{"GRU", "GRUCell"},
     3,
     1,
     GRU_H,
     {"z, the update gate", "r, the reset gate", "the candidate"},
     advance_gru,
     print_gru},
};

static const cj__stage_kind *kind_of(const cj_layer *layer)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (int k = 0; k < 2; k++)
            if (strcmp(kinds[i].classes[k], cj_layer_class(layer)) == 0)
                return &kinds[i];
    return NULL;
}

bool cj__is_stage(const cj_layer *layer)
{
    return kind_of(layer) != NULL;
}

int cj__stage_states(const cj_layer *layer)
{
    return kind_of(layer)->states;
}

static bool take_memory(cj__stage *s)
{
    const int64_t longest = s->features > s->units ? s->features : s->units;
    const int64_t count = ROWS + 2 * CJ__STAGE_GATES;
    cj__bounded *rows[ROWS] = {&s->h,    &s->c,        &s->state_part, &s->dropped,
                               &s->next, &s->before_h, &s->before_c};
    double *at = s->memory =
        cj__new((size_t)(2 * count * s->units + 2 * s->features + longest + s->units), sizeof *at);
    if (!at)
        return false;
    for (int64_t i = 0; i < count; i++, at += 2 * s->units) {
        const int64_t k = i - ROWS;
        cj__bounded *to = i < ROWS ? rows[i] : k % 2 == 0 ? &s->sum[k / 2] : &s->gate[k / 2];
        *to = (cj__bounded){at, at + s->units};
    }
    s->entry = (cj__bounded){at, at + s->features};
    s->column = at + 2 * s->features;
    s->scratch = s->column + longest;
    return true;
}

cj_status cj__stage_open(cj__stage *s, const cj__explanation *explanation, cj_layer *cell,
                         int64_t features)
{
    const char *who = cj_layer_name(cell);
    const int64_t *units = cj__layer_setting(cell, "units");
    *s = (cj__stage){.explanation = explanation,
                     .kind = kind_of(cell),
                     .weights = {.layer = cell},
                     .features = features,
                     .units = *units,
                     .reset_after = cj__setting_flag(cell, "reset_after")};
    CJ_TRY(cj__record_open(&s->weights));
    s->kernel = cj__weight(&s->weights, "kernel");
    s->recurrent = cj__weight(&s->weights, "recurrent_kernel");
    s->bias = cj__weight(&s->weights, "bias");
    const char *const *spec = cj__layer_setting(cell, "activation"),
                      *const *recurrent = cj__layer_setting(cell, "recurrent_activation");
    s->specs[0] = *spec;
    s->specs[1] = recurrent ? *recurrent : *spec;
    if (!take_memory(s))
        return CJ_OUT_OF_MEMORY;
    CJ_TRY(cj__curve_open(&s->curves[0], s->specs[0], who, s->units));
    return cj__curve_open(&s->curves[1], s->specs[1], who, s->units);
}

void cj__stage_close(cj__stage *s)
{
    cj__curve_close(&s->curves[0]);
    cj__curve_close(&s->curves[1]);
    cj__record_close(&s->weights);
    cj__free(s->memory);
    s->memory = NULL;
}

static void round_state(const cj__stage *s, cj__bounded *state)
{
    const cj_layer *layer = s->weights.layer;
    for (int64_t u = 0; layer->mixed && u < s->units; u++) {
        const double value = state->value[u], bound = state->bound[u];
        state->value[u] = cj__as_output(layer, value);
        state->bound[u] = fmax(cj__as_output(layer, value + bound) - state->value[u],
                               state->value[u] - cj__as_output(layer, value - bound));
    }
}

static void copy(const cj__stage *s, const cj__bounded *from, const cj__bounded *to)
{
    memcpy(to->value, from->value, (size_t)s->units * sizeof *to->value);
    memcpy(to->bound, from->bound, (size_t)s->units * sizeof *to->bound);
}

cj_status cj__stage_advance(cj__stage *s)
{
    copy(s, &s->h, &s->before_h);
    copy(s, &s->c, &s->before_c);
    CJ_TRY(s->kind->advance(s));
    round_state(s, &s->h);
    round_state(s, &s->c);
    return CJ_OK;
}

cj_status cj__stage_print(const cj__stage *s, int64_t unit)
{
    return s->kind->print(s, unit);
}
