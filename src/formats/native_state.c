#include "formats/native_state.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/flags.h"

#include <math.h>
#include <string.h>

// ---- Settings ----

static json_t *specs_to_json(const cj__specs *specs)
{
    json_t *list = json_array();
    for (int i = 0; i < specs->count; i++)
        json_array_append_new(list, specs->items[i] ? json_string(specs->items[i]) : json_null());
    return list;
}

// Numbers in 17 digits read back to the same bits; JSON has no infinities or NaN, which become
// null.
static json_t *number_to_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cj__settings_to_json(const cj__train_state *state)
{
    const cj__settings *settings = &state->settings;
    char *spec = cj__optimizer_spec(settings->optimizer);
    json_t *flags = json_array(), *weights = json_array(), *by_output = json_array();
    for (int i = 0; i < (int)state->flags.count; i++)
        json_array_append_new(flags, json_boolean(state->flags.rows[i].trainable));
    for (int i = 0; i < settings->loss_weight_count; i++)
        json_array_append_new(weights, number_to_json(settings->loss_weights[i]));
    for (int i = 0; i < settings->output_metrics_count; i++)
        json_array_append_new(by_output, specs_to_json(&settings->output_metrics[i]));
    json_t *object = json_pack(
        "{s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "optimizer", spec, "loss", settings->loss,
        "losses", specs_to_json(&settings->losses), "loss_weights", weights, "metrics",
        specs_to_json(&settings->metrics), "output_metrics", by_output, "weighted_metrics",
        specs_to_json(&settings->weighted_metrics), "trainable", flags);
    cj__free(spec);
    return object;
}

// What the arguments of cj_compile() point to while settings are read; `block` is all of it.
typedef struct reading {
    const char **texts; // the next free place
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
        weights[i] = json_number_value(json_array_get(list, i));
        if (old && !(weights[i] < 0) && !(weights[i] > 0) && !signbit(weights[i]))
            weights[i] = 1;
    }
    args->loss_weights_list = count ? weights : NULL;
    args->loss_weights_count = (int)count;
}

static cj_status read_settings(const json_t *settings, int outputs, reading *r)
{
    cj_compile_args *args = &r->args;
    const json_t *losses = json_object_get(settings, "losses"),
                 *metrics = json_object_get(settings, "metrics"),
                 *weighted = json_object_get(settings, "weighted_metrics"),
                 *by_output = json_object_get(settings, "output_metrics"),
                 *weights = json_object_get(settings, "loss_weights");
    size_t texts = json_array_size(losses) + json_array_size(metrics) + json_array_size(weighted);
    size_t of_outputs = json_array_size(by_output);
    for (size_t i = 0; i < of_outputs; i++)
        texts += json_array_size(json_array_get(by_output, i));
    const size_t sizes[] = {json_array_size(weights) * sizeof(double),
                            of_outputs * sizeof(cj_output_metrics), texts * sizeof(char *)};
    char *block = r->block = cj__new(sizes[0] + sizes[1] + sizes[2] + 1, 1);
    if (!block)
        return CJ_OUT_OF_MEMORY;
    take_weights(weights, (double *)(void *)block, outputs, args);
    cj_output_metrics *rows = (cj_output_metrics *)(void *)(block + sizes[0]);
    r->texts = (const char **)(void *)(block + sizes[0] + sizes[1]);
    args->losses_list = take_texts(r, losses, &args->losses_count);
    args->metrics_list = take_texts(r, metrics, &args->metrics_count);
    args->weighted_metrics_list = take_texts(r, weighted, &args->weighted_metrics_count);
    // files of version 0.1 have empty lists for outputs that the model has not
    while (of_outputs > 0 && json_array_size(json_array_get(by_output, of_outputs - 1)) == 0)
        of_outputs--;
    for (size_t i = 0; i < of_outputs; i++)
        rows[i].metrics_list = take_texts(r, json_array_get(by_output, i), &rows[i].metrics_count);
    args->output_metrics = of_outputs ? rows : NULL;
    args->output_metrics_count = (int)of_outputs;
    args->loss = json_string_value(json_object_get(settings, "loss"));
    const char *spec = json_string_value(json_object_get(settings, "optimizer"));
    args->optimizer = spec ? cj_optimizer_from_spec(spec) : NULL;
    return !spec || args->optimizer ? CJ_OK : cj_error_status();
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

// ---- Place ----

static json_t *numbers_to_json(const double *values, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, number_to_json(values[i]));
    return list;
}

