// Explaining a model: every layer is watched while the model is traced for prediction, one function
// computes all inputs and outputs, and then each application is printed and one element of its
// output derived by the explainer of its class.
#include "explain/explain.h"
#include "base/args.h"
#include "base/text.h"
#include "kernels/kernels.h"
#include "ops/variable.h"
#include <math.h>
#include <string.h>

static const struct {
    const char *class_name;
    cj_status (*explain)(cj__explanation *explanation);
} explainers[] = {
#define CJ__EXPLAINER(class_name, function) {class_name, function},
#include "explain/explain.def"
#undef CJ__EXPLAINER
};

typedef struct explaining {
    cj_model *model;
    const cj_layer *only; // NULL for all
    FILE *stream;
    const cj_explain_args *args;
    int64_t max_rows;
    cj__trace trace;
    cj_symbol **inputs;
    cj_tensor **given;
    int input_count;
    cj__record *records; // in the order of tracing
    size_t record_count, record_capacity;
    const cj__record *last; // of those that are shown
    cj_symbol **symbols;    // whose values the records hold, each once,
    cj_tensor **values;     // and these values
    size_t symbol_count, symbol_capacity, value_capacity;
    bool out_of_memory;
} explaining;

// Watching
// -------------------------------------------------------------------------------------------------

// The tensor that will hold the value of a symbol; made when the symbol is first seen.
static cj_tensor *tensor_of(explaining *e, cj_symbol *symbol)
{
    for (size_t i = 0; i < e->symbol_count; i++)
        if (e->symbols[i]->node == symbol->node && e->symbols[i]->index == symbol->index)
            return e->values[i];
    const cj__type *type = cj__symbol_type(symbol);
    cj_shape shape = type->shape;
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = shape.dims[i] < 0 ? -shape.dims[i] : shape.dims[i];
    cj_tensor *tensor = NULL;
    if (!cj__reserve((void **)&e->symbols, &e->symbol_capacity, e->symbol_count + 1,
                     sizeof(void *)) ||
        !cj__reserve((void **)&e->values, &e->value_capacity, e->symbol_count + 1,
                     sizeof(void *)) ||
        cj_tensor_new(type->dtype, shape, &tensor) != CJ_OK) {
        e->out_of_memory = true;
        return NULL;
    }
    e->symbols[e->symbol_count] = symbol;
    e->values[e->symbol_count++] = tensor;
    return tensor;
}

// Whether the layer is explained by what it contains. A cell is called in a loop, where it cannot be
// watched, so the layer around it stands for it.
static bool is_container(const cj_layer *layer)
{
    cj_layer *const *children;
    return cj__layer_children(layer, &children) > 0 && !children[0]->kind->cell;
}

static cj_status (*explainer_of(const cj_layer *layer))(cj__explanation *explanation)
{
    for (size_t i = 0; i < sizeof explainers / sizeof explainers[0]; i++)
        if (strcmp(explainers[i].class_name, cj_layer_class(layer)) == 0)
            return explainers[i].explain;
    return NULL;
}

// Whether a layer is the other one or, at any depth, in it.
static bool is_within(const cj_layer *layer, const cj_layer *other)
{
    cj_layer *const *children;
    const int count = cj__layer_children(other, &children);
    for (int i = 0; i < count; i++)
        if (is_within(layer, children[i]))
            return true;
    return layer == other;
}

// Room for the tensors of a record, until the trace ends.
static bool record_memory(cj__build *g, cj__record *record)
{
    const size_t inputs = (size_t)record->input_count, outputs = (size_t)record->output_count;
    record->inputs = cj__build_memory(g, inputs, sizeof *record->inputs);
    record->masks = cj__build_memory(g, inputs, sizeof *record->masks);
    record->outputs = cj__build_memory(g, outputs, sizeof *record->outputs);
    return record->outputs;
}

