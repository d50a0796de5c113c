// The neurons of a model on one sample, as a picture: see include/cajal/spike_trains.h.
#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "explain/plot_spikes.h"
#include "explain/spike_trains.h"
#include "tensor/tensor.h"

#include <cajal/spike_trains.h>
#include <string.h>

#define WHO "cj_model_spikes_plot"

static const cj_model_spikes_plot_args plot_defaults = {CJ_MODEL_SPIKES_PLOT_DEFAULTS};

void cj_model_spikes_plot_defaults(cj_model_spikes_plot_args *args)
{
    if (args)
        *args = plot_defaults;
}

typedef struct plotting {
    const cj_model_spikes_plot_args *args;
    cj__acts acts;
    const cj_tensor *input;
    cj_symbol **symbols; // for each layer its spikes, if it fires, and its membranes
    cj_tensor **values;
    int count;
} plotting;

static bool is_shown(const plotting *p, const cj__acting *row)
{
    return row->neurons && (!p->args->layer || strcmp(row->layer->name, p->args->layer) == 0);
}

static cj_status make_symbols(plotting *p)
{
    const size_t most = 2 * p->acts.count;
    p->symbols = cj__new(most, sizeof(cj_symbol *));
    p->values = cj__new(most, sizeof(cj_tensor *));
    if (!p->symbols || !p->values)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < p->acts.count; i++) {
        cj__acting *row = &p->acts.rows[i];
        if (!is_shown(p, row))
            continue;
        CJ_TRY(cj__acts_show(&p->acts, row, WHO));
        if (row->spikes)
            p->symbols[p->count++] = row->spikes;
        p->symbols[p->count++] = row->membranes;
    }
    return p->count > 0 ? CJ_OK :
                          cj__fail(CJ_NOT_FOUND, WHO ": no layer of neurons has the name \"%s\"",
                                   p->args->layer);
}

static cj_status compute(plotting *p)
{
    for (int i = 0; i < p->count; i++) {
        cj_shape shape = *cj_symbol_shape(p->symbols[i]);
        shape.dims[0] = 1;
        CJ_TRY(cj_tensor_new(cj_symbol_dtype(p->symbols[i]), shape, &p->values[i]));
    }
    cj_function *function = cj_function(.inputs = &p->acts.input, .input_count = 1,
                                        .outputs = p->symbols, .output_count = p->count);
    cj_tensor *input = (cj_tensor *)(uintptr_t)p->input;
    const cj_status status =
        function ? cj_function_call(function, &input, p->values) : cj_error_status();
    cj_release(function);
    return status;
}

static void title_of(const cj__acting *row, const cj__spike_record *spikes,
                     const cj__spike_record *membranes, char *text, size_t size)
{
    const cj__spike_record *r = spikes ? spikes : membranes;
    double count = 0;
    for (int64_t i = 0; spikes && i < r->steps * r->neurons; i++)
        count += cj__element_get(CJ_F32, spikes->tensor->data, i) > 0.5;
    int used = snprintf(text, size, "%s (%s): %lld neurons, %lld steps", row->layer->name,
                        cj_layer_class(row->layer), (long long)r->neurons, (long long)r->steps);
    if (spikes && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", %.0f spikes", count);
}

// Draws the layers one below the other; without a stream only the height is worked out.
static cj_status draw(const plotting *p, FILE *stream, double *high)
{
    int at = 0;
    *high = 0;
    for (size_t i = 0; i < p->acts.count; i++) {
        const cj__acting *row = &p->acts.rows[i];
        cj__spike_record spikes, membranes;
        char title[256];
        if (!is_shown(p, row))
            continue;
        if (row->spikes)
            CJ_TRY(cj__spike_record_of(p->values[at++], "spikes", &spikes));
        CJ_TRY(cj__spike_record_of(p->values[at++], "membranes", &membranes));
        const cj__spike_record *s = row->spikes ? &spikes : NULL;
        title_of(row, s, &membranes, title, sizeof title);
        if (stream)
            cj__spikes_draw(stream, *high, title, s, &membranes, p->args->rows, p->args->membranes);
        *high += cj__spikes_height(s, &membranes, p->args->rows, p->args->membranes);
    }
    return CJ_OK;
}

static cj_status plot(plotting *p, cj_model *model, FILE *stream)
{
    double high;
    const cj__type type = {cj_tensor_dtype(p->input), *cj_tensor_shape(p->input)};
    CJ_TRY(cj__acts_begin(&p->acts, model, &type, WHO));
    CJ_TRY(make_symbols(p));
    CJ_TRY(compute(p));
    CJ_TRY(draw(p, NULL, &high));
    cj__svg_begin(stream, high);
    CJ_TRY(draw(p, stream, &high));
    return cj__svg_end(stream);
}

// The sample with a batch axis of 1.
static cj_status as_batch(const cj_model *model, const cj_tensor *input, cj_tensor **batch)
{
    const cj_shape *wanted = cj_model_input_shape(model, 0), *given = cj_tensor_shape(input);
    cj_shape shape = {.rank = given->rank + 1, .dims = {1}};
    char text[CJ_MAX_RANK * 24];
    if (wanted && given->rank == wanted->rank && given->dims[0] == 1) {
        *batch = cj_retain(input);
        return CJ_OK;
    }
    if (!wanted || given->rank + 1 != wanted->rank)
        return cj__fail(CJ_SHAPE_MISMATCH, WHO ": an input of shape %s, needed is one sample",
                        cj_shape_text(given, text, sizeof text));
    memcpy(shape.dims + 1, given->dims, (size_t)given->rank * sizeof given->dims[0]);
    return cj_tensor_reshape(input, shape, batch);
}

cj_status cj_model_spikes_plot_with(cj_model *model, const cj_tensor *input, FILE *stream,
                                    const cj_model_spikes_plot_args *args)
{
    cj_model_spikes_plot_args a;
    plotting p = {.args = &a};
    cj_tensor *batch = NULL;
    CJ_TRY(cj__args_read(WHO, args, &plot_defaults, sizeof a, &a));
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, WHO ": the model");
    if (!input)
        return cj__fail_missing(CJ__MADE_TENSOR, WHO ": the input");
    if (!stream)
        return cj__fail_null(WHO ": the stream");
    if (a.rows < 0 || a.membranes < 0)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        WHO ": %lld rows and %lld membranes, needed are numbers from 0 on",
                        (long long)a.rows, (long long)a.membranes);
    if (cj_model_input_count(model) == 0)
        return cj__fail(CJ_NOT_BUILT, WHO ": %s has not been built",
                        cj_layer_name(cj_model_layer(model)));
    CJ_TRY(as_batch(model, input, &batch));
    p.input = batch;
    const uint64_t begin = cj__causes_begin();
    const cj_status status = plot(&p, model, stream);
    for (int i = 0; i < p.count; i++)
        cj_release(p.values[i]);
    cj__free(p.values);
    cj__free(p.symbols);
    cj__acts_end(&p.acts);
    cj_release(batch);
    return cj__causes_end(begin, status);
}
