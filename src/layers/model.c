// What sequential and functional models share: names and first weights, tracing, and the functions
// of cajal/model.h.
#include "layers/model.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static cj_model *model_of(const cj_layer *layer)
{
    return (cj_model *)(uintptr_t)layer;
}

bool cj__layer_is_model(const cj_layer *layer)
{
    return layer->kind == &cj__layer_sequential || layer->kind == &cj__layer_functional;
}

cj_model *cj__model_new(const cj__layer_kind *kind, const char *name)
{
    return (cj_model *)cj__layer_new(kind, &(cj_merge_args){CJ_MERGE_DEFAULTS, .name = name});
}

void cj__model_free(cj_layer *layer)
{
    cj_model *model = model_of(layer);
    cj_release(model->attached);
    for (int i = 0; i < model->application_count; i++) {
        cj_release(model->applications[i].node);
        cj__free(model->applications[i].input_app);
        cj__free(model->applications[i].input_index);
        cj__free(model->applications[i].output_types);
    }
    cj__free(model->applications);
    for (int i = 0; i < model->layer_count; i++) {
        atomic_fetch_sub(&model->layers[i]->containers, 1);
        cj_release(model->layers[i]);
    }
    cj__free(model->layers);
    cj_release(model->input_layer);
}

cj_status cj__model_add_layer(cj_model *model, cj_layer *layer)
{
    if (!cj__reserve((void **)&model->layers, &model->layer_capacity,
                     (size_t)model->layer_count + 1, sizeof *model->layers))
        return CJ_OUT_OF_MEMORY;
    model->layers[model->layer_count++] = cj__own(layer);
    atomic_fetch_add(&layer->containers, 1);
    return CJ_OK;
}

cj__application *cj__model_add_application(cj_model *model, cj_layer *layer, cj__node *node,
                                           int input_count, int former)
{
    if (!cj__reserve((void **)&model->applications, &model->application_capacity,
                     (size_t)model->application_count + 1, sizeof *model->applications))
        return NULL;
    cj__application *all = model->applications, *application = &all[model->application_count];
    *application = (cj__application){.layer = layer, .input_count = input_count, .next = -1};
    application->input_app = cj__new((size_t)input_count, sizeof(int));
    application->input_index = cj__new((size_t)input_count, sizeof(int));
    if (!application->input_app || !application->input_index) {
        cj__free(application->input_app);
        cj__free(application->input_index);
        return NULL;
    }
    if (former >= 0) {
        application->which = all[former].which + 1;
        all[former].next = model->application_count;
    }
    application->node = cj__own(node);
    model->application_count++;
    return application;
}

int cj__model_children(const cj_layer *layer, cj_layer *const **children)
{
    *children = model_of(layer)->layers;
    return model_of(layer)->layer_count;
}

// Names
// ------------------------------------------------------------------------------------------------------------

// The names that are given out within a model, and for each class the number to try next.
typedef struct naming {
    cj__index taken;   // by text
    cj__index numbers; // by class name, which is one address for each class
} naming;

// The class's name, or the first of "dense_1", "dense_2", ... that is free.
static cj_status renumber(naming *n, cj_layer *layer)
{
    const char *class_name = layer->kind->choice.class_name;
    char base[64], name[96];
    int *number = cj__index_find(&n->numbers, class_name);
    if (!number && cj__index_add(&n->numbers, class_name, 0))
        number = cj__index_find(&n->numbers, class_name);
    if (!number)
        return CJ_OUT_OF_MEMORY;
    cj__snake_case(class_name, base, sizeof base);
    do {
        if (*number == 0)
            snprintf(name, sizeof name, "%s", base);
        else
            snprintf(name, sizeof name, "%s_%d", base, *number);
        ++*number;
    } while (cj__index_find(&n->taken, name));
    return strcmp(name, layer->name) == 0 ? CJ_OK : cj__layer_rename(layer, name);
}

static bool has_fixed_name(const cj_layer *layer)
{
    return layer->named || layer->joined;
}

static cj_status settle_name(const cj_model *model, naming *n, cj_layer *layer)
{
    const bool taken = cj__index_find(&n->taken, layer->name);
    if (layer->named && taken)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: two layers are named \"%s\"; a name must be unique in a model",
                        model->layer.name, layer->name);
    if (!layer->named && (taken || !layer->joined))
        CJ_TRY(renumber(n, layer));
    return cj__index_add(&n->taken, layer->name, 0) ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// Layers that the user or another model has named come first, the others are numbered around them.
static cj_status settle_names(cj_model *model)
{
    naming n = {.taken = {.texts = true}};
    cj_status status = CJ_OK;
    for (int fixed = 1; fixed >= 0; fixed--)
        for (int i = 0; status == CJ_OK && i < model->layer_count; i++)
            if (has_fixed_name(model->layers[i]) == fixed)
                status = settle_name(model, &n, model->layers[i]);
    cj__index_free(&n.taken);
    cj__index_free(&n.numbers);
    return status;
}

