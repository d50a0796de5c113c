// Codes: numbers as spikes in time. RateCode draws spikes, LatencyCode makes one whose time tells the
// number, DeltaCode tells changes, PopulationCode spreads a number over neurons.
#include "layers/kind.h"

#include <cajal/spiking.h>
#include <math.h>
#include <string.h>

CJ__DEFAULTS(rate_code, RATE_CODE)
CJ__DEFAULTS(latency_code, LATENCY_CODE)
CJ__DEFAULTS(delta_code, DELTA_CODE)
CJ__DEFAULTS(population_code, POPULATION_CODE)

#define UNARY(name, x, a, b) cj__apply_unary(g, CJ__UNARY_##name, x, a, b)
#define STEPS                .required = true, .low = 1, .high = 1 << 20

// (batch, ...) as (batch, 1, ...)
static cj_symbol *with_time(cj__build *g, cj_symbol *x)
{
    cj_shape shape = {.rank = 2, .dims = {0, 1}};
    if (!x)
        return NULL;
    shape.dims[0] = cj_symbol_shape(x)->dims[0];
    for (int i = 1; i < cj_symbol_shape(x)->rank; i++)
        shape.dims[shape.rank++] = cj_symbol_shape(x)->dims[i];
    return cj__reshape(g, x, &shape);
}

// A constant of the shape (1, steps, 1, ...), of so many axes as x: ones, or the steps' numbers.
static cj_symbol *along_time(cj__build *g, const cj_symbol *x, int64_t steps, bool numbers)
{
    cj_tensor *values = NULL;
    cj_shape shape = {.rank = 1, .dims = {1}};
    if (!x)
        return NULL;
    while (shape.rank < cj_symbol_shape(x)->rank)
        shape.dims[shape.rank++] = 1;
    shape.dims[1] = steps;
    if (cj_tensor_new(cj_symbol_dtype(x), shape, &values) != CJ_OK) {
        cj__build_refuse(g, cj_error_status());
        return NULL;
    }
    for (int64_t t = 0; t < steps; t++)
        cj__element_set(values->dtype, values->data, t, numbers ? (double)t : 1);
    return cj__build_keep(g, cj_symbol_constant(values));
}

static cj_symbol *as_number(cj__build *g, cj_symbol *truth, const cj_symbol *like)
{
    return like ? cj__cast(g, truth, cj_symbol_dtype(like)) : NULL;
}

static cj_status need_features(const cj__layer_context *c)
{
    return cj__layer_need_rank(c->layer, cj__value_shape(c->inputs), 2, CJ_MAX_RANK - 1);
}

// ---- RateCode ----

static const char *const distributions[] = {"bernoulli", "poisson", NULL};
static const cj__field rate_code_fields[] = {
    CJ__FIELD(cj_rate_code_args, steps, CJ__FIELD_INT, STEPS),
    CJ__FIELD(cj_rate_code_args, gain, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_rate_code_args, offset, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_rate_code_args, distribution, CJ__FIELD_TEXT, .words = distributions,
              .required = true),
    CJ__FIELD(cj_rate_code_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_rate_code_args),
};

// What draws have the shape of. Predictions take the same draws for every sample, so that none depends
// on its place in the batch: zeros (1, steps, ...).
static cj_symbol *drawn_like(cj__layer_context *c, cj_symbol *all)
{
    cj_tensor *zeros = NULL;
    if (!all || c->trace->training)
        return all;
    cj_shape shape = *cj_symbol_shape(all);
    shape.dims[0] = 1;
    if (cj_tensor_new(cj_symbol_dtype(all), shape, &zeros) != CJ_OK) {
        cj__build_refuse(c->build, cj_error_status());
        return NULL;
    }
    cj_tensor_fill(zeros, 0);
    return cj__build_keep(c->build, cj_symbol_constant(zeros));
}

// The number of the training step, on which what is drawn depends; 0 when predicting.
static cj_symbol *number_of_step(cj__layer_context *c)
{
    cj_tensor *zero = NULL;
    if (c->trace->training)
        return c->trace->step;
    if (cj_tensor_new(CJ_I64, (cj_shape){0}, &zero) != CJ_OK) {
        cj__build_refuse(c->build, cj_error_status());
        return NULL;
    }
    cj_tensor_fill(zero, 0);
    return cj__build_keep(c->build, cj_symbol_constant(zero));
}

