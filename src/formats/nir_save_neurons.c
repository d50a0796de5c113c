// Neurons as nodes of NIR: from the numbers of a step back to the constants of the equations, tau =
// dt / (1 - beta) and r = gain tau / dt.
#include "base/error.h"
#include "formats/nir_save.h"
#include "layers/spiking.h"

#include <string.h>

// Whether a layer's neurons are those that NIR means.
static cj_status check(const cj__nir_saver *s, const cj__neuron *n)
{
    const cj_layer *layer = n->layer;
    const cj__spiking_args *a = n->args;
    const cj__layer_kind *kind = n->form->kind;
    const bool is_threshold = n->reset == CJ__RESET_NONE;
    if (kind == &cj__layer_alpha_lif || kind == &cj__layer_alif || kind == &cj__layer_izhikevich)
        return cj__nir_cannot(layer, "NIR has no such neuron");
    if (a->go_backwards || !a->return_sequences || (a->return_state && !s->looping))
        return cj__nir_cannot(layer, "go_backwards, return_state and return_sequences = false are "
                                     "not what NIR has");
    if (n->form->fires && strcmp(a->output, "spikes") != 0)
        return cj__nir_cannot(layer, "the output of its node is its spikes, not \"%s\"", a->output);
    if (n->initial[0] < 0 || n->initial[0] > 0)
        return cj__nir_cannot(layer, "the membrane does not begin at 0");
    if (!n->form->fires || s->args.approximate)
        return CJ_OK;
    if (n->spike.reached)
        return cj__nir_cannot(layer, "it fires where the threshold is reached, and not above it; "
                                     "approximate = true writes it all the same");
    if (a->refractory > 0)
        return cj__nir_cannot(layer, "it rests after a spike; approximate = true leaves that out");
    if (!is_threshold && (n->reset != CJ__RESET_VALUE || n->next_step))
        return cj__nir_cannot(layer, "its reset is %s%s; approximate = true writes it all the same",
                              n->reset == CJ__RESET_VALUE ? "to a value" : "by subtraction",
                              n->next_step ? " in the step after the spike" : "");
    return CJ_OK;
}

// The numbers of all neurons, in the order here.
static float *numbers_of(cj__nir_saver *s, const cj__neuron *n, cj__neuron_number which,
                         int64_t count)
{
    const float *variable = cj__nir_elements(n->layer, cj__neuron_names[which]);
    const bool each = n->args->per_neuron || n->args->heterogeneous;
    float *values = cj__nir_block(s, (size_t)count, sizeof *values);
    for (int64_t i = 0; values && i < count; i++)
        values[i] = variable ? variable[each ? i : 0] : (float)n->numbers[which];
    return values;
}

typedef struct constants {
    float *tau, *r; // or tau_syn and w_in
    bool whole;     // nothing decays: r alone
} constants;

// tau and r of a decay and a gain; `scaled`: the gain is times 1 - decay.
static cj_status constants_of(cj__nir_saver *s, const cj__neuron *n, bool has_decay, bool scaled,
                              cj__neuron_number decay, cj__neuron_number gain, int64_t count,
                              constants *c)
{
    const float *variable = has_decay ? cj__nir_elements(n->layer, cj__neuron_names[decay]) : NULL;
    const bool each = n->args->per_neuron || n->args->heterogeneous;
    int64_t whole = 0;
    c->r = numbers_of(s, n, gain, count);
    c->tau = cj__nir_block(s, (size_t)count, sizeof *c->tau);
    if (!c->r || !c->tau)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        const double kept = !has_decay ? 1 :
                            variable   ? (double)variable[each ? i : 0] :
                                         n->numbers[decay];
        const double rest = 1 - kept;
        double r = variable || cj__nir_elements(n->layer, cj__neuron_names[gain]) ?
                       (double)c->r[i] :
                       n->numbers[gain];
        whole += !(rest > 0);
        if (rest > 0) {
            c->tau[i] = (float)(s->dt / rest);
            r = scaled ? r : r / rest;
        } else {
            r = scaled ? 0 : s->gathers_whole ? r : r / s->dt;
        }
        c->r[i] = (float)r;
    }
    c->whole = whole == count;
    return whole == 0 || c->whole ?
               CJ_OK :
               cj__nir_cannot(n->layer, "some of its neurons decay and others do not");
}

