// The settings of cj_compile() as JSON.
#include "formats/native_state.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/flags.h"

#include <math.h>

// ---- Writing ----

static json_t *specs_to_json(cj__json *b, const cj__specs *specs)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < specs->count; i++)
        cj__json_append(b, list, cj__json_text(b, specs->items[i]));
    return list;
}

static json_t *rows_to_json(cj__json *b, const cj__specs *rows, int count)
{
    json_t *list = cj__json_list(b);
    for (int i = 0; i < count; i++)
        cj__json_append(b, list, specs_to_json(b, &rows[i]));
    return list;
}

static json_t *flags_to_json(cj__json *b, const cj__flags *flags)
{
    json_t *list = cj__json_list(b);
    for (size_t i = 0; i < flags->count; i++)
        cj__json_append(b, list, cj__json_bool(b, flags->rows[i].trainable));
    return list;
}

cj_status cj__settings_to_json(const cj__train_state *state, json_t **object)
{
    const cj__settings *settings = &state->settings;
    cj__json b = {0};
    char *optimizer = cj__optimizer_spec(settings->optimizer);
    json_t *all = cj__json_object(&b), *weights = cj__json_list(&b);
    if (!optimizer)
        b.status = CJ_OUT_OF_MEMORY;
    for (int i = 0; i < settings->loss_weight_count; i++)
        cj__json_append(&b, weights, cj__json_double(&b, settings->loss_weights[i]));
    cj__json_set(&b, all, "optimizer", cj__json_text(&b, optimizer));
    cj__json_set(&b, all, "loss", cj__json_text(&b, settings->loss));
    cj__json_set(&b, all, "losses", specs_to_json(&b, &settings->losses));
    cj__json_set(&b, all, "loss_weights", weights);
    cj__json_set(&b, all, "metrics", specs_to_json(&b, &settings->metrics));
    cj__json_set(&b, all, "output_metrics",
                 rows_to_json(&b, settings->output_metrics, settings->output_metrics_count));
    cj__json_set(&b, all, "weighted_metrics", specs_to_json(&b, &settings->weighted_metrics));
    if (settings->output_weighted_metrics_count > 0)
        cj__json_set(&b, all, "output_weighted_metrics",
                     rows_to_json(&b, settings->output_weighted_metrics,
                                  settings->output_weighted_metrics_count));
    cj__json_set(&b, all, "mix", cj__json_text(&b, settings->mix));
    cj__json_set(&b, all, "trainable", flags_to_json(&b, &state->flags));
    cj__free(optimizer);
    *object = cj__json_end(&b, all);
    return b.status;
}

// ---- Reading ----

// What the arguments of cj_compile() point to while settings are read; `block` is all of it.
typedef struct reading {
    const char **texts;      // the next free place
    cj_output_metrics *rows; // likewise
    cj_compile_args args;
    void *block;
} reading;

// The texts of a list, with NULL for null, in places that the reading owns.
static const char *const *take_texts(reading *r, const json_t *list, int *count)
{
    const char **texts = r->texts;
    *count = (int)json_array_size(list);
    for (int i = 0; i < *count; i++)
        texts[i] = json_string_value(json_array_get(list, (size_t)i));
    r->texts += *count;
    return *count ? texts : NULL;
}

// Files of version 0.1 list a weight for each of 16 outputs, and 0 stands for 1.
static void take_weights(const json_t *list, double *weights, int outputs, cj_compile_args *args)
{
    const size_t count = json_array_size(list);
    const bool old = count == 16 && outputs < 16;
    for (size_t i = 0; i < count; i++) {
        weights[i] = cj__json_double_value(json_array_get(list, i));
        if (old && !(weights[i] < 0) && !(weights[i] > 0) && !signbit(weights[i]))
            weights[i] = 1;
    }
    args->loss_weights_list = count ? weights : NULL;
    args->loss_weights_count = (int)count;
}

// The texts in the lists of a list.
static size_t texts_in(const json_t *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(rows); i++)
        count += json_array_size(json_array_get(rows, i));
    return count;
}

