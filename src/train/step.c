// From settings to a graph: the model traced on data of given types, then losses, regularizers and
// metrics. functions.c adds gradients and the optimizer's step.
//
//   total loss = sum over outputs of loss_weight * loss
//                + weight regularizers + activity regularizers
//   loss       = values with sample weights and masks, reduced: see cj__loss_reduce()
//   metric     = sum of values * weights / sum of weights, over the epoch
#include "train/step.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/losses.h"
#include "train/mix.h"
#include "train/outputs.h"
#include <math.h>
#include <string.h>

// One output of the model, and what its losses and metrics are computed from.
typedef struct head {
    int index;
    const char *name; // of the output's layer
    cj__value predictions;
    cj_symbol *targets;
    cj_symbol *weights; // (batch), or NULL
} head;

static bool is_taken(const cj__step_functions *functions, const char *name)
{
    for (int i = 0; i < functions->row_count; i++)
        if (strcmp(functions->rows[i].name, name) == 0)
            return true;
    return false;
}

// Adds a row named OUTPUT_NAME; of a model with one output `output` is "", and the row is NAME. A
// name that is taken is made unique as in Keras: first with `prefix` ("weighted_accuracy"), then
// with a number after it ("accuracy_1"). NULL if memory runs out.
static cj__row *add_row(cj__step_functions *functions, const char *output, const char *prefix,
                        const char *name)
{
    const char *separator = *output ? "_" : "";
    cj__text text = {0};
    cj__text_add(&text, "%s%s%s", output, separator, name);
    if (text.data && *prefix && is_taken(functions, text.data)) {
        text.length = 0;
        cj__text_add(&text, "%s%s%s%s", output, separator, prefix, name);
    }
    const size_t length = text.length;
    for (int i = 1; text.data && !text.failed && is_taken(functions, text.data); i++) {
        text.length = length;
        cj__text_add(&text, "_%d", i);
    }
    if (cj__text_status(&text) != CJ_OK) {
        cj__text_free(&text);
        return NULL;
    }
    cj__row *row = &functions->rows[functions->row_count++];
    *row = (cj__row){.name = text.data};
    return row;
}

// A metric is logged under its setting `name`, or else under the name in its spec, as the user wrote
// it, without settings.
static cj_status logged_name(const char *spec, const cj__chosen *chosen, char **name)
{
    const char *own = chosen->choice->args_size ?
                          ((const cj__loss_args *)(const void *)chosen->args)->name :
                          NULL;
    size_t length = own ? strlen(own) : strcspn(spec, "(");
    while (!own && length > 0 && spec[length - 1] == ' ')
        length--;
    *name = cj__copy_bytes(own ? own : spec, length + 1);
    if (!*name)
        return CJ_OUT_OF_MEMORY;
    (*name)[length] = '\0';
    return CJ_OK;
}

static int add_scalar(cj__step *step, cj_symbol *scalar)
{
    step->scalars[step->scalar_count] = scalar;
    return step->scalar_count++;
}

static cj_symbol *mask_of(cj__build *g, const head *h, const cj_symbol *values)
{
    if (!h->predictions.mask || !values)
        return NULL;
    return cj__spread_weights(g, cj__cast(g, h->predictions.mask, cj__symbol_type(values)->dtype),
                              values);
}

// The number of values for each sample.
static double per_sample(const cj_symbol *values)
{
    const cj_shape *shape = &cj__symbol_type(values)->shape;
    double count = 1;
    for (int i = 1; i < shape->rank; i++)
        count *= (double)shape->dims[i];
    return count;
}

static cj_status failure(const cj__build *g)
{
    return g->status ? g->status : cj_error_status();
}

