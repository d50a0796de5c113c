// How much the neurons of a model fire, and which multiplications that saves: see
// include/cajal/spike_trains.h. A layer with a kernel is applied once more to ones where its input is not 0,
// with a kernel of ones: the sum of what it gives is the number of multiplications that have such an input.
// A separable convolution is two: its second kernel takes what the first gives with its own weights. A
// spike goes once through each weight of a recurrent input.
#include "base/error.h"
#include "base/memory.h"
#include "explain/spike_trains.h"
#include "layers/spiking.h"
#include "layers/spiking_convert.h"
#include "ops/build.h"
#include "ops/variable.h"
#include "tensor/tensor.h"

#include <cajal/spike_trains.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WHO "cj_spike_activities"

enum { MOST_SAMPLES = 32 };

// One layer: the spikes of each neuron, or two sums of multiplications.
typedef struct counted {
    const cj__acting *row;
    cj_symbol *symbols[2];
    cj_tensor *values[2]; // of one batch
    double *spikes;       // of each neuron, over all samples
    int64_t neurons, steps;
    int64_t fan; // weights of the recurrent input that a neuron's spike goes through; 0 for none
    double sums[2];
} counted;

typedef struct counting {
    cj__acts acts;
    counted *layers;
    int count;
    const cj_tensor *x;
    cj_function *function;
    cj_tensor **outputs;
} counting;

// ---- The graph ----

// 1 where x is not 0, or everywhere.
static cj_symbol *ones_of(cj__build *g, cj_symbol *x, bool everywhere)
{
    cj_symbol *size = cj__apply_unary(g, CJ__UNARY_absolute, cj__cast(g, x, CJ_F32), 0, 0);
    if (everywhere)
        size = cj__shift(g, size, 1);
    return cj__cast(g, cj__compare(g, CJ__COMPARISON_greater, size, cj__scalar_like(g, size, 0)),
                    CJ_F32);
}

static cj_status set_ones(cj_layer *copy)
{
    for (int i = 0; i < copy->variable_count; i++) {
        const char *name = strrchr(cj_variable_name(copy->variables[i]), '/');
        cj_tensor *value = NULL;
        CJ_TRY(cj_tensor_new(CJ_F32, cj__variable_type(copy->variables[i]).shape, &value));
        cj_tensor_fill(value, name && strcmp(name, "/bias") == 0 ? 0 : 1);
        const cj_status status = cj_variable_assign(copy->variables[i], value);
        cj_release(value);
        CJ_TRY(status);
    }
    return CJ_OK;
}

// A layer as it is made anew for counting, with as many filters as `filters` says unless that is 0; held
// by the counting.
static cj_status copy_layer(counting *c, const cj_layer *layer, int64_t filters, cj_layer **copy)
{
    cj__acts *acts = &c->acts;
    *copy = NULL;
    if (!cj__reserve((void **)&acts->copies, &acts->copy_capacity, acts->copy_count + 1,
                     sizeof *acts->copies))
        return CJ_OUT_OF_MEMORY;
    cj_layer *made = cj__own(cj__linear_again(layer, layer->name, false));
    if (!made)
        return cj_error_status();
    acts->copies[acts->copy_count++] = made;
    int64_t *setting = filters > 0 ? cj__layer_setting(made, "filters") : NULL;
    if (setting)
        *setting = filters;
    *copy = made;
    return cj__layer_set_policy(made, "float32");
}

static cj_status call_copy(counting *c, cj_layer *copy, cj_symbol *x, cj_symbol **y)
{
    cj__value *outputs = NULL;
    const cj__value input = {x, NULL};
    int count = 0;
    if (!x)
        return c->acts.trace.build.status;
    CJ_TRY(cj__layer_call(copy, &c->acts.trace, &input, 1, &outputs, &count));
    *y = outputs[0].symbol;
    return CJ_OK;
}

// The two sums of a layer with one kernel: multiplications with an input that is not 0, and all.
static cj_status add_sums(counting *c, counted *layer)
{
    cj__build *g = &c->acts.trace.build;
    cj_layer *copy;
    CJ_TRY(copy_layer(c, layer->row->layer, 0, &copy));
    for (int i = 0; i < 2; i++) {
        cj_symbol *y = NULL;
        CJ_TRY(call_copy(c, copy, ones_of(g, layer->row->input, i == 1), &y));
        layer->symbols[i] = cj__sum(g, y, cj__all_axes(y), false);
    }
    CJ_TRY(set_ones(copy));
    return g->status;
}

