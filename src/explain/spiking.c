// Neurons, walked through time: what comes in, the decay, the threshold, spike, reset and rest of one
// neuron in each step up to the chosen one. All neurons of the layer are computed, in double, since
// recurrent ones read each other.
#include "explain/explain.h"
#include "layers/spiking.h"
#include "ops/variable.h"

#include <math.h>
#include <string.h>

// One neuron in one step.
typedef struct moment {
    double input, recurrent, before, u, threshold, spike, after, rest;
} moment;

typedef struct walk {
    cj__explanation *explanation;
    cj__neuron n;
    const cj_tensor *x, *numbers[CJ__NEURON_NUMBERS], *kernel, *bias;
    int64_t time, neurons, width; // width: of the last axis, over which dense recurrence goes
    int states;
    double *state[CJ__SEQUENCE_STATES], *next[CJ__SEQUENCE_STATES];
    // The membrane before the reset, and the states of the form's own; `s` and `next` are of neuron i.
    double (*gather)(const struct walk *w, int64_t i, double x, const double *s, double *next);
} walk;

static double number(const walk *w, cj__neuron_number which, int64_t i)
{
    const cj_tensor *variable = w->numbers[which];
    if (!variable)
        return w->n.numbers[which];
    const double value = cj__element_at(variable, cj_tensor_count(variable) > 1 ? i : 0);
    const bool *learn_alpha = cj__layer_setting(w->n.layer, "learn_alpha");
    const bool kept = which == CJ__NEURON_BETA ?
                          w->n.args->learn_beta :
                          which == CJ__NEURON_ALPHA && learn_alpha && *learn_alpha;
    return kept ? fmin(fmax(value, 0), 1) : value;
}

// ---- What each form gathers ----

static double leak(const walk *w, int64_t i, double v, double x)
{
    const double beta = number(w, CJ__NEURON_BETA, i);
    const double in = number(w, CJ__NEURON_RESISTANCE, i) * x;
    const bool leaks = w->n.form->numbers >> CJ__NEURON_LEAK & 1;
    return beta * v + (w->n.scales ? (1 - beta) * in : in) +
           (leaks ? (1 - beta) * number(w, CJ__NEURON_LEAK, i) : 0);
}

static double gather_leaky(const walk *w, int64_t i, double x, const double *s, double *next)
{
    (void)next;
    return leak(w, i, s[0], x);
}

static double gather_cuba(const walk *w, int64_t i, double x, const double *s, double *next)
{
    next[1] = number(w, CJ__NEURON_ALPHA, i) * s[1] + number(w, CJ__NEURON_JUMP, i) * x;
    return leak(w, i, s[0], next[1]);
}

static double gather_alpha(const walk *w, int64_t i, double x, const double *s, double *next)
{
    const double alpha = number(w, CJ__NEURON_ALPHA, i), beta = number(w, CJ__NEURON_BETA, i);
    const double in = number(w, CJ__NEURON_RESISTANCE, i) * x;
    next[1] = alpha * s[1] + in;
    next[2] = beta * s[2] - in;
    return (1 + log(alpha) / (log(beta) - log(alpha))) * (next[1] + next[2]);
}

static double gather_alif(const walk *w, int64_t i, double x, const double *s, double *next)
{
    next[1] = number(w, CJ__NEURON_ALPHA, i) * s[1];
    return leak(w, i, s[0], x);
}

static double gather_izhikevich(const walk *w, int64_t i, double x, const double *s, double *next)
{
    const cj_izhikevich_args *a = w->n.layer->args;
    const double in = number(w, CJ__NEURON_RESISTANCE, i) * x;
    next[1] = s[1] + a->dt * a->a * (a->b * s[0] - s[1]);
    return s[0] + a->dt * (a->sq * s[0] * s[0] + a->mn * s[0] + a->bias + in - s[1]);
}

// ---- A step ----

// The entry of the sequence, or the constant current.
static double input_at(const walk *w, int64_t step, int64_t i)
{
    const int64_t t = w->n.args->go_backwards ? w->time - 1 - step : step;
    return cj__element_at(w->x, w->n.args->steps > 0 ? i : t * w->neurons + i);
}

static double recurrent_at(const walk *w, int64_t i)
{
    const double *spikes = w->state[w->n.form->states];
    double sum = 0;
    if (!w->kernel)
        return 0;
    if (w->n.args->recurrent[0] == 'o')
        return spikes[i] * cj__element_at(w->kernel, i);
    const int64_t row = i - i % w->width;
    for (int64_t k = 0; k < w->width; k++)
        sum += spikes[row + k] * cj__element_at(w->kernel, k * w->width + i % w->width);
    return sum + (w->bias ? cj__element_at(w->bias, i % w->width) : 0);
}