// The metrics of each output in the next free places; NULL if there are none. Files of version 0.1 have
// empty lists for outputs that the model has not.
static const cj_output_metrics *take_rows(reading *r, const json_t *list, int *count)
{
    cj_output_metrics *rows = r->rows;
    size_t used = json_array_size(list);
    while (used > 0 && json_array_size(json_array_get(list, used - 1)) == 0)
        used--;
    for (size_t i = 0; i < used; i++)
        rows[i].metrics_list = take_texts(r, json_array_get(list, i), &rows[i].metrics_count);
    r->rows += used;
    *count = (int)used;
    return used ? rows : NULL;
}

static cj_status read_settings(const json_t *settings, int outputs, reading *r)
{
    cj_compile_args *args = &r->args;
    const json_t *losses = json_object_get(settings, "losses"),
                 *metrics = json_object_get(settings, "metrics"),
                 *weighted = json_object_get(settings, "weighted_metrics"),
                 *by_output = json_object_get(settings, "output_metrics"),
                 *weighted_by_output = json_object_get(settings, "output_weighted_metrics"),
                 *weights = json_object_get(settings, "loss_weights");
    const size_t texts = json_array_size(losses) + json_array_size(metrics) +
                         json_array_size(weighted) + texts_in(by_output) +
                         texts_in(weighted_by_output),
                 rows = json_array_size(by_output) + json_array_size(weighted_by_output);
    const size_t sizes[] = {json_array_size(weights) * sizeof(double),
                            rows * sizeof(cj_output_metrics), texts * sizeof(char *)};
    char *block = r->block = cj__new(sizes[0] + sizes[1] + sizes[2] + 1, 1);
    if (!block)
        return CJ_OUT_OF_MEMORY;
    take_weights(weights, (double *)(void *)block, outputs, args);
    r->rows = (cj_output_metrics *)(void *)(block + sizes[0]);
    r->texts = (const char **)(void *)(block + sizes[0] + sizes[1]);
    args->losses_list = take_texts(r, losses, &args->losses_count);
    args->metrics_list = take_texts(r, metrics, &args->metrics_count);
    args->weighted_metrics_list = take_texts(r, weighted, &args->weighted_metrics_count);
    args->output_metrics = take_rows(r, by_output, &args->output_metrics_count);
    args->output_weighted_metrics =
        take_rows(r, weighted_by_output, &args->output_weighted_metrics_count);
    args->loss = json_string_value(json_object_get(settings, "loss"));
    args->mix = json_string_value(json_object_get(settings, "mix"));
    const char *spec = json_string_value(json_object_get(settings, "optimizer"));
    args->optimizer = spec ? cj_optimizer_from_spec(spec) : cj_rmsprop();
    return args->optimizer ? CJ_OK : cj__fail_missing(CJ__MADE_OPTIMIZER, "the optimizer");
}

cj_status cj__settings_from_json(cj_model *model, const json_t *settings)
{
    reading r = {.args = {CJ_COMPILE_DEFAULTS}};
    cj_status status = read_settings(settings, cj_model_output_count(model), &r);
    if (status != CJ_OK) {
        cj__drop_floating(r.args.optimizer);
        cj__free(r.block);
        return status;
    }
    // What was trainable when the model was compiled may have been frozen since: the flags of then
    // count.
    cj__flags flags = {0};
    const json_t *saved = json_object_get(settings, "trainable");
    status = cj__flags_take(&flags, cj_model_layer(model));
    bool usable = status == CJ_OK && json_array_size(saved) == flags.count;
    for (size_t i = 0; usable && i < flags.count; i++)
        flags.rows[i].trainable = json_is_true(json_array_get(saved, i));
    if (usable)
        cj__flags_swap(&flags);
    if (status == CJ_OK)
        status = cj_compile_with(model, &r.args);
    else
        cj__drop_floating(r.args.optimizer);
    if (usable)
        cj__flags_swap_back(&flags);
    cj__flags_free(&flags);
    cj__free(r.block);
    return status;
}