// Records of what is in a layer are kept too: it may be explained by what they computed.
static void watch(void *context, cj_layer *layer, const cj__value *inputs, int input_count,
                  const cj__value *outputs, int output_count)
{
    explaining *e = context;
    int which = 0;
    if (e->only && !is_within(layer, e->only))
        return;
    for (size_t i = 0; i < e->record_count; i++)
        which += e->records[i].layer == layer;
    if (!cj__reserve((void **)&e->records, &e->record_capacity, e->record_count + 1,
                     sizeof *e->records)) {
        e->out_of_memory = true;
        return;
    }
    cj__record *record = &e->records[e->record_count++];
    *record = (cj__record){.layer = layer,
                           .which = which,
                           .called = e->trace.called,
                           .input_count = input_count,
                           .output_count = output_count};
    if (!record_memory(&e->trace.build, record)) {
        e->out_of_memory = true;
        record->input_count = record->output_count = 0;
        return;
    }
    record->shown = e->only ? e->only == layer : !is_container(layer) || explainer_of(layer);
    for (int i = 0; i < input_count; i++) {
        record->inputs[i] = tensor_of(e, inputs[i].symbol);
        record->masks[i] = inputs[i].mask ? tensor_of(e, inputs[i].mask) : NULL;
    }
    for (int i = 0; i < output_count; i++)
        record->outputs[i] = tensor_of(e, outputs[i].symbol);
}

// Computing
// -------------------------------------------------------------------------------------------------

// The sample as the model takes it: with a batch axis of 1 and of the input's dtype.
static cj_status prepare_input(explaining *e, const cj__type *type, const cj_tensor *sample,
                               int index)
{
    char need[128], have[128];
    cj_shape shape = type->shape;
    if (!sample)
        return cj__fail(CJ_INVALID_ARGUMENT, "explain: input %d of %s is NULL; it has %d inputs",
                        index, cj_layer_name(cj_model_layer(e->model)),
                        cj_model_input_count(e->model));
    if (shape.dims[0] != CJ_BATCH && shape.dims[0] != 1)
        return cj__fail(
            CJ_UNSUPPORTED,
            "explain: %s takes batches of %lld only, and one sample is explained at a time",
            cj_layer_name(cj_model_layer(e->model)), (long long)shape.dims[0]);
    shape.dims[0] = 1;
    for (int i = 1; i < shape.rank; i++) { // the sample says what is free
        const int axis = i - shape.rank + cj_tensor_shape(sample)->rank;
        if (shape.dims[i] == CJ_ANY && axis >= 0)
            shape.dims[i] = cj_tensor_shape(sample)->dims[axis];
    }
    cj_shape without = {.rank = shape.rank - 1};
    memcpy(without.dims, shape.dims + 1, (size_t)without.rank * sizeof without.dims[0]);
    const cj_shape *given = cj_tensor_shape(sample);
    if (!cj_shape_equal(given, &shape) && !cj_shape_equal(given, &without))
        return cj__fail(
            CJ_SHAPE_MISMATCH,
            "explain: input %d has shape %s, needs %s, with or without a batch axis of 1", index,
            cj_shape_text(given, have, sizeof have), cj_shape_text(&without, need, sizeof need));
    cj_tensor *copy = NULL;
    CJ_TRY(cj_tensor_convert(sample, type->dtype, &copy));
    const cj_status status = cj_tensor_reshape(copy, shape, &e->given[index]);
    cj_release(copy);
    return status;
}

static cj_status trace_model(explaining *e, cj_tensor *const *samples)
{
    const cj__type *types;
    cj__value *outputs = NULL;
    const int count = cj__model_inputs(e->model, &types);
    if (count == 0)
        return cj__fail(CJ_NOT_BUILT,
                        "explain: %s has no input shape yet: give it an input layer or data",
                        cj_layer_name(cj_model_layer(e->model)));
    e->inputs = cj__build_memory(&e->trace.build, (size_t)count, sizeof *e->inputs);
    e->given = cj__build_memory(&e->trace.build, (size_t)count, sizeof *e->given);
    if (!e->inputs || !e->given)
        return e->trace.build.status;
    e->input_count = count;
    for (int i = 0; i < e->input_count; i++) {
        CJ_TRY(prepare_input(e, &types[i], samples[i], i));
        cj_shape shape = *cj_tensor_shape(e->given[i]);
        shape.dims[0] = types[i].shape.dims[0];
        e->inputs[i] =
            cj__build_keep(&e->trace.build, cj_symbol_input(types[i].dtype, shape, NULL));
        if (!e->inputs[i])
            return e->trace.build.status;
    }
    e->trace.watch = watch;
    e->trace.watch_context = e;
    e->trace.seed = cj__model_seed(e->model);
    CJ_TRY(cj__model_trace(e->model, &e->trace, e->inputs, &outputs));
    return e->out_of_memory ? CJ_OUT_OF_MEMORY : CJ_OK;
}

