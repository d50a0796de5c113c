// Neurons of NIR as layers of spiking.h, by Euler steps: tau dv/dt = v_leak - v + R I is
// v = (1 - dt / tau) v + dt / tau (v_leak + R I). Numbers that all neurons of a node share become
// settings; others become variables of the layer, one a neuron.
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "formats/nir.h"
#include "layers/spiking.h"
#include <cajal/convolutions.h>
#include <cajal/reshaping.h>
#include <cajal/spatial.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

// One parameter, of each neuron in the order here, or the same of all.
typedef struct numbers {
    double *at; // NULL: `same`
    double same;
} numbers;

// What a neuron of Cajal needs. CJ__NEURON_RESISTANCE is the whole gain of the input.
typedef struct neurons {
    int64_t count;
    numbers of[CJ__NEURON_NUMBERS];
} neurons;

static double at(const numbers *n, int64_t i)
{
    return n->at ? n->at[i] : n->same;
}

static void free_numbers(numbers *list, int count)
{
    for (int i = 0; i < count; i++)
        cj__free(list[i].at);
}

// ---- Parameters ----

// The place in a parameter of the element of a sample of NIR, by NumPy's rule of axes that are
// missing or 1; -1 where they do not fit.
static int64_t broadcast_place(const cj__hdf5_object *o, const cj_shape *sample, int64_t place)
{
    int64_t result = 0, step = 1;
    for (int i = 0; i < sample->rank; i++) {
        const int64_t length = sample->dims[sample->rank - 1 - i], index = place % length;
        place /= length;
        if (i >= o->rank)
            continue;
        const int64_t own = (int64_t)o->dims[o->rank - 1 - i];
        if (own != length && own != 1)
            return -1;
        result += own == 1 ? 0 : index * step;
        step *= own;
    }
    return o->rank <= sample->rank ? result : -1;
}

// Reads a parameter for the neurons of a sample; `standard` where it is not there, unless that is NAN.
static cj_status read_parameter(cj__nir_builder *b, const cj__nir_node *node,
                                const cj_shape *sample, const char *name, double standard,
                                numbers *n)
{
    const cj__hdf5_object *o;
    double *values;
    const int64_t count = cj_shape_count(sample);
    *n = (numbers){.same = standard};
    if (!isnan(standard) && !cj__nir_parameter(node, name, false))
        return CJ_OK;
    CJ_TRY(cj__nir_numbers(b, node, name, &o, &values));
    cj_status status = CJ_OK;
    bool all_same = o->count > 0;
    for (uint64_t i = 0; status == CJ_OK && i < o->count; i++) {
        all_same = all_same && values[i] >= values[0] && values[i] <= values[0];
        if (!isfinite(values[i])) {
            cj__nir_refuse(node, CJ_BAD_FILE, "\"%s\" is not finite everywhere", name);
            status = CJ_BAD_FILE;
        }
    }
    if (status == CJ_OK && (broadcast_place(o, sample, 0) < 0 || o->count == 0)) {
        char text[160];
        cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                       "\"%s\", of %llu numbers, does not fit what comes to it, %s", name,
                       (unsigned long long)o->count, cj_shape_text(sample, text, sizeof text));
        status = CJ_SHAPE_MISMATCH;
    }
    n->same = status == CJ_OK ? values[0] : 0;
    if (status == CJ_OK && !all_same)
        status = cj__nir_afford(b, node, count);
    if (status == CJ_OK && !all_same) {
        n->at = cj__new((size_t)count, sizeof *n->at);
        status = n->at ? CJ_OK : CJ_OUT_OF_MEMORY;
        for (int64_t i = 0; n->at && i < count; i++)
            n->at[i] = values[broadcast_place(o, sample, cj__nir_place(sample, i))];
    }
    cj__free(values);
    return status;
}

// What becomes of parameters; a NULL in the place of one is 1.
typedef double formula(double dt, double a, double c);

static double decay_of(double dt, double tau, double unused)
{
    (void)unused;
    return fmax(0, 1 - dt / tau);
}

