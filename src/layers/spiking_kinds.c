// The neurons: what each gathers in a step, and its row.
#include "layers/spiking.h"

#include "layers/surrogates.h"
#include <math.h>

#define NUMBER(name) (1u << CJ__NEURON_##name)
#define LEAKY        (NUMBER(BETA) | NUMBER(THRESHOLD) | NUMBER(RESISTANCE) | NUMBER(LEAK) | NUMBER(RESET))

#define UNARY(name, x) cj__apply_unary(g, CJ__UNARY_##name, x, 0, 0)

CJ__DEFAULTS(lif, LIF)
CJ__DEFAULTS(integrate_fire, INTEGRATE_FIRE)
CJ__DEFAULTS(leaky_integrator, LEAKY_INTEGRATOR)
CJ__DEFAULTS(cuba_lif, CUBA_LIF)
CJ__DEFAULTS(alpha_lif, ALPHA_LIF)
CJ__DEFAULTS(lapicque, LAPICQUE)
CJ__DEFAULTS(alif, ALIF)
CJ__DEFAULTS(izhikevich, IZHIKEVICH)

// ---- LIF, IntegrateFire, LeakyIntegrator, Lapicque ----

static cj_symbol *gather_leaky(const cj__neuron *n, cj_symbol *x, cj_symbol *const *states,
                               cj_symbol **next)
{
    (void)next;
    return cj__neuron_leak(n, states[0], x);
}

// Without a leak a step adds what it gathers in its time.
static cj_status settle_integrate_fire(const cj_layer *layer, cj__neuron *n)
{
    const cj_integrate_fire_args *a = layer->args;
    n->numbers[CJ__NEURON_RESISTANCE] = a->resistance * a->dt;
    return CJ_OK;
}

// A circuit of a resistance and a capacitance: tau = R C. As in snnTorch, beta = exp(-dt / tau) may
// be given in the place of C, and what decays is 1 - dt / tau.
static cj_status settle_lapicque(const cj_layer *layer, cj__neuron *n)
{
    const cj_lapicque_args *a = layer->args;
    if (!isinf(a->tau))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: tau must not be given: it is resistance times capacitance",
                        layer->name);
    if (isinf(a->beta) == isinf(a->capacitance))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s, needed is one of beta and capacitance",
                        layer->name,
                        isinf(a->beta) ? "neither beta nor capacitance is given" :
                                         "both beta and capacitance are given");
    if (!(a->resistance > 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: resistance must be greater than 0", layer->name);
    if (!isinf(a->beta) && !(a->beta > 0 && a->beta < 1))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: beta must be between 0 and 1, not %g",
                        layer->name, a->beta);
    const double tau = isinf(a->beta) ? a->resistance * a->capacitance : -a->dt / log(a->beta);
    if (!(tau >= a->dt))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a step dt of %g is longer than resistance times capacitance, %g",
                        layer->name, a->dt, tau);
    n->numbers[CJ__NEURON_BETA] = 1 - a->dt / tau;
    n->scales = true;
    return CJ_OK;
}

// ---- CubaLIF ----