static cj_status compute(explaining *e)
{
    cj_function *function =
        cj_function(.inputs = e->inputs, .input_count = e->input_count, .outputs = e->symbols,
                    .output_count = (int)e->symbol_count);
    if (!function)
        return cj_error_status();
    const cj_status status = cj_function_call(function, e->given, e->values);
    cj_release(function);
    return status;
}

// Explaining
// -------------------------------------------------------------------------------------------------

// The path of a layer within the model, such as "inner/dense"; the first one if there are several.
static bool add_path(const cj_layer *from, const cj_layer *to, cj__text *path)
{
    cj_layer *const *children;
    const int count = cj__layer_children(from, &children);
    const size_t length = path->length;
    for (int i = 0; i < count; i++) {
        cj__text_add(path, "%s%s", length ? "/" : "", cj_layer_name(children[i]));
        if (children[i] == to || add_path(children[i], to, path))
            return true;
        if (path->failed)
            return false;
        path->length = length;
    }
    return false;
}

static cj_status headline(const explaining *e, const cj__record *record)
{
    cj__text path = {0};
    add_path(cj_model_layer(e->model), record->layer, &path);
    const cj_status status = cj__text_status(&path);
    if (status == CJ_OK) {
        fprintf(e->stream, "%s (%s)", path.data, cj_layer_class(record->layer));
        if (record->which > 0)
            fprintf(e->stream, ", use %d of the same layer", record->which + 1);
        fputc('\n', e->stream);
    }
    cj__text_free(&path);
    return status;
}

// The offset of the largest element, the first one if there are several; 0 if all are NaN.
static int64_t largest(const cj_tensor *tensor)
{
    const int64_t count = cj_tensor_count(tensor);
    int64_t at = 0;
    for (int64_t i = 1; i < count; i++) {
        const double best = cj__element_at(tensor, at), value = cj__element_at(tensor, i);
        if (value > best || (isnan(best) && !isnan(value)))
            at = i;
    }
    return at;
}

static cj_status check_index(const cj__record *record, const int64_t *index)
{
    const cj_shape *shape = cj_tensor_shape(record->outputs[0]);
    for (int i = 1; i < shape->rank; i++)
        if (index[i] < 0 || index[i] >= shape->dims[i])
            return cj__fail(
                CJ_INVALID_ARGUMENT,
                "%s: index %lld along axis %d is not in the output, which has %lld there",
                cj_layer_name(record->layer), (long long)index[i], i - 1,
                (long long)shape->dims[i]);
    return CJ_OK;
}

// Whether it is the layer that was asked for, or else the last one.
static bool is_asked(const explaining *e, const cj__record *record)
{
    return e->only || record == e->last;
}

// The index of an offset.
static void find_index(cj__explanation *explanation, const cj_shape *shape)
{
    int64_t rest = explanation->offset;
    for (int i = shape->rank - 1; i >= 0; i--) {
        explanation->index[i] = rest % shape->dims[i];
        rest /= shape->dims[i];
    }
}

// The element to derive: the user's, for the layer that was asked for or else the last one; without
// an index, and for all other layers, the largest.
static cj_status choose(const explaining *e, const cj__record *record, cj__explanation *explanation)
{
    const cj_tensor *output = record->outputs[0];
    const cj_shape *shape = cj_tensor_shape(output);
    if (cj_tensor_count(output) == 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the output has no elements",
                        cj_layer_name(record->layer));
    if (e->args->has_index && is_asked(e, record)) {
        for (int i = 1; i < shape->rank; i++)
            explanation->index[i] = e->args->index[i - 1];
        CJ_TRY(check_index(record, explanation->index));
        explanation->offset = cj__offset_of(output, explanation->index);
        return CJ_OK;
    }
    explanation->offset = largest(output);
    find_index(explanation, shape);
    return CJ_OK;
}