// A gain that differs from 1 by the rounding of float32 alone was 1 before it was written.
static double snap(double gain)
{
    return fabs(gain - 1) < 1e-6 ? 1 : gain;
}

static double gain_of(double dt, double tau, double r)
{
    return snap(r * dt / tau);
}

static double step_gain(double dt, double unused, double r)
{
    (void)unused;
    return snap(r * dt);
}

static double whole_gain(double dt, double unused, double r)
{
    (void)dt, (void)unused;
    return r;
}

static cj_status combine(formula *f, double dt, const numbers *a, const numbers *c, int64_t count,
                         numbers *result)
{
    const numbers one = {.same = 1};
    a = a ? a : &one, c = c ? c : &one;
    *result = (numbers){.same = f(dt, a->same, c->same)};
    if (!a->at && !c->at)
        return CJ_OK;
    result->at = cj__new((size_t)count, sizeof *result->at);
    for (int64_t i = 0; result->at && i < count; i++)
        result->at[i] = f(dt, at(a, i), at(c, i));
    return result->at ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status need_long(const cj__nir_builder *b, const cj__nir_node *node, const char *name,
                           const numbers *tau, int64_t count)
{
    for (int64_t i = 0; i < (tau->at ? count : 1); i++) {
        // Taus are floats of 32 bits, so one of a whole step may be a little less.
        if (at(tau, i) > 0 && at(tau, i) >= b->dt * (1 - 1e-6))
            continue;
        char given[CJ__NUMBER_TEXT], step[CJ__NUMBER_TEXT];
        cj__nir_refuse(node, CJ_UNSUPPORTED,
                       "its \"%s\" is %s seconds, less than a step dt of %s: take a smaller dt",
                       name, cj__number_text(at(tau, i), given), cj__number_text(b->dt, step));
        return CJ_UNSUPPORTED;
    }
    return CJ_OK;
}

// ---- The numbers of a node ----

// A row for each type: the parameters' names there, NULL for none.
typedef struct neuron_type {
    const char *type, *tau, *tau_syn;
    bool leaks, fires;
    const char *resistance;
} neuron_type;

static const neuron_type types[] = {
    {"LIF", "tau", NULL, true, true, "r"},
    {"LI", "tau", NULL, true, false, "r"},
    {"CubaLIF", "tau_mem", "tau_syn", true, true, "r"},
    {"CubaLI", "tau_mem", "tau_syn", true, false, "r"},
    {"IF", NULL, NULL, false, true, "r"},
    {"I", NULL, NULL, false, false, "r"},
    {"Threshold", NULL, NULL, false, true, NULL},
};

static const neuron_type *type_of(const cj__nir_node *node)
{
    const neuron_type *type = types;
    while (strcmp(type->type, node->kind->type) != 0)
        type++;
    return type;
}

static cj_status read_synapse(cj__nir_builder *b, const cj__nir_node *node, const cj_shape *sample,
                              neurons *n)
{
    numbers tau = {0}, weight = {0};
    cj_status status = read_parameter(b, node, sample, "tau_syn", NAN, &tau);
    if (status == CJ_OK)
        status = read_parameter(b, node, sample, "w_in", 1, &weight);
    if (status == CJ_OK)
        status = need_long(b, node, "tau_syn", &tau, n->count);
    if (status == CJ_OK)
        status = combine(decay_of, b->dt, &tau, NULL, n->count, &n->of[CJ__NEURON_ALPHA]);
    if (status == CJ_OK)
        status = combine(b->as.jumps_whole ? whole_gain : gain_of, b->dt, &tau, &weight, n->count,
                         &n->of[CJ__NEURON_JUMP]);
    free_numbers(&tau, 1), free_numbers(&weight, 1);
    return status;
}

static cj_status read_membrane(cj__nir_builder *b, const cj__nir_node *node, const cj_shape *sample,
                               const neuron_type *type, neurons *n)
{
    numbers tau = {0}, r = {.same = 1};
    cj_status status = CJ_OK;
    if (type->tau)
        status = read_parameter(b, node, sample, type->tau, NAN, &tau);
    if (status == CJ_OK && type->tau)
        status = need_long(b, node, type->tau, &tau, n->count);
    if (status == CJ_OK && type->resistance)
        status = read_parameter(b, node, sample, type->resistance, NAN, &r);
    if (status == CJ_OK && type->tau)
        status = combine(decay_of, b->dt, &tau, NULL, n->count, &n->of[CJ__NEURON_BETA]);
    if (status == CJ_OK && type->resistance)
        status =
            combine(type->tau           ? gain_of :
                    b->as.gathers_whole ? whole_gain :
                                          step_gain,
                    b->dt, type->tau ? &tau : NULL, &r, n->count, &n->of[CJ__NEURON_RESISTANCE]);
    free_numbers(&tau, 1), free_numbers(&r, 1);
    return status;
}

static cj_status read_neurons(cj__nir_builder *b, const cj__nir_node *node, const cj_shape *sample,
                              const neuron_type *type, neurons *n)
{
    *n = (neurons){.count = cj_shape_count(sample)};
    n->of[CJ__NEURON_BETA].same = strcmp(type->type, "Threshold") == 0 ? 0 : 1;
    n->of[CJ__NEURON_RESISTANCE].same = 1;
    CJ_TRY(read_membrane(b, node, sample, type, n));
    if (type->tau_syn)
        CJ_TRY(read_synapse(b, node, sample, n));
    if (type->leaks)
        CJ_TRY(read_parameter(b, node, sample, "v_leak", NAN, &n->of[CJ__NEURON_LEAK]));
    if (!type->fires)
        return CJ_OK;
    const bool plain = !type->resistance;
    CJ_TRY(read_parameter(b, node, sample, plain ? "threshold" : "v_threshold", NAN,
                          &n->of[CJ__NEURON_THRESHOLD]));
    return plain ? CJ_OK : read_parameter(b, node, sample, "v_reset", 0, &n->of[CJ__NEURON_RESET]);
}

// ---- Layers ----

// Whether numbers differ from neuron to neuron, or are such as settings refuse: a threshold that is
// not above the reset.
static bool is_heterogeneous(const neurons *n, const neuron_type *type)
{
    bool found = false;
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++)
        found = found || n->of[i].at;
    return found || (type->fires && type->resistance &&
                     !(n->of[CJ__NEURON_THRESHOLD].same > n->of[CJ__NEURON_RESET].same));
}