static cj_status settle_cuba(const cj_layer *layer, cj__neuron *n)
{
    const cj_cuba_lif_args *a = layer->args;
    const bool direct = !isinf(a->alpha), by_time = !isinf(a->tau_syn);
    double alpha = a->alpha;
    if (direct == by_time)
        return cj__fail(
            CJ_INVALID_ARGUMENT, "%s: %s, needed is one of alpha and tau_syn", layer->name,
            direct ? "both alpha and tau_syn are given" : "neither alpha nor tau_syn is given");
    if (by_time && !(a->tau_syn > 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: tau_syn must be greater than 0", layer->name);
    if (by_time)
        alpha = cj__neuron_is_exact(n) ? exp(-a->dt / a->tau_syn) : 1 - a->dt / a->tau_syn;
    if (!(alpha >= 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a step dt of %g is longer than tau_syn, %g",
                        layer->name, a->dt, a->tau_syn);
    n->numbers[CJ__NEURON_ALPHA] = alpha;
    n->numbers[CJ__NEURON_JUMP] = a->synapse_gain;
    return CJ_OK;
}

static cj_symbol *gather_cuba(const cj__neuron *n, cj_symbol *x, cj_symbol *const *states,
                              cj_symbol **next)
{
    next[1] = cj__add(&n->trace->build, cj__neuron_times(n, states[1], CJ__NEURON_ALPHA),
                      cj__neuron_times(n, x, CJ__NEURON_JUMP));
    return cj__neuron_leak(n, states[0], next[1]);
}

// ---- AlphaLIF ----

static cj_status settle_alpha(const cj_layer *layer, cj__neuron *n)
{
    const cj_alpha_lif_args *a = layer->args;
    const double beta = n->numbers[CJ__NEURON_BETA];
    if (!(a->alpha > beta && a->alpha <= 1 && beta > 0))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: alpha is %g and beta is %g, needed is 0 < beta < alpha <= 1",
                        layer->name, a->alpha, beta);
    if (n->reset == CJ__RESET_SUBTRACT && a->reset)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: the reset \"subtract\" is not there: the membrane follows from the "
                        "currents; take \"value\" or \"none\"",
                        layer->name);
    if (n->reset == CJ__RESET_SUBTRACT)
        n->reset = CJ__RESET_VALUE;
    if (n->reset == CJ__RESET_VALUE && (a->v_reset < 0 || a->v_reset > 0))
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: v_reset must be 0: the membrane follows from the currents",
                        layer->name);
    n->keeps_spikes =
        n->keeps_spikes || (n->next_step && n->reset != CJ__RESET_NONE && a->refractory > 0);
    n->numbers[CJ__NEURON_ALPHA] = a->alpha;
    return CJ_OK;
}

// 1 + ln(alpha) / (ln(beta) - ln(alpha))
static cj_symbol *alpha_scaled(const cj__neuron *n, cj_symbol *sum)
{
    cj__build *g = &n->trace->build;
    const double alpha = n->numbers[CJ__NEURON_ALPHA], beta = n->numbers[CJ__NEURON_BETA];
    if (!n->symbols[CJ__NEURON_ALPHA] && !n->symbols[CJ__NEURON_BETA])
        return cj__scale(g, sum, 1 + log(alpha) / (log(beta) - log(alpha)));
    cj_symbol *a = UNARY(log, cj__neuron_number_like(n, sum, CJ__NEURON_ALPHA));
    cj_symbol *b = UNARY(log, cj__neuron_number_like(n, sum, CJ__NEURON_BETA));
    return cj__mul(g, sum, cj__shift(g, cj__div(g, a, cj__sub(g, b, a)), 1));
}

static cj_symbol *gather_alpha(const cj__neuron *n, cj_symbol *x, cj_symbol *const *states,
                               cj_symbol **next)
{
    cj__build *g = &n->trace->build;
    cj_symbol *in = cj__neuron_times(n, x, CJ__NEURON_RESISTANCE);
    next[1] = cj__add(g, cj__neuron_times(n, states[1], CJ__NEURON_ALPHA), in);
    next[2] = cj__sub(g, cj__neuron_times(n, states[2], CJ__NEURON_BETA), in);
    return alpha_scaled(n, cj__add(g, next[1], next[2]));
}

// With the membrane the currents are set to 0.
static void fired_alpha(const cj__neuron *n, cj_symbol *spikes, cj_symbol **next)
{
    cj__build *g = &n->trace->build;
    for (int k = 1; k < 3 && n->reset == CJ__RESET_VALUE; k++)
        next[k] = cj__sub(g, next[k], cj__mul(g, spikes, next[k]));
}

// ---- ALIF ----

static cj_status settle_alif(const cj_layer *layer, cj__neuron *n)
{
    const cj_alif_args *a = layer->args;
    const bool direct = !isinf(a->rho), by_time = !isinf(a->tau_adaptation);
    if (direct == by_time)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s, needed is one of rho and tau_adaptation",
                        layer->name,
                        direct ? "both rho and tau_adaptation are given" :
                                 "neither rho nor tau_adaptation is given");
    if (by_time && !(a->tau_adaptation > 0))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: tau_adaptation must be greater than 0",
                        layer->name);
    const double rho = direct                 ? a->rho :
                       cj__neuron_is_exact(n) ? exp(-a->dt / a->tau_adaptation) :
                                                1 - a->dt / a->tau_adaptation;
    if (!(rho >= 0))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a step dt of %g is longer than tau_adaptation, %g", layer->name, a->dt,
                        a->tau_adaptation);
    n->numbers[CJ__NEURON_ALPHA] = rho;
    n->numbers[CJ__NEURON_JUMP] = a->adaptation;
    return CJ_OK;
}

