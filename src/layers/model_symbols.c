// The symbols of a model's inputs, layers and outputs. A model keeps the types of its applications
// only; the symbols are made again, by applying the same layers, when they are first asked for.
#include "base/memory.h"
#include "layers/model.h"

static cj_status apply_node(const cj__application *a, cj_symbol *const *inputs, cj_symbol **outputs)
{
    cj__build g = {0};
    if (a->node->op->flags & CJ__OP_LEAF)
        outputs[0] = cj__node_output(&g, a->node, 0);
    else
        cj__append_like(&g, a->node, inputs, outputs);
    for (int i = 0; i < a->output_count; i++)
        cj_retain(outputs[i] = g.status == CJ_OK ? outputs[i] : NULL);
    return cj__build_end(&g);
}

static cj_status apply_layer(const cj__application *a, cj_symbol *const *inputs,
                             cj_symbol **outputs)
{
    cj_status status = CJ_OK;
    if (a->input_count == 0)
        outputs[0] = cj__input_symbol_of(a->layer);
    else
        status =
            cj__apply_many(a->layer, a->settings, inputs, a->input_count, outputs, a->output_count);
    for (int i = 0; i < a->output_count; i++)
        cj__own(outputs[i]);
    return status != CJ_OK || outputs[0] ? status : cj_error_status();
}

static cj_status make_symbols(cj_model *model)
{
    for (int i = 0; i < model->application_count; i++) {
        cj__application *a = &model->applications[i];
        if (a->symbols)
            continue;
        cj_symbol **inputs = cj__new((size_t)a->input_count, sizeof *inputs);
        if (!inputs)
            return CJ_OUT_OF_MEMORY;
        for (int j = 0; j < a->input_count; j++)
            inputs[j] = model->applications[a->input_app[j]].symbols[a->input_index[j]];
        cj_symbol **symbols = cj__new((size_t)a->output_count, sizeof *symbols);
        cj_status status = symbols ? CJ_OK : CJ_OUT_OF_MEMORY;
        if (status == CJ_OK)
            status = a->layer ? apply_layer(a, inputs, symbols) : apply_node(a, inputs, symbols);
        cj__free(inputs);
        if (status != CJ_OK) {
            for (int j = 0; symbols && j < a->output_count; j++)
                cj_release(symbols[j]);
            cj__free(symbols);
            return status;
        }
        a->symbols = symbols;
    }
    return CJ_OK;
}

static cj_status need_symbols(cj_model *model, const char *what)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, what);
    if (!model->layer.built)
        return cj__fail(CJ_NOT_BUILT,
                        "%s: the model has no input shape yet: give it an input layer or data",
                        model->layer.name);
    return make_symbols(model);
}

cj_symbol *cj_model_input(cj_model *model, int index)
{
    if (need_symbols(model, "cj_model_input: the model") != CJ_OK)
        return cj__build_failed(CJ__MADE_SYMBOL);
    if (index >= 0 && index < model->input_count)
        return model->applications[model->input_at[index]].symbols[0];
    cj__fail(CJ_INVALID_ARGUMENT, "%s: there is no input %d, the model has %d", model->layer.name,
             index, model->input_count);
    return cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj_model_output(cj_model *model, int index)
{
    if (need_symbols(model, "cj_model_output: the model") != CJ_OK)
        return cj__build_failed(CJ__MADE_SYMBOL);
    if (index >= 0 && index < model->output_count)
        return model->applications[model->output_at[index]].symbols[model->output_index[index]];
    cj__fail(CJ_INVALID_ARGUMENT, "%s: there is no output %d, the model has %d", model->layer.name,
             index, model->output_count);
    return cj__build_failed(CJ__MADE_SYMBOL);
}

// The first application of the layer of that name; NULL after a failure.
static const cj__application *application_of(cj_model *model, const char *name, const char *what)
{
    if (need_symbols(model, what) != CJ_OK)
        return NULL;
    const cj_layer *layer = cj_model_find_layer(model, name);
    for (int i = 0; layer && i < model->application_count; i++)
        if (model->applications[i].layer == layer)
            return &model->applications[i];
    if (layer)
        cj__fail(CJ_INVALID_ARGUMENT, "%s: layer \"%s\" belongs to a model within this one",
                 model->layer.name, name);
    return NULL;
}

cj_symbol *cj_layer_output(cj_model *model, const char *name)
{
    const cj__application *a = application_of(model, name, "cj_layer_output: the model");
    return a ? a->symbols[0] : cj__build_failed(CJ__MADE_SYMBOL);
}

cj_symbol *cj_layer_input(cj_model *model, const char *name)
{
    const cj__application *a = application_of(model, name, "cj_layer_input: the model");
    if (!a)
        return cj__build_failed(CJ__MADE_SYMBOL);
    return a->input_count == 0 ? a->symbols[0] :
                                 model->applications[a->input_app[0]].symbols[a->input_index[0]];
}