// A metric that is a mean: a sum, and a weight if not all values weigh 1.
static cj_status trace_mean(cj__step *step, cj__row *row, const head *h, const cj__chosen *chosen,
                            const char *who, bool weighted)
{
    cj__build *g = &step->trace.build;
    const cj__loss *metric = (const cj__loss *)(const void *)chosen->choice;
    cj_symbol *values =
        cj__loss_values(metric, chosen->args, who, g, h->targets, h->predictions.symbol, NULL);
    if (!values)
        return failure(g);
    cj_symbol *weights = mask_of(g, h, values);
    row->weight = -1;
    row->per_sample = per_sample(values);
    if (weighted && h->weights) {
        cj_symbol *own =
            cj__spread_weights(g, cj__cast(g, h->weights, cj__symbol_type(values)->dtype), values);
        weights = weights ? cj__mul(g, own, weights) : cj__broadcast_like(g, own, values);
    }
    if (weights) {
        values = cj__mul(g, values, weights);
        row->weight = add_scalar(step, cj__sum(g, weights, cj__all_axes(weights), false));
    }
    row->sum = add_scalar(step, values ? cj__sum(g, values, cj__all_axes(values), false) : NULL);
    return g->status;
}

// A metric with states. As in Keras, these do not know of masks.
static cj_status trace_states(cj__step *step, cj__step_functions *functions, cj__row *row,
                              const head *h, const char *who, bool weighted)
{
    cj__build *g = &step->trace.build;
    const cj__metric_row *metric = row->metric;
    cj__metric_inputs in = {.targets = h->targets, .predictions = h->predictions.symbol};
    if (weighted && h->weights)
        in.weights = cj__cast(g, h->weights, cj__symbol_type(in.predictions)->dtype);
    cj_symbol *states = cj__metric_states(metric, row->chosen.args, who, g, in);
    if (!states)
        return failure(g);
    row->state = functions->state_count;
    row->state_count = (int)cj__symbol_type(states)->shape.dims[0];
    functions->state_count += row->state_count;
    row->sum = add_scalar(step, states);
    const int numbers = metric->finish(row->chosen.args, NULL, row->state_count, NULL);
    return numbers == 1 ? CJ_OK :
                          cj__fail(CJ_UNSUPPORTED,
                                   "%s: it has %d numbers, a log takes one: give it one threshold "
                                   "or an average",
                                   who, numbers);
}

static cj_status trace_metric(cj__step *step, cj__step_functions *functions, const head *h,
                              const char *spec, const char *output, bool weighted)
{
    cj__chosen chosen;
    char who[160], *name = NULL;
    CJ_TRY(cj__spec_parse(&cj__metrics, spec, "metric", &chosen));
    const cj__metric_row *metric = (const cj__metric_row *)(const void *)chosen.choice;
    cj_status status = logged_name(spec, &chosen, &name);
    cj__row *row =
        status == CJ_OK ? add_row(functions, output, weighted ? "weighted_" : "", name) : NULL;
    cj__free(name);
    snprintf(who, sizeof who, "metric %s of output \"%.60s\"", chosen.choice->name, h->name);
    if (row && metric->states) {
        row->metric = metric;
        row->chosen = chosen; // the row's from now on
        return trace_states(step, functions, row, h, who, weighted);
    }
    status = row ? trace_mean(step, row, h, &chosen, who, weighted) : CJ_OUT_OF_MEMORY;
    cj__chosen_free(&chosen);
    return status;
}

static cj_status trace_metrics(cj__step *step, cj__step_functions *functions,
                               const cj__settings *settings, const head *h)
{
    const char *output = step->output_count > 1 ? h->name : "";
    const cj__specs *metrics = cj__settings_metrics(settings, h->index),
                    *weighted = cj__settings_weighted_metrics(settings, h->index);
    for (int i = 0; i < metrics->count; i++)
        CJ_TRY(trace_metric(step, functions, h, metrics->items[i], output, false));
    for (int i = 0; i < weighted->count; i++)
        CJ_TRY(trace_metric(step, functions, h, weighted->items[i], output, true));
    return CJ_OK;
}