static bool is_separable(const cj_layer *layer)
{
    return strncmp(cj_layer_class(layer), "Separable", 9) == 0;
}

static cj_variable *variable_of(const cj_layer *layer, const char *name)
{
    for (int i = 0; i < layer->variable_count; i++) {
        const char *slash = strrchr(cj_variable_name(layer->variables[i]), '/');
        if (slash && strcmp(slash + 1, name) == 0)
            return layer->variables[i];
    }
    return NULL;
}

// The first step of a separable convolution, as one whose second kernel is the identity.
static cj_status first_step(counting *c, const cj_layer *layer, cj_symbol *x, cj_symbol **inner)
{
    const cj_variable *depthwise = variable_of(layer, "depthwise_kernel"),
                      *pointwise = variable_of(layer, "pointwise_kernel");
    cj_tensor *identity = NULL;
    cj_layer *copy;
    if (!depthwise || !pointwise)
        return cj__fail(CJ_NOT_BUILT, WHO ": %s is not built", layer->name);
    const cj_shape shape = cj__variable_type(pointwise).shape;
    const int64_t width = shape.dims[shape.rank - 2];
    CJ_TRY(copy_layer(c, layer, width, &copy));
    CJ_TRY(call_copy(c, copy, cj__cast(&c->acts.trace.build, x, CJ_F32), inner));
    CJ_TRY(cj_variable_assign(variable_of(copy, "depthwise_kernel"), cj__variable_read(depthwise)));
    CJ_TRY(cj_tensor_new(CJ_F32, cj__variable_type(variable_of(copy, "pointwise_kernel")).shape,
                         &identity));
    cj_tensor_fill(identity, 0);
    for (int64_t i = 0; i < width; i++)
        ((float *)identity->data)[i * width + i] = 1;
    const cj_status status = cj_variable_assign(variable_of(copy, "pointwise_kernel"), identity);
    cj_release(identity);
    return status;
}

// Ones through both kernels of ones give what the first step multiplies, times the filters of the second.
static cj_status add_separable(counting *c, counted *layer)
{
    cj__build *g = &c->acts.trace.build;
    cj_symbol *inner = NULL;
    const int64_t *filters = cj__layer_setting(layer->row->layer, "filters");
    CJ_TRY(add_sums(c, layer));
    CJ_TRY(first_step(c, layer->row->layer, layer->row->input, &inner));
    for (int i = 0; i < 2; i++) {
        cj_symbol *heard = cj__sum(g, ones_of(g, inner, i == 1), cj__all_axes(inner), false);
        layer->symbols[i] = cj__add(g, cj__scale(g, layer->symbols[i], 1 / (double)*filters),
                                    cj__scale(g, heard, (double)*filters));
    }
    return g->status;
}

// The spikes that the step after them hears, all but those of the last step.
static void add_recurrence(counting *c, counted *layer)
{
    cj__build *g = &c->acts.trace.build;
    const cj__spiking_args *a = layer->row->layer->args;
    cj_symbol *spikes = layer->row->spikes;
    const cj_shape *shape = cj_symbol_shape(spikes);
    if (strcmp(a->recurrent, "none") == 0)
        return;
    layer->fan = strcmp(a->recurrent, "dense") == 0 ? shape->dims[shape->rank - 1] : 1;
    if (layer->steps > 1)
        spikes = cj__slice(g, spikes, 1, a->go_backwards, layer->steps - 1);
    else
        spikes = cj__scale(g, spikes, 0);
    layer->symbols[1] = cj__sum(g, spikes, cj__all_axes(spikes), false);
}