static cj_status numbers_from_json(const json_t *list, double *values, size_t most, int *count)
{
    if (!json_is_array(list) || json_array_size(list) > most)
        return cj__fail(CJ_BAD_FILE, "the place in training has no list of at most %zu numbers",
                        most);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *number = json_array_get(list, i);
        values[i] = json_is_number(number) ? json_number_value(number) : NAN;
    }
    *count = (int)json_array_size(list);
    return CJ_OK;
}

json_t *cj__place_to_json(cj__train_state *state)
{
    const cj__place *place = &state->place;
    if (cj__state_memories(state) != CJ_OK)
        return NULL;
    json_t *memories = json_array();
    for (int i = 0; i < state->memory_count; i++)
        json_array_append_new(
            memories,
            json_pack("{s:s, s:o}", "name", state->memories[i].name, "values",
                      numbers_to_json(state->memories[i].values, state->memories[i].count)));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:o, s:o, s:o, s:o}",
                     "epoch", (json_int_t)place->epoch, "batch", (json_int_t)place->batch,
                     "samples", (json_int_t)place->samples, "batch_size",
                     (json_int_t)place->batch_size, "data_count", (json_int_t)place->data_count,
                     "steps", (json_int_t)place->steps, "first_epoch",
                     (json_int_t)place->first_epoch, "passes", (json_int_t)place->passes, "event",
                     (int)place->event, "told", place->told, "sums",
                     numbers_to_json(place->sums, place->sum_count), "weights",
                     numbers_to_json(place->weights, place->sum_count), "validation",
                     numbers_to_json(place->val, place->val_count), "callbacks", memories);
}

static cj_status read_count(const json_t *place, const char *key, int64_t *count)
{
    const json_t *value = json_object_get(place, key);
    *count = json_integer_value(value);
    return json_is_integer(value) && *count >= 0 ?
               CJ_OK :
               cj__fail(CJ_BAD_FILE, "the place in training has no count \"%s\"", key);
}

static cj_status read_memories(cj__train_state *state, const json_t *list)
{
    double values[256];
    int count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *memory = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(memory, "name"));
        if (!name)
            return cj__fail(CJ_BAD_FILE, "a callback's memory has no name");
        CJ_TRY(numbers_from_json(json_object_get(memory, "values"), values,
                                 sizeof(values) / sizeof values[0], &count));
        CJ_TRY(cj__state_remember(state, name, values, count));
    }
    return CJ_OK;
}

cj_status cj__place_from_json(cj__train_state *state, const json_t *object)
{
    cj__place place = {0};
    int64_t event = 0, told = 0;
    CJ_TRY(read_count(object, "epoch", &place.epoch));
    CJ_TRY(read_count(object, "batch", &place.batch));
    CJ_TRY(read_count(object, "samples", &place.samples));
    CJ_TRY(read_count(object, "batch_size", &place.batch_size));
    CJ_TRY(read_count(object, "data_count", &place.data_count));
    CJ_TRY(read_count(object, "steps", &place.steps));
    // files of version 0.1 have none of these two: their runs counted passes from epoch 0
    place.first_epoch = json_integer_value(json_object_get(object, "first_epoch"));
    place.passes = json_integer_value(json_object_get(object, "passes"));
    CJ_TRY(read_count(object, "event", &event));
    CJ_TRY(read_count(object, "told", &told));
    int weights = 0;
    CJ_TRY(numbers_from_json(json_object_get(object, "sums"), place.sums, CJ__MAX_VALUES,
                             &place.sum_count));
    CJ_TRY(numbers_from_json(json_object_get(object, "weights"), place.weights, CJ__MAX_VALUES,
                             &weights));
    CJ_TRY(numbers_from_json(json_object_get(object, "validation"), place.val, CJ__MAX_VALUES,
                             &place.val_count));
    if (event > CJ__EVENT_EPOCH_END || told > 1 << 20 || weights != place.sum_count)
        return cj__fail(CJ_BAD_FILE, "the place in training contradicts itself");
    place.event = (cj__event)event;
    place.told = (int)told;
    state->place = place;
    cj__state_forget(state);
    return read_memories(state, json_object_get(object, "callbacks"));
}