static double reset(const walk *w, int64_t i, double u, double spike)
{
    return w->n.reset == CJ__RESET_SUBTRACT ? u - spike * number(w, CJ__NEURON_THRESHOLD, i) :
           w->n.reset == CJ__RESET_VALUE && spike > 0 ? number(w, CJ__NEURON_RESET, i) :
                                                        u;
}

static double raised(const walk *w, int64_t i, const double *states)
{
    return number(w, CJ__NEURON_THRESHOLD, i) + (w->n.form->raise ? states[1] : 0);
}

// The spike that the layer computed where it gives spikes; -1 where that is not known.
static double computed(const walk *w, int64_t step, int64_t i)
{
    const cj__record *record = w->explanation->record;
    if (w->n.args->output[0] == 'm' || !w->n.form->fires)
        return -1;
    if (record->layer == w->n.layer && w->n.args->return_sequences)
        return cj__element_at(record->outputs[0], step * w->neurons + i);
    return step == w->time - 1 ? cj__element_at(record->outputs[0], i) : -1;
}

// Where the membrane is nearer to the threshold than float32 can tell, the layer's spike counts.
static double fires(const walk *w, int64_t step, int64_t i, double u, double threshold)
{
    const double known = step < 0 ? -1 : computed(w, step, i);
    if (known >= 0 && fabs(u - threshold) < 1e-4 * (1 + fabs(u)))
        return known;
    return u > threshold || (w->n.spike.reached && u >= threshold);
}

// What happens to the form's own states where there is a spike.
static void fired(const walk *w, int64_t i, double spike, double *next)
{
    if (!w->n.form->fired)
        return;
    if (w->n.form->states == 3) {
        for (int k = 1; k < 3 && w->n.reset == CJ__RESET_VALUE && spike > 0; k++)
            next[k] = 0;
        return;
    }
    next[1] += spike * number(w, CJ__NEURON_JUMP, i);
}

static moment step_of(const walk *w, int64_t step, int64_t i)
{
    const cj__neuron *n = &w->n;
    const int own = n->form->states;
    double s[CJ__SEQUENCE_STATES], next[CJ__SEQUENCE_STATES] = {0}, pending = 0;
    for (int k = 0; k < w->states; k++)
        s[k] = w->state[k][i];
    moment m = {.input = input_at(w, step, i), .recurrent = recurrent_at(w, i), .before = s[0]};
    const bool late = n->next_step && n->reset != CJ__RESET_NONE, rests = n->args->refractory > 0,
               early = late && n->reset == CJ__RESET_VALUE && !n->resets_after;
    if (late)
        pending = n->keeps_spikes ? s[own] : fires(w, step - 1, i, s[0], raised(w, i, s));
    const double held = late ? reset(w, i, s[0], pending) : s[0];
    s[0] = early ? held : s[0];
    m.u = w->gather(w, i, m.input + m.recurrent, s, next);
    if (late && !early)
        m.u = reset(w, i, m.u, pending);
    if (late)
        fired(w, i, pending, next);
    m.threshold = raised(w, i, next);
    m.spike = n->form->fires ? fires(w, step, i, m.u, m.threshold) : 0;
    m.rest = rests ? s[w->states - 1] : 0;
    const bool running = n->args->refractory_state[0] == 'r';
    if (m.rest > 0 && running)
        m.spike = 0;
    m.after = n->form->fires && !n->next_step ? reset(w, i, m.u, m.spike) : m.u;
    if (m.rest > 0 && !running)
        m.spike = 0, m.after = held;
    if (!n->next_step)
        fired(w, i, m.spike, next);
    next[0] = m.after;
    if (n->keeps_spikes)
        next[own] = m.spike;
    if (rests)
        next[w->states - 1] = m.spike > 0 ? (double)n->args->refractory : fmax(m.rest - 1, 0);
    for (int k = 0; k < w->states; k++)
        w->next[k][i] = next[k];
    return m;
}

// ---- Printing ----

