// Losses and metrics by themselves: see cajal/metrics.h. Each is a function of targets, predictions
// and weights; that of a metric gives the states of a batch, which are added up here.
#include "base/error.h"
#include "base/memory.h"
#include "base/object.h"
#include "graph/graph.h"
#include "train/metrics.h"
#include <cajal/metrics.h>
#include <math.h>
#include <string.h>

enum { MOST_INPUTS = 4 };

// Inputs of a function with a free batch axis, and the tensors for them.
typedef struct operands {
    cj_symbol *symbols[MOST_INPUTS];
    cj_tensor *tensors[MOST_INPUTS];
    int count;
} operands;

static cj_symbol *add_operand(cj__build *g, operands *o, const cj_tensor *tensor, const char *name)
{
    cj_shape shape = tensor->shape;
    if (shape.rank > 0)
        shape.dims[0] = CJ_BATCH;
    o->tensors[o->count] = (cj_tensor *)(uintptr_t)tensor; // functions only read their inputs
    o->symbols[o->count] = cj__build_keep(g, cj_symbol_input(tensor->dtype, shape, name));
    return o->symbols[o->count++];
}

// Weights, one for each sample, as a symbol (batch).
static cj_symbol *add_weights(cj__build *g, operands *o, const cj_tensor *weights,
                              cj_symbol *predictions, const char *who)
{
    if (!weights)
        return NULL;
    cj_symbol *symbol = add_operand(g, o, weights, "sample_weight");
    const int64_t samples = o->tensors[0]->shape.rank ? o->tensors[0]->shape.dims[0] : 1;
    if (cj_tensor_count(weights) != samples || weights->shape.rank < 1 ||
        weights->shape.dims[0] != samples) {
        cj__build_refuse(g,
                         cj__fail(CJ_SHAPE_MISMATCH,
                                  "%s: sample_weight has %lld numbers for %lld samples, it needs "
                                  "one each",
                                  who, (long long)cj_tensor_count(weights), (long long)samples));
        return NULL;
    }
    symbol = cj__reshape(g, symbol, &CJ_SHAPE(CJ_BATCH));
    return cj__cast(g, symbol, cj__symbol_type(predictions)->dtype);
}

// Predictions in float32 or float64, as losses compute.
static cj_symbol *real(cj__build *g, cj_symbol *x)
{
    const cj_dtype dtype = x ? cj__symbol_type(x)->dtype : CJ_F32;
    return dtype == CJ_F32 || dtype == CJ_F64 ? x : cj__cast(g, x, CJ_F32);
}

static cj_status check_given(const char *who, const cj_tensor *targets,
                             const cj_tensor *predictions)
{
    if (!targets || !predictions)
        return cj__fail_missing_of(CJ__MADE_TENSOR, who,
                                   targets ? "the predictions" : "the targets");
    if (targets->shape.rank < 1 || predictions->shape.rank < 1 ||
        targets->shape.dims[0] != predictions->shape.dims[0])
        return cj__fail(CJ_SHAPE_MISMATCH,
                        "%s: targets and predictions need a first axis of the same samples", who);
    return CJ_OK;
}

// Losses
// ----------------------------------------------------------------------------------------------

static cj_symbol *loss_symbol(cj__build *g, operands *o, const char *spec,
                              const cj_tensor *const *given)
{
    cj__chosen chosen = {0};
    cj_symbol *total = NULL;
    cj_status status = cj__spec_parse(&cj__losses, spec, "loss", &chosen);
    if (status == CJ_OK)
        status = cj__loss_check((const cj__loss *)(const void *)chosen.choice, chosen.args);
    if (status == CJ_OK) {
        cj__loss_inputs in = {.targets = add_operand(g, o, given[0], "y_true"),
                              .predictions = real(g, add_operand(g, o, given[1], "y_pred"))};
        in.weights = add_weights(g, o, given[2], in.predictions, "cj_loss_value");
        in.mask = given[3] ? cj__cast(g, add_operand(g, o, given[3], "mask"), CJ_BOOL) : NULL;
        if (g->status == CJ_OK)
            total = cj__loss_of((const cj__loss *)(const void *)chosen.choice, chosen.args,
                                "cj_loss_value", g, in);
        cj__chosen_free(&chosen);
    }
    cj__build_refuse(g, status);
    return total;
}