// ---- Parameters ----

static void put(cj__nir_saver *s, cj__nir_item *item, const char *name, const float *values,
                const cj_shape *sample)
{
    cj__nir_put_floats(s, item, name, values ? cj__nir_turned(s, values, sample) : NULL, sample);
}

static void put_number(cj__nir_saver *s, cj__nir_item *item, const char *name, const cj__neuron *n,
                       cj__neuron_number which, const cj_shape *sample)
{
    put(s, item, name, numbers_of(s, n, which, cj_shape_count(sample)), sample);
}

static cj_status put_neuron(cj__nir_saver *s, const cj__neuron *n, const cj_shape *sample,
                            cj__nir_item *item)
{
    const int64_t count = cj_shape_count(sample);
    const bool cuba = n->form->numbers >> CJ__NEURON_JUMP & 1, fires = n->form->fires;
    const bool decays = n->form->numbers >> CJ__NEURON_BETA & 1;
    constants membrane, synapse;
    CJ_TRY(constants_of(s, n, decays, n->scales, CJ__NEURON_BETA, CJ__NEURON_RESISTANCE, count,
                        &membrane));
    if (cuba)
        CJ_TRY(constants_of(s, n, true, false, CJ__NEURON_ALPHA, CJ__NEURON_JUMP, count, &synapse));
    if (cuba && (membrane.whole || synapse.whole))
        return cj__nir_cannot(n->layer, "a decay of 1 has no time constant");
    cj__nir_put_text(s, item, "type",
                     cuba           ? "CubaLIF" :
                     membrane.whole ? (fires ? "IF" : "I") :
                                      (fires ? "LIF" : "LI"));
    put(s, item, "r", membrane.r, sample);
    if (!membrane.whole) {
        put(s, item, cuba ? "tau_mem" : "tau", membrane.tau, sample);
        put_number(s, item, "v_leak", n, CJ__NEURON_LEAK, sample);
    }
    if (cuba)
        put(s, item, "tau_syn", synapse.tau, sample), put(s, item, "w_in", synapse.r, sample);
    if (fires)
        put_number(s, item, "v_threshold", n, CJ__NEURON_THRESHOLD, sample);
    if (fires)
        put_number(s, item, "v_reset", n, CJ__NEURON_RESET, sample);
    return CJ_OK;
}

static bool all_are(cj__nir_saver *s, const cj__neuron *n, cj__neuron_number which, float wanted,
                    int64_t count)
{
    const float *values = numbers_of(s, n, which, count);
    for (int64_t i = 0; values && i < count; i++)
        if (values[i] < wanted || values[i] > wanted)
            return false;
    return values;
}

// A neuron that holds nothing, is never reset, and knows nothing of its spikes.
static bool is_threshold(cj__nir_saver *s, const cj__neuron *n, const cj_shape *sample)
{
    const int64_t count = cj_shape_count(sample);
    return n->form->kind == &cj__layer_lif && n->reset == CJ__RESET_NONE &&
           strcmp(n->args->recurrent, "none") == 0 && all_are(s, n, CJ__NEURON_BETA, 0, count) &&
           all_are(s, n, CJ__NEURON_RESISTANCE, 1, count) &&
           all_are(s, n, CJ__NEURON_LEAK, 0, count);
}

// ---- Spikes that come back ----

