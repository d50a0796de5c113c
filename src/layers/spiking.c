// What spiking layers share: see spiking.h. The sequence of the steps is that of any recurrence
// (sequence.h).
#include "layers/spiking.h"

#include "layers/surrogates.h"
#include <math.h>
#include <string.h>

#define WORDS(name, ...) const char *const cj__spiking_##name[] = {__VA_ARGS__, NULL}
WORDS(presets, "snntorch", "norse", "spikingjelly", "nir");
WORDS(resets, "subtract", "value", "none");
WORDS(times, "same", "next");
WORDS(gradients, "stop", "pass");
WORDS(firings, "above", "reached");
WORDS(steps, "euler", "exact");
WORDS(scales, "none", "leak");
WORDS(rests, "frozen", "running");
WORDS(recurrences, "none", "dense", "one_to_one");
WORDS(outputs, "spikes", "membrane", "both");

const char *const cj__neuron_names[CJ__NEURON_NUMBERS] = {
    "beta", "threshold", "resistance", "v_leak", "v_reset", "alpha", "jump"};

static bool equals(double a, double b)
{
    return a >= b && a <= b;
}

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

// ---- Settings ----

// What a library means by a setting that is not given.
typedef struct preset {
    const char *name, *reset, *reset_time, *reset_gradient, *firing, *input_scale, *surrogate;
} preset;

static const preset presets[] = {
    {"snntorch", "subtract", "next", "stop", "above", "none", "atan"},
    {"norse", "value", "same", "pass", "above", "leak", "fast_sigmoid(slope=1)"},
    {"spikingjelly", "value", "same", "pass", "reached", "leak", "sigmoid(slope=4)"},
    {"nir", "value", "same", "stop", "above", "leak", "fast_sigmoid"},
};

static const preset *preset_of(const cj__spiking_args *a)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (is(a->preset, presets[i].name))
            return &presets[i];
    return &presets[0]; // not reached: the word has been checked
}

static const char *given(const char *setting, const char *otherwise)
{
    return setting ? setting : otherwise;
}

static bool has(const cj__neuron_form *form, cj__neuron_number which)
{
    return form->numbers >> which & 1;
}

// beta is given, or follows from tau; exactly one of them is there.
static cj_status decay(const cj_layer *layer, const cj__spiking_args *a, double *beta)
{
    const bool direct = !isinf(a->beta), by_time = !isinf(a->tau);
    if (direct == by_time)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s, needed is one of beta and tau", layer->name,
                        direct ? "both beta and tau are given" : "neither beta nor tau is given");
    if (direct)
        *beta = a->beta;
    else if (a->tau <= 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: tau must be greater than 0", layer->name);
    else
        *beta = is(a->discretization, "exact") ? exp(-a->dt / a->tau) : 1 - a->dt / a->tau;
    if (*beta >= 0)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: a step dt of %g is longer than tau, %g: take a smaller dt, or the "
                    "discretization \"exact\"",
                    layer->name, a->dt, a->tau);
}

// A setting that the kind has no use for has not been given.
static cj_status need_unused(const cj_layer *layer, bool used, const char *setting)
{
    return used ? cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must not be given: %s has none",
                           layer->name, setting, cj_layer_class(layer)) :
                  CJ_OK;
}

static cj_status check_unused(const cj_layer *layer, const cj__neuron_form *form)
{
    const cj__spiking_args *a = layer->args;
    if (!has(form, CJ__NEURON_BETA)) {
        CJ_TRY(need_unused(layer, !isinf(a->beta), "beta"));
        CJ_TRY(need_unused(layer, !isinf(a->tau), "tau"));
        CJ_TRY(need_unused(layer, a->learn_beta, "learn_beta"));
        CJ_TRY(need_unused(layer, a->discretization != NULL, "discretization"));
        CJ_TRY(need_unused(layer, a->input_scale != NULL, "input_scale"));
    }
    if (!has(form, CJ__NEURON_LEAK))
        CJ_TRY(need_unused(layer, !isinf(a->v_leak), "v_leak"));
    if (!has(form, CJ__NEURON_THRESHOLD))
        CJ_TRY(need_unused(layer, !equals(a->threshold, 1), "threshold"));
    if (!has(form, CJ__NEURON_RESET))
        CJ_TRY(need_unused(layer, !equals(a->v_reset, 0), "v_reset"));
    if (form->fires)
        return CJ_OK;
    CJ_TRY(need_unused(layer, a->reset || a->reset_time || a->reset_gradient, "a reset"));
    CJ_TRY(need_unused(layer, a->firing || a->surrogate, "what concerns spikes"));
    CJ_TRY(need_unused(layer, a->refractory > 0, "refractory"));
    CJ_TRY(need_unused(layer, a->learn_threshold, "learn_threshold"));
    CJ_TRY(need_unused(layer, !is(a->recurrent, "none"), "recurrent"));
    return need_unused(layer, is(a->output, "both"), "the output \"both\"");
}

