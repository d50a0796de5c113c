// RecurrentModel: the model of a step is run by itself, as often as it takes to come to the step that
// is explained, and gives the element.
#include "base/memory.h"
#include "explain/explain.h"
#include "layers/model.h"

#include <cajal/nir.h>
#include <math.h>
#include <stdio.h>

// The model as a function of its inputs, and what it is given and gives in a step. All arrays have
// room for the inputs and outputs of the model.
typedef struct steps {
    cj_model *model;
    cj_function *function;
    int states, inputs, outputs;
    cj_tensor **given, **made;
} steps;

static cj_status begin(steps *s)
{
    cj__trace trace = {.seed = cj__model_seed(s->model)};
    const int count = s->inputs + s->states, made = s->outputs + s->states;
    cj__value *outputs = NULL;
    cj_symbol **in = cj__build_memory(&trace.build, (size_t)(count + made), sizeof *in);
    for (int i = 0; in && i < count; i++)
        in[i] = cj__build_keep(&trace.build, cj__symbol_input(&s->model->input_types[i], "x"));
    cj_status status = trace.build.status;
    if (status == CJ_OK)
        status = cj__model_trace(s->model, &trace, in, &outputs);
    for (int i = 0; status == CJ_OK && i < made; i++)
        in[count + i] = outputs[i].symbol;
    if (status == CJ_OK) {
        s->function = cj_function(.inputs = in, .input_count = count, .outputs = in + count,
                                  .output_count = made);
        status = s->function ? CJ_OK : cj_error_status();
    }
    const cj_status ended = cj__trace_end(&trace);
    return status != CJ_OK ? status : ended;
}

static cj_status new_tensor(const cj__type *type, cj_tensor **tensor)
{
    cj_shape shape = type->shape;
    shape.dims[0] = 1;
    return cj_tensor_new(CJ_F32, shape, tensor);
}

// Tensors for a step. The states before the first are those that last, or the numbers that they begin
// with.
static cj_status first_states(steps *s, const cj__explanation *e)
{
    const cj_recurrent_model_args *a = e->record->layer->args;
    char name[32];
    for (int i = 0; i < s->outputs + s->states; i++)
        CJ_TRY(new_tensor(&s->model->output_types[i], &s->made[i]));
    for (int k = 0; k < s->states; k++) {
        CJ_TRY(new_tensor(&s->model->input_types[s->inputs + k], &s->given[s->inputs + k]));
        cj_tensor *state = s->given[s->inputs + k];
        cj_tensor_fill(state, a->initial_values.count > 0 ? a->initial_values.values[k] : 0);
        snprintf(name, sizeof name, "state_%d", k);
        const cj_tensor *lasting = cj__weight(e->record, name);
        if (lasting)
            CJ_TRY(cj_tensor_copy(state, lasting));
    }
    return CJ_OK;
}

// The step at `time`: its states become those of the next.
static cj_status take_step(steps *s, const cj__explanation *e, int64_t time)
{
    for (int i = 0; i < s->inputs; i++) {
        cj_tensor *entry = NULL;
        cj_release(s->given[i]);
        s->given[i] = NULL;
        CJ_TRY(cj_tensor_slice(e->record->inputs[i], 1, time, 1, &entry));
        const cj_status status = cj_tensor_convert(entry, CJ_F32, &s->given[i]);
        cj_release(entry);
        CJ_TRY(status);
    }
    CJ_TRY(cj_function_call(s->function, s->given, s->made));
    for (int k = 0; k < s->states; k++)
        CJ_TRY(cj_tensor_copy(s->given[s->inputs + k], s->made[s->outputs + k]));
    return CJ_OK;
}

static cj_status derive(steps *s, const cj__explanation *e)
{
    int64_t index[CJ_MAX_RANK] = {0};
    char text[CJ__DIGITS_TEXT];
    const int64_t time = e->index[1];
    CJ_TRY(begin(s));
    CJ_TRY(first_states(s, e));
    for (int64_t t = 0; t <= time; t++)
        CJ_TRY(take_step(s, e, t));
    for (int i = 2; i < cj_tensor_shape(s->made[0])->rank; i++)
        index[i] = e->index[i];
    const double value = cj__element_at(s->made[0], cj__offset_of(s->made[0], index));
    cj__print_line(e, "%s, run step by step from its first states: step %lld gives %s",
                   cj_layer_name(cj_model_layer(s->model)), (long long)time,
                   cj__digits(value, text));
    return cj__conclude_near(e, value, fabs(value));
}

cj_status cj__explain_recurrent_model(cj__explanation *e)
{
    const cj_layer *layer = e->record->layer;
    const cj_recurrent_model_args *a = layer->args;
    cj_model *model = (cj_model *)layer->sublayers[0];
    steps s = {.model = model,
               .states = (int)a->states,
               .inputs = model->input_count - (int)a->states,
               .outputs = model->output_count - (int)a->states};
    const size_t inputs = (size_t)model->input_count, outputs = (size_t)model->output_count;
    s.given = cj__new(inputs + outputs, sizeof(cj_tensor *));
    if (!s.given)
        return CJ_OUT_OF_MEMORY;
    s.made = s.given + inputs;
    const cj_status status = derive(&s, e);
    for (size_t i = 0; i < inputs + outputs; i++)
        cj_release(s.given[i]);
    cj_release(s.function);
    cj__free(s.given);
    return status;
}