// The number of outputs with a loss. If there are several, each loss has its own row.
static int loss_count(const cj__step *step, const cj__settings *settings)
{
    int count = 0;
    for (int i = 0; i < step->output_count; i++)
        count += cj__settings_loss(settings, i) != NULL;
    return count;
}

// Adds one output's loss to the total. An output with a NULL spec has no loss.
static cj_status trace_loss(cj__step *step, cj__step_functions *functions,
                            const cj__settings *settings, const head *h)
{
    cj__build *g = &step->trace.build;
    const char *spec = cj__settings_loss(settings, h->index);
    const double weight = cj__settings_loss_weight(settings, h->index);
    cj__chosen chosen;
    char who[160];
    if (!spec)
        return CJ_OK;
    CJ_TRY(cj__spec_parse(&cj__losses, spec, "loss", &chosen));
    snprintf(who, sizeof who, "loss %s of output \"%.60s\"", chosen.choice->name, h->name);
    cj_symbol *loss = cj__loss_of((const cj__loss *)chosen.choice, chosen.args, who, g,
                                  (cj__loss_inputs){.targets = h->targets,
                                                    .predictions = h->predictions.symbol,
                                                    .weights = h->weights,
                                                    .mask = h->predictions.mask});
    cj__chosen_free(&chosen);
    if (!loss)
        return failure(g);
    if (loss_count(step, settings) > 1) {
        cj__row *row = add_row(functions, h->name, "", "loss");
        if (!row)
            return CJ_OUT_OF_MEMORY;
        row->mean = true;
        row->sum = add_scalar(step, loss);
    }
    if (weight < 1 || weight > 1)
        loss = cj__scale(g, loss, weight);
    step->total = step->total ? cj__add(g, step->total, loss) : loss;
    return g->status;
}

static cj_status trace_regularizers(cj_model *model, cj__step *step)
{
    cj__build *g = &step->trace.build;
    bool any = false;
    cj_symbol *penalty = cj__layer_losses(cj_model_layer(model), &step->trace, &any);
    if (any)
        step->total = step->total ? cj__add(g, step->total, penalty) : penalty;
    for (int i = 0; i < step->trace.loss_count; i++)
        step->total =
            step->total ? cj__add(g, step->total, step->trace.losses[i]) : step->trace.losses[i];
    return g->status;
}

// The model's shape, with the data's lengths where it is free.
static cj_shape shape_for(const cj_shape *needed, const cj_shape *given)
{
    cj_shape shape = *needed;
    for (int i = 1; i < shape.rank; i++)
        if (shape.dims[i] == CJ_ANY)
            shape.dims[i] = i < given->rank ? given->dims[i] : 1;
    return shape;
}

// Makes the input symbols: they have the model's shapes and the data's dtypes, and are cast to the
// model's dtypes.
static cj_status trace_inputs(cj_model *model, cj__step *step, const cj__step_functions *functions,
                              cj_symbol **inputs)
{
    cj__build *g = &step->trace.build;
    const cj__type *types = NULL;
    const int count = cj__model_inputs(model, &types);
    for (int i = 0; i < count; i++) {
        const cj_shape shape = shape_for(&types[i].shape, &functions->x[i].shape);
        cj_symbol *x = cj__build_keep(g, cj_symbol_input(functions->x[i].dtype, shape, "x"));
        step->inputs[step->input_count++] = x;
        inputs[i] = cj__cast(g, x, types[i].dtype);
    }
    return g->status;
}

static cj_symbol *data_symbol(cj__step *step, const cj__type *type, int64_t batch, const char *name)
{
    cj_shape shape = type->shape;
    shape.dims[0] = batch;
    cj_symbol *symbol =
        cj__build_keep(&step->trace.build, cj_symbol_input(type->dtype, shape, name));
    step->inputs[step->input_count++] = symbol;
    return symbol;
}