cj_status cj__record_open(cj__record *record)
{
    const cj_layer *layer = record->layer;
    for (int i = 0; i < layer->variable_count; i++) {
        const cj_tensor *value = cj__variable_read(layer->variables[i]);
        if (!value)
            return cj_error_status();
        if (!layer->mixed || layer->kind->exact_variables)
            continue;
        CJ_TRY(cj_tensor_convert(value, CJ_F32, &record->rounded[i]));
        float *values = cj_tensor_data(record->rounded[i]);
        cj__kernels_for(sizeof *values)
            ->round_bf16(cj_tensor_count(record->rounded[i]), values, values);
    }
    return CJ_OK;
}

void cj__record_close(cj__record *record)
{
    for (int i = 0; i < CJ__LAYER_VARIABLES_MAX; i++) {
        cj_release(record->rounded[i]);
        record->rounded[i] = NULL;
    }
}

int cj__records_of(const cj__explanation *explanation, const cj_layer *layer,
                   const cj__record **records, int capacity)
{
    const cj__record *own = explanation->recorded, *begin = own;
    int count = 0;
    while (begin > explanation->first && begin[-1].layer != own->layer)
        begin--;
    for (; begin < own; begin++) {
        if (begin->layer != layer)
            continue;
        if (count < capacity)
            records[count] = begin;
        count++;
    }
    return count;
}

// Derives the element by the explainer of the layer's class. A class may have none yet; a model is
// shown whole.
static cj_status derive(cj__explanation *explanation)
{
    const cj_layer *layer = explanation->record->layer;
    cj_status (*const explainer)(cj__explanation *) = explainer_of(layer);
    if (explainer)
        return explainer(explanation);
    if (!is_container(layer))
        cj__print_line(explanation, "how %s computes its elements is not explained yet",
                       cj_layer_class(layer));
    return CJ_OK;
}

// Each element of the output in order.
static cj_status derive_every(cj__explanation *explanation)
{
    enum { MOST = 1000 };
    const cj_tensor *output = explanation->record->outputs[0];
    const int64_t count = cj_tensor_count(output);
    if (count > MOST)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: its output has %lld elements, of which at most %d are derived at once",
                        cj_layer_name(explanation->record->layer), (long long)count, MOST);
    for (explanation->offset = 0; explanation->offset < count; explanation->offset++) {
        find_index(explanation, cj_tensor_shape(output));
        CJ_TRY(derive(explanation));
    }
    return CJ_OK;
}

// Copies of tensors, of those of `batch` samples one sample alone.
static cj_status take_sample(cj_tensor *const *from, int count, int64_t batch, int64_t sample,
                             cj_tensor **to)
{
    for (int i = 0; i < count; i++) {
        if (!from[i])
            continue;
        if (cj_tensor_shape(from[i])->dims[0] == batch)
            CJ_TRY(cj_tensor_slice(from[i], 0, sample, 1, &to[i]));
        else
            to[i] = cj_retain(from[i]);
    }
    return CJ_OK;
}

static cj_status explain_element(const explaining *e, const cj__record *recorded,
                                 cj__explanation *explanation)
{
    const cj__record *record = explanation->record;
    const int64_t batch = cj_tensor_shape(recorded->outputs[0])->dims[0];
    CJ_TRY(headline(e, record));
    if (batch > 1)
        cj__print_line(explanation, "it is called for %lld steps at once; here is step %lld",
                       (long long)batch, (long long)explanation->sample);
    for (int i = 0; i < record->input_count; i++)
        cj__show_tensor(explanation, "input", record->inputs[i]);
    for (int i = 0; i < record->output_count; i++)
        cj__show_tensor(explanation, "output", record->outputs[i]);
    if (e->args->every && is_asked(e, recorded))
        CJ_TRY(derive_every(explanation));
    else
        CJ_TRY(derive(explanation));
    fputc('\n', e->stream);
    return CJ_OK;
}