cj_status cj__model_join(cj_model *model)
{
    const uint64_t key = cj__key(model->seed, model->layer.name);
    CJ_TRY(settle_names(model));
    for (int i = 0; i < model->layer_count; i++) {
        cj_layer *layer = model->layers[i];
        bool untouched = false;
        if (!layer->joined && !cj__layer_is_model(layer))
            CJ_TRY(cj__layer_untouched(layer, &untouched));
        if (untouched)
            CJ_TRY(cj__layer_draw(layer, cj__key(key, layer->name)));
    }
    for (int i = 0; i < model->layer_count; i++)
        model->layers[i]->joined = true;
    return CJ_OK;
}

// Tracing
// ----------------------------------------------------------------------------------------------------------

typedef struct tracing {
    cj_model *model;
    cj__trace *trace;
    cj__value **values; // the outputs of each application
    bool settling;      // the model is being built: types of outputs are noted
} tracing;

static cj_status trace_node(tracing *t, const cj__application *a, const cj__value *inputs,
                            cj__value *outputs)
{
    cj_symbol *symbols[CJ__OP_IO_MAX] = {0}, *made[CJ__OP_IO_MAX] = {0};
    const cj__node *node = a->node;
    if (node->output_count > CJ__OP_IO_MAX || a->input_count > CJ__OP_IO_MAX)
        return cj__fail(CJ_UNSUPPORTED,
                        "%s: op %s between layers has more than %d inputs or outputs",
                        t->model->layer.name, node->op->name, (int)CJ__OP_IO_MAX);
    for (int i = 0; i < a->input_count; i++)
        symbols[i] = inputs[i].symbol;
    if (node->variable)
        made[0] = cj__trace_variable(t->trace, node->variable);
    else if (node->op->flags & CJ__OP_LEAF)
        made[0] = cj__node_output(&t->trace->build, node, 0);
    else
        cj__append_like(&t->trace->build, node, symbols, made);
    for (int i = 0; i < node->output_count; i++)
        outputs[i] = (cj__value){made[i], i == 0 && a->input_count > 0 ? inputs[0].mask : NULL};
    return t->trace->build.status;
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
    cj__value inputs[CJ__LAYER_IO_MAX], outputs[CJ__LAYER_IO_MAX] = {0};
    int count = a->node ? a->node->output_count : 1;
    for (int i = 0; i < a->input_count; i++) {
        if (a->input_index[i] >= t->model->applications[a->input_app[i]].output_count)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: an input of %s is missing",
                            t->model->layer.name, a->layer ? a->layer->name : a->node->op->name);
        inputs[i] = t->values[a->input_app[i]][a->input_index[i]];
    }
    CJ_TRY(a->node ? trace_node(t, a, inputs, outputs) :
                     cj__layer_call(a->layer, t->trace, inputs, a->input_count, outputs, &count));
    if (t->settling)
        CJ_TRY(note_outputs(a, outputs, count));
    t->values[index] = cj__copy_bytes(outputs, (size_t)count * sizeof outputs[0]);
    return t->values[index] ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status check_input(const cj_model *model, int index, const cj_symbol *symbol)
{
    const cj_shape *need = &model->input_types[index].shape, *given = cj_symbol_shape(symbol);
    char need_text[CJ__SHAPE_WORDS], given_text[CJ__SHAPE_WORDS];
    bool fits = need->rank == given->rank;
    for (int i = 0; fits && i < need->rank; i++)
        fits = need->dims[i] == given->dims[i] || need->dims[i] == CJ_BATCH ||
               given->dims[i] == CJ_BATCH;
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
        if (!(t->values[model->input_at[i]] = cj__copy_bytes(&value, sizeof value)))
            return CJ_OUT_OF_MEMORY;
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

static cj_status trace_model(cj_model *model, cj__trace *trace, bool settling,
                             const cj__value *inputs, cj__value *outputs)
{
    tracing t = {.model = model, .trace = trace, .settling = settling};
    t.values = cj__new((size_t)model->application_count, sizeof *t.values);
    if (!t.values)
        return CJ_OUT_OF_MEMORY;
    const cj_status status = trace_all(&t, inputs, outputs);
    for (int i = 0; i < model->application_count; i++)
        cj__free(t.values[i]);
    cj__free(t.values);
    if (trace->build.status == CJ_OK)
        trace->build.status = status;
    return status;
}

cj_status cj__model_call(cj_layer *layer, cj__trace *trace, const cj__value *inputs, int count,
                         cj__value *outputs, int *output_count)
{
    cj_model *model = model_of(layer);
    if (count != model->input_count)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d inputs given, needs %d", layer->name, count,
                        model->input_count);
    *output_count = model->output_count;
    return trace_model(model, trace, false, inputs, outputs);
}

cj_status cj__model_trace(cj_model *model, cj__trace *trace, cj_symbol *const *inputs,
                          cj__value *outputs)
{
    cj__value values[CJ__LAYER_IO_MAX];
    if (!model->layer.built)
        return cj__fail(CJ_NOT_BUILT,
                        "%s: the model has no input shape yet: give it an input layer or data",
                        model->layer.name);
    for (int i = 0; i < model->input_count; i++)
        values[i] = cj__symbol_value(inputs[i]);
    return trace_model(model, trace, false, values, outputs);
}

