#include "train/settings.h"

#include "base/args.h"
#include "base/error.h"
#include "base/memory.h"
#include "train/metrics.h"
#include "train/mix.h"
#include <math.h>
#include <stdio.h>

static cj_status check_spec(const cj__catalog *catalog, const char *spec)
{
    cj__chosen chosen;
    CJ_TRY(cj__spec_parse(catalog, spec, catalog->what, &chosen));
    if (!chosen.choice)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: an empty %s", catalog->what);
    const cj_status status =
        catalog == &cj__losses ?
            cj__loss_check((const cj__loss *)(const void *)chosen.choice, chosen.args) :
            cj__metric_check((const cj__metric_row *)(const void *)chosen.choice, chosen.args);
    cj__chosen_free(&chosen);
    return status;
}

// Copies one spec after a look at it.
static cj_status take(const cj__catalog *catalog, const char *spec, char **copy)
{
    if (!spec)
        return CJ_OK;
    CJ_TRY(check_spec(catalog, spec));
    *copy = cj__copy_text(spec);
    return *copy ? CJ_OK : CJ_OUT_OF_MEMORY;
}

static cj_status take_items(const cj__catalog *catalog, const void *const *items, int count,
                            cj__specs *specs)
{
    if (count == 0)
        return CJ_OK;
    specs->items = cj__new((size_t)count, sizeof *specs->items);
    if (!specs->items)
        return CJ_OUT_OF_MEMORY;
    specs->count = count;
    for (int i = 0; i < count; i++)
        CJ_TRY(take(catalog, items[i], &specs->items[i]));
    return CJ_OK;
}

static cj_status take_metrics(const char *what, const char *const *braces, const char *const *list,
                              int count, cj__specs *specs)
{
    cj__list entries;
    const cj__given_list given = {.what = what, .braces = braces, .list = list, .count = count};
    CJ_TRY(cj__lists_read(&given, 1, &entries));
    return take_items(&cj__metrics, entries.items, entries.count, specs);
}

// Of losses, NULL is an entry like others: an output that takes `loss`, or has none.
static cj_status take_losses(const cj_compile_args *args, cj__specs *specs)
{
    const void *const *items =
        args->losses_list ? (const void *)args->losses_list : (const void *)args->losses;
    int count = args->losses_count;
    if (count < 0 || (!args->losses_list && count > CJ_IN_BRACES))
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: a list of %d losses", count);
    for (int i = 0; !args->losses_list && i < CJ_IN_BRACES; i++)
        if (items[i] && i >= count)
            count = i + 1;
    return take_items(&cj__losses, items, count, specs);
}

static cj_status take_weights(const cj_compile_args *args, cj__settings *settings)
{
    const bool given = args->loss_weights_list || !isnan(args->loss_weights[0]);
    const double *weights = args->loss_weights_list ? args->loss_weights_list : args->loss_weights;
    const int count = args->loss_weights_list ? args->loss_weights_count : CJ_IN_BRACES;
    if (!given)
        return CJ_OK;
    if (count < 1)
        return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: a list of %d loss weights", count);
    for (int i = 0; i < count; i++)
        if (!isfinite(weights[i]))
            return cj__fail(CJ_INVALID_ARGUMENT, "cj_compile: loss weight %d is not finite", i);
    settings->loss_weights = cj__copy_bytes(weights, (size_t)count * sizeof *weights);
    settings->loss_weight_count = count;
    return settings->loss_weights ? CJ_OK : CJ_OUT_OF_MEMORY;
}

// The metrics of each output: argument `name`, without "cj_compile: ".
static cj_status take_output_metrics(const char *name, const cj_output_metrics *given, int count,
                                     cj__specs **specs, int *taken)
{
    char what[64];
    if (count < 0 || (count > 0 && !given))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_compile: %s is for %d outputs, but no list is given", name, count);
    if (count == 0)
        return CJ_OK;
    *specs = cj__new((size_t)count, sizeof **specs);
    if (!*specs)
        return CJ_OUT_OF_MEMORY;
    *taken = count;
    snprintf(what, sizeof what, "cj_compile: %s", name);
    for (int i = 0; i < count; i++)
        CJ_TRY(take_metrics(what, given[i].metrics, given[i].metrics_list, given[i].metrics_count,
                            &(*specs)[i]));
    return CJ_OK;
}