static void settle_reset(cj__neuron *n, const preset *p)
{
    const cj__spiking_args *a = n->args;
    const char *reset = given(a->reset, p->reset);
    n->reset = is(reset, "subtract") ? CJ__RESET_SUBTRACT :
               is(reset, "value")    ? CJ__RESET_VALUE :
                                       CJ__RESET_NONE;
    if (!n->form->fires)
        n->reset = CJ__RESET_NONE;
    n->next_step = is(given(a->reset_time, p->reset_time), "next");
    n->stops = is(given(a->reset_gradient, p->reset_gradient), "stop");
    n->scales = has(n->form, CJ__NEURON_BETA) && is(given(a->input_scale, p->input_scale), "leak");
    // snnTorch: Leaky is reset before it gathers, RLeaky and the others after it.
    n->resets_after = n->form->resets_after || !is(a->recurrent, "none");
    // With rest the spike of a step is not what its membrane tells.
    n->keeps_spikes = !is(a->recurrent, "none") ||
                      (n->next_step && n->reset != CJ__RESET_NONE && a->refractory > 0);
}

cj_status cj__neuron_of(cj_layer *layer, cj__neuron *n)
{
    const cj__spiking_args *a = layer->args;
    const preset *p = preset_of(a);
    const bool jelly = is(p->name, "spikingjelly");
    *n = (cj__neuron){.layer = layer, .form = cj__neuron_form_of(layer), .args = a};
    settle_reset(n, p);
    CJ_TRY(cj__surrogate_attrs(given(a->surrogate, p->surrogate), layer->name,
                               is(given(a->firing, p->firing), "reached"), &n->spike));
    n->numbers[CJ__NEURON_BETA] = 1;
    if (has(n->form, CJ__NEURON_BETA) && !n->form->own_decay)
        CJ_TRY(decay(layer, a, &n->numbers[CJ__NEURON_BETA]));
    n->numbers[CJ__NEURON_THRESHOLD] = a->threshold;
    n->numbers[CJ__NEURON_RESISTANCE] = a->resistance;
    n->numbers[CJ__NEURON_RESET] = a->v_reset;
    // Norse and SpikingJelly begin at rest; SpikingJelly's rest is where it is reset to.
    const double rest = jelly && n->reset == CJ__RESET_VALUE ? a->v_reset : 0;
    n->numbers[CJ__NEURON_LEAK] = isinf(a->v_leak) ? rest : a->v_leak;
    n->initial[0] = !isinf(a->v_initial) ? a->v_initial :
                    is(p->name, "norse") ? n->numbers[CJ__NEURON_LEAK] :
                                           rest;
    return n->form->settle ? n->form->settle(layer, n) : CJ_OK;
}

cj_status cj__neuron_check(cj_layer *layer)
{
    const cj__spiking_args *a = layer->args;
    cj__neuron n;
    CJ_TRY(check_unused(layer, cj__neuron_form_of(layer)));
    CJ_TRY(cj__neuron_of(layer, &n));
    if (a->recurrent_bias && !is(a->recurrent, "dense"))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: recurrent_bias needs recurrent \"dense\"",
                        layer->name);
    if (a->steps > 0 && a->go_backwards)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: go_backwards needs a sequence, with steps the input is constant",
                        layer->name);
    if (!n.form->fires || n.numbers[CJ__NEURON_THRESHOLD] > n.numbers[CJ__NEURON_RESET] ||
        n.reset != CJ__RESET_VALUE)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT,
                    "%s: the membrane is reset to %g, which is not below its threshold, %g",
                    layer->name, n.numbers[CJ__NEURON_RESET], n.numbers[CJ__NEURON_THRESHOLD]);
}

int cj__neuron_states(const cj__neuron *n)
{
    return n->form->states + n->keeps_spikes + (n->args->refractory > 0);
}

// ---- Variables ----

static bool is_learnt(const cj__neuron *n, cj__neuron_number which)
{
    const bool *alpha = cj__layer_setting(n->layer, "learn_alpha");
    return which == CJ__NEURON_BETA      ? n->args->learn_beta :
           which == CJ__NEURON_THRESHOLD ? n->args->learn_threshold :
           which == CJ__NEURON_ALPHA     ? alpha && *alpha :
                                           false;
}