static const cj__layer_kind *kind_of(const neuron_type *type)
{
    if (!type->fires)
        return &cj__layer_leaky_integrator;
    return type->tau_syn                          ? &cj__layer_cuba_lif :
           !type->tau && type->resistance != NULL ? &cj__layer_integrate_fire :
                                                    &cj__layer_lif;
}

// The setting `key` of arguments of that kind.
static void set_number(const cj__layer_kind *kind, void *args, const char *key, double value)
{
    for (int i = 0; i < kind->choice.field_count; i++)
        if (strcmp(kind->choice.fields[i].key, key) == 0)
            memcpy((char *)args + kind->choice.fields[i].offset, &value, sizeof value);
}

// The settings that all neurons have.
static void fill_args(const cj__nir_builder *b, const cj__nir_node *node, const neuron_type *type,
                      bool heterogeneous, const neurons *n, cj__spiking_args *args)
{
    const cj__layer_kind *kind = kind_of(type);
    const bool decays = kind != &cj__layer_integrate_fire;
    args->name = node->name;
    args->preset = b->as.preset;
    args->stateful = b->args.stateful && !b->loop;
    args->return_state = b->loop != NULL;
    args->heterogeneous = heterogeneous;
    if (decays) {
        args->beta = n->of[CJ__NEURON_BETA].at ? 1 : n->of[CJ__NEURON_BETA].same;
        args->input_scale = "none";
        args->learn_beta = b->args.learn_neurons && type->tau;
    }
    args->resistance = heterogeneous ? 1 : n->of[CJ__NEURON_RESISTANCE].same;
    if (type->leaks)
        args->v_leak = heterogeneous ? 0 : n->of[CJ__NEURON_LEAK].same;
    if (kind == &cj__layer_cuba_lif) {
        set_number(kind, args, "alpha", heterogeneous ? 1 : n->of[CJ__NEURON_ALPHA].same);
        set_number(kind, args, "synapse_gain", heterogeneous ? 1 : n->of[CJ__NEURON_JUMP].same);
    }
    if (!type->fires)
        return;
    args->surrogate = b->args.surrogate;
    args->threshold = heterogeneous ? 1 : n->of[CJ__NEURON_THRESHOLD].same;
    args->v_reset = heterogeneous ? 0 : n->of[CJ__NEURON_RESET].same;
    args->learn_threshold = b->args.learn_neurons;
    args->reset = type->resistance ? NULL : "none";
    if (node->returns)
        args->recurrent = strcmp(node->returns->kind->type, "Scale") == 0 ? "one_to_one" : "dense";
    else if (node->loops)
        args->recurrent = "one_to_one", args->recurrent_initializer = "ones";
    args->recurrent_bias = node->returns && strcmp(node->returns->kind->type, "Affine") == 0;
}