static cj_status add_spikes(counting *c, counted *layer)
{
    cj__build *g = &c->acts.trace.build;
    CJ_TRY(cj__acts_show(&c->acts, (cj__acting *)(uintptr_t)layer->row, WHO));
    layer->symbols[0] = cj__sum(g, layer->row->spikes, 1u | 1u << 1, false);
    if (!layer->symbols[0])
        return g->status;
    layer->steps = cj_symbol_shape(layer->row->spikes)->dims[1];
    layer->neurons = cj_shape_count(cj_symbol_shape(layer->symbols[0]));
    layer->spikes = cj__new((size_t)layer->neurons, sizeof(double));
    if (!layer->spikes)
        return CJ_OUT_OF_MEMORY;
    add_recurrence(c, layer);
    return g->status;
}

static cj_status add_layer(counting *c, counted *layer)
{
    return layer->row->neurons             ? add_spikes(c, layer) :
           is_separable(layer->row->layer) ? add_separable(c, layer) :
                                             add_sums(c, layer);
}

static cj_status add_layers(counting *c)
{
    c->layers = cj__new(c->acts.count, sizeof *c->layers);
    if (!c->layers)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < c->acts.count; i++) {
        counted *layer = &c->layers[c->count];
        layer->row = &c->acts.rows[i];
        if (layer->row->neurons && !layer->row->fires)
            continue;
        c->count++;
        CJ_TRY(add_layer(c, layer));
    }
    return CJ_OK;
}

// ---- The run ----

static cj_status make_function(counting *c)
{
    cj_symbol **symbols = cj__new((size_t)c->count * 2, sizeof *symbols);
    int at = 0;
    c->outputs = cj__new((size_t)c->count * 2, sizeof *c->outputs);
    cj_status status = symbols && c->outputs ? CJ_OK : CJ_OUT_OF_MEMORY;
    for (int i = 0; status == CJ_OK && i < c->count; i++)
        for (int k = 0; status == CJ_OK && k < 2 && c->layers[i].symbols[k]; k++, at++) {
            symbols[at] = c->layers[i].symbols[k];
            status = cj_tensor_new(CJ_F32, *cj_symbol_shape(symbols[at]), &c->outputs[at]);
            c->layers[i].values[k] = c->outputs[at];
        }
    if (status == CJ_OK) {
        c->function = cj_function(.inputs = &c->acts.input, .input_count = 1, .outputs = symbols,
                                  .output_count = at);
        status = c->function ? CJ_OK : cj_error_status();
    }
    cj__free(symbols);
    return status;
}

static void add_up(counted *layer, int64_t samples)
{
    for (int64_t i = 0; i < layer->neurons; i++)
        layer->spikes[i] += cj__element_get(CJ_F32, layer->values[0]->data, i);
    if (layer->fan > 0) {
        layer->sums[0] += (double)layer->fan * cj__element_get(CJ_F32, layer->values[1]->data, 0);
        layer->sums[1] += (double)(layer->fan * layer->neurons * layer->steps * samples);
    }
    for (int k = 0; k < 2 && !layer->row->neurons; k++)
        layer->sums[k] += cj__element_get(CJ_F32, layer->values[k]->data, 0);
}

static cj_status run(counting *c, int64_t batch)
{
    const int64_t samples = cj_tensor_shape(c->x)->dims[0];
    for (int64_t at = 0; at < samples; at += batch) {
        cj_tensor *part = NULL;
        const int64_t count = samples - at < batch ? samples - at : batch;
        CJ_TRY(cj_tensor_slice(c->x, 0, at, count, &part));
        const cj_status status = cj_function_call(c->function, &part, c->outputs);
        cj_release(part);
        CJ_TRY(status);
        for (int i = 0; i < c->count; i++)
            add_up(&c->layers[i], count);
    }
    return CJ_OK;
}

static cj_status count_all(counting *c, cj_model *model)
{
    const int64_t fixed = cj_model_batch_size(model);
    cj__type type = {cj_tensor_dtype(c->x), *cj_tensor_shape(c->x)};
    if (type.shape.rank < 1 || type.shape.dims[0] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, WHO ": there are no samples");
    type.shape.dims[0] = fixed > 0 ? fixed : CJ_BATCH;
    CJ_TRY(cj__acts_begin(&c->acts, model, &type, WHO));
    CJ_TRY(add_layers(c));
    CJ_TRY(make_function(c));
    return run(c, fixed > 0 ? fixed : MOST_SAMPLES);
}