static cj_symbol *gather_alif(const cj__neuron *n, cj_symbol *x, cj_symbol *const *states,
                              cj_symbol **next)
{
    next[1] = cj__neuron_times(n, states[1], CJ__NEURON_ALPHA);
    return cj__neuron_leak(n, states[0], x);
}

static void fired_alif(const cj__neuron *n, cj_symbol *spikes, cj_symbol **next)
{
    next[1] = cj__add(&n->trace->build, next[1], cj__neuron_times(n, spikes, CJ__NEURON_JUMP));
}

static cj_symbol *raise_alif(const cj__neuron *n, cj_symbol *const *next)
{
    (void)n;
    return next[1];
}

// ---- Izhikevich ----

static cj_status settle_izhikevich(const cj_layer *layer, cj__neuron *n)
{
    const cj_izhikevich_args *a = layer->args;
    if (a->reset || a->reset_time)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: a reset must not be given: the membrane is set to v_reset in the "
                        "step of its spike",
                        layer->name);
    n->reset = CJ__RESET_VALUE;
    n->next_step = false;
    n->stops = a->reset_gradient && a->reset_gradient[0] == 's';
    n->keeps_spikes = a->recurrent[0] != 'n';
    n->initial[0] = isinf(a->v_initial) ? a->v_reset : a->v_initial;
    n->initial[1] = a->b * n->initial[0];
    n->numbers[CJ__NEURON_JUMP] = a->d;
    return CJ_OK;
}

// u = v + dt (sq v^2 + mn v + bias - w + x), w = w + dt a (b v - w)
static cj_symbol *gather_izhikevich(const cj__neuron *n, cj_symbol *x, cj_symbol *const *states,
                                    cj_symbol **next)
{
    cj__build *g = &n->trace->build;
    const cj_izhikevich_args *a = n->layer->args;
    cj_symbol *v = states[0], *w = states[1];
    cj_symbol *slope = cj__add(g, cj__scale(g, UNARY(square, v), a->sq), cj__scale(g, v, a->mn));
    slope = cj__add(g, cj__shift(g, slope, a->bias), cj__neuron_times(n, x, CJ__NEURON_RESISTANCE));
    slope = cj__sub(g, slope, w);
    next[1] = cj__add(g, w, cj__scale(g, cj__sub(g, cj__scale(g, v, a->b), w), a->dt * a->a));
    return cj__add(g, v, cj__scale(g, slope, a->dt));
}

// ---- Rows ----

#define FORM(plain, ...)                        \
    {                                           \
        .kind = &cj__layer_##plain, __VA_ARGS__ \
    }

const cj__neuron_form cj__neuron_forms[] = {
    FORM(lif, .states = 1, .numbers = LEAKY, .fires = true, .gather = gather_leaky),
    FORM(integrate_fire, .states = 1,
         .numbers = NUMBER(THRESHOLD) | NUMBER(RESISTANCE) | NUMBER(RESET), .fires = true,
         .gather = gather_leaky, .settle = settle_integrate_fire),
    FORM(leaky_integrator, .states = 1, .numbers = NUMBER(BETA) | NUMBER(RESISTANCE) | NUMBER(LEAK),
         .gather = gather_leaky),
    FORM(cuba_lif, .states = 2, .numbers = LEAKY | NUMBER(ALPHA) | NUMBER(JUMP), .fires = true,
         .resets_after = true, .gather = gather_cuba, .settle = settle_cuba),
    FORM(alpha_lif, .states = 3,
         .numbers = NUMBER(BETA) | NUMBER(THRESHOLD) | NUMBER(RESISTANCE) | NUMBER(ALPHA),
         .fires = true, .resets_after = true, .gather = gather_alpha, .fired = fired_alpha,
         .settle = settle_alpha),
    FORM(lapicque, .states = 1, .own_decay = true, .numbers = LEAKY, .fires = true,
         .resets_after = true, .gather = gather_leaky, .settle = settle_lapicque),
    FORM(alif, .states = 2, .numbers = LEAKY | NUMBER(ALPHA) | NUMBER(JUMP), .fires = true,
         .gather = gather_alif, .fired = fired_alif, .raise = raise_alif, .settle = settle_alif),
    FORM(izhikevich, .states = 2,
         .numbers = NUMBER(THRESHOLD) | NUMBER(RESISTANCE) | NUMBER(RESET) | NUMBER(JUMP),
         .fires = true, .gather = gather_izhikevich, .fired = fired_alif,
         .settle = settle_izhikevich),
    {.kind = NULL},
};