cj_status cj__model_settle(cj_model *model)
{
    cj__trace trace = {0};
    cj__value inputs[CJ__LAYER_IO_MAX], outputs[CJ__LAYER_IO_MAX];
    cj_status status = CJ_OK;
    for (int i = 0; i < model->input_count; i++) {
        const cj_layer *input = model->applications[model->input_at[i]].layer;
        cj__input_type(input, &model->input_types[i]);
        inputs[i] = (cj__value){
            cj__build_keep(&trace.build, cj_symbol_input(model->input_types[i].dtype,
                                                         model->input_types[i].shape, input->name)),
            NULL};
        if (!inputs[i].symbol)
            status = trace.build.status;
    }
    if (status == CJ_OK)
        status = trace_model(model, &trace, true, inputs, outputs);
    for (int i = 0; status == CJ_OK && i < model->output_count; i++)
        model->output_types[i] = *cj__symbol_type(outputs[i].symbol);
    cj__trace_end(&trace);
    model->layer.built = status == CJ_OK;
    return status;
}

// Looking at a model
// -----------------------------------------------------------------------------------------------

cj_layer *cj_model_layer(const cj_model *model)
{
    return model ? (cj_layer *)(uintptr_t)&model->layer : NULL;
}

cj_model *cj_layer_model(cj_layer *layer)
{
    if (layer && cj__layer_is_model(layer))
        return model_of(layer);
    if (layer)
        cj__fail(CJ_INVALID_ARGUMENT, "%s: a %s is not a model", layer->name,
                 layer->kind->choice.class_name);
    return NULL;
}

int cj_model_layer_count(const cj_model *model)
{
    return model ? model->layer_count : 0;
}

cj_layer *cj_model_layer_at(const cj_model *model, int index)
{
    return model && index >= 0 && index < model->layer_count ? model->layers[index] : NULL;
}

static cj_layer *fail_find(const cj_model *model, const char *name)
{
    const char **names = cj__new((size_t)model->layer_count, sizeof *names);
    for (int i = 0; names && i < model->layer_count; i++)
        names[i] = model->layers[i]->name;
    if (names)
        cj__fail_unknown(CJ_NOT_FOUND, "layer", name, names, sizeof *names, model->layer_count);
    cj__free(names);
    return NULL;
}

cj_layer *cj_model_find_layer(const cj_model *model, const char *name)
{
    while (model && name) {
        const size_t length = strcspn(name, "/");
        cj_layer *found = NULL;
        for (int i = 0; !found && i < model->layer_count; i++)
            if (strlen(model->layers[i]->name) == length &&
                strncmp(model->layers[i]->name, name, length) == 0)
                found = model->layers[i];
        if (!found)
            return fail_find(model, name);
        if (name[length] == '\0')
            return found;
        model = cj_layer_model(found);
        name += length + 1;
    }
    return NULL;
}

int cj_model_input_count(const cj_model *model)
{
    return model && model->layer.built ? model->input_count : 0;
}

int cj_model_output_count(const cj_model *model)
{
    return model && model->layer.built ? model->output_count : 0;
}

const cj_shape *cj_model_input_shape(const cj_model *model, int index)
{
    return index >= 0 && index < cj_model_input_count(model) ? &model->input_types[index].shape :
                                                               NULL;
}

const cj_shape *cj_model_output_shape(const cj_model *model, int index)
{
    return index >= 0 && index < cj_model_output_count(model) ? &model->output_types[index].shape :
                                                                NULL;
}

cj_status cj_model_reset_weights(cj_model *model)
{
    if (!model)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_model_reset_weights: the model is NULL");
    return cj__layer_draw(&model->layer, cj__key(model->seed, model->layer.name));
}

cj_status cj_model_set_seed(cj_model *model, uint64_t seed)
{
    if (!model)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_model_set_seed: the model is NULL");
    model->seed = seed;
    return cj_model_reset_weights(model);
}

int cj__model_inputs(const cj_model *model, const cj__type **types)
{
    *types = model->input_types;
    return cj_model_input_count(model);
}

void cj__model_attach(cj_model *model, void *object)
{
    cj_release(model->attached);
    model->attached = object;
}

void cj__model_note_optimizer(cj_model *model, int64_t params, int64_t bytes)
{
    model->optimizer_params = params;
    model->optimizer_bytes = bytes;
}

void *cj__model_attached(const cj_model *model)
{
    return model->attached;
}

uint64_t cj__model_seed(const cj_model *model)
{
    return model->seed;
}

int cj__model_applications(const cj_model *model, const cj__application **applications)
{
    *applications = model->applications;
    return model->application_count;
}

void cj__model_input_at(const cj_model *model, int index, int *application)
{
    *application = model->input_at[index];
}

void cj__model_output_at(const cj_model *model, int index, int *application, int *output)
{
    *application = model->output_at[index];
    *output = model->output_index[index];
}

bool cj__model_is_sequential(const cj_model *model)
{
    return model->layer.kind == &cj__layer_sequential;
}