static cj_status call_rate_code(cj__layer_context *c)
{
    const cj_rate_code_args *a = c->layer->args;
    cj__build *g = c->build;
    CJ_TRY(need_features(c));
    for (int i = 1; i < cj__value_shape(c->inputs)->rank; i++)
        CJ_TRY(cj__layer_need_length(c->layer, cj__value_shape(c->inputs), i));
    cj_symbol *rate = cj__shift(g, cj__scale(g, c->inputs[0].symbol, a->gain), a->offset);
    if (a->distribution[0] == 'p') // at least one event of a Poisson process in a step
        rate =
            cj__shift(g, UNARY(negative, UNARY(exp, UNARY(negative, rate, 0, 0), 0, 0), 0, 0), 1);
    rate = with_time(g, UNARY(clip, rate, 0, 1));
    cj_symbol *all = cj__mul(g, rate, along_time(g, rate, a->steps, false));
    CJ_TRY(g->status);
    cj_symbol *drawn =
        cj__random_uniform_like(g, drawn_like(c, all), number_of_step(c),
                                cj__trace_key(c->trace, a->seed, c->layer->name), 0, 1);
    c->outputs[0].symbol = as_number(g, cj__compare(g, CJ__COMPARISON_less, drawn, all), all);
    return g->status;
}

// ---- LatencyCode ----

static const char *const latency_outputs[] = {"spikes", "times", NULL};
static const cj__field latency_code_fields[] = {
    CJ__FIELD(cj_latency_code_args, steps, CJ__FIELD_INT, STEPS),
    CJ__FIELD(cj_latency_code_args, tau, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1e30),
    CJ__FIELD(cj_latency_code_args, threshold, CJ__FIELD_NUMBER, .low = 1e-30, .high = 1e30),
    CJ__FIELD(cj_latency_code_args, linear, CJ__FIELD_BOOL),
    CJ__FIELD(cj_latency_code_args, normalize, CJ__FIELD_BOOL),
    CJ__FIELD(cj_latency_code_args, clip, CJ__FIELD_BOOL),
    CJ__FIELD(cj_latency_code_args, output, CJ__FIELD_TEXT, .words = latency_outputs,
              .required = true),
    CJ__LAYER_FIELDS(cj_latency_code_args),
};

// tau ln(x / (x - threshold)), x being just above the threshold at least; linear: tau (1 - x).
static cj_symbol *latency(cj__build *g, const cj_latency_code_args *a, cj_symbol *x)
{
    if (!x)
        return NULL;
    if (a->linear)
        return cj__scale(g, cj__shift(g, UNARY(negative, x, 0, 0), 1), a->tau);
    cj_symbol *above =
        cj__apply_binary(g, CJ__BINARY_maximum, x, cj__scalar_like(g, x, a->threshold + 1e-7));
    cj_symbol *rest = cj__apply_binary(g, CJ__BINARY_maximum, cj__shift(g, above, -a->threshold),
                                       cj__scalar_like(g, x, 1e-7));
    return cj__scale(g, UNARY(log, cj__div(g, above, rest), 0, 0), a->tau);
}

static cj_status call_latency_code(cj__layer_context *c)
{
    const cj_latency_code_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    CJ_TRY(need_features(c));
    cj_symbol *time = latency(g, a, x);
    if (a->normalize && time) { // the latest of a sample comes in the last step
        cj_symbol *latest = cj__max(g, time, cj__all_axes(time) & ~1u, true);
        latest = cj__apply_binary(g, CJ__BINARY_maximum, latest, cj__scalar_like(g, time, 1e-30));
        time = cj__scale(g, cj__div(g, time, latest), (double)(a->steps - 1));
    }
    if (time)
        time = UNARY(clip, time, 0, (double)(a->steps - 1));
    c->outputs[0].symbol = time;
    if (a->output[0] == 't' || !time)
        return g->status;
    // within half a step of its number
    cj_symbol *off = with_time(g, time);
    off = UNARY(absolute, cj__sub(g, off, along_time(g, off, a->steps, true)), 0, 0);
    cj_symbol *spikes = as_number(
        g, cj__compare(g, CJ__COMPARISON_less_equal, off, cj__scalar_like(g, time, 0.5)), time);
    if (a->clip) { // no spike for what is below the threshold
        cj_symbol *enough =
            cj__compare(g, CJ__COMPARISON_greater_equal, x, cj__scalar_like(g, x, a->threshold));
        spikes = cj__mul(g, spikes, with_time(g, as_number(g, enough, x)));
    }
    c->outputs[0].symbol = spikes;
    return g->status;
}

// ---- DeltaCode ----

