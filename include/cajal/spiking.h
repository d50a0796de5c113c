/**
 * @file spiking.h
 * Spiking neural networks: neurons that gather input on a membrane, fire a spike at a threshold, are
 * reset, and may rest for some steps (a refractory period).
 *
 * A layer of neurons is a layer like any other. It takes a sequence (time, ...) of input currents,
 * such as Dense makes of a sequence, and gives the spikes (time, ...), 1 or 0; or a constant current
 * (...) for so many `steps`. It runs as one loop over time, and is trained, saved and explained as
 * all layers are. Since a step function has no slope to learn from, the gradient of a spike is that
 * of a *surrogate* (Neftci, Mostafa and Zenke 2019, "Surrogate Gradient Learning in Spiking Neural
 * Networks").
 *
 * What a step does is the same for all neurons, with what each has of its own in the second line:
 *
 *     x = input + recurrent input
 *     u = beta v + (1 - beta) v_leak + gain x       the membrane before its reset
 *     s = 1 where u > threshold, else 0             the spikes; none while refractory
 *     v = u - s threshold, or v_reset where s is 1  the reset
 *
 * The libraries of the field differ in the details. `preset` names one of them, and gives the
 * settings below that are NULL what they mean there:
 *
 *     preset          snntorch     norse         spikingjelly   nir
 *     reset           subtract     value         value          value
 *     reset_time      next         same          same           same
 *     reset_gradient  stop         pass          pass           stop
 *     firing          above        above         reached        above
 *     input_scale     none         leak          leak           leak
 *     surrogate       atan         fast_sigmoid  sigmoid(4)     fast_sigmoid
 *                                  (1)
 *
 * docs/spiking.md has the formulas with their sources.
 */
#ifndef CAJAL_SPIKING_H
#define CAJAL_SPIKING_H

#include <cajal/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The spikes of a membrane u that is measured from its threshold: 1 where u > 0, else 0. `surrogate`
 * is a spec that says what gradients see in the place of the step's slope:
 *
 * - "fast_sigmoid(slope=25)": 1 / (1 + slope |u|)² (Zenke and Ganguli 2018, SuperSpike)
 * - "atan(alpha=2)": alpha / 2 / (1 + (pi alpha u / 2)²) (Fang and others 2021)
 * - "sigmoid(slope=25)": slope s (1 - s), s = sigmoid(slope u)
 * - "triangle(gamma=0.3, width=1)": gamma max(0, 1 - |u| / width) (Bellec and others 2018)
 * - "boxcar(gamma=1, width=0.5)": gamma where |u| < width, else 0
 * - "gaussian(gamma=1, width=0.5)": gamma exp(-(u / width)² / 2)
 * - "straight_through": 1
 *
 * NULL with a sentence for an unknown name, an x that is not real, or without memory.
 */
CJ_API cj_symbol *cj_op_spike(const char *surrogate, cj_symbol *u);

