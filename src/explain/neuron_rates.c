// How often a neuron fires for constant currents: see include/cajal/spike_trains.h. A copy of the layer with one
// neuron runs on a batch of currents.
#include "base/error.h"
#include "explain/spike_trains.h"
#include "ops/build.h"
#include "tensor/tensor.h"

#include <cajal/spike_trains.h>
#include <math.h>

#define WHO "cj_neuron_rates"

enum { MOST_STEPS = 1 << 20 };

static cj_status check(const cj_layer *layer, int64_t neuron, int64_t count, int64_t steps)
{
    const cj__neuron_form *form = cj__neuron_form_of(layer);
    int64_t neurons = 1;
    if (!form->kind || !form->fires)
        return cj__fail(CJ_INVALID_ARGUMENT, WHO ": %s (%s) is no layer of neurons that fire",
                        layer->name, cj_layer_class(layer));
    if (layer->input_count > 0) {
        const cj_shape *x = &layer->input_types[0].shape;
        for (int i = ((const cj__spiking_args *)layer->args)->steps > 0 ? 1 : 2; i < x->rank; i++)
            neurons *= x->dims[i];
    }
    if (neuron < 0 || neuron >= neurons)
        return cj__fail(CJ_INVALID_ARGUMENT, WHO ": neuron %lld of %s, which has %lld",
                        (long long)neuron, layer->name, (long long)neurons);
    if (count < 1 || steps < 1 || steps > MOST_STEPS)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        WHO ": %lld currents for %lld steps, needed are 1 and more, and at most %d "
                            "steps",
                        (long long)count, (long long)steps, (int)MOST_STEPS);
    return CJ_OK;
}

static cj_status run(cj_symbol *input, cj_symbol *sum, const double *currents, double *rates,
                     int64_t count)
{
    cj_tensor *x = NULL, *y = NULL;
    cj_function *function =
        cj_function(.inputs = &input, .input_count = 1, .outputs = &sum, .output_count = 1);
    cj_status status = function ? cj_tensor_new(CJ_F32, CJ_SHAPE(count, 1), &x) : cj_error_status();
    if (status == CJ_OK)
        status = cj_tensor_new(CJ_F32, CJ_SHAPE(count, 1), &y);
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        cj__element_set(CJ_F32, x->data, i, currents[i]);
    if (status == CJ_OK)
        status = cj_function_call(function, &x, &y);
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        rates[i] = cj__element_get(CJ_F32, y->data, i);
    cj_release(x);
    cj_release(y);
    cj_release(function);
    return status;
}

static cj_status trace_and_run(cj__trace *trace, const cj_layer *layer, cj_layer *copy,
                               int64_t neuron, const double *currents, double *rates, int64_t count)
{
    cj__build *g = &trace->build;
    cj__value *outputs = NULL;
    int output_count = 0;
    const cj__value input = {
        cj__build_keep(g, cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 1), "current")), NULL};
    if (!input.symbol)
        return g->status;
    CJ_TRY(cj__layer_call(copy, trace, &input, 1, &outputs, &output_count));
    CJ_TRY(cj__neurons_copy_numbers(layer, copy, neuron));
    cj_symbol *sum = cj__sum(g, outputs[0].symbol, 1u << 1, false);
    return sum ? run(input.symbol, sum, currents, rates, count) : g->status;
}

cj_status cj_neuron_rates(cj_layer *layer, int64_t neuron, const double *currents, double *rates,
                          int64_t count, int64_t steps)
{
    cj__trace trace = {0};
    if (!layer)
        return cj__fail_missing(CJ__MADE_LAYER, WHO ": the layer");
    if (!currents || !rates)
        return cj__fail_null(currents ? WHO ": the rates" : WHO ": the currents");
    CJ_TRY(check(layer, neuron, count, steps));
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(currents[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, WHO ": current %lld is not finite", (long long)i);
    const double dt = ((const cj__spiking_args *)layer->args)->dt;
    const uint64_t begin = cj__causes_begin();
    cj_layer *copy = cj__own(cj__neurons_again(layer, "spikes", steps, false));
    const cj_status status =
        copy ? trace_and_run(&trace, layer, copy, neuron, currents, rates, count) :
               cj_error_status();
    for (int64_t i = 0; status == CJ_OK && i < count; i++)
        rates[i] /= (double)steps * dt;
    cj__trace_end(&trace);
    cj_release(copy);
    return cj__causes_end(begin, status);
}
