// Conversion of a trained network with ReLU into a spiking one (Diehl and others 2015, "Fast-classifying,
// high-accuracy spiking deep networks through weight and threshold balancing"; Rueckauer and others 2017,
// "Conversion of Continuous-Valued Deep Networks to Efficient Event-Driven Networks for Image
// Classification").
//
// The layers are walked over as the trained network applies them, and each is applied again. What comes
// before the first ReLU does not change over time, and is computed once. Each ReLU becomes
// integrate-and-fire neurons, and from there on symbols have an axis of time. A spike stands for the
// threshold of its neuron, which is its `worth`: the mean over the steps times the worth is the
// activation. Linear layers pass the worth on, layers with a kernel take it into the kernel.
#include "base/args.h"
#include "base/memory.h"
#include "layers/history.h"
#include "layers/input.h"
#include "layers/spiking_convert.h"
#include "tensor/tensor.h"

#include <cajal/conversion.h>
#include <cajal/graph.h>
#include <cajal/merging.h>
#include <cajal/spiking.h>
#include <cajal/wrappers.h>
#include <math.h>
#include <string.h>

// What stands for a symbol of the trained network.
typedef struct value {
    cj_symbol *symbol; // held by the builder of the conversion
    double worth;
    bool in_time;  // (batch, time, ...)
    bool positive; // never below 0, so that ReLU changes nothing
    bool spikes;   // 0 or 1 in each step
} value;

typedef struct conversion {
    const cj_spiking_convert_args *args;
    cj__balance balance;
    cj__build hold;     // everything that is made, until the model holds it
    cj__index calls;    // how often each layer has been applied so far
    bool fires;         // there are neurons
    cj__copied *copies; // what is to get weights, once the model is there
    size_t copy_count, copy_capacity;
} conversion;

// One application that is being converted.
typedef struct place {
    conversion *c;
    cj_model *model; // the one that it belongs to: the trained network, or one within it
    int depth;       // levels of models above
    int index;
    const cj__application *applications;
    value *values; // of all applications
    bool *done;    // for each whether its input already stands for its output
    int which;     // of the applications of that layer
} place;

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

static const cj_layer *layer_at(const place *p)
{
    return p->applications[p->index].layer;
}

static cj_status refuse(const cj_layer *layer, const char *why)
{
    return cj__fail(CJ_UNSUPPORTED, "cj_spiking_convert: %s (%s) %s", layer->name,
                    cj_layer_class(layer), why);
}

// ---- Making layers ----

// The first application of a layer keeps its names; those of later ones are made from the class.
static const char *name_of(const place *p, const char *ending, char *text, size_t size)
{
    if (p->which > 0)
        return NULL;
    snprintf(text, size, "%s%s", layer_at(p)->name, ending);
    return text;
}
#define NAME(p, ending) name_of(p, ending, (char[128]){0}, 128)

static cj_status apply(conversion *c, cj_layer *layer, const value *inputs, int count,
                       cj_symbol **output)
{
    cj_symbol **symbols = cj__build_memory(&c->hold, (size_t)count, sizeof *symbols);
    if (!symbols) {
        cj__drop_floating(layer);
        return c->hold.status;
    }
    for (int i = 0; i < count; i++)
        symbols[i] = inputs[i].symbol;
    *output = cj__build_keep(&c->hold, cj_apply_list(layer, symbols, count));
    return *output ? CJ_OK : cj_error_status();
}

// Applies a layer to what y stands for so far.
static cj_status then(conversion *c, cj_layer *layer, value *y)
{
    return apply(c, layer, y, 1, &y->symbol);
}

static cj_status note_copy(conversion *c, const cj_layer *from, const cj_layer *normal,
                           cj_layer *to, double worth)
{
    if (!to)
        return cj_error_status();
    if (!cj__reserve((void **)&c->copies, &c->copy_capacity, c->copy_count + 1, sizeof *c->copies))
        return CJ_OUT_OF_MEMORY;
    c->copies[c->copy_count++] = (cj__copied){from, normal, to, worth};
    return CJ_OK;
}