static void end_counting(counting *c)
{
    for (int i = 0; i < c->count; i++) {
        for (int k = 0; k < 2; k++)
            cj_release(c->layers[i].values[k]);
        cj__free(c->layers[i].spikes);
    }
    cj_release(c->function);
    cj__free(c->outputs);
    cj__free(c->layers);
    cj__acts_end(&c->acts);
}

// ---- What is told ----

static cj_spike_activity activity_of(const counted *layer, double samples)
{
    cj_spike_activity a = {.neurons = layer->neurons, .steps = layer->steps};
    int64_t silent = 0;
    snprintf(a.layer, sizeof a.layer, "%s", layer->row->layer->name);
    for (int64_t i = 0; i < layer->neurons; i++) {
        a.spikes += layer->spikes[i] / samples;
        silent += !(layer->spikes[i] > 0);
    }
    if (layer->neurons > 0) {
        a.rate = a.spikes / ((double)layer->neurons * (double)layer->steps);
        a.silent = (double)silent / (double)layer->neurons;
    }
    a.operations = layer->sums[0] / samples;
    a.all = layer->sums[1] / samples;
    return a;
}

static cj_status check(const cj_model *model, const cj_tensor *x)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, WHO ": the model");
    return x ? CJ_OK : cj__fail_missing(CJ__MADE_TENSOR, WHO ": the samples");
}

cj_status cj_spike_activities(cj_model *model, const cj_tensor *x, cj_spike_activity *rows,
                              int capacity, int *count)
{
    counting c = {.x = x};
    CJ_TRY(check(model, x));
    if (!count || (!rows && capacity > 0))
        return cj__fail_null(count ? WHO ": the rows" : WHO ": the place for the number of layers");
    const uint64_t begin = cj__causes_begin();
    const cj_status status = count_all(&c, model);
    if (status == CJ_OK) {
        *count = c.count;
        for (int i = 0; i < c.count && i < capacity; i++)
            rows[i] = activity_of(&c.layers[i], (double)cj_tensor_shape(x)->dims[0]);
    }
    end_counting(&c);
    return cj__causes_end(begin, status);
}

static void print_row(const cj_spike_activity *a, FILE *stream)
{
    const int width = a->neurons > 0 ? 13 : 61;
    fprintf(stream, "%-28.28s ", a->layer);
    if (a->neurons > 0)
        fprintf(stream, "%9lld %6lld %12.1f %7.2f %% %6.1f %%", (long long)a->neurons,
                (long long)a->steps, a->spikes, 100 * a->rate, 100 * a->silent);
    if (a->all > 0)
        fprintf(stream, " %*.0f %14.0f %6.1f %%", width, a->operations, a->all,
                100 * (1 - a->operations / a->all));
    fprintf(stream, "\n");
}

static void print_table(const counting *c, FILE *stream)
{
    const double samples = (double)cj_tensor_shape(c->x)->dims[0];
    double spikes = 0, operations = 0, all = 0;
    fprintf(stream, "%-28s %9s %6s %12s %9s %8s %13s %14s %8s\n", "Layer", "neurons", "steps",
            "spikes", "rate", "silent", "operations", "of", "saved");
    for (int i = 0; i < c->count; i++) {
        const cj_spike_activity row = activity_of(&c->layers[i], samples);
        print_row(&row, stream);
        spikes += row.spikes;
        operations += row.operations;
        all += row.all;
    }
    fprintf(stream,
            "A sample: %.1f spikes; %.0f multiplications with an input that is not 0, of "
            "%.0f: %.1f %% saved\n",
            spikes, operations, all, all > 0 ? 100 * (1 - operations / all) : 0);
}

cj_status cj_spike_activities_print(cj_model *model, const cj_tensor *x, FILE *stream)
{
    counting c = {.x = x};
    if (!stream)
        return cj__fail_null("cj_spike_activities_print: the stream");
    CJ_TRY(check(model, x));
    const uint64_t begin = cj__causes_begin();
    cj_status status = count_all(&c, model);
    if (status == CJ_OK)
        print_table(&c, stream);
    end_counting(&c);
    if (status == CJ_OK && ferror(stream))
        status = cj__fail(CJ_IO, "cj_spike_activities_print: the table cannot be written");
    return cj__causes_end(begin, status);
}