// Whether a number is a variable: it is learnt, or one a neuron.
static bool is_variable(const cj__neuron *n, cj__neuron_number which)
{
    const bool main = which == CJ__NEURON_BETA || which == CJ__NEURON_THRESHOLD;
    if (!has(n->form, which))
        return false;
    return is_learnt(n, which) || n->args->heterogeneous || (n->args->per_neuron && main);
}

// The variable of that name, or NULL.
static cj_variable *variable_of(const cj_layer *layer, const char *name)
{
    for (int i = 0; i < layer->variable_count; i++) {
        const char *slash = strrchr(cj_variable_name(layer->variables[i]), '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return layer->variables[i];
    }
    return NULL;
}

// The shape of a step's neurons: the input's without the axes of batch and time.
static cj_shape neurons_of(const cj__neuron *n, const cj_shape *x)
{
    cj_shape shape = {0};
    for (int i = n->args->steps > 0 ? 1 : 2; i < x->rank; i++)
        shape.dims[shape.rank++] = x->dims[i];
    return shape;
}

static cj_status need_neurons(const cj__neuron *n, const cj_shape *x)
{
    const int leading = n->args->steps > 0 ? 1 : 2;
    CJ_TRY(cj__layer_need_rank(n->layer, x, leading + 1, CJ_MAX_RANK));
    for (int i = leading; i < x->rank; i++)
        CJ_TRY(cj__layer_need_length(n->layer, x, i));
    return CJ_OK;
}

static cj_status add_recurrence(const cj__neuron *n, const cj_shape *neurons)
{
    const cj__spiking_args *a = n->args;
    const int64_t count = neurons->dims[neurons->rank - 1];
    const bool dense = is(a->recurrent, "dense");
    if (is(a->recurrent, "none"))
        return CJ_OK;
    CJ_TRY(cj__layer_add_variable(n->layer, "recurrent_kernel",
                                  dense ? CJ_SHAPE(count, count) : *neurons,
                                  a->recurrent_initializer, a->recurrent_regularizer, true, NULL));
    return a->recurrent_bias ? cj__layer_add_variable(n->layer, "recurrent_bias", CJ_SHAPE(count),
                                                      "zeros", NULL, true, NULL) :
                               CJ_OK;
}

cj_status cj__neuron_build(cj_layer *layer, const cj__type *inputs)
{
    cj__neuron n;
    const cj_shape *x = &inputs[0].shape;
    cj_shape shapes[CJ__SEQUENCE_STATES];
    CJ_TRY(cj__neuron_of(layer, &n));
    CJ_TRY(need_neurons(&n, x));
    const cj_shape neurons = neurons_of(&n, x);
    const bool single = n.args->per_neuron || n.args->heterogeneous;
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++)
        if (is_variable(&n, (cj__neuron_number)i))
            CJ_TRY(cj__layer_add_variable(layer, cj__neuron_names[i],
                                          single ? neurons : CJ_SHAPE(1), "zeros", NULL,
                                          is_learnt(&n, (cj__neuron_number)i), NULL));
    CJ_TRY(add_recurrence(&n, &neurons));
    if (!n.args->stateful)
        return CJ_OK;
    const int states = cj__neuron_states(&n);
    for (int k = 0; k < states; k++)
        shapes[k] = neurons;
    return cj__sequence_add_states(layer, x->dims[0], shapes, states);
}

// Numbers begin as the settings have them, and the membrane that lasts where it is at first.
void cj__neuron_draw(const cj_layer *layer, int index, cj_tensor *value)
{
    cj__neuron n;
    int seen = 0;
    if (cj__neuron_of((cj_layer *)(uintptr_t)layer, &n) != CJ_OK)
        return; // not reached: the settings have been checked
    // Variables come in the order of build(), and this one may not be in the list yet.
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++)
        if (is_variable(&n, (cj__neuron_number)i) && seen++ == index) {
            cj_tensor_fill(value, n.numbers[i]);
            return;
        }
    const int recurrent = is(n.args->recurrent, "none") ? 0 : 1 + n.args->recurrent_bias;
    const int state = index - seen - recurrent;
    if (n.args->stateful && state >= 0)
        cj_tensor_fill(value, n.initial[state]);
}

bool cj__neuron_is_exact(const cj__neuron *n)
{
    return is(n->args->discretization, "exact");
}

// ---- A step ----

