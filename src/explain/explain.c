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
    cj_symbol *inputs[CJ__LAYER_IO_MAX];
    cj_tensor *given[CJ__LAYER_IO_MAX];
    int input_count;
    cj__record *records; // in the order of tracing
    size_t record_count, record_capacity;
    cj_symbol **symbols; // whose values the records hold, each once,
    cj_tensor **values;  // and these values
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

static void watch(void *context, cj_layer *layer, const cj__value *inputs, int input_count,
                  const cj__value *outputs, int output_count)
{
    explaining *e = context;
    cj_layer *const *children;
    const bool container = cj__layer_children(layer, &children) > 0;
    int which = 0;
    for (size_t i = 0; i < e->record_count; i++)
        which += e->records[i].layer == layer;
    if (e->only ? e->only != layer : container)
        return;
    if (!cj__reserve((void **)&e->records, &e->record_capacity, e->record_count + 1,
                     sizeof *e->records)) {
        e->out_of_memory = true;
        return;
    }
    cj__record *record = &e->records[e->record_count++];
    *record = (cj__record){
        .layer = layer, .which = which, .input_count = input_count, .output_count = output_count};
    for (int i = 0; i < input_count; i++) {
        record->inputs[i] = tensor_of(e, inputs[i].symbol);
        record->masked = record->masked || inputs[i].mask;
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
    cj__value outputs[CJ__LAYER_IO_MAX];
    e->input_count = cj__model_inputs(e->model, &types);
    if (e->input_count == 0)
        return cj__fail(CJ_NOT_BUILT,
                        "explain: %s has no input shape yet: give it an input layer or data",
                        cj_layer_name(cj_model_layer(e->model)));
    for (int i = 0; i < e->input_count; i++) {
        CJ_TRY(prepare_input(e, &types[i], samples[i], i));
        e->inputs[i] =
            cj__build_keep(&e->trace.build, cj_symbol_input(types[i].dtype, types[i].shape, NULL));
        if (!e->inputs[i])
            return e->trace.build.status;
    }
    e->trace.watch = watch;
    e->trace.watch_context = e;
    e->trace.seed = cj__model_seed(e->model);
    CJ_TRY(cj__model_trace(e->model, &e->trace, e->inputs, outputs));
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

// The element to derive: the user's, for the layer that was asked for or else the last one; without
// an index, and for all other layers, the largest.
static cj_status choose(const explaining *e, const cj__record *record, cj__explanation *explanation)
{
    const cj_tensor *output = record->outputs[0];
    const cj_shape *shape = cj_tensor_shape(output);
    const bool asked = e->only || record == &e->records[e->record_count - 1];
    if (cj_tensor_count(output) == 0)
        return cj__fail(CJ_SHAPE_MISMATCH, "%s: the output has no elements",
                        cj_layer_name(record->layer));
    if (e->args->has_index && asked) {
        for (int i = 1; i < shape->rank; i++)
            explanation->index[i] = e->args->index[i - 1];
        CJ_TRY(check_index(record, explanation->index));
        explanation->offset = cj__offset_of(output, explanation->index);
        return CJ_OK;
    }
    explanation->offset = largest(output);
    int64_t rest = explanation->offset;
    for (int i = shape->rank - 1; i >= 0; i--) {
        explanation->index[i] = rest % shape->dims[i];
        rest /= shape->dims[i];
    }
    return CJ_OK;
}

// Reads the variables. Under mixed_bfloat16 a layer has them rounded.
static cj_status round_variables(cj__record *record)
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

// Derives the element by the explainer of the layer's class. A class may have none yet; a model is
// shown whole.
static cj_status derive(cj__explanation *explanation)
{
    const cj_layer *layer = explanation->record->layer;
    cj_layer *const *children;
    for (size_t i = 0; i < sizeof explainers / sizeof explainers[0]; i++)
        if (strcmp(explainers[i].class_name, cj_layer_class(layer)) == 0)
            return explainers[i].explain(explanation);
    if (cj__layer_children(layer, &children) == 0)
        cj__print_line(explanation, "how %s computes its elements is not explained yet",
                       cj_layer_class(layer));
    return CJ_OK;
}

static cj_status explain_element(const explaining *e, const cj__record *record)
{
    cj__explanation explanation = {.record = record, .stream = e->stream, .max_rows = e->max_rows};
    CJ_TRY(choose(e, record, &explanation));
    CJ_TRY(headline(e, record));
    for (int i = 0; i < record->input_count; i++)
        cj__show_tensor(&explanation, "input", record->inputs[i]);
    for (int i = 0; i < record->output_count; i++)
        cj__show_tensor(&explanation, "output", record->outputs[i]);
    CJ_TRY(derive(&explanation));
    fputc('\n', e->stream);
    return CJ_OK;
}

static cj_status explain_record(const explaining *e, cj__record *record)
{
    cj_status status = round_variables(record);
    if (status == CJ_OK)
        status = explain_element(e, record);
    for (int i = 0; i < CJ__LAYER_VARIABLES_MAX; i++) {
        cj_release(record->rounded[i]);
        record->rounded[i] = NULL;
    }
    return status;
}

static cj_status explain(explaining *e, cj_tensor *const *samples)
{
    CJ_TRY(trace_model(e, samples));
    if (e->record_count == 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "explain: %s is an input of the model: it computes nothing",
                        e->only ? cj_layer_name(e->only) : cj_layer_name(cj_model_layer(e->model)));
    CJ_TRY(compute(e));
    for (size_t i = 0; i < e->record_count; i++)
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
    explaining e = {.model = model, .stream = stream, .args = &given};
    e.max_rows = given.max_rows < MIN_ROWS ? MIN_ROWS : given.max_rows;
    if (given.layer && !(e.only = cj_model_find_layer(model, given.layer)))
        return cj_error_status();
    const uint64_t begin = cj__causes_begin();
    cj_status status = explain(&e, inputs);
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