cj_status cj_loss_value(const char *spec, const cj_tensor *targets, const cj_tensor *predictions,
                        const cj_tensor *sample_weight, const cj_tensor *mask, double *value)
{
    cj__build g = {0};
    operands o = {.count = 0};
    cj_function *function = NULL;
    cj_tensor *result = NULL;
    if (!spec || !value)
        return cj__fail_null_of("cj_loss_value", spec ? "the place for the value" : "the loss");
    *value = (double)NAN;
    CJ_TRY(check_given("cj_loss_value", targets, predictions));
    cj_symbol *total =
        loss_symbol(&g, &o, spec, (const cj_tensor *[]){targets, predictions, sample_weight, mask});
    cj_status status = total ? CJ_OK : g.status ? g.status : cj_error_status();
    if (status == CJ_OK) {
        function = cj_function(.inputs = o.symbols, .input_count = o.count, .outputs = &total,
                               .output_count = 1);
        status = function ? cj_tensor_new(cj__symbol_type(total)->dtype, (cj_shape){0}, &result) :
                            cj_error_status();
    }
    if (status == CJ_OK)
        status = cj_function_call(function, o.tensors, &result);
    if (status == CJ_OK)
        *value = cj__element_get(result->dtype, result->data, 0);
    cj_release(result);
    cj_release(function);
    const cj_status end = cj__build_end(&g);
    return status ? status : end;
}

// Metrics
// ----------------------------------------------------------------------------------------------

struct cj_metric {
    cj__object object;
    cj__chosen chosen;
    const cj__metric_row *metric;
    cj_function *function; // of the latest kind of batch, held; NULL before
    cj__type types[3];     // of that kind: targets, predictions, weights; the batch axis free
    bool weighted;
    cj_tensor *batch; // states of a batch, held
    double *states;   // of all batches
    int state_count;
};

static void destroy(void *object)
{
    cj_metric *metric = object;
    cj_release(metric->function);
    cj_release(metric->batch);
    cj__free(metric->states);
    if (metric->chosen.choice)
        cj__chosen_free(&metric->chosen);
    cj__free(metric);
}

static const cj__class metric_class = {.name = "metric", .destroy = destroy};

cj_metric *cj_metric_new(const char *spec)
{
    if (!spec || !*spec) {
        if (!spec)
            cj__fail_null("cj_metric_new: the metric's name");
        else
            cj__fail(CJ_INVALID_ARGUMENT, "cj_metric_new: the name of the metric is missing");
        return cj__build_failed(CJ__MADE_METRIC);
    }
    cj_metric *metric = cj__object_new(&metric_class, sizeof *metric);
    if (!metric)
        return cj__build_failed(CJ__MADE_METRIC);
    cj_status status = cj__spec_parse(&cj__metrics, spec, "metric", &metric->chosen);
    if (status == CJ_OK) {
        metric->metric = (const cj__metric_row *)(const void *)metric->chosen.choice;
        status = cj__metric_check(metric->metric, metric->chosen.args);
    } else {
        metric->chosen.choice = NULL; // nothing to free
    }
    if (status != CJ_OK) {
        cj_release(metric);
        return cj__build_failed(CJ__MADE_METRIC);
    }
    return metric;
}

// Of a mean: its sum and its weight.
static cj_symbol *mean_states(cj__build *g, const cj_metric *metric, const cj__metric_inputs *in,
                              const char *who)
{
    cj_symbol *values = cj__loss_values(&metric->metric->of, metric->chosen.args, who, g,
                                        in->targets, in->predictions, NULL);
    cj_symbol *weights = cj__full_weights(g, in, values);
    values = cj__mul(g, values, weights);
    if (!values)
        return NULL;
    const uint32_t all = cj__all_axes(values);
    cj_symbol *parts[2] = {cj__sum(g, values, all, false), cj__sum(g, weights, all, false)};
    for (int i = 0; i < 2; i++)
        parts[i] = cj__reshape(g, parts[i], &CJ_SHAPE(1));
    return cj__in_a_row(g, parts, 2);
}

static cj__type batch_type(const cj_tensor *tensor)
{
    cj__type type = {tensor->dtype, tensor->shape};
    if (type.shape.rank > 0)
        type.shape.dims[0] = CJ_BATCH;
    return type;
}

static bool is_for(const cj_metric *metric, const cj_tensor *const *given)
{
    if (!metric->function || metric->weighted != (given[2] != NULL))
        return false;
    for (int i = 0; i < (given[2] ? 3 : 2); i++) {
        const cj__type type = batch_type(given[i]);
        if (!cj__type_equal(&type, &metric->types[i]))
            return false;
    }
    return true;
}