// Applies a copy of the layer, to each step where there is time. The copy is held by the wrapper, or
// by the history of the symbol.
static cj_status apply_copy(place *p, cj_layer *copy, const cj_layer *normal, value *y)
{
    const double worth = y->worth;
    cj_layer *outer = copy;
    CJ_TRY(note_copy(p->c, layer_at(p), normal, copy, worth));
    if (y->in_time)
        outer = cj_time_distributed(copy, .name = NAME(p, "_each_step"));
    CJ_TRY(then(p->c, outer, y));
    y->worth = cj__weighs(layer_at(p)) ? 1 : worth;
    return CJ_OK;
}

// The true numbers: a spike is given its worth.
static cj_status to_worth(place *p, value *y, double worth, const char *ending)
{
    const double factor = y->worth / worth;
    if (factor >= 1 && factor <= 1)
        return CJ_OK;
    y->worth = worth;
    y->spikes = false;
    return then(p->c, cj_rescaling(factor, .name = NAME(p, ending)), y);
}

// What does not change, as a sequence: a leaky integrator that keeps nothing.
static cj_status to_time(place *p, value *y)
{
    if (y->in_time)
        return CJ_OK;
    y->in_time = true;
    return then(p->c, cj_leaky_integrator(.beta = 0, .steps = p->c->args->steps), y);
}

// Neurons that fire at the threshold. Half of it on the membrane at first makes the error of a rate as
// often positive as negative (Bu and others 2022, "Optimal ANN-SNN Conversion for High-accuracy and
// Ultra-low-latency Spiking Neural Networks").
static cj_status add_neurons(place *p, const cj_layer *rectified, int which, value *y)
{
    const cj_spiking_convert_args *a = p->c->args;
    const double threshold = cj__balance_threshold(&p->c->balance, rectified, which);
    CJ_TRY(to_worth(p, y, 1, "_worth"));
    CJ_TRY(then(p->c,
                cj_integrate_fire(.name = NAME(p, "_neurons"), .threshold = threshold,
                                  .v_initial = a->start * threshold, .reset = "subtract",
                                  .reset_time = "same", .firing = "reached",
                                  .steps = y->in_time ? 0 : a->steps),
                y));
    y->worth = threshold;
    y->in_time = y->positive = y->spikes = p->c->fires = true;
    return CJ_OK;
}

// The mean over time, as the trained network would give it.
static cj_status to_mean(place *p, value *y)
{
    if (!y->in_time)
        return CJ_OK;
    if (cj_symbol_shape(y->symbol)->rank == 3)
        CJ_TRY(then(p->c, cj_global_average_pooling1d(), y));
    else if (!(y->symbol =
                   cj__build_keep(&p->c->hold, cj_op_reduce_mean(y->symbol, (int[]){1}, 1))))
        return cj_error_status();
    y->in_time = y->spikes = false;
    return to_worth(p, y, 1, "_mean");
}

// ---- Looking ahead ----

// The only application that reads what application `index` gives; -1 if there are others, or if it is
// an output of the model.
static int reader_of(const place *p, int index)
{
    const int count = cj__model_applications(p->model, &(const cj__application *){NULL});
    int reader = -1, readers = 0;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < p->applications[i].input_count; k++)
            if (p->applications[i].input_app[k] == index)
                reader = i, readers++;
    for (int i = 0; i < cj_model_output_count(p->model); i++) {
        int application, output;
        cj__model_output_at(p->model, i, &application, &output);
        readers += application == index ? 2 : 0;
    }
    return readers == 1 ? reader : -1;
}

// Whether application `index` is an output of the whole network, and nothing else reads it.
static bool is_last(const place *p, int index)
{
    const int count = cj__model_applications(p->model, &(const cj__application *){NULL});
    for (int i = 0; i < count; i++)
        for (int k = 0; k < p->applications[i].input_count; k++)
            if (p->applications[i].input_app[k] == index)
                return false;
    return p->depth == 0;
}

// ---- Kinds of layers ----