static cj_layer *make_layer(const cj__nir_builder *b, const cj__nir_node *node,
                            const neuron_type *type, const neurons *n)
{
    const cj__layer_kind *kind = kind_of(type);
    union {
        cj__spiking_args common;
        cj_lif_args lif;
        cj_cuba_lif_args cuba;
    } args;
    memcpy(&args, kind->choice.defaults, kind->choice.args_size);
    fill_args(b, node, type, is_heterogeneous(n, type), n, &args.common);
    return cj__layer_new(kind, &args);
}

// Gives the variables of a heterogeneous layer their numbers.
static cj_status set_numbers(cj__nir_builder *b, const cj_layer *layer, const neurons *n)
{
    for (int i = 0; i < CJ__NEURON_NUMBERS; i++) {
        if (!(cj__neuron_form_of(layer)->numbers >> i & 1))
            continue;
        double *copy = cj__new((size_t)n->count, sizeof *copy);
        for (int64_t k = 0; copy && k < n->count; k++)
            copy[k] = at(&n->of[i], k);
        if (!copy)
            return CJ_OUT_OF_MEMORY;
        CJ_TRY(cj__nir_set(b, layer, cj__neuron_names[i], copy));
    }
    return CJ_OK;
}

// ---- Spikes that come back ----

// A matrix (neurons, neurons), turned; or a number for each neuron.
static cj_status set_recurrence(cj__nir_builder *b, const cj__nir_node *node, const cj_layer *layer,
                                const cj_shape *sample)
{
    const bool scale = strcmp(node->kind->type, "Scale") == 0;
    const cj__hdf5_object *object;
    const int64_t count = cj_shape_count(sample);
    double *values, *turned;
    values = NULL;
    CJ_TRY(cj__nir_numbers(b, node, scale ? "scale" : "weight", &object, &values));
    const bool fits = scale ? object->count == (uint64_t)count :
                              sample->rank == 1 && object->rank == 2 &&
                                  object->dims[0] == (uint64_t)count &&
                                  object->dims[1] == object->dims[0];
    turned = fits ? cj__new((size_t)object->count, sizeof *turned) : NULL;
    for (int64_t i = 0; turned && i < (int64_t)object->count; i++)
        turned[i] = values[scale ? cj__nir_place(sample, i) : i % count * count + i / count];
    cj__free(values);
    if (turned)
        return cj__nir_set(b, layer, "recurrent_kernel", turned);
    if (fits)
        return CJ_OUT_OF_MEMORY;
    cj__nir_refuse(node, CJ_SHAPE_MISMATCH,
                   "it leads %lld neurons back to themselves, and its numbers are not as many",
                   (long long)count);
    return CJ_SHAPE_MISMATCH;
}

