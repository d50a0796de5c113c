#include "formats/native_state.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/flags.h"

#include <math.h>
#include <string.h>

// ---- Settings ----

static json_t *texts_to_json(const char *const *texts, int most)
{
    json_t *list = json_array();
    int count = most;
    while (count > 0 && !texts[count - 1])
        count--;
    for (int i = 0; i < count; i++)
        json_array_append_new(list, texts[i] ? json_string(texts[i]) : json_null());
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
    const cj_compile_args *settings = &state->settings;
    char *spec = cj__optimizer_spec(settings->optimizer);
    json_t *flags = json_array(), *weights = json_array(), *by_output = json_array();
    for (int i = 0; i < (int)state->flags.count; i++)
        json_array_append_new(flags, json_boolean(state->flags.rows[i].trainable));
    for (int i = 0; i < CJ_MAX_IO; i++) {
        json_array_append_new(weights, number_to_json(settings->loss_weights[i]));
        json_array_append_new(by_output,
                              texts_to_json(settings->output_metrics[i], CJ_MAX_METRICS));
    }
    json_t *object = json_pack(
        "{s:s?, s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "optimizer", spec, "loss", settings->loss,
        "losses", texts_to_json(settings->losses, CJ_MAX_IO), "loss_weights", weights, "metrics",
        texts_to_json(settings->metrics, CJ_MAX_METRICS), "output_metrics", by_output,
        "weighted_metrics", texts_to_json(settings->weighted_metrics, CJ_MAX_METRICS), "trainable",
        flags);
    cj__free(spec);
    return object;
}

static cj_status texts_from_json(const json_t *list, const char **texts, size_t most)
{
    if (json_array_size(list) > most)
        return cj__fail(CJ_BAD_FILE, "the compile settings list %zu names where %zu are possible",
                        json_array_size(list), most);
    for (size_t i = 0; i < json_array_size(list); i++)
        texts[i] = json_string_value(json_array_get(list, i));
    return CJ_OK;
}

static cj_status read_settings(const json_t *settings, cj_compile_args *args)
{
    const char *spec = json_string_value(json_object_get(settings, "optimizer"));
    CJ_TRY(texts_from_json(json_object_get(settings, "losses"), args->losses, CJ_MAX_IO));
    CJ_TRY(texts_from_json(json_object_get(settings, "metrics"), args->metrics, CJ_MAX_METRICS));
    CJ_TRY(texts_from_json(json_object_get(settings, "weighted_metrics"), args->weighted_metrics,
                           CJ_MAX_METRICS));
    const json_t *by_output = json_object_get(settings, "output_metrics");
    const json_t *weights = json_object_get(settings, "loss_weights");
    if (json_array_size(by_output) > CJ_MAX_IO || json_array_size(weights) > CJ_MAX_IO)
        return cj__fail(CJ_BAD_FILE, "the compile settings are for more than %d outputs",
                        CJ_MAX_IO);
    for (size_t i = 0; i < json_array_size(by_output); i++)
        CJ_TRY(
            texts_from_json(json_array_get(by_output, i), args->output_metrics[i], CJ_MAX_METRICS));
    for (size_t i = 0; i < json_array_size(weights); i++)
        args->loss_weights[i] = json_number_value(json_array_get(weights, i));
    args->loss = json_string_value(json_object_get(settings, "loss"));
    args->optimizer = spec ? cj_optimizer_from_spec(spec) : NULL;
    return !spec || args->optimizer ? CJ_OK : cj_error_status();
}

cj_status cj__settings_from_json(cj_model *model, const json_t *settings)
{
    cj_compile_args args = {0};
    cj_status status = read_settings(settings, &args);
    if (status != CJ_OK) {
        cj__drop_floating(args.optimizer);
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
        status = cj_compile_model(model, &args);
    else
        cj__drop_floating(args.optimizer);
    if (usable)
        cj__flags_swap_back(&flags);
    cj__flags_free(&flags);
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
    if (event > CJ__EVENT_EPOCH_END || told > CJ_MAX_CALLBACKS || weights != place.sum_count)
        return cj__fail(CJ_BAD_FILE, "the place in training contradicts itself");
    place.event = (cj__event)event;
    place.told = (int)told;
    state->place = place;
    cj__state_forget(state);
    return read_memories(state, json_object_get(object, "callbacks"));
}