static cj_status take_mix(const char *spec, char **copy)
{
    if (!spec)
        return CJ_OK;
    CJ_TRY(cj__mix_check(spec));
    *copy = cj__copy_text(spec);
    return *copy ? CJ_OK : CJ_OUT_OF_MEMORY;
}

cj_status cj__settings_take(cj__settings *settings, const cj_compile_args *args)
{
    CJ_TRY(take_mix(args->mix, &settings->mix));
    CJ_TRY(take(&cj__losses, args->loss, &settings->loss));
    CJ_TRY(take_losses(args, &settings->losses));
    CJ_TRY(take_weights(args, settings));
    CJ_TRY(take_metrics("cj_compile: metrics", args->metrics, args->metrics_list,
                        args->metrics_count, &settings->metrics));
    CJ_TRY(take_output_metrics("output_metrics", args->output_metrics, args->output_metrics_count,
                               &settings->output_metrics, &settings->output_metrics_count));
    CJ_TRY(take_output_metrics("output_weighted_metrics", args->output_weighted_metrics,
                               args->output_weighted_metrics_count,
                               &settings->output_weighted_metrics,
                               &settings->output_weighted_metrics_count));
    return take_metrics("cj_compile: weighted_metrics", args->weighted_metrics,
                        args->weighted_metrics_list, args->weighted_metrics_count,
                        &settings->weighted_metrics);
}

static void specs_free(cj__specs *specs)
{
    for (int i = 0; i < specs->count; i++)
        cj__free(specs->items[i]);
    cj__free(specs->items);
    *specs = (cj__specs){0};
}

void cj__settings_free(cj__settings *settings)
{
    cj_release(settings->optimizer);
    cj_release(settings->pool);
    cj__free(settings->loss);
    cj__free(settings->loss_weights);
    specs_free(&settings->losses);
    specs_free(&settings->metrics);
    specs_free(&settings->weighted_metrics);
    for (int i = 0; i < settings->output_metrics_count; i++)
        specs_free(&settings->output_metrics[i]);
    cj__free(settings->output_metrics);
    for (int i = 0; i < settings->output_weighted_metrics_count; i++)
        specs_free(&settings->output_weighted_metrics[i]);
    cj__free(settings->output_weighted_metrics);
    cj__free(settings->mix);
    *settings = (cj__settings){0};
}

const char *cj__settings_loss(const cj__settings *settings, int output)
{
    const char *own = output < settings->losses.count ? settings->losses.items[output] : NULL;
    return own ? own : settings->loss;
}

double cj__settings_loss_weight(const cj__settings *settings, int output)
{
    if (!settings->loss_weights)
        return 1;
    return output < settings->loss_weight_count ? settings->loss_weights[output] : 0;
}

const cj__specs *cj__settings_metrics(const cj__settings *settings, int output)
{
    return output < settings->output_metrics_count && settings->output_metrics[output].count ?
               &settings->output_metrics[output] :
               &settings->metrics;
}

const cj__specs *cj__settings_weighted_metrics(const cj__settings *settings, int output)
{
    return output < settings->output_weighted_metrics_count &&
                   settings->output_weighted_metrics[output].count ?
               &settings->output_weighted_metrics[output] :
               &settings->weighted_metrics;
}

int64_t cj__settings_values(const cj__settings *settings, int outputs)
{
    int64_t values = 1;
    for (int i = 0; i < outputs; i++)
        values += 1 + (int64_t)cj__settings_metrics(settings, i)->count +
                  cj__settings_weighted_metrics(settings, i)->count;
    return values;
}