static cj_status set_recurrent_bias(cj__nir_builder *b, const cj__nir_node *node,
                                    const cj_layer *layer, int64_t count)
{
    const cj__hdf5_object *object;
    double *values;
    CJ_TRY(cj__nir_numbers(b, node, "bias", &object, &values));
    if (object->count == (uint64_t)count)
        return cj__nir_set(b, layer, "recurrent_bias", values);
    cj__free(values);
    cj__nir_refuse(node, CJ_SHAPE_MISMATCH, "\"bias\" has %llu numbers, needed are %lld",
                   (unsigned long long)object->count, (long long)count);
    return CJ_SHAPE_MISMATCH;
}

static cj_status set_returns(cj__nir_builder *b, const cj__nir_node *node, const cj_layer *layer,
                             const cj_shape *sample)
{
    if (!node->returns)
        return CJ_OK;
    CJ_TRY(set_recurrence(b, node->returns, layer, sample));
    return strcmp(node->returns->kind->type, "Affine") == 0 ?
               set_recurrent_bias(b, node->returns, layer, cj_shape_count(sample)) :
               CJ_OK;
}

// ---- Nodes ----

// A CubaLI is two integrators, one after the other: the synapse's current, and the membrane.
static cj_symbol *make_synapse(cj__nir_builder *b, const cj__nir_node *node, const neurons *n,
                               cj_symbol *x)
{
    static const neuron_type type = {"LI", "tau_syn", NULL, true, false, "w_in"};
    char name[200];
    cj__nir_node part = *node;
    neurons synapse = {.count = n->count};
    synapse.of[CJ__NEURON_BETA] = n->of[CJ__NEURON_ALPHA];
    synapse.of[CJ__NEURON_RESISTANCE] = n->of[CJ__NEURON_JUMP];
    snprintf(name, sizeof name, "%.150s_synapse", node->name);
    part.name = name;
    cj_layer *layer = make_layer(b, &part, &type, &synapse);
    cj_symbol *y = cj__nir_apply(b, layer, x);
    return y && is_heterogeneous(&synapse, &type) ?
               cj__nir_made(y, set_numbers(b, layer, &synapse)) :
               y;
}

cj_symbol *cj__nir_make_neuron(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    const neuron_type *type = type_of(node);
    neurons n;
    cj_shape sample;
    cj_symbol *y = NULL;
    cj__nir_sample(x, &sample);
    if (read_neurons(b, node, &sample, type, &n) == CJ_OK) {
        const bool heterogeneous = is_heterogeneous(&n, type);
        if ((heterogeneous || node->loops) && cj__nir_afford(b, node, 8 * n.count) != CJ_OK) {
            free_numbers(n.of, CJ__NEURON_NUMBERS);
            return NULL;
        }
        if (type->tau_syn && !type->fires)
            x = make_synapse(b, node, &n, x);
        cj_layer *layer = make_layer(b, node, type, &n);
        y = cj__nir_apply(b, layer, x);
        cj_status status = y && heterogeneous ? set_numbers(b, layer, &n) : CJ_OK;
        if (y && status == CJ_OK)
            status = set_returns(b, node, layer, &sample);
        y = cj__nir_made(y, status);
    }
    free_numbers(n.of, CJ__NEURON_NUMBERS);
    return y;
}

// ---- Delay ----