// The activation that a layer ends in becomes neurons; one that is not ReLU may stand at the end only,
// where it is applied to the means.
static cj_status end_in_activation(place *p, value *y)
{
    const char *const *setting = cj__layer_setting(layer_at(p), "activation");
    const char *activation = setting && *setting ? *setting : "linear";
    double limit;
    y->positive = y->spikes = false;
    if (is(activation, "linear"))
        return CJ_OK;
    if (cj__rectifies(layer_at(p), &limit))
        return add_neurons(p, layer_at(p), p->which, y);
    if (y->in_time && !is_last(p, p->index))
        return refuse(layer_at(p), "has an activation within the network that is not ReLU");
    if (y->in_time && is(p->c->args->output, "steps"))
        return CJ_OK;
    CJ_TRY(to_mean(p, y));
    return then(p->c, cj_activation(activation, .name = NAME(p, "_activation")), y);
}

static cj_status convert_weights(place *p, value *y)
{
    const int next = reader_of(p, p->index);
    const cj_layer *layer = layer_at(p), *normal = next >= 0 ? p->applications[next].layer : NULL;
    if (normal && normal->built && cj__folds(layer, normal))
        p->done[next] = true;
    else
        normal = NULL;
    CJ_TRY(apply_copy(p, cj__linear_again(layer, NAME(p, ""), normal != NULL), normal, y));
    return end_in_activation(p, y);
}

// Max pooling of rates: of the spikes so far, the greatest count in each window, and a spike where that
// has grown. A pool that stands before its ReLU comes after it: the result is the same.
static cj_status convert_max_pool(place *p, value *y)
{
    const int next = reader_of(p, p->index);
    double limit;
    if (!y->spikes && next >= 0 && p->applications[next].layer &&
        cj__rectifies(p->applications[next].layer, &limit) &&
        !cj__weighs(p->applications[next].layer)) {
        const cj_layer *rectified = p->applications[next].layer;
        const int *calls = cj__index_find(&p->c->calls, rectified);
        CJ_TRY(add_neurons(p, rectified, calls ? *calls : 0, y));
        p->done[next] = true;
    }
    if (!y->spikes)
        return refuse(layer_at(p),
                      "takes the greatest of numbers that are no spikes: put it after a "
                      "ReLU, or take average pooling");
    const double worth = y->worth;
    CJ_TRY(then(p->c, cj_leaky_integrator(.beta = 1, .name = NAME(p, "_counts")), y));
    CJ_TRY(apply_copy(p, cj__layer_again(layer_at(p), NAME(p, ""), false), NULL, y));
    CJ_TRY(then(p->c, cj_delta_code(.threshold = 0.5, .name = NAME(p, "_spikes")), y));
    *y = (value){y->symbol, worth, true, true, true};
    return CJ_OK;
}

// Sums and differences of what has one worth, each step by itself.
static cj_status convert_merge(place *p, value *inputs, int count, value *y)
{
    cj_layer *copy = cj__layer_again(layer_at(p), NAME(p, ""), false);
    const bool sums = !is(cj_layer_class(layer_at(p)), "Subtract");
    double worth = inputs[0].worth;
    bool positive = sums, same = true;
    for (int i = 1; i < count; i++)
        same = same && inputs[i].worth >= worth && inputs[i].worth <= worth;
    for (int i = 0; copy && i < count; i++) {
        positive = positive && inputs[i].positive;
        CJ_TRY(to_time(p, &inputs[i]));
        if (!same)
            CJ_TRY(to_worth(p, &inputs[i], 1, i == 0 ? "_worth" : i == 1 ? "_worth_1" : NULL));
    }
    if (!copy)
        return cj_error_status();
    if (is(cj_layer_class(copy), "Concatenate")) {
        int *axis = cj__layer_setting(copy, "axis");
        *axis += *axis > 0; // the axis of time comes before it
    }
    *y = (value){NULL, same ? worth : 1, true, positive, false};
    return apply(p->c, copy, inputs, count, &y->symbol);
}

// A layer that is linear but for a constant, such as BatchNormalization, which is frozen, so that it
// goes on as in prediction.
static cj_status convert_affine(place *p, value *y)
{
    cj_layer *copy = cj__layer_again(layer_at(p), NAME(p, ""), false);
    if (copy)
        copy->trainable = false;
    y->positive = y->spikes = false;
    CJ_TRY(to_worth(p, y, 1, "_worth"));
    return apply_copy(p, copy, NULL, y);
}

