// Tracing a model: its applications in order, each on the outputs of those before it.
#include "base/memory.h"
#include "layers/model.h"
#include <string.h>

typedef struct tracing {
    cj_model *model;
    cj__trace *trace;
    cj__value **values; // the outputs of each application
    bool settling;      // the model is being built: record the types of outputs
    bool again;         // for other lengths: note which lengths of outputs depend on them
} tracing;

static cj_status trace_node(tracing *t, const cj__application *a, const cj__value *inputs,
                            cj__value *outputs)
{
    cj__build *g = &t->trace->build;
    const cj__node *node = a->node;
    cj_symbol **symbols = cj__value_symbols(g, inputs, a->input_count);
    cj_symbol **made = cj__build_memory(g, (size_t)node->output_count, sizeof *made);
    if (!symbols || !made)
        return g->status;
    if (node->variable)
        made[0] = cj__trace_variable(t->trace, node->variable);
    else if (node->op->flags & CJ__OP_LEAF)
        made[0] = cj__node_output(g, node, 0);
    else
        cj__append_like(g, node, symbols, made);
    for (int i = 0; i < node->output_count; i++)
        outputs[i] = (cj__value){made[i], i == 0 && a->input_count > 0 ? inputs[0].mask : NULL};
    return g->status;
}

// Marks the lengths that are other than noted as free.
static cj_status compare_outputs(const tracing *t, cj__type *noted, const cj__value *outputs,
                                 int count)
{
    for (int i = 0; i < count; i++) {
        const cj_shape *now = cj_symbol_shape(outputs[i].symbol);
        if (now->rank != noted[i].shape.rank)
            return cj__fail(CJ_SHAPE_MISMATCH, "%s: the number of axes depends on a free length",
                            t->model->layer.name);
        for (int axis = 1; axis < now->rank; axis++)
            if (now->dims[axis] != noted[i].shape.dims[axis])
                noted[i].shape.dims[axis] = CJ_ANY;
    }
    return CJ_OK;
}

static cj_status note_outputs(cj__application *a, const cj__value *outputs, int count)
{
    cj__type *types = cj__new((size_t)count, sizeof *types);
    if (!types)
        return CJ_OUT_OF_MEMORY;
    for (int i = 0; i < count; i++)
        types[i] = *cj__symbol_type(outputs[i].symbol);
    cj__free(a->output_types);
    a->output_types = types;
    a->output_count = count;
    return CJ_OK;
}

static cj_status trace_application(tracing *t, int index)
{
    cj__application *a = &t->model->applications[index];
    cj__build *g = &t->trace->build;
    int count = a->node ? a->node->output_count : 1;
    cj__value *inputs = cj__build_memory(g, (size_t)a->input_count, sizeof *inputs);
    cj__value *outputs = cj__build_memory(g, (size_t)count, sizeof *outputs);
    if (!inputs || !outputs)
        return g->status;
    for (int i = 0; i < a->input_count; i++) {
        if (a->input_index[i] >= t->model->applications[a->input_app[i]].output_count)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: an input of %s is missing",
                            t->model->layer.name, a->layer ? a->layer->name : a->node->op->name);
        inputs[i] = t->values[a->input_app[i]][a->input_index[i]];
    }
    CJ_TRY(a->node ? trace_node(t, a, inputs, outputs) :
                     cj__layer_call_with(a->layer, t->trace, a->settings, inputs, a->input_count,
                                         &outputs, &count));
    if (t->settling)
        CJ_TRY(note_outputs(a, outputs, count));
    if (t->again)
        CJ_TRY(compare_outputs(t, a->output_types, outputs, count));
    t->values[index] = outputs;
    return CJ_OK;
}

static cj_status check_input(const cj_model *model, int index, const cj_symbol *symbol)
{
    const cj_shape *need = &model->input_types[index].shape, *given = cj_symbol_shape(symbol);
    char need_text[CJ__SHAPE_WORDS], given_text[CJ__SHAPE_WORDS];
    bool fits = need->rank == given->rank;
    for (int i = 0; fits && i < need->rank; i++)
        fits = need->dims[i] == given->dims[i] || need->dims[i] == CJ_BATCH ||
               given->dims[i] == CJ_BATCH || (i > 0 && model->implied);
    if (fits)
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: input %d has shape %s, needs %s", model->layer.name,
                    index, cj_shape_text(given, given_text, sizeof given_text),
                    cj_shape_text(need, need_text, sizeof need_text));
}