// One delay for all is a layer. Different ones are a convolution over time, in which each neuron has a
// kernel that is 1 at its delay.
static cj_symbol *make_delays(cj__nir_builder *b, const cj__nir_node *node, const numbers *steps,
                              const cj_shape *sample, cj_symbol *x)
{
    char name[200];
    const cj_shape shape = *cj_symbol_shape(x);
    const int64_t count = cj_shape_count(sample);
    int64_t most = 0;
    for (int64_t i = 0; i < count; i++)
        most = (int64_t)steps->at[i] > most ? (int64_t)steps->at[i] : most;
    if (most > 4096)
        return cj__nir_refuse(node, CJ_UNSUPPORTED,
                              "delays that differ and are longer than 4096 steps");
    if (cj__nir_afford(b, node, (most + 1) * count) != CJ_OK)
        return NULL;
    cj_reshape_args flat = {CJ_RESHAPE_DEFAULTS, .target_shape = {-1, count}},
                    back = {CJ_RESHAPE_DEFAULTS, .target_shape = {-1}};
    for (int i = 2; i < shape.rank; i++)
        back.target_shape[i - 1] = shape.dims[i];
    if (sample->rank > 1) {
        snprintf(name, sizeof name, "%.150s_flat", node->name);
        flat.name = name;
        x = cj_apply(cj_reshape_new(&flat), x);
    }
    snprintf(name, sizeof name, "%.150s_zeros", node->name);
    x = cj_apply(cj_zero_padding1d({most, 0}, .name = name), x);
    cj_layer *layer =
        cj_depthwise_conv1d(most + 1, .use_bias = false, .trainable = false, .name = node->name);
    cj_symbol *y = cj_apply(layer, x);
    double *kernel = y ? cj__new((size_t)((most + 1) * count), sizeof *kernel) : NULL;
    for (int64_t i = 0; kernel && i < count; i++)
        kernel[(most - (int64_t)steps->at[i]) * count + i] = 1;
    y = y ? cj__nir_made(y, kernel ? cj__nir_set(b, layer, "kernel", kernel) : CJ_OUT_OF_MEMORY) :
            NULL;
    if (!y)
        return NULL;
    if (sample->rank == 1)
        return y;
    snprintf(name, sizeof name, "%.150s_shape", node->name);
    back.name = name;
    return cj_apply(cj_reshape_new(&back), y);
}

static double steps_of(double dt, double delay, double unused)
{
    (void)unused;
    return round(delay / dt);
}

// Within a cycle what a delay gives is read one step later: the last of its steps.
static cj_symbol *make_inner_delay(cj__nir_builder *b, const cj__nir_node *node, int64_t steps,
                                   cj_symbol *x)
{
    const int64_t held = steps - node->delays;
    const double zero = 0;
    cj_shape shape = *cj_symbol_shape(x);
    for (int i = 1; i < shape.rank; i++)
        shape.dims[i - 1] = shape.dims[i];
    shape.rank--, shape.dims[0] = held;
    cj_layer *layer = cj_delay(held, .name = node->name, .return_state = held > 0);
    return held > 0 ? cj__nir_apply_state(b, layer, x, 1, &shape, &zero) : cj_apply(layer, x);
}

cj_symbol *cj__nir_make_delay(cj__nir_builder *b, const cj__nir_node *node, cj_symbol *x)
{
    numbers delay = {0}, steps = {0};
    cj_shape sample;
    cj_symbol *y = NULL;
    cj__nir_sample(x, &sample);
    const int64_t count = cj_shape_count(&sample);
    cj_status status = read_parameter(b, node, &sample, "delay", NAN, &delay);
    if (status == CJ_OK)
        status = combine(steps_of, b->dt, &delay, NULL, count, &steps);
    for (int64_t i = 0; status == CJ_OK && i < (steps.at ? count : 1); i++)
        if (!(at(&steps, i) >= 0 && at(&steps, i) <= 1 << 20)) {
            char text[CJ__NUMBER_TEXT];
            cj__nir_refuse(node, CJ_UNSUPPORTED, "a delay of %s steps of dt; 0 to %d are run",
                           cj__number_text(at(&steps, i), text), 1 << 20);
            status = CJ_UNSUPPORTED;
        }
    if (status == CJ_OK && steps.at && b->loop)
        cj__nir_refuse(node, CJ_UNSUPPORTED, "delays that differ cannot be part of a cycle");
    else if (status == CJ_OK && b->loop)
        y = make_inner_delay(b, node, (int64_t)steps.same, x);
    else if (status == CJ_OK && steps.at && b->args.stateful)
        cj__nir_refuse(node, CJ_UNSUPPORTED, "delays that differ cannot be stateful");
    else if (status == CJ_OK && steps.at)
        y = make_delays(b, node, &steps, &sample, x);
    else if (status == CJ_OK)
        y = cj_apply(
            cj_delay((int64_t)steps.same, .name = node->name, .stateful = b->args.stateful), x);
    free_numbers(&delay, 1), free_numbers(&steps, 1);
    return y;
}