static cj_status convert_activation(place *p, value *y)
{
    double limit;
    if (cj__rectifies(layer_at(p), &limit)) {
        // Another ReLU of rates changes nothing, unless it has a limit.
        if (y->in_time && y->positive && isinf(limit))
            return CJ_OK;
        return add_neurons(p, layer_at(p), p->which, y);
    }
    if (y->in_time && !is_last(p, p->index))
        return refuse(layer_at(p), "is an activation within the network that is not ReLU");
    if (y->in_time && is(p->c->args->output, "steps"))
        return CJ_OK;
    CJ_TRY(to_mean(p, y));
    y->positive = y->spikes = false;
    return apply_copy(p, cj__layer_again(layer_at(p), NAME(p, ""), false), NULL, y);
}

static bool is_activation(const cj_layer *layer)
{
    static const char *const classes[] = {"ReLU",  "Activation", "Softmax", "LeakyReLU",
                                          "PReLU", "ELU",        NULL};
    return cj__is_one_of(layer, classes);
}

// One input that changes over time.
static cj_status convert_in_time(place *p, value *y)
{
    static const char *const max_pools[] = {"MaxPooling1D",
                                            "MaxPooling2D",
                                            "MaxPooling3D",
                                            "GlobalMaxPooling1D",
                                            "GlobalMaxPooling2D",
                                            "GlobalMaxPooling3D",
                                            NULL};
    static const char *const averages[] = {"AveragePooling1D",
                                           "AveragePooling2D",
                                           "AveragePooling3D",
                                           "GlobalAveragePooling1D",
                                           "GlobalAveragePooling2D",
                                           "GlobalAveragePooling3D",
                                           NULL};
    static const char *const moves[] = {"Flatten",       "Reshape",
                                        "Permute",       "RepeatVector",
                                        "ZeroPadding1D", "ZeroPadding2D",
                                        "ZeroPadding3D", "Cropping1D",
                                        "Cropping2D",    "Cropping3D",
                                        "UpSampling1D",  "UpSampling2D",
                                        "UpSampling3D",  NULL};
    static const char *const affine[] = {"BatchNormalization", "Rescaling", "Normalization", NULL};
    const cj_layer *layer = layer_at(p);
    if (cj__weighs(layer))
        return convert_weights(p, y);
    if (is_activation(layer))
        return convert_activation(p, y);
    if (cj__is_one_of(layer, max_pools))
        return convert_max_pool(p, y);
    if (cj__is_one_of(layer, affine))
        return convert_affine(p, y);
    const bool mixes = cj__is_one_of(layer, averages) || is(cj_layer_class(layer), "UpSampling2D");
    if (!mixes && !cj__is_one_of(layer, moves))
        return refuse(layer, "cannot become a part of a spiking network");
    y->spikes = y->spikes && !mixes;
    return apply_copy(p, cj__layer_again(layer, NAME(p, ""), false), NULL, y);
}

// An input that does not change: the layer works as it does, up to its ReLU.
static cj_status convert_still(place *p, value *inputs, int count, value *y)
{
    const cj_layer *layer = layer_at(p);
    double limit;
    *y = inputs[0];
    if (cj__weighs(layer))
        return convert_weights(p, y);
    if (is_activation(layer) && cj__rectifies(layer, &limit))
        return convert_activation(p, y);
    if (cj__rectifies(layer, &limit))
        return refuse(layer, "has a ReLU of its own that cannot become neurons");
    cj_layer *copy = cj__layer_again(layer, NAME(p, ""), false);
    if (copy && is(cj_layer_class(layer), "BatchNormalization"))
        copy->trainable = false;
    CJ_TRY(note_copy(p->c, layer, NULL, copy, 1));
    return apply(p->c, copy, inputs, count, &y->symbol);
}

// ---- The walk ----

static cj_status convert_model(conversion *c, cj_model *model, int depth, const value *inputs,
                               value *outputs);

