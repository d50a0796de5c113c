// Watching neurons: a model is traced, and each layer of neurons is called once more, as a copy with the same
// numbers that gives its spikes and its membranes.
#include "explain/spike_trains.h"

#include "base/memory.h"
#include "layers/spiking_convert.h"
#include "ops/variable.h"
#include "tensor/tensor.h"

#include <string.h>

static void watch(void *context, cj_layer *layer, const cj__value *inputs, int input_count,
                  const cj__value *outputs, int output_count)
{
    cj__acts *acts = context;
    const cj__neuron_form *form = cj__neuron_form_of(layer);
    (void)outputs, (void)output_count;
    if (!form->kind && (!cj__weighs(layer) || input_count != 1))
        return;
    if (!cj__reserve((void **)&acts->rows, &acts->capacity, acts->count + 1, sizeof *acts->rows)) {
        acts->out_of_memory = true;
        return;
    }
    acts->rows[acts->count++] = (cj__acting){.layer = layer,
                                             .input = inputs[0].symbol,
                                             .neurons = form->kind != NULL,
                                             .fires = form->kind && form->fires,
                                             .plain = input_count == 1 && !inputs[0].mask};
}

cj_status cj__acts_begin(cj__acts *acts, cj_model *model, const cj__type *type, const char *who)
{
    cj__value *outputs = NULL;
    const cj_layer *layer = cj_model_layer(model);
    bool any = false;
    if (cj_model_input_count(model) > 1)
        return cj__fail(CJ_UNSUPPORTED, "%s: %s has %d inputs, needed is one", who, layer->name,
                        cj_model_input_count(model));
    if (cj_model_input_count(model) == 0)
        return cj__fail(CJ_NOT_BUILT, "%s: %s has not been built", who, layer->name);
    acts->trace.watch = watch;
    acts->trace.watch_context = acts;
    acts->input =
        cj__build_keep(&acts->trace.build, cj_symbol_input(type->dtype, type->shape, "x"));
    if (!acts->input)
        return acts->trace.build.status;
    CJ_TRY(cj__model_trace(model, &acts->trace, &acts->input, &outputs));
    acts->trace.watch = NULL;
    for (size_t i = 0; i < acts->count; i++)
        any = any || acts->rows[i].neurons;
    if (acts->out_of_memory)
        return CJ_OUT_OF_MEMORY;
    return any ? CJ_OK :
                 cj__fail(CJ_UNSUPPORTED, "%s: %s has no layer of neurons", who, layer->name);
}

void cj__acts_end(cj__acts *acts)
{
    cj__trace_end(&acts->trace);
    for (size_t i = 0; i < acts->copy_count; i++)
        cj_release(acts->copies[i]);
    cj__free(acts->copies);
    cj__free(acts->rows);
    *acts = (cj__acts){0};
}

// ---- Copies ----

cj_layer *cj__neurons_again(const cj_layer *layer, const char *output, int64_t steps,
                            bool recurrent)
{
    cj__spiking_args *args = cj__copy_bytes(layer->args, layer->kind->choice.args_size);
    if (!args)
        return NULL;
    args->name = layer->name;
    args->output = output;
    args->steps = steps;
    args->return_sequences = true;
    args->return_state = args->stateful = false;
    args->activity_regularizer = NULL;
    args->go_backwards = args->go_backwards && steps == 0;
    if (!recurrent) {
        args->recurrent = "none";
        args->recurrent_bias = false;
    }
    cj_layer *made = cj__layer_new(layer->kind, args);
    cj__free(args);
    return made;
}

static const char *own_name(const cj_variable *variable)
{
    const char *name = cj_variable_name(variable), *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

// One number where the copy has one.
static cj_status assign(cj_variable *to, const cj_variable *from, int64_t neuron)
{
    const cj_tensor *value = cj__variable_read(from);
    cj_tensor *single = NULL;
    if (!value)
        return cj_error_status();
    if (cj__variable_count(to) == cj_tensor_count(value))
        return cj_variable_assign(to, value);
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(1), &single));
    cj_tensor_fill(single, cj__element_get(value->dtype, value->data, neuron));
    const cj_status status = cj_variable_assign(to, single);
    cj_release(single);
    return status;
}

cj_status cj__neurons_copy_numbers(const cj_layer *from, cj_layer *to, int64_t neuron)
{
    for (int i = 0; i < to->variable_count; i++)
        for (int k = 0; k < from->variable_count; k++)
            if (strcmp(own_name(to->variables[i]), own_name(from->variables[k])) == 0)
                CJ_TRY(assign(to->variables[i], from->variables[k], neuron));
    return CJ_OK;
}

cj_status cj__acts_show(cj__acts *acts, cj__acting *row, const char *who)
{
    const cj__spiking_args *a = row->layer->args;
    cj__value *outputs = NULL;
    const cj__value input = {row->input, NULL};
    int count = 0;
    if (!row->plain)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: %s is given states or a mask, with which it cannot be shown", who,
                        row->layer->name);
    if (!cj__reserve((void **)&acts->copies, &acts->copy_capacity, acts->copy_count + 1,
                     sizeof *acts->copies))
        return CJ_OUT_OF_MEMORY;
    cj_layer *copy =
        cj__own(cj__neurons_again(row->layer, row->fires ? "both" : a->output, a->steps, true));
    if (!copy)
        return cj_error_status();
    acts->copies[acts->copy_count++] = copy;
    CJ_TRY(cj__layer_call(copy, &acts->trace, &input, 1, &outputs, &count));
    CJ_TRY(cj__neurons_copy_numbers(row->layer, copy, 0));
    row->spikes = row->fires ? outputs[0].symbol : NULL;
    row->membranes = outputs[row->fires].symbol;
    return CJ_OK;
}