// A decay that is learnt is kept within 0 and 1, as snnTorch does it.
void cj__neuron_read(cj__neuron *n, cj__trace *trace)
{
    cj__build *g = &trace->build;
    cj_variable *kernel = variable_of(n->layer, "recurrent_kernel"),
                *bias = variable_of(n->layer, "recurrent_bias");
    n->trace = trace;
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++) {
        const bool decays = i == CJ__NEURON_BETA || i == CJ__NEURON_ALPHA;
        cj_variable *variable = variable_of(n->layer, cj__neuron_names[i]);
        if (!variable)
            continue;
        cj_symbol *symbol = cj__trace_variable(trace, variable);
        n->symbols[i] = decays && is_learnt(n, (cj__neuron_number)i) ?
                            cj__apply_unary(g, CJ__UNARY_clip, symbol, 0, 1) :
                            symbol;
    }
    n->kernel = kernel ? cj__trace_variable(trace, kernel) : NULL;
    n->bias = bias ? cj__trace_variable(trace, bias) : NULL;
}

cj_symbol *cj__neuron_times(const cj__neuron *n, cj_symbol *x, cj__neuron_number which)
{
    cj__build *g = &n->trace->build;
    if (n->symbols[which])
        return cj__mul(g, x, n->symbols[which]);
    return equals(n->numbers[which], 1) ? x : cj__scale(g, x, n->numbers[which]);
}

cj_symbol *cj__neuron_number_like(const cj__neuron *n, cj_symbol *x, cj__neuron_number which)
{
    return n->symbols[which] ? n->symbols[which] :
                               cj__scalar_like(&n->trace->build, x, n->numbers[which]);
}

// x (1 - beta)
static cj_symbol *times_rest(const cj__neuron *n, cj_symbol *x)
{
    cj__build *g = &n->trace->build;
    cj_symbol *beta = n->symbols[CJ__NEURON_BETA];
    return beta ? cj__mul(g, x, cj__sub(g, cj__scalar_like(g, x, 1), beta)) :
                  cj__scale(g, x, 1 - n->numbers[CJ__NEURON_BETA]);
}

cj_symbol *cj__neuron_leak(const cj__neuron *n, cj_symbol *v, cj_symbol *x)
{
    cj__build *g = &n->trace->build;
    cj_symbol *in = cj__neuron_times(n, x, CJ__NEURON_RESISTANCE);
    cj_symbol *u =
        cj__add(g, cj__neuron_times(n, v, CJ__NEURON_BETA), n->scales ? times_rest(n, in) : in);
    if (!has(n->form, CJ__NEURON_LEAK) ||
        (!n->symbols[CJ__NEURON_LEAK] && equals(n->numbers[CJ__NEURON_LEAK], 0)))
        return u;
    return cj__add(g, u, times_rest(n, cj__neuron_number_like(n, v, CJ__NEURON_LEAK)));
}

// The spikes of a membrane whose threshold is raised by `raise`, or NULL.
static cj_symbol *fire(const cj__neuron *n, cj_symbol *u, cj_symbol *raise)
{
    cj__build *g = &n->trace->build;
    cj_symbol *threshold = n->symbols[CJ__NEURON_THRESHOLD];
    cj_symbol *above =
        threshold ? cj__sub(g, u, threshold) : cj__shift(g, u, -n->numbers[CJ__NEURON_THRESHOLD]);
    return cj__spike(g, raise ? cj__sub(g, above, raise) : above, &n->spike);
}

// u with its reset where there are spikes.
static cj_symbol *reset(const cj__neuron *n, cj_symbol *u, cj_symbol *spikes)
{
    cj__build *g = &n->trace->build;
    if (n->reset == CJ__RESET_SUBTRACT)
        return cj__sub(g, u, cj__neuron_times(n, spikes, CJ__NEURON_THRESHOLD));
    if (n->reset == CJ__RESET_NONE)
        return u;
    const bool zero = !n->symbols[CJ__NEURON_RESET] && equals(n->numbers[CJ__NEURON_RESET], 0);
    cj_symbol *drop = zero ? u : cj__sub(g, u, cj__neuron_number_like(n, u, CJ__NEURON_RESET));
    return cj__sub(g, u, cj__mul(g, spikes, drop));
}

static cj_symbol *recurrent_input(const cj__neuron *n, cj_symbol *x, cj_symbol *spikes)
{
    cj__build *g = &n->trace->build;
    if (!n->kernel)
        return x;
    cj_symbol *y = is(n->args->recurrent, "dense") ?
                       cj__matmul(g, spikes, n->kernel, false, false) :
                       cj__mul(g, spikes, n->kernel);
    return cj__add(g, x, n->bias ? cj__add(g, y, n->bias) : y);
}