static cj_status convert_layer(place *p, value *inputs, int count, value *y)
{
    // What only does something in training is left out.
    static const char *const left_out[] = {"Dropout",
                                           "SpatialDropout1D",
                                           "SpatialDropout2D",
                                           "SpatialDropout3D",
                                           "AlphaDropout",
                                           "GaussianNoise",
                                           "GaussianDropout",
                                           "Identity",
                                           "ActivityRegularization",
                                           NULL};
    static const char *const merges[] = {"Add", "Subtract", "Average", "Concatenate", NULL};
    cj_layer *layer = p->applications[p->index].layer;
    bool in_time = false;
    for (int i = 0; i < count; i++)
        in_time = in_time || inputs[i].in_time;
    *y = inputs[0];
    if (p->done[p->index] || cj__is_one_of(layer, left_out))
        return CJ_OK;
    if (cj_layer_model(layer))
        return convert_model(p->c, cj_layer_model(layer), p->depth + 1, inputs, y);
    if (!in_time)
        return convert_still(p, inputs, count, y);
    if (cj__is_one_of(layer, merges))
        return convert_merge(p, inputs, count, y);
    if (count > 1)
        return refuse(layer, "puts several inputs together otherwise than by a sum");
    return convert_in_time(p, y);
}

static cj_status convert_application(place *p)
{
    const cj__application *a = &p->applications[p->index];
    cj__build *g = &p->c->hold;
    value *inputs = cj__build_memory(g, (size_t)a->input_count, sizeof *inputs);
    if (!inputs)
        return g->status;
    if (!a->layer)
        return cj__fail(
            CJ_UNSUPPORTED,
            "cj_spiking_convert: %s has an operator between layers, which cannot become "
            "a part of a spiking network",
            cj_layer_name(cj_model_layer(p->model)));
    if (a->output_count > 1)
        return refuse(a->layer, "has several outputs");
    for (int i = 0; i < a->input_count; i++)
        inputs[i] = p->values[a->input_app[i]];
    int *calls = cj__index_find(&p->c->calls, a->layer);
    p->which = calls ? (*calls)++ : 0;
    if (!calls && !cj__index_add(&p->c->calls, a->layer, 1))
        return CJ_OUT_OF_MEMORY;
    return convert_layer(p, inputs, a->input_count, &p->values[p->index]);
}

static cj_status walk(place *p, int count, const value *inputs, value *outputs)
{
    for (int i = 0; i < cj_model_input_count(p->model); i++) {
        int at;
        cj__model_input_at(p->model, i, &at);
        p->values[at] = inputs[i];
    }
    for (p->index = 0; p->index < count; p->index++)
        if (!p->values[p->index].symbol)
            CJ_TRY(convert_application(p));
    for (int i = 0; i < cj_model_output_count(p->model); i++) {
        int application, output;
        cj__model_output_at(p->model, i, &application, &output);
        outputs[i] = p->values[application];
    }
    return CJ_OK;
}

static cj_status convert_model(conversion *c, cj_model *model, int depth, const value *inputs,
                               value *outputs)
{
    place p = {.c = c, .model = model, .depth = depth};
    const int count = cj__model_applications(model, &p.applications);
    p.values = cj__new((size_t)count, sizeof *p.values);
    p.done = cj__new((size_t)count, sizeof *p.done);
    const cj_status status =
        p.values && p.done ? walk(&p, count, inputs, outputs) : CJ_OUT_OF_MEMORY;
    cj__free(p.values);
    cj__free(p.done);
    return status;
}

static cj_status end_output(conversion *c, cj_model *model, value *y)
{
    place p = {.c = c, .model = model, .which = 1}; // names are made from classes
    if (!y->in_time)
        return CJ_OK;
    return is(c->args->output, "steps") ? to_worth(&p, y, 1, NULL) : to_mean(&p, y);
}