// The targets of each output in the data's dtypes, or as a mixture of batches needs them.
static cj_status trace_targets(cj_model *model, const cj__settings *settings,
                               const cj__step_functions *functions, cj__step *step)
{
    const cj__type *types = NULL;
    cj__model_inputs(model, &types);
    for (int i = 0; i < step->output_count; i++)
        step->targets[i] = data_symbol(step, &functions->y[i], types[0].shape.dims[0], "y");
    if (settings->mix) {
        CJ_TRY(cj__mix_fits(model));
        step->targets[0] = cj__mix_targets(model, &step->trace.build, step->targets[0]);
    }
    return step->trace.build.status;
}

static cj_status trace_model(cj_model *model, cj__train_state *state,
                             const cj__step_functions *functions, cj__step *step)
{
    cj__trace *trace = &step->trace;
    const size_t all =
        (size_t)functions->x_count + (size_t)functions->y_count + (size_t)functions->weight_count;
    const int outputs = cj_model_output_count(model);
    step->inputs = cj__build_memory(&trace->build, all, sizeof *step->inputs);
    step->targets = cj__build_memory(&trace->build, (size_t)outputs, sizeof *step->targets);
    cj_symbol **inputs =
        cj__build_memory(&trace->build, (size_t)functions->x_count, sizeof *inputs);
    if (!inputs)
        return trace->build.status;
    trace->seed = cj__model_seed(model);
    trace->training = functions->mode == CJ__MODE_TRAIN;
    trace->flags = &state->flags.index;
    if (trace->training)
        trace->step = cj__build_keep(&trace->build, cj_symbol_variable(state->iterations));
    CJ_TRY(trace_inputs(model, step, functions, inputs));
    step->output_count = outputs;
    if (functions->mode != CJ__MODE_PREDICT)
        CJ_TRY(trace_targets(model, &state->settings, functions, step));
    if (trace->training && state->settings.mix)
        CJ_TRY(cj__mix_batch(state->settings.mix, trace, &inputs[0], &step->targets[0]));
    return cj__model_trace(model, trace, inputs, &step->outputs);
}

static cj_status trace_heads(cj_model *model, cj__train_state *state, cj__step_functions *functions,
                             cj__step *step)
{
    const cj__type *types = NULL;
    cj__model_inputs(model, &types);
    const int64_t batch = types[0].shape.dims[0];
    head *heads = cj__build_memory(&step->trace.build, (size_t)step->output_count, sizeof *heads);
    cj__row *total = heads ? add_row(functions, "", "", "loss") : NULL;
    if (!total)
        return CJ_OUT_OF_MEMORY;
    const int total_at = add_scalar(step, NULL); // set below, once all losses are known
    total->sum = total_at;
    total->weight = -1;
    total->mean = true;
    for (int i = 0; i < step->output_count; i++)
        heads[i] = (head){i, cj__output_name(model, i), step->outputs[i], step->targets[i], NULL};
    cj_symbol *weights = NULL;
    for (int i = 0; i < step->output_count; i++) {
        if (i < functions->weight_count)
            weights = data_symbol(step, &functions->weights[i], batch, "sample_weight");
        heads[i].weights = weights;
        CJ_TRY(trace_loss(step, functions, &state->settings, &heads[i]));
    }
    CJ_TRY(trace_regularizers(model, step));
    for (int i = 0; i < step->output_count; i++)
        CJ_TRY(trace_metrics(step, functions, &state->settings, &heads[i]));
    if (!step->total)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "model \"%s\" was compiled without a loss: give cj_compile() a loss",
                        cj_layer_name(cj_model_layer(model)));
    step->scalars[total_at] = step->total;
    return step->trace.build.status;
}

cj_status cj__step_trace(cj_model *model, cj__train_state *state, cj__step_functions *functions,
                         cj__step *step)
{
    CJ_TRY(trace_model(model, state, functions, step));
    return functions->mode == CJ__MODE_PREDICT ? CJ_OK : trace_heads(model, state, functions, step);
}