static cj_status trace_all(tracing *t, const cj__value *inputs, cj__value *outputs)
{
    cj_model *model = t->model;
    for (int i = 0; i < model->input_count; i++) {
        cj__value value = inputs[i];
        CJ_TRY(check_input(model, i, value.symbol));
        if (cj_symbol_dtype(value.symbol) != model->input_types[i].dtype)
            value.symbol = cj__cast(&t->trace->build, value.symbol, model->input_types[i].dtype);
        if (!value.symbol)
            return t->trace->build.status;
        cj__value *own = cj__build_memory(&t->trace->build, 1, sizeof *own);
        if (!own)
            return CJ_OUT_OF_MEMORY;
        *own = value;
        t->values[model->input_at[i]] = own;
        if (t->settling)
            CJ_TRY(note_outputs(&model->applications[model->input_at[i]], &value, 1));
    }
    for (int i = 0; i < model->application_count; i++)
        if (!t->values[i])
            CJ_TRY(trace_application(t, i));
    for (int i = 0; i < model->output_count; i++)
        outputs[i] = t->values[model->output_at[i]][model->output_index[i]];
    return t->trace->build.status;
}

static cj_status trace_model(cj_model *model, cj__trace *trace, bool settling, bool again,
                             const cj__value *inputs, cj__value *outputs)
{
    tracing t = {.model = model, .trace = trace, .settling = settling, .again = again};
    t.values = cj__new((size_t)model->application_count, sizeof *t.values);
    if (!t.values)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = trace_all(&t, inputs, outputs);
    cj__free(t.values);
    if (trace->build.status == CJ_OK)
        trace->build.status = status;
    return status;
}

cj_status cj__model_call(cj__layer_context *c)
{
    cj_model *model = (cj_model *)(void *)c->layer;
    if (c->input_count != model->input_count)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", c->layer->name,
                        c->input_count, model->input_count);
    CJ_TRY(cj__layer_outputs(c, model->output_count));
    return trace_model(model, c->trace, false, false, c->inputs, c->outputs);
}

cj_status cj__model_trace(cj_model *model, cj__trace *trace, cj_symbol *const *inputs,
                          cj__value **outputs)
{
    if (!model->layer.built)
        return cj__fail(CJ_NOT_BUILT,
                        "%s: the model has no input shape yet: give it an input layer or data",
                        model->layer.name);
    trace->running = true;
    cj__build *g = &trace->build;
    cj__value *values = cj__build_memory(g, (size_t)model->input_count, sizeof *values);
    *outputs = cj__build_memory(g, (size_t)model->output_count, sizeof **outputs);
    if (!values || !*outputs)
        return g->status;
    for (int i = 0; i < model->input_count; i++)
        values[i] = cj__symbol_value(inputs[i]);
    return trace_model(model, trace, false, false, values, *outputs);
}

// Traces the model with one length in the place of those that are free; `again` for another one.
static cj_status settle(cj_model *model, int64_t length, bool again)
{
    cj__trace trace = {0};
    cj__build *g = &trace.build;
    cj__value *inputs = cj__build_memory(g, (size_t)model->input_count, sizeof *inputs);
    cj__value *outputs = cj__build_memory(g, (size_t)model->output_count, sizeof *outputs);
    cj_status status = g->status;
    for (int i = 0; status == CJ_OK && i < model->input_count; i++) {
        const cj_layer *input = model->applications[model->input_at[i]].layer;
        cj__input_type(input, &model->input_types[i]);
        const cj__type type = cj__type_of_length(&model->input_types[i], length);
        inputs[i] = (cj__value){
            cj__build_keep(&trace.build, cj_symbol_input(type.dtype, type.shape, input->name)),
            NULL};
        if (!inputs[i].symbol)
            status = trace.build.status;
    }
    if (status == CJ_OK)
        status = trace_model(model, &trace, !again, again, inputs, outputs);
    for (int i = 0; status == CJ_OK && i < model->output_count && !again; i++)
        model->output_types[i] = *cj__symbol_type(outputs[i].symbol);
    tracing t = {.model = model};
    for (int i = 0; status == CJ_OK && i < model->output_count && again; i++)
        status = compare_outputs(&t, &model->output_types[i], &outputs[i], 1);
    cj__trace_end(&trace);
    return status;
}

cj_status cj__model_settle(cj_model *model)
{
    bool is_free = false;
    cj_status status = settle(model, CJ__LENGTH, false);
    for (int i = 0; i < model->input_count; i++)
        is_free = is_free || cj__type_is_free(&model->input_types[i]);
    if (status == CJ_OK && is_free)
        status = settle(model, CJ__OTHER_LENGTH, true);
    if (status != CJ_OK && is_free)
        cj__fail_in(status, "%s, whose input leaves a length free (tried are %d and %d)",
                    model->layer.name, (int)CJ__LENGTH, (int)CJ__OTHER_LENGTH);
    for (int i = 0; status == CJ_OK && i < model->input_count; i++) // as it was given
        model->applications[model->input_at[i]].output_types[0] = model->input_types[i];
    model->layer.built = status == CJ_OK;
    return status;
}