/** The members that the arguments of all neurons have. */
#define CJ_SPIKING_MEMBERS                                                                                \
    CJ_LAYER_MEMBERS                                                                                      \
    int _; /**< what follows may be given by position */                                                  \
    /** the part of the membrane that is left after a step, 0 to 1; default INFINITY: from tau */         \
    double beta;                                                                                          \
    /** time constant of the membrane, in the unit of dt; default INFINITY: none, beta is given */        \
    double tau;                                                                                           \
    double dt;        /**< the time of a step, default 1 */                                               \
    double threshold; /**< default 1 */                                                                   \
    /** what the membrane decays to; default INFINITY: 0, with "spikingjelly" v_reset */                  \
    double v_leak;                                                                                        \
    /** the membrane before the first step; default INFINITY: 0, with "norse" v_leak, with           \
     * "spikingjelly" v_reset */    \
    double v_initial;                                                                                     \
    double v_reset;     /**< what the reset "value" sets the membrane to; default 0 */                    \
    double resistance;  /**< what the input is multiplied by; default 1 */                                \
    const char *preset; /**< "snntorch" (default), "norse", "spikingjelly" or "nir" */                    \
    const char *reset; /**< "subtract" (the threshold), "value" or "none"; default the preset's */        \
    /** "same": the membrane is reset in the step of its spike; "next": in the step after it, before \
     * what that gathers (LIF without recurrent input), else after it */    \
    const char *reset_time;                                                                               \
    const char *reset_gradient; /**< whether gradients "pass" through the reset or "stop" there */        \
    const char *firing; /**< a spike "above" the threshold, or where it is "reached" too */               \
    /** how beta follows from tau: "euler", 1 - dt / tau, or "exact", exp(-dt / tau) */                   \
    const char *discretization;                                                                           \
    const char *input_scale; /**< the gain: "none", 1, or "leak", 1 - beta */                             \
    const char *surrogate;   /**< spec of cj_op_spike(); default the preset's */                          \
    int64_t refractory;      /**< steps of rest after a spike, 0 (default) and more */                    \
    /** at rest the membrane is "frozen" (default), or "running" and only spikes are held back */         \
    const char *refractory_state;                                                                         \
    bool learn_beta;      /**< default false; true: beta is a weight, kept within 0 and 1 */              \
    bool learn_threshold; /**< default false; true: the threshold is a weight */                          \
    /** default false: one beta and one threshold a layer; true: one a neuron, as variables */            \
    bool per_neuron;                                                                                      \
    /** default false; true: every number of the neuron is a variable, one a neuron, as files in NIR    \
     * have them; what is not learnt is no weight to train */ \
    bool heterogeneous;                                                                                   \
    /** spikes of the step before as further input: "none" (default), "dense": times a kernel        \
     * (neurons, neurons), "one_to_one": each neuron's own times a weight */    \
    const char *recurrent;                                                                                \
    const char *recurrent_initializer; /**< spec, default "glorot_uniform" */                             \
    const char *recurrent_regularizer; /**< spec, default NULL: none */                                   \
    bool recurrent_bias;               /**< default false; true: a bias on the recurrent input */         \
    /** default 0: the input is a sequence (time, ...); n: a constant current (...) for n steps */        \
    int64_t steps;                                                                                        \
    /** "spikes" (default), "membrane", or "both": spikes, and the membrane as a second output */         \
    const char *output;                                                                                   \
    bool return_sequences; /**< default true: all steps; false: the last one only */                      \
    bool return_state;     /**< default false; true: the last states are further outputs */               \
    bool go_backwards;     /**< default false; true: from the last step to the first */                   \
    /** default false; true: the states of a batch begin the next; needs a fixed batch size */            \
    bool stateful;                                                                                        \
    const char *activity_regularizer; /**< spec on output 0, default NULL: none */
/** The defaults of CJ_SPIKING_MEMBERS in a struct of that type. */
#define CJ_SPIKING_DEFAULTS(type)                                                            \
    CJ_LAYER_DEFAULTS(type), .beta = INFINITY, .tau = INFINITY, .dt = 1, .threshold = 1,     \
                             .v_leak = INFINITY, .v_initial = INFINITY, .resistance = 1,     \
                             .preset = "snntorch", .refractory_state = "frozen",             \
                             .recurrent = "none", .recurrent_initializer = "glorot_uniform", \
                             .output = "spikes", .return_sequences = true

/**
 * LIF: a leaky integrate-and-fire neuron (Lapicque 1907), u = beta v + (1 - beta) v_leak + gain x.
 * State: the membrane.
 */
typedef struct cj_lif_args {
    CJ_SPIKING_MEMBERS
} cj_lif_args;
/** The defaults of cj_lif_args. */
#define CJ_LIF_DEFAULTS CJ_SPIKING_DEFAULTS(cj_lif_args)
/** Sets `args` to CJ_LIF_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_lif_defaults(cj_lif_args *args);
/**
 * (time, ...) becomes the spikes (time, ...). Applied with cj_apply_many() it takes the initial
 * states as further inputs, which are 0 without them. NULL with CJ_INVALID_ARGUMENT or
 * CJ_OUT_OF_MEMORY, as all of these.
 */