static void print_moment(const walk *w, int64_t step, const moment *m)
{
    char text[6][CJ__DIGITS_TEXT], recurrent[64] = "", rest[64] = "";
    if (w->kernel)
        snprintf(recurrent, sizeof recurrent, " and %s from spikes before",
                 cj__digits(m->recurrent, text[0]));
    if (m->rest > 0)
        snprintf(rest, sizeof rest, "; at rest for %g more", m->rest);
    if (!w->n.form->fires)
        cj__print_line(w->explanation, "step %lld: %s comes in, the membrane goes from %s to %s",
                       (long long)step, cj__digits(m->input, text[1]),
                       cj__digits(m->before, text[2]), cj__digits(m->u, text[3]));
    else
        cj__print_line(w->explanation,
                       "step %lld: %s comes in%s, the membrane goes from %s to %s, %s its "
                       "threshold %s: %s%s%s",
                       (long long)step, cj__digits(m->input, text[1]), recurrent,
                       cj__digits(m->before, text[2]), cj__digits(m->u, text[3]),
                       m->u > m->threshold ? "above" : "not above",
                       cj__digits(m->threshold, text[4]), m->spike > 0 ? "a spike" : "no spike",
                       m->spike > 0 && !w->n.next_step && w->n.reset != CJ__RESET_NONE ?
                           ", and the reset" :
                       m->spike > 0 && w->n.reset != CJ__RESET_NONE ? ", reset in the next step" :
                                                                      "",
                       rest);
}

static void print_rule(const walk *w, int64_t i)
{
    char text[5][CJ__DIGITS_TEXT];
    if (w->n.form->numbers >> CJ__NEURON_BETA & 1)
        cj__print_line(w->explanation, "in a step %s of the membrane is left",
                       cj__digits(number(w, CJ__NEURON_BETA, i), text[0]));
    if (w->n.form->numbers >> CJ__NEURON_LEAK & 1)
        cj__print_line(w->explanation, "u = beta v + (1 - beta) v_leak + %s x",
                       w->n.scales ? "(1 - beta) resistance" : "resistance");
    if (w->n.form->numbers >> CJ__NEURON_ALPHA & 1)
        cj__print_line(w->explanation, "%s of the %s is left",
                       cj__digits(number(w, CJ__NEURON_ALPHA, i), text[1]),
                       w->n.form->raise ? "threshold's rise" : "current");
    if (w->n.form->fires && w->n.reset != CJ__RESET_NONE)
        cj__print_line(w->explanation, "a spike %s, %s",
                       w->n.reset == CJ__RESET_SUBTRACT ? "takes the threshold from the membrane" :
                                                          "sets the membrane to v_reset",
                       w->n.next_step ? "in the next step" : "in the same step");
    if (w->n.args->refractory > 0)
        cj__print_line(w->explanation, "after it the neuron rests for %lld steps",
                       (long long)w->n.args->refractory);
}

static void swap_states(walk *w)
{
    for (int k = 0; k < w->states; k++) {
        double *now = w->state[k];
        w->state[k] = w->next[k];
        w->next[k] = now;
    }
}

// As many steps as rows are asked for are printed: the last of them is `last`, or comes after it where
// it is among the first. The element that is derived is that of step `last`.
static cj_status go(walk *w, int64_t last, int64_t chosen)
{
    const int64_t shown = w->explanation->max_rows > 0 ? w->explanation->max_rows : 12;
    const int64_t end = last >= shown ? last + 1 : w->time < shown ? w->time : shown;
    moment m = {.u = 0}, derived = {.u = 0};
    print_rule(w, chosen);
    if (last >= shown)
        cj__print_line(w->explanation, "the steps before step %lld are not shown",
                       (long long)(last + 1 - shown));
    for (int64_t step = 0; step < end; step++) {
        for (int64_t i = 0; i < w->neurons; i++) {
            const moment now = step_of(w, step, i);
            if (i == chosen)
                m = now;
        }
        if (step >= end - shown)
            print_moment(w, step, &m);
        if (step == last)
            derived = m;
        swap_states(w);
    }
    const bool membrane = !w->n.form->fires || w->n.args->output[0] == 'm';
    const double value = membrane ? derived.after : derived.spike;
    const double bound = membrane ? 1e-4 * (1 + fabs(value)) : 0;
    return cj__conclude(w->explanation, value - bound, value + bound);
}

static cj_status open_walk(walk *w, double **buffer)
{
    *buffer = cj__new((size_t)(2 * w->states * w->neurons), sizeof **buffer);
    if (!*buffer)
        return CJ_OUT_OF_MEMORY;
    for (int k = 0; k < w->states; k++) {
        w->state[k] = *buffer + k * w->neurons;
        w->next[k] = *buffer + (w->states + k) * w->neurons;
        for (int64_t i = 0; i < w->neurons; i++)
            w->state[k][i] = w->n.initial[k];
    }
    return CJ_OK;
}