// Takes a new function over, whose states are as many as those before.
static cj_status take_function(cj_metric *metric, cj_function *function, const cj__type *states)
{
    const int count = (int)states->shape.dims[0];
    cj_tensor *batch = NULL;
    cj_status status = CJ_OK;
    if (metric->states && count != metric->state_count)
        status = cj__fail(CJ_SHAPE_MISMATCH,
                          "cj_metric_update: metric %s had batches of other classes before",
                          metric->metric->of.choice.name);
    double *all = metric->states ? metric->states : cj__new((size_t)count, sizeof *all);
    if (status == CJ_OK)
        status = all ? cj_tensor_new(states->dtype, states->shape, &batch) : CJ_OUT_OF_MEMORY;
    if (status != CJ_OK) {
        if (!metric->states)
            cj__free(all);
        return status;
    }
    cj_release(metric->function);
    cj_release(metric->batch);
    metric->function = cj__own(function);
    metric->batch = batch;
    metric->states = all;
    metric->state_count = count;
    return CJ_OK;
}

// Makes the function for batches like the given one.
static cj_status make(cj_metric *metric, const cj_tensor *const *given)
{
    char who[96];
    cj__build g = {0};
    operands o = {.count = 0};
    snprintf(who, sizeof who, "cj_metric_update: metric %.60s", metric->metric->of.choice.name);
    cj__metric_inputs in = {.targets = add_operand(&g, &o, given[0], "y_true"),
                            .predictions = real(&g, add_operand(&g, &o, given[1], "y_pred"))};
    in.weights = add_weights(&g, &o, given[2], in.predictions, who);
    cj_symbol *states = g.status != CJ_OK ?
                            NULL :
                        !metric->metric->states ?
                            mean_states(&g, metric, &in, who) :
                            cj__metric_states(metric->metric, metric->chosen.args, who, &g, in);
    cj_status status = states ? CJ_OK : g.status ? g.status : cj_error_status();
    if (status == CJ_OK) {
        cj_function *function = cj_function(.inputs = o.symbols, .input_count = o.count,
                                            .outputs = &states, .output_count = 1);
        status =
            function ? take_function(metric, function, cj__symbol_type(states)) : cj_error_status();
        if (function && status != CJ_OK)
            cj_release(function);
    }
    if (status == CJ_OK) {
        metric->weighted = given[2] != NULL;
        for (int i = 0; i < o.count; i++)
            metric->types[i] = batch_type(given[i]);
    }
    const cj_status end = cj__build_end(&g);
    return status ? status : end;
}

cj_status cj_metric_update(cj_metric *metric, const cj_tensor *targets,
                           const cj_tensor *predictions, const cj_tensor *sample_weight)
{
    const cj_tensor *given[3] = {targets, predictions, sample_weight};
    if (!metric)
        return cj__fail_missing_of(CJ__MADE_METRIC, "cj_metric_update", "the metric");
    CJ_TRY(check_given("cj_metric_update", targets, predictions));
    if (!is_for(metric, given))
        CJ_TRY(make(metric, given));
    CJ_TRY(
        cj_function_call(metric->function, (cj_tensor *const *)(uintptr_t)given, &metric->batch));
    for (int i = 0; i < metric->state_count; i++)
        metric->states[i] += cj__element_get(metric->batch->dtype, metric->batch->data, i);
    return CJ_OK;
}

int cj_metric_results(const cj_metric *metric, double *values, int capacity)
{
    if (!metric || !metric->states)
        return 0;
    if (!metric->metric->states) {
        if (capacity > 0 && values)
            *values = cj__share(metric->states[0], metric->states[1]);
        return 1;
    }
    const void *args = metric->chosen.args;
    const int count = metric->metric->finish(args, NULL, metric->state_count, NULL);
    if (capacity <= 0 || !values)
        return count;
    double *all = capacity < count ? cj__new((size_t)count, sizeof *all) : values;
    if (!all)
        return 0;
    metric->metric->finish(args, metric->states, metric->state_count, all);
    if (all != values) {
        memcpy(values, all, (size_t)capacity * sizeof *values);
        cj__free(all);
    }
    return count;
}

double cj_metric_result(const cj_metric *metric)
{
    double first = metric ? 0 : (double)NAN;
    cj_metric_results(metric, &first, 1);
    return first;
}

void cj_metric_reset(cj_metric *metric)
{
    for (int i = 0; metric && i < metric->state_count; i++)
        metric->states[i] = 0;
}