// The node through which they come: a matrix, of one number a neuron its diagonal, or a Scale where
// neurons have several axes.
static cj_status put_return(cj__nir_saver *s, const cj__neuron *n, const cj_shape *sample,
                            cj__nir_item *item)
{
    const int64_t count = cj_shape_count(sample);
    const float *kernel = cj__nir_elements(n->layer, "recurrent_kernel"),
                *bias = cj__nir_elements(n->layer, "recurrent_bias");
    const bool dense = strcmp(n->args->recurrent, "dense") == 0;
    if (sample->rank > 1 && dense)
        return cj__nir_cannot(n->layer, "a dense recurrence over neurons of several axes");
    if (sample->rank > 1) {
        cj__nir_put_text(s, item, "type", "Scale");
        put(s, item, "scale", kernel, sample);
        return CJ_OK;
    }
    float *weight = cj__nir_block(s, (size_t)(count * count), sizeof *weight);
    for (int64_t i = 0; weight && i < count; i++)
        for (int64_t k = 0; k < count; k++)
            weight[i * count + k] = dense ? kernel[k * count + i] : i == k ? kernel[i] : 0;
    cj__nir_put_text(s, item, "type", bias ? "Affine" : "Linear");
    cj__nir_put_floats(s, item, "weight", weight, &CJ_SHAPE(count, count));
    if (bias)
        put(s, item, "bias", bias, sample);
    return CJ_OK;
}

static void put_end(cj__nir_saver *s, cj__nir_item *item, const char *type, const cj_shape *sample)
{
    cj__nir_put_text(s, item, "type", type);
    cj__nir_put_whole(s, item, "shape", sample->dims, sample->rank);
}

// The graph of a neuron, what comes back to it, and two ends, as snnTorch has it.
static cj_status put_graph(cj__nir_saver *s, const cj__neuron *n, const cj_shape *sample,
                           cj__nir_item *neuron, cj__nir_item *graph)
{
    static const char *const edges[] = {"input", "lif", "lif", "w_rec",
                                        "w_rec", "lif", "lif", "output"};
    cj__nir_item parts[4] = {{.count = 0}}, nodes = {.count = 4};
    static const char *const names[] = {"input", "lif", "output", "w_rec"};
    put_end(s, &parts[0], "Input", sample);
    parts[1] = *neuron;
    put_end(s, &parts[2], "Output", sample);
    CJ_TRY(put_return(s, n, sample, &parts[3]));
    for (int i = 0; i < 4; i++) {
        CJ_TRY(cj__nir_close(s, &parts[i], &nodes.members[i]));
        nodes.members[i].name = names[i];
    }
    cj__nir_put_text(s, graph, "type", "NIRGraph");
    graph->members[graph->count] = (cj__hdf5_item){
        .name = "edges", .kind = CJ__HDF5_TEXT, .rank = 2, .dims = {4, 2}, .texts = edges};
    graph->count++;
    CJ_TRY(cj__nir_close(s, &nodes, &graph->members[graph->count]));
    graph->members[graph->count++].name = "nodes";
    return CJ_OK;
}

cj_status cj__nir_save_neuron(cj__nir_saver *s, cj_layer *layer, const cj__nir_value *x,
                              cj__nir_value *y)
{
    cj__neuron n;
    cj__nir_item item = {.count = 0}, graph = {.count = 0};
    CJ_TRY(cj__neuron_of(layer, &n));
    CJ_TRY(check(s, &n));
    if (is_threshold(s, &n, &x->sample)) {
        cj__nir_put_text(s, &item, "type", "Threshold");
        put_number(s, &item, "threshold", &n, CJ__NEURON_THRESHOLD, &x->sample);
        return cj__nir_add(s, s->name, &item, x, y);
    }
    if (n.reset == CJ__RESET_NONE && n.form->fires && !s->args.approximate)
        return cj__nir_cannot(layer, "it is never reset");
    CJ_TRY(put_neuron(s, &n, &x->sample, &item));
    if (strcmp(n.args->recurrent, "none") == 0)
        return cj__nir_add(s, s->name, &item, x, y);
    CJ_TRY(put_graph(s, &n, &x->sample, &item, &graph));
    return cj__nir_add(s, s->name, &graph, x, y);
}