static const cj__field delta_code_fields[] = {
    CJ__FIELD(cj_delta_code_args, threshold, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(cj_delta_code_args, padding, CJ__FIELD_BOOL),
    CJ__FIELD(cj_delta_code_args, off_spike, CJ__FIELD_BOOL),
    CJ__LAYER_FIELDS(cj_delta_code_args),
};

static cj_status call_delta_code(cj__layer_context *c)
{
    const cj_delta_code_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol;
    const cj_shape *shape = cj__value_shape(c->inputs);
    CJ_TRY(cj__layer_need_rank(c->layer, shape, 3, CJ_MAX_RANK));
    CJ_TRY(cj__layer_need_length(c->layer, shape, 1));
    const int64_t steps = shape->dims[1];
    cj_symbol *first = cj__slice(g, x, 1, 0, 1);
    first = a->padding ? first : cj__scale(g, first, 0);
    cj_symbol *before =
        steps == 1 ? first :
                     cj__concat(g, (cj_symbol *[]){first, cj__slice(g, x, 1, 0, steps - 1)}, 2, 1);
    cj_symbol *change = cj__sub(g, x, before);
    CJ_TRY(g->status);
    cj_symbol *threshold = cj__scalar_like(g, x, a->threshold);
    cj_symbol *spikes =
        as_number(g, cj__compare(g, CJ__COMPARISON_greater_equal, change, threshold), x);
    if (a->off_spike)
        spikes = cj__sub(g, spikes,
                         as_number(g,
                                   cj__compare(g, CJ__COMPARISON_less_equal, change,
                                               cj__scalar_like(g, x, -a->threshold)),
                                   x));
    c->outputs[0].symbol = spikes;
    return g->status;
}

// ---- PopulationCode ----

static const cj__field population_code_fields[] = {
    CJ__FIELD(cj_population_code_args, neurons, CJ__FIELD_INT, .required = true, .low = 1,
              .high = 1 << 20),
    CJ__FIELD(cj_population_code_args, low, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_population_code_args, high, CJ__FIELD_NUMBER),
    CJ__FIELD(cj_population_code_args, width, CJ__FIELD_LIMIT, .low = 1e-30, .high = 1e30),
    CJ__LAYER_FIELDS(cj_population_code_args),
};

static cj_status check_population_code(cj_layer *layer)
{
    const cj_population_code_args *a = layer->args;
    if (a->high > a->low)
        return CJ_OK;
    return cj__fail(CJ_INVALID_ARGUMENT, "%s: high is %g and low is %g, high must be greater",
                    layer->name, a->high, a->low);
}

// exp(-((x - center) / width)^2 / 2) for centers from low to high.
static cj_status call_population_code(cj__layer_context *c)
{
    const cj_population_code_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_tensor *centers = NULL;
    const cj_shape *x = cj__value_shape(c->inputs);
    cj_shape column = *x, shape = *x;
    const double apart = a->neurons > 1 ? (a->high - a->low) / (double)(a->neurons - 1) : 0;
    const double width = !isinf(a->width) ? a->width : apart > 0 ? apart : a->high - a->low;
    CJ_TRY(need_features(c));
    CJ_TRY(cj__layer_need_length(c->layer, x, x->rank - 1));
    column.dims[column.rank++] = 1;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(a->neurons), &centers));
    for (int64_t i = 0; i < a->neurons; i++)
        cj__element_set(CJ_F32, centers->data, i,
                        a->neurons > 1 ? a->low + (double)i * apart : (a->low + a->high) / 2);
    cj_symbol *off = cj__sub(g, cj__reshape(g, c->inputs[0].symbol, &column),
                             cj__build_keep(g, cj_symbol_constant(centers)));
    cj_symbol *y = UNARY(exp, cj__scale(g, UNARY(square, off, 0, 0), -0.5 / (width * width)), 0, 0);
    shape.dims[shape.rank - 1] *= a->neurons;
    c->outputs[0].symbol = cj__reshape(g, y, &shape);
    return g->status;
}

#define CODE(plain, class, checked)                                            \
    const cj__layer_kind cj__layer_##plain = {                                 \
        .choice = CJ__CHOICE(#plain, class, plain##_fields, plain##_defaults), \
        .min_inputs = 1,                                                       \
        .max_inputs = 1,                                                       \
        .check = checked,                                                      \
        .call = call_##plain,                                                  \
        .mask = CJ__MASK_DROP,                                                 \
    };                                                                         \
    CJ__CONSTRUCTOR(plain)

CODE(rate_code, "RateCode", NULL)
CODE(latency_code, "LatencyCode", NULL)
CODE(delta_code, "DeltaCode", NULL)
CODE(population_code, "PopulationCode", check_population_code)