const cj__neuron_form *cj__neuron_form_of(const cj_layer *layer)
{
    const cj__neuron_form *form = cj__neuron_forms;
    while (form->kind && form->kind != layer->kind)
        form++;
    return form;
}

#define CUBA_FIELDS(args)                                            \
    CJ__FIELD(args, alpha, CJ__FIELD_LIMIT, CJ__SHARE),              \
        CJ__FIELD(args, tau_syn, CJ__FIELD_LIMIT, CJ__NOT_NEGATIVE), \
        CJ__FIELD(args, synapse_gain, CJ__FIELD_NUMBER),             \
        CJ__FIELD(args, learn_alpha, CJ__FIELD_BOOL)

static const cj__field lif_fields[] = {CJ__SPIKING_FIELDS(cj_lif_args)};
static const cj__field integrate_fire_fields[] = {CJ__SPIKING_FIELDS(cj_integrate_fire_args)};
static const cj__field leaky_integrator_fields[] = {CJ__SPIKING_FIELDS(cj_leaky_integrator_args)};
static const cj__field cuba_lif_fields[] = {
    CUBA_FIELDS(cj_cuba_lif_args),
    CJ__SPIKING_FIELDS(cj_cuba_lif_args),
};
static const cj__field alpha_lif_fields[] = {
    CJ__FIELD(cj_alpha_lif_args, alpha, CJ__FIELD_NUMBER, .required = true, CJ__SHARE),
    CJ__SPIKING_FIELDS(cj_alpha_lif_args),
};
static const cj__field lapicque_fields[] = {
    CJ__FIELD(cj_lapicque_args, capacitance, CJ__FIELD_LIMIT, CJ__NOT_NEGATIVE),
    CJ__SPIKING_FIELDS(cj_lapicque_args),
};
static const cj__field alif_fields[] = {
    CJ__FIELD(cj_alif_args, rho, CJ__FIELD_LIMIT, CJ__SHARE),
    CJ__FIELD(cj_alif_args, tau_adaptation, CJ__FIELD_LIMIT, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_alif_args, adaptation, CJ__FIELD_NUMBER),
    CJ__SPIKING_FIELDS(cj_alif_args),
};
static const cj__field izhikevich_fields[] = {
    CJ__FIELD(cj_izhikevich_args, a, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_izhikevich_args, b, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_izhikevich_args, d, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_izhikevich_args, sq, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_izhikevich_args, mn, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_izhikevich_args, bias, CJ__FIELD_NUMBER),
    CJ__SPIKING_FIELDS(cj_izhikevich_args),
};

#define NEURON(plain, class)                                                   \
    const cj__layer_kind cj__layer_##plain = {                                 \
        .choice = CJ__CHOICE(#plain, class, plain##_fields, plain##_defaults), \
        .min_inputs = 1,                                                       \
        .max_inputs = 1 + CJ__SEQUENCE_STATES,                                 \
        .more_inputs = "initial_state",                                        \
        .check = cj__neuron_check,                                             \
        .build = cj__neuron_build,                                             \
        .after_draw = cj__neuron_draw,                                         \
        .call = cj__neuron_call,                                               \
        .mask = CJ__MASK_OWN,                                                  \
        .exact_variables = true,                                               \
    };                                                                         \
    CJ__CONSTRUCTOR(plain)

NEURON(lif, "LIF")
NEURON(integrate_fire, "IntegrateFire")
NEURON(leaky_integrator, "LeakyIntegrator")
NEURON(cuba_lif, "CubaLIF")
NEURON(alpha_lif, "AlphaLIF")
NEURON(lapicque, "Lapicque")
NEURON(alif, "ALIF")
NEURON(izhikevich, "Izhikevich")