static cj_status make(conversion *c, cj_model *model, cj_model **made)
{
    const cj__type *types;
    value input = {.worth = 1};
    const int count = cj_model_output_count(model);
    value *outputs = cj__build_memory(&c->hold, (size_t)count, sizeof *outputs);
    cj_symbol **symbols = cj__build_memory(&c->hold, (size_t)count, sizeof *symbols);
    if (!symbols)
        return c->hold.status;
    cj__model_inputs(model, &types);
    cj_layer *layer = cj__own(cj__input_of_type(&types[0]));
    input.symbol = layer ? cj__build_keep(&c->hold, cj__input_symbol_of(layer)) : NULL;
    cj_release(layer);
    if (!input.symbol)
        return cj_error_status();
    CJ_TRY(convert_model(c, model, 0, &input, outputs));
    if (!c->fires)
        return cj__fail(CJ_UNSUPPORTED,
                        "cj_spiking_convert: %s has no ReLU that could become neurons",
                        cj_layer_name(cj_model_layer(model)));
    for (int i = 0; i < count; i++) {
        CJ_TRY(end_output(c, model, &outputs[i]));
        symbols[i] = outputs[i].symbol;
    }
    *made = cj_functional(.inputs = {input.symbol}, .outputs_list = symbols, .outputs_count = count,
                          .name = c->args->name);
    if (!*made)
        return cj_error_status();
    for (size_t i = 0; i < c->copy_count; i++)
        CJ_TRY(cj__copy_weights(&c->copies[i]));
    return CJ_OK;
}

// ---- The public function ----

static const cj_spiking_convert_args convert_defaults = {CJ_SPIKING_CONVERT_DEFAULTS};

void cj_spiking_convert_defaults(cj_spiking_convert_args *args)
{
    if (args)
        *args = convert_defaults;
}

static cj_status check(const cj_spiking_convert_args *a, const cj_model *model, const cj_tensor *x)
{
    if (!model)
        return cj__fail_missing(CJ__MADE_MODEL, "cj_spiking_convert: the model");
    if (!x)
        return cj__fail_missing(CJ__MADE_TENSOR, "cj_spiking_convert: the data");
    if (a->steps < 1 || a->steps > INT32_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_spiking_convert: %lld steps, needed are 1 to 2147483647",
                        (long long)a->steps);
    if (!(a->percentile > 0 && a->percentile <= 100))
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_spiking_convert: the percentile is %g, needed is one above 0, at most 100",
            a->percentile);
    if (!(a->start >= 0 && a->start < 1))
        return cj__fail(
            CJ_INVALID_ARGUMENT,
            "cj_spiking_convert: the membrane starts at %g of the threshold, needed is a "
            "share from 0 to below 1",
            a->start);
    if (!is(a->output, "mean") && !is(a->output, "steps"))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_spiking_convert: the output \"%s\", needed is \"mean\" or \"steps\"",
                        a->output ? a->output : "");
    if (cj_model_input_count(model) == 0)
        return cj__fail(CJ_NOT_BUILT, "cj_spiking_convert: %s has not been built",
                        cj_layer_name(cj_model_layer(model)));
    if (cj_model_input_count(model) > 1)
        return cj__fail(CJ_UNSUPPORTED, "cj_spiking_convert: %s has %d inputs, needed is one",
                        cj_layer_name(cj_model_layer(model)), cj_model_input_count(model));
    if (cj_tensor_shape(x)->rank < 1 || cj_tensor_shape(x)->dims[0] < 1)
        return cj__fail(CJ_SHAPE_MISMATCH, "cj_spiking_convert: the data has no samples");
    return CJ_OK;
}

cj_model *cj_spiking_convert_with(cj_model *model, const cj_tensor *x,
                                  const cj_spiking_convert_args *args)
{
    cj_spiking_convert_args a;
    conversion c = {.args = &a};
    cj_model *made = NULL;
    const uint64_t begin = cj__causes_begin();
    cj_status status = cj__args_read("cj_spiking_convert", args, &convert_defaults, sizeof a, &a);
    if (status == CJ_OK)
        status = check(&a, model, x);
    if (status == CJ_OK)
        status = cj__balance_measure(&c.balance, model, x, a.percentile);
    if (status == CJ_OK)
        status = make(&c, model, &made);
    cj__build_end(&c.hold);
    cj__balance_free(&c.balance);
    cj__index_free(&c.calls);
    cj__free(c.copies);
    cj__causes_end(begin, status);
    if (status == CJ_OK)
        return made;
    cj_release(made);
    return cj__build_failed(CJ__MADE_MODEL);
}