CJ_API cj_layer *cj_lif_new(const cj_lif_args *args);
/** `cj_lif(0.95)`, `cj_lif(.tau = 2, .preset = "spikingjelly")` */
#define cj_lif(...) cj_lif_new(&(cj_lif_args){CJ_LIF_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * IntegrateFire: a neuron without a leak, u = v + resistance dt x. beta and tau must not be given.
 * State: the membrane.
 */
typedef struct cj_integrate_fire_args {
    CJ_SPIKING_MEMBERS
} cj_integrate_fire_args;
/** The defaults of cj_integrate_fire_args. */
#define CJ_INTEGRATE_FIRE_DEFAULTS CJ_SPIKING_DEFAULTS(cj_integrate_fire_args)
/** Sets `args` to CJ_INTEGRATE_FIRE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_integrate_fire_defaults(cj_integrate_fire_args *args);
/** (time, ...) becomes the spikes (time, ...), as LIF. */
CJ_API cj_layer *cj_integrate_fire_new(const cj_integrate_fire_args *args);
#define cj_integrate_fire(...) \
    cj_integrate_fire_new(     \
        &(cj_integrate_fire_args){CJ_INTEGRATE_FIRE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * LeakyIntegrator: a membrane that never fires, u = beta v + (1 - beta) v_leak + gain x, for reading
 * out. What concerns spikes must not be set. Its output is the membrane.
 */
typedef struct cj_leaky_integrator_args {
    CJ_SPIKING_MEMBERS
} cj_leaky_integrator_args;
/** The defaults of cj_leaky_integrator_args. */
#define CJ_LEAKY_INTEGRATOR_DEFAULTS CJ_SPIKING_DEFAULTS(cj_leaky_integrator_args)
/** Sets `args` to CJ_LEAKY_INTEGRATOR_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_leaky_integrator_defaults(cj_leaky_integrator_args *args);
/** (time, ...) becomes the membrane (time, ...), as LIF. */
CJ_API cj_layer *cj_leaky_integrator_new(const cj_leaky_integrator_args *args);
#define cj_leaky_integrator(...) \
    cj_leaky_integrator_new(     \
        &(cj_leaky_integrator_args){CJ_LEAKY_INTEGRATOR_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * CubaLIF: a current-based LIF neuron, whose input goes through a synapse that decays too:
 * i = alpha i + synapse_gain x, u = beta v + (1 - beta) v_leak + gain i. snnTorch's Synaptic, Norse's
 * LIFCell. States: the membrane, the current i.
 */
typedef struct cj_cuba_lif_args {
    CJ_SPIKING_MEMBERS
    /** the part of the current that is left after a step; default INFINITY: from tau_syn */
    double alpha;
    double tau_syn;      ///< time constant of the synapse; default INFINITY: none
    double synapse_gain; ///< default 1
    bool learn_alpha;    ///< default false; true: alpha is a weight, kept within 0 and 1
} cj_cuba_lif_args;
/** The defaults of cj_cuba_lif_args. */
#define CJ_CUBA_LIF_DEFAULTS \
    CJ_SPIKING_DEFAULTS(cj_cuba_lif_args), .alpha = INFINITY, .tau_syn = INFINITY, .synapse_gain = 1
/** Sets `args` to CJ_CUBA_LIF_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_cuba_lif_defaults(cj_cuba_lif_args *args);
/** (time, ...) becomes the spikes (time, ...), as LIF. */
CJ_API cj_layer *cj_cuba_lif_new(const cj_cuba_lif_args *args);
#define cj_cuba_lif(...) \
    cj_cuba_lif_new(&(cj_cuba_lif_args){CJ_CUBA_LIF_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * AlphaLIF: a membrane that is the difference of two currents, which rises and falls after an input
 * as alpha t exp(-alpha t) does: e = alpha e + x, i = beta i - x, u = c (e + i) with
 * c = 1 + ln(alpha) / (ln(beta) - ln(alpha)). snnTorch's Alpha; alpha must be greater than beta.
 * States: the membrane, e, i.
 */
typedef struct cj_alpha_lif_args {
    CJ_SPIKING_MEMBERS
    double alpha; ///< required: the part of e that is left after a step
} cj_alpha_lif_args;
/** The defaults of cj_alpha_lif_args. */
#define CJ_ALPHA_LIF_DEFAULTS CJ_SPIKING_DEFAULTS(cj_alpha_lif_args), .alpha = NAN
/** Sets `args` to CJ_ALPHA_LIF_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_alpha_lif_defaults(cj_alpha_lif_args *args);
/** (time, ...) becomes the spikes (time, ...), as LIF. */
CJ_API cj_layer *cj_alpha_lif_new(const cj_alpha_lif_args *args);
#define cj_alpha_lif(...) \
    cj_alpha_lif_new(&(cj_alpha_lif_args){CJ_ALPHA_LIF_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Lapicque: LIF as a circuit of a resistance R and a capacitance C (Lapicque 1907), whose tau is R C:
 * u = (1 - dt / tau) v + dt / C x. In the place of C beta = exp(-dt / tau) may be given. State: the
 * membrane.
 */
typedef struct cj_lapicque_args {
    CJ_SPIKING_MEMBERS
    double capacitance; ///< default INFINITY: none, beta is given
} cj_lapicque_args;
/** The defaults of cj_lapicque_args. */
#define CJ_LAPICQUE_DEFAULTS CJ_SPIKING_DEFAULTS(cj_lapicque_args), .capacitance = INFINITY
/** Sets `args` to CJ_LAPICQUE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_lapicque_defaults(cj_lapicque_args *args);
/** (time, ...) becomes the spikes (time, ...), as LIF. */
CJ_API cj_layer *cj_lapicque_new(const cj_lapicque_args *args);
#define cj_lapicque(...) \
    cj_lapicque_new(&(cj_lapicque_args){CJ_LAPICQUE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * ALIF: LIF with a threshold that rises with each spike and falls back (Bellec and others 2018, "Long
 * short-term memory and learning-to-learn in networks of spiking neurons"): a = rho a, a spike where
 * u > threshold + a, then a = a + adaptation s. States: the membrane, a.
 */
typedef struct cj_alif_args {
    CJ_SPIKING_MEMBERS
    double rho; ///< the part of a that is left after a step; default INFINITY: from tau_adaptation
    double tau_adaptation; ///< time constant of a; default INFINITY: none
    double adaptation;     ///< what a spike adds to a; default 1.8
} cj_alif_args;
/** The defaults of cj_alif_args. */
#define CJ_ALIF_DEFAULTS                                                            \
    CJ_SPIKING_DEFAULTS(cj_alif_args), .rho = INFINITY, .tau_adaptation = INFINITY, \
                                       .adaptation = 1.8
/** Sets `args` to CJ_ALIF_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_alif_defaults(cj_alif_args *args);
/** (time, ...) becomes the spikes (time, ...), as LIF. */
CJ_API cj_layer *cj_alif_new(const cj_alif_args *args);
#define cj_alif(...) cj_alif_new(&(cj_alif_args){CJ_ALIF_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Izhikevich's neuron (Izhikevich 2003, "Simple Model of Spiking Neurons"), in mV and ms, by Euler
 * steps of `dt`: u = v + dt (sq v² + mn v + bias - w + x), w = w + dt a (b v - w); where u is beyond
 * the threshold, 30 mV, a spike sets the membrane to v_reset and adds d to w. The defaults are a
 * regularly spiking neuron. It begins at v_initial, which is v_reset by default, with w = b v. beta,
 * tau, v_leak, input_scale and the reset must not be given. States: the membrane, w.
 */
typedef struct cj_izhikevich_args {
    CJ_SPIKING_MEMBERS
    double a;    ///< rate of the recovery w, default 0.02
    double b;    ///< how much w follows the membrane, default 0.2
    double d;    ///< what a spike adds to w, default 8
    double sq;   ///< factor of v², default 0.04
    double mn;   ///< factor of v, default 5
    double bias; ///< default 140
} cj_izhikevich_args;
/** The defaults of cj_izhikevich_args. */
#define CJ_IZHIKEVICH_DEFAULTS                                                               \
    CJ_SPIKING_DEFAULTS(cj_izhikevich_args), .dt = 0.25, .threshold = 30, .v_reset = -65,    \
                                             .preset = "norse", .a = 0.02, .b = 0.2, .d = 8, \
                                             .sq = 0.04, .mn = 5, .bias = 140
/** Sets `args` to CJ_IZHIKEVICH_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_izhikevich_defaults(cj_izhikevich_args *args);
/** (time, ...) becomes the spikes (time, ...), as LIF. */
CJ_API cj_layer *cj_izhikevich_new(const cj_izhikevich_args *args);
#define cj_izhikevich(...) \
    cj_izhikevich_new(&(cj_izhikevich_args){CJ_IZHIKEVICH_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * SpikingCell: a layer of neurons as a cell, one step of it, for cj_rnn() and
 * cj_stacked_rnn_cells(). The layer's `steps` is 0; what it returns is its `output`, which is not
 * "both".
 */
typedef struct cj_spiking_cell_args {
    CJ_LAYER_MEMBERS
    int _;            ///< what follows may be given by position
    cj_layer *layer;  ///< required: a layer of neurons
    int64_t shape[8]; ///< required: of the neurons, without the batch axis, ended by 0
} cj_spiking_cell_args;
/** The defaults of cj_spiking_cell_args. */
#define CJ_SPIKING_CELL_DEFAULTS CJ_LAYER_DEFAULTS(cj_spiking_cell_args)
/** Sets `args` to CJ_SPIKING_CELL_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_spiking_cell_defaults(cj_spiking_cell_args *args);
/** `cj_rnn(cj_spiking_cell(cj_lif(0.9), {64}), .return_sequences = true)`; it owns the layer. */
CJ_API cj_layer *cj_spiking_cell_new(const cj_spiking_cell_args *args);
#define cj_spiking_cell(...) \
    cj_spiking_cell_new(&(cj_spiking_cell_args){CJ_SPIKING_CELL_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * RateCode: a number as a rate of spikes, drawn anew for each step: a spike with the probability
 * gain x + offset, kept within 0 and 1 ("bernoulli"), or 1 - exp(-(gain x + offset)), that of an event
 * of a Poisson process in a step ("poisson"). What is drawn depends on seed, training step and place;
 * predictions take the same draws each time and for every sample.
 */
typedef struct cj_rate_code_args {
    CJ_LAYER_MEMBERS
    int _;                    ///< what follows may be given by position
    int64_t steps;            ///< required: how many
    double gain;              ///< default 1
    double offset;            ///< default 0
    const char *distribution; ///< "bernoulli" (default) or "poisson"
    int64_t seed;             ///< not negative; default -1: from the model's
} cj_rate_code_args;
/** The defaults of cj_rate_code_args. */
#define CJ_RATE_CODE_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_rate_code_args), .gain = 1, .distribution = "bernoulli", .seed = -1
/** Sets `args` to CJ_RATE_CODE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_rate_code_defaults(cj_rate_code_args *args);
/** (...) becomes spikes (steps, ...). */
CJ_API cj_layer *cj_rate_code_new(const cj_rate_code_args *args);
#define cj_rate_code(...) \
    cj_rate_code_new(&(cj_rate_code_args){CJ_RATE_CODE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * LatencyCode: a number as the time of one spike, the greater the earlier: tau ln(x / (x - threshold)),
 * when a leaky neuron with x as its current reaches the threshold, or with `linear` tau (1 - x). With
 * `normalize` the latest spike of a sample comes in the last step (snnTorch takes the latest of the
 * whole batch). Times are kept within the steps; a spike comes in the nearest.
 */
typedef struct cj_latency_code_args {
    CJ_LAYER_MEMBERS
    int _;              ///< what follows may be given by position
    int64_t steps;      ///< required: how many
    double tau;         ///< default 1
    double threshold;   ///< default 0.01
    bool linear;        ///< default false
    bool normalize;     ///< default false
    bool clip;          ///< default false; true: no spike for x below the threshold
    const char *output; ///< "spikes" (default): (steps, ...), or "times": (...)
} cj_latency_code_args;
/** The defaults of cj_latency_code_args. */
#define CJ_LATENCY_CODE_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_latency_code_args), .tau = 1, .threshold = 0.01, .output = "spikes"
/** Sets `args` to CJ_LATENCY_CODE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_latency_code_defaults(cj_latency_code_args *args);
/** (...) becomes spikes (steps, ...), or their times (...). */
CJ_API cj_layer *cj_latency_code_new(const cj_latency_code_args *args);
#define cj_latency_code(...) \
    cj_latency_code_new(&(cj_latency_code_args){CJ_LATENCY_CODE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * DeltaCode: the changes of a sequence: a spike where an entry is greater by the threshold, or more,
 * than the one before, and with `off_spike` -1 where it is less by that.
 */
typedef struct cj_delta_code_args {
    CJ_LAYER_MEMBERS
    int _;            ///< what follows may be given by position
    double threshold; ///< default 0.1
    /** default false: before the first entry is 0; true: the first entry itself, so no change */
    bool padding;
    bool off_spike; ///< default false
} cj_delta_code_args;
/** The defaults of cj_delta_code_args. */
#define CJ_DELTA_CODE_DEFAULTS CJ_LAYER_DEFAULTS(cj_delta_code_args), .threshold = 0.1
/** Sets `args` to CJ_DELTA_CODE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_delta_code_defaults(cj_delta_code_args *args);
/** (time, ...) becomes spikes (time, ...). */
CJ_API cj_layer *cj_delta_code_new(const cj_delta_code_args *args);
#define cj_delta_code(...) \
    cj_delta_code_new(&(cj_delta_code_args){CJ_DELTA_CODE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * PopulationCode: a number as the currents of so many neurons, each with a center of its own between
 * `low` and `high`: exp(-((x - center) / width)² / 2).
 */
typedef struct cj_population_code_args {
    CJ_LAYER_MEMBERS
    int _;           ///< what follows may be given by position
    int64_t neurons; ///< required: for each number
    double low;      ///< the first center, default 0
    double high;     ///< the last center, default 1
    double width;    ///< default INFINITY: the distance between centers
} cj_population_code_args;
/** The defaults of cj_population_code_args. */
#define CJ_POPULATION_CODE_DEFAULTS \
    CJ_LAYER_DEFAULTS(cj_population_code_args), .high = 1, .width = INFINITY
/** Sets `args` to CJ_POPULATION_CODE_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_population_code_defaults(cj_population_code_args *args);
/** (..., n) becomes (..., n times neurons). */
CJ_API cj_layer *cj_population_code_new(const cj_population_code_args *args);
#define cj_population_code(...) \
    cj_population_code_new(     \
        &(cj_population_code_args){CJ_POPULATION_CODE_DEFAULTS, ._ = 0, __VA_ARGS__})

/**
 * Writes spikes over time as SVG 1.1: a row for each of at most 200 neurons, a stroke for each spike,
 * and below them the membranes of the first 8, if they are given.
 *
 * @param spikes    float32 (steps, neurons), or (batch, steps, ...), of which the first sample counts
 * @param membranes of the same shape, or NULL for none
 * @param stream    where the SVG is written
 * @return CJ_OK; CJ_INVALID_ARGUMENT (NULL); CJ_SHAPE_MISMATCH; CJ_IO
 */
CJ_API cj_status cj_spikes_plot(const cj_tensor *spikes, const cj_tensor *membranes, FILE *stream);
/**
 * Writes a curve through `count` points as SVG 1.1, such as firing rates over currents (an f-I curve).
 * CJ_INVALID_ARGUMENT if something is NULL, for less than two points, or for one that is not finite;
 * CJ_IO.
 */
CJ_API cj_status cj_curve_plot(const double *x, const double *y, int64_t count, const char *title,
                               FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