// The spikes that the membrane is reset for in this step, before anything else; NULL for none.
static cj_symbol *pending(const cj__neuron *n, cj_symbol *const *states)
{
    cj__build *g = &n->trace->build;
    if (!n->next_step || n->reset == CJ__RESET_NONE)
        return NULL;
    cj_symbol *spikes = n->keeps_spikes ?
                            states[n->form->states] :
                            fire(n, states[0], n->form->raise ? n->form->raise(n, states) : NULL);
    return n->stops ? cj__stop_gradient(g, spikes) : spikes;
}

// After the spikes at rest, and the steps of rest that are left.
static void rest(const cj__neuron *n, cj_symbol *left, cj_symbol *held, cj_symbol **spikes,
                 cj_symbol **u, cj_symbol **next)
{
    cj__build *g = &n->trace->build;
    cj_symbol *zero = cj__scalar_like(g, left, 0);
    cj_symbol *resting = cj__compare(g, CJ__COMPARISON_greater, left, zero);
    *spikes = cj__select(g, resting, zero, *spikes);
    cj_symbol *fired = cj__compare(g, CJ__COMPARISON_greater, *spikes, zero);
    cj_symbol *fewer = cj__apply_binary(g, CJ__BINARY_maximum, cj__shift(g, left, -1), zero);
    *next = cj__select(g, fired, cj__scalar_like(g, left, (double)n->args->refractory),
                       cj__stop_gradient(g, fewer));
    if (held)
        *u = cj__select(g, resting, held, *u);
}

cj_symbol *cj__neuron_step(void *cell, cj_symbol *x, cj_symbol *const *states, cj_symbol **next)
{
    const cj__neuron *n = cell;
    cj__build *g = &n->trace->build;
    cj_symbol *started[CJ__SEQUENCE_STATES], *spikes, *before = pending(n, states);
    const int own = n->form->states, all = cj__neuron_states(n);
    const bool rests = n->args->refractory > 0,
               early = before && n->reset == CJ__RESET_VALUE && !n->resets_after;
    for (int k = 0; k < all; k++)
        started[k] = states[k];
    if (early)
        started[0] = reset(n, states[0], before);
    x = recurrent_input(n, x, n->keeps_spikes ? states[own] : NULL);
    cj_symbol *u = n->form->gather(n, x, started, next);
    if (before && !early)
        u = reset(n, u, before);
    if (before && n->form->fired)
        n->form->fired(n, before, next);
    if (!n->form->fires)
        return next[0] = u;
    spikes = fire(n, u, n->form->raise ? n->form->raise(n, next) : NULL);
    cj_symbol *held = early || !before ? started[0] : reset(n, states[0], before);
    if (rests && is(n->args->refractory_state, "running"))
        rest(n, states[all - 1], NULL, &spikes, &u, &next[all - 1]);
    if (!n->next_step)
        u = reset(n, u, n->stops ? cj__stop_gradient(g, spikes) : spikes);
    if (rests && !is(n->args->refractory_state, "running"))
        rest(n, states[all - 1], held, &spikes, &u, &next[all - 1]);
    if (!n->next_step && n->form->fired)
        n->form->fired(n, n->stops ? cj__stop_gradient(g, spikes) : spikes, next);
    next[0] = u;
    if (n->keeps_spikes)
        next[own] = spikes;
    return is(n->args->output, "membrane") ? u : spikes;
}

// ---- The call ----

cj_status cj__neuron_call(cj__layer_context *c)
{
    const cj__spiking_args *a = c->layer->args;
    cj__neuron n;
    const cj_shape *x = cj__value_shape(&c->inputs[0]);
    CJ_TRY(cj__neuron_of(c->layer, &n));
    CJ_TRY(need_neurons(&n, x));
    cj__neuron_read(&n, c->trace);
    cj__sequence s = {.context = c,
                      .states = cj__neuron_states(&n),
                      .needs_states = true,
                      .constant = a->steps,
                      .watches = is(a->output, "both"),
                      .cell = &n,
                      .step = cj__neuron_step};
    s.flags = (cj__sequence_flags){
        .return_sequences = a->return_sequences,
        .return_state = a->return_state,
        .go_backwards = a->go_backwards,
        .unrolled_steps = a->steps == 0 && !s.watches, // a single step is no loop
        .zero_output_for_mask = n.form->fires && !is(a->output, "membrane")};
    const cj_shape neurons = neurons_of(&n, x);
    for (int k = 0; k < s.states; k++)
        s.shapes[k] = neurons, s.first[k] = n.initial[k];
    if (a->stateful)
        s.flags.kept = c->layer->variables + c->layer->variable_count - s.states;
    CJ_TRY(cj__sequence_call(&s));
    cj__add_activity_loss(c, a->activity_regularizer);
    return c->build->status;
}