// A layer within TimeDistributed has all steps as one batch. One of them is explained: that of the
// element.
static cj_status explain_record(explaining *e, const cj__record *recorded)
{
    cj__record one = *recorded;
    cj_tensor *const *const from[] = {recorded->inputs, recorded->outputs, recorded->masks};
    const int counts[] = {one.input_count, one.output_count, one.input_count};
    cj__explanation explanation = {.record = recorded,
                                   .stream = e->stream,
                                   .max_rows = e->max_rows,
                                   .first = e->records,
                                   .recorded = recorded};
    CJ_TRY(choose(e, recorded, &explanation));
    const cj_shape *shape = cj_tensor_shape(recorded->outputs[0]);
    const int64_t batch = shape->rank > 0 ? shape->dims[0] : 1;
    if (batch <= 1)
        return explain_element(e, recorded, &explanation);
    explanation.sample = explanation.index[0];
    explanation.record = &one;
    explanation.offset -= explanation.sample * (cj_tensor_count(recorded->outputs[0]) / batch);
    explanation.index[0] = 0;
    cj_status status = CJ_OK;
    if (!record_memory(&e->trace.build, &one))
        return e->trace.build.status;
    cj_tensor **const to[] = {one.inputs, one.outputs, one.masks};
    for (int i = 0; i < 3 && status == CJ_OK; i++)
        status = take_sample(from[i], counts[i], batch, explanation.sample, to[i]);
    if (status == CJ_OK)
        status = explain_element(e, recorded, &explanation);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < counts[i]; k++)
            cj_release(to[i][k]);
    return status;
}

static cj_status explain(explaining *e, cj_tensor *const *samples)
{
    CJ_TRY(trace_model(e, samples));
    for (size_t i = 0; i < e->record_count; i++)
        e->last = e->records[i].shown ? &e->records[i] : e->last;
    if (!e->last)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "explain: %s is an input of the model: it computes nothing",
                        e->only ? cj_layer_name(e->only) : cj_layer_name(cj_model_layer(e->model)));
    CJ_TRY(compute(e));
    for (size_t i = 0; i < e->record_count; i++)
        CJ_TRY(cj__record_open(&e->records[i]));
    for (size_t i = 0; i < e->record_count; i++)
        if (e->records[i].shown)
            CJ_TRY(explain_record(e, &e->records[i]));
    return fflush(e->stream) != 0 || ferror(e->stream) ?
               cj__fail(CJ_IO, "explain: printing failed") :
               CJ_OK;
}

CJ__DEFAULTS(explain, EXPLAIN)

cj_status cj_explain_with(cj_model *model, cj_tensor *const *inputs, FILE *stream,
                          const cj_explain_args *args)
{
    enum { MIN_ROWS = 3 };
    cj_explain_args given;
    if (!model || !inputs || !stream)
        return model ? cj__fail_null(inputs ? "cj_explain: the stream" :
                                              "cj_explain: the array of inputs") :
                       cj__fail_missing(CJ__MADE_MODEL, "cj_explain: the model");
    CJ_TRY(cj__args_read("cj_explain", args, &explain_defaults, sizeof given, &given));
    if (given.max_rows < 0)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_explain: max_rows is %lld, must not be negative",
                        (long long)given.max_rows);
    if (given.every && given.has_index)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_explain: every element is asked for, and one by its index");
    explaining e = {.model = model, .stream = stream, .args = &given};
    e.max_rows = given.max_rows < MIN_ROWS ? MIN_ROWS : given.max_rows;
    if (given.layer && !(e.only = cj_model_find_layer(model, given.layer)))
        return cj_error_status();
    const uint64_t begin = cj__causes_begin();
    cj_status status = explain(&e, inputs);
    for (size_t i = 0; i < e.record_count; i++)
        cj__record_close(&e.records[i]);
    for (size_t i = 0; i < e.symbol_count; i++)
        cj_release(e.values[i]);
    for (int i = 0; i < e.input_count; i++)
        cj_release(e.given[i]);
    cj__free(e.values);
    cj__free(e.symbols);
    cj__free(e.records);
    const cj_status end = cj__trace_end(&e.trace);
    return cj__causes_end(begin, status != CJ_OK ? status : end);
}