static cj_status explain(cj__explanation *explanation,
                         double (*gather)(const walk *w, int64_t i, double x, const double *s,
                                          double *next))
{
    const cj__record *record = explanation->record;
    const cj_shape *shape = cj_tensor_shape(record->inputs[0]);
    walk w = {.explanation = explanation, .x = record->inputs[0], .gather = gather, .neurons = 1};
    double *buffer = NULL;
    CJ_TRY(cj__neuron_of(record->layer, &w.n));
    if (record->masks[0] || w.n.args->stateful || record->input_count > 1) {
        cj__print_line(explanation,
                       "with masks, or states that are given or last, this is not derived here");
        return CJ_OK;
    }
    for (int i = w.n.args->steps > 0 ? 1 : 2; i < shape->rank; i++)
        w.neurons *= shape->dims[i];
    w.width = shape->dims[shape->rank - 1];
    w.time = w.n.args->steps > 0 ? w.n.args->steps : shape->dims[1];
    w.states = cj__neuron_states(&w.n);
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++)
        w.numbers[i] = cj__weight(record, cj__neuron_names[i]);
    w.kernel = cj__weight(record, "recurrent_kernel");
    w.bias = cj__weight(record, "recurrent_bias");
    const int64_t last = w.n.args->return_sequences ? explanation->index[1] : w.time - 1;
    cj_status status = open_walk(&w, &buffer);
    if (status == CJ_OK)
        status = go(&w, last, explanation->offset % w.neurons);
    cj__free(buffer);
    return status;
}

// Which form gathers how; NULL is not reached.
static const struct {
    const cj__layer_kind *kind;
    double (*gather)(const walk *w, int64_t i, double x, const double *s, double *next);
} gathers[] = {
    {&cj__layer_lif, gather_leaky},      {&cj__layer_integrate_fire, gather_leaky},
    {&cj__layer_lapicque, gather_leaky}, {&cj__layer_leaky_integrator, gather_leaky},
    {&cj__layer_cuba_lif, gather_cuba},  {&cj__layer_alpha_lif, gather_alpha},
    {&cj__layer_alif, gather_alif},      {&cj__layer_izhikevich, gather_izhikevich},
};

// The value of a variable of a layer in another, by its own name; NULL for none.
static const cj_tensor *value_of(const cj_layer *layer, const char *name)
{
    for (int i = 0; i < layer->variable_count; i++) {
        const char *slash = strrchr(cj_variable_name(layer->variables[i]), '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return cj__variable_read(layer->variables[i]);
    }
    return NULL;
}

// A cell is one step from states that it is given.
static cj_status step_of_cell(walk *w, const cj__record *record)
{
    const int64_t chosen = w->explanation->offset % w->neurons;
    for (int k = 0; k < w->states; k++)
        for (int64_t i = 0; i < w->neurons; i++)
            w->state[k][i] = cj__element_at(record->inputs[1 + k], i);
    print_rule(w, chosen);
    const moment m = step_of(w, 0, chosen);
    print_moment(w, 0, &m);
    const bool membrane = !w->n.form->fires || w->n.args->output[0] == 'm';
    const double value = membrane ? m.after : m.spike;
    const double bound = membrane ? 1e-4 * (1 + fabs(value)) : 0;
    return cj__conclude(w->explanation, value - bound, value + bound);
}

cj_status cj__explain_spiking_cell(cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    cj_layer *neurons = record->layer->sublayers[0];
    walk w = {.explanation = explanation, .x = record->inputs[0], .time = 1};
    double *buffer = NULL;
    CJ_TRY(cj__neuron_of(neurons, &w.n));
    for (size_t i = 0; i < sizeof gathers / sizeof *gathers; i++)
        if (gathers[i].kind == neurons->kind)
            w.gather = gathers[i].gather;
    w.neurons = cj_tensor_count(record->inputs[0]);
    w.width =
        cj_tensor_shape(record->inputs[0])->dims[cj_tensor_shape(record->inputs[0])->rank - 1];
    w.states = cj__neuron_states(&w.n);
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++)
        w.numbers[i] = value_of(neurons, cj__neuron_names[i]);
    w.kernel = value_of(neurons, "recurrent_kernel");
    w.bias = value_of(neurons, "recurrent_bias");
    cj_status status = open_walk(&w, &buffer);
    if (status == CJ_OK)
        status = step_of_cell(&w, record);
    cj__free(buffer);
    return status;
}

cj_status cj__explain_leaky(cj__explanation *explanation)
{
    return explain(explanation, gather_leaky);
}

cj_status cj__explain_cuba_lif(cj__explanation *explanation)
{
    return explain(explanation, gather_cuba);
}

cj_status cj__explain_alpha_lif(cj__explanation *explanation)
{
    return explain(explanation, gather_alpha);
}

cj_status cj__explain_alif(cj__explanation *explanation)
{
    return explain(explanation, gather_alif);
}

cj_status cj__explain_izhikevich(cj__explanation *explanation)
{
    return explain(explanation, gather_izhikevich);
}
